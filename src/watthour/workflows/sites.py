"""Which sites there are and what is forecast of each: from the store, and from the directories of known sites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Self, cast

from watthour.core.ahead import LOAD, ahead_variable
from watthour.core.directory import LIKE
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.forecast import Context, covariates_of
from watthour.core.frames import Maker
from watthour.core.loads import main_channel
from watthour.core.names import spelt
from watthour.core.weather import HOURLY, weather_channels, weather_points
from watthour.core.window import Window
from watthour.workflows.carbon import companions_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.ports import Store


EVER = Window(datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
_MOST_NAMED = 7  # sites in the hint of an error: as many zones as Italy has, or the names most like the one typed
_SHORTEST_PART = 4  # letters of a name that may stand for all sites with them in theirs


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
    named = [context for name in names if (context := known.named(name)) is not None]
    kept = [context for site in known.sites.values() if (context := known.main(site)) is not None]
    found = {each.channel.id: each for each in (*named, *sorted(kept, key=lambda each: each.site.is_simulated))}
    filled = [each for each in found.values() if each.channel.id in spans]
    return filled or named


def site_named(store: Store, name: str) -> Site:
    """Return the site of the store with this id or name.

    Raises:
        UnknownSite: there is none.
    """
    sites = store.sites()
    found = next((each for each in sites if spelt(name) in (spelt(each.id), spelt(each.name))), None)
    if found is None:
        names = {spelt(word): each.id for each in sites for word in (each.id, each.name)}
        raise UnknownSite(name, [names[each] for each in get_close_matches(spelt(name), names, n=3)])
    return found


def described(directories: Sequence[SiteDirectory], site: Site) -> Context | None:
    """Return what the directories know of a site of the store, None where it is known from the store alone."""
    found = next((context for each in directories if (context := each.find(site.id)) is not None), None)
    # A home may have the word of a region; what is written of the one says nothing of the other.
    return found if found is not None and found.site.prefix == site.prefix else None


def has_weather(store: Store, site: Site) -> bool:
    """Tell whether any forecast of the weather at a site's places is kept."""
    first = weather_channels(site, weather_points(site)[:1])
    return any(store.models_of(channel.id) for channel in first)


def weather_since(store: Store, site: Site) -> datetime | None:
    """Return since when the weather at all of a site's places is asked for; None where that of one never was."""
    kept = [
        store.forecasts([channel.id], EVER)["recorded_at"].min()
        for channel in weather_channels(site, weather_points(site), dict(list(HOURLY.items())[:1]))
    ]
    known = [cast("datetime", first) for first in kept if first is not None]
    return max(known) if known and len(known) == len(kept) else None


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
        wanted = spelt(name)
        for site, channels in self.channels.items():
            for channel in channels:
                if channel.id == wanted:
                    return self._completed(self.sites[site], channel)
        for directory in self.directories:
            if (described := directory.find(name)) is not None:
                return self._completed(described.site, described.channel)
        found = next((each for each in self.sites.values() if wanted in (spelt(each.id), spelt(each.name))), None)
        if found is None:
            raise UnknownSite(name, self._near(name))
        if (context := self.main(found)) is None:
            ids = ", ".join(channel.id for channel in self._channels(found) if channel.variable is None)
            problem = "this site has no main channel" if ids else "this site has no readings yet"
            cure = f"`watthour import FILE --channel {found.prefix}.power` brings some: power is a name of your choice."
            raise InvalidInput("region", found.id, problem, remedy=f"Name one of its channels: {ids}." if ids else cure)
        return context

    def named(self, name: str) -> Context | None:
        """Return what is forecast under a name that the settings give; None of a site without readings yet."""
        try:
            return self.context(name)
        except UnknownSite:
            raise
        except InvalidInput:
            return None

    def main(self, site: Site) -> Context | None:
        """Return what is forecast of a site by itself: its main channel, or the only one it has."""
        main = main_channel(site, self._channels(site))
        return None if main is None else self._completed(site, main)

    def _channels(self, site: Site) -> Sequence[Channel]:
        return self.channels.get(site.id, ())

    def _completed(self, site: Site, channel: Channel) -> Context:
        """Return the context of a channel with the covariates its site has and the rivals that have forecast it."""
        rivals: tuple[str, ...] = ()
        if (known_as := described(self.directories, site)) is not None:
            site = known_as.site
            if known_as.channel.id == channel.id:
                channel, rivals = known_as.channel, known_as.rivals
        known = [model for model, maker in self.store.models_of(channel.id).items() if maker is Maker.RIVAL]
        here = [each for each in self._channels(site) if each.id != channel.id]
        if channel.id == site.main_channel:  # the operator's forecast of the load itself is its rival
            here = [each for each in here if each.variable != ahead_variable(LOAD)]
        made_of = companions_of(site, channel, self._channels(site))
        return Context(site, channel, covariates_of(here), tuple(dict.fromkeys([*rivals, *known])), companions=made_of)

    def _near(self, name: str) -> list[str]:
        names = {spelt(each): site.id for site in self.sites.values() for each in (site.id, site.name)}
        stored = [names[each] for each in get_close_matches(spelt(name), names, n=3, cutoff=LIKE)]
        near = [found for directory in self.directories for found in directory.near(name)]
        parts = [found.site.id for each in self.directories for found in each.contexts(name)]  # such as of a country
        within = parts if len(name.strip()) >= _SHORTEST_PART else []
        return list(dict.fromkeys([*within, *stored, *near]))[:_MOST_NAMED]
