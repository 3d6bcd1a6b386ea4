"""The script that learns the constants of similar days: it weighs days as the model does, and its slopes are right."""

from __future__ import annotations

import runpy
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forecasting.test_similar_days import FIRST, asked, history

from watthour.forecasting.recent_days import weighted_quantiles

SCRIPT = Path(__file__).parents[2] / "scripts" / "learn_similar_days.py"
DAYS = 47


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(SCRIPT.parent)
    return runpy.run_path(str(SCRIPT))


def made() -> np.ndarray:
    values = np.random.default_rng(6).lognormal(0, 0.6, (DAYS + 1, 24))
    values[12, 3:9] = np.nan
    values[20:28] = 50  # the last of these days is the furthest in all: as the day before the first one counts
    return values


def test_days_weigh_what_they_weigh_in_the_model(script: dict[str, Any]) -> None:
    day = script["days_of"](history(made().ravel()), FIRST.date() + timedelta(DAYS + 1), 1)[0]
    weights = script["weights_of"](day, script["constants"](), np.arange(24))
    told = asked(history(made()[:DAYS].ravel()), 24).values.sort("time", "level")["value"].to_numpy()
    wide = (24, -1)
    found = weighted_quantiles(day.values.reshape(wide), weights.reshape(wide), together=0.0)
    assert found == pytest.approx(told.reshape(wide))


def test_slopes_are_those_of_the_loss(script: dict[str, Any]) -> None:
    day = script["days_of"](history(made().ravel()), FIRST.date() + timedelta(DAYS + 1), 1)[0]
    found, hours, by = script["constants"](), np.array([2, 7, 12, 13, 20]), 1e-5
    total, n, slope = script["loss"](day, found, hours)
    assert n == 5
    assert total > 0
    measured = np.empty_like(found)
    for place in np.ndindex(found.shape):
        step = np.zeros_like(found)
        step[place] = by
        above, below = (script["loss"](day, found + sign * step, hours)[0] for sign in (1, -1))
        measured[place] = (above - below) / (2 * by)
    assert slope == pytest.approx(measured, abs=1e-7)
    assert (np.abs(measured).max(axis=0) > 1e-3).all()


def test_learning_lessens_the_loss(script: dict[str, Any]) -> None:
    """Evenings tell the next day, as in the test of the model."""
    values = made()
    values[1:, 8:18] += 5 * (values[:-1, 22:].mean(axis=1, keepdims=True) > 1.2)
    days = script["days_of"](history(values.ravel()), FIRST.date() + timedelta(DAYS + 1), 12)
    learned = script["learn"](days, 25, 0)
    assert script["losses"](days, learned).mean() < 0.95 * script["losses"](days, script["by_hand"]()).mean()
    assert "DISTANCES = {" in script["in_words"](learned)


@pytest.mark.shared_data
def test_it_says_how_far_it_is_from_the_module(
    script: dict[str, Any], shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script["main"](["--data", str(shared_data), "--homes", "2", "--steps", "3"])
    told = capsys.readouterr().out
    assert '    "hour by hour": (' in told
    assert "From those in the module: " in told
    assert "held out, in the module less learned now: " in told
