"""Quantiles for a home on its first days, from what homes elsewhere had in common; nothing of it is learned here.

The networks and trees are those of ``global_model``, which see a home in parts of its own level and so can answer for
any. What they do not know, how far this home strays from what they say, is measured on its own days as they come.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from watthour.core.channel import SiteKind
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import Forecasts, Targets
from watthour.core.window import HOUR, step_in_words
from watthour.forecasting.conformal import band_scale, misses_of, widened
from watthour.forecasting.global_model.model import FittedGlobalModel, Shared
from watthour.forecasting.global_model.rows import LEVEL_DAYS, NAMES, rows_of
from watthour.forecasting.steps import check_targets, step_of
from watthour.forecasting.vintages import DAY_US, datetimes, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.forecasting.global_model.rows import Rows
    from watthour.forecasting.vintages import Array, Instants

NAME = "other_homes"
_ORIGIN = "origin.json"
_FINEST = timedelta(minutes=15)  # step; finer ones were not measured
_FEWEST_DAYS = 0.75  # known: with less, the level would be that of the hours that happen to be known
_TRIED_DAYS = 21  # of its own past, on which the band is tried
_PRIOR_DAYS = 7.0  # that the band as it was on homes left out counts for beside them
_LIMITS = (0.5, 2.5)
_MOST_BELOW_ZERO = 0.01  # of the readings; a home with solar panels behind its meter is unlike those learned from
_KNOWN = NAMES.index("share_known")


@dataclass(frozen=True, slots=True)
class Origin:
    """What a model was learned from, and how wide its band has to be for homes that it has not learned from."""

    homes: str  # in words, such as "45 homes of London in 2013"
    data: str  # what they are called, who gathered them, and where they are
    licence: str
    attribution: str
    widths: Mapping[str, float]  # by days of the home that are known: times the band, measured on homes left out

    def width(self, n_days: Array) -> Array:
        """Return what the band is to be multiplied with after so many days, of any shape."""
        days = np.array([float(each) for each in self.widths])
        return np.asarray(np.interp(np.log(np.maximum(n_days, 0.5)), np.log(days), list(self.widths.values())))


@dataclass(frozen=True, slots=True)
class OtherHomes:
    """The model as it came with Watthour; there is nothing to choose."""

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedOtherHomes:  # noqa: ARG002 - as every recipe is called
        """Return the model that came with Watthour, if the channel is like those it was learned from.

        Raises:
            InvalidInput: the step is not of 15 minutes to an hour, or the load goes below zero.
            ModelCorrupt: its files are damaged.
        """
        from watthour.forecasting.other_homes.shipped import shipped

        _check_is_like(history)
        _manifest, files = shipped()
        return FittedOtherHomes.from_files(files)


@dataclass(frozen=True, slots=True, eq=False)
class FittedOtherHomes:
    """What homes elsewhere have in common, and where they were."""

    shared: Shared
    origin: Origin

    @property
    def features(self) -> tuple[str, ...]:
        """What it looks at."""
        return NAMES

    @property
    def remarks(self) -> tuple[str, ...]:
        """What it was learned from."""
        return (f"It was learned from {self.origin.homes}, not from this home.",)

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known of the home at its own issue.

        Raises:
            InvalidInput: the step is not of 15 minutes to an hour, or the targets are not intervals of the channel.
            NotEnoughHistory: less than most of a day was known at every issue.
        """
        _check_step(history.context)
        check_targets(targets, history.context)
        rows, trial = rows_of(history, targets), _Trial.of(history, targets)
        n_days = _days_known(rows.features)
        is_short = n_days < _FEWEST_DAYS
        if is_short.all():
            raise _too_short(history.context, float(n_days.max(initial=0.0)))
        features = np.concatenate([rows.features, trial.rows.features])
        told = widened(self.shared.quantiles(features), self.origin.width(_days_known(features))[:, None])
        told, tried = told[: len(n_days)], told[len(n_days) :]
        told = widened(told, trial.width(history, tried, instants(targets["issued_at"]))[:, None])
        told[is_short] = np.nan
        answer = FittedGlobalModel(replace(self.shared, step=step_of(history.context)), {}).answer(
            history, targets, rows, told
        )
        own = _in_words(float(n_days[~is_short].max()))
        words = f"This rests on {own} of its own past and on {self.origin.homes}; it was not learned from this home."
        values = Forecasts.cast(answer.values.with_columns(model=pl.lit(NAME)))
        return replace(answer, model=NAME, values=values, missing_inputs=(words, *answer.missing_inputs))

    def files(self) -> Mapping[str, bytes]:
        """Return the networks and trees, and where they come from, as files."""
        return {**self.shared.files(), _ORIGIN: json.dumps(asdict(self.origin), indent=1).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its files."""
        origin: dict[str, Any] = json.loads(files[_ORIGIN])
        return cls(Shared.from_files(files), Origin(**origin))


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Each of the days before some issues, to be forecast as it would have been at that clock time."""

    issued: Instants  # (D,)
    times: Instants  # (D, S) the intervals of the day after each
    rows: Rows  # (D * S,) what was known at each

    @classmethod
    def of(cls, history: History, targets: dy.DataFrame[Targets]) -> Self:
        step = step_of(history.context)
        issued = np.unique(instants(targets["issued_at"]))
        tried = np.unique(issued[:, None] - DAY_US * np.arange(1, _TRIED_DAYS + 1))
        phase = instants(targets["time"])[0] % step
        first = phase - (phase - tried) // step * step  # that is not over
        times = first[:, None] + step * np.arange(DAY_US // step)
        at = datetimes(np.repeat(tried, times.shape[1]))
        asked = pl.DataFrame({"issued_at": at, "known_until": at, "time": datetimes(times.ravel())})
        return cls(tried, times, rows_of(history, Targets.cast(asked)))

    def width(self, history: History, told: Array, issued: Instants) -> Array:
        """Return by how much the band of issues is to be widened after the days before each, (n,).

        Args:
            history: of the home.
            told: (D * S, ``LEVELS``) what would have been said, in parts of the level.
            issued: (n,) microseconds.
        """
        n_slots = self.times.shape[1]
        vintages = measurement_vintages(history, history.context.channel.id)
        is_able = _days_known(self.rows.features) >= _FEWEST_DAYS
        each, which = np.unique(issued, return_inverse=True)
        widths = np.ones(len(each))
        for k, at in enumerate(each):
            is_before = (self.issued < at) & (self.issued >= at - _TRIED_DAYS * DAY_US)
            mine = np.repeat(is_before, n_slots) & is_able
            actual = vintages.known(self.times.ravel()[mine], np.array(at)) / self.rows.level[mine]
            misses = misses_of(actual, told[mine])
            misses = misses[np.isfinite(misses)]
            total = len(misses) / n_slots  # days
            if total > 0:
                even = np.full(len(misses), 1 / n_slots)
                widths[k] = band_scale(misses, even, total=total, squares=total, prior=_PRIOR_DAYS, limits=_LIMITS)
        return np.asarray(widths[which.reshape(-1)])


def _days_known(features: Array) -> Array:
    """Return how many of the last four weeks' days are known at each row of features, (n,)."""
    return LEVEL_DAYS * features[:, _KNOWN].astype(np.float64)


def is_for(context: Context) -> bool:
    """Tell whether a channel is like those learned from: of a real home, in steps of 15 minutes to an hour."""
    is_home = context.site.kind is SiteKind.HOME
    return is_home and _FINEST <= context.resolution <= HOUR and not context.channel.is_simulated


def _check_is_like(history: History) -> None:
    context = history.context
    _check_step(context)
    values = measurement_vintages(history, context.channel.id).values
    known = values[np.isfinite(values)]
    if len(known) and not known.any():
        problem = "all of its readings are zero, which tells nothing of its size"
        raise InvalidInput("channel", context.channel.id, problem, remedy="Check that its meter measures.")
    if len(known) and (share := float(np.mean(known < 0))) > _MOST_BELOW_ZERO:
        problem = f"{share:.0%} of its readings are below zero, and those of the homes {NAME} was learned from were not"
        remedy = "Choose another model: `watthour compare` shows how each does."
        raise InvalidInput("channel", context.channel.id, problem, remedy=remedy)


def _check_step(context: Context) -> None:
    if not _FINEST <= context.resolution <= HOUR:
        problem = f"{NAME} cannot forecast {context.channel.id} in this step"
        remedy = "Use one of 15 minutes to an hour, or a model of any step: trend_season or seasonal_naive."
        raise InvalidInput("resolution", step_in_words(context.resolution), problem, remedy=remedy)


def _too_short(context: Context, n_days: float) -> NotEnoughHistory:
    return NotEnoughHistory(
        f"{24 * n_days:.0f} hours of {context.channel.id} are known; {NAME} needs {24 * _FEWEST_DAYS:.0f}",
        remedy="Wait for a day of readings, or add earlier ones with `watthour import`.",
    )


def _in_words(n_days: float) -> str:
    if n_days < 2:  # noqa: PLR2004 - one day is said in hours
        return f"{24 * n_days:.0f} hours"
    return f"{n_days:.0f} days" if n_days < LEVEL_DAYS - 1 else "the last weeks"
