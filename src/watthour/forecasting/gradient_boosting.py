"""Gradient-boosted trees: one set for all lead times, a set per quantile, on top of the operator's forecast or alone.

What the trees learn is the departure from a reference in units of a scale: from the operator's de-biased forecast,
in parts of it; or from the recent level of demand, in parts of that. So growth and level need no learning. Where
something usual is missing at issue, the answer is simpler and wider, and says so: without the operator's forecast the
trees that never saw it, without a basis for trees the best baseline.

Source: Ke et al., LightGBM, NeurIPS 30 (2017); quantiles made honest as in Romano, Patterson and Candes, Conformalized
Quantile Regression, NeurIPS 32 (2019), arXiv:1905.03222.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import HOUR, Window
from watthour.forecasting.baselines import FittedRule, PersistenceEnsemble
from watthour.forecasting.calendar import local_days
from watthour.forecasting.design import Lessons
from watthour.forecasting.features import features
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.trees import Trees, held_out
from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.forecasting.vintages import Array

_MODEL = "model.json"
_STAND_IN = "stand_in/"
_FEWEST_ROWS = 24 * 28


@dataclass(frozen=True, slots=True)
class GradientBoosting:
    """How to grow the trees."""

    operator: bool = True  # stack on the operator's forecast where the context has one
    weather: bool = True
    levels: tuple[float, ...] = (0.05, 0.5, 0.95)  # those with trees of their own; the rest lie between
    n_trees: int = 600  # at most; the held-out weeks decide
    learning_rate: float = 0.06
    n_leaves: int = 15
    fewest_in_leaf: int = 40
    patience: int = 40  # trees without a gain before growing ends
    half_life_days: float = 730.0  # what is this old counts half
    n_threads: int = 1
    seed: int = 7

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "gradient_boosting"

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedGradientBoosting:
        """Learn from past issues; with fewer than four weeks of them a baseline will answer, and say so."""
        zone = history.context.time_zone
        grown: list[Trees] = []
        if issues.is_empty():
            return FittedGradientBoosting(self, (), PersistenceEnsemble().fit(history, issues), {})
        for operator in (True, False) if self.operator and history.context.operator else (False,):
            lessons = Lessons.of(history, issues, weather=self.weather, operator=operator)
            if lessons.n_usual >= _FEWEST_ROWS:
                grown.append(Trees.grow(self, lessons, zone, operator=operator))
        day = local_days(instants(issues["time"]), zone)
        return FittedGradientBoosting(
            self,
            tuple(grown),
            PersistenceEnsemble().fit(history, issues),
            {"train": _span(issues), "validation": _span(issues.filter(pl.Series(held_out(day))))},
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedGradientBoosting:
    """Sets of trees, the best first, and the baseline that stands in where none of them can answer."""

    recipe: GradientBoosting
    trees: tuple[Trees, ...]
    stand_in: FittedRule
    splits: Mapping[str, Window]

    @property
    def features(self) -> tuple[str, ...]:
        """What the best trees look at."""
        return self.trees[0].features if self.trees else ()

    @property
    def importance(self) -> Mapping[str, float]:
        """The share of the gain of each feature in the best trees."""
        return self.trees[0].importance if self.trees else {}

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its issue.

        Raises:
            NotEnoughHistory: not even a baseline can answer any of them.
        """
        with_operator = bool(self.trees) and self.trees[0].operator
        table = features(history, targets, weather=self.recipe.weather, operator=with_operator)
        times, context = instants(targets["time"]), history.context
        lacked = self._lacked(table, targets, history)
        quantiles = np.full((targets.height, len(LEVELS)), np.nan)
        for trees in self.trees:
            gap = np.isnan(quantiles).any(axis=1)
            if gap.any():
                rows = pl.Series(gap)
                quantiles[gap] = trees.quantiles(table.filter(rows), times[gap], context.time_zone)
        gap = np.isnan(quantiles).any(axis=1)
        fallback: str | None = None
        if gap.any():
            quantiles[gap], words = self._stood_in(history, Targets.cast(targets.filter(pl.Series(gap))))
            reason = "demand was unknown for too long" if self.trees else "there was too little history to learn from"
            fallback = f"The mean of the last four same weekdays, or the best baseline there is, answers: {reason}."
            lacked += words
        return quantile_forecast(
            targets, quantiles, context, model=self.recipe.name, missing_inputs=lacked, fallback=fallback
        )

    def files(self) -> Mapping[str, bytes]:
        """Return LightGBM's text files and JSON."""
        kept = {
            "recipe": asdict(self.recipe),
            "trees": [trees.as_json() for trees in self.trees],
            "splits": {name: [span.start.isoformat(), span.end.isoformat()] for name, span in self.splits.items()},
        }
        texts = {
            _text_name(k, level): text.encode()
            for k, trees in enumerate(self.trees)
            for level, text in trees.texts.items()
        }
        stand_in = {_STAND_IN + name: content for name, content in self.stand_in.files().items()}
        return {_MODEL: json.dumps(kept).encode(), **texts, **stand_in}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its files."""
        kept: dict[str, Any] = json.loads(files[_MODEL])
        grown = [
            Trees.from_json(trees, {level: files[_text_name(k, level)].decode() for level in trees["levels"]})
            for k, trees in enumerate(kept["trees"])
        ]
        stand_in = {name.removeprefix(_STAND_IN): files[name] for name in files if name.startswith(_STAND_IN)}
        return cls(
            GradientBoosting(**{**kept["recipe"], "levels": tuple(kept["recipe"]["levels"])}),
            tuple(grown),
            FittedRule.from_files(stand_in),
            {name: Window(*map(datetime.fromisoformat, span)) for name, span in kept["splits"].items()},
        )

    def _lacked(self, table: pl.DataFrame, targets: dy.DataFrame[Targets], history: History) -> list[str]:
        """Say what is missing that is usually known."""
        if not self.trees:
            return []
        best, words = self.trees[0], []
        if best.operator and (gap := table["operator_forecast"].is_null().to_numpy()).any():
            where = describe_intervals(targets, gap, history.context)
            words.append(f"The operator's forecast was missing for {where}.")
        if (gap := best.is_blind(table)).any():
            words.append(f"No weather forecast was known for {describe_intervals(targets, gap, history.context)}.")
        if (gap := best.is_stale(table)).any():
            hours = np.nanmax(np.append(table["demand_age_hours"].filter(pl.Series(gap)).to_numpy(), -1))
            age = f"up to {hours:.0f} hours before" if hours > 0 else "for more than a month before"
            words.append(f"Demand was unknown {age} {describe_intervals(targets, gap, history.context)}.")
        return words

    def _stood_in(self, history: History, targets: dy.DataFrame[Targets]) -> tuple[Array, list[str]]:
        """Return a baseline's quantiles, NaN where even it has none."""
        try:
            told = self.stand_in.predict(history, targets)
        except NotEnoughHistory:
            return np.full((targets.height, len(LEVELS)), np.nan), []
        wide = told.values.pivot("level", index=["issued_at", "time"], values="value")
        rows = targets.join(wide, on=["issued_at", "time"], how="left", maintain_order="left")
        return rows.select(pl.col([str(level) for level in LEVELS]).cast(pl.Float64)).to_numpy(), list(
            told.missing_inputs
        )


def _text_name(k: int, level: float) -> str:
    return f"trees_{k}_level_{level}.txt"


def _span(issues: pl.DataFrame) -> Window:
    return Window(cast("datetime", issues["time"].min()), cast("datetime", issues["time"].max()) + HOUR)
