"""A series of a few days beside similar series with a long past."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS, Readings, Targets
from watthour.core.window import DAY
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.combination import trial
from watthour.forecasting.fleet import issues_at
from watthour.forecasting.series_table import read
from watthour.forecasting.similar_series import learning
from watthour.forecasting.similar_series.among import beside, with_similar
from watthour.forecasting.similar_series.own_trial import OwnTrial
from watthour.forecasting.similar_series.predictors import Likeness, Said, Seen, said_of

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import Forecast, Forecaster, History

FIRST, OLD_DAYS = datetime(2023, 1, 2, tzinfo=UTC), 110
END = FIRST + OLD_DAYS * DAY
OWN_COLUMNS = DayAhead().columns


def home(
    name: str, size: float, *, peak: int = 18, days: float = OLD_DAYS, ahead: int = 1, seed: int = 0
) -> pl.DataFrame:
    """Hours of a home that cooks in the evening and sleeps in on Sundays, up to some days after ``END``."""
    first = END - days * DAY
    times = pl.datetime_range(first, END + ahead * DAY, "1h", closed="left", eager=True, time_unit="us")
    hour, weekday = times.dt.hour().to_numpy(), times.dt.weekday().to_numpy()
    shape = 0.4 + 1.2 * np.exp(-0.5 * ((hour - peak) / 2.0) ** 2) + 0.5 * (weekday == 7) * (hour == 11)
    noise = np.random.default_rng(seed).gamma(9, 1 / 9, len(shape))
    return pl.DataFrame({"ds": times, "y": size * shape * noise}).select(pl.lit(name).alias("unique_id"), "ds", "y")


def old_homes(n: int = 5) -> pl.DataFrame:
    return pl.concat([home(f"old {k}", 1 + k, peak=17 + k % 3, seed=k) for k in range(n)])


def before(table: pl.DataFrame) -> pl.DataFrame:
    return table.filter(pl.col("ds") < END)


def pasts_of(*tables: pl.DataFrame) -> dict[str, History]:
    return dict(read(before(pl.concat(tables)), OWN_COLUMNS).pasts)


def seen(days: float, *, peak: int = 18, seed: int = 50, n_old: int = 5) -> tuple[History, np.ndarray]:
    """What is known of a new home beside old ones, and its next day."""
    new = home("new", 0.7, peak=peak, days=days, seed=seed)
    found = with_similar(pasts_of(old_homes(n_old), new))["new"]
    return found, new.filter(pl.col("ds") >= END)["y"].to_numpy()


def told(past: History, hours: int = 24) -> Forecast:
    asked = issues_at(past, [END], hours)
    return recipe("similar_series").fit(past, Targets.create_empty()).predict(past, asked)


def at_level(forecast: Forecast, level: float = 0.5) -> np.ndarray:
    return forecast.values.filter(pl.col("level") == level).sort("time")["value"].to_numpy()


@pytest.fixture(scope="module")
def of_one_day() -> Forecaster:
    """What similar homes teach of one that is known for a day; another one of a day has the same."""
    return recipe("similar_series").fit(seen(1)[0], Targets.create_empty())


def test_a_new_home_is_forecast_better_than_by_its_last_day_and_its_band_holds(of_one_day: Forecaster) -> None:
    off, off_by_last_day, inside = [], [], []
    for seed in range(60, 72):
        past, actual = seen(1, seed=seed)
        last = past.readings.filter(pl.col("channel") == past.context.channel.id).sort("time")["value"].to_numpy()
        forecast = of_one_day.predict(past, issues_at(past, [END], 24))
        off.append(np.abs(at_level(forecast) - actual).mean())
        off_by_last_day.append(np.abs(last - actual).mean())
        inside.append((actual >= at_level(forecast, LEVELS[0])) & (actual <= at_level(forecast, LEVELS[-1])))
    assert np.mean(off) < 0.85 * np.mean(off_by_last_day)
    assert 0.85 < np.mean(inside) < 0.98


@pytest.mark.parametrize("hours", [(30,), (30, 31, 50)])
def test_a_glitch_of_the_meter_does_not_set_the_level_of_a_new_home(hours: tuple[int, ...]) -> None:
    new = home("new", 0.7, days=3, seed=50)
    rows = pl.int_range(pl.len()).is_in(hours)
    clean, glitch = (
        told(with_similar(pasts_of(old_homes(), table))["new"])
        for table in (new, new.with_columns(y=pl.when(rows).then(3000.0).otherwise("y")))
    )
    assert np.allclose(at_level(glitch), at_level(clean), rtol=0.2)
    assert np.all(at_level(glitch, 0.95) < 2 * at_level(clean, 0.95))


def test_the_own_habits_of_a_home_unlike_the_others_count_more_with_every_week() -> None:
    off = []
    for days in (1, 21):
        past, actual = seen(days, peak=8)
        off.append(np.abs(at_level(told(past)) - actual).mean())
    assert off[1] < 0.8 * off[0]
    assert off[1] < 0.25 * 0.7  # of the mean; a third is noise


def test_own_days_that_were_missed_move_the_forecast_and_widen_its_band(monkeypatch: pytest.MonkeyPatch) -> None:
    said, own, off = np.tile(np.linspace(4, 6, len(LEVELS)), (24, 1)), np.full(24, 9.0), np.full(24, 5.0)
    missed, held = OwnTrial.of([said] * 14, [own] * 14, [own] * 14), OwnTrial.of([said] * 14, [own] * 14, [off] * 14)
    assert missed.share > 0.9
    assert held.share < 0.1
    past, _ = seen(3, n_old=3)
    plain, wider = OwnTrial(share=0.0, factor=1.0), OwnTrial(share=0.0, factor=2.0)
    widths = []
    for each in (plain, wider):
        monkeypatch.setattr(OwnTrial, "of", lambda *_, found=each: found)
        forecast = told(past)
        widths.append(at_level(forecast, LEVELS[-1]) - at_level(forecast, LEVELS[0]))
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.01)


def test_nothing_after_an_issue_is_looked_at_of_any_series() -> None:
    past, _ = seen(3)
    asked = issues_at(past, [END - DAY], 24)
    then = past.known_at(END - DAY)
    model = recipe("similar_series").fit(then, Targets.create_empty())
    is_later = pl.col("available_at") > END - DAY
    planted = past.readings.with_columns(value=pl.when(is_later).then(1000.0).otherwise("value"))
    changed = replace(past, readings=Readings.cast(planted))
    assert (at_level(model.predict(changed, asked)) == at_level(model.predict(past, asked))).all()
    assert (at_level(model.predict(then, asked)) == at_level(model.predict(past, asked))).all()


def test_series_that_are_cut_lack_the_last_hours_that_the_new_one_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    past, _ = seen(3, n_old=3)
    is_late = (pl.col("channel") == past.context.channel.id) & (pl.col("time") >= END - timedelta(hours=6))
    cuts: list[np.ndarray] = []

    def noted(cut: Seen, likeness: Likeness) -> list[Said]:
        cuts.append(cut.own.ravel())
        return said_of(cut, likeness)

    monkeypatch.setattr(learning, "said_of", noted)
    late = replace(past, readings=Readings.cast(past.readings.filter(~is_late)))
    recipe("similar_series", {"n_lengths": 1}).fit(late, Targets.create_empty())
    assert cuts
    assert all(np.isnan(own[-6:]).all() and np.isfinite(own[-7]) for own in cuts)


def test_a_week_ahead_knows_the_weekdays_it_has_not_seen() -> None:
    past, _ = seen(3)  # Wednesday to Friday would do without Sundays
    week = at_level(told(past, 168)).reshape(7, 24)
    sunday = next(k for k in range(7) if (END + k * DAY).isoweekday() == 7)
    others = np.delete(week, sunday, axis=0)
    assert week[sunday, 11] > 1.3 * others[:, 11].mean()


def test_it_says_how_many_days_and_which_series_it_rests_on() -> None:
    (words,) = told(seen(3)[0]).missing_inputs
    assert words.startswith("This rests on 3 days of its own past and on 5 similar series, above all old ")
    assert "12 hours of its own past" in told(seen(0.5)[0]).missing_inputs[0]


@pytest.mark.parametrize(("days", "n_old", "words"), [(0.25, 5, "6 hours"), (3, 1, "0 series similar")])
def test_too_few_hours_or_similar_series_are_refused_with_a_cure(days: float, n_old: int, words: str) -> None:
    with pytest.raises(NotEnoughHistory, match=words) as refused:
        told(seen(days, n_old=n_old)[0])
    assert "seasonal_naive" in refused.value.remedy


def test_series_that_have_nothing_in_common_are_refused() -> None:
    """Beside homes that are unlike each other, a home's own last day says more of it."""
    hours = np.arange(24 * (OLD_DAYS + 1))
    parts = []
    for k, table in enumerate([home(f"odd {k}", 1, seed=k) for k in range(4)]):
        rows = table.height
        parts.append(table.with_columns(y=pl.Series(1 + ((hours[:rows] % 24) // 3 == 2 * k) * 20.0)))
    past = with_similar(pasts_of(*parts, home("new", 1, days=2)))["new"]
    with pytest.raises(NotEnoughHistory, match="too unlike"):
        told(past)


@pytest.fixture
def two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """The models that are compared are two that learn at once."""
    monkeypatch.setattr(trial, "CANDIDATES", ("persistence_ensemble", "seasonal_naive"))
    monkeypatch.setattr(trial, "_FEWEST_TOGETHER", 100)  # of a global model


@pytest.mark.parametrize("days", [OLD_DAYS, 86])
@pytest.mark.filterwarnings("error:invalid value:RuntimeWarning")
def test_a_meter_that_has_shown_nothing_but_zeros_for_weeks_takes_no_other_away(days: int) -> None:
    """One empty flat among the others left the new home without any forecast."""
    past, actual = seen(3)
    is_dead = (pl.col("channel") == past.context.similar[0].channel) & (pl.col("time") >= END - days * DAY)
    dead = past.readings.with_columns(value=pl.when(is_dead).then(0.0).otherwise("value"))
    forecast = told(replace(past, readings=Readings.cast(dead)))
    assert np.abs(at_level(forecast) - actual).mean() < 0.2
    assert "on 4 similar series" in forecast.missing_inputs[0]


def test_a_home_of_zeros_is_not_scaled_from_others() -> None:
    past, _ = seen(3)
    mine = pl.col("channel") == past.context.channel.id
    zeros = past.readings.with_columns(value=pl.when(mine).then(0.0).otherwise("value"))
    with pytest.raises(NotEnoughHistory, match="is zero"):
        told(replace(past, readings=Readings.cast(zeros)))


@pytest.mark.usefixtures("two_rules")
@pytest.mark.parametrize("days", [3, 10])
def test_a_home_of_zeros_is_forecast_as_such_in_a_table(days: int) -> None:
    """For three days nothing was answered, and from a week on trees gave it the load of the others."""
    new = home("new", 0.0, days=days)
    model = DayAhead().fit(before(pl.concat([old_homes(2), new])))
    answer = model.predict().filter(unique_id="new")
    assert answer["forecast"].to_list() == [0.0] * 24
    assert "is zero" in model.reasons["new"]


@pytest.mark.usefixtures("two_rules")
def test_the_notebook_takes_it_for_the_short_series_of_a_table_and_says_so(tmp_path: Path) -> None:
    new = home("new", 0.7, days=2, seed=51)
    model = DayAhead().fit(before(pl.concat([old_homes(4), new])))
    assert model.members["new"] == {"similar_series": 1.0}
    assert "too little history" in model.reasons["new"]
    assert "similar_series" not in model.members["old 1"]
    notes = " ".join(model.notes()["new"])
    assert "This rests on 2 days of its own past and on 4 similar series" in notes
    answer = model.predict().filter(unique_id="new")
    actual = new.filter(pl.col("ds") >= END)["y"]
    assert answer.height == 24
    assert (answer["forecast"] - actual).abs().mean() < 0.2
    model.save(tmp_path / "model")
    again = DayAhead.load(tmp_path / "model")
    assert again.predict().equals(model.predict())
    assert again.notes()["new"] == model.notes()["new"]


@pytest.mark.usefixtures("two_rules")
def test_a_series_of_weeks_tries_it_beside_the_usual_models_and_hands_over_to_the_better() -> None:
    new = home("new", 0.7, days=42, seed=52)
    model = DayAhead().fit(before(pl.concat([old_homes(3), new])))
    rows = {row["model"]: row for row in model.choice.filter(unique_id="new").to_dicts()}
    assert set(rows) == {"similar_series", "persistence_ensemble", "seasonal_naive"}
    best = min(rows.values(), key=lambda row: row["pinball"])
    assert best["weight"] == max(row["weight"] for row in rows.values())
    assert model.predict().filter(unique_id="new")["forecast"].null_count() == 0
    scores = model.backtest(days=3, rivals=("persistence_ensemble",))
    assert set(scores.filter(unique_id="new")["model"]) == {"ours", "persistence_ensemble"}


@pytest.mark.usefixtures("two_rules")
def test_without_a_long_series_beside_it_a_short_one_says_so() -> None:
    table = pl.concat([home(name, 1, days=days, seed=k) for k, (name, days) in enumerate([("a", 30), ("new", 2)])])
    model = DayAhead().fit(before(table))
    assert model.members["new"] == {"gradient_boosting": 1.0}
    assert "too little history" in model.reasons["new"]
    named = DayAhead(model="similar_series")
    with pytest.raises(NotEnoughHistory, match="0 series similar to 'a'"):
        named.fit(before(table))


def test_series_that_ended_long_ago_take_no_place_of_those_that_go_on() -> None:
    ended = home("ended", 1, days=200).filter(pl.col("ds") < END - 60 * DAY)
    found = with_similar(pasts_of(ended, old_homes(3), home("new", 1, days=2)))["new"]
    assert [each.name for each in found.context.similar] == ["old 0", "old 1", "old 2"]


@pytest.mark.usefixtures("two_rules")
def test_a_table_whose_series_are_learned_each_alone_looks_at_no_others() -> None:
    model = DayAhead(local=True).fit(before(pl.concat([old_homes(3), home("new", 0.7, days=2)])))
    assert model.members["new"] == {"persistence_ensemble": 1.0}
    assert not any("similar" in words for words in model.notes()["new"])


def test_steps_of_a_day_are_left_as_they_are() -> None:
    days = pl.datetime_range(FIRST, END, "1d", closed="left", eager=True, time_unit="us")
    long = [pl.DataFrame({"unique_id": name, "ds": days, "y": 5.0}) for name in ("a", "b")]
    table = read(pl.concat([*long, long[0].tail(20).with_columns(unique_id=pl.lit("new"))]), OWN_COLUMNS)
    assert with_similar(table.pasts) == dict(table.pasts)


def test_what_is_beside_a_series_reaches_back_as_far_as_it_is_looked_at() -> None:
    pasts = pasts_of(old_homes(2), home("new", 1, days=2))
    late = replace(pasts["new"], as_of=END + timedelta(days=200))
    found = beside(late, {"old 0": pasts["old 0"]})
    rows = found.readings.filter(pl.col("channel") == pasts["old 0"].context.channel.id)
    assert rows["time"].min() >= END - 67 * DAY  # type: ignore[operator]  # an instant
    assert found.context.similar[0].name == "old 0"


def test_from_a_week_on_trees_that_the_others_taught_count_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "CANDIDATES", ("persistence_ensemble", "seasonal_naive"))
    new = home("new", 0.7, days=9, seed=53)
    model = DayAhead().fit(before(pl.concat([old_homes(3), new])))
    assert set(model.members["new"]) == {"similar_series", "gradient_boosting"}
    answer = model.predict().filter(unique_id="new")
    assert (answer["forecast"] - new.filter(pl.col("ds") >= END)["y"]).abs().mean() < 0.2
    assert answer.select(pl.col("0.05") < pl.col("0.95")).to_series().all()
