from __future__ import annotations

import json
import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from watthour.api.problems import MEDIA_TYPE
from watthour.api.web import _NOT_PAGES, PAGES

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


class TestInstalled:
    """What a browser needs to install the app, and the worker that lets it open without a network."""

    public = ROOT / "web" / "public"

    @pytest.fixture
    def installable(self, empty: App, open_client: Callable[..., TestClient]) -> TestClient:
        return open_client(empty, static=self.public)

    def test_the_worker_and_the_manifest_are_looked_at_again_each_time(self, installable: TestClient) -> None:
        for path, kind in (("/sw.js", "text/javascript"), ("/manifest.webmanifest", "application/manifest+json")):
            answer = installable.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
            assert answer.headers["content-type"].startswith(kind)
            assert "default-src 'self'" in answer.headers["content-security-policy"]

    def test_each_icon_of_the_manifest_is_there_in_its_size(self, installable: TestClient) -> None:
        icons = installable.get("/manifest.webmanifest").json()["icons"]
        drawn = [icon for icon in icons if icon["type"] == "image/png"]
        assert {icon["sizes"] for icon in drawn if icon["purpose"] == "any"} == {"192x192", "512x512"}
        for icon in drawn:
            picture = installable.get(icon["src"])
            width, height = struct.unpack(">II", picture.content[16:24])
            assert (picture.headers["content-type"], f"{width}x{height}") == ("image/png", icon["sizes"])

    def test_the_colours_are_those_of_the_design(self) -> None:
        tokens = (ROOT / "web" / "src" / "styles" / "tokens.css").read_text(encoding="utf-8")
        page = (ROOT / "web" / "index.html").read_text(encoding="utf-8")
        manifest = json.loads((self.public / "manifest.webmanifest").read_text(encoding="utf-8"))
        light, dark = re.findall(r"--surface: (#\w+);", tokens)
        assert manifest["theme_color"] == light
        assert f"--page: {manifest['background_color']};" in tokens
        assert re.findall(r'name="theme-color" content="(#\w+)"', page) == [light, dark]

    def test_the_worker_knows_what_is_no_page(self) -> None:
        worker = (self.public / "sw.js").read_text(encoding="utf-8")
        (listed,) = re.findall(r"const NOT_PAGES = (\[[^\]]*\]);", worker)
        assert set(json.loads(listed.replace("'", '"'))) == _NOT_PAGES
