"""Quantiles of the process's own past errors by lead and season, as far as there are enough, else those of a normal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.calendar import DAYS_IN_YEAR
from watthour.forecasting.quantiles import normal_scores, plotting_positions

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array

NORMAL = normal_scores(LEVELS)
MONTHS = 12
_SEASON_DAYS = 40.0  # deviation of the weights around the middle of a month
_PRIOR_OF_YEAR, _PRIOR_OF_MONTH = 30.0, 60.0  # independent errors that the normal, and the whole year, count for


def quantile_table(errors: Array, middle: Array, lead: float, n_slots: int) -> Array:
    """Return the quantiles of standardised errors of one lead by month, (12, levels).

    Args:
        errors: (n, slots), NaN where unknown, in deviations of the process.
        middle: (n,) of their rows, days since 1970.
        lead: in rows; neighbours of a long lead err together.
        n_slots: of a row; they err together too.
    """
    there = np.isfinite(errors)
    values = np.clip(errors[there], -10, 10)
    share = np.broadcast_to(((middle / DAYS_IN_YEAR) % 1)[:, None], errors.shape)[there]
    together = max(1.0, lead) * n_slots
    year = _shrunk(values, np.ones(len(values)), together, NORMAL, _PRIOR_OF_YEAR)
    table = np.empty((MONTHS, len(LEVELS)))
    for month in range(MONTHS):
        apart = np.abs((share - (month + 0.5) / MONTHS + 0.5) % 1 - 0.5) * DAYS_IN_YEAR
        table[month] = _shrunk(values, np.exp(-0.5 * (apart / _SEASON_DAYS) ** 2), together, year, _PRIOR_OF_MONTH)
    return table


def _shrunk(values: Array, weights: Array, together: float, prior: Array, n_prior: float) -> Array:
    """Return the weighted quantiles of values, drawn towards others the more, the fewer independent ones there are."""
    if not len(values):
        return prior
    ordered, _, position = plotting_positions(values, weights)
    total = weights.sum()
    found = np.interp(np.array(LEVELS), position / total, ordered)
    n_errors = total**2 / (weights**2).sum() / together
    return np.asarray((n_errors * found + n_prior * prior) / (n_errors + n_prior))


def shape_at(table: Array, leads: Array, lead: Array, middle: Array) -> Array:
    """Return the quantiles of standardised errors of rows, (m, levels).

    Args:
        table: (leads, 12, levels).
        leads: of the table, ascending.
        lead: (m,) of the rows.
        middle: (m,) of the rows, days since 1970.
    """
    month = ((middle / DAYS_IN_YEAR) % 1) * MONTHS - 0.5
    left = np.floor(month).astype(int)
    share = (month - left)[:, None, None]
    by_season = (1 - share) * table[:, left % MONTHS].swapaxes(0, 1) + share * table[:, (left + 1) % MONTHS].swapaxes(
        0, 1
    )
    place = np.interp(np.log(np.maximum(lead, 1)), np.log(leads), np.arange(len(leads)))
    low = np.minimum(place.astype(int), len(leads) - 1)
    high = np.minimum(low + 1, len(leads) - 1)
    part = (place - low)[:, None]
    each = np.arange(len(lead))
    return np.asarray((1 - part) * by_season[each, low] + part * by_season[each, high])
