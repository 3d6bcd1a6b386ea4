"""Whether the forecast that the context's first rival published was doubted, or just not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.quality import is_trusted
from watthour.forecasting.vintages import MEDIAN, Vintages, instants

if TYPE_CHECKING:
    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import History
    from watthour.core.frames import Targets


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
