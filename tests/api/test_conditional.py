from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from town import IMPATIENT, NOW, forecasts, served

from watthour.api.app import create_app
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, Window

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.testclient import TestClient

    from watthour.bootstrap import App

FORECAST = "/api/v1/grid/simtown/forecast"


def test_every_address_that_answers_a_get_answers_a_head(api: FastAPI, town_client: TestClient) -> None:
    paths = [path for path, operations in api.openapi()["paths"].items() if "get" in operations]
    assert len(paths) > 8
    for path in [*paths, "/openapi.json", "/docs", "/nothing", "/api/v1/nothing"]:
        address = path.replace("{region}", "simtown")
        asked = {"channel": "grid.simtown.demand"} if path.endswith("readings") else {}
        got, head = (town_client.request(method, address, params=asked) for method in ("GET", "HEAD"))
        assert head.status_code == got.status_code, path
        assert head.content == b"", path
        assert head.headers["content-type"] == got.headers["content-type"], path


@pytest.mark.parametrize(
    "path",
    [FORECAST, "/api/v1/grid/simtown/scores", "/api/v1/channels", "/openapi.json", "/docs", "/docs/reference.js"],
)
def test_who_has_the_answer_already_is_told_so(town_client: TestClient, path: str) -> None:
    first = town_client.get(path)
    assert first.status_code == 200
    again = town_client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert "content-type" not in again.headers
    other = town_client.get(path, headers={"If-None-Match": 'W/"something else"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_a_changed_answer_has_another_tag(town: App, town_client: TestClient) -> None:
    first = town_client.get(FORECAST)
    town.store.append_forecasts(forecasts(NOW.replace(minute=10), value=6000.0))
    town.store.note_run(SourceRun("forecast:grid.simtown.demand", NOW, NOW, Window(NOW, NOW + DAY), RunState.OK, 1))
    again = town_client.get(FORECAST, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert again.json() != first.json()


def test_a_problem_has_no_tag(town_client: TestClient) -> None:
    answer = town_client.get("/api/v1/grid/atlantis/forecast", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
    assert "etag" not in answer.headers


def test_a_real_server_sends_no_body_for_a_head_and_none_for_what_is_known(town: App) -> None:
    with served(create_app(town, now=lambda: NOW, limits=IMPATIENT)) as url, httpx2.Client(base_url=url) as client:
        for _ in range(2):  # a body where none is due would spoil the next answer on the connection
            got = client.get(FORECAST)
            head = client.head(FORECAST)
            assert (head.status_code, head.content) == (200, b"")
            known = client.get(FORECAST, headers={"If-None-Match": got.headers["etag"]})
            assert (known.status_code, known.content) == (304, b"")
            page = client.get("/")
            if page.status_code == 200:  # built
                known = client.get("/", headers={"If-None-Match": page.headers["etag"]})
                assert (known.status_code, known.content) == (304, b"")


def test_what_is_allowed_names_head_too(town_client: TestClient) -> None:
    answer = town_client.post(FORECAST)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
