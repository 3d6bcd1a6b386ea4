"""What a home has that can be shifted, with times that recur; also what a file for `watthour home equip` holds."""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.plan import MOST_STEPS, Count, Flag, Name, Number, PlanWeights

Clock = Annotated[
    str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="By the clock of the home.", examples=["21:00"])
]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Weekdays = Annotated[list[Weekday], Field(min_length=1, max_length=7)]
_DEVICE = "Id, last word of the id, or name of the device whose readings or uses tell when it runs; null: none does."
_METER = "Id, last word of the id, or name of the device that is it: its use is taken out of the load; null: none is."
_DAYS = "On which days; null: on all."

_EQUIPMENT: dict[str, JsonValue] = {
    "appliances": [
        {
            "name": "dishwasher",
            "device": "dishwasher",
            "power_kw": 1.2,
            "minutes": 105,
            "earliest": "21:00",
            "deadline": "07:00",
        },
        {"name": "washing machine", "profile_kw": [2.0, 0.6, 0.4, 0.3], "profile_minutes": 30, "on_request": True},
    ],
    "batteries": [{"name": "battery", "capacity_kwh": 10, "max_charge_kw": 5, "max_discharge_kw": 5}],
    "cars": [
        {
            "name": "car",
            "energy_kwh": 12,
            "max_charge_kw": 11,
            "min_charge_kw": 1.4,
            "arrival": "18:00",
            "departure": "07:00",
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        }
    ],
    "weights": {"money": 1.0, "carbon": 0.1, "peak": 0.0},
}


class HomeAppliance(Question):
    """An appliance whose runs can be shifted."""

    name: Name = Field(description="How the plan calls it.", examples=["dishwasher"])
    device: str | None = Field(None, max_length=200, description=_DEVICE, examples=["dishwasher"])
    power_kw: Number | None = Field(
        None, description="Its power, where that is the same throughout. [kW]", examples=[1.2]
    )
    minutes: Number | None = Field(None, gt=0, le=1440, description="How long a run takes. [min]", examples=[105])
    profile_kw: list[Number] | None = Field(
        None, max_length=MOST_STEPS, description="Instead of both: its power over a run. [kW]", examples=[None]
    )
    profile_minutes: Number = Field(15, ge=1, le=1440, description="How long each of these values holds. [min]")
    earliest: Clock | None = Field(
        None, description="When a run may begin; null: from one deadline to the next. [local time]", examples=["21:00"]
    )
    deadline: Clock | None = Field(
        None,
        description="When it must have ended: the next such time after `earliest`; null: a day after it. Without both "
        "it is any time of the day. [local time]",
        examples=["07:00"],
    )
    weekdays: Weekdays | None = Field(None, description=f"{_DAYS} The day is that of `earliest`.", examples=[None])
    runs: Count = Field(1, ge=1, le=10, description="How many runs on such a day. [count]")
    on_request: Flag = Field(
        default=False, description="It runs only where that is asked for, by naming it among the changes of a plan."
    )
    is_interruptible: Flag = Field(default=False, description="Whether it may pause between steps.")
    only_below: Number | None = Field(
        None, description="It runs only where its electricity is worth less than this. [currency/kWh]"
    )


class HomeCar(Question):
    """A car that is charged at home, with the stays that recur."""

    name: Name = Field("car", description="How the plan calls it.")
    device: str | None = Field(None, max_length=200, description=_DEVICE, examples=["wallbox"])
    energy_kwh: Number = Field(description="What must reach its battery in each stay. [kWh]", examples=[12])
    max_charge_kw: Number = Field(description="The most it takes. [kW]", examples=[11])
    min_charge_kw: Number = Field(0.0, description="The least it takes when it charges. [kW]", examples=[1.4])
    efficiency: Number = Field(0.9, description="Share that reaches its battery. [-]")
    arrival: Clock = Field(description="When a stay begins. [local time]", examples=["18:00"])
    departure: Clock = Field(
        description="When it ends: the next such time after `arrival`. [local time]", examples=["07:00"]
    )
    weekdays: Weekdays | None = Field(None, description=f"{_DAYS} The day is that of `arrival`.", examples=[None])


class HomeBattery(Question):
    """A battery of the home."""

    name: Name = Field("battery", description="How the plan calls it.")
    device: str | None = Field(None, max_length=200, description=_METER, examples=[None])
    channel: str | None = Field(
        None,
        max_length=200,
        description="Id of the channel that tells how full it is, in percent; null: that is assumed, and said.",
        examples=["home.flat.battery.state_of_charge"],
    )
    capacity_kwh: Number = Field(description="What it can hold. [kWh]", examples=[10])
    stored_kwh: Number | None = Field(
        None, description="What it holds where nothing tells it; null: half of what it can. [kWh]", examples=[None]
    )
    max_charge_kw: Number = Field(description="What it can take. [kW]", examples=[5])
    max_discharge_kw: Number = Field(description="What it can give. [kW]", examples=[5])
    charge_efficiency: Number = Field(0.95, description="Share that is stored of what it takes. [-]")
    discharge_efficiency: Number = Field(0.95, description="Share that it gives of what was stored. [-]")
    wear_price: Number = Field(0.0, description="What a kWh that it gives costs in life. [currency/kWh]")
    reserve_kwh: Number = Field(0.0, description="Below this it goes only if nothing else is possible. [kWh]")


class HomeHeat(Question):
    """A tank or a house that keeps heat."""

    name: Name = Field("house", description="How the plan calls it.")
    device: str | None = Field(None, max_length=200, description=_METER, examples=[None])
    channel: str | None = Field(
        None,
        max_length=200,
        description="Id of the channel that tells how warm it is; null: `temperature_c` is taken, and that is said.",
        examples=[None],
    )
    capacity_kwh_per_k: Number = Field(description="Heat that warms it by a kelvin. [kWh/K]", examples=[5])
    loss_kw_per_k: Number = Field(
        description="What it loses for each kelvin above what is around it. [kW/K]", examples=[0.15]
    )
    max_power_kw: Number = Field(description="The most its heater draws. [kW]", examples=[3])
    min_power_kw: Number = Field(0.0, description="The least it draws when it is on. [kW]")
    temperature_c: Number = Field(description="How warm it is where nothing tells it. [degC]", examples=[20.5])
    lowest_c: Number = Field(description="How cold it may become. [degC]", examples=[20])
    highest_c: Number = Field(description="How warm it may become. [degC]", examples=[22])
    around_c: Number = Field(20.0, description="Temperature around it. [degC]", examples=[5])
    draw_kw: Number = Field(0.0, description="Heat that is taken out, such as hot water; negative: gains. [kW]")
    efficiency: Number = Field(1.0, description="Heat for each kWh drawn; of a heat pump about 3. [-]")
    discomfort_price: Number = Field(1.0, description="What a kelvin outside costs in every hour. [currency/K/h]")


class HomeSolar(Question):
    """What the sun gives."""

    channel: str = Field(
        max_length=200,
        description="Id of the channel whose forecast is taken.",
        examples=["home.flat.solar.power"],
    )


class HomeEquipment(Question):
    """What a home has that can be shifted, and what counts."""

    model_config = shown_as(_EQUIPMENT) | Question.model_config

    appliances: list[HomeAppliance] = Field(default_factory=list, max_length=40, description="Things that run.")
    batteries: list[HomeBattery] = Field(default_factory=list, max_length=5, description="Batteries.")
    cars: list[HomeCar] = Field(default_factory=list, max_length=10, description="Cars.")
    heats: list[HomeHeat] = Field(default_factory=list, max_length=5, description="Houses and tanks that keep heat.")
    solar: HomeSolar | None = Field(None, description="What the sun gives; null: nothing, or what the load shows.")
    import_limit_kw: Number | None = Field(None, description="The most that can be imported. [kW]", examples=[11])
    weights: PlanWeights | None = Field(None, description="What counts; null: money alone.")
    hours: Count = Field(36, ge=24, le=48, description="How far ahead is planned. [h]")
    gain: Number = Field(
        0.05,
        ge=0,
        description="A new plan replaces the one in force only if it is better by more than this. [currency]",
    )

    def said(self) -> dict[str, Any]:
        """Return it as it is kept: what was left out stays out."""
        return self.model_dump(mode="json", exclude_unset=True)


class EquipmentAnswer(Answer):
    """The equipment of a home, as it was said."""

    model_config = shown_as({"home": "flat", "equipment": _EQUIPMENT}) | Answer.model_config

    home: str = Field(description="Id of the home.", examples=["flat"])
    equipment: HomeEquipment = Field(description="As `PUT` takes it.")


class RemovedEquipment(Answer):
    """That a home has no equipment any more."""

    model_config = shown_as({"home": "flat", "was_there": True}) | Answer.model_config

    home: str = Field(description="Id of the home.", examples=["flat"])
    was_there: bool = Field(description="Whether it had some.")
