"""Which sites there are and what is forecast of each: from the store, and from the directories of known sites."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Self

from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.forecast import Context, covariates_of
from watthour.core.frames import Maker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    return _Known.of(store, directories).context(name)


def name_of(context: Context) -> str:
    """Return the name under which this channel, and no other of the site, is found again."""
    is_main = context.channel.id == context.site.main_channel
    return context.site.id if is_main else context.channel.id


def contexts(store: Store, directories: Sequence[SiteDirectory], names: Sequence[str]) -> list[Context]:
    """Return what is shown: of the named and the stored sites those with readings, real ones first, else the named.

    Raises:
        UnknownSite: a name is nobody's.
    """
    known, spans = _Known.of(store, directories), store.spans()
    named = [known.context(name) for name in names]
    kept = [context for site in known.sites.values() if (context := known.main(site)) is not None]
    found = {each.channel.id: each for each in (*named, *sorted(kept, key=lambda each: each.site.is_simulated))}
    filled = [each for each in found.values() if each.channel.id in spans]
    return filled or named


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store and the directories know of sites, read once."""

    store: Store
    directories: Sequence[SiteDirectory]
    sites: Mapping[str, Site]
    channels: Mapping[str, Sequence[Channel]]  # by site

    @classmethod
    def of(cls, store: Store, directories: Sequence[SiteDirectory]) -> Self:
        channels: dict[str, list[Channel]] = {}
        for channel in store.channels():
            channels.setdefault(channel.site, []).append(channel)
        return cls(store, directories, {site.id: site for site in store.sites()}, channels)

    def context(self, name: str) -> Context:
        wanted = name.strip().casefold()
        for site, channels in self.channels.items():
            for channel in channels:
                if channel.id == wanted:
                    return self._completed(self.sites[site], channel)
        for directory in self.directories:
            if (described := directory.find(name)) is not None:
                return self._completed(described.site, described.channel)
        found = next(
            (each for each in self.sites.values() if wanted in (each.id.casefold(), each.name.casefold())), None
        )
        if found is None:
            raise UnknownSite(name, self._near(name))
        if (context := self.main(found)) is None:
            ids = ", ".join(channel.id for channel in self._channels(found) if channel.variable is None) or "none"
            problem = "this site has no main channel"
            raise InvalidInput("region", found.id, problem, remedy=f"Name one of its channels: {ids}.")
        return context

    def main(self, site: Site) -> Context | None:
        """Return what is forecast of a site by itself: its main channel, or the only one it has."""
        here = self._channels(site)
        main = [channel for channel in here if channel.id == site.main_channel] or (here if len(here) == 1 else [])
        return self._completed(site, main[0]) if main else None

    def _channels(self, site: Site) -> Sequence[Channel]:
        return self.channels.get(site.id, ())

    def _completed(self, site: Site, channel: Channel) -> Context:
        """Return the context of a channel with the covariates its site has and the rivals that have forecast it."""
        described = next((found for each in self.directories if (found := each.find(site.id)) is not None), None)
        rivals: tuple[str, ...] = ()
        # A home may have the word of a region; what is written of the one says nothing of the other.
        if described is not None and described.site.prefix == site.prefix:
            site = described.site
            if described.channel.id == channel.id:
                channel, rivals = described.channel, described.rivals
        known = [model for model, maker in self.store.models_of(channel.id).items() if maker is Maker.RIVAL]
        here = [each for each in self._channels(site) if each.id != channel.id]
        return Context(site, channel, covariates_of(here), tuple(dict.fromkeys([*rivals, *known])))

    def _near(self, name: str) -> list[str]:
        names = {each.casefold(): site.id for site in self.sites.values() for each in (site.id, site.name)}
        stored = [names[each] for each in get_close_matches(name.strip().casefold(), names, n=3, cutoff=0.5)]
        near = [found for directory in self.directories for found in directory.near(name)]
        return list(dict.fromkeys([*stored, *near, *self.sites]))[:_MOST_NAMED]
