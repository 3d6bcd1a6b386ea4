"""A positive series in parts of its level; and days that follow UTC where issues do."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.errors import InvalidInput
from watthour.core.frames import LEVELS, Readings, Targets
from watthour.core.window import DAY, HOUR
from watthour.forecasting.day_regression.day_table import Clock
from watthour.forecasting.day_regression.known import later_groups
from watthour.forecasting.day_regression.learner import Learner
from watthour.forecasting.day_regression.model import DayRegression, FittedDayRegression
from watthour.forecasting.fleet import issues_at, past_issues
from watthour.forecasting.quantiles import normal_scores
from watthour.forecasting.relative_days.band import factor_at, factors_of, held_back
from watthour.forecasting.relative_days.model import FittedRelativeDays, RelativeDays
from watthour.forecasting.relative_days.shares import PRIOR_SHARE, shares_of
from watthour.forecasting.series_table import read

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.forecasting.day_regression.inputs import DayFacts
    from watthour.forecasting.day_regression.learner import Answer

N_DAYS, ASKED = 100, 90
START = datetime(2024, 1, 1, tzinfo=UTC)
FEW_TREES = RelativeDays(n_trees=40)


def intensity(scale: float = 1.0) -> pl.DataFrame:
    """An intensity that the wind halves or doubles, whatever its level."""
    rng = np.random.default_rng(5)
    n = 24 * N_DAYS
    hour = np.arange(n) % 24
    wind = np.repeat(rng.normal(0, 1, N_DAYS), 24)
    level = np.exp(5 - 0.35 * wind + 0.2 * np.sin(2 * np.pi * hour / 24) + rng.normal(0, 0.01, n))
    times = pl.datetime_range(START, START + (n - 1) * HOUR, HOUR, eager=True, time_unit="us")
    return pl.DataFrame({"unique_id": "region", "ds": times, "y": scale * level, "wind": wind})


def history(table: pl.DataFrame, zone: str = "UTC") -> History:
    (past,) = read(table, DayAhead(covariates=("wind",), time_zone=zone).columns).pasts.values()
    return past


def forecast(recipe: RelativeDays, past: History, steps: int = 24) -> tuple[FittedRelativeDays, pl.DataFrame]:
    at = START + ASKED * DAY
    known = past.known_at(at)
    model = recipe.fit(known, past_issues(known, steps))
    asked = issues_at(past, [at + n * DAY for n in range(5)], steps)
    return model, model.predict(past, asked).values


def medians(told: pl.DataFrame) -> np.ndarray:
    return told.filter(pl.col("level") == 0.5).sort("issued_at", "time")["value"].to_numpy()


def test_what_the_wind_does_is_learned_in_parts_of_the_level() -> None:
    table = intensity()
    _, told = forecast(FEW_TREES, history(table))
    came = table["y"].to_numpy()[24 * ASKED : 24 * (ASKED + 5)]
    yesterday = table["y"].to_numpy()[24 * (ASKED - 1) : 24 * (ASKED + 4)]
    misses = np.abs(medians(told) / came - 1).mean()
    assert misses < 0.5 * np.abs(yesterday / came - 1).mean()
    assert told["value"].min() > 0  # type: ignore[operator]  # a number


def test_ten_times_the_values_have_ten_times_the_forecast() -> None:
    _, once = forecast(FEW_TREES, history(intensity()))
    _, tenfold = forecast(FEW_TREES, history(intensity(10.0)))
    assert np.median(np.abs(medians(tenfold) / medians(once) / 10 - 1)) < 0.01


def test_its_median_is_the_geometric_mean_of_the_regression_and_the_trees() -> None:
    past = history(intensity())
    told = [medians(forecast(RelativeDays(40, share), past)[1]) for share in (0.0, 0.5, 1.0)]
    assert told[1] == pytest.approx(np.sqrt(told[0] * told[2]), rel=1e-6)
    assert not np.allclose(told[0], told[2], rtol=1e-3)


def test_the_share_of_the_trees_is_learned_for_each_day_ahead() -> None:
    rng = np.random.default_rng(2)
    leads = np.tile(np.arange(72), 300)
    actual, day = rng.normal(0, 1, len(leads)), leads // 24
    off = rng.normal(0, 1, (2, len(leads)))
    regression, trees = actual + np.where(day == 0, 0.05, 1.0) * off[0], actual + np.where(day == 1, 0.05, 1.0) * off[1]
    found = shares_of(regression, trees, actual, leads)
    best = np.array([0.0, 1.0, 0.5])
    assert found == pytest.approx((best + PRIOR_SHARE) / 2, abs=0.03)
    nothing = shares_of(regression, np.full(len(leads), np.nan), actual, leads)
    assert nothing == (PRIOR_SHARE,) * 3


def test_a_share_that_is_named_is_kept_and_one_that_is_learned_is_saved() -> None:
    past = history(intensity())
    known = past.known_at(START + ASKED * DAY)
    issues = past_issues(known, 48)
    assert RelativeDays(20, 0.3).fit(known, issues).shares == (0.3,)
    learned = RelativeDays(20).fit(known, issues)
    assert len(learned.shares) == 2
    assert FittedRelativeDays.from_files(learned.files()).shares == learned.shares


def test_the_days_ahead_have_trees_of_their_own_and_the_third_those_of_all_after_it() -> None:
    past = history(intensity())
    known = past.known_at(START + ASKED * DAY)
    model = RelativeDays(20, 1.0).fit(known, past_issues(known, 96))
    assert model.trees is not None
    assert sorted(model.trees.texts) == [0, 1, 2]
    asked = issues_at(past, [START + ASKED * DAY], 96)
    plain = medians(model.predict(past, asked).values)
    for first, moved in ((0, slice(0, 24)), (1, slice(24, 48)), (2, slice(48, 96))):
        others = {**model.trees.texts, first: model.trees.texts[(first + 1) % 3]}
        told = medians(replace(model, trees=replace(model.trees, texts=others)).predict(past, asked).values)
        changed = np.flatnonzero(told != plain)
        assert len(changed)
        assert set(changed) <= set(range(96)[moved])
    only_first = replace(model, trees=replace(model.trees, texts={0: model.trees.texts[0]}))
    assert np.isfinite(medians(only_first.predict(past, asked).values)).all()


def test_a_file_of_one_set_of_trees_for_all_days_is_still_read() -> None:
    past = history(intensity())
    known = past.known_at(START + ASKED * DAY)
    model = RelativeDays(20, 0.35).fit(known, past_issues(known, 24))
    files = dict(model.files())
    words = json.loads(files["relative_days.json"])
    del words["shares"]
    files["relative_days.json"] = json.dumps(words).encode()
    files["ratio_trees.txt"] = files.pop("ratio_trees/0.txt")
    asked = issues_at(past, [START + ASKED * DAY], 24)
    assert FittedRelativeDays.from_files(files).predict(past, asked).values.equals(model.predict(past, asked).values)


def test_a_series_with_many_zeros_is_refused_with_another_model() -> None:
    table = intensity().with_columns(y=pl.when(pl.int_range(pl.len()) % 24 < 2).then(0.0).otherwise(pl.col("y")))
    past = history(table)
    with pytest.raises(InvalidInput, match="zero or negative") as refused:
        FEW_TREES.fit(past, past_issues(past, 24))
    assert "day_regression" in refused.value.remedy
    DayRegression().fit(past, past_issues(past, 24))  # the cure


def test_without_issues_to_learn_from_the_regression_answers_alone() -> None:
    past = history(intensity())
    none = past_issues(past, 24).filter(pl.lit(value=False))
    model = FEW_TREES.fit(past.known_at(START + ASKED * DAY), Targets.cast(none))
    assert model.trees is None
    told = model.predict(past, issues_at(past, [START + ASKED * DAY], 24))
    assert told.values["value"].null_count() == 0
    again = FittedRelativeDays.from_files(model.files())
    assert again.predict(past, issues_at(past, [START + ASKED * DAY], 24)).values.equals(told.values)


def issued_daily(zone: str, n_days: int = 360) -> dy.DataFrame[Targets]:
    """Each day's first hour, issued at midnight of a clock in a year with both changes of New York's."""
    starts = [(datetime(2024, 1, 1) + timedelta(days=n)) for n in range(n_days)]  # noqa: DTZ001 - made aware below
    at = pl.Series(starts).dt.replace_time_zone(zone).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    return Targets.cast(pl.DataFrame({"issued_at": at, "time": at, "known_until": at}))


def test_days_are_those_of_utc_where_issues_follow_utc() -> None:
    context = history(intensity(), "America/New_York").context
    clock = Clock.of(context, issued_daily("UTC"))
    assert (clock.grid.time_zone, clock.begin) == ("UTC", 0)


def test_days_are_those_of_the_place_where_issues_follow_its_clock() -> None:
    context = history(intensity(), "America/New_York").context
    clock = Clock.of(context, issued_daily("America/New_York"))
    assert (clock.grid.time_zone, clock.begin) == ("America/New_York", 0)


def test_a_saved_regression_keeps_the_clock_of_its_days() -> None:
    past = history(intensity(), "America/New_York")
    issues = issues_at(past, [START + n * DAY for n in range(20, ASKED - 1)], 24)
    model = DayRegression().fit(past.known_at(START + ASKED * DAY), issues)
    again = FittedDayRegression.from_files(model.files())
    asked = issues_at(past, [START + ASKED * DAY], 24)
    assert again.predict(past, asked).values.equals(model.predict(past, asked).values)
    assert again._state.clock == model._state.clock
    assert model._state.clock.grid.time_zone == "UTC"


def issued_for_days(n_issues: int, n_days: int = 2) -> dy.DataFrame[Targets]:
    """The hours of some days, issued at each midnight."""
    at = pl.DataFrame({"issued_at": [START + n * DAY for n in range(n_issues)]})
    asked = at.join(pl.DataFrame({"lead": range(24 * n_days)}), how="cross")
    time = (pl.col("issued_at") + pl.duration(hours="lead")).alias("time")
    return Targets.cast(asked.select("issued_at", time, pl.col("issued_at").alias("known_until")))


def test_the_days_that_the_band_is_learned_on_begin_when_all_others_are_over() -> None:
    issues = issued_for_days(400)
    before, held = held_back(issues)
    assert before["time"].max() < held["issued_at"].min()  # type: ignore[operator]  # instants
    assert held["issued_at"].max() == issues["issued_at"].max()
    assert held["issued_at"].n_unique() == 84
    few = held_back(issued_for_days(20))[1]
    assert few["issued_at"].n_unique() == 5


def test_a_band_half_as_wide_on_the_second_day_is_made_twice_as_wide_there() -> None:
    held = issued_for_days(84)
    leads = np.tile(np.arange(48), 84)
    actual = np.random.default_rng(7).normal(0, 1, held.height)
    quantiles = np.where(leads < 24, 1.0, 0.5)[:, None] * normal_scores(LEVELS)
    factors = factors_of(quantiles, actual, held, leads)
    assert factors == pytest.approx((1.0, 2.0), rel=0.15)
    assert factor_at(factors, np.array([0, 23, 24, 90])).tolist() == [factors[k] for k in (0, 0, 1, 1)]


def test_the_band_of_the_mean_is_kept_with_the_model_and_moves_no_median() -> None:
    past = history(intensity())
    model, told = forecast(FEW_TREES, past)
    assert len(model.band) == 1
    again = FittedRelativeDays.from_files(model.files())
    assert again.band == model.band
    asked = issues_at(past, [START + (ASKED + n) * DAY for n in range(5)], 24)
    plain = replace(model, band=()).predict(past, asked).values
    assert medians(plain) == pytest.approx(medians(told))
    assert widths(told)[0] / widths(plain)[0] == pytest.approx(model.band[0])


def widths(told: pl.DataFrame) -> np.ndarray:
    """Return the mean width of the upper half of the band at each issue, of logarithms."""
    upper = told.filter(pl.col("level") == 0.95).sort("issued_at", "time")["value"].to_numpy()
    return np.asarray(np.log(upper / medians(told)).reshape(told["issued_at"].n_unique(), -1).mean(axis=1))


def test_the_band_grows_with_what_it_missed_since_the_training_and_knows_nothing_later() -> None:
    calm = intensity()
    since = 24 * ASKED
    noise = np.where(np.arange(calm.height) >= since, np.random.default_rng(3).normal(0, 0.4, calm.height), 0.0)
    wild = calm.with_columns(y=pl.col("y") * pl.Series(np.exp(noise)))
    (_, of_calm), (_, of_wild) = (forecast(FEW_TREES, history(each)) for each in (calm, wild))
    grown = widths(of_wild) / widths(of_calm)
    assert grown[0] == pytest.approx(1.0)  # nothing has come yet
    assert grown[4] > 1.5 * grown[0]


def test_the_band_follows_each_day_ahead_by_its_own_misses() -> None:
    past = history(intensity())
    at = START + ASKED * DAY
    known = past.known_at(at)
    model = FEW_TREES.fit(known, past_issues(known, 72))
    one, many = (
        model.predict(past, issues_at(past, days, 72)).values
        for days in ([at + 4 * DAY], [at + n * DAY for n in range(5)])
    )
    last = many.filter(pl.col("issued_at") == at + 4 * DAY)
    assert one["value"].to_numpy() == pytest.approx(last["value"].to_numpy())  # an answer depends on nothing else asked


def test_readings_that_come_late_cost_no_answer_for_each_past_day_and_move_no_median(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prompt = history(intensity())
    mine = pl.col("channel") == prompt.context.channel.id
    delay = HOUR + pl.duration(hours=2 * (pl.col("time").dt.ordinal_day() % 3))  # another one each day
    at = pl.when(mine).then(pl.col("time") + delay).otherwise(pl.col("available_at"))
    late = replace(prompt, readings=Readings.cast(prompt.readings.with_columns(available_at=at)))
    known = prompt.known_at(START + 60 * DAY)
    model = RelativeDays(n_trees=20).fit(known, past_issues(known, 96))
    asked = START + ASKED * DAY + HOUR  # so that the last hours of the day before are not there on two days of three
    targets = issues_at(prompt.known_at(asked), [asked], 96)
    plain, n_plain = counted(monkeypatch, model, prompt.known_at(asked), targets)
    shared, n_shared = counted(monkeypatch, model, late.known_at(asked), targets)
    assert n_shared <= 3 * n_plain
    with monkeypatch.context() as patched:
        patched.setattr("watthour.forecasting.day_regression.model.one_group", later_groups)
        exact, n_exact = counted(monkeypatch, model, late.known_at(asked), targets)
    assert n_exact > 5 * n_plain
    assert medians(shared).tolist() == medians(exact).tolist()
    assert np.abs(shared["value"].to_numpy() / exact["value"].to_numpy() - 1).max() < 1e-3
    with monkeypatch.context() as patched:
        patched.setattr("watthour.forecasting.day_regression.model.one_group", later_groups)
        assert counted(monkeypatch, model, prompt.known_at(asked), targets)[0].equals(plain)  # nothing is late


def counted(
    monkeypatch: pytest.MonkeyPatch, model: FittedRelativeDays, past: History, targets: dy.DataFrame[Targets]
) -> tuple[pl.DataFrame, int]:
    """Return a forecast, and how often the regression was solved for it."""
    answers: list[int] = []
    predict = Learner.predict

    def counting(self: Learner, asked: DayFacts, lead: int, *others: Any) -> Answer:  # noqa: ANN401 - passed on
        answers.append(lead)
        return predict(self, asked, lead, *others)

    with monkeypatch.context() as patched:
        patched.setattr(Learner, "predict", counting)
        return model.predict(past, targets).values, len(answers)
