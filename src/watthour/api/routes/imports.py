"""Bring in a file of EIA's."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile

from watthour.api.contract import problems
from watthour.api.schemas.readings import ImportedRows
from watthour.api.state import ApiState, State
from watthour.bootstrap import TableOptions
from watthour.core.errors import InvalidInput, PayloadChanged
from watthour.core.forecast import Context
from watthour.workflows.ingest import IngestReport, backfill

FILE_NAME = "EIA930_BALANCE_upload.csv"  # what the caller calls it decides nothing

router = APIRouter(prefix="/api/v1", tags=["readings"])


@router.post("/imports", summary="Import a six-month file of EIA", responses=problems(403, 404, 413, 507))
async def import_file(
    state: ApiState,
    file: Annotated[UploadFile, File(description="A file `EIA930_BALANCE_*.csv`, unchanged.")],
    region: Annotated[str, Form(min_length=1, max_length=100, description="Any name of the region.", examples=["ny"])],
) -> ImportedRows:
    """Read a file `EIA930_BALANCE_*.csv` of the EIA Grid Monitor; importing it twice changes nothing."""
    context = await state.compute.run(lambda: state.models.context(region))
    imported = await state.compute.run(lambda: _import(state, context, file), timeout_s=state.limits.import_timeout_s)
    state.warm.drop()
    return imported


def _import(state: State, context: Context, file: UploadFile) -> ImportedRows:
    with tempfile.TemporaryDirectory(prefix="watthour-import-") as folder:
        path = Path(folder) / FILE_NAME
        with path.open("wb") as copy:
            shutil.copyfileobj(file.file, copy)
        try:
            report = IngestReport(0, 0)
            for source, window in state.app.file_sources(path, context.site.id, TableOptions()):
                report += backfill(source, state.app.store, window, now=state.now(), chunk=window.end - window.start)
        except (InvalidInput, PayloadChanged) as error:
            raise InvalidInput(
                "file",
                file.filename,
                f"this is not a file EIA930_BALANCE_*.csv with rows of {context.site.name}",
                remedy="Download one from https://www.eia.gov/electricity/gridmonitor and send it unchanged.",
            ) from error
    return ImportedRows(region=context.site.id, new_rows=report.new_rows, refused_rows=report.refused_rows)
