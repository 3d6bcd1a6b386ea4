"""The queue between the broker's line and the store: bounded, and full it stops reading from the line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from watthour.sources.mqtt.message import LARGEST_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiomqtt import Message

MOST_MESSAGES = 2_000
MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message and when it came; no two come at the same instant."""

    message: Message
    at: datetime


class Inbox(asyncio.Queue[Any]):
    """What came and is not kept yet; while it is full the line is not read, so that the broker waits.

    Messages go in and arrivals come out.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self.most_messages, self.most_bytes = MOST_MESSAGES, MOST_BYTES
        self.stop_reading: Callable[[], None] = lambda: None
        self.read_again: Callable[[], None] = lambda: None
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self._n_bytes = 0
        self._is_stopped = False
        self._last_at = datetime.min.replace(tzinfo=UTC)

    @property
    def n_bytes(self) -> int:
        """The size of the payloads that wait."""
        return self._n_bytes

    def _put(self, item: Message) -> None:
        item.payload = bytes(item.payload)[: LARGEST_PAYLOAD + 1]  # what is larger is refused by its size alone
        self._n_bytes += len(item.payload)
        self._last_at = max(self.clock(), self._last_at + timedelta(microseconds=1))
        super()._put(Arrival(item, self._last_at))
        if not self._is_stopped and (self.qsize() >= self.most_messages or self._n_bytes >= self.most_bytes):
            self._is_stopped = True
            self.stop_reading()

    def _get(self) -> Arrival:
        item: Arrival = super()._get()
        self._n_bytes -= len(item.message.payload)
        if self._is_stopped and self.qsize() <= self.most_messages // 2 and self._n_bytes <= self.most_bytes // 2:
            self._is_stopped = False
            self.read_again()
        return item

    async def batch(self, most: int, within_s: float, n_confirmed: int) -> list[Arrival]:
        """Return what comes within a while of the first message, at once where enough of it waits for confirmation.

        Args:
            most: messages.
            within_s: the while, which an empty inbox waits for a first message too. [s]
            n_confirmed: messages with confirmation after which it returns: a broker sends no more before we confirm.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + within_s
        found: list[Arrival] = []
        while len(found) < most and sum(each.message.qos > 0 for each in found) < n_confirmed:
            if not self.empty():
                found.append(self.get_nowait())
                continue
            if (left := ends_at - loop.time()) <= 0:
                break
            try:
                found.append(await asyncio.wait_for(self.get(), left))
            except TimeoutError:
                break
        return found
