"""The sites of the store: where they are, what is measured there, and what is still missing for a forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.channel import SiteKind
from watthour.core.loads import main_channel
from watthour.core.weather import FIRST_ISSUED, weather_points
from watthour.workflows.similar import SHORT
from watthour.workflows.sites import described, has_weather
from watthour.workflows.view.wire import utc_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime, timedelta

    from watthour.core.channel import Channel, Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.ports import ModelRegistry, Store


def site_list(
    store: Store, registry: ModelRegistry, directories: Sequence[SiteDirectory], settled: Collection[str]
) -> dict[str, object]:
    """Return all sites of the store, as `GET /api/v1/sites` shows them."""
    spans = store.spans()
    return {"sites": [site_entry(store, registry, directories, site, settled, spans) for site in store.sites()]}


def site_entry(
    store: Store,
    registry: ModelRegistry,
    directories: Sequence[SiteDirectory],
    site: Site,
    settled: Collection[str],
    spans: Mapping[str, tuple[datetime, datetime, datetime]] | None = None,
) -> dict[str, object]:
    """Return one site with its channels, its weather, its model and what a person can do next.

    Args:
        store: holds it.
        registry: holds its models.
        directories: sites that are known without the store.
        site: of the store.
        settled: ids of the sites that the settings describe.
        spans: of the readings of the store, where they have been read already.
    """
    spans = store.spans() if spans is None else spans
    channels = [each for each in store.channels() if each.site == site.id and each.variable is None]
    found = main_channel(site, channels)
    main = site.main_channel if found is None else found.id
    points = weather_points(site)
    weather = "none" if not points else "known" if has_weather(store, site) else "awaited"
    if weather == "awaited" and main is not None and main in spans and spans[main][1] < FIRST_ISSUED:
        weather = "too_early"
    model = registry.champion(main) if main is not None else None
    is_own = not site.is_simulated and described(directories, site) is None
    entry: dict[str, object] = {
        "id": site.id,
        "name": site.name,
        "kind": str(site.kind),
        "time_zone": site.place.time_zone,
        "latitude": site.place.latitude,
        "longitude": site.place.longitude,
        "holidays": site.place.holidays,
        "zone": site.zone,
        "points": [
            {"id": point.id, "latitude": point.latitude, "longitude": point.longitude, "weight": point.weight}
            for point in points
        ],
        "described_in": "settings" if site.id in settled else "store" if is_own else "watthour",
        "simulated": site.is_simulated,
        "main_channel": main,
        "channels": [channel_entry(channel, spans) for channel in channels],
        "weather": weather,
        "model": model,
    }
    first, last, _ = spans[main] if main is not None and main in spans else (None, None, None)
    past = None if first is None or last is None else last - first
    entry["next"] = _next_steps(site, channels, weather, has_model=model is not None, past=past)
    return entry


def channel_entry(channel: Channel, spans: Mapping[str, tuple[datetime, datetime, datetime]]) -> dict[str, object]:
    """Return a channel with the span of its readings."""
    return {
        "id": channel.id,
        "quantity": str(channel.quantity),
        "unit": channel.unit_in_words,
        "resolution_seconds": int(channel.resolution.total_seconds()),
        "first_time": utc_text(spans[channel.id][0]) if channel.id in spans else None,
        "last_time": utc_text(spans[channel.id][1]) if channel.id in spans else None,
    }


def _next_steps(
    site: Site, channels: Sequence[Channel], weather: str, *, has_model: bool, past: timedelta | None
) -> list[dict[str, object]]:
    """Return what is missing for a good forecast, the most important first, each with the command that brings it."""
    steps: list[tuple[str, str]] = []
    channels = [each for each in channels if each.is_of_whole_site]
    example = channels[0].id if channels else site.main_channel or f"{site.prefix}.power"
    unit = channels[0].unit_in_words if channels else "kW"
    bring = f"watthour import FILE.csv --channel {example} --unit {unit}"
    if past is None:
        steps.append(("Import a file with its readings.", bring))
    if weather == "none" and not site.is_simulated:
        text = "Give its coordinates, so that its forecast can use the weather."
        command = f"watthour site change {site.id} --latitude 48.85 --longitude 2.35"
        if site.kind is SiteKind.HOME:
            text = "Name its town, so that its forecast can use the weather."
            command = f'watthour home change {site.id} --place "Lyon, France"'
        steps.append((text, command))
    elif weather == "awaited" and past is not None:
        text = "Fetch its weather; a running server does this automatically."
        steps.append((text, f"watthour backfill {site.id}"))
    if site.place.holidays is None and not site.is_simulated:
        from watthour.forecasting.holiday_calendars import likely_calendar

        likely = likely_calendar(site.place.time_zone)
        example = f"watthour site change {site.id} --holidays {likely or 'FR'}"
        steps.append(("Name its public holidays, which are otherwise forecast like any other day.", example))
    if past is not None and not has_model:
        if past >= SHORT:
            steps.append(("Train its model.", f"watthour train {site.id}"))
        elif not site.is_simulated:
            text = (
                f"Import more of its past, if you have it: from about {SHORT.days} days on it can have its own model."
            )
            steps.append((text, bring))
    return [{"text": text, "command": command} for text, command in steps]
