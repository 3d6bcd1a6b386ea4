"""What a kWh costs and earns in each step of a window, with fees and taxes: for planners and bills.

Steps are cut into parts within which no price changes; a step's price is the mean of its parts. Local clocks follow the
time zone, so the days of the clock changes have 23 and 25 hours of prices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import gcd
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT
from watthour.core.window import DAY, Window, step_in_words
from watthour.planning.tariffs import HOLIDAY, BlockPeriod, Blocks, Dynamic, Flat, TimeOfUse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from watthour.planning.tariffs import Flow, Tariff

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

_SECOND = timedelta(seconds=1)
_HOUR_S, _MINUTE_S, _SUNDAY = 3600, 60, 6
_EPOCH = date(1970, 1, 1)
_MONTHS = 12
DYNAMIC = "dynamic"  # what its prices are called where those of others go by the names of bands and tiers


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """The prices of a channel, step by step from ``start``: as published, and beyond that as forecast."""

    start: datetime
    step: timedelta
    values: Array  # (n,) [currency/kWh]; NaN: neither published nor forecast
    is_forecast: Mask  # (n,)
    lower: Array  # (n,) lower end of the 90 % band; where published, the price [currency/kWh]
    upper: Array  # (n,)
    why_unknown: str | None = None  # why what is not published could not be forecast

    @classmethod
    def published(cls, start: datetime, step: timedelta, values: Sequence[float] | Array) -> Market:
        """Return prices that are all published."""
        known = np.asarray(values, dtype=np.float64)
        return cls(start, step, known, np.zeros(len(known), dtype=np.bool_), known, known)

    def places(self, starts: Numbers) -> tuple[Numbers, Mask]:
        """Return in which of its steps instants lie [s since 1970], and whether they lie in any."""
        place = (starts - round(self.start.timestamp())) // round(self.step / _SECOND)
        is_inside = (place >= 0) & (place < len(self.values))
        return np.where(is_inside, place, 0), is_inside


@dataclass(frozen=True, slots=True)
class Calendar:
    """The clock and the holidays of a home."""

    time_zone: str
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class PeakTerm:
    """What the peak of a local month adds to its bill: ``price_per_kw`` for each kW of it beyond ``free_kw``."""

    month: str  # such as 2026-11
    first: int  # place of its first step in the window
    last: int  # place after its last
    price_per_kw: float  # with taxes [currency/kW]
    free_kw: float
    interval: timedelta  # over which its meter takes the mean


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """What drawing or feeding in one more kWh costs or earns in each step of a window, with fees and taxes."""

    window: Window
    step: timedelta
    currency: str
    import_: Array  # (n,) [currency/kWh]; NaN: not known
    export: Array  # (n,) [currency/kWh]; zero where the contract pays nothing
    bands: tuple[str, ...]  # (n,) names of the prices drawn at; of several within a step the first
    is_forecast: Mask  # (n,) something in it is not published yet
    import_lower: Array  # (n,) ends of the 90 % band of what is forecast; elsewhere the price itself
    import_upper: Array
    export_lower: Array
    export_upper: Array
    peaks: tuple[PeakTerm, ...] = ()
    remarks: tuple[str, ...] = ()  # why prices that are not known are not forecast either


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """The parts of the steps of a window, and where each lies on the local calendar."""

    starts: Numbers  # (parts,) [s since 1970]
    per_step: int  # parts
    second: Numbers  # (parts,) of the local day
    month_day: Numbers  # (parts,) month * 100 + day of month
    kind: Numbers  # (parts,) Monday is 0
    is_holiday: Mask  # (parts,)
    day: Numbers  # (parts,) days since 1970, local
    month: Numbers  # (parts,) months since the year 0, local

    @classmethod
    def of(cls, window: Window, step: timedelta, tariff: Tariff, calendar: Calendar, grain_s: int) -> Clock:
        """Return the parts of the steps of a window; raises InvalidInput where the window has no whole number of them.

        Args:
            window: whose steps begin with it.
            step: of a few seconds or more.
            tariff: within whose prices no part is cut.
            calendar: of the home.
            grain_s: some step that a part must divide, beside that of the tariff's clock. [s]
        """
        if step < _SECOND or step % _SECOND or (window.end - window.start) % step:
            remedy = "Give a step of whole seconds, such as 15 minutes, that divides the window."
            raise InvalidInput("step", step_in_words(step), "the window is no whole number of steps", remedy=remedy)
        zone = tariff.time_zone or calendar.time_zone
        length = _part_s(window, step, tariff, zone, grain_s)
        starts = np.arange(round(window.start.timestamp()), round(window.end.timestamp()), length, dtype=np.int64)
        local = pl.Series(starts * 1_000_000, dtype=pl.Int64).cast(INSTANT).dt.convert_time_zone(zone)
        clock = local.dt
        day = local.dt.date().to_physical().to_numpy().astype(np.int64)
        off = np.array([(each - _EPOCH).days for each in calendar.holidays], dtype=np.int64)
        return cls(
            starts,
            round(step / _SECOND) // length,
            (clock.hour().cast(pl.Int64) * _HOUR_S + clock.minute().cast(pl.Int64) * _MINUTE_S + clock.second())
            .cast(pl.Int64)
            .to_numpy(),
            (clock.month().cast(pl.Int64) * 100 + clock.day()).to_numpy(),
            clock.weekday().cast(pl.Int64).to_numpy() - 1,
            np.isin(day, off),
            day,
            (clock.year().cast(pl.Int64) * _MONTHS + clock.month() - 1).to_numpy(),
        )


def _part_s(window: Window, step: timedelta, tariff: Tariff, time_zone: str, grain_s: int) -> int:
    """Return the longest part of a step within which no price changes, whatever the clock is ahead of UTC. [s]."""
    flows = [flow for flow in (tariff.drawn, tariff.fed_in) if flow is not None]
    grains = [round(flow.rate.grain / _SECOND) for flow in flows if isinstance(flow.rate, TimeOfUse)]
    if any(isinstance(flow.rate, Blocks) for flow in flows):
        grains.append(round(DAY / _SECOND))
    if not grains:
        return gcd(round(step / _SECOND), grain_s)
    zone = ZoneInfo(time_zone)
    n_days = (window.end - window.start) // DAY + 2
    offsets = {(window.start + n * DAY).astimezone(zone).utcoffset() or timedelta() for n in range(n_days)}
    ahead = [round(offset / _SECOND) for offset in offsets]
    return gcd(round(step / _SECOND), grain_s, round(window.start.timestamp()), *grains, *ahead)


def prices(
    tariff: Tariff,
    window: Window,
    step: timedelta,
    calendar: Calendar,
    market: Mapping[str, Market] | None = None,
    *,
    used_kwh: float = 0.0,
    fed_in_kwh: float = 0.0,
    expected_kwh: Array | None = None,
) -> Prices:
    """Return what one more kWh costs and earns in each step of a window.

    Args:
        tariff: the contract.
        window: its steps begin with it.
        step: such as 15 minutes.
        calendar: of the home.
        market: the channels that the tariff follows, by id.
        used_kwh: drawn before the window in the running day or month of a block tariff.
        fed_in_kwh: likewise, of what is fed in.
        expected_kwh: drawn in each step, by which the tiers of a block tariff are reached; None: nothing more is.

    Raises:
        InvalidInput: the step does not divide the window.
    """
    market = market or {}
    clock = Clock.of(window, step, tariff, calendar, market_grain(tariff, market))
    drawn = _side(tariff.drawn, clock, market, tariff, used_kwh, expected_kwh)
    nothing = np.zeros(len(clock.starts) // clock.per_step)
    fed_in = _Side(nothing, nothing, nothing, np.zeros(len(nothing), dtype=np.bool_), clock.kind, ())
    if tariff.fed_in is not None:
        fed_in = _side(tariff.fed_in, clock, market, tariff, fed_in_kwh, None)
    fees = sum(fee.price for fee in tariff.fees) * tariff.tax_factor
    tax = 1.0 if tariff.drawn.tax_included else tariff.tax_factor
    return Prices(
        window=window,
        step=step,
        currency=tariff.currency,
        import_=tax * drawn.price + fees,
        export=fed_in.price,
        bands=tuple(drawn.names[place] for place in drawn.band[:: clock.per_step].tolist()),
        is_forecast=drawn.is_forecast | fed_in.is_forecast,
        import_lower=tax * drawn.lower + fees,
        import_upper=tax * drawn.upper + fees,
        export_lower=fed_in.lower,
        export_upper=fed_in.upper,
        peaks=peak_terms(tariff, clock),
        remarks=tuple(each.why_unknown for each in market.values() if each.why_unknown is not None),
    )


def market_grain(tariff: Tariff, market: Mapping[str, Market]) -> int:
    """Return a step that divides those of all channels that a tariff follows. [s]."""
    return gcd(*(round(market[each].step / _SECOND) for each in tariff.channels() if each in market))


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """The rate of one direction, of each step."""

    price: Array
    lower: Array
    upper: Array
    is_forecast: Mask
    band: Numbers  # (parts,)
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """The rate of one direction in each part of the steps, before fees and taxes."""

    price: Array  # (parts,) [currency/kWh]
    band: Numbers  # (parts,) place among the names
    names: tuple[str, ...]
    is_forecast: Mask  # (parts,)
    lower: Array
    upper: Array


def rated(flow: Flow, clock: Clock, market: Mapping[str, Market], *, names_holidays: bool, tier: Numbers) -> Rated:
    """Return the rate of each part of the steps.

    Args:
        flow: one direction.
        clock: the parts.
        market: prices by channel.
        names_holidays: whether holidays are a kind of day of their own.
        tier: (parts,) in which tier of a block tariff each part is.
    """
    none = np.zeros(len(clock.starts), dtype=np.int64)
    match flow.rate:
        case Flat(price):
            return _certain(np.full(len(clock.starts), price), none, ("flat",))
        case TimeOfUse() as rate:
            band = _bands_at(rate, clock, names_holidays=names_holidays)
            return _certain(
                np.array([each.price for each in rate.bands])[band], band, tuple(b.name for b in rate.bands)
            )
        case Blocks() as rate:
            return _certain(np.array([each.price for each in rate.tiers])[tier], tier, tier_names(rate))
        case Dynamic() as rate:
            return _followed(rate, clock, market.get(rate.channel))


def tier_names(rate: Blocks) -> tuple[str, ...]:
    """Return how the tiers of a block tariff are called.

    >>> from watthour.planning.tariffs import Tier
    >>> tier_names(Blocks((Tier(0.2, 100.0), Tier(0.3))))
    ('up to 100 kWh', 'beyond 100 kWh')
    """
    ends = [f"up to {tier.up_to_kwh:g} kWh" for tier in rate.tiers if tier.up_to_kwh is not None]
    return (*ends, f"beyond {rate.edges[-2]:g} kWh")


def _certain(price: Array, band: Numbers, names: tuple[str, ...]) -> Rated:
    return Rated(price, band, names, np.zeros(len(price), dtype=np.bool_), price, price)


def _bands_at(rate: TimeOfUse, clock: Clock, *, names_holidays: bool) -> Numbers:
    """Return which band holds in each part; the tariff has made sure that it is exactly one."""
    kind = np.where(clock.is_holiday & names_holidays, HOLIDAY, clock.kind)
    found = np.full(len(clock.starts), -1, dtype=np.int64)
    for n, band in enumerate(rate.bands):
        holds = np.isin(kind, list(band.days))
        if band.season is not None:
            first, last = (month * 100 + day for month, day in band.season)
            after, before = clock.month_day >= first, clock.month_day <= last
            holds &= (after & before) if first <= last else (after | before)
        by_clock = np.zeros_like(holds)
        for start, end in band.hours:
            by_clock |= (clock.second >= start * _MINUTE_S) & (clock.second < end * _MINUTE_S)
        found[holds & by_clock] = n
    return found


def _followed(rate: Dynamic, clock: Clock, market: Market | None) -> Rated:
    names, none = (DYNAMIC,), np.zeros(len(clock.starts), dtype=np.int64)
    if market is None:
        unknown = np.full(len(clock.starts), np.nan)
        return Rated(unknown, none, names, none.astype(np.bool_), unknown, unknown)
    place, is_inside = market.places(clock.starts)
    low = -np.inf if rate.floor is None else rate.floor
    high = np.inf if rate.cap is None else rate.cap

    def of(values: Array) -> Array:
        if not len(values):
            return np.full(len(place), np.nan)
        taken = np.where(is_inside, values[place], np.nan)
        return np.clip(rate.factor * taken + rate.markup, low, high)

    is_forecast = is_inside & market.is_forecast[place] if len(market.values) else is_inside
    return Rated(of(market.values), none, names, is_forecast, of(market.lower), of(market.upper))


def unknown_prices(window: Window, step: timedelta, currency: str, why: str | None = None) -> Prices:
    """Return that no price of a window is known, and why."""
    n_steps = (window.end - window.start) // step
    unknown, nobody = np.full(n_steps, np.nan), np.zeros(n_steps, dtype=np.bool_)
    remarks = () if why is None else (why,)
    return Prices(
        window,
        step,
        currency,
        unknown,
        unknown,
        ("",) * n_steps,
        nobody,
        unknown,
        unknown,
        unknown,
        unknown,
        remarks=remarks,
    )


def joined_prices(parts: Sequence[Prices], window: Window) -> Prices:
    """Return the prices of a window by tariffs of one currency that follow each other; NaN before the first of them."""
    first = parts[0]
    if window.start < first.window.start:
        before = unknown_prices(Window(window.start, first.window.start), first.step, first.currency)
        return joined_prices([before, *parts], window)
    if len(parts) == 1:
        return first

    def whole(name: str) -> Array:
        return np.concatenate([getattr(each, name) for each in parts])

    peaks: list[PeakTerm] = []
    for each in parts:
        shift = (each.window.start - window.start) // each.step
        peaks += [replace(term, first=term.first + shift, last=term.last + shift) for term in each.peaks]
    return Prices(
        window,
        first.step,
        first.currency,
        whole("import_"),
        whole("export"),
        tuple(name for each in parts for name in each.bands),
        np.concatenate([each.is_forecast for each in parts]),
        whole("import_lower"),
        whole("import_upper"),
        whole("export_lower"),
        whole("export_upper"),
        tuple(peaks),
        tuple(dict.fromkeys(remark for each in parts for remark in each.remarks)),
    )


def _side(
    flow: Flow, clock: Clock, market: Mapping[str, Market], tariff: Tariff, used_kwh: float, expected: Array | None
) -> _Side:
    tier = np.zeros(len(clock.starts), dtype=np.int64)
    if isinstance(flow.rate, Blocks):
        expected = np.zeros(len(clock.starts) // clock.per_step) if expected is None else expected
        part = np.repeat(expected / clock.per_step, clock.per_step)
        before = used_before(part, clock, flow.rate, used_kwh)
        tier = np.searchsorted(np.array(flow.rate.edges[1:]), before, side="right")
    found = rated(flow, clock, market, names_holidays=tariff.names_holidays, tier=tier)
    price, lower, upper = (
        each.reshape(-1, clock.per_step).mean(axis=1) for each in (found.price, found.lower, found.upper)
    )
    is_forecast = np.asarray(found.is_forecast.reshape(-1, clock.per_step).any(axis=1))
    return _Side(price, lower, upper, is_forecast, found.band, found.names)


def used_before(energy: Array, clock: Clock, rate: Blocks, used_kwh: float) -> Array:
    """Return what was used in the running day or month before each part; what is not known counts as nothing.

    Args:
        energy: of each part. [kWh]
        clock: the parts.
        rate: says whether days or months are counted.
        used_kwh: in the first day or month, before the first part.
    """
    period = clock.day if rate.period is BlockPeriod.DAY else clock.month
    known = np.nan_to_num(energy)
    total = np.concatenate([[0.0], np.cumsum(known)[:-1]])
    begins = np.flatnonzero(np.diff(period, prepend=period[:1] - 1))
    at_begin = np.repeat(total[begins], np.diff([*begins, len(period)]))
    return np.asarray(total - at_begin + np.where(period == period[0], used_kwh, 0.0))


def peak_terms(tariff: Tariff, clock: Clock) -> tuple[PeakTerm, ...]:
    """Return what the peak of each local month of a window costs."""
    if tariff.demand is None:
        return ()
    months = clock.month[:: clock.per_step]
    begins = np.flatnonzero(np.diff(months, prepend=months[:1] - 1)).tolist()
    price = tariff.demand.price * tariff.tax_factor
    return tuple(
        PeakTerm(month_text(int(months[first])), first, last, price, tariff.demand.free_kw, tariff.demand.interval)
        for first, last in zip(begins, [*begins[1:], len(months)], strict=True)
    )


def month_text(month: int) -> str:
    """Return a month since the year 0 as text.

    >>> month_text(2026 * 12 + 10)
    '2026-11'
    """
    return f"{month // _MONTHS:04}-{month % _MONTHS + 1:02}"
