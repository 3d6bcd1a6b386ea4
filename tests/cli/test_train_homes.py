"""`watthour train --homes`: a model for each home, and one for those without one of their own."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from street import NOW, add

from watthour.bootstrap import open_app
from watthour.cli.scheduler import Scheduler
from watthour.settings import load_settings
from watthour.store.sql import open_store
from watthour.workflows.rounds import note_failure
from watthour.workflows.runs import HOMES_RUN
from watthour.workflows.training_process import ALL_HOMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome


def test_models_of_all_homes_together_are_trained_and_listed(
    watthour: Callable[..., Outcome], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watthour.forecasting.combination.trial.CANDIDATES", ("recent_days", "persistence_ensemble"))
    none = watthour("train", "--homes")
    assert none.code != 0
    assert "no home" in none.err
    with closing(open_store(f"sqlite:///{home / 'watthour.db'}")) as store:
        for name in ("Oak", "Elms"):
            add(store, name, 126)
        add(store, "New", 3)
    done = watthour("train", "--homes", "--json")
    assert done.code == 0, done.err
    (report,) = json.loads(done.out)
    assert report["model"] == "shared.home.60min"
    assert set(report["homes"]) == {"Oak", "Elms"}
    assert set(report["homes"]["Oak"]) == {"challenger", "persistence_ensemble"}
    assert list(report["left_out"]) == ["New"]
    assert report["decision"] == "promoted", report["reasons"]
    assert set(report["own"]) == {"Oak", "Elms"}
    for name in ("Oak", "Elms"):
        own = report["own"][name]
        assert (own["decision"], set(own["scores"])) == ("promoted", {"challenger", "seasonal_naive"}), own["reasons"]
        assert own["version"] in watthour("models", "list", f"home.{name.lower()}.power").out
    listed = watthour("models", "list", "shared.home.60min")
    assert report["version"] in listed.out


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("option", [["--recipe", "prophet"], ["--parameters", '{"seed": 2}'], ["--only-past"]])
def test_an_option_that_homes_together_do_not_follow_is_refused(
    watthour: Callable[..., Outcome], option: list[str]
) -> None:
    said = watthour("train", "--homes", *option)
    assert said.code != 0
    assert f"Leave out --homes or {option[0]}." in said.err


@pytest.mark.usefixtures("home")
def test_the_schedule_trains_homes_together_and_forecasts_them_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(name: str, *, progress: Callable[[str], None]) -> str:
        progress("reading Oak")
        asked.append(name)
        return "done"

    with open_app(load_settings()) as app:
        add(app.store, "Oak", 126)
        add(app.store, "New", 3)
        monkeypatch.setattr(app.trainings, "run", run)
        scheduler = Scheduler(app, clock=lambda: NOW)
        scheduler._own_files()
        assert asked == [ALL_HOMES]
        for name in ("oak", "new"):
            assert [str(run.state) for run in app.store.runs(f"forecast:home.{name}.power")] == ["ok"]
        note_failure(app.store, HOMES_RUN, InterruptedError("stopped"), now=NOW)
        scheduler._own_files()
        assert asked == [ALL_HOMES]  # it failed just now
