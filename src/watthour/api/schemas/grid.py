"""A region's demand: its forecast and how well forecasts did."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question


class ForecastQuestion(Question):
    """Which day."""

    day: date | None = Field(
        None,
        description="Local day of the region; without it tomorrow. A past day shows what was known and forecast then.",
        examples=["2026-11-22"],
    )


class ScoresQuestion(Question):
    """Which days."""

    days: int = Field(30, ge=1, le=366, description="Number of local days that are scored.", examples=[30])
    end: date | None = Field(
        None, description="Last local day; without it the last one known.", examples=["2026-11-20"]
    )


class ForecastRegion(Answer):
    """The region that is forecast."""

    id: str = Field(examples=["ny"])
    name: str = Field(examples=["New York"])
    operator: str = Field(examples=["New York Independent System Operator"])
    time_zone: str = Field(examples=["America/New_York"])
    simulated: bool


class DayRange(Answer):
    """Local days that can be opened."""

    first: date
    last: date


class ForecastPoint(Answer):
    """One hour: its forecast with the 90 % interval, the rivals', and what came [MWh]."""

    time: datetime = Field(description="Start of the hour, UTC.", examples=["2026-11-22T05:00:00Z"])
    local_time: datetime = Field(examples=["2026-11-22T00:00:00-05:00"])
    value: float | None = Field(examples=[15240.0])
    lower: float | None = Field(examples=[14810.0])
    upper: float | None = Field(examples=[15720.0])
    quantiles: dict[str, float] = Field(examples=[{"0.05": 14810.0, "0.5": 15240.0, "0.95": 15720.0}])
    operator: float | None = Field(examples=[15310.0])
    actual: float | None = Field(examples=[None])
    actual_quality: list[str]
    seasonal_naive: float | None = Field(examples=[14980.0])


class KnownPoint(Answer):
    """An hour of demand that was known at issue [MWh]."""

    time: datetime
    local_time: datetime
    value: float | None


class DayScore(Answer):
    """How far off one forecaster was on this day."""

    model: str = Field(examples=["ours"])
    mae_mwh: float = Field(examples=[231.0])
    mape_percent: float = Field(examples=[1.4])


class DayScores(Answer):
    """How far off everybody was, on the same hours."""

    rows: list[DayScore]


class Freshness(Answer):
    """How old the newest value of an input is."""

    channel: str = Field(examples=["grid.ny.demand"])
    label: str
    last_time: datetime | None
    age_hours: float | None
    stale: bool


class GridForecast(Answer):
    """One local day of a region, as forecast before it."""

    region: ForecastRegion
    day: date
    days: DayRange
    issued_at: datetime
    known_until: datetime
    model_version: str = Field(examples=["gradient_boosting-20261120T060000-ab12cd"])
    reconstructed: bool = Field(description="True if this was computed later, from what was known at its issue time.")
    unit: str = Field(examples=["MWh"])
    headline: str
    lacked: list[str]
    fallback: str | None
    points: list[ForecastPoint]
    known: list[KnownPoint]
    scores_of_day: DayScores | None
    freshness: list[Freshness]


class ScoreWindow(Answer):
    """First and last local day that were scored."""

    start: date
    end: date


class ScoreRow(Answer):
    """One forecaster at one distance."""

    model: str = Field(examples=["ours"])
    label: str = Field(examples=["Watthour"])
    lead_hours: Literal["all", "1-6", "7-12", "13-24", "25-48"]
    n: int = Field(examples=[720])
    mae_mwh: float = Field(examples=[241.0])
    mape_percent: float = Field(examples=[1.5])
    bias_mwh: float = Field(examples=[-12.0])
    rmse_mwh: float = Field(examples=[320.0])
    coverage90_percent: float | None = Field(examples=[90.4])
    skill_percent: float = Field(description="MAE saved against the seasonal naive forecast.", examples=[58.0])


class GridScores(Answer):
    """How well forecasts did, beside the baselines on the same hours."""

    region: str = Field(examples=["ny"])
    window: ScoreWindow
    unit: str = Field(examples=["MWh"])
    protocol: str
    rows: list[ScoreRow]
