"""`watthour source`: tried, added, listed and removed; and a running schedule takes up what was added."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest
from fakes.eia import KEY
from fakes.home_assistant import TOKEN, home_assistant, metadata
from fakes.server import Answer, Request, as_json, serve

from watthour.bootstrap import open_app
from watthour.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome


def p1(request: Request) -> Answer:
    return {
        "/api": as_json({"serial": "3c39e7aabbcc", "product_type": "HWE-P1", "product_name": "P1 meter"}),
        "/api/v1/data": as_json({"active_power_w": 543.0, "total_power_import_kwh": 13779.3}),
    }.get(request.path, as_json({}, 404))


@pytest.fixture
def device() -> str:
    return "hosts=127.0.0.1:1"


def test_a_source_is_tested_added_listed_and_removed(watthour: Callable[..., Outcome], home: Path) -> None:
    with serve(p1) as meter:
        at = f"hosts={meter.base_url.removeprefix('http://')}"
        tried = watthour("source", "test", "homewizard", "--set", at, "--json")
        assert json.loads(tried.out)["works"]
        assert not (home / "sources.json").exists()
        added = watthour("source", "add", "homewizard", "--set", at)
        assert (added.code, "1 device speaks here: P1 meter." in added.out) == (0, True)
        assert watthour("home", "add", "Flat", "--time-zone", "Europe/Paris").code == 0
        key = "homewizard/3c39e7aabbcc/import"
        kept = watthour("listen", "--add", key, "--home", "flat", "--main", "--for", "10")
        assert "home.flat.energy" in kept.err
    (found,) = json.loads(watthour("source", "list", "--json").out)["sources"]
    assert (found["kind"], found["origin"], found["state"]) == ("homewizard", "added", "off")
    assert found["feeds"] == [{"channel": "home.flat.energy", "site": "flat"}]
    assert "homewizard" in watthour("source", "list").out
    assert watthour("source", "remove", "homewizard").code == 0
    assert watthour("source", "remove", "homewizard").code != 0
    assert "Nothing is connected yet" in watthour("source", "list").err


def test_what_does_not_answer_is_not_added_unless_one_insists(
    watthour: Callable[..., Outcome], home: Path, device: str
) -> None:
    refused = watthour("source", "add", "shelly", "--set", device)
    assert refused.code == 1
    assert "--untested adds it all the same" in refused.err
    assert not (home / "sources.json").exists()
    assert watthour("source", "add", "shelly", "--set", device, "--untested").code == 0
    assert stat.S_IMODE((home / "sources.json").stat().st_mode) == 0o600


def test_a_secret_is_read_from_a_file_and_refused_on_the_line(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    asked = ("source", "add", "mqtt", "--set", "host=127.0.0.1", "--untested")
    refused = watthour(*asked, "--set", "password=hunter2")
    assert refused.code != 0
    assert "--secret-file password=FILE" in refused.err
    assert "hunter2" not in refused.err
    (tmp_path / "broker.txt").write_text("hunter2\n", encoding="utf-8")
    assert watthour(*asked, "--secret-file", f"password={tmp_path / 'broker.txt'}").code == 0
    assert "hunter2" not in watthour("source", "list", "--json").out


@pytest.mark.parametrize(
    ("kind", "option"),
    [("mqtt", "password"), ("eia", "api_key"), ("home_assistant", "token"), ("influxdb", "token")],
)
def test_every_option_that_is_a_secret_is_refused_on_the_line(
    watthour: Callable[..., Outcome], kind: str, option: str
) -> None:
    refused = watthour("source", "test", kind, "--set", f"{option}=hunter2")
    assert refused.code != 0
    assert f"--secret-file {option}=FILE" in refused.err
    assert "hunter2" not in refused.err + refused.out


def test_a_new_kind_of_secret_is_known_by_its_type(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [{"name": "pin", "type": "secret"}]
    monkeypatch.setattr("watthour.bootstrap.kinds_of_sources", lambda: [{"kind": "mqtt", "fields": fields}])
    assert "--secret-file pin=FILE" in watthour("source", "test", "mqtt", "--set", "pin=1234").err


def test_home_assistant_is_added_with_its_token_from_a_file(
    watthour: Callable[..., Outcome], home: Path, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    listed = [metadata("sensor.p1", "kWh", "energy", counts=True)]
    with home_assistant(listed=listed) as fake:
        added = watthour(
            "source",
            "add",
            "home_assistant",
            "--set",
            f"url={fake.url}",
            "--secret-file",
            f"token={tmp_path / 'token'}",
        )
    assert (added.code, "It answers" in added.out) == (0, True)
    assert json.loads((home / "sources.json").read_text())["sources"]["home_assistant"]["token"] == TOKEN
    assert TOKEN not in added.out + added.err + watthour("source", "list", "--json").out


def test_every_kind_is_listed_with_its_options(watthour: Callable[..., Outcome]) -> None:
    listed = watthour("source", "kinds").out
    assert "mqtt" in listed
    assert "password (optional)" in listed
    kinds = {each["kind"] for each in json.loads(watthour("source", "kinds", "--json").out)["kinds"]}
    assert {"mqtt", "homewizard", "shelly", "eia"} <= kinds


def test_a_key_that_is_added_lets_a_running_schedule_follow_its_region(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watthour.cli.scheduler import Scheduler

    monkeypatch.setenv("WATTHOUR_SIMULATE", "false")
    with open_app(load_settings(home=home)) as app:
        scheduler = Scheduler(app)
        scheduler._stopping.set()  # it plans, and begins nothing
        scheduler._plan()
        before = {each.name: each for each in scheduler._rounds}
        assert "ingest ny" not in before
        app.add_source("eia", {"api_key": KEY})
        scheduler.tick()
        after = {each.name: each for each in scheduler._rounds}
        assert "ingest ny" in after
        assert after["weather"] is before["weather"]
        scheduler.stop()
