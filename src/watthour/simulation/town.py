"""An invented region, so that everything can be seen before a real one is connected.

Weather, weather forecasts with growing errors, demand that follows weather and calendar, and an operator's forecast
that runs low, as real ones do. Deterministic by seed; hours up to now. Every row is marked simulated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import INSTANT, OPERATOR, Forecasts, Maker, Quality, Readings, Refused
from watthour.core.ports import Delivery
from watthour.core.vintage import stamp
from watthour.core.weather import HOURLY, weather_channels
from watthour.core.window import DAY, HOUR
from watthour.simulation.noise import RedNoise, white
from watthour.simulation.simtown import SIMTOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.place import Point
    from watthour.core.window import Window
    from watthour.simulation.noise import Array

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
RUN_DELAY = timedelta(hours=5)  # a weather run can be read this long after its init time
RUN_HOURS = 72
POSTED_AFTER = timedelta(hours=2)  # an hour of demand, after its end
OBSERVED_LAG = timedelta(hours=1)
OPERATOR_POSTS_AT = time(7, 5)
VARIABLES = ("temperature_2m", "shortwave_radiation", "relative_humidity_2m")
SATURDAY = 6


@dataclass(frozen=True, slots=True)
class SimulatedRegion:
    """The invented region as a source; what it says of an hour never depends on when or how it is asked."""

    context: Context = SIMTOWN
    seed: int = 7

    @property
    def name(self) -> str:
        """Name of the source in the log."""
        return f"simulation:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the invented site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return demand and the weather variables that are simulated."""
        variables = {name: HOURLY[name] for name in VARIABLES}
        return (self.context.channel, *weather_channels(self.context.site, self._points, variables))

    @property
    def _points(self) -> tuple[Point, ...]:
        return self.context.site.points

    def _weather_channel(self, point: Point, variable: str) -> str:
        return f"{self.context.site.prefix}.weather.{point.id}.{variable}"

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the demand, weather and forecasts of the window that exist at ``now``."""
        readings = pl.concat([self._demand_rows(window), *self._weather_rows(window)])
        forecasts = pl.concat([self._operator_rows(window), *self._weather_forecast_rows(window)])
        published = pl.col("published") <= now
        marked = pl.lit(int(Quality.SIMULATED), pl.Int16).alias("quality")
        stamped_readings, stamped_forecasts = (
            stamp(
                rows.filter(published).with_columns(marked),
                pl.col("published"),
                now=now,
                watched_from=watched_from,
            )
            for rows in (readings, forecasts)
        )
        return Delivery(
            Readings.validate(stamped_readings.select(Readings.column_names())),
            Forecasts.validate(
                stamped_forecasts.with_columns(level=0.5, maker=pl.lit(str(Maker.RIVAL))).select(
                    Forecasts.column_names()
                )
            ),
            Refused.create_empty(),
        )

    def _demand_rows(self, window: Window) -> pl.DataFrame:
        times = hours_between(window.start, window.end)
        return hourly_rows(self.context.channel.id, times, self.load(times), POSTED_AFTER)

    def load(self, times: np.ndarray) -> Array:
        """Return what is used in each hour [MWh]."""
        values = self._demand(
            times, self.mean_weather("temperature_2m", times), self.mean_weather("shortwave_radiation", times)
        )
        hours = since_epoch(times)
        values *= (
            1 + 0.008 * RedNoise((self.seed, 30), 5, 400).at(hours) + 0.004 * white((self.seed, 31), hours.astype(int))
        )
        return np.round(values)

    def _weather_rows(self, window: Window) -> list[pl.DataFrame]:
        times = hours_between(window.start, window.end)
        return [
            hourly_rows(
                self._weather_channel(point, variable),
                times,
                self.weather(place, variable, times),
                OBSERVED_LAG,
            )
            for place, point in enumerate(self._points)
            for variable in VARIABLES
        ]

    def _operator_rows(self, window: Window) -> pl.DataFrame:
        times = hours_between(window.start, window.end)
        local = pl.Series(times).dt.replace_time_zone("UTC").dt.convert_time_zone(self.context.time_zone)
        issued = pl.DataFrame({"eve": local.dt.date()}).select(
            (pl.col("eve") - DAY)
            .dt.combine(OPERATOR_POSTS_AT, time_unit="us")
            .dt.replace_time_zone(self.context.time_zone)
            .dt.convert_time_zone("UTC")
        )["eve"]
        lead = (pl.Series(times).dt.replace_time_zone("UTC") - issued.dt.truncate("1d")).dt.total_hours().to_numpy()
        temperature, sun = (
            sum(point.weight * self._forecast(place, variable, times, lead) for place, point in enumerate(self._points))
            for variable in ("temperature_2m", "shortwave_radiation")
        )
        hours = since_epoch(times)
        values = 0.975 * self._demand(times, np.asarray(temperature), np.asarray(sun))
        values *= 1 + 0.012 * RedNoise((self.seed, 40), 20, 2000).at(hours)
        return pl.DataFrame(
            {"channel": self.context.channel.id, "time": times, "issued_at": issued, "value": np.round(values)}
        ).with_columns(pl.col("time").cast(INSTANT), model=pl.lit(OPERATOR), published=pl.col("issued_at"))

    def _weather_forecast_rows(self, window: Window) -> list[pl.DataFrame]:
        """Return one run a day at 00 UTC, each seen up to its last lead hour."""
        first = window.start.date() - timedelta(days=RUN_HOURS // 24)
        runs = np.arange(np.datetime64(first), np.datetime64(window.end.date() + DAY)).astype("datetime64[us]")
        runs = np.repeat(runs, RUN_HOURS)
        lead = np.tile(np.arange(RUN_HOURS), len(runs) // RUN_HOURS)
        times = runs + lead.astype("timedelta64[h]")
        inside = (times >= _naive(window.start)) & (times < _naive(window.end))
        runs, lead, times = runs[inside], lead[inside], times[inside]
        return [
            pl.DataFrame(
                {
                    "channel": self._weather_channel(point, variable),
                    "time": times,
                    "issued_at": runs,
                    "value": np.round(self._forecast(place, variable, times, lead), 2),
                }
            ).with_columns(
                pl.col("time").cast(INSTANT),
                pl.col("issued_at").cast(INSTANT),
                model=pl.lit("simulation"),
                published=pl.col("issued_at").cast(INSTANT) + RUN_DELAY,
            )
            for place, point in enumerate(self._points)
            for variable in VARIABLES
        ]

    def mean_weather(self, variable: str, times: np.ndarray) -> Array:
        """Return the weather as it came, weighted over the region's points."""
        parts = [point.weight * self.weather(place, variable, times) for place, point in enumerate(self._points)]
        return np.asarray(np.sum(parts, axis=0))

    def weather(self, place: int, variable: str, times: np.ndarray) -> Array:
        """Return the weather as it came: degC, W/m2 or %."""
        hours = since_epoch(times)
        season = np.cos(2 * np.pi * (hours / 8766 - 0.545))  # warmest in the middle of July
        solar_hour = (hours - 5) % 24
        front = RedNoise((self.seed, 1), 36, 300).at(hours) + 0.35 * RedNoise((self.seed, 2 + place), 24, 200).at(hours)
        cloud = np.clip(0.5 - 0.3 * front + 0.35 * RedNoise((self.seed, 10 + place), 8, 90).at(hours), 0, 1)
        elevation = np.sin(np.radians(90 - self._points[place].latitude)) * np.cos(2 * np.pi * (solar_hour - 12) / 24)
        elevation += 0.38 * season * np.sin(np.radians(self._points[place].latitude))
        if variable == "shortwave_radiation":
            return np.asarray(np.clip(elevation, 0, None) * 1050 * (1 - 0.72 * cloud))
        temperature = (
            11.5 - 2 * place + 12.5 * season + 3.6 * np.cos(2 * np.pi * (solar_hour - 15) / 24) * (1.2 - cloud)
        )
        temperature += 4.2 * front
        if variable == "temperature_2m":
            return np.asarray(temperature)
        return np.clip(45 + 35 * cloud + 8 * RedNoise((self.seed, 20 + place), 12, 150).at(hours), 8, 100)

    def _forecast(self, place: int, variable: str, times: np.ndarray, lead: np.ndarray) -> Array:
        """Return the weather as a run saw it: the error grows with lead and has a part that the whole run shares."""
        hours = since_epoch(times)
        run_day = ((hours - lead) // 24).astype(int)
        shared = white((self.seed, 60 + place, VARIABLES.index(variable)), run_day)
        error = 0.6 * shared + 0.8 * RedNoise((self.seed, 70 + place, VARIABLES.index(variable)), 10, 120).at(
            hours + 7 * run_day
        )
        scale = {
            "temperature_2m": 0.4 + 0.028 * lead,
            "shortwave_radiation": 12 + 0.9 * lead,
            "relative_humidity_2m": 3 + 0.1 * lead,
        }
        truth = self.weather(place, variable, times)
        seen = truth + scale[variable] * error * (truth > 0 if variable == "shortwave_radiation" else 1)
        if variable == "temperature_2m":
            return np.asarray(seen)
        return np.asarray(np.clip(seen, 0, 100 if variable == "relative_humidity_2m" else None))

    def _demand(self, times: np.ndarray, temperature: Array, sun: Array) -> Array:
        """Return expected demand [MWh] for a temperature [degC] and sunshine [W/m2] seen or forecast."""
        local = pl.Series(times).dt.replace_time_zone("UTC").dt.convert_time_zone(self.context.time_zone)
        hour, weekday = local.dt.hour().to_numpy().astype(float), local.dt.weekday().to_numpy()
        rest = (weekday >= SATURDAY) | np.isin(
            local.dt.date().to_numpy(), np.array(_rest_days(), dtype="datetime64[D]")
        )
        morning, evening = (np.exp(-(((hour - peak) / width) ** 2)) for peak, width in ((8.5, 2.8), (18.5, 3.2)))
        night = np.cos(2 * np.pi * (hour - 15) / 24)
        shape = 4700 + 560 * night + np.where(rest, 120, 520) * morning + np.where(rest, 420, 560) * evening
        shape -= np.where(rest, 330, 0)
        cooling, heating = np.clip(temperature - 18.3, 0, None), np.clip(14 - temperature, 0, None)
        activity = 0.75 + 0.25 * (night + 1) / 2
        growth = 1 + 0.006 * since_epoch(times) / 8766
        return np.asarray(growth * (shape + activity * (112 * cooling + 3.2 * cooling**2 + 46 * heating) - 0.45 * sun))


def _rest_days() -> list[date]:
    """Return fixed-date holidays of the years an instance can see; enough for an invented town."""
    return [date(year, month, day) for year in range(2019, 2061) for month, day in ((1, 1), (7, 4), (12, 24), (12, 25))]


def hourly_rows(channel: str, times: np.ndarray, values: Array, lag: timedelta) -> pl.DataFrame:
    """Return readings that are published a while after each hour has ended."""
    return pl.DataFrame({"channel": channel, "time": times, "value": np.round(values, 2)}).with_columns(
        pl.col("time").cast(INSTANT), published=pl.col("time").cast(INSTANT) + HOUR + lag
    )


def _naive(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "us")


def hours_between(start: datetime, end: datetime) -> np.ndarray:
    """Return the whole hours that begin in a span."""
    first = start.replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += HOUR
    return np.arange(_naive(first), _naive(end), np.timedelta64(1, "h"))


def since_epoch(times: np.ndarray) -> Array:
    """Return hours from the epoch of the simulation."""
    return np.asarray((times - _naive(EPOCH)) / np.timedelta64(1, "h"), dtype=np.float64)
