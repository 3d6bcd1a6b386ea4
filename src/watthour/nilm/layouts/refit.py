"""REFIT in its cleaned layout: a file ``CLEAN_House1.csv`` for each house.

Murray, Stankovic and Stankovic (2017), doi:10.1038/sdata.2016.122; https://doi.org/10.15129/9ab14b0e-19ac-4279-938f-27f643078cec.
Columns: Time (local), Unix, Aggregate, Appliance1 to Appliance9, Issues; every 6 to 8 s, only where a load changed,
filled forward. Gaps longer than 2 minutes were filled with 0 by its authors: mains of 0 W are therefore unknown here.
Rows in which the appliances exceed the mains are marked (Issues = 1) and are left out.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.nilm.layouts.samples import MAINS, Meters, SampledHouse, numbered, text_parts, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Part: TypeAlias = tuple[NDArray[np.int64], Mapping[str, NDArray[np.float32]]]

# Which of the nine is which, by the list of appliances that comes with the data (REFIT_Readme.txt). Left out: sites of
# several devices, what was exchanged for something else during the study, and two appliances on one meter.
APPLIANCES: dict[int, dict[int, str]] = {
    1: {1: "fridge", 2: "freezer", 3: "freezer", 4: "tumble_dryer", 5: "washing_machine", 6: "dishwasher"},
    2: {1: "fridge", 2: "washing_machine", 3: "dishwasher", 4: "television", 5: "microwave", 6: "toaster", 8: "kettle"},
    3: {
        1: "toaster", 2: "fridge", 3: "freezer", 4: "tumble_dryer", 5: "dishwasher", 6: "washing_machine",
        7: "television", 8: "microwave", 9: "kettle",
    },
    4: {
        1: "fridge", 2: "freezer", 3: "fridge", 4: "washing_machine", 5: "washing_machine", 8: "microwave", 9: "kettle",
    },
    5: {1: "fridge", 3: "washing_machine", 4: "dishwasher", 8: "kettle", 9: "toaster"},
    6: {1: "freezer", 2: "washing_machine", 3: "dishwasher", 6: "microwave", 7: "kettle", 8: "toaster"},
    7: {
        1: "fridge", 2: "freezer", 3: "freezer", 4: "tumble_dryer", 5: "washing_machine", 6: "dishwasher", 8: "toaster",
        9: "kettle",
    },
    8: {1: "fridge", 2: "freezer", 3: "tumble_dryer", 4: "washing_machine", 8: "microwave", 9: "kettle"},
    9: {1: "fridge", 2: "washing_machine", 3: "washing_machine", 4: "dishwasher", 6: "microwave", 7: "kettle"},
    10: {3: "freezer", 4: "fridge", 5: "washing_machine", 6: "dishwasher", 8: "microwave"},
    12: {1: "fridge", 3: "microwave", 4: "kettle", 5: "toaster"},
    13: {3: "washing_machine", 4: "dishwasher", 8: "microwave", 9: "kettle"},
    15: {
        1: "fridge", 2: "tumble_dryer", 3: "washing_machine", 4: "dishwasher", 7: "microwave", 8: "kettle",
        9: "toaster",
    },
    16: {1: "fridge", 2: "fridge", 5: "washing_machine", 6: "dishwasher"},
    17: {1: "freezer", 2: "fridge", 3: "tumble_dryer", 4: "washing_machine", 7: "microwave"},
    18: {
        1: "fridge", 2: "freezer", 3: "fridge", 4: "washing_machine", 5: "washing_machine", 6: "dishwasher",
        7: "computer", 9: "microwave",
    },
    19: {2: "washing_machine", 4: "microwave", 5: "kettle", 6: "toaster"},
    20: {
        1: "fridge", 2: "freezer", 3: "tumble_dryer", 4: "washing_machine", 5: "dishwasher", 8: "microwave",
        9: "kettle",
    },
}  # fmt: skip
_SOLAR = (11, 21)  # their mains are affected by solar panels, says the list, and nobody metered these
_FILE = re.compile(r"CLEAN_House(\d+)\.csv(\.gz)?")
_EVERY_S, _HOLD_S = 8, 30


def refit_houses(folder: Path) -> tuple[SampledHouse, ...]:
    """Return the houses of a folder of REFIT, ``refit-1`` and so on, without those with solar panels."""
    found = {int(match[1]): path for path in folder.iterdir() if (match := _FILE.fullmatch(path.name))}
    if not found:
        problem = "it has no files CLEAN_House1.csv and so on"
        raise InvalidInput("folder", str(folder), problem, remedy="Name the folder that holds the files of the houses.")
    return tuple(refit_house(found[number]) for number in sorted(found) if number not in _SOLAR)


def refit_house(path: Path) -> SampledHouse:
    """Return the house of one file.

    Raises:
        InvalidInput: its mains are affected by solar panels, or REFIT has no such house.
    """
    match = _FILE.fullmatch(path.name)
    number = int(match[1]) if match else -1
    if number in _SOLAR:
        problem = "the mains of this house are affected by solar panels that were not metered"
        raise InvalidInput("file", str(path), problem, remedy="Leave it out.")
    if number not in APPLIANCES:
        problem = "it is none of REFIT's files"
        raise InvalidInput("file", str(path), problem, remedy="Name one such as CLEAN_House2.csv.")
    kinds = APPLIANCES[number]
    columns = {f"Appliance{place}": name for place, name in zip(kinds, numbered(list(kinds.values())), strict=True)}

    def read(path: Path) -> Iterator[Part]:
        return _parts(path, columns)

    reading = f"REFIT {sorted(columns.items())} hold {_HOLD_S} s"
    return SampledHouse(f"refit-{number}", (Meters((path,), read),), _EVERY_S, _HOLD_S, reading)


def _parts(path: Path, columns: Mapping[str, str]) -> Iterator[Part]:
    header: list[str] | None = None
    for text in text_parts(path):
        content = text
        if header is None:
            first, _, content = text.partition(b"\n")
            header = first.decode("utf-8-sig").strip().split(",")
            missing = [name for name in ("Unix", "Aggregate", *columns) if name not in header]
            if missing:
                raise unreadable(path, f"columns are missing: {', '.join(missing)}")
        if not content.strip():
            continue
        wanted = {"Unix": pl.Int64(), "Aggregate": pl.Float32(), "Issues": pl.Int64()} | dict.fromkeys(
            columns, pl.Float32()
        )
        schema = {name: wanted.get(name, pl.String()) for name in header}
        try:
            table = pl.read_csv(BytesIO(content), has_header=False, schema=schema)
        except pl.exceptions.PolarsError as error:
            raise unreadable(path, f"a row is not in REFIT's layout ({error})") from error
        mains = table["Aggregate"].fill_null(np.nan).to_numpy()
        faulty = mains <= 0
        if "Issues" in header:
            faulty |= table["Issues"].fill_null(0).to_numpy() != 0
        powers = {name: table[column].fill_null(np.nan).to_numpy() for column, name in columns.items()}
        yield table["Unix"].to_numpy(), {MAINS: np.where(faulty, np.float32(np.nan), mains), **powers}
