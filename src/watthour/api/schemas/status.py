"""Liveness, readiness and what is here."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, shown_as


class SinkHealth(Answer):
    """How telling others beside the store goes: a database of what is read, a broker of homes.

    Nothing is lost while it fails.
    """

    name: str = Field(
        description="Who is told: `influxdb`, or `home_assistant_discovery` by MQTT.", examples=["influxdb"]
    )
    state: Literal["ok", "waiting", "failing", "elsewhere"] = Field(
        description="`ok`; `waiting`: nothing was told yet; `failing`: the last try failed, and it is tried again; "
        "`elsewhere`: this process does not tell."
    )
    points: int = Field(
        description="Readings written, or messages sent, since the process began. [count]", examples=[2016]
    )
    failures: int = Field(description="Tries that failed since the process began. [count]", examples=[0])
    last_success_at: datetime | None = Field(description="When something was last told, UTC; null if never.")
    problem: str | None = Field(description="What went wrong at the last try, and what to do; null if nothing did.")


class Health(Answer):
    """The process answers."""

    model_config = shown_as(
        {
            "status": "alive",
            "version": "0.1.0",
            "sinks": [
                {
                    "name": "influxdb",
                    "state": "ok",
                    "points": 2016,
                    "failures": 0,
                    "last_success_at": "2026-11-21T12:05:03Z",
                    "problem": None,
                }
            ],
        }
    )

    status: Literal["alive"] = Field(description="Always `alive`.")
    version: str = Field(description="Version of Watthour.", examples=["0.1.0"])
    sinks: list[SinkHealth] = Field(description="Who is told beside the store; usually nobody.")


class Degraded(Answer):
    """A source that does not deliver."""

    name: str = Field(description="Name of the source.", examples=["eia:ny"])
    problem: str = Field(
        description="What went wrong, and what to do.", examples=["eia: answered 503 four times. Try again later."]
    )


class StandingBy(Answer):
    """What a source that stands by needs to be set."""

    name: str = Field(description="Block of the settings.", examples=["watttime"])
    setting: str = Field(description="What is missing.", examples=["WATTTIME_USERNAME"])
    remedy: str = Field(description="What to do.", examples=["Register for free with `watthour carbon register` ..."])


class CarbonFreshness(Answer):
    """How old the last value of a carbon series is."""

    channel: str = Field(description="Id of its channel.", examples=["grid.ny.carbon.watttime.marginal.direct"])
    region: str = Field(description="Id of the region.", examples=["ny"])
    source: str = Field(description="Who says it; `mix`: computed from the generation by fuel.", examples=["watttime"])
    last_time: datetime = Field(description="Start of the last interval, UTC.")
    age_hours: float = Field(description="Time since that interval ended. [h]", examples=[0.2])
    fresh: bool = Field(description="Not older than 12 hours; from a mix of fuels, which comes late, than 36 hours.")
    simulated: bool = Field(description="True if it is invented by the simulation.")


class Ready(Answer):
    """Forecasts can be served; what is degraded is named."""

    model_config = shown_as(
        {
            "status": "ready",
            "regions": ["ny"],
            "homes": ["flat"],
            "degraded": [{"name": "eia", "problem": "eia: answered 503 four times"}],
            "carbon": "standby",
            "carbon_series": [],
            "standing_by": [
                {
                    "name": "watttime",
                    "setting": "WATTTIME_USERNAME",
                    "remedy": "Register for free with `watthour carbon register` and set WATTTIME_USERNAME.",
                }
            ],
        }
    )

    status: Literal["ready"] = Field(description="Always `ready`; otherwise the answer is 503.")
    regions: list[str] = Field(description="Ids of the regions with readings.", examples=[["ny"]])
    homes: list[str] = Field(description="Ids of the homes with readings or uses of devices.", examples=[["flat"]])
    degraded: list[Degraded] = Field(description="Sources whose last run failed.")
    carbon: Literal["ok", "stale", "standby", "missing", "unused"] = Field(
        description="`ok`: a series of carbon figures is fresh; `stale`: there are some, and none is; `standby`: there "
        "are none of a real region, and a source waits for its settings; `missing`: none came yet; `unused`: nobody "
        "wants any, as there are homes alone. Forecasts need none of them."
    )
    carbon_series: list[CarbonFreshness] = Field(description="Each series with its age, the freshest first.")
    standing_by: list[StandingBy] = Field(description="What those sources need; empty where nothing is missing.")


class RegionSummary(Answer):
    """A site and the span of its readings that is here."""

    id: str = Field(description="Short name, as in addresses.", examples=["ny"])
    name: str = Field(description="Full name.", examples=["New York"])
    kind: Literal["home", "region"] = Field(description="A household, or anything larger.")
    operator: str | None = Field(description="Operator of its grid; null if unknown.", examples=["New York ISO"])
    time_zone: str = Field(description="IANA name of its time zone.", examples=["America/New_York"])
    channel: str = Field(description="Id of the channel that is forecast.", examples=["grid.ny.demand"])
    unit: str = Field(description="Unit of every value of the channel.", examples=["MWh"])
    resolution_seconds: int = Field(description="Length of an interval. [s]", examples=[3600])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    first_time: datetime | None = Field(description="Start of the first interval, UTC; null without readings.")
    last_time: datetime | None = Field(description="Start of the last interval, UTC; null without readings.")


class SourceState(Answer):
    """How the last asking of a source ended."""

    name: str = Field(description="Name of the source.", examples=["eia:ny"])
    label: str = Field(description="What it is called.", examples=["EIA, demand"])
    site: str | None = Field(description="Id of the site it serves; null of a file.", examples=["ny"])
    state: Literal["ok", "running", "interrupted", "failed", "never"] = Field(
        description="How its last run ended; `never` if it has not run, `interrupted` if the process that asked has "
        "ended before the answer."
    )
    last_run_at: datetime | None = Field(description="When its last run ended, UTC; null if it has not run.")
    age_hours: float | None = Field(description="Time since its last run; null if it has not run. [h]")
    problem: str | None = Field(description="What went wrong, and what to do; null if nothing did.")


class DoubtedValues(Answer):
    """Values that came in, are kept, and are not used, as they cannot be right."""

    region: str = Field(description="The site they belong to.", examples=["ny"])
    what: str = Field(
        description="Whose values they are, and of what.", examples=["Operator's forecast of grid.ny.demand"]
    )
    count: int = Field(description="How many values of the last and the next seven days. [count]", examples=[24])
    words: str = Field(
        description="How many of the values, and why.",
        examples=["24 of 192 values are kept but not used: far from what was usual just before (24)"],
    )


class ArrivalFinding(Answer):
    """A fault of a feed that no single value shows; nothing was changed."""

    region: str = Field(description="Site it belongs to.", examples=["fr"])
    channel: str = Field(description="Channel of the readings.", examples=["grid.fr.demand"])
    beside: str = Field(description="Forecast that the readings were compared with.", examples=["Operator's forecast"])
    fault: Literal["shift", "scale", "exchanged"] = Field(
        description="`shift`: values of another time; `scale`: of another scale; `exchanged`: readings and forecast "
        "stand in each other's place."
    )
    side: Literal["readings", "forecast", "unknown"] = Field(description="Which of the two changed.")
    first_day: date = Field(description="First local day that shows it.", examples=["2023-07-21"])
    last_day: date | None = Field(description="Last local day that shows it; null while it goes on.")
    size: float = Field(
        description="Of a shift the hours by which values come too late, negative: too early; of a scale the factor; "
        "of an exchange the step of the rounding. [h, factor or unit of the channel]",
        examples=[0.95],
    )
    sure: float | None = Field(
        description="How much of the difference between the two it explains; null of an exchange, which is told by the "
        "rounding. [share]",
        examples=[0.88],
    )
    words: str = Field(description="What is wrong.", examples=["Since 2023-07-21, the values of the readings come ..."])
    cure: str = Field(description="What to do.", examples=["Check the time zone of the readings, ..."])


class Span(Answer):
    """From the first instant to just before the last, UTC."""

    start: datetime = Field(description="First instant, UTC.")
    end: datetime = Field(description="Just after the last, UTC.")


class FillState(Answer):
    """How much of its past a source has brought in; what is missing is asked for again, newest first."""

    source: str = Field(description="Name of the source.", examples=["eia:ny"])
    share: float = Field(description="How much of the requested past is stored. [share]", examples=[0.87])
    start: datetime = Field(description="Start of the requested past, UTC.")
    end: datetime = Field(description="End of the requested past, UTC.")
    holes: list[Span] = Field(description="Spans that are still missing, oldest first.")
    empty: list[Span] = Field(description="Spans for which the source has no data; requested again after a month.")


class StoreState(Answer):
    """Whether new readings and forecasts can be kept; reading goes on in any case."""

    state: Literal["ok", "locked", "full", "read-only"] = Field(description="Whether it can be written, or why not.")
    problem: str | None = Field(
        description="What is wrong; null if nothing is.", examples=["No space is left for new readings and forecasts."]
    )
    remedy: str | None = Field(
        description="What to do; null if nothing is wrong.",
        examples=["Free some space. Stored data can still be read."],
    )


class ConnectOption(Answer):
    """A way to bring in real data."""

    id: str = Field(description="Name of the data source.", examples=["eia_key"])
    title: str = Field(description="What it offers, in a few words.")
    text: str = Field(description="What to do.")
    command: str = Field(description="The command that connects it.")


class Status(Answer):
    """What is here, how fresh it is, and what could be connected."""

    model_config = shown_as(
        {
            "version": "0.1.0",
            "now": "2026-11-21T12:00:00Z",
            "simulated": False,
            "regions": [
                {
                    "id": "ny",
                    "name": "New York",
                    "kind": "region",
                    "operator": "NYISO",
                    "time_zone": "America/New_York",
                    "channel": "grid.ny.demand",
                    "unit": "MWh",
                    "resolution_seconds": 3600,
                    "simulated": False,
                    "first_time": "2019-01-01T05:00:00Z",
                    "last_time": "2026-11-21T09:00:00Z",
                }
            ],
            "sources": [
                {
                    "name": "eia:ny",
                    "label": "EIA, demand",
                    "site": "ny",
                    "state": "ok",
                    "last_run_at": "2026-11-21T11:30:00Z",
                    "age_hours": 0.5,
                    "problem": None,
                }
            ],
            "doubted": [],
            "arrivals": [],
            "fill": [
                {
                    "source": "eia:ny",
                    "share": 0.87,
                    "start": "2024-11-20T12:00:00Z",
                    "end": "2026-11-21T12:00:00Z",
                    "holes": [{"start": "2024-11-20T12:00:00Z", "end": "2025-02-22T00:00:00Z"}],
                    "empty": [],
                }
            ],
            "store": {"state": "ok", "problem": None, "remedy": None},
            "connect": [
                {
                    "id": "eia_key",
                    "title": "Connect EIA with a free key",
                    "text": "Register, then set EIA_API_KEY and start again.",
                    "command": "EIA_API_KEY=... watthour up",
                }
            ],
        }
    )

    version: str = Field(description="Version of Watthour.", examples=["0.1.0"])
    now: datetime = Field(description="The server's clock, UTC.")
    simulated: bool = Field(description="True if any region shown is simulated.")
    regions: list[RegionSummary] = Field(description="The sites, real regions first.")
    sources: list[SourceState] = Field(description="Where data come from, and how each source's last run ended.")
    doubted: list[DoubtedValues] = Field(description="Values that are stored but not used, by source.")
    arrivals: list[ArrivalFinding] = Field(
        description="Feeds that slipped in time, changed their scale or exchanged their columns, by the last 200 days."
    )
    fill: list[FillState] = Field(description="How much of the past of each source is stored.")
    store: StoreState = Field(description="Whether the store can be written.")
    connect: list[ConnectOption] = Field(description="Sources of real data that are not connected yet.")
