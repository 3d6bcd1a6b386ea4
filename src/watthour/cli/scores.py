"""`watthour scores`: how good the forecasts were, beside their rivals."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Any, Literal

import typer

from watthour.cli.context import chosen_context, opened, parse_day
from watthour.cli.options import AsJson, RegionName  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, utc_now


def scores(
    region: RegionName = None,
    *,
    days: Annotated[int, typer.Option(min=1, help="How many local days.")] = 30,
    end: Annotated[str | None, typer.Option(help="The last of them; default: today.")] = None,
    by: Annotated[
        Literal["lead", "day", "level"],
        typer.Option(help="Scores by hours ahead, errors day by day, or readings below each level."),
    ] = "lead",
    as_json: AsJson = False,
) -> None:
    """Show errors, bias, interval coverage and skill by lead time, every forecaster on the same hours."""
    from watthour.core.units import digits_for
    from watthour.workflows.view import grid_history, grid_scores

    with opened() as app:
        context = chosen_context(app, region)
        last = parse_day("--end", end) if end else None
        if by != "lead":
            clock = time(app.settings.issue_hour)
            history: dict[str, Any] = grid_history(
                app.store, context, days=days, end=last, now=utc_now(), issue_clock=clock
            )
            _show_history(history, by, as_json=as_json)
            return
        page: dict[str, Any] = grid_scores(app.store, context, days=days, end=last, now=utc_now())
    if as_json:
        show_json(page)
        return
    unit, digits = page["unit"], digits_for([row["mae"] for row in page["rows"]])
    show_table(
        (
            "lead [h]",
            "forecast",
            "intervals",
            f"MAE [{unit}]",
            "MAPE [%]",
            f"bias [{unit}]",
            f"RMSE [{unit}]",
            "90 % covers [%]",
            "skill [%]",
        ),
        [
            (
                row["lead_hours"],
                row["label"],
                f"{row['n']:,}",
                number(row["mae"], digits),
                number(row["mape_percent"], 2),
                number(row["bias"], digits),
                number(row["rmse"], digits),
                number(row["coverage90_percent"]),
                number(row["skill_percent"]),
            )
            for row in page["rows"]
        ],
    )
    typer.echo(page["protocol"], err=True)


def _show_history(history: dict[str, Any], by: str, *, as_json: bool) -> None:
    from watthour.core.units import digits_for

    if as_json:
        show_json(history)
    elif by == "level":
        found = history["reliability"]
        rows = [(number(row["level_percent"]), number(row["below_percent"])) for row in found["rows"]]
        show_table(("level [%]", "readings at or below [%]"), rows)
        typer.echo(f"{found['n']:,} intervals of day-ahead forecasts of trained models.", err=True)
    else:
        days = [(day["day"], row) for day in history["days"] for row in day["rows"]]
        digits = digits_for([row["mae"] for _day, row in days])
        show_table(
            ("day", "forecast", f"MAE [{history['unit']}]", "MAPE [%]"),
            [(day, row["label"], number(row["mae"], digits), number(row["mape_percent"], 2)) for day, row in days],
        )
