"""What Home Assistant's recorder keeps for ever: means and sums of hours, and of five minutes for the last ten days.

A row speaks of the time from ``start`` to ``end``. ``sum`` is what a counter had counted by its end, ``mean`` the mean
of a measurement in it. Home Assistant goes on adding where the counter behind a sum began anew; a sum that falls all
the same was begun anew itself, or corrected by a person, and is read by the rules of counters. Presence has no
statistics: its changes are asked for beside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from watthour.core.errors import PayloadChanged, SourceRejected
from watthour.core.heard import Fault, Heard, Recalled, Tells, Thing
from watthour.core.window import Window
from watthour.sources.home_assistant.connection import NAME, Connection, Refusal, UnknownCommand
from watthour.sources.home_assistant.presence import presence_sensors, tell_presence
from watthour.sources.mqtt.discovery import is_our_entity, told_by_us
from watthour.sources.mqtt.message import UNITS, Answer, Message, read_instant

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

_ASKED_AT_ONCE = 50  # statistics
_PATIENCE_S = 30.0
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_US = timedelta(microseconds=1)
_NEWEST = timedelta(days=2)  # of hours, in which the last value of everything is looked for
_ASKED_IN = {"energy": "kWh", "power": "W", "temperature": "°C"}  # by class of unit
_NOT_FOUND = "not_found"  # nobody has set up the energy dashboard
_MOST = 5_000
GRID_IMPORT = "grid import"


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic that we can read, or a sensor of presence."""

    id: str
    thing: Thing
    tells: Tells
    unit: str  # of its values, as we ask for them


class Statistics:
    """The recorder of a Home Assistant.

    Args:
        url: where it is.
        token: long-lived.
        only: ids of statistics; none: all that we can read.
        patience_s: within which every answer must be complete. [s]
    """

    fine_for = timedelta(days=9)  # it keeps five minutes for ten
    piece = timedelta(days=30)
    late = timedelta(minutes=15)

    def __init__(self, url: str, token: str, only: Sequence[str] = (), *, patience_s: float = _PATIENCE_S) -> None:
        self._url = url
        self._token = token
        self._only = frozenset(only)
        self._patience_s = patience_s
        self._connection: Connection | None = None
        self._known: Mapping[str, Statistic] = {}  # by key of the thing
        self._present: Sequence[tuple[Thing, str, object]] = ()  # sensors of presence with what they said when listed

    def latest(self, now: datetime) -> Heard:
        """Return the last hour of every statistic, at no time: it is shown, and its means are no samples."""
        self._known = {each.thing.key: each for each in self._listed()}
        newest = Window(now - _NEWEST, now)
        answer = Answer(Message(NAME, b"", now, is_live=False))
        for known, rows in self._rows(list(self._known.values()), newest, "hour"):
            if rows:
                answer.tell(known.thing, known.tells, _value(known, rows[-1]), known.unit)
        for thing, _name, said in self._present:
            if thing.key in self._known:
                answer.tell(thing, Tells.OCCUPANCY, said)
        missing = sorted(self._only - {each.id for each in self._known.values()})
        faults = tuple(Fault(name, "statistic_is_known", "") for name in missing)
        heard = answer.heard()
        return Heard(heard.told, heard.faults + faults)

    def told(self, keys: Collection[str] | None, window: Window, *, is_past: bool) -> Recalled:
        """Return the rows of a window: of hours, or of five minutes for a day of it at most."""
        if not self._known:
            self._known = {each.thing.key: each for each in self._listed()}
        wanted = [each for key, each in self._known.items() if keys is None or key in keys]
        missing = sorted(set(keys or ()) - self._known.keys())
        if missing and is_past:
            names = ", ".join(key.partition("/")[2] for key in missing)
            remedy = "Was it renamed, or removed? `watthour listen --found` lists what there is."
            raise SourceRejected(NAME, f"Home Assistant has no statistics of {names}", remedy=remedy)
        if not is_past:
            window = Window(window.start, min(window.end, window.start + _DAY))
        answer = Answer(Message(NAME, b"", window.end))
        for known, rows in self._rows(wanted, window, "hour" if is_past else "5minute"):
            for row in rows:
                _tell(answer, known, row, is_past=is_past)
        for known, rows in self._changes(answer, wanted, window):
            tell_presence(answer, known.thing, rows, until=window.end)
        heard = answer.heard()
        faults = tuple(Fault(key.partition("/")[2], "statistic_is_known", "") for key in missing)
        has_means = any(each.tells is not Tells.OCCUPANCY for each in wanted)
        return Recalled(window, Heard(heard.told, heard.faults + faults), _HOUR if is_past and has_means else None)

    def close(self) -> None:
        """End the connection; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, kind: str, **said: object) -> object:
        if self._connection is None:
            self._connection = Connection(self._url, self._token, patience_s=self._patience_s)
        return self._connection.ask(kind, **said)

    def _listed(self) -> Iterator[Statistic]:
        listed = [row for row in _list_of(self._ask("recorder/list_statistic_ids")) if isinstance(row, dict)]
        states = [state for state in _list_of(self._ask("get_states")) if isinstance(state, dict)]
        ours = {str(state.get("entity_id")) for state in states if told_by_us(state.get("attributes"))}
        self._present = list(presence_sensors(states))
        for sensor, entity, _said in self._present:
            if not self._only or entity in self._only:
                yield Statistic(entity, sensor, Tells.OCCUPANCY, "")
        roles = self._roles()
        classes = _classes(states)
        for row in listed[:_MOST]:
            name, unit = row.get("statistic_id"), _unit(row)
            if not isinstance(name, str) or (self._only and name not in self._only):
                continue
            if name in ours or is_our_entity(name):  # what we have told Home Assistant is no meter
                continue
            tells = _tells(row, unit, classes.get(name))
            if tells is None:
                continue
            shown = str(row.get("name") or name)
            shown = f"{shown} ({roles[name]})" if name in roles else shown
            kind = "meter" if tells in {Tells.POWER, Tells.COUNTER} else "sensor"
            is_grid_meter = roles.get(name) == GRID_IMPORT
            thing = Thing(f"{NAME}/{name}", f"{NAME}/{name}", shown, kind, is_grid_meter=is_grid_meter)
            yield Statistic(name, thing, tells, unit)

    def _roles(self) -> dict[str, str]:
        """Return what the energy dashboard says of statistics, such as which one is the grid's meter."""
        try:
            preferences = self._ask("energy/get_prefs")
        except Refusal as refused:
            if refused.code == _NOT_FOUND:
                return {}
            raise
        return dict(energy_roles(preferences))

    def _rows(
        self, wanted: Sequence[Statistic], window: Window, period: str
    ) -> Iterator[tuple[Statistic, list[Mapping[str, object]]]]:
        wanted = [each for each in wanted if each.tells is not Tells.OCCUPANCY]
        for begin in range(0, len(wanted), _ASKED_AT_ONCE):
            part = wanted[begin : begin + _ASKED_AT_ONCE]
            answer = self._ask(
                "recorder/statistics_during_period",
                start_time=window.start.astimezone(UTC).isoformat(),
                end_time=window.end.astimezone(UTC).isoformat(),
                statistic_ids=[each.id for each in part],
                period=period,
                types=["mean", "sum"],
                units=_ASKED_IN,
            )
            if not isinstance(answer, dict):
                raise _changed("statistics_during_period")
            for each in part:
                rows = _list_of(answer.get(each.id, []))
                yield each, [row for row in rows if isinstance(row, dict)]

    def _changes(
        self, answer: Answer, wanted: Sequence[Statistic], window: Window
    ) -> Iterator[tuple[Statistic, list[Mapping[str, object]]]]:
        """Yield the changes of sensors of presence; one whose history is switched off does not stop the statistics."""
        wanted = [each for each in wanted if each.tells is Tells.OCCUPANCY]
        for begin in range(0, len(wanted), _ASKED_AT_ONCE):
            part = wanted[begin : begin + _ASKED_AT_ONCE]
            try:
                found = self._ask(
                    "history/history_during_period",
                    start_time=window.start.astimezone(UTC).isoformat(),
                    end_time=window.end.astimezone(UTC).isoformat(),
                    entity_ids=[each.id for each in part],
                    minimal_response=True,
                    no_attributes=True,
                    significant_changes_only=False,
                )
            except UnknownCommand:
                answer.refuse("history_is_switched_on")
                return
            if not isinstance(found, dict):
                raise _changed("history_during_period")
            for each in part:
                yield each, [row for row in _list_of(found.get(each.id, [])) if isinstance(row, dict)]


def energy_roles(preferences: object) -> Iterator[tuple[str, str]]:
    """Yield the statistics that the energy dashboard names, each with what it is there.

    >>> dict(energy_roles({"energy_sources": [{"type": "grid", "flow_from": [{"stat_energy_from": "sensor.p1"}]}]}))
    {'sensor.p1': 'grid import'}
    """
    said = preferences if isinstance(preferences, dict) else {}
    for source in _list_of(said.get("energy_sources") or []):
        if not isinstance(source, dict):
            continue
        kind = str(source.get("type"))
        flows = [source, *_list_of(source.get("flow_from") or []), *_list_of(source.get("flow_to") or [])]
        words = {
            "grid": (GRID_IMPORT, "grid export"),
            "solar": ("solar", "solar"),
            "battery": ("battery discharging", "battery charging"),
        }.get(kind)
        for flow in flows if words is not None else []:
            for field, word in zip(("stat_energy_from", "stat_energy_to"), words or (), strict=True):
                if isinstance(flow, dict) and isinstance(flow.get(field), str):
                    yield flow[field], word
    for device in _list_of(said.get("device_consumption") or []):
        if isinstance(device, dict) and isinstance(device.get("stat_consumption"), str):
            yield device["stat_consumption"], "device"


def _tells(row: Mapping[str, object], unit: str, device_class: object) -> Tells | None:
    tells = UNITS.get(unit, (None,))[0]
    if tells is Tells.COUNTER:
        return tells if row.get("has_sum") is True else None
    if tells is Tells.HUMIDITY and device_class != "humidity":
        return None
    means = row.get("has_mean") is True or row.get("mean_type") == 1  # 2 is the mean of an angle
    return tells if means else None


def _classes(states: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Return the class of each entity: a percentage is humidity only where the entity says so."""
    found: dict[str, object] = {}
    for state in states:
        if isinstance(attributes := state.get("attributes"), dict):
            found[str(state.get("entity_id"))] = attributes.get("device_class")
    return found


def _unit(row: Mapping[str, object]) -> str:
    """Return the unit in which its values come."""
    unit = row.get("statistics_unit_of_measurement") or row.get("unit_of_measurement")  # as older versions name it
    return _ASKED_IN.get(str(row.get("unit_class")), str(unit))


def _value(known: Statistic, row: Mapping[str, object]) -> object:
    return row.get("sum" if known.tells is Tells.COUNTER else "mean")


def _tell(answer: Answer, known: Statistic, row: Mapping[str, object], *, is_past: bool) -> None:
    """Note a row: a sum when its time ends, a mean when it begins and, of an hour, also just before it ends."""
    start, end = read_instant(row.get("start")), read_instant(row.get("end"))
    if start is None or end is None:
        answer.refuse("row_has_its_time")
        return
    value = _value(known, row)
    if known.tells is Tells.COUNTER:
        answer.tell(known.thing, known.tells, value, known.unit, at=end)
        return
    answer.tell(known.thing, known.tells, value, known.unit, at=start)
    if is_past:
        answer.tell(known.thing, known.tells, value, known.unit, at=end - _US)


def _list_of(said: object) -> list[object]:
    if not isinstance(said, list):
        raise _changed("a list")
    return said


def _changed(what: str) -> PayloadChanged:
    return PayloadChanged(
        NAME, f"Home Assistant answers {what} in another form", remedy="Update Watthour or report it."
    )
