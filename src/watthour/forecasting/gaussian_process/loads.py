"""The measured load of local days as it was known at requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.window import HOUR, step_in_words
from watthour.forecasting.positive_load import OTHER_MODELS, OTHER_MODELS_OF_LONG_STEPS
from watthour.forecasting.vintages import measurement_vintages

if TYPE_CHECKING:
    from watthour.core.forecast import Context, History
    from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests, Mask
    from watthour.forecasting.vintages import Array, Instants, Vintages

_MOST_MISSING = 1 / 12  # of the intervals of a day that still counts as known
WATCHED_DAYS = 7  # the last ones that were over, of which days without a logarithm are counted
_MOST_LOST_DAYS = 2  # of these, after which a forecast may go on as if the load had: an outage; more are a shutdown


def known_loads(
    history: History, requests: DayRequests, days: Instants, grid: DayGrid, *, positive: bool = True
) -> Array:
    """Return the load of days as known at each request, NaN where unknown [unit of the channel].

    Args:
        history: what was known.
        requests: m of them.
        days: the same days for all requests, (d,), or those of each, (m, d).
        grid: rows and columns.
        positive: count zero and less as unknown.

    Returns:
        Shape (m, d, n).
    """
    times, columns = grid.slots(days if days.ndim > 1 else days[None])
    vintages = measurement_vintages(history, history.context.channel.id)
    values = vintages.known(times, requests.issued[:, None, None])
    counts = times + grid.step <= requests.known_until[:, None, None]
    if positive:
        counts &= values > 0
    return grid.by_clock(np.where(counts, values, np.nan), columns)


def known_since(history: History, days: Instants, at: int, grid: DayGrid, *, begin: int = 0) -> Instants:
    """Return when the last of each day's measurements became known that count at an instant, (d,) [microseconds].

    Days begin so long after local midnight [microseconds].
    """
    times, columns = grid.slots(days)
    since = _became_known(measurement_vintages(history, history.context.channel.id), times + begin, at)
    return np.asarray(np.where(columns >= 0, since, 0).max(axis=1, initial=0))


def is_known(loads: Array, skipped: Mask) -> Mask:
    """Return which days are known but for a twelfth of their intervals at most, one dimension less.

    Args:
        loads: (..., n), NaN where unknown.
        skipped: intervals that the clock skips, which cannot be missing; the shape of the last dimensions of ``loads``.
    """
    n_missing = (np.isnan(loads) & ~skipped).sum(axis=-1)
    return np.asarray(n_missing <= _MOST_MISSING * loads.shape[-1], dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class LostDays:
    """The last days that requests know, and a model of logarithms cannot learn: zero or negative in many intervals."""

    n_days: Instants  # (m,)
    n_intervals: Instants  # (m,) of these days that are zero or negative

    @classmethod
    def of(cls, history: History, requests: DayRequests, grid: DayGrid) -> Self:
        """Count, of the last days over at each request, those after the last one that can be learned."""
        days = requests.last_over(grid.time_zone)[:, None] - np.arange(WATCHED_DAYS)
        loads, skipped = known_loads(history, requests, days, grid, positive=False), grid.skipped(days)
        can_be_learned = is_known(np.where(loads > 0, loads, np.nan), skipped)
        is_lost = is_known(loads, skipped) & ~np.logical_or.accumulate(can_be_learned, axis=1)
        return cls(is_lost.sum(axis=1), ((loads <= 0) & is_lost[:, :, None]).sum(axis=(1, 2)))

    @property
    def is_shutdown(self) -> Mask:
        """Which requests know more of them than an outage has, (m,)."""
        return self.n_days > _MOST_LOST_DAYS

    def refusal(self, history: History, model: str, name: str) -> NotEnoughHistory:
        """Return the error that a model cannot follow the load of these days.

        Args:
            history: what was known.
            model: as a person calls it.
            name: in the catalogue.
        """
        return NotEnoughHistory(
            f"{int(self.n_intervals.max())} intervals of the last {WATCHED_DAYS} days of {history.context.channel.id} "
            f"are zero or negative, and {model} forecasts logarithms, so it cannot follow",
            remedy=f"Choose another model than {name}: {OTHER_MODELS}. It answers again when a day is positive.",
        )


def check_step(context: Context, model: str, *, is_hourly: bool) -> None:
    """Refuse a step the model has no intervals for.

    Args:
        context: what is to be forecast.
        model: as a person calls it.
        is_hourly: whether it forecasts hours only, else anything up to an hour.

    Raises:
        InvalidInput: the channel has another step.
    """
    if context.resolution > HOUR or (is_hourly and context.resolution != HOUR):
        finer = ", or day_process, which takes steps below an hour" if is_hourly and context.resolution < HOUR else ""
        others = OTHER_MODELS_OF_LONG_STEPS if context.resolution > HOUR else OTHER_MODELS
        raise InvalidInput(
            "resolution",
            step_in_words(context.resolution),
            f"{model} forecasts {'hours' if is_hourly else 'steps of up to an hour'}",
            remedy=f"Resample the readings to hours, or choose another model: {others}{finer}.",
        )


def _became_known(vintages: Vintages, times: Instants, at: int) -> Instants:
    """Return when the version known at an instant became known, 0 where there is none."""
    if not len(vintages.times):
        return np.zeros(times.shape, dtype=np.int64)
    n_ranks = len(vintages.instants) + 1
    position = np.minimum(np.searchsorted(vintages.times, times), len(vintages.times) - 1)
    rank = np.searchsorted(vintages.instants, at, side="right")
    key = vintages.keys[np.maximum(np.searchsorted(vintages.keys, position * n_ranks + rank, side="right") - 1, 0)]
    is_there = (vintages.times[position] == times) & (key // n_ranks == position)
    return np.asarray(np.where(is_there, vintages.instants[np.maximum(key % n_ranks - 1, 0)], 0))
