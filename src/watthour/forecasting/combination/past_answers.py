"""What the members of a combination said before, and the same targets asked some days earlier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.frames import Targets
from watthour.forecasting.calendar import same_clock
from watthour.forecasting.combination.mixture import mixed
from watthour.forecasting.combination.weights import (
    averaged,
    band_factor,
    blocks_of,
    fading,
    losses_of,
    weights_of,
)
from watthour.forecasting.conformal import widened
from watthour.forecasting.gaussian_process.local_days import is_complete
from watthour.forecasting.vintages import DAY_US, datetimes, instants

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_LONGEST_DAYS = 28  # since the members learned, that are forecast again to see how each does
_FADING_OVER = 0.15  # of the reach of a forecast is a period of fading, if that is longer than a day
_FEWEST_ISSUES = 3  # of a block, to tell its band by itself


@dataclass(frozen=True, slots=True, eq=False)
class PastAnswers:
    """What each member said of past intervals, and what came of them; instants in microseconds."""

    issued: Instants  # (n,)
    time: Instants  # (n,)
    actual: Array  # (n,) NaN where nothing came
    quantiles: Array  # (members, n, ``LEVELS``), NaN where a member did not answer

    def take(self, rows: Mask | Instants) -> PastAnswers:
        """Return some of them."""
        return PastAnswers(self.issued[rows], self.time[rows], self.actual[rows], self.quantiles[:, rows])

    def followed_by(self, other: PastAnswers) -> PastAnswers:
        """Return both, these first."""
        return PastAnswers(
            np.concatenate([self.issued, other.issued]),
            np.concatenate([self.time, other.time]),
            np.concatenate([self.actual, other.actual]),
            np.concatenate([self.quantiles, other.quantiles], axis=1),
        )

    def of_members(self, rows: Instants) -> PastAnswers:
        """Return those of some of the members, by position."""
        return PastAnswers(self.issued, self.time, self.actual, self.quantiles[rows])

    @property
    def blocks(self) -> Instants:
        """The block of lead of each, (n,)."""
        return blocks_of(self.time - self.issued)


@dataclass(frozen=True, slots=True)
class Merging:
    """How the members' answers become one."""

    is_mixed: bool  # distributions are mixed; else their quantiles are averaged
    factor: float = 1.0  # of the band

    def of(self, quantiles: Array, weights: Array, there: Mask) -> Array:
        """Return the merged quantiles before they are widened; arguments as ``averaged``."""
        return (mixed if self.is_mixed else averaged)(quantiles, weights, there)

    def answer(self, quantiles: Array, weights: Array, there: Mask) -> Array:
        """Return the merged quantiles; arguments as ``averaged``."""
        return widened(self.of(quantiles, weights, there), self.factor)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """Past answers as they count at one issue."""

    past: PastAnswers
    counts: Array  # (n,)
    issue: Instants  # (n,) from 0
    overlap: float  # how many issues speak of the same interval
    usual: Array  # (members,) what they lose on other series, in parts of the best
    n_apart: int  # issues that do not overlap

    @classmethod
    def at(cls, past: PastAnswers, issued: int, period: int, usual: Array) -> Self:
        """Return answers as they count at an instant: the older, the less."""
        known = np.isfinite(past.actual)
        past = past.take(known)
        issues, issue = np.unique(past.issued, return_inverse=True)
        reach = int((past.time - past.issued).max()) if len(past.time) else period
        apart = float(np.median(np.diff(issues))) if len(issues) > 1 else reach
        n_apart = len(np.unique(issues // max(reach, period)))
        long = max(period, _FADING_OVER * reach)  # forecasts of months say something for longer than those of hours
        counts = fading((issued - past.issued) / long)
        return cls(past, counts, issue.reshape(-1), max(1.0, reach / max(apart, period)), usual, n_apart)

    def weights(self) -> Array:
        """Return the weight of each member in each block of lead, (blocks, members)."""
        losses = losses_of(self.past.quantiles, self.past.actual)
        return weights_of(
            losses,
            self.counts,
            self.issue,
            self.past.blocks,
            usual=self.usual,
            n_apart=self.n_apart,
            overlap=self.overlap,
        )

    def merging(self, weights: Array, block: int) -> Merging:
        """Return how members are merged in a block; from all past answers where the block was hardly asked.

        Of the average of quantiles and the mixture of distributions, the one with the smaller loss of those answers.
        """
        blocks = self.past.blocks
        mine = blocks == block
        if len(np.unique(self.issue[mine])) < _FEWEST_ISSUES:
            mine = np.ones(len(blocks), dtype=np.bool_)
        past, counts = self.past.take(mine), self.counts[mine]
        there, shares = is_complete(past.quantiles), weights[blocks[mine]].T
        says_all = there[weights[block] > 0].all(axis=0)  # others say nothing of the merging of all
        overlap = len(blocks) / max(1, len(np.unique(self.past.time)))
        ways = (False, True) if (shares > 0).sum(axis=0).max(initial=0) > 1 else (False,)
        found = []
        for is_mixed in ways:
            told = Merging(is_mixed).of(past.quantiles, shares, there)
            told[~says_all] = np.nan
            factor = band_factor(told, past.actual, counts, self.issue[mine], overlap=overlap)
            losses = losses_of(widened(told, factor), past.actual)
            known = np.isfinite(losses)
            found.append((float(losses[known] @ counts[known]), Merging(is_mixed, factor)))
        return min(found, key=lambda each: each[0])[1]

    def left_out(self) -> Array:
        """Return each answer of all members, (n, ``LEVELS``), weighted, merged and widened by the other issues."""
        found = np.full(self.past.quantiles.shape[1:], np.nan)
        blocks = self.past.blocks
        for number in range(int(self.issue.max()) + 1 if len(self.issue) else 0):
            mine = self.issue == number
            others = replace(self, past=self.past.take(~mine), counts=self.counts[~mine], issue=self.issue[~mine])
            weights = others.weights()
            past = self.past.take(mine)
            there = is_complete(past.quantiles)
            for block in np.unique(blocks[mine]).tolist():
                rows = blocks[mine] == block
                shares = np.repeat(weights[block][:, None], rows.sum(), axis=1)
                merging = others.merging(weights, block)
                found[mine & (blocks == block)] = merging.answer(past.quantiles[:, rows], shares, there[:, rows])
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """The same targets as some days before, each once, and which of them tell something of each issue."""

    asked: dy.DataFrame[Targets]
    of_issue: tuple[Instants, ...]  # rows of ``asked`` by issue

    @classmethod
    def of(cls, targets: dy.DataFrame[Targets], issue: Instants, *, since: int, step: int, time_zone: str) -> Self:
        """Return what would have been asked at the same clock on the days before each issue.

        Args:
            targets: what is asked.
            issue: (targets,) the issue of each, from 0.
            since: nothing is asked as of before this instant, as the members had not learned then [microseconds].
            step: of the channel [microseconds].
            time_zone: of the place.
        """
        issued, known_until, time = (instants(targets[name]) for name in ("issued_at", "known_until", "time"))
        known_until = np.minimum(issued, known_until)
        found, owner = [np.empty((0, 3), dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        if step <= DAY_US and len(issued):  # of longer steps nothing comes between two trainings
            reach = -(-int((time + step - issued).max()) // DAY_US)
            stride = max(1, reach // 2)
            for days in range(stride, max(_LONGEST_DAYS, 2 * reach) + 1, stride):
                before = np.stack(
                    [same_clock(each, np.array(days), time_zone) for each in (issued, known_until, time)], axis=1
                )
                tells = (before[:, 0] >= since) & (before[:, 2] + step <= known_until)
                found.append(before[tells])
                owner.append(issue[tells])
        rows, position = np.unique(np.concatenate(found), axis=0, return_inverse=True)
        pairs = np.unique(np.stack([np.concatenate(owner), position.reshape(-1)], axis=1), axis=0)
        n_issues = int(issue.max()) + 1 if len(issue) else 0
        edges = np.searchsorted(pairs[:, 0], np.arange(n_issues + 1))
        names = ("issued_at", "known_until", "time")
        asked = pl.DataFrame({name: datetimes(rows[:, k]) for k, name in enumerate(names)})
        return cls(
            Targets.cast(asked.select("issued_at", "time", "known_until")),
            tuple(pairs[first:last, 1] for first, last in pairwise(edges.tolist())),
        )
