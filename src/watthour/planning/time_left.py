"""One time limit over work that asks the solver many times."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """The time until an instant of the monotonic clock."""

    until: float

    @classmethod
    def of(cls, seconds: float) -> TimeLeft:
        """Return the time limit that begins now."""
        return cls(monotonic() + seconds)

    @property
    def seconds(self) -> float:
        """What is left, never less than nothing."""
        return max(self.until - monotonic(), 0.0)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.seconds == 0.0

    def share(self, parts: int) -> TimeLeft:
        """Return the first of so many equal parts of what is left."""
        return TimeLeft.of(self.seconds / parts)
