"""Manifests as JSON, and the story of promotions that both registries keep."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from watthour.core.errors import InvalidInput, ModelCorrupt, ModelNotFound
from watthour.core.model import Manifest, Promotion, Trial, digest
from watthour.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORMAT = 1
MANIFEST_FILE = "manifest.json"
_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


def safe_name(field: str, name: str) -> str:
    """Return a name that can be a file name on every system.

    Raises:
        InvalidInput: it could lead out of the registry.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise InvalidInput(
            field,
            name,
            "this is not a valid name of a model or its file",
            remedy="Use letters, digits and . _ - + only.",
        )
    return name


def safe_file(name: str) -> str:
    """Return the name of a model's file, which may lie in a folder of the model's own.

    Raises:
        InvalidInput: it could lead out of the model's directory.
    """
    for part in name.split("/"):
        safe_name("file", part)
    return name


def to_json(manifest: Manifest) -> str:
    """Write a manifest so that a person can read it."""
    return json.dumps(
        {
            "format": FORMAT,
            "name": manifest.name,
            "version": manifest.version,
            "recipe": manifest.recipe,
            "parameters": dict(manifest.parameters),
            "features": list(manifest.features),
            "splits": {key: [span.start.isoformat(), span.end.isoformat()] for key, span in manifest.splits.items()},
            "data_fingerprint": manifest.data_fingerprint,
            "metrics": dict(manifest.metrics),
            "created_at": manifest.created_at.isoformat(),
            "hashes": dict(manifest.hashes),
            "n_series": manifest.n_series,
        },
        indent=2,
    )


def from_json(text: str | bytes, *, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        ModelCorrupt: it is no manifest, or one of a newer version.
    """
    try:
        content = json.loads(text)
        written_format = content["format"]
        manifest = Manifest(
            name=content["name"],
            version=content["version"],
            recipe=content["recipe"],
            parameters=content["parameters"],
            features=tuple(content["features"]),
            splits={
                key: Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
                for key, (start, end) in content["splits"].items()
            },
            data_fingerprint=content["data_fingerprint"],
            metrics=content["metrics"],
            created_at=datetime.fromisoformat(content["created_at"]),
            hashes=content["hashes"],
            n_series=content.get("n_series", 1),  # not in manifests of earlier versions
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{where} is not a readable manifest ({type(error).__name__}: {error})"
        raise ModelCorrupt(problem, remedy=_CURE) from error
    if not all(_SAFE_NAME.fullmatch(part) for name in manifest.hashes for part in name.split("/")):
        raise ModelCorrupt(f"{where} names files that do not belong to it", remedy=_CURE)
    if written_format > FORMAT:
        raise ModelCorrupt(f"{where} was written by a newer version of Watthour", remedy="Update Watthour.")
    return manifest


def check_files(manifest: Manifest, files: Mapping[str, bytes], *, where: str) -> None:
    """Compare a model's files with its manifest.

    Raises:
        ModelCorrupt: a file is missing or differs.
    """
    for file_name, expected in manifest.hashes.items():
        if file_name not in files:
            raise ModelCorrupt(f"{where}: the file {file_name} is missing", remedy=_CURE)
        if digest(files[file_name]) != expected:
            raise ModelCorrupt(f"{where}: the file {file_name} differs from the hash in its manifest", remedy=_CURE)


def standing(promotions: Sequence[Promotion]) -> list[str]:
    """Return the champions one could roll back through, the present one last.

    A promotion puts a version on top; a rollback takes away what was put on top of the version it goes back to. Two
    processes that promoted at once with a version of Watthour before 0.2 may have written a rollback to another version
    than the one before; its word holds all the same, as it was the last.
    """
    champions: list[str] = []
    for promotion in promotions:
        if promotion.is_rollback and promotion.version in champions[:-1]:
            last = len(champions) - 2 - champions[-2::-1].index(promotion.version)
            del champions[last + 1 :]
        elif not champions or champions[-1] != promotion.version:
            champions.append(promotion.version)
    return champions


def trial_begun(
    before: Trial | None, name: str, champion: str | None, version: str, *, share: float, now: datetime, asked_by: str
) -> Trial:
    """Return the trial that is asked for; with the same versions as one that runs, what was scored of it stays.

    Raises:
        ModelNotFound: there is no champion.
        InvalidInput: the version is the champion, or the share is not from 0 to 1.
    """
    if champion is None:
        raise ModelNotFound(
            f"no model serves {name} yet, so nothing can be tried against it",
            remedy=f"Make {version} serve: `watthour models promote {name} {version}`.",
        )
    if version == champion:
        raise InvalidInput(
            "version",
            version,
            f"it serves {name} already",
            remedy=f"Name another one to try against it: `watthour models list {name}`.",
        )
    if not 0 <= share <= 1:
        raise InvalidInput("share", share, "it must be from 0 to 1", remedy="Give 0.2 for one hour in five.")
    trial = Trial(version, champion, share, now, asked_by)
    if before is not None and before.until is None and (before.challenger, before.champion) == (version, champion):
        return replace(trial, since=before.since)
    return trial


def trial_ended(running: Trial | None, name: str, now: datetime) -> Trial:
    """Return a trial as it stands at its end.

    Raises:
        ModelNotFound: none runs.
    """
    if running is None or running.until is not None:
        raise ModelNotFound(
            f"no A/B trial of {name} is running", remedy=f"Begin one: `watthour models ab {name} VERSION --share 0.2`."
        )
    return replace(running, until=now)


def trial_as_json(trial: Trial) -> dict[str, object]:
    """Return a trial as plain data."""
    return {
        "challenger": trial.challenger,
        "champion": trial.champion,
        "share": trial.share,
        "since": trial.since.isoformat(),
        "asked_by": trial.asked_by,
        "until": None if trial.until is None else trial.until.isoformat(),
    }


def trial_of_json(kept: Mapping[str, Any]) -> Trial:
    """Read what ``trial_as_json`` has written; what is not that raises KeyError, TypeError or ValueError."""
    return Trial(
        challenger=kept["challenger"],
        champion=kept["champion"],
        share=float(kept["share"]),
        since=datetime.fromisoformat(kept["since"]),
        asked_by=kept["asked_by"],
        until=None if kept["until"] is None else datetime.fromisoformat(kept["until"]),
    )


def not_found(name: str, version: str | None, known: Sequence[str]) -> ModelNotFound:
    """Say which model is missing and what there is instead."""
    if version is None:
        remedy = f"Train one with `watthour train`{'' if not known else ' or promote one of: ' + ', '.join(known[:5])}."
        return ModelNotFound(f"no model serves {name} yet", remedy=remedy)
    hint = f"There are: {', '.join(known[:5])}." if known else "There is none: `watthour train` makes one."
    return ModelNotFound(f"there is no version {version} of {name}", remedy=hint)


_CURE = "It is not loaded: go back with `watthour models rollback`, or train again with `watthour train`."
