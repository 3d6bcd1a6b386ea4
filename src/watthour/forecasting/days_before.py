"""Forecasts from nothing but the whole days known at an issue: what models of that kind have in common."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.forecasting.panel import mean_known
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.steps import check_targets, check_trained_on, require_part_of_a_day
from watthour.forecasting.trend_season.known import Clock
from watthour.forecasting.vintages import by_issue, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

FEWEST_DAYS = 14  # of known values before anything is said
_STALE_DAYS = 3


class Answer(Protocol):
    """Tells the quantiles of days ahead from days known."""

    def __call__(self, rows: Array, leads: Instants, clock: Clock, edge: int) -> Array:
        """Return the quantiles of some days by slot, (leads, slots, ``LEVELS``).

        Args:
            rows: (days, slots) the last days known, NaN where nothing was.
            leads: (leads,) how many days after the last of them.
            clock: by which days are numbered.
            edge: number of the day after the last of them.
        """


@dataclass(frozen=True, slots=True, eq=False)
class ModelOfDays(ABC):
    """The channel and the step it was made for: all that it tells is learned anew from the days before each issue."""

    channel: str
    step: int  # [microseconds]

    recipe: ClassVar[str]  # the catalogue's name
    most_days: ClassVar[int]  # looked back on
    features: ClassVar[tuple[str, ...]]  # what the forecast is made of

    @classmethod
    def of(cls, history: History) -> Self:
        """Check that enough is known.

        Raises:
            InvalidInput: the step is a day or longer.
            NotEnoughHistory: too few days are known.
        """
        return cls(history.context.channel.id, check_days(history, cls.recipe, cls.most_days))

    @abstractmethod
    def answer(self) -> Answer:
        """Return who tells days ahead in one forecast."""

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue.

        Raises:
            InvalidInput: the model was made for another channel or step, or the targets are not its intervals.
            NotEnoughHistory: nothing is known of the channel at any issue.
        """
        check_trained_on(history.context, self.channel, self.step)
        return forecast_by_days(history, targets, self.answer(), name=self.recipe, most_days=self.most_days)

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        return {f"{self.recipe}.json": json.dumps({"channel": self.channel, "step": self.step}).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        return cls(**json.loads(files[f"{cls.recipe}.json"]))


def check_days(history: History, name: str, most_days: int) -> int:
    """Return the step of a channel that a model of whole days can learn [microseconds].

    Raises:
        InvalidInput: the step is a day or longer.
        NotEnoughHistory: too few days are known.
    """
    context = history.context
    step = require_part_of_a_day(context, name)
    now = instant(history.as_of)
    rows = days_known(history, now, now, most_days)
    if (n_known := int(np.isfinite(daily_means(rows)).sum())) < FEWEST_DAYS:
        raise NotEnoughHistory(
            f"{n_known} of the last days of {context.channel.id} are known; {name} needs {FEWEST_DAYS}",
            remedy="Add more history, or use a baseline such as seasonal_naive.",
        )
    return step


def forecast_by_days(
    history: History, targets: dy.DataFrame[Targets], answer: Answer, *, name: str, most_days: int
) -> Forecast:
    """Forecast each target from the days that were known at its own issue.

    Args:
        history: what is known.
        targets: what is asked.
        answer: tells days ahead from days known.
        name: of the model.
        most_days: looked back on.

    Raises:
        InvalidInput: the targets are not intervals of the channel.
        NotEnoughHistory: nothing is known of the channel at any issue.
    """
    context = history.context
    check_targets(targets, context)
    quantiles = np.full((targets.height, len(LEVELS)), np.nan)
    stale = np.zeros(targets.height, dtype=np.bool_)
    if len(measurement_vintages(history, context.channel.id).times):
        midnight = Clock.of(history)
        time = instants(targets["time"])
        for at, known_until, mine in by_issue(targets):
            rows = days_known(history, at, known_until, most_days)
            known = np.flatnonzero(np.isfinite(daily_means(rows)))
            if not len(known):
                continue
            clock = midnight.ending_at(known_until)
            edge = clock.edge_row(known_until)
            day, slot = clock.places(time[mine])
            leads, which = np.unique(np.maximum(day - edge + 1, 1), return_inverse=True)
            quantiles[mine] = answer(rows, leads, clock, edge)[which.reshape(-1), slot]
            stale[mine] = known[-1] < len(rows) - _STALE_DAYS
    missing = []
    if stale.any():
        missing.append(f"No recent value was known for {describe_intervals(targets, stale, context)}.")
    return quantile_forecast(targets, quantiles, context, model=name, missing_inputs=missing)


def days_known(history: History, issued: int, known_until: int, most_days: int) -> Array:
    """Return the last days known at an issue, (days, slots), ending where measurements end; NaN where nothing was."""
    clock = Clock.of(history).ending_at(known_until)
    vintages = measurement_vintages(history, history.context.channel.id)
    first = int(clock.places(vintages.times[:1])[0][0])
    first = max(first, clock.edge_row(known_until) - most_days)
    return clock.known(vintages, issued, known_until, first)[1]


def daily_means(rows: Array) -> Array:
    """Return the mean of each day, (days,), NaN where fewer than half of its intervals are known."""
    return mean_known(rows, axis=1, at_least=(rows.shape[1] + 1) // 2)
