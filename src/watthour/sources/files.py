"""Files at hand: which source reads a file, by its layout or by what a person says of it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Channel, Limits, Site, SiteKind, home_limits
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.forecast import check_fits_clock
from watthour.core.frames import Quality
from watthour.core.names import id_for, spelt
from watthour.core.place import Place, is_time_zone, no_time_zone
from watthour.core.quality import flag
from watthour.core.units import Quantity, Unit, converts, kept_unit, units_of
from watthour.core.window import Window
from watthour.sources.covariate_columns import CovariateWords, check_apart, kept_note, quantity_of, unit_words
from watthour.sources.csv import conversion_of, step_of, unit_question
from watthour.sources.metered_files import check_level, meter_words, solar_questions
from watthour.sources.tables.cells import SEPARATORS, first_rows
from watthour.sources.tables.columns import Question, currency_in, named, unit_named
from watthour.sources.tables.meters import Meter
from watthour.sources.tables.understand import zone_question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from watthour.core.forecast import Context
    from watthour.core.ports import Delivery, Source
    from watthour.sources.csv import CsvSource
    from watthour.sources.csv import Mapping as TableMapping
    from watthour.sources.table_options import TableOptions
    from watthour.sources.tables.meters import MeterWords
    from watthour.sources.tables.understand import Understood

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LONGEST_PROPOSED = 40  # letters of a file's name that a site is proposed to be called by
_FEWEST_TIMES = 3  # of a file that shows its step
_WHOLE_SITE = 3  # words of the id of a site's main channel, such as home.main.power
_KINDS = {"home": SiteKind.HOME, "grid": SiteKind.REGION}  # by the first word of a channel's id


@dataclass(frozen=True, slots=True)
class Preview:
    """What was understood of a table, before anything is kept."""

    file: str
    encoding: str | None  # None: Parquet
    separator: str | None
    decimal: str
    decimal_reason: str
    date_order: str
    date_order_reason: str
    time_columns: tuple[str, ...]
    time_zone: str | None
    names_end: bool
    named_by_reason: str
    value_column: str
    value_columns: tuple[str, ...]  # that could be meant
    columns: tuple[str, ...]
    unit: str | None
    channel: str | None  # as said, or as proposed
    step: timedelta | None
    first_time: datetime | None
    last_time: datetime | None
    n_rows: int
    refused: Mapping[str, int]  # rows by the rule they break
    n_doubted: int  # values outside what the channel can be
    cells: tuple[tuple[str, ...], ...]  # first rows of the file
    values: tuple[tuple[datetime | None, float | None], ...]  # the same, understood, in the unit of the file
    notes: tuple[str, ...]
    questions: tuple[Question, ...]  # what is open
    is_new_site: bool  # the import adds the site
    is_sample: bool  # only the beginning of the file was read
    meter: str = str(Meter.INTERVAL)  # what the values are: of intervals, stands of a counter, or samples

    @property
    def n_refused(self) -> int:
        """How many rows cannot be read."""
        return sum(self.refused.values())


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


def file_sources(
    path: Path,
    region: str | None,
    options: TableOptions,
    known: Known,
    *,
    progress: Callable[[int], None] | None = None,
) -> list[tuple[Source, Window]]:
    """Return what a file, or each file of a directory, holds, and the window that covers it.

    Args:
        path: of the file or directory.
        region: of the files, if they do not name it.
        options: what a person says of a table.
        known: the sites and channels that are known.
        progress: is told how many bytes more of a long table were read.

    Raises:
        InvalidInput: no such file, or none of the known layouts and no channel named.
    """
    if path.is_dir():
        found = [each for file in sorted(path.iterdir()) if file.is_file() for each in _by_layout(file, region, known)]
        if not found:
            problem = "none of the files in this directory has a known layout"
            remedy = "Import a single table, with --channel and --unit."
            raise InvalidInput("path", str(path), problem, remedy=remedy)
        return found
    if not path.is_file():
        raise InvalidInput("path", str(path), "there is no such file", remedy="Check the path.")
    if not options.is_said and (found := _by_layout(path, region, known)):
        return found
    return [_any_table(path, region, options, known, progress)]


def preview(
    path: Path, region: str | None, options: TableOptions, known: Known, *, is_sample: bool = False
) -> Preview | None:
    """Return what is understood of a table, with what it leaves open; None where the file has a known layout.

    Args:
        path: of the file.
        region: of the file, if it does not name it.
        options: what a person says of it.
        known: the sites and channels that are known.
        is_sample: the beginning of a large file is enough, and the preview says so.

    Raises:
        InvalidInput: no such file, not a table, or something that was said cannot be.
    """
    if path.is_dir() or (path.is_file() and not options.is_said and _by_layout(path, region, known)):
        return None
    return _look(path, region, options, known, is_sample=is_sample)[0]


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


def _any_table(
    path: Path,
    region: str | None,
    options: TableOptions,
    known: Known,
    progress: Callable[[int], None] | None = None,
) -> tuple[Source, Window]:
    """Return a table as one channel, with the window of its readable rows.

    Raises:
        InvalidInput: it leaves something open, most of its rows cannot be read, or its unit is wrong.
    """
    seen, source = _look(path, region, options, known)
    for question in seen.questions:
        raise question.error()
    assert source is not None  # noqa: S101 - nothing is open
    _check_refused(seen)
    source = source.read(progress)
    delivery = source.fetch(Window(EARLIEST, LATEST), now=LATEST)
    _check_all_refused(delivery, source)
    check_level(delivery.readings, source, seen.unit)
    times = pl.concat([delivery.readings["time"], delivery.forecasts["time"]]).drop_nulls()
    if not times.len():  # the whole of time is asked, so that every refused row is kept with its reason
        return source, Window(EARLIEST, LATEST)
    _check_phase(times, source.channel, source.site.place.time_zone, path.name)
    return source, Window(times.min(), times.max() + source.channel.resolution)  # type: ignore[arg-type,operator]  # instants


def _check_all_refused(delivery: Delivery, source: CsvSource) -> None:
    """Refuse a long table of which most cannot be; what its preview shows is its beginning alone."""
    n_rows = delivery.readings.height + delivery.forecasts.height + delivery.refused.height
    is_meter = source.mapping.meter is not None and source.mapping.meter.meter is not Meter.INTERVAL
    if source.found is None or source.found.cells.n_lines is None:
        return
    n_rows = source.found.cells.n_lines if is_meter else n_rows
    if delivery.refused.height > n_rows / 2:
        rules = ", ".join(delivery.refused["rule"].unique(maintain_order=True))
        problem = (
            f"{delivery.refused.height:,} of its {n_rows:,} rows cannot be read ({rules}), so nothing was imported"
        )
        raise InvalidInput("file", source.path.name, problem, remedy="Look at a preview of its end, or split it.")


def _look(
    path: Path, region: str | None, options: TableOptions, known: Known, *, is_sample: bool = False
) -> tuple[Preview, CsvSource | None]:
    """Return what is understood of a table, and the source it is where nothing is open."""
    from watthour.sources.csv import CsvSource, ForecastColumn, read_table

    options = replace(options, site=options.site or (None if options.channel or options.forecast_of else region))
    said = options.forecast_of is not None or options.forecast_column is not None
    mapping = _mapping(options, is_forecast=said)
    found = read_table(path, mapping, is_sample=is_sample)
    words = [CovariateWords.of(text) for text in options.covariate_columns]
    found = _with_unread(found, options.forecast_column, words)
    if found.zone is None and options.time_zone:
        found = replace(found, zone=options.time_zone)
    questions = list(found.questions)
    unit = _unit(options.unit) or found.unit
    currency = currency_in(options.unit or found.value_column)
    words_of_meter = meter_words(found, unit, options)
    name = options.channel or options.forecast_of or _channel_of_site(options, unit, known)
    site, channel, open_question = _site_and_channel(name, unit, path, region, options, known)
    questions += [open_question] if open_question is not None else []
    if site is not None:
        found = _of_site(found, site, options, known)
    step = _step(found, words_of_meter, channel)
    if words_of_meter.note is not None:
        found = replace(found, notes=(*found.notes, words_of_meter.note))
    if unit is None:
        questions.append(unit_question(channel))
    elif site is not None:
        questions += solar_questions(found, unit, site, options)
    if found.needs_zone and all(question.field != "time_zone" for question in questions):
        first = found.rows["first_words"].drop_nulls().head(1).to_list()
        questions.append(zone_question(first[0] if first else None))
    if (said or words) and options.issued_column is None and options.issued_at is None:
        questions.append(_issue_question())
    source = None
    if not questions and site is not None and unit is not None:
        channel = _fitting(channel, str(name), site, unit, currency, step, known, path.name)
        issue = ForecastColumn(None, options.issued_column, options.issued_at)
        covariates = tuple(each.column_of(site, channel, issue, known.channels) for each in words)
        check_apart(covariates)
        found = replace(found, notes=(*found.notes, *(kept_note(each) for each in covariates)))
        mapping = replace(mapping, unit=unit, time_zone=found.zone, covariates=covariates, meter=words_of_meter)
        source = CsvSource(path, site, channel, mapping, found)
    unit_words = None if unit is None else str(unit).replace("currency", currency or "currency")
    seen = _seen(path, found, name or _proposal(path, unit, known), unit_words, step, source, questions)
    seen = replace(seen, is_new_site=site is None or not _is_known(site, known), meter=str(words_of_meter.meter))
    return seen, source


def _site_and_channel(
    name: str | None, unit: Unit | None, path: Path, region: str | None, options: TableOptions, known: Known
) -> tuple[Site | None, Channel | None, Question | None]:
    """Return whose channel a table is, and the channel if anybody knows it; or what must be asked first."""
    if name is None:
        return None, None, _channel_question(_proposal(path, unit, known), options, unit)
    try:
        return *_known_channel(replace(options, channel=name), region, known), None
    except InvalidInput as error:
        is_new = options.site is not None and isinstance(error, UnknownSite)
        if options.time_zone is not None or not (is_new or error.field == "time_zone"):
            raise
        return None, None, _new_site_question(options.site or name, error)


def _step(found: Understood, words: MeterWords, channel: Channel | None) -> timedelta | None:
    """Return the step of the readings that a table makes."""
    if words.meter is Meter.INTERVAL:
        return step_of(found, fewest=_FEWEST_TIMES)
    return words.step if channel is None else channel.resolution


def _with_unread(found: Understood, forecast: str | None, words: Sequence[CovariateWords]) -> Understood:
    """Return a table with a note on the columns of forecasts that are left aside.

    Raises:
        InvalidInput: the file has no column of a name that is said.
    """
    numbers = found.roles.values[:1]
    read = {*numbers, named(found.cells, forecast, "forecast_column")}
    read |= {named(found.cells, each.column, "covariate_column") for each in words}
    others = [found.cells.names[number] for number in found.roles.forecasts if number not in read]
    if not others:
        return found
    note = f"not imported, because it looks like a forecast: {', '.join(others)}"
    return replace(found, notes=(*found.notes, note))


def _of_site(found: Understood, site: Site, options: TableOptions, known: Known) -> Understood:
    """Return a table with what its site adds: the clock of one that exists, and which one a name means."""
    notes = list(found.notes)
    is_known = _is_known(site, known)
    if is_known and options.holidays is not None and options.holidays != site.place.holidays:
        problem = f"{site.name} exists already, with the holidays {site.place.holidays or 'none'}"
        remedy = f"Change them: `watthour site change {site.id} --holidays {options.holidays}`."
        raise InvalidInput("holidays", options.holidays, problem, remedy=remedy)
    # Tables of an operator's region go around in local time and in UTC; those of a site of one's own are its own.
    is_own = is_known and site.operator is None
    zone = site.place.time_zone if found.needs_zone and is_own else found.zone
    if zone != found.zone:
        clock = f"the clock of {site.name}, {zone}"
        notes.append(f"its times have no time zone and are read by {clock}")
    if options.site is not None and (note := _name_note(options.site, site)) is not None:
        notes.append(note)
    return replace(found, zone=zone, notes=tuple(notes))


def _is_known(site: Site, known: Known) -> bool:
    return site.id in {each.id for each in known.sites} or known.find(site.id) is not None


def _name_note(said: str, site: Site) -> str | None:
    """Return what tells a person that a name means a site known by another one, such as Texas and ERCOT."""
    if id_for(said) in {id_for(site.id), id_for(site.name)}:
        return None
    name = site.operator if site.operator and id_for(site.operator) != id_for(said) else site.name
    return f"{said} is {name} ({site.main_channel or site.prefix}), a {site.kind} that Watthour knows"


def _mapping(options: TableOptions, *, is_forecast: bool) -> TableMapping:
    from watthour.sources.csv import ForecastColumn, Mapping

    said = ForecastColumn(options.forecast_column, options.issued_column, options.issued_at) if is_forecast else None
    if options.named_by not in (None, "start", "end"):
        raise InvalidInput(
            "named_by", options.named_by, "it must be start or end", remedy="Use --named-by start or --named-by end."
        )
    return Mapping(
        time_column=options.time_column,
        value_column=options.value_column,
        time_zone=options.times_in,
        named_by=options.named_by,  # type: ignore[arg-type]  # one of the two, as checked
        separator=options.separator,
        decimal=options.decimal,
        date_order=options.date_order,
        forecast=said,
    )


def _seen(
    path: Path,
    found: Understood,
    name: str,
    unit: str | None,
    step: timedelta | None,
    source: CsvSource | None,
    questions: Sequence[Question],
) -> Preview:
    from watthour.sources.csv import broken_times
    from watthour.sources.delivery import split_unreadable

    rows = found.placed(found.zone or ("UTC" if found.needs_zone else None), step).with_columns(channel=pl.lit(name))
    good, refused = split_unreadable(rows, broken_times(rows))
    notes = found.notes
    if source is not None and source.mapping.forecast is None:
        source = replace(source, mapping=replace(source.mapping, covariates=()))
        source = replace(source, parsed=source.parse([found]))
        delivery = source.fetch(Window(EARLIEST, LATEST), now=LATEST)
        refused = delivery.refused
        notes = (*notes, *(source.parsed.notes if source.parsed is not None else ()))
        flagged = flag(delivery.readings, source.channels())
        doubted = int(((flagged["quality"] & int(Quality.OUT_OF_RANGE)) != 0).sum())
    else:
        doubted = 0
    times = good["time"]
    columns = found.cells.names
    time_columns = [found.roles.time, found.roles.clock, found.roles.period, found.roles.zone]
    return Preview(
        path.name,
        found.cells.encoding,
        next((word for word, sign in SEPARATORS.items() if sign == found.cells.separator), found.cells.separator),
        "comma" if found.marks.decimal == "," else "point",
        found.marks.reason,
        found.order.order,
        found.order.reason,
        tuple(columns[number] for number in time_columns if number is not None),
        found.zone,
        *found.end,
        found.value_column,
        tuple(columns[number] for number in (*found.roles.values, *found.roles.forecasts)),
        columns,
        unit,
        name,
        step,
        times.min(),  # type: ignore[arg-type]  # an instant
        times.max(),  # type: ignore[arg-type]  # an instant
        rows.height,
        dict(refused.group_by("rule").len().sort("len", descending=True).iter_rows()),
        doubted,
        tuple(tuple(row) for row in first_rows(found.cells)),
        tuple(good.head(5).select("time", "value").iter_rows()),
        notes,
        tuple(questions),
        is_new_site=True,
        is_sample=found.cells.n_lines is not None,
    )


def _check_refused(seen: Preview) -> None:
    """Refuse a table of which most cannot be: to keep the rest would hide that it was misread.

    Raises:
        InvalidInput: most rows are refused, or most values are outside what the channel can be.
    """
    if seen.n_rows and seen.n_refused > seen.n_rows / 2:
        rules = ", ".join(f"{rule} {count:,}" for rule, count in seen.refused.items())
        problem = f"{seen.n_refused:,} of its {seen.n_rows:,} rows cannot be read ({rules}), so nothing was imported"
        remedy = {
            "value_is_a_number": "Use --decimal point, --decimal comma or another --value-column.",
            "value_is_negative": "Use --solar if energy is also fed in, or name another column with --value-column.",
            "time_is_readable": "Use --date-order dmy, mdy or ymd, or another --time-column.",
        }.get(
            next(iter(seen.refused)), "The table must have one row per time: name its columns, or keep only one series."
        )
        raise InvalidInput("file", seen.file, problem, remedy=remedy)
    if seen.n_doubted > seen.n_rows / 2:
        outside = f"outside the possible range of {seen.channel} in {seen.unit}"
        problem = f"{seen.n_doubted:,} of its {seen.n_rows:,} values are {outside}"
        remedy = "Give the unit of the file with --unit, such as MW, kW or W."
        raise InvalidInput("unit", seen.unit, problem, remedy=remedy)


def _channel_of_site(options: TableOptions, unit: Unit | None, known: Known) -> str | None:
    """Return the id of the main channel of the site that is named, or of its price; a new site gets one."""
    if options.site is None:
        return None
    is_price = unit in units_of(Quantity.PRICE)
    if (context := known.find(options.site)) is not None:
        is_other = is_price and context.channel.quantity is not Quantity.PRICE
        return _price_of(context.site, known) if is_other else context.channel.id
    wanted = spelt(options.site)
    for site in known.sites:
        if wanted in (spelt(site.id), spelt(site.name)):
            if is_price:
                return _price_of(site, known)
            word = "demand" if site.kind is SiteKind.REGION else "power"
            return site.main_channel or f"{site.prefix}.{word}"
    if not (slug := id_for(options.site)):
        raise UnknownSite(options.site, known.near(options.site))
    return _first_channel(slug, unit)


def _price_of(site: Site, known: Known) -> str:
    """Return the id of the price that holds at a site, such as a home's tariff; one that has none gets it."""
    prices = [each for each in known.channels if each.site == site.id and each.quantity is Quantity.PRICE]
    return next((each.id for each in prices if each.is_of_whole_site), f"{site.prefix}.price")


def _proposal(path: Path, unit: Unit | None, known: Known) -> str:
    """Return a channel for a table of which nobody said what it measures: by its file's name and its unit."""
    slug = id_for(path.stem)[:_LONGEST_PROPOSED].strip("_") or "mine"
    return _first_channel(slug if known.find(slug) is None else f"my_{slug}", unit)


def _first_channel(slug: str, unit: Unit | None) -> str:
    if unit in units_of(Quantity.PRICE):
        return f"grid.{slug}.price"
    if unit in {Unit.KWH, Unit.WH}:
        return f"home.{slug}.energy"
    return f"home.{slug}.power" if unit in {Unit.KW, Unit.W} else f"grid.{slug}.demand"


def _channel_question(proposal: str, options: TableOptions, unit: Unit | None) -> Question:
    cure = f"--site {proposal.split('.')[1]}"
    if options.time_zone is None:
        cure += " --time-zone Europe/Brussels"
    if unit is None:
        cure += " --unit MW"
    problem = "it is not known which place or home this file measures"
    remedy = f"Name the site, for example `{cure}`, or the channel, for example `--channel {proposal}`."
    return Question("channel", problem, (proposal,), remedy)


def _new_site_question(name: str, error: InvalidInput) -> Question:
    problem = f"{name} is a new site, and its time zone is not known"
    near = (
        f" If you meant {' or '.join(error.near)}, use that name."
        if isinstance(error, UnknownSite) and error.near
        else ""
    )
    return Question("time_zone", problem, (), f"Give it with --time-zone, such as Europe/Brussels.{near}")


def _issue_question() -> Question:
    problem = "it is not known when the forecasts were made"
    remedy = (
        "Name the column with --issued-column, or assume a time on the day before, for example `--issued-at 06:00`."
    )
    return Question("issued_at", problem, (), remedy)


def _fitting(
    channel: Channel | None,
    name: str,
    site: Site,
    unit: Unit,
    currency: str | None,
    step: timedelta | None,
    known: Known,
    file: str,
) -> Channel:
    if channel is None:
        return _new_channel(name, site, unit, currency, step, known)
    if currency is not None and channel.currency is not None and currency != channel.currency:
        problem = f"{channel.id} is stored in {channel.currency}"
        raise InvalidInput("unit", f"{currency}/{unit.partition('/')[2]}", problem, remedy="Name another channel.")
    if step is not None and step != channel.resolution:
        problem = f"its rows are {_minutes(step)} apart, but {channel.id} has a step of {_minutes(channel.resolution)}"
        raise InvalidInput("file", file, problem, remedy="Resample the file, or name another channel.")
    conversion_of(unit, channel)
    return channel


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
        remedy = f"Resample it to steps of {minutes} minutes, or to intervals that start at local midnight."
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
            return _new_site(name, kind, options, known), None
        context = known.context(prefix.partition(".")[2] or name)
    site = sites[prefix] if context is None else context.site
    described = [] if context is None else [context.channel, *weather_channels(site, site.points)]
    channel = next((each for each in described if each.id == name), stored)
    is_series = name.startswith(f"{site.prefix}.") and not name.startswith(f"{site.prefix}.weather.")
    if channel is None and not is_series:
        remedy = (
            f"The channels of {site.name} begin with {site.prefix}, for example {site.main_channel or site.prefix}."
        )
        raise InvalidInput("channel", name, "there is no such channel", remedy=remedy)
    return site, channel


def _new_site(channel: str, kind: SiteKind, options: TableOptions, known: Known) -> Site:
    """Return a home or a region that is met for the first time, by the id of its first channel, called as it was said.

    Raises:
        InvalidInput: the id names none, or another site, or nobody says where it is.
    """
    words = channel.split(".")
    if len(words) < _WHOLE_SITE:
        problem = f"it does not say which {kind} and what is measured"
        raise InvalidInput("channel", channel, problem, remedy="Write it as home.main.power.")
    if options.time_zone is None:
        problem = f"the {kind} {words[1]} is new, and its time zone is not known"
        raise InvalidInput("time_zone", None, problem, remedy="Give it with --time-zone, such as Europe/Brussels.")
    if not is_time_zone(options.time_zone):
        raise no_time_zone(options.time_zone)
    main = channel if len(words) == _WHOLE_SITE else None
    if (other := known.find(words[1])) is not None:
        problem = f"{words[1]} is already a name of {other.site.name}"
        raise InvalidInput("channel", channel, problem, remedy=f"Use another word, such as my_{words[1]}.")
    said = " ".join(unicodedata.normalize("NFC", options.site or "").split())
    name = said if id_for(said) == words[1] else words[1]
    return Site(words[1], name, kind, Place(options.time_zone, holidays=options.holidays), main_channel=main)


def _new_channel(
    name: str, site: Site, unit: Unit, currency: str | None, step: timedelta | None, known: Known
) -> Channel:
    """Return a channel that is met for the first time: kept as its site's load is, else in the unit of the file.

    Raises:
        InvalidInput: the file shows no step, or its unit does not say what is measured.
    """
    if step is None:
        problem = "too few of its rows can be read to find their step"
        raise InvalidInput("file", name, problem, remedy="Give a table with at least three rows.")
    context = known.find(site.id)
    if context is not None and context.site.id == site.id and _is_energy(unit) and _is_energy(context.channel.unit):
        quantity, unit = context.channel.quantity, context.channel.unit
    else:
        quantity = quantity_of(unit, currency)
        unit = kept_unit(unit, quantity)
    limits = home_limits(unit, step) if site.kind is SiteKind.HOME and _is_energy(unit) else Limits()
    return Channel(
        name,
        site.id,
        quantity,
        unit,
        step,
        limits=limits,
        is_simulated=site.is_simulated,
        currency=currency if quantity is Quantity.PRICE else None,
    )


def _is_energy(unit: Unit) -> bool:
    return any(converts(unit, base) for base in (Unit.KW, Unit.KWH))


def _unit(name: str | None) -> Unit | None:
    """Return the unit that a person names, None where nobody does.

    Raises:
        InvalidInput: there is no such unit.
    """
    if name is None:
        return None
    if (unit := unit_named(name)) is None:
        raise InvalidInput("unit", name, "there is no such unit", remedy=f"Give one with --unit: {unit_words()}.")
    return unit


def _minutes(step: timedelta) -> str:
    return f"{step.total_seconds() / 60:g} minutes"
