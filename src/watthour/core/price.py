"""What is known of prices by their names: with tax or without, and when the auction of a market closes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from watthour.core.units import Quantity

if TYPE_CHECKING:
    from watthour.core.channel import Channel, Site

WHOLESALE = "price"  # last word of the id: of a market, without taxes and fees
RETAIL = "retail_price"  # likewise: of a supplier, with taxes


@dataclass(frozen=True, slots=True)
class Auction:
    """When a day-ahead market takes its last bids: on the day before, by its own clock."""

    closes: time
    time_zone: str

    @property
    def last_call(self) -> time:
        """A quarter of an hour before, when a forecast is made for those who bid.

        >>> Auction(time(12), "Europe/Brussels").last_call
        datetime.time(11, 45)
        """
        return (datetime.combine(date(2000, 1, 1), self.closes) - timedelta(minutes=15)).time()


# Single day-ahead coupling: order books close at 12:00 CET. Switzerland's own auction closes at 11:00 CET.
_COUPLED = Auction(time(12), "Europe/Brussels")
_NOT_COUPLED = {"ch": Auction(time(11), "Europe/Brussels"), "mne": None, "mk": None, "rs": None}  # None: not known
# NYISO Day-Ahead Scheduling Manual: bids are due by 05:00 of the day before.
_NEW_YORK = Auction(time(5), "America/New_York")
_BY_PROVIDER = {"entsoe": _COUPLED, "awattar": _COUPLED, "energyzero": _COUPLED, "nyiso_prices": _NEW_YORK}


def is_with_tax(channel: Channel) -> bool:
    """Tell whether a channel holds what customers pay, taxes included.

    Of prices that a person imported under another name it is not known, and the tariff that follows them says so.
    """
    return channel.quantity is Quantity.PRICE and channel.id.rpartition(".")[2] == RETAIL


def auction_of(site: Site) -> Auction | None:
    """Return the auction that makes the prices of a market or zone; None where it is not known, or there is none."""
    found = next((_BY_PROVIDER[provider] for provider, _code in site.codes if provider in _BY_PROVIDER), None)
    return found if found is None else _NOT_COUPLED.get(site.id, found)
