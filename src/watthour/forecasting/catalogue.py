"""Every kind of forecaster there is, by name; nothing heavy is imported until one is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from watthour.core.errors import InvalidInput
from watthour.core.units import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.channel import Channel
    from watthour.core.forecast import Forecaster, Recipe


class Card(NamedTuple):
    """Where a kind of forecaster is: a module of this room, and its two classes."""

    module: str
    recipe: str
    fitted: str
    extra: str | None = None  # of the package, that installs the library it stands on


SIMILAR = "similar_series"  # looks at other channels, where a past is short
RARE = "rare_use"  # of devices that are seldom on
OTHER_HOMES = "other_homes"  # learned elsewhere, and comes with the package
RELATIVE = "relative_days"  # of what is positive, and errs in parts of its value
OF_PRICES = "day_regression"  # errs no more than the mean of several, at a third of the time or less
RECIPES: dict[str, Card] = {
    "seasonal_naive": Card("baselines", "SeasonalNaive", "FittedRule"),
    "persistence_ensemble": Card("baselines", "PersistenceEnsemble", "FittedRule"),
    "persistence": Card("baselines", "Persistence", "FittedRule"),
    "hourly_mean": Card("baselines", "HourlyMean", "FittedRule"),
    "operator": Card("baselines", "RivalForecast", "FittedRule"),
    "operator_debiased": Card("baselines", "DebiasedRival", "FittedRule"),
    "gradient_boosting": Card("gradient_boosting", "GradientBoosting", "FittedGradientBoosting"),
    "day_process": Card("gaussian_process.day_process.model", "DayProcess", "FittedDayProcess"),
    "hour_process": Card("gaussian_process.hour_process.model", "HourProcess", "FittedHourProcess"),
    "global_model": Card("global_model.model", "GlobalModel", "FittedGlobalModel"),
    OTHER_HOMES: Card("other_homes.model", "OtherHomes", "FittedOtherHomes"),
    "recent_days": Card("recent_days", "RecentDays", "FittedRecentDays"),
    "similar_days": Card("similar_days", "SimilarDays", "FittedSimilarDays"),
    RARE: Card("rare_use", "RareUse", "FittedRareUse"),
    "trend_season": Card("trend_season.model", "TrendSeason", "FittedTrendSeason"),
    OF_PRICES: Card("day_regression.model", "DayRegression", "FittedDayRegression"),
    RELATIVE: Card("relative_days.model", "RelativeDays", "FittedRelativeDays"),
    "combination": Card("combination.model", "Combination", "FittedCombination"),
    SIMILAR: Card("similar_series.model", "SimilarSeries", "FittedSimilarSeries"),
    "twenty_features": Card("twenty_features", "TwentyFeatures", "FittedTwentyFeatures"),
    "auto_ets": Card("statistical", "AutoEts", "FittedStatistical", extra="stats"),
    "auto_arima": Card("statistical", "AutoArima", "FittedStatistical", extra="stats"),
    "auto_theta": Card("statistical", "AutoTheta", "FittedStatistical", extra="stats"),
    "prophet": Card("prophet", "Prophet", "FittedProphet", extra="stats"),
    "nhits": Card("deep", "NHits", "FittedDeep", extra="deep"),
    "tft": Card("deep", "TemporalFusion", "FittedDeep", extra="deep"),
}

ALONE = tuple(name for name in RECIPES if name != SIMILAR)  # can be trained for a channel and compared on its past
AT_ONCE = tuple(name for name in ALONE if RECIPES[name].extra is None)  # others are compared where they are asked for
USUAL = "combination"  # of all kinds of models; learns whatever one of them can
_OF_QUANTITY = {
    Quantity.CARBON_INTENSITY: RELATIVE,  # a rank among hours, ``carbon_index``, is no such amount
    Quantity.PRICE: OF_PRICES,
}


def usual_recipe(channel: Channel, of_loads: str) -> str:
    """Return the name of the recipe by which a channel is forecast where none is named.

    Args:
        channel: what is forecast.
        of_loads: the one that is set for loads. Of carbon intensity it is ``relative_days``, of prices
            ``day_regression``, by which `benchmarks/prices.py` publishes, and of anything else the combination, which
            also learns what these cannot, such as a series with zeros: ``otherwise`` of ``retrain``.
    """
    return of_loads if channel.is_load else _OF_QUANTITY.get(channel.quantity, USUAL)


def recipe(name: str, parameters: Mapping[str, object] | None = None) -> Recipe:
    """Return the recipe of this name.

    Raises:
        InvalidInput: there is none, or it has no such parameter.
    """
    card = _card(name)
    kind = _class(card.module, card.recipe)
    try:
        return cast("Recipe", kind(**_frozen(parameters or {})))
    except TypeError as error:
        fields = ", ".join(getattr(kind, "__dataclass_fields__", ())) or "none"
        raise InvalidInput(
            "parameters", dict(parameters or {}), f"not parameters of {name}", remedy=f"It has: {fields}."
        ) from error


def recipe_alone(name: str, parameters: Mapping[str, object] | None = None) -> Recipe:
    """Return the recipe of this name, to be trained for a channel or compared on its past.

    Raises:
        InvalidInput: there is none, it looks at other channels, or it has no such parameter.
    """
    if name not in ALONE:
        why = "it looks at other channels, and answers by itself while a past is short"
        problem = why if name in RECIPES else "no such model"
        raise InvalidInput("recipe", name, problem, remedy=f"Choose one of: {', '.join(ALONE)}.")
    return recipe(name, parameters)


def forecaster(name: str, files: Mapping[str, bytes]) -> Forecaster:
    """Build a fitted model of this name again from its files.

    Raises:
        InvalidInput: there is no such kind of model.
    """
    card = _card(name)
    return cast("Forecaster", _class(card.module, card.fitted).from_files(files))


def _card(name: str) -> Card:
    if name not in RECIPES:
        raise InvalidInput("model", name, "no such model", remedy=f"There are: {', '.join(RECIPES)}.")
    return RECIPES[name]


def _class(module: str, name: str) -> Any:  # noqa: ANN401 - of any of the models
    return getattr(importlib.import_module(f"{__package__}.{module}"), name)


def _frozen(parameters: Mapping[str, object]) -> dict[str, object]:
    """Return parameters as a recipe holds them: JSON has no tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
