"""The models that serve, and one hour of demand from 20 features of the caller's own."""

from datetime import datetime
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from watthour.api.schemas.base import Answer, Question, shown_as


class Features(Question):
    """The hour that is asked for, as 20 numbers; weather is the forecast or the measurement of that hour."""

    temperature: float = Field(ge=-90, le=65, description="Air temperature at 2 m. [degC]", examples=[4.5])
    apparent_temperature: float = Field(ge=-110, le=90, description="Felt temperature. [degC]", examples=[1.2])
    humidity: float = Field(ge=0, le=100, description="Relative humidity at 2 m. [%]", examples=[71.0])
    wind_speed: float = Field(ge=0, le=115, description="Wind at 10 m. [m/s]", examples=[4.1])
    cloud_cover: float = Field(ge=0, le=100, description="Share of the sky under cloud. [%]", examples=[64.0])
    solar_radiation: float = Field(ge=0, le=1500, description="Shortwave radiation. [W/m2]", examples=[120.0])
    precipitation: float = Field(ge=0, le=400, description="Rain and melted snow of the hour. [mm]", examples=[0.0])
    hour_of_day: int = Field(ge=0, le=23, description="Hour by the local clock. [h]", examples=[17])
    day_of_week: int = Field(
        ge=0, le=6, description="Day of the week by the local clock, Monday is 0. [number]", examples=[6]
    )
    month: int = Field(ge=1, le=12, description="Month by the local clock, January is 1. [number]", examples=[11])
    is_weekend: Literal[0, 1] | bool = Field(
        description="1 on Saturday and Sunday, else 0; follows from `day_of_week`. [0 or 1]", examples=[1]
    )
    is_holiday: Literal[0, 1] | bool = Field(description="1 on a public holiday, else 0. [0 or 1]", examples=[0])
    demand_lag_1h: float = Field(ge=0, le=1e6, description="Demand of the hour before. [MWh]", examples=[16850.0])
    demand_lag_24h: float = Field(
        ge=0, le=1e6, description="Demand of the same hour a day before. [MWh]", examples=[17100.0]
    )
    demand_lag_168h: float = Field(
        ge=0, le=1e6, description="Demand of the same hour a week before. [MWh]", examples=[16990.0]
    )
    demand_rolling_mean_24h: float = Field(
        ge=0, le=1e6, description="Mean of the 24 hours before. [MWh]", examples=[15620.0]
    )
    demand_rolling_std_24h: float = Field(
        ge=0, le=1e6, description="Sample deviation of the 24 hours before. [MWh]", examples=[1430.0]
    )
    temp_squared: float = Field(ge=0, le=8100, description="Square of `temperature`. [degC2]", examples=[20.25])
    cooling_degree_hours: float = Field(
        ge=0, le=100, description="Degrees of `temperature` above 18.3 degC, else 0. [K]", examples=[0.0]
    )
    heating_degree_hours: float = Field(
        ge=0, le=200, description="Degrees of `temperature` below 18.3 degC, else 0. [K]", examples=[13.8]
    )

    @field_validator("*", mode="before")
    @classmethod
    def _is_a_number(cls, value: object, info: ValidationInfo) -> object:
        """Refuse text that looks like a number, and truths where an amount is asked."""
        is_truth = isinstance(value, bool) and not str(info.field_name).startswith("is_")
        if is_truth or isinstance(value, str):
            raise PydanticCustomError("number_type", "input should be a number")
        return value


class RegionQuestion(Question):
    """Whose model."""

    region: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="Any name of a region; required if there are several.",
        examples=["ny"],
    )


class IntervalBasis(Answer):
    """What an interval stands on: the model's errors one hour ahead, on hours that it had not learned from."""

    level: float = Field(description="How often the demand should be inside. [share]", examples=[0.9])
    unseen_hours: int = Field(
        description="Hours that the model had not learned from; the quantiles of its relative errors on them give the "
        "interval. [count]",
        examples=[4320],
    )
    coverage_percent: float | None = Field(
        description="How many of the hours of the frozen window, which were used for nothing else, lay inside such an "
        "interval; null where it was not measured. [%]",
        examples=[90.2],
    )


class Prediction(Answer):
    """Demand of one hour."""

    model_config = shown_as(
        {
            "predicted_demand_mwh": 17240.0,
            "lower_mwh": 16960.0,
            "upper_mwh": 17515.0,
            "interval": {"level": 0.9, "unseen_hours": 4320, "coverage_percent": 90.2},
            "model_version": "twenty_features-20261120T060000-ab12cd",
            "timestamp": "2026-11-21T12:00:00Z",
            "region": "ny",
            "simulated": False,
        }
    )

    predicted_demand_mwh: float = Field(description="Demand of the hour that is asked for. [MWh]", examples=[17240.0])
    lower_mwh: float = Field(description="Lower end of the 90 % interval. [MWh]", examples=[16960.0])
    upper_mwh: float = Field(description="Upper end of the 90 % interval. [MWh]", examples=[17515.0])
    interval: IntervalBasis = Field(description="How the interval was made.")
    model_version: str = Field(
        description="Version of the model that answered.", examples=["twenty_features-20261120T060000-ab12cd"]
    )
    timestamp: datetime = Field(description="When this was predicted, UTC.", examples=["2026-11-21T12:00:00Z"])
    region: str = Field(description="Id of the region whose model answered.", examples=["ny"])
    simulated: bool = Field(description="True if the model learned from simulated data.")


class Split(Answer):
    """A span of data that a model saw, and for what."""

    start: datetime = Field(description="First instant, UTC.")
    end: datetime = Field(description="First instant after it, UTC.")


class OnTrial(Answer):
    """A version that answers a share of the hours in the place of the one that serves."""

    version: str = Field(description="Version that is tried.", examples=["gradient_boosting-20261121T092941-1db6e6"])
    share: float = Field(description="Share of the hours that it answers. [share]", examples=[0.2])
    since: datetime = Field(description="When the trial began, UTC.")


class ModelCard(Answer):
    """A model that serves."""

    serves: Literal["forecast", "predict"] = Field(
        description="What it answers: `forecast` the day ahead, `predict` the address `/predict`."
    )
    region: str = Field(description="Id of the region.", examples=["ny"])
    simulated: bool = Field(description="True if the model learned from simulated data.")
    name: str = Field(description="Name in the registry.", examples=["grid.ny.demand"])
    model_version: str = Field(description="Version.", examples=["gradient_boosting-20261120T060000-ab12cd"])
    recipe: str = Field(description="Kind of model.", examples=["gradient_boosting"])
    features: list[str] = Field(description="Its features.")
    splits: dict[str, Split] = Field(
        description="Spans of data by use: `train` to learn from, `frozen` only to compare with other models."
    )
    data_fingerprint: str = Field(description="Hash of the data it learned from.")
    metrics: dict[str, float] = Field(
        description="Scores on the frozen span by name, such as `mae` [unit of the channel], `mae_mwh` [MWh] and "
        "`mape_percent` [%]; names with a forecaster in front are its scores. [as the name says]"
    )
    trained_at: datetime = Field(description="When it was trained, UTC.")
    on_trial: OnTrial | None = Field(description="The version that an A/B trial tries against it; null without one.")


class ModelInfo(Answer):
    """All models that serve."""

    model_config = shown_as(
        {
            "models": [
                {
                    "serves": "predict",
                    "region": "ny",
                    "simulated": False,
                    "name": "grid.ny.demand.twenty_features",
                    "model_version": "twenty_features-20261120T060000-ab12cd",
                    "recipe": "twenty_features",
                    "features": ["temperature", "hour_of_day", "demand_lag_1h"],
                    "splits": {"train": {"start": "2023-11-20T05:00:00Z", "end": "2026-10-23T04:00:00Z"}},
                    "data_fingerprint": "ab12cd34",
                    "metrics": {"mae_mwh": 141.0},
                    "trained_at": "2026-11-20T06:00:00Z",
                    "on_trial": None,
                }
            ]
        }
    )

    models: list[ModelCard] = Field(description="One entry per model that serves.")


class ReloadedModel(Answer):
    """A model loaded anew."""

    serves: Literal["forecast", "predict"] = Field(
        description="What it answers: `forecast` the day ahead, `predict` the address `/predict`."
    )
    region: str = Field(description="Id of the region.", examples=["ny"])
    name: str = Field(description="Name in the registry.", examples=["grid.ny.demand"])
    model_version: str = Field(description="Version that serves now.")
    previous_version: str | None = Field(description="Version that was loaded before; null if there was none.")


class Reloaded(Answer):
    """What serves from now on; every warm answer is dropped."""

    model_config = shown_as(
        {
            "reloaded": [
                {
                    "serves": "forecast",
                    "region": "ny",
                    "name": "grid.ny.demand",
                    "model_version": "gradient_boosting-20261120T060000-ab12cd",
                    "previous_version": "gradient_boosting-20261113T060000-98fe76",
                }
            ],
            "reloaded_at": "2026-11-21T12:00:00Z",
        }
    )

    reloaded: list[ReloadedModel] = Field(description="One entry per model that serves.")
    reloaded_at: datetime = Field(description="When they were loaded, UTC.")
