"""The only place that names adapters: settings go in, ports come out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from watthour.core.ports import ModelRegistry, Source, Store
    from watthour.core.region import Region
    from watthour.settings import Settings


@dataclass(frozen=True, slots=True)
class App:
    """Everything a person's request needs, opened once per process."""

    settings: Settings
    store: Store
    registry: ModelRegistry

    def close(self) -> None:
        """Give the store back."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_app(settings: Settings) -> App:
    """Open the store and the registry that the settings name.

    Raises:
        StoreError: the store cannot be opened.
        MissingExtra: the settings name an adapter that is not installed.
    """
    return App(settings, open_store(settings), open_registry(settings))


def open_store(settings: Settings) -> Store:
    """Open the store: PostgreSQL by ``DATABASE_URL``, else SQLite in the home."""
    from watthour.store import sql  # noqa: PLC0415 - SQLAlchemy is not needed by commands without a store

    settings.home.mkdir(parents=True, exist_ok=True)
    return sql.open_store(settings.store_url())


def open_registry(settings: Settings) -> ModelRegistry:
    """Open the model registry: MLflow by ``MLFLOW_TRACKING_URI``, else a directory in the home."""
    if settings.mlflow_tracking_uri is not None:
        from watthour.registry.mlflow import MlflowRegistry  # noqa: PLC0415 - an extra, and slow to import

        return MlflowRegistry(settings.mlflow_tracking_uri.get_secret_value(), artifacts=settings.home / "mlflow")
    from watthour.registry.files import FileRegistry  # noqa: PLC0415 - only one of the two is needed

    return FileRegistry(settings.home / "models")


def sources_for(region: Region, settings: Settings) -> list[Source]:
    """Return what can be asked for a region's readings and forecasts, given the settings."""
    raise NotImplementedError
