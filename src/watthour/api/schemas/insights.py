"""What is worth knowing about a home, or a device in it."""

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as

_LOW, _HIGH = "Lower end of its 95 % interval.", "Upper end of its 95 % interval."
_EXAMPLE_START, _EXAMPLE_END = "2026-10-23T00:00:00Z", "2026-11-20T00:00:00Z"


class InsightsQuestion(Question):
    """Which days, and how easily something is called odd."""

    days: int = Field(28, ge=1, le=366, description="Days before the last reading that are told of. [count]")
    false_alarms_per_week: float = Field(
        0.5, gt=0, le=24, description="Anomalies a week that may be told where nothing is odd. [count]"
    )


class AnomalyEntry(Answer):
    """Hours in a row that used more, or less, than expected."""

    start: str = Field(description="When they began, UTC.")
    end: str = Field(description="When they ended, UTC.")
    measured_w: float = Field(description="Mean power. [W]")
    expected_w: float = Field(description="Median of these local hours on such days of the weeks before. [W]")
    usual_low_w: float = Field(description="One in ten of those hours, and of those beside them, was below. [W]")
    usual_high_w: float = Field(description="One in ten was above. [W]")
    extra_kwh: float = Field(description="Measured less expected; negative: less was used. [kWh]")
    once_in_weeks: float = Field(description="How seldom hours as usual go this far; 1000: or more seldom. [weeks]")


class ShiftEntry(Answer):
    """A day from which on the load is another at all hours."""

    day: str = Field(description="First local day of the new level.")
    change_w: float = Field(description="The new level less that before. [W]")
    low_w: float = Field(description=f"{_LOW} [W]")
    high_w: float = Field(description=f"{_HIGH} [W]")
    standard_errors: float = Field(description="The change in its standard errors; from 6 on it is told. [count]")
    n_days_after: int = Field(description="Days that it is known to last. [count]")


class OddRunEntry(Answer):
    """A run, a day of runs or a pause between two that is unlike those of the weeks before."""

    kind: str = Field(
        description="What is odd: `energy` or `duration` of a run, the `clock` at which it began, the `count` of the "
        "runs of a day, or a `pause` without any."
    )
    start: str = Field(description="When the run, the runs of the day or the pause began, UTC.")
    end: str = Field(description="When they ended, UTC; where `is_over` is false, the end of the last reading.")
    is_over: bool = Field(description="Whether it had ended when the last reading came.")
    energy_kwh: float | None = Field(description="Energy of the runs; null: not known, or a pause. [kWh]")
    measured: float = Field(
        description="What was seen: energy, duration, local hour, runs of the day, or days of the pause. "
        "[kWh, h, o'clock, count or days, by `kind`]"
    )
    usual: float = Field(
        description="Median of the weeks before; of `clock` the hour at which most runs begin. [as `measured`]"
    )
    usual_high: float | None = Field(
        description="One in ten of the weeks before was above; null for `clock`. [as `measured`]"
    )
    once_in_weeks: float = Field(description="How seldom it is as usual; 1000: or more seldom. [weeks]")


class OdditiesEntry(Answer):
    """What was odd."""

    anomalies: list[AnomalyEntry] = Field(description="Hours that were unlike the weeks before, oldest first.")
    runs: list[OddRunEntry] = Field(
        description="Of a device that runs for a quarter of its time at most: what was unlike its runs of the weeks "
        "before, oldest first. Its hours are not judged, so that `anomalies` is empty."
    )
    n_runs: int | None = Field(description="Runs that were judged; null: hours were. [count]")
    shifts: list[ShiftEntry] = Field(description="Lasting changes of the level, oldest first.")
    false_alarms_per_week: float = Field(description="That the threshold was set for. [count]")
    first_day: str = Field(description="First local day that was judged.")
    last_day: str = Field(description="Last one.")
    n_hours: int = Field(description="Hours that were judged. [count]")
    n_charging_hours: int = Field(
        description="Hours beside them in which a car without a meter of its own seemed to charge: of what else was "
        "on only what goes beyond the charger's power is judged. [count]"
    )
    n_past_days: int = Field(description="Known days before the first of them. [count]")


class StandbyEntry(Answer):
    """The least that is drawn around the clock."""

    power_w: float = Field(description="Median over the nights of the lowest tenth from 01:00 to 05:00, local. [W]")
    low_w: float = Field(description=f"{_LOW} [W]")
    high_w: float = Field(description=f"{_HIGH} [W]")
    share: float | None = Field(
        description="Part of all energy of these days; null: some was fed in, or none used. [-]"
    )
    kwh_per_year: float = Field(description="The same power for a year. [kWh]")
    n_nights: int = Field(description="Nights that were known. [count]")
    first_day: str = Field(description="Local day of the first of them.")
    last_day: str = Field(description="Local day of the last.")
    holds_cycling: bool = Field(
        description="Whether the intervals are so long that a fridge or the like is in it with its mean."
    )


class ConsumerEntry(Answer):
    """What a device, or a circuit, used."""

    id: str = Field(description="Id of the device.")
    name: str = Field(description="What people call it.")
    energy_kwh: float = Field(description="What it used. [kWh]")
    share: float | None = Field(description="Part of the home's energy; null: the home is not measured. [-]")
    basis: str = Field(description="`readings` or `uses`.")
    known_share: float | None = Field(
        description="Part of the home's known hours in which the device is known; null for uses. [-]"
    )


class SpanEntry(Answer):
    """A span of time."""

    start: str = Field(description="Its start, UTC.")
    end: str = Field(description="Its end, UTC, not included.")


class ConsumersEntry(Answer):
    """What used the energy."""

    window: SpanEntry = Field(description="The days.")
    total_kwh: float | None = Field(description="Energy of the home in its known hours; null: not measured. [kWh]")
    known_hours: float = Field(description="Hours in which the home is known. [h]")
    devices: list[ConsumerEntry] = Field(description="Largest first.")
    circuits: list[ConsumerEntry] = Field(description="Largest first; devices hang on them, so they are not added.")
    other_kwh: float | None = Field(description="What no device explains, gaps of devices included. [kWh]")
    other_problem: str | None = Field(description="Why that cannot be told.")


class OnThenEntry(Answer):
    """A device that ran during a peak."""

    id: str = Field(description="Id of the device.")
    name: str = Field(description="What people call it.")
    power_w: float | None = Field(description="Mean during the peak; null: of its use no energy is known. [W]")
    basis: str = Field(description="`readings` or `uses`.")


class PeakEntry(Answer):
    """The highest interval of a day."""

    start: str = Field(description="Its start, UTC.")
    end: str = Field(description="Its end, UTC.")
    power_w: float = Field(description="Mean power. [W]")
    on: list[OnThenEntry] = Field(description="Devices that ran then, largest first.")
    explained_share: float | None = Field(description="Part of the power that these devices drew. [-]")


class AgainstPastEntry(Answer):
    """The energy of the last days beside that of the home's own past at such temperatures."""

    kwh_per_day: float = Field(description="Measured. [kWh]")
    expected_kwh_per_day: float = Field(description="By the past at the same temperatures. [kWh]")
    change_percent: float = Field(description="Measured over expected; negative: less was used. [%]")
    low_percent: float = Field(description=f"{_LOW} [%]")
    high_percent: float = Field(description=f"{_HIGH} [%]")
    n_days: int = Field(description="Days that are compared. [count]")
    n_past_days: int = Field(description="Days of the past. [count]")


class EfficiencyEntry(Answer):
    """Figures that need nothing but the home's own load."""

    kwh_per_day: float = Field(description="Mean of the last whole days, 28 at most. [kWh]")
    load_factor: float | None = Field(description="Mean over highest power of these days. [-]")
    base_load_share: float | None = Field(description="Standby, as a part of all energy. [-]")
    against_past: AgainstPastEntry | None = Field(description="Beside the past at the same temperatures.")
    against_past_problem: str | None = Field(description="Why that cannot be told.")
    n_days: int = Field(description="Whole days that were known. [count]")


class HabitChangeEntry(Answer):
    """A part of the day in which more, or less, is used than before."""

    first_hour: int = Field(description="Where it begins, local clock. [h]")
    end_hour: int = Field(description="Where it ends, local clock; 1 or 2: on the day after. [h]")
    days: str = Field(description="`working days`, `days off` or `all days`.")
    before_kwh: float = Field(description="Median per day of the weeks before. [kWh]")
    after_kwh: float = Field(description="Median per day now. [kWh]")
    after_low_kwh: float = Field(description=f"{_LOW} [kWh]")
    after_high_kwh: float = Field(description=f"{_HIGH} [kWh]")
    chance: float = Field(description="Of so clear a difference in any part of the day without a change. [-]")
    n_days: int = Field(description="Days of this kind now. [count]")
    n_past_days: int = Field(description="Days of this kind before. [count]")


class HabitsEntry(Answer):
    """What changed between the last 21 days and the 56 before."""

    changes: list[HabitChangeEntry] = Field(description="Surest first.")
    since: str = Field(description="First local day of the last ones.")
    until: str = Field(description="Last local day.")
    past_since: str = Field(description="First local day that they are compared with.")


class ImpactEntry(Answer):
    """The step of the mains when a device is switched."""

    step_w: float = Field(description="Median over the switches. [W]")
    low_w: float = Field(description=f"{_LOW} [W]")
    high_w: float = Field(description=f"{_HIGH} [W]")
    is_sure: bool = Field(description="Whether the interval leaves out zero.")
    n_on: int = Field(description="Times it was switched on that were measured. [count]")
    n_off: int = Field(description="Times it was switched off that were measured. [count]")
    sample_seconds: float = Field(description="Usual time between samples of the mains. [s]")


class UsesEntry(Answer):
    """How often a device was used."""

    n_uses: int = Field(description="Uses that began in the days. [count]")
    energy_kwh: float | None = Field(description="Of these uses; null: of one of them it is not known. [kWh]")
    n_before: int = Field(description="Uses in as many days before. [count]")


class UnknownInsight(Answer):
    """Why an insight is null."""

    insight: str = Field(description="Its field.")
    problem: str = Field(description="Why it cannot be told.")
    remedy: str = Field(description="What would make it possible.")


_STANDBY: dict[str, JsonValue] = {
    "power_w": 118.0,
    "low_w": 112.0,
    "high_w": 124.0,
    "share": 0.31,
    "kwh_per_year": 1034.4,
    "n_nights": 28,
    "first_day": "2026-10-23",
    "last_day": "2026-11-19",
    "holds_cycling": True,
}
_ODDITIES: dict[str, JsonValue] = {
    "anomalies": [
        {
            "start": "2026-11-03T02:00:00Z",
            "end": "2026-11-03T05:00:00Z",
            "measured_w": 2120.0,
            "expected_w": 118.0,
            "usual_low_w": 101.0,
            "usual_high_w": 139.0,
            "extra_kwh": 6.006,
            "once_in_weeks": 61.0,
        }
    ],
    "runs": [],
    "n_runs": None,
    "shifts": [],
    "false_alarms_per_week": 0.5,
    "first_day": "2026-10-23",
    "last_day": "2026-11-19",
    "n_hours": 672,
    "n_charging_hours": 0,
    "n_past_days": 112,
}
_ODD_RUN: dict[str, JsonValue] = {
    "kind": "duration",
    "start": "2026-11-18T18:00:00Z",
    "end": "2026-11-19T07:00:00Z",
    "is_over": True,
    "energy_kwh": 3.9,
    "measured": 13.0,
    "usual": 2.0,
    "usual_high": 3.0,
    "once_in_weeks": 212.0,
}
_COMMON: dict[str, JsonValue] = {
    "home": "summer_house",
    "start": _EXAMPLE_START,
    "end": _EXAMPLE_END,
    "age_hours": 0.4,
    "known_until": _EXAMPLE_END,
    "channel": "home.summer_house.power",
    "oddities": _ODDITIES,
    "standby": _STANDBY,
    "peaks": [],
}


class _Insights(Answer):
    home: str = Field(description="Id of the home.")
    start: str = Field(description="First instant of the days that are told of, UTC.")
    end: str = Field(description="End of these days, UTC: that of the last reading, or now where there is none.")
    known_until: str | None = Field(description="End of the last reading, UTC; null: there is none.")
    age_hours: float | None = Field(description="How old that is. [h]")
    channel: str | None = Field(description="Id of the channel that it rests on.")
    oddities: OdditiesEntry | None = Field(description="Hours and levels unlike the weeks before.")
    standby: StandbyEntry | None = Field(description="The least that is drawn around the clock.")
    peaks: list[PeakEntry] | None = Field(description="The highest intervals, one of a day, highest first.")
    habits: HabitsEntry | None = Field(description="Parts of the day that use more or less than in the weeks before.")
    unknown: list[UnknownInsight] = Field(description="Why each insight that is null cannot be told.")


class HomeInsightsAnswer(_Insights):
    """What is worth knowing about a home."""

    model_config = shown_as(
        {
            **_COMMON,
            "left_out": ["home.summer_house.solar"],
            "consumers": None,
            "efficiency": None,
            "habits": None,
            "unknown": [
                {
                    "insight": "habits",
                    "problem": "30 days are known, and 33 are needed",
                    "remedy": "Wait, or import older readings.",
                }
            ],
        }
    )

    left_out: list[str] = Field(
        description="Ids of the solar roof, battery or car whose readings were taken out of the load before "
        "`oddities` and `habits` were looked for."
    )
    consumers: ConsumersEntry | None = Field(description="What used the energy.")
    efficiency: EfficiencyEntry | None = Field(description="Figures by the home's own past.")


class DeviceInsightsAnswer(_Insights):
    """What is worth knowing about a device."""

    model_config = shown_as(
        {
            **_COMMON,
            "oddities": {**_ODDITIES, "anomalies": [], "runs": [_ODD_RUN], "n_runs": 9},
            "device": "home.summer_house.washing_machine",
            "channel": "home.summer_house.washing_machine.power",
            "habits": None,
            "uses": {"n_uses": 9, "energy_kwh": 7.4, "n_before": 11},
            "impact": None,
            "unknown": [
                {
                    "insight": "impact",
                    "problem": "samples every 300 s lie around the switches, and one every 30 s is needed",
                    "remedy": "Connect a meter that tells the power every few seconds.",
                }
            ],
        }
    )

    device: str = Field(description="Id of the device.")
    uses: UsesEntry = Field(description="How often it was used.")
    impact: ImpactEntry | None = Field(description="The step of the mains when it is switched.")
