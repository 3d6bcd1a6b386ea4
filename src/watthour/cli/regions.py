"""`watthour regions`: which regions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table

if TYPE_CHECKING:
    from watthour.core.region import Region


def regions(
    text: Annotated[str | None, typer.Argument(help="Only regions with this in one of their names.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the regions whose demand can be forecast, by all of their names."""
    found = _found(text)
    if as_json:
        show_json(
            [
                {"id": p.id, "name": p.name, "operator": p.operator, "eia": p.eia_respondent, "time_zone": p.time_zone}
                for p in found
            ]
        )
        return
    show_table(
        ("region", "name", "operator", "EIA", "time zone"),
        [(p.id, p.name, p.operator, p.eia_respondent, p.time_zone) for p in found],
    )


def _found(text: str | None) -> list[Region]:
    """Return the region of exactly this name, else those with the text in a name, else say which names are near."""
    from watthour.core.errors import UnknownRegion  # noqa: PLC0415 - with its only use
    from watthour.core.region import find_region, regions  # noqa: PLC0415 - as above

    if text is None:
        return list(regions())
    try:
        return [find_region(text)]
    except UnknownRegion:
        wanted = text.casefold()
        found = [place for place in regions() if any(wanted in name.casefold() for name in _names(place))]
        if not found:
            raise
        return found


def _names(place: Region) -> list[str]:
    return [
        place.id,
        place.name,
        place.operator,
        *([place.eia_respondent] if place.eia_respondent else []),
        *place.names,
    ]
