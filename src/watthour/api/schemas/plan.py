"""A household's wishes and the plan that meets them; also what a file for `watthour plan` holds."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.core import assets
from watthour.core.errors import InvalidInput
from watthour.core.place import is_time_zone, no_time_zone
from watthour.core.plan import PlanningProblem, Weights

MOST_STEPS = 480


def _written(value: object) -> object:
    """Refuse a number, which would be read as seconds since 1970."""
    if isinstance(value, str) and "-" in value[4:8]:
        return value
    if isinstance(value, datetime):
        return value
    raise PydanticCustomError("instant", "it is no instant such as 2026-11-22T18:00:00+01:00")


def _counted(value: object) -> object:
    """Refuse what is no number, such as a text or a truth."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("count", "it is no whole number")
    return value


Number = Annotated[float, Field(strict=True)]
Count = Annotated[int, BeforeValidator(_counted)]  # 4.0 is one as well
Flag = Annotated[bool, Field(strict=True)]
Instant = Annotated[datetime, BeforeValidator(_written)]
Series = Number | Annotated[list[Number], Field(max_length=MOST_STEPS)]
Name = Annotated[str, Field(min_length=1, max_length=60)]
_LOCAL = "With its time zone, or by the clock of `time_zone`."


class PlanAppliance(Question):
    """A run of an appliance."""

    name: Name = Field(description="How the plan calls it.", examples=["dishwasher"])
    power_kw: Number | None = Field(
        None, description="Its power, where that is the same throughout. [kW]", examples=[1.2]
    )
    minutes: Number | None = Field(None, gt=0, le=1440, description="How long a run takes. [min]", examples=[120])
    profile_kw: list[Number] | None = Field(
        None, max_length=MOST_STEPS, description="Instead of both: its power over a run. [kW]", examples=[None]
    )
    profile_minutes: Number = Field(15, ge=1, le=1440, description="How long each of these values holds. [min]")
    earliest: Instant | None = Field(None, description=f"When it may begin; without it: at once. {_LOCAL}")
    deadline: Instant | None = Field(None, description=f"When it must have ended. {_LOCAL}")
    is_interruptible: Flag = Field(default=False, description="Whether it may pause between steps.")
    repeats: Count = Field(1, ge=1, le=50, description="How many runs. [count]")
    only_below: Number | None = Field(
        None, description="It runs only where its electricity is worth less than this. [currency/kWh]"
    )
    begun_at: Instant | None = Field(None, description=f"It runs already, since then. {_LOCAL}")


class PlanBattery(Question):
    """A battery."""

    name: Name = Field("battery", description="How the plan calls it.")
    capacity_kwh: Number = Field(description="What it can hold. [kWh]", examples=[10])
    stored_kwh: Number = Field(description="What it holds now. [kWh]", examples=[4])
    max_charge_kw: Number = Field(description="What it can take. [kW]", examples=[5])
    max_discharge_kw: Number = Field(description="What it can give. [kW]", examples=[5])
    charge_efficiency: Number = Field(0.95, description="Share that is stored of what it takes. [-]")
    discharge_efficiency: Number = Field(0.95, description="Share that it gives of what was stored. [-]")
    wear_price: Number = Field(0.0, description="What a kWh that it gives costs in life. [currency/kWh]")
    reserve_kwh: Number = Field(0.0, description="Below this it goes only if nothing else is possible. [kWh]")
    reserve_price: Number = Field(1.0, description="What a kWh below it costs in every hour. [currency/kWh/h]")
    end_kwh: Number | None = Field(None, description="What it holds at the end, or more. [kWh]")
    end_price: Number | None = Field(
        None, description="Instead: what a kWh in it is worth at the end; without both: what it costs to fill it again "
        "in the cheapest quarter of the time. [currency/kWh]"
    )  # fmt: skip


class PlanCar(Question):
    """One stay of a car at its charger."""

    name: Name = Field("car", description="How the plan calls it.")
    energy_kwh: Number = Field(description="What must reach its battery. [kWh]", examples=[12])
    max_charge_kw: Number = Field(description="The most it takes. [kW]", examples=[11])
    min_charge_kw: Number = Field(0.0, description="The least it takes when it charges. [kW]", examples=[1.4])
    arrival: Instant | None = Field(None, description=f"Without it: it is there. {_LOCAL}")
    departure: Instant | None = Field(None, description=f"Without it: it stays. {_LOCAL}")
    efficiency: Number = Field(0.9, description="Share that reaches its battery. [-]")
    most_kwh: Number | None = Field(None, description="What it could take, where that is paid for. [kWh]")


class PlanHeat(Question):
    """A tank or a house that keeps heat."""

    name: Name = Field("house", description="How the plan calls it.")
    capacity_kwh_per_k: Number = Field(description="Heat that warms it by a kelvin. [kWh/K]", examples=[5])
    loss_kw_per_k: Number = Field(
        description="What it loses for each kelvin above what is around it. [kW/K]", examples=[0.15]
    )
    max_power_kw: Number = Field(description="The most its heater draws. [kW]", examples=[3])
    min_power_kw: Number = Field(0.0, description="The least it draws when it is on. [kW]")
    temperature_c: Number = Field(description="How warm it is now. [degC]", examples=[20.5])
    lowest_c: Number = Field(description="How cold it may become. [degC]", examples=[20])
    highest_c: Number = Field(description="How warm it may become. [degC]", examples=[22])
    around_c: Series = Field(20.0, description="Temperature around it. [degC]", examples=[5])
    draw_kw: Series = Field(0.0, description="Heat that is taken out, such as hot water; negative: gains. [kW]")
    efficiency: Series = Field(1.0, description="Heat for each kWh drawn; of a heat pump about 3. [-]")
    discomfort_price: Number = Field(1.0, description="What a kelvin outside costs in every hour. [currency/K/h]")
    end_c: Number | None = Field(None, description="How warm it is at the end; without it: as now. [degC]")


class PlanWeights(Question):
    """What counts."""

    money: Number = Field(1.0, description="How much money counts. [-]")
    carbon: Number = Field(0.0, description="What a kg of CO2e less is worth. [currency/kg]", examples=[0.1])
    peak: Number = Field(0.0, description="What a kW less of the highest import is worth. [currency/kW]")


class PlanQuestion(Question):
    """What is to be planned; each series has one value for all steps, or one for each."""

    start: Instant = Field(description=f"Begin of the first step. {_LOCAL}", examples=["2026-11-22T18:00:00+01:00"])
    step_minutes: Number = Field(15, ge=1, le=1440, description="Length of a step. [min]")
    time_zone: str = Field("UTC", max_length=60, description="Clock of the home.", examples=["Europe/Berlin"])
    currency: str | None = Field(
        None,
        pattern="^[A-Z]{3}$",
        description="Of all prices, by ISO 4217: prices many times off what a kWh usually costs are asked about.",
        examples=["EUR"],
    )
    import_price: list[Number] = Field(
        min_length=1, max_length=MOST_STEPS, description="For each step. [currency/kWh]", examples=[[0.31, 0.24, 0.19]]
    )
    export_price: Series = Field(0.0, description="What is earned by export. [currency/kWh]")
    carbon: Series = Field(0.0, description="Carbon intensity of what is imported. [gCO2e/kWh]")
    load_kw: Series = Field(0.0, description="What is used whatever is planned. [kW]", examples=[0.4])
    solar_kw: Series = Field(0.0, description="What the sun gives. [kW]")
    is_solar_curtailable: Flag = Field(default=True, description="Whether the sun's power may be left unused.")
    appliances: list[PlanAppliance] = Field(default_factory=list, max_length=40, description="Runs to be planned.")
    batteries: list[PlanBattery] = Field(default_factory=list, max_length=5, description="Batteries.")
    cars: list[PlanCar] = Field(default_factory=list, max_length=10, description="Cars, one for each stay.")
    heats: list[PlanHeat] = Field(default_factory=list, max_length=5, description="Houses and tanks that keep heat.")
    import_limit_kw: Number | None = Field(None, description="The most that can be imported. [kW]")
    export_limit_kw: Number | None = Field(None, description="The most that may be exported. [kW]")
    peak_price: Number = Field(0.0, description="For each kW of import above the highest so far. [currency/kW]")
    peak_so_far_kw: Number = Field(0.0, description="The highest import of the month so far. [kW]")
    weights: PlanWeights | None = Field(None, description="What counts; without it: money alone.")
    with_choices: Flag = Field(
        default=False, description="Whether plans between the cheapest and the cleanest are told too."
    )

    def problem(self) -> PlanningProblem:
        """Return it as the planner takes it.

        Raises:
            InvalidInput: something cannot be, named with its cure.
        """
        if not is_time_zone(self.time_zone):
            raise no_time_zone(self.time_zone)
        zone = ZoneInfo(self.time_zone)
        start = at_home(self.start, zone)
        assert start is not None  # noqa: S101 - it was given
        return PlanningProblem(
            start=start,
            import_price=_series(self.import_price),
            step=timedelta(minutes=self.step_minutes),
            export_price=_series(self.export_price),
            carbon=_series(self.carbon),
            load_kw=_series(self.load_kw),
            solar_kw=_series(self.solar_kw),
            is_solar_curtailable=self.is_solar_curtailable,
            appliances=tuple(_appliance(each, zone) for each in self.appliances),
            batteries=tuple(assets.Battery(**each.model_dump()) for each in self.batteries),
            cars=tuple(_car(each, zone) for each in self.cars),
            heats=tuple(_heat(each) for each in self.heats),
            import_limit_kw=self.import_limit_kw,
            export_limit_kw=self.export_limit_kw,
            peak_price=self.peak_price,
            peak_so_far_kw=self.peak_so_far_kw,
            weights=Weights() if self.weights is None else Weights(**self.weights.model_dump()),
            time_zone=self.time_zone,
        )


class PlanSpan(Answer):
    """A stretch of time."""

    start: datetime = Field(description="When it begins. [UTC]")
    end: datetime = Field(description="When it ends. [UTC]")


class PlannedThing(Answer):
    """What is planned for one thing, and why."""

    name: str = Field(description="As in the question.", examples=["dishwasher"])
    kind: Literal["appliance", "battery", "car", "heat"] = Field(description="What it is.")
    reason: str = Field(description="Why so.", examples=["starts 02:15: cheapest 2 h before 07:00"])
    spans: list[PlanSpan] | None = Field(None, description="When an appliance runs; none: it does not. Else null.")
    power_kw: list[float] = Field(description="What it draws in each step. [kW]")
    gives_kw: list[float] | None = Field(None, description="What a battery gives in each step; else null. [kW]")
    stored_kwh: list[float] | None = Field(
        None, description="What a battery holds, or a car has got, at the end of each step; else null. [kWh]"
    )
    temperature_c: list[float] | None = Field(None, description="At the end of each step; else null. [degC]")


class PlanMiss(Answer):
    """A wish that is not quite met."""

    name: str = Field(description="Whose.")
    words: str = Field(description="How far it is missed.")
    penalty: float = Field(description="What that counts. [currency]")


class PlanChoice(Answer):
    """One of the plans between the cheapest and the cleanest."""

    words: str = Field(description="Beside the cheapest.", examples=["0.10 more for 0.80 kg less"])
    cost: float = Field(description="What is paid. [currency]")
    carbon_kg: float = Field(description="Of all that is imported. [kgCO2e]")
    more_money: float = Field(description="Than the cheapest, with wear and what misses count. [currency]")
    less_carbon_kg: float = Field(description="Than the cheapest. [kgCO2e]")


class PlanAnswer(Answer):
    """A plan; every list has one value for each step, powers are positive."""

    model_config = shown_as(
        {
            "status": "solved",
            "gap": 0.0,
            "cost": 0.38,
            "wear": 0.0,
            "carbon_kg": 0.9,
            "peak_kw": 1.6,
            "time": ["2026-11-22T17:00:00Z"],
            "import_kw": [1.6],
            "export_kw": [0.0],
            "load_kw": [0.4],
            "solar_kw": [0.0],
            "things": [
                {
                    "name": "dishwasher",
                    "kind": "appliance",
                    "reason": "starts 18:00: the only time in which it fits",
                    "spans": [{"start": "2026-11-22T17:00:00Z", "end": "2026-11-22T17:15:00Z"}],
                    "power_kw": [1.2],
                    "gives_kw": None,
                    "stored_kwh": None,
                    "temperature_c": None,
                }
            ],
            "misses": [],
            "choices": [],
            "remarks": [],
        }
    )

    status: Literal["solved", "best_so_far", "rules"] = Field(
        description="`solved`: no plan is better by more than `gap`; `best_so_far`: the time was over first; `rules`: "
        "by rules of thumb, as the solver found nothing in time."
    )
    gap: float | None = Field(
        description="By how much another plan could be better, as a share of the larger of what this plan and the best "
        "possible come to; 0: this is the best; null: not known. [-]"
    )
    cost: float = Field(description="What is paid for import and the peak, less what is earned. [currency]")
    wear: float = Field(description="What it costs batteries in life. [currency]")
    carbon_kg: float | None = Field(
        description="Of all that is imported; null: no carbon intensity was given. [kgCO2e]"
    )
    peak_kw: float = Field(description="The highest import, or that of the month so far. [kW]")
    time: list[datetime] = Field(description="Begin of each step. [UTC]")
    import_kw: list[float] = Field(description="What is bought. [kW]")
    export_kw: list[float] = Field(description="What is sold. [kW]")
    load_kw: list[float] = Field(description="What is used whatever is planned. [kW]")
    solar_kw: list[float] = Field(description="What is used or sold of the sun. [kW]")
    things: list[PlannedThing] = Field(description="What each thing does, and why.")
    misses: list[PlanMiss] = Field(description="Wishes that are not quite met.")
    choices: list[PlanChoice] = Field(description="Where asked for: from the cheapest plan to the cleanest.")
    remarks: list[str] = Field(description="What was asked for and is not there, or looks like a slip, for a person.")


def _appliance(asked: PlanAppliance, zone: ZoneInfo) -> assets.Appliance:
    if asked.profile_kw is not None and (asked.power_kw is not None or asked.minutes is not None):
        problem = "there is a power or a length as well"
        raise InvalidInput(f"appliances.{asked.name}.profile_kw", "given", problem, remedy="Give one or the other.")
    profile, step = asked.profile_kw, timedelta(minutes=asked.profile_minutes)
    if profile is None:
        if asked.power_kw is None or asked.minutes is None:
            field = "power_kw" if asked.power_kw is None else "minutes"
            cure = "Give power_kw and minutes, or profile_kw."
            raise InvalidInput(f"appliances.{asked.name}.{field}", None, "it is missing", remedy=cure)
        profile, step = [asked.power_kw], timedelta(minutes=asked.minutes)
    return assets.Appliance(
        name=asked.name,
        profile_kw=tuple(profile),
        profile_step=step,
        earliest=at_home(asked.earliest, zone),
        deadline=at_home(asked.deadline, zone),
        is_interruptible=asked.is_interruptible,
        repeats=asked.repeats,
        only_below=asked.only_below,
        begun_at=at_home(asked.begun_at, zone),
    )


def _car(asked: PlanCar, zone: ZoneInfo) -> assets.Car:
    times = {"arrival": at_home(asked.arrival, zone), "departure": at_home(asked.departure, zone)}
    return assets.Car(**{**asked.model_dump(), **times})


def _heat(asked: PlanHeat) -> assets.Heat:
    series = {name: _series(getattr(asked, name)) for name in ("around_c", "draw_kw", "efficiency")}
    return assets.Heat(**{**asked.model_dump(), **series})


def _series(values: float | list[float]) -> NDArray[np.float64]:
    return np.atleast_1d(np.array(values, dtype=np.float64))


def at_home(asked: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return an instant; one without a time zone is by the clock of the home."""
    if asked is None or asked.tzinfo is not None:
        return asked
    return asked.replace(tzinfo=zone)
