"""Several providers of weather as alternatives: one is the reference, each of the others can stand in for it.

A stand-in is moved to where the reference would be by a regression per point, extreme and day before, learnt from the
days on which both were known and shrunk towards "the same, but for a constant". Each stand-in has a variant of the
model: its training days have the stand-in's weather where that is known, moved like the weather of the forecast, so
that the errors it learns from are those it will make.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.calendar import JULIAN_YEAR
from watthour.forecasting.gaussian_process.day_process.feed_weather import FeedWeather
from watthour.forecasting.gaussian_process.day_process.weather import (
    WeatherLevel,
    days_before_filled,
    points_filled,
    running_offsets,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.gaussian_process.day_process.state import State
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

REFERENCE = -1  # the variant that stands on the weather the model was trained with
_FEWEST_TOGETHER = 28  # days on which both were known, before one can stand in for the other
_RENEWED = 7  # such days after which the regression is worked out anew
_MIDDLE_C, _SPAN_C = 10.0, 10.0  # of the temperatures that the slope is learnt from
# A constant is learnt from a month, a slope and a season from a year: in days that say "none" of each.
_PRIOR_DAYS = np.array([1.0, 30.0, 30.0, 30.0])


@dataclass(frozen=True, slots=True, eq=False)
class StandIn:
    """How one provider's weather is moved to where the reference would be, by the days both were known."""

    n_together: Instants  # (n + 1,) days on which both were known, among the first 0, 1, .. n training days
    coefficients: Array  # (blocks + 1, points, LAGS, 4, terms) [K]

    @classmethod
    def learn(cls, days: Instants, reference: Array, other: Array) -> Self:
        """Learn from training days in order of time.

        Args:
            days: numbers since 1970, (n,).
            reference: (n, points, LAGS, 4) [degC], NaN where unknown.
            other: at the points of the reference, likewise.
        """
        known = np.isfinite(reference) & np.isfinite(other)
        together = np.asarray(known[:, :, 0, : WeatherLevel.TEMPERATURE].all(axis=-1)).any(axis=1)
        rows = np.flatnonzero(together)
        gram = np.zeros((*reference.shape[1:], len(_PRIOR_DAYS), len(_PRIOR_DAYS)))
        gram += np.diag(_PRIOR_DAYS)
        moment = np.zeros((*reference.shape[1:], len(_PRIOR_DAYS)))
        found = [moment]
        for start in range(0, len(rows) - _RENEWED + 1, _RENEWED):
            block = rows[start : start + _RENEWED]
            terms = np.where(known[block][..., None], _terms(days[block], other[block]), 0.0)
            away = np.where(known[block], reference[block] - other[block], 0.0)
            gram = gram + np.einsum("rplki,rplkj->plkij", terms, terms)
            moment = moment + np.einsum("rplki,rplk->plki", terms, away)
            found.append(np.linalg.solve(gram, moment[..., None])[..., 0])
        return cls(np.concatenate([[0], np.cumsum(together)]), np.stack(found))

    def moved(self, days: Instants, other: Array, n_known: Instants) -> Array:
        """Return the weather of days where the reference would be, NaN where too little was known to learn it.

        Args:
            days: (m,).
            other: at the points of the reference, (m, points, LAGS, 4) [degC].
            n_known: of the training days, (m,).
        """
        n_together = self.n_together[n_known]
        coefficients = self.coefficients[n_together // _RENEWED]
        moved = other + (_terms(days, other) * coefficients).sum(axis=-1)
        return np.where((n_together >= _FEWEST_TOGETHER)[:, None, None, None], moved, np.nan)


class Feeds:
    """The weather of the training days by provider, and what the providers of a request's weather can stand in for."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._trained: dict[int, tuple[Array, Mask]] = {}

    @cached_property
    def offsets(self) -> Array:
        """How far each weather point is from all after the first 0, 1, .. training days, (days + 1, points, 4) [K]."""
        return running_offsets(self._state.weather)

    @cached_property
    def _stand_ins(self) -> list[StandIn]:
        state = self._state
        return [StandIn.learn(state.days, state.weather, each.at(state.points)) for each in state.others]

    def name_of(self, variant: int) -> str:
        """Return the provider of a variant's weather."""
        name = self._state.others[variant].name if variant != REFERENCE else ""
        return name or "another provider"

    def trained(self, variant: int) -> tuple[Array, Mask]:
        """Return the weather of the training days in a variant, filled, and which days' is a stand-in's, (n,)."""
        if variant not in self._trained:
            state = self._state
            n_before = np.searchsorted(state.days, state.days - state.schedule.lag, side="right")
            own = FeedWeather(state.points, state.weather)
            self._trained[variant] = self.filled(variant, state.days, own, state.others, n_before)
        return self._trained[variant]

    def variant_of(self, reference: FeedWeather, others: Sequence[FeedWeather]) -> Instants:
        """Return by which variant each day is forecast, (days,): that of the first provider that knows its weather."""
        found = np.full(len(reference.values), REFERENCE)
        for number in reversed(range(len(others))):
            if self._stand_ins[number].n_together[-1] >= _FEWEST_TOGETHER:
                found[others[number].is_known] = number
        found[reference.is_known] = REFERENCE
        return found

    def filled(
        self,
        variant: int,
        days: Instants,
        reference: FeedWeather,
        others: Sequence[FeedWeather],
        n_known: Instants,
    ) -> tuple[Array, Mask]:
        """Return the weather of days in a variant, and which days' is a stand-in's, (days,).

        Single points are filled from the others, what the provider of the variant lacks from the other providers, and
        days before from the day after them. What nobody forecast of a request's own day stays NaN.

        Args:
            variant: REFERENCE, or the number of the stand-in.
            days: (days,).
            reference: their weather by it.
            others: and by the others.
            n_known: of the training days, at each, (days,).
        """
        points = self._state.points
        found = points_filled(reference.values, self.offsets[n_known])
        substituted = np.zeros(len(days), dtype=np.bool_)
        moved = [
            stand_in.moved(days, other.at(points), n_known) if other.is_known.any() else np.full_like(found, np.nan)
            for stand_in, other in zip(self._stand_ins, others, strict=True)
        ]
        if variant != REFERENCE:
            is_known = _has_day(moved[variant])
            found = np.where(is_known[:, None, None, None] & np.isfinite(moved[variant]), moved[variant], found)
            substituted |= is_known
        for each in moved:
            substituted |= ~_has_day(found) & _has_day(each)
            found = np.where(np.isfinite(found), found, each)
        return days_before_filled(found), substituted


def _has_day(weather: Array) -> Mask:
    """Return of which days, (days,), the temperatures are known at every point."""
    known = np.isfinite(weather[:, :, 0, : WeatherLevel.TEMPERATURE])
    return np.asarray(known.all(axis=(1, 2)) & (weather.shape[1] > 0))


def _terms(days: Instants, weather: Array) -> Array:
    """Return a constant, the temperature and the season, (days, points, LAGS, 4, terms)."""
    angle = 2 * np.pi * days / JULIAN_YEAR
    season = (np.broadcast_to(each[:, None, None, None], weather.shape) for each in (np.cos(angle), np.sin(angle)))
    return np.stack([np.ones(weather.shape), (weather - _MIDDLE_C) / _SPAN_C, *season], axis=-1)
