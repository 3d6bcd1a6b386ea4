"""Forecasts for a notebook: a plain table in, a plain table out; no store, no settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import polars as pl

from watthour.core.errors import InvalidInput, MissingExtra, NotEnoughHistory
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import DAY
from watthour.forecasting.backtest import predict_with_actuals, scores
from watthour.forecasting.calibrate import between_levels
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.table import Columns, as_given, as_polars, histories, spoken, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster, History, Recipe

RIVALS = ("seasonal_naive", "persistence_ensemble")
_OURS = "ours"
_FIRST_DAYS = 9  # before the first issue to learn from, so that a week of lags is known
_LONGEST_LEARNED_DAYS = 4 * 366


@dataclass(frozen=True, slots=True)
class DayAhead:
    """What the columns are called, where the meter is, and which model to use.

    Args:
        series: column that tells one series from another; may be absent.
        time: column of interval starts; naive times are local to ``time_zone``.
        target: column to forecast.
        covariates: columns known in advance, such as ``temperature``; give their future values to ``predict``.
        time_zone: of the meter's clock.
        holidays: ISO code of a holiday calendar, such as ``FR`` or ``US-NY``.
        model: a name of the catalogue.
        parameters: of that model.
    """

    series: str = "unique_id"
    time: str = "ds"
    target: str = "y"
    covariates: tuple[str, ...] = ()
    time_zone: str = "UTC"
    holidays: str | None = None
    model: str = "gradient_boosting"
    parameters: Mapping[str, object] | None = None

    def fit(self, frame: Any, *, horizon: int = 24) -> FittedDayAhead:  # noqa: ANN401 - polars or pandas, the latter not installed here
        """Learn each series up to its end, to forecast up to ``horizon`` intervals ahead.

        Raises:
            InvalidInput: a column is missing, holds text, or has the same time twice.
        """
        table = as_polars(frame)
        columns = Columns(
            self.series,
            self.time,
            self.target,
            tuple(self.covariates),
            self.time_zone,
            self.holidays,
            is_naive=getattr(table.schema.get(self.time), "time_zone", None) is None,
        )
        pasts = histories(tidy(table, columns), columns)
        made = recipe(self.model, self.parameters)
        models = {name: made.fit(past, _past_issues(past, horizon)) for name, past in pasts.items()}
        return FittedDayAhead(made, columns, horizon, pasts, models, is_pandas=table is not frame)


@dataclass(frozen=True, slots=True, eq=False)
class FittedDayAhead:
    """A model per series, and the table each was learned from."""

    recipe: Recipe
    columns: Columns
    horizon: int
    pasts: Mapping[str, History]
    models: Mapping[str, Forecaster]
    is_pandas: bool

    def predict(
        self,
        horizon: int | None = None,
        levels: Sequence[float] = (0.05, 0.95),
        *,
        future: Any | None = None,  # noqa: ANN401 - polars or pandas
    ) -> Any:  # noqa: ANN401 - as given to fit
        """Return the next intervals of each series: its name, time, ``forecast`` (the median) and the levels asked.

        Args:
            horizon: how many intervals; at most as many as were learned.
            levels: quantiles between 0.05 and 0.95.
            future: future values of the covariates, with the columns of the table given to ``fit``.

        Raises:
            InvalidInput: a horizon or level that was not learned.
        """
        steps = self.horizon if horizon is None else horizon
        if not 0 < steps <= self.horizon:
            raise InvalidInput(
                "horizon", steps, f"{self.horizon} intervals were learned", remedy="Give fit a longer horizon."
            )
        if any(not LEVELS[0] <= level <= LEVELS[-1] for level in levels):
            raise InvalidInput("levels", list(levels), "known from 0.05 to 0.95", remedy="Ask for levels between.")
        ahead = self._ahead(future)
        parts = [
            self._quantiles(self._answer(name, steps, ahead.get(name)), levels).insert_column(
                0, pl.lit(name).alias(self.columns.series)
            )
            for name in self.pasts
        ]
        return as_given(spoken(pl.concat(parts), self.columns), is_pandas=self.is_pandas)

    def notes(self, horizon: int | None = None) -> dict[str, tuple[str, ...]]:
        """Return, for each series, what its forecast lacked and what answered instead."""
        answers = {name: self._answer(name, horizon or self.horizon, None) for name in self.pasts}
        return {
            name: (*answer.missing_inputs, *([answer.fallback] if answer.fallback else []))
            for name, answer in answers.items()
        }

    def backtest(self, days: int = 28) -> Any:  # noqa: ANN401 - as given to fit
        """Forecast each of the last days at its beginning, learned once before them, beside two simple rivals.

        Returns one row per series and model: n, mae, mape_percent, rmse, bias, coverage90_percent, skill_percent ...

        Raises:
            NotEnoughHistory: nothing is left to learn from before those days.
        """
        parts: list[pl.DataFrame] = []
        for name, past in self.pasts.items():
            begin = past.as_of - days * DAY
            learned = _past_issues(past.known_at(begin), self._day_steps(past))
            if learned.is_empty():
                raise NotEnoughHistory(
                    f"{name} has nothing to learn from before its last {days} days", remedy="Give fewer days."
                )
            asked = _issues(past, [begin + n * DAY for n in range(days)], self._day_steps(past))
            entrants = {_OURS: self.recipe, **{rival: recipe(rival) for rival in RIVALS}}
            table = pl.concat(
                predict_with_actuals(entrant.fit(past.known_at(begin), learned), past, asked).with_columns(
                    model=pl.lit(label)
                )
                for label, entrant in entrants.items()
            )
            rows = scores(table, against=RIVALS[0])
            parts.append(rows.insert_column(0, pl.lit(name).alias(self.columns.series)))
        return as_given(pl.concat(parts), is_pandas=self.is_pandas)

    def plot(self, series: str | None = None, horizon: int | None = None, *, past_days: int = 7) -> Any:  # noqa: ANN401 - matplotlib has no types
        """Draw the last days of a series and its forecast with the 90 % band; returns the axes.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        try:
            import matplotlib.pyplot as plt  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtra("matplotlib", "plot") from error
        name = series or next(iter(self.pasts))
        if name not in self.pasts:
            raise InvalidInput("series", name, "no such series", remedy=f"There are: {', '.join(self.pasts)}.")
        past = self.pasts[name]
        seen = past.latest().filter(
            pl.col("channel") == past.context.channel, pl.col("time") >= past.as_of - past_days * DAY
        )
        band = spoken(
            self._quantiles(self._answer(name, horizon or self.horizon, None), (LEVELS[0], LEVELS[-1])), self.columns
        )
        known = spoken(seen.select(pl.col("time").alias(self.columns.time), "value"), self.columns)
        _, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
        axes.plot(known[self.columns.time].to_list(), known["value"].to_list(), color="0.35", label="measured")
        when = band[self.columns.time].to_list()
        axes.fill_between(when, band["0.05"].to_list(), band["0.95"].to_list(), alpha=0.25, label="90 %", linewidth=0)
        axes.plot(when, band["forecast"].to_list(), label="forecast")
        axes.set_title(name)
        axes.set_ylabel(self.columns.target)
        axes.legend(frameon=False, ncols=3, loc="upper left")
        return axes

    def _ahead(self, future: Any | None) -> dict[str, History]:  # noqa: ANN401 - polars or pandas
        if future is None:
            return {}
        step = next(iter(self.pasts.values())).context.resolution
        return histories(tidy(as_polars(future), self.columns, is_future=True), self.columns, step)

    def _answer(self, name: str, steps: int, ahead: History | None) -> Forecast:
        past = self.pasts[name]
        asked = _issues(past, [past.as_of], steps)
        if ahead is not None:
            past = replace(past, readings=pl.concat([past.readings, ahead.readings]))  # type: ignore[arg-type]  # both are Readings
        return self.models[name].predict(past, asked)

    def _quantiles(self, answer: Forecast, levels: Sequence[float]) -> pl.DataFrame:
        """Return ``time, forecast`` and a column per level."""
        wide = answer.values.pivot("level", index="time", values="value").sort("time")
        known = wide.select([str(level) for level in LEVELS]).to_numpy()
        wanted = between_levels(known, LEVELS, list(levels))
        return pl.DataFrame(
            {
                self.columns.time: wide["time"],
                "forecast": wide["0.5"],
                **{str(level): wanted[:, k] for k, level in enumerate(levels)},
            }
        )

    def _day_steps(self, past: History) -> int:
        return round(DAY / past.context.resolution)


def _past_issues(past: History, horizon: int) -> dy.DataFrame[Targets]:
    """Return one issue a day, at the clock time of the end, whose intervals have all been measured."""
    first = cast("datetime", past.readings.filter(pl.col("channel") == past.context.channel)["time"].min())
    span = horizon * past.context.resolution
    n_days = min((past.as_of - span - first) // DAY - _FIRST_DAYS, _LONGEST_LEARNED_DAYS)
    last = past.as_of - span
    return _issues(past, [last - n * DAY for n in range(max(n_days, 0))][::-1], horizon)


def _issues(past: History, instants: Sequence[datetime], steps: int) -> dy.DataFrame[Targets]:
    """Return what is asked at each instant: the next ``steps`` intervals, everything before being known."""
    issued = pl.DataFrame({"issued_at": instants}, schema={"issued_at": pl.Datetime("us", "UTC")})
    step = past.context.resolution
    ahead = pl.DataFrame({"ahead": [n * step for n in range(steps)]}, schema={"ahead": pl.Duration("us")})
    return Targets.cast(
        issued.join(ahead, how="cross").select(
            "issued_at", (pl.col("issued_at") + pl.col("ahead")).alias("time"), pl.col("issued_at").alias("known_until")
        )
    )
