"""The sum of several channels: known when its last part is, and a gap where one of them is a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from watthour.core.channel import Channel, Site, SiteKind, Zone
from watthour.core.frames import INSTANT
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.store.memory import MemoryStore
from watthour.workflows.entities import entities, summed
from watthour.workflows.forecast import shared_name

T = datetime(2024, 5, 1, tzinfo=UTC)


def at(hour: int) -> datetime:
    return T.replace(hour=hour)


def versions(*rows: tuple[str, int, int, float | None, int]) -> pl.DataFrame:
    """Return readings by channel, hour of the interval, hour in which it became known, value and flags."""
    return pl.DataFrame(
        [(name, at(time), at(known), at(known), value, flags) for name, time, known, value, flags in rows],
        schema={
            "channel": pl.String,
            "time": INSTANT,
            "available_at": INSTANT,
            "recorded_at": INSTANT,
            "value": pl.Float64,
            "quality": pl.Int16,
        },
        orient="row",
    )


def total(*rows: tuple[str, int, int, float | None, int]) -> list[tuple[int, int, float | None, int]]:
    found = summed(versions(*rows), ["a.x", "a.y"], "a.sum")
    return [(row["time"].hour, row["available_at"].hour, row["value"], row["quality"]) for row in found.to_dicts()]


def test_the_sum_of_a_zone_is_not_taken_for_the_whole_home() -> None:
    store, home, hour = MemoryStore(), Site("flat", "Flat", SiteKind.HOME, Place("Europe/Paris")), timedelta(hours=1)
    room = Zone("home.flat.kitchen", home.id, "Kitchen")
    parts = [
        Channel(f"{room.id}.{name}", home.id, Quantity.POWER, Unit.KW, hour, zone=room.id) for name in ("hob", "oven")
    ]
    store.register([home], parts, zones=[room])
    (entity,) = entities(store, [], home, zones=["Kitchen"])
    assert len(entity.parts) == 2
    assert entity.context.channel.zone == room.id
    assert shared_name(entity.context) is None


def test_a_sum_is_known_when_its_last_part_is() -> None:
    assert total(("a.x", 0, 1, 1.0, 0), ("a.y", 0, 3, 2.0, 0)) == [(0, 3, 3.0, 0)]


def test_a_part_that_has_not_come_leaves_no_sum() -> None:
    assert total(("a.x", 0, 1, 1.0, 0), ("a.x", 1, 2, 1.0, 0), ("a.y", 0, 1, 2.0, 0)) == [(0, 1, 3.0, 0)]
    assert total(("a.x", 0, 1, 1.0, 0)) == []


def test_a_correction_of_a_part_is_a_version_of_the_sum() -> None:
    rows = (("a.x", 0, 1, 1.0, 0), ("a.y", 0, 1, 2.0, 0), ("a.x", 0, 5, 4.0, 0))
    assert total(*rows) == [(0, 1, 3.0, 0), (0, 5, 6.0, 0)]


def test_a_gap_in_a_part_is_a_gap_in_the_sum_and_doubts_are_kept() -> None:
    rows = (("a.x", 0, 1, 1.0, 1), ("a.y", 0, 1, 2.0, 8), ("a.y", 0, 4, None, 0))
    assert total(*rows) == [(0, 1, 3.0, 9), (0, 4, None, 1)]
