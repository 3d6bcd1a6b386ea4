"""The invented home as a source and as a line to things: both tell the same truth, marked as invented."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.channel import DeviceKind
from watthour.core.errors import StoreLocked
from watthour.core.frames import Quality
from watthour.core.heard import Heard, Tells
from watthour.core.window import Window
from watthour.simulation.living import CHANNEL_OF, EVERY_S, LivingHome
from watthour.simulation.simtown_home import CHANNELS, DEVICES, HOME, MAINS, STEP, SimtownHome
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest
from watthour.workflows.stand_in import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 10, 12, 7, tzinfo=UTC)
DAY = timedelta(days=1)
SOURCE = SimtownHome()


def test_an_interval_is_the_same_however_it_is_asked() -> None:
    both_days = SOURCE.fetch(Window(NOW - 2 * DAY, NOW), now=NOW).readings
    part = SOURCE.fetch(Window(NOW - timedelta(hours=20), NOW - timedelta(hours=3)), now=NOW).readings
    joined = part.join(both_days, on=["channel", "time"], suffix="_other")
    assert joined.height == part.height == 68 * len(SOURCE.channels())
    assert joined.filter(pl.col("value") != pl.col("value_other")).is_empty()


def test_every_row_device_use_and_channel_is_marked_simulated() -> None:
    readings = SOURCE.fetch(Window(NOW - DAY, NOW), now=NOW).readings
    uses = SOURCE.uses(Window(NOW - DAY, NOW), now=NOW)
    assert not uses.is_empty()
    for frame in (readings, uses):
        assert ((frame["quality"] & int(Quality.SIMULATED)) > 0).all()
    assert all(channel.is_simulated for channel in SOURCE.channels())
    assert HOME.is_simulated
    assert "simulated" in HOME.name


def test_the_mains_are_the_sum_of_the_devices() -> None:
    readings = SOURCE.fetch(Window(NOW - DAY, NOW), now=NOW).readings
    assert set(readings["channel"]) == {channel.id for channel in SOURCE.channels()}
    mains = readings.filter(pl.col("channel") == MAINS.id).sort("time")["value"].to_numpy()
    devices = readings.filter(pl.col("channel") != MAINS.id).group_by("time").agg(pl.col("value").sum()).sort("time")
    assert np.abs(mains - devices["value"].to_numpy()).max() < 0.0001 * len(DEVICES)
    assert readings.filter(pl.col("value") > 0)["channel"].n_unique() > 10


def test_nothing_is_known_before_it_ended() -> None:
    window = Window(NOW - DAY, NOW + DAY)
    readings, uses = SOURCE.fetch(window, now=NOW).readings, SOURCE.uses(window, now=NOW)
    assert (readings["available_at"] >= readings["time"] + STEP).all()
    assert readings["time"].max() == datetime(2026, 3, 10, 11, 45, tzinfo=UTC)
    assert (uses["end"] <= NOW).all()
    assert SOURCE.fetch(Window(NOW, NOW + DAY), now=NOW).readings.is_empty()


def test_ingesting_twice_changes_nothing() -> None:
    store = MemoryStore()
    describe(store, SOURCE)
    describe(store, SOURCE)
    window = Window(NOW - timedelta(hours=6), NOW)
    assert ingest(SOURCE, store, window, now=NOW).new_rows == 23 * len(SOURCE.channels())
    assert ingest(SOURCE, store, window, now=NOW).new_rows == 0


def test_what_is_told_is_the_truth_and_the_same_in_pieces() -> None:
    line = LivingHome(SOURCE)
    begin = int(datetime(2026, 3, 10, 22, tzinfo=UTC).timestamp())
    whole = line.told(begin, begin + 1800)
    pieces = [LivingHome(SOURCE).told(begin + start, begin + start + 300) for start in range(0, 1800, 300)]
    assert [each for piece in pieces for each in piece.told] == list(whole.told)
    mains = SOURCE.day_at(datetime.fromtimestamp(begin, UTC)).mains()
    meter = [each for each in whole.told if CHANNEL_OF[each.thing.key] == MAINS.id]
    assert len(meter) == 1800 // EVERY_S
    for each in meter:
        assert each.time is not None
        assert each.tells is Tells.POWER
        assert each.value == mains.watts(np.array([int(each.time.timestamp())]))[0]


def test_a_plug_tells_changes_at_once_and_is_heard_each_minute() -> None:
    use = next(use for use in SOURCE.day_at(NOW).uses if use.kind is DeviceKind.KETTLE)
    told = LivingHome(SOURCE).told(use.start - 600, use.end + 600).told
    kettle = [each for each in told if CHANNEL_OF[each.thing.key] == CHANNELS[DeviceKind.KETTLE].id]
    times = [int(each.time.timestamp()) for each in kettle if each.time is not None]
    first_on = next(time for time, each in zip(times, kettle, strict=True) if each.value > 1000)
    assert 0 <= first_on - use.start < EVERY_S
    assert np.diff(times).max() <= 60


class Clock:
    """A clock that goes on by some seconds each time it is looked at."""

    def __init__(self, *seconds: float) -> None:
        self.times: Iterator[float] = iter(seconds)
        self.last = NOW

    def __call__(self) -> datetime:
        self.last += timedelta(seconds=next(self.times, 0.0))
        return self.last


class Once(Event):
    """Is set after some looks, and never waits."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert 0 <= timeout <= EVERY_S
        return False


def test_it_begins_with_the_interval_that_has_begun_and_tells_nothing_twice() -> None:
    heard: list[Heard] = []
    LivingHome(SOURCE, clock=Clock(0, 0, 0, 12, 0, 20)).listen(heard.append, Once(3))
    times = [each.time for part in heard for each in part.told if CHANNEL_OF[each.thing.key] == MAINS.id]
    assert times[0] == datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
    assert times == [times[0] + timedelta(seconds=EVERY_S * place) for place in range(len(times))]
    assert times[-1] == datetime(2026, 3, 10, 12, 7, 30, tzinfo=UTC)


def test_what_could_not_be_kept_is_told_again() -> None:
    kept: list[Heard] = []

    def take(heard: Heard) -> None:
        kept.append(heard)
        if len(kept) == 1:
            raise StoreLocked("another process writes", remedy="Wait.")

    line = LivingHome(SOURCE, clock=Clock())
    line.listen(take, Once(1))
    problems = [line.state.problem]
    kept.clear()
    line.listen(take, Once(2))
    assert kept[0].told == kept[1].told
    assert [*problems, line.state.problem] == ["another process writes", None]
    assert len({each.thing.key for each in kept[0].told}) == 1 + len(DEVICES)


def test_all_that_tells_fills_a_channel_of_its_own() -> None:
    assert sorted(CHANNEL_OF.values()) == sorted(channel.id for channel in SOURCE.channels())
