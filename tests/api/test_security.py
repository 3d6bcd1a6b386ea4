from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from watthour.api.app import create_app
from watthour.api.problems import MEDIA_TYPE
from watthour.bootstrap import App
from watthour.core.errors import NotConfigured

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.testclient import TestClient

KEY = "b1946ac92492d2347c6235b4d2611184"
OPEN = ("/health", "/ready")
PROTECTED = ("/api/v1/status", "/api/v1/channels", "/metrics", "/model-info", "/openapi.json", "/")


def with_settings(app: App, **changes: object) -> App:
    return App(app.settings.model_copy(update=changes), app.store, app.registry)


@pytest.fixture
def guarded(empty: App, open_client: Callable[..., TestClient]) -> TestClient:
    return open_client(with_settings(empty, api_key=SecretStr(KEY)))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "watthour.local"])  # noqa: S104 - that it is refused
def test_without_a_key_it_opens_on_loopback_only(empty: App, host: str) -> None:
    with pytest.raises(NotConfigured, match="WATTHOUR_API_KEY"):
        create_app(with_settings(empty, host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.1.1"])
def test_on_loopback_it_needs_no_key(empty: App, open_client: Callable[..., TestClient], host: str) -> None:
    assert open_client(with_settings(empty, host=host)).get("/api/v1/status").status_code == 200


@pytest.mark.parametrize("path", PROTECTED)
def test_with_a_key_set_every_route_asks_for_it(guarded: TestClient, path: str) -> None:
    answer = guarded.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (401, MEDIA_TYPE)
    assert "Basic" in answer.headers["www-authenticate"]
    assert KEY not in answer.text


@pytest.mark.parametrize("path", OPEN)
def test_probes_need_neither_key_nor_name(guarded: TestClient, path: str) -> None:
    assert guarded.get(path, headers={"host": "10.1.2.3:8000"}).status_code in {200, 503}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": "Basic " + base64.b64encode(f"me:{KEY}".encode()).decode()},
    ],
)
def test_the_key_opens_in_each_of_its_forms(guarded: TestClient, headers: Mapping[str, str]) -> None:
    assert guarded.get("/api/v1/status", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic /w=="},
        {"Authorization": f"Digest {KEY}"},
    ],
)
def test_a_wrong_key_opens_nothing(guarded: TestClient, headers: Mapping[str, str]) -> None:
    assert guarded.get("/api/v1/status", headers=headers).status_code == 401


def test_a_reload_token_guards_reloading_alone(empty: App, open_client: Callable[..., TestClient]) -> None:
    client = open_client(with_settings(empty, reload_token=SecretStr("turn-it-over")))
    assert client.post("/reload-model").status_code == 401
    assert client.post("/reload-model", headers={"Authorization": "Bearer turn-it-over"}).status_code == 503
    assert client.get("/api/v1/status").status_code == 200


def test_a_name_that_is_not_ours_is_refused(client: TestClient) -> None:
    answer = client.get("/api/v1/status", headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, MEDIA_TYPE)


def test_a_listed_name_is_ours(empty: App, open_client: Callable[..., TestClient]) -> None:
    client = open_client(with_settings(empty, allowed_hosts=("energy.example",)))
    assert client.get("/api/v1/status", headers={"host": "energy.example:443"}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999"])
def test_a_page_of_another_site_changes_nothing(client: TestClient, origin: str) -> None:
    answer = client.post("/reload-model", headers={"origin": origin})
    assert (answer.status_code, answer.headers["content-type"]) == (403, MEDIA_TYPE)


def test_our_own_page_may(client: TestClient) -> None:
    assert client.post("/reload-model", headers={"origin": "http://127.0.0.1:8000"}).status_code == 503


def test_a_listed_origin_may_read_and_others_may_not(empty: App, open_client: Callable[..., TestClient]) -> None:
    client = open_client(with_settings(empty, allowed_origins=("https://panel.example",)))
    listed = client.get("/api/v1/status", headers={"origin": "https://panel.example"})
    assert listed.headers["access-control-allow-origin"] == "https://panel.example"
    other = client.get("/api/v1/status", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in other.headers


def test_a_body_announced_too_large_is_refused_before_it_is_read(client: TestClient) -> None:
    answer = client.post("/predict", content=b"x" * 1_000_001, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, MEDIA_TYPE)


def test_a_body_that_grows_too_large_is_refused_while_it_is_read(client: TestClient) -> None:
    pieces = (b"x" * 100_000 for _ in range(20))
    answer = client.post("/predict", content=pieces, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, MEDIA_TYPE)


@pytest.mark.parametrize("path", ["/", "/health", "/api/v1/status", "/api/v1/nothing"])
def test_every_answer_carries_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]  # so scripts are 'self' only, none inline
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] in {"no-cache", "no-store"}
