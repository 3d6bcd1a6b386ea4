"""What was known of a channel at each issue as one even series by the local clock, for libraries that ask for such."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.core.window import DAY, step_in_words
from watthour.forecasting.calendar import clock_offsets
from watthour.forecasting.day_regression.day_table import filled
from watthour.forecasting.panel import Panel
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.steps import check_targets, interval_numbers, numbered_starts
from watthour.forecasting.trend_season.known import Clock
from watthour.forecasting.vintages import DAY_US, by_issue, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants
    from watthour.forecasting.weather import Weather

SHORTEST = timedelta(minutes=15)
FEWEST_DAYS = 7
FEWEST_LONG, MOST_LONG = 24, 400  # values of steps of a day or longer
STALE_DAYS = 3.0  # without a value before the end of the measurements
_RARE = 0.005  # share of the values beyond which they may be faults
_SAME = 1e-9  # of the largest value: what lies no further apart is one value
_STRETCH = 2.0  # times their distance from the median that others may have


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
    issue: Panel  # the instants of the issue and of the targets, for looking up what else was known then

    @property
    def reach(self) -> int:
        """How many intervals after the last value are asked for."""
        return int(self.steps.max())

    @property
    def limited(self) -> Array:
        """The values, the rarest no further from the median than twice what all but half a per cent are."""
        low, middle, high = np.quantile(self.values, [_RARE, 0.5, 1 - _RARE])
        if high <= low:
            return self.values
        return np.clip(self.values, middle - _STRETCH * (middle - low), middle + _STRETCH * (high - middle))

    @property
    def starts(self) -> Instants:
        """The instants at which the values begin, (n,) [microseconds]."""
        guess = self.local - clock_offsets(self.local, self.issue.time_zone)
        return self.local - clock_offsets(guess, self.issue.time_zone)

    def covariates(self, weather: Weather) -> dict[str, tuple[Array, Array]]:
        """Return what was known at the issue of each covariate, beside the values, (n,), and the targets, (k,).

        Measurements count before forecasts; NaN where nothing was known.
        """
        issue = self.issue
        past, edge = issue.interval_of(self.starts), int(issue.edge[0])
        back, ahead = edge - int(past.min()), max(int(issue.interval.max()) - edge, 0) + 1
        found = {}
        for name in weather.points:
            around = weather.intervals(name, issue, back, ahead)
            if around is not None:
                found[name] = around[0, past - edge + back], around[0, issue.interval - edge + back]
        return found


def series_at_issues(history: History, targets: dy.DataFrame[Targets], *, weeks: int) -> Iterator[EvenSeries]:
    """Yield the series known at each issue with its targets; an issue at which too little was known is left out.

    Args:
        history: what was known.
        targets: what is asked.
        weeks: how far it is looked back; longer steps have ``MOST_LONG`` values.
    """
    vintages = measurement_vintages(history, history.context.channel.id)
    if not len(vintages.times):
        return
    step = history.context.resolution
    most_values = round(7 * weeks * DAY / step) if step < DAY else MOST_LONG
    midnight = Clock.of(history)
    time = instants(targets["time"])
    begin = int(midnight.places(vintages.times[:1])[0][0])
    for at, known_until, rows in by_issue(targets):
        clock = midnight.ending_at(known_until)
        edge = clock.edge_row(known_until)
        first = max(begin - 1, edge - most_values // clock.n_slots - 1)
        first, table = clock.known(vintages, at, known_until, first)
        measured = np.flatnonzero(np.isfinite(table))
        measured = measured[measured > measured.max(initial=0) - most_values]
        if len(measured) < fewest_values(step):
            continue
        span = slice(measured[0], measured[-1] + 1)
        day, slot = clock.places(time[rows])
        place = (day - first) * clock.n_slots + slot
        yield EvenSeries(
            _filled(table.ravel()[span], clock.n_slots),
            _local(clock, first, np.arange(span.start, span.stop)),
            rows,
            np.maximum(place - int(measured[-1]), 1),
            _local(clock, first, place),
            (table.size - 1 - measured[-1]) / clock.n_slots * max(clock.step / DAY_US, 1.0),
            _issue(clock, at, known_until, time[rows]),
        )


def forecast_each_issue(
    history: History,
    targets: dy.DataFrame[Targets],
    answer: Callable[[EvenSeries], Array],
    *,
    model: str,
    weeks: int,
    missing_inputs: Collection[str] = (),
) -> Forecast:
    """Return a forecast of what is answered from the series known at each issue.

    A series that is one value all along goes on so; of one that never was negative no quantile is.

    Args:
        history: what was known.
        targets: what is asked; refused where they are not intervals of the channel.
        answer: returns the quantiles of the targets of a series, (k, ``LEVELS``).
        model: its name in the catalogue.
        weeks: how far it is looked back.
        missing_inputs: what was missing; it may grow while answers are made.
    """
    context = history.context
    check_targets(targets, context)
    quantiles = np.full((targets.height, len(LEVELS)), np.nan)
    stale = np.zeros(targets.height, dtype=np.bool_)
    for known in series_at_issues(history, targets, weeks=weeks):
        values = known.limited
        if np.ptp(values) <= _SAME * np.abs(values).max(initial=0):
            quantiles[known.rows] = values[-1]
        else:
            told = answer(known)
            quantiles[known.rows] = np.maximum(told, 0.0) if values.min() >= 0 else told
        stale[known.rows] = known.stale_days > STALE_DAYS
    missing = list(missing_inputs)
    if stale.any():
        missing.append(f"No recent value was known for {describe_intervals(targets, stale, context)}.")
    return quantile_forecast(targets, quantiles, context, model=model, missing_inputs=missing)


def _issue(clock: Clock, issued: int, known_until: int, times: Instants) -> Panel:
    """Return one issue and its targets."""
    one, grid = np.zeros(len(times), dtype=np.int64), (clock.step, clock.phase, clock.time_zone)
    until = np.array([known_until])
    edge, interval = interval_numbers(until, *grid), interval_numbers(times, *grid)
    return Panel(*grid, np.array([issued]), until, edge, one, times, interval, np.arange(len(times)))


def fewest_values(step: timedelta) -> int:
    """Return how many values of a step must be known."""
    return FEWEST_LONG if step >= DAY else round(FEWEST_DAYS * DAY / step)


def check_step(context: Context, model: str) -> None:
    """Refuse a step so short that weeks of it are too many values for these libraries.

    Raises:
        InvalidInput: it is.
    """
    if context.resolution < SHORTEST:
        problem = f"{model} cannot forecast {context.channel.id} in this step in reasonable time"
        remedy = "Use a channel of 15 minutes or more, or a model of any step such as seasonal_naive."
        raise InvalidInput("resolution", step_in_words(context.resolution), problem, remedy=remedy)


def check_enough(history: History, model: str, *, fewest: int | None = None) -> None:
    """Refuse to learn from less than a week of intervals, or ``FEWEST_LONG`` of steps of a day or longer.

    Raises:
        NotEnoughHistory: fewer values are known.
    """
    vintages, fewest = (
        measurement_vintages(history, history.context.channel.id),
        fewest_values(history.context.resolution),
    )
    known = vintages.known(vintages.times, np.array(instant(history.as_of)))
    if (n_known := int(np.isfinite(known).sum())) < fewest:
        raise NotEnoughHistory(
            f"{n_known} values of {history.context.channel.id} are known; {model} needs {fewest}",
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
