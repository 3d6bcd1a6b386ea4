"""Hours in which a car without a meter of its own seems to charge, and hides what else is odd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.insights.load import median, quantile

if TYPE_CHECKING:
    from watthour.insights.load import Array, Mask

_MORE_W = 3000.0  # than such hours usually draw
_TYPICAL_W = 4500.0  # by which they draw more, in the median: heaters and hobs seldom do, a charger of 7 kW does
_SHARE = 1 / 8  # of the days, that have such an hour


def charging_hours(power_w: Array, is_off: Mask) -> Mask:
    """Return the hours in which a charger seems to be on, (days, 24); none where the home seems to have no charger.

    It has one where on one day in eight or more an hour draws 3 kW more than the median of that hour on such days,
    and these hours draw 4.5 kW more in their median.

    Args:
        power_w: of the days, (days, 24); nan is a gap.
        is_off: whether a day is a day off.
    """
    more = np.full(power_w.shape, np.nan)
    for kind in (False, True):
        alike = is_off == kind
        more[alike] = power_w[alike] - quantile(power_w[alike], 0.5)
    found = np.asarray(more > _MORE_W)
    is_charger = np.mean(found.any(axis=1)) >= _SHARE and median(more[found]) >= _TYPICAL_W
    return found if is_charger else np.zeros_like(found)
