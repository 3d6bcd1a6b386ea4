"""The only place that names adapters: settings go in, ports come out."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import ModelRegistry, Source, Store
    from watthour.core.region import Region
    from watthour.core.window import Window
    from watthour.settings import Settings

FIRST_PAST = timedelta(days=2 * 366)  # a followed region begins with two years, enough for a first model
SIMULATED_PAST = timedelta(days=400)

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
    """Return what can be asked for a region's readings and forecasts, given the settings.

    Raises:
        NotConfigured: the region is real and no key of EIA is set.
    """
    if region.is_simulated:
        from watthour.simulation.town import SimulatedRegion  # noqa: PLC0415 - only where nothing real is followed

        return [SimulatedRegion(region)]
    raise NotImplementedError


def simulated_region() -> Region:
    """Return the region that is shown while nothing real is there."""
    from watthour.core.region import SIMTOWN  # noqa: PLC0415 - polars is slow to import

    return SIMTOWN


def first_window(region: Region, now: datetime) -> Window:
    """Return the past that a followed region should have from the start."""
    from watthour.core.window import Window  # noqa: PLC0415 - as above

    return Window(now - (SIMULATED_PAST if region.is_simulated else FIRST_PAST), now)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a person says of a table that cannot say it itself."""

    channel: str | None = None
    unit: str | None = None
    time_zone: str | None = None
    time_column: str | None = None
    value_column: str | None = None
    named_by: str = "start"


def file_sources(path: Path, region: str | None, options: TableOptions) -> list[tuple[Source, Window]]:
    """Return what a file, or each file of a directory, holds, and the window that covers it.

    Raises:
        InvalidInput: no such file, or none of the known layouts and no channel named.
    """
    if path.is_dir():
        found = [entry for file in sorted(path.iterdir()) if file.is_file() for entry in _known_layout(file, region)]
        if not found:
            raise InvalidInput(
                "path",
                str(path),
                "no file in this directory has a known layout",
                remedy="Name a single table with --channel and --unit.",
            )
        return found
    if not path.is_file():
        raise InvalidInput("path", str(path), "there is no such file", remedy="Check the path.")
    if options.channel is not None:
        return [_any_table(path, region, options)]
    found = _known_layout(path, region)
    if not found:
        raise InvalidInput(
            "path",
            str(path),
            "the file has none of the known layouts",
            remedy="For any other table say --channel and --unit, and --time-zone where its times have none.",
        )
    return found


def configure_logging(settings: Settings) -> Any:  # noqa: ANN401 - structlog's loggers have no common type
    """Set up structured logs once: JSON for machines, coloured text on a terminal; other libraries' logs join in."""
    import structlog  # noqa: PLC0415 - only long-running processes log

    as_json = settings.log_format == "json" or (settings.log_format == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("apscheduler", "httpx2", "httpcore", "alembic", "uvicorn.error"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return structlog.get_logger("watthour")


def _known_layout(file: Path, region: str | None) -> list[tuple[Source, Window]]:
    raise NotImplementedError


def _any_table(path: Path, region: str | None, options: TableOptions) -> tuple[Source, Window]:
    raise NotImplementedError
