"""What a file or a command asks to prepare, and the runs that are kept beside the houses."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from watthour.core.errors import InvalidInput
from watthour.nilm.asked import Asked, asked_in, asked_of
from watthour.nilm.augment import Run, bank_of
from watthour.nilm.houses import House
from watthour.nilm.kept_runs import open_bank, runs_of_kept, write_bank
from watthour.nilm.layouts.tables import TableWords
from watthour.nilm.prepare import InMemory, Part, prepare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def home(path: Path, *, zone: str = "Z", header: str = "time,mains,kettle") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        f"2026-01-05T{n // 60:02}:{n % 60:02}:00{zone},{300 + n},{2200 if n % 60 in (7, 8) else 0}" for n in range(600)
    ]
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def channels(folder: Path, *numbers: int) -> None:
    for number in numbers:
        house = folder / f"house_{number}"
        house.mkdir(parents=True)
        (house / "labels.dat").write_text("1 aggregate\n2 kettle\n")
        for channel in (1, 2):
            (house / f"channel_{channel}.dat").write_text("".join(f"{1_400_000_000 + 6 * n} 300\n" for n in range(40)))


def asked(text: str, beside: Path) -> Asked:
    return asked_in(tomllib.loads(text), beside)


WHOLE = """
step_s = 120
appliances = ["kettle", "fridge"]

[[house]]
name = "mine"
files = ["tables/a.csv"]
mains = "whole house"
appliances = { k = "kettle" }
time_zone = "Europe/Berlin"
attribution = "my own"

[[house]]
layout = "ukdale"
folder = "ukdale"
houses = [1, 5]
role = "validation"

[[house]]
layout = "ukdale"
folder = "ukdale"
houses = [2]
role = "test"

[[runs]]
files = ["tracebase"]
attribution = "tracebase"
"""


def test_a_file_says_houses_roles_and_runs(tmp_path: Path) -> None:
    home(tmp_path / "tables" / "a.csv", zone="", header="time,whole house,k")
    channels(tmp_path / "ukdale", 1, 2, 5)
    kettle = tmp_path / "tracebase" / "WaterKettle" / "dev_B7BEA1_2012.01.15.csv"
    kettle.parent.mkdir(parents=True)
    kettle.write_text("".join(f"15/01/2012 12:00:{s:02};{2200 if 20 <= s < 40 else 0};0\n" for s in range(60)))
    lamp = tmp_path / "tracebase" / "Lamp" / kettle.name
    lamp.parent.mkdir()
    lamp.write_text(kettle.read_text())
    found = asked(WHOLE, tmp_path)
    assert [(part.source.name, part.role) for part in found.parts] == [
        ("mine", "training"),
        ("ukdale-1", "validation"),
        ("ukdale-5", "validation"),
        ("ukdale-2", "test"),
    ]
    assert (found.step_s, found.appliances) == (120, ("kettle", "fridge"))
    assert found.parts[0].attribution == "my own"
    assert found.run_attributions == ("tracebase",)
    assert found.kinds_without_runs() == ("Lamp",)
    assert [run.device for run in found.runs()] == ["tracebase/kettle/B7BEA1"]
    windows = prepare(tmp_path / "kept", found.parts, step_s=found.step_s, appliances=found.appliances)
    assert windows.house("mine").times(np.array([0]))[0] == 1_767_567_600  # midnight of Berlin
    assert windows.manifest()["houses"][0]["attribution"] == "my own"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("step_s = 60", "no house is named. Add"),
        ("[[hose]]", "hose = .*: the file has no such word. It has appliances, house, runs, step_s"),
        ("[[house]]\nlayout = 'ukdale'", "folder = None"),
        ("[[house]]\nlayout = 'ukdael'\nfolder = 'x'", "a layout is one of table, ukdale, redd, refit, nilmtk"),
        ("[[house]]\nlayout = 'ukdale'\nfolder = 'ukdale'\nhouses = [7]", "houses = 'ukdale-7': the folder holds"),
        ("[[house]]\nlayout = 'ukdale'\nfolder = 'ukdale'\nunit = 'kW'", "unit = 'kW': a house has no such word"),
        ("[[house]]\nlayout = 'nilmtk'\nname = 'n'", "file = None: that of nilmtk is missing"),
        (
            "[[house]]\nlayout = 'nilmtk'\nname = 'n'\nfile = 'n.h5'\nbuilding = 1\nmains = 1\nmeters = {}",
            "building, mains and meters are numbers",
        ),
        ("[[house]]\nfiles = 'a.csv'", "files = 'a.csv': it is a list of texts"),
        ("[[house]]\nlayout = 'ukdale'\nfolder = 'ukdale'\nname = 'a'", "several houses: ukdale-1, ukdale-2"),
        ("[[house]]\nfiles = ['a.csv']\nfrom = 'noon'", "neither a day nor an instant"),
        ("[[house]]\nname = 'a'", "a table has no files"),
        ("[[house]]\nfiles = ['b.csv']", "there is no such file"),
        ("[[house]]\nfiles = ['b.txt']", "a table ends in .csv"),
        ("house = ['a.csv']", "it is a table. Write"),
        ("step_s = 1.5\n[[house]]\nfiles = ['a.csv']", "a whole number of seconds"),
        ("[[house]]\nfiles = ['a.csv']\n[[runs]]\nfiles = ['none']", "no such file or folder"),
    ],
)
def test_what_a_file_cannot_say_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    home(tmp_path / "a.csv")
    channels(tmp_path / "ukdale", 1, 2)
    with pytest.raises(InvalidInput, match=problem):
        asked(text, tmp_path)


def test_tables_are_houses_named_as_their_files(tmp_path: Path) -> None:
    files = [home(tmp_path / "a.csv"), home(tmp_path / "b.csv")]
    found = asked_of(files, {"b": "test"}, step_s=60, appliances=["kettle"], words=TableWords())
    assert [(part.source.name, part.role) for part in found.parts] == [("a", "training"), ("b", "test")]
    with pytest.raises(InvalidInput, match=r"role = 'c'.*The files are those of a, b"):
        asked_of(files, {"c": "test"}, step_s=60, appliances=["kettle"], words=TableWords())


def test_a_house_is_trained_on_in_one_span_and_tested_in_another(tmp_path: Path) -> None:
    home(tmp_path / "a.csv")
    text = """
    appliances = ["kettle"]
    [[house]]
    name = "before"
    home = "a"
    files = ["a.csv"]
    until = 2026-01-05T04:00:00Z
    [[house]]
    name = "after"
    home = "a"
    files = ["a.csv"]
    from = "2026-01-05T06:00:00+00:00"
    role = "test"
    """
    windows = prepare(tmp_path / "kept", asked(text, tmp_path).parts, step_s=60, appliances=["kettle"])
    assert [len(windows.house(name).values) for name in ("before", "after")] == [240, 240]
    assert windows.house("after").times(np.array([0]))[0] == 1_767_571_200 + 6 * 3600
    assert {run.device for run in runs_of_kept(windows)} == {"a/kettle"}
    day = "[[house]]\nfiles = ['a.csv']\nfrom = 2026-01-06"
    with pytest.raises(InvalidInput, match="nothing of its mains is known"):
        prepare(tmp_path / "none", asked(day, tmp_path).parts, step_s=60, appliances=["kettle"])


def power_of(on: Mapping[int, float], n: int = 100) -> np.ndarray:
    power = np.zeros(n, dtype=np.float32)
    for place, watts in on.items():
        power[place] = watts
    return power


def test_runs_to_add_are_those_of_houses_to_learn_from(tmp_path: Path) -> None:
    time = np.arange(100, dtype=np.int64) * 60 + np.where(np.arange(100) >= 50, 600, 0)
    parts = []
    for name, role in (("a", "training"), ("b", "test")):
        kettle = power_of({10: 2200, 49: 2300, 70: 2400})  # the second one is cut by a gap
        parts.append(Part(InMemory(House(name, 60, time, kettle + 100, {"kettle": kettle})), role))
    found = runs_of_kept(prepare(tmp_path, parts, step_s=60, appliances=["kettle"]))
    assert [(run.device, run.power.tolist()) for run in found] == [
        ("a/kettle", [0, 2200, 0]),
        ("a/kettle", [0, 2400, 0]),
    ]


def houses(folder: Path, *, seed: int = 0) -> None:
    mains = np.random.default_rng(seed).uniform(100, 200, 100).astype(np.float32)
    house = House("a", 60, np.arange(100, dtype=np.int64) * 60, mains, {})
    prepare(folder, [Part(InMemory(house))], step_s=60, appliances=["kettle"])


def test_runs_are_kept_and_opened_as_they_were(tmp_path: Path) -> None:
    houses(tmp_path)
    runs = [Run("kettle", f"k{n % 2}", 10, np.arange(n + 3, dtype=np.float32)) for n in range(5)]
    bank = bank_of([*runs, Run("fridge", "f", 60, np.ones(4, dtype=np.float32))])
    write_bank(tmp_path, bank, ["by someone"])
    assert json.loads((tmp_path / "runs.json").read_text())["attributions"] == ["by someone"]
    opened = open_bank(tmp_path)
    assert opened.devices == bank.devices
    for kind, devices in bank.runs.items():
        for device, of in devices.items():
            for was, now in zip(of, opened.runs[kind][device], strict=True):
                assert (was.step_s, was.power.tolist()) == (now.step_s, now.power.tolist())
    write_bank(tmp_path, bank_of([]))
    assert open_bank(tmp_path).runs == {}


def test_runs_that_were_changed_are_not_opened(tmp_path: Path) -> None:
    houses(tmp_path)
    with pytest.raises(InvalidInput, match="holds no runs"):
        open_bank(tmp_path)
    write_bank(tmp_path, bank_of([Run("kettle", "k", 10, np.ones(4, dtype=np.float32))]))
    path = tmp_path / "runs.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="differ from the hash"):
        open_bank(tmp_path)
    path.unlink()
    with pytest.raises(InvalidInput, match="differ from the hash"):
        open_bank(tmp_path)


def test_runs_of_houses_that_were_prepared_anew_since_are_not_opened(tmp_path: Path) -> None:
    bank = bank_of([Run("kettle", "k", 10, np.ones(4, dtype=np.float32))])
    with pytest.raises(InvalidInput, match="no prepared houses"):
        write_bank(tmp_path, bank)
    houses(tmp_path)
    write_bank(tmp_path, bank)
    houses(tmp_path, seed=1)
    with pytest.raises(InvalidInput, match="before the houses were prepared anew"):
        open_bank(tmp_path)
