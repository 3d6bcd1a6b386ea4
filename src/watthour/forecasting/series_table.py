"""The series of a table from outside: read once, answered in kind, each problem under the name of its series."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from watthour.core.errors import NotEnoughHistory, WatthourError
from watthour.core.frames import Readings
from watthour.forecasting.dataframe_io import as_given, as_in_table, as_polars, histories, tidy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from watthour.core.forecast import History
    from watthour.forecasting.dataframe_io import Columns

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True, eq=False)
class SeriesTable:
    """The series of a user's table, and what is needed to answer in kind."""

    columns: Columns
    pasts: Mapping[str, History]
    is_pandas: bool

    @property
    def step(self) -> timedelta:
        """The step of all series."""
        return next(iter(self.pasts.values())).context.resolution

    @property
    def is_many(self) -> bool:
        """Whether there is more than one series."""
        return len(self.pasts) > 1

    def ahead(self, future: Any | None) -> dict[str, History]:  # noqa: ANN401 - polars or pandas
        """Return the covariates of the time ahead, by series."""
        if future is None:
            return {}
        known = histories(
            tidy(as_polars(future), self.columns, is_future=True), self.columns, self.step, list(self.pasts)
        )
        return {name: history for name, history in known.items() if name in self.pasts}

    def as_given(self, table: pl.DataFrame) -> Any:  # noqa: ANN401 - as given
        """Return a table of the kind, and with the clock, of the user's."""
        return as_given(as_in_table(table, self.columns), is_pandas=self.is_pandas)

    def problem(self, name: str, error: WatthourError) -> str:
        """Return what is wrong with a series under the name its table gave it."""
        return error.problem.replace(self.pasts[name].context.channel.id, repr(name))

    def sorted_out(
        self, found: Mapping[str, _Made | WatthourError], done: str
    ) -> tuple[dict[str, _Made], dict[str, str]]:
        """Return what was made of each series, and why it could not be of the others, of which a warning tells.

        Args:
            found: what was made of each series, or the error that stopped it.
            done: the work in one word, such as ``learned``.

        Raises:
            NotEnoughHistory: it could be made of none.
        """
        made = {name: one for name, one in found.items() if not isinstance(one, WatthourError)}
        errors = {name: one for name, one in found.items() if isinstance(one, WatthourError)}
        problems = {name: self.problem(name, error) for name, error in errors.items()}
        if not made:
            name, error = next(iter(errors.items()))
            raise NotEnoughHistory(problems[name], remedy=_remedy(error)) from error
        if problems:
            listed = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
            warnings.warn(f"{len(problems)} of {len(found)} series could not be {done}: {listed}", stacklevel=3)
        return made, problems


def read(frame: Any, columns: Columns) -> SeriesTable:  # noqa: ANN401 - polars or pandas
    """Return the series of a user's table.

    Raises:
        InvalidInput: there is no row, or a column is missing, holds text, or has the same time twice.
    """
    table = as_polars(frame)
    is_naive = getattr(table.schema.get(columns.time), "time_zone", None) is None
    known = replace(columns, is_naive=is_naive)
    return SeriesTable(known, histories(tidy(table, known), known), is_pandas=table is not frame)


def with_future(past: History, ahead: History) -> History:
    """Return what is known of a series with its covariates of the time ahead; the later table counts."""
    rows = pl.concat([past.readings, ahead.readings]).unique(["channel", "time", "available_at"], keep="last")
    return replace(past, readings=Readings.cast(rows.sort("channel", "time")))


def _remedy(error: WatthourError) -> str:
    """Return the cure for somebody with a table; that of a store's reader names commands."""
    return "Give at least two weeks of rows." if "`watthour " in error.remedy else error.remedy
