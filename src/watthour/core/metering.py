"""From what a meter or a sensor told at irregular instants to the energy, or the mean, of each interval.

Two samples span a time of which the energy is known: a counter's rise, or the power between them. An interval adds up
its shares of the spans. A span that is too long, or whose rise is not known, is silence, and silence is never filled:
see ``docs/explanation/meters.md`` for each rule. A part of the samples gives the same readings as all of them at once,
where what a part leaves unfinished is given to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.counter import REFUSED, CounterRules, Found, count
from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT, Measure, Measurements, Quality, Refused, Samples, measures_of
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import DAY, HOUR, step_in_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.channel import Channel
    from watthour.core.plausibility import Array, Mask, Numbers

_US = timedelta(microseconds=1)
_KWH_PER_W_US = 1 / 3.6e12
_WHOLE = 1 - 1e-9  # a share that is all, but for rounding
_NEVER = 2**62  # [us]
_MEASURES = pl.Enum([str(measure) for measure in Measure])
_PLACE_OF = {measure: place for place, measure in enumerate(Measure)}
_LONGEST_BETWEEN_DEGREES = timedelta(hours=2)  # a thermometer tells changes of tenths of a degree, and each hour
_LONGEST_PRESENCE = timedelta(hours=12)  # a presence sensor tells that somebody came or left; a night lies between
_SHARE = 100.0  # of occupancy [%]
_ANY_WINTER_DAY = datetime(2024, 1, 1, tzinfo=UTC)


class Between(StrEnum):
    """What power does between two samples."""

    LINE = "line"  # the device tells it at steady times, whatever it is: a straight line from one to the next
    HOLD = "hold"  # the device tells each change: it stays as it was told until the next


@dataclass(frozen=True, slots=True)
class MeterRules:
    """How the samples of a channel become intervals; they are chosen once, never by what a part of the samples shows.

    Raises:
        InvalidInput: the step does not divide a day, or a share is none.
    """

    step: timedelta
    time_zone: str = "UTC"  # whose local days the intervals begin with
    between: Between = Between.LINE
    longest_silence: timedelta = timedelta(minutes=5)  # between two samples of power
    longest_uncounted: timedelta | None = None  # between two samples of a counter; None: two steps
    least_covered: float = 0.9  # share of an interval that samples must span
    counter: CounterRules = field(default_factory=CounterRules)

    def __post_init__(self) -> None:
        if self.step <= timedelta(0) or DAY % self.step:
            remedy = "Use a step that divides a day, such as 15 minutes or an hour."
            raise InvalidInput("step", step_in_words(self.step), "it does not divide a day evenly", remedy=remedy)
        if not 0 < self.least_covered <= 1:
            remedy = "Give a share above 0 and up to 1."
            raise InvalidInput("least_covered", self.least_covered, "it is not a share", remedy=remedy)

    @classmethod
    def polled(cls, step: timedelta, every: timedelta, *, time_zone: str = "UTC", is_signed: bool = True) -> MeterRules:
        """Return the rules of a device that is asked, or tells, at steady times: three misses in a row are silence."""
        counter = CounterRules(is_signed=is_signed)
        return cls(step, time_zone, Between.LINE, 4 * every, max(2 * step, 4 * every), counter=counter)

    @classmethod
    def sensed(
        cls, step: timedelta, heartbeat: timedelta | None, measure: Measure, *, time_zone: str = "UTC"
    ) -> MeterRules:
        """Return the rules of a sensor: degrees and humidity run straight between two values, presence stays as told.

        Where it promises to be heard more seldom than sensors usually are, twice its ``heartbeat`` is the longest wait.
        """
        is_presence = measure is Measure.OCCUPANCY
        usual = _LONGEST_PRESENCE if is_presence else _LONGEST_BETWEEN_DEGREES
        longest = usual if heartbeat is None else max(usual, 2 * heartbeat)
        return cls(step, time_zone, Between.HOLD if is_presence else Between.LINE, longest)

    @classmethod
    def on_change(
        cls, step: timedelta, heartbeat: timedelta | None, *, time_zone: str = "UTC", is_signed: bool = True
    ) -> MeterRules:
        """Return the rules of a device that tells changes alone.

        Where it promises to be heard at least once in a ``heartbeat``, silence up to twice as long means that nothing
        changed; where it promises nothing (None), silence of five minutes is a gap.
        """
        longest = timedelta(minutes=5) if heartbeat is None else 2 * heartbeat
        counter = CounterRules(is_signed=is_signed)
        return cls(step, time_zone, Between.HOLD, longest, max(2 * step, longest), counter=counter)


_WORDS = {
    Found.RESET: "the counter began anew at zero (what was used since the sample before is not known)",
    Found.ROLL_OVER: "the counter passed its highest stand and went on from zero",
    Found.REPLACED: "the counter shows the stand of another meter, or rose by more than can flow; the time is a gap",
    Found.DIP: "the counter was lower for one sample, which is left out",
    Found.SPIKE: "the counter was higher for one sample, which is left out",
    Found.BACKWARD: "the counter was lower than before; such samples are left out. "
    "If energy is also fed in, say that it has solar",
    Found.NEGATIVE: "the power is negative; such samples are left out. If energy is also fed in, say that it has solar",
    Found.SILENCE: "nothing was heard for longer than allowed; the time is a gap",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the samples show and a person may want to know."""

    found: Found
    time: datetime  # of the first such sample
    n_samples: int

    @property
    def text(self) -> str:
        """What a person is told."""
        times = "once" if self.n_samples == 1 else f"{self.n_samples:,} times"
        return f"{_WORDS[self.found]}: {times}, first at {self.time:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Rest:
    """What a part of the samples leaves for the next part: samples that are needed again, and what is done."""

    samples: dy.DataFrame[Samples]
    since: datetime | None = None  # intervals that begin before it are made
    judged: Mapping[str, datetime] = field(default_factory=dict)  # of each measure, the last sample that was judged


@dataclass(frozen=True, slots=True)
class Metered:
    """What samples make: readings, what was found, the samples that do not count, and what the next part needs."""

    readings: dy.DataFrame[Measurements]
    findings: tuple[Finding, ...]
    refused: dy.DataFrame[Refused]
    rest: Rest


@dataclass(frozen=True)
class _Told:
    """The samples of one measure that count; instants in microseconds."""

    time: Numbers
    known_at: Numbers
    is_spanned: Mask  # from each sample to the next; one shorter
    longest: int  # silence [us]
    waiting: Numbers = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # samples that cannot be judged yet
    given_up: int = -_NEVER  # up to when it was silent for too long, and nothing is waited for
    rise: Array = field(default_factory=lambda: np.zeros(0))  # of a counter, over each span [kWh]
    is_estimated: Mask = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    power: Array = field(default_factory=lambda: np.zeros(0))  # at each sample [W]

    def span_of(self, instants: Numbers) -> tuple[Numbers, Mask]:
        """Return the span in which each instant lies, and whether its energy is known."""
        span = np.searchsorted(self.time, instants, side="right") - 1
        is_inside = (span >= 0) & (span < len(self.is_spanned))
        span = np.where(is_inside, span, 0)
        return span, is_inside & (self.is_spanned[span] if len(self.is_spanned) else False)


def meter(
    samples: dy.DataFrame[Samples],
    channel: Channel,
    rules: MeterRules,
    *,
    rest: Rest | None = None,
    is_observed: bool = True,
) -> Metered:
    """Return the readings of a channel, one for each interval that its samples have passed.

    Where a counter and the power of one channel are both known, the counter says how much, and the power when within
    the span between two of its samples; where no counter is, power is summed. What a sensor tells becomes the mean of
    each interval, presence the share of it in which somebody was there.

    Args:
        samples: of the channel, in any order; one that comes twice counts once.
        channel: whose readings they make, in its unit.
        rules: how; its step is that of the channel.
        rest: what the samples before these left.
        is_observed: the samples were written when they came, so that readings were known when the last sample that each
            needs was recorded; if not, they are assumed to have been known at the time of that sample.
    """
    rest = rest or Rest(Samples.create_empty())
    table = (
        pl.concat([rest.samples, samples])
        .filter(channel=channel.id)
        .unique(["time", "measure"], keep="first", maintain_order=True)
        .sort("time", "measure")
    )
    since = None if rest.since is None else _us(rest.since)
    made = _made(_Heard.of(table), channel, rules, since)
    if made is None:
        return Metered(Measurements.create_empty(), (), Refused.create_empty(), rest)
    after = {measure: _us(at) for measure, at in rest.judged.items()}
    judged = {measure: _instant(at) for measure, at in made.judged.items()}
    return Metered(
        _readings([(channel, made)], is_observed=is_observed),
        _findings(made, after),
        _refused(made, channel, after),
        Rest(
            _needed(table, made.told, made.to_do, measures_of(channel.quantity)[0]),
            None if since is None and made.to_do <= made.begun else _instant(made.to_do),
            {**rest.judged, **judged},
        ),
    )


def meter_channels(
    samples: dy.DataFrame[Samples], wanted: Mapping[str, tuple[Channel, MeterRules]]
) -> tuple[dy.DataFrame[Measurements], dy.DataFrame[Refused]]:
    """Return the readings of many channels, and the samples that do not count, as ``meter`` does for each by itself.

    Args:
        samples: of the channels, written when they came; sorted by channel, time and measure, each once.
        wanted: channels by id, each with how its samples become readings; samples of others are left out.
    """
    if samples.is_empty():
        return Measurements.create_empty(), Refused.create_empty()
    names = samples["channel"].rle_id().to_numpy()
    begins = np.flatnonzero(np.diff(names, prepend=-1))
    heard = _Heard.of(samples)
    made: list[tuple[Channel, _Made]] = []
    refused: list[pl.DataFrame] = []
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(names)], strict=True):
        name = samples["channel"][begin]
        if name not in wanted:
            continue
        channel, rules = wanted[name]
        found = _made(heard.part(begin, end), channel, rules, None)
        if found is not None:
            made.append((channel, found))
            if found.found:
                refused.append(_refused(found, channel, {}))
    readings = _readings(made, is_observed=True)
    return readings, Refused.cast(pl.concat(refused)) if refused else Refused.create_empty()


@dataclass(frozen=True, slots=True)
class _Heard:
    """Samples of a channel as arrays, sorted by time and measure, each once."""

    time: Numbers
    recorded_at: Numbers
    value: Array
    measure: NDArray[np.integer[Any]]  # its place among all measures

    @classmethod
    def of(cls, table: pl.DataFrame) -> _Heard:
        return cls(
            _instants(table["time"]),
            _instants(table["recorded_at"]),
            table["value"].to_numpy(),
            np.asarray(table["measure"].cast(_MEASURES).to_physical().to_numpy()),
        )

    def part(self, begin: int, end: int) -> _Heard:
        return _Heard(*(getattr(self, each)[begin:end] for each in self.__slots__))


@dataclass(frozen=True, slots=True)
class _Made:
    """What the samples of one channel make."""

    heard: _Heard
    told: tuple[_Told, _Told]
    intervals: _Intervals
    available_at: Numbers
    found: Sequence[tuple[Found, int]]  # with the place of the sample, in the order of time
    judged: Mapping[str, int]  # of each measure, the last sample that was judged
    begun: int
    to_do: int  # intervals from then on are not made yet


def _made(heard: _Heard, channel: Channel, rules: MeterRules, since: int | None) -> _Made | None:
    """Return what samples make; None where none of them counts."""
    told, judged, found = _told(heard, rules, measures_of(channel.quantity)[0])
    if not any(len(each.time) for each in told):
        return None
    settled = min(_settled(each, int(heard.time[-1])) for each in told if len(each.time))
    grid = _Grid.of(rules, int(heard.time[0]), int(heard.time[-1]))
    intervals = _intervals(told, grid, rules, settled, since)
    begun = min(int(each.time[0]) for each in told if len(each.time))
    to_do = int(grid.starts(grid.index(np.array([settled])))[0])
    return _Made(
        heard,
        told,
        intervals,
        _available(intervals.end, told, heard.time),
        found,
        judged,
        begun,
        to_do if since is None else max(to_do, since),
    )


@dataclass(frozen=True)
class _Grid:
    """The intervals: steps of the local day, or local days."""

    step: int  # [us]
    phase: int
    midnights: Numbers | None = None

    @classmethod
    def of(cls, rules: MeterRules, first: int, last: int) -> _Grid:
        step = rules.step // _US
        if rules.step < DAY:
            offset = _ANY_WINTER_DAY.astimezone(ZoneInfo(rules.time_zone)).utcoffset() or timedelta(0)
            return cls(step, -(offset // _US) % step)
        begin, end = (_instant(each).astimezone(ZoneInfo(rules.time_zone)).date() for each in (first, last))
        days = pl.date_range(begin - DAY, end + 2 * DAY, eager=True).cast(pl.Datetime("us"))
        local = days.dt.replace_time_zone(rules.time_zone, ambiguous="earliest", non_existent="null")
        return cls(step, 0, _instants(local.drop_nulls().dt.convert_time_zone("UTC")))

    def index(self, instants: Numbers) -> Numbers:
        if self.midnights is not None:
            return np.searchsorted(self.midnights, instants, side="right") - 1
        index: Numbers = (instants - self.phase) // self.step
        return index

    def starts(self, index: Numbers) -> Numbers:
        if self.midnights is not None:
            return self.midnights[index]
        starts: Numbers = index * self.step + self.phase
        return starts


def _told(
    table: _Heard, rules: MeterRules, level: Measure
) -> tuple[tuple[_Told, _Told], dict[str, int], list[tuple[Found, int]]]:
    """Return the samples of counter and power that count, the last that was judged of each, and what was found.

    ``level`` is what takes the place of power in a channel of something else.
    """
    powers = np.flatnonzero(table.measure == _PLACE_OF[level])
    is_counter = (table.measure == _PLACE_OF[Measure.COUNTER]) & (level is Measure.POWER)
    counters = np.flatnonzero(is_counter)
    uncounted = 2 * rules.step if rules.longest_uncounted is None else rules.longest_uncounted
    silence = rules.longest_silence
    heard, told_at = table.time, table.time[counters]
    counted = count(told_at, table.value[counters], rules.counter)
    rise = counted.rise[1:]
    given_up = _given_up_at(told_at, uncounted // _US, heard)
    given_up = np.where(given_up < np.append(told_at[1:], _NEVER), given_up, _NEVER)
    is_over = given_up[:-1] < _NEVER
    in_time = counted.known_at[1:] <= np.minimum.accumulate(given_up[::-1])[::-1][counted.place[1:]]
    is_spanned = (np.diff(counted.time) <= uncounted // _US) & in_time & ~np.isnan(rise)
    counter = _Told(
        counted.time,
        counted.known_at,
        is_spanned,
        uncounted // _US,
        told_at[counted.n_settled :],
        int(heard[np.searchsorted(heard, told_at[1:])[is_over] - 1].max(initial=-_NEVER)),
        np.nan_to_num(rise),
        counted.is_estimated[1:],
    )
    times, power = heard[powers], table.value[powers]
    is_bad = (power < 0) & (level is Measure.POWER and not rules.counter.is_signed)
    last_is_told = is_bad[:-1] if rules.between is Between.HOLD else is_bad[:-1] | is_bad[1:]
    is_powered = (np.diff(times) <= silence // _US) & ~last_is_told
    told = (counter, _Told(times, times, is_powered, silence // _US, power=power))
    found = [(kind, counters[places]) for kind, places in counted.found.items()]
    found.append((Found.NEGATIVE, powers[is_bad]))
    for each, rows in ((counter, counters), (told[1], powers)):
        silent = each.time[1:][np.diff(each.time) > each.longest]
        found.append((Found.SILENCE, rows[np.searchsorted(heard[rows], silent)]))
    judged = {Measure.COUNTER: told_at[: counted.n_settled], level: times}
    return (
        told,
        {str(measure): int(at[-1]) for measure, at in judged.items() if len(at)},
        sorted(((kind, place) for kind, places in found for place in places.tolist()), key=lambda each: heard[each[1]]),
    )


def _given_up_at(last: Numbers, longest: int, heard: Numbers) -> Numbers:
    """Return when it shows that nothing follows a sample in time: when anything is heard after the longest wait."""
    later = np.searchsorted(heard, last + longest, side="right")
    return np.append(heard, _NEVER)[later]


def _settled(told: _Told, now: int) -> int:
    """Return up to when no later sample of a measure changes anything."""
    counts, waits = int(told.time[-1]), told.waiting
    if now - (int(waits[-1]) if len(waits) else counts) > told.longest:
        return now
    is_apart = len(waits) > 0 and int(waits[0]) - counts > told.longest
    return max(told.given_up, int(waits[0]) if is_apart else counts)


@dataclass(frozen=True, slots=True)
class _Intervals:
    """Intervals that are made: when they begin and end [us], their energy [kWh] (nan: too little is covered)."""

    start: Numbers
    end: Numbers
    energy: Array
    is_estimated: Mask


def _intervals(
    told: tuple[_Told, _Told], grid: _Grid, rules: MeterRules, settled: int, since: int | None
) -> _Intervals:
    """Return the intervals that samples span and that no later sample changes."""
    counter, power = told
    knots = np.unique(np.concatenate([counter.time, power.time, _edges(told, grid)]))
    start, elapsed = knots[:-1], np.diff(knots)
    of_counter, is_counted = counter.span_of(start)
    of_power, is_powered = power.span_of(start)
    drawn = _drawn(power, of_power, start, elapsed, rules) * is_powered
    energy, is_known = drawn, is_powered | is_counted
    is_estimated = np.zeros(len(start), dtype=np.bool_)
    if is_counted.any():
        span = of_counter[is_counted]
        weight = _weights(span, drawn[is_counted], is_powered[is_counted], elapsed[is_counted], len(counter.rise))
        energy = energy.copy()
        energy[is_counted] = counter.rise[span] * weight
        is_estimated[is_counted] = counter.is_estimated[span]
    index = grid.index(start)
    firsts = np.flatnonzero(np.diff(index, prepend=-_NEVER))  # pieces are in the order of time
    places = index[firsts]
    starts, ends = grid.starts(places), grid.starts(places + 1)
    share = _sums(np.where(is_known, elapsed, 0), firsts) / (ends - starts)
    is_whole, is_enough = share >= _WHOLE, share >= rules.least_covered
    begun = min(int(each.time[0]) for each in told if len(each.time)) if since is None else since
    energy = np.where(is_enough, _sums(energy, firsts) / np.where(is_whole | ~is_enough, 1.0, share), np.nan)
    is_estimated = (_sums(is_estimated.astype(np.int64), firsts) > 0) | ~is_whole
    is_made = (share > 0) & (ends <= settled) & ((starts >= begun) | (is_enough if since is None else False))
    return _Intervals(starts[is_made], ends[is_made], energy[is_made], is_estimated[is_made])


def _sums(values: NDArray[Any], firsts: NDArray[np.int64]) -> NDArray[Any]:
    """Return the sum of each group of values, given where each begins."""
    return np.add.reduceat(values, firsts) if len(firsts) else values[:0]


def _weights(span: Numbers, drawn: Array, is_powered: Mask, elapsed: Numbers, n_spans: int) -> Array:
    """Return the share that each piece has of its counter's span: that of the power, where all of it is known."""
    lacks = np.bincount(span, ~is_powered | (drawn < 0), minlength=n_spans)
    by_power = (lacks == 0) & (np.bincount(span, drawn, minlength=n_spans) > 0)
    weight = np.where(by_power[span], drawn, elapsed.astype(np.float64))
    shares: Array = weight / np.bincount(span, weight, minlength=n_spans)[span]
    return shares


def _drawn(power: _Told, span: Numbers, start: Numbers, elapsed: Numbers, rules: MeterRules) -> Array:
    """Return the energy that power draws in each piece of its spans [kWh]."""
    if not len(power.is_spanned):
        return np.zeros(len(start))
    first, last = power.power[span], power.power[span + 1]
    if rules.between is Between.HOLD:
        mean = first
    else:
        length = power.time[span + 1] - power.time[span]
        mean = first + (last - first) * ((start - power.time[span] + elapsed / 2) / length)
    drawn: Array = mean * elapsed * _KWH_PER_W_US
    return drawn


def _edges(told: tuple[_Told, _Told], grid: _Grid) -> Numbers:
    """Return where intervals begin and end while samples span the time; long silence has no intervals."""
    edges = []
    for each in told:
        begins, ends = each.time[:-1][each.is_spanned], each.time[1:][each.is_spanned]
        if not len(begins):
            continue
        is_new = np.concatenate([[True], begins[1:] > ends[:-1]])
        first = grid.index(begins[is_new])
        last = grid.index(ends[np.concatenate([is_new[1:], [True]])]) + 1
        n = last - first + 1
        offset = np.repeat(first - np.concatenate([[0], np.cumsum(n)[:-1]]), n)
        edges.append(grid.starts(np.unique(np.arange(int(n.sum())) + offset)))
    return np.concatenate(edges) if edges else np.zeros(0, dtype=np.int64)


def _available(ends: Numbers, told: Sequence[_Told], heard: Numbers) -> Numbers:
    """Return the time of the last sample that each interval needs, or of the one that shows that none will come."""
    needed = heard[np.minimum(np.searchsorted(heard, ends), len(heard) - 1)]
    for each in told:
        if not len(each.time):
            continue
        after = np.searchsorted(each.time, ends)
        here, before = np.minimum(after, len(each.time) - 1), np.maximum(after - 1, 0)
        given_up_at = _given_up_at(each.time[before], each.longest, heard)
        known = np.where(after == len(each.time), given_up_at, np.minimum(each.known_at[here], given_up_at))
        needed = np.maximum(needed, np.where(after > 0, known, needed))
    return needed


def _needed(table: pl.DataFrame, told: tuple[_Told, _Told], since: int, level: Measure) -> dy.DataFrame[Samples]:
    """Return the samples that intervals from an instant on are made of, and what the next sample is judged by."""
    last = {
        measure: int(each.time[: np.searchsorted(each.time, since, side="right")].max(initial=-_NEVER))
        for measure, each in zip((Measure.COUNTER, level), told, strict=True)
    }
    longest = {measure: each.longest for measure, each in zip(last, told, strict=True)}
    alive = [at for measure, at in last.items() if at > -_NEVER and since - at <= longest[measure]]
    begin = min(alive, default=since)
    kept = []
    for measure, each in zip(last, told, strict=True):
        before = each.time[: np.searchsorted(each.time, begin, side="right")]
        first = int(before[-1]) if len(before) else -_NEVER
        kept.append(table.filter(measure=str(measure)).filter(pl.col("time").cast(pl.Int64) >= first))
    return Samples.cast(pl.concat(kept).sort("time", "measure"))


def _readings(made: Sequence[tuple[Channel, _Made]], *, is_observed: bool) -> dy.DataFrame[Measurements]:
    """Return the intervals of channels as readings in their units."""
    if not made:
        return Measurements.create_empty()
    values, recorded = [], []
    for channel, each in made:
        values.append(_values(each.intervals, channel))
        recorded.append(_recorded_at(each.heard, each.available_at))
    available_at, recorded_at = np.concatenate([each.available_at for _, each in made]), np.concatenate(recorded)
    estimated = np.concatenate([each.intervals.is_estimated for _, each in made])
    names = pl.Series([channel.id for channel, _ in made], dtype=pl.String)
    quality = np.where(estimated, int(Quality.ESTIMATED), 0) + (0 if is_observed else int(Quality.ASSUMED))
    rows = pl.DataFrame(
        {
            "channel": names.gather(np.repeat(np.arange(len(made)), [len(each.available_at) for _, each in made])),
            "time": pl.Series(np.concatenate([each.intervals.start for _, each in made])).cast(INSTANT),
            "available_at": pl.Series(np.maximum(available_at, recorded_at) if is_observed else available_at).cast(
                INSTANT
            ),
            "recorded_at": pl.Series(recorded_at).cast(INSTANT),
            "value": pl.Series(np.concatenate(values)).fill_nan(None),
            "quality": pl.Series(quality, dtype=pl.Int16),
        }
    )
    return Measurements.validate(rows)


def _values(intervals: _Intervals, channel: Channel) -> Array:
    """Return what intervals are in the unit of their channel."""
    energy = intervals.energy
    mean: Array = energy / ((intervals.end - intervals.start) / (HOUR // _US))
    match channel.quantity:
        case Quantity.ENERGY:
            return energy * conversion(Unit.KWH, channel.unit)[0]
        case Quantity.POWER:
            return mean * conversion(Unit.KW, channel.unit)[0]
        case Quantity.OCCUPANCY:
            return mean * 1000 * _SHARE
        case _:
            return mean * 1000  # a level is counted as watts are


def _recorded_at(heard: _Heard, available_at: Numbers) -> Numbers:
    """Return when the samples of instants were written, the last of each."""
    firsts = np.flatnonzero(np.diff(heard.time, prepend=-_NEVER))
    at, written = heard.time[firsts], np.maximum.reduceat(heard.recorded_at, firsts)
    place = np.minimum(np.searchsorted(at, available_at), len(at) - 1)
    return np.where(at[place] == available_at, written[place], heard.recorded_at.max())


def _news(made: _Made, after: Mapping[str, int]) -> list[tuple[Found, int]]:
    """Return what was found in samples that were not judged before."""
    measures, heard = list(Measure), made.heard
    return [
        (found, place)
        for found, place in made.found
        if (measure := str(measures[heard.measure[place]])) in made.judged
        and heard.time[place] > after.get(measure, -_NEVER)
    ]


def _findings(made: _Made, after: Mapping[str, int]) -> tuple[Finding, ...]:
    """Return what was found, one of each kind."""
    places: dict[Found, list[int]] = {}
    for found, place in _news(made, after):
        places.setdefault(found, []).append(place)
    return tuple(Finding(kind, _instant(int(made.heard.time[at[0]])), len(at)) for kind, at in places.items())


def _refused(made: _Made, channel: Channel, after: Mapping[str, int]) -> dy.DataFrame[Refused]:
    """Return the samples that do not count, with the rule that each broke."""
    found = [(kind, place) for kind, place in _news(made, after) if kind in REFUSED]
    if not found:
        return Refused.create_empty()
    places = np.array([place for _, place in found])
    rows = pl.DataFrame(
        {
            "found": [str(kind) for kind, _ in found],
            "time": pl.Series(made.heard.time[places]).cast(INSTANT),
            "measure": [str(list(Measure)[place]) for place in made.heard.measure[places]],
            "value": made.heard.value[places],
            "recorded_at": pl.Series(made.heard.recorded_at[places]).cast(INSTANT),
        }
    )
    return Refused.validate(
        rows.select(
            source=pl.lit("meter"),
            channel=pl.lit(channel.id),
            rule="found",
            row=pl.struct(pl.col("time").dt.to_string("iso:strict"), "measure", "value").struct.json_encode(),
            recorded_at="recorded_at",
        )
    )


def _instants(times: pl.Series) -> Numbers:
    return times.to_physical().to_numpy()


def _us(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // _US


def _instant(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + us * _US
