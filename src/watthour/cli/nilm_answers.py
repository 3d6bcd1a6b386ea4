"""`watthour nilm disaggregate` and `evaluate`: what a trained network tells, and how well."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, steps
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from watthour.nilm.scores import Scores
    from watthour.nilm.serve import ServedNetwork
    from watthour.nilm.summary import Told

Model = Annotated[
    Path | None,
    typer.Option("--model", help="Folder of an exported network; default: that which comes with Watthour."),
]


def disaggregate(  # noqa: PLR0913 - one argument per option
    file: Annotated[Path, typer.Argument(help="Table (CSV, Parquet) of times and the power of the mains.")],
    *,
    model: Model = None,
    into: Annotated[
        Path | None, typer.Option("--into", help="CSV or Parquet file to write: the power of each appliance, by step.")
    ] = None,
    time: Annotated[str, typer.Option("--time", help="Column of the times.")] = "time",
    mains: Annotated[str, typer.Option("--mains", help="Column of the mains.")] = "mains",
    solar: Annotated[
        str | None, typer.Option("--solar", help="Column of the solar panels, where the mains subtract what is fed in.")
    ] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Of times without an offset.")] = None,
    unit: Annotated[str, typer.Option("--unit", help="W or kW.")] = "W",
    as_json: AsJson = False,
) -> None:
    """Tell what the mains are made of: each appliance by itself, and what is left as other."""
    from watthour.nilm.layouts.tables import TableWords, table_house
    from watthour.nilm.summary import told_of

    if into is not None and into.suffix not in {".csv", ".parquet"}:
        raise InvalidInput("--into", str(into), "it is neither CSV nor Parquet", remedy="Name a file such as told.csv.")
    network = opened_network(model)
    words = TableWords(time, mains, solar, time_zone=time_zone, unit=unit)
    with steps("nilm disaggregate") as say:
        say(file.name)
        told = told_of(network, table_house(file.name, [file], words))
    for remark in told.house.remarks:
        typer.echo(remark, err=True)
    if into is not None:
        _write(told, into)
    used = told.used()
    if as_json:
        show_json({"days": told.days_told, "appliances": [asdict(each) for each in used]})
        return
    show_table(
        ("appliance", "energy [kWh]", "of the mains [%]", "runs", "on [h]"),
        [
            (
                each.name,
                number(each.energy_kwh, 2),
                number(each.share_percent),
                "-" if each.runs is None else each.runs,
                number(each.hours_on),
            )
            for each in used
        ],
    )
    typer.echo(f"{number(told.days_told)} days have an answer.", err=True)


def evaluate(
    houses: Annotated[Path, typer.Argument(help="Folder that `watthour nilm prepare` wrote.")],
    *,
    model: Model = None,
    role: Annotated[str, typer.Option("--role", help="Of the houses: training, validation or test.")] = "test",
    as_json: AsJson = False,
) -> None:
    """Score a network on houses whose appliances were metered: beside always-off and the mean of the training."""
    from watthour.nilm.evaluate import evaluate as score
    from watthour.nilm.windows import open_windows

    network = opened_network(model)
    with steps("nilm evaluate") as say:
        found = score(network, open_windows(houses), role, tell=say)
    if as_json:
        show_json(
            [
                {
                    "house": each.house,
                    "appliances": {name: asdict(scores) for name, scores in each.scores.items()},
                    "average": each.average,
                }
                for each in found
            ]
        )
        return
    show_table(
        ("house", "appliance", "MAE [W]", "MAE when on [W]", "SAE", "NDE", "TECA", "MR", "F1", "MCC", "skill off [%]"),
        [(each.house, name, *_row(scores)) for each in found for name, scores in each.scores.items()],
    )


def opened_network(folder: Path | None) -> ServedNetwork:
    """Open a network that was exported to a folder; None: the one that comes with Watthour.

    Raises:
        InvalidInput: there is no such folder.
        ModelCorrupt: it holds no network, or one that was changed.
    """
    from watthour.nilm.serve import ServedNetwork

    if folder is None:
        from watthour.nilm.shipped import shipped_files

        return ServedNetwork.from_files(shipped_files())
    if not folder.is_dir():
        remedy = "Name the folder that `watthour nilm export` wrote."
        raise InvalidInput("--model", str(folder), "there is no such folder", remedy=remedy)
    return ServedNetwork.from_files({path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})


def _row(scores: Scores) -> tuple[str, ...]:
    watts = (number(scores.mae_w, 2), number(scores.mae_on_w))
    parts = (scores.sae, scores.nde, scores.teca, scores.mr, scores.f1, scores.mcc)
    gain = None if scores.skill_always_off is None else 100 * scores.skill_always_off
    return (*watts, *(number(each, 3) for each in parts), number(gain))


def _write(told: Told, into: Path) -> None:
    import polars as pl

    columns = {
        "time": pl.Series(told.house.time * 1_000_000).cast(pl.Datetime("us", "UTC")),
        "mains": told.house.mains,
        **{name: told.answer.power[:, place] for place, name in enumerate(told.answer.appliances)},
        "other": told.answer.other,
    }
    table = pl.DataFrame(columns).with_columns(pl.exclude("time").fill_nan(None))
    if into.suffix == ".csv":
        table.write_csv(into, float_precision=1, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    else:
        table.write_parquet(into)
