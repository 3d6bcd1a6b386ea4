"""Tariffs as people write them: what cannot be is refused by name, what is odd is asked about, and the cures work."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from watthour.core.errors import InvalidInput
from watthour.planning.tariff_words import questions, read_tariff
from watthour.planning.tariffs import BlockPeriod, Blocks, Dynamic, TimeOfUse

TWO_RATES: dict[str, Any] = {
    "name": "Day and night",
    "currency": "EUR",
    "import": {
        "kind": "time_of_use",
        "bands": [
            {"name": "night", "price": 0.16, "hours": ["22:00-06:00"]},
            {"name": "day", "price": 0.21, "hours": ["06:00-22:00"]},
        ],
    },
}


def changed(**changes: object) -> dict[str, Any]:
    return {**copy.deepcopy(TWO_RATES), **changes}


def bands(*said: dict[str, Any]) -> dict[str, Any]:
    return changed(**{"import": {"kind": "time_of_use", "bands": list(said)}})


def refused(said: object) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read_tariff(said)
    return caught.value


def test_hours_past_midnight_are_the_end_and_the_beginning_of_the_same_date() -> None:
    rate = read_tariff(TWO_RATES).drawn.rate
    assert isinstance(rate, TimeOfUse)
    assert rate.bands[0].hours == ((1320, 1440), (0, 360))


def test_a_hole_is_named_with_its_hours_and_filling_it_is_the_cure() -> None:
    day = {"name": "day", "price": 0.21, "hours": ["07:00-22:00"]}
    night = TWO_RATES["import"]["bands"][0]
    error = refused(bands(night, day))
    assert error.field == "import.bands"
    assert "from 06:00 to 07:00" in str(error)
    read_tariff(bands(night, {**day, "hours": ["06:00-22:00"]}))


def test_an_overlap_names_both_prices_and_the_hour() -> None:
    error = refused(bands(TWO_RATES["import"]["bands"][0], {"name": "day", "price": 0.21, "hours": ["05:00-22:00"]}))
    assert "two prices hold" in str(error)
    assert "05:00" in str(error)
    assert {"night", "day"} <= set(str(error).replace(".", " ").replace(",", " ").split())


def test_a_hole_at_the_hour_of_the_clock_change_is_a_hole_of_every_day() -> None:
    error = refused(
        bands(
            {"name": "a", "price": 0.2, "hours": ["00:00-02:00"]}, {"name": "b", "price": 0.3, "hours": "03:00-24:00"}
        )
    )
    assert "from 02:00 to 03:00" in str(error)


def test_the_day_that_only_leap_years_have_must_have_a_price() -> None:
    summer = {"name": "summer", "price": 0.2, "season": "03-01..10-31"}
    error = refused(bands(summer, {"name": "winter", "price": 0.3, "season": "11-01..02-28"}))
    assert "around 02-29" in str(error)
    read_tariff(bands(summer, {"name": "winter", "price": 0.3, "season": "11-01..02-29"}))


def test_weekends_without_a_price_are_named() -> None:
    error = refused(bands({"name": "work", "price": 0.2, "days": "workdays"}))
    assert "Saturdays" in str(error)


def test_holidays_are_a_kind_of_day_only_where_a_band_names_them() -> None:
    work = {"name": "work", "price": 0.3, "days": "workdays"}
    rest = {"name": "rest", "price": 0.2, "days": ["weekend", "holidays"]}
    assert not read_tariff(bands(work, {**rest, "days": "weekend"})).names_holidays
    assert read_tariff(bands(work, rest)).names_holidays


@pytest.mark.parametrize(
    ("said", "field", "words"),
    [
        (changed(currency="XYZ"), "currency", "no such currency"),
        (changed(currency="euros"), "currency", "no such currency"),
        (changed(tax_percent=-3), "tax_percent", "between 0"),
        (changed(tax_percent="20"), "tax_percent", "no number"),
        (changed(time_zone="Europe/Pari"), "time_zone", "Europe/Paris"),
        (changed(currenci="EUR"), "currenci", "currency"),
        (changed(price_unit="pence"), "price_unit", "cent/kWh"),
        (changed(standing={"price": 0.4, "per": "week"}), "standing.per", "day, month"),
        (changed(demand={"price": 5, "interval_minutes": 7}), "demand.interval_minutes", "divide an hour"),
        (changed(demand={"price": -5}), "demand.price", "negative"),
        (changed(fees=[{"name": "grid"}]), "fees[1].price", "missing"),
        (changed(fees={"name": "grid"}), "fees", "no list"),
        (changed(export={"kind": "flatt", "price": 0.1}), "export.kind", "flat"),
        (changed(**{"import": {"kind": "flat", "price": float("nan")}}), "import.price", "no number"),
        (changed(**{"import": {"kind": "flat", "price": True}}), "import.price", "no number"),
        (changed(**{"import": {"kind": "flat"}}), "import.price", "missing"),
        (changed(**{"import": 0.2}), "import", "no table"),
        (
            changed(**{"import": {"kind": "blocks", "tiers": [{"price": 0.2, "up_to_kwh": 9}]}}),
            "import.tiers",
            "beyond",
        ),
        (
            changed(**{"import": {"kind": "dynamic", "channel": "grid.x.price", "floor": 2, "cap": 1}}),
            "import.floor",
            "above the cap",
        ),
        (bands({"price": 0.2, "hours": ["6-22"]}), "import.bands[1].hours", "06:00-22:00"),
        (bands({"price": 0.2, "hours": ["06:00-25:00"]}), "import.bands[1].hours", "24:00"),
        (bands({"price": 0.2, "season": "02-30..03-01"}), "import.bands[1].season", "no 02-30"),
        (bands({"price": 0.2, "days": ["moonday"]}), "import.bands[1].days", "no days"),
        (bands(), "import.bands", "no list of 1"),
        ([], "tariff", "no table"),
    ],
)
def test_what_cannot_be_is_refused_by_field_with_the_cure(said: object, field: str, words: str) -> None:
    error = refused(said)
    assert error.field == field
    assert words in str(error)
    assert error.remedy


def test_tiers_must_follow_each_other() -> None:
    tiers = [{"price": 0.2, "up_to_kwh": 200}, {"price": 0.3, "up_to_kwh": 100}, {"price": 0.4}]
    error = refused(changed(**{"import": {"kind": "blocks", "tiers": tiers}}))
    assert "do not follow" in str(error)


def test_blocks_and_dynamic_rates_are_read() -> None:
    blocks = read_tariff(
        changed(
            **{"import": {"kind": "blocks", "period": "day", "tiers": [{"price": 1, "up_to_kwh": 5}, {"price": 2}]}}
        )
    ).drawn.rate
    assert isinstance(blocks, Blocks)
    assert (blocks.period, blocks.edges) == (BlockPeriod.DAY, (0.0, 5.0, float("inf")))
    said = {"kind": "dynamic", "channel": "grid.x.price", "markup": 1.5, "factor": 1.03, "cap": 90}
    dynamic = read_tariff(changed(price_unit="cent/kWh", **{"import": said})).drawn.rate
    assert dynamic == Dynamic("grid.x.price", 1.03, 0.015, None, 0.9)


@pytest.mark.parametrize(("price", "unit"), [(21.0, "cent/kWh"), (210.0, "currency/MWh")])
def test_a_price_in_the_wrong_unit_is_asked_about_and_the_unit_it_names_is_the_cure(price: float, unit: str) -> None:
    said = changed(**{"import": {"kind": "flat", "price": price}})
    (question,) = questions(read_tariff(said))
    assert question.field == "import.price"
    assert f'price_unit = "{unit}"' in question.text
    assert questions(read_tariff({**said, "price_unit": unit})) == []


@pytest.mark.parametrize("price", [2.5, 0.021, 0.00021])
def test_a_price_ten_times_off_either_way_is_asked_about(price: float) -> None:
    assert questions(read_tariff(changed(**{"import": {"kind": "flat", "price": price}})))


@pytest.mark.parametrize(("currency", "price"), [("EUR", 0.0), ("EUR", -0.1), ("JPY", 31.0), ("ISK", 20.0)])
def test_prices_that_can_be_raise_no_question(currency: str, price: float) -> None:
    assert questions(read_tariff(changed(currency=currency, **{"import": {"kind": "flat", "price": price}}))) == []


def test_little_may_be_paid_for_what_is_fed_in() -> None:
    assert questions(read_tariff(changed(export={"kind": "flat", "price": 0.01}))) == []
