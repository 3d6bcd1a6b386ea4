"""Make the network that comes with Watthour and tells appliances from the mains.

    python scripts/make_nilm_network.py --data ../shared/data/nilm --work /tmp/nilm

Needs the extra `deep`. Interrupted, it goes on where it was. The same data and seed give the same network on one
machine. What is learned goes into the package; no reading does. UK-DALE 2, on which it is tested, is not read.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tomllib
from pathlib import Path

from watthour.core.lock import write_whole
from watthour.nilm import shipped
from watthour.nilm.asked import asked_in
from watthour.nilm.augment import bank_of
from watthour.nilm.kept_runs import runs_of_kept, write_bank
from watthour.nilm.prepare import prepare
from watthour.nilm.training_file import read_training, use_threads

BESIDE = Path(__file__).parent / "nilm"


def main(words: list[str] | None = None) -> None:
    """Prepare the houses, train, and write the network into the package."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("WATTHOUR_DATA", "../shared/data")) / "nilm"
    parser.add_argument("--data", type=Path, default=data, help="folder of the houses")
    parser.add_argument("--work", type=Path, required=True, help="folder for prepared houses and checkpoints")
    parser.add_argument("--into", type=Path, default=shipped.FOLDER, help="folder to write the network to")
    parser.add_argument("--houses", type=Path, default=BESIDE / "houses.toml", help="which houses, relative to --data")
    parser.add_argument("--training", type=Path, default=BESIDE / "training.toml", help="which network, how to learn")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args(words)
    asked.work.mkdir(parents=True, exist_ok=True)
    said = asked_in(tomllib.loads(asked.houses.read_text(encoding="utf-8")), asked.data)
    windows = prepare(asked.work / "houses", said.parts, step_s=said.step_s, appliances=said.appliances, tell=_tell)
    write_bank(asked.work / "houses", bank_of([*runs_of_kept(windows), *said.runs()]), said.run_attributions)
    file = asked.work / "training.toml"
    shutil.copyfile(asked.training, file)
    training = read_training(file)
    use_threads(asked.threads)
    files = training.files(training.run(tell=_tell))
    for name, content in files.items():
        write_whole(asked.into / name, content)
        (asked.into / name).chmod(0o644)
    print(f"{asked.into}: {sum(map(len, files.values())) / 1e6:.2f} MB")


def _tell(step: str) -> None:
    print(step, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
