"""Marginal CO2 of a grid region, its forecast and the rank of the hour, from WattTime (API v3).

Source: https://docs.watttime.org. An account is free; it brings the rank of the hour (``signal-index``) and all of
CAISO_NORTH, and a subscription the rest. A point names the start of its five minutes, in UTC; intensities come in
lb/MWh, as ``meta.units`` says, the index as a percentile, 0 cleanest, which is no amount of CO2. The login stands
outside of ``/v3``, and its token is good for 30 minutes.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import Field, SecretStr

from watthour.core.carbon import Basis, CarbonKind, Scope, carbon_channel
from watthour.core.errors import InvalidInput, NotConfigured, PayloadChanged, SourceRejected
from watthour.core.frames import INSTANT, Readings
from watthour.core.units import Unit
from watthour.core.window import DAY, Window
from watthour.sources.delivery import (
    PARSED_FORECASTS,
    PARSED_READINGS,
    PARSED_REFUSED,
    deliver,
    split_unreadable,
    without_unpublished,
)
from watthour.sources.http import Bearer, CallBudget, HttpClient, ProviderQuirks, RateLimit, RetryPolicy
from watthour.sources.options import Options, require_key
from watthour.sources.parts import Parsed, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery

BASE_URL = "https://api.watttime.org"
SIGNAL = "co2_moer"
STEP = timedelta(minutes=5)
CHUNK = 30 * DAY  # of one request, as the provider's own client asks
HORIZON_HOURS = 24
TOKEN_LIFETIME_S = 25 * 60.0  # of 30 minutes
MODEL = "watttime"  # under which its forecasts are kept
POSTED_AFTER = timedelta(minutes=10)  # an interval, after its end, where nobody watched
MOST_WARNINGS = 5  # of an answer that are set aside; more of them say no more
_LONGEST_WARNING = 300  # [characters]
_FORBIDDEN = 403
_GRAMS_PER_KWH = {"lbs_co2_per_mwh": 0.45359237, "kg_co2_per_mwh": 1.0, "g_co2_per_kwh": 1.0}
_CO2 = Unit.GRAM_CO2_PER_KWH  # `co2_moer` counts no other gas
_PERCENTILE = {"percentile": 1.0}
_REGISTER = "Register for free with `watthour carbon register` and set WATTTIME_USERNAME and WATTTIME_PASSWORD."
_REPORT = "Update Watthour; if that does not help, report it with the region and the time of asking."


class WatttimeOptions(Options):
    """``[sources.watttime]``."""

    username: SecretStr = SecretStr("")
    password: SecretStr = SecretStr("")
    url: str = BASE_URL
    regions: dict[str, str] = Field(default_factory=dict)  # site -> WattTime's region; else by the site's coordinates
    calls_per_hour: int = Field(default=300, ge=1)


@dataclass(frozen=True, slots=True)
class WatttimeClient:
    """The way to WattTime, and what is set of it."""

    http: HttpClient
    regions: dict[str, str]
    budget: RateLimit
    found: dict[tuple[float, float], str] = field(default_factory=dict)  # regions by coordinates, asked for once


def open_client(
    options: WatttimeOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> WatttimeClient:
    """Return the way to WattTime: one login and one budget of requests for all regions.

    Raises:
        NotConfigured: there is no user name or no password, or one is a placeholder.
    """
    user = require_key(options.username, name="WATTTIME_USERNAME", remedy=_REGISTER, has_letters_of_all=True)
    password = require_key(options.password, name="WATTTIME_PASSWORD", remedy=_REGISTER, has_letters_of_all=True)
    if ":" in user:
        problem = "no user name has a colon, which ends it in a login"
        raise NotConfigured("WATTTIME_USERNAME", "(hidden)", problem, remedy="Copy it again.")
    basic = b64encode(f"{user}:{password}".encode()).decode()
    budget = rate_limit or CallBudget("watttime", options.calls_per_hour, option="WATTHOUR_WATTTIME_CALLS_PER_HOUR")
    remedy = f"Check WATTTIME_USERNAME and WATTTIME_PASSWORD. {_REGISTER}"
    secrets = (password, basic)
    login = HttpClient(
        "watttime",
        options.url,
        headers={"Authorization": f"Basic {basic}"},
        rate_limit=budget,
        retry=retry,
        quirks=ProviderQuirks(key_remedy=remedy, secrets=secrets),
    )
    bearer = Bearer(partial(_log_in, login), lifetime_s=TOKEN_LIFETIME_S)
    quirks = ProviderQuirks(key_remedy=remedy, secrets=secrets, bearer=bearer)
    http = HttpClient("watttime", options.url, rate_limit=budget, retry=retry, quirks=quirks)
    return WatttimeClient(http, options.regions, budget)


def register(options: WatttimeOptions, *, username: str, password: str, email: str, organisation: str) -> str:
    """Open a free account and return its user name; the password is sent there and kept nowhere.

    Raises:
        SourceError: the account was not opened, such as where the user name is taken.
    """
    quirks = ProviderQuirks(secrets=(password,), key_remedy="Choose another user name and try again.")
    client = HttpClient("watttime", options.url, retry=RetryPolicy(attempts=1), quirks=quirks)
    content = {"username": username, "password": password, "email": email, "org": organisation}
    try:
        answer = client.post_json("/register", content)
    except SourceRejected as error:
        problem = error.problem.removeprefix("watttime: ")
        remedy = "Choose another user name, and a password of 8 letters or more with a digit and a sign."
        raise SourceRejected("watttime", problem, remedy=remedy, status=error.status) from None
    if not isinstance(answer, dict) or not isinstance(answer.get("user"), str):
        raise PayloadChanged("watttime", "the answer to the registration names no user", remedy=_REPORT)
    return username  # what an answer names may be anything


@dataclass(frozen=True, slots=True)
class Watttime:
    """The marginal intensity of the region a site lies in, its forecast of the next day, and the rank of this hour."""

    context: Context
    client: WatttimeClient

    @property
    def name(self) -> str:
        """The provider and the site."""
        return f"watttime:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the site."""
        return (self.context.site,)

    @property
    def _marginal(self) -> Channel:
        return carbon_channel(self.context.site, "watttime", CarbonKind(Basis.MARGINAL, Scope.DIRECT), STEP, _CO2)

    @property
    def _index(self) -> Channel:
        return carbon_channel(self.context.site, "watttime", CarbonKind(Basis.INDEX), STEP)

    def channels(self) -> Sequence[Channel]:
        """Return the marginal intensity and the index."""
        return (self._marginal, self._index)

    def probe(self, *, now: datetime) -> None:
        """Ask in which region the site lies, which shows that login and address are right; raises as ``fetch``."""
        del now
        self.client.found.clear()
        self._region()

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return what the account may see of the window; see ``core.ports.Source``.

        What the plan leaves out is refused row by row, and everything else is kept; so it is where a part fails.

        Raises:
            SourceRejected: the plan includes nothing of this region.
            SourceError: nothing was answered.
        """
        region = self._region()
        asked = self._asked(window, now, region)
        try:
            got = gather(asked, is_denied=lambda error: error.status == _FORBIDDEN)
        except SourceRejected as error:
            raise self._not_in_plan(region, error) if error.status == _FORBIDDEN else error from None
        readings = got.rows.readings
        is_ahead = pl.col("time") > now  # what it says of hours to come stands in its forecast alone
        ahead = readings.filter(is_ahead).select(
            "channel",
            rule=pl.lit("not_before_it_began"),
            row=pl.struct(pl.col("time").cast(pl.String), "value").struct.json_encode(),
        )
        delivery = deliver(
            self.name,
            window,
            readings=readings.filter(~is_ahead),
            forecasts=got.rows.forecasts,
            refused=pl.concat([got.refused_by_plan(self._marginal.id, region=region), ahead, got.rows.refused]),
            now=now,
            watched_from=watched_from,
            schema=Readings,  # the rank of this hour is told while it runs
        )
        return replace(delivery, failure=got.failure)

    def _asked(self, window: Window, now: datetime, region: str) -> Iterator[tuple[str, Callable[[], Parsed]]]:
        named = [("region", region), ("signal_type", SIGNAL)]
        start = window.start
        while start < min(window.end, now):
            end = min(start + CHUNK, window.end, now)
            span = [("start", _text(start)), ("end", _text(end - timedelta(seconds=1)))]  # both are included there
            yield "historical", partial(self._points, "historical", [*named, *span], region)
            start = end
        if now in window:
            yield "signal-index", partial(self._points, "signal-index", named, region)
            horizon = [("horizon_hours", str(HORIZON_HOURS))]
            yield "forecast", partial(self._points, "forecast", [*named, *horizon], region)

    def _points(self, endpoint: str, params: list[tuple[str, str]], region: str) -> Parsed:
        answer = self.client.http.get_json(f"/v3/{endpoint}", params)
        channel = self._index if endpoint == "signal-index" else self._marginal
        return parse(answer, channel, region=region, endpoint=endpoint)

    def _region(self) -> str:
        """Return what WattTime calls the region of the site.

        Raises:
            InvalidInput: the site has no coordinates, and no region is set.
        """
        site = self.context.site
        if site.id in self.client.regions:
            return self.client.regions[site.id]
        if site.place.latitude is None or site.place.longitude is None:
            remedy = f'Set it as {site.id} = "CAISO_NORTH" in [sources.watttime.regions].'
            raise InvalidInput("regions", site.id, "nobody says in which region of WattTime it lies", remedy=remedy)
        here = (site.place.latitude, site.place.longitude)
        if here in self.client.found:
            return self.client.found[here]
        place = [("latitude", str(here[0])), ("longitude", str(here[1]))]
        answer = self.client.http.get_json("/v3/region-from-loc", [*place, ("signal_type", SIGNAL)])
        region = answer.get("region") if isinstance(answer, dict) else None
        if not isinstance(region, str) or not region:
            raise PayloadChanged("watttime", "the answer names no region", remedy=_REPORT)
        self.client.found[here] = region
        return region

    def _not_in_plan(self, region: str, error: SourceRejected) -> SourceRejected:
        said = error.problem.removeprefix("watttime: ")
        problem = f"the plan of this account includes nothing of {region}, where {self.context.site.name} lies ({said})"
        remedy = (
            "A subscription at https://watttime.org includes it; every account sees CAISO_NORTH. "
            "WATTHOUR_WATTTIME_ENABLED=false switches WattTime off."
        )
        return SourceRejected("watttime", problem, remedy=remedy, status=error.status)


def parse(answer: object, channel: Channel, *, region: str, endpoint: str) -> Parsed:
    """Turn ``data`` and ``meta`` of an answer into rows in gCO2/kWh or, of the index, percent.

    A missing value stays null. What the provider warns of is set aside with its words.

    Raises:
        PayloadChanged: the answer has another shape, region, signal, step or unit.
    """
    data, meta = _content(answer)
    if meta.get("region") != region:
        raise PayloadChanged("watttime", f"asked for {region}, it answers of {meta.get('region')}", remedy=_REPORT)
    if meta.get("signal_type") != SIGNAL:
        problem = f"asked for {SIGNAL}, it answers of {meta.get('signal_type')}"
        raise PayloadChanged("watttime", problem, remedy=_REPORT)
    is_index = endpoint == "signal-index"
    factor = (_PERCENTILE if is_index else _GRAMS_PER_KWH).get(str(meta.get("units")).lower())
    if factor is None:
        raise PayloadChanged("watttime", f"values of {endpoint} are now in {meta.get('units')}", remedy=_REPORT)
    step = meta.get("data_point_period_seconds")
    if not is_index and step != STEP.total_seconds():
        raise PayloadChanged("watttime", f"points are now {step} seconds apart", remedy=_REPORT)
    raws = [None if point["value"] is None else str(point["value"]) for point in data]
    table = pl.DataFrame(
        {"at": [str(point["point_time"]) for point in data], "raw": raws, "row": [json.dumps(each) for each in data]},
        schema={"at": pl.String, "raw": pl.String, "row": pl.String},
    ).with_columns(channel=pl.lit(channel.id), time=_instants(pl.col("at")))
    good, refused = split_unreadable(table)
    good = good.with_columns(pl.col("value") * factor)
    warned = [(channel.id, "provider_warns", words) for words in _warnings(meta)]
    refused = pl.concat([refused, pl.DataFrame(warned, schema=PARSED_REFUSED, orient="row")])
    if endpoint == "forecast":
        issued = datetime.fromisoformat(str(meta["generated_at"])) if "generated_at" in meta else None
        if issued is None or issued.tzinfo is None:
            raise PayloadChanged("watttime", "the forecast does not say when it was made", remedy=_REPORT)
        made = pl.lit(issued.astimezone(UTC)).cast(INSTANT)
        forecasts = good.drop_nulls("value").with_columns(published=made, issued_at=made, model=pl.lit(MODEL))
        return Parsed(pl.DataFrame(schema=PARSED_READINGS), forecasts.select(PARSED_FORECASTS.names()), refused)
    lag = timedelta(0) if is_index else STEP + POSTED_AFTER
    readings = good.with_columns(published=pl.col("time") + lag).select(PARSED_READINGS.names())
    return Parsed(without_unpublished(readings), pl.DataFrame(schema=PARSED_FORECASTS), refused)


def _warnings(meta: dict[str, Any]) -> list[str]:
    """Return what the provider warns of, each once and cut, and how many more there are."""
    said = meta.get("warnings")
    words = [
        json.dumps(each)[:_LONGEST_WARNING] for each in (said if isinstance(said, list) else [said] if said else [])
    ]
    found = list(dict.fromkeys(words))
    more = len(found) - MOST_WARNINGS
    return found[:MOST_WARNINGS] + ([f"and {more} more"] if more > 0 else [])


def _content(answer: object) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    data = answer.get("data") if isinstance(answer, dict) else None
    meta = answer.get("meta") if isinstance(answer, dict) else None
    if not isinstance(data, list) or not isinstance(meta, dict):
        raise PayloadChanged("watttime", "the answer holds no data and meta", remedy=_REPORT)
    if not all(isinstance(point, dict) and {"point_time", "value"} <= point.keys() for point in data):
        raise PayloadChanged("watttime", "a point lacks point_time or value", remedy=_REPORT)
    return data, meta


def _instants(text: pl.Expr) -> pl.Expr:
    """Read ISO instants with an offset, and name the five minutes in which they lie by their start."""
    read = (
        text.str.replace("Z$", "+00:00")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)
        .cast(INSTANT)
    )
    return read.dt.truncate("5m")


def _log_in(client: HttpClient) -> str:
    answer = client.get_json("/login")
    token = answer.get("token") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        raise PayloadChanged("watttime", "the login gave no token that can be sent back", remedy=_REPORT)
    return token


def _text(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"
