"""`watthour plan`: when to run what, from a file that says what there is and what is wished."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import local_time, number, show_json, show_table
from watthour.cli.tables import read_table
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.api.schemas.base import Question
    from watthour.api.schemas.plan import PlanQuestion

_Said = TypeVar("_Said", bound="Question")

_SHOWN = "docs/how-to/plan-a-day.md shows a whole file."
_LEAST_PERCENT = 0.05  # that is told of what may be missing

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A TOML file: prices, load and sun, and what can be shifted.")
]


def plan(
    file: File,
    *,
    choices: Annotated[bool, typer.Option("--choices", help="Also plans from the cheapest to the cleanest.")] = False,
    steps: Annotated[bool, typer.Option("--steps", help="Also what is planned for each step.")] = False,
    time_limit: Annotated[
        float, typer.Option(min=0.1, max=600, help="Seconds after which the best so far is taken.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Plan appliances, batteries, cars and heat together; each choice with its reason."""
    from watthour.workflows.plan import make_plan, plan_entry

    asked = _read(file)
    planned = make_plan(
        asked.problem(), with_choices=choices or asked.with_choices, time_limit_s=time_limit, currency=asked.currency
    )
    found = plan_entry(planned)
    if as_json:
        show_json({**found, "time": [each.isoformat() for each in found["time"]]})
        return
    show_table(("what", "plan"), [(thing["name"], thing["reason"]) for thing in found["things"]])
    for miss in found["misses"]:
        typer.echo(f"{miss['name']}: {miss['words']}", err=True)
    typer.echo()
    figures = (
        ("cost", number(found["cost"], 2)),
        ("wear of batteries", number(found["wear"], 2)),
        ("kg CO2e", number(found["carbon_kg"], 2)),
        ("highest import, kW", number(found["peak_kw"], 2)),
    )
    show_table(("over the whole time", "is"), figures)
    typer.echo(how_good(found), err=True)
    for remark in found["remarks"]:
        typer.echo(remark, err=True)
    if found["choices"]:
        typer.echo()
        show_choices(found)
    if steps:
        typer.echo()
        _show_steps(found, asked.time_zone)


def _read(file: Path) -> PlanQuestion:
    from watthour.api.schemas.plan import PlanQuestion

    return checked(PlanQuestion, read_table(file, what="a plan", remedy=_SHOWN))


def checked(kind: type[_Said], content: Mapping[str, Any]) -> _Said:
    """Return what a file says as the API takes it.

    Raises:
        InvalidInput: it does not fit its description; names the field.
    """
    from pydantic import ValidationError

    from watthour.api.problems import invalid

    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        found = invalid(faults, remedy=_SHOWN)
        raise InvalidInput(found.field or "file", found.value, found.detail, remedy=found.remedy or "") from error


def how_good(found: Mapping[str, Any]) -> str:
    """Say how near a plan is to the best there is."""
    match found["status"]:
        case "rules":
            return "This plan follows rules of thumb: the solver found none in time. Allow more with --time-limit."
        case "best_so_far":
            gap = "" if found["gap"] is None else f"; another could be better by {100 * found['gap']:.1f} % at most"
            return f"The best plan so far when the time was over{gap}. Allow more with --time-limit."
    if 100 * found["gap"] < _LEAST_PERCENT:
        return "This is the best plan."
    return f"No plan is better by more than {100 * found['gap']:.1f} %."


def show_choices(found: Mapping[str, Any]) -> None:
    """Show the plans from the cheapest to the cleanest."""
    rows = [(each["words"], number(each["cost"], 2), number(each["carbon_kg"], 2)) for each in found["choices"]]
    show_table(("from the cheapest to the cleanest", "cost", "kg CO2e"), rows)


def _show_steps(found: Mapping[str, Any], zone: str) -> None:
    """Tell each step; what a battery gives is negative."""
    rows = []
    for k, time in enumerate(found["time"]):
        powers = [
            each["power_kw"][k] - (each["gives_kw"][k] if "gives_kw" in each else 0.0) for each in found["things"]
        ]
        figures = (found["import_kw"][k], found["export_kw"][k], *powers)
        rows.append((local_time(time, zone), *(number(each, 2) for each in figures)))
    names = [each["name"] for each in found["things"]]
    show_table((f"time ({zone})", "import kW", "export kW", *names), rows)
