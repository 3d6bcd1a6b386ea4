"""Any files over real HTTP; a name that is not there is answered 404 with a page."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fakes.server import Answer, FakeServer, Request, html, serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextmanager
def fake_files(files: Mapping[str, bytes]) -> Iterator[FakeServer]:
    """Serve files by name, as EIA and NYISO do."""

    def answer(request: Request) -> Answer:
        content = files.get(request.path.removeprefix("/"))
        return html(404) if content is None else Answer(200, content)

    with serve(answer) as server:
        yield server
