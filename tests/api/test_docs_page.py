from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from watthour.api.docs import FILES

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_the_page_and_all_it_loads_come_from_here(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', page.text)
    assert loaded == ["/docs/reference.css", "/docs/reference.js"]
    for address in loaded:
        assert client.get(address).status_code == 200
    assert "<script>" not in page.text  # the content policy would not run it


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.name)
def test_nothing_is_fetched_from_elsewhere(file: object) -> None:
    assert "://" not in file.read_text(encoding="utf-8")  # type: ignore[attr-defined]  # a path


@pytest.mark.parametrize("path", ["/docs/nothing", "/docs/../app.py", "/docs/%2e%2e%2fapp.py", "/docs/reference.js/x"])
def test_only_the_pages_own_files_are_served(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
