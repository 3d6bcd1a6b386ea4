"""Problems from tables, as a notebook has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.plan import PlanningProblem

if TYPE_CHECKING:
    from datetime import datetime

_SERIES = ("import_price", "export_price", "carbon", "load_kw", "solar_kw")


def problem_of(table: pl.DataFrame, **said: Any) -> PlanningProblem:  # noqa: ANN401 - the fields of a problem
    """Return the problem of a table with a row for each step.

    Args:
        table: columns ``time`` (begin of the step, with its time zone) and ``import_price``, and of ``export_price``,
            ``carbon``, ``load_kw`` and ``solar_kw`` what there is; in the units of ``PlanningProblem``.
        said: the other fields of ``PlanningProblem``, such as ``appliances`` and ``batteries``.

    Raises:
        InvalidInput: a column is missing, steps are not even, or the problem cannot be.
    """
    for name in ("time", "import_price"):
        if name not in table.columns:
            raise InvalidInput("table", name, "it has no such column", remedy="Rename or add it.")
    times = table["time"]
    if not isinstance(times.dtype, pl.Datetime) or times.dtype.time_zone is None or times.null_count():
        cure = "Give instants with a time zone, such as by `dt.replace_time_zone`."
        raise InvalidInput("table.time", str(times.dtype), "it does not hold instants", remedy=cure)
    steps = times.diff().drop_nulls().unique()
    if len(steps) != 1:
        problem = f"it has {len(steps)} lengths of step"
        raise InvalidInput(
            "table.time", table.height, problem, remedy="Give two rows or more, in order, all as far apart."
        )
    fields: dict[str, Any] = {
        name: table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in _SERIES if name in table.columns
    }
    start: datetime = times[0]
    fields = {"time_zone": times.dtype.time_zone, **fields, **said}
    return PlanningProblem(start=start, step=steps[0], **fields)
