"""The web app: built files with the right cache headers, and one page for every address of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

if TYPE_CHECKING:
    from fastapi import FastAPI

STATIC = Path(__file__).with_name("static")
# What is no page: a program that mistypes an address must get a 404, not a page.
_NOT_PAGES = frozenset(
    {"api", "health", "ready", "metrics", "predict", "reload-model", "model-info", "openapi.json", "assets"}
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
<p>The API answers: see <a href="/api/v1/status">/api/v1/status</a> and <a href="/openapi.json">/openapi.json</a>.</p>
<p>To build the pages, run <code>make web</code> in the source tree (it needs Node.js), then load this page again.</p>
</body></html>
"""


def serve_pages(app: FastAPI, root: Path = STATIC) -> None:
    """Serve the built web app at ``/``; call it last, it answers whatever is left."""
    root = root.resolve()

    def page(path: str) -> Response:
        file = (root / path).resolve()
        if path and file.is_file() and file.is_relative_to(root):
            is_hashed = file.parent == root / "assets"
            return FileResponse(file, headers={"Cache-Control": _FOREVER if is_hashed else "no-cache"})
        if path.partition("/")[0] in _NOT_PAGES or "." in path.rpartition("/")[2]:
            raise HTTPException(404)
        index = root / "index.html"
        if index.is_file():
            return FileResponse(index, headers={"Cache-Control": "no-cache"})
        return HTMLResponse(_NOT_BUILT, status_code=503, headers={"Cache-Control": "no-store"})

    app.add_api_route("/{path:path}", page, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
