"""What a model would have forecast in the past: issued day by day, retrained as it would have been, scored after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core import metrics
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import day_ahead_targets
from watthour.core.frames import Quality, Targets
from watthour.core.window import DAY, local_midnight
from watthour.forecasting.features import MEMORY, actuals
from watthour.forecasting.vintages import MEDIAN, datetimes, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime, time

    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster, History, Recipe

Retrain = Literal["month", "week", "never"]
LOWER, UPPER = 0.05, 0.95  # the 90 % interval
_FEWEST_DAYS = 2


def backtest(
    recipe: Recipe,
    history: History,
    days: Sequence[date],
    *,
    issue_clock: time | None,
    known_clock: time | None,
    retrain: Retrain = "month",
    progress: Callable[[int], None] | None = None,
    workers: int = 1,
) -> pl.DataFrame:
    """Forecast past days as if each were tomorrow; returns ``issued_at, time, model, maker, level, value, actual``.

    Before each period the recipe learns afresh, from days that were over when the period's first forecast was issued
    and with the values known then. Every forecast sees only what was known at its own issue. A period of which too
    little was known leaves a gap.

    Args:
        recipe: how the forecaster is made.
        history: all versions of everything, well past the last day, so that the actuals are in it.
        days: the local days to forecast.
        issue_clock: local clock time of issue on the day before; None: each day is issued as it begins, everything
            before it being known.
        known_clock: measurements are known up to this clock time of the day before; None means to its midnight.
        retrain: when to learn afresh.
        progress: called after each period with the number of its days.
        workers: periods worked at the same time, in threads: trees and tables leave Python's lock alone.

    Raises:
        InvalidInput: no days were given.
        NotEnoughHistory: no period could be forecast.
    """
    if not days:
        raise InvalidInput("days", days, "no days to forecast", remedy="Give at least one local day.")
    periods = [list(group) for _, group in groupby(sorted(days), key=lambda day: _period(day, retrain))]
    if not getattr(recipe, "uses_covariates", True):  # a rule is spared sifting millions of weather forecasts
        history = history.without_covariates()
    first = first_day(history)
    context = history.context

    def asked(wanted: Sequence[date]) -> dy.DataFrame[Targets]:
        return day_ahead_targets(
            wanted,
            context.time_zone,
            resolution=context.resolution,
            issue_clock=issue_clock,
            known_clock=known_clock,
        )

    late = timedelta(0) if issue_clock is None else DAY  # the day before is over at the issue, or is not
    every_day = asked([first + n * DAY for n in range((periods[-1][0] - late - first).days)])

    def run(period: list[date]) -> pl.DataFrame:
        targets = asked(period)
        if (period[0] - first).days - 1 < _FEWEST_DAYS:
            raise NotEnoughHistory(
                f"{context.channel.id} is known from {first - MEMORY} on: too late to learn for {period[0]}",
                remedy=f"Begin at {first + _FEWEST_DAYS * DAY + DAY} or later, or add more history.",
            )
        over = pl.col("time") < local_midnight(period[0] - late, context.time_zone)
        model = recipe.fit(history.known_at(targets["issued_at"][0]), Targets.cast(every_day.filter(over)))
        return predict_with_actuals(model, history, targets)

    return pl.concat(_answered(run, periods, workers, progress or (lambda _n_days: None)))


def _answered(
    run: Callable[[list[date]], pl.DataFrame],
    periods: Sequence[list[date]],
    workers: int,
    progress: Callable[[int], None],
) -> list[pl.DataFrame]:
    """Return what came of the periods that could be forecast.

    Raises:
        NotEnoughHistory: none could.
    """

    def tried(period: list[date]) -> pl.DataFrame | NotEnoughHistory:
        try:
            return run(period)
        except NotEnoughHistory as error:
            return error

    parts: list[pl.DataFrame] = []
    errors: list[NotEnoughHistory] = []
    with ThreadPoolExecutor(workers) as pool:
        for period, part in zip(periods, pool.map(tried, periods) if workers > 1 else map(tried, periods), strict=True):
            if isinstance(part, NotEnoughHistory):
                errors.append(part)
            else:
                parts.append(part)
            progress(len(period))
    if not parts:
        raise errors[0]
    return parts


def predict_with_actuals(model: Forecaster, history: History, targets: dy.DataFrame[Targets]) -> pl.DataFrame:
    """Return forecasts of targets beside what came: ``issued_at, time, model, maker, level, value, actual``."""
    return with_actuals(model.predict(history, targets), history, targets)


def with_actuals(forecast: Forecast, history: History, targets: dy.DataFrame[Targets]) -> pl.DataFrame:
    """Return a forecast beside what came, with the columns of ``predict_with_actuals``; null where nothing came.

    Where another stood in for whoever is asked, the value is null as well: it says nothing of them.
    """
    is_own = (pl.col("quality") & int(Quality.ESTIMATED)) == 0
    outcome = targets.select("issued_at", "time", actual=pl.Series(actuals(history, targets), dtype=pl.Float64))
    return (
        forecast.values.join(outcome, on=["issued_at", "time"], how="left")
        .with_columns(pl.col("actual").fill_nan(None), value=pl.when(is_own).then("value"))
        .select("issued_at", "time", "model", "maker", "level", "value", "actual")
        .sort("model", "issued_at", "time", "level")
    )


def compare(recipes: Mapping[str, Recipe], history: History, days: Sequence[date], **protocol: object) -> pl.DataFrame:
    """Backtest several recipes by one protocol, each under its own name; see ``backtest`` for the protocol."""
    return pl.concat(
        backtest(each, history, days, **protocol).with_columns(model=pl.lit(name))  # type: ignore[arg-type]  # checked there
        for name, each in recipes.items()
    )


def scores(table: pl.DataFrame, *, against: str | None = None) -> pl.DataFrame:
    """Score every model of a backtest on the rows that all of them have, and that came true.

    Where some actuals are near zero or below, ``mape_percent`` is null: it would say nothing.

    Args:
        table: rows of ``backtest`` or ``compare``.
        against: the model whose mean absolute error ``skill_percent`` refers to.

    Raises:
        InvalidInput: ``against`` is not in the table.
    """
    if against is not None and against not in table["model"]:
        names = ", ".join(sorted(table["model"].unique()))
        raise InvalidInput("against", against, "not in this backtest", remedy=f"There are: {names}.")
    wide = table.drop_nulls("actual").pivot("level", index=["model", "issued_at", "time", "actual"], values="value")
    levels = sorted(float(name) for name in wide.columns if name not in ("model", "issued_at", "time", "actual"))
    wide = wide.drop_nulls([str(level) for level in levels])
    n_models = wide["model"].n_unique()
    shared = wide.filter(pl.len().over("issued_at", "time") == n_models).sort("model", "time", "issued_at")
    has_interval = LOWER in levels and UPPER in levels
    result = pl.DataFrame(
        {
            "model": name,
            **metrics.scores(
                rows["actual"],
                rows[str(MEDIAN)],
                rows[str(LOWER)] if has_interval else None,
                rows[str(UPPER)] if has_interval else None,
                unit=None,
                quantiles=rows.select([str(level) for level in levels]).to_numpy(),
                levels=levels,
            ),
        }
        for (name,), rows in shared.group_by(["model"], maintain_order=True)
    )
    if against is not None:
        reference = result.filter(pl.col("model") == against)["mae"].item()
        result = result.with_columns(skill_percent=100 * (1 - pl.col("mae") / reference))
    return result.with_columns(pl.col("mape_percent").fill_nan(None)).sort("mae")


def first_forecast_day(history: History) -> date:
    """Return the first local day that a model can have learned for.

    Raises:
        NotEnoughHistory: there is no reading at all.
    """
    return first_day(history) + (_FEWEST_DAYS + 1) * DAY


def first_day(history: History) -> date:
    """Return the first local day whose features can all be known.

    Raises:
        NotEnoughHistory: there is no reading at all.
    """
    times = measurement_vintages(history, history.context.channel.id).times
    if not len(times):
        raise NotEnoughHistory(
            f"{history.context.channel.id} has no readings",
            remedy="Add readings with `watthour backfill` or `watthour import`.",
        )
    begin: datetime = datetimes(times[:1])[0]
    return (begin + MEMORY).astimezone(ZoneInfo(history.context.time_zone)).date() + timedelta(days=1)


def _period(day: date, retrain: Retrain) -> tuple[int, int]:
    if retrain == "month":
        return day.year, day.month
    return day.isocalendar()[:2] if retrain == "week" else (0, 0)
