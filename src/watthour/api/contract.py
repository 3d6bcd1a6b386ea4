"""The OpenAPI document: problems declared once, stable names for generated clients."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from watthour.api.problems import MEDIA_TYPE, Problem

_REFERENCE = "#/components/schemas/{model}"
_MEANINGS = {
    400: (
        "The request cannot be answered as it is.",
        "invalid-input",
        "day = '1950-01-01': nothing is known that early",
    ),
    401: ("The key is missing or wrong.", "key-needed", "This server requires its API key."),
    403: (
        "The request came from a page of another site.",
        "foreign-origin",
        "A page of another site may not change anything here.",
    ),
    404: ("Not found.", "unknown-site", "region = 'nyy': no region or site has this name"),
    409: ("Too little is known to answer.", "not-enough-history", "the store holds no demand of New York"),
    413: ("The body is too large.", "too-large", "The body is larger than 1,000,000 bytes."),
    422: ("The request does not fit its description.", "invalid-request", "days: input should be less than 367"),
    502: (
        "A data source gave an answer that cannot be used.",
        "payload-changed",
        "eia: the answer has an unexpected format",
    ),
    503: ("Not available yet, or not at the moment.", "model-not-found", "no model serves grid.ny.demand yet"),
    504: ("It took too long.", "timeout", "The computation took longer than 30 s."),
    507: (
        "The disk is full.",
        "store-full",
        "The disk is full, so this was not stored. Everything stored before is safe.",
    ),
}
_ALWAYS = (400, 401, 422, 503, 504)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the problems a route can answer with, beside those every route can."""
    return {status: _declared(status) for status in sorted({*_ALWAYS, *statuses})}


def operation_id(route: APIRoute) -> str:
    """Name an operation by its function, so that a generated client has plain names."""
    return route.name


def describe(app: FastAPI) -> None:
    """Let an application describe itself with our problems instead of FastAPI's."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, summary=app.summary, routes=app.routes, tags=app.openapi_tags
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            problem = Problem.model_json_schema(ref_template=_REFERENCE)
            schemas.update(problem.pop("$defs", {}))
            schemas["Problem"] = problem
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way


def _declared(status: int) -> dict[str, Any]:
    words, kind, detail = _MEANINGS[status]
    example = {
        "type": f"urn:watthour:problem:{kind}",
        "title": kind.replace("-", " ").capitalize(),
        "status": HTTPStatus(status),
        "detail": detail,
    }
    schema = {"$ref": _REFERENCE.format(model="Problem")}
    return {"description": words, "content": {MEDIA_TYPE: {"schema": schema, "example": example}}}
