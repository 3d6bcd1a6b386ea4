"""The paths by which a user gets the shared model's forecasts give the figures that benchmarks/homes.py publishes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from watthour import DayAhead
from watthour.api.app import create_app
from watthour.bootstrap import App
from watthour.core.frames import LEVELS
from watthour.core.place import Place
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.combination.model import FittedCombination
from watthour.forecasting.combination.trial import GLOBAL, quantiles_of
from watthour.forecasting.global_model.model import GlobalModel
from watthour.registry.files import FileRegistry
from watthour.settings import load_settings
from watthour.store.memory import MemoryStore
from watthour.workflows.compare import Decision
from watthour.workflows.forecast import forecast, load_serving
from watthour.workflows.shared_model import train_shared

Script: TypeAlias = Any  # a script's own names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from watthour.core.forecast import History

END = datetime(2024, 5, 20, tzinfo=UTC)
N_DAYS, ISSUE_HOUR, MEDIAN = 116, 8, 0.5
SMALL: dict[str, Any] = {"n_networks": 1, "n_trees": 80}
DAYS = [(END - k * DAY).date() for k in range(14, 0, -1)]


@pytest.fixture(scope="module")
def homes() -> Iterator[Script]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield import_module("homes")


def values_of(number: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Hours of a home whose evenings last into the next day, with days away."""
    rng = np.random.default_rng(number)
    hour = np.arange(24)
    busy = (rng.gamma(6, 1 / 6, N_DAYS) * np.where(rng.random(N_DAYS) < 0.2, 0.2, 1.0))[:, None]
    shape = 0.3 + np.exp(-0.5 * ((hour - 18 - number % 3) / 2) ** 2) * busy
    return np.asarray((0.3 * (1 + number) * shape * rng.gamma(8, 1 / 8, shape.shape)).ravel())


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    times = pl.datetime_range(END - N_DAYS * DAY, END, HOUR, closed="left", eager=True, time_unit="us")
    return pl.concat(
        [
            pl.DataFrame({"time": times, "value": values_of(k)}).select(
                name=pl.lit(f"home{k}"), time="time", value="value"
            )
            for k in range(3)
        ]
    )


@pytest.fixture(scope="module")
def pasts(homes: Script, table: pl.DataFrame) -> dict[str, History]:
    """Return the homes, each with its main channel."""
    found: dict[str, History] = {}
    for name, past in homes.pasts_of(table, Place("Etc/UTC"), HOUR).items():
        site = replace(past.context.site, main_channel=past.context.channel.id)
        found[name] = replace(past, context=replace(past.context, site=site))
    return found


def published(homes: Script, pasts: Mapping[str, History], issue_hour: int | None) -> dict[str, float]:
    """Return the mean absolute error of each home over the last days, as the script finds it."""
    test = homes.Test(pasts, DAYS, issue_hour)
    asked = {name: homes._asked(past, DAYS, issue_hour) for name, past in pasts.items()}
    came = {name: homes._actual(past, asked[name], frozenset()) for name, past in pasts.items()}
    row = replace(homes.ROWS["global_model"], parameters=SMALL)
    found = homes._errors(row, test, homes._forecasts(row, test)[0], came)["mae"]
    return dict(zip(pasts, found.tolist(), strict=True))


def test_a_backtest_in_a_notebook_gives_the_figure_of_the_benchmark(
    homes: Script, table: pl.DataFrame, pasts: Mapping[str, History]
) -> None:
    frame = table.select(unique_id="name", ds=pl.col("time").dt.replace_time_zone(None), y="value")
    backtest = DayAhead(model="global_model", parameters=SMALL, time_zone="Etc/UTC").backtest(
        frame, days=len(DAYS), rivals=[]
    )
    ours = dict(backtest.filter(pl.col("model") == "ours").select("unique_id", "mae").rows())
    assert ours == pytest.approx(published(homes, pasts, None), rel=0.02)  # the script learns from one day more


def test_what_the_store_trains_and_serves_gives_the_figure_of_the_benchmark(
    homes: Script, pasts: Mapping[str, History], tmp_path: Path
) -> None:
    store, registry = MemoryStore(), FileRegistry(tmp_path / "models")
    contexts = [past.context for past in pasts.values()]
    store.register([each.site for each in contexts], [each.channel for each in contexts])
    for past in pasts.values():
        store.append(past.readings)
    (report,) = train_shared(
        store,
        registry,
        contexts,
        now=END,
        frozen_days=len(DAYS),
        issue_clock=time(ISSUE_HOUR),
        recipe=GlobalModel(**SMALL),
        is_shared_only=True,
    )
    assert report.verdict.decision is Decision.PROMOTED, report.verdict.reasons
    mine = {name: each["challenger"]["mae"] for name, each in report.scores.items()}
    theirs = published(homes, pasts, ISSUE_HOUR)
    # It also learns from other hours of issue, and only of days of which five weeks are known before.
    assert sum(mine.values()) == pytest.approx(sum(theirs.values()), rel=0.05)
    name, past = "home0", pasts["home0"]
    asked = homes._asked(past, DAYS, ISSUE_HOUR)
    told, _ = quantiles_of(load_serving(registry, report.manifest.name).forecaster.predict(past, asked), asked)
    median = told[:, LEVELS.index(MEDIAN)]
    assert np.abs(homes._actual(past, asked, frozenset()) - median).mean() == pytest.approx(mine[name])
    for number in (0, len(DAYS) - 1):
        start = datetime.combine(DAYS[number], time(), UTC)
        span = Window(start, start + DAY)
        made = forecast(store, registry, past.context, span, now=start - DAY + ISSUE_HOUR * HOUR)
        assert made.version == report.manifest.version
        kept = store.forecasts([past.context.channel.id], span, models=[made.version], levels=[MEDIAN]).sort("time")
        assert kept["value"].to_list() == pytest.approx(median[24 * number : 24 * (number + 1)].tolist())


@pytest.fixture
def _few_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the models that are compared be two kinds of one series and the one of all: enough to see the way they go."""
    trial = "watthour.forecasting.combination.trial"
    monkeypatch.setattr(f"{trial}.CANDIDATES", ("recent_days", "persistence_ensemble"))
    monkeypatch.setattr(f"{trial}._FEWEST_TOGETHER", 3)
    monkeypatch.setattr(f"{trial}.named", lambda name, _parameters: recipe(name, SMALL if name == GLOBAL else None))


@pytest.mark.usefixtures("_few_candidates")
def test_a_notebook_the_command_line_and_the_api_give_the_same_figures(
    table: pl.DataFrame, pasts: Mapping[str, History], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    app = App(load_settings(home=home), MemoryStore(), FileRegistry(home / "models"))
    store, contexts = app.store, [past.context for past in pasts.values()]
    store.register([each.site for each in contexts], [each.channel for each in contexts])
    for past in pasts.values():
        store.append(past.readings)
    (report,) = train_shared(
        store,
        app.registry,
        contexts,
        now=END,
        frozen_days=len(DAYS),
        issue_clock=time(ISSUE_HOUR),
        recipe=GlobalModel(**SMALL),
    )
    frame = table.select(unique_id="name", ds=pl.col("time").dt.replace_time_zone(None), y="value")
    backtest = DayAhead(time_zone="Etc/UTC").backtest(frame, days=len(DAYS), rivals=[], issue_hour=ISSUE_HOUR)
    ours = dict(backtest.filter(pl.col("model") == "ours").select("unique_id", "mae").rows())
    assert set(report.own) == set(ours) == set(pasts)
    mine = {name: each.scores["challenger"]["mae"] for name, each in report.own.items()}
    for name, error in ours.items():  # the store also learns from other hours of issue
        assert mine[name] == pytest.approx(error, rel=0.05), name
    name, past = "home0", pasts["home0"]
    version = report.own[name].manifest.version
    assert report.own[name].verdict.decision is Decision.PROMOTED, report.own[name].verdict.reasons
    own = load_serving(app.registry, past.context.channel.id).forecaster
    assert isinstance(own, FittedCombination)
    assert {GLOBAL, "recent_days"} <= set(own.members)
    span = Window(END, END + DAY)
    made = forecast(store, app.registry, past.context, span, now=END)
    assert (made.version, made.fallback) == (version, None)
    kept = store.forecasts([past.context.channel.id], span, models=[version], levels=[MEDIAN]).sort("time")
    with TestClient(create_app(app, now=lambda: END), base_url="http://127.0.0.1") as client:
        answer = client.get(f"/api/v1/homes/{past.context.site.id}/forecast", params={"hours": 24}).json()
    (told,) = answer["forecasts"]
    assert (told["model_version"], told["learned_from"]) == (version, len(pasts))
    assert datetime.fromisoformat(told["trained_at"]) == END
    assert [point["value"] for point in told["points"]] == pytest.approx(kept["value"].to_list())
