"""How long a person waits before a command begins: the whole process, from its start to its end."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from report import report

from watthour.core.model import Manifest
from watthour.registry.files import FileRegistry

PROTOCOL = (
    "The whole process, after one run that warms the disk cache: median and worst wall time, and median processor time "
    "(which other work on the machine disturbs less); `models list` with twenty saved models, piped. Aim: below 0.5 s."
)
COMMANDS = (("--help",), ("--version",), ("models", "list"), ("train", "--help"), ("up", "--help"))


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=15)
    parser.add_argument("--no-write", action="store_true", help="only print")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        _save_models(Path(home) / "models")
        rows: list[dict[str, float | int | str | None]] = [
            {"row": " ".join(("watthour", *words)), "test": "process", **_measure(words, home, said.repetitions)}
            for words in COMMANDS
        ]
    if said.no_write:
        report("startup", PROTOCOL, rows, results=None)
    else:
        report("startup", PROTOCOL, rows)


def _measure(words: tuple[str, ...], home: str, repetitions: int) -> dict[str, float]:
    command = [str(Path(sys.executable).with_name("watthour")), *words]
    environment = {**os.environ, "WATTHOUR_HOME": home}
    seconds: list[float] = []
    processor_seconds: list[float] = []
    for _ in range(repetitions + 1):
        begun, used = time.perf_counter(), _used_by_children()
        subprocess.run(command, env=environment, capture_output=True, check=True)
        seconds.append(time.perf_counter() - begun)
        processor_seconds.append(_used_by_children() - used)
    return {
        "median_s": round(statistics.median(seconds[1:]), 3),
        "worst_s": round(max(seconds[1:]), 3),
        "processor_s": round(statistics.median(processor_seconds[1:]), 3),
    }


def _used_by_children() -> float:
    """Return the processor time of all ended child processes, in seconds."""
    used = os.times()
    return used.children_user + used.children_system


def _save_models(root: Path) -> None:
    registry = FileRegistry(root)
    now = datetime(2024, 7, 1, tzinfo=UTC)
    for n in range(20):
        manifest = Manifest("grid.ny.demand", f"v{n:03}", "seasonal_naive", {}, (), {}, "0", {"mae_mwh": 300.0}, now)
        registry.save(manifest, {"model.txt": b"1"})
    registry.promote("grid.ny.demand", "v019", now=now, reason="benchmark")


if __name__ == "__main__":
    main()
