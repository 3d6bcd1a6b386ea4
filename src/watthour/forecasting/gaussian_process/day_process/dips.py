"""Days on which the load was far from usual, as in a shutdown, until it came back: from then on they teach nothing.

Such an event begins with a day far off what was expected. From the second day after its begin on, each day known says
whether the load has come back: the days since the begin are compared under two explanations, a step that goes on and
one that ended on some day. The days of an event that ended are as good as unknown to all forecasts issued after that.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 2.7 and equation 5.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.gaussian_process.conditioning import whiten

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

WINDOW = 56  # days that an event may take, and back to which a step may have begun
DEEP_VAR = 1.0  # of a step that begins with a day far off, log load
LEFT_OUT_VAR = 1e4  # noise of a day that teaches nothing, log load
INDEPENDENT = 2.0  # intervals of a day err together: all of them are evidence like so many
_DEEP, _SUDDEN = 0.25, 10.0  # log load a day is off, and times the variance by which surprises are judged
_SURER = 5.0  # by which the logarithm of the odds that the load came back must exceed those that it did not


@dataclass(frozen=True, slots=True)
class Dip:
    """An event that is over; by position among the days known."""

    begin: int
    end: int  # the first day after it
    since: int  # how many days must be known to see it

    @property
    def rows(self) -> Instants:
        """Its days."""
        return np.arange(self.begin, self.end)


def far_off(lower: Array, surprises: Array, scales: Array | float) -> Mask:
    """Return which days are far from what the days before them let expect, (n,).

    Args:
        lower: factor of the days, (n, n).
        surprises: in parts of their standard deviation, (n, intervals).
        scales: variance by which each is judged, (n,) or one for all.
    """
    sizes = (surprises**2).mean(axis=1)
    away = np.abs(np.median(surprises, axis=1)) * np.diag(lower)
    return np.asarray((away > _DEEP) & (sizes > _SUDDEN * scales))


def first_dip(lower: Array, surprises: Array, scales: Array, *, since: int = 0) -> Dip | None:
    """Return the event that is the first to be seen over, given more than so many days; None where there is none.

    Args:
        lower: factor of n days, or of the last n known.
        surprises: (n, intervals).
        scales: variance by which surprises are judged after the first 0, 1, .. n days, (n + 1,).
        since: days that are known at the least.
    """
    n_days = len(surprises)
    found: Dip | None = None
    for begin in np.flatnonzero(far_off(lower, surprises, scales[:-1])).tolist():
        if found is not None and begin + 2 > found.since:
            break
        last = min(begin + WINDOW, n_days)
        here = slice(begin, last)
        alike = whiten(lower[here, here], np.triu(np.ones((last - begin, last - begin))))  # column d: days up to d
        for n_known in range(max(begin + 2, since + 1), last + 1 if found is None else min(last + 1, found.since)):
            end = _seen_over(alike, surprises[here], float(scales[n_known]), n_known - begin)
            if end:
                found = Dip(begin, begin + end, n_known)
                break
    return found


def log_gain(gram: Array, moments: Array, variance: Array | float) -> Array:
    """Return the log likelihood of terms of the covariance over that without them; of any shape.

    Args:
        gram: squared length of each whitened term.
        moments: with the surprises, intervals as one more dimension.
        variance: of each.
    """
    precision = gram + 1 / variance
    gained = (moments**2).mean(axis=-1) / precision
    return np.asarray(INDEPENDENT / 2 * (gained - np.log(precision * variance)))


def _seen_over(alike: Array, surprises: Array, scale: float, n_known: int) -> int:
    """Return how many of the first days are an event that is over, given so many of them; 0: none is, or not yet.

    Args:
        alike: whitened steps of the first 1, 2, .. days, (days, lengths).
        surprises: of the days, (days, intervals).
        scale: variance of usual surprises.
        n_known: of the days.
    """
    steps = alike[:n_known, :n_known]
    gains = log_gain((steps**2).sum(axis=0) / scale, steps.T @ surprises[:n_known] / scale, DEEP_VAR)
    best = int(np.argmax(gains[:-1]))
    return best + 1 if gains[best] > max(float(gains[-1]), 0.0) + _SURER else 0
