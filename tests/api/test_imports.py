from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from watthour.api.problems import MEDIA_TYPE

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
    [
        b"",
        b"hello",
        b"a,b\n1,2\n",
        b"\x00\xff\xfe",
        b"PK\x03\x04zip",
        FILE.read_bytes().replace(b"Demand (MW)", b"Load"),
    ],
    ids=["empty", "text", "other table", "bytes", "zip", "no demand"],
)
def test_what_is_no_balance_file_is_refused_and_nothing_kept(client: TestClient, empty: App, content: bytes) -> None:
    status, problem = send(client, content)
    assert status == 400
    assert problem["field"] == "file"
    assert "gridmonitor" in problem["remedy"]
    assert "/tmp" not in str(problem)  # noqa: S108 - that it is not told
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
