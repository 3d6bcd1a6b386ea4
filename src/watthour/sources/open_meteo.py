"""Hourly weather at a site's points from Open-Meteo: observed, forecast now, and forecast back then.

Source: https://open-meteo.com/en/docs (no key, non-commercial use; data CC BY 4.0). Four addresses:
archive (reanalysis, about five days late), forecast, previous runs (``<variable>_previous_dayN``: what was forecast N
days ahead; most models from 2024 on) and single runs (one whole run by its init time).
Sums, means and maxima of the *preceding* hour are named by its end there; we name them by its start.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from watthour.core.errors import InvalidInput, PayloadChanged, SourceRejected
from watthour.core.frames import INSTANT
from watthour.core.units import Unit, conversion
from watthour.core.weather import FIRST_ISSUED, HOURLY, weather_channels, weather_points
from watthour.core.window import DAY, HOUR, Window
from watthour.sources.delivery import PARSED_FORECASTS, deliver, without_unpublished
from watthour.sources.http import MINUTE, HttpClient, ProviderQuirks, RateLimit, RetryPolicy
from watthour.sources.options import Options

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.place import Point
    from watthour.core.ports import Delivery

FORECAST_URL = "https://api.open-meteo.com"
ARCHIVE_URL = "https://archive-api.open-meteo.com"
PREVIOUS_RUNS_URL = "https://previous-runs-api.open-meteo.com"
SINGLE_RUNS_URL = "https://single-runs-api.open-meteo.com"
MODEL = "open_meteo"  # `model` of its own mix of weather models ("best match")
RUN_DELAY = timedelta(hours=5)  # a run can be read four hours or more after its init time
ARCHIVE_LAG = timedelta(days=5)  # ERA5
ISSUE_STEP = timedelta(hours=3)  # an answer does not name its runs: asked twice within a step, it is one issue
DAYS_AHEAD = 15  # beyond today
DAYS_BACK = 92
FIRST_PREVIOUS_RUN = FIRST_ISSUED  # GFS temperature from April 2021, most others from 2024
# Weighted requests a second; free use is limited to 600 a minute, 5,000 an hour and 10,000 a day.
PER_SECOND = 8.0

_PRECEDING_HOUR = frozenset({"precipitation", "rain", "snowfall", "shortwave_radiation", "wind_gusts_10m"})
_UNITS = {
    "°C": Unit.CELSIUS,
    "°F": Unit.FAHRENHEIT,
    "%": Unit.PERCENT,
    "mm": Unit.MILLIMETRE,
    "cm": Unit.CENTIMETRE,
    "m/s": Unit.METRE_PER_SECOND,
    "km/h": Unit.KILOMETRE_PER_HOUR,
    "hPa": Unit.HECTOPASCAL,
    "W/m²": Unit.WATT_PER_SQUARE_METRE,
}
_LIMITS = {"minutely": MINUTE + 1, "hourly": 60 * MINUTE, "daily": 24 * 60 * MINUTE, "concurrent": 2.0}  # [s]
_ROWS = pl.Schema(
    {
        "channel": pl.String(),
        "time": INSTANT,
        "stamp": INSTANT,
        "days_before": pl.Int64(),
        "value": pl.Float64(),
    }
)
_REPORT = "Update Watthour; if that does not help, report it with the site and the time of asking."


class OpenMeteoOptions(Options):
    """``[sources.open_meteo]``."""

    url: str | None = None  # one server of one's own in place of the four addresses


class Clients(NamedTuple):
    """Open-Meteo's four addresses, under one rate limit."""

    forecast: HttpClient
    archive: HttpClient
    previous_runs: HttpClient
    single_runs: HttpClient


def open_client(
    options: OpenMeteoOptions, *, rate_limit: RateLimit | None = None, retry: RetryPolicy | None = None
) -> Clients:
    """Return the ways to Open-Meteo, or to one server of one's own."""
    rate_limit = rate_limit or RateLimit(PER_SECOND)
    quirks = ProviderQuirks(wait=_wait)

    def client(url: str) -> HttpClient:
        return HttpClient("open_meteo", options.url or url, rate_limit=rate_limit, retry=retry, quirks=quirks)

    return Clients(client(FORECAST_URL), client(ARCHIVE_URL), client(PREVIOUS_RUNS_URL), client(SINGLE_RUNS_URL))


def points_of(site: Site) -> tuple[Point, ...]:
    """Return where a site's weather is asked for: at its points, or else at its own place.

    Raises:
        InvalidInput: nobody knows where it is.
    """
    if not (points := weather_points(site)):
        remedy = f"Give it some: `watthour site change {site.id} --latitude 48.85 --longitude 2.35`."
        raise InvalidInput("site", site.id, "it has no coordinates, so no weather", remedy=remedy)
    return points


@dataclass(frozen=True, slots=True)
class _AtPoints:
    """What all four have in common: a site's weather points."""

    context: Context
    clients: Clients

    def sites(self) -> Sequence[Site]:
        """Return the site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return a channel per weather point and variable."""
        return tuple(weather_channels(self.context.site, points_of(self.context.site)))


@dataclass(frozen=True, slots=True)
class OpenMeteoArchive(_AtPoints):
    """Observed weather; nobody knew it at the time, so it is for judging forecasts, not for making them."""

    @property
    def name(self) -> str:
        """The provider, the product and the site."""
        return f"open_meteo_archive:{self.context.site.id}"

    def probe(self, *, now: datetime) -> None:
        """Ask for one hour; raises as ``fetch``."""
        self.fetch(Window(now - 10 * DAY, now - 10 * DAY + HOUR), now=now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the observations of the window; see ``core.ports.Source``."""
        dates = _dates(window, earliest=None, latest=now)
        if dates is None:
            return deliver(self.name, window, now=now, watched_from=watched_from)
        rows = _hourly(self.clients.archive, "/v1/archive", self.context.site, list(HOURLY), dates)
        readings = rows.select("channel", "time", "value", (pl.col("time") + HOUR + ARCHIVE_LAG).alias("published"))
        return deliver(self.name, window, readings=without_unpublished(readings), now=now, watched_from=watched_from)


@dataclass(frozen=True, slots=True)
class OpenMeteoForecast(_AtPoints):
    """The weather forecast as it is now.

    The answer mixes the newest runs and does not say which, so ``issued_at`` is the asking, floored to three hours.
    """

    weather_model: str | None = None

    @property
    def name(self) -> str:
        """The provider, the product and the site."""
        return f"open_meteo_forecast:{self.context.site.id}"

    def probe(self, *, now: datetime) -> None:
        """Ask for one day; raises as ``fetch``."""
        self.fetch(Window(now, now + HOUR), now=now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:  # noqa: ARG002 - what is read now is always observed
        """Return the forecast of the window's hours that are still to come; see ``core.ports.Source``."""
        issued_at = _floor(now, ISSUE_STEP)
        if window.end <= issued_at:
            return deliver(self.name, window, now=now, watched_from=now)
        ahead = Window(max(window.start, issued_at), window.end)
        dates = _dates(ahead, earliest=now - DAYS_BACK * DAY, latest=now + DAYS_AHEAD * DAY)
        if dates is None:
            return deliver(self.name, window, now=now, watched_from=now)
        rows = _hourly(
            self.clients.forecast, "/v1/forecast", self.context.site, list(HOURLY), dates, self.weather_model
        )
        forecasts = _forecasts(rows, pl.lit(issued_at), pl.lit(now), self.weather_model)
        return deliver(self.name, ahead, forecasts=forecasts, now=now, watched_from=now)


@dataclass(frozen=True, slots=True)
class OpenMeteoPreviousRuns(_AtPoints):
    """What was forecast one, two, ... days before each hour: weather a backtest may use.

    ``_previous_dayN`` holds the last run made at least N days before the hour. Which run that was is not told, so it
    is taken to be no earlier than that: ``issued_at`` is N days before the hour, ``available_at`` five hours later.
    """

    days: tuple[int, ...] = (1, 2)
    weather_model: str | None = None

    @property
    def name(self) -> str:
        """The provider, the product and the site."""
        return f"open_meteo_previous_runs:{self.context.site.id}"

    def probe(self, *, now: datetime) -> None:
        """Ask for one day; raises as ``fetch``."""
        self.fetch(Window(now - 3 * DAY, now - 3 * DAY + HOUR), now=now)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return what was forecast of the window's hours; see ``core.ports.Source``."""
        dates = _dates(window, earliest=FIRST_PREVIOUS_RUN, latest=now + DAYS_AHEAD * DAY)
        if dates is None:
            return deliver(self.name, window, now=now, watched_from=watched_from)
        wanted = [f"{variable}_previous_day{days}" for days in self.days for variable in HOURLY]
        rows = _hourly(self.clients.previous_runs, "/v1/forecast", self.context.site, wanted, dates, self.weather_model)
        issued_at = pl.col("stamp") - pl.duration(days="days_before")
        forecasts = _forecasts(rows, issued_at, issued_at + RUN_DELAY, self.weather_model)
        is_out = pl.col("published") <= pl.lit(now)
        return deliver(self.name, window, forecasts=forecasts.filter(is_out), now=now, watched_from=watched_from)


@dataclass(frozen=True, slots=True)
class OpenMeteoSingleRuns(_AtPoints):
    """Whole runs of one weather model by their init time, the most exact record of what was forecast when."""

    weather_model: str = "gfs_global"
    run_hours: tuple[int, ...] = (0,)  # of the day, UTC
    longest_lead: timedelta = 3 * DAY

    @property
    def name(self) -> str:
        """The provider, the product, its model and the site."""
        return f"open_meteo_{self.weather_model}_runs:{self.context.site.id}"

    def probe(self, *, now: datetime) -> None:
        """Ask for one run; raises as ``fetch``."""
        start = _floor(now, DAY) - DAY
        self._run(start, Window(start, start + HOUR))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return every run that speaks of the window; a run that was never kept is left out."""
        parts = [pl.DataFrame(schema=PARSED_FORECASTS)]
        for run in self._runs(window, now):
            span = Window(max(window.start, run), min(window.end, run + self.longest_lead))
            try:
                rows = self._run(run, span)
            except SourceRejected as error:
                if "run is not available" in error.problem:
                    continue
                raise
            inside = pl.col("time").is_between(pl.lit(span.start), pl.lit(span.end), closed="left")
            issued = pl.lit(run)
            parts.append(_forecasts(rows.filter(inside), issued, issued + RUN_DELAY, self.weather_model))
        return deliver(self.name, window, forecasts=pl.concat(parts), now=now, watched_from=watched_from)

    def _run(self, run: datetime, span: Window) -> pl.DataFrame:
        days = math.ceil((span.end + HOUR - run) / DAY)
        extra = [("run", f"{run:%Y-%m-%dT%H:%M}"), ("forecast_days", str(days))]
        return _hourly(
            self.clients.single_runs, "/v1/forecast", self.context.site, list(HOURLY), extra, self.weather_model
        )

    def _runs(self, window: Window, now: datetime) -> Iterator[datetime]:
        day = _floor(window.start - self.longest_lead, DAY)
        while day < window.end:
            for hour in self.run_hours:
                run = day + hour * HOUR
                if window.start - self.longest_lead < run < window.end and run + RUN_DELAY <= now:
                    yield run
            day += DAY


def parse_hourly(answer: object, site: Site) -> pl.DataFrame:
    """Turn an answer into rows ``channel, time, stamp, days_before, value``; null where the model has no value.

    ``stamp`` is Open-Meteo's time, ``time`` the start of the hour the value speaks of, ``days_before`` the N of
    ``_previous_dayN``, else zero. One point is answered by an object, several by a list in the order asked.

    Raises:
        PayloadChanged: the answer has an unexpected format, unit or time zone.
    """
    answers = answer if isinstance(answer, list) else [answer]
    points = points_of(site)
    if len(answers) != len(points):
        raise PayloadChanged("open_meteo", f"{len(points)} points were asked, {len(answers)} answered", remedy=_REPORT)
    parts = [
        part
        for point, one in zip(points, answers, strict=True)
        for part in _parse_point(one, f"{site.prefix}.weather.{point.id}")
    ]
    return pl.concat(parts)


def _parse_point(answer: object, prefix: str) -> Iterator[pl.DataFrame]:
    hourly = answer.get("hourly") if isinstance(answer, dict) else None
    units = answer.get("hourly_units") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(hourly, dict) or not isinstance(units, dict):
        raise PayloadChanged("open_meteo", "the answer holds no hourly values", remedy=_REPORT)
    if answer.get("utc_offset_seconds", 0) != 0:
        raise PayloadChanged("open_meteo", "times are not in UTC, as was asked", remedy=_REPORT)
    yield pl.DataFrame(schema=_ROWS)
    for name, values in hourly.items():
        if name == "time":
            continue
        variable, _, days = name.partition("_previous_day")
        if variable not in HOURLY:
            continue  # more than was asked for
        wanted = HOURLY[variable][1]
        factor, offset = _factor(name, units.get(name), wanted, values)
        try:
            column = pl.DataFrame({"stamp": hourly["time"], "value": values}, schema_overrides={"value": pl.Float64})
            stamps = column["stamp"].str.to_datetime("%Y-%m-%dT%H:%M", time_unit="us", time_zone="UTC")
        except (pl.exceptions.PolarsError, TypeError, KeyError) as error:
            raise PayloadChanged("open_meteo", f"{name} cannot be read", remedy=_REPORT) from error
        shift = HOUR if variable in _PRECEDING_HOUR else timedelta(0)
        yield column.select(
            pl.lit(f"{prefix}.{variable}").alias("channel"),
            (stamps - shift).alias("time"),
            stamps.alias("stamp"),
            pl.lit(int(days or 0), pl.Int64).alias("days_before"),
            pl.col("value") * factor + offset,
        )


def _factor(name: str, unit: object, wanted: Unit, values: object) -> tuple[float, float]:
    if isinstance(values, list) and all(value is None for value in values):
        return 1.0, 0.0  # a variable the model lacks has no unit either ("undefined")
    try:
        return conversion(_UNITS[str(unit)], wanted)
    except (KeyError, ValueError):
        raise PayloadChanged("open_meteo", f"{name} is in {unit}, not in {wanted}", remedy=_REPORT) from None


def _hourly(
    client: HttpClient,
    path: str,
    site: Site,
    variables: Sequence[str],
    span: Sequence[tuple[str, str]],
    weather_model: str | None = None,
) -> pl.DataFrame:
    points = points_of(site)
    params = [
        ("latitude", ",".join(f"{point.latitude}" for point in points)),
        ("longitude", ",".join(f"{point.longitude}" for point in points)),
        ("hourly", ",".join(variables)),
        ("wind_speed_unit", "ms"),
        ("timezone", "GMT"),
        *span,
    ]
    if weather_model is not None:
        params.append(("models", weather_model))
    cost = len(points) * max(1.0, len(variables) / 10) * max(1.0, _days(span) / 14)
    try:
        return parse_hourly(client.get_json(path, params, cost=cost), site)
    except SourceRejected as error:
        offered = _offered(span, error.problem)
        if offered is None:
            raise
        return _hourly(client, path, site, variables, offered, weather_model) if offered else pl.DataFrame(schema=_ROWS)


def _forecasts(rows: pl.DataFrame, issued_at: pl.Expr, published: pl.Expr, weather_model: str | None) -> pl.DataFrame:
    return rows.filter(pl.col("value").is_not_null()).select(
        "channel",
        "time",
        "value",
        published.cast(INSTANT).alias("published"),
        issued_at.cast(INSTANT).alias("issued_at"),
        pl.lit(weather_model or MODEL).alias("model"),
    )


def _dates(window: Window, *, earliest: datetime | None, latest: datetime) -> list[tuple[str, str]] | None:
    """Return the days to ask for, the hour after the window included; None if the provider has none of them."""
    start = window.start if earliest is None else max(window.start, earliest)
    end = min(window.end + HOUR, latest.astimezone(UTC))
    if end < start:
        return None
    return [("start_date", f"{start:%Y-%m-%d}"), ("end_date", f"{end:%Y-%m-%d}")]


def _offered(span: Sequence[tuple[str, str]], reason: str) -> list[tuple[str, str]] | None:
    """Return the part of the days that a refusal says is offered: empty if none is, None if it says nothing new."""
    said = re.search(r"out of allowed range from (\d{4}-\d\d-\d\d) to (\d{4}-\d\d-\d\d)", reason)
    asked = dict(span)
    if said is None or "start_date" not in asked:
        return None
    start, end = max(asked["start_date"], said[1]), min(asked["end_date"], said[2])
    if start > end:
        return []
    offered = [("start_date", start), ("end_date", end)]
    return None if offered == list(span) else offered


def _days(span: Sequence[tuple[str, str]]) -> int:
    said = dict(span)
    if "start_date" not in said:
        return int(said["forecast_days"])
    return (datetime.fromisoformat(said["end_date"]) - datetime.fromisoformat(said["start_date"])).days + 1


def _wait(_status: int, reason: str) -> float | None:
    return next((seconds for word, seconds in _LIMITS.items() if word in reason.lower()), None)


def _floor(instant: datetime, step: timedelta) -> datetime:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (instant - epoch) // step * step
