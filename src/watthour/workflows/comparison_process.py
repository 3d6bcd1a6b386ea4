"""Comparing models on a channel's past in a process of its own: whoever asked goes on, and serving stays quick."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from tempfile import TemporaryFile
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from watthour.core.errors import WatthourError
from watthour.workflows.training_process import end, ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from watthour.workflows.training_process import TrainingState


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a comparison is, and what it found."""

    state: TrainingState = "idle"
    step: str | None = None  # the model at work
    problem: str | None = None  # why it failed
    found: Mapping[str, Any] | None = None  # what `watthour compare --json` prints


class ComparisonIsRunning(WatthourError):
    """One comparison at a time, as each takes minutes."""


class Comparisons:
    """The comparisons that one process has begun, the last of each name; one runs at a time.

    Args:
        home: the directory with settings, store and models.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._states: dict[str, Comparison] = {}
        self._lock = Lock()  # guards what follows
        self._running: str | None = None
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False

    def of(self, name: str) -> Comparison:
        """Return how far the comparison under a name is."""
        return self._states.get(name, Comparison())

    def start(self, name: str, options: Sequence[str] = ()) -> None:
        """Begin a comparison and return at once.

        Args:
            name: under which the command line finds what is forecast.
            options: of `watthour compare`.

        Raises:
            ComparisonIsRunning: another one is running.
        """
        with self._lock:
            if self._running is not None:
                raise ComparisonIsRunning(
                    f"a comparison of {self._running} is running",
                    remedy="Wait until it has ended; its state tells the model at work.",
                )
            self._running, self._states[name] = name, Comparison("running", "starting")
        Thread(target=self._run, args=(name, options), name=f"watthour-compare {name}", daemon=True).start()

    def stop(self) -> None:
        """End what runs, and begin nothing any more."""
        with self._lock:
            self._is_stopped = True
            process = self._process
        if process is not None:
            end([process])

    def _run(self, name: str, options: Sequence[str]) -> None:
        try:
            outcome = self._outcome(name, options)
        except (OSError, ValueError) as error:  # it could not begin, or what it printed cannot be read
            outcome = Comparison("failed", problem=str(error))
        with self._lock:
            self._running, self._states[name] = None, outcome

    def _outcome(self, name: str, options: Sequence[str]) -> Comparison:
        last = ""

        def heard(line: str) -> None:
            nonlocal last
            last = line
            self._states[name] = Comparison("running", line.rpartition(": ")[2])

        command = [sys.executable, "-m", "watthour", "compare", name, *options, "--json"]
        environment = {**os.environ, "WATTHOUR_HOME": str(self._home)}
        with TemporaryFile("w+", encoding="utf-8") as answer:
            with self._lock:
                if self._is_stopped:
                    return Comparison("failed", problem="it was stopped")
                process = self._process = subprocess.Popen(  # noqa: S603 - ourselves
                    command, env=environment, stdout=answer, stderr=subprocess.PIPE, text=True
                )
            code = ended(process, heard)
            if code:
                is_said = last.startswith("Error: ")  # one that was killed leaves the model it was at
                words = last.removeprefix("Error: ") if is_said else f"it ended with code {code}"
                return Comparison("failed", problem=words)
            answer.seek(0)
            return Comparison("done", found=json.load(answer))
