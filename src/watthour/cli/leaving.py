"""How a process is left while rounds or requests still run."""

from __future__ import annotations

import os
import sys
import threading
from time import monotonic

POOL_NAME = "watthour-round"
LONGEST_FAREWELL_S = 1.0  # for threads that have nothing left to do


def leave_now() -> None:
    """End the process without waiting for its threads."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def others_that_run() -> list[threading.Thread]:
    """Return the threads for which Python would wait at its end, such as those of the API, after a moment."""
    others = [each for each in threading.enumerate() if each is not threading.current_thread() and not each.daemon]
    give_up_at = monotonic() + LONGEST_FAREWELL_S
    for thread in others:
        thread.join(max(0.0, give_up_at - monotonic()))
    return [each for each in others if each.is_alive()]


def own_threads() -> list[threading.Thread]:
    """Return the threads in which rounds run and sources are asked."""
    from watthour.workflows.asking import WORKER_NAME

    return [thread for thread in threading.enumerate() if thread.name.startswith((POOL_NAME, WORKER_NAME))]
