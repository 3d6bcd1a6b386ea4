"""Which appliances of a home run, told from its mains alone."""

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.readings import InstantOrDay


class AppliancesQuestion(Question):
    """Which time, and whether each step is told."""

    start: InstantOrDay | None = Field(
        default=None,
        description="First local day, or an instant; default: a day before `end`.",
        examples=["2026-11-20"],
    )
    end: InstantOrDay | None = Field(
        default=None,
        description="Last local day, included, or an instant; default: now. At most 31 days after `start`.",
        examples=["2026-11-20"],
    )
    with_powers: bool = Field(default=False, description="Whether `powers` tells the power of each step.")


class ToldRun(Answer):
    """A run of an appliance."""

    start: str = Field(description="When it began, UTC.", examples=["2026-11-20T18:04:00Z"])
    end: str = Field(description="When it ended, UTC; of one that is still on, the end of what is told.")
    energy_kwh: float = Field(description="What it used. [kWh]", examples=[0.11])


class ToldAppliance(Answer):
    """What is told of one appliance; all of it is estimated."""

    name: str = Field(description="What it is.", examples=["kettle"])
    power_watts: float | None = Field(description="Power in the last step that is told. [W]", examples=[0.0])
    probability: float | None = Field(description="Chance that it draws power in that step. [-]", examples=[0.02])
    is_on: bool | None = Field(description="Whether it is on in that step, by the rule of its kind.")
    energy_kwh: float = Field(description="Energy in the steps that are told. [kWh]", examples=[0.44])
    share_percent: float | None = Field(description="Of the mains in these steps. [%]", examples=[4.1])
    hours_on: float = Field(description="How long it was on. [h]", examples=[0.2])
    runs: list[ToldRun] = Field(description="Its runs, the first one first.")


class ToldOther(Answer):
    """What no appliance accounts for."""

    power_watts: float | None = Field(description="Power in the last step that is told. [W]", examples=[143.0])
    energy_kwh: float = Field(description="Energy in the steps that are told. [kWh]", examples=[6.3])
    share_percent: float | None = Field(description="Of the mains in these steps. [%]", examples=[58.7])


class ToldPowers(Answer):
    """The power of each step that is told."""

    time: list[str] = Field(description="Begin of each step, UTC.")
    mains: list[float] = Field(description="Power of the whole home, without what panels feed in. [W]")
    other: list[float] = Field(description="What no appliance accounts for. [W]")
    appliances: dict[str, list[float]] = Field(description="By name. [W]")


class AppliancesAnswer(Answer):
    """What the mains of a home are made of."""

    model_config = shown_as(
        {
            "home": "flat",
            "is_simulated": False,
            "start": "2026-11-19T23:00:00Z",
            "end": "2026-11-20T23:00:00Z",
            "step_seconds": 60,
            "told_percent": 98.6,
            "told_until": "2026-11-20T23:00:00Z",
            "appliances": [
                {
                    "name": "kettle",
                    "power_watts": 0.0,
                    "probability": 0.02,
                    "is_on": False,
                    "energy_kwh": 0.11,
                    "share_percent": 1.1,
                    "hours_on": 0.05,
                    "runs": [
                        {"start": "2026-11-20T18:04:00Z", "end": "2026-11-20T18:07:00Z", "energy_kwh": 0.11},
                    ],
                }
            ],
            "other": {"power_watts": 143.0, "energy_kwh": 9.9, "share_percent": 98.9},
            "powers": None,
            "trained_on": ["refit-2: REFIT, CC BY 4.0, doi:10.1038/sdata.2016.122"],
            "remarks": [],
        }
    )

    home: str = Field(description="Id of the home.", examples=["flat"])
    is_simulated: bool = Field(description="Whether its data are invented.")
    start: str = Field(description="Begin of what is told of, UTC.", examples=["2026-11-19T23:00:00Z"])
    end: str = Field(description="End of it, UTC.", examples=["2026-11-20T23:00:00Z"])
    step_seconds: int = Field(description="Length of a step. [s]", examples=[60])
    told_percent: float | None = Field(
        description="Share of the time with an answer; a gap of the meter has none. [%]",
        examples=[98.6],
    )
    told_until: str | None = Field(description="End of the last step that has an answer, UTC; null: none has.")
    appliances: list[ToldAppliance] = Field(description="Those that the network tells.")
    other: ToldOther = Field(description="What is left of the mains.")
    powers: ToldPowers | None = Field(description="Each step, where that is asked for.")
    trained_on: list[str] = Field(description="Houses and collections from which the network learned, with licences.")
    remarks: list[str] = Field(description="What of the meter was left out, for a person.")
