"""The sum of several channels: known when its last part is, and a gap where one of them is a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from builders import reading_rows

from watthour.core.channel import Channel, Site, SiteKind, Zone
from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT, Quality
from watthour.core.loads import shared_name
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import Window
from watthour.store.memory import MemoryStore
from watthour.workflows.entities import entities, newest_reading, recalled, summed

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


def test_meters_of_a_zone_in_several_units_and_steps_are_forecast_as_one_power() -> None:
    store, home, hour = MemoryStore(), Site("flat", "Flat", SiteKind.HOME, Place("Asia/Kolkata")), timedelta(hours=1)
    room, begin = Zone("home.flat.kitchen", home.id, "Kitchen"), T + hour / 2  # hours of India begin at half past
    sockets = Channel(f"{room.id}.sockets_energy", home.id, Quantity.ENERGY, Unit.KWH, hour, zone=room.id)
    lights = Channel(f"{room.id}.lights_power", home.id, Quantity.POWER, Unit.W, hour / 4, zone=room.id)
    store.register([home], [sockets, lights], zones=[room])

    def tell(of: Channel, values: list[float | None]) -> None:
        ends = [begin + (n + 1) * of.resolution for n in range(len(values))]
        rows = [
            (of.id, end - of.resolution, end, value, end, Quality.GOOD) for end, value in zip(ends, values, strict=True)
        ]
        store.append(reading_rows(rows))

    tell(sockets, [0.5, 0.7, 0.9])
    tell(lights, [100.0, 200.0, 300.0, 400.0, 100.0, None, 100.0, 100.0, 100.0])
    (entity,) = entities(store, [], home, zones=["Kitchen"])
    total = entity.context.channel
    assert (total.quantity, total.unit, total.resolution) == (Quantity.POWER, Unit.KW, hour)
    assert newest_reading(store, entity) == begin + hour  # of the third hour the lights are not known to its end
    found = recalled(store, entity, Window(begin + 2 * hour, begin + 3 * hour), begin + 3 * hour).readings
    assert found.sort("time").select("time", "available_at", "value").rows() == [
        (begin, begin + hour, 0.75),
        (begin + hour, begin + 2 * hour, None),
    ]
    odd_step = Channel(f"{room.id}.oven_power", home.id, Quantity.POWER, Unit.W, hour / 7 * 5, zone=room.id)
    store.register([], [odd_step])
    with pytest.raises(InvalidInput, match="steps that do not fit into an hour"):
        entities(store, [], home, zones=["Kitchen"])


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
