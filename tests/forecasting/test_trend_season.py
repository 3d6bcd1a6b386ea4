"""Trend and season: any step, from a series' own past alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour import DayAhead
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import History, targets
from watthour.core.frames import Forecasts, Readings
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.fleet import issues_at
from watthour.forecasting.trend_season.kernel import NAMES, Rows, covariance, with_gradient
from watthour.forecasting.trend_season.learned import grows_in_parts
from watthour.forecasting.trend_season.model import TrendSeason
from watthour.forecasting.trend_season.process import Filter
from watthour.forecasting.trend_season.rows import Grid

CONSTANTS = np.log([0.8, 900, 0.1, 0.7, 0.8, 3000, 0.3, 400, 0.3, 20, 0.4, 3, 0.2])


def some_rows(n: int = 40, width: float = 1.0) -> Rows:
    middle = np.asarray(15000 + width * (np.arange(n) + 0.5), dtype=np.float64)
    weekday = np.arange(n) % 7 if width == 1 else np.full(n, -1)
    return Rows(
        middle, np.full(n, width), weekday, np.asarray(1 + 0.2 * np.sin(middle / 50), dtype=np.float64), width, 15000.0
    )


def table(values: np.ndarray, every: str) -> pl.DataFrame:
    times = pl.date_range(date(2015, 1, 1), date(2060, 1, 1), every, eager=True).cast(pl.Datetime).head(len(values))
    return pl.DataFrame({"unique_id": "a", "ds": times, "y": values}).with_columns(pl.col("y").fill_nan(None))


def history(values: np.ndarray, step: timedelta = DAY, first: date = date(2020, 1, 1)) -> History:
    context = world.place("UTC", step)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    times = pl.Series("time", [start + n * step for n in range(len(values))], dtype=pl.Datetime("us", "UTC"))
    rows = Readings.cast(world.readings(world.DEMAND, times, values, lag=step))
    return History(start + len(values) * step, context, rows, Forecasts.create_empty())


def daily(n: int, rng: np.random.Generator) -> np.ndarray:
    days = np.arange(n)
    noise = np.convolve(rng.normal(0, 1, n + 5), 0.7 ** np.arange(6), "valid")
    return np.asarray(10 * np.sin(2 * np.pi * days / 365.25) + 4 * (days % 7 >= 5) + noise)


def test_the_slopes_of_the_covariance_are_its_derivatives() -> None:
    rows = some_rows()
    _, slopes = with_gradient(CONSTANTS, rows)
    for k, name in enumerate(NAMES):
        step = np.where(np.arange(len(NAMES)) == k, 1e-5, 0.0)
        by_difference = (covariance(CONSTANTS + step, rows) - covariance(CONSTANTS - step, rows)) / 2e-5
        assert slopes[name] == pytest.approx(by_difference, abs=1e-6), name


def test_memories_of_means_are_the_means_of_memories() -> None:
    """A week's mean varies with another's as the mean of all pairs of their days does."""
    only = np.where(np.isin(NAMES, ["slow", "slow_days", "fast", "fast_days"]), CONSTANTS, -20.0)
    days, weeks = some_rows(21), some_rows(3, 7.0)
    flat = [replace(each, amplitude=np.ones(len(each.middle))) for each in (days, weeks)]
    only[[NAMES.index(name) for name in ("level_days", "year_days", "week_days", "year_width")]] = 0.0
    by_days = covariance(only, flat[0]).reshape(3, 7, 3, 7).mean(axis=(1, 3))
    assert covariance(only, flat[1]) == pytest.approx(by_days, abs=1e-5)


def test_each_origin_is_conditioned_on_the_rows_before_it() -> None:
    rows, rng = some_rows(), np.random.default_rng(0)
    values = rng.normal(0, 0.5, (40, 1))
    spread = covariance(CONSTANTS, rows)
    origins, at = np.array([20, 30]), np.array([25, 39])
    mean, variance = Filter(CONSTANTS, rows, values).forecasts(origins, at)
    for k, (origin, row) in enumerate(zip(origins, at, strict=True)):
        gain = np.linalg.solve(spread[:origin, :origin], spread[:origin, row])
        assert mean[k, 0] == pytest.approx(gain @ values[:origin, 0])
        assert variance[k] == pytest.approx(spread[row, row] - gain @ spread[:origin, row])


def test_other_values_of_the_last_rows_answer_as_if_conditioned_anew() -> None:
    rows, rng = some_rows(), np.random.default_rng(0)
    values = rng.normal(0, 0.5, (40, 1))
    values[30:] = np.nan
    other = values.copy()
    other[26], other[28] = np.nan, 1.0
    at = np.array([32, 39])
    mean, variance = Filter(CONSTANTS, rows, values).amended(26, other[26:30], at)
    anew = Filter(CONSTANTS, rows, other).forecasts(np.array([30, 30]), at)
    assert mean == pytest.approx(anew[0], rel=1e-5)
    assert variance == pytest.approx(anew[1], rel=1e-5)


def test_a_spike_in_the_last_row_moves_the_forecast_by_no_more_than_a_surprise() -> None:
    rows = some_rows()
    values = np.zeros((40, 1))
    values[30:] = np.nan
    spiked, surprised = values.copy(), values.copy()
    spiked[29], surprised[29] = 500.0, 5.0
    at = np.array([31])
    far, near = (Filter(CONSTANTS, rows, each).forecasts(np.array([30]), at)[0] for each in (spiked, surprised))
    assert far == pytest.approx(near)
    assert far[0, 0] > 0


def test_an_additive_series_that_crosses_zero_beats_last_week_and_its_band_holds() -> None:
    values = daily(450, np.random.default_rng(1))
    frame = table(values, "1d")
    ours, naive = (
        DayAhead(model=model).cross_validation(frame, 14, 8, level=[80]) for model in ("trend_season", "seasonal_naive")
    )
    errors = [(told["y"] - told["forecast"]).abs().mean() for told in (ours, naive)]
    assert errors[0] < 0.8 * errors[1]
    inside = (ours["y"] >= ours["forecast-lo-80"]) & (ours["y"] <= ours["forecast-hi-80"])
    assert 0.68 <= inside.mean() <= 0.92


def test_growth_in_parts_goes_on() -> None:
    months = np.arange(72)
    rng = np.random.default_rng(2)
    values = 100 * 1.01**months * (1 + 0.2 * np.cos(2 * np.pi * months / 12)) * np.exp(rng.normal(0, 0.01, 72))
    assert grows_in_parts(values[:, None])
    told = DayAhead(model="trend_season").fit(table(values[:60], "1mo"), h=12).predict(12)
    assert (told["forecast"].to_numpy() / values[60:] - 1) == pytest.approx(np.zeros(12), abs=0.06)


def test_what_varies_alike_at_any_level_is_not_measured_in_parts() -> None:
    rng = np.random.default_rng(2)
    values = np.linspace(10, 100, 300) + rng.normal(0, 2, 300)
    assert not grows_in_parts(values[:, None])


def test_what_comes_near_zero_is_not_measured_in_parts() -> None:
    """A temperature that fell from 40 to 5 degrees was, and the frost that came was left out as no value."""
    values = np.linspace(40, 5, 200) * np.exp(np.random.default_rng(2).normal(0, 0.05, 200))
    assert grows_in_parts(values[:120, None])
    assert not grows_in_parts(values[:, None])


def test_forty_months_are_enough_for_their_season() -> None:
    months, rng = np.arange(52), np.random.default_rng(3)
    values = 50 + 10 * np.cos(2 * np.pi * months / 12) + rng.normal(0, 1, 52)
    told = DayAhead(model="trend_season").fit(table(values[:40], "1mo"), h=12).predict(12)
    assert np.abs(told["forecast"].to_numpy() - values[40:]).mean() < 2.5


@pytest.mark.parametrize("lost", ["one hour of each day", "a fifth of all hours", "every other day"])
def test_days_of_which_hours_are_always_missing_teach_all_the_same(lost: str) -> None:
    """No day is known whole, or no two days one after the other."""
    n, rng = 70 * 24, np.random.default_rng(3)
    hour = np.arange(n) % 24
    values = 1000 + 300 * np.sin(2 * np.pi * hour / 24) + rng.normal(0, 30, n)
    is_lost = {
        "one hour of each day": hour == 3,
        "a fifth of all hours": rng.random(n) < 0.2,
        "every other day": np.arange(n) // 24 % 2 == 0,
    }[lost]
    known = history(np.where(is_lost, np.nan, values), HOUR)
    told = TrendSeason().fit(known, issues_at(known, [], 24)).predict(known, issues_at(known, [known.as_of], 24))
    middle = told.values.filter(pl.col("level") == 0.5)["value"].to_numpy()
    expected = 1000 + 300 * np.sin(2 * np.pi * np.arange(24) / 24)
    there = np.isfinite(middle)
    assert there.sum() == (23 if lost == "one hour of each day" else 24)
    assert np.abs(middle - expected)[there].mean() < 30


def test_gaps_are_forecast_over() -> None:
    values = daily(500, np.random.default_rng(4))
    gappy = values.copy()
    gappy[np.random.default_rng(5).random(500) < 0.1] = np.nan
    gappy[300:312] = np.nan
    gappy[470:472] = np.nan
    told = DayAhead(model="trend_season").fit(table(gappy[:480], "1d"), h=14).predict(14)
    assert told["forecast"].null_count() == 0
    assert np.abs(told["forecast"].to_numpy() - values[480:494]).mean() < 2.5


@pytest.mark.parametrize(("day", "hour"), [(date(2021, 3, 13), 20), (date(2021, 11, 6), 7)])
def test_hours_keep_to_the_local_clock_where_it_is_moved(day: date, hour: int) -> None:
    zone = ZoneInfo("America/New_York")
    last = datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
    times = pl.datetime_range(last - 90 * DAY, last + 72 * HOUR, "1h", eager=True, closed="left")
    clock = times.dt.convert_time_zone(str(zone)).dt.hour().to_numpy()
    values = 5.0 + 3 * (clock == 18) + np.random.default_rng(6).normal(0, 0.1, len(times))
    context = world.place(str(zone))
    rows = Readings.cast(world.readings(world.DEMAND, times, values, lag=HOUR))
    past = History(last, context, rows, Forecasts.create_empty()).known_at(last)
    asked = targets(Window(last, last + 72 * HOUR), last, resolution=HOUR, time_zone=str(zone))
    told = TrendSeason().fit(past, asked).predict(past, asked).values
    peaks = told.filter(pl.col("level") == 0.5, pl.col("value") > 6.5)["time"]
    assert peaks.dt.convert_time_zone(str(zone)).dt.hour().to_list() == [18, 18, 18]


def test_other_hours_of_issue_than_it_learned_with_are_answered_by_the_clock() -> None:
    hours = np.arange(24 * 60)
    values = 5.0 + 3 * (hours % 24 == 18) + np.random.default_rng(7).normal(0, 0.1, len(hours))
    past = history(values, HOUR)
    model = TrendSeason().fit(past, issues_at(past, [past.as_of - 2 * DAY], 24))
    at = past.as_of - 5 * HOUR
    told = model.predict(past.known_at(at), issues_at(past, [at], 24)).values.filter(pl.col("level") == 0.5)
    assert told.sort("value")["time"].dt.hour()[-1] == 18


def test_nothing_after_an_issue_moves_its_answer_even_where_it_learns_anew() -> None:
    values = daily(150, np.random.default_rng(8))
    changed = values.copy()
    changed[120:] += 30
    answers = []
    for each in (values, changed):
        past = history(each)
        model = TrendSeason().fit(past.known_at(past.as_of - 90 * DAY), issues_at(past, [past.as_of - 100 * DAY], 7))
        asked = issues_at(past, [past.as_of - 30 * DAY, past.as_of - 10 * DAY], 7)
        answers.append(model.predict(past, asked).values.sort("issued_at", "time", "level"))
    first = pl.col("issued_at") == answers[0]["issued_at"][0]
    mine, other = (each.filter(first)["value"].to_list() for each in answers)
    assert mine == other
    assert answers[0].filter(~first)["value"].to_list() != answers[1].filter(~first)["value"].to_list()


def test_a_young_series_is_learned_anew_as_it_grows() -> None:
    """What was learned from one calm month knows nothing of the season; a year later the series does."""
    values = daily(430, np.random.default_rng(9))
    past = history(values)
    model = TrendSeason().fit(past.known_at(past.as_of - 400 * DAY), issues_at(past, [past.as_of - 410 * DAY], 7))
    asked = issues_at(past, [past.as_of - 28 * DAY], 28)
    told = model.predict(past, asked).values.filter(pl.col("level") == 0.5).sort("time")
    assert np.abs(told["value"].to_numpy() - values[-28:]).mean() < 2.0


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_a_series_of_one_value_is_refused_with_a_cure(value: float) -> None:
    past = history(np.full(100, value))
    with pytest.raises(InvalidInput, match="seasonal_naive") as refused:
        TrendSeason().fit(past, issues_at(past, [], 7))
    assert refused.value.field == "channel"


def test_three_days_are_too_few() -> None:
    past = history(np.arange(72.0), HOUR)
    with pytest.raises(NotEnoughHistory, match="3 days") as refused:
        TrendSeason().fit(past, issues_at(past, [], 24))
    assert "seasonal_naive" in str(refused.value.remedy)


def test_a_silent_meter_is_said() -> None:
    values = daily(100, np.random.default_rng(10))
    past = history(values)
    later = past.as_of + 10 * DAY
    model = TrendSeason().fit(past, issues_at(past, [past.as_of - 10 * DAY], 7))
    told = model.predict(replace(past, as_of=later), issues_at(past, [later], 7))
    assert any("No recent value" in word for word in told.missing_inputs)


def test_weeks_begin_where_the_series_says_and_months_have_their_length() -> None:
    assert Grid(7, 3).middle(np.array([0])).tolist() == [6.5]
    assert Grid(0, 0).middle(np.array([0, 1])).tolist() == [15.5, 45.0]
    assert Grid(7, 3).weekday(np.array([0])).tolist() == [-1]


def test_holidays_count_as_sundays() -> None:
    christmas = (date(2020, 12, 25) - date(1970, 1, 1)).days
    assert Grid(1, 0, "US").weekday(np.array([christmas])).tolist() == [6]
    assert Grid(1, 0).weekday(np.array([christmas])).tolist() == [4]


def test_many_issues_together_are_answered_as_each_alone() -> None:
    past = history(daily(200, np.random.default_rng(11)))
    model = TrendSeason().fit(past, issues_at(past, [past.as_of - 60 * DAY], 7))
    at = [past.as_of - n * DAY for n in range(40, 0, -1)]
    together = model.predict(past, issues_at(past, at, 7)).values
    for each in (at[0], at[33], at[-1]):
        alone = model.predict(past.known_at(each), issues_at(past, [each], 7)).values.sort("time", "level")
        among = together.filter(pl.col("issued_at") == each).sort("time", "level")
        assert alone["value"].to_list() == pytest.approx(among["value"].to_list())


def test_what_has_lasted_three_years_is_taken_to_last() -> None:
    """The last year's season has noise of its own; the mean of three is nearer to what comes."""
    weeks = np.arange(52 * 4)
    season = 5 * np.cos(2 * np.pi * weeks * 7 / 365.25)
    values = season + np.random.default_rng(13).normal(0, 2, len(weeks))
    told = DayAhead(model="trend_season").fit(table(values[:156], "1w"), h=52).predict(52)
    assert np.abs(told["forecast"].to_numpy() - season[156:]).mean() < 0.26


def test_an_outage_in_the_first_year_is_no_season() -> None:
    """Five weeks without use would come again a year later, were the season free to be as narrow as they are."""
    noise = np.random.default_rng(13).normal(0, 0.3, 95)
    values = 20 + np.convolve(noise, 0.6 ** np.arange(6), "valid")
    values[30:35] = 0.0  # a year before rows 82 to 86
    told = DayAhead(model="trend_season").fit(table(values[:80], "1w"), h=10).predict(10)
    assert np.abs(told["forecast"].to_numpy() - 20).max() < 3
