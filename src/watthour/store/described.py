"""What is described of the world: sites, zones, devices and channels, and what may change of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self, TypeVar

from watthour.core.channel import Channel, Device, Site, Zone
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_Part = TypeVar("_Part", Site, Zone, Device, Channel)


def by_id(parts: Iterable[_Part]) -> dict[str, _Part]:
    """Return sites, zones, devices or channels by their ids; of several with one id the last."""
    return {part.id: part for part in parts}


@dataclass(frozen=True, slots=True)
class Described:
    """Sites, and what is in them, by id."""

    sites: Mapping[str, Site] = field(default_factory=dict)
    zones: Mapping[str, Zone] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)

    def __or__(self, other: Self) -> Described:
        """Return both, the other's word where they differ."""
        return Described(
            {**self.sites, **other.sites},
            {**self.zones, **other.zones},
            {**self.devices, **other.devices},
            {**self.channels, **other.channels},
        )

    def new_to(self, kept: Described, *, are_new: bool) -> Described:
        """Return what of this is not kept yet as it is said, once all of it is found to be possible.

        Raises:
            InvalidInput: it would change the meaning of what is kept, or belongs to something unknown; or, with
                ``are_new``, a site, zone or device is kept already.
        """
        whole = kept | self
        channels = {name: _placed(channel, kept.channels.get(name), whole) for name, channel in self.channels.items()}
        for site in self.sites.values():
            _check_site(site, kept.sites.get(site.id), are_new=are_new)
        parts: list[Zone | Device] = [*self.zones.values(), *self.devices.values()]
        for part in parts:
            _check_part(part, kept.zones.get(part.id) or kept.devices.get(part.id), whole, are_new=are_new)
        for channel in channels.values():
            _check_channel(channel, kept.channels.get(channel.id), whole)
        return Described(
            _others(self.sites, kept.sites),
            _others(self.zones, kept.zones),
            _others(self.devices, kept.devices),
            _others(channels, kept.channels),
        )

    def is_empty(self) -> bool:
        """Tell whether nothing is described."""
        return not (self.sites or self.zones or self.devices or self.channels)


def _others(said: Mapping[str, _Part], kept: Mapping[str, _Part]) -> dict[str, _Part]:
    return {name: part for name, part in said.items() if kept.get(name) != part}


def _placed(channel: Channel, kept: Channel | None, whole: Described) -> Channel:
    """Return a channel with its device and zone, if it names none: a file knows neither.

    It keeps those it has; a new one belongs to the device or the zone with whose id its own begins.
    """
    if kept is not None:
        return replace(channel, device=channel.device or kept.device, zone=channel.zone or kept.zone)
    within = channel.id.rpartition(".")[0]
    if channel.is_of_whole_site and within in whole.devices:
        return replace(channel, device=within)
    return replace(channel, zone=within) if channel.is_of_whole_site and within in whole.zones else channel


def _check_site(site: Site, kept: Site | None, *, are_new: bool) -> None:
    """Refuse to turn a simulated site into a real one or a home into a region, or the other way round."""
    if kept is None:
        return
    if are_new:
        remedy = f"Choose another id, or change the existing site: `watthour site change {kept.id}`."
        raise InvalidInput("id", kept.id, f"this is already a name of {kept.name}", remedy=remedy)
    if kept.kind is not site.kind:
        remedy = "Choose another id: a home and a region cannot share one."
        raise InvalidInput("kind", str(site.kind), f"site {site.id} is kept as a {kept.kind}", remedy=remedy)
    if kept.is_simulated != site.is_simulated:
        raise InvalidInput(
            "is_simulated",
            site.is_simulated,
            f"site {site.id} is kept as {'simulated' if kept.is_simulated else 'real'}",
            remedy="Choose another id: simulated and real readings are never mixed.",
        )


def _check_part(part: Zone | Device, kept: Zone | Device | None, whole: Described, *, are_new: bool) -> None:
    """Refuse a zone or device that belongs nowhere, or that would turn into another thing under its id."""
    if kept is not None and (are_new or type(kept) is not type(part)):
        remedy = f"Choose another name: `watthour home show {kept.site}` lists those that are taken."
        raise InvalidInput("id", kept.id, f"this is already a name of {kept.name}", remedy=remedy)
    if part.site not in whole.sites:
        raise InvalidInput("site", part.site, f"{part.id} belongs to no known site", remedy="Register the site first.")
    if kept is not None and kept.site != part.site:
        remedy = "Give it another id there: what was measured stays with its site."
        raise InvalidInput("site", part.site, f"{part.id} is kept at {kept.site}", remedy=remedy)
    if isinstance(part, Device) and part.zone is not None:
        _check_within("zone", part.zone, part, whole.zones)


def _check_channel(channel: Channel, kept: Channel | None, whole: Described) -> None:
    """Refuse what would change the meaning of readings already kept."""
    if channel.site not in whole.sites:
        raise InvalidInput(
            "site", channel.site, f"channel {channel.id} belongs to no known site", remedy="Register the site first."
        )
    if channel.zone is not None:
        _check_within("zone", channel.zone, channel, whole.zones)
    if channel.device is not None:
        _check_within("device", channel.device, channel, whole.devices)
    if kept is None:
        return
    for name in ("quantity", "unit", "currency", "resolution", "is_simulated"):
        if getattr(kept, name) != getattr(channel, name):
            raise InvalidInput(
                name,
                getattr(channel, name),
                f"channel {channel.id} is kept with {getattr(kept, name)!s}",
                remedy="Convert the readings, or import them into a channel of their own.",
            )


def _check_within(
    name: str, value: str, part: Device | Channel, known: Mapping[str, Zone] | Mapping[str, Device]
) -> None:
    """Refuse what is said to be in a zone, or measured at a device, that its site does not have."""
    if value not in known or known[value].site != part.site:
        problem = f"{part.id} names a {name} that {part.site} does not have"
        raise InvalidInput(name, value, problem, remedy=f"Register the {name} first.")
