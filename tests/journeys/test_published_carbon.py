"""The published figures of carbon intensity by the ways that people take: ingest, train, then ask the API and command.

The months are those before the ones the figures are of, so that nothing is learned here of the test.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from watthour.api.app import create_app
from watthour.bootstrap import open_app
from watthour.cli import main
from watthour.core.channel import Channel
from watthour.core.frames import Forecasts, Readings, Refused
from watthour.core.place import Point
from watthour.core.ports import Delivery
from watthour.core.units import Quantity, Unit
from watthour.core.weather import HOURLY, weather_channels
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.settings import load_settings
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from watthour.bootstrap import App
    from watthour.core.channel import Site
    from watthour.core.forecast import History

Script: TypeAlias = Any  # a script's own types
OURS = ("EIA_API_KEY", "DATABASE_URL", "MLFLOW_TRACKING_URI", "WATTHOUR_API_KEY", "WATTHOUR_REGIONS")
REGION = "PJM"
TRAINED = datetime(2021, 5, 1, tzinfo=UTC)
ISSUES = tuple(TRAINED + n * 5 * DAY for n in range(11))
N_HOURS = 96
OFF_BY_DAY, OFF_BY_MEAN = 1.10, 1.05  # the served model learned nothing of the six weeks it was compared on


@dataclass(frozen=True)
class Generation:
    """The generation by fuel of the tables, as a source tells it."""

    site: Site
    rows: pl.DataFrame
    ids: tuple[str, ...]
    name: str = "tables"

    def sites(self) -> Sequence[Site]:
        return (self.site,)

    def channels(self) -> Sequence[Channel]:
        return tuple(Channel(each, self.site.id, Quantity.ENERGY, Unit.MWH, HOUR) for each in self.ids)

    def fetch(self, window: Window, *, now: datetime, watched_from: datetime | None = None) -> Delivery:
        assert watched_from is None
        inside = pl.col("time").is_between(window.start, window.end, closed="left") & (pl.col("available_at") <= now)
        return Delivery(Readings.cast(self.rows.filter(inside)), Forecasts.create_empty(), Refused.create_empty())


@pytest.fixture(scope="module")
def scripts() -> Iterator[Script]:
    """Import the scripts that publish the figures, by name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(__file__.rsplit("/tests/", 1)[0] + "/benchmarks")
        yield importlib.import_module


def published(benchmark: Script, history: History) -> np.ndarray:
    """Return what the model of the benchmark says, fitted on all that was known: (issues, 96)."""
    learned = benchmark.questions(benchmark.LEARNED_FROM, TRAINED - 4 * DAY, timedelta(0))
    model = recipe(benchmark.MODEL).fit(history.known_at(TRAINED), learned)
    told = []
    for at in ISSUES:
        asked = benchmark.questions(at, at, timedelta(0))
        told.append(benchmark.quantiles_of(model.predict(history.known_at(at), asked), asked)[0, :, benchmark.MEDIAN])
    return np.array(told)


def fill(app: App, history: History, tables: Script) -> None:
    """Bring in generation by fuel, of which the intensity is derived, and the weather as it was issued."""
    site, ids = history.context.site, history.context.companions
    last = ISSUES[-1] + DAY
    rows = pl.DataFrame(history.readings.filter(pl.col("channel").is_in(ids)))
    source = Generation(site, rows, ids)
    points = [Point("mean", 0.0, 0.0)]
    app.store.register(
        [site], [*source.channels(), *weather_channels(site, points, {k: HOURLY[k] for k in tables.WEATHER.values()})]
    )
    ingest(source, app.store, Window(datetime(2020, 1, 1, tzinfo=UTC), last), now=last)
    app.store.append_forecasts(Forecasts.cast(history.forecasts.filter(pl.col("issued_at") <= last)))


def _same(at: datetime) -> datetime:
    return at


def by_command(capsys: pytest.CaptureFixture[str], *words: str) -> Any:  # noqa: ANN401 - JSON
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([*words, "--json"])
    assert not ended.value.code
    return json.loads(capsys.readouterr().out)


def medians(answer: dict[str, Any], version: str) -> list[float]:
    assert (answer["model_version"], answer["fallback"], answer["missing_inputs"]) == (version, None, [])
    return [point["value"] for point in answer["points"]]


@pytest.mark.shared_data
def test_what_is_trained_and_served_meets_the_figures_of_the_benchmark(
    shared_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    scripts: Script,
) -> None:
    for name in OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path))
    monkeypatch.setenv("WATTHOUR_ISSUE_HOUR", "20")  # 00 UTC on the clock of summer there
    benchmark, tables = scripts("carbon"), scripts("carbon_tables")
    region = next(each for each in tables.REGIONS if each.name == REGION)
    history = tables.history_of(shared_data, region, timedelta(0)).known_at(ISSUES[-1] + 5 * DAY)
    channel = history.context.channel.id
    with open_app(load_settings()) as app:
        fill(app, history, tables)

    monkeypatch.setattr("watthour.cli.train.utc_now", lambda: TRAINED)
    (report,) = by_command(capsys, "train", channel, "--past-days", "0")
    assert report["decision"] == "promoted", report["reasons"]  # its band holds on the six weeks before
    by_api = []
    for at in ISSUES:
        with open_app(load_settings()) as app, TestClient(create_app(app, now=partial(_same, at))) as client:
            client.base_url = "http://127.0.0.1"
            asked = {"hours": N_HOURS, "channel": channel}
            answer = client.get(f"/api/v1/carbon/{REGION.lower()}/forecast", params=asked)
            by_api.append(medians(answer.json(), report["version"]))
    monkeypatch.setattr("watthour.cli.carbon.utc_now", lambda: ISSUES[-1])
    words = ("carbon", "forecast", REGION.lower(), "--hours", str(N_HOURS), "--channel", channel)
    assert medians(by_command(capsys, *words), report["version"]) == by_api[-1]

    table = tables.actual_of(shared_data, region)
    first = int((table["time"] < ISSUES[0]).sum())
    actual = np.stack([table["direct"].to_numpy()[first + 120 * n :][:N_HOURS] for n in range(len(ISSUES))])
    served = benchmark.mape_by_day(np.array(by_api), actual)
    figures = benchmark.mape_by_day(published(benchmark, history), actual)
    assert (served <= OFF_BY_DAY * figures).all(), (served, figures)
    assert served.mean() <= OFF_BY_MEAN * figures.mean(), (served, figures)
