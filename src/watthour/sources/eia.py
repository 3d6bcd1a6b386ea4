"""Hourly demand, the operator's forecast, generation and interchange from the U.S. Energy Information Administration.

Source: https://www.eia.gov/opendata/ (API v2, routes ``electricity/rto/region-data`` and ``fuel-type-data``).
EIA names an hour by its *end*, in UTC; we name it by its *start*. Values come as numbers, strings or null.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput, NotConfigured, PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.window import HOUR, Window
from watthour.sources.delivery import (
    INSTANT,
    OPERATOR,
    PARSED_FORECASTS,
    PARSED_REFUSED,
    day_ahead_issue,
    deliver,
    without_unpublished,
)
from watthour.sources.http import Door, Manners, Pace, Patience, reason_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Delivery
    from watthour.core.region import Region

BASE_URL = "https://api.eia.gov/v2"
REGISTRATION = "https://www.eia.gov/opendata/register.php"
KEYLESS = "Without a key, import EIA's six-month files: see docs/reference/sources/eia_bulk.md."
PAGE = 5000  # rows; EIA gives no more in one JSON answer
DEMAND_LAG = timedelta(hours=2)  # EIA posts an hour of demand one to two hours after its end
FUEL_MIX_LAG = timedelta(days=1)  # the mix follows about a day later
OPERATOR_POSTS_AT = time(7, 5)  # NYISO posts day D about 07:05 to 07:55 local on D-1; taken for all operators

# EIA's code -> series of the region. https://www.eia.gov/electricity/gridmonitor/about
MEASURED = {"D": "demand", "NG": "net_generation", "TI": "interchange"}
FORECAST = "DF"
# PS and BAT are negative while they charge; WAT includes pumped storage where PS is not told apart.
FUELS = {
    "BAT": "battery",
    "BM": "biomass",
    "COL": "coal",
    "GEO": "geothermal",
    "NG": "gas",
    "NUC": "nuclear",
    "OES": "other_storage",
    "OIL": "oil",
    "OTH": "other",
    "PS": "pumped_storage",
    "SNB": "solar_with_battery",
    "SUN": "solar",
    "UES": "unknown_storage",
    "UNK": "unknown",
    "WAT": "hydro",
    "WNB": "wind_with_battery",
    "WND": "wind",
}
_UNITS = frozenset({"megawatthours", "mwh"})
_REPORT = "Update Watthour; if that does not help, report it with the region and the time of asking."


def open_door(
    key: str, *, base_url: str = BASE_URL, pace: Pace | None = None, patience: Patience | None = None
) -> Door:
    """Return the way to EIA's API; share it between regions, so that all of them ask once a second together.

    Raises:
        NotConfigured: there is no key.
    """
    key = key.strip()
    if not key:
        remedy = f"Register for a free key at {REGISTRATION} and set EIA_API_KEY. {KEYLESS}"
        raise NotConfigured("EIA_API_KEY", None, "no key is set", remedy=remedy)
    if not key.isascii() or not key.isprintable():
        raise NotConfigured("EIA_API_KEY", "(hidden)", "a key has plain letters and digits", remedy="Copy it again.")
    return Door(
        "eia",
        base_url,
        headers={"X-Api-Key": key},  # not in the address, where proxies and logs would keep it
        pace=pace or Pace(1.0),
        patience=patience,
        manners=Manners(key_remedy=f"Check EIA_API_KEY, or register at {REGISTRATION}. {KEYLESS}", secrets=(key,)),
    )


@dataclass(frozen=True, slots=True)
class Eia:
    """A region's demand, net generation and interchange, and its operator's day-ahead demand forecast."""

    region: Region
    door: Door

    @property
    def name(self) -> str:
        """The provider and the region."""
        return f"eia:{self.region.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region's site."""
        return (self.region.site(),)

    def channels(self) -> Sequence[Channel]:
        """Return the three measured series; the forecast is of demand."""
        return tuple(self.region.energy_channel(series) for series in MEASURED.values())

    def probe(self, *, now: datetime) -> None:
        """Ask for one row, so that a wrong key shows before anything depends on it; raises as ``fetch``."""
        facets = {"respondent": [_respondent(self.region)], "type": ["D"]}
        _page(self.door, "region-data", facets, "type", Window(now - 48 * HOUR, now), offset=0, length=1)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return all rows of the window; see ``core.ports.Source``."""
        facets = {"respondent": [_respondent(self.region)], "type": [*MEASURED, FORECAST]}
        rows = list(_rows(self.door, "region-data", facets, "type", window))
        parsed = parse_region_data(rows, self.region, now=now)
        return deliver(
            self.name,
            window,
            readings=parsed.readings,
            forecasts=parsed.forecasts,
            refused=parsed.refused,
            now=now,
            watched_from=watched_from,
        )


@dataclass(frozen=True, slots=True)
class EiaFuelMix:
    """A region's net generation by energy source; it comes about a day later than demand."""

    region: Region
    door: Door
    _unknown_fuels: set[str] = field(default_factory=set, repr=False, compare=False)  # met while asking

    @property
    def name(self) -> str:
        """The provider, the series and the region."""
        return f"eia_fuel_mix:{self.region.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region's site."""
        return (self.region.site(),)

    def channels(self) -> Sequence[Channel]:
        """Return a channel per energy source, those included that EIA has added since and that were met."""
        fuels = [*FUELS.values(), *sorted(self._unknown_fuels)]
        return tuple(self.region.energy_channel(f"generation.{fuel}") for fuel in fuels)

    def probe(self, *, now: datetime) -> None:
        """Ask for one row; raises as ``fetch``."""
        facets = {"respondent": [_respondent(self.region)]}
        _page(self.door, "fuel-type-data", facets, "fueltype", Window(now - 96 * HOUR, now), offset=0, length=1)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return all rows of the window; see ``core.ports.Source``."""
        facets = {"respondent": [_respondent(self.region)]}
        rows = list(_rows(self.door, "fuel-type-data", facets, "fueltype", window))
        parsed = parse_fuel_mix(rows, self.region)
        fuels = parsed.readings["channel"].unique().str.split(".").list.last()
        self._unknown_fuels.update(set(fuels) - set(FUELS.values()))
        return deliver(
            self.name, window, readings=parsed.readings, refused=parsed.refused, now=now, watched_from=watched_from
        )


@dataclass(frozen=True, slots=True)
class Parsed:
    """Rows of one answer, told apart."""

    readings: pl.DataFrame
    forecasts: pl.DataFrame
    refused: pl.DataFrame


def parse_region_data(rows: Sequence[object], region: Region, *, now: datetime) -> Parsed:
    """Turn ``region-data`` rows into measurements and the operator's forecast; an absent value stays null, never zero.

    Raises:
        PayloadChanged: rows are no objects, or their columns or unit are others.
    """
    good, refused = _parse(rows, "type", region)
    measured = good.filter(pl.col("code").is_in(list(MEASURED))).select(
        pl.format("grid.{}.{}", pl.lit(region.id), pl.col("code").replace(MEASURED)).alias("channel"),
        "time",
        "value",
        (pl.col("time") + HOUR + DEMAND_LAG).alias("published"),
    )
    issued_at = day_ahead_issue(pl.col("time"), OPERATOR_POSTS_AT, region.time_zone, now=now)
    forecasts = (
        good.filter((pl.col("code") == FORECAST) & pl.col("value").is_not_null())
        .with_columns(issued_at=issued_at)
        .select(
            pl.lit(region.demand).alias("channel"),
            "time",
            "value",
            pl.col("issued_at").alias("published"),
            "issued_at",
            pl.lit(OPERATOR).alias("model"),
        )
    )
    return Parsed(without_unpublished(measured), forecasts, refused)


def parse_fuel_mix(rows: Sequence[object], region: Region) -> Parsed:
    """Turn ``fuel-type-data`` rows into measurements; a code this version does not know becomes a channel of its own.

    Raises:
        PayloadChanged: rows are no objects, or their columns or unit are others.
    """
    good, refused = _parse(rows, "fueltype", region)
    fuel = pl.col("code").replace(
        FUELS | {code: channel_word(code) for code in good["code"].unique() if code not in FUELS}
    )
    measured = good.select(
        pl.format("grid.{}.generation.{}", pl.lit(region.id), fuel).alias("channel"),
        "time",
        "value",
        (pl.col("time") + HOUR + FUEL_MIX_LAG).alias("published"),
    )
    return Parsed(without_unpublished(measured), pl.DataFrame(schema=PARSED_FORECASTS), refused)


def _parse(rows: Sequence[object], code: str, region: Region) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into ``code, time, value`` and those that cannot be read, with the rule they broke."""
    columns: dict[str, list[str | None]] = {"period": [], "code": [], "raw": [], "row": []}
    for row in rows:
        if not isinstance(row, dict) or not {"period", "respondent", code, "value"} <= row.keys():
            raise PayloadChanged("eia", f"a row lacks period, respondent, {code} or value", remedy=_REPORT)
        unit = str(row.get("value-units") or "megawatthours")
        if unit.lower() not in _UNITS:
            raise PayloadChanged("eia", f"values are now in {unit}", remedy=_REPORT)
        if row["respondent"] != region.eia_respondent:
            continue
        columns["period"].append(str(row["period"]))
        columns["code"].append(str(row[code]))
        columns["raw"].append(_number(row["value"]))
        columns["row"].append(json.dumps(row))
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        # polars cannot read an hour without minutes
        ends=pl.concat_str("period", pl.lit(":00")).str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", strict=False),
        value=pl.col("raw").cast(pl.Float64, strict=False),
    )
    is_no_number = pl.col("raw").is_not_null() & ~pl.col("value").is_finite().fill_null(value=False)
    table = table.with_columns(
        rule=pl.when(pl.col("ends").is_null())
        .then(pl.lit("time_is_readable"))
        .when(is_no_number)
        .then(pl.lit("value_is_a_number")),
        time=pl.col("ends").dt.replace_time_zone("UTC") - HOUR,
    )
    refused = table.filter(pl.col("rule").is_not_null()).select(
        pl.lit(f"grid.{region.id}").alias("channel"), "rule", "row"
    )
    good = table.filter(pl.col("rule").is_null()).select("code", pl.col("time").cast(INSTANT), "value")
    # Pages may overlap when EIA adds rows between two of them.
    return good.unique(["code", "time"], keep="last", maintain_order=True), refused.cast(PARSED_REFUSED)


def _number(value: object) -> str | None:
    return None if value is None or value == "" else str(value).replace(",", "")


def channel_word(code: str) -> str:
    """Return a code or name as a word that may stand in a channel id."""
    return re.sub(r"[^a-z0-9]+", "_", code.lower()).strip("_") or "unnamed"


def _respondent(region: Region) -> str:
    if region.eia_respondent is None:
        raise InvalidInput("region", region.id, "EIA does not know it", remedy="Choose a balancing authority.")
    return region.eia_respondent


def _rows(door: Door, route: str, facets: dict[str, list[str]], code: str, window: Window) -> Iterator[object]:
    """Ask page by page until all rows are here."""
    offset = 0
    while True:
        rows, total = _page(door, route, facets, code, window, offset=offset, length=PAGE)
        yield from rows
        offset += len(rows)
        if offset >= total:
            return
        if not rows:
            problem = f"it told of {total:,} rows and gave {offset:,}"
            raise SourceUnavailable("eia", problem, remedy="Ask again later.")


def _page(
    door: Door, route: str, facets: dict[str, list[str]], code: str, window: Window, *, offset: int, length: int
) -> tuple[list[object], int]:
    params = [("frequency", "hourly"), ("data[0]", "value")]
    params += [(f"facets[{name}][]", value) for name, values in facets.items() for value in values]
    first, last = _whole_hour(window.start) + HOUR, _whole_hour(window.end)  # named by their ends, both included
    params += [("start", f"{first:%Y-%m-%dT%H}"), ("end", f"{last:%Y-%m-%dT%H}")]
    for place, column in enumerate(("period", "respondent", code)):  # unless sorted on all of these, pages overlap
        params += [(f"sort[{place}][column]", column), (f"sort[{place}][direction]", "asc")]
    params += [("offset", str(offset)), ("length", str(length))]
    return _content(door.get_json(f"/electricity/rto/{route}/data/", params), offset)


def _content(answer: object, offset: int) -> tuple[list[object], int]:
    """Return the rows of an answer and how many there are in all."""
    response = answer.get("response") if isinstance(answer, dict) else None
    rows = response.get("data") if isinstance(response, dict) else None
    if not isinstance(response, dict) or not isinstance(rows, list):
        if said := reason_in(answer):
            raise SourceRejected("eia", said, remedy="Check what was asked for: region and dates.")
        raise PayloadChanged("eia", "the answer holds no response.data", remedy=_REPORT)
    try:
        total = int(response.get("total", offset + len(rows)))  # a number or a string
    except (TypeError, ValueError):
        raise PayloadChanged("eia", "the number of rows is none", remedy=_REPORT) from None
    return rows, total


def _whole_hour(instant: datetime) -> datetime:
    """Return the first whole hour that is not before the instant."""
    floor = instant.replace(minute=0, second=0, microsecond=0)
    return floor if floor == instant else floor + HOUR
