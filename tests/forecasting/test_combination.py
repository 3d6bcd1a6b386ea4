"""Several models as one: weights that follow recent losses, a band that holds, and a word on what it was made of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour import DayAhead
from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import History, day_ahead_targets
from watthour.core.frames import LEVELS, Forecasts, Readings, Targets
from watthour.forecasting.backtest import scores, with_actuals
from watthour.forecasting.catalogue import forecaster, recipe
from watthour.forecasting.combination.mixture import mixed
from watthour.forecasting.combination.model import Combination, FittedCombination, _stand_bys
from watthour.forecasting.combination.past_answers import PastAnswers, Record
from watthour.forecasting.combination.weights import averaged, band_factor, losses_of, weights_of
from watthour.forecasting.vintages import DAY_US

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster
    from watthour.forecasting.vintages import Array

FIRST = date(2023, 1, 1)
RULES = ("persistence_ensemble", "seasonal_naive", "operator", "operator_debiased")
N_LEARNED = 100
_SPREAD = np.array([-1.645, -1.282, -0.842, -0.524, -0.253, 0, 0.253, 0.524, 0.842, 1.282, 1.645])  # of the normal


def asked(first: int, n_days: int) -> dy.DataFrame[Targets]:
    days = [FIRST + timedelta(days=first + n) for n in range(n_days)]
    return day_ahead_targets(days, world.ZONE, resolution=timedelta(hours=1), issue_clock=time(8), known_clock=time(8))


def past(
    error: float = 0.02,
    *,
    is_calm: bool = False,
    wrong_from: date | None = None,
    silent_from: date | None = None,
) -> History:
    """A load and a rival of some relative error; from a day on it is a tenth too high, or publishes no more.

    A calm load is the same every day but for a noise of 2 %.
    """
    made = world.history(FIRST, 180, weather=False)
    if is_calm:
        hour = pl.col("time").dt.convert_time_zone(world.ZONE).dt.hour()
        noise = pl.Series(1 + 0.02 * np.random.default_rng(9).normal(size=made.readings.height))
        made = replace(made, readings=Readings.cast(made.readings.with_columns(value=(1000 + 10 * hour) * noise)))
    actual = made.readings.filter(pl.col("channel") == world.DEMAND).select("time", actual="value")
    rng = np.random.default_rng(4)
    rows = made.forecasts.join(actual, on="time").sort("time")
    value = pl.col("actual") * (1 + error * pl.Series(rng.normal(size=rows.height)))
    day = pl.col("time").dt.convert_time_zone(world.ZONE).dt.date()
    if wrong_from is not None:
        value = pl.when(day >= wrong_from).then(value * 1.1).otherwise(value)
    rows = rows.with_columns(value=value).drop("actual")
    if silent_from is not None:
        rows = rows.filter(day < silent_from)
    return replace(made, forecasts=Forecasts.validate(rows, cast=True))


def fitted(history: History, members: tuple[str, ...] = RULES) -> FittedCombination:
    known = history.known_at(asked(N_LEARNED + 2, 1)["issued_at"][0])
    return Combination(members).fit(known, asked(38, N_LEARNED - 38))


def errors(history: History, model: FittedCombination, first: int, n_days: int) -> pl.DataFrame:
    """Scores of the combination and of each member that learned the same, on the same hours."""
    questions = asked(first, n_days)
    everybody = {"combination": model, **model.members}
    tables = [
        with_actuals(one.predict(history, questions), history, questions).with_columns(model=pl.lit(name))
        for name, one in everybody.items()
    ]
    return scores(pl.concat(tables))


@pytest.mark.parametrize("error", [0.0005, 0.01])
def test_it_is_never_worse_than_a_rival_that_is_nearly_right(error: float) -> None:
    history = past(error)
    found = dict(errors(history, fitted(history), N_LEARNED + 2, 40).select("model", "mape_percent").iter_rows())
    rivals = min(found[name] for name in ("operator", "operator_debiased") if name in found)
    assert found["combination"] <= 1.01 * rivals


def test_members_that_err_apart_are_better_together_and_the_band_of_their_average_holds() -> None:
    history = past(0.022, is_calm=True)
    model = fitted(history, ("operator", "persistence_ensemble"))
    assert min(model.weights.values()) > 0.2
    found = errors(history, model, N_LEARNED + 2, 60).sort("mae")
    assert found["model"][0] == found.sort("pinball")["model"][0] == "combination"
    assert sum(model.weights.values()) == pytest.approx(1)
    covered = dict(found.select("model", "coverage90_percent").iter_rows())
    assert 86 <= covered["combination"] <= 95  # hours that err apart from each other are told apart with care


def test_weights_follow_a_rival_that_goes_wrong_within_days() -> None:
    history = past(0.005, wrong_from=FIRST + timedelta(days=N_LEARNED + 5))
    model = fitted(history, ("operator", "persistence_ensemble"))
    assert model.weights["operator"] > 0.9
    before = model.predict(history, asked(N_LEARNED + 4, 1)).details
    after = model.predict(history, asked(N_LEARNED + 25, 1)).details
    assert before["operator"] > 0.9
    assert after.get("operator", 0.0) < 0.1


def test_a_member_that_cannot_answer_drops_out_of_that_issue_and_it_is_said() -> None:
    silent_from = FIRST + timedelta(days=N_LEARNED + 10)
    history = past(0.005, silent_from=silent_from)
    model = fitted(history, ("operator", "persistence_ensemble"))
    questions = asked(N_LEARNED + 9, 2)
    told = model.predict(history, questions)
    assert told.values["value"].null_count() == 0
    (words,) = [each for each in told.missing_inputs if "left out" in each]
    assert words.startswith(f"Operator could not answer, and was left out, for 24 of 48 intervals, from {silent_from}")
    assert words.endswith(": no forecast was published, or it is doubted.")
    alone = recipe("persistence_ensemble").fit(
        history.known_at(asked(N_LEARNED + 2, 1)["issued_at"][0]), asked(38, N_LEARNED - 38)
    )
    later = asked(N_LEARNED + 10, 1)
    medians = [
        one.predict(history, later).values.filter(pl.col("level") == 0.5).sort("time")["value"].to_list()
        for one in (model, alone)
    ]
    assert medians[0] == pytest.approx(medians[1])
    assert model.predict(history, later).details == {"persistence_ensemble": 1.0}


def test_why_a_member_refuses_is_said() -> None:
    class Refusing:
        def predict(self, *_: object) -> Forecast:
            raise NotEnoughHistory("its weather has ended.", remedy="Bring it.")

    history = past(0.005)
    model = fitted(history, ("seasonal_naive", "persistence_ensemble"))
    name = next(iter(model.weights))
    model.members[name] = cast("Forecaster", Refusing())
    told = model.predict(history, asked(N_LEARNED + 4, 1)).missing_inputs
    (words,) = [each for each in told if "left out" in each]
    assert words.endswith(": its weather has ended.")


def test_what_members_usually_lose_counts_where_few_issues_stand_apart() -> None:
    """Here the second was better by a tenth on four weeks that overlap, and usually loses two fifths more."""
    losses = np.repeat([[1.1], [1.0]], 28, axis=1)
    known = np.ones(28), np.arange(28), np.zeros(28, dtype=np.int64)
    usual = np.array([1.0, 1.4])
    many, few = (weights_of(losses, *known, usual=usual, n_apart=n_apart, overlap=4.0)[0] for n_apart in (6, 1))
    assert many[1] > 0.6
    assert few[0] > 0.9
    unknown = weights_of(losses, *known, overlap=4.0)[0]
    assert weights_of(losses, *known, usual=np.array([1.0, 1.2]), overlap=4.0)[0].tolist() == unknown.tolist()
    assert many[1] / many[0] == pytest.approx(0.5 * unknown[1] / unknown[0])  # that of rules, however many issues


def test_every_candidate_stays_a_member_where_the_trial_holds_one_or_two_forecasts() -> None:
    rng = np.random.default_rng(4)
    times = pl.datetime_range(FIRST, FIRST + timedelta(days=164), "1d", eager=True).cast(pl.Datetime("us"))
    table = pl.DataFrame({"ds": times, "y": 100 + 10 * np.arange(165) % 7 + np.cumsum(rng.normal(0, 2, 165))})
    (model,) = DayAhead().fit(table, horizon=28).models.values()
    assert isinstance(model, FittedCombination)
    assert set(model.members) == {"trend_season", "persistence_ensemble", "seasonal_naive", "gradient_boosting"}


def test_weights_of_the_others_go_on_following_after_a_rival_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watthour.forecasting.combination.model._stand_bys", lambda losses, **_: list(losses))
    changed_on = FIRST + timedelta(days=N_LEARNED + 5)
    history = past(0.005, is_calm=True, silent_from=changed_on)
    lower = pl.col("time").dt.convert_time_zone(world.ZONE).dt.date() >= changed_on
    value = pl.when(lower).then(0.7 * pl.col("value")).otherwise("value")
    history = replace(history, readings=Readings.cast(history.readings.with_columns(value=value)))
    model = fitted(history)
    before = model.predict(history, asked(N_LEARNED + 6, 1)).details
    after = model.predict(history, asked(N_LEARNED + 26, 1)).details
    assert before["persistence_ensemble"] > 0.9  # the usual best, that takes a month to follow
    assert after["seasonal_naive"] > 0.9
    told = model.predict(history, asked(N_LEARNED + 26, 1)).missing_inputs
    assert any(words.startswith("Operator could not answer") for words in told)


def test_the_best_that_never_looks_at_a_rival_is_kept_beside_those_that_do() -> None:
    losses = {"gradient_boosting": 1.0, "operator": 1.1, "day_process": 1.2, "hour_process": 1.4, "seasonal_naive": 3.0}
    assert "hour_process" in _stand_bys(losses, has_rival=True)
    assert "hour_process" not in _stand_bys(losses, has_rival=False)


def test_a_rival_that_publishes_after_some_of_the_issues_is_a_member_all_the_same() -> None:
    history = past(0.005)
    known = history.known_at(asked(N_LEARNED + 2, 1)["issued_at"][0])
    early = pl.col("issued_at", "known_until") - pl.duration(hours=6)  # before the rival's hour
    sooner = [pl.DataFrame(asked(day, 1)).with_columns(early) for day in range(38, N_LEARNED, 3)]
    mixed = Targets.validate(pl.concat([pl.DataFrame(asked(38, N_LEARNED - 38)), *sooner]))
    model = Combination(("operator", "persistence_ensemble")).fit(known, mixed)
    assert model.weights["operator"] > 0.9
    assert model.predict(history, asked(N_LEARNED + 4, 1)).details["operator"] > 0.9


def test_the_answer_tells_the_share_of_each_member_and_is_the_same_after_saving() -> None:
    history = past(0.025)
    model = fitted(history)
    questions = asked(N_LEARNED + 12, 3)
    told = model.predict(history, questions)
    assert sum(told.details.values()) == pytest.approx(1, abs=1e-3)
    assert list(told.details.values()) == sorted(told.details.values(), reverse=True)
    again = forecaster("combination", model.files())
    answer = again.predict(history, questions)
    assert answer.values["value"].to_list() == told.values["value"].to_list()
    assert answer.details == told.details
    assert isinstance(again, FittedCombination)
    assert again.weights == model.weights
    assert all(name.count("/") <= 1 for name in model.files())


def test_what_came_after_an_issue_moves_nothing_of_its_answer() -> None:
    history = past(0.025)
    model = fitted(history)
    questions = asked(N_LEARNED + 12, 1)
    issued_at = questions["issued_at"][0]
    late = pl.col("available_at") > issued_at
    changed = replace(
        history,
        readings=Readings.cast(
            history.readings.with_columns(value=pl.when(late).then(pl.col("value") * 3).otherwise("value"))
        ),
    )
    told = [model.predict(each, questions).values["value"].to_list() for each in (history, changed)]
    assert told[0] == told[1]


def test_a_past_too_short_to_compare_on_is_refused_with_a_cure() -> None:
    history = past()
    with pytest.raises(NotEnoughHistory, match="compare models on its last weeks") as refused:
        Combination(RULES).fit(history.known_at(asked(10, 1)["issued_at"][0]), asked(5, 3))
    assert "four weeks" in refused.value.remedy


def test_hours_that_were_never_measured_in_the_weeks_of_the_trial_are_not_compared() -> None:
    history = past()
    day = pl.col("time").dt.convert_time_zone(world.ZONE)
    lost = (day.dt.date() == FIRST + timedelta(days=N_LEARNED - 7)) & day.dt.hour().is_between(5, 14)
    kept = history.readings.filter(~lost | (pl.col("channel") != world.DEMAND))
    whole, gappy = fitted(history), fitted(replace(history, readings=Readings.cast(kept)))
    assert whole.n_tried == gappy.n_tried
    assert whole.compared[0]["n"] - gappy.compared[0]["n"] >= 10
    assert sum(gappy.weights.values()) == pytest.approx(1)


def test_candidates_that_cannot_learn_the_series_are_named_with_the_reason() -> None:
    model = fitted(past(), ("hour_process", "persistence_ensemble"))
    assert list(model.members) == ["persistence_ensemble"]
    assert "temperature" in str(model.silent["hour_process"])
    again = forecaster("combination", model.files())
    assert isinstance(again, FittedCombination)
    assert {name: str(why) for name, why in again.silent.items()} == {
        name: str(why) for name, why in model.silent.items()
    }


def test_clearly_worse_members_get_nothing_and_equal_ones_share() -> None:
    n_issues, rng = 28, np.random.default_rng(1)
    losses = np.abs(rng.normal(1, 0.2, (3, n_issues * 24)))
    losses[2] *= 1.5
    issue, block = np.repeat(np.arange(n_issues), 24), np.ones(n_issues * 24, dtype=np.int64)
    weights = weights_of(losses, np.ones(n_issues * 24), issue, block)
    assert weights.sum(axis=1) == pytest.approx(np.ones(len(weights)))
    assert weights[1, 2] == 0
    assert weights[1, 0] == pytest.approx(0.5, abs=0.1)


def weights_of_days(losses: Array) -> Array:
    """Weights in one block, of losses (members, days), each day an issue."""
    n_days = losses.shape[1]
    return np.asarray(weights_of(losses, np.ones(n_days), np.arange(n_days), np.zeros(n_days, dtype=np.int64))[0])


def test_a_few_issues_move_the_weights_less_than_many() -> None:
    def share(n_issues: int) -> float:
        noise = np.tile([[0.8, 1.2], [1.2, 0.8]], n_issues // 2)  # as often good for one as for the other
        return float(weights_of_days(noise * [[1.0], [1.1]])[0])

    assert 0.5 < share(2) < share(8) < share(56) < 0.9


def test_a_member_that_errs_apart_keeps_more_than_one_that_always_errs_a_little_more() -> None:
    best = np.tile([0.7, 1.3], 14)
    always, apart = weights_of_days(np.stack([best, 1.05 * best, 1.05 * best[::-1]]))[1:]
    assert 0.05 < always < 0.5 * apart


def test_one_day_on_which_everybody_errs_does_not_decide_who_is_best() -> None:
    losses = np.repeat([[1.0], [0.8]], 28, axis=1)
    losses[:, 9] = 10, 20
    assert losses[0].mean() < losses[1].mean()
    assert np.argmax(weights_of_days(losses)) == 1


def test_the_average_is_that_of_the_quantiles_over_the_members_that_answered() -> None:
    quantiles = np.stack([np.full((2, 11), 10.0) + _SPREAD, np.full((2, 11), 20.0) + 3 * _SPREAD])
    quantiles[1, 1] = np.nan
    there = np.array([[True, True], [True, False]])
    found = averaged(quantiles, np.array([[0.75, 0.75], [0.25, 0.25]]), there)
    assert found[0] == pytest.approx(12.5 + 1.5 * _SPREAD)
    assert found[1] == pytest.approx(10 + _SPREAD)


def test_the_mixture_is_that_of_the_distributions_of_the_members_that_answered() -> None:
    line = np.array(LEVELS)
    quantiles = np.stack([np.tile(line, (2, 1)), np.tile(100 + line, (2, 1))])
    quantiles[1, 1] = np.nan
    there = np.array([[True, True], [True, False]])
    found = mixed(quantiles, np.array([[0.75, 0.75], [0.25, 0.25]]), there)
    expected = np.where(line < 0.75, line / 0.75, 100 + (line - 0.75) / 0.25)
    assert found[0] == pytest.approx(expected)
    assert found[1] == pytest.approx(line)


def test_the_mixture_of_members_that_agree_is_what_they_say_also_where_values_lie_on_one_spot() -> None:
    on_spots = np.array([0, 0, 0, 0, 0, 1, 2, 2, 2, 3, 9.0])
    quantiles = np.stack([on_spots[None], on_spots[None]])
    found = mixed(quantiles, np.array([[0.3], [0.7]]), np.ones((2, 1), dtype=bool))
    assert found[0] == pytest.approx(on_spots)


@pytest.mark.parametrize("is_either", [True, False])
def test_distributions_are_mixed_where_that_lost_less_and_quantiles_averaged_elsewhere(*, is_either: bool) -> None:
    """What comes lies at one of two places, each told by a member, or between two members that err apart."""
    n_issues, rng = 40, np.random.default_rng(6)
    issued = np.repeat(np.arange(n_issues) * DAY_US, 24)
    time = issued + np.tile(np.arange(24) * DAY_US // 24, n_issues)
    places = np.array([-5.0, 5.0])
    actual = rng.normal(scale=0.5, size=len(time)) + (rng.choice(places, len(time)) if is_either else 0.0)
    quantiles = np.tile(places[:, None, None] + 0.5 * _SPREAD, (1, len(time), 1))
    record = Record.at(PastAnswers(issued, time, actual, quantiles), n_issues * DAY_US, DAY_US, np.ones(2))
    assert record.merging(np.full((4, 2), 0.5), 0).is_mixed == is_either


@pytest.mark.parametrize("width", [0.6, 1.0, 1.7])
def test_a_band_too_narrow_or_too_wide_is_brought_to_what_it_says(width: float) -> None:
    n_issues, rng = 60, np.random.default_rng(2)
    actual = rng.normal(size=n_issues * 24)
    quantiles = np.tile(width * _SPREAD, (len(actual), 1))
    factor = band_factor(quantiles, actual, np.ones(len(actual)), np.repeat(np.arange(n_issues), 24))
    assert factor * width == pytest.approx(1, abs=0.15)


def test_issues_that_speak_of_the_same_days_move_the_band_less() -> None:
    """Four issues of 28 days, a week apart, miss the same heat wave: it is one surprise, not four."""
    actual = 2 * np.random.default_rng(3).normal(size=4 * 28)
    quantiles = np.tile(_SPREAD, (len(actual), 1))
    apart, together = (
        band_factor(quantiles, actual, np.ones(len(actual)), np.repeat(np.arange(4), 28), overlap=overlap)
        for overlap in (1.0, 4.0)
    )
    assert 1.0 < together < apart


def test_the_loss_is_the_mean_pinball_loss_over_the_levels() -> None:
    found = losses_of(np.array([[*_SPREAD]]), np.array([2.0]))
    assert found[0] == pytest.approx(np.mean([level * (2 - q) for level, q in zip(LEVELS, _SPREAD, strict=True)]))
