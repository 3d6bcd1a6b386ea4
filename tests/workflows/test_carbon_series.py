"""What a home is told where nobody tells its carbon: its own zone where that is known or likely, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from priced_home import FLAT

from watthour.core.channel import Site, SiteKind
from watthour.core.place import Place
from watthour.store.memory import MemoryStore
from watthour.workflows.carbon_series import no_carbon_words


@pytest.mark.parametrize(
    ("time_zone", "command"),
    [
        ("Europe/Helsinki", "--zone FI`, if FI is its zone"),
        ("Europe/Stockholm", "--zone ZONE`, with the id of its zone, which `watthour regions` lists"),
        ("America/New_York", "--zone ZONE`, with the id of its zone"),
    ],
)
def test_only_a_zone_that_is_likely_is_named(time_zone: str, command: str) -> None:
    words = no_carbon_words(MemoryStore(), replace(FLAT, place=Place(time_zone)))
    assert f"watthour site change flat {command}" in words


def test_a_zone_that_is_in_the_store_is_named_too() -> None:
    store = MemoryStore()
    store.register([Site("be", "Belgium", SiteKind.REGION, Place("Europe/Brussels"), zone="BE")], [])
    words = no_carbon_words(store, replace(FLAT, place=Place("Europe/Brussels")))
    assert "--zone BE`, if BE is its zone" in words


def test_a_home_whose_zone_is_known_is_not_asked_for_another() -> None:
    words = no_carbon_words(MemoryStore(), replace(FLAT, zone="DE-LU"))
    assert "Nothing tells the carbon of DE-LU" in words
    assert "--zone" not in words
