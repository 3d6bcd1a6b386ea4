"""Saving a fitted model as a NumPy archive without pickles and a page of JSON, and loading it again."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Array

ARRAYS, WORDS = "days.npz", "state.json"


def pack(arrays: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the files; arrays are kept to the last bit, in the type they have."""
    archive = io.BytesIO()
    np.savez_compressed(archive, allow_pickle=False, **arrays)
    return {ARRAYS: archive.getvalue(), WORDS: json.dumps(words, indent=1).encode()}


def unpack(files: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays and the words of files.

    Raises:
        KeyError: one of the files is missing.
        ValueError: the archive holds anything but plain arrays.
    """
    with np.load(io.BytesIO(files[ARRAYS]), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays, json.loads(files[WORDS])


def in_half(values: Array) -> Array:
    """Return values to the precision of four bytes, as the archive keeps what needs no more; any shape.

    A model works with these from the beginning, so that it answers the same to the last bit before and after saving.
    """
    return np.asarray(values, dtype=np.float32).astype(np.float64)
