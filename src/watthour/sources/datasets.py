"""Published research tables of grid demand and issued weather, recognised by their columns.

Four layouts: hourly demand with the operator's day-ahead forecast (EIA-930 copies), NYISO's station weather forecasts
as issued, GFS forecasts as issued, and observed weather of cities. Times named ``period`` are UTC and name the end of
the hour, as EIA does; they are shifted once, here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Channel
from watthour.core.errors import InvalidInput, UnknownRegion
from watthour.core.frames import Forecasts, Quality, Readings, Refused, rows_with_reasons
from watthour.core.ports import Delivery
from watthour.core.region import WEATHER_VARIABLES, Region, find_region
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.vintage import stamp
from watthour.core.window import DAY, HOUR, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from watthour.core.channel import Site

DEMAND_LAG = timedelta(hours=2)  # EIA posts an hour of demand one to two hours after its end
OPERATOR_POSTS_AT = time(7, 5)  # NYISO posts the forecast of day D about 07:05 to 07:55 local on day D-1
STATION_POSTS_AT = time(8)  # NYISO's station weather is made about 08:00 local
GFS_DELAY = timedelta(hours=5)  # a 00Z run can be read four to five hours later
OBSERVED_LAG = timedelta(days=5)  # ERA5 reanalysis

_INSTANT = pl.Datetime("us", "UTC")
_STATION_COLUMNS = {
    "max_temp_f": "temperature_max",
    "min_temp_f": "temperature_min",
    "max_wet_bulb_f": "wet_bulb_max",
    "min_wet_bulb_f": "wet_bulb_min",
}
_MISSING_BELOW_F = -60.0  # the station files write -99 and -999 for missing
_GFS_VARIABLES = {
    "TEMP": ("temperature_2m", Unit.KELVIN),
    "DPT": ("dew_point_2m", Unit.KELVIN),
    "WIND_SPEED": ("wind_speed_10m", Unit.METRE_PER_SECOND),
    "DSWRF": ("shortwave_radiation", Unit.WATT_PER_SQUARE_METRE),
    "PCP": ("precipitation", Unit.MILLIMETRE),  # 1 kg/m2 of water is 1 mm
}
_OBSERVED_COLUMNS = {
    "temp_f": ("mean", "temperature_2m", Unit.FAHRENHEIT),
    "temp_f_nyc": ("nyc", "temperature_2m", Unit.FAHRENHEIT),
    "temp_f_buffalo": ("buffalo", "temperature_2m", Unit.FAHRENHEIT),
    "temp_f_albany": ("albany", "temperature_2m", Unit.FAHRENHEIT),
    "temp_f_syracuse": ("syracuse", "temperature_2m", Unit.FAHRENHEIT),
    "humidity_pct": ("mean", "relative_humidity_2m", Unit.PERCENT),
    "cloud_pct": ("mean", "cloud_cover", Unit.PERCENT),
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """One recognised table as a source."""

    path: Path
    region: Region
    layout: str  # a key of LAYOUTS

    @property
    def name(self) -> str:
        """The layout and the region, so that two files of the same kind share their history."""
        return f"{self.layout}:{self.region.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region's site."""
        return (self.region.site(),)

    def channels(self) -> Sequence[Channel]:
        """Return the channels this table fills."""
        return LAYOUTS[self.layout].channels(self.region, self._table())

    def span(self) -> Window:
        """Return the window that covers every row."""
        column = LAYOUTS[self.layout].time_column
        first, last = (
            self._table().select(pl.col(column).min().alias("first"), pl.col(column).max().alias("last")).row(0)
        )
        midnight = time(tzinfo=UTC)
        begin = first if isinstance(first, datetime) else datetime.combine(first, midnight)
        end = last if isinstance(last, datetime) else datetime.combine(last, midnight)
        return Window(begin.replace(tzinfo=UTC) - DAY, end.replace(tzinfo=UTC) + 6 * DAY)  # GFS leads reach 4 days

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        """Return the table's rows whose interval starts in the window."""
        readings, forecasts = LAYOUTS[self.layout].parse(self.region, self._table())
        inside = pl.col("time").is_between(window.start, window.end, closed="left")
        moment = pl.lit(now)
        good_readings, refused_readings = rows_with_reasons(
            Readings,
            stamp(readings.filter(inside), pl.col("published"), now=now, watched_from=watched_from).drop("published"),
            source=self.name,
            recorded_at=moment,
        )
        stamped = stamp(forecasts.filter(inside), pl.col("published"), now=now, watched_from=watched_from)
        good_forecasts, refused_forecasts = rows_with_reasons(
            Forecasts,
            stamped.with_columns(level=pl.lit(0.5)).drop("published"),
            source=self.name,
            recorded_at=moment,
        )
        return Delivery(
            Readings.cast(good_readings),
            Forecasts.cast(good_forecasts),
            Refused.cast(pl.concat([refused_readings, refused_forecasts])),
        )

    def _table(self) -> pl.DataFrame:
        table = (
            pl.read_parquet(self.path)
            if self.path.suffix == ".parquet"
            else pl.read_csv(self.path, try_parse_dates=True)
        )
        if "respondent" in table.columns:
            table = table.filter(pl.col("respondent").cast(pl.String) == (self.region.eia_respondent or ""))
        return table


def recognise(path: Path, region: Region | None = None) -> list[Dataset]:
    """Return the sources a table file holds, one per region; none if no layout fits.

    Args:
        path: a Parquet or CSV file.
        region: whose it is, where the table does not say; else the file name's first word must name it.

    Raises:
        InvalidInput: the layout is known, but not whose it is.
    """
    if path.suffix == ".parquet":
        columns = set(pl.read_parquet_schema(path))
    elif path.suffix == ".csv":
        columns = set(pl.read_csv(path, n_rows=0).columns)
    else:
        return []
    layout = next((name for name, layout in LAYOUTS.items() if layout.needs <= columns), None)
    if layout is None:
        return []
    if "respondent" in columns:
        table = pl.read_parquet(path, columns=["respondent"]) if path.suffix == ".parquet" else pl.read_csv(path)
        return [
            Dataset(path, find_region(name), layout) for name in sorted(table["respondent"].cast(pl.String).unique())
        ]
    return [Dataset(path, region or _named_by(path), layout)]


def _named_by(path: Path) -> Region:
    word = path.stem.split("_")[0]
    try:
        return find_region(word)
    except UnknownRegion as error:
        raise InvalidInput(
            "region", path.name, "the file does not say whose it is", remedy="Name it with --region."
        ) from error


@dataclass(frozen=True, slots=True)
class Layout:
    """One way of laying out a table."""

    needs: frozenset[str]  # columns that tell it
    time_column: str
    channels: Callable[[Region, pl.DataFrame], list[Channel]]
    parse: Callable[[Region, pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]  # readings, forecasts


def parse_demand(region: Region, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn hourly demand and the operator's forecast into rows; zeros stay, leading and trailing nulls are no rows."""
    rows = table.select(
        pl.lit(region.demand).alias("channel"),
        (pl.col("period").cast(_INSTANT) - HOUR).alias("time"),
        pl.col("demand_mwh").cast(pl.Float64),
        pl.col("day_ahead_forecast_mwh").cast(pl.Float64)
        if "day_ahead_forecast_mwh" in table.columns
        else pl.lit(None, pl.Float64).alias("day_ahead_forecast_mwh"),
    ).sort("time")
    known = rows.filter(pl.col("demand_mwh").is_not_null())["time"]
    readings = rows.filter(pl.col("time").is_between(known.min(), known.max())).select(
        "channel", "time", pl.col("demand_mwh").alias("value"), (pl.col("time") + HOUR + DEMAND_LAG).alias("published")
    )
    eve = pl.col("time").dt.convert_time_zone(region.time_zone).dt.date() - DAY
    forecasts = rows.drop_nulls("day_ahead_forecast_mwh").select(
        "channel",
        "time",
        _local_instant(eve, OPERATOR_POSTS_AT, region.time_zone).alias("issued_at"),
        pl.lit("operator").alias("model"),
        pl.col("day_ahead_forecast_mwh").alias("value"),
        # A zero is no forecast of a region's load; it is kept and doubted, as a zero demand is.
        pl.when(pl.col("day_ahead_forecast_mwh") == 0)
        .then(int(Quality.ZERO))
        .otherwise(0)
        .cast(pl.Int16)
        .alias("quality"),
    )
    return readings, forecasts.with_columns(published=pl.col("issued_at"))


def parse_stations(region: Region, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn daily station extremes, forecast and actual, into rows named by the start of their local day."""
    long = (
        table.with_columns(pl.col("station_id").cast(pl.String).str.to_lowercase())
        .unpivot(list(_STATION_COLUMNS), index=["made_date", "valid_date", "kind", "station_id"])
        .drop_nulls("value")
    )
    factor, offset = conversion(Unit.FAHRENHEIT, Unit.CELSIUS)
    rows = long.select(
        pl.format(
            "grid.{}.weather.{}.{}",
            pl.lit(region.id),
            "station_id",
            pl.col("variable").replace_strict(_STATION_COLUMNS),
        ).alias("channel"),
        _local_instant(pl.col("valid_date"), time(), region.time_zone).alias("time"),
        _local_instant(pl.col("made_date"), STATION_POSTS_AT, region.time_zone).alias("published"),
        (pl.col("value").cast(pl.Float64) * factor + offset).alias("value"),
        pl.when(pl.col("value") < _MISSING_BELOW_F)
        .then(int(Quality.OUT_OF_RANGE))
        .otherwise(0)
        .cast(pl.Int16)
        .alias("quality"),
        "kind",
    )
    actuals = rows.filter(pl.col("kind") == "actual").drop("kind")
    forecasts = rows.filter(pl.col("kind") == "forecast").drop("kind")
    return actuals, forecasts.with_columns(issued_at=pl.col("published"), model=pl.lit("nyiso"))


def parse_gfs(region: Region, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn GFS runs, a mean over the region, into forecasts by issue."""
    known = pl.DataFrame(
        [
            (name, variable, *conversion(unit, WEATHER_VARIABLES[variable][1]))
            for name, (variable, unit) in _GFS_VARIABLES.items()
        ],
        schema=["var", "variable", "factor", "offset"],
        orient="row",
    )
    forecasts = (
        table.with_columns(pl.col("var").cast(pl.String), pl.col("issue_utc").cast(_INSTANT))
        .join(known, on="var")
        .select(
            pl.format("grid.{}.weather.mean.{}", pl.lit(region.id), "variable").alias("channel"),
            (pl.col("issue_utc") + pl.duration(hours=pl.col("lead_h").cast(pl.Int64))).alias("time"),
            pl.col("issue_utc").alias("issued_at"),
            pl.lit("gfs").alias("model"),
            (pl.col("value").cast(pl.Float64) * pl.col("factor") + pl.col("offset")).alias("value"),
            (pl.col("issue_utc") + GFS_DELAY).alias("published"),
        )
    )
    return _no_readings(), forecasts


def parse_observed(region: Region, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn observed city weather into readings, which nobody knew before they were published."""
    parts: list[pl.DataFrame] = []
    for column, (point, variable, unit) in _OBSERVED_COLUMNS.items():
        if column in table.columns:
            factor, offset = conversion(unit, WEATHER_VARIABLES[variable][1])
            parts.append(
                table.drop_nulls(column).select(
                    pl.lit(f"grid.{region.id}.weather.{point}.{variable}").alias("channel"),
                    pl.col("timestamp_utc").cast(_INSTANT).alias("time"),
                    (pl.col(column).cast(pl.Float64) * factor + offset).alias("value"),
                    (pl.col("timestamp_utc").cast(_INSTANT) + OBSERVED_LAG).alias("published"),
                )
            )
    return pl.concat(parts), _no_forecasts()


def _demand_channels(region: Region, _table: pl.DataFrame) -> list[Channel]:
    return [region.energy_channel()]


def _station_channels(region: Region, table: pl.DataFrame) -> list[Channel]:
    stations = sorted(table["station_id"].cast(pl.String).str.to_lowercase().unique())
    return [
        Channel(f"{region.weather_prefix(station)}.{variable}", region.id, Quantity.TEMPERATURE, Unit.CELSIUS, DAY)
        for station in stations
        for variable in _STATION_COLUMNS.values()
    ]


def _weather_channel(region: Region, point: str, variable: str) -> Channel:
    quantity, unit = WEATHER_VARIABLES[variable]
    return Channel(f"{region.weather_prefix(point)}.{variable}", region.id, quantity, unit)


def _gfs_channels(region: Region, _table: pl.DataFrame) -> list[Channel]:
    return [_weather_channel(region, "mean", variable) for variable, _ in _GFS_VARIABLES.values()]


def _observed_channels(region: Region, table: pl.DataFrame) -> list[Channel]:
    return [
        _weather_channel(region, point, variable)
        for column, (point, variable, _) in _OBSERVED_COLUMNS.items()
        if column in table.columns
    ]


def _local_instant(day: pl.Expr, clock: time, time_zone: str) -> pl.Expr:
    """Return a clock time of a local day, in UTC; none of the clock times used here is ever skipped or repeated."""
    naive = day.cast(pl.Date).dt.combine(clock, time_unit="us")
    return naive.dt.replace_time_zone(time_zone, ambiguous="earliest").dt.convert_time_zone("UTC")


def _no_readings() -> pl.DataFrame:
    return Readings.create_empty().select("channel", "time", "value", pl.col("time").alias("published"))


def _no_forecasts() -> pl.DataFrame:
    return Forecasts.create_empty().select(
        "channel", "time", "issued_at", "model", "value", pl.col("time").alias("published")
    )


LAYOUTS: dict[str, Layout] = {
    "demand": Layout(
        frozenset({"period", "demand_mwh", "day_ahead_forecast_mwh"}), "period", _demand_channels, parse_demand
    ),
    "station_weather": Layout(
        frozenset({"made_date", "valid_date", "kind", "station_id", *_STATION_COLUMNS}),
        "valid_date",
        _station_channels,
        parse_stations,
    ),
    "gfs": Layout(frozenset({"issue_utc", "var", "lead_h", "value"}), "issue_utc", _gfs_channels, parse_gfs),
    "observed_weather": Layout(
        frozenset({"timestamp_utc", "temp_f"}), "timestamp_utc", _observed_channels, parse_observed
    ),
}
