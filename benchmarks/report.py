"""Print a benchmark's table and keep it as JSON, with what one must know to compare it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LOG_WIDTH = 160  # characters
RESULTS = Path(__file__).parent / "results"

Cell = float | int | str | None


def report(name: str, protocol: str, rows: Sequence[Mapping[str, Cell]], *, results: Path | None = RESULTS) -> None:
    """Print the rows and write them to ``results/<name>.json``.

    Args:
        name: of the benchmark.
        protocol: what was measured, on which data, how; enough to do it again.
        rows: each with ``row``, ``test`` and its metrics.
        results: folder of the JSON; None only prints.
    """
    _print(name, protocol, rows)
    if results is None:
        return
    results.mkdir(parents=True, exist_ok=True)
    content = {
        "benchmark": name,
        "protocol": protocol,
        "machine": machine(),
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "rows": [dict(row) for row in rows],
    }
    (results / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine() -> str:
    """Return processor, number of usable cores, system and Python, without any name of a host."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else [])
        if line.startswith("model name")
    ]
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    processor = models[0] if models else platform.machine()
    return f"{processor}, {n_cores} cores, {platform.system()}, Python {platform.python_version()}"


def _commit() -> str:
    """Return the commit that is measured, with ``+`` where files differ from it."""
    here = Path(__file__).parent
    asked = subprocess.run(
        ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],  # noqa: S607 - found on PATH on purpose
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() or "unknown"


def _print(name: str, protocol: str, rows: Sequence[Mapping[str, Cell]]) -> None:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    table = Table(title=name, caption=protocol)
    for column in columns:
        table.add_column(column, justify="left" if column in {"row", "test"} else "right", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    # A table that is piped or kept in a log has no window to fit.
    Console(width=None if sys.stdout.isatty() else _LOG_WIDTH).print(table)


def _cell(value: Cell) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"  # noqa: PLR2004 - four digits are enough to read
        case int():
            return f"{value:,}"
    return value
