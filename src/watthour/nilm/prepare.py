"""Writing metered houses to a folder, house by house, so that what was interrupted goes on where it was."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput, StoreLocked
from watthour.core.lock import locked_if_free, write_whole
from watthour.nilm.appliances import Appliance, appliance_named
from watthour.nilm.houses import summed
from watthour.nilm.kept_houses import (
    HOUSE_FILES,
    HOUSE_MANIFEST,
    MANIFEST,
    content_hash,
    file_hash,
    read_json,
)
from watthour.nilm.kept_states import statistics_of, write_states
from watthour.nilm.windows import FORMAT, Windows, open_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from watthour.nilm.houses import House, Remark

    Said: TypeAlias = dict[str, Any]

ROLES = ("training", "validation", "test")
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class HouseSource(Protocol):
    """Files of a metered house, read piece by piece."""

    @property
    def name(self) -> str:
        """Its name, which is that of its folder."""

    @property
    def files(self) -> Sequence[Path]:
        """What it is read from; their content says whether it must be read again."""

    @property
    def reading(self) -> str:
        """How the files are read, such as the names of columns; likewise."""

    def pieces(self, step_s: int) -> Iterator[House]:
        """Yield it in pieces that fit into memory, oldest first, by steps of a length [s]."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """A house that is in memory already."""

    house: House

    @property
    def name(self) -> str:
        """The name of the house."""
        return self.house.name

    @property
    def files(self) -> Sequence[Path]:
        """None."""
        return ()

    @property
    def reading(self) -> str:
        """A hash of its values."""
        made = sha256(" ".join(self.house.appliances).encode())
        for values in (self.house.time, self.house.mains, *self.house.appliances.values()):
            made.update(np.ascontiguousarray(values).tobytes())
        return made.hexdigest()

    def pieces(self, step_s: int) -> Iterator[House]:
        """Yield the house by steps of a length [s]."""
        yield self.house.resampled(step_s)


@dataclass(frozen=True, slots=True)
class Span:
    """What a source tells of a span of time, as to train on one month of a house and to test on another."""

    source: HouseSource
    name: str
    start: datetime | None = None
    end: datetime | None = None  # is no part of it

    @property
    def files(self) -> Sequence[Path]:
        """Those of the source."""
        return self.source.files

    @property
    def reading(self) -> str:
        """The span, and how the source is read."""
        return f"{self.start} to {self.end}: {self.source.reading}"

    def pieces(self, step_s: int) -> Iterator[House]:
        """Yield what lies within the span."""
        for piece in self.source.pieces(step_s):
            yield replace(piece.between(self.start or _FIRST, self.end or _LAST), name=self.name)


@dataclass(frozen=True, slots=True)
class Part:
    """A house and what it is for: training, validation or test."""

    source: HouseSource
    role: str = "training"
    attribution: str = ""  # licence and origin, kept beside the values
    home: str = ""  # where it is, if several parts are of one home and its devices; else its name

    @property
    def said(self) -> Said:
        """What the manifest says of it beside its values."""
        return {"role": self.role, "home": self.home or self.source.name, "attribution": self.attribution}


def prepare(
    folder: Path,
    parts: Sequence[Part],
    *,
    step_s: int,
    appliances: Sequence[str],
    tell: Callable[[str], None] = lambda _: None,
) -> Windows:
    """Write houses to a folder and open it.

    A house whose files, step and appliances are as when it was written stays as it is, so that this can be interrupted
    at any moment and asked again. The manifest comes last, with statistics of the training houses alone.

    Args:
        folder: to write to.
        parts: the houses.
        step_s: length of a step [s].
        appliances: that are told; what a house has not of them is not known there.
        tell: is told what is done.

    Raises:
        InvalidInput: names or roles that cannot be, or a house without mains.
        StoreLocked: another process writes to the folder.
    """
    rules = _checked(parts, appliances, step_s)
    folder.mkdir(parents=True, exist_ok=True)
    with locked_if_free(folder / "prepare.lock") as is_ours:
        if not is_ours:
            problem = f"another process prepares houses in {folder}"
            raise StoreLocked(problem, remedy="Wait until it has ended, or name another folder.")
        (folder / MANIFEST).unlink(missing_ok=True)  # what is half done is not opened
        said = [_prepared(folder, part, rules, step_s, tell) for part in parts]
        manifest: Said = {
            "format": FORMAT,
            "step_s": step_s,
            "appliances": [asdict(rule) for rule in rules],
            "houses": said,
            "statistics": statistics_of(folder, said, rules),
        }
        manifest["hash"] = content_hash(manifest)
        write_whole(folder / MANIFEST, json.dumps(manifest, indent=2))
    return open_windows(folder, checks_content=False)


def _checked(parts: Sequence[Part], appliances: Sequence[str], step_s: int) -> tuple[Appliance, ...]:
    if step_s < 1:
        raise InvalidInput("step_s", step_s, "it is a whole number of seconds above 0", remedy="Try 60.")
    rules = tuple(appliance_named(each) for each in appliances)
    if not rules or len({rule.name for rule in rules}) < len(rules):
        problem = "at least one is needed, and each once"
        raise InvalidInput("appliances", list(appliances), problem, remedy="Name such as kettle and fridge.")
    names = [part.source.name for part in parts]
    for part in parts:
        name = part.source.name
        if not _NAME.fullmatch(name) or names.count(name) > 1:
            problem = "names of houses are letters, digits, dots, dashes and underscores, and each is there once"
            raise InvalidInput("house", name, problem, remedy="Name it such as ukdale-1.")
        if part.role not in ROLES:
            problem = f"{name}: what a house is for is one of {', '.join(ROLES)}"
            raise InvalidInput("role", part.role, problem, remedy="Say training, validation or test.")
    if not any(part.role == "training" for part in parts):
        problem = "there is no house to learn from, and statistics are of those alone"
        raise InvalidInput("role", sorted({part.role for part in parts}), problem, remedy="Give one the role training.")
    return rules


def _prepared(folder: Path, part: Part, rules: Sequence[Appliance], step_s: int, tell: Callable[[str], None]) -> Said:
    """Return what the manifest says of a house, which is written where it is not there already."""
    name = part.source.name
    home = folder / name
    fingerprint = _fingerprint(part.source, rules, step_s)
    if (home / HOUSE_MANIFEST).exists():
        kept = read_json(home / HOUSE_MANIFEST)
        if kept["fingerprint"] == fingerprint and all((home / file).exists() for file in HOUSE_FILES):
            tell(f"{name} is there already")
            return {**part.said, **kept}
    unfinished = folder / f"{name}.part"
    for old in (unfinished, home):
        if old.exists():
            shutil.rmtree(old)
    unfinished.mkdir()
    writer = _Writer(unfinished, len(rules))
    with writer:
        for piece in part.source.pieces(step_s):
            writer.append(piece, rules)
            if len(piece):
                tell(f"{name} up to {np.datetime64(int(piece.time[-1]), 's')}")
    if not writer.n_rows:
        problem = "nothing of its mains is known"
        raise InvalidInput("house", name, problem, remedy="Leave it out, or check its files.")
    segments = writer.segments
    np.save(unfinished / "segments.npy", np.array(segments, dtype=np.int64))
    write_states(unfinished, segments, rules, step_s)
    kept = {
        "name": name,
        "folder": name,
        "fingerprint": fingerprint,
        "sources": [path.name for path in part.source.files],
        "rows": writer.n_rows,
        "days": round(writer.n_rows * step_s / 86_400, 3),
        "segments": len(segments),
        "metered": {rule.name: int(n) for rule, n in zip(rules, writer.n_known, strict=True)},
        "remarks": [str(each) for each in summed(writer.remarks)],
        "files": {
            file: {"bytes": (unfinished / file).stat().st_size, "sha256": file_hash(unfinished / file)}
            for file in HOUSE_FILES
        },
    }
    write_whole(unfinished / HOUSE_MANIFEST, json.dumps(kept, indent=2))
    unfinished.rename(home)
    return {**part.said, **kept}


def _fingerprint(source: HouseSource, rules: Sequence[Appliance], step_s: int) -> str:
    """Return a hash of everything that a house's files on disk follow from."""
    files = [(path.name, file_hash(path)) for path in source.files]
    said = {"format": FORMAT, "step_s": step_s, "rules": [asdict(rule) for rule in rules], "files": files}
    return content_hash({**said, "reading": source.reading})


@dataclass(slots=True)
class _Writer:
    """Appends the pieces of a house to its values, whose number is known at the end."""

    folder: Path
    n_appliances: int
    n_rows: int = 0
    segments: list[list[int]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    n_known: NDArray[np.int64] = field(init=False)
    _file: BinaryIO = field(init=False)
    _ends_at: int | None = None

    def __enter__(self) -> None:
        self.n_known = np.zeros(self.n_appliances, dtype=np.int64)
        self._file = (self.folder / "values.npy").open("wb")
        self._write_header()

    def __exit__(self, *_: object) -> None:
        self._file.seek(0)
        self._write_header()  # numpy leaves room in it for the number of rows to grow
        self._file.close()

    def append(self, piece: House, rules: Sequence[Appliance]) -> None:
        self.remarks += piece.remarks
        if not len(piece):
            return
        begin = int(piece.time[0])
        if self._ends_at is not None and begin < self._ends_at:
            problem = f"a piece of {piece.name} begins before the end of the one before it"
            raise InvalidInput(
                "time", str(np.datetime64(begin, "s")), problem, remedy="Give its files in order of time."
            )
        for part in piece.segments():
            start, n_rows = int(piece.time[part.start]), part.stop - part.start
            if self._ends_at == start:
                self.segments[-1][1] += n_rows
            else:
                self.segments.append([self.n_rows, n_rows, start])
            self.n_rows += n_rows
            self._ends_at = start + n_rows * piece.step_s
        values = np.full((len(piece), 1 + self.n_appliances), np.nan, dtype=np.float32)
        values[:, 0] = piece.mains
        for place, rule in enumerate(rules):
            if rule.name in piece.appliances:
                values[:, 1 + place] = piece.appliances[rule.name]
        self.n_known += np.isfinite(values[:, 1:]).sum(axis=0)
        values.tofile(self._file)

    def _write_header(self) -> None:
        header: Said = {"descr": "<f4", "fortran_order": False, "shape": (self.n_rows, 1 + self.n_appliances)}
        np.lib.format.write_array_header_1_0(self._file, header)
