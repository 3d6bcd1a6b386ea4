"""A table with what is known ahead: from its columns to a model that uses them, by command and over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from starlette.testclient import TestClient

from watthour.api.app import create_app
from watthour.bootstrap import open_app
from watthour.core.window import HOUR, Window
from watthour.settings import load_settings
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

FIRST, DAYS = datetime(2023, 1, 1, tzinfo=UTC), 120
LOAD = "Load forecast (MW)"
SITE = ("--site", "Market", "--time-zone", "UTC", "--yes", "--value-column", "Price [EUR/MWh]")
BOTH = ("--covariate-column", LOAD, "--covariate-column", "Air=temperature_2m:degF", "--issued-at", "10:00")


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """Prices that go below zero and follow a load nobody could guess from their past."""
    rng = np.random.default_rng(7)
    load = 5000 + 800 * np.repeat(rng.standard_normal(DAYS), 24) + 300 * np.sin(np.arange(24 * DAYS) / 24 * 2 * np.pi)
    price = (load - 4800) / 40 + rng.standard_normal(24 * DAYS)
    rows = [
        f"{FIRST + n * HOUR:%Y-%m-%dT%H:%MZ},{price[n]:.3f},{load[n]:.1f},{50 + n % 24}\n" for n in range(24 * DAYS)
    ]
    path = tmp_path / "market.csv"
    path.write_text(f"time,Price [EUR/MWh],{LOAD},Air\n" + "".join(rows))
    return path


def kept(channel: str) -> list[tuple[datetime, datetime, float]]:
    """Return the forecasts kept of a channel: time, when it could be known, value."""
    with open_app(load_settings()) as app:
        context = find_context(app.store, app.directories, "market")
        span = Window(FIRST, FIRST + DAYS * timedelta(days=1))
        rows = app.store.history(context, span, datetime.now(UTC)).forecasts
        return rows.filter(channel=channel).sort("time").select("time", "available_at", "value").rows()


def test_columns_known_ahead_become_channels_of_the_site_known_from_the_time_said(
    watthour: Callable[..., Outcome], prices: Path
) -> None:
    said = watthour("import", str(prices), *SITE, *BOTH)
    assert said.code == 0, said.err
    assert f"{LOAD} is known ahead, and kept as grid.market.load_forecast" in said.err
    assert "not imported" not in said.err
    assert "[EUR/MWh]" in said.err
    with open_app(load_settings()) as app:
        context = find_context(app.store, app.directories, "market")
        air = next(each for each in app.store.channels() if each.id == "grid.market.air")
    assert (context.channel.id, context.channel.unit_in_words) == ("grid.market.price", "EUR/MWh")
    assert {each.channel: each.variable for each in context.covariates} == {
        "grid.market.load_forecast": "known_load_forecast",
        "grid.market.air": "temperature_2m",
    }
    assert str(air.unit) == "degC"
    load = kept("grid.market.load_forecast")
    assert len(load) == 24 * DAYS
    assert {time.date() - known.date() for time, known, _ in load} == {timedelta(days=1)}
    assert {known.hour for _, known, _ in load} == {10}
    assert kept("grid.market.air")[0][2] == pytest.approx((50 - 32) / 1.8)


def test_rows_of_tomorrow_bring_what_is_known_of_it_and_no_gaps(
    watthour: Callable[..., Outcome], prices: Path, tmp_path: Path
) -> None:
    assert watthour("import", str(prices), *SITE, *BOTH).code == 0
    end = FIRST + DAYS * timedelta(days=1)
    later = tmp_path / "tomorrow.csv"
    rows = [f"{end + n * HOUR:%Y-%m-%dT%H:%MZ},,{5000 + n},50\n" for n in range(24)]
    later.write_text(f"time,Price [EUR/MWh],{LOAD},Air\n" + "".join(rows))
    said = watthour("import", str(later), *SITE, *BOTH)
    assert said.code == 0, said.err
    with open_app(load_settings()) as app:
        assert app.store.spans()["grid.market.price"][1] < end
        context = find_context(app.store, app.directories, "market")
        ahead = app.store.history(context, Window(end, end + timedelta(days=1)), datetime.now(UTC)).forecasts
    assert ahead.filter(channel="grid.market.load_forecast")["value"].to_list() == [5000 + n for n in range(24)]


def test_over_http_the_same_columns_bring_the_same_rows(
    watthour: Callable[..., Outcome], prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert watthour("import", str(prices), *SITE, *BOTH).code == 0
    by_command = kept("grid.market.load_forecast")
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path / "other"))
    fields = {
        "site": "Market",
        "time_zone": "UTC",
        "value_column": "Price [EUR/MWh]",
        "covariate_column": [LOAD, "Air=temperature_2m:degF"],
        "issued_at": "10:00",
    }
    with open_app(load_settings()) as app, TestClient(create_app(app), base_url="http://127.0.0.1") as client:
        answer = client.post("/api/v1/imports", files={"file": ("market.csv", prices.read_bytes())}, data=fields)
        assert answer.status_code == 200, answer.text
        assert answer.json()["new_rows"] == 3 * 24 * DAYS
        channels = client.get("/api/v1/channels").json()["channels"]
    assert {each["id"]: each["unit"] for each in channels}["grid.market.price"] == "EUR/MWh"
    assert kept("grid.market.load_forecast") == by_command


def test_a_model_uses_what_is_known_ahead_and_a_day_can_be_issued_as_it_begins(
    watthour: Callable[..., Outcome], prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mae(*words: str) -> float:
        assert watthour("import", str(prices), *SITE, *words).code == 0
        period = ("--from", "2023-04-25", "--to", "2023-04-28", "--recipe", "day_regression", "--issue-hour", "24")
        said = watthour("backtest", "market", *period, "--json")
        assert said.code == 0, said.err
        return float(json.loads(said.out)["rows"][0]["mae"])

    with_load = mae(*BOTH)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path / "other"))
    assert with_load < 0.5 * mae()


def test_a_preview_names_the_forecasts_that_are_left_aside_and_no_others(
    watthour: Callable[..., Outcome], prices: Path
) -> None:
    assert f"not imported, because it looks like a forecast: {LOAD}" in watthour("import", str(prices), *SITE).err
    said = watthour("import", str(prices), *SITE, "--forecast-column", LOAD, "--issued-at", "10:00")
    assert said.code == 0, said.err
    assert "not imported" not in said.err


@pytest.mark.parametrize(
    ("words", "field", "cure"),
    [
        (
            ("--covariate-column", "Air=degC", "--covariate-column", "Air=degF", "--issued-at", "10:00"),
            "covariate_column",
            "Name each column once",
        ),
        (("--covariate-column", "Air", "--issued-at", "10:00"), "covariate_column", "'Air=MW'"),
        (("--covariate-column", "Air=warmth", "--issued-at", "10:00"), "covariate_column", "temperature_2m"),
        (("--covariate-column", "Wind=MW", "--issued-at", "10:00"), "covariate_column", LOAD),
        (("--covariate-column", LOAD), "issued_at", "--issued-at"),
        (("--unit", "currency/MWh"), "unit", "EUR/MWh"),
    ],
)
def test_what_is_not_clear_of_a_column_is_asked_with_a_cure(
    watthour: Callable[..., Outcome], prices: Path, words: tuple[str, ...], field: str, cure: str
) -> None:
    said = watthour("import", str(prices), *SITE, *words)
    assert said.code == 2
    assert field in said.err
    assert cure in said.err


def test_an_hour_to_which_demand_is_known_contradicts_an_issue_as_the_day_begins(
    watthour: Callable[..., Outcome], prices: Path
) -> None:
    assert watthour("import", str(prices), *SITE).code == 0
    said = watthour(
        "backtest", "market", "--from", "2023-04-25", "--to", "2023-04-25", "--issue-hour", "24", "--known-hour", "6"
    )
    assert said.code == 2
    assert "Give only one of the two." in said.err


def test_an_hour_that_is_asked_for_is_obeyed_of_prices_too_and_without_one_their_days_are_issued_as_they_begin(
    watthour: Callable[..., Outcome], prices: Path
) -> None:
    assert watthour("import", str(prices), *SITE).code == 0
    asked = ("backtest", "market", "--from", "2023-04-25", "--to", "2023-04-25", "--recipe", "seasonal_naive")
    said = watthour(*asked, "--known-hour", "6")
    assert (said.code, "Give only one" in said.err) == (2, False)
    assert "grid.market.price, which is told ahead" in said.err
    assert "--issue-hour 10" in said.err
    assert watthour(*asked, "--known-hour", "6", "--issue-hour", "10").code == 0
    assert watthour(*asked).code == 0
    compared = ("compare", "market", "--days", "3", "--recipe", "seasonal_naive", "--json")
    for words, issued in (((), "as each day begins"), (("--issue-hour", "10"), "at 10:00 local time")):
        told = watthour(*compared, *words)
        assert told.code == 0, told.err
        assert f"Issued {issued}" in json.loads(told.out)["protocol"]
