"""What is heard of things that tell by themselves, and adding one."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as

THING = "shelly/shellyplus1pm-aabbccddeeff/switch:0"


class LineEntry(Answer):
    """How a connection to things stands."""

    source: str = Field(description="The block of the settings.", examples=["mqtt"])
    is_connected: bool = Field(description="Whether it can be heard now.")
    problem: str | None = Field(description="Why it cannot be heard, or why what it tells cannot be kept.")
    remedy: str | None = Field(description="What to do about it.")
    connected_at: datetime | None = Field(description="Since when it is connected, or was the last time.")
    last_heard_at: datetime | None = Field(description="When it told something the last time.")
    messages: int = Field(description="Messages or answers since this process began. [count]")
    faults: int = Field(description="Values and messages that could not be read. [count]")


class ThingValue(Answer):
    """The last value that a thing told."""

    tells: Literal["power", "counter", "temperature", "humidity", "occupancy"] = Field(
        description="What the value says."
    )
    value: float = Field(description="The value; of occupancy 1 means that somebody is there. [in `unit`]")
    unit: str = Field(description="W, kWh, degC, %, or nothing.", examples=["W"])
    text: str = Field(description="The value in words.", examples=["20.5 W"])
    time: datetime | None = Field(description="When it was true; null where nobody knows: the broker had kept it.")
    heard_at: datetime = Field(description="When it came.")


class ThingEntry(Answer):
    """Something that was heard, such as one socket of a power strip."""

    key: str = Field(description="Its name for this program; it stays the same.", examples=[THING])
    device: str = Field(description="What all parts of its device share.")
    name: str = Field(description="As a person would know it.")
    kind: str = Field(description="plug, meter, light, blind or sensor.", examples=["plug"])
    source: str = Field(description="Where it was heard.", examples=["mqtt"])
    channel: str | None = Field(description="The channel it fills; null: nobody has added it, and nothing is kept.")
    grid_meter: bool = Field(
        description="True if it is known to count what the home draws from the grid, or a part of it, such as one "
        "tariff; false: nobody says so."
    )
    values: list[ThingValue] = Field(description="The last of each kind; empty until it is heard.")


class FaultEntry(Answer):
    """What could not be read; the first of each is in quarantine."""

    rule: str = Field(description="The rule that was broken.", examples=["payload_is_json"])
    topic: str = Field(description="Where.", examples=["zigbee2mqtt/plug"])
    count: int = Field(description="How often since this process began. [count]")


class Listening(Answer):
    """What this process hears."""

    model_config = shown_as(
        {
            "lines": [
                {
                    "source": "mqtt",
                    "is_connected": True,
                    "problem": None,
                    "remedy": None,
                    "connected_at": "2026-11-20T08:00:00Z",
                    "last_heard_at": "2026-11-20T08:15:02Z",
                    "messages": 420,
                    "faults": 1,
                }
            ],
            "things": [
                {
                    "key": THING,
                    "device": "shelly/shellyplus1pm-aabbccddeeff",
                    "name": "shellyplus1pm-aabbccddeeff switch 0",
                    "kind": "plug",
                    "source": "mqtt",
                    "channel": None,
                    "grid_meter": False,
                    "values": [
                        {
                            "tells": "power",
                            "value": 20.5,
                            "unit": "W",
                            "text": "20.5 W",
                            "time": "2026-11-20T08:15:02Z",
                            "heard_at": "2026-11-20T08:15:02Z",
                        }
                    ],
                }
            ],
            "faults": [{"rule": "payload_is_json", "topic": "zigbee2mqtt/plug", "count": 1}],
        }
    )

    lines: list[LineEntry] = Field(description="Brokers, and makes of devices that are asked; empty: none is set.")
    things: list[ThingEntry] = Field(description="Heard since this process began, or added.")
    faults: list[FaultEntry] = Field(description="What could not be read, the most frequent first.")


class NewThing(Question):
    """A thing to be added: to a channel there is, or as a new device of a home."""

    model_config = Question.model_config | shown_as(
        {"thing": THING, "home": "flat", "name": "Fridge", "kind": "fridge"}
    )

    thing: str = Field(min_length=1, max_length=500, description="Its key.", examples=[THING])
    channel: str | None = Field(None, max_length=200, description="Id of a channel there is.")
    home: str | None = Field(None, max_length=100, description="Id or name of the home of a new device.")
    name: str | None = Field(None, max_length=100, description="Of the new device; default: as it calls itself.")
    kind: str | None = Field(
        None,
        max_length=50,
        description="What the new device is; default: sensor where it tells no load, else other.",
        examples=["washing_machine"],
    )
    zone: str | None = Field(
        None,
        max_length=100,
        description="Id or name of the room where the device stands, or of which a sensor tells.",
    )
    is_main: bool = Field(
        default=False,
        description="True if it measures the whole home: it fills the channel that is forecast, made if there is none.",
    )
    step_seconds: int = Field(900, ge=60, le=86_400, description="Step of its readings. [s]")


class PastQuestion(Question):
    """How much of the past is brought in."""

    model_config = Question.model_config | shown_as({"days": 730, "thing": "home_assistant/sensor.p1_import"})

    days: int = Field(730, ge=1, le=3650, description="The last so many days. [d]")
    thing: str | None = Field(
        None, max_length=500, description="Key of a thing that was added; default: all whose past can be asked for."
    )


class PastOfChannel(Answer):
    """What the past has brought to a channel so far."""

    channel: str = Field(description="Id of the channel.", examples=["home.flat.energy"])
    new: int = Field(description="Readings that were new. [count]", examples=[17_519])
    refused: int = Field(description="Values that were refused. [count]", examples=[0])
    findings: list[str] = Field(description="What was found in the values, in words.")


class PastState(Answer):
    """How far the past is brought in."""

    model_config = shown_as(
        {
            "state": "done",
            "share": 1.0,
            "begin": "2024-11-20T08:15:00Z",
            "end": "2026-11-20T08:15:00Z",
            "channels": [{"channel": "home.flat.energy", "new": 17_519, "refused": 0, "findings": []}],
            "problem": None,
            "remedy": None,
        }
    )

    state: Literal["idle", "running", "done", "failed"] = Field(
        description="Idle means that none was asked for since the server started."
    )
    share: float = Field(description="Share of it that is done, from 0 to 1. [share]")
    begin: datetime | None = Field(description="Begin of the past that was asked for, UTC; null if none was.")
    end: datetime | None = Field(description="Its end, UTC; null if none was asked for.")
    channels: list[PastOfChannel] = Field(description="What it has brought so far.")
    problem: str | None = Field(description="Why it failed; what came before is kept.")
    remedy: str | None = Field(description="What to do about it.")


class AddedThing(Answer):
    """A thing and the channel that it fills from now on."""

    model_config = shown_as({"thing": THING, "channel": "home.flat.fridge.energy"})

    thing: str = Field(description="Its key.", examples=[THING])
    channel: str = Field(description="Id of the channel.", examples=["home.flat.fridge.energy"])


class RemovedThing(Answer):
    """A thing whose values are not kept any more."""

    model_config = shown_as({"thing": THING, "channel": "home.flat.fridge.energy"})

    thing: str = Field(description="Its key.", examples=[THING])
    channel: str = Field(description="The channel it filled; what it has stays.")
