"""What is measured of a channel as means over steps of another length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.window import Window, floor
from watthour.workflows.price_ahead import on_grid, on_steps

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from watthour.core.assets import Array
    from watthour.core.channel import Channel
    from watthour.core.ports import Store


def step_means(store: Store, channel: Channel, window: Window, step: timedelta, now: datetime) -> Array:
    """Return the mean of a channel over each step of a window, in its unit; NaN where a part is not known."""
    length = channel.resolution
    start = floor(window.start, length)
    whole = Window(start, start + -(-(window.end - start) // length) * length)
    return on_steps(on_grid(store, channel, whole, now), start, length, window, step)
