"""Strange tables: every model answers them rightly, or refuses with a cure that works when it is applied."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from contracts.test_forecasters import SMALL, skip_without_its_library

from watthour import DayAhead
from watthour.core.errors import InvalidInput, WatthourError
from watthour.forecasting.catalogue import RECIPES, recipe

if TYPE_CHECKING:
    from collections.abc import Callable

    Array = np.ndarray

ELSEWHERE = {"other_homes"}  # learned from homes alone, which no case here is: tests/forecasting/test_other_homes.py
MODELS = [name for name in RECIPES if name not in ELSEWHERE and not getattr(recipe(name), "needs_rival", False)]
N_DAYS, AHEAD = 134, 24
SPIKE = 3000.0  # EUR/MWh, the highest price European exchanges allowed for years


def usual(n_days: int = N_DAYS, step: str = "1h") -> pl.DataFrame:
    """A load that follows the clock, the weekday and the temperature."""
    first = datetime(2023, 1, 1)  # noqa: DTZ001 - notebooks have naive times
    times = pl.datetime_range(first, first + timedelta(days=n_days), step, closed="left", eager=True, time_unit="us")
    rng = np.random.default_rng(4)
    hour, weekend = times.dt.hour().to_numpy(), times.dt.weekday().to_numpy() > 5
    heat = 10 + 5 * np.cos(2 * np.pi * (hour - 15) / 24) + rng.normal(0, 2, len(times))
    y = 110 + 20 * np.cos(2 * np.pi * (hour - 18) / 24) - 10 * weekend + heat + rng.normal(0, 2, len(times))
    return pl.DataFrame({"unique_id": "town", "ds": times, "y": y, "temperature": heat})


def with_spike(table: pl.DataFrame) -> pl.DataFrame:
    """Prices around zero, and one of 3,000 EUR the evening before last."""
    row = pl.int_range(pl.len())
    return table.with_columns(y=pl.when(row == table.height - AHEAD - 30).then(SPIKE).otherwise(pl.col("y") - 120))


def moved(table: pl.DataFrame) -> pl.DataFrame:
    """A temperature that never moved until the day to forecast; the load is not its concern."""
    is_new = pl.int_range(pl.len()) >= table.height - AHEAD
    return table.with_columns(temperature=pl.when(is_new).then(30.0).otherwise(10.0))


def with_gap(table: pl.DataFrame) -> pl.DataFrame:
    hour = pl.int_range(pl.len()) - (table.height - AHEAD)
    return table.with_columns(temperature=pl.when(~hour.is_between(5, 9)).then("temperature"))


@dataclass(frozen=True)
class Case:
    """A strange table, whose last day is to be forecast, and how far the answer may be off."""

    table: Callable[[], pl.DataFrame]
    most: float  # mean absolute error of the median
    widest: float  # mean width of the 90 % band
    warns: str | None = None
    refusal: tuple[str, str, str] | None = None  # field, value, and a word of the cure: what every model says


CASES = {
    "zeros": Case(lambda: usual().with_columns(y=0.0), 1e-9, 1.0),
    "one value": Case(lambda: usual().with_columns(y=5.0), 1e-3, 1.0),
    "three days": Case(lambda: usual(4), 12.0, 100.0),
    "prices": Case(lambda: with_spike(usual()), 12.0, 60.0),
    "a covariate that never moved": Case(lambda: moved(usual()), 8.0, 80.0),
    "a covariate with a gap": Case(lambda: with_gap(usual()), 8.0, 80.0, warns="temperature for 5 of 24 intervals"),
    "two series of one name": Case(
        lambda: pl.concat([usual(), usual().with_columns(pl.col("y") * 3)]),
        *(12.0, 80.0),
        refusal=("ds", "2023-01-01 00:00:00", "frame.unique(['unique_id', 'ds'])"),
    ),
    "seven minutes": Case(lambda: usual(60, "7m"), 12.0, 80.0, refusal=("resolution", "7 minutes", "5, 15, 30 or 60")),
}


def forecast(door: DayAhead, table: pl.DataFrame) -> pl.DataFrame:
    """The last day of a table, learned from what is before it, beside what came."""
    end = table["ds"].max()
    assert isinstance(end, datetime)
    known = pl.col("ds") < end - timedelta(hours=AHEAD - 1)
    future = table.filter(~known).unique("ds", keep="first", maintain_order=True)
    told: pl.DataFrame = door.fit(table.filter(known), h=AHEAD).predict(AHEAD, future=future.drop("y"))
    return told.join(future.select("ds", "y"), on="ds")


def cured(error: WatthourError, door: DayAhead, table: pl.DataFrame) -> tuple[DayAhead, pl.DataFrame]:
    """Do what an error says."""
    if "frame.unique" in error.remedy:
        return door, table.unique(["unique_id", "ds"], keep="first").sort("ds")
    if isinstance(error, InvalidInput) and "divide a day" in error.remedy:
        means = table.group_by_dynamic("ds", every="60m", group_by="unique_id").agg(pl.col("y", "temperature").mean())
        return door, means
    if others := re.search(r"hoose another model[\w ]*: (\w+)|such as (seasonal_naive)", error.remedy):
        chosen = others[1] or others[2]
        return replace(door, model=chosen, parameters=SMALL.get(chosen)), table
    assert error.remedy.startswith("Give more rows")
    return door, usual()


@pytest.mark.filterwarnings("ignore:town. Not known")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", MODELS)
def test_a_strange_table_is_answered_rightly_or_refused_with_a_cure_that_works(name: str, case: str) -> None:
    skip_without_its_library(name)
    asked, table = CASES[case], CASES[case].table()
    door = DayAhead(model=name, covariates=("temperature",), parameters=SMALL.get(name))
    if asked.refusal is not None:
        field, value, word = asked.refusal
        with pytest.raises(InvalidInput) as refused:
            forecast(door, table)
        assert (refused.value.field, str(refused.value.value)) == (field, value)
        assert word in refused.value.remedy
        assert value in str(refused.value)
    for _ in range(4):
        try:
            told = forecast(door, table)
        except WatthourError as error:
            assert isinstance(error, InvalidInput) or re.search(r"\d", error.problem)  # noqa: PT017 - either way will do
            door, table = cured(error, door, table)
        else:
            break
    assert told.height == AHEAD
    assert told.select("forecast", "0.05", "0.95").null_count().sum_horizontal().item() == 0
    # A mean of seven days has by definition a seventh of a spike in it, in one hour of the day.
    carried = SPIKE / 7 / AHEAD if (name, case) == ("hourly_mean", "prices") else 0.0
    assert (told["forecast"] - told["y"]).abs().mean() <= asked.most + carried  # type: ignore[operator]  # numbers
    assert 0 <= (told["0.95"] - told["0.05"]).mean() <= asked.widest  # type: ignore[operator]  # numbers


@pytest.mark.parametrize("name", ["auto", "gradient_boosting"])
def test_a_gap_in_a_covariate_is_named_with_its_first_time(name: str) -> None:
    door = DayAhead(model=name, covariates=("temperature",), parameters=SMALL.get(name))
    with pytest.warns(UserWarning, match=r"temperature for 5 of 24 intervals, from 2023-05-14 05:00:00 on"):
        forecast(door, with_gap(usual()))


@pytest.mark.parametrize("name", [name for name in RECIPES if name not in {*MODELS, *ELSEWHERE}])
def test_a_model_that_needs_the_forecast_of_another_party_says_that_a_table_has_none(name: str) -> None:
    with pytest.raises(WatthourError, match=r"A table holds no forecasts by others: .*model='auto'"):
        forecast(DayAhead(model=name), usual(30).drop("temperature"))


def test_a_series_that_crosses_zero_has_bands_of_its_own_size() -> None:
    """Errors were measured in parts of the recent mean, of which nothing is left here: bands were far too wide."""
    rng = np.random.default_rng(8)
    table = usual(60).with_columns(y=pl.Series(20 * np.sin(np.arange(1440) / 24 * 2 * np.pi) + rng.normal(0, 2, 1440)))
    for name in ("seasonal_naive", "persistence_ensemble"):
        told = forecast(DayAhead(model=name, covariates=("temperature",)), table)
        assert 5 < (told["0.95"] - told["0.05"]).mean() < 13  # type: ignore[operator]  # numbers


def test_a_home_whose_battery_takes_nearly_all_has_bands_of_the_size_of_what_is_left() -> None:
    """Its usual distance from zero is next to nothing beside the hours in which a car is charged or the sun is out."""
    rng = np.random.default_rng(9)
    rare = rng.random(1440)
    charged = np.where(np.arange(1440) < 50 * 24, 0.1, 0.3)  # so that the mean is near zero, and later is not
    net = rng.normal(0, 0.03, 1440) + np.where(rare < charged, 7.0, np.where(rare > 0.86, -5.0, 0.0))
    table = usual(60).with_columns(y=pl.Series(net))
    for name in ("seasonal_naive", "persistence_ensemble"):
        told = forecast(DayAhead(model=name, covariates=("temperature",)), table)
        width = (told["0.95"] - told["0.05"]).mean()
        assert 4 < width < 30  # type: ignore[operator]  # 12 lie between its extremes, either way; 103 before


@pytest.mark.parametrize("name", ["gradient_boosting", "hour_process", "seasonal_naive"])
def test_strange_series_do_not_stop_the_others_and_progress_is_told(name: str) -> None:
    strange = {"zeros": 0.0, "five": 5.0}
    parts = [usual(), *(usual().with_columns(unique_id=pl.lit(key), y=value) for key, value in strange.items())]
    parts += [with_spike(usual()).with_columns(unique_id=pl.lit("prices"))]
    parts += [usual(3).with_columns(unique_id=pl.lit("three"))]
    table = pl.concat(parts)
    done: list[tuple[int, int]] = []
    door = DayAhead(model=name, covariates=("temperature",), parameters=SMALL.get(name))
    if name == "hour_process":
        with pytest.warns(UserWarning, match=r"1 of 5 series could not be learned: "):
            model = door.fit(table, progress=lambda n, of: done.append((n, of)))
        assert set(model.problems) == {"three"}
    else:
        model = door.fit(table, progress=lambda n, of: done.append((n, of)))
        assert not model.problems
    ahead = usual(N_DAYS + 1).drop("y").tail(24)
    ends = [ahead.with_columns(unique_id=pl.lit(key)) for key in model.pasts if key != "three"]
    told = model.predict(
        1, future=pl.concat([*ends, usual(4).drop("y").tail(24).with_columns(unique_id=pl.lit("three"))])
    )
    assert set(told["unique_id"]) == {"town", *strange, "prices", "three"} - set(model.problems)
    assert told["forecast"].null_count() == 0
    assert done[-1][0] == done[-1][1] > 0
