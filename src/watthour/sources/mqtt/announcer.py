"""Tells Home Assistant of our homes over a broker, keeps what it shows true, and takes orders from it.

All that is told is retained: whoever connects later finds it. What was announced is remembered in a file before it is
sent, so that nothing stays behind at the broker that nobody takes away again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

import aiomqtt  # noqa: TID253 - imported only where a broker is set
import numpy as np
import structlog

from watthour.core.bulletin import BoardState, Matter, Order
from watthour.core.errors import WatthourError
from watthour.sources.mqtt.broker import FAILURES, LOOK_S, Waits, explained, pause
from watthour.sources.mqtt.discovery import OFF, OFFLINE, ON, ONLINE, Topics, config_of, kinds_of, messages_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

    from watthour.core.bulletin import Bulletin, Decision
    from watthour.sources.mqtt.announced import Announced
    from watthour.sources.mqtt.broker import Broker

NAME = "home_assistant_discovery"
_QOS = 1
_GOODBYE_S = 3.0  # for the last messages


class Announcer:
    """The line to a broker on which homes are announced; ``tell`` runs until it is told to stop.

    Args:
        broker: where it is.
        announced: remembers what stands there.
        prefix: of the topics under which Home Assistant looks.
        is_wanted: False: what stands there is taken away, and nothing is told.
        waits: before a new try.
        rng: of the waits.
        clock: tells the present.
    """

    name = NAME

    def __init__(
        self,
        broker: Broker,
        announced: Announced,
        prefix: str = "homeassistant",
        *,
        is_wanted: bool = True,
        waits: Waits | None = None,
        rng: np.random.Generator | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._broker, self._announced, self._prefix = broker, announced, prefix
        self._is_wanted = is_wanted
        self._waits = waits or Waits()
        self._rng = rng or np.random.default_rng()
        self._now = clock
        self._log = structlog.get_logger("watthour.announcing")
        self._lock = Lock()  # guards what follows
        self._shown: tuple[Bulletin, ...] | None = None if is_wanted else ()  # None: nothing was said yet
        self._state = BoardState(NAME)
        self._told: dict[str, str] = {}  # what stands at the broker, by topic, as far as this connection knows
        self._settled: tuple[Bulletin, ...] | None = None  # all of this has been told

    @property
    def state(self) -> BoardState:
        """How it goes."""
        return self._state

    def show(self, bulletins: Sequence[Bulletin]) -> None:
        """Let this be told from now on; what is no part of it any more is taken away."""
        with self._lock:
            if self._is_wanted:
                self._shown = tuple(bulletins)

    def withdraw(self) -> None:
        """Take all away that was announced; what is shown later is not told."""
        with self._lock:
            self._shown, self._is_wanted = (), False

    @property
    def target(self) -> str:
        """The broker, and where there."""
        return self._announced.target

    @property
    def is_over(self) -> bool:
        """Whether all was to be taken away, and has been."""
        return not self._is_wanted and not self._announced.all()

    def tell(self, take: Callable[[Order], None], stopping: Event) -> None:
        """Tell what is shown until ``stopping`` is set; a connection that breaks is made again, and all told anew.

        Args:
            take: carries out an order; a WatthourError that it raises is noted, and the order is over.
            stopping: ends it.
        """
        asyncio.run(self._run(take, stopping))

    async def _run(self, take: Callable[[Order], None], stopping: Event) -> None:
        n_failures = 0
        while not stopping.is_set():
            connected_before = self._state.connected_at
            try:
                await self._session(take, stopping)
            except FAILURES as error:
                n_failures = 1 if self._state.connected_at != connected_before else n_failures + 1
                problem, remedy, _option = explained(error, self._broker)
                self._fail(problem, remedy, is_new=n_failures == 1)
            except WatthourError as error:
                n_failures += 1
                self._fail(error.problem, error.remedy, is_new=n_failures == 1)
            except Exception as error:  # noqa: BLE001 - whatever it met, it tells again
                n_failures += 1
                self._log.exception("announcing_failed")
                self._fail(f"it broke down ({type(error).__name__}: {error})", "Report it, with the log.", is_new=False)
            self._state = replace(self._state, is_connected=False)
            if n_failures and not stopping.is_set():
                await pause(self._waits.after(n_failures, self._rng), stopping)

    async def _session(self, take: Callable[[Order], None], stopping: Event) -> None:
        """Live through one connection."""
        topics = Topics(self._announced.installation(), self._prefix)
        self._forget()
        will = aiomqtt.Will(topics.availability, OFFLINE, _QOS, retain=True)
        async with self._broker.client(will=will) as client:
            await client.subscribe([(topics.birth, _QOS), (topics.orders, _QOS)])
            hearing = asyncio.create_task(self._hear(client, topics, take))
            self._log.info("connected", host=self._broker.host, port=self._broker.port)
            self._state = replace(self._state, is_connected=True, problem=None, remedy=None, connected_at=self._now())
            try:
                while not stopping.is_set():
                    if hearing.done():
                        hearing.result()
                    await self._tell_news(client, topics)
                    await asyncio.sleep(LOOK_S)
                async with asyncio.timeout(_GOODBYE_S):
                    await self._tell_news(client, topics)
                    if self._settled:
                        await self._publish(client, topics.availability, OFFLINE)
            finally:
                hearing.cancel()

    async def _hear(self, client: aiomqtt.Client, topics: Topics, take: Callable[[Order], None]) -> None:
        """Tell all anew where Home Assistant has begun anew, and carry out its orders.

        What the broker had kept is neither: an order is for now.
        """
        async for message in client.messages:
            if message.retain:
                continue
            said = message.payload.decode(errors="replace")
            if message.topic.value == topics.birth:
                if said == ONLINE:
                    await asyncio.sleep(self._rng.uniform(0.0, self._waits.first_s))  # as all others tell it too
                    self._forget()
            elif (order := self._order(topics, message.topic.value, said)) is None:
                self._log.warning("order_not_understood", topic=message.topic.value, said=said[:50])
                self._count_failure()
            else:
                await self._carry_out(order, take)

    async def _carry_out(self, order: Order, take: Callable[[Order], None]) -> None:
        try:
            await asyncio.to_thread(take, order)
        except WatthourError as error:
            self._log.warning("order_refused", run=order.run, problem=error.problem, remedy=error.remedy)
            self._count_failure()
        else:
            self._log.info("order_carried_out", run=order.run, decision=order.decision)

    def _order(self, topics: Topics, topic: str, said: str) -> Order | None:
        """Return the order that a message is; None where it is none, or there is no run that it could be about."""
        with self._lock:
            shown = self._shown or ()
        for bulletin in shown:
            for entry in bulletin.entries:
                if entry.run is None or topics.order(bulletin.home, entry.key) != topic or said not in {ON, OFF}:
                    continue
                meant: Decision = "accept" if entry.matter is Matter.ACCEPT else "skip"
                return Order(bulletin.home, entry.run, meant if said == ON else "undo")
        return None

    async def _tell_news(self, client: aiomqtt.Client, topics: Topics) -> None:
        """Bring the broker up to what is shown: first what is gone, then what is announced, then its values."""
        with self._lock:
            shown = self._shown
        if shown is None or shown is self._settled:
            return
        told, standing = self._told, self._announced.all()
        wanted = {topics.config(each.home): each for each in shown}
        for config in standing.keys() - wanted.keys():
            await self._take_away(client, topics, config, standing[config])
        for config, bulletin in wanted.items():
            await self._announce(client, topics, config, bulletin, standing.get(config, {}))
        await self._publish(client, topics.availability, ONLINE if wanted else "")
        if told is self._told:  # else Home Assistant has begun anew meanwhile
            self._settled = shown

    async def _take_away(self, client: aiomqtt.Client, topics: Topics, config: str, parts: Mapping[str, str]) -> None:
        for topic in (config, *topics.left(config, parts)):
            await self._publish(client, topic, "")
        await asyncio.to_thread(self._announced.note, config, None)

    async def _announce(
        self, client: aiomqtt.Client, topics: Topics, config: str, bulletin: Bulletin, standing: Mapping[str, str]
    ) -> None:
        parts = kinds_of(bulletin)
        gone = {key: kind for key, kind in standing.items() if parts.get(key) != kind}
        if standing != parts:
            await asyncio.to_thread(self._announced.note, config, {**gone, **parts})
        if gone:
            await self._publish(client, config, config_of(bulletin, topics, gone))
            for key in gone.keys() - parts.keys():
                await self._publish(client, topics.attributes(bulletin.home, key), "")
        await self._publish(client, config, config_of(bulletin, topics))
        if gone:
            await asyncio.to_thread(self._announced.note, config, parts)
        for topic, said in messages_of(bulletin, topics).items():
            await self._publish(client, topic, said)

    async def _publish(self, client: aiomqtt.Client, topic: str, said: str) -> None:
        """Publish what is not known to stand there; an empty message takes away what does."""
        if self._told.get(topic) == said:
            return
        await client.publish(topic, said or b"", qos=_QOS, retain=True)
        self._told[topic] = said
        state = self._state
        self._state = replace(
            state, problem=None, remedy=None, last_success_at=self._now(), n_messages=state.n_messages + 1
        )

    def _forget(self) -> None:
        """Count nothing as told any more."""
        self._told, self._settled = {}, None

    def _fail(self, problem: str, remedy: str, *, is_new: bool) -> None:
        if is_new:
            self._log.warning("not_announced", problem=problem, remedy=remedy)
        self._state = replace(self._state, is_connected=False, problem=problem, remedy=remedy)
        self._count_failure()

    def _count_failure(self) -> None:
        self._state = replace(self._state, n_failures=self._state.n_failures + 1)
