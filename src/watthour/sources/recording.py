"""Record a provider's answers as small files for tests: the same requests, secrets struck out, long lists cut."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from watthour.core.ports import Source
    from watthour.core.window import Window
    from watthour.sources.http import HttpClient

MOST_ROWS = 6  # of a list, or of the lines of a text


def record(
    source: Source,
    clients: Sequence[HttpClient],
    window: Window,
    *,
    now: datetime,
    folder: Path,
    most_rows: int = MOST_ROWS,
) -> list[Path]:
    """Fetch a window and keep every answer that came, as ``<provider>_<last words of the path>.<suffix>``.

    Args:
        source: asked as in use, so its queries are the real ones.
        clients: through which it asks; see ``connectors.Connectors.http_clients``.
        window: a few intervals are enough.
        now: the instant of asking.
        folder: where to keep them.
        most_rows: of each list.

    Returns:
        The files written. An answer that is no text, such as an archive, is left out.
    """
    written: list[Path] = []
    for client in clients:
        client.on_answer = _keeper(client, folder, most_rows, written)
    try:
        source.fetch(window, now=now)
    finally:
        for client in clients:
            client.on_answer = None
    return written


def _keeper(client: HttpClient, folder: Path, most_rows: int, written: list[Path]) -> Callable[[str, bytes], None]:
    def keep(path: str, content: bytes) -> None:
        try:
            text = client.without_secrets(content.decode("utf-8"))
        except UnicodeDecodeError:
            return
        kept, suffix = shortened(text, most_rows)
        words = [word for word in path.strip("/").replace(".", "/").split("/") if word not in ("exports", suffix)]
        name = "_".join([client.source, *words[-2:]])
        taken = {file.name for file in written}
        number = next(n for n in range(1, len(taken) + 2) if _name(name, n, suffix) not in taken)
        target = folder / _name(name, number, suffix)
        target.write_text(kept, encoding="utf-8")
        written.append(target)

    return keep


def _name(name: str, number: int, suffix: str) -> str:
    return f"{name}.{suffix}" if number == 1 else f"{name}_{number}.{suffix}"


def shortened(text: str, most_rows: int = MOST_ROWS) -> tuple[str, str]:
    r"""Return an answer with its long lists cut, and the suffix of its kind.

    JSON keeps its shape, and XML stays whole; of any other text the first lines stay.

    >>> shortened('{"total": 9, "rows": [1, 2, 3]}', 2)[1]
    'json'
    >>> shortened("a,b\n1,2\n3,4\n", 2)
    ('a,b\n1,2\n', 'csv')
    >>> shortened("<?xml version='1.0'?><a/>")[1]
    'xml'
    """
    try:
        content = json.loads(text)
    except ValueError:
        if text.lstrip().startswith("<?xml"):
            return text, "xml"
        return "".join(text.splitlines(keepends=True)[:most_rows]), "csv"
    return json.dumps(_cut(content, most_rows), indent=1, ensure_ascii=False) + "\n", "json"


def _cut(content: Any, most_rows: int) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(content, dict):
        return {key: _cut(value, most_rows) for key, value in content.items()}
    if isinstance(content, list):
        return [_cut(value, most_rows) for value in content[:most_rows]]
    return content
