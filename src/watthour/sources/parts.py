"""Several questions to one provider for one delivery: what one of them meets costs no rows of the others."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import SourceError, SourceRejected
from watthour.sources.delivery import PARSED_FORECASTS, PARSED_READINGS, PARSED_REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def _no_readings() -> pl.DataFrame:
    return pl.DataFrame(schema=PARSED_READINGS)


def _no_forecasts() -> pl.DataFrame:
    return pl.DataFrame(schema=PARSED_FORECASTS)


def _none_refused() -> pl.DataFrame:
    return pl.DataFrame(schema=PARSED_REFUSED)


@dataclass(frozen=True, slots=True)
class Parsed:
    """Rows of one answer, told apart; they may have columns beside those that every row has."""

    readings: pl.DataFrame = field(default_factory=_no_readings)
    forecasts: pl.DataFrame = field(default_factory=_no_forecasts)
    refused: pl.DataFrame = field(default_factory=_none_refused)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What several questions brought."""

    rows: Parsed
    denied: dict[str, SourceRejected]  # by question: what the plan of an account leaves out
    failure: SourceError | None  # the first of another kind

    def refused_by_plan(self, channel: str, **said: str) -> pl.DataFrame:
        """Return a row for each question that the plan leaves out."""
        left_out = [(channel, "is_in_the_plan", json.dumps({"endpoint": name, **said})) for name in self.denied]
        return pl.DataFrame(left_out, schema=PARSED_REFUSED, orient="row")


def gather(
    questions: Iterable[tuple[str, Callable[[], Parsed]]], *, is_denied: Callable[[SourceRejected], bool] | None = None
) -> Gathered:
    """Ask one after the other and return what came of those that were answered.

    Args:
        questions: name and what asks; one name may come several times.
        is_denied: whether a refusal says that the plan of the account leaves this out.

    Raises:
        SourceError: nothing was answered: the first failure or, where there is none, the first denial.
    """
    parts: list[Parsed] = []
    denied: dict[str, SourceRejected] = {}
    failure: SourceError | None = None
    for name, ask in questions:
        try:
            parts.append(ask())
        except SourceError as error:
            if isinstance(error, SourceRejected) and is_denied is not None and is_denied(error):
                denied.setdefault(name, error)
            else:
                failure = failure or error
    unanswered = failure or next(iter(denied.values()), None)
    if not parts and unanswered is not None:
        raise unanswered
    return Gathered(_joined(parts), denied, failure)


def _joined(parts: list[Parsed]) -> Parsed:
    def all_of(first: pl.DataFrame, rows: list[pl.DataFrame]) -> pl.DataFrame:
        return pl.concat([first, *(each for each in rows if not each.is_empty())], how="diagonal")

    return Parsed(
        all_of(_no_readings(), [each.readings for each in parts]),
        all_of(_no_forecasts(), [each.forecasts for each in parts]),
        all_of(_none_refused(), [each.refused for each in parts]),
    )
