"""Sites and their contexts come from the store and the directories, by one function."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock

import pytest
from builders import demand_channel, demand_context, forecasts, readings, region_site, temperature_channel

from watthour.core.carbon import MIX, Scope, carbon_channel
from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.frames import Maker
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.grid.regions import Regions
from watthour.store.memory import MemoryStore
from watthour.workflows.carbon import production_kind
from watthour.workflows.sites import contexts, find_context

QUARTER = timedelta(minutes=15)
BELGIUM = Site("be", "Belgium", SiteKind.REGION, Place("Europe/Brussels"), main_channel="grid.be.demand")
LOAD = Channel("grid.be.demand", "be", Quantity.POWER, Unit.MW, QUARTER)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.register([region_site(), BELGIUM], [demand_channel(), temperature_channel(), LOAD])
    return store


def test_a_region_is_found_by_any_of_its_names_before_anything_is_known_of_it() -> None:
    for name in ("ny", "NYIS", "nyiso", "New York"):
        context = find_context(MemoryStore(), [Regions()], name)
        assert context.channel.id == "grid.ny.demand"
        assert context.rivals == ("operator",)


def test_a_stored_site_that_no_directory_knows_is_found_with_its_step(store: MemoryStore) -> None:
    for name in ("be", "Belgium", "grid.be.demand"):
        context = find_context(store, [Regions()], name)
        assert (context.site, context.channel, context.resolution) == (BELGIUM, LOAD, QUARTER)


def test_the_covariates_are_the_channels_of_the_site_that_say_so(store: MemoryStore) -> None:
    context = find_context(store, [Regions()], "ny")
    assert [covariate.channel for covariate in context.covariates] == [temperature_channel().id]
    assert find_context(store, [Regions()], "be").covariates == ()


def test_what_is_derived_from_other_channels_has_them_as_companions(store: MemoryStore) -> None:
    fuels = [replace(LOAD, id=f"grid.be.generation.{fuel}") for fuel in ("wind", "gas")]
    mix = carbon_channel(BELGIUM, MIX, production_kind(Scope.DIRECT), QUARTER)
    store.register([], [*fuels, mix])
    assert find_context(store, [], mix.id).companions == ("grid.be.generation.gas", "grid.be.generation.wind")
    assert find_context(store, [], "be").companions == ()


def test_whoever_else_has_forecast_a_channel_is_its_rival(store: MemoryStore) -> None:
    for model, maker in (("tso", Maker.RIVAL), ("day_process-1", Maker.OWN), ("seasonal_naive", Maker.BASELINE)):
        store.append_forecasts(forecasts(1.0, channel="grid.be.demand", model=model, maker=maker))
    assert find_context(store, [], "be").rivals == ("tso",)


def test_what_nobody_knows_is_refused_with_near_names(store: MemoryStore) -> None:
    with pytest.raises(UnknownSite, match="Did you mean be"):
        find_context(store, [Regions()], "bee")
    with pytest.raises(UnknownSite, match="`watthour site list`"):
        find_context(store, [Regions()], "france2")


def test_a_site_of_several_channels_without_a_main_one_is_asked_for_by_channel() -> None:
    store = MemoryStore()
    site = replace(BELGIUM, main_channel=None)
    store.register([site], [LOAD, replace(LOAD, id="grid.be.wind")])
    with pytest.raises(InvalidInput, match=r"grid\.be\.demand, grid\.be\.wind"):
        find_context(store, [], "be")
    assert find_context(store, [], "grid.be.wind").channel.id == "grid.be.wind"
    assert contexts(store, [], []) == []


def test_shown_is_what_has_readings_else_what_the_settings_name(store: MemoryStore) -> None:
    assert [each.site.id for each in contexts(store, [Regions()], ["pjm"])] == ["pjm"]
    store.append(readings(1.0))
    assert [each.site.id for each in contexts(store, [Regions()], ["pjm"])] == ["ny"]
    store.append(readings(1.0, channel="grid.be.demand"))
    assert [each.site.id for each in contexts(store, [Regions()], ["pjm", "ny"])] == ["ny", "be"]


def test_weights_of_points_sum_to_one_or_are_refused() -> None:
    lopsided = replace(demand_context(temperature_channel()).covariates[0], weight=0.7)
    with pytest.raises(InvalidInput, match=r"sum to 0\.7"):
        replace(demand_context(), covariates=(lopsided,))


def test_a_home_with_the_word_of_a_region_stays_a_home() -> None:
    store = MemoryStore()
    home = Site("ny", "ny", SiteKind.HOME, Place("Europe/Paris"), main_channel="home.ny.power")
    power = Channel("home.ny.power", "ny", Quantity.POWER, Unit.KW, QUARTER)
    store.register([home], [power])
    context = find_context(store, [Regions()], "home.ny.power")
    assert (context.site, context.channel) == (home, power)
    with pytest.raises(InvalidInput, match="kept as a home"):
        store.register([region_site()], [])


def test_many_sites_are_shown_without_asking_the_store_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    names = [f"home{n}" for n in range(30)]
    for name in names:
        channel = f"home.{name}.power"
        site = Site(name, name, SiteKind.HOME, Place("UTC"), main_channel=channel)
        store.register([site], [Channel(channel, name, Quantity.POWER, Unit.KW, QUARTER)])
        store.append(readings(1.0, channel=channel))
    channels = Mock(return_value=store.channels())
    monkeypatch.setattr(store, "channels", channels)
    assert len(contexts(store, [Regions()], [])) == len(names)
    assert channels.call_count == 1
