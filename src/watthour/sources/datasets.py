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
from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT, OPERATOR, Quality
from watthour.core.units import Unit, conversion
from watthour.core.weather import DAILY, HOURLY, weather_channels
from watthour.core.window import DAY, HOUR, Window
from watthour.sources.delivery import PARSED_FORECASTS, PARSED_READINGS, deliver, eve_of, local_instant
from watthour.sources.eia_930 import DEMAND_LAG, OPERATOR_POSTS_AT, PROVIDER, energy_channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from watthour.core.channel import Site
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery
    from watthour.core.units import Quantity

    Find = Callable[[str], Context | None]  # whose table it is, by any name

STATION_POSTS_AT = time(8)  # NYISO's station weather is made about 08:00 local
GFS_DELAY = timedelta(hours=5)  # a 00Z run can be read four to five hours later
OBSERVED_LAG = timedelta(days=5)  # ERA5 reanalysis

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
    context: Context
    layout: str  # a key of LAYOUTS

    @property
    def name(self) -> str:
        """The layout and the region, so that two files of the same kind share their history."""
        return f"{self.layout}:{self.context.site.id}"

    def sites(self) -> Sequence[Site]:
        """Return the region's site."""
        return (self.context.site,)

    def channels(self) -> Sequence[Channel]:
        """Return the channels this table fills."""
        return LAYOUTS[self.layout].channels(self.context, self._table())

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
        readings, forecasts = LAYOUTS[self.layout].parse(self.context, self._table())
        return deliver(self.name, window, readings=readings, forecasts=forecasts, now=now, watched_from=watched_from)

    def _table(self) -> pl.DataFrame:
        table = (
            pl.read_parquet(self.path)
            if self.path.suffix == ".parquet"
            else pl.read_csv(self.path, try_parse_dates=True)
        )
        if "respondent" in table.columns:
            table = table.filter(pl.col("respondent").cast(pl.String) == (self.context.site.code(PROVIDER) or ""))
        return table


def recognise(path: Path, context: Context | None = None, *, find: Find) -> list[Dataset]:
    """Return the sources a table file holds, one per region; none if no layout fits.

    Args:
        path: a Parquet or CSV file.
        context: whose it is, where the table does not say; else the file name's first word must name it.
        find: the region of a name.

    Raises:
        InvalidInput: the layout is known, but not whose it is.
    """
    try:
        if path.suffix == ".parquet":
            columns = set(pl.read_parquet_schema(path))
        elif path.suffix == ".csv":
            columns = set(pl.read_csv(path, n_rows=0).columns)
        else:
            return []
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return []  # empty or damaged, so of no known layout; who reads it as any table says what is wrong
    layout = next((name for name, layout in LAYOUTS.items() if layout.needs <= columns), None)
    if layout is None:
        return []
    if "respondent" in columns:
        table = pl.read_parquet(path, columns=["respondent"]) if path.suffix == ".parquet" else pl.read_csv(path)
        names = sorted(table["respondent"].cast(pl.String).unique())
        return [Dataset(path, _found(name, path, find), layout) for name in names]
    return [Dataset(path, context or _found(path.stem.split("_")[0], path, find), layout)]


def _found(name: str, path: Path, find: Find) -> Context:
    context = find(name)
    if context is None:
        problem = "the file does not say which region it is of"
        raise InvalidInput("region", path.name, problem, remedy="Name it with --region.")
    return context


@dataclass(frozen=True, slots=True)
class Layout:
    """One way of laying out a table."""

    needs: frozenset[str]  # columns that tell it
    time_column: str
    channels: Callable[[Context, pl.DataFrame], list[Channel]]
    parse: Callable[[Context, pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]  # readings, forecasts


def parse_demand(context: Context, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn hourly demand and the operator's forecast into rows; zeros stay, leading and trailing nulls are no rows."""
    rows = table.select(
        pl.lit(energy_channel(context).id).alias("channel"),
        (pl.col("period").cast(INSTANT) - HOUR).alias("time"),
        pl.col("demand_mwh").cast(pl.Float64),
        pl.col("day_ahead_forecast_mwh").cast(pl.Float64)
        if "day_ahead_forecast_mwh" in table.columns
        else pl.lit(None, pl.Float64).alias("day_ahead_forecast_mwh"),
    ).sort("time")
    known = rows.filter(pl.col("demand_mwh").is_not_null())["time"]
    readings = rows.filter(pl.col("time").is_between(known.min(), known.max())).select(
        "channel", "time", pl.col("demand_mwh").alias("value"), (pl.col("time") + HOUR + DEMAND_LAG).alias("published")
    )
    forecasts = rows.drop_nulls("day_ahead_forecast_mwh").select(
        "channel",
        "time",
        local_instant(eve_of(pl.col("time"), context.time_zone), OPERATOR_POSTS_AT, context.time_zone).alias(
            "issued_at"
        ),
        pl.lit(OPERATOR).alias("model"),
        pl.col("day_ahead_forecast_mwh").alias("value"),
    )
    return readings, forecasts.with_columns(published=pl.col("issued_at"))


def parse_stations(context: Context, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn daily station extremes, forecast and actual, into rows named by the start of their local day."""
    long = (
        table.with_columns(pl.col("station_id").cast(pl.String).str.to_lowercase())
        .unpivot(list(_STATION_COLUMNS), index=["made_date", "valid_date", "kind", "station_id"])
        .drop_nulls("value")
    )
    factor, offset = conversion(Unit.FAHRENHEIT, Unit.CELSIUS)
    rows = long.select(
        pl.format(
            "{}.weather.{}.{}",
            pl.lit(context.site.prefix),
            "station_id",
            pl.col("variable").replace_strict(_STATION_COLUMNS),
        ).alias("channel"),
        local_instant(pl.col("valid_date"), time(), context.time_zone).alias("time"),
        local_instant(pl.col("made_date"), STATION_POSTS_AT, context.time_zone).alias("published"),
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


def parse_gfs(context: Context, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn GFS runs, a mean over the region, into forecasts by issue."""
    known = pl.DataFrame(
        [(name, variable, *conversion(unit, HOURLY[variable][1])) for name, (variable, unit) in _GFS_VARIABLES.items()],
        schema=["var", "variable", "factor", "offset"],
        orient="row",
    )
    forecasts = (
        table.with_columns(pl.col("var").cast(pl.String), pl.col("issue_utc").cast(INSTANT))
        .join(known, on="var")
        .select(
            pl.format("{}.weather.mean.{}", pl.lit(context.site.prefix), "variable").alias("channel"),
            (pl.col("issue_utc") + pl.duration(hours=pl.col("lead_h").cast(pl.Int64))).alias("time"),
            pl.col("issue_utc").alias("issued_at"),
            pl.lit("gfs").alias("model"),
            (pl.col("value").cast(pl.Float64) * pl.col("factor") + pl.col("offset")).alias("value"),
            (pl.col("issue_utc") + GFS_DELAY).alias("published"),
        )
    )
    return pl.DataFrame(schema=PARSED_READINGS), forecasts


def parse_observed(context: Context, table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Turn observed city weather into readings, which nobody knew before they were published."""
    parts: list[pl.DataFrame] = []
    for column, (point, variable, unit) in _OBSERVED_COLUMNS.items():
        if column in table.columns:
            factor, offset = conversion(unit, HOURLY[variable][1])
            parts.append(
                table.drop_nulls(column).select(
                    pl.lit(f"{context.site.prefix}.weather.{point}.{variable}").alias("channel"),
                    pl.col("timestamp_utc").cast(INSTANT).alias("time"),
                    (pl.col(column).cast(pl.Float64) * factor + offset).alias("value"),
                    (pl.col("timestamp_utc").cast(INSTANT) + OBSERVED_LAG).alias("published"),
                )
            )
    return pl.concat(parts), pl.DataFrame(schema=PARSED_FORECASTS)


def _demand_channels(context: Context, _table: pl.DataFrame) -> list[Channel]:
    return [energy_channel(context)]


def _station_channels(context: Context, table: pl.DataFrame) -> list[Channel]:
    stations = sorted(table["station_id"].cast(pl.String).str.to_lowercase().unique())
    wanted = [(station, variable) for station in stations for variable in _STATION_COLUMNS.values()]
    return _weather_channels(context, wanted, DAILY, DAY)


def _gfs_channels(context: Context, _table: pl.DataFrame) -> list[Channel]:
    return _weather_channels(context, [("mean", variable) for variable, _ in _GFS_VARIABLES.values()], HOURLY, HOUR)


def _observed_channels(context: Context, table: pl.DataFrame) -> list[Channel]:
    columns = [column for column in _OBSERVED_COLUMNS if column in table.columns]
    wanted = [(point, variable) for point, variable, _ in (_OBSERVED_COLUMNS[column] for column in columns)]
    return _weather_channels(context, wanted, HOURLY, HOUR)


def _weather_channels(
    context: Context,
    wanted: Iterable[tuple[str, str]],
    variables: dict[str, tuple[Quantity, Unit]],
    resolution: timedelta,
) -> list[Channel]:
    """Return the channel of each point and variable.

    A point that the site lists is a covariate with the point's weight. One that it does not list is kept as it came,
    but drives no forecast: nobody has said how much of the load lives there.
    """
    site = context.site
    listed = {point.id: point for point in (*site.points, *site.stations)}
    channels: list[Channel] = []
    for point, variable in wanted:
        kind = variables[variable]
        if point in listed:
            channels += weather_channels(site, [listed[point]], {variable: kind}, resolution=resolution)
        else:
            name = f"{site.prefix}.weather.{point}.{variable}"
            channels.append(Channel(name, site.id, *kind, resolution, is_simulated=site.is_simulated))
    return channels


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
