"""News for people who look on: which rows came, channel by channel, as messages that are ready to send."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Protocol

import polars as pl
import structlog

from watthour.core.news import Table
from watthour.workflows.view.wire import flag_names, utc_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.core.channel import Channel
    from watthour.core.news import Kept

MOST_ROWS = 100  # of a channel in one message: the last ones


class Hearer(Protocol):
    """Somebody who wants to hear news; both are called in the thread that keeps the rows, and must be quick."""

    def wants(self, channel: Channel) -> bool:
        """Tell whether news of a channel are wanted."""
        ...

    def take(self, message: str) -> None:
        """Take a message, a JSON object."""
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
            rows = kept.rows.filter(pl.col("channel").is_in(list(wanted)))
            for (name,), part in sorted(rows.partition_by("channel", as_dict=True).items()):
                channel, hearing = wanted[str(name)]
                for message in _MESSAGES[kept.table](channel, part):
                    for hearer in hearing:
                        hearer.take(message)
        except Exception:  # noqa: BLE001 - the rows are kept, and that is what whoever sent them is told
            self._log.exception("not_told", table=str(kept.table))

    def _channels_of(self, kept: Kept) -> list[Channel]:
        names = kept.rows["channel"].unique().to_list()
        if not all(name in self._channels for name in names):
            self._channels = {channel.id: channel for channel in kept.channels()}
        return [self._channels[name] for name in names if name in self._channels]


def _readings(channel: Channel, rows: pl.DataFrame) -> list[str]:
    last = rows.sort("time", "available_at").tail(MOST_ROWS)
    columns = ("time", "value", "available_at", "quality")
    said = [
        {
            "time": utc_text(time),
            "value": value,
            "available_at": utc_text(available_at),
            "quality": flag_names(quality),
        }
        for time, value, available_at, quality in last.select(columns).iter_rows()
    ]
    return [_message("readings", channel, unit=str(channel.unit), n_rows=rows.height, rows=said)]


def _samples(channel: Channel, rows: pl.DataFrame) -> list[str]:
    last = rows.sort("time", "measure").tail(MOST_ROWS)
    said = [
        {"time": utc_text(time), "measure": measure, "value": value}
        for time, measure, value in last.select("time", "measure", "value").iter_rows()
    ]
    return [_message("samples", channel, n_rows=rows.height, rows=said)]


def _forecasts(channel: Channel, rows: pl.DataFrame) -> list[str]:
    """Say that there is a new forecast, of each model its last: what it says can be asked for."""
    issues = rows.group_by("model", "maker", "issued_at").agg(first=pl.col("time").min(), last=pl.col("time").max())
    newest = issues.sort("issued_at").unique("model", keep="last").sort("model")
    return [
        _message(
            "forecast",
            channel,
            maker=maker,
            model=model,
            issued_at=utc_text(issued_at),
            first_time=utc_text(first),
            last_time=utc_text(last),
        )
        for model, maker, issued_at, first, last in newest.iter_rows()
    ]


_MESSAGES: dict[Table, Callable[[Channel, pl.DataFrame], list[str]]] = {
    Table.READINGS: _readings,
    Table.SAMPLES: _samples,
    Table.FORECASTS: _forecasts,
}


def _message(kind: str, channel: Channel, **content: object) -> str:
    return json.dumps({"type": kind, "channel": channel.id, "site": channel.site, **content}, separators=(",", ":"))
