from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from forecasting import world
from polars.testing import assert_frame_equal

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS, Forecasts, Readings, Targets
from watthour.core.window import local_day
from watthour.forecasting.backtest import backtest, compare, scores
from watthour.forecasting.baselines import (
    DebiasedRival,
    FittedRule,
    PersistenceEnsemble,
    RivalForecast,
    SeasonalNaive,
)
from watthour.forecasting.rival import without_silent_rivals
from watthour.workflows.compare import days_left_out

if TYPE_CHECKING:
    from watthour.core.forecast import History, Recipe

DAYS = [date(2023, 3, 20) + timedelta(days=n) for n in range(20)]  # the end of March and some of April


@pytest.fixture(scope="module")
def past() -> History:
    return world.history()


@dataclass(frozen=True)
class Watched:
    """A seasonal naive that notes what it was given to learn from."""

    seen: list[tuple[datetime, datetime, datetime]] = field(default_factory=list)
    name: str = "watched"

    def fit(self, history: History, issues: pl.DataFrame) -> FittedRule:
        known = history.readings["available_at"].max()
        self.seen.append((known, issues["time"].max(), history.as_of))  # type: ignore[arg-type]  # datetimes
        return SeasonalNaive().fit(history, Targets.cast(issues))


def test_each_period_learns_only_from_what_was_over_and_known(past: History) -> None:
    recipe = Watched()
    backtest(recipe, past, DAYS, issue_clock=time(8), known_clock=None)
    assert len(recipe.seen) == 2
    for (known, learned, as_of), first in zip(recipe.seen, (date(2023, 3, 20), date(2023, 4, 1)), strict=True):
        issued_at = datetime.combine(first - timedelta(days=1), time(12), tzinfo=learned.tzinfo)
        assert as_of == issued_at  # 08:00 in New York's summer
        assert known <= issued_at
        assert learned < issued_at - timedelta(hours=8)


@pytest.mark.parametrize(("retrain", "n_fits"), [("month", 2), ("week", 3), ("never", 1)])
def test_it_learns_as_often_as_asked(past: History, retrain: str, n_fits: int) -> None:
    recipe = Watched()
    done: list[int] = []
    backtest(recipe, past, DAYS, issue_clock=time(8), known_clock=None, retrain=retrain, progress=done.append)  # type: ignore[arg-type]  # as above
    assert len(recipe.seen) == len(done) == n_fits
    assert sum(done) == len(DAYS)


def test_the_table_has_every_hour_and_level_beside_what_came(past: History) -> None:
    table = backtest(SeasonalNaive(), past, DAYS, issue_clock=time(8), known_clock=None)
    assert table.columns == ["issued_at", "time", "model", "maker", "level", "value", "actual"]
    assert table.height == len(DAYS) * 24 * len(LEVELS)
    assert table["actual"].null_count() == 0


@pytest.mark.parametrize(("step", "a_day"), [(timedelta(minutes=15), 96), (timedelta(days=1), 1)])
def test_it_asks_for_the_channels_own_step(step: timedelta, a_day: int) -> None:
    short = world.history(n_days=90, context=world.context(step))
    days = [date(2023, 3, 13) + timedelta(days=n) for n in range(8)]
    table = backtest(SeasonalNaive(), short, days, issue_clock=time(8), known_clock=None)
    assert table.height == len(days) * a_day * len(LEVELS)
    assert table["actual"].null_count() == 0


def test_workers_change_nothing(past: History) -> None:
    alone, together = (
        backtest(DebiasedRival(), past, DAYS, issue_clock=time(8), known_clock=time(6), workers=n) for n in (1, 2)
    )
    assert_frame_equal(alone, together)


def test_a_later_data_lag_knows_more(past: History) -> None:
    naive = SeasonalNaive(24)
    lagged, fresh = (
        scores(backtest(naive, past, DAYS, issue_clock=time(22), known_clock=clock)) for clock in (None, time(20))
    )
    assert fresh["mae"].item() < lagged["mae"].item()


def test_everybody_is_scored_on_the_same_hours(past: History) -> None:
    holed = replace(
        past,
        readings=Readings.cast(
            past.readings.filter((pl.col("time").dt.hour() != 5) | (pl.col("channel") != world.DEMAND))
        ),
    )
    recipes: dict[str, Recipe] = {
        "naive": SeasonalNaive(),
        "four": PersistenceEnsemble(),
        "operator": DebiasedRival(),
    }
    table = scores(compare(recipes, holed, DAYS, issue_clock=time(8), known_clock=None), against="naive")
    assert set(table["n"]) == {len(DAYS) * 23}
    assert table["model"][0] == "operator"
    by_name = {row["model"]: row for row in table.iter_rows(named=True)}
    assert by_name["naive"]["skill_percent"] == pytest.approx(0)
    assert by_name["operator"]["skill_percent"] > 20
    assert {"mape_percent", "rmse", "coverage90_percent", "winkler90", "pinball"} <= set(table.columns)


def until(past: History, last: date) -> History:
    """The operator stops publishing."""
    end = local_day(last, world.ZONE).end
    kept = (pl.col("channel") != world.DEMAND) | (pl.col("time") < end)
    return replace(past, forecasts=Forecasts.cast(past.forecasts.filter(kept)))


@pytest.mark.parametrize("recipe", [RivalForecast(), DebiasedRival()])
def test_what_stands_in_for_an_operator_is_not_scored_as_the_operator(past: History, recipe: Recipe) -> None:
    silent_from = DAYS[5]
    table = backtest(recipe, until(past, DAYS[4]), DAYS, issue_clock=time(8), known_clock=None)
    said = table.drop_nulls("value")["time"].dt.convert_time_zone(world.ZONE).dt.date()
    assert sorted(said.unique()) == [day for day in DAYS if day < silent_from]


def test_a_month_that_cannot_be_answered_leaves_a_gap(past: History) -> None:
    table = backtest(DebiasedRival(), until(past, date(2023, 3, 31)), DAYS, issue_clock=time(8), known_clock=None)
    days = table.drop_nulls("value")["time"].dt.convert_time_zone(world.ZONE).dt.date()
    assert sorted(days.unique()) == [day for day in DAYS if day.month == 3]
    assert days_left_out(table, DAYS, world.ZONE) == ["could not forecast 8 of 20 days, from 2023-04-01 to 2023-04-08."]
    with pytest.raises(NotEnoughHistory):
        backtest(DebiasedRival(), until(past, DAYS[0] - timedelta(days=9)), DAYS, issue_clock=time(8), known_clock=None)


def test_rivals_that_are_silent_are_left_out_before_anything_is_run(past: History) -> None:
    recipes: dict[str, Recipe] = {"naive": SeasonalNaive(), "operator": RivalForecast(), "biased": DebiasedRival()}
    assert without_silent_rivals(recipes, past, DAYS) == (recipes, [])
    left, notes = without_silent_rivals(recipes, until(past, DAYS[0] - timedelta(days=1)), DAYS)
    assert list(left) == ["naive"]
    where = "grid.here.demand from 2023-03-20 to 2023-04-08"
    assert notes[0] == f"operator is left out. The operator's forecast of {where} is not known."
    assert len(notes) == 2
    half = until(past, DAYS[9])
    assert without_silent_rivals(recipes, half, DAYS)[0] == recipes
    left, notes = without_silent_rivals(recipes, half, DAYS, least=0.8)
    assert list(left) == ["naive"]
    assert notes[0].endswith("is known of only 50% of the intervals.")


def test_a_rival_that_is_not_there_is_named(past: History) -> None:
    table = backtest(SeasonalNaive(), past, DAYS[:2], issue_clock=time(8), known_clock=None)
    with pytest.raises(InvalidInput, match="There are: seasonal_naive"):
        scores(table, against="operator")


def test_no_days_and_days_too_early_are_named(past: History) -> None:
    with pytest.raises(InvalidInput, match="no days"):
        backtest(SeasonalNaive(), past, [], issue_clock=time(8), known_clock=None)
    with pytest.raises(NotEnoughHistory, match="Begin at 2023-02-0"):
        backtest(SeasonalNaive(), past, [date(2023, 1, 20)], issue_clock=time(8), known_clock=None)
