"""`watthour train --homes`: a model for each home, and one for those without one of their own."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from street import add

from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
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
