"""The carbon series of a site, the one that answers by itself first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from watthour.core.carbon import Basis, CarbonKind, Scope, Side, kind_of
from watthour.core.channel import SiteKind
from watthour.core.errors import UnknownName
from watthour.grid.zones import bidding_zones
from watthour.workflows.carbon import production_kind

if TYPE_CHECKING:
    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Store

# Which figure answers where none is named: an account of what is used, as far as imports are known.
_FIRST = (
    CarbonKind(Basis.AVERAGE, Scope.LIFECYCLE, Side.CONSUMPTION),
    CarbonKind(Basis.AVERAGE, Scope.DIRECT, Side.CONSUMPTION),
    production_kind(Scope.LIFECYCLE),
    production_kind(Scope.DIRECT),
    CarbonKind(Basis.MARGINAL, Scope.DIRECT),
    CarbonKind(Basis.MARGINAL, Scope.LIFECYCLE),
    CarbonKind(Basis.INDEX),
)


@dataclass(frozen=True, slots=True)
class CarbonSeries:
    """One carbon series of a region: its channel, who says it, and of what kind it is."""

    channel: Channel
    source: str
    kind: CarbonKind


def carbon_series(store: Store, site: Site) -> list[CarbonSeries]:
    """Return the carbon series of a region that have readings, the one that answers by itself first."""
    spans = store.spans()
    found = [
        CarbonSeries(channel, *told)
        for channel in store.channels()
        if channel.site == site.id and channel.id in spans and (told := kind_of(channel)) is not None
    ]
    return sorted(found, key=lambda each: (_FIRST.index(each.kind), each.source))


def carbon_at(store: Store, site: Site) -> CarbonSeries | None:
    """Return the carbon series that holds at a site: its own, else that of the grid zone it belongs to.

    A rank among hours is no amount of CO2, and holds nowhere; None: nobody tells any.
    """
    regions = [each for each in store.sites() if site.zone is not None and site.zone in (each.zone, each.id)]
    found = (each for region in (site, *regions) for each in carbon_series(store, region))
    return next((each for each in found if each.kind.basis is not Basis.INDEX), None)


def no_carbon_words(store: Store, home: Site) -> str:
    """Say why nobody tells the carbon of a home, and what to do about it, by its own zone where that is known."""
    if home.zone is not None:
        return (
            f"Nothing tells the carbon of {home.zone}, the grid zone of {home.name}: `watthour doctor` says what could."
        )
    zone = _likely_zone(store, home)
    named = "with the id of its zone, which `watthour regions` lists" if zone is None else f"if {zone} is its zone"
    cure = f"`watthour site change {home.id} --zone {zone or 'ZONE'}`, {named}"
    return f"Which grid zone {home.name} is in is not known: {cure}."


def _likely_zone(store: Store, home: Site) -> str | None:
    """Return the grid zone that a home is likely in: the only one with its clock, of those known to us."""
    regions = [each for each in store.sites() if each.kind is SiteKind.REGION and not each.is_simulated]
    known = {str(each.zone): each for each in (*(zone.site for zone in bidding_zones()), *regions) if each.zone}
    near = [zone for zone, each in known.items() if each.place.time_zone == home.place.time_zone]
    return near[0] if len(near) == 1 else None


def series_asked(store: Store, site: Site, channel: str | None) -> CarbonSeries:
    """Return the carbon series of a region that is named, or the one that answers by itself.

    Raises:
        UnknownName: the region has no such series.
    """
    found = carbon_series(store, site)
    chosen = next((each for each in found if channel in (None, each.channel.id)), None)
    if chosen is None:
        names = ", ".join(each.channel.id for each in found)
        problem = f"it is no carbon series of {site.name}"
        raise UnknownName("channel", channel, problem, remedy=f"Name one of: {names}.")
    return chosen
