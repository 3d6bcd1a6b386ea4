"""How far ahead a channel is forecast: a load to the end of tomorrow, what plans are made of for some days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from watthour.core.units import Quantity
from watthour.core.window import Window
from watthour.workflows.forecast import live_window

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.channel import Channel
    from watthour.core.forecast import Context

CARBON_AHEAD = timedelta(hours=96)
_HORIZONS = {Quantity.CARBON_INTENSITY: CARBON_AHEAD, Quantity.CARBON_INDEX: CARBON_AHEAD}


def horizon_of(channel: Channel) -> timedelta:
    """Return how far ahead of its issue a channel is forecast each day and learned; zero: to the end of tomorrow."""
    return _HORIZONS.get(channel.quantity, timedelta(0))


def daily_window(context: Context, now: datetime) -> Window | None:
    """Return what the forecast of each day covers: from the interval now running on, as far as the channel goes.

    None: as far as any forecast of it, such as to the end of tomorrow, or some days beyond the published prices.
    """
    horizon = horizon_of(context.channel)
    if not horizon:
        return None
    near = live_window(context, now)
    return Window(near.start, max(near.end, near.start + horizon))
