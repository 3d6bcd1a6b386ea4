"""What the operator of a grid says of its site before it happens: channels that every forecast of the site may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.channel import Channel, beside_load_limits
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    from datetime import timedelta

    from watthour.core.forecast import Context

LOAD = "load"  # the word of the forecast of the site's whole load, which is no input of the load itself but its rival


def ahead_channel(context: Context, word: str, resolution: timedelta) -> Channel:
    """Return the channel of an operator's forecast, such as ``grid.de_lu.ahead.solar``: it has no readings."""
    site = context.site
    return Channel(
        id=f"{site.prefix}.ahead.{word}",
        site=site.id,
        quantity=Quantity.POWER,
        unit=Unit.MW,
        resolution=resolution,
        limits=beside_load_limits(context.channel.limits),
        is_simulated=site.is_simulated,
        variable=ahead_variable(word),
    )


def ahead_variable(word: str) -> str:
    """Return the variable of such a channel; no feature of a model is called so."""
    return f"known_{word}"
