"""The lines to things that tell by themselves, as the settings name them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from watthour.sources.catalogue import LINES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.ports import Subscription
    from watthour.sources.options import Options


def open_lines(options: Mapping[str, Options], *, client_id: str, is_passing: bool = False) -> list[Subscription]:
    """Return the lines that the settings name; nothing is connected yet.

    Args:
        options: by block of the settings.
        client_id: the name under which a broker knows this installation.
        is_passing: for a moment only: no broker shall keep anything for us.

    Raises:
        MissingExtra: a library that one of them needs is not installed.
    """
    found = []
    for name, card in LINES.items():
        if name in options:
            open_line = getattr(import_module(card.module), card.target.partition(":")[2])
            found.append(open_line(options[name], client_id=client_id, is_passing=is_passing))
    return [line for line in found if line is not None]
