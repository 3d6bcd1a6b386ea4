"""The answers that dashboards of a household's appliances ask for: power in kW, energy in kWh."""

from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, Question, shown_as


class WhichHome(Question):
    """Which home; without a name the first of which anything is known, a simulated one only where there is no other."""

    home: str | None = Field(
        None, min_length=1, max_length=100, description="Id or name of the home.", examples=["flat"]
    )


class HourForecast(Answer):
    """The expected energy of a whole local hour."""

    hour: int = Field(description="Local clock at its begin. [0-23]", examples=[18])
    consumption: float | None = Field(description="Expected energy; null if there is none. [kWh]", examples=[1.2])


class ApplianceShare(Answer):
    """What part of the energy a device used."""

    appliance: str = Field(description="Name of the device; Other: what no device explains.", examples=["Hob"])
    percentage: float = Field(
        description="Of what the home used in the last 28 days; of what its devices used where its mains do not "
        "tell that: not measured, or energy is fed in. [%]",
        examples=[11.5],
    )


class ScheduledUse(Answer):
    """When a device whose use can wait is best used."""

    device: str = Field(description="Its name.", examples=["Washing machine"])
    optimal_time: str | None = Field(
        description="Local begin of its next run by the plan of the home. Without a plan: of the best hours of the "
        "next 24: the cheapest where prices are known ahead, else those of the least load; null where neither is.",
        examples=["2026-11-22T02:00+01:00"],
    )
    savings: float | None = Field(
        description="What that run is planned to cost less than begun as soon as it may; null without a plan. "
        "[currency]",
        examples=[None],
    )


class Dashboard(Answer):
    """A home at a glance."""

    current_consumption: float | None = Field(
        description="Power now, by the newest sample or reading; negative: fed in. [kW]", examples=[0.41]
    )
    forecast_24h: float | None = Field(
        description="Expected energy of the hours in `hourly_forecast`; null if any of it is missing. [kWh]",
        examples=[9.6],
    )
    energy_saved: float | None = Field(
        description="Null until savings are measured against a plan. [kWh]", examples=[None]
    )
    hourly_forecast: list[HourForecast] = Field(
        description="The next 24 whole local hours, from the one now running; empty where too little is known."
    )
    appliance_breakdown: list[ApplianceShare] = Field(description="Largest first; empty where nothing is known.")
    key_insights: list[str] = Field(
        description="What is worth knowing, in sentences with their figures; that data are simulated comes first.",
        examples=[["Standby: 112 W around the clock, 25 % of all energy."]],
    )
    optimization_schedule: list[ScheduledUse] = Field(description="The devices whose use can wait.")

    model_config = shown_as(
        {
            "current_consumption": 0.41,
            "forecast_24h": 9.6,
            "energy_saved": None,
            "hourly_forecast": [{"hour": 18, "consumption": 1.2}],
            "appliance_breakdown": [{"appliance": "Hob", "percentage": 11.5}],
            "key_insights": ["Standby: 112 W around the clock, 25 % of all energy."],
            "optimization_schedule": [
                {"device": "Washing machine", "optimal_time": "2026-11-22T02:00+01:00", "savings": None}
            ],
        }
    )


_STATUS = "on from 5 W, drawn or fed in; null where it was not heard lately."


class KnownDevice(Answer):
    """A device of a home."""

    device_id: str = Field(description="Its id.", examples=["home.flat.washing_machine"])
    device_type: str = Field(description="What it is.", examples=["washing_machine"])
    location: str | None = Field(description="The zone it stands in; null if none was said.", examples=["Kitchen"])
    status: Literal["on", "off"] | None = Field(description=_STATUS, examples=["off"])


class KnownDevices(Answer):
    """The devices of a home."""

    devices: list[KnownDevice] = Field(description="Sorted by id.")

    model_config = shown_as(
        {
            "devices": [
                {
                    "device_id": "home.flat.washing_machine",
                    "device_type": "washing_machine",
                    "location": "Kitchen",
                    "status": "off",
                }
            ]
        }
    )


class Appliance(Answer):
    """A device of a home and what it uses."""

    device_id: str = Field(description="Its id.", examples=["home.flat.washing_machine"])
    name: str = Field(description="What it is called.", examples=["Washing machine"])
    location: str | None = Field(description="The zone it stands in; null if none was said.", examples=["Kitchen"])
    current_consumption: float | None = Field(description="Power now; null if it is not known. [kW]", examples=[0.0])
    avg_consumption: float | None = Field(
        description="Mean power of the last 28 days, of what is known of them: by its readings, else by its uses. [kW]",
        examples=[0.03],
    )
    status: Literal["on", "off"] | None = Field(description=_STATUS, examples=["off"])
    flexibility: str = Field(
        description="What may be done with the time of its use: fixed, shiftable, interruptible or adjustable.",
        examples=["shiftable"],
    )


class Appliances(Answer):
    """The devices of a home and what they use."""

    devices: list[Appliance] = Field(description="Sorted by id.")

    model_config = shown_as(
        {
            "devices": [
                {
                    "device_id": "home.flat.washing_machine",
                    "name": "Washing machine",
                    "location": "Kitchen",
                    "current_consumption": 0.0,
                    "avg_consumption": 0.03,
                    "status": "off",
                    "flexibility": "shiftable",
                }
            ]
        }
    )


class DevicePage(Answer):
    """What is worth knowing of a device."""

    device_id: str = Field(description="Its id.", examples=["home.flat.television"])
    consumption_trend: Literal["rising", "falling", "steady"] | None = Field(
        description="Its daily energy of the last 14 days beside that of the 14 before; a change is told where a rank "
        "test finds it (5 %) and the means differ by a tenth; null where fewer than 7 days of either are known.",
        examples=["steady"],
    )
    efficiency_score: float | None = Field(
        description="Share of its energy of the last 28 days that it used above its standby power; null where that is "
        "not known, and for what runs day and night. [%]",
        examples=[87.0],
    )
    recommendations: list[str] = Field(
        description="What could be done, each from an insight with its figures; none where nothing is known.",
        examples=[["Television draws 9 W while idle, 79 kWh a year: switch it off when nobody needs it."]],
    )

    model_config = shown_as(
        {
            "device_id": "home.flat.television",
            "consumption_trend": "steady",
            "efficiency_score": 87.0,
            "recommendations": ["Television draws 9 W while idle, 79 kWh a year: switch it off when nobody needs it."],
        }
    )


class DayForecast(Answer):
    """The expected energy of a local day."""

    date: str = Field(description="Local day.", examples=["2026-11-22"])
    predicted_consumption: float | None = Field(
        description="Sum of its hours; null if any is missing. [kWh]", examples=[9.6]
    )
    confidence: float | None = Field(
        description="Measured share of readings that lay in the 90 % interval of forecasts made as many local days "
        "ahead: of tomorrow those kept of the last 30 days, else past days forecast again from what was known then. "
        "Null where fewer than 168 intervals can be compared, which the header `Watthour-Confidence` says. [0-1]",
        examples=[0.91],
    )


class PeakPeriod(Answer):
    """The highest hour of a day."""

    day: str = Field(description="Local day.", examples=["2026-11-22"])
    time: str = Field(description="Local clock at its begin.", examples=["18:00"])
    predicted_usage: float = Field(description="Expected energy of the hour. [kWh]", examples=[1.2])


class HourOfDay(HourForecast):
    """The expected energy of a whole local hour of a day."""

    day: str = Field(description="Local day.", examples=["2026-11-22"])


class WeekForecast(Answer):
    """The next seven local days of a home."""

    forecast_7_days: list[DayForecast] = Field(
        description="From tomorrow on; where nothing was heard for two weeks, the first whole days after that."
    )
    peak_periods: list[PeakPeriod] = Field(description="The highest hour of each of these days.")
    peak_value: float | None = Field(description="The highest of them. [kWh]", examples=[1.4])
    hourly_forecast: list[HourOfDay] = Field(description="Every hour of these days.")

    model_config = shown_as(
        {
            "forecast_7_days": [{"date": "2026-11-22", "predicted_consumption": 9.6, "confidence": 0.91}],
            "peak_periods": [{"day": "2026-11-22", "time": "18:00", "predicted_usage": 1.2}],
            "peak_value": 1.4,
            "hourly_forecast": [{"day": "2026-11-22", "hour": 18, "consumption": 1.2}],
        }
    )
