"""What a site will use: its forecast and how well forecasts did."""

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

    days: int = Field(30, ge=1, le=366, description="How many local days are scored. [count]", examples=[30])
    end: date | None = Field(
        None, description="Last local day; without it the last one known.", examples=["2026-11-20"]
    )


class ForecastRegion(Answer):
    """The region that is forecast."""

    id: str = Field(description="Short name, as in addresses.", examples=["ny"])
    name: str = Field(description="Full name.", examples=["New York"])
    operator: str | None = Field(description="Operator of its grid; null if unknown.", examples=["New York ISO"])
    time_zone: str = Field(description="IANA name of its time zone.", examples=["America/New_York"])
    channel: str = Field(description="Id of the channel that is forecast.", examples=["grid.ny.demand"])
    unit: str = Field(description="Unit of every value of the channel.", examples=["MWh"])
    resolution_seconds: int = Field(description="Length of an interval. [s]", examples=[3600])
    simulated: bool = Field(description="True if its data are invented by the simulation.")


class ForecastSeries(Answer):
    """Something of a region that is forecast, trained and scored regularly."""

    id: str = Field(description="Name to ask for it by, as the region.", examples=["grid.be.price"])
    channel: str = Field(description="Id of its channel.", examples=["grid.be.price"])
    quantity: str = Field(description="What it is.", examples=["price"])


class DayRange(Answer):
    """Local days that can be opened."""

    first: date = Field(description="First local day.", examples=["2019-01-09"])
    last: date = Field(description="Last local day, included.", examples=["2026-11-22"])


class ForecastPoint(Answer):
    """One interval: its forecast with the 90 % interval, the rivals', and what came [unit of the channel]."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-22T05:00:00Z"])
    local_time: datetime = Field(
        description="The same instant in the time zone of the region.", examples=["2026-11-22T00:00:00-05:00"]
    )
    value: float | None = Field(
        description="Our forecast, its median; null if there is none. [unit of the channel]", examples=[15240.0]
    )
    lower: float | None = Field(description="Lower end of the 90 % interval. [unit of the channel]", examples=[14810.0])
    upper: float | None = Field(description="Upper end of the 90 % interval. [unit of the channel]", examples=[15720.0])
    quantiles: dict[str, float] = Field(
        description="Our forecast at each level from 0.05 to 0.95: the demand lies below it with that probability. "
        "[unit of the channel]",
        examples=[{"0.05": 14810.0, "0.5": 15240.0, "0.95": 15720.0}],
    )
    operator: float | None = Field(
        description="Forecast of the first rival, such as the grid's operator; null if there is none. "
        "[unit of the channel]",
        examples=[15310.0],
    )
    rivals: dict[str, float | None] = Field(
        description="Every rival's forecast by its name. [unit of the channel]", examples=[{"operator": 15310.0}]
    )
    actual: float | None = Field(
        description="What was measured; null if it is not known yet. [unit of the channel]", examples=[None]
    )
    actual_quality: list[str] = Field(
        description="What is special about the measured value: `assumed` (when it became known is assumed), "
        "`simulated`, `estimated`, `zero`, `frozen`, `out_of_range`, `unusual`; empty if nothing is.",
        examples=[["assumed"]],
    )
    seasonal_naive: float | None = Field(
        description="What was measured at the same time a week before. [unit of the channel]", examples=[14980.0]
    )


class KnownPoint(Answer):
    """An interval that was measured and known at issue [unit of the channel]."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-21T10:00:00Z"])
    local_time: datetime = Field(
        description="The same instant in the time zone of the region.", examples=["2026-11-21T05:00:00-05:00"]
    )
    value: float | None = Field(description="What was measured. [unit of the channel]", examples=[13410.0])


class LaterPoint(Answer):
    """An interval that was measured after the issue [unit of the channel]."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-21T11:00:00Z"])
    local_time: datetime = Field(description="The same in the time zone of the place.")
    value: float = Field(description="What was measured. [unit of the channel]", examples=[13410.0])
    quality: list[str] = Field(description="What the source or our checks say about the value.")


class OutlookPoint(Answer):
    """One interval of a forecast [unit of the channel]."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-21T15:00:00Z"])
    local_time: datetime = Field(description="The same in the time zone of the place.")
    value: float | None = Field(description="Median. [unit of the channel]", examples=[15240.0])
    lower: float | None = Field(
        description="Lower edge of the 90 % interval. [unit of the channel]", examples=[14810.0]
    )
    upper: float | None = Field(
        description="Upper edge of the 90 % interval. [unit of the channel]", examples=[15720.0]
    )
    operator: float | None = Field(
        None, description="Forecast of the first rival. [unit of the channel]", examples=[15310.0]
    )


class Member(Answer):
    """A model that a forecast was combined of."""

    model: str = Field(description="The catalogue's name.", examples=["day_process"])
    label: str = Field(description="The same in words.", examples=["Day process"])
    share: float = Field(
        description="Its weight, averaged over the intervals; those of all sum to 1. [share]", examples=[0.7]
    )


class Outlook(Answer):
    """The forecast of one issue, with who made it."""

    issued_at: datetime = Field(description="When it was made, UTC.")
    model_version: str = Field(
        description="The model's id, or the baseline's.", examples=["day_process-20261120T060000-ab12cd"]
    )
    model_label: str = Field(description="The same in words.", examples=["Day process, trained 20 November 2026"])
    is_baseline: bool = Field(description="True if a baseline was used in place of a trained model.")
    fallback: str | None = Field(description="Why a simpler forecast was used; null if the model made it.")
    missing_inputs: list[str] = Field(description="Inputs that were unknown or only estimated, as sentences.")
    made_of: list[Member] = Field(description="The models that were combined, largest share first; else empty.")
    points: list[OutlookPoint] = Field(description="One entry per interval.")


class NewestOutlook(Outlook):
    """The newest forecast of today and tomorrow."""

    known_until: datetime = Field(description="End of the last reading, where its points begin, UTC.")


class DayAheadOutlook(Outlook):
    """What was said of one local day at its hour of issue, the day before."""

    day: date = Field(description="Local day that was forecast.", examples=["2026-11-22"])


class TemperaturePoint(Answer):
    """The temperature of one interval [degC]."""

    time: datetime = Field(description="Start of the interval, UTC.")
    local_time: datetime = Field(description="The same in the time zone of the place.")
    value: float = Field(description="Temperature. [degC]", examples=[8.4])
    measured: bool = Field(description="False where it is a weather forecast.")


class Temperature(Answer):
    """The mean temperature of the place, weighted by where its load is."""

    unit: str = Field(description="Always degC.", examples=["degC"])
    points: list[TemperaturePoint] = Field(description="One entry per interval, in order of time.")


class ShownIn(Answer):
    """The unit in which the sentence and the picture read best; all values here stay in the unit of the channel."""

    unit: str = Field(description="Such as GWh for a channel in MWh, from 10,000 on.", examples=["GWh"])
    divisor: float = Field(
        description="Values of the channel divided by this are in that unit. [unit of the channel per unit shown]",
        examples=[1000.0],
    )
    digits: int = Field(description="Decimals to write. [number]", examples=[2])


class DayScore(Answer):
    """How far off one forecaster was on this day; a baseline that stood in for a model goes by its own name."""

    model: str = Field(description="Name of the forecaster; `ours` is Watthour's own.", examples=["ours"])
    label: str = Field(description="Its name in plain words.", examples=["Watthour"])
    mae: float = Field(description="Mean absolute error. [unit of the channel]", examples=[231.0])
    mae_mwh: float | None = Field(None, description="The same, only for a channel in MWh. [MWh]", examples=[231.0])
    mape_percent: float | None = Field(
        description="Mean absolute percentage error; null where values are near zero or below. [%]", examples=[1.4]
    )


class DayScores(Answer):
    """How far off everybody was, on the same hours."""

    rows: list[DayScore] = Field(description="One row per forecaster.")


class Freshness(Answer):
    """How old the newest value of an input is."""

    channel: str = Field(description="Id of the channel, or name of the rival.", examples=["grid.ny.demand"])
    label: str = Field(description="Its name in plain words.", examples=["Readings"])
    first_time: datetime | None = Field(None, description="Start of the first interval, UTC; of readings only.")
    last_time: datetime | None = Field(
        description="Start of the newest interval, UTC; null if there is none.", examples=["2026-11-21T10:00:00Z"]
    )
    age_hours: float | None = Field(
        description="Time since the newest value could be known; null if there is none. [h]", examples=[1.0]
    )
    stale: bool = Field(description="True if it is older than it should be.")
    archive: bool = Field(
        default=False,
        description="True for readings that were imported once and end in the past; they are never stale.",
    )


class GridForecast(Answer):
    """One local day of a region, as forecast before it."""

    model_config = shown_as(
        {
            "region": {
                "id": "ny",
                "name": "New York",
                "operator": "NYISO",
                "time_zone": "America/New_York",
                "channel": "grid.ny.demand",
                "unit": "MWh",
                "resolution_seconds": 3600,
                "simulated": False,
            },
            "series": [{"id": "ny", "channel": "grid.ny.demand", "quantity": "energy"}],
            "day": "2026-11-22",
            "days": {"first": "2019-01-09", "last": "2026-11-22"},
            "issued_at": "2026-11-21T13:00:00Z",
            "known_until": "2026-11-21T11:00:00Z",
            "model_version": "gradient_boosting-20261120T060000-ab12cd",
            "model_label": "Gradient boosting, trained 20 November 2026",
            "reconstructed": False,
            "unit": "MWh",
            "shown_in": {"unit": "GWh", "divisor": 1000.0, "digits": 2},
            "headline": "Sunday peaks at 17.34 GWh between 17:00 and 18:00; the 90 % interval of that hour is "
            "16.80 to 17.91 GWh.",
            "missing_inputs": [],
            "fallback": None,
            "made_of": [],
            "points": [
                {
                    "time": "2026-11-22T05:00:00Z",
                    "local_time": "2026-11-22T00:00:00-05:00",
                    "value": 15240.0,
                    "lower": 14810.0,
                    "upper": 15720.0,
                    "quantiles": {"0.05": 14810.0, "0.5": 15240.0, "0.95": 15720.0},
                    "operator": 15310.0,
                    "rivals": {"operator": 15310.0},
                    "actual": None,
                    "actual_quality": [],
                    "seasonal_naive": 14980.0,
                }
            ],
            "known": [{"time": "2026-11-21T10:00:00Z", "local_time": "2026-11-21T05:00:00-05:00", "value": 13410.0}],
            "later": [],
            "newest": {
                "issued_at": "2026-11-21T13:00:00Z",
                "model_version": "gradient_boosting-20261120T060000-ab12cd",
                "model_label": "Gradient boosting, trained 20 November 2026",
                "is_baseline": False,
                "fallback": None,
                "missing_inputs": [],
                "made_of": [],
                "known_until": "2026-11-21T13:00:00Z",
                "points": [
                    {
                        "time": "2026-11-21T13:00:00Z",
                        "local_time": "2026-11-21T08:00:00-05:00",
                        "value": 14920.0,
                        "lower": 14700.0,
                        "upper": 15130.0,
                    }
                ],
            },
            "day_ahead": [],
            "temperature": {
                "unit": "degC",
                "points": [
                    {
                        "time": "2026-11-22T05:00:00Z",
                        "local_time": "2026-11-22T00:00:00-05:00",
                        "value": 6.2,
                        "measured": False,
                    }
                ],
            },
            "scores_of_day": None,
            "freshness": [
                {
                    "channel": "grid.ny.demand",
                    "label": "Readings",
                    "last_time": "2026-11-21T10:00:00Z",
                    "age_hours": 1.0,
                    "stale": False,
                }
            ],
        }
    )

    region: ForecastRegion = Field(description="The region of the demand.")
    series: list[ForecastSeries] = Field(
        description="What of the region is forecast regularly, each to be asked for by its id; the first is its load."
    )
    day: date = Field(description="The local day that is shown.")
    days: DayRange = Field(description="First and last day that can be requested.")
    issued_at: datetime = Field(description="When the forecast was made, UTC.")
    known_until: datetime | None = Field(description="End of the last reading that was known when it was made.")
    model_version: str = Field(
        description="Version of the model, or the baseline that was used in its place.",
        examples=["gradient_boosting-20261120T060000-ab12cd"],
    )
    model_label: str = Field(description="The same in words.", examples=["Gradient boosting, trained 20 November 2026"])
    reconstructed: bool = Field(
        description="True if this was computed later, using only what was known at its issue time."
    )
    unit: str = Field(description="Unit of every value here, unless a field names another.", examples=["MWh"])
    shown_in: ShownIn = Field(description="The unit in which the sentence and the picture read best.")
    headline: str = Field(
        description="The day in a sentence, in the unit of `shown_in`: when it peaks, how high, how sure."
    )
    missing_inputs: list[str] = Field(
        description="Inputs that were unknown or only estimated, as sentences; empty if there were none."
    )
    fallback: str | None = Field(description="Why a simpler forecast was used; null if the model made the forecast.")
    made_of: list[Member] = Field(description="The models that were combined, largest share first; else empty.")
    points: list[ForecastPoint] = Field(description="One entry per interval of the day.")
    known: list[KnownPoint] = Field(description="The last two days that were known when the forecast was made.")
    later: list[LaterPoint] = Field(
        description="What was measured after the issue: up to the day, and of today and tomorrow up to now."
    )
    newest: NewestOutlook | None = Field(
        description="The newest forecast, from the end of the last reading to the end of tomorrow; null on past days."
    )
    day_ahead: list[DayAheadOutlook] = Field(
        description="What was forecast of today and of tomorrow at the hour of issue in the settings, where that is "
        "another forecast than the newest; empty on past days, whose `points` are that forecast."
    )
    temperature: Temperature | None = Field(
        description="As known at issue, on today and tomorrow as known now; null for a site without weather."
    )
    scores_of_day: DayScores | None = Field(
        description="Errors of all forecasts; null until nearly all of the day has been measured."
    )
    freshness: list[Freshness] = Field(description="How old the newest value of each input is.")


class ScoreWindow(Answer):
    """First and last local day that were scored."""

    start: date = Field(description="First local day.")
    end: date = Field(description="Last local day, included.")


class ScoreRow(Answer):
    """One forecaster at one distance."""

    model: str = Field(description="Name of the forecaster; `ours` is Watthour's own.", examples=["ours"])
    label: str = Field(description="Its name in plain words.", examples=["Watthour"])
    lead_hours: Literal["all", "1-6", "7-12", "13-24", "25-48", "49-72", "73-96", "auction"] = Field(
        description=(
            "Hours from the issue of the forecast to the interval, or `all` of them; of prices also `auction`: the "
            "last forecast before the day-ahead auction closed, where it is known when it does."
        )
    )
    n: int = Field(description="Intervals that were scored. [count]", examples=[720])
    mae: float = Field(description="Mean absolute error. [unit of the channel]", examples=[241.0])
    mape_percent: float | None = Field(
        description="Mean absolute percentage error; null where values are near zero or below. [%]", examples=[1.5]
    )
    bias: float = Field(description="Mean of forecast less measured. [unit of the channel]", examples=[-12.0])
    rmse: float = Field(description="Root of the mean squared error. [unit of the channel]", examples=[320.0])
    mae_mwh: float | None = Field(None, description="As `mae`, only for a channel in MWh. [MWh]", examples=[241.0])
    bias_mwh: float | None = Field(None, description="As `bias`, only for a channel in MWh. [MWh]", examples=[-12.0])
    rmse_mwh: float | None = Field(None, description="As `rmse`, only for a channel in MWh. [MWh]", examples=[320.0])
    coverage90_percent: float | None = Field(
        description="How many of the measured values lay inside the 90 % interval; null without one. [%]",
        examples=[90.4],
    )
    winkler90: float | None = Field(
        None,
        description="Mean interval score of the 90 % interval, less is better: its width, and 20 times what lies "
        "outside. [unit of the channel]",
        examples=[1480.0],
    )
    skill_percent: float | None = Field(
        description="How much smaller the mean absolute error is than that of the same time last week; null without "
        "one. [%]",
        examples=[58.0],
    )


class GridScores(Answer):
    """Scores of the forecasts and the baselines on the same hours."""

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
                    "mae": 241.0,
                    "bias": -12.0,
                    "rmse": 320.0,
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

    region: str = Field(description="Id of the region.", examples=["ny"])
    window: ScoreWindow = Field(description="The days that were scored.")
    unit: str = Field(description="Unit of every value of the channel.", examples=["MWh"])
    protocol: str = Field(description="How it was scored, in words.")
    rows: list[ScoreRow] = Field(description="One row per forecaster and lead time.")
