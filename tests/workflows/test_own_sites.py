"""A site of one's own is described once and kept with its whole place."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from builders import forecasts, readings, region_site

from watthour.core.channel import Limits, SiteKind
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.forecast import check_fits_clock
from watthour.core.names import id_for
from watthour.core.place import Point
from watthour.core.units import Quantity, Unit
from watthour.core.weather import weather_channels, weather_points
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.holiday_calendars import checked_calendar, likely_calendar
from watthour.grid.regions import Regions
from watthour.store.memory import MemoryStore
from watthour.workflows.kept_files import KeptFiles
from watthour.workflows.links import Link
from watthour.workflows.own_sites import (
    ChannelWords,
    SiteWords,
    add_site,
    change_site,
    channel_words,
    point_words,
    remove_site,
    settle_site,
)
from watthour.workflows.sites import find_context, site_named

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORIES = [Regions()]
HALF_HOUR = timedelta(minutes=30)
POWER = "home.maison_de_zoe.power"
HOME = SiteWords(
    "Maison de Zoé",
    "home",
    "Europe/Paris",
    latitude=48.85,
    longitude=2.35,
    holidays="fr",
    channels=[ChannelWords("power", "kw", HALF_HOUR)],
)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def bring_weather(store: MemoryStore, name: str) -> str:
    """Let a site's weather come in as its source brings it; return its first temperature channel."""
    site = site_named(store, name)
    channels = weather_channels(site, weather_points(site))
    store.register([site], channels)
    store.append_forecasts(forecasts(1.0, channel=channels[0].id, model="open_meteo"))
    return channels[0].id


def temperatures(store: MemoryStore, name: str) -> list[tuple[str, float]]:
    covariates = find_context(store, DIRECTORIES, name).covariates
    return [(each.point, round(each.weight, 3)) for each in covariates if each.variable == "temperature_2m"]


def test_a_home_is_found_by_its_names_with_its_place_its_step_and_its_weather(store: MemoryStore) -> None:
    site = add_site(store, DIRECTORIES, HOME)
    for name in ("maison_de_zoe", "maison de zoé", "MAISON DE ZOE\u0301", POWER):
        context = find_context(store, DIRECTORIES, name)
        assert context.site == site
        assert (context.channel.id, context.resolution, context.channel.unit) == (POWER, HALF_HOUR, Unit.KW)
    assert (site.place.latitude, site.place.longitude, site.place.holidays) == (48.9, 2.4, "FR")  # nobody's door
    assert temperatures(store, POWER) == []
    bring_weather(store, "maison_de_zoe")
    assert temperatures(store, POWER) == [("n4890_e240", 1.0)]
    assert context.channel.limits.high == 100.0


def test_a_region_has_weather_at_several_points_by_their_share_of_the_load(store: MemoryStore) -> None:
    points = [point_words("kolkata:22.57:88.36:3"), point_words("siliguri:26.7:88.4")]
    channels = [channel_words("demand:MW:15min"), channel_words("solar:MWh:1 h")]
    add_site(store, DIRECTORIES, SiteWords("Bengal", "region", "Asia/Kolkata", points=points, channels=channels))
    bring_weather(store, "bengal")
    assert temperatures(store, "bengal") == [("kolkata", 0.75), ("siliguri", 0.25)]
    assert find_context(store, DIRECTORIES, "bengal").channel.id == "grid.bengal.demand"


def test_a_site_can_have_what_an_import_takes(store: MemoryStore) -> None:
    words = ("price:EUR/MWh:1h", "tariff:€/kWh:1h", "demand:GW:15min")
    site = add_site(store, DIRECTORIES, replace(HOME, channels=[channel_words(each) for each in words]))
    kept = {each.id.rpartition(".")[2]: each for each in store.channels() if each.site == site.id}
    assert {name: each.unit_in_words for name, each in kept.items()} == {
        "price": "EUR/MWh",
        "tariff": "EUR/kWh",
        "demand": "MW",
    }
    assert kept["price"].quantity is Quantity.PRICE
    assert kept["price"].limits == Limits()
    change_site(store, DIRECTORIES, site.id, {}, channels=[channel_words("price:USD/MWh:1h")])  # no readings yet
    assert {each.id: each.unit_in_words for each in store.channels()}[kept["price"].id] == "USD/MWh"


@pytest.mark.parametrize(
    ("changed", "field", "cure"),
    [
        ({"name": "ny"}, "name", "my_ny"),
        ({"name": "New York"}, "name", "my_new_york"),
        ({"name": "Belgium", "id": "ny"}, "id", "my_ny"),
        ({"name": "  "}, "name", "Summer house"),
        ({"name": "a\nb"}, "name", "Summer house"),
        ({"name": "家"}, "id", "--id"),
        ({"id": "Zoé"}, "id", "--id"),
        ({"kind": "zone"}, "kind", "region for anything larger"),
        ({"time_zone": "Paris"}, "time_zone", "IANA"),
        ({"latitude": 91.0}, "latitude", "decimal degrees"),
        ({"latitude": float("nan")}, "latitude", "decimal degrees"),
        ({"longitude": None}, "longitude", "Give the longitude too"),
        ({"holidays": "FRA"}, "holidays", "Did you mean FR"),
        ({"holidays": "france"}, "holidays", "Did you mean FR?"),
        ({"holidays": "US-NYY"}, "holidays", "US-NY"),
        ({"holidays": "TR+ramadam"}, "holidays", "Did you mean TR+ramadan?"),
        ({"channels": [ChannelWords("power", "kilowatt", HOUR)]}, "unit", "MWh, kWh"),
        ({"channels": [ChannelWords("power", "%", HOUR)]}, "unit", "MWh, kWh"),
        ({"channels": [ChannelWords("price", "currency/kWh", HOUR)]}, "unit", "EUR/MWh"),
        ({"channels": [ChannelWords("main.power", "kW", HOUR)]}, "channel", "power or demand"),
        ({"channels": [ChannelWords("power", "kW", 7 * HOUR)]}, "resolution", "15, 30 or 60"),
        ({"channels": [ChannelWords("power", "kW", 2 * HOUR)]}, "resolution", "60 minutes"),
        ({"channels": [ChannelWords("power", "kW", HOUR)] * 2}, "channel", "different name"),
        ({"main": "heat"}, "main", "power"),
        ({"points": [Point("lyon", 45.8, 4.8, 0.0)]}, "weight", "above 0"),
        ({"points": [Point("Lyon", 45.8, 4.8)]}, "point", "new_york"),
        ({"points": [Point("lyon", 95.0, 4.8)]}, "latitude", "decimal degrees"),
        ({"points": [Point("lyon", 45.8, 4.8)] * 2}, "point", "different name"),
    ],
)
def test_what_cannot_be_is_named_with_its_cure_and_nothing_is_kept(
    store: MemoryStore, changed: dict[str, object], field: str, cure: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        add_site(store, DIRECTORIES, replace(HOME, **changed))  # type: ignore[arg-type]  # on purpose
    assert caught.value.field == field
    assert cure in caught.value.remedy
    assert store.sites() == []


def test_a_name_is_given_once_however_it_is_written(store: MemoryStore) -> None:
    add_site(store, DIRECTORIES, HOME)
    for name in ("Maison de Zoé", "MAISON DE ZOE", "maison de zoe\u0301"):
        with pytest.raises(InvalidInput, match="site change maison_de_zoe"):
            add_site(store, DIRECTORIES, replace(HOME, name=name))
    assert add_site(store, DIRECTORIES, replace(HOME, name="my_maison_de_zoe")).id == "my_maison_de_zoe"


@pytest.mark.parametrize("text", ["power", "power:kW", "power:kW:fast", "power:kW:0min", ":kW:1h", "power:kW:15"])
def test_a_channel_that_cannot_be_read_shows_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidInput, match="power:kW:30min"):
        channel_words(text)


@pytest.mark.parametrize("text", ["lyon", "lyon:45.8", "lyon:north:4.8", "lyon:45.8:4.8:1:2"])
def test_a_point_that_cannot_be_read_shows_how_to_write_it(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"lyon:45\.76:4\.84"):
        point_words(text)


@pytest.mark.parametrize(
    ("zone", "step", "fits"),
    [
        ("Australia/Lord_Howe", HOUR, False),
        ("Australia/Lord_Howe", HALF_HOUR, True),
        ("Asia/Kolkata", 12 * HOUR, True),
        ("Europe/Paris", HOUR, True),
        ("Europe/Paris", 6 * HOUR, False),
        ("Europe/Paris", DAY, True),
    ],
)
def test_a_step_fits_the_clock_or_is_refused_in_words_that_say_why(zone: str, step: timedelta, *, fits: bool) -> None:
    words = replace(HOME, time_zone=zone, channels=[ChannelWords("power", "kW", step)])
    if fits:
        assert add_site(MemoryStore(), DIRECTORIES, words).main_channel == POWER
        return
    with pytest.raises(InvalidInput, match=f"{zone} moves its clock by [36]0 minutes"):
        add_site(MemoryStore(), DIRECTORIES, words)


def test_a_window_without_a_clock_change_fits_any_step() -> None:
    from builders import hour

    check_fits_clock(6 * HOUR, "Europe/Paris", Window(hour(0), hour(500)))
    with pytest.raises(InvalidInput, match="moves its clock by 60 minutes"):
        check_fits_clock(6 * HOUR, "Europe/Paris", Window(hour(0), hour(24 * 100)))


def test_a_home_that_was_imported_gets_its_place_afterwards(store: MemoryStore) -> None:
    add_site(store, DIRECTORIES, replace(HOME, latitude=None, longitude=None, holidays=None))
    store.append(readings(1.0, channel=POWER))
    assert temperatures(store, POWER) == []
    site = change_site(
        store, DIRECTORIES, POWER.split(".")[1], {"latitude": -33.9, "longitude": 151.2, "holidays": "AU-NSW"}
    )
    assert (site.place.latitude, site.place.holidays, site.main_channel) == (-33.9, "AU-NSW", POWER)
    assert [point.id for point in weather_points(site)] == ["s3390_e15120"]
    assert store.spans()[POWER]


def test_after_a_move_the_weather_of_two_places_is_never_mixed(store: MemoryStore) -> None:
    add_site(store, DIRECTORIES, HOME)
    bring_weather(store, "maison_de_zoe")
    change_site(store, DIRECTORIES, "maison_de_zoe", {"latitude": 43.3, "longitude": 5.4})
    assert temperatures(store, POWER) == []
    bring_weather(store, "maison_de_zoe")
    assert temperatures(store, POWER) == [("n4330_e540", 1.0)]
    change_site(store, DIRECTORIES, "maison_de_zoe", {"latitude": None, "longitude": None})
    assert temperatures(store, POWER) == []
    change_site(store, DIRECTORIES, "maison_de_zoe", {"latitude": 48.85, "longitude": 2.35})
    assert temperatures(store, POWER) == [("n4890_e240", 1.0)]


def test_a_point_that_moves_takes_another_name(store: MemoryStore) -> None:
    add_site(store, DIRECTORIES, replace(HOME, points=[Point("town", 48.85, 2.35)]))
    with pytest.raises(InvalidInput, match="town_2"):
        change_site(store, DIRECTORIES, "maison_de_zoe", {"points": [Point("town", 43.3, 5.4)]})
    change_site(store, DIRECTORIES, "maison_de_zoe", {"points": [Point("town_2", 43.3, 5.4)]})
    bring_weather(store, "maison_de_zoe")
    assert temperatures(store, POWER) == [("town_2", 1.0)]


def test_a_channel_changes_while_it_is_empty_and_not_after(store: MemoryStore) -> None:
    add_site(store, DIRECTORIES, HOME)
    hourly = [ChannelWords("power", "W", HOUR)]
    change_site(store, DIRECTORIES, "maison_de_zoe", {}, channels=hourly)
    assert find_context(store, DIRECTORIES, POWER).resolution == HOUR
    store.append(readings(1.0, channel=POWER))
    with pytest.raises(InvalidInput, match="readings in W, 60 minutes apart"):
        change_site(store, DIRECTORIES, "maison_de_zoe", {}, channels=HOME.channels)
    change_site(store, DIRECTORIES, "maison_de_zoe", {"main": "heat"}, channels=[ChannelWords("heat", "kWh", HOUR)])
    context = find_context(store, DIRECTORIES, "maison_de_zoe")
    assert (context.channel.id, context.channel.quantity) == ("home.maison_de_zoe.heat", Quantity.ENERGY)


def test_what_watthour_describes_itself_is_not_changed(store: MemoryStore) -> None:
    store.register([region_site()], [])
    with pytest.raises(InvalidInput, match="is part of Watthour and cannot be changed"):
        change_site(store, DIRECTORIES, "ny", {"time_zone": "UTC"})
    with pytest.raises(UnknownSite, match="Did you mean ny"):
        change_site(store, DIRECTORIES, "nyy", {})


def test_a_site_with_readings_stays_unless_said(store: MemoryStore, tmp_path: Path) -> None:
    add_site(store, DIRECTORIES, HOME)
    store.append(readings(1.0, channel=POWER))
    with pytest.raises(InvalidInput, match="--delete-readings"):
        remove_site(store, KeptFiles.of(tmp_path), "maison_de_zoe")
    assert store.spans()[POWER]
    remove_site(store, KeptFiles.of(tmp_path), "Maison de Zoé", with_readings=True)
    assert (store.sites(), store.channels(), store.spans()) == ([], [], {})


def test_what_files_tell_of_a_site_goes_with_it_and_a_damaged_file_keeps_all(
    store: MemoryStore, tmp_path: Path
) -> None:
    site, files = add_site(store, DIRECTORIES, HOME), KeptFiles.of(tmp_path)
    for each in (site.id, "other"):
        files.tariffs.keep(each, {"currency": "EUR"})
        files.equipment.keep(each, {"batteries": []})
    files.links.add("shelly/a", Link(POWER, "power"))
    whole = (tmp_path / "equipment.json").read_text()
    (tmp_path / "equipment.json").write_text("{")
    with pytest.raises(InvalidInput, match=r"equipment\.json"):
        remove_site(store, files, site.id)
    assert store.sites() == [site]
    (tmp_path / "equipment.json").write_text(whole)
    remove_site(store, files, site.id)
    assert (files.tariffs.said(site.id), files.equipment.said(site.id), files.links.all()) == (None, None, {})
    assert files.tariffs.said("other") is not None
    assert files.equipment.said("other") is not None


def test_the_settings_win_over_the_store_and_readings_stay(store: MemoryStore) -> None:
    add_site(store, DIRECTORIES, HOME)
    store.append(readings(1.0, channel=POWER))
    said = SiteWords("Zoé", "home", "Europe/Brussels", id="maison_de_zoe")
    site = settle_site(store, DIRECTORIES, said)
    assert (site.name, site.place.time_zone, site.place.latitude, site.place.holidays) == (
        "Zoé",
        "Europe/Brussels",
        None,
        None,
    )
    assert find_context(store, DIRECTORIES, "zoé").channel.id == POWER
    assert settle_site(store, DIRECTORIES, said) == site
    with pytest.raises(InvalidInput, match=r"\[sites.maison_de_zoe\]"):
        change_site(store, DIRECTORIES, "maison_de_zoe", {"holidays": "FR"}, settled={"maison_de_zoe"})
    with pytest.raises(InvalidInput, match="readings in kW"):
        settle_site(store, DIRECTORIES, replace(said, channels=[ChannelWords("power", "MW", HALF_HOUR)]))


def test_the_calendar_of_a_clock_is_offered() -> None:
    assert [likely_calendar(zone) for zone in ("Europe/Paris", "Asia/Kolkata", "Etc/UTC")] == ["FR", "IN", None]
    assert checked_calendar("gb-eng") == "GB-ENG"
    assert id_for("  Straße 12 / B ") == "strasse_12_b"
    assert SiteKind("home") is SiteKind.HOME
