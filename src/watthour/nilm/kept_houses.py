"""The files of prepared houses: their names, their hashes and the JSON beside them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MANIFEST = "manifest.json"
HOUSE_MANIFEST = "house.json"
HOUSE_FILES = ("values.npy", "states.npy", "segments.npy")
_AT_ONCE = 1 << 20  # bytes


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file of any size, in hex."""
    made = sha256()
    with path.open("rb") as file:
        while part := file.read(_AT_ONCE):
            made.update(part)
    return made.hexdigest()


def content_hash(content: Mapping[str, object]) -> str:
    """Return the SHA-256 of what JSON says, but for its own ``hash``."""
    said = {key: value for key, value in content.items() if key != "hash"}
    return sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InvalidInput: it is none.
    """
    try:
        content = json.loads(path.read_bytes())
    except ValueError as error:
        problem = f"it is not valid JSON ({error})"
        raise InvalidInput("file", str(path), problem, remedy=remedy_for(path.parent)) from error
    if not isinstance(content, dict):
        raise InvalidInput("file", str(path), "it holds no JSON object", remedy=remedy_for(path.parent))
    return content


def remedy_for(folder: Path) -> str:
    """Say how a folder becomes whole."""
    return f"Remove {folder} and prepare it again with `watthour nilm prepare`."
