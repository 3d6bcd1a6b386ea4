"""Homes with their zones, devices and uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.place import coarse
from watthour.workflows.homes import channels_of, devices_of, homes, zones_of
from watthour.workflows.places import in_words
from watthour.workflows.view.sites import channel_entry, site_entry
from watthour.workflows.view.wire import flag_names, utc_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Device, Site, Zone
    from watthour.core.directory import SiteDirectory
    from watthour.core.place import FoundPlace
    from watthour.core.ports import ModelRegistry, Store
    from watthour.core.window import Window


def home_list(
    store: Store, registry: ModelRegistry, directories: Sequence[SiteDirectory], settled: Collection[str]
) -> dict[str, object]:
    """Return all homes, as `GET /api/v1/homes` shows them."""
    spans = store.spans()
    return {"homes": [home_entry(store, registry, directories, home, settled, spans) for home in homes(store)]}


def home_entry(
    store: Store,
    registry: ModelRegistry,
    directories: Sequence[SiteDirectory],
    home: Site,
    settled: Collection[str],
    spans: Mapping[str, tuple[datetime, datetime, datetime]] | None = None,
) -> dict[str, object]:
    """Return a home: all that is told of it as a site, and its zones and devices; ``spans`` are those of the store."""
    spans = store.spans() if spans is None else spans
    entry = site_entry(store, registry, directories, home, settled, spans)
    channels = channels_of(store, home)
    zones, devices = zones_of(store, home), devices_of(store, home)
    return {
        **entry,
        "channels": [
            {**channel_entry(channel, spans), "device": channel.device, "zone": channel.zone} for channel in channels
        ],
        "zones": [zone_entry(zone, devices, channels) for zone in zones],
        "devices": [device_entry(device, channels, spans) for device in devices],
    }


def zone_entry(zone: Zone, devices: Sequence[Device], channels: Sequence[Channel]) -> dict[str, object]:
    """Return a zone with what is in it."""
    inside = [device.id for device in devices if device.zone == zone.id]
    return {
        "id": zone.id,
        "name": zone.name,
        "devices": inside,
        "channels": [each.id for each in channels if each.zone == zone.id or each.device in inside],
    }


def device_entry(
    device: Device, channels: Sequence[Channel], spans: Mapping[str, tuple[datetime, datetime, datetime]]
) -> dict[str, object]:
    """Return a device with its channels."""
    return {
        "id": device.id,
        "name": device.name,
        "kind": str(device.kind),
        "rating_w": device.rating_w,
        "flexibility": str(device.flexibility),
        "zone": device.zone,
        "channels": [channel_entry(each, spans) for each in channels if each.device == device.id],
    }


def home_events(
    store: Store, home: Site, devices: Sequence[Device], window: Window, *, limit: int, as_of: datetime | None = None
) -> dict[str, object]:
    """Return the uses of devices that began in a window, the first ones, and where to go on."""
    rows = store.events([device.id for device in devices], window, as_of).sort("start", "device")
    page = rows
    if rows.height > limit:  # uses that began at one instant are never torn apart
        edge = rows["start"][limit]
        before = rows.filter(pl.col("start") < edge)
        page = rows.filter(pl.col("start") == edge) if before.is_empty() else before
    rest = rows.slice(page.height, 1)
    return {
        "home": home.id,
        "events": [
            {
                "device": row["device"],
                "start": utc_text(row["start"]),
                "end": utc_text(row["end"]),
                "energy_kwh": row["energy_kwh"],
                "available_at": utc_text(row["available_at"]),
                "recorded_at": utc_text(row["recorded_at"]),
                "quality": flag_names(row["quality"]),
            }
            for row in page.iter_rows(named=True)
        ],
        "next": utc_text(rest["start"][0]) if rest.height else None,
    }


def place_list(places: Sequence[FoundPlace], calendars: Sequence[str | None]) -> dict[str, object]:
    """Return places that a name can mean, the largest first, as a person tells them apart."""
    return {
        "places": [
            {
                "name": place.name,
                "in_words": in_words(place),
                "latitude": coarse(place.latitude),
                "longitude": coarse(place.longitude),
                "time_zone": place.time_zone,
                "country": place.country,
                "country_code": place.country_code,
                "part": place.part,
                "population": place.population,
                "holidays": calendar,
            }
            for place, calendar in zip(places, calendars, strict=True)
        ]
    }
