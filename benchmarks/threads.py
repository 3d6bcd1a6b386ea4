"""One thread for the arithmetic of arrays, so that seconds of the processor can be compared."""

from __future__ import annotations

import os
import sys


def on_one_thread() -> None:
    """Start anew with one thread for numpy, unless it is so already; it looks only when it is loaded."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    if not one.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **one})  # noqa: S606 - ourselves
