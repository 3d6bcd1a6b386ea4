"""A store that tells what it has kept: the one place that all new readings, samples and forecasts pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from watthour.core.news import Kept, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import dataframely as dy
    import polars as pl

    from watthour.core.frames import Events, Forecasts, Readings, Samples
    from watthour.core.ports import Store
    from watthour.core.window import Window


class TellingStore:
    """Another store, of which everything is true; beside, rows are told once they are kept and some of them are new.

    Args:
        store: the other one.
        tell: hears it, in the thread that keeps.
    """

    def __init__(self, store: Store, tell: Callable[[Kept], None]) -> None:
        self._store = store
        self._tell = tell
        self.n_told = 0  # changes whenever something new was kept by this process

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other store has
        return getattr(self._store, name)

    def append(self, readings: dy.DataFrame[Readings]) -> int:
        """Keep readings as the other store does, and tell them."""
        return self._told(self._store.append(readings), Table.READINGS, readings)

    def append_samples(self, samples: dy.DataFrame[Samples]) -> int:
        """Keep samples as the other store does, and tell them."""
        return self._told(self._store.append_samples(samples), Table.SAMPLES, samples)

    def append_events(self, events: dy.DataFrame[Events]) -> int:
        """Keep uses as the other store does; nobody is told of them, yet they count as new."""
        n_new = self._store.append_events(events)
        self.n_told += bool(n_new)
        return n_new

    def keep_plan(self, home: str, made_at: datetime, content: Mapping[str, Any]) -> None:
        """Keep a plan as the other store does; nobody is told, yet it counts as new."""
        self._store.keep_plan(home, made_at, content)
        self.n_told += 1

    def forget_plans(self, home: str, window: Window) -> None:
        """Forget plans as the other store does; nobody is told, yet it counts as new."""
        self._store.forget_plans(home, window)
        self.n_told += 1

    def register(self, *descriptions: Any, **choices: Any) -> None:  # noqa: ANN401 - as the other store has them
        """Make sites and what is in them known as the other store does; nobody is told, yet it counts as new."""
        self._store.register(*descriptions, **choices)
        self.n_told += 1

    def forget(self, *names: Any, **choices: Any) -> None:  # noqa: ANN401 - as the other store has them
        """Remove what the other store removes; nobody is told, yet it counts as new."""
        self._store.forget(*names, **choices)
        self.n_told += 1

    def append_forecasts(self, forecasts: dy.DataFrame[Forecasts]) -> int:
        """Keep forecasts as the other store does, and tell them."""
        return self._told(self._store.append_forecasts(forecasts), Table.FORECASTS, forecasts)

    def _told(self, n_new: int, table: Table, rows: pl.DataFrame) -> int:
        if n_new:
            self.n_told += 1
            self._tell(Kept(table, rows, self._store.channels))
        return n_new
