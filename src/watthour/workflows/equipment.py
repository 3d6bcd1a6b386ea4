"""What a home has that can be shifted: kept as a person said it, and checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from unicodedata import category

from watthour.core import assets
from watthour.core.assets import between
from watthour.core.errors import InvalidInput, UnknownName
from watthour.core.kept_file import KeptFile
from watthour.core.names import id_for
from watthour.core.plan import Weights
from watthour.core.units import Unit
from watthour.core.window import DAY, HOUR
from watthour.workflows.equipment_words import check_words
from watthour.workflows.homes import channels_of, devices_of, part_named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from watthour.core.channel import Channel, Device, Site
    from watthour.core.ports import Store

FILE_NAME = "equipment.json"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LEAST_HOURS, MOST_HOURS, USUAL_HOURS = 24, 48, 36
USUAL_GAIN = 0.05  # [currency]
_MOST_RUNS = 10
_QUARTER = timedelta(minutes=15)
_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True)
class Recurring:
    """A time of the day, by the clock of the home, in which something is wished; which days is of its begin.

    Without a begin it lasts from one end to the next, without an end until the next begin, without both all day.
    """

    begin: time | None = None
    end: time | None = None
    weekdays: frozenset[int] = frozenset(range(7))  # Monday is 0

    @property
    def first(self) -> time:
        """When it begins."""
        return self.begin or self.end or time()

    @property
    def last(self) -> time:
        """When it ends: the next such time after it began."""
        return self.end or self.begin or time()

    @property
    def is_over_midnight(self) -> bool:
        """Whether it ends on the day after it began."""
        return self.last <= self.first

    @property
    def length(self) -> timedelta:
        """How long it is on a day without a change of the clock."""
        begin, end = (timedelta(hours=each.hour, minutes=each.minute) for each in (self.first, self.last))
        return end - begin + (DAY if self.is_over_midnight else timedelta())


@dataclass(frozen=True, slots=True)
class HomeAppliance:
    """An appliance whose runs can be shifted."""

    name: str
    profile_kw: tuple[float, ...]
    profile_step: timedelta
    when: Recurring
    device: str | None = None
    runs: int = 1
    on_request: bool = False
    is_interruptible: bool = False
    only_below: float | None = None

    @property
    def duration(self) -> timedelta:
        """How long a run takes."""
        return self.profile_step * len(self.profile_kw)

    @property
    def energy_kwh(self) -> float:
        """What a run uses."""
        return sum(self.profile_kw) * (self.profile_step / HOUR)


@dataclass(frozen=True, slots=True)
class HomeCar:
    """A car with the stays that recur."""

    name: str
    when: Recurring
    energy_kwh: float
    max_charge_kw: float
    min_charge_kw: float = 0.0
    efficiency: float = 0.9
    device: str | None = None


@dataclass(frozen=True, slots=True)
class HomeBattery:
    """A battery, and what tells how full it is."""

    name: str
    capacity_kwh: float
    max_charge_kw: float
    max_discharge_kw: float
    channel: str | None = None
    device: str | None = None
    stored_kwh: float | None = None
    charge_efficiency: float = 0.95
    discharge_efficiency: float = 0.95
    wear_price: float = 0.0
    reserve_kwh: float = 0.0

    def holding(self, stored_kwh: float) -> assets.Battery:
        """Return it as the planner takes it, holding so much now."""
        names = {each.name for each in fields(assets.Battery)} & {each.name for each in fields(self)}
        return assets.Battery(**{name: getattr(self, name) for name in names} | {"stored_kwh": stored_kwh})


@dataclass(frozen=True, slots=True)
class HomeHeat:
    """A tank or a house that keeps heat, and what tells how warm it is."""

    name: str
    capacity_kwh_per_k: float
    loss_kw_per_k: float
    max_power_kw: float
    temperature_c: float
    lowest_c: float
    highest_c: float
    min_power_kw: float = 0.0
    around_c: float = 20.0
    draw_kw: float = 0.0
    efficiency: float = 1.0
    discomfort_price: float = 1.0
    channel: str | None = None
    device: str | None = None

    def at(self, temperature_c: float) -> assets.Heat:
        """Return it as the planner takes it, so warm now."""
        names = {each.name for each in fields(assets.Heat)} & {each.name for each in fields(self)}
        said = {name: getattr(self, name) for name in names} | {"temperature_c": temperature_c}
        series = {name: assets.series(said[name]) for name in ("around_c", "draw_kw", "efficiency")}
        return assets.Heat(**{**said, **series})


@dataclass(frozen=True, slots=True)
class Equipment:
    """All that a home has that can be shifted, and what counts."""

    appliances: tuple[HomeAppliance, ...] = ()
    cars: tuple[HomeCar, ...] = ()
    batteries: tuple[HomeBattery, ...] = ()
    heats: tuple[HomeHeat, ...] = ()
    solar: str | None = None  # id of a channel
    import_limit_kw: float | None = None
    weights: Weights = field(default_factory=Weights)
    hours: int = USUAL_HOURS
    gain: float = USUAL_GAIN

    @property
    def things(self) -> tuple[HomeAppliance | HomeCar | HomeBattery | HomeHeat, ...]:
        """Everything by name."""
        return (*self.appliances, *self.cars, *self.batteries, *self.heats)


class EquipmentFile:
    """The equipment of the homes of a home directory, each as it was said; a change elsewhere is seen at once.

    Args:
        home: the directory.
    """

    def __init__(self, home: Path) -> None:
        remedy = "Mend it, or remove it and say the equipment again: `watthour home equip`."
        self._file = KeptFile(home / FILE_NAME, _decoded, _encoded, what="equipment file", remedy=remedy)

    def said(self, home: str) -> Mapping[str, Any] | None:
        """Return the equipment of a home as it was said; None: it has none.

        Raises:
            InvalidInput: the file is damaged, or what it has of this home is no table; others are not touched by that.
        """
        said = self._file.all().get(home)
        if said is None or isinstance(said, dict):
            return said
        remedy = f"Mend it, or say the equipment again: `watthour home equip {home} FILE`."
        raise InvalidInput(f"{FILE_NAME}.{home}", said, "it is no table of equipment", remedy=remedy)

    def keep(self, home: str, said: Mapping[str, Any]) -> None:
        """Keep equipment in place of what a home had.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._file.changing() as kept:
            kept[home] = said

    def forget(self, home: str) -> bool:
        """Take the equipment of a home away; return whether it had any.

        Raises:
            InvalidInput: the file is damaged.
        """
        with self._file.changing() as kept:
            return kept.pop(home, None) is not None


def _decoded(content: bytes) -> dict[str, Mapping[str, Any]]:
    return {str(home): said for home, said in json.loads(content)["equipment"].items()}


def _encoded(kept: Mapping[str, Mapping[str, Any]]) -> str:
    return json.dumps({"version": 1, "equipment": dict(sorted(kept.items()))}, indent=2, ensure_ascii=False)


def set_equipment(store: Store, equipment_file: EquipmentFile, home: Site, said: Mapping[str, Any]) -> Equipment:
    """Keep the equipment of a home and return it.

    Raises:
        InvalidInput: something said cannot be.
        UnknownName: a device or a channel is not there.
    """
    equipment = read_equipment(said)
    devices, channels = devices_of(store, home), channels_of(store, home)
    for thing in equipment.things:
        if thing.device is not None:
            part_named("device", thing.device, devices)
    for battery in equipment.batteries:
        _check_channel(channels, f"batteries.{battery.name}.channel", battery.channel, Unit.PERCENT)
    for heat in equipment.heats:
        _check_channel(channels, f"heats.{heat.name}.channel", heat.channel, Unit.CELSIUS)
    if equipment.solar is not None:
        _check_channel(channels, "solar.channel", equipment.solar, None)
    equipment_file.keep(home.id, json.loads(json.dumps(said)))
    return equipment


def equipment_of(equipment_file: EquipmentFile, home: Site) -> Equipment:
    """Return the equipment of a home.

    Raises:
        UnknownName: it has none.
        InvalidInput: what is kept cannot be read.
    """
    said = equipment_file.said(home.id)
    if said is None:
        remedy = f"Say what can be shifted in a file: `watthour home equip {home.id} equipment.toml`."
        raise UnknownName("equipment", home.id, f"{home.name} has no equipment yet", remedy=remedy)
    try:
        return read_equipment(said)
    except InvalidInput as error:  # somebody changed the file
        problem = error.problem.removeprefix(f"{error.field} = {error.value!r}: ")
        remedy = f"{error.remedy} Mend {FILE_NAME}, or say the equipment again: `watthour home equip {home.id} FILE`."
        raise InvalidInput(f"{FILE_NAME}.{home.id}.{error.field}", error.value, problem, remedy=remedy) from error


def device_of(store: Store, home: Site, name: str | None) -> Device | None:
    """Return the device that a thing names; None: it names none, or that device is gone."""
    if name is None:
        return None
    try:
        return part_named("device", name, devices_of(store, home))
    except UnknownName:  # it was removed since; a plan goes on without it, and says so
        return None


def read_equipment(said: Mapping[str, Any]) -> Equipment:
    """Return equipment as its words say it.

    Raises:
        InvalidInput: something cannot be; names it with the cure.
    """
    check_words(said)
    solar = said.get("solar")
    equipment = Equipment(
        appliances=tuple(_appliance(each) for each in said.get("appliances") or ()),
        cars=tuple(_car(each) for each in said.get("cars") or ()),
        batteries=tuple(
            _made(HomeBattery, "batteries", {"name": "battery"} | each) for each in said.get("batteries") or ()
        ),
        heats=tuple(_made(HomeHeat, "heats", {"name": "house"} | each) for each in said.get("heats") or ()),
        solar=None if solar is None else str(solar["channel"]),
        import_limit_kw=said.get("import_limit_kw"),
        weights=Weights(**(said.get("weights") or {})),
        hours=said.get("hours", USUAL_HOURS),
        gain=said.get("gain", USUAL_GAIN),
    )
    for battery in equipment.batteries:
        battery.holding(battery.capacity_kwh / 2 if battery.stored_kwh is None else battery.stored_kwh)
    for heat in equipment.heats:
        heat.at(heat.temperature_c)
    between("hours", equipment.hours, LEAST_HOURS, MOST_HOURS)
    between("gain", equipment.gain, 0.0, 1e6)
    if equipment.import_limit_kw is not None:
        between("import_limit_kw", equipment.import_limit_kw, 0.0, 1e6)
    _check_names(equipment)
    return equipment


def _appliance(said: Mapping[str, Any]) -> HomeAppliance:
    place = f"appliances.{said.get('name')}"
    profile, step = said.get("profile_kw"), timedelta(minutes=said.get("profile_minutes", 15))
    power, minutes = said.get("power_kw"), said.get("minutes")
    if profile is not None and (power is not None or minutes is not None):
        problem = "there is a power or a length as well"
        raise InvalidInput(f"{place}.profile_kw", "given", problem, remedy="Give one or the other.")
    if profile is None:
        if power is None or minutes is None:
            name = "power_kw" if power is None else "minutes"
            cure = "Give power_kw and minutes, or profile_kw."
            raise InvalidInput(f"{place}.{name}", None, "it is missing", remedy=cure)
        profile, step = [power], timedelta(minutes=minutes)
    when = _recurring(place, said, "earliest", "deadline")
    rest = {key: said[key] for key in ("device", "runs", "on_request", "is_interruptible", "only_below") if key in said}
    made = HomeAppliance(str(said.get("name", "")), tuple(profile), step, when, **rest)
    between(f"{place}.runs", made.runs, 1, _MOST_RUNS)
    wish = assets.Appliance(made.name, made.profile_kw, made.profile_step, only_below=made.only_below)
    if made.is_interruptible and (wish.duration % _QUARTER or len(set(wish.profile_kw)) > 1):
        problem = f"a run that may pause has one power, and takes whole steps of {_QUARTER}"
        cure = "Give one power and a multiple of 15 minutes, or let it run without a pause."
        raise InvalidInput(f"{place}.is_interruptible", True, problem, remedy=cure)  # noqa: FBT003 - the value given
    if made.duration > MOST_HOURS * HOUR:
        problem = "a run is longer than any plan"
        cure = f"Let it take {MOST_HOURS} hours or less."
        raise InvalidInput(
            f"{place}.{'minutes' if power is not None else 'profile_minutes'}", str(made.duration), problem, remedy=cure
        )
    needed = -(-made.duration // _QUARTER) * made.runs * _QUARTER
    if not made.on_request and needed > made.when.length and made.only_below is None:
        problem = f"{made.runs} runs of {made.duration} do not fit between {when.first:%H:%M} and {when.last:%H:%M}"
        cure = f"Let it begin earlier, end later or run less often: together they take {needed}."
        raise InvalidInput(f"{place}.deadline", f"{when.last:%H:%M}", problem, remedy=cure)
    return made


def _car(said: Mapping[str, Any]) -> HomeCar:
    place = f"cars.{said.get('name', 'car')}"
    for name in ("arrival", "departure"):
        if said.get(name) is None:
            raise InvalidInput(f"{place}.{name}", None, "it is missing", remedy=f'Say it as {name} = "18:00".')
    when = _recurring(place, said, "arrival", "departure")
    rest = {key: value for key, value in said.items() if key not in ("arrival", "departure", "weekdays")}
    made: HomeCar = _made(HomeCar, "cars", {"name": "car"} | rest | {"when": when})
    assets.Car(made.name, made.energy_kwh, made.max_charge_kw, None, None, made.min_charge_kw, made.efficiency)
    most = when.length / HOUR * made.max_charge_kw * made.efficiency
    if most < made.energy_kwh:
        problem = f"{most:.2f} kWh reach it between {when.first:%H:%M} and {when.last:%H:%M}"
        cure = f"Ask for {most:.2f} kWh or less, leave later, or charge with more power."
        raise InvalidInput(f"{place}.energy_kwh", made.energy_kwh, problem, remedy=cure)
    return made


def _recurring(place: str, said: Mapping[str, Any], begin: str, end: str) -> Recurring:
    clocks: list[time | None] = []
    for name in (begin, end):
        text = said.get(name)
        try:
            clocks.append(None if text is None else time.fromisoformat(text))
        except (ValueError, TypeError) as error:
            cure = "Write it as 21:00, by the clock of the home."
            raise InvalidInput(f"{place}.{name}", text, "it is no time of the day", remedy=cure) from error
    days = said.get("weekdays")
    unknown = [day for day in days or () if day not in WEEKDAYS]
    if unknown or days == []:
        cure = f"Use some of: {', '.join(WEEKDAYS)}."
        raise InvalidInput(f"{place}.weekdays", unknown[0] if unknown else None, "it is no weekday", remedy=cure)
    return Recurring(clocks[0], clocks[1], frozenset(WEEKDAYS.index(day) for day in days or WEEKDAYS))


def _made(kind: type[_Thing], place: str, said: Mapping[str, Any]) -> _Thing:
    """Return a thing of its words; what it does not know or lacks is named."""
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # always a dataclass of this file
    for name in said:
        if name not in known:
            cure = f"There are: {', '.join(sorted(known))}."
            raise InvalidInput(f"{place}.{said['name']}.{name}", said[name], "nothing goes by this name", remedy=cure)
    try:
        return kind(**said)
    except TypeError as error:
        cure = "docs/how-to/plan-a-day.md shows a whole file."
        raise InvalidInput(f"{place}.{said['name']}", None, f"something is missing ({error})", remedy=cure) from error


def _check_names(equipment: Equipment) -> None:
    if not equipment.things:
        cure = "Say at least one appliance, car, battery or heat; `watthour home equip HOME --remove` takes all away."
        raise InvalidInput("appliances", None, "there is nothing to plan", remedy=cure)
    seen: dict[str, str] = {}
    for thing in equipment.things:
        if any(category(letter) == "Cc" for letter in thing.name):
            cure = "Write it without line breaks and other control characters."
            raise InvalidInput("name", thing.name, "it holds a control character", remedy=cure)
        word = id_for(thing.name)
        if not word:
            cure = "Use a letter from a to z, or a digit: runs are called by it."
            raise InvalidInput("name", thing.name, "it makes no id", remedy=cure)
        if word in seen:
            cure = "Give each its own name, such as `car Ana` and `car Ben`."
            raise InvalidInput("name", thing.name, f"{seen[word]} goes by the same id, {word}", remedy=cure)
        seen[word] = thing.name


def _check_channel(channels: list[Channel], place: str, name: str | None, unit: Unit | None) -> None:
    if name is None:
        return
    fit = [each.id for each in channels if (each.is_load if unit is None else each.unit is unit)]
    if name not in fit:
        what = "a power or an energy" if unit is None else f"a series in {unit}"
        raise UnknownName(place, name, f"no channel of this home is {what} by this name", remedy=(
            f"Name one of: {', '.join(fit) or 'none yet'}; or leave it out."
        ))  # fmt: skip
