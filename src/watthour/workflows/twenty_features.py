"""The model behind ``POST /predict``: trained beside the champion, asked with 20 features of the caller's own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, time, timedelta
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from watthour.core import metrics
from watthour.core.errors import InvalidInput, ModelError
from watthour.core.forecast import day_ahead_targets
from watthour.core.model import Manifest
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.workflows.compare import SIGNIFICANCE
from watthour.workflows.forecast import load_model
from watthour.workflows.train import fingerprint, split_days

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import ModelRegistry, Store
    from watthour.core.units import Unit
    from watthour.forecasting.twenty_features import FittedTwentyFeatures
    from watthour.workflows.forecast import Served

NAME = "twenty_features"
MEMORY = timedelta(days=3 * 366)
FROZEN_DAYS = 28


def model_name(channel: str) -> str:
    """Return the registry's name of the model for a demand channel.

    >>> model_name("grid.ny.demand")
    'grid.ny.demand.twenty_features'
    """
    return f"{channel}.{NAME}"


@dataclass(frozen=True, slots=True)
class HourAnswer:
    """The demand of one hour with its 90 % interval [MWh], and what the interval stands on."""

    demand: float
    lower: float
    upper: float
    n_hours: int  # unseen hours whose errors give the interval
    coverage_percent: float | None  # how many of the frozen hours fell into such an interval


def predict_demand(served: Served, features: Mapping[str, float]) -> HourAnswer:
    """Return the demand of one hour with its interval.

    Raises:
        InvalidInput: a feature is missing, or says something else than those it follows from.
        ModelError: the model was saved without the errors that give an interval.
    """
    from watthour.forecasting.feature_checks import check_features

    model = cast("FittedTwentyFeatures", served.forecaster)
    rows = pl.DataFrame({name: [value] for name, value in features.items()})
    check_features(features)
    if model.next_hour is None:
        raise ModelError(
            f"{served.manifest.version} was saved by an older version of Watthour and has no interval",
            remedy="Train it again with `watthour train`.",
        )
    demand = model.predict_rows(rows)
    lower, *_, upper = map(float, model.next_hour.of(demand)[0])
    coverage = served.manifest.metrics.get("coverage90_percent")
    return HourAnswer(float(demand[0]), lower, upper, model.next_hour.n_hours, coverage)


def train_features_model(store: Store, registry: ModelRegistry, context: Context, *, now: datetime) -> Manifest:
    """Train the model on what is known now, and let it serve if it is the first or better with significance.

    Both are compared on the last 28 days, of which the new one has learned nothing: one hour ahead, with the hour
    before known.

    Raises:
        NotEnoughHistory: too few days to learn from and to compare on.
        InvalidInput: the channel is no load, or not hourly.
    """
    if not context.channel.is_load:
        problem = f"{context.channel.id} is {context.channel.quantity}, no load"
        raise InvalidInput("channel", context.channel.id, problem, remedy="Name the channel of a load.")
    from watthour.forecasting.hourly_inputs import feature_table
    from watthour.forecasting.steps import require_resolution
    from watthour.forecasting.twenty_features import TwentyFeatures

    require_resolution(context, (HOUR,), NAME)
    recipe, name = TwentyFeatures(), model_name(context.channel.id)
    _first, last, _recorded = store.spans().get(context.channel.id, (now, now, now))  # an archive may end long ago
    end = min(now, last + context.resolution)
    history = store.history(context, Window(end - MEMORY, end), now)
    split = split_days(history, frozen_days=FROZEN_DAYS)
    clock = time(8)
    issues = day_ahead_targets(
        split.training, context.time_zone, resolution=context.resolution, issue_clock=clock, known_clock=clock
    )
    frozen_from = local_midnight(split.frozen[0], context.time_zone)
    challenger = recipe.fit(history.known_at(frozen_from), issues)
    frozen = feature_table(history).filter(pl.col("time") >= frozen_from).drop_nulls(["demand", "demand_lag_1h"])
    scores = _scores(frozen, challenger, context.channel.unit)
    seen = fingerprint(history)
    manifest = registry.save(
        Manifest(
            name=name,
            version=f"{NAME}-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{seen[:6]}",
            recipe=NAME,
            parameters=json.loads(json.dumps(asdict(recipe))),
            features=challenger.features,
            splits={
                "train": Window(local_midnight(split.training[0], context.time_zone), frozen_from),
                "frozen": Window(frozen_from, local_midnight(split.frozen[-1] + DAY, context.time_zone)),
            },
            data_fingerprint=seen,
            metrics=metrics.known(scores),
            created_at=now,
        ),
        {**challenger.files(), "importance.json": json.dumps(dict(challenger.importance), indent=2).encode()},
    )
    reason = _reason_to_serve(registry, name, challenger, frozen)
    if reason is not None:
        registry.promote(name, manifest.version, now=now, reason=reason)
    return manifest


def _scores(frozen: pl.DataFrame, model: FittedTwentyFeatures, unit: Unit) -> dict[str, float]:
    actual, predicted = frozen["demand"].to_numpy(), model.predict_rows(frozen)
    scores = metrics.scores(actual, predicted, unit=unit)
    for name, lag in (("hour_before", "demand_lag_1h"), ("day_before", "demand_lag_24h")):
        before = metrics.scores(actual, frozen[lag].to_numpy(), unit=unit)
        scores |= {f"{name}_{key}": value for key, value in before.items() if key.startswith("mae")}
    if model.next_hour is not None:
        quantiles = model.next_hour.of(predicted)
        scores["coverage90_percent"] = 100 * float(np.mean((quantiles[:, 0] <= actual) & (actual <= quantiles[:, -1])))
    return scores


def _reason_to_serve(
    registry: ModelRegistry, name: str, challenger: FittedTwentyFeatures, frozen: pl.DataFrame
) -> str | None:
    """Return why the challenger should serve, or None if the champion stays."""
    if registry.champion(name) is None:
        return "No other model is in use yet."
    try:
        champion = cast("FittedTwentyFeatures", load_model(registry, name).forecaster)
        theirs = _daily_errors(frozen, champion)
    except (ModelError, InvalidInput) as error:
        return f"The champion could not be compared: {error}"
    from watthour.forecasting.significance import diebold_mariano

    mine = _daily_errors(frozen, challenger)
    p_value = diebold_mariano(mine, theirs)[1]
    if p_value >= SIGNIFICANCE:
        return None
    return (
        f"On {len(mine)} frozen days its mean absolute error is {mine.mean():,.1f} and the champion's "
        f"{theirs.mean():,.1f} (Diebold-Mariano, one-sided: p = {p_value:.3f})."
    )


def _daily_errors(frozen: pl.DataFrame, model: FittedTwentyFeatures) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    errors = frozen.with_columns(error=(pl.Series(model.predict_rows(frozen)) - pl.col("demand")).abs())
    return errors.group_by(pl.col("time").dt.date()).agg(pl.col("error").mean()).sort("time")["error"].to_numpy()
