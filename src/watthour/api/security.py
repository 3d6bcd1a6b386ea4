"""Who may call: loopback without a key, anywhere else only with one; and what a browser may do with the answers."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import HTTPException
from starlette.datastructures import Headers

from watthour.api.problems import Refusal, answer
from watthour.core.errors import NotConfigured

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from watthour.settings import Settings

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
# What an orchestrator asks; they tell nothing but "alive" and "ready".
OPEN_PATHS = frozenset({"/health", "/ready", "/api/v1/health", "/api/v1/ready"})
RELOAD_PATH = "/reload-model"
IMPORT_PATH = "/api/v1/imports"
READINGS_PATH = "/api/v1/readings"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_LIMIT = 1_000_000  # [bytes]
READINGS_LIMIT = 4_000_000  # [bytes]; 10,000 rows with all their fields have 2 MB
IMPORT_LIMIT = 256_000_000  # [bytes]; EIA's largest six-month file has 60 MB

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=()",
}
_NO_CACHE = ((b"cache-control", b"no-cache"),)  # what the API says is true now, not later
_RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in _HEADERS.items())


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may call, under which names."""

    key: str | None = None
    reload_token: str | None = None
    hosts: tuple[str, ...] = LOOPBACK_NAMES  # empty means any
    origins: tuple[str, ...] = ()


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def policy_of(settings: Settings) -> Policy:
    """Return what the settings allow.

    Raises:
        NotConfigured: the API would be open to others without a key.
    """
    key = settings.api_key.get_secret_value() if settings.api_key else None
    if key is None and not is_loopback(settings.host):
        raise NotConfigured(
            "host",
            settings.host,
            "the API would be open to everybody who can reach this address",
            remedy="Set WATTHOUR_API_KEY to a long random text, or listen on 127.0.0.1 only.",
        )
    own = LOOPBACK_NAMES if is_loopback(settings.host) else ()
    return Policy(
        key=key,
        reload_token=settings.reload_token.get_secret_value() if settings.reload_token else None,
        hosts=(*own, *settings.allowed_hosts) if own or settings.allowed_hosts else (),
        origins=settings.allowed_origins,
    )


class SecurityHeaders:
    """Adds to every answer what keeps a browser from being used against its owner."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                fresh = () if any(name == b"cache-control" for name, _ in own) else _NO_CACHE
                message["headers"] = [*own, *_RAW_HEADERS, *fresh]
            await send(message)

        await self._app(scope, receive, with_headers)


class Gate:
    """Lets in who calls us by our name, from our own page, with the key if there is one."""

    def __init__(self, app: ASGIApp, *, policy: Policy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or say why not."""
        if scope["type"] in {"http", "websocket"} and (refusal := self._refuse(scope)) is not None:
            await answer(refusal.problem, refusal.headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuse(self, scope: Scope) -> Refusal | None:
        headers = Headers(scope=scope)
        if scope["path"] in OPEN_PATHS:
            return None
        if self._policy.hosts and _host_name(headers.get("host", "")) not in self._policy.hosts:
            # A page of another site can make its own name point at loopback and so read our answers (DNS rebinding).
            return Refusal(
                HTTPStatus.BAD_REQUEST,
                "unknown-host",
                "This server does not accept requests under this host name.",
                remedy="Call it as 127.0.0.1 or localhost, or list the name in WATTHOUR_ALLOWED_HOSTS.",
            )
        # A browser lets any page open a WebSocket and read it, so there no request is safe.
        is_safe = scope["type"] == "http" and scope["method"] in SAFE_METHODS
        if not is_safe and not self._is_own_page(headers):
            return Refusal(
                HTTPStatus.FORBIDDEN,
                "foreign-origin",
                "A page of another site may not change anything here.",
                remedy="List its origin in WATTHOUR_ALLOWED_ORIGINS if you trust it.",
            )
        return None if self._has_key(scope, headers) else _NEEDS_KEY

    def _is_own_page(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:  # no browser, or its own address bar
            return True
        return origin in self._policy.origins or origin.partition("://")[2] == headers.get("host")

    def _has_key(self, scope: Scope, headers: Headers) -> bool:
        path, said = scope["path"], _credential(headers)
        if path == RELOAD_PATH and self._policy.reload_token is not None:
            return _is_one_of(said, (self._policy.reload_token, self._policy.key))
        return self._policy.key is None or _is_one_of(said, (self._policy.key,))


class BodyLimit:
    """Refuses bodies that are larger than anything a route needs, before they fill memory or disk."""

    def __init__(self, app: ASGIApp, *, limit: int = BODY_LIMIT, import_limit: int = IMPORT_LIMIT) -> None:
        self._app = app
        self._limit = limit
        self._import_limit = import_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on while it is small enough."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = {IMPORT_PATH: self._import_limit, READINGS_PATH: READINGS_LIMIT}.get(scope["path"], self._limit)
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > limit:
            refusal = Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", _too_large(limit))
            await answer(refusal.problem)(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit))
            return message

        await self._app(scope, counted, send)


_NEEDS_KEY = Refusal(
    HTTPStatus.UNAUTHORIZED,
    "key-needed",
    "This server requires its API key.",
    remedy="Send it as `Authorization: Bearer <key>` or `X-API-Key: <key>`, or as the password in a browser.",
    headers={"WWW-Authenticate": 'Basic realm="Watthour", charset="UTF-8"'},
)


def _too_large(limit: int) -> str:
    return f"The body is larger than {limit:,} bytes."


def _host_name(host: str) -> str:
    """Return the host without its port; an IPv6 address keeps its brackets."""
    return host[: host.find("]") + 1] if host.startswith("[") else host.partition(":")[0].lower()


def _credential(headers: Headers) -> str | None:
    if (key := headers.get("x-api-key")) is not None:
        return key
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def _is_one_of(said: str | None, keys: tuple[str | None, ...]) -> bool:
    wanted = [key.encode() for key in keys if key is not None]
    return said is not None and any(hmac.compare_digest(said.encode(), key) for key in wanted)
