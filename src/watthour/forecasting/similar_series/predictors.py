"""What speaks of a day to come: the usual day of similar series, what they do these days, and the own few days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from watthour.forecasting.panel import mean_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.similar_series.days import Usual
    from watthour.forecasting.vintages import Array, Instants

WEEK = 7
_COMMON_LIMITS = (0.3, 3.0)  # of what all similar series are at once, in parts of the usual
_LEAST_SPREAD = 0.02  # of the level
_OWN_SPREAD_DAYS = 7.0  # of the own past that tell the spread as well as the similar series do
_MOST_SPREAD_DAYS = 28.0  # of it that count
# Half-lives of the own days, in days: of all of them, of the last ones by slot and as a whole, of those of one kind,
# and of what tells the spread. Of the same weekdays each counts so much of the one a week later.
_HALF_LIFE, _LATEST, _LATELY, _OF_KIND, _OF_SPREAD = 14.0, 1.0, 3.0, 28.0, 28.0
_WEEKLY = 0.8
N_PREDICTORS = 11


class Likeness(NamedTuple):
    """How similar series are used."""

    sharpness: float  # how much the weight of a series falls with the distance of its usual day; 0: all alike
    with_common: bool  # whether the own level is read against what the others were on the same days


LIKENESSES = tuple(Likeness(sharpness, common) for sharpness in (0.0, 10.0, 100.0, 1000.0) for common in (False, True))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A short series beside similar ones, at one issue."""

    own: Array  # (n, slots) its days, NaN where unknown
    types: Instants  # (m, slots) kinds of the days of the others, of which the last n are those of its own
    usual: Usual  # of D others
    recent: Array  # (D, m, slots) what the others were on those days
    to_come: Sequence[tuple[int, Instants]]  # how many days ahead, and the kinds of its slots (slots,)


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What speaks of the slots of one day to come."""

    predictors: Array  # (slots, ``N_PREDICTORS``) [unit of the channel]
    spread: Array  # (slots,) how far a value may be from its forecast [unit of the channel]
    level: float  # of the short series [unit of the channel]
    weights: Array  # (D,) of the others, of sum 1


def said_of(seen: Seen, likeness: Likeness) -> list[Said]:
    """Return what speaks of each day to come; nothing where the own level cannot be told."""
    n, slots = seen.own.shape
    known = np.isfinite(seen.own)
    size = seen.usual.size[:, None, None]
    value, deviation = seen.usual.value / size, seen.usual.deviation / size
    column = np.arange(slots)
    expected_all = value[:, seen.types, column]  # (D, m, slots)
    by_slot, by_day = _common(seen.recent / size, expected_all)
    expected = expected_all[:, -n:] * (by_slot[-n:] if likeness.with_common else 1.0)
    own = np.where(known, seen.own, 0.0)
    ratios = np.abs(own).sum() / np.maximum((np.abs(expected) * known).sum(axis=(1, 2)), 1e-9)
    level = float(np.median(ratios))
    if not level > 0:
        return []
    weights = _weights(own, expected * ratios[:, None, None], known, level, likeness.sharpness)
    mine = weights * ratios
    residual = np.where(known, seen.own - np.tensordot(mine, expected, 1), np.nan)
    age = np.arange(n)[::-1]
    kinds = seen.types[-n:]

    def counts(half_life: float) -> Array:
        return 0.5 ** (age / half_life)[:, None]

    everything = _faded(residual, counts(_HALF_LIFE))
    latest = _faded(residual, counts(_LATEST))
    lately = _faded(mean_known(residual)[:, None], counts(_LATELY))[0]
    n_days = min(known.sum() / slots, _MOST_SPREAD_DAYS)
    share = n_days / (n_days + _OWN_SPREAD_DAYS)
    away = np.where(known.any(axis=0), _faded(np.abs(residual - everything), counts(_OF_SPREAD)), np.nan)
    found = []
    for lead, kind in seen.to_come:
        alike = np.tensordot(mine, value[:, kind, column], 1)
        weekly = ((age + lead) % WEEK == 0) * _WEEKLY ** ((age + lead) / WEEK)
        predictors = np.stack(
            [
                alike,
                alike * (by_slot[-1] - 1),
                alike * (by_day[-1] - 1),
                alike * (by_day[-3:].mean() - 1),
                alike * (by_day.mean() - 1),
                everything,
                _smooth(everything) - everything,
                _faded(residual, counts(_OF_KIND) * (kinds == kind)),
                _faded(residual, weekly[:, None]),
                latest,
                np.full(slots, lately),
            ],
            axis=1,
        )
        others = np.tensordot(mine, deviation[:, kind, column], 1)
        spread = (1 - share) * _smooth(others) + share * _smooth(np.where(np.isfinite(away), away, others))
        found.append(Said(predictors, np.maximum(spread, _LEAST_SPREAD * level), level, weights))
    return found


def _smooth(values: Array) -> Array:
    """Return values by slot, (..., slots), each half of itself and a quarter of its neighbours on the clock."""
    return 0.25 * np.roll(values, 1, axis=-1) + 0.5 * values + 0.25 * np.roll(values, -1, axis=-1)


def _common(recent: Array, expected: Array) -> tuple[Array, Array]:
    """Return what all series were together in parts of the usual, by slot (m, slots) and by day (m,); 1 if unknown."""
    known = np.isfinite(recent)
    total = np.where(known, recent, 0.0).sum(axis=0)
    usual = np.where(known, expected, 0.0).sum(axis=0)
    of_days = _ratio(total.sum(axis=1), usual.sum(axis=1))
    beside = [each + 0.25 * (np.roll(each, 1, axis=1) + np.roll(each, -1, axis=1)) for each in (total, usual)]
    by_slot = np.where(known.any(axis=0), _ratio(*beside), np.nan)
    return _carried(by_slot), _carried(of_days[:, None])[:, 0]


def _ratio(total: Array, usual: Array) -> Array:
    """Return a ratio within limits, NaN where nothing is known or the usual is near zero."""
    big = usual > 0.2 * np.abs(usual).mean()
    return np.where(big, np.clip(total / np.where(big, usual, 1.0), *_COMMON_LIMITS), np.nan)


def _carried(days: Array) -> Array:
    """Return days, (m, k), with what is unknown taken from the day before, or 1."""
    found, last = np.empty_like(days), np.ones(days.shape[1])
    for row, values in enumerate(days):
        last = np.where(np.isfinite(values), values, last)
        found[row] = last
    return found


def _weights(own: Array, expected: Array, known: Array, level: float, sharpness: float) -> Array:
    """Return the weight of each other series, (D,), by how well its days, (D, n, slots), explain the own mean day."""
    count = known.sum(axis=0)
    mean = (np.where(known, own - expected, 0.0)).sum(axis=1) / np.maximum(count, 1)
    distance = (_smooth(mean) ** 2 * (count > 0)).sum(axis=1) / max((count > 0).sum(), 1) / level**2
    weights = np.exp(-sharpness * (distance - distance.min()))
    return np.asarray(weights / weights.sum())


def _faded(values: Array, counts: Array) -> Array:
    """Return the weighted mean of what is known of each slot, (slots,) of (n, slots), 0 where nothing is."""
    weights = np.where(np.isfinite(values), np.broadcast_to(counts, values.shape), 0.0)
    total = weights.sum(axis=0)
    filled = np.where(weights > 0, values, 0.0)
    return np.asarray((filled * weights).sum(axis=0) / np.where(total > 0, total, 1.0))
