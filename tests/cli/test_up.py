"""`watthour up` as a person meets it: started with nothing, looked at, ended by a signal."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time as clock
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from builders import home_site

from watthour.bootstrap import App, open_registry, open_store
from watthour.cli.scheduler import Scheduler
from watthour.core.carbon import MIX, Scope, carbon_channel
from watthour.core.errors import NotEnoughHistory, SourceUnavailable, WatthourError
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, Window, local_day
from watthour.settings import load_settings
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.simtown_home import MAINS
from watthour.simulation.town import SimulatedRegion
from watthour.workflows.carbon import production_kind
from watthour.workflows.ingest import ingest
from watthour.workflows.schedule import Daily, Every, Hourly, Round

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.conftest import Outcome

    from watthour.core.forecast import Context
    from watthour.core.ports import Store

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


def until(ask: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - any JSON
    """Ask until the answer is there; a busy machine needs its time."""
    give_up_at = clock.monotonic() + LONGEST_START_S
    while not is_there(found := ask()) and clock.monotonic() < give_up_at:
        clock.sleep(0.2)
    assert is_there(found)
    return found


def ended(process: subprocess.Popen[str], number: int) -> tuple[int, list[str]]:
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    return process.returncode, [json.loads(line)["event"] for line in errors.splitlines()]


@pytest.mark.xdist_group("up")
def test_started_with_nothing_it_shows_a_simulated_region_and_ends_on_a_signal(home: Path) -> None:
    begun = clock.monotonic()
    with running(home) as (process, url, logged):
        status = get(f"{url}/api/v1/status")
        assert clock.monotonic() - begun < LONGEST_START_S
        assert status["simulated"]
        assert status["regions"][0]["id"] == "simtown"
        assert {way["id"] for way in status["connect"]} == {"eia_key", "eia_files", "entsoe_token"}
        page = get(f"{url}/api/v1/grid/simtown/forecast")
        assert all(point["value"] is not None for point in page["points"])
        assert page["region"]["simulated"]
        assert "simulating" in {entry["event"] for entry in logged}
        home_page = until(
            lambda: get(f"{url}/api/v1/homes")["homes"][0], lambda found: found["channels"][0]["last_time"] is not None
        )
        assert (home_page["id"], home_page["simulated"]) == ("simtown_home", True)
        until(lambda: get(f"{url}/api/v1/homes/simtown_home/events")["events"], bool)
        listed = until(lambda: get(f"{url}/api/v1/status")["regions"], lambda found: len(found) > 1)  # once forecast
        assert [(each["id"], each["simulated"]) for each in listed] == [("simtown", True), ("simtown_home", True)]
        code, events = ended(process, signal.SIGTERM)
    assert code == 0
    assert events[-1] == "stopped"
    store = open_store(load_settings())
    assert SIMTOWN.channel.id in store.spans()
    now = datetime.now(UTC)
    told = store.samples([MAINS.id], Window(now - timedelta(hours=1), now))
    assert not told.is_empty()
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
    carbon = carbon_channel(SIMTOWN.site, MIX, production_kind(Scope.LIFECYCLE), SIMTOWN.resolution).id
    ours = {f"{what}:{name}": "ok" for what in ("forecast", "score") for name in (SIMTOWN.channel.id, carbon)}
    assert states == {"simulation:simtown": "ok", "simulation_mix:simtown": "ok", **ours}
    tomorrow = local_day(now.astimezone(ZoneInfo(SIMTOWN.time_zone)).date() + DAY, SIMTOWN.time_zone)
    kept = store.forecasts([SIMTOWN.channel.id], tomorrow, models=["seasonal_naive"], levels=[0.5])
    assert kept["time"].n_unique() == tomorrow.hours


def test_a_region_whose_demand_has_stopped_long_ago_is_a_failure_that_is_said(scheduler: Scheduler) -> None:
    now = datetime.now(UTC)
    ingest(SimulatedRegion(), scheduler._app.store, Window(now - 45 * DAY, now - 20 * DAY), now=now)
    with pytest.raises(NotEnoughHistory, match="too old"):
        scheduler._forecast(SIMTOWN)


def test_beside_a_real_home_no_home_is_simulated(scheduler: Scheduler) -> None:
    scheduler._app.store.register([home_site()], [])
    scheduler.make_first_data()
    scheduler._plan()
    assert not scheduler.shows_stand_in_home
    assert not [each.name for each in scheduler._rounds if "home" in each.name]
    assert [site.id for site in scheduler._app.store.sites()] == ["flat", "simtown"]


def test_every_region_has_its_rounds_by_the_clock(scheduler: Scheduler) -> None:
    scheduler._plan()
    planned = {each.name: each.rule for each in scheduler._rounds}
    assert set(planned) == {
        *(f"{what} simtown" for what in ("prepare", "ingest", "refresh", "day ahead", "score", "train")),
        *(f"{what} simtown_home" for what in ("simulate", "refresh")),
        "files",
        "plans",
        "weather",
    }
    assert planned["ingest simtown"] == Hourly(1, 5)
    assert planned["day ahead simtown"] == Daily(time(8), SIMTOWN.time_zone)


NOON = datetime(2024, 7, 10, 16, tzinfo=UTC)  # in Simtown


def noted(store: Store, what: str, instant: datetime) -> None:
    store.note_run(SourceRun(what, instant, instant, Window(instant, instant + DAY), RunState.OK, 0))


def due_rounds(scheduler: Scheduler, now: datetime) -> set[str]:
    return {each.name for each in scheduler._rounds if each.is_due(now)}


def test_rounds_missed_while_nothing_ran_are_made_up_once(scheduler: Scheduler) -> None:
    store, channel = scheduler._app.store, SIMTOWN.channel.id
    for what in ("forecast", "score"):
        noted(store, f"{what}:{channel}", NOON - 5 * DAY)
    scheduler = Scheduler(scheduler._app, clock=lambda: NOON)
    scheduler._plan()
    ours = {"prepare simtown", "day ahead simtown", "score simtown"}
    assert due_rounds(scheduler, NOON) == {*ours, "simulate simtown_home", "files", "weather"}
    for each in scheduler._rounds:
        each.last = NOON
    assert due_rounds(scheduler, NOON + timedelta(seconds=59)) == set()


def test_a_machine_restarted_every_week_trains_all_the_same(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[datetime] = []
    for week in range(3):
        for minutes in (1, 40):
            now = NOON + timedelta(days=6.5 * week, minutes=minutes)
            again = Scheduler(scheduler._app, clock=lambda now=now: now)  # type: ignore[misc]  # a default argument

            def train(_context: Context, now: datetime = now) -> None:
                trained.append(now)
                noted(scheduler._app.store, f"train:{SIMTOWN.channel.id}", now)

            monkeypatch.setattr(again, "_train", train)
            again._train_when_due(SIMTOWN)
    assert [instant.day for instant in trained] == [10, 23]


def test_a_training_that_failed_stays_a_failure_and_is_tried_again_the_next_day(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    present, tried = [NOON], list[datetime]()
    scheduler = Scheduler(scheduler._app, clock=lambda: present[0])

    def fail(_context: Context) -> None:
        tried.append(present[0])
        raise WatthourError("training simtown failed: out of memory", remedy="Try again: `watthour train simtown`.")

    monkeypatch.setattr(scheduler, "_train", fail)
    scheduler._plan()
    work = next(each.work for each in scheduler._rounds if each.name == "train simtown")
    for hours in (0, 0.5, 1, 23.5, 24, 24.5):
        present[0] = NOON + timedelta(hours=hours)
        work()
        assert scheduler._app.store.runs(f"train:{SIMTOWN.channel.id}", limit=1)[0].state is RunState.FAILED
    assert tried == [NOON, NOON + DAY]


def test_a_first_training_that_is_killed_is_tried_again_the_next_day_and_not_every_hour(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    present, tried = [NOON], list[datetime]()
    scheduler = Scheduler(scheduler._app, clock=lambda: present[0])

    def killed(_context: Context) -> None:
        tried.append(present[0])
        raise WatthourError("training simtown failed: it ended with code -9", remedy="Try again.")

    def is_down(*_said: object) -> None: ...

    monkeypatch.setattr(scheduler, "_train", killed)
    monkeypatch.setattr(scheduler, "_fill", is_down)
    monkeypatch.setattr(scheduler, "_day_ahead", is_down)
    for hours in (0, 1, 2, 25):
        present[0] = NOON + timedelta(hours=hours)
        scheduler._prepare(SIMTOWN)
    assert tried == [NOON, NOON + timedelta(hours=25)]
    assert scheduler._app.store.runs(f"train:{SIMTOWN.channel.id}", limit=1)[0].state is RunState.FAILED


def test_a_clock_that_was_set_back_stops_no_round(scheduler: Scheduler) -> None:
    scheduler = Scheduler(scheduler._app, clock=lambda: NOON + 365 * DAY)
    scheduler._plan()
    assert "ingest simtown" in due_rounds(scheduler, NOON + 365 * DAY + timedelta(hours=1))
    due_rounds(scheduler, NOON)  # set back by a year
    due = due_rounds(scheduler, NOON + timedelta(hours=1, minutes=15))
    assert {"ingest simtown", "refresh simtown", "train simtown"} <= due
    assert "day ahead simtown" in due_rounds(scheduler, NOON + DAY)


def test_a_round_that_is_running_is_not_begun_again(scheduler: Scheduler) -> None:
    each = Round("x", Every(timedelta(hours=1)), lambda: None)
    assert each.is_due(NOON)
    each.is_running = True
    assert not each.is_due(NOON + DAY)
    assert scheduler._rounds == []


def test_a_slow_provider_of_one_site_holds_no_other_site_and_its_own_site_waits(scheduler: Scheduler) -> None:
    go_on, other = Event(), Event()
    begun: list[str] = []

    def slow() -> None:
        begun.append("slow")
        go_on.wait(30)

    rounds = [
        Round("prepare a", Hourly(1, 0), slow, None, is_long=True, site="a"),
        Round("train a", Hourly(1, 0), lambda: begun.append("train a"), None, is_long=True, site="a"),
        Round("prepare b", Hourly(1, 0), other.set, None, is_long=True, site="b"),
    ]
    scheduler._rounds += rounds
    scheduler.tick()
    assert other.wait(30)
    scheduler.tick()
    assert begun == ["slow"]
    go_on.set()
    while rounds[0].is_running:
        clock.sleep(0.01)
    scheduler.tick()
    scheduler._long_pool.shutdown()
    assert begun == ["slow", "train a"]


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


def test_a_region_without_a_key_for_its_demand_is_asked_for_what_else_is_set(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_REGIONS", "ny,pjm")
    assert again(scheduler).asked_without_load() == []
    monkeypatch.setenv("WATTTIME_USERNAME", "lovelace")
    monkeypatch.setenv("WATTTIME_PASSWORD", "correct-horse-7")
    anew = again(scheduler)

    anew._plan()

    assert {"ingest ny", "ingest pjm", "ingest simtown"} <= {each.name for each in anew._rounds}
    assert "prepare ny" not in {each.name for each in anew._rounds}
    (ny, _pjm) = anew.asked_without_load()
    assert "watttime:ny" in [source.name for source in anew._app.sources_for(ny)]
    assert set(anew._app.waited_for(ny)) == {"eia", "eia_fuel_mix"}
    monkeypatch.setenv("EIA_API_KEY", "8f14e45fceea167a5a36dedd4bea2543")
    assert again(scheduler).asked_without_load() == []


def test_great_britain_is_followed_by_its_carbon_intensity(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_REGIONS", "gb,London")
    anew = again(scheduler)

    (context,) = anew.followed()

    assert context.channel.id == "grid.gb.carbon.neso.average.consumption.direct"
    assert [each.site.id for each in anew.asked_without_load()] == ["gb_london"]


def test_belgium_is_followed_as_soon_as_it_is_named_and_never_unless(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_REGIONS", "be")
    app = again(scheduler)._app
    (context,) = again(scheduler).followed()
    assert context.channel.id == "grid.be.demand"
    names = ["elia:be", "elia_generation:be", "elia_wind_solar:be", "elia_carbon:be", "open_meteo_forecast:be"]
    assert [source.name for source in app.sources_for(context)] == names
    assert [source.name for source in app.past_sources(context)] == [*names[:4], "open_meteo_previous_runs:be"]
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
