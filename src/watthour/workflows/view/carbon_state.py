"""Whether carbon figures can be relied on: which series are fresh, and what their sources wait for."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING

from watthour.core.carbon import MIX, kind_of
from watthour.core.window import DAY
from watthour.workflows.view.day import STALE_AFTER
from watthour.workflows.view.wire import age_hours, utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.ports import Store

LATE_MIX = DAY  # generation by fuel is published about so much later


def carbon_freshness(store: Store, *, now: datetime) -> list[dict[str, object]]:
    """Return each carbon series with the age of its last value, real ones first, the freshest first."""
    spans = store.spans()
    found: list[dict[str, object]] = []
    for channel in store.channels():
        told = kind_of(channel)
        if told is None or channel.id not in spans:
            continue
        last = spans[channel.id][1]
        patience = STALE_AFTER + (LATE_MIX if told[0] == MIX else timedelta(0))
        age = now - (last + channel.resolution)
        found.append(
            {
                "channel": channel.id,
                "region": channel.site,
                "source": told[0],
                "last_time": utc_text(last),
                "age_hours": max(0.0, age_hours(last + channel.resolution, now)),
                "fresh": age <= patience,
                "simulated": channel.is_simulated,
            }
        )
    return sorted(found, key=itemgetter("simulated", "age_hours", "channel"))


def carbon_state(series: list[dict[str, object]], *, is_wanted: bool, is_waiting: bool) -> str:
    """Return how it stands with carbon figures in a word.

    Real figures go before simulated ones: beside fresh simulated ones a source may still stand by.

    Args:
        series: of ``carbon_freshness``.
        is_wanted: whether anybody wants them.
        is_waiting: whether a source of them lacks a setting.
    """
    real = [each for each in series if not each["simulated"]]
    if any(each["fresh"] for each in real):
        return "ok"
    if real:
        return "stale"
    if not is_wanted:
        return "unused"
    if is_waiting:
        return "standby"
    if series:
        return "ok" if any(each["fresh"] for each in series) else "stale"
    return "missing"
