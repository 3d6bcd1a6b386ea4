"""What the answers for dashboards of a household are made of: its hours ahead, and what its devices used lately."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.channel import DeviceKind
from watthour.core.errors import NotEnoughHistory
from watthour.core.loads import loads_of_device, main_load
from watthour.core.quality import is_trusted
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import DAY, HOUR, Window
from watthour.workflows.entities import entities
from watthour.workflows.homes import channels_of, devices_of, homes
from watthour.workflows.leads import MOST_DAYS_AHEAD
from watthour.workflows.view.ahead import hours_ahead
from watthour.workflows.view.issue import FRESH
from watthour.workflows.view.watts import A_DAY, watt_points

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watthour.core.channel import Channel, Device, Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.forecast import Context
    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.entities import Entity
    from watthour.workflows.forecast import Served

Trend = Literal["rising", "falling", "steady"]

RECENT_DAYS = 28
_HOURS_AHEAD = (MOST_DAYS_AHEAD + 1) * 24 + 1  # the rest of today, and seven local days of up to 25 hours
_TREND_DAYS = 14
_FEWEST_DAYS = 7
_CHANCE, _LEAST_CHANGE = 0.05, 0.1  # of a trend where there is none, and the smallest that is told
_KNOWN_SHARE = 0.9  # of a day
_EVER = Window(datetime.fromisoformat("1970-01-01T00:00Z"), datetime.fromisoformat("2200-01-01T00:00Z"))


@dataclass(frozen=True, slots=True)
class Household:
    """A home, what of it is forecast, and all from which its answers are made."""

    home: Site
    entities: tuple[
        Entity, ...
    ]  # the home itself where its mains are measured, else its devices; their sum is its load
    channels: tuple[str, ...]
    devices: tuple[str, ...]
    is_measured: bool  # by its mains


@dataclass(frozen=True, slots=True)
class Hour:
    """The expected energy of a local hour."""

    start: datetime  # local
    kwh: float | None


@dataclass(frozen=True, slots=True)
class HomeAhead:
    """The hours ahead of a home."""

    hours: tuple[Hour, ...]  # none where the steps of its readings are longer
    main: tuple[Context, dict[str, Any]] | None  # what ``hours_ahead`` tells of its mains
    problems: tuple[str, ...]  # what is not in it, and why
    left_out: tuple[str, ...] = ()  # ids of the devices that are not in it


def usual_homes(store: Store) -> list[Site]:
    """Return the homes of which anything is known: the real ones, else the simulated ones; else all homes."""
    known = homes(store)
    with_data = homes_with_data(store)
    told = [home for home in known if home.id in with_data]
    return [home for home in told if not home.is_simulated] or told or known


def homes_with_data(store: Store) -> list[str]:
    """Return the ids of the homes with readings or uses of devices."""
    spans = store.spans()
    with_readings = {channel.site for channel in store.channels() if channel.id in spans}
    return [home.id for home in homes(store) if home.id in with_readings or last_use(store, home) is not None]


def last_use(store: Store, home: Site) -> datetime | None:
    """Return when the last use of a device ended."""
    names = [device.id for device in devices_of(store, home)]
    last: datetime | None = store.events(names, _EVER)["end"].max() if names else None  # type: ignore[assignment]  # of instants
    return last


def household_of(store: Store, directories: Sequence[SiteDirectory], home: Site) -> Household:
    """Return what of a home is forecast: its mains, or where they have no readings all devices that can be."""
    channels, devices = channels_of(store, home), devices_of(store, home)
    spans = store.spans()
    main = main_load(home, channels)
    found: list[Entity] = []
    is_measured = main is not None and main.id in spans
    if main is not None and is_measured:
        found = entities(store, directories, home, channels=[main.id])
    else:
        measured = [each.id for each in devices if any(c.id in spans for c in loads_of_device(each, channels))]
        events = store.events([each.id for each in devices if each.id not in measured], _EVER) if devices else None
        used = [] if events is None else events["device"].unique().to_list()
        known = {*measured, *used}
        circuits = {each.id for each in devices if each.kind is DeviceKind.CIRCUIT}
        if known := (known - circuits) or known:  # devices hang on circuits: both together count twice
            found = entities(store, directories, home, devices=sorted(known))
    names = tuple(each.id for each in devices)
    return Household(home, tuple(found), tuple(each.id for each in channels), names, is_measured=is_measured)


def presence(store: Store, household: Household, now: datetime) -> datetime:
    """Return the present; of a home of which nothing was heard for two weeks, the end of what is known."""
    spans = store.spans()
    known = [spans[name][1] for name in household.channels if name in spans]
    if (used := last_use(store, household.home)) is not None:
        known.append(used)
    return now if not known or now - max(known) <= FRESH else max(known)


def home_ahead(
    store: Store,
    registry: ModelRegistry,
    household: Household,
    *,
    now: datetime,
    whole_days: bool = False,
    served: Callable[[Context], Served | None] = lambda _context: None,
) -> HomeAhead:
    """Return the next 24 whole hours of a home, or those of its next seven local days.

    Args:
        store: the store.
        registry: holds the models.
        household: whose.
        now: the present.
        whole_days: seven local days from tomorrow on; of an archive from the first whole day after its readings.
        served: the loaded champion of a channel, if any.
    """
    asked = _HOURS_AHEAD if whole_days else A_DAY + 1
    told: list[tuple[Entity, dict[str, Any]]] = []
    failed: list[tuple[Entity, str]] = []
    for entity in household.entities:
        model = served(entity.context) if entity.is_stored else None
        try:
            found = hours_ahead(store, registry, entity, hours=asked, now=now, served=model, most_hours=_HOURS_AHEAD)
        except NotEnoughHistory as error:
            failed.append((entity, error.problem))
        else:
            told.append((entity, found))
    if not all(found["archive"] for _, found in told):  # the hours after what ended long ago are no hours ahead
        ended = [(entity, f"it was last heard on {found['known_until']}") for entity, found in told if found["archive"]]
        failed += ended
        told = [(entity, found) for entity, found in told if not found["archive"]]
    problems = [f"{entity.name} is not in the forecast: {problem}" for entity, problem in failed]
    if not household.entities:
        problems.append(f"Nothing measures {household.home.name}, and no use of its devices is known.")
    tables = [_hourly(entity.context, found) for entity, found in told]
    starts = sorted(set.intersection(*map(set, tables))) if tables else []
    zone = ZoneInfo(household.home.place.time_zone)
    hours = [Hour(start.astimezone(zone), _total([table[start] for table in tables])) for start in starts]
    main = (told[0][0].context, told[0][1]) if told and household.is_measured else None
    left_out = tuple(entity.id for entity, _ in failed if entity.kind == "device")
    return HomeAhead(tuple(_seven_days(hours) if whole_days else hours[:A_DAY]), main, tuple(problems), left_out)


def _hourly(context: Context, found: dict[str, Any]) -> dict[datetime, float | None]:
    """Return the energy of each whole local hour of a forecast; none where its steps are longer."""
    if context.resolution > HOUR:
        return {}
    energy: dict[datetime, list[float | None]] = defaultdict(list)
    for point, told in zip(watt_points(context, found), found["points"], strict=True):
        start, local = datetime.fromisoformat(point["time"]), datetime.fromisoformat(point["local_time"])
        kwh = None if point["mean"] is None else point["mean"] * point["hours"] / 1000
        expected = told["expected_kwh"]  # of what is seldom on
        energy[start - timedelta(minutes=local.minute)].append(kwh if expected is None else expected)
    n_steps = HOUR // context.resolution
    return {start: _total(values) for start, values in energy.items() if len(values) == n_steps}


def _seven_days(hours: Sequence[Hour]) -> list[Hour]:
    """Return the hours of the first seven days that begin among them."""
    first = next((hour.start.date() for hour in hours if hour.start.hour == 0), None)
    return (
        [] if first is None else [hour for hour in hours if first <= hour.start.date() < first + MOST_DAYS_AHEAD * DAY]
    )


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def mean_powers(store: Store, household: Household, until: datetime) -> dict[str, float | None]:
    """Return the mean power of each device in the last 28 days, in kW, by its readings or else its uses."""
    window = Window(until - RECENT_DAYS * DAY, until)
    return {
        device.id: None if energy.is_empty() else float(energy["kwh"].sum()) / float(energy["hours"].sum())
        for device in devices_of(store, household.home)
        for energy in (_daily(store, household.home, device, window, least_known=0.0),)
    }


def trend(store: Store, home: Site, device: Device, until: datetime) -> Trend | None:
    """Return whether a device used more or less energy a day in the last 14 days than in the 14 before.

    By the rank test of Mann and Whitney (Annals of Mathematical Statistics 18, 1947) at 5 %, and only where the means
    differ by a tenth; None where fewer than seven days of either span are known.
    """
    from scipy.stats import mannwhitneyu

    middle = until - _TREND_DAYS * DAY
    spans = (Window(middle - _TREND_DAYS * DAY, middle), Window(middle, until))
    before, after = (
        (days["kwh"] / days["hours"] * A_DAY).to_numpy()
        for days in (_daily(store, home, device, span, least_known=_KNOWN_SHARE) for span in spans)
    )
    if min(len(before), len(after)) < _FEWEST_DAYS:
        return None
    is_clear = mannwhitneyu(before, after).pvalue < _CHANCE
    if not is_clear or abs(after.mean() - before.mean()) < _LEAST_CHANGE * abs(before.mean()):
        return "steady"
    return "rising" if after.mean() > before.mean() else "falling"


def _daily(store: Store, home: Site, device: Device, window: Window, *, least_known: float) -> pl.DataFrame:
    """Return the energy of a device in each local day of a window: ``day``, ``kwh`` and the ``hours`` that are known.

    Without readings its uses tell it, from the first to the last of the home's log: there a day without one is a zero.
    """
    loads = loads_of_device(device, channels_of(store, home))
    zone = home.place.time_zone
    rows = pl.DataFrame(store.read([each.id for each in loads], window)) if loads else pl.DataFrame()
    if rows.height:
        return _daily_of_readings(rows, loads, zone, least_known)
    return _daily_of_uses(store, home, device, window)


def _daily_of_readings(
    rows: pl.DataFrame, loads: Sequence[Channel], time_zone: str, least_known: float
) -> pl.DataFrame:
    """Return the energy of days by readings; where several channels are added, of intervals that all of them know."""
    first = loads[0]  # the others have its unit and step
    hours = first.resolution / HOUR
    is_energy = first.quantity is Quantity.ENERGY
    factor = conversion(first.unit, Unit.KWH)[0] if is_energy else conversion(first.unit, Unit.KW)[0] * hours
    known = rows.filter(is_trusted()).drop_nulls("value").group_by("time")
    both = known.agg(kwh=pl.col("value").sum() * factor, n=pl.len()).filter(pl.col("n") == len(loads))
    day = pl.col("time").dt.convert_time_zone(time_zone).dt.date().alias("day")
    days = both.group_by(day).agg(pl.col("kwh").sum(), hours=pl.len() * hours)
    return days.filter(pl.col("hours") >= least_known * A_DAY).sort("day")


def _daily_of_uses(store: Store, home: Site, device: Device, window: Window) -> pl.DataFrame:
    """Return the energy of the days that the home's log of uses covers; none where an energy is not told."""
    names = [each.id for each in devices_of(store, home)]
    log = store.events(names, window)
    mine = log.filter(pl.col("device") == device.id)
    if mine.is_empty() or mine["energy_kwh"].null_count():
        return pl.DataFrame(schema={"day": pl.Date, "kwh": pl.Float64, "hours": pl.Float64})
    zone = home.place.time_zone
    start = pl.col("start").dt.convert_time_zone(zone).dt.date()
    first, last = log.select(start.min().alias("first"), start.max().alias("last")).row(0)
    days = pl.DataFrame({"day": pl.date_range(first, last, eager=True)})
    used = mine.group_by(start.alias("day")).agg(kwh=pl.col("energy_kwh").sum())
    return days.join(used, on="day", how="left").select("day", pl.col("kwh").fill_null(0.0), hours=pl.lit(float(A_DAY)))
