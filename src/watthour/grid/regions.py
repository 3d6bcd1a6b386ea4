"""The balancing authorities of Form EIA-930 as sites, by any of their names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from watthour.core.directory import SiteDirectory
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR
from watthour.grid import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.channel import Channel
    from watthour.core.forecast import Context

# Nowhere does a region's load fall below a tenth of its peak: NYIS 35 %, the smallest utilities about 20 %.
_LEAST_LOAD = 0.1


@dataclass(frozen=True, slots=True)
class Region(tables.Listed):
    """A balancing authority, with the limit of its demand."""

    peak_mwh: float  # no hour can be above it; only used to doubt impossible values

    @property
    def demand(self) -> Channel:
        """Its hourly demand."""
        lowest = _LEAST_LOAD * self.peak_mwh
        return tables.load(self.site, Quantity.ENERGY, Unit.MWH, HOUR, lowest=lowest, highest=self.peak_mwh)


@cache
def regions() -> tuple[Region, ...]:
    """Return every balancing authority of EIA-930, sorted by id."""
    return tuple(_region(row) for row in tables.rows("regions.toml", "region"))


class Regions(SiteDirectory):
    """The directory of these regions: by id, EIA's codes, the operator's name or the full name."""

    def names(self) -> Mapping[str, Context]:
        """Return what is forecast under every name, in lower case."""
        return _by_name()


@cache
def _by_name() -> Mapping[str, Context]:
    return tables.by_name(regions())


def _region(row: Mapping[str, Any]) -> Region:
    site = tables.site(row, zone=row["eia_respondent"], code=("eia", row["eia_respondent"]))
    names = (site.id, row["eia_respondent"], site.name, row["operator"], *row.get("names", ()))
    return Region(site, names, row["peak_mwh"])
