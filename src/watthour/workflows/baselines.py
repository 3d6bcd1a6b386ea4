"""Which rules stand beside a forecast as its baselines, and which of them answer where there is no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.units import Quantity

if TYPE_CHECKING:
    from watthour.core.forecast import Context

BASELINES = (  # whatever can stand in, best first
    "operator_debiased",
    "persistence_ensemble",
    "seasonal_naive",
    "hourly_mean",
    "persistence",
)
COMPANION_LEVELS = (0.05, 0.5, 0.95)
_WITHOUT_WEEK = frozenset({Quantity.CARBON_INTENSITY, Quantity.CARBON_INDEX})  # follow weather and plants, day by day
_OF_WEEKS = ("seasonal_naive", "operator_debiased")
_OF_DAYS = ("persistence", "hourly_mean")


def stand_ins(context: Context) -> tuple[str, ...]:
    """Return the rules that can answer for a channel without a model, best first."""
    if context.channel.quantity in _WITHOUT_WEEK:
        return ("operator_debiased", "hourly_mean", "persistence")
    return BASELINES[:3]


def companions(context: Context) -> tuple[str, ...]:
    """Return the rules that are kept beside every forecast of ours of a channel, so that it can be scored against."""
    return (*_OF_DAYS, *_OF_WEEKS) if context.channel.quantity in _WITHOUT_WEEK else _OF_WEEKS
