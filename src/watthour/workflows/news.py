"""News for people who look on: which rows came, channel by channel, as messages that are ready to send."""

from __future__ import annotations

import json
import threading
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import polars as pl
import structlog

from watthour.core.news import Table
from watthour.workflows.view.wire import flag_names, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from watthour.core.channel import Channel
    from watthour.core.news import Kept

MOST_ROWS = 100  # of a channel in one message: the last ones

_Said: TypeAlias = tuple[str, str]  # the id of a channel, and a message about it


class Hearer(Protocol):
    """Somebody who wants to hear news; all are called in the thread that keeps the rows, and must be quick."""

    def wants(self, channel: Channel) -> bool:
        """Tell whether news of a channel are wanted."""
        ...

    def take(self, messages: Sequence[str]) -> None:
        """Take messages, each a JSON object."""
        ...


class News:
    """Passes on what is kept; whoever tells never waits for those who hear, and never fails because of them."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("watthour.news")
        self._lock = threading.Lock()
        self._hearers: tuple[Hearer, ...] = ()
        self._channels: dict[str, Channel] = {}

    def add(self, hearer: Hearer) -> Callable[[], None]:
        """Let somebody hear what is kept from now on; return what ends it."""
        with self._lock:
            self._hearers = (*self._hearers, hearer)

        def end() -> None:
            with self._lock:
                self._hearers = tuple(each for each in self._hearers if each is not hearer)

        return end

    @property
    def n_hearers(self) -> int:
        """How many hear at the moment."""
        return len(self._hearers)

    def tell(self, kept: Kept) -> None:
        """Pass on what was kept."""
        hearers = self._hearers
        if not hearers:
            return
        try:
            wanted = {
                channel.id: (channel, hearing)
                for channel in self._channels_of(kept)
                if (hearing := [hearer for hearer in hearers if hearer.wants(channel)])
            }
            if not wanted:
                return
            rows = kept.rows.filter(pl.col("channel").is_in(list(wanted)))
            said = _MESSAGES[kept.table](rows, {name: channel for name, (channel, _hearing) in wanted.items()})
            for hearer in hearers:
                messages = [message for name, message in said if hearer in wanted[name][1]]
                if messages:
                    hearer.take(messages)
        except Exception:  # noqa: BLE001 - the rows are kept, and that is what whoever sent them is told
            self._log.exception("not_told", table=str(kept.table))

    def _channels_of(self, kept: Kept) -> list[Channel]:
        names = kept.rows["channel"].unique().to_list()
        if not all(name in self._channels for name in names):
            self._channels = {channel.id: channel for channel in kept.channels()}
        return [self._channels[name] for name in names if name in self._channels]


def _readings(rows: pl.DataFrame, channels: Mapping[str, Channel]) -> list[_Said]:
    said = []
    for name, n_rows, last in _last_of_each(
        rows, ["time", "available_at"], ("time", "value", "available_at", "quality")
    ):
        told = [
            {"time": utc_text(time), "value": value, "available_at": utc_text(known), "quality": flag_names(quality)}
            for time, value, known, quality in last
        ]
        channel = channels[name]
        said.append((name, _message("readings", channel, unit=str(channel.unit), n_rows=n_rows, rows=told)))
    return said


def _samples(rows: pl.DataFrame, channels: Mapping[str, Channel]) -> list[_Said]:
    said = []
    for name, n_rows, last in _last_of_each(rows, ["time", "measure"], ("time", "measure", "value")):
        told = [{"time": utc_text(time), "measure": measure, "value": value} for time, measure, value in last]
        said.append((name, _message("samples", channels[name], n_rows=n_rows, rows=told)))
    return said


def _forecasts(rows: pl.DataFrame, channels: Mapping[str, Channel]) -> list[_Said]:
    """Say that there is a new forecast, of each model its last: what it says can be asked for."""
    ends = {"first": pl.col("time").min(), "last": pl.col("time").max()}
    issues = rows.group_by("channel", "model", "maker", "issued_at").agg(**ends)
    newest = issues.sort("issued_at").unique(["channel", "model"], keep="last").sort("channel", "model")
    return [
        (
            name,
            _message(
                "forecast",
                channels[name],
                maker=maker,
                model=model,
                issued_at=utc_text(issued_at),
                first_time=utc_text(first),
                last_time=utc_text(last),
            ),
        )
        for name, model, maker, issued_at, first, last in newest.iter_rows()
    ]


def _last_of_each(
    rows: pl.DataFrame, order: Sequence[str], columns: Sequence[str]
) -> Iterator[tuple[str, int, list[tuple[Any, ...]]]]:
    """Return of each channel its name, how many rows it has, and the last of them."""
    table = rows.sort("channel", *order).select("channel", *columns).iter_rows()
    for name, group in groupby(table, key=itemgetter(0)):
        found = [row[1:] for row in group]
        yield name, len(found), found[-MOST_ROWS:]


_MESSAGES: dict[Table, Callable[[pl.DataFrame, Mapping[str, Channel]], list[_Said]]] = {
    Table.READINGS: _readings,
    Table.SAMPLES: _samples,
    Table.FORECASTS: _forecasts,
}


def _message(kind: str, channel: Channel, **content: object) -> str:
    return json.dumps({"type": kind, "channel": channel.id, "site": channel.site, **content}, separators=(",", ":"))
