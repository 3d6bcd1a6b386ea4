"""The catalogue at work: sources built for a site from the settings, and the sites connectors know by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from watthour.core.directory import SiteDirectory
from watthour.core.errors import InvalidInput, NotConfigured
from watthour.sources.catalogue import CATALOGUE, Card, connector, options_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from watthour.core.forecast import Context
    from watthour.core.ports import Source
    from watthour.sources.http import HttpClient
    from watthour.sources.options import Options


@dataclass(frozen=True)
class Connectors:
    """Builds sources from the settings; each provider's client is opened once, so that its rate limit holds for all."""

    options: Mapping[str, Options]  # by block; a block that is not here has its defaults
    cards: Mapping[str, Card] = field(default_factory=lambda: CATALOGUE)
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    def renewed(self, options: Mapping[str, Options]) -> Connectors:
        """Return them with other options; a client whose options stay the same is kept, and with it its rate limit."""
        with self._lock:
            kept = {block: client for block, client in self._clients.items() if self._same(block, options)}
        new = Connectors(options, self.cards)
        new._clients.update(kept)
        return new

    def _same(self, block: str, options: Mapping[str, Options]) -> bool:
        return self.options.get(block) == options.get(block)

    def followed(self, context: Context) -> list[Source]:
        """Return what is asked regularly for a site: of its sources those that have all they need.

        Raises:
            NotConfigured: a source lacks a setting, and nothing that is of use without it can be asked.
        """
        lacking = self.waited_for(context)
        found = [(name, card) for name, card in self._serving(context) if card.is_followed and name not in lacking]
        if lacking and not any(card.brings_load or card.stands_alone for _name, card in found):
            raise next(iter(lacking.values()))
        return [self._build(name, context) for name, _card in found]

    def waited_for(self, context: Context) -> dict[str, NotConfigured]:
        """Return what the sources of a site lack that are no optional ones, by their names; the others are asked."""
        followed = [name for name, card in self._serving(context) if card.is_followed]
        found = {name: self.lacks(name) for name in followed}
        return {name: error for name, error in found.items() if error is not None}

    def tells_by_itself(self, context: Context) -> bool:
        """Tell whether a source can be asked that is of use for a site whose load cannot be asked for."""
        return any(card.is_followed and card.stands_alone for _name, card in self._serving(context))

    def past(self, context: Context, name: str | None = None) -> list[Source]:
        """Return what is asked for a site's past: all that a model learns from, or the one source that is named.

        Raises:
            NotConfigured: one of them lacks a setting.
            InvalidInput: the site has no source of this name.
        """
        serving = dict(self._serving(context))
        if name is None:
            return [self._build(each, context) for each, card in serving.items() if card.is_past]
        if name not in serving:
            remedy = f"It has: {', '.join(serving) or 'none, but files can be imported'}."
            raise InvalidInput("source", name, f"{context.site.name} has no such source", remedy=remedy)
        return [self._build(name, context)]

    def can_follow(self, context: Context) -> bool:
        """Tell whether a source that measures the site's load is served, switched on, and has all it needs."""
        loads = [name for name, card in self._serving(context) if card.brings_load and card.is_followed]
        return any(self.lacks(name) is None for name in loads)

    def brings_load(self, context: Context) -> bool:
        """Tell whether any source measures the site's load, set up or not; else it comes by files alone."""
        return any(card.brings_load for _name, card in self._serving(context))

    def lacks(self, name: str) -> NotConfigured | None:
        """Return what a connector lacks in the settings, None if it can be asked."""
        try:
            self.client(self.cards[name])
        except NotConfigured as error:
            return error
        return None

    def client(self, card: Card) -> Any:  # noqa: ANN401 - an HttpClient, or a named tuple of them; the connector knows
        """Return a provider's client, opened once; None where a connector has none.

        Raises:
            NotConfigured: a setting it needs is missing.
        """
        with self._lock:
            if card.block not in self._clients:
                opener = getattr(import_module(card.module), "open_client", None)
                options = self.options.get(card.block) or options_class(card)()
                self._clients[card.block] = None if opener is None else opener(options)
            return self._clients[card.block]

    def http_clients(self, name: str) -> tuple[HttpClient, ...]:
        """Return every HTTP client of a connector, for whoever listens to its answers."""
        client = self.client(self.cards[name])
        return client if isinstance(client, tuple) else () if client is None else (client,)

    def _serving(self, context: Context) -> Iterator[tuple[str, Card]]:
        for name, card in self.cards.items():
            options = self.options.get(card.block)
            if not card.serves(context) or not (options is None or options.enabled):
                continue
            if not card.is_optional or self.lacks(name) is None:
                yield name, card

    def _build(self, name: str, context: Context) -> Source:
        build = cast("Callable[..., Source]", connector(name, self.cards))
        client = self.client(self.cards[name])
        return build(context) if client is None else build(context, client)


class RenewedConnectors:
    """The connectors with what is set now.

    Args:
        options: tells it, by block of the settings.
        cards: the catalogue.
    """

    def __init__(self, options: Callable[[], Mapping[str, Options]], cards: Mapping[str, Card]) -> None:
        self._options = options
        self._lock = Lock()
        self._built = Connectors(options(), cards)

    def now(self) -> Connectors:
        """Return them: the same until something changes; raises InvalidInput where what is set cannot be read."""
        options = self._options()
        with self._lock:
            if options != self._built.options:
                self._built = self._built.renewed(options)
            return self._built


class ConnectorSites(SiteDirectory):
    """The sites that connectors know by themselves."""

    def __init__(self, cards: Mapping[str, Card] = CATALOGUE) -> None:
        self._cards = cards
        self._by_name: dict[str, Context] | None = None

    def names(self) -> Mapping[str, Context]:
        """Return what is forecast under every name: a site's id, its name, its operator's, its zone's, its codes."""
        if self._by_name is None:
            found: dict[str, Context] = {}
            for card in (each for each in self._cards.values() if each.has_sites):
                for context in import_module(card.module).contexts():
                    for alias in _aliases(context):
                        found.setdefault(alias.casefold(), context)  # the first connector of the catalogue has a name
            self._by_name = found
        return self._by_name


def _aliases(context: Context) -> Iterator[str]:
    site = context.site
    yield from (name for name in (site.id, site.name, site.operator, site.zone) if name)
    yield from (code for _provider, code in site.codes)
