"""What was measured at the same clock on the last days, the nearer counting more, as quantiles without any formula.

It is for series that jump between levels or have several usual values at one hour (a feed that runs backwards on sunny
days, a machine that is on or off): the quantiles are those of values that were measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.days_before import FEWEST_DAYS, ModelOfDays, daily_means

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets
    from watthour.forecasting.days_before import Answer
    from watthour.forecasting.trend_season.known import Clock
    from watthour.forecasting.vintages import Array, Instants

_NAME = "recent_days"
_SPAN = 5.0  # half-lives looked back on
_BESIDE = 0.5  # how much the intervals before and after it on the clock count
_TOGETHER = 2.0  # values that say as much as one
_STRIDE, _ORIGINS = 4, 15  # every so many days, so many times, the memories are compared
_FADING = 5.0  # origins after which a comparison counts half
_FEWEST_ORIGINS = 3
_POWER = 8.0  # of the inverse loss in the weight of a memory
_WEEK = 7


@dataclass(frozen=True, slots=True)
class _Memory:
    """How days are remembered."""

    half_life: float  # [days]
    follows: float = 0.0  # share of the change of the daily mean that is taken to last
    is_weekly: bool = False  # only days of the same weekday

    @property
    def reach(self) -> int:
        """How many days are looked back on."""
        return round(_SPAN * self.half_life)


MEMORIES = (_Memory(4), _Memory(10), _Memory(10, 0.5), _Memory(20, 1.0), _Memory(28, 0.5, is_weekly=True))
_LOOKED_BACK = max(memory.reach for memory in MEMORIES) + _STRIDE * (_ORIGINS + 1) + 2 * _WEEK  # days


@dataclass(frozen=True, slots=True)
class RecentDays:
    """Quantiles of the last days; there is nothing to choose."""

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedRecentDays:  # noqa: ARG002 - of the port
        """Check that enough is known; how days are remembered is learned anew at each issue.

        Raises:
            InvalidInput: the step is a day or longer.
            NotEnoughHistory: too few days are known.
        """
        return FittedRecentDays.of(history)


@dataclass(frozen=True, slots=True, eq=False)
class FittedRecentDays(ModelOfDays):
    """See ``days_before.ModelOfDays``."""

    recipe = _NAME
    most_days = _LOOKED_BACK
    features = ("recent values",)

    def answer(self) -> Answer:
        """Return who tells days ahead in one forecast."""
        return _Told().answer


class _Told:
    """What memories say, each answer computed once: issues share most of the days on which memories are compared."""

    def __init__(self) -> None:
        self._kept: dict[tuple[_Memory, bytes, bytes], Array] = {}

    def answer(self, rows: Array, leads: Instants, clock: Clock, edge: int) -> Array:  # noqa: ARG002 - as ``Answer`` has it
        """Return the quantiles of some days by slot, (leads, slots, ``LEVELS``), the memories weighted by their losses.

        Args:
            rows: (days, slots) the last days known.
            leads: (leads,) how many days after the last of them.
            clock: by which days are numbered.
            edge: number of the day after the last of them.
        """
        newest = len(rows) - int(leads.max())  # the last origin whose days are known now
        newest -= (edge - len(rows) + newest) % _STRIDE
        losses = []
        for origin in range(newest, max(newest - _STRIDE * _ORIGINS, FEWEST_DAYS), -_STRIDE):
            actual = rows[origin - 1 + leads]
            if np.isfinite(actual).any():
                losses.append([_loss(self._of(each, rows[:origin], leads), actual) for each in MEMORIES])
        weights = _weights(np.array(losses).reshape(len(losses), len(MEMORIES)))
        told = np.stack([self._of(each, rows, leads) for each in MEMORIES])
        there = np.isfinite(told)
        shares = np.where(there, weights[:, None, None, None], 0.0)
        total = shares.sum(axis=0)
        mean = (np.where(there, told, 0.0) * shares).sum(axis=0) / np.where(total > 0, total, 1.0)
        return np.where(total > 0, mean, np.nan)

    def _of(self, memory: _Memory, rows: Array, leads: Instants) -> Array:
        rows = rows[-memory.reach - int(leads.max()) :]
        key = memory, leads.tobytes(), rows.tobytes()
        if key not in self._kept:
            self._kept[key] = remembered(memory, rows, leads)
        return self._kept[key]


def remembered(memory: _Memory, rows: Array, leads: Instants) -> Array:
    """Return the quantiles of the days so many after the last of some, (leads, slots, ``LEVELS``).

    Args:
        memory: how days count.
        rows: (days, slots), NaN where unknown.
        leads: (leads,) in days.
    """
    flat, unknown = rows.ravel(), np.array([np.nan])
    beside = [np.concatenate(each).reshape(rows.shape) for each in ((unknown, flat[:-1]), (flat[1:], unknown))]
    ages = np.arange(min(memory.reach, len(rows)))
    at = len(rows) - 1 - ages
    values = np.stack([each[at] for each in (rows, *beside)], axis=1)  # (ages, 3, slots)
    counts = 0.5 ** (ages / memory.half_life)[:, None] * np.array([1.0, _BESIDE, _BESIDE])
    is_alike = not memory.follows and not memory.is_weekly  # for all leads
    level = daily_means(rows)
    known = np.flatnonzero(np.isfinite(level))
    now = level[known[-1]] if len(known) else np.nan
    found = []
    for lead in leads[:1].tolist() if is_alike else leads.tolist():
        moved, counted = values, counts
        if memory.follows:
            before = np.where(at >= lead, level[np.maximum(at - lead, 0)], np.nan)
            moved = values + memory.follows * (now - before)[:, None, None]
        if memory.is_weekly:
            counted = counts * ((ages + lead) % _WEEK == 0)[:, None]
        wide = np.moveaxis(moved, 2, 0).reshape(rows.shape[1], -1)
        found.append(weighted_quantiles(wide, np.broadcast_to(counted.ravel(), wide.shape)))
    return np.stack(found * len(leads) if is_alike else found)


def weighted_quantiles(values: Array, weights: Array, *, together: float = _TOGETHER) -> Array:
    """Return the weighted quantiles of each row of values, (..., n), at ``LEVELS``: (..., levels).

    A level lies between the middles of the two values beside it, moved outwards as conformal prediction asks (see
    ``calibrate.Spread``): ``together`` values count as one independent one, and with 0 nothing is moved. A value
    that is not known (NaN) has no weight, and a row of those alone is NaN.
    """
    weights = np.where(np.isfinite(values), weights, 0.0)
    is_any = weights.sum(axis=-1) > 0
    highest = np.where(weights > 0, values, -np.inf).max(axis=-1, initial=-np.inf)
    values = np.where(weights > 0, values, np.where(is_any, highest, 0.0)[..., None])
    order = np.argsort(values, axis=-1)
    values, weights = (np.take_along_axis(each, order, axis=-1) for each in (values, weights))
    share = np.cumsum(weights, axis=-1)
    share = (share - weights / 2) / np.where(is_any, share[..., -1], 1.0)[..., None]
    found = np.empty((*values.shape[:-1], len(LEVELS)))
    last = values.shape[-1] - 1
    effective = weights.sum(axis=-1, keepdims=True) ** 2 / np.maximum((weights**2).sum(axis=-1, keepdims=True), 1e-300)
    outward = 1 + together / np.maximum(effective, 1.0)
    for k, wanted in enumerate(LEVELS):
        level = 0.5 + (wanted - 0.5) * outward
        above = (share < level).sum(axis=-1, keepdims=True)
        right, left = np.minimum(above, last), np.maximum(above - 1, 0)
        low, high = (np.take_along_axis(share, each, axis=-1) for each in (left, right))
        part = np.clip((level - low) / np.where(high > low, high - low, 1.0), 0, 1) * (high > low)
        first, second = (np.take_along_axis(values, each, axis=-1) for each in (left, right))
        found[..., k] = ((1 - part) * first + part * second)[..., 0]
    return np.where(is_any[..., None], found, np.nan)


def _loss(quantiles: Array, actual: Array) -> float:
    """Return the mean pinball loss of quantiles, (leads, slots, levels), where anything came."""
    error = actual[..., None] - quantiles
    loss = np.maximum(np.array(LEVELS) * error, (np.array(LEVELS) - 1) * error).mean(axis=-1)
    known = np.isfinite(loss)
    return float(loss[known].mean()) if known.any() else np.nan


def _weights(losses: Array) -> Array:
    """Return the weight of each memory, (memories,), from its losses, (origins, memories), the newest first."""
    counts = 0.5 ** (np.arange(len(losses)) / _FADING)
    known = np.isfinite(losses).all(axis=1)
    losses, counts = losses[known], counts[known]
    if len(losses) < _FEWEST_ORIGINS:
        return np.full(len(MEMORIES), 1 / len(MEMORIES))
    means = counts @ losses / counts.sum()
    if means.max() <= 0:
        return np.full(len(MEMORIES), 1 / len(MEMORIES))
    weights = (np.maximum(means, 1e-9 * means.max()) / max(means.min(), 1e-9 * means.max())) ** -_POWER
    return np.asarray(weights / weights.sum())
