"""Issues and many days at the command line."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Outcome

TODAY = datetime.now(ZoneInfo("America/New_York")).date()  # the store holds the town up to the present


def test_what_was_issued_is_listed_and_exported(town: Callable[..., Outcome]) -> None:
    last = TODAY - timedelta(days=3)
    first = last - timedelta(days=4)
    span = ("--from", str(first), "--to", str(last))
    assert town("backtest", "simtown", *span, "--recipe", "operator_debiased", "--keep").code == 0
    issued = ("--from", str(first - timedelta(days=1)), "--to", str(last - timedelta(days=1)))  # on the days before
    listed = json.loads(town("issues", "simtown", *issued, "--json").out)
    assert len(listed) == 5
    assert {issue["model_version"] for issue in listed} == {"operator_debiased"}
    assert all(issue["reconstructed"] for issue in listed)
    header, *rows = town("issues", "simtown", *issued).out.splitlines()
    assert header.split("\t")[:2] == ["issued at", "model"]
    assert len(rows) == 5
    ended = town("export", "simtown", "--from", str(first - timedelta(days=1)), "--to", str(last))
    assert ended.code == 0
    rows_of_csv = list(csv.DictReader(io.StringIO(ended.out)))
    assert sorted({row["local_time"][:10] for row in rows_of_csv}) == [str(first + timedelta(days=n)) for n in range(5)]
    assert all(float(row["lower"]) < float(row["value"]) < float(row["upper"]) for row in rows_of_csv)
    assert all(row["actual"] for row in rows_of_csv)
    assert f"No forecast was kept of 1 days, the first of them {first - timedelta(days=1)}." in ended.err


def test_days_that_cannot_be_asked_for_are_refused(town: Callable[..., Outcome]) -> None:
    for command in ("issues", "export"):
        ended = town(command, "simtown", "--from", "2026-03-01", "--to", "2026-02-01")
        assert ended.code == 2
        assert "Swap them" in ended.err
    assert "No forecast was issued" in town("issues", "simtown").err
