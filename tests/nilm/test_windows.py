"""Houses on disk: windows of any length, masks, hashes, interruptions, and sets larger than memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from watthour.core.errors import InvalidInput, StoreLocked, UnknownName
from watthour.core.lock import locked_if_free
from watthour.nilm.houses import House
from watthour.nilm.prepare import InMemory, Part, prepare
from watthour.nilm.windows import Windows, open_windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

APPLIANCES = ("kettle", "fridge", "dishwasher")


def made_house(name: str = "a", n: int = 600, seed: int = 0, *, gap_at: int = 200) -> House:
    rng = np.random.default_rng(seed)
    time = np.arange(n, dtype=np.int64) * 60 + np.where(np.arange(n) >= gap_at, 3600, 0)
    kettle = np.where(rng.random(n) < 0.05, 2500, 0).astype(np.float32)
    fridge = np.where(np.arange(n) % 40 < 15, 90, 1).astype(np.float32)
    fridge[50:60] = np.nan
    mains = (kettle + np.nan_to_num(fridge) + rng.uniform(50, 150, n)).astype(np.float32)
    return House(name, 60, time, mains, {"kettle": kettle, "fridge": fridge})


def made(folder: Path, *houses: House, step_s: int = 60) -> Windows:
    return prepare(folder, [Part(InMemory(house)) for house in houses], step_s=step_s, appliances=APPLIANCES)


def test_what_is_read_is_what_was_metered(tmp_path: Path) -> None:
    house = made_house()
    kept = made(tmp_path, house).house("a")
    starts = kept.starts(50, 25)
    batch = kept.read(starts, 50)
    assert batch.mains.shape == (len(starts), 50)
    for place, start in enumerate(starts.tolist()):
        assert batch.mains[place].tolist() == house.mains[start : start + 50].tolist()
        assert batch.time[place] == house.time[start]
        assert batch.is_on[place, :, 1].tolist() == house.states("fridge")[start : start + 50].tolist()


def test_what_was_not_metered_is_masked(tmp_path: Path) -> None:
    batch = made(tmp_path, made_house()).house("a").read(np.array([40]), 30)
    assert batch.is_known[0, :, 0].all()
    assert batch.is_known[0, :, 1].tolist() == [not 10 <= step < 20 for step in range(30)]
    assert not batch.is_known[0, :, 2].any()  # a dishwasher was not metered here
    assert np.isfinite(batch.power).all()
    assert not batch.is_on[~batch.is_known].any()


def test_no_window_crosses_a_gap(tmp_path: Path) -> None:
    kept = made(tmp_path, made_house()).house("a")
    assert kept.starts(150, 100).tolist() == [0, 200, 300, 400]
    assert kept.starts(150, 100, has_end=True).tolist() == [0, 50, 200, 300, 400, 450]
    assert kept.starts(401, 1).tolist() == []
    for start in kept.starts(64, 7).tolist():
        rows = kept.times(np.arange(start, start + 64))
        assert np.diff(rows).tolist() == [60] * 63


def test_length_and_stride_are_chosen_when_reading(tmp_path: Path) -> None:
    kept = made(tmp_path, made_house()).house("a")
    assert kept.read(kept.starts(10, 10), 10).power.shape == (60, 10, 3)
    assert kept.read(kept.starts(256, 1), 256).power.shape == (400 - 256 + 1, 256, 3)
    for length, stride, field in ((0, 1, "length"), (1, 0, "stride")):
        with pytest.raises(InvalidInput, match=f"{field} = 0"):
            kept.starts(length, stride)


def test_houses_with_other_meters_and_steps_share_one_folder(tmp_path: Path) -> None:
    other = made_house("b", seed=1).resampled(120)
    with pytest.raises(InvalidInput, match="b has steps of 120 s"):
        made(tmp_path, made_house(), other)
    opened = made(tmp_path, made_house(), other, step_s=240)
    assert opened.houses["a"].values.shape[1] == opened.houses["b"].values.shape[1] == 4


def test_statistics_are_of_training_houses_alone(tmp_path: Path) -> None:
    train, test = made_house("a"), made_house("b", seed=1)
    loud = replace(test, mains=test.mains * 100)
    parts = [Part(InMemory(train)), Part(InMemory(loud), "test")]
    opened = prepare(tmp_path, parts, step_s=60, appliances=APPLIANCES)
    alone = made(tmp_path / "alone", train)
    assert opened.statistics == alone.statistics
    assert opened.statistics["houses"] == ["a"]
    mains, kinds = opened.statistics["mains"], opened.statistics["appliances"]
    assert isinstance(mains, dict)
    assert isinstance(kinds, dict)
    assert mains["mean_w"] == pytest.approx(train.mains.mean(), rel=1e-5)
    assert mains["deviation_w"] == pytest.approx(train.mains.std(), rel=1e-4)
    fridge = train.appliances["fridge"]
    assert kinds["fridge"]["rows"] == 590
    assert kinds["fridge"]["mean_w"] == pytest.approx(np.nanmean(fridge), rel=1e-5)
    assert kinds["fridge"]["share_on"] == pytest.approx(train.states("fridge").sum() / 590)
    assert kinds["fridge"]["mean_on_w"] == pytest.approx(90)
    assert kinds["fridge"]["deviation_on_w"] == pytest.approx(0)
    assert kinds["dishwasher"] == {
        "rows": 0,
        "mean_w": None,
        "share_on": None,
        "mean_on_w": None,
        "deviation_on_w": None,
    }
    assert [house.name for house in opened.of_role("test")] == ["b"]


def test_a_file_that_was_changed_is_not_opened_and_preparing_anew_mends_it(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    made(folder, made_house())
    path = folder / "a" / "values.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert open_windows(folder, checks_content=False).step_s == 60
    with pytest.raises(InvalidInput, match=r"values\.npy.*differs from the hash in the manifest\. Remove") as refused:
        open_windows(folder)
    assert f"Remove {folder} and prepare" in str(refused.value)
    _remove(folder)
    made(folder, made_house())
    assert open_windows(folder).houses.keys() == {"a"}


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_manifest_that_was_changed_is_not_opened(tmp_path: Path) -> None:
    made(tmp_path, made_house())
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["statistics"]["mains"]["mean_w"] += 1
    path.write_text(json.dumps(manifest))
    with pytest.raises(InvalidInput, match="differs from the hash within it"):
        open_windows(tmp_path)
    path.write_text("{")
    with pytest.raises(InvalidInput, match="not valid JSON"):
        open_windows(tmp_path)
    path.unlink()
    with pytest.raises(InvalidInput, match="holds no prepared houses"):
        open_windows(tmp_path)


def test_a_missing_or_short_file_is_found_without_reading_any(tmp_path: Path) -> None:
    made(tmp_path, made_house())
    path = tmp_path / "a" / "states.npy"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InvalidInput, match="differs"):
        open_windows(tmp_path, checks_content=False)
    path.unlink()
    with pytest.raises(InvalidInput, match="missing"):
        open_windows(tmp_path, checks_content=False)


def test_a_house_that_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    first = made(tmp_path, made_house())
    said: list[str] = []
    written = (tmp_path / "a" / "values.npy").stat().st_mtime_ns
    parts = [Part(InMemory(made_house())), Part(InMemory(made_house("b", seed=2)), "test")]
    prepare(tmp_path, parts, step_s=60, appliances=APPLIANCES, tell=said.append)
    assert said[0] == "a is there already"
    assert (tmp_path / "a" / "values.npy").stat().st_mtime_ns == written
    assert made(tmp_path, made_house()).hash == first.hash
    changed = made(tmp_path, made_house(seed=3)).house("a")
    assert changed.values[:, 0].tolist() == made_house(seed=3).mains.tolist()


@dataclass(frozen=True)
class InPieces:
    """A house that comes in pieces, as a file does that does not fit into memory."""

    house: House
    size: int
    name: str = "a"
    files: Sequence[Path] = ()
    reading: str = ""

    def pieces(self, step_s: int) -> Iterator[House]:
        assert step_s == self.house.step_s
        for begin in range(0, len(self.house), self.size):
            part = slice(begin, begin + self.size)
            columns = {name: values[part] for name, values in self.house.appliances.items()}
            yield replace(self.house, time=self.house.time[part], mains=self.house.mains[part], appliances=columns)


def test_pieces_make_the_same_files_as_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = made_house(n=3000)
    dishwasher = np.where(np.arange(3000) % 300 < 100, 1000, 0).astype(np.float32)
    dishwasher[np.arange(3000) % 300 == 50] = 0  # a pause within a run
    house = replace(house, appliances={**house.appliances, "dishwasher": dishwasher})
    made(tmp_path / "whole", house)
    monkeypatch.setattr("watthour.nilm.kept_states._BLOCK", 70)  # less than a run of the dishwasher
    prepare(tmp_path / "pieces", [Part(InPieces(house, 33))], step_s=60, appliances=APPLIANCES)
    for file in ("values.npy", "states.npy", "segments.npy"):
        assert (tmp_path / "whole/a" / file).read_bytes() == (tmp_path / "pieces/a" / file).read_bytes()


def test_pieces_out_of_order_are_refused(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Backward(InPieces):
        def pieces(self, step_s: int) -> Iterator[House]:
            yield from reversed(list(super().pieces(step_s)))

    with pytest.raises(InvalidInput, match="begins before the end of the one before"):
        prepare(tmp_path, [Part(Backward(made_house(), 100))], step_s=60, appliances=APPLIANCES)


def test_names_and_roles_that_cannot_be_are_refused(tmp_path: Path) -> None:
    for parts, appliances, problem in (
        ([Part(InMemory(made_house("../a")))], APPLIANCES, "house = '../a'"),
        ([Part(InMemory(made_house()))] * 2, APPLIANCES, "each is there once"),
        ([Part(InMemory(made_house()), "teaching")], APPLIANCES, "role = 'teaching'"),
        ([Part(InMemory(made_house()), "test")], APPLIANCES, "no house to learn from"),
        ([Part(InMemory(made_house()))], (), "at least one is needed"),
        ([Part(InMemory(made_house()))], ("kettle", "WaterKettle"), "each once"),
    ):
        with pytest.raises(InvalidInput, match=problem):
            prepare(tmp_path, parts, step_s=60, appliances=appliances)
    with pytest.raises(UnknownName, match="It holds a"):
        made(tmp_path, made_house()).house("b")


def test_two_processes_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with locked_if_free(tmp_path / "prepare.lock"), pytest.raises(StoreLocked, match="Wait until it has ended"):
        made(tmp_path, made_house())
    assert made(tmp_path, made_house()).hash


_KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
from test_windows import APPLIANCES, InPieces, made_house
from watthour.nilm.prepare import Part, prepare

class Slow(InPieces):
    def pieces(self, step_s):
        for number, piece in enumerate(super().pieces(step_s)):
            yield piece
            if number == 2:
                print("half way", flush=True)
                time.sleep(600)

parts = [Part(InPieces(made_house("a"), 100, "a")), Part(Slow(made_house("b", seed=1), 100, "b"))]
prepare(Path({folder!r}), parts, step_s=60, appliances=APPLIANCES)
"""


def test_what_was_killed_half_way_goes_on_where_it_was(tmp_path: Path) -> None:
    folder, here = tmp_path / "kept", str(Path(__file__).parent)
    script = _KILLED.format(here=here, folder=str(folder))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half way\n"
        process.kill()
    with pytest.raises(InvalidInput, match="did not end"):
        open_windows(folder)
    assert (folder / "b.part" / "values.npy").exists()
    written = (folder / "a" / "values.npy").stat().st_mtime_ns
    said: list[str] = []
    parts = [Part(InPieces(made_house(name, seed=seed), 100, name)) for name, seed in (("a", 0), ("b", 1))]
    opened = prepare(folder, parts, step_s=60, appliances=APPLIANCES, tell=said.append)
    assert said[0] == "a is there already"
    assert (folder / "a" / "values.npy").stat().st_mtime_ns == written
    assert not (folder / "b.part").exists()
    assert opened.hash == prepare(tmp_path / "other", parts, step_s=60, appliances=APPLIANCES).hash


_CAPPED = """
import resource
from dataclasses import dataclass
from pathlib import Path
import numpy as np
from watthour.nilm.houses import House
from watthour.nilm.prepare import Part, prepare
from watthour.nilm.windows import open_windows

N, PIECE, CAP = 1_200_000, 50_000, 32 * 1024 * 1024
KINDS = ("kettle", "fridge", "dishwasher", "washing_machine", "microwave", "heat_pump", "oven")

@dataclass(frozen=True)
class Long:
    name: str = "long"
    files: tuple = ()
    reading: str = ""
    def pieces(self, step_s):
        for begin in range(0, N, PIECE):
            steps = np.arange(begin, begin + PIECE)
            mains = (steps % 3001).astype(np.float32)
            yield House("long", 1, steps, mains, {kind: mains for kind in KINDS})

held = int(next(l for l in open("/proc/self/status") if l.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (held + CAP, held + CAP))
folder = Path(FOLDER)
prepare(folder, [Part(Long())], step_s=1, appliances=KINDS)
size = (folder / "long" / "values.npy").stat().st_size
assert size > CAP, size
try:
    np.load(folder / "long" / "values.npy")
except MemoryError:
    pass
else:
    raise SystemExit("the limit does not hold")
kept = open_windows(folder).house("long")
starts, n, total = kept.starts(512, 512), 0, 0.0
for first in range(0, len(starts), 256):
    batch = kept.read(starts[first : first + 256], 512)
    n, total = n + batch.mains.size, total + float(batch.mains.sum(dtype=np.float64))
expected = sum(float((np.arange(b, min(b + PIECE, n)) % 3001).sum()) for b in range(0, n, PIECE))
assert total == expected, (total, expected)
print("read", n)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the limit of memory is set as Linux does")
def test_a_set_larger_than_memory_is_written_and_read(tmp_path: Path) -> None:
    script = f"FOLDER = {str(tmp_path)!r}\n{_CAPPED}"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    assert ended.stdout == f"read {1_200_000 // 512 * 512}\n"
