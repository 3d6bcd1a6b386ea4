"""Training in a process of its own: whoever asked goes on, serving stays quick, and a signal ends it at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from threading import Condition, Thread
from typing import IO, TYPE_CHECKING, Literal

from watthour.core.errors import WatthourError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LONGEST_GOODBYE_S = 5.0
ALL_HOMES = "--homes"  # in the place of a name: all homes together

TrainingState = Literal["idle", "running", "done", "failed"]


@dataclass(frozen=True, slots=True)
class Training:
    """How far the training of a site is."""

    state: TrainingState = "idle"
    step: str | None = None  # what is being done; after the verdict, of the forecasts of past days
    problem: str | None = None  # why it failed
    verdict: str | None = None  # whether the new model serves, and why


class TrainingIsRunning(WatthourError):
    """One training at a time, as each takes all the cores there are."""


class Trainings:
    """The trainings of one process, begun by its rounds or by a caller; one runs at a time.

    After each, the forecasts of past days are made in the background, by another process. That takes much longer, so it
    holds up neither the verdict nor another training: it is ended when one begins, and goes on where it was afterwards.

    Args:
        home: the directory with settings, store and models.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._states: dict[str, Training] = {}
        self._change = Condition()  # guards what follows
        self._running: str | None = None  # what is being trained
        self._process: subprocess.Popen[str] | None = None  # that trains
        self._past_process: subprocess.Popen[str] | None = None  # that forecasts past days
        self._is_past_put_off = False  # it was ended for a training
        self._pasts: list[str] = []  # whose past days are to be forecast, the first one being at work
        self._is_stopped = False

    def of(self, name: str) -> Training:
        """Return how far the training under a name is."""
        return self._states.get(name, Training())

    def start(self, name: str, *, then: Callable[[], None] = lambda: None) -> None:
        """Begin a training and return at once.

        Args:
            name: under which the command line finds what is forecast; ``ALL_HOMES`` trains the homes together.
            then: done after a training that worked; what it raises is no failure of the training.

        Raises:
            TrainingIsRunning: another one is running.
        """
        with self._change:
            if self._running is not None:
                what = "all homes" if self._running == ALL_HOMES else self._running
                raise TrainingIsRunning(
                    f"a training of {what} is running",
                    remedy="Wait until it has ended; its state tells its step.",
                )
            self._begin(name)
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
        with self._change:
            self._change.wait_for(lambda: self._running is None)
            self._begin(name)
        try:
            verdict = self._train(name, progress)
        finally:
            is_awaited = self._end(name)
        if not is_awaited:
            self._keep_past_soon(name)
        return verdict

    def stop(self) -> None:
        """End what runs, and begin nothing any more."""
        with self._change:
            self._is_stopped = True
            running = [each for each in (self._process, self._past_process) if each is not None]
            self._change.notify_all()
        end(running)

    def _begin(self, name: str) -> None:
        """Take the turn, which nobody has; the caller holds the lock."""
        self._running, self._states[name] = name, Training("running", "starting")
        if self._past_process is not None:
            self._past_process.terminate()
            self._is_past_put_off = True

    def _end(self, name: str) -> bool:
        """Give the turn back, and tell whether the past days of what was trained are waited for already."""
        with self._change:
            self._running = None
            self._change.notify_all()
            return name in self._pasts

    def _begun(self, name: str, then: Callable[[], None]) -> None:
        try:
            self._train(name, lambda _step: None)
        except (WatthourError, OSError):
            return  # its state tells why
        finally:
            is_awaited = self._end(name)
        try:
            then()
        finally:
            if not is_awaited:
                self._keep_past_soon(name)

    def _train(self, name: str, progress: Callable[[str], None]) -> str:
        def tell(step: str) -> None:
            self._states[name] = Training("running", step.removeprefix(f"train {name}: "))
            progress(step)

        try:
            verdict = self._verdict_of(name, tell)
        except Exception as error:
            self._states[name] = Training("failed", problem=str(error) or "it was stopped")
            raise
        self._states[name] = Training("done", verdict=verdict)
        return verdict

    def _verdict_of(self, name: str, tell: Callable[[str], None]) -> str:
        last = ""

        def heard(line: str) -> None:
            nonlocal last
            last = line
            tell(line)

        with TemporaryFile("w+", encoding="utf-8") as answer:
            with self._change:
                process = self._process = self._opened(name, "--past-days", "0", "--json", answer=answer)
            code = ended(process, heard)
            if self._is_stopped:
                raise InterruptedError
            if code:
                is_said = last.startswith("Error: ")  # one that was killed leaves the step it was at
                words = last.removeprefix("Error: ") if is_said else f"it ended with code {code}"
                raise WatthourError(f"training {name} failed: {words}", remedy=f"Try again: `watthour train {name}`.")
            return _verdict(answer)

    def _opened(self, name: str, *options: str, answer: IO[str] | None = None) -> subprocess.Popen[str]:
        """Start `watthour train` in a process of its own; the caller holds the lock.

        Raises:
            InterruptedError: all was stopped.
        """
        if self._is_stopped:
            raise InterruptedError
        command = [sys.executable, "-m", "watthour", "train", name, *options]
        environment = {**os.environ, "WATTHOUR_HOME": str(self._home)}
        out = subprocess.DEVNULL if answer is None else answer
        return subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.PIPE, text=True)  # noqa: S603 - ourselves

    def _keep_past_soon(self, name: str) -> None:
        """Let the past days of what was trained be forecast in the background; homes have their frozen days."""
        with self._change:
            if self._is_stopped or name in (*self._pasts, ALL_HOMES):
                return
            self._pasts.append(name)
            if len(self._pasts) == 1:  # else somebody is at work
                Thread(target=self._keep_pasts, name="watthour-past", daemon=True).start()

    def _keep_pasts(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._running is None or self._is_stopped)
                if self._is_stopped or not self._pasts:
                    return
                name, self._is_past_put_off = self._pasts[0], False
                try:
                    process = self._past_process = self._opened(name, "--only-past")
                except OSError as error:
                    self._pasts.pop(0)
                    _say_past_failed(name, str(error))
                    continue
            last = ""

            def heard(line: str, name: str = name) -> None:
                nonlocal last
                last = line
                state = self.of(name)
                if state.state == "done":
                    self._states[name] = replace(state, step=line.removeprefix(f"the past of {name}: "))

            code = ended(process, heard)
            with self._change:
                self._past_process = None
                state = self.of(name)
                if state.state == "done":
                    self._states[name] = replace(state, step=None)
                if self._is_past_put_off:
                    continue
                self._pasts.pop(0)
                if code and not self._is_stopped:
                    _say_past_failed(name, last)


def end(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Ask processes to end, and end those that do not."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(LONGEST_GOODBYE_S)
        except subprocess.TimeoutExpired:
            process.kill()


def ended(process: subprocess.Popen[str], heard: Callable[[str], None]) -> int:
    """Hear each line that a process says until it has ended, and return its code."""
    with process:
        for line in process.stderr or ():
            if line.strip():
                heard(line.strip())
    return process.returncode


def _say_past_failed(name: str, problem: str) -> None:
    import structlog

    log = structlog.get_logger("watthour.rounds")
    log.warning("past_not_forecast", region=name, problem=problem, remedy="The next training tries again.")


def _verdict(answer: IO[str]) -> str:
    """Read what was decided from what the command printed."""
    answer.seek(0)
    words: list[str] = []
    for report in json.load(answer):
        words += [f"{report['version']} is {report['decision']}.", *report["reasons"]]
        if own := report.get("own"):
            promoted = sum(each["decision"] == "promoted" for each in own.values())
            words.append(f"{promoted} of {len(own)} homes were given a new model of their own.")
    return " ".join(words)
