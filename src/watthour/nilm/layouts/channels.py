"""UK-DALE and REDD in their original layout: a folder for each house, and in it a file for each meter.

``house_1/labels.dat`` says which meter is which, ``house_1/channel_1.dat`` has lines of seconds since 1970 and watts.

UK-DALE: https://doi.org/10.5286/UKERC.EDC.000001, Kelly and Knottenbelt (2015), doi:10.1038/sdata.2015.7. Sampled
every 6 s; the mains are those of the current transformer, ``aggregate``, apparent power.
REDD: Kolter and Johnson (SustKDD 2011), ``low_freq``. Appliances every 3 to 4 s, two mains that are added up. Labels
such as ``kitchen_outlets`` are no appliance of a known kind and are left out; ``dishwaser`` is its own spelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput
from watthour.nilm.appliances import known_name
from watthour.nilm.layouts.samples import MAINS, Meters, SampledHouse, labels, left_out_by, numbered, seconds_and_watts

if TYPE_CHECKING:
    from pathlib import Path

_MAINS_ARE_CALLED = ("aggregate", "mains")


def ukdale_houses(folder: Path) -> tuple[SampledHouse, ...]:
    """Return the houses of a folder of UK-DALE, which are named ``ukdale-1`` and so on.

    A sample holds for 12 s: the sensors send every 6 s, of which some are lost.
    """
    return _houses(folder, "ukdale", every_s=6, hold_s=12)


def redd_houses(folder: Path) -> tuple[SampledHouse, ...]:
    """Return the houses of REDD's ``low_freq``, which are named ``redd-1`` and so on.

    A sample holds for 20 s: of the appliances, sampled every 3 to 4 s, several in a row are often lost.
    """
    return _houses(folder, "redd", every_s=4, hold_s=20)


def _houses(folder: Path, data_set: str, *, every_s: float, hold_s: int) -> tuple[SampledHouse, ...]:
    homes = [path for path in folder.glob("house_*") if path.is_dir() and path.name[6:].isdigit()]
    if not homes:
        problem = "it has no folders house_1, house_2 and so on"
        raise InvalidInput("folder", str(folder), problem, remedy="Name the folder that holds those of the houses.")
    in_order = sorted(homes, key=lambda path: int(path.name[6:]))
    return tuple(_house(path, f"{data_set}-{path.name[6:]}", every_s, hold_s) for path in in_order)


def _house(folder: Path, name: str, every_s: float, hold_s: int) -> SampledHouse:
    path = folder / "labels.dat"
    if not path.exists():
        raise InvalidInput(
            "file", str(path), f"{name}: it is missing", remedy="It belongs to the data set: copy it as well."
        )
    said = labels(path)
    kinds = {number: MAINS if label in _MAINS_ARE_CALLED else known_name(label) for number, label in said.items()}
    if MAINS not in kinds.values():
        problem = f"{name}: none of its meters is called {' or '.join(_MAINS_ARE_CALLED)}"
        raise InvalidInput("file", str(path), problem, remedy="Leave this house out, or name its mains there.")
    used = {number: kind for number, kind in kinds.items() if kind is not None}
    files = {number: folder / f"channel_{number}.dat" for number in used}
    missing = [file.name for file in files.values() if not file.exists()]
    if missing:
        problem = f"{name}: labels.dat names {', '.join(missing)}, which is missing"
        raise InvalidInput("file", str(folder), problem, remedy="Copy it as well, or take its line out of labels.dat.")
    columns = numbered(list(used.values()))
    meters = tuple(
        Meters((files[number],), seconds_and_watts(column)) for number, column in zip(used, columns, strict=True)
    )
    left_out = [label for number, label in said.items() if kinds[number] is None]
    remarks = left_out_by(name, "meters", left_out)
    reading = f"channels {list(zip(used, columns, strict=True))} hold {hold_s} s"
    return SampledHouse(name, meters, every_s, hold_s, reading, remarks)
