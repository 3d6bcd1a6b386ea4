"""Samples that somebody sends become readings: soon, once, and also after a process has ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from builders import home_channel, home_site, hour, hours

from watthour.core.errors import StoreLocked
from watthour.core.frames import Samples
from watthour.core.metering import meter
from watthour.store.memory import MemoryStore
from watthour.workflows.intervals import Due, make_readings
from watthour.workflows.links import Links
from watthour.workflows.receive import receive
from watthour.workflows.settling import LATE, SHORTEST_TURN, Settler, rules_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from pathlib import Path

POWER, PLUG = "home.flat.power", "home.flat.plug.power"
QUARTER = timedelta(minutes=15)


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    channels = [replace(home_channel(name), resolution=QUARTER) for name in ("power", "plug.power")]
    found.register([home_site()], channels)
    return found


@pytest.fixture
def settler(store: MemoryStore, tmp_path: Path) -> Settler:
    return Settler(store, Links(tmp_path))


def send(
    store: MemoryStore, settler: Settler | None, start: float, end: float, *, now: float, channel: str = POWER
) -> None:
    """Send a sample of 2 kW a minute, both ends included."""
    minutes = range(round(start * 60), round(end * 60) + 1)
    rows = [
        {"channel": channel, "time": hour(minute / 60).isoformat(), "measure": "power", "value": 2000.0}
        for minute in minutes
    ]
    done = receive(store, samples=rows, now=hour(now), settler=settler)
    assert done.accepted == len(rows)


def made(store: MemoryStore, channel: str = POWER) -> dict[float, float | None]:
    rows = store.read([channel], hours(-100, 100)).select("time", "value").iter_rows()
    return {(time - hour(0)) / timedelta(hours=1): value for time, value in rows}


def test_samples_that_were_sent_become_readings_when_their_interval_has_ended(
    store: MemoryStore, settler: Settler
) -> None:
    send(store, settler, 0, 0.2, now=0.2)
    assert settler.settle(hour(0.2)) == 0
    send(store, settler, 0.2, 0.3, now=0.3)
    assert settler.settle(hour(0.3)) == 1
    assert made(store) == {0.0: pytest.approx(2.0)}
    (row,) = store.read([POWER], hours(0, 1)).rows(named=True)
    assert row["available_at"] == hour(0.3)  # when its last sample was there


def test_a_channel_is_looked_at_once_a_second_at_most(
    store: MemoryStore, settler: Settler, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Sequence[Due]] = []

    def looked(store: MemoryStore, due: Sequence[Due], *, now: datetime) -> tuple[int, set[str]]:
        looks.append(due)
        return make_readings(store, due, now=now)

    monkeypatch.setattr("watthour.workflows.settling.make_readings", looked)
    for n in range(10):
        at = 0.24 + n * 0.1 / 3600
        receive(store, samples=[one(at)], now=hour(at), settler=settler)
        settler.settle(hour(at))
    assert len(looks) == 1
    send(store, settler, 0.24, 0.26, now=0.26)  # over the end of an interval
    looks.clear()
    settler.settle(hour(0.24) + SHORTEST_TURN)
    assert len(looks) == 1


def one(at: float, channel: str = POWER) -> dict[str, object]:
    return {"channel": channel, "time": hour(at).isoformat(), "measure": "power", "value": 2000.0}


def test_late_samples_are_readings_before_they_are_acknowledged(store: MemoryStore, settler: Settler) -> None:
    send(store, settler, -50, -49, now=0)
    assert made(store) == {-50 + n / 4: pytest.approx(2.0) for n in range(4)}


def test_what_a_process_left_to_do_is_done_by_the_next(store: MemoryStore, settler: Settler, tmp_path: Path) -> None:
    send(store, settler, 0, 0.5, now=0.5)
    settler.settle(hour(0.5))
    late = 0.5 - LATE / timedelta(hours=1) + 0.1
    send(store, settler, late, -0.01, now=0.5)  # not yet so late that they would be made at once
    send(store, settler, 0.5, 1, now=1)
    send(store, settler, 0, 1, now=1, channel=PLUG)  # has no reading yet
    after = Settler(store, Links(tmp_path))
    after.take_up(hour(30))
    after.settle(hour(30))
    assert made(store) == {-0.25: pytest.approx(2.0), **{n / 4: pytest.approx(2.0) for n in range(4)}}
    assert made(store, PLUG) == {n / 4: pytest.approx(2.0) for n in range(4)}
    assert after.settle(hour(31)) == 0


def test_a_channel_that_fails_does_not_keep_the_others_back(
    store: MemoryStore, settler: Settler, monkeypatch: pytest.MonkeyPatch
) -> None:
    for channel in (POWER, PLUG):
        send(store, settler, 0, 0.5, now=0.5, channel=channel)
    append = store.append

    def locked(readings: object) -> int:
        if PLUG in set(readings["channel"]):  # type: ignore[index]  # a table of readings
            raise StoreLocked("another process is writing", remedy="Wait.")
        return append(readings)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(store, "append", locked)
        with pytest.raises(StoreLocked):
            settler.settle(hour(0.5))
    assert (len(made(store)), len(made(store, PLUG))) == (2, 0)
    assert settler.settle(hour(0.6)) == 2
    assert len(made(store, PLUG)) == 2


def test_a_channel_that_is_removed_is_forgotten(store: MemoryStore, settler: Settler) -> None:
    send(store, settler, 0, 0.5, now=0.5)
    store.forget(channels=[POWER], with_readings=True)
    assert settler.settle(hour(0.5)) == 0


def test_a_channel_of_short_steps_has_a_turn_when_an_interval_ends_and_not_in_between(
    store: MemoryStore, settler: Settler, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.register([], [replace(home_channel("fast.power"), resolution=timedelta(minutes=1))])
    turns: list[object] = []

    def made(*_args: object, **said: object) -> tuple[int, set[str]]:
        turns.append(said["now"])
        return 0, set()

    monkeypatch.setattr("watthour.workflows.settling.make_readings", made)
    for second in range(0, 180, 5):
        at = second / 3600
        row = {"channel": "home.flat.fast.power", "time": hour(at).isoformat(), "measure": "power", "value": 5.0}
        receive(store, samples=[row], now=hour(at), settler=settler)
        settler.settle(hour(at))
    assert len(turns) == 3  # at the first sample, and when each of two minutes had ended


PLAIN, COUNTED, BOTH, SLOW = (f"home.flat.{name}.power" for name in ("plain", "counted", "both", "slow"))
MEASURES = {PLAIN: ("power",), COUNTED: ("counter",), BOTH: ("power", "counter"), SLOW: ("power",)}


def told_by_meters(rng: np.random.Generator) -> list[tuple[float, dict[str, object]]]:
    """Return samples of an hour and when each comes [s]: with gaps, and some power that comes late."""
    sent = []
    for channel, measures in MEASURES.items():
        for measure in measures:
            counter, silent = 100.0, rng.uniform(600, 2400)
            for second in np.cumsum(rng.exponential(12.0, 300)).tolist():
                if silent < second < silent + 420:
                    continue
                counter += rng.exponential(0.001)
                value = float(rng.uniform(-20, 2000)) if measure == "power" else round(counter, 4)
                row = {"channel": channel, "time": hour(second / 3600).isoformat(), "measure": measure, "value": value}
                is_late = measures == ("power",) and rng.random() < 0.02
                sent.append((second + (rng.uniform(0, 1500) if is_late else 0.0), row))
    return sorted(sent, key=lambda each: each[0])


@pytest.mark.parametrize("seed", range(4))
def test_samples_that_come_bit_by_bit_make_the_readings_that_all_of_them_make(
    store: MemoryStore, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watthour.workflows.settling.MOST_AT_ONCE", 3)
    step = {name: timedelta(minutes=5 if name == SLOW else 1) for name in MEASURES}
    channels = [replace(home_channel(name.removeprefix("home.flat.")), resolution=step[name]) for name in MEASURES]
    store.register([home_site()], channels)
    settler, sent = Settler(store, Links(tmp_path)), told_by_meters(np.random.default_rng(seed))
    for second in range(0, 4200, 20):
        now = hour(second / 3600)
        rows = [row for at, row in sent if second - 20 <= at < second]
        receive(store, samples=rows, now=now, settler=settler)
        settler.settle(now)
    settler.settle(hour(1.5), is_last=True)
    samples = store.samples(list(MEASURES), hours(-1, 2))
    for name, (channel, how) in rules_of(store, list(MEASURES), {}).items():
        whole = meter(Samples.cast(samples.filter(pl.col("channel") == name)), channel, how).readings
        made = store.read([name], hours(-1, 2))
        kept, all_of_them = (each.drop_nulls("value") for each in (made, whole))  # a gap may have a row or none
        assert kept["time"].to_list() == all_of_them["time"].to_list()
        assert kept["value"].to_list() == pytest.approx(all_of_them["value"].to_list())
