"""`watthour import`: files and directories into the store, with a look at them first."""

from __future__ import annotations

import sys
from dataclasses import asdict, replace
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, cast

import typer

from watthour.cli.context import opened
from watthour.cli.importing_uses import import_uses
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import bar, show_json, show_table, utc_now
from watthour.cli.sites import Holidays, or_none, show_next
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.bootstrap import App, Preview, TableOptions
    from watthour.core.ports import Source
    from watthour.core.window import Window

ASKED = {
    "unit": "Unit of the values, such as MW",
    "time_zone": "Time zone of the times, such as America/New_York",
    "time_column": "Column of times",
    "value_column": "Column of values",
    "channel": "Channel: grid.<place>.demand or home.<name>.power",
    "date_order": "Order of the dates (dmy: day first, mdy: month first)",
    "decimal": "Decimal mark of the numbers (point or comma)",
    "solar": "Is energy also fed in, such as from solar panels (yes or no)",
    "issued_at": "When were the forecasts made? Time on the day before, such as 06:00",
}
_SHOWN = 5  # rows of the preview
_SHOWN_FROM = 16_000_000  # bytes of a file whose reading shows its progress


def import_files(  # noqa: PLR0913 - each is an option of the command
    paths: Annotated[list[Path], typer.Argument(help="Files, or directories with files.")],
    *,
    region: Annotated[
        str | None, typer.Option(help="Region of the files, if they do not name it; any of its names.")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="Any table: the place or home it belongs to; a new name adds a site.")
    ] = None,
    home: Annotated[
        str | None, typer.Option(help="The home that a table, or a list of uses of its devices, belongs to.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="Any table: the channel of its values, such as grid.ny.demand.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Any table: the unit of its values, such as MW.")] = None,
    time_zone: Annotated[
        str | None, typer.Option(help="Any table: time zone of a new site, and of times without an offset.")
    ] = None,
    times_in: Annotated[
        str | None, typer.Option(help="Any table: time zone of its times, if different from the site's, such as UTC.")
    ] = None,
    time_column: Annotated[str | None, typer.Option(help="Any table: the column of times.")] = None,
    value_column: Annotated[str | None, typer.Option(help="Any table: the column of values.")] = None,
    named_by: Annotated[
        str | None, typer.Option(help="Any table: each time is the `start` or the `end` of its interval.")
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="Any table: `comma`, `semicolon`, `tab` or `bar` between its columns.")
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(help="Any table: decimal mark of its numbers, `point` or `comma`.")
    ] = None,
    date_order: Annotated[
        str | None, typer.Option(help="Any table: `dmy` (day first), `mdy` (month first) or `ymd`.")
    ] = None,
    forecast_of: Annotated[
        str | None,
        typer.Option(help="The values are a forecast of this channel by someone else, such as grid.be.demand."),
    ] = None,
    forecast_column: Annotated[
        str | None, typer.Option(help="A column with a forecast of the load by someone else.")
    ] = None,
    covariate_column: Annotated[
        list[str] | None,
        typer.Option(
            help="A column that is known ahead, such as a forecast of the wind: `NAME`, `NAME=MW` or "
            "`NAME=temperature_2m:degC`; can be given several times."
        ),
    ] = None,
    issued_column: Annotated[
        str | None, typer.Option(help="The column with the time when each forecast was made.")
    ] = None,
    issued_at: Annotated[
        str | None, typer.Option(help="Without such a column: the assumed time on the day before, such as 06:00.")
    ] = None,
    holidays: Holidays = None,
    meter: Annotated[
        str | None,
        typer.Option(
            help="Any table: what its values are. `interval`: energy or mean power of each interval; `counter`: what a "
            "meter that only counts up shows; `samples`: power at instants."
        ),
    ] = None,
    solar: Annotated[
        bool | None,
        typer.Option("--solar/--no-solar", help="A home's table: energy is also fed in, so values may be negative."),
    ] = None,
    longest_silence: Annotated[
        str | None, typer.Option(help="Counters and samples: longest time between two of them, in minutes.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; accept what was understood of the file.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "--preview", help="Show how the file is read, and import nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring in files with readings: any table as CSV or Parquet, such as a meter's, or a file of a known layout.

    A table needs no options: it is shown as it was read, and what is unclear is asked, before anything is kept. For a
    home name it: `watthour import meter.csv --home Flat`. Known layouts: Green Button XML, exports of Home Assistant's
    statistics, lists of uses of devices, EIA's six-month files of regions, research tables. Importing a file twice
    changes nothing. Rows that cannot be read are left out and listed with the reason; values that cannot be right are
    kept, not used, and counted.
    """
    from watthour.bootstrap import TableOptions
    from watthour.workflows.arrivals import after_import
    from watthour.workflows.ingest import backfill

    options = TableOptions(
        channel=channel,
        unit=unit,
        time_zone=time_zone,
        time_column=time_column,
        value_column=value_column,
        named_by=named_by,
        site=site or home,
        times_in=times_in,
        separator=separator,
        decimal=decimal,
        date_order=date_order,
        forecast_of=forecast_of,
        forecast_column=forecast_column,
        covariate_columns=tuple(covariate_column or ()),
        issued_column=issued_column,
        issued_at=issued_at,
        holidays=or_none(holidays),
        meter=meter,
        solar=None if solar is None else "yes" if solar else "no",
        longest_silence=longest_silence,
    )
    now = utc_now()
    reports: list[dict[str, object]] = []
    with opened() as app:
        uses = {path: told for path in paths if (told := app.device_uses(path, options.site, now=now)) is not None}
        reports += import_uses(app, uses.values(), now=now, yes=yes, dry_run=dry_run)
        paths = [path for path in paths if path not in uses]
        looked = [(path, *_settled(app, path, region, options, yes=yes, dry_run=dry_run)) for path in paths]
        if dry_run:
            _show_dry_run([seen for _path, seen, _options in looked], reports, as_json=as_json)
            return
        found = [
            (path, source, window, seen)
            for path, seen, settled in looked
            for source, window in _sources(app, path, region, settled)
        ]
        for path in paths:
            if names := app.unknown_files(path, region):
                typer.echo(f"Left aside, for no known layout: {', '.join(names)}.", err=True)
        known = {site.id for site in app.store.sites()}
        sites = {site.id: site for _path, source, *_rest in found for site in source.sites()}.values()
        new = [
            each
            for each in sites
            if each.id not in known and all(directory.find(each.id) is None for directory in app.directories)
        ]
        for each in new:
            typer.echo(f"New {each.kind}: {each.id}, time zone {each.place.time_zone}.", err=True)
        if any(seen is not None for *_rest, seen in found) and not yes and _can_ask():
            typer.confirm("Import?", default=True, abort=True, err=True)
        total = sum((window.end - window.start).total_seconds() for _path, _source, window, _seen in found)
        with bar("import", total) as advance:
            for path, source, window, seen in found:
                chunk = window.end - window.start
                corrects = seen is not None
                report = backfill(source, app.store, window, now=now, chunk=chunk, corrects=corrects, file=path.name)
                advance((window.end - window.start).total_seconds(), source.name)
                reports.append(
                    {
                        "file": str(path),
                        "source": source.name,
                        "new_rows": report.new_rows,
                        "refused_rows": report.refused_rows,
                        "doubted": dict(report.doubted),
                        **({"channel": seen.channel, "refused": dict(seen.refused)} if seen is not None else {}),
                    }
                )
        for each in new:
            show_next(app, each)
        faults = [words for each in sites for words in after_import(app.store, app.directories, each.id)]
    _show_imported(reports, faults, as_json=as_json)


def _sources(app: App, path: Path, region: str | None, options: TableOptions) -> Sequence[tuple[Source, Window]]:
    """Return what a file holds; of one that takes a while, how much of it is read is shown."""
    size = path.stat().st_size if path.is_file() else 0
    if size < _SHOWN_FROM:
        return app.file_sources(path, region, options)
    with bar(f"read {path.name}", size) as advance:
        return app.file_sources(path, region, options, progress=lambda n_bytes: advance(n_bytes, ""))


def _show_imported(reports: Sequence[Mapping[str, object]], faults: Sequence[str], *, as_json: bool) -> None:
    """Show what each file brought, and what is wrong with it beside a rival's forecast."""
    from watthour.core.frames import Quality
    from watthour.core.quality import DOUBTS

    if as_json:
        show_json([{**each, "findings": faults} for each in reports])
        return
    show_table(
        ("source", "new rows", "refused rows"),
        [(r["source"], f"{r['new_rows']:,}", f"{r['refused_rows']:,}") for r in reports],
    )
    for report in reports:
        for rule, count in cast("Mapping[str, int]", report.get("doubted", {})).items():
            words = DOUBTS[Quality[rule.upper()]]
            typer.echo(f"{count:,} readings of {report['source']} are kept but not used: {words}.", err=True)
    for words in faults:
        typer.echo(f"Please look at this: {words}", err=True)
    if any(report["refused_rows"] for report in reports):
        typer.echo("Refused rows are listed with the reason: `watthour doctor` shows the newest.", err=True)


def _settled(
    app: App, path: Path, region: str | None, options: TableOptions, *, yes: bool, dry_run: bool
) -> tuple[Preview | None, TableOptions]:
    """Return what is understood of a table, and the options that leave nothing open.

    On a terminal what is open is asked; elsewhere the first open question is an error.

    Raises:
        InvalidInput: something is open, or cannot be.
    """
    asks = _can_ask() and not yes
    while True:
        try:
            seen = app.preview(path, region, options, is_sample=dry_run)
        except InvalidInput as error:
            if error.field not in ASKED or not asks:
                raise
            typer.echo(str(error), err=True)
            options = replace(options, **{error.field: typer.prompt(ASKED[error.field], err=True)})
            continue
        if seen is None or not seen.questions or (dry_run and not asks):
            break
        question = seen.questions[0]
        if asks:
            typer.echo(f"{path.name}: {question.problem}.", err=True)
            words = f"{ASKED.get(question.field, question.field)}"
            proposed = question.choices[0] if question.field == "channel" else None
            answer = typer.prompt(words, default=proposed, err=True)
        elif question.field == "channel" and yes:
            answer = question.choices[0]
        else:
            raise question.error()
        options = replace(options, **{question.field: answer})
    if seen is not None and not dry_run:
        for line in _lines(seen):
            typer.echo(line, err=True)
    return seen, options


def _show_dry_run(previews: Sequence[Preview | None], uses: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    if as_json:
        show_json([*uses, *(None if seen is None else asdict(seen) for seen in previews)])
        return
    for seen in previews:
        lines = ["This file has a known layout and needs no options."] if seen is None else _lines(seen)
        typer.echo("\n".join(lines))
        for question in [] if seen is None else seen.questions:
            typer.echo(f"Question: {question.problem}. {question.remedy}")
    typer.echo("Nothing was imported.", err=True)


def _lines(seen: Preview) -> list[str]:
    """Return a preview as lines of text."""
    kind = "Parquet" if seen.encoding is None else f"{seen.encoding}, columns separated by {seen.separator}"
    order = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}[seen.date_order]
    end = "end" if seen.names_end else "start"
    step = "unknown" if seen.step is None else f"{seen.step.total_seconds() / 60:g} minutes"
    has_offsets = seen.time_zone is None and all(each.field != "time_zone" for each in seen.questions)
    clock = "UTC" if seen.time_zone or has_offsets else "as written"
    zone = "each with its offset from UTC" if has_offsets else f"time zone {seen.time_zone or 'unknown'}"
    first, last = (None if each is None else f"{each:%Y-%m-%d %H:%M}" for each in (seen.first_time, seen.last_time))
    span = "none" if first is None else f"{first} to {last} {clock}"
    rules = ", ".join(f"{rule} {count:,}" for rule, count in seen.refused.items())
    facts = {
        "file": f"{seen.file} ({kind})",
        "times": f"{', '.join(seen.time_columns)}, {zone}",
        "dates": f"{order} ({seen.date_order_reason})",
        "times are": f"the {end} of each interval ({seen.named_by_reason})"
        if seen.meter == "interval"
        else "the instants of its values",
        "values": f"{seen.value_column} [{seen.unit or 'unit unknown'}]",
        "decimal mark": f"{seen.decimal} ({seen.decimal_reason})",
        "channel": seen.channel or "unknown",
        "step": step,
        "span": span,
        "rows": f"{seen.n_rows:,}, {seen.n_refused:,} of them refused" + (f" ({rules})" if rules else ""),
        **{f"note {number}": note for number, note in enumerate(seen.notes, start=1)},
    }
    width = max(len(name) for name in facts)
    rows = [
        f"  {time:%Y-%m-%d %H:%M} {clock}  {'gap' if value is None else f'{value:g}'}"
        for time, value in seen.values
        if time
    ]
    return [*(f"{name:<{width}}  {text}" for name, text in facts.items()), "first rows", *rows[:_SHOWN]]


def _can_ask() -> bool:
    return sys.stdin.isatty()
