"""Bills of each kind of tariff beside the same bill computed by hand, and what is done with hours that are missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from watthour.core.window import HOUR, Window, local_day
from watthour.planning.bills import Bill, Metered, bill
from watthour.planning.prices import Calendar, Market
from watthour.planning.tariff_words import read_tariff

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.planning.tariffs import Tariff

PARIS = Calendar("Europe/Paris")
HALF_HOUR = timedelta(minutes=30)
FLAT = {"kind": "flat", "price": 0.25}
NIGHT_AND_DAY = {
    "kind": "time_of_use",
    "bands": [
        {"name": "night", "price": 0.10, "hours": ["22:00-06:00"]},
        {"name": "day", "price": 0.30, "hours": ["06:00-22:00"]},
    ],
}


def tariff(drawn: dict[str, Any], **more: object) -> Tariff:
    return read_tariff({"name": "test", "currency": "EUR", "import": drawn, **more})


def day_of(day: date) -> Window:
    return local_day(day, PARIS.time_zone)


def days(first: date, last: date) -> Window:
    return Window(day_of(first).start, day_of(last).end)


def steady(window: Window, kwh: float = 1.0, step: timedelta = HOUR) -> Metered:
    """The same energy in each interval."""
    return Metered(window, step, np.full((window.end - window.start) // step, kwh))


def amounts(found: Bill) -> dict[str, float]:
    return {line.name: line.amount for line in found.lines}


def test_a_flat_tariff_with_fee_standing_charge_and_tax() -> None:
    # 2 days of 24 kWh = 48 kWh; energy 48 * 0.25 = 12.00; grid 48 * 0.08 = 3.84; standing 2 * 0.50 = 1.00;
    # tax 20 % of 16.84 = 3.368; total 20.208.
    contract = tariff(
        FLAT, fees=[{"name": "grid", "price": 0.08}], standing={"price": 0.5, "per": "day"}, tax_percent=20
    )
    found = bill(contract, steady(days(date(2026, 6, 1), date(2026, 6, 2))), PARIS)
    assert found.total == pytest.approx(20.208)
    assert amounts(found) == pytest.approx({"flat": 12.0, "grid": 3.84, "standing charge": 1.0, "tax of 20 %": 3.368})
    assert found.is_complete


def test_prices_with_tax_are_not_taxed_again_and_the_rest_is() -> None:
    # 24 kWh * 0.25 = 6.00 with tax; standing 0.50 and 10 % of it: 0.05; total 6.55.
    contract = tariff({**FLAT, "tax_included": True}, standing={"price": 0.5}, tax_percent=10)
    assert bill(contract, steady(day_of(date(2026, 6, 1))), PARIS).total == pytest.approx(6.55)


def test_a_time_of_use_tariff_by_band() -> None:
    # Night 22-06 is 8 hours of 0.10, day 16 hours of 0.30: 0.80 + 4.80.
    found = bill(tariff(NIGHT_AND_DAY), steady(day_of(date(2026, 6, 1))), PARIS)
    assert amounts(found) == pytest.approx({"night": 0.8, "day": 4.8})
    assert {line.name: line.quantity for line in found.lines} == pytest.approx({"night": 8.0, "day": 16.0})


def test_the_night_of_the_spring_clock_change_has_an_hour_less_and_that_of_autumn_one_more() -> None:
    spring = bill(tariff(NIGHT_AND_DAY), steady(day_of(date(2026, 3, 29))), PARIS)  # 23 hours, 7 of night
    autumn = bill(tariff(NIGHT_AND_DAY), steady(day_of(date(2026, 10, 25))), PARIS)  # 25 hours, 9 of night
    assert amounts(spring) == pytest.approx({"night": 0.7, "day": 4.8})
    assert amounts(autumn) == pytest.approx({"night": 0.9, "day": 4.8})


def test_a_meter_whose_clock_stays_on_winter_time_is_an_hour_late_in_summer() -> None:
    # At local 06:30 in June the meter's clock (UTC+1) shows 05:30: still night.
    early = Window(datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 6, 1, 5, tzinfo=UTC))
    assert amounts(bill(tariff(NIGHT_AND_DAY), steady(early), PARIS)) == pytest.approx({"day": 0.3})
    fixed = tariff(NIGHT_AND_DAY, time_zone="Etc/GMT-1")
    assert amounts(bill(fixed, steady(early), PARIS)) == pytest.approx({"night": 0.1})


def test_seasons_weekdays_and_holidays() -> None:
    # Winter workdays 0.40, winter rest 0.20, summer 0.10. Monday 2026-03-30 winter, 2026-04-01 summer; Friday
    # 2026-01-02 is a workday, Thursday 2026-01-01 a holiday, Saturday 2026-01-03 rest.
    bands = [
        {"name": "winter work", "price": 0.4, "season": "10-01..03-31", "days": "workdays"},
        {"name": "winter rest", "price": 0.2, "season": "10-01..03-31", "days": ["weekend", "holidays"]},
        {"name": "summer", "price": 0.1, "season": "04-01..09-30"},
    ]
    contract = tariff({"kind": "time_of_use", "bands": bands})
    calendar = Calendar("Europe/Paris", frozenset({date(2026, 1, 1)}))
    winter = bill(contract, steady(days(date(2026, 1, 1), date(2026, 1, 3))), calendar)
    assert amounts(winter) == pytest.approx({"winter work": 24 * 0.4, "winter rest": 48 * 0.2})
    change = bill(contract, steady(days(date(2026, 3, 31), date(2026, 4, 1))), calendar)
    assert amounts(change) == pytest.approx({"winter work": 24 * 0.4, "summer": 24 * 0.1})


def test_an_hour_in_which_the_price_changes_is_spread_evenly_and_that_is_said() -> None:
    # 06:30 is the edge: of the hour from 06:00 half a kWh costs 0.10, half 0.30.
    bands = [
        {"name": "night", "price": 0.10, "hours": ["22:30-06:30"]},
        {"name": "day", "price": 0.30, "hours": ["06:30-22:30"]},
    ]
    hour = Window(datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 6, 1, 5, tzinfo=UTC))
    found = bill(tariff({"kind": "time_of_use", "bands": bands}), steady(hour), PARIS)
    assert amounts(found) == pytest.approx({"night": 0.05, "day": 0.15})
    assert any("spread evenly" in remark for remark in found.remarks)


def test_blocks_of_a_month_begin_anew_with_each_local_month() -> None:
    # 2 days of May and 1 of June at 24 kWh: 48 kWh in May: 30 * 0.20 + 18 * 0.35 = 12.30; June: 24 * 0.20 = 4.80.
    drawn = {"kind": "blocks", "tiers": [{"price": 0.2, "up_to_kwh": 30}, {"price": 0.35}]}
    found = bill(tariff(drawn), steady(days(date(2026, 5, 30), date(2026, 6, 1))), PARIS)
    assert amounts(found) == pytest.approx({"up to 30 kWh": 54 * 0.2, "beyond 30 kWh": 18 * 0.35})
    assert found.total == pytest.approx(17.1)


def test_blocks_of_a_day_and_what_was_used_before_the_period() -> None:
    # Days of 24 kWh, tiers at 10: each 10 * 0.1 + 14 * 0.3 = 5.20; with 8 kWh used before: 2 * 0.1 + 22 * 0.3 = 6.80.
    drawn = {"kind": "blocks", "period": "day", "tiers": [{"price": 0.1, "up_to_kwh": 10}, {"price": 0.3}]}
    window = days(date(2026, 6, 1), date(2026, 6, 2))
    assert bill(tariff(drawn), steady(window), PARIS).total == pytest.approx(10.4)
    later = Metered(window, HOUR, np.full(48, 1.0), used_kwh=8.0)
    assert bill(tariff(drawn), later, PARIS).total == pytest.approx(6.8 + 5.2)


def test_a_dynamic_tariff_pays_each_hour_its_price_and_earns_below_zero() -> None:
    # Prices 0.10, -0.05, 0.20 EUR/kWh; 1.03 times and 0.02 on top: 0.123, -0.0315, 0.226; energy 1, 2, 3 kWh:
    # 0.123 - 0.063 + 0.678 = 0.738.
    start = datetime(2026, 6, 1, tzinfo=UTC)
    window = Window(start, start + 3 * HOUR)
    contract = tariff({"kind": "dynamic", "channel": "grid.x.price", "factor": 1.03, "markup": 0.02})
    market = {"grid.x.price": Market.published(start, HOUR, [0.10, -0.05, 0.20])}
    found = bill(contract, Metered(window, HOUR, np.array([1.0, 2.0, 3.0])), PARIS, market)
    assert found.total == pytest.approx(0.738)
    assert amounts(found) == pytest.approx({"dynamic": 0.801, "dynamic, below zero": -0.063})


def test_quarter_hourly_prices_of_an_hourly_meter_count_with_their_mean() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    market = {"grid.x.price": Market.published(start, timedelta(minutes=15), [0.1, 0.2, 0.3, 0.4])}
    contract = tariff({"kind": "dynamic", "channel": "grid.x.price"})
    assert bill(contract, steady(Window(start, start + HOUR), 2.0), PARIS, market).total == pytest.approx(0.5)


def test_a_cap_and_a_floor_hold_after_the_markup() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    market = {"grid.x.price": Market.published(start, HOUR, [2.0, -2.0])}
    contract = tariff({"kind": "dynamic", "channel": "grid.x.price", "markup": 0.1, "cap": 1.0, "floor": 0.0})
    assert bill(contract, steady(Window(start, start + 2 * HOUR)), PARIS, market).total == pytest.approx(1.0)


def test_what_is_fed_in_is_earned_without_tax() -> None:
    # 24 kWh * 0.25 * 1.2 = 7.20; fed in 24 * 0.5 kWh * 0.08 = 0.96; total 6.24.
    window = day_of(date(2026, 6, 1))
    contract = tariff(FLAT, export={"kind": "flat", "price": 0.08}, tax_percent=20)
    found = bill(contract, Metered(window, HOUR, np.full(24, 1.0), np.full(24, 0.5)), PARIS)
    assert found.total == pytest.approx(6.24)
    assert found.lines[-1].kind == "export"


def test_the_peak_of_each_month_by_the_metering_interval_of_the_tariff() -> None:
    # June of 30 days, half-hours of 0.5 kWh (1 kW); one hour has 2 and 3 kWh in its halves: 4 and 6 kW. By half-hours
    # the peak is 6 kW, by hours 5. Charge 4 per kW beyond 2 kW: 16 and 12. No energy price.
    window = days(date(2026, 6, 1), date(2026, 6, 30))
    energy = np.full(30 * 48, 0.5)
    energy[100:102] = (2.0, 3.0)
    metered = Metered(window, HALF_HOUR, energy)
    free = {"kind": "flat", "price": 0.0}
    by_half_hours = tariff(free, demand={"price": 4, "interval_minutes": 30, "free_kw": 2})
    assert bill(by_half_hours, metered, PARIS).total == pytest.approx(16.0)
    by_hours = tariff(free, demand={"price": 4, "interval_minutes": 60, "free_kw": 2})
    assert bill(by_hours, metered, PARIS).total == pytest.approx(12.0)


def test_a_part_of_a_month_bears_its_part_of_monthly_charges() -> None:
    # 10 of June's 30 days and 10 of July's 31: standing 3 * (1/3 + 10/31); peaks of 1 kW at 6: 6 * (1/3 + 10/31).
    window = days(date(2026, 6, 21), date(2026, 7, 10))
    contract = tariff(
        {"kind": "flat", "price": 0.0},
        standing={"price": 3, "per": "month"},
        demand={"price": 6, "interval_minutes": 60},
    )
    assert bill(contract, steady(window), PARIS).total == pytest.approx(9 * (1 / 3 + 10 / 31))


def test_a_coarse_meter_says_that_it_cannot_tell_the_peak() -> None:
    found = bill(tariff(FLAT, demand={"price": 4, "interval_minutes": 15}), steady(day_of(date(2026, 6, 1))), PARIS)
    assert any("cannot be told" in remark for remark in found.remarks)


def test_missing_hours_are_named_and_never_counted_as_zero() -> None:
    window = day_of(date(2026, 6, 1))
    energy = np.full(24, 1.0)
    energy[[3, 4, 20]] = np.nan
    found = bill(tariff(FLAT, demand={"price": 1, "interval_minutes": 60}), Metered(window, HOUR, energy), PARIS)
    spans = [(3, 5), (20, 21)]
    assert found.missing == tuple(Window(window.start + a * HOUR, window.start + b * HOUR) for a, b in spans)
    assert found.missing_hours == 3.0
    assert not found.is_complete
    assert found.lines[0].quantity == pytest.approx(21.0)
    assert any("peak may lie" in remark for remark in found.remarks)


def test_hours_without_a_published_price_are_named_and_a_forecast_is_no_price_of_a_bill() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    values = np.array([0.1, np.nan, 0.3])
    market = Market(start, HOUR, values, np.array([False, False, True]), values, values)
    contract = tariff({"kind": "dynamic", "channel": "grid.x.price"}, fees=[{"name": "grid", "price": 1.0}])
    found = bill(contract, steady(Window(start, start + 3 * HOUR)), PARIS, {"grid.x.price": market})
    assert found.unpriced == (Window(start + HOUR, start + 3 * HOUR),)
    assert found.total == pytest.approx(1.1)  # the first hour alone, with its fee


def test_a_channel_that_is_not_there_leaves_all_of_it_unpriced() -> None:
    window = day_of(date(2026, 6, 1))
    found = bill(tariff({"kind": "dynamic", "channel": "grid.x.price"}), steady(window), PARIS)
    assert found.unpriced == (window,)
    assert found.lines == ()


def test_a_second_bill_over_the_halves_sums_to_that_of_the_whole() -> None:
    rng = np.random.default_rng(7)
    whole = days(date(2026, 10, 20), date(2026, 10, 31))
    cut = day_of(date(2026, 10, 26)).start
    energy = rng.gamma(1.0, 0.4, (whole.end - whole.start) // HALF_HOUR)
    n_first = (cut - whole.start) // HALF_HOUR
    contract = tariff(NIGHT_AND_DAY, tax_percent=19, standing={"price": 8, "per": "month"})
    total = bill(contract, Metered(whole, HALF_HOUR, energy), PARIS).total
    first = bill(contract, Metered(Window(whole.start, cut), HALF_HOUR, energy[:n_first]), PARIS).total
    second = bill(contract, Metered(Window(cut, whole.end), HALF_HOUR, energy[n_first:]), PARIS).total
    assert first + second == pytest.approx(total)


def test_london_dynamic_tariff_of_2013_on_its_own_prices(shared_data: Path) -> None:
    """A quarter of published half-hourly prices: at 1 kWh each the bill is the count of each of the three times it."""
    table = pl.read_parquet(shared_data / "home/prices/lcl_dtou_tariff_2013.parquet").head(48 * 90)
    count = dict(table["Tariff"].value_counts().iter_rows())
    by_hand = 0.1176 * count["Normal"] + 0.6720 * count["High"] + 0.0399 * count["Low"]
    start = datetime(2013, 1, 1, tzinfo=UTC)
    window = Window(start, start + table.height * HALF_HOUR)
    said = {"name": "dToU", "currency": "GBP", "import": {"kind": "dynamic", "channel": "grid.london.price"}}
    market = {"grid.london.price": Market.published(start, HALF_HOUR, table["pence_per_kwh"].to_numpy() / 100)}
    found = bill(read_tariff(said), steady(window, 1.0, HALF_HOUR), Calendar("Europe/London"), market)
    assert found.total == pytest.approx(by_hand, rel=1e-6)
