"""The invented home in a store: a past, then what it tells, and nothing where something real is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from builders import home_site, hour, hours

from watthour.core.channel import DeviceKind
from watthour.core.frames import Quality
from watthour.registry.files import FileRegistry
from watthour.simulation.living import CHANNEL_OF, HEARTBEAT_S, LivingHome
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.simtown_home import CHANNELS, DEVICES, HOME, MAINS, PlannedBegin, PlannedUse, SimtownHome
from watthour.store.memory import MemoryStore
from watthour.workflows import stand_in
from watthour.workflows.equipment import EquipmentFile, equipment_of, set_equipment
from watthour.workflows.home_ahead import Sources
from watthour.workflows.home_plan import HomePlanner
from watthour.workflows.kept_tariffs import Tariffs, tariff_of
from watthour.workflows.links import Link
from watthour.workflows.listening import Listener
from watthour.workflows.stand_in import FixedLinks, describe, fill_past, furnish, is_wanted, keep_uses
from watthour.workflows.view import site_entry

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.channel import Site

SOURCE = SimtownHome()
PAST_OF_TESTS = timedelta(days=2)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.setattr(stand_in, "PAST", PAST_OF_TESTS)
    found = MemoryStore()
    describe(found, SOURCE)
    return found


def listener(store: MemoryStore, home: Path, now: datetime) -> Listener:
    links = {key: Link(channel, key, HEARTBEAT_S) for key, channel in CHANNEL_OF.items()}
    return Listener(store, [], FixedLinks(home, links), clock=lambda: now)


def test_it_is_wanted_beside_an_invented_region_and_nowhere_else() -> None:
    store = MemoryStore()
    assert is_wanted(store, [SIMTOWN], has_lines=False)
    assert not is_wanted(store, [], has_lines=False)
    assert not is_wanted(store, [SIMTOWN], has_lines=True)
    real = replace(SIMTOWN, site=replace(SIMTOWN.site, is_simulated=False))
    assert not is_wanted(store, [real], has_lines=False)
    describe(store, SOURCE)
    assert is_wanted(store, [SIMTOWN], has_lines=False)
    store.register([home_site()], [])
    assert not is_wanted(store, [SIMTOWN], has_lines=False)


def test_nobody_is_asked_for_its_town_or_its_weather(store: MemoryStore, tmp_path: Path) -> None:
    fill_past(store, SOURCE, now=hour(0))
    entry = site_entry(store, FileRegistry(tmp_path), (), store.sites()[0], ())
    assert entry["simulated"]
    commands = [step["command"] for step in entry["next"]]  # type: ignore[attr-defined]  # a list of texts
    assert commands == []  # and not to train, which a past of some weeks would be refused


def test_a_first_past_ends_with_days_that_are_planned_each_before_it_is_lived(store: MemoryStore) -> None:
    uses: list[PlannedUse] = []
    made: list[tuple[datetime, datetime]] = []

    def plan(site: Site, at: datetime) -> None:
        assert site == HOME
        lived_to = store.spans()[MAINS.id][1] + QUARTER
        made.append((at, lived_to))
        begin = PlannedBegin(at, at + timedelta(hours=3), is_accepted=True)
        uses.append(PlannedUse(DEVICES[DeviceKind.DISHWASHER].id, at, (begin,)))

    home = SimtownHome(plans=lambda _window: uses)
    report = fill_past(store, home, now=hour(12), plan=plan)
    assert made
    assert all(at == lived_to for at, lived_to in made)
    expected = int((PAST_OF_TESTS) / QUARTER) * (1 + len(CHANNELS))
    assert report.new_rows == expected
    again = len(made)
    assert fill_past(store, home, now=hour(20), plan=plan).new_rows > 0
    assert len(made) == again  # no morning lies between


def test_a_first_past_that_was_killed_among_its_planned_days_goes_on_with_them(store: MemoryStore) -> None:
    made: list[datetime] = []

    def killed(_site: Site, at: datetime) -> None:
        made.append(at)
        raise KeyboardInterrupt

    def plan(site: Site, at: datetime) -> None:
        made.append(at)
        store.keep_plan(site.id, at, {})

    with pytest.raises(KeyboardInterrupt):
        fill_past(store, SimtownHome(), now=hour(12), plan=killed)
    fill_past(store, SimtownHome(), now=hour(12) + QUARTER, plan=plan)
    assert made[0] == made[1]  # the day that was not planned yet
    assert [each.made_at for each in store.plans(HOME.id)] == made[:0:-1]
    fill_past(store, SimtownHome(), now=hour(12) + 2 * QUARTER, plan=killed)  # and none a second time


def test_it_knows_rooms_devices_and_when_they_were_used(store: MemoryStore) -> None:
    assert {zone.name for zone in store.zones()} == {"Kitchen", "Laundry", "Living room", "Outside"}
    assert {device.kind for device in store.devices()} == set(DEVICES)
    assert keep_uses(store, SOURCE, now=hour(0)) > 5
    assert keep_uses(store, SOURCE, now=hour(0)) == 0
    later = keep_uses(store, SOURCE, now=hour(12))
    kept = store.events([device.id for device in store.devices()], hours(0, 12))
    assert 0 < kept.height <= later
    assert ((kept["quality"] & int(Quality.SIMULATED)) > 0).all()


def test_its_past_ends_where_it_begins_to_tell_and_a_second_filling_changes_nothing(store: MemoryStore) -> None:
    now = hour(0) + timedelta(minutes=7)
    assert fill_past(store, SOURCE, now=now).new_rows == (2 * 96 - 1) * (1 + len(DEVICES))
    assert store.spans()[MAINS.id][1] == hour(0) - QUARTER
    assert fill_past(store, SOURCE, now=now).new_rows == 0


def test_what_it_tells_becomes_readings_that_are_the_truth_and_marked(store: MemoryStore, tmp_path: Path) -> None:
    now = hour(0) + timedelta(minutes=2)
    fill_past(store, SOURCE, now=now)
    begin, end = int(hour(0).timestamp()), int(hour(1).timestamp()) + 61
    living = listener(store, tmp_path, hour(1) + timedelta(minutes=2))
    living.take("simulation", LivingHome(SOURCE).told(begin, end))
    living.settle(is_last=True)
    told = store.read([channel.id for channel in SOURCE.channels()], hours(0, 1))
    truth = SOURCE.fetch(hours(0, 1), now=hour(2)).readings
    both = told.join(truth, on=["channel", "time"], suffix="_truth")
    assert both.height == truth.height == 4 * len(SOURCE.channels())
    assert ((both["quality"] & int(Quality.SIMULATED)) > 0).all()
    error_kw = (both["value"] - both["value_truth"]).abs()
    assert error_kw.max() < 0.02  # type: ignore[operator]  # a number: there are rows
    fridge = both.filter(pl.col("channel") == CHANNELS[DeviceKind.FRIDGE].id)
    assert (fridge["value"] > 0).any()


def test_after_a_pause_the_past_is_filled_and_what_was_told_stays(store: MemoryStore, tmp_path: Path) -> None:
    fill_past(store, SOURCE, now=hour(0))
    living = listener(store, tmp_path, hour(1) + timedelta(minutes=2))
    living.take("simulation", LivingHome(SOURCE).told(int(hour(0).timestamp()), int(hour(1).timestamp()) + 61))
    living.settle(is_last=True)
    before = store.read([MAINS.id], hours(0, 1)).filter(pl.col("value").is_not_null())
    fill_past(store, SOURCE, now=hour(5) + timedelta(minutes=3))
    whole = store.read([MAINS.id], hours(0, 5))
    assert whole.height == 20
    assert whole["value"].null_count() == 0
    assert whole.join(before, on=["time", "value"], how="semi").height == before.height >= 4
    assert HOME.main_channel == MAINS.id


def test_it_has_a_tariff_and_equipment_until_a_person_says_others(store: MemoryStore, tmp_path: Path) -> None:
    tariffs, equipment_file = Tariffs(tmp_path), EquipmentFile(tmp_path)
    furnish(store, tariffs, equipment_file, SOURCE, now=hour(0))
    assert tariff_of(tariffs, HOME).currency == "USD"
    assert [each.name for each in equipment_of(equipment_file, HOME).things] == [
        "dishwasher",
        "washing machine",
        "car",
        "battery",
    ]
    mine = {"appliances": [{"name": "kettle", "power_kw": 2, "minutes": 15}]}
    set_equipment(store, equipment_file, HOME, mine)
    furnish(store, tariffs, equipment_file, SOURCE, now=hour(0))
    assert equipment_file.said(HOME.id) == mine


def test_its_plan_is_made_of_its_own_load_sun_and_the_carbon_of_its_region(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = hour(0)
    monkeypatch.setattr(stand_in, "PAST", timedelta(days=21))
    fill_past(store, SOURCE, now=now)
    keep_uses(store, SOURCE, now=now)
    tariffs, equipment_file = Tariffs(tmp_path), EquipmentFile(tmp_path)
    furnish(store, tariffs, equipment_file, SOURCE, now=now)
    sources = Sources(store, FileRegistry(tmp_path / "models"), (), tariffs)
    told = HomePlanner(sources, equipment_file, tmp_path).current(HOME, now=now)
    assert told["is_simulated"]
    assert {run["device"] for run in told["runs"]} <= {device.id for device in DEVICES.values()}
    assert max(told["solar_kw"]) > 0
    assert min(told["load_kw"]) >= 0
    assert told["load_kw"] != [0.0] * len(told["load_kw"])
    assert not [remark for remark in told["remarks"] if "usual use" in remark]  # each thing is measured by itself
