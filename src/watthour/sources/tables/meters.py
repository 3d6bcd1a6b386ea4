"""What kind of meter a table comes from, and the readings that counters and power at instants make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.counter import CounterRules, Found
from watthour.core.errors import InvalidInput
from watthour.core.frames import Measure, Quality, Samples
from watthour.core.metering import Between, MeterRules, Rest, meter
from watthour.core.units import Quantity, Unit, conversion, units_of
from watthour.core.window import DAY, HOUR, step_in_words
from watthour.sources.delivery import PARSED_REFUSED, split_unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from watthour.core.channel import Channel
    from watthour.core.metering import Finding
    from watthour.sources.tables.understand import Understood

_FEWEST = 24  # rows that show a counter
_RISING = 0.98  # share of the rows of a counter that are no lower than the row before; it may begin anew each day
_MOST_FALLS = 2  # of a few rows
_REGULAR = 0.8  # share of the rows of a table of intervals that keep its step, or leave some out
_SHORTEST = timedelta(minutes=1)  # between rows of intervals; what comes faster are samples
_STEPS = (timedelta(minutes=15), timedelta(minutes=30), HOUR, DAY)  # of readings that are made of samples
_LEAST_SILENCE = timedelta(minutes=5)
_HOME_ENERGY = (Unit.KWH, Unit.WH)
_POWER = (*units_of(Quantity.POWER), Unit.GW)


class Meter(StrEnum):
    """What the values of a table are."""

    INTERVAL = "interval"  # the energy or the mean power of each interval
    COUNTER = "counter"  # what a counter of energy showed at each time
    SAMPLES = "samples"  # the power at each time


@dataclass(frozen=True, slots=True)
class MeterWords:
    """What kind of meter it is, how often it tells, and why that is assumed."""

    meter: Meter
    every: timedelta | None
    is_steady: bool
    reason: str
    coarseness_kwh: float = 0.001
    is_signed: bool = False  # energy is also fed in
    silence: timedelta | None = None  # longest between two samples, where somebody said it

    @property
    def step(self) -> timedelta:
        """The step of readings that its samples can make."""
        every = self.every or _STEPS[0]
        if self.is_steady and every >= _LEAST_SILENCE and not DAY % every:
            return every
        return next((step for step in _STEPS if step >= every), DAY)

    def rules(self, step: timedelta, time_zone: str) -> MeterRules:
        """Return how its samples become intervals."""
        every = self.every or step
        silence = self.silence or max(_LEAST_SILENCE, 4 * every)
        return MeterRules(
            step,
            time_zone,
            Between.LINE if self.is_steady else Between.HOLD,
            silence,
            self.silence or max(2 * step, 4 * every),
            counter=CounterRules(coarseness_kwh=self.coarseness_kwh, is_signed=self.is_signed),
        )

    @property
    def note(self) -> str | None:
        """What a person is told of it; of ordinary intervals nothing."""
        if self.meter is Meter.INTERVAL:
            return None
        what = {
            Meter.COUNTER: "the stands of a counter, and each interval gets what it rose",
            Meter.SAMPLES: "power at instants, and each interval gets its mean",
        }[self.meter]
        how = "about every " if self.every is not None else ""
        often = f", {how}{_in_words(self.every)}" if self.every is not None else ""
        return f"its values are {what}{often} ({self.reason}); --meter interval reads them as they stand"


def recognise_meter(found: Understood, unit: Unit | None, said: str | None) -> MeterWords:
    """Find what kind of meter a table comes from: a column that only rises is a counter, irregular power is samples.

    Args:
        found: the table.
        unit: of its values; only energy of a home is taken for a counter unless somebody says so.
        said: by a person: interval, counter or samples.

    Raises:
        InvalidInput: there is no such kind, or the unit does not fit it.
    """
    if said is not None and said not in list(Meter):
        remedy = "Use --meter counter, --meter interval or --meter samples."
        raise InvalidInput("meter", said, "it must be counter, interval or samples", remedy=remedy)
    _check_unit(said, unit)
    rows = found.placed(found.zone or ("UTC" if found.needs_zone else None))
    rows = rows.select("time", value=pl.col("raw").cast(pl.Float64, strict=False)).drop_nulls().sort("time")
    steps = rows["time"].unique().sort().diff().drop_nulls()
    if not steps.len():
        return MeterWords(Meter(said or Meter.INTERVAL), None, is_steady=True, reason="as given")
    usual: timedelta = steps.mode().sort().first()  # type: ignore[assignment]  # a duration
    median: timedelta = steps.median()  # type: ignore[assignment]  # likewise
    odd = steps.dt.total_microseconds() % (usual // timedelta(microseconds=1)) != 0
    is_steady = float(odd.mean() or 0.0) <= 1 - _REGULAR  # type: ignore[arg-type]  # a share
    words = MeterWords(Meter(said or Meter.INTERVAL), usual if is_steady else median, is_steady, "as given")
    words = replace(words, coarseness_kwh=_coarseness(rows["value"], unit))
    if said is not None:
        return words
    is_told = found.cells.made is not None and found.value_column in found.cells.made.counters
    if is_told or (unit in _HOME_ENERGY and _only_rises(rows["value"])):
        return replace(words, meter=Meter.COUNTER, reason="as the file says" if is_told else "they only rise")
    if unit in _POWER and (not is_steady or usual < _SHORTEST):
        reason = "they come faster than once a minute" if is_steady else "their times are irregular"
        return replace(words, meter=Meter.SAMPLES, reason=reason)
    return words


def _check_unit(said: str | None, unit: Unit | None) -> None:
    if said == Meter.COUNTER and unit in _POWER:
        remedy = "Name the column of the counter with --value-column, or use --meter samples."
        raise InvalidInput("meter", said, f"a counter shows energy, and these values are in {unit}", remedy=remedy)
    if said == Meter.SAMPLES and unit is not None and unit not in _POWER:
        remedy = "Name the column of power with --value-column, or use --meter counter or --meter interval."
        raise InvalidInput("meter", said, f"samples are power, and these values are in {unit}", remedy=remedy)


def _only_rises(values: pl.Series) -> bool:
    """Tell whether values are the stands of a counter, which may begin anew or show a wrong stand now and then."""
    steps = values.diff().drop_nulls()
    if values.len() < _FEWEST or not (steps > 0).any():
        return False
    return int((steps < 0).sum()) <= max(_MOST_FALLS, steps.len() * (1 - _RISING))


def _coarseness(values: pl.Series, unit: Unit | None) -> float:
    """Return by how much a counter rises at least [kWh]."""
    steps = values.diff().drop_nulls()
    least = steps.filter(steps > 0).min()
    if not isinstance(least, float) or unit is None or unit in _POWER:
        return 0.001
    try:
        return max(0.001, min(1.0, least * conversion(unit, Unit.KWH)[0]))
    except ValueError:
        return 0.001


def parse_meters(
    parts: Iterable[Understood], channel: Channel, unit: Unit, words: MeterWords, time_zone: str
) -> tuple[pl.DataFrame, pl.DataFrame, tuple[str, ...]]:
    """Turn the samples of a table into parsed readings, the rows that cannot be with the rule they broke, and findings.

    The parts of a long table follow each other. Rules: ``time_exists``, ``time_is_unique``, ``time_is_readable``,
    ``value_is_a_number``, and those of ``core.counter``.
    """
    rules = words.rules(channel.resolution, time_zone)
    measure = Measure.COUNTER if words.meter is Meter.COUNTER else Measure.POWER
    factor = conversion(unit, Unit.KWH if measure is Measure.COUNTER else Unit.W)[0]
    rest: Rest | None = None
    readings, refused = [], []
    notes: dict[Found, tuple[Finding, int]] = {}
    for found in parts:
        after = timedelta(0) if found.cells.made is None else found.cells.made.stands_after
        rows = found.placed(found.zone).with_columns(pl.col("time") + after, channel=pl.lit(channel.id))
        is_twice = pl.col("time").is_not_null() & ~pl.col("time").is_first_distinct()
        good, bad = split_unreadable(rows, {"time_exists": pl.col("is_skipped"), "time_is_unique": is_twice})
        samples = Samples.cast(
            good.drop_nulls("value").select(
                "channel", "time", measure=pl.lit(str(measure)), recorded_at="time", value=pl.col("value") * factor
            )
        )
        made = meter(samples, channel, rules, rest=rest, is_observed=False)
        rest = made.rest
        estimated = pl.col("quality") & int(Quality.ESTIMATED)
        readings.append(made.readings.select("channel", "time", "value", published="available_at", quality=estimated))
        refused += [bad, made.refused.select(PARSED_REFUSED.names())]
        for each in made.findings:
            first, n = notes.get(each.found, (each, 0))
            notes[each.found] = (first, n + each.n_samples)
    texts = tuple(replace(first, n_samples=n).text for first, n in notes.values())
    return pl.concat(readings), pl.concat(refused), texts


def _in_words(span: timedelta | None) -> str:
    if span is None:
        return "unknown"
    return step_in_words(span) if span >= _SHORTEST else f"{span.total_seconds():g} seconds"
