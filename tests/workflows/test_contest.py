"""Kinds of models side by side on a home's own last days: who is chosen, and what becomes of those that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from street import NOW, add, hourly

from watthour.core import metrics
from watthour.core.errors import NotEnoughHistory
from watthour.core.window import DAY, Window
from watthour.store.memory import MemoryStore
from watthour.workflows.contest import Contest, contest
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from watthour.core.forecast import History

HOURS = 24


def compared(store: MemoryStore, *recipes: str, days: int = 7, before: int | None = None, **limits: float) -> Contest:
    return contest(
        store,
        find_context(store, [], "home"),
        recipes,
        n_days=days,
        issue_clock=None,
        now=NOW,
        progress=lambda _words: None,
        n_validation_days=before,
        **limits,
    )


def home_of(weeks: list[float]) -> MemoryStore:
    """A home whose load has a level in each week, the last of which ends with the last whole local day."""
    store = MemoryStore()
    add(store, "Home", 0)
    rng = np.random.default_rng(3)
    values = np.repeat(weeks, 7 * HOURS) + rng.normal(0, 0.02, len(weeks) * 7 * HOURS)
    midnight = NOW.replace(day=14, hour=22, minute=0)  # in Paris
    store.append(hourly("home.home.power", values.tolist(), end=midnight))
    return store


def test_who_is_chosen_is_decided_before_the_days_that_are_scored() -> None:
    """A week like the last one, then weeks that take turns: who was best before is not best after."""
    store = home_of([*[2.0] * 8, 5.0, 5.0, 5.0, 2.0])
    found = compared(store, "seasonal_naive", before=7)
    assert found.chosen == "seasonal_naive"
    assert found.rows[0]["recipe"] == "persistence_ensemble"
    assert (found.first - found.validated_from).days == 7 if found.validated_from else False
    assert found.rows[0]["n"] == 7 * HOURS
    assert found.rows[1]["skill_percent"] < 0 < found.rows[1]["validation_skill_percent"]
    without = compared(store, "seasonal_naive", before=0)
    assert (without.chosen, without.validated_from) == (None, None)
    assert without.first == found.first


def test_every_score_follows_from_the_values() -> None:
    store = home_of([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0])
    row = next(row for row in compared(store, "seasonal_naive").rows if row["recipe"] == "seasonal_naive")
    values = store.read(["home.home.power"], Window(NOW - 100 * DAY, NOW))["value"].to_numpy()
    actual, said = values[-7 * HOURS :], values[-14 * HOURS : -7 * HOURS]
    assert row["mae"] == pytest.approx(metrics.mae(actual, said))
    assert row["rmse"] == pytest.approx(metrics.rmse(actual, said))
    assert row["mase"] == pytest.approx(row["mae"] / metrics.seasonal_error(values[: -7 * HOURS], 7 * HOURS))
    assert row["skill_percent"] == pytest.approx(0, abs=2)


def test_a_model_that_breaks_or_is_too_slow_is_left_out_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: object, _history: History, _issues: object) -> None:
        raise RuntimeError("no such matrix")

    monkeypatch.setattr("watthour.forecasting.statistical.AutoArima.fit", broken)
    found = compared(home_of([1.0] * 8), "auto_arima", "auto_ets", "seasonal_naive", days=4, most_seconds=1e-9)
    assert "no such matrix" in found.left_out["auto_arima"]
    assert "seconds, with 7 of 8 days done" in found.left_out["auto_ets"]
    assert {row["recipe"] for row in found.rows} == {"seasonal_naive", "persistence_ensemble"}


def test_families_of_the_extra_are_compared_on_a_home_beside_the_rules() -> None:
    found = compared(home_of([1.0, 2.0] * 4), "auto_ets", days=1, before=1)
    assert {row["recipe"] for row in found.rows} == {"auto_ets", "persistence_ensemble"}
    assert not found.left_out


def test_what_all_models_lack_is_said_once() -> None:
    store = MemoryStore()
    add(store, "Home", 2)
    with pytest.raises(NotEnoughHistory) as told:
        compared(store, "persistence_ensemble", "day_regression", days=2)
    assert told.value.problem.count("too late to learn") == 1


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (60, "1 more day is needed to compare 14 days and to choose on 7 before them; with what is known `--days 13`"),
        (40, "to compare 14 days and to choose on 7 before them, 8 more to compare a single one."),
    ],
)
def test_a_young_home_is_told_how_many_days_would_do(known: int, words: str) -> None:
    store = MemoryStore()
    add(store, "Home", 0)
    store.append(hourly("home.home.power", [1.0] * known * HOURS, end=NOW.replace(day=14, hour=22, minute=0)))
    with pytest.raises(NotEnoughHistory) as raised:
        compared(store, "seasonal_naive", days=14, before=7)
    assert words in (raised.value.remedy or "")
    if "`--days 13`" in words:
        assert compared(store, "seasonal_naive", days=13, before=7).rows
