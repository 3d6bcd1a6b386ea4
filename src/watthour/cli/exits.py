"""Exit codes, one per kind of cure; `docs/reference/cli.md` lists them."""

from __future__ import annotations

from enum import IntEnum

from watthour.core.errors import (
    InvalidInput,
    MissingExtra,
    ModelError,
    NoPlanFound,
    NotConfigured,
    NotEnoughHistory,
    SourceError,
    StoreError,
    WatthourError,
)


class Exit(IntEnum):
    """What the shell gets to know."""

    OK = 0
    FAULT = 1
    INPUT = 2
    NOT_CONFIGURED = 3
    SOURCE = 4
    STORE = 5
    HISTORY = 6
    MODEL = 7
    EXTRA = 8
    UNWELL = 9
    SYSTEM = 10
    TERMINATED = 143  # by SIGTERM, as shells say it


_CODES: tuple[tuple[type[WatthourError], Exit], ...] = (  # the first that fits
    (NotConfigured, Exit.NOT_CONFIGURED),
    (InvalidInput, Exit.INPUT),
    (NoPlanFound, Exit.INPUT),  # what was asked was too much for the time
    (SourceError, Exit.SOURCE),
    (StoreError, Exit.STORE),
    (NotEnoughHistory, Exit.HISTORY),
    (ModelError, Exit.MODEL),
    (MissingExtra, Exit.EXTRA),
)


def exit_code(error: WatthourError) -> Exit:
    """Return the exit code of an error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), Exit.FAULT)
