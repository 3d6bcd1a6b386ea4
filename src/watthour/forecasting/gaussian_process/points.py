"""The points of a site at which covariates are known."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.forecast import Context
    from watthour.forecasting.vintages import Array


@dataclass(frozen=True, slots=True)
class CovariatePoint:
    """The channels of one point by their variable, and its share of the load."""

    id: str  # empty: the whole site
    weight: float
    channels: dict[str, str]  # variable -> channel
    feed: str = ""  # whose forecasts of them count; empty: everybody's

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """Build it again."""
        return cls(kept["id"], kept["weight"], dict(kept["channels"]), kept["feed"])


def points_of(context: Context, variables: Sequence[str]) -> tuple[CovariatePoint, ...]:
    """Return the points that have any of some variables and stand for any load, in order of the covariates."""
    points: dict[str, CovariatePoint] = {}
    for each in context.covariates:
        if each.variable in variables and each.weight > 0:
            point = points.setdefault(each.point, CovariatePoint(each.point, each.weight, {}))
            point.channels[each.variable] = each.channel
    return tuple(points.values())


def shares(points: Sequence[CovariatePoint]) -> Array:
    """Return the share of the load of each point, summing to 1, (points,)."""
    weights = np.array([point.weight for point in points], dtype=np.float64)
    return weights / weights.sum() if len(weights) else weights
