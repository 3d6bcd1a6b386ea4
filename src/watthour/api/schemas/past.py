"""Many days of a site at once: a week, errors day by day, and how the bands held."""

from datetime import date, datetime

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.grid import DayScore, ForecastPoint, ScoreWindow, ShownIn


class WeekQuestion(Question):
    """Which seven days."""

    end: date | None = Field(
        None,
        description="Last of the seven local days; without it tomorrow, or the end of an archive.",
        examples=["2026-11-22"],
    )


class WeekDay(Answer):
    """A local day of the week and the forecast that was kept of it."""

    day: date = Field(description="Local day.", examples=["2026-11-20"])
    issued_at: datetime | None = Field(description="When its forecast was made, UTC; null where none was kept.")
    model_label: str | None = Field(description="What made it, in words.", examples=["Day process, trained 1 May 2026"])
    reconstructed: bool = Field(
        description="True if it was made afterwards, using only what was known at its issue time."
    )


class GridWeek(Answer):
    """Seven local days of a region."""

    model_config = shown_as(
        {
            "region": "ny",
            "window": {"start": "2026-11-16", "end": "2026-11-22"},
            "unit": "MWh",
            "shown_in": {"unit": "GWh", "divisor": 1000.0, "digits": 2},
            "days": [
                {
                    "day": "2026-11-16",
                    "issued_at": "2026-11-15T13:00:00Z",
                    "model_label": "Day process, trained 1 May 2026",
                    "reconstructed": False,
                }
            ],
            "points": [],
        }
    )

    region: str = Field(description="Id of the region.", examples=["ny"])
    window: ScoreWindow = Field(description="First and last local day.")
    unit: str = Field(description="Unit of every value here.", examples=["MWh"])
    shown_in: ShownIn = Field(description="The unit in which a picture of the week reads best.")
    days: list[WeekDay] = Field(description="The seven days, in order.")
    points: list[ForecastPoint] = Field(description="One entry per interval of the seven days.")


class HistoryDay(Answer):
    """Everybody's error on one local day; empty where the day cannot be scored."""

    day: date = Field(description="Local day.", examples=["2026-11-20"])
    rows: list[DayScore] = Field(description="One entry per forecaster.")


class HistoryModel(Answer):
    """A forecaster of the history."""

    model: str = Field(description="Its id.", examples=["ours"])
    label: str = Field(description="Its name.", examples=["Watthour"])


class ReliabilityRow(Answer):
    """One level of the forecasts, and how often the reading lay at or below it."""

    level_percent: float = Field(description="Level of the forecasts. [%]", examples=[95.0])
    below_percent: float = Field(description="Share of the readings at or below it. [%]", examples=[94.2])


class Reliability(Answer):
    """Whether our forecasts' levels held; baselines that stood in are left out."""

    n: int = Field(description="Number of intervals. [count]", examples=[720])
    rows: list[ReliabilityRow] = Field(description="One entry per level.")


class GridHistory(Answer):
    """Errors of the day-ahead forecasts day by day, and their reliability."""

    model_config = shown_as(
        {
            "region": "ny",
            "window": {"start": "2026-10-22", "end": "2026-11-20"},
            "unit": "MWh",
            "models": [{"model": "ours", "label": "Watthour"}],
            "days": [
                {
                    "day": "2026-11-20",
                    "rows": [
                        {"model": "ours", "label": "Watthour", "mae": 231.0, "mae_mwh": 231.0, "mape_percent": 1.4}
                    ],
                }
            ],
            "reliability": {"n": 720, "rows": [{"level_percent": 95.0, "below_percent": 94.2}]},
        }
    )

    region: str = Field(description="Id of the region.", examples=["ny"])
    window: ScoreWindow = Field(description="First and last local day.")
    unit: str = Field(description="Unit of the mean absolute errors.", examples=["MWh"])
    models: list[HistoryModel] = Field(description="All forecasts that were scored.")
    days: list[HistoryDay] = Field(description="The days, in order.")
    reliability: Reliability = Field(description="How often the readings lay at or below each level.")
