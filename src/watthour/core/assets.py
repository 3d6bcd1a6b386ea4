"""What a household can shift: runs of appliances, batteries, cars, heat; checked one by one as they are named.

Powers are those at the home's own wires [kW] and never negative. Series hold one value for all steps, or one per step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]
    Steps: TypeAlias = NDArray[np.integer[Any]]
    Mask: TypeAlias = NDArray[np.bool_]

QUARTER = timedelta(minutes=15)
_MANY = 100_000.0  # [kW, kWh] beyond any home, and any street


def series(value: float) -> Array:
    """Return a series of one value for all steps."""
    return np.array([value], dtype=np.float64)


def nothing() -> Array:
    """Return a series of zeros."""
    return series(0.0)


def no_paths() -> Array:
    """Return no other courses that a series may take."""
    return np.zeros((0, 0))


@dataclass(frozen=True, slots=True)
class Appliance:
    """A wish for one run or several of an appliance.

    ``profile_kw`` is its power in each ``profile_step`` of a run. ``earliest`` and ``deadline`` are when it may begin
    and must have ended; None: the horizon's. A run may pause between steps where ``is_interruptible``.
    ``only_below`` makes it optional: it runs only where its electricity is worth less than this [currency/kWh].
    ``begun_at`` says that it runs already: it goes on as it began.
    """

    name: str
    profile_kw: tuple[float, ...]
    profile_step: timedelta = QUARTER
    earliest: datetime | None = None
    deadline: datetime | None = None
    is_interruptible: bool = False
    repeats: int = 1
    only_below: float | None = None
    begun_at: datetime | None = None

    def __post_init__(self) -> None:
        place = _named("appliances", self.name)
        object.__setattr__(self, "profile_kw", tuple(float(each) for each in self.profile_kw))
        if not self.profile_kw or max(self.profile_kw) <= 0:
            cure = "Say the power of each step of a run, in kW."
            raise InvalidInput(f"{place}.profile_kw", self.profile_kw, "a run uses some power", remedy=cure)
        for power in self.profile_kw:
            between(f"{place}.profile_kw", power, 0.0, _MANY)
        if self.profile_step <= timedelta(0):
            cure = "Say how long each value of the profile holds, such as 15 minutes."
            raise InvalidInput(f"{place}.profile_step", str(self.profile_step), "a step takes time", remedy=cure)
        if self.repeats < 1:
            raise InvalidInput(f"{place}.repeats", self.repeats, "it is less than one", remedy="Leave it out.")
        if self.only_below is not None:
            between(f"{place}.only_below", self.only_below, -_MANY, _MANY)
        _instants(place, earliest=self.earliest, deadline=self.deadline, begun_at=self.begun_at)
        _in_order(place, "earliest", self.earliest, "deadline", self.deadline)
        if self.begun_at is not None and (self.is_interruptible or self.repeats > 1):
            problem = "only a single run without pauses goes on as it began"
            cure = "Say the steps that are left as the profile of a new run, and leave begun_at out."
            raise InvalidInput(f"{place}.begun_at", str(self.begun_at), problem, remedy=cure)

    @property
    def duration(self) -> timedelta:
        """How long one run takes."""
        return self.profile_step * len(self.profile_kw)

    @property
    def energy_kwh(self) -> float:
        """What one run uses."""
        return sum(self.profile_kw) * (self.profile_step / timedelta(hours=1))

    def profile(self, step: timedelta) -> Array:
        """Return the mean power in each step of a plan from a run's begin on, its energy kept [kW]."""
        n_steps = math.ceil(self.duration / step - 1e-9)
        edges = np.arange(len(self.profile_kw) + 1) * (self.profile_step / step)
        used = np.concatenate([[0.0], np.cumsum(self.profile_kw)]) * (self.profile_step / step)
        return np.diff(np.interp(np.arange(n_steps + 1), edges, used))


@dataclass(frozen=True, slots=True)
class Battery:
    """A home battery.

    ``wear_price`` is what a kWh that leaves it costs in life [currency/kWh]. Below ``reserve_kwh`` it goes only where
    nothing else is possible: each kWh that is missing costs ``reserve_price`` in every hour. At the end it holds
    ``end_kwh`` or more; where that is None, what it holds then is worth ``end_price`` [currency/kWh], by default what
    it would cost to fill it again in the cheapest quarter of the horizon.
    """

    name: str
    capacity_kwh: float
    stored_kwh: float
    max_charge_kw: float
    max_discharge_kw: float
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    wear_price: float = 0.0
    reserve_kwh: float = 0.0
    reserve_price: float = 1.0
    end_kwh: float | None = None
    end_price: float | None = None

    def __post_init__(self) -> None:
        place = _named("batteries", self.name)
        between(f"{place}.capacity_kwh", self.capacity_kwh, 1e-3, _MANY)
        for name in ("max_charge_kw", "max_discharge_kw"):
            between(f"{place}.{name}", getattr(self, name), 0.0, _MANY)
        for name in ("wear_price", "reserve_price"):
            between(f"{place}.{name}", getattr(self, name), 0.0, _MANY)
        for name in ("charge_efficiency", "discharge_efficiency"):
            _efficiency(f"{place}.{name}", getattr(self, name))
        for name in ("stored_kwh", "reserve_kwh", "end_kwh"):
            if getattr(self, name) is not None:
                between(f"{place}.{name}", getattr(self, name), 0.0, self.capacity_kwh)
        if self.end_price is not None:
            between(f"{place}.end_price", self.end_price, -_MANY, _MANY)


@dataclass(frozen=True, slots=True)
class Car:
    """One stay of a car at its charger: ``energy_kwh`` reach its battery between ``arrival`` and ``departure``.

    It charges not at all, or with ``min_charge_kw`` to ``max_charge_kw``. ``most_kwh`` is what it could take; where
    electricity is worth less than nothing it charges up to that. Default: ``energy_kwh``, and what the
    least power gives in one step, as steps are not cut.
    """

    name: str
    energy_kwh: float
    max_charge_kw: float
    arrival: datetime | None = None
    departure: datetime | None = None
    min_charge_kw: float = 0.0
    efficiency: float = 0.9
    most_kwh: float | None = None

    def __post_init__(self) -> None:
        place = _named("cars", self.name)
        between(f"{place}.energy_kwh", self.energy_kwh, 0.0, _MANY)
        between(f"{place}.max_charge_kw", self.max_charge_kw, 1e-3, _MANY)
        between(f"{place}.min_charge_kw", self.min_charge_kw, 0.0, self.max_charge_kw)
        _efficiency(f"{place}.efficiency", self.efficiency)
        if self.most_kwh is not None:
            between(f"{place}.most_kwh", self.most_kwh, self.energy_kwh, _MANY)
        _instants(place, arrival=self.arrival, departure=self.departure)
        _in_order(place, "arrival", self.arrival, "departure", self.departure)


@dataclass(frozen=True, slots=True, eq=False)
class Heat:
    """A tank or a house that keeps heat: one temperature, which falls towards that around it.

    ``C dT/dt = efficiency P - L (T - T_around) - draw``, with the capacity C ``capacity_kwh_per_k`` and the loss L
    ``loss_kw_per_k``, solved exactly over each step. A house of 100 m2 keeps about 5 kWh/K, a tank of 200 litres 0.23.
    Each kelvin outside ``lowest_c`` to ``highest_c`` costs ``discomfort_price`` in every hour. By the end it is as
    warm as now, or ``end_c``, as far as that can be.
    """

    name: str
    capacity_kwh_per_k: float
    loss_kw_per_k: float
    max_power_kw: float
    temperature_c: float
    lowest_c: float
    highest_c: float
    around_c: Array = field(default_factory=lambda: series(20.0))
    draw_kw: Array = field(default_factory=nothing)
    efficiency: Array = field(default_factory=lambda: series(1.0))
    min_power_kw: float = 0.0
    discomfort_price: float = 1.0
    end_c: float | None = None

    def __post_init__(self) -> None:
        place = _named("heats", self.name)
        between(f"{place}.capacity_kwh_per_k", self.capacity_kwh_per_k, 1e-6, _MANY)
        between(f"{place}.loss_kw_per_k", self.loss_kw_per_k, 0.0, _MANY)
        between(f"{place}.max_power_kw", self.max_power_kw, 0.0, _MANY)
        between(f"{place}.min_power_kw", self.min_power_kw, 0.0, self.max_power_kw)
        between(f"{place}.discomfort_price", self.discomfort_price, 0.0, _MANY)
        for name in ("temperature_c", "lowest_c", "highest_c", "end_c"):
            if getattr(self, name) is not None:
                between(f"{place}.{name}", getattr(self, name), -100.0, 200.0)
        if self.lowest_c > self.highest_c:
            cure = "Swap them."
            raise InvalidInput(f"{place}.lowest_c", self.lowest_c, f"it is above {self.highest_c}", remedy=cure)
        for name, low, high in (
            ("around_c", -100.0, 200.0),
            ("draw_kw", -_MANY, _MANY),
            ("efficiency", 1e-3, 20.0),  # a heat pump moves several kWh of heat with each kWh
        ):
            object.__setattr__(self, name, finite(f"{place}.{name}", getattr(self, name), low, high))

    def drift(self, hours: float) -> tuple[float, float]:
        """Return what a step leaves of a difference in temperature [-], and what a kW over it adds [K/kW]."""
        if self.loss_kw_per_k == 0.0:
            return 1.0, hours / self.capacity_kwh_per_k
        left = math.exp(-self.loss_kw_per_k * hours / self.capacity_kwh_per_k)
        return left, (1.0 - left) / self.loss_kw_per_k


def between(place: str, value: float, low: float, high: float) -> None:
    """Refuse a number that is none, or out of range.

    Raises:
        InvalidInput: with the range.
    """
    if math.isfinite(value) and low <= value <= high:
        return
    problem = "it is not a number" if math.isnan(value) else f"it is not within {low:g} to {high:g}"
    raise InvalidInput(place, value, problem, remedy=f"Give a number from {low:g} to {high:g}.")


def finite(place: str, values: Sequence[float] | Array, low: float, high: float) -> Array:
    """Return a series as an array of its own; refuse what is no number, or out of range.

    Raises:
        InvalidInput: with the first step to blame.
    """
    found = np.atleast_1d(np.array(values, dtype=np.float64))
    bad = np.flatnonzero(~(np.isfinite(found) & (found >= low) & (found <= high)))
    if found.ndim != 1 or len(bad) > 0:
        where = f"step {bad[0]}" if found.ndim == 1 else "its shape"
        value = float(found[bad[0]]) if found.ndim == 1 else found.shape
        problem = f"{where} is not a number within {low:g} to {high:g}"
        cure = "Fill gaps with a forecast before planning: nothing is invented here."
        raise InvalidInput(place, value, problem, remedy=cure)
    found.setflags(write=False)
    return found


def _named(kind: str, name: str) -> str:
    if not name.strip():
        raise InvalidInput(f"{kind}.name", name, "it is empty", remedy="Give it a name by which the plan can call it.")
    return f"{kind}.{name}"


def _efficiency(place: str, value: float) -> None:
    if not (math.isfinite(value) and 0.0 < value <= 1.0):
        problem = "nothing gives back more than it took, or nothing at all"
        cure = "Give the share that is not lost, above 0 and at most 1, such as 0.95."
        raise InvalidInput(place, value, problem, remedy=cure)


def _instants(place: str, **instants: datetime | None) -> None:
    for name, instant in instants.items():
        if instant is not None and instant.tzinfo is None:
            cure = "Add the time zone, such as 2026-11-22T07:00:00+01:00."
            raise InvalidInput(f"{place}.{name}", str(instant), "it has no time zone", remedy=cure)


def _in_order(place: str, first: str, begin: datetime | None, last: str, end: datetime | None) -> None:
    if begin is not None and end is not None and begin >= end:
        problem = f"it is not after {first} = {begin.isoformat()}"
        raise InvalidInput(f"{place}.{last}", end.isoformat(), problem, remedy=f"Choose a later {last}.")
