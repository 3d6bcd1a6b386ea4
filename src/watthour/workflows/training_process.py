"""Training in a process of its own: whoever asked goes on, serving stays quick, and a signal ends it at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from tempfile import TemporaryFile
from threading import Lock, Thread
from typing import IO, TYPE_CHECKING, Literal

from watthour.core.errors import WatthourError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONGEST_GOODBYE_S = 5.0

TrainingState = Literal["idle", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Training:
    """How far the training of a site is."""

    state: TrainingState = "idle"
    step: str | None = None  # what is being done
    problem: str | None = None  # why it failed
    verdict: str | None = None  # whether the new model serves, and why


class TrainingIsRunning(WatthourError):
    """One training at a time, as each takes all the cores there are."""


class Trainings:
    """The trainings of one process, begun by its rounds or by a caller; one runs at a time.

    Args:
        home: the directory with settings, store and models.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._states: dict[str, Training] = {}
        self._turn = Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False

    def of(self, name: str) -> Training:
        """Return how far the training under a name is."""
        return self._states.get(name, Training())

    def start(self, name: str, *, then: Callable[[], None] = lambda: None) -> None:
        """Begin a training and return at once.

        Args:
            name: under which the command line finds what is forecast.
            then: done after a training that worked; what it raises is no failure of the training.

        Raises:
            TrainingIsRunning: another one is running.
        """
        if not self._turn.acquire(blocking=False):
            running = next((each for each, kept in self._states.items() if kept.state == "running"), name)
            raise TrainingIsRunning(
                f"a training of {running} is running", remedy="Wait until it has ended; its state tells its step."
            )
        self._states[name] = Training("running", "starting")
        Thread(target=self._begun, args=(name, then), name=f"watthour-train {name}", daemon=True).start()

    def run(self, name: str, *, progress: Callable[[str], None]) -> str:
        """Train when no other training runs, and return the verdict.

        Args:
            name: under which the command line finds what is forecast.
            progress: told of each step.

        Raises:
            WatthourError: it failed; says why.
            InterruptedError: it was stopped.
        """
        with self._turn:
            return self._train(name, progress)

    def stop(self) -> None:
        """End a running training, and begin none any more."""
        self._is_stopped = True
        process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(LONGEST_GOODBYE_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _begun(self, name: str, then: Callable[[], None]) -> None:
        try:
            self._train(name, lambda _step: None)
        except (WatthourError, OSError):
            return  # its state tells why
        finally:
            self._turn.release()
        then()

    def _train(self, name: str, progress: Callable[[str], None]) -> str:
        def tell(step: str) -> None:
            self._states[name] = Training("running", step.removeprefix(f"train {name}: "))
            progress(step)

        self._states[name] = Training("running", "starting")
        try:
            verdict = self._verdict_of(name, tell)
        except Exception as error:
            self._states[name] = Training("failed", problem=str(error) or "it was stopped")
            raise
        self._states[name] = Training("done", verdict=verdict)
        return verdict

    def _verdict_of(self, name: str, tell: Callable[[str], None]) -> str:
        if self._is_stopped:
            raise InterruptedError
        command = [sys.executable, "-m", "watthour", "train", name, "--json"]
        environment = {**os.environ, "WATTHOUR_HOME": str(self._home)}
        last = ""
        with TemporaryFile("w+", encoding="utf-8") as answer:
            with subprocess.Popen(  # noqa: S603 - ourselves
                command, env=environment, stdout=answer, stderr=subprocess.PIPE, text=True
            ) as process:
                self._process = process
                for line in process.stderr or ():
                    if line.strip():
                        last = line.strip()
                        tell(last)
            if self._is_stopped:
                raise InterruptedError
            if process.returncode:
                is_said = last.startswith("Error: ")  # one that was killed leaves the step it was at
                words = last.removeprefix("Error: ") if is_said else f"it ended with code {process.returncode}"
                raise WatthourError(f"training {name} failed: {words}", remedy=f"Try again: `watthour train {name}`.")
            return _verdict(answer)


def _verdict(answer: IO[str]) -> str:
    """Read what was decided from what the command printed."""
    answer.seek(0)
    (report,) = json.load(answer)
    return " ".join([f"{report['version']} is {report['decision']}.", *report["reasons"]])
