"""What is opened once per process: the store, the registry, the directories of sites, and the files of the home."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from watthour.core.directory import SiteDirectory
    from watthour.core.forecast import Context
    from watthour.core.ports import ModelRegistry, Store
    from watthour.nilm.serve import ServedNetwork
    from watthour.settings import Settings
    from watthour.workflows.comparison_process import Comparisons
    from watthour.workflows.equipment import EquipmentFile
    from watthour.workflows.home_plan import HomePlanner
    from watthour.workflows.kept_files import KeptFiles
    from watthour.workflows.kept_tariffs import Tariffs
    from watthour.workflows.links import Links
    from watthour.workflows.news import News
    from watthour.workflows.training_process import Trainings


def _news() -> News:
    from watthour.workflows.news import News

    return News()


@dataclass(frozen=True)
class Opened:
    """The store, the models and the files of one home."""

    settings: Settings
    store: Store
    registry: ModelRegistry
    news: News = field(default_factory=_news)  # of what this process keeps, where the store tells it

    @cached_property
    def directories(self) -> tuple[SiteDirectory, ...]:
        """The sites that are known before any reading of them; the first that knows a name decides."""
        return site_directories()

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
    def kept_files(self) -> KeptFiles:
        """What is kept of sites beside the store, to be removed with them."""
        from watthour.workflows.kept_files import KeptFiles

        return KeptFiles(self.tariffs, self.equipment_file, self.links)

    @cached_property
    def appliance_network(self) -> ServedNetwork:
        """Who tells appliances from the mains: the network that comes with Watthour."""
        from watthour.nilm.serve import ServedNetwork
        from watthour.nilm.shipped import shipped_files

        return ServedNetwork.from_files(shipped_files())

    @cached_property
    def planner(self) -> HomePlanner:
        """Who makes and keeps the plans of homes."""
        from watthour.workflows.home_ahead import Sources
        from watthour.workflows.home_plan import HomePlanner

        sources = Sources(self.store, self.registry, self.directories, self.tariffs)
        return HomePlanner(sources, self.equipment_file, self.settings.home)

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

    def close(self) -> None:
        """Give the store back."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def site_directories() -> tuple[SiteDirectory, ...]:
    """Return who knows sites before any reading: the grid's regions and zones, the connectors, the simulation."""
    from watthour.grid.regions import Regions
    from watthour.grid.zones import BiddingZones
    from watthour.simulation.simtown import Simulation
    from watthour.sources.connectors import ConnectorSites

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
