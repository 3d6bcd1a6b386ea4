"""The page `/docs`: the API's own description, drawn from `/openapi.json` by files that are all served from here."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

FILES = Path(__file__).with_name("reference_page")
_HEADERS = {"Cache-Control": "no-cache"}


def serve_docs(app: FastAPI) -> None:
    """Serve the page and its files; nothing of it comes from elsewhere, so it works offline and under our policy."""

    def page(_request: Request) -> Response:
        return FileResponse(FILES / "index.html", headers=_HEADERS)

    def part(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in {file.name for file in FILES.iterdir()}:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return FileResponse(FILES / name, headers=_HEADERS)

    app.router.routes.append(Route("/docs", page, methods=["GET"], include_in_schema=False))
    app.router.routes.append(Route("/docs/{name}", part, methods=["GET"], include_in_schema=False))
