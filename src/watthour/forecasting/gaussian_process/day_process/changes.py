"""Sudden lasting changes that no input explains: a shutdown, a factory that closes, habits that change from one day on.

Each of the last days may have begun one: a step of the load, or a step of its own for each kind of day. A step is one
more term of the covariance, so what each tells of the days since, and how likely it is, follow exactly from the factor
of the days before. A forecast is the mean over all of them and over no change at all, each by how likely it is.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 2.7 and equation 5.8; Adams and
MacKay, Bayesian Online Changepoint Detection (2007), arXiv:0710.3742.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import whiten
from watthour.forecasting.gaussian_process.day_process.dips import DEEP_VAR, INDEPENDENT, WINDOW, far_off, log_gain

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.calendar import Calendar
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_USUAL_DAYS = 365  # that say how large surprises usually are
_FEWEST_DAYS = 60  # of these; before, nothing is called unusual
_LARGE = 2.7  # times the usual variance; surprises have heavier tails than the normal distribution
_N_KINDS = 3  # of days: working, Saturday, rest
_LEVEL_VAR, _KIND_VAR = 0.003, 0.003  # of a step, log load: 5 % squared
_LEVEL_ODDS, _KIND_ODDS = 1e-4, 1e-5  # that a day begins one, of the load and of each kind of day
_LASTING, _PER_DAY = 1e-4, 8.0  # odds that a change lasts before it is seen, times so much with each day of it
_LEAST_ODDS = 0.01  # of a step of the load, below which nothing has changed


@dataclass(frozen=True, slots=True, eq=False)
class LastDays:
    """The last known days as rows of a factor of all days known; a change is looked for in ``WINDOW`` of them."""

    lower: Array  # (k, k) the last rows and columns of the factor
    surprises: Array  # (k, intervals) in parts of their standard deviation, independent of each other
    kinds: Array  # (k, 1 + kinds of day) what a step adds to each day: one, and one in the column of its kind

    def extended(self, cross: Array, lower: Array, surprises: Array, kinds: Array) -> Self:
        """Return these and r later days; ``cross`` are their covariances with these days, whitened, (k, r)."""
        rows = np.concatenate([cross.T, lower], axis=1)
        above = np.concatenate([self.lower, np.zeros(cross.shape)], axis=1)
        return type(self)(
            np.concatenate([above, rows]),
            np.concatenate([self.surprises, surprises]),
            np.concatenate([self.kinds, kinds]),
        )

    def last(self) -> Self:
        """Return those back to which a change may have begun."""
        return type(self)(self.lower[-WINDOW:, -WINDOW:], self.surprises[-WINDOW:], self.kinds[-WINDOW:])

    def expected(self, scale: float, cross: Array, kinds: Array) -> tuple[Array, Array, Array]:
        """Return what changes among these days add to what is expected of asked days, each (m, intervals).

        First with what is likely to last of them, then as if nothing had changed: what was learned of them is taken
        away. Last how large the rest is, which was seen but is not counted on.

        Args:
            scale: variance of usual surprises.
            cross: whitened covariances of these days with the asked ones, (k, m).
            kinds: of the asked days, (m, 1 + kinds of day).
        """
        k, n_kinds = self.kinds.shape
        begun = np.tril(np.ones((k, k)))  # column c: the days from c on
        alike = whiten(self.lower, begun)
        level_var = np.where(far_off(self.lower, self.surprises, scale), DEEP_VAR, _LEVEL_VAR)
        log_level = _log_odds_of_level((alike**2).sum(axis=0) / scale, alike.T @ self.surprises / scale, level_var)
        if _are_too_small(log_level):
            nothing = np.zeros((len(kinds), self.surprises.shape[1]))
            return nothing, nothing, nothing
        steps = whiten(self.lower, (begun[:, :, None] * self.kinds[:, None, :]).reshape(k, -1)).reshape(k, k, n_kinds)
        moments = (steps.reshape(k, -1).T @ self.surprises).reshape(k, n_kinds, -1) / scale
        grams = np.matmul(steps.transpose(1, 2, 0), steps.transpose(1, 0, 2)) / scale  # (k, kinds, kinds)
        variances = np.array([_LEVEL_VAR, *[_KIND_VAR] * (n_kinds - 1)])
        precisions = grams + np.diag(1 / variances)
        sizes = np.linalg.solve(precisions, moments)  # (k, kinds, intervals)
        gained = (moments * sizes).sum(axis=1).mean(axis=1)
        log_kinds = _log_odds(_KIND_ODDS, gained, np.linalg.slogdet(precisions)[1] + np.log(variances).sum())
        log_odds = np.concatenate([[0.0], log_level, log_kinds])
        share = np.exp(log_odds - log_odds.max())
        share /= share.sum()
        of_level, of_kinds = share[1 : k + 1, None], share[k + 1 :, None, None]
        sizes = of_kinds * sizes
        sizes[:, 0] += of_level * moments[:, 0] / (grams[:, 0, 0] + 1 / level_var)[:, None]
        seen = np.tensordot(cross, steps, axes=(0, 0))  # (m, k, kinds) of each step in what was expected already
        seen_size = kinds @ sizes.sum(axis=0)
        sizes *= _lasting(np.arange(k, 0, -1))[:, None, None]
        size = kinds @ sizes.sum(axis=0)
        unchanged = -seen.reshape(len(kinds), -1) @ sizes.reshape(k * n_kinds, -1)
        return unchanged + size, unchanged, np.abs(seen_size - size)


def prefixes_with_changes(lower: Array, surprises: Array, scales: Array) -> Mask:
    """Return after how many of the first days some change is likely enough to count, (n + 1,).

    Args:
        lower: factor of n days.
        surprises: (n, intervals).
        scales: variance of usual surprises after so many days, (n + 1,).
    """
    n_days = len(surprises)
    found = np.full((n_days + 1, WINDOW), -np.inf)  # log odds of the step of so many days before
    for start in range(n_days):
        here = slice(start, min(start + WINDOW, n_days))
        step = whiten(lower[here, here], np.ones(here.stop - start))
        after = np.arange(here.stop - start)
        moments = np.cumsum(step[:, None] * surprises[here], axis=0) / scales[start + 1 : here.stop + 1, None]
        found[start + 1 + after, after] = _log_odds_of_level(
            np.cumsum(step**2) / scales[start + 1 : here.stop + 1], moments
        )
    return ~_are_too_small(found)


def usual_scales(surprises: Array) -> Array:
    """Return the variance that surprises are judged by after the first 0, 1, .. n days, (n + 1,)."""
    sizes = (surprises**2).mean(axis=1)
    usual = [np.median(sizes[max(n - _USUAL_DAYS, 0) : n]) for n in range(_FEWEST_DAYS, len(sizes) + 1)]
    return np.concatenate([np.full(min(_FEWEST_DAYS, len(sizes) + 1), np.inf), _LARGE * np.array(usual)])


def kinds_of(calendar: Calendar) -> Array:
    """Return what a step adds to each day, (n, 1 + kinds of day)."""
    return np.column_stack([np.ones(len(calendar.kind)), *(calendar.kind == kind for kind in range(_N_KINDS))])


def _lasting(n_days: Instants) -> Array:
    """Return how likely changes of so many days go on."""
    odds = _LASTING * _PER_DAY**n_days
    return np.asarray(odds / (1 + odds))


def _log_odds_of_level(gram: Array, moments: Array, variance: Array | float = _LEVEL_VAR) -> Array:
    """Return the log odds of steps of the load; arguments as of ``log_gain``."""
    return np.asarray(math.log(_LEVEL_ODDS) + log_gain(gram, moments, variance))


def _log_odds(before: float, gained: Array, log_determinant: Array) -> Array:
    return np.asarray(math.log(before) + INDEPENDENT / 2 * (gained - log_determinant))


def _are_too_small(log_odds: Array) -> Mask:
    return np.asarray(np.logaddexp.reduce(log_odds, axis=-1) < math.log(_LEAST_ODDS))
