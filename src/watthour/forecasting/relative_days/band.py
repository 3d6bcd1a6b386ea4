"""By how much the band is to be widened or narrowed for each day of lead, so that it covers what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.frames import Targets
from watthour.forecasting.combination.weights import band_factor
from watthour.forecasting.vintages import DAY_US, HOUR_US, instants

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.forecasting.vintages import Array, Instants

_HELD_DAYS = 84  # that the band is learned on
_MOST_HELD = 0.25  # of the issues
_MOST_ISSUES = 84  # of those days, evenly spaced: what costs is the number asked
_HOURS = 24  # of lead that share a factor


def held_back(issues: dy.DataFrame[Targets]) -> tuple[dy.DataFrame[Targets], dy.DataFrame[Targets]]:
    """Return past issues that were over before the last of them, and these last ones, which say how wide a band is."""
    issued = instants(issues["issued_at"])
    possible = np.unique(issued)
    last = possible[possible > possible[-1] - _HELD_DAYS * DAY_US][-max(1, int(_MOST_HELD * len(possible))) :]
    chosen = last[np.linspace(0, len(last) - 1, min(len(last), _MOST_ISSUES)).round().astype(np.int64)]
    is_late = np.isin(issued, issued[instants(issues["time"]) >= last[0]])
    before, held = (issues.filter(pl.Series(rows)) for rows in (~is_late, np.isin(issued, chosen)))
    return Targets.cast(before), Targets.cast(held)


def factors_of(quantiles: Array, actual: Array, held: dy.DataFrame[Targets], leads: Instants) -> tuple[float, ...]:
    """Return what the distance of quantiles from their middle is to be multiplied with, by day of lead.

    Args:
        quantiles: of the targets that were held back, (n, ``LEVELS``).
        actual: what came, (n,).
        held: the targets.
        leads: how many hours each lies after the end of what was measured, (n,).
    """
    issued = instants(held["issued_at"])
    possible, issue = np.unique(issued, return_inverse=True)
    apart = float(np.median(np.diff(possible))) if len(possible) > 1 else DAY_US
    part = leads // _HOURS
    return tuple(
        band_factor(
            quantiles[part == each],
            actual[part == each],
            np.ones(int((part == each).sum())),
            np.unique(issue[part == each], return_inverse=True)[1],
            overlap=max(1.0, _HOURS * HOUR_US / apart),
        )
        for each in range(int(part.max()) + 1)
    )


def factor_at(factors: tuple[float, ...], leads: Instants) -> Array:
    """Return the factor of each lead, (n,); those beyond what was learned have the last, and 1 where none was."""
    return by_day(factors, leads) if factors else np.ones(len(leads))


def by_day(learned: tuple[float, ...], leads: Instants) -> Array:
    """Return what was learned for the day ahead of each lead, (n,); those beyond have the last."""
    return np.array(learned)[np.clip(leads // _HOURS, 0, len(learned) - 1)]
