"""The comparison of carbon forecasts: what it reads and scores; the whole of it is benchmarks/carbon.py."""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.carbon import Scope
from watthour.core.frames import Forecasts, Readings
from watthour.core.window import DAY
from watthour.forecasting.catalogue import recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

Script: TypeAlias = Any  # a script's own types
DATA = Path(os.environ.get("WATTHOUR_DATA", Path(__file__).parents[3] / "shared/data"))
needs_data = pytest.mark.skipif(not (DATA / "carbon").exists(), reason="real data are not here: set WATTHOUR_DATA")
PUBLISHED = {  # persistence, hourly mean and CarbonCast's first tier: MAPE of the four days
    "NYISO": ((6.79, 9.78, 11.36, 12.12), (9.49, 10.56, 11.40, 12.08), (7.33, 10.07, 11.67, 12.17)),
    "CISO": ((10.75, 14.62, 16.55, 18.07), (13.66, 14.75, 15.39, 15.55), (7.51, 14.15, 18.34, 19.76)),
    "PJM": ((4.57, 6.57, 7.48, 7.73), (5.69, 6.13, 6.40, 6.49), (3.32, 6.03, 7.97, 9.35)),
    "FPL": ((2.54, 3.39, 3.86, 4.15), (3.11, 3.40, 3.63, 3.81), (2.60, 3.36, 3.94, 4.32)),
    "DE": ((22.25, 29.29, 33.97, 37.26), (25.26, 26.55, 27.65, 28.76), (8.67, 14.02, 16.53, 19.84)),
}


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Script]:
    yield from _script("carbon")


@pytest.fixture(scope="module")
def tables() -> Iterator[Script]:
    yield from _script("carbon_tables")


def _script(name: str) -> Iterator[Script]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module(name)


def test_who_knows_what_comes_saves_all_and_who_starts_at_once_nothing(benchmark: Script) -> None:
    actual = np.random.default_rng(1).uniform(100, 400, (20, 24))
    assert benchmark.shares_of_oracle(actual, actual)[0] == pytest.approx(100)
    rising = np.tile(np.arange(24.0), (20, 1))
    assert benchmark.shares_of_oracle(rising, actual)[0] == pytest.approx(0)


def test_a_random_start_saves_the_mean_over_all_starts(benchmark: Script) -> None:
    actual = np.tile(np.r_[np.full(12, 300.0), np.full(12, 100.0)], (5, 1))
    _, random = benchmark.shares_of_oracle(actual, actual)
    assert random == pytest.approx(100 * (300 - benchmark.runs(actual).mean()) / 200)


def test_with_a_lag_the_rules_know_a_day_less(benchmark: Script) -> None:
    values = np.repeat(np.arange(20.0), 24)
    now, late = (benchmark.rules(values, 24 * 10, 2, lag) for lag in (0, 24))
    assert now["persistence"][:, 0].tolist() == [9, 10]
    assert late["persistence"][:, 0].tolist() == [8, 9]
    assert (now["hourly_mean"][:, 0].tolist(), late["hourly_mean"][:, 0].tolist()) == ([6, 7], [5, 6])


def test_radiation_of_six_hours_is_taken_apart_into_that_of_three(tables: Script) -> None:
    runs = np.full((1, tables.N_STEPS), np.nan)
    runs[0, 1::2], runs[0, 2::2] = 200.0, 150.0  # the mean of six hours is 150: 200, then 100
    hours = tables._hourly("dswrf_wm2", runs, is_apart=False)[0]
    assert (hours[1], hours[4]) == (200.0, 100.0)


@needs_data
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_rivals_have_the_figures_that_are_known_of_them(benchmark: Script, tables: Script, name: str) -> None:
    region = next(each for each in tables.REGIONS if each.name == name)
    actual = tables.actual_of(DATA, region)
    values = actual["direct"].to_numpy()
    first, n = int((actual["time"] < benchmark.FIRST).sum()), 181
    came = np.stack([values[first + 24 * k :][: tables.N_HOURS] for k in range(n)])
    said = benchmark.rules(values, first, n, 0)
    issues = benchmark.questions(benchmark.FIRST, benchmark.LAST, timedelta(0))["issued_at"].unique()
    tiers = tables.first_tier_of(DATA, region, issues, Scope.DIRECT)
    found = [benchmark.mape_by_day(said[each], came) for each in ("persistence", "hourly_mean")]
    found.append(min((benchmark.mape_by_day(each, came) for each in tiers), key=np.sum))
    for figures, published in zip(found, PUBLISHED[name], strict=True):
        assert figures == pytest.approx(published, abs=0.0051)


@pytest.mark.skipif(not (DATA / "europe").exists(), reason="real data are not here: set WATTHOUR_DATA")
@pytest.mark.parametrize(("name", "mean"), [("FI", 107), ("NL", 407), ("PL", 611), ("SE", 44), ("ES", 107)])
def test_the_intensity_of_a_country_follows_from_its_fuels(tables: Script, name: str, mean: float) -> None:
    """Beside figures that were made apart from the tables, which count other renewables as nothing."""
    region = next(each for each in tables.EUROPE if each.name == name)
    history = tables.history_of(DATA, region, timedelta(0))
    table = tables.actual_of(DATA, region)
    year = table.filter(pl.col("time").dt.year() == 2021)
    assert year["direct"].mean() == pytest.approx(mean, rel=0.04)
    assert table["time"].diff().drop_nulls().unique().to_list() == [timedelta(hours=1)]
    assert history.context.companions
    assert bool(history.context.covariates) == (name != "FI")


@pytest.mark.skipif(not (DATA / "europe").exists(), reason="real data are not here: set WATTHOUR_DATA")
def test_hours_that_are_not_known_are_left_out_of_every_row(benchmark: Script, tables: Script) -> None:
    region = next(each for each in tables.EUROPE if each.name == "IE")
    table = tables.actual_of(DATA, region)
    assert table["direct"].null_count() > 100  # five days of March 2020
    rows = benchmark.measured(benchmark.Test(region), DATA, ["persistence", "hourly_mean"])
    assert [row["row"] for row in rows] == ["persistence", "hourly_mean"]
    assert all(np.isfinite(row[f"mape_day{day}"]) for row in rows for day in range(1, 5))


@needs_data
def test_a_notebook_says_what_the_comparison_says(benchmark: Script, tables: Script) -> None:
    """The same four days from a plain table, with weather of the newest run of each day, as a person would have it."""
    region = next(each for each in tables.REGIONS if each.name == "PJM")
    issue, begin = benchmark.FIRST, benchmark.FIRST - 200 * DAY
    gfs = tables.gfs_of(DATA, region).filter(pl.col("issued_at") >= begin)
    newest = gfs.filter(pl.col("time") < pl.col("issued_at") + DAY, pl.col("time") < issue).drop("issued_at")
    actual = tables.actual_of(DATA, region).select(ds="time", y="direct")
    actual = actual.filter(pl.col("ds") >= begin, pl.col("ds") < issue)
    future = gfs.filter(pl.col("issued_at") == issue).drop("issued_at").rename({"time": "ds"})
    table = actual.join(newest.rename({"time": "ds"}), on="ds", how="left").sort("ds")
    weather = tuple(tables.WEATHER.values())
    door = DayAhead(model="relative_days", covariates=weather, time_zone=region.zone, holidays=region.holidays)
    named = pl.lit("PJM").alias("unique_id")
    told = door.fit(table.with_columns(named), horizon=96).predict(96, future=future.with_columns(named))
    history = tables.history_of(DATA, region, timedelta(0)).known_at(issue)
    learned = benchmark.questions(begin + 29 * DAY, issue - 4 * DAY, timedelta(0))
    asked = benchmark.questions(issue, issue, timedelta(0))
    since = pl.col("time") >= begin
    short = replace(
        history,
        readings=Readings.cast(history.readings.filter(since)),
        forecasts=Forecasts.cast(history.forecasts.filter(since)),
    )
    model = recipe(benchmark.MODEL).fit(short, learned)
    published = benchmark.quantiles_of(model.predict(short, asked), asked)[0, :, benchmark.MEDIAN]
    apart = np.abs(told.sort("ds")["forecast"].to_numpy() / published - 1)
    assert apart.mean() < 0.03
