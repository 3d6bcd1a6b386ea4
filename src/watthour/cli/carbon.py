"""`watthour carbon`: how much CO2 a kWh of a region stands for, now, over some days, and in the hours ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import local_days, opened, read_settings
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from watthour.bootstrap import App
    from watthour.workflows.view import CarbonAhead

MOST_POINTS = 100_000

Region = Annotated[str, typer.Argument(metavar="REGION", help="Any name of the region.")]
FirstDay = Annotated[str | None, typer.Option("--from", help="First local day; default: the same as --to.")]
LastDay = Annotated[str | None, typer.Option("--to", help="Last local day, included; default: today.")]
Series = Annotated[
    str | None, typer.Option("--channel", help="Id of one of its series, as `show` lists them; default: the first.")
]
Whose = Annotated[str, typer.Option("--source", help="Whose forecast: watthour, or a provider whose forecast is kept.")]


def build() -> typer.Typer:
    """Return the group of commands."""
    commands = typer.Typer(no_args_is_help=True, help="How much CO2 a kWh of a region stands for.")
    commands.command("regions", help="List the regions whose carbon intensity is known.")(regions)
    commands.command("show", help="The last values of a region, and its mix of fuels.")(show)
    commands.command("history", help="One series of a region, interval by interval.")(history)
    commands.command("forecast", help="A region in the hours ahead, interval by interval.")(forecast)
    commands.command("trend", help="Whether the next hours are cleaner or dirtier than now.")(trend)
    commands.command("best-window", help="When a run of some hours would be cleanest.")(best_window)
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


def forecast(
    region: Region,
    *,
    hours: Annotated[int, typer.Option(help="From now on, 1 to 96.")] = 24,
    channel: Series = None,
    source: Whose = "watthour",
    as_json: AsJson = False,
) -> None:
    """Forecast a series of a region with its 90 % interval, and tell how good such forecasts have been."""
    from watthour.workflows import view

    now = utc_now()
    with opened() as app:
        ahead = _ahead(app, region, channel, source, now)
        found: dict[str, Any] = view.carbon_forecast(app.store, app.registry, ahead, hours=hours, now=now)
    if as_json:
        show_json(found)
        return
    _tell_series(found)
    show_table(
        (f"time ({found['time_zone']})", found["series"]["unit"], "5 %", "95 %", "usual"),
        [
            (
                local_time(each["time"], found["time_zone"]),
                *(number(each[name]) for name in ("value", "lower", "upper", "usual")),
            )
            for each in found["points"]
        ],
    )
    age = f"; readings {found['data_age_hours']:g} h old" if found["data_age_hours"] is not None else ""
    typer.echo(
        f"{found['model_label']}, issued at {local_time(found['issued_at'], found['time_zone'])}{age}.", err=True
    )
    for words in (found["fallback"], *found["missing_inputs"]):
        if words:
            typer.echo(f"Note: {words}", err=True)
    scored = [each for each in found["scores"]["rows"] if each["lead_hours"] == "all"]
    if scored:
        typer.echo()
        show_table(
            (f"last {found['scores']['days']} days", "mean error", "%", "90 % covers [%]"),
            [
                (each["label"], *(number(each[name]) for name in ("mae", "mape_percent", "coverage90_percent")))
                for each in scored
            ],
        )


def trend(
    region: Region,
    *,
    hours: Annotated[int, typer.Option(help="After the interval now running, 1 to 24.", min=1, max=24)] = 3,
    channel: Series = None,
    source: Whose = "watthour",
    as_json: AsJson = False,
) -> None:
    """Tell whether the next hours are cleaner or dirtier than now, and than usual at their time of day."""
    from watthour.workflows import view

    now = utc_now()
    with opened() as app:
        ahead = _ahead(app, region, channel, source, now)
        found: dict[str, Any] = view.carbon_trend(app.store, ahead, hours=hours, now=now)
    if as_json:
        show_json(found)
        return
    _tell_series(found)
    if found["trend"] is None:
        typer.echo("Not all of these hours are forecast.")
    else:
        unit = found["series"]["unit"]
        chance = found["probability_higher"]
        sure = "" if chance is None else f"; higher than now with a probability of {100 * chance:.0f} %"
        usual = found["against_usual_percent"]
        beside = "" if usual is None else f" Against what is usual then: {usual:+.0f} %."
        typer.echo(
            f"{found['trend'].capitalize()}: {number(found['now'])} {unit} now, {number(found['ahead'])} in the next "
            f"{found['hours']} h ({found['change_percent'] or 0:+.0f} %{sure}).{beside}"
        )
    typer.echo(found["definition"], err=True)


def best_window(
    region: Region,
    *,
    duration: Annotated[str, typer.Option(help="Length of the run: 3h, 90min, 1h30.")] = "3h",
    hours: Annotated[int, typer.Option(help="How far ahead to look where no deadline is named, 1 to 96.")] = 24,
    earliest: Annotated[
        str | None, typer.Option(help="It begins no earlier: 22:00, or 2026-11-22T22:00; default: now.")
    ] = None,
    deadline: Annotated[str | None, typer.Option(help="It has ended by then: 07:00, or 2026-11-22T07:00.")] = None,
    channel: Series = None,
    source: Whose = "watthour",
    as_json: AsJson = False,
) -> None:
    """Find when a run is cleanest, what that saves against starting at once, how sure it is, and the runner-up."""
    from watthour.workflows import view
    from watthour.workflows.asked_times import duration_of, moment

    now, length = utc_now(), duration_of(duration)
    with opened() as app:
        ahead = _ahead(app, region, channel, source, now)
        zone = ahead.site.place.time_zone
        found: dict[str, Any] = view.carbon_best_window(
            app.store,
            ahead,
            length,
            hours=hours,
            earliest=moment("--earliest", earliest, zone, now),
            deadline=moment("--deadline", deadline, zone, now),
            now=now,
        )
    if as_json:
        show_json(found)
        return
    _tell_series(found)
    typer.echo(found["words"])
    rows = [("best", found["best"], None), ("starting at once", found["at_once"], found["saving"])]
    rows.append(("runner-up", found["runner_up"], found["ahead_of_runner_up"]))
    show_table(
        ("", f"from ({zone})", "to", found["series"]["unit"], "the best is lower by", "5 %", "95 %", "probability, %"),
        [
            (
                name,
                local_time(run["start"], zone),
                local_time(run["end"], zone),
                number(run["mean"]),
                *(number(less and less[each]) for each in ("value", "lower", "upper")),
                number(None if less is None or less["probability"] is None else 100 * less["probability"], 0),
            )
            for name, run, less in rows
            if run is not None
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


def _ahead(app: App, region: str, channel: str | None, source: str, now: datetime) -> CarbonAhead:
    from watthour.workflows import view

    site = view.carbon_region(app.store, app.directories, region)
    return view.carbon_ahead(app.store, app.registry, app.directories, site, channel=channel, source=source, now=now)


def _tell_series(found: Mapping[str, Any]) -> None:
    """Say what the figures speak of, and whose they are."""
    series, simulated = found["series"], " (SIMULATED)" if found["simulated"] else ""
    whose = "" if found["source"] == "watthour" else f", forecast by {found['source']}"
    typer.echo(f"{found['name']}{simulated}: {series['words']}, by {series['source']}{whose}", err=True)


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
