"""The carbon intensity of regions; every figure names its kind."""

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.readings import InstantOrDay

SERIES: dict[str, JsonValue] = {
    "channel": "grid.ny.carbon.mix.average.production.direct",
    "source": "mix",
    "basis": "average",
    "side": "production",
    "scope": "direct",
    "words": "average of production, direct emissions",
    "unit": "gCO2e/kWh",
    "resolution_seconds": 3600,
    "first_time": "2024-11-20T05:00:00Z",
    "last_time": "2026-11-20T09:00:00Z",
}
REGION: dict[str, JsonValue] = {
    "region": "ny",
    "name": "New York",
    "time_zone": "America/New_York",
    "simulated": False,
}


class CarbonSeriesEntry(Answer):
    """A series of carbon figures of one kind from one source; figures of different kinds are never compared."""

    channel: str = Field(description="Id of its channel.", examples=["grid.ny.carbon.mix.average.production.direct"])
    source: str = Field(description="Who says it; `mix`: computed from the generation by fuel.", examples=["mix"])
    basis: Literal["average", "marginal", "index"] = Field(
        description="`average` of all plants that run; `marginal`: of those that answer a change of the load; `index`: "
        "the rank of an hour among the hours of the region, 0 cleanest, which is no amount of CO2."
    )
    side: Literal["production", "consumption"] | None = Field(
        description="Of an average: of what is produced in the region, or of what is used in it; else null."
    )
    scope: Literal["direct", "lifecycle"] | None = Field(
        description="`direct`: of plants while they run; `lifecycle`: of fuel supply and building too; index: null."
    )
    words: str = Field(description="The same, for a person.", examples=["average of production, direct emissions"])
    unit: str = Field(description="Unit of every value.", examples=["gCO2e/kWh"])
    resolution_seconds: int = Field(description="Length of an interval. [s]", examples=[3600])
    first_time: datetime = Field(description="Start of the first interval, UTC.")
    last_time: datetime = Field(description="Start of the last interval, UTC.")


class CarbonNow(CarbonSeriesEntry):
    """The last good value of a series."""

    value: float | None = Field(
        description="Of the last interval that is known; null if none of the last week is. [`unit`]", examples=[231.4]
    )
    time: datetime | None = Field(description="Start of that interval, UTC.", examples=["2026-11-20T09:00:00Z"])
    local_time: datetime | None = Field(description="The same in the time zone of the region.")
    age_hours: float | None = Field(description="Time since the interval ended. [h]", examples=[25.5])
    available_at: datetime | None = Field(description="When the value could first be known, UTC.")
    quality: list[str] = Field(
        description="What is special about it: `assumed` (when it became known is assumed), `simulated`, `estimated` "
        "(a small part is missing); empty if nothing is.",
        examples=[["assumed"]],
    )


class FuelShare(Answer):
    """What a region produced of one fuel in an interval."""

    fuel: str = Field(description="The fuel.", examples=["gas"])
    value: float = Field(description="What was produced; negative: storage that charges. [unit of the mix]")
    share: float = Field(description="Of all that was produced. [0-1]", examples=[0.47])
    direct: float = Field(description="What it emits while plants run. [gCO2e/kWh]", examples=[417.2])
    lifecycle: float = Field(description="The same over the life cycle. [gCO2e/kWh]", examples=[537.2])
    factor_source: str = Field(
        description="Who says so.",
        examples=["US EPA eGRID (direct), general upstream part added (life cycle)"],
    )
    factor_year: int = Field(description="Of which year the factor is. [year]", examples=[2023])


class FuelMix(Answer):
    """What a region produced in the interval of the newest `mix` value."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-20T09:00:00Z"])
    unit: str = Field(description="Unit of what was produced.", examples=["MWh"])
    fuels: list[FuelShare] = Field(description="The largest first; one that is not told is left out.")


class CarbonRegion(Answer):
    """A region and its carbon series."""

    region: str = Field(description="Id of the region.", examples=["ny"])
    name: str = Field(description="Its name.", examples=["New York"])
    time_zone: str = Field(description="IANA name of its time zone.", examples=["America/New_York"])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    series: list[CarbonSeriesEntry] = Field(description="The one that answers where none is named first.")


class CarbonRegions(Answer):
    """Regions whose carbon intensity is known."""

    model_config = shown_as({"regions": [{**REGION, "series": [SERIES]}]})

    regions: list[CarbonRegion] = Field(description="Real ones first; empty where nothing is known.")


class CarbonCurrent(Answer):
    """The last good value of each series of a region, with its age."""

    model_config = shown_as(
        {
            **REGION,
            "now": "2026-11-21T11:30:00Z",
            "series": [
                {
                    **SERIES,
                    "value": 231.4,
                    "time": "2026-11-20T09:00:00Z",
                    "local_time": "2026-11-20T04:00:00-05:00",
                    "age_hours": 25.5,
                    "available_at": "2026-11-21T10:05:00Z",
                    "quality": [],
                }
            ],
            "mix": {
                "time": "2026-11-20T09:00:00Z",
                "unit": "MWh",
                "fuels": [
                    {
                        "fuel": "gas",
                        "value": 6900.0,
                        "share": 0.5547,
                        "direct": 417.2,
                        "lifecycle": 537.2,
                        "factor_source": "US EPA eGRID (direct), general upstream part added (life cycle)",
                        "factor_year": 2023,
                    },
                    {
                        "fuel": "nuclear",
                        "value": 5540.0,
                        "share": 0.4453,
                        "direct": 0.0,
                        "lifecycle": 12.0,
                        "factor_source": "IPCC AR5 (2014), median",
                        "factor_year": 2014,
                    },
                ],
            },
        }
    )

    region: str = Field(description="Id of the region.", examples=["ny"])
    name: str = Field(description="Its name.", examples=["New York"])
    time_zone: str = Field(description="IANA name of its time zone.", examples=["America/New_York"])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    now: datetime = Field(description="The server's clock, UTC.")
    series: list[CarbonNow] = Field(description="One entry per series.")
    mix: FuelMix | None = Field(description="What the newest `mix` value was computed from; null without one.")


class CarbonPoint(Answer):
    """One interval of a series; null is a gap, never zero."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-20T09:00:00Z"])
    local_time: datetime = Field(
        description="The same in the time zone of the region.", examples=["2026-11-20T04:00:00-05:00"]
    )
    value: float | None = Field(description="Null where it is not known. [unit of the series]", examples=[231.4])
    available_at: datetime = Field(description="When it could first be known, UTC.", examples=["2026-11-21T10:05:00Z"])
    quality: list[str] = Field(description="What is special about it; empty if nothing is.", examples=[["assumed"]])


class CarbonHistoryQuestion(Question):
    """Which series, and which time."""

    channel: str | None = Field(
        None, max_length=200, description="Id of a carbon series of the region; without it the first.", examples=[None]
    )
    start: InstantOrDay | None = Field(
        None,
        description="An instant, or a local day of the region; without it a day before `end`.",
        examples=["2026-11-14"],
    )
    end: InstantOrDay | None = Field(
        None,
        description="Intervals begin before this instant; a local day is included whole; without it now.",
        examples=["2026-11-20"],
    )
    limit: int = Field(1000, ge=1, le=100_000, description="Most points in one answer. [count]", examples=[1000])


class CarbonHistory(Answer):
    """A carbon series of a region, in the order of time."""

    model_config = shown_as(
        {
            **REGION,
            "series": SERIES,
            "points": [
                {
                    "time": "2026-11-20T09:00:00Z",
                    "local_time": "2026-11-20T04:00:00-05:00",
                    "value": 231.4,
                    "available_at": "2026-11-21T10:05:00Z",
                    "quality": [],
                }
            ],
            "next": None,
        }
    )

    region: str = Field(description="Id of the region.", examples=["ny"])
    name: str = Field(description="Its name.", examples=["New York"])
    time_zone: str = Field(description="IANA name of its time zone.", examples=["America/New_York"])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    series: CarbonSeriesEntry = Field(description="Which series it is.")
    points: list[CarbonPoint] = Field(description="One entry per interval.")
    next: datetime | None = Field(description="Give this as `start` for the next page; null on the last one.")
