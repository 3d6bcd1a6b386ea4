"""The tables of ``carbon.py``: intensity, weather as it was issued, and what CarbonCast forecast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from carbon_europe_tables import table_of as europe_of

from watthour.carbon.factors import GENERAL
from watthour.carbon.intensity import production_intensity
from watthour.core.carbon import Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.channel import Site, SiteKind
from watthour.core.forecast import Context, History, covariates_of
from watthour.core.frames import INSTANT, Forecasts, Maker, Readings
from watthour.core.place import Place, Point
from watthour.core.weather import HOURLY, weather_channels
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.channel import Channel

    Array = NDArray[np.float64]

KELVIN = 273.15
WEATHER = {
    "temp_k": "temperature_2m",
    "dewpoint_k": "dew_point_2m",
    "wind_ms": "wind_speed_10m",
    "dswrf_wm2": "shortwave_radiation",
    "precip_kgm2": "precipitation",
}
FUELS = {"nat_gas": "gas"}  # as CarbonCast calls them -> as we do
CARBONCAST, BY_FUEL, OFFICIAL = "carboncast", "by_fuel", "official"  # where an intensity comes from
N_HOURS, N_STEPS, STEP_HOURS = 96, 33, 3
NY = {"TEMP": "temp_k", "DPT": "dewpoint_k", "WIND_SPEED": "wind_ms", "DSWRF": "dswrf_wm2", "PCP": "precip_kgm2"}


@dataclass(frozen=True, slots=True)
class Region:
    """A region of the tables."""

    name: str
    zone: str
    holidays: str
    source: str = CARBONCAST


REGIONS = (
    Region("NYISO", "America/New_York", "US-NY"),
    Region("PJM", "America/New_York", "US"),
    Region("CISO", "America/Los_Angeles", "US-CA"),
    Region("FPL", "America/New_York", "US-FL"),
    Region("DE", "Europe/Berlin", "DE"),
)
EUROPE = (
    Region("ES", "Europe/Madrid", "ES", BY_FUEL),
    Region("FI", "Europe/Helsinki", "FI", BY_FUEL),
    Region("NL", "Europe/Amsterdam", "NL", BY_FUEL),
    Region("PL", "Europe/Warsaw", "PL", BY_FUEL),
    Region("SE", "Europe/Stockholm", "SE", BY_FUEL),
    Region("IE", "Europe/Dublin", "IE", OFFICIAL),
)


def actual_of(folder: Path, region: Region) -> pl.DataFrame:
    """Return ``time, direct, lifecycle`` of every hour [gCO2e/kWh]; null where it is not known."""
    if region.source != CARBONCAST:
        table = europe_of(folder, region.name, is_official=region.source == OFFICIAL)
        return table.select("time", "direct", "lifecycle")
    table = pl.read_csv(folder / "carbon" / f"{region.name}_actual_2020_2021.csv.gz")
    return table.select(
        _instant("utc_time").alias("time"),
        pl.col("ci_direct_g_per_kwh").alias("direct"),
        pl.col("ci_lifecycle_g_per_kwh").alias("lifecycle"),
    ).sort("time")


def generation_of(folder: Path, region: Region, site: Site) -> dict[str, pl.DataFrame]:
    """Return ``time`` and the generation of every hour [MWh] of each fuel, by its channel."""
    if region.source != CARBONCAST:
        table = europe_of(folder, region.name, is_official=region.source == OFFICIAL)
        fuels = [name for name in table.columns if name not in {"time", "direct", "lifecycle"}]
        return {f"{site.prefix}.generation.{name}": table.select("time", name) for name in fuels}
    table = pl.read_csv(folder / "carbon" / f"{region.name}_actual_2020_2021.csv.gz").sort("utc_time")
    names = [name.removesuffix("_mwh") for name in table.columns if name.endswith("_mwh")]
    return {
        f"{site.prefix}.generation.{FUELS.get(name, name)}": table.select(
            _instant("utc_time").alias("time"), pl.col(f"{name}_mwh").cast(pl.Float64)
        )
        for name in names
    }


def first_tier_of(folder: Path, region: Region, issues: pl.Series, scope: Scope) -> list[Array]:
    """Return CarbonCast's forecasts, (issues, 96) each: as it published them, and from its forecasts of the fuels.

    The two differ in all hours of NYISO, and from the second day on in CISO.
    """
    table = pl.read_csv(folder / "carbon" / f"{region.name}_forecast96h_jul_dec_2021.csv.gz")
    table = table.with_columns(_instant("issue_utc"), _instant("utc_time")).sort("issue_utc", "utc_time")
    table = table.filter(pl.col("issue_utc").is_in(issues.implode()))
    fuels = [name for name in table.columns if name.endswith("_mwh_forecast")]
    names = [name.removesuffix("_mwh_forecast") for name in fuels]
    factors = np.array([GENERAL[FUELS.get(name, name)].of(scope) for name in names])
    made = production_intensity(table.select(pl.col(fuels).cast(pl.Float64)).to_numpy(), factors)
    published = table[f"forecast_{scope}"].cast(pl.Float64).to_numpy()
    return [each.reshape(-1, N_HOURS) for each in (published, made)]


def history_of(folder: Path, region: Region, weather_delay: timedelta) -> History:
    """Return everything the tables say, each value known from when it could be known.

    Args:
        folder: of all data.
        region: whose.
        weather_delay: after which a run of GFS can be read.
    """
    site = Site(region.name.lower(), region.name, SiteKind.REGION, Place(region.zone, holidays=region.holidays))
    kind = CarbonKind(Basis.AVERAGE, Scope.DIRECT, Side.PRODUCTION)
    channel = carbon_channel(site, "official" if region.source == OFFICIAL else "mix", kind, HOUR)
    fuels = generation_of(folder, region, site)
    named = [(channel.id, actual_of(folder, region).select("time", "direct")), *fuels.items()]
    readings = pl.concat(
        table.select(
            pl.lit(name).alias("channel"),
            "time",
            (pl.col("time") + HOUR).alias("available_at"),
            (pl.col("time") + HOUR).alias("recorded_at"),
            pl.nth(1).alias("value"),
            pl.lit(0, pl.Int16).alias("quality"),
        )
        for name, table in ((name, table.drop_nulls()) for name, table in named)
    )
    channels, forecasts = _weather_of(folder, region, site, weather_delay)
    return History(
        datetime(2022, 1, 2, tzinfo=UTC),
        Context(site, channel, covariates_of(channels), companions=tuple(fuels)),
        Readings.cast(readings),
        forecasts,
    )


def _weather_of(
    folder: Path, region: Region, site: Site, delay: timedelta
) -> tuple[Sequence[Channel], dy.DataFrame[Forecasts]]:
    """Return the channels of weather that there is, and what was said of it."""
    if not _runs_of(folder, region).exists():
        return (), Forecasts.create_empty()
    centre = Point("mean", 0.0, 0.0)  # the weather is a mean over the region; nothing asks where that is
    channels = weather_channels(site, [centre], {name: HOURLY[name] for name in WEATHER.values()})
    gfs = gfs_of(folder, region)
    forecasts = pl.concat(
        gfs.drop_nulls(each.variable).select(
            pl.lit(each.id).alias("channel"),
            "time",
            "issued_at",
            pl.lit("gfs").alias("model"),
            pl.lit(0.5).alias("level"),
            pl.lit(str(Maker.RIVAL)).alias("maker"),
            (pl.col("issued_at") + delay).alias("available_at"),
            (pl.col("issued_at") + delay).alias("recorded_at"),
            pl.col(str(each.variable)).alias("value"),
            pl.lit(0, pl.Int16).alias("quality"),
        )
        for each in channels
    )
    return channels, Forecasts.cast(forecasts)


def gfs_of(folder: Path, region: Region) -> pl.DataFrame:
    """Return GFS as issued at 00 UTC: ``issued_at, time`` and each variable, hour by hour for 96 hours."""
    table, is_apart = _runs(folder, region)
    issues = table["issued_at"].unique().sort()
    row = table["issued_at"].rank("dense").to_numpy().astype(np.int64) - 1
    step = table["lead_hour"].cast(pl.Int64).to_numpy() // STEP_HOURS
    columns = {}
    for name, variable in WEATHER.items():
        values = np.full((len(issues), N_STEPS), np.nan)
        values[row, step] = table[name].cast(pl.Float64).to_numpy()
        columns[variable] = pl.Series(_hourly(name, values, is_apart=is_apart).ravel()).fill_nan(None)
    hours = pl.DataFrame({"lead": np.arange(N_HOURS)})
    times = pl.DataFrame({"issued_at": issues}).join(hours, how="cross", maintain_order="left_right")
    time = (pl.col("issued_at") + pl.duration(hours="lead")).alias("time")
    return times.select("issued_at", time).with_columns(**columns)


def _runs_of(folder: Path, region: Region) -> Path:
    """Return the file of a region's runs, which is not there where none are known."""
    if region.name == "NYISO":
        return folder / "grid" / "ny_gfs_issued_2019_2021.parquet"
    europe = folder / "europe" / "weather" / f"{region.name}_gfs_issued_2019_2021.parquet"
    is_european = region.zone.startswith("Europe/")
    return europe if is_european else folder / "carbon" / f"{region.name}_gfs_forecast_by_issue_2019_2021.csv.gz"


def _runs(folder: Path, region: Region) -> tuple[pl.DataFrame, bool]:
    """Return the table of runs, and whether its fluxes are already those of three hours each."""
    path = _runs_of(folder, region)
    if path.suffix == ".gz":
        return pl.read_csv(path).with_columns(_instant("issue_utc").alias("issued_at")), False
    issued = pl.col("issue_utc").cast(INSTANT).alias("issued_at")
    if region.name != "NYISO":
        table = pl.read_parquet(path).rename(lambda name: name.removesuffix("_last3h"))
        return table.rename({"lead_h": "lead_hour"}).with_columns(issued), True
    long = pl.read_parquet(path).with_columns(pl.col("var").cast(pl.String))
    wide = long.pivot("var", index=["issue_utc", "lead_h"], values="value")
    return wide.rename({**NY, "lead_h": "lead_hour"}).with_columns(issued), False


def _hourly(name: str, values: Array, *, is_apart: bool) -> Array:
    """Return values at the middles of hours from those of every third hour, (runs, 33): (runs, 96)."""
    steps = np.arange(N_STEPS) * float(STEP_HOURS)
    if name in {"dswrf_wm2", "precip_kgm2"}:
        apart = values.copy()
        if not is_apart:
            # GFS tells the mean (of rain the sum) since the last whole six hours: windows of 3 h and of 6 h in turn
            whole = 2 * values[:, 2::2] if name == "dswrf_wm2" else values[:, 2::2]
            apart[:, 2::2] = whole - values[:, 1::2]
        values, steps = np.maximum(apart[:, 1:], 0.0), steps[1:] - STEP_HOURS / 2
    elif name != "wind_ms":
        values = values - KELVIN
    middles = np.arange(N_HOURS) + 0.5
    found = np.full((len(values), N_HOURS), np.nan)
    for row, each in enumerate(values):
        known = np.isfinite(each)
        if known.any():
            found[row] = np.interp(middles, steps[known], each[known])
    return found


def _instant(column: str) -> pl.Expr:
    return pl.col(column).str.to_datetime("%Y-%m-%dT%H:%MZ", time_unit="us", time_zone="UTC")
