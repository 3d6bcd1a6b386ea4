"""A real HTTP server on loopback that a test scripts: its answers, its faults, what it was asked."""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import BufferedIOBase


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    target: str  # path and query as sent
    sent: Mapping[str, Any] = field(default_factory=dict)  # JSON that was posted
    body: bytes = b""  # whatever was posted

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, or how answering fails."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0  # [s] before the first byte
    hangs_up: bool = False  # closes the connection instead of answering
    keeps: float = 1.0  # share of the body that is sent [-]
    passes: bool = False  # the usual answer, delayed or cut as said
    drips: float = 0.0  # [s] between two bytes of an answer that never ends
    drips_in_head: bool = False  # it never ends in its head, not in its body
    is_endless: bool = False  # as many bytes as the other side takes


def as_json(content: object, status: int = 200, **headers: str) -> Answer:
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


def html(status: int) -> Answer:
    """The page of a gateway that stands before the provider."""
    return Answer(status, b"<html><body><h1>Request blocked</h1></body></html>", {"Content-Type": "text/html"})


def limited(retry_after: str | None = None, reason: str = "Too many requests") -> Answer:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return as_json({"error": {"code": "OVER_RATE_LIMIT", "message": reason}}, 429, **headers)


HANGS_UP = Answer(hangs_up=True)
CUT_SHORT = Answer(passes=True, keeps=0.5)  # half of the JSON, with a Content-Length that agrees
BAD_GATEWAY = html(502)
OVERLOADED = as_json({"error": True, "reason": "The service is overloaded"}, 503)


def slow(seconds: float) -> Answer:
    return Answer(passes=True, delay=seconds)


@dataclass(slots=True)
class FakeServer:
    """A running server: where it is, what it was asked, which faults come before its next answers."""

    base_url: str
    requests: list[Request] = field(default_factory=list)
    faults: deque[Answer] = field(default_factory=deque)


def _never_end(connection: BufferedIOBase, how: Answer) -> None:
    connection.write(b"HTTP/1.0 200 OK\r\n" + (b"X-Long: " if how.drips_in_head else b"\r\n"))
    with suppress(OSError):  # until the client has gone
        while True:
            connection.write(b"1" if how.drips else bytes(65536))
            time.sleep(how.drips)


@contextmanager
def serve(answer: Callable[[Request], Answer], prefix: str = "") -> Iterator[FakeServer]:
    """Serve until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query: dict[str, list[str]] = {}
            for name, value in parse_qsl(parts.query, keep_blank_values=True):
                query.setdefault(name, []).append(value)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            sent = json.loads(body) if body[:1] == b"{" else {}
            path = parts.path.removeprefix(prefix)
            request = Request(path, query, dict(self.headers.items()), self.path, sent, body)
            server.requests.append(request)
            fault = server.faults.popleft() if server.faults else None
            self._send(answer(request) if fault is None or fault.passes else fault, fault)

        def _send(self, said: Answer, fault: Answer | None) -> None:
            how = fault or said
            time.sleep(how.delay)
            if how.hangs_up:
                self.close_connection = True
                return
            if how.drips or how.is_endless:
                self.close_connection = True
                _never_end(self.wfile, how)
                return
            body = said.body[: int(len(said.body) * how.keeps)]
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that gave up waiting is no error of ours."""

    listening = Quiet(("127.0.0.1", 0), Handler)
    server = FakeServer(f"http://127.0.0.1:{listening.server_address[1]}{prefix}")
    thread = Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
