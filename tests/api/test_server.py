"""The application behind a real server, over real HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx2
import pytest
from town import IMPATIENT, NOW, served

from watthour.api.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.bootstrap import App


@pytest.fixture
def http(town: App) -> Iterator[httpx2.Client]:
    with served(create_app(town, now=lambda: NOW, limits=IMPATIENT)) as url, httpx2.Client(base_url=url) as client:
        yield client


def test_many_callers_at_once_get_the_same_forecast(http: httpx2.Client) -> None:
    with ThreadPoolExecutor(8) as callers:
        answers = list(callers.map(lambda _: http.get("/api/v1/grid/simtown/forecast"), range(40)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_answers_are_compressed_for_who_can_read_it(http: httpx2.Client) -> None:
    assert http.get("/api/v1/grid/simtown/forecast").headers["content-encoding"] == "gzip"


def test_a_body_sent_in_pieces_is_cut_at_the_limit(http: httpx2.Client) -> None:
    pieces = (b" " * 65_536 for _ in range(64))
    try:
        answer = http.post("/predict", content=pieces, headers={"content-type": "application/json"})
    except httpx2.WriteError:
        return  # the server answered and closed while we were still sending
    assert answer.status_code == 413


def test_what_is_not_http_is_refused_and_the_server_lives_on(http: httpx2.Client) -> None:
    answer = http.request("BREW", "/health")
    assert answer.status_code == 405
    assert http.get("/health").status_code == 200
