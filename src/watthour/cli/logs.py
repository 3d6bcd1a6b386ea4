"""Structured logs of the long-running command."""

from __future__ import annotations

import logging
import sys
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.settings import Settings

_MOST_KINDS = 1_000
ALIKE_EVERY_S = 60.0  # a line of another library that anybody may cause, such as by a WebSocket that is refused


class Seldom(logging.Filter):
    """Lets one line of each kind through in a while; the next one says how many were left out.

    Lines of one kind have the same logger, level and wording. Our own lines are told once by whoever writes them.

    Args:
        every_s: how long a while is. [s]
        clock: tells seconds that only go on.
    """

    def __init__(self, every_s: float = ALIKE_EVERY_S, *, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[tuple[str, int, str], tuple[float, int]] = {}  # when it was let through, left out since

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written."""
        if not isinstance(record.msg, str):  # ours: a dictionary
            return True
        kind, now = (record.name, record.levelno, record.msg), self._clock()
        with self._lock:
            if len(self._seen) >= _MOST_KINDS and kind not in self._seen:
                self._seen.clear()
            at, n_left_out = self._seen.get(kind, (now - self._every_s, 0))
            if now - at < self._every_s:
                self._seen[kind] = (at, n_left_out + 1)
                return False
            self._seen[kind] = (now, 0)
        if n_left_out:
            record.msg = f"{record.getMessage()} ({n_left_out:,} more like it were left out)"
            record.args = ()
        return True


def log_to_stderr() -> None:
    """Keep the standard output free for the answer of a command: every log line goes to the standard error."""
    # The file is looked up at each line: a test, or a shell that is redirected, may have changed it since.
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def configure_logging(settings: Settings) -> Any:  # noqa: ANN401 - structlog's loggers have no common type
    """Set up structured logs once: JSON for machines, coloured text on a terminal; other libraries' logs join in."""
    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    handler.addFilter(Seldom())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("httpx2", "httpcore", "alembic", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return structlog.get_logger("watthour")
