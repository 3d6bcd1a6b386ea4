"""Numbers as people write them: which sign is the decimal mark, and what divides thousands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

GAPS = (  # how tables write a missing value
    *("", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "...", "?", "missing"),
    *("n/e", "#n/a", "#n/v", "n.v.", "k.a.", "nd", "n.d.", "s/d", "nodata", "no data"),
)
_BLANKS = r"[\s\u00a0\u2007\u2009\u202f'\u2019]"  # what divides thousands beside the other mark
_GROUPED = r"[1-9]\d{0,2}(?:#\d{2,3})*#\d{3}"  # 1,234,567, and 12,34,567 in India


def _pattern(decimal: str) -> str:
    other = "," if decimal == "." else r"\."
    mark = re.escape(decimal)
    whole = "|".join(
        [r"\d+", _GROUPED.replace("#", other), rf"[1-9]\d{{0,2}}(?:{_BLANKS}\d{{3}})+"],
    )
    return rf"^[+\-]?(?:(?:{whole})?{mark}\d+|(?:{whole}){mark}?)(?:[eE][+\-]?\d+)?$"


_PATTERNS = {decimal: _pattern(decimal) for decimal in (".", ",")}
_PYTHON = tuple(re.compile(pattern) for pattern in _PATTERNS.values())
_MINUS = "\u2212"  # the sign of typesetters


def is_number_text(text: str) -> bool:
    """Tell whether a cell may be a number, whichever its decimal mark.

    >>> [is_number_text(text) for text in ("1 234,5", "1,234.5", "12:30", "")]
    [True, True, False, False]
    """
    text = text.replace(_MINUS, "-")
    return any(character.isdigit() for character in text) and any(pattern.match(text) for pattern in _PYTHON)


@dataclass(frozen=True, slots=True)
class Marks:
    """How the numbers of a table are written."""

    decimal: str
    is_sure: bool
    reason: str


def recognise_marks(columns: Sequence[pl.Series], separator: str | None) -> Marks:
    """Find the decimal mark of numbers; the first columns say most, the others are asked where they leave it open.

    >>> recognise_marks([pl.Series(["1.234,5", "987,0"])], ";").decimal
    ','
    >>> recognise_marks([pl.Series(["1,234", "987"])], ",").reason
    'commas separate thousands'
    """
    for texts in columns:
        found = _of_column(texts.drop_nulls(), separator)
        if found is not None:
            return found
    usual = Marks(".", is_sure=True, reason="no number has a decimal part")
    written = pl.concat([texts.cast(pl.String) for texts in columns]).drop_nulls() if columns else pl.Series([""])
    if written.str.contains(",", literal=True).any() or written.str.contains(r"\d\.\d").any():
        return Marks(
            "," if written.str.contains(",", literal=True).any() else ".",
            is_sure=False,
            reason="each number has one mark followed by three digits, which can mean thousands or decimals",
        )
    return usual


def _of_column(texts: pl.Series, separator: str | None) -> Marks | None:
    """Return what a column says of its marks, None where it says nothing."""
    written = _clean(texts)
    written = written.filter(~written.str.to_lowercase().is_in(GAPS) & written.str.contains(r"\d"))
    fits = {decimal: written.str.contains(pattern) for decimal, pattern in _PATTERNS.items()}
    n_points, n_commas = int(fits["."].sum()), int(fits[","].sum())
    if n_points != n_commas:
        decimal = "." if n_points > n_commas else ","
        return Marks(decimal, is_sure=True, reason="with it, more of the numbers can be read")
    both = written.filter(fits["."] & fits[","])
    for mark, name in ((",", "commas"), (".", "points")):
        marked = both.str.contains(mark, literal=True)
        if not marked.any():
            continue
        other = "." if mark == "," else ","
        if not marked.all() or both.str.count_matches(mark, literal=True).max() > 1:  # type: ignore[operator]  # a count
            return Marks(other, is_sure=True, reason=f"{name} separate thousands")
        if mark == "." and separator in {None, ","}:
            return Marks(".", is_sure=True, reason="each number has a point before three digits")
        if mark == "," and separator == ",":
            return Marks(".", is_sure=True, reason="commas separate thousands")
    return None


def number_text(text: pl.Expr, decimal: str) -> pl.Expr:
    """Return numbers in the form that computers read; what is none stays as it is, and a gap becomes null."""
    clean = text.str.strip_chars().str.replace_all(_MINUS, "-", literal=True)
    plain = clean.str.replace_all(_BLANKS, "")
    if decimal == ",":
        plain = plain.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    else:
        plain = plain.str.replace_all(",", "", literal=True)
    is_gap = clean.str.to_lowercase().is_in(GAPS)
    is_number = clean.str.contains(_PATTERNS[decimal]) & clean.str.contains(r"\d")
    return pl.when(is_gap).then(None).when(is_number).then(plain).otherwise(clean)


def _clean(texts: pl.Series) -> pl.Series:
    return texts.str.strip_chars().str.replace_all(_MINUS, "-", literal=True)
