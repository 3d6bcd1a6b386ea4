"""Load, generation, forecasts of wind and sun, and day-ahead prices of Europe's bidding zones, from ENTSO-E.

Source: https://transparency.entsoe.eu (web API, a free token on request). The platform names an interval by its
*start*, in UTC, by a position within a period; powers are means in MW, prices EUR/MWh. The token stands in the query,
the only place where the platform takes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl
from pydantic import SecretStr

from watthour.core.ahead import LOAD, ahead_channel
from watthour.core.channel import Channel, Limits, beside_load_limits
from watthour.core.frames import INSTANT, OPERATOR, Readings
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.sources.delivery import (
    PARSED_REFUSED,
    day_ahead_issue,
    deliver,
    eve_of,
    local_instant,
    split_unreadable,
)
from watthour.sources.entsoe_documents import at_step, points_of, series_of
from watthour.sources.http import AnswerLimits, HttpClient, ProviderQuirks, RateLimit, RetryPolicy
from watthour.sources.options import Options, require_key
from watthour.sources.production_types import BY_CODE, TYPES, word_of_code

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from watthour.core.channel import Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.sources.entsoe_documents import Series

BASE_URL = "https://web-api.tp.entsoe.eu/api"
REGISTRATION = "https://transparency.entsoe.eu"
TOKEN = (
    f"Register for free at {REGISTRATION}, ask transparency@entsoe.eu for 'Restful API access', make a security token "
    "under My Account Settings, and set it as ENTSOE_API_KEY."
)
PROVIDER = "entsoe"  # under this name a site says its code (EIC)
MARKET_ZONE = "Europe/Brussels"  # the market's days and hours are those of Brussels in all zones
QUARTER = timedelta(minutes=15)
LONGEST = 365 * DAY  # of one request
LONGEST_BAN_S = 600.0  # [s] after more than 400 requests a minute
_BAD_REQUEST = frozenset({400})  # "no data" comes with this status, too
_TOO_MANY = 429

# Commission Regulation (EU) 543/2013 says when each is due: load and generation an hour after the interval (articles
# 6 and 16), the forecast of load two hours before the auction closes at 12:00 of the day before, those of wind and sun
# at 18:00 of it, their intraday forecasts at 8:00 of the day, prices an hour after the auction. Operators are late.
MEASURED_LAG = 2 * HOUR
LOAD_ISSUED_AT = time(10)
WIND_SOLAR_ISSUED_AT = time(18)
INTRADAY_ISSUED_AT = time(8)
PRICES_PUBLISHED_AT = time(14)
_LATE_AFTER = 6 * HOUR  # what has begun longer ago should be there
_WATCHED = 3 * DAY  # what has begun longer ago may be lost for ever, and says nothing of today

SPLIT = datetime(2018, 9, 30, 22, tzinfo=UTC)  # Germany and Luxembourg parted from Austria
_TOGETHER = "10Y1001A1001A63L"  # DE-AT-LU
_GERMANY, _AUSTRIA = "10Y1001A1001A82H", "10YAT-APG------L"
PRICES_BEFORE_SPLIT = {_GERMANY: _TOGETHER, _AUSTRIA: _TOGETHER}
ZONES_SINCE = {_GERMANY: SPLIT}  # before, the load of the common zone holds Austria's
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"
_CONTRACT = "contract_MarketAgreement.type"
_DAY_AHEAD, _COMMON_AUCTION = "A01", "1"
_CURRENCY, _MEGAWATT = "EUR", "MAW"
_OUT = "outBiddingZone_Domain.mRID"
_QUANTITY_UNIT, _PRICE_UNIT = "quantity_Measure_Unit.name", "price_Measure_Unit.name"
_PRICE_LIMITS = Limits(-1_000.0, 10_000.0)  # the auction's own are -500 and 4,000 to 5,000 EUR/MWh
_KNOWN_AHEAD = {code: BY_CODE[code].word for code in ("B16", "B18", "B19")}


class EntsoeOptions(Options):
    """``[sources.entsoe]``; the environment sets the token as ENTSOE_API_KEY."""

    api_key: SecretStr = SecretStr("")
    url: str = BASE_URL


def open_client(
    options: EntsoeOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to the platform: at most 240 requests a minute, over all zones together.

    Raises:
        NotConfigured: there is no token.
    """
    token = require_key(options.api_key, name="ENTSOE_API_KEY", remedy=TOKEN)
    quirks = ProviderQuirks(
        key_remedy=f"Check ENTSOE_API_KEY. {TOKEN}",
        secrets=(token,),
        wait=lambda status, _reason: LONGEST_BAN_S if status == _TOO_MANY else None,
        query=(("securityToken", token),),
        bans=True,
    )
    limits = AnswerLimits(deadline=180.0, most_bytes=100_000_000)
    limit = rate_limit or RateLimit(4.0)
    return HttpClient("entsoe", options.url, rate_limit=limit, retry=retry, quirks=quirks, timeout=120.0, limits=limits)


@dataclass(frozen=True, slots=True)
class Entsoe:
    """A zone's load, and its operator's day-ahead forecast, which is also known to the zone's other channels."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider and the zone."""
        return f"entsoe:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the zone."""
        return (self.context.site,)

    @property
    def _ahead(self) -> Channel:
        return ahead_channel(self.context, LOAD, HOUR)

    def channels(self) -> Sequence[Channel]:
        """Return the load, and the operator's forecast as it is known to the zone's other channels."""
        return (self.context.channel, self._ahead)

    def probe(self, *, now: datetime) -> None:
        """Ask for a day of load, so that a wrong token shows before anything depends on it; raises as ``fetch``."""
        _ask(self.client, _load("A16"), _zones_of(self.context.site, Window(now - DAY, now)))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return load and forecasts of the window; see ``core.ports.Source``."""
        load, ahead = self.context.channel, self._ahead
        zones = _zones_of(self.context.site, window)
        measured, refused = _read(_ask(self.client, _load("A16"), zones, until=now), load)
        said, refused_too = _read(_ask(self.client, _load("A01"), zones), load)
        readings = _measured(at_step(measured, load.resolution, ["channel"]), load.resolution)
        issued = day_ahead_issue(pl.col("time"), LOAD_ISSUED_AT, MARKET_ZONE, now=now)
        of_load = at_step(said, load.resolution, ["channel"])
        of_others = at_step(said.with_columns(channel=pl.lit(ahead.id)), ahead.resolution, ["channel"])
        missing = [
            _missing("load", load, readings, zones, _recent(window, now, lag=_LATE_AFTER)),
            _missing("forecast of load", load, of_load, zones, _recent(window, now)),
            _too_coarse(measured, load, readings),
            _too_coarse(said, load, of_load),
        ]
        return deliver(
            self.name,
            window,
            readings=readings.filter(pl.col("time") + load.resolution <= pl.lit(now)),
            forecasts=_issued(pl.concat([of_load, of_others]), issued),
            refused=pl.concat([refused, refused_too, *missing]),
            now=now,
            watched_from=watched_from,
        )


@dataclass(frozen=True, slots=True)
class EntsoeGeneration:
    """A zone's hourly generation by type of plants; pumping is negative."""

    context: Context
    client: HttpClient
    _unknown_types: set[str] = field(default_factory=set, repr=False, compare=False)  # met while asking

    @property
    def name(self) -> str:
        """The provider, the series and the zone."""
        return f"entsoe_generation:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the zone."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return a channel per type, those included that were added since and that were met."""
        words = [*(each.word for each in TYPES), *sorted(self._unknown_types)]
        return tuple(generation_channel(self.context, word, HOUR) for word in words)

    def probe(self, *, now: datetime) -> None:
        """Ask for a day; raises as ``fetch``."""
        _ask(self.client, _GENERATION, _zones_of(self.context.site, Window(now - DAY, now)))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the generation of the window; see ``core.ports.Source``."""
        zones = _zones_of(self.context.site, window)
        points = points_of(_ask(self.client, _GENERATION, zones, until=now), "quantity", [*_SAID, "psrType"])
        kinds = {code: word_of_code(code) for code in points["psrType"].unique()}
        self._unknown_types.update(set(kinds.values()) - {each.word for each in TYPES})
        prefix = f"{self.context.site.prefix}.generation."
        points = points.with_columns(
            channel=pl.lit(prefix) + pl.col("psrType").replace_strict(kinds, return_dtype=pl.String),
            takes=pl.col(_OUT) != "",
        )
        good, refused = _split(points, {"type_is_named": pl.col("psrType") == ""})
        is_storage = pl.col("psrType").is_in([each.code for each in TYPES if each.is_storage])
        good = good.filter(~pl.col("takes") | is_storage)  # what other plants take, they use themselves
        net = (
            at_step(good, HOUR, ["channel", "takes"])
            .with_columns(value=pl.when("takes").then(-pl.col("value")).otherwise("value"))
            .group_by("channel", "time", maintain_order=True)
            .agg(pl.col("value").sum())
        )
        readings = _measured(net, HOUR).filter(pl.col("time") + HOUR <= pl.lit(now))
        due = _recent(window, now, lag=_LATE_AFTER)
        missing = _missing("generation by type", None, readings, zones, due)
        refused = pl.concat([refused, missing])
        return deliver(self.name, window, readings=readings, refused=refused, now=now, watched_from=watched_from)


@dataclass(frozen=True, slots=True)
class EntsoeWindSolar:
    """What a zone's operator forecasts of wind and sun: for the day ahead, and on the day itself."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider, the series and the zone."""
        return f"entsoe_wind_solar:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the zone."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return one channel per kind of plant, known ahead."""
        return tuple(ahead_channel(self.context, word, HOUR) for word in _KNOWN_AHEAD.values())

    def probe(self, *, now: datetime) -> None:
        """Ask for a day; raises as ``fetch``."""
        _ask(self.client, _wind_solar("A01"), _zones_of(self.context.site, Window(now - DAY, now)))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the forecasts of the window; see ``core.ports.Source``. Many zones have none of some kinds."""
        zones = _zones_of(self.context.site, window)
        day_ahead, refused = self._hours(_wind_solar("A01"), zones)
        intraday, refused_too = self._hours(_wind_solar("A40"), zones)
        issued = day_ahead_issue(pl.col("time"), WIND_SOLAR_ISSUED_AT, MARKET_ZONE, now=now)
        forecasts = [_issued(day_ahead, issued), _issued_intraday(intraday, now)]
        return deliver(
            self.name,
            window,
            forecasts=pl.concat(forecasts),
            refused=pl.concat([refused, refused_too]),
            now=now,
            watched_from=watched_from,
        )

    def _hours(
        self, params: Mapping[str, str], zones: Sequence[tuple[str, Window]]
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        points = points_of(_ask(self.client, params, zones), "quantity", [*_SAID, "psrType"])
        channels = {code: ahead_channel(self.context, word, HOUR).id for code, word in _KNOWN_AHEAD.items()}
        known = points.filter(pl.col("psrType").is_in(list(channels)))
        named = known.with_columns(channel=pl.col("psrType").replace_strict(channels, return_dtype=pl.String))
        good, refused = _split(named)
        return at_step(good, HOUR, ["channel"]), refused


@dataclass(frozen=True, slots=True)
class EntsoePrices:
    """A zone's prices of the common day-ahead auction by quarter-hours; an hourly price is that of each of its four."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider, the series and the zone."""
        return f"entsoe_prices:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the zone."""
        return (self.context.site,)

    @property
    def _price(self) -> Channel:
        return price_channel(self.context.site)

    def channels(self) -> Sequence[Channel]:
        """Return the price."""
        return (self._price,)

    def probe(self, *, now: datetime) -> None:
        """Ask for a day; raises as ``fetch``."""
        _ask(self.client, _PRICES, _zones_of(self.context.site, Window(now - DAY, now), are_prices=True))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the prices of the window, those of tomorrow included; see ``core.ports.Source``."""
        zones = _zones_of(self.context.site, window, are_prices=True)
        prices, refused = parse_prices(_ask(self.client, _PRICES, zones), self._price, now=now)
        missing = _missing("day-ahead prices", self._price, prices, zones, _recent(window, now))
        return deliver(
            self.name,
            window,
            readings=prices,
            refused=pl.concat([refused, missing]),
            now=now,
            watched_from=watched_from,
            schema=Readings,  # known before their time
        )


def generation_channel(context: Context, word: str, resolution: timedelta) -> Channel:
    """Return the channel of the generation of one type of plants [MW]."""
    return Channel(
        id=f"{context.site.prefix}.generation.{word}",
        site=context.site.id,
        quantity=Quantity.POWER,
        unit=Unit.MW,
        resolution=resolution,
        limits=beside_load_limits(context.channel.limits),
        is_simulated=context.site.is_simulated,
    )


def price_channel(site: Site) -> Channel:
    """Return the channel of a zone's day-ahead price [EUR/MWh]."""
    return Channel(
        id=f"{site.prefix}.price",
        site=site.id,
        quantity=Quantity.PRICE,
        unit=Unit.CURRENCY_PER_MWH,
        resolution=QUARTER,
        limits=_PRICE_LIMITS,
        currency=_CURRENCY,
    )


def parse_prices(series: Sequence[Series], channel: Channel, *, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn price series into readings and refused rows.

    Of several auctions the common one counts. Zeros have been published for days whose auction is still to come: a day
    of nothing but zeros that is not over is no day of prices.
    """
    words = [_SEQUENCE, _CONTRACT, "currency_Unit.name", _PRICE_UNIT]
    points = points_of(series, "price.amount", words).with_columns(channel=pl.lit(channel.id))
    points = points.filter(pl.col(_SEQUENCE).is_in(["", _COMMON_AUCTION]), pl.col(_CONTRACT).is_in(["", _DAY_AHEAD]))
    good, refused = split_unreadable(
        points,
        {
            **_OF_ITS_ZONE,
            "currency_is_that_of_the_channel": pl.col("currency_Unit.name") != channel.currency,
            "price_is_per_megawatt_hour": pl.col(_PRICE_UNIT) != "MWH",
        },
    )
    quarters = at_step(good, channel.resolution, ["channel"], repeats=True)
    day = pl.col("time").dt.convert_time_zone(MARKET_ZONE).dt.date()
    is_no_price = (pl.col("value") == 0).all().over(day) & (pl.col("time").max().over(day) > pl.lit(now))
    quarters = quarters.with_columns(is_no_price=is_no_price)
    zeros = _refused_rows(quarters.filter("is_no_price"), "a_day_of_zeros_to_come_is_no_price")
    published = local_instant(eve_of(pl.col("time"), MARKET_ZONE), PRICES_PUBLISHED_AT, MARKET_ZONE)
    prices = quarters.filter(~pl.col("is_no_price")).with_columns(published=published)
    return prices.select("channel", "time", "value", "published"), pl.concat([refused, zeros])


_OF_ITS_ZONE = {"zone_is_the_one_asked": pl.col("is_elsewhere")}
_SAID = ("curveType", _QUANTITY_UNIT, _OUT)
_GENERATION = {"documentType": "A75", "processType": "A16", "zone": "in_Domain"}
_PRICES = {"documentType": "A44", _CONTRACT: _DAY_AHEAD, "zone": "in_Domain,out_Domain"}


def _load(process: str) -> Mapping[str, str]:
    return {"documentType": "A65", "processType": process, "zone": "outBiddingZone_Domain"}


def _wind_solar(process: str) -> Mapping[str, str]:
    return {"documentType": "A69", "processType": process, "zone": "in_Domain"}


def _zones_of(site: Site, window: Window, *, are_prices: bool = False) -> list[tuple[str, Window]]:
    """Return the codes that a site has had in a window, each with its part of it; a zone that was not yet has none."""
    code = str(site.code(PROVIDER))
    before = PRICES_BEFORE_SPLIT.get(code) if are_prices else None
    begins = ZONES_SINCE.get(code) if before is None else SPLIT
    if begins is None:
        return [(code, window)]
    parts = [(before, window.start, min(window.end, begins)), (code, max(window.start, begins), window.end)]
    return [(each, Window(start, end)) for each, start, end in parts if each is not None and start < end]


def _ask(
    client: HttpClient, params: Mapping[str, str], zones: Sequence[tuple[str, Window]], *, until: datetime | None = None
) -> list[Series]:
    """Ask for a document of each part of a window; what begins after ``until`` is not asked for."""
    found: list[Series] = []
    said = [(name, value) for name, value in params.items() if name != "zone"]
    for code, window in zones:
        end = window.end if until is None else min(window.end, until)
        for start, stop in _years(window.start, end):
            named = [(name, code) for name in params["zone"].split(",")]
            span = [("periodStart", f"{start:%Y%m%d%H%M}"), ("periodEnd", f"{stop:%Y%m%d%H%M}")]
            answer = client.get_bytes("", [*said, *named, *span], also=_BAD_REQUEST)
            found += [replace(each, asked=code) for each in series_of(answer)]
    return found


def _years(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut a span into what one request may ask for, on whole hours."""
    start = start.replace(minute=0, second=0, microsecond=0)
    if end > (whole := end.replace(minute=0, second=0, microsecond=0)):
        end = whole + HOUR
    while start < end:
        yield start, min(start + LONGEST, end)
        start += LONGEST


def _read(series: Sequence[Series], channel: Channel) -> tuple[pl.DataFrame, pl.DataFrame]:
    return _split(points_of(series, "quantity", _SAID).with_columns(channel=pl.lit(channel.id)))


def _split(points: pl.DataFrame, broken: Mapping[str, pl.Expr] | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split powers into those that can be read and refused rows."""
    rules = {**_OF_ITS_ZONE, **(broken or {}), "power_is_in_megawatts": pl.col(_QUANTITY_UNIT) != _MEGAWATT}
    return split_unreadable(points, rules)


def _measured(rows: pl.DataFrame, step: timedelta) -> pl.DataFrame:
    return rows.select("channel", "time", "value", (pl.col("time") + step + MEASURED_LAG).alias("published"))


def _issued(rows: pl.DataFrame, issued_at: pl.Expr) -> pl.DataFrame:
    """Return an operator's forecasts as issued."""
    return rows.with_columns(issued_at=issued_at.cast(INSTANT)).select(
        "channel",
        "time",
        "value",
        pl.col("issued_at").alias("published"),
        "issued_at",
        pl.lit(OPERATOR).alias("model"),
    )


def _issued_intraday(rows: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Return forecasts that an operator made on the day itself, of what was still to come then."""
    day = pl.col("time").dt.convert_time_zone(MARKET_ZONE).dt.date()
    made = day.cast(pl.Date).dt.combine(INTRADAY_ISSUED_AT, time_unit="us")
    made = made.dt.replace_time_zone(MARKET_ZONE).dt.convert_time_zone("UTC")
    return _issued(rows.filter(made <= pl.col("time"), made <= pl.lit(now)), made)


def _recent(window: Window, now: datetime, *, lag: timedelta = timedelta(0)) -> Window | None:
    """Return the part of a window of which something must be there, None where there is none."""
    start, end = max(window.start, now - _WATCHED), min(window.end, now - lag)
    return Window(start, end) if start < end else None


def _missing(
    what: str, channel: Channel | None, rows: pl.DataFrame, zones: Sequence[tuple[str, Window]], due: Window | None
) -> pl.DataFrame:
    """Return a refused row that says what should be there and is not, so that an empty answer does not look well."""
    if due is None or rows["time"].is_between(due.start, due.end, closed="left").any():
        return pl.DataFrame(schema=PARSED_REFUSED)
    row = {"series": what, "zone": zones[-1][0] if zones else None}
    row |= {"from": due.start.isoformat(), "to": due.end.isoformat()}
    name = None if channel is None else channel.id
    return pl.DataFrame([(name, "has_what_was_due", json.dumps(row))], schema=PARSED_REFUSED, orient="row")


def _too_coarse(points: pl.DataFrame, channel: Channel, kept: pl.DataFrame) -> pl.DataFrame:
    """Return the points longer than the channel's step of which nothing finer is kept."""
    minutes = channel.resolution // timedelta(minutes=1)
    coarse = points.filter(pl.col("minutes") > minutes, pl.col("value").is_not_null())
    alone = coarse.join(kept, on=["channel", "time"], how="anti", maintain_order="left")
    return _refused_rows(alone, "interval_is_no_longer_than_the_channels")


def _refused_rows(rows: pl.DataFrame, rule: str) -> pl.DataFrame:
    row = pl.struct(pl.col("time").dt.to_string("iso:strict"), "value").struct.json_encode()
    return rows.select("channel", rule=pl.lit(rule), row=row).cast(PARSED_REFUSED)
