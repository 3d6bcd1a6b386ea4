"""One local day of a site as it was forecast and as it came, and the scores of many."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from watthour.core.errors import InvalidInput
from watthour.core.loads import main_channel
from watthour.core.window import DAY, Window, local_day
from watthour.workflows.beside import channels_beside
from watthour.workflows.score import score
from watthour.workflows.view.day import freshness, headline, known_readings, points_of, scores_of_day, size_of
from watthour.workflows.view.issue import days_to_open, kept_issue, make_issue
from watthour.workflows.view.names import made_of_entries, model_label
from watthour.workflows.view.picture import (
    day_aheads,
    later_readings,
    newest_issue,
    outlook,
    picture_window,
    said_of_today,
    temperature,
)
from watthour.workflows.view.wire import local_text, shown_in_entry, utc_text

if TYPE_CHECKING:
    from datetime import date, time

    from watthour.core.forecast import Context
    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.forecast import Served

MOST_DAYS = 3660


def region_entry(context: Context) -> dict[str, object]:
    """Return how a site is shown."""
    return {
        "id": context.site.id,
        "name": context.site.name,
        "operator": context.site.operator,
        "time_zone": context.time_zone,
        "channel": context.channel.id,
        "unit": context.channel.unit_in_words,
        "resolution_seconds": int(context.resolution.total_seconds()),
        "simulated": context.site.is_simulated,
    }


def series_entries(store: Store, context: Context) -> list[dict[str, object]]:
    """Return what of a site is forecast regularly, and the name under which each can be asked for; its load first."""
    site = context.site
    main = main_channel(site, [each for each in store.channels() if each.site == site.id]) or context.channel
    here = {each.id: each for each in (main, *channels_beside(store, site), context.channel)}
    return [
        {"id": site.id if each.id == main.id else each.id, "channel": each.id, "quantity": str(each.quantity)}
        for each in here.values()
    ]


def grid_forecast(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    day: date | None = None,
    *,
    now: datetime,
    served: Served | None = None,
    issue_clock: time,
) -> dict[str, object]:
    """Return a local day's forecast with everything that belongs beside it.

    A day that is past shows the forecast made at its own issue time; if none was kept then, it is made from what was
    known then, by a model that had not seen the day, and marked as reconstructed.

    Args:
        store: the store.
        registry: holds the models.
        context: what is forecast.
        day: local; None means tomorrow, or the day after the last reading where that is older.
        now: the present.
        served: the champion, if it is loaded already.
        issue_clock: local clock time on the day before at which a day-ahead forecast is issued.

    Raises:
        InvalidInput: the day is outside of what can be opened.
        NotEnoughHistory: nothing can be forecast from what was known; says what to bring.
    """
    first, last = days_to_open(store, context, now)
    day = day or last
    if not first <= day <= last:
        problem = "there are no data from which this day could be forecast"
        raise InvalidInput("day", day.isoformat(), problem, remedy=f"Choose a day from {first} to {last}.")
    zone = ZoneInfo(context.time_zone)
    window = local_day(day, context.time_zone)
    issue = kept_issue(store, context, day, now, issue_clock=issue_clock) or make_issue(
        store, registry, context, day, now=now, served=served, issue_clock=issue_clock
    )
    known = known_readings(store, context, issue.issued_at)
    known_until = known["time"][-1] + context.resolution if known.height else None
    points = points_of(store, context, issue, window, now)
    newest = newest_issue(store, registry, context, issue, day, now=now, served=served, issue_clock=issue_clock)
    picture = picture_window(day, known_until, now, context)
    later = later_readings(store, context, known_until, picture.end if newest else window.start, now)
    measured_until = _end_of(later, context) or known_until or picture.start
    ahead = outlook(context, newest, _from(measured_until, picture)) if newest is not None else None
    said = said_of_today(points, ahead)
    return {
        "region": region_entry(context),
        "series": series_entries(store, context),
        "day": day.isoformat(),
        "days": {"first": first.isoformat(), "last": last.isoformat()},
        "issued_at": utc_text(issue.issued_at),
        "known_until": utc_text(known_until),
        "model_version": issue.model,
        "model_label": model_label(issue.model),
        "reconstructed": issue.is_reconstructed,
        "unit": context.channel.unit_in_words,
        "shown_in": shown_in_entry(size_of(said, context)),
        "headline": headline(said, context, is_past=window.end <= now),
        "missing_inputs": list(issue.notes.missing_inputs),
        "fallback": issue.notes.fallback,
        "made_of": made_of_entries(issue.notes.made_of),
        "points": [
            {**point, "time": utc_text(point["time"]), "local_time": local_text(point["time"], zone)}
            for point in points
        ],
        "known": [
            {"time": utc_text(row["time"]), "local_time": local_text(row["time"], zone), "value": row["value"]}
            for row in known.to_dicts()
        ],
        "later": later,
        "newest": {**ahead, "known_until": utc_text(measured_until)} if ahead is not None else None,
        "day_ahead": (
            day_aheads(store, context, issue, newest, day, now=now, issue_clock=issue_clock) if newest else []
        ),
        "temperature": temperature(store, context, picture, now if newest else issue.issued_at),
        "scores_of_day": scores_of_day(points, context, issue.model),
        "freshness": freshness(store, context, now),
    }


def grid_scores(
    store: Store, context: Context, *, days: int = 30, end: date | None = None, now: datetime
) -> dict[str, object]:
    """Return everybody's scores over the last days, by lead time.

    Args:
        store: the store.
        context: what is forecast.
        days: how many local days.
        end: the last of them; None means today, or the last day with readings where that is older.
        now: the present.

    Raises:
        InvalidInput: the number of days cannot be.
        NotEnoughHistory: there is no reading of the channel.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput("days", days, f"it must be 1 to {MOST_DAYS}", remedy="Ask for 30.")
    last_day = end or days_to_open(store, context, now)[1] - timedelta(days=1)
    first_day = last_day - (days - 1) * DAY
    window = Window(local_day(first_day, context.time_zone).start, local_day(last_day, context.time_zone).end)
    scores = score(store, context, window, now=now)
    return {
        "region": context.site.id,
        "window": {"start": first_day.isoformat(), "end": last_day.isoformat()},
        "unit": context.channel.unit_in_words,
        "protocol": scores.protocol,
        "rows": list(scores.rows),
    }


def _end_of(later: list[dict[str, object]], context: Context) -> datetime | None:
    """Return where the newest reading of a list ends."""
    return datetime.fromisoformat(str(later[-1]["time"])) + context.resolution if later else None


def _from(instant: datetime, window: Window) -> Window:
    return Window(min(instant, window.end - timedelta(seconds=1)), window.end)
