"""A Saturday in Simtown: its instants, a forecast of ours, and a real server around it."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import uvicorn
from builders import maker_of

from watthour.api.compute import Limits
from watthour.core.frames import Forecasts
from watthour.core.window import HOUR
from watthour.simulation.simtown import SIMTOWN

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy
    from starlette.types import ASGIApp

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
URL = "http://127.0.0.1:8000"
VERSION = "gradient_boosting-20261120T060000-ab12cd"
IMPATIENT = Limits(state_lifetime_s=0.0, gauges_lifetime_s=0.0, is_warmed_up=False)  # every change shows at once


def forecasts(
    issued_at: datetime, *, value: float = 5000.0, model: str = VERSION, hours: int = 48
) -> dy.DataFrame[Forecasts]:
    """Return a flat forecast of the 48 hours from its issue on."""
    times = [issued_at.replace(minute=0) + n * HOUR for n in range(hours)]
    rows = [(time, level, value * (0.8 + 0.4 * level)) for time in times for level in (0.05, 0.5, 0.95)]
    frame = pl.DataFrame(rows, schema=["time", "level", "value"], orient="row").with_columns(
        channel=pl.lit(SIMTOWN.channel.id),
        model=pl.lit(model),
        maker=pl.lit(str(maker_of(model))),
        issued_at=pl.lit(issued_at),
        available_at=pl.lit(issued_at),
        recorded_at=pl.lit(issued_at),
        quality=pl.lit(0, pl.Int16),
    )
    return Forecasts.validate(frame, cast=True)


@contextmanager
def served(api: ASGIApp, **choices: Any) -> Iterator[str]:  # noqa: ANN401 - settings of uvicorn
    """Run an application behind a real server on a free port of loopback; gives its address."""
    settings = {"host": "127.0.0.1", "port": 0, "log_level": "warning", "ws": "none", **choices}
    server = uvicorn.Server(uvicorn.Config(api, **settings))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + 20
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
