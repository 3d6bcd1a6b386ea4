from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from watthour.api.problems import MEDIA_TYPE
from watthour.core.channel import Site, SiteKind
from watthour.core.place import Place

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from watthour.bootstrap import App

FILE = Path(__file__).parents[1] / "recorded" / "EIA930_BALANCE_2020_Jul_Dec.csv"
IMPORTS = "/api/v1/imports"


def send(client: TestClient, content: bytes, region: str = "aec", name: str = FILE.name) -> tuple[int, dict[str, Any]]:
    answer = client.post(IMPORTS, files={"file": (name, content, "text/csv")}, data={"region": region})
    if answer.status_code != 200:
        assert answer.headers["content-type"] == MEDIA_TYPE
    return answer.status_code, answer.json()


def test_a_file_brings_a_regions_demand(client: TestClient) -> None:
    status, imported = send(client, FILE.read_bytes())
    assert status == 200
    assert imported["region"] == "aec"
    assert imported["new_rows"] > 0
    asked = {"channel": "grid.aec.demand", "start": "2020-06-01T00:00:00Z", "end": "2021-02-01T00:00:00Z"}
    readings = client.get("/api/v1/readings", params=asked).json()["readings"]
    assert readings
    assert "assumed" in readings[0]["quality"]


def test_the_same_file_again_changes_nothing(client: TestClient) -> None:
    send(client, FILE.read_bytes())
    assert send(client, FILE.read_bytes(), name="named otherwise.csv")[1]["new_rows"] == 0


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"a,b\n1,2\n", b"\x00\xff\xfe", b"PK\x03\x04zip"],
    ids=["empty", "text", "no dates", "bytes", "zip"],
)
def test_what_is_no_table_is_refused_and_nothing_kept(client: TestClient, empty: App, content: bytes) -> None:
    status, problem = send(client, content)
    assert status == 400
    assert problem["field"] in {"file", "time_column"}
    assert problem["remedy"]
    assert "/tmp" not in str(problem)  # noqa: S108 - that it is not told
    assert empty.store.spans() == {}


@pytest.mark.parametrize("name", ["load.csv", "load.parquet"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PAR1PAR1", b"PAR1\x15\x04damaged\x10\x00\x00\x00PAR1"])
def test_what_is_empty_or_damaged_is_said_whatever_it_is_called(
    client: TestClient, empty: App, name: str, content: bytes
) -> None:
    status, problem = send(client, content, name=name)
    assert (status, problem["field"]) == (400, "file")
    assert empty.store.spans() == {}


@pytest.mark.parametrize("zone", ["posixrules", "localtime", "Factory", "right/UTC"])
def test_a_file_of_the_machine_that_is_no_time_zone_is_refused(client: TestClient, zone: str) -> None:
    rows = "".join(f"2021-01-01 {hour:02}:00,{hour}\n" for hour in range(24))
    said = {"site": "mine", "unit": "kW", "time_zone": zone}
    answer = client.post(IMPORTS, files={"file": ("load.csv", f"time,load\n{rows}".encode(), "text/csv")}, data=said)
    assert (answer.status_code, answer.json()["field"]) == (400, "time_zone")


def test_a_balance_file_without_demand_says_where_there_is_one(client: TestClient, empty: App) -> None:
    status, problem = send(client, FILE.read_bytes().replace(b"Demand (MW)", b"Load"))
    assert (status, problem["field"]) == (400, "file")
    assert "gridmonitor" in problem["remedy"]
    assert empty.store.spans() == {}


def test_a_row_with_too_many_cells_is_no_crash(client: TestClient) -> None:
    assert send(client, FILE.read_bytes() + b"AEC" + b",1" * 200 + b"\n")[0] in {200, 400}


def test_a_region_the_file_does_not_speak_of_is_refused(client: TestClient) -> None:
    status, problem = send(client, FILE.read_bytes(), region="ny")
    assert status == 400
    assert "New York" in problem["detail"]


def test_an_unknown_region_is_refused_before_anything_is_read(client: TestClient) -> None:
    assert send(client, b"", region="nyy")[0] == 404


def test_a_missing_file_is_named(client: TestClient) -> None:
    answer = client.post(IMPORTS, data={"region": "ny"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "file"


TABLE = (
    "Timestamp;Verbrauch (kW)\n"
    + "".join(f"{day:02}.05.2021 {hour:02}:00;1.{hour:03},5\n" for day in range(1, 15) for hour in range(24))
).encode()


def post(
    client: TestClient, content: bytes, name: str = "Mein Zähler.csv", **fields: str
) -> tuple[int, dict[str, Any]]:
    answer = client.post(IMPORTS, files={"file": (name, content, "text/csv")}, data=fields)
    return answer.status_code, answer.json()


def test_a_dry_run_shows_what_was_understood_and_what_is_open(client: TestClient, empty: App) -> None:
    status, answer = post(client, TABLE, dry_run="true")
    assert status == 200
    preview = answer["preview"]
    assert (preview["separator"], preview["decimal"], preview["date_order"]) == ("semicolon", "comma", "dmy")
    assert (preview["unit"], preview["step_seconds"], preview["rows"]) == ("kW", 3600, 14 * 24)
    assert preview["channel"] == "home.mein_zahler.power"
    assert preview["cells"][0] == ["01.05.2021 00:00", "1.000,5"]
    assert preview["values"][0]["value"] == 1000.5
    assert [question["field"] for question in preview["questions"]] == ["channel", "time_zone"]
    assert empty.store.spans() == {}


def test_an_open_question_is_a_problem_that_names_the_field(client: TestClient, empty: App) -> None:
    status, problem = post(client, TABLE, site="mein_haus")
    assert (status, problem["field"]) == (400, "time_zone")
    assert empty.store.spans() == {}


def test_a_table_of_a_new_site_comes_in_and_its_mended_copy_wins(client: TestClient, empty: App) -> None:
    fields = {"site": "me", "time_zone": "Europe/Berlin", "unit": "W"}
    status, first = post(client, TABLE, **fields)
    assert (status, first["region"], first["channel"], first["new_rows"]) == (200, "me", "home.me.power", 14 * 24)
    assert post(client, TABLE, **fields)[1]["new_rows"] == 0
    mended = TABLE.replace(b"1.000,5", b"1.000,7")
    assert post(client, mended, **fields)[1]["new_rows"] == 14
    assert post(client, TABLE, **fields)[1]["new_rows"] == 14
    asked = {"channel": "home.me.power", "start": "2021-04-30T22:00:00Z", "end": "2021-05-01T22:00:00Z"}
    assert client.get("/api/v1/readings", params=asked).json()["readings"][0]["value"] == 1000.5
    assert set(empty.store.spans()) == {"home.me.power"}


def test_values_that_cannot_be_right_are_counted_by_the_rule_they_break(client: TestClient) -> None:
    fields = {"site": "me", "time_zone": "Europe/Berlin", "unit": "W"}
    _status, told = post(client, TABLE.replace(b"1.000,5", b"450.000,5"), **fields)
    assert (told["new_rows"], told["doubted"]) == (14 * 24, {"out_of_range": 14})


def test_a_table_in_the_wrong_unit_is_refused_and_nothing_kept(client: TestClient, empty: App) -> None:
    status, problem = post(client, TABLE, site="me", time_zone="Europe/Berlin")
    assert (status, problem["field"]) == (400, "unit")
    assert empty.store.spans() == {}


def test_a_new_site_gets_the_holidays_that_are_said_or_is_told_the_likely_ones(client: TestClient, empty: App) -> None:
    _status, answer = post(client, TABLE, site="me", time_zone="Europe/Berlin", unit="W", dry_run="true")
    assert answer["preview"]["is_new_site"]
    status, answer = post(client, TABLE, site="me", time_zone="Europe/Berlin", unit="W")
    assert status == 200
    assert "watthour site change me --holidays DE" in [step["command"] for step in answer["next"]]
    status, answer = post(client, TABLE, site="you", time_zone="Europe/Berlin", unit="W", holidays="de-by")
    assert (status, {site.id: site.place.holidays for site in empty.store.sites()}["you"]) == (200, "DE-BY")
    assert not any("--holidays" in step["command"] for step in answer["next"])
    status, problem = post(client, TABLE, site="other", time_zone="Europe/Berlin", unit="W", holidays="Bavaria")
    assert (status, problem["field"]) == (400, "holidays")


def test_holidays_of_a_site_that_exists_are_changed_there(client: TestClient) -> None:
    assert post(client, TABLE, site="me", time_zone="Europe/Berlin", unit="W", holidays="DE")[0] == 200
    assert post(client, TABLE, site="me", time_zone="Europe/Berlin", unit="W", holidays="DE")[0] == 200
    status, problem = post(client, TABLE, site="me", time_zone="Europe/Berlin", unit="W", holidays="AT")
    assert (status, problem["field"]) == (400, "holidays")
    assert "watthour site change me --holidays AT" in problem["remedy"]


def test_a_counter_is_said_to_be_one_and_feed_in_is_asked_about(client: TestClient) -> None:
    said = {"site": "Flat", "time_zone": "Europe/Brussels", "dry_run": "true"}
    times = [f"2024-03-{1 + k // 24:02d}T{k % 24:02d}:00Z" for k in range(60)]
    stands = "time,kWh\n" + "".join(f"{time},{5000 + k}\n" for k, time in enumerate(times))
    answer = client.post(IMPORTS, files={"file": ("meter.csv", stands, "text/csv")}, data=said).json()
    assert answer["preview"]["meter"] == "counter"
    net = "time,kW\n" + "".join(f"{time},{k % 5 - 2}\n" for k, time in enumerate(times))
    answer = client.post(IMPORTS, files={"file": ("net.csv", net, "text/csv")}, data=said).json()
    assert [each["field"] for each in answer["preview"]["questions"]] == ["solar"]
    answer = client.post(IMPORTS, files={"file": ("net.csv", net, "text/csv")}, data={**said, "solar": "yes"}).json()
    assert answer["preview"]["questions"] == []


def test_uses_of_devices_are_kept_for_the_home_that_is_named(client: TestClient, empty: App) -> None:
    uses = (
        "device_id,device_type,power_rating_watt,timestamp,duration_minutes,power_consumption_kwh\n"
        "WM_01,WashingMachine,500,2024-07-01 21:00:00,60,0.4\n"
    )
    file = {"file": ("events.csv", uses, "text/csv")}
    assert client.post(IMPORTS, files=file).status_code == 400
    unknown = client.post(IMPORTS, files=file, data={"site": "Flat"})
    assert unknown.status_code == 404
    empty.store.register([Site("flat", "Flat", SiteKind.HOME, Place("Europe/Brussels"))], [])
    for expected in (1, 0):
        answer = client.post(IMPORTS, files=file, data={"site": "Flat"})
        assert (answer.status_code, answer.json()["new_rows"]) == (200, expected)
    assert [device.id for device in empty.store.devices()] == ["home.flat.wm_01"]


def test_a_file_stands_among_the_sources_with_what_it_fills(client: TestClient) -> None:
    def files() -> list[dict[str, Any]]:
        listed = client.get("/api/v1/sources").json()["sources"]
        return [each for each in listed if each["origin"] == "file"]

    fields = {"site": "me", "time_zone": "Europe/Berlin", "unit": "W"}
    post(client, TABLE + b"15.05.2021 00:00;broken\n", name="meter.csv", **fields)
    (found,) = files()
    assert found["last_run_at"] is not None
    del found["last_run_at"]
    fills = [{"channel": "home.me.power", "site": "me"}]
    expected: dict[str, object] = {"name": "csv:meter.csv", "label": "File meter.csv", "file": "meter.csv"}
    expected |= {"state": "ok", "feeds": fills, "new_rows": 336, "refused_rows": 1}
    expected |= {"words": "Imported: 336 rows were new, 1 refused."}
    assert {name: found[name] for name in expected} == expected
    post(client, TABLE, name="meter.csv", **fields)
    post(client, TABLE, name="meter.csv", **{**fields, "site": "you"})  # another meter's file of the same name
    assert [(each["words"], each["feeds"][0]["channel"]) for each in files()] == [
        ("Imported: 336 rows were new.", "home.you.power"),
        ("Imported: nothing was new.", "home.me.power"),
    ]
    uses = (
        "device_id,device_type,timestamp,duration_minutes,power_consumption_kwh\nWM,Washer,2024-07-01 21:00:00,60,1\n"
    )
    assert client.post(IMPORTS, files={"file": ("uses.csv", uses, "text/csv")}, data={"site": "me"}).status_code == 200
    assert [each["feeds"] for each in files() if each["file"] == "uses.csv"] == [[{"channel": None, "site": "me"}]]
