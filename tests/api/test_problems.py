from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from watthour.api.problems import MEDIA_TYPE, problem_of
from watthour.core import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from watthour.bootstrap import App


def test_an_unknown_region_is_404_and_names_near_ones(client: TestClient) -> None:
    answer = client.get("/api/v1/grid/simtwon/forecast")
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)
    problem = answer.json()
    assert problem["type"] == "urn:watthour:problem:unknown-site"
    assert (problem["field"], problem["value"]) == ("region", "simtwon")
    assert "simtown" in problem["remedy"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/grid/ny/forecast?day=soon", "day"),
        ("/api/v1/grid/ny/scores?days=0", "days"),
        ("/api/v1/readings?channels=grid.ny.demand", "channels"),
        ("/api/v1/readings?channel=grid.ny.demand&start=2026-11-20T00:00:00", "start"),
    ],
)
def test_a_request_that_does_not_fit_names_the_field(client: TestClient, path: str, field: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)
    assert field in answer.json()["detail"]


def test_several_faults_are_all_named(client: TestClient) -> None:
    problem = client.post("/predict", json={"temperature": "mild"}).json()
    assert {fault["field"] for fault in problem["errors"]} >= {"temperature", "humidity", "demand_lag_1h"}


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/assets/gone.js", "/api", "/robots.txt"])
def test_an_unknown_address_is_a_404_problem(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)


def test_a_wrong_method_is_405_and_says_which_is_right(client: TestClient) -> None:
    answer = client.get("/predict")
    assert (answer.status_code, answer.headers["content-type"]) == (405, MEDIA_TYPE)
    assert answer.headers["allow"] == "POST"
    assert answer.json()["remedy"] == "Use POST."


def test_a_body_that_is_no_json_is_a_problem(client: TestClient) -> None:
    answer = client.post("/predict", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, MEDIA_TYPE)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.UnknownSite("x", []), 404),
        (errors.UnknownName("device", "x", "no", remedy="cure"), 404),
        (errors.InvalidInput("day", "x", "no", remedy="cure"), 400),
        (errors.NotConfigured("EIA_API_KEY", None, "no", remedy="cure"), 503),
        (errors.SourceUnavailable("eia", "down", remedy="cure"), 503),
        (errors.SourceRejected("eia", "key", remedy="cure"), 502),
        (errors.StoreFull("full", remedy="cure"), 507),
        (errors.StoreTooNew("new", remedy="cure"), 503),
        (errors.NotEnoughHistory("little", remedy="cure"), 409),
        (errors.ModelNotFound("none", remedy="cure"), 503),
        (errors.ModelCorrupt("differs", remedy="cure"), 503),
        (errors.MissingExtra("mlflow", "mlops"), 501),
        (errors.WatthourError("anything", remedy="cure"), 500),
    ],
)
def test_each_error_has_its_status_and_cure(error: errors.WatthourError, status: int) -> None:
    problem = problem_of(error)
    assert problem.status == status
    assert problem.remedy


def test_paths_and_addresses_of_the_machine_stay_inside() -> None:
    for error in (
        errors.StoreError("postgresql://user:secret@db/watthour refused", remedy="start it"),
        errors.ModelCorrupt("/home/me/models/x/model.txt differs", remedy="train"),
    ):
        text = problem_of(error).model_dump_json()
        assert "secret" not in text
        assert "/home" not in text


def test_what_nobody_expected_is_a_plain_500(empty: App, open_client: Callable[..., TestClient]) -> None:
    def broken_clock() -> object:
        message = "secret internals"
        raise RuntimeError(message)

    answer = open_client(empty, now=broken_clock).get("/api/v1/status")
    assert (answer.status_code, answer.headers["content-type"]) == (500, MEDIA_TYPE)
    assert "secret internals" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_long_value_is_not_repeated_in_full(client: TestClient) -> None:
    assert len(client.get(f"/api/v1/grid/{'x' * 5000}/forecast").json()["value"]) <= 200


def test_every_operation_declares_its_problems(api: FastAPI) -> None:
    for path, operations in api.openapi()["paths"].items():
        for method, operation in operations.items():
            declared = operation["responses"]
            assert MEDIA_TYPE in declared["503"]["content"], (method, path)
            assert MEDIA_TYPE in declared["422"]["content"], (method, path)
    assert "HTTPValidationError" not in api.openapi()["components"]["schemas"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("hello", 422, "body: it is not JSON, from character 0 on"),
        ('{"readings": [}', 422, "body: it is not JSON, from character 14 on"),
        ("[" * 100_000, 400, "The body is nested too deeply to be read."),
    ],
)
def test_a_body_that_cannot_be_read_is_said_in_words(client: TestClient, body: str, status: int, words: str) -> None:
    answer = client.post("/api/v1/readings", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (status, words)
    assert answer.json()["remedy"] == "/docs says what this route takes, with examples."
