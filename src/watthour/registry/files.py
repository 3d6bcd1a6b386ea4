"""Models as directories: ``<root>/<name>/<version>/`` with native files and a manifest; no server needed."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from watthour.core.errors import InvalidInput, ModelCorrupt, ModelNotFound
from watthour.core.lock import locked
from watthour.core.manifest import MANIFEST_FILE, check_files, from_json, to_json
from watthour.core.model import Promotion, Trial, digest
from watthour.registry.manifest import (
    not_found,
    safe_file,
    safe_name,
    standing,
    trial_as_json,
    trial_begun,
    trial_ended,
    trial_of_json,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from watthour.core.model import Manifest

PROMOTIONS_FILE = "promotions.jsonl"
LOCK_FILE = ".promotions.lock"
BUILDING = ".building-"  # begins the name of a directory while it is written
ABANDONED_AFTER_S = 3600.0  # no save takes so long


class FileRegistry:
    """A registry in a directory; several processes may use it at once.

    A version appears by one rename, when all of it is on the disk; promotions and trials are lines appended to one log,
    so a kill at any moment leaves either the old or the new state, and the line of a promotion ends the trial before
    it. Who writes holds a lock, so that each decides by what the one before it has written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def save(self, manifest: Manifest, files: Mapping[str, bytes]) -> Manifest:
        """Keep a model durably; return its manifest with the file hashes filled in.

        Raises:
            InvalidInput: the version exists with other files, or a name could lead out of the registry.
        """
        place = self._place(manifest.name, manifest.version)
        hashes = {safe_file(name): digest(content) for name, content in sorted(files.items())}
        kept = replace(manifest, hashes=hashes)
        if place.exists():
            return self._same_again(kept, place)
        building = place.with_name(f"{BUILDING}{manifest.version}-{uuid4().hex[:8]}")
        building.mkdir(parents=True)
        _clear_abandoned(building)
        try:
            for name, content in files.items():
                (building / name).parent.mkdir(parents=True, exist_ok=True)
                _write_durably(building / name, content)
            _write_durably(building / MANIFEST_FILE, to_json(kept).encode())
            for directory in (building, *(path for path in building.rglob("*") if path.is_dir())):
                _sync_directory(directory)
            building.rename(place)
        except OSError:
            shutil.rmtree(building, ignore_errors=True)
            if place.exists():  # another process saved the same version meanwhile
                return self._same_again(kept, place)
            raise
        _sync_directory(place.parent)
        return kept

    def load(self, name: str, version: str | None = None) -> tuple[Manifest, Mapping[str, bytes]]:
        """Return a model's manifest and files, hashes checked; no version means the champion.

        Raises:
            ModelNotFound: no such name or version, or no champion yet.
            ModelCorrupt: a file differs from its hash.
        """
        wanted = version or self.champion(name)
        if wanted is None:
            raise not_found(name, None, self._versions(name))
        place = self._place(name, wanted)
        if not place.is_dir():
            raise not_found(name, wanted, self._versions(name))
        manifest = self._manifest(place)
        files = {
            file_name: (place / file_name).read_bytes()
            for file_name in manifest.hashes
            if (place / file_name).is_file()
        }
        check_files(manifest, files, where=str(place))
        return manifest, files

    def manifests(self, name: str | None = None) -> list[Manifest]:
        """Return what is kept and can be read, newest first."""
        found, _ = self._readable(name)
        return sorted(found, key=lambda manifest: (manifest.created_at, manifest.version), reverse=True)

    def damaged(self, name: str | None = None) -> list[ModelCorrupt]:
        """Return what is kept but cannot be read: one error each, with its cure."""
        return self._readable(name)[1]

    def champion(self, name: str) -> str | None:
        """Return the version that serves, if any."""
        champions = standing(self.promotions(name))
        return champions[-1] if champions else None

    def promote(self, name: str, version: str, *, now: datetime, reason: str) -> None:
        """Make a version the champion; the one before it is remembered.

        Raises:
            ModelNotFound: no such name or version.
        """
        if not self._place(name, version).is_dir():
            raise not_found(name, version, self._versions(name))
        with self._promoting(name):
            if self.champion(name) != version:
                self._note(name, _promotion_as_json(Promotion(version, now, reason)))

    def rollback(self, name: str, *, now: datetime) -> str:
        """Make the champion before this one champion again and return its version.

        Raises:
            ModelNotFound: there was no champion before this one, or it is not kept any more.
        """
        with self._promoting(name):
            champions = standing(self.promotions(name))
            if len(champions) < 2:  # noqa: PLR2004 - the one and the one before
                problem = f"{name} has no champion before the current one"
                raise ModelNotFound(problem, remedy="`watthour models list` shows what could be promoted instead.")
            kept = [version for version in champions[:-1] if self._place(name, version).is_dir()]
            if not kept:
                raise not_found(name, champions[-2], self._versions(name))
            back = Promotion(kept[-1], now, f"rolled back from {champions[-1]}", is_rollback=True)
            self._note(name, _promotion_as_json(back))
            return kept[-1]

    def promotions(self, name: str) -> list[Promotion]:
        """Return every change of champion, oldest first."""
        return [entry for entry in self._log(name) if isinstance(entry, Promotion)]

    def trial(self, name: str) -> Trial | None:
        """Return the last A/B trial; it runs while its ``until`` is None."""
        last: Trial | None = None
        for entry in self._log(name):
            if isinstance(entry, Trial):
                last = entry
            elif last is not None and last.until is None:
                last = replace(last, until=entry.promoted_at)
        return last

    def begin_trial(self, name: str, version: str, *, share: float, now: datetime, asked_by: str) -> Trial:
        """Let a version forecast beside the champion; a trial that runs ends, unless only its share changes.

        Raises:
            ModelNotFound: no such version, or no champion to try it against.
            InvalidInput: it is the champion, or the share is not from 0 to 1.
        """
        if not self._place(name, version).is_dir():
            raise not_found(name, version, self._versions(name))
        with self._promoting(name):
            before, champion = self.trial(name), self.champion(name)
            begun = trial_begun(before, name, champion, version, share=share, now=now, asked_by=asked_by)
            self._note(name, {"trial": trial_as_json(begun)})
        return begun

    def end_trial(self, name: str, *, now: datetime) -> Trial:
        """End the trial that runs and return it; another champion ends it too.

        Raises:
            ModelNotFound: none runs.
        """
        with self._promoting(name):
            ended = trial_ended(self.trial(name), name, now)
            self._note(name, {"trial": trial_as_json(ended)})
        return ended

    def _log(self, name: str) -> list[Promotion | Trial]:
        """Return the promotions and trials of a name in the order in which they were written."""
        log = self._root / safe_name("model", name) / PROMOTIONS_FILE
        if not log.is_file():
            return []
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return [entry for line in lines if (entry := _entry(line)) is not None]

    def _promoting(self, name: str) -> AbstractContextManager[None]:
        return locked(self._root / safe_name("model", name) / LOCK_FILE)

    def _readable(self, name: str | None) -> tuple[list[Manifest], list[ModelCorrupt]]:
        """Return the manifests that can be read, and what is wrong with the others."""
        if name is not None:
            names = [safe_name("model", name)]
        else:
            names = sorted(path.name for path in self._root.iterdir()) if self._root.is_dir() else []
        found: list[Manifest] = []
        damaged: list[ModelCorrupt] = []
        for place in (self._root / each / version for each in names for version in self._versions(each)):
            try:
                found.append(self._manifest(place))
            except ModelCorrupt as error:
                damaged.append(error)
        return found, damaged

    def _place(self, name: str, version: str) -> Path:
        return self._root / safe_name("model", name) / safe_name("version", version)

    def _versions(self, name: str) -> list[str]:
        """Versions of a name, newest first."""
        return sorted((path.parent.name for path in (self._root / name).glob(f"[!.]*/{MANIFEST_FILE}")), reverse=True)

    def _manifest(self, place: Path) -> Manifest:
        path = place / MANIFEST_FILE
        if not path.is_file():
            raise ModelCorrupt(f"{place} has no {MANIFEST_FILE}", remedy="Delete the directory and train anew.")
        return from_json(path.read_bytes(), where=str(path))

    def _same_again(self, kept: Manifest, place: Path) -> Manifest:
        if self._manifest(place).hashes == kept.hashes:
            return kept
        raise InvalidInput(
            "version", kept.version, "this version exists with other files", remedy="A saved version never changes."
        )

    def _note(self, name: str, entry: Mapping[str, object]) -> None:
        log = self._root / name / PROMOTIONS_FILE
        with log.open("ab") as file:
            file.write(f"\n{json.dumps(entry)}\n".encode())  # the leading end of line closes a line torn by a kill
            file.flush()
            os.fsync(file.fileno())


def _promotion_as_json(promotion: Promotion) -> dict[str, object]:
    return {
        "version": promotion.version,
        "at": promotion.promoted_at.isoformat(),
        "reason": promotion.reason,
        "rollback": promotion.is_rollback,
    }


def _entry(line: str) -> Promotion | Trial | None:
    """Read one line of the log; a line torn by a kill was never acknowledged and counts for nothing."""
    try:
        entry = json.loads(line)
        if "trial" in entry:
            return trial_of_json(entry["trial"])
        return Promotion(entry["version"], datetime.fromisoformat(entry["at"]), entry["reason"], entry["rollback"])
    except (ValueError, KeyError, TypeError):
        return None


def _clear_abandoned(building: Path) -> None:
    """Remove what saves that were killed have left beside a model that is being saved, by the clock of the disk."""
    now = building.stat().st_mtime
    for other in building.parent.glob(f"{BUILDING}*"):
        try:
            is_abandoned = now - other.stat().st_mtime > ABANDONED_AFTER_S
        except FileNotFoundError:  # another process has just finished it
            continue
        if is_abandoned:
            shutil.rmtree(other, ignore_errors=True)


def _write_durably(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    if os.name == "nt":  # Windows cannot open a directory for this, and keeps renames in order
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
