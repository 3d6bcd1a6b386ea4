"""How well the network that comes with Watthour tells the appliances of a house that it has never seen, and how fast.

Run: python benchmarks/nilm.py [--data ../shared/data] [--network FOLDER]
"""

from __future__ import annotations

import argparse
import os
import time
import tomllib
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from report import RESULTS, Cell, report

from watthour.nilm.artifact import GRAPH_FILE
from watthour.nilm.asked import asked_in
from watthour.nilm.evaluate import told_powers
from watthour.nilm.layouts.tables import table_house
from watthour.nilm.prepare import prepare
from watthour.nilm.scores import Scores, average, house_scores
from watthour.nilm.serve import ServedNetwork
from watthour.nilm.shipped import FOLDER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.nilm.houses import House

TEST = "ukdale/ukdale_house2_1min.csv.gz"
HOUSES = Path(__file__).parents[1] / "scripts" / "nilm" / "houses.toml"
METRICS = ("mae_w", "mae_on_w", "sae", "nde", "teca", "mr", "f1", "mcc", "skill_always_off", "skill_mean")
N_TIMED, AT_ONCE = 200, 64
PROTOCOL = (
    "UK-DALE house 2, 1-minute means, 2013-05-20 to 2013-10-10, 120 days; it was neither learned from nor looked at "
    "while choosing. ours: one network for all five appliances, learned from UK-DALE 1 and 5, REFIT 2 and AMPds2 with "
    "runs of tracebase added, masked where an appliance was not metered. Windows of 512 minutes that overlap by half, "
    "never across a gap; powers between 0 and the mains. One rule of states (Kelly and Knottenbelt 2015) for truth and "
    "answer. Scored are minutes in which an appliance was metered and which have an answer; unanswered_percent: those "
    "without, as stretches between gaps are shorter than a window. mean: the mean power of the houses learned from. "
    "mr: matching ratio, sum of min over sum of max. teca: 1 - sum of errors / (2 sum of power). windows_per_s: in "
    "batches of 64; p95_ms: of one window; both on one thread. A home with minutes needs one window a minute."
)


def main(words: list[str] | None = None) -> None:
    """Score and time the network, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", "../shared/data")))
    parser.add_argument(
        "--network", type=Path, default=FOLDER, help="folder of another network; its result is not kept"
    )
    asked = parser.parse_args(words)
    network = ServedNetwork.from_files(
        {path.name: path.read_bytes() for path in asked.network.iterdir() if path.suffix in {".json", ".onnx"}}
    )
    house = test_house(asked.data / "nilm" / TEST, network)
    means_w = training_means(asked.data / "nilm")
    answers = {
        "always_off": {name: np.zeros_like(house.mains) for name in house.appliances},
        "mean": {name: np.full_like(house.mains, means_w[name]) for name in house.appliances},
        "ours": told_powers(network, house),
    }
    is_told = np.isfinite(next(iter(answers["ours"].values())))
    rows: list[dict[str, Cell]] = []
    for row, powers in answers.items():
        same = {name: np.where(is_told, power, np.float32(np.nan)) for name, power in powers.items()}
        rows += scored(row, house_scores(house, same, means_w))
    rows[-1] |= {"parameters": parameters(asked.network / GRAPH_FILE), **speed(network)}
    report("nilm", PROTOCOL, rows, results=RESULTS if asked.network == FOLDER else None)


def test_house(path: Path, network: ServedNetwork) -> House:
    """Return the house that is tested on, whole."""
    from dataclasses import replace

    pieces = list(table_house("ukdale-2", [path]).pieces(network.description.step_s))
    names = [name for name in network.description.appliances if all(name in each.appliances for each in pieces)]
    return replace(
        pieces[0],
        time=np.concatenate([each.time for each in pieces]),
        mains=np.concatenate([each.mains for each in pieces]),
        appliances={name: np.concatenate([each.appliances[name] for each in pieces]) for name in names},
    )


def training_means(data: Path) -> Mapping[str, float]:
    """Return the mean power of each appliance in the houses that were learned from [W]."""
    said = asked_in(tomllib.loads(HOUSES.read_text(encoding="utf-8")), data)
    with TemporaryDirectory() as folder:
        windows = prepare(Path(folder), said.parts, step_s=said.step_s, appliances=said.appliances)
        known = windows.manifest()["statistics"]["appliances"]
    return {name: float(each["mean_w"]) for name, each in known.items()}


def scored(row: str, scores: Mapping[str, Scores]) -> list[dict[str, Cell]]:
    """Return the rows of a maker of answers: one for each appliance, and their average."""
    found: list[dict[str, Cell]] = []
    for name, each in scores.items():
        said = asdict(each)
        lacking = 100 * each.n_unanswered / (each.n + each.n_unanswered)
        found.append(
            {"row": row, "test": f"unseen_{name}", **{key: said[key] for key in METRICS}, "unanswered_percent": lacking}
        )
    means = average(list(scores.values()))
    return [*found, {"row": row, "test": "unseen_average", **{key: means[key] for key in METRICS}}]


def parameters(graph: Path) -> int:
    """Return how many numbers a network has learned."""
    import onnx

    weights = (each for each in onnx.load(graph).graph.initializer if each.data_type == onnx.TensorProto.FLOAT)
    return int(sum(np.prod(each.dims) for each in weights if len(each.dims) > 0))


def speed(network: ServedNetwork) -> dict[str, Cell]:
    """Return how fast it answers on one thread."""
    rng = np.random.default_rng(1)
    many = rng.uniform(50, 3000, (AT_ONCE, network.description.n_steps)).astype(np.float32)
    for _ in range(3):
        network.windows(many)
    begun = time.perf_counter()
    for _ in range(5):
        network.windows(many)
    per_s = 5 * AT_ONCE / (time.perf_counter() - begun)
    each = []
    for _ in range(N_TIMED):
        begun = time.perf_counter()
        network.windows(many[:1])
        each.append(1000 * (time.perf_counter() - begun))
    return {"windows_per_s": round(per_s, 1), "p95_ms": round(float(np.percentile(each, 95)), 2)}


if __name__ == "__main__":
    main()
