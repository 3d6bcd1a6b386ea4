"""What a store has just kept, told to whoever wants to hear it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from watthour.core.channel import Channel


class Table(StrEnum):
    """What kind of rows."""

    READINGS = "readings"
    SAMPLES = "samples"
    FORECASTS = "forecasts"


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that were kept, some of them new, and the channels of the store."""

    table: Table
    rows: pl.DataFrame
    channels: Callable[[], Sequence[Channel]]
