"""The price of a zone of Europe in the rounds: forecast before its auction, replaced by what is published, scored."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from fakes.entsoe import TOKEN, Platform, fake_entsoe
from priced_home import price_at
from starlette.testclient import TestClient

from watthour.api.app import create_app
from watthour.bootstrap import open_app
from watthour.cli.scheduler import Scheduler
from watthour.core.price import auction_of
from watthour.core.window import DAY, HOUR, Window, local_instant, local_midnight
from watthour.forecasting.catalogue import recipe, usual_recipe
from watthour.settings import load_settings
from watthour.workflows.beside import beside_load
from watthour.workflows.price_ahead import market_between
from watthour.workflows.runs import SCORE_PREFIX
from watthour.workflows.score import AUCTION, score
from watthour.workflows.sites import find_context
from watthour.workflows.train import train

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from watthour.bootstrap import App

PARIS, PRICE = "Europe/Paris", "grid.fr.price"
TODAY = date(2026, 10, 24)  # its morrow has 25 hours
BEGIN = local_midnight(TODAY, PARIS)
TOMORROW = Window(local_midnight(TODAY + DAY, PARIS), local_midnight(TODAY + 2 * DAY, PARIS))
LAST_CALL = local_instant(TODAY, time(11, 45), PARIS)
AFTERNOON = local_instant(TODAY, time(14, 30), PARIS)


def said(instant: datetime) -> float:
    """A price of which some part is nobody's to know."""
    rng = np.random.default_rng(int(instant.timestamp()) // 3600)
    return price_at(instant) + 5.0 * float(rng.standard_normal())


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Platform]:
    """France with its load, its forecast and its prices, published to the end of the day."""
    start = BEGIN - 130 * DAY
    state = Platform(start, TOMORROW.end + DAY, LAST_CALL, missing={"A75"}, published_to=TOMORROW.start)
    state.price_at = said
    for name, value in (("HOME", tmp_path), ("REGIONS", "fr"), ("OPEN_METEO_ENABLED", "false"), ("SIMULATE", "false")):
        monkeypatch.setenv(f"WATTHOUR_{name}", str(value))
    monkeypatch.setenv("ENTSOE_API_KEY", TOKEN)
    with fake_entsoe(state) as server:
        monkeypatch.setenv("WATTHOUR_ENTSOE_URL", server.base_url)
        yield state


def check_answers(app: App, now: datetime, version: str) -> None:
    """The interface tells the price and its scores where it tells those of the load."""
    with TestClient(create_app(app, now=lambda: now), base_url="http://127.0.0.1") as client:
        page = client.get(f"/api/v1/grid/{PRICE}/forecast", params={"day": str(TODAY + DAY)}).json()
        assert page["issued_at"] == f"{LAST_CALL:%Y-%m-%dT%H:%M:%SZ}"
        assert (page["model_version"], page["unit"], len(page["points"])) == (version, "EUR/MWh", 100)
        assert [each["id"] for each in page["series"]] == ["fr", PRICE]
        told = client.get(f"/api/v1/grid/{PRICE}/scores", params={"days": 3}).json()
        assert AUCTION in {row["lead_hours"] for row in told["rows"]}
        assert "12:00 of the day before (Europe/Brussels)" in told["protocol"]


def test_tomorrows_price_is_forecast_before_its_auction_replaced_by_it_and_scored_after(platform: Platform) -> None:
    present = [LAST_CALL]
    with open_app(load_settings()) as app:
        scheduler = Scheduler(app, clock=lambda: present[0])
        (load,) = scheduler.followed()
        scheduler._fill(load, Window(platform.start, LAST_CALL))
        store, registry = app.store, app.registry
        (price,) = beside_load(store, app.directories, load)
        assert price.channel.id == PRICE
        learned = recipe(usual_recipe(price.channel, "combination"), {"memories_days": (80,)})
        manifest = train(store, registry, price, learned, now=LAST_CALL, frozen_days=14).manifest
        version, price = manifest.version, find_context(store, app.directories, PRICE)
        assert {"known_load", "known_wind_onshore"} < {each.variable for each in price.covariates}
        of_covariates = [each for each in manifest.features if each.startswith("known_")]
        assert of_covariates == ["known_load"]  # wind and sun are told in the evening, long after the auction
        assert registry.champion(PRICE) == version

        scheduler._plan()
        (before_auction,) = [each for each in scheduler._rounds if each.name == "auction fr"]
        assert before_auction.rule.after(BEGIN) == LAST_CALL
        before_auction.work()
        ahead = market_between(store, registry, price.channel, TOMORROW, now=LAST_CALL)
        kept = store.forecasts([PRICE], TOMORROW, models=[version], levels=[0.5])
        assert kept["time"].n_unique() == len(ahead.values) == 100
        assert set(kept["issued_at"]) == {LAST_CALL}
        assert ahead.is_forecast.all()
        truth = np.array([round(said(TOMORROW.start + n * price.resolution), 2) for n in range(100)])
        assert np.abs(ahead.values * 1000 - truth).mean() < 15.0  # EUR/MWh
        np.testing.assert_allclose(ahead.values * 1000, kept.sort("time")["value"].to_numpy(), rtol=1e-6)

        present[0] = platform.now = AFTERNOON
        platform.published_to = TOMORROW.end
        scheduler._ingest(load)
        told = market_between(store, registry, price.channel, TOMORROW, now=AFTERNOON)
        assert not told.is_forecast.any()
        np.testing.assert_allclose(told.values * 1000, truth, rtol=1e-6)
        scheduler._forecast(load)
        beyond = Window(TOMORROW.end, TOMORROW.end + DAY)
        after = store.forecasts([PRICE], beyond, models=[version], levels=[0.5])
        assert AFTERNOON in set(after["issued_at"])

        present[0] = platform.now = TOMORROW.end + 7 * HOUR
        scheduler._score(load)
        assert store.runs(f"{SCORE_PREFIX}{PRICE}")[0].started_at == present[0]
        rows = {(row["model"], row["lead_hours"]): row for row in score(store, price, TOMORROW, now=present[0]).rows}
        assert rows["ours", AUCTION]["n"] == rows["seasonal_naive", AUCTION]["n"] == 100
        assert f"{rows['ours', AUCTION]['mae']:.6f}" == f"{np.abs(kept.sort('time')['value'] - truth).mean():.6f}"
        check_answers(app, present[0], version)


@pytest.mark.parametrize(
    ("market", "closes"),
    [
        ("fr", "12:00 Europe/Brussels"),
        ("ch", "11:00 Europe/Brussels"),
        ("rs", None),
        ("awattar_de", "12:00 Europe/Brussels"),
        ("energyzero", "12:00 Europe/Brussels"),
        ("octopus_c", None),
        ("nyiso_prices_j", "05:00 America/New_York"),
    ],
)
def test_it_is_said_when_the_auction_of_a_market_closes_where_that_is_known(market: str, closes: str | None) -> None:
    with open_app(load_settings()) as app:
        auction = auction_of(find_context(app.store, app.directories, market).site)
    assert (None if auction is None else f"{auction.closes:%H:%M} {auction.time_zone}") == closes
