"""Carbon intensity in the store: derived with what comes in, known when the mix was, unknown where the mix is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.regions import region

from watthour.core.carbon import Scope, carbon_channel
from watthour.core.frames import Forecasts, Quality, Readings, Refused
from watthour.core.ports import Delivery
from watthour.core.window import DAY, HOUR, Window
from watthour.simulation.mix import FUELS, SimulatedMix
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.sources.eia_930 import energy_channel
from watthour.store.memory import MemoryStore
from watthour.workflows import view
from watthour.workflows.carbon import production_kind
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from watthour.core.channel import Channel, Site

START = datetime(2024, 7, 20, tzinfo=UTC)
NOW = START + 3 * DAY
BELGIUM = replace(region("ny"), site=replace(region("ny").site, zone="XX"))  # a zone without factors of its own
DIRECT = carbon_channel(BELGIUM.site, "mix", production_kind(Scope.DIRECT), HOUR).id
LAG = timedelta(hours=2)


@dataclass
class Plants:
    """Tells the generation by fuel it was given, hour by hour from the start; None is a gap."""

    fuels: Mapping[str, Sequence[float | None]]
    known_at: datetime | None = None
    quality: Mapping[str, int] = field(default_factory=dict)
    name: str = "plants:ny"

    def sites(self) -> Sequence[Site]:
        return (BELGIUM.site,)

    def channels(self) -> Sequence[Channel]:
        return [energy_channel(BELGIUM, f"generation.{fuel}") for fuel in self.fuels]

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        del watched_from
        rows = [
            {
                "channel": channel.id,
                "time": START + hour * HOUR,
                "available_at": self.known_at or START + (hour + 1) * HOUR + LAG,
                "recorded_at": now,
                "value": value,
                "quality": self.quality.get(fuel, 0),
            }
            for channel, (fuel, values) in zip(self.channels(), self.fuels.items(), strict=True)
            for hour, value in enumerate(values)
            if START + hour * HOUR in window
        ]
        readings = Readings.validate(pl.DataFrame(rows, schema_overrides={"value": pl.Float64}), cast=True)
        return Delivery(readings, Forecasts.create_empty(), Refused.create_empty())


def brought(store: MemoryStore, source: Plants, *, now: datetime = NOW, days: int = 3) -> None:
    ingest(source, store, Window(START, START + days * DAY), now=now)


def direct(store: MemoryStore, as_of: datetime | None = None) -> list[float | None]:
    return store.read([DIRECT], Window(START, NOW), as_of)["value"].to_list()


def test_generation_that_comes_in_brings_its_intensity() -> None:
    store = MemoryStore()

    brought(store, Plants({"gas": [300.0, 100.0], "wind": [100.0, 300.0], "battery": [-50.0, -10.0]}))

    assert direct(store) == [pytest.approx(277.5), pytest.approx(92.5)]
    lifecycle = carbon_channel(BELGIUM.site, "mix", production_kind(Scope.LIFECYCLE), HOUR).id
    assert store.read([lifecycle], Window(START, NOW))["value"].to_list() == [370.25, pytest.approx(130.75)]


def test_bringing_it_twice_changes_nothing() -> None:
    store = MemoryStore()
    plants = Plants({"gas": [300.0, 100.0], "wind": [100.0, 300.0]})
    brought(store, plants)
    before = store.versions([DIRECT], Window(START, NOW))

    brought(store, plants, now=NOW + HOUR)

    assert store.versions([DIRECT], Window(START, NOW)).equals(before)


def test_a_fuel_that_is_missing_leaves_a_gap_and_never_a_zero() -> None:
    store = MemoryStore()

    brought(store, Plants({"gas": [300.0, None, 300.0], "wind": [100.0, 100.0, 100.0]}))

    assert direct(store) == [277.5, None, 277.5]


def test_hours_of_which_a_fuel_is_not_published_yet_are_left_out() -> None:
    store = MemoryStore()

    brought(store, Plants({"gas": [300.0, 300.0], "wind": [100.0, 100.0, 100.0, 100.0]}))

    assert direct(store) == [277.5, 277.5]


def test_a_fuel_that_makes_next_to_nothing_may_be_missing_and_the_figure_is_estimated() -> None:
    store = MemoryStore()

    brought(store, Plants({"gas": [300.0] * 3, "wind": [100.0] * 3, "oil": [1.0, None, 1.0]}))

    found = store.read([DIRECT], Window(START, NOW))
    assert found["value"][1] == 277.5
    assert [quality & Quality.ESTIMATED > 0 for quality in found["quality"]] == [False, True, False]


def test_a_fuel_that_is_not_told_is_never_shown_as_zero() -> None:
    store = MemoryStore()
    brought(store, Plants({"gas": [300.0] * 3, "wind": [100.0] * 3, "sun": [0.0] * 3, "oil": [1.0, 1.0, None]}))

    mix = view.carbon_current(store, BELGIUM.site, now=NOW)["mix"]

    assert isinstance(mix, dict)
    assert [(each["fuel"], each["value"]) for each in mix["fuels"]] == [("gas", 300.0), ("wind", 100.0), ("sun", 0.0)]


def test_a_fuel_of_weight_that_is_not_told_for_two_months_is_not_missing() -> None:
    """Its provider may have lost it: what remains would look clean."""
    store = MemoryStore()
    hours = 62 * 24
    gas: list[float | None] = [300.0] * hours
    coal: list[float | None] = [100.0, *[None] * (hours - 1)]  # the last plant was closed after the first hour

    brought(store, Plants({"gas": gas, "coal": coal}), now=START + 70 * DAY, days=62)

    rows = store.read([DIRECT], Window(START, START + 62 * DAY))
    found = dict(zip(rows["time"], rows["value"], strict=True))
    assert found[START] == pytest.approx((300 * 370 + 100 * 760) / 400)
    assert [found.get(START + after) for after in (HOUR, 30 * DAY, 59 * DAY)] == [None] * 3  # it may still come
    assert found[START + 61 * DAY] == 370.0
    flags = dict(zip(rows["time"], rows["quality"], strict=True))
    assert [flags[START + after] & Quality.ESTIMATED > 0 for after in (HOUR * 0, 61 * DAY)] == [False, True]


def test_without_a_fuel_that_was_lost_for_long_figures_are_estimates_for_a_year() -> None:
    store = MemoryStore()
    brought(store, Plants({"gas": [300.0], "coal": [100.0]}))
    later = {after: START + after * DAY for after in (60, 61, 364, 366)}

    for at in later.values():
        hours = (at - START) // HOUR
        plants = Plants({"gas": [*[None] * hours, *[300.0] * 24], "coal": [None] * (hours + 24)})
        ingest(plants, store, Window(at, at + DAY), now=at + 2 * DAY)

    rows = store.read([DIRECT], Window(START, START + 370 * DAY))
    flags = dict(zip(rows["time"], rows["quality"], strict=True))
    told = {after: flags[at + HOUR] & Quality.ESTIMATED > 0 for after, at in later.items() if at + HOUR in flags}
    assert told == {60: True, 61: True, 364: True, 366: False}


@pytest.mark.parametrize("silent_days", [3, 20, 63])
def test_the_past_is_derived_as_it_was_known_then(silent_days: int) -> None:
    """A fuel that comes back, or a new one, changes nothing of the time before it."""
    days = 80
    back = 5 + silent_days
    coal: list[float | None] = [*[100.0] * 5 * 24, *[None] * silent_days * 24, *[100.0] * (days - back) * 24]
    new: list[float | None] = [*[None] * 40 * 24, *[60.0] * (days - 40) * 24]
    plants = Plants({"gas": [300.0 + hour % 7 for hour in range(days * 24)], "coal": coal, "new": new})
    live, at_once = MemoryStore(), MemoryStore()
    for day in range(days):
        start = START + day * DAY
        ingest(plants, live, Window(start, start + DAY), now=start + DAY + LAG)
    window = Window(START, START + days * DAY)

    ingest(plants, at_once, window, now=START + days * DAY + LAG)

    then, now = (store.read([DIRECT], window) for store in (live, at_once))
    shown = ["time", "value", "quality", "available_at"]
    assert then.select(shown).equals(now.select(shown))


def test_a_value_that_cannot_be_is_not_used() -> None:
    store = MemoryStore()

    brought(store, Plants({"gas": [300.0, 300.0, 300.0], "wind": [100.0, 9e9, 100.0]}))

    assert direct(store) == [277.5, None, 277.5]


def test_it_was_known_when_the_last_of_its_fuels_was_and_a_revision_is_a_later_version() -> None:
    store = MemoryStore()
    brought(store, Plants({"gas": [300.0], "wind": [100.0]}))
    later = START + DAY
    brought(store, Plants({"gas": [100.0]}, known_at=later), now=later)

    assert direct(store, as_of=START + HOUR + LAG - timedelta(seconds=1)) == []
    assert direct(store, as_of=START + HOUR + LAG) == [277.5]
    assert direct(store, as_of=later) == [185.0]


def test_what_a_provider_has_added_since_breaks_nothing() -> None:
    store = MemoryStore()

    brought(store, Plants({"gas": [300.0], "fusion": [100.0]}))

    assert direct(store) == [pytest.approx((300 * 370 + 100 * 575) / 400)]


def test_flags_of_the_mix_are_kept() -> None:
    store = MemoryStore()

    brought(store, Plants({"gas": [300.0], "wind": [100.0]}, quality={"gas": int(Quality.ASSUMED)}))

    assert store.read([DIRECT], Window(START, NOW))["quality"].to_list() == [int(Quality.ASSUMED)]


def test_the_first_generation_that_comes_brings_the_intensity_of_all_that_is_kept() -> None:
    store = MemoryStore()
    plants = Plants({"gas": [300.0] * 48, "wind": [100.0] * 48})
    store.register(plants.sites(), plants.channels())
    store.append(plants.fetch(Window(START, NOW), now=NOW).readings)  # by a version that derived nothing yet

    ingest(plants, store, Window(START + 47 * HOUR, NOW), now=NOW)

    assert len(direct(store)) == 48


def test_a_process_killed_while_it_derives_the_past_leaves_no_hole(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    hours = 40 * 24
    plants = Plants({"gas": [300.0] * hours, "wind": [100.0] * hours})
    store.register(plants.sites(), plants.channels())
    store.append(plants.fetch(Window(START, START + 40 * DAY), now=NOW).readings)  # by a version that derived nothing
    monkeypatch.setattr("watthour.workflows.carbon.CHUNK", 10 * DAY)
    n_kept = 0

    def until_the_fifth(readings: dy.DataFrame[Readings]) -> int:
        nonlocal n_kept
        n_kept += 1
        if n_kept > 5:
            raise KeyboardInterrupt
        return MemoryStore.append(store, readings)

    newest, later = Window(START + 39 * DAY, START + 40 * DAY), START + 41 * DAY
    monkeypatch.setattr(store, "append", until_the_fifth)
    with pytest.raises(KeyboardInterrupt):
        ingest(plants, store, newest, now=later)
    monkeypatch.undo()

    ingest(plants, store, newest, now=later)

    for scope in Scope:
        channel = carbon_channel(BELGIUM.site, "mix", production_kind(scope), HOUR).id
        assert store.read([channel], Window(START, later)).height == hours


def test_more_fuels_in_another_step_do_not_end_what_is_derived() -> None:
    class Quarters(Plants):
        def channels(self) -> Sequence[Channel]:
            return [replace(channel, resolution=HOUR / 4) for channel in super().channels()]

    store = MemoryStore()
    brought(store, Plants({"gas": [300.0], "wind": [100.0]}))
    brought(store, Quarters({"coal": [10.0], "oil": [5.0], "solar": [1.0]}))
    brought(store, Plants({"gas": [300.0] * 2, "wind": [100.0] * 2}))

    assert direct(store) == [277.5, 277.5]


def test_a_round_without_generation_derives_nothing() -> None:
    store = MemoryStore()

    ingest(SimulatedRegion(), store, Window(START, START + DAY), now=NOW)

    assert not [channel for channel in store.channels() if ".carbon." in channel.id]


def test_the_simulated_region_produces_what_it_uses_and_all_of_it_is_marked() -> None:
    store = MemoryStore()
    window = Window(START, START + 2 * DAY)
    for source in (SimulatedRegion(), SimulatedMix()):
        ingest(source, store, window, now=NOW)

    made = store.read([f"grid.simtown.generation.{fuel}" for fuel in FUELS], window)
    load = store.read([SIMTOWN.channel.id], window)
    total = made.group_by("time").agg(pl.col("value").sum()).sort("time")["value"]
    assert total.to_list() == pytest.approx(load["value"].to_list(), abs=1.0)
    carbon = [channel for channel in store.channels() if ".carbon." in channel.id]
    found = store.read([channel.id for channel in carbon], window)
    assert found.height == 2 * 48
    assert ((found["quality"] & int(Quality.SIMULATED)) > 0).all()
    assert all(channel.is_simulated for channel in carbon)
    assert found["value"].is_between(5.0, 700.0).all()
