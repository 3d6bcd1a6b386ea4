"""Files at hand: which source reads a file, by its layout or by what a person says of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watthour.core.channel import Channel, Limits, Site, SiteKind, home_limits
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.forecast import check_fits_clock
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit, conversion, units_of
from watthour.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta
    from pathlib import Path

    import polars as pl

    from watthour.core.forecast import Context
    from watthour.core.ports import Source
    from watthour.sources.csv import Mapping

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_FEWEST_TIMES = 3  # of a file that shows its step
_WHOLE_SITE = 3  # words of the id of a site's main channel, such as home.main.power
_KINDS = {"home": SiteKind.HOME, "grid": SiteKind.REGION}  # by the first word of a channel's id


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a person says of a table that cannot say it itself."""

    channel: str | None = None
    unit: str | None = None
    time_zone: str | None = None
    time_column: str | None = None
    value_column: str | None = None
    named_by: str = "start"


@dataclass(frozen=True, slots=True)
class Known:
    """The sites and channels that are known when a file is read."""

    find: Callable[[str], Context | None]  # what is forecast of the site of a name
    sites: Sequence[Site] = ()
    channels: Sequence[Channel] = ()
    near: Callable[[str], Sequence[str]] = lambda _name: ()  # sites whose names are like this one

    def context(self, name: str) -> Context:
        """Return what is forecast of a site.

        Raises:
            UnknownSite: nothing goes by this name.
        """
        if (context := self.find(name)) is None:
            raise UnknownSite(name, self.near(name))
        return context


def file_sources(path: Path, region: str | None, options: TableOptions, known: Known) -> list[tuple[Source, Window]]:
    """Return what a file, or each file of a directory, holds, and the window that covers it.

    Raises:
        InvalidInput: no such file, or none of the known layouts and no channel named.
    """
    if path.is_dir():
        found = [each for file in sorted(path.iterdir()) if file.is_file() for each in _by_layout(file, region, known)]
        if not found:
            problem = "no file in this directory has a known layout"
            remedy = "Name a single table with --channel and --unit."
            raise InvalidInput("path", str(path), problem, remedy=remedy)
        return found
    if not path.is_file():
        raise InvalidInput("path", str(path), "there is no such file", remedy="Check the path.")
    if options.channel is not None:
        return [_any_table(path, region, options, known)]
    found = _by_layout(path, region, known)
    if not found:
        remedy = "For any other table say --channel and --unit, and --time-zone where its times have none."
        raise InvalidInput("path", str(path), "the file has none of the known layouts", remedy=remedy)
    return found


def unknown_files(directory: Path, region: str | None, known: Known) -> list[str]:
    """Return the names of the files in a directory that ``file_sources`` leaves aside."""
    if not directory.is_dir():
        return []
    return [path.name for path in sorted(directory.iterdir()) if path.is_file() and not _by_layout(path, region, known)]


def _by_layout(file: Path, region: str | None, known: Known) -> list[tuple[Source, Window]]:
    """Return what a file of a known layout holds; nothing for any other file."""
    from watthour.sources import datasets, eia_bulk

    context = known.context(region) if region else None
    if not file.name.upper().startswith("EIA930_BALANCE"):
        return [(table, table.span()) for table in datasets.recognise(file, context, find=known.find)]
    if context is not None:
        contexts = [context]
    else:
        found = {code: known.find(code) for code in eia_bulk.respondents_in(file)}
        contexts = [each for code, each in found.items() if each is not None and each.site.code("eia") == code]
    balances = [eia_bulk.EiaBulk(each, paths=(file,)) for each in sorted(contexts, key=lambda each: each.site.id)]
    return [(balance, balance.span()) for balance in balances]


def _any_table(path: Path, region: str | None, options: TableOptions, known: Known) -> tuple[Source, Window]:
    """Return a table as the one channel that a person says it is, with the window of its readable rows."""
    from watthour.sources.csv import CsvSource, Mapping

    if options.named_by not in ("start", "end"):
        raise InvalidInput("named_by", options.named_by, "times name a start or an end", remedy="Say start or end.")
    site, channel = _known_channel(options, region, known)
    mapping = Mapping(
        _unit(options.unit, channel),
        options.time_column,
        options.value_column,
        options.time_zone,
        "end" if options.named_by == "end" else "start",
    )
    step = _step(path, mapping)
    if channel is None:
        channel = _new_channel(str(options.channel), site, mapping.unit, step, known)
    elif step is not None and step != channel.resolution:
        problem = f"its rows are {_minutes(step)} apart, and {channel.id} has a step of {_minutes(channel.resolution)}"
        raise InvalidInput("file", path.name, problem, remedy="Resample it, or name another channel.")
    source = CsvSource(path, site, channel, mapping)
    times = source.fetch(Window(EARLIEST, LATEST), now=LATEST).readings["time"]
    if not times.len():  # the whole of time is asked, so that every refused row is kept with its reason
        return source, Window(EARLIEST, LATEST)
    _check_phase(times, channel, site.place.time_zone, path.name)
    return source, Window(times.min(), times.max() + channel.resolution)  # type: ignore[arg-type,operator]  # instants


def _check_phase(times: pl.Series, channel: Channel, time_zone: str, file: str) -> None:
    """Refuse intervals that do not begin with those of the local day, in whose steps a site is forecast.

    Raises:
        InvalidInput: most begin in between, such as full hours of UTC in India.
    """
    local = times.dt.convert_time_zone(time_zone).dt.replace_time_zone(None)
    phase = (local - local.dt.truncate("1d")).dt.total_seconds() % int(channel.resolution.total_seconds())
    if int((phase != 0).sum()) > len(phase) / 2:
        check_fits_clock(channel.resolution, time_zone, Window(times.min(), times.max() + channel.resolution))  # type: ignore[arg-type,operator]  # instants
        minutes = int(phase.filter(phase != 0).mode()[0]) // 60
        problem = f"its intervals begin {minutes} minutes after those of the local day in {time_zone}"
        remedy = f"Resample it to steps of {minutes} minutes, or to intervals that begin at the local midnight."
        raise InvalidInput("file", file, problem, remedy=remedy)


def _known_channel(options: TableOptions, region: str | None, known: Known) -> tuple[Site, Channel | None]:
    """Return the site that a channel's id names, and the channel if anybody knows it.

    Raises:
        InvalidInput: nobody knows the site, or the id does not belong to it.
    """
    from watthour.core.weather import weather_channels

    name = str(options.channel)
    sites = {site.prefix: site for site in known.sites}
    stored = next((channel for channel in known.channels if channel.id == name), None)
    prefix = ".".join(name.split(".")[:2])
    context = known.context(region) if region else None
    if context is None and prefix not in sites:
        kind = _KINDS.get(name.partition(".")[0])
        if kind is SiteKind.HOME or (kind is SiteKind.REGION and options.time_zone and not known.find(prefix[5:])):
            return _new_site(name, kind, options.time_zone, known), None
        context = known.context(prefix.partition(".")[2] or name)
    site = sites[prefix] if context is None else context.site
    described = [] if context is None else [context.channel, *weather_channels(site, site.points)]
    channel = next((each for each in described if each.id == name), stored)
    is_series = name.startswith(f"{site.prefix}.") and not name.startswith(f"{site.prefix}.weather.")
    if channel is None and not is_series:
        remedy = f"A channel of {site.name} begins with {site.prefix}, such as {site.main_channel or site.prefix}."
        raise InvalidInput("channel", name, "there is no such channel", remedy=remedy)
    return site, channel


def _new_site(channel: str, kind: SiteKind, time_zone: str | None, known: Known) -> Site:
    """Return a home or a region that is met for the first time, by the id of its first channel.

    Raises:
        InvalidInput: the id names none, or another site, or nobody says where it is.
    """
    words = channel.split(".")
    if len(words) < _WHOLE_SITE:
        problem = f"it does not say which {kind} and what is measured"
        raise InvalidInput("channel", channel, problem, remedy="Write it as home.main.power.")
    if time_zone is None:
        problem = f"the {kind} {words[1]} is new, and its days begin by a clock that nobody has named"
        raise InvalidInput("time_zone", None, problem, remedy="Say it with --time-zone, such as Europe/Brussels.")
    main = channel if len(words) == _WHOLE_SITE else None
    if (other := known.find(words[1])) is not None:
        problem = f"{words[1]} is a name of {other.site.name} already"
        raise InvalidInput("channel", channel, problem, remedy=f"Use another word, such as my_{words[1]}.")
    return Site(words[1], words[1], kind, Place(time_zone), main_channel=main)


def _new_channel(name: str, site: Site, unit: Unit, step: timedelta | None, known: Known) -> Channel:
    """Return a channel that is met for the first time: kept as its site's load is, else in the unit of the file.

    Raises:
        InvalidInput: the file shows no step, or its unit does not say what is measured.
    """
    if step is None:
        problem = "too few of its rows can be read to know their step"
        raise InvalidInput("file", name, problem, remedy="Give a table of at least three rows.")
    context = known.find(site.id)
    if context is not None and context.site.id == site.id and _is_energy(unit) and _is_energy(context.channel.unit):
        quantity, unit = context.channel.quantity, context.channel.unit
    else:
        quantity = _quantity_of(unit)
        unit = unit if unit in units_of(quantity) else units_of(quantity)[0]
    limits = home_limits(unit, step) if site.kind is SiteKind.HOME else Limits()
    return Channel(name, site.id, quantity, unit, step, limits=limits, is_simulated=site.is_simulated)


def _is_energy(unit: Unit) -> bool:
    return unit in (*units_of(Quantity.POWER), *units_of(Quantity.ENERGY))


def _quantity_of(unit: Unit) -> Quantity:
    """Return what a unit measures.

    Raises:
        InvalidInput: several things are measured in it, or a price, whose currency no option names.
    """
    fitting = [quantity for quantity in Quantity if any(_converts(unit, kept) for kept in units_of(quantity))]
    if len(fitting) != 1 or fitting[0] is Quantity.PRICE:
        problem = f"it does not say what is measured: {', '.join(fitting) or 'nothing known'}"
        raise InvalidInput("unit", str(unit), problem, remedy="Import it into a channel that is known already.")
    return fitting[0]


def _converts(unit: Unit, kept: Unit) -> bool:
    try:
        conversion(unit, kept)
    except ValueError:
        return False
    return True


def _step(path: Path, mapping: Mapping) -> timedelta | None:
    """Return the step of a table, None where it has too few rows to show one."""
    from watthour.sources.csv import most_common_step, read_table

    return most_common_step(read_table(path), mapping, fewest=_FEWEST_TIMES)


def _unit(name: str | None, channel: Channel | None) -> Unit:
    by_name = {str(unit).casefold(): unit for unit in Unit}
    if name is None or name.casefold() not in by_name:
        problem = "the file cannot say its unit" if name is None else "there is no such unit"
        kept = f"{channel.id} is kept in {channel.unit}. " if channel is not None else ""
        remedy = f"Name it with --unit. {kept}Units: {', '.join(Unit)}."
        raise InvalidInput("unit", name, problem, remedy=remedy)
    return by_name[name.casefold()]


def _minutes(step: timedelta) -> str:
    return f"{step.total_seconds() / 60:g} minutes"
