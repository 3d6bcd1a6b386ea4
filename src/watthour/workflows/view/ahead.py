"""The hours ahead of a site and of what is in it, forecast from the latest readings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.loads import shared_name
from watthour.core.quality import is_trusted
from watthour.core.window import DAY, HOUR, Window, local_midnight, step_in_words
from watthour.forecasting.catalogue import OTHER_HOMES, RARE, SIMILAR
from watthour.workflows.baselines import BASELINES
from watthour.workflows.entities import Entity, newest_reading, recalled
from watthour.workflows.forecast import live_window
from watthour.workflows.view.day import STALE_AFTER, points_of
from watthour.workflows.view.issue import FRESH, made_of_history, model_of_then
from watthour.workflows.view.names import made_of_entries, model_label
from watthour.workflows.view.wire import age_hours, local_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.core.forecast import Context, History, UsesAhead
    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.forecast import Served
    from watthour.workflows.view.issue import Issue

MOST_HOURS = 168
_NO_USE = {"probability": None, "expected_kwh": None}  # on too often, or too little known of it


def ahead_of_all(
    store: Store,
    registry: ModelRegistry,
    site: Site,
    asked: Sequence[Entity],
    *,
    hours: int,
    now: datetime,
    served: Callable[[Context], Served | None] = lambda _context: None,
) -> dict[str, object]:
    """Return the forecasts of all that is asked; what too little is known of is named with the cure.

    Raises:
        NotEnoughHistory: nothing of it can be forecast.
        InvalidInput: the number of hours cannot be, or the step of a channel is longer than a day.
    """
    found: list[dict[str, object]] = []
    failed: list[tuple[Entity, NotEnoughHistory]] = []
    for entity in asked:
        try:
            model = served(entity.context) if entity.is_stored else None
            found.append(hours_ahead(store, registry, entity, hours=hours, now=now, served=model))
        except NotEnoughHistory as error:
            failed.append((entity, error))
    if failed and not found:
        raise failed[0][1]
    return {
        "site": site.id,
        "name": site.name,
        "kind": str(site.kind),
        "time_zone": site.place.time_zone,
        "simulated": site.is_simulated,
        "hours": hours,
        "generated_at": utc_text(now),
        "forecasts": found,
        "not_forecast": [
            {"kind": each.kind, "id": each.id, "name": each.name, "problem": error.problem, "remedy": error.remedy}
            for each, error in failed
        ],
    }


@dataclass(frozen=True, slots=True)
class Ahead:
    """The hours ahead of something, from what is known now."""

    entity: Entity
    window: Window
    issue: Issue
    history: History  # what was known at the issue
    known_until: datetime | None  # end of the newest reading that it rests on
    is_archive: bool  # readings ended long ago, and the hours after them are forecast

    @property
    def context(self) -> Context:
        """What is forecast."""
        return self.entity.context


def hours_ahead(
    store: Store,
    registry: ModelRegistry,
    entity: Entity,
    *,
    hours: int,
    now: datetime,
    served: Served | None = None,
    most_hours: int = MOST_HOURS,
) -> dict[str, Any]:
    """Return the forecast of the next hours from what is known now, how old that is, and who made it.

    Args and errors as of ``look_ahead``.
    """
    found = look_ahead(store, registry, entity, hours=hours, now=now, served=served, most_hours=most_hours)
    issue, context, zone = found.issue, found.context, ZoneInfo(found.context.time_zone)
    uses = _uses_by_time(issue.uses)
    return {
        "kind": entity.kind,
        "id": entity.id,
        "name": entity.name,
        "channels": [channel.id for channel in entity.parts],
        "unit": context.channel.unit_in_words,
        "resolution_seconds": int(context.resolution.total_seconds()),
        "simulated": context.channel.is_simulated or context.site.is_simulated,
        **made_entry(registry, found, now),
        "days": _days_of_use(issue.uses),
        "points": [
            {
                "time": utc_text(point["time"]),
                "local_time": local_text(point["time"], zone),
                **uses.get(point["time"], _NO_USE),
                **{
                    name: point[name] for name in ("value", "lower", "upper", "quantiles", "operator", "seasonal_naive")
                },
            }
            for point in points_of(store, context, issue, found.window, now)
        ],
    }


def look_ahead(
    store: Store,
    registry: ModelRegistry,
    entity: Entity,
    *,
    hours: int,
    now: datetime,
    served: Served | None = None,
    most_hours: int = MOST_HOURS,
) -> Ahead:
    """Forecast the next hours from what is known now.

    Where the readings ended more than two weeks ago, the hours after the last of them are forecast as they would have
    been then, by a model that had not seen them.

    Args:
        store: the store.
        registry: holds the models.
        entity: what is forecast.
        hours: from the interval now running on.
        now: the present.
        served: the champion, if it is loaded already.
        most_hours: that may be asked.

    Raises:
        InvalidInput: the number of hours cannot be, or the step is longer than a day.
        NotEnoughHistory: nothing can be forecast from what is known; says what to bring.
    """
    if not 1 <= hours <= most_hours:
        raise InvalidInput("hours", hours, f"it must be 1 to {most_hours}", remedy=f"Ask for 24, 48 or {most_hours}.")
    context = entity.context
    if context.resolution > DAY:
        problem = f"{context.channel.id} has steps of {step_in_words(context.resolution)}, longer than a day"
        raise InvalidInput("channel", context.channel.id, problem, remedy="Name one with steps of a day or less.")
    newest = newest_reading(store, entity)
    is_archive = now - newest > FRESH
    window = _window(context, newest, hours, now, is_archive=is_archive)
    issued_at = window.start if is_archive else now
    why_none = None if entity.is_stored else f"{entity.made_of} has no model of its own."
    if is_archive and entity.is_stored:
        served, why_none = model_of_then(registry, context.channel.id, issued_at)
    history = recalled(store, entity, window, issued_at)
    is_served_live = not is_archive and entity.is_stored
    issue = made_of_history(
        store,
        registry if is_served_live else None,
        history,
        window,
        issued_at,
        now=now,
        served=served,
        why_none=why_none,
    )
    measured = history.latest().filter(pl.col("channel") == context.channel.id, is_trusted()).drop_nulls("value")
    last: datetime | None = None if measured.is_empty() else measured["time"].sort()[-1]
    known_until = None if last is None else last + context.resolution
    return Ahead(entity, window, issue, history, known_until, is_archive)


def made_entry(registry: ModelRegistry, found: Ahead, now: datetime) -> dict[str, Any]:
    """Return when a forecast was made, from what and by whom."""
    issue, known_until = found.issue, found.known_until
    return {
        "start": utc_text(found.window.start),
        "end": utc_text(found.window.end),
        "issued_at": utc_text(issue.issued_at),
        "known_until": utc_text(known_until),
        "data_age_hours": None if known_until is None else max(0.0, age_hours(known_until, now)),
        "stale": not found.is_archive and (known_until is None or now - known_until > STALE_AFTER),
        "archive": found.is_archive,
        "made_by": _made_by(issue.model),
        "model_version": issue.model,
        "model_label": model_label(issue.model),
        **_learned(registry, found.context, issue.model),
        "fallback": issue.notes.fallback,
        "missing_inputs": list(issue.notes.missing_inputs),
        "made_of": made_of_entries(issue.notes.made_of),
    }


def _learned(registry: ModelRegistry, context: Context, version: str) -> dict[str, object]:
    """Return when a model was trained, and of how many sites together; nothing of what is no saved model."""
    if _made_by(version) == "model":
        for name in (context.channel.id, shared_name(context)):
            for manifest in registry.manifests(name) if name else ():
                if manifest.version == version:
                    return {"trained_at": utc_text(manifest.created_at), "learned_from": manifest.n_series}
    return {"trained_at": None, "learned_from": None}


def _uses_by_time(uses: UsesAhead | None) -> dict[datetime, dict[str, float]]:
    if uses is None:
        return {}
    return {
        row["time"]: {"probability": row["probability"], "expected_kwh": row["energy_kwh"]}
        for row in uses.intervals.iter_rows(named=True)
    }


def _days_of_use(uses: UsesAhead | None) -> list[dict[str, object]]:
    return [] if uses is None else uses.days.drop("issued_at").rename({"energy_kwh": "expected_kwh"}).to_dicts()


def _made_by(model: str) -> str:
    if model in BASELINES:
        return "baseline"
    return model if model in {OTHER_HOMES, SIMILAR, RARE} else "model"


def _window(context: Context, newest: datetime, hours: int, now: datetime, *, is_archive: bool) -> Window:
    """Return the next hours: from the interval now running on, or of an archive from the end of its readings."""
    start = newest.astimezone(UTC) + context.resolution if is_archive else live_window(context, now).start
    if context.resolution < DAY:
        return Window(start, start + hours * HOUR)
    zone = ZoneInfo(context.time_zone)
    # Of days, whole ones: the step may have led past a midnight by the hour that the clock was changed.
    first = (start + timedelta(hours=12)).astimezone(zone).date()
    return Window(
        local_midnight(first, context.time_zone),
        local_midnight(first + -(-hours * HOUR // DAY) * DAY, context.time_zone),
    )
