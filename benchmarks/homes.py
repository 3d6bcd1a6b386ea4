"""Homes, a day ahead: fifty of London, nine of California, and two alone, beside the rules every model must beat.

Run: python benchmarks/homes.py [--data ../shared/data] [--tests lcl citylearn] [--rows ours_local] --replace

A row is a model of the catalogue. To add one, add it to ``ROWS``. Each is learned anew before each month of the test.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from dataclasses import dataclass, replace
from datetime import date, timedelta
from datetime import time as clock
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from report import RESULTS, report
from threads import on_one_thread

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import NotEnoughHistory, WatthourError
from watthour.core.forecast import Context, History, day_ahead_targets
from watthour.core.frames import INSTANT, LEVELS, Forecasts, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.combination.model import as_new
from watthour.forecasting.combination.trial import quantiles_of
from watthour.forecasting.features import actuals
from watthour.forecasting.fleet import fit_all, forecast_all, past_issues, pooled_growth
from watthour.forecasting.global_model.model import FittedGlobalModel, GlobalModel
from watthour.forecasting.model_choice import AUTO, fit_auto
from watthour.forecasting.quantiles import mean_of_quantiles
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.compare import Decision
from watthour.workflows.forecast import answer_with_fallback, load_serving, recall
from watthour.workflows.shared_model import train_shared
from watthour.workflows.sites import contexts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Forecaster
    from watthour.core.frames import Targets
    from watthour.workflows.shared_model import SharedReport

    Array = np.ndarray[Any, np.dtype[np.float64]]

PROTOCOL = (
    "Day ahead, without weather. Known: everything before the local midnight at which the day begins (tests ending in "
    "_18h: before 18:00 of the day before). Models are learned anew before the first day of each month of the test. "
    "lcl: Low Carbon London, the 45 of 50 homes with 99 % of 2013, hourly, September to December (lcl_30min: "
    "half-hourly; lcl_sum: their sum; lcl_last_28: the last 28 days only); citylearn: 9 homes of California, last 92 "
    "days to 2017-07-30 (citylearn_last_60: 60), whose predicted weather is what came and is not used; uci: Sceaux, "
    "last 12 months, hours filled in left out; emhass: a French home, last 120 days. mae of the median; rmse of "
    "the forecast itself for the rules, else of the mean of the quantiles; nmae: mae over mean load; mase: mae over "
    "that of last week before the test; pinball over 0.1 to 0.9; medians over homes. Gains in per cent: median (and "
    "quartiles) over homes of 1 - error / error of persistence_ensemble, pinball_gain against the quantiles of the "
    "last 8 same weekdays; share_won: of homes with a smaller mae than persistence_ensemble; coverage90: mean and "
    "least of all homes, of the interval from 5 to 95 %. day_ahead: DayAhead() of a table of the homes, which chooses "
    "the models. served: a store in which the homes were trained together on the first day of the month, judged on the "
    "last 28 days, from which its models have not learned. never_seen, first_month, first_week and first_day: what the "
    "store serves for a home without a model of its own, by a model of the other half of the homes, learned once "
    "before the test; told all, 28, 7 and 1 days of the home before each issue; every fifth day, the rules (which are "
    "told all) on the same days. Seconds of the processor, one thread: learning once, and forecasting a day of all "
    "homes. ours_global was measured before similar_days had learned constants."
)
_TENTHS = np.array([level for level in LEVELS if 0.05 < level < 0.95])  # noqa: PLR2004 - levels
_TENTH_COLUMNS = [k for k, level in enumerate(LEVELS) if 0.05 < level < 0.95]  # noqa: PLR2004 - levels
_MIDDLE = LEVELS.index(0.5)
WEEKDAYS = "quantiles_8_weekdays"
ENSEMBLE = "persistence_ensemble"


@dataclass(frozen=True)
class Row:
    """A model of the catalogue, whether it learns from all homes together, and whether it gives a mean."""

    recipe: str
    parameters: Mapping[str, object] | None = None
    is_pooled: bool = False
    is_rule: bool = False  # gives one number, of which quantiles are made
    is_new: bool = False  # learned from the other half of the homes, once before the test
    days_known: int | None = None  # of a new home, before each issue; None: all
    is_served: bool = (
        False  # trained in a store by the function behind `watthour train --homes`, and asked as that store answers
    )


ROWS = {
    "last_week": Row("seasonal_naive", is_rule=True),
    ENSEMBLE: Row("persistence_ensemble", is_rule=True),
    WEEKDAYS: Row(""),  # computed here
    "auto_ets": Row("auto_ets"),
    "nhits": Row("nhits"),
    "ours_local": Row("gradient_boosting", pooled_growth()),
    "global_model": Row("global_model", is_pooled=True),
    "ours_global": Row("combination", {"members": ("global_model", "day_regression", "similar_days")}, is_pooled=True),
    "day_ahead": Row(AUTO),
    "served": Row("", is_served=True),
    "never_seen": Row("global_model", is_new=True),
    "first_month": Row("global_model", is_new=True, days_known=28),
    "first_week": Row("global_model", is_new=True, days_known=7),
    "first_day": Row("global_model", is_new=True, days_known=1),
    "ours_pooled_before": Row("gradient_boosting", pooled_growth(), is_pooled=True),
}

EVERY = 5  # days of which a new home is asked one

SLOW = ("auto_ets", "nhits")  # 20 minutes each for all homes of London, and of an extra: only where they are asked for


@dataclass(frozen=True)
class Test:
    """What is known of each home, and the days that are forecast."""

    pasts: Mapping[str, History]
    days: Sequence[date]
    issue_hour: int | None = None  # of the day before; None: at midnight
    left_out: frozenset[int] = frozenset()  # instants whose values were made up [microseconds]


def main() -> None:
    """Print and keep the table."""
    on_one_thread()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", "../shared/data")))
    parser.add_argument("--tests", nargs="+", choices=list(TESTS), default=list(TESTS))
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=[name for name in ROWS if name not in SLOW])
    parser.add_argument("--replace", action="store_true", help="keep the other rows of the last run")
    asked = parser.parse_args()
    kept = RESULTS / "homes.json"
    rows = json.loads(kept.read_text(encoding="utf-8"))["rows"] if asked.replace and kept.exists() else []
    rows = [row for row in rows if row["test"] not in asked.tests or row["row"] not in asked.rows]
    for name in asked.tests:
        rows += [{"row": row, "test": name, **found} for row, found in run(TESTS[name](asked.data), asked.rows).items()]
    order = [*TESTS], [*ROWS]
    rows.sort(key=lambda row: (order[0].index(row["test"]), order[1].index(row["row"])))
    report("homes", PROTOCOL, rows)


def run(test: Test, rows: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the scores of each row."""
    asked = {name: _asked(past, test.days, test.issue_hour) for name, past in test.pasts.items()}
    actual = {name: _actual(past, asked[name], test.left_out) for name, past in test.pasts.items()}
    said: dict[str, dict[str, Array]] = {}
    found: dict[str, dict[str, float]] = {}
    of_others: dict[str, FittedGlobalModel] = {}
    rows = [name for name in rows if not ROWS[name].is_new or len(test.pasts) > 1]
    for name in dict.fromkeys((ENSEMBLE, WEEKDAYS, *rows)):
        row = ROWS[name]
        seconds: dict[str, float] = {}
        if row.is_new:
            of_others = of_others or _of_others(test)
            said[name] = _as_new(row, test, of_others)
        elif row.is_served:
            said[name] = _served(test)
        elif name == WEEKDAYS:
            said[name] = _weekdays(test, asked)
        else:
            said[name], seconds = _forecasts(row, test)
        there = {home: np.isfinite(each).all(axis=1, keepdims=True) for home, each in said[name].items()}
        beside = {
            other: _errors(
                ROWS[other],
                test,
                {
                    home: np.where(there[home], each, np.nan) if row.is_new else each
                    for home, each in said[other].items()
                },
                actual,
            )
            for other in dict.fromkeys((name, ENSEMBLE, WEEKDAYS))
            if other in said
        }
        found[name] = {**_summary(beside[name], beside[ENSEMBLE], beside.get(WEEKDAYS)), **seconds}
        print(name, found[name], flush=True)
    return {name: found[name] for name in rows}


def _of_others(test: Test) -> dict[str, FittedGlobalModel]:
    """Return for each home a model of the homes of the other half, learned once before the test."""
    names, day = list(test.pasts), test.days[0]
    found: dict[str, FittedGlobalModel] = {}
    for half in (0, 1):
        known = [
            past.known_at(_issued(past, day, test.issue_hour))
            for past in (test.pasts[name] for name in names[1 - half :: 2])
        ]
        issues = [_learned(past, day, test.issue_hour) for past in known]
        learned = GlobalModel()
        model = replace(learned.fit_many(known, issues)[0], widths={}, new_widths=learned.widths_of_new(known, issues))
        found |= dict.fromkeys(names[half::2], model)
    return found


def _as_new(row: Row, test: Test, models: Mapping[str, FittedGlobalModel]) -> dict[str, Array]:
    """Return the quantiles of each home, as if it had just come and only its last days were known; NaN where not asked.

    Every so manieth day is asked.
    """
    found = {}
    for name, past in test.pasts.items():
        parts = []
        for number, day in enumerate(test.days):
            asked = _asked(past, [day], test.issue_hour)
            if number % EVERY:
                parts.append(np.full((asked.height, len(LEVELS)), np.nan))
                continue
            known = past.known_at(asked["issued_at"][0])
            if row.days_known is not None:
                since = asked["issued_at"][0] - row.days_known * DAY
                known = replace(known, readings=Readings.cast(known.readings.filter(pl.col("time") >= since)))
            try:
                told = as_new(row.recipe, models[name], known).predict(known, asked)
            except NotEnoughHistory:  # the days that are known have no reading
                parts.append(np.full((asked.height, len(LEVELS)), np.nan))
                continue
            parts.append(quantiles_of(told, asked)[0])
        found[name] = np.concatenate(parts)
    return found


def _served(test: Test) -> dict[str, Array]:
    """Return the quantiles of each home that a store with all of them answers, trained anew each month."""
    made: dict[str, list[Array]] = {name: [] for name in test.pasts}
    for days in _months(test.days):
        begins = {name: _issued(past, days[0], test.issue_hour) for name, past in test.pasts.items()}
        store = MemoryStore()
        for name, past in test.pasts.items():
            _bring(store, past.known_at(begins[name]))
        with TemporaryDirectory() as folder:
            registry = FileRegistry(Path(folder))
            begin = time.process_time()
            (report,) = train_shared(store, registry, contexts(store, [], []), now=max(begins.values()))
            print(f"  {time.process_time() - begin:.0f} s:", *_decided(report), sep="\n  ", flush=True)
            for past in test.pasts.values():
                _bring(store, past)
            served = {context.site.name: context for context in contexts(store, [], [])}
            for name, past in test.pasts.items():
                champion = registry.champion(served[name].channel.id)
                model = None if champion is None else load_serving(registry, served[name].channel.id)
                for day in days:
                    asked = _asked(past, [day], test.issue_hour)
                    window = Window(asked["time"][0], asked["time"][-1] + past.context.resolution)
                    history = recall(store, served[name], window, asked["issued_at"][0])
                    answer = answer_with_fallback(history, asked, registry=registry, served=model)
                    made[name].append(quantiles_of(answer, asked)[0])
    return {name: np.concatenate(parts) for name, parts in made.items()}


def _bring(store: MemoryStore, past: History) -> None:
    context = past.context
    store.register([replace(context.site, main_channel=context.channel.id)], [context.channel])
    store.append(past.readings)


def _decided(report: SharedReport) -> list[str]:
    kept = [
        f"{name} keeps what it has: {' '.join(own.verdict.reasons)}"
        for name, own in report.own.items()
        if own.verdict.decision is not Decision.PROMOTED
    ]
    left = [f"{name}: {why}" for name, why in report.left_out.items()]
    return [f"{len(report.own) - len(kept)} homes have a model of their own", *kept, *left]


def _months(days: Sequence[date]) -> list[list[date]]:
    months = sorted({(day.year, day.month) for day in days})
    return [[day for day in days if (day.year, day.month) == month] for month in months]


def _asked(past: History, days: Sequence[date], issue_hour: int | None) -> dy.DataFrame[Targets]:
    at = None if issue_hour is None else clock(issue_hour)
    return day_ahead_targets(
        days, past.context.time_zone, resolution=past.context.resolution, issue_clock=at, known_clock=at
    )


def _actual(past: History, asked: dy.DataFrame[Targets], left_out: frozenset[int]) -> Array:
    values = actuals(past, asked)
    times = asked["time"].to_physical().to_list()
    return np.where([time in left_out for time in times], np.nan, values)


def _forecasts(row: Row, test: Test) -> tuple[dict[str, Array], dict[str, float]]:
    """Return the quantiles of each home, (targets, ``LEVELS``), and the seconds it took."""
    made: dict[str, list[Array]] = {name: [] for name in test.pasts}
    learning, forecasting, n_learned = 0.0, 0.0, 0
    for days in _months(test.days):
        known = {name: past.known_at(_issued(past, days[0], test.issue_hour)) for name, past in test.pasts.items()}
        issues = {name: _learned_by(row, past, days[0], test.issue_hour) for name, past in known.items()}
        begin = time.process_time()
        models = _learn(row, known, issues)
        learning, n_learned = learning + time.process_time() - begin, n_learned + 1
        able = {name: model for name, model in models.items() if not isinstance(model, WatthourError)}
        mine = {name: _asked(past, days, test.issue_hour) for name, past in test.pasts.items()}
        begin = time.process_time()
        told = forecast_all(able, test.pasts, mine)
        forecasting += time.process_time() - begin
        for name in test.pasts:
            one = told.get(name)
            if one is None or isinstance(one, WatthourError):
                raise (one or models[name])  # type: ignore[misc]  # an error
            made[name].append(quantiles_of(one, mine[name])[0])
    seconds = {
        "train_seconds": round(learning / n_learned, 2),
        "predict_seconds": round(forecasting / len(test.days), 3),
    }
    return {name: np.concatenate(parts) for name, parts in made.items()}, seconds


def _learn(
    row: Row, known: Mapping[str, History], issues: Mapping[str, dy.DataFrame[Targets]]
) -> Mapping[str, Forecaster | WatthourError]:
    if row.recipe == AUTO:
        found, choice = fit_auto(
            lambda name, error: f"{name}: {error}", known, issues, is_local=False, workers=1, progress=False
        )
        for reason in dict.fromkeys(choice.reasons.values()):
            print(" ", reason, flush=True)
        return found
    asked = recipe(row.recipe, row.parameters)
    return fit_all(asked, known, issues, is_pooled=row.is_pooled, workers=1, progress=False)


def _issued(past: History, day: date, issue_hour: int | None) -> Any:  # noqa: ANN401 - a datetime
    return _asked(past, [day], issue_hour)["issued_at"][0]


def _learned_by(row: Row, past: History, before: date, issue_hour: int | None) -> dy.DataFrame[Targets]:
    """Return what a row learns from; ``DayAhead()`` chooses it itself."""
    if row.recipe == AUTO and issue_hour is None:
        return past_issues(past, round(DAY / past.context.resolution))
    return _learned(past, before, issue_hour)


def _learned(past: History, before: date, issue_hour: int | None) -> dy.DataFrame[Targets]:
    """Return the days of the past that had been measured when the first day of a month was forecast."""
    first = past.readings["time"].min().date() + 9 * DAY  # type: ignore[union-attr]  # an instant
    last = before if issue_hour is None else before - DAY
    days = [first + n * DAY for n in range((last - first).days)]
    return _asked(past, days, issue_hour)


def _weekdays(test: Test, asked: Mapping[str, dy.DataFrame[Targets]]) -> dict[str, Array]:
    """Return the quantiles of the last 8 same weekdays at the same clock time."""
    found = {}
    for name, past in test.pasts.items():
        zone = past.context.time_zone
        known = dict(
            past.readings.select(pl.col("time").dt.convert_time_zone(zone).dt.replace_time_zone(None), "value").rows()
        )
        local = asked[name]["time"].dt.convert_time_zone(zone).dt.replace_time_zone(None)
        weeks = [[known.get(one - 7 * k * DAY, np.nan) for k in range(1, 9)] for one in local]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # nothing was known at that hour
            found[name] = np.nanquantile(np.array(weeks, dtype=float), LEVELS, axis=1).T
    return found


def _errors(row: Row, test: Test, said: Mapping[str, Array], actual: Mapping[str, Array]) -> dict[str, Array]:
    """Return the scores of each home, (homes,) each."""
    table = []
    for name, past in test.pasts.items():
        quantiles, came = said[name], actual[name]
        ok = np.isfinite(came) & np.isfinite(quantiles).all(axis=1)
        quantiles, came = quantiles[ok], came[ok]
        point = quantiles[:, _MIDDLE]
        mean = point if row.is_rule else mean_of_quantiles(quantiles)
        gap = came[:, None] - quantiles[:, _TENTH_COLUMNS]
        error = np.abs(came - point).mean()
        table.append(
            {
                "mae": error,
                "nmae": error / came.mean(),
                "rmse": np.sqrt(((came - mean) ** 2).mean()),
                "mase": error / _last_week_before(past, test.days[0]),
                "pinball": np.maximum(_TENTHS * gap, (_TENTHS - 1) * gap).mean(),
                "coverage90": 100 * ((came >= quantiles[:, 0]) & (came <= quantiles[:, -1])).mean(),
            }
        )
    return {name: np.array([each[name] for each in table]) for name in table[0]}


def _last_week_before(past: History, day: date) -> float:
    """Return the mean absolute error of last week before the test."""
    times, values = past.readings["time"], past.readings["value"].to_numpy()
    before = (times < local_midnight(day, past.context.time_zone)).to_numpy()
    week = round(7 * DAY / past.context.resolution)
    known = values[before]
    return float(np.nanmean(np.abs(known[week:] - known[:-week])))


def _summary(
    mine: Mapping[str, Array], ensemble: Mapping[str, Array], weekdays: Mapping[str, Array] | None
) -> dict[str, float]:
    """Return what a row says."""
    found = {f"{name}_median": float(np.median(mine[name])) for name in ("mae", "nmae", "rmse", "mase", "pinball")}
    for name in ("mae", "rmse"):
        gain = 100 * (1 - mine[name] / ensemble[name])
        found[f"{name}_gain_percent"] = float(np.median(gain))
        found |= {f"{name}_gain_q{q}": float(np.percentile(gain, q)) for q in (25, 75)}
    if weekdays is not None:
        found["pinball_gain_percent"] = float(np.median(100 * (1 - mine["pinball"] / weekdays["pinball"])))
    found["share_won_percent"] = float(100 * (mine["mae"] < ensemble["mae"]).mean())
    found["coverage90_percent"] = float(mine["coverage90"].mean())
    found["least_coverage90_percent"] = float(mine["coverage90"].min())
    return {name: round(value, 4) for name, value in found.items()}


def lcl(
    folder: Path,
    *,
    step: timedelta = HOUR,
    is_sum: bool = False,
    issue_hour: int | None = None,
    first: date = date(2013, 9, 1),
) -> Test:
    """Return the homes of Low Carbon London of which 99 % of the year is known, or their sum."""
    half_hour = timedelta(minutes=30)
    table = pl.read_parquet(folder / "home/fleet/lcl_50homes_2013_30min.parquet")
    rows = (
        table.select(name=pl.col("LCLid").cast(pl.String), time=pl.col("tstp").dt.replace_time_zone("UTC"), value="kwh")
        .filter(pl.len().over("name") > 0.99 * 365 * 48)
        .group_by("name", pl.col("time").dt.truncate(step))
        .agg(pl.col("value").cast(pl.Float64).sum(), pl.len())
        .filter(pl.col("len") == step / half_hour)
    )
    if is_sum:
        n_homes = rows["name"].n_unique()
        together = rows.group_by("time").agg(pl.col("value").sum(), pl.len()).filter(pl.col("len") >= 0.9 * n_homes)
        rows = together.select(pl.lit("sum").alias("name"), "time", value=pl.col("value") * n_homes / pl.col("len"))
    place = Place("Europe/London", 51.5, -0.1, holidays="GB-ENG")
    return Test(pasts_of(rows, place, step), _days(first, date(2013, 12, 31)), issue_hour)


def citylearn(folder: Path, *, issue_hour: int | None = None, first: date = date(2017, 4, 30)) -> Test:
    """Return the homes of the CityLearn challenge of 2022; their clock is never changed.

    The table's "predicted" weather is the later observation itself, 6, 12 and 24 hours early: no forecast as issued,
    so it is not used.
    """
    table = pl.read_parquet(folder / "home/fleet/citylearn2022_9homes_hourly.parquet")
    zone = "Etc/GMT+8"
    time = pl.col("hour_start").dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
    rows = table.select(name=pl.format("home {}", "home"), time=time, value=pl.col("load_kwh").cast(pl.Float64))
    place = Place(zone, 34.1, -117.4, holidays="US-CA")
    return Test(pasts_of(rows, place, HOUR), _days(first, date(2017, 7, 30)), issue_hour)


def uci(folder: Path) -> Test:
    """Return the household of Sceaux, whose clock is never changed, with the hours that were filled in."""
    table = pl.read_parquet(folder / "home/homes/uci_household_hourly.parquet")
    zone = "Etc/GMT-1"
    time = pl.col("datetime").dt.replace_time_zone(zone).dt.convert_time_zone("UTC").cast(INSTANT)
    rows = table.select(
        pl.lit("uci").alias("name"), time.alias("time"), pl.col("total_kwh").cast(pl.Float64), "imputed"
    )
    filled = frozenset(rows.filter("imputed")["time"].to_physical().to_list())
    pasts = pasts_of(rows.filter(~pl.col("imputed")).rename({"total_kwh": "value"}), Place(zone, 48.8, 2.3, "FR"), HOUR)
    return Test(pasts, _days(date(2009, 11, 26), date(2010, 11, 25)), left_out=filled)


def emhass(folder: Path) -> Test:
    """Return the French home of EMHASS, hourly."""
    table = pl.read_parquet(folder / "home/homes/emhass_fr_home_30min.parquet").drop_nulls("load_w")
    rows = (
        table.group_by(time=pl.col("utc").dt.truncate("1h").cast(INSTANT))
        .agg(value=pl.col("load_w").cast(pl.Float64).mean() / 1000, n=pl.len())
        .filter(pl.col("n") == 2)  # noqa: PLR2004 - both halves
        .select(pl.lit("emhass").alias("name"), "time", "value")
    )
    place = Place("Europe/Paris", 44.0, 3.0, holidays="FR")
    return Test(pasts_of(rows, place, HOUR), _days(date(2024, 10, 30), date(2025, 2, 26)))


def pasts_of(rows: pl.DataFrame, place: Place, step: timedelta) -> dict[str, History]:
    """Return what is known of homes, of rows of ``name, time, value``."""
    pasts = {}
    for (name,), mine in rows.sort("name", "time").group_by(["name"], maintain_order=True):
        site = Site(str(name).lower().replace(" ", "_"), str(name), SiteKind.HOME, place)
        channel = Channel(f"home.{site.id}.load", site.id, Quantity.ENERGY, Unit.KWH, step)
        times = pl.col("time").cast(INSTANT)
        readings = mine.select(
            pl.lit(channel.id).alias("channel"),
            times.alias("time"),
            (times + step).alias("available_at"),
            (times + step).alias("recorded_at"),
            "value",
            pl.lit(0, pl.Int16).alias("quality"),
        )
        end = readings["available_at"].max()
        pasts[str(name)] = History(end, Context(site, channel), Readings.cast(readings), Forecasts.create_empty())  # type: ignore[arg-type]  # an instant
    return pasts


def _days(first: date, last: date) -> list[date]:
    return [first + n * DAY for n in range((last - first).days + 1)]


_EVENING = 18
TESTS: Mapping[str, Callable[[Path], Test]] = {
    "lcl": lcl,
    "lcl_18h": lambda folder: lcl(folder, issue_hour=_EVENING),
    "lcl_30min": lambda folder: lcl(folder, step=timedelta(minutes=30)),
    "lcl_sum": lambda folder: lcl(folder, is_sum=True),
    "lcl_last_28": lambda folder: lcl(folder, first=date(2013, 12, 4)),
    "citylearn": citylearn,
    "citylearn_18h": lambda folder: citylearn(folder, issue_hour=_EVENING),
    "citylearn_last_60": lambda folder: citylearn(folder, first=date(2017, 6, 1)),
    "uci": uci,
    "emhass": emhass,
}


if __name__ == "__main__":
    main()
