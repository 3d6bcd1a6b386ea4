"""HomeWizard and Shelly, asked over real HTTP: what they tell, and what is said when they do not answer."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import pytest
from fakes.broker import free_port
from fakes.server import Answer, Request, as_json, serve
from pydantic import ValidationError
from structlog.testing import capture_logs

from watthour.core.errors import PayloadChanged, SourceRejected, StoreLocked
from watthour.core.heard import Heard, Tells, Thing, Told
from watthour.sources import homewizard, shelly
from watthour.sources.homewizard import HomewizardOptions
from watthour.sources.polling import Asked, Polled
from watthour.sources.shelly import ShellyOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
EVERY = timedelta(seconds=10)
P1 = homewizard.Identity("3c39e7aabbcc", "HWE-P1", "P1 meter")
LONGEST_S = 5.0


def values(heard: Heard) -> dict[tuple[str, str], float]:
    return {(each.thing.key, str(each.tells)): round(each.value, 6) for each in heard.told}


def answers(pages: Mapping[str, object]) -> Callable[[Request], Answer]:
    return lambda request: as_json(pages[request.path]) if request.path in pages else as_json({}, 404)


def host_of(url: str) -> str:
    return url.removeprefix("http://")


def test_a_p1_meter_tells_net_power_and_both_counters_apart() -> None:
    said = {
        "active_power_w": -543,
        "active_power_l1_w": -676,
        "active_power_l2_w": 133,
        "active_power_l3_w": None,
        "total_power_import_kwh": 13779.338,
        "total_power_export_kwh": 12.5,
    }
    heard = homewizard.read_data(P1, said, now=NOW, every=EVERY)
    assert values(heard) == {
        ("homewizard/3c39e7aabbcc/net", "power"): -543,
        ("homewizard/3c39e7aabbcc/net/l1", "power"): -676,
        ("homewizard/3c39e7aabbcc/net/l2", "power"): 133,
        ("homewizard/3c39e7aabbcc/import", "counter"): 13779.338,
        ("homewizard/3c39e7aabbcc/export", "counter"): 12.5,
    }
    assert {(each.time, each.thing.heartbeat) for each in heard.told} == {(NOW, EVERY)}


def test_tariffs_are_added_where_the_meter_tells_no_sum() -> None:
    said: dict[str, Any] = {"total_power_import_t1_kwh": 10830.511, "total_power_import_t2_kwh": 2948.827}
    assert values(homewizard.read_data(P1, said, now=NOW, every=EVERY)) == {
        ("homewizard/3c39e7aabbcc/import", "counter"): 13779.338
    }
    broken = homewizard.read_data(P1, {**said, "total_power_import_t2_kwh": "much"}, now=NOW, every=EVERY)
    assert broken.told == ()
    assert [fault.rule for fault in broken.faults] == ["value_is_a_number"]


def test_a_socket_is_one_thing_with_power_and_counter() -> None:
    socket = homewizard.Identity("1", "HWE-SKT", "Socket")
    heard = homewizard.read_data(
        socket, {"active_power_w": 123, "active_power_l1_w": 123, "total_power_import_t1_kwh": 3}, now=NOW, every=EVERY
    )
    assert values(heard) == {("homewizard/1/socket", "power"): 123, ("homewizard/1/socket", "counter"): 3}


def test_a_device_that_is_no_homewizard_is_refused() -> None:
    with pytest.raises(PayloadChanged, match="serial"):
        homewizard.read_identity({"product_type": "HWE-P1"})
    assert homewizard.read_data(P1, [1], now=NOW, every=EVERY).faults[0].rule == "payload_is_an_object"


def test_a_homewizard_is_asked_who_it_is_once() -> None:
    pages = {
        "/api": {"product_type": "HWE-P1", "product_name": "P1 meter", "serial": "abc", "api_version": "v1"},
        "/api/v1/data": {"active_power_w": 250},
    }
    with serve(answers(pages)) as server:
        device = homewizard.Homewizard(host_of(server.base_url), EVERY)
        assert values(device.ask(NOW)) == values(device.ask(NOW)) == {("homewizard/abc/net", "power"): 250}
    assert [request.path for request in server.requests] == ["/api", "/api/v1/data", "/api/v1/data"]


def test_a_homewizard_whose_local_api_is_off_says_how_to_switch_it_on() -> None:
    def closed(_request: Request) -> Answer:
        return as_json({"error": {"id": 202, "description": "API not enabled"}}, 403)

    with serve(closed) as server, pytest.raises(SourceRejected, match="Local API"):
        homewizard.Homewizard(host_of(server.base_url), EVERY).ask(NOW)


def test_a_shelly_of_the_first_generation_is_asked_for_its_status() -> None:
    pages = {
        "/shelly": {"type": "SHPLG-S", "mac": "AABBCCDDEEFF", "name": "Desk", "auth": False},
        "/settings": {"device": {"hostname": "shellyplug-s-DDEEFF"}},
        "/status": {"meters": [{"power": 20.5, "is_valid": True, "total": 60_000}], "unixtime": 5},
    }
    with serve(answers(pages)) as server:
        heard = shelly.Shelly(host_of(server.base_url), EVERY).ask(NOW)
    assert values(heard) == {
        ("shelly/shellyplug-s-DDEEFF/relay/0", "power"): 20.5,
        ("shelly/shellyplug-s-DDEEFF/relay/0", "counter"): 1.0,
    }
    assert {(each.thing.name, each.time) for each in heard.told} == {("Desk", NOW)}


def test_a_shelly_of_a_later_generation_calls_its_parts_as_people_do() -> None:
    pages = {
        "/shelly": {"id": "shellyplus1pm-a8", "gen": 2, "mac": "A8"},
        "/rpc/Shelly.GetConfig": {"switch:0": {"id": 0, "name": "Fridge"}, "sys": {"device": {"name": "x"}}},
        "/rpc/Shelly.GetStatus": {"switch:0": {"apower": 60.0, "aenergy": {"total": 1500.0}}, "wifi": {}},
    }
    with serve(answers(pages)) as server:
        heard = shelly.Shelly(host_of(server.base_url), EVERY).ask(NOW)
    assert values(heard) == {
        ("shelly/shellyplus1pm-a8/switch:0", "power"): 60.0,
        ("shelly/shellyplus1pm-a8/switch:0", "counter"): 1.5,
    }
    assert {each.thing.name for each in heard.told} == {"Fridge"}


def until(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + LONGEST_S
    while not is_so():
        assert monotonic() < ends_at, "it did not come to pass"
        sleep(0.005)


def test_a_device_that_does_not_answer_is_said_once_and_the_others_are_heard() -> None:
    pages = {"/api": {"product_type": "HWE-SKT", "serial": "abc"}, "/api/v1/data": {"active_power_w": 7}}
    heard: list[Heard] = []
    gone = f"127.0.0.1:{free_port()}"
    with serve(answers(pages)) as server, capture_logs() as logs:
        hosts = (gone, host_of(server.base_url))
        polled = Polled(
            "homewizard",
            [(host, homewizard.Homewizard(host, EVERY)) for host in hosts],
            timedelta(seconds=0.02),
            clock=lambda: NOW,
        )
        stopping = threading.Event()
        thread = threading.Thread(target=polled.listen, args=(heard.append, stopping), daemon=True)
        thread.start()
        until(lambda: len(heard) >= 3 and polled.state.problem is not None)
        state = polled.state
        stopping.set()
        thread.join(LONGEST_S)
    assert not thread.is_alive()
    assert state.is_connected
    assert gone in str(state.problem)
    assert "its address (hosts) is right" in str(state.remedy)
    assert state.option == "hosts"
    assert [each["event"] for each in logs] == ["not_answered"]


class Hanging:
    """A device whose name is never found, or which accepts us and says nothing, until it is let go."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.n_asked = 0

    def ask(self, now: datetime) -> Heard:
        self.n_asked += 1
        self.may_answer.wait()
        return Heard((Told(Thing("a/late", "a", "late"), Tells.POWER, 1.0, now),))


class Prompt:
    """A device that answers at once."""

    def ask(self, now: datetime) -> Heard:
        return Heard((Told(Thing("a/prompt", "a", "prompt"), Tells.POWER, 2.0, now),))


def listened(polled: Polled, heard: list[Heard]) -> tuple[threading.Thread, threading.Event]:
    stopping = threading.Event()
    thread = threading.Thread(target=polled.listen, args=(heard.append, stopping), daemon=True)
    thread.start()
    return thread, stopping


def test_devices_that_hang_hold_up_nobody_and_are_said_by_their_address() -> None:
    hanging = [Hanging(), Hanging()]
    heard: list[Heard] = []
    devices: list[tuple[str, Asked]] = [
        ("plug.lan", hanging[0]),
        ("192.168.1.20", Prompt()),
        ("192.168.1.21", hanging[1]),
    ]
    polled = Polled("shelly", devices, timedelta(seconds=0.02), clock=lambda: NOW, patience_s=1.0)
    with capture_logs() as logs:
        thread, stopping = listened(polled, heard)
        until(lambda: "2 of 3" in str(polled.state.problem) and len(heard) >= 3)
        assert polled.state.is_connected
        assert str(polled.state.problem).startswith("shelly: plug.lan: no answer within 1 s")
        assert "in place of its name" in str(polled.state.remedy)
        hanging[0].may_answer.set()
        until(lambda: any(told.value == 1.0 for each in heard for told in each.told))
        until(lambda: "192.168.1.21" in str(polled.state.problem))
        stopping.set()
        thread.join(LONGEST_S)  # although one is still being asked
        assert not thread.is_alive()
    assert [each["event"] for each in logs] == ["not_answered", "not_answered", "answers_again"]
    n_heard = len(heard)
    hanging[1].may_answer.set()
    until(lambda: all(not each.name.endswith("192.168.1.21") for each in threading.enumerate()))
    assert len(heard) == n_heard  # nobody takes it any more
    assert hanging[1].n_asked == 1


def test_a_store_that_is_locked_is_said_and_asking_goes_on() -> None:
    pages = {"/api": {"product_type": "HWE-SKT", "serial": "abc"}, "/api/v1/data": {"active_power_w": 7}}
    heard: list[Heard] = []

    def take(each: Heard) -> None:
        heard.append(each)
        if len(heard) == 1:
            raise StoreLocked("another process is writing", remedy="Wait.")

    with serve(answers(pages)) as server, capture_logs() as logs:
        host = host_of(server.base_url)
        polled = Polled("homewizard", [(host, homewizard.Homewizard(host, EVERY))], timedelta(seconds=0.02))
        stopping = threading.Event()
        thread = threading.Thread(target=polled.listen, args=(take, stopping), daemon=True)
        thread.start()
        until(lambda: polled.state.n_messages >= 1)
        stopping.set()
        thread.join(LONGEST_S)
    assert polled.state.problem is None
    assert [each["event"] for each in logs] == ["not_kept"]


def test_an_address_with_a_path_or_a_password_is_no_host() -> None:
    for host in ("http://192.168.1.20", "user:secret@meter", "meter/api", ""):
        with pytest.raises(ValidationError):
            HomewizardOptions(hosts=(host,))
    assert ShellyOptions.model_validate({"hosts": "192.168.1.20, plug.local:8080"}).hosts == (
        "192.168.1.20",
        "plug.local:8080",
    )
    assert homewizard.open_line(HomewizardOptions()) is None
    assert shelly.open_line(ShellyOptions(hosts=("a",), enabled=False)) is None


@pytest.mark.shared_data
def test_recorded_answers_of_homewizard_are_read(shared_data: Path) -> None:
    folder = shared_data / "home" / "fixtures" / "homewizard"
    n_values = {}
    for product in ("HWE-P1", "HWE-KWH1", "HWE-KWH3", "HWE-SKT", "SDM230-wifi", "SDM630-wifi", "HWE-WTR"):
        identity = homewizard.read_identity(
            json.loads((folder / f"tests__v1__fixtures__{product}__device.json").read_text())
        )
        assert identity.product == product
        for path in sorted(folder.glob(f"tests__v1__fixtures__{product}__data*.json")):
            heard = homewizard.read_data(identity, json.loads(path.read_text()), now=NOW, every=EVERY)
            assert heard.faults == ()
            n_values[f"{product} {path.stem.rpartition('__')[2]}"] = len(heard.told)
    assert n_values == {
        "HWE-P1 data": 6,
        "HWE-P1 data_minimal": 6,
        "HWE-P1 data_no_gas": 6,
        "HWE-P1 data_single_phase": 4,
        "HWE-KWH1 data": 4,
        "HWE-KWH3 data": 6,
        "HWE-SKT data": 3,
        "SDM230-wifi data": 4,
        "SDM630-wifi data": 6,
        "HWE-WTR data": 0,
    }
