"""`watthour listen` against a real broker: found, added, kept, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

import pytest
from fakes.broker import LocalBroker
from fakes.home_assistant import TOKEN, home_assistant, metadata

from watthour.core.window import Window
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Outcome

KEY = "shelly/plug/switch:0"


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalBroker]:
    found = LocalBroker()
    found.start()
    for name, value in (("HOST", "127.0.0.1"), ("PORT", str(found.port)), ("USERNAME", "user"), ("PASSWORD", "secret")):
        monkeypatch.setenv(f"WATTHOUR_MQTT_{name}", value)
    monkeypatch.setenv("WATTHOUR_REGIONS", "")
    yield found
    found.close()


def event() -> tuple[str, str]:
    at = datetime.now(UTC).timestamp()
    return "plug/events/rpc", json.dumps(
        {"method": "NotifyStatus", "params": {"ts": at, "switch:0": {"apower": 20.5, "aenergy": {"total": 1500.0}}}}
    )


@pytest.fixture
def talking(broker: LocalBroker) -> Iterator[None]:
    """A plug that speaks several times a second."""
    is_over = Event()

    def talk() -> None:
        while not is_over.wait(0.1):
            broker.publish([event()])

    thread = Thread(target=talk, daemon=True)
    thread.start()
    yield
    is_over.set()
    thread.join()


def test_nothing_set_is_said_with_the_cure(watthour: Callable[..., Outcome]) -> None:
    for words in (("listen",), ("listen", "--found")):
        outcome = watthour(*words)
        assert outcome.code != 0
        assert "host under [sources.mqtt]" in outcome.err


@pytest.mark.usefixtures("talking")
def test_a_thing_is_found_added_and_kept_by_a_process_that_listens(
    watthour: Callable[..., Outcome], home: Path
) -> None:
    assert watthour("home", "add", "Flat", "--time-zone", "Europe/Paris", "--holidays", "FR").code == 0
    found = watthour("listen", "--found", "--for", "1", "--json")
    (thing,) = json.loads(found.out)["things"]
    assert (thing["key"], thing["channel"]) == (KEY, None)
    assert [value["text"] for value in thing["values"]] == ["1.5 kWh", "20.5 W"]
    added = watthour("listen", "--add", KEY, "--home", "flat", "--name", "Fridge", "--kind", "fridge")
    assert "home.flat.fridge.energy" in added.err
    process = subprocess.Popen(
        [sys.executable, "-m", "watthour", "listen"],
        env={**os.environ, "WATTHOUR_LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ends_at = monotonic() + 30
        n_samples = 0
        while n_samples == 0 and monotonic() < ends_at:
            sleep(0.1)
            n_samples = n_kept(home)
        assert n_samples > 0
        second = watthour("listen")
        assert "another process listens already" in second.err
    finally:
        process.send_signal(signal.SIGTERM)
        _out, log = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "stopped" in log
    assert "secret" not in log
    removed = watthour("listen", "--remove", KEY)
    assert "home.flat.fridge.energy no longer" in removed.err


def test_the_past_of_what_was_added_is_brought_in(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, begin = "sensor.grid", datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=60)
    rows = [(begin + timedelta(hours=n), float(n)) for n in range(60)]
    listed = [metadata(name, "kWh", "energy", counts=True)]
    monkeypatch.setenv("WATTHOUR_REGIONS", "")
    assert watthour("home", "add", "Flat", "--time-zone", "Europe/Paris", "--channel", "energy:kWh:1h").code == 0
    with home_assistant(listed=listed, rows={("hour", name): rows}) as fake:
        monkeypatch.setenv("WATTHOUR_HOME_ASSISTANT_URL", fake.url)
        assert "HOME_ASSISTANT_TOKEN" in watthour("listen", "--past", "3").err
        monkeypatch.setenv("HOME_ASSISTANT_TOKEN", TOKEN)
        nothing = watthour("listen", "--past", "3")
        assert (nothing.code != 0, "nothing was added" in nothing.err) == (True, True)
        key = f"home_assistant/{name}"
        added = watthour("listen", "--add", key, "--to", "home.flat.energy")
        assert f"{key} fills home.flat.energy" in added.err
        (filled,) = json.loads(watthour("listen", "--past", "3", "--json").out)["channels"]
        assert (filled["channel"], filled["new"], filled["refused"]) == ("home.flat.energy", 59, 0)
        assert "home.flat.energy" in watthour("listen", "--past", "3").out
        well = watthour("doctor").out
        fake.fault = "too_old"
        ill = watthour("doctor").out
    assert "things that can be read: 1" in " ".join(well.split())
    assert "does not know recorder/list_statistic_ids" in " ".join(ill.split())
    assert TOKEN not in well + ill


def n_kept(home: Path) -> int:
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    try:
        now = datetime.now(UTC)
        day = timedelta(days=1)
        return store.samples(["home.flat.fridge.energy"], Window(now - day, now + day)).height
    finally:
        store.close()
