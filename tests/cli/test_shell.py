"""The command as a process: errors, exit codes, start time, settings."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.eia import KEY, fake_eia
from fakes.server import BAD_GATEWAY
from typer.testing import CliRunner

from watthour import __version__
from watthour.cli import main
from watthour.cli.app import app
from watthour.cli.exits import Exit, exit_code
from watthour.cli.output import show_table
from watthour.core.errors import InvalidInput, ModelNotFound, NotConfigured, SourceUnavailable, StoreFull, WatthourError
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import Window
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Outcome
    from fakes.server import FakeServer

HEAVY = (
    "polars",
    "numpy",
    "pydantic",
    "sqlalchemy",
    "lightgbm",
    "fastapi",
    "dataframely",
    "structlog",
    "rich",
    "holidays",
)


def process(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "watthour", *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "WATTHOUR_HOME": str(home), **environment},
    )


def test_the_command_line_imports_nothing_heavy_to_begin_with() -> None:
    script = f"import sys, watthour.cli.app; print(*(set({HEAVY!r}) & set(sys.modules)))"
    asked = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert asked.stdout.split() == []


def test_an_error_is_one_paragraph_with_its_cure_and_a_code_of_its_own(home: Path) -> None:
    ended = process("train", "newyork", home=home)
    assert ended.returncode == Exit.INPUT
    assert ended.stderr.startswith("Error: region = 'newyork': no region or site has this name.")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr


def test_debug_shows_the_trace(home: Path) -> None:
    ended = process("train", "newyork", "--debug", home=home)
    assert ended.returncode != 0
    assert "Traceback" in ended.stderr
    assert "UnknownSite" in ended.stderr


def test_the_version_is_told(home: Path) -> None:
    ended = process("--version", home=home)
    assert ended.stdout == f"watthour {__version__}\n"


def test_a_broken_settings_file_is_named(watthour: Callable[..., Outcome], home: Path) -> None:
    home.mkdir()
    (home / "watthour.toml").write_text("regions = [")
    ended = watthour("models", "list")
    assert ended.code == Exit.INPUT
    assert "watthour.toml" in ended.err


def test_a_region_in_the_settings_that_does_not_exist_is_named(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTHOUR_REGIONS", "ny,atlantis")
    ended = watthour("scores")
    assert ended.code == Exit.INPUT
    assert "atlantis" in ended.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotConfigured("EIA_API_KEY", None, "none", remedy="x"), 3),
        (InvalidInput("day", "x", "no", remedy="x"), 2),
        (SourceUnavailable("eia", "down", remedy="x"), 4),
        (StoreFull("full", remedy="x"), 5),
        (ModelNotFound("none", remedy="x"), 7),
        (WatthourError("what", remedy="x"), 1),
    ],
)
def test_each_kind_of_cure_has_a_code(error: WatthourError, code: int) -> None:
    assert exit_code(error) == code


def test_a_fault_of_ours_asks_for_a_report_and_a_full_disk_for_space(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(error: Exception) -> Callable[[], None]:
        def read() -> None:
            raise error

        return read

    monkeypatch.setattr("watthour.cli.models.read_settings", raising(ZeroDivisionError("division by zero")))
    ours = watthour("models", "list")
    assert ours.code == Exit.FAULT
    assert "--debug" in ours.err
    monkeypatch.setattr("watthour.cli.models.read_settings", raising(OSError(28, "No space left on device", "/x")))
    full = watthour("models", "list")
    assert full.code == Exit.SYSTEM
    assert "Everything stored before is safe" in full.err


@pytest.fixture
def eia(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """EIA as it answers, with one key that it takes."""
    rows = pl.DataFrame(
        schema={"period": pl.Datetime("us", "UTC"), "respondent": pl.String, "code": pl.String, "value": pl.Float64}
    )
    with fake_eia(rows) as server:
        monkeypatch.setenv("WATTHOUR_EIA_URL", server.base_url)
        yield server


@pytest.mark.usefixtures("eia")
def test_init_writes_a_file_only_its_owner_can_read(
    watthour: Callable[..., Outcome], home: Path, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("8f14e45fceea167a5a36dedd4bea2543\n")
    ended = watthour("init", "--yes", "--region", "New York", "--eia-key-file", str(key), "--port", "8123")
    assert ended.code == 0, ended.err
    path = home / "watthour.toml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert 'regions = ["ny"]' in path.read_text()
    assert "8f14e45f" not in ended.out
    again = watthour("init", "--yes")
    assert again.code == Exit.INPUT
    assert "--force" in again.err
    examined = json.loads(watthour("doctor", "--json").out)
    assert not any(finding["what"] == "settings of eia" for finding in examined)


@pytest.mark.usefixtures("home", "eia")
def test_init_asks_and_hides_the_key() -> None:
    ended = CliRunner().invoke(app, ["init"], input="PJM\n8f14e45fceea167a5a36dedd4bea2543\n")
    assert ended.exit_code == 0, ended.output
    assert "region pjm" in ended.output
    assert "with an EIA key" in ended.output
    assert "8f14e45f" not in ended.output


def test_init_refuses_a_placeholder_and_an_unknown_region(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("your_key_here")
    assert watthour("init", "--yes", "--eia-key-file", str(key)).code == Exit.INPUT
    assert watthour("init", "--yes", "--region", "atlantis").code == Exit.INPUT


@pytest.mark.usefixtures("home", "eia")
def test_init_asks_again_for_a_mistyped_region_and_a_key_that_is_none(home: Path) -> None:
    said = f"new yrok\nNew York\nshort\n{'0123456789abcdef' * 2}\n{KEY}\n"
    ended = CliRunner().invoke(app, ["init"], input=said)
    assert ended.exit_code == 0, ended.output
    assert "Did you mean ny" in ended.output
    assert "it has 5 characters" in ended.output
    assert "answered 403" in ended.output
    assert "region ny" in ended.output
    assert KEY in (home / "watthour.toml").read_text()


def test_init_refuses_a_key_that_eia_refuses_and_keeps_one_that_cannot_be_checked(
    watthour: Callable[..., Outcome], tmp_path: Path, eia: FakeServer
) -> None:
    key = tmp_path / "key"
    key.write_text("0123456789abcdef" * 2)
    refused = watthour("init", "--yes", "--eia-key-file", str(key))
    assert refused.code == Exit.INPUT
    assert "answered 403" in refused.err
    eia.faults.append(BAD_GATEWAY)
    kept = watthour("init", "--yes", "--eia-key-file", str(key))
    assert kept.code == 0, kept.err
    assert "could not be checked" in kept.err


def test_a_fresh_home_is_examined_without_a_fault(watthour: Callable[..., Outcome]) -> None:
    ended = watthour("doctor")
    assert ended.code == 0
    assert "watthour init" in ended.out
    assert "https://www.eia.gov/opendata/register.php" in ended.out


def test_a_home_that_cannot_be_written_is_said(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WATTHOUR_HOME", str(tmp_path / "file" / "home"))
    ended = watthour("doctor")
    assert ended.code == Exit.UNWELL
    assert "WATTHOUR_HOME" in ended.out


def test_regions_are_found_by_any_name(watthour: Callable[..., Outcome]) -> None:
    found = json.loads(watthour("regions", "nyis", "--json").out)
    assert [region["id"] for region in found] == ["ny"]
    assert len(watthour("regions").out.splitlines()) > 50
    assert [line.split("\t")[0] for line in watthour("regions", "duke").out.splitlines()[1:]] == [
        "cple",
        "cplw",
        "duk",
        "fpc",
    ]
    assert watthour("regions", "qqqq").code == Exit.INPUT


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    shown = capsys.readouterr()
    commands = (
        "init",
        "doctor",
        "import",
        "backfill",
        "ingest",
        "train",
        "forecast",
        "backtest",
        "scores",
        "models",
        "up",
    )
    assert all(command in shown.out + shown.err for command in commands)


def test_doctor_does_not_wait_for_a_registry_that_does_not_answer(
    watthour: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watthour.cli.doctor.LONGEST_LOOK_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and says nothing
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{silent.getsockname()[1]}")
        examined = json.loads(watthour("doctor", "--json").out)
    (finding,) = [each for each in examined if each["what"] == "models"]
    assert finding["state"] == "broken"
    assert "does not answer" in finding["words"]


def test_doctor_says_what_of_the_past_is_missing_and_who_was_interrupted(
    town: Callable[..., Outcome], home: Path
) -> None:
    now = datetime.now(UTC)
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    for days, name, state in ((200, "simulation:simtown", RunState.OK), (1, "eia:ny", RunState.RUNNING)):
        begun = now - timedelta(days=1)
        store.note_run(SourceRun(name, begun, begun, Window(begun - timedelta(days=days), begun), state, 0))
    store.close()
    found = {each["what"]: each for each in json.loads(town("doctor", "--json").out)}
    past = found["past of simulation:simtown"]
    assert past["state"] == "note"
    assert f"{now - timedelta(days=400):%Y-%m-%d} to " in past["words"]
    assert found["eia:ny"]["state"] == "note"
    assert "request of " in found["eia:ny"]["words"]


def test_on_a_narrow_terminal_no_word_of_a_table_is_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "60")
    url = "https://www.eia.gov/opendata/register.php?and=" + "x" * 60
    show_table(("what", "found", "cure"), [("settings of eia", "no key is set", url)])
    printed = capsys.readouterr().out
    assert "\N{HORIZONTAL ELLIPSIS}" not in printed
    assert "x" * 5 in printed
    assert sum(line.count("x") for line in printed.splitlines()) == 60


def test_a_retry_does_not_spoil_the_answer_of_a_pipe(home: Path, eia: FakeServer) -> None:
    home.mkdir()
    eia.faults.append(BAD_GATEWAY)
    ended = process(
        "ingest",
        "ny",
        home=home,
        EIA_API_KEY=KEY,
        WATTHOUR_EIA_URL=eia.base_url,
        WATTHOUR_OPEN_METEO_ENABLED="false",
        WATTHOUR_NYISO_ENABLED="false",
    )
    assert ended.returncode == 0, ended.stderr
    assert "retry" in ended.stderr
    assert [line.split("\t")[0] for line in ended.stdout.splitlines()] == ["region", "ny", "ny"]
