from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import Forecast, History, day_ahead_targets, targets
from watthour.core.frames import Forecasts, Readings, Targets
from watthour.core.window import HOUR, Window, local_day
from watthour.forecasting.baselines import DebiasedRival, FittedRule, PersistenceEnsemble, RivalForecast, SeasonalNaive

if TYPE_CHECKING:
    import dataframely as dy

DAY = date(2023, 3, 29)
PAST_DAYS = [date(2023, 2, 15) + timedelta(days=n) for n in range(38)]


@pytest.fixture(scope="module")
def past() -> History:
    return world.history(n_days=92)


def asked(days: list[date]) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, world.ZONE, resolution=HOUR, issue_clock=time(8), known_clock=None)


def medians(forecast: Forecast) -> dict[datetime, float]:
    return dict(forecast.values.filter(pl.col("level") == 0.5).select("time", "value").iter_rows())


def demand(past: History) -> dict[datetime, float]:
    return dict(past.readings.filter(pl.col("channel") == world.DEMAND).select("time", "value").iter_rows())


def only_from(past: History, start: datetime) -> History:
    ours = (pl.col("time") >= start) | (pl.col("channel") != world.DEMAND)
    return replace(past, readings=Readings.cast(past.readings.filter(ours)))


@pytest.mark.parametrize(("season", "back"), [(168, 168), (24, 48)])
def test_the_seasonal_naive_repeats_the_last_known_season(past: History, season: int, back: int) -> None:
    told = medians(SeasonalNaive(season).fit(past, asked(PAST_DAYS)).predict(past, asked([DAY])))
    values = demand(past)
    assert told == {when: values[when - back * HOUR] for when in told}


def test_the_persistence_ensemble_is_the_mean_of_four_same_weekdays(past: History) -> None:
    when = datetime(2023, 3, 8, 15, tzinfo=UTC)  # all four weeks before it are in winter time
    told = medians(PersistenceEnsemble().fit(past, asked(PAST_DAYS[:14])).predict(past, asked([date(2023, 3, 8)])))
    values = demand(past)
    assert told[when] == pytest.approx(np.mean([values[when - 168 * n * HOUR] for n in range(1, 5)]))


def test_the_operator_is_repeated_as_published(past: History) -> None:
    told = medians(RivalForecast().fit(past, asked(PAST_DAYS)).predict(past, asked([DAY])))
    said = dict(past.forecasts.filter(pl.col("model") == "operator").select("time", "value").iter_rows())
    assert told == {when: said[when] for when in told}


def test_the_rival_is_whoever_the_context_names_first(past: History) -> None:
    renamed = past.forecasts.with_columns(
        model=pl.when(pl.col("model") == world.RIVAL).then(pl.lit("elia")).otherwise("model")
    )
    other = replace(past, context=replace(past.context, rivals=("elia", "operator")), forecasts=Forecasts.cast(renamed))
    mine, theirs = (
        RivalForecast().fit(each, asked(PAST_DAYS)).predict(each, asked([DAY])).values for each in (past, other)
    )
    assert mine.equals(theirs)


def test_debiasing_takes_out_the_habitual_error(past: History) -> None:
    told = DebiasedRival().fit(past, asked(PAST_DAYS)).predict(past, asked([DAY]))
    raw = RivalForecast().fit(past, asked(PAST_DAYS)).predict(past, asked([DAY]))
    values = demand(past)
    ours, theirs = (np.mean([answer[when] / values[when] for when in answer]) for answer in map(medians, (told, raw)))
    assert theirs == pytest.approx(0.97, abs=0.01)
    assert ours == pytest.approx(1, abs=0.01)


def test_the_ratio_is_of_the_last_28_known_days_at_that_hour(past: History) -> None:
    when = datetime(2023, 3, 10, 15, tzinfo=UTC)
    told = medians(DebiasedRival().fit(past, asked(PAST_DAYS[:14])).predict(past, asked([date(2023, 3, 10)])))
    values = demand(past)
    said = dict(past.forecasts.filter(pl.col("model") == "operator").select("time", "value").iter_rows())
    days = [when - 24 * n * HOUR for n in range(2, 30)]
    assert told[when] == pytest.approx(said[when] * np.mean([values[day] / said[day] for day in days]))


@pytest.mark.parametrize("rule", [SeasonalNaive(), PersistenceEnsemble(), RivalForecast(), DebiasedRival()])
def test_intervals_hold_the_point_and_cover(past: History, rule: SeasonalNaive) -> None:
    fitted = rule.fit(past, asked(PAST_DAYS[:30]))
    told = fitted.predict(past, asked(PAST_DAYS[30:]))
    wide = told.values.pivot("level", index=["issued_at", "time"], values="value").sort("time")
    actual = wide["time"].replace_strict(demand(past), return_dtype=pl.Float64)
    assert (wide["0.05"] <= wide["0.5"]).all()
    assert (wide["0.5"] <= wide["0.95"]).all()
    inside = ((wide["0.05"] <= actual) & (actual <= wide["0.95"])).mean()
    assert isinstance(inside, float)
    assert inside > 0.7


def test_the_last_interval_of_the_day_is_forecast_while_it_runs(past: History) -> None:
    at = local_day(DAY, world.ZONE).end - HOUR + timedelta(minutes=5)
    running = targets(Window(at - timedelta(minutes=5), at + HOUR), at, resolution=HOUR, time_zone=world.ZONE)
    known = past.known_at(at)
    answer = PersistenceEnsemble().fit(known, asked(PAST_DAYS)).predict(known, Targets.cast(running.head(1)))
    assert len(medians(answer)) == 1


def test_less_than_a_week_gives_the_last_known_day_and_says_so(past: History) -> None:
    short = only_from(past, local_day(DAY - timedelta(days=4), world.ZONE).start)
    told = SeasonalNaive().fit(short, asked(PAST_DAYS)).predict(short, asked([DAY]))
    assert told.fallback is not None
    assert "the same time of the last known day is used instead" in told.fallback
    assert len(medians(told)) == 24


def test_nothing_known_is_an_error_that_names_the_cure(past: History) -> None:
    nothing = only_from(past, world.FAR)
    with pytest.raises(NotEnoughHistory, match=r"grid\.here\.demand.*watthour backfill"):
        SeasonalNaive().fit(nothing, asked(PAST_DAYS)).predict(nothing, asked([DAY]))


def test_intervals_without_past_errors_say_what_they_assume(past: History) -> None:
    model = SeasonalNaive().fit(past, asked(PAST_DAYS[:0]))
    told = model.predict(past, asked([DAY]))
    (missing,) = told.missing_inputs
    assert missing.startswith("No past error of seasonal_naive is known: its intervals assume a standard deviation")
    again = FittedRule.from_files(model.files())
    assert again.predict(past, asked([DAY])).values.equals(told.values)
    assert again.predict(past, asked([DAY])).missing_inputs == told.missing_inputs


def test_intervals_from_few_errors_say_so(past: History) -> None:
    first = Targets.cast(asked(PAST_DAYS[:1]).head(5))
    told = SeasonalNaive().fit(past, first).predict(past, asked([DAY]))
    assert told.missing_inputs == ("The intervals of seasonal_naive are based on 5 past errors only.",)


def test_no_operator_at_all_is_an_error(past: History) -> None:
    silent = replace(past, forecasts=Forecasts.create_empty())
    with pytest.raises(NotEnoughHistory, match="operator"):
        DebiasedRival().fit(silent, asked(PAST_DAYS))


@pytest.mark.parametrize("factor", [1000.0, 2.0, 0.001])
def test_an_operator_that_cannot_be_right_is_left_out_and_said(past: History, factor: float) -> None:
    day = local_day(DAY, world.ZONE)
    is_there = (pl.col("model") == "operator") & pl.col("time").is_between(day.start, day.end, closed="left")
    wrong = past.forecasts.with_columns(value=pl.when(is_there).then(factor * pl.col("value")).otherwise("value"))
    spoiled = replace(past, forecasts=Forecasts.cast(wrong))
    days = [DAY - timedelta(days=1), DAY]
    told = DebiasedRival().fit(past, asked(PAST_DAYS)).predict(spoiled, asked(days))
    usual = medians(PersistenceEnsemble().fit(past, asked(PAST_DAYS)).predict(past, asked([DAY])))
    assert {when: value for when, value in medians(told).items() if when in usual} == usual
    assert told.missing_inputs[0].startswith("The operator's forecast cannot be right, and was left out, for 24 of 48")
    with pytest.raises(NotEnoughHistory, match="operator that can be right"):
        RivalForecast().fit(past, asked(PAST_DAYS)).predict(spoiled, asked([DAY]))


def test_a_silent_day_of_the_operator_is_filled_and_said(past: History) -> None:
    day = local_day(DAY, world.ZONE)
    heard = past.forecasts.filter(~pl.col("time").is_between(day.start, day.end, closed="left"))
    gap = replace(past, forecasts=Forecasts.cast(heard))
    told = DebiasedRival().fit(past, asked(PAST_DAYS)).predict(gap, asked([DAY - timedelta(days=1), DAY]))
    assert "24 of 48 intervals, from 2023-03-29 00:00: the operator's forecast" in told.missing_inputs[0]
    assert told.values["value"].null_count() == 0


def test_missing_hours_are_jumped_over(past: History) -> None:
    day = local_day(DAY - timedelta(days=7), world.ZONE)
    holes = past.readings.filter(~pl.col("time").is_between(day.start, day.end, closed="left"))
    gap = replace(past, readings=Readings.cast(holes))
    told = medians(SeasonalNaive().fit(past, asked(PAST_DAYS)).predict(gap, asked([DAY])))
    values = demand(past)
    assert told == {when: values[when - 336 * HOUR] for when in told}


@pytest.mark.shared_data
def test_new_yorks_operator_errs_as_published(new_york: History) -> None:
    """Data notes: raw 2.91 % and de-biased 1.60 % (293 MW) in 2019, on hours where both are sound."""
    days = [date(2019, 1, 1) + timedelta(days=n) for n in range(365)]
    year = day_ahead_targets(days, "America/New_York", resolution=HOUR, issue_clock=time(8), known_clock=None)
    values = demand_of(new_york)
    for rule, percent in ((RivalForecast(), 2.91), (DebiasedRival(), 1.60)):
        points = rule.points(new_york, year)
        table = pl.DataFrame({"time": year["time"], "said": points.values}).with_columns(
            actual=pl.col("time").replace_strict(values, default=None, return_dtype=pl.Float64)
        )
        said = dict(new_york.forecasts.filter(pl.col("model") == "operator").select("time", "value").iter_rows())
        raw = pl.col("time").replace_strict(said, default=None, return_dtype=pl.Float64)
        sound = table.filter(pl.col("actual") > 0, (raw / pl.col("actual")).is_between(0.5, 2))
        error = (sound["said"] - sound["actual"]).abs()
        assert 100 * (error / sound["actual"]).mean() == pytest.approx(percent, abs=0.005)  # type: ignore[operator]  # a float
        if percent < 2:
            assert error.mean() == pytest.approx(293, abs=1)


def demand_of(past: History) -> dict[datetime, float]:
    ours = past.readings.filter(pl.col("channel") == past.context.channel.id)
    return dict(ours.select("time", "value").iter_rows())


@pytest.mark.parametrize("rule", [SeasonalNaive(), PersistenceEnsemble()])
def test_a_band_lies_no_farther_from_the_middle_than_one_and_a_half_times_the_largest_error_ever(
    rule: SeasonalNaive | PersistenceEnsemble,
) -> None:
    """A week of a car on a charger makes the recent level, which past errors are scaled by, many times what it was."""
    past = world.history(n_days=92)
    hour, day = pl.col("time").dt.hour(), pl.col("time").dt.ordinal_day()
    usual = 0.1 + 0.1 * (hour - 12).abs() + 0.02 * (day * 7 % 11)
    charged = pl.when(pl.col("time") < datetime(2023, 3, 26, tzinfo=UTC)).then(usual).otherwise(40 * usual)
    mine = pl.col("channel") == world.DEMAND
    rows = past.readings.with_columns(value=pl.when(mine).then(charged).otherwise("value"))
    home = replace(past, readings=Readings.cast(rows))
    told = rule.fit(home, asked(PAST_DAYS)).predict(home, asked([DAY])).values
    wide = told.pivot("level", index="time", values="value")
    ever = 10 * 0.02 + 0.1  # what two days differ by at most, and what the clock change adds
    assert (wide["0.95"] - wide["0.5"]).max() <= 1.5 * ever + 1e-9  # type: ignore[operator]  # a number


def test_a_band_ends_near_the_values_ever_seen_at_that_hour() -> None:
    """Of a car that charges in every other night, the errors go both ways, and the load does not."""
    past = world.history(n_days=92)
    at_night, day = pl.col("time").dt.hour() < 5, pl.col("time").dt.ordinal_day()
    charging = pl.when(at_night & (day * 7 % 5 < 2)).then(7.0).otherwise(-0.3 + 0.01 * (day % 3))
    mine = pl.col("channel") == world.DEMAND
    rows = past.readings.with_columns(value=pl.when(mine).then(charging).otherwise("value"))
    home = replace(past, readings=Readings.cast(rows))
    told = SeasonalNaive().fit(home, asked(PAST_DAYS)).predict(home, asked([DAY])).values
    assert told["value"].min() >= -0.3 - 0.25 * 7.3  # type: ignore[operator]  # a number
    assert told["value"].max() <= 7 + 0.25 * 7.3  # type: ignore[operator]  # a number


@pytest.mark.parametrize("lowest", [0.0, -1.0])
def test_a_load_that_never_was_negative_is_not_forecast_negative(past: History, lowest: float) -> None:
    rng = np.random.default_rng(1)
    is_ours = pl.col("channel") == world.DEMAND
    runs = pl.Series(np.where(rng.random(past.readings.height) < 0.1, 1500.0, 50.0))  # seldom much, usually little
    least = pl.when(pl.col("time") == pl.col("time").min()).then(lowest).otherwise(runs)
    readings = past.readings.with_columns(value=pl.when(is_ours).then(least).otherwise("value"))
    home = replace(past, readings=Readings.cast(readings))
    told = PersistenceEnsemble().fit(home, asked(PAST_DAYS)).predict(home, asked([DAY])).values["value"]
    assert (told.min() < 0) is (lowest < 0)  # type: ignore[operator]  # a number
