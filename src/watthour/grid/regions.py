"""The balancing authorities of Form EIA-930 as sites, by any of their names."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from watthour.core.channel import Channel, Limits, Site, SiteKind
from watthour.core.directory import SiteDirectory
from watthour.core.forecast import Context
from watthour.core.frames import OPERATOR
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

# Nowhere does a region's load fall below a tenth of its peak: NYIS 35 %, the smallest utilities about 20 %.
_LEAST_LOAD = 0.1


@dataclass(frozen=True, slots=True)
class Region:
    """A balancing authority: its site, and every name it goes by."""

    site: Site
    peak_mwh: float  # no hour can be above it; only used to doubt impossible values
    names: tuple[str, ...]

    @property
    def demand(self) -> Channel:
        """Its hourly demand."""
        return Channel(
            id=f"{self.site.prefix}.demand",
            site=self.site.id,
            quantity=Quantity.ENERGY,
            unit=Unit.MWH,
            resolution=HOUR,
            limits=Limits(_LEAST_LOAD * self.peak_mwh, self.peak_mwh, is_never_constant=True),
        )

    def context(self) -> Context:
        """Return what is forecast of it."""
        return Context(self.site, self.demand, rivals=(OPERATOR,))


@cache
def regions() -> tuple[Region, ...]:
    """Return every balancing authority of EIA-930, sorted by id."""
    table = tomllib.loads(files("watthour.grid").joinpath("regions.toml").read_text(encoding="utf-8"))
    return tuple(sorted((_region(row) for row in table["region"]), key=lambda region: region.site.id))


class Regions(SiteDirectory):
    """The directory of these regions: by id, EIA's codes, the operator's name or the full name."""

    def names(self) -> Mapping[str, Context]:
        """Return what is forecast under every name, in lower case."""
        return _by_name()


@cache
def _by_name() -> Mapping[str, Context]:
    return {alias.casefold(): region.context() for region in regions() for alias in region.names}


def _region(row: dict[str, Any]) -> Region:
    points, stations = (tuple(Point(**point) for point in row.get(name, ())) for name in ("points", "stations"))
    site = Site(
        id=row["id"],
        name=row["name"],
        kind=SiteKind.REGION,
        place=Place(
            row["time_zone"],
            latitude=points[0].latitude if points else None,
            longitude=points[0].longitude if points else None,
            holidays=row.get("holidays"),
        ),
        zone=row["eia_respondent"],
        operator=row["operator"],
        main_channel=f"grid.{row['id']}.demand",
        points=points,
        stations=stations,
        codes=(("eia", row["eia_respondent"]),),
    )
    names = (site.id, row["eia_respondent"], site.name, row["operator"], *row.get("names", ()))
    return Region(site, row["peak_mwh"], names)
