"""The only place that names adapters: settings go in, ports come out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from watthour.core.channel import Channel
    from watthour.core.ports import ModelRegistry, Source, Store
    from watthour.core.region import Region
    from watthour.core.units import Unit
    from watthour.core.window import Window
    from watthour.settings import Settings
    from watthour.sources.http import Door

FIRST_PAST = timedelta(days=2 * 366)  # a followed region begins with two years, enough for a first model
SIMULATED_PAST = timedelta(days=400)
FOLLOWED = ("simulation", "eia", "eia_fuel_mix", "open_meteo_forecast", "nyiso")  # asked regularly
PAST = ("simulation", "eia", "eia_fuel_mix", "open_meteo_previous_runs")  # asked once for the years before
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


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
        UnknownRegion: the settings name a region that does not exist.
        StoreError: the store cannot be opened.
        MissingExtra: the settings name an adapter that is not installed.
    """
    from watthour.core.region import find_region  # noqa: PLC0415 - polars is slow to import

    for name in settings.regions:
        find_region(name)
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
    """Return what is asked regularly for a followed region.

    Raises:
        NotConfigured: the region is real and no key of EIA is set.
    """
    adapters = _adapters(region, settings)
    return [adapters[name]() for name in FOLLOWED if name in adapters]


def past_sources(region: Region, settings: Settings, name: str | None = None) -> list[Source]:
    """Return what is asked for a region's past: all that a model learns from, or the one source that is named.

    Raises:
        NotConfigured: EIA is among them and no key of it is set.
        InvalidInput: the region has no source of this name.
    """
    adapters = _adapters(region, settings)
    if name is None:
        return [adapters[each]() for each in PAST if each in adapters]
    if name not in adapters:
        from watthour.core.errors import InvalidInput  # noqa: PLC0415 - only for the message

        raise InvalidInput(
            "source", name, f"{region.name} has no such source", remedy=f"It has: {', '.join(adapters)}."
        )
    return [adapters[name]()]


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
    from watthour.core.errors import InvalidInput  # noqa: PLC0415 - kept with the adapters

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


def unknown_files(directory: Path, region: str | None) -> list[str]:
    """Return the names of the files in a directory that ``file_sources`` leaves aside."""
    if not directory.is_dir():
        return []
    return [path.name for path in sorted(directory.iterdir()) if path.is_file() and not _known_layout(path, region)]


def _adapters(region: Region, settings: Settings) -> dict[str, Callable[[], Source]]:
    """Return how to build each source of a region, by name."""
    if region.is_simulated:
        from watthour.simulation.town import SimulatedRegion  # noqa: PLC0415 - only where nothing real is followed

        return {"simulation": lambda: SimulatedRegion(region)}
    from watthour.sources import eia, eia_bulk, nyiso, open_meteo  # noqa: PLC0415 - adapters come when needed
    from watthour.sources.http import Pace  # noqa: PLC0415 - as above

    def door() -> Door:
        return eia.open_door(settings.require_eia_key(), base_url=settings.eia_url or eia.BASE_URL, pace=pace)

    pace = Pace(1.0)  # EIA's two routes share its limit
    weather = open_meteo.open_doors(base_url=settings.open_meteo_url)
    adapters: dict[str, Callable[[], Source]] = {
        "eia": lambda: eia.Eia(region, door()),
        "eia_fuel_mix": lambda: eia.EiaFuelMix(region, door()),
        "eia_bulk": lambda: eia_bulk.EiaBulk(
            region, door=eia_bulk.open_door(base_url=settings.eia_bulk_url or eia_bulk.BASE_URL)
        ),
        "open_meteo_forecast": lambda: open_meteo.OpenMeteoForecast(region, weather),
        "open_meteo_previous_runs": lambda: open_meteo.OpenMeteoPreviousRuns(region, weather),
        "open_meteo_archive": lambda: open_meteo.OpenMeteoArchive(region, weather),
        "open_meteo_single_runs": lambda: open_meteo.OpenMeteoSingleRuns(region, weather),
    }
    if region.eia_respondent == "NYIS":
        adapters["nyiso"] = lambda: nyiso.Nyiso(nyiso.open_door(base_url=settings.nyiso_url or nyiso.BASE_URL))
    return adapters


def _known_layout(file: Path, region: str | None) -> list[tuple[Source, Window]]:
    """Return what a file of a known layout holds; nothing for any other file."""
    from watthour.core.region import find_region  # noqa: PLC0415 - polars is slow to import
    from watthour.sources import datasets, eia_bulk  # noqa: PLC0415 - adapters come when they are needed

    place = find_region(region) if region else None
    if file.name.upper().startswith("EIA930_BALANCE"):
        places = [place] if place else eia_bulk.regions_in(file)
        balances = [eia_bulk.EiaBulk(each, (file,)) for each in places]
        return [(balance, balance.span()) for balance in balances]
    return [(table, table.span()) for table in datasets.recognise(file, place)]


def _any_table(path: Path, region: str | None, options: TableOptions) -> tuple[Source, Window]:
    """Return a table as the one channel that a person says it is, with the window of its readable rows."""
    from watthour.core.errors import InvalidInput  # noqa: PLC0415 - kept with the adapters
    from watthour.core.region import find_region  # noqa: PLC0415 - polars is slow to import
    from watthour.core.window import HOUR, Window  # noqa: PLC0415 - as above
    from watthour.sources.csv import CsvSource, Mapping  # noqa: PLC0415 - adapters come when they are needed

    named = options.channel or ""
    place = find_region(region or named.removeprefix("grid.").partition(".")[0])
    known = {channel.id: channel for channel in (*place.weather_channels(), place.energy_channel())}
    prefix = f"grid.{place.id}."
    if named in known:
        channel = known[named]
    elif named.startswith(prefix) and not named.startswith(f"{prefix}weather."):
        channel = place.energy_channel(named.removeprefix(prefix))
    else:
        remedy = f"A channel of {place.name} begins with {prefix}, such as {place.demand}."
        raise InvalidInput("channel", named, "there is no such channel", remedy=remedy)
    if options.named_by not in ("start", "end"):
        raise InvalidInput("named_by", options.named_by, "times name a start or an end", remedy="Say start or end.")
    mapping = Mapping(
        _unit(options.unit, channel),
        options.time_column,
        options.value_column,
        options.time_zone,
        "end" if options.named_by == "end" else "start",
    )
    source = CsvSource(path, place.site(), channel, mapping)
    times = source.fetch(Window(EARLIEST, LATEST), now=LATEST).readings["time"]
    # With no readable row at all the whole of time is asked, so that every refused row is kept with its reason.
    window = Window(times.min(), times.max() + HOUR) if times.len() else Window(EARLIEST, LATEST)  # type: ignore[operator,arg-type]  # instants
    return source, window


def _unit(name: str | None, channel: Channel) -> Unit:
    from watthour.core.errors import InvalidInput  # noqa: PLC0415 - kept with the adapters
    from watthour.core.units import Unit  # noqa: PLC0415 - as above

    by_name = {str(unit).casefold(): unit for unit in Unit}
    if name is None or name.casefold() not in by_name:
        problem = "the file cannot say its unit" if name is None else "there is no such unit"
        remedy = f"Name it with --unit; {channel.id} is kept in {channel.unit}. Units: {', '.join(Unit)}."
        raise InvalidInput("unit", name, problem, remedy=remedy)
    return by_name[name.casefold()]
