"""Liveness, readiness and what is here."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, shown_as


class Health(Answer):
    """The process answers."""

    model_config = shown_as({"status": "alive", "version": "0.1.0"})

    status: Literal["alive"]
    version: str = Field(examples=["0.1.0"])


class Degraded(Answer):
    """A source that does not deliver."""

    name: str = Field(examples=["eia"])
    problem: str = Field(examples=["eia: answered 503 four times. Try again later."])


class Ready(Answer):
    """Forecasts can be served; what is degraded is named."""

    model_config = shown_as(
        {"status": "ready", "regions": ["ny"], "degraded": [{"name": "eia", "problem": "eia: answered 503 four times"}]}
    )

    status: Literal["ready"]
    regions: list[str] = Field(examples=[["ny"]])
    degraded: list[Degraded]


class RegionSummary(Answer):
    """A region and the span of its readings that is here."""

    id: str = Field(examples=["ny"])
    name: str = Field(examples=["New York"])
    operator: str | None = Field(description="Who runs its grid.", examples=["New York ISO"])
    time_zone: str = Field(examples=["America/New_York"])
    channel: str = Field(description="What is forecast.", examples=["grid.ny.demand"])
    unit: str = Field(examples=["MWh"])
    resolution_seconds: int = Field(description="Length of an interval.", examples=[3600])
    simulated: bool
    first_time: datetime | None
    last_time: datetime | None


class SourceState(Answer):
    """How the last asking of a source ended."""

    name: str = Field(examples=["eia"])
    state: Literal["ok", "running", "interrupted", "failed", "never"] = Field(
        description="Interrupted: the process that asked has ended before the answer."
    )
    last_run_at: datetime | None
    age_hours: float | None
    problem: str | None


class Span(Answer):
    """From the first instant to just before the last, UTC."""

    start: datetime
    end: datetime


class FillState(Answer):
    """How much of its past a source has brought in; what is missing is asked for again, newest first."""

    source: str = Field(examples=["eia:ny"])
    share: float = Field(description="Of the past that is asked for, from 0 to 1.", examples=[0.87])
    start: datetime = Field(description="Where the past that is asked for begins.")
    end: datetime
    holes: list[Span] = Field(description="What has not been brought in yet, oldest first.")
    empty: list[Span] = Field(description="What the source answered to have nothing of; asked again after a month.")


class StoreState(Answer):
    """Whether new readings and forecasts can be kept; reading goes on in any case."""

    state: Literal["ok", "locked", "full", "read-only"]
    problem: str | None = Field(examples=["No space is left for new readings and forecasts."])
    remedy: str | None = Field(examples=["Free some space; what is kept stays readable."])


class ConnectOption(Answer):
    """A way to bring in real data."""

    id: str = Field(examples=["eia_key"])
    title: str
    text: str
    command: str


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
                    "name": "eia",
                    "state": "ok",
                    "last_run_at": "2026-11-21T11:30:00Z",
                    "age_hours": 0.5,
                    "problem": None,
                }
            ],
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

    version: str = Field(examples=["0.1.0"])
    now: datetime
    simulated: bool = Field(description="True if any region shown is simulated.")
    regions: list[RegionSummary]
    sources: list[SourceState]
    fill: list[FillState] = Field(description="The past of each source that is asked for.")
    store: StoreState
    connect: list[ConnectOption]
