"""Carbon intensity of Great Britain and its regions, its forecast, and the shares of fuels, from NESO's API.

Source: https://carbonintensity.org.uk (no key; CC BY 4.0). A half hour is named by its start, as ``2018-01-20T12:00Z``
without seconds; intensities count CO2 alone [gCO2/kWh], of what is used: imports and losses of the grid included.
``actual`` is what was; ``forecast`` of an hour that has passed is the last one that was made, and no forecast as
issued, so forecasts are kept of hours to come alone. When one was made is not said: they are made anew every half hour.
Of a region there is a forecast and never an actual.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from watthour.core.carbon import Basis, CarbonKind, Scope, Side, carbon_channel, share_channel
from watthour.core.channel import Site, SiteKind
from watthour.core.errors import PayloadChanged, SourceRejected
from watthour.core.forecast import Context
from watthour.core.frames import INSTANT, OPERATOR
from watthour.core.names import id_for
from watthour.core.place import Place, Point
from watthour.core.units import Unit
from watthour.core.window import DAY, Window
from watthour.sources.delivery import PARSED_FORECASTS, PARSED_READINGS, deliver, split_unreadable, without_unpublished
from watthour.sources.http import HttpClient, RateLimit, RetryPolicy, reason_in
from watthour.sources.options import Options
from watthour.sources.parts import Parsed, gather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watthour.core.channel import Channel
    from watthour.core.ports import Delivery

BASE_URL = "https://api.carbonintensity.org.uk"
HALF_HOUR = timedelta(minutes=30)
CHUNK = 14 * DAY  # longest range of one request
POSTED_AFTER = HALF_HOUR  # an actual value, after the end of its half hour, where nobody watched
PROVIDER = "uk_carbon"
COUNTRY = "GB"  # its code of the whole country; regions have GB-1 to GB-17
KIND = CarbonKind(Basis.AVERAGE, Scope.DIRECT, Side.CONSUMPTION)
FUELS = ("biomass", "coal", "gas", "hydro", "imports", "nuclear", "other", "solar", "storage", "wind")
_REPORT = "Update Watthour; if that does not help, report it with the time of asking."
_TIME = "%Y-%m-%dT%H:%MZ"
_REGIONS = {
    1: "North Scotland",
    2: "South Scotland",
    3: "North West England",
    4: "North East England",
    5: "Yorkshire",
    6: "North Wales and Merseyside",
    7: "South Wales",
    8: "West Midlands",
    9: "East Midlands",
    10: "East England",
    11: "South West England",
    12: "South England",
    13: "London",
    14: "South East England",
    15: "England",
    16: "Scotland",
    17: "Wales",
}


class UkCarbonOptions(Options):
    """``[sources.uk_carbon]``."""

    url: str = BASE_URL


def contexts() -> tuple[Context, ...]:
    """Return the sites this connector knows by itself: Great Britain, and its regions by NESO's numbers."""
    country = _site(
        "gb",
        "Great Britain",
        COUNTRY,
        # Weights: rough shares of the inhabitants.
        points=(
            Point("london", 51.51, -0.13, 0.35),
            Point("manchester", 53.48, -2.24, 0.25),
            Point("birmingham", 52.48, -1.90, 0.22),
            Point("glasgow", 55.86, -4.25, 0.10),
            Point("cardiff", 51.48, -3.18, 0.08),
        ),
    )
    regions = (_site(f"gb_{id_for(name)}", name, f"{COUNTRY}-{number}") for number, name in _REGIONS.items())
    return tuple(Context(site, intensity_of(site), rivals=(OPERATOR,)) for site in (country, *regions))


def _site(name: str, title: str, code: str, points: tuple[Point, ...] = ()) -> Site:
    place = Place("Europe/London", holidays="GB")
    if points:
        place = replace(place, latitude=points[0].latitude, longitude=points[0].longitude)
    site = Site(
        id=name,
        name=title,
        kind=SiteKind.REGION,
        place=place,
        zone=COUNTRY,
        operator="NESO",
        points=points,
        codes=((PROVIDER, code),),
    )
    return replace(site, main_channel=intensity_of(site).id)


def intensity_of(site: Site) -> Channel:
    """Return the channel of a site's intensity: what is forecast of it, as its load is not told here."""
    return carbon_channel(site, "neso", KIND, HALF_HOUR, Unit.GRAM_CO2_PER_KWH)


def share_of(site: Site, fuel: str) -> Channel:
    """Return the channel of the share of a fuel in what a site uses."""
    return share_channel(site, id_for(fuel) or "unnamed", HALF_HOUR)


def open_client(
    options: UkCarbonOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> HttpClient:
    """Return the way to NESO's API."""
    return HttpClient(PROVIDER, options.url, rate_limit=rate_limit or RateLimit(1.0), retry=retry)


@dataclass(frozen=True, slots=True)
class UkCarbon:
    """Great Britain: its intensity as it was, the forecast of the next 48 hours, and the shares of the fuels."""

    context: Context
    client: HttpClient
    _new_fuels: set[str] = field(default_factory=set, repr=False, compare=False)  # that no table here knows

    @property
    def name(self) -> str:
        """The provider and the site."""
        return f"{PROVIDER}:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the intensity and the shares."""
        site = self.context.site
        return (intensity_of(site), *(share_of(site, fuel) for fuel in (*FUELS, *sorted(self._new_fuels))))

    def probe(self, *, now: datetime) -> None:
        """Ask for this half hour; raises as ``fetch``."""
        del now
        rows_in(self.client.get_json("/intensity"))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return intensity, forecast and shares of the window; see ``core.ports.Source``."""
        got = gather(self._questions(window, now))
        self._new_fuels.update(_fuels_in(got.rows.readings, self.context.site) - set(FUELS))
        delivery = deliver(
            self.name,
            window,
            readings=without_unpublished(got.rows.readings.unique(["channel", "time"], keep="last")),
            forecasts=got.rows.forecasts,
            refused=got.rows.refused,
            now=now,
            watched_from=watched_from,
        )
        return replace(delivery, failure=got.failure)

    def _questions(self, window: Window, now: datetime) -> Iterator[tuple[str, Callable[[], Parsed]]]:
        site, start = self.context.site, window.start
        while start < min(window.end, now):
            end = min(start + CHUNK, window.end, now)
            span = f"{_text(start)}/{_text(end)}"
            yield "intensity", partial(self._ask, f"/intensity/{span}", partial(parse_intensity, site=site, now=now))
            yield "generation", partial(self._ask, f"/generation/{span}", partial(parse_shares, site=site))
            start = end
        if window.end > now:
            ahead = f"/intensity/{_text(_made_at(now))}/fw48h"
            yield "forecast", partial(self._ask, ahead, partial(parse_forecast, site=site, now=now))

    def _ask(self, path: str, parse: Callable[[list[dict[str, Any]]], Parsed]) -> Parsed:
        return parse(rows_in(self.client.get_json(path)))


@dataclass(frozen=True, slots=True)
class UkCarbonRegional:
    """A region of Great Britain: the forecast of the next 48 hours, which nobody compares with what was."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider and the site."""
        return f"uk_carbon_regional:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the intensity; the forecasts are of it."""
        return (intensity_of(self.context.site),)

    def probe(self, *, now: datetime) -> None:
        """Ask for the next hours; raises as ``fetch``."""
        self._rows(now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the forecast of what of the window is to come; see ``core.ports.Source``."""
        got = parse_forecast(self._rows(now), self.context.site, now) if window.end > now else Parsed()
        return deliver(
            self.name, window, forecasts=got.forecasts, refused=got.refused, now=now, watched_from=watched_from
        )

    def _rows(self, now: datetime) -> list[dict[str, Any]]:
        number = str(self.context.site.code(PROVIDER)).removeprefix(f"{COUNTRY}-")
        path = f"/regional/intensity/{_text(_made_at(now))}/fw48h/regionid/{number}"
        return rows_in(self.client.get_json(path), region=number)


def rows_in(answer: object, *, region: str | None = None) -> list[dict[str, Any]]:
    """Return the half hours of an answer, in whichever of its shapes it comes; none where it has no data.

    ``data`` is a list of half hours, one of them alone, a region that holds its half hours under ``data``, or a list
    of such regions. A half hour of a region asked for alone stands beside the region's name.

    Args:
        answer: as it came.
        region: NESO's number of the region that was asked for; None: of the whole country.

    Raises:
        SourceRejected: the answer is an error.
        PayloadChanged: it has a shape that is not known, or is of another region.
    """
    if isinstance(answer, dict) and answer.get("error") is not None:
        reason = reason_in(answer) or "it answered with an error"
        raise SourceRejected(PROVIDER, reason, remedy="Check the days that were asked for.")
    held = answer.get("data") if isinstance(answer, dict) else None
    if isinstance(answer, dict) and not held:  # such as of a place that nobody knows
        return []
    rows: list[Any] = []
    parts = held if isinstance(held, list) else [held]
    for part in parts:
        inner = part.get("data") if isinstance(part, dict) else None
        rows += inner if isinstance(inner, list) else [part]
    if not all(isinstance(row, dict) and {"from", "to"} <= row.keys() for row in rows):
        raise PayloadChanged(PROVIDER, "the answer holds something other than half hours", remedy=_REPORT)
    _check_region([answer, *parts, *rows], region)
    return rows


def _check_region(told: list[Any], region: str | None) -> None:
    """Refuse half hours of another region than the one asked for, and those of several.

    Raises:
        PayloadChanged: they are.
    """
    asked = "Great Britain" if region is None else f"region {region}"
    others = {str(part["regionid"]) for part in told if part.get("regionid") is not None} - {region}
    if others:
        problem = f"asked for {asked}, it answers of region {', '.join(sorted(others))}"
        raise PayloadChanged(PROVIDER, problem, remedy=_REPORT)
    holders = [part for part in told[1:] if "data" in part]  # the first is the answer itself
    if len(holders) > 1 and any(part.get("regionid") is None for part in holders):
        problem = f"asked for {asked}, it answers of several and does not say which is which"
        raise PayloadChanged(PROVIDER, problem, remedy=_REPORT)


def parse_intensity(rows: list[dict[str, Any]], site: Site, now: datetime) -> Parsed:
    """Turn half hours into readings of what was; one that has not ended, or is not told yet, is none.

    Raises:
        PayloadChanged: a half hour holds no intensity.
    """
    good, refused = _intensities(rows, site, "actual")
    over = good.filter(pl.col("time") + HALF_HOUR <= pl.lit(now))
    published = (pl.col("time") + HALF_HOUR + POSTED_AFTER).alias("published")
    return Parsed(readings=over.with_columns(published).select(PARSED_READINGS.names()), refused=refused)


def parse_forecast(rows: list[dict[str, Any]], site: Site, now: datetime) -> Parsed:
    """Turn half hours to come into the operator's forecast, made at the last half hour.

    Raises:
        PayloadChanged: a half hour holds no intensity.
    """
    good, refused = _intensities(rows, site, "forecast")
    made = pl.lit(_made_at(now)).cast(INSTANT)
    ahead = good.drop_nulls("value").filter(pl.col("time") >= made)
    ahead = ahead.with_columns(published=made, issued_at=made, model=pl.lit(OPERATOR))
    return Parsed(forecasts=ahead.select(PARSED_FORECASTS.names()), refused=refused)


def parse_shares(rows: list[dict[str, Any]], site: Site) -> Parsed:
    """Turn half hours into readings of the share of each fuel; one that no table knows has its own channel.

    Raises:
        PayloadChanged: a half hour holds no mix.
    """
    said: list[tuple[dict[str, Any], str, object]] = []
    for row in rows:
        mix = row.get("generationmix")
        if not isinstance(mix, list) or not all(
            isinstance(each, dict) and {"fuel", "perc"} <= each.keys() for each in mix
        ):
            raise PayloadChanged(PROVIDER, "a half hour holds no generationmix", remedy=_REPORT)
        said += [(row, share_of(site, str(each["fuel"])).id, each["perc"]) for each in mix]
    good, refused = _readable(said)
    published = (pl.col("time") + HALF_HOUR + POSTED_AFTER).alias("published")
    return Parsed(readings=good.with_columns(published).select(PARSED_READINGS.names()), refused=refused)


def _intensities(rows: list[dict[str, Any]], site: Site, which: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    said: list[tuple[dict[str, Any], str, object]] = []
    for row in rows:
        held = row.get("intensity")
        if not isinstance(held, dict) or "forecast" not in held:
            raise PayloadChanged(PROVIDER, "a half hour holds no intensity", remedy=_REPORT)
        said.append((row, intensity_of(site).id, held.get(which)))
    return _readable(said)


def _readable(said: list[tuple[dict[str, Any], str, object]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``channel, time, value`` of rows that can be read, and the refused ones."""
    table = pl.DataFrame(
        {
            "channel": [channel for _row, channel, _value in said],
            "from": [str(row["from"]) for row, *_rest in said],
            "to": [str(row["to"]) for row, *_rest in said],
            "raw": [None if value is None else str(value) for *_rest, value in said],
            "row": [json.dumps(row) for row, *_rest in said],
        },
        schema=dict.fromkeys(("channel", "from", "to", "raw", "row"), pl.String),
    ).with_columns(time=_instant(pl.col("from")), end=_instant(pl.col("to")))
    is_other = (pl.col("end") - pl.col("time") != HALF_HOUR) | (pl.col("time") != pl.col("time").dt.truncate("30m"))
    return split_unreadable(table, {"is_a_half_hour": is_other.fill_null(value=False)})


def _instant(text: pl.Expr) -> pl.Expr:
    return text.str.to_datetime(_TIME, time_unit="us", strict=False).cast(INSTANT)


def _fuels_in(readings: pl.DataFrame, site: Site) -> set[str]:
    begin = f"{site.prefix}.generation_share."
    return {name.removeprefix(begin) for name in readings["channel"].unique() if name.startswith(begin)}


def _made_at(now: datetime) -> datetime:
    """Return when the forecast that is shown now was made: at the half hour, as far as it is told."""
    return now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)


def _text(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):{_TIME}}"
