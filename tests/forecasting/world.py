"""A small invented place with every kind of row a forecaster meets, made in a few lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context, History, SimilarChannel, covariates_of, interval_starts
from watthour.core.frames import INSTANT, Forecasts, Maker, Readings
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit
from watthour.core.weather import weather_channels
from watthour.core.window import DAY, HOUR, Window, local_instant, local_midnight

ZONE = "America/New_York"
PLACES = (Point("coast", 40.7, -74.0, 0.7), Point("hills", 42.7, -73.8, 0.3))
SITE = Site(
    "here", "Here", SiteKind.REGION, Place(ZONE, 40.7, -74.0, "US-NY"), main_channel="grid.here.demand", points=PLACES
)
CHANNEL = Channel("grid.here.demand", SITE.id, Quantity.ENERGY, Unit.MWH, HOUR)
DEMAND = CHANNEL.id
POINTS = tuple((f"grid.here.weather.{point.id}", point.weight) for point in PLACES)
RIVAL = "operator"
CONTEXT = Context(SITE, CHANNEL, covariates_of(weather_channels(SITE, PLACES)), rivals=(RIVAL,))
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def context(step: timedelta) -> Context:
    """The same place with a channel of another step."""
    return replace(CONTEXT, channel=replace(CHANNEL, resolution=step))


def place(zone: str, step: timedelta = HOUR) -> Context:
    """A context of nothing but its load, by another clock."""
    site = replace(SITE, place=Place(zone), points=())
    return Context(site, replace(CHANNEL, resolution=step))


def hours(first: date, n_days: int) -> pl.Series:
    """All hours of some days, in UTC."""
    start = datetime.combine(first, time(), tzinfo=UTC)
    end = start + timedelta(days=n_days)
    return pl.datetime_range(start, end, "1h", time_unit="us", closed="left", eager=True).alias("time")


def readings(channel: str, times: pl.Series, values: np.ndarray, lag: timedelta = timedelta(hours=3)) -> pl.DataFrame:
    """Rows known some time after their hour began."""
    return pl.DataFrame({"channel": channel, "time": times, "value": values}).select(
        "channel",
        "time",
        (pl.col("time") + lag).alias("available_at"),
        (pl.col("time") + lag).alias("recorded_at"),
        pl.col("value").cast(pl.Float64).fill_nan(None),
        pl.lit(0, pl.Int16).alias("quality"),
    )


def forecasts(
    channel: str, rows: pl.DataFrame, model: str, lag: timedelta = timedelta(0), quality: int = 0
) -> pl.DataFrame:
    """Rows from ``time, issued_at, value``."""
    return rows.select(
        pl.lit(channel).alias("channel"),
        pl.col("time").cast(INSTANT),
        pl.col("issued_at").cast(INSTANT),
        pl.lit(model).alias("model"),
        pl.lit(0.5).alias("level"),
        pl.lit(str(Maker.RIVAL)).alias("maker"),
        (pl.col("issued_at").cast(INSTANT) + lag).alias("available_at"),
        (pl.col("issued_at").cast(INSTANT) + lag).alias("recorded_at"),
        pl.col("value").cast(pl.Float64).fill_nan(None),
        pl.lit(quality, pl.Int16).alias("quality"),
    )


def temperature(times: pl.Series, rng: np.random.Generator) -> np.ndarray:
    """Degrees: season, day and slow noise."""
    hour = times.to_physical().to_numpy() / 3.6e9
    slow = np.convolve(rng.normal(0, 6, len(hour) + 71), np.ones(72) / 72, "valid")
    return np.asarray(
        11 + 12 * np.cos(2 * np.pi * (hour / 8766 - 0.55)) + 4 * np.cos(2 * np.pi * (hour - 20) / 24) + 3 * slow
    )


def load(times: pl.Series, degrees: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Demand: clock, weekday, heat and cold, and noise."""
    local = times.dt.convert_time_zone(ZONE)
    hour, weekday = local.dt.hour().to_numpy(), local.dt.weekday().to_numpy()
    shape = 1000 + 150 * np.cos(2 * np.pi * (hour - 16) / 24) - 90 * (weekday >= 6)
    return np.asarray(
        shape + 18 * np.maximum(degrees - 18, 0) + 8 * np.maximum(12 - degrees, 0) + rng.normal(0, 8, len(hour))
    )


def history(
    first: date = date(2023, 1, 1),
    n_days: int = 120,
    *,
    seed: int = 1,
    operator: bool = True,
    weather: bool = True,
    context: Context = CONTEXT,
) -> History:
    """A place with load in the step of the context, a rival's forecasts and daily weather runs of three days."""
    rng = np.random.default_rng(seed)
    times = hours(first, n_days)
    degrees = temperature(times, rng)
    starts, demand = at_step(times, load(times, degrees, rng), context.resolution)
    seen = [readings(DEMAND, starts, demand, context.resolution + 2 * HOUR)]
    published: list[pl.DataFrame] = []
    if operator:
        days = starts.dt.convert_time_zone(ZONE).dt.date()
        issue = {day: local_instant(day - timedelta(days=1), time(7, 5), ZONE) for day in days.unique()}
        rows = pl.DataFrame({"time": starts, "value": 0.97 * demand + rng.normal(0, 12, len(demand))})
        published.append(forecasts(DEMAND, rows.with_columns(issued_at=days.replace_strict(issue)), RIVAL))
    if weather:
        for prefix, _ in POINTS:
            published.append(runs(f"{prefix}.temperature_2m", times, degrees, rng))
            seen.append(readings(f"{prefix}.temperature_2m", times, degrees, timedelta(days=5)))
    rows = pl.concat(published) if published else Forecasts.create_empty()
    return History(FAR, context, Readings.validate(pl.concat(seen)), Forecasts.validate(rows))


def beside_similar(past: History, n_others: int = 3) -> History:
    """The same place with others of its kind, whose load has another size, shape and noise."""
    own, parts = past.readings.filter(pl.col("channel") == DEMAND), [pl.DataFrame(past.readings)]
    hour = own["time"].dt.hour().to_numpy()
    names = tuple(SimilarChannel(f"grid.other_{k}.demand", f"Other {k}") for k in range(n_others))
    for k, other in enumerate(names):
        noise = np.random.default_rng(100 + k).normal(0, 0.01, own.height)
        factor = (2 + k) * (1 + 0.03 * k * np.cos(2 * np.pi * hour / 24) + noise)
        parts.append(own.with_columns(pl.lit(other.channel).alias("channel"), value=pl.col("value") * factor))
    return replace(past, context=replace(past.context, similar=names), readings=Readings.cast(pl.concat(parts)))


def at_step(times: pl.Series, values: np.ndarray, step: timedelta) -> tuple[pl.Series, np.ndarray]:
    """Hourly values at another step: drawn straight between the hours, or the means of local days."""
    if step == HOUR:
        return times, values
    window = Window(times[0], times[-1] + HOUR)
    if step < DAY:
        starts = interval_starts(window, step, ZONE)
        return starts, np.interp(starts.to_physical().to_numpy(), times.to_physical().to_numpy(), values)
    by_day = pl.DataFrame({"day": times.dt.convert_time_zone(ZONE).dt.date(), "value": values})
    means = by_day.group_by("day").agg(pl.col("value").mean(), pl.len()).filter(pl.col("len") > 22).sort("day")
    starts = pl.Series("time", [local_midnight(day, ZONE) for day in means["day"]], dtype=INSTANT)
    return starts, means["value"].to_numpy()


def runs(channel: str, times: pl.Series, values: np.ndarray, rng: np.random.Generator) -> pl.DataFrame:
    """One run a day at 00 UTC over three days, readable five hours later, with errors that grow."""
    start = times[0].replace(hour=0)
    starts = pl.datetime_range(start, times[-1], "1d", time_unit="us", eager=True).alias("issued_at")
    leads = pl.DataFrame({"lead": range(72)})
    truth = pl.DataFrame({"time": times, "value": values})
    grid = starts.to_frame().join(leads, how="cross").with_columns(time=pl.col("issued_at") + pl.duration(hours="lead"))
    rows = grid.join(truth, on="time").sort("issued_at", "time")
    error = rng.normal(0, 1, rows.height) * (0.2 + 0.02 * rows["lead"].to_numpy())
    return forecasts(channel, rows.with_columns(pl.col("value") + error), "model", timedelta(hours=5))
