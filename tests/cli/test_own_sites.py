"""Sites of one's own on the command line and in the settings: from nothing to a forecast that knows the weather."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from fakes.open_meteo import fake_open_meteo
from fakes.server import Answer

from watthour.bootstrap import App, open_app, open_registry, open_store
from watthour.cli.scheduler import Scheduler
from watthour.core.errors import InvalidInput
from watthour.core.weather import HOURLY
from watthour.core.window import DAY, HOUR, Window
from watthour.settings import FILE_NAME, load_settings
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Outcome
    from fakes.server import FakeServer

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
DAYS = 120
ADD = ("site", "add", "Beach house", "--kind", "home", "--time-zone", "Australia/Sydney", "--holidays", "au-nsw")
PLACE = ("--latitude", "-33.87", "--longitude", "151.21", "--channel", "power:kW:1h")
POWER = "home.beach_house.power"


def table(path: Path, *, end: datetime = NOW, days: int = DAYS) -> Path:
    times = [end - days * DAY + n * HOUR for n in range(days * 24)]
    values = [1.0 + 0.4 * math.sin(time.hour / 24 * 2 * math.pi) + 0.1 * (time.weekday() > 4) for time in times]
    path.write_text(
        "time,power\n" + "".join(f"{t:%Y-%m-%dT%H:%MZ},{v:.3f}\n" for t, v in zip(times, values, strict=True))
    )
    return path


@pytest.fixture
def weather(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """Open-Meteo, with some weather around now."""
    stamps = pl.datetime_range(
        NOW - (DAYS + 5) * DAY, NOW + 20 * DAY, "1h", eager=True, time_unit="us", time_zone="UTC"
    )
    observed = pl.DataFrame({"stamp": stamps}).with_columns(
        **{name: pl.lit(5.0) + 5.0 * (pl.col("stamp").dt.hour() > 12) for name in HOURLY}
    )
    with fake_open_meteo(observed) as server:
        monkeypatch.setenv("WATTHOUR_OPEN_METEO_URL", server.base_url)
        yield server


def entry(watthour: Callable[..., Outcome], name: str = "beach_house") -> Any:  # noqa: ANN401 - JSON
    said = watthour("site", "show", name, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_a_home_in_australia_from_its_name_to_a_forecast_with_weather(
    watthour: Callable[..., Outcome], tmp_path: Path, weather: FakeServer
) -> None:
    added = watthour(*ADD, *PLACE)
    assert added.code == 0, added.err
    assert "watthour import FILE" in added.err
    path = table(tmp_path / "meter.csv")
    assert watthour("import", str(path), "--channel", POWER, "--unit", "kW").code == 0
    assert (entry(watthour)["weather"], entry(watthour)["holidays"]) == ("awaited", "AU-NSW")
    assert "beach_house" in watthour("doctor").out
    filled = watthour("backfill", "beach_house")
    assert filled.code == 0, filled.err
    assert "open_meteo_previous_runs:beach_house" in filled.out
    asked = [request for request in weather.requests if request.one("latitude")]
    assert {request.one("latitude") for request in asked} == {"-33.9"}
    assert min(request.one("start_date") for request in asked) == f"{NOW - DAYS * DAY:%Y-%m-%d}"
    ingested = watthour("ingest")
    assert ingested.code == 0, ingested.err
    assert "open_meteo_forecast:beach_house" in ingested.out
    assert entry(watthour)["weather"] == "known"
    trained = watthour("train", "beach_house", "--recipe", "hour_process", "--json")
    assert trained.code == 0, trained.err
    page = json.loads(watthour("forecast", "Beach house", "--json").out)
    assert all(point["value"] is not None for point in page["points"])
    assert (page["unit"], page["region"]["time_zone"]) == ("kW", "Australia/Sydney")
    assert not [words for words in page["missing_inputs"] if "weather" in words.casefold()]
    listed = watthour("site", "list").out
    assert "beach_house\tBeach house\thome\tAustralia/Sydney" in listed
    assert "\t60 min\tkW\tknown\t" in listed


def test_an_archive_from_before_any_kept_weather_forecast_is_told_so_and_not_to_wait(
    watthour: Callable[..., Outcome], tmp_path: Path, weather: FakeServer
) -> None:
    watthour(*ADD, *PLACE)
    path = table(tmp_path / "old.csv", end=datetime(2020, 6, 1, tzinfo=UTC), days=20)
    watthour("import", str(path), "--channel", POWER, "--unit", "kW", "--yes")
    filled = watthour("backfill", "beach_house")
    assert filled.code == 0
    assert "no weather forecasts as issued exist before March 2021" in filled.err
    assert weather.requests == []
    assert entry(watthour)["weather"] == "too_early"
    shown = watthour("site", "show", "beach_house")
    assert "no weather forecasts as issued exist before March 2021" in shown.out
    assert "backfill" not in shown.err
    assert "Import more of its past" in shown.err  # twenty days are too few for a model of its own


def test_weather_that_is_not_known_is_named(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    watthour(*ADD, *PLACE)
    watthour("import", str(table(tmp_path / "meter.csv", days=200)), "--channel", POWER, "--unit", "kW")
    trained = json.loads(watthour("train", "beach_house", "--json").out)
    assert watthour("models", "promote", POWER, trained[0]["version"]).code == 0  # nothing beats a load without noise
    page = json.loads(watthour("forecast", "beach_house", "--json").out)
    assert "No weather forecast of Beach house has come in yet." in page["missing_inputs"]


def test_a_running_server_follows_the_weather_of_a_home_that_comes_by_files(
    watthour: Callable[..., Outcome], tmp_path: Path, weather: FakeServer
) -> None:
    watthour(*ADD, *PLACE)
    settings = load_settings()
    with App(settings, open_store(settings), open_registry(settings)) as app:
        scheduler = Scheduler(app)
        scheduler._weather()
        assert weather.requests == []  # it has no readings yet, so nobody knows which weather it needs
        watthour("import", str(table(tmp_path / "meter.csv")), "--channel", POWER, "--unit", "kW")
        scheduler._weather()
        sources = {run.source: str(run.state) for run in app.store.runs() if "open_meteo" in run.source}
        assert sources == {
            "open_meteo_previous_runs:beach_house": "ok",
            "open_meteo_forecast:beach_house": "ok",
        }
        n_asked = len(weather.requests)
        scheduler._weather()
        Scheduler(app)._weather()  # after a restart
        assert len(weather.requests) == n_asked
        assert watthour("site", "change", "beach_house", "--latitude", "-37.8", "--longitude", "144.96").code == 0
        scheduler._weather()
        assert {request.one("latitude") for request in weather.requests[n_asked:]} == {"-37.8"}
        point = find_context(app.store, app.directories, "beach_house").covariates[0]
        assert (point.point, point.weight) == ("s3780_e14500", 1.0)
        assert app.store.models_of(point.channel)


def test_an_archive_gets_the_weather_of_its_past_alone_and_a_failing_provider_is_noted_once(
    watthour: Callable[..., Outcome], tmp_path: Path, weather: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    watthour(*ADD, *PLACE)
    path = table(tmp_path / "old.csv", end=NOW - 30 * DAY, days=20)
    watthour("import", str(path), "--channel", POWER, "--unit", "kW")
    weather.faults.append(Answer(400, b'{"error": true, "reason": "out of order"}'))
    with open_app(load_settings()) as app:
        Scheduler(app)._weather()
        Scheduler(app)._weather()
        runs = [run for run in app.store.runs() if "open_meteo" in run.source]
        assert [str(run.state) for run in runs] == ["failed"]
    n_asked = len(weather.requests)
    monkeypatch.setattr("watthour.workflows.weather_rounds.RETRY_AFTER", timedelta(0))
    with open_app(load_settings()) as app:
        Scheduler(app)._weather()
    asked = weather.requests[n_asked:]
    assert asked
    assert max(request.one("end_date") for request in asked) <= f"{NOW - 29 * DAY:%Y-%m-%d}"


def test_a_fill_of_the_weather_of_a_moved_home_that_was_stopped_goes_on_after_a_restart(
    watthour: Callable[..., Outcome], tmp_path: Path, weather: FakeServer
) -> None:
    watthour(*ADD, *PLACE)
    watthour("import", str(table(tmp_path / "meter.csv")), "--channel", POWER, "--unit", "kW")
    with open_app(load_settings()) as app:
        Scheduler(app)._weather()
    assert watthour("site", "change", "beach_house", "--latitude", "-37.8", "--longitude", "144.96").code == 0
    with open_app(load_settings()) as app:
        scheduler = Scheduler(app)
        asked = scheduler._stopping.is_set  # stopped after the first piece of the past
        n_before = len(weather.requests)
        scheduler._stopping.is_set = lambda: len(weather.requests) > n_before or asked()  # type: ignore[method-assign]
        scheduler._weather()
    with open_app(load_settings()) as app:
        Scheduler(app)._weather()
        context = find_context(app.store, app.directories, "beach_house")
        channel = next(each.channel for each in context.covariates if each.variable == "temperature_2m")
        kept = app.store.forecasts([channel], Window(NOW - DAYS * DAY, NOW))
    assert kept["time"].n_unique() == DAYS * 24


def test_a_site_made_by_an_import_is_called_as_it_was_said(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    words = ("import", str(table(tmp_path / "meter.csv")), "--unit", "MW", "--yes", "--site")
    assert watthour(*words, "Zo\u00e9 Island", "--time-zone", "Europe/Paris").code == 0
    assert entry(watthour, "Zoe\u0301 Island")["id"] == "zoe_island"  # however its letters are written
    again = watthour(*words, "ZO\u00c9 ISLAND", "--json")
    assert [row["new_rows"] for row in json.loads(again.out)] == [0]
    assert watthour(*words, "Stra\u00dfe 12", "--time-zone", "Europe/Berlin").code == 0
    assert entry(watthour, "Stra\u00dfe 12")["id"] == "strasse_12"  # as `site add` calls it


def test_a_home_by_files_without_a_place_makes_nothing_fail(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    watthour(*ADD)
    watthour("import", str(table(tmp_path / "meter.csv")), "--channel", POWER, "--unit", "kW")
    with open_app(load_settings()) as app:
        scheduler = Scheduler(app)
        scheduler._weather()
        assert [run.source for run in app.store.runs() if str(run.state) == "failed"] == []
    assert watthour("doctor").code == 0
    ended = watthour("ingest", "beach_house")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("site", "add", "ny", "--kind", "region", "--time-zone", "UTC"), "my_ny"),
        (("site", "add", "家", "--kind", "home", "--time-zone", "Asia/Tokyo"), "--id"),
        (("site", "add", "x"), "--kind home"),
        (("site", "add", "x", "--kind", "home"), "--time-zone Europe/Paris"),
        ((*ADD, "--latitude", "north"), "decimal degrees"),
        ((*ADD, "--channel", "power:kW"), "power:kW:30min"),
        ((*ADD, "--point", "lyon"), "lyon:45.76:4.84:0.3"),
        (("site", "show", "nowhere"), "watthour site list"),
        (("site", "change", "nowhere"), "--holidays FR"),
        (("site", "remove", "nowhere"), "watthour site list"),
    ],
)
def test_what_cannot_be_is_refused_with_its_cure(
    watthour: Callable[..., Outcome], words: tuple[str, ...], cure: str
) -> None:
    ended = watthour(*words)
    assert ended.code == 2
    assert cure in ended.err


def test_holidays_are_offered_and_never_assumed(watthour: Callable[..., Outcome]) -> None:
    added = watthour("site", "add", "Atelier", "--kind", "region", "--time-zone", "Europe/Paris")
    assert "--holidays FR" in added.err
    assert entry(watthour, "atelier")["holidays"] is None
    watthour("site", "change", "atelier", "--holidays", "fr+Ramadan")
    assert entry(watthour, "atelier")["holidays"] == "FR+ramadan"


def test_readings_are_removed_only_where_it_is_said(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    watthour(*ADD, *PLACE)
    watthour("import", str(table(tmp_path / "meter.csv")), "--channel", POWER, "--unit", "kW")
    kept = watthour("site", "remove", "beach_house")
    assert (kept.code, "--delete-readings" in kept.err) == (2, True)
    assert entry(watthour)["channels"][0]["first_time"] is not None
    assert watthour("site", "remove", "beach_house", "--delete-readings").code == 0
    assert json.loads(watthour("site", "list", "--json").out) == {"sites": []}


BLOCK = """
[sites.atelier]
name = "L'atelier"
kind = "region"
time_zone = "Europe/Paris"
holidays = "FR"
channels = ["load:kWh:15min", "solar:kWh:15min"]

[[sites.atelier.points]]
id = "lyon"
latitude = 45.76
longitude = 4.84
"""


def write(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / FILE_NAME).write_text(text)


def test_a_site_in_the_settings_is_there_and_wins(watthour: Callable[..., Outcome], home: Path) -> None:
    write(home, BLOCK)
    kept = entry(watthour, "l'atelier")
    assert (kept["described_in"], kept["main_channel"]) == ("settings", "grid.atelier.load")
    assert [point["id"] for point in kept["points"]] == ["lyon"]
    refused = watthour("site", "change", "atelier", "--holidays", "DE")
    assert (refused.code, "[sites.atelier]" in refused.err) == (2, True)
    write(home, BLOCK.replace('"FR"', '"FR-75C"').replace("Europe/Paris", "Europe/Brussels").replace("FR-75C", "BE"))
    assert (entry(watthour, "atelier")["holidays"], entry(watthour, "atelier")["time_zone"]) == (
        "BE",
        "Europe/Brussels",
    )
    write(home, "")
    assert entry(watthour, "atelier")["described_in"] == "store"


def test_the_settings_may_follow_a_site_that_has_no_readings_yet(watthour: Callable[..., Outcome], home: Path) -> None:
    write(home, 'regions = ["atelier"]\n[sites.atelier]\nkind = "home"\ntime_zone = "Europe/Paris"\n')
    assert watthour("site", "list").code == 0
    with open_app(load_settings()) as app:
        assert [each.site.id for each in Scheduler(app).followed()] == ["simtown"]


@pytest.mark.parametrize(
    ("text", "field", "cure"),
    [
        ("sites = 3", "sites", "[sites.my_home]"),
        ("[sites.a]\ntime_zone = 'UTC'", "sites.a.kind", "time_zone"),
        ("[sites.a]\nkind = 'home'\ntime_zone = 'UTC'\ncolour = 'red'", "sites.a.colour", "latitude"),
        ("[sites.a]\nkind = 'home'\ntime_zone = 'UTC'\nlatitude = 'north'", "sites.a.latitude", "[sites.a]"),
        ("[sites.a]\nkind = 'home'\ntime_zone = 'UTC'\npoints = [{id = 'x'}]", "sites.a.points.0.latitude", "weight"),
        ("[sites.a]\nkind = 'home'\ntime_zone = 'Paris'", "sites.a.time_zone", "IANA"),
        ("[sites.a]\nkind = 'home'\ntime_zone = 'UTC'\nholidays = 'France'", "sites.a.holidays", "FR"),
        ("[sites.a]\nkind = 'home'\ntime_zone = 'UTC'\nchannels = ['x']", "sites.a.channel", "power:kW:30min"),
        ("[sites.ny]\nkind = 'home'\ntime_zone = 'UTC'", "sites.ny.name", "my_ny"),
    ],
)
def test_a_block_that_cannot_be_names_field_value_and_cure(home: Path, text: str, field: str, cure: str) -> None:
    write(home, text)
    with pytest.raises(InvalidInput) as caught:
        open_app(load_settings())
    assert caught.value.field == field
    assert cure in caught.value.remedy


def test_an_import_that_adds_a_site_says_what_to_do_next(watthour: Callable[..., Outcome], tmp_path: Path) -> None:
    file = str(table(tmp_path / "load.csv", days=20))
    said = ("import", file, "--unit", "kW", "--time-zone", "America/New_York", "--yes")
    ended = watthour(*said, "--channel", "home.plain.power")
    assert ended.code == 0, ended.err
    assert "Next: " in ended.err
    assert "watthour site change plain --holidays US" in ended.err
    assert watthour(*said, "--channel", "home.plain.power").err.count("Next: ") == 0  # it is no new site any more
    ended = watthour(*said, "--channel", "home.other.power", "--holidays", "us-ny")
    assert ended.code == 0, ended.err
    assert "--holidays" not in ended.err
    assert entry(watthour, "other")["holidays"] == "US-NY"
