"""`watthour up` tells Home Assistant of homes: switched on while it runs, seen in health, killed, switched off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from builders import readings
from fakes.broker import MOSQUITTO, Mosquitto
from sources.mqtt.test_announcing import retained

from watthour.bootstrap import open_app
from watthour.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Outcome

LONGEST_S = 60.0  # a busy machine


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("Mosquitto is not installed: apt-get install mosquitto")
    folder = tmp_path / "broker"
    folder.mkdir()
    found = Mosquitto(folder)
    found.start()
    monkeypatch.setenv("WATTHOUR_REGIONS", "")
    monkeypatch.setenv("WATTHOUR_SIMULATE", "no")
    yield found
    found.close()


@pytest.fixture
def flat(watthour: Callable[..., Outcome], home: Path) -> str:
    """A home whose meter told two days."""
    assert watthour("home", "add", "Flat", "--time-zone", "Europe/Paris", "--channel", "energy:kWh:1h").code == 0
    settings = load_settings(home=home)
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=48)
    with open_app(settings) as app:
        (channel,) = (each for each in app.store.channels() if each.site == "flat")
        app.store.append(readings(*[0.5] * 48, channel=channel.id, start=start, available_at=start + timedelta(days=2)))
    return channel.id


@contextmanager
def running(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    environment = {**os.environ, "WATTHOUR_HOME": str(home), "WATTHOUR_LOG_FORMAT": "json"}
    command = [sys.executable, "-m", "watthour", "up", "--port", "0"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = next(said["url"] for said in map(json.loads, process.stderr) if said["event"] == "listening")
        try:
            yield process, url
        finally:
            process.kill()
            process.stderr.close()


def until(is_so: Callable[[], bool]) -> None:
    ends_at = monotonic() + LONGEST_S
    while not is_so():
        assert monotonic() < ends_at, "it did not come to pass"
        sleep(0.1)


def sink(url: str) -> dict[str, Any]:
    with urlopen(f"{url}/health", timeout=10) as answer:  # noqa: S310 - our own address
        found: list[dict[str, Any]] = json.load(answer)["sinks"]
    return found[0] if found else {}


def status_of(broker: Mosquitto) -> str | None:
    return next((said for topic, said in retained(broker).items() if topic.endswith("/status")), None)


@pytest.mark.usefixtures("flat")
def test_switched_on_while_it_runs_killed_and_switched_off_again(
    broker: Mosquitto, watthour: Callable[..., Outcome], home: Path
) -> None:
    at = ("--set", "host=127.0.0.1", "--set", f"port={broker.port}")
    with running(home) as (process, url):
        assert sink(url) == {}
        assert watthour("source", "add", "mqtt", *at, "--set", "announce=yes").code == 0
        until(lambda: status_of(broker) == "online")
        found = retained(broker)
        (config,) = (json.loads(said) for topic, said in found.items() if topic.endswith("/config"))
        assert config["device"]["name"] == "Flat"
        (state,) = (json.loads(said) for topic, said in found.items() if topic.endswith("/state"))
        assert state.keys() == {*config["components"], "energy_month_since"}
        until(lambda: sink(url).get("state") == "ok")
        assert sink(url)["name"] == "home_assistant_discovery"
        broker.kill()
        until(lambda: sink(url)["state"] == "failing")
        assert "cannot be reached" in sink(url)["problem"]
        until(lambda: "announce" in watthour("doctor").out)
        broker.start()
        until(lambda: status_of(broker) == "online" and sink(url)["state"] == "ok")
        process.send_signal(signal.SIGKILL)
        until(lambda: status_of(broker) == "offline")
    with running(home) as (process, _url):
        until(lambda: status_of(broker) == "online")
        ids = {topic for topic in retained(broker) if topic.endswith("/config")}
        assert ids == {topic for topic in found if topic.endswith("/config")}
        assert watthour("source", "add", "mqtt", *at, "--set", "announce=no").code == 0
        until(lambda: retained(broker) == {})
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONGEST_S) == 0
    assert retained(broker) == {}


def test_what_would_be_told_is_shown_with_what_is_unknown_and_why(
    watthour: Callable[..., Outcome], flat: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = watthour("home", "told", "flat")
    assert (shown.code, "Energy drawn this month" in shown.out, "Now nobody is told" in shown.err) == (0, True, True)
    assert flat in shown.out  # of what is unknown the reason
    monkeypatch.setenv("WATTHOUR_MQTT_HOST", "127.0.0.1")
    monkeypatch.setenv("WATTHOUR_MQTT_ANNOUNCE", "yes")
    said = json.loads(watthour("home", "told", "flat", "--json").out)
    assert (said["home"], said["announced"]) == ("flat", True)
    entries = {each["key"]: each for each in said["entries"]}
    month = entries["energy_month"]
    assert month["value"] or "just begun" in month["more"]["why"]
    assert entries["power_next_hour"]["value"] is None
