"""A region's demand: its forecast and how well forecasts did."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as


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

    model_config = shown_as(
        {
            "region": {
                "id": "ny",
                "name": "New York",
                "operator": "NYISO",
                "time_zone": "America/New_York",
                "simulated": False,
            },
            "day": "2026-11-22",
            "days": {"first": "2019-01-09", "last": "2026-11-22"},
            "issued_at": "2026-11-21T13:00:00Z",
            "known_until": "2026-11-21T11:00:00Z",
            "model_version": "gradient_boosting-20261120T060000-ab12cd",
            "reconstructed": False,
            "unit": "MWh",
            "headline": "Sunday peaks at 17,340 MWh between 17:00 and 18:00, 90 % sure to be 16,800 to 17,910.",
            "lacked": [],
            "fallback": None,
            "points": [
                {
                    "time": "2026-11-22T05:00:00Z",
                    "local_time": "2026-11-22T00:00:00-05:00",
                    "value": 15240.0,
                    "lower": 14810.0,
                    "upper": 15720.0,
                    "quantiles": {"0.05": 14810.0, "0.5": 15240.0, "0.95": 15720.0},
                    "operator": 15310.0,
                    "actual": None,
                    "actual_quality": [],
                    "seasonal_naive": 14980.0,
                }
            ],
            "known": [{"time": "2026-11-21T10:00:00Z", "local_time": "2026-11-21T05:00:00-05:00", "value": 13410.0}],
            "scores_of_day": None,
            "freshness": [
                {
                    "channel": "grid.ny.demand",
                    "label": "Demand",
                    "last_time": "2026-11-21T10:00:00Z",
                    "age_hours": 1.0,
                    "stale": False,
                }
            ],
        }
    )

    region: ForecastRegion
    day: date
    days: DayRange
    issued_at: datetime
    known_until: datetime | None = Field(description="End of the last demand that was known at issue.")
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
    skill_percent: float | None = Field(
        description="MAE saved against the seasonal naive forecast; null without one.", examples=[58.0]
    )


class GridScores(Answer):
    """How well forecasts did, beside the baselines on the same hours."""

    model_config = shown_as(
        {
            "region": "ny",
            "window": {"start": "2026-10-22", "end": "2026-11-20"},
            "unit": "MWh",
            "protocol": "All rows of a lead time are scored on the same hours.",
            "rows": [
                {
                    "model": "ours",
                    "label": "Watthour",
                    "lead_hours": "all",
                    "n": 720,
                    "mae_mwh": 241.0,
                    "mape_percent": 1.5,
                    "bias_mwh": -12.0,
                    "rmse_mwh": 320.0,
                    "coverage90_percent": 90.4,
                    "skill_percent": 58.0,
                }
            ],
        }
    )

    region: str = Field(examples=["ny"])
    window: ScoreWindow
    unit: str = Field(examples=["MWh"])
    protocol: str
    rows: list[ScoreRow]
