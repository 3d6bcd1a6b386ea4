"""Every kind of forecaster there is, by name; nothing heavy is imported until one is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, cast

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.forecast import Forecaster, Recipe
    from watthour.forecasting.baselines import Rule

# name -> module and class of the recipe
RECIPES: dict[str, str] = {
    "seasonal_naive": "watthour.forecasting.baselines:SeasonalNaive",
    "persistence_ensemble": "watthour.forecasting.baselines:PersistenceEnsemble",
    "operator": "watthour.forecasting.operator:Operator",
    "operator_debiased": "watthour.forecasting.operator:OperatorDebiased",
    "gradient_boosting": "watthour.forecasting.gradient_boosting:GradientBoosting",
    "day_process": "watthour.forecasting.day_process.model:DayProcess",
    "hour_process": "watthour.forecasting.hour_process.model:HourProcess",
    "twenty_features": "watthour.forecasting.twenty_features:TwentyFeatures",
}
# name -> module and class of the fitted model
FORECASTERS: dict[str, str] = {
    "seasonal_naive": "watthour.forecasting.baselines:FittedRule",
    "persistence_ensemble": "watthour.forecasting.baselines:FittedRule",
    "operator": "watthour.forecasting.baselines:FittedRule",
    "operator_debiased": "watthour.forecasting.baselines:FittedRule",
    "gradient_boosting": "watthour.forecasting.gradient_boosting:FittedGradientBoosting",
    "day_process": "watthour.forecasting.day_process.model:FittedDayProcess",
    "hour_process": "watthour.forecasting.hour_process.model:FittedHourProcess",
    "twenty_features": "watthour.forecasting.twenty_features:FittedTwentyFeatures",
}


def recipe(name: str, parameters: Mapping[str, object] | None = None) -> Recipe:
    """Return the recipe of this name.

    Raises:
        InvalidInput: there is none, or it has no such parameter.
    """
    kind = _named(RECIPES, name)
    try:
        return cast("Recipe", kind(**_frozen(parameters or {})))
    except TypeError as error:
        fields = ", ".join(getattr(kind, "__dataclass_fields__", ())) or "none"
        raise InvalidInput(
            "parameters", dict(parameters or {}), f"not parameters of {name}", remedy=f"It has: {fields}."
        ) from error


def rule(name: str, parameters: Mapping[str, object] | None = None) -> Rule:
    """Return the recipe of this name, known to be a rule."""
    return cast("Rule", recipe(name, parameters))


def forecaster(name: str, files: Mapping[str, bytes]) -> Forecaster:
    """Build a fitted model of this name again from its files.

    Raises:
        InvalidInput: there is no such kind of model.
    """
    return cast("Forecaster", _named(FORECASTERS, name).from_files(files))  # type: ignore[attr-defined]  # all forecasters have it


def _named(table: Mapping[str, str], name: str) -> type:
    if name not in table:
        raise InvalidInput("model", name, "no such model", remedy=f"There are: {', '.join(table)}.")
    module, _, attribute = table[name].partition(":")
    return cast("type", getattr(importlib.import_module(module), attribute))


def _frozen(parameters: Mapping[str, object]) -> dict[str, object]:
    """Return parameters as a recipe holds them: JSON has no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
