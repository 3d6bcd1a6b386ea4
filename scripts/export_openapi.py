"""Write the API's description to ``web/openapi.json``, from which the web app's client is made."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from watthour.api.app import create_app
from watthour.bootstrap import App
from watthour.registry.files import FileRegistry
from watthour.settings import Settings
from watthour.store.memory import MemoryStore

TARGET = Path(__file__).parents[1] / "web" / "openapi.json"


def document() -> str:
    """Return the description as text that is the same on every machine."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_construct(home=Path(folder))  # nobody's settings file and environment
        app = App(settings, MemoryStore(), FileRegistry(settings.home / "models"))
        return json.dumps(create_app(app).openapi(), indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """Write it; with ``--check`` only say whether it is current."""
    text = document()
    if "--check" in sys.argv[1:]:
        is_current = TARGET.is_file() and TARGET.read_text(encoding="utf-8") == text
        print(f"{TARGET.name} is {'current' if is_current else 'stale: run scripts/export_openapi.py'}")
        return 0 if is_current else 1
    TARGET.write_text(text, encoding="utf-8")
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
