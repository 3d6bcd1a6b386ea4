"""That readings have come, told to those who work on them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from watthour.core.errors import InvalidInput
from watthour.core.window import Window


@dataclass(frozen=True, slots=True)
class Notice:
    """That values of a channel came whose times lie in a window; the values themselves are in the store."""

    channel: str
    window: Window

    def encoded(self) -> str:
        """Return it as text."""
        edges = (edge.astimezone(UTC).isoformat() for edge in (self.window.start, self.window.end))
        return json.dumps({"channel": self.channel, **dict(zip(("start", "end"), edges, strict=True))})

    @classmethod
    def decoded(cls, text: str | bytes) -> Notice:
        """Read what ``encoded`` wrote.

        Raises:
            InvalidInput: it is something else.
        """
        try:
            said = json.loads(text)
            edges = (datetime.fromisoformat(said[edge]) for edge in ("start", "end"))
            return cls(str(said["channel"]), Window(*edges))
        except (ValueError, TypeError, KeyError) as error:
            shown = text if isinstance(text, str) else text.decode(errors="replace")
            remedy = "Let nobody else write to the stream: give Watthour a database of its own in REDIS_URL."
            raise InvalidInput("notice", shown[:100], "it is no notice of readings", remedy=remedy) from error


@dataclass(frozen=True, slots=True)
class Handed:
    """A notice that a worker has been handed and has to report done."""

    key: str
    notice: Notice
    times: int  # it has been handed out, this time included
