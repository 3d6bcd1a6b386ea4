"""What only the registry of files promises: safety against damage, kills and other processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import ModelCorrupt
from watthour.core.model import Manifest, Trial
from watthour.registry.files import ABANDONED_AFTER_S, PROMOTIONS_FILE, FileRegistry

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2024, 7, 1, 12, tzinfo=UTC)
NAME = "grid.ny.demand"


def manifest(version: str) -> Manifest:
    return Manifest(NAME, version, "seasonal_naive", {}, (), {}, "00", {}, NOW)


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    registry = FileRegistry(tmp_path)
    for version in ("v1", "v2"):
        registry.save(manifest(version), {"model.txt": b"weights of " + version.encode()})
        registry.promote(NAME, version, now=NOW, reason="test")
    return registry


def test_a_changed_file_is_not_loaded_and_is_named_with_the_cure(registry: FileRegistry, tmp_path: Path) -> None:
    (tmp_path / NAME / "v2" / "model.txt").write_bytes(b"weights of somebody else")
    with pytest.raises(ModelCorrupt, match=r"model\.txt differs.*rollback"):
        registry.load(NAME)
    assert registry.rollback(NAME, now=NOW) == "v1"
    assert registry.load(NAME)[1]["model.txt"] == b"weights of v1"


def test_a_missing_file_is_not_loaded(registry: FileRegistry, tmp_path: Path) -> None:
    (tmp_path / NAME / "v2" / "model.txt").unlink()
    with pytest.raises(ModelCorrupt, match=r"model\.txt is missing"):
        registry.load(NAME)


def test_a_file_the_manifest_does_not_know_is_not_loaded(registry: FileRegistry, tmp_path: Path) -> None:
    (tmp_path / NAME / "v2" / "extra.txt").write_bytes(b"uninvited")
    assert set(registry.load(NAME)[1]) == {"model.txt"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '"text"'])
def test_a_broken_manifest_says_so(registry: FileRegistry, tmp_path: Path, text: str) -> None:
    (tmp_path / NAME / "v2" / "manifest.json").write_text(text)
    with pytest.raises(ModelCorrupt, match=r"manifest\.json"):
        registry.load(NAME)


def test_a_manifest_of_a_newer_version_asks_to_update(registry: FileRegistry, tmp_path: Path) -> None:
    path = tmp_path / NAME / "v2" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(ModelCorrupt, match="Update Watthour"):
        registry.load(NAME)


def test_a_manifest_cannot_point_out_of_its_directory(registry: FileRegistry, tmp_path: Path) -> None:
    path = tmp_path / NAME / "v2" / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "hashes": {"../v1/model.txt": content["hashes"]["model.txt"]}}))
    with pytest.raises(ModelCorrupt):
        registry.load(NAME)


def test_a_promotion_torn_by_a_kill_never_happened(registry: FileRegistry, tmp_path: Path) -> None:
    log = tmp_path / NAME / PROMOTIONS_FILE
    log.write_bytes(log.read_bytes() + b'\n{"version": "v1", "at": "2024-')
    assert registry.champion(NAME) == "v2"
    registry.promote(NAME, "v1", now=NOW, reason="after the kill")
    assert registry.champion(NAME) == "v1"


def test_a_kill_at_any_byte_of_a_trial_leaves_the_state_before_or_after_it(
    registry: FileRegistry, tmp_path: Path
) -> None:
    log = tmp_path / NAME / PROMOTIONS_FILE
    states: list[Trial | None] = [None]
    lengths = [len(log.read_bytes())]
    registry.begin_trial(NAME, "v1", share=0.2, now=NOW, asked_by="Ana")
    states.append(registry.trial(NAME))
    lengths.append(len(log.read_bytes()))
    registry.promote(NAME, "v1", now=NOW, reason="better")
    states.append(registry.trial(NAME))
    whole = log.read_bytes()
    for end in range(lengths[0], len(whole)):
        log.write_bytes(whole[:end])
        assert registry.trial(NAME) in states
        ended = registry.trial(NAME) == states[2]
        assert registry.champion(NAME) == ("v1" if ended else "v2")
    log.write_bytes(whole[: lengths[1] - 5])
    assert registry.begin_trial(NAME, "v1", share=0.4, now=NOW, asked_by="Ana").share == 0.4
    assert registry.trial(NAME) is not None


def test_a_save_broken_off_leaves_no_version(registry: FileRegistry, tmp_path: Path) -> None:
    half = tmp_path / NAME / ".building-v3-0000"
    half.mkdir()
    (half / "model.txt").write_bytes(b"half")
    assert {each.version for each in registry.manifests()} == {"v1", "v2"}
    registry.save(manifest("v3"), {"model.txt": b"whole"})
    assert registry.load(NAME, "v3")[1]["model.txt"] == b"whole"


def test_what_killed_saves_have_left_is_removed_by_a_later_one(registry: FileRegistry, tmp_path: Path) -> None:
    old, new = (tmp_path / NAME / f".building-v{n}-0000" for n in (3, 4))
    for half in (old, new):
        half.mkdir()
        (half / "model.txt").write_bytes(b"half")
    long_ago = old.stat().st_mtime - 2 * ABANDONED_AFTER_S
    os.utime(old, (long_ago, long_ago))
    registry.save(manifest("v5"), {"model.txt": b"whole"})
    assert not old.exists()
    assert new.exists()  # another process may be at it


def test_killed_while_saving_every_visible_version_is_whole(tmp_path: Path) -> None:
    script = f"""
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from watthour.core.model import Manifest, Trial
from watthour.registry.files import FileRegistry
registry = FileRegistry(Path({str(tmp_path)!r}))
now = datetime(2024, 7, 1, tzinfo=UTC)
files = {{"a.bin": bytes(300_000), "b.bin": bytes(100)}}
for n in itertools.count():
    version = f"v{{n:05d}}"
    registry.save(Manifest({NAME!r}, version, "r", {{}}, (), {{}}, "0", {{}}, now), files)
    registry.promote({NAME!r}, version, now=now, reason="kill test")
    print(version, flush=True)
"""
    acknowledged = []
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged.append(line.strip())
            if len(acknowledged) == 5:
                process.kill()
                break
    registry = FileRegistry(tmp_path)
    versions = {each.version for each in registry.manifests(NAME)}
    assert set(acknowledged) <= versions
    assert registry.champion(NAME) in versions
    for version in versions:
        registry.load(NAME, version)


CONTRADICTORY = [  # as two processes that promoted at once have left it
    {"version": "v1", "at": "2024-07-01T12:00:00+00:00", "reason": "", "rollback": True},
    {"version": "v2", "at": "2024-07-01T12:00:00+00:00", "reason": "", "rollback": True},
]


def test_a_log_that_contradicts_itself_still_says_who_serves_and_can_be_gone_on_with(
    registry: FileRegistry, tmp_path: Path
) -> None:
    with (tmp_path / NAME / PROMOTIONS_FILE).open("a") as log:
        log.write("".join(f"\n{json.dumps(line)}\n" for line in CONTRADICTORY))
    assert registry.champion(NAME) == "v2"
    assert registry.rollback(NAME, now=NOW) == "v1"
    registry.promote(NAME, "v2", now=NOW, reason="the cure")
    assert registry.champion(NAME) == "v2"


def test_a_rollback_passes_over_versions_that_are_gone(registry: FileRegistry, tmp_path: Path) -> None:
    registry.save(manifest("v3"), {"model.txt": b"3"})
    registry.promote(NAME, "v3", now=NOW, reason="test")
    shutil.rmtree(tmp_path / NAME / "v2")
    assert registry.rollback(NAME, now=NOW) == "v1"
    assert registry.champion(NAME) == "v1"


def test_a_damaged_manifest_hides_no_other_and_is_named(registry: FileRegistry, tmp_path: Path) -> None:
    (tmp_path / NAME / "v1" / "manifest.json").write_text("{")
    assert [each.version for each in registry.manifests()] == ["v2"]
    (error,) = registry.damaged(NAME)
    assert "v1" in str(error)


PROMOTER = """
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from watthour.core.errors import ModelNotFound
from watthour.core.model import Manifest, Trial
from watthour.registry.files import FileRegistry
registry, name, me = FileRegistry(Path(sys.argv[1])), sys.argv[2], sys.argv[3]
now = datetime(2024, 7, 1, tzinfo=UTC)
sys.stdin.readline()
for n in range(40):
    version = f"{me}{n:02d}"
    registry.save(Manifest(name, version, "r", {}, (), {}, "0", {}, now), {"a": b"x"})
    registry.promote(name, version, now=now, reason="at once")
    if n % 2:
        with suppress(ModelNotFound):
            registry.rollback(name, now=now)
"""


def test_two_processes_that_promote_and_roll_back_at_once_leave_one_story(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", PROMOTER, str(tmp_path), NAME, me] for me in ("a", "b")]
    with (
        subprocess.Popen(commands[0], stdin=subprocess.PIPE, text=True) as one,
        subprocess.Popen(commands[1], stdin=subprocess.PIPE, text=True) as other,
    ):
        for process in (one, other):
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
    assert (one.returncode, other.returncode) == (0, 0)
    registry = FileRegistry(tmp_path)
    champions: list[str] = []
    for promotion in registry.promotions(NAME):
        if promotion.is_rollback:
            champions.pop()
            assert champions[-1] == promotion.version
        else:
            assert champions[-1:] != [promotion.version]
            champions.append(promotion.version)
    assert registry.champion(NAME) == champions[-1]
    assert sum(not promotion.is_rollback for promotion in registry.promotions(NAME)) == 80
    assert registry.rollback(NAME, now=NOW) == champions[-2]
