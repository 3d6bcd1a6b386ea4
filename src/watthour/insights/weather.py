"""The part of a load that goes with the temperature outdoors, so that a cold week is no oddity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from watthour.insights.load import HOURS, Array, Days, median

HEATS_BELOW, COOLS_ABOVE = 15.0, 22.0  # [degC] of a day's mean; bases of degree days
_PART = 6  # hours of a day that share a coefficient
_WEEK = 7  # days apart that are compared
_COLD = (HEATS_BELOW, 9.0, 3.0, -3.0)  # [degC] bases, below each of which a degree may take another power
_FEWEST = 28  # pairs of hours, a week apart, whose temperatures differ
_RIDGE = 1e-3
_ROUNDS = 10
_CLIP = 1.5  # robust standard deviations, beyond which a value counts less (Huber)


def degree_days(degrees: Array) -> Array:
    """Return how many degrees the mean of each day lies below 15 and above 22, in degC.

    >>> degree_days(np.array([5.0, 18.0, 30.0])).tolist()
    [[10.0, 0.0], [0.0, 0.0], [0.0, 8.0]]
    """
    return np.column_stack([np.maximum(HEATS_BELOW - degrees, 0.0), np.maximum(degrees - COOLS_ABOVE, 0.0)])


def daily_means(temperature: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Return the mean temperature ``degrees`` of each local ``day``, from ``time`` and ``value``."""
    local_day = pl.col("time").dt.convert_time_zone(time_zone).dt.date().alias("day")
    return temperature.drop_nulls("value").group_by(local_day).agg(degrees=pl.col("value").mean()).sort("day")


def weather_part(table: Days, temperature: pl.DataFrame | None, time_zone: str) -> Array:
    """Return the part of each hour's power that goes with the temperature [W]; zero where that is not known.

    Differences of the load to a week before are fitted by those of how far the temperature of the hour lies below some
    bases and above another, as a heat pump needs more for a degree the colder it is, and of the degree days, as walls
    keep warm; with Huber's weights (Annals of Mathematical Statistics 35, 1964), so that neither single hours nor
    lasting changes of the level move the fit.
    """
    part = np.zeros(table.power_w.shape)
    if temperature is None or temperature.is_empty():
        return part
    hours = _hourly(table, temperature, time_zone)
    days = degree_days(_mean_known(hours))
    hours = np.where(np.isnan(hours), _mean_known(hours)[:, None], hours)
    for begin in range(0, HOURS, _PART):
        of_part = hours[:, begin : begin + _PART]
        columns = [np.maximum(base - of_part, 0.0) for base in _COLD] + [np.maximum(of_part - COOLS_ABOVE, 0.0)]
        columns += [np.broadcast_to(days[:, [k]], of_part.shape) for k in range(days.shape[1])]
        known = np.stack(columns, axis=-1)
        power = table.power_w[:, begin : begin + _PART]
        changed = (known[_WEEK:] - known[:-_WEEK]).reshape(-1, len(columns))
        slopes = _slopes(changed, (power[_WEEK:] - power[:-_WEEK]).ravel())
        part[:, begin : begin + _PART] = np.nan_to_num(known @ slopes)
    return part


def _hourly(table: Days, temperature: pl.DataFrame, time_zone: str) -> Array:
    """Return the temperature of each local hour, (days, 24); nan where it is not known."""
    local = pl.col("time").dt.convert_time_zone(time_zone)
    known = temperature.drop_nulls("value").with_columns(day=local.dt.date(), hour=local.dt.hour().cast(pl.Int64))
    known = known.group_by("day", "hour").agg(pl.col("value").mean())
    place = (known["day"] - table.first).dt.total_days().to_numpy()
    inside = (place >= 0) & (place < len(table.power_w))
    found = np.full(table.power_w.shape, np.nan)
    found[place[inside], known["hour"].to_numpy()[inside]] = known["value"].to_numpy()[inside]
    return found


def _mean_known(hours: Array) -> Array:
    """Return the mean of each day, nan where none of its hours is known."""
    known = ~np.isnan(hours)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, hours, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def without_weather(table: Days, temperature: pl.DataFrame | None, time_zone: str) -> tuple[Days, Array]:
    """Return the load less the part that goes with the temperature, and that part [W]."""
    part = weather_part(table, temperature, time_zone)
    return replace(table, power_w=table.power_w - part), part


def _slopes(changed: Array, power: Array) -> Array:
    """Return the power per degree below and above; zero for what hardly occurs."""
    known = ~np.isnan(power) & ~np.isnan(changed).any(axis=1)
    slopes = np.zeros(changed.shape[1])
    moves = (np.abs(changed[known]) > 1.0).sum(axis=0) >= _FEWEST if known.any() else np.zeros(len(slopes), dtype=bool)
    if not moves.any():
        return slopes
    columns, wanted = changed[known][:, moves], power[known]
    columns = columns / (scales := np.sqrt((columns**2).mean(axis=0)))
    steady = _RIDGE * len(wanted) * np.eye(columns.shape[1])  # hinges of neighbouring bases are alike
    weights = np.ones(len(wanted))
    for _ in range(_ROUNDS):
        weighted = columns.T * weights
        fitted = np.linalg.solve(weighted @ columns + steady, weighted @ wanted)
        left = np.abs(wanted - columns @ fitted)
        scale = max(1.4826 * median(left), 1e-9)
        weights = np.minimum(1.0, _CLIP * scale / np.maximum(left, 1e-9))
    slopes[moves] = fitted / scales
    return slopes
