"""Devices that are seldom on: when they may run, what their days use, and which devices these are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import Forecast, History, UsesAhead
from watthour.core.frames import LEVELS, Events, Forecasts, Readings
from watthour.core.switching import share_of_time_on
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.fleet import issues_at
from watthour.forecasting.rare_use import RareUse, energy_of_uses, expected_uses, is_rarely_on

FIRST = datetime(2023, 1, 2, tzinfo=UTC)  # a Monday


def days_of_use(n_days: int, hour: int = 19, *, every: int = 2, kwh: float = 0.8) -> np.ndarray:
    """Return a standby of 1 W with a use of an hour on every so many days."""
    energy = np.full((n_days, 24), 0.001)
    energy[::every, hour] += kwh
    return energy


def past(energy: np.ndarray) -> pl.DataFrame:
    times = [FIRST + n * HOUR for n in range(energy.size)]
    values = pl.Series(energy.ravel()).fill_nan(None)
    return pl.DataFrame({"time": pl.Series(times, dtype=pl.Datetime("us", "UTC")), "energy_kwh": values})


def told(energy: np.ndarray, hours: int = 24, *, zone: str = "UTC") -> UsesAhead:
    end = FIRST + energy.size * HOUR
    return expected_uses(past(energy), Window(end, end + hours * HOUR), step=HOUR, time_zone=zone, as_of=end)


def history(energy: np.ndarray, *, device: str | None = "home.a.washer", unit: Unit = Unit.KW) -> History:
    rows = past(energy).drop_nulls()
    context = world.place("UTC", HOUR)
    channel = replace(context.channel, device=device, unit=unit, quantity=Quantity.POWER)
    context = replace(context, channel=channel)
    values = rows["energy_kwh"].to_numpy() * (1000 if unit is Unit.W else 1)
    readings = Readings.cast(world.readings(world.DEMAND, rows["time"], values, lag=HOUR))
    return History(FIRST + energy.size * HOUR, context, readings, Forecasts.create_empty())


def asked(known: History, hours: int = 24) -> Forecast:
    issues = issues_at(known, [known.as_of], hours)
    return RareUse().fit(known, issues).predict(known, issues)


def test_a_use_is_likely_at_its_hour_and_hardly_at_another() -> None:
    by_hour = told(days_of_use(28)).intervals["probability"].to_numpy()
    assert by_hour.argmax() == 19
    assert by_hour[19] == pytest.approx(0.5, abs=0.1)
    assert by_hour[:14].max() < 0.03


def test_the_energy_of_a_day_is_what_days_use_and_its_interval_holds_both_kinds() -> None:
    (day,) = told(days_of_use(28)).days.to_dicts()
    assert day["energy_kwh"] == pytest.approx(0.024 + 0.4, rel=0.1)
    assert day["lower_kwh"] == pytest.approx(0.024, abs=0.001)  # a day without a use
    assert day["upper_kwh"] == pytest.approx(0.824, abs=0.001)
    assert day["probability"] == pytest.approx(0.5, abs=0.1)
    assert day["starts"] == pytest.approx(0.5, abs=0.1)


def test_the_intervals_add_up_to_their_days() -> None:
    found = told(days_of_use(28), 60)  # two days and a half
    assert found.days["intervals"].to_list() == [24, 24, 12]
    assert found.intervals["energy_kwh"].sum() == pytest.approx(found.days["energy_kwh"].sum())
    assert found.days["energy_kwh"][2] < 0.1  # the use of the third day would come in its evening


def test_weekends_and_weekdays_are_told_apart() -> None:
    energy = np.full((42, 24), 0.001)
    energy[5::7, 10] = energy[6::7, 10] = 0.9  # Saturdays and Sundays
    chance = told(energy, 168).days["probability"].to_numpy()
    assert chance[5:].min() > 0.6
    assert chance[:5].max() < 0.3


def test_the_time_zone_decides_which_hour_it_is() -> None:
    energy = days_of_use(28, 23, every=1)  # midnight in Berlin: the first hour of the next day there
    found = told(energy, 48, zone="Europe/Berlin")
    best = found.intervals.sort("probability")["time"][-1]
    assert best.hour == 23
    assert found.days["day"].n_unique() == 3


def test_a_week_is_enough_and_less_is_refused() -> None:
    assert told(days_of_use(7)).intervals.height == 24
    with pytest.raises(NotEnoughHistory, match="fewer than 7 days"):
        told(days_of_use(6))


def test_what_came_after_the_issue_changes_nothing() -> None:
    energy = days_of_use(28)
    later = energy.copy()
    later[20:] = 1.0
    end = FIRST + 20 * DAY
    window = Window(end, end + DAY)
    both = [expected_uses(past(each), window, step=HOUR, time_zone="UTC", as_of=end) for each in (energy, later)]
    assert both[0].intervals.equals(both[1].intervals)


def test_a_gap_is_no_sign_that_it_was_off() -> None:
    energy = days_of_use(28, every=1)
    holes = energy.copy()
    holes[3:24:2, 15:] = np.nan  # evenings that were not measured
    whole, holed = (told(each).intervals["probability"][19] for each in (energy, holes))
    assert holed == pytest.approx(whole, abs=0.1)


def test_a_device_that_was_never_used_is_not_expected_to_be() -> None:
    found = told(np.zeros((28, 24)))
    assert found.intervals["probability"].to_numpy().max() < 0.01
    assert found.days["energy_kwh"][0] == 0


def test_quantiles_of_an_interval_are_those_of_off_and_of_its_runs() -> None:
    answer = asked(history(days_of_use(28, every=1))).values.filter(pl.col("time").dt.hour() == 19).sort("level")
    values = answer["value"].to_numpy()
    assert values[0] == pytest.approx(0.001)
    assert values[-1] == pytest.approx(0.801)
    quiet = asked(history(days_of_use(28))).values.filter(pl.col("time").dt.hour() == 4)
    assert quiet["value"].max() == pytest.approx(0.001)


def test_a_channel_in_watts_tells_the_same_energy() -> None:
    in_kw, in_w = (asked(history(days_of_use(28), unit=unit)) for unit in (Unit.KW, Unit.W))
    assert in_kw.uses is not None
    assert in_w.uses is not None
    assert in_w.uses.days["energy_kwh"][0] == pytest.approx(in_kw.uses.days["energy_kwh"][0])
    assert in_w.values["value"].to_numpy().max() == pytest.approx(1000 * in_kw.values["value"].to_numpy().max())


def test_each_issue_knows_only_its_own_past() -> None:
    energy = np.vstack([days_of_use(20, 8, every=1), days_of_use(20, 19, every=1)])
    known = history(energy)
    issues = issues_at(known, [FIRST + 20 * DAY, FIRST + 40 * DAY], 24)
    answer = RareUse().fit(known, issues).predict(known, issues)
    assert answer.uses is not None
    early, late = answer.uses.intervals.sort("issued_at", "time").partition_by("issued_at")
    assert early["probability"].arg_max() == 8
    assert late["probability"][19] > early["probability"][19] + 0.2
    assert answer.uses.days.height == 2


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (np.tile([0.001] * 22 + [0.6, 0.9], 20), 2 / 24),
        (np.tile([0.1] * 12 + [0.3, 0.5] * 6, 20), 0.5),
        (np.full(480, 0.009), None),  # a router
        (np.tile([-1.0] * 8 + [0.0] * 16, 20), None),  # solar
        (np.zeros(480), None),
    ],
)
def test_the_share_of_time_that_it_runs(power: np.ndarray, expected: float | None) -> None:
    found = share_of_time_on(power)
    assert found == (None if expected is None else pytest.approx(expected))


def test_only_a_device_that_runs_a_quarter_of_its_time_is_rarely_on() -> None:
    assert is_rarely_on(history(days_of_use(10)))
    assert not is_rarely_on(history(days_of_use(10), device=None))  # a whole home
    assert not is_rarely_on(history(days_of_use(6)))
    often = days_of_use(10)
    often[:, 8:20] = 0.5
    assert not is_rarely_on(history(often))


def test_the_energy_of_a_use_is_spread_over_it() -> None:
    uses = Events.validate(
        pl.DataFrame(
            {
                "device": ["w", "w"],
                "start": [FIRST + timedelta(minutes=30), FIRST + 5 * HOUR],
                "end": [FIRST + timedelta(hours=2), FIRST + 6 * HOUR],
                "energy_kwh": [0.9, None],
                "available_at": [FIRST + 2 * HOUR, FIRST + 6 * HOUR],
                "recorded_at": [FIRST + 2 * HOUR, FIRST + 6 * HOUR],
                "quality": pl.Series([0, 0], dtype=pl.Int16),
            }
        ).with_columns(pl.col("start", "end", "available_at", "recorded_at").cast(pl.Datetime("us", "UTC")))
    )
    table = energy_of_uses(uses, Window(FIRST, FIRST + 7 * HOUR), HOUR)
    assert table["energy_kwh"].to_list() == pytest.approx([0.3, 0.6, 0, 0, 0, None, 0])
    assert table["starts"].to_list() == [1, 0, 0, 0, 0, 1, 0]


def test_what_is_no_energy_and_steps_of_a_day_are_refused() -> None:
    known = history(days_of_use(10))
    context = replace(known.context, channel=replace(known.context.channel, resolution=DAY))
    with pytest.raises(InvalidInput, match="this step"):
        RareUse().fit(replace(known, context=context), issues_at(known, [known.as_of], 24))


def test_levels_are_all_there() -> None:
    assert set(asked(history(days_of_use(14))).values["level"]) == set(LEVELS)
