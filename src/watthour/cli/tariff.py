"""`watthour tariff`: what energy costs in a home: set, shown, priced ahead and billed."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import local_days, opened, parse_day
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now
from watthour.cli.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from watthour.core.channel import Site

Home = Annotated[str, typer.Argument(help="The home's name or id.")]


def build() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What energy costs in a home.")
    group.command("set", help="Set a home's tariff from a file.")(set_)
    group.command("show", help="Show a home's tariff.")(show)
    group.command("prices", help="What a kWh costs in the hours ahead.")(prices)
    group.command("bill", help="What past days have cost.")(bill)
    return group


def set_(
    home: Home,
    file: Annotated[Path, typer.Argument(help="The tariff as TOML or JSON, such as tariff.toml.")],
    *,
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Local day from which it holds, such as 2026-12-01; default: from the hour now running, and where "
            "none holds yet at all times.",
        ),
    ] = None,
    confirm: Annotated[bool, typer.Option("--confirm", help="Prices that look like a slip are meant.")] = False,
    drop_later: Annotated[bool, typer.Option("--drop-later", help="What was to hold later is dropped.")] = False,
) -> None:
    """Set the tariff of a home from a file. docs/how-to/tariffs.md shows each kind.

    It holds until the next one that the home has, and replaces only one that began on the same day. What was agreed
    before stays, for bills and savings of that time.
    """
    from watthour.workflows.homes import home_named
    from watthour.workflows.tariffs import set_tariff

    cure = "Name a TOML file, or a JSON file that ends in .json; docs/how-to/tariffs.md shows one of each kind."
    said = read_table(file, what="a tariff", remedy=cure)
    with opened() as app:
        site = home_named(app.store, home)
        day = None if since is None else parse_day("--from", since)
        kept = set_tariff(
            app.store,
            app.tariffs,
            site,
            said,
            now=utc_now(),
            since=day,
            is_confirmed=confirm,
            drops_later=drop_later,
        )
    held, tariff = _held(kept.since, site), kept.tariff
    typer.echo(f"{site.name} has the tariff {tariff.name} ({tariff.currency}), {held}.", err=True)
    if kept.until is not None:
        typer.echo(
            f"Another one {_held(kept.until, site).removeprefix('which ')}; --drop-later takes it away.", err=True
        )


def show(
    home: Home,
    *,
    at: Annotated[str | None, typer.Option("--at", help="Local day; default: now.")] = None,
) -> None:
    """Show the tariff of a home as JSON, which `watthour tariff set` reads as well, and say since when it holds."""
    from watthour.core.window import local_day
    from watthour.workflows.homes import home_named
    from watthour.workflows.kept_tariffs import tariff_of

    with opened() as app:
        site = home_named(app.store, home)
        instant = utc_now() if at is None else local_day(parse_day("--at", at), site.place.time_zone).start
        tariff_of(app.tariffs, site, instant)
        term, terms = app.tariffs.term_at(site.id, instant), app.tariffs.terms(site.id)
    show_json({} if term is None else dict(term.said))
    for each in terms:
        words = "" if each != term else ", the one shown"
        typer.echo(f"{each.said.get('name')}: {_held(each.since, site)}{words}.", err=True)


def _held(since: datetime | None, home: Site) -> str:
    """Say since when a tariff holds."""
    if since is None:
        return "which holds at all times before the next one"
    return f"which holds from {local_time(since, home.place.time_zone)}"


def prices(
    home: Home,
    *,
    hours: Annotated[int, typer.Option(help="From the step now running on, at most 168.")] = 48,
    step_minutes: Annotated[int | None, typer.Option("--step", help="Minutes: 5, 10, 15, 30 or 60.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what one more kWh costs and earns, step by step; prices that are not published yet are forecast."""
    from datetime import timedelta

    from watthour.workflows import view
    from watthour.workflows.homes import home_named
    from watthour.workflows.tariffs import home_prices

    now = utc_now()
    step = None if step_minutes is None else timedelta(minutes=step_minutes)
    with opened() as app:
        site = home_named(app.store, home)
        found = home_prices(app.store, app.registry, app.tariffs, site, hours=hours, now=now, step=step)
    entry: dict[str, Any] = view.prices_entry(site, found, now=now)
    if as_json:
        show_json(entry)
        return
    columns = (f"time ({entry['time_zone']})", entry["unit"], "band", "fed in", "")
    show_table(columns, [_price_row(point, entry["time_zone"]) for point in entry["points"]])
    for term in entry["peaks"]:
        typer.echo(f"Peak of {term['month']}: {term['price_per_kw']:g} {entry['currency']} per kW.", err=True)
    for remark in entry["remarks"]:
        typer.echo(remark, err=True)


def bill(
    home: Home,
    *,
    start: Annotated[str | None, typer.Option("--from", help="First local day; default: the same as --to.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last local day, included; default: yesterday.")] = None,
    as_json: AsJson = False,
) -> None:
    """Tell what past days cost, line by line; hours that were not metered are named, and never counted as zero."""
    from zoneinfo import ZoneInfo

    from watthour.core.window import DAY
    from watthour.workflows import view
    from watthour.workflows.homes import home_named
    from watthour.workflows.tariffs import home_bill

    now = utc_now()
    with opened() as app:
        site = home_named(app.store, home)
        yesterday = now.astimezone(ZoneInfo(site.place.time_zone)).date() - DAY
        found = home_bill(app.store, app.tariffs, site, local_days(site, start, end, default=yesterday), now=now)
    entry: dict[str, Any] = view.bill_entry(site, found)
    if as_json:
        show_json(entry)
        return
    rows = [_bill_row(line) for line in entry["lines"]]
    show_table(("", "quantity", "", "price", entry["currency"]), [*rows, ("total", "", "", "", f"{found.total:.2f}")])
    for remark in (*_left_out(entry), *entry["remarks"]):
        typer.echo(remark, err=True)


def _price_row(point: Mapping[str, Any], time_zone: str) -> tuple[object, ...]:
    price = number(point["import_price"], 4)
    if point["forecast"] and point["import_lower"] is not None:
        price = f"{price} ({number(point['import_lower'], 4)} to {number(point['import_upper'], 4)})"
    words = "forecast" if point["forecast"] else ""
    return local_time(point["time"], time_zone), price, point["band"], number(point["export_price"], 4), words


def _bill_row(line: Mapping[str, Any]) -> tuple[object, ...]:
    return line["name"], number(line["quantity"], 2), line["unit"], number(line["price"], 4), f"{line['amount']:.2f}"


def _left_out(entry: Mapping[str, Any]) -> list[str]:
    said = []
    for key, words in (("missing", "Not metered"), ("unpriced", "Of unknown price")):
        for span in entry[key]:
            first, last = (local_time(span[edge], entry["time_zone"]) for edge in ("start", "end"))
            said.append(f"{words}, and not billed: {first} to {last}.")
    return said
