"""How the means of intervals of a series vary together: level, trend, season, week, two memories and noise.

A row is an interval of a day or longer; older rows can be means over several intervals. Memories are exact for means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import DAYS_IN_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable

    from watthour.forecasting.vintages import Array, Instants

NAMES = (
    *("level", "level_days", "trend", "year", "year_width", "year_days", "week", "week_days"),
    *("slow", "slow_days", "fast", "fast_days", "noise"),
)  # sizes in standard deviations of the rows, spans in days; `trend` is per year, `year_width` is of the angle
_MEMORIES = (("slow", "slow_days"), ("fast", "fast_days"))
_WEEKDAYS = 7
_PERIOD = 1.0  # size of what a period does, before any is known; not learned, as few of them are ever known
_JITTER = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """n intervals of one width, or older ones averaged."""

    middle: Array  # (n,) days since 1970
    width: Array  # (n,) [days]
    weekday: Instants  # (n,) 0 to 6, -1 for what is no day
    amplitude: Array  # (n,) of the memories and the noise at that season
    base: float  # width of a row that is not averaged [days]
    origin: float  # where the trend is zero, days since 1970
    periods: Array | None = None  # (n, p) which part of a row lies in each period of the place, such as Ramadan

    def take(self, which: Instants) -> Rows:
        """Return some of them."""
        middle, width, amplitude = (each[which] for each in (self.middle, self.width, self.amplitude))
        periods = None if self.periods is None else self.periods[which]
        return Rows(middle, width, self.weekday[which], amplitude, self.base, self.origin, periods)


def covariance(constants: Array, rows: Rows) -> Array:
    """Return the covariance of rows, (n, n), noise included."""
    return with_gradient(constants, rows, wanted=False)[0]


def with_gradient(constants: Array, rows: Rows, *, wanted: bool = True) -> tuple[Array, dict[str, Array]]:
    """Return the covariance of rows, (n, n), and its derivatives by the logarithm of each constant that acts.

    Args:
        constants: logarithms, in the order of ``NAMES``.
        rows: what varies.
        wanted: whether the derivatives are.
    """
    at = dict(zip(NAMES, np.exp(constants).tolist(), strict=True))
    apart = np.abs(rows.middle[:, None] - rows.middle[None, :])
    total = np.full(apart.shape, 0.0)
    slopes: dict[str, Array] = {}

    def add(term: Array, size: str, **by: Array | float) -> None:
        np.add(total, term, out=total)
        if wanted:
            slopes[size] = 2 * term
            slopes.update({name: term * factor for name, factor in by.items()})

    far = apart / at["level_days"]
    add(at["level"] ** 2 * np.exp(-far), "level", level_days=far)
    years = (rows.middle - rows.origin) / DAYS_IN_YEAR
    add(at["trend"] ** 2 * np.outer(years, years), "trend")
    turned, far = 2 * np.sin(np.pi * apart / DAYS_IN_YEAR) ** 2 / at["year_width"] ** 2, apart / at["year_days"]
    add(at["year"] ** 2 * np.exp(-turned - far), "year", year_width=2 * turned, year_days=far)
    if (rows.weekday >= 0).any():
        is_day = rows.weekday >= 0
        alike = (rows.weekday[:, None] == rows.weekday[None, :]) * _WEEKDAYS / (_WEEKDAYS - 1) - 1 / (_WEEKDAYS - 1)
        far = apart / at["week_days"]
        add(at["week"] ** 2 * np.where(np.outer(is_day, is_day), alike, 0.0) * np.exp(-far), "week", week_days=far)
    if rows.periods is not None:
        total += _PERIOD**2 * rows.periods @ rows.periods.T
    both = np.outer(rows.amplitude, rows.amplitude)
    for size, span in _MEMORIES:
        term, slope = _memory(apart, rows.width, at[span])
        add(at[size] ** 2 * both * term, size)
        if wanted:
            slopes[span] = at[size] ** 2 * both * slope(term)
    noise = at["noise"] ** 2 * rows.base / rows.width * rows.amplitude**2
    total[np.diag_indices_from(total)] += noise + _JITTER
    if wanted:
        slopes["noise"] = np.diag(2 * noise)
    return total, slopes


def _memory(apart: Array, width: Array, span: float) -> tuple[Array, Callable[[Array], Array]]:
    """Return the correlation of means of a process whose memory fades over ``span`` days, (n, n).

    Exact for intervals that do not overlap; the second of the pair gives its derivative by the logarithm of the span.
    """
    half = np.minimum(width / (2 * span), 30.0)
    gain = np.sinh(half) / half
    term = np.outer(gain, gain) * np.exp(-apart / span)
    whole = np.maximum(width / span, 1e-3)
    left = whole - 1 + np.exp(-whole)
    np.fill_diagonal(term, 2 * left / whole**2)

    def slope(values: Array) -> Array:
        bend = half / np.tanh(half) - 1
        by_span = values * (apart / span - bend[:, None] - bend[None, :])
        np.fill_diagonal(by_span, 4 * left / whole**2 - 2 * (1 - np.exp(-whole)) / whole)
        return by_span

    return term, slope
