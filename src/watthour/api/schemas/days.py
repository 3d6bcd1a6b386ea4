"""Many days of kept forecasts, and the list of all that were issued."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.grid import DayRange, ForecastPoint


class IssuesQuestion(Question):
    """Which days."""

    start: date | None = Field(
        None, description="First local day; without it a week before `end`.", examples=["2026-11-15"]
    )
    end: date | None = Field(None, description="Last local day, included; without it today.", examples=["2026-11-21"])


class DaysQuestion(IssuesQuestion):
    """Which days, and how to answer."""

    format: Literal["json", "csv"] = Field("json", description="How to answer.")


class ForecastDay(Answer):
    """The day-ahead forecast that was kept of one local day."""

    day: date = Field(description="The local day.", examples=["2026-11-20"])
    issued_at: datetime = Field(description="When the forecast was made, UTC.", examples=["2026-11-19T13:00:00Z"])
    model_version: str = Field(
        description="Version of the model, or the baseline that was used in its place.",
        examples=["day_process-20261119T060000-ab12cd"],
    )
    reconstructed: bool = Field(
        description="True if this was computed later, using only what was known at its issue time."
    )
    points: list[ForecastPoint] = Field(description="One entry per interval of the day.")


class ForecastDays(Answer):
    """The forecasts kept of many days."""

    model_config = shown_as(
        {
            "region": "ny",
            "channel": "grid.ny.demand",
            "unit": "MWh",
            "days": [
                {
                    "day": "2026-11-20",
                    "issued_at": "2026-11-19T13:00:00Z",
                    "model_version": "day_process-20261119T060000-ab12cd",
                    "reconstructed": False,
                    "points": [
                        {
                            "time": "2026-11-20T05:00:00Z",
                            "local_time": "2026-11-20T00:00:00-05:00",
                            "value": 15240.0,
                            "lower": 14810.0,
                            "upper": 15720.0,
                            "quantiles": {"0.05": 14810.0, "0.5": 15240.0, "0.95": 15720.0},
                            "operator": 15310.0,
                            "rivals": {"operator": 15310.0},
                            "actual": 15102.0,
                            "actual_quality": ["assumed"],
                            "seasonal_naive": 14980.0,
                        }
                    ],
                }
            ],
            "missing_days": ["2026-11-19"],
        }
    )

    region: str = Field(description="Id of the region.", examples=["ny"])
    channel: str = Field(description="Id of the channel that is forecast.", examples=["grid.ny.demand"])
    unit: str = Field(description="Unit of every value.", examples=["MWh"])
    days: list[ForecastDay] = Field(description="One entry per day with a stored forecast.")
    missing_days: list[date] = Field(
        description="Days without a stored forecast; `/forecast?day=` makes one from what was known then."
    )


class IssueWindow(Answer):
    """The span of the intervals that were forecast."""

    start: datetime = Field(description="Start of the first interval, UTC.", examples=["2026-11-21T13:00:00Z"])
    end: datetime = Field(description="End of the last interval, UTC.", examples=["2026-11-23T05:00:00Z"])


class ForecastIssue(Answer):
    """One forecast that was issued."""

    issued_at: datetime = Field(
        description="When it was made, UTC: it uses only what was known then.", examples=["2026-11-21T13:00:00Z"]
    )
    model_version: str = Field(
        description="Version of the model, or the baseline that was used in its place.",
        examples=["day_process-20261119T060000-ab12cd"],
    )
    baseline: bool = Field(description="True if a baseline was used in place of a model.")
    window: IssueWindow = Field(description="What it covers.")
    intervals: int = Field(description="Intervals it forecasts. [count]", examples=[40])
    reconstructed: bool = Field(
        description="True if it was computed later, using only what was known at its issue time."
    )


class ForecastIssues(Answer):
    """All forecasts that were issued on some days, newest first."""

    model_config = shown_as(
        {
            "region": "ny",
            "channel": "grid.ny.demand",
            "days": {"first": "2026-11-15", "last": "2026-11-21"},
            "issues": [
                {
                    "issued_at": "2026-11-21T13:00:00Z",
                    "model_version": "day_process-20261119T060000-ab12cd",
                    "baseline": False,
                    "window": {"start": "2026-11-21T13:00:00Z", "end": "2026-11-23T05:00:00Z"},
                    "intervals": 40,
                    "reconstructed": False,
                }
            ],
        }
    )

    region: str = Field(description="Id of the region.", examples=["ny"])
    channel: str = Field(description="Id of the channel that is forecast.", examples=["grid.ny.demand"])
    days: DayRange = Field(description="The local days on which they were issued.")
    issues: list[ForecastIssue] = Field(description="One entry per forecast.")
