from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.regions import region

from watthour.core.errors import InvalidInput
from watthour.core.frames import Quality
from watthour.core.quality import flag_forecasts
from watthour.core.window import Window
from watthour.grid.regions import Regions
from watthour.sources import datasets
from watthour.sources.datasets import Dataset, parse_demand, parse_gfs, parse_stations

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import Context

NY = region("NY")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def recognise(path: Path, context: Context | None = None) -> list[Dataset]:
    return datasets.recognise(path, context, find=Regions().find)


def demand_table() -> pl.DataFrame:
    """Four hours of New York; the second is a zero EIA never repaired, the third a gap."""
    period = [datetime(2019, 4, 18, hour, tzinfo=UTC) for hour in (3, 4, 5, 6)]
    return pl.DataFrame(
        {
            "period": period,
            "demand_mwh": [15_100.0, 0.0, None, 13_200.0],
            "day_ahead_forecast_mwh": [14_800.0, 14_100.0, 0.0, None],
        }
    )


def test_an_hour_is_named_by_its_start() -> None:
    readings, _ = parse_demand(NY, demand_table())
    assert readings["time"][0] == datetime(2019, 4, 18, 2, tzinfo=UTC)


def test_zeros_and_gaps_stay_as_published() -> None:
    readings, forecasts = parse_demand(NY, demand_table())
    assert readings["value"].to_list() == [15_100.0, 0.0, None, 13_200.0]
    assert forecasts["value"].to_list() == [14_800.0, 14_100.0, 0.0]


def test_an_operator_that_forecasts_nothing_is_doubted(tmp_path: Path) -> None:
    path = tmp_path / "ny_demand.parquet"
    demand_table().write_parquet(path)
    (source,) = recognise(path)
    delivery = source.fetch(source.span(), now=NOW)
    forecasts = flag_forecasts(delivery.forecasts, source.channels())
    assert [bool(quality & Quality.ZERO) for quality in forecasts["quality"]] == [False, False, True]
    assert set(forecasts["maker"]) == {"rival"}


def test_demand_was_known_two_hours_after_its_end_and_the_operators_forecast_on_the_morning_before() -> None:
    readings, forecasts = parse_demand(NY, demand_table())
    assert readings["published"][0] == datetime(2019, 4, 18, 5, tzinfo=UTC)
    # 02:00 UTC on the 18th is 22:00 on the 17th in New York: forecast on the 16th at 07:05, which is 11:05 UTC.
    assert forecasts["issued_at"].to_list()[:3] == [datetime(2019, 4, 16, 11, 5, tzinfo=UTC)] * 2 + [
        datetime(2019, 4, 17, 11, 5, tzinfo=UTC)
    ]


def station_table() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "made_date": [date(2019, 7, 19), date(2019, 7, 22), date(2019, 7, 19)],
            "valid_date": [date(2019, 7, 20), date(2019, 7, 20), date(2019, 7, 19)],
            "kind": ["forecast", "actual", "forecast"],
            "station_id": ["LGA", "LGA", "ALB"],
            "max_temp_f": [98.6, 95.0, -99.0],
            "min_temp_f": [77.0, 77.0, 70.0],
            "max_wet_bulb_f": [77.0, 77.0, 70.0],
            "min_wet_bulb_f": [68.0, 68.0, 65.0],
        }
    )


def test_station_forecasts_are_known_at_eight_on_the_day_they_are_made() -> None:
    actuals, forecasts = parse_stations(NY, station_table())
    highest = pl.col("channel") == "grid.ny.weather.lga.temperature_max"
    forecast = forecasts.filter(highest).row(0, named=True)
    assert forecast["time"] == datetime(2019, 7, 20, 4, tzinfo=UTC)
    assert forecast["issued_at"] == datetime(2019, 7, 19, 12, tzinfo=UTC)
    assert forecast["value"] == pytest.approx(37.0)
    actual = actuals.filter(highest).row(0, named=True)
    assert actual["published"] == datetime(2019, 7, 22, 12, tzinfo=UTC)
    assert actual["value"] == pytest.approx(35.0)


def test_a_stations_missing_mark_is_doubted() -> None:
    _, forecasts = parse_stations(NY, station_table())
    doubted = forecasts.filter(pl.col("quality") != 0)
    assert doubted["channel"].to_list() == ["grid.ny.weather.alb.temperature_max"]


def test_a_station_that_the_site_lists_drives_the_load_and_another_does_not(tmp_path: Path) -> None:
    path = tmp_path / "ny_stations.parquet"
    station_table().with_columns(station_id=pl.Series(["LGA", "LGA", "XYZ"])).write_parquet(path)
    (source,) = recognise(path)
    channels = {channel.id: channel for channel in source.channels()}
    listed, other = (channels[f"grid.ny.weather.{station}.temperature_max"] for station in ("lga", "xyz"))
    assert (listed.variable, listed.point, listed.weight) == ("temperature_max", "lga", 0.2)
    assert other.variable is None
    assert listed.resolution == other.resolution == timedelta(days=1)


def test_a_gfs_run_is_known_five_hours_after_its_init_time() -> None:
    run = datetime(2019, 1, 1, tzinfo=UTC)
    table = pl.DataFrame({"issue_utc": [run] * 2, "var": ["TEMP", "PCP"], "lead_h": [3, 6], "value": [273.15, 1.5]})
    _, forecasts = parse_gfs(NY, table)
    assert forecasts["channel"].to_list() == [
        "grid.ny.weather.mean.temperature_2m",
        "grid.ny.weather.mean.precipitation",
    ]
    assert forecasts["time"].to_list() == [run + timedelta(hours=3), run + timedelta(hours=6)]
    assert forecasts["value"].to_list() == pytest.approx([0.0, 1.5])
    assert forecasts["published"].to_list() == [run + timedelta(hours=5)] * 2


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_table_is_recognised_by_its_columns(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ny_demand.{suffix}"
    table = demand_table()
    table.write_parquet(path) if suffix == "parquet" else table.write_csv(path)
    (source,) = recognise(path)
    assert (source.name, source.context.site.id) == ("demand:ny", "ny")
    delivery = source.fetch(source.span(), now=NOW)
    assert (delivery.readings.height, delivery.forecasts.height, delivery.refused.height) == (4, 3, 0)
    assert (delivery.readings["quality"] == Quality.ASSUMED).all()
    assert [channel.id for channel in source.channels()] == ["grid.ny.demand"]


def test_a_table_of_two_respondents_is_two_sources(tmp_path: Path) -> None:
    path = tmp_path / "two.parquet"
    both = [
        demand_table().with_columns(respondent=pl.lit(name), demand_mwh=value)
        for name, value in (("PJM", 9e4), ("ISNE", 1e4))
    ]
    pl.concat(both).write_parquet(path)
    sources = recognise(path)
    assert [source.context.site.code("eia") for source in sources] == ["ISNE", "PJM"]
    values = [source.fetch(source.span(), now=NOW).readings["value"][0] for source in sources]
    assert values == [1e4, 9e4]


def test_a_table_that_does_not_say_whose_it_is_asks(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    demand_table().write_parquet(path)
    with pytest.raises(InvalidInput, match="--region"):
        recognise(path)
    assert recognise(path, NY)[0].context == NY


def test_any_other_table_is_not_recognised(tmp_path: Path) -> None:
    path = tmp_path / "ny_other.csv"
    path.write_text("a,b\n1,2\n")
    assert recognise(path) == []
    assert recognise(tmp_path / "readme.md") == []


@pytest.mark.shared_data
def test_new_yorks_published_tables_come_in_whole(shared_data: Path) -> None:
    grid = shared_data / "grid"
    (demand,) = recognise(grid / "ny_demand.parquet")
    delivery = demand.fetch(demand.span(), now=NOW)
    assert delivery.refused.is_empty()
    zeros = delivery.readings.filter(pl.col("value") == 0)["time"].to_list()
    assert datetime(2019, 4, 18, 3, tzinfo=UTC) in zeros  # published as ending 04:00
    assert len(zeros) == 4
    (stations,) = recognise(grid / "ny_station_weather_issued_2008_2019.parquet")
    day = stations.fetch(Window(datetime(2019, 7, 20, tzinfo=UTC), datetime(2019, 7, 21, tzinfo=UTC)), now=NOW)
    assert day.forecasts["issued_at"].n_unique() == 2  # on the day itself and on the day before
    assert (day.forecasts["available_at"] <= day.forecasts["issued_at"]).all()
    (runs,) = recognise(grid / "ny_gfs_issued_2019_2021.parquet")
    temperature = runs.fetch(runs.span(), now=NOW).forecasts.filter(pl.col("channel").str.ends_with("temperature_2m"))
    assert temperature["value"].is_between(-30, 45).all()
