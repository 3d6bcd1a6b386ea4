"""From values and covariates of days to groups of inputs, each scaled by what is usual for the series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.forecasting.calendar import WEEKEND
from watthour.forecasting.day_regression.day_table import between_columns, filled
from watthour.forecasting.day_regression.kernel import Inputs
from watthour.forecasting.optional_calendars import in_period

if TYPE_CHECKING:
    from watthour.forecasting.vintages import Array, Instants

WEEK = 7
COVARIATE_LAGS = (0, 1, WEEK)  # the day itself, the day before, the same weekday of the week before
REACH_BACK = 21  # days before the last known one that inputs may come from
_LAST_HOURS = 2  # of the last known day, which are nearest to the asked one
_ROUNDING = 1e-12  # share of a value, below which a difference is none
_SMALLEST_SCALE = 0.1  # of the standard deviation, where most values are alike
_KNOTS = (0.15, 0.5, 0.85)  # of the values of a covariate
_OUTER, _INNER = 3.0, 1.5  # make their squares about 1
_NORMAL = 1.4826  # the standard deviation of normal values, in median absolute deviations


@dataclass(frozen=True, slots=True)
class Form:
    """What a process may make of its inputs; the mean of several forms is better than any."""

    bends: bool = False  # straight lines in the covariates may bend where these are high, low, and in the middle
    has_own: bool = False  # beside the smooth function of all inputs, one of the asked day's covariates alone
    learned_days: int = 728  # the last ones, by which its constants are learned
    is_relative: bool = False  # values and covariates count by how far they are from those of the days before
    is_exact: bool = False  # several days ahead too, it learns from covariates as known at the shortest lead


# A saved model has the constants of the first so many: add at the end.
FORMS = (
    Form(),
    Form(bends=True, learned_days=400, is_exact=True),
    Form(has_own=True),
    Form(is_relative=True, is_exact=True),
)
WITHOUT_COVARIATES = FORMS[:1]


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Where usual values lie, and how far apart: the median and the median absolute deviation."""

    centre: float
    width: float  # zero where all are the same
    knots: tuple[float, ...] = ()  # where lines may bend [usual widths, squeezed]

    @classmethod
    def of(cls, values: Array) -> Self:
        """Measure values of any shape; NaN is left out."""
        known = values[np.isfinite(values)]
        if not known.size:
            return cls(0.0, 0.0)
        centre = float(np.median(known))
        deviation = float(np.median(np.abs(known - centre))) * _NORMAL
        width = max(deviation, _SMALLEST_SCALE * float(known.std()))
        if width <= _ROUNDING * abs(centre):  # the mean of equal numbers may differ from them in the last digit
            return cls(centre, 0.0)
        knots = np.arcsinh((np.quantile(known, _KNOTS) - centre) / width)
        return cls(centre, width, tuple(knots.tolist()))

    def squeezed(self, values: Array) -> Array:
        """Return values in usual widths; beyond one of them they grow with the logarithm only, of either sign.

        Source: Uniejewski, Weron and Ziel, IEEE Transactions on Power Systems 33 (2018), the asinh transform.
        """
        return np.asarray(np.arcsinh((values - self.centre) / self.width))

    def unsqueezed(self, values: Array) -> Array:
        """Return what ``squeezed`` was given."""
        return np.asarray(self.centre + self.width * np.sinh(values))

    def bent(self, squeezed: Array) -> list[Array]:
        """Return by how much squeezed values lie below the first knot, and above the second and the third."""
        low, middle, high = self.knots
        return [
            _OUTER * np.maximum(low - squeezed, 0),
            _INNER * np.maximum(squeezed - middle, 0),
            _OUTER * np.maximum(squeezed - high, 0),
        ]


@dataclass(frozen=True, slots=True, eq=False)
class DayCalendar:
    """The calendar of a place over the days that are looked at."""

    code: str | None
    holidays: Instants  # among these days


@dataclass(frozen=True, slots=True, eq=False)
class DayFacts:
    """What n days are forecast from, in the units it was measured in; filled, so that nothing is unknown."""

    day: Instants  # (n,)
    values: Array  # (n, 4, hours) of the last known day, of the two before it, and of the same weekday before
    covariates: Array  # (n, lags, variables, hours)
    is_holiday: Array  # (n,)
    in_period: Array  # (n, 1 + 4, p) whether the day, and those of its values, lie in periods such as Ramadan

    @classmethod
    def of(cls, days: Instants, values: Array, covariates: Array, lead: int, calendar: DayCalendar) -> Self:
        """Return them with what the calendar says of the days, and of those of their values."""
        around = days[:, None] - np.array([0, *lags_of(lead)])
        is_holiday = np.isin(days, calendar.holidays).astype(np.float64)
        return cls(days, values, covariates, is_holiday, in_period(calendar.code, around))

    @classmethod
    def of_table(
        cls,
        days: Instants,
        first_day: int,
        values: Array,
        covariates: Array,
        lead: int,
        calendar: DayCalendar,
        *,
        n_ahead: int,
    ) -> Self:
        """Return them of days whose neighbours are rows of two tables: values may be used up to ``lead`` days before.

        Args:
            days: n of them.
            first_day: of the tables.
            values: (rows, hours), filled.
            covariates: (issues, rows, variables, hours), filled, as known at the shortest lead, a day before that, ...
            lead: days from the last known day to each of the days.
            calendar: of the place.
            n_ahead: days that the lead is longer than the shortest.
        """
        rows = days - first_day
        back = np.array(lags_of(lead))
        value_rows = np.clip(rows[:, None] - back, 0, len(values) - 1)
        lags = np.array(COVARIATE_LAGS)
        covariate_rows = np.clip(rows[:, None] - lags, 0, covariates.shape[1] - 1)
        ahead = np.clip(n_ahead - lags, 0, len(covariates) - 1)
        return cls.of(days, values[value_rows], covariates[ahead, covariate_rows], lead, calendar)

    def base(self, scale: Scale, form: Form) -> Array:
        """Return what squeezed values are forecast from, (n,): the mean of the days before, or zero."""
        if not form.is_relative:
            return np.zeros(len(self.day))
        return np.asarray(scale.squeezed(self.values).mean(axis=(1, 2)))

    def groups(self, scale: Scale, covariate_scales: list[Scale], form: Form) -> Inputs:
        """Return the groups of inputs: days of values, the last hours, each covariate of each day, and the weekday."""
        hours = self.values.shape[-1]
        base = self.base(scale, form)
        values = scale.squeezed(self.values) - base[:, None, None]
        n_last = max(1, round(_LAST_HOURS * hours / 24))
        found = [values[:, k] / np.sqrt(hours) for k in range(values.shape[1])]
        found.append(values[:, 0, -n_last:] / np.sqrt(n_last))
        own = []
        for k, each in enumerate(covariate_scales):
            squeezed = each.squeezed(self.covariates[:, :, k])
            if form.is_relative:
                squeezed = squeezed - squeezed[:, 1:].mean(axis=(1, 2), keepdims=True)
            own.append(len(found))
            found += [squeezed[:, lag] / np.sqrt(hours) for lag in range(len(COVARIATE_LAGS))]
            if form.bends:
                found += [part / np.sqrt(hours) for part in each.bent(squeezed[:, 0])]
        if form.is_relative:
            found.append(base[:, None])
        weekday = (self.day + 3) % WEEK  # 1970-01-01 was a Thursday
        # a holiday is a day of its own kind, most like a Sunday
        kinds = np.eye(WEEK + 1)[np.where(self.is_holiday > 0, WEEK, weekday)]
        kinds[:, WEEK - 1] += 0.7 * self.is_holiday
        off = ((weekday >= WEEKEND) | (self.is_holiday > 0)).astype(np.float64)
        found += [kinds, off[:, None]]
        if self.in_period.shape[2]:
            found += [self.in_period[:, 0], self.in_period[:, 1:].reshape(len(self.day), -1)]
        return Inputs(found, self.day, tuple(own) if form.has_own else ())


def lags_of(lead: int) -> tuple[int, int, int, int]:
    """Return how many days before the asked one the values of its inputs lie."""
    return lead, lead + 1, lead + 2, -(-lead // WEEK) * WEEK


def tables(values: Array, covariates: Array) -> tuple[Array, Array]:
    """Return values, (n, hours), and covariates, (.., n, variables, hours), of days with their gaps filled from before.

    Those of covariates within a day are filled from the hours beside them first, as at a forecast.
    """
    return filled(values, axis=0), filled(between_columns(covariates), axis=-3)
