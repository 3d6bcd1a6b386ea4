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
from pydantic import SecretStr

from watthour.core.errors import PayloadChanged
from watthour.core.frames import INSTANT
from watthour.core.window import HOUR
from watthour.sources.delivery import deliver, split_unreadable, without_unpublished
from watthour.sources.http import HttpClient, ProviderQuirks, RateLimit, RetryPolicy
from watthour.sources.options import Options, require_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.window import Window

BASE_URL = "https://api.example.org/v1"
PUBLISHED_AFTER = timedelta(hours=2)  # from an interval's end to when it can be read, where we did not watch


class TemplateOptions(Options):
    """``[sources.template]``; the environment sets them as TEMPLATE_API_KEY and WATTHOUR_TEMPLATE_URL."""

    api_key: SecretStr = SecretStr("")
    url: str = BASE_URL


def open_client(
    options: TemplateOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to the provider: its rate limit, its key, and the cure if the key is refused.

    Raises:
        NotConfigured: there is no key.
    """
    key = require_key(options.api_key, name="TEMPLATE_API_KEY", remedy="Register at <address> and set it.")
    return HttpClient(
        "template",
        options.url,
        headers={"X-Api-Key": key},
        rate_limit=rate_limit or RateLimit(1.0),
        retry=retry,
        quirks=ProviderQuirks(key_remedy="Check TEMPLATE_API_KEY.", secrets=(key,)),
    )


@dataclass(frozen=True, slots=True)
class Template:
    """One meter of one site, hourly."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider and the site; runs and live polling are remembered under it."""
        return f"template:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the one channel; whatever is delivered must be among these."""
        return (self.context.channel,)

    def probe(self, *, now: datetime) -> None:
        """Ask for as little as shows that key and address are right; raises as ``fetch``."""
        self.client.get_json("/readings", [("from", _text(now - HOUR)), ("to", _text(now))])

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return what the provider has of the window; see ``core.ports.Source``."""
        first, last = window.start + HOUR, window.end + HOUR  # an hour is named by its end there, so the query is too
        answer = self.client.get_json("/readings", [("from", _text(first)), ("to", _text(last))])
        readings, refused = parse(answer, self.context.channel)
        return deliver(self.name, window, readings=readings, refused=refused, now=now, watched_from=watched_from)


def parse(answer: object, channel: Channel) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn ``{"readings": [{"ends": "2024-01-01T01:00Z", "kwh": 0.4}, ...]}`` into readings and refused rows.

    An absent value stays null. Nothing here touches the network or the clock, so every oddity can be a test.

    Raises:
        PayloadChanged: the answer has an unexpected format.
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
    )
    good, refused = split_unreadable(table)
    published = (pl.col("time") + HOUR + PUBLISHED_AFTER).alias("published")
    return without_unpublished(good.select("channel", "time", "value", published)), refused


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%MZ}"
