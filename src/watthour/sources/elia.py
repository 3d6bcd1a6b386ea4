"""Belgium's load and its operator's day-ahead forecast with a band, quarter-hour by quarter-hour, from Elia Open Data.

Source: https://opendata.elia.be (Opendatasoft Explore API v2.1, no key; data CC BY 4.0). Two datasets hold the load:
``ods001`` (history, field ``totalload``) and ``ods002`` (near real time and days ahead, field ``measured``).
Elia names a quarter-hour by its *start*, as ISO text with an offset; values are mean powers in MW.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Channel, Limits, Site, SiteKind
from watthour.core.forecast import Context
from watthour.core.frames import INSTANT, OPERATOR
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR, Window
from watthour.sources.delivery import (
    deliver,
    eve_of,
    local_instant,
    split_unreadable,
    without_unpublished,
)
from watthour.sources.elia_rows import INSTANTS, QUARTER, RESOLUTION, ask, checked_rows, datasets
from watthour.sources.elia_supply import EliaCarbon, EliaGeneration, EliaWindSolar
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy
from watthour.sources.options import Options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.ports import Delivery

__all__ = ["Elia", "EliaCarbon", "EliaGeneration", "EliaOptions", "EliaWindSolar", "contexts", "open_client"]

BASE_URL = "https://opendata.elia.be/api/explore/v2.1/catalog/datasets"
HISTORY, RECENT = "ods001", "ods002"
MEASURED = {HISTORY: "totalload", RECENT: "measured"}
# The field -> level of the quantile. `mostrecentforecast` is overwritten until its interval has passed, so it is no
# forecast as issued and is left aside.
DAY_AHEAD = {"dayaheadforecast": 0.5, "dayaheadconfidence10": 0.1, "dayaheadconfidence90": 0.9}
ISSUED_AT = time(18)  # local, on D-1 ("Day-ahead 6PM forecast" in the portal's labels)
POSTED_AFTER = timedelta(minutes=30)  # until then ods002 may still show the forecast of before
LOAD_LAG = HOUR  # from a quarter-hour's end to when its load can be read; the portal shows it within the hour

BELGIUM = Site(
    id="be",
    name="Belgium",
    kind=SiteKind.REGION,
    place=Place("Europe/Brussels", latitude=50.85, longitude=4.35, holidays="BE"),
    zone="BE",
    operator="Elia",
    main_channel="grid.be.demand",
    # Weights: rough shares of the load by provinces, from their inhabitants and the industry of the two harbours.
    points=(
        Point("antwerp", 51.22, 4.40, 0.26),
        Point("brussels", 50.85, 4.35, 0.24),
        Point("ghent", 51.05, 3.72, 0.23),
        Point("charleroi", 50.41, 4.44, 0.15),
        Point("liege", 50.63, 5.57, 0.12),
    ),
    codes=(("elia", "BE"), ("entsoe", "10YBE----------2")),
)
DEMAND = Channel(
    id="grid.be.demand",
    site="be",
    quantity=Quantity.POWER,
    unit=Unit.MW,
    resolution=QUARTER,
    limits=Limits(2_000.0, 17_000.0, is_never_constant=True),  # the load has stayed within about 5,000 to 14,000 MW
)


class EliaOptions(Options):
    """``[sources.elia]``."""

    url: str = BASE_URL


def contexts() -> tuple[Context, ...]:
    """Return the sites this connector knows by itself."""
    return (Context(BELGIUM, DEMAND, rivals=(OPERATOR,)),)


def open_client(
    options: EliaOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to Elia's open data."""
    return HttpClient("elia", options.url, rate_limit=rate_limit or RateLimit(1.0), retry=retry, timeout=120.0)


@dataclass(frozen=True, slots=True)
class Elia:
    """Belgium's load, and Elia's day-ahead forecast of it with its P10 and P90."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider and the site."""
        return f"elia:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return Belgium."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the load; the forecasts are of it."""
        return (DEMAND,)

    def probe(self, *, now: datetime) -> None:
        """Ask for the last hours; raises as ``fetch``."""
        ask(self.client, RECENT, Window(now - 2 * HOUR, now))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return load and forecasts of the window; see ``core.ports.Source``."""
        parts = [parse(ask(self.client, name, window), name, now=now) for name in _datasets(window, now)]
        readings, forecasts, refused = (pl.concat(each) for each in zip(*parts, strict=True))
        return deliver(
            self.name,
            window,
            readings=without_unpublished(_first_known(readings, ["time"])),
            forecasts=_first_known(forecasts, ["time", "level"]),
            refused=refused,
            now=now,
            watched_from=watched_from,
        )


def parse(answer: object, name: str, *, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Turn the rows of a dataset into readings, forecasts and refused rows; a load not measured yet stays null.

    A day-ahead forecast counts only once it has been issued: before 18:00 of the day before, ods002 shows the most
    recent forecast in its place.

    Raises:
        SourceRejected: the answer is an error.
        PayloadChanged: the answer has an unexpected format.
    """
    good, refused = split_unreadable(
        _table(answer, name),
        {
            "resolution_is_a_quarter_hour": pl.col("resolution") != RESOLUTION,
            "time_is_a_quarter_hour": (pl.col("time") != pl.col("time").dt.truncate("15m")).fill_null(value=False),
        },
    )
    is_over = pl.col("time") + QUARTER <= pl.lit(now)  # what stands ahead of the meter is no measurement
    readings = good.filter(is_over & (pl.col("field") == MEASURED[name])).select(
        "channel", "time", "value", (pl.col("time") + QUARTER + LOAD_LAG).alias("published")
    )
    issued_at = local_instant(eve_of(pl.col("time"), BELGIUM.place.time_zone), ISSUED_AT, BELGIUM.place.time_zone)
    forecasts = (
        good.filter(pl.col("field").is_in(list(DAY_AHEAD)) & pl.col("value").is_not_null())
        .with_columns(issued_at=issued_at.cast(INSTANT))
        .filter(pl.col("issued_at") + POSTED_AFTER <= pl.lit(now))
        .select(
            "channel",
            "time",
            "value",
            (pl.col("issued_at") + POSTED_AFTER).alias("published"),
            "issued_at",
            pl.lit(OPERATOR).alias("model"),
            pl.col("field").replace_strict(DAY_AHEAD, return_dtype=pl.Float64).alias("level"),
        )
    )
    return readings, forecasts, refused.unique(maintain_order=True)


def _table(answer: object, name: str) -> pl.DataFrame:
    """Return one row per interval and field, as ``split_unreadable`` takes it."""
    fields = (MEASURED[name], *DAY_AHEAD)
    columns: dict[str, list[str | None]] = {"said": [], "resolution": [], "field": [], "raw": [], "row": []}
    for row in checked_rows(answer, name, {"datetime", "resolutioncode", *fields}):
        for field in fields:
            value = row.get(field)
            columns["said"].append(str(row["datetime"]))
            columns["resolution"].append(str(row["resolutioncode"]))
            columns["field"].append(field)
            columns["raw"].append(None if value is None else str(value))
            columns["row"].append(json.dumps(row))
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return table.with_columns(channel=pl.lit(DEMAND.id), time=INSTANTS)


def _first_known(rows: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return one row per interval: of several, the first that has a value, and history comes first."""
    has_value = pl.col("value").is_not_null()
    return rows.sort(has_value, descending=True, maintain_order=True).unique(key, keep="first", maintain_order=True)


def _datasets(window: Window, now: datetime) -> list[str]:
    """Return where a window is asked for: what lies long back in the history alone, what is to come in ods002 alone."""
    return datasets(window, now, history=HISTORY, recent=RECENT)
