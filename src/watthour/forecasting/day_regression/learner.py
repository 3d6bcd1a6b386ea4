"""The process over the days of one series: squeezed, scaled, factored, and asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.forecasting.day_regression.day_table import between_columns, is_whole
from watthour.forecasting.day_regression.inputs import WEEK, DayFacts, Scale, tables
from watthour.forecasting.day_regression.kernel import Kernel
from watthour.forecasting.day_regression.posterior import Continued, Trained

if TYPE_CHECKING:
    from watthour.forecasting.day_regression.posterior import Expected
    from watthour.forecasting.day_regression.state import State
    from watthour.forecasting.vintages import Array, Instants

_LEARNED_DAYS = 400  # the last ones, by which constants are learned
_STEPS, _MORE_STEPS = 25, 10  # of the search for the first lead, and for each after it
_KNEE = 1.0  # usual widths beyond which values count by their logarithm
_KEPT = 8  # leads whose factor is kept


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """Days since the training as some requests know them, in order of time."""

    first_day: int
    values: Array  # (r, intervals) NaN where unknown
    covariates: Array  # (r, variables, hours) as known at issue; NaN where unknown


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Forecasts in the unit of the channel."""

    point: Array  # (m, intervals)
    width: Array  # (m, intervals) half of what one expected deviation to both sides spans


class Learner:
    """What a state's days say of others.

    Raises:
        InvalidInput: all values are the same.
    """

    def __init__(self, state: State, holidays: Instants) -> None:
        self._state, self._holidays = state, holidays
        self._scale = Scale.of(state.values)
        if self._scale.width == 0:
            raise InvalidInput(
                state.channel,
                self._scale.centre,
                "all its values are the same, so there is nothing to learn",
                remedy="Choose model='seasonal_naive', which repeats them.",
            )
        self._covariate_scales = [Scale.of(state.covariates[:, k]) for k in range(state.covariates.shape[1])]
        rows = np.flatnonzero(is_whole(state.values))
        self.rows = rows[rows >= WEEK]
        squeezed = self._squeezed(state.values[self.rows])
        self._means = squeezed.mean(axis=0)
        self._deviations = np.maximum(squeezed.std(axis=0), 0.05 * squeezed.std())
        self._values = (squeezed - self._means) / self._deviations
        self._trained: dict[int, Trained] = {}

    @property
    def days(self) -> Instants:
        """The days it was trained on."""
        return self._state.first_day + self.rows

    def learn(self, leads: tuple[int, ...]) -> Array:
        """Return the likeliest constants for forecasts of so many days ahead, (leads, constants)."""
        kernel, found = None, []
        last = slice(-_LEARNED_DAYS, None)
        for lead in leads:
            inputs = (
                self._facts(self.days, lead)
                .groups(self._scale, self._covariate_scales, _KNEE)
                .take(np.arange(len(self.rows))[last])
            )
            steps = _STEPS if kernel is None else _MORE_STEPS
            kernel = (kernel or Kernel.start(len(inputs.groups))).learned(inputs, self._values[last], n_steps=steps)
            found.append(kernel.log)
        return np.stack(found)

    def predict(
        self, asked: DayFacts, lead: int, later: Later, n_trained: Instants, last_known: Instants
    ) -> tuple[Points, Points, Instants]:
        """Return forecasts of m days, and what would have been forecast for all known ones, which the third names.

        Args:
            asked: the days.
            lead: days from the last known one to each of them.
            later: days since the training.
            n_trained: how many of the first training days each request knows, (m,).
            last_known: the last day each request knows, (m,).
        """
        continued = self._continued(lead, later)
        new = continued.later.day
        n_later = np.where(n_trained == len(self.rows), np.searchsorted(new, last_known, side="right"), 0)
        groups = asked.groups(self._scale, self._covariate_scales, _KNEE)
        return (
            self._points(continued.predict(groups, n_trained, n_later)),
            self._points(continued.online(lead)),
            np.concatenate([self.days, new]),
        )

    def _continued(self, lead: int, later: Later) -> Continued:
        trained = self._trained.get(lead)
        if trained is None:
            state = self._state
            nearest = max((k for k, each in enumerate(state.leads) if each <= lead), default=0)
            inputs = self._facts(self.days, lead).groups(self._scale, self._covariate_scales, _KNEE)
            trained = Trained.of(Kernel(state.constants[nearest]), inputs, self._values)
            if len(self._trained) < _KEPT:
                self._trained[lead] = trained
        rows = np.flatnonzero(is_whole(later.values))
        days = later.first_day + rows
        inputs = self._facts(days, lead, later).groups(self._scale, self._covariate_scales, _KNEE)
        values = (self._squeezed(later.values[rows]) - self._means) / self._deviations
        return Continued.of(trained, inputs, values)

    def _facts(self, days: Instants, lead: int, later: Later | None = None) -> DayFacts:
        """Return what known days would have been forecast from."""
        state = self._state
        values, covariates = state.values, state.covariates
        if later is not None:
            values = np.concatenate([values, later.values])
            covariates = np.concatenate([covariates, later.covariates])
        hourly = state.clock.hourly(between_columns(np.where(is_whole(values)[:, None], values, np.nan)))
        return DayFacts.of_table(days, state.first_day, *tables(hourly, covariates), lead, self._holidays)

    def _squeezed(self, values: Array) -> Array:
        return self._scale.squeezed(between_columns(values), _KNEE)

    def _points(self, expected: Expected) -> Points:
        """Return forecasts in the unit of the channel."""
        middle, spread = self._means + self._deviations * expected.mean, self._deviations * expected.deviation[:, None]
        low, point, high = (self._scale.unsqueezed(middle + side * spread, _KNEE) for side in (-1, 0, 1))
        return Points(point, (high - low) / 2)
