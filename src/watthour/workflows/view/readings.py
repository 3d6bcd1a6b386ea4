"""Channels and their readings, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.workflows.view.wire import flag_names, utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.ports import Store
    from watthour.core.window import Window

MOST_ROWS = 100_000


def channel_list(store: Store) -> dict[str, object]:
    """Return every channel with its unit and the span of its readings."""
    spans = store.spans()
    return {
        "channels": [
            {
                "id": channel.id,
                "site": channel.site,
                "quantity": str(channel.quantity),
                "unit": str(channel.unit),
                "resolution_seconds": int(channel.resolution.total_seconds()),
                "simulated": channel.is_simulated,
                "first_time": utc_text(spans[channel.id][0]) if channel.id in spans else None,
                "last_time": utc_text(spans[channel.id][1]) if channel.id in spans else None,
            }
            for channel in store.channels()
        ]
    }


def reading_page(
    store: Store, channel: str, window: Window, *, as_of: datetime | None = None, limit: int = 1000, now: datetime
) -> dict[str, object]:
    """Return the readings of a window as they were known at an instant; ``next`` is the start of the next page.

    Raises:
        InvalidInput: no such channel, or a limit that cannot be.
    """
    known = next((each for each in store.channels() if each.id == channel), None)
    if known is None:
        raise InvalidInput("channel", channel, "there is no such channel", remedy="/api/v1/channels lists all of them.")
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidInput("limit", limit, f"it must be 1 to {MOST_ROWS}", remedy="Ask page by page: follow `next`.")
    rows = pl.DataFrame(store.read([channel], window, as_of or now))
    page, rest = rows.head(limit), rows.slice(limit, 1)
    return {
        "channel": channel,
        "unit": str(known.unit),
        "readings": [
            {
                "time": utc_text(row["time"]),
                "value": row["value"],
                "available_at": utc_text(row["available_at"]),
                "recorded_at": utc_text(row["recorded_at"]),
                "quality": flag_names(row["quality"]),
            }
            for row in page.to_dicts()
        ],
        "next": utc_text(rest["time"][0]) if rest.height else None,
    }
