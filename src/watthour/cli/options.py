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
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
