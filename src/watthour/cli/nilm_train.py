"""`watthour nilm train` and `export`: a network learns from metered houses, and is written to need no torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watthour.cli.options import AsJson  # noqa: TC001 - typer reads annotations at run time
from watthour.cli.output import number, show_json, show_table, steps
from watthour.core.errors import InvalidInput

if TYPE_CHECKING:
    from watthour.nilm.train import Trained

File = Annotated[
    Path, typer.Argument(help="TOML file that says what is trained on what: docs/how-to/train-a-nilm-network.md.")
]


def train(
    file: File, *, threads: Annotated[int, typer.Option(help="Of the processor.")] = 1, as_json: AsJson = False
) -> None:
    """Train a network; stopped at any time, it goes on where it was when it is asked again."""
    from watthour.nilm.training_file import read_training, use_threads

    training = read_training(file)
    use_threads(threads)
    with steps("nilm train") as say:
        trained = training.run(tell=say)
    if as_json:
        show_json(_told(trained))
        return
    show_table(("batches", "MAE of validation [W]"), [(done, number(mae_w, 2)) for done, mae_w in trained.looks])
    best = "" if trained.mae_w is None else f", at {number(trained.mae_w, 2)} W on the validation houses"
    typer.echo(f"Best after {trained.batches:,} batches{best}. Write it with `watthour nilm export {file}`.", err=True)


def export(
    file: File,
    *,
    into: Annotated[Path, typer.Option("--into", help="Folder to write the network to.")],
    as_json: AsJson = False,
) -> None:
    """Write the network of a training as ONNX with its description, once both have answered alike."""
    from watthour.core.lock import write_whole
    from watthour.nilm.training_file import read_training

    training = read_training(file)
    trained = training.best()
    if into.exists() and not into.is_dir():
        raise InvalidInput("--into", str(into), "it is a file", remedy="Name a folder.")
    files = training.files(trained)
    into.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        write_whole(into / name, content)
    n_bytes = sum(len(content) for content in files.values())
    if as_json:
        show_json({**_told(trained), "folder": str(into), "bytes": n_bytes})
        return
    typer.echo(
        f"{into}: {', '.join(files)}, {n_bytes / 1e6:.1f} MB, as it answered after {trained.batches:,} batches.",
        err=True,
    )


def _told(trained: Trained) -> dict[str, object]:
    return {
        "batches": trained.batches,
        "mae_w": trained.mae_w,
        "looks": [{"batches": done, "mae_w": mae_w} for done, mae_w in trained.looks],
    }
