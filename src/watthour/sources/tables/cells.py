"""From a file to cells of text: encoding, separator, the lines above the header and those below the table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.sources.tables.clock import is_date_text
from watthour.sources.tables.figures import GAPS, is_number_text
from watthour.sources.tables.green_button import green_button_table, is_green_button

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from watthour.sources.tables.made import MadeTable

SEPARATORS = {"tab": "\t", "semicolon": ";", "bar": "|", "comma": ","}
_SAMPLE = 400  # lines looked at to find separator and header
MOST_ROWS = 6_000_000  # ten years of minutes
_MOST_COLUMNS = 2000
SAMPLE_BYTES = 4_000_000  # of a larger text, where a look at its beginning is enough
_LONG_BYTES = 16_000_000  # a larger text is read part by part
_PART_BYTES = 8_000_000
_BY_PARTS = ("utf-8", "cp1252")
_DATE_LETTERS = 10  # of 2024-10-27 and 27.10.2024
_MOST_NOTES = 20  # lines below a table; more are rows
_NEARLY = 0.8  # of the lines that the best separator splits alike
_BYTE_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")
_FIRST_LINE = re.compile(r'"?sep=(.)"?')
_UNIT_ROW = re.compile(r"[\[(]?[A-Za-z°%/µ]{0,8}[\])]?")
_EXCEL = "In the spreadsheet program, choose Save As and `CSV UTF-8`, then import that file."
_AS_TABLE = "Give a CSV or Parquet table: one line per time, with the time and the value."
_ARCHIVE = b"PK\x03\x04"
_OTHER_FILES = (
    (_ARCHIVE, "it is an archive of other files", "Unpack it first, and import the table that is in it."),
    (b"\xd0\xcf\x11\xe0", "it is an old Excel workbook, not a text table", _EXCEL),
    (b"\x1f\x8b", "it is compressed", "Unpack it first."),
    (b"%PDF", "it is a PDF, not a table", _AS_TABLE),
    (b"[{", "it is JSON, not a table", _AS_TABLE),
    (b"{", "it is JSON, not a table", _AS_TABLE),
)
_WORKBOOK = b"[Content_Types].xml"  # a part of each Excel workbook
_WEB_PAGE = re.compile(rb"\s*<(?:!doctype html|html|head|body|table|meta)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a table as text, and how they were found."""

    names: tuple[str, ...]  # of the columns, all different
    table: pl.DataFrame  # text; columns "0", "1", ... in the order of `names`
    encoding: str | None = None
    separator: str | None = None
    has_header: bool = True
    above: tuple[str, ...] = ()  # lines above the header
    below: tuple[str, ...] = ()  # lines below the last row, such as a total
    n_ragged: int = 0  # rows with more cells than the header
    n_lines: int | None = None  # of the whole file, where only its beginning was read
    made: MadeTable | None = None  # the table was made of a file with another layout

    def column(self, name: str) -> int:
        """Return the number of a column."""
        return self.names.index(name)

    def texts(self, number: int, most: int | None = None) -> pl.Series:
        """Return the filled cells of a column, at most the first so many."""
        column = self.table[str(number)]
        column = column.filter(column.is_not_null() & (column != ""))
        return column if most is None else column.head(most)


def read_cells(path: Path, separator: str | None = None, *, is_sample: bool = False) -> Cells:
    """Read a CSV or Parquet file; which of the two it is, its content says.

    Args:
        path: of the file.
        separator: between its cells; None: it is recognised.
        is_sample: the beginning of a large text is enough.

    Raises:
        InvalidInput: no such file, not a table, or more rows than a table may have.
    """
    if not path.is_file():
        raise InvalidInput("file", str(path), "there is no such file", remedy="Check the path.")
    try:
        with path.open("rb") as file:
            head = file.read(64)
            file.seek(0)
            is_text, is_xml = not head.startswith(b"PAR1"), is_green_button(head)
            n_lines = _n_lines(file) if is_text and not is_xml and path.stat().st_size > SAMPLE_BYTES else None
            is_part = is_sample and n_lines is not None
            file.seek(0)
            content = file.read(SAMPLE_BYTES if is_part else -1) if is_text else b""
    except OSError as error:
        problem = f"it cannot be opened ({error.strerror})"
        raise InvalidInput("file", path.name, problem, remedy="Check that you may read it.") from error
    if not is_text:
        return cells_of(_read_parquet(path))
    if is_xml and not _WEB_PAGE.match(content):
        return made_of(Cells((), pl.DataFrame(), "utf-8"), green_button_table(content, path.name))
    _check_kind(content, path.name)
    if n_lines is not None and n_lines > MOST_ROWS and not (is_part and path.stat().st_size > _LONG_BYTES):
        raise too_long(path.name, n_lines)
    if not is_part:
        return _text_cells(content, path.name, separator)
    end = content.rfind(b"\n") - content.startswith(
        b"\xfe\xff"
    )  # of whole lines; there a byte before belongs to the mark
    content = content[:end] if end > 0 else content
    return replace(_text_cells(content, path.name, separator), n_lines=n_lines)


def _check_kind(content: bytes, name: str) -> None:
    """Refuse what is no text table, by the beginning of it."""
    if content.startswith(_ARCHIVE) and _WORKBOOK in content:
        raise InvalidInput("file", name, "it is an Excel workbook, not a text table", remedy=_EXCEL)
    for mark, problem, remedy in _OTHER_FILES:
        if content.startswith(mark):
            raise InvalidInput("file", name, problem, remedy=remedy)
    if _WEB_PAGE.match(content):
        remedy = "Open it in a spreadsheet program and save it as `CSV UTF-8`; a page to sign in is no table at all."
        raise InvalidInput("file", name, "it is a web page, not a text table", remedy=remedy)


def is_long(path: Path, cells: Cells) -> bool:
    """Tell whether a text is so large that it is read part by part; ``cells`` are those of its beginning."""
    return cells.made is None and cells.encoding in _BY_PARTS and path.stat().st_size > _LONG_BYTES


def cells_by_parts(path: Path, first: Cells, progress: Callable[[int], None] | None = None) -> Iterator[Cells]:
    """Read a long text, whose beginning was recognised, part by part; each part has the same header.

    A part ends between two dates where there are any, so that the hour that comes twice in autumn stays together.

    Args:
        path: of the file.
        first: the cells of its beginning.
        progress: is told how many bytes more were read.
    """
    with path.open("rb") as file:
        head, n_head = b"", len(first.above) + first.has_header
        while n_head:
            line = file.readline()
            is_mark = _FIRST_LINE.fullmatch(line.decode(first.encoding or "utf-8", "replace").strip()) is not None
            n_head -= bool(line.strip(b" \t;,|\"'\r\n")) and not is_mark
            head += line
        if progress is not None:
            progress(len(head))
        rest = b""
        while piece := file.read(_PART_BYTES):
            if progress is not None:
                progress(len(piece))
            rest += piece
            end = _end_of_part(rest)
            if rest[:end].strip():
                yield _text_cells(head + rest[:end], path.name, first.separator)
            rest = rest[end:]
        if rest.strip():
            yield _text_cells(head + rest, path.name, first.separator)


def _end_of_part(content: bytes) -> int:
    """Return where the last line begins whose first letters, its date, differ from those of the line before."""
    end = content.rfind(b"\n") + 1
    last = content[content.rfind(b"\n", 0, end - 1) + 1 :][:_DATE_LETTERS]
    other = content.rfind(b"\n" + last, 0, end)
    while other >= 0:
        before = content.rfind(b"\n", 0, other) + 1
        if content[before : before + _DATE_LETTERS] != last:
            return other + 1
        other = before - 1 if before else -1
    return end


def _n_lines(file: BinaryIO) -> int:
    return sum(piece.count(b"\n") for piece in iter(lambda: file.read(SAMPLE_BYTES), b""))


def too_long(name: str, n_rows: int) -> InvalidInput:
    """Return the error of a table that does not fit into memory."""
    problem = f"it holds {n_rows:,} rows, and a table is read up to {MOST_ROWS:,}"
    return InvalidInput("file", name, problem, remedy="Split it, or resample it to longer steps.")


def cells_of(table: pl.DataFrame) -> Cells:
    """Return a typed table as text; instants keep their offset, nested columns are left out."""
    texts: dict[str, pl.Series] = {}
    for column in table.get_columns():
        kind = column.dtype
        if kind.is_nested() or kind.base_type() in {pl.Binary, pl.Object, pl.Null, pl.Duration}:
            continue
        if isinstance(kind, pl.Datetime):
            zoned = column.dt.convert_time_zone("UTC") if kind.time_zone else column
            form = "%Y-%m-%dT%H:%M:%S%.f" + ("Z" if kind.time_zone else "")
            texts[column.name] = zoned.dt.cast_time_unit("us").dt.strftime(form)
        else:
            texts[column.name] = column.cast(pl.String, strict=False)
    if not texts or not table.height:
        raise InvalidInput("file", None, "it has no rows", remedy=_AS_TABLE)
    stripped = [series.str.strip_chars().alias(str(number)) for number, series in enumerate(texts.values())]
    return Cells(tuple(texts), pl.DataFrame(stripped))


def _read_parquet(path: Path) -> pl.DataFrame:
    try:
        n_rows = pl.scan_parquet(path).select(pl.len()).collect().item()  # in its footer; few bytes can hold billions
        if n_rows > MOST_ROWS:
            raise too_long(path.name, n_rows)
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        problem = "it starts like a Parquet file, but cannot be read as one"
        raise InvalidInput("file", path.name, problem, remedy="Write the file again, or save it as CSV.") from error


def _text_cells(content: bytes, name: str, wanted: str | None) -> Cells:
    text, encoding = _decoded(content, name)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    said = _FIRST_LINE.fullmatch(lines[0].strip()) if lines else None
    if said:
        lines = lines[1:]
    lines = [line for line in lines if line.strip(" \t;,|\"'")]
    if not lines:
        problem = "it is empty" if not content.strip() else "all its lines are blank"
        raise InvalidInput("file", name, problem, remedy=_AS_TABLE)
    separator = wanted or (said[1] if said else _separator(lines[:_SAMPLE], name))
    rows = _split(lines[:_SAMPLE], separator, name)
    first, header = _begin(rows)
    n_columns = max((len(row) for row in [header or (), *rows[first:]]), default=0)
    usual = Counter(len(row) for row in rows[first:]).most_common(1)[0][0] if rows[first:] else len(header or ())
    if header and usual > len(header) and any(header):
        problem = f"its rows have {usual} cells, and its header has {len(header)}"
        remedy = "If numbers contain the separator, put them in quotes, or name another with --separator."
        raise InvalidInput("file", name, problem, remedy=remedy)
    n_columns = len(header) if header else n_columns
    if not 1 < n_columns <= _MOST_COLUMNS:
        problem = f"its lines have {n_columns} column{'s' * (n_columns != 1)} when split at {separator!r}"
        raise InvalidInput("file", name, problem, remedy="Name the character between the columns with --separator.")
    if first >= len(lines):
        raise InvalidInput("file", name, "it has a header but no rows", remedy=_AS_TABLE)
    table, n_ragged = _table(lines[first:], separator, n_columns, name)
    cells = Cells(
        _names(header or [""] * n_columns),
        table,
        encoding,
        separator,
        header is not None,
        tuple(lines[: first - (1 if header else 0)]),
        (),
        n_ragged,
    )
    return _without_empty_columns(_without_end(cells))


def made_of(cells: Cells, made: MadeTable) -> Cells:
    """Return the cells of a table that was made of others."""
    return replace(cells, names=made.names, table=made.table, made=made)


def _decoded(content: bytes, name: str) -> tuple[str, str]:
    for mark, encoding in _BYTE_MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors="replace"), encoding
    zeros = content[:4096].count(0)
    if zeros > len(content[:4096]) // 3:
        encoding = "utf-16-le" if content[1:4096:2].count(0) > zeros / 2 else "utf-16-be"
        text = content.decode(encoding, errors="replace")
    else:
        try:
            text, encoding = content.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            text, encoding = content.decode("cp1252", errors="replace"), "cp1252"
    if _CONTROLS.search(text):
        problem = "it contains bytes that do not occur in text, so it is not a CSV file"
        raise InvalidInput("file", name, problem, remedy=_AS_TABLE)
    return text, encoding


def _separator(lines: Sequence[str], name: str) -> str:
    """Return what splits most lines into the same number of cells; numbers hold commas too, and names hold bars."""
    shares: dict[str, float] = {}
    widths: dict[str, int] = {}
    for separator in SEPARATORS.values():
        counts = Counter(len(row) for row in _split(lines, separator, name) if len(row) > 1)
        widths[separator], n_alike = counts.most_common(1)[0] if counts else (0, 0)
        shares[separator] = n_alike / len(lines)
    best = max(shares.values())
    if not best:
        problem = "its lines have only one column: there is no comma, semicolon, tab or bar between values"
        raise InvalidInput("file", name, problem, remedy=_AS_TABLE)
    fitting = [separator for separator, share in shares.items() if share >= _NEARLY * best]
    if fitting == ["|", ","] and widths[","] > widths["|"]:
        return ","
    return fitting[0]


def _split(lines: Sequence[str], separator: str, name: str) -> list[list[str]]:
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    except csv.Error as error:
        problem = f"its lines cannot be split into cells ({error})"
        raise InvalidInput("file", name, problem, remedy=_AS_TABLE) from error


def _begin(rows: Sequence[Sequence[str]]) -> tuple[int, list[str] | None]:
    """Return the number of the first row of the table, and the header above it if there is one."""
    dated = Counter(number for row in rows for number, cell in enumerate(row) if is_date_text(cell))
    if dated:
        column = dated.most_common(1)[0][0]
        is_row = [len(row) > column and is_date_text(row[column]) for row in rows]
    else:  # times written as one number, such as seconds since 1970
        is_row = [len(row) > 1 and all(is_number_text(cell) or cell.lower() in GAPS for cell in row) for row in rows]
    follows = [*is_row[1:], True]
    first = next((number for number, (here, then) in enumerate(zip(is_row, follows, strict=True)) if here and then), 1)
    header = list(rows[first - 1]) if first else None
    if header is None or not any(cell and not is_number_text(cell) for cell in header):
        return first, None
    above = rows[first - 2] if first > 1 else []
    if len(above) == len(header) and all(_UNIT_ROW.fullmatch(cell) for cell in header) and "" in header:
        header = [f"{name} [{unit.strip('[]()')}]" if unit else name for name, unit in zip(above, header, strict=True)]
    return first, header


def _table(lines: Sequence[str], separator: str, n_columns: int, name: str) -> tuple[pl.DataFrame, int]:
    names = [str(number) for number in range(n_columns + 1)]  # one more, in which too long rows show
    try:
        table = pl.read_csv(
            BytesIO("\n".join([separator.join(names), *lines]).encode("utf-8", errors="replace")),
            separator=separator,
            infer_schema=False,
            truncate_ragged_lines=True,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        problem = "its lines cannot be split into cells; a closing quotation mark may be missing"
        raise InvalidInput("file", name, problem, remedy=_AS_TABLE) from error
    table = table.with_columns(pl.all().str.strip_chars())
    n_ragged = int((table[names[-1]].fill_null("") != "").sum())
    return table.select(names[:-1]), n_ragged


def _names(header: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    for number, cell in enumerate(header):
        name = " ".join(cell.split()) or f"column_{number + 1}"
        found.append(next(each for each in _variants(name) if each not in found))
    return tuple(found)


def _variants(name: str) -> list[str]:
    return [name, *(f"{name} ({number})" for number in range(2, _MOST_COLUMNS + 2))]


def _without_end(cells: Cells) -> Cells:
    """Leave out the last lines that bear no date, such as totals and notes."""
    dated = {
        number: int(texts.map_elements(is_date_text, return_dtype=pl.Boolean).sum())
        for number in range(len(cells.names))
        if (texts := cells.texts(number, _SAMPLE)).len()
    }
    column = max(dated, key=lambda number: dated[number], default=None)
    if column is None or not dated[column]:
        return cells
    words: list[str] = cells.table[str(column)].fill_null("").to_list()
    n_below = next((number for number, text in enumerate(reversed(words)) if is_date_text(text)), 0)
    n_below = n_below if n_below <= min(_MOST_NOTES, len(words) // 2) else 0
    if not n_below:
        return cells
    ended = cells.table.tail(n_below).fill_null("").rows()
    if any(any(character.isdigit() for character in row[column]) for row in ended):
        return cells  # an unreadable time is a row to refuse, not a note
    below = tuple((cells.separator or ",").join(row).rstrip(cells.separator or ",") for row in ended)
    return replace(cells, table=cells.table.head(len(words) - n_below), below=below)


def _without_empty_columns(cells: Cells) -> Cells:
    kept = [
        number
        for number, name in enumerate(cells.names)
        if not name.startswith("column_") or cells.texts(number, 1).len()
    ]
    table = cells.table.select(pl.col(str(number)).alias(str(place)) for place, number in enumerate(kept))
    return replace(cells, names=tuple(cells.names[number] for number in kept), table=table)


def first_rows(cells: Cells, most: int = 5) -> list[list[str]]:
    """Return the first rows as they stand in the file."""
    return [["" if cell is None else cell for cell in row] for row in islice(cells.table.iter_rows(), most)]
