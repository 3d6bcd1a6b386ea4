"""Every error as RFC 9457 ``application/problem+json``: what happened, which value, and the cure; never internals."""

from __future__ import annotations

import re
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from watthour.core import errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"
LONGEST_VALUE = 200  # characters of a refused value that are repeated

# Most special first. A page that reads the status alone must know who can mend it: 4xx the caller, 5xx who runs this.
_STATUS: tuple[tuple[type[errors.WatthourError], HTTPStatus], ...] = (
    (errors.UnknownName, HTTPStatus.NOT_FOUND),
    (errors.NotConfigured, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.InvalidInput, HTTPStatus.BAD_REQUEST),
    (errors.NoPlanFound, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.SourceUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.SourceError, HTTPStatus.BAD_GATEWAY),
    (errors.StoreFull, HTTPStatus.INSUFFICIENT_STORAGE),
    (errors.StoreError, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.NotEnoughHistory, HTTPStatus.CONFLICT),
    (errors.ModelError, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.MissingExtra, HTTPStatus.NOT_IMPLEMENTED),
)
# Their messages may name files and addresses of this machine: they go to the log, the caller gets these words.
_KEPT_INSIDE: tuple[tuple[type[errors.WatthourError], str, str], ...] = (
    (
        errors.StoreFull,
        "The disk is full, so this was not stored. Everything stored before is safe.",
        "Free space and try again.",
    ),
    (errors.StoreError, "The store cannot be used at the moment.", "`watthour doctor` shows what is wrong."),
    (
        errors.ModelCorrupt,
        "The saved model is damaged, so it is not used.",
        "Go back with `watthour models rollback`, or train again with `watthour train`.",
    ),
)


class FieldProblem(BaseModel):
    """One value that cannot be used."""

    field: str = Field(description="Name of the parameter or property.")
    problem: str = Field(description="What is wrong with it.")
    value: str | None = Field(default=None, description="The value as it was sent, cut after 200 characters.")


class Problem(BaseModel):
    """What went wrong, by RFC 9457, with the value that is to blame and the cure where they are known."""

    type: str = Field(description="Kind of problem, for programs.", examples=["urn:watthour:problem:unknown-site"])
    title: str = Field(description="Kind of problem, for people.", examples=["Unknown site"])
    status: int = Field(description="HTTP status. [number]", examples=[404])
    detail: str = Field(description="What happened.", examples=["region = 'nyy': no region or site has this name"])
    field: str | None = Field(
        default=None, description="Name of the parameter or property to blame.", examples=["region"]
    )
    value: str | None = Field(default=None, description="Its value as it was sent.", examples=["nyy"])
    remedy: str | None = Field(default=None, description="What to do about it.", examples=["Did you mean ny?"])
    errors: list[FieldProblem] | None = Field(default=None, description="Each value to blame, if there are several.")


class Refusal(Exception):
    """The API itself refuses or cannot answer in time."""

    def __init__(
        self,
        status: HTTPStatus,
        kind: str,
        detail: str,
        *,
        remedy: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.problem = Problem(
            type=f"urn:watthour:problem:{kind}",
            title=kind.replace("-", " ").capitalize(),
            status=status,
            detail=detail,
            remedy=remedy,
        )
        self.headers = dict(headers or {})


def answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return a problem as the HTTP answer it is."""
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def problem_of(error: errors.WatthourError) -> Problem:
    """Say one of our errors to a caller.

    >>> problem_of(errors.UnknownSite("nyy", ["ny"])).remedy
    'Did you mean ny?'
    """
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), HTTPStatus.INTERNAL_SERVER_ERROR)
    detail, remedy = error.problem, error.remedy
    for kind, words, cure in _KEPT_INSIDE:
        if isinstance(error, kind):
            detail, remedy = words, cure
            break
    name = re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()
    blamed = error if isinstance(error, errors.InvalidInput) else None
    return Problem(
        type=f"urn:watthour:problem:{name}",
        title=name.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        field=blamed.field if blamed else None,
        value=shown(blamed.value) if blamed else None,
        remedy=remedy,
    )


def install(app: FastAPI) -> None:
    """Let every error that a route raises be answered as a problem."""
    app.add_exception_handler(errors.WatthourError, _on_watthour_error)
    app.add_exception_handler(Refusal, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)


class CatchAll:
    """Answers what nobody expected with a plain 500, and logs the trace."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            structlog.get_logger("watthour.api").error(
                "request failed",
                method=scope["method"],
                path=scope["path"],
                trace="".join(traceback.format_exception(error)),  # without local variables, which may be secret
            )
            if has_begun:
                raise
            await answer(UNEXPECTED)(scope, receive, send)


UNEXPECTED = Problem(
    type="about:blank",
    title="Internal Server Error",
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    detail="An unexpected error occurred. The server's log has the details.",
    remedy="Try again. If it happens again, report it with the lines of the log.",
)


def _on_watthour_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.WatthourError)  # noqa: S101 - registered for nothing else
    problem = problem_of(error)
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        structlog.get_logger("watthour.api").warning(
            "cannot serve", path=request.url.path, kind=problem.type, problem=str(error)
        )
    return answer(problem)


def _on_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)  # noqa: S101 - registered for nothing else
    return answer(error.problem, error.headers)


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    status = HTTPStatus(error.status_code)
    detail, remedy = error.detail, None
    headers = dict(error.headers or {})
    if status is HTTPStatus.NOT_FOUND and detail == status.phrase:
        detail = f"There is nothing at {request.url.path[:LONGEST_VALUE]}."
        remedy = "/docs lists all addresses."
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method[:20]} is not allowed here."
        allowed = headers["Allow"] = _allowed(request) or headers.get("Allow", "")
        remedy = f"Use {allowed}." if allowed else None
    elif isinstance(error.__cause__, RecursionError):
        detail, remedy = "The body is nested too deeply to be read.", "/docs says what this route takes, with examples."
    problem = Problem(type="about:blank", title=status.phrase, status=status, detail=detail, remedy=remedy)
    return answer(problem, headers)


def _allowed(request: Request) -> str:
    """Return every method of a path; the router names only those of its first route."""
    paths = request.app.openapi()["paths"].items()
    known = {method.upper() for path, said in paths if compile_path(path)[0].match(request.url.path) for method in said}
    return ", ".join(sorted(known | ({"HEAD"} if "GET" in known else set())))


def _on_invalid_request(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return answer(invalid(error.errors(), remedy="/docs says what this route takes, with examples."))


def invalid(found: Sequence[Any], *, remedy: str) -> Problem:
    """Say what pydantic found wrong with a request; each place begins with where the request was: query, path, body."""
    faults = [_fault(each) for each in found]
    first = faults[0] if faults else FieldProblem(field="request", problem="it cannot be read")
    return Problem(
        type="urn:watthour:problem:invalid-request",
        title="Invalid request",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        detail="; ".join(f"{fault.field}: {fault.problem}" for fault in faults[:10]) or first.problem,
        field=first.field,
        value=first.value,
        remedy=remedy,
        errors=faults if len(faults) > 1 else None,
    )


def _fault(error: Mapping[str, Any]) -> FieldProblem:
    if error["type"] == "json_invalid":
        where = f"from character {error['loc'][-1]} on" if isinstance(error["loc"][-1], int) else "somewhere"
        return FieldProblem(field="body", problem=f"it is not JSON, {where}")
    place = [str(part) for part in error["loc"]]
    field = ".".join(place[1:]) or place[0]  # the first part says query, path or body
    given = error.get("input")
    is_absent = error["type"] in {"missing", "json_invalid"} or isinstance(given, dict | list | bytes)
    problem = str(error["msg"])
    return FieldProblem(
        field=field, problem=problem[:1].lower() + problem[1:], value=None if is_absent else shown(given)
    )


def shown(value: object) -> str | None:
    """Return a value as it was sent, cut; halves of characters, which no answer can hold, as question marks."""
    return None if value is None else str(value)[:LONGEST_VALUE].encode("utf-8", "replace").decode()
