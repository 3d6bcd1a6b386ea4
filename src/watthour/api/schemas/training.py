"""Training a site's model, and how far it is."""

from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as


class TrainQuestion(Question):
    """Which site is trained."""

    region: str = Field(
        min_length=1, max_length=100, description="Any name of a region or site, or a channel.", examples=["ny"]
    )


class TrainingBegun(Answer):
    """A training has begun; ask for its state."""

    model_config = shown_as({"region": "ny", "state": "running"})

    region: str = Field(description="The id of the site.", examples=["ny"])
    state: Literal["running"] = Field(description="The training runs in a separate process.")


class TrainingState(Answer):
    """Progress and result of a training."""

    model_config = shown_as(
        {
            "region": "ny",
            "state": "done",
            "step": None,
            "problem": None,
            "verdict": "day_process-20261121T120000-ab12cd is promoted. No other model is in use yet.",
        }
    )

    region: str = Field(description="The id of the site.", examples=["ny"])
    state: Literal["idle", "running", "done", "failed"] = Field(
        description="Idle means that no training was started since the server started."
    )
    step: str | None = Field(
        description="Current step, while it runs; after the verdict, of the forecasts of past days.",
        examples=["reading history"],
    )
    problem: str | None = Field(description="Why it failed, with the cure.")
    verdict: str | None = Field(description="Whether the new model is used, and why.")


class HomesTraining(Answer):
    """Progress and result of the training of all homes together."""

    model_config = shown_as(
        {
            "homes": ["flat", "cabin"],
            "state": "done",
            "step": None,
            "problem": None,
            "verdict": "global_model-20261121T120000-ab12cd is promoted. 2 of 2 homes were given a new model of their "
            "own.",
        }
    )

    homes: list[str] = Field(description="The ids of the homes that are trained.", examples=[["flat", "cabin"]])
    state: Literal["idle", "running", "done", "failed"] = Field(
        description="Idle means that no training was started since the server started."
    )
    step: str | None = Field(description="Current step, while it runs.", examples=["reading Flat"])
    problem: str | None = Field(description="Why it failed, with the cure.")
    verdict: str | None = Field(description="Which new models are used, and why.")
