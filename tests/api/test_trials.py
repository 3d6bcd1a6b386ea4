"""A/B trials over HTTP, of a home's model: who answers, what is told, and what is refused."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest
import street

from watthour.core.forecast import day_ahead_targets
from watthour.core.model import Manifest
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

NAME = "home.oak.power"
TRIAL = f"/api/v1/models/{NAME}/ab"


@pytest.fixture
def oak(empty: App, open_client: Callable[..., TestClient]) -> TestClient:
    """A home with a model that serves, "first", and another one."""
    street.fill(empty.store)
    now = street.NOW
    context = find_context(empty.store, empty.directories, NAME)
    days = [now.date() - n * DAY for n in range(10, 0, -1)]
    asked = day_ahead_targets(days, context.time_zone, resolution=HOUR, issue_clock=time(8), known_clock=time(8))
    history = empty.store.history(context, Window(now - 40 * DAY, now), now)
    files = recipe("seasonal_naive").fit(history, asked).files()
    for version in ("first", "second"):
        empty.registry.save(Manifest(NAME, version, "seasonal_naive", {}, (), {}, "0", {}, now), files)
    empty.registry.promote(NAME, "first", now=now - DAY, reason="test")
    return open_client(empty, now=lambda: street.NOW)


def answering(client: TestClient) -> str:
    (found,) = client.get("/api/v1/homes/oak/forecast").json()["forecasts"]
    version: str = found["model_version"]
    return version


def test_a_trial_is_begun_answers_and_is_stopped(oak: TestClient) -> None:
    assert answering(oak) == "first"
    assert oak.get(TRIAL).json()["trial"] is None
    begun = oak.post(TRIAL, json={"version": "second", "share": 1.0, "asked_by": "Ana"})
    assert begun.status_code == 201
    made = begun.json()["trial"]
    assert (made["challenger"], made["champion"], made["share"], made["until"]) == ("second", "first", 1.0, None)
    assert (made["asked_by"], made["answers_this_hour"]) == ("Ana", "second")
    assert [side["role"] for side in begun.json()["sides"]] == ["champion", "challenger"]
    assert "Nothing can be compared yet" in begun.json()["verdict"]
    assert answering(oak) == "second"
    (card,) = oak.get("/model-info", params={"region": "oak"}).json()["models"]
    assert (card["model_version"], card["on_trial"]["version"], card["on_trial"]["share"]) == ("first", "second", 1.0)
    ended = oak.delete(TRIAL).json()["trial"]
    assert (ended["until"], ended["answers_this_hour"]) == (street.NOW.strftime("%Y-%m-%dT%H:%M:%SZ"), "first")
    assert answering(oak) == "first"
    assert oak.get("/api/v1/models/oak/ab").json()["trial"] == ended


def test_a_share_of_nothing_leaves_every_answer_to_the_champion(oak: TestClient) -> None:
    oak.post(TRIAL, json={"version": "second", "share": 0.0})
    assert answering(oak) == "first"


def test_a_challenger_that_was_damaged_leaves_the_answer_to_the_champion(oak: TestClient, empty: App) -> None:
    oak.post(TRIAL, json={"version": "second", "share": 1.0})
    place = empty.settings.home / "models" / NAME / "second"
    for file in place.iterdir():
        if file.name != "manifest.json":
            file.write_bytes(b"damaged")
    (found,) = oak.get("/api/v1/homes/oak/forecast").json()["forecasts"]
    assert found["model_version"] == "first"
    assert any("second of the A/B trial could not forecast" in words for words in found["missing_inputs"])


def test_what_cannot_be_tried_is_refused_with_the_cure(oak: TestClient) -> None:
    unknown = oak.post(TRIAL, json={"version": "third"})
    assert (unknown.status_code, unknown.json()["field"]) == (404, "version")
    assert "second" in unknown.json()["remedy"]
    serving = oak.post(TRIAL, json={"version": "first"})
    assert (serving.status_code, serving.json()["value"]) == (400, "first")
    assert oak.post(TRIAL, json={"version": "second", "share": 1.5}).status_code == 422
    nothing = oak.delete(TRIAL)
    assert nothing.status_code == 404
    assert "models ab" in nothing.json()["remedy"]
    assert oak.get("/api/v1/models/atlantis/ab").status_code == 404


@pytest.mark.usefixtures("oak")
def test_the_hour_decides_who_answers(empty: App, open_client: Callable[..., TestClient]) -> None:
    made = empty.registry.begin_trial(NAME, "second", share=0.5, now=street.NOW, asked_by="a test")
    hours = [street.NOW + timedelta(hours=n) for n in range(24)]
    turns = {made.is_challengers_turn(NAME, hour): hour for hour in hours}
    for is_second, hour in turns.items():
        assert answering(open_client(empty, now=lambda hour=hour: hour)) == ("second" if is_second else "first")
    assert set(turns) == {True, False}
