"""The channels of a store that are like one whose past is short, and what was known of all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from watthour.core.forecast import SimilarChannel
from watthour.core.loads import main_channel
from watthour.core.units import Quantity
from watthour.core.window import DAY, Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.forecast import Context, History
    from watthour.core.ports import Store

SHORT = 120 * DAY  # of a past: from then on a model of its own can be trained
_LOADS = (Quantity.POWER, Quantity.ENERGY)  # which differ by a factor where steps are the same


def history_beside(store: Store, context: Context, window: Window, as_of: datetime) -> History | None:
    """Return what was known at an instant of a channel and of those like it; None where its past is not short.

    Args:
        store: where readings come from.
        context: what is forecast.
        window: the span asked for.
        as_of: the instant.
    """
    from watthour.forecasting.similar_series.model import SEEN_DAYS

    span = store.spans().get(context.channel.id)
    if span is None or as_of - span[0] >= SHORT or context.resolution >= DAY:
        return None
    alone = replace(context, covariates=(), rivals=(), similar=similar_channels(store, context, as_of))
    return store.history(alone, Window(min(window.start, as_of) - SEEN_DAYS * DAY, window.end), as_of)


def similar_channels(store: Store, context: Context, as_of: datetime) -> tuple[SimilarChannel, ...]:
    """Return the channels with a long past of the same quantity, step, clock and kind of site, the longest first.

    A site's main channel is like that of another; any other one is like those of its name. Invented channels are like
    invented ones only.
    """
    from watthour.forecasting.similar_series.among import ENDED_DAYS, LONG_DAYS
    from watthour.forecasting.similar_series.model import MOST_OTHERS

    sites, spans = {site.id: site for site in store.sites()}, store.spans()
    here: dict[str, list[Channel]] = {}
    for channel in store.channels():
        if channel.variable is None:
            here.setdefault(channel.site, []).append(channel)
    mine = _kind(context.channel, context.site, here.get(context.site.id, ()))
    found = [
        (min(spans[channel.id][1], as_of) - spans[channel.id][0], channel, sites[name])
        for name, channels in here.items()
        for channel in channels
        if name in sites
        and channel.id != context.channel.id
        and channel.id in spans
        and spans[channel.id][1] > as_of - ENDED_DAYS * DAY
        and _kind(channel, sites[name], channels) == mine
    ]
    known = sorted((each for each in found if each[0] >= LONG_DAYS * DAY), key=lambda each: (-each[0], each[1].id))
    return tuple(SimilarChannel(channel.id, site.name) for _, channel, site in known[:MOST_OTHERS])


def _kind(channel: Channel, site: Site, siblings: Sequence[Channel]) -> tuple[object, ...]:
    """Return what two channels must have in common to be alike."""
    main = main_channel(site, siblings or [channel])
    is_main = main is not None and channel.id == main.id
    return (
        "load" if channel.quantity in _LOADS else channel.quantity,
        channel.resolution,
        channel.is_simulated,
        site.kind,
        site.place.time_zone,
        None if is_main else channel.id.rpartition(".")[2],
    )
