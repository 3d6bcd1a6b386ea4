"""The mixture of several forecasters' distributions, given and returned as quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.combination.weights import averaged, normalised

if TYPE_CHECKING:
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array

_LONG_TAIL = 1.5  # beyond the last quantile, in parts of the distance from the one before it
_EXACTLY = 1e-9


def mixed(quantiles: Array, weights: Array, there: Mask) -> Array:
    """Return the quantiles of the members' mixture, (n, levels); NaN where no member answered.

    Each member's distribution function is joined by straight lines between its quantiles; the mixture's function is the
    weighted mean of them, and so are lines between all quantiles of all members. Arguments as ``weights.averaged``,
    which it equals where one member alone has a weight.

    Source: Stone, Annals of Mathematical Statistics 32 (1961), doi:10.1214/aoms/1177704873, the linear opinion pool.
    """
    shares = normalised(weights, there)
    mean = averaged(quantiles, shares, there)
    counts = shares.max(axis=1, initial=0.0) > 0
    if counts.sum() <= 1 or not len(mean):
        return mean
    members = np.where(there[counts][..., None], quantiles[counts], mean)
    below, above = members[..., :1] - members[..., 1:2], members[..., -1:] - members[..., -2:-1]
    members = np.concatenate([members[..., :1] + below, members, members[..., -1:] + _LONG_TAIL * above], axis=-1)
    levels = np.array([0.0, *LEVELS, 1.0])
    values = np.sort(np.moveaxis(members, 0, 1).reshape(members.shape[1], -1), axis=1)
    before, until = np.zeros(values.shape), np.zeros(values.shape)  # weight below each value, and up to it
    for member, share in zip(members, shares[counts], strict=True):
        before += share[:, None] * _reached(member, values, levels, is_before=True)
        until += share[:, None] * _reached(member, values, levels, is_before=False)
    found = np.empty(mean.shape)
    for k, level in enumerate(LEVELS):
        right = np.minimum((until < level - _EXACTLY).sum(axis=1), values.shape[1] - 1)[:, None]
        left = np.maximum(right - 1, 0)
        (low, start), (high, end) = (
            (np.take_along_axis(values, at, axis=1), np.take_along_axis(reached, at, axis=1))
            for at, reached in ((left, until), (right, before))
        )
        part = np.where(end > level, (level - start) / np.where(end > start, end - start, 1.0), 1.0)
        found[:, k] = (low + np.clip(part, 0, 1) * (high - low))[:, 0]
    return np.where(np.isfinite(mean), found, np.nan)


def _reached(member: Array, values: Array, levels: Array, *, is_before: bool) -> Array:
    """Return a member's distribution function at some values, (n, values): the weight below them, or up to them.

    Args:
        member: (n, levels) its quantiles, ascending.
        values: (n, values).
        levels: of the quantiles, from 0 to 1.
        is_before: leave out the weight that lies exactly on a value.
    """
    sides = (member[:, None, :] < values[..., None]) if is_before else (member[:, None, :] <= values[..., None])
    above = sides.sum(axis=-1)
    left, right = np.maximum(above - 1, 0), np.minimum(above, len(levels) - 1)
    low, high = (np.take_along_axis(member, at, axis=1) for at in (left, right))
    part = np.where(high > low, (values - low) / np.where(high > low, high - low, 1.0), 0.0)
    reached = levels[left] + np.clip(part, 0, 1) * (levels[right] - levels[left])
    return np.where(above == 0, 0.0, reached)
