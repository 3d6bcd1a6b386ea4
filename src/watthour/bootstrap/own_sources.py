"""Sources that a person adds from the page or by command."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from watthour.bootstrap.locks import passing_id
from watthour.bootstrap.sources import AskedSources
from watthour.core.errors import InvalidInput, NotConfigured
from watthour.sources.catalogue import LINES, addable, connector, options_class
from watthour.sources.own import (
    HIDDEN,
    address_of,
    check_is_near,
    check_unset,
    checked_source,
    field_type,
    is_secret,
    joined,
)
from watthour.sources.polling import PolledOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from watthour.core.ports import Subscription
    from watthour.sources.options import Options
    from watthour.workflows.trying import Asked, Tried
    from watthour.workflows.view.sources import SetSource


@dataclass(frozen=True)
class OwnSources(AskedSources):
    """What a person may add, try and see of sources."""

    def try_source(self, kind: str, said: Mapping[str, object], *, seconds: float, now: datetime) -> Tried:
        """Connect to a source for a moment and tell what was seen; nothing is kept.

        Args:
            kind: its block, such as mqtt.
            said: by option.
            seconds: how long at most.
            now: the present.

        Raises:
            InvalidInput: something said cannot be.
            SourceError: a name that nobody knows.
            MissingExtra: a library that it needs is not installed.
        """
        from importlib import import_module

        from watthour.sources.http import RetryPolicy
        from watthour.workflows.trying import try_asking, try_line

        options = joined(self.settings.sources, {kind: self._checked_source(kind, said)})[kind]
        if kind in LINES:
            lines = self._passing_lines(kind, options)
            n_devices = len(options.hosts) if isinstance(options, PolledOptions) else None
            return try_line(self.store, self.links, lines[0], seconds=seconds, n_devices=n_devices)
        module = import_module(addable()[kind].module)
        named = (self.find(name) for name in self.settings.regions)
        known = (context for each in self.directories for context in each.contexts())
        contexts = (each for each in chain(named, known) if each is not None)
        context = next(each for each in contexts if addable()[kind].serves(each))

        def open_source() -> Asked:
            client = module.open_client(options, retry=RetryPolicy(attempts=1))
            return cast("Callable[..., Asked]", connector(kind))(context, client)

        return try_asking(open_source, now=now)

    @property
    def lines(self) -> Collection[str]:
        """The kinds of sources that tell by themselves, or are asked every few seconds."""
        return LINES.keys()

    def set_sources(self) -> list[SetSource]:
        """Return the sources that the settings name or a person has added."""
        from watthour.workflows.view.sources import SetSource

        own, settings = self.own_sources.all(), self.settings.sources
        cards, found = {**LINES, **addable()}, []
        for kind, options in self.source_options.items():
            is_line = kind in LINES
            if kind not in cards or not options.enabled or not (kind in own or settings[kind].model_fields_set):
                continue
            address = address_of(options) if is_line else None
            if not is_line or address is not None:
                origin = "both" if kind in own and kind in settings else "added" if kind in own else "settings"
                hosts = mine.hosts if isinstance(mine := own.get(kind), PolledOptions) else ()
                title = cards[kind].title or kind.replace("_", " ").capitalize()
                found.append(SetSource(kind, title, origin, address, hosts, is_line=is_line))
        return found

    def add_source(self, kind: str, said: Mapping[str, object]) -> None:
        """Keep a source; a process that runs takes it up within seconds, without a restart.

        Raises:
            InvalidInput: something said cannot be, or the settings say it already.
            SourceError: a name that nobody knows.
            MissingExtra: a library that it needs is not installed.
        """
        options = self._checked_source(kind, said)
        self._passing_lines(kind, options)  # says what is not installed, and what is no token
        self.own_sources.add(kind, options)

    def _passing_lines(self, kind: str, options: Options) -> list[Subscription]:
        """Return the lines of one source, not opened yet.

        Raises:
            InvalidInput: what was given as a secret is none.
            MissingExtra: a library that it needs is not installed.
        """
        from watthour.sources.lines import open_lines

        try:
            return open_lines({kind: options}, client_id=passing_id(), is_passing=True)
        except NotConfigured as error:
            secret = next(ask.option for ask in addable()[kind].asks if is_secret(type(options), ask.option))
            problem = error.problem.partition(": ")[2]
            raise InvalidInput(secret, HIDDEN, problem, remedy=error.remedy) from None

    def _checked_source(self, kind: str, said: Mapping[str, object]) -> Options:
        options = checked_source(kind, said)
        check_unset(kind, options, self.settings.sources)
        check_is_near(kind, options)
        return options


def kinds_of_sources() -> list[dict[str, Any]]:
    """Return what can be added from the page or by command, with what is asked of a person."""
    found = []
    for kind, card in addable().items():
        options = options_class(card)
        fields = [
            {
                "name": ask.option,
                "label": ask.label,
                "hint": ask.hint,
                "type": field_type(options, ask.option),
                "required": ask.is_required,
            }
            for ask in card.asks
        ]
        found.append(
            {
                "kind": kind,
                "title": card.title,
                "delivers": card.delivers,
                "page": card.page,
                "is_of_homes": kind in LINES,
                "has_past": card.is_past,
                "fields": fields,
            }
        )
    return sorted(
        found, key=lambda each: (not each["is_of_homes"], list(LINES).index(each["kind"]) if each["is_of_homes"] else 0)
    )
