"""What supplies Belgium: generation by fuel, forecasts of wind and sun, and CO2 intensity, from Elia Open Data.

Source: https://opendata.elia.be, datasets ods201 (generation), ods031 and ods086 (wind), ods032 and ods087 (sun) and
ods192 (CO2). Quarter-hours, CO2 by the hour, named by their *start*; powers are means in MW.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.ahead import ahead_channel
from watthour.core.carbon import Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.channel import Channel, beside_load_limits
from watthour.core.frames import INSTANT, OPERATOR
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.sources.delivery import (
    PARSED_FORECASTS,
    PARSED_REFUSED,
    deliver,
    eve_of,
    local_instant,
    split_unreadable,
    without_unpublished,
)
from watthour.sources.elia_rows import INSTANTS, QUARTER, RESOLUTION, ask, checked_rows, datasets
from watthour.sources.production_types import TYPES, word_of_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.sources.http import HttpClient

GENERATION, CARBON = "ods201", "ods192"
WIND, SUN = ("ods031", "ods086"), ("ods032", "ods087")  # history, near real time
GENERATION_LAG = HOUR
CARBON_LAG = DAY  # the rows of an evening were there the next day
POSTED_AFTER = timedelta(minutes=30)
# Field -> clock time of issue, local, on the day before. Until then the datasets of the days to come show the latest
# forecast in its place. `mostrecentforecast` is overwritten until its time has passed: no forecast as issued.
ISSUES = {"dayahead11hforecast": time(11), "dayaheadforecast": time(18)}
WHOLE_COUNTRY = "Belgium"  # a row that holds the sum of the others; of the sun its provinces overlap as well
_OFFSHORE = {"Offshore": "wind_offshore", "Onshore": "wind_onshore"}
_SUN_WORD = "solar"
_SIDES = {"production": Side.PRODUCTION, "consumption": Side.CONSUMPTION}
_WORDS = (*_OFFSHORE.values(), _SUN_WORD)


@dataclass(frozen=True, slots=True)
class EliaGeneration:
    """Belgium's generation by fuel; what a storage takes is negative."""

    context: Context
    client: HttpClient
    _unknown_types: set[str] = field(default_factory=set, repr=False, compare=False)  # met while asking

    @property
    def name(self) -> str:
        """The provider, the series and the site."""
        return f"elia_generation:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return Belgium."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return a channel per type of plants, those included that were added since and that were met."""
        return tuple(self._channel(word) for word in (*(each.word for each in TYPES), *sorted(self._unknown_types)))

    def _channel(self, word: str) -> Channel:
        site = self.context.site
        limits = beside_load_limits(self.context.channel.limits)
        name = f"{site.prefix}.generation.{word}"
        return Channel(name, site.id, Quantity.POWER, Unit.MW, QUARTER, is_simulated=site.is_simulated, limits=limits)

    def probe(self, *, now: datetime) -> None:
        """Ask for some hours; raises as ``fetch``."""
        ask(self.client, GENERATION, Window(now - 4 * HOUR, now))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the generation of the window; see ``core.ports.Source``."""
        readings, refused = parse_generation(ask(self.client, GENERATION, window), self.context.site)
        self._unknown_types.update(
            set(readings["channel"].str.split(".").list.last().unique()) - {each.word for each in TYPES}
        )
        return deliver(self.name, window, readings=readings, refused=refused, now=now, watched_from=watched_from)


@dataclass(frozen=True, slots=True)
class EliaWindSolar:
    """What Elia forecasts of wind and sun in Belgium for the day ahead, before the auction and after it."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider, the series and the site."""
        return f"elia_wind_solar:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return Belgium."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return one channel per kind of plant, known ahead."""
        return tuple(ahead_channel(self.context, word, QUARTER) for word in _WORDS)

    def probe(self, *, now: datetime) -> None:
        """Ask for some hours; raises as ``fetch``."""
        ask(self.client, SUN[1], Window(now - 2 * HOUR, now))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the forecasts of the window; see ``core.ports.Source``."""
        parts = [
            parse_wind_solar(ask(self.client, name, window), name, self.context, now=now)
            for history, recent in (WIND, SUN)
            for name in datasets(window, now, history=history, recent=recent)
        ]
        forecasts = pl.concat([part for part, _refused in parts])
        forecasts = forecasts.unique(["channel", "time", "issued_at"], keep="first", maintain_order=True)
        refused = pl.concat([part for _forecasts, part in parts])
        return deliver(self.name, window, forecasts=forecasts, refused=refused, now=now, watched_from=watched_from)


@dataclass(frozen=True, slots=True)
class EliaCarbon:
    """Elia's CO2 intensity of what Belgium produces and, imports included, of what it uses."""

    context: Context
    client: HttpClient

    @property
    def name(self) -> str:
        """The provider, the series and the site."""
        return f"elia_carbon:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return Belgium."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return both intensities."""
        return tuple(_intensity(self.context.site, side) for side in _SIDES.values())

    def probe(self, *, now: datetime) -> None:
        """Ask for two days; raises as ``fetch``."""
        ask(self.client, CARBON, Window(now - 2 * DAY, now))

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the intensities of the window; see ``core.ports.Source``."""
        readings, refused = parse_carbon(ask(self.client, CARBON, window), self.context.site)
        return deliver(self.name, window, readings=readings, refused=refused, now=now, watched_from=watched_from)


def parse_generation(answer: object, site: Site) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the rows of ods201 into readings and refused rows; a type that is told in parts is their sum.

    Raises:
        SourceRejected: the answer is an error.
        PayloadChanged: the answer has an unexpected format.
    """
    rows = checked_rows(answer, GENERATION, {"datetime", "resolutioncode", "fueltypeentsoe", "generatedpower"})
    names = [str(row["fueltypeentsoe"]) for row in rows]
    channels = [f"{site.prefix}.generation.{word_of_name(name)}" for name in names]
    table = _table(rows, "generatedpower").with_columns(channel=pl.Series(channels, dtype=pl.String))
    good, refused = split_unreadable(table, _of_quarters(pl.Series([row["resolutioncode"] for row in rows])))
    whole = _sums(good, ["channel", "time"])
    published = (pl.col("time") + QUARTER + GENERATION_LAG).alias("published")
    return without_unpublished(whole.select("channel", "time", "value", published)), refused


def parse_wind_solar(
    answer: object, name: str, context: Context, *, now: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the rows of a dataset into forecasts and refused rows.

    Wind is told by region and by kind of connection, and is the sum of all that are told on the day; the sun is told
    of the whole country as well. A forecast counts only once it has been issued.

    Raises:
        SourceRejected: the answer is an error.
        PayloadChanged: the answer has an unexpected format.
    """
    is_wind = name in WIND
    needed = {"datetime", "resolutioncode", "region", *ISSUES, *(["offshoreonshore"] if is_wind else [])}
    rows = checked_rows(answer, name, needed)
    rows = [row for row in rows if (row["region"] == WHOLE_COUNTRY) != is_wind]
    words = [_OFFSHORE.get(str(row["offshoreonshore"]), "") if is_wind else _SUN_WORD for row in rows]
    ids = {word: ahead_channel(context, word, QUARTER).id for word in _WORDS}
    found: list[pl.DataFrame] = [pl.DataFrame(schema=PARSED_FORECASTS)]
    refused = [pl.DataFrame(schema=PARSED_REFUSED)]
    for said, clock in ISSUES.items():
        table = _table(rows, said).with_columns(
            channel=pl.Series([ids.get(word) for word in words], dtype=pl.String), field=pl.lit(said)
        )
        rules = _of_quarters(pl.Series([row["resolutioncode"] for row in rows]))
        rules["is_offshore_or_onshore"] = pl.col("channel").is_null()
        good, bad = split_unreadable(table, rules)
        zone = context.time_zone
        issued_at = local_instant(eve_of(pl.col("time"), zone), clock, zone).cast(INSTANT)
        parts = pl.len().over("channel", "time")
        day = pl.col("time").dt.convert_time_zone(zone).dt.date()
        whole = good.filter(parts == parts.max().over("channel", day))  # a region that is left out would be no wind
        sums = _sums(whole, ["channel", "time"]).drop_nulls("value").with_columns(issued_at=issued_at)
        sums = sums.filter(pl.col("issued_at") + POSTED_AFTER <= pl.lit(now))
        published = (pl.col("issued_at") + POSTED_AFTER).alias("published")
        found.append(sums.select("channel", "time", "value", published, "issued_at", model=pl.lit(OPERATOR)))
        refused.append(bad)
    return pl.concat(found), pl.concat(refused).unique(maintain_order=True)


def parse_carbon(answer: object, site: Site) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn the rows of ods192 into readings and refused rows.

    Raises:
        SourceRejected: the answer is an error.
        PayloadChanged: the answer has an unexpected format.
    """
    rows = checked_rows(answer, CARBON, {"datetime", *_SIDES})
    tables = [
        _table(rows, said).with_columns(channel=pl.lit(_intensity(site, side).id)) for said, side in _SIDES.items()
    ]
    is_no_hour = pl.col("time") != pl.col("time").dt.truncate("1h")
    good, refused = split_unreadable(pl.concat(tables), {"time_is_an_hour": is_no_hour.fill_null(value=False)})
    known = good.unique(["channel", "time"], keep="last", maintain_order=True)
    published = (pl.col("time") + HOUR + CARBON_LAG).alias("published")
    return without_unpublished(known.select("channel", "time", "value", published)), refused


def _intensity(site: Site, side: Side) -> Channel:
    return carbon_channel(site, "elia", CarbonKind(Basis.AVERAGE, Scope.DIRECT, side), HOUR)


def _table(rows: Sequence[Mapping[str, object]], said: str) -> pl.DataFrame:
    """Return one row per row of an answer, with one of its fields, as ``split_unreadable`` takes it."""
    columns = {
        "said": [str(row["datetime"]) for row in rows],
        "raw": [None if row[said] is None else str(row[said]) for row in rows],
        "row": [json.dumps(row) for row in rows],
    }
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(time=INSTANTS)


def _of_quarters(resolutions: pl.Series) -> dict[str, pl.Expr]:
    """Return the rules that a row of a quarter-hour keeps."""
    return {
        "resolution_is_a_quarter_hour": pl.lit(resolutions.cast(pl.String) != RESOLUTION),
        "time_is_a_quarter_hour": (pl.col("time") != pl.col("time").dt.truncate("15m")).fill_null(value=False),
    }


def _sums(rows: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return the sums of parts; where one is missing the sum is."""
    is_whole = pl.col("value").is_not_null().all()
    total = pl.when(is_whole).then(pl.col("value").sum()).alias("value")
    return rows.group_by(key, maintain_order=True).agg(total)
