"""Sites, zones, devices, channels and runs as rows of their tables and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from watthour.core.channel import Channel, Device, DeviceKind, Flexibility, Limits, Site, SiteKind, Zone
from watthour.core.place import Place, Point
from watthour.core.ports import RunState, SourceRun
from watthour.core.units import Quantity, Unit
from watthour.core.window import Window

if TYPE_CHECKING:
    from sqlalchemy import Row

_MICROSECOND = timedelta(microseconds=1)


def site_row(site: Site) -> dict[str, Any]:
    """Return the columns of a site."""
    return {
        "id": site.id,
        "name": site.name,
        "kind": str(site.kind),
        **asdict(site.place),
        "zone": site.zone,
        "operator": site.operator,
        "main_channel": site.main_channel,
        "points": json.dumps([asdict(point) for point in site.points]),
        "stations": json.dumps([asdict(point) for point in site.stations]),
        "codes": json.dumps(site.codes),
        "is_simulated": site.is_simulated,
    }


def site_of(row: Row[Any]) -> Site:
    """Return the site of a row."""
    return Site(
        id=row.id,
        name=row.name,
        kind=SiteKind(row.kind),
        place=Place(row.time_zone, row.latitude, row.longitude, row.holidays),
        zone=row.zone,
        operator=row.operator,
        main_channel=row.main_channel,
        points=_points(row.points),
        stations=_points(row.stations),
        codes=tuple((provider, code) for provider, code in json.loads(row.codes or "[]")),
        is_simulated=row.is_simulated,
    )


def channel_row(channel: Channel) -> dict[str, Any]:
    """Return the columns of a channel."""
    columns = asdict(channel)
    return {
        **columns.pop("limits"),
        **columns,
        "quantity": str(channel.quantity),
        "unit": str(channel.unit),
        "resolution": channel.resolution // _MICROSECOND,
    }


def channel_of(row: Row[Any]) -> Channel:
    """Return the channel of a row."""
    return Channel(
        id=row.id,
        site=row.site,
        quantity=Quantity(row.quantity),
        unit=Unit(row.unit),
        resolution=row.resolution * _MICROSECOND,
        device=row.device,
        is_simulated=row.is_simulated,
        limits=Limits(row.low, row.high, bool(row.is_never_constant)),
        currency=row.currency,
        variable=row.variable,
        point=row.point or "",
        weight=1.0 if row.weight is None else row.weight,
        zone=row.zone,
    )


def zone_of(row: Row[Any]) -> Zone:
    """Return the zone of a row."""
    return Zone(row.id, row.site, row.name)


def device_row(device: Device) -> dict[str, Any]:
    """Return the columns of a device."""
    return {**asdict(device), "kind": str(device.kind), "flexibility": str(device.flexibility)}


def device_of(row: Row[Any]) -> Device:
    """Return the device of a row."""
    return Device(
        id=row.id,
        site=row.site,
        name=row.name,
        kind=DeviceKind(row.kind),
        rating_w=row.rating_w,
        flexibility=Flexibility(row.flexibility),
        zone=row.zone,
    )


def _points(text: str | None) -> tuple[Point, ...]:
    return tuple(Point(**point) for point in json.loads(text or "[]"))


def run_row(run: SourceRun) -> dict[str, Any]:
    """Return the columns of a run."""
    return {
        "source": run.source,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "window_start": run.window.start,
        "window_end": run.window.end,
        "state": str(run.state),
        "new_rows": run.new_rows,
        "refused_rows": run.refused_rows,
        "problem": run.problem,
        "file": run.file,
        "fills": json.dumps(run.fills) if run.fills else None,
    }


def run_of(row: Row[Any]) -> SourceRun:
    """Return the run of a row."""
    return SourceRun(
        source=row.source,
        started_at=row.started_at,
        ended_at=row.ended_at,
        window=Window(row.window_start, row.window_end),
        state=RunState(row.state),
        new_rows=row.new_rows,
        refused_rows=row.refused_rows,
        problem=row.problem,
        file=row.file,
        fills=tuple(json.loads(row.fills or "[]")),
    )
