"""The appliances of a home, told from what its meter sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from builders import device, home_channel, home_site
from nilm.made_network import made_files

from watthour.core.channel import DeviceKind
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import Measure, Samples
from watthour.core.window import Window
from watthour.nilm.serve import ServedNetwork
from watthour.store.memory import MemoryStore
from watthour.workflows.appliances import appliances_at_home

if TYPE_CHECKING:
    from watthour.nilm.summary import Told

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
MAINS = replace(home_channel("power"), id="home.flat.power")
HOME = replace(home_site(), main_channel=MAINS.id)
NETWORK = ServedNetwork.from_files(made_files())


def mains_w(second: int) -> float:
    """Return the power of a home: 160 W, a fridge of 90 W, and a kettle at half past each fourth hour."""
    return 250.0 + second % 70 / 70 + (2000.0 if (second // 60) % 240 in (30, 31) else 0.0)


def samples(seconds: range, *, channel: str = MAINS.id, level: float | None = None) -> pl.DataFrame:
    times = [START + timedelta(seconds=second) for second in seconds]
    values = [mains_w(second) if level is None else level for second in seconds]
    return pl.DataFrame(
        {"channel": channel, "time": times, "measure": str(Measure.POWER), "recorded_at": times, "value": values}
    )


def kept(*tables: pl.DataFrame, devices: tuple[DeviceKind, ...] = ()) -> MemoryStore:
    store = MemoryStore()
    others = [replace(device(str(kind)), kind=kind) for kind in devices]
    channels = [replace(MAINS, id=f"{each.id}.power", device=each.id) for each in others]
    store.register([HOME], [MAINS, *channels], devices=others)
    for table in tables:
        store.append_samples(Samples.cast(table.sort("channel", "time", "measure")))
    return store


def told(store: MemoryStore, window: Window = DAY) -> Told:
    return appliances_at_home(store, {}, HOME, window, NETWORK)


def test_what_a_meter_sends_every_few_seconds_becomes_appliances() -> None:
    found = told(kept(samples(range(0, 86_400, 10))))
    used = {each.name: each for each in found.used()}
    assert found.days_told == pytest.approx(1, abs=0.01)
    assert used["kettle"].runs == 6
    assert used["kettle"].energy_kwh == pytest.approx(0.4, rel=0.02)
    assert used["fridge"].energy_kwh == pytest.approx(2.16, rel=0.02)
    assert used["other"].energy_kwh == pytest.approx(3.84, rel=0.02)


def test_what_is_told_of_an_hour_does_not_depend_on_where_a_window_begins() -> None:
    store = kept(samples(range(0, 86_400, 20)))
    whole = told(store)
    noon = Window(START + timedelta(hours=10, minutes=7), START + timedelta(hours=14, minutes=11))
    part = told(store, noon)
    same = whole.between(noon.start, noon.end)
    assert np.array_equal(part.house.time, same.house.time)
    assert np.allclose(part.answer.power, same.answer.power, atol=1.0)


def test_nothing_is_told_of_hours_in_which_the_meter_was_silent() -> None:
    store = kept(samples(range(0, 40_000, 20)), samples(range(60_000, 86_400, 20)))
    found = told(store)
    silent = (found.house.time > START.timestamp() + 40_400) & (found.house.time < START.timestamp() + 59_900)
    assert not silent.any()
    assert 0.7 < found.days_told < 0.8


def test_mains_that_subtract_the_sun_need_what_the_panels_make() -> None:
    net = samples(range(0, 86_400, 20)).with_columns(pl.col("value") - 600)
    with pytest.raises(InvalidInput, match="subtracts what is fed in"):
        told(kept(net, devices=(DeviceKind.EV_CHARGER,)))
    sun = samples(range(0, 86_400, 20), channel="home.flat.solar.power", level=-600.0)
    found = told(kept(net, sun, devices=(DeviceKind.SOLAR,)))
    used = {each.name: each for each in found.used()}
    assert used["kettle"].runs == 6
    assert used["other"].energy_kwh == pytest.approx(3.84, rel=0.02)


def test_what_a_battery_takes_is_no_appliance() -> None:
    charging = samples(range(0, 86_400, 20)).with_columns(pl.col("value") + 1500)
    battery = samples(range(0, 86_400, 20), channel="home.flat.battery.power", level=1500.0)
    found = told(kept(charging, battery, devices=(DeviceKind.BATTERY,)))
    assert {each.name: each.runs for each in found.used()}["kettle"] == 6


def test_a_meter_that_is_read_each_hour_tells_no_appliances() -> None:
    with pytest.raises(NotEnoughHistory, match="no power by 1 min") as refused:
        told(kept())
    assert "at least once a minute" in refused.value.remedy
    with pytest.raises(NotEnoughHistory, match=r"home\.flat\.battery\.power has no power"):
        told(kept(samples(range(0, 86_400, 20)), devices=(DeviceKind.BATTERY,)))


def test_a_home_without_a_meter_of_the_whole_says_so() -> None:
    store = MemoryStore()
    store.register([replace(HOME, main_channel=None)], [])
    with pytest.raises(NotEnoughHistory, match="no meter of the whole home"):
        appliances_at_home(store, {}, replace(HOME, main_channel=None), DAY, NETWORK)
