"""A tariff as a person writes it (TOML, JSON) becomes a value: what cannot be is refused, what is odd is questioned."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, TypeVar

from watthour.core.errors import InvalidInput
from watthour.core.units import digits_for
from watthour.planning.currencies import times_off, usual_price
from watthour.planning.tariffs import (
    EVERY_DAY,
    HOLIDAY,
    MINUTES,
    Band,
    BlockPeriod,
    Blocks,
    Demand,
    Dynamic,
    Fee,
    Flat,
    Flow,
    Per,
    Rate,
    Standing,
    Tariff,
    Tier,
    TimeOfUse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Built = TypeVar("_Built")

KINDS = ("flat", "time_of_use", "blocks", "dynamic")
UNITS = {"currency/kWh": 1.0, "cent/kWh": 0.01, "currency/MWh": 0.001}  # how prices of energy may be written
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS = {
    "all": EVERY_DAY,
    "workdays": frozenset(range(5)),
    "weekend": frozenset((5, 6)),
    "holidays": frozenset((HOLIDAY,)),
    **{name: frozenset((n,)) for n, name in enumerate(_WEEKDAYS)},
    **{name[:3]: frozenset((n,)) for n, name in enumerate(_WEEKDAYS)},
}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_SEASON = re.compile(r"(\d{2})-(\d{2})\s*\.\.\s*(\d{2})-(\d{2})")
_LEAP_YEAR, _HOUR_MINUTES = 2024, 60
_LONGEST, _MOST_ITEMS = 100, 1000
_MEANT = {100.0: "cent/kWh", 1000.0: "currency/MWh"}


@dataclass(frozen=True, slots=True)
class Question:
    """Something that can be, and that is more likely a slip."""

    field: str
    value: float
    text: str  # what is odd, and what to do if it was meant otherwise


def read_tariff(said: object) -> Tariff:
    """Return the tariff that a person describes.

    Args:
        said: as TOML or JSON is read; see ``docs/how-to/tariffs.md``.

    Raises:
        InvalidInput: something said cannot be; names the field, the value and the cure.
    """
    top = _Table.of(said, "")
    scale = UNITS[top.choice("price_unit", tuple(UNITS), "currency/kWh")]
    demand = top.maybe_table("demand")
    standing = top.maybe_table("standing")
    export = top.maybe_table("export")
    tariff = top.build(
        lambda: Tariff(
            name=top.text("name"),
            currency=top.text("currency").strip().upper(),
            drawn=_flow(top.table("import"), scale),
            fed_in=None if export is None else _flow(export, scale),
            fees=tuple(_fee(each, scale) for each in top.tables("fees")),
            standing=None if standing is None else _standing(standing),
            demand=None if demand is None else _demand(demand),
            tax_percent=top.number("tax_percent", 0.0),
            time_zone=top.maybe_text("time_zone"),
            holidays=top.maybe_text("holidays"),
        )
    )
    top.check_all_read()
    return tariff


def questions(tariff: Tariff) -> list[Question]:
    """Return what is odd about a tariff's own prices: each kWh should cost about what it costs elsewhere."""
    return [
        question
        for where, price in tariff.energy_prices()
        if (question := odd_price(where, price, tariff.currency, is_earned=where.startswith("export"))) is not None
    ]


def odd_price(field: str, price: float, currency: str, *, is_earned: bool = False) -> Question | None:
    """Return the question that a price raises, if it is many times what a kWh usually costs, or a small part of it.

    Args:
        field: that says it.
        price: [currency/kWh]
        currency: ISO 4217.
        is_earned: for what is fed in, little may be paid.
    """
    times = times_off(price, currency)
    usual = usual_price(currency)
    if times is None or usual is None or (is_earned and times < 1):
        return None
    price_text = f"{price:.{max(2, digits_for([price]))}f} {currency}/kWh"
    meant = next((unit for factor, unit in _MEANT.items() if times_off(price / factor, currency) is None), None)
    if times > 1:
        cure = f'If it was meant in {meant}, write price_unit = "{meant}"' if meant else "Look at the decimal point"
        odd = f"{times:,.0f} times"
    else:
        cure = 'If prices are in full units, leave price_unit out or write "currency/kWh"; look at the decimal point'
        odd = f"1/{1 / times:,.0f} of"
    text = f"{price_text} is {odd} what a kWh usually costs a home (about {usual:g} {currency}). {cure}."
    return Question(field, price, text)


def _flow(table: _Table, scale: float) -> Flow:
    flow = table.build(
        lambda: Flow(_rate(table, scale), table.truth("tax_included", is_default=False), table.maybe_text("meter"))
    )
    table.check_all_read()
    return flow


def _rate(table: _Table, scale: float) -> Rate:
    match table.choice("kind", KINDS):
        case "flat":
            return Flat(scale * table.number("price"))
        case "time_of_use":
            bands, named = zip(*(_band(each, scale) for each in table.tables("bands", least=1)), strict=True)
            return TimeOfUse(tuple(bands), any(named))
        case "blocks":
            period = BlockPeriod(table.choice("period", tuple(BlockPeriod), str(BlockPeriod.MONTH)))
            return Blocks(tuple(_tier(each, scale) for each in table.tables("tiers", least=1)), period)
        case _:
            floor, cap = table.maybe_number("floor"), table.maybe_number("cap")
            return Dynamic(
                table.text("channel"),
                table.number("factor", 1.0),
                scale * table.number("markup", 0.0),
                None if floor is None else scale * floor,
                None if cap is None else scale * cap,
            )


def _band(table: _Table, scale: float) -> tuple[Band, bool]:
    """Return a band, and whether it names holidays."""
    words = [word.strip().casefold() for word in table.texts("days", "all")]
    for word in words:
        if word not in _DAYS:
            remedy = f"Use {', '.join(list(_DAYS)[:4])}, or monday to sunday."
            raise InvalidInput(table.at("days"), word, "these are no days", remedy=remedy)
    spans = [span for text in table.texts("hours", "00:00-24:00") for span in _spans(text, table.at("hours"))]
    price = scale * table.number("price")
    name = table.maybe_text("name") or f"{price:g}"
    season = table.maybe_text("season")
    table.check_all_read()
    days = frozenset().union(*(_DAYS[word] for word in words))
    return (
        Band(name, price, tuple(spans), days, None if season is None else _season(season, table.at("season"))),
        "holidays" in words,
    )


def _spans(text: str, field: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of a day that hours such as ``22:00-06:00`` stand for, in minutes."""
    remedy = "Write local hours such as 06:00-22:00; 22:00-06:00 is the end and the beginning of the same date."
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(field, text, "these are no hours", remedy=remedy)
    numbers = [int(group) for group in found.groups()]
    if max(numbers[1], numbers[3]) >= _HOUR_MINUTES:
        raise InvalidInput(field, text, "an hour has 60 minutes", remedy=remedy)
    start, end = numbers[0] * _HOUR_MINUTES + numbers[1], numbers[2] * _HOUR_MINUTES + numbers[3]
    if start == end or start >= MINUTES or end > MINUTES:
        problem = "the hours are empty" if start == end else "a day ends at 24:00"
        raise InvalidInput(field, text, problem, remedy=remedy)
    if start < end:
        yield start, end
    else:
        yield start, MINUTES
        if end:
            yield 0, end


def _season(text: str, field: str) -> tuple[tuple[int, int], tuple[int, int]]:
    remedy = "Write the first and the last day, both included, such as 11-01..03-31."
    found = _SEASON.fullmatch(text.strip())
    if found is None:
        raise InvalidInput(field, text, "this is no season", remedy=remedy)
    first_month, first_day, last_month, last_day = (int(group) for group in found.groups())
    for month, day in ((first_month, first_day), (last_month, last_day)):
        try:
            date(_LEAP_YEAR, month, day)
        except ValueError as error:
            problem = f"there is no {month:02}-{day:02} in any year"
            raise InvalidInput(field, text, problem, remedy=remedy) from error
    return (first_month, first_day), (last_month, last_day)


def _tier(table: _Table, scale: float) -> Tier:
    tier = Tier(scale * table.number("price"), table.maybe_number("up_to_kwh"))
    table.check_all_read()
    return tier


def _fee(table: _Table, scale: float) -> Fee:
    fee = Fee(table.text("name"), scale * table.number("price"))
    table.check_all_read()
    return fee


def _standing(table: _Table) -> Standing:
    standing = Standing(table.number("price"), Per(table.choice("per", tuple(Per), str(Per.DAY))))
    table.check_all_read()
    return standing


def _demand(table: _Table) -> Demand:
    minutes = table.number("interval_minutes", 15.0)
    demand = table.build(
        lambda: Demand(table.number("price"), timedelta(minutes=minutes), table.number("free_kw", 0.0)),
        names={"interval": "interval_minutes"},
    )
    table.check_all_read()
    return demand


class _Needed:
    """Stands for a default that there is none of."""


_NEEDED = _Needed()


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of what a person wrote; it knows where it stands, and which of its keys were read."""

    content: Mapping[str, object]
    path: str
    read: set[str]

    @classmethod
    def of(cls, said: object, path: str) -> _Table:
        if not isinstance(said, Mapping) or not all(isinstance(key, str) for key in said):
            remedy = "Write it as a table of names and values; docs/how-to/tariffs.md shows one of each kind."
            raise InvalidInput(path or "tariff", _short(said), "this is no table", remedy=remedy)
        return cls(said, path, set())

    def at(self, key: str) -> str:
        """Return how a field of it is called from the top."""
        return f"{self.path}.{key}" if self.path else key

    def build(self, make: Callable[[], _Built], names: Mapping[str, str] | None = None) -> _Built:
        """Return what is made of it; an error of a value names the field from the top."""
        try:
            return make()
        except InvalidInput as error:
            field = (names or {}).get(error.field, error.field)
            if self.path and not error.field.startswith(f"{self.path}."):
                field = self.at(field)
            if field == error.field:
                raise
            problem = error.problem.removeprefix(f"{error.field} = {error.value!r}: ")
            raise InvalidInput(field, error.value, problem, remedy=error.remedy) from error

    def _get(self, key: str, default: object) -> object:
        self.read.add(key)
        value = self.content.get(key)
        if value is None:
            if isinstance(default, _Needed):
                near = get_close_matches(key, [each for each in self.content if each not in self.read], n=1)
                remedy = f"Did you mean {near[0]} = ... to be {key}?" if near else f"Add {key} = ..."
                raise InvalidInput(self.at(key), None, "it is missing", remedy=remedy)
            return default
        return value

    def number(self, key: str, default: float | _Needed = _NEEDED) -> float:
        """Return a number."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            remedy = "Write a number with a point and without a unit, such as 0.25."
            raise InvalidInput(self.at(key), _short(value), "this is no number", remedy=remedy)
        return float(value)

    def maybe_number(self, key: str) -> float | None:
        """Return a number, None where there is none."""
        return None if self._get(key, None) is None else self.number(key)

    def text(self, key: str) -> str:
        """Return a short text."""
        value = self._get(key, _NEEDED)
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST or not value.isprintable():
            remedy = f'Write it in quotes: {key} = "...", of at most {_LONGEST} letters.'
            raise InvalidInput(self.at(key), _short(value), "this is no short text", remedy=remedy)
        return value.strip()

    def maybe_text(self, key: str) -> str | None:
        """Return a short text, None where there is none."""
        return None if self._get(key, None) is None else self.text(key)

    def texts(self, key: str, default: str) -> list[str]:
        """Return one text or several as a list."""
        value = self._get(key, default)
        found = [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
            remedy = f'Write one or several in quotes: {key} = ["{default}"].'
            raise InvalidInput(self.at(key), _short(value), "these are no texts", remedy=remedy)
        return found

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """Return one of some words."""
        value = self._get(key, _NEEDED if default is None else default)
        if value not in choices:
            near = get_close_matches(str(value), choices, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            remedy = f"{hint}Use one of: {', '.join(choices)}."
            raise InvalidInput(self.at(key), _short(value), "there is no such word for it", remedy=remedy)
        return str(value)

    def truth(self, key: str, *, is_default: bool) -> bool:
        """Return true or false."""
        value = self._get(key, is_default)
        if not isinstance(value, bool):
            raise InvalidInput(self.at(key), _short(value), "this is neither", remedy="Write true or false.")
        return value

    def table(self, key: str) -> _Table:
        """Return a table in it."""
        return _Table.of(self._get(key, _NEEDED), self.at(key))

    def maybe_table(self, key: str) -> _Table | None:
        """Return a table in it, None where there is none."""
        return None if self._get(key, None) is None else self.table(key)

    def tables(self, key: str, *, least: int = 0) -> list[_Table]:
        """Return the tables of a list in it."""
        value = self._get(key, [])
        if not isinstance(value, list) or not least <= len(value) <= _MOST_ITEMS:
            remedy = f"Write each as a block of its own: [[{self.at(key)}]]."
            raise InvalidInput(
                self.at(key), _short(value), f"this is no list of {least} to {_MOST_ITEMS}", remedy=remedy
            )
        return [_Table.of(each, f"{self.at(key)}[{n}]") for n, each in enumerate(value, 1)]

    def check_all_read(self) -> None:
        """Refuse a key that means nothing here: it is misspelt, or belongs elsewhere."""
        for key in self.content:
            if key not in self.read:
                near = get_close_matches(key, self.read, n=1)
                hint = f"Did you mean {near[0]}? " if near else ""
                remedy = f"{hint}There are: {', '.join(sorted(self.read))}."
                raise InvalidInput(self.at(key), _short(self.content[key]), "nothing goes by this name", remedy=remedy)


def _short(value: object) -> object:
    """Return a value as an error shows it."""
    return value if isinstance(value, bool | int | float | None) else str(value)[:_LONGEST]
