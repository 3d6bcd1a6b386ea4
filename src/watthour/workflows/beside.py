"""What of a site is forecast regularly beside its load: its carbon intensity, and what its electricity costs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from watthour.workflows.carbon_series import carbon_series
from watthour.workflows.sites import find_context

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.forecast import Context
    from watthour.core.ports import Store

SHORTEST_STEP = timedelta(minutes=15)  # of a series that is forecast regularly; `watthour train` takes others too


def beside_load(store: Store, directories: Sequence[SiteDirectory], context: Context) -> list[Context]:
    """Return what of a site is forecast, trained and scored regularly beside its load, as its load is."""
    if not context.channel.is_load or not context.channel.is_of_whole_site:
        return []
    return [find_context(store, directories, channel.id) for channel in channels_beside(store, context.site)]


def channels_beside(store: Store, site: Site) -> list[Channel]:
    """Return the channels of a site that are forecast regularly beside its load, as far as they have readings.

    These are the carbon series that answers by itself, and prices. A market that is a site of its own has its price as
    its main channel.
    """
    spans = store.spans()
    prices = [
        channel
        for channel in store.channels()
        if channel.site == site.id and channel.id in spans and channel.id != site.main_channel
        if channel.is_told_ahead and channel.is_of_whole_site and channel.variable is None
    ]
    carbon = [each.channel for each in carbon_series(store, site) if each.channel.id != site.main_channel]
    carbon = [each for each in carbon if each.resolution >= SHORTEST_STEP]
    return [*carbon[:1], *(each for each in prices if each.resolution >= SHORTEST_STEP)]
