"""`watthour doctor`: what works, what is stale, what is missing, and the cure."""

from __future__ import annotations

import math
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from watthour.cli.context import chosen_contexts, read_settings
from watthour.cli.exits import Exit
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table, utc_now
from watthour.core.errors import ModelNotFound, WatthourError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from watthour.bootstrap import App
    from watthour.core.forecast import Context
    from watthour.settings import Settings

LEAST_FREE_GB = 1.0
_CURE_OF_DOUBT = "Forecasts do not use them. If the values are right, please report it: the limits are then too narrow."
LONGEST_LOOK_S = 5.0  # at a server that may not answer


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    what: str
    state: str  # ok, note, stale, missing or broken; the last one makes the exit code differ from zero
    words: str
    cure: str = ""


def doctor(*, as_json: AsJson = False) -> None:
    """Check what works, what is out of date and what is missing, with cures; exit code 9 if something is broken."""
    findings = list(_examine(read_settings(), utc_now()))
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        show_table(("", "what", "found", "cure"), [(f.state, f.what, f.words, f.cure) for f in findings])
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(Exit.UNWELL)


def _examine(settings: Settings, now: datetime) -> Iterator[Finding]:
    from watthour.bootstrap import open_app

    if settings.file is None:
        yield Finding("settings", "note", "no settings file; the defaults apply", "`watthour init` writes one.")
    else:
        yield Finding("settings", "ok", str(settings.file))
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        free_gb = shutil.disk_usage(settings.home).free / 1e9
    except OSError as error:
        yield Finding(
            "home",
            "broken",
            f"{settings.home}: {error.strerror}",
            "Set WATTHOUR_HOME to a folder that you can write to.",
        )
        return
    words = f"{settings.home}, {free_gb:.1f} GB free"
    yield (
        Finding("home", "ok", words)
        if free_gb > LEAST_FREE_GB
        else Finding("home", "broken", words, "Free some space.")
    )
    yield _pages()
    if (unreachable := _registry_that_does_not_answer(settings)) is not None:
        yield unreachable
    try:
        app = open_app(settings)
    except WatthourError as error:
        yield Finding("store", "broken", error.problem, error.remedy)
        return
    with app:
        yield _store(app)
        yield from _settings_of_sources(app)
        yield from _archives(app)
        yield from _sites(app, now, asks_models=unreachable is None)
        if unreachable is None:
            yield from _own_sites(app)
        yield from _fills(app, now)
        yield from _sources(app, now)
        refused = app.store.quarantined(limit=1)
        if not refused.is_empty():
            newest = refused.to_dicts()[0]
            words = f"newest: {newest['source']}, rule {newest['rule']}: {newest['row'][:120]}"
            yield Finding("refused rows", "note", words, "Correct the file and import it again.")


def _registry_that_does_not_answer(settings: Settings) -> Finding | None:
    """Ask MLflow's server for a moment; its own client would wait for minutes."""
    uri = settings.mlflow_tracking_uri.get_secret_value() if settings.mlflow_tracking_uri else ""
    if not uri.startswith(("http://", "https://")):
        return None
    import httpx2

    try:
        httpx2.get(uri, timeout=LONGEST_LOOK_S)
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        words = f"the MLflow server does not answer ({type(error).__name__})"
        return Finding("models", "broken", words, "Check MLFLOW_TRACKING_URI, and that the server is running.")
    return None


def _store(app: App) -> Finding:
    try:
        app.store.check_writable()
    except WatthourError as error:
        return Finding("store", "broken", f"it can be read but not written: {error.problem}", error.remedy)
    return Finding("store", "ok", f"{len(app.store.spans()):,} channels with readings")


def _fills(app: App, now: datetime) -> Iterator[Finding]:
    """Tell what of the past of each source has not been brought in."""
    from watthour.workflows.view.wire import day_span

    for fill in app.pasts(chosen_contexts(app, []), now):
        what = f"past of {fill.source}"
        empty = f"; the source has no data for {', '.join(map(day_span, fill.empty))}" if fill.empty else ""
        if fill.holes:
            holes = ", ".join(map(day_span, fill.holes))
            words = f"{math.floor(100 * fill.share)} % imported; missing {holes}{empty}"
            yield Finding(what, "note", words, "`watthour up` fetches it, newest first; so does `watthour backfill`.")
        else:
            yield Finding(what, "ok", f"complete since {fill.wanted.start:%Y-%m-%d}{empty}")


def _settings_of_sources(app: App) -> Iterator[Finding]:
    """Tell what each source still needs from the settings."""
    lacking = app.lacking()
    for block, error in lacking.items():
        yield Finding(f"settings of {block}", "missing", error.problem, error.remedy)
    for block, error in app.standing_by().items():
        if block in lacking:
            continue
        yield Finding(f"settings of {block}", "note", f"it stands by: {error.problem}", error.remedy)


def _archives(app: App) -> Iterator[Finding]:
    """Tell whether those who have recorded what a home's things told can be asked."""
    try:
        archives = app.archives()
    except WatthourError as error:
        yield Finding("listening", "missing", error.problem, error.remedy)
        return
    for archive in archives:
        try:
            heard = archive.look()
        except WatthourError as error:
            yield Finding(archive.name, "broken", error.problem, error.remedy)
        else:
            n_things = len({told.thing.key for told in heard.told})
            missing = ", ".join(sorted({fault.topic for fault in heard.faults})[:5])
            words = f"it answers; things that can be read: {n_things}" + (f", and not {missing}" if missing else "")
            yield Finding(
                archive.name, "ok" if n_things else "note", words, "" if n_things else "Look at its settings."
            )


def _pages() -> Finding:
    from importlib.resources import files

    if files("watthour.api").joinpath("static", "index.html").is_file():
        return Finding("pages", "ok", "built")
    return Finding("pages", "missing", "the web app is not built; the API works without it", "Run `make web`.")


def _own_sites(app: App) -> Iterator[Finding]:
    """Tell what the sites of one's own still lack."""
    from watthour.workflows import view

    for site in app.store.sites():
        entry = view.site_entry(app.store, app.registry, app.directories, site, app.settings.sites)
        if entry["described_in"] != "watthour":
            steps: Sequence[Mapping[str, str]] = entry["next"]  # type: ignore[assignment]  # a list, by the view
            words = f"{site.kind} {site.name}, {site.place.time_zone}, described in the {entry['described_in']}"
            cure = " ".join(f"{step['text']} `{step['command']}`" for step in steps)
            yield Finding(f"site {site.id}", "note" if steps else "ok", words, cure)


def _sites(app: App, now: datetime, *, asks_models: bool) -> Iterator[Finding]:
    from watthour.workflows.arrivals import arrivals
    from watthour.workflows.doubts import doubted

    for context in chosen_contexts(app, []):
        yield _readings(app, context, now)
        for each in doubted(app.store, context, now):
            yield Finding(f"doubted: {each.what}", "note", each.words, _CURE_OF_DOUBT)
        for fault in arrivals(app.store, context):
            yield Finding(f"feed of {fault.channel}", "note", fault.words, fault.cure)
        if asks_models:
            yield _model(app, context)
            for error in app.registry.damaged(context.channel.id):
                yield Finding(f"model of {context.channel.id}", "broken", error.problem, error.remedy)


def _readings(app: App, context: Context, now: datetime) -> Finding:
    from watthour.workflows.view.day import STALE_AFTER, is_archived

    what = f"readings of {context.channel.id}"
    span = app.store.spans().get(context.channel.id)
    if span is None:
        cure = f"`watthour backfill {context.site.id}` or `watthour import FILE`."
        return Finding(what, "missing", "none in the store", cure)
    age_hours = max(0.0, (now - span[1]).total_seconds() / 3600)  # prices are told ahead
    words = f"{span[0]:%Y-%m-%d} to {span[1]:%Y-%m-%d %H:%M} UTC, {age_hours:,.0f} h old"
    if context.site.is_simulated:
        words += ", simulated"
    if now - span[1] <= STALE_AFTER:
        return Finding(what, "ok", words)
    follows = app.can_follow(context)
    if is_archived(app.store, context, now):
        words = f"archive: {span[0]:%Y-%m-%d} to {span[1]:%Y-%m-%d}"
        cure = "Import a newer file to continue."
        return Finding(what, "note", words, f"{cure[:-1]}, or run `watthour up`." if follows else cure)
    cure = "`watthour ingest` fetches new readings." if follows else "No source delivers them: import a newer file."
    return Finding(what, "stale", words, cure)


def _model(app: App, context: Context) -> Finding:
    what = f"model of {context.channel.id}"
    from watthour.workflows.forecast import load_model

    try:
        manifest = load_model(app.registry, context.channel.id).manifest
    except ModelNotFound as error:
        return Finding(what, "missing", error.problem, f"`watthour train {context.site.id}`.")
    except WatthourError as error:
        return Finding(what, "broken", error.problem, error.remedy)
    return Finding(what, "ok", f"{manifest.version}, trained {manifest.created_at:%Y-%m-%d}, files unchanged")


def _cure(source: str) -> str:
    """Return the command that tries again what failed."""
    from watthour.sources.catalogue import LINES

    kind, _, channel = source.partition(":")
    return {
        "train": f"`watthour train {channel}` tries again.",
        "forecast": f"`watthour forecast {channel}` tries again.",
        "score": "It is tried again tomorrow.",
        "announce": "`watthour up` tries again; `watthour home told` shows what it would tell.",
        **dict.fromkeys(LINES, "`watthour listen --found` shows what is wrong now."),
    }.get(kind, "`watthour ingest` tries again.")


def _sources(app: App, now: datetime) -> Iterator[Finding]:
    from watthour.workflows.runs import INTERRUPTED, state_of

    seen: set[str] = set()
    for run in app.store.runs(limit=500):
        if run.source in seen:
            continue
        seen.add(run.source)
        when = f"{run.ended_at:%Y-%m-%d %H:%M} UTC"
        match state_of(run, now=now):
            case "failed":
                yield Finding(run.source, "broken", f"failed at {when}: {run.problem}", _cure(run.source))
            case "running":
                yield Finding(run.source, "ok", f"running since {when}")
            case state if state == INTERRUPTED:
                words = f"the request of {when} was interrupted: its process ended before the answer came"
                yield Finding(run.source, "note", words, _cure(run.source))
            case _:
                yield Finding(run.source, "ok", f"last at {when}")
