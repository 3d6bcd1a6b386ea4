"""Features of every target, from nothing but what was known at its own issue time.

All issue times are worked at once: what was known is laid out as one matrix per channel (issues by intervals), and
features are gathered from it. A value unknown at issue is null, never a guess.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.forecasting.calendar import CALENDAR_OF_ALL, calendar_features
from watthour.forecasting.load_features import BACK_HOURS, LOAD_FEATURES, RIVAL_FEATURES, SCALE_FEATURES, KnownLoad
from watthour.forecasting.panel import Panel
from watthour.forecasting.vintages import forecast_vintages, instants, measurement_vintages
from watthour.forecasting.weather import Weather, weather_features

if TYPE_CHECKING:
    from collections.abc import Collection

    import dataframely as dy

    from watthour.core.forecast import Context, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array

MEMORY = timedelta(hours=BACK_HOURS)


def features(
    history: History,
    targets: dy.DataFrame[Targets],
    *,
    weather: bool = True,
    operator: bool = True,
    columns: Collection[str] | None = None,
) -> pl.DataFrame:
    """Return one row per target: ``issued_at``, ``time`` and its features, null where unknown at issue.

    Args:
        history: all versions of everything.
        targets: what is asked, each at its own issue time.
        weather: with the covariates of the context: the weather of its points, and whatever else is known ahead.
        operator: with the forecast of the rival that the context names first, if any.
        columns: only these of the features of calendar, load and rival; None for all.

    Raises:
        InvalidInput: the targets are not intervals of the context's channel.
    """
    context = history.context
    load = measurement_vintages(history, context.channel.id)
    rival = forecast_vintages(history, context.channel.id, model=context.rival) if operator and context.rival else None
    covariates = Weather.of(history) if weather else None
    parts: list[pl.DataFrame] = []
    for panel in Panel.chunks(targets, context):
        known = KnownLoad.of(panel, load, rival, context)
        found = _of_known(known, context, columns)
        if covariates is not None:
            found |= weather_features(covariates, panel, context, known.last_same_clock)
        parts.append(pl.DataFrame({"row": panel.rows, **found}))
    if not parts:
        return targets.select("issued_at", "time")
    table = pl.concat(parts, how="diagonal").sort("row").drop("row").fill_nan(None)
    return pl.concat([targets.select("issued_at", "time"), table], how="horizontal")


def feature_names(table: pl.DataFrame) -> list[str]:
    """Return the names of the features in a table of ``features``."""
    return [name for name in table.columns if name not in ("issued_at", "time")]


def actuals(history: History, targets: dy.DataFrame[Targets]) -> Array:
    """Return what came of each target by the last version known: (targets,) [unit of the channel], NaN for nothing."""
    last = np.array([np.iinfo(np.int64).max])
    return measurement_vintages(history, history.context.channel.id).known(instants(targets["time"]), last)


def _of_known(known: KnownLoad, context: Context, columns: Collection[str] | None) -> dict[str, Array]:
    """Return the wanted features of calendar, load and rival, in the order in which they are always kept."""
    functions = {**LOAD_FEATURES, **(RIVAL_FEATURES if known.rival is not None else {})}
    if columns is None:
        wanted = set(functions)
        calendar = calendar_features(known.panel.time, context)
    else:
        wanted = set(columns)
        functions |= SCALE_FEATURES
        calendar = calendar_features(known.panel.time, context) if wanted & set(CALENDAR_OF_ALL) else {}
        calendar = {name: column for name, column in calendar.items() if name in wanted}
    return calendar | {name: function(known) for name, function in functions.items() if name in wanted}
