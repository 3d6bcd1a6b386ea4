"""Which channels are the load of a site, a zone or a device: one rule for forecasts, usage, insights and pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from watthour.core.channel import SiteKind
from watthour.core.units import Quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Channel, Device, Site, Zone
    from watthour.core.forecast import Context

# words of ids that name what is measured and not where
_QUANTITY_WORDS = frozenset(
    ("power", "energy", "load", "consumption", "usage", "used", "total", "w", "kw", "wh", "kwh")
)


def main_channel(site: Site, channels: Sequence[Channel]) -> Channel | None:
    """Return the channel that a site stands for: the one it names, else the only one that speaks of the whole of it.

    Of several the only load, and of an energy beside a power, which one meter tells, the energy. None: there is none,
    or several are alike and nobody said which, or a home has nothing but a price or a temperature.
    """
    here = [each for each in channels if each.site == site.id and each.variable is None]
    if (named := next((each for each in here if each.id == site.main_channel), None)) is not None:
        return named
    whole = [each for each in here if each.is_of_whole_site]
    if len(whole) == 1 and site.kind is not SiteKind.HOME:
        return whole[0]
    return _only_load(whole)


def main_load(site: Site, channels: Sequence[Channel]) -> Channel | None:
    """Return the channel of the load of a whole site: its main channel, or where that is none, the only load."""
    main = main_channel(site, channels)
    if main is not None and main.is_load:
        return main
    return _only_load([each for each in channels if each.site == site.id and each.is_of_whole_site])


def shared_name(context: Context) -> str | None:
    """Return the name in the registry of the model that the whole loads of all sites like one share.

    None for what no such model has learned from: a device, a zone, another meter of a site, or what is no load.
    """
    channel = context.channel
    if not (channel.is_load and channel.is_of_whole_site and context.site.main_channel in (None, channel.id)):
        return None
    kind = f"{'simulated_' if channel.is_simulated else ''}{context.site.kind}"
    return f"shared.{kind}.{round(context.resolution.total_seconds() / 60)}min"


def loads_of_device(device: Device, channels: Sequence[Channel]) -> list[Channel]:
    """Return the channels whose sum a device uses: all of its loads, or one where they tell the same in two units."""
    return _added([each for each in channels if each.device == device.id])


def loads_of_zone(zone: Zone, devices: Sequence[Device], channels: Sequence[Channel]) -> list[Channel]:
    """Return the channels whose sum a zone uses: what is measured in it, and the devices in it.

    A zone may have several meters, one of energy and one of power. A power counts unless an energy tells the same:
    their ids are alike but for the word of the quantity, as in kitchen.power and kitchen.energy.
    """
    own = [each for each in channels if each.zone == zone.id and each.device is None and each.is_load]
    told = {_without_quantity(each.id) for each in own if each.quantity is Quantity.ENERGY}
    own = [each for each in own if each.quantity is Quantity.ENERGY or _without_quantity(each.id) not in told]
    inside = [device for device in devices if device.zone == zone.id]
    return [*own, *(each for device in inside for each in loads_of_device(device, channels))]


def _added(channels: Sequence[Channel]) -> list[Channel]:
    """Return all energies where they are alike, such as of three phases, else one; where there is none, so of powers.

    Powers beside energies are taken to tell the same, as each phase of a meter tells both.
    """
    loads = [each for each in channels if each.is_load]
    told = [each for each in loads if each.quantity is Quantity.ENERGY] or loads
    return told if len({(each.unit, each.resolution) for each in told}) <= 1 else [min(told, key=lambda each: each.id)]


def _without_quantity(channel: str) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[._]", channel) if word not in _QUANTITY_WORDS)


def _only_load(channels: Sequence[Channel]) -> Channel | None:
    """Return the only energy, or where there is none the only power."""
    for quantity in (Quantity.ENERGY, Quantity.POWER):
        if found := [each for each in channels if each.quantity is quantity]:
            return found[0] if len(found) == 1 else None
    return None
