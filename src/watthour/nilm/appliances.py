"""The appliances that are told from the mains, and when each of them counts as on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput, UnknownName

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Powers: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]

_ON, _OFF, _UNKNOWN = 1, 0, -1


@dataclass(frozen=True, slots=True)
class Appliance:
    """A kind of appliance and the rule by which it is on, the same for truth and for answers.

    It is on while it draws ``on_w`` or more. A pause shorter than ``shortest_off_s`` belongs to its run, and what then
    lasts for less than ``shortest_on_s`` is no run.
    """

    name: str
    on_w: float
    shortest_on_s: int
    shortest_off_s: int
    most_w: float  # what one of its kind hardly exceeds

    def __post_init__(self) -> None:
        if not 0 < self.on_w < self.most_w:
            problem = f"it must be above 0 and below most_w ({self.most_w} W)"
            raise InvalidInput("on_w", self.on_w, problem, remedy="Say from which power [W] it counts as on.")
        for field in ("shortest_on_s", "shortest_off_s"):
            if getattr(self, field) < 0:
                problem = "a duration cannot be below 0"
                raise InvalidInput(field, getattr(self, field), problem, remedy="Give seconds; 0 is no limit.")


# The first five: Kelly and Knottenbelt, Neural NILM (BuildSys 2015), doi:10.1145/2821650.2821672, by whose arguments
# the field cuts runs. The others have no such table: the lowest power of what they do, well above their standby.
KNOWN: dict[str, Appliance] = {
    each.name: each
    for each in (
        Appliance("kettle", 2000, 12, 0, 3100),
        Appliance("fridge", 50, 60, 12, 300),
        Appliance("washing_machine", 20, 1800, 160, 2500),
        Appliance("microwave", 200, 12, 30, 3000),
        Appliance("dishwasher", 10, 1800, 1800, 2500),
        Appliance("freezer", 50, 60, 12, 300),
        Appliance("tumble_dryer", 200, 600, 300, 3500),
        Appliance("heat_pump", 200, 180, 60, 8000),
        Appliance("oven", 200, 60, 300, 4000),
        Appliance("cooker", 200, 60, 300, 8000),
        Appliance("electric_shower", 3000, 30, 30, 11000),
        Appliance("ev_charger", 1000, 600, 60, 22000),
        Appliance("water_heater", 500, 60, 60, 6000),
        Appliance("toaster", 200, 12, 12, 2000),
        Appliance("coffee_machine", 200, 12, 30, 2000),
        Appliance("iron", 200, 12, 120, 3000),
        Appliance("vacuum_cleaner", 200, 12, 60, 2500),
        Appliance("television", 20, 60, 60, 500),
        Appliance("computer", 20, 60, 60, 600),
    )
}

# What the public data sets call them.
_OTHER_NAMES = {
    "dish_washer": "dishwasher",
    "dishwaser": "dishwasher",  # REDD's own spelling
    "fridge_freezer": "fridge",
    "refrigerator": "fridge",
    "washer": "washing_machine",
    "washer_dryer": "washing_machine",
    "washingmachine": "washing_machine",
    "microwave_oven": "microwave",
    "microwaveoven": "microwave",
    "water_kettle": "kettle",
    "waterkettle": "kettle",
    "dryer": "tumble_dryer",
    "laundry_dryer": "tumble_dryer",
    "laundrydryer": "tumble_dryer",
    "cookingstove": "cooker",
    "stove": "cooker",
    "electric_stove": "cooker",
    "tv": "television",
    "tv_lcd": "television",
    "tv_crt": "television",
    "pc_desktop": "computer",
    "desktop_computer": "computer",
    "coffeemaker": "coffee_machine",
    "coffee_maker": "coffee_machine",
    "beantocupcoffeemaker": "coffee_machine",
    "vacuumcleaner": "vacuum_cleaner",
    "waterboiler": "water_heater",
    "air_source_heat_pump": "heat_pump",
}


def known_name(text: str) -> str | None:
    """Return the name in ``KNOWN`` of what a data set calls an appliance; None: it is none of them.

    >>> known_name("Washer Dryer"), known_name("fridge_freezer"), known_name("kettle 2"), known_name("aquarium")
    ('washing_machine', 'fridge', 'kettle', None)
    """
    plain = re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_")
    plain = re.sub(r"_?[0-9]+$", "", plain)
    name = _OTHER_NAMES.get(plain, plain)
    return name if name in KNOWN else None


def appliance_named(text: str) -> Appliance:
    """Return a kind of appliance by any of its names.

    Raises:
        UnknownName: there is none of this name.
    """
    name = known_name(text)
    if name is None:
        near = get_close_matches(text.strip().lower().replace(" ", "_"), [*KNOWN, *_OTHER_NAMES], n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else f"Choose among {', '.join(KNOWN)}."
        raise UnknownName("appliance", text, "no appliance has this name", remedy=hint)
    return KNOWN[name]


def states(power: Powers, rule: Appliance, step_s: float) -> Mask:
    """Tell when an appliance is on: short pauses are filled first, then short runs are dropped.

    What is unknown (NaN) is not on, ends a run, and is part of no pause that is filled; leave it out of what is scored.

    Args:
        power: (..., n) mean power of intervals that follow each other without a gap [W]. Rows know nothing of each
            other.
        rule: of the appliance.
        step_s: length of an interval [s].

    >>> kettle = Appliance("kettle", 2000, 12, 0, 3100)
    >>> states(np.array([0, 2400, 2300, 10, np.nan]), kettle, 6).tolist()
    [False, True, True, False, False]
    """
    if not step_s > 0:
        raise InvalidInput("step_s", step_s, "the length of an interval is above 0", remedy="Give it in seconds.")
    rows = np.atleast_2d(np.asarray(power))
    if rows.size == 0:
        return np.zeros(np.shape(power), dtype=np.bool_)
    between = np.full((*rows.shape[:-1], 1), _UNKNOWN, dtype=np.int8)  # so that one pass does for all rows
    level = np.where(np.isfinite(rows), rows >= rule.on_w, _UNKNOWN).astype(np.int8)
    line = np.concatenate([level, between], axis=-1).ravel()
    what, _, length = _stretches(line)
    lasts_s = length * step_s
    on_before = np.concatenate([[False], what[:-1] == _ON])
    on_after = np.concatenate([what[1:] == _ON, [False]])
    pause = (what == _OFF) & on_before & on_after & (lasts_s < rule.shortest_off_s)
    line = np.repeat(np.where(pause, _ON, what), length)
    what, _, length = _stretches(line)
    is_run = (what == _ON) & (length * step_s >= rule.shortest_on_s)
    on = np.repeat(is_run, length).reshape(*rows.shape[:-1], -1)[..., :-1]
    return np.asarray(on.reshape(np.shape(power)))


def runs(on: Mask) -> NDArray[np.int64]:
    """Return begin and end of each run, (k, 2), the end excluded, from the states of intervals (n,).

    >>> runs(np.array([True, False, True, True])).tolist()
    [[0, 1], [2, 4]]
    """
    if not on.size:
        return np.empty((0, 2), dtype=np.int64)
    what, first, length = _stretches(np.asarray(on, dtype=np.int8))
    is_run = what == _ON
    return np.column_stack([first[is_run], (first + length)[is_run]]).astype(np.int64)


def _stretches(line: NDArray[np.int8]) -> tuple[NDArray[np.int8], NDArray[np.int64], NDArray[np.int64]]:
    """Return value, first place and length of each stretch of equal values."""
    first = np.concatenate([[0], np.flatnonzero(np.diff(line)) + 1]).astype(np.int64)
    return line[first], first, np.diff(np.append(first, len(line)))
