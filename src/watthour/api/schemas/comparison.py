"""Models compared on a channel's past, and how far that is."""

from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as


class ComparisonRegion(Question):
    """Whose models are compared."""

    region: str = Field(
        min_length=1, max_length=100, description="Any name of a region or site, or a channel.", examples=["ny"]
    )


class ComparisonQuestion(ComparisonRegion):
    """Which models are compared, and on which days."""

    days: int = Field(28, ge=1, le=366, description="How many of the last days are forecast. [count]", examples=[28])
    issue_hour: int | None = Field(
        None,
        ge=0,
        le=24,
        description="Local hour of issue on the day before; 24: as the day begins, everything before it being known. "
        "Without it: that of the settings, and of prices, which are published ahead, 24. [h]",
        examples=[8],
    )
    recipe: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Only these models; give the parameter once for each. Without it: all but those of the extras "
        "`stats` and `deep`, which are slow.",
        examples=[["day_process", "seasonal_naive"]],
    )
    validation_days: int | None = Field(
        None,
        ge=0,
        le=366,
        description="How many days before the compared ones choose a model. Without it: as many, at most 14; none if "
        "one model is named. [count]",
        examples=[14],
    )


class ComparisonBegun(Answer):
    """A comparison has begun; ask for its state."""

    model_config = shown_as({"region": "ny", "state": "running"})

    region: str = Field(description="The id of the site.", examples=["ny"])
    state: Literal["running"] = Field(description="The comparison runs in a separate process.")


class ComparedModel(Answer):
    """How one model did."""

    recipe: str = Field(description="Name of the model.", examples=["day_process"])
    pinball: float = Field(description="Mean quantile loss over all levels. [unit of the channel]", examples=[98.2])
    mae: float = Field(description="Mean absolute error of the median. [unit of the channel]", examples=[271.4])
    rmse: float | None = Field(
        None, description="Root of the mean squared error. [unit of the channel]", examples=[352.0]
    )
    mase: float | None = Field(
        None,
        description="Mean absolute error over that of the same time last week before the compared days. [-]",
        examples=[0.71],
    )
    mape_percent: float | None = Field(
        description="Mean absolute error in per cent of the actual; null where values are near zero or below. [%]",
        examples=[1.52],
    )
    coverage90_percent: float | None = Field(
        description="Share of the readings inside the 90 % interval. [%]", examples=[90.1]
    )
    skill_percent: float | None = Field(
        None,
        description="Share of the mean absolute error of `persistence_ensemble` that is saved; negative where it is "
        "worse. [%]",
        examples=[14.2],
    )
    validation_skill_percent: float | None = Field(
        None,
        description="Share of its quantile loss that was saved on the days before, by which the model is chosen. [%]",
        examples=[12.9],
    )
    n: int = Field(description="Intervals scored. [count]", examples=[672])
    seconds: float = Field(description="Time that learning and forecasting took. [s]", examples=[12.4])


class ComparedModels(Answer):
    """How every model did on the same intervals, the best first."""

    channel: str = Field(description="Id of the channel that was forecast.", examples=["grid.ny.demand"])
    first: str = Field(alias="from", description="First local day.", examples=["2026-10-24"])
    last: str = Field(alias="to", description="Last local day.", examples=["2026-11-20"])
    protocol: str = Field(
        description="How it was measured.",
        examples=["Issued at 08:00 local time of the day before, what is forecast being known to then."],
    )
    unit: str = Field(description="Unit of the channel.", examples=["MWh"])
    rows: list[ComparedModel] = Field(description="The models, the smallest quantile loss first.")
    left_out: dict[str, str] = Field(description="Models that could not be compared, and why.", examples=[{}])
    chosen: str | None = Field(
        None,
        description="The model with the greatest `validation_skill_percent`; null where no days before were looked at.",
        examples=["day_process"],
    )
    validated_from: str | None = Field(
        None,
        description="First local day of those that chose it; the last is the day before `from`.",
        examples=["2026-10-10"],
    )


class ComparisonState(Answer):
    """Progress and result of a comparison."""

    model_config = shown_as({"region": "ny", "state": "running", "step": "day_process", "problem": None, "found": None})

    region: str = Field(description="The id of the site.", examples=["ny"])
    state: Literal["idle", "running", "done", "failed"] = Field(
        description="Idle means that no comparison was started since the server started."
    )
    step: str | None = Field(description="The model at work, while it runs.", examples=["day_process"])
    problem: str | None = Field(description="Why it failed, with the cure.")
    found: ComparedModels | None = Field(description="The result, once it is done.")
