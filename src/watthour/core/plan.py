"""When to run what: the problem as a household states it, and the plan that answers it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.assets import QUARTER, Appliance, Battery, Car, Heat, between, finite, no_paths, nothing
from watthour.core.errors import InvalidInput
from watthour.core.place import is_time_zone, no_time_zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.assets import Array

MOST_STEPS = 3_000
MOST_ASSETS = 100
MOST_PATHS = 50
_HOUR = timedelta(hours=1)
_FIRST_YEAR, _LAST_YEAR = 1990, 2200


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts: money as it is, a kg of CO2e as ``carbon`` and a kW of the highest import as ``peak`` [currency]."""

    money: float = 1.0
    carbon: float = 0.0
    peak: float = 0.0

    def __post_init__(self) -> None:
        for name in ("money", "carbon", "peak"):
            between(f"weights.{name}", getattr(self, name), 0.0, 1e6)
        if self.money == self.carbon == self.peak == 0.0:
            problem, cure = "all weights are zero, so any plan would do", "Give money a weight of 1."
            raise InvalidInput("weights", 0.0, problem, remedy=cure)


@dataclass(frozen=True, slots=True, eq=False)
class PlanningProblem:
    """Everything a plan must know; ``start`` is now, or the begin of the step that comes next.

    Prices are in currency/kWh, ``carbon`` in gCO2e/kWh of what is imported, powers the mean of each step in kW. The
    length of ``import_price`` is the number of steps. ``peak_price`` is for each kW by which the highest import
    exceeds ``peak_so_far_kw`` [currency/kW]. ``time_zone`` is the clock of the reasons.

    ``load_paths_kw`` and ``solar_paths_kw`` (paths, steps) are other courses that load and sun may take together. Runs,
    cars and heat are then planned for all of them at once, and the first step of batteries too; from then on batteries
    follow what comes. A course counts as many times as ``path_counts`` says, once where that is empty; what is foreseen
    counts once. Limits of import and export hold for what is foreseen. Without courses load and sun are taken as they
    are foreseen.

    Raises:
        InvalidInput: something cannot be, or not in the time there is; named with its cure.
    """

    start: datetime
    import_price: Array
    step: timedelta = QUARTER
    export_price: Array = field(default_factory=nothing)
    carbon: Array = field(default_factory=nothing)
    load_kw: Array = field(default_factory=nothing)
    solar_kw: Array = field(default_factory=nothing)
    is_solar_curtailable: bool = True
    appliances: tuple[Appliance, ...] = ()
    batteries: tuple[Battery, ...] = ()
    cars: tuple[Car, ...] = ()
    heats: tuple[Heat, ...] = ()
    import_limit_kw: float | None = None
    export_limit_kw: float | None = None
    peak_price: float = 0.0
    peak_so_far_kw: float = 0.0
    weights: Weights = field(default_factory=Weights)
    time_zone: str = "UTC"
    load_paths_kw: Array = field(default_factory=no_paths)
    solar_paths_kw: Array = field(default_factory=no_paths)
    path_counts: Array = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        self._check_time()
        for name, low, high in (
            ("export_price", -1e6, 1e6),
            ("carbon", 0.0, 1e5),
            ("load_kw", 0.0, 1e6),
            ("solar_kw", 0.0, 1e6),
        ):
            object.__setattr__(self, name, self._filled(name, getattr(self, name), low, high))
        self._check_paths()
        between("peak_price", self.peak_price, 0.0, 1e6)
        between("peak_so_far_kw", self.peak_so_far_kw, 0.0, 1e6)
        for name in ("import_limit_kw", "export_limit_kw"):
            if getattr(self, name) is not None:
                between(name, getattr(self, name), 0.0, 1e6)
        self._check_assets()

    @property
    def n_steps(self) -> int:
        """How many steps are planned."""
        return len(self.import_price)

    @property
    def hours(self) -> float:
        """Length of a step [h]."""
        return self.step / _HOUR

    @property
    def end(self) -> datetime:
        """End of the horizon."""
        return self.start + self.n_steps * self.step

    def time(self, step: int) -> datetime:
        """Return when a step begins."""
        return self.start + step * self.step

    def span(self, earliest: datetime | None, latest: datetime | None) -> tuple[int, int]:
        """Return the whole steps between two instants, as far as they are planned: first, and first after them."""
        first = 0 if earliest is None else math.ceil((earliest - self.start) / self.step - 1e-9)
        after = self.n_steps if latest is None else math.floor((latest - self.start) / self.step + 1e-9)
        return max(first, 0), min(after, self.n_steps)

    def as_if_sure(self) -> PlanningProblem:
        """Return the same as if load and sun came as they are foreseen."""
        return replace(self, load_paths_kw=no_paths(), solar_paths_kw=no_paths(), path_counts=np.zeros(0))

    def _check_time(self) -> None:
        if self.start.tzinfo is None:
            cure = "Add the time zone, such as 2026-11-22T18:00:00+01:00."
            raise InvalidInput("start", str(self.start), "it has no time zone", remedy=cure)
        if not _FIRST_YEAR <= self.start.year <= _LAST_YEAR:
            problem = "no plan begins in this year"
            raise InvalidInput("start", self.start.isoformat(), problem, remedy="Give the present.")
        object.__setattr__(self, "start", self.start.astimezone(UTC))
        if not is_time_zone(self.time_zone):
            raise no_time_zone(self.time_zone)
        if not timedelta(minutes=1) <= self.step <= timedelta(days=1):
            cure = "Give 1 minute to 1 day; 15 minutes suit a home."
            raise InvalidInput("step", str(self.step), "a step of a plan is not this long", remedy=cure)
        object.__setattr__(self, "import_price", finite("import_price", self.import_price, -1e6, 1e6))
        if not 1 <= self.n_steps <= MOST_STEPS:
            cure = f"Give a price for each step, 1 to {MOST_STEPS:,} of them; 192 quarter hours are two days."
            raise InvalidInput("import_price", self.n_steps, "the number of steps cannot be", remedy=cure)

    def _filled(self, place: str, values: Array, low: float, high: float) -> Array:
        found = finite(place, values, low, high)
        if len(found) not in (1, self.n_steps):
            problem = f"it has {len(found)} values, and import_price has {self.n_steps}"
            raise InvalidInput(place, len(found), problem, remedy="Give one value for each step, or one for all.")
        return np.broadcast_to(found, self.n_steps)

    def _check_paths(self) -> None:
        for name in ("load_paths_kw", "solar_paths_kw"):
            paths = np.array(getattr(self, name), dtype=np.float64)
            if paths.size == 0:
                paths = np.zeros((0, self.n_steps))
            is_right = paths.ndim == 2 and paths.shape[1] == self.n_steps and len(paths) <= MOST_PATHS  # noqa: PLR2004
            if not is_right or not np.isfinite(paths).all() or (paths < 0.0).any():
                problem = f"each of at most {MOST_PATHS} paths has {self.n_steps} values, none negative"
                raise InvalidInput(name, paths.shape, problem, remedy="Give one value for each step of each path.")
            object.__setattr__(self, name, paths)
        if len(self.load_paths_kw) != len(self.solar_paths_kw):
            problem = f"there are {len(self.load_paths_kw)} paths of the load"
            cure = "Give as many of both: load and sun of one path belong together."
            raise InvalidInput("solar_paths_kw", len(self.solar_paths_kw), problem, remedy=cure)
        counts = np.array(self.path_counts, dtype=np.float64)
        counts = counts if counts.size else np.ones(len(self.load_paths_kw))
        if counts.shape != (len(self.load_paths_kw),) or not np.isfinite(counts).all() or (counts <= 0.0).any():
            problem = f"each of the {len(self.load_paths_kw)} paths has one, above zero"
            cure = "Say how many times each path counts, or leave it out."
            raise InvalidInput("path_counts", counts.tolist(), problem, remedy=cure)
        object.__setattr__(self, "path_counts", counts)

    def _check_assets(self) -> None:
        assets: tuple[Appliance | Battery | Car | Heat, ...] = (
            *self.appliances,
            *self.batteries,
            *self.cars,
            *self.heats,
        )
        if len(assets) > MOST_ASSETS:
            cure = f"Leave out what uses little: {MOST_ASSETS} can be planned together."
            raise InvalidInput("appliances", len(assets), "there are too many things to plan", remedy=cure)
        names = [each.name for each in assets]
        for name in names:
            if names.count(name) > 1:
                cure = "Give each its own name, such as `car Monday` and `car Tuesday`."
                raise InvalidInput("name", name, "two things to plan have it", remedy=cure)
        for appliance in self.appliances:
            self._check_appliance(appliance)
        for car in self.cars:
            self._check_car(car)
        warmed = []
        for heat in self.heats:
            series = {
                name: self._filled(f"heats.{heat.name}.{name}", getattr(heat, name), -1e5, 1e5)
                for name in ("around_c", "draw_kw", "efficiency")
            }
            warmed.append(replace(heat, **series))  # type: ignore[arg-type]  # names of its series
        object.__setattr__(self, "heats", tuple(warmed))

    def _check_appliance(self, wish: Appliance) -> None:
        place = f"appliances.{wish.name}"
        if wish.begun_at is not None:
            if wish.begun_at > self.start:
                cure = "Leave begun_at out, or give the earliest."
                raise InvalidInput(f"{place}.begun_at", wish.begun_at.isoformat(), "it is not yet", remedy=cure)
            return
        if wish.deadline is not None and wish.deadline <= self.start:
            problem = f"it is not after the start of the plan, {self.start.isoformat()}"
            raise InvalidInput(
                f"{place}.deadline", wish.deadline.isoformat(), problem, remedy="Choose a later deadline."
            )
        if wish.is_interruptible and (wish.duration % self.step or len(set(wish.profile_kw)) > 1):
            problem = f"a run that may pause has one power, and takes whole steps of {self.step}"
            cure = "Give one power for all steps, or let it run without a pause."
            raise InvalidInput(f"{place}.is_interruptible", True, problem, remedy=cure)  # noqa: FBT003 - the value given
        first, after = self.span(wish.earliest, wish.deadline)
        needed = len(wish.profile(self.step)) * wish.repeats
        if after - first < needed and wish.only_below is None:
            room = max(after - first, 0)
            problem = (
                f"it takes {needed * self.hours:g} h, and {room * self.hours:g} h of the plan are between its earliest "
                "begin and this"
            )
            latest = wish.deadline or self.end
            if wish.deadline is None or wish.deadline > self.end:
                cure = "Plan further ahead (more steps), or let it begin earlier."
            else:
                cure = f"Choose {(self.time(first) + needed * self.step).isoformat()} or later, or fewer runs."
            raise InvalidInput(f"{place}.deadline", latest.isoformat(), problem, remedy=cure)

    def _check_car(self, car: Car) -> None:
        place = f"cars.{car.name}"
        if car.departure is not None and car.departure <= self.start:
            problem = f"it is not after the start of the plan, {self.start.isoformat()}"
            raise InvalidInput(
                f"{place}.departure", car.departure.isoformat(), problem, remedy="Choose a later departure."
            )
        first, after = self.span(car.arrival, car.departure)
        reachable = max(after - first, 0) * self.hours * car.max_charge_kw * car.efficiency
        if reachable < car.energy_kwh * (1 - 1e-9):
            problem = f"{reachable:.2f} kWh reach it until {self.time(max(after, first)).isoformat()}"
            cure = (
                f"Ask for {math.floor(reachable * 100) / 100:.2f} kWh or less, leave later, or charge with more power."
            )
            raise InvalidInput(f"{place}.energy_kwh", car.energy_kwh, problem, remedy=cure)


class PlanStatus(StrEnum):
    """How a plan came about."""

    SOLVED = "solved"  # as good as any plan, within the gap
    BEST_SO_FAR = "best_so_far"  # the time limit came first; the gap says how much better another could be
    RULES = "rules"  # by rules of thumb: no solver, or it found nothing in time


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, start included, end not."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, eq=False)
class ApplianceRuns:
    """When an appliance runs, and its power; no spans: an optional run that does not pay."""

    name: str
    spans: tuple[Span, ...]
    power_kw: Array


@dataclass(frozen=True, slots=True, eq=False)
class BatteryUse:
    """What a battery does; ``stored_kwh`` is at the end of each step."""

    name: str
    charge_kw: Array
    discharge_kw: Array
    stored_kwh: Array


@dataclass(frozen=True, slots=True, eq=False)
class CarCharge:
    """How a car is charged; ``charged_kwh`` is what has reached its battery by the end of each step."""

    name: str
    power_kw: Array
    charged_kwh: Array


@dataclass(frozen=True, slots=True, eq=False)
class HeatUse:
    """How heat is made; ``temperature_c`` is at the end of each step."""

    name: str
    power_kw: Array
    temperature_c: Array


@dataclass(frozen=True, slots=True)
class Miss:
    """A wish that was not quite met, because that would have cost more than it is worth or was not possible."""

    about: str
    words: str
    penalty: float


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was planned so."""

    about: str
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """When to run what, and what it costs.

    ``cost`` is what is paid for import and for the peak, less what is earned by export; ``wear`` is beside it.
    ``objective`` is what was made as small as possible. ``gap`` is by how much the best plan could be better, as a
    share of the larger of what both come to; None: not known.
    """

    start: datetime
    step: timedelta
    status: PlanStatus
    gap: float | None
    appliances: tuple[ApplianceRuns, ...]
    batteries: tuple[BatteryUse, ...]
    cars: tuple[CarCharge, ...]
    heats: tuple[HeatUse, ...]
    load_kw: Array
    solar_kw: Array
    curtailed_kw: Array
    import_kw: Array
    export_kw: Array
    cost: float
    wear: float
    carbon_kg: float
    peak_kw: float
    objective: float
    misses: tuple[Miss, ...] = ()
    reasons: tuple[Reason, ...] = ()

    @property
    def uses(self) -> tuple[ApplianceRuns | CarCharge | HeatUse, ...]:
        """Everything planned that only draws."""
        return (*self.appliances, *self.cars, *self.heats)

    def table(self) -> pl.DataFrame:
        """Return one row per step: powers [kW], stored energy [kWh], temperatures [degC]."""
        n = len(self.import_kw)
        columns: dict[str, Array | Sequence[datetime]] = {
            "time": [self.start + k * self.step for k in range(n)],
            "import_kw": self.import_kw,
            "export_kw": self.export_kw,
            "load_kw": self.load_kw,
            "solar_kw": self.solar_kw - self.curtailed_kw,
        }
        for runs in self.appliances:
            columns[f"{runs.name} kw"] = runs.power_kw
        for battery in self.batteries:
            columns[f"{battery.name} charge_kw"] = battery.charge_kw
            columns[f"{battery.name} discharge_kw"] = battery.discharge_kw
            columns[f"{battery.name} stored_kwh"] = battery.stored_kwh
        for car in self.cars:
            columns[f"{car.name} kw"] = car.power_kw
        for heat in self.heats:
            columns[f"{heat.name} kw"] = heat.power_kw
            columns[f"{heat.name} temperature_c"] = heat.temperature_c
        return pl.DataFrame(columns)
