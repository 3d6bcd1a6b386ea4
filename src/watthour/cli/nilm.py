"""`watthour nilm`: which appliances run, told from the mains alone."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, steps
from watthour.cli.tables import read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.nilm.asked import Asked
    from watthour.nilm.windows import Windows

_DESCRIPTIONS = (".toml", ".json")


def build() -> typer.Typer:
    """Return the group of commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Appliances, told from the mains alone.")
    group.command("prepare", help="Make metered houses ready to learn from.")(prepare)
    group.command("train", help="Train a network on prepared houses, or go on where that was interrupted.")(train)
    return group


def prepare(  # noqa: PLR0913 - one argument per option
    files: Annotated[
        list[Path],
        typer.Argument(
            help="One TOML or JSON file that names houses and roles, or tables (CSV, Parquet), each a house."
        ),
    ],
    *,
    into: Annotated[Path, typer.Option("--into", help="Folder to write to; asked again, it goes on where it was.")],
    step: Annotated[int | None, typer.Option("--step", help="Seconds of a step; default 60. Of tables.")] = None,
    appliance: Annotated[
        list[str] | None, typer.Option("--appliance", help="To be told; once for each. Default: five. Of tables.")
    ] = None,
    validation: Annotated[
        list[str] | None, typer.Option("--validation", help="Table (its name without .csv) to validate with.")
    ] = None,
    test: Annotated[list[str] | None, typer.Option("--test", help="Table to test on.")] = None,
    time_zone: Annotated[str | None, typer.Option("--time-zone", help="Of times without an offset. Of tables.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="W or kW; default W. Of tables.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write metered houses to a folder, from which windows of any length are read: docs/reference/nilm.md."""
    from watthour.nilm.augment import bank_of
    from watthour.nilm.kept_runs import runs_of_kept, write_bank
    from watthour.nilm.prepare import prepare as write

    roles = dict.fromkeys(validation or [], "validation") | dict.fromkeys(test or [], "test")
    given = {"--step": step, "--appliance": appliance, "--validation": validation, "--test": test}
    asked = (
        _described(files, {**given, "--time-zone": time_zone, "--unit": unit})
        if any(path.suffix in _DESCRIPTIONS for path in files)
        else _tables(files, roles, step=step, appliances=appliance, time_zone=time_zone, unit=unit)
    )
    with steps("nilm prepare") as say:
        windows = write(into, asked.parts, step_s=asked.step_s, appliances=asked.appliances, tell=say)
        say("runs to add to other mains")
        bank = bank_of([*runs_of_kept(windows), *asked.runs()])
        write_bank(into, bank, asked.run_attributions)
    n_runs = {kind: sum(len(of) for of in devices.values()) for kind, devices in bank.runs.items()}
    without = asked.kinds_without_runs()
    if without:
        typer.echo(
            f"Of these kinds nobody has said when they are on, so they have no runs: {', '.join(without)}.", err=True
        )
    manifest = windows.manifest()
    if as_json:
        show_json({**manifest, "folder": str(into), "runs": n_runs})
        return
    _show(windows, n_runs)


def train(
    file: Annotated[Path, typer.Argument(help="TOML file: which houses, which network, how to learn.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Train one network for all appliances and write it as ONNX: docs/how-to/train-a-nilm-network.md."""
    from watthour.nilm.training_file import read_training

    with steps("nilm train") as say:
        training = read_training(file)
        trained = training.run(tell=say)
        say("to ONNX, compared with what was trained")
        files = [str(path) for path in training.export(trained)]
    if as_json:
        looks = [{"batches": batches, "mae_w": mae_w} for batches, mae_w in trained.looks]
        show_json({"files": files, "batches": trained.batches, "mae_w": trained.mae_w, "looks": looks})
        return
    error = (
        "" if trained.mae_w is None else f", {number(trained.mae_w, 2)} W mean absolute error in the houses kept apart"
    )
    typer.echo(f"Learned from {trained.batches} batches{error}.")
    for path in files:
        typer.echo(path)


def _described(files: Sequence[Path], given: dict[str, object]) -> Asked:
    """Read what one file describes; options that it says itself are refused beside it."""
    from watthour.core.errors import InvalidInput
    from watthour.nilm.asked import asked_in

    if len(files) > 1:
        problem = "a file that names houses stands alone"
        raise InvalidInput("files", [str(path) for path in files], problem, remedy="Name the tables in it.")
    for option, value in given.items():
        if value is not None:
            problem = f"{files[0].name} says this itself"
            raise InvalidInput(option, value, problem, remedy=f"Leave out {option}, and say it in the file.")
    cure = "Name a TOML file, or a JSON file that ends in .json; docs/reference/nilm.md shows one."
    return asked_in(read_table(files[0], what="a list of houses", remedy=cure), files[0].parent)


def _tables(
    files: Sequence[Path],
    roles: dict[str, str],
    *,
    step: int | None,
    appliances: list[str] | None,
    time_zone: str | None,
    unit: str | None,
) -> Asked:
    from watthour.nilm.asked import USUAL_APPLIANCES, USUAL_STEP_S, asked_of
    from watthour.nilm.layouts.tables import TableWords

    words = TableWords(time_zone=time_zone, unit=unit or "W")
    told = appliances or list(USUAL_APPLIANCES)
    return asked_of(files, roles, step_s=USUAL_STEP_S if step is None else step, appliances=told, words=words)


def _show(windows: Windows, n_runs: dict[str, int]) -> None:
    manifest = windows.manifest()
    rows = [
        (
            house["name"],
            house["role"],
            number(house["days"]),
            house["segments"],
            ", ".join(name for name, n in house["metered"].items() if n),
        )
        for house in manifest["houses"]
    ]
    show_table(("house", "role", "days", "stretches", "metered"), rows)
    learned = manifest["statistics"]["appliances"]
    show_table(
        ("appliance", "mean [W]", "on [%]", "mean when on [W]", "runs to add"),
        [
            (
                name,
                number(each["mean_w"]),
                number(None if each["share_on"] is None else 100 * each["share_on"], 2),
                number(each["mean_on_w"]),
                n_runs.get(name, 0),
            )
            for name, each in learned.items()
        ],
    )
    for house in manifest["houses"]:
        for remark in house["remarks"]:
            typer.echo(remark, err=True)
