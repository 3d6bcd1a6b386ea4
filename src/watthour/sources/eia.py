"""Hourly demand, the operator's forecast, generation and interchange from the U.S. Energy Information Administration.

Source: https://www.eia.gov/opendata/ (API v2, routes ``electricity/rto/region-data`` and ``fuel-type-data``).
EIA names an hour by its *end*, in UTC; we name it by its *start*. Values come as numbers, strings or null.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl
from pydantic import SecretStr

from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.frames import INSTANT
from watthour.core.window import HOUR, Window
from watthour.sources.delivery import PARSED_FORECASTS, deliver, plain_number, split_unreadable, without_unpublished
from watthour.sources.eia_930 import (
    DEMAND_LAG,
    FUEL_MIX_LAG,
    channel_word,
    energy_channel,
    measured,
    operator_forecasts,
    respondent_of,
)
from watthour.sources.http import HttpClient, ProviderQuirks, RateLimit, RetryPolicy, reason_in
from watthour.sources.options import Options, require_key
from watthour.sources.parts import Parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery

BASE_URL = "https://api.eia.gov/v2"
REGISTRATION = "https://www.eia.gov/opendata/register.php"
KEYLESS = (
    "Without a key, download EIA's six-month files and run "
    "`watthour import EIA930_BALANCE_2024_Jan_Jun.csv --region ny`; see docs/reference/sources/eia_bulk.md."
)
PAGE = 5000  # rows; EIA gives no more in one JSON answer

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


class EiaOptions(Options):
    """``[sources.eia]``."""

    api_key: SecretStr = SecretStr("")
    url: str = BASE_URL


def open_client(
    options: EiaOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to EIA's API: at most one request a second, over all regions together.

    Raises:
        NotConfigured: there is no key.
    """
    remedy = f"Register for a free key at {REGISTRATION} and set EIA_API_KEY. {KEYLESS}"
    key = require_key(options.api_key, name="EIA_API_KEY", remedy=remedy)
    return HttpClient(
        "eia",
        options.url,
        headers={"X-Api-Key": key},  # not in the address, where proxies and logs would keep it
        rate_limit=rate_limit or RateLimit(1.0),
        retry=retry,
        quirks=ProviderQuirks(
            key_remedy=f"Check EIA_API_KEY, or register at {REGISTRATION}. {KEYLESS}", secrets=(key,)
        ),
    )


@dataclass(frozen=True, slots=True)
class Eia:
    """A region's demand, net generation and interchange, and its operator's day-ahead demand forecast."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider and the region."""
        return f"eia:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region's site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the three measured series; the forecast is of demand."""
        return tuple(energy_channel(self.context, series) for series in MEASURED.values())

    def probe(self, *, now: datetime) -> None:
        """Ask for one row, so that a wrong key shows before anything depends on it; raises as ``fetch``."""
        facets = {"respondent": [respondent_of(self.context)], "type": ["D"]}
        _page(self.client, "region-data", facets, "type", Window(now - 48 * HOUR, now), offset=0, length=1)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return all rows of the window; see ``core.ports.Source``."""
        facets = {"respondent": [respondent_of(self.context)], "type": [*MEASURED, FORECAST]}
        rows = list(_rows(self.client, "region-data", facets, "type", window))
        parsed = parse_region_data(rows, self.context, now=now)
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

    context: Context
    client: HttpClient
    _unknown_fuels: set[str] = field(default_factory=set, repr=False, compare=False)  # met while asking

    @property
    def name(self) -> str:
        """The provider, the series and the region."""
        return f"eia_fuel_mix:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region's site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return a channel per energy source, those included that EIA has added since and that were met."""
        fuels = [*FUELS.values(), *sorted(self._unknown_fuels)]
        return tuple(energy_channel(self.context, f"generation.{fuel}") for fuel in fuels)

    def probe(self, *, now: datetime) -> None:
        """Ask for one row; raises as ``fetch``."""
        facets = {"respondent": [respondent_of(self.context)]}
        _page(self.client, "fuel-type-data", facets, "fueltype", Window(now - 96 * HOUR, now), offset=0, length=1)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return all rows of the window; see ``core.ports.Source``."""
        facets = {"respondent": [respondent_of(self.context)]}
        rows = list(_rows(self.client, "fuel-type-data", facets, "fueltype", window))
        parsed = parse_fuel_mix(rows, self.context)
        fuels = parsed.readings["channel"].unique().str.split(".").list.last()
        self._unknown_fuels.update(set(fuels) - set(FUELS.values()))
        return deliver(
            self.name, window, readings=parsed.readings, refused=parsed.refused, now=now, watched_from=watched_from
        )


def parse_region_data(rows: Sequence[object], context: Context, *, now: datetime) -> Parsed:
    """Turn ``region-data`` rows into measurements and the operator's forecast; an absent value stays null, never zero.

    Raises:
        PayloadChanged: rows are no objects, or their columns or unit are others.
    """
    good, refused = _parse(rows, "type", context)
    hours = good.filter(pl.col("code").is_in(list(MEASURED)))
    readings = measured(hours, pl.col("code").replace(MEASURED), pl.lit(DEMAND_LAG), context)
    forecasts = operator_forecasts(good.filter(pl.col("code") == FORECAST), context, now=now)
    return Parsed(without_unpublished(readings), forecasts, refused)


def parse_fuel_mix(rows: Sequence[object], context: Context) -> Parsed:
    """Turn ``fuel-type-data`` rows into measurements; a code this version does not know becomes a channel of its own.

    Raises:
        PayloadChanged: rows are no objects, or their columns or unit are others.
    """
    good, refused = _parse(rows, "fueltype", context)
    fuels = FUELS | {code: channel_word(code) for code in good["code"].unique() if code not in FUELS}
    series = pl.format("generation.{}", pl.col("code").replace(fuels))
    readings = measured(good, series, pl.lit(FUEL_MIX_LAG), context)
    return Parsed(without_unpublished(readings), pl.DataFrame(schema=PARSED_FORECASTS), refused)


def _parse(rows: Sequence[object], code: str, context: Context) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into ``code, time, value`` and those that cannot be read, with the rule they broke."""
    columns: dict[str, list[str | None]] = {"period": [], "code": [], "unit": [], "raw": [], "row": []}
    for row in rows:
        if not isinstance(row, dict) or not {"period", "respondent", code, "value", "value-units"} <= row.keys():
            raise PayloadChanged("eia", f"a row lacks period, respondent, {code}, value or value-units", remedy=_REPORT)
        unit = str(row["value-units"] or "").lower()
        if unit and unit not in _UNITS:
            raise PayloadChanged("eia", f"values are now in {unit}", remedy=_REPORT)
        if row["respondent"] != respondent_of(context):
            continue
        columns["period"].append(str(row["period"]))
        columns["code"].append(str(row[code]))
        columns["unit"].append(unit)
        columns["raw"].append(None if row["value"] is None else str(row["value"]))
        columns["row"].append(json.dumps(row))
    # polars cannot read an hour without minutes
    ends = pl.concat_str("period", pl.lit(":00")).str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", strict=False)
    table = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        plain_number(pl.col("raw")),
        channel=pl.lit(context.site.prefix),
        time=(ends.dt.replace_time_zone("UTC") - HOUR).cast(INSTANT),
    )
    good, refused = split_unreadable(table, {"unit_is_named": pl.col("unit") == ""})
    # Pages may overlap when EIA adds rows between two of them.
    return good.select("code", "time", "value").unique(["code", "time"], keep="last", maintain_order=True), refused


def _rows(client: HttpClient, route: str, facets: dict[str, list[str]], code: str, window: Window) -> Iterator[object]:
    """Ask page by page until all rows are here."""
    offset = 0
    while True:
        rows, total = _page(client, route, facets, code, window, offset=offset, length=PAGE)
        yield from rows
        offset += len(rows)
        if offset >= total:
            return
        if not rows:
            problem = f"it announced {total:,} rows and sent {offset:,}"
            raise SourceUnavailable("eia", problem, remedy="Ask again later.")


def _page(
    client: HttpClient, route: str, facets: dict[str, list[str]], code: str, window: Window, *, offset: int, length: int
) -> tuple[list[object], int]:
    params = [("frequency", "hourly"), ("data[0]", "value")]
    params += [(f"facets[{name}][]", value) for name, values in facets.items() for value in values]
    first, last = _whole_hour(window.start) + HOUR, _whole_hour(window.end)  # named by their ends, both included
    params += [("start", f"{first:%Y-%m-%dT%H}"), ("end", f"{last:%Y-%m-%dT%H}")]
    for index, column in enumerate(("period", "respondent", code)):  # unless sorted on all of these, pages overlap
        params += [(f"sort[{index}][column]", column), (f"sort[{index}][direction]", "asc")]
    params += [("offset", str(offset)), ("length", str(length))]
    return _content(client.get_json(f"/electricity/rto/{route}/data/", params), offset)


def _content(answer: object, offset: int) -> tuple[list[object], int]:
    """Return the rows of an answer and how many there are in all."""
    response = answer.get("response") if isinstance(answer, dict) else None
    rows = response.get("data") if isinstance(response, dict) else None
    if not isinstance(response, dict) or not isinstance(rows, list):
        if said := reason_in(answer):
            raise SourceRejected("eia", said, remedy="Check the region and the dates.")
        raise PayloadChanged("eia", "the answer holds no response.data", remedy=_REPORT)
    try:
        total = int(response.get("total", offset + len(rows)))  # a number or a string
    except (TypeError, ValueError):
        raise PayloadChanged("eia", "the number of rows is not a number", remedy=_REPORT) from None
    return rows, total


def _whole_hour(instant: datetime) -> datetime:
    """Return the first whole hour that is not before the instant."""
    floor = instant.replace(minute=0, second=0, microsecond=0)
    return floor if floor == instant else floor + HOUR
