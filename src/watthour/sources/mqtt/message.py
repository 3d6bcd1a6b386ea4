"""One message of a broker, and what every language of devices needs to read one: numbers, units, instants."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING

from watthour.core.heard import Fault, Heard, Tells, Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.heard import Thing

LARGEST_PAYLOAD = 256 * 1024  # [bytes] a discovery of a device with a hundred sensors has 60,000
_LONGEST_KEY = 300  # [characters]
_SHOWN = 200  # [characters] of a payload that is refused
_OLDEST = timedelta(
    days=7
)  # how far back a device's own clock is believed: a broker keeps messages for an absent reader
_AHEAD = timedelta(minutes=1)  # clocks of devices differ by seconds
_MILLISECONDS_FROM = 1e11  # an epoch in seconds reaches this in the year 5138

POSSIBLE = {
    Tells.POWER: (-1e6, 1e6),  # [W]
    Tells.COUNTER: (0.0, 1e8),  # [kWh]
    Tells.TEMPERATURE: (-90.0, 200.0),  # [degC]
    Tells.OCCUPANCY: (0.0, 1.0),
    Tells.HUMIDITY: (0.0, 100.0),  # [%]
}

# unit as devices write it -> what it measures, factor and offset to our unit; case matters: mW is not MW
UNITS: dict[str, tuple[Tells, float, float]] = {
    "mW": (Tells.POWER, 1e-3, 0.0),
    "W": (Tells.POWER, 1.0, 0.0),
    "kW": (Tells.POWER, 1e3, 0.0),
    "MW": (Tells.POWER, 1e6, 0.0),
    "Wh": (Tells.COUNTER, 1e-3, 0.0),
    "Wmin": (Tells.COUNTER, 1 / 60_000, 0.0),
    "kWh": (Tells.COUNTER, 1.0, 0.0),
    "MWh": (Tells.COUNTER, 1e3, 0.0),
    "kJ": (Tells.COUNTER, 1 / 3600, 0.0),
    "MJ": (Tells.COUNTER, 1 / 3.6, 0.0),
    "GJ": (Tells.COUNTER, 1e3 / 3.6, 0.0),
    "°C": (Tells.TEMPERATURE, 1.0, 0.0),
    "C": (Tells.TEMPERATURE, 1.0, 0.0),
    "°F": (Tells.TEMPERATURE, 5 / 9, -160 / 9),
    "F": (Tells.TEMPERATURE, 5 / 9, -160 / 9),
    "K": (Tells.TEMPERATURE, 1.0, -273.15),
    "%": (Tells.HUMIDITY, 1.0, 0.0),
}

_ABSENT = frozenset({"unavailable", "unknown", "none", "null", "offline"})  # words that stand for no value
_YES, _NO = frozenset({"on", "true", "1", "detected"}), frozenset({"off", "false", "0", "clear"})


class Broken(Exception):
    """A payload cannot be read; ``rule`` says why. It never leaves this package."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


@dataclass(frozen=True, slots=True)
class Message:
    """What a broker handed over."""

    topic: str
    payload: bytes
    now: datetime  # when it came
    is_live: bool = True  # False: the broker kept it for us, nobody knows how long

    def text(self) -> str:
        """Return the payload as text.

        Raises:
            Broken: it is too large, or no text.
        """
        if len(self.payload) > LARGEST_PAYLOAD:
            raise Broken("payload_is_small")
        try:
            return self.payload.decode().strip()
        except UnicodeDecodeError:
            raise Broken("payload_is_text") from None

    def json(self) -> object:
        """Return the payload as JSON.

        Raises:
            Broken: it is too large, or no JSON.
        """
        return decoded(self.text())

    def mapping(self) -> Mapping[str, object]:
        """Return the payload as a JSON object.

        Raises:
            Broken: it is too large, or no JSON object.
        """
        return as_object(self.json())

    def instant(self, own: object = None) -> datetime | None:
        """Return when a value was true: by the device's own clock where that can be right, else when it came.

        Args:
            own: seconds or milliseconds since 1970, or ISO text with an offset.
        """
        said = read_instant(own)
        if said is not None and self.now - _OLDEST <= said <= self.now + _AHEAD:
            return said
        return self.now if self.is_live else None


def decoded(text: str) -> object:
    """Return the JSON of a text.

    Raises:
        Broken: it is none, or nested too deeply.
    """
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        raise Broken("payload_is_json") from None
    return found


def as_object(value: object) -> Mapping[str, object]:
    """Return a value as a JSON object.

    Raises:
        Broken: it is none.
    """
    if not isinstance(value, dict):
        raise Broken("payload_is_an_object")
    return value


def read_instant(said: object) -> datetime | None:
    """Return the instant of an epoch, or of ISO text that names its offset; None where it is neither.

    >>> read_instant(1631186545.04).second, read_instant("2024-05-01T12:00:00+02:00").hour
    (25, 10)
    >>> read_instant("2024-05-01T12:00:00") is None  # of which clock?
    True
    """
    try:
        if isinstance(said, int | float) and not isinstance(said, bool) and isfinite(said):
            return datetime.fromtimestamp(said / 1000 if abs(said) >= _MILLISECONDS_FROM else said, UTC)
        if isinstance(said, str):
            instant = datetime.fromisoformat(said)
            return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def read_number(raw: object) -> float:
    """Return a number, also one that is written as text.

    Raises:
        Broken: it is none, or it is a word that stands for no value.
    """
    if isinstance(raw, str):
        if raw.strip().casefold() in _ABSENT | {""}:
            raise Broken("value_is_available")
        try:
            raw = float(raw)
        except ValueError:
            raise Broken("value_is_a_number") from None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise Broken("value_is_a_number")
    try:
        value = float(raw)
    except OverflowError:
        raise Broken("value_is_possible") from None
    if not isfinite(value):
        raise Broken("value_is_finite")
    return value


def read_switch(raw: object) -> float:
    """Return 1 where somebody is there, 0 where nobody is.

    Raises:
        Broken: it says neither.
    """
    word = str(raw).strip().casefold()
    if word in _YES | _NO:
        return float(word in _YES)
    raise Broken("value_is_available" if word in _ABSENT | {""} else "value_is_on_or_off")


def converted(raw: object, unit: str, tells: Tells) -> float:
    """Return a value in the unit of what it tells.

    Raises:
        Broken: it is no number, cannot be, or its unit measures something else.
    """
    if tells is Tells.OCCUPANCY:
        return read_switch(raw)
    measured, factor, offset = UNITS.get(unit, (None, 1.0, 0.0))
    if measured is not tells:
        raise Broken("unit_is_known")
    value = factor * read_number(raw) + offset
    low, high = POSSIBLE[tells]
    if not low <= value <= high:
        raise Broken("value_is_possible")
    return value


@dataclass(slots=True)
class Answer:
    """What is read of one message, value by value: a bad one does not spoil its neighbours."""

    message: Message
    _told: list[Told] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)

    def tell(
        self,
        thing: Thing,
        tells: Tells,
        raw: object,
        unit: str = "",
        *,
        own_time: object = None,
        at: datetime | None = None,
    ) -> None:
        """Note a value; one that is absent is a gap and nothing to note.

        Args:
            thing: that tells it.
            tells: what it says.
            raw: as it came.
            unit: as it came.
            own_time: the device's own clock, which may be wrong.
            at: when it was true, as whoever recorded it knows.
        """
        if raw is None:
            return
        if not thing.key.isprintable() or len(thing.key) > _LONGEST_KEY:
            self.refuse("key_is_printable")
            return
        if not thing.name.isprintable():
            thing = replace(thing, name="".join(letter for letter in thing.name if letter.isprintable()))
        try:
            value = converted(raw, unit, tells)
        except Broken as broken:
            self.refuse(broken.rule)
        else:
            self._told.append(Told(thing, tells, value, at or self.message.instant(own_time)))

    def refuse(self, rule: str) -> None:
        """Note that something of the message broke a rule."""
        shown = self.message.payload[: 4 * _SHOWN].decode(errors="replace")[:_SHOWN]
        self._faults.append(Fault(self.message.topic, rule, shown))

    def heard(self) -> Heard:
        """Return all that was noted."""
        return Heard(tuple(self._told), tuple(self._faults))
