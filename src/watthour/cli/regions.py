"""`watthour regions`: which regions there are."""

from __future__ import annotations

from typing import Annotated

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import show_json, show_table


def regions(
    text: Annotated[str | None, typer.Argument(help="Only regions with this in one of their names.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """List the regions whose demand can be forecast, by all of their names."""
    from watthour.core import region as catalogue  # noqa: PLC0415 - polars is slow to import

    found = [
        place
        for place in catalogue.regions()
        if text is None or any(text.casefold() in name.casefold() for name in _names(place))
    ]
    if not found and text is not None:
        found = [catalogue.find_region(text)]
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


def _names(place: object) -> list[str]:
    fields = ("id", "name", "operator", "eia_respondent")
    return [str(getattr(place, field)) for field in fields if getattr(place, field)] + list(getattr(place, "names", ()))
