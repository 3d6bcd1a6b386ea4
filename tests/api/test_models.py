from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from time import sleep
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient
from town import IMPATIENT, NOW, URL

from watthour.api.app import create_app
from watthour.api.schemas.models import Features
from watthour.forecasting.hourly_inputs import FEATURES
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.simtown_home import SIMTOWN_HOME
from watthour.workflows.twenty_features import model_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.bootstrap import App
    from watthour.core.model import Manifest

pytestmark = pytest.mark.xdist_group("trained")  # one worker trains once

MODEL = model_name(SIMTOWN.channel.id)


def example() -> dict[str, object]:
    """The hour that the documentation shows, at Simtown's scale."""
    features = {name: field.examples[0] for name, field in Features.model_fields.items() if field.examples}
    demands = {name: value / 3 for name, value in features.items() if name.startswith("demand")}
    return {**features, **demands}


@pytest.fixture
def serving(trained: tuple[App, Manifest]) -> Iterator[TestClient]:
    with TestClient(create_app(trained[0], now=lambda: NOW, limits=IMPATIENT), base_url=URL) as client:
        yield client


def test_the_question_is_exactly_the_20_features() -> None:
    assert set(Features.model_fields) == set(FEATURES)
    assert len(FEATURES) == 20


def test_without_a_model_predicting_is_503_and_says_how_to_train(client: TestClient) -> None:
    for region in ({}, {"region": "ny"}):
        answer = client.post("/predict", json=example(), params=region)
        assert answer.status_code == 503
        assert "watthour train" in answer.json()["remedy"]
    assert client.get("/model-info").status_code == 503
    assert client.post("/reload-model").status_code == 503


def test_20_features_give_a_demand(serving: TestClient, trained: tuple[App, Manifest]) -> None:
    answer = serving.post("/predict", json=example())
    assert answer.status_code == 200
    prediction = answer.json()
    assert prediction["predicted_demand_mwh"] == pytest.approx(16850 / 3, rel=0.25)
    assert prediction["model_version"] == trained[1].version
    assert prediction["timestamp"] == "2026-11-21T15:30:00Z"
    assert (prediction["region"], prediction["simulated"]) == ("simtown", True)


def test_a_prediction_says_its_interval_and_what_it_stands_on(
    serving: TestClient, trained: tuple[App, Manifest]
) -> None:
    prediction = serving.post("/predict", json=example()).json()
    assert prediction["lower_mwh"] < prediction["predicted_demand_mwh"] < prediction["upper_mwh"]
    interval = prediction["interval"]
    assert interval["level"] == 0.9
    assert interval["unseen_hours"] > 300
    assert interval["coverage_percent"] == pytest.approx(trained[1].metrics["coverage90_percent"])
    assert 85 <= interval["coverage_percent"] <= 95


def test_features_that_contradict_each_other_are_refused(serving: TestClient) -> None:
    answer = serving.post("/predict", json={**example(), "temp_squared": 400.0})
    assert answer.status_code == 400
    problem = answer.json()
    assert (problem["field"], problem["value"]) == ("temp_squared", "400.0")
    assert "20.25" in problem["detail"]


def test_an_unknown_region_is_404(serving: TestClient) -> None:
    assert serving.post("/predict", json=example(), params={"region": "atlantis"}).status_code == 404


def test_among_several_regions_one_must_be_named(
    trained: tuple[App, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = trained[0]
    with TestClient(create_app(app, now=lambda: NOW, limits=IMPATIENT), base_url=URL) as client:
        models = client.app.state.watthour.models  # type: ignore[attr-defined]  # FastAPI's
        ny = models.context("ny")
        monkeypatch.setattr(models, "shown", lambda: [ny, models.context("simtown")])
        answer = client.post("/predict", json=example())
        assert answer.status_code == 400
        assert answer.json()["field"] == "region"
        assert "ny, simtown" in answer.json()["remedy"]
        assert client.post("/predict", json=example(), params={"region": "simtown"}).json()["region"] == "simtown"


def test_a_home_beside_the_only_region_need_not_be_told_from_it(
    trained: tuple[App, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = trained[0]
    with TestClient(create_app(app, now=lambda: NOW, limits=IMPATIENT), base_url=URL) as client:
        models = client.app.state.watthour.models  # type: ignore[attr-defined]  # FastAPI's
        monkeypatch.setattr(models, "shown", lambda: [SIMTOWN_HOME, models.context("simtown")])
        assert client.post("/predict", json=example()).json()["region"] == "simtown"


def test_a_model_of_another_channel_is_refused(
    serving: TestClient, trained: tuple[App, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, files = trained[0].registry.load(MODEL)
    other = replace(manifest, name="grid.ny.demand.twenty_features")
    monkeypatch.setattr(type(trained[0].registry), "load", lambda *_: (other, files))
    assert serving.post("/predict", json=example(), params={"region": "simtown"}).status_code == 503


def test_an_older_model_without_an_interval_says_how_to_get_one(
    serving: TestClient, trained: tuple[App, Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, files = trained[0].registry.load(MODEL)
    older = {name: content for name, content in files.items() if name != "next_hour.json"}
    monkeypatch.setattr(type(trained[0].registry), "load", lambda *_: (manifest, older))
    answer = serving.post("/predict", json=example())
    assert answer.status_code == 503
    assert "watthour train" in answer.json()["remedy"]


def test_the_first_caller_finds_the_model_loaded(trained: tuple[App, Manifest]) -> None:
    app = trained[0]
    with TestClient(create_app(app, now=lambda: NOW), base_url=URL) as client:
        for _ in range(600):  # until what runs beside the start is done
            if MODEL in client.app.state.watthour.models._loaded:  # type: ignore[attr-defined]  # FastAPI's
                break
            sleep(0.05)
        else:
            pytest.fail("the model was not loaded by itself")


def test_a_real_region_without_a_model_is_not_answered_by_the_simulated_one(serving: TestClient) -> None:
    assert serving.post("/predict", json=example(), params={"region": "ny"}).status_code == 503


def test_a_warmer_summer_evening_needs_more(serving: TestClient) -> None:
    def asked(temperature: float) -> float:
        over = max(0.0, temperature - 18.3)
        hour = {**example(), "month": 7, "temperature": temperature, "apparent_temperature": temperature}
        hour |= {"temp_squared": temperature**2, "cooling_degree_hours": over, "heating_degree_hours": 0.0}
        return float(serving.post("/predict", json=hour).json()["predicted_demand_mwh"])

    assert asked(34.0) > asked(20.0)


@pytest.mark.parametrize("name", FEATURES)
def test_no_feature_may_be_missing(serving: TestClient, name: str) -> None:
    features = {key: value for key, value in example().items() if key != name}
    answer = serving.post("/predict", json=features)
    assert answer.status_code == 422
    assert answer.json()["field"] == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 451.0),
        ("hour_of_day", 24),
        ("demand_lag_1h", -1),
        ("is_holiday", 2),
        ("day_of_week", 0.5),
        ("humidity", "71"),
        ("month", True),
    ],
)
def test_a_value_that_cannot_be_is_refused(serving: TestClient, name: str, value: object) -> None:
    answer = serving.post("/predict", json={**example(), name: value})
    assert answer.status_code == 422
    assert name in answer.json()["detail"]


def test_the_model_says_what_it_learned_from(serving: TestClient, trained: tuple[App, Manifest]) -> None:
    (card,) = serving.get("/model-info").json()["models"]
    assert (card["serves"], card["region"], card["name"]) == ("predict", "simtown", MODEL)
    assert card["features"] == list(FEATURES)
    assert card["metrics"]["mae_mwh"] < card["metrics"]["hour_before_mae_mwh"]
    assert set(card["splits"]) >= {"train", "frozen"}
    assert card["data_fingerprint"] == trained[1].data_fingerprint


def test_a_promoted_model_serves_at_once(serving: TestClient, trained: tuple[App, Manifest]) -> None:
    app, first = trained
    assert serving.post("/predict", json=example()).json()["model_version"] == first.version
    manifest, files = app.registry.load(MODEL)
    newer = app.registry.save(replace(manifest, version="twenty_features-20270101T000000-ffffff"), files)
    app.registry.promote(MODEL, newer.version, now=NOW, reason="a test")
    assert serving.post("/predict", json=example()).json()["model_version"] == newer.version
    app.registry.rollback(MODEL, now=NOW + timedelta(minutes=1))
    assert serving.post("/predict", json=example()).json()["model_version"] == first.version


def test_reloading_names_what_serves(serving: TestClient, trained: tuple[App, Manifest]) -> None:
    serving.post("/predict", json=example())
    (reloaded,) = serving.post("/reload-model").json()["reloaded"]
    assert (reloaded["model_version"], reloaded["previous_version"]) == (trained[1].version, trained[1].version)


def test_a_damaged_model_is_not_served(serving: TestClient, trained: tuple[App, Manifest]) -> None:
    app, manifest = trained
    file = app.settings.home / "models" / MODEL / manifest.version / "model.txt"
    content = file.read_bytes()
    file.write_bytes(content.replace(b"leaf_value=", b"leaf_value=9", 1))
    try:
        answer = serving.post("/reload-model")
        assert answer.status_code == 503
        assert str(file.parent) not in answer.text
    finally:
        file.write_bytes(content)
