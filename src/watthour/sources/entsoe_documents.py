"""Documents of ENTSO-E's transparency platform: from XML to points with their time, length and value.

Source: https://transparency.entsoe.eu (IEC 62325). A document holds series, a series periods, a period points with a
position from 1 on. ``curveType`` A03 leaves out a point that repeats the one before it, within its period alone; in
any other curve a point that is not there is not known.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from xml.parsers import expat

import polars as pl

from watthour.core.errors import PayloadChanged, SourceRejected
from watthour.core.frames import INSTANT
from watthour.sources.archives import is_zip, unzip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_UNZIPPED = 200_000_000  # [bytes] a year of quarter-hours of all types of plants has 60 MB
_MOST_NESTED = 12  # elements in one another; a document has six
_MOST_POSITIONS = 40_000  # of a period: a year of quarter-hours
_ACKNOWLEDGEMENT = "Acknowledgement_MarketDocument"
_NOTHING = "999"
_NO_DATA = "no matching data"  # other faults have the code of "nothing" as well, and tell by their text
_REPEATS = "A03"
_LENGTH = re.compile(r"PT(?:([0-9]{1,3})H)?(?:([0-9]{1,4})M)?")
# A series names its zone by one of them: as what is made in it, what it takes (pumping too), or where its price holds.
_DOMAINS = tuple(
    f"{name}.mRID" for name in ("inBiddingZone_Domain", "outBiddingZone_Domain", "in_Domain", "out_Domain")
)
_REPORT = "Update Watthour; if that does not help, report it with the zone and the time of asking."


@dataclass(slots=True)
class Period:
    """Points of one length."""

    start: str = ""
    end: str = ""
    resolution: str = ""
    points: list[dict[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Series:
    """What is told of one thing."""

    said: dict[str, str] = field(default_factory=dict)  # by the name of the element
    periods: list[Period] = field(default_factory=list)
    asked: str = ""  # code of the zone that it was asked of, which may have been another in the past

    @property
    def domains(self) -> dict[str, str]:
        """The codes of its zone, by the name of the element."""
        return {name: self.said[name] for name in _DOMAINS if name in self.said}

    @property
    def is_of_another_zone(self) -> bool:
        """Whether it names a zone that it was not asked of."""
        return bool(self.asked) and any(code != self.asked for code in self.domains.values())


@dataclass(slots=True)
class _Reader:
    """What is known of a document while it is read."""

    kind: str = ""
    series: list[Series] = field(default_factory=list)
    reasons: list[dict[str, str]] = field(default_factory=list)
    path: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def open(self, name: str, _attributes: dict[str, str]) -> None:
        tag = name.rpartition(" ")[2]
        self.path.append(tag)
        self.text.clear()
        if len(self.path) == 1:
            self.kind = tag
        elif len(self.path) > _MOST_NESTED:
            raise PayloadChanged("entsoe", "its document is nested too deeply to be read", remedy=_REPORT)
        elif tag == "TimeSeries":
            self.series.append(Series())
        elif tag == "Period" and self.series:
            self.series[-1].periods.append(Period())
        elif tag == "Point" and self.series and self.series[-1].periods:
            self.series[-1].periods[-1].points.append({})
        elif tag == "Reason":
            self.reasons.append({})

    def close(self, _name: str) -> None:
        tag, text = self.path.pop(), "".join(self.text).strip()
        self.text.clear()
        inside = self.path[-1] if self.path else ""
        if inside == "Reason" and self.reasons:
            self.reasons[-1][tag] = text
        elif "TimeSeries" in self.path:
            self._of_series(tag, text, inside)

    def _of_series(self, tag: str, text: str, inside: str) -> None:
        series = self.series[-1]
        period = series.periods[-1] if series.periods else Period()
        if inside == "Point" and period.points:
            period.points[-1][tag] = text
        elif inside == "timeInterval" and tag == "start":
            period.start = text
        elif inside == "timeInterval" and tag == "end":
            period.end = text
        elif inside == "Period" and tag == "resolution":
            period.resolution = text
        elif "Period" not in self.path and text:
            series.said[tag] = text


def series_of(content: bytes) -> list[Series]:
    """Return the series of an answer, be it a document or a ZIP file of several; none where there are no data.

    Raises:
        SourceRejected: the answer is an error.
        PayloadChanged: it is no document of this kind.
    """
    files = [content]
    if is_zip(content):
        files = list(unzip(content, "entsoe", "its ZIP file", most_bytes=MOST_UNZIPPED).values())
    return [series for file in files for series in _series_of_document(file)]


def _series_of_document(content: bytes) -> list[Series]:
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.open
    parser.EndElementHandler = reader.close
    parser.CharacterDataHandler = reader.text.append
    parser.StartDoctypeDeclHandler = _refuse_types
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat takes no names
    except (expat.ExpatError, ValueError):
        problem = "it answered something that is no XML document, or a part of one"
        raise PayloadChanged("entsoe", problem, remedy=_REPORT) from None
    if reader.kind == _ACKNOWLEDGEMENT:
        _check_reasons(reader.reasons)
        return []
    if not reader.kind.endswith("_MarketDocument"):
        raise PayloadChanged("entsoe", f"it answered a document {reader.kind}", remedy=_REPORT)
    return reader.series


def _refuse_types(*_declared: object) -> None:
    """Refuse a document that declares types: by entities a few bytes can grow without end, or read files."""
    raise PayloadChanged("entsoe", "its document declares types of its own, and is not read", remedy=_REPORT)


def _check_reasons(reasons: Sequence[dict[str, str]]) -> None:
    """Let pass what says that there are no data.

    Raises:
        SourceRejected: it says something else.
    """
    for reason in reasons:
        text = " ".join(reason.get("text", "").split())
        if reason.get("code") == _NOTHING and (not text or _NO_DATA in text.casefold()):
            continue
        raise SourceRejected("entsoe", text[:300] or f"reason {reason.get('code')}", remedy="Check the zone and dates.")


def points_of(series: Sequence[Series], value: str, said: Sequence[str]) -> pl.DataFrame:
    """Return a row per point: what is said of its series, ``time``, ``minutes``, and ``raw`` and ``row`` as text.

    ``is_elsewhere`` marks the points of a zone that was not asked for. A point whose period cannot be read, or that
    lies outside of it, has no time.

    Args:
        series: of an answer.
        value: name of the element with the value.
        said: names of elements of a series, a column each; empty where nothing is said.
    """
    columns: dict[str, list[str | None]] = {name: [] for name in (*said, "raw", "row")}
    times: list[datetime | None] = []
    lengths: list[int | None] = []
    elsewhere: list[bool] = []
    for each in series:
        words = {name: each.said.get(name, "") for name in said}
        zone = {"zone_asked": each.asked, **each.domains} if each.is_of_another_zone else {}
        for time, minutes, raw, row in _points(each, value):
            times.append(time)
            lengths.append(minutes)
            for name, word in words.items():
                columns[name].append(word)
            columns["raw"].append(raw)
            columns["row"].append(json.dumps({**words, **zone, **row}))
            elsewhere.append(each.is_of_another_zone)
    text = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return text.with_columns(
        time=pl.Series(times, dtype=INSTANT),
        minutes=pl.Series(lengths, dtype=pl.Int64),
        is_elsewhere=pl.Series(elsewhere, dtype=pl.Boolean),
        order=pl.int_range(pl.len()),
    )


def _points(series: Series, value: str) -> Iterator[tuple[datetime | None, int | None, str | None, dict[str, str]]]:
    repeats = series.said.get("curveType") == _REPEATS
    for period in series.periods:
        start, length, n_positions = _span(period)
        told: dict[int, str | None] = {}
        for point in period.points:
            position = point.get("position", "")
            place = int(position) if position.isdecimal() and len(position) < len(str(_MOST_POSITIONS)) + 1 else 0
            row = {"start": period.start, "resolution": period.resolution, "position": position}
            row["value"] = point.get(value, "")
            if start is None or not 1 <= place <= n_positions:
                yield None, None, point.get(value), row
            else:
                told[place] = point.get(value) or None
        if start is None or not told:
            continue
        last = min(told)
        for place in range(last, n_positions + 1) if repeats else sorted(told):
            last = place if place in told else last
            row = {"start": period.start, "resolution": period.resolution, "position": str(last)}
            row["value"] = told[last] or ""
            yield start + (place - 1) * length, length // timedelta(minutes=1), told[last], row


def _span(period: Period) -> tuple[datetime | None, timedelta, int]:
    """Return start, length of a point and number of positions of a period; no start where it cannot be read."""
    start, end, found = _instant(period.start), _instant(period.end), _LENGTH.fullmatch(period.resolution)
    length = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found else timedelta(0)
    if start is None or end is None or not length or start >= end or (end - start) % length:
        return None, length, 0
    n_positions = (end - start) // length
    return (start if n_positions <= _MOST_POSITIONS else None), length, n_positions


def _instant(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(UTC) if read.tzinfo is not None else None
    except (ValueError, OverflowError):  # in UTC the first and the last day of the calendar may lie outside
        return None


def at_step(points: pl.DataFrame, step: timedelta, key: Sequence[str], *, repeats: bool = False) -> pl.DataFrame:
    """Return points at one step: finer ones are averaged where all of an interval are there, and go before coarser.

    Args:
        points: ``key``, ``time``, ``minutes``, ``value``, ``order``; of two of one interval and length the later.
        step: that is wanted.
        key: columns that tell series apart.
        repeats: a coarser value holds for each of its parts, as a price does; else coarser points are left out.
    """
    minutes = step // timedelta(minutes=1)
    known = points.filter(pl.col("value").is_not_null()).sort("order")
    known = known.unique([*key, "time", "minutes"], keep="last", maintain_order=True)
    slot = pl.col("time").dt.truncate(f"{minutes}m")
    finer = (
        known.filter(pl.col("minutes") <= minutes)
        .group_by(*key, slot.alias("time"), "minutes", maintain_order=True)
        .agg(pl.col("value").mean(), covered=pl.col("minutes").sum())
        .filter(pl.col("covered") == minutes)
        .drop("covered")
    )
    parts = [finer.select(*key, "time", "minutes", "value")]
    if repeats:
        coarser = known.filter(pl.col("minutes") > minutes)
        starts = pl.datetime_ranges("time", pl.col("time") + pl.duration(minutes="minutes"), step, closed="left")
        coarser = coarser.with_columns(starts.alias("time")).explode("time") if coarser.height else coarser
        parts.append(coarser.select(*key, "time", "minutes", "value"))
    finest = pl.concat(parts).sort("minutes", maintain_order=True)
    return finest.unique([*key, "time"], keep="first", maintain_order=True).sort(*key, "time").drop("minutes")
