from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import Forecaster, History, day_ahead_targets, targets
from watthour.core.frames import Forecasts, Readings, Targets
from watthour.core.place import Place
from watthour.core.window import DAY, HOUR, Window, local_day, local_midnight
from watthour.forecasting.calendar import local_hours
from watthour.forecasting.catalogue import forecaster
from watthour.forecasting.gaussian_process.hour_process.calendar import CalendarDays, sun_elevation
from watthour.forecasting.gaussian_process.hour_process.constants import FITTED, plain_start
from watthour.forecasting.gaussian_process.hour_process.hour_regression import HourRegression
from watthour.forecasting.gaussian_process.hour_process.kernel import Inputs, Pair, variance_of
from watthour.forecasting.gaussian_process.hour_process.learning import _Hour, learn
from watthour.forecasting.gaussian_process.hour_process.model import HourProcess
from watthour.forecasting.gaussian_process.hour_process.temperature import BEFORE, temperature_features

if TYPE_CHECKING:
    import dataframely as dy

FIRST = date(2023, 6, 1)
N_DAYS = 330  # both clock changes lie inside
FITTED_ON = date(2024, 2, 20)
WEEK_AHEAD = [f"{prefix}.temperature_2m" for prefix, _ in world.POINTS]


def weeks(first: date, n_weeks: int) -> dy.DataFrame[Targets]:
    """Each asked at its own midnight."""
    starts = [first + 7 * n * DAY for n in range(n_weeks)]
    return Targets.validate(pl.concat(week(start) for start in starts))


def week(start: date) -> dy.DataFrame[Targets]:
    begins, ends = (local_midnight(day, world.ZONE) for day in (start, start + 7 * DAY))
    return targets(Window(begins, ends), begins, resolution=HOUR, time_zone=world.ZONE)


def weekly_weather(past: History, first: date, n_weeks: int) -> History:
    """The temperature of each week, given in advance at its start and no further."""
    rows = []
    for number in range(n_weeks):
        asked = week(first + 7 * number * DAY)
        for channel in WEEK_AHEAD:
            truth = past.readings.filter(pl.col("channel") == channel).select("time", "value")
            said = pl.DataFrame(asked.select("time", "issued_at")).join(truth, on="time")
            rows.append(world.forecasts(channel, said, "given"))
    return replace(past, forecasts=Forecasts.validate(pl.concat(rows)))


@pytest.fixture(scope="module")
def past() -> History:
    """Readings of weather are known at once, forecasts of it a week at a time."""
    made = world.history(FIRST, N_DAYS, operator=False)
    is_weather = pl.col("channel").is_in(WEEK_AHEAD)
    at_once = made.readings.with_columns(
        available_at=pl.when(is_weather).then(pl.col("time") + timedelta(hours=1)).otherwise("available_at")
    )
    demand_at_once = at_once.with_columns(
        available_at=pl.min_horizontal("available_at", pl.col("time") + pl.duration(hours=1))
    )
    return weekly_weather(replace(made, readings=Readings.validate(demand_at_once)), FITTED_ON, 8)


@pytest.fixture(scope="module")
def fitted(past: History) -> Forecaster:
    return HourProcess().fit(past.known_at(local_midnight(FITTED_ON, world.ZONE)), Targets.create_empty())


def medians(told: pl.DataFrame) -> pl.DataFrame:
    return told.filter(pl.col("level") == 0.5).select("issued_at", "time", "value").sort("issued_at", "time")


def actual(past: History, asked: pl.DataFrame) -> np.ndarray:
    demand = past.readings.filter(pl.col("channel") == world.DEMAND).select("time", actual="value")
    return asked.join(demand, on="time", how="left", maintain_order="left")["actual"].to_numpy()


def test_it_forecasts_a_week_ahead_nearly_as_well_as_can_be(fitted: Forecaster, past: History) -> None:
    said = fitted.predict(past, weeks(FITTED_ON, 6)).values
    point = medians(said)
    error = point["value"].to_numpy() / actual(past, point) - 1
    assert np.abs(error).mean() < 0.013  # the noise of this world is 0.8 % of the load, its mean size 0.6 %
    wide = said.pivot("level", index=["issued_at", "time"], values="value").sort("issued_at", "time")
    inside = (wide["0.05"].to_numpy() <= actual(past, wide)) & (actual(past, wide) <= wide["0.95"].to_numpy())
    assert 0.8 < inside.mean() < 0.99


def test_nothing_from_past_the_issue_or_the_horizon_moves_a_forecast(fitted: Forecaster, past: History) -> None:
    asked = weeks(FITTED_ON, 3)
    honest = medians(fitted.predict(past, asked).values)
    second = local_midnight(FITTED_ON + 7 * DAY, world.ZONE)
    third = local_midnight(FITTED_ON + 14 * DAY, world.ZONE)
    is_load = pl.col("channel") == world.DEMAND
    planted_load = past.readings.with_columns(
        value=pl.when(is_load & (pl.col("time") >= second)).then(pl.col("value") * 1.3).otherwise("value")
    ).with_columns(value=pl.when(~is_load & (pl.col("time") >= second)).then(pl.col("value") - 9).otherwise("value"))
    planted_weather = past.forecasts.with_columns(
        value=pl.when(pl.col("time") >= third).then(pl.col("value") + 9).otherwise("value")
    )
    false = replace(past, readings=Readings.validate(planted_load), forecasts=Forecasts.validate(planted_weather))
    moved = medians(fitted.predict(false, asked).values)
    before = honest["issued_at"] <= second
    assert moved.filter(before)["value"].to_list() == pytest.approx(honest.filter(before)["value"].to_list(), rel=1e-9)
    assert (moved.filter(~before)["value"] / honest.filter(~before)["value"] - 1).abs().max() > 0.05  # type: ignore[operator]  # never empty


def test_what_was_published_after_the_issue_does_not_count(fitted: Forecaster, past: History) -> None:
    asked = week(FITTED_ON + 7 * DAY)
    issue = asked["issued_at"][0]
    late = past.readings.with_columns(
        available_at=pl.when(pl.col("time").is_between(issue - 2 * DAY, issue))
        .then(pl.lit(issue + timedelta(minutes=1)))
        .otherwise("available_at")
    )
    without = past.readings.filter(~pl.col("time").is_between(issue - 2 * DAY, issue))
    one, other = (
        medians(fitted.predict(replace(past, readings=Readings.validate(rows)), asked).values)
        for rows in (late, without)
    )
    assert one.equals(other)


def test_training_sees_nothing_past_its_instant(past: History) -> None:
    as_of = local_midnight(FITTED_ON, world.ZONE)
    later = past.readings.with_columns(value=pl.when(pl.col("time") >= as_of).then(7.0).otherwise("value"))
    false = replace(past, as_of=as_of, readings=Readings.validate(later))
    honest = HourProcess().fit(past.known_at(as_of), Targets.create_empty())
    assert HourProcess().fit(false.known_at(as_of), Targets.create_empty()).files() == honest.files()


def test_days_of_23_and_25_hours_are_answered_hour_by_hour(past: History) -> None:
    for change, n_hours in ((date(2024, 3, 10), 23), (date(2023, 11, 5), 25)):
        start = change - 2 * DAY
        known = weekly_weather(past, start, 1)
        begins = local_midnight(start, world.ZONE)
        model = HourProcess().fit(known.known_at(begins), Targets.create_empty())
        point = medians(model.predict(known, week(start)).values)
        day = local_day(change, world.ZONE)
        on_change = point.filter(pl.col("time").is_between(day.start, day.end, closed="left"))
        assert on_change.height == n_hours
        assert point["value"].null_count() == 0
        error = on_change["value"].to_numpy() / actual(past, on_change) - 1
        assert np.abs(error).mean() < 0.03


def test_training_over_both_clock_changes_keeps_the_hours_of_the_clock(past: History) -> None:
    start = date(2024, 4, 9)
    known = weekly_weather(past, start, 1)
    model = HourProcess().fit(known.known_at(local_midnight(start, world.ZONE)), Targets.create_empty())
    point = medians(model.predict(known, week(start)).values)
    hours = local_hours(point["time"].to_physical().to_numpy(), world.ZONE)
    error = point["value"].to_numpy() / actual(past, point) - 1
    assert max(abs(error[hours == hour].mean()) for hour in range(24)) < 0.02


def test_saved_and_loaded_it_says_the_same(fitted: Forecaster, past: History) -> None:
    again = forecaster("hour_process", fitted.files())
    asked = weeks(FITTED_ON, 2)
    assert again.predict(past, asked).values.equals(fitted.predict(past, asked).values)
    assert again.files() == fitted.files()


def test_many_issues_at_once_are_answered_as_one_by_one(fitted: Forecaster, past: History) -> None:
    together = medians(fitted.predict(past, weeks(FITTED_ON, 4)).values)
    alone = [medians(fitted.predict(past, week(FITTED_ON + 7 * n * DAY)).values) for n in range(4)]
    assert together["value"].to_list() == pytest.approx(pl.concat(alone)["value"].to_list(), rel=1e-9)


def test_a_day_before_the_end_of_training_is_forecast_from_the_days_before_it(
    fitted: Forecaster, past: History
) -> None:
    start = FITTED_ON - 20 * DAY
    known = weekly_weather(past, start, 1)
    point = medians(fitted.predict(known, week(start)).values)
    error = point["value"].to_numpy() / actual(past, point) - 1
    assert 0.004 < np.abs(error).mean() < 0.02  # as far off as noise: its own loads were not used


def test_load_known_into_the_day_of_issue_helps_the_hours_it_is_known_at(past: History) -> None:
    issued = local_midnight(FITTED_ON, world.ZONE) + timedelta(hours=6)
    model = HourProcess().fit(past.known_at(local_midnight(FITTED_ON, world.ZONE)), Targets.create_empty())
    known = weekly_weather(past, FITTED_ON, 1)
    tomorrow = targets(local_day(FITTED_ON + DAY, world.ZONE), issued, resolution=HOUR, time_zone=world.ZONE)
    shifted = known.readings.with_columns(
        value=pl.when((pl.col("channel") == world.DEMAND) & (pl.col("time") >= local_midnight(FITTED_ON, world.ZONE)))
        .then(pl.col("value") * 1.05)
        .otherwise("value")
    )
    plain, moved = (
        medians(model.predict(each, tomorrow).values)["value"].to_numpy()
        for each in (known, replace(known, readings=Readings.validate(shifted)))
    )
    risen = moved / plain - 1
    assert (risen[:6] > 0.005).all()
    assert risen[6:] == pytest.approx(np.zeros(18), abs=1e-9)


def test_hours_without_temperature_are_left_open_and_said(fitted: Forecaster, past: History) -> None:
    begins = local_midnight(FITTED_ON, world.ZONE)
    asked = targets(Window(begins, begins + 9 * DAY), begins, resolution=HOUR, time_zone=world.ZONE)
    told = fitted.predict(past, asked)
    point = medians(told.values)
    assert point["value"].null_count() == 48
    assert any("No temperature was known for 48 of 216 intervals" in words for words in told.missing_inputs)


def test_hours_whose_temperature_is_estimated_are_said_beyond_the_step_of_a_weather_run(
    fitted: Forecaster, past: History
) -> None:
    asked = week(FITTED_ON)
    begin = local_midnight(FITTED_ON + 2 * DAY, world.ZONE) + 7 * HOUR

    def without(hours: int) -> History:
        hole = pl.col("channel").is_in(WEEK_AHEAD) & pl.col("time").is_between(begin, begin + (hours - 1) * HOUR)
        return replace(past, forecasts=Forecasts.cast(past.forecasts.filter(~hole)))

    assert fitted.predict(without(5), asked).missing_inputs == ()
    (words,) = fitted.predict(without(6), asked).missing_inputs
    assert words.startswith("The temperature was estimated from the hours beside them for 6 of 168 intervals")


def test_no_temperature_at_all_is_refused_with_the_cure(fitted: Forecaster, past: History) -> None:
    blind = replace(past, forecasts=Forecasts.create_empty())
    with pytest.raises(NotEnoughHistory, match="temperature"):
        fitted.predict(blind, week(FITTED_ON))


def test_old_load_is_said(fitted: Forecaster, past: History) -> None:
    silent = replace(past, readings=Readings.validate(past.readings.filter(pl.col("channel") != world.DEMAND)))
    told = fitted.predict(silent, weeks(FITTED_ON + 14 * DAY, 1))
    assert any("No recent load" in words for words in told.missing_inputs)


@pytest.mark.parametrize("without", ["load", "temperature"])
def test_too_little_to_learn_from_is_refused(past: History, without: str) -> None:
    as_of = local_midnight(FIRST + 60 * DAY if without == "load" else FITTED_ON, world.ZONE)
    is_load = pl.col("channel") == world.DEMAND
    rows = past.readings if without == "load" else past.readings.filter(is_load)
    short = replace(past, readings=Readings.validate(rows), forecasts=Forecasts.create_empty()).known_at(as_of)
    with pytest.raises(NotEnoughHistory, match="the hour process needs 90"):
        HourProcess().fit(short, Targets.create_empty())


def test_less_than_a_day_is_refused_as_too_little(past: History) -> None:
    begin = local_midnight(FIRST, world.ZONE)
    rows = past.readings.filter(pl.col("time").is_between(begin, begin + 20 * HOUR))
    hours_only = replace(past, readings=Readings.cast(rows)).known_at(begin + 21 * HOUR)
    with pytest.raises(NotEnoughHistory, match="the hour process needs 90"):
        HourProcess().fit(hours_only, Targets.create_empty())


def test_other_than_hourly_channels_are_refused(past: History) -> None:
    half_hourly = replace(past, context=world.context(timedelta(minutes=30)))
    with pytest.raises(InvalidInput, match="the hour process forecasts hours"):
        HourProcess().fit(half_hourly, Targets.create_empty())


def test_a_day_of_the_past_is_forecast_as_if_no_later_day_had_been_learnt(past: History) -> None:
    day = FITTED_ON - 30 * DAY
    known = weekly_weather(past, day, 1)
    whole, earlier = (
        HourProcess(adapts_constants=False).fit(known.known_at(local_midnight(at, world.ZONE)), Targets.create_empty())
        for at in (FITTED_ON, day)
    )
    now, then = (
        each.predict(known, week(day)).values.sort("time", "level")["value"].to_list() for each in (whole, earlier)
    )
    assert now == pytest.approx(then, rel=1e-12)


def test_it_answers_the_same_to_the_last_bit_after_saving(fitted: Forecaster, past: History) -> None:
    again = forecaster("hour_process", fitted.files())
    one, other = (each.predict(past, weeks(FITTED_ON, 3)).values for each in (fitted, again))
    assert one["value"].equals(other["value"])
    assert again.files() == fitted.files()


def test_a_place_without_coordinates_is_forecast_without_the_sun_which_the_training_says_and_not_every_forecast(
    past: History,
) -> None:
    nowhere = replace(world.SITE, place=Place(world.ZONE, holidays="US-NY"))
    blind = replace(past, context=replace(past.context, site=nowhere))
    model = HourProcess().fit(blind.known_at(local_midnight(FITTED_ON, world.ZONE)), Targets.create_empty())
    said = model.predict(blind, weeks(FITTED_ON, 2))
    (words,) = model.remarks
    assert words == "The coordinates of the place are unknown, so hour_process learned without daylight."
    assert said.missing_inputs == ()
    point = medians(said.values)
    assert np.abs(point["value"].to_numpy() / actual(past, point) - 1).mean() < 0.02


def test_another_channel_is_refused(fitted: Forecaster, past: History) -> None:
    elsewhere = replace(past, context=replace(past.context, channel=replace(world.CHANNEL, id="grid.there.demand")))
    with pytest.raises(InvalidInput, match="trained on"):
        fitted.predict(elsewhere, week(FITTED_ON))


def test_temperature_of_training_days_is_that_known_when_they_were_asked() -> None:
    made = world.history(FIRST, 130, operator=False)
    asked = day_ahead_targets(
        [FIRST + n * DAY for n in range(20, 125)], world.ZONE, resolution=HOUR, issue_clock=time(8), known_clock=None
    )
    as_issued = HourProcess().fit(made, asked)._state.windows
    as_known_now = HourProcess().fit(made, Targets.create_empty())._state.windows
    differs = np.abs(as_issued - as_known_now).max(axis=(1, 2))
    assert differs[:19].max() == 0
    assert differs[25:100].min() > 0.05


# the parts


@pytest.fixture(scope="module")
def some_days() -> Inputs:
    rng = np.random.default_rng(5)
    numbers = np.arange(19_700, 19_800)
    place = Place("America/New_York", 40.7, -74.0, "US-NY")
    windows = 10 + np.cumsum(rng.normal(0, 0.7, (100, 216)), axis=1).reshape(100, 9, 24)
    return Inputs.of(CalendarDays.of(numbers, place), windows)


def test_learning_climbs_along_the_true_slope(some_days: Inputs) -> None:
    hour = _Hour(some_days, np.random.default_rng(6).normal(7, 0.05, 100), 18)
    start = plain_start()
    vector = start.as_vector() + 0.1
    _, gradient = hour.negative_log_likelihood(start.with_vector(vector))
    step = 1e-5
    for at in range(len(vector)):
        up, down = vector.copy(), vector.copy()
        up[at] += step
        down[at] -= step
        above, below = (hour.negative_log_likelihood(start.with_vector(each))[0] for each in (up, down))
        assert gradient[at] == pytest.approx((above - below) / (2 * step), rel=1e-3, abs=1e-4)


def test_constants_learnt_from_the_load_make_it_likelier(some_days: Inputs) -> None:
    rng = np.random.default_rng(8)
    loads = 7 + 0.05 * some_days.temperature[:, :, 0] + rng.normal(0, 0.01, (100, 24))
    start = plain_start()
    learnt = learn(start, some_days, loads)
    hour = _Hour(some_days, loads[:, 12], 12)
    assert hour.negative_log_likelihood(learnt)[0] < hour.negative_log_likelihood(start)[0] - 10
    assert [term.name for term in learnt.terms] == [term.name for term in FITTED.terms]


def test_constants_survive_their_vector() -> None:
    again = FITTED.with_vector(FITTED.as_vector())
    assert again.as_vector() == pytest.approx(FITTED.as_vector())
    assert [term.is_hourly for term in again.terms] == [term.is_hourly for term in FITTED.terms]


def test_a_days_variance_is_its_covariance_with_itself(some_days: Inputs) -> None:
    for covariance in Pair(some_days, some_days).covariances(FITTED):
        assert np.diag(covariance) == pytest.approx(variance_of(some_days, FITTED))


def test_days_known_later_count_as_if_they_had_been_trained_on(some_days: Inputs) -> None:
    rng = np.random.default_rng(9)
    values, noise = rng.normal(7, 0.02, 100), np.full(100, 1e-4)
    covariance = next(iter(Pair(some_days, some_days).covariances(FITTED)))
    old, new, asked = slice(0, 70), slice(70, 90), slice(90, 100)
    grown = HourRegression.fit(covariance[old, old], noise[old], values[old]).updated(
        covariance[old, new], covariance[new, new], noise[new], values[new]
    )
    mean, variance = grown.predict(covariance[old, asked], covariance[new, asked], np.diag(covariance)[asked], 70, 20)
    full = covariance[:90, :90] + 1e-4 * np.eye(90)
    weights = np.linalg.solve(full, covariance[:90, asked])
    centre = values[old].mean()
    assert mean == pytest.approx(centre + weights.T @ (values[:90] - centre), abs=1e-8)
    assert variance == pytest.approx(np.diag(covariance[asked, asked] - covariance[asked, :90] @ weights), abs=1e-8)


def test_temperature_features_come_from_the_hours_they_name() -> None:
    window = np.arange(216.0).reshape(1, 9, 24)
    now = BEFORE * 24 + 12  # noon
    found = temperature_features(window)[0, 12] * 10 / 1.8
    expected = [now - 0.5, now - 3.5, now - 14.5, now - 35.5, now - 71.5, 2.5, 23, now - 131.5, 23, 6.5, -11.5, 1, 1.5]
    assert found == pytest.approx(expected)


def test_the_sun_stands_where_it_does() -> None:
    numbers = np.array([(datetime(2024, 6, 21, tzinfo=UTC).date() - date(1970, 1, 1)).days])
    sun = sun_elevation(numbers, Place("America/New_York", 42.36, -71.06))[0]
    assert sun.max() == pytest.approx(71, abs=1)  # 90 - 42.36 + 23.44
    assert int(sun.argmax()) == 12  # solar noon at 12:46 daylight saving time
    assert (sun[[4, 20]] < 1).all()  # sunrise 5:07, sunset 20:25
    assert (sun[[5, 19]] > 0).all()


def test_great_holidays_are_days_of_rest_and_small_ones_are_not() -> None:
    place = Place("America/New_York", holidays="US-MA")
    dates = [
        date(2024, 7, 4),
        date(2024, 7, 5),
        date(2024, 4, 15),
        date(2024, 12, 24),
        date(2024, 12, 27),
        date(2024, 7, 3),
    ]
    numbers = np.array([(each - date(1970, 1, 1)).days for each in dates])
    days = CalendarDays.of(numbers, place)
    assert days.rest.tolist() == [1, 0, 0, 0, 0, 0]
    assert days.weekday.tolist() == [6, 4, 0, 1, 4, 2]
    assert days.worked_holiday.tolist() == [0, 0, 1, 0, 0, 0]
    assert days.eve.tolist() == [0, 1, 0, 1, 0, 0]
    assert days.christmas_week.tolist() == [0, 0, 0, 1, 1, 0]
    assert days.after_rest.tolist() == [0, 1, 0, 0, 0, 0]
    assert days.before_rest.tolist() == [0, 0, 0, 1, 0, 1]
