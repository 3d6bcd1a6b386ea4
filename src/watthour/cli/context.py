"""What nearly every command begins with: the settings, the opened app, the region meant."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watthour.bootstrap import App
    from watthour.core.region import Region
    from watthour.settings import Settings


def read_settings() -> Settings:
    """Read the settings in force."""
    from watthour.settings import load_settings  # noqa: PLC0415 - pydantic is slow to import

    return load_settings()


@contextmanager
def opened() -> Iterator[App]:
    """Open store and registry, and close them at the end."""
    from watthour.bootstrap import open_app  # noqa: PLC0415 - as above

    with open_app(read_settings()) as app:
        yield app


def chosen_regions(app: App, names: Sequence[str]) -> list[Region]:
    """Return the regions named, or those that have demand, or those the settings name."""
    from watthour.core.region import find_region  # noqa: PLC0415 - polars is slow to import
    from watthour.workflows.view import shown_regions  # noqa: PLC0415 - as above

    if names:
        return [find_region(name) for name in names]
    return shown_regions(app.store, app.settings.regions)


def chosen_region(app: App, name: str | None) -> Region:
    """Return one region: the named, or the first that has demand."""
    regions = chosen_regions(app, [name] if name else [])
    if not regions:
        raise InvalidInput("region", name, "no region is set", remedy="Name one, or run `watthour init`.")
    return regions[0]


def parse_day(field: str, text: str) -> date:
    """Read a calendar day.

    >>> parse_day("--day", "2024-07-01")
    datetime.date(2024, 7, 1)
    """
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(field, text, "this is no day", remedy="Write it as 2024-07-31.") from error


def midnight(day: date) -> datetime:
    """Return the start of a day in UTC, for asking sources."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
