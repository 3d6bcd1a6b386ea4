"""Which sites there are and what is forecast of each: from the store, and from the directories of known sites."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.forecast import Context, covariates_of
from watthour.core.frames import Maker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.ports import Store


_MOST_NAMED = 5  # sites in the hint of an error: the likest names, then what is in the store


def find_context(store: Store, directories: Sequence[SiteDirectory], name: str) -> Context:
    """Return what is forecast under a name: a site's main channel, or the channel that is named.

    Args:
        store: what has been brought in.
        directories: sites that are known without it.
        name: any name of a site, or the id of a channel.

    Raises:
        UnknownSite: nothing goes by this name; near matches are named.
        InvalidInput: the site has several channels and none is its main one.
    """
    wanted = name.strip().casefold()
    channels = store.channels()
    sites = {site.id: site for site in store.sites()}
    named = next((channel for channel in channels if channel.id == wanted), None)
    if named is not None:
        return _completed(store, directories, sites[named.site], named, channels)
    for directory in directories:
        if (described := directory.find(name)) is not None:
            return _completed(store, directories, described.site, described.channel, channels)
    site = next((site for site in sites.values() if wanted in (site.id.casefold(), site.name.casefold())), None)
    if site is None:
        names = {each.casefold(): site.id for site in sites.values() for each in (site.id, site.name)}
        stored = [names[each] for each in get_close_matches(wanted, names, n=3, cutoff=0.5)]
        near = [found for directory in directories for found in directory.near(name)]
        raise UnknownSite(name, list(dict.fromkeys([*stored, *near, *sites]))[:_MOST_NAMED])
    return _completed(store, directories, site, _main_channel(site, channels), channels)


def contexts(store: Store, directories: Sequence[SiteDirectory], names: Sequence[str]) -> list[Context]:
    """Return what is shown: of the named and the stored sites those with readings, real ones first, else the named.

    Raises:
        UnknownSite: a name is nobody's.
    """
    spans = store.spans()
    named = [find_context(store, directories, name) for name in names]
    channels = store.channels()
    kept = [
        find_context(store, directories, site.main_channel or site.id)
        for site in store.sites()
        if _has_main_channel(site, channels)
    ]
    found = {each.channel.id: each for each in (*named, *sorted(kept, key=lambda each: each.site.is_simulated))}
    filled = [each for each in found.values() if each.channel.id in spans]
    return filled or named


def _completed(
    store: Store, directories: Sequence[SiteDirectory], site: Site, channel: Channel, channels: Sequence[Channel]
) -> Context:
    """Return the context of a channel with the covariates its site has and the rivals that have forecast it."""
    described = next((found for each in directories if (found := each.find(site.id)) is not None), None)
    rivals: tuple[str, ...] = ()
    if described is not None and described.site.id == site.id:
        site = described.site
        if described.channel.id == channel.id:
            channel, rivals = described.channel, described.rivals
    known = [model for model, maker in store.models_of(channel.id).items() if maker is Maker.RIVAL]
    here = [each for each in channels if each.site == site.id and each.id != channel.id]
    return Context(site, channel, covariates_of(here), tuple(dict.fromkeys([*rivals, *known])))


def _has_main_channel(site: Site, channels: Sequence[Channel]) -> bool:
    ids = [channel.id for channel in channels if channel.site == site.id]
    return site.main_channel in ids or (site.main_channel is None and len(ids) == 1)


def _main_channel(site: Site, channels: Sequence[Channel]) -> Channel:
    mine = [channel for channel in channels if channel.site == site.id]
    main = [channel for channel in mine if channel.id == site.main_channel] or (mine if len(mine) == 1 else [])
    if not main:
        ids = ", ".join(channel.id for channel in mine if channel.variable is None) or "none"
        raise InvalidInput(
            "region", site.id, "this site has no main channel", remedy=f"Name one of its channels: {ids}."
        )
    return main[0]
