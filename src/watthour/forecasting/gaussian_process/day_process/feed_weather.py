"""The weather of some days by one provider, and which providers there are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.forecasting.gaussian_process.archive import in_half
from watthour.forecasting.gaussian_process.day_process.weather import WeatherLevel, day_weather, points_reporting
from watthour.forecasting.gaussian_process.local_days import is_complete
from watthour.forecasting.panel import mean_known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.local_days import DayRequests, Mask
    from watthour.forecasting.gaussian_process.points import CovariatePoint
    from watthour.forecasting.vintages import Array


@dataclass(frozen=True, slots=True, eq=False)
class FeedWeather:
    """The weather of one provider on some days."""

    points: tuple[CovariatePoint, ...]
    values: Array  # (days, points, LAGS, 4) [degC]; NaN where unknown

    @classmethod
    def of(cls, history: History, points: Sequence[CovariatePoint], requests: DayRequests) -> Self:
        """Look up what was known at each request."""
        return cls(tuple(points), day_weather(history, points, requests))

    def of_reporting(self) -> FeedWeather:
        """Return the points that report, to the precision of their file."""
        rows = np.flatnonzero(points_reporting(self.values))
        return FeedWeather(tuple(self.points[row] for row in rows), in_half(self.values[:, rows]))

    @property
    def name(self) -> str:
        """The provider."""
        return self.points[0].feed if self.points else ""

    @property
    def is_known(self) -> Mask:
        """Return of which days it knows the temperatures at any point, (days,)."""
        return np.asarray(is_complete(self.values[:, :, 0, : WeatherLevel.TEMPERATURE]).any(axis=1))

    def at(self, points: Sequence[CovariatePoint]) -> Array:
        """Return its weather at other points: at the point of the same name, else the mean of all it has."""
        own = {point.id: number for number, point in enumerate(self.points)}
        centre = mean_known(self.values, axis=1)
        return np.stack([self.values[:, own[each.id]] if each.id in own else centre for each in points], axis=1)


def feeds_of(history: History, points: Sequence[CovariatePoint]) -> list[tuple[CovariatePoint, ...]]:
    """Return the points of each provider of forecasts, the provider with the most of them first.

    Channels of which there are only facts, such as the covariates of a table, are a feed without a name.
    """
    channels = [channel for point in points for channel in point.channels.values()]
    rows = history.forecasts.lazy().filter(pl.col("channel").is_in(channels)).select("channel", "model").unique()
    makers: dict[str, set[str]] = defaultdict(set)
    for channel, model in rows.collect().iter_rows():
        makers[model].add(channel)
    makers[""] = set(channels).difference(*makers.values())
    found = [
        tuple(_of_feed(point, name, own) for point in points if own & set(point.channels.values()))
        for name, own in sorted(makers.items())
    ]
    return sorted((each for each in found if each), key=len, reverse=True)


def _of_feed(point: CovariatePoint, name: str, own: set[str]) -> CovariatePoint:
    return replace(point, feed=name, channels={key: each for key, each in point.channels.items() if each in own})
