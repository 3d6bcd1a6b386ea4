"""Tables, progress and JSON on the terminal; plain text when piped."""

from __future__ import annotations

import json
import math
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


def utc_now() -> datetime:
    """Return the present; only faces ask the clock."""
    return datetime.now(UTC)


def local_time(instant: datetime | str, zone: str) -> str:
    """Write an instant for a person: by the clock of a site, whose name stands beside the table or in the sentence.

    >>> local_time("2026-11-20T23:30:00Z", "Europe/Paris")
    '2026-11-21 00:30'
    """
    from zoneinfo import ZoneInfo

    moment = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def show_json(content: object) -> None:
    """Print something as JSON, in which a number that is none is null."""
    typer.echo(json.dumps(_without_nan(content), indent=2, default=str, ensure_ascii=False, allow_nan=False))


def _without_nan(content: object) -> object:
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows: ruled on a terminal, columns joined by tabs when piped. Numbers are right-aligned."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in (columns, *texts):
            typer.echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Column, Table

    table = Table(*(Column(name, overflow="fold") for name in columns), box=None, header_style="bold")
    for number, column in enumerate(table.columns):
        if rows and all(
            isinstance(row[number], int | float) or _is_number(texts[n][number]) for n, row in enumerate(rows)
        ):
            column.justify = "right"
    for row in texts:
        table.add_row(*row)
    Console().print(table)


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").replace("-", "").replace("%", "").strip().isdigit()


@contextmanager
def steps(title: str) -> Iterator[Callable[[str], None]]:
    """Show which step of long work is running: a spinner on a terminal, a line each in a log."""
    if not sys.stderr.isatty():
        yield lambda step: typer.echo(f"{title}: {step}", err=True)
        return
    from rich.console import Console

    with Console(stderr=True).status(title) as spinner:
        yield lambda step: spinner.update(f"{title}: {step}")


@contextmanager
def bar(title: str, total: float | None) -> Iterator[Callable[[float, str], None]]:
    """Show how far long work is: call with how much more is done, and a word on it."""
    if not sys.stderr.isatty():
        done = 0.0

        def tell(advance: float, words: str) -> None:
            nonlocal done
            done += advance
            share = f"{done / total:4.0%} " if total else ""
            typer.echo(f"{title}: {share}{words}", err=True)

        yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda advance, words: progress.update(task, advance=advance, description=f"{title} {words}".strip())


def number(value: object, digits: int = 1) -> str:
    """Write a number for a person; missing is a dash."""
    return f"{value:,.{digits}f}" if isinstance(value, int | float) and math.isfinite(value) else "-"


def pick(row: Mapping[str, object], *keys: str) -> list[object]:
    """Return some values of a row in order."""
    return [row[key] for key in keys]
