"""The tariff of a home: kept, refused with the cure, priced ahead and billed, on prices that a store holds."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from priced_home import (
    DYNAMIC,
    FLAT,
    FLAT_RATE,
    MARKET,
    METER,
    MIDNIGHT,
    NOW,
    PRICE,
    PUBLISHED_TO,
    furnish,
    price_at,
    rows,
)

from watthour.core.channel import Channel
from watthour.core.errors import InvalidInput, NotEnoughHistory, UnknownName
from watthour.core.frames import Readings
from watthour.core.kept_file import MOST_BYTES
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, local_day
from watthour.registry.files import FileRegistry
from watthour.store.memory import MemoryStore
from watthour.workflows.kept_tariffs import Tariffs, tariff_of
from watthour.workflows.price_ahead import on_steps
from watthour.workflows.tariffs import home_bill, home_prices, past_prices, set_tariff

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from watthour.planning.prices import Prices


@pytest.fixture
def store() -> MemoryStore:
    found = MemoryStore()
    furnish(found)
    return found


@pytest.fixture
def tariffs(tmp_path: Path) -> Tariffs:
    return Tariffs(tmp_path)


def keep(store: MemoryStore, tariffs: Tariffs, said: dict[str, Any], *, is_confirmed: bool = False) -> None:
    set_tariff(store, tariffs, FLAT, said, now=NOW, is_confirmed=is_confirmed)


def priced(store: MemoryStore, tariffs: Tariffs, hours: int = 48, step: timedelta | None = None) -> Prices:
    registry = FileRegistry(tariffs._file._path.parent / "models")
    return home_prices(store, registry, tariffs, FLAT, hours=hours, now=NOW, step=step)


def test_a_tariff_survives_a_restart_and_another_process_sees_it_at_once(
    store: MemoryStore, tariffs: Tariffs, tmp_path: Path
) -> None:
    other = Tariffs(tmp_path)
    assert other.said("flat") is None
    keep(store, tariffs, FLAT_RATE)
    assert other.said("flat") == FLAT_RATE
    assert tariff_of(other, FLAT).name == "Flat rate"
    other.forget("flat")
    with pytest.raises(UnknownName, match="watthour tariff set flat"):
        tariff_of(tariffs, FLAT)


def test_tariffs_of_an_earlier_version_are_read_and_hold_at_all_times(tmp_path: Path) -> None:
    (tmp_path / "tariffs.json").write_text(json.dumps({"version": 1, "tariffs": {"flat": FLAT_RATE}}))
    tariffs = Tariffs(tmp_path)
    assert tariffs.said("flat", datetime(1990, 1, 1, tzinfo=UTC)) == FLAT_RATE
    tariffs.keep("flat", DYNAMIC, NOW)
    assert json.loads((tmp_path / "tariffs.json").read_text())["version"] == 2
    assert [tariffs.said("flat", at) for at in (NOW - HOUR, NOW)] == [FLAT_RATE, DYNAMIC]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"version": 3, "tariffs": {}}, "a later version of Watthour"),
        ({"version": 2, "tariffs": {"flat": [{"since": "2026-11-01T00:00", "tariff": {}}]}}, "no offset from UTC"),
    ],
)
def test_a_file_of_a_later_version_or_with_a_time_of_nowhere_is_named(
    tmp_path: Path, content: dict[str, Any], words: str
) -> None:
    (tmp_path / "tariffs.json").write_text(json.dumps(content))
    with pytest.raises(InvalidInput, match=words):
        Tariffs(tmp_path).said("flat")


def test_before_the_first_tariff_nothing_has_a_price_and_the_cure_is_to_say_the_one_before(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    set_tariff(store, tariffs, FLAT, FLAT_RATE, now=NOW, since=date(2026, 11, 20))
    days = Window(
        local_day(date(2026, 11, 19), "Europe/Berlin").start, local_day(date(2026, 11, 20), "Europe/Berlin").end
    )
    found = past_prices(store, tariffs, FLAT, days, HOUR, now=NOW)
    assert np.isnan(found.import_[:24]).all()
    assert (found.import_[24:] == 0.25).all()
    with pytest.raises(UnknownName, match="no tariff before 2026-11-20") as told:
        home_bill(store, tariffs, FLAT, days, now=NOW)
    assert "watthour tariff set flat tariff.toml --from DATE" in told.value.remedy
    before = {**FLAT_RATE, "name": "Before", "import": {"kind": "flat", "price": 0.5}}
    set_tariff(store, tariffs, FLAT, before, now=NOW, since=date(2026, 1, 1))
    assert [each.said for each in tariffs.terms("flat")] == [before, FLAT_RATE]
    assert home_bill(store, tariffs, FLAT, days, now=NOW).total == pytest.approx(24 * 0.5 + 24 * 0.25)


def test_a_tariff_holds_until_the_next_one_which_stays_unless_it_is_dropped(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    def said(price: float, since: date | None = None, *, drops_later: bool = False) -> list[float]:
        flat = {**FLAT_RATE, "import": {"kind": "flat", "price": price}}
        set_tariff(store, tariffs, FLAT, flat, now=NOW, since=since, drops_later=drops_later)
        return [each.said["import"]["price"] for each in tariffs.terms("flat")]

    assert said(0.2, date(2026, 12, 1)) == [0.2]
    assert said(0.1) == [0.1, 0.2]  # where none holds yet it is the first, and holds at all times
    assert tariffs.terms("flat")[0].since is None
    assert said(0.3) == [0.1, 0.3, 0.2]
    assert said(0.4, date(2026, 11, 21)) == [0.1, 0.4, 0.2]  # of the same day
    assert said(0.5, date(2026, 1, 1)) == [0.1, 0.5, 0.4, 0.2]
    assert said(0.6, date(2026, 12, 1)) == [0.1, 0.5, 0.4, 0.6]
    assert said(0.4) == [0.1, 0.5, 0.4, 0.6]
    assert said(0.4, drops_later=True) == [0.1, 0.5, 0.4]
    assert said(0.7, date(2026, 1, 1), drops_later=True) == [0.1, 0.7]


def test_prices_ahead_of_a_home_whose_first_tariff_is_of_a_later_day_say_so(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    set_tariff(store, tariffs, FLAT, FLAT_RATE, now=NOW, since=date(2026, 11, 22))
    with pytest.raises(UnknownName, match="no tariff before 2026-11-22"):
        priced(store, tariffs, 24, timedelta(minutes=15))


def test_terms_out_of_order_are_read_in_order_and_two_of_one_instant_are_refused(tmp_path: Path) -> None:
    def write(*since: str | None) -> Tariffs:
        terms = [{"since": each, "tariff": {**FLAT_RATE, "name": str(each)}} for each in since]
        (tmp_path / "tariffs.json").write_text(json.dumps({"version": 2, "tariffs": {"flat": terms}}))
        return Tariffs(tmp_path)

    late, early = "2026-11-15T00:00:00+00:00", "2026-01-01T00:00:00+00:00"
    found = write(late, None, early)
    assert [each.said["name"] for each in found.terms("flat")] == ["None", early, late]
    assert found.said("flat", NOW) == {**FLAT_RATE, "name": late}
    for twice in (late, "2026-11-15T01:00:00+01:00"):
        with pytest.raises(InvalidInput, match="two tariffs of one home hold from 2026-11-15"):
            write(late, twice).terms("flat")
    with pytest.raises(InvalidInput, match="at all times"):
        write(None, None).terms("flat")


def test_sums_of_two_currencies_are_refused(store: MemoryStore, tariffs: Tariffs) -> None:
    keep(store, tariffs, FLAT_RATE)
    set_tariff(store, tariffs, FLAT, {**FLAT_RATE, "currency": "CHF"}, now=NOW, since=date(2026, 11, 20))
    days = Window(
        local_day(date(2026, 11, 19), "Europe/Berlin").start, local_day(date(2026, 11, 20), "Europe/Berlin").end
    )
    with pytest.raises(InvalidInput, match="in EUR until 2026-11-20 00:00, and in CHF since") as told:
        home_bill(store, tariffs, FLAT, days, now=NOW)
    assert "days up to 2026-11-19, or from 2026-11-20 on" in told.value.remedy
    for day, currency in ((19, "EUR"), (20, "CHF")):
        whole = local_day(date(2026, 11, day), "Europe/Berlin")
        assert home_bill(store, tariffs, FLAT, whole, now=NOW).currency == currency
        found = past_prices(store, tariffs, FLAT, days, HOUR, now=NOW, currency=currency)
        assert np.isnan(found.import_).tolist() == [currency == "CHF"] * 24 + [currency == "EUR"] * 24
        assert f"so no price in {currency} is known then" in found.remarks[0]


def test_a_change_of_currency_within_a_day_names_the_whole_days_around_it(store: MemoryStore, tariffs: Tariffs) -> None:
    keep(store, tariffs, FLAT_RATE)
    tariffs.keep("flat", {**FLAT_RATE, "currency": "CHF"}, datetime(2026, 11, 19, 15, tzinfo=UTC))
    first, last = (local_day(date(2026, 11, day), "Europe/Berlin") for day in (18, 20))
    with pytest.raises(InvalidInput, match="until 2026-11-19 16:00") as told:
        home_bill(store, tariffs, FLAT, Window(first.start, last.end), now=NOW)
    assert "days up to 2026-11-18, or from 2026-11-20 on" in told.value.remedy
    assert [home_bill(store, tariffs, FLAT, day, now=NOW).currency for day in (first, last)] == ["EUR", "CHF"]


def test_prices_ahead_are_in_the_currency_of_now_and_not_known_beyond_a_change(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    keep(store, tariffs, FLAT_RATE)
    set_tariff(store, tariffs, FLAT, {**FLAT_RATE, "currency": "CHF"}, now=NOW, since=date(2026, 11, 22))
    found = priced(store, tariffs, 24)
    assert (found.currency, np.isnan(found.import_).tolist()) == ("EUR", [False] * 8 + [True] * 16)
    assert np.isnan(found.export[8:]).all()
    (remark,) = found.remarks
    assert remark.startswith("From 2026-11-22 00:00 to 2026-11-22 16:00 the tariff is in CHF")


def test_a_damaged_file_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "tariffs.json").write_text('{"tariffs": [1]}')
    with pytest.raises(InvalidInput, match="watthour tariff set"):
        Tariffs(tmp_path).said("flat")


@pytest.mark.parametrize("fault", ["nested", "folder", "too large"])
def test_a_file_that_cannot_be_read_is_named_and_its_cure_heals_it(tmp_path: Path, fault: str) -> None:
    file = tmp_path / "tariffs.json"
    if fault == "folder":
        file.mkdir()
    else:
        file.write_bytes(b'{"tariffs": ' + b"[" * 200_000 if fault == "nested" else b" " * (MOST_BYTES + 1))
    tariffs = Tariffs(tmp_path)
    asks: tuple[Callable[[], object], ...] = (
        lambda: tariffs.said("flat"),
        lambda: tariffs.keep("flat", FLAT_RATE),
    )
    for ask in asks:
        with pytest.raises(InvalidInput, match="tariffs file") as told:
            ask()
        assert "remove it and set the tariffs again" in told.value.remedy
        assert str(file) in str(told.value)
    if fault == "folder":
        file.rmdir()
    else:
        file.unlink()
    tariffs.keep("flat", FLAT_RATE)
    assert tariffs.said("flat") == FLAT_RATE


def test_a_file_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    tariffs = Tariffs(tmp_path)
    tariffs.keep("flat", FLAT_RATE)
    with pytest.raises(InvalidInput, match="is left as it was"):
        tariffs.keep("house", {**FLAT_RATE, "name": "x" * MOST_BYTES})
    assert Tariffs(tmp_path).said("flat") == FLAT_RATE


def test_a_price_that_looks_like_a_slip_is_not_kept_until_it_is_confirmed(store: MemoryStore, tariffs: Tariffs) -> None:
    said = {**FLAT_RATE, "import": {"kind": "flat", "price": 25}}
    with pytest.raises(InvalidInput, match="cent/kWh") as caught:
        keep(store, tariffs, said)
    assert "--confirm" in caught.value.remedy
    assert tariffs.said("flat") is None
    keep(store, tariffs, said, is_confirmed=True)
    assert tariffs.said("flat") == said


def test_followed_prices_that_are_a_thousand_times_off_are_asked_about(store: MemoryStore, tariffs: Tariffs) -> None:
    wrong = Channel("grid.awattar_de.kwh", MARKET.site.id, Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency="EUR")
    store.register([], [wrong])
    store.append(rows(wrong, MIDNIGHT - 5 * DAY, [80.0] * 120, ahead=True))
    with pytest.raises(InvalidInput, match="times what a kWh usually costs"):
        keep(store, tariffs, {**DYNAMIC, "import": {"kind": "dynamic", "channel": wrong.id}})
    keep(store, tariffs, DYNAMIC)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"import": {"kind": "dynamic", "channel": "grid.nowhere.price"}}, "import.channel", PRICE.id),
        ({"import": {"kind": "dynamic", "channel": METER.id}}, "import.channel", "no price"),
        ({"currency": "GBP"}, "import.channel", "in EUR, the tariff in GBP"),
        ({"import": {"kind": "flat", "price": 0.2, "meter": "home.flat.garage"}}, "meter", METER.id),
        (
            {"import": {"kind": "time_of_use", "bands": [
                {"price": 0.2, "days": "holidays"}, {"price": 0.3, "days": ["workdays", "weekend"]}]}},
            "holidays",
            "--holidays",
        ),
    ],
)  # fmt: skip
def test_what_a_tariff_names_must_be_there(
    store: MemoryStore, tariffs: Tariffs, change: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        keep(store, tariffs, {**DYNAMIC, **change})
    assert caught.value.field == field
    assert words in str(caught.value)


def test_tax_is_not_added_to_prices_that_are_with_tax(store: MemoryStore, tariffs: Tariffs) -> None:
    retail = Channel(
        "grid.octopus_c.retail_price", MARKET.site.id, Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency="EUR"
    )
    store.register([], [retail])
    drawn = {"kind": "dynamic", "channel": retail.id}
    with pytest.raises(InvalidInput, match="with tax already") as caught:
        keep(store, tariffs, {**DYNAMIC, "import": drawn})
    assert "tax_included = true" in caught.value.remedy
    keep(store, tariffs, {**DYNAMIC, "import": {**drawn, "tax_included": True}})


def test_published_prices_come_with_fees_and_taxes_and_what_is_beyond_is_forecast_with_a_band(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    keep(store, tariffs, DYNAMIC)
    found = priced(store, tariffs, 48)
    assert found.window.start == datetime(2026, 11, 21, 15, tzinfo=UTC)
    n_published = (PUBLISHED_TO - found.window.start) // HOUR
    assert 0 < n_published < 48
    assert found.is_forecast.tolist() == [False] * n_published + [True] * (48 - n_published)
    by_hand = [1.19 * (price_at(found.window.start + n * HOUR) / 1000 + 0.02 + 0.1) for n in range(n_published)]
    assert found.import_[:n_published] == pytest.approx(by_hand)
    ahead = slice(n_published, None)
    assert np.isfinite(found.import_[ahead]).all()
    assert (found.import_lower[ahead] <= found.import_[ahead]).all()
    assert (found.import_upper[ahead] > found.import_lower[ahead]).all()


def test_an_hour_that_was_not_published_is_forecast_and_those_around_it_stay(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    keep(store, tariffs, DYNAMIC)
    whole = priced(store, tariffs, 24)
    withdrawn = rows(PRICE, NOW.replace(minute=0) + 5 * HOUR, [0.0], ahead=True).with_columns(
        value=pl.lit(None, pl.Float64), available_at=pl.lit(NOW - HOUR), recorded_at=pl.lit(NOW - HOUR)
    )
    store.append(Readings.validate(withdrawn, cast=True))
    found = priced(store, tariffs, 24)
    assert np.flatnonzero(found.is_forecast).tolist() == [5]
    assert found.import_[5] == pytest.approx(whole.import_[5], rel=0.5)
    assert np.delete(found.import_, 5) == pytest.approx(np.delete(whole.import_, 5))


def test_a_price_without_a_past_stays_unknown(tariffs: Tariffs) -> None:
    store = MemoryStore()
    store.register([FLAT, MARKET.site], [METER, PRICE])
    keep(store, tariffs, DYNAMIC)
    found = priced(store, tariffs, 24)
    assert np.isnan(found.import_).all()
    (why,) = found.remarks
    assert PRICE.id in why
    assert "watthour backfill" in why


def test_once_the_published_prices_have_ended_they_are_forecast_at_any_minute(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    keep(store, tariffs, DYNAMIC)
    now = PUBLISHED_TO + timedelta(minutes=30)
    found = home_prices(store, FileRegistry(tariffs._file._path.parent / "models"), tariffs, FLAT, hours=24, now=now)
    assert found.window.start == PUBLISHED_TO
    assert found.is_forecast.all()
    assert np.isfinite(found.import_).all()
    assert found.remarks == ()


def test_steps_of_a_quarter_hour_and_hours_that_cannot_be(store: MemoryStore, tariffs: Tariffs) -> None:
    keep(store, tariffs, FLAT_RATE)
    assert len(priced(store, tariffs, 24, timedelta(minutes=15)).import_) == 96
    with pytest.raises(InvalidInput, match="1 to 168"):
        priced(store, tariffs, 0)
    with pytest.raises(InvalidInput, match="5, 10, 15, 30 or 60"):
        priced(store, tariffs, 24, timedelta(minutes=7))


def test_a_block_tariff_stands_in_the_tier_that_the_month_has_reached(store: MemoryStore, tariffs: Tariffs) -> None:
    # The meter tells 1 kWh an hour for ten days: 240 kWh of November up to now.
    tiers = [{"price": 0.2, "up_to_kwh": 239}, {"price": 0.3, "up_to_kwh": 1000}, {"price": 0.4}]
    keep(store, tariffs, {**FLAT_RATE, "import": {"kind": "blocks", "tiers": tiers}})
    found = priced(store, tariffs, 24)
    assert set(found.import_.tolist()) == {0.3}
    # The meter began on the 11th at 16:00: ten days and 16 hours of the month are not known.
    assert ["256 hours" in remark for remark in found.remarks] == [True]
    store.append(rows(METER, MIDNIGHT - 20 * DAY, [1.0] * 300))
    assert priced(store, tariffs, 24).remarks == ()


def test_the_tier_that_is_reached_is_known_where_days_begin_within_an_hour_of_the_meter(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    tiers = [{"price": 0.2, "up_to_kwh": 239}, {"price": 0.3, "up_to_kwh": 1000}, {"price": 0.4}]
    said = {**FLAT_RATE, "time_zone": "Asia/Kolkata", "import": {"kind": "blocks", "tiers": tiers}}
    keep(store, tariffs, said)
    store.append(rows(METER, MIDNIGHT - 21 * DAY, [1.0] * 400))  # hours of the clock of Berlin, half hours of India's
    found = priced(store, tariffs, 24)
    assert set(found.import_.tolist()) == {0.3}
    assert found.remarks == ()


def test_a_bill_of_whole_days_and_of_days_that_nobody_metered(store: MemoryStore, tariffs: Tariffs) -> None:
    keep(store, tariffs, DYNAMIC)
    day = local_day(date(2026, 11, 20), "Europe/Berlin")
    found = home_bill(store, tariffs, FLAT, day, now=NOW)
    by_hand = sum(1.19 * (price_at(day.start + n * HOUR) / 1000 + 0.12) for n in range(24))
    assert found.total == pytest.approx(by_hand, rel=1e-3)
    assert found.total == pytest.approx(by_hand)
    assert found.is_complete
    longer = Window(day.start - 20 * DAY, day.end)
    partly = home_bill(store, tariffs, FLAT, longer, now=NOW)
    assert partly.missing_hours == pytest.approx((NOW.replace(minute=0) - 10 * DAY - longer.start) / HOUR)
    assert partly.missing[0].start == longer.start
    with pytest.raises(NotEnoughHistory, match="no reading of"):
        home_bill(store, tariffs, FLAT, Window(day.start - 40 * DAY, day.start - 39 * DAY), now=NOW)
    with pytest.raises(InvalidInput, match="not ended"):
        home_bill(store, tariffs, FLAT, Window(day.start, NOW + DAY), now=NOW)


def test_what_a_meter_of_both_directions_tells_below_zero_is_fed_in(store: MemoryStore, tariffs: Tariffs) -> None:
    day = local_day(date(2026, 11, 1), "Europe/Berlin")
    store.append(rows(METER, day.start, [2.0] * 12 + [-1.0] * 12))
    keep(store, tariffs, {**FLAT_RATE, "export": {"kind": "flat", "price": 0.08}})
    assert home_bill(store, tariffs, FLAT, day, now=NOW).total == pytest.approx(24 * 0.25 - 12 * 0.08)


def test_a_meter_of_power_is_billed_by_its_energy_and_a_second_one_by_its_name(
    store: MemoryStore, tariffs: Tariffs
) -> None:
    half = timedelta(minutes=30)
    grid = Channel("home.flat.grid", "flat", Quantity.POWER, Unit.W, half)
    sun = Channel("home.flat.sun", "flat", Quantity.POWER, Unit.KW, half)
    store.register([], [grid, sun])
    day = local_day(date(2026, 11, 2), "Europe/Berlin")
    store.append(rows(grid, day.start, [500.0] * 48))
    store.append(rows(sun, day.start, [1.0] * 48))
    drawn = {"kind": "flat", "price": 0.2, "meter": grid.id}
    keep(store, tariffs, {**FLAT_RATE, "import": drawn, "export": {"kind": "flat", "price": 0.1, "meter": sun.id}})
    assert home_bill(store, tariffs, FLAT, day, now=NOW).total == pytest.approx(12 * 0.2 - 24 * 0.1)


@pytest.mark.parametrize("kind", ["dynamic", "blocks", "day and night"])
def test_past_prices_times_what_was_metered_are_the_bill(store: MemoryStore, tariffs: Tariffs, kind: str) -> None:
    """A kWh in each hour of three days, in steps of a quarter of an hour; the tiers end as a step does."""
    bands = [
        {"name": "night", "price": 0.14, "hours": ["22:00-06:00"]},
        {"name": "day", "price": 0.34, "hours": ["06:00-22:00"]},
    ]
    tiers = [{"price": 0.2, "up_to_kwh": 30}, {"price": 0.35}]
    said = {
        "dynamic": DYNAMIC,
        "blocks": {**FLAT_RATE, "tax_percent": 20, "import": {"kind": "blocks", "tiers": tiers}},
        "day and night": {**FLAT_RATE, "import": {"kind": "time_of_use", "bands": bands}},
    }[kind]
    keep(store, tariffs, said)
    first, last = (local_day(date(2026, 11, day), "Europe/Berlin") for day in (12, 14))
    window = Window(first.start, last.end)
    found = past_prices(store, tariffs, FLAT, window, timedelta(minutes=15), now=NOW)
    billed = home_bill(store, tariffs, FLAT, window, now=NOW)
    assert billed.is_complete
    assert float(found.import_.sum() * 0.25) == pytest.approx(billed.total)


def test_a_past_price_that_was_not_published_is_not_known(store: MemoryStore, tariffs: Tariffs) -> None:
    keep(store, tariffs, DYNAMIC)
    window = Window(PUBLISHED_TO - HOUR, PUBLISHED_TO + HOUR)
    found = past_prices(store, tariffs, FLAT, window, timedelta(minutes=15), now=NOW)
    assert np.isnan(found.import_).tolist() == [False] * 4 + [True] * 4
    assert not found.is_forecast.any()


def test_means_of_steps_are_taken_of_intervals_of_any_length_and_a_part_that_is_missing_leaves_them_unknown() -> None:
    window, quarter = Window(MIDNIGHT, MIDNIGHT + HOUR), timedelta(minutes=15)
    ten = on_steps(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), MIDNIGHT, timedelta(minutes=10), window, quarter)
    assert ten.tolist() == pytest.approx([4 / 3, 8 / 3, 13 / 3, 17 / 3])
    hourly = on_steps(np.array([np.nan, 2.0]), MIDNIGHT - HOUR, HOUR, window, quarter)
    assert hourly.tolist() == [2.0] * 4
    gap = on_steps(np.array([1.0, np.nan, 3.0, 4.0, 5.0, 6.0]), MIDNIGHT, timedelta(minutes=10), window, quarter)
    assert np.isnan(gap).tolist() == [True, True, False, False]
    short = on_steps(np.array([1.0]), MIDNIGHT, timedelta(minutes=30), window, quarter)
    assert np.isnan(short).tolist() == [False, False, True, True]
