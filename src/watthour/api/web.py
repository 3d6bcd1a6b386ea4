"""The web app: built files with the right cache headers, and its one page for every address."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Match, Route

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import Scope

STATIC = Path(__file__).with_name("static")
# What is no page: a program that mistypes an address or a method must be told so, not be shown a page.
_NOT_PAGES = frozenset(
    {"api", "docs", "health", "ready", "metrics", "predict", "reload-model", "model-info", "openapi.json"}
)
# The addresses that the web app's router knows; any other is shown the app's own "no such page", with status 404.
PAGES = (
    "/",
    "/home",
    "/home/$home",
    "/plan",
    "/plan/$home",
    "/savings",
    "/savings/$home",
    "/devices",
    "/devices/$home",
    "/devices/$home/$device",
    "/sources",
    "/start",
    "/grid",
    "/grid/$region",
    "/carbon",
    "/carbon/$region",
    "/sites",
)
_FOREVER = "public, max-age=31536000, immutable"  # names under assets/ change with their content
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Watthour</title>
<style>
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 38rem; margin: 12vh auto; padding: 0 1.2rem;
  color-scheme: light dark; }
code { font-size: .95em; }
</style></head>
<body><h1>Watthour is running, its pages are not built</h1>
<p>The API answers: see <a href="/docs">/docs</a> and <a href="/api/v1/status">/api/v1/status</a>.</p>
<p>To build the pages, run <code>make web</code> in the source tree (it needs Node.js), then load this page again.</p>
</body></html>
"""


class _Pages(Route):
    """Every address that is not the API's."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave the API's addresses to its own routes."""
        first = str(scope.get("path", "")).lstrip("/").partition("/")[0]
        return (Match.NONE, {}) if first in _NOT_PAGES else super().matches(scope)


def _is_page(path: str) -> bool:
    """Tell whether the web app has a page at an address.

    >>> _is_page(""), _is_page("grid/ny"), _is_page("grids"), _is_page("grid/ny/days")
    (True, True, False, False)
    """
    parts = path.strip("/").split("/")
    for page in PAGES:
        wanted = page.strip("/").split("/")
        if len(parts) == len(wanted) and all(
            part == want or (want.startswith("$") and part) for part, want in zip(parts, wanted, strict=True)
        ):
            return True
    return False


def _wants_json(request: Request) -> bool:
    """Tell whether a program asks, which names JSON and no page; a browser names a page."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def serve_pages(app: FastAPI, root: Path = STATIC) -> None:
    """Serve the built web app at ``/``; call it last, it answers whatever is left."""
    root = root.resolve()

    def page(request: Request) -> Response:
        path = request.path_params["path"]
        if not path and _wants_json(request):
            return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-cache", "Vary": "Accept"})
        if not path.isprintable():
            raise HTTPException(HTTPStatus.NOT_FOUND)
        file = (root / path).resolve()
        if path and file.is_file() and file.is_relative_to(root):
            is_hashed = file.parent == root / "assets"
            return FileResponse(file, headers={"Cache-Control": _FOREVER if is_hashed else "no-cache"})
        is_page = _is_page(path)  # also `/grid/home.main.power`, which looks like a file
        if not is_page and ("." in path.rpartition("/")[2] or path.startswith("assets/")):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        index = root / "index.html"
        if index.is_file():
            status = HTTPStatus.OK if is_page else HTTPStatus.NOT_FOUND
            return FileResponse(index, status_code=status, headers={"Cache-Control": "no-cache"})
        return HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})

    app.router.routes.append(_Pages("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False))
