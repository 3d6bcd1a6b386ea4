"""The process over the days of one series: squeezed, scaled, factored, and asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.forecasting.day_regression.day_table import between_columns, is_whole
from watthour.forecasting.day_regression.inputs import FORMS, WEEK, WITHOUT_COVARIATES, DayFacts, Scale, tables
from watthour.forecasting.day_regression.kernel import Kernel
from watthour.forecasting.day_regression.posterior import Continued, Trained
from watthour.forecasting.panel import mean_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.day_regression.inputs import DayCalendar, Form
    from watthour.forecasting.day_regression.kernel import Inputs
    from watthour.forecasting.day_regression.posterior import Expected
    from watthour.forecasting.day_regression.state import State
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_FEWER_DAYS = 365  # by which the constants of each lead after the first are learned, from those of the one before on
_STEPS, _MORE_STEPS = 25, 10  # of the search for the first lead, and for each after it
_FURTHEST = 4.0  # standard deviations that a value counts as at most
_KNOWN_WELL = 120  # days that a shorter memory needs to know for its answer to count
_KEPT = 24  # factors that are kept, of forms and leads


@dataclass(frozen=True, slots=True, eq=False)
class Later:
    """Days since the training as some requests know them, in order of time."""

    first_day: int
    values: Array  # (r, intervals) NaN where unknown
    covariates: Array  # (issues, r, variables, hours) as those of a state

    def without_covariates(self) -> Self:
        """Return them for a process that was learned without."""
        return replace(self, covariates=self.covariates[:, :, :0])


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """What is usual of squeezed values, interval by interval."""

    means: Array  # (intervals,)
    deviations: Array  # (intervals,)

    @classmethod
    def of(cls, squeezed: Array) -> Self:
        """Measure days, (n, intervals)."""
        usual = float(squeezed.std()) or 1.0  # nothing moved but in the first week, which is not learned
        return cls(squeezed.mean(axis=0), np.maximum(squeezed.std(axis=0), 0.05 * usual))

    def scaled(self, squeezed: Array) -> Array:
        """Return values with a variance of about 1; a spike counts as just beyond what is usual."""
        return np.asarray(np.clip((squeezed - self.means) / self.deviations, -_FURTHEST, _FURTHEST))


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Forecasts in the unit of the channel."""

    point: Array  # (m, intervals)
    width: Array  # (m, intervals) half of what one expected deviation to both sides spans

    @classmethod
    def mean(cls, several: Sequence[Self]) -> Self:
        """Return the mean of several; NaN says that one has none."""
        point, width = (
            mean_known(np.stack([getattr(each, name) for each in several]), axis=0) for name in ("point", "width")
        )
        return cls(point, width)

    def moved(self, shift: Array, spread: Array) -> Points:
        """Return them moved by so many widths, each width so many times as large; (m, hours) each."""
        each = self.point.shape[1] // shift.shape[1]
        shift, spread = np.repeat(shift, each, axis=1), np.repeat(spread, each, axis=1)
        return Points(self.point + shift * self.width, self.width * spread)

    def take(self, rows: Instants) -> Points:
        """Return some rows."""
        return Points(self.point[rows], self.width[rows])

    def where(self, rows: Mask) -> Points:
        """Return some rows, NaN in the others."""
        return Points(np.where(rows[:, None], self.point, np.nan), np.where(rows[:, None], self.width, np.nan))

    def followed_by(self, other: Points) -> Points:
        """Return both, these first."""
        return Points(np.concatenate([self.point, other.point]), np.concatenate([self.width, other.width]))

    def spread(self, rows: Instants, n: int) -> Points:
        """Return them as rows of a longer table, NaN in the others."""
        point, width = (np.full((n, self.point.shape[1]), np.nan) for _ in range(2))
        point[rows], width[rows] = self.point, self.width
        return Points(point, width)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a learner says of asked days, and would have said of all days it knows."""

    told: Points  # (m, ..) NaN where it knew too few days
    online: Points  # (d, ..) likewise
    days: Instants  # (d,)
    n_known: Instants  # (m,) how many of these days each request knows


class Learner:
    """What a state's days say of others, to requests that know at least so many of them, and until some day.

    Raises:
        InvalidInput: all values are the same.
    """

    def __init__(
        self,
        state: State,
        calendar: DayCalendar,
        *,
        n_forms: int | None = None,
        fewest_days: int = 0,
        until: int | None = None,
    ) -> None:
        self._state, self._calendar = state, calendar
        self._until = np.inf if until is None else until
        self.scale = Scale.of(state.values)
        if self.scale.width == 0:
            raise InvalidInput(
                state.channel,
                self.scale.centre,
                "all its values are the same, so there is nothing to learn",
                remedy="Choose another model: seasonal_naive, which repeats them.",
            )
        self.covariate_scales = [Scale.of(state.covariates[0, :, k]) for k in range(state.covariates.shape[2])]
        rows = np.flatnonzero(is_whole(state.values))
        self.rows = rows[rows >= WEEK]
        self._fewest = min(fewest_days, len(self.rows))
        self._published = np.maximum.accumulate(state.known_since[self.rows])
        self._trained: dict[tuple[int, int], tuple[Trained, Standard, Points]] = {}
        forms = FORMS if self.covariate_scales else WITHOUT_COVARIATES
        self._forms = forms[: len(state.constants) or n_forms]  # an older model has fewer

    @property
    def days(self) -> Instants:
        """The days it was trained on."""
        return self._state.first_day + self.rows

    def learn(self, leads: tuple[int, ...]) -> list[Array]:
        """Return the likeliest constants of each form for forecasts of so many days ahead, each (leads, constants)."""
        constants = []
        for form in self._forms:
            kernel, found = None, []
            for lead in leads:
                n_days, steps = (form.learned_days, _STEPS) if kernel is None else (_FEWER_DAYS, _MORE_STEPS)
                last = np.arange(len(self.rows))[-n_days:]
                facts = self.facts(self.days, lead, form=form)
                inputs, values = self._inputs(facts, form).take(last), self._learned(facts, form)[1][last]
                kernel = (kernel or Kernel.start(inputs)).learned(inputs, values, n_steps=steps)
                found.append(kernel.log)
            constants.append(np.stack(found))
        return constants

    def predict(self, asked: DayFacts, lead: int, later: Later, issued: Instants, last_known: Instants) -> Answer:
        """Forecast m days, each from the days that were known at its issue.

        Args:
            asked: the days.
            lead: days from the last known one to each of them.
            later: days since the training.
            issued: the instant of each issue, (m,).
            last_known: the last day each request knows, (m,).
        """
        since = later.first_day + np.flatnonzero(is_whole(later.values))
        published = np.searchsorted(self._published, issued, side="right")
        n_trained = np.minimum(published, np.searchsorted(self.days, last_known, side="right"))
        n_later = np.where(n_trained == len(self.rows), np.searchsorted(since, last_known, side="right"), 0)
        told, online = [], []
        for number, form in enumerate(self._forms):
            trained, standard, before = self._factored(number, lead)
            facts = self.facts(since, lead, later, form)
            later_base, asked_base = (each.base(self.scale, form)[:, None] for each in (facts, asked))
            values = standard.scaled(self._squeezed(later.values[is_whole(later.values)]) - later_base)
            continued = Continued.of(trained, self._inputs(facts, form), values, lead)
            expected = continued.predict(self._inputs(asked, form), n_trained, n_later)
            told.append(self._points(expected, standard, asked_base))
            online.append(before.followed_by(self._points(continued.online(lead), standard, later_base)))
        days = np.concatenate([self.days, since])
        knows = (n_trained >= self._fewest) & (last_known <= self._until)
        told_well = (np.arange(len(days)) >= self._fewest) & (days <= self._until)
        return Answer(Points.mean(told).where(knows), Points.mean(online).where(told_well), days, n_trained + n_later)

    def factor(self, leads: tuple[int, ...]) -> None:
        """Make the factors for forecasts of so many days ahead, as far as they are kept."""
        for number, lead in list(product(range(len(self._forms)), leads))[:_KEPT]:
            self._factored(number, lead)

    def _factored(self, number: int, lead: int) -> tuple[Trained, Standard, Points]:
        """Return the factored days of a form and a lead, their scale, and what would have been said of each of them."""
        found = self._trained.get((number, lead))
        if found is None:
            state = self._state
            nearest = max((k for k, each in enumerate(state.leads) if each <= lead), default=0)
            form = self._forms[number]
            facts = self.facts(self.days, lead, form=form)
            inputs = self._inputs(facts, form)
            kernel = Kernel(state.constants[number][nearest], len(inputs.groups))
            standard, values = self._learned(facts, form)
            trained = Trained.of(kernel, inputs, values, lead)
            told = self._points(trained.online(lead), standard, facts.base(self.scale, form)[:, None])
            found = trained, standard, told
            if len(self._trained) < _KEPT:
                self._trained[number, lead] = found
        return found

    def _inputs(self, facts: DayFacts, form: Form) -> Inputs:
        return facts.groups(self.scale, self.covariate_scales, form)

    def facts(self, days: Instants, lead: int, later: Later | None = None, form: Form = FORMS[0]) -> DayFacts:
        """Return what known days would have been forecast from by a form."""
        state = self._state
        values, covariates = state.values, state.covariates
        if later is not None:
            values = np.concatenate([values, later.values])
            covariates = np.concatenate([covariates, later.covariates], axis=1)
        hourly = state.clock.hourly(between_columns(np.where(is_whole(values)[:, None], values, np.nan)))
        return DayFacts.of_table(
            days,
            state.first_day,
            *tables(hourly, covariates),
            lead,
            self._calendar,
            n_ahead=0 if form.is_exact else lead - state.leads[0],
        )

    def _learned(self, facts: DayFacts, form: Form) -> tuple[Standard, Array]:
        """Return what is usual of the training days as a form forecasts them, and their scaled values."""
        squeezed = self._squeezed(self._state.values[self.rows]) - facts.base(self.scale, form)[:, None]
        standard = Standard.of(squeezed)
        return standard, standard.scaled(squeezed)

    def _squeezed(self, values: Array) -> Array:
        return self.scale.squeezed(between_columns(values))

    def _points(self, expected: Expected, standard: Standard, base: Array) -> Points:
        """Return forecasts in the unit of the channel; ``base`` is (m, 1)."""
        middle = base + standard.means + standard.deviations * expected.mean
        spread = standard.deviations * expected.deviation[:, None]
        low, point, high = (self.scale.unsqueezed(middle + side * spread) for side in (-1, 0, 1))
        return Points(point, (high - low) / 2)


def learners_of(state: State, calendar: DayCalendar, n_forms: int | None = None) -> list[Learner]:
    """Return a learner for each memory of a state, the longest first; one that learns has the first so many forms.

    A shorter one answers only requests that know its days well, and for half as long as it remembers: a model that is
    not fitted again leaves its scale behind.
    """
    learned = len(state.constants) // len(state.memories)
    parts = [
        state.last(n_days, state.constants[number * learned : (number + 1) * learned])
        for number, n_days in enumerate(state.memories)
    ]
    return [
        Learner(parts[0], calendar, n_forms=n_forms),
        *(
            Learner(
                part,
                calendar,
                n_forms=n_forms,
                fewest_days=_KNOWN_WELL,
                until=part.last_day + len(part.values) // 2,
            )
            for part in parts[1:]
        ),
    ]
