"""Whom the day process believes where no weather is known: an operator that sees more than we do, or one in error."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.forecast import Context, Forecast, History, day_ahead_targets
from watthour.core.frames import Forecasts, Readings
from watthour.core.window import HOUR, local_instant
from watthour.forecasting.gaussian_process.day_process.model import DayProcess

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.frames import Targets

FIRST = date(2023, 1, 2)
N_DAYS = 300
ASKED = FIRST + timedelta(days=N_DAYS - 5)
ZONE = "Etc/UTC"


def told(
    *,
    load: float = 1.0,
    operator: float = 1.0,
    noise: float = 0.005,
    wave: float = 0.03,
    noon: float = 0.0,
    hot_days_ago: int | None = None,
) -> History:
    """A load by clock and weekday with a slow wave, and an operator's forecast of it; one day of both is changed.

    Args:
        load: by what that day's load is multiplied.
        operator: by what the operator's forecast of that day is, over what it would be for the usual load.
        noise: of the operator [-].
        wave: how much the level of the load varies for reasons that nobody told us [-].
        noon: by what logarithm the operator is off around noon of each day, above or below [-].
        hot_days_ago: how long before that day the load was 1.3 times as high on one, and the operator knew it.
    """
    rng = np.random.default_rng(4)
    times = world.hours(FIRST, N_DAYS)
    hour = np.arange(len(times))
    day = hour // 24
    level = np.exp(np.repeat(np.convolve(rng.normal(0, wave, N_DAYS + 3), np.ones(4) / 4, "valid"), 24))
    usual = (1000 + 200 * np.sin(hour / 24 * 2 * np.pi) - 100 * (day % 7 >= 5)) * level
    asked = day == (ASKED - FIRST).days
    if hot_days_ago is not None:
        usual = usual * np.where(day == (ASKED - FIRST).days - hot_days_ago, 1.3, 1.0)
    demand = usual * np.where(asked, load, 1.0)
    said = usual * np.where(asked, operator, 1.0) * np.exp(rng.normal(0, noise, len(hour)))
    said *= np.exp(noon * np.repeat(rng.choice([-1, 1], N_DAYS), 24) * (abs(hour % 24 - 12) <= 1))
    issued = times.dt.truncate("1d") - timedelta(hours=14)
    rows = pl.DataFrame({"time": times, "value": said, "issued_at": issued})
    place = world.place(ZONE)
    return History(
        datetime.combine(FIRST + timedelta(days=N_DAYS + 1), time(), tzinfo=UTC),
        Context(place.site, place.channel, rivals=(world.RIVAL,)),
        Readings.cast(world.readings(world.DEMAND, times, demand, HOUR)),
        Forecasts.cast(world.forecasts(world.DEMAND, rows, world.RIVAL)),
    )


def targets(first: date, n_days: int) -> dy.DataFrame[Targets]:
    days = [first + timedelta(days=n) for n in range(n_days)]
    return day_ahead_targets(days, ZONE, resolution=HOUR, issue_clock=time(12), known_clock=time(6))


def forecast(past: History, asked: date = ASKED, n_days: int = 1, *, uses_rival: bool = True) -> Forecast:
    begin = past.known_at(local_instant(asked - timedelta(days=1), time(12), ZONE))
    learned = targets(FIRST + timedelta(days=8), (asked - FIRST).days - 9)
    return DayProcess(uses_rival=uses_rival).fit(begin, learned).predict(past, targets(asked, n_days))


def medians(forecast: Forecast) -> np.ndarray:
    return forecast.values.filter(pl.col("level") == 0.5).sort("time")["value"].to_numpy()


def actual(past: History, asked: date, n_days: int) -> np.ndarray:
    start = datetime.combine(asked, time(), tzinfo=UTC)
    is_asked = pl.col("time").is_between(start, start + timedelta(days=n_days), closed="left")
    return past.readings.filter(is_asked).sort("time")["value"].to_numpy()


def mape(past: History, found: Forecast, asked: date = ASKED, n_days: int = 1) -> float:
    return float(100 * np.abs(medians(found) / actual(past, asked, n_days) - 1).mean())


def test_an_operator_that_knows_of_a_day_off_is_believed() -> None:
    past = told(load=0.86, operator=0.86)
    found = forecast(past)
    assert found.missing_inputs == ()
    assert mape(past, found) < 0.4 * mape(past, forecast(past, uses_rival=False))


@pytest.mark.parametrize("times", [1.3, 1.4, 2.0, 0.6])
def test_an_operator_that_is_off_by_a_third_is_refused_and_said(times: float) -> None:
    past = told(operator=times)
    found = forecast(past)
    assert any("further from our own than almost ever" in words for words in found.missing_inputs)
    assert np.array_equal(medians(found), medians(forecast(past, uses_rival=False)))


def test_an_operator_that_says_what_the_load_has_been_in_that_season_is_believed() -> None:
    past = told(load=1.3, operator=1.3, hot_days_ago=20)
    found = forecast(past)
    assert found.missing_inputs == ()
    assert mape(past, found) < 0.4 * mape(past, forecast(past, uses_rival=False))
    out_of_season = told(load=1.3, operator=1.3, hot_days_ago=120)
    assert any("further from our own" in words for words in forecast(out_of_season).missing_inputs)


def test_an_operator_that_is_off_by_a_third_at_noon_on_every_day_is_still_of_use() -> None:
    past = told(noon=0.3)  # solar panels that nobody measures: no fault of the feed

    assert mape(past, forecast(past)) < 0.8 * mape(past, forecast(past, uses_rival=False))
    assert forecast(past).missing_inputs == ()


def test_a_day_whose_figures_were_doubled_teaches_nothing() -> None:
    usual, doubled = told(), told(operator=2.0)
    day_after = ASKED + timedelta(days=2)

    assert medians(forecast(doubled, day_after)) == pytest.approx(medians(forecast(usual, day_after)), rel=0.01)


def test_an_operator_that_is_worse_than_we_are_does_no_harm() -> None:
    past, asked = told(noise=0.06), ASKED - timedelta(days=60)
    alone = mape(past, forecast(past, asked, 60, uses_rival=False), asked, 60)
    assert mape(past, forecast(past, asked, 60), asked, 60) < alone


def test_an_operator_that_errs_by_a_tenth_at_every_hour_does_little_harm() -> None:
    past, asked = told(noise=0.12), ASKED - timedelta(days=60)
    alone = mape(past, forecast(past, asked, 60, uses_rival=False), asked, 60)
    assert mape(past, forecast(past, asked, 60), asked, 60) < 1.15 * alone  # 1.47 where its weights alone decide
