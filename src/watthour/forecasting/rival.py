"""Whether the forecast that the context's first rival published was doubted, or just not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.forecast import interval_starts
from watthour.core.quality import is_trusted
from watthour.core.window import local_day
from watthour.forecasting.vintages import MEDIAN, Vintages, instants

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import History, Recipe
    from watthour.core.frames import Targets


def published_share(history: History, days: Sequence[date]) -> float:
    """Return of which part of the intervals of some local days the rival's forecast is known and not doubted [-]."""
    context = history.context
    rows = history.forecasts.filter(
        pl.col("channel") == context.channel.id,
        pl.col("model") == pl.lit(context.rival or ""),
        pl.col("level") == MEDIAN,
        pl.col("value").is_not_null(),
        is_trusted(),
    )
    asked = pl.concat(
        [interval_starts(local_day(day, context.time_zone), context.resolution, context.time_zone) for day in days]
    )
    return rows.filter(pl.col("time").is_in(asked.implode()))["time"].n_unique() / len(asked)


def without_silent_rivals(
    recipes: Mapping[str, Recipe], history: History, days: Sequence[date], *, least: float = 0.0
) -> tuple[dict[str, Recipe], list[str]]:
    """Leave out the recipes that stand on a rival's forecast which is hardly known of some days, before they are run.

    Args:
        recipes: by name.
        history: what is known.
        days: that are to be forecast.
        least: part of the intervals that must be known; none at all is always too little.

    Returns:
        The recipes that can answer, and what to tell a person about the others.
    """
    on_rival = [name for name, recipe in recipes.items() if getattr(recipe, "needs_rival", False)]
    if not on_rival or not days or ((share := published_share(history, days)) > 0 and share >= least):
        return dict(recipes), []
    known = "not known" if not share else f"known of only {share:.0%} of the intervals"
    rival = history.context.rival
    whose = f"The {rival}'s forecast" if rival else "A forecast by anybody else"
    where = f"of {history.context.channel.id} from {min(days)} to {max(days)}"
    left = {name: recipe for name, recipe in recipes.items() if name not in on_rival}
    return left, [f"{name} is left out. {whose} {where} is {known}." for name in on_rival]


def was_published(history: History, targets: dy.DataFrame[Targets], *, only_doubted: bool = False) -> NDArray[np.bool_]:
    """Tell of which targets the rival's forecast could be read at issue, whatever is known against it: (targets,).

    Args:
        history: what was known.
        targets: what is asked.
        only_doubted: leave out forecasts that nothing is known against.
    """
    context = history.context
    rows = history.forecasts.filter(
        pl.col("channel") == context.channel.id,
        pl.col("model") == pl.lit(context.rival or ""),
        pl.col("level") == MEDIAN,
        pl.col("value").is_not_null(),
        ~is_trusted() if only_doubted else pl.lit(value=True),
    )
    if rows.is_empty():
        return np.zeros(targets.height, dtype=np.bool_)
    versions = Vintages.of(rows.sort("time", "available_at").select("time", "available_at", "value"))
    return np.asarray(np.isfinite(versions.known(instants(targets["time"]), instants(targets["issued_at"]))))
