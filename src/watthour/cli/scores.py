"""`watthour scores`: how good the forecasts were, beside their rivals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from watthour.cli.context import chosen_context, opened, parse_day
from watthour.cli.options import AsJson, RegionName  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, utc_now


def scores(
    region: RegionName = None,
    *,
    days: Annotated[int, typer.Option(min=1, help="How many local days.")] = 30,
    end: Annotated[str | None, typer.Option(help="The last of them; default: today.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show errors, bias, interval coverage and skill by lead time, every forecaster on the same hours."""
    from watthour.core.units import digits_for
    from watthour.workflows.view import grid_scores

    with opened() as app:
        context = chosen_context(app, region)
        last = parse_day("--end", end) if end else None
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
