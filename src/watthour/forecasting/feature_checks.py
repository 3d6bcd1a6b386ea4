"""Whether 20 features of one hour agree: some of them follow from others, and some bound each other."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput
from watthour.forecasting.calendar import WEEKEND
from watthour.forecasting.hourly_inputs import DAY
from watthour.forecasting.weather import COMFORT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Callers round: temperatures to a half degree at worst, demand to a few MWh.
DEGREES_OFF = 0.26  # [K]
SQUARE_OFF = 0.5  # beside what the degrees explain [degC2]
SHARE_OFF = 0.01  # of a load, its mean or its deviation


def check_features(features: Mapping[str, float]) -> None:
    """Refuse features that contradict each other.

    Raises:
        InvalidInput: a feature is missing, or is not what those it follows from give; it names what they give.
    """
    try:
        faults = list(_faults(features))
    except KeyError as error:
        raise InvalidInput(
            str(error.args[0]), None, "this feature is missing", remedy="Give all 20 features."
        ) from error
    if not faults:
        return
    (name, problem), *others = faults
    also = "".join(f"; {other} = {features[other]:g}: {said}" for other, said in others)
    raise InvalidInput(
        name,
        features[name],
        f"{problem}{also}",
        remedy="Send the value that is named, or correct the features it follows from.",
    )


def _faults(features: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Yield each feature that contradicts others, and what they say it must be."""
    temperature = features["temperature"]
    given = f"temperature = {temperature:g}"
    square = temperature**2
    if abs(features["temp_squared"] - square) > SQUARE_OFF + 2 * DEGREES_OFF * abs(temperature):
        yield "temp_squared", f"it must be {square:g}, the square of {given}"
    for name, degrees, side in (
        ("cooling_degree_hours", max(temperature - COMFORT, 0.0), "above"),
        ("heating_degree_hours", max(COMFORT - temperature, 0.0), "below"),
    ):
        if abs(features[name] - degrees) > DEGREES_OFF:
            yield name, f"it must be {degrees:.4g}, the degrees of {given} {side} {COMFORT}"
    weekend = float(features["day_of_week"] >= WEEKEND)
    if features["is_weekend"] != weekend:
        days = f"day_of_week = {features['day_of_week']:g}, where Monday is 0 and Saturday {WEEKEND}"
        yield "is_weekend", f"it must be {weekend:g} for {days}"
    yield from _faults_of_loads(features)


def _faults_of_loads(features: Mapping[str, float]) -> Iterator[tuple[str, str]]:
    """Yield the mean or deviation of the last 24 hours that two of those hours, the first and the last, rule out.

    Of n values with the mean m and the sample deviation s, two that are a and b away from m leave the others at least
    (a + b)^2 / (n - 2) of the sum of squares: a^2 + b^2 + (a + b)^2 / (n - 2) <= (n - 1) s^2.
    """
    mean, deviation = features["demand_rolling_mean_24h"], features["demand_rolling_std_24h"]
    loads = (features["demand_lag_1h"], features["demand_lag_24h"])
    known = f"demand_lag_1h = {loads[0]:g} and demand_lag_24h = {loads[1]:g}"
    slack = SHARE_OFF * max(mean, *loads)
    least_mean = sum(loads) / DAY
    if mean < least_mean - slack:
        yield "demand_rolling_mean_24h", f"it must be at least {least_mean:.6g}, as {known} are two of the 24 hours"
        return
    away = [max(abs(load - mean) - slack, 0.0) * (1 if load > mean else -1) for load in loads]
    least = sqrt((sum(each**2 for each in away) + sum(away) ** 2 / (DAY - 2)) / (DAY - 1))
    if deviation < least * (1 - SHARE_OFF):
        where = f"{known} lie so far from demand_rolling_mean_24h = {mean:g}"
        yield "demand_rolling_std_24h", f"it must be at least {least:.6g}, as {where}"
    most = mean * sqrt(DAY)
    if deviation > most + slack:
        yield "demand_rolling_std_24h", f"it must be at most {most:.6g}, as no hour is below zero"
