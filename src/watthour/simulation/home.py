"""Invented homes: people and their days, appliances, heat, sun, a battery and a car; the same seed is the same home.

A day of a home goes from 05:00 to 05:00 local time, when nearly everybody sleeps, and depends on nothing but the seed,
the home's number and the day's weather. So a day is the same whichever days were asked before, and thousands of homes
can be made one by one. Powers are tenths of a watt in whole numbers: the mains are exactly the sum of the parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.channel import DeviceKind
from watthour.simulation.appliances import USE_OF, compressor, laid_out
from watthour.simulation.steps import Steps, together

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from watthour.simulation.appliances import Phases
    from watthour.simulation.noise import Array
    from watthour.simulation.sky import Sky
    from watthour.simulation.steps import Numbers

    BoolArray = NDArray[np.bool_]

_TRAITS, _DAY, _WEEK = 1, 2, 3  # what a generator is for
_H = 3600
_SATURDAY = 5
_AWAY_WEEKS = 0.05  # of all weeks nobody is at home
_DRIES = 0.6  # of what was washed by machine
_PLUGS_IN = 0.65  # of the evenings after a drive
_AT_DAWN = 0.6  # of the showers; the others are in the evening
_OWNED = {  # chance that a home has a kind that nobody switches
    DeviceKind.WATER_HEATER: 0.4,
    DeviceKind.HEAT_PUMP: 0.25,
    DeviceKind.AIR_CONDITIONER: 0.5,
    DeviceKind.EV_CHARGER: 0.2,
}
_OWNS_DRYER, _OWNS_SOLAR, _OWNS_BATTERY, _HAS_NIGHT_PRICE = 0.45, 0.25, 0.4, 0.3
_GOES_OUT, _GOES_OUT_AT_WEEKENDS = 0.35, 0.5  # who does not leave for work
_LONGEST_DAY = 29 * _H  # a day of a home ends at 05:00 of the next


@dataclass(frozen=True, slots=True)
class Tariff:
    """What a kWh from the grid costs: one price, or a lower one at night."""

    day: float  # [currency/kWh]
    night: float
    night_from: int = 23  # local hour
    night_to: int = 6

    @property
    def has_night(self) -> bool:
        """Whether it pays to wait for the night."""
        return self.night < self.day

    def at(self, hours: Array) -> Array:
        """Return the prices at local hours."""
        is_night = (hours >= self.night_from) | (hours < self.night_to)
        return np.where(is_night, self.night, self.day)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a home is: who lives there and what it has."""

    people: int
    works_out: float  # chance that nobody is at home on a working day
    wakes_at: float  # local hour on a working day
    fridge_w: float
    standby_w: float  # of all that is never switched off
    lights_w: float  # of a lit home
    kinds: frozenset[DeviceKind]  # of its devices, beside fridge, lights, router and what stands by
    solar_kwp: float = 0.0
    battery_kwh: float = 0.0
    heat_loss_kw_per_k: float = 0.15
    tariff: Tariff = Tariff(0.24, 0.24)


# Chance that a home has a kind, its daily uses as a + b * people, and when they begin: local hour, spread [h], weight.
_MORNING, _NOON, _EVENING = (7.3, 0.8), (12.5, 1.0), (18.7, 1.3)
_USED: Mapping[DeviceKind, tuple[float, float, float, tuple[tuple[tuple[float, float], float], ...]]] = {
    DeviceKind.KETTLE: (0.9, 1.3, 1.0, ((_MORNING, 0.4), ((15.5, 2.5), 0.4), (_EVENING, 0.2))),
    DeviceKind.MICROWAVE: (0.9, 0.9, 0.35, ((_MORNING, 0.3), (_NOON, 0.2), (_EVENING, 0.5))),
    DeviceKind.OVEN: (0.8, 0.2, 0.12, ((_NOON, 0.2), (_EVENING, 0.8))),
    DeviceKind.HOB: (0.8, 0.5, 0.25, ((_MORNING, 0.15), (_NOON, 0.2), (_EVENING, 0.65))),
    DeviceKind.WASHING_MACHINE: (0.97, 0.2, 0.17, (((9.5, 1.5), 0.5), ((18.5, 1.5), 0.5))),
    DeviceKind.DISHWASHER: (0.6, 0.2, 0.14, ((_NOON, 0.25), ((20.5, 0.9), 0.75))),
    DeviceKind.TELEVISION: (0.95, 1.0, 0.25, (((8.5, 1.5), 0.15), ((20.0, 1.2), 0.85))),
    DeviceKind.COMPUTER: (0.85, 0.6, 0.45, (((10.5, 2.0), 0.35), ((19.5, 2.0), 0.65))),
}
_STANDBY_W = {
    DeviceKind.MICROWAVE: 2.0,
    DeviceKind.OVEN: 1.5,
    DeviceKind.WASHING_MACHINE: 0.8,
    DeviceKind.DISHWASHER: 0.7,
    DeviceKind.TUMBLE_DRYER: 0.8,
    DeviceKind.TELEVISION: 0.7,
    DeviceKind.COMPUTER: 2.5,
    DeviceKind.EV_CHARGER: 3.0,
}
_UNATTENDED = frozenset({DeviceKind.WASHING_MACHINE, DeviceKind.DISHWASHER})  # may begin while people are out or asleep
_MOST_A_DAY = 12  # uses of one device


@dataclass(frozen=True, slots=True)
class Use:
    """A device ran from one instant to another; it was switched on at the first and off at the second."""

    kind: DeviceKind
    start: int  # [s since 1970]
    end: int
    kwh: float


@dataclass(frozen=True, slots=True)
class Meant:
    """What is meant of a use from one instant on."""

    since: int  # [s since 1970]
    begin: int | None  # [s since 1970]; None: as by habit


@dataclass(frozen=True, slots=True)
class HomeDay:
    """What was true of a home on one day: the power of each part, and each use of what is switched."""

    start: int  # [s since 1970]
    end: int
    parts: Mapping[DeviceKind, Steps]  # what is fed in is negative
    uses: tuple[Use, ...]

    def mains(self) -> Steps:
        """Return the power at the meter: the sum of the parts."""
        return together(list(self.parts.values()))


@dataclass(frozen=True, slots=True)
class SimulatedHome:
    """One home of many: a seed and a number say all of it.

    Args:
        number: of the home in its town.
        seed: of the town.
        traits: what it is; None: drawn from seed and number.
    """

    number: int
    seed: int = 7
    traits: Traits | None = None

    def described(self) -> Traits:
        """Return what the home is."""
        return self.traits if self.traits is not None else _drawn_traits(self._rng(_TRAITS))

    def day(self, sky: Sky, planned: Mapping[DeviceKind, Sequence[Meant]] | None = None) -> HomeDay:
        """Return what is true of the home on the day of this weather.

        Args:
            sky: the weather.
            planned: what is meant of the first use of a kind, as plans came; all else is as on a day without a plan.
        """
        traits, rng = self.described(), self._rng(_DAY, sky.day.toordinal())
        rhythm = _rhythm(rng, traits, sky, is_away=self._is_away(sky))
        is_home, is_awake = rhythm.of_minutes(sky)
        runs = _as_planned(_uses_of_people(rng, traits, rhythm), sky, planned or {})
        parts = {kind: _steps(sky, runs.get(kind, []), _STANDBY_W.get(kind, 0.0)) for kind in _used_kinds(traits)}
        parts[DeviceKind.FRIDGE] = _fridge(rng, traits, sky)
        parts[DeviceKind.LIGHTS] = _minutes(sky, _lights(rng, traits, sky, is_home & is_awake))
        parts[DeviceKind.ROUTER] = _minutes(sky, np.full(1, 9.0))
        parts[DeviceKind.OTHER] = _minutes(sky, np.full(1, traits.standby_w))
        if DeviceKind.HEAT_PUMP in traits.kinds:
            parts[DeviceKind.HEAT_PUMP] = _minutes(sky, _heat(traits, sky, is_home, is_awake))
        if DeviceKind.AIR_CONDITIONER in traits.kinds:
            parts[DeviceKind.AIR_CONDITIONER] = _minutes(sky, _cooling(traits, sky, is_home))
        if traits.solar_kwp:
            parts[DeviceKind.SOLAR] = _minutes(sky, -_solar(rng, traits, sky))
        if traits.battery_kwh:
            net = together(list(parts.values())).mean_watts(_minute_edges(sky))
            parts[DeviceKind.BATTERY] = _minutes(sky, _battery(traits, net))
        uses = tuple(_use(kind, sky, begin, phases) for kind in runs for begin, phases in runs[kind])
        return HomeDay(sky.start, sky.end, parts, tuple(sorted(uses, key=lambda use: (use.start, use.kind))))

    def _rng(self, *what: int) -> Generator:
        return np.random.default_rng((self.seed, self.number, *what))

    def _is_away(self, sky: Sky) -> bool:
        """Tell whether everybody is on holiday, which lasts whole weeks."""
        return bool(self._rng(_WEEK, sky.day.toordinal() // 7).random() < _AWAY_WEEKS)


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """A day of the people of a home [s after local midnight]; who is not out has left and is back at once."""

    wake: int
    leave: int
    back: int
    sleep: int
    is_away: bool
    is_commuting: bool

    def is_at_home(self, clock: Array) -> BoolArray:
        return ~((clock >= self.leave) & (clock < self.back)) & (not self.is_away)

    def is_awake(self, clock: Array) -> BoolArray:
        return (clock >= self.wake) & (clock < self.sleep)

    def of_minutes(self, sky: Sky) -> tuple[BoolArray, BoolArray]:
        """Return, for each minute, whether anybody is at home and whether they would be awake."""
        clock = (_minute_edges(sky)[:-1] - sky.midnight).astype(np.float64)
        return self.is_at_home(clock), self.is_awake(clock)


def _rhythm(rng: Generator, traits: Traits, sky: Sky, *, is_away: bool) -> _Rhythm:
    is_rest = sky.day.weekday() >= _SATURDAY
    wake = _H * (traits.wakes_at + (1.3 if is_rest else 0.0) + 0.35 * rng.standard_normal())
    sleep = _H * (22.8 + (0.6 if is_rest else 0.0) + 0.4 * rng.standard_normal())
    chance, is_out = rng.random(2)
    leave = back = _H * 12.0
    is_commuting = not is_rest and chance < traits.works_out
    if is_commuting:
        leave, back = wake + _H * rng.uniform(0.8, 1.4), _H * (17.4 + 0.6 * rng.standard_normal())
    elif is_out < (_GOES_OUT_AT_WEEKENDS if is_rest else _GOES_OUT):
        leave = _H * rng.uniform(10.5, 14.5)
        back = leave + _H * rng.uniform(1.5, 4.0)
    wake = max(wake, 5.1 * _H)
    return _Rhythm(int(wake), int(leave), int(max(back, leave)), int(sleep), is_away, is_commuting)


def _drawn_traits(rng: Generator) -> Traits:
    people = int(rng.choice([1, 2, 3, 4, 5], p=[0.29, 0.35, 0.16, 0.14, 0.06]))
    kinds = {kind for kind, (chance, *_rest) in _USED.items() if rng.random() < chance}
    if DeviceKind.WASHING_MACHINE in kinds and rng.random() < _OWNS_DRYER:
        kinds.add(DeviceKind.TUMBLE_DRYER)
    kinds |= {kind for kind, chance in _OWNED.items() if rng.random() < chance}
    has_solar, has_battery, has_night = rng.random(3)
    solar = float(rng.uniform(3, 9)) if has_solar < _OWNS_SOLAR else 0.0
    dear = float(rng.uniform(0.18, 0.32))
    return Traits(
        people,
        works_out=float(rng.choice([0.1, 0.6, 0.9], p=[0.3, 0.3, 0.4])),
        wakes_at=float(rng.normal(6.8, 0.7)),
        fridge_w=float(rng.uniform(60, 120)),
        standby_w=float(rng.uniform(15, 70)),
        lights_w=float(rng.uniform(50, 180)),
        kinds=frozenset(kinds),
        solar_kwp=solar,
        battery_kwh=float(rng.uniform(5, 13)) if solar and has_battery < _OWNS_BATTERY else 0.0,
        heat_loss_kw_per_k=float(rng.uniform(0.1, 0.22)),
        tariff=Tariff(dear, dear * (0.6 if has_night < _HAS_NIGHT_PRICE else 1.0)),
    )


def _used_kinds(traits: Traits) -> list[DeviceKind]:
    """Return the kinds that run when they are switched on, sorted, so that what is drawn has an order."""
    return sorted(traits.kinds - {DeviceKind.HEAT_PUMP, DeviceKind.AIR_CONDITIONER})


_Runs = dict[DeviceKind, list[tuple[int, "Phases"]]]  # seconds after local midnight, and what follows


def _uses_of_people(rng: Generator, traits: Traits, rhythm: _Rhythm) -> _Runs:
    """Return the uses of a day, by kind; those of one device follow each other."""
    runs: _Runs = {}
    for kind in _used_kinds(traits):
        if kind in _USED:
            begins = _begins(rng, kind, traits, rhythm)
            runs[kind] = _in_turn([(begin, USE_OF[kind](rng)) for begin in begins])
    if DeviceKind.TUMBLE_DRYER in traits.kinds:
        washes = runs.get(DeviceKind.WASHING_MACHINE, [])
        dried = [begin + _lasts(phases) + 600 for begin, phases in washes if rng.random() < _DRIES]
        runs[DeviceKind.TUMBLE_DRYER] = _in_turn([(begin, USE_OF[DeviceKind.TUMBLE_DRYER](rng)) for begin in dried])
    if DeviceKind.WATER_HEATER in traits.kinds:
        runs[DeviceKind.WATER_HEATER] = _in_turn(_water(rng, traits, rhythm))
    if DeviceKind.EV_CHARGER in traits.kinds and rhythm.back > rhythm.leave and not rhythm.is_away:
        distance, is_plugged = rng.lognormal(3.7, 0.5), rng.random() < _PLUGS_IN
        kwh = min(
            float(distance) / _PLUGS_IN * 0.19 / 0.9, 38.0
        )  # since it was charged last; 0.19 kWh/km, 90 % arrives
        begin = max(rhythm.back + 300, 23 * _H if traits.tariff.has_night else 0)
        if is_plugged:
            runs[DeviceKind.EV_CHARGER] = [(begin, [(kwh / 7.2 * _H, 7200.0)])]
    return runs


def _as_planned(runs: _Runs, sky: Sky, planned: Mapping[DeviceKind, Sequence[Meant]]) -> _Runs:
    """Return the uses of a day with the first of some kinds where plans have it, as far as it ends within the day."""
    found = dict(runs)
    for kind, meant in planned.items():
        if not (mine := runs.get(kind)):
            continue
        (habit, phases), *others = mine
        begin = _lived(sky.midnight + habit, meant, (sky.start, sky.end - _lasts(phases) - _H))
        found[kind] = _in_turn([*([] if begin is None else [(begin - sky.midnight, phases)]), *others])
    return found


def _lived(habit: int, meant: Sequence[Meant], possible: tuple[int, int]) -> int | None:
    """Return when a use begins of which one thing after the other was meant; None: not on that day.

    Each counts from when it is said, so that what has begun by then stays, and nothing begins before.
    """
    begin: int | None = habit
    for each in meant:
        if begin is not None and begin < each.since:
            break
        if each.begin is not None and max(possible[0], each.since) <= each.begin <= possible[1]:
            begin = each.begin
        else:
            begin = habit if habit >= each.since else None
    return begin


def _begins(rng: Generator, kind: DeviceKind, traits: Traits, rhythm: _Rhythm) -> list[int]:
    _chance, once, each, peaks = _USED[kind]
    n_uses = min(int(rng.poisson(once + each * traits.people)), _MOST_A_DAY)
    centre, spread = (np.array([peak[0][i] for peak in peaks]) for i in (0, 1))
    weights = np.array([weight for _peak, weight in peaks])
    drawn = rng.choice(len(peaks), n_uses, p=weights / weights.sum())
    begins = np.sort(_H * (centre[drawn] + spread[drawn] * rng.standard_normal(n_uses)))
    if rhythm.is_away:
        return []
    begins = np.clip(begins, rhythm.wake + 600, rhythm.sleep - 1200)
    if kind is DeviceKind.DISHWASHER and traits.tariff.has_night:
        begins = np.where(begins > 18 * _H, 23 * _H + 300, begins)
    elif kind not in _UNATTENDED:  # what would be done while out is done after coming home
        begins = np.where(rhythm.is_at_home(begins), begins, rhythm.back + 600 + 3 * (begins - rhythm.leave) / 10)
    return [int(begin) for begin in begins]


def _water(rng: Generator, traits: Traits, rhythm: _Rhythm) -> list[tuple[int, Phases]]:
    """Return when a tank is heated: after showers and dishes, and a little now and then for what it loses."""
    watts = 2400.0
    wanted = [(_H * (6 + 5.0 * place) + _H * float(rng.uniform(-1, 1)), 0.22) for place in range(5)]
    n_showers = 0 if rhythm.is_away else traits.people + 1
    for place in range(n_showers):
        near = rhythm.wake + 1200 * (place + 1) if rng.random() < _AT_DAWN else _H * 19.5 + 1800 * place
        wanted.append((near + float(rng.uniform(0, 900)), float(rng.uniform(0.6, 1.6))))
    return [(int(max(begin, 5.05 * _H)), [(kwh * 1000 / watts * _H, watts)]) for begin, kwh in wanted]


def _lasts(phases: Phases) -> int:
    return round(sum(seconds for seconds, _watts in phases))


def _in_turn(runs: list[tuple[int, Phases]]) -> list[tuple[int, Phases]]:
    """Return runs of which each begins after the one before has ended, and none after the day has."""
    free, found = 0, []
    for wanted, phases in sorted(runs, key=lambda run: run[0]):
        begin = max(wanted, free)
        free = begin + _lasts(phases) + 60
        if free <= _LONGEST_DAY - _H:  # an hour less where clocks change
            found.append((begin, phases))
    return found


def _use(kind: DeviceKind, sky: Sky, begin: int, phases: Phases) -> Use:
    edges, watts = laid_out(sky.midnight + begin, phases, sky.end)
    kwh = float(Steps.of(edges, watts).kwh(edges[[0, -1]])[0])
    return Use(kind, int(edges[0]), int(edges[-1]), kwh)


def _steps(sky: Sky, runs: list[tuple[int, Phases]], standby: float) -> Steps:
    """Return the power of a device that stands by between its uses."""
    edges, watts = [np.array([sky.start], np.int64)], []
    for begin, phases in runs:
        mine, drawn = laid_out(sky.midnight + begin, phases, sky.end)
        edges.append(mine)
        watts += [np.array([standby]), drawn]
    edges.append(np.array([sky.end], np.int64))
    return Steps.of(np.concatenate(edges), np.concatenate([*watts, [standby]]))


def _minute_edges(sky: Sky) -> Numbers:
    return np.arange(sky.start, sky.end + 1, 60)


def _minutes(sky: Sky, watts: Array) -> Steps:
    """Return powers of minutes as steps that are as few as they can be."""
    whole = np.rint(10 * watts).astype(np.int64)
    changes = np.flatnonzero(np.diff(whole, prepend=whole[0] - 1))
    return Steps(np.append(sky.start + 60 * changes, sky.end), whole[changes])


def _fridge(rng: Generator, traits: Traits, sky: Sky) -> Steps:
    warmth = float(np.clip((sky.temperature.mean() + 5) / 30, 0, 1))
    phases = compressor(rng, sky.end - sky.start, watts=traits.fridge_w, warmth=warmth)
    edges, watts = laid_out(sky.start, phases, sky.end)
    edges[-1] = sky.end
    return Steps.of(edges, watts)


def _lights(rng: Generator, traits: Traits, sky: Sky, is_active: BoolArray) -> Array:
    """Return what lamps draw: more rooms are lit the less the sun gives."""
    darkness = np.clip(1 - sky.sun / 90, 0, 1)
    rooms = np.repeat(rng.integers(1, 6, sky.n_minutes // 10) / 5, 10)
    return np.asarray(np.where(is_active, np.round(darkness * 5) / 5 * rooms * traits.lights_w, 0.0))


def _heat(traits: Traits, sky: Sky, is_home: BoolArray, is_awake: BoolArray) -> Array:
    """Return what a heat pump draws by the temperature outside; below a third of its power it switches on and off.

    The heat per power falls with the cold: 2.2 at -10, 4.2 at 12 degC; see Staffell et al., A review of domestic heat
    pumps, Energy Environ. Sci. 5 (2012), doi:10.1039/c2ee22653g.
    """
    wanted = np.where(is_home, np.where(is_awake, 20.5, 19.0), 17.0)
    heat = traits.heat_loss_kw_per_k * np.clip(wanted - 3.5 - sky.temperature, 0, None)  # 3.5 K by people and sun
    largest = 1000 * traits.heat_loss_kw_per_k * 12
    watts = np.minimum(1000 * heat / np.clip(3.1 + 0.09 * sky.temperature, 1.8, 4.5), largest)
    least, cycle = largest / 3, 30
    minute = np.arange(sky.n_minutes)
    of_cycle = watts.reshape(-1, cycle).mean(axis=1).repeat(cycle)
    is_on = minute % cycle < np.round(cycle * of_cycle / least)
    return np.asarray(12.0 + np.where(of_cycle >= least, watts, np.where(is_on, least, 0.0)))


def _cooling(traits: Traits, sky: Sky, is_home: BoolArray) -> Array:
    """Return what an air conditioner draws: full power for the part of each quarter of an hour that the heat asks."""
    share = np.where(is_home, np.clip((sky.temperature - 23.5) / 9, 0, 1), 0.0).reshape(-1, 15).mean(axis=1).repeat(15)
    is_on = np.arange(sky.n_minutes) % 15 < np.round(15 * share)
    return np.where(is_on, 700.0 + 250 * traits.people, 2.0)


def _solar(rng: Generator, traits: Traits, sky: Sky) -> Array:
    """Return what the roof gives: sunshine by the minute, less where cells are hot, cut at the inverter's power."""
    passing = np.convolve(rng.standard_normal(sky.n_minutes + 8), np.full(9, 1 / 3), mode="valid")
    sun = sky.sun * np.clip(1 + 0.09 * passing, 0.25, 1.25)
    heat = 1 - 0.004 * (sky.temperature + sun * 0.028 - 25)  # IEC 61215: cells some 28 K above the air in full sun
    return np.asarray(np.minimum(0.92 * traits.solar_kwp * sun * heat, 900 * traits.solar_kwp))


def _battery(traits: Traits, net: Array) -> Array:
    """Return what a battery takes (gives: negative) so that little flows through the meter.

    It follows the minute before. What is left at 02:00 it gives away until 05:00, so that no day depends on another.
    """
    most, room, held = 400.0 * traits.battery_kwh, 60_000.0 * traits.battery_kwh, 0.0  # [W], [W min], [W min]
    kept, n_emptying = 0.95, 180
    found = []
    before = 0.0
    first_emptied = len(net) - n_emptying
    for minute, flow in enumerate(net.tolist()):
        power = max(-most, min(most, -before))
        if minute >= first_emptied:
            power = -held * kept / (len(net) - minute)
        elif power > 0:
            power = min(power, (room - held) / kept)
        else:
            power = max(power, -held * kept)
        held = max(0.0, held + (power * kept if power > 0 else power / kept))
        found.append(power)
        before = flow
    return np.array(found)
