"""Trend and season as a recipe: a series of any step, from minutes to months, from nothing but its own past."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.forecasting.gaussian_process.archive import pack, unpack
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.steps import check_targets, check_trained_on, step_of
from watthour.forecasting.trend_season.known import Clock
from watthour.forecasting.trend_season.learned import Learned, learn_series
from watthour.forecasting.vintages import DAY_US, by_issue, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

FEWEST_ROWS = 21  # days, weeks or months with a known value before anything can be learned
_STALE_ROWS = 3
_YOUNG_ROWS, _GROWTH = 800, 1.2  # what was learned from fewer rows is learned anew whenever so many times are known
_MOST_AT_ONCE = 32  # issues
_MOST_ANEW = 64  # of what was learned anew is kept
_NAME = "trend_season"


@dataclass(frozen=True, slots=True)
class TrendSeason:
    """A Gaussian process over days, weeks or months; there is nothing to choose."""

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedTrendSeason:
        """Learn the constants of a series, and its errors up to the longest lead of the issues.

        Raises:
            NotEnoughHistory: too few intervals are known.
            InvalidInput: all known values are the same.
        """
        context = history.context
        step_of(context)  # refuses what is no step
        vintages = measurement_vintages(history, context.channel.id)
        if not np.isfinite(vintages.values).any():
            raise _too_few(context, 0)
        now = instant(history.as_of)
        asked = instants(issues["known_until"])
        clock = Clock.of(history)
        clock = clock.ending_at(int(asked[-1]) if len(asked) else now)
        first, table = clock.known(vintages, now, now, None)
        known = np.isfinite(table)
        begins = int(known.any(axis=1).argmax())
        first, table, known = first + begins, table[begins:], known[begins:]
        if (n_known := int((known.mean(axis=1) >= 0.5).sum())) < FEWEST_ROWS:  # noqa: PLR2004 - half of its intervals
            raise _too_few(context, n_known)
        if np.ptp(table[known]) == 0:
            raise InvalidInput(
                "channel",
                context.channel.id,
                f"all its known values are {table[known][0]:g}, so there is nothing to learn",
                remedy="Choose another model: seasonal_naive, which repeats them.",
            )
        learned = learn_series(clock.grid, first, table, _longest_lead(issues, clock))
        return FittedTrendSeason(context.channel.id, clock.step, learned.turned(-clock.turn))


@dataclass(frozen=True, slots=True, eq=False)
class FittedTrendSeason:
    """What was learned of a channel, its days beginning at midnight."""

    channel: str
    step: int  # [microseconds]
    learned: Learned
    _anew: dict[tuple[int, bytes], Learned] = field(default_factory=dict, init=False, repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("level", "trend", "season", *(("weekday",) if self.step <= DAY_US else ()), "recent values")

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue.

        Raises:
            InvalidInput: the model was trained on another channel or step, or the targets are not its intervals.
            NotEnoughHistory: nothing is known of the channel at any issue.
        """
        context = history.context
        check_trained_on(context, self.channel, self.step)
        check_targets(targets, context)
        vintages = measurement_vintages(history, context.channel.id)
        quantiles = np.full((targets.height, len(LEVELS)), np.nan)
        stale = np.zeros(targets.height, dtype=np.bool_)
        if len(vintages.times):
            clock = Clock.of(history)
            time = instants(targets["time"])
            asked = by_issue(targets)
            issues = [_Issue(clock, self.learned, at, known_until) for at, known_until, _ in asked]
            for group in _groups(issues):
                mine = [asked[k][2] for k in group]
                found = self._answers(history, [issues[k] for k in group], [time[each] for each in mine])
                for each, (answer, is_stale) in zip(mine, found, strict=True):
                    quantiles[each], stale[each] = answer, is_stale
        missing = []
        if stale.any():
            missing.append(f"No recent value was known for {describe_intervals(targets, stale, context)}.")
        return quantile_forecast(targets, quantiles, context, model=_NAME, missing_inputs=missing)

    def files(self) -> Mapping[str, bytes]:
        """Return it as a NumPy archive and a page of JSON."""
        arrays = {name: value for name, value in asdict(self.learned).items() if isinstance(value, np.ndarray)}
        words = {each.name: getattr(self.learned, each.name) for each in fields(Learned) if each.name not in arrays}
        return pack(arrays, {"channel": self.channel, "step": self.step, "learned": words})

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again; it answers the same to the last bit."""
        arrays, words = unpack(files)
        return cls(words["channel"], words["step"], Learned(**arrays, **words["learned"]))

    def _answers(self, history: History, issues: list[_Issue], times: list[Instants]) -> list[tuple[Array, bool]]:
        """Return the quantiles of the targets of each issue, (m, levels), and whether nothing recent was known."""
        vintages = measurement_vintages(history, history.context.channel.id)
        clock, dense_from = issues[-1].clock, issues[-1].dense_from
        grid = clock.grid
        first, oldest = clock.known(vintages, issues[0].issued, issues[0].known_until, None)
        turned = self._learned(clock, first, oldest, issues[0].n_learned)
        tables = [clock.known(vintages, each.issued, each.known_until, first)[1] for each in issues]
        usable = [k for k, table in enumerate(tables) if np.isfinite(table).any()]
        found: list[tuple[Array, bool]] = [(np.full((len(each), len(LEVELS)), np.nan), False) for each in times]
        if not usable:
            return found
        places = [clock.places(times[k]) for k in usable]
        scaled = [turned.scale(tables[k]) for k in usable]
        told = turned.answers(grid, first, scaled, [rows for rows, _ in places], dense_from)
        for k, (rows, slots), (mean, deviation) in zip(usable, places, told, strict=True):
            each = np.arange(len(rows))
            lead = (rows - (first + len(tables[k])) + 1).astype(np.float64)
            last = int(np.flatnonzero(np.isfinite(tables[k]).any(axis=1))[-1])
            quantiles = turned.quantiles(mean[each, slots], deviation[each, slots], lead, grid.middle(rows))
            found[k] = quantiles, last < len(tables[k]) - _STALE_ROWS
        return found

    def _learned(self, clock: Clock, first: int, known: Array, n_rows: int) -> Learned:
        """Return what is learned from so many rows, for days that begin as the clock's do.

        Args:
            clock: of the issues.
            first: number of the first row known.
            known: (n, slots) what the first of the issues knew.
            n_rows: to learn from, if more than was learned from.
        """
        begin = self.learned.anchor - self.learned.n_rows - first
        if n_rows <= self.learned.n_rows or begin < 0:
            return self.learned.turned(clock.turn)
        rows = known[begin : begin + n_rows]
        key = (clock.turn, rows.tobytes())
        if key not in self._anew:
            found = learn_series(clock.grid, first + begin, rows, self.learned.horizon)
            if len(self._anew) >= _MOST_ANEW:
                self._anew.pop(next(iter(self._anew)), None)  # the oldest
            self._anew[key] = replace(found, anchor=self.learned.anchor)
        return self._anew[key]


class _Issue:
    """An issue, and with which others it can be answered: those whose days begin and are averaged alike."""

    def __init__(self, clock: Clock, learned: Learned, issued: int, known_until: int) -> None:
        self.issued, self.known_until = issued, known_until
        self.clock = clock.ending_at(known_until)
        edge = self.clock.edge_row(known_until)
        self.n_learned = _grown(learned.n_rows, edge - learned.anchor)
        self.dense_from = learned.dense_from(edge)
        self.place = (self.clock.turn, self.dense_from, self.n_learned)


def _groups(issues: list[_Issue]) -> list[list[int]]:
    """Return which issues are answered together, in order of time, so many at once that their tables stay small."""
    groups = [[k for k, issue in enumerate(issues) if issue.place == place] for place in {one.place for one in issues}]
    return [group[k : k + _MOST_AT_ONCE] for group in groups for k in range(0, len(group), _MOST_AT_ONCE)]


def _grown(n_learned: int, n_since: int) -> int:
    """Return from how many rows to learn, when so many more are known than were learned from."""
    n_rows = n_learned
    while n_rows < _YOUNG_ROWS and (more := math.ceil(n_rows * _GROWTH)) <= n_learned + n_since - 1:
        n_rows = more
    return n_rows


def _longest_lead(issues: dy.DataFrame[Targets], clock: Clock) -> int:
    """Return how many rows ahead the issues ask at most."""
    if issues.is_empty():
        return 1
    until, time = instants(issues["known_until"]), instants(issues["time"])
    rows = clock.places(time)[0] - clock.places(until)[0]
    return int(rows.max()) + 1


def _too_few(context: Context, n_known: int) -> NotEnoughHistory:
    return NotEnoughHistory(
        f"{n_known} days or longer intervals of {context.channel.id} are known; trend_season needs {FEWEST_ROWS}",
        remedy="Add more history, or use a baseline such as seasonal_naive.",
    )
