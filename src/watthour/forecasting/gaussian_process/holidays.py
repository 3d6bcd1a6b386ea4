"""Public holidays of a place by name, looked up once per decade."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

from watthour.forecasting.calendar import named_holidays

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Instants

ONE_DAY = timedelta(days=1)
EPOCH = date(1970, 1, 1)
# American holidays on which most people work; every other public holiday is a day of rest.
_WORKED = (
    *("Martin Luther", "Washington", "President", "Lincoln", "Susan B.", "Juneteenth"),
    *("Columbus", "Indigenous", "Veterans", "Election", "Patriots"),
)


@dataclass(frozen=True, slots=True)
class Holidays:
    """The holiday calendar of a place."""

    code: str | None  # such as "US-NY" or "DE+FR"; None has no holidays

    def name(self, day: date) -> str | None:
        """Return the holiday's name, and one name for every day it is observed in lieu."""
        return None if self.code is None else _named(self.code, day.year // 10).get(day)

    def is_rest(self, day: date) -> bool:
        """Tell whether most people are off work on a day because of a holiday."""
        name = self.name(day)
        return name is not None and not name.startswith("observed") and not any(word in name for word in _WORKED)


def as_dates(days: Instants) -> list[date]:
    """Return days since 1970, (n,), as dates."""
    return [EPOCH + int(day) * ONE_DAY for day in days]


@cache
def _named(code: str, decade: int) -> Mapping[date, str]:
    known = named_holidays(code, range(10 * decade - 1, 10 * decade + 11))
    return {day: "observed" if "(observed)" in name else _from_year_to_year(name) for day, name in known.items()}


def _from_year_to_year(name: str) -> str:
    """Return the name a holiday has in every year, also where the moon has not been seen yet."""
    return name.split(";", maxsplit=1)[0].strip().removesuffix(" (estimated)")
