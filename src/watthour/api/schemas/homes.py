"""Homes, the zones and devices in them, their uses, and places by name."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, ValidatorFunctionWrapHandler, WrapValidator

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.readings import InstantOrDay
from watthour.api.schemas.sites import (
    SITE_EXAMPLE,
    Holidays,
    Latitude,
    Longitude,
    NewChannel,
    SiteChannel,
    SiteEntry,
    SiteName,
    TimeZone,
    Word,
)
from watthour.core.channel import DeviceKind, Flexibility

PartName = Annotated[str, Field(min_length=1, max_length=100, description="What people call it.", examples=["Kitchen"])]
Rating = Annotated[
    float, Field(strict=True, gt=0, le=1e6, description="Most it draws, makes or takes. [W]", examples=[2100.0])
]
PlaceName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="A town by name; its part of the country or its country may follow a comma.",
        examples=["Lyon, France"],
    ),
]
_KIND = "What it is."
_FLEXIBILITY = (
    "What may be done with its use: fixed (runs when people need it), shiftable (may start at another time, and then "
    "runs to its end), interruptible (may also be paused), adjustable (may also run at a part of its power)."
)
_CHANNEL_EXAMPLE: dict[str, JsonValue] = {
    "id": "home.summer_house.washing_machine.power",
    "quantity": "power",
    "unit": "W",
    "resolution_seconds": 60,
    "first_time": None,
    "last_time": None,
}
_DEVICE_EXAMPLE: dict[str, JsonValue] = {
    "id": "home.summer_house.washing_machine",
    "name": "Washing machine",
    "kind": "washing_machine",
    "rating_w": 2100.0,
    "flexibility": "shiftable",
    "zone": "home.summer_house.kitchen",
    "channels": [_CHANNEL_EXAMPLE],
}
_ZONE_EXAMPLE: dict[str, JsonValue] = {
    "id": "home.summer_house.kitchen",
    "name": "Kitchen",
    "devices": ["home.summer_house.washing_machine"],
    "channels": ["home.summer_house.washing_machine.power"],
}
_HOME_EXAMPLE: dict[str, JsonValue] = {
    **SITE_EXAMPLE,
    "latitude": 48.9,
    "longitude": 2.4,
    "points": [{"id": "n4890_e240", "latitude": 48.9, "longitude": 2.4, "weight": 1.0}],
    "channels": [
        {**_CHANNEL_EXAMPLE, "id": "home.summer_house.power", "unit": "kW", "resolution_seconds": 1800}
        | {"device": None, "zone": None},
        {**_CHANNEL_EXAMPLE, "device": "home.summer_house.washing_machine", "zone": None},
    ],
    "zones": [_ZONE_EXAMPLE],
    "devices": [_DEVICE_EXAMPLE],
}


class HomeChannel(SiteChannel):
    """A series of a home, of a zone or of a device."""

    device: str | None = Field(description="Id of the device it is measured at; null: none.", examples=[None])
    zone: str | None = Field(description="Id of the zone it is measured in; null: none.", examples=[None])


class ZoneEntry(Answer):
    """A part of a home, such as a room or a floor, with what is in it; its load is the sum of its channels."""

    model_config = shown_as(_ZONE_EXAMPLE)

    id: str = Field(description="Its id.", examples=["home.summer_house.kitchen"])
    name: str = Field(description="What people call it.", examples=["Kitchen"])
    devices: list[str] = Field(description="Ids of the devices in it.")
    channels: list[str] = Field(description="Ids of its own channels and of those of the devices in it.")


class DeviceEntry(Answer):
    """A thing in a home that uses, makes or stores energy, or a sensor."""

    model_config = shown_as(_DEVICE_EXAMPLE)

    id: str = Field(description="Its id.", examples=["home.summer_house.washing_machine"])
    name: str = Field(description="What people call it.", examples=["Washing machine"])
    kind: DeviceKind = Field(description=_KIND, examples=["washing_machine"])
    rating_w: float | None = Field(description="Most it draws, makes or takes; null: not known. [W]", examples=[2100.0])
    flexibility: Flexibility = Field(description=_FLEXIBILITY, examples=["shiftable"])
    zone: str | None = Field(description="Id of the zone it stands in.", examples=["home.summer_house.kitchen"])
    channels: list[SiteChannel] = Field(description="What is measured at it.")


class DeviceList(Answer):
    """The devices of a home."""

    model_config = shown_as({"devices": [_DEVICE_EXAMPLE]})

    devices: list[DeviceEntry] = Field(description="Sorted by id.")


class ZoneList(Answer):
    """The zones of a home."""

    model_config = shown_as({"zones": [_ZONE_EXAMPLE]})

    zones: list[ZoneEntry] = Field(description="Sorted by id.")


class HomeEntry(SiteEntry):
    """A home: where it is, what is measured there, its zones and devices, and what is missing for a forecast."""

    model_config = shown_as(_HOME_EXAMPLE)

    channels: list[HomeChannel] = Field(  # type: ignore[assignment]  # a list that is never written to
        description="All its series, without weather: of the whole home, of its zones and of its devices."
    )
    zones: list[ZoneEntry] = Field(description="Its rooms, floors or other parts, sorted by id.")
    devices: list[DeviceEntry] = Field(description="Its devices, sorted by id.")


class HomeList(Answer):
    """All homes."""

    model_config = shown_as({"homes": [_HOME_EXAMPLE]})

    homes: list[HomeEntry] = Field(description="Sorted by id.")


class NewHome(Question):
    """A home: its time zone, or the town it is in, is all that is needed."""

    model_config = shown_as(
        {
            "name": "Summer house",
            "place": "Lyon, France",
            "channels": [{"name": "power", "unit": "kW", "resolution_seconds": 1800}],
        }
    )

    name: SiteName
    place: PlaceName | None = Field(
        None,
        description="The town it is in, looked up at Open-Meteo: tells time zone, coordinates and holidays, where they "
        "are not given here.",
    )
    time_zone: TimeZone | None = Field(None, description="Its time zone; needed without a place.")
    id: Word | None = Field(None, description="Its short name; made from its name if not given.", examples=[None])
    latitude: Latitude | None = Field(None, description="Degrees north; kept to 0.1. [degrees]")
    longitude: Longitude | None = Field(None, description="Degrees east; kept to 0.1. [degrees]")
    holidays: Holidays | None = Field(
        None, description="Calendar of public holidays; with a place that of its country."
    )
    zone: str | None = Field(None, max_length=50, description="Grid zone it belongs to.")
    channels: list[NewChannel] = Field(
        default=[], max_length=50, description="What is measured of the whole home; a file can add them later."
    )
    main: str | None = Field(
        None, max_length=60, description="Name of the channel that is forecast; by default the first."
    )


class HomeChange(Question):
    """What is to be another at a home; what is left out stays, null takes a value away."""

    model_config = shown_as({"place": "Lyon, France"})

    name: SiteName = ""
    place: PlaceName = Field("", description="The town it is in: replaces time zone, coordinates and holidays.")
    time_zone: TimeZone = ""
    latitude: Latitude | None = Field(None, description="Degrees north; kept to 0.1. [degrees]")
    longitude: Longitude | None = Field(None, description="Degrees east; kept to 0.1. [degrees]")
    holidays: Holidays | None = Field(None, description="Calendar of public holidays.")
    zone: str | None = Field(None, max_length=50, description="Grid zone it belongs to.")
    channels: list[NewChannel] = Field(default=[], max_length=50, description="New series of the whole home.")
    main: str = Field("", max_length=60, description="Name of the channel that is forecast.", examples=["power"])


class NewZone(Question):
    """A part of a home."""

    model_config = shown_as(
        {"name": "Kitchen", "channels": [{"name": "temperature", "unit": "degC", "resolution_seconds": 900}]}
    )

    name: PartName
    id: Word | None = Field(None, description="Last word of its id; made from its name if not given.", examples=[None])
    channels: list[NewChannel] = Field(
        default=[], max_length=50, description="What is measured in it, such as temperature or occupancy."
    )


class NewDevice(Question):
    """A device of a home."""

    model_config = shown_as(
        {
            "name": "Washing machine",
            "kind": "washing_machine",
            "rating_w": 2100.0,
            "channels": [{"name": "power", "unit": "W", "resolution_seconds": 60}],
        }
    )

    name: PartName
    kind: DeviceKind = Field(DeviceKind.OTHER, description=_KIND, examples=["washing_machine"])
    id: Word | None = Field(None, description="Last word of its id; made from its name if not given.", examples=[None])
    rating_w: Rating | None = Field(None, description="Most it draws, makes or takes by its name plate. [W]")
    flexibility: Flexibility | None = Field(None, description=f"{_FLEXIBILITY} Null: what is usual for its kind.")
    zone: str | None = Field(
        None, max_length=200, description="Id or name of the zone it stands in.", examples=["Kitchen"]
    )
    channels: list[NewChannel] = Field(default=[], max_length=50, description="What is measured at it.")


class DeviceChange(Question):
    """What is to be another at a device; what is left out stays, null takes a value away."""

    model_config = shown_as({"rating_w": 2100.0, "zone": "Kitchen"})

    name: PartName = ""
    kind: DeviceKind = Field(DeviceKind.OTHER, description=_KIND, examples=["washing_machine"])
    rating_w: Rating | None = Field(None, description="Most it draws, makes or takes by its name plate. [W]")
    flexibility: Flexibility | None = Field(None, description=f"{_FLEXIBILITY} Null: what is usual for its kind.")
    zone: str | None = Field(
        None, max_length=200, description="Id or name of the zone it stands in.", examples=["Kitchen"]
    )
    channels: list[NewChannel] = Field(default=[], max_length=50, description="New series of it.")


class RemovedPart(Answer):
    """A zone or device that is gone."""

    model_config = shown_as({"id": "home.summer_house.washing_machine", "name": "Washing machine"})

    id: str = Field(description="Its id.", examples=["home.summer_house.washing_machine"])
    name: str = Field(description="Its name.", examples=["Washing machine"])


class EventsQuestion(Question):
    """Which uses, as known when."""

    device: str | None = Field(
        None, max_length=200, description="Id or name of a device; without it all of the home.", examples=[None]
    )
    start: InstantOrDay | None = Field(
        None,
        description="An instant, or a local day of the home; without it a day before `end`.",
        examples=["2026-11-20T00:00:00Z", "2026-11-20"],
    )
    end: InstantOrDay | None = Field(
        None,
        description="Uses began before this instant; a local day is included whole; without it now.",
        examples=["2026-11-21T00:00:00Z", "2026-11-21"],
    )
    as_of: AwareDatetime | None = Field(
        None, description="Answer with what was known at this instant; without it now.", examples=[None]
    )
    limit: int = Field(1000, ge=1, le=10_000, description="Most uses in one answer. [count]", examples=[1000])


class Use(Answer):
    """One use of a device: it ran from start to end."""

    device: str = Field(description="Id of the device.", examples=["home.summer_house.washing_machine"])
    start: datetime = Field(description="When it began, UTC.", examples=["2026-11-20T18:05:00Z"])
    end: datetime = Field(description="When it ended, UTC.", examples=["2026-11-20T19:25:00Z"])
    energy_kwh: float | None = Field(description="What it used; null: not known. [kWh]", examples=[0.85])
    available_at: datetime = Field(
        description="When this could first be known, UTC.", examples=["2026-11-20T19:25:00Z"]
    )
    recorded_at: datetime = Field(description="When it was stored, UTC.", examples=["2026-11-20T19:25:03Z"])
    quality: list[str] = Field(description="Why it is special; none: nothing is known against it.", examples=[[]])


class EventPage(Answer):
    """Uses of the devices of a home, in the order of their start."""

    model_config = shown_as(
        {
            "home": "summer_house",
            "events": [
                {
                    "device": "home.summer_house.washing_machine",
                    "start": "2026-11-20T18:05:00Z",
                    "end": "2026-11-20T19:25:00Z",
                    "energy_kwh": 0.85,
                    "available_at": "2026-11-20T19:25:00Z",
                    "recorded_at": "2026-11-20T19:25:03Z",
                    "quality": [],
                }
            ],
            "next": None,
        }
    )

    home: str = Field(description="Id of the home.", examples=["summer_house"])
    events: list[Use] = Field(description="Uses that began in the window; those of one instant are never torn apart.")
    next: datetime | None = Field(description="Ask again with this `start` for more; null: that was all.")


class Place(Answer):
    """A town that a name can mean."""

    name: str = Field(description="Its name.", examples=["Lyon"])
    in_words: str = Field(
        description="As a person tells it from others.",
        examples=["Lyon, Auvergne-Rhône-Alpes, France (45.7, 4.8, 522,250 people)"],
    )
    latitude: float = Field(description="Degrees north, to 0.1. [degrees]", examples=[45.7])
    longitude: float = Field(description="Degrees east, to 0.1. [degrees]", examples=[4.8])
    time_zone: str = Field(description="Its time zone.", examples=["Europe/Paris"])
    country: str | None = Field(description="Its country.", examples=["France"])
    country_code: str | None = Field(description="ISO code of its country.", examples=["FR"])
    part: str | None = Field(description="Part of the country.", examples=["Auvergne-Rhône-Alpes"])
    population: int | None = Field(description="How many people live there. [count]", examples=[522250])
    holidays: str | None = Field(description="Calendar of public holidays of its country.", examples=["FR"])


class PlaceList(Answer):
    """Towns that a name can mean, the largest first."""

    model_config = shown_as(
        {
            "places": [
                {
                    "name": "Lyon",
                    "in_words": "Lyon, Auvergne-Rhône-Alpes, France (45.7, 4.8, 522,250 people)",
                    "latitude": 45.7,
                    "longitude": 4.8,
                    "time_zone": "Europe/Paris",
                    "country": "France",
                    "country_code": "FR",
                    "part": "Auvergne-Rhône-Alpes",
                    "population": 522250,
                    "holidays": "FR",
                }
            ]
        }
    )

    places: list[Place] = Field(description="None where nobody knows the name.")


def _also_not_finite(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Let NaN and infinity pass, which JSON does not have and many programs write: their row alone is refused."""
    return value if isinstance(value, float) else check(value)


Cell = Annotated[JsonValue, WrapValidator(_also_not_finite)]


class SentRows(Question):
    """Rows to keep, 10,000 at most in all; each is checked by itself."""

    model_config = shown_as(
        {
            "readings": [{"channel": "home.summer_house.power", "time": "2026-11-20T18:00:00Z", "value": 0.42}],
            "samples": [
                {
                    "channel": "home.summer_house.washing_machine.power",
                    "time": "2026-11-20T18:05:12Z",
                    "measure": "power",
                    "value": 1980.0,
                }
            ],
        }
    )

    readings: list[dict[str, Cell]] = Field(
        default=[],
        description="Values of intervals: `channel`, `time` (start of the interval, with its offset), `value` (in the "
        "unit of the channel; null is a gap), and perhaps `available_at` (when it could first be known).",
    )
    samples: list[dict[str, Cell]] = Field(
        default=[],
        description="What a meter told at instants: `channel`, `time`, `measure` (`power` [W] or `counter` [kWh]), "
        "`value`.",
    )


class RefusedSentRow(Answer):
    """A row that was not kept, and the cure."""

    table: Literal["readings", "samples"] = Field(description="Which of the two lists.")
    row: int = Field(description="Its place there, from 0. [count]", examples=[3])
    field: str = Field(description="What is to blame.", examples=["channel"])
    value: str | None = Field(
        description="As it was sent, cut after 200 characters.", examples=["home.summer_hous.power"]
    )
    problem: str = Field(description="What is wrong with it.", examples=["there is no such channel"])
    remedy: str = Field(description="What to do about it.", examples=["Did you mean home.summer_house.power?"])


class DoubtedSentRows(Answer):
    """Readings of a channel that are kept but not used, as they cannot be right."""

    channel: str = Field(description="Id of the channel.", examples=["home.summer_house.power"])
    rule: str = Field(
        description="`zero`, `frozen`, `out_of_range` or `unusual`, as the quality of these readings says.",
        examples=["out_of_range"],
    )
    count: int = Field(description="Readings of this request. [count]", examples=[1])
    problem: str = Field(description="What is doubted.", examples=["outside what is possible"])
    remedy: str = Field(description="What to do about it.")


class KeptRows(Answer):
    """What became of the rows; those accepted are kept durably."""

    model_config = shown_as(
        {
            "accepted": 1,
            "new": 1,
            "refused": [
                {
                    "table": "readings",
                    "row": 1,
                    "field": "channel",
                    "value": "home.summer_hous.power",
                    "problem": "there is no such channel",
                    "remedy": "Did you mean home.summer_house.power? /api/v1/channels lists all channels.",
                }
            ],
            "doubted": [],
        }
    )

    accepted: int = Field(description="Rows that are kept, now or already before. [count]", examples=[1])
    new: int = Field(description="Rows that said something new. [count]", examples=[1])
    refused: list[RefusedSentRow] = Field(description="Rows that are not kept.")
    doubted: list[DoubtedSentRows] = Field(
        description="Accepted readings that are kept but not used, as they cannot be right, by channel and rule; "
        "samples are judged later, when readings are made of them."
    )
