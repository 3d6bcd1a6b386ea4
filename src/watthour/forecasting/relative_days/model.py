"""Regression over days and boosted trees on logarithms, averaged: errors count in parts of the value."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.frames import LEVELS, Readings
from watthour.forecasting.catalogue import forecaster
from watthour.forecasting.combination.trial import quantiles_of
from watthour.forecasting.conformal import widened
from watthour.forecasting.day_regression.model import DayRegression
from watthour.forecasting.features import actuals
from watthour.forecasting.positive_load import check_loads
from watthour.forecasting.quantile_forecast import quantile_forecast
from watthour.forecasting.relative_days.band import factor_at, factors_of, held_back
from watthour.forecasting.relative_days.ratio_trees import RatioTrees, leads_of
from watthour.forecasting.vintages import MEDIAN, datetimes, instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array

NAME = "relative_days"
_WORDS, _TREES, _REGRESSION = "relative_days.json", "ratio_trees.txt", "regression/"


@dataclass(frozen=True, slots=True)
class RelativeDays:
    """Forecast the logarithm of a positive series by the mean of two models that err apart.

    Args:
        n_trees: boosted trees on the ratio to the last days.
        trees_share: of the trees in the mean; the regression over days has the rest, and shapes the band.
    """

    n_trees: int = 400
    trees_share: float = 0.35

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedRelativeDays:
        """Learn both from past issues.

        Raises:
            InvalidInput: more than 1 % of the readings are zero or negative, or the step is longer than an hour.
            NotEnoughHistory: too few whole days are known.
        """
        check_loads(history, "the regression on ratios", NAME)
        logs = in_logarithms(history)
        regression = DayRegression().fit(logs, issues)
        model = FittedRelativeDays(self, regression, RatioTrees.grow(logs, issues, self.n_trees))
        return model if model.trees is None else replace(model, band=self._band(model, logs, issues))

    def _band(self, model: FittedRelativeDays, logs: History, issues: dy.DataFrame[Targets]) -> tuple[float, ...]:
        """Return the factors of the band by how the mean did on the last issues, with trees grown before these.

        The regression forecasts past days from nothing but the days before them.
        """
        before, held = held_back(issues)
        first = datetimes(instants(held["issued_at"])[:1])[0]
        trees = RatioTrees.grow(logs.known_at(first), before, self.n_trees)
        if trees is None:
            return ()
        told = replace(model, trees=trees).in_logarithms(logs, held)[0]
        return factors_of(told, actuals(logs, held), held, leads_of(held))


@dataclass(frozen=True, slots=True, eq=False)
class FittedRelativeDays:
    """The two models; without trees, where there was too little to learn from, the regression answers alone."""

    recipe: RelativeDays
    regression: Forecaster
    trees: RatioTrees | None
    band: tuple[float, ...] = ()  # what the regression's is multiplied with, by day of lead

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        own = getattr(self.regression, "features", ())
        return tuple(dict.fromkeys([*own, *(self.trees.features if self.trees else ())]))

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its issue.

        Raises:
            InvalidInput: the model was trained on another channel or step.
            NotEnoughHistory: nothing is known from before any of the targets.
        """
        quantiles, missing = self.in_logarithms(in_logarithms(history), targets)
        return quantile_forecast(targets, np.exp(quantiles), history.context, model=NAME, missing_inputs=missing)

    def in_logarithms(self, logs: History, targets: dy.DataFrame[Targets]) -> tuple[Array, tuple[str, ...]]:
        """Return the logarithms of the quantiles, (targets, ``LEVELS``), and what was missing in words."""
        told = self.regression.predict(logs, targets)
        quantiles, _ = quantiles_of(told, targets)
        if self.trees is not None:
            apart = self.trees.medians(logs, targets) - quantiles[:, LEVELS.index(MEDIAN)]
            quantiles = quantiles + self.recipe.trees_share * np.nan_to_num(apart)[:, None]
        return widened(quantiles, factor_at(self.band, leads_of(targets))[:, None]), told.missing_inputs

    def files(self) -> Mapping[str, bytes]:
        """Return the regression's files, LightGBM's text and JSON."""
        grown = None if self.trees is None else self.trees.as_json()
        words = {"recipe": asdict(self.recipe), "trees": grown, "band": self.band}
        trees = {} if self.trees is None else {_TREES: self.trees.text.encode()}
        regression = {f"{_REGRESSION}{name}": content for name, content in self.regression.files().items()}
        return {_WORDS: json.dumps(words).encode(), **trees, **regression}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again; it answers the same to the last bit."""
        words = json.loads(files[_WORDS])
        mine = {name.removeprefix(_REGRESSION): files[name] for name in files if name.startswith(_REGRESSION)}
        trees = None if words["trees"] is None else RatioTrees.from_json(words["trees"], files[_TREES].decode())
        band = tuple(words.get("band", ()))  # older files have none
        return cls(RelativeDays(**words["recipe"]), forecaster("day_regression", mine), trees, band)


def in_logarithms(history: History) -> History:
    """Return what was known with the logarithms of the channel's readings; what is not positive is a gap.

    Forecasts that others publish of it are left out.
    """
    channel = pl.col("channel") == history.context.channel.id
    value = pl.when(channel & (pl.col("value") <= 0)).then(None).when(channel).then(pl.col("value").log())
    return replace(
        history,
        context=replace(history.context, rivals=()),
        readings=Readings.cast(history.readings.with_columns(value=value.otherwise(pl.col("value")))),
    )
