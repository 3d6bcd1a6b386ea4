"""The catalogue is the wiring: what is asked of a site follows from the cards alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from fakes.eia import KEY
from fakes.regions import region
from pydantic import SecretStr

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput, NotConfigured
from watthour.core.forecast import Context
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR
from watthour.simulation.simtown import SIMTOWN
from watthour.sources.catalogue import CATALOGUE, option_blocks, options_class
from watthour.sources.connectors import Connectors, ConnectorSites
from watthour.sources.eia import Eia, EiaOptions
from watthour.sources.elia import contexts
from watthour.sources.options import Options

(BELGIUM,) = contexts()
WITH_KEY = {"eia": EiaOptions(api_key=SecretStr(KEY))}


def names(connectors: Connectors, context: Context) -> list[str]:
    return [source.name for source in connectors.followed(context)]


def test_a_region_is_asked_for_by_every_source_that_serves_it() -> None:
    connectors = Connectors(WITH_KEY)
    assert names(connectors, region("ny")) == ["eia:ny", "eia_fuel_mix:ny", "open_meteo_forecast:ny", "nyiso:ny"]
    assert names(connectors, region("pjm")) == ["eia:pjm", "eia_fuel_mix:pjm", "open_meteo_forecast:pjm"]
    elia = ["elia:be", "elia_generation:be", "elia_wind_solar:be", "elia_carbon:be"]
    assert names(connectors, BELGIUM) == [*elia, "open_meteo_forecast:be"]
    past = [source.name for source in connectors.past(region("ny"))]
    assert past == ["eia:ny", "eia_fuel_mix:ny", "open_meteo_previous_runs:ny"]


def test_a_simulated_site_is_served_by_no_provider() -> None:
    assert names(Connectors(WITH_KEY), SIMTOWN) == []


def test_a_home_has_the_weather_of_its_place_and_no_load_by_itself() -> None:
    site = Site("main", "Home", SiteKind.HOME, Place("Europe/Brussels", 50.0, 4.0))
    home = Context(site, Channel("home.main.power", "main", Quantity.POWER, Unit.KW, HOUR))
    assert names(Connectors({}), home) == ["open_meteo_forecast:main"]
    assert not Connectors({}).can_follow(home)
    nowhere = replace(home, site=replace(site, place=Place("Europe/Brussels")))
    assert names(Connectors({}), nowhere) == []


def test_a_missing_key_is_said_and_nothing_is_followed_without_it() -> None:
    connectors = Connectors({})
    assert not connectors.can_follow(region("ny"))
    assert connectors.can_follow(BELGIUM)
    assert isinstance(connectors.lacks("eia"), NotConfigured)
    assert connectors.lacks("elia") is None
    with pytest.raises(NotConfigured, match="EIA_API_KEY"):
        connectors.followed(region("ny"))


def test_a_provider_that_is_switched_off_is_not_asked() -> None:
    off = {**WITH_KEY, "nyiso": options_class(CATALOGUE["nyiso"])(enabled=False)}
    assert "nyiso:ny" not in names(Connectors(off), region("ny"))
    assert not Connectors({"elia": options_class(CATALOGUE["elia"])(enabled=False)}).can_follow(BELGIUM)


def test_all_regions_and_routes_of_a_provider_share_one_client_and_so_one_rate_limit() -> None:
    connectors = Connectors(WITH_KEY)
    sources = [*connectors.followed(region("ny")), *connectors.followed(region("pjm"))]
    clients = {id(source.client) for source in sources if isinstance(source, Eia)}
    assert len(clients) == 1
    assert connectors.http_clients("eia") == connectors.http_clients("eia_fuel_mix")
    assert len(connectors.http_clients("open_meteo_forecast")) == 4


def test_a_source_by_name_is_built_and_one_the_site_has_not_names_those_it_has() -> None:
    connectors = Connectors({})
    (source,) = connectors.past(BELGIUM, "open_meteo_archive")
    assert source.name == "open_meteo_archive:be"
    with pytest.raises(InvalidInput, match=r"elia, elia_generation, .*open_meteo_forecast"):
        connectors.past(BELGIUM, "nyiso")


def test_sites_of_connectors_go_by_any_of_their_names() -> None:
    sites = ConnectorSites()
    for name in ("be", "Belgium", "ELIA", " BE ", "10YBE----------2"):
        assert sites.find(name) == BELGIUM
    assert sites.find("ny") is None
    assert list(sites.near("belgum")) == ["be"]
    assert BELGIUM in sites.contexts()


def test_sites_of_connectors_take_no_name_of_a_region() -> None:
    from watthour.grid.regions import Regions

    for context in ConnectorSites().contexts():
        for name in (context.site.id, context.site.name, str(context.site.operator), str(context.site.zone)):
            assert Regions().find(name) is None


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_card_keeps_what_it_says(name: str) -> None:
    card = CATALOGUE[name]
    assert issubclass(options_class(card), Options)
    assert option_blocks()[card.block].options == card.options
    assert card.is_followed or not card.brings_load
    assert all(context.site.code(name) is not None for context in ConnectorSites({name: card}).contexts())


def test_reading_the_catalogue_imports_no_connector_and_nothing_slow() -> None:
    program = (
        "import sys, watthour.sources.connectors\n"
        "slow = {'polars', 'pydantic', 'httpx2', 'watthour.sources.eia'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
