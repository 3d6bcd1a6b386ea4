"""What is seldom on: the probability that it runs in each interval, and the energy and the number of uses of each day.

A device that runs for an hour every third day has no usual hour, so a line of expected values says nothing to anybody.
Each past day says of each clock interval whether it ran then, whether it was switched on, and what it used; the days
are weighted by their age and their kind, intervals beside each other share what they saw, and what little was seen is
drawn toward the flat share of time it runs (a Beta prior; for energy and switching on, a Gamma prior).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import UsesAhead, interval_starts
from watthour.core.frames import INSTANT, LEVELS, IntervalUse, UseOfDay
from watthour.core.switching import LEAST_KW, RARE_SHARE, runs_of, share_of_time_on
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import HOUR
from watthour.forecasting.calendar import WEEKEND, clock_offsets, holiday_days, local_days
from watthour.forecasting.quantile_forecast import describe_intervals, nothing_known, quantile_forecast
from watthour.forecasting.recent_days import weighted_quantiles
from watthour.forecasting.steps import check_targets, check_trained_on, require_part_of_a_day, step_of
from watthour.forecasting.vintages import DAY_US, HOUR_US, by_issue, datetimes, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Events, Targets
    from watthour.core.window import Window
    from watthour.forecasting.vintages import Array, Instants

    Mask = NDArray[np.bool_]

FEWEST_DAYS = 7  # of known values before anything is said; two weeks hold every weekday twice
_NAME, _FILE = "rare_use", "rare_use.json"
_DAYS_BACK = 70
_HALF_LIFE = 45.0  # days
_OTHER_KIND = 4.0  # days of its own kind that all days of the other kind together say as much as, at most
_OTHER_WEEKDAYS = 9.0  # days of the same weekday that all others together say as much as, at most
_BESIDE_HOURS = (0.1, 0.4, 0.75, 1.5)  # standard deviations of how far an interval's neighbours on the clock count
_ANYWHERE = 0.02  # how much a run at any other time of day counts in what one draws
_PRIOR = 1.0  # intervals seen at the flat share of time that are added to each
_KNOWN_PART = 0.9  # of the intervals of a past day that must be known for its energy to count
_WEEK = 7


def is_rarely_on(history: History) -> bool:
    """Tell a device that runs for a quarter of its time at most, and has been seen long enough to say so."""
    context = history.context
    if context.channel.device is None or not _has_energy(context):
        return False
    times, power = _known(history, instant(history.as_of), instant(history.as_of))
    if len(np.unique(local_days(times, context.time_zone))) < FEWEST_DAYS:
        return False
    share = share_of_time_on(power)
    return share is not None and share <= RARE_SHARE


def energy_of_uses(events: dy.DataFrame[Events], window: Window, step: timedelta) -> pl.DataFrame:
    """Return what uses of one device add up to in the intervals of a window: ``time, energy_kwh, starts``.

    The energy of a use is spread evenly over it. An interval without a use is zero: a log of uses says that the device
    was off between them. Where the energy of a use is not known, that of its intervals is null.
    """
    width = step // timedelta(microseconds=1)
    edges = instants(interval_starts(window, step, "UTC"))
    energy, starts = np.zeros(len(edges)), np.zeros(len(edges))
    if len(edges):
        inside = events.filter(pl.col("start") < window.end, pl.col("end") > window.start)
        kwh = inside["energy_kwh"].fill_null(np.nan).to_numpy()
        for begin, end, used in zip(instants(inside["start"]), instants(inside["end"]), kwh, strict=True):
            first, last = (begin - edges[0]) // width, -((edges[0] - end) // width)
            places = np.arange(max(first, 0), min(last, len(edges)))
            overlap = np.minimum(edges[places] + width, end) - np.maximum(edges[places], begin)
            energy[places] += used * overlap / (end - begin)
            if 0 <= first < len(edges):
                starts[first] += 1
    times = datetimes(edges).alias("time")
    return pl.DataFrame({"time": times, "energy_kwh": energy, "starts": starts}).with_columns(
        pl.col("energy_kwh").fill_nan(None)
    )


def expected_uses(
    past: pl.DataFrame,
    window: Window,
    *,
    step: timedelta,
    time_zone: str,
    as_of: datetime,
    holidays: str | None = None,
) -> UsesAhead:
    """Return what can be expected of a device's use in each interval and on each local day of a window.

    Args:
        past: ``time, energy_kwh`` of past intervals (null is a gap), of readings or of ``energy_of_uses``; with
            ``starts``, how often it was switched on in each, else that is told from the energies.
        window: what is asked.
        step: of the past and of what is asked; it divides a day.
        time_zone: whose days and hours count.
        as_of: intervals that were not over by then are left out of the past.
        holidays: code of the public holidays, which are days off like weekends.

    Raises:
        NotEnoughHistory: fewer than seven days are known.
    """
    width = step // timedelta(microseconds=1)
    rows = past.sort("time").filter(pl.col("time") + step <= as_of, pl.col("time") > as_of - timedelta(days=_DAYS_BACK))
    energy = rows["energy_kwh"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    starts = rows["starts"].cast(pl.Float64).fill_null(np.nan).to_numpy() if "starts" in rows.columns else None
    learned = _learned(instants(rows["time"]), energy, width, time_zone, holidays, starts=starts)
    if learned is None:
        raise NotEnoughHistory(
            f"fewer than {FEWEST_DAYS} days of its use were known at {as_of:%Y-%m-%d %H:%M} UTC",
            remedy="Wait until a week of readings or uses is there; two weeks say more.",
        )
    asked = instants(interval_starts(window, step, time_zone))
    return _tables([_told(learned, asked, instant(as_of))])


@dataclass(frozen=True, slots=True)
class RareUse:
    """The uses of a device that is seldom on; there is nothing to choose."""

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedRareUse:  # noqa: ARG002 - of the port
        """Check that enough is known; its habits are learned anew at each issue.

        Raises:
            InvalidInput: the step is a day or longer, or the channel is no power or energy.
            NotEnoughHistory: too few days are known.
        """
        context = history.context
        step = require_part_of_a_day(context, _NAME)
        if not _has_energy(context):
            problem = f"{_NAME} forecasts power and energy only"
            raise InvalidInput("quantity", str(context.channel.quantity), problem, remedy="Use recent_days.")
        now = instant(history.as_of)
        n_days = len(np.unique(local_days(_known(history, now, now)[0], context.time_zone)))
        if n_days < FEWEST_DAYS:
            raise NotEnoughHistory(
                f"{n_days} of the last days of {context.channel.id} are known; {_NAME} needs {FEWEST_DAYS}",
                remedy="Add more history, or use a baseline such as seasonal_naive.",
            )
        return FittedRareUse(context.channel.id, step)


@dataclass(frozen=True, slots=True, eq=False)
class FittedRareUse:
    """The channel and the step it was made for."""

    channel: str
    step: int  # [microseconds]

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("past uses",)

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue, with the uses to expect.

        Raises:
            InvalidInput: the model was made for another channel or step, or the targets are not its intervals.
            NotEnoughHistory: too little is known of the channel at every issue.
        """
        context = history.context
        check_trained_on(context, self.channel, self.step)
        check_targets(targets, context)
        hours, factor = self.step / HOUR_US, _kwh_factor(context)
        quantiles = np.full((targets.height, len(LEVELS)), np.nan)
        time = instants(targets["time"])
        tables: list[_Told] = []
        for at, known_until, mine in by_issue(targets):
            times, power = _known(history, at, known_until)
            learned = _learned(times, power * hours, self.step, context.time_zone, context.place.holidays)
            if learned is not None:
                told = _told(learned, time[mine], at)
                quantiles[mine] = told.quantiles_kwh / factor
                tables.append(told)
        if not tables:
            raise nothing_known(targets, context)
        unknown = ~np.isfinite(quantiles).all(axis=1)
        missing = []
        if unknown.any():
            where = describe_intervals(targets, unknown, context)
            missing.append(f"Fewer than {FEWEST_DAYS} days were known at the issue of {where}.")
        answer = quantile_forecast(targets, quantiles, context, model=_NAME, missing_inputs=missing)
        return replace(answer, uses=_tables(tables))

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        return {_FILE: json.dumps({"channel": self.channel, "step": self.step}).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        return cls(**json.loads(files[_FILE]))


@dataclass(frozen=True, slots=True)
class _Learned:
    """What past days saw, by local day and clock interval; NaN where unknown."""

    first: int  # the first of the days, since 1970-01-01
    step: int  # [microseconds]
    time_zone: str
    holidays: str | None
    off_kwh: float  # of an interval in which it is off
    energy: Array  # (days, slots) [kWh]
    running: Array  # (days, slots) 1 where it ran, 0 where not
    starts: Array  # (days, slots) how often it was switched on

    @property
    def ages(self) -> Array:
        """How many days each of the days lies before the last."""
        return np.arange(len(self.energy) - 1, -1, -1, dtype=np.float64)

    def kinds(self, days: Instants) -> Mask:
        """Tell days off from working days."""
        first, last = (datetimes(days[[place]] * DAY_US).dt.date()[0] for place in (days.argmin(), days.argmax()))
        weekday = (days + 3) % _WEEK  # 1970-01-01 was a Thursday, counted from Monday = 0
        return (weekday >= WEEKEND) | np.isin(days, holiday_days(self.holidays, first, last))

    def weights(self, day: int) -> Array:
        """Return how much each past day says of a day."""
        past = self.first + np.arange(len(self.energy))
        is_off = self.kinds(np.append(past, day))
        weights = 0.5 ** (self.ages / _HALF_LIFE)
        is_alike = is_off[:-1] == is_off[-1]
        weights = _at_most(weights, ~is_alike, _OTHER_KIND)
        return _at_most(weights, ~(is_alike & ((past - day) % _WEEK == 0)), _OTHER_WEEKDAYS)


def _at_most(weights: Array, which: Mask, together: float) -> Array:
    """Return weights of which some are scaled down to a sum, unless it is less."""
    total = weights[which].sum()
    return np.where(which, weights * min(1.0, together / total), weights) if total > 0 else weights


class _Told(NamedTuple):
    """What is expected at one issue."""

    intervals: pl.DataFrame  # the rows of ``IntervalUse``
    days: pl.DataFrame  # the rows of ``UseOfDay``
    quantiles_kwh: Array  # (intervals, LEVELS)


def _learned(
    times: Instants,
    energy: Array,
    step: int,
    time_zone: str,
    holidays: str | None,
    *,
    starts: Array | None = None,
) -> _Learned | None:
    """Lay past intervals out by local day and clock; None where too few days are known."""
    known = np.isfinite(energy)
    times, energy = times[known], energy[known]
    starts = None if starts is None else starts[known]
    local = times + clock_offsets(times, time_zone)
    days, slots = local // DAY_US, local % DAY_US // step
    if len(np.unique(days)) < FEWEST_DAYS:
        return None
    hours = step / HOUR_US
    runs = runs_of(energy / hours)
    if runs is not None:
        is_on, off_kwh = energy > runs.least_kw * hours, runs.off_kw * hours
    else:  # it is always on, or was never used
        is_on = np.full(len(energy), bool((energy > LEAST_KW * hours).any()))
        off_kwh = float(np.median(energy))
    if starts is None:
        starts = np.zeros(len(times))  # after a gap nobody knows whether it was on before
        starts[1:] = is_on[1:] & ~is_on[:-1] & (np.diff(times) == step)
    first = int(days[0])
    shape = int(days[-1]) - first + 1, DAY_US // step
    tables = [np.full(shape, np.nan) for _ in range(3)]
    for table, values in zip(tables, (energy, is_on.astype(np.float64), starts), strict=True):
        table[days - first, slots] = values
    return _Learned(first, step, time_zone, holidays, off_kwh, *tables)


def _told(learned: _Learned, asked: Instants, issued: int) -> _Told:
    """Return what is expected of some intervals, (n,), at an issue."""
    local = asked + clock_offsets(asked, learned.time_zone)
    days, slots = local // DAY_US, local % DAY_US // learned.step
    n_slots = learned.energy.shape[1]
    known = np.isfinite(learned.energy)
    near = _best_nearness(learned, known)
    rates, quantiles = np.empty((3, len(asked))), np.empty((len(asked), len(LEVELS)))
    rows = []
    for day in np.unique(days).tolist():
        mine = days == day
        weights = learned.weights(day)
        rates[:, mine] = _by_clock(learned, known, weights, near)[:, slots[mine]]
        quantiles[mine] = _quantiles(learned, rates[0, mine], slots[mine], weights, near)
        n_asked = np.bincount(slots[mine], minlength=n_slots)  # an hour comes twice where the clock is set back
        enough = (known * n_asked).sum(axis=1) >= _KNOWN_PART * n_asked.sum()
        sums = np.where(enough, np.nan_to_num(learned.energy) @ n_asked, np.nan)
        bounds = weighted_quantiles(sums[None], weights[None])[0, [0, -1]]
        has_run = (np.nan_to_num(learned.running) @ n_asked)[enough] > 0
        _, energy, starts = rates[:, mine].sum(axis=1).tolist()
        chance = 1 - np.exp(-starts)  # were its uses independent
        chance = (weights[enough] @ has_run + _PRIOR * chance) / (weights[enough].sum() + _PRIOR)
        rows.append((day, int(n_asked.sum()), chance, energy, *bounds.tolist(), starts))
    intervals = pl.DataFrame({"time": datetimes(asked), "probability": rates[0], "energy_kwh": rates[1]})
    of_days = pl.DataFrame(
        rows,
        schema=["day", "intervals", "probability", "energy_kwh", "lower_kwh", "upper_kwh", "starts"],
        orient="row",
    )
    at = pl.lit(datetimes(np.array([issued]))[0]).cast(INSTANT)
    return _Told(
        intervals.with_columns(issued_at=at, starts=pl.Series(rates[2])),
        of_days.with_columns(
            pl.col("day").cast(pl.Int32).cast(pl.Date), pl.col("lower_kwh", "upper_kwh").fill_nan(None), issued_at=at
        ),
        quantiles,
    )


def _best_nearness(learned: _Learned, known: Mask) -> Array:
    """Return how much intervals say of one so many slots before them on the clock, (slots,), 1 for itself.

    What is switched on by a timer has its minute, what people use an hour or two: of several widths the one is taken
    by which the other days best foretell each day (least squared error of the probability).
    """
    n_slots = known.shape[1]
    distance = np.minimum(np.arange(n_slots), n_slots - np.arange(n_slots)) * (learned.step / HOUR_US)
    ran = np.where(known, learned.running, 0.0)
    total, flat = known.sum(axis=0), ran.sum() / max(known.sum(), 1)
    best, least = np.empty(0), np.inf
    for width in _BESIDE_HOURS:
        near = np.exp(-0.5 * (distance / width) ** 2)
        of_others = _smoothed(ran.sum(axis=0) - ran, near) + _PRIOR * flat
        foretold = of_others / (_smoothed(total - known, near) + _PRIOR)
        error = float(((foretold - ran)[known] ** 2).sum())
        if error < least:
            best, least = near, error
    return best


def _smoothed(values: Array, near: Array) -> Array:
    """Return means over the intervals beside each on the clock, (..., slots)."""
    kernel = np.fft.rfft(near / near.sum())
    return np.maximum(np.fft.irfft(np.fft.rfft(values) * kernel, len(near)), 0.0)


def _by_clock(learned: _Learned, known: Mask, weights: Array, near: Array) -> Array:
    """Return the share of days it runs, the mean energy and the mean number of starts of each slot, (3, slots)."""
    total = weights @ known
    weight = _smoothed(total, near) + _PRIOR
    found = []
    for table, least in ((learned.running, 0.5), (learned.energy, 0.0), (learned.starts, 0.0)):
        seen = weights @ np.where(known, table, 0.0)
        flat = (seen.sum() + least) / (total.sum() + 1.0)  # a half is what is known of what was never seen
        found.append((_smoothed(seen, near) + _PRIOR * flat) / weight)
    found[0] = np.minimum(found[0], 1.0)
    return np.stack(found)


def _quantiles(learned: _Learned, probability: Array, slots: Instants, weights: Array, near: Array) -> Array:
    """Return the quantiles of intervals of a day, (n, LEVELS) [kWh]: what it draws while off, or what its runs drew.

    Runs near the interval on the clock, and of days like it, count most.
    """
    is_on = learned.running == 1
    on = learned.energy[is_on]
    found = np.full((len(probability), len(LEVELS)), learned.off_kwh)
    if not len(on):
        return found
    order = np.argsort(on)
    of_day = np.broadcast_to(weights[:, None], is_on.shape)[is_on][order]
    at = np.nonzero(is_on)[1][order]
    within = (np.array(LEVELS) - 1 + probability[:, None]) / np.maximum(probability[:, None], 1e-9)
    for place, slot in enumerate(slots.tolist()):
        counts = of_day * (_ANYWHERE + near[(at - slot) % len(near)])
        share = (np.cumsum(counts) - counts / 2) / counts.sum()
        of_runs = np.interp(within[place], share, on[order])
        found[place] = np.where(within[place] > 0, of_runs, learned.off_kwh)
    return found


def _tables(told: list[_Told]) -> UsesAhead:
    return UsesAhead(
        IntervalUse.validate(pl.concat([each.intervals for each in told]).select(IntervalUse.column_names())),
        UseOfDay.validate(pl.concat([each.days for each in told]).select(UseOfDay.column_names())),
    )


def _known(history: History, issued: int, known_until: int) -> tuple[Instants, Array]:
    """Return the last intervals known at an issue and their mean powers in kW: (n,) each."""
    context = history.context
    vintages = measurement_vintages(history, context.channel.id)
    step = step_of(context)
    recent = (vintages.times > known_until - _DAYS_BACK * DAY_US) & (vintages.times + step <= known_until)
    times = vintages.times[recent]
    values = vintages.known(times, np.array(issued)) * _kwh_factor(context) / (step / HOUR_US)
    known = np.isfinite(values)
    return times[known], values[known]


def _has_energy(context: Context) -> bool:
    return context.channel.quantity in (Quantity.POWER, Quantity.ENERGY)


def _kwh_factor(context: Context) -> float:
    """Return the kWh of an interval at a value of one."""
    channel = context.channel
    if channel.quantity is Quantity.ENERGY:
        return conversion(channel.unit, Unit.KWH)[0]
    return conversion(channel.unit, Unit.KW)[0] * (channel.resolution / HOUR)
