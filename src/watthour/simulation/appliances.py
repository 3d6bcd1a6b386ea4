"""One use of an appliance, as phases of steady power: seconds and watts, drawn anew for each use.

The shapes follow what was measured: Pipattanasomporn et al., Load Profiles of Selected Major Household Appliances (IEEE
Trans. Smart Grid 5, 2014, doi:10.1109/TSG.2013.2268664); Richardson et al., Domestic electricity use (Energy and
Buildings 42, 2010, doi:10.1016/j.enbuild.2010.05.023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.channel import DeviceKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.random import Generator

    from watthour.simulation.noise import Array
    from watthour.simulation.steps import Numbers

    Phases = list[tuple[float, float]]  # seconds and watts

MINUTE = 60.0


def _washing_machine(rng: Generator) -> Phases:
    """Return a wash: water is heated, the drum turns and pauses, and spins at the end."""
    drum = [(rng.uniform(40, 80), watts) for _ in range(int(rng.integers(14, 24))) for watts in (150.0, 45.0)]
    rinses = [(rng.uniform(30, 60), watts) for _ in range(12) for watts in (120.0, 30.0)]
    heat = (rng.uniform(10, 18) * MINUTE, rng.uniform(1900, 2200))
    return [(3 * MINUTE, 60.0), heat, *drum, *rinses, (rng.uniform(6, 10) * MINUTE, rng.uniform(350, 500))]


def _dishwasher(rng: Generator) -> Phases:
    """Return a wash: two heats, the pump between them, and slow drying."""
    watts = rng.uniform(1800, 2100)
    return [
        (5 * MINUTE, 60.0),
        (rng.uniform(12, 18) * MINUTE, watts),
        (rng.uniform(30, 45) * MINUTE, 70.0),
        (rng.uniform(9, 14) * MINUTE, watts),
        (rng.uniform(15, 30) * MINUTE, 15.0),
    ]


def _tumble_dryer(rng: Generator) -> Phases:
    """Return a load: the heater is on most of the time, and pauses towards the end."""
    watts = rng.uniform(2000, 2500)
    tail = [(MINUTE, each) for _ in range(int(rng.integers(5, 10))) for each in (watts, 220.0)]
    return [(rng.uniform(25, 45) * MINUTE, watts), *tail, (5 * MINUTE, 220.0)]


def _oven(rng: Generator) -> Phases:
    """Return a meal: heating up, then a thermostat that switches on and off."""
    watts = rng.uniform(2000, 2600)
    held = [(rng.uniform(*span), each) for _ in range(int(rng.integers(8, 16)))
            for span, each in (((90, 150), 30.0), ((45, 75), watts))]  # fmt: skip
    return [(rng.uniform(7, 11) * MINUTE, watts), *held]


def _hob(rng: Generator) -> Phases:
    """Return a pot: full power, then a part of it by switching on and off."""
    watts = rng.uniform(1200, 1900)
    held = [(rng.uniform(*span), each) for _ in range(int(rng.integers(10, 30)))
            for span, each in (((20, 40), 0.0), ((10, 20), watts))]  # fmt: skip
    return [(rng.uniform(4, 8) * MINUTE, watts), *held]


def _kettle(rng: Generator) -> Phases:
    return [(rng.uniform(1.7, 4) * MINUTE, rng.uniform(2000, 2800))]


def _microwave(rng: Generator) -> Phases:
    return [(rng.uniform(1, 6) * MINUTE, rng.uniform(1100, 1300))]


def _television(rng: Generator) -> Phases:
    """Return an evening: the picture's brightness changes what it draws."""
    usual = rng.uniform(60, 130)
    return [(rng.uniform(3, 9) * MINUTE, usual * rng.uniform(0.88, 1.12)) for _ in range(int(rng.integers(15, 35)))]


def _computer(rng: Generator) -> Phases:
    usual = rng.uniform(40, 110)
    return [(rng.uniform(4, 20) * MINUTE, usual * rng.uniform(0.8, 1.3)) for _ in range(int(rng.integers(6, 20)))]


USE_OF: Mapping[DeviceKind, Callable[[Generator], Phases]] = {
    DeviceKind.WASHING_MACHINE: _washing_machine,
    DeviceKind.DISHWASHER: _dishwasher,
    DeviceKind.TUMBLE_DRYER: _tumble_dryer,
    DeviceKind.OVEN: _oven,
    DeviceKind.HOB: _hob,
    DeviceKind.KETTLE: _kettle,
    DeviceKind.MICROWAVE: _microwave,
    DeviceKind.TELEVISION: _television,
    DeviceKind.COMPUTER: _computer,
}


def compressor(rng: Generator, seconds: int, *, watts: float, warmth: float) -> Phases:
    """Return a span of a fridge or freezer: its compressor runs 12 to 18 minutes and rests longer in a cool kitchen.

    Args:
        rng: draws each run and rest.
        seconds: that the phases last together.
        watts: that the compressor draws.
        warmth: of the kitchen, from 0 to 1.
    """
    rest = 36.0 - 12.0 * warmth  # minutes
    n_cycles = round(seconds / ((15 + rest) * MINUTE))
    runs = rng.uniform(12.5, 17.5, n_cycles)
    rests = rng.uniform(0.85 * rest, 1.15 * rest, n_cycles)
    scale = seconds / (runs.sum() + rests.sum())  # near 1: whole cycles fill the span
    powers = watts * rng.uniform(0.95, 1.05, n_cycles)
    split = rng.uniform(0.1, 0.9)  # of the last rest, before the first run
    phases = [(float(split * rests[-1] * scale), 1.5)]
    for run, pause, power in zip(runs, rests, powers, strict=True):
        phases += [(float(run * scale), float(power)), (float(pause * scale), 1.5)]
    phases[-1] = (float((1 - split) * rests[-1] * scale), 1.5)
    return phases


def laid_out(start: int, phases: Phases, end: int) -> tuple[Numbers, Array]:
    """Return the edges [s] and powers [W] of phases from an instant on, cut at an end."""
    edges = start + np.rint(np.cumsum([0.0, *(seconds for seconds, _watts in phases)])).astype(np.int64)
    edges = np.minimum(edges, end)
    n_phases = int((np.diff(edges) > 0).sum())
    return edges[: n_phases + 1], np.array([watts for _seconds, watts in phases[:n_phases]])
