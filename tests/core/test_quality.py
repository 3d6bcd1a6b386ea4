from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from builders import forecasts

from watthour.core.channel import Channel, Limits, Site, SiteKind, beside_load_limits, home_limits
from watthour.core.frames import Forecasts, Quality, Readings
from watthour.core.place import Place, Point
from watthour.core.quality import flag, flag_forecasts, look_back
from watthour.core.units import Quantity, Unit
from watthour.core.weather import weather_channels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PEAK_MWH = 36_000.0
DEMAND = Channel(
    "grid.ny.demand", "ny", Quantity.ENERGY, Unit.MWH, HOUR, limits=Limits(3_600.0, PEAK_MWH, is_never_constant=True)
)
MAIN = Channel("home.main.power", "home", Quantity.POWER, Unit.KW, HOUR, limits=home_limits(Unit.KW, HOUR))


def readings(
    values: Sequence[float | None], channel: str = DEMAND.id, start: datetime = START
) -> dy.DataFrame[Readings]:
    times = [start + timedelta(hours=hour) for hour in range(len(values))]
    return Readings.validate(
        pl.DataFrame({"channel": channel, "time": times, "value": values}).with_columns(
            available_at=pl.col("time"), recorded_at=pl.col("time"), quality=0
        ),
        cast=True,
    )


def flags(values: Sequence[float | None], before: Sequence[float | None] | None = None) -> list[int]:
    earlier = None if before is None else readings(before, start=START - timedelta(hours=len(before)))
    return flag(readings(values), [DEMAND], earlier)["quality"].to_list()


def test_good_values_and_gaps_are_not_doubted() -> None:
    assert flags([18_000.0, None, 18_500.0]) == [0, 0, 0]


def test_zero_demand_is_kept_and_doubted() -> None:
    flagged = flag(readings([0.0, 18_000.0]), [DEMAND])
    assert flagged["value"].to_list() == [0.0, 18_000.0]
    assert flagged["quality"].to_list() == [Quality.ZERO, 0]


def test_a_region_of_5_mw_and_one_above_its_peak_are_doubted() -> None:
    assert flags([5.0, PEAK_MWH + 1]) == [Quality.OUT_OF_RANGE, Quality.OUT_OF_RANGE]


def test_a_frozen_value_is_doubted_from_its_first_hour() -> None:
    assert flags([17_000.0] * 6 + [18_000.0]) == [Quality.FROZEN] * 6 + [0]
    assert flags([17_000.0] * 5 + [18_000.0]) == [0] * 6


def test_a_value_frozen_across_two_fetches_is_doubted() -> None:
    assert flags([17_000.0, 18_000.0], before=[17_000.0] * 5) == [Quality.FROZEN, 0]


def test_a_home_of_400_kw_is_doubted() -> None:
    assert flag(readings([3.0, 400.0], MAIN.id), [MAIN])["quality"].to_list() == [0, Quality.OUT_OF_RANGE]


def test_what_was_known_against_a_value_stays() -> None:
    marked = Readings.cast(readings([0.0]).with_columns(quality=pl.lit(int(Quality.ASSUMED), pl.Int16)))
    assert flag(marked, [DEMAND])["quality"].to_list() == [Quality.ASSUMED | Quality.ZERO]


def test_a_channel_may_be_zero_and_constant_where_nothing_says_it_cannot() -> None:
    assert flag(readings([0.0] * 9, MAIN.id), [MAIN])["quality"].to_list() == [0] * 9


def test_a_quarter_hourly_value_is_frozen_after_hours_not_after_a_few_rows() -> None:
    quarterly = replace(DEMAND, resolution=timedelta(minutes=15))
    assert flag(readings([17_000.0] * 23), [quarterly])["quality"].to_list() == [0] * 23
    assert flag(readings([17_000.0] * 24), [quarterly])["quality"].to_list() == [Quality.FROZEN] * 24


def test_a_forecast_of_nothing_is_doubted_where_nothing_cannot_be() -> None:
    rows = pl.concat([forecasts(0.0, 18_000.0, channel=DEMAND.id), forecasts(0.0, channel=MAIN.id)])
    flagged = flag_forecasts(Forecasts.cast(rows), [DEMAND, MAIN])
    assert flagged["quality"].to_list() == [Quality.ZERO, 0, 0]


def test_weather_beyond_what_has_ever_been_is_doubted() -> None:
    site = Site("ny", "New York", SiteKind.REGION, Place("America/New_York"))
    air, *_others = weather_channels(site, [Point("nyc", 40.7, -74.0)])
    assert flag(readings([70.0, 20.0], air.id), [air])["quality"].to_list() == [Quality.OUT_OF_RANGE, 0]


def test_a_frozen_value_is_looked_for_as_far_back_as_it_can_have_begun() -> None:
    daily = replace(DEMAND, resolution=timedelta(days=1))
    assert look_back([DEMAND]) == timedelta(hours=6)
    assert look_back([weather("temperature_2m")]) == timedelta(days=8)
    assert look_back([DEMAND, daily]) == timedelta(days=6)


def weather(variable: str) -> Channel:
    site = Site("ny", "New York", SiteKind.REGION, Place("America/New_York"))
    channels = weather_channels(site, [Point("nyc", 40.7, -74.0)])
    return next(channel for channel in channels if channel.variable == variable)


@pytest.mark.parametrize(
    ("variable", "values", "expected"),
    [
        ("temperature_2m", [-9999.0, 1e30, 20.0], [Quality.OUT_OF_RANGE, Quality.OUT_OF_RANGE, 0]),
        ("shortwave_radiation", [-20.0, 0.0, 400.0], [Quality.OUT_OF_RANGE, 0, 0]),
        ("temperature_2m", [5.0] * 48, [Quality.FROZEN] * 48),
        ("temperature_2m", [5.0] * 47, [0] * 47),
        ("cloud_cover", [100.0] * 60, [0] * 60),  # a week of fog
        ("shortwave_radiation", [300.0, *[0.0] * 36], [0, *[Quality.ZERO] * 36]),
        ("shortwave_radiation", [0.0] * 60, [0] * 60),  # the sun may not rise
    ],
)
def test_forecasts_and_readings_keep_the_same_limits(variable: str, values: list[float], expected: list[int]) -> None:
    channel = weather(variable)
    said = flag_forecasts(forecasts(*values, channel=channel.id, start=START, model="open_meteo"), [channel])
    assert said["quality"].to_list() == expected
    assert said["value"].to_list() == values
    assert flag(readings(values, channel.id), [channel])["quality"].to_list() == expected


@pytest.mark.parametrize(("factor", "doubt"), [(1000.0, Quality.OUT_OF_RANGE), (2.0, Quality.UNUSUAL), (1.0, 0)])
def test_an_operators_forecast_is_compared_with_the_load_of_the_weeks_before(factor: float, doubt: int) -> None:
    load = [12_000.0 + 3_000.0 * ((hour % 24) / 24) + hour % 5 for hour in range(24 * 30)]
    start = START + 30 * 24 * HOUR
    said = forecasts(*[factor * value for value in load[:24]], channel=DEMAND.id, start=start)
    known = readings(load)
    assert set(flag_forecasts(said, [DEMAND], readings=known)["quality"].to_list()) == {doubt}


def test_doubted_load_is_no_measure_of_a_forecast() -> None:
    load = [16_000.0 + hour % 24 for hour in range(24 * 30)]
    said = forecasts(*[2 * value for value in load[:24]], channel=DEMAND.id, start=START + 30 * 24 * HOUR)
    doubtful = Readings.cast(readings(load).with_columns(quality=pl.lit(int(Quality.FROZEN), pl.Int16)))
    assert set(flag_forecasts(said, [DEMAND], readings=doubtful)["quality"].to_list()) == {0}


def test_a_generation_a_thousand_times_too_large_is_doubted() -> None:
    limits = beside_load_limits(DEMAND.limits)
    wind = Channel("grid.ny.generation.wind", "ny", Quantity.ENERGY, Unit.MWH, HOUR, limits=limits)
    flagged = flag(readings([1_200.0, 1_200_000.0, 0.0, -5.0], wind.id), [wind])
    assert flagged["quality"].to_list() == [0, Quality.OUT_OF_RANGE, 0, 0]


def test_nothing_is_so_large_anywhere() -> None:
    bare = replace(DEMAND, limits=Limits())
    assert flag(readings([1e30, 5.0]), [bare])["quality"].to_list() == [Quality.OUT_OF_RANGE, 0]
