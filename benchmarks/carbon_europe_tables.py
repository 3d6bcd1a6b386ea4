"""The tables of ``carbon.py`` for countries of Europe: generation by fuel, and Ireland's official intensity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.carbon.factors import factor_of
from watthour.carbon.intensity import production_intensity
from watthour.core.carbon import Scope
from watthour.core.frames import INSTANT

if TYPE_CHECKING:
    from pathlib import Path

FUELS = {  # as the tables call them, without _mw -> as we do, where these differ
    "nat_gas": "gas",
    "fossil_brown_coal_lignite": "lignite",
    "fossil_coal_derived_gas": "coal_gas",
    "fossil_gas": "gas",
    "fossil_hard_coal": "hard_coal",
    "fossil_oil": "oil",
    "fossil_oil_shale": "oil_shale",
    "fossil_peat": "peat",
    "hydro_run_of_river_and_poundage": "hydro_run_of_river",
    "hydro_water_reservoir": "hydro_reservoir",
}
PUMPING = "hydro_pumped_storage_consumption_mw"  # is use, not generation
OFFICIAL = "IE_15min_no_forecast"
HOUR = "1h"


def table_of(folder: Path, name: str, *, is_official: bool) -> pl.DataFrame:
    """Return ``time, direct, lifecycle`` [gCO2e/kWh] and the generation of each fuel [MWh] of every hour since 2020.

    An official intensity is one figure, which stands for both, and has no fuels beside it. Hours that are not known
    are null.
    """
    table = _official(folder) if is_official else _by_fuel(folder, name)
    first, last = (table["time"].min(), table["time"].max())
    hours = pl.DataFrame({"time": pl.datetime_range(first, last, HOUR, eager=True)})  # type: ignore[arg-type]
    return hours.join(table, on="time", how="left", maintain_order="left")


def _by_fuel(folder: Path, name: str) -> pl.DataFrame:
    path = folder / "europe" / "generation"
    (file,) = (each for each in (path / f"{name}.parquet", path / f"{name}_2019_2021.parquet") if each.exists())
    table = _since_2020(pl.read_parquet(file)).drop(PUMPING, strict=False)
    named = {column: column.removesuffix("_mw") for column in table.columns if column.endswith("_mw")}
    table = table.rename({column: FUELS.get(fuel, fuel) for column, fuel in named.items()})
    fuels = [column for column in table.columns if column != "time" and (table[column] > 0).any()]
    made = table.select(pl.col(fuels).cast(pl.Float64))
    intensities = {
        str(scope): production_intensity(made.to_numpy(), np.array([factor_of(fuel).of(scope) for fuel in fuels]))
        for scope in (Scope.DIRECT, Scope.LIFECYCLE)
    }
    known = {scope: pl.Series(values).fill_nan(None) for scope, values in intensities.items()}
    return table.select("time", **known).hstack(made)


def _official(folder: Path) -> pl.DataFrame:
    table = _since_2020(pl.read_parquet(folder / "europe" / "load" / f"{OFFICIAL}.parquet"))
    intensity = pl.col("co2_intensity_g_per_kwh").cast(pl.Float64).mean()
    hours = table.group_by(pl.col("time").dt.truncate(HOUR)).agg(direct=intensity, lifecycle=intensity)
    return hours.sort("time")


def _since_2020(table: pl.DataFrame) -> pl.DataFrame:
    named = table.rename({"start_utc": "time"}).with_columns(pl.col("time").cast(INSTANT))
    return named.filter(pl.col("time").dt.year().is_between(2020, 2021)).sort("time")
