"""Features of what a series is made of, such as the generation by fuel behind a carbon intensity: shares of the sum.

All are of the days before the issue; nothing of a companion is known ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from watthour.forecasting.panel import mean_known
from watthour.forecasting.vintages import measurement_vintages_by_channel

if TYPE_CHECKING:
    from watthour.core.forecast import History
    from watthour.forecasting.panel import Panel
    from watthour.forecasting.vintages import Array

_DAYS, _LAST_HOURS = 7, 3


def companion_features(history: History, panel: Panel) -> dict[str, Array]:
    """Return what the companions of a channel were on the last days, (R,) each; none of those that were never measured.

    Of each companion its share in the sum of all: on the last day, in the last hours, and at the hour of the target,
    and how these differ from the days before; of the sum how it grew, as logarithms.
    """
    found = measurement_vintages_by_channel(history, history.context.companions)
    if not found:
        return {}
    a_day = panel.per(24)
    measured = {
        name: np.maximum(panel.measured(found[name], a_day * _DAYS), 0.0)
        for name in history.context.companions
        if name in found
    }
    total = np.nansum(list(measured.values()), axis=0)
    total = np.where(total > 0, total, np.nan)
    features: dict[str, Array] = {}
    for name, values in measured.items():
        share = values / total
        features |= {
            f"{name}_share_{what}": each for what, each in (_recent(share, panel) | _same(share, panel)).items()
        }
    grew = _recent(np.log(total), panel)
    return features | {f"companions_{what}": grew[what] for what in ("day_change_7d", "now_change_1d")}


def _recent(values: Array, panel: Panel) -> dict[str, Array]:
    """Return the mean of the last day and hours, and their differences from the week and the day before: (R,) each."""
    a_day, n_last = panel.per(24), panel.per(_LAST_HOURS)
    day = mean_known(values[:, -a_day:], at_least=a_day // 2)
    now = mean_known(values[:, -n_last:])
    before = mean_known(values[:, -a_day - n_last : -a_day])
    recent = {
        "day": day,
        "day_change_7d": day - mean_known(values, at_least=a_day),
        "now": now,
        "now_change_1d": now - before,
    }
    return {name: each[panel.issue] for name, each in recent.items()}


def _same(values: Array, panel: Panel) -> dict[str, Array]:
    """Return the last value at the clock of each target, and how it differs from that of the last week, (R,) each."""
    a_day = panel.per(24)
    nearest = np.maximum(-(-(panel.interval - panel.edge[panel.issue] + 1) // a_day), 1)
    before = panel.interval[:, None] - a_day * (nearest[:, None] + np.arange(_DAYS))
    last = panel.pick(values, a_day * _DAYS, before)
    return {"same_hour": last[:, 0], "same_hour_change_7d": last[:, 0] - mean_known(last, at_least=3)}
