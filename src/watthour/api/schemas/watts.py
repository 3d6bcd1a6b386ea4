"""The hours ahead in watts, and the model behind them."""

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.models import Split

_BASIS: dict[str, JsonValue] = {
    "site": "flat",
    "name": "Flat",
    "channel": "home.flat.power",
    "time_zone": "Europe/Paris",
    "interval_minutes": 60.0,
    "model_type": "day_process",
    "model_version": "day_process-20261120T060000-ab12cd",
    "made_by": "model",
    "generated_at": "2026-11-21T15:30:00Z",
    "known_until": "2026-11-21T15:00:00Z",
    "data_age_hours": 0.5,
    "stale": False,
    "archive": False,
    "simulated": False,
    "fallback": None,
    "missing_inputs": [],
}


class WhichSite(Question):
    """Which home or site; without a name the only home, or where there is none, the first site."""

    home: str | None = Field(
        None, min_length=1, max_length=100, description="Id or name of the home.", examples=["flat"]
    )
    site: str | None = Field(
        None, min_length=1, max_length=100, description="Any name of a site, home or region.", examples=["ny"]
    )


class WattsQuestion(WhichSite):
    """Which site, and how many hours."""

    hours: int = Field(
        48, ge=1, le=168, description="How far ahead, from the interval now running on. [h]", examples=[48]
    )


class OptimizationQuestion(WhichSite):
    """Which site, and how many hours are compared."""

    hours: int = Field(24, ge=1, le=168, description="How many hours ahead are compared. [h]", examples=[24])


class Basis(Answer):
    """What a forecast in watts rests on."""

    site: str = Field(description="Id of the site.", examples=["flat"])
    name: str = Field(description="Full name.", examples=["Flat"])
    channel: str = Field(description="Id of the channel that is forecast.", examples=["home.flat.power"])
    time_zone: str = Field(description="IANA name of its time zone.", examples=["Europe/Paris"])
    interval_minutes: float = Field(description="Length of an interval. [min]", examples=[60.0])
    model_type: str = Field(description="Kind of model, or name of the rule that answered.", examples=["day_process"])
    model_version: str = Field(
        description="Version of the model, or name of the rule.", examples=["day_process-20261120T060000-ab12cd"]
    )
    made_by: Literal["model", "rare_use", "other_homes", "similar_series", "baseline"] = Field(
        description="What answered."
    )
    generated_at: datetime = Field(description="When this answer was made, UTC.")
    known_until: datetime | None = Field(description="End of the newest reading that it rests on, UTC.")
    data_age_hours: float | None = Field(description="Time since then. [h]", examples=[0.5])
    stale: bool = Field(description="True if that is older than twelve hours.")
    archive: bool = Field(
        description="True if the readings ended more than two weeks ago; the hours after the last one are forecast."
    )
    simulated: bool = Field(description="True if its data are invented by the simulation.")
    fallback: str | None = Field(description="Why a simpler forecast was used; null if the model made it.")
    missing_inputs: list[str] = Field(description="Inputs that were unknown or only estimated, as sentences.")


class WattPoint(Answer):
    """The mean power of one interval."""

    timestamp: datetime = Field(description="Start of the interval, UTC.", examples=["2026-11-21T15:00:00Z"])
    power_watts: float | None = Field(description="Median; null if there is none. [W]", examples=[620.0])
    lower_bound: float | None = Field(description="Lower end of the 90 % interval; null if there is none. [W]")
    upper_bound: float | None = Field(description="Upper end of the 90 % interval; null if there is none. [W]")


class WattForecast(Basis):
    """The hours ahead in watts."""

    model_config = shown_as(
        {
            "forecast": [
                {
                    "timestamp": "2026-11-21T15:00:00Z",
                    "power_watts": 620.0,
                    "lower_bound": 310.0,
                    "upper_bound": 1400.0,
                }
            ],
            "forecast_horizon_hours": 48,
            **_BASIS,
        }
    )

    forecast: list[WattPoint] = Field(description="One entry per interval of the channel.")
    forecast_horizon_hours: int = Field(description="How far ahead was asked. [h]", examples=[48])


class PeakPrediction(Basis):
    """When the next 24 hours are highest."""

    model_config = shown_as(
        {
            "peak_hour": 19,
            "peak_power_watts": 2140.0,
            "peak_timestamp": "2026-11-21T18:00:00Z",
            "lower_bound": 980.0,
            "upper_bound": 4100.0,
            "daily_total_kwh": 11.4,
            "start": "2026-11-21T15:00:00Z",
            "end": "2026-11-22T15:00:00Z",
            **_BASIS,
        }
    )

    peak_hour: int | None = Field(
        description="Local hour in which the interval with the highest median begins, 0 to 23; null for steps of a "
        "day. [hour]",
        examples=[19],
    )
    peak_power_watts: float | None = Field(description="Its median. [W]", examples=[2140.0])
    peak_timestamp: datetime | None = Field(description="Its start, UTC.")
    lower_bound: float | None = Field(description="Lower end of its 90 % interval. [W]", examples=[980.0])
    upper_bound: float | None = Field(description="Upper end of its 90 % interval. [W]", examples=[4100.0])
    daily_total_kwh: float | None = Field(
        description="Expected energy of the 24 hours, the sum of the means; null if one is missing. [kWh]",
        examples=[11.4],
    )
    start: datetime = Field(description="Start of the first interval looked at, UTC.")
    end: datetime = Field(description="End of the last one, UTC.")


class HourRange(Answer):
    """Intervals that follow each other."""

    start: datetime = Field(description="Start of the first, UTC.")
    end: datetime = Field(description="End of the last, UTC.")
    local_start: datetime = Field(description="Start in the time zone of the site.")
    local_end: datetime = Field(description="End in the time zone of the site.")
    mean_power_watts: float | None = Field(description="Mean of the medians of the forecast load. [W]")
    mean_price: float | None = Field(description="Mean price; null where the load decides. [`price_unit`]")


class PlannedSavings(Answer):
    """What a plan is foreseen to save, against everything begun as soon as it may and batteries at rest."""

    money: float = Field(description="With the wear of batteries taken away. [currency]", examples=[0.29])
    currency: str = Field(description="ISO 4217.", examples=["EUR"])
    carbon_kg: float | None = Field(description="Null: not known. [kgCO2e]", examples=[0.5])
    start: datetime = Field(description="Begin of the hours that are planned, UTC.")
    end: datetime = Field(description="Their end, UTC.")
    made_at: datetime = Field(description="When the plan was made, UTC.")


class Optimization(Basis):
    """When to use energy and when not to."""

    model_config = shown_as(
        {
            "basis": "load",
            "price_channel": None,
            "price_unit": None,
            "best_hours": [
                {
                    "start": "2026-11-22T01:00:00Z",
                    "end": "2026-11-22T05:00:00Z",
                    "local_start": "2026-11-22T02:00:00+01:00",
                    "local_end": "2026-11-22T06:00:00+01:00",
                    "mean_power_watts": 180.0,
                    "mean_price": None,
                }
            ],
            "avoid_hours": [],
            "considered_from": "2026-11-21T15:00:00Z",
            "considered_to": "2026-11-22T15:00:00Z",
            "savings": None,
            "forecast_horizon_hours": 24,
            **_BASIS,
        }
    )

    basis: Literal["price", "load"] = Field(
        description="What decides: the price, where one is known of coming intervals, else the forecast load."
    )
    price_channel: str | None = Field(description="The channel of the price; null where the load decides.")
    price_unit: str | None = Field(description="Its unit; null where the load decides.", examples=["EUR/kWh"])
    best_hours: list[HourRange] = Field(description="The lowest quarter of the intervals; empty if all are alike.")
    avoid_hours: list[HourRange] = Field(description="The highest quarter of them; empty if all are alike.")
    considered_from: datetime | None = Field(description="Start of the first interval that is compared, UTC.")
    considered_to: datetime | None = Field(
        description="End of the last one, UTC; with prices, no further than they are known."
    )
    savings: PlannedSavings | None = Field(
        description="What the plan of the home comes to less than everything at once; null: it has no plan, as it has "
        "no tariff or no equipment, or no region is a home."
    )
    forecast_horizon_hours: int = Field(description="How far ahead was asked. [h]", examples=[24])


class ServingModel(Answer):
    """The model that forecasts a site; of a rule, which learns nothing, only its name is not null."""

    model_config = shown_as(
        {
            "site": "flat",
            "channel": "home.flat.power",
            "model_type": "day_process",
            "model_version": "day_process-20261120T060000-ab12cd",
            "fallback": None,
            "trained_at": "2026-11-20T06:00:00Z",
            "features": ["temperature"],
            "splits": {"train": {"start": "2023-11-20T05:00:00Z", "end": "2026-10-23T04:00:00Z"}},
            "metrics": {"mae": 0.21},
            "data_fingerprint": "ab12cd34",
            "simulated": False,
        }
    )

    site: str = Field(description="Id of the site.", examples=["flat"])
    channel: str = Field(description="Id of the channel that it forecasts.", examples=["home.flat.power"])
    model_type: str | None = Field(
        None, description="Kind of model, as `forecast` tells it; null while nothing can be forecast."
    )
    model_version: str | None = Field(None, description="Version; of a rule its name; null while there is none.")
    fallback: str | None = Field(
        None, description="Why no model of the site's own answers, or nothing does; null if one does."
    )
    trained_at: datetime | None = Field(None, description="When it was trained, UTC.")
    features: list[str] | None = Field(None, description="Its features.")
    splits: dict[str, Split] | None = Field(
        None, description="Spans of data by use: `train` to learn from, `frozen` only to compare with other models."
    )
    metrics: dict[str, float] | None = Field(
        None,
        description="Scores on the frozen span by name, such as `mae` [unit of the channel] and `mape_percent` [%]. "
        "[as the name says]",
    )
    data_fingerprint: str | None = Field(None, description="Hash of the data it learned from.")
    simulated: bool = Field(description="True if the site's data are invented by the simulation.")


class Retraining(Answer):
    """A training, and how far it is."""

    model_config = shown_as(
        {"site": "flat", "status": "running", "progress": "reading history", "problem": None, "verdict": None}
    )

    site: str = Field(description="Id of the site.", examples=["flat"])
    status: Literal["idle", "running", "done", "failed"] = Field(
        description="Idle means that no training was started since the server started."
    )
    progress: str | None = Field(description="Current step, while it runs.", examples=["reading history"])
    problem: str | None = Field(description="Why it failed, with the cure.")
    verdict: str | None = Field(description="Whether the new model is used, and why.")
