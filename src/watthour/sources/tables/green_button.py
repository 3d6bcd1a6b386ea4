"""Green Button files (ESPI, NAESB REQ.21) as a table: one row per interval, one column per reading of a meter.

Source: https://www.greenbuttondata.org and the schema espi.xsd. Times are seconds of UTC and begin an interval; a value
counts in units of ten to the power of its ReadingType's multiplier. Many utilities leave out what the schema requires:
a reading without its own time follows the one before, and a block whose type is not linked has the type told last.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from xml.parsers import expat

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT
from watthour.sources.tables.made import MadeTable

if TYPE_CHECKING:
    from collections.abc import Callable

_WATT_HOURS, _WATTS = "72", "38"  # `uom` of IEC 61968-9
_FED_IN, _NET = "19", "4"  # `flowDirection`
_STANDS = ("1", "3", "9")  # `accumulationBehaviour`: bulk quantity, cumulative, indicating
_ESTIMATED = ("8", "9", "12")  # `quality`: by a reference day, by a line, projected
_LARGEST_POWER = 12
_ROW = {"start": pl.Int64, "duration": pl.Int64, "text": pl.String, "estimated": pl.Boolean}
_TAKE_IT = "Download the file again from your utility, as XML without a document type."


@dataclass
class _Type:
    unit: str = ""
    power: int = 0
    flow: str = ""
    behaviour: str = ""
    length: int | None = None


@dataclass
class _Block:
    meter: str  # path of the MeterReading it belongs to
    kind: str  # path of the ReadingType that was told last
    rows: list[tuple[int, int | None, str, bool]] = field(default_factory=list)  # start, duration, value, is estimated


@dataclass
class _Feed:
    """What is told of a feed while it is read."""

    types: dict[str, _Type] = field(default_factory=dict)
    type_of: dict[str, str] = field(default_factory=dict)  # path of a MeterReading -> path of its ReadingType
    blocks: list[_Block] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    text: str = ""
    links: dict[str, list[str]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    last_type: str = ""
    next_start: int | None = None
    waiting: list[tuple[str, object]] = field(default_factory=list)

    def open(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        self.path.append(tag)
        self.text = ""
        if tag == "entry":
            self.links, self.waiting = {}, []
        elif tag == "link":
            self.links.setdefault(attributes.get("rel", ""), []).append(attributes.get("href", "").rstrip("/"))
        elif tag == "IntervalBlock":
            self.next_start = None
            self.waiting.append((tag, _Block("", self.last_type)))
        elif tag in {"ReadingType", "IntervalReading"}:
            self.held = {}

    def close(self, _name: str) -> None:
        tag = self.path.pop()
        text = self.text.strip()
        inside = self.path[-1] if self.path else ""
        if tag in {"uom", "powerOfTenMultiplier", "flowDirection", "accumulationBehaviour", "intervalLength"}:
            self.held[tag] = text
        elif tag in {"start", "duration"} and inside in {"timePeriod", "interval"}:
            self._time(tag, text, inside)
        elif tag == "value" and inside == "IntervalReading":
            self.held[tag] = text
        elif tag == "quality":
            self.held["estimated"] = "yes" if text in _ESTIMATED else self.held.get("estimated", "")
        elif tag == "IntervalReading":
            self._reading()
        elif tag == "ReadingType":
            self._type()
        elif tag == "MeterReading":
            self.waiting.append((tag, None))
        elif tag == "entry":
            self._entry()

    def _time(self, tag: str, text: str, inside: str) -> None:
        if inside == "timePeriod":
            self.held[tag] = text
        elif tag == "start":
            self.next_start = _whole(text)

    def _reading(self) -> None:
        start = _whole(self.held.get("start", ""))
        start = self.next_start if start is None else start
        duration = _whole(self.held.get("duration", ""))
        if start is None or not self.waiting:
            return
        block = self.waiting[-1][1]
        if isinstance(block, _Block):
            block.rows.append((start, duration, self.held.get("value", ""), bool(self.held.get("estimated"))))
            length = duration or (self.types.get(block.kind) or _Type()).length
            self.next_start = None if length is None else start + length

    def _type(self) -> None:
        power = _whole(self.held.get("powerOfTenMultiplier", "0")) or 0
        told = _Type(
            self.held.get("uom", ""),
            max(-_LARGEST_POWER, min(_LARGEST_POWER, power)),
            self.held.get("flowDirection", ""),
            self.held.get("accumulationBehaviour", ""),
            _whole(self.held.get("intervalLength", "")),
        )
        self.waiting.append(("ReadingType", told))

    def _entry(self) -> None:
        own = next(iter(self.links.get("self", [])), "")
        for tag, told in self.waiting:
            if isinstance(told, _Type):
                self.last_type = own or f"type {len(self.types)}"
                self.types[self.last_type] = told
            elif isinstance(told, _Block):
                above = next(iter(self.links.get("up", [])), own)
                self.blocks.append(replace(told, meter=above.rpartition("/IntervalBlock")[0] or above))
            elif tag == "MeterReading":
                related = [link for link in self.links.get("related", []) if "ReadingType" in link]
                if related:
                    self.type_of[own] = related[0]


def green_button_table(content: bytes, name: str) -> MadeTable:
    """Read a Green Button file.

    Raises:
        InvalidInput: it is no XML, declares a document type (which could make it grow without end, or read other
            files), or holds no electricity.
    """
    feed = _Feed()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = feed.open
    parser.EndElementHandler = feed.close
    parser.CharacterDataHandler = _adder(feed)
    parser.StartDoctypeDeclHandler = _refuse_type(name)
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat takes no keywords
    except expat.ExpatError as error:
        problem = f"it starts like XML, but cannot be read as such ({error})"
        raise InvalidInput("file", name, problem, remedy=_TAKE_IT) from error
    series = _series(feed)
    if not series:
        problem = "it holds no electricity: there are no interval readings in Wh or W"
        remedy = "Ask your utility for the Green Button file of electricity usage."
        raise InvalidInput("file", name, problem, remedy=remedy)
    return _table(series, feed)


def is_green_button(beginning: bytes) -> bool:
    """Tell whether a file begins as XML, of which Green Button is the only kind that is read."""
    return beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _adder(feed: _Feed) -> Callable[[str], None]:
    def add(text: str) -> None:
        feed.text += text

    return add


def _refuse_type(name: str) -> Callable[..., None]:
    def refuse(*_declared: object) -> None:
        problem = "it declares a document type, which no Green Button file needs and which can be harmful"
        raise InvalidInput("file", name, problem, remedy=_TAKE_IT)

    return refuse


def _series(feed: _Feed) -> dict[str, tuple[_Type, list[_Block]]]:
    """Return the readings of electricity, by the name of their column."""
    found: dict[tuple[str, str], tuple[_Type, list[_Block]]] = {}
    for block in feed.blocks:
        told = feed.types.get(feed.type_of.get(block.meter, block.kind)) or feed.types.get(block.kind)
        told = told or _Type(_WATT_HOURS)
        if told.unit in {_WATT_HOURS, _WATTS}:
            found.setdefault((block.meter, _word(told)), (told, []))[1].append(block)
    names: dict[str, tuple[_Type, list[_Block]]] = {}
    for (_meter, word), each in found.items():
        n = sum(name.startswith(word) for name in names)
        names[f"{word}{f' {n + 1}' if n else ''} [{'kWh' if each[0].unit == _WATT_HOURS else 'W'}]"] = each
    return names


def _word(told: _Type) -> str:
    if told.flow == _FED_IN:
        return "fed in"
    if told.flow == _NET:
        return "net consumption"
    return "consumption" if told.unit == _WATT_HOURS else "power"


def _table(series: dict[str, tuple[_Type, list[_Block]]], feed: _Feed) -> MadeTable:
    """Return one row per time, with a column for each series; where a time comes twice, the later row counts."""
    columns = []
    for told, blocks in series.values():
        rows = [row for block in blocks for row in block.rows]
        number = pl.col("text").cast(pl.Float64, strict=False)
        scale = 10.0**told.power / (1000 if told.unit == _WATT_HOURS else 1)
        frame = pl.DataFrame(
            rows,
            schema={"start": pl.Int64, "duration": pl.Int64, "text": pl.String, "estimated": pl.Boolean},
            orient="row",
        )
        columns.append(
            frame.unique("start", keep="last", maintain_order=True).select(
                "start",
                "estimated",
                # what is no number stays as it is written, and is refused as such
                value=pl.coalesce((number * scale).round(9).cast(pl.String), "text"),
            )
        )
    starts = pl.concat([each.select("start") for each in columns]).unique().sort("start")
    values = {}
    estimated = {}
    for place, each in enumerate(columns, start=1):
        joined = starts.join(each, on="start", how="left", maintain_order="left")
        values[str(place)] = joined["value"]
        estimated[str(place)] = joined["estimated"].fill_null(value=False)
    moments = (starts["start"] * 1_000_000).cast(INSTANT).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    n_estimated = sum(int(each.sum()) for each in estimated.values())
    notes = [f"{n_estimated:,} of its values were estimated by the utility"] if n_estimated else []
    if any(told.unit not in {_WATT_HOURS, _WATTS} for told in feed.types.values()):
        notes.append("readings of other kinds than energy and power were left aside")
    stands = frozenset(name for name, (told, _blocks) in series.items() if told.behaviour in _STANDS)
    return MadeTable(
        "Green Button",
        ("start", *series),
        pl.DataFrame({"0": moments, **values}),
        estimated=pl.DataFrame(estimated),
        counters=stands,
        notes=tuple(notes),
    )


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
