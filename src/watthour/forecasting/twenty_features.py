"""LightGBM on 20 plain features of one hour, for callers who bring their own; and the same, step by step, for a day.

The hour before is one of the features, so the model forecasts the next hour. A day ahead it feeds its own forecasts
back, and its intervals grow with the distance as its errors did.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import HOUR
from watthour.forecasting.hourly_inputs import (
    DAY,
    FEATURES,
    FEWEST_IN_A_DAY,
    NAME,
    WEATHER,
    WEEK,
    feature_table,
    hourly_calendar,
    hourly_weather,
)
from watthour.forecasting.positive_load import check_loads
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.steps import check_targets, require_resolution
from watthour.forecasting.vintages import HOUR_US, datetimes, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.forecasting.vintages import Array

# So far back a feed may have stopped and the steps still begin at its end: EIA's is up to two days late at worst. [h]
FEED_LAG = 48
FEWEST_HOURS = 60 * DAY  # of demand with its lags
LEARNING_SHARE = 0.8  # the rest, later in time, stops the learning and gives the intervals
BLOCK = 12  # leads that share their intervals [h]
FEWEST_ERRORS = 100  # a block with fewer takes the interval of the one before
MODEL_FILE, SPREAD_FILE, NEXT_HOUR_FILE = "model.txt", "spread.json", "next_hour.json"


@dataclass(frozen=True, slots=True)
class NextHourErrors:
    """How far off the model was one hour ahead, on hours that it had not learned from."""

    relative: tuple[float, ...]  # quantiles at each of LEVELS of demand / forecast - 1
    n_hours: int

    def of(self, demand: Array) -> Array:
        """Return the quantiles around forecasts of one hour: (rows, levels of LEVELS) [unit of the forecasts]."""
        return np.maximum(demand[:, None] * (1 + np.array(self.relative, dtype=np.float64)), np.float64(0))


@dataclass(frozen=True, slots=True)
class TwentyFeatures:
    """How to make the model: plain LightGBM on the change since the hour before."""

    rounds: int = 600
    learning_rate: float = 0.06
    leaves: int = 31
    seed: int = 20

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedTwentyFeatures:
        """Learn from the hours that the issues ask for.

        Raises:
            NotEnoughHistory: too few of them have their demand and its lags.
            InvalidInput: the channel is not hourly, or its load is not positive.
        """
        require_resolution(history.context, (HOUR,), NAME)
        check_loads(history, "the model of the twenty features", NAME, why="measures its errors in parts of the load")
        table = (
            feature_table(history)
            .join(issues.select("time").unique(), on="time", how="semi")
            .drop_nulls(["demand", "demand_lag_1h"])
            .sort("time")
        )
        if table.height < FEWEST_HOURS:
            raise NotEnoughHistory(
                f"{history.context.channel.id} has {table.height} hours to learn 20 features from; at least "
                f"{FEWEST_HOURS} are needed",
                remedy="Add more readings with `watthour backfill` or `watthour import`.",
            )
        cut = int(LEARNING_SHARE * table.height)
        model = FittedTwentyFeatures(self._learn(table[:cut], table[cut:]), {})
        unseen = Targets.cast(issues.filter(pl.col("time").is_between(table["time"][cut], table["time"][-1])))
        spread = _spread(model, history, unseen, table[cut:])
        return FittedTwentyFeatures(model.text, spread, _next_hour(model, table[cut:]))

    def _learn(self, learn: pl.DataFrame, later: pl.DataFrame) -> bytes:
        import lightgbm  # five seconds, for which only a training should wait

        booster = lightgbm.train(
            {
                "objective": "regression",
                "learning_rate": self.learning_rate,
                "num_leaves": self.leaves,
                "min_data_in_leaf": 40,
                "feature_fraction": 0.8,
                "bagging_fraction": 0.8,
                "bagging_freq": 1,
                "seed": self.seed,
                "deterministic": True,
                "force_row_wise": True,
                "num_threads": 1,
                "verbose": -1,
            },
            _dataset(lightgbm, learn),
            num_boost_round=self.rounds,
            valid_sets=[_dataset(lightgbm, later)],
            callbacks=[lightgbm.early_stopping(40, verbose=False)],
        )
        return booster.model_to_string().encode()


@dataclass(frozen=True)
class FittedTwentyFeatures:
    """The model, and how far off it was by distance."""

    text: bytes  # LightGBM's own format
    spread: Mapping[str, Sequence[float]]  # block of leads -> relative error at each of LEVELS
    next_hour: NextHourErrors | None = None  # models saved before version 0.2 have none
    features: tuple[str, ...] = FEATURES

    def predict_rows(self, rows: pl.DataFrame) -> Array:
        """Return the demand of each row of 20 features: (rows,) [MWh].

        Raises:
            InvalidInput: a feature is missing.
        """
        missing = [name for name in FEATURES if name not in rows.columns]
        if missing:
            remedy = f"Give all {len(FEATURES)}: {', '.join(FEATURES)}."
            raise InvalidInput(missing[0], None, "this feature is missing", remedy=remedy)
        return self._demand(rows.select(pl.col(FEATURES).cast(pl.Float64)).to_numpy())

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast hour after hour from the last known one, all issues at once.

        Raises:
            NotEnoughHistory: no issue has any demand in the week before it, or no error of the model is known.
            InvalidInput: the channel is not hourly, or the targets are not hours of it.
        """
        require_resolution(history.context, (HOUR,), NAME)
        check_targets(targets, history.context)
        if not self.spread:
            raise NotEnoughHistory(
                f"no past error of this {NAME} model is known, so it has no intervals",
                remedy="Train it again on a longer history.",
            )
        points, missing = _walk(self, history, targets)
        errors = np.array([self.spread[str(block)] for block in range(len(self.spread))])
        block = ((points["lead"].fill_null(1) - 1) // BLOCK).clip(0, len(errors) - 1).to_numpy()
        quantiles = points["value"].to_numpy()[:, None] * (1 + errors[block])
        return quantile_forecast(targets, quantiles, history.context, model=NAME, missing_inputs=missing)

    def files(self) -> Mapping[str, bytes]:
        """Return the model as LightGBM's text and the spread as JSON."""
        files = {MODEL_FILE: self.text, SPREAD_FILE: json.dumps(dict(self.spread), sort_keys=True).encode()}
        if self.next_hour is not None:
            files[NEXT_HOUR_FILE] = json.dumps(asdict(self.next_hour), sort_keys=True).encode()
        return files

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build the model again, opened, so that its first caller does not wait for LightGBM."""
        kept = json.loads(files[NEXT_HOUR_FILE]) if NEXT_HOUR_FILE in files else None
        next_hour = NextHourErrors(tuple(kept["relative"]), kept["n_hours"]) if kept is not None else None
        model = cls(files[MODEL_FILE], json.loads(files[SPREAD_FILE]), next_hour)
        model._booster  # noqa: B018 - opens it
        return model

    @property
    def importance(self) -> Mapping[str, float]:
        """By how much each feature reduced the loss."""
        gains = self._booster.feature_importance("gain")
        return dict(zip(FEATURES, map(float, gains), strict=True))

    @cached_property
    def _booster(self) -> Any:  # noqa: ANN401 - LightGBM ships no types
        import lightgbm  # as above

        return lightgbm.Booster(model_str=self.text.decode())

    def _demand(self, rows: Array) -> Array:
        change = np.asarray(self._booster.predict(rows, num_threads=1), dtype=np.float64)
        return np.asarray(rows[:, FEATURES.index("demand_lag_1h")] + change, dtype=np.float64)


def _walk(
    model: FittedTwentyFeatures, history: History, targets: dy.DataFrame[Targets]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return ``issued_at, known_until, time, lead, value``, a row per target, and which inputs were missing."""
    channel = history.context.channel.id
    issues = targets.select("issued_at", "known_until").unique().sort("issued_at", "known_until")
    issued = instants(issues["issued_at"])[:, None]
    asked = instants(targets["time"])
    phase = asked[0] % HOUR_US
    known, own = (  # the first unknown hour of each issue, and of that of each target
        (instants(each["known_until"]) - phase) // HOUR_US * HOUR_US + phase for each in (issues, targets)
    )
    ahead = max(1, int((asked - own).max() // HOUR_US + 1))
    span = np.arange(-(WEEK + FEED_LAG), ahead)
    times = known[:, None] + span * HOUR_US  # (issue, hour)
    demand = measurement_vintages(history, channel).known(times, issued)
    demand[:, span >= 0] = np.nan
    if np.isnan(demand).all():
        raise NotEnoughHistory(
            f"{channel} has no demand in the {(WEEK + FEED_LAG) // DAY} days before any of the issues",
            remedy="Add more readings with `watthour backfill` or `watthour import`.",
        )
    steps = span >= -FEED_LAG
    is_stale = np.isnan(demand[:, steps & (span < 0)]).all(axis=1)
    when = times[:, steps]
    outside = {**hourly_weather(history, when, issued, issued), **hourly_calendar(when, history.context)}
    _fill(model, demand, outside, first=int(steps.argmax()))
    points = pl.DataFrame(
        {
            "issued_at": datetimes(np.broadcast_to(issued, times.shape).ravel()),
            "known_until": pl.Series(issues["known_until"]).gather(np.repeat(np.arange(len(times)), len(span))),
            "time": datetimes(times.ravel()),
            "lead": np.tile(span + 1, len(times)),
            "value": demand.ravel(),
            "is_stale": np.repeat(is_stale, len(span)),
        }
    ).filter(pl.col("lead") > 0)
    keys = ["issued_at", "known_until", "time"]
    found = targets.join(points, on=keys, how="left", maintain_order="left")
    used = model.importance
    missing = [f"weather: {n}" for n in WEATHER if used[n] > 0 and np.isnan(outside[n][:, FEED_LAG:]).all()]
    if (stale := found["is_stale"].fill_null(value=False).to_numpy()).any():
        where = describe_intervals(targets, stale, history.context)
        missing.append(
            f"No demand of the {FEED_LAG} hours before was known for {where}: the last known hour is used instead."
        )
    return found, tuple(missing)


def _fill(model: FittedTwentyFeatures, demand: Array, outside: Mapping[str, Array], *, first: int) -> None:
    """Forecast every unknown hour from column ``first`` on, in place; each step stands on those before it."""
    last = _last_known(demand[:, :first])
    for step in range(first, demand.shape[1]):
        current = demand[:, step]
        unknown = np.isnan(current)
        if unknown.any():
            day = demand[unknown, step - DAY : step]
            enough = (~np.isnan(day)).sum(axis=1) >= FEWEST_IN_A_DAY
            mean, deviation = (np.full(len(day), np.nan) for _ in range(2))
            mean[enough] = np.nanmean(day[enough], axis=1)
            deviation[enough] = np.nanstd(day[enough], axis=1, ddof=1)
            columns = {
                **{name: column[unknown, step - first] for name, column in outside.items()},
                "demand_lag_1h": last[unknown],
                "demand_lag_24h": demand[unknown, step - DAY],
                "demand_lag_168h": demand[unknown, step - WEEK],
                "demand_rolling_mean_24h": mean,
                "demand_rolling_std_24h": deviation,
            }
            has_basis = ~np.isnan(last[unknown])
            rows = np.column_stack([columns[name] for name in FEATURES])
            predicted = np.full(len(rows), np.nan)
            if has_basis.any():
                predicted[has_basis] = model._demand(rows[has_basis])  # noqa: SLF001 - its own module
            current[unknown] = predicted
        last = np.where(np.isnan(demand[:, step]), last, demand[:, step])


def _last_known(demand: Array) -> Array:
    """Return each row's last value that is there, NaN if none is."""
    position = np.where(np.isnan(demand), -1, np.arange(demand.shape[1])).max(axis=1)
    return np.where(position >= 0, demand[np.arange(len(demand)), position], np.nan)


def _spread(
    model: FittedTwentyFeatures, history: History, unseen: dy.DataFrame[Targets], later: pl.DataFrame
) -> dict[str, list[float]]:
    """Return the quantiles of the relative errors on hours the model has not learned from, by distance."""
    if unseen.is_empty():
        walked = later.with_columns(lead=pl.lit(1), value=pl.Series(model.predict_rows(later)))
    else:
        points, _ = _walk(model, history, unseen)
        walked = points.drop("is_stale").join(later.select("time", "demand"), on="time")
    errors = (
        walked.drop_nulls("value")
        .filter(pl.col("value") > 0)
        .select(block=(pl.col("lead") - 1) // BLOCK, error=pl.col("demand") / pl.col("value") - 1)
    )
    if errors.is_empty():
        raise NotEnoughHistory(
            "no hour is left on which the model can be tested, so its intervals cannot be known",
            remedy="Add more readings with `watthour backfill` or `watthour import`.",
        )
    spread: dict[str, list[float]] = {}
    fewest = min(FEWEST_ERRORS, errors.height)
    for block in range(int(cast("int", errors["block"].max() or 0)) + 1):
        mine = errors.filter(pl.col("block") == block)["error"].to_numpy()
        if len(mine) >= fewest:
            spread[str(block)] = [float(np.quantile(mine, level)) for level in LEVELS]
    return _without_gaps(spread)


def _next_hour(model: FittedTwentyFeatures, later: pl.DataFrame) -> NextHourErrors | None:
    """Return the quantiles of the relative errors one hour ahead; None where nothing above zero was forecast."""
    predicted, demand = model.predict_rows(later), later["demand"].to_numpy()
    is_positive = predicted > 0
    if not is_positive.any():
        return None
    errors = demand[is_positive] / predicted[is_positive] - 1
    return NextHourErrors(tuple(float(np.quantile(errors, level)) for level in LEVELS), len(errors))


def _without_gaps(spread: dict[str, list[float]]) -> dict[str, list[float]]:
    """Give a block without errors of its own the spread of the next one before it, or else after it."""
    own = sorted(map(int, spread))
    nearest = [max((k for k in own if k <= block), default=own[0]) for block in range(own[-1] + 1)]
    return {str(block): spread[str(k)] for block, k in enumerate(nearest)}


def _dataset(lightgbm: Any, table: pl.DataFrame) -> Any:  # noqa: ANN401 - LightGBM ships no types
    change = (table["demand"] - table["demand_lag_1h"]).to_numpy()
    return lightgbm.Dataset(table.select(FEATURES).to_numpy(), change, feature_name=list(FEATURES), free_raw_data=False)
