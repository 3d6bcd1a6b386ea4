"""What kind a carbon figure is: figures of different kinds are never added up or compared.

The kind stands in the id of the channel, such as ``grid.ny.carbon.mix.average.production.direct``, so that it cannot
be lost on the way from a source to a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from watthour.core.channel import Channel, Limits
from watthour.core.errors import InvalidInput
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    from datetime import timedelta

    from watthour.core.channel import Site

MIX = "mix"  # source of what we compute from a region's generation by fuel
_WORD = "carbon"
_SHARE = "generation_share"
_HIGHEST = 1_500.0  # [gCO2e/kWh] lignite burnt badly; what is above is a wrong unit


class Basis(StrEnum):
    """Which plants a figure speaks of."""

    AVERAGE = "average"  # all that run: for accounts of what was used
    MARGINAL = "marginal"  # those that answer a change of the load: for what moving a use saves
    INDEX = "index"  # rank among the hours of a region in percent, 0 cleanest; no amount of CO2 at all


class Side(StrEnum):
    """Whose electricity an average speaks of."""

    PRODUCTION = "production"  # what is made in the region
    CONSUMPTION = "consumption"  # what is used in it, imports with the intensity of where they come from


class Scope(StrEnum):
    """Which emissions are counted."""

    DIRECT = "direct"  # of the plant while it runs
    LIFECYCLE = "lifecycle"  # those of fuel supply and of building the plant as well


@dataclass(frozen=True, slots=True)
class CarbonKind:
    """What a carbon figure speaks of.

    >>> CarbonKind(Basis.AVERAGE, Scope.DIRECT, Side.PRODUCTION).words
    'average of production, direct emissions'

    Raises:
        InvalidInput: an average without a side, or an index with a scope.
    """

    basis: Basis
    scope: Scope | None = None  # None: an index, which counts nothing
    side: Side | None = None  # None: no average

    def __post_init__(self) -> None:
        is_whole = (self.side is not None) == (self.basis is Basis.AVERAGE)
        if not is_whole or (self.scope is None) != (self.basis is Basis.INDEX):
            problem = "an average names side and scope, a marginal figure its scope, an index neither"
            raise InvalidInput("kind", ".".join(self.path), problem, remedy="Name what the source documents.")

    @property
    def path(self) -> tuple[str, ...]:
        """Its words as they stand in the id of a channel."""
        return tuple(str(part) for part in (self.basis, self.side, self.scope) if part is not None)

    @property
    def words(self) -> str:
        """What it speaks of, for a person."""
        counted = {Scope.DIRECT: "direct emissions", Scope.LIFECYCLE: "life-cycle emissions", None: ""}[self.scope]
        match self.basis:
            case Basis.AVERAGE:
                return f"average of {self.side}, {counted}"
            case Basis.MARGINAL:
                return f"marginal, {counted}"
            case Basis.INDEX:
                return "rank among the hours of the region, no amount of CO2"


_KINDS = {
    kind.path: kind
    for kind in (
        *(CarbonKind(Basis.AVERAGE, scope, side) for side in Side for scope in Scope),
        *(CarbonKind(Basis.MARGINAL, scope) for scope in Scope),
        CarbonKind(Basis.INDEX),
    )
}


def carbon_channel(
    site: Site, source: str, kind: CarbonKind, resolution: timedelta, unit: Unit = Unit.GRAM_PER_KWH
) -> Channel:
    """Return the channel of a site's carbon figures of one kind from one source.

    Args:
        site: whose figures they are.
        source: who tells them.
        kind: what they speak of.
        resolution: their step.
        unit: of an intensity: of CO2 alone, where the source counts no other gas.
    """
    is_index = kind.basis is Basis.INDEX
    return Channel(
        id=".".join((site.prefix, _WORD, source, *kind.path)),
        site=site.id,
        quantity=Quantity.CARBON_INDEX if is_index else Quantity.CARBON_INTENSITY,
        unit=Unit.PERCENT if is_index else unit,
        resolution=resolution,
        is_simulated=site.is_simulated,
        limits=Limits(0.0, 100.0) if is_index else Limits(0.0, _HIGHEST),
    )


def share_channel(site: Site, fuel: str, resolution: timedelta) -> Channel:
    """Return the channel of the share that a fuel, in one word, has in the electricity of a site."""
    return Channel(
        id=f"{site.prefix}.{_SHARE}.{fuel}",
        site=site.id,
        quantity=Quantity.GENERATION_SHARE,
        unit=Unit.PERCENT,
        resolution=resolution,
        is_simulated=site.is_simulated,
        limits=Limits(0.0, 100.0),
    )


def kind_of(channel: Channel) -> tuple[str, CarbonKind] | None:
    """Return source and kind of a channel of carbon figures, None of any other.

    >>> from datetime import timedelta
    >>> from watthour.core.channel import Site, SiteKind
    >>> from watthour.core.place import Place
    >>> ny = Site("ny", "New York", SiteKind.REGION, Place("America/New_York"))
    >>> source, kind = kind_of(carbon_channel(ny, "watttime", CarbonKind(Basis.INDEX), timedelta(minutes=5)))
    >>> source, str(kind.basis)
    ('watttime', 'index')
    """
    _site, found, path = channel.id.partition(f".{_WORD}.")
    source, *words = path.split(".")
    kind = _KINDS.get(tuple(words)) if found else None
    return None if kind is None else (source, kind)
