"""A zone of Europe by command: found by its country, set up, fetched, its carbon intensity and its price."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.entsoe import TOKEN, Platform, fake_entsoe
from typer.testing import CliRunner

from watthour.cli.app import app
from watthour.cli.exits import Exit
from watthour.core.window import DAY, HOUR, Window
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Outcome


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    state = Platform(now - 20 * DAY, now + DAY, now, step=timedelta(minutes=15))
    monkeypatch.setenv("WATTHOUR_OPEN_METEO_ENABLED", "false")
    with fake_entsoe(state) as server:
        monkeypatch.setenv("WATTHOUR_ENTSOE_URL", server.base_url)
        yield state


def test_zones_are_listed_by_country(watthour: Callable[..., Outcome]) -> None:
    lines = watthour("regions", "Sweden").out.splitlines()[1:]
    assert [line.split("\t")[0] for line in lines] == ["se_1", "se_2", "se_3", "se_4"]
    (france,) = json.loads(watthour("regions", "France", "--json").out)
    assert (france["id"], france["entsoe"]) == ("fr", "10YFR-RTE------C")


def test_a_country_of_several_zones_is_answered_with_their_names(watthour: Callable[..., Outcome]) -> None:
    asked = watthour("init", "--yes", "--region", "Sweden")
    assert asked.code == Exit.INPUT
    assert "Did you mean se_1, se_2, se_3, se_4?" in asked.err
    assert watthour("init", "--yes", "--region", "se_3").code == 0


@pytest.mark.usefixtures("platform")
def test_init_asks_for_a_country_and_a_token_and_hides_it(home: Path) -> None:
    wrong = "0123456789abcdef-0123456789abcdef"
    ended = CliRunner().invoke(app, ["init"], input=f"Norway\nFrance\nshort\n{wrong}\n{TOKEN}\n")
    assert ended.exit_code == 0, ended.output
    assert "no_1, no_2, no_3, no_4, no_5" in ended.output
    assert "it has 5 characters" in ended.output
    assert "answered 401" in ended.output
    assert "transparency@entsoe.eu" in ended.output
    assert "region fr (France), with an ENTSO-E token" in ended.output
    assert TOKEN not in ended.output
    written = (home / "watthour.toml").read_text()
    assert f'entsoe_api_key = "{TOKEN}"' in written
    assert "issue_hour = 11" in written


def test_without_a_token_it_is_said_what_to_set(watthour: Callable[..., Outcome]) -> None:
    made = watthour("init", "--yes", "--region", "Germany")
    assert made.code == 0
    assert "entsoe_api_key" in made.out
    examined = {finding["what"]: finding for finding in json.loads(watthour("doctor", "--json").out)}
    assert examined["settings of entsoe"]["words"].startswith("ENTSOE_API_KEY")
    assert "transparency@entsoe.eu" in examined["settings of entsoe"]["cure"]
    asked = watthour("ingest")
    assert (asked.code, "ENTSOE_API_KEY" in asked.err) == (Exit.NOT_CONFIGURED, True)


@pytest.mark.parametrize(("region", "stands_by"), [("be", True), ("ny", False)])
def test_prices_of_belgium_stand_by_without_a_token_and_nobody_else_is_asked_for_one(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, region: str, *, stands_by: bool
) -> None:
    monkeypatch.setenv("WATTHOUR_REGIONS", region)
    monkeypatch.setenv("ENTSOE_API_KEY", "your_token_here")
    notes = [each for each in json.loads(watthour("doctor", "--json").out) if each["what"] == "settings of entsoe"]
    assert [(note["state"], "placeholder" in note["words"]) for note in notes] == [("note", True)] * stands_by


def test_a_token_is_tested_and_added_like_any_source(
    watthour: Callable[..., Outcome], platform: Platform, tmp_path: Path
) -> None:
    kinds = {line.split("\t")[0] for line in watthour("source", "kinds").out.splitlines()}
    assert "entsoe" in kinds
    (tmp_path / "token").write_text(TOKEN)
    for verb in ("test", "add"):
        done = watthour("source", verb, "entsoe", "--secret-file", f"api_key={tmp_path / 'token'}")
        assert done.code == 0, done.err
        assert TOKEN not in done.out + done.err
    assert platform.zones
    assert TOKEN not in watthour("source", "list", "--json").out


@pytest.mark.usefixtures("platform")
def test_a_zone_is_fetched_with_its_carbon_intensity_and_its_price(
    watthour: Callable[..., Outcome], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_REGIONS", "de_lu")
    monkeypatch.setenv("ENTSOE_API_KEY", TOKEN)
    since = str((datetime.now(UTC) - 3 * DAY).date())
    for words in (("backfill", "de_lu", "--from", since), ("ingest", "de_lu")):
        done = watthour(*words)
        assert done.code == 0, done.err
    now = datetime.now(UTC)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    spans = store.spans()
    price = store.read(["grid.de_lu.price"], Window(now - DAY, now + 2 * DAY))
    ahead = store.forecasts(["grid.de_lu.ahead.wind_onshore"], Window(now - DAY, now + DAY))
    store.close()
    assert {"grid.de_lu.demand", "grid.de_lu.price", "grid.de_lu.generation.gas"} <= spans.keys()
    assert price.filter(pl.col("time") > now + HOUR).height > 0
    assert ahead["model"].unique().to_list() == ["operator"]
    shown = watthour("carbon", "show", "de_lu")
    told = {line.split("\t")[0]: line.split("\t") for line in shown.out.splitlines()}
    assert told["gas"][-1] == "IPCC AR5 (2014), median, 2014"
    assert told["mix"][1] == "average of production, direct emissions"
    assert TOKEN not in shown.out + shown.err
    assert TOKEN.encode() not in (home / "watthour.db").read_bytes()
