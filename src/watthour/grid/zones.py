"""The bidding zones of Europe as sites, by any of their names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from watthour.core.directory import SiteDirectory
from watthour.core.units import Quantity, Unit
from watthour.grid import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.channel import Channel
    from watthour.core.forecast import Context

# Where roofs carry most sun, the load of a clear midday has fallen to a tenth of the peak (NL), and its forecast lower.
_LEAST_LOAD = 0.02


@dataclass(frozen=True, slots=True)
class BiddingZone(tables.Listed):
    """A bidding zone, with the step and the limits of its load."""

    step: timedelta
    peak_mw: float  # no interval can be above it; only used to doubt impossible values

    @property
    def demand(self) -> Channel:
        """The mean power of its load."""
        lowest = _LEAST_LOAD * self.peak_mw
        return tables.load(self.site, Quantity.POWER, Unit.MW, self.step, lowest=lowest, highest=self.peak_mw)


@cache
def bidding_zones() -> tuple[BiddingZone, ...]:
    """Return every bidding zone of the table, sorted by id."""
    return tuple(_zone(row) for row in tables.rows("zones.toml", "zone"))


class BiddingZones(SiteDirectory):
    """The directory of these zones: by id, country, code of the zone (EIC) or the name that traders use."""

    def names(self) -> Mapping[str, Context]:
        """Return what is forecast under every name, in lower case."""
        return _by_name()


@cache
def _by_name() -> Mapping[str, Context]:
    return tables.by_name(bidding_zones())


def _zone(row: Mapping[str, Any]) -> BiddingZone:
    site = tables.site(row, zone=row["zone"], code=("entsoe", row["eic"]))
    names = (site.id, site.name, row["zone"], row["zone"].replace("_", "-"), row["eic"], *row.get("names", ()))
    return BiddingZone(site, names, timedelta(minutes=row["step"]), row["peak_mw"])
