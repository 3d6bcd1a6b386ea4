"""Many series at once: what is asked of each, models for all of them, pooled or each alone, and their forecasts."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import NotEnoughHistory, WatthourError
from watthour.core.frames import INSTANT, Targets
from watthour.core.window import DAY, local_midnight
from watthour.forecasting.backtest import scores, with_actuals
from watthour.forecasting.catalogue import recipe as named
from watthour.forecasting.dataframe_io import as_given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster, History, Recipe
    from watthour.forecasting.series_table import SeriesTable

    Histories = Mapping[str, History]
    TargetsBySeries = Mapping[str, dy.DataFrame[Targets]]

_Made = TypeVar("_Made")
Progress: TypeAlias = "bool | Callable[[int, int], None]"

RIVALS = ("seasonal_naive", "persistence_ensemble")
_OURS = "ours"
_DAYS_AHEAD = 7
_FIRST_DAYS = 9  # before the first issue to learn from, so that a week of lags is known
_LONGEST_LEARNED_DAYS = 4 * 366


def fit_all(
    recipe: Recipe, pasts: Histories, issues: TargetsBySeries, *, is_pooled: bool, workers: int, progress: Progress
) -> dict[str, Forecaster | WatthourError]:
    """Return a model for each series, or why there is none.

    Args:
        recipe: how to make them.
        pasts: what was known of each series, all of one step and one place.
        issues: of each, to learn from.
        is_pooled: learn from all series together; the recipe is that of gradient boosting.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
    """
    from watthour.forecasting.gradient_boosting import GradientBoosting  # LightGBM is slow to import
    from watthour.forecasting.pooled import each, fit_pooled

    with reported("Learning", len(pasts), progress) as advance:
        silent = {name: _silence(past) for name, past in pasts.items() if not _first_time(past)}
        pasts = {name: past for name, past in pasts.items() if name not in silent}
        if pasts and is_pooled and isinstance(recipe, GradientBoosting):
            names = list(pasts)
            columns = [[table[name] for name in names] for table in (pasts, issues)]
            fitted = fit_pooled(recipe, *columns, workers=workers, advance=advance)  # type: ignore[arg-type]  # histories, targets
            return {**dict(zip(names, fitted, strict=True)), **silent}
        made = each(
            lambda name: _tried(lambda: recipe.fit(pasts[name], issues[name])), pasts, workers=workers, advance=advance
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
    """Return the forecast of each series, or why there is none; models that share their trees are asked at once."""
    from watthour.forecasting.gradient_boosting import FittedGradientBoosting  # LightGBM is slow to import
    from watthour.forecasting.pooled import each, predict_pooled

    names = list(models)
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
        else:
            made = each(
                lambda name: _tried(lambda: models[name].predict(pasts[name], targets[name])),
                names,
                workers=workers,
                advance=advance,
            )
    return dict(zip(names, made, strict=True))


def backtest_series(
    recipe: Recipe,
    table: SeriesTable,
    days: int,
    *,
    rivals: Sequence[str],
    is_local: bool,
    workers: int,
    progress: Progress,
) -> Any:  # noqa: ANN401 - as the table was given
    """Forecast each of the last days of each series at its beginning, learned once before them, beside rivals.

    Returns one row per series and model: its name, model, and the columns of ``backtest.scores``; the skill is against
    the first rival.

    Raises:
        NotEnoughHistory: nothing is left to learn from before those days in any series.
    """
    rivals = _able(rivals, table)
    day_steps = max(1, round(DAY / table.step))
    begins = {name: days_earlier(past.as_of, days, past) for name, past in table.pasts.items()}
    known = {name: past.known_at(begins[name]) for name, past in table.pasts.items()}
    learned = {name: past_issues(past, day_steps) for name, past in known.items()}
    remedy = "Give fewer days."
    enough: dict[str, History | WatthourError] = {
        name: past
        if learned[name].height
        else NotEnoughHistory(f"{name} has nothing to learn from before its last {days} days", remedy=remedy)
        for name, past in known.items()
    }
    pasts, _ = table.sorted_out(enough, "backtested")
    asked = {
        name: issues_at(past, [days_earlier(table.pasts[name].as_of, days - n, past) for n in range(days)], day_steps)
        for name, past in pasts.items()
    }
    tables: dict[str, list[pl.DataFrame]] = {name: [] for name in pasts}
    for label, entrant in {_OURS: recipe, **{rival: named(rival) for rival in rivals}}.items():
        found = fit_all(
            entrant, pasts, learned, is_pooled=table.is_many and not is_local, workers=workers, progress=progress
        )
        models, _ = table.sorted_out(found, "learned")
        whole = {name: table.pasts[name] for name in models}
        forecasts = forecast_all(models, whole, asked, workers=workers, progress=progress)
        for name, forecast in table.sorted_out(forecasts, "forecast")[0].items():
            beside = with_actuals(forecast, table.pasts[name], asked[name])
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
            "no series could be forecast by all", remedy="Give more rows, fewer days or other rivals."
        )
    return as_given(pl.concat(parts), is_pandas=table.is_pandas)


def _able(rivals: Sequence[str], table: SeriesTable) -> list[str]:
    """Return the rivals that can answer; a warning names those that need a forecast which the table does not hold."""
    if any(past.context.rivals for past in table.pasts.values()):
        return list(rivals)
    silent = [name for name in rivals if getattr(named(name), "needs_rival", False)]
    for name in silent:
        warnings.warn(f"{name} is left out: the table holds no forecast by anybody else", stacklevel=4)
    return [name for name in rivals if name not in silent]


def default_horizon(step: timedelta) -> int:
    """Return how many intervals are forecast if nobody says: a day of them, a week where they are days."""
    return round(DAY / step) if step < DAY else _DAYS_AHEAD


def pooled_growth() -> dict[str, object]:
    """Return how trees are grown on many series, unless somebody says otherwise."""
    from watthour.forecasting.pooled import GROWTH  # LightGBM is slow to import

    return GROWTH


def past_issues(past: History, horizon: int) -> dy.DataFrame[Targets]:
    """Return one issue a day, at the clock time of the end, whose intervals have all been measured.

    Args:
        past: what is known of a series.
        horizon: intervals per issue.
    """
    last = past.as_of - horizon * past.context.resolution
    n_days = min((last - (_first_time(past) or last)) // DAY - _FIRST_DAYS, _LONGEST_LEARNED_DAYS)
    return issues_at(past, [days_earlier(last, n, past) for n in range(max(n_days, 0))][::-1], horizon)


def days_earlier(instant: datetime, days: int, past: History) -> datetime:
    """Return the same hour some days earlier; where intervals are days, their local midnight."""
    if past.context.resolution < DAY:
        return instant - days * DAY
    return local_midnight(
        (instant.astimezone(ZoneInfo(past.context.time_zone)) - days * DAY).date(), past.context.time_zone
    )


def issues_at(past: History, instants: Sequence[datetime], steps: int) -> dy.DataFrame[Targets]:
    """Return what is asked at each instant: the next ``steps`` intervals, everything before being known."""
    issued = pl.DataFrame({"issued_at": instants}, schema={"issued_at": INSTANT})
    step = past.context.resolution
    if step < DAY:
        ahead = pl.DataFrame({"ahead": [n * step for n in range(steps)]}, schema={"ahead": pl.Duration("us")})
        time = pl.col("issued_at") + pl.col("ahead")
    else:  # local days may have 23 or 25 hours
        ahead = pl.DataFrame({"ahead": [f"{n}d" for n in range(steps)]}, schema={"ahead": pl.String})
        time = pl.col("issued_at").dt.convert_time_zone(past.context.time_zone).dt.offset_by(pl.col("ahead"))
    return Targets.cast(
        issued.join(ahead, how="cross").select(
            "issued_at",
            time.dt.convert_time_zone("UTC").alias("time"),
            pl.col("issued_at").alias("known_until"),
        )
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


def _first_time(past: History) -> datetime | None:
    """Return the start of the first interval with a value."""
    first = past.readings.filter(pl.col("channel") == past.context.channel.id)["time"].min()
    return cast("datetime | None", first)


def _silence(past: History) -> NotEnoughHistory:
    return NotEnoughHistory(f"{past.context.channel.id} has no value", remedy="Give at least two weeks of rows.")


def _tried(work: Callable[[], _Made]) -> _Made | WatthourError:
    """Do some work, and return what stopped it; one series must not stop the others."""
    try:
        return work()
    except WatthourError as error:
        return error
