"""`watthour up` as a person meets it: started with nothing, looked at, ended by a signal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest

from watthour.bootstrap import App, open_registry, open_store
from watthour.cli.scheduler import Scheduler
from watthour.core.errors import NotEnoughHistory, SourceUnavailable, WatthourError
from watthour.core.window import DAY, Window, local_day
from watthour.settings import load_settings
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.conftest import Outcome

LONGEST_START_S = 90.0  # a busy machine; alone it takes two seconds


@contextmanager
def running(home: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str, list[dict[str, Any]]]]:
    """Start the program and yield its process, its address and what it logged so far."""
    environment = {**os.environ, "WATTHOUR_HOME": str(home), "WATTHOUR_LOG_FORMAT": "json"}
    command = [sys.executable, "-m", "watthour", "up", "--port", "0", *words]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        logged: list[dict[str, Any]] = []
        try:
            assert process.stderr is not None
            for line in process.stderr:
                logged.append(json.loads(line))
                if logged[-1]["event"] == "listening":
                    break
            yield process, logged[-1]["url"], logged
        finally:
            process.kill()


def get(url: str) -> Any:  # noqa: ANN401 - any JSON
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - our own address
        return json.load(answer)


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, list[str]]:
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    return process.returncode, [json.loads(line)["event"] for line in errors.splitlines()]


@pytest.mark.xdist_group("up")
def test_started_with_nothing_it_shows_a_simulated_region_and_ends_on_a_signal(home: Path) -> None:
    begun = time.monotonic()
    with running(home) as (process, url, logged):
        status = get(f"{url}/api/v1/status")
        assert time.monotonic() - begun < LONGEST_START_S
        assert status["simulated"]
        assert [region["id"] for region in status["regions"]] == ["simtown"]
        assert {way["id"] for way in status["connect"]} == {"eia_key", "eia_files"}
        page = get(f"{url}/api/v1/grid/simtown/forecast")
        assert all(point["value"] is not None for point in page["points"])
        assert page["region"]["simulated"]
        assert "simulating" in {entry["event"] for entry in logged}
        code, events = ended(process, signal.SIGTERM)
    assert code == 0
    assert events[-1] == "stopped"
    store = open_store(load_settings())
    assert SIMTOWN.channel.id in store.spans()
    store.close()


@pytest.mark.xdist_group("up")
def test_only_serving_follows_nothing_and_ends_on_an_interrupt(home: Path) -> None:
    with running(home, "--no-follow") as (process, url, _logged):
        assert get(f"{url}/health")["status"]
        code, events = ended(process, signal.SIGINT)
    assert code == 0
    assert events[-1] == "stopped"
    assert not (home / "models").exists()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says which libraries a process holds")
def test_the_server_holds_lightgbm_and_none_of_the_libraries_it_brings_along(home: Path) -> None:
    pytest.importorskip("sklearn")
    with running(home, "--no-follow") as (process, url, _logged):
        assert get(f"{url}/health")["status"]
        held = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8")
    assert "lib_lightgbm" in held
    assert not [name for name in ("pandas", "sklearn", "pyarrow") if f"/{name}/" in held]


def test_a_port_that_is_taken_is_said_at_once(watthour: Callable[..., Outcome], home: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = watthour("up", "--port", str(taken.getsockname()[1]))
    assert said.code == 2
    assert "--port" in said.err
    assert not home.exists()


@pytest.fixture
def scheduler(home: Path) -> Iterator[Scheduler]:
    home.mkdir()
    settings = load_settings()
    with App(settings, open_store(settings), open_registry(settings)) as app:
        yield Scheduler(app)


def test_a_round_that_fails_is_noted_and_the_next_one_comes(scheduler: Scheduler) -> None:
    def broken() -> None:
        raise SourceUnavailable("eia", "it is down", remedy="Ask later.")

    def surprising() -> None:
        raise ZeroDivisionError

    done: list[int] = []
    scheduler._guard("ingest:x", broken)
    scheduler._guard("score:x", surprising)
    scheduler._guard("forecast:x", lambda: done.append(1))
    runs = {run.source: run for run in scheduler._app.store.runs()}
    assert str(runs["ingest:x"].state) == "failed"
    assert "it is down" in str(runs["ingest:x"].problem)
    assert str(runs["score:x"].state) == "failed"
    assert done == [1]


def test_a_round_that_works_again_ends_the_failure(scheduler: Scheduler) -> None:
    def broken() -> None:
        raise SourceUnavailable("eia", "it is down", remedy="Ask later.")

    for work in (broken, lambda: None, lambda: None):
        scheduler._guard("score:x", work)
    assert [str(run.state) for run in scheduler._app.store.runs(source="score:x")] == ["ok", "failed"]


def test_the_rounds_of_a_region_fetch_forecast_and_score(scheduler: Scheduler) -> None:
    store, now = scheduler._app.store, datetime.now(UTC)
    scheduler._fill(SIMTOWN, Window(now - 45 * DAY, now + 3 * DAY))
    scheduler._ingest(SIMTOWN)
    scheduler._forecast(SIMTOWN)
    scheduler._score(SIMTOWN)
    states = {run.source: str(run.state) for run in store.runs()}
    assert states == {"simulation:simtown": "ok", f"forecast:{SIMTOWN.channel.id}": "ok"}
    tomorrow = local_day(now.astimezone(ZoneInfo(SIMTOWN.time_zone)).date() + DAY, SIMTOWN.time_zone)
    kept = store.forecasts([SIMTOWN.channel.id], tomorrow, models=["seasonal_naive"], levels=[0.5])
    assert kept["time"].n_unique() == tomorrow.hours


def test_a_region_whose_demand_has_stopped_long_ago_is_a_failure_that_is_said(scheduler: Scheduler) -> None:
    now = datetime.now(UTC)
    ingest(SimulatedRegion(), scheduler._app.store, Window(now - 45 * DAY, now - 20 * DAY), now=now)
    with pytest.raises(NotEnoughHistory, match="too old"):
        scheduler._forecast(SIMTOWN)


def test_every_region_has_its_rounds_by_the_clock(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler._scheduler, "start", lambda: None)
    scheduler.start()
    planned = {job.name: str(job.trigger) for job in scheduler._scheduler.get_jobs()}
    assert set(planned) == {"weather of sites by files"} | {
        f"{what} simtown" for what in ("prepare", "ingest", "refresh", "day ahead", "score", "train")
    }
    assert planned["ingest simtown"] == "cron[hour='*/1', minute='5']"
    assert planned["day ahead simtown"] == "cron[hour='8', minute='0']"
    assert planned["train simtown"] == "interval[7 days, 0:00:00]"


def test_after_the_stop_no_round_begins(scheduler: Scheduler) -> None:
    scheduler.stop()
    done: list[int] = []
    scheduler._guard("forecast:x", lambda: done.append(1))
    assert done == []


def test_a_real_region_is_followed_as_soon_as_there_is_a_key(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [context.site.id for context in scheduler.followed()] == ["simtown"]
    monkeypatch.setenv("EIA_API_KEY", "8f14e45fceea167a5a36dedd4bea2543")
    monkeypatch.setenv("WATTHOUR_REGIONS", "ny,pjm")
    assert [context.site.id for context in again(scheduler).followed()] == ["ny", "pjm"]


def test_belgium_is_followed_as_soon_as_it_is_named_and_never_unless(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_REGIONS", "be")
    app = again(scheduler)._app
    (context,) = again(scheduler).followed()
    assert context.channel.id == "grid.be.demand"
    names = ["elia:be", "open_meteo_forecast:be"]
    assert [source.name for source in app.sources_for(context)] == names
    assert [source.name for source in app.past_sources(context)] == ["elia:be", "open_meteo_previous_runs:be"]
    monkeypatch.setenv("WATTHOUR_ELIA_ENABLED", "false")
    assert [context.site.id for context in again(scheduler).followed()] == ["simtown"]


def again(scheduler: Scheduler) -> Scheduler:
    """Return a clock on the same store, with the settings as they are now."""
    return Scheduler(App(load_settings(), scheduler._app.store, scheduler._app.registry))


def test_with_imported_files_nothing_is_simulated(scheduler: Scheduler) -> None:
    from builders import demand_channel, readings, region_site

    scheduler._app.store.register([region_site()], [demand_channel()])
    scheduler._app.store.append(readings(1.0, 2.0))
    assert scheduler.followed() == []


def test_a_training_that_fails_is_an_error_with_the_command_to_repeat(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with pytest.raises(WatthourError, match="watthour train simtown"):
        scheduler._train(SIMTOWN)
