"""What a device adds to a home's power, by the steps of the mains when it is switched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.insights.load import Unknown, median, median_span

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.frames import Events, Samples
    from watthour.insights.load import Array

LOOK = timedelta(seconds=60)  # before and after a switch
_GUARD = timedelta(seconds=3)  # clocks of a switch and a meter differ
SLOWEST = timedelta(seconds=30)  # between samples
FEWEST = 8  # switches, on and off together
_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Impact:
    """The step of the mains at the switches of a device."""

    step_w: float  # median over the switches; what is switched off counts by its drop
    low_w: float  # 95 % interval of the median
    high_w: float
    is_sure: bool  # the interval leaves out zero
    n_on: int  # switches that were measured
    n_off: int
    sample_seconds: float  # usual time between samples there


def impact(events: dy.DataFrame[Events], samples: dy.DataFrame[Samples]) -> Impact | Unknown:
    """Return the median step of the mains' power at the switches of a device.

    The power before is the median of the samples from 60 to 3 seconds before a switch, the power after that of those
    from 3 to 60 seconds after it; a switch beside another one of the same device, or without samples, does not count.

    Args:
        events: uses of the device: it was switched on at their start and off at their end.
        samples: powers of the mains around them.
    """
    uses = events.sort("start")
    n_switches = 2 * uses.height
    if n_switches < FEWEST:
        return Unknown(
            f"{uses.height} uses are known, and {FEWEST // 2} are needed", "Send or import more uses of the device."
        )
    power = samples.filter(pl.col("measure") == "power").sort("time")
    at, watts = power["time"].to_physical().to_numpy() / _US, power["value"].to_numpy()
    on, off = (uses[name].to_physical().to_numpy() / _US for name in ("start", "end"))
    near = _near(at, np.concatenate([on, off]))
    spacing = float(np.median(near)) if len(near) else None
    if spacing is None or spacing > SLOWEST.total_seconds():
        told = "no samples of the mains' power lie" if spacing is None else f"samples every {spacing:.0f} s lie"
        return Unknown(
            f"{told} around the switches, and one every {SLOWEST.total_seconds():.0f} s is needed",
            "Connect a meter that tells the power every few seconds.",
        )
    every = np.sort(np.concatenate([on, off]))
    up = np.array([_step(at, watts, switch, every) for switch in on])
    down = np.array([-_step(at, watts, switch, every) for switch in off])
    steps = np.concatenate([up, down])
    n_known = int(np.sum(~np.isnan(steps)))
    if n_known < FEWEST:
        return Unknown(
            f"{n_known} switches have samples around them and no other switch of the device, and {FEWEST} are needed",
            "Wait for more uses, or send the samples of the mains without gaps.",
        )
    low, high = median_span(steps)
    n_on, n_off = (int(np.sum(~np.isnan(each))) for each in (up, down))
    return Impact(median(steps), low, high, low > 0 or high < 0, n_on, n_off, spacing)


def _near(at: Array, switches: Array) -> Array:
    """Return the times between samples that lie around switches."""
    reach = LOOK.total_seconds()
    gaps = [np.diff(at[np.searchsorted(at, each - reach) : np.searchsorted(at, each + reach)]) for each in switches]
    return np.concatenate(gaps) if gaps else np.empty(0)


def _step(at: Array, watts: Array, switch: float, every: Array) -> float:
    """Return the power after a switch less that before it; nan where it cannot be told."""
    reach, guard = LOOK.total_seconds(), _GUARD.total_seconds()
    others = every[every != switch]
    if np.any(np.abs(others - switch) < reach) or np.sum(every == switch) > 1:
        return float("nan")
    before = watts[np.searchsorted(at, switch - reach) : np.searchsorted(at, switch - guard, side="right")]
    after = watts[np.searchsorted(at, switch + guard) : np.searchsorted(at, switch + reach, side="right")]
    return median(after) - median(before) if len(before) and len(after) else float("nan")
