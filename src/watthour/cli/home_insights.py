"""`watthour home insights`: what is worth knowing about a home, or a device in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watthour.cli.context import opened
from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SELDOM_WEEKS = 1000.0  # or more seldom
_UNITS = ((52.18, "years"), (4.35, "months"), (1.0, "weeks"))  # [weeks], told from two of them on
_FROM = 2


def insights(
    home: Annotated[str, typer.Argument(help="The home's name or id.")],
    *,
    device: Annotated[str | None, typer.Option("--device", help="One device alone, by name or id.")] = None,
    days: Annotated[int, typer.Option("--days", help="Days before the last reading that are told of.")] = 28,
    false_alarms: Annotated[
        float, typer.Option("--false-alarms", help="Anomalies a week that may be told where nothing is odd.")
    ] = 0.5,
    as_json: AsJson = False,
) -> None:
    """Tell what was unusual, what is always on, which devices use most, peaks and changed habits, with the evidence."""
    from watthour.workflows import view
    from watthour.workflows.homes import devices_of, home_named, part_named
    from watthour.workflows.insights import device_insights, home_insights

    now = utc_now()
    with opened() as app:
        site = home_named(app.store, home)
        choices = {"days": days, "false_alarms_per_week": false_alarms}
        if device is None:
            told = home_insights(app.store, site, now=now, **choices)  # type: ignore[arg-type]  # days is a whole number
            content = view.home_insights_entry(site, told, now)
        else:
            part = part_named("device", device, devices_of(app.store, site))
            of_part = device_insights(app.store, site, part, now=now, **choices)  # type: ignore[arg-type]  # likewise
            content = view.device_insights_entry(site, part, of_part, now)
    if as_json:
        show_json(content)
        return
    _show(content, site.place.time_zone)


def _show(content: Mapping[str, Any], zone: str) -> None:
    span = f"{local_time(content['start'], zone)} to {local_time(content['end'], zone)} ({zone})"
    typer.echo(f"{span}, {content['channel'] or 'no channel'}")
    if content.get("standby"):
        _show_standby(content["standby"])
    if content.get("oddities"):
        _show_oddities(content["oddities"], content.get("left_out", ()), zone)
    if content.get("consumers"):
        _show_consumers(content["consumers"])
    for peak in content.get("peaks") or ():
        on = ", ".join(f"{each['name']} {number(each['power_w'], 0)} W" for each in peak["on"]) or "nobody knows what"
        typer.echo(f"Peak: {number(peak['power_w'], 0)} W from {local_time(peak['start'], zone)}; on: {on}.")
    if content.get("efficiency"):
        _show_efficiency(content["efficiency"])
    for change in (content.get("habits") or {}).get("changes", ()):
        hours = f"{change['first_hour']}:00 to {change['end_hour']}:00 on {change['days']}"
        before, after = number(change["before_kwh"], 2), number(change["after_kwh"], 2)
        typer.echo(
            f"Habit: {hours}, {after} kWh a day instead of {before} (by chance in {change['chance']:.2%} of cases)."
        )
    if content.get("uses"):
        uses = content["uses"]
        typer.echo(
            f"Uses: {uses['n_uses']}, {number(uses['energy_kwh'], 2)} kWh; {uses['n_before']} in the time before."
        )
    if content.get("impact"):
        step = content["impact"]
        sure = "" if step["is_sure"] else ", which may be nothing"
        adds = f"{number(step['step_w'], 0)} W ({_between(step, 'low_w', 'high_w')}, 95 %)"
        typer.echo(f"Switched on, it adds {adds} to what the home draws{sure}.")
    for each in content["unknown"]:
        typer.echo(f"Not known: {each['insight']}: {each['problem']}. {each['remedy']}", err=True)


def _show_standby(least: Mapping[str, Any]) -> None:
    span = _between(least, "low_w", "high_w")
    share = "" if least["share"] is None else f", {number(100 * least['share'], 0)} % of all"
    cycling = ", fridge and the like included" if least["holds_cycling"] else ""
    year = number(least["kwh_per_year"], 0)
    power = f"{number(least['power_w'], 0)} W ({span}; {least['n_nights']} nights)"
    typer.echo(f"Standby: {power}{share}, {year} kWh a year{cycling}.")


def _show_oddities(odd: Mapping[str, Any], left_out: Sequence[str], zone: str) -> None:
    if left_out:
        typer.echo(f"What is odd and which habits changed is told of the home without {', '.join(left_out)}.")
    if odd["anomalies"]:
        rows = [
            (
                local_time(each["start"], zone),
                local_time(each["end"], zone),
                number(each["measured_w"], 0),
                number(each["expected_w"], 0),
                number(each["extra_kwh"], 2),
                _seldom(each["once_in_weeks"]),
            )
            for each in odd["anomalies"]
        ]
        show_table((f"odd from ({zone})", "to", "W", "expected W", "kWh more", "by chance"), rows)
    elif odd["n_runs"] is None:
        typer.echo(f"Nothing odd in {odd['n_hours']} hours, beside the weeks before.")
    elif not odd["runs"]:
        typer.echo(f"Nothing odd in {odd['n_runs']} runs, beside the weeks before.")
    for run in odd["runs"]:
        typer.echo(_run_in_words(run, zone))
    for shift in odd["shifts"]:
        span = _between(shift, "low_w", "high_w")
        change = shift["change_w"]
        direction = "less" if change < 0 else "more"
        typer.echo(f"Since {shift['day']}: {number(abs(change), 0)} W {direction} around the clock ({span}).")
    if odd["n_charging_hours"]:
        typer.echo(
            f"Hardly known: what was odd in {odd['n_charging_hours']} hours in which a car seems to charge. "
            "Connect a meter to the charger, and it is taken out.",
            err=True,
        )


def _run_in_words(run: Mapping[str, Any], zone: str) -> str:
    start, end = local_time(run["start"], zone), local_time(run["end"], zone)
    span = f"{start} to {end}" if run["is_over"] else f"since {start}, and still so at {end}"
    measured, usual = number(run["measured"], 1), number(run["usual"], 1)
    what = {
        "energy": f"a run used {number(run['measured'], 2)} kWh, where {number(run['usual'], 2)} are usual",
        "duration": f"a run of {measured} h, where {usual} are usual",
        "clock": f"a run at an hour at which it hardly ever begins; most do at about {round(run['usual']) % 24}:00",
        "count": f"{run['measured']:.0f} runs in a day, where {run['usual']:.0f} are usual",
        "pause": f"no run for {measured} days, where {usual} are usual",
    }[run["kind"]]
    return f"Odd, {span}: {what} (by chance {_seldom(run['once_in_weeks'])})."


def _seldom(weeks: float) -> str:
    """Return how seldom something comes by chance alone, such as ``once in 14 months``."""
    if weeks >= _SELDOM_WEEKS:
        return "less than once in 19 years"
    size, unit = next(each for each in _UNITS if weeks >= _FROM * each[0] or each is _UNITS[-1])
    return f"once in {weeks / size:.0f} {unit}"


def _show_consumers(used: Mapping[str, Any]) -> None:
    def row(each: Mapping[str, Any]) -> tuple[object, ...]:
        share = None if each["share"] is None else 100 * each["share"]
        return (each["name"], number(each["energy_kwh"], 2), number(share), each["basis"])

    rows = [row(each) for each in [*used["circuits"], *used["devices"]]]
    if used["other_kwh"] is not None:
        share = 100 * used["other_kwh"] / used["total_kwh"] if used["total_kwh"] else None
        rows.append(("other", number(used["other_kwh"], 2), number(share), ""))
    if used["total_kwh"] is not None:
        rows.append(("home", number(used["total_kwh"], 2), number(100.0), "readings"))
    show_table(("used by", "kWh", "%", "by"), rows)
    if used["other_problem"]:
        typer.echo(f"Not known: the rest: {used['other_problem']}.", err=True)


def _show_efficiency(figures: Mapping[str, Any]) -> None:
    typer.echo(f"Use: {number(figures['kwh_per_day'], 2)} kWh a day over {figures['n_days']} days.")
    past = figures["against_past"]
    if past:
        span = f"{number(past['low_percent'])} to {number(past['high_percent'])}"
        typer.echo(f"Beside the past at the same temperature: {number(past['change_percent'])} % ({span}).")
    else:
        typer.echo(f"Not known: use beside the past: {figures['against_past_problem']}.", err=True)


def _between(entry: Mapping[str, Any], low: str, high: str) -> str:
    return f"{number(entry[low], 0)} to {number(entry[high], 0)}"
