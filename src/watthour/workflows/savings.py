"""What plans have saved in a home: runs that were done, at published prices and measured carbon."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.channel import DeviceKind
from watthour.core.errors import InvalidInput
from watthour.core.loads import main_load
from watthour.core.window import DAY, Window, floor, local_day, local_instant, local_midnight
from watthour.insights.runs import usual_clock
from watthour.planning.ledger import Figures, Wish, battery_entry, rows_by, run_entry, summed
from watthour.workflows.carbon_series import carbon_at, no_carbon_words
from watthour.workflows.device_runs import device_runs
from watthour.workflows.equipment import HomeCar, device_of, equipment_of
from watthour.workflows.homes import channels_of, devices_of
from watthour.workflows.kept_tariffs import one_currency, tariffs_over
from watthour.workflows.ledger_runs import Thing, device_kw, runs_done
from watthour.workflows.planned_runs import first_plan_at, of_thing, planned_runs
from watthour.workflows.step_means import step_means
from watthour.workflows.tariffs import LONGEST_BILL, meter_of, metered_kw, past_prices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from watthour.core.assets import Array
    from watthour.core.channel import Device, Site
    from watthour.core.ports import Store
    from watthour.planning.ledger import By, Done, Entry
    from watthour.planning.tariffs import Tariff
    from watthour.workflows.carbon_series import CarbonSeries
    from watthour.workflows.equipment import Equipment, EquipmentFile, HomeAppliance, HomeBattery
    from watthour.workflows.kept_tariffs import Tariffs
    from watthour.workflows.ledger_runs import Matched

STEP = timedelta(minutes=15)
_AROUND = 3 * DAY  # before and after, in which a run could have been instead
_LEAST_SHARE = 0.25  # of the energy of a run that is said, which one that was planned uses at least
_HABIT = 112 * DAY  # before the first plan, whose runs tell the habit


@dataclass(frozen=True, slots=True)
class Savings:
    """The ledger of a home over some time."""

    window: Window
    currency: str
    carbon: CarbonSeries | None  # whose figures are counted; None: nobody tells any
    by: By
    rows: tuple[Entry, ...]
    total: Entry
    remarks: tuple[str, ...]


def home_savings(
    store: Store,
    tariffs: Tariffs,
    equipment_file: EquipmentFile,
    home: Site,
    window: Window,
    *,
    by: By = "run",
    now: datetime,
) -> Savings:
    """Return what the runs of a home that began in a window cost, beside the same energy at other times.

    Args:
        store: with plans, readings and uses, prices and carbon.
        tariffs: of all homes.
        equipment_file: what homes have.
        home: which.
        window: of the begin of a run; batteries are told of by whole local days.
        by: what a row is.
        now: the present; what is not over is left out.

    Raises:
        UnknownName: the home has no tariff or no equipment.
        InvalidInput: the time is too long, lies ahead, or is paid in two currencies.
    """
    if window.start >= now or window.end - window.start > LONGEST_BILL:
        remedy = f"Ask for past days, at most {LONGEST_BILL.days} of them."
        raise InvalidInput("start", window.start.isoformat(), "the time lies ahead, or is too long", remedy=remedy)
    window = Window(window.start, min(window.end, now))
    work = _Work.of(store, tariffs, equipment_file, home, window, now)
    entries = [*work.of_runs(), *work.of_batteries()]
    zone = home.place.time_zone
    day = window.start.astimezone(ZoneInfo(zone)).date()
    total = summed(entries, window, day)
    remarks = (*work.remarks, *_left_out(entries, has_carbon=work.carbon is not None))
    return Savings(
        window, work.tariff.currency, work.carbon, by, tuple(rows_by(entries, by, zone)), total, tuple(remarks)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """What a ledger is made from."""

    store: Store
    home: Site
    window: Window
    now: datetime
    tariff: Tariff
    equipment: Equipment
    figures: Figures
    carbon: CarbonSeries | None
    first_plan: datetime | None  # when it was made; None: there is none
    remarks: list[str]

    @classmethod
    def of(
        cls, store: Store, tariffs: Tariffs, equipment_file: EquipmentFile, home: Site, window: Window, now: datetime
    ) -> _Work:
        spans = tariffs_over(tariffs, home, window, STEP)
        tariff, equipment, currency = spans[-1][1], equipment_of(equipment_file, home), one_currency(spans, home)
        around = Window(floor(window.start - _AROUND, STEP), floor(window.end + _AROUND, STEP) + STEP)
        found = past_prices(store, tariffs, home, around, STEP, now=now, currency=currency)
        carbon = carbon_at(store, home)
        remarks = list(found.remarks)
        net = _net_kw(store, home, tariff, equipment, around, now, remarks)
        grams = (
            np.full(len(found.import_), np.nan)
            if carbon is None
            else step_means(store, carbon.channel, around, STEP, now)
        )
        figures = Figures(around.start, STEP, found.import_, found.export, grams, net)
        if carbon is None:
            remarks.append(f"{no_carbon_words(store, home)} So no CO2 is counted.")
        if tariff.demand is not None:
            remarks.append("What the month's peak costs is not counted: it is of no single run.")
        first_plan = first_plan_at(store, home.id, now)
        return cls(store, home, window, now, tariff, equipment, figures, carbon, first_plan, remarks)

    def of_runs(self) -> Iterator[Entry]:
        """Yield the runs of appliances and cars that were done."""
        planned = planned_runs(self.store, self.home.id, self.window)
        zone = self.home.place.time_zone
        things: dict[str, list[Thing]] = {}  # by device: several programmes of one machine share its runs
        named: tuple[HomeAppliance | HomeCar, ...] = (*self.equipment.appliances, *self.equipment.cars)
        for said in named:
            device = device_of(self.store, self.home, said.device)
            if device is None:
                self.remarks.append(f"Nothing tells when {said.name} ran: it names no device, or one that is gone.")
                continue
            things.setdefault(device.id, []).append(_thing(said, device))
        for shared in things.values():
            device, by_name = shared[0].device, {each.name: each for each in shared}
            mine = of_thing(planned, device.id, by_name)
            machine = replace(shared[0], least_kwh=min(each.least_kwh for each in shared))
            matches = runs_done(self.store, self.home, machine, mine, self.window, now=self.now)
            clock = self._usual(device) if any(each.planned for each in matches) else None
            for match in matches:
                thing = shared[0] if match.planned is None else by_name.get(match.planned.name, shared[0])
                wish = _wish(match, thing, clock, zone)
                done = replace(match.done, kind=thing.kind, name=thing.name)
                done = replace(done, remark=done.remark or _meant(done, wish, zone))
                yield run_entry(done, wish, self.figures, zone)
        if self.equipment.heats:
            names = ", ".join(each.name for each in self.equipment.heats)
            self.remarks.append(f"What shifting heat saves is not counted ({names}).")

    def of_batteries(self) -> Iterator[Entry]:
        """Yield the whole local days of batteries."""
        if not self.equipment.batteries:
            return
        zone = self.home.place.time_zone
        whole = Window(self.figures.start, self.figures.time(len(self.figures.import_price)))
        for battery in self.equipment.batteries:
            device = _device_of_battery(self.store, self.home, battery)
            power = None if device is None else device_kw(self.store, self.home, device, whole, STEP, now=self.now)
            if device is None or power is None:
                self.remarks.append(f"No readings tell what {battery.name} takes and gives.")
                continue
            for day in _whole_days(self.window, zone):
                is_planned = self.first_plan is not None and self.first_plan <= local_midnight(day, zone)
                yield battery_entry(battery.name, device.id, day, power, self.figures, zone, is_planned=is_planned)

    def _usual(self, device: Device) -> float | None:
        """Return the local hour at which a device usually began before there were plans."""
        if self.first_plan is None:
            return None
        before = Window(self.first_plan - _HABIT, self.first_plan)
        runs = device_runs(self.store, self.home, device, before, now=self.now).runs
        zone = ZoneInfo(self.home.place.time_zone)
        local = [each.start.astimezone(zone) for each in runs]
        return usual_clock(np.array([each.hour + each.minute / 60 for each in local]))


def _thing(said: HomeAppliance | HomeCar, device: Device) -> Thing:
    if isinstance(said, HomeCar):
        return Thing("car", said.name, device, can_pause=True, most_kw=said.max_charge_kw)
    most_kw = max(said.profile_kw) if said.is_interruptible else None
    least_kwh = 0.0 if said.is_interruptible else _LEAST_SHARE * said.energy_kwh
    return Thing("appliance", said.name, device, said.is_interruptible, most_kw, least_kwh)


def _wish(match: Matched, thing: Thing, clock: float | None, time_zone: str) -> Wish:
    """Return when a run could have been; of one that no plan let begin, such as one that was skipped: when it was."""
    done, planned = match.done, match.planned
    if planned is None or planned.start_in_force(done.start) is None:
        return Wish(None, done.start, is_planned=False)
    at_once = min(planned.at_once, done.start)
    usual = None if clock is None else _nearest(clock, at_once, time_zone)
    most_kw = thing.most_kw
    if most_kw is not None and done.course is not None:
        most_kw = max(most_kw, done.course.most_kw)
    return Wish(planned.start_in_force(done.start), at_once, planned.deadline, usual, most_kw)


def _meant(done: Done, wish: Wish, time_zone: str) -> str | None:
    """Say what "at once" means for a car that began later than that, as it may have come later."""
    if done.kind != "car" or not wish.is_planned or wish.at_once >= done.start:
        return None
    clock = wish.at_once.astimezone(ZoneInfo(time_zone))
    return f"At once means from {clock:%H:%M} on, when the plan expected it: nothing tells when it came."


def _nearest(clock: float, instant: datetime, time_zone: str) -> datetime:
    """Return when the local clock shows an hour closest to an instant."""
    minutes = round(clock * 60) % (24 * 60)
    day = instant.astimezone(ZoneInfo(time_zone)).date()
    shown = [local_instant(day + n * DAY, time(minutes // 60, minutes % 60), time_zone) for n in (-1, 0, 1)]
    return min(shown, key=lambda each: abs(each - instant))


def _whole_days(window: Window, time_zone: str) -> Iterator[date]:
    """Yield the local days that lie in a window from begin to end."""
    day = window.start.astimezone(ZoneInfo(time_zone)).date()
    while (span := local_day(day, time_zone)).end <= window.end:
        if span.start >= window.start:
            yield day
        day += DAY


def _device_of_battery(store: Store, home: Site, said: HomeBattery) -> Device | None:
    """Return the device that a battery is: the one it names, that of its channel, or the only battery there is."""
    if said.device is not None:
        return device_of(store, home, said.device)
    devices = [each for each in devices_of(store, home) if each.kind is DeviceKind.BATTERY]
    by_channel = [each.device for each in channels_of(store, home) if each.id == said.channel]
    found = [each for each in devices if each.id in by_channel] or devices
    return found[0] if len(found) == 1 else None


def _net_kw(
    store: Store, home: Site, tariff: Tariff, equipment: Equipment, window: Window, now: datetime, remarks: list[str]
) -> Array | None:
    """Return what a home drew less what it fed in; None: it feeds nothing in, so that each kWh is drawn.

    Where it may feed in and nothing meters it, nothing is known.
    """
    kinds = {each.kind for each in devices_of(store, home)}
    feeds_in = bool(kinds & {DeviceKind.SOLAR, DeviceKind.BATTERY} or equipment.batteries or equipment.solar)
    named = tariff.drawn.meter is not None
    meter = meter_of(store, home, tariff.drawn) if named else main_load(home, channels_of(store, home))
    if meter is None:
        if not feeds_in:
            return None
        remarks.append("Nothing meters the home, so it is not known what its own sun or battery gave a run.")
        return np.full((window.end - window.start) // STEP, np.nan)
    net = metered_kw(store, meter, window, STEP, now)
    if tariff.fed_in is not None and tariff.fed_in.meter is not None:
        fed_in = metered_kw(store, meter_of(store, home, tariff.fed_in), window, STEP, now)
        return np.asarray(np.maximum(net, 0.0) - np.maximum(fed_in, 0.0))
    return net if feeds_in or bool((net < 0.0).any()) else None


def _left_out(entries: Sequence[Entry], *, has_carbon: bool) -> Iterator[str]:
    """Yield how many runs were in no plan, and how many are in no sum, and why."""
    what = f"of {len(entries):,} runs and days of batteries"
    if unplanned := sum(not each.n_planned for each in entries):
        yield f"{unplanned:,} {what} were in no plan: they are compared with themselves, and nothing is saved by them."
    unmetered = sum(each.energy_kwh is None for each in entries)
    unpriced = sum(each.energy_kwh is not None and each.saved_money is None for each in entries)
    uncounted = sum(each.energy_kwh is not None and each.saved_carbon_kg is None for each in entries)
    for n, words in (
        (unmetered, "what it used is not known"),
        (unpriced, "a price, or what the home drew, is not known"),
        (uncounted if has_carbon else 0, "the carbon intensity, or what the home drew, is not known"),
    ):
        if n:
            yield f"{n:,} {what}: {words}, so they are not in the sums."
