"""What the tables of this room share: a row is a site whose load is forecast beside its operator's own forecast."""

from __future__ import annotations

import tomllib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from watthour.core.channel import Channel, Limits, Site, SiteKind
from watthour.core.forecast import Context
from watthour.core.frames import OPERATOR
from watthour.core.place import Place, Point

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from watthour.core.units import Quantity, Unit


@dataclass(frozen=True, slots=True)
class Listed(ABC):
    """A site of a table, and every name it goes by."""

    site: Site
    names: tuple[str, ...]

    @property
    @abstractmethod
    def demand(self) -> Channel:
        """Its load."""

    def context(self) -> Context:
        """Return what is forecast of it."""
        return Context(self.site, self.demand, rivals=(OPERATOR,))


def rows(file: str, name: str) -> list[dict[str, Any]]:
    """Return the rows of one table of a file of this room, sorted by id."""
    table = tomllib.loads(files("watthour.grid").joinpath(file).read_text(encoding="utf-8"))
    return sorted(table[name], key=lambda row: row["id"])


def site(row: Mapping[str, Any], *, zone: str, code: tuple[str, str]) -> Site:
    """Return the site of a row.

    Args:
        row: of a table.
        zone: the name of it that the trade uses.
        code: who gives it a code, and the code.
    """
    points, stations = (tuple(Point(**point) for point in row.get(name, ())) for name in ("points", "stations"))
    return Site(
        id=row["id"],
        name=row["name"],
        kind=SiteKind.REGION,
        place=Place(
            row["time_zone"],
            latitude=points[0].latitude if points else None,
            longitude=points[0].longitude if points else None,
            holidays=row.get("holidays"),
        ),
        zone=zone,
        operator=row["operator"],
        main_channel=f"grid.{row['id']}.demand",
        points=points,
        stations=stations,
        codes=(code,),
    )


def load(site: Site, quantity: Quantity, unit: Unit, step: timedelta, *, lowest: float, highest: float) -> Channel:
    """Return the load of a site; values beyond its limits are doubted."""
    limits = Limits(lowest, highest, is_never_constant=True)
    return Channel(str(site.main_channel), site.id, quantity, unit, step, limits=limits)


def by_name(listed: Iterable[Listed]) -> Mapping[str, Context]:
    """Return what is forecast under every name, in lower case."""
    return {name.casefold(): each.context() for each in listed for name in each.names}
