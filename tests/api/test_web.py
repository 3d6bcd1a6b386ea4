from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from watthour.api.problems import MEDIA_TYPE
from watthour.api.web import PAGES

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pages(empty: App, tmp_path: Path, open_client: Callable[..., TestClient]) -> TestClient:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_text("<title>the app</title>")
    (static / "icon.svg").write_text("<svg/>")
    (static / "assets" / "index-4f2a.js").write_text("start()")
    (tmp_path / "secret.txt").write_text("not for you")
    return open_client(empty, static=static)


@pytest.mark.parametrize("path", ["/", "/grid/ny", "/grid/ny/", "/grid/ny?day=2026-11-20", "/grid/home.main.power"])
def test_every_address_of_the_app_is_its_one_page(pages: TestClient, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 200
    assert "the app" in answer.text
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/nothing", "/grids", "/grid/ny/days", "/devices/flat/lamp/x", "/settings/sources", "/%00x"]
)
def test_an_address_that_the_app_has_no_page_for_is_404(pages: TestClient, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 404


def test_an_unknown_address_shows_the_apps_own_words(pages: TestClient) -> None:
    answer = pages.get("/nothing", headers={"if-none-match": "*"})
    assert answer.status_code == 404
    assert "the app" in answer.text


def test_the_server_knows_the_pages_of_the_router() -> None:
    router = (ROOT / "web" / "src" / "app" / "router.tsx").read_text(encoding="utf-8")
    assert tuple(re.findall(r"^\s*path: '(/[^']*)'", router, flags=re.MULTILINE)) == PAGES


def test_a_hashed_file_is_kept_for_ever(pages: TestClient) -> None:
    answer = pages.get("/assets/index-4f2a.js")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")


def test_a_file_without_a_hash_is_asked_for_again(pages: TestClient) -> None:
    assert pages.get("/icon.svg").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/api/v2/status", "/assets/old.js", "/favicon.ico", "/predict/x", "/api/"])
def test_what_is_no_page_is_a_problem_not_a_page(pages: TestClient, path: str) -> None:
    answer = pages.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, MEDIA_TYPE)


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/%00"])
def test_nothing_outside_the_built_app_is_served(pages: TestClient, path: str) -> None:
    answer = pages.get(path)
    assert "not for you" not in answer.text
    assert answer.status_code in {200, 404}


def test_without_a_build_the_page_says_how_to_make_one(
    empty: App, tmp_path: Path, open_client: Callable[..., TestClient]
) -> None:
    answer = open_client(empty, static=tmp_path / "nothing").get("/grid")
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert "make web" in answer.text
