"""The subscriber against a real broker: what is kept is confirmed, what is not is sent again, and nothing grows."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from time import monotonic, sleep
from typing import TYPE_CHECKING

import numpy as np
import pytest
from aiomqtt import Message
from fakes.broker import MOSQUITTO, LocalBroker, Mosquitto, free_port
from loops import run_apart
from structlog.testing import capture_logs

from watthour.core.errors import StoreLocked
from watthour.core.heard import Heard, LineState
from watthour.sources.mqtt.broker import Broker, Waits
from watthour.sources.mqtt.inbox import Inbox
from watthour.sources.mqtt.message import LARGEST_PAYLOAD
from watthour.sources.mqtt.subscriber import Mqtt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

QUICK = Waits(first_s=0.02, longest_s=0.1, gather_s=0.05, caught_up_s=0.05)
LONGEST_S = 5.0
TOPIC = "plug/events/rpc"


@pytest.fixture
def broker() -> Iterator[LocalBroker]:
    found = LocalBroker()
    found.start()
    yield found
    found.close()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    found = Mosquitto(tmp_path)
    found.start()
    yield found
    found.close()


class Kept:
    """What was handed over; it can be told to be locked, as a store is."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.is_locked: bool = False
        self.n_tries = 0

    def take(self, heard: Heard) -> None:
        self.n_tries += 1
        if self.is_locked:
            raise StoreLocked("another process is writing", remedy="Wait.")
        self.heard.append(heard)

    @property
    def values(self) -> list[float]:
        return [told.value for heard in self.heard for told in heard.told]

    @property
    def rules(self) -> list[str]:
        return [fault.rule for heard in self.heard for fault in heard.faults]


def line(broker: LocalBroker | Mosquitto, client_id: str, *topics: str) -> Mqtt:
    return Mqtt(
        Broker("127.0.0.1", broker.port, client_id, "user", "secret"), topics, waits=QUICK, rng=np.random.default_rng(0)
    )


def until(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + LONGEST_S
    while not is_so():
        assert monotonic() < ends_at, "it did not come to pass"
        sleep(0.005)


@contextmanager
def listening(mqtt: Mqtt, kept: Kept) -> Iterator[None]:
    stopping = threading.Event()
    thread = threading.Thread(target=mqtt.listen, args=(kept.take, stopping), daemon=True)
    thread.start()
    try:
        until(lambda: mqtt.state.is_connected or mqtt.state.problem is not None)
        sleep(0.1)  # the subscription follows the connection
        yield
    finally:
        stopping.set()
        thread.join(LONGEST_S)
    assert not thread.is_alive()


def event(power: float) -> tuple[str, str]:
    """Return a message that says its own time."""
    at = datetime.now(UTC).timestamp()
    return TOPIC, json.dumps({"method": "NotifyStatus", "params": {"ts": at, "switch:0": {"apower": power}}})


def test_what_devices_tell_arrives_with_the_time_it_came(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "arrives"), Kept()
    with listening(mqtt, kept):
        began_at = datetime.now(UTC)
        broker.publish([("shellies/a/relay/0/power", str(n)) for n in range(30)])
        broker.publish([("tele/b/SENSOR", '{"ENERGY": {"Power": 5}}')], qos=0)
        until(lambda: len(kept.values) == 31 and mqtt.state.n_messages == 31)  # counted once they are kept
        state = mqtt.state
    assert kept.values == [*range(30), 5.0]
    times = [told.time for heard in kept.heard for told in heard.told]
    assert all(time is not None and time >= began_at for time in times)
    assert len(set(times)) == 31
    assert (state.is_connected, state.problem, state.n_messages, state.n_faults) == (True, None, 31, 0)
    assert state.last_heard_at is not None


def test_what_is_sent_while_nobody_listens_is_sent_again(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "away"), Kept()
    with listening(mqtt, kept):
        pass
    broker.publish([event(n) for n in range(20)])
    with listening(mqtt, kept):
        until(lambda: len(kept.values) == 20)
        broker.publish([event(20)])
        until(lambda: len(kept.values) == 21)
    assert sorted(kept.values) == list(range(21))


def test_a_value_that_waited_at_the_broker_and_says_no_time_has_none(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "waited"), Kept()
    with listening(mqtt, kept):
        pass
    broker.publish([("shellies/w/relay/0/power", "7")])
    with listening(mqtt, kept):
        until(lambda: kept.values == [7.0])
        sleep(0.2)
        broker.publish([("shellies/w/relay/0/power", "8")])
        until(lambda: kept.values == [7.0, 8.0])
    times = [told.time for heard in kept.heard for told in heard.told]
    assert times[0] is None
    assert times[1] is not None


def test_nothing_is_confirmed_before_it_is_kept(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "locked"), Kept()
    kept.is_locked = True
    with listening(mqtt, kept):
        broker.publish([event(n) for n in range(5)])
        until(lambda: kept.n_tries >= 3)
        assert broker.n_unconfirmed("locked") == 5
        assert str(mqtt.state.problem) == "another process is writing"
        kept.is_locked = False
        until(lambda: broker.n_unconfirmed("locked") == 0)
        until(lambda: mqtt.state.problem is None)
    assert kept.values == list(range(5))


def test_what_was_not_kept_comes_again(mosquitto: Mosquitto) -> None:
    mqtt, kept = line(mosquitto, "locked"), Kept()
    kept.is_locked = True
    with listening(mqtt, kept):
        mosquitto.publish([event(n) for n in range(50)])
        until(lambda: kept.n_tries >= 2)
    assert kept.values == []
    kept.is_locked = False
    with listening(mqtt, kept):
        until(lambda: len(kept.values) >= 50)
    assert sorted(set(kept.values)) == list(range(50))


def test_nothing_is_lost_when_the_broker_ends_and_nobody_listens_and_the_store_is_locked(mosquitto: Mosquitto) -> None:
    mqtt, kept = line(mosquitto, "all"), Kept()
    with listening(mqtt, kept):
        mosquitto.publish([event(n) for n in range(30)])
        until(lambda: len(kept.values) == 30)
        kept.is_locked = True
        mosquitto.publish([event(n) for n in range(30, 60)])
        until(lambda: kept.n_tries >= 5)
        mosquitto.stop()
        mosquitto.start()
        until(lambda: mqtt.state.is_connected)
        mosquitto.publish([event(n) for n in range(60, 90)])
        kept.is_locked = False
        until(lambda: set(kept.values) >= set(range(90)))
    mosquitto.publish([event(n) for n in range(90, 99)])
    with listening(mqtt, kept):
        until(lambda: set(kept.values) >= set(range(99)))


def test_a_broker_that_is_ended_and_started_again_is_found_again_and_said_once() -> None:
    broker = LocalBroker()
    broker.start()
    mqtt, kept = line(broker, "restart"), Kept()
    with capture_logs() as logs, listening(mqtt, kept):
        broker.publish([event(1)])
        until(lambda: kept.values == [1.0])
        broker.stop()
        until(lambda: not mqtt.state.is_connected and mqtt.state.problem is not None)
        sleep(0.3)
        assert str(broker.port) in str(mqtt.state.problem)
        broker.start()
        until(lambda: mqtt.state.is_connected)
        assert mqtt.state.problem is None
        sleep(0.1)
        broker.publish([event(2)])
        until(lambda: kept.values == [1.0, 2.0])
    broker.close()
    assert [each["event"] for each in logs].count("not_connected") == 1
    assert [each["event"] for each in logs].count("connected") == 2
    assert "secret" not in str(logs)


def test_a_broker_that_is_not_there_is_said_with_the_cure() -> None:
    mqtt = Mqtt(Broker("127.0.0.1", free_port(), "alone", "user", "secret"), waits=QUICK)
    with capture_logs(), listening(mqtt, Kept()):
        state = mqtt.state
    assert not state.is_connected
    assert "cannot be reached" in str(state.problem)
    assert "host and port" in str(state.remedy)
    assert state.option == "host"
    assert "secret" not in repr(mqtt.__dict__)


def test_a_host_that_is_no_name_is_said_at_its_field() -> None:
    mqtt = Mqtt(Broker("x" * 255, 1883, "alone"), waits=QUICK)
    with capture_logs(), listening(mqtt, Kept()):
        until(lambda: mqtt.state.problem is not None)
    assert "cannot be the name of a broker" in str(mqtt.state.problem)
    assert mqtt.state.option == "host"


def test_a_certificate_that_is_not_there_is_said_with_the_cure(tmp_path: Path) -> None:
    where = Broker("127.0.0.1", free_port(), "alone", tls=True, ca_file=tmp_path / "ca.crt")
    mqtt = Mqtt(where, waits=QUICK)
    with capture_logs(), listening(mqtt, Kept()):
        state = mqtt.state
    assert str(tmp_path / "ca.crt") in str(state.problem)
    assert "ca_file" in str(state.remedy)


def test_topics_that_discovery_announces_are_listened_to(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "discovery"), Kept()
    config = {
        "unique_id": "boiler",
        "state_topic": "cellar/boiler/now",
        "unit_of_measurement": "kW",
        "device_class": "power",
    }
    broker.publish([("homeassistant/sensor/boiler/config", json.dumps(config))], retain=True)
    with listening(mqtt, kept):
        sleep(0.3)
        broker.publish([("cellar/boiler/now", "2.5"), ("cellar/boiler/other", "9")])
        until(lambda: kept.values == [2500.0])
    broker.publish([("homeassistant/sensor/boiler/config", b"")], retain=True)


def test_a_retained_value_has_no_time(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "retained"), Kept()
    broker.publish([("tele/r/SENSOR", '{"ENERGY": {"Power": 3}}')], retain=True)
    with listening(mqtt, kept):
        until(lambda: kept.values == [3.0])
    broker.publish([("tele/r/SENSOR", b"")], retain=True)
    assert kept.heard[0].told[0].time is None


def test_only_topics_of_ones_own_are_listened_to_where_some_are_named(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "own", "tele/mine/#"), Kept()
    with listening(mqtt, kept):
        broker.publish([("tele/other/SENSOR", '{"ENERGY": {"Power": 1}}')])
        broker.publish([("tele/mine/SENSOR", '{"ENERGY": {"Power": 2}}')])
        until(lambda: kept.values == [2.0])


def test_broken_and_huge_payloads_do_not_stop_the_line(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "broken"), Kept()
    with listening(mqtt, kept):
        broker.publish([("zigbee2mqtt/p", b"\xff\xfe"), ("zigbee2mqtt/p", "no JSON")])
        broker.publish([("zigbee2mqtt/p", b"x" * (2 * LARGEST_PAYLOAD)), ("zigbee2mqtt/p", '{"power": 4}')])
        until(lambda: kept.values == [4.0] and mqtt.state.n_faults == 3)  # counted once they are kept
    assert kept.rules == ["payload_is_text", "payload_is_json", "payload_is_small"]


def test_a_flood_waits_at_the_broker_and_none_of_it_is_lost(
    broker: LocalBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watthour.sources.mqtt.inbox.MOST_MESSAGES", 50)
    most_waiting = 0
    put = Inbox._put

    def watched(inbox: Inbox, item: Message) -> None:
        nonlocal most_waiting
        put(inbox, item)
        most_waiting = max(most_waiting, inbox.qsize())

    monkeypatch.setattr(Inbox, "_put", watched)
    mqtt, kept = line(broker, "flood"), Kept()
    kept.is_locked = True
    with listening(mqtt, kept):
        broker.publish([("shellies/f/relay/0/power", str(n)) for n in range(200)], qos=0)
        until(lambda: kept.n_tries >= 3)
        kept.is_locked = False
        until(lambda: len(kept.values) == 200)
    assert kept.values == list(range(200))
    assert 50 <= most_waiting <= 60


def test_an_inbox_counts_bytes_as_well_as_messages() -> None:
    async def fill() -> tuple[list[str], int]:
        inbox, said = Inbox(), []
        inbox.most_bytes = 1000
        inbox.stop_reading = lambda: said.append("stop")
        inbox.read_again = lambda: said.append("again")
        for n in range(12):
            inbox.put_nowait(Message("a", b"x" * 100, 0, retain=False, mid=n, properties=None))
        n_bytes = inbox.n_bytes
        while not inbox.empty():
            inbox.get_nowait()
        return said, n_bytes

    said, n_bytes = run_apart(fill())
    assert said == ["stop", "again"]
    assert n_bytes == 1200


def test_waits_grow_to_their_limit_and_differ_by_chance() -> None:
    waits, rng = Waits(first_s=1.0, longest_s=60.0), np.random.default_rng(1)
    grown = [waits.after(n, rng) for n in range(1, 10)]
    for n, wait in enumerate(grown):
        assert 0.5 * min(60, 2**n) <= wait <= min(60, 2**n)
    assert waits.after(10_000, rng) <= 60.0
    assert len({waits.after(3, rng) for _ in range(5)}) == 5


def test_what_breaks_down_is_said_and_listening_goes_on(broker: LocalBroker) -> None:
    mqtt, kept = line(broker, "bug"), Kept()
    n_bugs = 0

    def take(heard: Heard) -> None:
        nonlocal n_bugs
        if not n_bugs:
            n_bugs += 1
            raise ZeroDivisionError
        kept.take(heard)

    stopping = threading.Event()
    with capture_logs() as logs:
        thread = threading.Thread(target=mqtt.listen, args=(take, stopping), daemon=True)
        thread.start()
        until(lambda: mqtt.state.is_connected)
        sleep(0.1)
        broker.publish([event(1)])
        until(lambda: n_bugs == 1 and mqtt.state.is_connected and mqtt.state.problem is None)
        sleep(0.1)
        broker.publish([event(2)])
        until(lambda: 2.0 in kept.values)
        stopping.set()
        thread.join()
    assert "listening_failed" in [each["event"] for each in logs]
    assert isinstance(mqtt.state, LineState)
