"""The grid page: one local day of a region as it was forecast and as it came, and the scores of many."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from watthour.core.errors import InvalidInput
from watthour.core.region import Region, find_region
from watthour.core.window import DAY, HOUR, Window, local_day
from watthour.workflows.score import score
from watthour.workflows.view.day import freshness, headline, known_hours, points_of, scores_of_day
from watthour.workflows.view.issue import days_to_open, kept_issue, make_issue
from watthour.workflows.view.wire import local_text, utc_text

if TYPE_CHECKING:
    from datetime import date, datetime

    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.forecast import Served

MOST_DAYS = 3660


def region_entry(region: Region) -> dict[str, object]:
    """Return how a region is shown."""
    return {
        "id": region.id,
        "name": region.name,
        "operator": region.operator,
        "time_zone": region.time_zone,
        "simulated": region.is_simulated,
    }


def grid_forecast(
    store: Store,
    registry: ModelRegistry,
    region: str,
    day: date | None = None,
    *,
    now: datetime,
    served: Served | None = None,
) -> dict[str, object]:
    """Return a local day's forecast with everything that belongs beside it.

    A day that is past shows the forecast made at its own issue time; if none was kept then, it is made from what was
    known then, by a model that had not seen the day, and marked as reconstructed.

    Args:
        store: the store.
        registry: holds the models.
        region: any name of the region.
        day: local; None means tomorrow, or the day after the last demand where that is older.
        now: the present.
        served: the champion, if it is loaded already.

    Raises:
        UnknownRegion: no region has this name.
        InvalidInput: the day is outside of what can be opened.
        NotEnoughHistory: nothing can be forecast from what was known; says what to bring.
    """
    place = find_region(region)
    first, last = days_to_open(store, place, now)
    day = day or last
    if not first <= day <= last:
        problem = "nothing is known to forecast this day from"
        raise InvalidInput("day", day.isoformat(), problem, remedy=f"Choose a day from {first} to {last}.")
    zone = ZoneInfo(place.time_zone)
    window = local_day(day, place.time_zone)
    issue = kept_issue(store, place, day, now) or make_issue(store, registry, place, day, now=now, served=served)
    known = known_hours(store, place, issue.issued_at)
    points = points_of(store, place, issue, window, now)
    return {
        "region": region_entry(place),
        "day": day.isoformat(),
        "days": {"first": first.isoformat(), "last": last.isoformat()},
        "issued_at": utc_text(issue.issued_at),
        "known_until": utc_text(known["time"][-1] + HOUR) if known.height else None,
        "model_version": issue.model,
        "reconstructed": issue.is_reconstructed,
        "unit": "MWh",
        "headline": headline(points, zone, is_past=window.end <= now),
        "lacked": list(issue.lacked),
        "fallback": issue.fallback,
        "points": [
            {**point, "time": utc_text(point["time"]), "local_time": local_text(point["time"], zone)}
            for point in points
        ],
        "known": [
            {"time": utc_text(row["time"]), "local_time": local_text(row["time"], zone), "value": row["value"]}
            for row in known.to_dicts()
        ],
        "scores_of_day": scores_of_day(points),
        "freshness": freshness(store, place, now),
    }


def grid_scores(
    store: Store, region: str, *, days: int = 30, end: date | None = None, now: datetime
) -> dict[str, object]:
    """Return everybody's scores over the last days, by lead time.

    Args:
        store: the store.
        region: any name of the region.
        days: how many local days.
        end: the last of them; None means today, or the last day with demand where that is older.
        now: the present.

    Raises:
        UnknownRegion: no region has this name.
        InvalidInput: the number of days cannot be.
        NotEnoughHistory: there is no demand of the region.
    """
    place = find_region(region)
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput("days", days, f"it must be 1 to {MOST_DAYS}", remedy="Ask for 30.")
    last_day = end or days_to_open(store, place, now)[1] - timedelta(days=1)
    first_day = last_day - (days - 1) * DAY
    window = Window(local_day(first_day, place.time_zone).start, local_day(last_day, place.time_zone).end)
    scores = score(store, place.context(), window, now=now)
    return {
        "region": place.id,
        "window": {"start": first_day.isoformat(), "end": last_day.isoformat()},
        "unit": "MWh",
        "protocol": scores.protocol,
        "rows": list(scores.rows),
    }
