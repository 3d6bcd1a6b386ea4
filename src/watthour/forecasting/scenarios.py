"""Joint paths of a forecast: what sums over hours and differences between them are made of, as quantiles cannot be.

Each path takes the order of one past day: where that day lay high beside the week before it, the path lies at a high
quantile of the forecast, hour by hour. So every hour keeps its quantiles, and hours go together as they do on real
days (Clark and others, The Schaake shuffle, Journal of Hydrometeorology, 2004, on what was unusual of each day).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import INSTANT, LEVELS, Scenarios
from watthour.forecasting.calendar import same_clock
from watthour.forecasting.quantiles import normal_scores
from watthour.forecasting.vintages import MEDIAN, instants, measurement_vintages

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Forecasts
    from watthour.forecasting.vintages import Array, Instants

MOST_PATHS = 56
FEWEST_PATHS = 20  # of fewer past days nothing is said of how hours go together
_WEEK = 7
_FEWEST_BEFORE = 3  # days of the week before that must be known
_TAIL = LEVELS[0]


def scenarios(history: History, values: dy.DataFrame[Forecasts]) -> dy.DataFrame[Scenarios]:
    """Return equally likely joint paths of one issue; none where too few past days are known whole.

    Args:
        history: what was known at the issue, with some weeks before it.
        values: the forecast of the history's channel at all of ``LEVELS``; intervals without one have no path.
    """
    table = values.drop_nulls("value").pivot(on="level", index=["issued_at", "time"], values="value").sort("time")
    if table.is_empty() or {str(level) for level in LEVELS} - set(table.columns):
        return Scenarios.create_empty()
    quantiles = table.select(str(level) for level in LEVELS).drop_nulls().to_numpy()
    ranks = _orders(history, instants(table["time"]))
    if len(ranks) < FEWEST_PATHS or len(quantiles) < table.height:
        return Scenarios.create_empty()
    paths = _at_probabilities(quantiles, (ranks + 0.5) / len(ranks))
    limits = history.context.channel.limits
    n_paths, n_times = paths.shape
    return Scenarios.validate(
        pl.DataFrame(
            {
                "channel": [history.context.channel.id] * paths.size,
                "time": pl.concat([table["time"]] * n_paths),
                "issued_at": pl.concat([table["issued_at"]] * n_paths),
                "path": np.repeat(np.arange(n_paths, dtype=np.int32), n_times),
                "value": np.clip(paths, limits.low, limits.high).reshape(-1),
            }
        ).with_columns(pl.col("time", "issued_at").cast(INSTANT)),
        cast=True,
    )


def _orders(history: History, times: Instants) -> Array:
    """Return, per past day that is known whole and per interval, its place among all such days: (paths, times)."""
    days = np.arange(1, MOST_PATHS + _WEEK + 1)
    asked = same_clock(times[None, :], days[:, None], history.context.time_zone)
    last = np.array([np.iinfo(np.int64).max])
    known = measurement_vintages(history, history.context.channel.id)
    value = known.known(asked.reshape(-1), last).reshape(asked.shape)
    issue = np.datetime64(history.as_of.replace(tzinfo=None), "us").astype(np.int64)
    value = np.where(asked < issue, value, np.nan)
    rows = []
    for number in range(MOST_PATHS):
        before = value[number + 1 : number + 1 + _WEEK]
        is_known = np.isfinite(before).sum(axis=0) >= _FEWEST_BEFORE
        if np.isfinite(value[number]).all() and is_known.all():
            rows.append(value[number] - np.nanmean(before, axis=0))
    if not rows:
        return np.empty((0, len(times)))
    unusual = np.stack(rows)
    return np.argsort(np.argsort(unusual, axis=0, kind="stable"), axis=0).astype(np.float64)


def _at_probabilities(quantiles: Array, probability: Array) -> Array:
    """Return the forecast at a probability for each path and interval: (paths, times).

    Between the levels it is interpolated in standard normal scores, beyond the outermost as a normal's tail goes on.

    Args:
        quantiles: (times, ``LEVELS``).
        probability: (paths, times).
    """
    scores, middle = normal_scores(LEVELS), LEVELS.index(MEDIAN)
    asked = normal_scores(probability.reshape(-1)).reshape(probability.shape)
    inside = np.stack([np.interp(asked[:, n], scores, quantiles[n]) for n in range(len(quantiles))], axis=1)
    center = quantiles[:, middle]
    below = center - (center - quantiles[:, 0]) * asked / scores[0]
    above = center + (quantiles[:, -1] - center) * asked / scores[-1]
    return np.where(probability < _TAIL, below, np.where(probability > 1 - _TAIL, above, inside))
