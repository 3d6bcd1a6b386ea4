"""What stands around a day on its page, and what is said of many days."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from builders import TEMPERATURE, demand_channel, demand_context, forecasts, readings, region_site, temperature_channel

from watthour.core.errors import InvalidInput
from watthour.core.frames import Forecasts, Quality, Readings
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.simulation.simtown import SIMTOWN
from watthour.store.memory import MemoryStore
from watthour.workflows.forecast import forecast
from watthour.workflows.train import train
from watthour.workflows.view import grid_forecast, grid_history, grid_week, status

if TYPE_CHECKING:
    from watthour.core.forecast import Context
    from watthour.registry.files import FileRegistry

EIGHT = time(8)
TODAY, TOMORROW = date(2024, 7, 10), date(2024, 7, 11)
AT_EIGHT = datetime(2024, 7, 10, 12, tzinfo=UTC)  # 08:00 in Simtown
MIDNIGHT = datetime(2024, 7, 10, 4, tzinfo=UTC)


@pytest.fixture
def trained(store: MemoryStore, registry: FileRegistry, now: datetime) -> FileRegistry:
    train(store, registry, SIMTOWN, recipe("operator_debiased"), now=now - HOUR, frozen_days=14)
    return registry


@pytest.fixture
def followed(store: MemoryStore, trained: FileRegistry, now: datetime) -> FileRegistry:
    """Forecasts of yesterday and today at 08:00 and a newer one, as a followed site has them."""
    for issued_at in (AT_EIGHT - DAY, AT_EIGHT, now):
        forecast(store, trained, SIMTOWN, now=issued_at)
    return trained


def page_of(
    store: MemoryStore,
    registry: FileRegistry,
    day: date | None = None,
    *,
    now: datetime,
    context: Context = SIMTOWN,
    issue_clock: time = EIGHT,
) -> dict[str, Any]:
    page: dict[str, Any] = grid_forecast(store, registry, context, day, now=now, issue_clock=issue_clock)
    json.dumps(page, allow_nan=False)  # what is shown is plain JSON
    return page


@pytest.mark.parametrize("day", [TODAY, TOMORROW])
def test_today_and_tomorrow_show_the_newest_forecast_from_the_last_reading_on(
    store: MemoryStore, followed: FileRegistry, now: datetime, day: date
) -> None:
    newest = page_of(store, followed, day, now=now)["newest"]
    assert newest["issued_at"] == "2024-07-10T16:20:00Z"
    times = [point["time"] for point in newest["points"]]
    assert times[0] == "2024-07-10T14:00:00Z"  # where the readings end
    assert times[-1] == "2024-07-12T03:00:00Z"  # the last hour of tomorrow
    assert len(times) == 38
    assert all(point["lower"] <= point["value"] <= point["upper"] for point in newest["points"])


def test_the_first_forecast_of_a_new_site_covers_the_rest_of_today_too(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    page = page_of(store, trained, TOMORROW, now=now)
    assert page["newest"]["points"][0]["time"] == "2024-07-10T16:00:00Z"  # the hour now running
    assert page["newest"]["points"][-1]["time"] == "2024-07-12T03:00:00Z"


def test_a_new_model_leaves_no_hole_between_the_last_reading_and_its_first_issue(registry: FileRegistry) -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[50.0] * 24 * 30, start=MIDNIGHT - 30 * DAY, available_at=MIDNIGHT))
    for model, value, begins in (("before-1", 40.0, 0), ("after-1", 60.0, 3)):
        issued_at = MIDNIGHT + begins * HOUR
        rows = forecasts(*[value] * (48 - begins), start=issued_at, issued_at=issued_at, model=model)
        store.append_forecasts(rows)
    page = page_of(store, registry, now=MIDNIGHT + 4 * HOUR, context=demand_context())
    assert page["newest"]["model_version"] == "after-1"
    assert [point["value"] for point in page["newest"]["points"]][:5] == [40.0, 40.0, 40.0, 60.0, 60.0]


@pytest.mark.parametrize("day", [TODAY, TOMORROW])
def test_what_was_said_at_the_hour_of_issue_stands_behind(
    store: MemoryStore, followed: FileRegistry, now: datetime, day: date
) -> None:
    today, tomorrow = page_of(store, followed, day, now=now)["day_ahead"]
    assert (today["day"], today["issued_at"]) == ("2024-07-10", "2024-07-09T12:00:00Z")
    assert (tomorrow["day"], tomorrow["issued_at"]) == ("2024-07-11", "2024-07-10T12:00:00Z")
    assert [len(today["points"]), len(tomorrow["points"])] == [24, 24]


def test_before_the_hour_of_issue_there_is_no_day_ahead_forecast_of_tomorrow(
    store: MemoryStore, followed: FileRegistry, now: datetime
) -> None:
    page = page_of(store, followed, TOMORROW, now=now, issue_clock=time(18))
    assert [each["day"] for each in page["day_ahead"]] == ["2024-07-10"]


def test_the_sentence_of_today_is_the_newest_forecasts(
    store: MemoryStore, followed: FileRegistry, now: datetime
) -> None:
    page = page_of(store, followed, TODAY, now=now)
    today = [point for point in page["newest"]["points"] if point["local_time"].startswith("2024-07-10")]
    peak = max(today, key=lambda point: float(point["value"]))
    assert f"Wednesday peaks at {peak['value']:,.0f} MWh" in page["headline"]
    assert f"{peak['lower']:,.0f} to {peak['upper']:,.0f} MWh" in page["headline"]
    assert page["newest"]["known_until"] == "2024-07-10T14:00:00Z"


def test_a_peak_that_was_measured_already_is_said_to_have_been(
    store: MemoryStore, followed: FileRegistry, now: datetime
) -> None:
    high = readings(9_900.0, channel=SIMTOWN.channel.id, start=MIDNIGHT + 5 * HOUR, available_at=now - HOUR)
    store.append(high)
    page = page_of(store, followed, TODAY, now=now)
    assert page["headline"] == "Wednesday peaked at 9,900 MWh between 05:00 and 06:00."


def test_a_reading_that_cannot_be_is_no_peak_and_stays_out_of_the_line_before_the_day(
    store: MemoryStore, followed: FileRegistry, now: datetime
) -> None:
    before = page_of(store, followed, TODAY, now=now)["headline"]
    for start, known_at in ((MIDNIGHT + 5 * HOUR, now - HOUR), (MIDNIGHT - 30 * HOUR, AT_EIGHT - DAY)):
        wrong = readings(4_986_216.0, start=start, available_at=known_at, quality=Quality.OUT_OF_RANGE)
        store.append(Readings.validate(wrong.with_columns(channel=pl.lit(SIMTOWN.channel.id))))
    page = page_of(store, followed, TODAY, now=now)
    assert page["headline"] == before
    assert 4_986_216.0 in [point["actual"] for point in page["points"]]  # the raw value stays, with its doubt
    assert 4_986_216.0 not in [point["value"] for point in page["known"]]


def test_a_past_day_has_what_came_between_the_issue_and_the_day(
    store: MemoryStore, followed: FileRegistry, now: datetime
) -> None:
    page = page_of(store, followed, TODAY - DAY, now=now + 3 * DAY)
    assert page["newest"] is None
    assert page["day_ahead"] == []
    later = [each["time"] for each in page["later"]]
    assert later[0] == page["known_until"]
    assert later[-1] == "2024-07-09T03:00:00Z"  # the last hour before the day


def test_a_picture_of_today_has_the_readings_that_came_since_the_issue(
    store: MemoryStore, followed: FileRegistry, now: datetime
) -> None:
    page = page_of(store, followed, TODAY, now=now)
    assert page["later"][-1]["time"] == "2024-07-10T13:00:00Z"


def weather_store(now: datetime) -> tuple[MemoryStore, Context]:
    store = MemoryStore()
    west = TEMPERATURE.replace("nyc", "buffalo")
    channels = [temperature_channel(), temperature_channel(west)]
    store.register([region_site()], [demand_channel(), *channels])
    store.append(readings(*[100.0] * 24 * 40, start=MIDNIGHT - 39 * DAY, available_at=now - DAY))
    for channel, degrees in ((TEMPERATURE, 20.0), (west, 10.0)):
        store.append(readings(*[degrees] * 24, channel=channel, start=MIDNIGHT, available_at=now - HOUR))
        ahead = forecasts(*[degrees + 4] * 48, channel=channel, start=MIDNIGHT, model="gfs", issued_at=now - 2 * HOUR)
        store.append_forecasts(ahead)
    return store, demand_context(*channels)


def test_the_temperature_is_measured_then_forecast_and_weighted_by_the_points(registry: FileRegistry) -> None:
    now = MIDNIGHT + 30 * HOUR
    store, context = weather_store(now)
    found = page_of(store, registry, now=now, context=context)["temperature"]
    assert found["unit"] == "degC"
    by_time = {point["time"]: point for point in found["points"]}
    measured, ahead = by_time["2024-07-10T05:00:00Z"], by_time["2024-07-11T06:00:00Z"]
    assert (measured["value"], measured["measured"]) == (15.0, True)
    assert (ahead["value"], ahead["measured"]) == (19.0, False)


def test_a_temperature_that_cannot_be_is_not_shown(registry: FileRegistry) -> None:
    now = MIDNIGHT + 30 * HOUR
    store, context = weather_store(now)
    out = Quality.OUT_OF_RANGE
    store.append(readings(-9999.0, start=MIDNIGHT + 5 * HOUR, channel=TEMPERATURE, available_at=now, quality=out))
    bad = forecasts(-9999.0, channel=TEMPERATURE, start=MIDNIGHT + 30 * HOUR, model="gfs", issued_at=now - HOUR)
    bad = Forecasts.validate(bad.with_columns(quality=pl.lit(int(out), pl.Int16)))
    store.append_forecasts(bad)
    found = page_of(store, registry, now=now, context=context)["temperature"]
    assert min(point["value"] for point in found["points"]) >= 10.0
    by_time = {point["time"]: point["value"] for point in found["points"]}
    assert by_time["2024-07-11T10:00:00Z"] == 19.0  # of the run before, which is good


def test_a_site_without_weather_has_no_temperature(registry: FileRegistry, now: datetime) -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[100.0] * 24 * 30, start=now.replace(minute=0) - 30 * DAY))
    assert page_of(store, registry, now=now, context=demand_context())["temperature"] is None


def test_a_large_load_is_said_in_a_larger_unit_and_kept_in_its_own(registry: FileRegistry, now: datetime) -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[17_340.0] * 24 * 30, start=now.replace(minute=0) - 30 * DAY))
    page = page_of(store, registry, now=now, context=demand_context())
    assert page["shown_in"] == {"unit": "GWh", "divisor": 1000.0, "digits": 2}
    assert "peaks at 17.34 GWh" in page["headline"]
    assert (page["unit"], page["points"][0]["value"]) == ("MWh", 17_340.0)


def test_a_baseline_that_stood_in_is_scored_under_its_own_name(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    page = page_of(store, registry, date(2024, 5, 20), now=now)
    assert page["model_version"] == "operator_debiased"
    rows = {row["model"]: row["label"] for row in page["scores_of_day"]["rows"]}
    assert rows["operator_debiased"] == "Operator's forecast, de-biased"
    assert "ours" not in rows


def test_the_model_is_named_in_words(store: MemoryStore, followed: FileRegistry, now: datetime) -> None:
    page = page_of(store, followed, now=now)
    assert page["model_label"] == "Operator's forecast, de-biased, trained 10 July 2024"
    assert page["newest"]["model_label"] == page["model_label"]


def test_an_archive_is_told_with_its_span_and_does_not_alarm(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    demand, operator, *_weather = page_of(store, registry, now=now + 400 * DAY)["freshness"]
    assert demand["archive"]
    assert not demand["stale"]
    assert demand["first_time"] < demand["last_time"] == "2024-07-10T13:00:00Z"
    assert not operator["stale"]


def test_a_live_feed_that_fell_silent_does_alarm(store: MemoryStore, registry: FileRegistry, now: datetime) -> None:
    later = now + 30 * DAY
    store.note_run(
        SourceRun("eia:simtown", later - HOUR, later - HOUR, Window(later - 5 * DAY, later + 4 * DAY), RunState.OK, 0)
    )
    demand = page_of(store, registry, now=later)["freshness"][0]
    assert demand["stale"]
    assert not demand["archive"]


def test_a_rival_that_ended_long_before_the_readings_has_its_last_value(registry: FileRegistry) -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[100.0] * 24 * 60, start=MIDNIGHT - 60 * DAY))
    store.append_forecasts(forecasts(*[90.0] * 24 * 20, start=MIDNIGHT - 60 * DAY))
    page = page_of(store, registry, now=MIDNIGHT + 2 * HOUR, context=demand_context())
    operator = next(entry for entry in page["freshness"] if entry["label"] == "Operator's forecast")
    assert operator["last_time"] == "2024-05-31T03:00:00Z"
    assert operator["age_hours"] is not None


@pytest.mark.usefixtures("followed")
def test_a_week_has_each_days_forecast_and_its_readings(store: MemoryStore, now: datetime) -> None:
    week: Any = grid_week(store, SIMTOWN, now=now, issue_clock=EIGHT)
    json.dumps(week, allow_nan=False)
    assert week["window"] == {"start": "2024-07-05", "end": "2024-07-11"}
    assert len(week["points"]) == 7 * 24
    issued = {day["day"]: day["issued_at"] for day in week["days"]}
    assert issued["2024-07-10"] == "2024-07-09T12:00:00Z"
    assert issued["2024-07-11"] == "2024-07-10T16:20:00Z"  # of a day to come the newest
    first = week["points"][0]
    assert first["lower"] <= first["value"] <= first["upper"]
    assert first["actual"] is not None


def test_a_day_without_a_kept_forecast_has_its_readings_alone(store: MemoryStore, now: datetime) -> None:
    week: Any = grid_week(store, SIMTOWN, end=date(2024, 5, 20), now=now, issue_clock=EIGHT)
    assert {day["issued_at"] for day in week["days"]} == {None}
    assert {point["value"] for point in week["points"]} == {None}
    assert all(point["actual"] is not None for point in week["points"])


def test_a_week_beyond_all_data_names_the_days_there_are(store: MemoryStore, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="to 2024-07-11"):
        grid_week(store, SIMTOWN, end=date(2025, 1, 1), now=now, issue_clock=EIGHT)


@pytest.mark.usefixtures("trained")
def test_the_history_of_errors_agrees_with_the_page_of_each_day(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    history: Any = grid_history(store, SIMTOWN, days=10, now=now, issue_clock=EIGHT)
    json.dumps(history, allow_nan=False)
    assert [day["day"] for day in history["days"]][::9] == ["2024-07-01", "2024-07-10"]
    day = history["days"][-3]
    page = page_of(store, registry, date.fromisoformat(day["day"]), now=now)
    assert day["rows"] == page["scores_of_day"]["rows"]
    assert {each["model"] for each in history["models"]} == {"ours", "operator", "seasonal_naive"}
    assert history["days"][-1]["rows"] == []  # today is not over
    with pytest.raises(InvalidInput):
        grid_history(store, SIMTOWN, days=0, now=now, issue_clock=EIGHT)


def test_reliability_is_the_share_of_readings_below_each_level() -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[50.0] * 24 * 30, start=MIDNIGHT - 30 * DAY))
    store.append(readings(*[80.0] * 6, *[50.0] * 18, start=MIDNIGHT))
    for level, value in ((0.05, 30.0), (0.5, 50.0), (0.95, 70.0)):
        rows = forecasts(*[value] * 24, start=MIDNIGHT, issued_at=MIDNIGHT - 16 * HOUR, model="mine-1", level=level)
        store.append_forecasts(rows)
    found: Any = grid_history(store, demand_context(), days=1, end=TODAY, now=MIDNIGHT + 40 * HOUR, issue_clock=EIGHT)[
        "reliability"
    ]
    assert found["n"] == 24
    assert {row["level_percent"]: row["below_percent"] for row in found["rows"]} == {5.0: 0.0, 50.0: 75.0, 95.0: 75.0}


def test_a_source_says_which_site_it_serves_and_what_it_is_called(store: MemoryStore, now: datetime) -> None:
    window = Window(now - DAY, now)
    for name in ("eia:simtown", "csv:meter.csv", f"forecast:{SIMTOWN.channel.id}"):
        store.note_run(SourceRun(name, now, now, window, RunState.OK, 1))
    sources: Any = status(store, [SIMTOWN], now=now, version="1")["sources"]
    assert {source["label"]: source["site"] for source in sources} == {
        "EIA, demand": "simtown",
        "File meter.csv": None,
        "Our forecasts": "simtown",
    }
