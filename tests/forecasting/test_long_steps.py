"""Steps of several days and of calendar months: their numbers, their tables, and who forecasts them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from contracts.test_forecasters import skip_without_its_library
from forecasting import world

from watthour import DayAhead
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import interval_starts, targets
from watthour.core.frames import Targets
from watthour.core.window import DAY, HOUR, MONTH, Window, local_midnight, step_in_words
from watthour.forecasting.catalogue import RECIPES
from watthour.forecasting.steps import (
    check_targets,
    interval_numbers,
    later_starts,
    numbered_starts,
    phase_of,
)
from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    from pathlib import Path

WEEK = 7 * DAY
BERLIN = "Europe/Berlin"
MICROSECOND = timedelta(microseconds=1)
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


def weekly(n: int = 190, every: str = "1w", first: datetime = datetime(2019, 1, 6)) -> pl.DataFrame:  # noqa: DTZ001 - notebooks have naive times
    """A table whose values follow the day of the year, and rise by a hundredth a year."""
    times = pl.datetime_range(first, first + timedelta(days=40 * n), every, eager=True, time_unit="us").head(n)
    days = (times - datetime(2019, 1, 1)).dt.total_days().to_numpy()  # noqa: DTZ001 - as above
    y = 100 * (1 + days / 36524) + 20 * np.cos(2 * np.pi * days / 365.2425)
    return pl.DataFrame({"unique_id": "town", "ds": times, "y": y})


def monthly(n: int = 60, *, ends: bool = False) -> pl.DataFrame:
    table = weekly(n, "1mo", datetime(2019, 1, 1))  # noqa: DTZ001 - as above
    return table.with_columns(pl.col("ds").dt.month_end()) if ends else table


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("step", [timedelta(minutes=15), HOUR, DAY, 2 * DAY, WEEK, MONTH])
def test_an_instant_lies_in_the_interval_of_its_number(zone: str, step: timedelta) -> None:
    window = Window(local_midnight(date(2019, 1, 1), zone), local_midnight(date(2021, 1, 1), zone))
    starts = instants(interval_starts(window, step, zone))
    grid = step // MICROSECOND, phase_of(starts, step // MICROSECOND, zone), zone
    numbers = interval_numbers(starts, *grid)
    assert (np.diff(numbers) == 1).all()
    assert (numbered_starts(numbers, *grid) == starts).all()
    assert (interval_numbers(starts - 1, *grid) == numbers - 1).all()
    assert (later_starts(starts[:-3], 3, grid[0], zone) == starts[3:]).all()
    assert (later_starts(starts[3:], -3, grid[0], zone) == starts[:-3]).all()


def test_weeks_and_months_of_a_window_begin_at_local_midnights() -> None:
    window = Window(local_midnight(date(2023, 3, 1), BERLIN), local_midnight(date(2023, 5, 2), BERLIN))
    months = interval_starts(window, MONTH, BERLIN)
    assert months.to_list() == [local_midnight(date(2023, month, 1), BERLIN) for month in (3, 4, 5)]
    weeks = interval_starts(window, WEEK, BERLIN)
    assert weeks.to_list() == [local_midnight(date(2023, 3, 1) + n * WEEK, BERLIN) for n in range(9)]
    assert targets(window, window.start, resolution=MONTH, time_zone=BERLIN).height == 3


@pytest.mark.parametrize(
    ("step", "words"), [(WEEK, "7 days"), (MONTH, "1 month"), (DAY, "1 day"), (HOUR, "60 minutes")]
)
def test_a_step_is_said_in_words(step: timedelta, words: str) -> None:
    assert step_in_words(step) == words


@pytest.mark.parametrize("step", [WEEK, MONTH])
def test_targets_that_are_no_intervals_of_the_step_are_refused(step: timedelta) -> None:
    window = Window(local_midnight(date(2023, 1, 1), world.ZONE), local_midnight(date(2023, 6, 1), world.ZONE))
    context = world.context(step)
    fitting = targets(window, window.start, resolution=step, time_zone=world.ZONE)
    check_targets(fitting, context)
    with pytest.raises(InvalidInput, match=r"1 month|7 days"):
        check_targets(targets(window, window.start, resolution=DAY, time_zone=world.ZONE), context)
    with pytest.raises(InvalidInput, match="begin inside its intervals"):
        check_targets(Targets.cast(fitting.with_columns(pl.col("time") + HOUR)), context)


@pytest.mark.parametrize("zone", ["UTC", BERLIN])
def test_a_week_is_like_the_same_week_of_the_last_year(zone: str) -> None:
    table = weekly()
    model = DayAhead(model="seasonal_naive", time_zone=zone).fit(table)
    told = model.predict()
    assert told["ds"].to_list() == [table["ds"][-1] + n * WEEK for n in range(1, 14)]
    assert told["forecast"].to_list() == pytest.approx(table["y"][-52:-39].to_list())
    assert "13 intervals of 7 days" in repr(model)


@pytest.mark.parametrize("zone", ["UTC", BERLIN])
def test_a_month_is_like_the_same_month_of_the_last_year_and_of_the_last_four(zone: str) -> None:
    table = monthly()
    told = DayAhead(model="seasonal_naive", time_zone=zone).fit(table).predict()
    assert told["ds"].to_list() == [datetime(2024, month, 1) for month in range(1, 13)]  # noqa: DTZ001 - as given
    assert told["forecast"].to_list() == pytest.approx(table["y"][-12:].to_list())
    mean = DayAhead(model="persistence_ensemble", time_zone=zone).fit(table).predict()
    assert mean["forecast"].to_list() == pytest.approx(table["y"].to_numpy()[12:].reshape(4, 12).mean(axis=0))


def test_with_less_than_a_year_of_weeks_the_last_one_stands_in_and_a_note_says_so() -> None:
    table = weekly(20)
    model = DayAhead(model="seasonal_naive").fit(table)
    assert set(model.predict()["forecast"]) == {table["y"][-1]}
    assert "the same time last year; the last known interval is used instead" in model.notes()["town"][0]


def test_months_named_by_their_last_day_are_answered_so() -> None:
    starts, ends = (DayAhead(model="seasonal_naive").fit(monthly(ends=named)) for named in (False, True))
    told = ends.predict()
    assert told["ds"].to_list() == starts.predict()["ds"].dt.month_end().to_list()
    assert told["forecast"].equals(starts.predict()["forecast"])
    beside = ends.cross_validation(3, 2)
    assert beside["cutoff"].unique().sort().to_list() == [datetime(2023, 6, 30), datetime(2023, 9, 30)]  # noqa: DTZ001 - as given
    assert beside.height == 6


def test_months_and_their_model_can_be_saved(tmp_path: Path) -> None:
    model = DayAhead(model="seasonal_naive", time_zone=BERLIN).fit(monthly(ends=True))
    model.save(tmp_path / "model")
    assert DayAhead.load(tmp_path / "model").predict().equals(model.predict())


def test_covariates_of_weeks_are_used_where_the_clock_changes() -> None:
    """Weeks with a change of clocks once made the common step of a covariate an hour, and all its values unknown."""
    table = weekly(300)
    heat = np.random.default_rng(3).normal(10, 5, 300)
    table = table.with_columns(temperature=heat, y=pl.col("y") + 10 * heat)
    growth = {"n_trees": 60, "learning_rate": 0.15, "n_leaves": 8}
    door = DayAhead(model="gradient_boosting", covariates=("temperature",), time_zone=BERLIN, parameters=growth)
    model = door.fit(table.head(296), horizon=4)
    truth = table.tail(4)
    error = (model.predict(future=truth.drop("y"))["forecast"] - truth["y"]).abs().mean()
    assert error < 0.4 * 10 * np.abs(heat[-4:] - heat[:296].mean()).mean()


@pytest.mark.parametrize("table", [weekly(), monthly()], ids=["weeks", "months"])
@pytest.mark.parametrize("name", [name for name in RECIPES if not name.startswith("operator")])
def test_every_model_answers_weeks_and_months_or_names_one_that_does(name: str, table: pl.DataFrame) -> None:
    skip_without_its_library(name)
    truth = table.tail(4)["y"].to_numpy()
    try:
        told = DayAhead(model=name, time_zone=BERLIN).fit(table.head(table.height - 4), horizon=4).predict()
    except InvalidInput as error:
        assert error.field == "resolution"  # noqa: PT017 - either way will do
        assert str(error.value) in {"7 days", "1 month"}  # noqa: PT017 - as above
        assert "seasonal_naive" in error.remedy  # noqa: PT017 - as above
        return
    assert np.abs(told["forecast"].to_numpy() / truth - 1).mean() < 0.06


def test_the_models_that_can_are_compared_on_weeks() -> None:
    model = DayAhead().fit(weekly(), horizon=4)
    compared = model.choice.filter(pl.col("pinball").is_not_null())
    assert {"seasonal_naive", "persistence_ensemble", "gradient_boosting"} <= set(compared["model"])
    assert set(model.backtest(10)["n"]) == {10}


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (weekly(60).with_columns(pl.col("ds").dt.offset_by("6h")), "days begin at midnight"),
        (pl.concat([weekly(60), weekly(1, first=datetime(2020, 4, 7))]), "stands between"),  # noqa: DTZ001 - as given
        (weekly(60, "3mo", datetime(2010, 1, 1)), "3 months apart"),  # noqa: DTZ001 - as given
        (pl.concat([weekly(60), weekly(60, "2w").with_columns(unique_id=pl.lit("b"))]), "14 days"),
    ],
)
def test_a_table_of_long_steps_that_cannot_be_says_why(table: pl.DataFrame, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        DayAhead(model="seasonal_naive").fit(table)


@pytest.mark.parametrize("n_months", [3, 12])
def test_bills_of_a_quarter_or_a_year_are_refused_with_a_cure_that_works(n_months: int) -> None:
    bills = weekly(40, f"{n_months}mo", datetime(1985, 1, 1))  # noqa: DTZ001 - as given
    with pytest.raises(InvalidInput, match=f"divide each by {n_months}, .* add up {n_months} months of the forecast"):
        DayAhead().fit(bills)
    months = bills.select(
        "unique_id",
        ds=pl.datetime_ranges("ds", pl.col("ds").dt.offset_by(f"{n_months}mo"), "1mo", closed="left"),
        y=pl.col("y") / n_months,
    ).explode("ds")
    total = DayAhead(model="persistence_ensemble").fit(months).predict(12)["forecast"].head(n_months).sum()
    assert total == pytest.approx(bills["y"][-(12 // n_months)], rel=0.1)  # of the same months of the year before


@pytest.mark.parametrize(
    ("table", "units"), [(monthly(), "months"), (weekly(60), "weeks"), (weekly(60, "3d"), "intervals")]
)
def test_a_backtest_longer_than_the_table_says_what_days_counts(table: pl.DataFrame, units: str) -> None:
    with pytest.raises(
        NotEnoughHistory, match=f"its last 200 {units} .*smaller number as `days`, which counts {units}"
    ):
        DayAhead(model="seasonal_naive").backtest(table, 200)
    assert set(DayAhead(model="seasonal_naive").backtest(table, 5)["n"]) == {5}


def test_whole_days_are_not_asked_of_weeks() -> None:
    with pytest.raises(InvalidInput, match="does not divide a day"):
        DayAhead(model="seasonal_naive").fit(weekly()).backtest(5, issue_hour=8)


def test_a_week_is_known_when_it_is_over() -> None:
    table = weekly(60)
    past = DayAhead(model="seasonal_naive", time_zone=BERLIN).fit(table).pasts["town"]
    assert past.as_of == local_midnight(table["ds"][-1].date() + WEEK, BERLIN)
