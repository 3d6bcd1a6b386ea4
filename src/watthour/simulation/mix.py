"""What the invented region produces, by fuel: sun and wind as the weather is, nuclear day and night, gas for the rest.

Its plants make what is used: nothing is exchanged with neighbours. Every row is marked simulated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.channel import Limits
from watthour.core.frames import Forecasts, Quality, Readings, Refused
from watthour.core.ports import Delivery
from watthour.core.vintage import stamp
from watthour.simulation.noise import RedNoise
from watthour.simulation.simtown import PEAK_MWH, SIMTOWN
from watthour.simulation.town import POSTED_AFTER, SimulatedRegion, hourly_rows, hours_between, since_epoch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.window import Window
    from watthour.simulation.noise import Array

FUELS = ("battery", "coal", "gas", "hydro", "nuclear", "oil", "solar", "wind")
_NUCLEAR_MWH, _HYDRO_MWH, _WIND_MWH, _BATTERY_MWH = 1350.0, 420.0, 620.0, 260.0
_SOLAR_MWH_PER_W_M2 = 1.9
_REFUELS_BELOW = -1.6  # standard deviations; one of three reactors then stands still
_LEAST_GAS_MWH = 250.0  # that keeps the grid stable; the sun has to give way to it
_GAS_MWH, _COAL_FROM_MWH, _COAL_SHARE = 6200.0, 1600.0, 0.16


@dataclass(frozen=True, slots=True)
class SimulatedMix:
    """The generation of the invented region by fuel; what it says of an hour never depends on when it is asked."""

    context: Context = SIMTOWN
    seed: int = 7

    @property
    def name(self) -> str:
        """Name of the source in the log."""
        return f"simulation_mix:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the invented site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return a channel per fuel."""
        site, load = self.context.site, self.context.channel
        limits = Limits(-PEAK_MWH, PEAK_MWH)
        return tuple(replace(load, id=f"{site.prefix}.generation.{fuel}", limits=limits) for fuel in FUELS)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the generation of the hours of the window that is known at ``now``."""
        times = hours_between(window.start, min(window.end, max(now, window.start)))
        made = self._generation(times)
        rows = pl.concat(
            [
                hourly_rows(channel.id, times, np.round(made[fuel], 1), POSTED_AFTER)
                for fuel, channel in zip(FUELS, self.channels(), strict=True)
            ]
        ).filter(pl.col("published") <= now)
        rows = rows.with_columns(quality=pl.lit(int(Quality.SIMULATED), pl.Int16))
        stamped = stamp(rows, pl.col("published"), now=now, watched_from=watched_from)
        return Delivery(
            Readings.validate(stamped.select(Readings.column_names())),
            Forecasts.create_empty(),
            Refused.create_empty(),
        )

    def _generation(self, times: np.ndarray) -> Mapping[str, Array]:
        """Return what is made of each fuel [MWh]; together it is the load."""
        town = SimulatedRegion(self.context, self.seed)
        hours = since_epoch(times)
        season = np.cos(2 * np.pi * (hours / 8766 - 0.545))  # highest in the middle of July
        load = town.load(times)
        is_running = RedNoise((self.seed, 80), 500, 5000).at(hours) > _REFUELS_BELOW
        made = {
            "nuclear": np.where(is_running, _NUCLEAR_MWH, _NUCLEAR_MWH * 2 / 3),
            "hydro": _HYDRO_MWH * (1 - 0.25 * season + 0.15 * RedNoise((self.seed, 81), 48, 2000).at(hours)),
            "wind": _WIND_MWH * np.exp(0.75 * RedNoise((self.seed, 82), 6, 140).at(hours) - 0.25 * season),
            "battery": _BATTERY_MWH * np.sin(2 * np.pi * (hours - 5 - 12) / 24) * (1 + 0.2 * season),
        }
        made = {**made, "hydro": np.clip(made["hydro"], 50, None), "wind": np.clip(made["wind"], 5, 2200)}
        rest = load - np.sum(list(made.values()), axis=0)
        sun = _SOLAR_MWH_PER_W_M2 * town.mean_weather("shortwave_radiation", times)
        made["solar"] = np.clip(np.minimum(sun, rest - _LEAST_GAS_MWH), 0, None)
        rest = rest - made["solar"]
        made["coal"] = _COAL_SHARE * np.clip(rest - _COAL_FROM_MWH, 0, None)
        made["gas"] = np.clip(rest - made["coal"], 0, _GAS_MWH)
        made["oil"] = rest - made["coal"] - made["gas"]
        return made
