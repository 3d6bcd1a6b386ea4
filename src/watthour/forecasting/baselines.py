"""The rules every model must beat: yesterday or last week again, means of days or weeks, and what others publish."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, Self

import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS, Maker
from watthour.core.units import Quantity
from watthour.forecasting.adaptive import adapted
from watthour.forecasting.calibrate import FEWEST_ERRORS, Spread, cells
from watthour.forecasting.features import actuals, features
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.quantiles import normal_scores
from watthour.forecasting.rival import was_published
from watthour.forecasting.stand_in import SCALES, Points, chained, stand_in
from watthour.forecasting.steps import require_part_of_a_day
from watthour.forecasting.vintages import MEDIAN, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

_FILE = "baseline.json"
_HOURS_IN_WEEK = 168
_FLOWS = (Quantity.POWER, Quantity.ENERGY)  # of which a series that never was negative is not forecast negative
_FURTHEST = 1.5  # times the largest error ever made that a quantile lies from the middle at most
_BEYOND = 0.25  # of the range of the values seen that a quantile lies outside them at most
_ASSUMED_DEVIATION = 0.1  # of the errors over the recent level, where no past error is known


class Rule(Protocol):
    """A forecast that needs no learning but for its intervals."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        ...

    @property
    def maker(self) -> Maker:
        """The maker its forecasts are kept under."""
        ...

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return a number for each target from what was known at its issue."""
        ...


class _Repeated:
    """What the rules have in common; their errors of the past are all that is learned."""

    __slots__ = ()
    uses_covariates: ClassVar[bool] = False
    maker: ClassVar[Maker] = Maker.BASELINE
    name: ClassVar[str]

    def fit(self: Rule, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
        """Learn the width of its intervals."""
        return fit_rule(self, history, issues)


@dataclass(frozen=True, slots=True)
class SeasonalNaive(_Repeated):
    """Tomorrow is like the same local clock time one season ago."""

    season: int = _HOURS_IN_WEEK  # a day or a week [h]

    name: ClassVar[str] = "seasonal_naive"

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return the last known value at the same clock time, of the same weekday if the season is a week."""
        column = "demand_same_weekday_last" if self.season == _HOURS_IN_WEEK else "demand_same_hour_last"
        return chained(column, history, targets)


@dataclass(frozen=True, slots=True)
class PersistenceEnsemble(_Repeated):
    """Tomorrow is like the mean of the last four same weekdays.

    Source: the persistence ensemble of Emami, Sahu and Graf, BuildingsBench (2023), arXiv:2307.00142.
    """

    name: ClassVar[str] = "persistence_ensemble"

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return the mean of the last four known values at the same clock time of the same weekday."""
        return chained("demand_same_weekday_mean_4w", history, targets)


class _OfDays(_Repeated):
    """A rule of the days before, which knows no season of steps of a day or longer."""

    __slots__ = ()

    def fit(self: Rule, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
        """Learn the width of its intervals.

        Raises:
            InvalidInput: the step is a day or longer.
        """
        require_part_of_a_day(history.context, self.name)
        return fit_rule(self, history, issues)


@dataclass(frozen=True, slots=True)
class Persistence(_OfDays):
    """Each day to come is like the last known one, hour by hour."""

    name: ClassVar[str] = "persistence"

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return the last known value at the same clock time."""
        return chained("demand_same_hour_last", history, targets)


@dataclass(frozen=True, slots=True)
class HourlyMean(_OfDays):
    """Each day to come is like the mean of the last seven known ones, hour by hour."""

    name: ClassVar[str] = "hourly_mean"

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return the mean of the last seven known values at the same clock time."""
        return chained("demand_same_hour_mean_7d", history, targets)


@dataclass(frozen=True, slots=True)
class RivalForecast(_Repeated):
    """The forecast of the rival that the context names first, as it was known at issue; its points are the rival's."""

    name: ClassVar[str] = "operator"
    maker: ClassVar[Maker] = Maker.RIVAL
    needs_rival: ClassVar[bool] = True

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return what the rival published of each target."""
        return _rival_points(history, targets, debiased=False)


@dataclass(frozen=True, slots=True)
class DebiasedRival(_Repeated):
    """The rival's forecast times the mean ratio of actual to forecast at that clock time on the last 28 known days."""

    name: ClassVar[str] = "operator_debiased"
    needs_rival: ClassVar[bool] = True

    def points(self, history: History, targets: dy.DataFrame[Targets]) -> Points:
        """Return what the rival published of each target, less its habitual error."""
        return _rival_points(history, targets, debiased=True)


_RULES = {
    each.name: each
    for each in (SeasonalNaive, PersistenceEnsemble, Persistence, HourlyMean, RivalForecast, DebiasedRival)
}


class Seen(NamedTuple):
    """What was seen at a local hour of day [unit of the channel]."""

    largest_error: float
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, eq=False)
class FittedRule:
    """A rule and the errors it is known to make."""

    rule: Rule
    spread: Spread | None  # of the errors, as parts of the recent level; None where no past error is known
    seen: tuple[Seen, ...] = ()  # by local hour of day; none where too little is known of an hour

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target, with the quantiles of the rule's past errors around it.

        Raises:
            NotEnoughHistory: nothing is known of any target.
            InvalidInput: the targets are not intervals of the context's channel.
        """
        points = self.rule.points(history, targets)

        def of_past(asked: dy.DataFrame[Targets]) -> Array:
            try:
                return self._around(self.rule.points(history, asked), asked, history)
            except NotEnoughHistory:
                return np.full((asked.height, len(LEVELS)), np.nan)

        quantiles = adapted(history, targets, self._around(points, targets, history), of_past)
        if self.seen:  # in parts of a level near zero, a band may be many times too wide
            hour, _ = cells(instants(targets["time"]), history.context.time_zone)
            quantiles = _bounded(quantiles, np.array(self.seen)[hour])
        channel = history.context.channel
        if channel.quantity in _FLOWS and not (measurement_vintages(history, channel.id).values < 0).any():
            quantiles = np.maximum(quantiles, 0)  # nothing has ever been fed in
        return quantile_forecast(
            targets,
            quantiles,
            history.context,
            model=self.rule.name,
            maker=self.rule.maker,
            missing_inputs=(*points.missing_inputs, *self._missing_errors()),
            fallback=points.fallback,
            estimated=points.stands_in,
        )

    def _around(self, points: Points, targets: dy.DataFrame[Targets], history: History) -> Array:
        """Return the quantiles of the rule's past errors around its points, (targets, ``LEVELS``)."""
        spread = self.spread or _assumed_spread()
        errors = around_point(spread.at(instants(targets["time"]), history.context.time_zone))
        return np.asarray(points.values[:, None] + errors * points.level[:, None])

    def _missing_errors(self) -> tuple[str, ...]:
        if self.spread is None:
            assumed = f"a standard deviation of {_ASSUMED_DEVIATION:.0%} of the recent level"
            return (f"No past error of {self.rule.name} is known: its intervals assume {assumed}.",)
        if self.spread.n_errors < FEWEST_ERRORS:
            return (f"The intervals of {self.rule.name} are based on {self.spread.n_errors} past errors only.",)
        return ()

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        kept = {
            "name": self.rule.name,
            "parameters": asdict(self.rule),  # type: ignore[call-overload]  # every rule is a dataclass
            "spread": self.spread.as_json() if self.spread is not None else None,
            "seen": self.seen,
        }
        return {_FILE: json.dumps(kept).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        kept = json.loads(files[_FILE])
        spread = Spread.from_json(kept["spread"]) if kept["spread"] is not None else None
        seen = tuple(Seen(*each) for each in kept.get("seen", ()))
        return cls(_RULES[kept["name"]](**kept["parameters"]), spread, seen)


def fit_rule(rule: Rule, history: History, issues: dy.DataFrame[Targets]) -> FittedRule:
    """Learn how wrong a rule was in the past."""
    if issues.is_empty():
        return FittedRule(rule, None)
    points = rule.points(history, issues)
    actual = actuals(history, issues)
    errors = (actual - points.values) / points.level
    if not np.isfinite(errors).any():
        return FittedRule(rule, None)
    times, time_zone = instants(issues["time"]), history.context.time_zone
    spread = Spread.learn(errors, times, time_zone, LEVELS)
    return FittedRule(rule, spread, _seen(actual, np.abs(errors * points.level), cells(times, time_zone)[0]))


def _seen(actual: Array, errors: Array, hour: Instants) -> tuple[Seen, ...]:
    """Return what was seen by local hour of day, with the hours beside it; nothing where an hour has too few."""
    beside = [np.isin(hour, [(k - 1) % 24, k, (k + 1) % 24]) & np.isfinite(errors) for k in range(24)]
    if min(each.sum() for each in beside) < FEWEST_ERRORS:
        return ()
    return tuple(Seen(*(float(x) for x in (errors[k].max(), actual[k].min(), actual[k].max()))) for k in beside)


def _bounded(quantiles: Array, seen: Array) -> Array:
    """Return quantiles, (targets, levels), not far from what was seen, (targets, ``Seen``); the middle stays."""
    middle, (error, low, high) = quantiles[:, [LEVELS.index(MEDIAN)]], seen.T[:, :, None]
    furthest, beyond = _FURTHEST * error, _BEYOND * (high - low)
    least = np.maximum(middle - furthest, np.minimum(low - beyond, middle))
    most = np.minimum(middle + furthest, np.maximum(high + beyond, middle))
    return np.asarray(np.clip(quantiles, least, most))


def around_point(errors: Array) -> Array:
    """Return error quantiles that keep the point the median: a habitual error widens its side only.

    Args:
        errors: (targets, ``LEVELS``), and so is the answer.
    """
    level = np.array(LEVELS)
    return np.where(level < MEDIAN, np.minimum(errors, 0), np.where(level > MEDIAN, np.maximum(errors, 0), 0.0))


def _rival_points(history: History, targets: dy.DataFrame[Targets], *, debiased: bool) -> Points:
    rival = history.context.rival
    columns = [
        "operator_forecast",
        "demand_rolling_mean_168h",
        *SCALES,
        *(["operator_ratio_28d"] if debiased else []),
    ]
    table = features(history, targets, weather=False, columns=columns)
    published = table["operator_forecast"].to_numpy() if "operator_forecast" in table.columns else np.array([np.nan])
    gap = np.isnan(published)
    if gap.all():
        raise NotEnoughHistory(
            f"no forecast of {history.context.channel.id} by {rival or 'anybody else'} that can be right was known at "
            "issue",
            remedy="Fetch the forecasts that others publish with `watthour backfill`, or use another model.",
        )
    rest = stand_in(published, f"the {rival}'s forecast", history, targets, table)
    rest = replace(rest, stands_in=gap, missing_inputs=(*_doubted(gap, history, targets), *rest.missing_inputs))
    if not debiased:
        return rest
    ratio = table["operator_ratio_28d"].to_numpy()
    unlearned = np.isnan(ratio) & ~gap
    missing = list(rest.missing_inputs)
    if unlearned.any():
        where = describe_intervals(targets, unlearned, history.context)
        missing.append(
            f"The habitual error of the {rival}'s forecast was unknown for {where}: it is used as published."
        )
    values = np.where(gap | unlearned, rest.values, rest.values * ratio)
    return replace(rest, values=values, missing_inputs=tuple(missing))


def _doubted(gap: NDArray[np.bool_], history: History, targets: dy.DataFrame[Targets]) -> tuple[str, ...]:
    """Say where the rival's forecast is not used because it is doubted."""
    if not gap.any() or not (doubted := gap & was_published(history, targets)).any():
        return ()
    where = describe_intervals(targets, doubted, history.context)
    return (f"The {history.context.rival}'s forecast cannot be right, and was left out, for {where}.",)


def _assumed_spread() -> Spread:
    row = _ASSUMED_DEVIATION * normal_scores(LEVELS)
    return Spread(LEVELS, np.broadcast_to(row, (24, 12, len(LEVELS))).copy(), 0)
