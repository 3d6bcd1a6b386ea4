"""What one more kWh costs and earns in each step: what a planner takes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watthour.core.errors import InvalidInput
from watthour.core.window import DAY, HOUR, Window, local_day
from watthour.planning.bills import Metered, bill
from watthour.planning.prices import Calendar, Market, prices
from watthour.planning.tariff_words import read_tariff

if TYPE_CHECKING:
    from watthour.planning.tariffs import Tariff

PARIS = Calendar("Europe/Paris")
QUARTER = timedelta(minutes=15)
START = datetime(2026, 6, 1, tzinfo=UTC)
TWO_RATES = {
    "kind": "time_of_use",
    "bands": [
        {"name": "night", "price": 0.10, "hours": ["22:30-06:30"]},
        {"name": "day", "price": 0.30, "hours": ["06:30-22:30"]},
    ],
}
BLOCKS = {"kind": "blocks", "tiers": [{"price": 0.2, "up_to_kwh": 100}, {"price": 0.35}]}


def tariff(drawn: dict[str, Any], **more: object) -> Tariff:
    return read_tariff({"name": "test", "currency": "EUR", "import": drawn, **more})


def test_each_quarter_hour_has_the_price_of_its_band_with_fees_and_taxes() -> None:
    window = local_day(date(2026, 6, 1), "Europe/Paris")
    contract = tariff(TWO_RATES, fees=[{"name": "grid", "price": 0.05}], tax_percent=20)
    found = prices(contract, window, QUARTER, PARIS)
    assert found.import_[[25, 26, 89, 90]] == pytest.approx([0.18, 0.42, 0.42, 0.18])  # edges at 06:30 and 22:30
    assert found.bands[25:27] == ("night", "day")
    assert not found.is_forecast.any()
    assert (found.export == 0).all()


@pytest.mark.parametrize(("day", "night_hours"), [(date(2026, 3, 29), 7), (date(2026, 10, 25), 9)])
def test_days_of_the_clock_changes_have_23_and_25_hours_of_prices(day: date, night_hours: int) -> None:
    window = local_day(day, "Europe/Paris")
    found = prices(tariff(TWO_RATES), window, QUARTER, PARIS)
    assert len(found.import_) == 4 * window.hours
    assert (found.import_ == 0.10).sum() == 4 * night_hours
    assert np.isfinite(found.import_).all()


def test_a_step_in_which_the_price_changes_has_the_mean() -> None:
    window = Window(START + 4 * HOUR, START + 5 * HOUR)  # 06:00 to 07:00 local
    assert prices(tariff(TWO_RATES), window, HOUR, PARIS).import_ == pytest.approx([0.2])


def test_clocks_that_are_a_quarter_of_an_hour_off_have_their_own_edges() -> None:
    window = Window(START, START + DAY)
    found = prices(tariff(TWO_RATES), window, HOUR, Calendar("Asia/Kathmandu"))  # UTC+05:45: 06:30 local is 00:45 UTC
    assert found.import_[0] == pytest.approx(0.75 * 0.10 + 0.25 * 0.30)


def test_the_next_kwh_of_a_block_tariff_costs_what_the_tier_reached_says() -> None:
    window = Window(START, START + 4 * HOUR)
    assert prices(tariff(BLOCKS), window, HOUR, PARIS, used_kwh=99.0).import_ == pytest.approx([0.2] * 4)
    assert prices(tariff(BLOCKS), window, HOUR, PARIS, used_kwh=100.0).import_ == pytest.approx([0.35] * 4)
    expected = prices(tariff(BLOCKS), window, HOUR, PARIS, used_kwh=98.0, expected_kwh=np.full(4, 1.0))
    assert expected.import_ == pytest.approx([0.2, 0.2, 0.35, 0.35])


def test_a_new_month_begins_in_the_first_tier() -> None:
    midnight = local_day(date(2026, 7, 1), "Europe/Paris").start
    found = prices(tariff(BLOCKS), Window(midnight - 2 * HOUR, midnight + 2 * HOUR), HOUR, PARIS, used_kwh=500.0)
    assert found.import_ == pytest.approx([0.35, 0.35, 0.2, 0.2])


def test_what_is_forecast_of_a_dynamic_price_is_marked_and_has_a_band() -> None:
    values, off = np.array([0.1, 0.2, np.nan]), np.array([0, 0.05, 0])
    market = Market(START, HOUR, values, np.array([False, True, False]), values - off, values + off)
    contract = tariff({"kind": "dynamic", "channel": "grid.x.price", "markup": 0.02}, tax_percent=50)
    found = prices(contract, Window(START, START + 4 * HOUR), HOUR, PARIS, {"grid.x.price": market})
    assert found.import_[:2] == pytest.approx([0.18, 0.33])
    assert np.isnan(found.import_[2:]).all()  # neither published nor forecast, and beyond what is there
    assert found.is_forecast.tolist() == [False, True, False, False]
    assert (found.import_lower[1], found.import_upper[1]) == pytest.approx((0.255, 0.405))
    assert found.import_lower[0] == found.import_upper[0] == pytest.approx(0.18)


def test_a_price_of_an_hour_holds_for_each_of_its_quarters() -> None:
    market = Market.published(START, HOUR, [0.1, 0.2])
    contract = tariff({"kind": "dynamic", "channel": "grid.x.price"})
    found = prices(contract, Window(START, START + 2 * HOUR), QUARTER, PARIS, {"grid.x.price": market})
    assert found.import_ == pytest.approx([0.1] * 4 + [0.2] * 4)


def test_what_is_fed_in_earns_by_its_own_rate() -> None:
    contract = tariff(TWO_RATES, export={"kind": "flat", "price": 0.08}, tax_percent=20)
    assert prices(contract, Window(START, START + DAY), HOUR, PARIS).export == pytest.approx([0.08] * 24)


def test_peaks_are_told_per_month_with_taxes() -> None:
    midnight = local_day(date(2026, 7, 1), "Europe/Paris").start
    contract = tariff(TWO_RATES, demand={"price": 5, "interval_minutes": 30, "free_kw": 3}, tax_percent=20)
    june, july = prices(contract, Window(midnight - 2 * HOUR, midnight + HOUR), HOUR, PARIS).peaks
    assert (june.month, june.first, june.last) == ("2026-06", 0, 2)
    assert (july.month, july.first, july.last) == ("2026-07", 2, 3)
    assert (july.price_per_kw, july.free_kw, july.interval) == (6.0, 3.0, timedelta(minutes=30))


def test_a_step_that_does_not_divide_the_window_is_refused() -> None:
    with pytest.raises(InvalidInput, match="whole number of steps"):
        prices(tariff(TWO_RATES), Window(START, START + HOUR), timedelta(minutes=25), PARIS)


@given(
    edges=st.lists(st.integers(1, 95), min_size=1, max_size=5, unique=True),
    day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    zone=st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]),
)
def test_a_bill_of_time_of_use_is_the_sum_of_energy_times_price_on_every_clock(
    edges: list[int], day: date, zone: str
) -> None:
    cuts = [0, *sorted(edges), 96]
    bands = [
        {
            "name": f"b{n}",
            "price": 0.1 + 0.01 * n,
            "hours": [f"{a // 4:02}:{a % 4 * 15:02}-{b // 4:02}:{b % 4 * 15:02}"],
        }
        for n, (a, b) in enumerate(pairwise(cuts))
    ]
    contract = tariff({"kind": "time_of_use", "bands": bands})
    window = local_day(day, zone)
    energy = np.linspace(0.0, 1.0, (window.end - window.start) // QUARTER)
    found = prices(contract, window, QUARTER, Calendar(zone))
    total = bill(contract, Metered(window, QUARTER, energy), Calendar(zone)).total
    assert total == pytest.approx(float((energy * found.import_).sum()))
