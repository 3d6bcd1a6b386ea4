"""Keep what the model that serves would have said of days it has learned from, so that the past can be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time, timedelta
from itertools import groupby
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import Forecasts, Maker, Quality
from watthour.core.window import DAY, Window, local_midnight
from watthour.workflows.baselines import COMPANION_LEVELS, companions
from watthour.workflows.compare import actuals, kept_rows
from watthour.workflows.forecast import as_stored, baseline_forecasts
from watthour.workflows.known_ahead import asked_on_eves, clock_of_eves, issued_on_eves, learning_history
from watthour.workflows.train import YEARS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from watthour.core.forecast import Context, History, Recipe
    from watthour.core.ports import ModelRegistry, Store

MOST_DAYS = 365
LONGEST = timedelta(minutes=15)  # what is left then is done after the next training


@dataclass(frozen=True, slots=True)
class PastReport:
    """Which past days have a forecast of the kind of model that serves."""

    new_days: int  # kept now
    missing_days: int  # left for the next time, or too early to be forecast


def keep_past(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    *,
    clock: Callable[[], datetime],
    issue_clock: time = time(8),
    most_days: int = MOST_DAYS,
    progress: Callable[[str], None] | None = None,
) -> PastReport:
    """Backtest the champion's recipe over the last days that have no day-ahead forecast of ours, and keep the answers.

    Month by month, the newest first, each by a model that learned from the days before the month alone. The rows are
    marked as made afterwards. Each month is kept as soon as it is made, so a run that is stopped goes on next time.

    Args:
        store: where readings come from and forecasts go.
        registry: holds the model that serves; without one whose manifest can be read nothing is done.
        context: what is forecast.
        clock: tells the present, as this takes minutes.
        issue_clock: local clock time on the day before.
        most_days: how far back from the last day with readings.
        progress: told of each month.
    """
    from watthour.forecasting.catalogue import recipe

    version = registry.champion(context.channel.id)
    kept = {each.version: each for each in registry.manifests(context.channel.id)}  # those that can be read
    if version is None or (manifest := kept.get(version)) is None or not most_days:
        return PastReport(0, 0)
    made = recipe(manifest.recipe, dict(manifest.parameters))
    begun = clock()
    _first, last, _recorded = store.spans()[context.channel.id]
    span = Window(last - most_days * DAY - YEARS, last + 2 * DAY)
    history = learning_history(store, context, span, begun)
    missing = _days_without_forecast(store, history, most_days)
    months = [list(days) for _, days in groupby(reversed(missing), key=lambda day: (day.year, day.month))]
    n_done = 0
    for newest_first in months:
        if clock() - begun > LONGEST:
            break
        days = newest_first[::-1]
        if progress is not None:
            progress(f"forecasting {days[0]:%B %Y} as it would have been, {len(missing) - n_done} days left")
        try:
            _keep(store, history, made, days, issue_clock, clock())
        except NotEnoughHistory:  # nor is there enough for the months before
            break
        n_done += len(days)
    return PastReport(n_done, len(missing) - n_done)


def _days_without_forecast(store: Store, history: History, most_days: int) -> list[date]:
    """Return the last local days with readings of which no forecast of ours from the day before is kept."""
    context = history.context
    zone = ZoneInfo(context.time_zone)
    known = actuals(history)["time"]
    if known.is_empty():
        return []
    last = known[-1].astimezone(zone).date()
    first = max(last - (most_days - 1) * DAY, known[0].astimezone(zone).date())
    window = Window(local_midnight(first, context.time_zone), local_midnight(last + DAY, context.time_zone))
    with_readings = set(_local_days(known, context).to_list())
    kept = pl.DataFrame(store.forecasts([context.channel.id], window, makers=[Maker.OWN], levels=[0.5])).drop_nulls()
    day = _local_days(kept["time"], context)
    ahead = kept.filter(_local_days(kept["issued_at"], context) < day)
    forecast = set(_local_days(ahead["time"], context).to_list())
    days = [first + n * DAY for n in range((last - first).days + 1)]
    return [day for day in days if day in with_readings and day not in forecast]


def _local_days(instants: pl.Series, context: Context) -> pl.Series:
    return instants.dt.convert_time_zone(context.time_zone).dt.date()


def _keep(store: Store, history: History, made: Recipe, days: list[date], issue_clock: time, now: datetime) -> None:
    """Forecast days of one month from what was known on the eve of each, and keep the answers with their companions."""
    from watthour.forecasting.backtest import backtest

    context = history.context
    clock = clock_of_eves(context.channel, issue_clock)
    table = backtest(made, history, days, issue_clock=clock, known_clock=clock)
    asked = asked_on_eves(days, context, issue_clock)
    few = pl.col("level").is_in(COMPANION_LEVELS)
    for name, companion in baseline_forecasts(history, asked, companions(context)).items():
        values = issued_on_eves(companion.values.filter(few), context)
        rows = as_stored(Forecasts.cast(values), name, now, Quality.ASSUMED)
        store.append_forecasts(rows)
    own = issued_on_eves(table, context).with_columns(maker=pl.lit(str(Maker.OWN)))
    store.append_forecasts(kept_rows(own, context.channel.id, made.name, now))  # last: it says that the days are done
