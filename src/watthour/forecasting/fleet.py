"""Many series at once: what is asked of each, models for all of them, pooled or each alone, and their forecasts."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, time
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput, ModelFailed, NotEnoughHistory, WatthourError
from watthour.core.forecast import day_ahead_targets
from watthour.core.frames import INSTANT, Readings, Targets
from watthour.core.window import DAY, MONTH, local_midnight
from watthour.forecasting.backtest import first_day, scores, with_actuals
from watthour.forecasting.calendar import DAYS_IN_YEAR, same_clock
from watthour.forecasting.catalogue import recipe as named
from watthour.forecasting.dataframe_io import as_given
from watthour.forecasting.similar_series.among import as_fitted
from watthour.forecasting.steps import interval_numbers, later_starts, numbered_starts, phase_of, step_of
from watthour.forecasting.vintages import datetimes, instants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime, timedelta

    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster, History, Recipe
    from watthour.forecasting.series_table import SeriesTable

    Histories = Mapping[str, History]
    TargetsBySeries = Mapping[str, dy.DataFrame[Targets]]

_Made = TypeVar("_Made")
Progress: TypeAlias = "bool | Callable[[int, int], None]"
Learn: TypeAlias = "Callable[[Histories, TargetsBySeries], dict[str, Forecaster | WatthourError]]"

RIVALS = ("seasonal_naive", "persistence_ensemble")
_OURS = "ours"
_DAYS_AHEAD = 7
_QUARTER = 13 * 7 * DAY
_MONTHS_AHEAD = 12
_YEAR = DAYS_IN_YEAR * DAY
_FIRST_DAYS = 9  # before the first issue to learn from, so that a week of lags is known
_MOST_ISSUES = 4 * 366  # learned from: four years of days
_LEARN_FROM_DAYS = ("day_process", "hour_process")  # models that know whole local days only


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a series is learned from, and what is asked of its model."""

    past: History  # all that is known, each covariate from the first issue on that reaches it
    known: History  # before the first issue
    learned: dy.DataFrame[Targets]
    asked: dy.DataFrame[Targets]

    @classmethod
    def of(
        cls,
        past: History,
        asked: dy.DataFrame[Targets],
        learned: Callable[[History], dy.DataFrame[Targets]],
    ) -> Plan:
        """Return the plan to answer what is asked, learned before its first issue.

        Args:
            past: what is known of a series.
            asked: the targets, by issue.
            learned: what to learn from, of what was known then.
        """
        seen = covariates_as_asked(past, asked)
        known = seen.known_at(cast("datetime", asked["issued_at"].min()))
        return cls(seen, known, learned(known), asked)


def fit_all(
    recipe: Recipe, pasts: Histories, issues: TargetsBySeries, *, is_pooled: bool, workers: int, progress: Progress
) -> dict[str, Forecaster | WatthourError]:
    """Return a model for each series, or why there is none.

    Args:
        recipe: how to make them.
        pasts: what was known of each series, all of one step and one place.
        issues: of each, to learn from.
        is_pooled: learn from all series together, if it is a recipe that can.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
    """
    from watthour.forecasting.gradient_boosting import GradientBoosting  # LightGBM is slow to import
    from watthour.forecasting.pooled import each, fit_pooled

    with reported("Learning", len(pasts), progress) as advance:
        silent = {name: error for name, past in pasts.items() if (error := _too_little(past, recipe)) is not None}
        pasts = {name: past for name, past in pasts.items() if name not in silent}
        if pasts and is_pooled and isinstance(recipe, GradientBoosting):
            names = list(pasts)
            columns = [[table[name] for name in names] for table in (pasts, issues)]
            fitted = fit_pooled(recipe, *columns, workers=workers, advance=advance)  # type: ignore[arg-type]  # histories, targets
            return {**dict(zip(names, fitted, strict=True)), **silent}
        if pasts and is_pooled and hasattr(recipe, "fit_many"):
            names = list(pasts)
            shared = attempted(
                lambda: recipe.fit_many([pasts[name] for name in names], [issues[name] for name in names])
            )
            if isinstance(shared, WatthourError):
                return {**dict.fromkeys(names, shared), **silent}
            return {**dict(zip(names, shared, strict=True)), **silent}
        made = each(
            lambda name: attempted(lambda: recipe.fit(pasts[name], issues[name])),
            pasts,
            workers=workers,
            advance=advance,
        )
        return {**dict(zip(pasts, made, strict=True)), **silent}


def forecast_all(
    models: Mapping[str, Forecaster],
    pasts: Histories,
    targets: TargetsBySeries,
    *,
    workers: int = 1,
    progress: Progress = False,
) -> dict[str, Forecast | WatthourError]:
    """Return the forecast of each series, or why there is none; models that share their trees are asked at once.

    Args:
        models: of the series to be forecast.
        pasts: what is known of them, and of those that a model takes for similar.
        targets: of each.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
    """
    from watthour.forecasting.global_model.model import FittedGlobalModel, predict_many
    from watthour.forecasting.gradient_boosting import FittedGradientBoosting  # LightGBM is slow to import
    from watthour.forecasting.pooled import each, predict_pooled

    names = list(models)
    pasts = {name: as_fitted(pasts[name], pasts, getattr(models[name], "similar", ())) for name in names}
    with reported("Forecasting", len(names), progress) as advance:
        boosted = [model for model in models.values() if isinstance(model, FittedGradientBoosting)]
        if len(boosted) == len(names):
            made = predict_pooled(
                boosted,
                [pasts[name] for name in names],
                [targets[name] for name in names],
                workers=workers,
                advance=advance,
            )
        elif len({id(getattr(model, "shared", model)) for model in models.values()}) == 1 < len(names):
            alike = [model for model in models.values() if isinstance(model, FittedGlobalModel)]
            made = predict_many(alike, [pasts[name] for name in names], [targets[name] for name in names])
        else:
            made = each(
                lambda name: attempted(lambda: models[name].predict(pasts[name], targets[name])),
                names,
                workers=workers,
                advance=advance,
            )
    return dict(zip(names, made, strict=True))


def backtest_series(
    learn: Learn,
    table: SeriesTable,
    plans: Mapping[str, Plan],
    *,
    rivals: Sequence[str],
    workers: int,
    progress: Progress,
) -> Any:  # noqa: ANN401 - as the table was given
    """Forecast what each series' plan asks, learned once before, beside rivals.

    Returns one row per series and model: its name, model, and the columns of ``backtest.scores``; the skill is against
    the first rival.

    Args:
        learn: how our models are made.
        table: all that is known.
        plans: of ``last_days``.
        rivals: names of the catalogue.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.

    Raises:
        NotEnoughHistory: nothing is left to learn from before those days in any series.
    """
    rivals = _able(rivals, table)
    tables: dict[str, list[pl.DataFrame]] = {name: [] for name in plans}
    for label, entrant in {_OURS: learn, **{rival: _rule(rival, workers, progress) for rival in rivals}}.items():
        found = forecasts_beside(entrant, table, plans, workers=workers, progress=progress)
        for name, beside in found.items():
            tables[name].append(beside.with_columns(model=pl.lit(label)))
    parts = [
        scores(pl.concat(rows), against=rivals[0] if rivals else None).insert_column(
            0, pl.lit(name).alias(table.columns.series)
        )
        for name, rows in tables.items()
        if len(rows) == 1 + len(rivals)
    ]
    if not parts:
        raise NotEnoughHistory(
            "no series could be forecast by all models", remedy="Give more rows, fewer days or other rivals."
        )
    return as_given(pl.concat(parts), is_pandas=table.is_pandas)


def forecasts_beside(
    learn: Learn, table: SeriesTable, plans: Mapping[str, Plan], *, workers: int, progress: Progress
) -> dict[str, pl.DataFrame]:
    """Return, for each series, what its plan asks as it would have been forecast, beside what came.

    A series that cannot be learned or forecast is left out, and a warning says why.
    """
    learned = learn({name: plan.known for name, plan in plans.items()}, {name: p.learned for name, p in plans.items()})
    models, _ = table.sorted_out(learned, "learned")
    asked = {name: plans[name].asked for name in models}
    whole = {name: plans[name].past for name in models}
    found = forecast_all(models, whole, asked, workers=workers, progress=progress)
    forecasts, _ = table.sorted_out(found, "forecast")
    return {name: with_actuals(forecast, whole[name], asked[name]) for name, forecast in forecasts.items()}


@dataclass(frozen=True, slots=True)
class EachDay:
    """Forecast the last days, each at its beginning: ``horizon`` intervals, everything before being known.

    Where intervals are longer than a day, each of them counts as a day.
    """

    horizon: int

    def days(self, step: timedelta) -> int:
        """Return how many days one forecast reaches."""
        return -(-self.horizon * step // issue_step(step))

    def plan(self, past: History, days: int) -> Plan:
        """Return the plan of the last days, learned once before them; no forecast reaches past the end."""
        n_issues = days - self.days(past.context.resolution) + 1
        issues = days_earlier(past.as_of, [days - n for n in range(n_issues)], past)
        return Plan.of(past, issues_at(past, issues, self.horizon), lambda known: past_issues(known, self.horizon))


@dataclass(frozen=True, slots=True)
class DayBefore:
    """Forecast whole local days at an hour of the day before, as the command line does.

    Raises:
        InvalidInput: an hour is none.
    """

    issue_hour: int
    known_hour: int  # of the day of issue, to which the target is known; 0 is the end of the day before

    def __post_init__(self) -> None:
        for field, hour in (("issue_hour", self.issue_hour), ("known_hour", self.known_hour)):
            if not 0 <= hour < 24:  # noqa: PLR2004 - hours of a day
                raise InvalidInput(field, hour, "not an hour of the day", remedy="Give a whole hour from 0 to 23.")

    def days(self, step: timedelta) -> int:  # noqa: ARG002 - a day of any step
        """Return how many days one forecast reaches."""
        return 1

    def plan(self, past: History, days: int) -> Plan:
        """Return the plan of the last whole local days, learned once before the first issue."""
        zone = past.context.time_zone
        end = past.as_of.astimezone(ZoneInfo(zone)).date()
        wanted = [end + (n - days) * DAY for n in range(days)]
        first = first_day(past) if _first_time(past) is not None else wanted[0]
        every_day = self._targets([first + n * DAY for n in range((wanted[0] - first).days - 1)], past)
        over = pl.col("time") < local_midnight(wanted[0] - DAY, zone)
        return Plan.of(past, self._targets(wanted, past), lambda _: Targets.cast(every_day.filter(over)))

    def _targets(self, days: Sequence[date], past: History) -> dy.DataFrame[Targets]:
        return day_ahead_targets(
            days,
            past.context.time_zone,
            resolution=past.context.resolution,
            issue_clock=time(self.issue_hour),
            known_clock=time(self.known_hour),
        )


Protocol: TypeAlias = EachDay | DayBefore


def last_days(table: SeriesTable, days: int, protocol: Protocol) -> dict[str, Plan]:
    """Plan to forecast the last days of each series by a protocol, learned once before them.

    Raises:
        InvalidInput: there are no days.
        NotEnoughHistory: nothing is left to learn from before those days in any series.
    """
    if days < 1:
        raise InvalidInput("days", days, "at least one day is needed", remedy="Give a whole number of at least 1.")
    plans = {name: protocol.plan(past, days) for name, past in table.pasts.items()}
    step = table.step
    units = "days" if step <= DAY else "months" if step == MONTH else "weeks" if step == 7 * DAY else "intervals"
    fewer = "Give fewer days." if step <= DAY else f"Give a smaller number as `days`, which counts {units} here."
    return _possible(table, plans, f"its last {days} {units}", fewer)


@dataclass(frozen=True, slots=True)
class Windows:
    """Which windows of the past are forecast, and when models are learned for them.

    Raises:
        InvalidInput: there are no windows, or no step.
    """

    n_windows: int = 1  # up to the end
    step_size: int | None = None  # intervals from one to the next; None puts them end to end
    starts: Sequence[datetime] | None = None  # instead, when each begins; it ends where the next begins at the latest
    refit: bool = False  # learn anew before each window, not once before the first

    def __post_init__(self) -> None:
        for field, number in (("n_windows", self.n_windows), ("step_size", self.step_size)):
            if number is not None and number < 1:
                raise InvalidInput(field, number, "at least 1 is needed", remedy="Give a whole number of at least 1.")
        if self.starts is not None and not len(self.starts):
            remedy = "Give at least one time, or leave starts out."
            raise InvalidInput("starts", self.starts, "at least one window is needed", remedy=remedy)

    def issues(self, past: History, horizon: int) -> list[datetime]:
        """Return when each window of a series begins.

        Raises:
            InvalidInput: no interval of the series can begin at such a time.
        """
        if self.starts is None:
            stride = horizon if self.step_size is None else self.step_size
            return [steps_earlier(past, horizon + n * stride) for n in reversed(range(self.n_windows))]
        zone = ZoneInfo(past.context.time_zone)
        found = sorted((each if each.tzinfo else each.replace(tzinfo=zone)).astimezone(UTC) for each in self.starts)
        step = step_of(past.context)
        end, begins = (instants(pl.Series(each, dtype=INSTANT)) for each in ([past.as_of], found))
        grid = step, phase_of(end, step, past.context.time_zone), past.context.time_zone
        odd = np.flatnonzero(numbered_starts(interval_numbers(begins, *grid), *grid) != begins)
        if len(odd):
            problem = f"no interval of {past.context.channel.id} begins then"
            remedy = "Give times at which intervals of the table begin."
            raise InvalidInput("starts", str(found[odd[0]]), problem, remedy=remedy)
        return found


def windows(table: SeriesTable, horizon: int, asked: Windows) -> list[dict[str, Plan]]:
    """Plan rolling forecasts of ``horizon`` intervals: all learned before the first, or each before it.

    Raises:
        InvalidInput: a window begins where no interval does.
        NotEnoughHistory: nothing is left to learn from before the windows in any series.
    """
    begins = {name: asked.issues(past, horizon) for name, past in table.pasts.items()}
    n_windows = len(next(iter(begins.values())))
    groups = [slice(n, n + 1) for n in range(n_windows)] if asked.refit else [slice(None)]
    plans: list[dict[str, Plan]] = []
    for group in groups:
        mine = {}
        for name, past in table.pasts.items():
            targets = issues_at(past, begins[name][group], horizon)
            if asked.starts is not None:
                targets = _apart(targets, begins[name])
            mine[name] = Plan.of(past, targets, lambda known: past_issues(known, horizon))
        plans.append(_possible(table, mine, "the first window", "Give fewer windows."))
    return plans


def _apart(targets: dy.DataFrame[Targets], begins: Sequence[datetime]) -> dy.DataFrame[Targets]:
    """Return the targets of windows that lie before the next window."""
    after = pl.DataFrame({"issued_at": begins, "next": [*begins[1:], None]}, schema_overrides={"next": INSTANT})
    both = targets.join(after.cast({"issued_at": INSTANT}), on="issued_at", how="left", maintain_order="left")
    return Targets.cast(both.filter((pl.col("time") < pl.col("next")).fill_null(value=True)).drop("next"))


def _able(rivals: Sequence[str], table: SeriesTable) -> list[str]:
    """Return the rivals that can answer; a warning names those that need a forecast which the table does not hold."""
    if any(past.context.rivals for past in table.pasts.values()):
        return list(rivals)
    silent = [name for name in rivals if getattr(named(name), "needs_rival", False)]
    for name in silent:
        warnings.warn(f"{name} is left out: the table has no forecast by another party", stacklevel=4)
    return [name for name in rivals if name not in silent]


def default_horizon(step: timedelta) -> int:
    """Return how many intervals are forecast if nobody says: a day of them, a week of days, 13 weeks, 12 months."""
    if step == MONTH:
        return _MONTHS_AHEAD
    return round(DAY / step) if step < DAY else _DAYS_AHEAD if step == DAY else max(1, _QUARTER // step)


def issue_step(step: timedelta) -> timedelta:
    """Return how far issues lie apart: a day, or an interval that is longer."""
    return max(step, DAY)


def pooled_growth() -> dict[str, object]:
    """Return how trees are grown on many series, unless somebody says otherwise."""
    from watthour.forecasting.pooled import GROWTH  # LightGBM is slow to import

    return GROWTH


def past_issues(past: History, horizon: int) -> dy.DataFrame[Targets]:
    """Return one issue a day, at the clock time of the end, whose intervals have all been measured.

    Of intervals longer than a day there is one issue each; the first comes after a year of them, or after half of a
    shorter past.

    Args:
        past: what is known of a series.
        horizon: intervals per issue.
    """
    step = past.context.resolution
    last = steps_earlier(past, horizon)
    n_issues = (last - (_first_time(past) or last)) // issue_step(step)
    n_issues -= _FIRST_DAYS if step <= DAY else min(round(_YEAR / step), n_issues // 2)
    return issues_at(past, days_earlier(last, range(min(n_issues, _MOST_ISSUES))[::-1], past), horizon)


def days_earlier(instant: datetime, days: Sequence[int], past: History) -> list[datetime]:
    """Return the same clock time some days earlier; of steps of a day or longer, the start of one so many earlier."""
    if past.context.resolution < DAY:
        at = instants(pl.Series([instant], dtype=INSTANT))
        return cast("list[datetime]", datetimes(same_clock(at, np.array(days), past.context.time_zone)).to_list())
    return _later(past, instant, [-n for n in days])


def steps_earlier(past: History, steps: int) -> datetime:
    """Return the instant some intervals before the end of a series."""
    return _later(past, past.as_of, [-steps])[0]


def _later(past: History, instant: datetime, counts: Sequence[int]) -> list[datetime]:
    """Return the instants some intervals after the start of one."""
    starts = instants(pl.Series([instant], dtype=INSTANT))
    moved = later_starts(starts, np.array(counts, dtype=np.int64), step_of(past.context), past.context.time_zone)
    return cast("list[datetime]", datetimes(moved).to_list())


def issues_at(past: History, issues: Sequence[datetime], steps: int) -> dy.DataFrame[Targets]:
    """Return what is asked at each instant: the next ``steps`` intervals, everything before being known."""
    issued = instants(pl.Series(issues, dtype=INSTANT))
    times = later_starts(issued[:, None], np.arange(steps), step_of(past.context), past.context.time_zone)
    issued_at = datetimes(np.repeat(issued, steps))
    return Targets.cast(
        pl.DataFrame({"issued_at": issued_at, "time": datetimes(times.ravel()), "known_until": issued_at})
    )


@contextmanager
def reported(title: str, total: int, progress: Progress) -> Iterator[Callable[[], None]]:
    """Give a function to call after each of ``total`` pieces of work: it moves a bar, or tells whoever asked."""
    if progress is True:
        from rich.progress import Progress as Bars  # slow to import

        with Bars(transient=True) as bars:
            bar = bars.add_task(title, total=total)
            yield lambda: bars.advance(bar)
        return
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if callable(progress):
            progress(done, total)

    yield advance


def covariates_as_asked(past: History, asked: dy.DataFrame[Targets]) -> History:
    """Return a history in which covariates are known as ``predict(future=...)`` gives them: not past a window's end.

    One of before the first issue, or that became known after it, keeps the instant at which it became known. One that
    had always been known is known from just before the first issue on whose last target it does not lie behind.
    """
    if not past.context.covariates or asked.is_empty():
        return past
    issues = asked.group_by("issued_at").agg(pl.col("time").max()).sort("issued_at")
    issued, last = instants(issues["issued_at"]), np.maximum.accumulate(instants(issues["time"]))
    times, available = (instants(past.readings[name]) for name in ("time", "available_at"))
    is_covariate = (past.readings["channel"] != past.context.channel.id).to_numpy()
    is_later = is_covariate & (times >= issued[0]) & (available < issued[0])
    which = np.searchsorted(last, times)
    is_reached = which < len(issued)
    told = np.where(is_later, issued[np.where(is_reached, which, 0)] - 1, available)
    rows = past.readings.with_columns(available_at=datetimes(told)).filter(pl.Series(~is_later | is_reached))
    return replace(past, readings=Readings.cast(rows))


def _first_time(past: History) -> datetime | None:
    """Return the start of the first interval with a value."""
    first = past.readings.filter(pl.col("channel") == past.context.channel.id)["time"].min()
    return cast("datetime | None", first)


def _too_little(past: History, recipe: Recipe) -> NotEnoughHistory | None:
    """Return why nothing can be learned of a series at all, if that is so."""
    first = _first_time(past)
    if first is not None and recipe.name in _LEARN_FROM_DAYS and past.as_of - first < 2 * DAY:
        return NotEnoughHistory(f"{past.context.channel.id} has no complete day", remedy="Give more rows.")
    return _without_value(past)


def _without_value(past: History) -> NotEnoughHistory | None:
    """Return that a series has no value at all, if that is so."""
    if _first_time(past) is not None:
        return None
    return NotEnoughHistory(f"{past.context.channel.id} has no value", remedy="Give at least two weeks of rows.")


def _rule(name: str, workers: int, progress: Progress) -> Learn:
    """Return how a rival is made, which learns from each series alone."""
    return lambda pasts, issues: fit_all(
        named(name), pasts, issues, is_pooled=False, workers=workers, progress=progress
    )


def _possible(table: SeriesTable, plans: Mapping[str, Plan], before: str, remedy: str) -> dict[str, Plan]:
    """Return the plans that have something to learn from; a warning tells of the others."""
    found: dict[str, Plan | WatthourError] = {
        name: plan
        if plan.learned.height
        else _without_value(plan.past)
        or NotEnoughHistory(f"{name} has no data before {before} to learn from", remedy=remedy)
        for name, plan in plans.items()
    }
    return table.sorted_out(found, "backtested")[0]


def attempted(work: Callable[[], _Made]) -> _Made | WatthourError:
    """Do some work of a model, and return what stopped it; one series or member must not stop the others."""
    try:
        return work()
    except WatthourError as error:
        return error
    except (ValueError, ArithmeticError) as error:  # LinAlgError is a ValueError
        return ModelFailed.by(error)
