"""A series that is a weighted mean, by forecasts of what it is made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.frames import LEVELS, Readings
from watthour.core.window import DAY, HOUR
from watthour.forecasting.fleet import issues_at, past_issues
from watthour.forecasting.relative_days.model import FittedRelativeDays, RelativeDays, _by_width, in_logarithms
from watthour.forecasting.relative_days.parts import Parts
from watthour.forecasting.series_table import read

if TYPE_CHECKING:
    from watthour.core.forecast import History

START = datetime(2024, 1, 1, tzinfo=UTC)
N_DAYS, ASKED, STEPS = 120, 100, 72
ISSUE = START + ASKED * DAY
FUELS = ("gas", "nuclear", "wind", "oil")
NAMES = {name: f"series.0.companion_{k}" for k, name in enumerate(FUELS)}
FACTORS = {"gas": 370.0, "nuclear": 0.0, "wind": 0.0, "oil": 600.0}


def mix(**changed: pl.Expr) -> pl.DataFrame:
    """Load that follows the temperature, a reactor that is on or off for weeks, wind, and gas for the rest."""
    rng = np.random.default_rng(11)
    n = 24 * N_DAYS
    hour, day = np.arange(n) % 24, np.arange(n) // 24
    warm, windy = np.repeat(rng.normal(0, 1, N_DAYS), 24), np.repeat(rng.normal(0, 1, N_DAYS), 24)
    load = 1000 * np.exp(0.2 * warm + 0.15 * np.sin(2 * np.pi * hour / 24) + rng.normal(0, 0.01, n))
    times = pl.datetime_range(START, START + (n - 1) * HOUR, HOUR, eager=True, time_unit="us")
    rows = pl.DataFrame({"ds": times, "warm": warm, "windy": windy, "load": load, "day": day})
    rows = rows.with_columns(nuclear=pl.when(pl.col("day") // 9 % 3 == 0).then(150.0).otherwise(400.0), oil=pl.lit(4.0))
    rows = rows.with_columns(wind=60 + 25 * pl.col("windy"), **changed)
    rows = rows.with_columns(gas=pl.col("load") - pl.col("nuclear") - pl.col("wind") - pl.col("oil"))
    weighted = sum(factor * pl.col(name) for name, factor in FACTORS.items())
    return rows.with_columns(y=weighted / pl.col("load"))


def history(rows: pl.DataFrame) -> History:
    door = DayAhead(covariates=("warm", "windy"), companions=FUELS)
    (past,) = read(rows.select("ds", "y", "warm", "windy", *FUELS), door.columns).pasts.values()
    return past


def learned(past: History) -> Parts | None:
    known = in_logarithms(past.known_at(ISSUE))
    return Parts.learn(known, past_issues(known, STEPS))


def changed(past: History, **columns: pl.Expr) -> History:
    return replace(past, readings=Readings.cast(past.readings.with_columns(**columns)))


def test_the_weights_of_a_mean_are_found_and_small_parts_belong_to_the_rest() -> None:
    parts = learned(history(mix()))
    assert parts is not None
    assert set(parts.weights) == {NAMES["nuclear"], NAMES["wind"]}  # oil is less than 1 %, gas the largest
    assert parts.weights == pytest.approx({NAMES["nuclear"]: 0.0, NAMES["wind"]: 0.0}, abs=5.0)  # oil makes it inexact
    assert parts.rest_weight == pytest.approx(370, rel=0.02)
    assert set(parts.summed) == set(NAMES.values())


def test_what_is_no_weighted_mean_of_its_companions_has_no_parts() -> None:
    rows = mix()
    other = rows.with_columns(y=pl.Series(np.random.default_rng(1).uniform(100, 400, rows.height)))
    assert learned(history(other)) is None
    past = history(rows)
    assert learned(replace(past, context=replace(past.context, companions=()))) is None
    assert learned(replace(past, context=replace(past.context, companions=(NAMES["gas"],)))) is None


def test_a_part_that_is_hardly_known_is_left_out_of_the_sum() -> None:
    past = history(mix())
    seldom = (pl.col("channel") == NAMES["oil"]) & (pl.col("time").dt.day() > 3)
    parts = learned(replace(past, readings=Readings.cast(past.readings.filter(~seldom))))
    assert parts is not None
    assert NAMES["oil"] not in parts.summed


def test_a_reactor_that_is_off_and_a_load_that_follows_the_weather_are_told_apart() -> None:
    rows = mix()
    past = history(rows)
    parts = learned(past)
    assert parts is not None
    known = past.known_at(ISSUE)
    asked = issues_at(past, [ISSUE + n * DAY for n in range(5)], STEPS)  # the reactor stays on all the while
    regression = RelativeDays(n_trees=20, trees_share=0.0).fit(
        replace(known, context=replace(known.context, companions=())), past_issues(known, STEPS)
    )
    plain = replace(past, context=replace(past.context, companions=()))
    alone = np.log(medians(regression, plain, asked))
    apart, _ = parts.told(in_logarithms(past), asked)
    came = np.log(asked.join(rows.select(time="ds", came="y"), on="time", maintain_order="left")["came"].to_numpy())
    assert np.abs(apart - came).mean() < 0.8 * np.abs(alone - came).mean()


def medians(model: FittedRelativeDays, past: History, asked: pl.DataFrame) -> np.ndarray:
    told = model.predict(past, asked).values.filter(pl.col("level") == 0.5)  # type: ignore[arg-type]  # targets
    return asked.join(told, on=["issued_at", "time"], maintain_order="left")["value"].to_numpy()


def test_nothing_of_a_part_that_comes_after_the_issue_moves_the_answer() -> None:
    past = history(mix())
    parts = learned(past)
    assert parts is not None
    asked = issues_at(past, [ISSUE], STEPS)
    later = pl.col("channel").is_in(list(NAMES.values())) & (pl.col("time") >= ISSUE)
    planted = changed(past, value=pl.when(later).then(1e6).otherwise("value"))
    plain, moved = (parts.told(in_logarithms(each), asked)[0] for each in (past, planted))
    np.testing.assert_array_equal(plain, moved)


def test_the_sum_is_known_when_the_last_of_its_parts_is() -> None:
    past = history(mix())
    parts = learned(past)
    assert parts is not None
    asked = issues_at(past, [ISSUE + 5 * DAY], STEPS)
    is_gas = (pl.col("channel") == NAMES["gas"]) & (pl.col("time") >= ISSUE)
    late = {name: pl.when(is_gas).then(pl.col(name) + timedelta(days=5)).otherwise(name) for name in ("available_at",)}
    without = Readings.cast(past.readings.filter(~is_gas))
    told = [
        parts.told(in_logarithms(each), asked)[0] for each in (changed(past, **late), replace(past, readings=without))
    ]
    np.testing.assert_array_equal(told[0], told[1])
    assert not np.array_equal(told[0], parts.told(in_logarithms(past), asked)[0])


def test_where_the_parts_are_not_known_the_regression_answers_as_if_it_had_none() -> None:
    past = history(mix())
    known = past.known_at(ISSUE)
    model = RelativeDays(n_trees=20, trees_share=0.0).fit(known, past_issues(known, STEPS))
    assert model.parts is not None
    mine = pl.col("channel").is_in(list(NAMES.values()))
    bare = replace(past, readings=Readings.cast(past.readings.filter(~mine)))
    asked = issues_at(past, [ISSUE + DAY], STEPS)
    alone = replace(model, parts=None)
    assert medians(model, bare, asked) == pytest.approx(medians(alone, past, asked))


def test_the_forecast_with_the_wider_band_counts_less() -> None:
    quantiles = np.linspace(-1, 1, len(LEVELS)) * np.array([[1.0], [1.0], [3.0]]) + 5
    told = _by_width(quantiles, np.array([6.0, 6.0, np.nan]), np.array([2.0, 6.0, 2.0]))
    middle = told[:, LEVELS.index(0.5)]
    assert middle == pytest.approx([5.5, 5.1, 5.0])  # bands alike: half; three times as wide: a tenth; unknown: none
    assert np.ptp(told, axis=1) == pytest.approx(np.ptp(quantiles, axis=1))


def test_a_part_that_never_moved_is_as_it_was_last() -> None:
    past = history(mix(nuclear=pl.lit(300.0)))
    parts = learned(past)
    assert parts is not None
    assert set(parts.weights) == {NAMES["nuclear"], NAMES["wind"]}
    assert set(parts.parts) == {NAMES["wind"]}
    asked = issues_at(past, [ISSUE + DAY], 24)
    off = (pl.col("channel") == NAMES["nuclear"]) & (pl.col("time") >= ISSUE)
    told = [
        parts.told(in_logarithms(each), asked)[0]
        for each in (past, changed(past, value=pl.when(off).then(0.0).otherwise("value")))
    ]
    assert (told[1] > told[0] + 0.1).all()  # the reactor is off since yesterday, and gas takes its place


def test_a_saved_model_keeps_its_parts_and_a_file_without_any_is_read() -> None:
    past = history(mix())
    known = past.known_at(ISSUE)
    model = RelativeDays(n_trees=20).fit(known, past_issues(known, STEPS))
    again = FittedRelativeDays.from_files(model.files())
    asked = issues_at(past, [ISSUE + DAY], STEPS)
    assert again.predict(past, asked).values.equals(model.predict(past, asked).values)
    old = {name: content for name, content in model.files().items() if not name.startswith("parts/")}
    assert FittedRelativeDays.from_files(old).parts is None
    told = FittedRelativeDays.from_files(old).predict(past, asked).values
    assert told.equals(replace(model, parts=None).predict(past, asked).values)
    assert told["level"].n_unique() == len(LEVELS)
