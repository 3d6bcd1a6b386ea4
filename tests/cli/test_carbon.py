"""`watthour carbon`, on a simulated region."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fakes.watttime import Watttime, fake_watttime

from watthour.core.window import DAY, Window
from watthour.simulation.mix import SimulatedMix
from watthour.store.sql import open_store
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    from cli.conftest import Outcome


def test_carbon_is_shown_with_its_kind_its_mix_and_that_it_is_simulated(
    town: Callable[..., Outcome], home: Path
) -> None:
    refused = town("carbon", "show", "simtown")
    assert refused.code == 2
    assert "nothing tells the carbon intensity of Simtown" in refused.err
    assert "`watthour backfill simtown`" in refused.err
    assert "Nothing is known yet" in town("carbon", "regions").err

    now = datetime.now(UTC)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    ingest(SimulatedMix(), store, Window(now - 3 * DAY, now), now=now)
    store.close()

    shown = town("carbon", "show", "simtown")
    lines = shown.out.splitlines()
    assert lines[2].split("\t")[:2] == ["mix", "average of production, direct emissions"]
    assert {line.split("\t")[0] for line in lines} >= {"gas", "nuclear", "wind"}
    assert "simulated" in shown.err
    assert json.loads(town("carbon", "show", "simtown", "--json").out)["simulated"] is True
    assert len(town("carbon", "regions").out.splitlines()) == 3

    yesterday = str((now - 2 * DAY).date())  # over in New York too, whatever the hour
    told = town("carbon", "history", "simtown", "--from", yesterday, "--to", yesterday)
    assert len(told.out.splitlines()) - 1 in (23, 24, 25)
    swapped = town("carbon", "history", "simtown", "--from", str(now.date()), "--to", yesterday)
    assert (swapped.code, "Swap them" in swapped.err) == (2, True)
    other = town("carbon", "history", "simtown", "--channel", "grid.simtown.demand")
    assert "it is no carbon series of Simtown" in other.err


def test_the_hours_ahead_are_told_with_their_trend_and_the_best_time(town: Callable[..., Outcome], home: Path) -> None:
    now = datetime.now(UTC)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    ingest(SimulatedMix(), store, Window(now - 50 * DAY, now), now=now)
    store.close()

    shown = town("carbon", "forecast", "simtown", "--hours", "6")
    assert len(shown.out.splitlines()) == 7
    assert "(SIMULATED): average of production, life-cycle emissions" in shown.err
    assert "Mean of the last seven days answers" in shown.err  # no model is trained yet
    trend = town("carbon", "trend", "simtown")
    assert trend.out.split(":")[0] in {"Rising", "Falling", "Steady"}
    assert "rising or falling from a change of 5 % on" in trend.err
    best = town("carbon", "best-window", "simtown", "--duration", "90min", "--hours", "48")
    assert best.out.startswith("Cleanest 1 h 30 min in the next 48 hours: ")
    told = json.loads(town("carbon", "best-window", "simtown", "--deadline", "07:00", "--json").out)
    assert told["best"]["end"] <= told["deadline"]
    late = town("carbon", "best-window", "simtown", "--deadline", "2020-01-01T07:00")
    assert (late.code, "Name a later time" in late.err) == (2, True)
    assert town("carbon", "forecast", "simtown", "--source", "nobody").code == 2


def test_a_backtest_of_carbon_takes_the_recipe_that_training_takes(town: Callable[..., Outcome], home: Path) -> None:
    now = datetime.now(UTC)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    ingest(SimulatedMix(), store, Window(now - 50 * DAY, now), now=now)
    store.close()

    channel = json.loads(town("carbon", "show", "simtown", "--json").out)["series"][0]["channel"]
    day = str((now - 3 * DAY).date())
    ended = town("backtest", channel, "--from", day, "--to", day, "--json")
    assert ended.code == 0, ended.err
    assert "relative_days" in {row["recipe"] for row in json.loads(ended.out)["rows"]}


def test_an_account_is_opened_and_its_password_is_never_shown(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["a-horse-8", "a-mule-9", "a-horse-8", "a-horse-8"])
    monkeypatch.setattr("getpass.getpass", lambda _question: next(typed))
    words = ("carbon", "register", "--username", "grace", "--email", "grace@example.org", "--organisation", "private")
    with fake_watttime(Watttime(datetime.now(UTC))) as server:
        monkeypatch.setenv("WATTHOUR_WATTTIME_URL", server.base_url)
        differ, opened = watthour(*words), watthour(*words)

    assert (differ.code, "the two passwords differ" in differ.err) == (2, True)
    assert opened.code == 0
    assert "WATTTIME_USERNAME=grace" in opened.out
    assert not any("horse" in said or "mule" in said for said in (differ.out, differ.err, opened.out, opened.err))
    assert [request.sent["password"] for request in server.requests] == ["a-horse-8"]
