from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput
from watthour.forecasting.feature_checks import check_features
from watthour.forecasting.hourly_inputs import FEATURES, feature_table

HOUR = {
    "temperature": 4.5,
    "apparent_temperature": 1.2,
    "humidity": 71.0,
    "wind_speed": 4.1,
    "cloud_cover": 64.0,
    "solar_radiation": 120.0,
    "precipitation": 0.0,
    "hour_of_day": 17,
    "day_of_week": 6,
    "month": 11,
    "is_weekend": 1,
    "is_holiday": 0,
    "demand_lag_1h": 16850.0,
    "demand_lag_24h": 17100.0,
    "demand_lag_168h": 16990.0,
    "demand_rolling_mean_24h": 15620.0,
    "demand_rolling_std_24h": 1430.0,
    "temp_squared": 20.25,
    "cooling_degree_hours": 0.0,
    "heating_degree_hours": 13.8,
}


def test_features_that_agree_pass() -> None:
    check_features(HOUR)


def test_every_hour_of_a_real_table_agrees_with_itself() -> None:
    rows = feature_table(world.history(date(2023, 1, 1), 30)).drop_nulls(
        ["demand_lag_168h", "demand_rolling_mean_24h", "temperature"]
    )
    assert rows.height > 400
    for row in rows.select(FEATURES).with_columns(pl.col(FEATURES).cast(pl.Float64)).iter_rows(named=True):
        check_features({**row, **{name: 0.0 for name, value in row.items() if value is None}})


def test_rounding_is_no_contradiction() -> None:
    rng = np.random.default_rng(3)
    for _ in range(300):
        exact = rng.uniform(-25, 40)
        over = exact - 18.3
        check_features(
            {
                **HOUR,
                "temperature": round(exact, 1),
                "temp_squared": round(exact**2, 1),
                "cooling_degree_hours": round(max(over, 0), 1),
                "heating_degree_hours": round(max(-over, 0), 1),
            }
        )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("temp_squared", 0.0, "20.25"),
        ("temp_squared", 4.5, "20.25"),
        ("heating_degree_hours", 0.0, "13.8"),
        ("heating_degree_hours", 60.5, "13.8"),  # Fahrenheit's 65 less 4.5
        ("cooling_degree_hours", 13.8, "0"),
        ("is_weekend", 0, "1"),
        ("demand_rolling_mean_24h", 100.0, "1414.58"),
        ("demand_rolling_std_24h", 0.0, "must be at least"),
        ("demand_rolling_std_24h", 90_000.0, "must be at most"),
    ],
)
def test_a_contradiction_names_the_field_the_value_and_what_is_expected(name: str, value: float, expected: str) -> None:
    with pytest.raises(InvalidInput, match=expected) as caught:
        check_features({**HOUR, name: value})
    assert (caught.value.field, caught.value.value) == (name, value)


def test_all_contradictions_are_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_features({**HOUR, "temperature": 30.0})
    assert all(
        name in caught.value.problem for name in ("temp_squared", "cooling_degree_hours", "heating_degree_hours")
    )


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(InvalidInput, match="temp_squared"):
        check_features({name: value for name, value in HOUR.items() if name != "temp_squared"})
