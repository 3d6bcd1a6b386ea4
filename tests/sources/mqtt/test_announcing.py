"""Homes announced to Home Assistant over a real broker: found, kept true, ordered about, and taken away again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from aiomqtt import Client
from fakes.broker import MOSQUITTO, Mosquitto
from loops import run_apart
from structlog.testing import capture_logs

from watthour.core.bulletin import Bulletin, Entry, Matter, Order
from watthour.core.errors import UnknownName
from watthour.sources.mqtt import MqttOptions, open_board
from watthour.sources.mqtt.announced import FILE_NAME, Announced
from watthour.sources.mqtt.announcer import Announcer
from watthour.sources.mqtt.broker import Broker, Waits
from watthour.sources.mqtt.discovery import LARGEST_ATTRIBUTES, Topics, attributes_of, config_of
from watthour.sources.mqtt.message import Message
from watthour.sources.mqtt.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUICK = Waits(first_s=0.05, longest_s=0.2, gather_s=0.05, caught_up_s=0.05)
LONGEST_S = 15.0
AT = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
MONTH = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
RECORDED = Path(__file__).parents[2] / "recorded" / "home_assistant" / "discovery.json"
PRICE = Entry("price", "Price now", Matter.PRICE, 0.2345, "EUR/kWh", more={"band": "night"})
COST = Entry("cost_month", "Cost this month", Matter.COST, 41.5, "EUR", MONTH)
START = Entry("start_washer", "washer next start", Matter.START, datetime(2026, 11, 23, 2, 15, tzinfo=UTC))
ACCEPT = Entry("accept_washer", "washer accept next run", Matter.ACCEPT, value=False, run="washer-20261122-1")
SKIP = Entry("skip_washer", "washer skip next run", Matter.SKIP, value=False, run="washer-20261122-1")
FLAT = Bulletin(
    "flat",
    "Flat",
    (
        Entry("power_next_hour", "Net power next hour", Matter.POWER_AHEAD, 0.42),
        Entry("energy_tomorrow", "Net energy tomorrow", Matter.ENERGY_AHEAD, None, more={"why": "It is not known."}),
        PRICE,
        Entry("carbon", "Carbon now", Matter.CARBON, 310.0, "gCO2eq/kWh"),
        Entry("energy_month", "Energy drawn this month", Matter.ENERGY, 151.25, since=MONTH),
        COST,
        Entry("carbon_month", "CO2 of energy drawn this month", Matter.EMISSIONS, 46.9, since=MONTH),
        Entry("saved_month", "Saved by plans this month", Matter.SAVING, -0.2, "EUR", MONTH),
        Entry("saved_carbon_month", "CO2 saved by plans this month", Matter.SAVED_EMISSIONS, 1.5, since=MONTH),
        Entry("plan", "Plan", Matter.PLAN, AT, more={"runs": []}),
        START,
        ACCEPT,
        SKIP,
    ),
)
HUT = Bulletin("hut", "Hütte / 1+2 #", (PRICE,))


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    folder = tmp_path / "broker"
    folder.mkdir()
    found = Mosquitto(folder)
    found.start()
    yield found
    found.close()


class Orders:
    def __init__(self) -> None:
        self.taken: list[Order] = []
        self.problem: str | None = None

    def take(self, order: Order) -> None:
        if self.problem is not None:
            raise UnknownName("run", order.run, self.problem, remedy="Look at the plan.")
        self.taken.append(order)


def until(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + LONGEST_S
    while not is_so():
        assert monotonic() < ends_at, "it did not come to pass"
        sleep(0.02)


def announcer(broker: Mosquitto, home: Path, *, is_wanted: bool = True) -> Announcer:
    where = Broker("127.0.0.1", broker.port, "watthour-test-tells", "user", "secret", is_passing=True)
    announced = Announced(home, f"127.0.0.1:{broker.port} homeassistant")
    return Announcer(where, announced, is_wanted=is_wanted, waits=QUICK, rng=np.random.default_rng(0))


@contextmanager
def telling(board: Announcer, orders: Orders | None = None) -> Iterator[None]:
    stopping = threading.Event()
    thread = threading.Thread(target=board.tell, args=((orders or Orders()).take, stopping), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(LONGEST_S)
    assert not thread.is_alive()


def retained(broker: Mosquitto) -> dict[str, str]:
    """Return what a Home Assistant finds that connects now."""

    async def look() -> dict[str, str]:
        found: dict[str, str] = {}
        async with Client("127.0.0.1", broker.port, username="looker") as client:
            await client.subscribe([("#", 1)])
            try:
                async with asyncio.timeout(0.4):
                    async for message in client.messages:
                        if message.payload:
                            found[message.topic.value] = bytes(message.payload).decode()
                        else:
                            found.pop(message.topic.value, None)
            except TimeoutError:
                pass
        return found

    return run_apart(look())


def topics_of(home: Path) -> Topics:
    return Topics(Announced(home, "any").installation())


def state_of(broker: Mosquitto, home: Path, bulletin: Bulletin) -> dict[str, Any]:
    said = retained(broker).get(topics_of(home).state(bulletin.home))
    return {} if not said else dict(json.loads(said))


def test_the_announcement_is_as_recorded() -> None:
    topics = Topics("a1b2c3d4")
    config = json.loads(config_of(FLAT, topics))
    assert {topics.config("flat"): config} == json.loads(RECORDED.read_text(encoding="utf-8"))


def test_what_home_assistant_demands_of_classes_holds() -> None:
    parts = json.loads(config_of(FLAT, Topics("a1b2c3d4")))["components"]
    by_key = {key: (part.get("device_class"), part.get("state_class")) for key, part in parts.items()}
    assert by_key["power_next_hour"] == ("power", None)  # a forecast is no measurement
    assert by_key["energy_tomorrow"] == ("energy", None)
    assert by_key["price"] == (None, "measurement")  # monetary has a currency as its unit, and this is one per kWh
    assert by_key["carbon"] == (None, "measurement")  # the class for CO2 is a concentration in air
    assert by_key["energy_month"] == ("energy", "total")
    assert by_key["cost_month"] == ("monetary", "total")
    assert parts["cost_month"]["unit_of_measurement"] == "EUR"
    assert by_key["start_washer"] == ("timestamp", None)
    ids = [part["unique_id"] for part in parts.values()]
    assert len(set(ids)) == len(ids)
    for part in parts.values():
        assert ("last_reset_value_template" in part) == (part.get("state_class") == "total")


def test_a_home_assistant_that_comes_later_finds_the_home_and_its_values(broker: Mosquitto, tmp_path: Path) -> None:
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show([FLAT])
        until(lambda: board.state.n_messages >= 3 + len(FLAT.entries))
        sleep(0.2)
        found = retained(broker)
    topics = topics_of(tmp_path)
    assert found[topics.config("flat")] == config_of(FLAT, topics)
    assert found[topics.availability] == "online"
    state = json.loads(found[topics.state("flat")])
    assert (state["price"], state["start_washer"], state["skip_washer"]) == (0.2345, "2026-11-23T02:15:00+00:00", "OFF")
    assert state["energy_tomorrow"] is None  # unknown, and not zero
    assert state["cost_month_since"] == MONTH.isoformat()
    assert json.loads(found[topics.attributes("flat", "price")]) == {"told_by": "Watthour", "band": "night"}
    assert retained(broker)[topics.availability] == "offline"  # it has said goodbye
    assert set(found) == set(retained(broker))


def test_only_what_changes_is_sent_again(broker: Mosquitto, tmp_path: Path) -> None:
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show([FLAT])
        until(lambda: bool(state_of(broker, tmp_path, FLAT)) and board.state.n_messages >= 3 + len(FLAT.entries))
        before = board.state.n_messages
        board.show([replace(FLAT)])
        sleep(0.4)
        assert board.state.n_messages == before
        board.show([replace(FLAT, entries=(*FLAT.entries[:2], replace(PRICE, value=0.1), *FLAT.entries[3:]))])
        until(lambda: state_of(broker, tmp_path, FLAT).get("price") == 0.1)
        assert board.state.n_messages == before + 1


def test_home_assistant_that_begins_anew_is_told_all_again(broker: Mosquitto, tmp_path: Path) -> None:
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show([FLAT])
        until(lambda: board.state.n_messages == 3 + len(FLAT.entries))
        broker.publish([("homeassistant/status", "offline")])
        sleep(0.3)
        assert board.state.n_messages == 3 + len(FLAT.entries)
        broker.publish([("homeassistant/status", "online")])
        until(lambda: board.state.n_messages == 2 * (3 + len(FLAT.entries)))


def test_what_goes_away_is_taken_away_also_after_a_restart(broker: Mosquitto, tmp_path: Path) -> None:
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show([FLAT, HUT])
        until(lambda: bool(state_of(broker, tmp_path, HUT)))
    both = retained(broker)
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show([replace(FLAT, entries=FLAT.entries[:-3])])
        until(lambda: not state_of(broker, tmp_path, HUT) and "skip_washer" not in state_of(broker, tmp_path, FLAT))
        sleep(0.2)
        left = retained(broker)
    topics = topics_of(tmp_path)
    assert {topic for topic in both if "hut" in topic}
    assert not {topic for topic in left if "hut" in topic}
    assert set(both) - set(left) >= {topics.attributes("flat", "skip_washer")}
    assert set(json.loads(left[topics.config("flat")])["components"]) == {e.key for e in FLAT.entries[:-3]}
    board = announcer(broker, tmp_path, is_wanted=False)
    with telling(board):
        until(lambda: board.is_over)
        until(lambda: retained(broker) == {})
    assert retained(broker) == {}


def test_a_part_that_goes_is_first_announced_as_gone(broker: Mosquitto, tmp_path: Path) -> None:
    heard: list[dict[str, Any]] = []
    is_over = threading.Event()

    async def watch() -> None:
        async with Client("127.0.0.1", broker.port, username="watcher") as client:
            await client.subscribe("homeassistant/device/+/config", 1)
            while not is_over.is_set():
                try:
                    async with asyncio.timeout(0.2):
                        said = await anext(aiter(client.messages))
                        heard.append(json.loads(bytes(said.payload))["components"])
                except TimeoutError:
                    continue

    thread = threading.Thread(target=lambda: run_apart(watch()), daemon=True)
    thread.start()
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show([FLAT])
        until(lambda: len(heard) == 1)
        board.show([replace(FLAT, entries=(PRICE,))])
        until(lambda: len(heard) == 3)
    is_over.set()
    thread.join(LONGEST_S)
    assert heard[1]["skip_washer"] == {"platform": "switch"}  # so Home Assistant forgets it
    assert heard[1]["carbon"] == {"platform": "sensor"}
    assert list(heard[2]) == ["price"]


def test_orders_come_from_switches_and_only_live_ones(broker: Mosquitto, tmp_path: Path) -> None:
    topics, orders = topics_of(tmp_path), Orders()
    broker.publish([(topics.order("flat", "skip_washer"), "ON")], retain=True)  # of yesterday
    board = announcer(broker, tmp_path)
    with telling(board, orders), capture_logs():
        board.show([FLAT])
        until(lambda: bool(state_of(broker, tmp_path, FLAT)) and board.state.is_connected)
        assert orders.taken == []
        broker.publish([(topics.order("flat", "skip_washer"), "ON"), (topics.order("flat", "accept_washer"), "ON")])
        broker.publish([(topics.order("flat", "skip_washer"), "OFF")])
        until(lambda: len(orders.taken) == 3)
        n_failures = board.state.n_failures
        broker.publish([(topics.order("flat", "oven"), "ON"), (topics.order("flat", "skip_washer"), "perhaps")])
        until(lambda: board.state.n_failures == n_failures + 2)
        orders.problem = "there is no such run any more"
        broker.publish([(topics.order("flat", "accept_washer"), "ON")])
        until(lambda: board.state.n_failures == n_failures + 3)
        assert board.state.problem is None  # it is told all the same
    run = "washer-20261122-1"
    assert orders.taken == [Order("flat", run, "skip"), Order("flat", run, "accept"), Order("flat", run, "undo")]


def test_a_broker_that_is_killed_and_has_forgotten_all_is_told_all_anew(broker: Mosquitto, tmp_path: Path) -> None:
    board = announcer(broker, tmp_path)
    with capture_logs() as logs, telling(board):
        board.show([FLAT])
        until(lambda: bool(state_of(broker, tmp_path, FLAT)))
        broker.kill()
        until(lambda: not board.state.is_connected and board.state.n_failures > 0)
        assert "cannot be reached" in str(board.state.problem)
        board.show([replace(FLAT, entries=(replace(PRICE, value=0.9),))])  # meanwhile
        assert not list((tmp_path / "broker").glob("*.db"))
        broker.start()
        until(lambda: state_of(broker, tmp_path, FLAT) == {"price": 0.9})
        assert board.state.problem is None
    assert [each["event"] for each in logs].count("not_announced") == 1
    assert "secret" not in str(logs)


def test_watthour_that_is_killed_is_shown_as_gone_and_comes_back_as_itself(broker: Mosquitto, tmp_path: Path) -> None:
    code = (
        "import sys, threading; from pathlib import Path\n"
        "from sources.mqtt.test_announcing import FLAT, Orders, announcer\n"
        "class There: port = int(sys.argv[1])\n"
        "board = announcer(There(), Path(sys.argv[2])); board.show([FLAT])\n"
        "board.tell(Orders().take, threading.Event())\n"
    )
    tests = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": f"{tests}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-c", code, str(broker.port), str(tmp_path)]
    with subprocess.Popen(command, env=env) as process:
        until(lambda: (tmp_path / FILE_NAME).exists() and bool(state_of(broker, tmp_path, FLAT)))
        topics = topics_of(tmp_path)
        until(lambda: retained(broker).get(topics.availability) == "online")
        first = retained(broker)
        process.send_signal(signal.SIGKILL)
    until(lambda: retained(broker)[topics.availability] == "offline")
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show([FLAT])
        until(lambda: retained(broker)[topics.availability] == "online")
        assert retained(broker) == first  # the same ids


def test_two_homes_whose_names_are_no_topics_stand_apart(broker: Mosquitto, tmp_path: Path) -> None:
    odd = [Bulletin(name, name, (PRICE,)) for name in ("Küche/+", "Küche/#", "家", "x" * 300, "x" * 299, "kuche")]
    board = announcer(broker, tmp_path)
    with telling(board):
        board.show(odd)
        until(lambda: all(state_of(broker, tmp_path, each) for each in odd))
        sleep(0.2)
        found = retained(broker)
        board.show([])
        until(lambda: retained(broker) == {})
    configs = {topic: json.loads(said) for topic, said in found.items() if topic.endswith("/config")}
    assert len(configs) == len({config["device"]["identifiers"][0] for config in configs.values()}) == len(odd)
    assert all(re.fullmatch(r"homeassistant/device/[a-zA-Z0-9_-]+/config", topic) for topic in configs)
    assert {config["device"]["name"] for config in configs.values()} == {each.name for each in odd}


def test_two_installations_at_one_broker_do_not_touch_each_other(broker: Mosquitto, tmp_path: Path) -> None:
    other_home = tmp_path / "other"
    mine, other = announcer(broker, tmp_path), announcer(broker, other_home)
    with telling(other):
        other.show([FLAT])
        until(lambda: bool(state_of(broker, other_home, FLAT)))
    before = set(retained(broker))
    with telling(mine):
        mine.show([FLAT])
        until(lambda: bool(state_of(broker, tmp_path, FLAT)))
        mine.withdraw()
        until(lambda: mine.is_over)
        until(lambda: set(retained(broker)) == before)


def test_our_own_announcements_are_never_heard_as_meters() -> None:
    topics, reader = Topics("a1b2c3d4"), Reader()
    config = Message(topics.config("flat"), config_of(FLAT, topics).encode(), AT)
    assert reader.read(config).told == ()
    assert reader.read(config).faults == ()
    assert reader.state_topics() == frozenset()
    another = json.loads(config_of(FLAT, topics))
    another["o"] = {"name": "Zigbee2MQTT"}
    del another["origin"]
    reader.read(Message(topics.config("flat"), json.dumps(another).encode(), AT))
    assert reader.state_topics() == {topics.state("flat")}  # of anybody else it is


@pytest.mark.parametrize("entity", ["watthour_flat_energy_this_month", "renamed_by_a_person"])
def test_our_entities_that_statestream_sends_back_are_not_heard(entity: str) -> None:
    reader, base = Reader(), f"homeassistant/sensor/{entity}"
    said = [("told_by", '"Watthour"'), ("unit_of_measurement", '"kWh"'), ("state_class", '"total"'), ("state", "151.2")]
    heard = [reader.read(Message(f"{base}/{field}", text.encode(), AT)) for field, text in said]
    assert [told for each in heard for told in each.told] == []
    heard = [reader.read(Message(f"homeassistant/sensor/p1/{f}", t.encode(), AT)) for f, t in said[1:]]
    assert [told.value for each in heard for told in each.told] == [151.2]  # what is a meter is heard


def test_attributes_that_home_assistant_would_not_keep_are_left_out_and_named() -> None:
    entry = replace(PRICE, more={"band": "night", "steps": ["x" * 100] * 200})
    told = json.loads(attributes_of(entry))
    assert told["band"] == "night"
    assert "too long" in told["steps"]
    assert len(attributes_of(entry).encode()) < LARGEST_ATTRIBUTES


def test_nothing_is_announced_unless_it_is_said(tmp_path: Path) -> None:
    assert open_board(MqttOptions(host="10.0.0.1"), client_id="w", home=tmp_path) is None
    assert open_board(MqttOptions(announce=True), client_id="w", home=tmp_path) is None
    board = open_board(MqttOptions(host="10.0.0.1", announce=True), client_id="w", home=tmp_path)
    assert board is not None
    assert not board.is_over
    assert not (tmp_path / FILE_NAME).exists()


@pytest.mark.parametrize("prefix", ["", "/homeassistant", "home/", "home/#", "a+b"])
def test_a_prefix_that_begins_no_topic_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="discovery_prefix"):
        MqttOptions(host="10.0.0.1", discovery_prefix=prefix)
