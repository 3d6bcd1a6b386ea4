"""Where homes are told of, as the settings name it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.sources.mqtt import MqttOptions, open_board

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from watthour.core.ports import Board
    from watthour.sources.options import Options

_BLOCK = "mqtt"


def is_wanted(options: Mapping[str, Options]) -> bool:
    """Tell whether the settings say that homes are told of.

    Args:
        options: by block of the settings.
    """
    said = options.get(_BLOCK)
    return isinstance(said, MqttOptions) and said.enabled and said.announce and said.host is not None


class Boards:
    """The board that is set now: one whose options stay the same stays the same, until nothing is left for it to do.

    Args:
        options: tells them, by block of the settings.
        client_id: the name under which a broker knows this installation.
        home: the directory that remembers what was told.
    """

    def __init__(self, options: Callable[[], Mapping[str, Options]], *, client_id: str, home: Path) -> None:
        self._options, self._client_id, self._home = options, client_id, home
        self._seen: Options | None = None
        self._board: Board | None = None

    def now(self) -> Board | None:
        """Return it, not connected yet; None where none is set.

        Raises:
            MissingExtra: a library that it needs is not installed.
            InvalidInput: the file of sources that were added, or that of announcements, is damaged.
        """
        options = self._options().get(_BLOCK)
        if options != self._seen or (self._board is not None and self._board.is_over):
            self._board = None
            if isinstance(options, MqttOptions):
                self._board = open_board(options, client_id=self._client_id, home=self._home)
            self._seen = options
        return self._board
