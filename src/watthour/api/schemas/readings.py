"""Channels and their readings."""

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from watthour.api.schemas.base import Answer, Question, shown_as


class ReadingsQuestion(Question):
    """Which readings, as known when."""

    channel: str = Field(description="Id of a channel.", examples=["grid.ny.demand"], min_length=3, max_length=200)
    start: AwareDatetime | None = Field(
        None, description="First interval start; without it a day before `end`.", examples=["2026-11-20T00:00:00Z"]
    )
    end: AwareDatetime | None = Field(
        None, description="Interval starts before this; without it now.", examples=["2026-11-21T00:00:00Z"]
    )
    as_of: AwareDatetime | None = Field(
        None, description="Answer with what was known at this instant; without it now.", examples=[None]
    )
    limit: int = Field(1000, ge=1, le=100_000, description="Most rows in one answer.", examples=[1000])
    format: Literal["json", "csv"] = Field("json", description="How to answer.")


class ChannelSummary(Answer):
    """A channel and the span of its readings."""

    id: str = Field(examples=["grid.ny.demand"])
    site: str = Field(examples=["ny"])
    quantity: str = Field(examples=["energy"])
    unit: str = Field(examples=["MWh"])
    resolution_seconds: int = Field(examples=[3600])
    simulated: bool
    first_time: datetime | None
    last_time: datetime | None


class ChannelList(Answer):
    """All channels."""

    model_config = shown_as(
        {
            "channels": [
                {
                    "id": "grid.ny.demand",
                    "site": "ny",
                    "quantity": "energy",
                    "unit": "MWh",
                    "resolution_seconds": 3600,
                    "simulated": False,
                    "first_time": "2019-01-01T05:00:00Z",
                    "last_time": "2026-11-21T09:00:00Z",
                }
            ]
        }
    )

    channels: list[ChannelSummary]


class Reading(Answer):
    """One interval's value, with when it became known; null is a gap."""

    time: datetime = Field(examples=["2026-11-20T00:00:00Z"])
    value: float | None = Field(examples=[16020.0])
    available_at: datetime = Field(examples=["2026-11-20T03:00:00Z"])
    recorded_at: datetime = Field(examples=["2026-11-20T03:05:00Z"])
    quality: list[str] = Field(examples=[["assumed"]])


class ReadingPage(Answer):
    """Readings in the order of time."""

    model_config = shown_as(
        {
            "channel": "grid.ny.demand",
            "unit": "MWh",
            "readings": [
                {
                    "time": "2026-11-20T00:00:00Z",
                    "value": 16020.0,
                    "available_at": "2026-11-20T03:00:00Z",
                    "recorded_at": "2026-11-20T03:05:00Z",
                    "quality": ["assumed"],
                }
            ],
            "next": None,
        }
    )

    channel: str = Field(examples=["grid.ny.demand"])
    unit: str = Field(examples=["MWh"])
    readings: list[Reading]
    next: datetime | None = Field(description="Give this as `start` for the next page; null on the last one.")
