"""`watthour home savings`: what planned runs have saved."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from watthour.cli.context import opened, parse_day
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.core.window import Window


def savings(
    home: Annotated[str, typer.Argument(help="The home's name or id.")],
    *,
    start: Annotated[
        str | None, typer.Option("--from", help="First local day; default: the first of the month.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last local day, included; default: today.")] = None,
    by: Annotated[Literal["run", "day", "month"], typer.Option(help="A row for each.")] = "run",
    csv: Annotated[
        Path | None, typer.Option("--csv", dir_okay=False, writable=True, help="Write the rows to this file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what runs that were done cost, beside the same energy at once and as usual before there were plans."""
    from watthour.workflows import view
    from watthour.workflows.homes import home_named
    from watthour.workflows.savings import home_savings

    now = utc_now()
    with opened() as app:
        site = home_named(app.store, home)
        window = _window(site, start, end, now)
        found = home_savings(app.store, app.tariffs, app.equipment_file, site, window, by=by, now=now)
    entry = view.savings_entry(site, found)
    if csv is not None:
        _write(csv, view.savings_csv(site, found))
        typer.echo(f"{len(found.rows):,} rows are in {csv}.", err=True)
    elif as_json:
        show_json(entry)
    else:
        _show(entry)


def _window(site: Site, start: str | None, end: str | None, now: datetime) -> Window:
    from zoneinfo import ZoneInfo

    from watthour.core.window import DAY, Window, local_midnight

    zone = site.place.time_zone
    last = now if end is None else local_midnight(parse_day("--to", end) + DAY, zone)
    day = now.astimezone(ZoneInfo(zone)).date().replace(day=1) if start is None else parse_day("--from", start)
    first = local_midnight(day, zone)
    if first >= last:
        raise InvalidInput("--from", start, f"it is after --to = {end or 'now'}", remedy="Name both, the first first.")
    return Window(first, last)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        remedy = "Name a file in a folder that is there and that you may write to."
        raise InvalidInput("--csv", str(path), f"it cannot be written: {error.strerror}", remedy=remedy) from error


def _show(entry: Mapping[str, Any]) -> None:
    currency = entry["currency"]
    columns = (
        "",
        f"began ({entry['time_zone']})" if entry["by"] == "run" else entry["by"],
        "kWh",
        currency,
        "kg CO2e",
        f"at once {currency}",
        f"saved {currency}",
        "saved kg",
        f"than usual {currency}",
        "shifted kWh",
        f"regret {currency}",
        "% of best",
        "",
    )
    rows = [_row(each, entry) for each in entry["rows"]]
    show_table(columns, [*rows, _row({**entry["total"], "name": "total"}, entry)])
    for remark in entry["remarks"]:
        typer.echo(remark, err=True)


def _row(row: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[object, ...]:
    is_run = row["kind"] != "all"
    began = local_time(row["start"], entry["time_zone"]) if is_run else row["day"]
    words = [row["remark"]] if row["remark"] else []
    words += ["estimated"] if row["is_estimated"] else []
    return (
        row["name"] or f"{row['n_runs']} runs",
        "" if row["name"] == "total" else began[:7] if entry["by"] == "month" else began,
        number(row["energy_kwh"], 2),
        number(row["cost"], 3),
        number(row["carbon_kg"], 3),
        number(row["at_once"]["cost"], 3),
        number(row["saved_money"], 3),
        number(row["saved_carbon_kg"], 3),
        number(row["saved_usual_money"], 3),
        number(row["shifted_kwh"], 2),
        number(row["regret_money"], 3),
        "-" if row["captured"] is None else f"{100 * row['captured']:.0f}",
        "; ".join(words),
    )
