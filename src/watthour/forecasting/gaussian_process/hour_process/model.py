"""The hour process as a recipe: hourly load from temperature, calendar and daylight, up to a week ahead and more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.core.window import Window
from watthour.forecasting.calendar import local_days, local_hours
from watthour.forecasting.gaussian_process.archive import in_half
from watthour.forecasting.gaussian_process.history import since
from watthour.forecasting.gaussian_process.hour_process.adapting import DAYS, adapt
from watthour.forecasting.gaussian_process.hour_process.constants import FITTED, plain_start
from watthour.forecasting.gaussian_process.hour_process.learning import learn
from watthour.forecasting.gaussian_process.hour_process.load_scale import LoadScale
from watthour.forecasting.gaussian_process.hour_process.requests import issue_requests, shared_update_groups
from watthour.forecasting.gaussian_process.hour_process.solve import TrainedHours, expect
from watthour.forecasting.gaussian_process.hour_process.state import State
from watthour.forecasting.gaussian_process.hour_process.temperature import (
    BEFORE,
    HOURS,
    Thermometers,
    has_temperature,
    temperature_of,
    temperatures,
    windows,
)
from watthour.forecasting.gaussian_process.loads import WATCHED_DAYS, LostDays, check_step, known_loads, known_since
from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests
from watthour.forecasting.optional_calendars import period_names
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.steps import check_targets, check_trained_on
from watthour.forecasting.vintages import DAY_US, HOUR_US, datetimes, instant, instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

FEWEST_DAYS = 90  # of known load and temperature before anything can be learnt
_STALE_DAYS = 2
_WORTH_A_WORD_HOURS = 3  # of a day without a temperature of their own; fewer change nothing
_NAME = "hour_process"


@dataclass(frozen=True, slots=True)
class HourProcess:
    """24 Gaussian processes over days with shared constants, each for one hour of the local clock.

    Args:
        adapts_constants: start from constants that were fitted on the load of a temperate place, and fit how much each
            term explains, how long it lasts and the noise to the last year of this load; else take them as they are.
        learns_constants: fit all constants on the training days alone, from round numbers set by hand; slower.
        longest_memory_days: the cost grows with the cube.
    """

    adapts_constants: bool = True
    learns_constants: bool = False
    longest_memory_days: int = 730

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    @staticmethod
    def variables_of(context: Context) -> tuple[str, ...]:
        """The variables of covariates that it looks at."""
        return temperature_of(context)

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedHourProcess:
        """Keep every day that was over at ``as_of``, with the temperature known when it was asked, or else known now.

        A place without coordinates is forecast without the sun. A load that is zero or negative is measured in parts of
        its usual size.

        Raises:
            InvalidInput: the channel is not hourly.
            NotEnoughHistory: fewer than FEWEST_DAYS days of known load, and of temperature where the context has one.
        """
        context = history.context
        check_step(context, "the hour process", is_hourly=True)
        thermometers = Thermometers.of(history)
        numbers, loads = _known_days(history, self.longest_memory_days)
        at = _asked_at(issues, numbers, context, instant(history.as_of))
        around = windows(history, thermometers, numbers, at, at)
        scale = LoadScale.of(numbers, loads)
        values = scale.values(loads)
        usable = has_temperature(around) & np.asarray(np.isfinite(values).any(axis=1))
        if usable.sum() < FEWEST_DAYS:
            raise _too_short(history, int(usable.sum()), has_temperature=bool(thermometers.points))
        state = State(
            numbers=numbers[usable],
            values=values[usable],
            known_since=known_since(history, numbers[usable], instant(history.as_of), DayGrid.of(context)),
            windows=in_half(around[usable]),
            constants=plain_start() if self.learns_constants else FITTED,
            scale=scale,
            channel=context.channel.id,
            place=context.place,
            thermometers=thermometers,
            fitted_at=history.as_of,
        )
        if period_names(context.place.holidays):
            state = replace(state, constants=state.constants.with_periods())
        if not state.has_sun:
            state = replace(state, constants=state.constants.without_sun())
        if not state.has_temperature:
            state = replace(state, constants=state.constants.without_temperature())
        if self.learns_constants:
            inputs = state.inputs(state.numbers, state.windows)
            state = replace(state, constants=learn(state.constants, inputs, state.values))
        elif self.adapts_constants:
            inputs = state.inputs(state.numbers[-DAYS:], state.windows[-DAYS:])
            state = replace(state, constants=adapt(state.constants, inputs, state.values[-DAYS:]))
        fitted = FittedHourProcess(state)
        fitted.prepare()
        return fitted


class FittedHourProcess:
    """A fitted hour process; loaded from files it makes its factors when they are first needed."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return (
            "load of past days",
            *(("temperature of the week",) if self._state.has_temperature else ()),
            "weekday",
            "season",
            "special days",
            *(("daylight",) if self._state.has_sun else ()),
            "clock",
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What it went without when it was trained, in sentences."""
        dark = "The coordinates of the place are unknown, so hour_process learned without daylight."
        return () if self._state.has_sun else (dark,)

    @property
    def splits(self) -> Mapping[str, Window]:
        """The span of its training days."""
        first, last = datetimes(np.array([self._state.numbers[0], self._state.numbers[-1] + 1]) * DAY_US).to_list()
        return {"train": Window(first, last)}

    def files(self) -> Mapping[str, bytes]:
        """Return the state's files."""
        return self._state.files()

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again; it answers the same to the last bit."""
        return cls(State.from_files(files))

    def prepare(self) -> None:
        """Make the factors now."""
        _ = self._trained

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each hour that is asked from what was known at its issue.

        An hour whose day has no known temperature is null. Where the model forecasts logarithms, so is a day after days
        of nothing but zero or negative load. Days before the training's end are forecast from the training days that
        were over by then.

        Raises:
            InvalidInput: the model was trained on another channel, or the targets are not hours.
            NotEnoughHistory: no temperature is known of any asked day, or nothing positive of the last days.
        """
        state = self._state
        context = replace(history.context, site=replace(history.context.site, place=state.place))
        check_step(context, "the hour process", is_hourly=True)
        check_trained_on(context, self._state.channel, HOUR_US)
        check_targets(targets, context)
        time = instants(targets["time"])
        of_target, belongs = DayRequests.of(targets, context.time_zone)
        first = min(int(state.numbers[-1]) + 1, int(of_target.day.min())) - BEFORE
        first = min(first, int(of_target.last_over(context.time_zone).min()) - WATCHED_DAYS)
        since_first = since(replace(history, context=context), first)
        requests, of_issue, of_day = issue_requests(since_first, targets, state)
        hour = local_hours(time, context.time_zone)
        lost = LostDays.of(since_first, of_target, DayGrid.of(context))
        is_lost = (lost.n_days > 0)[belongs] & (state.scale.size is None)
        is_shutdown = lost.is_shutdown[belongs] & is_lost
        if is_shutdown.all():
            raise lost.refusal(history, "the hour process", _NAME)
        values = np.full((len(time), len(LEVELS)), np.nan)
        for group in shared_update_groups(requests):
            for position, expected in expect(state, self._trained, group, requests):
                mine = np.flatnonzero(of_issue == position)
                values[mine] = expected.quantiles[of_day[mine], hour[mine]]
        unknown = np.isnan(values).any(axis=1)
        if unknown.all():
            raise NotEnoughHistory(
                f"no temperature was known at issue of any day asked of {state.channel}",
                remedy="Add weather forecasts, or temperatures known in advance, for the days to forecast.",
            )
        last_known = np.array([each.last_known(state.numbers) for each in requests])[of_issue]
        stale = last_known < np.array([each.known_day for each in requests])[of_issue] - _STALE_DAYS
        estimated = _estimated(since_first, targets, state.thermometers) & ~unknown
        values[is_shutdown] = np.nan
        n_lost = int(lost.n_intervals.max())
        missing = [
            f"{what} {describe_intervals(targets, which, context)}."
            for what, which in (
                ("No temperature was known for", unknown),
                (f"{n_lost} intervals of the last days are zero or negative and were not used for", is_lost),
                ("No recent load was known for", stale & ~is_lost),
                ("The temperature was estimated from the hours beside them for", estimated),
            )
            if which.any()
        ]
        return quantile_forecast(targets, state.scale.loads(values), context, model=_NAME, missing_inputs=missing)

    @cached_property
    def _trained(self) -> TrainedHours:
        return TrainedHours.fit(self._state)


def _too_short(history: History, n_days: int, *, has_temperature: bool) -> NotEnoughHistory:
    beside, more = (
        (" with a temperature", " and of its temperature (temperature_2m at its weather points, `watthour backfill`)")
        if has_temperature
        else ("", "")
    )
    return NotEnoughHistory(
        f"{n_days} days of {history.context.channel.id}{beside} are known at "
        f"{history.as_of:%Y-%m-%d %H:%M} UTC; the hour process needs {FEWEST_DAYS}",
        remedy=f"Add more history of load{more}, or use a baseline such as persistence_ensemble.",
    )


def _known_days(history: History, longest: int) -> tuple[Instants, Array]:
    """Return the last days that were over at ``as_of``, and their loads by clock hour, (n, 24); NaN where unknown."""
    context, now = history.context, instant(history.as_of)
    times = instants(history.readings.filter(pl.col("channel") == context.channel.id)["time"])
    days = local_days(times[times < now], context.time_zone)
    if not len(days):
        return np.empty(0, dtype=np.int64), np.empty((0, HOURS))
    end = min(int(days.max()) + 1, int(local_days(np.array([now]), context.time_zone)[0]))
    numbers = np.arange(max(int(days.min()), end - longest), end)
    if not len(numbers):  # no day is over
        return numbers, np.empty((0, HOURS))
    request = DayRequests.at(numbers[0], now)
    return numbers, known_loads(history, request, numbers, DayGrid.of(context), positive=False)[0]


def _estimated(history: History, targets: dy.DataFrame[Targets], thermometers: Thermometers) -> Mask:
    """Return which targets have no temperature of their own, of days with some that lack a few hours of it."""
    if not thermometers.points:
        return np.zeros(targets.height, dtype=np.bool_)
    times, issued = instants(targets["time"]), instants(targets["issued_at"])
    known = np.isfinite(temperatures(history, thermometers, times, issued, issued))
    days = np.stack([issued, local_days(times, history.context.time_zone)], axis=1)
    belongs = np.unique(days, axis=0, return_inverse=True)[1].reshape(-1)
    n_known, n_unknown = np.bincount(belongs, known), np.bincount(belongs, ~known)
    return np.asarray(~known & ((n_known > 0) & (n_unknown >= _WORTH_A_WORD_HOURS))[belongs], dtype=np.bool_)


def _asked_at(issues: dy.DataFrame[Targets], numbers: Instants, context: Context, now: int) -> Instants:
    """Return the usual instant each day was asked at, and now where it never was, (n,)."""
    requests = DayRequests.of(issues, context.time_zone)[0].usual_of_each_day(context.time_zone)
    at = dict(zip(requests.day.tolist(), requests.issued.tolist(), strict=True))
    return np.array([at.get(number, now) for number in numbers.tolist()], dtype=np.int64)
