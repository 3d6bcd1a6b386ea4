"""Recordings are what the provider answered: shorter, and without the key."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from fakes.eia import KEY, eia_rows, fake_eia
from fakes.elia import fake_elia
from fakes.files import fake_files
from fakes.regions import region
from pydantic import SecretStr

from watthour.core.window import DAY, HOUR, Window
from watthour.sources import elia, nyiso
from watthour.sources.catalogue import CATALOGUE
from watthour.sources.connectors import Connectors
from watthour.sources.eia import EiaOptions
from watthour.sources.nyiso import NyisoOptions
from watthour.sources.recording import record, shortened

if TYPE_CHECKING:
    import pytest

START = datetime(2024, 7, 20, tzinfo=UTC)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_long_lists_are_cut_at_every_depth_and_the_shape_stays() -> None:
    text, suffix = shortened(json.dumps({"total": 9, "response": {"data": [[1, 2, 3], [4, 5, 6], [7]]}}), 2)
    assert suffix == "json"
    assert json.loads(text) == {"total": 9, "response": {"data": [[1, 2], [4, 5]]}}


def test_a_recording_holds_the_answer_without_the_key(tmp_path: Path) -> None:
    hours = pl.datetime_range(START, START + DAY, "1h", time_zone="UTC", eager=True)
    rows = eia_rows(pl.DataFrame({"period": hours, "demand_mwh": 1.0, "day_ahead_forecast_mwh": 2.0}), KEY)
    fuels = rows.with_columns(respondent=pl.lit("NYIS"), code=pl.lit(KEY))  # a provider that says it back
    with fake_eia(rows, fuel_rows=fuels) as server:
        connectors = Connectors({"eia": EiaOptions(api_key=SecretStr(KEY), url=server.base_url)})
        (source,) = connectors.past(region("ny"), "eia_fuel_mix")
        clients = connectors.http_clients("eia_fuel_mix")
        files = record(source, clients, Window(START, START + DAY), now=NOW, folder=tmp_path, most_rows=3)
    (path,) = files
    text = path.read_text()
    assert path.name == "eia_fuel-type-data_data.json"
    assert len(json.loads(text)["response"]["data"]) == 3
    assert KEY not in text
    assert "***" in text
    assert clients[0].on_answer is None


def test_each_answer_is_a_file_of_its_own(tmp_path: Path) -> None:
    now = START + 12 * HOUR
    with fake_elia(START, START + DAY, now=now) as server:
        connectors = Connectors({"elia": elia.EliaOptions(url=server.base_url)})
        (source,) = connectors.past(elia.contexts()[0], "elia")
        window = Window(START, START + DAY)
        files = record(source, connectors.http_clients("elia"), window, now=now, folder=tmp_path)
    assert [path.name for path in files] == ["elia_ods001.json", "elia_ods002.json"]
    for name, path in zip((elia.HISTORY, elia.RECENT), files, strict=True):
        readings, _, _ = elia.parse(json.loads(path.read_text()), name, now=now)
        assert readings.height == 6


def test_a_text_keeps_its_first_lines(tmp_path: Path) -> None:
    file = Path(__file__).parents[1] / "recorded" / "nyiso_isolf_20250219.csv"
    with fake_files({"20250219isolf.csv": file.read_bytes()}) as server:
        connectors = Connectors({"nyiso": NyisoOptions(url=server.base_url)}, CATALOGUE)
        source = nyiso.Nyiso(region("ny"), connectors.http_clients("nyiso")[0])
        day = datetime(2025, 2, 19, 5, tzinfo=UTC)
        clients = connectors.http_clients("nyiso")
        files = record(source, clients, Window(day, day + HOUR), now=day + HOUR, folder=tmp_path, most_rows=2)
    assert [path.name for path in files] == ["nyiso_20250219isolf.csv"]
    assert len(files[0].read_text().splitlines()) == 2


def test_the_script_asks_as_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(__file__).parents[2] / "scripts" / "record.py"
    spec = importlib.util.spec_from_file_location("record_script", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path / "home"))
    with fake_elia(START, START + timedelta(days=1), now=NOW) as server:
        monkeypatch.setenv("WATTHOUR_ELIA_URL", server.base_url)
        script.main(["elia", "Belgium", "--from", "2024-07-20T00:00Z", "--into", str(tmp_path), "--rows", "2"])
    assert capsys.readouterr().out.split() == [str(tmp_path / "elia_ods001.json")]
    assert len(json.loads((tmp_path / "elia_ods001.json").read_text())) == 2
