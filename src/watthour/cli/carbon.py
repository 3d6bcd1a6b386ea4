"""`watthour carbon`: how much CO2 a kWh of a region stands for, now and over some days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import local_days, opened, read_settings
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_POINTS = 100_000

Region = Annotated[str, typer.Argument(metavar="REGION", help="Any name of the region.")]
FirstDay = Annotated[str | None, typer.Option("--from", help="First local day; default: the same as --to.")]
LastDay = Annotated[str | None, typer.Option("--to", help="Last local day, included; default: today.")]
Series = Annotated[
    str | None, typer.Option("--channel", help="Id of one of its series, as `show` lists them; default: the first.")
]


def build() -> typer.Typer:
    """Return the group of commands."""
    commands = typer.Typer(no_args_is_help=True, help="How much CO2 a kWh of a region stands for.")
    commands.command("regions", help="List the regions whose carbon intensity is known.")(regions)
    commands.command("show", help="The last values of a region, and its mix of fuels.")(show)
    commands.command("history", help="One series of a region, interval by interval.")(history)
    commands.command("register", help="Open a free account at WattTime; asks for a password, and prints none.")(
        register
    )
    return commands


def regions(*, as_json: AsJson = False) -> None:
    """List the regions whose carbon intensity is known, each with its series and their kinds."""
    from watthour.workflows import view

    with opened() as app:
        found: dict[str, Any] = view.carbon_regions(app.store)
    if as_json:
        show_json(found)
        return
    rows = [
        (region["region"], region["name"], each["source"], each["words"], each["channel"])
        for region in found["regions"]
        for each in region["series"]
    ]
    show_table(("region", "name", "source", "kind", "channel"), rows)
    if not rows:
        typer.echo("Nothing is known yet: set EIA_API_KEY, or import generation by fuel.", err=True)


def show(region: Region, *, as_json: AsJson = False) -> None:
    """Tell the last good value of each series with its age, and the mix of fuels behind ours."""
    from watthour.workflows import view

    with opened() as app:
        site = view.carbon_region(app.store, app.directories, region)
        found: dict[str, Any] = view.carbon_current(app.store, site, now=utc_now())
    if as_json:
        show_json(found)
        return
    show_table(
        ("source", "kind", "value", "unit", f"interval from ({found['time_zone']})", "hours ago"), _values(found)
    )
    if found["simulated"]:
        typer.echo(f"{found['name']}: these values are simulated.", err=True)
    if found["mix"] is None:
        return
    mix: Mapping[str, Any] = found["mix"]
    factors = ("direct gCO2e/kWh", "life cycle gCO2e/kWh", "factors from")
    typer.echo()
    show_table(
        ("fuel", mix["unit"], "share", *factors),
        [
            (
                each["fuel"],
                number(each["value"]),
                f"{100 * each['share']:.1f} %",
                number(each["direct"]),
                number(each["lifecycle"]),
                f"{each['factor_source']}, {each['factor_year']}",
            )
            for each in mix["fuels"]
        ],
    )


def history(
    region: Region,
    *,
    start: FirstDay = None,
    end: LastDay = None,
    channel: Series = None,
    as_json: AsJson = False,
) -> None:
    """Tell one series of a region, interval by interval; a gap is a dash."""
    from zoneinfo import ZoneInfo

    from watthour.workflows import view

    now = utc_now()
    with opened() as app:
        site = view.carbon_region(app.store, app.directories, region)
        today = now.astimezone(ZoneInfo(site.place.time_zone)).date()
        window = local_days(site, start, end, default=today)
        found: dict[str, Any] = view.carbon_history(
            app.store, site, window, channel=channel, limit=MOST_POINTS, now=now
        )
    if as_json:
        show_json(found)
        return
    series = found["series"]
    typer.echo(f"{found['name']}: {series['words']}, by {series['source']}", err=True)
    show_table(
        (f"time ({found['time_zone']})", series["unit"], ""),
        [
            (local_time(each["time"], found["time_zone"]), number(each["value"]), " ".join(each["quality"]))
            for each in found["points"]
        ],
    )


def register(
    *,
    username: Annotated[str, typer.Option(prompt=True, help="A user name of your choice.")],
    email: Annotated[str, typer.Option(prompt=True, help="Your address.")],
    organisation: Annotated[str, typer.Option(prompt=True, help="Yours, or `private`.")] = "private",
) -> None:
    """Open a free account at WattTime; the password is asked for without being shown, and is kept nowhere."""
    from getpass import getpass

    from watthour.sources.watttime import WatttimeOptions
    from watthour.sources.watttime import register as opened_account

    password = getpass("Password: ")
    if not password or password != getpass("The same again: "):
        problem = "the two passwords differ" if password else "no password was given"
        raise InvalidInput("password", "(hidden)", problem, remedy="Try again.")
    options = read_settings().sources.get("watttime")
    options = options if isinstance(options, WatttimeOptions) else WatttimeOptions()
    user = opened_account(options, username=username, password=password, email=email, organisation=organisation)
    typer.echo(
        f"WattTime has opened the account {user}. Set WATTTIME_USERNAME={user}, and WATTTIME_PASSWORD to the one"
    )
    typer.echo("you have just chosen. It is asked for the regions that are followed by `watthour up` and")
    typer.echo("`watthour ingest`, also where a key for their demand, such as EIA_API_KEY, is missing.")


def _values(found: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return [
        (
            each["source"],
            each["words"],
            number(each["value"]),
            each["unit"],
            local_time(each["time"], found["time_zone"]) if each["time"] else "",
            number(each["age_hours"]),
        )
        for each in found["series"]
    ]
