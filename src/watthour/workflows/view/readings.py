"""Channels and their readings, page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput, UnknownName
from watthour.core.window import Window
from watthour.workflows.view.wire import flag_names, utc_text

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.channel import Channel
    from watthour.core.ports import Store

MOST_ROWS = 100_000
FEWEST_READ = 10_000  # intervals asked of the store at once
CSV_COLUMNS = ("time", "value", "available_at", "recorded_at", "quality")
INSTANT_TEXT = "%Y-%m-%dT%H:%M:%S%.fZ"


def channel_list(store: Store) -> dict[str, object]:
    """Return every channel with its unit and the span of its readings."""
    spans = store.spans()
    return {
        "channels": [
            {
                "id": channel.id,
                "site": channel.site,
                "device": channel.device,
                "zone": channel.zone,
                "quantity": str(channel.quantity),
                "unit": channel.unit_in_words,
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
        UnknownName: no such channel.
        InvalidInput: a limit that is out of range.
    """
    known, page, then = readings_between(store, channel, window, as_of=as_of, limit=limit, now=now)
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
            for row in page.iter_rows(named=True)
        ],
        "next": utc_text(then),
    }


def readings_between(
    store: Store, channel: str, window: Window, *, as_of: datetime | None = None, limit: int = 1000, now: datetime
) -> tuple[Channel, pl.DataFrame, datetime | None]:
    """Return a channel, its first readings of a window as a table, and the start of the next page or None.

    However long the window is, no more is read at once than a page needs.

    Raises:
        UnknownName: no such channel.
        InvalidInput: a limit that is out of range.
    """
    known = known_channel(store, channel)
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidInput(
            "limit", limit, f"it must be 1 to {MOST_ROWS}", remedy="Ask for one page at a time and follow `next`."
        )
    span = store.spans().get(channel)
    start, end = window.start, window.end
    if span is not None:
        start, end = max(start, span[0]), min(end, span[1] + known.resolution)
    step = max(limit + 1, FEWEST_READ) * known.resolution
    parts = [pl.DataFrame(store.read([channel], Window(end - known.resolution, end), as_of or now)).clear()]
    while start < end and sum(part.height for part in parts) <= limit:
        until = min(start + step, end)
        parts.append(pl.DataFrame(store.read([channel], Window(start, until), as_of or now)))
        start = until
    rows = pl.concat(parts)
    rest = rows.slice(limit, 1)
    return known, rows.head(limit), rest["time"][0] if rest.height else None


def known_channel(store: Store, channel: str) -> Channel:
    """Return a channel by its id.

    Raises:
        UnknownName: no such channel.
    """
    known = next((each for each in store.channels() if each.id == channel), None)
    if known is None:
        raise UnknownName("channel", channel, "there is no such channel", remedy="/api/v1/channels lists all of them.")
    return known


def readings_csv(rows: pl.DataFrame) -> str:
    """Return readings as lines of CSV, in the order of ``CSV_COLUMNS`` and without their names."""
    flags = {quality: " ".join(flag_names(quality)) for quality in rows["quality"].unique()}
    return rows.select(
        pl.col("time").dt.to_string(INSTANT_TEXT),
        "value",
        pl.col("available_at", "recorded_at").dt.to_string(INSTANT_TEXT),
        pl.col("quality").replace_strict(flags, return_dtype=pl.String),
    ).write_csv(include_header=False)
