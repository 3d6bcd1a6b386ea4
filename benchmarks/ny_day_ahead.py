"""Tomorrow's demand of New York, beside the operator's own forecast, on the same hours.

Run: python benchmarks/ny_day_ahead.py [--data ../shared/data] [--years 2019 2018] [--rows ours ...] [--parts shift ...]

Three parts: the years; the same load with changes planted into it (``2019_shift``: 8 % less from one day on); PJM and
New England, without weather. Any folder of the same layout will do: ``grid/ny_demand.parquet`` and, where there are
some, issued weather beside it.
Another region's table is scored with ``--region`` and ``--files``.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import polars as pl
from report import RESULTS, report
from rich.progress import Progress

from watthour.core import metrics
from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import Forecasts, Readings
from watthour.core.window import Window, local_midnight
from watthour.forecasting.backtest import backtest
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.rival import published_share
from watthour.grid.regions import Regions
from watthour.simulation.changes import CHANGES, planted
from watthour.sources.datasets import recognise
from watthour.store.memory import MemoryStore
from watthour.workflows.compare import days_left_out
from watthour.workflows.ingest import ingest
from watthour.workflows.score import MOSTLY
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.forecast import History
    from watthour.forecasting.backtest import Retrain

ISSUE_CLOCK = time(8)
STANDARD_YEARS = [2019, 2018]
CUT_TEST, CUT_FROM, CUT_FEED = "2019_stations_cut", date(2019, 4, 1), "nyiso"  # who is silent from that day on
CALENDAR_TEST = "2019_no_weather"
LAGS: dict[str, time | None] = {"": None, "_d1": time(6)}  # suffix of the test, and to when demand is known
FILES = ("ny_demand.parquet", "ny_station_weather_issued_2008_2019.parquet", "ny_gfs_issued_2019_2021.parquet")
ROWS: dict[str, tuple[str, dict[str, object]]] = {
    "operator_raw": ("operator", {}),
    "operator_debiased": ("operator_debiased", {}),
    "seasonal_naive": ("seasonal_naive", {}),
    "lightgbm": ("gradient_boosting", {"operator": False}),
    "lightgbm_with_operator": ("gradient_boosting", {"operator": True}),
    "ours": ("day_process", {"uses_rival": False}),
    "ours_with_operator": ("day_process", {"uses_rival": True}),
}
STANDARD_ROWS = [name for name in ROWS if not name.startswith("lightgbm")]  # the trees take twenty times as long
PARTS = ("years", "shift", "neighbours")
NEIGHBOURS = {"PJM": "pjm", "ISNE": "isne"}
NEIGHBOURS_FILE = "pjm_isne_demand_2015_2019.parquet"
FOLLOWED_DAYS = 60
CHANGED_ON = [date(2019, 1, 2) + timedelta(days=FOLLOWED_DAYS * n) for n in range(6)]
SETTLED = (7, 21)  # days after a change: from the eighth day on, for two weeks
OURS = ("ours", "ours_with_operator")
PROTOCOL = (
    "Issued on D-1 at 08:00 local time for the 24 (23, 25) local hours of D. Demand known to the end of D-2; tests "
    "ending in _d1: to D-1 06:00. Weather only as issued by then. Retrained each month on what was known before its "
    "first issue. Scored on hours with demand > 0 and, where there is one, operator's forecast > 0 and 0.5 to 2 times "
    "demand, that every row of the test forecasts. MAPE, MAE, RMSE, bias of the median; pinball is the mean over "
    "levels 0.05, 0.1 .. 0.9, 0.95; worst month is the lowest coverage of the 90 % interval in a calendar month. "
    "2019_stations_cut: April to December; what NYISO's weather stations said from 1 April on is unknown, GFS goes on. "
    "2019_no_weather: nothing but load, calendar and the operator. "
    "Tests ending in _shift: the load is 8 % lower from one day on, six starts over the year, each scored on the 60 "
    "days after it, trained once before it; the operator's forecast stays as it was published, and weather as it was. "
    "_shift_step_up: 5 % higher; _shift_ramp: 8 % lower within 14 days; _shift_shutdown: 8 % lower and every day like "
    "the Sundays of the eight weeks before for 42 days, then back within 56. mape_settled_percent is that of the 8th "
    "to the 21st day, mape_unchanged_percent of the same days without the change. PJM and ISNE: no weather is known."
)


@dataclass(frozen=True, slots=True)
class Run:
    """What one row said of one test."""

    name: str
    table: pl.DataFrame
    seconds: float


def history_of(files: Sequence[Path], region: str) -> History:
    """Bring the files into a store and return everything that is known of the region."""
    store, regions, now = MemoryStore(), Regions(), datetime.now(UTC)
    asked = find_context(store, [regions], region)
    for path in files:
        if path.exists():
            for dataset in recognise(path, asked, find=regions.find):
                if dataset.context.site.id == asked.site.id:
                    ingest(dataset, store, dataset.span(), now=now)
    context = find_context(store, [regions], region)  # now with the covariates that have come in
    return store.history(context, Window(datetime(2000, 1, 1, tzinfo=UTC), now), now)


def rival_of(history: History) -> pl.DataFrame:
    """Return the forecasts of the context's first rival."""
    is_rival = (pl.col("channel") == history.context.channel.id) & (pl.col("model") == history.context.rival)
    return history.forecasts.filter(is_rival)


def stations_cut(history: History) -> History:
    """Return a history in which one provider of weather says nothing more from a day on, the others going on."""
    theirs = history.forecasts.filter(pl.col("model") == CUT_FEED)["channel"].unique().to_list()
    since = local_midnight(CUT_FROM, history.context.time_zone)
    gone = pl.col("channel").is_in(theirs) & (pl.col("available_at") >= since)
    return replace(
        history,
        readings=Readings.cast(history.readings.filter(~gone)),
        forecasts=Forecasts.cast(history.forecasts.filter(~gone)),
    )


def days_of(year: int) -> list[date]:
    """Return the days of a calendar year."""
    return [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]


def able(names: Sequence[str], history: History, year: str, days: Sequence[date]) -> list[str]:
    """Return the rows that can answer most of a test, and say which cannot: an operator may have stopped publishing."""
    share = published_share(history, days)
    left_out = [name for name in names if "operator" in name and share < MOSTLY]
    if left_out:
        print(f"{year}: the operator's forecast is known of {share:.0%} of the hours; left out: {', '.join(left_out)}.")
    return [name for name in names if name not in left_out]


def runs_of(
    names: Sequence[str],
    history: History,
    year: str,
    days: Sequence[date],
    known_clock: time | None,
    progress: Progress,
) -> list[Run]:
    """Backtest rows over some days; one that cannot answer any month of them is left out, and named."""
    found = []
    for name in names:
        try:
            found.append(run(name, history, year, days, known_clock, progress))
        except NotEnoughHistory as error:
            print(f"{year}: {name} is left out. {error.problem}")
    return found


def run(
    name: str,
    history: History,
    test: str,
    days: Sequence[date],
    known_clock: time | None,
    progress: Progress,
    *,
    retrain: Retrain = "month",
) -> Run:
    """Backtest one row over some days."""
    kind, parameters = ROWS[name]
    begun = perf_counter()
    bar = progress.add_task(f"{test} {name}", total=len(days))
    table = backtest(
        recipe(kind, parameters),
        history,
        days,
        issue_clock=ISSUE_CLOCK,
        known_clock=known_clock,
        retrain=retrain,
        progress=lambda n_days: progress.advance(bar, n_days),
    )
    progress.remove_task(bar)
    for words in days_left_out(table, days, history.context.time_zone):
        print(f"{name} {words}")
    return Run(name, table, perf_counter() - begun)


def shift_rows(
    names: Sequence[str], history: History, year: int, changes: Sequence[str], progress: Progress
) -> list[dict[str, str | float]]:
    """Score rows on the days after changes that are planted into a year."""
    usual = [run(name, history, str(year), days_of(year), None, progress) for name in names]
    found = []
    for change in changes:
        runs, hours = [], []
        for start in CHANGED_ON:
            changed = planted(history, CHANGES[change], start.replace(year=year))
            days = [start.replace(year=year) + timedelta(days=n) for n in range(FOLLOWED_DAYS)]
            of_start = [run(name, changed, f"{year} {change}", days, None, progress, retrain="never") for name in names]
            runs.append(of_start)
            hours.append(scored_hours(changed, of_start))
        scored = pl.concat(hours)
        local_day = pl.col("time").dt.convert_time_zone(history.context.time_zone).dt.ordinal_day()
        first = CHANGED_ON[0].timetuple().tm_yday
        settled = scored.filter(((local_day - first) % FOLLOWED_DAYS).is_between(SETTLED[0], SETTLED[1] - 1))
        unchanged = scored_hours(history, usual).join(settled, on="time", how="semi")
        for name, of_usual, of_name in zip(names, usual, zip(*runs, strict=True), strict=True):
            whole = Run(name, pl.concat([each.table for each in of_name]), sum(each.seconds for each in of_name))
            test = f"{year}_shift" if change == "step" else f"{year}_shift_{change}"
            row = score(whole, scored, test)
            row["mape_settled_percent"] = score(whole, settled, test)["mape_percent"]
            row["mape_unchanged_percent"] = score(of_usual, unchanged, test)["mape_percent"]
            found.append(row)
    return found


def scored_hours(history: History, runs: Sequence[Run]) -> pl.DataFrame:
    """Return the hours that count: ``time, actual, month``."""
    context = history.context
    actual = history.readings.filter((pl.col("channel") == context.channel.id) & (pl.col("value") > 0)).select(
        "time", pl.col("value").alias("actual")
    )
    rival = rival_of(history).select("time", pl.col("value").alias("rival"))
    share = pl.col("rival") / pl.col("actual")
    hours = actual.join(rival, on="time", how="left")
    hours = hours.filter(pl.col("rival").is_null() | ((pl.col("rival") > 0) & share.is_between(0.5, 2)))
    for each in runs:
        said = each.table.drop_nulls("value").filter(pl.col("level") == 0.5).select("time")  # noqa: PLR2004 - the median
        hours = hours.join(said, on="time", how="semi")
    return hours.with_columns(month=pl.col("time").dt.convert_time_zone(context.time_zone).dt.month())


def score(each: Run, hours: pl.DataFrame, test: str) -> dict[str, str | float]:
    """Return the figures of one row."""
    wide = hours.join(each.table.pivot("level", index="time", values="value"), on="time").sort("time")
    actual, median = wide["actual"].to_numpy(), wide["0.5"].to_numpy()
    levels = [name for name in wide.columns if name.startswith("0.")]
    covered = wide.select("month", inside=pl.col("actual").is_between(pl.col("0.05"), pl.col("0.95")))
    worst = covered.group_by("month").agg(pl.col("inside").mean())["inside"].min()
    return {
        "row": each.name,
        "test": test,
        "hours": wide.height,
        "mape_percent": metrics.mape(actual, median),
        "mae_mwh": metrics.mae(actual, median),
        "rmse_mwh": metrics.rmse(actual, median),
        "bias_mwh": metrics.bias(actual, median),
        "coverage90_percent": 100 * float(covered["inside"].sum()) / wide.height,
        "coverage90_worst_month_percent": 100 * float(worst),  # type: ignore[arg-type]  # never empty
        "pinball": metrics.mean_pinball(actual, wide.select(levels).to_numpy(), [float(level) for level in levels]),
        "seconds": each.seconds,
    }


def main() -> None:
    """Score every row on every test."""
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument("--region", default="NY")
    parser.add_argument("--files", nargs="*", default=FILES, help="tables in the data's grid folder")
    parser.add_argument("--years", nargs="*", type=int, default=STANDARD_YEARS)
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=STANDARD_ROWS)
    parser.add_argument("--keep", action="store_true", help="write the results file even for another data set")
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--changes", nargs="*", choices=CHANGES, default=list(CHANGES))
    asked = parser.parse_args()
    is_standard = (
        asked.region.lower() == "ny"
        and list(asked.years) == STANDARD_YEARS
        and list(asked.rows) == STANDARD_ROWS
        and list(asked.parts) == list(PARTS)
        and list(asked.changes) == list(CHANGES)
    )
    results = RESULTS if is_standard or asked.keep else None
    history = history_of([asked.data / "grid" / name for name in asked.files], asked.region)
    found: list[dict[str, str | float]] = []

    def keep(rows: list[dict[str, str | float]]) -> None:
        found.extend(rows)
        report("ny_day_ahead", PROTOCOL, found, results=results)  # after each test: all of them take a while

    if "years" in asked.parts:
        for test, known, days, known_clock in tests_of(history, asked.years):
            keep(rows_of(possible(asked.rows, known), known, test, days, known_clock))
    names = [name for name in possible(asked.rows, history) if name in OURS]
    if "shift" in asked.parts and names:
        with Progress(transient=True) as progress:
            for year in asked.years[:1]:
                keep(shift_rows(able(names, history, str(year), days_of(year)), history, year, asked.changes, progress))
    neighbours = asked.data / "grid" / NEIGHBOURS_FILE
    if "neighbours" in asked.parts and neighbours.exists():
        for region, test in NEIGHBOURS.items():
            beside = history_of([neighbours], region)
            for year in asked.years:
                keep(rows_of(possible(asked.rows, beside), beside, f"{test}_{year}", days_of(year), None))


def possible(names: Sequence[str], history: History) -> list[str]:
    """Return the rows that what is known of a region allows at all, and say what is not known of it."""
    weather = [covariate.channel for covariate in history.context.covariates]
    if history.forecasts.filter(pl.col("channel").is_in(weather)).is_empty():
        print(f"{history.context.site.name}: no issued weather here: rows that use weather go without.")
    if not rival_of(history).is_empty():
        return list(names)
    print("No forecast by the operator here: its rows and ours with it are left out.")
    return [name for name in names if "operator" not in name]


def rows_of(
    names: Sequence[str], history: History, test: str, days: Sequence[date], known_clock: time | None
) -> list[dict[str, str | float]]:
    """Score rows on some days."""
    with Progress(transient=True) as progress:
        runs = runs_of(able(names, history, test, days), history, test, days, known_clock, progress)
    hours = scored_hours(history, runs)
    if hours.is_empty() or not runs:
        print(f"{test}: there is no hour that all rows forecast and that was measured.")
        return []
    return [score(each, hours, test) for each in runs]


def tests_of(history: History, years: Sequence[int]) -> list[tuple[str, History, list[date], time | None]]:
    """Return the tests: name, what is known, days, and to when demand is known on the day before."""
    found = [(f"{year}{suffix}", history, days_of(year), clock) for year in years for suffix, clock in LAGS.items()]
    feeds = set(history.forecasts["model"].unique())
    if CUT_FROM.year in years and {CUT_FEED, "gfs"} <= feeds:
        days = [day for day in days_of(CUT_FROM.year) if day >= CUT_FROM]
        found.append((CUT_TEST, stations_cut(history), days, None))
        found.append((CALENDAR_TEST, history.without_covariates(), days_of(CUT_FROM.year), None))
    return found


if __name__ == "__main__":
    main()
