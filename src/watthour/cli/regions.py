"""`watthour regions`: which regions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table

if TYPE_CHECKING:
    from watthour.core.channel import Site


def regions(
    text: Annotated[
        str | None, typer.Argument(help="Only regions with this in one of their names, such as a country.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the regions whose demand can be forecast, by all of their names."""
    found = _found(text)
    if as_json:
        show_json(
            [
                {
                    "id": site.id,
                    "name": site.name,
                    "operator": site.operator,
                    "eia": site.code("eia"),
                    "entsoe": site.code("entsoe"),
                    "time_zone": site.place.time_zone,
                }
                for site in found
            ]
        )
        return
    show_table(
        ("region", "name", "operator", "EIA or ENTSO-E", "time zone"),
        [(site.id, site.name, site.operator or "", _code(site), site.place.time_zone) for site in found],
    )


def _code(site: Site) -> str:
    return site.code("eia") or site.code("entsoe") or ""


def _found(text: str | None) -> list[Site]:
    """Return the site of exactly this name, else those with the text in a name, else say which names are near."""
    from watthour.bootstrap import site_directories
    from watthour.core.errors import UnknownSite

    directories = site_directories()
    exact = [context for each in directories if text and (context := each.find(text)) is not None]
    found = exact or [context for each in directories for context in each.contexts(text or "")]
    if not found:
        raise UnknownSite(text or "", [near for each in directories for near in each.near(text or "")][:3])
    return [context.site for context in found if exact or not context.site.is_simulated]
