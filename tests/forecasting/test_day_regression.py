from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS, Forecasts, Maker, Readings
from watthour.core.window import DAY, HOUR
from watthour.forecasting.day_regression.error_trees import ErrorTrees
from watthour.forecasting.day_regression.inputs import tables
from watthour.forecasting.day_regression.kernel import Inputs, Kernel
from watthour.forecasting.day_regression.model import DayRegression, FittedDayRegression
from watthour.forecasting.day_regression.state import State
from watthour.forecasting.fleet import issues_at, past_issues
from watthour.forecasting.gaussian_process.archive import pack, unpack
from watthour.forecasting.series_table import read

if TYPE_CHECKING:
    from watthour.core.forecast import Forecast, History

N_DAYS = 100
START = datetime(2024, 3, 4)  # noqa: DTZ001 - tables of the notebook are naive
ASKED = 90  # the first day that is not learned


def prices(step: timedelta = HOUR, n_days: int = N_DAYS, *, seed: int = 1) -> pl.DataFrame:
    """Prices that rise with the load and fall with the wind, below zero on windy nights."""
    rng = np.random.default_rng(seed)
    per_day = DAY // step
    n = n_days * per_day
    hour = np.arange(n) * (24 / per_day) % 24
    calm = np.repeat(np.clip(np.cumsum(rng.normal(0, 0.5, n_days)) * 0.3 + rng.normal(0, 0.8, n_days), -2, 2), per_day)
    wind = 10 + 4 * calm + np.cos(2 * np.pi * (hour - 3) / 24)
    load = 50 - 8 * np.cos(2 * np.pi * (hour - 3) / 24) - 5 * (np.arange(n) // per_day % 7 >= 5)
    price = 1.5 * (load - 42) - 3 * (wind - 8) + 5 + rng.normal(0, 1, n)
    times = pl.datetime_range(START, START + (n - 1) * step, step, eager=True)
    return pl.DataFrame({"ds": times, "y": price, "wind": wind, "load": load})


def history(table: pl.DataFrame, covariates: tuple[str, ...] = ("wind", "load"), zone: str = "UTC") -> History:
    named = table.with_columns(unique_id=pl.lit("market"))
    (past,) = read(named, DayAhead(covariates=covariates, time_zone=zone).columns).pasts.values()
    return past


def midnight(day: int, hour: int = 0) -> datetime:
    return START.replace(tzinfo=UTC) + day * DAY + hour * HOUR


def fitted(past: History, day: int = ASKED, hour: int = 0, steps: int = 24) -> FittedDayRegression:
    known = past.known_at(midnight(day, hour))
    return DayRegression().fit(known, past_issues(known, steps))


def said(model: FittedDayRegression, past: History, *days: int, hour: int = 0, steps: int = 24) -> Forecast:
    return model.predict(past, issues_at(past, [midnight(day, hour) for day in days], steps))


def medians(told: Forecast) -> np.ndarray:
    return told.values.filter(pl.col("level") == 0.5).sort("issued_at", "time")["value"].to_numpy()


def actuals(table: pl.DataFrame, first: int, n: int = 24, per_day: int = 24) -> np.ndarray:
    return table["y"].to_numpy()[first * per_day : first * per_day + n]


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return prices()


@pytest.fixture(scope="module")
def past(table: pl.DataFrame) -> History:
    return history(table)


@pytest.fixture(scope="module")
def model(past: History) -> FittedDayRegression:
    return fitted(past)


def test_prices_below_zero_are_forecast_from_wind_and_load(
    table: pl.DataFrame, past: History, model: FittedDayRegression
) -> None:
    days = range(ASKED, N_DAYS)
    found, came = medians(said(model, past, *days)), actuals(table, ASKED, 24 * len(days))
    assert (came < 0).any()
    assert (found < 0).any()
    last_week = table["y"].to_numpy()[(ASKED - 7) * 24 :][: len(came)]
    assert np.abs(found - came).mean() < 0.25 * np.abs(last_week - came).mean()


def test_most_prices_lie_inside_the_band(table: pl.DataFrame, past: History, model: FittedDayRegression) -> None:
    days = range(60, N_DAYS)
    wide = said(model, past, *days).values.pivot("level", index=["issued_at", "time"], values="value").sort("time")
    came = actuals(table, 60, 24 * len(days))
    inside = (wide[str(LEVELS[0])].to_numpy() <= came) & (came <= wide[str(LEVELS[-1])].to_numpy())
    assert 0.84 < inside.mean() < 0.96


def test_a_spike_of_3000_moves_the_days_after_it_by_little(table: pl.DataFrame, past: History) -> None:
    row = 88 * 24 + 18
    spiked = history(table.with_columns(y=pl.when(pl.int_range(pl.len()) == row).then(3000.0).otherwise("y")))
    calm, wild = (medians(said(fitted(each), each, ASKED)) for each in (past, spiked))
    assert np.isfinite(wild).all()
    assert np.abs(wild - calm).max() < 15


def test_a_day_that_nobody_could_expect_hardly_moves_the_week_after_next(table: pl.DataFrame, past: History) -> None:
    odd = pl.int_range(pl.len()) // 24 == ASKED - 12
    moved = history(table.with_columns(y=pl.when(odd).then(pl.col("y") + 40).otherwise("y")))
    days = range(ASKED, N_DAYS)
    calm, wild = (medians(said(fitted(each), each, *days)) for each in (past, moved))
    assert 0 < np.abs(wild - calm).mean() < 0.8


def test_a_level_that_jumps_is_followed_within_days(table: pl.DataFrame) -> None:
    jump = pl.int_range(pl.len()) // 24 >= ASKED - 2
    raised = history(table.with_columns(y=pl.when(jump).then(pl.col("y") + 25).otherwise("y")))
    off = actuals(table, ASKED, 3 * 24) + 25 - medians(said(fitted(raised), raised, *range(ASKED, ASKED + 3)))
    assert 0 < off.mean() < 9


def test_a_covariate_that_never_moved_in_training_is_left_out_and_said(table: pl.DataFrame) -> None:
    is_later = pl.col("ds") >= START + ASKED * DAY
    still, moved = (
        history(table.with_columns(tax=pl.when(is_later).then(later).otherwise(7.0)), ("wind", "load", "tax"))
        for later in (7.0, 9_000.0)
    )
    model = fitted(still)
    told = said(model, moved, ASKED)
    assert medians(told).tolist() == medians(said(model, still, ASKED)).tolist()
    assert any(words.startswith("tax never moved") for words in told.missing_inputs)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(range(8, 11), "Some of wind was unknown"), (range(24), "No wind was known")],
    ids=["some_hours", "all_day"],
)
def test_a_gap_of_a_covariate_inside_the_horizon_is_bridged_and_said(
    table: pl.DataFrame, past: History, model: FittedDayRegression, hours: range, words: str
) -> None:
    rows = pl.int_range(pl.len()).is_in([ASKED * 24 + hour for hour in hours])
    holed = history(table.with_columns(wind=pl.when(rows).then(None).otherwise("wind")))
    told = said(model, holed, ASKED)
    assert any(each.startswith(words) for each in told.missing_inputs)
    assert not said(model, past, ASKED).missing_inputs
    assert np.isfinite(medians(told)).all()
    if len(hours) < 24:
        assert medians(told) == pytest.approx(medians(said(model, past, ASKED)), abs=3)


def test_the_first_forecast_finds_its_factors_made(past: History, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = fitted(past, steps=72)
    expected = medians(said(FittedDayRegression.from_files(fresh.files()), past, ASKED, steps=72)).tolist()

    def never(*_: object) -> None:
        pytest.fail("a factor was made at a forecast")

    monkeypatch.setattr("watthour.forecasting.day_regression.posterior.Trained.of", never)
    assert medians(said(fresh, past, ASKED, steps=72)).tolist() == expected


def test_only_the_hours_that_are_asked_for_and_unknown_are_said_to_be(table: pl.DataFrame, past: History) -> None:
    """Issued at 08:00 for the day after, whose hours end in the middle of a day of the model."""
    model = fitted(past, hour=8, steps=40)
    midday = (ASKED + 1) * 24 + 12
    row = pl.int_range(pl.len())
    holed = history(table.with_columns(wind=pl.when(~row.is_between(midday, midday + 4)).then("wind")))
    told = said(model, holed, ASKED, hour=8, steps=40)
    (words,) = told.missing_inputs
    assert words.startswith("Some of wind was unknown for 5 of 40 intervals, from 2024-06-03 12:00,")
    cut = history(table.with_columns(wind=pl.when(row < (ASKED + 2) * 24).then("wind")))
    assert not said(model, cut, ASKED, hour=8, steps=40).missing_inputs


@pytest.mark.parametrize("wrong", [283.15, 1e6, -1e6])
def test_a_covariate_far_from_all_that_was_learned_is_limited_and_said(
    table: pl.DataFrame, past: History, model: FittedDayRegression, wrong: float
) -> None:
    is_asked = pl.int_range(pl.len()) // 24 == ASKED
    odd = history(table.with_columns(wind=pl.when(is_asked).then(pl.col("wind") + wrong).otherwise("wind")))
    told = said(model, odd, ASKED)
    (words,) = told.missing_inputs
    assert words.startswith("wind is ")
    assert words.endswith(": check its unit.")
    assert "for 24 of 24 intervals" in words
    known = table["y"].to_numpy()[: ASKED * 24]
    assert np.abs(medians(told) - known.mean()).max() < 2 * np.ptp(known)
    later = said(model, odd, ASKED + 1)  # the odd day is known and learned from by then
    assert np.abs(medians(later) - medians(said(model, past, ASKED + 1))).max() < 0.5 * np.ptp(known)
    assert not later.missing_inputs


def test_the_band_holds_on_days_of_which_a_covariate_is_unknown(
    table: pl.DataFrame, model: FittedDayRegression
) -> None:
    """What stands in for a wind that nobody told is no wind: without it the band is that of a model without."""
    days = range(ASKED, N_DAYS - 1, 3)
    lost = (pl.int_range(pl.len()) // 24).is_in(list(days))
    holed = history(table.with_columns(wind=pl.when(lost).then(None).otherwise("wind")))
    told = said(model, holed, *days)
    lower, upper = (
        told.values.filter(pl.col("level") == level).sort("time")["value"].to_numpy() for level in (0.05, 0.95)
    )
    actual = np.concatenate([actuals(table, day) for day in days])
    assert ((lower <= actual) & (actual <= upper)).mean() > 0.75
    assert (
        model.from_files(model.files())
        .predict(holed, issues_at(holed, [midnight(ASKED)], 24))
        .values.equals(said(model, holed, ASKED).values)
    )


def planted(past: History, at: datetime, day: int) -> History:
    """Change all that became known after an instant, and every price from then on; revise older ones after it."""
    prices_of = pl.col("channel") == past.context.channel.id
    later = (pl.col("available_at") > at) & prices_of
    changed = past.readings.with_columns(value=pl.when(later).then(5 * pl.col("value") + 300).otherwise("value"))
    revised = past.readings.filter(prices_of, ~later, pl.col("time") > midnight(day - 20)).with_columns(
        value=pl.col("value") - 70, available_at=pl.lit(at + HOUR / 4), recorded_at=pl.lit(at + HOUR / 4)
    )
    return replace(past, readings=Readings.validate(pl.concat([changed, revised]), cast=True))


@pytest.mark.parametrize("day", [ASKED, ASKED + 5, ASKED - 20])
def test_nothing_that_became_known_after_the_issue_moves_a_forecast(
    past: History, model: FittedDayRegression, day: int
) -> None:
    told, again = (medians(said(model, each, day)) for each in (past, planted(past, midnight(day), day)))
    assert again.tolist() == told.tolist()


def test_days_revised_between_two_issues_are_seen_by_each_as_they_were(
    past: History, model: FittedDayRegression
) -> None:
    later = planted(past, midnight(ASKED + 4), ASKED + 4)
    together = medians(said(model, later, *range(ASKED, ASKED + 8)))
    alone = [medians(said(model, later, day)) for day in range(ASKED, ASKED + 8)]
    assert together == pytest.approx(np.concatenate(alone), rel=1e-9)
    before = medians(said(model, past, *range(ASKED, ASKED + 8)))
    assert together[: 5 * 24] == pytest.approx(before[: 5 * 24], rel=1e-9)
    assert np.abs(together[5 * 24 :] - before[5 * 24 :]).min() > 1


def test_an_issue_long_after_the_last_price_is_left_open_and_one_after_some_days_is_said(
    past: History, model: FittedDayRegression
) -> None:
    silent = replace(
        past,
        readings=Readings.cast(
            past.readings.filter((pl.col("channel") != past.context.channel.id) | (pl.col("time") < midnight(70)))
        ),
    )
    told = said(model, silent, 75, 96)
    assert np.isfinite(medians(told)[:24].astype(float)).all()
    assert told.values.filter(pl.col("issued_at") == midnight(96))["value"].null_count() == 24 * len(LEVELS)
    assert any(words.startswith("The days just before were not known whole") for words in told.missing_inputs)


def test_each_new_day_is_taken_in_without_fitting_again(table: pl.DataFrame) -> None:
    raised = history(
        table.with_columns(y=pl.when(pl.col("ds") >= START + ASKED * DAY).then(pl.col("y") + 25).otherwise("y"))
    )
    found = medians(said(fitted(raised), raised, ASKED, N_DAYS - 1)).reshape(2, 24)
    off = [
        float((actuals(table, day) + 25 - each).mean()) for day, each in zip((ASKED, N_DAYS - 1), found, strict=True)
    ]
    assert off[0] > 15
    assert abs(off[1]) < 8


def test_a_short_memory_answers_beside_the_long_one_once_it_knows_its_days(past: History) -> None:
    known = past.known_at(midnight(ASKED))
    issues = past_issues(known, 24)
    long, both = (DayRegression(memories_days=days).fit(known, issues) for days in ((90,), (90, 50)))
    days = [60, ASKED, ASKED + 1]
    apart = np.abs(medians(said(both, past, *days)) - medians(said(long, past, *days))).reshape(3, 24).max(axis=1)
    assert apart[0] < 1e-9
    assert (apart[1:] > 1e-3).all()


def test_a_model_saved_with_fewer_forms_answers_with_those_it_has(past: History, model: FittedDayRegression) -> None:
    state = State.from_files(model.files())
    older = FittedDayRegression.from_files(replace(state, constants=state.constants[:3]).files())
    told, again = (medians(said(each, past, ASKED)) for each in (model, older))
    assert again == pytest.approx(told, abs=5)
    assert np.abs(again - told).max() > 1e-3


def test_a_plain_model_has_the_first_form_alone_also_when_it_is_read_again(
    past: History, model: FittedDayRegression
) -> None:
    known = past.known_at(midnight(ASKED))
    plain = DayRegression(memories_days=(400,), is_plain=True).fit(known, past_issues(known, 24))
    state = State.from_files(plain.files())
    assert len(state.constants) == 1
    assert len(State.from_files(model.files()).constants) > 1
    assert state.error_trees is None
    told, again, whole = (
        medians(said(each, past, ASKED)) for each in (plain, FittedDayRegression.from_files(plain.files()), model)
    )
    assert np.array_equal(told, again)
    assert told == pytest.approx(whole, abs=10)
    assert np.abs(told - whole).max() > 1e-3


def test_a_series_that_moved_in_its_first_week_alone_stays_where_it_is(table: pl.DataFrame) -> None:
    early = pl.col("ds") < START + 5 * DAY
    still = history(table.with_columns(y=pl.when(early).then(pl.col("y")).otherwise(40.0)))
    assert medians(said(fitted(still), still, ASKED)) == pytest.approx(40.0, abs=0.5)


def test_trees_find_to_which_side_and_how_widely_a_process_is_off() -> None:
    rng = np.random.default_rng(5)
    days = np.arange(500)
    features = rng.uniform(size=(len(days), 24, 3))
    side, size = np.where(features[..., 0] > 0.7, 2.0, -0.5), np.where(features[..., 1] > 0.5, 1.0, 0.2)
    trees = ErrorTrees.grow(features, side + size * rng.normal(size=side.shape), days, 1)
    assert trees is not None
    shift, spread = trees.expected(features[-50:])
    high = features[-50:, :, 0] > 0.7
    assert shift[high].mean() > 0.3
    assert shift[~high].mean() < 0
    calm = ~high & (features[-50:, :, 1] < 0.5)
    assert spread[calm].mean() < spread[high].mean()
    assert (trees.past_shift[:120] == 0).all()
    assert np.corrcoef(trees.past_shift[-50:].ravel(), shift.ravel())[0, 1] > 0.9
    assert ErrorTrees.grow(features[:300], side[:300], days[:300], 1) is None


def test_trees_make_bands_narrow_on_calm_days_and_know_nothing_of_what_comes() -> None:
    n_days, first = 384, 372
    rng = np.random.default_rng(3)
    table = prices(n_days=n_days, seed=2)
    stress = np.repeat(rng.uniform(size=n_days), 24)
    noise = rng.normal(size=table.height) * np.where(stress > 0.5, 8.0, 0.0)
    past = history(table.with_columns(y=pl.col("y") + noise, stress=stress), ("wind", "load", "stress"))
    known = past.known_at(midnight(first))
    model = DayRegression().fit(known, past_issues(known, 24))
    state = State.from_files(model.files())
    bare = FittedDayRegression(replace(state, error_trees=None))
    calm = stress[first * 24 :] <= 0.5

    def widths(one: FittedDayRegression) -> np.ndarray:
        told = said(one, past, *range(first, n_days)).values.pivot("level", index="time", values="value").sort("time")
        return np.asarray(told[str(LEVELS[-1])].to_numpy() - told[str(LEVELS[0])].to_numpy())

    usual, by_trees = widths(bare), widths(model)
    assert by_trees[calm].mean() < 0.8 * usual[calm].mean()
    again = FittedDayRegression.from_files(model.files())
    day = first + 8
    told = medians(said(model, past, day))
    assert medians(said(again, past, day)).tolist() == told.tolist()
    assert medians(said(model, planted(past, midnight(day), day), day)).tolist() == told.tolist()


def test_a_day_that_begins_at_eight_in_the_evening_knows_all_hours_before(table: pl.DataFrame, past: History) -> None:
    model = fitted(past, 90, 20)
    found, came = medians(said(model, past, 90, 91, 92, hour=20)), table["y"].to_numpy()[90 * 24 + 20 :][:72]
    assert np.abs(found - came).mean() < 4


def test_quarter_hours_and_a_week_ahead(table: pl.DataFrame) -> None:
    del table
    quarters = prices(HOUR / 4, 70)
    past = history(quarters)
    model = fitted(past, 60, steps=7 * 96)
    found, came = medians(said(model, past, 60, steps=7 * 96)), actuals(quarters, 60, 7 * 96, 96)
    assert len(found) == 7 * 96
    assert np.abs(found - came).mean() < 0.3 * np.abs(came - came.mean()).mean()


def test_a_series_without_covariates_is_forecast_from_its_days(table: pl.DataFrame) -> None:
    past = history(table.select("ds", y=pl.col("load") + 0.1 * pl.col("y")), ())
    found, came = medians(said(fitted(past), past, ASKED)), actuals(table, ASKED)
    assert np.abs(found - (table["load"].to_numpy()[ASKED * 24 :][:24] + 0.1 * came)).mean() < 2


@pytest.mark.parametrize("value", [0.0, 42.0])
def test_a_series_of_one_value_is_refused_with_a_cure(table: pl.DataFrame, value: float) -> None:
    with pytest.raises(InvalidInput, match="all its values are the same") as refused:
        fitted(history(table.with_columns(y=pl.lit(value))))
    assert refused.value.value == value
    assert "seasonal_naive" in refused.value.remedy


def test_a_series_of_three_days_is_refused(table: pl.DataFrame) -> None:
    past = history(table.head(72))
    with pytest.raises(NotEnoughHistory, match="3 whole days"):
        DayRegression().fit(past, past_issues(past, 24))


@pytest.mark.parametrize("own", [(), (0, 2)])
def test_the_search_of_constants_follows_the_true_slope(own: tuple[int, ...]) -> None:
    from watthour.forecasting.day_regression.kernel import _Likelihood

    rng = np.random.default_rng(0)
    days = Inputs([rng.normal(size=(40, 5)) for _ in range(4)], np.arange(40), own)
    start = Kernel.start(days).log
    loss = _Likelihood(days, rng.normal(size=(40, 3)).astype(np.float32), start)
    at = start + 0.2 * rng.normal(size=len(start))
    steps = 0.01 * np.eye(len(at))
    numeric = [(loss(at + step)[0] - loss(at - step)[0]) / 0.02 for step in steps]
    assert loss(at)[1] == pytest.approx(np.array(numeric), abs=2e-4)


def told_each_midnight(past: History, n_ahead: int) -> History:
    """The same history, whose wind is told at each midnight for some days: as it comes, plus 100 for each day ahead."""
    wind = pl.col("channel") == past.context.covariates[0].channel
    issued = pl.col("time").dt.truncate("1d")
    runs = [
        past.readings.filter(wind).select(
            "channel",
            "time",
            (issued - n * DAY).alias("issued_at"),
            pl.lit("weather").alias("model"),
            pl.lit(0.5).alias("level"),
            pl.lit(str(Maker.RIVAL)).alias("maker"),
            (issued - n * DAY).alias("available_at"),
            (issued - n * DAY).alias("recorded_at"),
            pl.col("value") + 100 * n,
            "quality",
        )
        for n in range(n_ahead)
    ]
    return replace(past, readings=Readings.cast(past.readings.filter(~wind)), forecasts=Forecasts.cast(pl.concat(runs)))


def test_covariates_are_learned_as_they_were_known_so_many_days_ahead(past: History, table: pl.DataFrame) -> None:
    told = told_each_midnight(past, 2)
    state = fitted(told, steps=72)._state
    wind = list(state.variables).index("wind")
    came = table["wind"].to_numpy().reshape(-1, 24)[10:80]
    days = slice(10, 80)
    known = [state.covariates[n, days, wind] - came for n in range(3)]
    assert state.leads == (1, 2, 3)
    assert np.abs(known[0]).max() < 1e-3
    assert known[1] == pytest.approx(100)
    assert known[2] == pytest.approx(100)  # nothing was said three days ahead: as it was known a day later


def test_a_saved_model_of_several_days_answers_the_same_and_an_older_file_is_read(past: History) -> None:
    told = told_each_midnight(past, 3)
    model = fitted(told, steps=72)
    files = dict(model.files())
    again = FittedDayRegression.from_files(files)
    assert medians(said(again, told, ASKED, steps=72)).tolist() == medians(said(model, told, ASKED, steps=72)).tolist()
    arrays, words = unpack(files)
    arrays["covariates"] = arrays["covariates"][0]  # as it was kept before each lead had its own
    older = FittedDayRegression.from_files(files | pack(arrays, words))
    first_day = said(older, told, ASKED)
    assert medians(first_day) == pytest.approx(medians(said(model, told, ASKED)))


def test_hours_of_a_covariate_that_are_never_known_are_taken_from_those_beside_them() -> None:
    """They counted as zero in training, and as between their neighbours in the forecast."""
    known = np.full((3, 1, 24), np.nan)
    known[:, :, ::2] = 1000 + np.arange(12)
    _, found = tables(np.zeros((3, 24)), known)
    assert found[1, 0, 1] == pytest.approx(1000.5)
    assert found[0, 0, -1] == pytest.approx(1011)
