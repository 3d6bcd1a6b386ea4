"""What an invented meter tells, with and without its faults."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from watthour.core.channel import Channel
from watthour.core.frames import INSTANT, Samples
from watthour.core.metering import MeterRules, meter
from watthour.core.units import Quantity, Unit
from watthour.simulation.home import SimulatedHome
from watthour.simulation.meters import MeterFaults, SimulatedMeter
from watthour.simulation.sky import sky_of
from watthour.simulation.steps import Steps, joined
from watthour.simulation.town import SimulatedRegion

REGION = SimulatedRegion()
MAINS = joined([SimulatedHome(3).day(sky_of(date(2026, 2, 9) + timedelta(days=day), REGION)).mains() for day in (0, 1)])
START, END = int(MAINS.edges[0]), int(MAINS.edges[-1])
MINUTES = np.arange(START, END + 1, 60)


def test_a_counter_rises_by_what_is_drawn_and_stands_while_energy_is_fed_in() -> None:
    steps = Steps.of([0, 3600, 7200, 10800], [1000.0, -500.0, 2000.0])
    stands = SimulatedMeter(0, first_kwh=5.0).counter(steps, np.array([0, 3600, 7200, 10800]))
    assert stands.tolist() == [5.0, 6.0, 6.0, 8.0]


def test_a_counter_says_the_same_of_an_instant_whatever_else_is_asked() -> None:
    told = SimulatedMeter(3)
    assert np.array_equal(told.counter(MAINS, MINUTES)[600:700], told.counter(MAINS, MINUTES[600:700]))


def test_a_reset_begins_at_zero_and_a_roll_over_goes_on() -> None:
    whole = SimulatedMeter(3).counter(MAINS, MINUTES)
    reset = int(MINUTES[1000])
    counted = SimulatedMeter(3, faults=MeterFaults(resets=(reset,))).counter(MAINS, MINUTES)
    assert np.array_equal(counted[:1000], whole[:1000])
    assert counted[1000] == 0.0
    assert counted[-1] == pytest.approx(whole[-1] - whole[1000], abs=0.002)
    rolled = SimulatedMeter(3, first_kwh=99_999.0, faults=MeterFaults(rolls_over_at_kwh=100_000.0))
    stands = rolled.counter(MAINS, MINUTES)
    assert stands[0] == 99_999.0
    assert stands[-1] == pytest.approx(whole[-1] - 1.0, abs=0.002)


def test_gaps_come_about_as_often_as_said_and_are_the_same_in_every_window() -> None:
    faulty = SimulatedMeter(3, faults=MeterFaults(gaps_per_week=2.0))
    weeks = np.arange(START, START + 10 * 7 * 86_400, 300)
    told = faulty.told_at(weeks)
    n_gaps = int((np.diff(told) > 300).sum())
    assert 10 <= n_gaps <= 30
    part = weeks[5_000:9_000]
    assert np.array_equal(faulty.told_at(part), told[(told >= part[0]) & (told <= part[-1])])
    assert np.array_equal(SimulatedMeter(3).told_at(weeks), weeks)


def test_a_reset_meter_read_by_our_rules_gives_the_true_energy_but_for_the_interval_of_the_reset() -> None:
    faults = MeterFaults(resets=(int(MINUTES[1000]) + 30,))
    channel = Channel("home.a.energy", "a", Quantity.ENERGY, Unit.KWH, timedelta(hours=1))
    frame = pl.DataFrame(
        {
            "channel": channel.id,
            "time": pl.Series(MINUTES * 1_000_000).cast(INSTANT),
            "measure": "counter",
            "recorded_at": pl.Series(MINUTES * 1_000_000).cast(INSTANT),
            "value": SimulatedMeter(3, first_kwh=700.0, faults=faults).counter(MAINS, MINUTES),
        }
    )
    rules = MeterRules.polled(channel.resolution, timedelta(minutes=1))
    found = meter(Samples.validate(frame), channel, rules).readings.filter(pl.col("value").is_not_null())
    begins = (found["time"].dt.epoch("us") // 1_000_000).to_numpy()
    truth = np.array([MAINS.drawn().kwh(np.array([begin, begin + 3600]))[0] for begin in begins])
    missed = np.abs(found["value"].to_numpy() - truth)
    is_reset = (begins <= faults.resets[0]) & (faults.resets[0] < begins + 3600)
    assert len(begins) >= 46
    assert missed[~is_reset].max() <= 0.0021
    assert missed[is_reset].max() < 0.2
