"""Homes that the model which comes with Watthour has never seen, a day ahead after 1 to 28 days of them.

Run: python benchmarks/unseen_homes.py [--data ../shared/data] [--tests citylearn emhass] --replace
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import homes
import numpy as np
import polars as pl
from cold_start import LENGTHS, WEEK, cut_to, day_of, loss_of
from report import RESULTS, report
from threads import on_one_thread

from watthour.core.forecast import targets
from watthour.core.frames import INSTANT, Targets
from watthour.core.place import Place
from watthour.core.window import DAY, local_midnight
from watthour.forecasting.catalogue import OTHER_HOMES, recipe
from watthour.forecasting.other_homes.learn import learn, widths
from watthour.forecasting.other_homes.model import FittedOtherHomes, Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from watthour.core.forecast import Forecaster, History

PROTOCOL = (
    "Day ahead at local midnight, without weather, everything before it known; each home is cut to its last 1 to 28 "
    "days. ours: the model other_homes as it comes with Watthour, learned from 45 London homes of 2013. best_rule: of "
    "the same hour yesterday, last week (from 7 days on) and the mean of up to four same weekdays, the one with the "
    "least error in that home on these days. citylearn: 9 homes of California, every 25th day of October 2016 to July "
    "2017; emhass: a French one, every 8th day of April 2024 to February 2025; uci: another, every 34th day of March "
    "2007 to November 2010; uci_15min: the same in quarter hours, every 4th day of March to June 2007; lcl: every "
    "third of the 45 London homes, every 60th day of March to December 2013, by a model learned from the 30 others as "
    "the one that comes with Watthour, its band measured on the half of the 15 that the home is not in. Per cent of "
    "the mean load of each home, mean over homes and days; mae_gain: 1 - error / error of the best rule, median over "
    "homes; share_won: of homes where it is above 0; coverage90: mean and least of all homes, of the interval from 5 "
    "to 95 %."
)
_WEEKS = 4  # of the mean of same weekdays
_FULL = 0.9  # share of the days that has to be known
_EVERY_THIRD = 3  # home of London is not learned from
_TAUGHT = tuple(date(2013, 1, 10) + n * DAY for n in range(355))


@dataclass(frozen=True)
class Test:
    """Homes, the days that are forecast, and a model that has not learned from them."""

    pasts: Mapping[str, History]
    days: Sequence[date]
    models: Callable[[Mapping[str, History]], Mapping[str, Forecaster]]  # by home


def shipped(pasts: Mapping[str, History]) -> dict[str, Forecaster]:
    """Return the model that comes with Watthour."""
    nothing = Targets.create_empty()
    return {name: recipe(OTHER_HOMES).fit(past, nothing) for name, past in pasts.items()}


def citylearn(folder: Path) -> Test:
    """Return the homes of California."""
    return Test(homes.citylearn(folder).pasts, _every(date(2016, 10, 1), 300, 25), shipped)


def emhass(folder: Path) -> Test:
    """Return a French home."""
    return Test(homes.emhass(folder).pasts, _every(date(2024, 4, 10), 320, 8), shipped)


def uci(folder: Path) -> Test:
    """Return the household of Sceaux."""
    return Test(homes.uci(folder).pasts, _every(date(2007, 3, 1), 1360, 34), shipped)


def uci_15min(folder: Path) -> Test:
    """Return the household of Sceaux in quarter hours."""
    table = pl.read_parquet(folder / "home/homes/uci_household_1min_2007H1.parquet")
    zone, step = "Etc/GMT-1", timedelta(minutes=15)
    time = pl.col("datetime").dt.replace_time_zone(zone).dt.convert_time_zone("UTC").cast(INSTANT).dt.truncate("15m")
    rows = (
        table.select(time.alias("time"), value=pl.col("Global_active_power").cast(pl.Float64) / 4)
        .drop_nulls()
        .group_by("time")
        .agg(pl.col("value").mean(), pl.len())
        .filter(pl.col("len") == step / timedelta(minutes=1))
        .select(pl.lit("uci").alias("name"), "time", "value")
    )
    return Test(homes.pasts_of(rows, Place(zone, 48.8, 2.3, "FR"), step), _every(date(2007, 3, 1), 120, 4), shipped)


def lcl(folder: Path) -> Test:
    """Return every third home of London, and a model that the others have taught."""
    steps = [homes.lcl(folder).pasts, homes.lcl(folder, step=timedelta(minutes=30)).pasts]
    names = sorted(steps[0])
    new = names[::_EVERY_THIRD]

    def models(_pasts: Mapping[str, History]) -> dict[str, Forecaster]:
        learned = learn([[pasts[name] for name in names if name not in new] for pasts in steps], _TAUGHT)
        found: dict[str, Forecaster] = {}
        for mine, others in ((new[::2], new[1::2]), (new[1::2], new[::2])):
            band = widths(learned, [pasts[name] for pasts in steps for name in others], _TAUGHT[::36])
            fitted = FittedOtherHomes(learned, Origin("30 homes of London in 2013", "", "CC BY 4.0", "", band))
            found |= dict.fromkeys(mine, fitted)
        return found

    return Test({name: steps[0][name] for name in new}, _every(date(2013, 3, 5), 300, 60), models)


TESTS: Mapping[str, Callable[[Path], Test]] = {
    "lcl": lcl,
    "citylearn": citylearn,
    "emhass": emhass,
    "uci": uci,
    "uci_15min": uci_15min,
}


def run(test: Test) -> list[dict[str, float | str]]:
    """Return a row for each number of days known."""
    models = test.models(test.pasts)
    return [
        {"row": f"after_{n_days}_days" if n_days > 1 else "after_1_day", **_scores(test, models, n_days)}
        for n_days in LENGTHS
    ]


def _scores(test: Test, models: Mapping[str, Forecaster], n_days: int) -> dict[str, float]:
    of_homes = []
    for name, whole in test.pasts.items():
        known = _by_clock(whole)
        found = [_errors(whole, known, models[name], day, n_days) for day in test.days]
        mae, pinball, covered, *rules = np.nanmean([each for each in found if each], axis=0)
        of_homes.append((mae, pinball, covered, min(rules)))
    mae, pinball, covered, rule = np.array(of_homes).T
    gain = 100 * (1 - mae / rule)
    scores = {
        "best_rule_mae_percent_of_mean": rule.mean(),
        "mae_percent_of_mean": mae.mean(),
        "pinball_percent_of_mean": pinball.mean(),
        "mae_gain_percent": np.median(gain),
        "share_won_percent": 100 * (gain > 0).mean(),
        "coverage90_percent": covered.mean(),
        "least_coverage90_percent": covered.min(),
    }
    return {name: round(float(value), 2) for name, value in scores.items()}


def _errors(whole: History, known: Mapping[datetime, float], model: Forecaster, day: date, n_days: int) -> list[float]:
    """Return error, quantile loss and coverage of the model, and the error of each rule; none of a day with gaps."""
    context = whole.context
    at = local_midnight(day, context.time_zone)
    asked = targets(day_of(at, context.time_zone), at, resolution=context.resolution, time_zone=context.time_zone)
    cut = cut_to(whole, at, n_days)
    if cut.readings.height < _FULL * n_days * (DAY / context.resolution):
        return []
    clock = asked["time"].dt.convert_time_zone(context.time_zone).dt.replace_time_zone(None).to_list()
    lags = np.array([[known.get(time - k * DAY, np.nan) for time in clock] for k in range(n_days + 1)])
    weeks = lags[WEEK::WEEK][:_WEEKS]
    rules = [lags[1], *([weeks[0], np.nanmean(weeks, axis=0)] if len(weeks) else [])]
    size = float(np.abs(whole.readings["value"].to_numpy()).mean()) / 100
    return [*loss_of(model, cut, asked, whole), *(float(np.nanmean(np.abs(lags[0] - rule))) / size for rule in rules)]


def _by_clock(past: History) -> dict[datetime, float]:
    """Return what was measured by local clock time."""
    zone = past.context.time_zone
    local = pl.col("time").dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return dict(past.readings.select(local, "value").rows())


def _every(first: date, n_days: int, stride: int) -> list[date]:
    return [first + n * DAY for n in range(0, n_days, stride)]


def main() -> None:
    """Print and keep the table."""
    on_one_thread()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", "../shared/data")))
    parser.add_argument("--tests", nargs="+", choices=list(TESTS), default=list(TESTS))
    parser.add_argument("--replace", action="store_true", help="keep the other tests of the last run")
    asked = parser.parse_args()
    kept = RESULTS / "unseen_homes.json"
    rows = json.loads(kept.read_text(encoding="utf-8"))["rows"] if asked.replace and kept.exists() else []
    rows = [row for row in rows if row["test"] not in asked.tests]
    for name in asked.tests:
        rows += [{"row": row.pop("row"), "test": name, **row} for row in run(TESTS[name](asked.data))]
    rows.sort(key=lambda row: list(TESTS).index(row["test"]))
    report("unseen_homes", PROTOCOL, rows)


if __name__ == "__main__":
    main()
