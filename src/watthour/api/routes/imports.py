"""Bring in a file: any table, or a six-month file of EIA's."""

import re
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from watthour.api.contract import problems
from watthour.api.schemas.imports import ImportedRows, ImportPreview, OpenQuestion, PreviewRow
from watthour.api.schemas.sites import NextStep, SiteEntry
from watthour.api.state import ApiState, State
from watthour.bootstrap import DeviceUses, Preview, TableOptions
from watthour.core.errors import InvalidInput, PayloadChanged
from watthour.core.forecast import Context
from watthour.workflows import view
from watthour.workflows.arrivals import after_import
from watthour.workflows.ingest import IngestReport, backfill
from watthour.workflows.uses import keep_uses

BALANCE_NAME = "EIA930_BALANCE_upload.csv"  # a file of EIA's is known by its header, whatever it is called
_BALANCE_HEADER = b"Balancing Authority"
_HEAD = 4096  # bytes in which the header of such a file begins
_LONGEST_NAME = 80

router = APIRouter(prefix="/api/v1", tags=["readings"])


def _said(words: str, example: str | None) -> object:
    return Form(max_length=200, description=words, examples=[example])


@router.post("/imports", summary="Import a table", responses=problems(403, 404, 413, 507))
async def import_file(  # noqa: PLR0913 - each is a field of the form
    state: ApiState,
    file: Annotated[
        UploadFile, File(description="A table as CSV or Parquet, or a file `EIA930_BALANCE_*.csv`, unchanged.")
    ],
    *,
    region: Annotated[
        str | None, Form(max_length=100, description="Region of the file; any of its names.", examples=["ny"])
    ] = None,
    site: Annotated[str | None, _said("Site of the table; a new name adds a site.", None)] = None,
    channel: Annotated[str | None, _said("Channel of the values.", None)] = None,
    unit: Annotated[str | None, _said("Unit of the values.", None)] = None,
    time_zone: Annotated[str | None, _said("Time zone of a new site, and of times without an offset.", None)] = None,
    times_in: Annotated[str | None, _said("Time zone of the times, if different from the site's.", None)] = None,
    time_column: Annotated[str | None, _said("Column with the times.", None)] = None,
    value_column: Annotated[str | None, _said("Column with the values.", None)] = None,
    named_by: Annotated[str | None, _said("Whether each time is the start or end of its interval.", None)] = None,
    separator: Annotated[str | None, _said("comma, semicolon, tab or bar.", None)] = None,
    decimal: Annotated[str | None, _said("Decimal mark: point or comma.", None)] = None,
    date_order: Annotated[str | None, _said("dmy, mdy or ymd.", None)] = None,
    forecast_of: Annotated[str | None, _said("Channel that the values forecast.", None)] = None,
    forecast_column: Annotated[str | None, _said("Column with a forecast by someone else.", None)] = None,
    covariate_column: Annotated[
        list[str] | None,
        Form(
            max_length=50,
            description="Columns that are known ahead: NAME, NAME=UNIT or NAME=VARIABLE:UNIT, the variable being one "
            "of the weather. Send the field once for each.",
            examples=[["Wind forecast=MW"]],
        ),
    ] = None,
    issued_column: Annotated[str | None, _said("Column with the time when each forecast was made.", None)] = None,
    issued_at: Annotated[str | None, _said("Assumed time on the day before at which it was made.", None)] = None,
    holidays: Annotated[
        str | None,
        _said("Calendar of public holidays of a new site, such as FR, US-NY or TR+ramadan; empty: none.", None),
    ] = None,
    meter: Annotated[str | None, _said("What the values are: interval, counter or samples (power).", None)] = None,
    solar: Annotated[
        str | None, _said("yes: energy of a home is also fed in; no: rows with negative values are refused.", None)
    ] = None,
    longest_silence: Annotated[
        str | None, _said("Counters and samples: longest time between two of them. [min]", None)
    ] = None,
    dry_run: Annotated[
        bool, Form(description="Show how the file is read, and import nothing.", examples=[False])
    ] = False,
) -> ImportedRows:
    """Read any table of times and values as CSV or Parquet, or a file `EIA930_BALANCE_*.csv` of the EIA Grid Monitor.

    With `dry_run` nothing is kept: the answer says what was understood, and what is still open. Importing a file twice
    changes nothing.
    """
    options = TableOptions(
        channel=channel or None,
        unit=unit or None,
        time_zone=time_zone or None,
        time_column=time_column or None,
        value_column=value_column or None,
        named_by=named_by or None,
        site=site or None,
        times_in=times_in or None,
        separator=separator or None,
        decimal=decimal or None,
        date_order=date_order or None,
        forecast_of=forecast_of or None,
        forecast_column=forecast_column or None,
        covariate_columns=tuple(each for each in covariate_column or () if each),
        issued_column=issued_column or None,
        issued_at=issued_at or None,
        holidays=holidays or None,
        meter=meter or None,
        solar=solar or None,
        longest_silence=longest_silence or None,
    )
    context = await state.compute.run(lambda: state.models.context(region)) if region else None
    imported = await state.compute.run(
        lambda: _import(state, context, file, options, dry_run=dry_run), timeout_s=state.limits.import_timeout_s
    )
    if not dry_run:
        state.warm.drop()
    return imported


def _import(
    state: State, context: Context | None, file: UploadFile, options: TableOptions, *, dry_run: bool
) -> ImportedRows:
    is_balance = not options.is_said and _BALANCE_HEADER in file.file.read(_HEAD)
    file.file.seek(0)
    with tempfile.TemporaryDirectory(prefix="watthour-import-") as folder:
        path = Path(folder) / (BALANCE_NAME if is_balance else _plain(file.filename or ""))
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy)
        if is_balance:
            return _balance(state, context, path, file.filename, dry_run=dry_run)
        uses = state.app.device_uses(path, options.site, now=state.now())
        if uses is not None:
            return _uses(state, uses, dry_run=dry_run)
        return _table(state, context, path, options, dry_run=dry_run)


def _uses(state: State, uses: DeviceUses, *, dry_run: bool) -> ImportedRows:
    report = None if dry_run else _keep_uses(state, uses)
    return ImportedRows(
        region=uses.site.id,
        channel=None,
        new_rows=0 if report is None else report.new_rows,
        refused_rows=uses.refused.height,
        refused=dict(uses.refused.group_by("rule").len().sort("rule").iter_rows()),
        doubted={},
        preview=None,
        findings=[],
        next=[],
    )


def _keep_uses(state: State, uses: DeviceUses) -> IngestReport:
    return keep_uses(state.app.store, uses.devices, uses.events, uses.refused, file=uses.file, now=state.now())


def _table(state: State, context: Context | None, path: Path, options: TableOptions, *, dry_run: bool) -> ImportedRows:
    region = context.site.id if context is not None else None
    seen = state.app.preview(path, region, options, is_sample=dry_run)
    report = IngestReport(0, 0)
    site = region
    if not dry_run:
        keep = partial(backfill, store=state.app.store, corrects=seen is not None, file=path.name)
        for source, window in state.app.file_sources(path, region, options):
            report += keep(source, window=window, now=state.now(), chunk=window.end - window.start)
            site = source.sites()[0].id
    return ImportedRows(
        region=site,
        channel=seen.channel if seen is not None else None,
        new_rows=report.new_rows,
        refused_rows=report.refused_rows,
        refused=dict(seen.refused) if seen is not None else {},
        doubted=dict(report.doubted),
        preview=_shown(seen) if seen is not None else None,
        findings=after_import(state.app.store, state.app.directories, site) if not dry_run else [],
        next=_next(state, site) if not dry_run and seen is not None and seen.is_new_site else [],
    )


def _balance(state: State, context: Context | None, path: Path, name: str | None, *, dry_run: bool) -> ImportedRows:
    region = context.site.id if context is not None else None
    try:
        report = IngestReport(0, 0)
        keep = partial(backfill, store=state.app.store, file=_plain(name or BALANCE_NAME))
        for source, window in state.app.file_sources(path, region, TableOptions()):
            region = region or source.sites()[0].id
            if not dry_run:
                report += keep(source, window=window, now=state.now(), chunk=window.end - window.start)
    except (InvalidInput, PayloadChanged) as error:
        whose = f"rows of {context.site.name}" if context is not None else "rows of a known region"
        raise InvalidInput(
            "file",
            name,
            f"this is not a file EIA930_BALANCE_*.csv with {whose}",
            remedy="Download one from https://www.eia.gov/electricity/gridmonitor and send it unchanged.",
        ) from error
    return ImportedRows(
        region=region,
        channel=None,
        new_rows=report.new_rows,
        refused_rows=report.refused_rows,
        refused={},
        doubted=dict(report.doubted),
        preview=None,
        findings=after_import(state.app.store, state.app.directories, region) if not dry_run else [],
        next=[],
    )


def _next(state: State, site: str | None) -> list[NextStep]:
    """Return what can be done next for a site that a file has added."""
    app = state.app
    kept = next((each for each in app.store.sites() if each.id == site), None)
    if kept is None:
        return []
    entry = SiteEntry.model_validate(
        view.site_entry(app.store, app.registry, app.directories, kept, app.settings.sites)
    )
    return entry.next


def _plain(name: str) -> str:
    """Return a name that is safe on any disk and tells no folder.

    >>> _plain("../Load 2021.csv")
    'Load 2021.csv'
    """
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w .()+-]", "_", last).strip(" .")[-_LONGEST_NAME:] or "table.csv"


def _shown(seen: Preview) -> ImportPreview:
    return ImportPreview(
        file=seen.file,
        encoding=seen.encoding,
        separator=seen.separator,
        decimal=seen.decimal,
        date_order=seen.date_order,
        date_order_reason=seen.date_order_reason,
        time_columns=list(seen.time_columns),
        time_zone=seen.time_zone,
        names_end=seen.names_end,
        named_by_reason=seen.named_by_reason,
        value_column=seen.value_column,
        value_columns=list(seen.value_columns),
        columns=list(seen.columns),
        unit=seen.unit,
        channel=seen.channel,
        step_seconds=None if seen.step is None else int(seen.step.total_seconds()),
        first_time=seen.first_time,
        last_time=seen.last_time,
        rows=seen.n_rows,
        refused=dict(seen.refused),
        doubted=seen.n_doubted,
        cells=[list(row) for row in seen.cells],
        values=[PreviewRow(time=time, value=value) for time, value in seen.values],
        notes=list(seen.notes),
        is_new_site=seen.is_new_site,
        is_sample=seen.is_sample,
        meter=seen.meter,
        questions=[
            OpenQuestion(field=each.field, problem=each.problem, choices=list(each.choices)) for each in seen.questions
        ],
    )
