"""What runs that were done have cost, and what the same energy would have cost at other times: runs, days, months.

Each run is moved alone, all else in the home as it was, so what it costs is what the bill had been less without it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.window import HOUR, Window, local_day, local_midnight
from watthour.planning.account import grid_account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from watthour.core.assets import Array, Steps

Kind = Literal["appliance", "car", "battery", "all"]
By = Literal["run", "day", "month"]
_TOLERANCE = 1e-9
_MONTH_AND_MORE = timedelta(days=31)


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What a kWh cost, earned and emitted in each step, and what the home drew, as it turned out; NaN: not known."""

    start: datetime
    step: timedelta
    import_price: Array  # (n,) [currency/kWh]
    export_price: Array  # (n,) [currency/kWh]
    carbon: Array  # (n,) of the import [gCO2e/kWh]
    net_kw: Array | None = None  # (n,) drawn less fed in; None: the home feeds nothing in

    @property
    def hours(self) -> float:
        """Length of a step [h]."""
        return self.step / HOUR

    def place(self, instant: datetime) -> float:
        """Return how many steps after their start an instant is."""
        return (instant - self.start) / self.step

    def time(self, place: int) -> datetime:
        """Return when a step begins."""
        return self.start + place * self.step


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """How the energy of a run adds up: ``kwh`` at each of the ``hours`` since it began, both from zero on."""

    hours: Array  # (k,) increasing
    kwh: Array  # (k,)

    @classmethod
    def even(cls, duration: timedelta, kwh: float) -> Course:
        """Return a run of the same power throughout."""
        return cls(np.array([0.0, duration / HOUR]), np.array([0.0, kwh]))

    @property
    def duration(self) -> timedelta:
        """How long it takes."""
        return timedelta(hours=float(self.hours[-1]))

    @property
    def most_kw(self) -> float:
        """The highest power in it."""
        lengths = np.diff(self.hours)
        return float((np.diff(self.kwh)[lengths > 0] / lengths[lengths > 0]).max())


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """A run that was done. ``course`` is None where its energy is not known."""

    kind: Kind
    name: str
    device: str | None
    start: datetime
    end: datetime
    course: Course | None
    is_estimated: bool = False
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """When a run could have been: what the plans that held it, and the habit before them, say."""

    planned_start: datetime | None  # by the plan in force when it began
    at_once: datetime  # as soon as it could
    deadline: datetime | None = None  # None: nobody said when it must have ended
    usual: datetime | None = None  # when the device usually began; None: not known
    most_kw: float | None = None  # of what may pause: at once it goes on with this power; None: its course is kept
    is_planned: bool = True  # False: no plan held it


@dataclass(frozen=True, slots=True)
class Compared:
    """The same energy at another time; None: not known."""

    start: datetime | None
    cost: float | None
    carbon_kg: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A run in the ledger, or the sum of several; None: not known."""

    kind: Kind
    name: str | None
    device: str | None
    day: date
    start: datetime
    end: datetime
    planned_start: datetime | None
    energy_kwh: float | None
    cost: float | None
    carbon_kg: float | None
    at_once: Compared
    usual: Compared | None
    saved_money: float | None
    saved_carbon_kg: float | None
    saved_usual_money: float | None
    saved_usual_carbon_kg: float | None
    shifted_kwh: float | None
    regret_money: float | None
    regret_carbon_kg: float | None
    captured: float | None = None  # share of the most money that could have been saved [-]
    is_estimated: bool = False
    remark: str | None = None
    n_runs: int = 1
    n_planned: int = 0
    n_priced: int = 0
    n_with_carbon: int = 0
    n_with_usual: int = 0


def run_entry(run: Done, wish: Wish, figures: Figures, time_zone: str) -> Entry:
    """Return what a run cost and emitted, beside begun at once and as usual, and the best there was.

    Args:
        run: as it was done.
        wish: when it could have been.
        figures: of a span that holds all of these times; outside it nothing is known.
        time_zone: whose days are told.
    """
    day = run.start.astimezone(ZoneInfo(time_zone)).date()
    if run.course is None:
        nothing = Compared(wish.at_once, None, None)
        usual = None if wish.usual is None else Compared(wish.usual, None, None)
        return _entry(run, wish, day, None, (None, None), nothing, usual)
    ledger = _Moved(figures, run.course, run.start)
    course = run.course if wish.most_kw is None else _at_full_power(run.course, wish.most_kw)
    done = ledger.cost(run.course, run.start)
    is_as_done = wish.at_once == run.start and wish.most_kw is None
    at_once = done if is_as_done else ledger.cost(course, wish.at_once)
    usual = None if wish.usual is None else Compared(wish.usual, *ledger.cost(course, wish.usual))
    entry = _entry(run, wish, day, float(run.course.kwh[-1]), done, Compared(wish.at_once, *at_once), usual)
    shifted = 0.0 if is_as_done else ledger.apart(course, wish.at_once)
    money, carbon = _regrets(ledger, wish, done)
    entry = replace(entry, shifted_kwh=shifted, regret_money=money, regret_carbon_kg=carbon)
    return replace(entry, captured=_captured([entry]))


def battery_entry(
    name: str,
    device: str | None,
    day: date,
    power_kw: Array,
    figures: Figures,
    time_zone: str,
    *,
    is_planned: bool = True,
) -> Entry:
    """Return what a battery added to the bill of a local day, beside one at rest.

    Args:
        name: of the battery.
        device: its device.
        day: local.
        power_kw: (n,) of each step of the figures; negative where it gives; NaN: not known.
        figures: with what the home drew, without which nothing is known.
        time_zone: of the home.
        is_planned: whether there was a plan as the day began; without one it is compared with itself.
    """
    span = local_day(day, time_zone)
    first, after = round(figures.place(span.start)), round(figures.place(span.end))
    steps = slice(max(first, 0), max(after, 0))
    power = power_kw[steps]
    has_all = len(power) == after - first and not np.isnan(power).any()
    charged = float(np.maximum(power, 0.0).sum() * figures.hours) if has_all else None
    given = float(np.maximum(-power, 0.0).sum() * figures.hours) if has_all else None
    run = Done("battery", name, device, span.start, span.end, None)
    cost: float | None = None
    carbon: float | None = None
    if figures.net_kw is not None and has_all:
        rest = figures.net_kw[steps] - power
        prices = figures.import_price[steps], figures.export_price[steps], figures.carbon[steps]
        with_it = grid_account(figures.net_kw[steps], *prices, figures.hours)
        without = grid_account(rest, *prices, figures.hours)
        is_moved = power != 0.0
        cost, carbon = (_known((a - b)[is_moved].sum()) for a, b in zip(with_it, without, strict=True))
    other = Compared(None, cost, carbon)
    if is_planned:
        other = Compared(None, None if cost is None else 0.0, None if carbon is None else 0.0)
    wish = Wish(None, span.start, is_planned=is_planned)
    entry = _entry(run, wish, day, charged, (cost, carbon), other, None)
    shifted = given if is_planned or given is None else 0.0
    return replace(entry, shifted_kwh=shifted, remark=None if has_all else "Some of its readings are missing.")


def summed(entries: Sequence[Entry], window: Window, day: date) -> Entry:
    """Return the sum of runs; what is not known of one of them is left out on both sides of a comparison."""
    priced = [each for each in entries if each.saved_money is not None]
    weighed = [each for each in entries if each.saved_carbon_kg is not None]
    usual = [each for each in entries if each.saved_usual_money is not None]
    usual_kg = [each for each in entries if each.saved_usual_carbon_kg is not None]
    by_habit = Compared(
        None,
        _sum(each.usual.cost for each in usual if each.usual is not None),
        _sum(each.usual.carbon_kg for each in usual_kg if each.usual is not None),
    )
    return Entry(
        "all",
        None,
        None,
        day,
        window.start,
        window.end,
        None,
        _sum(each.energy_kwh for each in entries),
        _sum(each.cost for each in priced),
        _sum(each.carbon_kg for each in weighed),
        Compared(None, _sum(each.at_once.cost for each in priced), _sum(each.at_once.carbon_kg for each in weighed)),
        by_habit if usual or usual_kg else None,
        _sum(each.saved_money for each in priced),
        _sum(each.saved_carbon_kg for each in weighed),
        _sum(each.saved_usual_money for each in usual),
        _sum(each.saved_usual_carbon_kg for each in usual_kg),
        _sum(each.shifted_kwh for each in entries),
        _sum(each.regret_money for each in entries),
        _sum(each.regret_carbon_kg for each in entries),
        captured=_captured(entries),
        is_estimated=any(each.is_estimated for each in entries),
        n_runs=sum(each.n_runs for each in entries),
        n_planned=sum(each.n_planned for each in entries),
        n_priced=sum(each.n_priced for each in entries),
        n_with_carbon=sum(each.n_with_carbon for each in entries),
        n_with_usual=sum(each.n_with_usual for each in entries),
    )


def rows_by(entries: Sequence[Entry], by: By, time_zone: str) -> list[Entry]:
    """Return the entries themselves, or their sums of each local day or month on which one began, oldest first."""
    ordered = sorted(entries, key=lambda each: (each.start, each.name or ""))
    if by == "run":
        return ordered
    groups: dict[date, list[Entry]] = {}
    for each in ordered:
        groups.setdefault(each.day if by == "day" else each.day.replace(day=1), []).append(each)
    return [summed(group, _span(day, by, time_zone), day) for day, group in groups.items()]


def _span(day: date, by: By, time_zone: str) -> Window:
    if by == "day":
        return local_day(day, time_zone)
    after = (day + _MONTH_AND_MORE).replace(day=1)
    return Window(local_midnight(day, time_zone), local_midnight(after, time_zone))


@dataclass(frozen=True, slots=True)
class _Moved:
    """The bill of the home with a run at other times."""

    figures: Figures
    done: Course
    done_at: datetime

    def power(self, course: Course, start: datetime) -> tuple[int, Array]:
        """Return the first step of a run that begins at an instant, and its power from there on [kW]."""
        begin = self.figures.place(start)
        first = math.floor(begin + _TOLERANCE)
        places = course.hours / self.figures.hours + (begin - first)
        n_steps = max(math.ceil(float(places[-1]) - _TOLERANCE), 1)
        return first, np.diff(np.interp(np.arange(n_steps + 1), places, course.kwh)) / self.figures.hours

    def cost(self, course: Course, start: datetime) -> tuple[float | None, float | None]:
        """Return what a run that begins at an instant adds to the bill, and to the carbon; None: not known."""
        first, power = self.power(course, start)
        money, carbon = self.costs(np.array([first]), power)
        return _known(money[0]), _known(carbon[0])

    def begun(self, start: datetime) -> tuple[Steps, Array]:
        """Return the first step of the run, were it begun at an instant, and its power from there on [kW]."""
        first, power = self.power(self.done, start)
        return np.array([first]), power

    def costs(self, firsts: Steps, power: Array) -> tuple[Array, Array]:
        """Return what a run adds for each of the steps in which its power may begin; NaN: not known."""
        places = firsts[:, None] + np.arange(len(power))
        n_steps = len(self.figures.import_price)
        is_inside = (places >= 0) & (places < n_steps)
        held = np.clip(places, 0, n_steps - 1)
        prices = [
            np.where(is_inside, each[held], np.nan)
            for each in (self.figures.import_price, self.figures.export_price, self.figures.carbon)
        ]
        rest = self.rest(held)
        with_it = grid_account(rest + power, prices[0], prices[1], prices[2], self.figures.hours)
        without = grid_account(rest, prices[0], prices[1], prices[2], self.figures.hours)
        is_used = power != 0.0
        money, carbon = ((a - b)[:, is_used].sum(axis=1) for a, b in zip(with_it, without, strict=True))
        return money, carbon

    def rest(self, places: Steps) -> Array:
        """Return what the home drew in some steps without the run [kW]; zero where it feeds nothing in."""
        if self.figures.net_kw is None:
            return np.zeros(places.shape)
        first, power = self.power(self.done, self.done_at)
        own = np.zeros(len(self.figures.net_kw))
        kept = slice(max(first, 0), max(min(first + len(power), len(own)), 0))
        own[kept] = power[kept.start - first : kept.stop - first]
        return np.asarray((self.figures.net_kw - own)[places])

    def apart(self, course: Course, start: datetime) -> float:
        """Return the energy that was used at another time than by a course that begins at an instant [kWh]."""
        (first, power), (done_first, done) = self.power(course, start), self.power(self.done, self.done_at)
        begin = min(first, done_first)
        both = np.zeros((2, max(first + len(power), done_first + len(done)) - begin))
        both[0, first - begin : first - begin + len(power)] = power
        both[1, done_first - begin : done_first - begin + len(done)] = done
        return float(np.maximum(both[0] - both[1], 0.0).sum() * self.figures.hours)


def _at_full_power(course: Course, most_kw: float) -> Course:
    """Return the same energy without a pause, at full power."""
    kwh = float(course.kwh[-1])
    return Course.even(timedelta(hours=kwh / most_kw), kwh) if kwh > 0 else course


def _regrets(ledger: _Moved, wish: Wish, done: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """Return by how much the best time within its bounds was better, in money and in carbon; None: not known."""
    if wish.deadline is None or wish.deadline <= wish.at_once:
        return None, None
    if wish.most_kw is not None:
        best = _best_with_pauses(ledger, wish.most_kw, Window(wish.at_once, wish.deadline))
    else:
        best = _best_start(ledger, wish.at_once, wish.deadline)
    money, carbon = (
        None if was is None or other is None else max(was - other, 0.0) for was, other in zip(done, best, strict=True)
    )
    return money, carbon


def _best_start(ledger: _Moved, earliest: datetime, deadline: datetime) -> tuple[float | None, float | None]:
    """Return the least that a run can cost and emit that begins or ends with a step, or at one of its bounds."""
    figures, course, last = ledger.figures, ledger.done, deadline - ledger.done.duration
    if last < earliest:
        return None, None
    begins_with_a_step = figures.time(math.ceil(figures.place(earliest)))
    ends_with_a_step = figures.time(math.ceil(figures.place(earliest + course.duration))) - course.duration
    found = [ledger.costs(*ledger.begun(earliest)), ledger.costs(*ledger.begun(last))]
    for begin in (begins_with_a_step, ends_with_a_step):
        if begin <= last:
            firsts, power = ledger.begun(begin)
            found.append(ledger.costs(firsts + np.arange((last - begin) // figures.step + 1), power))
    costs = (np.concatenate(each) for each in zip(*found, strict=True))
    money, carbon = (None if np.isnan(each).any() else float(each.min()) for each in costs)
    return money, carbon


def _best_with_pauses(ledger: _Moved, most_kw: float, window: Window) -> tuple[float | None, float | None]:
    """Return the least that the energy of a run can cost and emit within bounds, with any power up to the most.

    The sun that would be fed in comes first in each step and is worth its export price; the rest is drawn.
    """
    figures = ledger.figures
    begin, end = figures.place(window.start), figures.place(window.end)
    places = np.arange(math.floor(begin + _TOLERANCE), math.ceil(end - _TOLERANCE))
    if places[0] < 0 or places[-1] >= len(figures.import_price):
        return None, None
    room = most_kw * figures.hours * (np.minimum(places + 1, end) - np.maximum(places, begin))
    sun = np.minimum(np.maximum(-ledger.rest(places), 0.0) * figures.hours, room)
    kwh, nothing = float(ledger.done.kwh[-1]), np.zeros(len(places))
    money = _cheapest(kwh, sun, room - sun, figures.export_price[places], figures.import_price[places])
    carbon = _cheapest(kwh, sun, room - sun, nothing, figures.carbon[places])
    return money, None if carbon is None else carbon / 1000.0


def _cheapest(kwh: float, sun: Array, drawn: Array, sun_price: Array, price: Array) -> float | None:
    """Return the least that some energy costs; None: a price is not known, or it does not fit in."""
    sun_price = np.where(sun > 0.0, np.minimum(sun_price, np.where(drawn > 0.0, price, np.inf)), 0.0)
    rooms, prices = np.concatenate([sun, drawn]), np.concatenate([sun_price, np.where(drawn > 0.0, price, 0.0)])
    if np.isnan(rooms).any() or np.isnan(prices).any() or rooms.sum() < kwh * (1 - 1e-6):
        return None
    order = np.argsort(prices, kind="stable")
    left = kwh - np.concatenate([[0.0], np.cumsum(rooms[order])[:-1]])
    return float((np.clip(left, 0.0, rooms[order]) * prices[order]).sum())


def _captured(entries: Sequence[Entry]) -> float | None:
    """Return which share was saved of what could have been, of runs whose regret is known; None: nothing could."""
    pairs = [(each.saved_money, each.regret_money) for each in entries if each.n_planned]
    known = [(saved, regret) for saved, regret in pairs if saved is not None and regret is not None]
    saved, most = math.fsum(each[0] for each in known), math.fsum(sum(each) for each in known)
    return saved / most if most > _TOLERANCE else None


def _entry(
    run: Done,
    wish: Wish,
    day: date,
    kwh: float | None,
    done: tuple[float | None, float | None],
    at_once: Compared,
    usual: Compared | None,
) -> Entry:
    cost, carbon = done
    saved, saved_kg = _less(at_once.cost, cost), _less(at_once.carbon_kg, carbon)
    by_habit = None if usual is None else _less(usual.cost, cost)
    return Entry(
        run.kind,
        run.name,
        run.device,
        day,
        run.start.astimezone(UTC),
        run.end.astimezone(UTC),
        wish.planned_start,
        kwh,
        cost,
        carbon,
        at_once,
        usual,
        saved,
        saved_kg,
        by_habit,
        None if usual is None else _less(usual.carbon_kg, carbon),
        None,
        None,
        None,
        is_estimated=run.is_estimated,
        remark=run.remark,
        n_planned=int(wish.is_planned),
        n_priced=int(saved is not None),
        n_with_carbon=int(saved_kg is not None),
        n_with_usual=int(by_habit is not None),
    )


def _less(other: float | None, cost: float | None) -> float | None:
    return None if other is None or cost is None else other - cost


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _sum(values: Iterable[float | None]) -> float | None:
    """Return the sum of what is known; None where nothing is."""
    known = [each for each in values if each is not None]
    return math.fsum(known) if known else None
