"""Shelly's plugs, relays and meters: the first generation's plain numbers, the later ones' JSON.

Source: https://shelly-api-docs.shelly.cloud. The first generation counts energy of relays in watt-minutes and of meters
(``emeter``) in watt-hours; the later ones count in watt-hours. A prefix that a person chose may hold slashes.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from watthour.core.heard import Tells, Thing
from watthour.sources.mqtt.message import Answer, as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.heard import Heard
    from watthour.sources.mqtt.message import Message

TOPICS = (
    "shellies/+/+/+/power",
    "shellies/+/+/+/energy",
    "shellies/+/+/+/total",
    "shellies/+/+/+/total_returned",
    "shellies/+/sensor/temperature",
    "shellies/+/sensor/humidity",
    "shellies/+/ext_temperature/+",
    "shellies/+/ext_humidity/+",
    "shellies/+/status",
    "+/events/rpc",
    "+/status/+",
)

_FIRST = re.compile(r"shellies/([^/]+)/(relay|light|roller|color|white|meter|emeter)/(\d+)/(\w+)")
_FIRST_SENSOR = re.compile(r"shellies/([^/]+)/(?:sensor/(temperature|humidity)|(ext_(?:temperature|humidity)/\d+))")
_FIRST_MOTION = re.compile(r"shellies/([^/]+)/status")
_EVENT = re.compile(r"(.+)/events/rpc")
_STATUS = re.compile(r"(.+)/status/([a-z0-9]+:\d+)")
_HEARTBEAT = timedelta(seconds=30)  # of the first generation; the later ones tell changes
_LOADS = {
    "switch": "plug",
    "light": "light",
    "rgb": "light",
    "rgbw": "light",
    "cct": "light",
    "cover": "blind",
    "pm1": "meter",
}
_KIND_OF_FIRST = {"relay": "plug", "roller": "blind", "meter": "meter", "emeter": "meter"}
_ADDED_SENSORS_FROM = 100  # below, ``temperature:N`` is the device's own heat, unless it is a thermometer
_THERMOMETERS = ("shellyplusht-", "shellyhtg3-")  # H&T of the later generations; with another prefix, as it has
_HUMIDITY = "humidity:0"  # which no relay has
_SLEEPS = timedelta(hours=12)  # the first H&T wakes so often, or when something changes
_PHASES = ("a", "b", "c")


def read(message: Message) -> Heard | None:
    """Return what a Shelly tells in a message, None where it is not one of its topics.

    Raises:
        Broken: the payload cannot be read.
    """
    answer = Answer(message)
    if (first := _FIRST.fullmatch(message.topic)) is not None:
        _read_first(answer, first[1], first[2], first[3], first[4])
    elif (sensor := _FIRST_SENSOR.fullmatch(message.topic)) is not None:
        part = sensor[2] or sensor[3]
        is_damp = "humidity" in part
        tells, unit = (Tells.HUMIDITY, "%") if is_damp else (Tells.TEMPERATURE, "C")
        answer.tell(_thing(sensor[1], part), tells, message.text(), unit)
    elif (motion := _FIRST_MOTION.fullmatch(message.topic)) is not None:
        status = message.mapping()
        answer.tell(
            _thing(motion[1], "motion"), Tells.OCCUPANCY, status.get("motion"), own_time=status.get("timestamp")
        )
    elif (event := _EVENT.fullmatch(message.topic)) is not None:
        said = message.mapping()
        if str(said.get("method")) in {"NotifyStatus", "NotifyFullStatus"}:
            params = as_object(said.get("params"))
            read_components(answer, event[1], params, own_time=params.get("ts"))
    elif (status_of := _STATUS.fullmatch(message.topic)) is not None and _is_known(
        status_of[2], is_thermometer=status_of[1].startswith(_THERMOMETERS)
    ):
        read_components(answer, status_of[1], {status_of[2]: message.json()})
    else:
        return None
    return answer.heard()


def read_components(
    answer: Answer,
    device: str,
    status: Mapping[str, object],
    *,
    names: Mapping[str, str] | None = None,
    own_time: object = None,
) -> None:
    """Note what the parts of a device of the second generation or later tell.

    Args:
        answer: takes the values.
        device: its id, or the prefix of its topics.
        status: by part, such as ``switch:0``.
        names: of the parts, as a person chose them.
        own_time: the device's clock.
    """
    is_thermometer = device.startswith(_THERMOMETERS) or _HUMIDITY in status
    for part, value in status.items():
        if not _is_known(part, is_thermometer=is_thermometer):
            continue
        if not isinstance(value, dict):
            answer.refuse("payload_is_an_object")
            continue
        kind, _, number = part.partition(":")
        name = (names or {}).get(part)
        if kind in _LOADS:
            thing = _thing(device, part, kind=_LOADS[kind], name=name)
            answer.tell(thing, Tells.POWER, value.get("apower"), "W", own_time=own_time)
            answer.tell(thing, Tells.COUNTER, _counted(answer, value, "aenergy"), "Wh", own_time=own_time)
            back = _thing(device, f"{part}/export", kind=_LOADS[kind], name=name)
            answer.tell(back, Tells.COUNTER, _counted(answer, value, "ret_aenergy"), "Wh", own_time=own_time)
        elif kind == "temperature":
            thing = _thing(device, part, name=name)
            answer.tell(thing, Tells.TEMPERATURE, value.get("tC"), "C", own_time=own_time)
        elif kind == "humidity":
            answer.tell(_thing(device, part, name=name), Tells.HUMIDITY, value.get("rh"), "%", own_time=own_time)
        else:
            _read_meter(answer, device, f"{kind.removesuffix('data')}:{number}", value, own_time)


def read_first_status(answer: Answer, device: str, name: str | None, status: Mapping[str, object]) -> None:
    """Note what a device of the first generation answers at ``/status``.

    Raises:
        Broken: it has another form.
    """
    for group, unit, kind in (("meters", "Wmin", "plug"), ("emeters", "Wh", "meter")):
        rows = status.get(group, [])
        for number, row in enumerate(rows if isinstance(rows, list) else [rows]):
            values = as_object(row)
            if values.get("is_valid") is False:
                continue
            part = f"{'relay' if group == 'meters' else 'emeter'}/{number}"
            named = name if name is None or number == 0 else f"{name} {number + 1}"
            counted = part if group == "meters" else f"{part}/import"
            answer.tell(_thing(device, part, kind=kind, name=named), Tells.POWER, values.get("power"), "W")
            answer.tell(
                _thing(device, counted, kind=kind, name=named),
                Tells.COUNTER,
                values.get("total"),
                unit,
            )
            back = _thing(device, f"{part}/export", kind=kind, name=named)
            answer.tell(back, Tells.COUNTER, values.get("total_returned"), "Wh")


def _read_first(answer: Answer, device: str, part: str, number: str, measure: str) -> None:
    kind = _KIND_OF_FIRST.get(part, "light")
    name = f"{part}/{number}"
    text = answer.message.text()
    if measure == "power":
        answer.tell(_thing(device, name, kind=kind), Tells.POWER, text, "W")
    elif part == "emeter" and measure == "total":
        answer.tell(_thing(device, f"{name}/import", kind=kind), Tells.COUNTER, text, "Wh")
    elif part == "emeter" and measure == "total_returned":
        answer.tell(_thing(device, f"{name}/export", kind=kind), Tells.COUNTER, text, "Wh")
    elif part != "emeter" and measure == "energy":
        answer.tell(_thing(device, name, kind=kind), Tells.COUNTER, text, "Wmin")


def _read_meter(answer: Answer, device: str, part: str, value: Mapping[str, object], own_time: object) -> None:
    """Note a meter's power, which may be negative, and its two counters: they are three things, and never one sum."""
    prefixes = {"": ("total_act_power", "total_act", "total_act_ret")}
    prefixes |= {f"/{p}": (f"{p}_act_power", f"{p}_total_act_energy", f"{p}_total_act_ret_energy") for p in _PHASES}
    if part.startswith("em1"):
        prefixes = {"": ("act_power", "total_act_energy", "total_act_ret_energy")}
    for phase, (power, used, returned) in prefixes.items():
        rows = (("", Tells.POWER, power, "W"), ("/import", Tells.COUNTER, used, "Wh"))
        for suffix, tells, field, unit in (*rows, ("/export", Tells.COUNTER, returned, "Wh")):
            thing = _thing(device, f"{part}{phase}{suffix}", kind="meter")
            answer.tell(thing, tells, value.get(field), unit, own_time=own_time)


def _counted(answer: Answer, value: Mapping[str, object], field: str) -> object:
    counter = value.get(field)
    if isinstance(counter, dict):
        return counter.get("total")
    if counter is not None:
        answer.refuse("payload_is_an_object")
    return None


def _is_known(part: str, *, is_thermometer: bool) -> bool:
    kind, _, number = part.partition(":")
    if kind == "temperature":
        return number.isdecimal() and (is_thermometer or int(number) >= _ADDED_SENSORS_FROM)
    return number.isdecimal() and (kind in _LOADS or kind in {"em", "em1", "emdata", "em1data", "humidity"})


def _thing(device: str, part: str, *, kind: str = "sensor", name: str | None = None) -> Thing:
    shown = name or f"{device} {re.sub('[/:]', ' ', part)}"
    heartbeat = _HEARTBEAT if part.startswith(("relay/", "emeter/")) else None
    if part in {"temperature", "humidity"}:
        heartbeat = _SLEEPS
    return Thing(f"shelly/{device}/{part}", f"shelly/{device}", shown, kind, heartbeat)
