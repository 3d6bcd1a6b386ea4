"""The state of everything: sources, their past, the store."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from town import NOW

from watthour.core.errors import StoreError, StoreFull, StoreLocked, StoreReadOnly
from watthour.core.frames import Readings
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.workflows.rounds import SIMULATED_PAST

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.bootstrap import App


def status(client: TestClient) -> Any:  # noqa: ANN401 - any JSON
    answer = client.get("/api/v1/status")
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (StoreFull("no space is left for /home/me/x.db", remedy="Free some."), "full"),
        (StoreLocked("/home/me/x.db: locked", remedy="Wait."), "locked"),
        (StoreReadOnly("/home/me/x.db: read-only", remedy="Allow it."), "read-only"),
        (StoreError("/home/me/x.db: disk I/O error", remedy="Look."), "locked"),
    ],
)
def test_a_store_that_cannot_be_written_is_said_while_reading_goes_on(
    town: App, town_client: TestClient, monkeypatch: pytest.MonkeyPatch, error: StoreError, state: str
) -> None:
    def refuse() -> None:
        raise error

    monkeypatch.setattr(town.store, "check_writable", refuse)
    told = status(town_client)["store"]
    assert told["state"] == state
    assert told["problem"]
    assert told["remedy"]
    assert "/home/me" not in str(told)
    assert town_client.get("/api/v1/grid/simtown/forecast").status_code == 200


def test_where_all_is_well_the_store_is_ok(town_client: TestClient) -> None:
    assert status(town_client)["store"] == {"state": "ok", "problem": None, "remedy": None}


def test_a_load_that_slipped_by_an_hour_is_told_with_its_cure(town: App, town_client: TestClient) -> None:
    kept = town.store.read(["grid.simtown.demand"], Window(NOW - 8 * DAY, NOW))
    late = kept.sort("time").with_columns(
        value=pl.col("value").shift(1),
        available_at=pl.col("available_at") + HOUR,
        recorded_at=pl.col("recorded_at") + HOUR,
    )
    town.store.append(Readings.cast(late.drop_nulls("value")))
    (told,) = status(town_client)["arrivals"]
    assert (told["region"], told["fault"], told["side"], told["last_day"]) == ("simtown", "shift", "readings", None)
    assert abs(date.fromisoformat(told["first_day"]) - (NOW - 8 * DAY).date()) <= DAY
    assert abs(told["size"] - 1) < 0.3
    assert "come about an hour later than before" in told["words"]
    assert "--named-by end" in told["cure"]


def test_an_honest_load_has_no_findings(town_client: TestClient) -> None:
    assert status(town_client)["arrivals"] == []


def test_how_much_of_the_past_is_here_is_told_with_its_holes(town: App, town_client: TestClient) -> None:
    begin = NOW - SIMULATED_PAST
    for window in (Window(begin, NOW - 300 * DAY), Window(NOW - 200 * DAY, NOW)):
        town.store.note_run(SourceRun("simulation:simtown", NOW, NOW, window, RunState.OK, 1))
    fill, mix = status(town_client)["fill"]
    assert (fill["source"], mix["source"]) == ("simulation:simtown", "simulation_mix:simtown")
    assert fill["share"] == 0.75
    (hole,) = fill["holes"]
    assert hole["start"] == (NOW - 300 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert hole["end"] == (NOW - 200 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_living_line_of_a_simulated_place_belongs_to_it(town: App, town_client: TestClient) -> None:
    town.store.note_run(SourceRun("simulation:simtown:live", NOW, NOW, Window(NOW - HOUR, NOW), RunState.OK, 1))
    (found,) = (each for each in town_client.get("/api/v1/sources").json()["sources"] if each["name"].endswith("live"))
    assert (found["simulated"], found["feeds"]) == (True, [{"channel": None, "site": "simtown"}])


def test_a_run_that_was_cut_off_is_interrupted(town: App, town_client: TestClient) -> None:
    begun = NOW - DAY
    run = SourceRun("eia:ny", begun, begun, Window(begun - DAY, begun), RunState.RUNNING, 0, problem="asked by x")
    town.store.note_run(run)
    states = {source["name"]: source for source in status(town_client)["sources"]}
    assert states["eia:ny"]["state"] == "interrupted"
    assert "ended before" in states["eia:ny"]["problem"]
