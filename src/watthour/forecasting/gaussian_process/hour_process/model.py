"""The hour process as a recipe: hourly load from temperature, calendar and daylight, up to a week ahead and more."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.core.window import HOUR, Window
from watthour.forecasting.calendar import local_days, local_hours
from watthour.forecasting.day_process.asks import HOURS, Asks
from watthour.forecasting.day_process.known import known_loads
from watthour.forecasting.day_process.seen import since
from watthour.forecasting.hour_process.constants import FITTED, plain_start
from watthour.forecasting.hour_process.days import Place, names_of
from watthour.forecasting.hour_process.known import chains, issues_of
from watthour.forecasting.hour_process.learning import learn
from watthour.forecasting.hour_process.solve import Curves, expect
from watthour.forecasting.hour_process.state import State
from watthour.forecasting.hour_process.temperature import BEFORE, has_temperature, windows
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.vintages import DAY_US, datetimes, instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

FEWEST_DAYS = 90  # of known load and temperature before anything can be learnt
_STALE_DAYS = 2
_NAME = "hour_process"
_Z = np.array([NormalDist().inv_cdf(level) for level in LEVELS])


@dataclass(frozen=True, slots=True)
class HourProcess:
    """24 Gaussian processes over days with shared constants, each for one hour of the local clock.

    Args:
        learns_constants: fit the constants on the training days alone, from round numbers, instead of using those
            that were fitted on another load; slower, and for loads that are unlike a temperate region's.
        longest_memory_days: the cost grows with the cube.
        latitude: of the load, for daylight; degrees north.
        longitude: degrees east.
    """

    learns_constants: bool = False
    longest_memory_days: int = 730
    latitude: float | None = None
    longitude: float | None = None

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedHourProcess:
        """Keep every day that was over at ``as_of``, with the temperature known when it was asked, or else known now.

        Raises:
            InvalidInput: the channel is not hourly.
            NotEnoughHistory: fewer than FEWEST_DAYS days of known load and temperature.
        """
        context = history.context
        if context.resolution != HOUR:
            raise InvalidInput(
                "resolution",
                str(context.resolution),
                "the hour process forecasts hourly channels",
                remedy="Resample the readings to hours, or choose another model.",
            )
        numbers, loads = _known_days(history, self.longest_memory_days)
        at = _asked_at(issues, numbers, context, _now(history))
        around = windows(history, numbers, at, at)
        usable = has_temperature(around) & np.asarray(np.isfinite(loads).any(axis=1))
        if usable.sum() < FEWEST_DAYS:
            raise NotEnoughHistory(
                f"{int(usable.sum())} days of {context.channel} with a temperature are known at "
                f"{history.as_of:%Y-%m-%d %H:%M} UTC; the hour process needs {FEWEST_DAYS}",
                remedy="Bring more history of load and of temperature_2m at its weather points (`watthour backfill`), "
                "or use a baseline such as persistence_ensemble.",
            )
        numbers, loads, around = numbers[usable], loads[usable], around[usable]
        place = Place(context.time_zone, context.holidays, self.latitude, self.longitude)
        state = State(
            numbers=numbers,
            log_loads=np.log(loads),
            windows=around.astype(np.float32).astype(np.float64),
            constants=plain_start() if self.learns_constants else FITTED,
            names=names_of(numbers, place),
            channel=context.channel,
            place=place,
            weather=context.weather,
            fitted_at=history.as_of,
        )
        if self.learns_constants:
            inputs = state.inputs(state.numbers, state.windows)
            state = replace(state, constants=learn(state.constants, inputs, state.log_loads))
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
            "temperature of the week",
            "weekday",
            "season",
            "special days",
            "daylight",
            "clock",
        )

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
        """Build it again."""
        return cls(State.from_files(files))

    def prepare(self) -> None:
        """Make the factors now."""
        _ = self._curves

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each hour that is asked from what was known at its issue.

        An hour whose day has no known temperature is null. Days before the training's end are forecast from the
        training days that were over by then.

        Raises:
            InvalidInput: the model was trained on another channel.
            NotEnoughHistory: no temperature is known of any asked day.
        """
        state = self._state
        if history.context.channel != state.channel:
            raise InvalidInput(
                "channel",
                history.context.channel,
                f"this model was trained on {state.channel}",
                remedy="Train one for this channel: `watthour train`.",
            )
        context = replace(history.context, weather=state.weather, time_zone=state.place.time_zone)
        first_later = int(state.numbers[-1]) + 1
        time = instants(targets["time"])
        first = min(first_later, int(local_days(time, context.time_zone).min())) - BEFORE
        history = since(replace(history, context=context), first)
        asked, of_issue, of_day = issues_of(history, targets, first_later)
        hour = local_hours(time, context.time_zone)
        mean, deviation = np.full(len(time), np.nan), np.full(len(time), np.nan)
        for chain in chains(asked):
            for position, expected in expect(state, self._curves, chain, asked):
                mine = np.flatnonzero(of_issue == position)
                mean[mine] = expected.mean[of_day[mine], hour[mine]]
                deviation[mine] = expected.deviation[of_day[mine], hour[mine]]
        unseen = np.isnan(mean)
        if unseen.all():
            raise NotEnoughHistory(
                f"no temperature was known at issue of any day asked of {state.channel}",
                remedy="Bring weather forecasts, or temperatures known in advance, for the days to forecast.",
            )
        lacked = (
            [f"No temperature was known for {describe_intervals(targets, unseen, context)}."] if unseen.any() else []
        )
        last_known = np.array([each.last_known(state.numbers) for each in asked])[of_issue]
        stale = last_known < np.array([each.known_day for each in asked])[of_issue] - _STALE_DAYS
        if stale.any():
            lacked.append(f"No recent load was known for {describe_intervals(targets, stale, context)}.")
        return quantile_forecast(
            targets, np.exp(mean[:, None] + deviation[:, None] * _Z), context, model=_NAME, missing_inputs=lacked
        )

    @cached_property
    def _curves(self) -> Curves:
        return Curves.fit(self._state)


def _known_days(history: History, longest: int) -> tuple[Instants, Array]:
    """Return the last days that were over at ``as_of``, and their loads by clock hour, (n, 24); NaN where unknown."""
    context, now = history.context, _now(history)
    times = instants(history.readings.filter(pl.col("channel") == context.channel)["time"])
    days = local_days(times[times < now], context.time_zone)
    if not len(days):
        return np.empty(0, dtype=np.int64), np.empty((0, HOURS))
    end = min(int(days.max()) + 1, int(local_days(np.array([now]), context.time_zone)[0]))
    numbers = np.arange(max(int(days.min()), end - longest), end)
    one = np.array([now])
    return numbers, known_loads(history, Asks(numbers[:1], one, one), numbers)[0]


def _asked_at(issues: dy.DataFrame[Targets], numbers: Instants, context: Context, now: int) -> Instants:
    """Return the last instant each day was asked at, and now where it never was, (n,)."""
    asks, _ = Asks.of(issues, context.time_zone)
    at = dict(zip(asks.day.tolist(), asks.issued.tolist(), strict=True))
    return np.array([at.get(number, now) for number in numbers.tolist()], dtype=np.int64)


def _now(history: History) -> int:
    return int(history.as_of.timestamp() * 1_000_000)
