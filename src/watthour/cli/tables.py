"""Files that say a table: TOML, or JSON where their name says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_FILE = 1_000_000  # bytes


def read_table(file: Path, *, what: str, remedy: str) -> dict[str, Any]:
    """Return what a file says.

    Args:
        file: a TOML file, or a JSON file that ends in .json.
        what: it should be, such as "a tariff".
        remedy: where a whole file is shown.

    Raises:
        InvalidInput: it cannot be read, is too large, or is neither TOML nor JSON.
    """
    import json
    import tomllib

    try:
        if file.stat().st_size > LARGEST_FILE:
            raise InvalidInput("file", str(file), f"it is too large to be {what}", remedy=remedy)
        text = file.read_text(encoding="utf-8-sig")  # editors of Windows put a mark before the first letter
        said = json.loads(text) if file.suffix.casefold() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InvalidInput("file", str(file), f"it cannot be read ({error.strerror})", remedy=remedy) from error
    except (ValueError, RecursionError) as error:
        kind = "JSON" if file.suffix.casefold() == ".json" else "TOML"
        raise InvalidInput("file", str(file), f"it is damaged, or no {kind} ({error})", remedy=remedy) from error
    if not isinstance(said, dict):
        raise InvalidInput("file", str(file), "it holds no table", remedy=remedy)
    return said
