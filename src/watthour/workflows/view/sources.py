"""What is connected, when it last spoke, and what it fills."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from watthour.core.window import HOUR
from watthour.workflows.forecast import RUN_PREFIX
from watthour.workflows.runs import SCORE_PREFIX, TRAIN_PREFIX, state_of
from watthour.workflows.view.listening import found_things
from watthour.workflows.view.status import RUNS_LOOKED_AT, run_entries
from watthour.workflows.view.wire import utc_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.core.forecast import Context
    from watthour.core.heard import LineState
    from watthour.core.ports import SourceRun, Store
    from watthour.workflows.listening import Found, Listener

MISSED = 3  # heartbeats after which a thing is silent
SHORTEST_SILENCE = timedelta(minutes=1)
SILENT_BROKER = timedelta(minutes=15)  # devices that tell changes alone tell a state at least so often
OUR_OWN = (RUN_PREFIX, SCORE_PREFIX, TRAIN_PREFIX)  # in the log of runs, but no sources
_RUNS = {
    "ok": "The last request was answered.",
    "running": "It is being asked now.",
    "interrupted": "The last request was interrupted and is repeated.",
    "failed": "The last request failed.",
    "never": "It has not been asked yet.",
}
_OF_FILES = {
    "running": "It is being read now.",
    "interrupted": "Its import was interrupted: import it again, what came already is not kept twice.",
    "failed": "Its import failed.",
}


@dataclass(frozen=True, slots=True)
class SetSource:
    """A source that is set, by the settings or by a person."""

    kind: str
    title: str
    origin: str  # settings, added, or both
    address: str | None = None
    hosts: Sequence[str] = ()  # of devices that are asked; each can be removed by itself where it was added
    is_line: bool = False  # it tells by itself, or is asked every few seconds


def source_list(
    store: Store,
    listener: Listener,
    are_set: Sequence[SetSource],
    lines: Collection[str],
    shown: Sequence[Context],
    now: datetime,
) -> list[dict[str, Any]]:
    """Return every source: those that tell by themselves first, then those that are asked, then files.

    Args:
        store: with the log of runs.
        listener: of this process.
        are_set: by the settings, or by a person.
        lines: kinds that tell by themselves; of those, one that was removed stays in the log alone.
        shown: what is forecast.
        now: the present.
    """
    states = {state.source: state for state in listener.states}
    by_kind = {each.kind: each for each in are_set}
    site_of = {channel.id: channel.site for channel in store.channels()}
    found = []
    runs = run_entries(store, shown, (), now)
    logged = {str(run["name"]): run for run in runs}
    for each in are_set:
        if each.is_line:
            things = [found for found in listener.found() if _source_of(found, by_kind) == each.kind]
            entry = _line(each, states.get(each.kind), things, site_of, now, is_listening=listener.is_listening)
            if not listener.is_listening and each.kind in logged:
                entry |= _as_noted(logged[each.kind])
            found.append({**entry, "values_of_last_hour": listener.values_of_last_hour(each.kind)})
    files = _files(store, site_of, now)
    imported = {(each["name"], each["last_run_at"]) for each in files}  # a source asked may have the name of a file
    asked = [
        run
        for run in runs
        if str(run["name"]).partition(":")[0] not in lines and (run["name"], run["last_run_at"]) not in imported
    ]
    return [*found, *_asked(store, by_kind, asked, now), *files]


def _source_of(found: Found, by_kind: Mapping[str, SetSource]) -> str:
    """Return where a thing is heard; of one that was not heard yet by what its key begins with."""
    if found.values or found.source in by_kind:
        return found.source
    return "mqtt"


def _line(
    each: SetSource,
    state: LineState | None,
    things: Sequence[Found],
    site_of: Mapping[str, str],
    now: datetime,
    *,
    is_listening: bool,
) -> dict[str, Any]:
    silent = {found.thing.key for found in things if found.channel is not None and is_silent(found, now)}
    name, words, remedy = _how_it_stands(state, things, silent, now, is_listening=is_listening)
    channels = sorted({found.channel for found in things if found.channel is not None})
    problem = state.problem if state is not None and is_listening else None
    return {
        "name": each.kind,
        "kind": each.kind,
        "label": each.title,
        "origin": each.origin,
        "address": each.address,
        "hosts": list(each.hosts),
        "simulated": False,
        "state": name,
        "words": words,
        "problem": problem,
        "remedy": remedy,
        "last_heard_at": None if state is None else utc_text(state.last_heard_at),
        "last_run_at": None,
        "faults": 0 if state is None else state.n_faults,
        "file": None,
        "new_rows": None,
        "refused_rows": None,
        "feeds": [{"channel": channel, "site": site_of.get(channel)} for channel in channels],
        "things": [{**entry, "silent": entry["key"] in silent} for entry in found_things(things)],
    }


def is_silent(found: Found, now: datetime) -> bool:
    """Tell whether a thing that is heard regularly has missed its time; of one that tells changes alone none knows."""
    beat = found.thing.heartbeat
    heard_at = max((value.heard_at for value in found.values.values()), default=None)
    return beat is not None and heard_at is not None and now - heard_at > max(MISSED * beat, SHORTEST_SILENCE)


def _as_noted(run: Mapping[str, object]) -> dict[str, object]:
    """Return how a line stands by the log of runs, where another process listens."""
    words = "It was heard by another process." if run["problem"] is None else "Another process could not hear it."
    state = "failed" if run["state"] == "failed" else "ok"
    return {"state": state, "words": words, "problem": run["problem"], "last_run_at": run["last_run_at"]}


def _how_it_stands(
    state: LineState | None, things: Sequence[Found], silent: set[str], now: datetime, *, is_listening: bool
) -> tuple[str, str, str | None]:
    """Return the state of a line, the same in a sentence, and what to do."""
    if not is_listening:
        remedy = "`watthour up` listens by itself; of each home directory one process listens."
        return "off", "This process does not listen.", remedy
    if state is None:
        return "waiting", "It was added just now and is connected within seconds.", None
    devices = {found.thing.device for found in things if found.values and found.thing.key not in silent}
    speaking = "1 device speaks" if len(devices) == 1 else f"{len(devices)} devices speak"
    if (words := state.sentence) is not None:
        others = f" {speaking} all the same." if state.is_connected and devices else ""
        return "failed", f"{words}{others}", state.remedy
    if not state.is_connected:
        return "waiting", "It is being connected.", None
    return _how_it_speaks(state, things, silent, now) or (
        ("ok", f"Connected; {speaking}.", None)
        if devices
        else ("waiting", "Connected; no device has spoken yet.", None)
    )


def _how_it_speaks(
    state: LineState, things: Sequence[Found], silent: set[str], now: datetime
) -> tuple[str, str, str | None] | None:
    """Return what is wrong where a line is connected and something that should speak does not."""
    if silent:
        names = ", ".join(sorted({found.thing.name for found in things if found.thing.key in silent}))
        return "silent", f"Connected, but silent: {names}.", "Check that it has power and is in reach of the network."
    since = state.last_heard_at or state.connected_at
    if since is not None and now - since > SILENT_BROKER:
        return "silent", "Connected, but nothing speaks any more.", "Check the devices, and what sends their messages."
    return None


def _asked(
    store: Store, by_kind: Mapping[str, SetSource], runs: Sequence[Mapping[str, object]], now: datetime
) -> list[dict[str, Any]]:
    """Return the sources that are asked, and files, by the log of runs; one that is set and was never asked too."""
    rows: dict[str, int] = {}
    for run in store.runs(limit=RUNS_LOOKED_AT):
        if run.ended_at > now - HOUR:
            rows[run.source] = rows.get(run.source, 0) + run.new_rows
    simulated = {site.id for site in store.sites() if site.is_simulated}
    found = []
    for run_entry in runs:
        name = str(run_entry["name"])
        kind = name.partition(":")[0]
        if name.startswith(OUR_OWN):
            continue
        site = run_entry["site"]
        found.append(
            _asked_entry(
                {**run_entry, "kind": kind, "origin": "file" if kind == "csv" else "built_in"},
                by_kind.get(kind),
                is_simulated=site in simulated,
                feeds=[{"channel": None, "site": site}] if site is not None else [],
                n_rows=rows.get(name, 0),
            )
        )
    kinds = {each["kind"] for each in found}
    blank = {"state": "never", "last_run_at": None, "problem": None, "site": None}
    found += [
        _asked_entry({**blank, "name": each.kind, "label": each.title, "kind": each.kind, "origin": each.origin}, each)
        for each in by_kind.values()
        if not each.is_line and each.kind not in kinds
    ]
    return _told_apart(found, {site.id: site for site in store.sites()})


def _told_apart(found: list[dict[str, Any]], sites: Mapping[str, Site]) -> list[dict[str, Any]]:
    """Add to labels that stand more than once which region or home each is for."""
    n_of = Counter(each["label"] for each in found)
    for each in found:
        site = sites.get(each["feeds"][0]["site"]) if each["feeds"] else None
        if n_of[each["label"]] > 1 and site is not None:
            each["label"] += f": {site.name.removesuffix(' (simulated)')} ({site.kind})"
    return found


def _files(store: Store, site_of: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """Return each file that was brought in, apart for what it fills; a failure is left out once it went well."""
    runs = store.file_runs()
    done = {run.file: run.started_at for run in reversed(runs) if run.fills}  # the newest that went well
    devices = {device.id: device.site for device in store.devices()}
    simulated = {site.id for site in store.sites() if site.is_simulated}
    found = []
    for run in runs:
        if not run.fills and run.file in done and run.started_at <= done[run.file]:
            continue
        state = state_of(run, now=now)
        feeds = {(None, devices[name]) if name in devices else (name, site_of.get(name)) for name in run.fills}
        entry = {
            "name": run.source,
            "label": f"File {run.file}",
            "kind": run.source.partition(":")[0],
            "origin": "file",
            "state": state,
            "problem": run.problem if state == "failed" else None,
            "last_run_at": utc_text(run.ended_at),
        }
        is_recent = run.ended_at > now - HOUR
        found.append(
            {
                **_asked_entry(
                    entry,
                    None,
                    is_simulated=any(site in simulated for _channel, site in feeds),
                    feeds=[{"channel": name, "site": site} for name, site in sorted(feeds, key=str)],
                    n_rows=run.new_rows if is_recent else 0,
                ),
                "words": _words_of_file(run, state),
                "file": run.file,
                "new_rows": run.new_rows,
                "refused_rows": run.refused_rows,
            }
        )
    return found


def _words_of_file(run: SourceRun, state: str) -> str:
    """Say what a file has brought."""
    if state in _OF_FILES:
        return _OF_FILES[state]
    new = "1 row was new" if run.new_rows == 1 else f"{run.new_rows:,} rows were new" if run.new_rows else ""
    refused = f"{run.refused_rows:,} refused" if run.refused_rows else ""
    return f"Imported: {', '.join(filter(None, (new or 'nothing was new', refused)))}."


def _asked_entry(
    run: Mapping[str, object],
    each: SetSource | None,
    *,
    is_simulated: bool = False,
    feeds: Sequence[Mapping[str, object]] = (),
    n_rows: int = 0,
) -> dict[str, Any]:
    is_file = run["origin"] == "file"
    return {
        "name": run["name"],
        "kind": run["kind"],
        "label": run["label"],
        "origin": each.origin if each is not None else run["origin"],
        "address": None,
        "hosts": [],
        "simulated": is_simulated,
        "state": run["state"],
        "words": "Imported." if is_file and run["state"] == "ok" else _RUNS[str(run["state"])],
        "file": None,
        "new_rows": None,
        "refused_rows": None,
        "problem": run["problem"],
        "remedy": None,
        "last_heard_at": None,
        "last_run_at": run["last_run_at"],
        "values_of_last_hour": n_rows,
        "faults": 0,
        "feeds": list(feeds),
        "things": [],
    }
