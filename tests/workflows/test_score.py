from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from builders import demand_channel, demand_context, forecasts, readings, region_site

from watthour.core.frames import Forecasts, Quality
from watthour.core.window import DAY, HOUR, Window
from watthour.store.memory import MemoryStore
from watthour.workflows.score import score

if TYPE_CHECKING:
    import dataframely as dy

CHANNEL = "grid.ny.demand"
CONTEXT = demand_context()
START = datetime(2024, 1, 8, tzinfo=UTC)
DAY_ONE = Window(START, START + DAY)
NOW = START + 3 * DAY
OURS = "gradient_boosting-20240101T000000-abcdef"


def as_levels(rows: dy.DataFrame[Forecasts], spread: float) -> dy.DataFrame[Forecasts]:
    """The same forecasts with an interval of 90 % around them."""
    levels = {0.05: -spread, 0.5: 0.0, 0.95: spread}
    return Forecasts.validate(
        pl.concat(
            pl.DataFrame(rows).with_columns(level=pl.lit(level), value=pl.col("value") + shift)
            for level, shift in levels.items()
        ).select(Forecasts.column_names())
    )


@pytest.fixture
def store() -> MemoryStore:
    """Two weeks at 100 MWh, then a day at 110; all of it known."""
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[100.0] * 24 * 7, *[110.0] * 24, start=START - 7 * DAY))
    return store


def rows_of(store: MemoryStore, lead: str = "all", window: Window = DAY_ONE) -> dict[str, dict[str, Any]]:
    return {str(row["model"]): row for row in score(store, CONTEXT, window, now=NOW).rows if row["lead_hours"] == lead}


def test_errors_bias_and_skill_are_those_of_the_definitions(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    ours, naive = rows_of(store)["ours"], rows_of(store)["seasonal_naive"]
    assert ours["n"] == naive["n"] == 24
    assert ours["mae_mwh"] == pytest.approx(3.0)
    assert ours["mape_percent"] == pytest.approx(300 / 110)
    assert ours["bias_mwh"] == pytest.approx(3.0)
    assert ours["rmse_mwh"] == pytest.approx(3.0)
    assert naive["mae_mwh"] == pytest.approx(10.0)
    assert naive["bias_mwh"] == pytest.approx(-10.0)
    assert ours["skill_percent"] == pytest.approx(70.0)
    assert naive["skill_percent"] == pytest.approx(0.0)


def test_a_series_that_crosses_zero_has_no_error_in_per_cent() -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[-40.0, *[60.0] * 23] * 8, start=START - 7 * DAY))
    store.append_forecasts(forecasts(*[50.0] * 24, start=START, model=OURS))
    assert {name: row["mape_percent"] for name, row in rows_of(store).items()} == {"ours": None, "seasonal_naive": None}
    assert rows_of(store)["ours"]["mae"] == pytest.approx((90 + 23 * 10) / 24)


def test_coverage_counts_actuals_inside_the_interval(store: MemoryStore) -> None:
    narrow = as_levels(forecasts(*[113.0] * 12, start=START, model=OURS), 2.0)
    wide = as_levels(forecasts(*[113.0] * 12, start=START + 12 * HOUR, issued_at=START - DAY, model=OURS), 5.0)
    store.append_forecasts(narrow)
    store.append_forecasts(wide)
    assert rows_of(store)["ours"]["coverage90_percent"] == pytest.approx(50.0)


def test_a_forecast_without_an_interval_has_no_coverage(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    assert rows_of(store)["ours"]["coverage90_percent"] is None


def test_the_hour_that_is_running_at_the_issue_has_lead_one(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, issued_at=START, model=OURS))
    assert {lead: rows_of(store, lead)["ours"]["n"] for lead in ("1-6", "7-12", "13-24")} == {
        "1-6": 6,
        "7-12": 6,
        "13-24": 12,
    }
    assert rows_of(store, "25-48") == {}


def test_the_operator_stands_with_what_it_had_said_by_our_issue(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[105.0] * 24, start=START, issued_at=START - 2 * DAY))
    store.append_forecasts(forecasts(*[110.0] * 24, start=START, issued_at=START - 6 * HOUR))
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, issued_at=START - DAY, model=OURS))
    assert rows_of(store)["operator"]["mae_mwh"] == pytest.approx(5.0)


def test_everybody_is_scored_on_the_same_hours(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    store.append_forecasts(forecasts(*[108.0] * 22, start=START))
    rows = rows_of(store)
    assert {name: row["n"] for name, row in rows.items()} == {"ours": 22, "operator": 22, "seasonal_naive": 22}


def test_a_rival_that_is_mostly_missing_leaves_the_table(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    store.append_forecasts(forecasts(*[108.0] * 3, start=START))
    rows = rows_of(store)
    assert "operator" not in rows
    assert rows["ours"]["n"] == 24


def test_doubted_and_missing_demand_is_left_out(store: MemoryStore) -> None:
    store.append(readings(0.0, start=START, available_at=NOW - HOUR, quality=Quality.ZERO))
    store.append(readings(None, start=START + HOUR, available_at=NOW - HOUR))
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    assert rows_of(store)["ours"]["n"] == 22


def test_a_zero_of_the_operator_is_no_forecast(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    rows = pl.DataFrame(forecasts(0.0, *[108.0] * 23, start=START))
    doubted = rows.with_columns(
        quality=pl.when(pl.col("value") == 0).then(int(Quality.ZERO)).otherwise("quality").cast(pl.Int16)
    )
    store.append_forecasts(Forecasts.validate(doubted))
    assert rows_of(store)["operator"]["n"] == 23
    assert rows_of(store)["operator"]["mae_mwh"] == pytest.approx(2.0)


def test_a_live_forecast_counts_before_one_made_afterwards(store: MemoryStore) -> None:
    afterwards = pl.DataFrame(forecasts(*[150.0] * 24, start=START, model="later")).with_columns(
        quality=pl.lit(int(Quality.ASSUMED)).cast(pl.Int16), recorded_at=pl.lit(NOW).cast(pl.Datetime("us", "UTC"))
    )
    store.append_forecasts(Forecasts.validate(afterwards))
    scores = score(store, CONTEXT, DAY_ONE, now=NOW)
    assert "1 of them made afterwards" in scores.protocol
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    assert rows_of(store)["ours"]["mae_mwh"] == pytest.approx(3.0)
    assert "0 of them made afterwards" in score(store, CONTEXT, DAY_ONE, now=NOW).protocol


def test_without_a_model_the_operator_is_scored_against_last_week(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[108.0] * 24, start=START))
    rows = rows_of(store)
    assert set(rows) == {"operator", "seasonal_naive"}
    assert rows["operator"]["skill_percent"] == pytest.approx(80.0)


def test_actuals_join_as_they_arrive(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START + DAY, model=OURS))
    tomorrow = Window(START + DAY, START + 2 * DAY)
    assert rows_of(store, window=tomorrow) == {}
    store.append(readings(*[111.0] * 5, start=START + DAY))
    assert rows_of(store, window=tomorrow)["ours"]["n"] == 5


def test_what_is_known_only_later_is_not_scored_yet(store: MemoryStore) -> None:
    store.append_forecasts(forecasts(*[113.0] * 24, start=START, model=OURS))
    early = START + timedelta(hours=10)  # demand is known two hours after its hour
    assert {row["n"] for row in score(store, CONTEXT, DAY_ONE, now=early).rows if row["lead_hours"] == "all"} == {8}


def test_an_empty_period_says_so(store: MemoryStore) -> None:
    scores = score(store, CONTEXT, DAY_ONE, now=NOW)
    assert scores.rows == ()
    assert "No forecast" in scores.protocol


def test_a_rival_alone_is_scored_by_when_its_forecasts_could_be_read(store: MemoryStore) -> None:
    made = START - 6 * HOUR
    store.append_forecasts(forecasts(*[105.0] * 24, start=START, issued_at=made, available_at=made + HOUR / 2))
    rows = rows_of(store)
    assert rows["operator"]["n"] == 24
    assert rows["operator"]["mae"] == pytest.approx(5.0)
    assert rows["operator"]["skill_percent"] == pytest.approx(50.0)
