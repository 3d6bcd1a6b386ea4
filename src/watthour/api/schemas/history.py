"""What a home, a zone or a device used over some days."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as


class HistoryQuestion(Question):
    """Of what, which local days, and how finely."""

    device: str | None = Field(
        None, max_length=200, description="Id or name of a device.", examples=["washing_machine"]
    )
    zone: str | None = Field(
        None, max_length=200, description="Id or name of a zone; without either, the home.", examples=[None]
    )
    start: date | None = Field(
        None, description="First local day; without it the same as `end`.", examples=["2026-11-15"]
    )
    end: date | None = Field(None, description="Last local day; without it today.", examples=["2026-11-21"])
    step: Literal["interval", "hour", "day"] | None = Field(
        None,
        description="How finely: the channel's own intervals, hours or local days, but never finer than the channel. "
        "Without it intervals for one day, hours for up to eight, else days.",
        examples=["hour"],
    )


class PastSpan(Answer):
    """What was used in an interval, an hour or a day."""

    time: datetime = Field(description="Its start, UTC.", examples=["2026-11-20T23:00:00Z"])
    local_time: datetime = Field(
        description="The same in the time zone of the home.", examples=["2026-11-21T00:00:00+01:00"]
    )
    end: datetime = Field(description="Its end, UTC, not included.", examples=["2026-11-21T00:00:00Z"])
    kwh: float | None = Field(
        description="Energy of the part of it that is known; null if nothing is; negative: fed in. [kWh]",
        examples=[0.21],
    )
    mean_watts: float | None = Field(
        description="Mean power over the part of it that is known; null if nothing is. [W]", examples=[210.0]
    )
    known_share: float = Field(description="Known share of what has passed of it. [0-1]", examples=[1.0])


class PastUseAnswer(Answer):
    """What was used, span by span; the time to come has none."""

    model_config = shown_as(
        {
            "home": "flat",
            "kind": "device",
            "id": "home.flat.washing_machine",
            "name": "Washing machine",
            "time_zone": "Europe/Paris",
            "simulated": False,
            "channels": ["home.flat.washing_machine.power"],
            "step_seconds": 3600,
            "spans": [
                {
                    "time": "2026-11-20T23:00:00Z",
                    "local_time": "2026-11-21T00:00:00+01:00",
                    "end": "2026-11-21T00:00:00Z",
                    "kwh": 0.21,
                    "mean_watts": 210.0,
                    "known_share": 1.0,
                }
            ],
        }
    )

    home: str = Field(description="Id of the home.", examples=["flat"])
    kind: Literal["home", "zone", "device"] = Field(description="What was asked.")
    id: str = Field(description="Its id.", examples=["home.flat.washing_machine"])
    name: str = Field(description="What it is called.", examples=["Washing machine"])
    time_zone: str = Field(description="Whose days these are.", examples=["Europe/Paris"])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    channels: list[str] = Field(description="The channels it is measured by; of several, their sum; none: nothing.")
    step_seconds: int = Field(description="Length of a span; days may have 23 or 25 hours. [s]", examples=[3600])
    spans: list[PastSpan] = Field(
        description="In order, without those of which no interval has ended; empty where nothing measures it."
    )
