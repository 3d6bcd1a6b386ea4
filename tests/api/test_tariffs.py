"""The tariff of a home, its prices and its bills, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from priced_home import DYNAMIC, FLAT_RATE, NOW, PUBLISHED_TO, furnish, price_at
from starlette.testclient import TestClient
from town import IMPATIENT, URL

from watthour.api.app import create_app
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.bootstrap import App

HOME = "/api/v1/homes/flat"


@pytest.fixture
def flat(empty: App) -> Iterator[TestClient]:
    furnish(empty.store)
    with TestClient(create_app(empty, now=lambda: NOW, limits=IMPATIENT), base_url=URL) as opened:
        yield opened


def put(client: TestClient, said: dict[str, Any], **more: object) -> dict[str, Any]:
    answer = client.put(f"{HOME}/tariff", json={"tariff": said, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_home_without_a_tariff_says_how_to_set_one(flat: TestClient) -> None:
    for path in ("tariff", "prices", "bill"):
        answer = flat.get(f"{HOME}/{path}")
        assert answer.status_code == 404
        assert "watthour tariff set flat" in answer.text


def test_a_tariff_is_kept_and_told_as_it_was_said(flat: TestClient) -> None:
    told = {"home": "flat", "since": None, "tariff": DYNAMIC, "terms": [{"since": None, "tariff": DYNAMIC}]}
    assert put(flat, DYNAMIC) == told
    assert flat.get(f"{HOME}/tariff").json() == told
    assert put(flat, DYNAMIC) == told  # the same once more begins nothing
    assert flat.get("/api/v1/homes/nowhere/tariff").status_code == 404


def test_a_changed_tariff_holds_from_now_on_or_from_a_day_and_tells_no_past_bill_anew(flat: TestClient) -> None:
    put(flat, FLAT_RATE)
    yesterday = flat.get(f"{HOME}/bill").json()
    dear = {**FLAT_RATE, "name": "Dear", "import": {"kind": "flat", "price": 0.5}}
    assert put(flat, dear)["since"] == "2026-11-21T16:00:00+01:00"
    assert flat.get(f"{HOME}/bill").json() == yesterday
    assert flat.get(f"{HOME}/prices?hours=1").json()["points"][0]["import_price"] == 0.5
    cheap = {**FLAT_RATE, "name": "Cheap", "import": {"kind": "flat", "price": 0.1}}
    assert put(flat, cheap, since="2026-11-22")["since"] == "2026-11-22T00:00:00+01:00"
    found = flat.get(f"{HOME}/tariff").json()
    assert (found["tariff"]["name"], len(found["terms"])) == ("Dear", 3)
    ahead = flat.get(f"{HOME}/prices?hours=12").json()["points"]
    assert [point["import_price"] for point in ahead] == [0.5] * 8 + [0.1] * 4
    assert put(flat, dear, since="2026-11-20")["since"] == "2026-11-20T00:00:00+01:00"  # as said, also of the past
    both = flat.get(f"{HOME}/bill?start=2026-11-19&end=2026-11-20").json()
    (line,) = both["lines"]
    assert (line["quantity"], line["amount"], line["price"]) == pytest.approx((48.0, 24 * 0.25 + 24 * 0.5, 0.375))
    assert any("Another tariff holds since 2026-11-20 00:00;" in each for each in both["remarks"])
    assert [each["tariff"]["name"] for each in put(flat, dear, since="2026-11-20")["terms"]][2:] == ["Dear", "Cheap"]
    assert len(put(flat, dear, since="2026-11-20", drop_later=True)["terms"]) == 2
    put(flat, {**FLAT_RATE, "currency": "CHF"}, since="2026-11-21")
    refused = flat.get(f"{HOME}/prices?hours=4")
    assert refused.status_code == 200
    assert flat.get(f"{HOME}/bill?start=2026-11-20&end=2026-11-20").status_code == 200


def test_what_cannot_be_is_refused_by_field_and_what_is_odd_is_kept_once_it_is_confirmed(flat: TestClient) -> None:
    bad = flat.put(f"{HOME}/tariff", json={"tariff": {**FLAT_RATE, "currency": "EURO"}})
    assert (bad.status_code, bad.json()["field"]) == (400, "currency")
    odd = {**FLAT_RATE, "import": {"kind": "flat", "price": 25}}
    asked = flat.put(f"{HOME}/tariff", json={"tariff": odd})
    assert asked.status_code == 400
    assert "cent/kWh" in asked.text
    assert "confirm" in asked.text
    assert flat.get(f"{HOME}/tariff").status_code == 404
    put(flat, odd, confirm=True)
    assert put(flat, {**odd, "price_unit": "cent/kWh"})["tariff"]["price_unit"] == "cent/kWh"


def test_prices_ahead_say_what_is_published_and_what_is_forecast(flat: TestClient) -> None:
    put(flat, DYNAMIC)
    found = flat.get(f"{HOME}/prices?hours=48").json()
    points = found["points"]
    assert (len(points), found["unit"], found["step_seconds"]) == (48, "EUR/kWh", 3600)
    n_published = (PUBLISHED_TO - NOW.replace(minute=0)) // HOUR
    assert [point["forecast"] for point in points] == [False] * n_published + [True] * (48 - n_published)
    now = 1.19 * (price_at(NOW.replace(minute=0)) / 1000 + 0.12)
    assert points[0]["import_price"] == pytest.approx(now, abs=1e-6)
    assert points[0]["local_time"] == "2026-11-21T16:00:00+01:00"
    assert points[-1]["import_lower"] < points[-1]["import_price"] < points[-1]["import_upper"]
    assert flat.get(f"{HOME}/prices?hours=169").status_code == 422
    assert len(flat.get(f"{HOME}/prices?hours=2&step_minutes=15").json()["points"]) == 8


def test_a_bill_tells_its_lines_and_what_is_missing(flat: TestClient) -> None:
    put(flat, {**FLAT_RATE, "standing": {"price": 0.5}})
    found = flat.get(f"{HOME}/bill?start=2026-11-20&end=2026-11-20").json()
    assert [(line["name"], line["amount"]) for line in found["lines"]] == [("flat", 6.0), ("standing charge", 0.5)]
    assert (found["total"], found["complete"], found["currency"]) == (6.5, True, "EUR")
    assert flat.get(f"{HOME}/bill").json() == found  # yesterday
    partly = flat.get(f"{HOME}/bill?start=2026-11-10&end=2026-11-12").json()
    assert not partly["complete"]
    assert partly["missing"] == [{"start": "2026-11-09T23:00:00Z", "end": "2026-11-11T15:00:00Z"}]
    assert flat.get(f"{HOME}/bill?start=2026-11-20&end=2026-11-22").status_code == 400


def test_the_tariff_of_a_removed_home_is_gone(flat: TestClient, empty: App) -> None:
    put(flat, FLAT_RATE)
    assert flat.delete("/api/v1/sites/flat?delete_readings=true").status_code == 200
    assert empty.tariffs.said("flat") is None
