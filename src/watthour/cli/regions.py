"""`watthour regions`: which regions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table

if TYPE_CHECKING:
    from watthour.grid.regions import Region


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
                {
                    "id": region.site.id,
                    "name": region.site.name,
                    "operator": region.site.operator,
                    "eia": region.site.code("eia"),
                    "time_zone": region.site.place.time_zone,
                }
                for region in found
            ]
        )
        return
    show_table(
        ("region", "name", "operator", "EIA", "time zone"),
        [
            (
                region.site.id,
                region.site.name,
                region.site.operator or "",
                region.site.code("eia") or "",
                region.site.place.time_zone,
            )
            for region in found
        ],
    )


def _found(text: str | None) -> list[Region]:
    """Return the region of exactly this name, else those with the text in a name, else say which names are near."""
    from watthour.core.errors import UnknownSite
    from watthour.grid.regions import Regions, regions

    if text is None:
        return list(regions())
    exact = Regions().find(text)
    wanted = text.strip().casefold()
    found = [
        region
        for region in regions()
        if (region.site.id == exact.site.id if exact else any(wanted in name.casefold() for name in region.names))
    ]
    if not found:
        raise UnknownSite(text, Regions().near(text))
    return found
