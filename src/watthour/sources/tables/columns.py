"""Which column of a table is what: times, hours of a day, values, forecasts, and the units their names carry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.units import Unit, price_unit
from watthour.core.window import DAY, HOUR
from watthour.sources.tables.clock import CLOCK_ALONE, OFFSET_ALONE, excel_days, is_date_text, seconds_since_1970
from watthour.sources.tables.figures import GAPS, is_number_text, number_text, recognise_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watthour.sources.tables.cells import Cells

TIME_NAMES = ("time", "timestamp", "datetime", "ts", "ds", "period", "date", "time_utc", "timestamp_utc", "utc_time")
VALUE_NAMES = (
    *("value", "y", "load", "demand", "demand_mwh", "mw", "mwh"),
    *("power", "watts", "active_power", "aggregate", "energy", "kwh", "consumption"),
)
_WITH_UNIT = r"^[+\-]?\d[\d.,]*\s?[kMG]?(?:W|Wh|VA)$"
_SAMPLE = 500  # filled cells of a column that are looked at
_ALIKE = 5.0  # times as large or as small: still a load of the same place
_MOST = 0.5  # share of them that makes a column what it is
_FEWEST_WIDE = 23  # hours of a table with a day per row
_LOAD = r"load|total|demand|consum|verbrauch|netzlast|charge|last$|belasting|verbruik|carico|usage|use$"
_OTHER = r"temp|price|preis|prix|wind|solar|humid|pressure|cloud|rain|snow|id$|^id|code|year|month|^day"
_OTHER += r"|week|dst|react|volt|generation"
_FORECAST = r"forecast|prognos|pr[ée]vision|predict|planned|vorhersage|pron[óo]stic|voorspel|day.?ahead"
_HOUR_NAME = r"^(he|h|hr|hrs|hour.*|heure.*|stunde.*|uur|hora|ora|time|interval|period|.*period|sp|mtu|quarter.*)$"
_HAS_CLOCK = r":|\dT\d|\d{1,2}h(?:\d{2})?(?!\w)"  # 00:30, 2021-01-01T00, 00h30
_END_NAME = r"\bend|ending|\bhe\b|hasta|\bbis\b|\bfin\b"
_ZONES = (
    (r"\b(cet\s?/\s?cest|cest\s?/\s?cet|mez\s?/\s?mesz)\b", "Europe/Brussels"),
    (r"\b(eet\s?/\s?eest)\b", "Europe/Helsinki"),
    (r"\b(wet\s?/\s?west)\b", "Europe/Lisbon"),
    (r"\b(est\s?/\s?edt|ept)\b", "America/New_York"),
    (r"\b(cst\s?/\s?cdt|cpt)\b", "America/Chicago"),
    (r"\b(mst\s?/\s?mdt)\b", "America/Denver"),
    (r"\b(pst\s?/\s?pdt|ppt)\b", "America/Los_Angeles"),
    (r"(?:\b|_)(utc|gmt)(?:\b|_)", "UTC"),
)
_UNITS = {
    **{unit.casefold(): unit for unit in Unit},
    "megawatt": Unit.MW,
    "megawatts": Unit.MW,
    "kilowatt": Unit.KW,
    "kilowatts": Unit.KW,
    "watt": Unit.W,
    "watts": Unit.W,
    "megawatthours": Unit.MWH,
    "kilowatthours": Unit.KWH,
    "kw/h": Unit.KWH,
    "mw/h": Unit.MWH,
    "°c": Unit.CELSIUS,
    "c": Unit.CELSIUS,
    "celsius": Unit.CELSIUS,
    "°f": Unit.FAHRENHEIT,
    "f": Unit.FAHRENHEIT,
    "fahrenheit": Unit.FAHRENHEIT,
}
_BRACKET = re.compile(r"[\[(]\s*([^\])]{1,15}?)\s*[\])]")
_BARE = re.compile(
    r"(?:^|[\s_,/-])(gwh|mwh|kwh|wh|gw|mw|kw|w|watts?|kilowatts?|megawatts?)(?:$|[\s_,-])", re.IGNORECASE
)
# Names of columns that are times of a day: 00:15, 0:00 - 0:15, H07, Hour 7, HE 7, 7, 0730.
_OF_DAY = re.compile(
    r"(\d{1,2}):(\d{2})(?::\d{2})?\s*([AaPp][Mm])?(?:\s*[-\u2013\u2014]\s*\d{1,2}:\d{2}(?::\d{2})?\s*(?:[AaPp][Mm])?)?"
)
_ORDINAL = re.compile(r"(?:[A-Za-z]{1,8}[\s._-]?(?:ending[\s._-]?)?)?0{0,2}(\d{1,3})")
_PACKED = re.compile(r"([01]\d|2[0-4])([0-5]\d)")
STEPS = (
    dict.fromkeys((23, 24, 25), HOUR) | dict.fromkeys((46, 48, 50), HOUR / 2) | dict.fromkeys((92, 96, 100), HOUR / 4)
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a table leaves open, with what may be answered."""

    field: str
    problem: str
    choices: tuple[str, ...]
    remedy: str
    value: str | None = None

    def error(self) -> InvalidInput:
        """Return the question as the error it is where nobody can be asked."""
        return InvalidInput(self.field, self.value, self.problem, remedy=self.remedy)


@dataclass(frozen=True, slots=True)
class Roles:
    """What the columns of a table are, by number."""

    time: int
    clock: int | None  # a time of day beside the date
    period: int | None  # the number of the interval within the day
    zone: int | None  # offsets or abbreviations
    values: tuple[int, ...]  # what may be the value; the first is taken
    forecasts: tuple[int, ...]  # what may be somebody's forecast
    wide: tuple[tuple[int, timedelta], ...]  # columns of a day per row, and how long after midnight each is
    is_ordinal: bool  # the wide columns count intervals
    questions: tuple[Question, ...]


def option(field: str) -> str:
    """Return a field as the option of the command line that answers it."""
    return "--" + field.replace("_", "-")


def find_roles(cells: Cells, time_column: str | None, value_column: str | None) -> Roles:
    """Find which column is what, by content first and by name where several are alike.

    Raises:
        InvalidInput: a column that is named is not there, or no column holds times or values.
    """
    questions: list[Question] = []
    share = _shares(cells)
    time = named(cells, time_column, "time_column")
    if time is None:
        time, asked = _time(cells, share(is_date_text))
        questions.extend(asked)
    dates = share(is_date_text)
    is_date_alone = not any(re.search(_HAS_CLOCK, text) for text in cells.texts(time, _SAMPLE).to_list())
    free = [number for number in range(len(cells.names)) if number != time and dates[number] < _MOST]
    clocks = share(lambda text: CLOCK_ALONE.match(text) is not None and re.search(_HAS_CLOCK, text) is not None)
    clock = next((number for number in free if is_date_alone and clocks[number] > _MOST), None)
    zones = share(lambda text: OFFSET_ALONE.match(text) is not None)
    zone = next((number for number in free if zones[number] > _MOST), None)
    wide, is_ordinal = _wide(cells, free) if is_date_alone and clock is None else ((), False)
    period = _period(cells, free) if is_date_alone and clock is None and not wide else None
    figures = share(is_number_text, GAPS)
    taken = {time, clock, zone, period, *(number for number, _after in wide)}
    rest = [number for number in free if number not in taken]
    found = [number for number in rest if figures[number] > _MOST] or [number for number in rest if figures[number]]
    forecasts = tuple(number for number in found if re.search(_FORECAST, cells.names[number].casefold()))
    value = named(cells, value_column, "value_column")
    if value is not None:
        values: tuple[int, ...] = (value,)
        wide = ()
    elif wide:
        values = ()
    else:
        values, asked = _values(cells, [number for number in found if number not in forecasts] or list(forecasts))
        questions.extend(asked)
    return Roles(time, clock, period, zone, values, forecasts, wide, is_ordinal, tuple(questions))


def unit_in(name: str) -> Unit | None:
    """Return the unit that the name of a column carries.

    >>> [str(unit_in(name)) for name in ("Load (MW)", "Actual Total Load [MW] - BZN|BE", "power_w", "Load")]
    ['MW', 'MW', 'W', 'None']
    >>> str(unit_in("Day-ahead price [EUR/MWh]"))
    'currency/MWh'
    """
    if (price := price_unit(name)) is not None:
        return price[0]
    for text in _BRACKET.findall(name):
        if (unit := _UNITS.get(text.strip().casefold().replace(" ", ""))) is not None:
            return unit
    found = _BARE.search(name)
    return _UNITS.get(found[1].casefold()) if found else None


def without_unit(name: str) -> str:
    """Return the name of a column without a unit in brackets."""
    return _BRACKET.sub("", name).strip()


def unit_named(text: str) -> Unit | None:
    """Return the unit of a name, however it is written."""
    if (price := price_unit(text, is_whole=True)) is not None:
        return price[0]
    return _UNITS.get(text.strip().casefold())


def currency_in(text: str) -> str | None:
    """Return the currency that the unit of a price names.

    >>> currency_in("Price (€/MWh)"), currency_in("usd/kWh"), currency_in("MWh")
    ('EUR', 'USD', None)
    """
    price = price_unit(text)
    return None if price is None else price[1]


def zone_in(name: str) -> str | None:
    """Return the time zone that the name of a column carries."""
    return next((zone for pattern, zone in _ZONES if re.search(pattern, name.casefold())), None)


def names_the_end(name: str) -> bool:
    """Tell whether the name of a column says that its times are ends of intervals."""
    return re.search(_END_NAME, name.casefold().replace("_", " ")) is not None


def _shares(cells: Cells) -> Callable[..., list[float]]:
    samples = [cells.texts(number, _SAMPLE).to_list() for number in range(len(cells.names))]

    def share(is_one: Callable[[str], bool], apart: Sequence[str] = ()) -> list[float]:
        found = []
        for sample in samples:
            texts = [text for text in sample if text.lower() not in apart]
            found.append(sum(map(is_one, texts)) / len(texts) if texts else 0.0)
        return found

    return share


def named(cells: Cells, name: str | None, field: str) -> int | None:
    """Return the number of the column that a person names.

    Raises:
        InvalidInput: the file has no such column.
    """
    if name is None:
        return None
    if name in cells.names:
        return cells.column(name)
    near = {each.casefold(): each for each in cells.names}
    if name.strip().casefold() in near:
        return cells.column(near[name.strip().casefold()])
    raise InvalidInput(field, name, "the file has no such column", remedy=f"It has: {_listed(cells.names)}.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:30]) + (f" and {len(names) - 30} more" if len(names) > 30 else "")  # noqa: PLR2004 - a line


def _time(cells: Cells, dates: Sequence[float]) -> tuple[int, list[Question]]:
    found = [number for number, part in enumerate(dates) if part > _MOST]
    names = [name.strip().casefold() for name in cells.names]
    if not found:
        found = [
            number
            for number in range(len(cells.names))
            if (texts := cells.texts(number, _SAMPLE)).len() and seconds_since_1970(texts) is not None
        ]
    if not found:
        found = [number for number in range(len(cells.names)) if excel_days(cells.texts(number, _SAMPLE)) is not None][
            :1
        ]
    if not found:
        usual = [number for number, name in enumerate(names) if name in TIME_NAMES]
        if len(usual) == 1:
            return usual[0], []
        problem = "no column holds dates that can be read"
        remedy = f"Name one with --time-column; the file has: {_listed(cells.names)}."
        raise InvalidInput("time_column", _listed(cells.names), problem, remedy=remedy)
    if len(found) == 1:
        return found[0], []
    wishes: tuple[Callable[[int], bool], ...] = (
        lambda number: "utc" in names[number] or "gmt" in names[number],
        lambda number: names[number] in TIME_NAMES,
        lambda number: re.search(r"start|begin|from|\bvon\b|début|debut|desde", names[number]) is not None,
        lambda number: (
            not names_the_end(names[number]) and re.search(r"issue|publi|creat|update|made|run", names[number]) is None
        ),
    )
    for wanted in wishes:
        if len(fitting := [number for number in found if wanted(number)]) == 1:
            return fitting[0], []
    choices = tuple(cells.names[number] for number in found)
    remedy = f"Name one with --time-column: {_listed(choices)}."
    return found[0], [Question("time_column", "several columns hold times", choices, remedy, _listed(choices))]


def _values(cells: Cells, found: Sequence[int]) -> tuple[tuple[int, ...], list[Question]]:
    if not found:
        problem = "no column holds numbers that can be read"
        remedy = f"Name one with --value-column; the file has: {_listed(cells.names)}."
        for number, name in enumerate(cells.names):
            if cells.texts(number, 1).str.contains(_WITH_UNIT).any():
                problem = f"no column holds numbers alone: {name} has a unit in each cell, {cells.texts(number, 1)[0]}"
                remedy = "In the spreadsheet program, take the unit out of the cells, and give it with --unit."
        raise InvalidInput("value_column", _listed(cells.names), problem, remedy=remedy)
    ranked = sorted(found, key=lambda number: -_likeness(cells.names[number]))
    if rivals := _rivals(cells, ranked):
        choices = tuple(cells.names[number] for number in sorted([ranked[0], *rivals]))
        problem = "several columns could be the load"
        remedy = f"Name one with --value-column: {_listed(choices)}."
        return tuple(ranked), [Question("value_column", problem, choices, remedy, _listed(choices))]
    if len(ranked) > 1 and _likeness(cells.names[ranked[0]]) == _likeness(cells.names[ranked[1]]):
        choices = tuple(cells.names[number] for number in sorted(found))
        remedy = f"Name one with --value-column: {_listed(choices)}."
        problem = "several columns hold values"
        return tuple(sorted(found)), [Question("value_column", problem, choices, remedy, _listed(choices))]
    return tuple(ranked), []


def _rivals(cells: Cells, ranked: Sequence[int]) -> list[int]:
    """Return the columns that may be meant instead of the likeliest one, whose name merely sounds like a load.

    A name that is nothing but "load" decides. Otherwise a column that is as large may be the load too, whatever it is
    called: NESO writes it as ND, TSD and ENGLAND_WALES_DEMAND.
    """
    first, rest = ranked[0], ranked[1:]
    name = _BRACKET.sub("", cells.names[first]).strip().casefold()
    rest = [number for number in rest if _likeness(cells.names[number]) >= 0]
    if name in VALUE_NAMES or not rest:
        return []
    sizes = _sizes(cells, [first, *rest])
    return [number for number in rest if sizes[number] < _ALIKE * sizes[first] < _ALIKE**2 * sizes[number]]


def _sizes(cells: Cells, numbers: Sequence[int]) -> dict[int, float]:
    """Return the typical size of the values of columns; 0 where none is a number."""
    texts = [cells.texts(number, _SAMPLE) for number in numbers]
    marks = recognise_marks(texts, cells.separator)
    written = [pl.select(number_text(pl.lit(each), marks.decimal)).to_series() for each in texts]
    medians = [each.cast(pl.Float64, strict=False).abs().median() for each in written]
    return {
        number: median if isinstance(median, float) else 0.0 for number, median in zip(numbers, medians, strict=True)
    }


def _likeness(name: str) -> int:
    plain = name.strip().casefold()
    score = 3 * (plain in VALUE_NAMES) + 2 * (re.search(_LOAD, _BRACKET.sub("", plain).strip()) is not None)
    return score + (unit_in(name) is not None) - 4 * (re.search(_OTHER, plain) is not None)


def _wide(cells: Cells, free: Sequence[int]) -> tuple[tuple[tuple[int, timedelta], ...], bool]:
    """Return the columns of a table with a day per row, in their order; at least 23 of them."""
    clocks = [(number, after) for number in free if (after := _of_day(cells.names[number])) is not None]
    if len(clocks) >= _FEWEST_WIDE:
        last = clocks[-1][1]
        if last == timedelta(0) and len(clocks) > 1:  # 0:30, 1:00 ... 23:30, 0:00
            clocks[-1] = (clocks[-1][0], DAY)
        return tuple(clocks), False
    counted = [
        (number, int(match[1]))
        for number in free
        if (match := _ORDINAL.fullmatch(cells.names[number].strip())) is not None
    ]
    numbers = [count for _number, count in counted]
    if len(counted) not in STEPS or numbers != list(range(numbers[0], numbers[0] + len(numbers))) or numbers[0] > 1:
        return (), False
    step = STEPS[len(counted)]
    return tuple((number, (count - numbers[0]) * step) for number, count in counted), True


def _of_day(name: str) -> timedelta | None:
    plain = name.strip()
    if match := _OF_DAY.fullmatch(plain):
        hour = int(match[1])
        if match[3]:
            hour = hour % 12 + (12 if match[3].lower() == "pm" else 0)
        return timedelta(hours=hour, minutes=int(match[2]))
    if match := _PACKED.fullmatch(plain):
        return timedelta(hours=int(match[1]), minutes=int(match[2]))
    return None


def _period(cells: Cells, free: Sequence[int]) -> int | None:
    """Return the column that counts the intervals of a day, by its name and its numbers."""
    for number in free:
        name = _BRACKET.sub("", cells.names[number].casefold().replace("_", " ")).strip()
        if not re.match(_HOUR_NAME, name) or re.search(_LOAD, name):
            continue
        counts = period_numbers(cells, number)
        filled: list[int] = counts.drop_nulls().to_list()
        if filled and min(filled) >= 0 and max(filled) <= max(STEPS) and len(filled) > counts.len() / 2:
            return number
    return None


def period_numbers(cells: Cells, number: int) -> pl.Series:
    """Return the numbers of a column such as 7, 07, HE7 or H07; 2A and 2B (or 2X) are the two passes of autumn."""
    return (
        cells.table[str(number)]
        .str.extract(r"^[A-Za-z ]{0,12}0*(\d{1,3})(?:\.0*)?(?:\*|\s?[ABXabx])?$")
        .cast(pl.Int32, strict=False)
    )
