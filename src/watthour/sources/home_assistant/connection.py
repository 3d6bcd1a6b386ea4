"""One conversation with Home Assistant's WebSocket API: who we are, then a question and its answer at a time.

Source: https://developers.home-assistant.io/docs/api/websocket
"""

from __future__ import annotations

import json
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from watthour.core.errors import PayloadChanged, SourceRejected, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from websockets.sync.client import ClientConnection

NAME = "home_assistant"
_LARGEST = 32 * 1024 * 1024  # [bytes] of an answer; a month of hours of fifty statistics has 6 MB
_NEW_TOKEN = "Make a new long-lived access token in Home Assistant (your profile, Security), and set it."  # noqa: S105
_CHECK = "Check its address, and that Home Assistant runs."
_FIRST_GOOD = "2023.4"  # whose statistics have what is asked here


class Connection:
    """A conversation that is open.

    Args:
        url: of Home Assistant, such as http://homeassistant.local:8123.
        token: long-lived; it is sent to this address alone.
        patience_s: within which every answer must be complete. [s]

    Raises:
        SourceUnavailable: it does not answer.
        SourceRejected: it does not know the token.
        PayloadChanged: it is something else.
    """

    def __init__(self, url: str, token: str, *, patience_s: float) -> None:
        self._url = url
        self._patience_s = patience_s
        self._last_id = 0
        self.version = "of an unknown version"
        self._line = self._opened()
        try:
            self._introduce(token)
        except BaseException:
            self._line.close()
            raise

    def ask(self, kind: str, **said: object) -> object:
        """Return the result of a command.

        Raises:
            SourceUnavailable: no answer came.
            SourceRejected: it refuses the command.
            PayloadChanged: it answers in another form.
        """
        self._last_id += 1
        ends_at = monotonic() + self._patience_s
        self._send({"id": self._last_id, "type": kind, **said})
        while True:
            answer = self._receive(ends_at)
            if answer.get("id") == self._last_id and answer.get("type") == "result":
                break
        if answer.get("success") is True:
            return answer.get("result")
        error = answer.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        said_why = error.get("message") if isinstance(error, dict) else None
        if code == "unknown_command":
            problem = f"Home Assistant {self.version} does not know {kind}"
            remedy = f"Update Home Assistant to {_FIRST_GOOD} or later, and leave its recorder switched on."
            raise UnknownCommand(NAME, problem, remedy=remedy)
        if code == "unauthorized":
            raise SourceRejected(NAME, f"the token may not ask for {kind}", remedy=_NEW_TOKEN, option="token")
        raise Refusal(kind, str(code), str(said_why)[:200])

    def close(self) -> None:
        """End it."""
        self._line.close()

    def _opened(self) -> ClientConnection:
        from websockets.exceptions import InvalidHandshake, InvalidStatus
        from websockets.sync.client import connect

        parts = urlsplit(self._url)
        scheme = "wss" if parts.scheme == "https" else "ws"
        address = urlunsplit((scheme, parts.netloc, f"{parts.path}/api/websocket", "", ""))
        try:
            return connect(
                address,
                open_timeout=self._patience_s,
                close_timeout=1.0,
                max_size=_LARGEST,
                proxy=None,
                user_agent_header=None,
            )
        except InvalidStatus as error:
            problem = f"{self._url} answers with status {error.response.status_code} and not as Home Assistant does"
            raise SourceUnavailable(NAME, problem, remedy=_CHECK, option="url") from None
        except (OSError, InvalidHandshake, EOFError) as error:
            problem = f"{self._url} cannot be reached ({_reason(error)})"
            raise SourceUnavailable(NAME, problem, remedy=_CHECK, option="url") from None

    def _introduce(self, token: str) -> None:
        ends_at = monotonic() + self._patience_s
        hello = self._receive(ends_at)
        if hello.get("type") != "auth_required":
            raise PayloadChanged(
                NAME, f"{self._url} does not greet as Home Assistant does", remedy=_CHECK, option="url"
            )
        self.version = str(hello.get("ha_version", self.version))
        self._send({"type": "auth", "access_token": token})
        answer = self._receive(ends_at)
        if answer.get("type") == "auth_invalid":
            raise SourceRejected(NAME, "Home Assistant does not accept the token", remedy=_NEW_TOKEN, option="token")
        if answer.get("type") != "auth_ok":
            raise PayloadChanged(
                NAME, f"{self._url} does not greet as Home Assistant does", remedy=_CHECK, option="url"
            )

    def _send(self, message: Mapping[str, object]) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            self._line.send(json.dumps(message))
        except (ConnectionClosed, OSError):
            raise self._gone() from None

    def _receive(self, ends_at: float) -> Mapping[str, Any]:
        from websockets.exceptions import ConnectionClosed

        try:
            text = self._line.recv(timeout=max(0.0, ends_at - monotonic()))
        except TimeoutError:
            problem = f"{self._url} did not answer within {self._patience_s:g} seconds"
            raise SourceUnavailable(NAME, problem, remedy="It is asked again soon.") from None
        except (ConnectionClosed, OSError):
            raise self._gone() from None
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise PayloadChanged(NAME, f"{self._url} sends no JSON objects", remedy=_CHECK, option="url")
        return message

    def _gone(self) -> SourceUnavailable:
        return SourceUnavailable(NAME, f"{self._url} ended the connection", remedy="It is asked again soon.")


def _reason(error: Exception) -> str:
    """Return why a connection failed, without the number that only programmers know."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error) or type(error).__name__


class UnknownCommand(SourceRejected):
    """It does not know a command: it is too old, or what answers it is not switched on."""


class Refusal(SourceRejected):
    """A command was refused for a reason of its own."""

    def __init__(self, kind: str, code: str, message: str) -> None:
        self.code = code
        remedy = "Update Home Assistant, or report it with the version of yours."
        super().__init__(NAME, f"it refuses {kind}: {message} ({code})", remedy=remedy)
