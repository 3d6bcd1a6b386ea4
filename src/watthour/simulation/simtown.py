"""The card of the invented region; its data are made beside, and marked in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.channel import Channel, Limits, Site, SiteKind
from watthour.core.directory import SiteDirectory
from watthour.core.forecast import Context
from watthour.core.frames import OPERATOR
from watthour.core.place import Place, Point
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR

if TYPE_CHECKING:
    from collections.abc import Mapping

PEAK_MWH = 11_000.0
LEAST_LOAD = 0.1  # of the peak
ALIAS = "simulated"

SITE = Site(
    id="simtown",
    name="Simtown (simulated)",
    kind=SiteKind.REGION,
    place=Place("America/New_York", latitude=40.7, longitude=-74.0, holidays="US-NY"),
    operator="Simtown Power (simulated)",
    main_channel="grid.simtown.demand",
    points=(Point("harbour", 40.7, -74.0, 0.65), Point("hills", 42.7, -76.0, 0.35)),
    is_simulated=True,
)
DEMAND = Channel(
    id="grid.simtown.demand",
    site=SITE.id,
    quantity=Quantity.ENERGY,
    unit=Unit.MWH,
    resolution=HOUR,
    is_simulated=True,
    limits=Limits(LEAST_LOAD * PEAK_MWH, PEAK_MWH, is_never_constant=True),
)
SIMTOWN = Context(SITE, DEMAND, rivals=(OPERATOR,))


class Simulation(SiteDirectory):
    """The directory that knows Simtown alone."""

    def names(self) -> Mapping[str, Context]:
        """Return Simtown under its id, its names and its alias."""
        return {name.casefold(): SIMTOWN for name in (SITE.id, SITE.name, str(SITE.operator), ALIAS)}
