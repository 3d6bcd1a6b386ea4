"""Forecasts for a notebook: a plain table in, a plain table out; no store, no settings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from watthour.core.errors import InvalidInput, MissingExtra, WatthourError
from watthour.core.place import Place
from watthour.core.window import DAY, step_in_words
from watthour.forecasting.catalogue import RECIPES, recipe
from watthour.forecasting.combination.trial import FROM_MANY, TREES
from watthour.forecasting.dataframe_files import Saved, load, save
from watthour.forecasting.dataframe_io import Columns, as_in_table
from watthour.forecasting.dataframe_quantiles import Quantiles, beside_actuals
from watthour.forecasting.dataframe_words import blank_in_words, gap_in_words, warn_of
from watthour.forecasting.fleet import (
    RIVALS,
    DayBefore,
    EachDay,
    Windows,
    backtest_series,
    default_horizon,
    forecast_all,
    forecasts_beside,
    issue_step,
    issues_at,
    last_days,
    past_issues,
    pooled_growth,
    windows,
)
from watthour.forecasting.holiday_calendars import checked_calendar
from watthour.forecasting.model_choice import (
    AUTO,
    Choice,
    fit_auto,
    fit_named,
    shares_of,
    used_variables,
)
from watthour.forecasting.series_table import SeriesTable, read, with_future

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster, History
    from watthour.core.frames import Targets
    from watthour.forecasting.fleet import Histories, Learn, Progress, TargetsBySeries


@dataclass(frozen=True, slots=True)
class DayAhead:
    """What the columns are called, where the meter is, and which model to use.

    Args:
        series: column that tells one series from another; may be absent.
        time: column of interval starts; naive times are local to ``time_zone``.
        target: column to forecast.
        covariates: columns known in advance, such as ``temperature``; give their future values to ``predict``.
        companions: columns of one unit that the target is made of, measured beside it and not known ahead, such as the
            generation of each fuel behind a carbon intensity; ``relative_days`` looks at them.
        time_zone: of the meter's clock.
        holidays: ISO code of a holiday calendar, such as ``FR`` or ``US-NY``, or several joined by +: ``TR+ramadan``.
        latitude: of the meter [degrees north], for models that look at the sun.
        longitude: of it [degrees east].
        model: a name of the catalogue; ``auto`` combines those that do best on the last weeks of a series.
        parameters: of a named model.
        local: fit each series alone; else trees learn from all series of the table together.
    """

    series: str = "unique_id"
    time: str = "ds"
    target: str = "y"
    covariates: Sequence[str] = ()
    companions: Sequence[str] = ()
    time_zone: str = "UTC"
    holidays: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    model: str = AUTO
    parameters: Mapping[str, object] | None = None
    local: bool = False

    def fit(
        self,
        frame: Any,  # noqa: ANN401 - polars or pandas, the latter not installed here
        *,
        horizon: int | None = None,
        h: int | None = None,
        workers: int = 1,
        progress: Progress = False,
    ) -> FittedDayAhead:
        """Learn each series up to its end, to forecast up to ``horizon`` intervals ahead.

        A series that cannot be learned does not stop the others: a warning says which and why.

        Args:
            frame: one row per series and interval.
            horizon: how many intervals ahead; a day of them if not said, a week of days, 13 weeks, 12 months.
            h: the same, as Nixtla's libraries call it.
            workers: series worked at the same time, in threads.
            progress: show a bar, or call this with the number of series done and to do.

        Raises:
            InvalidInput: there is no row, or a column is missing, holds text, or has the same time twice.
            NotEnoughHistory: no series can be learned.
        """
        table = read(frame, self.columns)
        asked = _one_of(horizon, h)
        steps = default_horizon(table.step) if asked is None else _at_least_one(asked)
        issues = {name: past_issues(past, steps) for name, past in table.pasts.items()}
        found, choice = self._learned(table, table.pasts, issues, workers, progress)
        models, problems = table.sorted_out(found, "learned", depth=2)
        return FittedDayAhead(self, table, steps, models, problems, choice)

    def backtest(
        self,
        frame: Any,  # noqa: ANN401 - polars or pandas
        days: int = 28,
        *,
        rivals: Sequence[str] = RIVALS,
        issue_hour: int | None = None,
        known_hour: int | None = None,
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given
        """Forecast each of the last days as ``FittedDayAhead.backtest`` does, without learning the whole table first.

        Raises:
            InvalidInput: the table cannot be read.
            NotEnoughHistory: nothing is left to learn from before those days in any series.
        """
        table = read(frame, self.columns)
        return self._backtest(table, days, rivals, issue_hour, known_hour, workers, progress)

    def cross_validation(  # noqa: PLR0913 - each is a choice of the caller, as in Nixtla's libraries
        self,
        frame: Any,  # noqa: ANN401 - polars or pandas
        h: int | None = None,
        n_windows: int = 1,
        *,
        step_size: int | None = None,
        starts: Sequence[datetime] | None = None,
        level: Sequence[float] | None = None,
        levels: Sequence[float] | None = None,
        refit: bool = False,
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given
        """Forecast the last windows of a table as they would have been forecast, and return what was forecast.

        Args:
            frame: one row per series and interval.
            h: intervals of each window; a day of them if not said, a week of days, 13 weeks, 12 months.
            n_windows: how many; the last ends with the table.
            step_size: intervals from the start of one window to that of the next; ``h`` if not said.
            starts: instead of a number of windows, when each begins, in the clock of the table; each has ``h``
                intervals, or fewer where the next begins before.
            level: bands, as ``predict`` has them.
            levels: quantiles, likewise.
            refit: choose and learn anew before each window, not once before the first.
            workers: series worked at the same time, in threads.
            progress: show a bar, or call this with the number of series done and to do.

        Returns:
            One row per series, window and interval: its name, time, ``cutoff`` (the last interval known), the target,
            ``forecast`` and the quantiles asked.

        Raises:
            InvalidInput: the table cannot be read, or there are no windows.
            NotEnoughHistory: nothing is left to learn from before the first window in any series.
        """
        table = read(frame, self.columns)
        return self._cross_validation(
            table, h, Windows(n_windows, step_size, starts, refit), Quantiles.of(levels, level), workers, progress
        )

    @staticmethod
    def load(path: str | Path) -> FittedDayAhead:
        """Load what ``FittedDayAhead.save`` wrote; it answers exactly as before.

        Raises:
            ModelNotFound: nothing was saved there.
            ModelCorrupt: a file is missing or differs from its hash.
        """
        return FittedDayAhead.load(path)

    @property
    def columns(self) -> Columns:
        """What the columns of a table are called, and where its meter is.

        Raises:
            InvalidInput: a column has two meanings, or there is no such place or calendar.
        """
        for field, given in (("covariates", self.covariates), ("companions", self.companions)):
            if isinstance(given, str):
                remedy = f"Give them as a tuple: {field}=('{given}',)."
                raise InvalidInput(field, given, "a single text is not a list of columns", remedy=remedy)
        names = [self.series, self.time, self.target, *self.covariates, *self.companions]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            remedy = "Use a different column for series, time, target, each covariate and each companion."
            raise InvalidInput("columns", names, f"{twice} is used twice", remedy=remedy)
        holidays = None if self.holidays is None else checked_calendar(self.holidays)
        place = Place(self.time_zone, self.latitude, self.longitude, holidays)
        return Columns(self.series, self.time, self.target, tuple(self.covariates), place, tuple(self.companions))

    def _named(self, table: SeriesTable, pasts: Histories) -> Choice:
        """Return the choice of somebody who named the model.

        Raises:
            InvalidInput: there is no such model, or it has no such parameter.
        """
        if self.model not in RECIPES:
            remedy = f"Choose one of: {', '.join((AUTO, *RECIPES))}."
            raise InvalidInput("model", self.model, "no such model", remedy=remedy)
        is_pooled = self.model in FROM_MANY and table.is_many and not self.local
        growth = pooled_growth() if is_pooled and self.model == TREES else {}
        made = recipe(self.model, {**growth, **(self.parameters or {})})
        return Choice.of_one(made, list(pasts), is_pooled=is_pooled)

    def _learned(
        self, table: SeriesTable, pasts: Histories, issues: TargetsBySeries, workers: int, progress: Progress
    ) -> tuple[dict[str, Forecaster | WatthourError], Choice]:
        """Fit what suits each series by what is known of it, or the model that was named."""
        if self.model != AUTO:
            choice = self._named(table, pasts)
            return fit_named(choice, pasts, issues, workers, progress), choice
        if self.parameters:
            remedy = f"Name the model too: DayAhead(model='{TREES}', parameters=...)."
            raise InvalidInput("parameters", dict(self.parameters), "parameters need a named model", remedy=remedy)
        return fit_auto(table.problem, pasts, issues, is_local=self.local, workers=workers, progress=progress)

    def _learner(self, table: SeriesTable, workers: int, progress: Progress) -> Learn:
        return lambda pasts, issues: self._learned(table, pasts, issues, workers, progress)[0]

    def _backtest(
        self,
        table: SeriesTable,
        days: int,
        rivals: Sequence[str],
        issue_hour: int | None,
        known_hour: int | None,
        workers: int,
        progress: Progress,
    ) -> Any:  # noqa: ANN401 - as the table was given
        a_day = EachDay(max(1, round(DAY / table.step)))
        protocol = (
            a_day if issue_hour is None else DayBefore(issue_hour, issue_hour if known_hour is None else known_hour)
        )
        plans = last_days(table, days, protocol)
        learn = self._learner(table, workers, progress)
        return backtest_series(learn, table, plans, rivals=rivals, workers=workers, progress=progress)

    def _cross_validation(
        self,
        table: SeriesTable,
        h: int | None,
        asked: Windows,
        quantiles: Quantiles,
        workers: int,
        progress: Progress,
    ) -> Any:  # noqa: ANN401 - as the table was given
        steps = default_horizon(table.step) if h is None else _at_least_one(h)
        learn = self._learner(table, workers, progress)
        parts = []
        for plans in windows(table, steps, asked):
            found = forecasts_beside(learn, table, plans, workers=workers, progress=progress)
            parts += [beside_actuals(rows, name, table, quantiles) for name, rows in found.items()]
        return table.as_given(
            pl.concat(parts).sort(table.columns.series, "cutoff", table.columns.time),
            times=("cutoff", table.columns.time),
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FittedDayAhead:
    """A model per series, and the table they were learned from."""

    door: DayAhead
    table: SeriesTable
    horizon: int
    models: Mapping[str, Forecaster]
    problems: Mapping[str, str]  # series that could not be learned, and why
    _choice: Choice

    def __repr__(self) -> str:
        words = [f"{len(self.models)} series, {self.horizon} intervals of {step_in_words(self.table.step)} ahead"]
        kinds = [self._choice.recipes[name].name for name in self.models]
        counted = ", ".join(f"{kind} ({kinds.count(kind)})" for kind in dict.fromkeys(kinds))
        words.append(kinds[0] if len(set(kinds)) == 1 else counted)
        reasons = dict.fromkeys(self._choice.reasons.get(name, "") for name in self.models)
        if len(reasons) == 1 and (reason := next(iter(reasons))):
            words.append(reason)
        elif len(reasons) > 1:
            words.append("`.choice` compares the models of each series")
        return f"FittedDayAhead({'; '.join(words)})"

    @property
    def pasts(self) -> Mapping[str, History]:
        """What is known of each series."""
        return self.table.pasts

    @property
    def choice(self) -> Any:  # noqa: ANN401 - as given to fit
        """The models compared on the last weeks: their weights, scores, and a note on those that could not answer.

        Those chosen are combined with these weights. Empty where a model was named.
        """
        renamed = self._choice.table.rename({"series": self.table.columns.series})
        return self.table.as_given(renamed, times=())

    @property
    def reasons(self) -> Mapping[str, str]:
        """For each series one sentence: which models were taken, and how good they were; none where one was named."""
        return self._choice.reasons

    @property
    def members(self) -> dict[str, dict[str, float]]:
        """For each series, the models its forecast is made of and their weights; they go on following their losses."""
        return {name: shares_of(model, self._choice.recipes[name]) for name, model in self.models.items()}

    def predict(
        self,
        horizon: int | None = None,
        levels: Sequence[float] | None = None,
        *,
        h: int | None = None,
        level: Sequence[float] | None = None,
        future: Any | None = None,  # noqa: ANN401 - polars or pandas
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given to fit
        """Return the next intervals of each series: its name, time, ``forecast`` (the median) and the quantiles asked.

        A series that cannot be forecast does not stop the others: it is left out, and a warning says why. Covariates
        that are not known for all intervals asked are named in a warning, and so are intervals that nothing could be
        said of: their values are null.

        Args:
            horizon: how many intervals; at most as many as were learned.
            levels: quantiles between 0.05 and 0.95; these two if nothing is said.
            h: the same as ``horizon``, as Nixtla's libraries call it.
            level: bands in per cent up to 90; 80 gives columns ``forecast-lo-80`` and ``forecast-hi-80``.
            future: future values of the covariates, with the columns of the table given to ``fit``.
            workers: series worked at the same time, in threads.
            progress: show a bar, or call this with the number of series done and to do.

        Raises:
            InvalidInput: a horizon or level that was not learned, or a ``future`` that cannot be read.
            NotEnoughHistory: no series can be forecast.
        """
        quantiles = Quantiles.of(levels, level)
        question = self._question(_one_of(horizon, h), future)
        warn_of(question.gaps)
        found = self._answers(question, workers, progress)
        forecasts, _ = self.table.sorted_out(found, "forecast", depth=2)
        blanks = {
            name: blank_in_words(self.table, question.pasts[name], forecast) for name, forecast in forecasts.items()
        }
        warn_of({name: words for name, words in blanks.items() if words})
        return self.table.as_given(
            pl.concat([self._in_table(forecast, quantiles, name) for name, forecast in forecasts.items()])
        )

    def notes(
        self,
        horizon: int | None = None,
        *,
        h: int | None = None,
        future: Any | None = None,  # noqa: ANN401 - polars or pandas
    ) -> dict[str, tuple[str, ...]]:
        """Return, for each series, what its forecast missed and what answered instead, or why there is none.

        Raises:
            InvalidInput: a horizon that was not learned, or a ``future`` that cannot be read.
        """
        question = self._question(_one_of(horizon, h), future)
        notes: dict[str, tuple[str, ...]] = {name: (problem,) for name, problem in self.problems.items()}
        for name, forecast in self._answers(question, 1, progress=False).items():
            own = [question.gaps[name]] if name in question.gaps else []
            if idle := self._idle(name):
                own.append(f"{self._choice.recipes[name].name} does not use {', '.join(idle)}.")
            reason = self._choice.reasons.get(name, "")
            if reason and " won " not in reason and " is taken: " not in reason:  # another than what was compared
                own.append(reason)
            if isinstance(forecast, WatthourError):
                own.append(self.table.problem(name, forecast))
            else:
                blank = blank_in_words(self.table, question.pasts[name], forecast)
                said = [*forecast.missing_inputs, *([forecast.fallback] if forecast.fallback else [])]
                own += [*([blank] if blank else []), *(self.table.in_its_words(name, words) for words in said)]
            notes[name] = tuple(dict.fromkeys(own))
        return notes

    def backtest(
        self,
        days: int = 28,
        *,
        rivals: Sequence[str] = RIVALS,
        issue_hour: int | None = None,
        known_hour: int | None = None,
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given to fit
        """Forecast each of the last days at its beginning, chosen and learned once before them, beside rivals.

        Returns one row per series and model: n, mae, mape_percent, rmse, bias, coverage90_percent, skill_percent ...
        A series too short for it is left out, and a warning says so. Covariates count as known in advance: with a
        temperature that was measured later, a backtest is better than the forecasts will be.

        Args:
            days: how many; intervals, where these are longer than a day.
            rivals: names of the catalogue that stand beside; two simple rules if not said.
            issue_hour: forecast whole local days at this hour of the day before, as `watthour backtest` does.
            known_hour: then the target is known to this hour of the day of issue: that of the issue if not said, 0 for
                the end of the day before.
            workers: series worked at the same time, in threads.
            progress: show a bar, or call this with the number of series done and to do.

        Raises:
            InvalidInput: there are no days, or an hour is none.
            NotEnoughHistory: nothing is left to learn from before those days in any series.
        """
        return self.door._backtest(self.table, days, rivals, issue_hour, known_hour, workers, progress)  # noqa: SLF001 - its other half

    def cross_validation(  # noqa: PLR0913 - as those of ``DayAhead.cross_validation``
        self,
        h: int | None = None,
        n_windows: int = 1,
        *,
        step_size: int | None = None,
        starts: Sequence[datetime] | None = None,
        level: Sequence[float] | None = None,
        levels: Sequence[float] | None = None,
        refit: bool = False,
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given to fit
        """Forecast the last windows of the table as ``DayAhead.cross_validation`` does; learned anew before them.

        Raises:
            InvalidInput: there are no windows.
            NotEnoughHistory: nothing is left to learn from before the first window in any series.
        """
        return self.door._cross_validation(  # noqa: SLF001 - its other half
            self.table,
            self.horizon if h is None else h,
            Windows(n_windows, step_size, starts, refit),
            Quantiles.of(levels, level),
            workers,
            progress,
        )

    def fitted_values(
        self,
        days: int = 28,
        *,
        level: Sequence[float] | None = None,
        levels: Sequence[float] | None = None,
        workers: int = 1,
        progress: Progress = False,
    ) -> Any:  # noqa: ANN401 - as given to fit
        """Return what the model would have said of each of the last days, a day ahead, beside what was measured.

        Honest, that is learned from what was known before those days alone: not the fit of a curve to the points it
        was drawn through. The columns are those of ``cross_validation``.

        Raises:
            InvalidInput: there are no days.
            NotEnoughHistory: nothing is left to learn from before those days in any series.
        """
        steps = max(1, round(DAY / self.table.step))
        return self.cross_validation(steps, days, level=level, levels=levels, workers=workers, progress=progress)

    def importance(self) -> Any:  # noqa: ANN401 - as given to fit
        """Return how much each feature helps: series, feature, its share of the gain of all, largest first.

        Trees have it; series of other models are left out.

        Raises:
            InvalidInput: no series has such a model.
        """
        shares = {name: getattr(model, "importance", None) for name, model in self.models.items()}
        parts = [
            pl.DataFrame({"feature": list(share), "importance": list(share.values())})
            .sort("importance", descending=True)
            .insert_column(0, pl.lit(name).alias(self.table.columns.series))
            for name, share in shares.items()
            if share
        ]
        if not parts:
            kinds = sorted({self._choice.recipes[name].name for name in self.models})
            remedy = f"Gradient boosting has: DayAhead(model='{TREES}')."
            raise InvalidInput(
                "model", ", ".join(kinds), "this model has no importance of single features", remedy=remedy
            )
        return self.table.as_given(pl.concat(parts), times=())

    def save(self, path: str | Path) -> None:
        """Write the models and what is known of their series into a new folder: native files, a manifest and hashes.

        Raises:
            InvalidInput: there is something at that path.
        """
        save(
            Saved(asdict(self.door), self.table, self.horizon, self.models, self.problems, self._choice),
            path,
        )

    @classmethod
    def load(cls, path: str | Path) -> FittedDayAhead:
        """Load what ``save`` wrote; it answers exactly as before.

        Raises:
            ModelNotFound: nothing was saved there.
            ModelCorrupt: a file is missing or differs from its hash.
        """
        saved = load(path)
        return cls(DayAhead(**saved.door), saved.table, saved.horizon, saved.models, saved.problems, saved.choice)

    def plot(
        self,
        series: str | None = None,
        horizon: int | None = None,
        *,
        h: int | None = None,
        future: Any | None = None,  # noqa: ANN401 - polars or pandas
        past_days: int = 7,
    ) -> Any:  # noqa: ANN401 - matplotlib has no types
        """Draw the last days of a series and its forecast with the 90 % band; returns the axes.

        Raises:
            MissingExtra: matplotlib is not installed.
            InvalidInput: there is no such series, or ``future`` cannot be read.
            NotEnoughHistory: the series cannot be forecast.
        """
        try:
            import matplotlib.pyplot as plt  # an extra
        except ImportError as error:
            raise MissingExtra("matplotlib", "plot") from error
        name = next(iter(self.models)) if series is None else str(series)
        if name not in self.models:
            raise InvalidInput(
                "series",
                name,
                self.problems.get(name, "no such series"),
                remedy=f"There are: {', '.join(list(self.models)[:10])}.",
            )
        past, columns = self.pasts[name], self.table.columns
        known = past.latest().filter(
            pl.col("channel") == past.context.channel.id,
            pl.col("time") >= past.as_of - past_days * issue_step(self.table.step),
        )
        question = self._question(_one_of(horizon, h), future, only=name)
        warn_of(question.gaps)
        forecast = self._answers(question, 1, progress=False)[name]
        if isinstance(forecast, WatthourError):
            raise self.table.renamed(name, forecast) from forecast
        band = as_in_table(self._in_table(forecast, Quantiles.of(None, None), name), columns)
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

    def _question(self, horizon: int | None, future: Any | None, only: str | None = None) -> _Question:  # noqa: ANN401 - polars or pandas
        """Return what is asked of each series that has a model, or of one, and what is known for it."""
        steps = self.horizon if horizon is None else _at_least_one(horizon)
        if steps > self.horizon:
            problem = f"the model was fitted for {self.horizon} intervals"
            raise InvalidInput("horizon", steps, problem, remedy=f"Fit it for that many: fit(frame, horizon={steps}).")
        ahead = self.table.ahead(future)
        names = [name for name in self.models if only in (None, name)]
        pasts = {
            name: with_future(self.pasts[name], ahead[name]) if name in ahead else self.pasts[name] for name in names
        }
        targets = {name: issues_at(past, [past.as_of], steps) for name, past in pasts.items()}
        told = {name: gap_in_words(self.table.columns, self._idle(name), pasts[name], targets[name]) for name in names}
        gaps = {name: words for name, words in told.items() if words is not None}
        return _Question(pasts, targets, gaps)

    def _answers(self, question: _Question, workers: int, progress: Progress) -> dict[str, Forecast | WatthourError]:
        models = {name: self.models[name] for name in question.pasts}
        pasts = {**self.pasts, **question.pasts}
        return forecast_all(models, pasts, question.targets, workers=workers, progress=progress)

    def _idle(self, name: str) -> list[str]:
        """Return the covariates that a series' model makes no use of."""
        context = self.pasts[name].context
        used = used_variables(list(self.members[name]), context)
        pairs = zip(self.table.columns.covariates, context.covariates, strict=True)
        return [] if used is None else [own for own, covariate in pairs if covariate.variable not in used]

    def _in_table(self, forecast: Forecast, quantiles: Quantiles, name: str) -> pl.DataFrame:
        """Return a forecast as rows of the user's table."""
        columns = self.table.columns
        wide = quantiles.wide(forecast.values, ["time"]).rename({"time": columns.time})
        return wide.insert_column(0, pl.lit(name).alias(columns.series))


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """What is known of each series, what is asked, and which covariates are missing for it."""

    pasts: Mapping[str, History]
    targets: Mapping[str, dy.DataFrame[Targets]]
    gaps: Mapping[str, str]


def _one_of(horizon: int | None, h: int | None) -> int | None:
    """Return the number of intervals asked, by either name."""
    if horizon is not None and h is not None and horizon != h:
        raise InvalidInput("h", h, f"horizon is {horizon}", remedy="Give only one of the two.")
    return h if horizon is None else horizon


def _at_least_one(steps: int) -> int:
    if steps < 1:
        raise InvalidInput(
            "horizon", steps, "at least one interval is needed", remedy="Give a whole number of at least 1."
        )
    return steps
