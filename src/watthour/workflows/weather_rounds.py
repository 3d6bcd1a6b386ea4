"""The weather of sites whose readings come by files: its past over the span of the readings, and what is new."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from watthour.core.errors import SourceError
from watthour.core.ports import RunState
from watthour.core.window import HOUR, Window
from watthour.workflows.asking import Polled, poll
from watthour.workflows.ingest import ingest
from watthour.workflows.rounds import FIRST_PAST
from watthour.workflows.runs import due, pieces
from watthour.workflows.view.issue import FRESH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import Source, SourceRun, Store

RETRY_AFTER = timedelta(minutes=15)  # a provider that failed is left alone for this long


def past_of(store: Store, context: Context, now: datetime, *, by_files: bool) -> Window:
    """Return the past to ask sources for: of readings that come by files their span, else the last two years."""
    span = store.spans().get(context.channel.id) if by_files else None
    if span is None or span[0] >= now:
        return Window(now - FIRST_PAST, now)
    return Window(span[0], min(max(span[1] + context.resolution, span[0] + HOUR), now))


def weather_round(
    past: Sequence[Source],
    live: Sequence[Source],
    store: Store,
    context: Context,
    *,
    now: datetime,
    every: timedelta,
    since: datetime,
    is_stopping: Callable[[], bool] = lambda: False,
) -> list[Polled]:
    """Ask for the weather that a site's readings still lack; of an archive its past alone, of a site without any none.

    Args:
        past: sources of weather as it was forecast then.
        live: sources of the forecast as it is now.
        store: where it is kept.
        context: what is forecast.
        now: the present.
        every: how often what is new is asked for.
        since: nothing that was asked before it counts, for it was of another place.
        is_stopping: whether no further piece of the past shall be asked for.
    """
    span = store.spans().get(context.channel.id)
    if span is None:
        return []
    polled: list[Polled] = []
    wanted = past_of(store, context, now, by_files=True)
    for source in past:
        if not _is_resting(store.runs(source=source.name, limit=1), now):
            for piece in pieces(due(source.name, store, wanted, now=now, since=since)):
                if is_stopping():
                    return polled
                try:
                    polled.append(Polled(source.name, ingest(source, store, piece, now=now)))
                except SourceError as error:
                    polled.append(Polled(source.name, None, error))
                    break
    for source in live if now - span[1] <= FRESH else ():
        runs = store.runs(source=source.name, limit=1)
        is_due = not runs or now - runs[0].started_at >= (every if _is_ok(runs[0]) else RETRY_AFTER)
        polled += poll([source], store, now=now) if is_due or runs[0].started_at < since else []
    return polled


def _is_resting(runs: Sequence[SourceRun], now: datetime) -> bool:
    return bool(runs) and not _is_ok(runs[0]) and now - runs[0].started_at < RETRY_AFTER


def _is_ok(run: SourceRun) -> bool:
    return run.state in {RunState.OK, RunState.EMPTY}
