"""Open-Meteo: the parser on a recorded answer, and its four products over real HTTP."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.open_meteo import fake_open_meteo
from fakes.regions import region
from fakes.server import CUT_SHORT, OVERLOADED, as_json

from watthour.core.channel import Site, SiteKind
from watthour.core.errors import InvalidInput, PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.place import Place, Point
from watthour.core.weather import HOURLY
from watthour.core.window import HOUR, Window
from watthour.sources.http import RateLimit, RetryPolicy
from watthour.sources.open_meteo import (
    Clients,
    OpenMeteoArchive,
    OpenMeteoForecast,
    OpenMeteoOptions,
    OpenMeteoPreviousRuns,
    OpenMeteoSingleRuns,
    open_client,
    parse_hourly,
    points_of,
)

if TYPE_CHECKING:
    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery

RECORDED = Path(__file__).parents[1] / "recorded"
REGION = region("NYIS")


def with_points(*points: Point) -> Context:
    return replace(REGION, site=replace(REGION.site, points=points))


NEW_YORK = with_points(Point("nyc", 40.71, -74.01, 0.7), Point("buffalo", 42.89, -78.88, 0.3))
ONE_POINT = with_points(Point("equator", 0.0, -74.01, 1.0))
MIDNIGHT = datetime(2024, 7, 20, tzinfo=UTC)
DAY = Window(MIDNIGHT, MIDNIGHT + 24 * HOUR)
NOW = datetime(2024, 8, 1, 12, tzinfo=UTC)
QUICK = RetryPolicy(attempts=3, first_wait=0.001, longest_wait=0.5)


def clients_to(base_url: str) -> Clients:
    return open_client(OpenMeteoOptions(url=base_url), rate_limit=RateLimit(1e9), retry=QUICK)


def weather(hours: int = 24 * 20, start: datetime = MIDNIGHT - timedelta(days=3)) -> pl.DataFrame:
    """Every variable counts the hours since midnight of the day."""
    stamps = pl.datetime_range(start, start + (hours - 1) * HOUR, "1h", time_zone="UTC", eager=True)
    count = (stamps - MIDNIGHT).dt.total_hours().cast(pl.Float64)
    return pl.DataFrame({"stamp": stamps, **dict.fromkeys(HOURLY, count)})


def runs(*inits: datetime) -> pl.DataFrame:
    """Every variable says the hours from midnight of the day to the run's init."""
    return pl.concat(
        [
            weather(96, init)
            .with_columns(pl.lit((init - MIDNIGHT) / HOUR).alias(variable) for variable in HOURLY)
            .with_columns(run=pl.lit(init))
            for init in inits
        ]
    )


def series(delivery: Delivery, channel: str) -> dict[datetime, float]:
    rows = delivery.readings if delivery.forecasts.is_empty() else delivery.forecasts
    return dict(rows.filter(pl.col("channel") == channel).select("time", "value").iter_rows())


def recorded() -> pl.DataFrame:
    return parse_hourly(json.loads((RECORDED / "open_meteo_archive.json").read_text()), NEW_YORK.site)


def test_several_points_are_told_apart_by_their_order() -> None:
    rows = recorded().filter(pl.col("time") == datetime(2019, 7, 20, 20, tzinfo=UTC))
    values = dict(rows.select("channel", "value").iter_rows())
    assert values["grid.ny.weather.nyc.temperature_2m"] == 34.4
    assert values["grid.ny.weather.buffalo.temperature_2m"] == 25.1


def test_a_sum_of_the_preceding_hour_is_named_by_the_start_of_that_hour() -> None:
    rain = recorded().filter(pl.col("channel") == "grid.ny.weather.nyc.precipitation", pl.col("value") > 0)
    assert rain["time"].to_list() == [datetime(2019, 7, 20, 20, tzinfo=UTC)]  # theirs: 21:00, "preceding hour sum"


def test_a_gap_stays_a_gap_and_a_variable_the_model_lacks_is_all_gaps() -> None:
    wind = recorded().filter(pl.col("channel") == "grid.ny.weather.nyc.wind_speed_10m")
    assert wind["value"].to_list() == [4.3, None, 4.1]
    assert recorded().filter(pl.col("channel") == "grid.ny.weather.nyc.snowfall")["value"].null_count() == 3


def test_one_point_is_answered_by_an_object() -> None:
    one = json.loads((RECORDED / "open_meteo_archive.json").read_text())[0]
    rows = parse_hourly(one, with_points(NEW_YORK.site.points[0]).site)
    assert rows.height == 12


def _spoilt(**changes: object) -> object:
    answer = json.loads((RECORDED / "open_meteo_archive.json").read_text())
    answer[0] |= changes
    return answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([], "2 points were asked, 0 answered"),
        ({"error": False}, "1 answered"),
        (_spoilt(hourly=None), "no hourly values"),
        (_spoilt(utc_offset_seconds=-14400), "not in UTC"),
        (_spoilt(hourly={"time": ["2019-07-20T19:00"], "temperature_2m": [1.0, 2.0]}), "temperature_2m cannot be read"),
        (_spoilt(hourly={"time": ["19:00"], "temperature_2m": [1.0]}), "temperature_2m cannot be read"),
        (_spoilt(hourly={"temperature_2m": [1.0]}), "temperature_2m cannot be read"),
        (_spoilt(hourly={"time": ["2019-07-20T19:00"], "temperature_2m": ["warm"]}), "temperature_2m cannot be read"),
        (_spoilt(hourly_units={"temperature_2m": "furlong"}), "temperature_2m is in furlong, not in degC"),
        (_spoilt(hourly_units={"temperature_2m": "mm"}), "temperature_2m is in mm, not in degC"),
    ],
)
def test_an_answer_of_another_shape_is_a_changed_payload(answer: object, said: str) -> None:
    with pytest.raises(PayloadChanged, match=said):
        parse_hourly(answer, NEW_YORK.site)


def test_another_unit_of_the_same_quantity_is_converted() -> None:
    answer = _spoilt(
        hourly={"time": ["2019-07-20T19:00"], "wind_speed_10m": [36.0]}, hourly_units={"wind_speed_10m": "km/h"}
    )
    rows = parse_hourly(answer, NEW_YORK.site).filter(pl.col("channel") == "grid.ny.weather.nyc.wind_speed_10m")
    assert rows["value"].to_list() == pytest.approx([10.0])


def test_observed_weather_comes_for_every_point_and_variable() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        source = OpenMeteoArchive(NEW_YORK, clients_to(server.base_url))
        delivery = source.fetch(DAY, now=NOW)
        assert len(server.requests) == 1
    assert delivery.readings.height == 2 * 12 * 24
    assert set(delivery.readings["channel"]) == {channel.id for channel in source.channels()}
    assert series(delivery, "grid.ny.weather.buffalo.temperature_2m")[MIDNIGHT + 5 * HOUR] == pytest.approx(5.4289)
    assert series(delivery, "grid.ny.weather.nyc.rain")[MIDNIGHT + 5 * HOUR] == pytest.approx(6.4071)


def test_days_that_are_not_offered_are_left_out() -> None:
    refusal = {"error": True, "reason": "Parameter 'end_date' is out of allowed range from 1940-01-01 to 2024-07-20"}
    with fake_open_meteo(weather(), now=NOW) as server:
        source = OpenMeteoArchive(ONE_POINT, clients_to(server.base_url))
        server.faults.append(as_json(refusal, 400))
        delivery = source.fetch(Window(DAY.start, DAY.end + 30 * HOUR), now=NOW)
        assert [request.one("end_date") for request in server.requests] == ["2024-07-22", "2024-07-20"]
        assert delivery.readings["time"].max() == DAY.end - HOUR
        server.faults.append(as_json(refusal, 400))
        assert source.fetch(Window(DAY.end, DAY.end + HOUR), now=NOW).readings.is_empty()
        server.faults.extend([as_json(refusal, 400)] * 2)
        with pytest.raises(SourceRejected, match="allowed range"):
            source.fetch(Window(DAY.start, DAY.end - 2 * HOUR), now=NOW)


def test_previous_runs_before_any_were_kept_are_not_asked_for() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        source = OpenMeteoPreviousRuns(ONE_POINT, clients_to(server.base_url))
        old = datetime(2019, 7, 20, tzinfo=UTC)
        assert source.fetch(Window(old, old + HOUR), now=NOW).forecasts.is_empty()
        assert server.requests == []


def test_winds_are_asked_for_in_metres_a_second() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        delivery = OpenMeteoArchive(ONE_POINT, clients_to(server.base_url)).fetch(DAY, now=NOW)
    assert series(delivery, "grid.ny.weather.equator.wind_speed_10m")[MIDNIGHT + 5 * HOUR] == 5.0


def test_observed_weather_is_known_five_days_later() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        delivery = OpenMeteoArchive(ONE_POINT, clients_to(server.base_url)).fetch(DAY, now=NOW)
    delay = (delivery.readings["available_at"] - delivery.readings["time"]).unique().to_list()
    assert delay == [timedelta(days=5, hours=1)]


def test_the_archive_is_not_asked_for_the_future() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        source = OpenMeteoArchive(ONE_POINT, clients_to(server.base_url))
        assert source.fetch(Window(NOW + HOUR, NOW + 30 * HOUR), now=NOW).readings.is_empty()
        assert server.requests == []
        source.fetch(Window(NOW - HOUR, NOW + 300 * HOUR), now=NOW)
        assert server.requests[0].one("end_date") == "2024-08-01"


def test_a_forecast_read_now_is_known_now_and_issued_at_the_last_third_hour() -> None:
    now = MIDNIGHT + 13.5 * HOUR
    with fake_open_meteo(weather(), now=now) as server:
        delivery = OpenMeteoForecast(ONE_POINT, clients_to(server.base_url)).fetch(
            Window(MIDNIGHT, MIDNIGHT + 48 * HOUR), now=now
        )
    assert set(delivery.forecasts["issued_at"]) == {MIDNIGHT + 12 * HOUR}
    assert set(delivery.forecasts["available_at"]) == {now}
    assert set(delivery.forecasts["model"]) == {"open_meteo"}
    assert set(delivery.forecasts["quality"]) == {0}
    assert delivery.forecasts["time"].min() == MIDNIGHT + 12 * HOUR  # what lies behind is no forecast
    assert delivery.forecasts["time"].max() == MIDNIGHT + 47 * HOUR
    assert delivery.readings.is_empty()


def test_a_forecast_is_not_asked_beyond_what_is_offered() -> None:
    with fake_open_meteo(weather(), now=MIDNIGHT) as server:
        source = OpenMeteoForecast(ONE_POINT, clients_to(server.base_url))
        source.fetch(Window(MIDNIGHT, MIDNIGHT + 1000 * HOUR), now=MIDNIGHT)
        assert server.requests[0].one("end_date") == "2024-08-04"
        assert source.fetch(Window(MIDNIGHT - 30 * HOUR, MIDNIGHT), now=MIDNIGHT).forecasts.is_empty()
        assert len(server.requests) == 1


def test_previous_runs_are_dated_by_the_days_before_their_hour() -> None:
    inits = [MIDNIGHT - timedelta(days=days) for days in (3, 2, 1, 0)]
    with fake_open_meteo(weather(), runs=runs(*inits), now=NOW) as server:
        delivery = OpenMeteoPreviousRuns(ONE_POINT, clients_to(server.base_url)).fetch(DAY, now=NOW)
    rows = delivery.forecasts.filter(
        pl.col("channel") == "grid.ny.weather.equator.temperature_2m", pl.col("time") == MIDNIGHT + 5 * HOUR
    ).sort("issued_at")
    assert rows["issued_at"].to_list() == [MIDNIGHT - 43 * HOUR, MIDNIGHT - 19 * HOUR]
    assert rows["available_at"].to_list() == [MIDNIGHT - 38 * HOUR, MIDNIGHT - 14 * HOUR]
    assert rows["value"].to_list() == [-48.0, -24.0]  # made before they are said to be issued


def test_a_preceding_hours_sum_is_issued_by_its_own_stamp() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        delivery = OpenMeteoPreviousRuns(ONE_POINT, clients_to(server.base_url), days=(1,)).fetch(DAY, now=NOW)
    ahead = delivery.forecasts.select("channel", lead=pl.col("time") - pl.col("issued_at")).unique()
    leads = dict(ahead.iter_rows())
    assert leads["grid.ny.weather.equator.temperature_2m"] == timedelta(hours=24)
    assert leads["grid.ny.weather.equator.rain"] == timedelta(hours=23)


def test_previous_runs_that_are_not_out_yet_are_left_out() -> None:
    now = MIDNIGHT + 2 * HOUR
    with fake_open_meteo(weather(), now=now) as server:
        delivery = OpenMeteoPreviousRuns(ONE_POINT, clients_to(server.base_url)).fetch(
            Window(MIDNIGHT, MIDNIGHT + 60 * HOUR), now=now
        )
    assert delivery.refused.is_empty()
    assert (delivery.forecasts["available_at"] <= now).all()


def test_single_runs_are_dated_by_their_init_time() -> None:
    inits = [MIDNIGHT - timedelta(days=2), MIDNIGHT]
    with fake_open_meteo(weather(), runs=runs(*inits), now=NOW) as server:
        delivery = OpenMeteoSingleRuns(ONE_POINT, clients_to(server.base_url)).fetch(DAY, now=NOW)
        asked = [request.one("run") for request in server.requests]
    assert asked == ["2024-07-18T00:00", "2024-07-19T00:00", "2024-07-20T00:00"]
    rows = delivery.forecasts.filter(pl.col("channel") == "grid.ny.weather.equator.temperature_2m")
    assert set(rows.select("issued_at", "value").iter_rows()) == {
        (inits[0], -48.0),
        (inits[1], 0.0),
    }  # one was never kept
    assert rows.height == 48
    assert set(rows["model"]) == {"gfs_global"}
    assert set((rows["available_at"] - rows["issued_at"]).to_list()) == {timedelta(hours=5)}


def test_a_chosen_weather_model_is_asked_for_and_named() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        source = OpenMeteoPreviousRuns(ONE_POINT, clients_to(server.base_url), weather_model="gfs_seamless")
        delivery = source.fetch(DAY, now=NOW)
        assert server.requests[0].one("models") == "gfs_seamless"
    assert set(delivery.forecasts["model"]) == {"gfs_seamless"}


def test_a_wrong_place_is_the_users_to_mend() -> None:
    nowhere = with_points(Point("nowhere", 522.0, 0.0, 1.0))
    with (
        fake_open_meteo(weather(), now=NOW) as server,
        pytest.raises(SourceRejected, match="Latitude must be in range"),
    ):
        OpenMeteoArchive(nowhere, clients_to(server.base_url)).fetch(DAY, now=NOW)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("Minutely API request limit exceeded. Please try again in one minute.", "Ask again in 61 seconds"),
        ("Hourly API request limit exceeded. Please try again in the next hour.", "Ask again in 60 minutes"),
        ("Daily API request limit exceeded. Please try again tomorrow.", "Ask again in 1440 minutes"),
    ],
)
def test_a_limit_that_lasts_is_not_asked_again_and_says_how_long(reason: str, said: str) -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        server.faults.append(as_json({"error": True, "reason": reason}, 429))
        with pytest.raises(SourceUnavailable, match=said):
            OpenMeteoArchive(ONE_POINT, clients_to(server.base_url)).fetch(DAY, now=NOW)
        assert len(server.requests) == 1


def test_an_overloaded_service_is_asked_again() -> None:
    with fake_open_meteo(weather(), now=NOW) as server:
        server.faults.extend([OVERLOADED, CUT_SHORT])
        delivery = OpenMeteoArchive(ONE_POINT, clients_to(server.base_url)).fetch(DAY, now=NOW)
    assert delivery.readings.height == 12 * 24


def test_a_large_request_costs_as_many_turns_as_the_provider_counts() -> None:
    waits: list[float] = []
    clients = open_client(
        OpenMeteoOptions(url="http://127.0.0.1:1"),
        rate_limit=RateLimit(1.0, clock=lambda: 0.0, pause=waits.append),
        retry=RetryPolicy(attempts=1),
    )
    source = OpenMeteoArchive(NEW_YORK, clients)
    for _ in range(2):
        with pytest.raises(SourceUnavailable):
            source.fetch(Window(MIDNIGHT, MIDNIGHT + timedelta(days=27, hours=22)), now=NOW + timedelta(days=90))
    assert waits == pytest.approx([2 * 1.2 * 2])  # 2 points, 12 variables of 10, 28 days of 14


@pytest.mark.parametrize("kind", [OpenMeteoArchive, OpenMeteoForecast, OpenMeteoPreviousRuns, OpenMeteoSingleRuns])
def test_a_probe_is_one_small_request(kind: type[OpenMeteoArchive]) -> None:
    with fake_open_meteo(weather(), runs=runs(MIDNIGHT), now=MIDNIGHT + 30 * HOUR) as server:
        kind(ONE_POINT, clients_to(server.base_url)).probe(now=MIDNIGHT + 30 * HOUR)
        assert len(server.requests) == 1


def test_a_site_without_points_has_the_weather_of_its_own_place() -> None:
    home = Site("attic", "Attic", SiteKind.HOME, Place("Europe/Brussels", latitude=50.0, longitude=4.0))
    assert points_of(home) == (Point("site", 50.0, 4.0),)
    with pytest.raises(InvalidInput, match="no coordinates"):
        points_of(replace(home, place=Place("Europe/Brussels")))


def test_the_channels_of_a_point_carry_its_share_of_the_load() -> None:
    source = OpenMeteoForecast(NEW_YORK, clients_to("http://127.0.0.1:1"))
    weights = {(channel.point, channel.weight) for channel in source.channels()}
    assert weights == {("nyc", 0.7), ("buffalo", 0.3)}
    assert "grid.ny.weather.nyc.temperature_2m" in {channel.id for channel in source.channels()}
