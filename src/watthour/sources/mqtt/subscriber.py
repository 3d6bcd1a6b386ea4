"""The one place that speaks MQTT: connects, subscribes, hands over, and confirms what was kept.

A message that was sent with confirmation (QoS 1) is confirmed only after it was kept; the broker sends what it has no
confirmation of again, also after either side was away, because the session has a name and outlives the connection.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiomqtt  # noqa: TID253 - imported only where a broker is set
import numpy as np
import structlog

from watthour.core.errors import WatthourError
from watthour.core.heard import Heard, LineState
from watthour.sources.mqtt.broker import FAILURES, Waits, code_of, explained, pause
from watthour.sources.mqtt.inbox import Inbox
from watthour.sources.mqtt.message import Message
from watthour.sources.mqtt.reader import TOPICS, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from paho.mqtt.client import Client as PahoClient

    from watthour.sources.mqtt.broker import Broker
    from watthour.sources.mqtt.inbox import Arrival

_MOST_TOGETHER = 500  # messages
_CONFIRM_AT = 10  # messages; Mosquitto sends 20, and then waits for confirmation
_LONGEST_CATCH_UP_S = 10.0
_ASKED_AT_ONCE = 100  # topics
_GRANTED = 2  # the highest code that grants a subscription


class Mqtt:
    """The line to a broker; ``listen`` runs until it is told to stop, in a thread of its own."""

    name = "mqtt"

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str] | None = None,
        *,
        waits: Waits | None = None,
        rng: np.random.Generator | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Prepare a line; nothing is opened yet.

        Args:
            broker: where it is.
            topics: to subscribe to; none: those of all languages that we read.
            waits: before a new try.
            rng: of the waits.
            clock: tells the present.
        """
        self._broker = broker
        self._topics = tuple(topics or TOPICS)
        self._waits = waits or Waits()
        self._rng = rng or np.random.default_rng()
        self._now = clock
        self._reader = Reader()
        self._log = structlog.get_logger("watthour.mqtt")
        self._state = LineState(self.name)
        self._stopping: Event | None = None

    @property
    def state(self) -> LineState:
        """How the connection stands."""
        return self._state

    def listen(self, take: Callable[[Heard], None], stopping: Event) -> None:
        """Hand over what the broker sends until ``stopping`` is set; a connection that breaks is made again.

        Args:
            take: returns once what it got is kept. Where it raises a WatthourError it is asked again with the same;
                meanwhile nothing is confirmed and nothing more is read than the inbox holds.
            stopping: ends it.
        """
        self._stopping = stopping
        asyncio.run(self._run(take, stopping))

    async def _run(self, take: Callable[[Heard], None], stopping: Event) -> None:
        n_failures = 0
        while not stopping.is_set():
            connected_before = self._state.connected_at
            try:
                await self._session(take, stopping)
            except FAILURES as error:
                n_failures = 1 if self._state.connected_at != connected_before else n_failures + 1
                self._note_failure(error, is_new=n_failures == 1)
            except Exception as error:  # noqa: BLE001 - whatever it met, it listens again
                n_failures += 1
                self._log.exception("listening_failed", source=self.name)
                problem = f"it broke down ({type(error).__name__}: {error})"
                self._state = replace(
                    self._state, problem=problem, remedy="Report it, with the log of that time.", option=None
                )
            else:
                n_failures = 0
            self._state = replace(self._state, is_connected=False)
            if n_failures and not stopping.is_set():
                await pause(self._waits.after(n_failures, self._rng), stopping)

    async def _session(self, take: Callable[[Heard], None], stopping: Event) -> None:
        """Live through one connection."""
        client = self._broker.client(Inbox)
        inner, inbox = client._client, client._queue  # noqa: SLF001 - aiomqtt has no confirmation by hand of its own
        assert isinstance(inbox, Inbox)  # noqa: S101 - it was asked for
        inner.manual_ack_set(on=True)
        inbox.clock = self._now
        session = _Session(inner, inbox)
        async with client:
            session.follow()
            subscribed: set[str] = set()
            # Some brokers send what they kept for us before they look at what we ask, and wait for confirmation.
            asking = asyncio.create_task(self._subscribe(client, self._topics, subscribed))
            try:
                while not stopping.is_set():
                    if asking.done():
                        asking.result()
                        if not self._state.is_connected:
                            self._note_connection()
                        if new := self._reader.state_topics() - subscribed:
                            asking = asyncio.create_task(self._subscribe(client, sorted(new), subscribed))
                    patience_s = self._waits.gather_s if session.is_live() else self._waits.caught_up_s
                    batch = await inbox.batch(_MOST_TOGETHER, patience_s, _CONFIRM_AT)
                    if not batch:
                        session.note_pause()
                        _check_open(client)
                        continue
                    if not await self._keep(take, self._read(batch, is_live=session.is_live()), len(batch), stopping):
                        return  # and so it is not confirmed
                    for each in batch:
                        inner.ack(each.message.mid, each.message.qos)
            finally:
                asking.cancel()

    async def _subscribe(self, client: aiomqtt.Client, topics: Sequence[str], subscribed: set[str]) -> None:
        """Ask for the topics that are new; one that the broker refuses is said once."""
        wide = [known for known in subscribed if set(known) & set("#+")]
        wanted = [
            topic for topic in topics if not (topic in subscribed or any(_covers(known, topic) for known in wide))
        ]
        subscribed.update(set(topics) - set(wanted))  # they come anyway
        for begin in range(0, len(wanted), _ASKED_AT_ONCE):
            part = wanted[begin : begin + _ASKED_AT_ONCE]
            codes = await client.subscribe([(topic, 1) for topic in part])
            refused = [topic for topic, code in zip(part, codes, strict=True) if code_of(code) > _GRANTED]
            if refused:
                self._log.warning("topics_refused", source=self.name, topics=refused[:10], n=len(refused))
            subscribed.update(part)

    def _read(self, batch: Sequence[Arrival], *, is_live: bool) -> Heard:
        found = [
            self._reader.read(Message(came.topic.value, came.payload, each.at, is_live and not came.retain))
            for each in batch
            for came in (each.message,)
        ]
        return Heard(
            tuple(told for each in found for told in each.told), tuple(fault for each in found for fault in each.faults)
        )

    async def _keep(self, take: Callable[[Heard], None], heard: Heard, n_messages: int, stopping: Event) -> bool:
        """Return whether what was heard is kept: however long that takes, unless told to stop."""
        n_failures = 0
        while True:
            try:
                await asyncio.to_thread(take, heard)
            except WatthourError as error:
                n_failures += 1
                if n_failures == 1:
                    self._log.warning("not_kept", source=self.name, problem=error.problem, remedy=error.remedy)
                self._state = replace(self._state, problem=error.problem, remedy=error.remedy, option=None)
                await pause(self._waits.after(n_failures, self._rng), stopping)
                if stopping.is_set():
                    return False
            else:
                break
        if n_failures:
            self._log.info("kept_again", source=self.name)
        state = self._state
        self._state = replace(
            state,
            problem=None,
            remedy=None,
            option=None,
            last_heard_at=self._now(),
            n_messages=state.n_messages + n_messages,
            n_faults=state.n_faults + len(heard.faults),
        )
        return True

    def _note_connection(self) -> None:
        self._log.info("connected", source=self.name, host=self._broker.host, port=self._broker.port)
        self._state = replace(
            self._state, is_connected=True, problem=None, remedy=None, option=None, connected_at=self._now()
        )

    def _note_failure(self, error: Exception, *, is_new: bool) -> None:
        problem, remedy, option = explained(error, self._broker)
        if is_new:
            self._log.warning("not_connected", source=self.name, problem=problem, remedy=remedy)
        self._state = replace(self._state, is_connected=False, problem=problem, remedy=remedy, option=option)


@dataclass(slots=True)
class _Session:
    """One connection: whether its messages come live, and how reading from it is stopped and taken up again."""

    client: PahoClient
    inbox: Inbox
    _was_kept: bool = False  # the broker had kept our session, and with it perhaps messages
    _since: float = 0.0

    def __post_init__(self) -> None:
        answered: Any = self.client.on_connect  # aiomqtt has set it

        def on_connect(client: Any, userdata: Any, flags: Any, code: Any, properties: Any = None) -> None:  # noqa: ANN401 - paho's
            self._was_kept = bool(flags.session_present)
            answered(client, userdata, flags, code, properties)

        self.client.on_connect = on_connect

    def follow(self) -> None:
        """Let the inbox stop and resume the reading of this connection."""
        loop = asyncio.get_running_loop()
        self._since = loop.time()
        line = self.client.socket()

        def read() -> None:
            self.client.loop_read()
            while isinstance(line, ssl.SSLSocket) and line.fileno() >= 0 and line.pending():
                self.client.loop_read()

        def read_again() -> None:
            if line is not None and line.fileno() >= 0:
                loop.add_reader(line.fileno(), read)

        def stop_reading() -> None:
            if line is not None and line.fileno() >= 0:
                loop.remove_reader(line.fileno())

        self.inbox.stop_reading, self.inbox.read_again = stop_reading, read_again

    def is_live(self) -> bool:
        """Tell whether messages come as they are sent, and not from what the broker kept while we were away."""
        if self._was_kept and asyncio.get_running_loop().time() - self._since > _LONGEST_CATCH_UP_S:
            self._was_kept = False
        return not self._was_kept

    def note_pause(self) -> None:
        """Note that nothing waited any more."""
        self._was_kept = False


def _check_open(client: aiomqtt.Client) -> None:
    """Raise what ended the connection, if it has ended; aiomqtt tells its own iterator alone."""
    ended = client._disconnected  # noqa: SLF001 - as above
    if ended.done():
        raise aiomqtt.MqttError("it closed the connection") from ended.exception()


def _covers(known: str, topic: str) -> bool:
    """Tell whether a subscription to many topics brings one already."""
    return not set(topic) & set("#+") and aiomqtt.Topic(topic).matches(known)
