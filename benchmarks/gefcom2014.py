"""Load one week ahead by the protocol of fev-bench's `proenfo_gfc14` (GEFCom2014, electric track).

Run: python benchmarks/gefcom2014.py [--data ../shared/data] [--end 2015-01-01]

The last 17,520 hours of the table exist; their last 20 x 168 hours are forecast week by week, each knowing all load
before it and the temperature throughout. Another period or another load of the same layout (``hour_ending_local``,
``load``, ``T`` in degF) is scored with ``--end`` and ``--file``.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import NormalDist
from time import process_time
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl
from report import report
from rich.console import Console
from rich.table import Table
from threads import on_one_thread

from watthour.core import metrics
from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context, History, covariates_of
from watthour.core.frames import INSTANT, Forecasts, Maker, Readings, Targets
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit
from watthour.core.weather import weather_channels
from watthour.core.window import HOUR
from watthour.forecasting.catalogue import recipe

if TYPE_CHECKING:
    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Forecaster

N_HOURS, WEEK, N_WEEKS, DAY = 17_520, 168, 20, 24
LEVELS = tuple(tenth / 10 for tenth in range(1, 10))
ZONE = "America/New_York"
PLACE = Place(ZONE, latitude=42.3, longitude=-71.5, holidays="US-MA")  # New England, where the load is
SITE = Site("gefcom", "GEFCom2014", SiteKind.REGION, PLACE)
LOAD = Channel("grid.gefcom.demand", SITE.id, Quantity.POWER, Unit.MW, HOUR)
(TEMPERATURE,) = weather_channels(
    SITE, [Point("mean", 42.3, -71.5)], {"temperature_2m": (Quantity.TEMPERATURE, Unit.CELSIUS)}
)
FILE = "grid/gefcom2014_e.parquet"
END = datetime(2015, 1, 1, tzinfo=UTC)  # of the task, in its own clock
PUBLISHED_NAIVE = {"mase": 1.19885, "wape": 0.05869}
PUBLISHED = (  # name, sql, mase, wape
    ("TiRex-2", 0.368, 0.469, 0.0229),
    ("Sundial", 0.421, 0.464, 0.0226),
    ("TFT", 0.399, 0.489, 0.0241),
    ("Chronos-2", 0.430, 0.539, 0.0264),
    ("CatBoost, tuned", 0.602, 0.602, 0.0295),
    ("LightGBM, tuned", 0.692, 0.692, 0.0338),
    ("seasonal naive", 1.075, 1.199, 0.0587),
)
ROWS: dict[str, dict[str, object]] = {"ours": {}, "ours_own_constants": {"learns_constants": True}}
PROTOCOL = (
    "fev-bench proenfo_gfc14: the last 17,520 hours exist; their last 20 x 168 hours are forecast in 20 weeks, each "
    "from all load before it, with the temperature of the week given. MASE and SQL (0.1 .. 0.9) scaled by the mean "
    "absolute 24 h difference of all load before each week; all figures are means over the 20 weeks. train: once, "
    "before the first week; predict: all 20 weeks; seconds of the processor on one thread, which on an idle "
    "machine are those of the clock. ours: constants start from those of 2007-2010 of the same load; "
    "ours_own_constants: on the task's own days before the first week alone; both with the coordinates of the place, "
    "as the task's publisher names the region."
)


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The load, and what was known of it when."""

    history: History
    load: NDArray[np.float64]  # (N_HOURS,) as in the file
    instants: list[datetime]  # of each hour's start
    starts: list[int]  # the hour at which each week begins

    def asked(self, weeks: list[int]) -> dy.DataFrame[Targets]:
        """Return weeks as asked at their starts."""
        rows = [
            pl.DataFrame({"time": self.instants[start : start + WEEK]}).with_columns(
                issued_at=pl.lit(self.instants[start]), known_until=pl.lit(self.instants[start])
            )
            for start in weeks
        ]
        return Targets.validate(pl.concat(rows).unique(["issued_at", "time"]), cast=True)

    def known_at(self, start: int) -> History:
        """Return what was known at the beginning of a week."""
        return self.history.known_at(self.instants[start])


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one row says of all weeks."""

    point: NDArray[np.float64]  # (N_WEEKS, WEEK)
    quantiles: NDArray[np.float64]  # (N_WEEKS, WEEK, 9)
    train_seconds: float
    predict_seconds: float


def task(path: Path, end: datetime) -> Task:
    """Read the table up to an instant of its own clock, as a history.

    The table's days have 24 hours. Of the day that has 23 the hour that never was is left out; on the day of 25 the
    hour that comes twice takes the same value twice.
    """
    table = pl.read_parquet(path).filter(pl.col("hour_ending_local") <= end.replace(tzinfo=None)).tail(N_HOURS)
    if table.height < N_HOURS or table["load"].null_count():
        raise SystemExit(f"{path} has fewer than {N_HOURS:,} hours of load before {end:%Y-%m-%d}")
    starts = table.select(
        (pl.col("hour_ending_local") - pl.duration(hours=1)).alias("clock"),
        "load",
        celsius=(pl.col("T") - 32) / 1.8,
        hour=pl.int_range(pl.len()),
    ).sort("clock")
    passes = [
        starts.with_columns(
            time=pl.col("clock")
            .dt.replace_time_zone(ZONE, ambiguous=which, non_existent="null")
            .dt.convert_time_zone("UTC")
            .cast(INSTANT)
        )
        for which in ("earliest", "latest")
    ]
    hours = pl.concat(passes).drop_nulls("time").unique("time").sort("time")
    first_pass = passes[0].with_columns(pl.col("time").fill_null(strategy="forward"))
    weeks = [N_HOURS - WEEK * (N_WEEKS - number) for number in range(N_WEEKS)]
    context = Context(SITE, LOAD, covariates_of([TEMPERATURE]))
    readings = pl.concat([_readings(LOAD.id, hours, "load"), _readings(TEMPERATURE.id, hours, "celsius")])
    # Of each week the temperature is known at its start, and nothing past its end.
    begins = [first_pass["time"][week] for week in weeks]
    week_of = pl.Series(np.searchsorted(weeks, hours["hour"].to_numpy(), side="right") - 1)
    given = hours.with_columns(week=week_of).filter(pl.col("week") >= 0)
    given = given.with_columns(issued_at=pl.lit(pl.Series(begins)).gather(pl.col("week")))
    forecasts = given.select(
        pl.lit(TEMPERATURE.id).alias("channel"),
        "time",
        "issued_at",
        pl.lit("given").alias("model"),
        pl.lit(0.5).alias("level"),
        pl.lit(str(Maker.RIVAL)).alias("maker"),
        pl.col("issued_at").alias("available_at"),
        pl.col("issued_at").alias("recorded_at"),
        pl.col("celsius").alias("value"),
        pl.lit(0, pl.Int16).alias("quality"),
    )
    history = History(
        datetime(2100, 1, 1, tzinfo=UTC), context, Readings.validate(readings), Forecasts.validate(forecasts)
    )
    return Task(history, starts["load"].to_numpy(), first_pass["time"].to_list(), weeks)


def _readings(channel: str, hours: pl.DataFrame, column: str) -> pl.DataFrame:
    over = pl.col("time") + timedelta(hours=1)
    return hours.select(
        pl.lit(channel).alias("channel"),
        "time",
        over.alias("available_at"),
        over.alias("recorded_at"),
        pl.col(column).alias("value"),
        pl.lit(0, pl.Int16).alias("quality"),
    )


def ours(asked: Task, parameters: dict[str, object]) -> Answer:
    """Train before the first week, then forecast all weeks, by the packaged model as anyone would."""
    begun = process_time()
    fitted: Forecaster = recipe("hour_process", parameters).fit(asked.known_at(asked.starts[0]), Targets.create_empty())
    trained = process_time()
    said = fitted.predict(asked.history, asked.asked(asked.starts)).values
    done = process_time()
    wide = said.pivot("level", index=["issued_at", "time"], values="value")
    quantiles = []
    for start in asked.starts:
        wanted = pl.DataFrame({"time": asked.instants[start : start + WEEK]}, schema={"time": INSTANT})
        week = wanted.join(wide.filter(pl.col("issued_at") == asked.instants[start]), on="time", how="left")
        quantiles.append(week.select(str(level) for level in LEVELS).to_numpy())
    found = np.stack(quantiles)
    return Answer(found[:, :, LEVELS.index(0.5)], found, trained - begun, done - trained)


def seasonal_naive(asked: Task) -> Answer:
    """Repeat the last day; its quantiles are normal, with the deviation of the past errors growing by the day."""
    begun = process_time()
    days_ahead = 1 + np.arange(WEEK) // DAY
    normal = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
    point, quantiles = [], []
    for start in asked.starts:
        known = asked.load[:start]
        deviation = float(np.std(known[DAY:] - known[:-DAY]))
        point.append(np.tile(known[-DAY:], WEEK // DAY))
        quantiles.append(point[-1][:, None] + deviation * np.sqrt(days_ahead)[:, None] * normal)
    return Answer(np.stack(point), np.stack(quantiles), 0.0, process_time() - begun)


def score(name: str, asked: Task, answer: Answer) -> dict[str, str | float]:
    """Return the figures of one row: means over the weeks."""
    weeks = []
    for start, point, quantiles in zip(asked.starts, answer.point, answer.quantiles, strict=True):
        actual = asked.load[start : start + WEEK]
        scale = metrics.seasonal_error(asked.load[:start], DAY)
        weeks.append(
            (
                metrics.sql(actual, quantiles, LEVELS, scale),
                metrics.mase(actual, point, scale),
                metrics.wape(actual, point),
            )
        )
    sql, mase, wape = (float(figure) for figure in np.mean(weeks, axis=0))
    return {
        "row": name,
        "test": "gfc14",
        "sql": round(sql, 5),
        "mase": round(mase, 5),
        "wape": round(wape, 6),
        "train_seconds": round(answer.train_seconds, 2),
        "predict_seconds": round(answer.predict_seconds, 2),
    }


def check(naive: dict[str, str | float]) -> None:
    """Stop unless the seasonal naive has its published figures: then data, weeks and metrics are those of fev-bench."""
    for metric, published in PUBLISHED_NAIVE.items():
        if round(cast("float", naive[metric]), 5) != published:
            sys.exit(
                f"the seasonal naive has {metric} {naive[metric]}, published is {published}: not the same protocol"
            )
    print(f"Seasonal naive as published: MASE {PUBLISHED_NAIVE['mase']}, WAPE {PUBLISHED_NAIVE['wape']}.")
    print(
        "SQL and MASE are scaled by the in-sample error of the 24 h naive over all load before each week. The naive's "
        "own quantiles take the standard deviation of all those errors; fev-bench takes fewer of them (1.075)."
    )


def beside(found: list[dict[str, str | float]]) -> None:
    """Print the published figures."""
    table = Table(
        title="published on fev-bench, same task", caption="LightGBM there: 17.3 s to train, 9.0 s to forecast"
    )
    for column in ("model", "sql", "mase", "wape"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for name, *figures in PUBLISHED:
        table.add_row(name, *(f"{figure:.4g}" for figure in figures))
    for row in found:
        table.add_row(f"[bold]{row['row']}[/bold]", *(f"{row[metric]:.4g}" for metric in ("sql", "mase", "wape")))
    Console().print(table)


def main() -> None:
    """Score every row."""
    on_one_thread()
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument("--file", default=FILE, help="table in the data folder")
    parser.add_argument("--end", type=datetime.fromisoformat, default=END)
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--keep", action="store_true", help="write the results file even for another period")
    wanted = parser.parse_args()
    asked = task(wanted.data / wanted.file, wanted.end)
    is_standard = wanted.file == FILE and wanted.end.date() == END.date()
    found = [score("seasonal_naive", asked, seasonal_naive(asked))]
    if is_standard:
        check(found[0])
    found += [score(name, asked, ours(asked, ROWS[name])) for name in wanted.rows]
    if is_standard:
        beside(found)
    keeps = wanted.keep or (is_standard and list(wanted.rows) == list(ROWS))
    if keeps:
        report("gefcom2014", PROTOCOL, found)
    else:
        report("gefcom2014", PROTOCOL, found, results=None)


if __name__ == "__main__":
    main()
