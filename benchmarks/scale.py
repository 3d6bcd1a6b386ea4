"""How long much work takes: a year of New York's days, and a hundred homes, beside statsforecast and mlforecast.

Run: python benchmarks/scale.py [--data ../shared/data] [--programs watthour mlforecast] [--tests fleet_100]

Every case runs in a process of its own, one after the other, with one thread unless its test says otherwise.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
from report import Cell, report

if TYPE_CHECKING:
    import pandas as pd

    from watthour.core.forecast import History

YEAR, DAYS, HOURS = 2019, 28, 24
SEASON = 168  # hours of the naive
MIDNIGHT_UTC = 5  # of New York's standard time, at which days begin for programs that know no time zones
N_SERIES, N_LCL = 100, 82
LEAST_HOURS = 4336  # of half a year, so that hardly a gap is in it
ETS_HOURS = 28 * 24  # that AutoETS learns from: with the half year it takes a day
DATA_FILES = ("ny_demand.parquet", "ny_station_weather_issued_2008_2019.parquet", "ny_gfs_issued_2019_2021.parquet")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "NUMBA_NUM_THREADS")
PROTOCOL = (
    f"ny_year: New York's demand, each day of {YEAR} issued at 08:00 of the day before with demand to the end of the "
    "day before that, relearned monthly, with issued weather and without the operator's forecast; the naive of "
    "statsforecast on days from 05 UTC, two ahead, 90 % interval. fleet_100: 100 series of hourly kWh, half years of "
    "50 London homes (Low Carbon London, 2013; half hours added up; the first 82 halves in order of name with at least "
    f"{LEAST_HOURS} hours) and of 9 homes of CityLearn (2016-17; all 18); the last {DAYS} days of each forecast day by "
    "day at its midnight, learned once before them. watthour: the trees of DayAhead, 11 quantiles; mlforecast: one "
    "LightGBM (100 trees of L1, lags 1, 24, 48, 168, means of 24 and 168, hour, weekday, scaled), points; "
    f"statsforecast: AutoETS of the last {ETS_HOURS} hours of each series, points. fleet_100_naive: the same hour last "
    "week, with intervals. fleet_100_all_cores: as many threads as cores. Programs that know no gaps get them filled "
    "with the week before; mae is over the hours measured. seconds: learning and forecasting, without imports and "
    "reading; processor_seconds: of the processor, which other work on the machine disturbs less. rows: hours forecast."
)


@dataclass(frozen=True, slots=True)
class Work:
    """What a case brought."""

    rows: int
    mae: float


Case: TypeAlias = Callable[[Path], Callable[[], Work]]  # reads the data; what it returns is measured


def new_york(data: Path) -> History:
    """Return everything that is known of New York."""
    from watthour.core.window import Window
    from watthour.grid.regions import Regions
    from watthour.sources.datasets import recognise
    from watthour.store.memory import MemoryStore
    from watthour.workflows.ingest import ingest
    from watthour.workflows.sites import find_context

    store, now, known = MemoryStore(), datetime.now(UTC), Regions()
    for name in DATA_FILES:
        if (path := data / "grid" / name).exists():
            for dataset in recognise(path, find=known.find):
                ingest(dataset, store, dataset.span(), now=now)
    context = find_context(store, [known], "ny")
    return store.history(context, Window(datetime(2000, 1, 1, tzinfo=UTC), now), now)


def fleet(data: Path) -> pl.DataFrame:
    """Return ``unique_id, ds, y`` of a hundred series, gaps as they are."""
    folder = data / "home" / "fleet"
    halves = pl.col("ds").dt.month() > 6  # noqa: PLR2004 - July
    london = (
        pl.read_parquet(folder / "lcl_50homes_2013_30min.parquet")
        .group_by(home=pl.col("LCLid").cast(pl.String), ds=pl.col("tstp").dt.truncate("1h"))
        .agg(pl.len().alias("n"), pl.col("kwh").cast(pl.Float64).sum().alias("y"))
        .filter(pl.col("n") == 2)  # noqa: PLR2004 - half hours
        .select(pl.format("{}-{}", "home", 1 + halves.cast(pl.Int8)).alias("unique_id"), "ds", "y")
    )
    complete = london.group_by("unique_id").len().filter(pl.col("len") >= LEAST_HOURS)["unique_id"].sort().head(N_LCL)
    city = (
        pl.read_parquet(folder / "citylearn2022_9homes_hourly.parquet")
        .sort("home", "hour_start")
        .with_columns(half=1 + pl.int_range(pl.len()).over("home") * 2 // pl.len().over("home"))
        .select(
            pl.format("citylearn{}-{}", "home", "half").alias("unique_id"),
            pl.col("hour_start").alias("ds"),
            pl.col("load_kwh").cast(pl.Float64).alias("y"),
        )
    )
    series = pl.concat([city, london.filter(pl.col("unique_id").is_in(complete.implode()))])
    if series["unique_id"].n_unique() != N_SERIES:
        raise SystemExit("these are not the hundred series of the protocol")
    return series.sort("unique_id", "ds")


def filled(series: pl.DataFrame) -> pl.DataFrame:
    """Return every hour of each series, ``measured`` beside ``y``: null where ``y`` is of the week before."""
    hours = series.group_by("unique_id", maintain_order=True).agg(
        pl.datetime_range(pl.col("ds").min(), pl.col("ds").max(), "1h").alias("ds")
    )
    every = hours.explode("ds").join(series, on=["unique_id", "ds"], how="left", maintain_order="left")
    weeks = [pl.col("y").shift(SEASON * n).over("unique_id") for n in range(5)]
    known = every.with_columns(measured=pl.col("y"), y=pl.coalesce(weeks))
    return known.with_columns(pl.col("y").forward_fill().over("unique_id"))


def as_pandas(series: pl.DataFrame) -> pd.DataFrame:
    """Return what the other programs take."""
    import pandas as pd

    return pd.DataFrame({name: series[name].to_numpy() for name in ("unique_id", "ds", "y")})


def scored(forecast: Any, column: str, series: pl.DataFrame) -> Work:  # noqa: ANN401 - a pandas frame
    """Return the error of a pandas table of forecasts over the hours measured."""
    rows = pl.DataFrame({name: forecast[name].to_numpy() for name in ("unique_id", "ds", column)})
    told = rows.with_columns(pl.col("unique_id").cast(pl.String), pl.col("ds").cast(series["ds"].dtype))
    errors = told.join(series, on=["unique_id", "ds"]).select((pl.col(column) - pl.col("measured")).abs())[column]
    return Work(rows.height, float(errors.drop_nulls().mean()))  # type: ignore[arg-type]  # never empty


def ny_watthour(kind: str, parameters: dict[str, object]) -> Case:
    """Backtest a year of days with one recipe."""

    def prepare(data: Path) -> Callable[[], Work]:
        from watthour.forecasting.backtest import backtest
        from watthour.forecasting.catalogue import recipe

        history, made = new_york(data), recipe(kind, parameters)
        days = [date(YEAR, 1, 1) + timedelta(days=n) for n in range(365)]

        def work() -> Work:
            table = backtest(made, history, days, issue_clock=time(8), known_clock=None)
            median = table.filter(pl.col("level") == 0.5, pl.col("actual") > 0)  # noqa: PLR2004 - the median
            return Work(median.height, float((median["value"] - median["actual"]).abs().mean()))  # type: ignore[arg-type]  # never empty

        return work

    return prepare


def ny_statsforecast(data: Path) -> Callable[[], Work]:
    """Forecast the same year with its seasonal naive."""
    from statsforecast import StatsForecast
    from statsforecast.models import SeasonalNaive

    table = pl.read_parquet(data / "grid" / "ny_demand.parquet")
    hours = table.select(
        pl.lit("ny").alias("unique_id"),
        (pl.col("period").dt.replace_time_zone(None) - pl.duration(hours=1)).cast(pl.Datetime("us")).alias("ds"),
        pl.when(pl.col("demand_mwh") > 0).then(pl.col("demand_mwh").cast(pl.Float64)).alias("y"),
    )
    end = datetime(YEAR + 1, 1, 1, MIDNIGHT_UTC)  # noqa: DTZ001 - these programs take naive times, here of UTC
    series = filled(hours.filter(pl.col("ds") < end).drop_nulls("y").sort("ds"))
    given, program = as_pandas(series), StatsForecast([SeasonalNaive(SEASON)], freq="h", n_jobs=1)
    program.cross_validation(df=given.tail(2000), h=2 * HOURS, n_windows=2, step_size=HOURS, level=[90])  # compiles

    def work() -> Work:
        told: Any = program.cross_validation(df=given, h=2 * HOURS, n_windows=365, step_size=HOURS, level=[90])
        return scored(told[told["ds"] - told["cutoff"] > timedelta(hours=HOURS)], "SeasonalNaive", series)

    return work


def fleet_watthour(model: str, *, workers: int = 1) -> Case:
    """Backtest a hundred homes from a notebook's door."""

    def prepare(data: Path) -> Callable[[], Work]:
        from watthour import DayAhead
        from watthour.forecasting import pooled  # noqa: F401 - imported before the clock runs

        series, door = fleet(data), DayAhead(model=model)

        def work() -> Work:
            table = door.backtest(series, DAYS, rivals=(), workers=workers).filter(pl.col("model") == "ours")
            return Work(int(table["n"].sum()), float((table["mae"] * table["n"]).sum() / table["n"].sum()))

        return work

    return prepare


def fleet_statsforecast(name: str) -> Case:
    """Forecast a hundred homes with one of its models."""

    def prepare(data: Path) -> Callable[[], Work]:
        from statsforecast import StatsForecast
        from statsforecast.models import AutoETS, SeasonalNaive

        series = filled(fleet(data))
        is_naive = name == "SeasonalNaive"
        program = StatsForecast([SeasonalNaive(SEASON) if is_naive else AutoETS(HOURS)], freq="h", n_jobs=1)
        protocol: dict[str, Any] = {"h": HOURS, "step_size": HOURS, "n_windows": DAYS}
        protocol |= {"level": [90]} if is_naive else {"input_size": ETS_HOURS, "refit": False}
        given = as_pandas(series)
        program.cross_validation(df=given.head(2000), **{**protocol, "n_windows": 2})  # compiles
        return lambda: scored(program.cross_validation(df=given, **protocol), name, series)

    return prepare


def fleet_mlforecast(*, threads: int = 1) -> Case:
    """Forecast a hundred homes with one LightGBM."""

    def prepare(data: Path) -> Callable[[], Work]:
        import lightgbm
        from mlforecast import MLForecast
        from mlforecast.lag_transforms import RollingMean
        from mlforecast.target_transforms import LocalStandardScaler

        series = filled(fleet(data))
        given = as_pandas(series)
        program = MLForecast(
            models={"trees": lightgbm.LGBMRegressor(objective="l1", verbosity=-1, num_threads=threads)},
            freq="h",
            lags=[1, 24, 48, 168],
            lag_transforms={24: [RollingMean(24), RollingMean(168)]},
            date_features=["hour", "dayofweek"],
            target_transforms=[LocalStandardScaler()],
            num_threads=threads,
        )

        def work() -> Work:
            told = program.cross_validation(given, n_windows=DAYS, h=HOURS, step_size=HOURS, refit=False)
            return scored(told, "trees", series)

        return work

    return prepare


CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
CASES: dict[tuple[str, str], Case] = {
    ("watthour", "ny_year_naive"): ny_watthour("seasonal_naive", {}),
    ("statsforecast", "ny_year_naive"): ny_statsforecast,
    ("watthour", "ny_year_day_process"): ny_watthour("day_process", {"uses_rival": False}),
    ("watthour", "ny_year_gradient_boosting"): ny_watthour("gradient_boosting", {"operator": False}),
    ("watthour", "fleet_100_naive"): fleet_watthour("seasonal_naive"),
    ("statsforecast", "fleet_100_naive"): fleet_statsforecast("SeasonalNaive"),
    ("watthour", "fleet_100"): fleet_watthour("gradient_boosting"),
    ("mlforecast", "fleet_100"): fleet_mlforecast(),
    ("statsforecast", "fleet_100"): fleet_statsforecast("AutoETS"),
    ("watthour", "fleet_100_all_cores"): fleet_watthour("gradient_boosting", workers=CORES),
    ("mlforecast", "fleet_100_all_cores"): fleet_mlforecast(threads=CORES),
}


def measure(program: str, test: str, data: Path) -> dict[str, Cell]:
    """Run one case in this process and return its row."""
    work = CASES[program, test](data)
    begun, used = perf_counter(), process_time()
    found = work()
    return {
        "row": program,
        "test": test,
        "seconds": round(perf_counter() - begun, 3),
        "processor_seconds": round(process_time() - used, 3),
        "rows": found.rows,
        "mae": round(found.mae, 4),
    }


def apart(program: str, test: str, data: Path) -> dict[str, Cell] | None:
    """Run one case in a process of its own; None, said aloud, where it cannot be run."""
    if importlib.util.find_spec(program) is None:
        print(f"{program} is not installed, so {test} goes without it: pip install '{program}'", file=sys.stderr)
        return None
    threads = str(CORES if test.endswith("all_cores") else 1)
    environment = {**os.environ, **dict.fromkeys(THREADS, threads), "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, "-W", "ignore", __file__, "--data", str(data), "--here", program, test]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{program} failed at {test}:\n{done.stderr}", file=sys.stderr)
        return None
    row: dict[str, Cell] = json.loads(done.stdout.splitlines()[-1])
    print(f"{program} {test}: {row['seconds']} s", file=sys.stderr)
    return row


def main() -> None:
    """Measure every case and report."""
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument("--programs", nargs="*", default=sorted({program for program, _ in CASES}))
    parser.add_argument("--tests", nargs="*", default=list(dict.fromkeys(test for _, test in CASES)))
    parser.add_argument("--here", nargs=2, metavar=("PROGRAM", "TEST"), help="one case in this process, as JSON")
    asked = parser.parse_args()
    if asked.here:
        program, test = asked.here
        print(json.dumps(measure(program, test, asked.data)))
        return
    chosen = [(program, test) for program, test in CASES if program in asked.programs and test in asked.tests]
    rows = [row for program, test in chosen if (row := apart(program, test, asked.data)) is not None]
    if len(rows) == len(CASES):
        report("scale", PROTOCOL, rows)
    else:
        print("Not all cases were measured: only printed, not written.", file=sys.stderr)
        report("scale", PROTOCOL, rows, results=None)


if __name__ == "__main__":
    main()
