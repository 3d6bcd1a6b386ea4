"""Which forecast a day's page shows: the one kept at its issue time, or one made from what was known then."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import ModelError, NotEnoughHistory
from watthour.core.forecast import interval_starts
from watthour.core.frames import Maker, Quality
from watthour.core.window import DAY, Window, local_day, local_instant
from watthour.workflows.baselines import BASELINES, companions, stand_ins
from watthour.workflows.forecast import (
    Notes,
    Served,
    answer_with_fallback,
    as_stored,
    baseline_forecasts,
    learned_until,
    live_window,
    load_model,
    notes_of_issue,
    recall,
)
from watthour.workflows.known_ahead import asked_of, issued_by
from watthour.workflows.similar import history_beside

if TYPE_CHECKING:
    from datetime import date, datetime, time

    from watthour.core.forecast import Context, History, UsesAhead
    from watthour.core.ports import ModelRegistry, Store

FRESH = timedelta(days=14)  # older demand is an archive, and its page opens at its end
FIRST_WEEK = timedelta(days=8)  # nothing can be forecast from less
LATEST_READINGS = timedelta(days=2)  # how long before an issue the newest reading may lie and its forecast be drawn


@dataclass(frozen=True, slots=True)
class Issue:
    """The forecast a day's page shows, with what its companions had said by then."""

    issued_at: datetime
    model: str
    is_reconstructed: bool
    rows: pl.DataFrame  # one row per time, model and level
    notes: Notes = field(default_factory=Notes)
    uses: UsesAhead | None = None  # of something that is seldom on


def days_to_open(store: Store, context: Context, now: datetime) -> tuple[date, date]:
    """Return the first and the last local day that can be forecast from what is in the store.

    Raises:
        NotEnoughHistory: there is no reading of the channel.
    """
    span = store.spans().get(context.channel.id)
    if span is None:
        raise NotEnoughHistory(
            f"the store has no readings of {context.channel.id} ({context.site.name})",
            remedy=f"Add some: `watthour backfill {context.site.id}` or `watthour import FILE`.",
        )
    zone = ZoneInfo(context.time_zone)
    newest = now if now - span[1] <= FRESH else span[1]
    last = newest.astimezone(zone).date() + DAY
    return min((span[0] + FIRST_WEEK).astimezone(zone).date(), last), last


def is_followed(store: Store, context: Context, now: datetime) -> bool:
    """Tell a channel whose readings keep coming from an archive."""
    span = store.spans().get(context.channel.id)
    return span is not None and now - span[1] <= FRESH


def kept_issue(
    store: Store, context: Context, day: date, now: datetime, *, issue_clock: time, has_notes: bool = True
) -> Issue | None:
    """Return the day-ahead forecast kept in the store; of a day to come, the newest one.

    Args:
        store: the store.
        context: what is forecast.
        day: local.
        now: the present.
        issue_clock: local clock time on the day before at which the day-ahead forecast is issued.
        has_notes: whether to look up what the forecast said of itself.
    """
    candidates = _candidates(store, context, day, now)
    if local_day(day, context.time_zone).start <= now:
        chosen = _day_ahead(candidates, context, day, issue_clock)
    else:
        chosen = candidates.filter(pl.col("issued_at") == pl.col("issued_at").max())
    return _issue_of(store, context, day, chosen, has_notes=has_notes)


def day_ahead_on_time(store: Store, context: Context, day: date, now: datetime, *, issue_clock: time) -> Issue | None:
    """Return the first forecast of a day kept at or after its hour of issue, whatever came later; None before it."""
    due = local_instant(day - DAY, issue_clock, context.time_zone)
    on_time = _candidates(store, context, day, now).filter(pl.col("issued_at") >= due)
    return _issue_of(store, context, day, _day_ahead(on_time, context, day, issue_clock), has_notes=False)


def _candidates(store: Store, context: Context, day: date, now: datetime) -> pl.DataFrame:
    """Return who has forecast the last interval of a day, and when: our models, or where they have not, baselines."""
    window = local_day(day, context.time_zone)
    last_interval = Window(interval_starts(window, context.resolution, context.time_zone)[-1], window.end)
    issues = pl.DataFrame(
        store.forecasts(
            [context.channel.id], last_interval, as_of=now, makers=[Maker.OWN, Maker.BASELINE], levels=[0.5]
        )
    ).drop_nulls("value")
    ours = issues.filter(maker=str(Maker.OWN))
    return ours if not ours.is_empty() else issues.filter(pl.col("model").is_in(list(BASELINES)))


def _day_ahead(candidates: pl.DataFrame, context: Context, day: date, issue_clock: time) -> pl.DataFrame:
    """Keep the first issue from the hour of issue on; where there is none before the day begins, the last before it."""
    due = local_instant(day - DAY, issue_clock, context.time_zone)
    ahead = candidates.filter(pl.col("issued_at") < local_day(day, context.time_zone).start)
    on_time = ahead.filter(pl.col("issued_at") >= due)
    first = pl.col("issued_at").min() if not on_time.is_empty() else pl.col("issued_at").max()
    return (on_time if not on_time.is_empty() else ahead).filter(pl.col("issued_at") == first)


def _issue_of(store: Store, context: Context, day: date, chosen: pl.DataFrame, *, has_notes: bool) -> Issue | None:
    if chosen.is_empty():
        return None
    rules = (*stand_ins(context), *BASELINES)
    # Of one instant: a live one before one made afterwards, then the best baseline, then the latest recorded.
    best = min(
        chosen.to_dicts(),
        key=lambda row: (
            row["quality"] & Quality.ASSUMED,
            rules.index(row["model"]) if row["model"] in rules else 0,
            -row["recorded_at"].timestamp(),
        ),
    )
    issued_at: datetime = best["issued_at"]
    window = local_day(day, context.time_zone)
    span = Window(min(window.start, issued_at - LATEST_READINGS), window.end)
    rows = pl.DataFrame(store.forecasts([context.channel.id], span, as_of=issued_at, latest_issue=True))
    notes = notes_of_issue(store, context, issued_at) if has_notes else Notes()
    return Issue(issued_at, best["model"], bool(best["quality"] & Quality.ASSUMED), rows, notes)


def make_issue(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    day: date,
    *,
    now: datetime,
    served: Served | None,
    issue_clock: time,
) -> Issue:
    """Forecast a day from what was known at its issue time, by a model that had learned only from before.

    Raises:
        NotEnoughHistory: nothing can be forecast from what was known then.
    """
    window = local_day(day, context.time_zone)
    due = local_instant(day - DAY, issue_clock, context.time_zone)
    is_live = window.start > now
    issued_at = now if is_live else due
    # A day to come is forecast from the interval now running on: the rest of today belongs to the same picture.
    span = Window(min(window.start, live_window(context, now).start), window.end) if is_live else window
    history = recall(store, context, window, issued_at)
    why_none = None
    if not is_live:
        served, why_none = model_of_then(registry, context.channel.id, issued_at)
    return made_of_history(
        store,
        registry if is_live else None,
        history,
        span,
        issued_at,
        now=now,
        served=served,
        why_none=why_none,
    )


def made_of_history(
    store: Store,
    registry: ModelRegistry | None,
    history: History,
    span: Window,
    issued_at: datetime,
    *,
    now: datetime,
    served: Served | None,
    why_none: str | None = None,
) -> Issue:
    """Forecast a span from what is given as known at an instant, with the companions and rivals of that forecast.

    Args:
        store: where series like it are.
        registry: holds the model that serves; None: no other one than ``served`` may answer.
        history: what is known.
        span: what is asked.
        issued_at: the instant.
        now: the present; what is issued before it is marked as made afterwards.
        served: the model that answers, if it is loaded already.
        why_none: why no model serves, if that is known.

    Raises:
        NotEnoughHistory: not even a baseline is possible.
    """
    context = history.context
    asked = asked_of(store, context, span, issued_at)
    answer = answer_with_fallback(
        history,
        asked,
        registry=registry,
        served=served,
        why_none=why_none,
        similar=partial(history_beside, store, context, span, issued_at),
    )
    beside = baseline_forecasts(history, asked, [name for name in companions(context) if name != answer.model])
    rows = [
        as_stored(issued_by(answer.values, issued_at), answer.model, now),
        *(as_stored(issued_by(each.values, issued_at), n, now) for n, each in beside.items()),
    ]
    rivals = (
        pl.DataFrame(history.forecasts)
        .filter(
            pl.col("channel") == context.channel.id,
            pl.col("model").is_in(context.rivals),
            pl.col("time").is_between(span.start, span.end, closed="left"),
        )
        .sort("issued_at")
        .unique(["model", "time", "level"], keep="last")
    )
    table = pl.concat([*map(pl.DataFrame, rows), rivals.select(rows[0].columns)])
    notes = Notes(answer.fallback, answer.missing_inputs, answer.details)
    return Issue(issued_at, answer.model, issued_at < now, table, notes, answer.uses)


def model_of_then(registry: ModelRegistry, name: str, issued_at: datetime) -> tuple[Served | None, str | None]:
    """Return the newest model that had learned only from before an instant, or why there is none."""
    manifests = registry.manifests(name)
    champion = registry.champion(name)
    for manifest in sorted(manifests, key=lambda each: each.version != champion):
        learned = learned_until(manifest)
        if learned is not None and learned <= issued_at:
            try:
                return load_model(registry, name, manifest.version), None
            except ModelError as error:
                return None, str(error)
    if not manifests:
        return None, "no model has been trained yet."
    return None, "all models were trained on this day or later days, so none can give an honest forecast of it."
