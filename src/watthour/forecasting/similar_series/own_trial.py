"""What the days seen so far say of a forecast beside similar series: how far the own usual day counts, and the band.

A series may be unlike all others. Then its own days show it: each of the last of them is forecast again from those
before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.conformal import band_scale, misses_of, widened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.vintages import Array, Instants

MOST_DAYS = 14  # of the own past that are forecast again
_USUAL_DAYS, _USUAL_LOSS = 3.0, 1.15  # what is taken for granted: so many days on which the own usual day lost so much
_POWER = 8.0  # of the inverse losses in the share
_PRIOR_DAYS, _LIMITS = 7.0, (0.7, 2.0)  # of the width of the band
_HALF_LIFE = 14.0  # of the own usual day [days]
_OTHER_KIND = 0.25  # how much days of another kind count in it


@dataclass(frozen=True, slots=True, eq=False)
class OwnTrial:
    """How a forecast is moved towards the own usual day, and its band widened."""

    share: float = 0.0  # of the own usual day
    factor: float = 1.0  # of the band

    @classmethod
    def of(cls, answers: Sequence[Array], own: Sequence[Array], actual: Sequence[Array]) -> OwnTrial:
        """Learn it from own days that were forecast again.

        Args:
            answers: quantiles of each day, (slots, ``LEVELS``).
            own: (slots,) what the own usual day said of each.
            actual: (slots,) what came, NaN where nothing did.
        """
        days = [
            (_moved(one, usual, 1.0), one, came)
            for one, usual, came in zip(answers, own, actual, strict=True)
            if np.isfinite(came).any()
        ]
        if not days:
            return cls()
        by_own, beside = (
            float(np.mean([np.nanmean(np.abs(day[2] - day[k][:, day[k].shape[1] // 2])) for day in days]))
            for k in (0, 1)
        )
        middle = _USUAL_DAYS * (by_own + beside) / 2
        if not middle > 0:
            return cls()
        ratio = (len(days) * beside + middle) / (len(days) * by_own + _USUAL_LOSS * middle)
        share = ratio**_POWER / (1 + ratio**_POWER)
        misses = np.stack([misses_of(day[2], (1 - share) * day[1] + share * day[0]) for day in days])
        known = np.isfinite(misses)
        weights = np.broadcast_to(1 / known.sum(axis=1, keepdims=True), misses.shape)[known]
        n = float(len(days))
        factor = band_scale(misses[known], weights, total=n, squares=n, prior=_PRIOR_DAYS, limits=_LIMITS)
        return cls(float(share), factor)

    def applied(self, answer: Array, own: Array) -> Array:
        """Return the quantiles of a day, (slots, ``LEVELS``), moved and widened.

        Args:
            answer: the quantiles beside similar series.
            own: (slots,) what the own usual day says, NaN where it says nothing.
        """
        return widened(_moved(answer, own, self.share), self.factor)


def own_usual(own: Array, kinds: Instants, kind: Instants) -> Array:
    """Return the mean of own days, (n, slots), for a day of some kind, (slots,): later days and its kind count most."""
    age = np.arange(len(own))[::-1]
    counts = 0.5 ** (age / _HALF_LIFE)[:, None] * np.where(kinds == kind, 1.0, _OTHER_KIND)
    weights = np.where(np.isfinite(own), counts, 0.0)
    total = weights.sum(axis=0)
    mean = np.where(weights > 0, own, 0.0)
    return np.where(total > 0, (mean * weights).sum(axis=0) / np.where(total > 0, total, 1.0), np.nan)


def _moved(answer: Array, own: Array, share: float) -> Array:
    """Return quantiles with their middle moved by a share of the way to the own usual day, where that says anything."""
    away = np.where(np.isfinite(own), own - answer[:, answer.shape[1] // 2], 0.0)
    return np.asarray(answer + share * away[:, None])
