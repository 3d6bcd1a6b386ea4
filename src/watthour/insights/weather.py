"""The part of a load that goes with the temperature outdoors, so that a cold week is no oddity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from watthour.insights.load import HOURS, Array, Days, median

HEATS_BELOW, COOLS_ABOVE = 15.0, 22.0  # [degC] of a day's mean; bases of degree days
_PART = 6  # hours of a day that share a coefficient
_WEEK = 7  # days apart that are compared
_FEWEST = 28  # pairs of days
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

    Differences of the load to a week before are fitted by those of the degree days, with Huber's weights (Annals of
    Mathematical Statistics 35, 1964), so that neither single hours nor lasting changes of the level move the fit.
    """
    part = np.zeros(table.power_w.shape)
    if temperature is None or temperature.is_empty():
        return part
    means = daily_means(temperature, time_zone)
    place = (means["day"] - table.first).dt.total_days().to_numpy()
    inside = (place >= 0) & (place < len(part))
    degrees = np.full(len(part), np.nan)
    degrees[place[inside]] = means["degrees"].to_numpy()[inside]
    days = degree_days(degrees)
    changed = days[_WEEK:] - days[:-_WEEK]
    for begin in range(0, HOURS, _PART):
        power = table.power_w[:, begin : begin + _PART].mean(axis=1)
        slopes = _slopes(changed, power[_WEEK:] - power[:-_WEEK])
        part[:, begin : begin + _PART] = np.nan_to_num(days @ slopes)[:, None]
    return part


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
    weights = np.ones(len(wanted))
    for _ in range(_ROUNDS):
        root = np.sqrt(weights)
        fitted, *_rest = np.linalg.lstsq(columns * root[:, None], wanted * root, rcond=None)
        left = np.abs(wanted - columns @ fitted)
        scale = max(1.4826 * median(left), 1e-9)
        weights = np.minimum(1.0, _CLIP * scale / np.maximum(left, 1e-9))
    slopes[moves] = fitted
    return slopes
