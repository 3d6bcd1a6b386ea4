"""The published figures by the ways that people take: the command line, the API, and a notebook."""

from __future__ import annotations

import importlib
import json
from dataclasses import fields, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
import pytest
from rich.progress import Progress
from starlette.testclient import TestClient

from watthour import DayAhead
from watthour.api.app import create_app
from watthour.bootstrap import open_app
from watthour.cli import main
from watthour.core import metrics
from watthour.core.frames import LEVELS, Readings
from watthour.core.window import DAY, Window
from watthour.forecasting.global_model.model import GlobalModel
from watthour.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from watthour.core.forecast import History

Script: TypeAlias = Any  # a script's own types
RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "ny_day_ahead.json"
FILES = ("ny_demand.parquet", "ny_station_weather_issued_2008_2019.parquet", "ny_gfs_issued_2019_2021.parquet")
OURS = ("EIA_API_KEY", "DATABASE_URL", "MLFLOW_TRACKING_URI", "WATTHOUR_API_KEY", "WATTHOUR_REGIONS")
N_DAYS = 2  # of each home
# The benchmark leaves out some twenty hours of the year in which the operator published what cannot be.
NEAR = {"mape_percent": 0.01, "mae_mwh": 1.0, "coverage90_percent": 0.3}


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[Script]:
    """Import the scripts that publish the figures, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(RESULTS.parents[1])
        yield importlib.import_module


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Begin with nothing of one's own: no settings, no keys, an empty store."""
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path))
    return tmp_path


def scores_by_api(region: str, days: int, end: str) -> dict[str, Any]:
    """Return what the API says of everybody over the last days."""
    with open_app(load_settings()) as app, TestClient(create_app(app), base_url="http://127.0.0.1") as client:
        scores = client.get(f"/api/v1/grid/{region}/scores", params={"days": days, "end": end}).json()
    return {row["model"]: row for row in scores["rows"] if row["lead_hours"] == "all"}


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> Any:  # noqa: ANN401 - JSON
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


def check(found: Mapping[str, Any], published: Mapping[str, Any]) -> None:
    assert {name: found[name] for name in NEAR} == {
        name: pytest.approx(published[name], abs=NEAR[name]) for name in NEAR
    }


@pytest.mark.shared_data
def test_a_year_of_new_york_by_command_and_api_is_the_published_one(
    shared_data: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not any(home.iterdir())
    rows = json.loads(RESULTS.read_text(encoding="utf-8"))["rows"]
    published = {row["row"]: row for row in rows if row["test"] == "2019"}

    answered(capsys, "import", *(str(shared_data / "grid" / name) for name in FILES), "--region", "ny")
    period = ("--from", "2019-01-01", "--to", "2019-12-31", "--known-hour", "0")
    by_command = {row["recipe"]: row for row in answered(capsys, "backtest", "ny", *period, "--keep")["rows"]}
    check(by_command["day_process"], published["ours_with_operator"])
    for rule in ("seasonal_naive", "operator_debiased"):
        check(by_command[rule], published[rule])

    check(scores_by_api("ny", 365, "2019-12-31")["ours"], published["ours_with_operator"])


@pytest.mark.shared_data
def test_days_of_finland_by_command_and_api_are_those_of_the_benchmark(
    shared_data: Path, home: Path, capsys: pytest.CaptureFixture[str], benchmarks: Script
) -> None:
    europe = benchmarks("europe_day_ahead")
    test = next(each for each in europe.TESTS if each.name == "FI")
    load = home / "load" / "FI.parquet"
    load.parent.mkdir()
    table = pl.read_parquet(shared_data / "europe" / "load" / "FI.parquet")  # more than four years are learned from
    table.filter(pl.col("start_utc").dt.date().is_between(date(2016, 6, 1), date(2021, 2, 10))).write_parquet(load)
    history = europe.history_of(home, test)
    days = [date(2021, 2, 1) + timedelta(days=n) for n in range(7)]
    rows = {"operator_raw": "operator", "operator_debiased": "operator_debiased", "ours_with_operator": "day_process"}
    tables = {row: europe.run(row, history, days, Progress(disable=True))[0] for row in rows}
    scored = europe.scored(history, list(tables.values()))
    published = {rows[row]: europe.score(row, table, scored, test) for row, table in tables.items()}

    # A site of one's own: Suomi is a zone that is known, with weather, which the benchmark has not.
    place = ("--site", "Pohjola", "--time-zone", test.zone, "--holidays", "FI", "--unit", "MW", "--yes")
    columns = ("--value-column", "load_mw", "--forecast-column", "day_ahead_forecast_mw", "--issued-at", "10:00")
    answered(capsys, "import", str(load), *place, *columns)
    assert (home / "watthour.db").exists()
    period = ("--from", "2021-02-01", "--to", "2021-02-07", "--issue-hour", "12", "--known-hour", "6", "--keep")
    recipes = [word for name in published for word in ("--recipe", name)]
    by_command = {row["recipe"]: row for row in answered(capsys, "backtest", "pohjola", *period, *recipes)["rows"]}
    by_api = scores_by_api("pohjola", 7, "2021-02-07")
    for name, row in published.items():
        assert by_command[name]["n"] == row["intervals"]
        for metric in ("mape_percent", "coverage90_percent"):
            assert by_command[name][metric] == pytest.approx(row[metric], rel=1e-9)
    ours, theirs = published["day_process"], published["operator"]
    assert by_api["ours"]["mape_percent"] == pytest.approx(ours["mape_percent"], rel=1e-9)
    assert by_api["operator"]["mape_percent"] == pytest.approx(theirs["mape_percent"], rel=1e-9)


@pytest.mark.shared_data
def test_days_of_nord_pool_prices_by_notebook_command_and_api_are_those_of_the_benchmark(
    shared_data: Path, home: Path, capsys: pytest.CaptureFixture[str], benchmarks: Script
) -> None:
    prices, n_days = benchmarks("prices"), 7
    (home / "fev").mkdir()
    for name in ("epf_np", "epf_lear_dnn_2y"):  # the last year alone, which is learned in seconds
        rows = pl.read_parquet(shared_data / "fev" / f"{name}.parquet").sort("timestamp")
        if "market" in rows.columns:
            rows = rows.filter(pl.col("market") == "NP")
        rows.tail(24 * 365).write_parquet(home / "fev" / f"{name}.parquet")
    market = prices.Market.read(home, "NP", n_days)
    quantiles, _ = prices.ours(market)
    median, actual = quantiles[..., LEVELS.index(0.5)].ravel(), market.actual.ravel()
    mae = metrics.mae(actual, median)

    door = DayAhead(
        series="id", time="timestamp", target="target", covariates=market.covariates, model="day_regression"
    )
    told = door.cross_validation(pl.read_parquet(home / "fev" / "epf_np.parquet"), h=24, n_windows=n_days)
    assert metrics.mae(told["target"].to_numpy(), told["forecast"].to_numpy()) == pytest.approx(mae, rel=1e-9)

    covariates = [word for name in market.covariates for word in ("--covariate-column", f"{name}=MW")]
    place = ("--site", "Nord Pool", "--time-zone", "UTC", "--unit", "EUR/MWh", "--value-column", "target", "--yes")
    answered(capsys, "import", str(home / "fev" / "epf_np.parquet"), *place, *covariates, "--issued-at", "10:00")
    how = ("--issue-hour", "24", "--recipe", "day_regression")
    compared = answered(capsys, "compare", "nord_pool", "--days", str(n_days), *how)
    pinball = metrics.mean_pinball(actual, quantiles.reshape(-1, len(LEVELS)), LEVELS)
    assert compared["unit"] == "EUR/MWh"
    assert compared["rows"][0]["mae"] == pytest.approx(mae, rel=1e-6)
    assert compared["rows"][0]["pinball"] == pytest.approx(pinball, rel=1e-6)
    period = ("--from", "2018-12-18", "--to", "2018-12-24", "--retrain", "never", "--keep")
    (by_command,) = answered(capsys, "backtest", "nord_pool", *period, *how)["rows"]
    assert by_command["mae"] == pytest.approx(mae, rel=1e-6)
    assert scores_by_api("nord_pool", n_days, "2018-12-24")["ours"]["mae"] == pytest.approx(mae, rel=1e-6)


@pytest.mark.shared_data
def test_days_of_texas_by_command_are_those_of_a_notebook(
    shared_data: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pl.read_parquet(shared_data / "fev" / "ercot_1D.parquet").sort("id", "timestamp")
    zone = rows.filter(pl.col("id") == rows["id"][0]).tail(3 * 365)
    zone.write_parquet(home / "texas.parquet")
    door = DayAhead(
        series="id",
        time="timestamp",
        target="target",
        model="trend_season",
        time_zone="America/Chicago",
        holidays="US-TX",
    )
    told = door.cross_validation(zone, h=1, n_windows=14)

    words = ("--site", "Texan zone", "--unit", "MW", "--value-column", "target", "--yes")
    where = ("--time-zone", door.time_zone, "--holidays", str(door.holidays))
    answered(capsys, "import", str(home / "texas.parquet"), *words, *where)
    how = ("--days", "14", "--issue-hour", "24", "--recipe", "trend_season")
    rows = answered(capsys, "compare", "texan_zone", *how)["rows"]
    (by_command,) = [row for row in rows if row["recipe"] == "trend_season"]
    error = np.abs(told["target"].to_numpy() - told["forecast"].to_numpy())
    assert by_command["n"] == 14
    assert by_command["mae"] == pytest.approx(error.mean(), rel=1e-6)


@pytest.fixture(scope="module")
def street(benchmarks: Script, shared_data: Path) -> Script:
    """Four homes of London, 125 days of them, and the first days of the test that `benchmarks/homes.py` publishes."""
    homes = benchmarks("homes")
    whole = homes.lcl(shared_data)
    begin = homes.local_midnight(whole.days[0], "Europe/London")
    window = Window(begin - 125 * DAY, begin + N_DAYS * DAY)
    pasts = {}
    for name in list(whole.pasts)[6:10]:
        past = whole.pasts[name].known_at(window.end)
        pasts[name] = replace(past, readings=Readings.cast(past.readings.filter(pl.col("time") >= window.start)))
    return homes.Test(pasts, whole.days[:N_DAYS])


@pytest.fixture(scope="module")
def published_of_homes(benchmarks: Script, street: Script) -> Iterator[dict[str, dict[str, float]]]:
    """What the script finds for these days, by row, with few models to choose from and a small global one.

    They stay so for the notebook, the command line and the API: what is compared is the way, in less than a minute.
    """
    usual = {field.name: field.default for field in fields(GlobalModel)}
    with pytest.MonkeyPatch.context() as patch:
        small = {**usual, "n_networks": 1, "n_epochs": 4.0, "n_trees": 60}
        patch.setattr("watthour.forecasting.combination.trial.CANDIDATES", ("day_regression", "similar_days"))
        patch.setattr(GlobalModel.__init__, "__defaults__", tuple(small.values()))
        yield dict(benchmarks("homes").run(street, ["day_ahead", "served"]))


def scores_of_homes(rows: pl.DataFrame) -> dict[str, float]:
    """Return the figures that a user counts from a median and a band beside what was measured, as the script rounds."""
    is_inside = pl.col("actual").is_between("lower", "upper")
    of_each = rows.group_by("name").agg(
        mae=(pl.col("actual") - pl.col("value")).abs().mean(),
        covered=100 * is_inside.mean(),
        mean=pl.col("actual").mean(),
    )
    mae, mean, covered = (of_each[name].to_numpy() for name in ("mae", "mean", "covered"))
    return {
        "mae_median": round(float(np.median(mae)), 4),
        "nmae_median": round(float(np.median(mae / mean)), 4),
        "coverage90_percent": round(float(np.mean(covered)), 4),
    }


@pytest.mark.shared_data
def test_days_of_homes_of_london_in_a_notebook_are_those_of_the_benchmark(
    street: Script, published_of_homes: dict[str, dict[str, float]]
) -> None:
    pasts = street.pasts
    frame = pl.concat(
        [past.readings.select(pl.lit(name).alias("home"), "time", kwh="value") for name, past in pasts.items()]
    )
    place = next(iter(pasts.values())).context.site.place
    door = DayAhead(
        series="home",
        time="time",
        target="kwh",
        time_zone=place.time_zone,
        holidays=place.holidays,
        latitude=place.latitude,
        longitude=place.longitude,
    )
    told = door.cross_validation(frame, h=24, n_windows=N_DAYS, levels=[0.05, 0.95])
    found = scores_of_homes(
        told.rename({"home": "name", "kwh": "actual", "forecast": "value", "0.05": "lower", "0.95": "upper"})
    )
    assert found == {name: pytest.approx(published_of_homes["day_ahead"][name], abs=1e-4) for name in found}


@pytest.mark.shared_data
def test_days_of_homes_of_london_by_command_and_api_are_those_of_the_benchmark(
    street: Script, published_of_homes: dict[str, dict[str, float]], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    by_command: list[pl.DataFrame] = []
    by_api: list[pl.DataFrame] = []
    for name, past in street.pasts.items():
        place = past.context.site.place
        where = [
            f"--{key.replace('_', '-')}={getattr(place, key)}"
            for key in ("time_zone", "latitude", "longitude", "holidays")
        ]
        answered(capsys, "home", "add", name, *where, "--channel", "load:kWh:1h")
    for number in range(N_DAYS):
        for name, past in street.pasts.items():
            file, end = home / f"{name}.csv", past.as_of - (N_DAYS - number) * DAY
            past.readings.filter(pl.col("time") < end).select("time", kwh="value").write_csv(file)
            answered(capsys, "import", str(file), "--home", name, "--channel", past.context.channel.id, "--yes")
        if number == 0:
            (report,) = answered(capsys, "train", "--homes")
            assert {own["decision"] for own in report["own"].values()} == {"promoted"}
        for name, past in street.pasts.items():
            site = past.context.site.id
            by_command.append(beside(past, name, answered(capsys, "forecast", site, "--hours", "24")))
            by_api.append(beside(past, name, hours_by_api(site)))
    for rows in (by_command, by_api):
        found = scores_of_homes(pl.concat(rows))
        assert found == {name: pytest.approx(published_of_homes["served"][name], abs=1e-4) for name in found}


def hours_by_api(site: str) -> dict[str, Any]:
    with open_app(load_settings()) as app, TestClient(create_app(app), base_url="http://127.0.0.1") as client:
        return dict(client.get(f"/api/v1/homes/{site}/forecast", params={"hours": 24}).json())


def beside(past: History, name: str, answer: Mapping[str, Any]) -> pl.DataFrame:
    """Return a forecast of a day as rows beside what was measured."""
    (told,) = answer["forecasts"]
    assert (told["made_by"], told["archive"]) == ("model", True)
    points = pl.DataFrame(told["points"]).select(
        pl.lit(name).alias("name"),
        pl.col("time").str.to_datetime(time_zone="UTC", time_unit="us"),
        "value",
        "lower",
        "upper",
    )
    return points.join(past.readings.select("time", actual="value"), on="time", how="left").drop_nulls("actual")
