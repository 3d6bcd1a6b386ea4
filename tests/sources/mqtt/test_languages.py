"""What each language of devices says: values in W, kWh and degC, keys that stay, and the rules that payloads break."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watthour.core.heard import Heard, Tells
from watthour.sources.mqtt.home_assistant import template_path
from watthour.sources.mqtt.message import LARGEST_PAYLOAD, Answer, Broken, Message
from watthour.sources.mqtt.reader import Reader
from watthour.sources.mqtt.shelly import read_components, read_first_status

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def message(topic: str, payload: object, *, is_live: bool = True) -> Message:
    text = payload if isinstance(payload, str) else json.dumps(payload)
    return Message(topic, text.encode(), NOW, is_live)


def heard(topic: str, payload: object) -> Heard:
    return Reader().read(message(topic, payload))


def values(found: Heard) -> dict[tuple[str, str], float]:
    return {(each.thing.key, str(each.tells)): round(each.value, 6) for each in found.told}


def rules(found: Heard) -> list[str]:
    return [fault.rule for fault in found.faults]


def test_a_first_shelly_tells_watts_and_watt_minutes() -> None:
    assert values(heard("shellies/shellyplug-s-DDEEFF/relay/0/power", "20.50")) == {
        ("shelly/shellyplug-s-DDEEFF/relay/0", "power"): 20.5
    }
    assert values(heard("shellies/shellyplug-s-DDEEFF/relay/0/energy", "60000")) == {
        ("shelly/shellyplug-s-DDEEFF/relay/0", "counter"): 1.0
    }


def test_a_first_shelly_meter_counts_watt_hours_drawn_and_fed_in_apart() -> None:
    assert values(heard("shellies/shellyem-1/emeter/1/total", "12345.6")) == {
        ("shelly/shellyem-1/emeter/1/import", "counter"): 12.3456
    }
    assert values(heard("shellies/shellyem-1/emeter/1/total_returned", "500")) == {
        ("shelly/shellyem-1/emeter/1/export", "counter"): 0.5
    }
    assert heard("shellies/shellyem-1/emeter/1/energy", "60000") == Heard()  # the watt-minutes since the last message


def test_a_later_shelly_tells_its_own_time_and_counts_watt_hours() -> None:
    at = NOW - timedelta(seconds=90)
    said = {"src": "x", "method": "NotifyStatus"}
    params = {"ts": at.timestamp(), "switch:0": {"id": 0, "apower": 8.9, "aenergy": {"total": 922.282}}}
    found = heard("shellyplus1pm-a8/events/rpc", {**said, "params": params})
    assert values(found) == {
        ("shelly/shellyplus1pm-a8/switch:0", "power"): 8.9,
        ("shelly/shellyplus1pm-a8/switch:0", "counter"): 0.922282,
    }
    assert {each.time for each in found.told} == {at}
    assert found.told[0].thing.kind == "plug"


def test_a_shelly_under_a_prefix_of_ones_own_has_the_same_key_on_both_of_its_topics() -> None:
    by_event = heard(
        "kitchen/fridge/events/rpc", {"method": "NotifyFullStatus", "params": {"ts": None, "pm1:0": {"apower": 4}}}
    )
    by_status = heard("kitchen/fridge/status/pm1:0", {"id": 0, "apower": 4})
    assert values(by_event) == values(by_status) == {("shelly/kitchen/fridge/pm1:0", "power"): 4.0}
    assert by_status.told[0].time == NOW


def test_a_shelly_meter_of_three_phases_tells_the_sum_each_phase_and_both_directions() -> None:
    power = heard("em/status/em:0", {"a_act_power": 10, "b_act_power": -20, "c_act_power": 5, "total_act_power": -5})
    assert values(power) == {
        ("shelly/em/em:0", "power"): -5,
        ("shelly/em/em:0/a", "power"): 10,
        ("shelly/em/em:0/b", "power"): -20,
        ("shelly/em/em:0/c", "power"): 5,
    }
    counted = heard("em/status/emdata:0", {"total_act": 6_400.0, "total_act_ret": 50})
    assert values(counted) == {
        ("shelly/em/em:0/import", "counter"): 6.4,
        ("shelly/em/em:0/export", "counter"): 0.05,
    }


def test_a_shellys_own_heat_is_no_temperature_of_a_room() -> None:
    assert heard("plug/status/temperature:0", {"id": 0, "tC": 41.9}) == Heard()
    assert values(heard("plug/status/temperature:100", {"id": 100, "tC": 21.5})) == {
        ("shelly/plug/temperature:100", "temperature"): 21.5
    }


def test_a_tasmota_plug_tells_watts_and_kilowatt_hours() -> None:
    payload = {"Time": "2019-11-19T11:02:53", "ENERGY": {"Total": 15.457, "Today": 0.86, "Power": 7, "Voltage": 123}}
    found = heard("tele/fridge/SENSOR", payload)
    assert values(found) == {
        ("tasmota/fridge/energy", "power"): 7,
        ("tasmota/fridge/energy", "counter"): 15.457,
    }
    assert {each.time for each in found.told} == {NOW}  # its clock names no instant: it says no offset
    assert values(heard("stat/fridge/STATUS10", {"StatusSNS": payload})) == values(found)


def test_a_tasmota_time_with_an_offset_is_believed_where_it_can_be_right() -> None:
    (told,) = heard("tele/a/SENSOR", {"Time": "2024-05-01T13:59:00+02:00", "ENERGY": {"Power": 1}}).told
    assert told.time == NOW - timedelta(minutes=1)
    (told,) = heard("tele/a/SENSOR", {"Time": "1970-01-01T00:00:10+00:00", "ENERGY": {"Power": 1}}).told
    assert told.time == NOW


def test_a_tasmota_meter_of_three_phases_tells_each_and_the_sum() -> None:
    found = heard("tele/house/meter/SENSOR", {"ENERGY": {"Total": 3.5, "Power": [10, 20, 30]}})
    assert values(found) == {
        ("tasmota/house/meter/energy/1", "power"): 10,
        ("tasmota/house/meter/energy/2", "power"): 20,
        ("tasmota/house/meter/energy/3", "power"): 30,
        ("tasmota/house/meter/energy", "power"): 60,
        ("tasmota/house/meter/energy", "counter"): 3.5,
    }


def test_a_tasmota_sensor_tells_degrees_of_either_scale() -> None:
    found = heard("tele/attic/SENSOR", {"AM2301": {"Temperature": 68.0, "Humidity": 40}, "TempUnit": "F"})
    assert values(found) == {
        ("tasmota/attic/AM2301", "temperature"): 20.0,
        ("tasmota/attic/AM2301/humidity", "humidity"): 40.0,
    }


def test_a_zigbee_device_tells_power_energy_temperature_and_presence() -> None:
    seen = int((NOW - timedelta(seconds=5)).timestamp() * 1000)
    payload = {"power": 1_800, "energy": 0.42, "power_on_behavior": "on", "linkquality": 90, "last_seen": seen}
    found = heard("zigbee2mqtt/kitchen/washer", payload)
    assert values(found) == {
        ("zigbee2mqtt/kitchen/washer/main", "power"): 1_800,
        ("zigbee2mqtt/kitchen/washer/main", "counter"): 0.42,
    }
    assert {each.time for each in found.told} == {NOW - timedelta(seconds=5)}
    assert found.told[0].thing.name == "kitchen/washer"
    sensor = heard("zigbee2mqtt/hall", {"temperature": 19.5, "occupancy": True, "device_temperature": 30})
    assert values(sensor) == {
        ("zigbee2mqtt/hall/temperature", "temperature"): 19.5,
        ("zigbee2mqtt/hall/occupancy", "occupancy"): 1,
    }
    assert values(heard("zigbee2mqtt/strip", {"power_l1": 3, "power_l2": 4})) == {
        ("zigbee2mqtt/strip/l1", "power"): 3,
        ("zigbee2mqtt/strip/l2", "power"): 4,
    }


@pytest.mark.parametrize("topic", ["zigbee2mqtt/bridge/info", "zigbee2mqtt/a/availability", "zigbee2mqtt/a/set"])
def test_what_zigbee2mqtt_says_of_itself_is_left(topic: str) -> None:
    assert heard(topic, {"power": 5}) == Heard()


CONFIG = {
    "name": "Power",
    "state_topic": "washer/sensor/power",
    "unique_id": "washer_power",
    "device_class": "power",
    "state_class": "measurement",
    "unit_of_measurement": "kW",
    "value_template": "{{ value_json.ENERGY['Power'] | float(0) }}",
    "device": {"identifiers": ["washer-1"], "name": "Washing machine"},
}
CONFIG_TOPIC = "homeassistant/sensor/washer/power/config"


def test_discovery_says_what_a_topic_holds() -> None:
    reader = Reader()
    assert reader.read(message(CONFIG_TOPIC, CONFIG, is_live=False)) == Heard()
    assert reader.state_topics() == {"washer/sensor/power"}
    (told,) = reader.read(message("washer/sensor/power", {"ENERGY": {"Power": "1.5"}})).told
    assert (told.thing.key, told.tells, told.value) == ("homeassistant/washer_power", Tells.POWER, 1500.0)
    assert (told.thing.name, told.thing.device) == ("Washing machine Power", "homeassistant/washer-1")


def test_an_empty_discovery_takes_the_entity_away() -> None:
    reader = Reader()
    reader.read(message(CONFIG_TOPIC, CONFIG))
    reader.read(message(CONFIG_TOPIC, ""))
    assert reader.state_topics() == frozenset()
    assert reader.read(message("washer/sensor/power", {"ENERGY": {"Power": 1}})) == Heard()


def test_discovery_of_a_whole_device_with_short_names_and_a_base_topic() -> None:
    reader = Reader()
    config: dict[str, Any] = {
        "dev": {"ids": "meter-7", "name": "Meter"},
        "o": {"name": "bridge"},
        "~": "meters/7",
        "stat_t": "~/state",
        "cmps": {
            "p": {"p": "sensor", "dev_cla": "power", "unit_of_meas": "W", "val_tpl": "{{ value_json.p }}"},
            "e": {
                "p": "sensor",
                "uniq_id": "m7e",
                "dev_cla": "energy",
                "unit_of_meas": "MWh",
                "stat_cla": "total_increasing",
                "val_tpl": "{{ value_json.e }}",
            },
            "gone": {"p": "sensor"},
            "there": {"p": "binary_sensor", "dev_cla": "occupancy", "val_tpl": "{{ value_json.o }}", "pl_on": "yes"},
            "b": {"p": "button", "cmd_t": "x"},
        },
    }
    reader.read(message("homeassistant/device/meter-7/config", config))
    found = reader.read(message("meters/7/state", {"p": 250, "e": 1.5, "o": "yes"}))
    assert values(found) == {
        ("homeassistant/meter-7/p", "power"): 250,
        ("homeassistant/m7e", "counter"): 1500,
        ("homeassistant/meter-7/there", "occupancy"): 1,
    }


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"unit_of_measurement": "VA"}, "unit_is_known"),
        ({"value_template": "{{ value_json.a + value_json.b }}"}, "template_is_simple"),
        ({"state_topic": "washer/#"}, "state_topic_is_one_topic"),
        (
            {"device_class": "energy", "unit_of_measurement": "kWh", "state_class": "measurement"},
            "state_class_is_counter",
        ),
        ({"device": "washer"}, "payload_is_an_object"),
    ],
)
def test_a_discovery_that_cannot_be_followed_is_refused_with_the_rule(change: dict[str, object], rule: str) -> None:
    reader = Reader()
    assert rules(reader.read(message(CONFIG_TOPIC, CONFIG | change))) == [rule]
    assert reader.state_topics() == frozenset()


def test_a_missing_value_is_never_replaced_by_the_default_of_a_template() -> None:
    reader = Reader()
    reader.read(message(CONFIG_TOPIC, CONFIG))
    assert reader.read(message("washer/sensor/power", {"ENERGY": {}})) == Heard()
    assert template_path("{{ value_json['a'][0].b | default(0) | round(1) }}") == ("a", 0, "b")
    with pytest.raises(Broken, match="template_is_simple"):
        template_path("{% if value %}1{% endif %}")


def test_two_entities_of_one_topic_come_and_go_by_themselves() -> None:
    reader, other = Reader(), CONFIG_TOPIC.replace("/config", "_two/config")
    for _ in range(2):  # announced anew, as at each birth of Home Assistant
        reader.read(message(CONFIG_TOPIC, CONFIG))
        reader.read(message(other, CONFIG | {"unique_id": "two"}))
    state = str(CONFIG["state_topic"])
    assert len(reader._by_topic[state]) == 2
    assert reader.state_topics() == {state}
    reader.read(message(CONFIG_TOPIC, ""))
    (left,) = reader._by_topic[state]
    assert left.thing.key == "homeassistant/two"
    reader.read(message(other, CONFIG | {"unique_id": "two", "state_topic": "moved"}))
    assert reader.state_topics() == {"moved"}
    reader.read(message(other, ""))
    assert reader.state_topics() == set()


def test_a_devices_own_language_goes_before_what_is_announced_of_it() -> None:
    reader = Reader()
    reader.read(message(CONFIG_TOPIC, CONFIG | {"state_topic": "zigbee2mqtt/washer"}))
    found = reader.read(message("zigbee2mqtt/washer", {"power": 5}))
    assert [each.thing.key for each in found.told] == ["zigbee2mqtt/washer/main"]


def test_statestream_is_read_once_its_unit_is_known() -> None:
    reader = Reader()
    base = "homeassistant/sensor/washer_energy"
    assert reader.read(message(f"{base}/state", "12.5")) == Heard()
    for field, text in (("unit_of_measurement", '"Wh"'), ("device_class", '"energy"'), ("friendly_name", '"Washer"')):
        assert reader.read(message(f"{base}/{field}", text)) == Heard()
    (told,) = reader.read(message(f"{base}/state", "12500")).told
    assert (told.thing.key, told.thing.name, told.value) == ("statestream/sensor.washer_energy", "Washer", 12.5)
    assert rules(reader.read(message(f"{base}/state", "unavailable"))) == ["value_is_available"]
    reader.read(message(f"{base}/state_class", '"measurement"'))
    assert rules(reader.read(message(f"{base}/state", "12500"))) == ["state_class_is_counter"]


def test_a_message_that_a_broker_kept_has_no_time_unless_it_says_its_own() -> None:
    kept = message("shellies/a/relay/0/power", "5", is_live=False)
    assert Reader().read(kept).told[0].time is None
    own = {"method": "NotifyStatus", "params": {"ts": NOW.timestamp() - 3600, "switch:0": {"apower": 1}}}
    assert Reader().read(message("a/events/rpc", own, is_live=False)).told[0].time == NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        ("hello", "payload_is_json"),
        ('{"power": NaN}', "value_is_finite"),
        ('{"power": 1e999}', "value_is_finite"),
        ('{"power": 1' + "0" * 400 + "}", "value_is_possible"),
        ('{"power": 5000000}', "value_is_possible"),
        ('{"energy": -3}', "value_is_possible"),
        ('{"power": "unavailable"}', "value_is_available"),
        ('{"power": ""}', "value_is_available"),
        ('{"power": "lots"}', "value_is_a_number"),
        ('{"power": true}', "value_is_a_number"),
        ('{"power": {"w": 5}}', "value_is_a_number"),
        ('{"occupancy": "maybe"}', "value_is_on_or_off"),
        ("[1, 2]", "payload_is_an_object"),
        ("[" * 100_000, "payload_is_json"),
        ('{"power": 1, "x": "' + "a" * LARGEST_PAYLOAD + '"}', "payload_is_small"),
    ],
)
def test_a_broken_payload_is_refused_with_the_rule_it_broke(payload: str, rule: str) -> None:
    found = heard("zigbee2mqtt/plug", payload)
    assert found.told == ()
    assert rules(found) == [rule]
    assert len(found.faults[0].payload) <= 200


def test_a_payload_that_is_no_text_is_refused() -> None:
    assert rules(Reader().read(Message("tele/a/SENSOR", b"\xff\xfe\x00", NOW))) == ["payload_is_text"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("tele/a/SENSOR", {"ENERGY": 5}),
        ("stat/a/STATUS8", {"ENERGY": {"Power": 5}}),
        ("a/events/rpc", {"method": "NotifyStatus", "params": [1]}),
        ("a/events/rpc", {"method": "NotifyStatus", "params": {"switch:0": 5}}),
        ("a/status/switch:0", {"aenergy": 5}),
        ("a/status/switch:0", [5]),
    ],
)
def test_values_nested_in_another_way_are_refused(topic: str, payload: object) -> None:
    assert rules(heard(topic, payload)) == ["payload_is_an_object"]


def test_a_name_that_would_steer_a_terminal_is_cleaned_and_such_a_key_refused() -> None:
    named = {"Name": "Fridge\x1b[2J\ud800", "ENERGY": {"Power": 1}}
    (told,) = heard("tele/fridge/SENSOR", named).told
    assert told.thing.name == "Fridge[2J"
    assert rules(heard("tele/fri\x07dge/SENSOR", {"ENERGY": {"Power": 1}})) == ["key_is_printable"]
    assert rules(heard(f"tele/{'x' * 400}/SENSOR", {"ENERGY": {"Power": 1}})) == ["key_is_printable"]


def test_a_bad_value_does_not_spoil_its_neighbours() -> None:
    found = heard("zigbee2mqtt/plug", '{"power": 12, "energy": "n/a"}')
    assert values(found) == {("zigbee2mqtt/plug/main", "power"): 12}
    assert rules(found) == ["value_is_a_number"]


@pytest.mark.parametrize("odd", [[], ["x"], {}, {"x": 1}], ids=str)
@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("a/events/rpc", {"method": "NotifyStatus", "params": {"ts": 1, "em:0": {"total_act_power": 12}}}),
        ("zigbee2mqtt/a", {"power": 12, "occupancy": True, "last_seen": 1, "temperature": 20}),
        (CONFIG_TOPIC, {"state_topic": "a/b", "device_class": "energy", "state_class": "total",
                        "unit_of_measurement": "kWh", "value_template": "{{ value }}", "device": {"name": "a"}}),
        (CONFIG_TOPIC, {"state_topic": "a/b", "unit_of_measurement": "W"}),
        (CONFIG_TOPIC.replace("sensor", "binary_sensor"), {"state_topic": "a/b", "device_class": "motion"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_list_or_an_object_in_place_of_a_word_breaks_no_reader(
    topic: str, payload: dict[str, object], odd: object
) -> None:
    for field in payload:
        heard(topic, payload | {field: odd})


@given(
    topic=st.sampled_from(
        ["tele/a/SENSOR", "stat/a/STATUS10", "a/events/rpc", "a/status/em:0", "shellies/a/relay/0/power",
         "shellies/a/status", "zigbee2mqtt/a", CONFIG_TOPIC, "homeassistant/device/a/config",
         "homeassistant/sensor/a/state", "homeassistant/sensor/a/unit_of_measurement"]
    ),
    payload=st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["ENERGY", "Power", "Total", "StatusSNS", "method", "params", "switch:0", "apower",
                                 "aenergy", "total", "ts", "power", "energy", "cmps", "dev", "stat_t", "~", "val_tpl"]),
                inner, max_size=4,
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)  # fmt: skip
def test_no_payload_breaks_the_reader(topic: str, payload: bytes) -> None:
    found = Reader().read(Message(topic, payload, NOW))
    assert all(abs(each.value) < 1e9 for each in found.told)


@pytest.mark.shared_data
def test_recorded_answers_of_shellys_are_read(shared_data: Path) -> None:
    folder = shared_data / "home" / "fixtures" / "shelly"
    n_values = {}
    for path in sorted(folder.glob("gen*.json")):
        status = json.loads(path.read_text())["status"]
        answer = Answer(Message("http", b"", NOW))
        if path.name.startswith("gen1"):
            read_first_status(answer, "plug", None, status)
        else:
            read_components(answer, "device", status)
        assert answer.heard().faults == ()
        n_values[path.name.split("_2023")[0]] = len(answer.heard().told)
    assert n_values == {
        "gen1_Shelly_Plug_S_SHPLG-S": 2,
        "gen2_Shelly_Plus_1PM_SNSW-001P16EU": 2,
        "gen2_Shelly_Plus_Plug_IT_SNPL-00110IT": 2,
        "gen2_Shelly_Plus_Plug_S_SNPL-00112EU": 2,
        "gen2_Shelly_Pro_3EM_SPEM-003CEBEU": 12,
        "gen2_Shelly_Pro_4PM_SPSW-004PE16EU": 8,
    }
    status = json.loads((folder / "shelly2pmg3__Shelly.GetStatus.json").read_text())
    answer = Answer(Message("http", b"", NOW))
    read_components(answer, "2pm", status)
    assert values(answer.heard()) == {("shelly/2pm/cover:0", "power"): 0, ("shelly/2pm/cover:0", "counter"): 0.314614}


@pytest.mark.shared_data
def test_recorded_messages_of_tasmota_are_read(shared_data: Path) -> None:
    lines = (shared_data / "home" / "fixtures" / "tasmota" / "sensor_examples.jsonl").read_text().splitlines()
    found = []
    for line in lines:
        example = json.loads(line)
        topic = example["topic"].partition("|")[0].replace("<device>", "plug")
        said = heard(topic, example["payload"])
        assert said.faults == ()
        found.append([each.value for each in said.told])
    assert found == [[2, 41.573], [1, 49.766], [0, 15.457], [860, 7970.903]]


def test_a_shelly_thermometer_tells_the_room_and_a_relay_does_not() -> None:
    params = {"ts": NOW.timestamp(), "temperature:0": {"id": 0, "tC": 21.3}, "humidity:0": {"id": 0, "rh": 47.5}}
    found = heard("bath/events/rpc", {"method": "NotifyFullStatus", "params": params})
    assert values(found) == {
        ("shelly/bath/temperature:0", "temperature"): 21.3,
        ("shelly/bath/humidity:0", "humidity"): 47.5,
    }
    name = "shellyplusht-08b61fcb7f3c"
    alone = heard(f"{name}/status/temperature:0", {"id": 0, "tC": 20.8})
    assert values(alone) == {(f"shelly/{name}/temperature:0", "temperature"): 20.8}
    first = "shellies/shellyht-F30ABC/sensor"
    assert values(heard(f"{first}/humidity", "61.5")) == {("shelly/shellyht-F30ABC/humidity", "humidity"): 61.5}
    (told,) = heard(f"{first}/temperature", "19.5").told
    assert told.thing.heartbeat == timedelta(hours=12)
    assert [fault.rule for fault in heard(f"{first}/humidity", "999").faults] == ["value_is_possible"]


def test_humidity_is_read_where_a_device_says_that_it_is() -> None:
    assert values(heard("zigbee2mqtt/bath", {"humidity": 60.5, "battery": 90})) == {
        ("zigbee2mqtt/bath/humidity", "humidity"): 60.5
    }
    reader = Reader()
    for name, device_class in (("damp", "humidity"), ("charge", None)):
        config = {"uniq_id": name, "dev_cla": device_class, "unit_of_meas": "%", "stat_t": f"room/{name}"}
        reader.read(message(f"homeassistant/sensor/{name}/config", config))
        assert len(reader.read(message(f"room/{name}", "40")).told) == (device_class is not None)
