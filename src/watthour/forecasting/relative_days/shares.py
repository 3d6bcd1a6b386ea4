"""How much the trees count beside the regression, for each day ahead, by how both did on issues held back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array, Instants

PRIOR_SHARE = 0.35  # what was best over all regions on half a year, and counts as much as what is learned
_SHARES = np.linspace(0.0, 1.0, 21)  # that are compared
_HOURS = 24  # of lead that have one


def shares_of(regression: Array, trees: Array, actual: Array, leads: Instants) -> tuple[float, ...]:
    """Return the share of the trees by day of lead: half way from ``PRIOR_SHARE`` to what had the least absolute error.

    Args:
        regression: medians of the targets that were held back, (n,).
        trees: the same of the trees, (n,).
        actual: what came, (n,).
        leads: how many hours each lies after the end of what was measured, (n,).
    """
    apart, missed = trees - regression, actual - regression
    known = np.isfinite(apart) & np.isfinite(missed)
    found = []
    for day in range(int(leads.max()) // _HOURS + 1):
        rows = known & (leads // _HOURS == day)
        errors = np.abs(missed[rows] - _SHARES[:, None] * apart[rows]).sum(axis=1)
        best = _SHARES[errors.argmin()] if rows.any() else PRIOR_SHARE
        found.append(float(PRIOR_SHARE + best) / 2)
    return tuple(found)
