"""The carbon intensity of the hours ahead: forecast, trend, and the best time for a run."""

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.carbon import REGION, SERIES, CarbonSeriesEntry
from watthour.api.schemas.grid import Member

MOST_HOURS = 96
_HEAD: dict[str, JsonValue] = {**REGION, "series": SERIES, "source": "watthour", "sources": ["watthour"]}
_RUN: dict[str, JsonValue] = {
    "start": "2026-11-21T07:00:00Z",
    "end": "2026-11-21T10:00:00Z",
    "local_start": "2026-11-21T02:00:00-05:00",
    "local_end": "2026-11-21T05:00:00-05:00",
    "mean": 192.4,
}
_LATER: dict[str, JsonValue] = {
    "start": "2026-11-21T17:00:00Z",
    "end": "2026-11-21T20:00:00Z",
    "local_start": "2026-11-21T12:00:00-05:00",
    "local_end": "2026-11-21T15:00:00-05:00",
    "mean": 210.8,
}


class CarbonAsked(Question):
    """Which series, and whose forecast of it."""

    channel: str | None = Field(
        None, max_length=200, description="Id of a carbon series of the region; without it the first.", examples=[None]
    )
    source: str = Field(
        "watthour",
        max_length=100,
        description="Whose forecast: `watthour`, or a provider whose forecast is kept, as `sources` lists them.",
        examples=["watthour"],
    )


class CarbonForecastQuestion(CarbonAsked):
    """How far ahead, of which series, by whom."""

    hours: int = Field(
        MOST_HOURS, ge=1, le=MOST_HOURS, description="From the interval now running on. [h]", examples=[24]
    )


class CarbonTrendQuestion(CarbonAsked):
    """Over which hours, of which series, by whom."""

    hours: int = Field(3, ge=1, le=24, description="After the interval now running. [h]", examples=[3])


class CarbonWindowQuestion(CarbonAsked):
    """How long a run is, and when it may be."""

    duration: str = Field("3h", max_length=20, description="Length of the run: `3h`, `90min`, `1h30`.", examples=["3h"])
    hours: int = Field(
        24, ge=1, le=MOST_HOURS, description="How far ahead to look where no deadline is named. [h]", examples=[24]
    )
    earliest: str | None = Field(
        None,
        max_length=40,
        description="It begins no earlier: a local clock time (`22:00`, the next one), or an instant, local where it "
        "has no offset; without it now.",
        examples=["22:00"],
    )
    deadline: str | None = Field(
        None, max_length=40, description="It has ended by then; written as `earliest`.", examples=["07:00"]
    )


class CarbonAheadPoint(Answer):
    """One interval of a forecast [unit of the series]."""

    time: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-21T15:00:00Z"])
    local_time: datetime = Field(
        description="The same in the time zone of the region.", examples=["2026-11-21T10:00:00-05:00"]
    )
    value: float | None = Field(description="Median; null if there is none. [unit of the series]", examples=[231.4])
    lower: float | None = Field(
        description="Lower end of the 90 % interval; null if there is none. [unit of the series]", examples=[190.1]
    )
    upper: float | None = Field(
        description="Upper end of the 90 % interval; null if there is none. [unit of the series]", examples=[268.0]
    )
    quantiles: dict[str, float] = Field(
        description="The forecast at each level: the value lies below it with that probability. [unit of the series]",
        examples=[{"0.05": 190.1, "0.5": 231.4, "0.95": 268.0}],
    )
    usual: float | None = Field(
        description="Mean at the same clock time on the last seven known days. [unit of the series]", examples=[244.0]
    )


class CarbonScore(Answer):
    """How good one forecaster was at some hours ahead, on the same intervals as the others."""

    model: str = Field(description="Who it is; `ours` are all our models together.", examples=["persistence"])
    label: str = Field(description="The same in words.", examples=["Same time yesterday"])
    lead_hours: str = Field(description="Hours from the issue to the end of the interval, or `all`.", examples=["1-6"])
    n: int = Field(description="Intervals that were compared. [count]", examples=[720])
    mae: float | None = Field(description="Mean absolute error. [unit of the series]", examples=[17.2])
    mape_percent: float | None = Field(description="The same in parts of what came. [%]", examples=[7.9])
    coverage90_percent: float | None = Field(
        description="How often the 90 % interval held what came. [%]", examples=[89.6]
    )
    skill_percent: float | None = Field(
        description="Gain in mean absolute error over the same time last week. [%]", examples=[31.0]
    )


class CarbonScores(Answer):
    """How good the forecasts of the last days were, beside the baselines."""

    days: int = Field(description="How many days are looked at. [days]", examples=[30])
    protocol: str = Field(description="How they are compared, in words.")
    rows: list[CarbonScore] = Field(description="Empty while nothing could be compared.")


class CarbonAheadHead(Answer):
    """What a forecast speaks of, and whose it is."""

    region: str = Field(description="Id of the region.", examples=["ny"])
    name: str = Field(description="Its name.", examples=["New York"])
    time_zone: str = Field(description="IANA name of its time zone.", examples=["America/New_York"])
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    series: CarbonSeriesEntry = Field(description="Which series it is, and of what kind.")
    source: str = Field(description="Whose forecast this is.", examples=["watthour"])
    sources: list[str] = Field(description="Whose could be asked for.", examples=[["watthour", "watttime"]])
    generated_at: datetime = Field(description="When this answer was made, UTC.")
    issued_at: datetime = Field(description="When the forecast was made, UTC; of an archive, for which instant.")


class CarbonForecast(CarbonAheadHead):
    """A carbon series in the hours ahead."""

    model_config = shown_as(
        {
            **_HEAD,
            "generated_at": "2026-11-21T15:30:00Z",
            "issued_at": "2026-11-21T15:30:00Z",
            "hours": 1,
            "known_until": "2026-11-20T10:00:00Z",
            "data_age_hours": 29.5,
            "stale": True,
            "archive": False,
            "made_by": "model",
            "model_version": "combination-20261120T060000-ab12cd",
            "model_label": "Combination, trained 20 November 2026",
            "trained_at": "2026-11-20T06:00:00Z",
            "fallback": None,
            "missing_inputs": [],
            "made_of": [{"model": "gradient_boosting", "label": "Gradient boosting", "share": 1.0}],
            "points": [
                {
                    "time": "2026-11-21T15:00:00Z",
                    "local_time": "2026-11-21T10:00:00-05:00",
                    "value": 231.4,
                    "lower": 190.1,
                    "upper": 268.0,
                    "quantiles": {"0.05": 190.1, "0.5": 231.4, "0.95": 268.0},
                    "usual": 244.0,
                }
            ],
            "scores": {
                "days": 30,
                "protocol": "How the rows are compared, in words.",
                "rows": [
                    {
                        "model": "ours",
                        "label": "Watthour",
                        "lead_hours": "all",
                        "n": 720,
                        "mae": 17.2,
                        "mape_percent": 7.9,
                        "coverage90_percent": 89.6,
                        "skill_percent": 31.0,
                    }
                ],
            },
        }
    )

    hours: int = Field(description="How far ahead was asked. [h]", examples=[96])
    known_until: datetime | None = Field(
        description="End of the newest reading that it rests on, UTC; null of a provider's."
    )
    data_age_hours: float | None = Field(description="Time since then; of a provider's, since its issue. [h]")
    stale: bool = Field(description="True if that is older than it should be.")
    archive: bool = Field(
        description="True if the readings ended more than two weeks ago; the hours after the last one are forecast."
    )
    made_by: Literal["model", "similar_series", "baseline", "provider"] = Field(
        description="A trained model; its own short past beside similar series; a simple rule; or a provider."
    )
    model_version: str = Field(description="Version of the model, or name of the rule or provider.")
    model_label: str = Field(description="The same in words.")
    trained_at: datetime | None = Field(description="When the model was trained, UTC; null of anything else.")
    fallback: str | None = Field(description="Why a simpler forecast was used; null if the model made it.")
    missing_inputs: list[str] = Field(description="Inputs that were unknown or only estimated, as sentences.")
    made_of: list[Member] = Field(description="The models that were combined, largest share first; else empty.")
    points: list[CarbonAheadPoint] = Field(description="One entry per interval.")
    scores: CarbonScores = Field(description="How good such forecasts have been.")


class CarbonTrend(CarbonAheadHead):
    """How the next hours compare with now, and with what is usual."""

    model_config = shown_as(
        {
            **_HEAD,
            "generated_at": "2026-11-21T15:30:00Z",
            "issued_at": "2026-11-21T15:30:00Z",
            "hours": 3,
            "trend": "falling",
            "now": 231.4,
            "ahead": 212.9,
            "change": -18.5,
            "change_percent": -8.0,
            "probability_higher": 0.12,
            "usual": 236.0,
            "against_usual_percent": -9.8,
            "definition": "How it is judged, in words.",
        }
    )

    hours: int = Field(description="How many hours after the interval now running. [h]", examples=[3])
    trend: Literal["rising", "falling", "steady"] | None = Field(
        description="Null where one of the hours is not forecast."
    )
    now: float | None = Field(description="Expected of the interval now running. [unit of the series]")
    ahead: float | None = Field(description="Expected mean of the hours. [unit of the series]")
    change: float | None = Field(description="`ahead` less `now`. [unit of the series]")
    change_percent: float | None = Field(description="The same in parts of `now`; null where that is zero. [%]")
    probability_higher: float | None = Field(
        description="That the mean of the hours lies above now; null where no joint paths are known. [0-1]"
    )
    usual: float | None = Field(
        description="Mean at the same clock times on the last seven known days. [unit of the series]"
    )
    against_usual_percent: float | None = Field(description="`ahead` against `usual`. [%]")
    definition: str = Field(description="What the words mean.")


class CarbonRun(Answer):
    """One way to place a run."""

    start: datetime = Field(description="When it begins, UTC.")
    end: datetime = Field(description="When it ends, UTC.")
    local_start: datetime = Field(description="When it begins, in the time zone of the region.")
    local_end: datetime = Field(description="When it ends, in the time zone of the region.")
    mean: float = Field(description="Expected mean over the run. [unit of the series]", examples=[192.4])


class CarbonDifference(Answer):
    """By how much one run is cleaner than another."""

    value: float = Field(description="Expected. [unit of the series]", examples=[38.1])
    percent: float | None = Field(
        description="In parts of the other; null of an index, which is no amount. [%]", examples=[16.5]
    )
    lower: float | None = Field(
        description="Lower end of the 90 % interval; null where no joint paths are known. [unit of the series]"
    )
    upper: float | None = Field(description="Upper end of it. [unit of the series]")
    probability: float | None = Field(
        description="That it is cleaner at all; null where no joint paths are known. [0-1]", examples=[0.93]
    )


class CarbonBestWindow(CarbonAheadHead):
    """When a run has the least expected carbon, and what that saves against starting at once."""

    model_config = shown_as(
        {
            **_HEAD,
            "generated_at": "2026-11-21T02:30:00Z",
            "issued_at": "2026-11-21T02:30:00Z",
            "duration_minutes": 180,
            "earliest": "2026-11-21T02:30:00Z",
            "deadline": "2026-11-22T02:30:00Z",
            "best": _RUN,
            "at_once": {
                "start": "2026-11-21T02:30:00Z",
                "end": "2026-11-21T05:30:00Z",
                "local_start": "2026-11-20T21:30:00-05:00",
                "local_end": "2026-11-21T00:30:00-05:00",
                "mean": 230.5,
            },
            "saving": {"value": 38.1, "percent": 16.5, "lower": -4.0, "upper": 76.0, "probability": 0.93},
            "runner_up": _LATER,
            "ahead_of_runner_up": {"value": 18.4, "percent": 8.7, "lower": -40.0, "upper": 71.0, "probability": 0.7},
            "certainty": "sure",
            "words": "Cleanest 3 hours before Saturday 21:30: 02:00. It is expected to be 17 % cleaner than starting "
            "at once, with a probability of 93 %.",
        }
    )

    duration_minutes: int = Field(description="Length of the run. [min]", examples=[180])
    earliest: datetime = Field(description="From when on runs were compared, UTC.")
    deadline: datetime = Field(description="By when they have ended, UTC; at the latest the end of the forecast.")
    best: CarbonRun = Field(description="The run with the least expected mean.")
    at_once: CarbonRun | None = Field(description="The run that begins at `earliest`; null where it is not forecast.")
    saving: CarbonDifference | None = Field(description="Of the best against that; null where they are the same.")
    runner_up: CarbonRun | None = Field(description="The best that does not overlap the first; null if none fits in.")
    ahead_of_runner_up: CarbonDifference | None = Field(description="Of the best against it.")
    certainty: Literal["now", "sure", "likely", "unsure", "unknown"] = Field(
        description="`now`: nothing later is expected to be cleaner. Else how sure it is that the best is cleaner than "
        "starting at once: `sure` from 90 % on, `likely` from two thirds on, `unsure` below; `unknown`: no joint paths."
    )
    words: str = Field(description="The same in a sentence.")
