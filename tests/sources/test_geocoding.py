"""Towns by name, from answers in Open-Meteo's form and over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.server import BAD_GATEWAY, as_json, serve
from places import ANSWER

from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable
from watthour.sources.geocoding import OpenMeteoGazetteer, parse_places
from watthour.sources.http import RetryPolicy
from watthour.sources.open_meteo import OpenMeteoOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakes.server import FakeServer

QUICK = RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.01)


def test_places_come_the_largest_first_with_what_a_home_needs() -> None:
    found = parse_places(ANSWER)
    lyon = found[0]
    assert (lyon.name, lyon.time_zone, lyon.country_code, lyon.population) == ("Lyon", "Europe/Paris", "FR", 522250)
    assert [place.part for place in found[1:3]] == ["Missouri", "Illinois"]


def test_an_entry_without_coordinates_or_with_no_known_clock_is_no_place() -> None:
    assert {"Nowhere", "Nowhen"}.isdisjoint(place.name for place in parse_places(ANSWER))


def test_a_name_nobody_knows_has_no_places() -> None:
    assert parse_places({"generationtime_ms": 0.4}) == []


@pytest.mark.parametrize("content", [[], None, {"results": {}}, {"results": ["Lyon"]}])
def test_another_shape_is_told(content: object) -> None:
    with pytest.raises(PayloadChanged, match="no list of places"):
        parse_places(content)


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serve(lambda _request: as_json(ANSWER)) as server:
        yield server


def test_a_name_is_asked_for_as_it_is_written(server: FakeServer) -> None:
    found = OpenMeteoGazetteer(OpenMeteoOptions(url=server.base_url), retry=QUICK).named(" Saint-Étienne & Cie ")
    assert found[0].name == "Lyon"
    (request,) = server.requests
    assert request.path == "/v1/search"
    assert (request.one("name"), request.one("language"), request.one("format")) == (
        "Saint-Étienne & Cie",
        "en",
        "json",
    )


def test_a_fault_that_heals_is_asked_again(server: FakeServer) -> None:
    server.faults.append(BAD_GATEWAY)
    assert OpenMeteoGazetteer(OpenMeteoOptions(url=server.base_url), retry=QUICK).named("Lyon")
    assert len(server.requests) == 2


def test_a_name_of_one_letter_is_not_asked_for(server: FakeServer) -> None:
    assert OpenMeteoGazetteer(OpenMeteoOptions(url=server.base_url), retry=QUICK).named("Y") == []
    assert server.requests == []


def test_without_a_network_the_cure_is_said() -> None:
    gazetteer = OpenMeteoGazetteer(OpenMeteoOptions(url="http://127.0.0.1:1"), retry=QUICK)
    with pytest.raises(SourceUnavailable, match=r"cannot be reached\. Try again when.*Or give the time"):
        gazetteer.named("Lyon")


def test_who_switched_the_provider_off_is_not_looked_up(server: FakeServer) -> None:
    gazetteer = OpenMeteoGazetteer(OpenMeteoOptions(url=server.base_url, enabled=False), retry=QUICK)
    with pytest.raises(SourceRejected, match="switched off"):
        gazetteer.named("Lyon")
    assert server.requests == []
