"""The hours ahead in watts, as dashboards and assistants ask for them: the forecast, its peak, good and bad hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.core.loads import shared_name
from watthour.core.quality import is_trusted
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.forecasting.catalogue import OTHER_HOMES
from watthour.forecasting.quantiles import mean_of_quantiles
from watthour.workflows.view.ahead import hours_ahead
from watthour.workflows.view.wire import local_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context
    from watthour.core.model import Manifest
    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.entities import Entity
    from watthour.workflows.forecast import Served

A_DAY = 24  # hours
_SHARE = 0.25  # of the intervals that are among the best, and among those to avoid
_WATTS_PER_KILOWATT = 1000.0


def watts(context: Context, found: dict[str, Any], *, hours: int, now: datetime) -> dict[str, Any]:
    """Return a forecast of the hours ahead as mean power of its intervals, with who made it and what it rests on.

    Args:
        context: what is forecast.
        found: of ``hours_ahead``.
        hours: that were asked.
        now: the present.

    Raises:
        InvalidInput: it is no load.
    """
    return {
        "forecast": [
            {
                "timestamp": point["time"],
                "power_watts": point["value"],
                "lower_bound": point["lower"],
                "upper_bound": point["upper"],
            }
            for point in watt_points(context, found)
        ],
        "forecast_horizon_hours": hours,
        **_basis(context, found, now),
    }


def peak(context: Context, found: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return the interval of the next day's length with the highest forecast, and the energy of all of them.

    Raises:
        InvalidInput: it is no load.
    """
    points = watt_points(context, found)
    known = [point for point in points if point["value"] is not None]
    highest = max(known, key=lambda point: float(point["value"])) if known else None
    energy = [point["mean"] * point["hours"] / _WATTS_PER_KILOWATT for point in known]
    is_within_a_day = context.resolution < DAY
    return {
        "peak_hour": _hour_of(highest) if highest and is_within_a_day else None,
        "peak_power_watts": highest["value"] if highest else None,
        "peak_timestamp": highest["time"] if highest else None,
        "lower_bound": highest["lower"] if highest else None,
        "upper_bound": highest["upper"] if highest else None,
        "daily_total_kwh": float(sum(energy)) if known and len(known) == len(points) else None,
        "start": found["start"],
        "end": found["end"],
        **_basis(context, found, now),
    }


def optimization(
    store: Store,
    context: Context,
    found: dict[str, Any],
    *,
    hours: int,
    now: datetime,
    plan: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return when to use energy and when not to: by the price where it is known ahead, else by the forecast load.

    What is saved is told by the plan in force of a home, where there is one.

    Raises:
        InvalidInput: it is no load.
    """
    points = watt_points(context, found)
    channel = price_channel(store, context.site)
    prices = {} if channel is None else _prices(store, channel, points, now)
    priced = [(point, prices[point["time"]]) for point in points if point["time"] in prices]
    by_load = [(point, float(point["value"])) for point in points if point["value"] is not None]
    rated = priced or by_load
    best, avoid = _best_and_worst([value for _, value in rated])
    zone = ZoneInfo(context.time_zone)
    return {
        "basis": "price" if priced else "load",
        "price_channel": channel.id if channel is not None and priced else None,
        "price_unit": channel.unit_in_words if channel is not None and priced else None,
        "best_hours": _ranges(rated, best, zone, is_price=bool(priced)),
        "avoid_hours": _ranges(rated, avoid, zone, is_price=bool(priced)),
        "considered_from": rated[0][0]["time"] if rated else None,
        "considered_to": utc_text(_end(rated[-1][0])) if rated else None,
        "savings": None if plan is None else _savings(plan),
        "forecast_horizon_hours": hours,
        **_basis(context, found, now),
    }


def who_answers(
    store: Store, registry: ModelRegistry, entity: Entity, served: Served | None, *, now: datetime
) -> dict[str, Any]:
    """Return which model answers for a site now and what it learned from; of a rule its name alone.

    Args:
        store: the store.
        registry: holds the models.
        entity: what is forecast.
        served: the model of its own that serves, if it has one.
        now: the present.
    """
    if served is not None:
        return {"fallback": served.instead_of, **_of_manifest(served.manifest)}
    try:
        found = hours_ahead(store, registry, entity, hours=1, now=now)
    except NotEnoughHistory as error:
        return {"fallback": f"Nothing can be forecast yet: {error}"}
    version = found["model_version"]
    known = {"model_type": version.partition("-")[0], "model_version": version, "fallback": found["fallback"]}
    return {**known, **_of_manifest(_manifest_of(registry, entity.context, version))}


def _savings(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a plan comes to less than the same hours with everything begun at once."""
    at_once, carbon = content["at_once"], content["carbon_kg"]
    step = timedelta(minutes=content["step_minutes"])
    return {
        "money": round(at_once["cost"] - content["cost"] - content["wear"], 4),
        "currency": content["currency"],
        "carbon_kg": None if carbon is None else round(at_once["carbon_kg"] - carbon, 4),
        "start": content["start"],
        "end": utc_text(datetime.fromisoformat(content["start"]) + len(content["time"]) * step),
        "made_at": content["made_at"],
    }


def _manifest_of(registry: ModelRegistry, context: Context, version: str) -> Manifest | None:
    """Return the manifest of a model that answers for a site; None of a rule."""
    if version == OTHER_HOMES:
        from watthour.forecasting.other_homes.shipped import shipped

        return shipped()[0]
    names = [name for name in (context.channel.id, shared_name(context)) if name]
    return next((each for name in names for each in registry.manifests(name) if each.version == version), None)


def _of_manifest(manifest: Manifest | None) -> dict[str, Any]:
    if manifest is None:
        return {}
    return {
        "model_type": manifest.recipe,
        "model_version": manifest.version,
        "trained_at": manifest.created_at,
        "features": list(manifest.features),
        "splits": {name: {"start": span.start, "end": span.end} for name, span in manifest.splits.items()},
        "metrics": dict(manifest.metrics),
        "data_fingerprint": manifest.data_fingerprint,
    }


def _basis(context: Context, found: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return what every one of these answers says of itself."""
    return {
        "site": context.site.id,
        "name": context.site.name,
        "channel": context.channel.id,
        "time_zone": context.time_zone,
        "interval_minutes": context.resolution / timedelta(minutes=1),
        "model_type": found["model_version"].partition("-")[0],
        "model_version": found["model_version"],
        "made_by": found["made_by"],
        "generated_at": utc_text(now),
        "known_until": found["known_until"],
        "data_age_hours": found["data_age_hours"],
        "stale": found["stale"],
        "archive": found["archive"],
        "simulated": found["simulated"],
        "fallback": found["fallback"],
        "missing_inputs": found["missing_inputs"],
    }


def watt_points(context: Context, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the points of a load in watts, each with its length."""
    channel = context.channel
    if channel.quantity not in (Quantity.POWER, Quantity.ENERGY):
        problem = f"{channel.id} is {channel.quantity} [{channel.unit_in_words}], which is not given in watts"
        remedy = f"Ask GET /api/v1/sites/{context.site.id}/forecast, which answers in the unit of the channel."
        raise InvalidInput("site", context.site.id, problem, remedy=remedy)
    points: list[dict[str, Any]] = []
    for point in found["points"]:
        hours = _length(context, datetime.fromisoformat(point["time"])) / HOUR
        if channel.quantity is Quantity.POWER:
            factor = conversion(channel.unit, Unit.W)[0]
        else:
            factor = conversion(channel.unit, Unit.KWH)[0] * _WATTS_PER_KILOWATT / hours
        told = {name: point[name] for name in ("value", "lower", "upper")} | {"mean": _mean(point)}
        values = {name: None if value is None else value * factor for name, value in told.items()}
        points.append({"time": point["time"], "local_time": point["local_time"], "hours": hours, **values})
    return points


def _mean(point: dict[str, Any]) -> float | None:
    """Return the mean of a forecast, which adds up to energy; the medians of a home add up to less."""
    told = [point["quantiles"].get(f"{level:g}") for level in LEVELS]
    return point["value"] if None in told else float(mean_of_quantiles(np.array([told]))[0])


def _length(context: Context, start: datetime) -> timedelta:
    """Return how long an interval is; a local day may have 23 or 25 hours."""
    if context.resolution < DAY:
        return context.resolution
    day = start.astimezone(ZoneInfo(context.time_zone)).date()
    return local_midnight(day + DAY, context.time_zone) - start


def _hour_of(point: dict[str, Any]) -> int:
    return datetime.fromisoformat(point["local_time"]).hour


def _end(point: dict[str, Any]) -> datetime:
    length: timedelta = point["hours"] * HOUR
    return datetime.fromisoformat(point["time"]) + length


def price_channel(store: Store, site: Site) -> Channel | None:
    """Return the price that holds at a site: its own, else that of the grid zone it belongs to."""
    zones = {each.id for each in store.sites() if site.zone is not None and site.zone in (each.zone, each.id)}
    prices = [each for each in store.channels() if each.quantity is Quantity.PRICE]
    own = [each for each in prices if each.site == site.id]
    return next(iter(own or [each for each in prices if each.site in zones]), None)


def _prices(store: Store, channel: Channel, points: Sequence[dict[str, Any]], now: datetime) -> dict[str, float]:
    """Return the price known now of each interval, the mean where prices change within it."""
    if not points:
        return {}
    starts = [datetime.fromisoformat(point["time"]) for point in points]
    window = Window(starts[0] - channel.resolution, _end(points[-1]))
    rows = pl.DataFrame(store.read([channel.id], window, now)).filter(is_trusted()).drop_nulls("value")
    known = sorted(zip(rows["time"], rows["value"], strict=True))
    found: dict[str, float] = {}
    for point, start in zip(points, starts, strict=True):
        inside = [
            (min(time + channel.resolution, _end(point)) - max(time, start), value)
            for time, value in known
            if time < _end(point) and time + channel.resolution > start
        ]
        if sum((length for length, _ in inside), timedelta()) == point["hours"] * HOUR:
            found[point["time"]] = sum(length / HOUR * value for length, value in inside) / point["hours"]
    return found


def _best_and_worst(values: Sequence[float]) -> tuple[set[int], set[int]]:
    """Return which values are in the lowest and in the highest quarter; where all are alike, none is.

    >>> _best_and_worst([1.0, 2.0, 3.0, 9.0])
    ({0}, {3})
    >>> _best_and_worst([2.0, 2.0, 2.0])
    (set(), set())
    """
    if not values:
        return set(), set()
    low, middle, high = np.quantile(values, [_SHARE, 0.5, 1 - _SHARE])
    best = {n for n, value in enumerate(values) if value <= low and value < middle}
    return best, {n for n, value in enumerate(values) if value >= high and value > middle}


def _ranges(
    rated: Sequence[tuple[dict[str, Any], float]], chosen: set[int], zone: ZoneInfo, *, is_price: bool
) -> list[dict[str, Any]]:
    """Join chosen intervals that follow each other."""
    runs: list[list[int]] = []
    for n in sorted(chosen):
        if runs and runs[-1][-1] == n - 1 and utc_text(_end(rated[n - 1][0])) == rated[n][0]["time"]:
            runs[-1].append(n)
        else:
            runs.append([n])
    return [_range([rated[n] for n in run], zone, is_price=is_price) for run in runs]


def _range(part: Sequence[tuple[dict[str, Any], float]], zone: ZoneInfo, *, is_price: bool) -> dict[str, Any]:
    first, last = part[0][0], part[-1][0]
    hours = sum(point["hours"] for point, _ in part)
    power = [point["value"] for point, _ in part]
    is_known = all(value is not None for value in power)
    return {
        "start": first["time"],
        "end": utc_text(_end(last)),
        "local_start": first["local_time"],
        "local_end": local_text(_end(last), zone),
        "mean_power_watts": sum(point["value"] * point["hours"] for point, _ in part) / hours if is_known else None,
        "mean_price": sum(value * point["hours"] for point, value in part) / hours if is_price else None,
    }
