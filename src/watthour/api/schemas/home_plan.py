"""The plan of a home, made from its own tariff, prices, carbon and load: what runs when, and what it costs."""

from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.plan import (
    Flag,
    Instant,
    Name,
    PlanChoice,
    PlanMiss,
    PlannedThing,
    PlanWeights,
)

_RUN: dict[str, JsonValue] = {
    "id": "dishwasher-20261122-1",
    "name": "dishwasher",
    "kind": "appliance",
    "device": "home.flat.dishwasher",
    "start": "2026-11-23T01:15:00Z",
    "end": "2026-11-23T03:00:00Z",
    "energy_kwh": 2.1,
    "cost": 0.38,
    "carbon_kg": 0.61,
    "at_once": {"cost": 0.51, "carbon_kg": 0.74},
    "reason": "starts 02:15: cheapest 1 h 45 min before 07:00",
    "state": "planned",
    "is_estimated": False,
    "earliest": "2026-11-22T20:00:00Z",
    "deadline": "2026-11-23T06:00:00Z",
}
_PLAN: dict[str, JsonValue] = {
    "home": "flat",
    "made_at": "2026-11-22T17:02:11Z",
    "age_s": 94.0,
    "is_simulated": False,
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "start": "2026-11-22T17:15:00Z",
    "step_minutes": 15.0,
    "status": "solved",
    "gap": 0.0,
    "weights": {"money": 1.0, "carbon": 0.0, "peak": 0.0},
    "cost": 1.62,
    "wear": 0.0,
    "carbon_kg": 2.4,
    "peak_kw": 3.1,
    "at_once": {"cost": 1.91, "carbon_kg": 2.9},
    "from_stock": None,
    "runs": [_RUN],
    "time": ["2026-11-22T17:15:00Z"],
    "import_kw": [0.4],
    "export_kw": [0.0],
    "load_kw": [0.4],
    "solar_kw": [0.0],
    "import_price": [0.31],
    "export_price": [0.08],
    "is_price_forecast": [False],
    "carbon": [310.0],
    "things": [
        {
            "name": "dishwasher",
            "kind": "appliance",
            "reason": "starts 02:15: cheapest 1 h 45 min before 07:00",
            "spans": [{"start": "2026-11-23T01:15:00Z", "end": "2026-11-23T03:00:00Z"}],
            "power_kw": [0.0],
            "gives_kw": None,
            "stored_kwh": None,
            "temperature_c": None,
        }
    ],
    "misses": [],
    "choices": [],
    "remarks": ["The load of the home is not known without the dishwasher: nothing measures it by itself."],
}


class PlanChange(Question):
    """Another wish for the next run of one thing; what is left out stays as it is."""

    name: Name = Field(
        description="Id of a run, or name of a thing: then its next run. An appliance `on_request` is asked for by "
        "its name alone.",
        examples=["dishwasher"],
    )
    earliest: Instant | None = Field(
        None, description="When it may begin. With its time zone, or by the clock of the home."
    )
    deadline: Instant | None = Field(
        None, description="When it must have ended. With its time zone, or by the clock of the home."
    )
    skip: Flag | None = Field(None, description="True: it does not run; false: it does after all; null: as it is.")


class NewPlan(Question):
    """What is to be planned otherwise; without anything: as the equipment says, by what is known now."""

    model_config = (
        shown_as({"changes": [{"name": "dishwasher", "deadline": "2026-11-23T09:00:00+01:00"}], "keep": True})
        | Question.model_config
    )

    hours: int | None = Field(
        None, ge=24, le=48, description="How far ahead; null: as the equipment says. [h]", examples=[36]
    )
    weights: PlanWeights | None = Field(
        None,
        description="What counts from now on, until other weights or other equipment are said; null: as before.",
    )
    changes: list[PlanChange] = Field(
        default_factory=list, max_length=40, description="Of single runs; they hold in the plans that follow as well."
    )
    with_choices: Flag = Field(
        default=False, description="Whether plans between the cheapest and the cleanest are told too."
    )
    keep: Flag = Field(default=True, description="False: the plan is only shown, and the one in force stays.")


class RunDecision(Question):
    """What a person decides about a run."""

    decision: Literal["accept", "skip", "undo"] = Field(
        description="`accept`: it stays at this time; `skip`: it does not run; `undo`: neither.", examples=["skip"]
    )


class AtOnce(Answer):
    """What is planned, begun as soon as it may, and batteries at rest."""

    cost: float = Field(description="What is paid, less what is earned. [currency]", examples=[0.51])
    carbon_kg: float | None = Field(description="Of what is imported; null: not known. [kgCO2e]", examples=[0.74])


class FromStock(Answer):
    """What batteries give of what they hold as the plan begins; it is in the cost, and no gain of the plan."""

    energy_kwh: float = Field(description="What they hold less at the end, as the home gets it. [kWh]", examples=[1.8])
    money: float = Field(description="The same at the mean price of the hours planned. [currency]", examples=[0.5])
    is_assumed: bool = Field(description="Nothing tells what one of them holds, so that it is assumed.")


class PlannedRun(Answer):
    """One use of a thing."""

    id: str = Field(description="Its id, the same in every plan.", examples=["dishwasher-20261122-1"])
    name: str = Field(description="Name of the thing.", examples=["dishwasher"])
    kind: Literal["appliance", "car"] = Field(description="What it is.")
    device: str | None = Field(description="Id of the device that tells when it runs; null: none does.")
    start: datetime | None = Field(description="When it begins; null: it does not run. [UTC]")
    end: datetime | None = Field(description="When it ends; null: it does not run. [UTC]")
    energy_kwh: float | None = Field(
        description="What it draws, a car in the steps planned; of what is over, what it drew; null: not known. [kWh]",
        examples=[2.1],
    )
    cost: float | None = Field(
        description="What that costs at the prices of its steps; its part of the sun counts as what that would have "
        "earned; null: it is over, or began before it was planned. [currency]",
        examples=[0.38],
    )
    carbon_kg: float | None = Field(description="Of what it imports; null: not known. [kgCO2e]", examples=[0.61])
    at_once: AtOnce | None = Field(
        description="The same if it began as soon as it may, all else doing so too; null: it has begun, or is over."
    )
    reason: str = Field(description="Why so.", examples=["starts 02:15: cheapest 1 h 45 min before 07:00"])
    state: Literal["planned", "accepted", "skipped", "running", "done"] = Field(description="Where it stands.")
    is_estimated: bool = Field(
        description="True: nothing measures whether it runs, so `running` and `done` are as planned."
    )
    earliest: datetime = Field(description="When it may begin. [UTC]")
    deadline: datetime = Field(description="When it must have ended. [UTC]")


class HomeChoice(PlanChoice):
    """One of the plans between the cheapest and the cleanest."""

    carbon_weight: float | None = Field(
        description="With this as `weights.carbon` it is what is planned; null: no weight leads to it. [currency/kg]"
    )


class HomePlan(Answer):
    """The plan of a home; every list has one value for each step, powers are positive."""

    model_config = shown_as(_PLAN) | Answer.model_config

    home: str = Field(description="Id of the home.", examples=["flat"])
    made_at: datetime = Field(description="When it was made. [UTC]")
    age_s: float = Field(description="How long ago that was. [s]", examples=[94.0])
    is_simulated: bool = Field(description="True: the home is invented.")
    time_zone: str = Field(description="Clock of the home.", examples=["Europe/Berlin"])
    currency: str = Field(description="ISO 4217.", examples=["EUR"])
    start: datetime = Field(description="Begin of the first step. [UTC]")
    step_minutes: float = Field(description="Length of a step. [min]", examples=[15.0])
    status: Literal["solved", "best_so_far", "rules"] = Field(description="How it came about, as of `POST /plan`.")
    gap: float | None = Field(
        description="By how much another plan could be better, as a share; 0: this is the best; null: not known. [-]"
    )
    weights: PlanWeights = Field(description="What counted.")
    cost: float = Field(description="What is paid for import and the peak, less what is earned. [currency]")
    wear: float = Field(description="What it costs batteries in life. [currency]")
    carbon_kg: float | None = Field(description="Of all that is imported; null: not known. [kgCO2e]")
    peak_kw: float = Field(description="The highest import, or that of the month so far. [kW]")
    at_once: AtOnce = Field(description="What these hours would come to without a plan.")
    from_stock: FromStock | None = Field(
        default=None, description="What batteries give of what they hold already; null: they end as full or fuller."
    )
    runs: list[PlannedRun] = Field(description="Uses of things, in the order in which they begin.")
    time: list[datetime] = Field(description="Begin of each step. [UTC]")
    import_kw: list[float] = Field(description="What is bought. [kW]")
    export_kw: list[float] = Field(description="What is sold. [kW]")
    load_kw: list[float] = Field(description="What is used whatever is planned. [kW]")
    solar_kw: list[float] = Field(description="What is used or sold of the sun. [kW]")
    import_price: list[float] = Field(description="Of one more kWh that is bought. [currency/kWh]")
    export_price: list[float] = Field(description="Of one more kWh that is sold. [currency/kWh]")
    is_price_forecast: list[bool] = Field(description="Whether the price is not published yet, but forecast.")
    carbon: list[float] | None = Field(description="Of what is imported; null: not known. [gCO2e/kWh]")
    things: list[PlannedThing] = Field(description="What each thing does, and why.")
    misses: list[PlanMiss] = Field(description="Wishes that are not quite met.")
    choices: list[HomeChoice] = Field(description="Where asked for: from the cheapest plan to the cleanest.")
    remarks: list[str] = Field(description="What is assumed or not known, for a person.")
