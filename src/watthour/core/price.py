"""What the id of a channel says of its prices: those of a wholesale market, or what a supplier's customers pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.units import Quantity

if TYPE_CHECKING:
    from watthour.core.channel import Channel

WHOLESALE = "price"  # last word of the id: of a market, without taxes and fees
RETAIL = "retail_price"  # likewise: of a supplier, with taxes


def is_with_tax(channel: Channel) -> bool:
    """Tell whether a channel holds what customers pay, taxes included.

    Of prices that a person imported under another name it is not known, and the tariff that follows them says so.
    """
    return channel.quantity is Quantity.PRICE and channel.id.rpartition(".")[2] == RETAIL
