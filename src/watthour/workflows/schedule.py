"""When a round is due: by the clock and by its last run, so that a restart neither forgets a round nor doubles it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from watthour.core.window import DAY, HOUR, local_instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, time, timedelta


class Rule(Protocol):
    """When a round comes again."""

    def after(self, last: datetime) -> datetime:
        """Return the first instant after ``last`` at which the round is due."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """So long after the last time."""

    pause: timedelta

    def after(self, last: datetime) -> datetime:
        """Return the first instant after ``last`` at which the round is due."""
        return last + self.pause


@dataclass(frozen=True, slots=True)
class Hourly:
    """At a minute of every so many hours of the day, UTC."""

    hours: int
    minute: int

    def after(self, last: datetime) -> datetime:
        """Return the first instant after ``last`` at which the round is due."""
        due = last.replace(minute=self.minute, second=0, microsecond=0)
        while due <= last or due.hour % self.hours:
            due += HOUR
        return due


@dataclass(frozen=True, slots=True)
class Daily:
    """At a clock time of every local day."""

    clock: time
    time_zone: str

    def after(self, last: datetime) -> datetime:
        """Return the first instant after ``last`` at which the round is due."""
        day = last.astimezone(ZoneInfo(self.time_zone)).date()
        due = local_instant(day, self.clock, self.time_zone)
        return due if due > last else local_instant(day + DAY, self.clock, self.time_zone)


@dataclass(slots=True)
class Round:
    """Something that is done again and again, and when it was done last."""

    name: str
    rule: Rule
    work: Callable[[], None]
    last: datetime | None = None  # None: never, so it is due at once
    is_long: bool = False  # of a site, one long one runs at a time
    site: str | None = None  # None: of several
    is_running: bool = False

    def is_due(self, now: datetime) -> bool:
        """Tell whether to begin now. Rounds missed in between are made up by one.

        A clock that was set back does not stop the round: a last time that has not come yet counts as now.
        """
        if self.is_running:
            return False
        if self.last is None:
            return True
        self.last = min(self.last, now)
        return self.rule.after(self.last) <= now
