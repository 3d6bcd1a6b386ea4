"""Weights of forecasters from their recent losses, and the width of the band of their average."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.conformal import band_scale, misses_of
from watthour.forecasting.vintages import HOUR_US

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_SHARPNESS = 0.8  # a member whose loss is one standard error above that of the best has e^-0.8 = 45 % of its weight
LEAST = 0.05  # weight that counts, as a share of all
_HALFLIFE = 30.0  # periods after which a loss counts half
_OLD = 0.15  # what an answer counts however old: long after the training few others may be known
_WORST = 1.3  # times the loss of the best; beyond it a member gets nothing, however few issues say so
_SELDOM_GOOD = 0.5  # of the weight of others with its loss: who usually loses so much was rather lucky than good
ENOUGH_ISSUES = 6  # that do not overlap; with fewer, what members usually lose speaks too
_PRIOR_ISSUES = 4.0  # of equally good members, beside those that were forecast
_PRIOR_DEVIATION = 0.3  # of the difference of two members' losses of those issues, in parts of the best member's loss
_BLOCKS = tuple(hours * HOUR_US for hours in (6, 48, 168))  # leads at which another block begins
N_BLOCKS = len(_BLOCKS) + 1
_PRIOR_BAND = 4.0  # issues that a band which covers what it says counts for
_LIMITS = (0.5, 3.0)  # times the average's band


def blocks_of(leads: Instants) -> Instants:
    """Return the block of each lead, of any shape: the first hours, two days, a week, and what comes after."""
    return np.searchsorted(np.array(_BLOCKS), leads, side="right")


def losses_of(quantiles: Array, actual: Array) -> Array:
    """Return the mean pinball loss over the levels, (..., n), of quantiles (..., n, ``LEVELS``); NaN where unknown."""
    level = np.array(LEVELS)
    error = actual[:, None] - quantiles
    return np.asarray(np.maximum(level * error, (level - 1) * error).mean(axis=-1))


def fading(ages: Array) -> Array:
    """Return how much an answer of some age, in periods, counts; any shape."""
    return np.asarray(np.maximum(0.5 ** (np.maximum(ages, 0) / _HALFLIFE), _OLD))


def weights_of(
    losses: Array,
    counts: Array,
    issue: Instants,
    block: Instants,
    *,
    usual: Array | None = None,
    n_apart: int = ENOUGH_ISSUES,
    overlap: float = 1.0,
) -> Array:
    """Return the weight of each member in each block of lead, (``N_BLOCKS``, members); each block sums to 1.

    A member counts the less, the more standard errors its mean loss is above that of the best: what may be chance, as
    with few issues or where members err apart, takes little from it. A block that was hardly asked has the weights of
    all.

    Source: exponential weights, Vovk, Journal of Computer and System Sciences 56 (1998), doi:10.1006/jcss.1997.1556;
    the standard error in place of a fixed rate is ours (docs/explanation/combination.md).

    Args:
        losses: (members, n) [unit of the channel].
        counts: (n,) how much each counts.
        issue: (n,) which issue it belongs to, from 0.
        block: (n,) of its lead.
        usual: what members lose on other series, (members,) in parts of the best; None takes them for equally good.
        n_apart: how many of the issues do not overlap; with few of them ``usual`` counts.
        overlap: how many issues speak of the same interval; so many times fewer are independent.
    """
    known = np.asarray(np.isfinite(losses).all(axis=0))
    losses, counts, issue, block = losses[:, known], counts[known], issue[known], block[known]
    if not len(counts):
        return np.full((N_BLOCKS, len(losses)), 1 / len(losses))
    counts = counts * _evened(losses, issue)
    overall, _ = _relative_to_best(losses, counts, issue)
    said = min(1.0, n_apart / ENOUGH_ISSUES)
    before = np.ones(len(losses)) if usual is None else usual
    found = np.empty((N_BLOCKS, len(losses)))
    for number in range(N_BLOCKS):
        mine = np.asarray(block == number)
        own, n_own = _relative_to_best(losses[:, mine], counts[mine], issue[mine])
        trust = n_own / (n_own + _PRIOR_ISSUES * overlap)
        ratio = (trust * own + (1 - trust) * overall) ** said * before ** (1 - said)
        ratio = ratio / ratio.min()
        errors = _standard_errors(losses, counts, issue, int(np.argmin(ratio)), overlap)
        weights = np.exp(-_SHARPNESS * (ratio - 1) / errors) * np.where(before > _WORST, _SELDOM_GOOD, 1.0)
        weights[ratio > _WORST] = 0.0
        found[number] = without_small(weights / weights.sum())
    return found


def without_small(weights: Array) -> Array:
    """Return weights, (members,), less those too small to count, with a sum of 1."""
    kept = np.where(weights < min(LEAST, float(weights.max())), 0.0, weights)
    return np.asarray(kept / kept.sum())


def averaged(quantiles: Array, weights: Array, there: Mask) -> Array:
    """Return the mean of the members' quantiles, level by level, (n, levels); NaN where no member answered.

    A member that did not answer leaves its weight to the others. The mean of densities would be wider than any of
    them that is right.

    Source: Lichtendahl, Grushka-Cockayne and Winkler, Management Science 59 (2013), doi:10.1287/mnsc.1120.1667.

    Args:
        quantiles: (members, n, levels).
        weights: (members, n).
        there: (members, n) who answered what.
    """
    shares = normalised(weights, there)
    total = (np.where(there[..., None], quantiles, 0.0) * shares[..., None]).sum(axis=0)
    return np.where(np.asarray(there.any(axis=0))[:, None], total, np.nan)


def normalised(weights: Array, there: Mask) -> Array:
    """Return the weights, (members, n), scaled to a sum of 1 over the members that answered; equal where all have 0."""
    kept = np.where(there, weights, 0.0)
    kept = np.where((kept.sum(axis=0) > 0), kept, there.astype(np.float64))
    return np.asarray(kept / np.maximum(kept.sum(axis=0), 1e-300))


def band_factor(quantiles: Array, actual: Array, counts: Array, issue: Instants, *, overlap: float = 1.0) -> float:
    """Return what the distance of quantiles from their middle is to be multiplied with, so that the 90 % band holds.

    The average of bands that each hold is too wide where the members err apart, and the members' own last bands may be
    too narrow.

    Source: as ``watthour.forecasting.conformal``.

    Args:
        quantiles: (n, ``LEVELS``) of averages made like the one to be told.
        actual: (n,) what came.
        counts: (n,) how much each counts.
        issue: (n,) which issue it belongs to, from 0.
        overlap: how many issues speak of the same interval; so many times fewer are independent.
    """
    known = np.isfinite(actual) & np.isfinite(quantiles).all(axis=1)
    if not known.any():
        return 1.0
    quantiles, actual, counts, issue = quantiles[known], actual[known], counts[known], issue[known]
    per_issue = np.maximum(np.bincount(issue), 1)
    weights = counts / per_issue[issue]
    total, squares = weights.sum(), (weights * counts).sum()
    misses, prior = misses_of(actual, quantiles), _PRIOR_BAND * overlap
    return band_scale(misses, weights, total=total, squares=squares, prior=prior, limits=_LIMITS)


def _evened(losses: Array, issue: Instants) -> Array:
    """Return what each answer, (n,), is to count beside others, so that a few hard days do not decide alone.

    Errors of a day on which everybody errs ten times as much as usual say less of who is better on the others: its
    losses count by the root of that.
    """
    n_intervals = np.bincount(issue)
    median = np.bincount(issue, np.median(losses, axis=0)) / np.maximum(n_intervals, 1)
    usual = float(median[n_intervals > 0].mean())
    return np.asarray(np.where(median > 0, usual / np.where(median > 0, median, 1.0), 1.0)[issue] ** 0.5)


def _standard_errors(losses: Array, counts: Array, issue: Instants, best: int, overlap: float) -> Array:
    """Return by how much each member's mean loss above one member's may be chance, (members,) in parts of the latter.

    That of a mean over issues whose losses differ as they did, and as ``_PRIOR_ISSUES`` more with a usual deviation.
    """
    per_issue = np.bincount(issue, counts)
    is_there = per_issue > 0
    shares = per_issue[is_there] / per_issue.sum()
    n_issues = 1 / float((shares**2).sum())
    n_apart = n_issues / overlap
    means = np.stack([np.bincount(issue, each * counts)[is_there] for each in losses]) / per_issue[is_there]
    least = float(means[best] @ shares)
    behind = (means - means[best]) / (least if least > 0 else 1.0)
    variance = ((behind - (behind @ shares)[:, None]) ** 2 @ shares**2) * n_issues  # of one issue
    variance = (n_apart * variance + _PRIOR_ISSUES * _PRIOR_DEVIATION**2) / (n_apart + _PRIOR_ISSUES - 1)
    return np.asarray(np.sqrt(variance / n_apart))


def _relative_to_best(losses: Array, counts: Array, issue: Instants) -> tuple[Array, float]:
    """Return each member's mean loss over that of the best, (members,), and how many issues stand behind it."""
    if not len(counts) or not counts.sum():
        return np.ones(len(losses)), 0.0
    means = (losses * counts).sum(axis=1) / counts.sum()
    per_issue = np.bincount(issue, counts) / np.maximum(np.bincount(issue), 1)
    n_issues = per_issue.sum() ** 2 / max(float((per_issue**2).sum()), 1e-300)
    if means.max() <= 0:
        return np.ones(len(losses)), n_issues
    return np.maximum(means, 1e-9 * means.max()) / max(means.min(), 1e-9 * means.max()), n_issues
