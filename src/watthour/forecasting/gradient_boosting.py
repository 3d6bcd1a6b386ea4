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
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import DAY, Window
from watthour.forecasting.adaptive import adapted
from watthour.forecasting.baselines import FittedRule, PersistenceEnsemble
from watthour.forecasting.calendar import local_days
from watthour.forecasting.features import features
from watthour.forecasting.hourly_inputs import hourly_weather
from watthour.forecasting.period_effects import PeriodEffects
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.rival import was_published
from watthour.forecasting.steps import of_whole_issues
from watthour.forecasting.training_matrix import TrainingSet, held_out
from watthour.forecasting.trees import GrowthParameters, Trees
from watthour.forecasting.vintages import instant, instants

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array

_MODEL = "model.json"
_STAND_IN = "stand_in/"
_FEWEST_DAYS = 28
_FEWEST_ROWS = 400  # ten leaves


@dataclass(frozen=True, slots=True)
class GradientBoosting(GrowthParameters):
    """How to grow the trees, and what they may see."""

    operator: bool = True  # stack on the operator's forecast where the context has one
    weather: bool = True

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "gradient_boosting"

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedGradientBoosting:
        """Learn from past issues; with fewer than four weeks of them a baseline will answer, and say so."""
        context, effects = history.context, PeriodEffects.of(history)
        history = effects.without(history)
        stand_in = PersistenceEnsemble().fit(history, issues)
        if issues.is_empty():
            return FittedGradientBoosting(self, (), stand_in, {})
        grown: list[Trees] = []
        for operator in (True, False) if self.operator and context.rival else (False,):
            training = TrainingSet.of(history, issues, weather=self.weather, operator=operator)
            if training.n_usual >= fewest_rows(context.resolution):
                grown.append(Trees.grow(self, training, context.time_zone, operator=operator))
        return FittedGradientBoosting(
            self, tuple(grown), stand_in, splits_of(issues, context.time_zone, context.resolution), effects
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedGradientBoosting:
    """Sets of trees, the best first, and the baseline that stands in where none of them can answer."""

    recipe: GradientBoosting
    trees: tuple[Trees, ...]
    stand_in: FittedRule
    splits: Mapping[str, Window]
    effects: PeriodEffects = field(default_factory=lambda: PeriodEffects({}))  # that the trees do not see

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
        history = self.effects.without(history)
        table = self.features_of(history, targets)
        quantiles = self._of_trees(table, targets, history, np.full((targets.height, len(LEVELS)), np.nan))
        if self.trees:

            def of_past(asked: dy.DataFrame[Targets]) -> Array:
                nothing = np.full((asked.height, len(LEVELS)), np.nan)
                return self._of_trees(self.features_of(history, asked), asked, history, nothing)

            # A series with nothing of its own to learn from is answered by what others taught.
            learned_until = instant(self.splits["train"].end) if "train" in self.splits else None
            quantiles = adapted(history, targets, quantiles, of_past, learned_until=learned_until)
        return self.effects.put_back(self.answer(history, targets, table, quantiles), history.context)

    def features_of(self, history: History, targets: dy.DataFrame[Targets]) -> pl.DataFrame:
        """Return the features the best trees look at, one row per target."""
        with_operator = bool(self.trees) and self.trees[0].operator
        weather = self.recipe.weather and bool(history.context.covariates)
        return features(history, targets, weather=weather, operator=with_operator)

    def answer(
        self, history: History, targets: dy.DataFrame[Targets], table: pl.DataFrame, quantiles: Array
    ) -> Forecast:
        """Complete the quantiles that are known already by the trees, and by the baseline where these cannot answer.

        Args:
            history: what was known.
            targets: what is asked.
            table: the features of the targets.
            quantiles: (targets, ``LEVELS``), NaN where unknown [unit of the channel].

        Raises:
            NotEnoughHistory: not even a baseline can answer any of them.
        """
        context = history.context
        quantiles = self._of_trees(table, targets, history, quantiles)
        missing = self._missing_inputs(table, targets, history)
        gap = np.asarray(np.isnan(quantiles).any(axis=1))
        fallback: str | None = None
        if gap.any():
            asked = of_whole_issues(targets, gap)
            instead, more = self._by_stand_in(history, Targets.cast(targets.filter(pl.Series(asked))))
            quantiles[gap] = instead[gap[asked]]
            reason = "demand was unknown for too long" if self.trees else "there was too little history to learn from"
            fallback = f"The mean of the last four same weekdays, or the best baseline there is, answers: {reason}."
            missing += more
        return quantile_forecast(
            targets, quantiles, context, model=self.recipe.name, missing_inputs=missing, fallback=fallback
        )

    def files(self) -> Mapping[str, bytes]:
        """Return LightGBM's text files and JSON."""
        kept = {
            "recipe": asdict(self.recipe),
            "trees": [trees.as_json() for trees in self.trees],
            "period_effects": dict(self.effects.factors),
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
            PeriodEffects({name: tuple(each) for name, each in kept.get("period_effects", {}).items()}),
        )

    def _of_trees(
        self, table: pl.DataFrame, targets: dy.DataFrame[Targets], history: History, quantiles: Array
    ) -> Array:
        """Return quantiles, (targets, ``LEVELS``), with those that are unknown from the best trees that know them."""
        times = instants(targets["time"])
        for trees in self.trees:
            gap = np.isnan(quantiles).any(axis=1)
            if gap.any():
                rows = pl.Series(gap)
                quantiles[gap] = trees.quantiles(table.filter(rows), times[gap], history.context.time_zone)
        return quantiles

    def _missing_inputs(self, table: pl.DataFrame, targets: dy.DataFrame[Targets], history: History) -> list[str]:
        """Say what is missing that is usually known."""
        if not self.trees:
            return []
        best, missing = self.trees[0], []
        rival = f"The {history.context.rival}'s forecast"
        if best.operator and (gap := table["operator_forecast"].is_null().to_numpy()).any():
            doubted = gap & was_published(history, targets)
            missing += [
                f"{rival} {what} for {describe_intervals(targets, rows, history.context)}."
                for what, rows in (("was missing", gap & ~doubted), ("cannot be right, and was left out,", doubted))
                if rows.any()
            ]
        if best.operator:
            no_ratio = table["operator_ratio_28d"].is_null() & table["operator_forecast"].is_not_null()
            if (rows := no_ratio.to_numpy()).any():
                where = describe_intervals(targets, rows, history.context)
                missing.append(f"{rival} counts as published, as its habitual error was unknown, for {where}.")
        if (gap := best.is_without_weather(table)).any():
            missing.append(f"No weather forecast was known for {describe_intervals(targets, gap, history.context)}.")
        if "temperature" in best.features and (rows := _is_from_extremes(table, targets, history)).any():
            where = describe_intervals(targets, rows, history.context)
            missing.append(f"The temperature was estimated from the highest and the lowest of its day for {where}.")
        if (gap := best.is_stale(table)).any():
            hours = np.nanmax(np.append(table["demand_age_hours"].filter(pl.Series(gap)).to_numpy(), -1))
            age = f"up to {hours:.0f} hours before" if hours > 0 else "for more than a month before"
            missing.append(f"Demand was unknown {age} {describe_intervals(targets, gap, history.context)}.")
        return missing

    def _by_stand_in(self, history: History, targets: dy.DataFrame[Targets]) -> tuple[Array, list[str]]:
        """Return a baseline's quantiles, NaN where even it has none, and which inputs it missed."""
        try:
            forecast = self.stand_in.predict(history, targets)
        except NotEnoughHistory:
            return np.full((targets.height, len(LEVELS)), np.nan), []
        wide = forecast.values.pivot("level", index=["issued_at", "time"], values="value")
        rows = targets.join(wide, on=["issued_at", "time"], how="left", maintain_order="left")
        quantiles = rows.select(pl.col([str(level) for level in LEVELS]).cast(pl.Float64)).to_numpy()
        return quantiles, list(forecast.missing_inputs)


def _is_from_extremes(table: pl.DataFrame, targets: dy.DataFrame[Targets], history: History) -> Mask:
    """Return which targets have no temperature of their own, but one that was made of the day's extremes."""
    if not {"temperature_max", "temperature_min"} <= set(table.columns):
        return np.zeros(targets.height, dtype=np.bool_)
    issued = instants(targets["issued_at"])
    own = hourly_weather(history, instants(targets["time"]), issued, issued)["temperature"]
    return np.asarray(np.isnan(own) & table["temperature"].is_not_null().to_numpy(), dtype=np.bool_)


def fewest_rows(resolution: timedelta) -> int:
    """Return how many rows of a step trees need to learn from: four weeks, and ten leaves' worth."""
    return max(round(_FEWEST_DAYS * DAY / resolution), _FEWEST_ROWS)


def splits_of(issues: pl.DataFrame, time_zone: str, resolution: timedelta) -> dict[str, Window]:
    """Return the spans of all intervals to learn from and of the held-out ones."""
    day = local_days(instants(issues["time"]), time_zone)
    spans = {"train": issues, "validation": issues.filter(pl.Series(held_out(day.max() - day)))}
    return {
        name: Window(cast("datetime", rows["time"].min()), cast("datetime", rows["time"].max()) + resolution)
        for name, rows in spans.items()
    }


def _text_name(k: int, level: float) -> str:
    return f"trees_{k}_level_{level}.txt"
