"""Every recipe on a channel's last days: each learned once before them, and asked day by day as it would have been."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory, WatthourError
from watthour.core.window import DAY, Window
from watthour.workflows.compare import actuals
from watthour.workflows.train import YEARS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime, time

    from watthour.core.forecast import Context, History
    from watthour.core.ports import Store

SCORES = ("pinball", "mae", "mape_percent", "coverage90_percent", "n")
_FEWEST_ANSWERED = 0.5  # of the intervals, of a recipe that is compared


@dataclass(frozen=True, slots=True)
class Contest:
    """How every recipe did on the same intervals, the least quantile loss first, and why the others did not."""

    channel: str
    first: date
    last: date
    protocol: str
    rows: tuple[dict[str, Any], ...]  # recipe, ``SCORES``, seconds
    left_out: dict[str, str]  # recipe -> why, in words


def contest(
    store: Store,
    context: Context,
    recipes: Sequence[str],
    *,
    n_days: int,
    issue_clock: time | None,
    now: datetime,
    progress: Callable[[str], None],
) -> Contest:
    """Let recipes forecast the last local days of a channel, each learned once before the first of them.

    Demand is known to the hour of issue on the day before, as live. One recipe that fails does not stop the others.

    Args:
        store: where the channel's past is.
        context: what is forecast.
        recipes: names of the catalogue.
        n_days: how many days.
        issue_clock: local clock time of issue on the day before; None: each day is issued as it begins.
        now: the present.
        progress: told of each recipe before it begins.

    Raises:
        InvalidInput: there are no days.
        NotEnoughHistory: nothing is known of the channel, or no recipe can learn it.
    """
    from watthour.forecasting.backtest import backtest, scores
    from watthour.forecasting.catalogue import recipe_alone
    from watthour.forecasting.rival import without_silent_rivals

    if n_days < 1:
        raise InvalidInput("days", n_days, "at least one day is needed", remedy="Give a whole number of at least 1.")
    history, days = _last_days(store, context, n_days, now)
    able, notes = without_silent_rivals({name: recipe_alone(name) for name in recipes}, history, days)
    left_out = {note.partition(" ")[0]: note.partition(". ")[2] for note in notes}
    tables: dict[str, pl.DataFrame] = {}
    seconds: dict[str, float] = {}
    for name, each in able.items():
        progress(name)
        begun = perf_counter()
        try:
            table = backtest(each, history, days, issue_clock=issue_clock, known_clock=issue_clock, retrain="never")
        except WatthourError as error:
            left_out[name] = f"{error.problem.rstrip('.')}."
            continue
        answered = 1 - table["value"].null_count() / max(table.height, 1)
        if answered < _FEWEST_ANSWERED:
            left_out[name] = f"It answered only {answered:.0%} of the intervals."
            continue
        tables[name], seconds[name] = table.with_columns(model=pl.lit(name)), perf_counter() - begun
    if not tables:
        why = " ".join(f"{name}: {words}" for name, words in left_out.items())
        raise NotEnoughHistory(
            f"no model can learn {context.channel.id} before {days[0]}. {why}",
            remedy="Bring more of it with `watthour backfill` or `watthour import`, or compare fewer days.",
        )
    rows = [
        {
            "recipe": row["model"],
            **{name: row[name] for name in SCORES},
            "seconds": round(seconds[row["model"]], 2),
        }
        for row in scores(pl.concat(tables.values())).sort("pinball").iter_rows(named=True)
    ]
    issued = "as each day begins" if issue_clock is None else f"at {issue_clock:%H:%M} local time of the day before"
    protocol = (
        f"Issued {issued}, what is forecast being known to then; learned once before {days[0]}; scored on the "
        "intervals that all of them forecast."
    )
    return Contest(context.channel.id, days[0], days[-1], protocol, tuple(rows), left_out)


def _last_days(store: Store, context: Context, n_days: int, now: datetime) -> tuple[History, list[date]]:
    """Return what is known of a channel, and its last whole local days.

    Raises:
        NotEnoughHistory: nothing is known.
    """
    span = store.spans().get(context.channel.id)
    if span is None:
        raise NotEnoughHistory(
            f"{context.channel.id} has no readings",
            remedy="Add readings with `watthour backfill` or `watthour import`.",
        )
    history = store.history(context, Window(span[1] - YEARS, span[1] + 2 * DAY), now)
    end: datetime = actuals(history)["time"][-1] + context.resolution
    last = end.astimezone(ZoneInfo(context.time_zone)).date() - timedelta(days=1)
    return history, [last - n * DAY for n in range(n_days - 1, -1, -1)]
