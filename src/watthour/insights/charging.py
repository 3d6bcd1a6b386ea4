"""Hours in which a car without a meter of its own seems to charge, and hides what else is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.insights.load import median, quantile

if TYPE_CHECKING:
    from watthour.insights.load import Array, Mask

_MORE_W = 3000.0  # than such hours usually draw
_TYPICAL_W = 4500.0  # by which they draw more, in the median: heaters and hobs seldom do, a charger of 7 kW does
_PART_W = 1000.0  # more, beside such an hour: it began or ended there
_FEWEST_WHOLE = 5  # hours of charging between two others, that tell the power of the charger
_ALIKE = 0.15  # of the highest of them, that half of them are apart at most: else the charger follows the sun
_SHARE = 1 / 8  # of the days, that have such an hour


@dataclass(frozen=True, slots=True)
class Charging:
    """When a car seems to charge, and with which power."""

    hours: Mask  # (days, 24), in which it charges, for a part or the whole
    power_w: float  # of the charger, that a whole hour has; infinite where it is not known


def charging_of(power_w: Array, is_off: Mask) -> Charging:
    """Return the hours in which a charger seems to be on; none where the home seems to have no charger.

    It has one where on one day in eight or more an hour draws 3 kW more than the median of that hour on such days,
    and these hours draw 4.5 kW more in their median. An hour beside them that draws 1 kW more is one in which it
    began or ended.

    Args:
        power_w: of the days, (days, 24); nan is a gap.
        is_off: whether a day is a day off.
    """
    more = np.full(power_w.shape, np.nan)
    for kind in (False, True):
        alike = is_off == kind
        more[alike] = power_w[alike] - quantile(power_w[alike], 0.5)
    found = np.asarray(more > _MORE_W)
    if np.mean(found.any(axis=1)) < _SHARE or median(more[found]) < _TYPICAL_W:
        return Charging(np.zeros_like(found), np.inf)
    flat = found.ravel()
    before, after = np.append(False, flat[:-1]), np.append(flat[1:], False)
    is_part = (before | after) & (more.ravel() > _PART_W)
    return Charging((flat | is_part).reshape(found.shape), _most_alike(more.ravel()[flat & before & after]))


def _most_alike(values: Array) -> float:
    """Return the middle of the shortest span that holds half of the values; infinite where they are few, or far apart.

    Source: Andrews et al., Robust Estimates of Location (1972): the shorth, here its midrange.
    """
    known = np.sort(values[~np.isnan(values)])
    if len(known) < _FEWEST_WHOLE:
        return np.inf
    half = len(known) // 2
    begin = int(np.argmin(known[half:] - known[: len(known) - half]))
    low, high = float(known[begin]), float(known[begin + half])
    return (low + high) / 2 if high - low <= _ALIKE * high else np.inf
