from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from watthour.core.frames import Quality
from watthour.core.window import Window, local_day
from watthour.simulation.simtown import PEAK_MWH, SIMTOWN, Simulation
from watthour.simulation.town import SimulatedRegion

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WEEK = Window(NOW - timedelta(days=7), NOW + timedelta(days=3))


def test_an_hour_is_the_same_however_it_is_asked() -> None:
    week = SimulatedRegion().fetch(WEEK, now=NOW).readings
    hour = SimulatedRegion().fetch(Window(NOW - timedelta(days=2), NOW - timedelta(days=1)), now=NOW).readings
    both = hour.join(week, on=["channel", "time"], suffix="_week")
    assert both.height == hour.height > 0
    assert both.filter(pl.col("value") != pl.col("value_week")).is_empty()


def test_another_seed_is_another_town() -> None:
    ours = pl.col("channel") == SIMTOWN.channel.id
    one, other = (SimulatedRegion(seed=seed).fetch(WEEK, now=NOW).readings.filter(ours)["value"] for seed in (1, 2))
    assert (one != other).sum() > 0.9 * len(one)


def test_every_row_and_channel_is_marked_simulated() -> None:
    source = SimulatedRegion()
    delivery = source.fetch(WEEK, now=NOW)
    for frame in (delivery.readings, delivery.forecasts):
        assert ((frame["quality"] & int(Quality.SIMULATED)) > 0).all()
    assert all(channel.is_simulated for channel in source.channels())
    assert all(site.is_simulated for site in source.sites())


def test_nothing_is_known_before_it_could_be() -> None:
    delivery = SimulatedRegion().fetch(WEEK, now=NOW)
    assert delivery.readings.filter(pl.col("available_at") <= pl.col("time")).is_empty()
    for frame in (delivery.readings, delivery.forecasts):
        assert frame.filter(pl.col("available_at") > NOW).is_empty()
    tomorrow = local_day(date(2026, 3, 11), SIMTOWN.time_zone)
    known = delivery.forecasts.filter(pl.col("time").is_between(tomorrow.start, tomorrow.end, closed="left"))
    assert set(known["model"].unique()) == {"operator", "simulation"}
    assert set(known["maker"].unique()) == {"rival"}


def test_the_operator_runs_low_and_weather_forecasts_worsen_with_lead() -> None:
    year = SimulatedRegion().fetch(Window(NOW - timedelta(days=365), NOW), now=NOW)
    joined = year.forecasts.join(year.readings, on=["channel", "time"], suffix="_actual")
    operator = joined.filter(pl.col("model") == "operator").select(
        (pl.col("value") / pl.col("value_actual") - 1).mean()
    )
    assert -0.04 < operator.item() < -0.01
    lead = (pl.col("time") - pl.col("issued_at")).dt.total_days().alias("lead")
    temperature = joined.filter(pl.col("channel").str.ends_with("temperature_2m"))
    by_lead = temperature.group_by(lead).agg((pl.col("value") - pl.col("value_actual")).abs().mean()).sort("lead")
    errors = by_lead["value"].to_list()
    assert errors == sorted(errors)


def test_demand_is_plausible_through_both_clock_changes() -> None:
    for day in (date(2025, 3, 9), date(2025, 11, 2)):
        window = local_day(day, SIMTOWN.time_zone)
        demand = SimulatedRegion().fetch(window, now=NOW).readings.filter(pl.col("channel") == SIMTOWN.channel.id)
        assert demand.height == window.hours
        assert demand["value"].is_between(2_500, PEAK_MWH).all()


def test_simtown_is_found_by_its_names_and_nothing_else_is() -> None:
    directory = Simulation()
    for name in ("simtown", "Simulated", " SIMTOWN ", "Simtown (simulated)"):
        assert directory.find(name) == SIMTOWN
    assert directory.find("ny") is None
    assert directory.near("simtwon") == ["simtown"]
    assert directory.near("pjm") == []


def test_its_weather_channels_carry_the_weights_of_their_points() -> None:
    weather = [channel for channel in SimulatedRegion().channels() if channel.variable is not None]
    assert {(channel.point, channel.weight) for channel in weather} == {("harbour", 0.65), ("hills", 0.35)}
    assert SimulatedRegion().channels()[0] == SIMTOWN.channel
