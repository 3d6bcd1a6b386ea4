"""Regression over days and boosted trees on logarithms, averaged: errors count in parts of the value."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS, Readings
from watthour.forecasting.adaptive import Memory, adapted
from watthour.forecasting.combination.trial import quantiles_of
from watthour.forecasting.conformal import widened
from watthour.forecasting.day_regression.model import DayRegression, FittedDayRegression
from watthour.forecasting.features import actuals
from watthour.forecasting.positive_load import check_loads
from watthour.forecasting.quantile_forecast import quantile_forecast
from watthour.forecasting.relative_days.band import by_day, factor_at, factors_of, held_back
from watthour.forecasting.relative_days.parts import Parts
from watthour.forecasting.relative_days.ratio_trees import RatioTrees, leads_of
from watthour.forecasting.relative_days.shares import PRIOR_SHARE, shares_of
from watthour.forecasting.vintages import MEDIAN, datetimes, instant, instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

NAME = "relative_days"
_WORDS, _TREES, _REGRESSION, _PARTS = "relative_days.json", "ratio_trees/", "regression/", "parts/"
_MEMORY = Memory(days=84, halflife=30.0, prior_days=10.0)  # four days ahead, the misses of days that follow are alike
_OLD_TREES = "ratio_trees.txt"  # one set for all days ahead


@dataclass(frozen=True, slots=True)
class RelativeDays:
    """Forecast the logarithm of a positive series by the mean of models that err apart.

    Args:
        n_trees: boosted trees on the ratio to the last days.
        trees_share: of the trees in the mean; the regressions over days, of the series and of what it is a weighted
            mean of, have the rest, and the former shapes the band. None: it is learned for each day ahead.
    """

    n_trees: int = 400
    trees_share: float | None = None

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
        trees = RatioTrees.grow(logs, issues, self.n_trees)
        model = FittedRelativeDays(self, regression, trees, shares=self._fixed, parts=Parts.learn(logs, issues))
        return model if trees is None else self._tried(model, logs, issues)

    @property
    def _fixed(self) -> tuple[float, ...]:
        return (PRIOR_SHARE if self.trees_share is None else self.trees_share,)

    def _tried(self, model: FittedRelativeDays, logs: History, issues: dy.DataFrame[Targets]) -> FittedRelativeDays:
        """Return a model with the share of its trees and the band by how both did on the last issues.

        The trees tried there were grown before these issues. The regression forecasts past days from nothing but the
        days before them.
        """
        before, held = held_back(issues)
        first = datetimes(instants(held["issued_at"])[:1])[0]
        trees = RatioTrees.grow(logs.known_at(first), before, self.n_trees)
        if trees is None:
            return model
        quantiles, _ = model.regressed(logs, held)
        medians, actual, leads = trees.medians(logs, held), actuals(logs, held), leads_of(held)
        told = quantiles[:, LEVELS.index(MEDIAN)]
        shares = shares_of(told, medians, actual, leads) if self.trees_share is None else self._fixed
        return replace(
            model, shares=shares, band=factors_of(_moved(quantiles, medians, shares, leads), actual, held, leads)
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedRelativeDays:
    """The models; without trees, where there was too little to learn from, the regressions answer alone."""

    recipe: RelativeDays
    regression: FittedDayRegression
    trees: RatioTrees | None
    band: tuple[float, ...] = ()  # what the regression's is multiplied with, by day of lead
    shares: tuple[float, ...] = (PRIOR_SHARE,)  # of the trees in the mean, likewise
    parts: Parts | None = None  # of a series that is a weighted mean of its companions

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
        logs = in_logarithms(history)
        quantiles, missing = self._steady(logs, targets)
        is_one_issue = targets["issued_at"].n_unique() == 1  # which may know all that the past ones came to know

        def of_past(asked: dy.DataFrame[Targets]) -> Array:
            try:
                return self._steady(logs, asked, as_latest_knows=is_one_issue)[0]
            except NotEnoughHistory:
                return np.full((asked.height, len(LEVELS)), np.nan)

        learned_until = instant(self.regression.splits["train"].end)
        quantiles = adapted(
            logs,
            targets,
            quantiles,
            of_past,
            learned_until=learned_until,
            clock=self.regression.clock,
            memory=_MEMORY,
        )
        return quantile_forecast(targets, np.exp(quantiles), history.context, model=NAME, missing_inputs=missing)

    def _steady(
        self, logs: History, targets: dy.DataFrame[Targets], *, as_latest_knows: bool = False
    ) -> tuple[Array, tuple[str, ...]]:
        """Return the logarithms of quantiles that follow no miss since the training, and what was missing in words."""
        quantiles, missing = self.regressed(logs, targets, as_latest_knows=as_latest_knows)
        if self.trees is not None:
            quantiles = _moved(quantiles, self.trees.medians(logs, targets), self.shares, leads_of(targets))
        return widened(quantiles, factor_at(self.band, leads_of(targets))[:, None]), missing

    def regressed(
        self, logs: History, targets: dy.DataFrame[Targets], *, as_latest_knows: bool = False
    ) -> tuple[Array, tuple[str, ...]]:
        """Return what the regressions say without the trees, in logarithms, and what was missing in words."""
        told = self.regression.predict(logs, targets, as_latest_knows=as_latest_knows)
        quantiles, _ = quantiles_of(told, targets)
        if self.parts is not None:
            quantiles = _by_width(quantiles, *self.parts.told(logs, targets, as_latest_knows=as_latest_knows))
        return quantiles, told.missing_inputs

    def files(self) -> Mapping[str, bytes]:
        """Return the regression's files, LightGBM's text and JSON."""
        grown = None if self.trees is None else self.trees.as_json()
        words = {"recipe": asdict(self.recipe), "trees": grown, "band": self.band, "shares": self.shares}
        texts = {} if self.trees is None else self.trees.texts
        trees = {f"{_TREES}{first}.txt": text.encode() for first, text in texts.items()}
        regression = {f"{_REGRESSION}{name}": content for name, content in self.regression.files().items()}
        parts = {} if self.parts is None else self.parts.files()
        parts = {f"{_PARTS}{name}": content for name, content in parts.items()}
        return {_WORDS: json.dumps(words).encode(), **trees, **regression, **parts}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again; it answers the same to the last bit."""
        words = json.loads(files[_WORDS])
        mine, of_parts = (
            {name.removeprefix(start): files[name] for name in files if name.startswith(start)}
            for start in (_REGRESSION, _PARTS)
        )
        begins = {name: name.removeprefix(_TREES).removesuffix(".txt") for name in files if name.startswith(_TREES)}
        texts = {int(first): files[name].decode() for name, first in begins.items()}
        if _OLD_TREES in files:
            texts = {0: files[_OLD_TREES].decode()}
        trees = None if words["trees"] is None else RatioTrees.from_json(words["trees"], texts)
        recipe = RelativeDays(**words["recipe"])
        band = tuple(words.get("band", ()))  # older files have none, and the share of their recipe
        shares = tuple(words.get("shares", (recipe.trees_share,)))
        return cls(recipe, FittedDayRegression.from_files(mine), trees, band, shares, Parts.from_files(of_parts))


def _moved(quantiles: Array, medians: Array, shares: tuple[float, ...], leads: Instants) -> Array:
    """Return quantiles, (n, ``LEVELS``), around their mean with the medians of another model, (n,)."""
    apart = medians - quantiles[:, LEVELS.index(MEDIAN)]
    return np.asarray(quantiles + (by_day(shares, leads) * np.nan_to_num(apart))[:, None])


def _by_width(quantiles: Array, medians: Array, widths: Array) -> Array:
    """Return quantiles, (n, ``LEVELS``), around their mean with other medians, (n,): the wider band counts less.

    Each counts by the inverse square of the width of its band, as means of what errs apart do.
    """
    own = (quantiles[:, -1] - quantiles[:, 0]) ** 2
    share = own / (own + widths**2)
    return np.asarray(quantiles + np.nan_to_num(share * (medians - quantiles[:, LEVELS.index(MEDIAN)]))[:, None])


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
