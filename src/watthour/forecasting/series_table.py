"""The series of a table from outside: read once, answered in kind, each problem under the name of its series."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from watthour.core.errors import InvalidInput, ModelFailed, NotEnoughHistory, WatthourError
from watthour.core.frames import Readings
from watthour.forecasting.dataframe_io import (
    as_given,
    as_in_table,
    as_polars,
    has_month_ends,
    has_naive_times,
    histories,
    tidy,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from watthour.core.forecast import History
    from watthour.forecasting.dataframe_io import Columns

_Made = TypeVar("_Made")

_HOTTEST = 60.0  # of any air [°C]; 56.7 was measured in Death Valley in 1913


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
        """Return the covariates of the time ahead, by series.

        Raises:
            InvalidInput: there are no covariates, or the table cannot be read, or none of its series is known.
        """
        if future is None:
            return {}
        if not self.columns.covariates:
            remedy = "Name its columns when fitting: DayAhead(covariates=('temperature',))."
            raise InvalidInput("future", "a table", "this model was fitted without covariates", remedy=remedy)
        given = as_polars(future, self.columns)
        names = list(self.pasts)
        if self.columns.series not in given.columns and not given.is_empty():
            if self.is_many:
                problem = f"the column {self.columns.series}, which names the series of each row, is missing"
                remedy = "Add the column, with the covariates of every series."
                raise InvalidInput("future", given.columns, problem, remedy=remedy)
            given = given.with_columns(pl.lit(names[0]).alias(self.columns.series))
        tidied = tidy(given, self.columns, is_future=True)
        known = histories(tidied, self.columns, self.step, names)
        if not set(tidied["series"].unique()) & set(names):
            raise InvalidInput(
                "future",
                tidied["series"].unique().sort().head(3).to_list(),
                "it contains none of the fitted series",
                remedy=f"Use the names of the fitted table: {', '.join(names[:3])}.",
            )
        return {name: known[name] for name in names}

    def as_given(self, table: pl.DataFrame, *, times: Sequence[str] | None = None) -> Any:  # noqa: ANN401 - as given
        """Return a table of the kind, and with the clock, of the user's.

        Args:
            table: with times in UTC.
            times: its columns of times; that of the user's table if not said.
        """
        names = (self.columns.time,) if times is None else times
        return as_given(as_in_table(table, self.columns, names), is_pandas=self.is_pandas)

    def problem(self, name: str, error: WatthourError) -> str:
        """Return what is wrong with a series under the name its table gave it."""
        return self.in_its_words(name, error.problem)

    def in_its_words(self, name: str, text: str) -> str:
        """Return what is said of a series with the names that its table has for it and for its covariates."""
        context = self.pasts[name].context
        channel = context.channel.id
        words = text.replace(repr(channel), repr(name)).replace(channel, repr(name))
        own = {each.variable: column for column, each in zip(self.columns.covariates, context.covariates, strict=True)}
        if not own:
            return words
        return re.sub(rf"\b({'|'.join(map(re.escape, own))})\b", lambda found: own[found[1]], words)

    def renamed(self, name: str, error: WatthourError) -> WatthourError:
        """Return the error of a series in the words of its table, with a cure for somebody with a table."""
        words, cure = self.problem(name, error), remedy(error, self.columns)
        if isinstance(error, InvalidInput):
            value = name if error.value == self.pasts[name].context.channel.id else error.value
            return InvalidInput(error.field, value, words.removeprefix(f"{error.field} = {value!r}: "), remedy=cure)
        return (ModelFailed if isinstance(error, ModelFailed) else NotEnoughHistory)(words, remedy=cure)

    def sorted_out(
        self, found: Mapping[str, _Made | WatthourError], done: str, *, depth: int = 5
    ) -> tuple[dict[str, _Made], dict[str, str]]:
        """Return what was made of each series, and why it could not be of the others, of which a warning tells.

        Args:
            found: what was made of each series, or the error that stopped it.
            done: the work in one word, such as ``learned``.
            depth: calls from here to the user's line, which the warning names.

        Raises:
            NotEnoughHistory: it could be made of none.
            InvalidInput: likewise, for a reason that lies in the arguments.
        """
        made = {name: one for name, one in found.items() if not isinstance(one, WatthourError)}
        errors = {name: one for name, one in found.items() if isinstance(one, WatthourError)}
        problems = {name: self.problem(name, error) for name, error in errors.items()}
        if not made:
            name, error = next(iter(errors.items()))
            raise self.renamed(name, error) from error
        if problems:
            listed = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
            cures = " ".join(dict.fromkeys(remedy(error, self.columns) for error in errors.values()))
            warnings.warn(
                f"{len(problems)} of {len(found)} series could not be {done}: {listed}. {cures}", stacklevel=depth + 1
            )
        return made, problems


def read(frame: Any, columns: Columns) -> SeriesTable:  # noqa: ANN401 - polars or pandas
    """Return the series of a user's table.

    Raises:
        InvalidInput: there is no row, or a column is missing, holds text, or has the same time twice.
    """
    table = as_polars(frame, columns)
    found = table if columns.time in table.columns and not table.is_empty() else None
    known = columns if found is None else replace(columns, has_month_ends=has_month_ends(found, columns))
    tidied = tidy(table, known)
    _warn_of_fahrenheit(tidied, columns)
    known = replace(known, is_naive=has_naive_times(table, columns))
    return SeriesTable(known, histories(tidied, known), is_pandas=not isinstance(frame, pl.DataFrame | pl.LazyFrame))


def with_future(past: History, ahead: History) -> History:
    """Return what is known of a series with its covariates of the time ahead; the later table counts."""
    rows = pl.concat([past.readings, ahead.readings]).unique(["channel", "time", "available_at"], keep="last")
    return replace(past, readings=Readings.cast(rows.sort("channel", "time")))


def _warn_of_fahrenheit(table: pl.DataFrame, columns: Columns) -> None:
    """Warn of air temperatures that are too high for degrees Celsius."""
    highest = table["temperature"].max() if "temperature" in columns.covariates else None
    if isinstance(highest, float) and highest > _HOTTEST:
        warnings.warn(
            f"The temperature reaches {highest:g} and is read as °C. If it is in °F: (temperature - 32) / 1.8.",
            stacklevel=4,
        )


def remedy(error: WatthourError, columns: Columns) -> str:
    """Return the cure of an error for somebody with a table; those of a store's reader name commands and sources."""
    if not any(word in error.remedy for word in ("`watthour ", "Bring ")):
        return error.remedy
    if "by anybody else" in error.problem:
        return "A table holds no forecasts by others: choose another model, or DayAhead(model='auto')."
    if "temperature" in error.problem + error.remedy and "temperature" in columns.covariates:
        return "Give more rows with a temperature, and the temperature of the time ahead: predict(future=...)."
    if "temperature" in error.problem + error.remedy:
        return "Give a column of temperatures [°C] and name it: DayAhead(covariates=('temperature',))."
    return "Give more rows, or use DayAhead(model='auto'), which chooses a model that can learn from them."
