"""A/B trials: two versions of a channel's model, side by side."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as


class TrialQuestion(Question):
    """Which version is tried, and how often it answers."""

    version: str = Field(
        min_length=1,
        max_length=200,
        description="Version of the channel's model that is tried against the one that serves.",
        examples=["gradient_boosting-20261121T092941-1db6e6"],
    )
    share: float = Field(
        0.2, ge=0, le=1, description="Share of the hours that it answers; both forecast always. [share]", examples=[0.2]
    )
    asked_by: str = Field(
        "the API", min_length=1, max_length=100, description="Who begins the trial; kept with it.", examples=["Ana"]
    )


class ModelTrial(Answer):
    """A trial."""

    challenger: str = Field(description="Version that is tried.")
    champion: str = Field(description="Version that served when the trial began.")
    share: float = Field(description="Share of the hours that the challenger answers. [share]", examples=[0.2])
    since: datetime = Field(description="When it began, UTC.")
    until: datetime | None = Field(
        description="When it was stopped, or another version became the champion, UTC; null while it runs."
    )
    asked_by: str = Field(description="Who began it.", examples=["Ana"])
    answers_this_hour: str | None = Field(description="Version that answers in this hour.")


class TrialSide(Answer):
    """How one version did, on the same intervals as the other."""

    role: Literal["champion", "challenger"] = Field(description="Which of the two.")
    version: str = Field(description="Version.")
    answered: int = Field(description="Stored forecasts of the trial that it answered. [count]", examples=[31])
    n: int = Field(description="Intervals scored; those of several forecasts count each time. [count]", examples=[4810])
    mae: float | None = Field(
        description="Mean absolute error; null without measurements yet. [unit of the answer]", examples=[66.8]
    )
    pinball: float | None = Field(
        description="Mean quantile loss over all levels; null without measurements yet. [unit of the answer]",
        examples=[24.1],
    )
    coverage90_percent: float | None = Field(
        description="Measurements inside the 90 % interval; null without one. [%]", examples=[90.4]
    )


class TrialDifference(Answer):
    """By how much the challenger's score is above the champion's: below zero the challenger is better."""

    score: Literal["mae", "pinball"] = Field(description="Which score.")
    mean: float = Field(description="Mean over the local days of the intervals. [unit of the answer]", examples=[-2.1])
    standard_error: float | None = Field(
        description="Standard error of the mean, with days that follow each other dependent; null on fewer than three "
        "days. [unit of the answer]",
        examples=[0.8],
    )
    p_value: float | None = Field(
        description="Probability of a difference as far from zero by chance; null on fewer than three days. [share]",
        examples=[0.012],
    )
    days: int = Field(description="Local days with measurements. [count]", examples=[14])


class ChannelTrial(Answer):
    """The last A/B trial of a channel, and how both versions did."""

    model_config = shown_as(
        {
            "channel": "grid.ny.demand",
            "site": "ny",
            "simulated": False,
            "unit": "MWh",
            "trial": {
                "challenger": "gradient_boosting-20261121T092941-1db6e6",
                "champion": "combination-20261107T060012-98fe76",
                "share": 0.2,
                "since": "2026-11-21T10:05:00Z",
                "until": None,
                "asked_by": "Ana",
                "answers_this_hour": "combination-20261107T060012-98fe76",
            },
            "sides": [],
            "differences": [],
            "verdict": "Nothing can be compared yet: no interval that both versions forecast has been measured.",
            "protocol": "0 forecast intervals of 0 live issues",
        }
    )

    channel: str = Field(description="Channel that is forecast.", examples=["grid.ny.demand"])
    site: str = Field(description="Id of its site.", examples=["ny"])
    simulated: bool = Field(description="True if its readings are simulated.")
    unit: str = Field(description="Unit of the errors.", examples=["MWh"])
    trial: ModelTrial | None = Field(description="The trial; null if none was ever begun.")
    sides: list[TrialSide] = Field(description="The champion and the challenger; empty without a trial.")
    differences: list[TrialDifference] = Field(description="Their differences; empty without measurements yet.")
    verdict: str = Field(description="What can be said of them, in a sentence.")
    protocol: str = Field(description="How they were compared.")
