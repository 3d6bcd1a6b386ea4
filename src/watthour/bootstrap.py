"""The only place that names adapters: settings go in, ports come out."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from watthour.core.channel import SiteKind
from watthour.core.errors import InvalidInput, NotConfigured, UnknownSite
from watthour.sources.catalogue import CATALOGUE, LINES, Card, addable, connector, options_class
from watthour.sources.connectors import Connectors, ConnectorSites, RenewedConnectors
from watthour.sources.device_events import DeviceUses, is_device_events, read_device_events
from watthour.sources.files import file_sources, preview, unknown_files
from watthour.sources.own import (
    HIDDEN,
    OwnSources,
    address_of,
    check_is_near,
    check_unset,
    checked_source,
    field_type,
    is_secret,
    joined,
)
from watthour.sources.polling import PolledOptions
from watthour.sources.previews import Preview
from watthour.sources.table_channels import Known
from watthour.sources.table_options import TableOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from watthour.core.bulletin import Bulletin, Order
    from watthour.core.directory import SiteDirectory
    from watthour.core.forecast import Context
    from watthour.core.ports import Archive, Gazetteer, ModelRegistry, Sink, Source, Store, Subscription
    from watthour.core.window import Window
    from watthour.settings import Settings, SiteBlock
    from watthour.simulation.simtown_home import SimtownHome
    from watthour.sources.options import Options
    from watthour.workflows.comparison_process import Comparisons
    from watthour.workflows.equipment import EquipmentFile
    from watthour.workflows.forward import Forwarder
    from watthour.workflows.home_bulletin import Desk
    from watthour.workflows.home_plan import HomePlanner
    from watthour.workflows.kept_tariffs import Tariffs
    from watthour.workflows.links import Links
    from watthour.workflows.listening import Listener
    from watthour.workflows.news import News
    from watthour.workflows.recall_task import Recalls
    from watthour.workflows.runs import Fill
    from watthour.workflows.saved_so_far import SavedSoFar
    from watthour.workflows.settling import Settler
    from watthour.workflows.stand_in import StandInHome
    from watthour.workflows.telling import Teller
    from watthour.workflows.training_process import Trainings
    from watthour.workflows.trying import Asked, Tried
    from watthour.workflows.view.sources import SetSource

__all__ = [
    "App",
    "DeviceUses",
    "Preview",
    "TableOptions",
    "kinds_of_sources",
    "open_app",
    "open_registry",
    "open_store",
    "site_directories",
]

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


def _news() -> News:
    from watthour.workflows.news import News

    return News()


@dataclass(frozen=True)
class App:
    """Everything a person's request needs, opened once per process."""

    settings: Settings
    store: Store
    registry: ModelRegistry
    news: News = field(default_factory=_news)  # of what this process keeps, where the store tells it

    @cached_property
    def directories(self) -> tuple[SiteDirectory, ...]:
        """The sites that are known before any reading of them; the first that knows a name decides."""
        return site_directories()

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
    def trainings(self) -> Trainings:
        """The trainings that this process has begun."""
        from watthour.workflows.training_process import Trainings

        return Trainings(self.settings.home)

    @cached_property
    def comparisons(self) -> Comparisons:
        """The comparisons of models that this process has begun."""
        from watthour.workflows.comparison_process import Comparisons

        return Comparisons(self.settings.home)

    @cached_property
    def links(self) -> Links:
        """Which thing fills which channel."""
        from watthour.workflows.links import Links

        return Links(self.settings.home)

    @cached_property
    def tariffs(self) -> Tariffs:
        """What energy costs in each home."""
        from watthour.workflows.kept_tariffs import Tariffs

        return Tariffs(self.settings.home)

    @cached_property
    def equipment_file(self) -> EquipmentFile:
        """What each home has that can be shifted."""
        from watthour.workflows.equipment import EquipmentFile

        return EquipmentFile(self.settings.home)

    @cached_property
    def planner(self) -> HomePlanner:
        """Who makes and keeps the plans of homes."""
        from watthour.workflows.home_ahead import Sources
        from watthour.workflows.home_plan import HomePlanner

        sources = Sources(self.store, self.registry, self.directories, self.tariffs)
        return HomePlanner(sources, self.equipment_file, self.settings.home)

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

        lines = Lines(lambda: self.source_options, client_id=_client_id(self.settings.home))
        return Listener(self.store, lines.now(), self.links, settler=self.settler, renewed=lines.now)

    @contextmanager
    def listening(self) -> Iterator[bool]:
        """Listen while the block runs, unless another process does; yield whether there is anything to hear yet.

        A source that is added meanwhile is heard within seconds.

        Raises:
            MissingExtra: a library that one of the lines needs is not installed.
        """
        from watthour.core.lock import locked_if_free

        with locked_if_free(self.settings.home / "listening.lock") as is_ours:
            if is_ours:
                self.listener.start()
            try:
                yield is_ours and bool(self.listener.states)
            finally:
                if is_ours:
                    self.listener.stop()

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
        from watthour.core.lock import locked_if_free

        if (forwarder := self.forwarder) is None:
            yield False
            return
        with locked_if_free(self.settings.home / "forwarding.lock") as is_ours:
            end = self.news.add(forwarder) if is_ours else None
            if is_ours:
                forwarder.start()
            try:
                yield is_ours
            finally:
                if end is not None:
                    end()
                    forwarder.stop()

    @cached_property
    def teller(self) -> Teller:
        """Who tells others of the homes, where they are to be told; see `telling`."""
        from watthour.sources.boards import Boards
        from watthour.workflows.telling import Teller

        home = self.settings.home
        boards = Boards(lambda: self.source_options, client_id=_client_id(home), home=home)
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
        from watthour.core.lock import locked_if_free

        with locked_if_free(self.settings.home / "telling.lock") as is_ours:
            if is_ours:
                self.teller.start()
            try:
                yield is_ours
            finally:
                if is_ours:
                    self.teller.stop()

    @property
    def stand_in_home(self) -> StandInHome:
        """The invented home that is shown beside the invented region."""
        return self.simtown_home

    @cached_property
    def simtown_home(self) -> SimtownHome:
        """The same, as it lives: most of its runs begin as its plans say."""
        from watthour.simulation.simtown_home import HOME, PlannedBegin, SimtownHome
        from watthour.workflows.stand_in import runs_of_plans

        def begins(day: Window) -> dict[str, PlannedBegin]:
            runs = runs_of_plans(self.store, HOME.id, day)
            return {str(each.device): PlannedBegin(each.begins, each.is_accepted) for each in runs if each.begins}

        return SimtownHome(plans=begins)

    def wants_stand_in_home(self, followed: Sequence[Context]) -> bool:
        """Tell whether the invented home is shown beside the sites that are followed."""
        from watthour.workflows.stand_in import is_wanted

        return is_wanted(self.store, followed, has_lines=not LINES.keys().isdisjoint(self.source_options))

    @contextmanager
    def living(self) -> Iterator[bool]:
        """Let the invented home tell its power while the block runs, unless another process does; yield whether."""
        from watthour.core.lock import locked_if_free
        from watthour.simulation.living import CHANNEL_OF, HEARTBEAT_S, LivingHome
        from watthour.workflows.links import Link
        from watthour.workflows.listening import Listener
        from watthour.workflows.stand_in import FixedLinks

        links = {key: Link(channel, key, HEARTBEAT_S) for key, channel in CHANNEL_OF.items()}
        with locked_if_free(self.settings.home / "simulating.lock") as is_ours:
            listener = Listener(self.store, [LivingHome(self.simtown_home)], FixedLinks(self.settings.home, links))
            if is_ours:
                listener.start()
            try:
                yield is_ours
            finally:
                if is_ours:
                    listener.stop()

    def archives(self) -> list[Archive]:
        """Return the lines that can be asked for the past, not opened yet; none where the settings name none.

        Raises:
            MissingExtra: a library that one of them needs is not installed.
            NotConfigured: one of them lacks a token.
        """
        from watthour.core.ports import Archive
        from watthour.sources.lines import open_lines

        lines = open_lines(self.source_options, client_id=_client_id(self.settings.home), is_passing=True)
        return [line for line in lines if isinstance(line, Archive)]

    def finder(self) -> Listener:
        """Return a listener that keeps nothing, to find what there is beside one that listens.

        Raises:
            MissingExtra: a library that one of the lines needs is not installed.
        """
        from watthour.sources.lines import open_lines
        from watthour.workflows.listening import Listener

        lines = open_lines(self.source_options, client_id=_passing_id(), is_passing=True)
        return Listener(self.store, lines, self.links, is_only_looking=True)

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
            return open_lines({kind: options}, client_id=_passing_id(), is_passing=True)
        except NotConfigured as error:
            secret = next(ask.option for ask in addable()[kind].asks if is_secret(type(options), ask.option))
            problem = error.problem.partition(": ")[2]
            raise InvalidInput(secret, HIDDEN, problem, remedy=error.remedy) from None

    def _checked_source(self, kind: str, said: Mapping[str, object]) -> Options:
        options = checked_source(kind, said)
        check_unset(kind, options, self.settings.sources)
        check_is_near(kind, options)
        return options

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """Who knows where towns are."""
        from watthour.sources.geocoding import OpenMeteoGazetteer
        from watthour.sources.open_meteo import OpenMeteoOptions

        options = self.source_options.get("open_meteo")
        return OpenMeteoGazetteer(options if isinstance(options, OpenMeteoOptions) else OpenMeteoOptions())

    def find(self, name: str) -> Context | None:
        """Return what is forecast of the site of this name, None where nobody knows it."""
        from watthour.workflows.sites import find_context

        try:
            return find_context(self.store, self.directories, name)
        except InvalidInput:  # unknown, or a site of several channels: nothing is forecast of it by itself
            return None

    def near(self, name: str) -> list[str]:
        """Return the ids of sites whose names are like this one."""
        return list(dict.fromkeys(found for each in self.directories for found in each.near(name)))[:3]

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

    def file_sources(
        self,
        path: Path,
        region: str | None,
        options: TableOptions,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> list[tuple[Source, Window]]:
        """Return what a file, or each file of a directory, holds, and the window that covers it.

        ``progress`` is told how many bytes more of a long table were read.

        Raises:
            InvalidInput: no such file, none of the known layouts and no channel named, or nobody knows the site.
        """
        return file_sources(path, region, _with_calendar(options), self._known(), progress=progress)

    def preview(
        self, path: Path, region: str | None, options: TableOptions, *, is_sample: bool = False
    ) -> Preview | None:
        """Return what is understood of a table before it is kept; None where the file has a known layout.

        Args:
            path: of the file.
            region: of the file, if it does not name it.
            options: what a person says of it.
            is_sample: the beginning of a large file is enough.

        Raises:
            InvalidInput: no such file, not a table, or something that was said cannot be.
        """
        return preview(path, region, _with_calendar(options), self._known(), is_sample=is_sample)

    def unknown_files(self, directory: Path, region: str | None) -> list[str]:
        """Return the names of the files in a directory that ``file_sources`` leaves aside."""
        return unknown_files(directory, region, self._known())

    def device_uses(self, path: Path, home: str | None, *, now: datetime) -> DeviceUses | None:
        """Return the uses of devices that a file tells; None where it is no table of them.

        Raises:
            UnknownSite: there is no such home.
            InvalidInput: it is not said which home it is, or the file cannot be read.
        """
        from watthour.workflows.homes import home_named

        if not is_device_events(path):
            return None
        if home is None:
            problem = "it tells uses of devices, and it is not said of which home"
            remedy = "Name the home with --home (`site` over HTTP); `watthour home add` adds one."
            raise InvalidInput("site", None, problem, remedy=remedy)
        return read_device_events(path, home_named(self.store, home), now=now)

    def _known(self) -> Known:
        return Known(self.find, self.store.sites(), self.store.channels(), self.near)

    def close(self) -> None:
        """Give the store back."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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


def _client_id(home: Path) -> str:
    """Return the name by which a broker knows this installation again: the same at every start."""
    from hashlib import sha256
    from socket import gethostname

    return f"watthour-{sha256(f'{gethostname()}:{home}'.encode()).hexdigest()[:12]}"


def _passing_id() -> str:
    """Return a name for a broker that shall not know us again."""
    from uuid import uuid4

    return f"watthour-{uuid4().hex[:12]}"


def _with_calendar(options: TableOptions) -> TableOptions:
    """Return the options with a calendar of holidays that exists.

    Raises:
        InvalidInput: there is no such calendar.
    """
    if options.holidays is None:
        return options
    from watthour.forecasting.holiday_calendars import checked_calendar

    return replace(options, holidays=checked_calendar(options.holidays))


def open_app(settings: Settings) -> App:
    """Open the store and the registry that the settings name.

    Raises:
        UnknownSite: the settings name a region that neither the store nor any directory knows.
        InvalidInput: a site that the settings describe cannot be.
        StoreError: the store cannot be opened.
        MissingExtra: the settings name an adapter that is not installed.
    """
    from watthour.store.telling import TellingStore

    news = _news()
    store = cast("Store", TellingStore(open_store(settings), news.tell))
    app = App(settings, store, open_registry(settings), news)
    try:
        for name, block in settings.sites.items():
            _settle(app, name, block)
        _check_regions(app)
    except BaseException:
        app.close()
        raise
    return app


def _check_regions(app: App) -> None:
    from watthour.workflows.sites import find_context

    for name in app.settings.regions:
        try:
            find_context(app.store, app.directories, name)
        except UnknownSite:
            raise
        except InvalidInput:  # a site that is known and has no readings yet
            continue


def _settle(app: App, name: str, block: SiteBlock) -> None:
    """Let the store hold a site as the settings describe it."""
    from watthour.core.place import Point
    from watthour.workflows.own_sites import SiteWords, channel_words, settle_site

    said = block.model_dump(exclude={"points", "channels", "name"})
    try:
        points = [Point(**point.model_dump()) for point in block.points]
        channels = [channel_words(text) for text in block.channels]
        words = SiteWords(block.name or name, **said, id=name, points=points, channels=channels)
        settle_site(app.store, app.directories, words)
    except InvalidInput as error:
        problem = error.problem.removeprefix(f"{error.field} = {error.value!r}: ")
        raise InvalidInput(f"sites.{name}.{error.field}", error.value, problem, remedy=error.remedy) from error


def site_directories() -> tuple[SiteDirectory, ...]:
    """Return who knows sites before any reading: the grid's regions and zones, the connectors, the simulation."""
    from watthour.grid.regions import Regions
    from watthour.grid.zones import BiddingZones
    from watthour.simulation.simtown import Simulation

    return (Regions(), BiddingZones(), ConnectorSites(), Simulation())


def open_store(settings: Settings) -> Store:
    """Open the store: PostgreSQL by ``DATABASE_URL``, else SQLite in the home."""
    from watthour.store import sql

    settings.home.mkdir(parents=True, exist_ok=True)
    return sql.open_store(settings.store_url())


def open_registry(settings: Settings) -> ModelRegistry:
    """Open the model registry: MLflow by ``MLFLOW_TRACKING_URI``, else a directory in the home."""
    if settings.mlflow_tracking_uri is not None:
        from watthour.registry.mlflow import MlflowRegistry

        return MlflowRegistry(settings.mlflow_tracking_uri.get_secret_value(), artifacts=settings.home / "mlflow")
    from watthour.registry.files import FileRegistry

    return FileRegistry(settings.home / "models")
