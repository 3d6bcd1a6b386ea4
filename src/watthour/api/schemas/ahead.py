"""The hours ahead of a site, its channels, devices and zones."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.grid import Member

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
MOST_NAMES = 100


class AheadQuestion(Question):
    """How many hours, and what of the site; without a name its main channel."""

    hours: int = Field(
        24, ge=1, le=168, description="How far ahead, from the interval now running on. [h]", examples=[48]
    )
    channel: list[Name] = Field(
        [],
        max_length=MOST_NAMES,
        description="Id of a channel, with or without the site in front; once for each.",
        examples=[["power"]],
    )
    device: list[Name] = Field(
        [],
        max_length=MOST_NAMES,
        description="Id or name of a device; once for each.",
        examples=[["washing_machine"]],
    )
    zone: list[Name] = Field(
        [], max_length=MOST_NAMES, description="Id or name of a zone; once for each.", examples=[["kitchen"]]
    )


class AheadPoint(Answer):
    """One interval of a forecast [unit of the channel]."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-21T15:00:00Z"])
    local_time: datetime = Field(
        description="The same in the time zone of the site.", examples=["2026-11-21T16:00:00+01:00"]
    )
    value: float | None = Field(description="Median; null if there is none. [unit of the channel]", examples=[0.62])
    lower: float | None = Field(
        description="Lower end of the 90 % interval; null if there is none. [unit of the channel]", examples=[0.31]
    )
    upper: float | None = Field(
        description="Upper end of the 90 % interval; null if there is none. [unit of the channel]", examples=[1.4]
    )
    probability: float | None = Field(
        description="That a device which is seldom on runs in the interval at all; null for anything else. [0-1]",
        examples=[None],
    )
    expected_kwh: float | None = Field(
        description="Mean of the energy that such a device uses in it; null for anything else. [kWh]", examples=[None]
    )
    quantiles: dict[str, float] = Field(
        description="The forecast at each level from 0.05 to 0.95: the value lies below it with that probability. "
        "[unit of the channel]",
        examples=[{"0.05": 0.31, "0.5": 0.62, "0.95": 1.4}],
    )
    operator: float | None = Field(
        description="Forecast of the first rival, such as the grid's operator; null if there is none. "
        "[unit of the channel]",
        examples=[None],
    )
    seasonal_naive: float | None = Field(
        description="What was measured at the same time a week before. [unit of the channel]", examples=[0.58]
    )


class DayOfUse(Answer):
    """What to expect of a device that is seldom on, on one local day."""

    day: date = Field(description="Local day.", examples=["2026-11-22"])
    intervals: int = Field(description="How many intervals of it are among the hours asked. [count]", examples=[24])
    probability: float = Field(description="That the device runs at all in them. [0-1]", examples=[0.42])
    expected_kwh: float = Field(description="Mean of the energy that it uses in them. [kWh]", examples=[0.51])
    lower_kwh: float | None = Field(
        description="Lower end of the 90 % interval of that energy; null if no past day is known whole. [kWh]",
        examples=[0.0],
    )
    upper_kwh: float | None = Field(description="Upper end of it. [kWh]", examples=[1.3])
    starts: float = Field(description="Mean of how often it is switched on in them. [count]", examples=[0.5])


class EntityAhead(Answer):
    """The forecast of one channel, or of the sum of several."""

    kind: Literal["site", "channel", "device", "zone"] = Field(description="What it is.", examples=["site"])
    id: str = Field(description="Its id.", examples=["flat"])
    name: str = Field(description="What it is called.", examples=["Flat"])
    channels: list[str] = Field(
        description="The channels that are forecast; of several, their sum; none where a log of uses is.",
        examples=[["home.flat.power"]],
    )
    unit: str = Field(description="Unit of every value.", examples=["kW"])
    resolution_seconds: int = Field(description="Length of an interval. [s]", examples=[3600])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    start: datetime = Field(description="Start of the first interval, UTC.")
    end: datetime = Field(description="End of the last interval, UTC.")
    issued_at: datetime = Field(description="When it was made, UTC; of an archive, the instant it was made for.")
    known_until: datetime | None = Field(
        description="End of the newest reading that it rests on, UTC.", examples=["2026-11-21T15:00:00Z"]
    )
    data_age_hours: float | None = Field(description="Time since then. [h]", examples=[0.5])
    stale: bool = Field(description="True if that is older than it should be, twelve hours.")
    archive: bool = Field(
        description="True if the readings ended more than two weeks ago; the hours after the last one are forecast."
    )
    made_by: Literal["model", "rare_use", "other_homes", "similar_series", "baseline"] = Field(
        description="A trained model; the past uses of a device that is seldom on; the model of other homes that comes "
        "with Watthour; the series beside similar ones, while its past is short; or a simple rule."
    )
    model_version: str = Field(description="Version of the model, or name of the rule.", examples=["similar_series"])
    model_label: str = Field(description="The same in words.", examples=["Similar series"])
    trained_at: datetime | None = Field(
        description="When the model was trained, UTC; null where no trained model made it.",
        examples=["2026-11-18T03:00:00Z"],
    )
    learned_from: int | None = Field(
        description="How many sites of its kind the model was learned from together; null where no trained model made "
        "it. [count]",
        examples=[12],
    )
    fallback: str | None = Field(description="Why a simpler forecast was used; null if the model made it.")
    missing_inputs: list[str] = Field(description="Inputs that were unknown or only estimated, as sentences.")
    made_of: list[Member] = Field(description="The models that were combined, largest share first; else empty.")
    days: list[DayOfUse] = Field(
        description="Of a device that runs for a quarter of its time at most, what to expect of each day; else empty."
    )
    points: list[AheadPoint] = Field(description="One entry per interval.")


class NotForecast(Answer):
    """Something that was asked and of which too little is known."""

    kind: Literal["site", "channel", "device", "zone"] = Field(description="What it is.", examples=["device"])
    id: str = Field(description="Its id.", examples=["home.flat.washing_machine"])
    name: str = Field(description="What it is called.", examples=["Washing machine"])
    problem: str = Field(description="Why it cannot be forecast.")
    remedy: str = Field(description="What to do about it.")


class SiteAhead(Answer):
    """The forecasts of a site, from its latest readings."""

    model_config = shown_as(
        {
            "site": "flat",
            "name": "Flat",
            "kind": "home",
            "time_zone": "Europe/Paris",
            "simulated": False,
            "hours": 24,
            "generated_at": "2026-11-21T15:30:00Z",
            "forecasts": [
                {
                    "kind": "site",
                    "id": "flat",
                    "name": "Flat",
                    "channels": ["home.flat.power"],
                    "unit": "kW",
                    "resolution_seconds": 3600,
                    "simulated": False,
                    "start": "2026-11-21T15:00:00Z",
                    "end": "2026-11-22T15:00:00Z",
                    "issued_at": "2026-11-21T15:30:00Z",
                    "known_until": "2026-11-21T15:00:00Z",
                    "data_age_hours": 0.5,
                    "stale": False,
                    "archive": False,
                    "made_by": "similar_series",
                    "model_version": "similar_series",
                    "model_label": "Similar series",
                    "trained_at": None,
                    "learned_from": None,
                    "fallback": "Similar series answers: home.flat.power has no model of its own yet. One can be "
                    "trained once about 120 days of it are known.",
                    "missing_inputs": [],
                    "made_of": [],
                    "days": [],
                    "points": [
                        {
                            "time": "2026-11-21T15:00:00Z",
                            "local_time": "2026-11-21T16:00:00+01:00",
                            "value": 0.62,
                            "lower": 0.31,
                            "upper": 1.4,
                            "probability": None,
                            "expected_kwh": None,
                            "quantiles": {"0.05": 0.31, "0.5": 0.62, "0.95": 1.4},
                            "operator": None,
                            "seasonal_naive": 0.58,
                        }
                    ],
                }
            ],
            "not_forecast": [],
        }
    )

    site: str = Field(description="Id of the site.", examples=["flat"])
    name: str = Field(description="Full name.", examples=["Flat"])
    kind: Literal["home", "region"] = Field(description="What the site is.")
    time_zone: str = Field(description="IANA name of its time zone.", examples=["Europe/Paris"])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    hours: int = Field(description="How far ahead was asked. [h]", examples=[24])
    generated_at: datetime = Field(description="When this answer was made, UTC.")
    forecasts: list[EntityAhead] = Field(description="One entry for each thing asked that can be forecast.")
    not_forecast: list[NotForecast] = Field(description="The others, with the reason and the cure.")
