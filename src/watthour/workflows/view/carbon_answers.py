"""The carbon intensity of the hours ahead as content: the forecast, its trend, and the best time for a run."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.carbon import Basis
from watthour.core.errors import InvalidInput
from watthour.core.window import DAY, HOUR, Window
from watthour.workflows.best_window import best_window
from watthour.workflows.score import score
from watthour.workflows.view.ahead import made_entry
from watthour.workflows.view.carbon import region_entry_of, series_entry
from watthour.workflows.view.carbon_ahead import MOST_HOURS, OURS, STEADY_PERCENT, TREND_HOURS, trend_of
from watthour.workflows.view.wire import age_hours, local_text, utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.best_window import BestWindow, Difference, Run
    from watthour.workflows.view.carbon_ahead import CarbonAhead

SCORED_DAYS = 30
_MINUTE = timedelta(minutes=1)
_DIGITS = 3


def carbon_forecast(
    store: Store, registry: ModelRegistry, ahead: CarbonAhead, *, hours: int, now: datetime
) -> dict[str, object]:
    """Return the hours ahead of a carbon series with their quantiles, who made them, and how good that has been.

    Args:
        store: the store.
        registry: holds the models.
        ahead: the forecast.
        hours: from the interval now running on.
        now: the present.

    Raises:
        InvalidInput: the number of hours cannot be.
    """
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidInput("hours", hours, f"it must be 1 to {MOST_HOURS}", remedy=f"Ask for 24 or {MOST_HOURS}.")
    zone = ZoneInfo(ahead.site.place.time_zone)
    end = ahead.course.times[0] + hours * HOUR
    rows = [row for row in ahead.rows.iter_rows(named=True) if row["time"] < end]
    return {
        **_head(store, ahead),
        "hours": hours,
        "generated_at": utc_text(now),
        **_made(registry, ahead, now),
        "points": [
            {
                "time": utc_text(row["time"]),
                "local_time": local_text(row["time"], zone),
                "value": row["0.5"],
                "lower": row.get("0.05"),
                "upper": row.get("0.95"),
                "quantiles": {
                    name: value for name, value in sorted(row.items()) if name != "time" and value is not None
                },
                "usual": _number(ahead.usual[number]),
            }
            for number, row in enumerate(rows)
        ],
        "scores": _scores(store, ahead, now),
    }


def carbon_trend(store: Store, ahead: CarbonAhead, *, hours: int = TREND_HOURS, now: datetime) -> dict[str, object]:
    """Return whether the next hours are dirtier or cleaner than now, and than usual at their time of day.

    Args:
        store: the store.
        ahead: the forecast.
        hours: how many after the interval now running.
        now: the present.

    Raises:
        InvalidInput: the number of hours cannot be.
    """
    found = trend_of(ahead, hours)
    return {
        **_head(store, ahead),
        "hours": hours,
        "generated_at": utc_text(now),
        "issued_at": utc_text(ahead.issued_at),
        "trend": None if found is None else found.direction,
        "now": None if found is None else round(found.now, _DIGITS),
        "ahead": None if found is None else round(found.ahead, _DIGITS),
        "change": None if found is None else round(found.change, _DIGITS),
        "change_percent": None if found is None else _rounded(found.change_percent, 1),
        "probability_higher": None if found is None else _rounded(found.probability_higher, 2),
        "usual": None if found is None else _rounded(found.usual, _DIGITS),
        "against_usual_percent": None if found is None else _rounded(found.against_usual_percent, 1),
        "definition": (
            f"The expected mean of the next {hours} h against that of the interval now running: rising or falling from "
            f"a change of {STEADY_PERCENT:g} % on, else steady. Usual is the mean at the same clock times on the last "
            "seven known days."
        ),
    }


def carbon_best_window(
    store: Store,
    ahead: CarbonAhead,
    duration: timedelta,
    *,
    hours: int,
    earliest: datetime | None = None,
    deadline: datetime | None = None,
    now: datetime,
) -> dict[str, object]:
    """Return when a run has the least expected carbon, what that saves against starting at once, and how sure it is.

    Args:
        store: the store.
        ahead: the forecast.
        duration: of the run.
        hours: how far ahead to look where no deadline is named.
        earliest: it begins no earlier; now if none is named.
        deadline: it has ended by then.
        now: the present.

    Raises:
        InvalidInput: the hours cannot be, the deadline is past, or no run fits in.
    """
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidInput("hours", hours, f"it must be 1 to {MOST_HOURS}", remedy=f"Ask for 24 or {MOST_HOURS}.")
    if deadline is not None and deadline <= now:
        problem = f"it is past: it is {now.isoformat(timespec='minutes')} now"
        raise InvalidInput(
            "deadline", deadline.isoformat(timespec="minutes"), problem, remedy="Name a later time, such as 07:00."
        )
    first = ahead.course.times[0]
    is_archive = ahead.made is not None and ahead.made.is_archive
    at_once = first if is_archive else max(now - timedelta(seconds=now.second, microseconds=now.microsecond), first)
    begin = at_once if earliest is None else max(earliest, at_once)
    end = min(at_once + hours * HOUR if deadline is None else deadline, ahead.course.end)
    found = best_window(ahead.course, duration, earliest=begin, deadline=end)
    zone = ZoneInfo(ahead.site.place.time_zone)
    return {
        **_head(store, ahead),
        "generated_at": utc_text(now),
        "issued_at": utc_text(ahead.issued_at),
        "duration_minutes": round(duration / _MINUTE),
        "earliest": utc_text(begin),
        "deadline": utc_text(end),
        "best": _run(found.best, zone),
        "at_once": _run(found.at_once, zone),
        "saving": _difference(found.saving, found.at_once, ahead),
        "runner_up": _run(found.runner_up, zone),
        "ahead_of_runner_up": _difference(found.ahead_of_runner_up, found.runner_up, ahead),
        "certainty": found.certainty,
        "words": _words(found, ahead, duration, begin, end if deadline is not None else None, hours),
    }


def _head(store: Store, ahead: CarbonAhead) -> dict[str, object]:
    return {
        **region_entry_of(ahead.site),
        "series": series_entry(store, ahead.series),
        "source": ahead.source,
        "sources": list(ahead.sources),
    }


def _made(registry: ModelRegistry, ahead: CarbonAhead, now: datetime) -> dict[str, Any]:
    """Return when a forecast was made and by whom; a provider's says no more than that."""
    wanted = (
        *("issued_at", "known_until", "data_age_hours", "stale", "archive", "made_by", "model_version"),
        *("model_label", "trained_at", "fallback", "missing_inputs", "made_of"),
    )
    if ahead.made is not None:
        entry = made_entry(registry, ahead.made, now)
        return {name: entry[name] for name in wanted}
    return {
        **dict.fromkeys(wanted),
        "issued_at": utc_text(ahead.issued_at),
        "data_age_hours": max(0.0, age_hours(ahead.issued_at, now)),
        "stale": now - ahead.issued_at > DAY,
        "archive": False,
        "made_by": "provider",
        "model_version": ahead.source,
        "model_label": ahead.source,
        "missing_inputs": [],
        "made_of": [],
    }


def _scores(store: Store, ahead: CarbonAhead, now: datetime) -> dict[str, object]:
    end = ahead.course.times[0] if ahead.made is not None and ahead.made.is_archive else now
    found = score(store, ahead.context, Window(end - SCORED_DAYS * DAY, end), now=now)
    return {"days": SCORED_DAYS, "protocol": found.protocol, "rows": list(found.rows)}


def _run(run: Run | None, zone: ZoneInfo) -> dict[str, object] | None:
    if run is None:
        return None
    return {
        "start": utc_text(run.start),
        "end": utc_text(run.end),
        "local_start": local_text(run.start, zone),
        "local_end": local_text(run.end, zone),
        "mean": round(run.mean, _DIGITS),
    }


def _difference(found: Difference | None, other: Run | None, ahead: CarbonAhead) -> dict[str, object] | None:
    if found is None or other is None:
        return None
    is_amount = ahead.series.kind.basis is not Basis.INDEX
    share = 100 * found.expected / other.mean if is_amount and other.mean > 0 else None
    return {
        "value": round(found.expected, _DIGITS),
        "percent": _rounded(share, 1),
        "lower": _rounded(found.lower, _DIGITS),
        "upper": _rounded(found.upper, _DIGITS),
        "probability": _rounded(found.probability, 2),
    }


def _words(
    found: BestWindow, ahead: CarbonAhead, duration: timedelta, begin: datetime, deadline: datetime | None, hours: int
) -> str:
    """Say when the best time is and how sure that is, in a sentence or two."""
    zone = ZoneInfo(ahead.site.place.time_zone)
    start = found.best.start.astimezone(zone)
    today = begin.astimezone(zone).date()
    if deadline is None:
        until = f"in the next {hours} hours"
    else:
        last = deadline.astimezone(zone)
        until = f"before {last:%H:%M}" if last.date() == today else f"before {last:%A %H:%M}"
    day = "" if start.date() == today else f"{start:%A} "
    first = f"Cleanest {_length(duration)} {until}: {day}{start:%H:%M}."
    if found.certainty == "now":
        return f"{first} No later start is expected to be cleaner."
    if found.saving is None or found.at_once is None:
        return f"{first} What starting at once would be is not known."
    share = found.saving.expected / found.at_once.mean if found.at_once.mean > 0 else None
    if share is None or ahead.series.kind.basis is Basis.INDEX:
        less = f"{found.saving.expected:.3g} {ahead.series.channel.unit_in_words} lower than starting at once"
    else:
        less = f"{100 * share:.0f} % cleaner than starting at once"
    if found.saving.probability is None:
        return f"{first} It is expected to be {less}; how sure that is is not known."
    chance = f"{100 * min(found.saving.probability, 0.99):.0f} %"
    if found.certainty == "unsure":
        return f"{first} It is expected to be {less}, but that is not sure ({chance}): starting now may be as good."
    return f"{first} It is expected to be {less}, with a probability of {chance}."


def _length(duration: timedelta) -> str:
    """Write a duration for a person.

    >>> _length(timedelta(hours=3)), _length(timedelta(minutes=90))
    ('3 hours', '1 h 30 min')
    """
    hours, minutes = divmod(round(duration / _MINUTE), 60)
    if not minutes:
        return f"{hours} hours" if hours != 1 else "hour"
    return f"{hours} h {minutes} min" if hours else f"{minutes} minutes"


def _number(value: float) -> float | None:
    return round(float(value), _DIGITS) if np.isfinite(value) else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


__all__ = ["OURS", "carbon_best_window", "carbon_forecast", "carbon_trend"]
