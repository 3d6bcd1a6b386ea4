"""Files at hand: which source reads a file, by its layout or by what a person says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.forecast import check_fits_clock
from watthour.core.window import Window
from watthour.sources.covariate_columns import CovariateWords, check_apart, kept_note, unit_words
from watthour.sources.csv import step_of, unit_question
from watthour.sources.metered_files import check_level, meter_words, solar_questions
from watthour.sources.previews import EARLIEST, LATEST, check_refused, preview_of
from watthour.sources.table_channels import (
    channel_of_site,
    fitting_channel,
    is_known,
    name_note,
    proposed_channel,
    site_and_channel,
)
from watthour.sources.tables.columns import Question, currency_in, named, unit_named
from watthour.sources.tables.meters import Meter
from watthour.sources.tables.understand import zone_question

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta
    from pathlib import Path

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Delivery, Source
    from watthour.core.units import Unit
    from watthour.sources.csv import CsvSource
    from watthour.sources.csv import Mapping as TableMapping
    from watthour.sources.previews import Preview
    from watthour.sources.table_channels import Known
    from watthour.sources.table_options import TableOptions
    from watthour.sources.tables.meters import MeterWords
    from watthour.sources.tables.understand import Understood

_FEWEST_TIMES = 3  # of a file that shows its step


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
    check_refused(seen)
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
    name = options.channel or options.forecast_of or channel_of_site(options, unit, known)
    site, channel, open_question = site_and_channel(name, unit, path, region, options, known)
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
        channel = fitting_channel(channel, str(name), site, unit, currency, step, known, path.name)
        issue = ForecastColumn(None, options.issued_column, options.issued_at)
        covariates = tuple(each.column_of(site, channel, issue, known.channels) for each in words)
        check_apart(covariates)
        found = replace(found, notes=(*found.notes, *(kept_note(each) for each in covariates)))
        mapping = replace(mapping, unit=unit, time_zone=found.zone, covariates=covariates, meter=words_of_meter)
        source = CsvSource(path, site, channel, mapping, found)
    unit_words = None if unit is None else str(unit).replace("currency", currency or "currency")
    seen = preview_of(path, found, name or proposed_channel(path, unit, known), unit_words, step, source, questions)
    seen = replace(seen, is_new_site=site is None or not is_known(site, known), meter=str(words_of_meter.meter))
    return seen, source


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
    is_stored = is_known(site, known)
    if is_stored and options.holidays is not None and options.holidays != site.place.holidays:
        problem = f"{site.name} exists already, with the holidays {site.place.holidays or 'none'}"
        remedy = f"Change them: `watthour site change {site.id} --holidays {options.holidays}`."
        raise InvalidInput("holidays", options.holidays, problem, remedy=remedy)
    # Tables of an operator's region go around in local time and in UTC; those of a site of one's own are its own.
    is_own = is_stored and site.operator is None
    zone = site.place.time_zone if found.needs_zone and is_own else found.zone
    if zone != found.zone:
        clock = f"the clock of {site.name}, {zone}"
        notes.append(f"its times have no time zone and are read by {clock}")
    if options.site is not None and (note := name_note(options.site, site)) is not None:
        notes.append(note)
    return replace(found, zone=zone, notes=tuple(notes))


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


def _issue_question() -> Question:
    problem = "it is not known when the forecasts were made"
    remedy = (
        "Name the column with --issued-column, or assume a time on the day before, for example `--issued-at 06:00`."
    )
    return Question("issued_at", problem, (), remedy)


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
