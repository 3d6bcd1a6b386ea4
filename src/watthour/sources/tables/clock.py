"""Dates and times as people write them: day or month first, twelve hours, 24:00, offsets, intervals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from watthour.core.window import DAY

_MONTHS = (
    *("jan", "feb|fév|fev", "mar|mär|mrt|maa|mrz", "apr|avr|abr", "may|mai|mei|mag", "jun|juin|giu"),
    *("jul|juil|lug", "aug|aoû|aou|ago", "sep|set", "oct|okt|ott|out", "nov", "dec|dez|déc|dic"),
)
_FIRST, _LAST = 1900, 2199  # years that a series of energy can be of
_CENTURY = 70  # two digits below belong to 2000
_NOON = 12
_EXCEL_EPOCH = pl.lit(datetime(1899, 12, 30), dtype=pl.Datetime("us"))  # noqa: DTZ001 - a spreadsheet has no time zone
_EXCEL_DAYS = (30_000, 60_000)
_EVEN = 0.9  # share of rows that follow the one before by the usual step

# How far local clocks named by letters are from UTC [minutes]; letters of several meanings, as those of India, are left
# out, and US ones are as in the US.
ABBREVIATIONS = {
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "WET": 0,
    "WEST": 60,
    "BST": 60,
    "CET": 60,
    "CEST": 120,
    "MEZ": 60,
    "MESZ": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "SAST": 120,
    "JST": 540,
    "KST": 540,
    "BRT": -180,
    "ART": -180,
    "EST": -300,
    "EDT": -240,
    "CST": -360,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
    "AST": -240,
    "ADT": -180,
    "NST": -210,
    "NDT": -150,
    "AEST": 600,
    "AEDT": 660,
    "ACST": 570,
    "ACDT": 630,
    "AWST": 480,
    "NZST": 720,
    "NZDT": 780,
}
_LETTERS = "|".join(sorted(ABBREVIATIONS, key=len, reverse=True))
# ERCOT marks the second of two hours in autumn with DST: no offset, and the order of the file tells the two apart.
_OFFSET = rf"(?:\s*[\(\[]?\s*((?:UTC|GMT)?[+-]\d{{1,2}}(?::?\d{{2}})?|{_LETTERS}|DST)\s*[\)\]]?)?"
_CLOCK = r"(\d{1,2})(?:(?::|h)(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?|h)?\s*([AaPp]\.?[Mm]\.?)?"
_GAP = r"(?:T|,?\s+(?:at\s+)?|:)"
_DATES = {  # year, month, day in the order of the names
    "ymd": r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
    "compact": r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    "numbers": r"(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{4}|\d{2})",
    "named": r"(?P<day>\d{1,2})\.?[-\s./]?\s?(?P<name>[^\W\d_]{3,9})\.?[-\s.,/]?\s?(?P<year>\d{4}|\d{2})",
    "us_named": r"(?P<name>[^\W\d_]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
}
_PACKED = r"(\d{2})(\d{2})(\d{2})?"  # 0530 after a date without marks
_WEEKDAY = r"^(?i:mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|die|mit|don|son|mo|di|mi|do|fr|sa|so)"
_WEEKDAY += r"[^\W\d_]{0,7}\.?,?\s+(?P<rest>\d.*)$"
_INTERVAL = r"^(.*\d[^\d]{0,12}?)\s+(?:-|\u2013|\u2014|to|bis|à)\s+.*\d.*$"
_ISO_INTERVAL = r"^(\d{4}-\d\d-\d\d[T ][^/]+)/.+$"


def _whole(shape: str) -> str:
    date = _DATES[shape]
    clock = rf"(?:{_GAP}{_CLOCK})?"
    if shape == "compact":
        return rf"^{date}(?:(?:T|\s*){_PACKED}|{_GAP}{_CLOCK})?{_OFFSET}$"
    return rf"^{date}{clock}{_OFFSET}$"


_SHAPES = {shape: _whole(shape) for shape in _DATES}
_SHAPE_RES = tuple(re.compile(pattern) for pattern in _SHAPES.values())
_ISO_INTERVAL_RE, _INTERVAL_RE, _WEEKDAY_RE = (re.compile(each) for each in (_ISO_INTERVAL, _INTERVAL, _WEEKDAY))
_COMPACT_YEAR = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d")
CLOCK_ALONE = re.compile(rf"^{_CLOCK}(?:\s*[-\u2013\u2014]\s*\d{{1,2}}:\d{{2}}.*)?{_OFFSET}$")
OFFSET_ALONE = re.compile(rf"^(?:(?:UTC|GMT)?[+-]\d{{1,2}}(?::?\d{{2}})?|{_LETTERS})$")
ORDERS = ("dmy", "mdy", "ymd")


def is_date_text(text: str) -> bool:
    """Tell whether a cell is a date, with or without a time.

    >>> [is_date_text(text) for text in ("01.02.2021 00:00 - 01.02.2021 00:15", "2021-02-01", "20210201", "17", "Date")]
    [True, True, False, False, False]
    """
    text = _first_of(text.strip())
    shapes = [shape for shape, pattern in zip(_SHAPES, _SHAPE_RES, strict=True) if pattern.match(text)]
    return shapes not in ([], ["compact"]) or (shapes == ["compact"] and _COMPACT_YEAR.match(text) is not None)


def _first_of(text: str) -> str:
    for pattern in (_ISO_INTERVAL_RE, _INTERVAL_RE):
        if found := pattern.match(text):
            text = found[1]
    found = _WEEKDAY_RE.match(text)
    return found["rest"] if found else text


@dataclass(frozen=True, slots=True)
class Moments:
    """The times of a column, taken apart; the order of day and month is still open where only numbers are written."""

    parts: pl.DataFrame  # per row: year, month, day (or a, b, c), clock [duration], offset_minutes
    is_interval: bool
    has_midnight_24: bool
    is_open: bool  # some dates are three numbers
    has_points: bool  # these are divided by points

    def naive(self, order: str) -> pl.Series:
        """Return the written date and time in one order of the numbers, null where it cannot be."""
        first, second, third = (pl.col(name) for name in "abc")
        of_numbers = {
            "dmy": (third, second, first),
            "mdy": (third, first, second),
            "ymd": (first, second, third),
        }[order]
        year, month, day = (
            pl.coalesce(pl.col(name), other) for name, other in zip(("year", "month", "day"), of_numbers, strict=True)
        )
        full = pl.when(year < _CENTURY).then(year + 2000).when(year < 100).then(year + 1900).otherwise(year)  # noqa: PLR2004 - centuries
        text = pl.format("{}-{}-{}", full, month.cast(pl.String).str.zfill(2), day.cast(pl.String).str.zfill(2))
        date = pl.when(full.is_between(_FIRST, _LAST)).then(text.str.to_date("%Y-%m-%d", strict=False))
        return self.parts.select((date.cast(pl.Datetime("us")) + pl.col("clock")).alias("naive"))["naive"]

    @property
    def offsets(self) -> pl.Series:
        """How far the written clock is from UTC [minutes], null where nothing is written."""
        return self.parts["offset_minutes"]


def take_apart(text: pl.Series) -> Moments:
    """Take written times apart; of an interval its begin counts."""
    text = text.cast(pl.String).fill_null("").str.replace_all(r"[\x{00a0}\x{202f}]", " ").str.strip_chars()
    inner = text.str.replace(_ISO_INTERVAL, "${1}").str.replace(_INTERVAL, "${1}")
    is_interval = bool((inner != text).sum() > len(text) / 2)
    inner = inner.str.replace(_WEEKDAY, "${rest}")
    frame = pl.DataFrame({"text": inner})
    found: list[pl.DataFrame] = []
    for shape, pattern in _SHAPES.items():
        if inner.str.contains(pattern).any():
            found.append(_parts(frame, shape, pattern))
    if not found:
        found.append(_nothing(len(text)))
    parts = found[0]
    for other in found[1:]:
        parts = pl.DataFrame([parts[name].zip_with(parts["is_found"], other[name]) for name in parts.columns])
    is_open = parts["a"].is_not_null()
    return Moments(
        parts,
        is_interval,
        has_midnight_24=bool((parts["clock"] >= DAY).any()),
        is_open=bool(is_open.any()),
        has_points=bool(is_open.any()) and bool(inner.filter(is_open).str.contains(r"^\d+\.\d+\.").all()),
    )


def _parts(frame: pl.DataFrame, shape: str, pattern: str) -> pl.DataFrame:
    groups = frame.select(pl.col("text").str.extract_groups(pattern).alias("g")).unnest("g")
    names = [name for name in ("year", "month", "day", "a", "b", "c", "name") if name in groups.columns]
    rest = [name for name in groups.columns if name not in names]
    if shape == "compact":
        packed, spoken, offset = rest[:3], rest[3:8], rest[8]
        hour, minute, second = (pl.coalesce(pl.col(a), pl.col(b)) for a, b in zip(packed, spoken[:3], strict=True))
        fraction, half = pl.col(spoken[3]), pl.col(spoken[4])
    else:
        spoken, offset = rest[:5], rest[5]
        hour, minute, second, fraction, half = (pl.col(name) for name in spoken)
    number = {
        name: pl.col(name).cast(pl.Int32, strict=False)
        for name in ("year", "day", "month", "a", "b", "c")
        if name in names
    }
    if "name" in names:
        number["month"] = _month(pl.col("name"))
    nothing = pl.lit(None, dtype=pl.Int32)
    is_found = pl.any_horizontal(pl.col(name).is_not_null() for name in names)
    return groups.select(
        **{name: number.get(name, nothing).cast(pl.Int32) for name in ("year", "month", "day", "a", "b", "c")},
        clock=clock_of(hour, minute, second, fraction, half),
        offset_minutes=offset_of(pl.col(offset)),
        is_found=is_found,
    )


def clock_of(hour: pl.Expr, minute: pl.Expr, second: pl.Expr, fraction: pl.Expr, half: pl.Expr) -> pl.Expr:
    """Return a time of day as the duration since midnight; 24:00 is a whole day, and what no clock shows is null."""
    h, m, s = (part.cast(pl.Int64, strict=False).fill_null(0) for part in (hour, minute, second))
    us = fraction.fill_null("").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int64, strict=False).fill_null(0)
    letter = half.str.slice(0, 1).str.to_lowercase()
    of_day = pl.when(letter.is_null()).then(h).otherwise(h % _NOON + pl.when(letter == "p").then(_NOON).otherwise(0))
    possible = (m < 60) & (s <= 60) & ((of_day < 24) | ((of_day == 24) & (m == 0) & (s == 0)))  # noqa: PLR2004 - of a clock
    possible &= letter.is_null() | h.is_between(0, _NOON)
    return pl.when(possible).then(pl.duration(hours=of_day, minutes=m, seconds=s, microseconds=us, time_unit="us"))


def offset_of(text: pl.Expr) -> pl.Expr:
    """Return a written offset or abbreviation in minutes from UTC."""
    plain = text.str.to_uppercase().str.replace_all(r"[\s\(\)\[\]]", "")
    digits = plain.str.replace(r"^(UTC|GMT)", "").str.extract_groups(r"^([+-])(\d{1,2}):?(\d{2})?$")
    sign = pl.when(digits.struct.field("1") == "-").then(-1).otherwise(1)
    minutes = digits.struct.field("2").cast(pl.Int32, strict=False) * 60 + digits.struct.field("3").cast(
        pl.Int32, strict=False
    ).fill_null(0)
    named = plain.replace_strict(ABBREVIATIONS, default=None, return_dtype=pl.Int32)
    return pl.coalesce(named, (sign * minutes).cast(pl.Int32))


def _month(name: pl.Expr) -> pl.Expr:
    lower = name.str.to_lowercase()
    found = pl.lit(None, dtype=pl.Int32)
    for number, words in enumerate(_MONTHS, start=1):
        found = pl.when(lower.str.contains(rf"^(?:{words})")).then(pl.lit(number, dtype=pl.Int32)).otherwise(found)
    return found


def _nothing(height: int) -> pl.DataFrame:
    numbers = {name: pl.Series([None] * height, dtype=pl.Int32) for name in ("year", "month", "day", "a", "b", "c")}
    return pl.DataFrame(
        {
            **numbers,
            "clock": pl.Series([None] * height, dtype=pl.Duration("us")),
            "offset_minutes": pl.Series([None] * height, dtype=pl.Int32),
            "is_found": pl.Series([False] * height, dtype=pl.Boolean),
        }
    )


@dataclass(frozen=True, slots=True)
class Order:
    """Which of three numbers is the day."""

    order: str
    is_sure: bool
    reason: str


def recognise_order(  # noqa: PLR0911 - one return per piece of evidence, in the order of its weight
    moments: Moments, extra: pl.Series | None, *, is_day_first: str | None = None
) -> Order:
    """Decide the order of day and month from all rows: which can be read, and which make a regular series.

    Args:
        moments: the times, taken apart.
        extra: what is added to each date, such as the hour of a column of its own.
        is_day_first: a reason from the rest of the file why the day comes first, such as a decimal comma.
    """
    if not moments.is_open:
        return Order("ymd", is_sure=True, reason="the year comes first, or the month is a word")
    series = {order: moments.naive(order) for order in ORDERS}
    if extra is not None:
        series = {order: naive + extra for order, naive in series.items()}
    readable = {order: naive.len() - naive.null_count() for order, naive in series.items()}
    if max(readable["dmy"], readable["mdy"]) >= readable["ymd"]:
        del series["ymd"]
    best = max(readable[order] for order in series)
    if not best:
        return Order("ymd", is_sure=True, reason="none of its dates exists")
    clear = [order for order in series if readable[order] > best * 0.98]
    if len(clear) == 1:
        return Order(clear[0], is_sure=True, reason="otherwise most dates would not exist")
    if moments.has_points:
        return Order("dmy", is_sure=True, reason="dates written with points begin with the day")
    regular = {order: _regularity(series[order]) for order in clear}
    likely = max(clear, key=lambda order: regular[order])
    others = [order for order in clear if order != likely]
    if all(regular[likely] > regular[order] + 0.005 for order in others):
        return Order(likely, is_sure=True, reason="only then are the rows evenly spaced")
    if all(series[order].equals(series[likely]) for order in others):
        return Order(likely, is_sure=True, reason="both orders give the same days")
    if is_day_first:
        return Order("dmy", is_sure=True, reason=is_day_first)
    return Order(likely, is_sure=False, reason="these dates can be read with the day first or with the month first")


def _regularity(naive: pl.Series) -> float:
    """Return the share of rows that follow the one before by the most common step."""
    steps = naive.drop_nulls().diff().drop_nulls()
    steps = steps.filter(steps != timedelta(0))
    if not steps.len():
        return 0.0
    size = steps.abs()
    same = size == size.mode().sort()[0]
    forward = int((steps > timedelta(0)).sum()) > steps.len() / 2
    return float((same & ((steps > timedelta(0)) == forward)).mean() or 0.0)


def excel_days(text: pl.Series) -> pl.Series | None:
    """Return dates that a spreadsheet wrote as numbers, days since 1899-12-30; None where a column holds none.

    They are evenly spaced and lie in the years 1982 to 2064, which a column of loads between 30,000 and 60,000 is not.
    """
    number = text.str.replace(",", ".", literal=True).str.extract(r"^(\d{5}(?:\.\d+)?)$")
    days = number.cast(pl.Float64, strict=False)
    if days.null_count() > days.len() / 2 or not days.is_between(*_EXCEL_DAYS).all():
        return None
    minutes = (days * (DAY / timedelta(minutes=1))).round().cast(pl.Int64)  # of a day, which few digits show rounded
    naive = pl.select(_EXCEL_EPOCH + pl.duration(minutes=pl.lit(minutes), time_unit="us")).to_series()
    steps = naive.drop_nulls().unique().sort().diff().drop_nulls()
    if not steps.len() or steps.mode().sort()[0] > DAY or _regularity(naive) < _EVEN:
        return None
    return naive


def seconds_since_1970(text: pl.Series) -> pl.Series | None:
    """Return instants written as one number, seconds or milliseconds since 1970; None where they are none."""
    whole = text.str.extract(r"^(\d{9,13})(?:\.0*)?$").cast(pl.Int64, strict=False)
    if whole.null_count() > whole.len() / 2 or not whole.len():
        return None
    is_milli = bool((whole > 10**11).any())
    micro = whole * (1_000 if is_milli else 1_000_000)
    return micro.cast(pl.Datetime("us", "UTC"))
