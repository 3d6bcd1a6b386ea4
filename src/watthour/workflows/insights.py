"""What is worth knowing about a home, or a device in it, up to its latest reading."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import FEEDS_IN, DeviceKind
from watthour.core.errors import InvalidInput
from watthour.core.frames import Events, Readings, Samples
from watthour.core.loads import loads_of_device, main_load
from watthour.core.quality import is_trusted
from watthour.core.window import DAY, HOUR, Window
from watthour.insights.anomalies import oddities, oddities_of_device, oddities_of_uses
from watthour.insights.consumers import consumers
from watthour.insights.efficiency import efficiency
from watthour.insights.habits import habits
from watthour.insights.impact import LOOK, impact
from watthour.insights.load import Part, Unknown, less, load_of, summed
from watthour.insights.peaks import peaks
from watthour.insights.standby import Standby, standby
from watthour.workflows.homes import channels_of, devices_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import dataframely as dy

    from watthour.core.channel import Channel, Device, Site
    from watthour.core.ports import Store
    from watthour.insights.anomalies import Oddities
    from watthour.insights.consumers import Consumers
    from watthour.insights.efficiency import Efficiency
    from watthour.insights.habits import Habits
    from watthour.insights.impact import Impact
    from watthour.insights.load import Load
    from watthour.insights.peaks import Peak

MOST_DAYS = 366
_BEFORE = 112 * DAY  # of the past that the days are compared with
_LONGEST_USE = DAY  # that may have begun before the days
_MOST_USES = 40  # the latest ones, whose switches are looked at
_TEMPERATURE = "temperature_2m"
_EPOCH = date(1970, 1, 1)
_NOT_MEASURED = Unknown("the home itself is not measured", "Import or send readings of its mains.")
_DEVICE_NOT_MEASURED = Unknown("the device has no readings", "Connect a meter or plug to it, or import its readings.")


@dataclass(frozen=True, slots=True)
class HomeInsights:
    """All that can be told of a home; what cannot says why."""

    window: Window  # days that are told of
    known_until: datetime | None  # end of the home's last reading
    channel: str | None  # that the home is measured by
    left_out: tuple[str, ...]  # devices whose readings were taken out of what is called odd or a habit
    oddities: Oddities | Unknown
    standby: Standby | Unknown
    consumers: Consumers | Unknown
    peaks: tuple[Peak, ...] | Unknown
    efficiency: Efficiency | Unknown
    habits: Habits | Unknown


@dataclass(frozen=True, slots=True)
class UseCount:
    """The uses of a device that began in a window, and those of as many days before it."""

    n_uses: int
    energy_kwh: float | None  # None: of one of them it is not known
    n_before: int


@dataclass(frozen=True, slots=True)
class DeviceInsights:
    """All that can be told of a device; what cannot says why."""

    window: Window
    known_until: datetime | None  # end of its last reading
    channel: str | None
    oddities: Oddities | Unknown
    standby: Standby | Unknown
    peaks: tuple[Peak, ...] | Unknown
    habits: Habits | Unknown
    uses: UseCount
    impact: Impact | Unknown


def home_insights(
    store: Store, home: Site, *, now: datetime, days: int = 28, false_alarms_per_week: float = 0.5
) -> HomeInsights:
    """Return what is worth knowing about the last days of a home, up to its latest reading.

    Args:
        store: with its readings and uses.
        home: which.
        now: the present; the days end with it where the home has no readings.
        days: that are told of.
        false_alarms_per_week: that the threshold of anomalies is set for.

    Raises:
        InvalidInput: the days or the rate cannot be.
    """
    _check(days, false_alarms_per_week)
    channels = channels_of(store, home)
    main = main_load(home, channels)
    window, known_until = _window(store, main, now, days)
    span = Window(window.start - _BEFORE, window.end)
    days_off = _days_off(home, span)
    load = _load(store, [] if main is None else [main], span, home, days_off)
    warm = _temperature(store, home, span)
    devices = devices_of(store, home)
    parts = [_part(store, each, channels, window, home) for each in devices]
    events = store.events([each.id for each in devices], Window(window.start - _LONGEST_USE, window.end))
    least = _NOT_MEASURED if load is None else standby(load.within(window))
    share = least.share if isinstance(least, Standby) else None
    rest, left_out = _rest(store, load, devices, channels, span, home)
    return HomeInsights(
        window,
        known_until,
        None if main is None else main.id,
        left_out,
        _NOT_MEASURED if rest is None else oddities(rest, warm, days=days, false_alarms_per_week=false_alarms_per_week),
        least,
        consumers(load, parts, events, window),
        peaks(load, parts, events, window),
        _NOT_MEASURED if load is None else efficiency(load, warm, share),
        _NOT_MEASURED if rest is None else habits(rest, warm),
    )


def device_insights(
    store: Store, home: Site, device: Device, *, now: datetime, days: int = 28, false_alarms_per_week: float = 0.5
) -> DeviceInsights:
    """Return what is worth knowing about the last days of a device; arguments as for a home."""
    _check(days, false_alarms_per_week)
    channels = channels_of(store, home)
    loads = loads_of_device(device, channels)
    own = next(iter(loads), None)
    main = main_load(home, channels)
    has_own = own is not None and own.id in store.spans()
    window, known_until = _window(store, own if has_own else main, now, days)
    span = Window(window.start - _BEFORE, window.end)
    load = _load(store, loads, span, home, _days_off(home, span))
    events = store.events([device.id], Window(window.start - (window.end - window.start), window.end))
    inside = events.filter(pl.col("start") >= window.start)
    energy = None if inside["energy_kwh"].null_count() else float(inside["energy_kwh"].sum())
    latest = Events.cast(events.tail(_MOST_USES))
    unknown = _DEVICE_NOT_MEASURED
    return DeviceInsights(
        window,
        known_until if has_own else None,
        own.id if has_own and own is not None else None,
        _odd_uses(store, home, device, span, days, false_alarms_per_week)
        if load is None
        else oddities_of_device(load, days=days, false_alarms_per_week=false_alarms_per_week),
        unknown if load is None else standby(load.within(window)),
        unknown if load is None else peaks(load, [], events, window),
        unknown if load is None else habits(load, is_home=False),
        UseCount(inside.height, energy, events.height - inside.height),
        impact(latest, _samples_around(store, main, latest)),
    )


def _odd_uses(
    store: Store, home: Site, device: Device, span: Window, days: int, false_alarms_per_week: float
) -> Oddities | Unknown:
    """Return what is odd in the uses of a device without readings; the log of a home ends with its newest use."""
    events = store.events([each.id for each in devices_of(store, home)], span)
    uses = Events.cast(events.filter(device=device.id))
    if uses.is_empty():
        return _DEVICE_NOT_MEASURED
    first, last = events.select(pl.col("start").min(), pl.col("end").max()).row(0)
    log, zone = Window(first, last), home.place.time_zone
    return oddities_of_uses(uses, log, zone, days=days, false_alarms_per_week=false_alarms_per_week)


def _check(days: int, rate: float) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput("days", days, f"it must be 1 to {MOST_DAYS}", remedy="Give 28, or leave it out.")
    if not 0 < rate <= 24:  # noqa: PLR2004 - one in seven hours is no alarm any more
        remedy = "Give a number above 0 and at most 24, such as 0.5."
        raise InvalidInput("false_alarms_per_week", rate, "it cannot be kept", remedy=remedy)


def _window(store: Store, channel: Channel | None, now: datetime, days: int) -> tuple[Window, datetime | None]:
    """Return the last days of what is known of a channel, and when that ends."""
    span = None if channel is None else store.spans().get(channel.id)
    known_until = None if span is None or channel is None else span[1] + channel.resolution
    end = known_until or now
    return Window(end - days * DAY, end), known_until


def _days_off(home: Site, span: Window) -> frozenset[date]:
    from watthour.forecasting.calendar import holiday_days

    days = holiday_days(home.place.holidays, span.start.date(), span.end.date())
    return frozenset(_EPOCH + timedelta(days=int(day)) for day in days)


def _load(
    store: Store, channels: Sequence[Channel], span: Window, home: Site, days_off: Collection[date] = ()
) -> Load | None:
    """Return the sum of channels, such as of three phases, in the intervals that all of them know."""
    readings = store.read([channel.id for channel in channels], span) if channels else Readings.create_empty()
    loads = [load_of(readings, channel, home.place.time_zone, days_off=days_off) for channel in channels]
    load = summed(loads) if loads else None
    return load if load is not None and load.is_known else None


def _part(store: Store, device: Device, channels: Sequence[Channel], window: Window, home: Site) -> Part:
    load = _load(store, loads_of_device(device, channels), window, home)
    feeds_in = device.kind in FEEDS_IN
    if device.kind is DeviceKind.EV_CHARGER:  # it may, and hardly any does
        feeds_in = load is not None and bool((load.table["power_w"] < 0).any())
    return Part(device.id, device.name, device.kind is DeviceKind.CIRCUIT, feeds_in, load)


def _rest(
    store: Store, load: Load | None, devices: Sequence[Device], channels: Sequence[Channel], span: Window, home: Site
) -> tuple[Load | None, tuple[str, ...]]:
    """Return a home's load less what its sun, battery and car measured, and which devices these are.

    They follow the sky or are charged at will with more power than all the rest, which could not be judged beside them.
    """
    left_out: list[str] = []
    for device in devices:
        own = loads_of_device(device, channels)
        is_coarse = any(each.resolution > HOUR for each in own)
        if load is None or device.kind not in FEEDS_IN or is_coarse or load.step > HOUR:
            continue
        part = _load(store, own, span, home)
        if part is not None and (without := less(load, part)) is not None:
            load = without
            left_out.append(device.id)
    return load, tuple(left_out)


def _temperature(store: Store, home: Site, span: Window) -> pl.DataFrame | None:
    """Return the temperature at the home, measured or else by the last forecast of each hour; None: not known."""
    channels = [each.id for each in store.channels() if each.site == home.id and each.variable == _TEMPERATURE]
    if not channels:
        return None
    columns = ["channel", "time", "value"]
    known = pl.DataFrame(store.read(channels, span)).filter(is_trusted()).drop_nulls("value")
    ahead = pl.DataFrame(store.forecasts(channels, span, levels=[0.5])).filter(is_trusted()).drop_nulls("value")
    latest = ahead.sort("issued_at").unique(["channel", "time"], keep="last")
    both = pl.concat([known.select(columns), latest.join(known, on=["channel", "time"], how="anti").select(columns)])
    return both.group_by("time").agg(pl.col("value").mean()).sort("time") if both.height else None


def _samples_around(store: Store, main: Channel | None, events: dy.DataFrame[Events]) -> dy.DataFrame[Samples]:
    """Return what the mains told around the switches of uses."""
    if main is None or events.is_empty():
        return Samples.create_empty()
    found = [
        store.samples([main.id], Window(switch - LOOK, switch + LOOK))
        for column in ("start", "end")
        for switch in events[column]
    ]
    return Samples.cast(pl.concat([pl.DataFrame(each) for each in found]).unique(maintain_order=True))
