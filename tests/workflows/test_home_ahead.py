"""What is foreseen of a home for a plan: its load and its sun, whatever the sign of what measures them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from priced_home import BERLIN, FLAT, FLAT_RATE, METER, NOW, rows

from watthour.core.channel import Channel, Device, DeviceKind
from watthour.core.errors import NotEnoughHistory, UnknownName
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.equipment import Equipment, read_equipment
from watthour.workflows.home_ahead import HomeAhead, Sources, look_at_home
from watthour.workflows.kept_tariffs import Tariffs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BEGIN = NOW.replace(minute=0) - 28 * DAY
LOAD_KW, ROOF_KW, INVERTER_KW = 0.8, 3.0, 0.02


def roof_at(instant: datetime) -> float:
    """What the roof gives; by night its inverter draws. [kW]."""
    hour = instant.astimezone(ZoneInfo(BERLIN)).hour
    return ROOF_KW * float(np.sin(np.pi * (hour + 0.5 - 8) / 8)) if 8 <= hour < 16 else -INVERTER_KW


def ahead_of(
    folder: Path,
    *,
    sign: float = 1.0,
    net_minutes: int = 60,
    roof_minutes: int = 60,
    n_days: int = 28,
    terms: Sequence[tuple[datetime | None, dict[str, object]]] = ((None, FLAT_RATE),),
    now: datetime = NOW,
) -> HomeAhead:
    """Look at a home with a net meter and a roof, the first days of which have readings."""
    net = Channel("home.flat.energy", "flat", Quantity.POWER, Unit.KW, timedelta(minutes=net_minutes))
    roof = Channel("home.flat.roof", "flat", Quantity.POWER, Unit.KW, timedelta(minutes=roof_minutes))
    store = MemoryStore()
    store.register([FLAT], [net, roof])
    given = [roof_at(BEGIN + n * HOUR) for n in range(28 * 24)]
    steps = range(28 * DAY // net.resolution), range(n_days * DAY // roof.resolution)
    store.append(rows(net, BEGIN, [LOAD_KW - given[n * net.resolution // HOUR] for n in steps[0]]))
    store.append(rows(roof, BEGIN, [sign * given[n * roof.resolution // HOUR] for n in steps[1]]))
    tariffs = Tariffs(folder)
    for since, said in terms:
        tariffs.keep("flat", said, since)
    equipment = Equipment(solar=roof.id)
    sources = Sources(store, FileRegistry(folder / "models"), (), tariffs)
    return look_at_home(sources, FLAT, equipment, hours=24, now=now)


def test_a_plan_ends_where_the_currency_changes_and_says_so(tmp_path: Path) -> None:
    midnight = datetime(2026, 11, 21, 23, tzinfo=UTC)  # of Berlin
    terms = ((None, FLAT_RATE), (midnight, FLAT_RATE | {"currency": "CHF"}))
    found = ahead_of(tmp_path, terms=terms)
    assert (found.currency, found.window.end) == ("EUR", midnight)
    assert any("the tariff is in CHF, so no price in EUR" in each for each in found.remarks)
    assert any("so no more is planned" in each for each in found.remarks)
    with pytest.raises(NotEnoughHistory, match="in EUR until 2026-11-22 00:00, and in CHF since") as told:
        ahead_of(tmp_path, terms=terms, now=midnight - timedelta(minutes=40))
    assert told.value.remedy == "Ask for a plan again at 2026-11-22 00:00, or later."
    assert ahead_of(tmp_path, terms=terms, now=midnight).currency == "CHF"


def test_a_plan_before_the_first_tariff_says_from_when_there_is_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no tariff before 2026-11-22") as told:
        ahead_of(tmp_path, terms=[later := (datetime(2026, 11, 21, 23, tzinfo=UTC), FLAT_RATE)])
    assert "watthour tariff set flat tariff.toml --from DATE" in told.value.remedy
    before = FLAT_RATE | {"name": "Before", "import": {"kind": "flat", "price": 0.5}}
    found = ahead_of(tmp_path, terms=[later, (datetime(2025, 12, 31, 23, tzinfo=UTC), before)])
    assert set(found.import_price.tolist()) == {0.5, 0.25}


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("minutes", [15, 60])
def test_the_sun_is_taken_out_of_a_net_load_whichever_sign_it_has(sign: float, minutes: int, tmp_path: Path) -> None:
    found = ahead_of(tmp_path, sign=sign, roof_minutes=minutes)
    assert found.outlook.load_kw == pytest.approx(np.full(96, LOAD_KW), abs=0.03)
    times = [found.window.start + n * timedelta(minutes=15) for n in range(96)]
    sun = np.array([max(roof_at(each), 0.0) for each in times])
    assert sun.max() > 0.9 * ROOF_KW
    assert found.outlook.solar_kw == pytest.approx(sun, abs=0.03)
    assert not [each for each in found.remarks if "sun" in each]


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_an_inverter_draws_by_night_is_no_sun(sign: float, tmp_path: Path) -> None:
    found = ahead_of(tmp_path, sign=sign)
    assert (found.outlook.solar_kw[12:48] == 0.0).all()  # 19:30 to 4:30 by the clock of Berlin


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("net_minutes", "n_days"), [(30, 28), (60, 25)])
def test_a_sun_that_cannot_be_taken_out_counts_once_and_that_is_said(
    sign: float, net_minutes: int, n_days: int, tmp_path: Path
) -> None:
    found = ahead_of(tmp_path, sign=sign, net_minutes=net_minutes, n_days=n_days)
    times = [found.window.start + n * timedelta(minutes=15) for n in range(96)]
    net = np.array([LOAD_KW - roof_at(each) for each in times])
    assert found.outlook.load_kw - found.outlook.solar_kw == pytest.approx(net, abs=0.03)
    assert any("cannot be taken out of the load of Flat" in each for each in found.remarks)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata", "Australia/Adelaide", "Asia/Kathmandu"])
@pytest.mark.parametrize("n_days", [28, 0])
def test_the_peak_of_the_month_is_that_of_whole_hours_of_the_meter(zone: str, n_days: int, tmp_path: Path) -> None:
    home, store, tariffs = replace(FLAT, place=Place(zone)), MemoryStore(), Tariffs(tmp_path)
    store.register([home], [METER])
    store.append(rows(METER, BEGIN, [4.0] * 24 * n_days))
    tariffs.keep("flat", FLAT_RATE | {"demand": {"price": 3.0}})
    equipment = Equipment()
    found = look_at_home(Sources(store, FileRegistry(tmp_path), (), tariffs), home, equipment, hours=24, now=NOW)
    assert found.peak_so_far_kw == (4.0 if n_days else 0.0)
    assert any("peak of the month so far is not known" in each for each in found.remarks) == (n_days == 0)


def test_a_use_that_stays_in_the_load_names_the_device_that_measures_it(tmp_path: Path) -> None:
    store, tariffs = MemoryStore(), Tariffs(tmp_path)
    plug = Device("home.flat.wallbox", "flat", "Wallbox", DeviceKind.EV_CHARGER)
    power = Channel("home.flat.wallbox.power", "flat", Quantity.POWER, Unit.KW, HOUR, device=plug.id)
    store.register([FLAT], [METER, power], devices=[plug])
    store.append(rows(METER, BEGIN, [4.0] * 672))
    store.append(rows(power, BEGIN, [1.0] * 672))
    tariffs.keep("flat", FLAT_RATE)
    car = {"name": "car", "energy_kwh": 8.0, "arrival": "18:00", "departure": "07:00", "max_charge_kw": 7.4}
    sources = Sources(store, FileRegistry(tmp_path), (), tariffs)
    found = look_at_home(sources, FLAT, read_equipment({"cars": [car]}), hours=24, now=NOW)
    assert any('device = "wallbox" for car' in each for each in found.remarks)
    cured = read_equipment({"cars": [car | {"device": "wallbox"}]})
    found = look_at_home(sources, FLAT, cured, hours=24, now=NOW)
    assert not any("usual use" in each for each in found.remarks)
    assert found.outlook.load_kw == pytest.approx(np.full(96, 3.0))
