"""A notebook's fitted models as a folder: native files named by their hashes, the readings, and a manifest."""

from __future__ import annotations

import io
import json
import os
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import polars as pl

from watthour.core.errors import InvalidInput, ModelCorrupt, ModelNotFound
from watthour.core.forecast import History
from watthour.core.frames import Forecasts, Readings
from watthour.core.model import digest
from watthour.core.place import Place
from watthour.forecasting.catalogue import forecaster, recipe
from watthour.forecasting.dataframe_io import Columns, context_of
from watthour.forecasting.model_choice import Choice
from watthour.forecasting.series_table import SeriesTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.forecast import Forecaster

FORMAT = 1
_MANIFEST, _SUM, _READINGS, _COMPARED = "manifest.json", "manifest.sha256", "readings.parquet", "compared.parquet"
_CURE = "It was not loaded. Fit again and save to a new folder."


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What a fitted model is made of."""

    door: Mapping[str, Any]  # the arguments of ``DayAhead``
    table: SeriesTable
    horizon: int
    models: Mapping[str, Forecaster]
    problems: Mapping[str, str]
    choice: Choice


def save(fitted: Saved, path: str | Path) -> None:
    """Write a fitted model into a new folder, which appears when all of it is on the disk.

    Raises:
        InvalidInput: there is something at that path.
    """
    place = Path(path)
    if place.exists():
        remedy = "Choose a path that does not exist yet, or delete this one first."
        raise InvalidInput("path", str(path), "this path exists already", remedy=remedy)
    contents: dict[str, bytes] = {}

    def kept(content: bytes, kind: str = "") -> str:
        name = digest(content) + kind
        contents[name] = content
        return name

    table = fitted.table
    series = {
        name: {
            "as_of": past.as_of.isoformat(),
            "channel": past.context.channel.id,
            "recipe": _recipe(fitted.choice, name),
            "files": {part: kept(content) for part, content in fitted.models[name].files().items()}
            if name in fitted.models
            else None,
        }
        for name, past in table.pasts.items()
    }
    manifest = {
        "format": FORMAT,
        "door": dict(fitted.door),
        "columns": asdict(table.columns),
        "step_seconds": table.step.total_seconds(),
        "is_pandas": table.is_pandas,
        "horizon": fitted.horizon,
        "series": series,
        "problems": dict(fitted.problems),
        "reasons": dict(fitted.choice.reasons),
        "is_pooled": fitted.choice.is_pooled,
        _READINGS: kept(_as_parquet(pl.concat([past.readings for past in table.pasts.values()])), ".parquet"),
        _COMPARED: kept(_as_parquet(fitted.choice.table), ".parquet"),
    }
    text = json.dumps(manifest, indent=1).encode()
    building = place.with_name(f".{place.name}-{uuid4().hex[:8]}")
    building.mkdir(parents=True)
    try:
        for name, content in {**contents, _MANIFEST: text, _SUM: digest(text).encode()}.items():
            (building / name).write_bytes(content)
        building.rename(place)
    except OSError:
        shutil.rmtree(building, ignore_errors=True)
        raise


def load(path: str | Path) -> Saved:
    """Load what ``save`` wrote; every file is compared with its hash first.

    Raises:
        ModelNotFound: nothing was saved there.
        ModelCorrupt: a file is missing or differs from its hash, or was written by a newer version.
    """
    place = Path(path)
    if not (place / _MANIFEST).is_file():
        raise ModelNotFound(f"{place} holds no saved model", remedy="Give the folder that was used in save(path).")
    text = (place / _MANIFEST).read_bytes()
    if not (place / _SUM).is_file() or (place / _SUM).read_text(encoding="utf-8") != digest(text):
        raise ModelCorrupt(f"{place / _MANIFEST} differs from its hash", remedy=_CURE)
    manifest: dict[str, Any] = json.loads(text)
    if manifest["format"] > FORMAT:
        raise ModelCorrupt(f"{place} was written by a newer version of Watthour", remedy="Update Watthour.")
    said = manifest["columns"]
    columns = Columns(**{**said, **_lists(said), "place": Place(**said["place"])})
    step = timedelta(seconds=manifest["step_seconds"])
    readings = _from_parquet(_checked(place, manifest[_READINGS])).partition_by("number", as_dict=True)
    kept: dict[str, Mapping[str, Any]] = manifest["series"]
    read: dict[str, bytes] = {}  # series of a pool share their trees
    pasts, models, recipes = {}, {}, {}
    for number, (name, each) in enumerate(kept.items()):
        rows = readings[(number,)].drop("number") if (number,) in readings else Readings.create_empty()
        pasts[name] = History(
            datetime.fromisoformat(each["as_of"]),
            context_of(name, number, columns, step),
            Readings.validate(rows, cast=True),
            Forecasts.create_empty(),
        )
        recipes[name] = recipe(each["recipe"]["name"], each["recipe"]["parameters"])
        if each["files"] is not None:
            for hashed in each["files"].values():
                if hashed not in read:
                    read[hashed] = _checked(place, hashed)
            files = {part: read[hashed] for part, hashed in each["files"].items()}
            try:
                models[name] = forecaster(each["recipe"]["name"], files)
            except Exception as error:  # the hashes are right, so whatever it is, another version wrote the files
                problem = f"{place} holds a model that this version of Watthour cannot read"
                raise ModelCorrupt(f"{problem} ({type(error).__name__}: {error})", remedy=_CURE) from error
    door = {**manifest["door"], **_lists(manifest["door"])}
    compared = pl.read_parquet(io.BytesIO(_checked(place, manifest[_COMPARED])))
    return Saved(
        door,
        SeriesTable(columns, pasts, is_pandas=manifest["is_pandas"]),
        manifest["horizon"],
        models,
        manifest["problems"],
        Choice(recipes, compared, manifest["reasons"], manifest["is_pooled"]),
    )


def _lists(said: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the lists of columns as they are kept in memory; older files have no companions."""
    return {name: tuple(said[name]) for name in ("covariates", "companions") if name in said}


def _recipe(choice: Choice, name: str) -> dict[str, object]:
    chosen = choice.recipes[name]
    return {"name": chosen.name, "parameters": asdict(cast("Any", chosen))}


def _as_parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def _from_parquet(content: bytes) -> pl.DataFrame:
    """Return readings with the number of their series."""
    table = pl.read_parquet(io.BytesIO(content))
    return table.with_columns(number=pl.col("channel").str.extract(r"\.(\d+)\.").cast(pl.Int64))


def _checked(place: Path, name: str) -> bytes:
    """Return the content of a file whose name begins with its hash.

    Raises:
        ModelCorrupt: it is missing or differs.
    """
    if os.path.basename(name) != name or not (place / name).is_file():  # noqa: PTH119 - a name, not a path
        raise ModelCorrupt(f"{place}: the file {name} is missing", remedy=_CURE)
    content = (place / name).read_bytes()
    if digest(content) != name.partition(".")[0]:
        raise ModelCorrupt(f"{place}: the file {name} differs from its hash", remedy=_CURE)
    return content
