"""The network that comes with Watthour; scripts/make_nilm_network.py makes it."""

from __future__ import annotations

from pathlib import Path

from watthour.nilm.artifact import DESCRIPTION_FILE, GRAPH_FILE

FOLDER = Path(__file__).parent


def shipped_files() -> dict[str, bytes]:
    """Return its files, as ``ServedNetwork.from_files`` reads them."""
    return {name: (FOLDER / name).read_bytes() for name in (DESCRIPTION_FILE, GRAPH_FILE)}
