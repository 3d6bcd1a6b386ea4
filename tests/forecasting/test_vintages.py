from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from builders import readings
from hypothesis import given, settings
from hypothesis import strategies as st

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context, History
from watthour.core.frames import Forecasts, Quality
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.forecasting.vintages import (
    HOUR_US,
    Vintages,
    by_issue,
    forecast_vintages,
    instant,
    instants,
    measurement_vintages,
)

START = datetime(2024, 1, 1, tzinfo=UTC)
Row = tuple[int, int, float | None]  # hour, known at hour, value


def vintages(rows: list[Row], quality: int = 0) -> Vintages:
    return Vintages.of(
        pl.DataFrame(
            {
                "time": [START + timedelta(hours=row[0]) for row in rows],
                "available_at": [START + timedelta(hours=row[1]) for row in rows],
                "value": [row[2] for row in rows],
                "quality": [quality] * len(rows),
            },
            schema={
                "time": pl.Datetime("us", "UTC"),
                "available_at": pl.Datetime("us", "UTC"),
                "value": pl.Float64,
                "quality": pl.Int16,
            },
        )
    )


def at(hour: float) -> np.ndarray:
    return np.array([round(START.timestamp() * 1e6 + hour * HOUR_US)])


def test_a_revision_is_seen_from_its_instant_on() -> None:
    rows = vintages([(0, 2, 10.0), (0, 5, 11.0)])
    assert [rows.known(at(0), at(hour))[0] for hour in (2, 4.999, 5, 100)] == [10.0, 10.0, 11.0, 11.0]
    assert math.isnan(rows.known(at(0), at(1.999))[0])


def test_a_retracted_value_is_unknown_again() -> None:
    rows = vintages([(0, 2, 10.0), (0, 5, None)])
    assert math.isnan(rows.known(at(0), at(6))[0])


def test_a_doubted_value_is_as_good_as_none() -> None:
    assert math.isnan(vintages([(0, 2, 0.0)], int(Quality.ZERO)).known(at(0), at(6))[0])


def test_nothing_known_of_anything() -> None:
    assert math.isnan(vintages([]).known(at(0), at(6))[0])


def test_a_coarser_channel_is_read_between_its_times() -> None:
    rows = vintages([(0, 0, 10.0), (3, 0, 16.0), (24, 0, 99.0)])
    assert [rows.between(at(hour), at(5))[0] for hour in (0, 1, 2, 3)] == pytest.approx([10, 12, 14, 16])
    assert math.isnan(rows.between(at(10), at(5))[0])  # too far from both
    assert math.isnan(rows.between(at(25), at(5))[0])


rows_of = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 12), st.one_of(st.none(), st.floats(-9, 9))), max_size=25
)


@given(rows_of, st.integers(-1, 6), st.integers(-1, 13))
@settings(deadline=None)  # other work on the machine is no failure of ours
def test_it_is_what_reading_all_rows_one_by_one_finds(rows: list[Row], hour: int, instant: int) -> None:
    known = [row for row in rows if row[0] == hour and row[1] <= instant]
    last = max(known, key=lambda row: row[1], default=None)
    # of two rows known at once the later one counts
    expected = next((row[2] for row in reversed(known) if last and row[1] == last[1]), None)
    found = vintages(rows).known(at(hour), at(instant))[0]
    assert found == expected or (expected is None and math.isnan(found))


@given(rows_of, st.integers(-9, 9), st.integers(0, 13), st.integers(1, 3))
@settings(deadline=None)  # as above
def test_windows_are_what_looking_up_each_interval_finds(rows: list[Row], first: int, instant: int, step: int) -> None:
    found = vintages(rows).windows(at(first), 8, step * HOUR_US, at(instant))
    expected = vintages(rows).known(at(first)[:, None] + step * HOUR_US * np.arange(8), at(instant)[:, None])
    assert np.array_equal(found, expected, equal_nan=True)


@given(st.datetimes(datetime(1900, 1, 1), datetime(2150, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - in UTC
def test_one_instant_is_counted_as_a_column_of_them(at: datetime) -> None:
    assert instant(at) == instants(pl.Series([at], dtype=pl.Datetime("us", "UTC")))[0]


def test_targets_are_sorted_by_their_issue_and_nothing_after_it_was_known() -> None:
    hours = {"issued_at": [8, 2, 8, 2, 8], "known_until": [6, 9, 6, 2, 8]}
    rows = {name: [START + timedelta(hours=hour) for hour in of] for name, of in hours.items()}
    told = [
        ((issued - at(0)[0]) // HOUR_US, (until - at(0)[0]) // HOUR_US, mine.tolist())
        for issued, until, mine in by_issue(pl.DataFrame(rows))
    ]
    assert told == [(2, 2, [1, 3]), (8, 6, [0, 2]), (8, 8, [4])]


def test_a_price_told_before_its_time_counts_as_measured_once_its_interval_begins() -> None:
    site = Site("fr", "France", SiteKind.REGION, Place("Europe/Paris"))
    price = Channel("grid.fr.price", "fr", Quantity.PRICE, Unit.CURRENCY_PER_MWH, timedelta(hours=1), currency="EUR")
    told = START - timedelta(hours=10)
    rows = readings(10.0, 20.0, channel=price.id, start=START, available_at=told)
    history = History(START, Context(site, price), rows, Forecasts.create_empty())
    found = measurement_vintages(history, price.id)
    assert [found.known(at(1), at(hour))[0] for hour in (1, 5)] == [20.0, 20.0]
    assert math.isnan(found.known(at(1), at(0.5))[0])
    other = replace(history, context=Context(site, replace(price, id="grid.fr.other")))
    assert not len(measurement_vintages(other, price.id).times)  # of the same table, for another channel
    assert len(measurement_vintages(history, price.id).times) == 2


def test_what_is_kept_of_a_table_is_told_of_no_other() -> None:
    site = Site("fr", "France", SiteKind.REGION, Place("Europe/Paris"))
    price = Channel("grid.fr.price", "fr", Quantity.PRICE, Unit.CURRENCY_PER_MWH, timedelta(hours=1), currency="EUR")
    told = START - timedelta(hours=10)
    rows = [readings(each, channel=price.id, start=START, available_at=told) for each in (10.0, 20.0)]
    history = History(START, Context(site, price), rows[0], Forecasts.create_empty())
    other = replace(history, readings=rows[1])  # the forecasts are the same table
    asked = (history, other, history)
    assert [forecast_vintages(each, price.id).known(at(0), at(0))[0] for each in asked] == [10.0, 20.0, 10.0]
    assert not len(forecast_vintages(history, price.id, model="gfs").times)
