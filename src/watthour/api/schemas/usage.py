"""What a home draws now and what it used today."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from watthour.api.schemas.base import Answer, shown_as


class PartUsageEntry(Answer):
    """The home itself, a zone or a device; what is not known is null."""

    channel: str | None = Field(
        description="The channel it is measured by; null: nothing measures it, or it is the sum of several."
    )
    part: str = Field(description="home, or the id of the zone or the device.", examples=["home"])
    part_kind: Literal["home", "zone", "device"] = Field(description="What it is.")
    name: str = Field(description="What it is called.", examples=["Flat"])
    device_kind: str | None = Field(description="What a device is; else null.", examples=["washing_machine"])
    power_watts: float | None = Field(
        description="Power by the newest sample, else by the rise of its counter over the last minutes, else the mean "
        "of the newest interval; negative: it is fed in. [W]",
        examples=[412.0],
    )
    heard_at: datetime | None = Field(description="Instant of that power: of the sample, or the end of the interval.")
    age_seconds: float | None = Field(description="Time since then. [s]", examples=[12.0])
    is_late: bool = Field(
        description="True if it is silent for more than twice as long as it usually is, by its last seven days."
    )
    today_kwh: float | None = Field(
        description="Energy of those intervals since the local midnight that are known; null if none is. [kWh]",
        examples=[3.2],
    )
    today_until: datetime | None = Field(description="End of the last of these intervals.")
    yesterday_same_time_kwh: float | None = Field(
        description="Energy of the day before up to the local clock of `today_until`; null if any of it is missing. "
        "[kWh]",
        examples=[3.9],
    )
    yesterday_kwh: float | None = Field(
        description="Energy of the whole day before; null if any of it is missing. [kWh]", examples=[9.4]
    )
    known_share_today: float | None = Field(
        description="Known share of the intervals that ended since the local midnight; null while there is none. [0-1]",
        examples=[1.0],
    )


class HomeUsageAnswer(Answer):
    """What a home, its zones and its devices draw now and used today."""

    home: str = Field(description="Id of the home.", examples=["flat"])
    name: str = Field(description="What it is called.", examples=["Flat"])
    time_zone: str = Field(description="Whose days these are.", examples=["Europe/Paris"])
    is_simulated: bool = Field(description="True if its data are invented by the simulation.")
    at: datetime = Field(description="Instant of the answer.")
    parts: list[PartUsageEntry] = Field(description="The home first, then its zones, then its devices.")

    model_config = shown_as(
        {
            "home": "flat",
            "name": "Flat",
            "time_zone": "Europe/Paris",
            "is_simulated": False,
            "at": "2026-11-21T15:00:12Z",
            "parts": [
                {
                    "channel": "home.flat.power",
                    "part": "home",
                    "part_kind": "home",
                    "name": "Flat",
                    "device_kind": None,
                    "power_watts": 412.0,
                    "heard_at": "2026-11-21T15:00:00Z",
                    "age_seconds": 12.0,
                    "is_late": False,
                    "today_kwh": 3.2,
                    "today_until": "2026-11-21T15:00:00Z",
                    "yesterday_same_time_kwh": 3.9,
                    "yesterday_kwh": 9.4,
                    "known_share_today": 1.0,
                }
            ],
        }
    )
