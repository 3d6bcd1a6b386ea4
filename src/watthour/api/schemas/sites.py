"""Sites of the store, and how one of one's own is described."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as


def _no_flag(value: object) -> object:
    """Refuse what JSON says is true or false; Python would count it as 1 or 0."""
    if isinstance(value, bool):
        message = "input should be a number"
        raise ValueError(message)  # noqa: TRY004 - pydantic turns this one into an answer
    return value


Latitude = Annotated[float, Field(strict=True, ge=-90, le=90, description="Degrees north. [degrees]", examples=[48.85])]
Longitude = Annotated[
    float, Field(strict=True, ge=-180, le=180, description="Degrees east. [degrees]", examples=[2.35])
]
Weight = Annotated[
    float,
    Field(
        gt=0,
        le=1e9,
        description="Share of the site's load, relative to its other points. [share]",
        examples=[1.0],
    ),
]
SiteName = Annotated[
    str, Field(min_length=1, max_length=100, description="What people call it.", examples=["Summer house"])
]
TimeZone = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="Its time zone: a name of the IANA database.",
        examples=["Europe/Paris"],
    ),
]
_CALENDARS = (
    "Calendar of public holidays: ISO code of a country, or of a part of it; more calendars are joined by +, "
    "such as TR+ramadan."
)
Holidays = Annotated[
    str,
    Field(
        max_length=100,
        description=_CALENDARS,
        examples=["FR"],
    ),
]
Zone = Annotated[str, Field(max_length=50, description="Grid zone it belongs to.", examples=["FR"])]
Seconds = Annotated[int, BeforeValidator(_no_flag)]
Word = Annotated[str, Field(min_length=1, max_length=60, pattern="^[a-z0-9_]+$")]

SITE_EXAMPLE: dict[str, JsonValue] = {
    "id": "summer_house",
    "name": "Summer house",
    "kind": "home",
    "time_zone": "Europe/Paris",
    "latitude": 48.85,
    "longitude": 2.35,
    "holidays": "FR",
    "zone": None,
    "points": [{"id": "n4885_e235", "latitude": 48.85, "longitude": 2.35, "weight": 1.0}],
    "described_in": "store",
    "simulated": False,
    "main_channel": "home.summer_house.power",
    "channels": [
        {
            "id": "home.summer_house.power",
            "quantity": "power",
            "unit": "kW",
            "resolution_seconds": 1800,
            "first_time": None,
            "last_time": None,
        }
    ],
    "weather": "awaited",
    "model": None,
    "next": [
        {
            "text": "Import a file with its readings.",
            "command": "watthour import FILE.csv --channel home.summer_house.power --unit kW",
        }
    ],
}


class WeatherPoint(Answer):
    """Where the weather of a site is taken."""

    id: str = Field(description="Its name in the ids of weather channels.", examples=["lyon"])
    latitude: Latitude
    longitude: Longitude
    weight: float = Field(description="Share of the site's load, relative to its other points. [share]", examples=[1.0])


class SiteChannel(Answer):
    """A series of a site and the span of its readings."""

    id: str = Field(description="Id of the channel.", examples=["home.summer_house.power"])
    quantity: str = Field(description="What is measured.", examples=["power"])
    unit: str = Field(description="Unit of its readings and forecasts.", examples=["kW"])
    resolution_seconds: int = Field(description="Length of an interval. [s]", examples=[1800])
    first_time: datetime | None = Field(description="Start of its first interval; null without readings.")
    last_time: datetime | None = Field(description="Start of its last interval; null without readings.")


class NextStep(Answer):
    """Something a person can do for a better forecast."""

    text: str = Field(description="What, in words.", examples=["Train its model."])
    command: str = Field(description="How, on the command line.", examples=["watthour train summer_house"])


class SiteEntry(Answer):
    """A site: where it is, what is measured there, and what is missing for a forecast."""

    model_config = shown_as(SITE_EXAMPLE)

    id: str = Field(description="Its short name in addresses and commands.", examples=["summer_house"])
    name: str = Field(description="What people call it.", examples=["Summer house"])
    kind: Literal["home", "region"] = Field(description="A household, or anything larger.")
    time_zone: str = Field(description="Its time zone: a name of the IANA database.", examples=["Europe/Paris"])
    latitude: float | None = Field(description="Degrees north. [degrees]", examples=[48.85])
    longitude: float | None = Field(description="Degrees east. [degrees]", examples=[2.35])
    holidays: str | None = Field(description=_CALENDARS, examples=["FR", "TR+ramadan"])
    zone: str | None = Field(description="Grid zone it belongs to.", examples=["FR"])
    points: list[WeatherPoint] = Field(description="Places whose weather is used; none without coordinates.")
    described_in: Literal["store", "settings", "watthour"] = Field(
        description="Where it is described: by a user (store), in the settings file (settings), or by Watthour itself."
    )
    simulated: bool = Field(description="Its readings are invented.")
    main_channel: str | None = Field(
        description="What is forecast of it: the one it names, else the only channel of the whole site, else the only "
        "load.",
        examples=["home.summer_house.power"],
    )
    channels: list[SiteChannel] = Field(description="Its series, without weather.")
    weather: Literal["none", "awaited", "known", "too_early"] = Field(
        description="No coordinates; coordinates without any weather forecast yet; weather forecasts are kept; or all "
        "readings are from before March 2021, for which no weather forecasts as issued exist."
    )
    model: str | None = Field(description="Version of the model that serves.", examples=[None])
    next: list[NextStep] = Field(description="What can be done next, the most important first.")


class SiteList(Answer):
    """All sites of the store."""

    model_config = shown_as({"sites": [SITE_EXAMPLE]})

    sites: list[SiteEntry] = Field(description="Sorted by id.")


class NewPoint(Question):
    """A place where the weather of a site is to be taken."""

    id: Word = Field(description="A name for it, such as a city.", examples=["lyon"])
    latitude: Latitude
    longitude: Longitude
    weight: Weight = 1.0


class NewChannel(Question):
    """A series of a site."""

    name: Word = Field(description="Last word of its id.", examples=["power"])
    unit: str = Field(
        max_length=20,
        description="Unit of its readings: W, kW, MW, kWh, MWh, or of a price such as EUR/MWh.",
        examples=["kW"],
    )
    resolution_seconds: Seconds = Field(ge=1, le=86400, description="Length of an interval. [s]", examples=[1800])


class NewSite(Question):
    """A site of one's own."""

    model_config = shown_as(
        {
            "name": "Summer house",
            "kind": "home",
            "time_zone": "Europe/Paris",
            "latitude": 48.85,
            "longitude": 2.35,
            "holidays": "FR",
            "channels": [{"name": "power", "unit": "kW", "resolution_seconds": 1800}],
        }
    )

    name: SiteName
    kind: Literal["home", "region"] = Field(description="home: the meter of a household; region: anything larger.")
    time_zone: TimeZone
    id: Word | None = Field(None, description="Its short name; made from its name if not given.", examples=[None])
    latitude: Latitude | None = Field(None, description="Degrees north. [degrees]")
    longitude: Longitude | None = Field(None, description="Degrees east. [degrees]")
    holidays: Holidays | None = Field(None, description=_CALENDARS)
    zone: Zone | None = Field(None, description="Grid zone it belongs to.")
    points: list[NewPoint] = Field(
        default=[],
        max_length=50,
        description="Places whose weather is used, for a large region; otherwise its coordinates.",
    )
    channels: list[NewChannel] = Field(default=[], max_length=50, description="Its series; a file can add them later.")
    main: str | None = Field(
        None, max_length=60, description="Name of the channel that is forecast; by default the first."
    )


class SiteChange(Question):
    """What is to be another at a site; what is left out stays, null takes a value away."""

    model_config = shown_as({"latitude": 48.85, "longitude": 2.35})

    name: SiteName = ""
    time_zone: TimeZone = ""
    latitude: Latitude | None = Field(None, description="Degrees north. [degrees]")
    longitude: Longitude | None = Field(None, description="Degrees east. [degrees]")
    holidays: Holidays | None = Field(None, description=_CALENDARS)
    zone: Zone | None = Field(None, description="Grid zone it belongs to.")
    points: list[NewPoint] = Field(default=[], max_length=50, description="Replace all points it has.")
    channels: list[NewChannel] = Field(default=[], max_length=50, description="New series, or series without readings.")
    main: str = Field("", max_length=60, description="Name of the channel that is forecast.", examples=["power"])


class RemovedSite(Answer):
    """A site that is gone."""

    model_config = shown_as({"id": "summer_house", "name": "Summer house"})

    id: str = Field(description="Its id.", examples=["summer_house"])
    name: str = Field(description="Its name.", examples=["Summer house"])


class HolidayCountry(Answer):
    """A country with a calendar of public holidays."""

    code: str = Field(description="ISO code of the country.", examples=["AU"])
    parts: list[str] = Field(
        description="Parts of the country with their own calendar, such as AU-NSW.", examples=[["NSW", "VIC"]]
    )


class OptionalHolidays(Answer):
    """A calendar that can be joined to that of a country."""

    code: str = Field(description="What is joined by +, as in TR+ramadan.", examples=["ramadan"])
    name: str = Field(description="What people call it.", examples=["Ramadan"])
    says: str = Field(description="What it adds.", examples=["The month of fasting."])


class HolidayCalendars(Answer):
    """All calendars of public holidays, and those that can be joined to them."""

    model_config = shown_as(
        {
            "likely": "AU",
            "countries": [{"code": "AU", "parts": ["NSW", "VIC"]}],
            "optional": [{"code": "ramadan", "name": "Ramadan", "says": "The month of fasting."}],
        }
    )

    likely: str | None = Field(description="Calendar of the country with the requested time zone.", examples=["AU"])
    countries: list[HolidayCountry] = Field(description="Sorted by code.")
    optional: list[OptionalHolidays] = Field(description="Can be joined to any country's by +.")
