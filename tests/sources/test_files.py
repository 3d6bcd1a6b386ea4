"""Files at hand, for any site, any channel and any step."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from fakes.regions import region

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, Window
from watthour.grid.regions import Regions
from watthour.sources.connectors import ConnectorSites
from watthour.sources.files import file_sources
from watthour.sources.table_channels import Known
from watthour.sources.table_options import TableOptions
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import backfill
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import Context
    from watthour.core.ports import Source

START = datetime(2024, 7, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 21, tzinfo=UTC)
DIRECTORIES = (Regions(), ConnectorSites())
QUARTER = timedelta(minutes=15)


def find(name: str) -> Context | None:
    return next((found for each in DIRECTORIES if (found := each.find(name)) is not None), None)


KNOWN = Known(find)


def table(folder: Path, *, step: timedelta = QUARTER, rows: int = 8, value: str = "2.0") -> Path:
    path = folder / "meter.csv"
    lines = [f"{START + number * step:%Y-%m-%dT%H:%MZ},{value}\n" for number in range(rows)]
    path.write_text("time,value\n" + "".join(lines))
    return path


def read(path: Path, options: TableOptions, known: Known = KNOWN, region: str | None = None) -> tuple[Source, Window]:
    (found,) = file_sources(path, region, options, known)
    return found


def test_quarter_hours_of_a_known_channel_stay_quarter_hours(tmp_path: Path) -> None:
    source, window = read(table(tmp_path, value="9000"), TableOptions("grid.be.demand", "MW"))
    (channel,) = source.channels()
    assert (channel.resolution, channel.unit, channel.limits.is_never_constant) == (QUARTER, Unit.MW, True)
    assert window == Window(START, START + 8 * QUARTER)
    assert source.fetch(window, now=NOW).readings.height == 8


def test_quarter_hours_are_not_put_into_an_hourly_channel(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"15 minutes apart.*step of 60 minutes"):
        read(table(tmp_path), TableOptions("grid.ny.demand", "MW"))


def test_a_new_channel_of_a_region_takes_its_step_from_the_file_and_its_unit_from_the_load(tmp_path: Path) -> None:
    (channel,) = read(table(tmp_path), TableOptions("grid.ny.losses", "MW"))[0].channels()
    assert (channel.quantity, channel.unit, channel.resolution) == (Quantity.ENERGY, Unit.MWH, QUARTER)
    (channel,) = read(table(tmp_path), TableOptions("grid.be.losses", "MWh"))[0].channels()
    assert (channel.quantity, channel.unit) == (Quantity.POWER, Unit.MW)


def test_a_home_nobody_knows_yet_is_made_where_a_time_zone_is_said(tmp_path: Path) -> None:
    options = TableOptions("home.main.power", "kW", "Europe/Brussels")
    source, window = read(table(tmp_path), options)
    (site,), (channel,) = source.sites(), source.channels()
    assert (site.id, site.kind, site.main_channel) == ("main", SiteKind.HOME, "home.main.power")
    assert site.place.time_zone == "Europe/Brussels"
    assert (channel.quantity, channel.unit, channel.resolution) == (Quantity.POWER, Unit.KW, QUARTER)
    assert channel.site == "main"
    assert source.fetch(window, now=NOW).readings.height == 8
    with pytest.raises(InvalidInput, match="--time-zone") as caught:
        read(table(tmp_path), TableOptions("home.main.power", "kW"))
    assert caught.value.field == "time_zone"


def test_a_home_that_is_stored_is_known_and_a_second_channel_joins_it(tmp_path: Path) -> None:
    store = MemoryStore()
    source, window = read(table(tmp_path), TableOptions("home.main.power", "kW", "Europe/Brussels"))
    backfill(source, store, window, now=NOW)

    def known() -> Known:
        return Known(lambda name: find_context(store, DIRECTORIES, name), store.sites(), store.channels())

    again, window = read(table(tmp_path), TableOptions("home.main.power", "kW"), known())
    assert again.channels() == source.channels()
    assert backfill(again, store, window, now=NOW).new_rows == 0
    boiler, window = read(table(tmp_path, step=QUARTER / 3), TableOptions("home.main.boiler.power", "W"), known())
    assert backfill(boiler, store, window, now=NOW).new_rows == 8
    (channel,) = boiler.channels()
    assert (channel.unit, channel.resolution) == (Unit.KW, QUARTER / 3)  # kept as the home's load is
    assert boiler.fetch(window, now=NOW).readings["value"][0] == 0.002
    assert find_context(store, DIRECTORIES, "main").channel.id == "home.main.power"


def test_a_temperature_is_kept_in_the_unit_of_its_quantity(tmp_path: Path) -> None:
    path = table(tmp_path, value="212")
    source, window = read(path, TableOptions("home.attic.temperature", "degF", "Europe/Brussels"))
    (channel,) = source.channels()
    assert (channel.quantity, channel.unit) == (Quantity.TEMPERATURE, Unit.CELSIUS)
    assert source.fetch(window, now=NOW).readings["value"][0] == pytest.approx(100.0)


def test_days_come_in_as_days(tmp_path: Path) -> None:
    options = TableOptions("home.main.energy", "kWh", "UTC")
    (channel,) = read(table(tmp_path, step=DAY), options)[0].channels()
    assert channel.resolution == DAY


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (TableOptions("home.main.humidity", "%", "UTC"), "humidity, cloud_cover"),
        (TableOptions("home.main.price", "currency/kWh", "UTC"), "price"),
        (TableOptions("home.power", "kW", "UTC"), "which home"),
        (TableOptions("grid.ny.weather.moon.temperature_2m", "degC"), "no such channel"),
        (TableOptions("grid.ny.demand"), "--unit"),
        (TableOptions("home.main.power", "kW", "UTC", named_by="middle"), "start or end"),
    ],
)
def test_what_a_table_cannot_say_is_named(tmp_path: Path, options: TableOptions, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        read(table(tmp_path), options)


def test_a_new_channel_needs_enough_rows_to_show_its_step(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="three rows"):
        read(table(tmp_path, rows=2), TableOptions("home.main.power", "kW", "UTC"))


def test_a_channel_of_another_site_than_the_named_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"grid\.pjm"):
        read(table(tmp_path), TableOptions("grid.ny.demand", "MW"), region="pjm")


def test_a_site_nobody_knows_is_named_with_those_that_are_like_it(tmp_path: Path) -> None:
    known = replace(KNOWN, near=lambda _name: ["ny"])
    with pytest.raises(UnknownSite, match="Did you mean ny"):
        read(table(tmp_path), TableOptions("grid.nyy.demand", "MW"), known)


def test_a_site_of_its_own_name_reads_a_six_month_file(pytestconfig: pytest.Config) -> None:
    path = pytestconfig.rootpath / "tests" / "recorded" / "EIA930_BALANCE_2020_Jul_Dec.csv"
    found = file_sources(path, None, TableOptions(), KNOWN)
    assert [source.name for source, _ in found] == ["eia_bulk:aec", "eia_bulk:tidc"]
    (one,) = file_sources(path, "AEC", TableOptions(), KNOWN)
    assert one[0].sites() == (region("AEC").site,)


def test_a_home_cannot_take_the_name_of_a_region(tmp_path: Path) -> None:
    for name in ("home.be.power", "home.nyis.power"):
        with pytest.raises(InvalidInput, match=r"is already a name of"):
            read(table(tmp_path), TableOptions(name, "kW", "Europe/Paris"))


def test_a_home_in_a_time_zone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="time_zone"):
        read(table(tmp_path), TableOptions("home.main.power", "kW", "Bad/Zone"))


def test_a_new_home_cannot_draw_more_than_its_service(tmp_path: Path) -> None:
    (channel,) = read(table(tmp_path), TableOptions("home.main.power", "W", "Europe/Paris"))[0].channels()
    assert channel.limits.high == 100_000.0


def test_a_region_of_ones_own_is_made_as_a_home_is(tmp_path: Path) -> None:
    source, _window = read(table(tmp_path), TableOptions("grid.nl.demand", "MW", "Europe/Amsterdam"))
    (site,), (channel,) = source.sites(), source.channels()
    assert (site.kind, site.main_channel, site.place.time_zone) == (SiteKind.REGION, channel.id, "Europe/Amsterdam")
    assert (channel.unit, channel.resolution) == (Unit.MW, QUARTER)
    with pytest.raises(UnknownSite):
        read(table(tmp_path), TableOptions("grid.nl.demand", "MW"))


def test_hours_of_utc_in_a_zone_of_half_hours_are_refused_with_the_cure(tmp_path: Path) -> None:
    hours = table(tmp_path, step=timedelta(hours=1))
    with pytest.raises(InvalidInput, match=r"30 minutes after those of the local day in Asia/Kolkata.*Resample"):
        read(hours, TableOptions("home.main.power", "kW", "Asia/Kolkata"))


def test_a_site_that_was_added_without_channels_gets_its_first_by_name(tmp_path: Path) -> None:
    lyon = Site("lyon", "Lyon Métropole", SiteKind.REGION, Place("Europe/Paris"))
    for name in ("lyon", "Lyon Métropole"):
        source, _window = read(table(tmp_path), TableOptions(unit="MW", site=name), Known(find, sites=(lyon,)))
        (channel,) = source.channels()
        assert (channel.id, source.sites()) == ("grid.lyon.demand", (lyon,))


@pytest.mark.parametrize("has_load", [True, False])
def test_prices_for_a_home_are_its_price_and_not_its_load(tmp_path: Path, *, has_load: bool) -> None:
    store = MemoryStore()
    home = Site("flat", "Flat", SiteKind.HOME, Place("Europe/Paris"))
    store.register([home], [Channel("home.flat.power", "flat", Quantity.POWER, Unit.W, QUARTER)] if has_load else [])
    options = TableOptions(unit="EUR/kWh", site="Flat")

    def known() -> Known:
        has_main = any(each.is_load for each in store.channels())
        return Known(
            lambda name: find_context(store, DIRECTORIES, name) if has_main else None, store.sites(), store.channels()
        )

    source, window = read(table(tmp_path, value="0.25"), options, known())
    (price,) = source.channels()
    assert (price.id, price.unit_in_words, price.device) == ("home.flat.price", "EUR/kWh", None)
    assert backfill(source, store, window, now=NOW).new_rows == 8
    again, window = read(table(tmp_path, value="0.25"), options, known())
    assert backfill(again, store, window, now=NOW).new_rows == 0
    assert [each.id for each in store.channels()] == ["home.flat.power"] * has_load + ["home.flat.price"]
    load, _window = read(table(tmp_path), TableOptions(unit="W", site="Flat"), known())
    assert [each.id for each in load.channels()] == ["home.flat.power"]


def test_a_new_site_asks_for_its_time_zone_and_names_similar_sites(tmp_path: Path) -> None:
    known = replace(KNOWN, near=lambda _name: ["ny"])
    with pytest.raises(InvalidInput, match=r"nyy is a new site, and its time zone is not known.*--time-zone.*meant ny"):
        read(table(tmp_path), TableOptions(unit="MW", site="nyy"), known)
    (site,) = read(table(tmp_path), TableOptions(unit="MW", site="nyy", time_zone="Europe/Paris"), known)[0].sites()
    assert site.id == "nyy"
