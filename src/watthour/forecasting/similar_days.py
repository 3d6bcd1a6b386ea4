"""What was measured on earlier days that followed days like the last ones, as quantiles without any formula.

An analog ensemble: the days of the past are weighted by how like their evening before and the days before that were
to those before the day asked, and by kind of day, weekday and age. Quantiles are those of values that were measured.

Source: Delle Monache, Eckel, Rife, Nagarajan and Searight, Monthly Weather Review 141 (2013),
doi:10.1175/MWR-D-12-00281.1, for the idea; what is compared here is the series itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from watthour.forecasting.calendar import WEEKEND, holidays_around
from watthour.forecasting.days_before import ModelOfDays
from watthour.forecasting.panel import deviation_known, mean_known
from watthour.forecasting.recent_days import weighted_quantiles
from watthour.forecasting.vintages import DAY_US, HOUR_US

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets
    from watthour.forecasting.days_before import Answer
    from watthour.forecasting.trend_season.known import Clock
    from watthour.forecasting.vintages import Array, Instants

_NAME = "similar_days"
LOOKED_BACK = 200  # days
PARTS = (0, 6, 10, 16)  # local hours at which the night, the morning, the middle of the day and the evening begin
# Learned by scripts/learn_similar_days.py, of the same parts of the day
DISTANCES = {  # what a squared distance takes from a day's weight
    "last two hours": (0.39, 0.21, 0.06, 0.08),
    "last six hours": (0.02, 0.17, 0.08, 0.24),
    "middle of the day": (0.00, 0.00, 0.03, 0.02),
    "day": (0.28, 0.09, 0.08, 0.14),
    "first six hours": (0.30, 0.02, 0.00, 0.00),
    "three days": (0.44, 0.25, 0.06, 0.13),
    "week": (0.08, 0.01, 0.07, 0.02),
    "day a week before": (0.10, 0.04, 0.10, 0.04),
    "hour by hour": (1.47, 1.04, 0.97, 0.46),
}
AGE = (0.41, 0.38, 0.25, 0.97)  # what 40 days of age take from it
LOG_AGE = (0.60, 0.43, 0.43, 0.43)  # and what their logarithm does
SAME_KIND = (0.62, 1.12, 1.62, 0.52)  # what a day off gains where a day off is asked, or a working day where one is
SAME_WEEKDAY = (0.79, 1.30, 1.55, 1.24)
BESIDE = (-2.58, -2.25, -1.17, -1.29)  # the intervals before and after one on the clock
SOME_DAYS = 40.0
_UNKNOWN = 2.0  # squared distance that two days have by chance
_TOGETHER = 0.0
_WEEK = 7
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class SimilarDays:
    """Quantiles of days that were like the last ones; there is nothing to choose."""

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedSimilarDays:  # noqa: ARG002 - of the port
        """Check that enough is known; days are compared anew at each issue.

        Raises:
            InvalidInput: the step is a day or longer.
            NotEnoughHistory: too few days are known.
        """
        return FittedSimilarDays.of(history)


@dataclass(frozen=True, slots=True, eq=False)
class FittedSimilarDays(ModelOfDays):
    """See ``days_before.ModelOfDays``."""

    recipe = _NAME
    most_days = LOOKED_BACK
    features = ("values of earlier days", "the last days", "kind of day")

    def answer(self) -> Answer:
        """Return who tells days ahead in one forecast."""
        return _answer


def _answer(rows: Array, leads: Instants, clock: Clock, edge: int) -> Array:
    """Return the quantiles of some days by slot, (leads, slots, ``LEVELS``); arguments as ``days_before.Answer``."""
    n_days, n_slots = rows.shape
    numbers = np.arange(edge - n_days, edge)
    dates = (numbers[:, None] * DAY_US + (clock.turn + np.arange(n_slots)) * clock.step) // DAY_US  # local days
    asked = dates[-1] + leads[:, None]
    off_days = holidays_around(np.append(dates.ravel(), asked.ravel()), clock.holidays)
    is_off, is_asked_off = are_off(dates, off_days), are_off(asked, off_days)
    likeness = _likeness(distances_of(rows))
    beside = _of_slots(np.exp(np.array(BESIDE)), clock)
    flat, unknown = rows.ravel(), np.array([np.nan])
    near = [np.concatenate(each).reshape(rows.shape) for each in ((unknown, flat[:-1]), (flat[1:], unknown))]
    values = np.stack([rows, *near], axis=1).reshape(3 * n_days, n_slots).T
    found = []
    for k, lead in enumerate(leads.tolist()):
        ages = n_days - 1 + lead - np.arange(n_days)  # of each day, when the day asked comes [days]
        before = np.arange(n_days) - lead  # the last day known then
        alike = np.where(before[:, None] >= 0, likeness[np.maximum(before, 0)], likeness.min(axis=0))
        alike = alike - np.outer(ages / SOME_DAYS, AGE) - np.outer(np.log(ages), LOG_AGE)
        alike += np.outer(ages % _WEEK == 0, SAME_WEEKDAY)
        logs = _of_slots(alike, clock) + (is_off == is_asked_off[k]) * _of_slots(np.array(SAME_KIND), clock)
        counts = np.exp(logs - logs.max(axis=0))
        counts = np.stack([counts, beside * counts, beside * counts], axis=1).reshape(3 * n_days, n_slots).T
        found.append(weighted_quantiles(values, counts, together=_TOGETHER))
    return np.stack(found)


def _of_slots(parts: Array, clock: Clock) -> Array:
    """Return what holds at each slot of a row, (..., slots), of what holds in each part of the day, (..., parts)."""
    clock_hours = (clock.turn + np.arange(clock.n_slots)) * clock.step % DAY_US / HOUR_US
    return np.asarray(parts[..., np.searchsorted(PARTS, clock_hours, side="right") - 1])


def _likeness(distances: Array) -> Array:
    """Return the logarithm of what distances, (days, distances), leave of a day's weight: (days, parts)."""
    return np.asarray(-distances @ np.array(list(DISTANCES.values())))


def distances_of(rows: Array) -> Array:
    """Return how far each day, and those before it, was from the last one: (days, ``DISTANCES``), squared.

    Compared are nearly logarithms in parts of their deviation: means of the last two hours, the last six, the middle of
    the day, the day, its first six hours, three days, a week, and of the day six days before (the weekday of the day
    after); and the day hour by hour.

    Args:
        rows: (days, slots), NaN where unknown.
    """
    n_slots = rows.shape[1]
    usual = np.nanmedian(rows) if np.isfinite(rows).any() else 0.0
    spread = deviation_known(rows.reshape(1, -1))[0]
    middle = np.nanmedian(np.abs(rows - usual)) if np.isfinite(rows).any() else 0.0
    scale = max(float(middle), 0.1 * float(np.nan_to_num(spread)), 1e-9)
    scaled = np.arcsinh((rows - usual) / scale)
    parts = [(22, 24), (18, 24), (6, 18), (0, 24), (0, 6)]  # hours of the row
    told = [mean_known(scaled[:, n_slots * begin // 24 : max(n_slots * end // 24, 1)]) for begin, end in parts]
    day = told[3]
    told += [mean_known(np.stack([_earlier(day, back) for back in range(days)]), axis=0) for days in (3, _WEEK)]
    table = np.stack([*told, _earlier(day, _WEEK - 1)], axis=1)
    apart = ((table - table[-1]) / np.maximum(deviation_known(table.T), 1e-9)) ** 2
    hourly = mean_known(scaled.reshape(len(rows), 24, -1)) if n_slots % 24 == 0 else scaled
    width = max(float(np.nan_to_num(deviation_known(hourly.reshape(1, -1))[0])), 1e-9)
    whole = mean_known(((hourly - hourly[-1]) / width) ** 2)
    distances = np.concatenate([apart, whole[:, None]], axis=1)
    return np.asarray(np.where(np.isfinite(distances), distances, _UNKNOWN))


def _earlier(values: Array, days: int) -> Array:
    """Return what each day's value was some days before, NaN where there was none."""
    return np.concatenate([np.full(min(days, len(values)), np.nan), values[: max(len(values) - days, 0)]])


def are_off(days: Instants, holidays: Instants) -> Array:
    """Return which local days are holidays or at a weekend, of any shape."""
    return np.asarray(((days + _EPOCH_WEEKDAY) % _WEEK >= WEEKEND) | np.isin(days, holidays))
