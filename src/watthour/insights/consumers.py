"""Who uses the energy of a home: its devices by what is measured or told of them, and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.window import HOUR
from watthour.insights.load import Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from watthour.core.frames import Events
    from watthour.core.window import Window
    from watthour.insights.load import Load, Part


@dataclass(frozen=True, slots=True)
class Consumer:
    """A device, or a circuit, and what it used."""

    id: str
    name: str
    energy_kwh: float
    share: float | None  # of the home's energy; None: that is not known
    basis: str  # "readings" or "uses"
    known_share: float | None  # of the hours in which the home is known; None: of uses nobody knows


@dataclass(frozen=True, slots=True)
class Consumers:
    """What used the energy of a window."""

    window: Window
    total_kwh: float | None  # of the home in the hours that are known
    known_hours: float  # of the home
    devices: tuple[Consumer, ...]  # largest first
    circuits: tuple[Consumer, ...]  # largest first; devices hang on them, so the two are not added up
    other_kwh: float | None  # what no device explains, gaps of the devices included
    other_problem: str | None  # why it cannot be told


def consumers(
    mains: Load | None, parts: Sequence[Part], events: dy.DataFrame[Events], window: Window
) -> Consumers | Unknown:
    """Return the devices by the energy they used in a window, and what is left of the home's.

    A device counts by its readings, in the intervals in which the home is known as well; without readings by its uses
    that began in the window. Sums are never made to fit: where devices exceed the home, ``other_kwh`` is not told.
    """
    home = None if mains is None else mains.within(window)
    known = None if home is None or not home.is_known else home
    found = [each for part in parts if not part.feeds_in and (each := _consumer(part, events, window, known))]
    if known is None and not found:
        return Unknown(
            "nothing is known of the home or of any device in this time",
            "Import or send readings, or uses of devices.",
        )
    total = None if known is None else _energy(known)
    found = [
        Consumer(each.id, each.name, each.energy_kwh, _share(each.energy_kwh, total), each.basis, each.known_share)
        for each in sorted(found, key=lambda each: -each.energy_kwh)
    ]
    circuits = {part.id for part in parts if part.is_circuit}
    devices = tuple(each for each in found if each.id not in circuits)
    other, problem = _other(total, devices, feeds_in=any(part.feeds_in for part in parts))
    hours = 0.0 if known is None else known.table["power_w"].count() * (known.step / HOUR)
    return Consumers(window, total, hours, devices, tuple(e for e in found if e.id in circuits), other, problem)


def _consumer(part: Part, events: dy.DataFrame[Events], window: Window, home: Load | None) -> Consumer | None:
    load = None if part.load is None else part.load.within(window)
    if load is not None and load.is_known:
        if home is None:
            return Consumer(part.id, part.name, _energy(load), None, "readings", None)
        edge = f"{max(int(load.step.total_seconds()), int(home.step.total_seconds()))}s"
        there = home.table.drop_nulls("power_w").select(pl.col("time").dt.truncate(edge)).unique()
        both = load.table.drop_nulls("power_w").join(there, on=pl.col("time").dt.truncate(edge), how="semi")
        energy = float(both["power_w"].sum()) * (load.step / HOUR) / 1000
        hours = both.height * (load.step / HOUR)
        share = hours / (home.table["power_w"].count() * (home.step / HOUR))
        return Consumer(part.id, part.name, energy, None, "readings", min(share, 1.0))
    told = events.filter(
        pl.col("device") == part.id, pl.col("start").is_between(window.start, window.end, closed="left")
    ).drop_nulls("energy_kwh")
    if told.is_empty():
        return None
    return Consumer(part.id, part.name, float(told["energy_kwh"].sum()), None, "uses", None)


def _energy(load: Load) -> float:
    return float(load.table["power_w"].sum()) * (load.step / HOUR) / 1000


def _share(energy: float, total: float | None) -> float | None:
    return None if total is None or total <= 0 else energy / total


def _other(total: float | None, devices: Sequence[Consumer], *, feeds_in: bool) -> tuple[float | None, str | None]:
    if total is None:
        return None, "the home itself is not measured"
    if feeds_in:
        return None, "something in the home feeds in, so that the mains do not tell what is used"
    rest = total - sum(each.energy_kwh for each in devices)
    if rest < 0:
        return (
            None,
            f"the devices add up to {-rest:.1f} kWh more than the home: one of them is measured twice or wrongly",
        )
    return rest, None
