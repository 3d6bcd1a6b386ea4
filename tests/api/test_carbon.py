"""The carbon intensity of regions, over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from town import NOW

from watthour.core.carbon import Basis, CarbonKind, carbon_channel
from watthour.core.frames import Readings
from watthour.core.window import DAY, Window
from watthour.simulation.mix import SimulatedMix
from watthour.simulation.simtown import SIMTOWN
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.bootstrap import App

CARBON = "/api/v1/carbon"


@pytest.fixture
def with_mix(town: App) -> App:
    ingest(SimulatedMix(), town.store, Window(NOW - 3 * DAY, NOW), now=NOW)
    return town


def current(client: TestClient) -> dict[str, Any]:
    answer = client.get(f"{CARBON}/simtown/current")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_regions_are_listed_with_their_series_and_kinds(with_mix: App, town_client: TestClient) -> None:
    (region,) = town_client.get(f"{CARBON}/regions").json()["regions"]

    assert (region["region"], region["simulated"]) == ("simtown", True)
    assert [(each["basis"], each["side"], each["scope"], each["unit"]) for each in region["series"]] == [
        ("average", "production", "lifecycle", "gCO2e/kWh"),
        ("average", "production", "direct", "gCO2e/kWh"),
    ]
    assert {each["source"] for each in region["series"]} == {"mix"}
    del with_mix


def test_the_last_values_come_with_their_age_and_the_mix_they_are_computed_from(
    with_mix: App, town_client: TestClient
) -> None:
    found = current(town_client)

    _lifecycle, direct = found["series"]
    assert direct["time"] == "2026-11-21T12:00:00Z"  # posted two hours after its end
    assert direct["age_hours"] == 2.5
    assert direct["quality"] == ["assumed", "simulated"]
    fuels = found["mix"]["fuels"]
    made = sum(max(each["value"], 0.0) for each in fuels)
    emitted = sum(max(each["value"], 0.0) * each["direct"] for each in fuels)
    assert direct["value"] == pytest.approx(emitted / made, abs=1e-3)
    assert sum(each["share"] for each in fuels) == pytest.approx(1.0, abs=1e-3)
    assert all(each["factor_source"] and each["factor_year"] for each in fuels)
    del with_mix


def test_the_last_good_value_stays_with_its_age_while_nothing_new_comes(with_mix: App, town_client: TestClient) -> None:
    name = "grid.simtown.carbon.mix.average.production.direct"
    known = with_mix.store.read([name], Window(NOW - DAY, NOW)).tail(1)
    later = known.with_columns(
        time=known["time"] + timedelta(hours=1), value=None, available_at=known["available_at"] + timedelta(hours=1)
    )
    with_mix.store.append(Readings.validate(later, cast=True))

    direct = next(each for each in current(town_client)["series"] if each["channel"] == name)

    assert (direct["time"], direct["value"]) == ("2026-11-21T12:00:00Z", known["value"][0])


def test_the_past_is_told_interval_by_interval(with_mix: App, town_client: TestClient) -> None:
    name = "grid.simtown.carbon.mix.average.production.direct"
    asked = {"channel": name, "start": "2026-11-20", "end": "2026-11-20", "limit": "20"}

    found = town_client.get(f"{CARBON}/simtown/history", params=asked).json()

    assert (found["series"]["channel"], len(found["points"])) == (name, 20)
    assert found["points"][0]["time"] == "2026-11-20T05:00:00Z"  # local midnight
    assert found["points"][0]["local_time"] == "2026-11-20T00:00:00-05:00"
    assert found["next"] == "2026-11-21T01:00:00Z"
    rest = town_client.get(f"{CARBON}/simtown/history", params={**asked, "start": found["next"]}).json()
    assert (len(rest["points"]), rest["next"]) == (4, None)
    del with_mix


def test_a_region_with_no_carbon_source_is_told_so_with_the_cure(town_client: TestClient) -> None:
    for question in ("current", "history"):
        problem = town_client.get(f"{CARBON}/simtown/{question}")
        assert problem.status_code == 404
        assert "nothing tells the carbon intensity of Simtown" in problem.json()["detail"]
        assert "generation by fuel" in problem.json()["remedy"]
    assert town_client.get(f"{CARBON}/regions").json() == {"regions": []}
    assert town_client.get(f"{CARBON}/nowhere/current").status_code == 404


def test_a_series_that_the_region_has_not_is_refused_with_those_it_has(with_mix: App, town_client: TestClient) -> None:
    problem = town_client.get(f"{CARBON}/simtown/history", params={"channel": "grid.simtown.demand"})

    assert problem.status_code == 404
    assert "grid.simtown.carbon.mix.average.production.direct" in problem.json()["remedy"]
    del with_mix


def test_an_index_is_named_as_such_and_comes_last(with_mix: App, town_client: TestClient) -> None:
    store = with_mix.store
    channel = carbon_channel(SIMTOWN.site, "watttime", CarbonKind(Basis.INDEX), timedelta(hours=1))
    store.register([], [channel])
    rank = store.read(["grid.simtown.carbon.mix.average.production.direct"], Window(NOW - DAY, NOW)).with_columns(
        channel=Readings.channel.col.replace("grid.simtown.carbon.mix.average.production.direct", channel.id),
        value=Readings.value.col * 0 + 37.0,
    )
    store.append(Readings.validate(rank))

    last = current(town_client)["series"][-1]

    assert (last["basis"], last["unit"], last["scope"], last["value"]) == ("index", "%", None, 37.0)
    assert "no amount of CO2" in last["words"]
