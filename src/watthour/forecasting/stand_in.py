"""Point forecasts of the rules, and what stands in where one of them knows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import Targets
from watthour.core.window import DAY
from watthour.forecasting.features import features
from watthour.forecasting.quantile_forecast import describe_intervals
from watthour.forecasting.steps import of_whole_issues

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Context, History
    from watthour.forecasting.vintages import Array

# From the best that is possible to the last resort; what each column of the features is called by a person, and what
# where intervals are longer than a day.
_CHAIN = {
    "demand_same_weekday_mean_4w": (
        "the mean of the last four same weekdays",
        "the mean of the same time of the last four years",
    ),
    "demand_same_weekday_last": ("the same time last week", "the same time last year"),
    "demand_same_hour_last": ("the same time of the last known day", "the last known interval"),
}
_WORDS = {
    **_CHAIN,
    "demand_same_hour_mean_7d": (
        "the mean of the same time of the last seven days",
        "the mean of the last seven intervals",
    ),
}
SCALES = ("demand_usual_deviation_168h", "demand_mean_size_168h")
_LEVELS = ("demand_rolling_mean_168h", "demand_rolling_mean_24h", "demand_same_hour_last", "demand_last")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """One number per target, and the level by which its errors are measured."""

    values: Array  # (targets,) [unit of the channel]
    level: Array  # (targets,) [unit of the channel]
    missing_inputs: tuple[str, ...] = ()
    fallback: str | None = None
    stands_in: NDArray[np.bool_] | None = None  # (targets,) where another took the place of what a rival did not say


def chained(column: str, history: History, targets: dy.DataFrame[Targets]) -> Points:
    """Return a column of the features, and where it is unknown the best of the chain of baselines that is known."""
    table = features(history, targets, weather=False, operator=False, columns=(column, _LEVELS[0], *SCALES))
    return stand_in(table[column].to_numpy(), _in_words(column, history.context), history, targets, table)


def stand_in(
    values: Array, wanted: str, history: History, targets: dy.DataFrame[Targets], table: pl.DataFrame
) -> Points:
    """Fill unknown numbers with the best baseline that is possible, and say so.

    Args:
        values: (targets,), NaN where unknown [unit of the channel].
        wanted: what they are, in words.
        history: for the place's clock, and for features that the table has not.
        targets: what is asked.
        table: features of the targets.
    """
    missing: list[str] = []
    gaps = np.isnan(values)
    if gaps.any():
        chain = _features_of(gaps, table, history, targets, tuple(_CHAIN))
        for name in _CHAIN:
            filled = np.isnan(values) & np.isfinite(chain[name])
            if filled.any():
                values = np.where(filled, chain[name], values)
                where = describe_intervals(targets, filled, history.context)
                instead = _in_words(name, history.context)
                missing.append(f"Unknown for {where}: {wanted}; {instead} is used instead.")
    level = level_of(table)
    if (unknown := np.isnan(level)).any():
        levels = _features_of(unknown, table, history, targets, _LEVELS)
        level = level_of(pl.DataFrame({name: levels[name] for name in _LEVELS}))
    return Points(values, level, tuple(missing), missing[0] if missing else None)


def _in_words(column: str, context: Context) -> str:
    return _WORDS[column][context.resolution > DAY]


def level_of(table: pl.DataFrame) -> Array:
    """Return the recent level of load of each target, by which errors are measured: the first known of four features.

    Shape (rows,) [unit of the channel].

    Of what crosses zero, such as a price or a net load, the mean says nothing: where the table has the usual deviation
    from the middle and the mean size, the level is at least half of either. A home with a battery draws next to nothing
    at most times, so that its usual deviation alone is small beside its errors. Where load is zero throughout, the
    level is one unit: never zero, as errors are divided by it.
    """
    level = np.full(table.height, np.nan)
    for name in _LEVELS:
        if name in table.columns:
            level = np.where(np.isfinite(level), level, np.abs(table[name].to_numpy()))
    for name in SCALES:
        if name in table.columns:
            level = np.fmax(level, table[name].to_numpy() / 2)
    return np.where(level == 0, 1.0, level)


def _features_of(
    rows: NDArray[np.bool_],
    table: pl.DataFrame,
    history: History,
    targets: dy.DataFrame[Targets],
    names: Sequence[str],
) -> dict[str, Array]:
    """Return features, from the table where it has them, else worked out for the issues of some rows, else NaN."""
    found = {name: table[name].to_numpy() for name in names if name in table.columns}
    rest = [name for name in names if name not in found]
    if rest:
        asked = of_whole_issues(targets, rows)
        some = features(
            history, Targets.cast(targets.filter(pl.Series(asked))), weather=False, operator=False, columns=rest
        )
        for name in rest:
            found[name] = np.full(table.height, np.nan)
            found[name][asked] = some[name].to_numpy()
    return found
