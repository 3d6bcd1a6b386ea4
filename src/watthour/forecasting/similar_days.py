"""What was measured on earlier days that followed days like the last ones, as quantiles without any formula.

An analog ensemble: the days of the past are weighted by how like their evening before and the days before that were
to those before the day asked, and by kind of day, weekday and age. Quantiles are those of values that were measured.

Source: Delle Monache, Eckel, Rife, Nagarajan and Searight, Monthly Weather Review 141 (2013),
doi:10.1175/MWR-D-12-00281.1, for the idea; what is compared here is the series itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from watthour.forecasting.calendar import WEEKEND, holidays_around
from watthour.forecasting.days_before import check_days, forecast_by_days
from watthour.forecasting.panel import deviation_known, mean_known
from watthour.forecasting.recent_days import weighted_quantiles
from watthour.forecasting.steps import check_trained_on
from watthour.forecasting.vintages import DAY_US

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.trend_season.known import Clock
    from watthour.forecasting.vintages import Array, Instants

_NAME, _FILE = "similar_days", "similar_days.json"
_LOOKED_BACK = 200  # days
_HALF_LIFE = 40.0  # of a day's weight [days]
_OTHER_KIND = 0.35  # weight of a day off for a working day, and the other way round
_SAME_WEEKDAY = 1.5
_BESIDE = 0.4  # weight of the intervals before and after one on the clock
_WIDTH = 0.5  # days that differ by so many standard deviations have e^-0.5 of the weight
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
        return FittedSimilarDays(history.context.channel.id, check_days(history, _NAME, _LOOKED_BACK))


@dataclass(frozen=True, slots=True, eq=False)
class FittedSimilarDays:
    """The channel and the step it was made for."""

    channel: str
    step: int  # [microseconds]

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("values of earlier days", "the last days", "kind of day")

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue.

        Raises:
            InvalidInput: the model was made for another channel or step, or the targets are not its intervals.
            NotEnoughHistory: nothing is known of the channel at any issue.
        """
        check_trained_on(history.context, self.channel, self.step)
        return forecast_by_days(history, targets, _answer, name=_NAME, most_days=_LOOKED_BACK)

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        return {_FILE: json.dumps({"channel": self.channel, "step": self.step}).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        return cls(**json.loads(files[_FILE]))


def _answer(rows: Array, leads: Instants, clock: Clock, edge: int) -> Array:
    """Return the quantiles of some days by slot, (leads, slots, ``LEVELS``); arguments as ``days_before.Answer``."""
    n_days, n_slots = rows.shape
    numbers = np.arange(edge - n_days, edge)
    dates = (numbers[:, None] * DAY_US + (clock.turn + np.arange(n_slots)) * clock.step) // DAY_US  # local days
    asked = dates[-1] + leads[:, None]
    off_days = holidays_around(np.append(dates.ravel(), asked.ravel()), clock.holidays)
    is_off, is_asked_off = _is_off(dates, off_days), _is_off(asked, off_days)
    likeness = likeness_of(rows)
    flat, unknown = rows.ravel(), np.array([np.nan])
    beside = [np.concatenate(each).reshape(rows.shape) for each in ((unknown, flat[:-1]), (flat[1:], unknown))]
    values = np.stack([rows, *beside], axis=1).reshape(3 * n_days, n_slots).T
    found = []
    for k, lead in enumerate(leads.tolist()):
        ages = n_days - 1 + lead - np.arange(n_days)  # of each day, when the day asked comes [days]
        weights = 0.5 ** (ages / _HALF_LIFE) * np.where(ages % _WEEK == 0, _SAME_WEEKDAY, 1.0)
        before = np.arange(n_days) - lead  # the last day known then
        alike = np.where(before >= 0, likeness[np.maximum(before, 0)], likeness[:-1].min(initial=1.0))
        kind = np.where(is_off == is_asked_off[k], 1.0, _OTHER_KIND)
        counts = (weights * alike)[:, None] * kind
        counts = np.stack([counts, _BESIDE * counts, _BESIDE * counts], axis=1).reshape(3 * n_days, n_slots).T
        found.append(weighted_quantiles(values, counts, together=_TOGETHER))
    return np.stack(found)


def likeness_of(rows: Array) -> Array:
    """Return how like each day, and those before it, was to the last one, (days,) from 0 to 1.

    Compared are means of nearly logarithms: of the last two hours, the last six, the middle of the day, the day, three
    days, and of the day six days before (the weekday of the day after).

    Args:
        rows: (days, slots), NaN where unknown.
    """
    n_slots = rows.shape[1]
    usual = np.nanmedian(rows) if np.isfinite(rows).any() else 0.0
    spread = deviation_known(rows.reshape(1, -1))[0]
    middle = np.nanmedian(np.abs(rows - usual)) if np.isfinite(rows).any() else 0.0
    scale = max(float(middle), 0.1 * float(np.nan_to_num(spread)), 1e-9)
    scaled = np.arcsinh((rows - usual) / scale)
    parts = [(22, 24), (18, 24), (6, 18), (0, 24)]  # hours of the row
    told = [mean_known(scaled[:, n_slots * begin // 24 : max(n_slots * end // 24, 1)]) for begin, end in parts]
    told += [mean_known(np.stack([_earlier(told[3], days) for days in range(3)]), axis=0), _earlier(told[3], _WEEK - 1)]
    table = np.stack(told, axis=1)
    apart = (table - table[-1]) / np.maximum(deviation_known(table.T), 1e-9)
    distance = mean_known(apart**2, axis=1)
    distance = np.where(np.isfinite(distance), distance, np.nanmax(distance, initial=0.0))
    return np.asarray(np.exp(-0.5 * distance / _WIDTH**2))


def _earlier(values: Array, days: int) -> Array:
    """Return what each day's value was some days before, NaN where there was none."""
    return np.concatenate([np.full(min(days, len(values)), np.nan), values[: max(len(values) - days, 0)]])


def _is_off(days: Instants, holidays: Instants) -> Array:
    """Return which local days are holidays or at a weekend, of any shape."""
    return np.asarray(((days + _EPOCH_WEEKDAY) % _WEEK >= WEEKEND) | np.isin(days, holidays))
