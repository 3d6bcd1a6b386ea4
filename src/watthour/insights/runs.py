"""Runs of a device that is seldom on, and those unlike the runs of the weeks before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from watthour.core.switching import RARE_SHARE, runs_of
from watthour.core.window import HOUR
from watthour.insights.load import HOURS, quantile

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.frames import Events
    from watthour.core.window import Window
    from watthour.insights.load import Array, Load

RunKind = Literal["energy", "duration", "clock", "count", "pause"]

FEWEST_RUNS = 8  # of the past, with which a run is compared
_PAUSE = HOUR  # between two runs; shorter ones are one: a dishwasher that rests, a kettle that is filled again
_SHARE_OF_KIND = 0.1  # of the false alarms, that each of the five kinds may have: a home has ten such devices
_TAIL, _FEWEST_IN_TAIL, _LARGEST_TAIL = 0.05, 6, 0.25  # share of the past runs that the tail is fitted to
_COUNTS_AS = 4  # runs of the tail, that the distance from the median to the tail counts as
_LEAST_SCALE = 0.1  # of the logarithm: runs of a device that always lasts the same still differ
_LEAST_KWH, _LEAST_HOURS = 0.1, 0.5  # more than usual; less is nobody's concern
_AROUND_HOURS = 1.0  # standard deviation of what a start says of the clock beside it
_ANYWHERE = 1.0  # starts that are added, spread over the clock
_PER_HOUR = 12  # places of the clock in an hour
_SHORTEST_PAUSE = 7.0  # days; a device that rests for less is no news
_LONGER_PAUSE = 1.25  # times the longest pause of the past
_MOST_A_DAY = 400
_MOST_WEEKS = 1000.0


@dataclass(frozen=True, slots=True)
class OddRun:
    """A run, a day of runs or a pause between two that is unlike those of the weeks before."""

    kind: RunKind
    start: datetime  # of the run, the day or the pause
    end: datetime
    is_over: bool  # False: it went on when the last reading came
    energy_kwh: float | None  # None: not known, or a pause
    measured: float  # by kind: energy [kWh], duration [h], local clock [h], runs of a day, known days of a pause
    usual: float  # median of the past; of the clock the hour at which most runs start
    usual_high: float | None  # nine in ten were below; None: of the clock
    once_in_weeks: float  # how seldom runs as usual go this far; 1000: or more seldom


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of a device, oldest first, and the time in which they are known."""

    start: Array  # (n,) [hours since 1970]
    end: Array
    kwh: Array  # nan: not known
    clock: Array  # (n,) local hour of the start
    day: Array  # (n,) local day of the start, since 1970
    known_from: float  # [hours since 1970]
    known_until: float
    first_day: int  # local, that is known
    last_day: int
    step_hours: float  # by how much a run may have been shorter than it seems
    silences: Array  # (n, 2) begin and end of each hour or more without readings [hours since 1970]

    @property
    def is_last_over(self) -> bool:
        """Whether the last of them had ended when the last reading came."""
        return not len(self.end) or float(self.end[-1]) < self.known_until

    def known_hours(self, begins: Array, ends: Array) -> Array:
        """Return how much of some spans is known, (n,) [h]; what ran in a silence nobody knows."""
        within = np.minimum(ends[:, None], self.silences[:, 1]) - np.maximum(begins[:, None], self.silences[:, 0])
        return np.asarray(ends - begins - np.maximum(within, 0.0).sum(axis=1))


def runs_of_load(load: Load, before: datetime) -> Runs | None:
    """Return the runs that readings tell of; None where they tell of none.

    What counts as running is what forecasts take for it, by the readings before an instant: a run that never ends would
    make those before it look small. Runs less than an hour apart are one.
    """
    table = load.table.drop_nulls("power_w")
    if table.is_empty() or load.step > HOUR:
        return None
    power = table["power_w"].to_numpy() / 1000
    switching = runs_of(power[: table["time"].search_sorted(before)])
    if switching is None:
        return None
    step = load.step / HOUR
    starts = _hours(table["time"])
    on = np.flatnonzero(power > switching.least_kw)
    if not len(on):
        return None
    spans = pl.DataFrame({"start": starts[on], "end": starts[on] + step, "kwh": power[on] * step})
    between = np.column_stack([starts[:-1] + step, starts[1:]])
    silences = between[between[:, 1] - between[:, 0] >= _PAUSE / HOUR - 1e-6]
    return _runs(spans, (float(starts[0]), float(starts[-1]) + step), step, load.time_zone, silences)


def runs_of_uses(events: dy.DataFrame[Events], log: Window, time_zone: str) -> Runs | None:
    """Return the runs that a log of uses tells of, which is taken to be complete in a window; None: it has none."""
    if events.is_empty():
        return None
    uses = events.sort("start")
    spans = pl.DataFrame({"start": _hours(uses["start"]), "end": _hours(uses["end"]), "kwh": uses["energy_kwh"]})
    return _runs(spans, (_hours_since(log.start), _hours_since(log.end)), 0.0, time_zone, np.empty((0, 2)))


def _hours(times: pl.Series) -> Array:
    return np.asarray(times.dt.epoch("us").to_numpy() / (HOUR / timedelta(microseconds=1)))


def _hours_since(instant: datetime) -> float:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) / HOUR


def _instant(hours: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(hours * 3600))


def _runs(spans: pl.DataFrame, known: tuple[float, float], step: float, time_zone: str, silences: Array) -> Runs:
    """Join spans that are less than an hour apart."""
    known_from, known_until = known
    before = pl.col("end").cum_max().shift(1)
    is_new = (pl.col("start") - before >= _PAUSE / HOUR - 1e-6).fill_null(value=True)
    kwh = pl.when(pl.col("kwh").is_not_null().all()).then(pl.col("kwh").sum())
    table = (
        spans.with_columns(run=is_new.cum_sum())
        .group_by("run", maintain_order=True)
        .agg(pl.col("start").min(), pl.col("end").max(), kwh.alias("kwh"))
    )
    edges = np.concatenate([table["start"].to_numpy(), [known_from, known_until - 1e-3]])
    at = pl.from_epoch(pl.Series(np.round(edges * 3600).astype(np.int64)), time_unit="s")
    local = at.dt.replace_time_zone("UTC").dt.convert_time_zone(time_zone)
    clock = (local.dt.hour() + local.dt.minute() / 60).to_numpy()
    day = local.dt.date().to_physical().to_numpy().astype(np.float64)
    return Runs(
        table["start"].to_numpy(),
        table["end"].to_numpy(),
        table["kwh"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        clock[:-2],
        day[:-2],
        known_from,
        known_until,
        int(day[-2]),
        int(day[-1]),
        step,
        silences,
    )


def is_seldom_on(runs: Runs, before: datetime) -> bool:
    """Tell a device that ran for a quarter of the known time at most before an instant."""
    until = _hours_since(before)
    ran = np.clip(np.minimum(runs.end, until) - runs.start, 0, None).sum()
    known = runs.known_hours(np.array([runs.known_from]), np.array([max(until, runs.known_from)])).sum()
    return bool(ran <= RARE_SHARE * known)


def usual_clock(clock: Array) -> float | None:
    """Return the local hour at which most runs begin, by those at which each began; None: there are too few to tell."""
    return None if len(clock) < FEWEST_RUNS else _most_at(_by_clock(clock))


def _most_at(density: Array) -> float:
    return float(np.argmax(density)) / _PER_HOUR


def odd_runs(runs: Runs, first_day: int, rate: float) -> tuple[OddRun, ...]:
    """Return the runs, days and pauses from a local day on that are too seldom by those before, each told once.

    Args:
        runs: of the device.
        first_day: local, since 1970, from which on is judged.
        rate: of false alarms a week, of all kinds together.
    """
    each_rate = _SHARE_OF_KIND * rate
    found: list[OddRun] = []
    for place in np.flatnonzero(runs.day >= first_day).tolist():
        if place >= FEWEST_RUNS:
            odd = min(_of_run(runs, place, each_rate), key=lambda each: -each.once_in_weeks, default=None)
            if odd is not None:
                found.append(odd)
    found += _days_of_many(runs, first_day, each_rate)
    found += _pauses(runs, first_day, each_rate)
    return tuple(sorted(found, key=lambda each: each.start))


def _of_run(runs: Runs, place: int, rate: float) -> list[OddRun]:
    """Return in what a run is unlike those before it."""
    begin, end = float(runs.start[place]), float(runs.end[place])
    per_week = place / max((begin - runs.known_from) / (7 * HOURS), 1e-9)
    is_over = place + 1 < len(runs.start) or runs.is_last_over
    found: list[OddRun] = []

    def add(kind: RunKind, chance: float, measured: float, past: Array | None, usual: float) -> None:
        if chance * per_week < rate:
            energy = None if np.isnan(runs.kwh[place]) else float(runs.kwh[place])
            high = None if past is None else float(quantile(past, 0.9))
            weeks = _weeks(chance * per_week)
            found.append(OddRun(kind, _instant(begin), _instant(end), is_over, energy, measured, usual, high, weeks))

    hours = runs.end[:place] - runs.start[:place]
    lasted = end - begin
    if lasted - runs.step_hours > float(np.median(hours)) + _LEAST_HOURS:
        add("duration", _beyond(lasted - runs.step_hours, hours), lasted, hours, float(np.median(hours)))
    kwh = runs.kwh[:place][~np.isnan(runs.kwh[:place])]
    used = float(runs.kwh[place])
    if len(kwh) >= FEWEST_RUNS and used > float(np.median(kwh)) + _LEAST_KWH:
        add("energy", _beyond(used, kwh), used, kwh, float(np.median(kwh)))
    density = _by_clock(runs.clock[:place])
    here = density[int(runs.clock[place] * _PER_HOUR) % len(density)]
    chance = float(density[density <= here].sum())
    add("clock", chance, float(runs.clock[place]), None, _most_at(density))
    return found


def _weeks(per_week: float) -> float:
    return float(min(1 / max(per_week, 1e-12), _MOST_WEEKS))


def _beyond(value: float, past: Array) -> float:
    """Return how often runs like those of the past go this far, by an exponential tail of the logarithm.

    The tail is that of the largest twentieth, six runs at least. Its scale is the mean of two: by the median of what
    lies beyond the begin of the tail, which counts by its runs, and by how far that is above the median of all.
    """
    logs = np.log(np.maximum(past, 1e-6))
    share = min(max(_TAIL, _FEWEST_IN_TAIL / len(logs)), _LARGEST_TAIL)
    begin, middle = np.quantile(logs, (1 - share, 0.5))
    beyond = logs[logs > begin] - begin
    to_tail = float(begin - middle) / np.log(
        0.5 / share
    )  # an exponential falls as many scales from its median to there
    by_tail = float(np.median(beyond)) / np.log(2) if len(beyond) else 0.0
    scale = max((len(beyond) * by_tail + _COUNTS_AS * to_tail) / (len(beyond) + _COUNTS_AS), _LEAST_SCALE)
    excess = np.log(max(value, 1e-6)) - begin
    return float(share * np.exp(-excess / scale)) if excess > 0 else 1.0


def _by_clock(clock: Array) -> Array:
    """Return the chance of a start in each part of the local day, from the starts of the past."""
    n_places = HOURS * _PER_HOUR
    places = (clock * _PER_HOUR).astype(np.int64) % n_places
    counts = np.bincount(places, minlength=n_places)
    away = np.minimum(np.arange(n_places), n_places - np.arange(n_places)) / _PER_HOUR
    near = np.exp(-0.5 * (away / _AROUND_HOURS) ** 2)
    smooth = np.fft.irfft(np.fft.rfft(counts) * np.fft.rfft(near / near.sum()), n_places)
    return np.asarray((np.maximum(smooth, 0) + _ANYWHERE / n_places) / (len(clock) + _ANYWHERE))


def _days_of_many(runs: Runs, first_day: int, rate: float) -> list[OddRun]:
    """Return the days with more runs than the days before let expect, counted as a negative binomial."""
    days = np.arange(runs.first_day, runs.last_day + 1)
    counts = np.bincount((runs.day - runs.first_day).astype(np.int64), minlength=len(days)).astype(np.float64)
    found = []
    for place in range(max(first_day - runs.first_day, FEWEST_RUNS), len(days)):
        past, count = counts[:place], counts[place]
        if past.sum() < FEWEST_RUNS or count <= past.max():
            continue
        chance = _chance_of_many(int(count), past)
        if chance * 7 < rate:
            of_day = np.flatnonzero(runs.day == days[place])
            energy = runs.kwh[of_day].sum()
            found.append(
                OddRun(
                    "count",
                    _instant(float(runs.start[of_day[0]])),
                    _instant(float(runs.end[of_day[-1]])),
                    float(runs.end[of_day[-1]]) < runs.known_until,
                    None if np.isnan(energy) else float(energy),
                    float(count),
                    float(np.median(past)),
                    float(np.quantile(past, 0.9)),
                    _weeks(chance * 7),
                )
            )
    return found


def _chance_of_many(count: int, past: Array) -> float:
    """Return the chance of so many or more a day, with the mean and the variance of the past."""
    mean = (past.sum() + 0.5) / (len(past) + 1)
    variance = max(float(past.var()), 1.05 * mean)
    shape = mean**2 / (variance - mean)
    share = mean / variance
    chance = share**shape
    below = 0.0
    for n in range(min(count, _MOST_A_DAY)):
        below += chance
        chance *= (shape + n) / (n + 1) * (1 - share)
    return max(1 - below, 0.0)


def _pauses(runs: Runs, first_day: int, rate: float) -> list[OddRun]:
    """Return the pauses that are much longer than any before, and by how often it ran, without what is not known."""
    begins, ends = runs.end, np.append(runs.start[1:], runs.known_until)
    lasted = runs.known_hours(begins, ends) / HOURS
    n_known = runs.known_hours(np.full_like(begins, runs.known_from), begins) / HOURS
    found = []
    for place in range(FEWEST_RUNS, len(begins)):
        if (ends[place] / HOURS) < first_day or lasted[place] < _SHORTEST_PAUSE:
            continue
        past = lasted[:place]
        if lasted[place] < _LONGER_PAUSE * past.max():
            continue
        n_days = max(float(n_known[place]), 1.0)
        used = len(np.unique(runs.day[: place + 1]))
        share = (used + 0.5) / (n_days + 1)
        chance = (1 - min(share, 0.99)) ** lasted[place]
        if chance * 7 * share < rate:
            found.append(
                OddRun(
                    "pause",
                    _instant(float(begins[place])),
                    _instant(float(ends[place])),
                    place + 1 < len(begins),
                    None,
                    float(lasted[place]),
                    float(np.median(past)),
                    float(np.quantile(past, 0.9)),
                    _weeks(chance * 7 * share),
                )
            )
    return found
