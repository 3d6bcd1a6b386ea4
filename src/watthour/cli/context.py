"""What nearly every command begins with: the settings, the opened app, the region meant."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from watthour.cli.exits import Exit
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

    from watthour.bootstrap import App
    from watthour.core.channel import Site
    from watthour.core.forecast import Context
    from watthour.core.window import Window
    from watthour.settings import Settings


def read_settings() -> Settings:
    """Read the settings in force."""
    from watthour.settings import load_settings

    return load_settings()


@contextmanager
def opened() -> Iterator[App]:
    """Open store and registry, and close them at the end."""
    from watthour.bootstrap import open_app
    from watthour.cli.logs import log_to_stderr

    log_to_stderr()
    with open_app(read_settings()) as app:
        yield app


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a command that asks sources: the store is closed, and what was fetched before is kept."""

    def end(_number: int, _frame: FrameType | None) -> None:
        sys.stderr.write("Ended by SIGTERM. What was fetched is kept; the same command again fetches the rest.\n")
        raise SystemExit(Exit.TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def chosen_contexts(app: App, names: Sequence[str]) -> list[Context]:
    """Return what is forecast of the sites named, or of those that have readings, or of those the settings name."""
    from watthour.workflows.sites import contexts, find_context

    if names:
        return [find_context(app.store, app.directories, name) for name in names]
    return contexts(app.store, app.directories, app.settings.regions)


def chosen_context(app: App, name: str | None) -> Context:
    """Return what is forecast of one site: the named, or the first that has readings.

    Raises:
        InvalidInput: none is named, and no region is set.
    """
    found = chosen_contexts(app, [name] if name else [])
    if not found:
        raise InvalidInput("region", name, "no region is set", remedy="Name one, or run `watthour init`.")
    return found[0]


def parse_day(field: str, text: str) -> date:
    """Read a calendar day.

    >>> parse_day("--day", "2024-07-01")
    datetime.date(2024, 7, 1)

    Raises:
        InvalidInput: the text is no day, or one that no data can speak of.
    """
    from watthour.core.window import within_data

    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(field, text, "this is not a date", remedy="Write it as 2024-07-31.") from error
    return within_data(field, day)


def local_days(site: Site, start: str | None, end: str | None, *, default: date) -> Window:
    """Return the span of the local days from --from to --to, both included; one day where only one is named.

    Args:
        site: whose days they are.
        start: what --from says, if anything.
        end: what --to says, if anything.
        default: the last day where --to says nothing.

    Raises:
        InvalidInput: a text is no day, or the first day is after the last.
    """
    from watthour.core.window import DAY, Window, local_midnight

    last = parse_day("--to", end) if end else default
    first = parse_day("--from", start) if start else last
    if first > last:
        raise InvalidInput("--from", start, f"it is after --to = {last}", remedy="Swap them.")
    zone = site.place.time_zone
    return Window(local_midnight(first, zone), local_midnight(last + DAY, zone))


def midnight(day: date) -> datetime:
    """Return the start of a day in UTC, for asking sources."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
