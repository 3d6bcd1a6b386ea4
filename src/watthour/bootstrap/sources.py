"""What is asked of sources: which serve a site, what they wait for, and where its past is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from watthour.bootstrap.opening import Opened
from watthour.core.channel import SiteKind
from watthour.core.errors import NotConfigured
from watthour.sources.catalogue import CATALOGUE, Card
from watthour.sources.connectors import Connectors, RenewedConnectors
from watthour.sources.own import OwnSources, joined

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.ports import Gazetteer, Source
    from watthour.sources.options import Options
    from watthour.workflows.runs import Fill


SIMULATION = Card(
    "watthour.simulation.town:SimulatedRegion",
    "demand, weather and forecasts of an invented region",
    "nothing",
    "docs/tutorials/first-forecast.md",
    lambda context: context.site.is_simulated and context.site.kind is SiteKind.REGION,
    is_followed=True,
    is_past=True,
    brings_load=True,
)
SIMULATED_MIX = Card(
    "watthour.simulation.mix:SimulatedMix",
    "the generation of an invented region by fuel, and so its carbon intensity",
    "nothing",
    "docs/explanation/simulation.md",
    SIMULATION.serves,
    is_followed=True,
    is_past=True,
)
SIMULATED_HOME = Card(
    "watthour.simulation.simtown_home:SimtownHome",
    "the power of an invented home and its devices",
    "nothing",
    "docs/explanation/simulation.md",
    lambda context: context.site.is_simulated and context.site.kind is SiteKind.HOME,
    is_past=True,
    brings_load=True,
)


@dataclass(frozen=True)
class AskedSources(Opened):
    """The sources that are set, and what each is to each site."""

    @cached_property
    def own_sources(self) -> OwnSources:
        """The sources that were added from the page or by command."""
        return OwnSources(self.settings.home)

    @property
    def source_options(self) -> dict[str, Options]:
        """What is set of the sources now, by block: the settings go before what was added.

        Raises:
            InvalidInput: the file of sources that were added is damaged.
        """
        return joined(self.settings.sources, self.own_sources.all())

    @property
    def connectors(self) -> Connectors:
        """The sources of the catalogue, and the simulation: the same until what is set of one changes."""
        return self._connectors.now()

    @cached_property
    def _connectors(self) -> RenewedConnectors:
        simulated = {"simulation": SIMULATION, "simulation_mix": SIMULATED_MIX, "simulated_home": SIMULATED_HOME}
        cards = {**simulated, **CATALOGUE}
        return RenewedConnectors(lambda: self.source_options, cards)

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """Who knows where towns are."""
        from watthour.sources.geocoding import OpenMeteoGazetteer
        from watthour.sources.open_meteo import OpenMeteoOptions

        options = self.source_options.get("open_meteo")
        return OpenMeteoGazetteer(options if isinstance(options, OpenMeteoOptions) else OpenMeteoOptions())

    def sources_for(self, context: Context) -> list[Source]:
        """Return what is asked regularly for a site: of its sources those that have all they need.

        Raises:
            NotConfigured: a key is not set, and nothing that is of use without it can be asked.
        """
        return self.connectors.followed(context)

    def waited_for(self, context: Context) -> dict[str, NotConfigured]:
        """Return what is not set of the sources of a site, optional ones aside, by their names in the catalogue."""
        return self.connectors.waited_for(context)

    def is_asked_without_load(self, context: Context) -> bool:
        """Tell whether a site is asked for though its load cannot be: something else of it is of use by itself."""
        return not self.can_follow(context) and self.connectors.tells_by_itself(context)

    def past_sources(self, context: Context, name: str | None = None) -> list[Source]:
        """Return what is asked for a site's past: all that a model learns from, or the one source that is named.

        Raises:
            NotConfigured: a key that one of them needs is not set.
            InvalidInput: the site has no source of this name.
        """
        return self.connectors.past(context, name)

    def can_follow(self, context: Context) -> bool:
        """Tell whether the load of a site can be asked for with what is set."""
        return self.connectors.can_follow(context)

    def comes_by_files(self, context: Context) -> bool:
        """Tell whether the load of a real site can come by files alone; its weather is asked for all the same."""
        return not context.site.is_simulated and not self.connectors.brings_load(context)

    def pasts(self, shown: Sequence[Context], now: datetime) -> list[Fill]:
        """Return how much of its past each source of the sites that can be followed has brought in."""
        from watthour.workflows.rounds import pasts

        found: list[Fill] = []
        for context in shown:
            if self.can_follow(context):
                with suppress(NotConfigured):  # what is not set yet is told by `lacking`
                    found += pasts(self.past_sources(context), self.store, context, now)
        return found

    def lacking(self) -> dict[str, NotConfigured]:
        """Return what is not set yet for the sites that the settings name, by block of the settings."""
        named = [context for name in self.settings.regions if (context := self.find(name)) is not None]
        cards = self.connectors.cards.items()
        serving = {card.block: name for name, card in cards if self._is_waited_for(card, named)}
        found = {block: self.connectors.lacks(name) for block, name in serving.items()}
        return {block: error for block, error in found.items() if error is not None}

    def standing_by(self) -> dict[str, NotConfigured]:
        """Return what is not set of the sources that nothing else waits for, by block of the settings."""
        cards = self.connectors.cards.items()
        options = self.source_options
        named = [context for name in self.settings.regions if (context := self.find(name)) is not None]
        optional = {
            card.block: name
            for name, card in cards
            if card.is_optional and any(card.serves(context) for context in named)
        }
        on = {block: name for block, name in optional.items() if block not in options or options[block].enabled}
        found = {block: self.connectors.lacks(name) for block, name in on.items()}
        return {block: error for block, error in found.items() if error is not None}

    @property
    def carbon_sources(self) -> set[str]:
        """The blocks of the settings of those sources that tell carbon figures of a site by themselves."""
        return {card.block for card in self.connectors.cards.values() if card.stands_alone}

    @property
    def wants_carbon(self) -> bool:
        """Tell whether anybody wants carbon figures: a region is kept or named, or a source of them is being set up."""
        spans = self.store.spans()
        regions = {site.id for site in self.store.sites() if site.kind is SiteKind.REGION}
        has_region = any(channel.site in regions for channel in self.store.channels() if channel.id in spans)
        said = {block for block, options in self.source_options.items() if options.model_fields_set}
        return has_region or "regions" in self.settings.model_fields_set or not said.isdisjoint(self.carbon_sources)

    @staticmethod
    def _is_waited_for(card: Card, named: Sequence[Context]) -> bool:
        return not card.is_optional and any(card.serves(context) for context in named)

    def connections(self) -> list[dict[str, str]]:
        """Return the ways to real data that are still open, for a person who looks at the page."""
        region = next(iter(self.settings.regions), "ny")
        return [
            {"id": way.id, "title": way.title, "text": way.text, "command": way.command.format(region=region)}
            for name, card in self.connectors.cards.items()
            if (way := card.way) is not None and (not card.is_followed or self.connectors.lacks(name) is not None)
        ]
