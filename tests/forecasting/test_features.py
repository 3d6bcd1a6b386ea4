from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from forecasting import world
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from watthour.core.errors import InvalidInput
from watthour.core.forecast import Covariate, History, covariates_of, day_ahead_targets, targets
from watthour.core.frames import Forecasts, Quality, Readings, Targets
from watthour.core.place import Point
from watthour.core.weather import DAILY, weather_channels
from watthour.core.window import DAY, HOUR, Window, local_day
from watthour.forecasting.features import feature_names, features

if TYPE_CHECKING:
    import dataframely as dy

DAYS = [date(2023, 3, 1) + timedelta(days=n) for n in range(40)]
NAMES_OF_PREDICT = {
    *("temperature", "apparent_temperature", "humidity", "wind_speed", "cloud_cover", "solar_radiation"),
    *("precipitation", "hour_of_day", "day_of_week", "month", "is_weekend", "is_holiday", "demand_lag_1h"),
    *("demand_lag_24h", "demand_lag_168h", "demand_rolling_mean_24h", "demand_rolling_std_24h", "temp_squared"),
    *("cooling_degree_hours", "heating_degree_hours"),
}


@pytest.fixture(scope="module")
def past() -> History:
    return world.history()


def asked(days: list[date], known_clock: time | None = None) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, world.ZONE, resolution=HOUR, issue_clock=time(8), known_clock=known_clock)


def row(table: pl.DataFrame, when: datetime) -> dict[str, Any]:
    return table.row(by_predicate=pl.col("time") == when, named=True)


def spoiled(history: History, after: datetime, kind: str) -> History:
    """Return the history with all that nobody could know at an instant made absurd, gone, or followed by news."""
    tables = {"readings": history.readings, "forecasts": history.forecasts}
    told = {}
    for name, rows in tables.items():
        known = pl.DataFrame(rows).filter(pl.col("available_at") <= after)
        unknown = pl.DataFrame(rows).filter(pl.col("available_at") > after)
        if kind == "changed":
            unknown = unknown.with_columns(value=pl.lit(-9e6))
        elif kind == "gone":
            unknown = unknown.clear()
        else:  # news of what is known already: revisions, and later runs of the same model
            late = pl.lit(after + timedelta(microseconds=1))
            columns = {"available_at": late, "recorded_at": late, "value": pl.lit(7e6)}
            if name == "forecasts":
                columns["issued_at"] = late
            unknown = pl.concat([unknown, known.with_columns(**columns).unique(["channel", "time"])])
        told[name] = pl.concat([known, unknown])
    return replace(history, readings=Readings.cast(told["readings"]), forecasts=Forecasts.cast(told["forecasts"]))


@pytest.mark.parametrize("kind", ["changed", "gone", "revised"])
@pytest.mark.parametrize("known_clock", [None, time(6), time(8)])
@given(which=st.integers(1, len(DAYS) - 1))
@settings(max_examples=3, deadline=None)
def test_nothing_from_the_future_moves_a_feature(
    past: History, kind: str, known_clock: time | None, which: int
) -> None:
    all_days = asked(DAYS, known_clock)
    issued_at = asked([DAYS[which]])["issued_at"][0]
    ours = pl.col("issued_at") <= issued_at
    before = features(past, all_days).filter(ours)
    after = features(spoiled(past, issued_at, kind), all_days).filter(ours)
    assert_frame_equal(before, after.select(before.columns), check_exact=True)


def test_what_was_known_does_move_them(past: History) -> None:
    """The test above has teeth: the same spoiling an hour earlier shows."""
    one = asked([DAYS[20]], time(8))
    issued_at = one["issued_at"][0]
    before, after = (
        features(history, one) for history in (past, spoiled(past, issued_at - timedelta(hours=1), "changed"))
    )
    moved = [name for name in feature_names(before) if not before[name].equals(after[name])]
    assert "demand_last" in moved
    spoiled_run = spoiled(past, issued_at - timedelta(days=1), "changed")
    moved = [name for name in feature_names(before) if not before[name].equals(features(spoiled_run, one)[name])]
    assert {"temperature", "operator_forecast", "operator_error_24h", "demand_same_hour_last"} <= set(moved)


def test_a_data_lag_hides_what_the_meter_said_since(past: History) -> None:
    midnight, six = (features(past, asked([DAYS[10]], clock)) for clock in (None, time(6)))
    assert set(midnight["demand_age_hours"] - six["demand_age_hours"]) == {6.0}
    edge = local_day(DAYS[10] - timedelta(days=1), world.ZONE).start
    late = replace(
        past,
        readings=Readings.cast(
            past.readings.with_columns(
                value=pl.when(pl.col("time") + HOUR > edge).then(pl.lit(5e6)).otherwise("value"),
                available_at=pl.col("time"),
            )
        ),
    )
    assert features(late, asked([DAYS[10]]))["demand_last"].max() < 5e6  # type: ignore[operator]  # a float


def test_lags_are_what_they_say(past: History) -> None:
    table = features(past, asked([date(2023, 3, 22)]))
    when = datetime(2023, 3, 22, 15, tzinfo=UTC)
    values = dict(past.readings.filter(pl.col("channel") == world.DEMAND).select("time", "value").iter_rows())
    found = row(table, when)
    assert found["demand_lag_1h"] is None
    assert found["demand_lag_24h"] is None
    assert found["demand_lag_48h"] == values[when - 48 * HOUR]
    assert found["demand_lag_168h"] == values[when - 168 * HOUR]
    assert found["demand_same_hour_last"] == values[when - 48 * HOUR]
    assert found["demand_same_weekday_last"] == values[when - 168 * HOUR]
    end = local_day(date(2023, 3, 20), world.ZONE).end
    last_day = [values[end - n * HOUR] for n in range(1, 25)]
    assert found["demand_last"] == values[end - HOUR]
    assert found["demand_rolling_mean_24h"] == pytest.approx(np.mean(last_day))
    assert found["demand_rolling_std_24h"] == pytest.approx(np.std(last_day))
    assert found["demand_age_hours"] == (when - end + HOUR) / HOUR


def test_the_mean_of_four_weekdays_skips_unknown_ones(past: History) -> None:
    when = datetime(2023, 3, 29, 15, tzinfo=UTC)
    gone = past.readings.filter(pl.col("time") != when - 168 * HOUR)
    values = dict(gone.filter(pl.col("channel") == world.DEMAND).select("time", "value").iter_rows())
    found = row(features(replace(past, readings=Readings.cast(gone)), asked([date(2023, 3, 29)])), when)
    # across the change of the clocks on 12 March the same clock time is an hour later in UTC
    weeks = [when - 336 * HOUR, when - 503 * HOUR, when - 671 * HOUR, when - 839 * HOUR]
    assert found["demand_same_weekday_mean_4w"] == pytest.approx(np.mean([values[week] for week in weeks]))
    assert found["demand_same_weekday_last"] == values[when - 336 * HOUR]


@pytest.mark.parametrize(("day", "n_hours"), [(date(2023, 3, 12), 23), (date(2023, 11, 5), 25), (date(2023, 6, 1), 24)])
def test_days_of_23_and_25_hours_are_real(day: date, n_hours: int) -> None:
    past = world.history(day - timedelta(days=60), 64)
    table = features(past, asked([day]))
    assert table.height == n_hours
    hour = table["hour_of_day"].to_list()
    assert hour == [float(local.hour) for local in table["time"].dt.convert_time_zone(world.ZONE)]
    assert hour[0] == 0 and hour[-1] == 23  # noqa: PT018 - one statement about both ends
    assert table["demand_same_weekday_last"].null_count() == 0
    assert table["operator_ratio_28d"].null_count() == 0


@pytest.mark.parametrize("day", [date(2023, 3, 13), date(2023, 3, 18), date(2023, 11, 6), date(2023, 11, 11)])
def test_the_same_hour_means_the_local_clock(day: date) -> None:
    past = world.history(day - timedelta(days=60), 64)
    values = dict(past.readings.filter(pl.col("channel") == world.DEMAND).select("time", "value").iter_rows())
    table = features(past, asked([day]))
    zone = ZoneInfo(world.ZONE)
    for found in table.iter_rows(named=True):
        local = found["time"].astimezone(zone).replace(tzinfo=None)
        week_before = (local - timedelta(days=7)).replace(tzinfo=zone).astimezone(UTC)
        if local.hour not in (1, 2):  # the hours that are skipped or repeated
            assert found["demand_same_weekday_last"] == values[week_before]


def test_the_calendar_is_the_regions_own() -> None:
    past = world.history(date(2023, 5, 15), 60)
    table = features(past, asked([date(2023, 7, 3), date(2023, 7, 4), date(2023, 7, 5)]))
    by_day = table.group_by(table["time"].dt.convert_time_zone(world.ZONE).dt.date().alias("day"), maintain_order=True)
    flags = by_day.agg(
        pl.col(
            "is_holiday", "is_day_before_holiday", "is_day_after_holiday", "is_weekend", "day_of_week", "month"
        ).max()
    ).rows()
    assert [list(flag[1:]) for flag in flags] == [[0, 1, 0, 0, 0, 7], [1, 0, 0, 0, 1, 7], [0, 0, 1, 0, 2, 7]]


def test_degree_hours_have_their_base_at_65_fahrenheit(past: History) -> None:
    table = features(past, asked(DAYS[:5]))
    warm = table["temperature"].to_numpy() - 18.3
    assert table["cooling_degree_hours"].to_numpy() == pytest.approx(np.maximum(warm, 0))
    assert table["heating_degree_hours"].to_numpy() == pytest.approx(np.maximum(-warm, 0))
    assert table["temp_squared"].to_numpy() == pytest.approx(table["temperature"].to_numpy() ** 2)


def test_the_twenty_features_have_their_names(past: History) -> None:
    assert set(feature_names(features(past, asked(DAYS[:1])))) >= NAMES_OF_PREDICT


def test_weather_is_the_latest_run_weighted_over_the_points(past: History) -> None:
    when = datetime(2023, 3, 22, 15, tzinfo=UTC)
    found = row(features(past, asked([date(2023, 3, 22)])), when)["temperature"]
    run = datetime(2023, 3, 21, tzinfo=UTC)
    said = past.forecasts.filter(pl.col("time") == when, pl.col("issued_at") == run)
    expected = sum(
        weight * said.filter(pl.col("channel") == f"{prefix}.temperature_2m")["value"].item()
        for prefix, weight in world.POINTS
    )
    assert found == pytest.approx(expected)


def test_one_silent_point_leaves_the_others_to_speak(past: History) -> None:
    silent = past.forecasts.filter(~pl.col("channel").str.contains("coast"))
    when = datetime(2023, 3, 22, 15, tzinfo=UTC)
    found = row(features(replace(past, forecasts=Forecasts.cast(silent)), asked([date(2023, 3, 22)])), when)
    said = silent.filter(pl.col("time") == when, pl.col("issued_at") == datetime(2023, 3, 21, tzinfo=UTC))
    hills = said.filter(pl.col("channel").str.contains("hills"))["value"].item()
    assert found["temperature"] == pytest.approx(hills)


def test_a_week_of_missing_weather_is_null_not_invented(past: History) -> None:
    issued_at = pl.col("issued_at").is_between(datetime(2023, 3, 14, tzinfo=UTC), datetime(2023, 3, 25, tzinfo=UTC))
    gone = past.forecasts.filter((pl.col("model") == "operator") | ~issued_at)
    table = features(replace(past, forecasts=Forecasts.cast(gone)), asked([date(2023, 3, 24)]))
    assert table["temperature"].null_count() == table["cooling_degree_hours"].null_count() == 24
    assert table["demand_same_hour_last"].null_count() == 0


def test_extremes_of_a_day_make_an_hourly_temperature_where_none_is_forecast() -> None:
    station = (Point("lga", 40.8, -73.9),)
    context = replace(
        world.CONTEXT, covariates=covariates_of(weather_channels(world.SITE, station, DAILY, resolution=DAY))
    )
    past = world.history(weather=False, context=context)
    starts = [local_day(day, world.ZONE).start for day in DAYS]
    told = [
        world.forecasts(
            f"grid.here.weather.lga.{name}",
            pl.DataFrame({"time": starts, "value": [value] * len(starts)}).with_columns(
                issued_at=pl.col("time") - timedelta(hours=16)
            ),
            "stations",
        )
        for name, value in (("temperature_max", 20.0), ("temperature_min", 10.0))
    ]
    past = replace(past, forecasts=Forecasts.validate(pl.concat([past.forecasts, *told])))
    table = features(past, asked([date(2023, 3, 22)]))
    by_hour = dict(zip(table["hour_of_day"], table["temperature"], strict=True))
    assert by_hour[15.0] == pytest.approx(20)
    assert by_hour[3.0] == pytest.approx(10)
    assert table["temperature_max"].to_list() == [20.0] * 24
    assert table["temperature_max_1d_before"].to_list() == [20.0] * 24


def test_weather_in_steps_of_three_hours_is_read_between_them(past: History) -> None:
    coarse = past.forecasts.filter((pl.col("model") == "operator") | (pl.col("time").dt.hour() % 3 == 0))
    table = features(replace(past, forecasts=Forecasts.cast(coarse)), asked([date(2023, 3, 22)]))
    value = dict(zip(table["time"].dt.hour(), table["temperature"], strict=True))
    assert value[16] == pytest.approx(2 / 3 * value[15] + 1 / 3 * value[18])


def test_doubted_hours_are_unknown(past: History) -> None:
    when = datetime(2023, 3, 20, 15, tzinfo=UTC)
    is_it = (pl.col("time") == when) & (pl.col("channel") == world.DEMAND)
    zeroed = past.readings.with_columns(
        value=pl.when(is_it).then(0.0).otherwise("value"),
        quality=pl.when(is_it).then(int(Quality.ZERO)).otherwise("quality").cast(pl.Int16),
    )
    found = row(features(replace(past, readings=Readings.cast(zeroed)), asked([date(2023, 3, 22)])), when + 48 * HOUR)
    assert found["demand_lag_48h"] is None
    assert found["demand_same_hour_last"] > 100


def test_a_forecast_beside_a_load_of_nothing_has_no_ratio(past: History) -> None:
    nothing = past.readings.with_columns(value=pl.when(pl.col("channel") == world.DEMAND).then(0.0).otherwise("value"))
    silent = past.forecasts.with_columns(value=pl.when(pl.col("model") == "operator").then(0.0).otherwise("value"))
    found = features(
        replace(past, readings=Readings.cast(nothing), forecasts=Forecasts.cast(silent)), asked([date(2023, 3, 22)])
    )
    assert found["operator_forecast"].to_list() == [0.0] * 24
    for name in ("operator_change", "operator_around"):
        assert found[name].is_null().all()


def test_only_the_wanted_columns_are_worked_out(past: History) -> None:
    whole = features(past, asked(DAYS[:3]))
    wanted = ["is_weekend", "demand_same_weekday_last", "operator_ratio_28d"]
    some = features(past, asked(DAYS[:3]), weather=False, columns=wanted)
    assert_frame_equal(some, whole.select("issued_at", "time", *wanted))


def test_days_are_local_days_with_lags_of_days() -> None:
    past = world.history(date(2023, 1, 1), 90, context=world.context(DAY))
    day = date(2023, 3, 14)  # two days after the clocks changed
    one = day_ahead_targets([day], world.ZONE, resolution=DAY, issue_clock=time(8), known_clock=None)
    found = features(past, one).row(0, named=True)
    means = dict(past.readings.filter(pl.col("channel") == world.DEMAND).select("time", "value").iter_rows())
    assert found["demand_lag_1h"] is None
    assert found["demand_lag_48h"] == means[local_day(day - 2 * DAY, world.ZONE).start]
    assert found["demand_same_weekday_last"] == means[local_day(day - 7 * DAY, world.ZONE).start]
    run = past.forecasts.filter(
        pl.col("channel").str.ends_with("coast.temperature_2m"),
        pl.col("issued_at") == datetime(2023, 3, 13, tzinfo=UTC),
        pl.col("time").is_between(*(local_day(day, world.ZONE).start, local_day(day, world.ZONE).end), closed="left"),
    )
    hills = past.forecasts.filter(
        pl.col("channel").str.ends_with("hills.temperature_2m"),
        pl.col("issued_at") == datetime(2023, 3, 13, tzinfo=UTC),
        pl.col("time").is_in(run["time"].implode()),
    )
    assert found["temperature"] == pytest.approx(0.7 * run["value"].mean() + 0.3 * hills["value"].mean())  # type: ignore[operator]  # floats


def test_the_operator_is_left_out_on_request(past: History) -> None:
    names = feature_names(features(past, asked(DAYS[:1]), operator=False))
    assert not [name for name in names if name.startswith("operator")]
    alone = replace(past, context=replace(past.context, rivals=()))
    assert not [name for name in feature_names(features(alone, asked(DAYS[:1]))) if name.startswith("operator")]


def test_an_hour_ahead_knows_the_hour_before(past: History) -> None:
    when = datetime(2023, 3, 22, 15, tzinfo=UTC)
    quick = replace(past, readings=Readings.cast(past.readings.with_columns(available_at=pl.col("time") + HOUR)))
    found = features(quick, targets(Window(when, when + HOUR), when, resolution=HOUR, time_zone=world.ZONE)).row(
        0, named=True
    )
    values = dict(past.readings.filter(pl.col("channel") == world.DEMAND).select("time", "value").iter_rows())
    assert found["demand_lag_1h"] == found["demand_last"] == values[when - HOUR]
    assert found["demand_age_hours"] == 1


def test_many_issues_at_once_are_what_each_alone_would_be(past: History) -> None:
    together = features(past, asked(DAYS))
    alone = pl.concat([features(past, asked([day])) for day in DAYS[:6]])
    assert_frame_equal(together.head(alone.height), alone.select(together.columns))


def test_half_hours_work_as_hours_do() -> None:
    step = timedelta(minutes=30)
    span = datetime(2023, 1, 1, tzinfo=UTC), datetime(2023, 3, 1, tzinfo=UTC)
    times = pl.datetime_range(*span, "30m", closed="left", time_unit="us", eager=True)
    seen = world.readings(world.DEMAND, times, np.arange(len(times), dtype=float))
    past = History(world.FAR, world.place("Europe/London", step), Readings.validate(seen), Forecasts.create_empty())
    when = datetime(2023, 2, 20, 10, 30, tzinfo=UTC)
    asked_for = targets(
        Window(when - step, when), when - timedelta(hours=12), resolution=step, time_zone="Europe/London"
    )
    found = features(past, asked_for).row(0, named=True)
    position = (when - step - times[0]) / step
    assert found["demand_lag_24h"] == position - 48
    assert found["demand_rolling_mean_24h"] == pytest.approx(position - 24 - 6 + 1 - 23.5)


def test_an_unknown_holiday_calendar_is_named(past: History) -> None:
    site = replace(world.SITE, place=replace(world.SITE.place, holidays="XX-YY"))
    lost = replace(past, context=replace(past.context, site=site))
    with pytest.raises(InvalidInput, match="XX-YY"):
        features(lost, asked(DAYS[:1]))


def test_another_thing_known_in_advance_keeps_its_name(past: History) -> None:
    channel = "grid.here.price"
    known = world.readings(channel, past.readings["time"].unique().sort(), np.arange(120 * 24.0), timedelta(days=-400))
    context = replace(past.context, covariates=(*past.context.covariates, Covariate(channel, "price")))
    priced = replace(past, context=context, readings=Readings.validate(pl.concat([past.readings, known])))
    table = features(priced, asked(DAYS[:1]))
    assert table["price"].diff().drop_nulls().to_list() == [1.0] * 23


def test_no_history_gives_nulls_not_errors() -> None:
    nothing = History(world.FAR, world.CONTEXT, Readings.create_empty(), Forecasts.create_empty())
    table = features(nothing, asked(DAYS[:1]))
    assert table["demand_last"].null_count() == table["demand_age_hours"].null_count() == 24
    assert not math.isnan(table["hour_of_day"][0])
