"""Manifests as JSON, and the check of a model's files against them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING

from watthour.core.errors import ModelCorrupt
from watthour.core.model import Manifest, digest
from watthour.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = 1
MANIFEST_FILE = "manifest.json"
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_CURE = "It is not loaded: go back with `watthour models rollback`, or train again with `watthour train`."


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


def from_json(text: str | bytes, *, where: str, cure: str = _CURE) -> Manifest:
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
        raise ModelCorrupt(problem, remedy=cure) from error
    if not all(SAFE_NAME.fullmatch(part) for name in manifest.hashes for part in name.split("/")):
        raise ModelCorrupt(f"{where} names files that do not belong to it", remedy=cure)
    if written_format > FORMAT:
        raise ModelCorrupt(f"{where} was written by a newer version of Watthour", remedy="Update Watthour.")
    return manifest


def check_files(manifest: Manifest, files: Mapping[str, bytes], *, where: str, cure: str = _CURE) -> None:
    """Compare a model's files with its manifest.

    Raises:
        ModelCorrupt: a file is missing or differs.
    """
    for file_name, expected in manifest.hashes.items():
        if file_name not in files:
            raise ModelCorrupt(f"{where}: the file {file_name} is missing", remedy=cure)
        if digest(files[file_name]) != expected:
            raise ModelCorrupt(f"{where}: the file {file_name} differs from the hash in its manifest", remedy=cure)
