"""What is told others of a home: its hours ahead, price and carbon now, totals of the month and the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.bulletin import Bulletin, Entry, Matter
from watthour.core.errors import InvalidInput, NotEnoughHistory, WatthourError
from watthour.core.frames import Maker
from watthour.core.loads import main_load
from watthour.core.names import id_for
from watthour.core.quality import is_trusted
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import DAY, HOUR, Window, floor, local_midnight
from watthour.workflows.carbon_series import carbon_at
from watthour.workflows.equipment import equipment_of
from watthour.workflows.home_plan_content import plan_told
from watthour.workflows.homes import homes
from watthour.workflows.kept_tariffs import tariff_of
from watthour.workflows.step_means import step_means
from watthour.workflows.tariffs import home_bill, home_prices, meter_of, metered_kwh, metered_steps
from watthour.workflows.view.wire import utc_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import ModelRegistry, Store
    from watthour.planning.prices import Array, Mask
    from watthour.workflows.carbon_series import CarbonSeries
    from watthour.workflows.home_plan import HomePlanner
    from watthour.workflows.kept_tariffs import Tariffs
    from watthour.workflows.saved_so_far import SavedSoFar

LONGEST_SILENCE = timedelta(hours=12)  # of a forecast, and of what carbon intensity is known
PRICE_HOURS = 36
_FINEST = timedelta(minutes=15)  # step of prices: with more of them Home Assistant keeps none
_CARBON_AHEAD = 2 * DAY
_DIGITS = 4
_BEGUN = frozenset({"running", "done"})
_WATCHED = ("id", "start", "end", "energy_kwh", "cost", "carbon_kg", "reason", "state", "deadline")


@dataclass(frozen=True, slots=True)
class Desk:
    """What bulletins are written from."""

    store: Store
    registry: ModelRegistry
    tariffs: Tariffs
    planner: HomePlanner
    saved: SavedSoFar


@dataclass(frozen=True, slots=True)
class Said:
    """What was found for an entry."""

    value: float | datetime | bool | None
    more: Mapping[str, object]
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Entries that are found together, or not at all."""

    blanks: tuple[Entry, ...]
    find: Callable[[], Mapping[str, Said]]

    @classmethod
    def unknown(cls, blank: Entry, error: WatthourError) -> Part:
        """Return an entry of which nothing is known, and why."""
        return cls((replace(blank, more={"why": str(error)}),), dict)

    def entries(self) -> tuple[Entry, ...]:
        """Return them; where they cannot be found they are unknown, and tell why."""
        try:
            found = self.find()
        except WatthourError as error:
            return tuple(replace(each, more={"why": str(error)}) for each in self.blanks)
        return tuple(
            each
            if (said := found.get(each.key)) is None
            else replace(each, value=said.value, more=said.more, run=said.run)
            for each in self.blanks
        )


def real_homes(store: Store) -> list[Site]:
    """Return the homes that others are told of: an invented one is none of them."""
    return [home for home in homes(store) if not home.is_simulated]


def home_bulletin(desk: Desk, home: Site, *, now: datetime) -> Bulletin:
    """Return all that is known of a home; what a home has no source of is no part of it.

    Raises:
        StoreError: the store cannot be read.
    """
    found = [entry for part in _parts(desk, home, now) for entry in part.entries()]
    return Bulletin(home.id, home.name, tuple(found))


def _parts(desk: Desk, home: Site, now: datetime) -> Iterator[Part]:
    store = desk.store
    main = main_load(home, [each for each in store.channels() if each.site == home.id])
    series = carbon_at(store, home)
    currency, trouble = _currency(desk, home, now)
    if trouble is not None:
        yield Part.unknown(Entry("price", "Price now", Matter.PRICE, None), trouble)
    since = _begin_of_month(home, now)
    if main is not None:
        yield Part(
            (
                Entry("power_next_hour", "Net power next hour", Matter.POWER_AHEAD, None),
                Entry("energy_rest_of_today", "Net energy rest of today", Matter.ENERGY_AHEAD, None),
                Entry("energy_tomorrow", "Net energy tomorrow", Matter.ENERGY_AHEAD, None),
            ),
            lambda: _ahead(store, home, main, now),
        )
    if currency is not None:
        blank = Entry("price", "Price now", Matter.PRICE, None, f"{currency}/kWh")
        yield Part((blank,), lambda: _price(desk, home, now))
    if series is not None:
        yield Part(
            (Entry("carbon", "Carbon now", Matter.CARBON, None, _unit_of(series)),),
            lambda: _carbon_now(store, series, now),
        )
    if main is not None:
        blank = Entry("energy_month", "Energy drawn this month", Matter.ENERGY, None, since=since)
        yield Part((blank,), lambda: _energy(store, main, since, now))
    if main is not None and currency is not None:
        blank = Entry("cost_month", "Cost this month", Matter.COST, None, currency, since)
        yield Part((blank,), lambda: _cost(desk, home, since, now))
    if main is not None and series is not None:
        blank = Entry("carbon_month", "CO2 of energy drawn this month", Matter.EMISSIONS, None, since=since)
        yield Part((blank,), lambda: _emissions(store, main, series, since, now))
    yield from _of_plans(desk, home, currency, since, now, has_carbon=series is not None)


def _currency(desk: Desk, home: Site, now: datetime) -> tuple[str | None, InvalidInput | None]:
    """Return in what a home pays, or what is wrong with its tariff; neither of one without a tariff."""
    try:
        has_tariff = desk.tariffs.term_at(home.id, now) is not None
        return (tariff_of(desk.tariffs, home, now).currency if has_tariff else None), None
    except InvalidInput as error:
        return None, error


def _of_plans(
    desk: Desk, home: Site, currency: str | None, since: datetime, now: datetime, *, has_carbon: bool
) -> Iterator[Part]:
    """Yield what is told of plans and of what they have saved, where there is equipment to plan."""
    try:
        if desk.planner.equipment_file.said(home.id) is None:
            return
    except InvalidInput as error:  # a file that is damaged stops no other news, of no home
        yield Part.unknown(Entry("plan", "Plan", Matter.PLAN, None), error)
        return
    if currency is not None:
        blanks = (
            Entry("saved_month", "Saved by plans this month", Matter.SAVING, None, currency, since),
            Entry("saved_carbon_month", "CO2 saved by plans this month", Matter.SAVED_EMISSIONS, None, since=since),
        )
        yield Part(blanks if has_carbon else blanks[:1], lambda: _saved(desk, home, since, now))
    yield _plan_part(desk, home, now)


def _plan_part(desk: Desk, home: Site, now: datetime) -> Part:
    """Return what is told of the plan; of equipment that cannot be read, why it cannot."""
    try:
        equipment = equipment_of(desk.planner.equipment_file, home)
    except InvalidInput as error:
        return Part.unknown(Entry("plan", "Plan", Matter.PLAN, None), error)
    things = [each.name for each in equipment.appliances] + [each.name for each in equipment.cars]
    return Part(plan_blanks(things), lambda: plan_entries(_plan_of(desk, home, now), now=now))


def _ahead(store: Store, home: Site, main: Channel, now: datetime) -> dict[str, Said]:
    """Return what of the last forecast is still to come."""
    zone = home.place.time_zone
    today = now.astimezone(ZoneInfo(zone)).date()
    midnight, end = local_midnight(today + DAY, zone), local_midnight(today + 2 * DAY, zone)
    course = _Kept.of(store, main, Window(floor(now, HOUR), end), now)
    if course.issued_at is None:
        problem = f"no forecast of {main.id} of the last {LONGEST_SILENCE // HOUR} hours is kept"
        raise NotEnoughHistory(problem, remedy="`watthour doctor` shows what it waits for.")
    hours = [
        {"start": utc_text(start), "value": _rounded(course.sum_of(Window(start, start + HOUR)))}
        for start in _hours(floor(now, HOUR), end)
    ]
    more = {"issued_at": utc_text(course.issued_at), "unit": "kW", "hours": hours}
    is_fine = main.resolution <= HOUR
    power = course.sum_of(Window(now, now + HOUR)) if is_fine else None
    return {
        "power_next_hour": Said(
            _rounded(power), more if is_fine else {"why": "the meter's steps are longer than an hour"}
        ),
        "energy_rest_of_today": Said(_rounded(course.sum_of(Window(now, midnight))), {}),
        "energy_tomorrow": Said(_rounded(course.sum_of(Window(midnight, end))), {}),
    }


@dataclass(frozen=True, slots=True)
class _Kept:
    """The newest forecast that is kept of each interval ahead, as an amount: energy, or an intensity times hours."""

    step: timedelta
    values: Mapping[datetime, float]  # by start of the interval
    issued_at: datetime | None  # None: there is none that is fresh

    @classmethod
    def of(cls, store: Store, channel: Channel, window: Window, now: datetime) -> _Kept:
        wide = Window(window.start - channel.resolution, window.end)
        rows = pl.DataFrame(
            store.forecasts([channel.id], wide, as_of=now, makers=[Maker.OWN], levels=[0.5], latest_issue=True)
        ).drop_nulls("value")
        rows = rows.filter(pl.col("issued_at") >= now - LONGEST_SILENCE).sort("issued_at")
        newest = rows.unique("time", keep="last", maintain_order=True)
        if newest.is_empty():
            return cls(channel.resolution, {}, None)
        factor = _per_interval(channel)
        values = dict(zip(newest["time"], (newest["value"] * factor).to_list(), strict=True))
        issued_at: datetime = newest["issued_at"].max()  # type: ignore[assignment]  # of instants
        return cls(channel.resolution, values, issued_at)

    def sum_of(self, window: Window) -> float | None:
        """Return the amount of a window; None where a part of it is not forecast."""
        total, covered = 0.0, timedelta()
        for start, value in self.values.items():
            overlap = min(start + self.step, window.end) - max(start, window.start)
            if overlap > timedelta():
                covered += overlap
                total += value * (overlap / self.step)
        return total if covered == window.end - window.start else None


def _per_interval(channel: Channel) -> float:
    """Return what makes energy [kWh] of a load's value, and of another value its product with the hours."""
    hours = channel.resolution / HOUR
    if not channel.is_load:
        return hours
    is_energy = channel.quantity is Quantity.ENERGY
    factor, _offset = conversion(channel.unit, Unit.KWH if is_energy else Unit.KW)
    return factor if is_energy else factor * hours


def _price(desk: Desk, home: Site, now: datetime) -> dict[str, Said]:
    found = home_prices(desk.store, desk.registry, desk.tariffs, home, hours=PRICE_HOURS, now=now)
    starts = [found.window.start + n * found.step for n in range(len(found.import_))]
    forecast = [start for start, is_forecast in zip(starts, found.is_forecast, strict=True) if is_forecast]
    steps: dict[datetime, list[float]] = {}
    for start, value in zip(starts, found.import_, strict=True):
        steps.setdefault(floor(start, _FINEST), []).append(value)
    more: dict[str, object] = {
        "band": found.bands[0],
        "is_forecast": bool(found.is_forecast[0]),
        "export_price": _rounded(found.export[0]),
        "unit": f"{found.currency}/kWh",
        "forecast_from": utc_text(forecast[0]) if forecast else None,
        "steps": [
            {"start": utc_text(max(start, starts[0])), "value": _rounded(float(np.mean(values)))}
            for start, values in steps.items()
        ],
    }
    return {"price": Said(_rounded(found.import_[0]), more)}


def _unit_of(series: CarbonSeries) -> str:
    """Return the unit of an intensity as Home Assistant's own source of it writes it; CO2 alone stays CO2."""
    return "gCO2eq/kWh" if series.channel.unit is Unit.GRAM_PER_KWH else series.channel.unit_in_words


def _carbon_now(store: Store, series: CarbonSeries, now: datetime) -> dict[str, Said]:
    """Return the intensity now: as told, else as forecast, else the last that was told within half a day."""
    channel = series.channel
    start = floor(now, HOUR)
    kept = _Kept.of(store, channel, Window(start, start + _CARBON_AHEAD), now)
    step = channel.resolution
    told = pl.DataFrame(store.read([channel.id], Window(now - LONGEST_SILENCE, now), now)).filter(is_trusted())
    last = told.drop_nulls("value").tail(1).to_dicts()
    ahead = next((at for at in kept.values if at <= now < at + step), None)
    if last and (last[0]["time"] + step > now or ahead is None):
        value, at, how = float(last[0]["value"]), last[0]["time"], "told"
    elif ahead is not None:
        value, at, how = kept.values[ahead] / (step / HOUR), ahead, "forecast"
    else:
        problem = f"nothing of {channel.id} of the last {LONGEST_SILENCE // HOUR} hours is known"
        raise NotEnoughHistory(problem, remedy="`watthour doctor` shows which source delivers nothing.")
    hours = [(at, kept.sum_of(Window(at, at + HOUR))) for at in _hours(start, start + _CARBON_AHEAD)]
    more: dict[str, object] = {
        "kind": series.kind.words,
        "source": series.source,
        "how": how,
        "time": utc_text(at),
        "unit": _unit_of(series),
        "hours": [{"start": utc_text(at), "value": _whole(hour)} for at, hour in hours if hour is not None],
    }
    return {"carbon": Said(_whole(value), more)}


def _energy(store: Store, main: Channel, since: datetime, now: datetime) -> dict[str, Said]:
    drawn = _drawn(store, main, since, now)
    return {"energy_month": Said(_rounded(float(np.nansum(drawn))), _missing(main, np.isnan(drawn)))}


def _cost(desk: Desk, home: Site, since: datetime, now: datetime) -> dict[str, Said]:
    meter = meter_of(desk.store, home, tariff_of(desk.tariffs, home, now).drawn)
    bill = home_bill(desk.store, desk.tariffs, home, _so_far(desk.store, meter, since, now), now=now)
    more = {"missing_hours": _rounded(bill.missing_hours), "is_complete": bill.is_complete}
    return {"cost_month": Said(round(bill.total, _DIGITS), more)}


def _saved(desk: Desk, home: Site, since: datetime, now: datetime) -> dict[str, Said]:
    """Return what plans have saved against starting at once, by the ledger."""
    found = desk.saved.of(home, since, now)
    if found is None:
        raise NotEnoughHistory("the month has just begun", remedy="Wait until its first hour has ended.")
    total = found.total
    counted = {"n_runs": total.n_runs, "n_planned": total.n_planned, "is_estimated": total.is_estimated}
    more: dict[str, object] = {"against": "starting at once", **counted, "until": utc_text(found.window.end)}
    if total.saved_money is None:
        more["why"] = "No run of this month is known with its price yet."
    money = {
        **more,
        "n_priced": total.n_priced,
        "against_habit": _rounded(total.saved_usual_money),
        "missed_beside_best": _rounded(total.regret_money),
        "shifted_kwh": _rounded(total.shifted_kwh),
    }
    carbon = {**more, "n_with_carbon": total.n_with_carbon, "against_habit": _rounded(total.saved_usual_carbon_kg)}
    return {
        "saved_month": Said(_rounded(total.saved_money), money),
        "saved_carbon_month": Said(_rounded(total.saved_carbon_kg), carbon),
    }


def _emissions(store: Store, main: Channel, series: CarbonSeries, since: datetime, now: datetime) -> dict[str, Said]:
    drawn = _drawn(store, main, since, now)
    window = _so_far(store, main, since, now)
    kilograms = drawn * step_means(store, series.channel, window, main.resolution, now) / 1000
    if np.isnan(kilograms).all():
        problem = f"no reading of {main.id} of this month has an intensity of {series.channel.id} beside it"
        raise NotEnoughHistory(problem, remedy="`watthour doctor` shows which source delivers nothing.")
    more = {
        **_missing(main, np.isnan(kilograms)),
        "kind": series.kind.words,
        "source": series.source,
        "of": _unit_of(series),
    }
    return {"carbon_month": Said(_rounded(float(np.nansum(kilograms))), more)}


def _drawn(store: Store, main: Channel, since: datetime, now: datetime) -> Array:
    """Return what was drawn in each step of the month so far; NaN where it is not known. [kWh].

    Raises:
        NotEnoughHistory: nothing of it is.
    """
    found = np.maximum(metered_kwh(store, main, _so_far(store, main, since, now), now), 0.0)
    if np.isnan(found).all():
        problem = f"no reading of {main.id} of this month is known"
        raise NotEnoughHistory(problem, remedy="`watthour doctor` shows which source delivers nothing.")
    return found


def _so_far(store: Store, meter: Channel, since: datetime, now: datetime) -> Window:
    """Return the whole intervals of a meter in the month so far."""
    found = metered_steps(store, meter, Window(since, now)) if now > since else None
    if found is None:
        raise NotEnoughHistory("the month has just begun", remedy="Wait until the first step of the meter has ended.")
    return found


def _missing(meter: Channel, is_missing: Mask) -> dict[str, object]:
    return {"missing_hours": _rounded(float(np.count_nonzero(is_missing)) * (meter.resolution / HOUR))}


def _plan_of(desk: Desk, home: Site, now: datetime) -> Mapping[str, Any]:
    """Return the plan in force.

    Raises:
        UnknownName: the home has no tariff, without which nothing is planned.
        NotEnoughHistory: none was made yet.
    """
    tariff_of(desk.tariffs, home, now)
    content = desk.planner.in_force(home, now=now)
    if content is None:
        problem = f"no plan of {home.name} by its present tariff and equipment has been made"
        raise NotEnoughHistory(problem, remedy=f"`watthour home plan {home.id}` makes it, or says why it cannot be.")
    return plan_told(content, now=now)


def plan_blanks(things: Sequence[str]) -> tuple[Entry, ...]:
    """Return the entries of a plan in which nothing is known yet: three of each thing, and one of the whole."""
    found = [Entry("plan", "Plan", Matter.PLAN, None)]
    for name in things:
        key = id_for(name)
        found += [
            Entry(f"start_{key}", f"{name} next start", Matter.START, None),
            Entry(f"accept_{key}", f"{name} accept next run", Matter.ACCEPT, None),
            Entry(f"skip_{key}", f"{name} skip next run", Matter.SKIP, None),
        ]
    return tuple(found)


def plan_entries(plan: Mapping[str, Any], *, now: datetime) -> dict[str, Said]:
    """Return what a plan says, as the API tells it: of each thing the next run that has not begun.

    A run that is skipped stays in the switches until its deadline, so that it can be had back; the next start is that
    of the next run that is not skipped.
    """
    runs = [run for run in plan["runs"] if run["state"] not in _BEGUN and _at(run["deadline"]) > now]
    runs.sort(key=lambda run: (run["start"] or run["earliest"], run["id"]))
    found = {"plan": Said(_at(plan["made_at"]), _plan_told(plan))}
    for name in {run["name"] for run in runs}:
        mine = [run for run in runs if run["name"] == name]
        coming = next((run for run in mine if run["state"] != "skipped" and run["start"] is not None), None)
        key, first = id_for(name), mine[0]
        if coming is not None:
            found[f"start_{key}"] = Said(_at(coming["start"]), {each: coming[each] for each in _WATCHED})
        for what, state in (("accept", "accepted"), ("skip", "skipped")):
            more = {"start": first["start"], "deadline": first["deadline"], "run": first["id"]}
            found[f"{what}_{key}"] = Said(first["state"] == state, more, first["id"])
    return found


def _plan_told(plan: Mapping[str, Any]) -> dict[str, object]:
    """Return what of a plan goes into attributes: its figures, its runs, and what is drawn hour by hour."""
    names = ("status", "currency", "cost", "carbon_kg", "peak_kw", "at_once", "remarks")
    per_hour = max(1, round(60 / plan["step_minutes"]))
    drawn = plan["import_kw"]
    return {
        **{name: plan[name] for name in names},
        "runs": [{"name": run["name"], **{each: run[each] for each in _WATCHED}} for run in plan["runs"]],
        "grid_kw": [
            {"start": plan["time"][n], "value": round(float(np.mean(drawn[n : n + per_hour])), 3)}
            for n in range(0, len(drawn), per_hour)
        ],
    }


def _begin_of_month(home: Site, now: datetime) -> datetime:
    zone = home.place.time_zone
    return local_midnight(now.astimezone(ZoneInfo(zone)).date().replace(day=1), zone)


def _hours(start: datetime, end: datetime) -> list[datetime]:
    return [start + n * HOUR for n in range((end - start) // HOUR)]


def _at(text: str | datetime) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


def _rounded(value: float | None, digits: int = _DIGITS) -> float | None:
    return None if value is None or not np.isfinite(value) else round(float(value), digits)


def _whole(value: float) -> float | None:
    return _rounded(value, 1)
