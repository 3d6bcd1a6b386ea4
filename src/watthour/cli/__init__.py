"""The command line: every button of the pages exists here. Heavy imports wait inside the commands."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # read once by OpenMP, before LightGBM is loaded


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; what a person can mend is said in one paragraph, with an exit code of its own."""
    from watthour.cli.app import app
    from watthour.cli.exits import Exit, exit_code
    from watthour.core.errors import WatthourError

    words = list(sys.argv[1:] if arguments is None else arguments)
    is_debugging = "--debug" in words
    try:
        app([word for word in words if word != "--debug"], prog_name="watthour")
    except WatthourError as error:
        if is_debugging:
            raise
        _say(str(error))
        sys.exit(exit_code(error))
    except OSError as error:
        if is_debugging:
            raise
        where = f" ({error.filename})" if error.filename else ""
        cure = (
            "Free some space and run the command again. Everything stored before is safe."
            if error.errno == errno.ENOSPC
            else "Check the path and its permissions; --debug shows where it happened."
        )
        _say(f"{error.strerror or error}{where}. {cure}")
        sys.exit(Exit.SYSTEM)
    except Exception as error:
        if is_debugging:
            raise
        cure = "This is a bug in Watthour: run it again with --debug and report what it shows."
        _say(f"{type(error).__name__}: {error}. {cure}")
        sys.exit(Exit.FAULT)


def _say(words: str) -> None:
    sys.stderr.write(f"Error: {words}\n")
