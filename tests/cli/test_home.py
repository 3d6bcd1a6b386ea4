"""Homes on the command line: from a town's name to a device, with what is missing said."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from builders import events, readings
from fakes.server import as_json, serve
from made_home import PER_DAY, PER_HOUR, make_home
from places import ANSWER

from watthour.core.window import HOUR
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Outcome
    from fakes.server import FakeServer


@pytest.fixture(autouse=True)
def towns(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """Open-Meteo, which knows some towns."""
    lyon = {"results": [place for place in ANSWER["results"] if place["name"] == "Lyon"]}  # type: ignore[attr-defined]  # JSON
    with serve(lambda request: as_json(lyon if request.one("name") == "Lyon" else ANSWER)) as server:
        monkeypatch.setenv("WATTHOUR_OPEN_METEO_URL", server.base_url)
        yield server


def test_a_home_its_rooms_and_devices(watthour: Callable[..., Outcome]) -> None:
    added = watthour("home", "add", "Flat", "--place", "Lyon", "--channel", "power:kW:30min")
    assert added.code == 0, added.err
    assert "watthour import FILE.csv --channel home.flat.power" in added.err
    assert watthour("home", "zone", "add", "flat", "Kitchen", "--channel", "occupancy:%:15min").code == 0
    words = ("--kind", "washing_machine", "--rating", "2100", "--zone", "kitchen", "--channel", "power:W:1min")
    device = watthour("home", "device", "add", "flat", "Washing machine", *words)
    assert device.code == 0, device.err
    assert "shiftable" in device.out
    entry = json.loads(watthour("home", "show", "FLAT", "--json").out)
    assert (entry["latitude"], entry["longitude"], entry["holidays"]) == (45.7, 4.8, "FR")
    assert entry["devices"][0]["rating_w"] == 2100.0
    assert entry["zones"][0]["devices"] == ["home.flat.washing_machine"]
    shown = watthour("home", "show", "flat").out
    assert "home.flat.washing_machine\tWashing machine\twashing_machine\t2100\tshiftable\tKitchen" in shown
    assert "flat\tFlat\tEurope/Paris\t1\t1\tno readings\tnone" in watthour("home", "list").out
    changed = watthour("home", "device", "change", "flat", "washing machine", "--rating", "none", "--zone", "none")
    assert (changed.code, "rating W\tnone" in changed.out) == (0, True)
    assert watthour("home", "zone", "remove", "flat", "Kitchen").code == 0
    assert watthour("home", "device", "remove", "flat", "Washing machine").code == 0
    moved = watthour("home", "change", "flat", "--place", "Springfield, Illinois", "--name", "Loft", "--json")
    assert json.loads(moved.out)["time_zone"] == "America/Chicago"
    assert watthour("home", "remove", "Loft").code == 0
    assert "no homes yet" in watthour("home", "list").err


def test_uses_are_listed_by_local_days(watthour: Callable[..., Outcome], home: Path) -> None:
    assert watthour("home", "add", "Flat", "--time-zone", "Europe/Paris", "--holidays", "FR").code == 0
    assert watthour("home", "device", "add", "flat", "Kettle", "--kind", "kettle").code == 0
    with closing(open_store(f"sqlite:///{home / 'watthour.db'}")) as store:
        store.append_events(events(("home.flat.kettle", -0.5, 0.1, 0.12), ("home.flat.kettle", 23.5, 23.6, None)))
    shown = watthour("home", "events", "flat", "--from", "2024-01-01", "--to", "2024-01-01", "--device", "kettle")
    assert shown.out.splitlines() == [
        "device\tstart (Europe/Paris)\tend\tkWh",
        "home.flat.kettle\t2024-01-01 00:30\t2024-01-01 01:06\t0.12",
    ]
    both = watthour("home", "events", "flat", "--from", "2024-01-01", "--to", "2024-01-02", "--json")
    assert [use["energy_kwh"] for use in json.loads(both.out)["events"]] == [0.12, None]
    assert json.loads(both.out)["events"][0]["start"] == "2023-12-31T23:30:00Z"  # for programs in UTC
    wrong = watthour("home", "events", "flat", "--from", "2024-01-03", "--to", "2024-01-02")
    assert (wrong.code, "earlier day first" in wrong.err) == (2, True)


def test_several_towns_of_one_name_are_listed_where_nobody_can_be_asked(watthour: Callable[..., Outcome]) -> None:
    refused = watthour("home", "add", "Flat", "--place", "Springfield")
    assert refused.code == 2
    assert "Springfield, Missouri, United States (37.2, -93.3, 166,810 people)" in refused.err
    assert json.loads(watthour("home", "list", "--json").out) == {"homes": []}


def test_without_a_network_the_time_zone_alone_will_do(
    watthour: Callable[..., Outcome], towns: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_OPEN_METEO_URL", "http://127.0.0.1:1")
    refused = watthour("home", "add", "Flat", "--place", "Lyon")
    assert refused.code != 0
    assert "give the time zone" in refused.err
    added = watthour(
        "home", "add", "Flat", "--time-zone", "Europe/Paris", "--latitude", "45.748", "--longitude", "4.85"
    )
    assert (added.code, "latitude\t45.7" in added.out) == (0, True)
    assert towns.requests == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("home", "add", "Flat"), "--place Lyon"),
        (("home", "show", "barn"), "watthour home list"),
        (("home", "change", "barn"), "no change is given"),
        (("home", "device", "add", "barn", "Kettle", "--rating", "two"), "Give watts"),
        (("home", "device", "change", "barn", "Kettle"), "no change is given"),
        (("home", "add", "Flat", "--time-zone", "Europe/Pariss"), "Europe/Paris"),
    ],
)
def test_what_cannot_be_is_told_with_its_cure(
    watthour: Callable[..., Outcome], words: tuple[str, ...], hint: str
) -> None:
    refused = watthour(*words)
    assert refused.code == 2
    assert hint in refused.err


def test_insights_of_a_home_and_a_device_say_what_is_known_and_what_is_not(
    watthour: Callable[..., Outcome], home: Path
) -> None:
    assert watthour("home", "add", "Made", "--time-zone", "Europe/Paris", "--channel", "mains:W:1h").code == 0
    assert watthour("home", "device", "add", "made", "Kettle", "--kind", "kettle").code == 0
    with closing(open_store(f"sqlite:///{home / 'watthour.db'}")) as store:
        store.append(make_home(5, n_days=60).readings())
    shown = watthour("home", "insights", "made")
    assert shown.code == 0, shown.err
    assert "Standby: " in shown.out
    assert shown.out.splitlines()[0] == "2023-12-08 00:00 to 2024-01-05 00:00 (Europe/Paris), home.made.mains"
    assert "T" not in shown.out.split("Peak: ")[1].split(";")[0]  # no instant in UTC
    assert "Peak: " in shown.out
    assert "Not known: use beside the past: the temperature outdoors is not known." in shown.err
    entry = json.loads(watthour("home", "insights", "made", "--json").out)
    assert entry["standby"]["n_nights"] == 28
    assert entry["unknown"] == []
    device = watthour("home", "insights", "made", "--device", "kettle")
    assert "Uses: 0" in device.out
    assert "impact: 0 uses are known, and 4 are needed" in device.err
    wrong = watthour("home", "insights", "made", "--days", "0")
    assert (wrong.code, "days = 0" in wrong.err) == (2, True)


def test_insights_on_the_command_line_say_less_and_local_times_and_what_a_car_hides(
    watthour: Callable[..., Outcome], home: Path
) -> None:
    assert watthour("home", "add", "Made", "--time-zone", "Europe/Paris", "--channel", "mains:W:1h").code == 0
    made = make_home(5)
    made.parts["always"][: 97 * PER_DAY] += 200  # and then it is no longer on
    made.parts["car"] = np.zeros(made.n_days * PER_DAY)
    for day in range(0, made.n_days, 3):
        made.parts["car"][day * PER_DAY + 20 * PER_HOUR :][: 2 * PER_HOUR] = 7200
    made.parts["heater"] = np.zeros(made.n_days * PER_DAY)
    made.parts["heater"][100 * PER_DAY + 2 * PER_HOUR :][: 4 * PER_HOUR] = 2000
    with closing(open_store(f"sqlite:///{home / 'watthour.db'}")) as store:
        store.append(made.readings())
    shown = watthour("home", "insights", "made")
    assert shown.code == 0, shown.err
    assert "2024-02-14 02:00\t2024-02-14 06:00" in shown.out
    (shift,) = [line for line in shown.out.splitlines() if line.startswith("Since 2024-02-11: ")]
    assert "W less around the clock" in shift
    assert "Hardly known: what was odd in 20 hours in which a car seems to charge. Connect a meter" in shown.err


def test_usage_of_a_home_tells_what_is_known_of_now_and_today(watthour: Callable[..., Outcome], home: Path) -> None:
    assert watthour("home", "add", "Flat", "--time-zone", "UTC", "--channel", "power:kW:1h").code == 0
    assert watthour("home", "device", "add", "flat", "Kettle", "--kind", "kettle").code == 0
    now = datetime.now(UTC)
    last = now.replace(minute=0, second=0, microsecond=0) - HOUR
    with closing(open_store(f"sqlite:///{home / 'watthour.db'}")) as store:
        store.append(readings(*[0.5] * 72, channel="home.flat.power", start=last - 71 * HOUR, available_at=now))
    shown = watthour("home", "usage", "flat")
    assert shown.code == 0, shown.err
    header, mains, kettle = (line.split("\t") for line in shown.out.splitlines())
    assert header[:4] == ["", "W now", "seconds ago", "kWh today"]
    assert (mains[0], mains[1], mains[5]) == ("Flat", "500", "12.00")
    assert kettle == ["Kettle", "-", "", "-", "-", "-", ""]
    entry = json.loads(watthour("home", "usage", "flat", "--json").out)
    assert [part["part"] for part in entry["parts"]] == ["home", "home.flat.kettle"]
    assert watthour("home", "usage", "barn").code == 2
    past = watthour("home", "history", "flat", "--days", "30")
    assert past.code == 0, past.err
    whole = [line.split("\t") for line in past.out.splitlines()][-2]
    assert whole[1:] == ["500", "12.000", "100 %"]
    assert watthour("home", "history", "flat", "--device", "pot").code == 2
