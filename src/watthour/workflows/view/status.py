"""What is there, what works, what is stale, and what could be connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.errors import StoreError, StoreFull, StoreLocked, StoreReadOnly
from watthour.core.ports import RunState
from watthour.workflows.arrivals import arrivals, described
from watthour.workflows.doubts import doubted
from watthour.workflows.runs import INTERRUPTED, state_of
from watthour.workflows.view.grid import region_entry
from watthour.workflows.view.names import feed_label
from watthour.workflows.view.wire import age_hours, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import SourceRun, Store
    from watthour.core.window import Window
    from watthour.workflows.runs import Fill

RUNS_LOOKED_AT = 500
# Whoever asks may not be the owner: the words name no file of this machine, `watthour doctor` does.
_TROUBLES: tuple[tuple[type[StoreError], tuple[str, str, str]], ...] = (
    (
        StoreFull,
        ("full", "No space is left for new readings and forecasts.", "Free some space. Stored data can still be read."),
    ),
    (
        StoreReadOnly,
        ("read-only", "The store can be read but not written.", "Give Watthour write permission for its files."),
    ),
    (
        StoreLocked,
        ("locked", "Another process is writing to the store.", "Wait until it has finished, or stop it."),
    ),
    (StoreError, ("locked", "The store cannot be written.", "`watthour doctor` shows what is wrong.")),
)


def status(
    store: Store,
    shown: Sequence[Context],
    *,
    now: datetime,
    version: str,
    connect: Sequence[Mapping[str, str]] = (),
    expected_sources: Sequence[str] = (),
    store_state: Mapping[str, object] | None = None,
    fills: Sequence[Fill] = (),
) -> dict[str, object]:
    """Return the state of everything, as `GET /api/v1/status` shows it.

    Args:
        store: the store.
        shown: what is shown; see ``workflows.sites.contexts``.
        now: the present.
        version: of the program.
        connect: the ways to real data that are still open.
        expected_sources: names of the sources that should be polled; one never asked is shown as such.
        store_state: see ``store_state``; None: it is not asked.
        fills: how much of its past each source has brought in.
    """
    spans = store.spans()
    return {
        "version": version,
        "now": utc_text(now),
        "simulated": any(context.site.is_simulated for context in shown),
        "regions": [
            {
                **region_entry(context),
                "kind": str(context.site.kind),
                "first_time": utc_text(spans[context.channel.id][0]) if context.channel.id in spans else None,
                "last_time": utc_text(spans[context.channel.id][1]) if context.channel.id in spans else None,
            }
            for context in shown
        ],
        "sources": run_entries(store, shown, expected_sources, now),
        "fill": [
            {
                "source": fill.source,
                "share": round(fill.share, 4),
                "start": utc_text(fill.wanted.start),
                "end": utc_text(fill.wanted.end),
                "holes": [_span(hole) for hole in fill.holes],
                "empty": [_span(span) for span in fill.empty],
            }
            for fill in fills
        ],
        "store": dict(store_state or {"state": "ok", "problem": None, "remedy": None}),
        "connect": [dict(way) for way in connect],
    }


def doubts(store: Store, shown: Sequence[Context], *, now: datetime) -> list[dict[str, object]]:
    """Return what is kept of each region but not used, as it cannot be right."""
    return [
        {"region": context.site.id, "what": each.what, "count": each.n_doubted, "words": each.words}
        for context in shown
        for each in doubted(store, context, now)
    ]


def arrival_findings(store: Store, shown: Sequence[Context]) -> list[dict[str, object]]:
    """Return faults of feeds that no single value shows: shifted in time, on another scale, columns exchanged."""
    return [described(each, context.site.id) for context in shown for each in arrivals(store, context)]


def store_state(store: Store) -> dict[str, object]:
    """Return whether the store can be written; it may be read all the same."""
    try:
        store.check_writable()
    except StoreError as error:
        state, problem, remedy = next(words for kind, words in _TROUBLES if isinstance(error, kind))
        return {"state": state, "problem": problem, "remedy": remedy}
    return {"state": "ok", "problem": None, "remedy": None}


def freshness_hours(store: Store, *, now: datetime) -> dict[str, float]:
    """Return the age of each channel's newest reading, in hours."""
    return {channel: age_hours(last, now) for channel, (_first, last, _recorded) in store.spans().items()}


def _span(window: Window) -> dict[str, str | None]:
    return {"start": utc_text(window.start), "end": utc_text(window.end)}


def _problem_of(run: SourceRun, now: datetime) -> str | None:
    if run.state is RunState.FAILED:
        return run.problem
    return (
        "The request was interrupted: its process ended before the answer came."
        if state_of(run, now=now) == INTERRUPTED
        else None
    )


def run_entries(
    store: Store, shown: Sequence[Context], expected: Sequence[str], now: datetime
) -> list[dict[str, object]]:
    """Return how the last asking of each source ended, by the log of runs."""
    newest: dict[str, SourceRun] = {}
    for run in store.runs(limit=RUNS_LOOKED_AT):
        newest.setdefault(run.source, run)
    sites = {site.id for site in (*store.sites(), *(context.site for context in shown))}
    site_of = {channel.id: channel.site for channel in store.channels()}

    def named(name: str) -> dict[str, object]:
        about = name.partition(":")[2]
        place = about.partition(":")[0]  # of a line that lives beside a source, `simulation:simtown_home:live`
        site = site_of.get(about) or (about if name in expected else place if place in sites else None)
        return {"name": name, "label": feed_label(name), "site": site}

    entries: list[dict[str, object]] = [
        {
            **named(name),
            "state": state_of(run, now=now),
            "last_run_at": utc_text(run.ended_at),
            "age_hours": age_hours(run.ended_at, now),
            "problem": _problem_of(run, now),
        }
        for name, run in sorted(newest.items())
    ]
    blank: dict[str, object] = {"state": "never", "last_run_at": None, "age_hours": None, "problem": None}
    return [*entries, *({**named(name), **blank} for name in expected if name not in newest)]
