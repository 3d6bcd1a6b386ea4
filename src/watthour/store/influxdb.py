"""Readings written to InfluxDB 3 by its line protocol; the store stays what Watthour reads from.

Source: https://docs.influxdata.com/influxdb3/core/write-data/http-api/v3-write-lp/. A point is told apart by its table,
tags and time, and is replaced by the same again: writing twice changes nothing.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx2
import polars as pl

from watthour.core.deadline import Deadline
from watthour.core.errors import SourceRejected, SourceUnavailable
from watthour.core.frames import Quality

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.frames import Readings

TIMEOUT_S = 15.0  # of a whole request
LINES_AT_ONCE = 5_000
_LONGEST_REASON = 300  # [characters]
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_NO_LOGIN = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_URL, _TOKEN = "WATTHOUR_INFLUXDB_SINK_URL", "WATTHOUR_INFLUXDB_SINK_TOKEN"


class InfluxdbSink:
    """One database of InfluxDB 3.

    Args:
        url: of the server, such as http://192.168.1.10:8181.
        database: written to; InfluxDB makes it where it is absent.
        token: that may write it; None where the server asks for none.
        timeout_s: how long a request may take in all. [s]
    """

    def __init__(self, url: str, database: str, token: str | None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.rstrip("/")
        self._database = database
        self._token = token
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Short name, as in the settings and in error messages."""
        return "influxdb"

    @property
    def target(self) -> str:
        """Server and database."""
        return f"{self._url} {self._database}"

    def write(self, channel: Channel, readings: dy.DataFrame[Readings]) -> None:
        """Write readings of a channel, durably, some thousands at a time; a gap is not written.

        Raises:
            SourceUnavailable: trying later can heal it.
            SourceRejected: the user must act; its ``status`` is that of the answer.
        """
        written = lines_of(channel, readings)
        params = {"db": self._database, "precision": "second", "accept_partial": "false", "no_sync": "false"}
        for first in range(0, len(written), LINES_AT_ONCE):
            content = "\n".join(written[first : first + LINES_AT_ONCE]).encode()
            self._ask("POST", "/api/v3/write_lp", params, content)

    def check(self) -> None:
        """Ask whether it is there and lets us in; raises as ``write``."""
        self._ask("GET", "/health", {}, None)

    def _ask(self, method: str, path: str, params: dict[str, str], content: bytes | None) -> None:
        headers = {"User-Agent": "watthour", "Content-Type": "text/plain; charset=utf-8"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        deadline = Deadline(self._timeout_s)
        late = SourceUnavailable(
            self.name, f"no whole answer within {self._timeout_s:g} seconds", remedy="It is tried again by itself."
        )
        try:
            with deadline, httpx2.Client(timeout=self._timeout_s) as client:
                answer = client.request(
                    method,
                    self._url + path,
                    params=params,
                    headers=headers,
                    content=content,
                    extensions={"trace": deadline.follow},
                )
        except httpx2.TimeoutException:
            raise late from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL):
            problem = "its address in the settings is not a valid one"
            raise SourceRejected(self.name, problem, remedy=f"Mend {_URL}.") from None
        except (httpx2.TransportError, httpx2.DecodingError):
            if deadline.has_passed:
                raise late from None
            remedy = f"Check that it runs, and {_URL}; it is tried again by itself."
            raise SourceUnavailable(self.name, "it cannot be reached", remedy=remedy) from None
        if deadline.has_passed:
            raise late
        self._judge(answer)

    def _judge(self, answer: httpx2.Response) -> None:
        """Raise what an answer means that is no success."""
        if answer.is_success:
            return
        status = answer.status_code
        reason = self._reason(answer)
        problem = f"answered {status}" + (f" ({reason})" if reason else "")
        if status in _BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise SourceUnavailable(self.name, problem, remedy="It is tried again by itself.", status=status)
        remedy = f"Check {_TOKEN}: it must be a token that may write the database {self._database}."
        if status not in _NO_LOGIN:
            remedy = f"Check {_URL} and the database {self._database}; what was refused is tried again by itself."
        raise SourceRejected(self.name, problem, remedy=remedy, status=status)

    def _reason(self, answer: httpx2.Response) -> str:
        try:
            said = json.loads(answer.content)
        except (ValueError, RecursionError):
            return ""
        words = said.get("error") or said.get("message") if isinstance(said, dict) else None
        text = " ".join(str(words or "").split())
        return (text if self._token is None else text.replace(self._token, "***"))[:_LONGEST_REASON].rstrip(".")


def lines_of(channel: Channel, readings: pl.DataFrame) -> list[str]:
    """Return readings as lines: the quantity is the table, the channel a tag, the time in seconds; no line for a gap.

    >>> from datetime import timedelta
    >>> from watthour.core.channel import Channel
    >>> from watthour.core.units import Quantity, Unit
    >>> load = Channel("grid.ny.demand", "ny", Quantity.ENERGY, Unit.MWH, timedelta(hours=1))
    >>> row = pl.DataFrame({"time": [0], "value": [17.5], "quality": [0]})
    >>> lines_of(load, row.with_columns(pl.col("time").cast(pl.Datetime("us", "UTC"))))
    ['energy,channel=grid.ny.demand,site=ny,unit=MWh value=17.5,quality="",simulated=false 0']
    """
    tags = {"channel": channel.id, "site": channel.site, "unit": channel.unit_in_words}
    begin = ",".join((str(channel.quantity), *(f"{name}={_tag(value)}" for name, value in tags.items())))
    rows = readings.drop_nulls("value").select(pl.col("time").dt.epoch("s"), "value", "quality")
    simulated = str(channel.is_simulated).lower()
    return [
        f'{begin} value={value!r},quality="{_flags(quality)}",simulated={simulated} {second}'
        for second, value, quality in rows.iter_rows()
    ]


def _flags(quality: int) -> str:
    return " ".join(str(flag.name).lower() for flag in Quality if flag and quality & flag)


def _tag(text: str) -> str:
    return text.replace(",", r"\,").replace("=", r"\=").replace(" ", r"\ ")
