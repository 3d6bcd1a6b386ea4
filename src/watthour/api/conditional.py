"""HEAD wherever GET is answered, and "not modified" for a caller who has the answer already."""

from __future__ import annotations

from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OF_THE_BODY = ("content-type", "content-length", "content-disposition")  # a 304 has no body to describe


class HeadAsGet:
    """Answers HEAD as GET would be, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as a GET and keep the body back."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def headers_only(message: Message) -> None:
            if message["type"] == "http.response.body":
                if message.get("more_body", False):
                    return
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, headers_only)


class EntityTags:
    """Names each whole answer to a GET by its content, and answers 304 to who names it back in `If-None-Match`.

    The tags are weak: a compressed answer says the same as the plain one. An answer sent in pieces, such as a long CSV,
    has none, as nothing is known of its end when it begins.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and look at the answer."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")
        start: Message | None = None
        is_answered = False

        async def tagged(message: Message) -> None:
            nonlocal start, is_answered
            if is_answered:  # the rest of a body that is not sent
                return
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.OK:
                start = message  # held back until the body tells whether it is whole
                return
            if start is not None:
                held, start = start, None
                headers = MutableHeaders(raw=held.setdefault("headers", []))
                if "etag" not in headers and not message.get("more_body", False):
                    headers["etag"] = f'W/"{blake2b(message.get("body", b""), digest_size=16).hexdigest()}"'
                if "etag" in headers and _names(asked, headers["etag"]):
                    for name in _OF_THE_BODY:
                        del headers[name]
                    held["headers"], held["status"] = headers.raw, HTTPStatus.NOT_MODIFIED
                    await send(held)
                    await send({"type": "http.response.body", "body": b""})
                    is_answered = True
                    return
                held["headers"] = headers.raw
                await send(held)
            await send(message)

        await self._app(scope, receive, tagged)


def _names(asked: str, tag: str) -> bool:
    """Tell whether `If-None-Match` names a tag; weak and strong ones of the same text are equal.

    >>> _names('"old", W/"4f2a"', '"4f2a"'), _names("*", '"4f2a"'), _names("", '"4f2a"')
    (True, True, False)
    """
    bare = tag.removeprefix("W/")
    return any(each.strip() == "*" or each.strip().removeprefix("W/") == bare for each in asked.split(","))
