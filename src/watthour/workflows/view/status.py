"""What is there, what works, what is stale, and what could be connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.ports import RunState
from watthour.workflows.doubts import doubted
from watthour.workflows.view.grid import region_entry
from watthour.workflows.view.names import feed_label
from watthour.workflows.view.wire import age_hours, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import SourceRun, Store

RUNS_LOOKED_AT = 500


def status(
    store: Store,
    shown: Sequence[Context],
    *,
    now: datetime,
    version: str,
    connect: Sequence[Mapping[str, str]] = (),
    expected_sources: Sequence[str] = (),
) -> dict[str, object]:
    """Return the state of everything, as `GET /api/v1/status` shows it.

    Args:
        store: the store.
        shown: what is shown; see ``workflows.sites.contexts``.
        now: the present.
        version: of the program.
        connect: the ways to real data that are still open.
        expected_sources: names of the sources that should be polled; one never asked is shown as such.
    """
    spans = store.spans()
    return {
        "version": version,
        "now": utc_text(now),
        "simulated": any(context.site.is_simulated for context in shown),
        "regions": [
            {
                **region_entry(context),
                "first_time": utc_text(spans[context.channel.id][0]) if context.channel.id in spans else None,
                "last_time": utc_text(spans[context.channel.id][1]) if context.channel.id in spans else None,
            }
            for context in shown
        ],
        "sources": _sources(store, shown, expected_sources, now),
        "connect": [dict(way) for way in connect],
    }


def doubts(store: Store, shown: Sequence[Context], *, now: datetime) -> list[dict[str, object]]:
    """Return what is kept of each region but not used, as it cannot be right."""
    return [
        {"region": context.site.id, "what": each.what, "count": each.n_doubted, "words": each.words}
        for context in shown
        for each in doubted(store, context, now)
    ]


def freshness_hours(store: Store, *, now: datetime) -> dict[str, float]:
    """Return the age of each channel's newest reading, in hours."""
    return {channel: age_hours(last, now) for channel, (_first, last, _recorded) in store.spans().items()}


def _sources(store: Store, shown: Sequence[Context], expected: Sequence[str], now: datetime) -> list[dict[str, object]]:
    newest: dict[str, SourceRun] = {}
    for run in store.runs(limit=RUNS_LOOKED_AT):
        newest.setdefault(run.source, run)
    sites = {site.id for site in (*store.sites(), *(context.site for context in shown))}
    site_of = {channel.id: channel.site for channel in store.channels()}

    def named(name: str) -> dict[str, object]:
        about = name.partition(":")[2]
        site = site_of.get(about) or (about if about in sites or name in expected else None)
        return {"name": name, "label": feed_label(name), "site": site}

    entries: list[dict[str, object]] = [
        {
            **named(name),
            "state": str(run.state),
            "last_run_at": utc_text(run.ended_at),
            "age_hours": age_hours(run.ended_at, now),
            "problem": run.problem if run.state is RunState.FAILED else None,
        }
        for name, run in sorted(newest.items())
    ]
    blank: dict[str, object] = {"state": "never", "last_run_at": None, "age_hours": None, "problem": None}
    return [*entries, *({**named(name), **blank} for name in expected if name not in newest)]
