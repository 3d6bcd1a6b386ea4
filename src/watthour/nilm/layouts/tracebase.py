"""Appliances that were metered alone, without a house around them: their runs are added to the mains of others.

tracebase: Reinhardt et al., On the accuracy of appliance identification based on distributed load metering data (2012),
http://www.tracebase.org, ODbL 1.0; what is made of it says: "Contains information from the tracebase data set,
available at http://www.tracebase.org under the ODbL". A file of a day, ``WaterKettle/dev_B7BEA1_2012.01.15.csv``, has
lines of a local German time, the mean power of one second and that of eight, ``15/01/2012 00:00:10;2;2``, without a
header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.nilm.appliances import known_name
from watthour.nilm.augment import Run, runs_of_device
from watthour.nilm.layouts.clocks import Clock
from watthour.nilm.layouts.samples import text_parts, unreadable
from watthour.nilm.sampling import step_means

if TYPE_CHECKING:
    from pathlib import Path

STEP_S, _HOLD_S = 10, 20
_DAY = re.compile(r"(?P<device>.+?)_\d{4}\.\d\d\.\d\d\.csv(\.gz)?")
_TABLE = re.compile(r"(?P<said>[^_.]+)(_\d+s)?\.csv(\.gz)?")


@dataclass(frozen=True, slots=True)
class DeviceFile:
    """A file of appliances that were metered alone."""

    path: Path
    said: str  # what it calls the kind of appliance
    device: str | None  # whose day it is; None: a table of several

    @property
    def kind(self) -> str | None:
        """The kind of appliance; None: one without a rule of states, such as a lamp, which has no runs."""
        return known_name(self.said)

    def runs(self, *, time_zone: str = "Europe/Berlin") -> tuple[Run, ...]:
        """Cut its runs."""
        if self.kind is None:
            return ()
        if self.device is None:
            return _table_of_devices(self.path, self.kind, time_zone)
        return _day(self.path, self.kind, self.device, time_zone)


def device_file(path: Path) -> DeviceFile:
    """Tell from its name what a file is: ``WaterKettle/dev_B7BEA1_2012.01.15.csv`` or ``WaterKettle_10s.csv``.

    Raises:
        InvalidInput: its name is neither.
    """
    if match := _DAY.fullmatch(path.name):
        return DeviceFile(path, path.parent.name, match["device"])
    if match := _TABLE.fullmatch(path.name):
        return DeviceFile(path, match["said"], None)
    problem = "its name is neither that of a device and a day nor that of a kind of appliance"
    cure = "Name it such as WaterKettle/dev_B7BEA1_2012.01.15.csv, or WaterKettle_10s.csv."
    raise InvalidInput("file", str(path), problem, remedy=cure)


def _day(path: Path, kind: str, device: str, time_zone: str) -> tuple[Run, ...]:
    """Cut the runs of a day of one device, in tracebase's own layout."""
    clock = Clock(path, time_zone)
    times, powers = [], []
    for text in text_parts(path):
        table = _read(path, text, {"time": pl.String(), "power": pl.Float32(), "of_8_s": pl.Float32()})
        times.append(clock.seconds(table["time"]))
        powers.append(table["power"].fill_null(np.nan).to_numpy())
    return _runs(kind, _device(kind, device), np.concatenate(times), np.concatenate(powers)) if times else ()


def _table_of_devices(path: Path, kind: str, time_zone: str) -> tuple[Run, ...]:
    """Cut the runs of several devices of a kind: columns time, device, power."""
    table = _read(path, b"".join(text_parts(path)), None)
    missing = [column for column in ("time", "device", "power") if column not in table.columns]
    if missing:
        raise unreadable(path, f"columns are missing: {', '.join(missing)}")
    found: list[Run] = []
    for (device,), rows in table.group_by("device", maintain_order=True):
        power = rows["power"].cast(pl.Float32).fill_null(np.nan).to_numpy()
        found += _runs(kind, _device(kind, str(device)), Clock(path, time_zone).seconds(rows["time"]), power)
    return tuple(found)


def _read(path: Path, text: bytes, schema: dict[str, pl.DataType] | None) -> pl.DataFrame:
    try:
        if schema is None:
            return pl.read_csv(BytesIO(text), infer_schema=False)
        return pl.read_csv(BytesIO(text), has_header=False, separator=";", schema=schema)
    except pl.exceptions.PolarsError as error:
        raise unreadable(path, f"it is not in this layout ({error})") from error


def _device(kind: str, said: str) -> str:
    """Name a device over all files: ``dev_B7BEA1`` and ``_B7BEA1`` are the same plug."""
    return f"tracebase/{kind}/{said.removeprefix('dev').lstrip('_')}"


def _runs(kind: str, device: str, time: np.ndarray, power: np.ndarray) -> tuple[Run, ...]:
    order = np.argsort(time, kind="stable")
    first = np.concatenate([[True], np.diff(time[order]) > 0])  # a second that was written twice counts once
    begin, mean = step_means(time[order][first], power[order][first], STEP_S, _HOLD_S)
    return runs_of_device(kind, device, STEP_S, begin, mean)
