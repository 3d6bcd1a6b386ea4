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
    values = np.moveaxis(members, 0, 1).reshape(members.shape[1], -1)
    order = np.argsort(values, axis=1, kind="stable")
    values = np.take_along_axis(values, order, axis=1)
    reached = np.zeros(values.shape)  # weight up to each value; of equal ones a jump has its foot and its head
    for k, (member, share) in enumerate(zip(members, shares[counts], strict=True)):
        above = np.cumsum(order // len(levels) == k, axis=1)
        left, right = np.maximum(above - 1, 0), np.minimum(above, len(levels) - 1)
        low, high = (np.take_along_axis(member, at, axis=1) for at in (left, right))
        part = np.where(high > low, (values - low) / np.where(high > low, high - low, 1.0), 0.0)
        up_to = levels[left] + np.clip(part, 0, 1) * (levels[right] - levels[left])
        reached += share[:, None] * np.where(above == 0, 0.0, up_to)
    right = np.stack([(reached < level - _EXACTLY).sum(axis=1) for level in LEVELS], axis=1)
    right = np.clip(right, 1, values.shape[1] - 1)
    (low, start), (high, end) = (
        [np.take_along_axis(each, at, axis=1) for each in (values, reached)] for at in (right - 1, right)
    )
    part = np.where(end > start, (np.array(LEVELS) - start) / np.where(end > start, end - start, 1.0), 1.0)
    found = low + np.clip(part, 0, 1) * (high - low)
    return np.where(np.isfinite(mean), found, np.nan)
