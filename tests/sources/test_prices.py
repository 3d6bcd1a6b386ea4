"""Sources of prices: their parsers on recorded answers, and each over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.files import fake_files
from fakes.prices import fake_awattar, fake_energyzero, fake_octopus
from fakes.server import as_json, serve

from watthour.core.errors import PayloadChanged, SourceRejected
from watthour.core.frames import Quality
from watthour.core.price import is_with_tax
from watthour.core.units import Unit
from watthour.core.window import HOUR, Window, local_day
from watthour.sources.http import RateLimit, RetryPolicy
from watthour.sources.prices import awattar, energyzero, nyiso_prices, octopus

if TYPE_CHECKING:
    import polars as pl

    from watthour.core.channel import Channel

RECORDED = Path(__file__).parents[1] / "recorded"
FAST, QUICK = RateLimit(1e9), RetryPolicy(attempts=2, first_wait=0.001, longest_wait=0.01)
GERMANY, AUSTRIA = awattar.contexts()
(NETHERLANDS,) = energyzero.contexts()
LONDON = next(each for each in octopus.contexts() if each.site.id == "octopus_c")
CITY = next(each for each in nyiso_prices.contexts() if each.site.id == "nyiso_prices_j")


def recorded(name: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text())
    return answer


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def values(rows: pl.DataFrame) -> dict[datetime, float | None]:
    return dict(rows.sort("time").select("time", "value").iter_rows())


def test_markets_are_sites_whose_main_channel_is_a_price_and_only_a_suppliers_is_with_tax() -> None:
    channels: list[Channel] = [each.channel for each in (GERMANY, AUSTRIA, NETHERLANDS, LONDON, CITY)]
    assert [each.id for each in channels] == [
        "grid.awattar_de.price",
        "grid.awattar_at.price",
        "grid.energyzero.price",
        "grid.octopus_c.retail_price",
        "grid.nyiso_prices_j.price",
    ]
    assert [is_with_tax(each) for each in channels] == [False, False, False, True, False]
    assert [each.unit_in_words for each in channels] == ["EUR/MWh", "EUR/MWh", "EUR/kWh", "GBP/kWh", "USD/MWh"]
    assert CITY.channel.unit is Unit.CURRENCY_PER_MWH
    assert len(octopus.contexts()) == 14
    assert len(nyiso_prices.contexts()) == 11


def test_an_hour_of_awattar_may_be_negative_or_zero_and_a_price_in_another_unit_is_refused() -> None:
    good, refused = awattar.parse(recorded("awattar_marketdata"), GERMANY)
    assert values(good) == {
        at("2026-03-28T22:00"): 12.5,
        at("2026-03-28T23:00"): -0.01,
        at("2026-03-29T00:00"): 0.0,  # zero is a price; the null after it is none
    }
    assert refused["rule"].to_list() == ["unit_is_eur_per_mwh", "interval_is_an_hour"]


@pytest.mark.parametrize("answer", [None, [], {"data": None}, {"data": [{"marketprice": 3}]}, {"data": [3]}])
def test_another_shape_of_awattar_is_said_to_be_one(answer: object) -> None:
    with pytest.raises(PayloadChanged, match="no market data"):
        awattar.parse(answer, GERMANY)


@pytest.mark.parametrize("start", [True, 10**20, -5, "x", None])
def test_an_instant_of_awattar_that_no_clock_shows_is_refused(start: object) -> None:
    row = {"start_timestamp": start, "end_timestamp": 1774738800000, "marketprice": 1.0, "unit": "Eur/MWh"}
    good, refused = awattar.parse({"data": [row]}, GERMANY)
    assert good.is_empty()
    assert refused.height == 1


def test_prices_of_tomorrow_are_known_from_the_afternoon_before() -> None:
    start = at("2026-06-01T22:00")  # midnight of the 2nd in Berlin
    with fake_awattar(start, start + 24 * HOUR) as server:
        clients = awattar.open_client(awattar.AwattarOptions(url=server.base_url), rate_limit=FAST, retry=QUICK)
        source = awattar.Awattar(GERMANY, clients)
        delivery = source.fetch(Window(start, start + 24 * HOUR), now=start + 48 * HOUR)
    assert set(delivery.readings["available_at"]) == {at("2026-06-01T12:00")}  # 14:00 in Berlin, on the 1st
    assert ((delivery.readings["quality"] & int(Quality.ASSUMED)) != 0).all()
    assert delivery.readings["value"].to_list()[:2] == [-5.0, -4.0]


def test_austria_is_asked_at_its_own_address() -> None:
    options = awattar.AwattarOptions(url="https://api.example.org/{country}")
    clients = awattar.open_client(options)
    assert [each._base_url for each in clients] == ["https://api.example.org/de", "https://api.example.org/at"]


def test_an_hour_of_energyzero_holds_for_its_quarters_and_the_exchange_price_is_taken() -> None:
    good, refused = energyzero.parse(recorded("energyzero_prices"), NETHERLANDS)
    assert values(good) == {
        at("2026-03-28T22:45"): 0.0791,
        **{at("2026-03-28T23:00") + n * timedelta(minutes=15): -0.0105 for n in range(4)},
    }
    assert refused["rule"].to_list() == ["interval_is_a_quarter_or_an_hour", "value_is_a_number"]


@pytest.mark.parametrize(
    "answer", [{}, {"base": [{"start": "x"}]}, {"base": [{"start": 1, "end": 2, "price": 3}]}, [1]]
)
def test_another_shape_of_energyzero_is_said_to_be_one(answer: object) -> None:
    with pytest.raises(PayloadChanged, match="no base prices"):
        energyzero.parse(answer, NETHERLANDS)


@pytest.mark.parametrize(("day", "n_quarters"), [(date(2026, 3, 29), 92), (date(2026, 10, 25), 100)])
def test_days_of_the_clock_changes_have_92_and_100_quarters_of_energyzero(day: date, n_quarters: int) -> None:
    window = local_day(day, "Europe/Amsterdam")
    with fake_energyzero(date(2026, 12, 31)) as server:
        client = energyzero.open_client(energyzero.EnergyzeroOptions(url=server.base_url), rate_limit=FAST, retry=QUICK)
        delivery = energyzero.Energyzero(NETHERLANDS, client).fetch(window, now=window.end)
        asked = [request.one("date") for request in server.requests]
    assert delivery.readings.height == n_quarters
    assert asked == [f"{day:%d-%m-%Y}"]


def test_tomorrow_before_its_prices_are_published_is_no_fault_and_long_silence_is_one() -> None:
    now = at("2026-06-01T08:00")
    with fake_energyzero(date(2026, 6, 1)) as server:
        client = energyzero.open_client(energyzero.EnergyzeroOptions(url=server.base_url), rate_limit=FAST, retry=QUICK)
        source = energyzero.Energyzero(NETHERLANDS, client)
        delivery = source.fetch(Window(now, now + 48 * HOUR), now=now)
        assert delivery.readings["time"].max() == at("2026-06-01T21:45")
        with pytest.raises(PayloadChanged, match="none of"):
            source.fetch(Window(at("2026-08-01T00:00"), at("2026-08-06T00:00")), now=at("2026-08-09T00:00"))


def test_rates_of_octopus_are_pounds_with_tax_and_hold_for_each_of_their_half_hours() -> None:
    window = Window(at("2026-03-28T23:00"), at("2026-03-29T03:00"))
    good, refused = octopus.parse(recorded("octopus_standard_unit_rates")["results"], LONDON, window)
    known = {time: value for time, value in values(good).items() if time < window.end}
    half = timedelta(minutes=30)
    assert known == pytest.approx(
        {
            **{at("2026-03-29T00:00") + n * half: 0.105 for n in range(3)},  # of two rows that of direct debit
            at("2026-03-29T01:30"): -0.03,
            **{at("2026-03-29T02:00") + n * half: 0.21 for n in range(2)},  # without an end, to that of the window
        }
    )
    assert refused["rule"].to_list() == ["interval_is_of_half_hours"]


def test_every_page_of_octopus_is_asked_and_the_day_begins_an_hour_before_midnight() -> None:
    start = at("2026-06-01T00:00")
    with fake_octopus(start, start + 48 * HOUR, most_rows=40) as server:
        client = octopus.open_client(octopus.OctopusOptions(url=server.base_url), rate_limit=FAST, retry=QUICK)
        delivery = octopus.Octopus(LONDON, client).fetch(Window(start, start + 48 * HOUR), now=start + 96 * HOUR)
        pages = [request.one("page") for request in server.requests]
    assert pages == ["1", "2", "3"]
    assert delivery.readings.height == 96
    known = dict(delivery.readings.select("time", "available_at").iter_rows())
    assert known[at("2026-06-01T21:30")] == at("2026-05-31T19:00")  # 22:30 in London: published with the 1st
    assert known[at("2026-06-01T22:00")] == at("2026-06-01T19:00")  # 23:00 in London: with the 2nd


def test_a_product_that_octopus_does_not_have_is_the_users_to_mend() -> None:
    start = at("2026-06-01T00:00")
    with fake_octopus(start, start + HOUR) as server:
        options = octopus.OctopusOptions(url=server.base_url, product="AGILE-1")
        source = octopus.Octopus(LONDON, octopus.open_client(options, rate_limit=FAST, retry=QUICK))
        with pytest.raises(SourceRejected, match="No ProductElectricityTariff"):
            source.fetch(Window(start, start + HOUR), now=start)


def test_pages_that_do_not_end_are_given_up() -> None:
    start = at("2026-06-01T00:00")
    with serve(lambda _request: as_json({"results": [], "next": "more"})) as server:
        client = octopus.open_client(octopus.OctopusOptions(url=server.base_url), rate_limit=FAST, retry=QUICK)
        with pytest.raises(PayloadChanged, match="more than 200 pages"):
            octopus.Octopus(LONDON, client).fetch(Window(start, start + HOUR), now=start)


def test_an_hour_that_comes_twice_in_new_york_has_both_its_prices() -> None:
    text = (RECORDED / "nyiso_damlbmp_20261101.csv").read_text()
    good, refused = nyiso_prices.parse(text, date(2026, 11, 1), CITY)
    found = values(good)
    assert len(found) == 25
    assert refused.is_empty()
    assert [found[at(f"2026-11-01T{hour:02}:00")] for hour in (4, 5, 6, 7)] == [22.25, 23.25, 24.25, 25.25]


def test_a_zone_that_is_not_in_the_file_is_said_to_be_missing() -> None:
    text = (RECORDED / "nyiso_damlbmp_20261101.csv").read_text()
    west = next(each for each in nyiso_prices.contexts() if each.site.id == "nyiso_prices_a")
    with pytest.raises(PayloadChanged, match="lacks NYISO day-ahead, West"):
        nyiso_prices.parse(text, date(2026, 11, 1), west)
    with pytest.raises(PayloadChanged, match="lacks"):
        nyiso_prices.parse("Time Stamp,Name\n", date(2026, 11, 1), CITY)


def test_the_days_of_new_york_are_asked_one_by_one_and_none_of_many_is_a_fault() -> None:
    file = (RECORDED / "nyiso_damlbmp_20261101.csv").read_bytes()
    day = local_day(date(2026, 11, 1), "America/New_York")
    with fake_files({"20261101damlbmp_zone.csv": file}) as server:
        options = nyiso_prices.NyisoPricesOptions(url=server.base_url)
        source = nyiso_prices.NyisoPrices(CITY, nyiso_prices.open_client(options, rate_limit=FAST, retry=QUICK))
        found = source.fetch(Window(day.start, day.end + 24 * HOUR), now=day.end)
        assert found.readings.height == 25
        assert set(found.readings["available_at"]) == {at("2026-10-31T15:00")}
        with pytest.raises(PayloadChanged, match="none of"):
            source.fetch(Window(day.start - 240 * HOUR, day.start - 120 * HOUR), now=day.start)
