"""A weighted mean from forecasts of what it is made of: of the sum of all, and of each part but the largest.

A reactor that is off stays off whatever the weather does, and the load follows the weather whatever is off. In the mean
the two are mixed; forecast apart, each goes its own way. The weights are learned from what the mean was.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS, Readings
from watthour.core.quality import is_trusted
from watthour.forecasting.combination.trial import quantiles_of
from watthour.forecasting.day_regression.model import DayRegression, FittedDayRegression
from watthour.forecasting.panel import mean_known
from watthour.forecasting.vintages import DAY_US, MEDIAN, datetimes, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array

_RECIPE = DayRegression(memories_days=(1461,), is_plain=True)
_FEWEST_KNOWN = 0.9  # of the hours of the series, of what counts as part of it
_SMALLEST = 0.01  # share of the sum, below which a part is not forecast by itself
_FURTHEST = 0.01  # mean miss of a weighted mean, in parts of the series, with which it is one
_LEAST_REST = 0.02  # of the sum, that is left of it whatever the parts are
_STILL = 0.001  # of the sum; what moves less is as it was on the last known day
_SUM = "parts.sum"
_WORDS = "parts.json"


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Regressions over days of the logarithm of a sum and of its parts, and the weight of each in the mean."""

    summed: tuple[str, ...]  # channels that make the sum
    weights: Mapping[str, float]  # of each part that is forecast by itself [unit of the series]
    rest_weight: float  # of what the sum has beside them
    total: FittedDayRegression
    parts: Mapping[str, FittedDayRegression]  # of those that move

    @classmethod
    def learn(cls, logs: History, issues: dy.DataFrame[Targets]) -> Self | None:
        """Learn the parts of a series of logarithms; None where it is no weighted mean of its companions."""
        found = _weights_of(logs)
        if found is None:
            return None
        summed, weights, rest, moving = found
        known = _with_sum(logs, summed)
        try:
            total = _RECIPE.fit(_about(known, _SUM), issues)
            parts = {name: _RECIPE.fit(_about(known, name), issues) for name in moving}
        except NotEnoughHistory:  # the series itself is known for longer, and can do without
            return None
        return cls(summed, weights, rest, total, parts)

    def told(
        self, logs: History, targets: dy.DataFrame[Targets], *, as_latest_knows: bool = False
    ) -> tuple[Array, Array]:
        """Return the logarithm of each target and how wide its band is, (n,) each; NaN where parts are not known.

        The band follows from those of the sum and the parts, as if they missed independently.
        """
        known = _with_sum(logs, self.summed)

        def of(model: FittedDayRegression, channel: str) -> tuple[Array, Array]:
            forecast = model.predict(_about(known, channel), targets, as_latest_knows=as_latest_knows)
            quantiles, _ = quantiles_of(forecast, targets)
            return quantiles[:, LEVELS.index(MEDIAN)], quantiles[:, -1] - quantiles[:, 0]

        try:
            total, width = of(self.total, _SUM)
            parts = {name: of(model, name) for name, model in self.parts.items()}
        except NotEnoughHistory:
            return np.full(targets.height, np.nan), np.full(targets.height, np.nan)
        still = [name for name in self.weights if name not in parts]
        parts |= {name: (_last_day(known, name, targets), np.zeros(targets.height)) for name in still}
        shares = {name: np.maximum(each, 0.0) / np.exp(total) for name, (each, _) in parts.items()}
        others = sum(shares.values(), np.zeros(targets.height))
        rest = np.maximum(1 - others, _LEAST_REST)
        weighted = sum((self.weights[name] * each for name, each in shares.items()), self.rest_weight * rest)
        mean = weighted / (others + rest)
        mean = np.where(mean > 0, mean, np.nan)
        # one part more by 1 % of the sum moves the mean by 1 % of how its weight differs from that of the rest
        squares = ((self.rest_weight / mean - 1) * width) ** 2
        for name, (_, each) in parts.items():
            squares += ((self.weights[name] - self.rest_weight) / mean * each / np.exp(total)) ** 2
        return np.log(mean), np.sqrt(squares)

    def files(self) -> dict[str, bytes]:
        """Return the regressions' files and JSON."""
        words = {
            "summed": self.summed,
            "weights": self.weights,
            "rest_weight": self.rest_weight,
            "moving": list(self.parts),
        }
        models = {_SUM: self.total, **self.parts}
        each = {f"{name}/{file}": content for name, model in models.items() for file, content in model.files().items()}
        return {_WORDS: json.dumps(words).encode(), **each}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self | None:
        """Build them again; None of an older model, which has none."""
        if _WORDS not in files:
            return None
        words = json.loads(files[_WORDS])

        def model(name: str) -> FittedDayRegression:
            start = f"{name}/"
            mine = {file.removeprefix(start): files[file] for file in files if file.startswith(start)}
            return FittedDayRegression.from_files(mine)

        weights = words["weights"]
        parts = {name: model(name) for name in words["moving"]}
        return cls(tuple(words["summed"]), weights, words["rest_weight"], model(_SUM), parts)


def _weights_of(logs: History) -> tuple[tuple[str, ...], dict[str, float], float, tuple[str, ...]] | None:
    """Return what makes the sum, the weights of its larger parts, that of the rest, and which of these parts move.

    None says that it is no such mean.

    Weights are none below zero, with the least squares of misses in parts of the series.
    """
    from scipy.optimize import nnls

    context = logs.context
    names = [context.channel.id, *context.companions]
    rows = logs.latest().filter(pl.col("channel").is_in(names), is_trusted(), pl.col("value").is_not_null())
    table = rows.pivot("channel", index="time", values="value")
    if not context.companions or context.channel.id not in table.columns:
        return None
    table = table.filter(pl.col(context.channel.id).is_not_null())
    there = [name for name in context.companions if name in table.columns]
    summed = tuple(name for name in there if table[name].is_not_null().mean() >= _FEWEST_KNOWN)  # type: ignore[operator]  # a number
    table = table.drop_nulls(summed)
    amounts = np.maximum(table.select(summed).to_numpy(), 0.0)
    total = amounts.sum(axis=1)
    good = total > 0
    if len(summed) < 2 or not good.any():  # noqa: PLR2004 - a sum of one has no parts
        return None
    shares = amounts[good] / total[good, None]
    mean, largest = shares.mean(axis=0), int(shares.mean(axis=0).argmax())
    large = [k for k in range(len(summed)) if k != largest and mean[k] >= _SMALLEST]
    moving = tuple(summed[k] for k in large if amounts[:, k].std() > _STILL * total.mean())
    inputs = np.column_stack([shares[:, large], 1 - shares[:, large].sum(axis=1)])
    inputs /= np.exp(table[context.channel.id].to_numpy()[good])[:, None]
    weights, _ = nnls(inputs, np.ones(len(inputs)))
    if not large or np.abs(inputs @ weights - 1).mean() > _FURTHEST:
        return None
    of_parts = {summed[k]: float(weight) for k, weight in zip(large, weights, strict=False)}
    return summed, of_parts, float(weights[-1]), moving


def _with_sum(logs: History, channels: Sequence[str]) -> History:
    """Return what was known with the logarithm of the sum of some channels, known once all of them are."""
    measured = pl.col("channel").is_in(channels), pl.col("available_at") >= pl.col("time")
    moments = logs.readings.filter(*measured, is_trusted()).select("time", "available_at").unique(maintain_order=True)
    time, available = instants(moments["time"]), instants(moments["available_at"])
    known = (measurement_vintages(logs, name).known(time, available) for name in channels)
    total = sum((np.maximum(each, 0.0) for each in known), np.zeros(len(time)))
    there = total > 0  # NaN is not
    rows = pl.DataFrame(
        {
            "channel": _SUM,
            "time": datetimes(time[there]),
            "available_at": datetimes(available[there]),
            "recorded_at": datetimes(available[there]),
            "value": np.log(total[there]),
            "quality": pl.Series(np.zeros(int(there.sum())), dtype=pl.Int16),
        }
    )
    return replace(logs, readings=Readings.cast(pl.concat([logs.readings, rows.select(logs.readings.columns)])))


def _last_day(history: History, channel: str, targets: dy.DataFrame[Targets]) -> Array:
    """Return the mean of a channel over the day that each target's issue knows last, (n,)."""
    issued, until = instants(targets["issued_at"]), instants(targets["known_until"])
    pairs, issue = np.unique(np.stack([issued, np.minimum(until, issued)]), axis=1, return_inverse=True)
    step = history.context.resolution // timedelta(microseconds=1)
    hours = pairs[1][:, None] // step * step - step * np.arange(1, DAY_US // step + 1)
    values = measurement_vintages(history, channel).known(hours, pairs[0][:, None])
    return np.asarray(mean_known(values)[issue.ravel()])


def _about(history: History, channel: str) -> History:
    """Return what was known, as what is known of another channel of the same step."""
    context = history.context
    named = replace(context.channel, id=channel)
    return replace(history, context=replace(context, channel=named, companions=(), similar=(), rivals=()))
