"""Carbon intensity of what a region uses, imports traced to where they come from, from Electricity Maps (API v3).

Source: https://portal.electricitymaps.com/docs/api. A key is free for one zone: its last hours; the past and the
forecast are paid. An hour is named by its start, in UTC; values count all greenhouse gases [gCO2eq/kWh], over the life
cycle or while plants run, as asked. Hours are estimated at first and measured later: each says which.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from pydantic import Field, SecretStr

from watthour.core.carbon import Basis, CarbonKind, Scope, Side, carbon_channel, share_channel
from watthour.core.errors import InvalidInput, PayloadChanged, SourceRejected
from watthour.core.frames import INSTANT, Quality, Readings
from watthour.core.window import DAY, HOUR, Window
from watthour.sources.delivery import PARSED_FORECASTS, PARSED_READINGS, deliver, split_unreadable, without_unpublished
from watthour.sources.http import CallBudget, HttpClient, ProviderQuirks, RateLimit, RetryPolicy
from watthour.sources.options import Options, require_key
from watthour.sources.parts import Parsed, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery

BASE_URL = "https://api.electricitymaps.com/v3"
PROVIDER = "electricity_maps"
CHUNK = 10 * DAY  # longest range of hours of one request
MODEL = "electricity_maps"  # under which its forecasts are kept
SHARES = {"fossil_free": "fossilFreePercentage", "renewable": "renewablePercentage"}
_DENIED = frozenset({401, 403})  # a zone or an endpoint that the plan leaves out answers either
_REGISTER = "A key is free at https://portal.electricitymaps.com; set ELECTRICITY_MAPS_API_KEY."
_REPORT = "Update Watthour; if that does not help, report it with the zone and the time of asking."


class ElectricityMapsOptions(Options):
    """``[sources.electricity_maps]``."""

    api_key: SecretStr = SecretStr("")
    url: str = BASE_URL
    zones: dict[str, str] = Field(default_factory=dict)  # site -> zone there; else by the site's coordinates
    emission_factor_type: Literal["lifecycle", "direct"] = "lifecycle"
    estimations: bool = True  # false: hours that are not measured are left out
    power_breakdown: bool = False  # true: the shares of fossil-free and renewable electricity as well
    calls_per_hour: int = Field(default=60, ge=1)


@dataclass(frozen=True, slots=True)
class ElectricityMapsClient:
    """The way to Electricity Maps, and what is set of it."""

    http: HttpClient
    options: ElectricityMapsOptions
    found: dict[str, str] = field(default_factory=dict)  # zones by site, as the answers name them


def open_client(
    options: ElectricityMapsOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> ElectricityMapsClient:
    """Return the way to Electricity Maps: one key and one budget of requests for all regions.

    Raises:
        NotConfigured: there is no key, or a placeholder.
    """
    key = require_key(options.api_key, name="ELECTRICITY_MAPS_API_KEY", remedy=_REGISTER)
    budget = CallBudget(PROVIDER, options.calls_per_hour, option="WATTHOUR_ELECTRICITY_MAPS_CALLS_PER_HOUR")
    http = HttpClient(
        PROVIDER,
        options.url,
        headers={"auth-token": key},
        rate_limit=rate_limit or budget,
        retry=retry,
        quirks=ProviderQuirks(key_remedy=f"Check ELECTRICITY_MAPS_API_KEY. {_REGISTER}", secrets=(key,)),
    )
    return ElectricityMapsClient(http, options)


@dataclass(frozen=True, slots=True)
class ElectricityMaps:
    """The intensity of what the zone uses in which a site lies, hour by hour, and its forecast."""

    context: Context
    client: ElectricityMapsClient

    @property
    def name(self) -> str:
        """The provider and the site."""
        return f"{PROVIDER}:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the site."""
        return (self.context.site,)

    @property
    def _intensity(self) -> Channel:
        scope = Scope(self.client.options.emission_factor_type)
        kind = CarbonKind(Basis.AVERAGE, scope, Side.CONSUMPTION)
        return carbon_channel(self.context.site, PROVIDER, kind, HOUR)

    @property
    def _shares(self) -> dict[str, Channel]:
        """The channels of the shares, by the field of the answers."""
        names = SHARES if self.client.options.power_breakdown else {}
        return {said: share_channel(self.context.site, name, HOUR) for name, said in names.items()}

    def channels(self) -> Sequence[Channel]:
        """Return the intensity and, where they are asked for, the shares."""
        return (self._intensity, *self._shares.values())

    def probe(self, *, now: datetime) -> None:
        """Ask for this hour, which shows that key and zone are right; raises as ``fetch``."""
        del now
        self._rows("/carbon-intensity/latest", self._params())

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return what the key may see of the window; see ``core.ports.Source``.

        A window that reaches into the last day brings that day alone: the past before is asked for by itself, and paid.

        Raises:
            SourceRejected: the key may see nothing of this zone.
            SourceError: nothing was answered.
        """
        try:
            got = gather(self._questions(window, now), is_denied=lambda error: error.status in _DENIED)
        except SourceRejected as error:
            raise self._not_allowed(error) if error.status in _DENIED else error from None
        delivery = deliver(
            self.name,
            window,
            readings=without_unpublished(_one_each(got.rows.readings)),
            forecasts=got.rows.forecasts,
            refused=pl.concat([got.refused_by_plan(self._intensity.id, zone=self._zone_in_words()), got.rows.refused]),
            now=now,
            watched_from=watched_from,
            schema=Readings,  # this hour's estimate is told while it runs
        )
        return replace(delivery, failure=got.failure)

    def _questions(self, window: Window, now: datetime) -> Iterator[tuple[str, Callable[[], Parsed]]]:
        params, kinds = self._params(), {"carbon-intensity": {"carbonIntensity": self._intensity}}
        if self._shares:
            kinds["power-breakdown"] = self._shares
        for kind, fields in kinds.items():
            start = window.start
            while start < min(window.end, now - DAY) and window.end <= now - DAY:
                end = min(start + CHUNK, window.end)
                span = [("start", _text(start)), ("end", _text(end))]
                yield (
                    f"{kind}/past-range",
                    partial(self._readings, f"/{kind}/past-range", [*params, *span], fields, now),
                )
                start = end
            if window.end > now - DAY and window.start <= now:
                yield f"{kind}/history", partial(self._readings, f"/{kind}/history", params, fields, now)
            if now in window:
                yield f"{kind}/latest", partial(self._readings, f"/{kind}/latest", params, fields, now)
        if window.end > now:
            yield "carbon-intensity/forecast", partial(self._forecast, params)

    def _params(self) -> list[tuple[str, str]]:
        """Return what every question names: the zone and what is counted.

        Raises:
            InvalidInput: the site has no coordinates, and no zone is set.
        """
        site, options = self.context.site, self.client.options
        asked: list[tuple[str, str]] = [("emissionFactorType", options.emission_factor_type)]
        if not options.estimations:
            asked.append(("disableEstimations", "true"))
        if site.id in options.zones:
            return [("zone", options.zones[site.id]), *asked]
        if site.place.latitude is None or site.place.longitude is None:
            raise InvalidInput(
                "zones", site.id, "nobody says in which zone of Electricity Maps it lies", remedy=self._how()
            )
        return [("lat", str(site.place.latitude)), ("lon", str(site.place.longitude)), *asked]

    def _readings(self, path: str, params: list[tuple[str, str]], fields: dict[str, Channel], now: datetime) -> Parsed:
        rows, _answer = self._rows(path, params)
        return parse(rows, fields, scope=self.client.options.emission_factor_type, now=now)

    def _forecast(self, params: list[tuple[str, str]]) -> Parsed:
        rows, answer = self._rows("/carbon-intensity/forecast", params)
        return parse_forecast(rows, answer, self._intensity)

    def _rows(self, path: str, params: list[tuple[str, str]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        answer = self.client.http.get_json(path, params)
        if not isinstance(answer, dict):
            raise PayloadChanged(PROVIDER, "the answer is no object", remedy=_REPORT)
        self._check_zone(answer.get("zone"))
        return rows_in(answer), answer

    def _check_zone(self, zone: object) -> None:
        """Refuse figures of another zone than that of the site.

        Raises:
            PayloadChanged: the answer names none, or another than before.
            InvalidInput: by its coordinates the site lies in a zone that is not the balancing authority's.
        """
        site, options = self.context.site, self.client.options
        if not isinstance(zone, str) or not zone:
            raise PayloadChanged(PROVIDER, "the answer names no zone", remedy=_REPORT)
        wanted = options.zones.get(site.id) or self.client.found.get(site.id)
        if wanted is not None and zone != wanted:
            raise PayloadChanged(PROVIDER, f"asked for {wanted}, it answers of {zone}", remedy=self._how())
        authority = site.code("eia")
        if wanted is None and authority is not None and not zone.endswith(f"-{authority}"):
            problem = f"its coordinates lie in the zone {zone}, which is not {authority}"
            raise InvalidInput("zones", site.id, problem, remedy=self._how())
        self.client.found[site.id] = zone

    def _zone_in_words(self) -> str:
        site = self.context.site
        return self.client.options.zones.get(site.id) or self.client.found.get(site.id) or f"the place of {site.name}"

    def _how(self) -> str:
        return f'Set it as {self.context.site.id} = "US-NY-NYIS" in [sources.electricity_maps.zones].'

    def _not_allowed(self, error: SourceRejected) -> SourceRejected:
        said = error.problem.removeprefix(f"{PROVIDER}: ")
        problem = f"this key may see nothing of {self._zone_in_words()} ({said})"
        remedy = (
            "Check ELECTRICITY_MAPS_API_KEY; a free key sees the one zone that was chosen for it. "
            "WATTHOUR_ELECTRICITY_MAPS_ENABLED=false switches Electricity Maps off."
        )
        return SourceRejected(PROVIDER, problem, remedy=remedy, status=error.status)


def rows_in(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the hours of an answer: one by itself, or those under ``history``, ``data`` or ``forecast``.

    Raises:
        PayloadChanged: it has another shape, or another step than an hour.
    """
    held = next((answer[name] for name in ("history", "data", "forecast") if name in answer), [answer])
    if not isinstance(held, list) or not all(isinstance(row, dict) and "datetime" in row for row in held):
        raise PayloadChanged(PROVIDER, "the answer holds something other than hours", remedy=_REPORT)
    steps = {str(part.get("temporalGranularity", "hourly")) for part in (answer, *held)}
    if steps != {"hourly"}:
        raise PayloadChanged(PROVIDER, f"its steps are now {', '.join(sorted(steps))}", remedy=_REPORT)
    return held


def parse(rows: list[dict[str, Any]], fields: dict[str, Channel], *, scope: str, now: datetime) -> Parsed:
    """Turn hours into readings of each field; a missing value stays null, an estimate is marked.

    Raises:
        PayloadChanged: an hour lacks a field, or counts other emissions than were asked for.
    """
    said: list[tuple[dict[str, Any], str, object]] = []
    for row in rows:
        if not fields.keys() <= row.keys():
            raise PayloadChanged(PROVIDER, f"an hour lacks {', '.join(fields.keys() - row.keys())}", remedy=_REPORT)
        counted = row.get("emissionFactorType") or scope
        if counted != scope:
            raise PayloadChanged(PROVIDER, f"asked for {scope} emissions, it answers of {counted}", remedy=_REPORT)
        said += [(row, channel.id, row[name]) for name, channel in fields.items()]
    good, refused = _readable(said)
    ended = pl.when(pl.col("time") + HOUR <= pl.lit(now)).then(pl.col("time") + HOUR).otherwise("time")
    good = good.with_columns(
        published=pl.max_horizontal(pl.col("updated"), ended),
        quality=pl.when("is_estimated").then(int(Quality.ESTIMATED)).otherwise(int(Quality.GOOD)).cast(pl.Int16),
    )
    return Parsed(readings=good.select(*PARSED_READINGS.names(), "quality"), refused=refused)


def parse_forecast(rows: list[dict[str, Any]], answer: dict[str, Any], channel: Channel) -> Parsed:
    """Turn the hours to come into a forecast, made when the answer says.

    Raises:
        PayloadChanged: it does not say when it was made, or an hour has no intensity.
    """
    made = _read(answer.get("updatedAt"))
    if made is None:
        raise PayloadChanged(PROVIDER, "the forecast does not say when it was made", remedy=_REPORT)
    if not all("carbonIntensity" in row for row in rows):
        raise PayloadChanged(PROVIDER, "an hour of the forecast lacks carbonIntensity", remedy=_REPORT)
    good, refused = _readable([(row, channel.id, row["carbonIntensity"]) for row in rows])
    issued = pl.lit(made).cast(INSTANT)
    ahead = good.drop_nulls("value").with_columns(published=issued, issued_at=issued, model=pl.lit(MODEL))
    return Parsed(
        forecasts=ahead.filter(pl.col("time") + HOUR > issued).select(PARSED_FORECASTS.names()), refused=refused
    )


def _readable(said: list[tuple[dict[str, Any], str, object]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``channel, time, value, updated, is_estimated`` of rows that can be read, and the refused ones."""
    texts = ("channel", "at", "updated", "raw", "row")
    table = pl.DataFrame(
        {
            "channel": [channel for _row, channel, _value in said],
            "at": [str(row["datetime"]) for row, *_rest in said],
            "updated": [str(row.get("updatedAt", "")) for row, *_rest in said],
            "is_estimated": [bool(row.get("isEstimated")) for row, *_rest in said],
            "raw": [None if value is None else str(value) for *_rest, value in said],
            "row": [json.dumps(row) for row, *_rest in said],
        },
        schema={**dict.fromkeys(texts, pl.String), "is_estimated": pl.Boolean},
    ).with_columns(time=_instant(pl.col("at")), updated=_instant(pl.col("updated")))
    is_other = (pl.col("time") != pl.col("time").dt.truncate("1h")).fill_null(value=False)
    return split_unreadable(table, {"is_an_hour": is_other})


def _one_each(readings: pl.DataFrame) -> pl.DataFrame:
    """Return one row per hour: of several the one updated last."""
    return readings.sort("published").unique(["channel", "time"], keep="last").sort("channel", "time")


def _instant(text: pl.Expr) -> pl.Expr:
    read = text.str.replace("Z$", "+00:00").str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)
    return read.cast(INSTANT)


def _read(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return None if found.tzinfo is None else found.astimezone(UTC)


def _text(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
