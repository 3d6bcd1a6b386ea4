"""Forecasts for a notebook: a plain table in, a plain table out; no store, no settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from watthour.core.errors import InvalidInput, MissingExtra, NotEnoughHistory, WatthourError
from watthour.core.frames import LEVELS
from watthour.core.place import Place
from watthour.core.window import DAY
from watthour.forecasting.calibrate import between_levels
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.dataframe_io import Columns, as_in_table
from watthour.forecasting.fleet import (
    RIVALS,
    backtest_series,
    default_horizon,
    fit_all,
    forecast_all,
    issues_at,
    past_issues,
    pooled_growth,
)
from watthour.forecasting.series_table import SeriesTable, read, with_future

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.forecast import Forecast, Forecaster, History, Recipe
    from watthour.forecasting.fleet import Progress

POOLED = "gradient_boosting"  # the kind of model that can learn from many series at once


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
        latitude: of the meter [degrees north], for models that look at the sun.
        longitude: of it [degrees east].
        model: a name of the catalogue.
        parameters: of that model.
        local: fit each series alone; else trees learn from all series of the table together.
    """

    series: str = "unique_id"
    time: str = "ds"
    target: str = "y"
    covariates: tuple[str, ...] = ()
    time_zone: str = "UTC"
    holidays: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    model: str = POOLED
    parameters: Mapping[str, object] | None = None
    local: bool = False

    def fit(
        self,
        frame: Any,  # noqa: ANN401 - polars or pandas, the latter not installed here
        *,
        horizon: int | None = None,
        workers: int = 1,
        progress: Progress = False,
    ) -> FittedDayAhead:
        """Learn each series up to its end, to forecast up to ``horizon`` intervals ahead.

        A series that cannot be learned does not stop the others: a warning says which and why.

        Args:
            frame: one row per series and interval.
            horizon: how many intervals ahead; a day of them if not said, a week where intervals are days.
            workers: series worked at the same time, in threads.
            progress: show a bar, or call this with the number of series done and to do.

        Raises:
            InvalidInput: there is no row, or a column is missing, holds text, or has the same time twice.
            NotEnoughHistory: no series can be learned.
        """
        table = read(frame, self._columns())
        made = self._recipe(table)
        steps = default_horizon(table.step) if horizon is None else horizon
        issues = {name: past_issues(past, steps) for name, past in table.pasts.items()}
        found = fit_all(
            made, table.pasts, issues, is_pooled=table.is_many and not self.local, workers=workers, progress=progress
        )
        models, problems = table.sorted_out(found, "learned")
        return FittedDayAhead(made, table, steps, models, problems, is_local=self.local)

    def backtest(
        self,
        frame: Any,  # noqa: ANN401 - polars or pandas
        days: int = 28,
        *,
        rivals: Sequence[str] = RIVALS,
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given
        """Forecast each of the last days as ``FittedDayAhead.backtest`` does, without learning the whole table first.

        Raises:
            InvalidInput: the table cannot be read.
            NotEnoughHistory: nothing is left to learn from before those days in any series.
        """
        table = read(frame, self._columns())
        return backtest_series(
            self._recipe(table), table, days, rivals=rivals, is_local=self.local, workers=workers, progress=progress
        )

    def _columns(self) -> Columns:
        place = Place(self.time_zone, self.latitude, self.longitude, self.holidays)
        return Columns(self.series, self.time, self.target, tuple(self.covariates), place)

    def _recipe(self, table: SeriesTable) -> Recipe:
        is_pooled = self.model == POOLED and table.is_many and not self.local
        return recipe(self.model, {**(pooled_growth() if is_pooled else {}), **(self.parameters or {})})


@dataclass(frozen=True, slots=True, eq=False)
class FittedDayAhead:
    """A model per series, and the table they were learned from."""

    recipe: Recipe
    table: SeriesTable
    horizon: int
    models: Mapping[str, Forecaster]
    problems: Mapping[str, str]  # series that could not be learned, and why
    is_local: bool = False

    @property
    def pasts(self) -> Mapping[str, History]:
        """What is known of each series."""
        return self.table.pasts

    def predict(
        self,
        horizon: int | None = None,
        levels: Sequence[float] = (0.05, 0.95),
        *,
        future: Any | None = None,  # noqa: ANN401 - polars or pandas
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given to fit
        """Return the next intervals of each series: its name, time, ``forecast`` (the median) and the levels asked.

        A series that cannot be forecast does not stop the others: it is left out, and a warning says why.

        Args:
            horizon: how many intervals; at most as many as were learned.
            levels: quantiles between 0.05 and 0.95.
            future: future values of the covariates, with the columns of the table given to ``fit``.
            workers: series worked at the same time, in threads.
            progress: show a bar, or call this with the number of series done and to do.

        Raises:
            InvalidInput: a horizon or level that was not learned.
            NotEnoughHistory: no series can be forecast.
        """
        if any(not LEVELS[0] <= level <= LEVELS[-1] for level in levels):
            raise InvalidInput("levels", list(levels), "known from 0.05 to 0.95", remedy="Ask for levels between.")
        found = self._forecasts(self._steps(horizon), self.table.ahead(future), workers, progress)
        forecasts, _ = self.table.sorted_out(found, "forecast")
        parts = [
            self._quantiles(forecast, levels).insert_column(0, pl.lit(name).alias(self.table.columns.series))
            for name, forecast in forecasts.items()
        ]
        return self.table.as_given(pl.concat(parts))

    def notes(self, horizon: int | None = None) -> dict[str, tuple[str, ...]]:
        """Return, for each series, what its forecast missed and what answered instead, or why there is none."""
        found = self._forecasts(self._steps(horizon), {}, 1, progress=False)
        notes: dict[str, tuple[str, ...]] = {name: (problem,) for name, problem in self.problems.items()}
        for name, forecast in found.items():
            if isinstance(forecast, WatthourError):
                notes[name] = (self.table.problem(name, forecast),)
            else:
                notes[name] = (*forecast.missing_inputs, *([forecast.fallback] if forecast.fallback else []))
        return notes

    def backtest(
        self, days: int = 28, *, rivals: Sequence[str] = RIVALS, workers: int = 1, progress: Progress = False
    ) -> Any:  # noqa: ANN401 - as given to fit
        """Forecast each of the last days at its beginning, learned once before them, beside rivals.

        Rivals are names of the catalogue, two simple rules if not said. Returns one row per
        series and model: n, mae, mape_percent, rmse, bias, coverage90_percent, skill_percent ...
        A series too short for it is left out, and a warning says so.

        Raises:
            NotEnoughHistory: nothing is left to learn from before those days in any series.
        """
        return backtest_series(
            self.recipe, self.table, days, rivals=rivals, is_local=self.is_local, workers=workers, progress=progress
        )

    def plot(self, series: str | None = None, horizon: int | None = None, *, past_days: int = 7) -> Any:  # noqa: ANN401 - matplotlib has no types
        """Draw the last days of a series and its forecast with the 90 % band; returns the axes.

        Raises:
            MissingExtra: matplotlib is not installed.
            InvalidInput: there is no such series.
            NotEnoughHistory: the series cannot be forecast.
        """
        try:
            import matplotlib.pyplot as plt  # an extra
        except ImportError as error:
            raise MissingExtra("matplotlib", "plot") from error
        name = series or next(iter(self.pasts))
        if name not in self.pasts:
            raise InvalidInput("series", name, "no such series", remedy=f"There are: {', '.join(self.pasts)}.")
        past, columns = self.pasts[name], self.table.columns
        known = past.latest().filter(
            pl.col("channel") == past.context.channel.id, pl.col("time") >= past.as_of - past_days * DAY
        )
        forecast = self._forecasts(self._steps(horizon), {}, 1, progress=False, only=name)[name]
        if isinstance(forecast, WatthourError):
            raise NotEnoughHistory(self.table.problem(name, forecast), remedy="Give more rows.") from forecast
        band = as_in_table(self._quantiles(forecast, (LEVELS[0], LEVELS[-1])), columns)
        known = as_in_table(known.select(pl.col("time").alias(columns.time), "value"), columns)
        _, axes = plt.subplots(figsize=(9, 3.5), layout="constrained")
        axes.plot(known[columns.time].to_list(), known["value"].to_list(), color="0.35", label="measured")
        when = band[columns.time].to_list()
        axes.fill_between(when, band["0.05"].to_list(), band["0.95"].to_list(), alpha=0.25, label="90 %", linewidth=0)
        axes.plot(when, band["forecast"].to_list(), label="forecast")
        axes.set_title(name)
        axes.set_ylabel(columns.target)
        axes.legend(frameon=False, ncols=3, loc="upper left")
        return axes

    def _steps(self, horizon: int | None) -> int:
        steps = self.horizon if horizon is None else horizon
        if not 0 < steps <= self.horizon:
            raise InvalidInput(
                "horizon", steps, f"{self.horizon} intervals were learned", remedy="Give fit a longer horizon."
            )
        return steps

    def _forecasts(
        self, steps: int, ahead: Mapping[str, History], workers: int, progress: Progress, only: str | None = None
    ) -> dict[str, Forecast | WatthourError]:
        """Return the forecast of each series that has a model, or of one, with what is known of the time ahead."""
        models = {name: model for name, model in self.models.items() if only in (None, name)}
        pasts: dict[str, History] = {}
        for name in models:
            past, more = self.pasts[name], ahead.get(name)
            pasts[name] = past if more is None else with_future(past, more)
        targets = {name: issues_at(past, [past.as_of], steps) for name, past in pasts.items()}
        return forecast_all(models, pasts, targets, workers=workers, progress=progress)

    def _quantiles(self, forecast: Forecast, levels: Sequence[float]) -> pl.DataFrame:
        """Return ``time, forecast`` and a column per level."""
        wide = forecast.values.pivot("level", index="time", values="value").sort("time")
        known = wide.select([str(level) for level in LEVELS]).to_numpy()
        wanted = between_levels(known, LEVELS, list(levels))
        return pl.DataFrame(
            {
                self.table.columns.time: wide["time"],
                "forecast": wide["0.5"],
                **{str(level): wanted[:, k] for k, level in enumerate(levels)},
            }
        )
