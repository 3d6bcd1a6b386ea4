"""The carbon intensity of the hours ahead: our forecast with its joint paths, or that of a provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory, UnknownName
from watthour.core.forecast import interval_starts
from watthour.core.frames import Forecasts
from watthour.core.window import HOUR, Window
from watthour.workflows.best_window import Course
from watthour.workflows.carbon_series import CarbonSeries, series_asked
from watthour.workflows.entities import Entity
from watthour.workflows.forecast import live_window
from watthour.workflows.sites import find_context
from watthour.workflows.view.ahead import Ahead, look_ahead
from watthour.workflows.windows import CARBON_AHEAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.forecast import Context
    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.best_window import Array
    from watthour.workflows.forecast import Served

OURS = "watthour"  # the source of our own forecast
MOST_HOURS = int(CARBON_AHEAD / HOUR)
TREND_HOURS = 3
STEADY_PERCENT = 5.0  # a change by less is none
_USUAL = "hourly_mean"
MEDIAN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class CarbonAhead:
    """A forecast of one carbon series of a region."""

    site: Site
    series: CarbonSeries
    context: Context
    source: str  # of the forecast: ``OURS``, or a provider
    sources: tuple[str, ...]  # that could be asked for
    course: Course
    rows: pl.DataFrame  # time, and the forecast at each level by its name, such as "0.5"
    usual: Array  # (times,) mean at the same clock time of the last seven known days; NaN: unknown
    issued_at: datetime
    made: Ahead | None  # how ours was made; None: it is a provider's


@dataclass(frozen=True, slots=True)
class Trend:
    """How the next hours compare with now, and with what is usual at their time of day."""

    direction: str  # rising, falling or steady
    now: float
    ahead: float  # expected mean of the hours after the interval now running
    change: float
    change_percent: float
    probability_higher: float | None  # that these hours are above now [0-1]
    usual: float | None
    against_usual_percent: float | None


def carbon_ahead(
    store: Store,
    registry: ModelRegistry,
    directories: Sequence[SiteDirectory],
    site: Site,
    *,
    channel: str | None = None,
    source: str = OURS,
    now: datetime,
    served: Callable[[Context], Served | None] = lambda _context: None,
) -> CarbonAhead:
    """Forecast a carbon series of a region as far as carbon is forecast.

    Args:
        store: the store.
        registry: holds the models.
        directories: sites that are known without the store.
        site: the region.
        channel: id of a series of it; the one that answers by itself if none is named.
        source: whose forecast: ours, or that of a provider which is kept.
        now: the present.
        served: gives the champion of a context, if it is loaded already.

    Raises:
        UnknownName: the region has no such series, or nobody of this name forecasts it.
        NotEnoughHistory: nothing can be forecast from what is known; says what to bring.
    """
    series = series_asked(store, site, channel)
    context = find_context(store, directories, series.channel.id)
    sources = (OURS, *context.rivals)
    if source not in sources:
        problem = f"nobody of this name forecasts {series.channel.id}"
        raise UnknownName("source", source, problem, remedy=f"Name one of: {', '.join(sources)}.")
    entity = Entity("channel", series.channel.id, series.channel.id, context, (series.channel,))
    made = look_ahead(store, registry, entity, hours=MOST_HOURS, now=now, served=served(context), most_hours=MOST_HOURS)
    window, rows, issued_at = made.window, made.issue.rows, made.issue.issued_at
    paths: Array | None = None
    usual = _medians(rows, _USUAL, window, context)
    if source == OURS:
        mine = rows.filter(pl.col("model") == made.issue.model)
        paths = _paths(made, mine)
    else:
        mine, issued_at = _of_provider(store, context, source, now)
        window = window_from(context, now)
    wide = _wide(mine, window, context)
    median = wide["0.5"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    times = wide["time"].to_list()
    expected = median if paths is None else paths.mean(axis=0)
    course = Course(times, context.resolution, expected, paths)
    return CarbonAhead(
        site, series, context, source, sources, course, wide, usual, issued_at, made if source == OURS else None
    )


def trend_of(ahead: CarbonAhead, hours: int = TREND_HOURS) -> Trend | None:
    """Return how the hours after the interval now running compare with it; None where any of them is not forecast."""
    course = ahead.course
    n_next = round(hours * HOUR / course.step)
    if n_next < 1 or n_next >= len(course.times):
        problem = f"the forecast has {len(course.times)} intervals of {course.step}"
        raise InvalidInput("hours", hours, problem, remedy=f"Ask for 1 to {MOST_HOURS - 1} hours.")
    now, later = course.expected[0], course.expected[1 : n_next + 1]
    if not np.isfinite(now) or not np.isfinite(later).all():
        return None
    mean = float(later.mean())
    percent = _percent(mean, float(now))
    higher = None if course.paths is None else _above(course.paths[:, 1 : n_next + 1].mean(axis=1), course.paths[:, 0])
    usual = ahead.usual[1 : n_next + 1]
    usual_mean = float(usual.mean()) if len(usual) == n_next and np.isfinite(usual).all() else None
    direction = "steady"
    if percent is not None and abs(percent) >= STEADY_PERCENT:
        direction = "rising" if percent > 0 else "falling"
    return Trend(
        direction,
        float(now),
        mean,
        mean - float(now),
        percent or 0.0,
        higher,
        usual_mean,
        None if usual_mean is None else _percent(mean, usual_mean),
    )


def _of_provider(store: Store, context: Context, source: str, now: datetime) -> tuple[pl.DataFrame, datetime]:
    """Return the last forecast of a provider of each interval to come, and when the newest of them was made.

    Raises:
        NotEnoughHistory: none of the hours ahead is kept.
    """
    window = window_from(context, now)
    rows = pl.DataFrame(
        store.forecasts([context.channel.id], window, as_of=now, models=[source], latest_issue=True)
    ).drop_nulls("value")
    if rows.is_empty():
        raise NotEnoughHistory(
            f"no forecast of {context.channel.id} by {source} for the hours ahead is kept",
            remedy="`watthour doctor` shows whether it answers; without `source` our own forecast is told.",
        )
    return rows, cast("datetime", rows["issued_at"].max())


def window_from(context: Context, now: datetime) -> Window:
    """Return the hours ahead, from the interval now running on."""
    start = live_window(context, now).start
    return Window(start, start + CARBON_AHEAD)


def _paths(made: Ahead, rows: pl.DataFrame) -> Array | None:
    """Return the joint paths of a forecast, (paths, times); None where too little is known of how hours go together."""
    from watthour.forecasting.scenarios import scenarios

    found = scenarios(made.history, Forecasts.cast(rows.select(Forecasts.column_names())))
    if found.is_empty():
        return None
    return found.sort("path", "time")["value"].to_numpy().reshape(found["path"].n_unique(), -1)


def _wide(rows: pl.DataFrame, window: Window, context: Context) -> pl.DataFrame:
    """Return one row per interval of a window with the forecast at each level, null where there is none."""
    times = pl.DataFrame({"time": interval_starts(window, context.resolution, context.time_zone)})
    wide = rows.with_columns(level=pl.col("level").map_elements("{:g}".format, return_dtype=pl.String))
    wide = wide.sort("issued_at").pivot(on="level", index="time", values="value", aggregate_function="last")
    table = times.join(wide, on="time", how="left").sort("time")
    return table if "0.5" in table.columns else table.with_columns(pl.lit(None, pl.Float64).alias("0.5"))


def _medians(rows: pl.DataFrame, model: str, window: Window, context: Context) -> Array:
    mine = rows.filter(pl.col("model") == model, pl.col("level") == MEDIAN)
    return _wide(mine, window, context)["0.5"].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _above(values: Array, others: Array) -> float:
    return float((values > others).mean() + (values == others).mean() / 2)


def _percent(value: float, reference: float) -> float | None:
    return 100 * (value - reference) / reference if reference > 0 else None
