"""What planned runs have saved: each run, or sums of days and months, beside what they are compared with."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.readings import InstantOrDay

By = Literal["run", "day", "month"]
_MONEY = "[`currency`]"
_IN_SUMS = "In sums: of the runs that `n_priced` counts."

_ROW: dict[str, JsonValue] = {
    "kind": "appliance",
    "name": "dishwasher",
    "device": "home.flat.dishwasher",
    "day": "2026-11-20",
    "n_runs": 1,
    "n_planned": 1,
    "planned_start": "2026-11-20T01:15:00Z",
    "start": "2026-11-20T01:15:00Z",
    "end": "2026-11-20T03:15:00Z",
    "energy_kwh": 1.2,
    "cost": 0.228,
    "carbon_kg": 0.408,
    "at_once": {"start": "2026-11-19T20:00:00Z", "cost": 0.384, "carbon_kg": 0.468},
    "usual": {"start": "2026-11-19T19:00:00Z", "cost": 0.42, "carbon_kg": 0.48},
    "saved_money": 0.156,
    "saved_carbon_kg": 0.06,
    "saved_usual_money": 0.192,
    "saved_usual_carbon_kg": 0.072,
    "shifted_kwh": 1.2,
    "regret_money": 0.012,
    "regret_carbon_kg": 0.03,
    "captured": 0.929,
    "is_estimated": False,
    "n_priced": 1,
    "n_with_carbon": 1,
    "n_with_usual": 1,
    "remark": None,
}
_TOTAL: dict[str, JsonValue] = {
    **_ROW,
    "kind": "all",
    "name": None,
    "device": None,
    "day": "2026-11-01",
    "planned_start": None,
    "start": "2026-10-31T23:00:00Z",
    "end": "2026-11-20T09:00:00Z",
    "at_once": {"start": None, "cost": 0.384, "carbon_kg": 0.468},
    "usual": {"start": None, "cost": 0.42, "carbon_kg": 0.48},
}


class SavingsQuestion(Question):
    """Which time, and what a row is."""

    start: InstantOrDay | None = Field(
        default=None,
        description="First local day, or an instant: runs that began from then on; default: the first of the month.",
        examples=["2026-11-01"],
    )
    end: InstantOrDay | None = Field(
        default=None, description="Last local day, included, or an instant; default: now.", examples=["2026-11-19"]
    )
    by: By = Field(default="run", description="A row for each run, local day or local month.")


class ComparedWith(Answer):
    """The same energy at another time."""

    start: datetime | None = Field(description="When it would have begun, UTC; null: in sums, and of a battery.")
    cost: float | None = Field(description=f"What it would have cost; null: not known. {_MONEY}", examples=[0.384])
    carbon_kg: float | None = Field(description="Its carbon; null: not known. [kgCO2e]", examples=[0.468])


class SavingsRow(Answer):
    """A run that was done, or the sum of those of a day or a month. What is not known is null, never zero."""

    model_config = shown_as(_ROW) | Answer.model_config
    kind: Literal["appliance", "car", "battery", "all"] = Field(
        description="What ran: a run of an appliance, a stay of a car, a day of a battery; `all`: a sum."
    )
    name: str | None = Field(description="Of the thing, as in the equipment; null: a sum.", examples=["dishwasher"])
    device: str | None = Field(description="Id of the device whose readings or uses tell of it; null: a sum.")
    day: date = Field(description="Local day on which it began; of a month its first.", examples=["2026-11-20"])
    n_runs: int = Field(description="Runs of this row. [count]", examples=[1])
    n_planned: int = Field(
        description="Of them those that a plan held, and days of a battery on which there was one. The others are "
        "compared with themselves, and save nothing. [count]",
        examples=[1],
    )
    planned_start: datetime | None = Field(
        description="When the plan in force let it begin, UTC; null: no plan held it, or a sum."
    )
    start: datetime = Field(description="When it began, UTC; in sums where the day or month begins.")
    end: datetime = Field(description="When it had ended, UTC; in sums where the day or month ends.")
    energy_kwh: float | None = Field(description="What it used; of a battery what was charged. [kWh]", examples=[1.2])
    cost: float | None = Field(description=f"What it added to the bill. {_IN_SUMS} {_MONEY}", examples=[0.228])
    carbon_kg: float | None = Field(
        description="What it added to the carbon of the import. In sums: of the runs that `n_with_carbon` counts. "
        "[kgCO2e]",
        examples=[0.408],
    )
    at_once: ComparedWith = Field(
        description=f"Begun as soon as it could, at full power; a battery at rest. {_IN_SUMS}"
    )
    usual: ComparedWith | None = Field(
        description="Begun when the device usually was before there were plans; null: its habit is not known. In sums: "
        "of the runs that `n_with_usual` counts."
    )
    saved_money: float | None = Field(
        description=f"Cost at once less its cost; negative: it cost more. {_MONEY}", examples=[0.156]
    )
    saved_carbon_kg: float | None = Field(description="Likewise, of carbon. [kgCO2e]", examples=[0.06])
    saved_usual_money: float | None = Field(
        description=f"Cost by habit less its cost, of the runs whose habit is known. {_MONEY}", examples=[0.192]
    )
    saved_usual_carbon_kg: float | None = Field(description="Likewise, of carbon. [kgCO2e]", examples=[0.072])
    shifted_kwh: float | None = Field(
        description="Energy that was used at another time than at once; of a battery what it gave. No energy is saved "
        "by that. [kWh]",
        examples=[1.2],
    )
    regret_money: float | None = Field(
        description="Its cost less that at the best time within its earliest and deadline, as is known today; null: "
        f"not known, no such bounds, or a battery. {_MONEY}",
        examples=[0.012],
    )
    regret_carbon_kg: float | None = Field(description="Likewise, of carbon. [kgCO2e]", examples=[0.03])
    captured: float | None = Field(
        description="Which share was saved of the most money that could have been, of the runs whose regret is known: "
        "1 is the best there was, below 0 it cost more than at once; null: nothing could be saved. [-]",
        examples=[0.929],
    )
    is_estimated: bool = Field(description="Its energy, or when within the run it was used, is an estimate.")
    n_priced: int = Field(description="Runs whose cost and whose cost at once are known. [count]", examples=[1])
    n_with_carbon: int = Field(description="Likewise, of carbon. [count]", examples=[1])
    n_with_usual: int = Field(description="Runs whose cost by habit is known too. [count]", examples=[1])
    remark: str | None = Field(description="What is not known of it and why, for a person.")


class HomeSavings(Answer):
    """What the runs of a home that were done have cost, and would have cost at other times."""

    model_config = (
        shown_as(
            {
                "home": "flat",
                "is_simulated": False,
                "time_zone": "Europe/Berlin",
                "currency": "EUR",
                "carbon": "average of consumption, life-cycle emissions",
                "by": "run",
                "start": "2026-10-31T23:00:00Z",
                "end": "2026-11-20T09:00:00Z",
                "rows": [_ROW],
                "total": _TOTAL,
                "remarks": [],
            }
        )
        | Answer.model_config
    )
    home: str = Field(description="Id of the home.", examples=["flat"])
    is_simulated: bool = Field(description="Whether the home is invented.")
    time_zone: str = Field(description="Of the home, whose days and months they are.", examples=["Europe/Berlin"])
    currency: str = Field(description="ISO 4217.", examples=["EUR"])
    carbon: str | None = Field(description="What kind the carbon figures are; null: nobody tells any.")
    by: By = Field(description="What a row is.")
    start: datetime = Field(description="UTC.")
    end: datetime = Field(description="UTC.")
    rows: list[SavingsRow] = Field(description="Oldest first; days and months without a run are left out.")
    total: SavingsRow = Field(description="The sum of all runs.")
    remarks: list[str] = Field(description="What is not known, or not counted, for a person.")
