"""Import, backfill and ingest at the command line, the providers played by local servers."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from builders import demand_channel, readings, region_site
from fakes.eia import KEY, eia_rows, fake_eia
from fakes.open_meteo import fake_open_meteo
from fakes.server import Answer
from typer.testing import CliRunner

from watthour.cli.app import app
from watthour.core.weather import HOURLY
from watthour.store.sql import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Outcome
    from fakes.server import FakeServer

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def hourly(path: Path, *, times: list[str], values: list[str]) -> Path:
    path.write_text("time,load\n" + "".join(f"{t},{v}\n" for t, v in zip(times, values, strict=True)))
    return path


@pytest.fixture
def eia(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """EIA and Open-Meteo with twenty days up to now, and a key for the first."""
    hours = [NOW - timedelta(hours=n) for n in range(24 * 20)]
    demand = [15000.0 + 100 * hour.hour for hour in hours]
    table = pl.DataFrame({"period": hours, "demand_mwh": demand, "day_ahead_forecast_mwh": [d + 50 for d in demand]})
    stamps = [NOW + timedelta(hours=n) for n in range(-24 * 25, 24 * 6)]
    weather = pl.DataFrame({"stamp": stamps, **{name: [10.0] * len(stamps) for name in HOURLY}})
    monkeypatch.setenv("EIA_API_KEY", KEY)
    with fake_eia(eia_rows(table, "PJM")) as server, fake_open_meteo(weather) as open_meteo:
        monkeypatch.setenv("WATTHOUR_EIA_URL", server.base_url)
        monkeypatch.setenv("WATTHOUR_OPEN_METEO_URL", open_meteo.base_url)
        monkeypatch.setenv("WATTHOUR_REGIONS", "pjm")
        yield server


def test_a_table_becomes_readings_of_a_channel(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    times = [f"2024-01-{day:02}T{hour:02}:00" for day in range(1, 15) for hour in range(24)]
    path = hourly(tmp_path / "load.csv", times=times, values=["15000"] * len(times))
    words = ["import", str(path), "--channel", "grid.ny.demand", "--unit", "MW", "--time-zone", "UTC", "--json"]
    first, second = watthour(*words), watthour(*words)
    assert first.code == 0, first.err
    assert json.loads(first.out)[0]["new_rows"] == len(times)
    assert json.loads(second.out)[0]["new_rows"] == 0


def test_a_table_without_time_zone_asks_for_it(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    path = hourly(tmp_path / "load.csv", times=["2024-01-01T00:00"], values=["15000"])
    ended = watthour("import", str(path), "--channel", "grid.ny.demand", "--unit", "MW")
    assert ended.code == 2
    assert "time zone" in ended.err


def test_rows_that_cannot_be_are_refused_and_the_doctor_shows_why(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    times = ["2024-01-01T00:00Z", "2024-01-01T01:00Z", "2024-01-01T01:00Z", "2024-01-01T02:00Z"]
    path = hourly(tmp_path / "load.csv", times=times, values=["15000", "15100", "15200", "many"])
    ended = watthour("import", str(path), "--channel", "grid.ny.demand", "--unit", "MW", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)[0] == {
        "file": str(path),
        "source": "csv:load.csv",
        "channel": "grid.ny.demand",
        "new_rows": 2,
        "refused_rows": 2,
        "refused": {"time_is_unique": 1, "value_is_a_number": 1},
        "doubted": {},
        "findings": [],
    }
    examined = watthour("doctor")
    assert "refused rows" in examined.out
    assert "load" in examined.out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--channel", "grid.ny.demand"], "--unit"),
        (["--channel", "grid.ny.demand", "--unit", "furlong"], "MWh"),
        (["--channel", "grid.ny.demand", "--unit", "degC"], "measure different things"),
        (["--channel", "grid.ny.weather.moon.temperature_2m", "--unit", "degC"], "no such channel"),
        (["--channel", "grid.nowhere.demand", "--unit", "MW"], "no region or site"),
        ([], "--channel"),
    ],
)
def test_what_a_table_cannot_say_is_asked_for(
    watthour: Callable[..., Outcome], tmp_path: Path, options: list[str], words: str
) -> None:
    path = hourly(tmp_path / "load.csv", times=["2024-01-01T00:00Z"], values=["15000"])
    ended = watthour("import", str(path), *options)
    assert ended.code == 2
    assert words in ended.err


def test_the_cure_for_a_missing_channel_names_a_site_first_and_works_when_typed(
    watthour: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = hourly(tmp_path / "my town.csv", times=[f"2024-01-01T{n:02}:00" for n in range(24)], values=["150"] * 24)
    refused = watthour("import", str(path))
    assert refused.code == 2
    cure = refused.err.partition("`")[2].partition("`")[0]
    assert cure.startswith("--site my_town ")
    ended = watthour("import", str(path), *shlex.split(cure), "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)[0]["new_rows"] == 24


def test_an_archive_from_a_file_is_a_note_and_no_alarm(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    path = hourly(tmp_path / "load.csv", times=[f"2020-12-31T{n:02}:00Z" for n in range(24)], values=["15000"] * 24)
    assert watthour("import", str(path), "--channel", "grid.ny.demand", "--unit", "MW").code == 0
    examined = watthour("doctor", "--json")
    assert examined.code == 0
    findings = json.loads(examined.out)
    found = next(each for each in findings if each["what"] == "readings of grid.ny.demand")
    assert (found["state"], found["words"]) == ("note", "archive: 2020-12-31 to 2020-12-31")
    assert found["cure"] == "Import a newer file to continue."
    assert "stale" not in {each["state"] for each in findings}


@pytest.mark.usefixtures("home")
def test_on_a_terminal_what_a_table_cannot_say_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = hourly(tmp_path / "load.csv", times=["2024-01-01T00:00", "2024-01-01T01:00"], values=["15000", "15100"])
    monkeypatch.setattr("watthour.cli.importing._can_ask", lambda: True)
    words = ["import", str(path), "--channel", "grid.ny.demand"]
    ended = CliRunner().invoke(app, words, input="MW\nAmerica/New_York\ny\n")
    assert ended.exit_code == 0, ended.output
    assert "csv:load.csv\t2\t0" in ended.output


def test_a_dry_run_of_times_with_offsets_says_so(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    rows = "".join(f"2024-03-0{day}T{hour:02}:00:00+01:00,{hour}\n" for day in (1, 2) for hour in range(24))
    path = tmp_path / "load.csv"
    path.write_text("datetime,Load (MW)\n" + rows, encoding="utf-8")
    ended = watthour("import", str(path), "--dry-run")
    assert "each with its offset from UTC" in ended.out + ended.err
    assert "no known time zone" not in ended.out + ended.err


def test_a_dry_run_shows_what_is_understood_and_keeps_nothing(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    rows = [
        f"01/{day:02}/2021 {hour:02}:00 {half},{day}"
        for day in range(1, 20)
        for half in ("AM", "PM")
        for hour in (12, *range(1, 12))
    ]
    (tmp_path / "City load.csv").write_text("Timestamp,Load (MW)\n" + "\n".join(rows), encoding="utf-8")
    ended = watthour("import", "City load.csv", "--dry-run")
    assert ended.code == 0, ended.err
    for words in ("month first", "Load (MW) [MW]", "60 minutes", "456, 0 of them refused", "--channel", "--time-zone"):
        assert words in ended.out
    assert watthour("import", "City load.csv", "--site", "city").code == 2
    assert "new rows" not in watthour("import", "City load.csv", "--yes").out
    ended = watthour("import", "City load.csv", "--yes", "--time-zone", "America/Chicago")
    assert (ended.code, ended.out.splitlines()[1]) == (0, "csv:City load.csv\t456\t0")
    assert "New region: city_load, time zone America/Chicago." in ended.err


@pytest.mark.parametrize(("value", "words"), [("a lot", "value_is_a_number 24"), ("150000", "--unit")])
def test_a_file_that_was_misread_ends_with_an_error_and_nothing_is_kept(
    watthour: Callable[..., Outcome], tmp_path: Path, value: str, words: str
) -> None:
    path = hourly(tmp_path / "load.csv", times=[f"2024-01-01T{hour:02}:00Z" for hour in range(24)], values=[value] * 24)
    options = ["--channel", "home.me.power", "--unit", "kW", "--time-zone", "UTC", "--value-column", "load"]
    ended = watthour("import", str(path), *options, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert watthour("forecast", "me").code != 0


def test_a_missing_file_is_named(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    ended = watthour("import", str(tmp_path / "none.csv"))
    assert ended.code == 2
    assert "none.csv" in ended.err


def test_eias_file_is_recognised_by_its_name(watthour: Callable[..., Outcome], pytestconfig: pytest.Config) -> None:
    path = pytestconfig.rootpath / "tests" / "recorded" / "EIA930_BALANCE_2020_Jul_Dec.csv"
    ended = watthour("import", str(path), "--json")
    assert ended.code == 0, ended.err
    assert {report["source"].partition(":")[0] for report in json.loads(ended.out)} == {"eia_bulk"}


def test_a_missing_key_says_where_to_register_and_the_way_without(watthour: Callable[..., Outcome]) -> None:
    for command in (["backfill", "ny"], ["ingest", "ny"]):
        ended = watthour(*command)
        assert ended.code == 3
        assert "https://www.eia.gov/opendata/register.php" in ended.err
        assert "EIA930_BALANCE" in ended.err


def test_backfill_brings_the_past_and_ingest_what_is_new(watthour: Callable[..., Outcome], eia: FakeServer) -> None:
    since = (NOW - timedelta(days=15)).date()
    first = watthour("backfill", "pjm", "--from", str(since), "--source", "eia")
    assert first.code == 0, first.err
    assert int(first.out.splitlines()[1].split("\t")[1].replace(",", "")) > 24 * 14
    again = watthour("backfill", "pjm", "--from", str(since), "--source", "eia")
    assert again.out.splitlines()[1].split("\t")[1] == "0"
    assert eia.requests
    ended = watthour("ingest", "pjm")
    assert ended.code == 0, ended.err
    assert {line.split("\t")[1] for line in ended.out.splitlines()[1:]} >= {"eia:pjm", "open_meteo_forecast:pjm"}
    assert "pjm" in watthour("forecast").err.lower()


def test_a_wrong_key_is_the_users_to_mend(
    watthour: Callable[..., Outcome], eia: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EIA_API_KEY", "f00dfeedf00dfeedf00dfeed12345678")
    ended = watthour("backfill", "pjm", "--source", "eia")
    assert ended.code == 4
    assert "register" in ended.err
    assert "f00dfeed" not in ended.err
    assert len(eia.requests) == 1  # a refused key is not retried


def test_one_source_that_is_down_does_not_stop_the_others(watthour: Callable[..., Outcome], eia: FakeServer) -> None:
    eia.faults.extend([Answer(403, b"<html>blocked</html>")] * 4)
    ended = watthour("ingest", "pjm")
    assert ended.code == 4
    rows = {line.split("\t")[1]: line.split("\t")[2] for line in ended.out.splitlines()[1:]}
    assert rows["eia:pjm"] == "failed"
    assert int(rows["open_meteo_forecast:pjm"].replace(",", "")) > 0
    examined = watthour("doctor")
    assert examined.code == 9
    assert "eia:pjm" in examined.out


def test_a_source_the_region_has_not_is_named_with_those_it_has(watthour: Callable[..., Outcome]) -> None:
    ended = watthour("backfill", "ny", "--source", "tea_leaves")
    assert ended.code == 2
    assert "open_meteo_archive" in ended.err


def test_days_that_cannot_be_are_named(watthour: Callable[..., Outcome]) -> None:
    assert watthour("backfill", "ny", "--from", "yesterday").code == 2
    assert watthour("backfill", "ny", "--from", "2024-05-01", "--to", "2024-04-01").code == 2


def test_a_region_without_its_key_does_not_stop_the_others(town: Callable[..., Outcome], home: Path) -> None:
    store = open_store(f"sqlite:///{home / 'watthour.db'}")
    store.register([region_site()], [demand_channel()])
    store.append(readings(15_000.0))
    store.close()
    ended = town("ingest")
    rows = {tuple(row.split("\t")[:2]): row.split("\t")[2] for row in ended.out.splitlines()[1:]}
    assert [new for (region, _), new in rows.items() if region == "ny"] == ["not set up"]
    assert rows["simtown", "simulation:simtown"].replace(",", "").isdigit()
    assert rows["simtown", "simulation_mix:simtown"].replace(",", "").isdigit()
    assert ended.code == 3
    assert "EIA_API_KEY" in ended.err
