"""The tables' own rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
from builders import forecasts

from watthour.core.frames import Events, Forecasts, Scenarios

START = datetime(2024, 1, 1, tzinfo=UTC)


def test_a_forecast_says_who_made_it() -> None:
    assert Forecasts.is_valid(forecasts(1.0))
    assert not Forecasts.is_valid(forecasts(1.0).with_columns(maker=pl.lit("somebody")))


def test_a_path_of_a_scenario_has_one_value_an_interval() -> None:
    rows = [("home.main.power", START + n * timedelta(hours=1), START, path, 1.0) for n in (0, 1) for path in (0, 1)]
    table = pl.DataFrame(rows, schema=Scenarios.create_empty().schema, orient="row")
    assert Scenarios.is_valid(table)
    assert not Scenarios.is_valid(pl.concat([table, table[:1]]))


def test_an_event_lasts_a_while_and_uses_no_negative_energy() -> None:
    def event(hours: float, energy_kwh: float | None) -> pl.DataFrame:
        row = ("washer", START, START + timedelta(hours=hours), energy_kwh, START, START, 0)
        return pl.DataFrame([row], schema=Events.create_empty().schema, orient="row")

    assert Events.is_valid(event(2, 0.9))
    assert Events.is_valid(event(2, None))
    assert not Events.is_valid(event(0, 0.9))
    assert not Events.is_valid(event(2, -0.1))
