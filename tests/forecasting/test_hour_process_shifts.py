"""Loads that shift, are never positive, or have no temperature: made up, or planted into real rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import Covariate, Forecaster, History, targets
from watthour.core.frames import LEVELS, Readings, Targets
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.forecasting.gaussian_process.hour_process.adapting import adapt
from watthour.forecasting.gaussian_process.hour_process.calendar import CalendarDays
from watthour.forecasting.gaussian_process.hour_process.constants import FITTED
from watthour.forecasting.gaussian_process.hour_process.kernel import Inputs, Pair, noise_of
from watthour.forecasting.gaussian_process.hour_process.lead_errors import LEADS, band
from watthour.forecasting.gaussian_process.hour_process.level_shifts import DaysAtHour, LevelShifts
from watthour.forecasting.gaussian_process.hour_process.load_scale import LoadScale
from watthour.forecasting.gaussian_process.hour_process.model import HourProcess
from watthour.forecasting.gaussian_process.hour_process.solve import TrainedHours
from watthour.forecasting.gaussian_process.hour_process.temperature import SPAN, Thermometers, answerable_hours

if TYPE_CHECKING:
    import dataframely as dy

FIRST = date(2023, 6, 1)
FITTED_ON = FIRST + 180 * DAY
SHIFTS_ON = FITTED_ON + 3 * DAY
N_DAYS = 210


def known_at_once() -> History:
    """Every reading is known when its hour is over."""
    made = world.history(FIRST, N_DAYS, operator=False)
    over = pl.col("time") + timedelta(hours=1)
    rows = made.readings.with_columns(available_at=over, recorded_at=over)
    known_ahead = rows.with_columns(
        available_at=pl.when(pl.col("channel") == world.DEMAND).then("available_at").otherwise(pl.col("time") - 9 * DAY)
    )
    return replace(made, readings=Readings.validate(known_ahead), forecasts=made.forecasts.clear())


def with_load(past: History, load: pl.Expr) -> History:
    is_load = pl.col("channel") == world.DEMAND
    rows = past.readings.with_columns(value=pl.when(is_load).then(load).otherwise("value"))
    return replace(past, readings=Readings.validate(rows))


def days_ahead(first: date, n_days: int) -> dy.DataFrame[Targets]:
    """Each day asked at its own midnight."""
    parts = []
    for number in range(n_days):
        begins, ends = (local_midnight(first + (number + more) * DAY, world.ZONE) for more in (0, 1))
        parts.append(targets(Window(begins, ends), begins, resolution=HOUR, time_zone=world.ZONE))
    return Targets.validate(pl.concat(parts))


def fit(past: History, at: date = FITTED_ON) -> Forecaster:
    return HourProcess().fit(past.known_at(local_midnight(at, world.ZONE)), Targets.create_empty())


def beside_actual(model: Forecaster, past: History, asked: dy.DataFrame[Targets]) -> pl.DataFrame:
    """One row per hour: its day after the first, the quantiles and the load."""
    load = past.readings.filter(pl.col("channel") == world.DEMAND).select("time", actual="value")
    wide = model.predict(past, asked).values.pivot("level", index=["issued_at", "time"], values="value")
    day = (pl.col("issued_at") - pl.col("issued_at").min()).dt.total_hours() // 23
    return wide.join(load, on="time").sort("time").with_columns(day=day)


def mape(rows: pl.DataFrame, first: int, last: int) -> float:
    away = rows.filter(pl.col("day").is_between(first, last)).select((pl.col("0.5") / pl.col("actual") - 1).abs())
    return float(away.to_numpy().mean())


@pytest.fixture(scope="module")
def past() -> History:
    return known_at_once()


@pytest.fixture(scope="module")
def model(past: History) -> Forecaster:
    return fit(past)


@pytest.mark.parametrize("size", [-0.08, 0.15])
def test_a_step_of_the_level_is_learned_within_a_week(model: Forecaster, past: History, size: float) -> None:
    since = pl.col("time") >= local_midnight(SHIFTS_ON, world.ZONE)
    shifted = with_load(past, pl.col("value") * pl.when(since).then(1 + size).otherwise(1.0))
    asked = days_ahead(SHIFTS_ON, 21)
    before, after = (beside_actual(model, each, asked) for each in (past, shifted))
    assert mape(after, 0, 0) > 4 * mape(before, 0, 0)  # it was not known on its first day
    assert mape(after, 7, 20) < 1.2 * mape(before, 7, 20)


def test_one_odd_day_is_no_shift(model: Forecaster, past: History) -> None:
    storm = local_midnight(SHIFTS_ON, world.ZONE)
    is_storm = pl.col("time").is_between(storm, storm + DAY, closed="left")
    odd = with_load(past, pl.col("value") * pl.when(is_storm).then(0.7).otherwise(1.0))
    asked = days_ahead(SHIFTS_ON + DAY, 7)
    before, after = (beside_actual(model, each, asked) for each in (past, odd))
    assert mape(after, 0, 6) < 1.3 * mape(before, 0, 6)


def test_a_shift_is_seen_from_the_days_up_to_it_alone() -> None:
    rng = np.random.default_rng(4)
    days = np.arange(150)
    near = 0.01**2 * np.exp(-np.abs(days[:, None] - days) / 4)
    level = np.where(days >= 100, -0.3, 0.0)
    values = [level + rng.normal(0, 0.01, len(days)) for _ in range(6)]

    def found(n_days: int) -> LevelShifts:
        some = days[:n_days]
        hours = [DaysAtHour(some, near[:n_days, :n_days], np.full(n_days, 1e-4), each[:n_days]) for each in values]
        return LevelShifts.find(hours, n_days)

    whole = found(150)
    moved = np.flatnonzero(np.diff(whole.variance)) + 1
    assert moved.tolist() == [101]  # the second day of it
    assert np.sqrt(whole.variance[-1]) == pytest.approx(0.3, rel=0.3)
    assert found(101).variance.max() == 0
    for n_days in (80, 102, 120):
        assert found(n_days).variance == pytest.approx(whole.variance[:n_days])


def test_shifts_among_later_days_are_those_of_training_with_them(past: History) -> None:
    since = pl.col("time") >= local_midnight(SHIFTS_ON - 8 * DAY, world.ZONE)
    shifted = with_load(past, pl.col("value") * pl.when(since).then(1.5).otherwise(1.0))
    fixed = HourProcess(adapts_constants=False)
    asked = days_ahead(SHIFTS_ON, 1)
    early, late = (
        fixed.fit(shifted.known_at(local_midnight(at, world.ZONE)), Targets.create_empty())
        for at in (SHIFTS_ON - 20 * DAY, SHIFTS_ON)
    )
    one, other = (each.predict(shifted, asked).values.filter(pl.col("level") == 0.5)["value"] for each in (early, late))
    assert one.to_numpy() == pytest.approx(other.to_numpy(), rel=0.01)


def test_past_errors_of_a_lead_are_those_of_forecasts_with_that_lead(past: History) -> None:
    state = (
        HourProcess(adapts_constants=False)
        .fit(past.known_at(local_midnight(FITTED_ON, world.ZONE)), Targets.create_empty())
        ._state
    )
    hour, day, lead = 13, 150, 3
    trained = TrainedHours.fit(state)
    inputs = state.inputs(state.numbers, state.windows)
    covariance = next(Pair(inputs, inputs).covariances(state.constants, [hour]))
    known = slice(0, day - lead + 1)
    noise = noise_of(inputs, hour, state.constants.noise)
    factor = trained.hours[hour].trained.factor
    weights = np.diag(factor.lower @ factor.lower.T) - np.diag(covariance)  # the noise of odd days is larger
    values = state.values[known, hour]
    inverse = np.linalg.inv(covariance[known, known] + np.diag(weights[known]))
    mean = values.mean() + covariance[day, known] @ inverse @ (values - values.mean())
    variance = covariance[day, day] - covariance[day, known] @ inverse @ covariance[known, day] + noise[day]
    expected = (state.values[day, hour] - mean) / np.sqrt(variance)
    assert trained.shifts.variance.max() == 0
    assert trained.errors[day, hour, list(LEADS).index(lead)] == pytest.approx(expected, rel=1e-6)


def test_a_band_follows_the_errors_of_the_last_weeks() -> None:
    rng = np.random.default_rng(2)
    ages = np.arange(60)[::-1]
    calm, wild = rng.normal(0, 1, (60, 24)), np.where(ages[:, None] < 10, 3.0, 1.0) * rng.normal(0, 1, (60, 24))
    upper = LEVELS.index(0.95)
    assert band(calm, ages)[upper] == pytest.approx(1.645, rel=0.15)
    assert band(wild, ages)[upper] > 1.6 * band(calm, ages)[upper]
    nothing = band(np.empty((0, 24)), np.empty(0, dtype=np.int64))
    assert nothing == pytest.approx(-nothing[::-1])
    assert nothing[upper] == pytest.approx(1.645, rel=0.02)


def test_bands_widen_while_a_load_is_wilder_than_it_was(model: Forecaster, past: History) -> None:
    noise = pl.Series(np.random.default_rng(9).normal(0, 0.03, past.readings.height))
    since = pl.col("time") >= local_midnight(SHIFTS_ON, world.ZONE)
    wild = with_load(past, pl.col("value") * pl.when(since).then(1 + noise).otherwise(1.0))
    asked = days_ahead(SHIFTS_ON + 10 * DAY, 14)
    rows, calm = (beside_actual(model, each, asked) for each in (wild, past))
    inside = (rows["0.05"] <= rows["actual"]) & (rows["actual"] <= rows["0.95"])
    assert float(inside.to_numpy().mean()) > 0.7
    before, now = (float((each["0.95"] / each["0.05"]).log().to_numpy().mean()) for each in (calm, rows))
    assert now > 2 * before


def test_a_load_that_is_zero_and_negative_is_forecast(past: History) -> None:
    net = with_load(past, pl.col("value") - 1000)
    rows = beside_actual(fit(net), net, days_ahead(FITTED_ON, 7))
    shape = beside_actual(fit(past), past, days_ahead(FITTED_ON, 7))
    assert (rows["actual"] < 0).any()
    assert (rows["actual"] > 0).any()
    error, usual = (float((each["0.5"] - each["actual"]).abs().to_numpy().mean()) for each in (rows, shape))
    assert error < 1.5 * usual


def test_a_load_that_stays_at_zero_is_refused_after_some_days_with_its_cure(model: Forecaster, past: History) -> None:
    begins = local_midnight(SHIFTS_ON, world.ZONE)
    shut = with_load(past, pl.when(pl.col("time") >= begins).then(0.0).otherwise("value"))
    first = model.predict(shut, days_ahead(SHIFTS_ON + 2 * DAY, 1))
    assert first.values["value"].null_count() == 0
    assert any(words.startswith("48 intervals of the last days are zero or neg") for words in first.missing_inputs)
    with pytest.raises(NotEnoughHistory, match=r"intervals of the last 7 days of .* are zero or negative") as refused:
        model.predict(shut, days_ahead(SHIFTS_ON + 5 * DAY, 1))
    assert "gradient_boosting" in refused.value.remedy


def test_a_load_that_was_never_negative_is_forecast_so(past: History) -> None:
    sunny = with_load(past, (pl.col("value") - 1000).clip(0))
    rows = beside_actual(fit(sunny), sunny, days_ahead(FITTED_ON, 3))
    assert rows["0.05"].min() == 0
    assert (rows["actual"] == 0).any()


def test_the_scale_is_the_one_on_which_a_load_varies_evenly() -> None:
    rng = np.random.default_rng(1)
    numbers = np.arange(200)
    size = np.exp(np.sin(numbers / 30))[:, None]
    relative = LoadScale.of(numbers, size * 100 * np.exp(rng.normal(0, 0.1, (200, 24))))
    absolute = LoadScale.of(numbers, size * 100 + 200 + rng.normal(0, 60, (200, 24)).clip(-200))
    assert relative.size is None
    assert absolute.size is not None
    assert absolute.is_never_negative
    for scale, loads in ((relative, np.array([3.0, 8.0])), (LoadScale(50.0), np.array([-3.0, 0.0]))):
        assert scale.loads(scale.values(loads)) == pytest.approx(loads)
    assert LoadScale.of(numbers, np.zeros((200, 24))).size == 1.0


def test_nothing_but_the_calendar_is_enough(past: History) -> None:
    only_load = replace(past.context, covariates=())
    blind = replace(past, context=only_load)
    model = fit(blind)
    rows = beside_actual(model, blind, days_ahead(FITTED_ON, 14))
    assert mape(rows, 0, 13) < 0.05
    assert not model.predict(blind, days_ahead(FITTED_ON, 1)).missing_inputs


def test_a_temperature_of_another_name_and_in_fahrenheit_counts(past: History) -> None:
    channels = [each.channel for each in past.context.covariates if each.variable == "temperature_2m"]
    own = Covariate(channels[0], "airtemperature", 1.0)
    celsius = replace(past, context=replace(past.context, covariates=(replace(own, variable="temperature_2m"),)))
    is_warm = pl.col("channel") == channels[0]
    hot = past.readings.with_columns(value=pl.when(is_warm).then(pl.col("value") * 1.8 + 32).otherwise("value"))
    fahrenheit = replace(past, context=replace(past.context, covariates=(own,)), readings=Readings.validate(hot))
    assert Thermometers.of(fahrenheit).is_fahrenheit
    asked = days_ahead(FITTED_ON, 2)
    one, other = (fit(each).predict(each, asked).values["value"].to_numpy() for each in (celsius, fahrenheit))
    assert one == pytest.approx(other, rel=1e-3)


def test_the_morning_in_which_a_horizon_ends_is_forecast(model: Forecaster, past: History) -> None:
    begins = local_midnight(FITTED_ON, world.ZONE)
    ends = begins + 30 * HOUR
    is_weather = pl.col("channel") != world.DEMAND
    known = replace(past, readings=Readings.validate(past.readings.filter(~is_weather | (pl.col("time") < ends))))
    asked = targets(Window(begins, ends + 6 * HOUR), begins, resolution=HOUR, time_zone=world.ZONE)
    said = model.predict(known, asked)
    middle = said.values.filter(pl.col("level") == 0.5).sort("time")
    assert middle["value"].is_null().to_list() == [False] * 30 + [True] * 6
    assert any(words.startswith("No temperature was known for") for words in said.missing_inputs)


def test_hours_between_those_of_known_temperature_can_be_forecast() -> None:
    window = np.full((2, SPAN, 24), np.nan)
    window[0, -2, 2:7] = 1.0
    window[0, -2, 4] = np.nan
    window[1, -2, :18] = 1.0
    assert np.flatnonzero(answerable_hours(window)[0]).tolist() == [2, 3, 4, 5, 6]
    assert answerable_hours(window)[1].all()


def test_adapting_finds_noise_and_memory_of_a_load() -> None:
    rng = np.random.default_rng(5)
    numbers = np.arange(19_000, 19_250)
    inputs = Inputs.of(CalendarDays.of(numbers, world.SITE.place), np.full((250, SPAN, 24), 10.0))
    level = np.zeros(250)
    for day in range(1, 250):
        level[day] = 0.8 * level[day - 1] + rng.normal(0, 0.05)
    values = level[:, None] + rng.normal(0, 0.03, (250, 24))
    found = adapt(FITTED, inputs, values)
    last_days = next(term for term in found.terms if term.name == "last days")
    assert last_days.deviation == pytest.approx(0.08, rel=0.5)
    assert found.noise.deviation == pytest.approx(0.03, rel=0.4)
