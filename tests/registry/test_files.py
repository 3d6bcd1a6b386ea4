"""What only the registry of files promises: safety against damage, kills and other processes."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import ModelCorrupt
from watthour.core.model import Manifest
from watthour.registry.files import PROMOTIONS_FILE, FileRegistry

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


def test_a_save_broken_off_leaves_no_version(registry: FileRegistry, tmp_path: Path) -> None:
    half = tmp_path / NAME / ".building-v3-0000"
    half.mkdir()
    (half / "model.txt").write_bytes(b"half")
    assert {each.version for each in registry.manifests()} == {"v1", "v2"}
    registry.save(manifest("v3"), {"model.txt": b"whole"})
    assert registry.load(NAME, "v3")[1]["model.txt"] == b"whole"


def test_killed_while_saving_every_visible_version_is_whole(tmp_path: Path) -> None:
    script = f"""
import itertools, sys
from datetime import UTC, datetime
from pathlib import Path
from watthour.core.model import Manifest
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
