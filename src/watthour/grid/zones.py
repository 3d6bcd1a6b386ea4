"""The bidding zones of Europe as sites, by any of their names."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from watthour.core.channel import Channel, Limits, Site, SiteKind
from watthour.core.directory import SiteDirectory
from watthour.core.forecast import Context
from watthour.core.frames import OPERATOR
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where roofs carry most sun, the load of a clear midday has fallen to a tenth of the peak (NL), and its forecast lower.
_LEAST_LOAD = 0.02


@dataclass(frozen=True, slots=True)
class BiddingZone:
    """A bidding zone: its site, the step and the limits of its load, and every name it goes by."""

    site: Site
    step: timedelta
    peak_mw: float  # no interval can be above it; only used to doubt impossible values
    names: tuple[str, ...]

    def context(self) -> Context:
        """Return what is forecast of it: the mean power of its load."""
        load = Channel(
            id=str(self.site.main_channel),
            site=self.site.id,
            quantity=Quantity.POWER,
            unit=Unit.MW,
            resolution=self.step,
            limits=Limits(_LEAST_LOAD * self.peak_mw, self.peak_mw, is_never_constant=True),
        )
        return Context(self.site, load, rivals=(OPERATOR,))


@cache
def bidding_zones() -> tuple[BiddingZone, ...]:
    """Return every bidding zone of the table, sorted by id."""
    table = tomllib.loads(files("watthour.grid").joinpath("zones.toml").read_text(encoding="utf-8"))
    return tuple(sorted((_zone(row) for row in table["zone"]), key=lambda zone: zone.site.id))


class BiddingZones(SiteDirectory):
    """The directory of these zones: by id, country, code of the zone (EIC) or the name that traders use."""

    def names(self) -> Mapping[str, Context]:
        """Return what is forecast under every name, in lower case."""
        return _by_name()


@cache
def _by_name() -> Mapping[str, Context]:
    return {name.casefold(): zone.context() for zone in bidding_zones() for name in zone.names}


def _zone(row: dict[str, Any]) -> BiddingZone:
    points = tuple(Point(**point) for point in row["points"])
    site = Site(
        id=row["id"],
        name=row["name"],
        kind=SiteKind.REGION,
        place=Place(
            row["time_zone"],
            latitude=points[0].latitude,
            longitude=points[0].longitude,
            holidays=row["holidays"],
        ),
        zone=row["zone"],
        operator=row["operator"],
        main_channel=f"grid.{row['id']}.demand",
        points=points,
        codes=(("entsoe", row["eic"]),),
    )
    names = (site.id, site.name, row["zone"], row["zone"].replace("_", "-"), row["eic"], *row.get("names", ()))
    return BiddingZone(site, timedelta(minutes=row["step"]), row["peak_mw"], names)
