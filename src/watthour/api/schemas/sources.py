"""Sources: what is connected, what can be, and trying one."""

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.listening import THING, ThingEntry

_KIND = Field(min_length=1, max_length=50, description="Its block of the settings.", examples=["mqtt"])
_SETTINGS = Field(
    max_length=20,
    description="What is said of it, by name of a field of its kind. A secret is never answered or logged.",
    examples=[{"host": "192.168.1.10"}],
)
_THING: dict[str, JsonValue] = {
    "key": THING,
    "device": "shelly/shellyplus1pm-aabbccddeeff",
    "name": "shellyplus1pm-aabbccddeeff switch 0",
    "kind": "plug",
    "source": "mqtt",
    "channel": "home.flat.fridge.energy",
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


class Feed(Answer):
    """What a source fills."""

    channel: str | None = Field(
        description="Id of the channel; null: several of the site.", examples=["home.flat.energy"]
    )
    site: str | None = Field(description="Id of the site; null if the channel was removed.", examples=["flat"])


class HeardThing(ThingEntry):
    """Something that a source hears, and whether it has gone silent."""

    silent: bool = Field(description="True if it is heard regularly and has missed its time.")


class SourceEntry(Answer):
    """A source, how it stands, and when it last spoke."""

    name: str = Field(description="Its name in the log of runs.", examples=["mqtt"])
    kind: str = Field(description="Its block of the settings.", examples=["mqtt"])
    label: str = Field(description="What it is called.", examples=["MQTT broker"])
    origin: Literal["settings", "added", "both", "built_in", "file"] = Field(
        description="Where it is set: by watthour.toml or the environment, added from the page or by command, both, "
        "built in, or a file that was imported."
    )
    address: str | None = Field(description="Where it is; null where it has no place.", examples=["192.168.1.10:1883"])
    hosts: list[str] = Field(description="Devices that were added; each can be removed.", examples=[["192.168.1.20"]])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    state: Literal["ok", "waiting", "silent", "failed", "off", "running", "interrupted", "never"] = Field(
        description="`waiting`: not connected, or nothing heard yet; `silent`: connected, but what speaks regularly "
        "does not; `off`: this process does not listen; `never`: not asked yet."
    )
    words: str = Field(description="The state in a sentence.", examples=["Connected; 3 devices speak."])
    problem: str | None = Field(description="What went wrong; null if nothing did.")
    remedy: str | None = Field(description="What to do; null if nothing needs to be done.")
    last_heard_at: datetime | None = Field(
        description="When it spoke last, UTC; null of what is asked rarely, or never."
    )
    last_run_at: datetime | None = Field(description="When it was last asked, UTC; null of what tells by itself.")
    values_of_last_hour: int = Field(description="Values heard, or rows that were new, within an hour. [count]")
    faults: int = Field(description="Messages that could not be read since this process began. [count]")
    file: str | None = Field(description="Name of a file that was imported; null of others.", examples=["meter.csv"])
    new_rows: int | None = Field(description="Rows of the file that were new; null of others. [count]")
    refused_rows: int | None = Field(description="Rows of the file that could not be read; null of others. [count]")
    feeds: list[Feed] = Field(description="The channels and sites that it fills; empty: none yet.")
    things: list[HeardThing] = Field(description="What is heard there, each with its last values.")


class SourceField(Answer):
    """One question of the form by which a source is added."""

    name: str = Field(description="Its name among the settings.", examples=["host"])
    label: str = Field(description="The question.", examples=["Address of the broker"])
    hint: str = Field(description="An example, or where to find it; may be empty.")
    type: Literal["text", "number", "secret", "yes_no"] = Field(description="What is typed.")
    required: bool = Field(description="Whether it must be said.")


class SourceKind(Answer):
    """A kind of source that can be added."""

    kind: str = Field(description="Its block of the settings.", examples=["mqtt"])
    title: str = Field(description="What it is called.", examples=["MQTT broker"])
    delivers: str = Field(description="What it brings.")
    page: str = Field(description="Its page of the documentation.", examples=["docs/reference/sources/mqtt.md"])
    is_of_homes: bool = Field(description="True of devices in a home; false of providers of whole regions.")
    has_past: bool = Field(
        description="True if it also has the past. Of a home it is brought in by `POST /api/v1/listening/past`, of a "
        "region by itself."
    )
    fields: list[SourceField] = Field(description="What is asked of a person.")


class SourceList(Answer):
    """Every source that is set up, and the kinds that can be added."""

    model_config = shown_as(
        {
            "now": "2026-11-20T08:15:04Z",
            "sources": [
                {
                    "name": "mqtt",
                    "kind": "mqtt",
                    "label": "MQTT broker",
                    "origin": "added",
                    "address": "192.168.1.10:1883",
                    "hosts": [],
                    "simulated": False,
                    "state": "ok",
                    "words": "Connected; 1 device speaks.",
                    "problem": None,
                    "remedy": None,
                    "last_heard_at": "2026-11-20T08:15:02Z",
                    "last_run_at": None,
                    "values_of_last_hour": 720,
                    "faults": 0,
                    "file": None,
                    "new_rows": None,
                    "refused_rows": None,
                    "feeds": [{"channel": "home.flat.fridge.energy", "site": "flat"}],
                    "things": [{**_THING, "silent": False}],
                }
            ],
            "kinds": [
                {
                    "kind": "homewizard",
                    "title": "HomeWizard",
                    "delivers": "HomeWizard's P1 meter, kWh meters and sockets",
                    "page": "docs/reference/sources/homewizard.md",
                    "is_of_homes": True,
                    "has_past": False,
                    "fields": [
                        {
                            "name": "hosts",
                            "label": "Address of the device",
                            "hint": "Such as 192.168.1.20",
                            "type": "text",
                            "required": True,
                        }
                    ],
                }
            ],
        }
    )

    now: datetime = Field(description="The server's clock, UTC.")
    sources: list[SourceEntry] = Field(description="Those that tell by themselves first, then those that are asked.")
    kinds: list[SourceKind] = Field(description="What can be added.")


class SourceQuestion(Question):
    """A source, to be tried or added."""

    model_config = Question.model_config | shown_as({"kind": "homewizard", "settings": {"hosts": "192.168.1.20"}})

    kind: str = _KIND
    settings: dict[str, JsonValue] = _SETTINGS


class SourceTrial(SourceQuestion):
    """A source, to be tried for a few seconds; nothing is kept."""

    seconds: float = Field(6.0, ge=1.0, le=15.0, description="How long to listen at most. [s]")


class TriedSource(Answer):
    """What a trial of a source has shown."""

    model_config = shown_as(
        {
            "works": True,
            "words": "1 device speaks here: shellyplus1pm-aabbccddeeff switch 0.",
            "remedy": None,
            "field": None,
            "things": [_THING],
        }
    )

    works: bool = Field(description="Whether it was reached and accepts us.")
    words: str = Field(description="What was seen, in a sentence.", examples=["3 devices speak here: ..."])
    remedy: str | None = Field(description="What to do; null if nothing needs to be done.")
    field: str | None = Field(
        description="The setting to blame where it does not work; null if that is not known.", examples=["token"]
    )
    things: list[ThingEntry] = Field(description="What spoke, each with its last values.")


class AddedSource(Answer):
    """A source that is taken up within seconds."""

    model_config = shown_as({"kind": "homewizard", "label": "HomeWizard"})

    kind: str = Field(description="Its block of the settings.", examples=["homewizard"])
    label: str = Field(description="What it is called.", examples=["HomeWizard"])


class RemovedSource(Answer):
    """A source that is not heard any more; what it brought stays."""

    model_config = shown_as({"kind": "homewizard"})

    kind: str = Field(description="Its block of the settings.", examples=["homewizard"])
