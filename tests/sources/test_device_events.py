"""Uses of devices from a table: events, never readings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from watthour.core.channel import DeviceKind, Flexibility, Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.place import Place
from watthour.sources.device_events import is_device_events, read_device_events

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FLAT = Site("flat", "Flat", SiteKind.HOME, Place("Europe/Brussels"))
HEADER = (
    "device_id,device_type,power_rating_watt,energy_efficiency_rating,standby_power_watt,mode_of_operation,"
    "age_of_appliance_years,maintenance_last_date,peak_power_draw_watt,timestamp,duration_minutes,"
    "power_consumption_kwh,tariff_rate,is_peak_tariff,indoor_temp_celsius,outdoor_temp_celsius,humidity_percent,"
    "occupancy_count,motion_detected"
)


def use(
    start: str = "2024-07-01 21:00:00",
    minutes: object = 60,
    energy: object = 0.4,
    device: str = "WM_01",
    kind: str = "WashingMachine",
) -> str:
    return f"{device},{kind},500,4,2.0,Eco,1.5,2023-08-14,650,{start},{minutes},{energy},7.5,1,26.2,28.9,48,3,1"


def table(folder: Path, *rows: str) -> Path:
    path = folder / "events.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_a_use_has_its_device_its_time_and_its_energy(tmp_path: Path) -> None:
    path = table(tmp_path, use(), use("2024-07-02 09:30:10", 45, 0.3), use(device="AC_LR_01", kind="AirConditioner"))
    assert is_device_events(path)
    found = read_device_events(path, FLAT, now=NOW)
    first = found.events.filter(device="home.flat.wm_01").row(0, named=True)
    assert first["start"] == datetime(2024, 7, 1, 19, tzinfo=UTC)
    assert first["end"] - first["start"] == timedelta(hours=1)
    assert (first["energy_kwh"], first["available_at"]) == (0.4, first["end"])
    devices = {device.id: device for device in found.devices}
    washer = devices["home.flat.wm_01"]
    assert (washer.kind, washer.rating_w, washer.flexibility) == (
        DeviceKind.WASHING_MACHINE,
        500.0,
        Flexibility.SHIFTABLE,
    )
    assert devices["home.flat.ac_lr_01"].kind is DeviceKind.AIR_CONDITIONER


def test_rows_that_cannot_be_are_refused_with_the_rule_they_break(tmp_path: Path) -> None:
    broken = {
        "device_is_named": use(device=""),
        "time_is_readable": use("soon"),
        "time_exists": use("2024-03-31 02:30:00"),
        "duration_is_positive": use(minutes=0),
        "energy_is_a_number": use(energy=-0.1),
        "energy_fits_its_peak": use(energy=40),
        "use_has_ended": use("2027-01-01 00:00:00"),
        "use_is_unique": use(energy=0.5),
    }
    good = [use(f"2024-07-{day:02d} 08:00:00") for day in range(2, 12)]
    found = read_device_events(table(tmp_path, use(), *good, *broken.values()), FLAT, now=NOW)
    assert found.refused["rule"].to_list() == list(broken)
    assert found.events.height == 11


def test_a_small_energy_that_was_rounded_up_is_no_fault(tmp_path: Path) -> None:
    found = read_device_events(table(tmp_path, use(minutes=1, energy=0.02)), FLAT, now=NOW)
    assert found.refused.is_empty()


def test_a_table_of_which_most_cannot_be_is_refused_as_a_whole(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"2 of its 3 uses cannot be read \(duration_is_positive\)"):
        read_device_events(
            table(tmp_path, use(), use("2024-07-02 08:00:00", -5), use("2024-07-03 08:00:00", "long")), FLAT, now=NOW
        )


def test_other_tables_are_no_uses(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("time,kWh\n2024-07-01 00:00,1\n2024-07-01 01:00,2\n")
    assert not is_device_events(path)
    assert not is_device_events(tmp_path)


@pytest.mark.shared_data
def test_the_smart_home_sample_is_uses_of_ten_devices(shared_data: Path) -> None:
    path = shared_data / "home" / "events" / "smart_home_energy_sample.csv"
    found = read_device_events(path, FLAT, now=NOW)
    assert (found.events.height, len(found.devices), found.refused.height) == (220, 10, 0)
    assert found.events["energy_kwh"].sum() == pytest.approx(49.76, abs=0.3)
