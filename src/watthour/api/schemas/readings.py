"""Channels and their readings."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError

from watthour.api.schemas.base import Answer, Question, shown_as

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _instant_or_day(value: object, instant: ValidatorFunctionWrapHandler) -> object:
    """Read a bare date as a day; whatever has a clock time must say its offset."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return instant(value)
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("day", "there is no such day in the calendar") from error


InstantOrDay = Annotated[
    AwareDatetime,
    WrapValidator(_instant_or_day),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]


class ReadingsQuestion(Question):
    """Which readings, as known when."""

    channel: str = Field(description="Id of a channel.", examples=["grid.ny.demand"], min_length=3, max_length=200)
    start: InstantOrDay | None = Field(
        None,
        description="An instant, or a local day of the channel's site; without it a day before `end`.",
        examples=["2026-11-20T00:00:00Z", "2026-11-20"],
    )
    end: InstantOrDay | None = Field(
        None,
        description="Intervals begin before this instant; a local day is included whole; without it now.",
        examples=["2026-11-21T00:00:00Z", "2026-11-21"],
    )
    as_of: AwareDatetime | None = Field(
        None, description="Answer with what was known at this instant; without it now.", examples=[None]
    )
    limit: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Most rows in one answer; without it 1,000 as JSON and 100,000 as CSV. [count]",
        examples=[1000],
    )
    format: Literal["json", "csv"] = Field("json", description="How to answer.")


class ChannelSummary(Answer):
    """A channel and the span of its readings."""

    id: str = Field(description="Id of the channel.", examples=["grid.ny.demand"])
    site: str = Field(description="Id of the site it belongs to.", examples=["ny"])
    device: str | None = Field(description="Id of the device of a home it is measured at.", examples=[None])
    zone: str | None = Field(description="Id of the zone of a home it is measured in.", examples=[None])
    quantity: str = Field(description="What is measured, such as `energy` or `temperature`.", examples=["energy"])
    unit: str = Field(description="Unit of every value.", examples=["MWh"])
    resolution_seconds: int = Field(description="Length of an interval. [s]", examples=[3600])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    first_time: datetime | None = Field(description="Start of the first interval, UTC; null without readings.")
    last_time: datetime | None = Field(description="Start of the last interval, UTC; null without readings.")


class ChannelList(Answer):
    """All channels."""

    model_config = shown_as(
        {
            "channels": [
                {
                    "id": "grid.ny.demand",
                    "site": "ny",
                    "device": None,
                    "zone": None,
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

    channels: list[ChannelSummary] = Field(description="One entry per channel.")


class Reading(Answer):
    """One interval's value, with when it became known; null is a gap."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-20T00:00:00Z"])
    value: float | None = Field(
        description="What was measured; null is a gap. [unit of the channel]", examples=[16020.0]
    )
    available_at: datetime = Field(
        description="When this value could first be known, UTC.", examples=["2026-11-20T03:00:00Z"]
    )
    recorded_at: datetime = Field(description="When it was stored, UTC.", examples=["2026-11-20T03:05:00Z"])
    quality: list[str] = Field(
        description="What is special about the value: `assumed` (when it became known is assumed), `simulated`, "
        "`estimated`, `zero`, `frozen`, `out_of_range`, `unusual`; empty if nothing is.",
        examples=[["assumed"]],
    )


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

    channel: str = Field(description="Id of the channel.", examples=["grid.ny.demand"])
    unit: str = Field(description="Unit of every value.", examples=["MWh"])
    readings: list[Reading] = Field(description="One entry per interval.")
    next: datetime | None = Field(description="Give this as `start` for the next page; null on the last one.")
