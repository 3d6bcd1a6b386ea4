"""The families of other libraries: what they must see in a planted series, and what is said where one is absent."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import MissingExtra
from watthour.core.forecast import History, day_ahead_targets
from watthour.core.frames import Forecasts, Readings
from watthour.core.window import HOUR
from watthour.forecasting.catalogue import RECIPES, recipe
from watthour.forecasting.even_series import series_at_issues

if TYPE_CHECKING:
    from collections.abc import Callable

    import dataframely as dy

    from watthour.core.frames import Targets

FIRST, N_DAYS = date(2023, 2, 1), 45
STATISTICAL = ("auto_ets", "auto_arima", "auto_theta")
LIBRARY = {**dict.fromkeys(STATISTICAL, "statsforecast"), "prophet": "prophet"}


def planted(value: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> History:
    """A home whose load is a function of the local hour and weekday, known as each hour ends, and nothing else."""
    context = world.place(world.ZONE)
    times = world.hours(FIRST, N_DAYS)
    local = times.dt.convert_time_zone(world.ZONE)
    values = value(local.dt.hour().to_numpy(), local.dt.weekday().to_numpy())
    rows = world.readings(world.DEMAND, times, values, HOUR)
    return History(world.FAR, context, Readings.validate(rows), Forecasts.create_empty())


def asked(*days: date) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, world.ZONE, resolution=HOUR, issue_clock=None, known_clock=None)


def error(name: str, history: History, days: list[date], **parameters: object) -> float:
    """Mean absolute error of a model's median on some days."""
    questions = asked(*days)
    model = recipe(name, parameters).fit(history.known_at(questions["issued_at"][0]), asked(FIRST))
    told = model.predict(history, questions).values.filter(pl.col("level") == 0.5)
    load = history.readings.filter(pl.col("channel") == world.DEMAND)
    both = told.join(load.select("time", actual="value"), on="time")
    return float((both["value"] - both["actual"]).abs().mean())  # type: ignore[arg-type]  # a number


@pytest.mark.parametrize("name", LIBRARY)
def test_a_family_sees_the_day_and_the_week_of_a_home_through_its_noise(name: str) -> None:
    def value(hour: np.ndarray, weekday: np.ndarray) -> np.ndarray:
        evening = 2 * np.exp(-0.5 * ((hour - 19) / 2) ** 2)
        return np.asarray(0.3 + evening + 1.5 * (weekday > 5) + np.random.default_rng(1).normal(0, 0.1, len(hour)))

    days = [date(2023, 3, 11), date(2023, 3, 15)]  # a Saturday and a Wednesday, the clock being changed in between
    past = planted(value)
    spread = past.readings["value"].to_numpy()
    assert error(name, past, days) < 0.3 * np.abs(spread - np.median(spread)).mean()


def test_prophet_follows_a_covariate_that_is_known_ahead() -> None:
    past = world.history(FIRST, N_DAYS, operator=False)
    days = [FIRST + timedelta(days=n) for n in (38, 40, 42)]
    assert error("prophet", past, days) < 0.8 * error("prophet", past.without_covariates(), days)


def test_a_day_has_the_same_number_of_values_though_the_clock_is_changed() -> None:
    past = planted(lambda hour, _weekday: hour + 1.0)
    (known,) = series_at_issues(past, asked(date(2023, 3, 15)), weeks=2)
    by_day = known.values.reshape(-1, 24)
    assert len(known.values) == 14 * 24
    assert np.abs(by_day - np.arange(1, 25)).max() < 1e-9  # the hour that was skipped lies between its neighbours
    assert known.steps.tolist() == list(range(1, 25))


def test_a_gap_has_the_values_of_the_day_before_and_the_end_is_where_it_was_measured() -> None:
    past = planted(lambda hour, _weekday: hour + 1.0)
    day = date(2023, 3, 9)
    gap = pl.col("time").is_between(
        pl.datetime(2023, 3, 4, 8, time_zone="UTC"), pl.datetime(2023, 3, 4, 15, time_zone="UTC")
    )
    late = pl.col("time") >= pl.datetime(2023, 3, 8, 20, time_zone="UTC")
    rows = past.readings.filter(~gap & ~late)
    holed = History(past.as_of, past.context, Readings.cast(rows), past.forecasts)
    (known,) = series_at_issues(holed, asked(day), weeks=2)
    assert np.abs(known.values - known.local // 3_600_000_000 % 24 - 1).max() < 1e-9
    assert known.steps.tolist() == list(range(10, 34))  # nine hours were not measured before the day began


@pytest.mark.parametrize("name", LIBRARY)
def test_a_library_that_is_absent_is_named_with_the_command_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, LIBRARY[name], None)
    assert RECIPES[name].extra == "stats"
    with pytest.raises(MissingExtra, match=rf"{LIBRARY[name]} is not installed\. .*pip install 'watthour\[stats\]'"):
        recipe(name).fit(planted(lambda hour, _weekday: hour + 1.0), asked(FIRST))
