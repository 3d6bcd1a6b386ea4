"""What a person reads instead of an id."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from watthour.workflows.baselines import BASELINES
from watthour.workflows.forecast import label_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = re.compile(r"^(?P<recipe>\w+?)-(?P<trained>\d{8}T\d{6})-\w+$")
_AFTERWARDS = "-backtest"  # after a recipe: made later for a past day by a model that had not learned from it
_RECIPES = {
    "combination": "Combination",
    "day_process": "Day process",
    "hour_process": "Hour process",
    "gradient_boosting": "Gradient boosting",
    "seasonal_naive": "Same time last week",
}
_FEEDS = {
    "eia": "EIA, demand",
    "eia_fuel_mix": "EIA, fuel mix",
    "eia_bulk": "EIA, six-month files",
    "elia": "Elia",
    "nyiso": "NYISO",
    "open_meteo_archive": "Open-Meteo, past weather",
    "open_meteo_forecast": "Open-Meteo, weather forecast",
    "open_meteo_previous_runs": "Open-Meteo, earlier forecasts",
    "simulation_mix": "Simulation, fuel mix",
    "watttime": "WattTime",
    "uk_carbon": "NESO, carbon intensity",
    "uk_carbon_regional": "NESO, carbon intensity of a region",
    "electricity_maps": "Electricity Maps",
    "mqtt": "MQTT",
    "homewizard": "HomeWizard",
    "forecast": "Our forecasts",
    "train": "Our training",
}


def model_label(version: str) -> str:
    """Name a model by its kind and the day it was trained, a baseline by what it does.

    >>> model_label("day_process-20261101T060000-ab12cd")
    'Day process, trained 1 November 2026'
    >>> model_label("seasonal_naive")
    'Same time last week'
    >>> model_label("day_process-backtest")
    'Day process, trained on the days before'
    """
    if version.endswith(_AFTERWARDS):
        return f"{_kind(version.removesuffix(_AFTERWARDS))}, trained on the days before"
    found = _VERSION.match(version)
    if version in BASELINES or found is None:
        return label_of(version)
    trained = datetime.strptime(found["trained"], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - only its day is read
    return f"{_kind(found['recipe'])}, trained {trained.day} {trained:%B %Y}"


def made_of_entries(shares: Mapping[str, float]) -> list[dict[str, object]]:
    """Return the models a forecast was combined of, the largest share first.

    >>> made_of_entries({"day_process": 0.7, "operator_debiased": 0.3})[1]
    {'model': 'operator_debiased', 'label': "Operator's forecast, de-biased", 'share': 0.3}
    """
    return [{"model": name, "label": _kind(name), "share": share} for name, share in shares.items()]


def feed_label(source: str) -> str:
    """Name a source of data without the site it serves.

    >>> feed_label("open_meteo_forecast:ny"), feed_label("csv:meter.csv")
    ('Open-Meteo, weather forecast', 'File meter.csv')
    """
    kind, _, rest = source.partition(":")
    if kind == "csv":
        return f"File {rest}"
    label = _FEEDS.get(kind) or _in_words(kind)
    return f"{label}, live" if rest.endswith(":live") else label  # beside the past that the same source brings in


def _kind(recipe: str) -> str:
    return _RECIPES.get(recipe) or (label_of(recipe) if label_of(recipe) != recipe else _in_words(recipe))


def _in_words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]
