"""The files of the model that comes with Watthour: as a registry keeps them, packed, and checked by their hashes."""

from __future__ import annotations

import io
import zipfile
from importlib.resources import files as resources
from typing import TYPE_CHECKING

from watthour.core.errors import ModelCorrupt
from watthour.core.manifest import MANIFEST_FILE, check_files, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.model import Manifest

PACKED = "homes_of_london.zip"
_WHERE = f"the model {PACKED} that comes with Watthour"
_CURE = "Install Watthour again; until then a model of your own or a baseline answers."
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # of every file in the archive, so that the same model gives the same bytes


def shipped() -> tuple[Manifest, Mapping[str, bytes]]:
    """Return the manifest and the files of the model that comes with Watthour.

    Raises:
        ModelCorrupt: they are missing, or differ from their hashes.
    """
    place = resources(__package__).joinpath(PACKED)
    try:
        return unpacked(place.read_bytes())
    except OSError as error:
        raise ModelCorrupt(f"{_WHERE} cannot be read ({error})", remedy=_CURE) from error


def unpacked(content: bytes) -> tuple[Manifest, Mapping[str, bytes]]:
    """Return the manifest and the files of a packed model.

    Raises:
        ModelCorrupt: it is no packed model, or a file differs from its hash.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    except Exception as error:  # which one depends on the bits that are wrong
        raise ModelCorrupt(f"{_WHERE} cannot be unpacked ({error})", remedy=_CURE) from error
    manifest = from_json(files.pop(MANIFEST_FILE, b""), where=_WHERE, cure=_CURE)
    check_files(manifest, files, where=_WHERE, cure=_CURE)
    return manifest, files


def packed(manifest: Manifest, files: Mapping[str, bytes]) -> bytes:
    """Return a model as one file, always the same for the same model."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in {MANIFEST_FILE: to_json(manifest).encode(), **dict(sorted(files.items()))}.items():
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()
