"""What was known of a channel at each issue as one even series by the local clock, for libraries that ask for such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.forecasting.calendar import clock_offsets
from watthour.forecasting.day_regression.day_table import filled
from watthour.forecasting.steps import numbered_starts
from watthour.forecasting.trend_season.known import Clock
from watthour.forecasting.vintages import DAY_US, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

STALE_DAYS = 3.0  # without a value before the end of the measurements


@dataclass(frozen=True, slots=True, eq=False)
class EvenSeries:
    """The last values known at an issue, one per interval of the local clock, and where the targets lie after them.

    Every day has the same number of values: the hour that the clock skips lies between its neighbours, of the hour it
    repeats the later counts. A gap has the value of the day before at the same clock, or of the next known day.
    """

    values: Array  # (n,) [unit of the channel], none missing; the last one was measured
    local: Instants  # (n,) the clock time at which each begins, as if it were UTC [microseconds]
    rows: Instants  # (k,) which targets these are
    steps: Instants  # (k,) how many intervals after the last value each target lies, at least 1
    local_targets: Instants  # (k,) their clock times, as ``local``
    stale_days: float  # between the last value and the end of the measurements

    @property
    def reach(self) -> int:
        """How many intervals after the last value are asked for."""
        return int(self.steps.max())


def series_at_issues(
    history: History, targets: dy.DataFrame[Targets], *, most_values: int, fewest_values: int
) -> Iterator[EvenSeries]:
    """Yield the series known at each issue with its targets; an issue at which too little was known is left out.

    Args:
        history: what was known.
        targets: what is asked.
        most_values: how far it is looked back.
        fewest_values: that must have been measured.
    """
    vintages = measurement_vintages(history, history.context.channel.id)
    if not len(vintages.times):
        return
    midnight = Clock.of(history)
    time = instants(targets["time"])
    issued, until = instants(targets["issued_at"]), instants(targets["known_until"])
    pairs, of_issue = np.unique(np.stack([issued, np.minimum(until, issued)], 1), axis=0, return_inverse=True)
    begin = int(midnight.places(vintages.times[:1])[0][0])
    for number, (at, known_until) in enumerate(pairs.tolist()):
        clock = midnight.ending_at(known_until)
        edge = clock.edge_row(known_until)
        first = max(begin - 1, edge - most_values // clock.n_slots - 1)
        first, table = clock.known(vintages, at, known_until, first)
        measured = np.flatnonzero(np.isfinite(table))
        measured = measured[measured > measured.max(initial=0) - most_values]
        if len(measured) < fewest_values:
            continue
        span = slice(measured[0], measured[-1] + 1)
        rows = np.flatnonzero(of_issue.reshape(-1) == number)
        day, slot = clock.places(time[rows])
        place = (day - first) * clock.n_slots + slot
        yield EvenSeries(
            _filled(table.ravel()[span], clock.n_slots),
            _local(clock, first, np.arange(span.start, span.stop)),
            rows,
            np.maximum(place - int(measured[-1]), 1),
            _local(clock, first, place),
            (table.size - 1 - measured[-1]) / clock.n_slots * max(clock.step / DAY_US, 1.0),
        )


def check_enough(history: History, model: str, fewest_values: int) -> None:
    """Refuse to learn from less than a model needs.

    Raises:
        NotEnoughHistory: fewer values are known.
    """
    vintages = measurement_vintages(history, history.context.channel.id)
    known = vintages.known(vintages.times, np.array(instant(history.as_of)))
    if (n_known := int(np.isfinite(known).sum())) < fewest_values:
        raise NotEnoughHistory(
            f"{n_known} values of {history.context.channel.id} are known; {model} needs {fewest_values}",
            remedy="Add more history, or use a baseline such as seasonal_naive.",
        )


def _filled(values: Array, n_slots: int) -> Array:
    """Return values, (n,), whose gaps have what was known a day before at the same clock, or next at that clock."""
    known = np.isfinite(values)
    if known.all():
        return values
    days = np.full(-(-len(values) // n_slots) * n_slots, np.nan)
    days[: len(values)] = _bridged(values, known)
    whole = filled(days.reshape(-1, n_slots), axis=0).ravel()[: len(values)]
    return np.where(np.isfinite(whole), whole, np.interp(np.arange(len(values)), np.flatnonzero(known), values[known]))


def _bridged(values: Array, known: NDArray[np.bool_]) -> Array:
    """Return values, (n,), in which a single unknown one lies between its neighbours."""
    alone = ~known[1:-1] & known[:-2] & known[2:]
    inner = np.where(alone, (values[:-2] + values[2:]) / 2, values[1:-1])
    return np.concatenate([values[:1], inner, values[-1:]])


def _local(clock: Clock, first: int, places: Instants) -> Instants:
    """Return the clock times at which intervals begin, as if they were UTC.

    Args:
        clock: of the series.
        first: row from which places are counted.
        places: (n,)
    """
    if clock.step < DAY_US:
        return (first * clock.n_slots + places + clock.turn) * clock.step
    starts = numbered_starts(first + places, clock.step, clock.phase, clock.time_zone)
    return starts + clock_offsets(starts, clock.time_zone)
