"""What all datasets of Elia Open Data share: how they are asked, how an error looks, how a row names its time."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from watthour.core.errors import PayloadChanged, SourceRejected
from watthour.core.frames import INSTANT
from watthour.sources.http import reason_in

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from watthour.core.window import Window
    from watthour.sources.http import HttpClient

QUARTER = timedelta(minutes=15)
RESOLUTION = "PT15M"
RECENT_DAYS = timedelta(days=35)  # younger intervals are asked for in both datasets of a series
INSTANTS = (  # of the column `said`: ISO text with an offset, the start of an interval
    pl.col("said")
    .str.replace("Z$", "+00:00")
    .str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False)
    .cast(INSTANT)
)
REPORT = "Update Watthour; if that does not help, report it with the time of asking."


def ask(client: HttpClient, name: str, window: Window) -> object:
    """Ask for a whole window at once: pages of ``records`` end at 100 rows, and at 10,000 in all."""
    where = f"datetime>='{_iso(window.start)}' and datetime<'{_iso(window.end)}'"
    params = [("where", where), ("order_by", "datetime"), ("timezone", "UTC")]
    return client.get_json(f"/{name}/exports/json", params)


def checked_rows(answer: object, name: str, needed: Collection[str]) -> list[dict[str, Any]]:
    """Return the rows of an answer, each with the fields that are needed.

    Raises:
        SourceRejected: the answer is an error.
        PayloadChanged: the answer has an unexpected format.
    """
    if isinstance(answer, dict) and (reason := reason_in(answer)):
        raise SourceRejected("elia", reason, remedy="Check the days that were asked for.")
    if not isinstance(answer, list):
        raise PayloadChanged("elia", f"{name} did not answer with a list of rows", remedy=REPORT)
    for row in answer:
        if not isinstance(row, dict) or not set(needed) <= row.keys():
            lacking = ", ".join(sorted(set(needed) - set(row))) if isinstance(row, dict) else "every field"
            raise PayloadChanged("elia", f"a row of {name} lacks {lacking}", remedy=REPORT)
    return answer


def datasets(window: Window, now: datetime, *, history: str, recent: str) -> list[str]:
    """Return where a window is asked for: what lies long back in the history alone, what is to come in the other."""
    return [history] * (window.start < now) + [recent] * (window.end > now - RECENT_DAYS)


def _iso(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
