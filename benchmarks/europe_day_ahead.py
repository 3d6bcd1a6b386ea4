"""Tomorrow's load of seven European grids, beside their operators' own forecasts, on the same intervals.

Run: python benchmarks/europe_day_ahead.py [--data ../shared/data] [--tests FI ES ...] [--rows ours ...]

Any folder of the same layout will do: ``europe/load/<name>.parquet`` with ``start_utc``, ``load_mw`` and
``day_ahead_forecast_mw``, one row per interval; ``europe/weather/<country>_gfs_issued_2019_2021.parquet`` for the tests
with weather. Another year or table is scored with ``--table``, ``--zone`` and ``--year``.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import polars as pl
from report import RESULTS, report
from rich.progress import Progress

from watthour.core import metrics
from watthour.core.channel import Channel, Limits, Site, SiteKind
from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import Context, History, covariates_of
from watthour.core.frames import INSTANT, OPERATOR, Forecasts, Maker, Readings
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit
from watthour.core.weather import HOURLY, weather_channels
from watthour.forecasting.backtest import backtest
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.holiday_calendars import likely_calendar
from watthour.sources.delivery import eve_of, local_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

ISSUE_CLOCK, KNOWN_CLOCK = time(12), time(6)  # local time on D-1
POSTED_AT = time(10)  # local time on D-1: load forecasts are due two hours before the market closes at noon
GFS_DELAY = timedelta(hours=5)  # a 00Z run can be read four to five hours later
BELIEVED = (0.5, 2.0)  # forecast over load; an interval beyond is a fault of either and is not scored
KELVIN = 273.15
ROWS: dict[str, tuple[str, dict[str, object]]] = {
    "operator_raw": ("operator", {}),
    "operator_debiased": ("operator_debiased", {}),
    "last_week": ("seasonal_naive", {}),
    "ours": ("day_process", {"uses_rival": False}),
    "ours_with_operator": ("day_process", {"uses_rival": True}),
}
RIVALS = ("operator_raw", "operator_debiased", "last_week")
PROTOCOL = (
    "Issued on D-1 at 12:00 local time for the local day D, in the step of the table; load known to D-1 06:00, the "
    "operator's forecast of D known. Tests ending in _gfs: weather as GFS issued it at 00 UTC of D-1, others without "
    "weather. Retrained each month on what was known before its first issue. Scored on intervals with load > 0 and "
    "operator's forecast 0.5 to 2 times the load that every row of the test forecasts. MAPE of the median; pinball "
    "is the mean over levels 0.05, 0.1 .. 0.9, 0.95 [MW]; worst month is the lowest coverage of the 90 % interval in a "
    "calendar month. seconds: of processor time, training and forecasts of the year. mape_over_best_percent: MAPE "
    "against the best of operator_raw, operator_debiased and last_week."
)


@dataclass(frozen=True, slots=True)
class Test:
    """One year of one table."""

    name: str
    table: str
    zone: str
    year: int
    minutes: int = 60
    weather: str | None = None


TESTS = (
    Test("FI", "FI", "Europe/Helsinki", 2021),
    Test("ES", "ES", "Europe/Madrid", 2021),
    Test("FR", "FR", "Europe/Paris", 2023),
    Test("DE_LU", "DE_LU_15min", "Europe/Berlin", 2022, 15),
    Test("GB", "GB_30min", "Europe/London", 2023, 30),
    Test("NL", "NL_15min", "Europe/Amsterdam", 2022, 15),
    Test("BG", "BG", "Europe/Sofia", 2019),
    Test("DE_LU_gfs", "DE_LU_15min", "Europe/Berlin", 2021, 15, "DE"),
    Test("ES_gfs", "ES", "Europe/Madrid", 2021, 60, "ES"),
)


def history_of(folder: Path, test: Test) -> History:
    """Return everything the tables say, each value known from when it could first be known."""
    name = test.name.lower()
    centre = Point("mean", 0.0, 0.0)  # the weather is a mean over the country; nothing asks where that is
    site = Site(name, test.name, SiteKind.REGION, Place(test.zone, holidays=likely_calendar(test.zone)))
    step = timedelta(minutes=test.minutes)
    limits = Limits(0.0, None, is_never_constant=True)
    channel = Channel(f"grid.{name}.load", site.id, Quantity.POWER, Unit.MW, step, limits=limits)
    table = pl.read_parquet(folder / "load" / f"{test.table}.parquet").sort("start_utc")
    times = pl.col("start_utc").cast(INSTANT)
    readings = table.drop_nulls("load_mw").select(
        pl.lit(channel.id).alias("channel"),
        times.alias("time"),
        (times + step).alias("available_at"),
        (times + step).alias("recorded_at"),
        pl.col("load_mw").cast(pl.Float64).alias("value"),
        pl.lit(0, pl.Int16).alias("quality"),
    )
    posted = local_instant(eve_of(times, test.zone), POSTED_AT, test.zone)
    forecasts = _forecasts(
        table.drop_nulls("day_ahead_forecast_mw").select(
            pl.lit(channel.id).alias("channel"),
            times.alias("time"),
            posted.cast(INSTANT).alias("issued_at"),
            posted.cast(INSTANT).alias("available_at"),
            pl.col("day_ahead_forecast_mw").cast(pl.Float64).alias("value"),
        ),
        OPERATOR,
    )
    wanted = {each: HOURLY[each] for each in ("temperature_2m", "dew_point_2m")}
    covariates = weather_channels(site, [centre], wanted) if test.weather else []
    if test.weather:
        gfs = pl.read_parquet(folder / "weather" / f"{test.weather}_gfs_issued_2019_2021.parquet")
        forecasts = pl.concat([forecasts, *(_of_gfs(gfs, each) for each in covariates)])
    end = table["start_utc"].cast(INSTANT)[-1] + timedelta(days=2)
    return History(
        end.astimezone(UTC),
        Context(site, channel, covariates_of(covariates), rivals=(OPERATOR,)),
        Readings.cast(readings),
        Forecasts.cast(forecasts),
    )


def _of_gfs(gfs: pl.DataFrame, channel: Channel) -> pl.DataFrame:
    column = {"temperature_2m": "temp_k", "dew_point_2m": "dewpoint_k"}[channel.variable or ""]
    issued = pl.col("issue_utc").cast(INSTANT)
    rows = gfs.drop_nulls(column).select(
        pl.lit(channel.id).alias("channel"),
        (issued + pl.duration(hours=pl.col("lead_h").cast(pl.Int64))).alias("time"),
        issued.alias("issued_at"),
        (issued + GFS_DELAY).alias("available_at"),
        (pl.col(column).cast(pl.Float64) - KELVIN).alias("value"),
    )
    return _forecasts(rows, "gfs")


def _forecasts(rows: pl.DataFrame, model: str) -> pl.DataFrame:
    return rows.select(
        "channel",
        "time",
        "issued_at",
        pl.lit(model).alias("model"),
        pl.lit(0.5).alias("level"),
        pl.lit(str(Maker.RIVAL)).alias("maker"),
        "available_at",
        pl.col("available_at").alias("recorded_at"),
        "value",
        pl.lit(0, pl.Int16).alias("quality"),
    )


def days_of(test: Test, history: History) -> list[date]:
    """Return the local days of the test's year up to the last that was measured."""
    last: datetime = history.readings["time"].dt.convert_time_zone(test.zone).max()  # type: ignore[assignment]  # not empty
    first = date(test.year, 1, 1)
    return [
        first + timedelta(days=n)
        for n in range(min((date(test.year, 12, 31) - first).days, (last.date() - first).days) + 1)
    ]


def run(name: str, history: History, days: Sequence[date], progress: Progress) -> tuple[pl.DataFrame, float]:
    """Backtest one row over the days; returns its table and the seconds of processor time it took."""
    kind, parameters = ROWS[name]
    begun = process_time()
    bar = progress.add_task(f"{history.context.site.name} {name}", total=len(days))
    table = backtest(
        recipe(kind, parameters),
        history,
        days,
        issue_clock=ISSUE_CLOCK,
        known_clock=KNOWN_CLOCK,
        progress=lambda n_days: progress.advance(bar, n_days),
    )
    progress.remove_task(bar)
    return table, process_time() - begun


def scored(history: History, tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the intervals that count: ``time, actual, month``."""
    actual = history.readings.filter(pl.col("value") > 0).select("time", pl.col("value").alias("actual"))
    is_rival = (pl.col("channel") == history.context.channel.id) & (pl.col("model") == OPERATOR)
    rival = history.forecasts.filter(is_rival).select("time", pl.col("value").alias("rival"))
    hours = actual.join(rival, on="time").filter((pl.col("rival") / pl.col("actual")).is_between(*BELIEVED))
    for table in tables:
        said = table.drop_nulls("value").filter(pl.col("level") == 0.5).select("time")  # noqa: PLR2004 - the median
        hours = hours.join(said, on="time", how="semi")
    zone = history.context.time_zone
    return hours.select("time", "actual", month=pl.col("time").dt.convert_time_zone(zone).dt.month())


def score(name: str, table: pl.DataFrame, hours: pl.DataFrame, test: Test) -> dict[str, str | float]:
    """Return the figures of one row."""
    wide = hours.join(table.pivot("level", index="time", values="value"), on="time").sort("time")
    actual, median = wide["actual"].to_numpy(), wide["0.5"].to_numpy()
    levels = [each for each in wide.columns if each.startswith("0.")]
    covered = wide.select("month", inside=pl.col("actual").is_between(pl.col("0.05"), pl.col("0.95")))
    worst = covered.group_by("month").agg(pl.col("inside").mean())["inside"].min()
    return {
        "row": name,
        "test": test.name,
        "year": test.year,
        "intervals": wide.height,
        "mape_percent": metrics.mape(actual, median),
        "coverage90_percent": 100 * float(covered["inside"].sum()) / wide.height,
        "coverage90_worst_month_percent": 100 * float(worst),  # type: ignore[arg-type]  # never empty
        "pinball": metrics.mean_pinball(actual, wide.select(levels).to_numpy(), [float(each) for each in levels]),
    }


def measured(test: Test, folder: Path, names: Sequence[str]) -> list[dict[str, str | float]]:
    """Score the rows of one test; one that cannot answer any month of it is left out, and named."""
    history = history_of(folder, test)
    days = days_of(test, history)
    tables: dict[str, tuple[pl.DataFrame, float]] = {}
    with Progress(transient=True) as progress:
        for name in names:
            try:
                tables[name] = run(name, history, days, progress)
            except NotEnoughHistory as error:
                print(f"{test.name}: {name} is left out. {error.problem}")
    hours = scored(history, [table for table, _ in tables.values()])
    if hours.is_empty():
        print(f"{test.name}: there is no interval that all rows forecast and that was measured.")
        return []
    return [score(name, table, hours, test) | {"seconds": spent} for name, (table, spent) in tables.items()]


def against_best(rows: Sequence[dict[str, str | float]]) -> list[dict[str, str | float]]:
    """Return the rows with their MAPE against that of the best rival, where all rivals of a test are among them."""
    found = []
    for row in rows:
        rivals = [float(each["mape_percent"]) for each in rows if each["test"] == row["test"] and each["row"] in RIVALS]
        if len(rivals) == len(RIVALS):
            row = row | {"mape_over_best_percent": 100 * (float(row["mape_percent"]) / min(rivals) - 1)}  # noqa: PLW2901 - the same row
        found.append(row)
    return found


def replaced(
    rows: Sequence[dict[str, str | float]], again: Sequence[dict[str, str | float]]
) -> list[dict[str, str | float]]:
    """Return rows with those that were measured again in their place.

    Raises:
        ValueError: a row was measured on other intervals than its test was before, and cannot stand beside the others.
    """
    new = {(row["row"], row["test"]): row for row in again}
    for row in rows:
        other = new.get((row["row"], row["test"]))
        if other is not None and other["intervals"] != row["intervals"]:
            message = (
                f"{row['test']}: {other['intervals']} intervals, {row['intervals']} before; measure all rows again"
            )
            raise ValueError(message)
    return [new.get((row["row"], row["test"]), row) for row in rows]


def main() -> None:
    """Score every row on every test."""
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument(
        "--tests", nargs="*", choices=[each.name for each in TESTS], default=[each.name for each in TESTS]
    )
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--table", help="name of another table in the load folder, scored instead")
    parser.add_argument("--zone", default="Europe/Brussels", help="clock of that table's country")
    parser.add_argument("--minutes", type=int, default=60, help="step of that table")
    parser.add_argument("--year", type=int, help="year to score instead of each test's own")
    parser.add_argument("--replace", action="store_true", help="put the rows into the results file, which has them all")
    asked = parser.parse_args()
    tests = [each for each in TESTS if each.name in asked.tests]
    if asked.table:
        if not asked.year:
            parser.error("give the year to score with --year")
        tests = [Test(asked.table, asked.table, asked.zone, asked.year, asked.minutes)]
    elif asked.year:
        tests = [Test(each.name, each.table, each.zone, asked.year, each.minutes, each.weather) for each in tests]
    is_standard = tests == list(TESTS) and asked.rows == list(ROWS)
    kept: list[dict[str, str | float]] = []
    if asked.replace and not is_standard:
        kept = json.loads((RESULTS / "europe_day_ahead.json").read_text(encoding="utf-8"))["rows"]
    found: list[dict[str, str | float]] = []
    for test in tests:
        found += measured(test, asked.data / "europe", asked.rows)
        if found:
            shown = against_best(replaced(kept, found) if kept else found)
            report("europe_day_ahead", PROTOCOL, shown, results=RESULTS if is_standard or kept else None)


if __name__ == "__main__":
    main()
