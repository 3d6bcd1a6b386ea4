"""The hours ahead in watts over HTTP: of the one home, of one of several, and of any other site."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import street

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context
from watthour.core.frames import LEVELS, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR
from watthour.workflows.view.watts import watt_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from watthour.bootstrap import App

ROUTES = ("forecast", "peak-prediction", "optimization", "model/info", "model/retrain")
END = street.NOW.replace(minute=0)


def usage(hour: int) -> float:
    """Return what the home uses in an hour of the day, UTC [kWh]."""
    return {17: 2.0, 18: 3.0}.get(hour, 0.2 if 0 <= hour < 6 else 0.5)


def one_home(app: App, *, step: timedelta = HOUR, zone: str | None = None) -> None:
    """Add a home that uses the same every day, measured in kWh for four weeks."""
    site = Site("flat", "Flat", SiteKind.HOME, Place("Europe/Paris"), zone=zone, main_channel="home.flat.energy")
    app.store.register([site], [Channel("home.flat.energy", "flat", Quantity.ENERGY, Unit.KWH, step)])
    n_hours = 28 * 24
    values: list[float | None] = [usage((END - (n_hours - n) * HOUR).hour) for n in range(n_hours)]
    app.store.append(street.hourly("home.flat.energy", values, end=END))


@pytest.fixture
def flat(empty: App, open_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """The API over one home."""
    # It repeats itself exactly, as rules do and homes do not: by a rule its figures can be told.
    monkeypatch.setattr("watthour.workflows.forecast._by_other_homes", lambda *_: None)
    one_home(empty)
    return open_client(empty, now=lambda: street.NOW)


def asked(client: TestClient, route: str, **params: str | int) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{route}", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_the_one_home_is_forecast_in_watts(flat: TestClient) -> None:
    answer = asked(flat, "forecast", hours=30)
    assert (answer["site"], answer["forecast_horizon_hours"], answer["interval_minutes"]) == ("flat", 30, 60)
    assert (answer["model_type"], answer["made_by"]) == ("persistence_ensemble", "baseline")
    assert answer["known_until"] == "2024-05-15T07:00:00Z"
    assert len(answer["forecast"]) == 30
    for point in answer["forecast"]:
        hour = datetime.fromisoformat(point["timestamp"]).hour
        assert point["power_watts"] == pytest.approx(1000 * usage(hour), abs=20)
        assert point["lower_bound"] <= point["power_watts"] <= point["upper_bound"]
    assert len(asked(flat, "forecast")["forecast"]) == 48
    assert flat.get("/api/v1/forecast", params={"hours": 169}).status_code == 422


def test_a_power_channel_and_a_region_are_given_in_the_same_unit(
    town_client: TestClient, open_client: Callable[..., TestClient], empty: App
) -> None:
    region = asked(town_client, "forecast", hours=24)  # the default site, as there is no home
    ahead = town_client.get("/api/v1/sites/simtown/forecast").json()["forecasts"][0]
    assert (region["site"], region["simulated"]) == ("simtown", True)
    assert region["forecast"][3]["power_watts"] == pytest.approx(ahead["points"][3]["value"] * 1e6)
    street.fill(empty.store)
    homes = open_client(empty, now=lambda: street.NOW)
    watts = asked(homes, "forecast", home="oak", hours=24)["forecast"]
    kilowatts = homes.get("/api/v1/homes/oak/forecast").json()["forecasts"][0]["points"]
    assert watts[3]["upper_bound"] == pytest.approx(kilowatts[3]["upper"] * 1000)


def test_energy_is_that_of_the_mean_as_medians_add_up_to_less() -> None:
    site = Site("flat", "Flat", SiteKind.HOME, Place("Europe/Paris"))
    context = Context(site, Channel("home.flat.energy", "flat", Quantity.ENERGY, Unit.KWH, HOUR))
    often_off = {f"{level:g}": 0.1 if level < 0.75 else 1.0 for level in LEVELS}
    point = {"time": f"{END:%Y-%m-%dT%H:%M:%SZ}", "local_time": "", "value": 0.1, "lower": 0.1, "upper": 1.0}
    told = watt_points(context, {"points": [{**point, "quantiles": often_off}, {**point, "quantiles": {"0.5": 0.1}}]})
    assert told[0]["value"] == pytest.approx(100)
    assert told[0]["mean"] == pytest.approx(100 + 900 * 0.25, abs=20)
    assert told[1]["mean"] == pytest.approx(100)  # nothing but the median is known


def test_the_peak_of_the_next_day_is_found(flat: TestClient) -> None:
    answer = asked(flat, "peak-prediction")
    assert (answer["peak_timestamp"], answer["peak_hour"]) == ("2024-05-15T18:00:00Z", 20)
    assert answer["peak_power_watts"] == pytest.approx(3000, abs=30)
    assert answer["lower_bound"] <= answer["peak_power_watts"] <= answer["upper_bound"]
    assert answer["daily_total_kwh"] == pytest.approx(sum(map(usage, range(24))), abs=0.2)
    assert (answer["start"], answer["end"]) == ("2024-05-15T07:00:00Z", "2024-05-16T07:00:00Z")


def test_hours_are_rated_by_the_load_where_no_price_is_known(flat: TestClient) -> None:
    answer = asked(flat, "optimization")
    assert (answer["basis"], answer["price_channel"], answer["savings"]) == ("load", None, None)
    assert [(each["local_start"][11:16], each["local_end"][11:16]) for each in answer["best_hours"]] == [
        ("02:00", "08:00")
    ]
    (best,) = answer["best_hours"]
    assert best["mean_power_watts"] == pytest.approx(200, abs=20)
    assert ("2024-05-15T17:00:00Z", "2024-05-15T19:00:00Z") in [
        (each["start"], each["end"]) for each in answer["avoid_hours"]
    ]


def test_hours_are_rated_by_the_price_of_the_grid_zone_where_it_is_known(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    one_home(empty, zone="BE")
    market = Site("be", "Belgium", SiteKind.REGION, Place("Europe/Brussels"), zone="BE")
    price = Channel("grid.be.price", "be", Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR / 2, currency="EUR")
    empty.store.register([market], [price])
    prices = [0.2] * 24 + [0.1] * 4  # by the half hour, known to 21:00 UTC
    known = pl.DataFrame({"time": [END + n * HOUR / 2 for n in range(28)], "value": prices}).select(
        pl.lit(price.id).alias("channel"),
        "time",
        pl.lit(END - DAY).alias("available_at"),
        pl.lit(END - DAY).alias("recorded_at"),
        "value",
        pl.lit(0, pl.Int16).alias("quality"),
    )
    empty.store.append(Readings.validate(known, cast=True))
    answer = asked(open_client(empty, now=lambda: street.NOW), "optimization", hours=24)
    assert (answer["basis"], answer["price_unit"]) == ("price", "EUR/kWh")
    assert (answer["considered_from"], answer["considered_to"]) == ("2024-05-15T07:00:00Z", "2024-05-15T21:00:00Z")
    assert [(each["start"], each["end"]) for each in answer["best_hours"]] == [
        ("2024-05-15T19:00:00Z", "2024-05-15T21:00:00Z")
    ]
    assert answer["best_hours"][0]["mean_price"] == pytest.approx(0.1)
    assert answer["avoid_hours"] == []  # all other hours cost the same


def test_a_new_price_of_the_home_itself_is_in_the_next_answer(empty: App, flat: TestClient) -> None:
    assert asked(flat, "optimization")["basis"] == "load"
    price = Channel("home.flat.price", "flat", Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency="EUR")
    empty.store.register([], [price])
    for cheap in (3, 9):
        values: list[float | None] = [0.1 if n == cheap else 0.3 for n in range(24)]
        rows = street.hourly(price.id, values, end=END + DAY).with_columns(
            available_at=pl.lit(END + cheap * HOUR / 60), recorded_at=pl.lit(END + cheap * HOUR / 60)
        )
        empty.store.append(Readings.validate(rows, cast=True))
        answer = asked(flat, "optimization")
        assert (answer["basis"], answer["price_channel"]) == ("price", price.id)
        assert [each["start"] for each in answer["best_hours"]] == [f"{END + cheap * HOUR:%Y-%m-%dT%H:%M:%SZ}"]


def test_an_unnamed_home_among_several_is_asked_for(empty: App, open_client: Callable[..., TestClient]) -> None:
    street.fill(empty.store)
    client = open_client(empty, now=lambda: street.NOW)
    for route in ROUTES:
        problem = client.get(f"/api/v1/{route}").json()
        assert (problem["status"], problem["field"]) == (409, "home"), route
        assert problem["remedy"] == "Name one by `home`: beech, elms, new, oak."
    assert client.post("/api/v1/model/retrain").status_code == 409
    assert asked(client, "peak-prediction", home="New")["site"] == "new"
    assert asked(client, "peak-prediction", site="NEW")["site"] == "new"
    both = client.get("/api/v1/forecast", params={"home": "oak", "site": "oak"}).json()
    assert (both["status"], both["field"]) == (400, "site")


def test_a_real_home_comes_before_simulated_ones(empty: App, open_client: Callable[..., TestClient]) -> None:
    street.add(empty.store, "Invented", 10, is_simulated=True)
    one_home(empty)
    assert asked(open_client(empty, now=lambda: street.NOW), "forecast")["site"] == "flat"


def test_a_home_that_was_begun_only_stands_in_nobodys_way(empty: App, open_client: Callable[..., TestClient]) -> None:
    one_home(empty)
    empty.store.register([Site("begun", "Begun", SiteKind.HOME, Place("Europe/Paris"))], [])
    assert asked(open_client(empty, now=lambda: street.NOW), "forecast")["site"] == "flat"


def test_without_any_site_the_cure_is_to_add_a_home(client: TestClient) -> None:
    for route in ROUTES:
        problem = client.get(f"/api/v1/{route}").json()
        assert (problem["status"], problem["type"]) == (404, "urn:watthour:problem:no-home"), route
        assert "POST /api/v1/homes" in problem["remedy"]
    assert client.get("/api/v1/forecast", params={"home": "attic"}).status_code == 404


def test_a_home_without_readings_says_what_to_bring(empty: App, open_client: Callable[..., TestClient]) -> None:
    site = Site("flat", "Flat", SiteKind.HOME, Place("Europe/Paris"), main_channel="home.flat.energy")
    empty.store.register([site], [Channel("home.flat.energy", "flat", Quantity.ENERGY, Unit.KWH, HOUR)])
    problem = open_client(empty, now=lambda: street.NOW).get("/api/v1/forecast").json()
    assert (problem["status"], problem["type"]) == (409, "urn:watthour:problem:not-enough-history")
    assert "POST /api/v1/readings" in problem["remedy"]


def test_a_home_without_mains_says_so_and_what_can_be_asked(empty: App, client: TestClient) -> None:
    assert client.post("/api/v1/homes", json={"name": "Bare", "time_zone": "Europe/Paris"}).status_code == 201
    plug = {"name": "Washer", "channels": [{"name": "power", "unit": "W", "resolution_seconds": 3600}]}
    for devices in ([], [plug]):
        for each in devices:
            assert client.post("/api/v1/homes/bare/devices", json=each).status_code == 201
        for route in ROUTES:
            answer = client.get(f"/api/v1/{route}", params={"home": "bare"})
            assert (answer.status_code, answer.json()["detail"]) == (409, "nothing measures the whole of Bare"), route
            assert "GET /api/forecast" in answer.json()["remedy"]
        assert client.get("/api/v1/homes/bare/forecast").status_code == 409
    phases = [Channel(f"home.bare.phase_{name}", "bare", Quantity.POWER, Unit.KW, HOUR) for name in "ab"]
    empty.store.register([], phases)
    problem = client.get("/api/v1/forecast", params={"home": "bare"}).json()
    assert "watthour home change bare --main phase_a" in problem["remedy"]
    assert client.patch("/api/v1/homes/bare", json={"main": "phase_a"}).status_code == 200
    assert "home.bare.phase_a" in client.get("/api/v1/forecast", params={"home": "bare"}).json()["detail"]


def test_what_is_no_load_is_not_given_in_watts(empty: App, open_client: Callable[..., TestClient]) -> None:
    market = Site("be", "Belgium", SiteKind.REGION, Place("Europe/Brussels"), main_channel="grid.be.price")
    price = Channel("grid.be.price", "be", Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency="EUR")
    empty.store.register([market], [price])
    empty.store.append(street.hourly("grid.be.price", [0.1 + 0.01 * (n % 24) for n in range(28 * 24)], end=END))
    client = open_client(empty, now=lambda: street.NOW)
    problem = client.get("/api/v1/forecast", params={"site": "Belgium"}).json()
    assert (problem["status"], problem["field"]) == (400, "site")
    assert client.get("/api/v1/sites/be/forecast").json()["forecasts"][0]["unit"] == "EUR/kWh"


def test_a_rule_has_a_name_and_no_facts(flat: TestClient) -> None:
    answer = asked(flat, "model/info")
    assert (answer.pop("site"), answer.pop("channel"), answer.pop("simulated")) == ("flat", "home.flat.energy", False)
    assert (answer.pop("model_type"), answer.pop("model_version")) == ("persistence_ensemble",) * 2
    assert "has no model of its own yet" in answer.pop("fallback")
    assert set(answer.values()) == {None}


def test_a_home_that_the_model_of_other_homes_answers_for_is_told_of_that(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    one_home(empty)
    client = open_client(empty, now=lambda: street.NOW)
    answer = asked(client, "model/info")
    assert answer["model_type"] == asked(client, "forecast")["model_type"] == "other_homes"
    assert all(answer[name] for name in ("trained_at", "features", "splits", "data_fingerprint"))


def test_a_home_without_readings_has_no_model_and_is_told_why(
    empty: App, open_client: Callable[..., TestClient]
) -> None:
    site = Site("flat", "Flat", SiteKind.HOME, Place("Europe/Paris"), main_channel="home.flat.energy")
    empty.store.register([site], [Channel("home.flat.energy", "flat", Quantity.ENERGY, Unit.KWH, HOUR)])
    answer = asked(open_client(empty, now=lambda: street.NOW), "model/info")
    assert (answer["model_type"], answer["model_version"]) == (None, None)
    assert answer["fallback"].startswith("Nothing can be forecast yet: ")


def test_a_retraining_runs_in_the_background_and_tells_its_progress(flat: TestClient, empty: App) -> None:
    assert asked(flat, "model/retrain")["status"] == "idle"
    begun = flat.post("/api/v1/model/retrain")
    assert (begun.status_code, begun.json()["site"]) == (202, "flat")
    assert begun.json()["status"] in {"running", "failed"}
    empty.trainings.stop()


def test_health_and_readiness_are_found_under_the_api_too(flat: TestClient) -> None:
    assert flat.get("/api/v1/health").json() == flat.get("/health").json()
    assert flat.get("/api/v1/ready").json() == flat.get("/ready").json()
    told = flat.get("/api/v1/ready").json()
    assert (told["regions"], told["homes"]) == ([], ["flat"])


def test_a_new_reading_is_in_the_next_answer(flat: TestClient) -> None:
    before = asked(flat, "forecast")
    row = {"channel": "home.flat.energy", "time": "2024-05-15T07:00:00Z", "value": 0.4}
    assert flat.post("/api/v1/readings", json={"readings": [row]}).json()["new"] == 1
    assert (before["known_until"], asked(flat, "forecast")["known_until"]) == (
        "2024-05-15T07:00:00Z",
        "2024-05-15T08:00:00Z",
    )
