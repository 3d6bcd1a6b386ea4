"""The system operator's own forecast: as published, and with its habitual error taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.forecasting.baselines import FittedRule, Points, fit_rule, stand_in
from watthour.forecasting.features import features
from watthour.forecasting.quantile_forecast import describe_intervals

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets


@dataclass(frozen=True, slots=True)
class Operator:
    """The operator's forecast as it was known at issue."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "operator"

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
        """Learn the width of its intervals."""
        return fit_rule(self, history, issues)

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return what the operator said of each target."""
        return _points(history, targets, debiased=False)


@dataclass(frozen=True, slots=True)
class OperatorDebiased:
    """The operator's forecast times the mean ratio of actual to forecast at that hour over the last 28 known days."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "operator_debiased"

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
        """Learn the width of its intervals."""
        return fit_rule(self, history, issues)

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return what the operator said of each target, less its habit."""
        return _points(history, targets, debiased=True)


def _points(history: History, targets: dy.DataFrame[Targets], *, debiased: bool) -> Points:
    table = features(history, targets, weather=False)
    said = table["operator_forecast"].to_numpy() if "operator_forecast" in table.columns else np.array([np.nan])
    if np.isnan(said).all():
        raise NotEnoughHistory(
            f"no forecast of {history.context.channel} by its operator was known at issue",
            remedy="Bring the operator's forecasts with `watthour backfill`, or use another model.",
        )
    gap = np.isnan(said)
    rest = stand_in(said, "the operator's forecast", history, targets, table)
    if not debiased:
        return rest
    ratio = table["operator_ratio_28d"].to_numpy()
    unlearned = np.isnan(ratio) & ~gap
    values = np.where(gap | unlearned, rest.values, rest.values * ratio)
    missing_inputs = list(rest.missing_inputs)
    if unlearned.any():
        missing_inputs.append(
            f"The operator's habitual error was unknown for {describe_intervals(targets, unlearned, history.context)}."
        )
    return Points(values, rest.level, tuple(missing_inputs), rest.fallback)
