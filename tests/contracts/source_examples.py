"""One example of each connector, with a provider that answers: what the contract suite asks of all of them.

A new connector adds one function and one line to ``EXAMPLES``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from fakes.eia import KEY, eia_rows, fake_eia
from fakes.electricity_maps import KEY as MAPS_KEY
from fakes.electricity_maps import ElectricityMaps, fake_electricity_maps
from fakes.elia import fake_elia
from fakes.entsoe import TOKEN, Platform, fake_entsoe
from fakes.files import fake_files
from fakes.open_meteo import fake_open_meteo
from fakes.prices import fake_awattar, fake_energyzero, fake_octopus
from fakes.regions import region
from fakes.server import Answer, Request, as_json, serve
from fakes.uk_carbon import UkCarbon, fake_uk_carbon
from fakes.watttime import PASSWORD, USER, Watttime, fake_watttime
from pydantic import SecretStr

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.weather import HOURLY
from watthour.core.window import HOUR, Window, local_day
from watthour.grid.regions import Regions
from watthour.grid.zones import BiddingZones
from watthour.sources import (
    _template,
    eia,
    eia_bulk,
    electricity_maps,
    elia,
    entsoe,
    nyiso,
    nyiso_files,
    open_meteo,
    uk_carbon,
    watttime,
)
from watthour.sources.csv import CsvSource, Mapping
from watthour.sources.datasets import recognise
from watthour.sources.http import RateLimit, RetryPolicy
from watthour.sources.prices import awattar, energyzero, nyiso_prices, octopus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from fakes.server import FakeServer

    from watthour.core.ports import Source
    from watthour.sources.http import HttpClient

RECORDED = Path(__file__).parents[1] / "recorded"
MIDNIGHT = datetime(2024, 7, 20, tzinfo=UTC)
WINDOW = Window(MIDNIGHT + 5 * HOUR, MIDNIGHT + 15 * HOUR)  # the providers have more, before and after
NOW = datetime(2024, 8, 1, 12, 30, tzinfo=UTC)
_REGION = region("ny")
NEW_YORK = replace(_REGION, site=replace(_REGION.site, points=_REGION.site.points[:2]))
HOME = Site("main", "Home", SiteKind.HOME, Place("America/New_York"))
METER = Channel("home.main.energy", "main", Quantity.ENERGY, Unit.KWH, HOUR)
_QUICK = RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.01)

_FAST = RateLimit(1e9)


@dataclass(frozen=True, slots=True)
class Example:
    """A connector, a window it has rows of, and when it is asked."""

    source: Source
    window: Window = WINDOW
    now: datetime = NOW
    server: FakeServer | None = None  # none for files at hand
    is_always_observed: bool = False  # reads what is said now, so nothing about its time is assumed


def _hours() -> pl.Series:
    ends = pl.datetime_range(MIDNIGHT, MIDNIGHT + 48 * HOUR, "1h", time_zone="UTC", time_unit="us", eager=True)
    return ends.alias("period")


def _demand() -> pl.DataFrame:
    count = pl.int_range(len(_hours()), eager=True).cast(pl.Float64)
    return pl.DataFrame({"period": _hours(), "demand_mwh": 18_000 + count, "day_ahead_forecast_mwh": 17_900 + count})


def _weather() -> pl.DataFrame:
    return pl.DataFrame({"stamp": _hours(), **dict.fromkeys(HOURLY, pl.Series([20.0] * len(_hours())))})


@contextmanager
def _eia(_folder: Path) -> Iterator[Example]:
    with fake_eia(eia_rows(_demand(), "NYIS")) as server:
        options = eia.EiaOptions(api_key=SecretStr(KEY), url=server.base_url)
        client = eia.open_client(options, rate_limit=_FAST, retry=_QUICK)
        yield Example(eia.Eia(NEW_YORK, client), server=server)


@contextmanager
def _eia_fuel_mix(_folder: Path) -> Iterator[Example]:
    demand = eia_rows(_demand(), "NYIS")
    mix = demand.with_columns(code=pl.col("code").replace({"D": "NG", "DF": "NEW"}))
    with fake_eia(demand, fuel_rows=mix) as server:
        options = eia.EiaOptions(api_key=SecretStr(KEY), url=server.base_url)
        client = eia.open_client(options, rate_limit=_FAST, retry=_QUICK)
        yield Example(eia.EiaFuelMix(NEW_YORK, client), server=server)


@contextmanager
def _eia_bulk(_folder: Path) -> Iterator[Example]:
    file = RECORDED / "EIA930_BALANCE_2020_Jul_Dec.csv"
    first = datetime(2020, 7, 1, 5, tzinfo=UTC)
    with fake_files({file.name: file.read_bytes()}) as server:
        options = eia_bulk.EiaBulkOptions(url=server.base_url)
        client = eia_bulk.open_client(options, rate_limit=_FAST, retry=_QUICK)
        source = eia_bulk.EiaBulk(region("AEC"), client)
        yield Example(source, Window(first, first + 2 * HOUR), server=server)


def _open_meteo(
    build: Callable[[open_meteo.Clients], Source], now: datetime = NOW, *, is_always_observed: bool = False
) -> Callable[[Path], AbstractContextManager[Example]]:
    @contextmanager
    def example(_folder: Path) -> Iterator[Example]:
        runs = pl.concat([_weather().with_columns(run=pl.lit(MIDNIGHT - timedelta(days=days))) for days in range(4)])
        with fake_open_meteo(_weather(), runs=runs, now=now) as server:
            options = open_meteo.OpenMeteoOptions(url=server.base_url)
            clients = open_meteo.open_client(options, rate_limit=_FAST, retry=_QUICK)
            yield Example(build(clients), now=now, server=server, is_always_observed=is_always_observed)

    return example


@contextmanager
def _nyiso(_folder: Path) -> Iterator[Example]:
    file = RECORDED / "nyiso_isolf_20250219.csv"
    with fake_files({"20250219isolf.csv": file.read_bytes()}) as server:
        options = nyiso.NyisoOptions(url=server.base_url)
        source = nyiso.Nyiso(NEW_YORK, nyiso.open_client(options, rate_limit=_FAST, retry=_QUICK))
        day = local_day(date(2025, 2, 19), nyiso_files.TIME_ZONE)
        yield Example(source, Window(day.start, day.start + HOUR), datetime(2025, 2, 20, 15, tzinfo=UTC), server)


def _elia(build: Callable[[Context, HttpClient], Source]) -> Callable[[Path], AbstractContextManager[Example]]:
    @contextmanager
    def example(_folder: Path) -> Iterator[Example]:
        with fake_elia(MIDNIGHT, MIDNIGHT + 48 * HOUR, now=NOW) as server:
            client = elia.open_client(elia.EliaOptions(url=server.base_url), rate_limit=_FAST, retry=_QUICK)
            (belgium,) = elia.contexts()
            yield Example(build(belgium, client), server=server)

    return example


def _entsoe(build: Callable[[Context, HttpClient], Source]) -> Callable[[Path], AbstractContextManager[Example]]:
    @contextmanager
    def example(_folder: Path) -> Iterator[Example]:
        with fake_entsoe(Platform(MIDNIGHT, MIDNIGHT + 48 * HOUR, NOW)) as server:
            options = entsoe.EntsoeOptions(api_key=SecretStr(TOKEN), url=server.base_url)
            france = BiddingZones().find("France")
            assert france is not None
            yield Example(build(france, entsoe.open_client(options, rate_limit=_FAST, retry=_QUICK)), server=server)

    return example


@contextmanager
def _watttime(_folder: Path) -> Iterator[Example]:
    with fake_watttime(Watttime(NOW)) as server:
        options = watttime.WatttimeOptions(username=SecretStr(USER), password=SecretStr(PASSWORD), url=server.base_url)
        client = watttime.open_client(options, rate_limit=_FAST, retry=_QUICK)
        yield Example(watttime.Watttime(NEW_YORK, client), server=server)


@contextmanager
def _uk_carbon(_folder: Path) -> Iterator[Example]:
    with fake_uk_carbon(UkCarbon(NOW)) as server:
        client = uk_carbon.open_client(uk_carbon.UkCarbonOptions(url=server.base_url), rate_limit=_FAST, retry=_QUICK)
        yield Example(uk_carbon.UkCarbon(uk_carbon.contexts()[0], client), server=server)


@contextmanager
def _uk_carbon_regional(_folder: Path) -> Iterator[Example]:
    with fake_uk_carbon(UkCarbon(NOW)) as server:
        client = uk_carbon.open_client(uk_carbon.UkCarbonOptions(url=server.base_url), rate_limit=_FAST, retry=_QUICK)
        yield Example(
            uk_carbon.UkCarbonRegional(uk_carbon.contexts()[1], client), Window(NOW, NOW + 10 * HOUR), server=server
        )


@contextmanager
def _electricity_maps(_folder: Path) -> Iterator[Example]:
    with fake_electricity_maps(ElectricityMaps(NOW)) as server:
        options = electricity_maps.ElectricityMapsOptions(api_key=SecretStr(MAPS_KEY), url=server.base_url)
        client = electricity_maps.open_client(options, rate_limit=_FAST, retry=_QUICK)
        yield Example(electricity_maps.ElectricityMaps(NEW_YORK, client), server=server)


@contextmanager
def _awattar(_folder: Path) -> Iterator[Example]:
    with fake_awattar(MIDNIGHT, MIDNIGHT + 48 * HOUR) as server:
        clients = awattar.open_client(awattar.AwattarOptions(url=server.base_url), rate_limit=_FAST, retry=_QUICK)
        germany, _austria = awattar.contexts()
        yield Example(awattar.Awattar(germany, clients), server=server)


@contextmanager
def _energyzero(_folder: Path) -> Iterator[Example]:
    with fake_energyzero(date(2024, 7, 31)) as server:
        options = energyzero.EnergyzeroOptions(url=server.base_url)
        (netherlands,) = energyzero.contexts()
        client = energyzero.open_client(options, rate_limit=_FAST, retry=_QUICK)
        yield Example(energyzero.Energyzero(netherlands, client), server=server)


@contextmanager
def _octopus(_folder: Path) -> Iterator[Example]:
    with fake_octopus(MIDNIGHT, MIDNIGHT + 48 * HOUR, most_rows=7) as server:
        client = octopus.open_client(octopus.OctopusOptions(url=server.base_url), rate_limit=_FAST, retry=_QUICK)
        london = next(each for each in octopus.contexts() if each.site.id == "octopus_c")
        yield Example(octopus.Octopus(london, client), server=server)


@contextmanager
def _nyiso_prices(_folder: Path) -> Iterator[Example]:
    file = RECORDED / "nyiso_damlbmp_20261101.csv"
    with fake_files({"20261101damlbmp_zone.csv": file.read_bytes()}) as server:
        options = nyiso_prices.NyisoPricesOptions(url=server.base_url)
        client = nyiso_prices.open_client(options, rate_limit=_FAST, retry=_QUICK)
        city = next(each for each in nyiso_prices.contexts() if each.site.id == "nyiso_prices_j")
        first = local_day(date(2026, 11, 1), "America/New_York").start
        window = Window(first, first + 10 * HOUR)
        yield Example(nyiso_prices.NyisoPrices(city, client), window, datetime(2026, 11, 2, 15, tzinfo=UTC), server)


@contextmanager
def _csv(folder: Path) -> Iterator[Example]:
    path = folder / "meter.csv"
    _demand().select(time="period", value=pl.col("demand_mwh") / 1e5).write_csv(path)
    yield Example(CsvSource(path, HOME, METER, Mapping(Unit.KWH, time_zone="UTC")))


@contextmanager
def _datasets(folder: Path) -> Iterator[Example]:
    path = folder / "ny_demand.parquet"
    _demand().write_parquet(path)
    (source,) = recognise(path, find=Regions().find)
    yield Example(source)


@contextmanager
def _template_example(_folder: Path) -> Iterator[Example]:
    def answer(request: Request) -> Answer:
        if request.headers.get("X-Api-Key") != KEY:
            return as_json({"message": "no such key"}, 401)
        rows = [{"ends": f"{end:%Y-%m-%dT%H:%MZ}", "kwh": 0.4} for end in _hours()]
        return as_json(
            {"readings": [row for row in rows if request.one("from") <= str(row["ends"]) <= request.one("to")]}
        )

    with serve(answer) as server:
        options = _template.TemplateOptions(api_key=SecretStr(KEY), url=server.base_url)
        client = _template.open_client(options, rate_limit=_FAST, retry=_QUICK)
        yield Example(_template.Template(Context(HOME, METER), client), server=server)


EXAMPLES: dict[str, Callable[[Path], AbstractContextManager[Example]]] = {
    "eia": _eia,
    "eia_fuel_mix": _eia_fuel_mix,
    "eia_bulk": _eia_bulk,
    "open_meteo_archive": _open_meteo(lambda clients: open_meteo.OpenMeteoArchive(NEW_YORK, clients)),
    "open_meteo_forecast": _open_meteo(
        lambda clients: open_meteo.OpenMeteoForecast(NEW_YORK, clients),
        MIDNIGHT + 6.5 * HOUR,
        is_always_observed=True,
    ),
    "open_meteo_previous_runs": _open_meteo(lambda clients: open_meteo.OpenMeteoPreviousRuns(NEW_YORK, clients)),
    "open_meteo_single_runs": _open_meteo(lambda clients: open_meteo.OpenMeteoSingleRuns(NEW_YORK, clients)),
    "elia": _elia(elia.Elia),
    "elia_generation": _elia(elia.EliaGeneration),
    "elia_wind_solar": _elia(elia.EliaWindSolar),
    "elia_carbon": _elia(elia.EliaCarbon),
    "entsoe": _entsoe(entsoe.Entsoe),
    "entsoe_generation": _entsoe(entsoe.EntsoeGeneration),
    "entsoe_wind_solar": _entsoe(entsoe.EntsoeWindSolar),
    "entsoe_prices": _entsoe(entsoe.EntsoePrices),
    "nyiso": _nyiso,
    "watttime": _watttime,
    "uk_carbon": _uk_carbon,
    "uk_carbon_regional": _uk_carbon_regional,
    "electricity_maps": _electricity_maps,
    "awattar": _awattar,
    "energyzero": _energyzero,
    "octopus": _octopus,
    "nyiso_prices": _nyiso_prices,
    "csv": _csv,
    "datasets": _datasets,
    "_template": _template_example,
}
