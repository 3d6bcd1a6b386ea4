"""The live line of one caller: rows come in and are answered, news go out, and neither can fill the memory."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect

from watthour.api.problems import UNEXPECTED, Problem, Refusal, invalid, problem_of
from watthour.api.received import check_count, keep, kept_rows
from watthour.api.schemas.live import (
    ASKED,
    Dropped,
    KeptAnswer,
    Send,
    Subscribe,
    SubscribedAnswer,
    Unsubscribe,
)
from watthour.api.security import READINGS_LIMIT
from watthour.core.errors import WatthourError
from watthour.workflows.sites import site_named
from watthour.workflows.view import known_channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.websockets import WebSocket

    from watthour.api.state import State
    from watthour.core.channel import Channel

MOST_ANSWERS = 8  # that wait to be sent; then nothing more is read
MOST_ID = 100  # characters
_NOT_JSON = (HTTPStatus.BAD_REQUEST, "not-json")
_FORM = 'A message is a JSON object as text with its type: "send", "subscribe" or "unsubscribe"; see reference/api.md.'


@dataclass(frozen=True, slots=True)
class Farewell:
    """Why the server closes a line."""

    code: int  # RFC 6455, 7.4.1
    reason: str  # at most 123 bytes


SLOW = Farewell(1013, "news were not read and the queue is full: connect again and ask for the readings since")
TOO_LARGE = Farewell(1009, f"a message has more than {READINGS_LIMIT:,} characters: send fewer rows at once")


class LiveLine:
    """One caller's line; `run` lasts as long as it is open.

    Args:
        socket: the connection, not accepted yet.
        state: of the application.
    """

    def __init__(self, socket: WebSocket, state: State) -> None:
        self._socket = socket
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._channels: frozenset[str] = frozenset()  # whose news are wanted
        self._sites: frozenset[str] = frozenset()
        self._answers: deque[str] = deque()
        self._news: deque[str] = deque()
        self._n_dropped = 0  # news that were left out since the last message that could be sent
        self._has_work, self._has_room = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Serve the line until either side closes it."""
        await self._socket.accept()
        end = self._state.app.news.add(self)
        works = {asyncio.create_task(self._read()), asyncio.create_task(self._write())}
        try:
            done, _ = await asyncio.wait(works, return_when=asyncio.FIRST_COMPLETED)
        finally:
            end()
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
        with suppress(WebSocketDisconnect):  # the other side is gone
            for work in done:
                if (farewell := work.result()) is not None:
                    await self._close(farewell)

    def wants(self, channel: Channel) -> bool:
        """Tell whether news of a channel are wanted."""
        return channel.id in self._channels or channel.site in self._sites

    def take(self, messages: Sequence[str]) -> None:
        """Take news, in the thread that keeps the rows."""
        with suppress(RuntimeError):  # the server has just ended
            self._loop.call_soon_threadsafe(self._queue, messages)

    def _queue(self, messages: Sequence[str]) -> None:
        """Let news wait to be sent; of too many the oldest are left out."""
        self._news.extend(messages)
        while len(self._news) > self._state.limits.live_news:
            self._news.popleft()
            self._n_dropped += 1
        self._has_work.set()

    async def _read(self) -> Farewell | None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message.get("text")
            if text is not None and len(text) > READINGS_LIMIT:
                return TOO_LARGE
            answer = await self._answer(text)
            while len(self._answers) >= MOST_ANSWERS:
                self._has_room.clear()
                await self._has_room.wait()
            self._answers.append(answer)
            self._has_work.set()

    async def _write(self) -> Farewell | None:
        while True:
            await self._has_work.wait()
            self._has_work.clear()
            while (message := self._next()) is not None:
                if not await self._sent(message):
                    return SLOW

    def _next(self) -> str | None:
        """Return what is sent next: answers before news, and before news what was left out of them."""
        if self._answers:
            self._has_room.set()
            return self._answers.popleft()
        if self._n_dropped:
            dropped, self._n_dropped = self._n_dropped, 0
            return Dropped(n_messages=dropped).model_dump_json()
        return self._news.popleft() if self._news else None

    async def _sent(self, message: str) -> bool:
        """Send a message; False where the other side does not read and what waits for it has no room any more."""
        sending = asyncio.ensure_future(self._socket.send_text(message))
        try:
            while True:
                await asyncio.wait({sending}, timeout=self._state.limits.live_patience_s)
                if sending.done():
                    sending.result()
                    return True
                if self._n_dropped or len(self._answers) >= MOST_ANSWERS:
                    return False
        finally:
            sending.cancel()

    async def _close(self, farewell: Farewell) -> None:
        """Say why and close; who does not read does not hear it, and the connection is dropped."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._state.limits.live_patience_s):
                await self._socket.close(farewell.code, farewell.reason)

    async def _answer(self, text: str | None) -> str:
        """Return the answer to a message; every problem is one, and the line stays open."""
        try:
            said = _decoded(text)
        except Refusal as refusal:
            return _problem(None, refusal.problem)
        message_id = _id_of(said)
        try:
            threads = self._state.compute
            if isinstance(said, dict) and said.get("type") == "send":
                threads = self._state.receiving
                await threads.room()  # meanwhile the caller's messages wait in its own connection
            return await threads.run(partial(self._done, said))
        except ValidationError as error:
            return _problem(message_id, _misfit(error))
        except Refusal as refusal:
            return _problem(message_id, refusal.problem)
        except WatthourError as error:
            return _problem(message_id, problem_of(error))
        except Exception:  # noqa: BLE001 - answered, as by HTTP; the log has the details
            structlog.get_logger("watthour.api").exception("message failed")
            return _problem(message_id, UNEXPECTED)

    def _done(self, said: object) -> str:
        """Do what a message asks, in a thread, and return its answer."""
        asked = ASKED.validate_python(said)
        if isinstance(asked, Send):
            check_count(asked)
            return KeptAnswer(id=asked.id, **dict(kept_rows(keep(self._state, asked)))).model_dump_json()
        self._subscribe(asked)
        wanted = SubscribedAnswer(id=asked.id, channels=sorted(self._channels), sites=sorted(self._sites))
        return wanted.model_dump_json()

    def _subscribe(self, asked: Subscribe | Unsubscribe) -> None:
        """Change what is wanted; nothing of it where a name is not known."""
        store = self._state.app.store
        if isinstance(asked, Unsubscribe):
            is_all = not (asked.channels or asked.sites)
            names = {spelt for spelt in asked.sites if spelt in self._sites}
            names |= {site_named(store, name).id for name in asked.sites if name not in names}
            self._channels = frozenset() if is_all else self._channels - set(asked.channels)
            self._sites = frozenset() if is_all else self._sites - names
            return
        known = {channel.id for channel in store.channels()}
        for name in asked.channels:
            if name not in known:
                known_channel(store, name)  # says what is wrong with it
        sites = {site_named(store, name).id for name in asked.sites}
        self._channels |= set(asked.channels)
        self._sites |= sites


def _decoded(text: str | None) -> object:
    if text is None:
        raise Refusal(*_NOT_JSON, "The message is binary.", remedy=_FORM)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(*_NOT_JSON, "The message is not JSON.", remedy=_FORM) from error


def _id_of(said: object) -> str | int | None:
    """Return the id of a message that may be anything, so that even its refusal can be told apart."""
    name = said.get("id") if isinstance(said, dict) else None
    if isinstance(name, str):
        return name[:MOST_ID].encode("utf-8", "replace").decode()
    return name if isinstance(name, int) else None


def _misfit(error: ValidationError) -> Problem:
    """Say where a message does not fit its type; pydantic names the type first."""
    found = [{**each, "loc": ("message", *each["loc"][1:])} for each in error.errors()]
    return invalid(found, remedy=_FORM)


def _problem(message_id: str | int | None, problem: Problem) -> str:
    said = problem.model_dump(mode="json", exclude_none=True)
    return json.dumps({"type": "problem", "id": message_id, "problem": said})
