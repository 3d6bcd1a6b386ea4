from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core import metrics
from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import Forecast, History, covariates_of, day_ahead_targets
from watthour.core.frames import LEVELS, Forecasts, Quality, Readings, Targets
from watthour.core.place import Point
from watthour.core.weather import DAILY, weather_channels
from watthour.core.window import DAY, HOUR, local_day
from watthour.forecasting.features import actuals, features
from watthour.forecasting.fleet import issues_at, past_issues
from watthour.forecasting.gradient_boosting import FittedGradientBoosting, GradientBoosting
from watthour.forecasting.pooled import fit_pooled
from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    import dataframely as dy

FIRST = date(2023, 1, 1)
LEARNED = [FIRST + timedelta(days=n) for n in range(40, 250)]
UNSEEN = [FIRST + timedelta(days=n) for n in range(252, 280)]
TINY = GradientBoosting(n_trees=60, learning_rate=0.15, n_leaves=8, patience=10)


def asked(days: list[date]) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, world.ZONE, resolution=HOUR, issue_clock=time(8), known_clock=None)


@pytest.fixture(scope="module")
def past() -> History:
    return world.history(FIRST, 282)


@pytest.fixture(scope="module")
def fitted(past: History) -> FittedGradientBoosting:
    return TINY.fit(past.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))


@pytest.fixture(scope="module")
def alone(past: History) -> FittedGradientBoosting:
    return replace(TINY, operator=False).fit(past.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))


def table(forecast: Forecast, past: History) -> pl.DataFrame:
    wide = forecast.values.pivot("level", index=["issued_at", "time"], values="value").sort("time")
    questions = Targets.cast(wide.select("issued_at", "time", pl.col("issued_at").alias("known_until")))
    return wide.with_columns(actual=pl.Series(actuals(past, questions)))


def mean_width(forecast: Forecast) -> float:
    wide = forecast.values.pivot("level", index=["issued_at", "time"], values="value")
    return float(np.mean((wide["0.95"] - wide["0.05"]).to_numpy()))


def without_operator(past: History, since: datetime) -> History:
    kept = (pl.col("model") != "operator") | (pl.col("issued_at") < since)
    return replace(past, forecasts=Forecasts.cast(past.forecasts.filter(kept)))


def without_weather(past: History, since: datetime) -> History:
    kept = (pl.col("model") == "operator") | (pl.col("issued_at") < since)
    return replace(past, forecasts=Forecasts.cast(past.forecasts.filter(kept)))


def without_demand(past: History, since: datetime) -> History:
    kept = (pl.col("channel") != world.DEMAND) | (pl.col("time") < since)
    return replace(past, readings=Readings.cast(past.readings.filter(kept)))


def test_it_beats_its_baseline_and_is_honest(past: History, fitted: FittedGradientBoosting) -> None:
    told = table(fitted.predict(past, asked(UNSEEN)), past)
    naive = table(fitted.stand_in.predict(past, asked(UNSEEN)), past)
    assert metrics.mape(told["actual"], told["0.5"]) < 0.6 * metrics.mape(naive["actual"], naive["0.5"])
    assert 0.8 < metrics.coverage(told["actual"], told["0.05"], told["0.95"]) <= 1


def test_weather_alone_beats_the_baseline_too(past: History, alone: FittedGradientBoosting) -> None:
    told = table(alone.predict(past, asked(UNSEEN)), past)
    naive = table(alone.stand_in.predict(past, asked(UNSEEN)), past)
    assert metrics.mae(told["actual"], told["0.5"]) < metrics.mae(naive["actual"], naive["0.5"])
    assert not any(name.startswith("operator") for name in alone.features)


def test_quantiles_never_cross(past: History, fitted: FittedGradientBoosting) -> None:
    told = table(fitted.predict(past, asked(UNSEEN)), past).select([str(level) for level in LEVELS]).to_numpy()
    assert (np.diff(told, axis=1) >= 0).all()


def test_the_same_data_grow_the_same_trees(past: History) -> None:
    one, other = (replace(TINY, n_trees=10).fit(past, asked(LEARNED[:50])) for _ in range(2))
    assert one.files() == other.files()
    assert one.trees


def test_no_file_is_a_pickle(fitted: FittedGradientBoosting) -> None:
    for name, content in fitted.files().items():
        assert name.endswith((".txt", ".json"))
        assert content.decode().isprintable() or "\n" in content.decode()


def test_splits_and_importance_are_told(fitted: FittedGradientBoosting) -> None:
    assert fitted.splits["train"].start == local_day(LEARNED[0], world.ZONE).start
    assert fitted.splits["train"].end == local_day(LEARNED[-1], world.ZONE).end
    assert fitted.splits["validation"].end <= fitted.splits["train"].end
    assert sum(fitted.importance.values()) == pytest.approx(1)
    assert set(fitted.importance) == set(fitted.features)


def test_a_dead_operator_feed_gives_a_wider_answer_that_says_so(past: History, fitted: FittedGradientBoosting) -> None:
    since = local_day(UNSEEN[0] - timedelta(days=8), world.ZONE).start
    told = fitted.predict(without_operator(past, since), asked(UNSEEN[:3]))
    usual = fitted.predict(past, asked(UNSEEN[:3]))
    assert any("operator's forecast was missing for 72 of 72" in words for words in told.missing_inputs)
    assert told.values["value"].null_count() == 0
    assert mean_width(told) > 1.2 * mean_width(usual)
    assert usual.missing_inputs == ()


@pytest.mark.parametrize("factor", [1000.0, 2.0, 0.001, -1.0])
def test_an_operator_that_cannot_be_right_counts_as_silent_and_that_is_said(
    past: History, fitted: FittedGradientBoosting, factor: float
) -> None:
    since = local_day(UNSEEN[0] - timedelta(days=1), world.ZONE).start
    is_bad = (pl.col("model") == "operator") & (pl.col("issued_at") >= since)
    said = past.forecasts.with_columns(value=pl.when(is_bad).then(factor * pl.col("value")).otherwise("value"))
    told = fitted.predict(replace(past, forecasts=Forecasts.cast(said)), asked(UNSEEN[:1]))
    silent = fitted.predict(without_operator(past, since), asked(UNSEEN[:1]))
    assert told.values.equals(silent.values)
    assert any("cannot be right, and was left out, for 24 of 24" in words for words in told.missing_inputs)


def test_an_operator_whose_habitual_error_is_unknown_is_said(past: History, fitted: FittedGradientBoosting) -> None:
    target = asked(UNSEEN[:1])
    first = target["issued_at"][0] - timedelta(hours=1)
    late = (pl.col("model") != "operator") | (pl.col("issued_at") >= first)
    told = fitted.predict(replace(past, forecasts=Forecasts.cast(past.forecasts.filter(late))), target)
    assert any("counts as published, as its habitual error was unknown" in words for words in told.missing_inputs)


def test_a_place_without_an_operators_forecast_is_learned_without() -> None:
    place = world.history(FIRST, 90, operator=False)
    fitted = replace(TINY, n_trees=10).fit(place, asked(LEARNED[:40]))
    assert [trees.operator for trees in fitted.trees] == [False]
    assert fitted.predict(place, asked([FIRST + timedelta(days=88)])).missing_inputs == ()


def test_a_week_of_missing_weather_gives_a_wider_answer_that_says_so(
    past: History, alone: FittedGradientBoosting
) -> None:
    since = local_day(UNSEEN[0] - timedelta(days=8), world.ZONE).start
    told = alone.predict(without_weather(past, since), asked(UNSEEN[:3]))
    assert any("No weather forecast was known for 72 of 72" in words for words in told.missing_inputs)
    assert told.values["value"].null_count() == 0
    assert mean_width(told) > 1.2 * mean_width(alone.predict(past, asked(UNSEEN[:3])))


def test_a_temperature_that_is_estimated_from_the_days_extremes_is_said(
    past: History, fitted: FittedGradientBoosting
) -> None:
    question = asked(UNSEEN[10:12])
    starts = pl.Series([local_day(day, world.ZONE).start for day in UNSEEN])
    channels = weather_channels(world.SITE, (Point("lga", 40.8, -73.9),), DAILY, resolution=DAY)
    told = [
        world.forecasts(
            channel.id, pl.DataFrame({"time": starts, "issued_at": starts - DAY, "value": 20.0 + number}), "nws"
        )
        for number, channel in enumerate(channels)
    ]
    first = past.context.covariates[0]
    daily = [replace(each, point=first.point, weight=first.weight) for each in covariates_of(channels)]
    context = replace(past.context, covariates=(*past.context.covariates, *daily))
    both = replace(past, context=context, forecasts=Forecasts.validate(pl.concat([past.forecasts, *told])))
    words = "estimated from the highest and the lowest of its day for"
    assert not any(words in each for each in fitted.predict(both, question).missing_inputs)
    is_hidden = pl.col("channel").str.ends_with("temperature_2m") & (
        pl.col("time") >= local_day(UNSEEN[11], world.ZONE).start
    )
    some = replace(both, forecasts=Forecasts.cast(both.forecasts.filter(~is_hidden)))
    (said,) = [each for each in fitted.predict(some, question).missing_inputs if words in each]
    assert "24 of 48" in said


def test_old_demand_gives_a_wider_answer_that_says_so(past: History, alone: FittedGradientBoosting) -> None:
    since = local_day(UNSEEN[0] - timedelta(days=7), world.ZONE).start
    told = alone.predict(without_demand(past, since), asked(UNSEEN[:2]))
    assert any("Demand was unknown" in words for words in told.missing_inputs)
    assert told.values["value"].null_count() == 0
    assert mean_width(told) > 1.05 * mean_width(alone.predict(past, asked(UNSEEN[:2])))


def test_zeros_and_gaps_change_little(past: History, fitted: FittedGradientBoosting) -> None:
    rng = np.random.default_rng(4)
    rows = past.readings.with_columns(luck=pl.Series(rng.random(past.readings.height)))
    is_bad = (pl.col("channel") == world.DEMAND) & (pl.col("luck") < 0.05)
    holed = rows.filter(~is_bad | (pl.col("luck") < 0.02)).with_columns(
        value=pl.when(is_bad).then(0.0).otherwise("value"),
        quality=pl.when(is_bad).then(int(Quality.ZERO)).otherwise("quality").cast(pl.Int16),
    )
    told = table(fitted.predict(replace(past, readings=Readings.cast(holed.drop("luck"))), asked(UNSEEN)), past)
    usual = table(fitted.predict(past, asked(UNSEEN)), past)
    assert metrics.mae(told["actual"], told["0.5"]) < 1.3 * metrics.mae(usual["actual"], usual["0.5"])


def test_a_month_without_demand_leaves_the_operator(past: History, fitted: FittedGradientBoosting) -> None:
    silent = without_demand(past, local_day(UNSEEN[0] - timedelta(days=45), world.ZONE).start)
    told = fitted.predict(silent, asked(UNSEEN[:1]))
    assert told.values["value"].null_count() == 0
    assert any("Demand was unknown" in words for words in told.missing_inputs)


def test_too_little_history_gives_a_baseline_and_says_so(past: History) -> None:
    days = [FIRST + timedelta(days=n) for n in range(2, 12)]
    few = TINY.fit(past.known_at(asked([FIRST + timedelta(days=13)])["issued_at"][0]), asked(days))
    told = few.predict(past, asked([FIRST + timedelta(days=14)]))
    assert told.fallback is not None
    assert "too little history" in told.fallback
    assert told.values["value"].null_count() == 0
    again = FittedGradientBoosting.from_files(few.files())
    assert again.predict(past, asked([FIRST + timedelta(days=14)])).values.equals(told.values)


def test_nothing_at_all_is_an_error(past: History, fitted: FittedGradientBoosting) -> None:
    nothing = History(past.as_of, past.context, Readings.create_empty(), Forecasts.create_empty())
    with pytest.raises(NotEnoughHistory):
        fitted.predict(nothing, asked(UNSEEN[:1]))


def test_a_day_is_answered_fast(past: History, fitted: FittedGradientBoosting) -> None:
    questions = asked(UNSEEN[:1])
    seen = features(past, questions)
    times = instants(questions["time"])
    fitted.trees[0].quantiles(seen, times, world.ZONE)
    took = []
    for _ in range(20):
        start = perf_counter()
        fitted.trees[0].quantiles(seen, times, world.ZONE)
        took.append(perf_counter() - start)
    assert min(took) < 0.010


def test_any_lead_is_answered(past: History, fitted: FittedGradientBoosting) -> None:
    from watthour.core.forecast import targets
    from watthour.core.window import Window

    now = local_day(UNSEEN[0], world.ZONE).start + 15 * HOUR
    told = fitted.predict(
        past.known_at(now), targets(Window(now, now + 40 * HOUR), now, resolution=HOUR, time_zone=world.ZONE)
    )
    assert told.values["value"].null_count() == 0
    assert told.values.height == 40 * len(LEVELS)


def test_a_series_without_anything_to_learn_from_is_asked_alone_of_trees_that_others_taught() -> None:
    """Those trees know no day until which the series was learned; asking for it broke the forecast of every series."""
    past = world.history(date(2023, 1, 1), 100, operator=False, weather=False)
    short = past.known_at(datetime(2023, 4, 10, tzinfo=UTC))
    issues = past_issues(short, 24)
    growth = GradientBoosting(n_trees=10, learning_rate=0.3, n_leaves=8)
    models = fit_pooled(growth, [short, short], [issues, Targets.cast(issues.clear())], workers=1, advance=lambda: None)
    asked = issues_at(short, [short.as_of], 24)
    assert models[1].trees
    assert models[1].predict(short, asked).values["value"].null_count() == 0
