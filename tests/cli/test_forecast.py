"""Forecast, scores and backtest at the command line."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
from cli.training import trained

from watthour.core.frames import INSTANT, Forecasts, Quality, Readings
from watthour.core.window import Window
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

SIMTOWN_ZONE = ZoneInfo("America/New_York")


def today() -> date:
    """Return the day in Simtown, whose store goes up to the present; it may end while the tests run."""
    return datetime.now(SIMTOWN_ZONE).date()


def test_tomorrow_comes_as_a_table_of_its_hours(town: Callable[..., Outcome]) -> None:
    before = today()
    ended = town("forecast")
    assert ended.code == 0, ended.err
    header, *rows = ended.out.splitlines()
    assert header.split("\t")[:4] == ["local time", "MWh", "5 %", "95 %"]
    assert len(rows) in {23, 24, 25}
    assert rows[0][:16] in {f"{day + timedelta(days=1)}T00:00" for day in (before, today())}
    assert "SIMULATED" in ended.err
    assert "watthour train" in ended.err  # a baseline answers, and says why


def test_forecasting_twice_gives_the_same_issue(town: Callable[..., Outcome]) -> None:
    for _attempt in range(2):  # once more if the hour ended between the two
        begun = datetime.now(UTC).hour
        first, second = (json.loads(town("forecast", "simtown", "--json").out) for _ in range(2))
        if datetime.now(UTC).hour == begun:
            break
    assert first["issued_at"] == second["issued_at"]
    assert first["points"][0]["value"] == second["points"][0]["value"]


def test_a_past_day_shows_actuals_beside(town: Callable[..., Outcome]) -> None:
    day = today() - timedelta(days=3)
    page = json.loads(town("forecast", "simtown", "--day", day.isoformat(), "--json").out)
    assert page["reconstructed"]
    assert page["points"][5]["actual"] is not None
    assert page["scores_of_day"] is not None


def test_a_day_that_cannot_be_is_named(town: Callable[..., Outcome]) -> None:
    assert town("forecast", "simtown", "--day", "tomorrow").code == 2
    far = town("forecast", "simtown", "--day", "2031-01-01")
    assert far.code == 2
    assert "Choose a day from" in far.err


def test_scores_show_everybody_by_lead_time(town: Callable[..., Outcome]) -> None:
    trained(town, "operator_debiased")
    ended = town("scores", "simtown", "--days", "20")
    assert ended.code == 0
    rows = [line.split("\t") for line in ended.out.splitlines()]
    assert rows[0][0] == "lead [h]"
    assert {row[1] for row in rows[1:]} >= {"Watthour", "Operator's forecast", "Same time last week"}
    assert {row[0] for row in rows[1:]} >= {"all", "13-24", "25-48"}
    assert "made afterwards" in ended.err


def test_a_backtest_takes_the_kind_of_model_that_serves_unless_told_otherwise(town: Callable[..., Outcome]) -> None:
    trained(town, "persistence_ensemble", past_days=0)
    last = datetime.now(UTC).date() - timedelta(days=3)
    ended = town("backtest", "simtown", "--from", str(last), "--to", str(last), "--json")
    assert ended.code == 0, ended.err
    found = [row["recipe"] for row in json.loads(ended.out)["rows"]]
    assert found == ["seasonal_naive", "operator_debiased", "persistence_ensemble"]


def test_scores_show_errors_day_by_day_and_levels(town: Callable[..., Outcome]) -> None:
    trained(town, "operator_debiased")
    by_day = json.loads(town("scores", "simtown", "--days", "12", "--by", "day", "--json").out)
    assert len(by_day["days"]) == 12
    assert {row["model"] for day in by_day["days"] for row in day["rows"]} >= {"ours", "operator"}
    table = town("scores", "simtown", "--days", "12", "--by", "day").out
    assert table.splitlines()[0].split("\t") == ["day", "forecast", "MAE [MWh]", "MAPE [%]"]
    levels = town("scores", "simtown", "--days", "12", "--by", "level").out.splitlines()
    assert levels[0].startswith("level [%]")
    assert len(levels) == 1 + 11


def test_a_backtest_scores_recipes_on_the_same_hours_and_can_be_kept(town: Callable[..., Outcome]) -> None:
    last = today() - timedelta(days=3)
    words = ["backtest", "simtown", "--from", str(last - timedelta(days=9)), "--to", str(last)]
    chosen = ["--recipe", "seasonal_naive", "--recipe", "operator_debiased"]
    ended = town(*words, *chosen, "--keep", "--json")
    assert ended.code == 0, ended.err
    naive, operator = json.loads(ended.out)["rows"]
    assert naive["n"] == operator["n"] > 200
    assert operator["mae_mwh"] < naive["mae_mwh"]
    page = json.loads(town("forecast", "simtown", "--day", str(last), "--json").out)
    assert page["reconstructed"]
    assert page["model_version"] == "operator_debiased"
    scored = json.loads(town("scores", "simtown", "--days", "12", "--json").out)["rows"]
    assert "ours" not in {row["model"] for row in scored}  # a rule that is kept is no model of ours


def test_the_doctor_counts_what_is_kept_but_not_used(town: Callable[..., Outcome], home: Path) -> None:
    assert "doubted" not in town("doctor").out
    store, now = open_store(f"sqlite:///{home / 'watthour.db'}"), datetime.now(UTC)
    hours = Window(now, now + timedelta(days=3))
    said = store.forecasts(["grid.simtown.demand"], hours, models=["operator"])
    wrong = said.with_columns(
        pl.col("value") * 1000,
        pl.lit(int(Quality.OUT_OF_RANGE), pl.Int16).alias("quality"),
        *(pl.lit(now).cast(INSTANT).alias(name) for name in ("issued_at", "available_at")),
    ).unique(["time"])
    assert store.append_forecasts(Forecasts.cast(wrong)) == wrong.height
    store.close()
    examined = town("doctor")
    assert examined.code == 0
    assert "doubted: Operator's forecast of grid.simtown.demand" in examined.out
    assert f"outside what is possible ({wrong.height})" in examined.out


def test_the_doctor_names_a_load_that_slipped_by_an_hour(town: Callable[..., Outcome], home: Path) -> None:
    assert "feed of" not in town("doctor").out
    store, now = open_store(f"sqlite:///{home / 'watthour.db'}"), datetime.now(UTC)
    kept = store.read(["grid.simtown.demand"], Window(now - timedelta(days=9), now)).sort("time")
    later = (pl.lit(now).cast(INSTANT).alias(name) for name in ("available_at", "recorded_at"))
    store.append(Readings.cast(kept.with_columns(pl.col("value").shift(1), *later).drop_nulls("value")))
    store.close()
    examined = town("doctor")
    assert examined.code == 0
    assert "feed of grid.simtown.demand" in examined.out
    assert "an hour later than before" in examined.out


def test_what_a_rival_published_is_not_kept_a_second_time(town: Callable[..., Outcome], home: Path) -> None:
    last = today() - timedelta(days=3)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    before = store.models_of("grid.simtown.demand")
    ended = town("backtest", "simtown", "--from", str(last), "--to", str(last), "--recipe", "operator", "--keep")
    assert ended.code == 0, ended.err
    assert store.models_of("grid.simtown.demand") == before
    store.close()


def test_without_any_data_the_error_says_what_to_bring(watthour: Callable[..., Outcome]) -> None:
    ended = watthour("forecast", "ny")
    assert ended.code == 6
    assert "watthour backfill ny" in ended.err
    assert ended.err.count("\n") <= 4  # progress, and one paragraph
