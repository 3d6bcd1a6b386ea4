from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import day_ahead_targets, targets
from watthour.core.frames import LEVELS, Forecasts, Readings
from watthour.core.window import HOUR, Window
from watthour.forecasting.hourly_inputs import FEATURES, feature_table
from watthour.forecasting.twenty_features import FittedTwentyFeatures, TwentyFeatures

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets

FIRST = date(2023, 1, 1)
LEARNED = [FIRST + timedelta(days=n) for n in range(10, 100)]
UNSEEN = [FIRST + timedelta(days=n) for n in range(103, 110)]
SMALL = TwentyFeatures(rounds=60, learning_rate=0.15, leaves=12)


def asked(days: list[date], known_clock: time | None = None) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, world.ZONE, resolution=HOUR, issue_clock=time(8), known_clock=known_clock)


def changed(history: History, after: datetime, value: float | None) -> History:
    """Let demand from an instant on be something else."""
    is_later = (pl.col("channel") == world.DEMAND) & (pl.col("time") >= after)
    rows = history.readings.with_columns(
        value=pl.when(is_later).then(pl.lit(value, pl.Float64)).otherwise(pl.col("value"))
    )
    return replace(history, readings=Readings.validate(rows))


@pytest.fixture(scope="module")
def past() -> History:
    return world.history(FIRST, 112)


@pytest.fixture(scope="module")
def model(past: History) -> FittedTwentyFeatures:
    return SMALL.fit(past.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))


@pytest.fixture(scope="module")
def table(past: History) -> pl.DataFrame:
    return feature_table(past)


def test_each_feature_is_what_its_name_says(past: History, table: pl.DataFrame) -> None:
    at = datetime(2023, 3, 1, 12, tzinfo=UTC)
    row = table.row(by_predicate=pl.col("time") == at, named=True)
    demand = dict(past.latest().filter(pl.col("channel") == world.DEMAND).select("time", "value").iter_rows())
    day = [demand[at - n * HOUR] for n in range(1, 25)]
    assert row["demand"] == demand[at]
    assert row["demand_lag_1h"] == demand[at - HOUR]
    assert row["demand_lag_24h"] == demand[at - 24 * HOUR]
    assert row["demand_lag_168h"] == demand[at - 168 * HOUR]
    assert row["demand_rolling_mean_24h"] == pytest.approx(np.mean(day))
    assert row["demand_rolling_std_24h"] == pytest.approx(np.std(day, ddof=1))
    assert (row["hour_of_day"], row["day_of_week"], row["month"], row["is_weekend"]) == (7, 2, 3, 0)  # 07:00 Wednesday
    assert row["temp_squared"] == pytest.approx(row["temperature"] ** 2)
    assert row["cooling_degree_hours"] - row["heating_degree_hours"] == pytest.approx(row["temperature"] - 18.3)
    assert row["humidity"] is None  # nothing tells it


def test_weather_is_the_mean_of_the_points_by_their_load(past: History, table: pl.DataFrame) -> None:
    at = datetime(2023, 3, 1, 12, tzinfo=UTC)
    row = table.row(by_predicate=pl.col("time") == at, named=True)
    latest = past.latest().filter(pl.col("time") == at)
    points = dict(latest.select("channel", "value").iter_rows())
    mean = sum(share * points[f"{prefix}.temperature_2m"] for prefix, share in world.POINTS)
    assert row["temperature"] == pytest.approx(mean)


def test_where_weather_was_not_measured_yet_its_forecast_serves(past: History) -> None:
    last = feature_table(past.known_at(datetime(2023, 3, 10, 12, tzinfo=UTC))).row(-1, named=True)
    assert last["time"] > datetime(2023, 3, 9, tzinfo=UTC)  # measurements are known after five days
    assert last["temperature"] is not None


def test_a_holiday_is_one_of_the_region(table: pl.DataFrame) -> None:
    days = table.filter(pl.col("is_holiday") == 1)["time"].dt.convert_time_zone(world.ZONE).dt.date().unique()
    assert date(2023, 1, 16) in days  # Martin Luther King Jr. Day
    assert date(2023, 1, 17) not in days


def test_no_feature_knows_the_demand_of_its_hour_or_later(past: History, table: pl.DataFrame) -> None:
    cut = datetime(2023, 3, 10, 9, tzinfo=UTC)
    features = ["time", *FEATURES]
    until = pl.col("time") <= cut
    touched = feature_table(changed(past, cut, 99_999.0))
    assert touched.filter(until).select(features).equals(table.filter(until).select(features))


def test_a_gap_stays_a_gap(past: History) -> None:
    gone = changed(past, datetime(2023, 4, 10, tzinfo=UTC), None)
    table = feature_table(gone)
    assert table["time"][-1] < datetime(2023, 4, 10, tzinfo=UTC)
    hole = past.readings.filter(
        (pl.col("channel") != world.DEMAND) | (pl.col("time") != datetime(2023, 3, 1, 12, tzinfo=UTC))
    )
    table = feature_table(replace(past, readings=Readings.validate(hole)))
    assert table.filter(pl.col("time") == datetime(2023, 3, 1, 12, tzinfo=UTC))["demand"].to_list() == [None]
    assert table.filter(pl.col("time") == datetime(2023, 3, 1, 13, tzinfo=UTC))["demand_lag_1h"].to_list() == [None]


def test_an_hour_ahead_it_beats_the_hour_before(model: FittedTwentyFeatures, table: pl.DataFrame) -> None:
    later = table.filter(pl.col("time") >= asked(UNSEEN)["time"][0]).drop_nulls(["demand", "demand_lag_1h"])
    actual = later["demand"].to_numpy()
    ours = np.abs(model.predict_rows(later) - actual).mean()
    assert ours < 0.6 * np.abs(later["demand_lag_1h"].to_numpy() - actual).mean()


def test_a_day_ahead_it_answers_every_hour_at_every_level(model: FittedTwentyFeatures, past: History) -> None:
    questions = asked(UNSEEN)
    told = model.predict(past, questions).values
    Forecasts.validate(told)
    assert told.height == questions.height * len(LEVELS)
    assert told["value"].null_count() == 0
    assert told.sort("time", "level").select((pl.col("value").diff() >= 0).over("issued_at", "time").all()).item()


def test_a_day_ahead_it_is_near_and_its_intervals_hold(model: FittedTwentyFeatures, past: History) -> None:
    told = model.predict(past, asked(UNSEEN)).values.pivot("level", index="time", values="value")
    actual = past.latest().filter(pl.col("channel") == world.DEMAND).select("time", actual="value")
    both = told.join(actual, on="time")
    assert both.select(((pl.col("0.5") - pl.col("actual")).abs() / pl.col("actual")).mean()).item() < 0.06
    assert both.select(pl.col("actual").is_between("0.05", "0.95").mean()).item() > 0.6


def test_each_issue_sees_only_its_own_past(model: FittedTwentyFeatures, past: History) -> None:
    first = asked(UNSEEN[:1])
    issued_at = first["issued_at"][0]
    alone = model.predict(past.known_at(issued_at), first).values
    among = model.predict(past, asked(UNSEEN)).values.filter(pl.col("issued_at") == issued_at)
    assert alone["value"].to_list() == pytest.approx(among["value"].to_list())


def test_it_does_not_look_beyond_what_a_backtest_lets_it_know(model: FittedTwentyFeatures, past: History) -> None:
    questions = asked(UNSEEN[:1])
    touched = changed(past, questions["known_until"][0], 99_999.0)
    assert model.predict(touched, questions).values.equals(model.predict(past, questions).values)


def test_a_feed_that_stopped_a_day_ago_is_bridged(model: FittedTwentyFeatures, past: History) -> None:
    issued_at = datetime(2023, 4, 15, 12, tzinfo=UTC)
    stopped = changed(past, issued_at - 30 * HOUR, None)
    asked_for = targets(Window(issued_at, issued_at + 24 * HOUR), issued_at, resolution=HOUR, time_zone=world.ZONE)
    told = model.predict(stopped, asked_for).values
    assert told.height == 24 * len(LEVELS)
    assert told["value"].is_between(500, 2000).all()


def test_missing_weather_is_named(model: FittedTwentyFeatures, past: History) -> None:
    without = replace(
        past,
        readings=Readings.validate(past.readings.filter(pl.col("channel") == world.DEMAND)),
        forecasts=Forecasts.create_empty(),
    )
    told = model.predict(without, asked(UNSEEN))
    assert told.missing_inputs == ("weather: temperature",)
    assert told.values.height == asked(UNSEEN).height * len(LEVELS)


def test_it_is_the_same_after_saving(model: FittedTwentyFeatures, past: History) -> None:
    again = FittedTwentyFeatures.from_files(model.files())
    assert again.predict(past, asked(UNSEEN)).values.equals(model.predict(past, asked(UNSEEN)).values)
    assert again.files() == model.files()


def test_learning_twice_gives_the_same_model(past: History, model: FittedTwentyFeatures) -> None:
    again = SMALL.fit(past.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))
    assert again.files() == model.files()


def test_importance_has_every_feature(model: FittedTwentyFeatures) -> None:
    assert tuple(model.importance) == FEATURES
    assert model.importance["demand_lag_24h"] > 0


def test_a_missing_feature_is_named(model: FittedTwentyFeatures, table: pl.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="cloud_cover"):
        model.predict_rows(table.drop("cloud_cover"))


def test_too_little_to_learn_from_is_said(past: History) -> None:
    with pytest.raises(NotEnoughHistory, match="20 features"):
        SMALL.fit(past, asked(LEARNED[:30]))


def test_with_nothing_known_it_refuses(model: FittedTwentyFeatures, past: History) -> None:
    nothing = replace(past, readings=Readings.create_empty(), forecasts=Forecasts.create_empty())
    with pytest.raises(NotEnoughHistory):
        model.predict(nothing, asked(UNSEEN))
    with pytest.raises(NotEnoughHistory):
        SMALL.fit(nothing, asked(LEARNED))


def test_a_load_below_zero_is_not_forecast_as_zero(model: FittedTwentyFeatures, table: pl.DataFrame) -> None:
    feeding_in = table.drop_nulls("demand_lag_1h").tail(48).with_columns(demand_lag_1h=pl.lit(-5000.0))
    assert (model.predict_rows(feeding_in) < -1000).all()
