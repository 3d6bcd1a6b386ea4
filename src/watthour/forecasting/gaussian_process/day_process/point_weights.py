"""How much of the load stands behind each weather point, learnt from how the load follows heat and cold there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.calendar import JULIAN_YEAR
from watthour.forecasting.panel import mean_known

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.day_process.calendar import Calendar
    from watthour.forecasting.vintages import Array

_MILD_C = 15.6  # 60 degF
_ROUNDS = 10  # of fitting the response given the shares, then the shares given the response
_PRIOR_DAYS = 30.0  # of the given shares, in days of load
# Only the first two years are learnt from: the shares of later trainings are the same, and no past forecast moves.
_YEAR, _LEARNT_DAYS = 365, 730
_LEAST_GAIN = 0.05  # of the error in a year that was not learnt from, below which the given shares stay
_SUM = 1e4  # how firmly the shares sum to 1
_SEASONS = 3  # harmonics of the year


def learned_shares(calendar: Calendar, log_loads: Array, weather: Array, given: Array) -> Array:
    """Return the share of the load at each point, (points,), at least 0 and summing to 1.

    The mean log load of a day is taken to follow its calendar, and heat and cold at each point with its share; the
    shares are learnt by least squares, held near the given ones. They count only where those of the first year explain
    the second one clearly better than the given ones do.

    Args:
        calendar: of the n days.
        log_loads: (n, intervals), NaN where unknown.
        weather: of the day itself, (n, points, 4) [degC]; NaN where unknown.
        given: the shares to begin with, summing to 1, (points,).
    """
    if len(log_loads) < _LEARNT_DAYS or len(given) < 2:  # noqa: PLR2004 - one point has it all
        return given
    first, both = slice(_YEAR), slice(_LEARNT_DAYS)
    base = _calendar_terms(calendar)[both]
    values = (mean_known(log_loads[both]), *_degrees(weather[both]))
    usable = np.logical_and.reduce([np.isfinite(each.reshape(len(each), -1)).all(axis=1) for each in values])
    if min(usable[first].sum(), usable[_YEAR:].sum()) < _YEAR / 2:
        return given
    load, warm, cold = (each[usable] - _explained(base[usable], each[usable]) for each in values)
    n_first = int(usable[first].sum())
    early = _fitted(load[:n_first], warm[:n_first], cold[:n_first], given)
    errors = [
        float(
            np.std(
                load[n_first:]
                - _response(load[:n_first], warm[:n_first], cold[:n_first], shares, warm[n_first:], cold[n_first:])
            )
        )
        for shares in (early, given)
    ]
    return _fitted(load, warm, cold, given) if errors[0] < (1 - _LEAST_GAIN) * errors[1] else given


def _fitted(load: Array, warm: Array, cold: Array, given: Array) -> Array:
    """Return the shares that fit some days best, held near the given ones."""
    from scipy.optimize import nnls

    shares = given
    for _ in range(_ROUNDS):
        heat, chill = _slopes(load, warm @ shares, cold @ shares)
        at_points = heat * warm + chill * cold
        held = np.sqrt(_PRIOR_DAYS * np.var(at_points @ given) / np.maximum(given, 1e-3))
        firm = _SUM * np.std(load)
        left = np.concatenate([at_points, np.diag(held), np.full((1, len(given)), firm)])
        shares = nnls(left, np.concatenate([load, held * given, [firm]]))[0]
        shares = shares / shares.sum()
    return np.asarray(shares)


def _response(load: Array, warm: Array, cold: Array, shares: Array, later_warm: Array, later_cold: Array) -> Array:
    """Return what later days are expected to be by the response of earlier ones."""
    heat, chill = _slopes(load, warm @ shares, cold @ shares)
    return np.asarray(heat * (later_warm @ shares) + chill * (later_cold @ shares))


def _slopes(load: Array, warm: Array, cold: Array) -> Array:
    """Return how the load follows heat and cold, (2,) [1/K]."""
    return np.asarray(np.linalg.lstsq(np.stack([warm, cold], axis=1), load, rcond=None)[0])


def _explained(base: Array, values: Array) -> Array:
    """Return what the calendar explains of values, of their shape."""
    return np.asarray(base @ np.linalg.lstsq(base, values, rcond=None)[0])


def _degrees(weather: Array) -> tuple[Array, Array]:
    """Return how much warmer and colder than mild each point is, (n, points) each [K]."""
    mean = weather[..., :2].mean(axis=-1)
    return np.maximum(mean - _MILD_C, 0), np.maximum(_MILD_C - mean, 0)


def _calendar_terms(calendar: Calendar) -> Array:
    angle = 2 * np.pi * np.asarray(calendar.day_of_year)[:, None] * np.arange(1, _SEASONS + 1) / JULIAN_YEAR
    weekday = np.asarray(calendar.weekday)[:, None] == np.arange(7)
    index = np.asarray(calendar.index)
    trend = (index - index[0]) / JULIAN_YEAR
    return np.column_stack([weekday, np.cos(angle), np.sin(angle), trend, calendar.is_special]).astype(np.float64)
