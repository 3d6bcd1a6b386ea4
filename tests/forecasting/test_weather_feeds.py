from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour.core import metrics
from watthour.core.forecast import Forecast, History, covariates_of, day_ahead_targets
from watthour.core.frames import Forecasts, Readings
from watthour.core.window import HOUR, Window
from watthour.forecasting.gaussian_process.day_process.feeds import StandIn
from watthour.forecasting.gaussian_process.day_process.model import DayProcess, FittedDayProcess
from watthour.simulation.simtown import DEMAND, SIMTOWN
from watthour.simulation.town import SimulatedRegion

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from watthour.core.frames import Targets

FIRST = date(2023, 1, 20)
LEARNED = [FIRST + timedelta(days=n) for n in range(330)]
UNSEEN = [LEARNED[-1] + timedelta(days=2 + n) for n in range(21)]
CONTEXT = replace(SIMTOWN, covariates=covariates_of(SimulatedRegion().channels()))
WEATHER = [covariate.channel for covariate in CONTEXT.covariates]
USUAL, OTHER = "simulation", "second"
OF_WEATHER = pl.col("channel").is_in(WEATHER)


def asked(days: Sequence[date]) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, SIMTOWN.time_zone, resolution=HOUR, issue_clock=time(8), known_clock=None)


LEARNED_AT = asked(UNSEEN)["issued_at"][0]


@pytest.fixture(scope="module")
def past() -> History:
    """A year with the weather of two providers; the second begins late, and is 4 degrees too cold."""
    span = Window(datetime(2023, 1, 15, tzinfo=UTC), datetime(2024, 1, 20, tzinfo=UTC))
    told = SimulatedRegion().fetch(span, now=span.end)
    second = told.forecasts.filter(
        OF_WEATHER, pl.col("model") == USUAL, pl.col("issued_at") >= datetime(2023, 10, 1, tzinfo=UTC)
    )
    is_warmth = pl.col("channel").str.ends_with("temperature_2m")
    second = second.with_columns(
        model=pl.lit(OTHER), value=pl.when(is_warmth).then(pl.col("value") - 4).otherwise("value")
    )
    forecasts = Forecasts.validate(pl.concat([told.forecasts, second]), cast=True)
    return History(span.end, CONTEXT, told.readings, forecasts)


@pytest.fixture(scope="module")
def fitted(past: History) -> FittedDayProcess:
    return DayProcess(uses_rival=False).fit(past.known_at(LEARNED_AT), asked(LEARNED))


def silent(past: History, *models: str) -> History:
    """Return the past without what some providers said, and without measured weather, after the learning."""
    gone = OF_WEATHER & (pl.col("available_at") > LEARNED_AT)
    return replace(
        past,
        readings=Readings.cast(past.readings.filter(~gone)),
        forecasts=Forecasts.cast(past.forecasts.filter(~(gone & pl.col("model").is_in(models)))),
    )


def mape(forecast: Forecast, past: History) -> float:
    actual = past.readings.filter(channel=DEMAND.id).select("time", pl.col("value").alias("actual"))
    told = forecast.values.filter(pl.col("level") == 0.5).join(actual, on="time").drop_nulls()
    return metrics.mape(told["actual"].to_numpy(), told["value"].to_numpy())


def test_a_second_provider_stands_in_for_the_one_that_ended(past: History, fitted: FittedDayProcess) -> None:
    question = asked(UNSEEN)
    usual = fitted.predict(past, question)
    other = fitted.predict(silent(past, USUAL), question)
    nothing = fitted.predict(silent(past, USUAL, OTHER), question)
    assert usual.missing_inputs == ()
    (words,) = other.missing_inputs
    assert f"from {USUAL} was not known; that of {OTHER}, moved by" in words
    assert "No weather forecast" in nothing.missing_inputs[0]
    assert mape(other, past) < 1.1 * mape(usual, past)
    assert mape(other, past) < 0.8 * mape(nothing, past)


def test_what_one_provider_says_does_not_move_a_forecast_that_stands_on_the_other(
    past: History, fitted: FittedDayProcess
) -> None:
    question = asked(UNSEEN[:3])
    wild = pl.when(OF_WEATHER & (pl.col("model") == OTHER)).then(pl.col("value") + 15).otherwise("value")
    moved = replace(past, forecasts=Forecasts.cast(past.forecasts.with_columns(value=wild)))
    assert fitted.predict(moved, question).values.equals(fitted.predict(past, question).values)


def test_with_the_other_provider_a_day_is_forecast_as_if_no_later_one_had_been_learnt(
    past: History, fitted: FittedDayProcess
) -> None:
    question = asked([LEARNED[-20]])
    at = question["issued_at"][0]
    gone = OF_WEATHER & (pl.col("available_at") > at - timedelta(days=1)) & (pl.col("model") == USUAL)
    measured = OF_WEATHER & (pl.col("available_at") > at - timedelta(days=1))
    then = replace(
        past,
        readings=Readings.cast(past.readings.filter(~measured)),
        forecasts=Forecasts.cast(past.forecasts.filter(~gone)),
    )
    early = DayProcess(uses_rival=False).fit(then.known_at(at), asked(LEARNED[:-21]))
    told, expected = (model.predict(then, question) for model in (fitted, early))
    assert told.missing_inputs == expected.missing_inputs
    np.testing.assert_allclose(told.values["value"].to_numpy(), expected.values["value"].to_numpy(), rtol=1e-9)


def test_saved_and_read_again_it_stands_on_the_same_providers(past: History, fitted: FittedDayProcess) -> None:
    question, known = asked(UNSEEN[:3]), silent(past, USUAL)
    again = FittedDayProcess.from_files(fitted.files())
    assert again.predict(known, question).values.equals(fitted.predict(known, question).values)


def test_a_provider_that_the_model_never_knew_is_used_as_it_comes_and_named_so(
    past: History, fitted: FittedDayProcess
) -> None:
    renamed = pl.when((pl.col("available_at") > LEARNED_AT) & OF_WEATHER).then(pl.lit("third")).otherwise("model")
    once = past.forecasts.filter(~(OF_WEATHER & (pl.col("model") == OTHER) & (pl.col("available_at") > LEARNED_AT)))
    strange = replace(past, forecasts=Forecasts.cast(once.with_columns(model=renamed)))
    told = fitted.predict(strange, asked(UNSEEN[:3]))
    assert any(f"from a provider other than {USUAL}" in words for words in told.missing_inputs)
    usual = fitted.predict(past, asked(UNSEEN[:3]))  # of days before, the last word may be another provider's
    np.testing.assert_allclose(told.values["value"].to_numpy(), usual.values["value"].to_numpy(), rtol=0.02)


def test_retrained_after_the_end_of_a_provider_its_days_are_kept(past: History, fitted: FittedDayProcess) -> None:
    ended = silent(past, USUAL)
    at = asked([UNSEEN[14]])["issued_at"][0]
    again = DayProcess(uses_rival=False).fit(ended.known_at(at), asked([*LEARNED, *UNSEEN[:13]]))
    question = asked(UNSEEN[14:])
    told = again.predict(ended, question)
    assert f"from {USUAL} was not known" in told.missing_inputs[0]
    assert mape(told, past) < 1.1 * mape(fitted.predict(past, question), past)


@pytest.mark.parametrize(("n_days", "is_able"), [(20, False), (40, True)])
def test_a_stand_in_needs_four_weeks_of_both(n_days: int, *, is_able: bool) -> None:
    rng = np.random.default_rng(3)
    reference = rng.normal(10, 8, (n_days, 2, 5, 4))
    other = reference - 3 + rng.normal(0, 0.3, reference.shape)
    days = np.arange(n_days)
    learned = StandIn.learn(days, reference, other)
    moved = learned.moved(days[-1:], other[-1:], np.array([n_days]))
    assert bool(np.isfinite(moved).all()) is is_able
    if is_able:
        assert np.abs(moved - reference[-1:]).mean() < 0.5


def test_from_one_cold_month_no_slope_is_believed_in_summer() -> None:
    rng = np.random.default_rng(4)
    reference = rng.normal(0, 3, (35, 1, 5, 4))
    other = reference - 2 + rng.normal(0, 2, reference.shape)  # noise alone would make a slope of 0.7
    learned = StandIn.learn(np.arange(35), reference, other)
    in_heat = learned.moved(np.array([180]), np.full((1, 1, 5, 4), 30.0), np.array([35]))
    assert np.abs(in_heat - 32).mean() < 2.5
