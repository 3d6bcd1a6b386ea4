from __future__ import annotations

from datetime import timedelta

import pytest

from watthour.core.carbon import Basis, CarbonKind, Scope, Side, carbon_channel, kind_of
from watthour.core.channel import Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR

NY = Site("ny", "New York", SiteKind.REGION, Place("America/New_York"))
KINDS = [
    *(CarbonKind(Basis.AVERAGE, scope, side) for side in Side for scope in Scope),
    CarbonKind(Basis.MARGINAL, Scope.DIRECT),
    CarbonKind(Basis.INDEX),
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.words)
def test_a_channel_keeps_source_and_kind(kind: CarbonKind) -> None:
    channel = carbon_channel(NY, "watttime", kind, timedelta(minutes=5))

    assert kind_of(channel) == ("watttime", kind)


def test_kinds_never_share_a_channel() -> None:
    assert len({carbon_channel(NY, "mix", kind, HOUR).id for kind in KINDS}) == len(KINDS)


def test_an_index_is_a_percentile_and_never_an_intensity() -> None:
    channel = carbon_channel(NY, "watttime", CarbonKind(Basis.INDEX), HOUR)

    assert (channel.quantity, channel.unit) == (Quantity.CARBON_INDEX, Unit.PERCENT)


def test_an_average_without_a_side_cannot_be() -> None:
    with pytest.raises(InvalidInput, match="an average names side and scope"):
        CarbonKind(Basis.AVERAGE, Scope.DIRECT)
