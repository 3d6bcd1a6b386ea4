"""The first weeks of a new series: forecast after 1 to 28 days of it, beside series with a long past.

Run: python benchmarks/cold_start.py [--data ../shared/data] [--tests lcl_1h ny_zones] [--rows global_model] --replace

Each new series is known for the last days before an issue only, others of its kind for months. Constants were chosen on
the homes that are the others here, in spring and summer.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl
from report import RESULTS, report
from threads import on_one_thread

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import WatthourError
from watthour.core.forecast import Context, History, targets
from watthour.core.frames import INSTANT, LEVELS, Forecasts, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.combination.model import untried
from watthour.forecasting.fleet import past_issues, pooled_growth
from watthour.forecasting.global_model.model import GlobalModel
from watthour.forecasting.gradient_boosting import FittedGradientBoosting
from watthour.forecasting.pooled import fit_pooled, predict_pooled
from watthour.forecasting.similar_series.among import beside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Forecaster
    from watthour.core.frames import Targets

LENGTHS = (1, 3, 7, 14, 28)  # days of a new series
WEEK = 7
RULES = {
    "yesterday": ("seasonal_naive", {"season": 24}, 1),
    "last_week": ("seasonal_naive", {}, 7),
    "persistence_ensemble": ("persistence_ensemble", {}, 1),
}
TREES, OURS, NOTEBOOK = "shared_trees", "similar_series", "watthour"
GROWN, GLOBAL = "gradient_boosting", "global_model"
ROWS = (*RULES, TREES, GLOBAL, OURS, NOTEBOOK)
PROTOCOL = (
    "Day ahead at local midnight, without weather, everything before it known; new series are cut to their last days, "
    "the others are known for up to 267 days. lcl: Low Carbon London 2013, 25 new homes (the last 25 by name) beside "
    "25 others, 10 September, 26 October and 8 December (30min: 23 November); ny_zones: zones B, D, F, H and J beside "
    "the six others, six days of 2023. The persistence ensemble is the mean of up to four same weekdays, before there "
    "is one the day before; last week only from 7 days on; shared_trees: what DayAhead gave to short series before, "
    "one set of trees of all series, learned before the first day; global_model: learned from the others before the "
    "first day, told of the new ones only the days known; watthour: what it gives now without comparing "
    "models, that is similar_series and from 7 days on its mean with those trees. mae and pinball in per cent of "
    "the mean load of each series, mean over series and days; pinball over 11 levels from .05 to .95."
)
_LEVELS = np.array(LEVELS)


@dataclass(frozen=True)
class Test:
    """Series of one kind: what is known of each, which are new, and the days that are forecast."""

    pasts: Mapping[str, History]
    new: Sequence[str]
    days: Sequence[datetime]  # their local midnights


def homes(folder: Path, step: timedelta, days: Sequence[datetime]) -> Test:
    """Return fifty homes, the last 25 of which are new."""
    table = pl.read_parquet(folder / "home/fleet/lcl_50homes_2013_30min.parquet")
    rows = (
        table.select(name=pl.col("LCLid").cast(pl.String), time=pl.col("tstp").dt.replace_time_zone("UTC"), value="kwh")
        .group_by("name", pl.col("time").dt.truncate(step))
        .agg(pl.col("value").cast(pl.Float64).sum(), pl.len())
        .filter(pl.col("len") == step / timedelta(minutes=30))
    )
    return _test(rows, SiteKind.HOME, Place("Europe/London", holidays="GB"), step, slice(25, None), days)


def zones(folder: Path, days: Sequence[datetime]) -> Test:
    """Return the zones of New York, every second of which is new."""
    table = pl.read_parquet(folder / "grid/ny_zones_2021_2023.parquet").drop_nulls()
    rows = table.select(name="zone", time=pl.col("period") - HOUR, value=pl.col("demand_mwh").cast(pl.Float64))
    return _test(rows, SiteKind.REGION, Place("America/New_York", holidays="US-NY"), HOUR, slice(1, None, 2), days)


def _test(
    rows: pl.DataFrame, kind: SiteKind, place: Place, step: timedelta, new: slice, days: Sequence[datetime]
) -> Test:
    pasts = {}
    for (name,), mine in rows.sort("name", "time").group_by(["name"], maintain_order=True):
        site = Site(str(name).lower(), str(name), kind, place)
        channel = Channel(f"series.{site.id}.load", site.id, Quantity.ENERGY, Unit.KWH, step)
        times = pl.col("time").cast(INSTANT)
        readings = mine.select(
            pl.lit(channel.id).alias("channel"),
            times.alias("time"),
            (times + step).alias("available_at"),
            (times + step).alias("recorded_at"),
            "value",
            pl.lit(0, pl.Int16).alias("quality"),
        )
        end = cast("datetime", readings["available_at"].max())
        pasts[str(name)] = History(end, Context(site, channel), Readings.cast(readings), Forecasts.create_empty())
    return Test(pasts, sorted(pasts)[new], days)


TESTS: Mapping[str, Callable[[Path], Test]] = {
    "lcl_1h": lambda folder: homes(folder, HOUR, _days("Europe/London", (9, 10), (10, 26), (12, 8))),
    "lcl_30min": lambda folder: homes(folder, timedelta(minutes=30), _days("Europe/London", (11, 23))),
    "ny_zones": lambda folder: zones(
        folder, _days("America/New_York", (1, 19), (3, 18), (5, 16), (7, 14), (9, 11), (11, 9), year=2023)
    ),
}


def _days(zone: str, *days: tuple[int, int], year: int = 2013) -> list[datetime]:
    return [local_midnight(datetime(year, *day, tzinfo=UTC).date(), zone) for day in days]


def run(test: Test, rows: Collection[str]) -> list[dict[str, float | str]]:
    """Return a row for each forecaster asked for and number of days."""
    losses: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    shared = _shared(test)
    beside_others = {OURS, NOTEBOOK} & set(rows)
    trees = _trees(test) if {TREES, NOTEBOOK} & set(rows) else {}
    others = {name: past for name, past in test.pasts.items() if name not in test.new}
    for day in test.days:
        long = {name: past.known_at(day) for name, past in others.items()}
        for n_days in LENGTHS:
            ours: Forecaster | None = None
            for name in test.new:
                whole = test.pasts[name]
                zone, step = whole.context.time_zone, whole.context.resolution
                asked = targets(day_of(day, zone), day, resolution=step, time_zone=zone)
                cut = cut_to(whole, day, n_days)
                if cut.readings.height < 0.9 * n_days * (DAY / step):
                    continue
                rules = {
                    label: recipe(rule, parameters).fit(cut, past_issues(cut, asked.height))
                    for label, (rule, parameters, fewest) in RULES.items()
                    if n_days >= fewest
                }
                asked_of: list[tuple[str, Forecaster, History]] = [
                    *((label, model, cut) for label, model in rules.items()),
                    *([(TREES, trees[name], cut)] if TREES in rows else []),
                    (GLOBAL, shared, cut),
                ]
                if beside_others:
                    near = beside(cut, long)
                    if ours is None:  # the same for all: they are cut to the same days
                        ours = recipe(OURS, {"n_lengths": 1}).fit(near, asked)
                    mine = replace(ours, channel=cut.context.channel.id)  # type: ignore[type-var]  # a dataclass
                    asked_of.append((OURS, mine, near))
                    if NOTEBOOK in rows:
                        both = mine if n_days < WEEK else untried({OURS: mine, GROWN: trees[name]}, near)
                        asked_of.append((NOTEBOOK, both, near))
                for label, model, past in asked_of:
                    if label in rows:
                        losses.setdefault((label, n_days), []).append(loss_of(model, past, asked, whole))
    return [
        {"row": label, "days": n_days, **_means(found)}
        for (label, n_days), found in sorted(losses.items(), key=lambda each: (each[0][1], each[0][0]))
    ]


def _trees(test: Test) -> dict[str, Forecaster]:
    """Return the trees that the others teach, for the new series."""
    first = min(test.days)
    names = [*(name for name in test.pasts if name not in test.new), *test.new]
    pasts = [cut_to(test.pasts[name], first, 267 if name not in test.new else 1) for name in names]
    per_day = round(DAY / pasts[0].context.resolution)
    grown = recipe(GROWN, pooled_growth())
    issues = [past_issues(past, per_day) for past in pasts]
    fitted = fit_pooled(grown, pasts, issues, workers=1, advance=lambda: None)  # type: ignore[arg-type]  # of trees
    return {name: model for name, model in zip(names, fitted, strict=True) if name in test.new}


def _shared(test: Test) -> Forecaster:
    """Return the global model that the others teach before the first day."""
    first = min(test.days)
    pasts = [cut_to(past, first, 267) for name, past in test.pasts.items() if name not in test.new]
    per_day = round(DAY / pasts[0].context.resolution)
    return GlobalModel().fit_many(pasts, [past_issues(past, per_day) for past in pasts])[0]


def day_of(day: datetime, zone: str) -> Window:
    """Return the local day that begins at an instant."""
    return Window(day, local_midnight((day + 1.5 * DAY).date(), zone))


def cut_to(past: History, at: datetime, n_days: int) -> History:
    """Return a history of which only the last days before an instant are known."""
    known = past.known_at(at)
    return replace(known, readings=Readings.cast(known.readings.filter(pl.col("time") >= at - n_days * DAY)))


def loss_of(
    model: Forecaster, past: History, asked: dy.DataFrame[Targets], whole: History
) -> tuple[float, float, float]:
    """Return the absolute error and the quantile loss in per cent of the mean load, and what the band covers [%]."""
    actual = whole.readings.select("time", actual="value")
    if isinstance(model, FittedGradientBoosting):  # as many series are asked
        (told,) = predict_pooled([model], [past], [asked], workers=1, advance=lambda: None)
    else:
        told = model.predict(past, asked)
    if isinstance(told, WatthourError):
        raise told
    wide = told.values.pivot("level", index="time", values="value").join(actual, on="time").drop_nulls()
    quantiles, came = wide.select([str(level) for level in LEVELS]).to_numpy(), wide["actual"].to_numpy()
    error = came[:, None] - quantiles
    size = float(np.abs(whole.readings["value"].to_numpy()).mean()) / 100
    inside = (came >= quantiles[:, 0]) & (came <= quantiles[:, -1])
    pinball = np.maximum(_LEVELS * error, (_LEVELS - 1) * error).mean() / size
    return float(np.abs(error[:, LEVELS.index(0.5)]).mean() / size), float(pinball), float(100 * inside.mean())


def _means(found: Sequence[tuple[float, float, float]]) -> dict[str, float]:
    mae, pinball, coverage = np.nanmean(np.array(found), axis=0).round(2).tolist()
    return {
        "mae_percent_of_mean": mae,
        "pinball_percent_of_mean": pinball,
        "coverage90_percent": coverage,
        "n": len(found),
    }


def main() -> None:
    """Print and keep the table."""
    on_one_thread()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", "../shared/data")))
    parser.add_argument("--tests", nargs="+", choices=list(TESTS), default=list(TESTS))
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--replace", action="store_true", help="keep the other rows of the last run")
    asked = parser.parse_args()
    kept = RESULTS / "cold_start.json"
    rows = json.loads(kept.read_text(encoding="utf-8"))["rows"] if asked.replace and kept.exists() else []
    rows = [row for row in rows if row["test"].rpartition("_")[0] not in asked.tests or row["row"] not in asked.rows]
    for name in asked.tests:
        found = run(TESTS[name](asked.data), asked.rows)
        rows += [{"row": row.pop("row"), "test": f"{name}_{row.pop('days')}d", **row} for row in found]
    order = list(TESTS), ROWS
    rows.sort(
        key=lambda row: (
            order[0].index(row["test"].rpartition("_")[0]),
            LENGTHS.index(int(row["test"].rpartition("_")[2][:-1])),
            order[1].index(row["row"]),
        )
    )
    report("cold_start", PROTOCOL, rows)


if __name__ == "__main__":
    main()
