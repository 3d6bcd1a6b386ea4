"""What is heard while a process runs: lines that tell by themselves, and the invented home."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from watthour.bootstrap.locks import client_id, passing_id, working
from watthour.bootstrap.sources import AskedSources
from watthour.sources.catalogue import LINES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from watthour.core.forecast import Context
    from watthour.core.ports import Archive
    from watthour.core.window import Window
    from watthour.simulation.simtown_home import SimtownHome
    from watthour.workflows.listening import Listener
    from watthour.workflows.recall_task import Recalls
    from watthour.workflows.settling import Settler
    from watthour.workflows.stand_in import StandInHome


@dataclass(frozen=True)
class Listening(AskedSources):
    """Who listens, and who makes readings of what is heard."""

    @cached_property
    def recalls(self) -> Recalls:
        """The past of things that this process brings in."""
        from watthour.workflows.recall_task import Recalls

        return Recalls(self.store, self.links, self.archives)

    @cached_property
    def settler(self) -> Settler:
        """Who makes readings of the samples that come to this process."""
        from watthour.workflows.settling import Settler

        return Settler(self.store, self.links)

    @cached_property
    def listener(self) -> Listener:
        """What this process hears of the things that the settings name; see `listening`.

        Raises:
            MissingExtra: a library that one of them needs is not installed.
        """
        from watthour.sources.lines import Lines
        from watthour.workflows.listening import Listener

        lines = Lines(lambda: self.source_options, client_id=client_id(self.settings.home))
        return Listener(self.store, lines.now(), self.links, settler=self.settler, renewed=lines.now)

    @contextmanager
    def listening(self) -> Iterator[bool]:
        """Listen while the block runs, unless another process does; yield whether there is anything to hear yet.

        A source that is added meanwhile is heard within seconds.

        Raises:
            MissingExtra: a library that one of the lines needs is not installed.
        """
        with working(self.settings.home / "listening.lock", lambda: self.listener) as is_ours:
            yield is_ours and bool(self.listener.states)

    @property
    def stand_in_home(self) -> StandInHome:
        """The invented home that is shown beside the invented region."""
        return self.simtown_home

    @cached_property
    def simtown_home(self) -> SimtownHome:
        """The same, as it lives: most of its runs begin as its plans say."""
        from watthour.simulation.simtown_home import HOME, PlannedBegin, PlannedUse, SimtownHome
        from watthour.workflows.stand_in import runs_of_plans

        def planned(window: Window) -> list[PlannedUse]:
            return [
                PlannedUse(
                    str(run.device),
                    run.earliest,
                    tuple(PlannedBegin(each.made_at, each.begin, each.is_accepted) for each in run.starts),
                )
                for run in runs_of_plans(self.store, HOME.id, window)
            ]

        return SimtownHome(plans=planned)

    def wants_stand_in_home(self, followed: Sequence[Context]) -> bool:
        """Tell whether the invented home is shown beside the sites that are followed."""
        from watthour.workflows.stand_in import is_wanted

        return is_wanted(self.store, followed, has_lines=not LINES.keys().isdisjoint(self.source_options))

    @contextmanager
    def living(self) -> Iterator[bool]:
        """Let the invented home tell its power while the block runs, unless another process does; yield whether."""
        from watthour.simulation.living import CHANNEL_OF, HEARTBEAT_S, LivingHome
        from watthour.workflows.links import Link
        from watthour.workflows.listening import Listener
        from watthour.workflows.stand_in import FixedLinks

        links = {key: Link(channel, key, HEARTBEAT_S) for key, channel in CHANNEL_OF.items()}
        listener = Listener(self.store, [LivingHome(self.simtown_home)], FixedLinks(self.settings.home, links))
        with working(self.settings.home / "simulating.lock", lambda: listener) as is_ours:
            yield is_ours

    def archives(self) -> list[Archive]:
        """Return the lines that can be asked for the past, not opened yet; none where the settings name none.

        Raises:
            MissingExtra: a library that one of them needs is not installed.
            NotConfigured: one of them lacks a token.
        """
        from watthour.core.ports import Archive
        from watthour.sources.lines import open_lines

        lines = open_lines(self.source_options, client_id=client_id(self.settings.home), is_passing=True)
        return [line for line in lines if isinstance(line, Archive)]

    def finder(self) -> Listener:
        """Return a listener that keeps nothing, to find what there is beside one that listens.

        Raises:
            MissingExtra: a library that one of the lines needs is not installed.
        """
        from watthour.sources.lines import open_lines
        from watthour.workflows.listening import Listener

        lines = open_lines(self.source_options, client_id=passing_id(), is_passing=True)
        return Listener(self.store, lines, self.links, is_only_looking=True)
