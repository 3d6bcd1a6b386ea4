"""Elia's open data: the parser on recorded rows, and both datasets over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from fakes.elia import fake_elia
from fakes.server import as_json, limited

from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable
from watthour.core.frames import Quality
from watthour.core.units import Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.sources import elia
from watthour.sources.elia import HISTORY, RECENT, Elia, EliaOptions, parse
from watthour.sources.elia_supply import parse_carbon, parse_generation, parse_wind_solar
from watthour.sources.http import RateLimit, RetryPolicy
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Callable

    from fakes.server import FakeServer

    from watthour.core.channel import Site

RECORDED = Path(__file__).parents[1] / "recorded"
QUARTER = timedelta(minutes=15)
LONG_AFTER = datetime(2026, 11, 21, tzinfo=UTC)
MIDNIGHT = datetime(2026, 7, 1, 22, tzinfo=UTC)  # of the second, in Brussels
(BELGIUM,) = elia.contexts()


def recorded(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((RECORDED / f"elia_{name}.json").read_text())
    return rows


def source_at(server: FakeServer) -> Elia:
    options = EliaOptions(url=server.base_url)
    retry = RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.5)
    return Elia(BELGIUM, elia.open_client(options, rate_limit=RateLimit(1e9), retry=retry))


def values(rows: pl.DataFrame) -> dict[datetime, float | None]:
    return dict(rows.select("time", "value").iter_rows())


def test_belgium_is_a_site_with_quarter_hours_of_power() -> None:
    assert (BELGIUM.site.id, BELGIUM.site.zone, BELGIUM.place.holidays) == ("be", "BE", "BE")
    assert (BELGIUM.channel.unit, BELGIUM.channel.resolution) == (Unit.MW, QUARTER)
    assert BELGIUM.rivals == ("operator",)
    assert sum(point.weight for point in BELGIUM.site.points) == pytest.approx(1.0)


def test_a_quarter_hour_is_named_by_its_start_whatever_offset_it_is_written_with() -> None:
    readings, _, _ = parse(recorded("ods001"), HISTORY, now=LONG_AFTER)
    assert values(readings) == {
        datetime(2024, 3, 30, 23, 30, tzinfo=UTC): 8021.4,  # twice, in UTC and in local time
        datetime(2024, 3, 31, 0, 45, tzinfo=UTC): 7702.1,
        datetime(2024, 3, 31, 1, 0, tzinfo=UTC): None,
        datetime(2024, 3, 31, 1, 15, tzinfo=UTC): 7611.9,
    }


def test_the_near_real_time_dataset_calls_the_load_measured() -> None:
    readings, _, _ = parse(recorded("ods002"), RECENT, now=LONG_AFTER)
    assert values(readings)[datetime(2026, 7, 1, 14, 30, tzinfo=UTC)] == 9312.58
    with pytest.raises(PayloadChanged, match=r"ods002 lacks .*measured"):
        parse(recorded("ods001"), RECENT, now=LONG_AFTER)


def test_the_day_ahead_forecast_has_its_band() -> None:
    _, forecasts, _ = parse(recorded("ods002"), RECENT, now=LONG_AFTER)
    first = forecasts.filter(pl.col("time") == datetime(2026, 7, 1, 14, 30, tzinfo=UTC))
    assert dict(first.select("level", "value").iter_rows()) == {0.1: 9055.4, 0.5: 9402.93, 0.9: 9750.46}
    assert set(first["model"]) == {"operator"}


def test_the_day_ahead_forecast_is_issued_at_six_on_the_local_day_before() -> None:
    _, forecasts, _ = parse(recorded("ods001"), HISTORY, now=LONG_AFTER)
    issued = dict(forecasts.select("time", "issued_at").iter_rows())
    assert issued == {  # the day of the spring change begins at 23:00 UTC
        datetime(2024, 3, 30, 23, 30, tzinfo=UTC): datetime(2024, 3, 30, 17, tzinfo=UTC),
        datetime(2024, 3, 31, 0, 45, tzinfo=UTC): datetime(2024, 3, 30, 17, tzinfo=UTC),
        datetime(2024, 3, 31, 1, 15, tzinfo=UTC): datetime(2024, 3, 30, 17, tzinfo=UTC),
    }


@pytest.mark.parametrize(("clock", "n_days"), [("15:59", 1), ("16:20", 1), ("16:30", 2)])
def test_before_it_is_posted_the_most_recent_forecast_is_not_taken_for_it(clock: str, n_days: int) -> None:
    now = datetime.fromisoformat(f"2026-07-01T{clock}:00+00:00")  # 18:00 in Brussels is 16:00 UTC
    _, forecasts, _ = parse(recorded("ods002"), RECENT, now=now)
    assert forecasts["time"].dt.date().n_unique() == n_days


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"resolutioncode": "PT60M"}, "resolution_is_a_quarter_hour"),
        ({"datetime": "2024-03-31T02:07:00+00:00"}, "time_is_a_quarter_hour"),
        ({"datetime": "yesterday"}, "time_is_readable"),
        ({"totalload": "n/a"}, "value_is_a_number"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_the_rule_it_broke(changes: dict[str, Any], rule: str) -> None:
    readings, _, refused = parse([recorded("ods001")[0] | changes], HISTORY, now=LONG_AFTER)
    assert readings.is_empty()
    assert refused["rule"].to_list() == [rule]


@pytest.mark.parametrize("answer", [{"results": []}, "text", [1], [{"datetime": "2024-03-31T02:00:00+00:00"}]])
def test_another_shape_is_a_changed_payload(answer: object) -> None:
    with pytest.raises(PayloadChanged):
        parse(answer, HISTORY, now=LONG_AFTER)


def test_an_error_with_a_good_status_is_still_an_error() -> None:
    with pytest.raises(SourceRejected, match="malformed"):
        parse({"error_code": "ODSQLError", "message": "ODSQL query is malformed"}, HISTORY, now=LONG_AFTER)


def test_the_past_comes_from_the_history_alone_and_in_one_answer() -> None:
    with fake_elia(MIDNIGHT, MIDNIGHT + 92 * DAY, now=LONG_AFTER) as server:
        delivery = source_at(server).fetch(Window(MIDNIGHT, MIDNIGHT + 92 * DAY), now=LONG_AFTER)
        assert [request.path for request in server.requests] == ["/ods001/exports/json"]
        assert server.requests[0].one("timezone") == "UTC"
    assert delivery.readings.height == 92 * 96
    assert delivery.forecasts.height == 3 * 92 * 96
    assert delivery.readings["value"][0] == 9000.0
    assert set((delivery.readings["available_at"] - delivery.readings["time"]).to_list()) == {QUARTER + HOUR}
    assert ((delivery.readings["quality"] & int(Quality.ASSUMED)) != 0).all()


def test_today_is_asked_in_both_and_tomorrow_has_its_forecast_once_it_is_out() -> None:
    now = MIDNIGHT + 19 * HOUR  # 19:00 in Brussels
    window = Window(MIDNIGHT, MIDNIGHT + 72 * HOUR)
    with fake_elia(MIDNIGHT, window.end, now=now) as server:
        delivery = source_at(server).fetch(window, now=now, watched_from=MIDNIGHT - 9 * DAY)
        assert [request.path for request in server.requests] == ["/ods001/exports/json", "/ods002/exports/json"]
    assert delivery.readings.height == 19 * 4
    assert delivery.readings["value"].null_count() == 0  # what is not measured yet is no gap
    assert delivery.forecasts["time"].max() == MIDNIGHT + 48 * HOUR - QUARTER
    assert set(delivery.forecasts["available_at"]) == {now}
    assert delivery.refused.is_empty()


def test_of_two_values_the_historys_stands_and_a_gap_in_it_is_filled() -> None:
    old = recorded("ods001")[0]
    new = {**old, "measured": 8000.0}
    other = {**new, "datetime": "2024-03-31T00:00:00+00:00"}
    now = datetime(2024, 3, 31, 12, tzinfo=UTC)
    with fake_elia(MIDNIGHT, MIDNIGHT + HOUR, now=now) as server:
        server.faults.extend([as_json([old, {**old, "datetime": other["datetime"], "totalload": None}])])
        server.faults.extend([as_json([new, other])])
        window = Window(datetime(2024, 3, 30, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))
        delivery = source_at(server).fetch(window, now=now)
    assert delivery.readings["value"].to_list() == [8021.4, 8000.0]


def test_a_limit_is_waited_for_and_a_wrong_query_is_not_repeated() -> None:
    with fake_elia(MIDNIGHT, MIDNIGHT + DAY, now=LONG_AFTER) as server:
        source = source_at(server)
        server.faults.append(limited("0"))
        assert source.fetch(Window(MIDNIGHT, MIDNIGHT + HOUR), now=LONG_AFTER).readings.height == 4
        server.faults.extend([as_json({"error_code": "TooMany", "message": "Too many requests"}, 429)] * 2)
        with pytest.raises(SourceUnavailable, match="Too many requests"):
            source.fetch(Window(MIDNIGHT, MIDNIGHT + HOUR), now=LONG_AFTER)
        server.faults.append(as_json({"error_code": "ODSQLError", "message": "ODSQL query is malformed"}, 400))
        with pytest.raises(SourceRejected, match="malformed"):
            source.probe(now=LONG_AFTER)


def test_belgium_comes_into_a_store_beside_new_york() -> None:
    store = MemoryStore()
    window = Window(MIDNIGHT, MIDNIGHT + DAY)
    with fake_elia(MIDNIGHT, MIDNIGHT + DAY, now=LONG_AFTER) as server:
        report = ingest(source_at(server), store, window, now=LONG_AFTER)
    assert (report.new_rows, report.refused_rows) == (96 + 3 * 96, 0)
    assert dict(store.models_of("grid.be.demand")) == {"operator": "rival"}
    assert (store.read(["grid.be.demand"], window)["quality"] == int(Quality.ASSUMED)).all()


# generation, wind and sun, CO2


def quarter(name: str, **said: object) -> dict[str, Any]:
    return {"datetime": MIDNIGHT.isoformat(), "resolutioncode": "PT15M", **said, "dataset": name}


def fuel(name: str, power: float | None, **said: object) -> dict[str, Any]:
    return quarter("ods201", fueltypeentsoe=name, fueltypepublication=name, generatedpower=power) | said


def wind(where: str, region: str, early: float | None, late: float | None) -> dict[str, Any]:
    said = {"offshoreonshore": where, "region": region, "gridconnectiontype": "Elia"}
    return quarter("ods031", dayahead11hforecast=early, dayaheadforecast=late, **said)


def test_recorded_generation_is_told_by_fuel_and_a_missing_one_stays_missing() -> None:
    readings, refused = parse_generation(recorded("ods201"), BELGIUM.site)
    found = {(name.rpartition(".")[2], time.minute): value for name, time, value, _ in readings.iter_rows()}
    assert refused.is_empty()
    assert found["hydro_run_of_river", 30] == 38.4
    assert found["battery", 30] == -45.0
    assert ("gas", 30) in found
    assert found["gas", 15] is None
    assert ("pumped_storage", 30) not in found  # told of no quarter-hour at all


def test_a_fuel_that_is_told_in_parts_is_their_sum_and_none_where_a_part_is_missing() -> None:
    rows = [fuel("Fossil Oil", 5.0), fuel("Fossil Oil", 7.0), fuel("Waste", 3.0), fuel("Waste", None)]
    later = (MIDNIGHT + QUARTER).isoformat()
    rows += [fuel("Waste", 4.0, datetime=later), fuel("Fossil Oil", 1.0, datetime=later)]
    readings, _ = parse_generation(rows, BELGIUM.site)
    found = {(name.rpartition(".")[2], time): value for name, time, value, _ in readings.iter_rows()}
    assert found == {
        ("oil", MIDNIGHT): 12.0,
        ("waste", MIDNIGHT): None,
        ("waste", MIDNIGHT + QUARTER): 4.0,
        ("oil", MIDNIGHT + QUARTER): 1.0,
    }


def test_a_new_fuel_has_a_channel_and_another_step_is_refused() -> None:
    readings, refused = parse_generation(
        [fuel("Fusion", 5.0), fuel("Solar", 1.0, resolutioncode="PT60M")], BELGIUM.site
    )
    assert readings["channel"].to_list() == ["grid.be.generation.fusion"]
    assert refused["rule"].to_list() == ["resolution_is_a_quarter_hour"]


def test_wind_is_the_sum_of_its_parts_as_forecast_at_11_and_at_18() -> None:
    rows = [wind("Onshore", "Flanders", 100.0, 110.0), wind("Onshore", "Wallonia", 50.0, 60.0)]
    rows += [wind("Offshore", "Federal", 900.0, 950.0)]
    forecasts, refused = parse_wind_solar(rows, "ods031", BELGIUM, now=LONG_AFTER)
    found = {(name, issued): value for name, _, value, _, issued, _ in forecasts.iter_rows()}
    eleven, eighteen = MIDNIGHT - 13 * HOUR, MIDNIGHT - 6 * HOUR
    assert refused.is_empty()
    assert found == {
        ("grid.be.ahead.wind_onshore", eleven): 150.0,
        ("grid.be.ahead.wind_offshore", eleven): 900.0,
        ("grid.be.ahead.wind_onshore", eighteen): 170.0,
        ("grid.be.ahead.wind_offshore", eighteen): 950.0,
    }


def test_a_quarter_hour_that_lacks_a_part_of_its_day_is_no_sum() -> None:
    whole = [wind("Onshore", region, 100.0, 110.0) for region in ("Flanders", "Wallonia")]
    rows = [*whole, wind("Onshore", "Flanders", 70.0, 80.0) | {"datetime": (MIDNIGHT + QUARTER).isoformat()}]
    forecasts, _ = parse_wind_solar(rows, "ods031", BELGIUM, now=LONG_AFTER)
    assert set(forecasts["time"]) == {MIDNIGHT}


def test_before_its_hour_a_forecast_of_the_day_ahead_is_none() -> None:
    rows = [wind("Offshore", "Federal", 900.0, 905.0)]
    eleven = MIDNIGHT - 13 * HOUR
    assert parse_wind_solar(rows, "ods086", BELGIUM, now=eleven)[0].is_empty()
    known, _ = parse_wind_solar(rows, "ods086", BELGIUM, now=eleven + HOUR)
    assert known["value"].to_list() == [900.0]


def test_the_sun_is_that_of_the_whole_country_and_is_never_added_up() -> None:
    parts = {"Belgium": 700.0, "Flanders": 400.0, "Antwerp": 150.0, "Wallonia": 300.0}
    rows = [
        quarter("ods032", region=region, dayahead11hforecast=None, dayaheadforecast=power)
        for region, power in parts.items()
    ]
    forecasts, _ = parse_wind_solar(rows, "ods032", BELGIUM, now=LONG_AFTER)
    assert forecasts.select("channel", "value").rows() == [("grid.be.ahead.solar", 700.0)]


def test_co2_is_told_by_the_hour_of_what_is_produced_and_of_what_is_used() -> None:
    rows = [{"datetime": "2026-06-30T18:00:00+00:00", "production": 287.34, "consumption": 206.107}]
    readings, refused = parse_carbon([*rows, {**rows[0], "datetime": "2026-06-30T18:15:00+00:00"}], BELGIUM.site)
    assert dict(readings.select("channel", "value").iter_rows()) == {
        "grid.be.carbon.elia.average.production.direct": 287.34,
        "grid.be.carbon.elia.average.consumption.direct": 206.107,
    }
    assert set(refused["rule"]) == {"time_is_an_hour"}


def test_the_intensity_of_what_belgium_makes_follows_from_its_generation() -> None:
    with fake_elia(MIDNIGHT, MIDNIGHT + DAY, now=LONG_AFTER) as server:
        client = elia.open_client(EliaOptions(url=server.base_url), rate_limit=RateLimit(1e9))
        store = MemoryStore()
        window = Window(MIDNIGHT, MIDNIGHT + 2 * HOUR)
        ingest(elia.EliaGeneration(BELGIUM, client), store, window, now=LONG_AFTER)
    made = store.read(["grid.be.carbon.mix.average.production.direct"], window)
    gas, others = 900.0, 3900.0 + 10.0 + 46.0 + 700.0
    assert made.height == 8
    assert made["value"][0] == pytest.approx((gas * 370.0 + 500.0 * 575.0) / (gas + others + 500.0), abs=1e-3)


@pytest.mark.parametrize("read", [parse_generation, parse_carbon])
def test_rows_of_another_shape_are_not_guessed_at(read: Callable[[object, Site], object]) -> None:
    with pytest.raises(PayloadChanged, match="lacks"):
        read([{"datetime": "2026-06-30T18:00:00+00:00"}], BELGIUM.site)
    with pytest.raises(SourceRejected):
        read({"error_code": "ODSQLError", "message": "malformed"}, BELGIUM.site)
