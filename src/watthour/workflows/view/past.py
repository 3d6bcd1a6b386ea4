"""Many days of a site at once: a week as it was forecast, errors day by day, and whether the bands kept their word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from watthour.core.errors import InvalidInput
from watthour.core.frames import LEVELS, Forecasts
from watthour.core.units import shown_in
from watthour.core.window import DAY, local_day, local_instant
from watthour.workflows.baselines import BASELINES
from watthour.workflows.forecast import label_of
from watthour.workflows.view.day import is_good, points_of, scores_of_day
from watthour.workflows.view.issue import Issue, days_to_open, kept_issue
from watthour.workflows.view.names import model_label
from watthour.workflows.view.wire import local_text, shown_in_entry, utc_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime, time

    from watthour.core.forecast import Context
    from watthour.core.ports import Store
    from watthour.workflows.view.day import Point

MOST_DAYS = 366
WEEK_DAYS = 7


def grid_week(
    store: Store, context: Context, *, end: date | None = None, now: datetime, issue_clock: time
) -> dict[str, object]:
    """Return seven local days, measured and as the day-ahead forecasts that were kept said them.

    A day of which no forecast was kept has its readings alone: nothing is forecast anew here.

    Args:
        store: the store.
        context: what is forecast.
        end: the last of the seven; None means the last that can be opened, tomorrow where readings keep coming.
        now: the present.
        issue_clock: local clock time on the day before at which a day-ahead forecast is issued.

    Raises:
        InvalidInput: the day is outside of what can be opened.
        NotEnoughHistory: there is no reading of the channel.
    """
    first, last = days_to_open(store, context, now)
    last_day = end or last
    if not first <= last_day <= last:
        remedy = f"Choose a day from {first} to {last}."
        raise InvalidInput("end", last_day.isoformat(), "there are no data for this day", remedy=remedy)
    zone = ZoneInfo(context.time_zone)
    shown = list(_days(store, context, last_day, WEEK_DAYS, now, issue_clock))
    points = [point for _day, _issue, points in shown for point in points]
    sizes = [point[name] for point in points for name in ("value", "actual", "upper")]
    return {
        "region": context.site.id,
        "window": _span(last_day, WEEK_DAYS),
        "unit": context.channel.unit_in_words,
        "shown_in": shown_in_entry(shown_in(context.channel.unit, sizes, currency=context.channel.currency)),
        "days": [
            {
                "day": day.isoformat(),
                "issued_at": utc_text(issue.issued_at) if issue else None,
                "model_label": model_label(issue.model) if issue else None,
                "reconstructed": issue is not None and issue.is_reconstructed,
            }
            for day, issue, _points in shown
        ],
        "points": [
            {**point, "time": utc_text(point["time"]), "local_time": local_text(point["time"], zone)}
            for point in points
        ],
    }


def grid_history(
    store: Store, context: Context, *, days: int = 30, end: date | None = None, now: datetime, issue_clock: time
) -> dict[str, object]:
    """Return everybody's error on each of the last days, and the share of readings below each level of our forecasts.

    Both are of the day-ahead forecasts that were kept. A day counts once nearly all of it is measured.

    Args:
        store: the store.
        context: what is forecast.
        days: how many local days.
        end: the last of them; None means today, or the last day with readings where that is older.
        now: the present.
        issue_clock: local clock time on the day before at which a day-ahead forecast is issued.

    Raises:
        InvalidInput: the number of days cannot be.
        NotEnoughHistory: there is no reading of the channel.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput("days", days, f"it must be 1 to {MOST_DAYS}", remedy="Ask for 30.")
    last_day = end or days_to_open(store, context, now)[1] - DAY
    entries: list[dict[str, object]] = []
    ours: list[Point] = []
    labels: dict[str, str] = {}
    for day, issue, points in _days(store, context, last_day, days, now, issue_clock):
        scores: Any = scores_of_day(points, context, issue.model) if issue else None
        rows: Sequence[dict[str, Any]] = scores["rows"] if scores else ()
        entries.append({"day": day.isoformat(), "rows": list(rows)})
        labels |= {row["model"]: row["label"] for row in rows}
        if issue is not None and issue.model not in BASELINES:
            ours += points
    return {
        "region": context.site.id,
        "window": _span(last_day, days),
        "unit": context.channel.unit_in_words,
        "models": [{"model": model, "label": label} for model, label in labels.items()],
        "days": entries,
        "reliability": reliability(ours),
    }


def reliability(points: Sequence[Point]) -> dict[str, object]:
    """Return which share of the readings lay at or below each level of their forecasts, in percent.

    >>> reliability([{"actual": 3.0, "actual_quality": [], "quantiles": {"0.05": 1.0, "0.95": 4.0}}])["rows"]
    [{'level_percent': 5.0, 'below_percent': 0.0}, {'level_percent': 95.0, 'below_percent': 100.0}]
    """
    met = [point for point in points if is_good(point) and point["quantiles"]]
    rows = []
    for level in LEVELS:
        with_level = [point for point in met if f"{level:g}" in point["quantiles"]]
        below = sum(point["actual"] <= point["quantiles"][f"{level:g}"] for point in with_level)
        if with_level:
            rows.append(
                {"level_percent": round(100 * level, 1), "below_percent": round(100 * below / len(with_level), 2)}
            )
    return {"n": len(met), "rows": rows}


def _days(
    store: Store, context: Context, last_day: date, count: int, now: datetime, issue_clock: time
) -> Iterator[tuple[date, Issue | None, list[Point]]]:
    """Give each local day with the forecast that was kept of it and its points."""
    for ago in range(count - 1, -1, -1):
        day = last_day - ago * DAY
        issue = kept_issue(store, context, day, now, issue_clock=issue_clock, has_notes=False)
        due = local_instant(day - DAY, issue_clock, context.time_zone)
        shown = issue or Issue(due, label_of("ours"), is_reconstructed=False, rows=Forecasts.create_empty())
        yield day, issue, points_of(store, context, shown, local_day(day, context.time_zone), now)


def _span(last_day: date, count: int) -> dict[str, str]:
    return {"start": (last_day - (count - 1) * DAY).isoformat(), "end": last_day.isoformat()}
