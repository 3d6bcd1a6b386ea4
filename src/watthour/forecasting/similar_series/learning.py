"""How much each predictor counts, and how far off that is: learned on similar series cut to as few days."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.similar_series.days import BACK, Usual, enough_known, without_last
from watthour.forecasting.similar_series.predictors import LIKENESSES, N_PREDICTORS, WEEK, Likeness, Seen, said_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watthour.forecasting.similar_series.days import Days
    from watthour.forecasting.vintages import Array, Instants

FEWEST_OTHERS = 2  # one would have nobody to be forecast from
FEWEST_DAYS = 28  # of a similar series, known before it is cut
_STRIDE = 6  # days from one cut to the next, so that every weekday comes round
_MOST_CUTS = 240  # of all similar series together
_RIDGE = 0.02  # in parts of what the predictors are worth
_ROUNDS = 12  # of reweighting, after which the least absolute error is as good as reached
_BESIDE_HOURS = 2  # errors that count for a slot lie so near on the clock
_MORE_THAN_ONE = 12  # as errors of one series are not all alike, so many more than series count as independent
_SAME_WEEKDAYS = 4
_HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A similar series cut to a few days and what came then; slots of all days to come after one another."""

    series: int
    lead: int
    predictors: Array  # (slots, ``N_PREDICTORS``) in parts of the level
    spread: Array  # (slots,) likewise
    actual: Array  # (slots,) likewise
    by_rule: Array  # (slots,) likewise: the mean of the last same weekdays, else the last day


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What so many days of its own teach of a series beside similar ones."""

    days: float  # of its own
    likeness: Likeness
    leads: tuple[int, ...]  # days ahead, ascending
    coefficients: Array  # (leads, ``N_PREDICTORS``)
    errors: Array  # (leads, slots, ``LEVELS``) in parts of the spread
    loss: float  # mean absolute error of the cuts, in parts of their levels
    rule_loss: float  # likewise of the rule
    n_series: int  # that were cut
    n_cuts: int


def learn(days: Days, lengths: Sequence[float], leads: tuple[int, ...]) -> list[Lesson]:
    """Return a lesson for each length of an own past; none where too few similar series are known."""
    likeness = _best_likeness(days, lengths[0], leads[:1])
    if likeness is None:
        return []
    found = ((length, list(_cuts(days, length, leads, likeness, _MOST_CUTS))) for length in lengths)
    return [_lesson(length, likeness, leads, cuts) for length, cuts in found if _n_series(cuts) >= FEWEST_OTHERS]


def _best_likeness(days: Days, length: float, leads: tuple[int, ...]) -> Likeness | None:
    """Return how to use similar series that are cut to a length, as a fifth of the cuts tell; None if too few are."""
    tried = {each: list(_cuts(days, length, leads, each, _MOST_CUTS // 5)) for each in LIKENESSES}
    enough = {each: cuts for each, cuts in tried.items() if _n_series(cuts) >= FEWEST_OTHERS}
    losses = {each: _lesson(length, each, leads, cuts).loss for each, cuts in enough.items()}
    return min(losses, key=lambda each: losses[each], default=None)


def good_others(days: Array) -> Instants:
    """Return which series, of (D, n, slots), tell a usual day."""
    return np.flatnonzero(enough_known(days[:, -BACK:], FEWEST_DAYS))


def _cuts(days: Days, length: float, leads: tuple[int, ...], likeness: Likeness, most: int) -> Iterator[Cut]:
    """Yield similar series cut to a length, each beside the others as they were known then."""
    n, late = days.others.shape[1], (days.late_own(), days.late_others())
    n_own = ceil(length) + ceil(late[0] / days.n_slots)
    types = days.types(-n, n + max(leads))
    places = [
        (end, number)
        for end in range(n - max(leads), max(n_own, FEWEST_DAYS), -_STRIDE)
        for number in good_others(days.others[:, :end]).tolist()
    ]
    chosen = places if len(places) <= most else [places[k] for k in np.linspace(0, len(places) - 1, most).astype(int)]
    usual: tuple[int, Instants, Usual] | None = None
    for end, number in chosen:
        begin = max(end - BACK, 0)
        if usual is None or usual[0] != end:
            before = without_last(days.others[:, begin:end], late[1])
            good = good_others(before)
            usual = (end, good, Usual.of(before[good], types[begin:end]))
        mine = usual[1] != number
        if not mine.any():
            continue
        others = Usual(usual[2].value[mine], usual[2].deviation[mine])
        m = min(max(n_own, WEEK), end)
        own = _only_last(without_last(days.others[number, end - n_own : end], late[0]), length)
        if np.isfinite(own).sum() < length * days.n_slots / 2:
            continue
        seen = Seen(
            own,
            types[end - m : end],
            others,
            without_last(days.others[usual[1][mine], end - m : end], late[1]),
            [(lead, types[end + lead - 1]) for lead in leads],
        )
        for lead, said in zip(leads, said_of(seen, likeness), strict=False):
            actual = days.others[number, end + lead - 1]
            if np.isfinite(actual).any():
                rule = by_rule(own, lead)
                yield Cut(number, lead, *(each / said.level for each in (said.predictors, said.spread, actual, rule)))


def _only_last(own: Array, length: float) -> Array:
    """Return days of which only so many are known, counted from the last known interval."""
    flat = own.ravel().copy()
    known = np.flatnonzero(np.isfinite(flat))
    if len(known):
        flat[: max(known[-1] + 1 - round(length * own.shape[1]), 0)] = np.nan
    return flat.reshape(own.shape)


def by_rule(own: Array, lead: int) -> Array:
    """Return the mean of the last four same weekdays of some days, else the last known value of each slot: (slots,)."""
    age = np.arange(len(own))[::-1]
    last = np.full(own.shape[1], np.nan)
    for row in own:
        last = np.where(np.isfinite(row), row, last)
    same = own[(age + lead) % WEEK == 0][-_SAME_WEEKDAYS:]
    known = np.isfinite(same)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, same, 0.0).sum(axis=0) / np.maximum(count, 1), last)


def _n_series(cuts: Sequence[Cut]) -> int:
    return len({cut.series for cut in cuts})


def _lesson(length: float, likeness: Likeness, leads: tuple[int, ...], cuts: Sequence[Cut]) -> Lesson:
    coefficients, errors, off, off_by_rule = [], [], [], []
    for lead in leads:
        mine = [cut for cut in cuts if cut.lead == lead] or cuts
        slots = mine[0].predictors.shape[0]
        predictors = np.concatenate([cut.predictors for cut in mine])
        spread, actual, rule = (
            np.concatenate([getattr(cut, name) for cut in mine]) for name in ("spread", "actual", "by_rule")
        )
        slot = np.tile(np.arange(slots), len(mine))
        known = np.isfinite(actual)
        found = least_absolute(predictors[known], actual[known])
        error = actual - predictors @ found
        coefficients.append(found)
        errors.append(_error_quantiles(error[known] / spread[known], slot[known], slots, _n_series(mine)))
        both = known & np.isfinite(rule)
        off.append(np.abs(error[both]))
        off_by_rule.append(np.abs(actual - rule)[both])
    return Lesson(
        length,
        likeness,
        leads,
        np.stack(coefficients),
        np.stack(errors),
        _mean(off),
        _mean(off_by_rule),
        _n_series(cuts),
        len(cuts) // len(leads),
    )


def _mean(parts: Sequence[Array]) -> float:
    together = np.concatenate(parts)
    return float(together.mean()) if len(together) else np.nan


def least_absolute(predictors: Array, actual: Array) -> Array:
    """Return the coefficients of least absolute error, shrunk towards the usual day of similar series as it is."""
    prior = np.zeros(N_PREDICTORS)
    prior[0] = 1.0
    worth = np.diag(predictors.T @ predictors) + 1e-9
    found = prior.copy()
    for _ in range(_ROUNDS):
        away = np.abs(actual - predictors @ found)
        weights = 1 / np.maximum(away, 0.02 * np.median(away) + 1e-9)
        weights /= weights.mean()
        normal = (predictors * weights[:, None]).T @ predictors + _RIDGE * np.diag(worth)
        found = np.linalg.solve(normal, predictors.T @ (weights * actual) + _RIDGE * worth * prior)
    return np.asarray(found)


def _error_quantiles(errors: Array, slot: Instants, slots: int, n_series: int) -> Array:
    """Return the quantiles of errors near each slot, (slots, ``LEVELS``).

    Each level is moved outwards as conformal prediction asks: a new series is one more beside those that were cut.
    """
    wanted = np.clip(0.5 + (np.array(LEVELS) - 0.5) * (1 + 1 / (n_series + _MORE_THAN_ONE)), 0.001, 0.999)
    found = np.empty((slots, len(LEVELS)))
    for k in range(slots):
        apart = np.abs(slot - k)
        near = np.minimum(apart, slots - apart) * _HOURS <= _BESIDE_HOURS * slots
        found[k] = np.quantile(errors[near] if near.any() else errors, wanted)
    return found
