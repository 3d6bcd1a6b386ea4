"""Copy this file to write a connector: what it delivers, from where, and what is odd about it.

Source: <address of the provider's documentation>. Licence: <of the data>.
The provider names an interval by its <start or end>, in <UTC or local time>; values are in <unit>.
How to go on: docs/how-to/add-a-connector.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import PayloadChanged
from watthour.core.window import HOUR
from watthour.sources.delivery import INSTANT, PARSED_REFUSED, deliver, without_unpublished
from watthour.sources.http import Door, Manners, Pace, Patience

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://api.example.org/v1"
PUBLISHED_AFTER = timedelta(hours=2)  # from an interval's end to when it can be read, where we did not watch


def open_door(
    key: str, *, base_url: str = BASE_URL, pace: Pace | None = None, patience: Patience | None = None
) -> Door:
    """Return the way to the provider: its pace, its key, and the cure if the key is refused."""
    return Door(
        "template",
        base_url,
        headers={"X-Api-Key": key},
        pace=pace or Pace(1.0),
        patience=patience,
        manners=Manners(key_remedy="Check TEMPLATE_API_KEY.", secrets=(key,)),
    )


@dataclass(frozen=True, slots=True)
class Template:
    """One meter of one site, hourly."""

    site: Site
    channel: Channel
    door: Door

    @property
    def name(self) -> str:
        """The provider and the site; runs and live polling are remembered under it."""
        return f"template:{self.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the site."""
        return (self.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the one channel; whatever is delivered must be among these."""
        return (self.channel,)

    def probe(self, *, now: datetime) -> None:
        """Ask for as little as shows that key and address are right; raises as ``fetch``."""
        self.door.get_json("/readings", [("from", f"{now - HOUR:%Y-%m-%dT%H:%MZ}"), ("to", f"{now:%Y-%m-%dT%H:%MZ}")])

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return what the provider has of the window; see ``core.ports.Source``."""
        first, last = window.start + HOUR, window.end + HOUR  # an hour is named by its end there, so the query is too
        answer = self.door.get_json(
            "/readings", [("from", f"{first:%Y-%m-%dT%H:%MZ}"), ("to", f"{last:%Y-%m-%dT%H:%MZ}")]
        )
        readings, refused = parse(answer, self.channel)
        return deliver(self.name, window, readings=readings, refused=refused, now=now, watched_from=watched_from)


def parse(answer: object, channel: Channel) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn ``{"readings": [{"ends": "2024-01-01T01:00Z", "kwh": 0.4}, ...]}`` into readings and refused rows.

    An absent value stays null. Nothing here touches the network or the clock, so every oddity can be a test.

    Raises:
        PayloadChanged: the answer has another shape.
    """
    rows = answer.get("readings") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and {"ends", "kwh"} <= row.keys() for row in rows):
        raise PayloadChanged("template", "the answer holds no readings", remedy="Update Watthour.")
    table = pl.DataFrame(
        {
            "ends": [str(row["ends"]) for row in rows],
            "raw": [None if row["kwh"] is None else str(row["kwh"]) for row in rows],
            "row": [json.dumps(row) for row in rows],
        },
        schema={"ends": pl.String, "raw": pl.String, "row": pl.String},
    ).with_columns(
        channel=pl.lit(channel.id),
        time=pl.col("ends").str.to_datetime("%Y-%m-%dT%H:%MZ", time_unit="us", strict=False).cast(INSTANT) - HOUR,
        value=pl.col("raw").cast(pl.Float64, strict=False),
    )
    table = table.with_columns(
        rule=pl.when(pl.col("time").is_null())
        .then(pl.lit("time_is_readable"))
        .when(pl.col("raw").is_not_null() & pl.col("value").is_null())
        .then(pl.lit("value_is_a_number"))
    )
    readings = table.filter(pl.col("rule").is_null()).select(
        "channel", "time", "value", (pl.col("time") + HOUR + PUBLISHED_AFTER).alias("published")
    )
    refused = table.filter(pl.col("rule").is_not_null()).select(PARSED_REFUSED.names())
    return without_unpublished(readings), refused.cast(PARSED_REFUSED)
