"""Arguments and options that several commands share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

RegionName: TypeAlias = Annotated[
    str | None, typer.Argument(metavar="REGION", help="Any name of the region; default: the first with demand.")
]
RegionNames: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="REGION...", help="Any names of regions; default: all with demand.")
]
ISSUE_HOUR = (
    "Local hour of issue on the day before; 24: as the day begins, everything before it being known; default: that of "
    "the settings, and of prices, which are published ahead, 24."
)
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
