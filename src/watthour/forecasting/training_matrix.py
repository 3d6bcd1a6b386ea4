"""What trees see of each target, what their answer is a departure from, and how they learn to do without inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.frames import Targets
from watthour.forecasting.calendar import SEASON, local_days
from watthour.forecasting.features import actuals, feature_names, features
from watthour.forecasting.stand_in import level_of
from watthour.forecasting.vintages import HOUR_US, instants
from watthour.forecasting.weather import is_weather

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import History
    from watthour.forecasting.vintages import Array, Instants

    Mask = NDArray[np.bool_]

NORMAL, WITHOUT_WEATHER, STALE = 0, 1, 2  # everything as usual; no weather; demand days older than usual
_ENERGY = ("demand_", "operator_forecast")  # features in energy are divided by the recent level ...
_NOT_ENERGY = ("demand_age_hours",)  # ... but this
_EVERY = 6  # one day in six is learned once more without weather, and another one with old demand
_TWO_YEARS = 2 * 365 - 10  # before that the season is not told from the year
_MASKED = 0.1  # share of demand's features hidden in those
_BLOCKS = 5  # every fifth block of days is held out, so that all seasons are in it ...
_BLOCK_DAYS, _BLOCK_DAYS_OF_SHORT = 28, 7  # ... long ones, as trees remember a week by its neighbours
_LONG_DAYS = 400


@dataclass(frozen=True, slots=True, eq=False)
class TrainingMatrix:
    """A matrix of features with what an answer of the trees is a departure from, and in what it is measured."""

    names: list[str]
    matrix: Array  # (rows, names); energies in parts of the recent level
    reference: Array  # (rows,) [unit of the channel]
    scale: Array  # (rows,) [unit of the channel]

    @classmethod
    def of(cls, table: pl.DataFrame, *, operator: bool, names: Sequence[str] | None = None) -> Self:
        """Build it from a table of features.

        Args:
            table: of ``features``.
            operator: measure from the operator's de-biased forecast and in parts of it; else from the recent level of
                demand and in parts of that, where at least a week of the same hours is known.
            names: the features a fitted model knows; None takes all.
        """
        level = level_of(table)
        if operator:
            ratio = np.nan_to_num(table["operator_ratio_28d"].to_numpy(), nan=1.0)
            reference = scale = table["operator_forecast"].to_numpy() * ratio
        else:
            reference = scale = np.where(table["demand_same_hour_mean_28d"].is_null().to_numpy(), np.nan, level)
        names = list(names or feature_names(table))
        columns: list[Array] = []
        for name in names:
            column = table[name].to_numpy() if name in table.columns else np.full(table.height, np.nan)
            is_energy = name.startswith(_ENERGY) and name not in _NOT_ENERGY
            columns.append(column / level if is_energy else column)
        return cls(names, np.stack(columns, axis=1), reference, scale)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Rows to learn from: the targets as they were, and some once more with an input missing."""

    names: list[str]
    matrix: Array  # (rows, names)
    target: Array  # (rows,) departure from the reference, in parts of the scale
    time: Instants  # (rows,)
    kind: Instants  # (rows,) NORMAL, WITHOUT_WEATHER or STALE
    age_days: Instants  # (rows,) before the last day of the series
    series: Instants  # (rows,) number of the series in a pool, else 0
    rows_per_day: int
    usual_age: Array  # (series,) of the last known demand [hours]
    weather_features: tuple[str, ...]  # those that are mostly known

    @classmethod
    def of(cls, history: History, issues: dy.DataFrame[Targets], *, weather: bool, operator: bool) -> Self:
        """Gather what can be learned from past issues."""
        rng = np.random.default_rng(len(issues))
        day = (issues["issued_at"].rank("dense") - 1).to_numpy().astype(np.int64)
        usual = features(history, issues, weather=weather, operator=operator)
        in_advance = [name for name in feature_names(usual) if is_weather(name)]
        known_weather = tuple(name for name in in_advance if usual[name].null_count() < usual.height / 2)
        parts, asked, kinds = [usual], [pl.DataFrame(issues)], [np.full(len(issues), NORMAL)]
        stale = pl.DataFrame(issues).with_columns(_days_back(day)).filter(pl.Series(day % _EVERY == 0))
        if stale.height:
            once_more = features(history, Targets.cast(stale), weather=weather, operator=operator)
            parts.append(_masked(once_more, rng))
            asked.append(stale)
            kinds.append(np.full(stale.height, STALE))
        if known_weather:
            chosen = pl.Series(day % _EVERY == _EVERY // 2)
            hidden = [pl.lit(None, pl.Float64).alias(name) for name in in_advance]
            parts.append(_masked(usual.filter(chosen).with_columns(hidden), rng))
            asked.append(pl.DataFrame(issues).filter(chosen))
            kinds.append(np.full(parts[-1].height, WITHOUT_WEATHER))
        table, rows = pl.concat(parts, how="diagonal"), Targets.cast(pl.concat(asked).select(Targets.column_names()))
        days = (asked[0]["time"].max() - asked[0]["time"].min()).days  # type: ignore[operator, union-attr]  # instants
        names = [name for name in feature_names(table) if days >= _TWO_YEARS or name not in SEASON]
        design = TrainingMatrix.of(table, operator=operator, names=names)
        target = (actuals(history, rows) - design.reference) / design.scale
        good = np.isfinite(target)
        age = usual["demand_age_hours"].drop_nulls()
        time = instants(rows["time"])[good]
        local = local_days(time, history.context.time_zone)
        return cls(
            names=names,
            matrix=design.matrix[good],
            target=target[good],
            time=time,
            kind=np.concatenate(kinds)[good],
            age_days=local.max(initial=0) - local,
            series=np.zeros(len(time), dtype=np.int64),
            rows_per_day=max(1, round(24 * HOUR_US / (history.context.resolution.total_seconds() * 1_000_000))),
            usual_age=np.array([float(age.quantile(0.995) or 0.0) if len(age) else 0.0]),
            weather_features=known_weather,
        )

    @classmethod
    def pooled(cls, sets: Sequence[Self]) -> Self:
        """Put the rows of many series into one set, each numbered by its place; features are those all of them have."""
        names = [name for name in sets[0].names if all(name in each.names for each in sets)]
        return cls(
            names=names,
            matrix=np.concatenate([each.matrix[:, [each.names.index(name) for name in names]] for each in sets]),
            target=np.concatenate([each.target for each in sets]),
            time=np.concatenate([each.time for each in sets]),
            kind=np.concatenate([each.kind for each in sets]),
            age_days=np.concatenate([each.age_days for each in sets]),
            series=np.repeat(np.arange(len(sets)), [len(each.time) for each in sets]),
            rows_per_day=sets[0].rows_per_day,
            usual_age=np.concatenate([each.usual_age for each in sets]),
            weather_features=tuple(
                name for name in sets[0].weather_features if all(name in each.weather_features for each in sets)
            ),
        )

    @property
    def n_usual(self) -> int:
        """How many rows are as they were."""
        return int((self.kind == NORMAL).sum())

    @property
    def held_out(self) -> Mask:
        """Which rows the trees are stopped and calibrated on: (rows,)."""
        return held_out(self.age_days, self.series)


def held_out(age_days: Instants, series: Instants | None = None) -> NDArray[np.bool_]:
    """Tell which days are held out: every fifth four weeks, of a short series every fifth week; the last ones too.

    Args:
        age_days: (rows,) days before the last one of the series.
        series: (rows,) which series a row is of; None means one.
    """
    if not len(age_days):
        return np.zeros(0, dtype=bool)
    which = np.zeros(len(age_days), dtype=np.int64) if series is None else series
    longest = np.zeros(which.max() + 1, dtype=np.int64)
    np.maximum.at(longest, which, age_days)
    length = np.where(longest >= _LONG_DAYS, _BLOCK_DAYS, _BLOCK_DAYS_OF_SHORT)[which]
    return np.asarray(age_days // length % _BLOCKS == 0)


def _days_back(day: Instants) -> pl.Expr:
    """Return an earlier end of known demand: one to six days, in turn."""
    return pl.col("known_until") - pl.Series((1 + day // _EVERY % 6) * 24 * HOUR_US).cast(pl.Duration("us"))


def _masked(table: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Hide some features of demand here and there, so that the trees learn what to do where one is unknown."""
    names = [name for name in table.columns if name.startswith("demand_") and name not in _NOT_ENERGY]
    keep = rng.random((table.height, len(names))) >= _MASKED
    kept = ("demand_same_hour_mean_28d", "demand_rolling_mean_168h")  # what the answer is measured from and in
    hidden = [
        pl.when(pl.Series(keep[:, k])).then(pl.col(name)).alias(name)
        for k, name in enumerate(names)
        if name not in kept
    ]
    return table.with_columns(hidden)
