"""What is told others while a process runs: a second database, and whoever shows the homes."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from watthour.bootstrap.locks import client_id, working
from watthour.bootstrap.sources import AskedSources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from watthour.core.bulletin import Bulletin, Order
    from watthour.core.ports import Sink
    from watthour.workflows.forward import Forwarder
    from watthour.workflows.home_bulletin import Desk
    from watthour.workflows.saved_so_far import SavedSoFar
    from watthour.workflows.telling import Teller


@dataclass(frozen=True)
class Sinks(AskedSources):
    """Who writes to others what this process keeps."""

    @cached_property
    def sink(self) -> Sink | None:
        """The database beside the store that readings are written to as well; None where none is set.

        Raises:
            NotConfigured: its token is a placeholder.
        """
        from watthour.sources.options import require_key
        from watthour.store.influxdb import InfluxdbSink

        settings, token = self.settings, self.settings.influxdb_sink_token
        if settings.influxdb_sink_url is None:
            return None
        remedy = "Make one that may write the database with: influxdb3 create token"
        key = None if token is None else require_key(token, name="WATTHOUR_INFLUXDB_SINK_TOKEN", remedy=remedy)
        return InfluxdbSink(settings.influxdb_sink_url, settings.influxdb_sink_database, key)

    @cached_property
    def forwarder(self) -> Forwarder | None:
        """Who writes there; None where no database is set."""
        from watthour.workflows.forward import Forwarder

        if self.sink is None:
            return None
        marks = self.settings.home / "influxdb_sink.json"
        return Forwarder(self.store, self.sink, self.settings.influxdb_sink_channels, marks)

    @contextmanager
    def forwarding(self) -> Iterator[bool]:
        """Write readings to the database beside the store while the block runs, unless another process does."""
        if (forwarder := self.forwarder) is None:
            yield False
            return
        with ExitStack() as at_end:

            def with_news() -> Forwarder:
                at_end.callback(self.news.add(forwarder))
                return forwarder

            with working(self.settings.home / "forwarding.lock", with_news) as is_ours:
                yield is_ours

    @cached_property
    def teller(self) -> Teller:
        """Who tells others of the homes, where they are to be told; see `telling`."""
        from watthour.sources.boards import Boards
        from watthour.workflows.telling import Teller

        home = self.settings.home
        boards = Boards(lambda: self.source_options, client_id=client_id(home), home=home)
        return Teller(boards.now, self.bulletins, self.decide, self.store)

    @property
    def is_announcing(self) -> bool:
        """Whether the settings say that others are told of the homes."""
        from watthour.sources.boards import is_wanted

        return is_wanted(self.source_options)

    @property
    def desk(self) -> Desk:
        """What bulletins of homes are written from."""
        from watthour.workflows.home_bulletin import Desk

        return Desk(self.store, self.registry, self.tariffs, self.planner, self._saved)

    @cached_property
    def _saved(self) -> SavedSoFar:
        """What plans have saved this month, as bulletins tell it."""
        from watthour.workflows.saved_so_far import SavedSoFar

        return SavedSoFar(self.store, self.tariffs, self.equipment_file)

    def bulletins(self, now: datetime) -> list[Bulletin]:
        """Return what is told others of each home.

        Raises:
            StoreError: the store cannot be read.
        """
        from watthour.workflows.home_bulletin import home_bulletin, real_homes

        return [home_bulletin(self.desk, home, now=now) for home in real_homes(self.store)]

    def decide(self, order: Order) -> None:
        """Carry out what a person decided about a run of a home, wherever it was said.

        Raises:
            UnknownName: there is no such home, or the plan in force has no such run.
            InvalidInput: it has begun, or is over.
        """
        from datetime import UTC, datetime

        from watthour.workflows.homes import home_named

        self.planner.decide(home_named(self.store, order.home), order.run, order.decision, now=datetime.now(UTC))

    @contextmanager
    def telling(self) -> Iterator[bool]:
        """Tell others of the homes while the block runs, unless another process does; yield whether we may.

        What is set up meanwhile is told within seconds.
        """
        with working(self.settings.home / "telling.lock", lambda: self.teller) as is_ours:
            yield is_ours
