"""The lines to things that tell by themselves, as the settings name them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from watthour.sources.catalogue import LINES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    found = [
        _open(name, options[name], client_id=client_id, is_passing=is_passing) for name in LINES if name in options
    ]
    return [line for line in found if line is not None]


class Lines:
    """The lines that are set now: one whose options stay the same stays the same.

    Args:
        options: tells them, by block of the settings.
        client_id: the name under which a broker knows this installation.
    """

    def __init__(self, options: Callable[[], Mapping[str, Options]], *, client_id: str) -> None:
        self._options = options
        self._client_id = client_id
        self._open: dict[str, tuple[Options, Subscription | None]] = {}

    def now(self) -> list[Subscription]:
        """Return them; nothing is connected yet.

        Raises:
            MissingExtra: a library that one of them needs is not installed.
            InvalidInput: the file of sources that were added is damaged.
        """
        wanted = {name: options for name, options in self._options().items() if name in LINES}
        kept = {name: each for name, each in self._open.items() if name in wanted and each[0] == wanted[name]}
        new = {
            name: (wanted[name], _open(name, wanted[name], client_id=self._client_id))
            for name in LINES
            if name in wanted and name not in kept
        }
        self._open = {**kept, **new}
        return [line for _options, line in self._open.values() if line is not None]


def _open(name: str, options: Options, *, client_id: str, is_passing: bool = False) -> Subscription | None:
    card = LINES[name]
    open_line = getattr(import_module(card.module), card.target.partition(":")[2])
    line: Subscription | None = open_line(options, client_id=client_id, is_passing=is_passing)
    return line
