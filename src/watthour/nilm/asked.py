"""What to prepare, as a file or a command says it: houses with their roles, and appliances that were metered alone."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from watthour.core.errors import InvalidInput
from watthour.nilm.layouts.channels import redd_houses, ukdale_houses
from watthour.nilm.layouts.nilmtk import nilmtk_house
from watthour.nilm.layouts.refit import refit_houses
from watthour.nilm.layouts.tables import TableWords, table_house
from watthour.nilm.layouts.tracebase import DeviceFile, device_file
from watthour.nilm.prepare import Part, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from watthour.nilm.augment import Run
    from watthour.nilm.layouts.samples import SampledHouse

USUAL_APPLIANCES = ("kettle", "dishwasher", "washing_machine", "microwave", "fridge")
USUAL_STEP_S = 60
_SHOWN = "docs/reference/nilm.md shows a whole file."
_DATA_SETS: dict[str, Callable[[Path], tuple[SampledHouse, ...]]] = {
    "ukdale": ukdale_houses,
    "redd": redd_houses,
    "refit": refit_houses,
}
_WORDS = {each.name for each in fields(TableWords)}
_WORDS_OF = {
    "table": {"files"} | _WORDS,
    **{data_set: {"folder", "houses"} for data_set in _DATA_SETS},
    "nilmtk": {"file", "building", "mains", "meters", "column"},
}
_OF_HOUSES = {"layout", "name", "home", "role", "from", "until", "attribution"}
_SUFFIXES = (".csv", ".csv.gz", ".parquet")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be prepared."""

    parts: tuple[Part, ...]
    run_files: tuple[DeviceFile, ...]
    run_attributions: tuple[str, ...]
    step_s: int
    appliances: tuple[str, ...]

    def runs(self) -> tuple[Run, ...]:
        """Cut the runs of the appliances that were metered alone."""
        return tuple(run for file in self.run_files for run in file.runs())

    def kinds_without_runs(self) -> tuple[str, ...]:
        """Return what files call appliances that have no rule of states, and so no runs."""
        return tuple(sorted({file.said for file in self.run_files if file.kind is None}))


def asked_in(said: Mapping[str, Any], beside: Path) -> Asked:
    """Read what a file says; paths are relative to a folder, such as that of the file.

    Raises:
        InvalidInput: a word is unknown or missing, or what it names cannot be read.
    """
    _only(said, {"step_s", "appliances", "house", "runs"}, "the file")
    houses, alone = said.get("house", []), said.get("runs", [])
    if not isinstance(houses, list) or not houses:
        raise InvalidInput("house", houses, "no house is named", remedy=f"Add [[house]]: {_SHOWN}")
    parts = [part for each in houses for part in _parts(_table(each, "house"), beside)]
    files = [path for each in alone for path in _run_files(_table(each, "runs"), beside)]
    step_s, appliances = said.get("step_s", USUAL_STEP_S), said.get("appliances", list(USUAL_APPLIANCES))
    if not isinstance(step_s, int) or isinstance(step_s, bool):
        raise InvalidInput("step_s", step_s, "it is a whole number of seconds", remedy="Try 60.")
    told = tuple(_texts(appliances, "appliances"))
    attributions = tuple(str(each["attribution"]) for each in alone if "attribution" in each)
    return Asked(tuple(parts), tuple(files), attributions, step_s, told)


def asked_of(
    files: Sequence[Path], roles: Mapping[str, str], *, step_s: int, appliances: Sequence[str], words: TableWords
) -> Asked:
    """Read tables, each of which is a house to learn from, but for those of other roles, that is named as its file."""
    parts = []
    for path in files:
        name = _plain_name(path)
        parts.append(Part(table_house(name, [path], words), roles.get(name, "training")))
    unknown = sorted(set(roles) - {part.source.name for part in parts})
    if unknown:
        hint = f"The files are those of {', '.join(part.source.name for part in parts)}."
        raise InvalidInput("role", unknown[0], "no file is that of a house of this name", remedy=hint)
    return Asked(tuple(parts), (), (), step_s, tuple(appliances))


def _parts(said: Mapping[str, Any], beside: Path) -> list[Part]:
    layout = said.get("layout", "table")
    if layout not in _WORDS_OF:
        problem = f"a layout is one of {', '.join(_WORDS_OF)}"
        raise InvalidInput("layout", layout, problem, remedy=_SHOWN)
    _only(said, _OF_HOUSES | _WORDS_OF[layout], "a house")
    found = _sources(layout, said, beside)
    if "name" in said and len(found) > 1:
        problem = f"these are several houses: {', '.join(each.name for each in found)}"
        raise InvalidInput("name", said["name"], problem, remedy="Pick one with `houses`, or leave out the name.")
    start, end = _instant(said, "from"), _instant(said, "until")
    role, attribution = said.get("role", "training"), str(said.get("attribution", ""))
    return [
        Part(
            source if start is None and end is None else Span(source, said.get("name", source.name), start, end),
            role,
            attribution,
            said.get("home", ""),
        )
        for source in found
    ]


def _sources(layout: str, said: Mapping[str, Any], beside: Path) -> list[SampledHouse]:
    if layout == "table":
        files = [beside / each for each in _texts(said.get("files", []), "files")]
        if not files:
            raise InvalidInput("files", [], "a table has no files", remedy=_SHOWN)
        words = TableWords(**{key: value for key, value in said.items() if key in _WORDS})
        return [table_house(said.get("name", _plain_name(files[0])), files, words)]
    if layout == "nilmtk":
        return [_nilmtk(said, beside)]
    if "folder" not in said:
        raise InvalidInput("folder", None, f"that of {layout} is missing", remedy=_SHOWN)
    found = _DATA_SETS[layout](beside / said["folder"])
    wanted = [f"{layout}-{number}" for number in said.get("houses", [])]
    missing = [name for name in wanted if name not in {source.name for source in found}]
    if missing:
        problem = f"the folder holds {', '.join(source.name for source in found)}"
        raise InvalidInput("houses", missing[0], problem, remedy="Name their numbers, or leave it out for all.")
    picked = [source for source in found if not wanted or source.name in wanted]
    return [replace(source, name=said["name"]) for source in picked] if len(picked) == 1 and "name" in said else picked


def _instant(said: Mapping[str, Any], word: str) -> datetime | None:
    """Read a day, which begins at midnight UTC, or an instant."""
    value = said.get(word)
    if value is None:
        return None
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError as error:
        problem = "this is neither a day nor an instant"
        raise InvalidInput(word, value, problem, remedy="Write it as 2013-04-01, or 2013-04-01T06:00:00Z.") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _nilmtk(said: Mapping[str, Any], beside: Path) -> SampledHouse:
    missing = [word for word in ("name", "file", "building", "mains", "meters") if word not in said]
    if missing:
        raise InvalidInput(missing[0], None, "that of nilmtk is missing", remedy=_SHOWN)
    building, mains, meters = said["building"], said["mains"], said["meters"]
    is_numbers = isinstance(mains, list) and isinstance(meters, dict)
    if not is_numbers or not all(isinstance(each, int) for each in (building, *mains, *meters.values())):
        problem = "building, mains and meters are numbers: 1, [1, 2] and { kettle = 10 }"
        raise InvalidInput("meters", meters, problem, remedy=_SHOWN)
    return nilmtk_house(said["name"], beside / said["file"], building, mains, meters, column=said.get("column"))


def _run_files(said: Mapping[str, Any], beside: Path) -> list[DeviceFile]:
    _only(said, {"files", "attribution"}, "runs")
    found: list[Path] = []
    for each in _texts(said.get("files", []), "files"):
        path = beside / each
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.name.endswith(_SUFFIXES[:2]))
        elif path.is_file():
            found.append(path)
        else:
            raise InvalidInput("files", str(path), "there is no such file or folder", remedy="Check its path.")
    return [device_file(path) for path in found]


def _plain_name(path: Path) -> str:
    suffix = next((each for each in (".csv.gz", *_SUFFIXES) if path.name.endswith(each)), None)
    if suffix is None:
        problem = f"a table ends in {', '.join(_SUFFIXES)}"
        raise InvalidInput("file", str(path), problem, remedy="Name tables, or one TOML or JSON file that names them.")
    return path.name.removesuffix(suffix)


def _only(said: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(said) - known)
    if unknown:
        problem = f"{where} has no such word"
        raise InvalidInput(unknown[0], said[unknown[0]], problem, remedy=f"It has {', '.join(sorted(known))}.")


def _table(said: object, what: str) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise InvalidInput(what, said, "it is a table", remedy=f"Write [[{what}]]: {_SHOWN}")
    return said


def _texts(said: object, what: str) -> list[str]:
    if not isinstance(said, list) or not all(isinstance(each, str) for each in said):
        raise InvalidInput(what, said, "it is a list of texts", remedy=_SHOWN)
    return said
