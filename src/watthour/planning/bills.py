"""The bill of a past period from what was metered: line by line, and what could not be billed named beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.window import DAY, HOUR, Window, local_midnight, step_in_words
from watthour.planning.prices import (
    DYNAMIC,
    Clock,
    market_grain,
    month_text,
    rated,
    tier_names,
    used_before,
)
from watthour.planning.tariffs import Blocks, Dynamic, Per, TimeOfUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime, timedelta

    from watthour.planning.prices import Array, Calendar, Market, Mask, Numbers
    from watthour.planning.tariffs import Demand, Flow, Tariff

Kind = Literal["energy", "fee", "standing", "demand", "tax", "export"]
_FIRST_DAY = 1


@dataclass(frozen=True, slots=True, eq=False)
class Metered:
    """The energy of the steps of a window as it was metered."""

    window: Window
    step: timedelta
    drawn: Array  # (n,) [kWh]; NaN: not known
    fed_in: Array | None = None  # (n,) [kWh]; None: nothing meters it
    used_kwh: float = 0.0  # drawn before the window in its first month (or day) of a block tariff
    fed_in_kwh: float = 0.0  # likewise, fed in


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill; what is earned is negative."""

    kind: Kind
    name: str
    amount: float  # [currency]
    quantity: float
    unit: str  # of the quantity, such as kWh
    price: float | None = None  # for one of them, the mean where it varies [currency/unit]


@dataclass(frozen=True, slots=True)
class Bill:
    """What a period cost, as far as that is known."""

    window: Window
    currency: str
    lines: tuple[Line, ...]
    missing: tuple[Window, ...]  # nothing was metered, and nothing is billed
    unpriced: tuple[Window, ...]  # metered, at a price that is not known: not billed either
    remarks: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """The sum of its lines; where it is not complete, of what is known."""
        return sum(line.amount for line in self.lines)

    @property
    def is_complete(self) -> bool:
        """Whether all of the period is billed."""
        return not (self.missing or self.unpriced)

    @property
    def missing_hours(self) -> float:
        """How long nothing was metered, or no price is known."""
        return sum((each.end - each.start) / HOUR for each in (*self.missing, *self.unpriced))


def bill(tariff: Tariff, metered: Metered, calendar: Calendar, market: Mapping[str, Market] | None = None) -> Bill:
    """Return the bill of a period.

    Energy within a step that has several prices is spread evenly over the step. Standing charges of a month and the
    charge for its peak count by the share of its days that is billed. What is not known is left out and named.

    Args:
        tariff: the contract.
        metered: what was drawn and fed in.
        calendar: of the home.
        market: published prices of the channels that the tariff follows, by id.

    Raises:
        InvalidInput: the window is no whole number of steps.
    """
    market = market or {}
    zone = tariff.time_zone or calendar.time_zone
    clock = Clock.of(metered.window, metered.step, tariff, calendar, market_grain(tariff, market))
    drawn = _Energy.of(tariff, tariff.drawn, clock, market, metered.drawn, metered.used_kwh)
    fed_in = None
    if tariff.fed_in is not None and metered.fed_in is not None:
        fed_in = _Energy.of(tariff, tariff.fed_in, clock, market, metered.fed_in, metered.fed_in_kwh)
    energy = list(drawn.lines("energy"))
    fees = [Line("fee", fee.name, fee.price * drawn.kwh, drawn.kwh, "kWh", fee.price) for fee in tariff.fees]
    standing = list(_standing(tariff, metered.window, zone))
    demand = [] if tariff.demand is None else list(_demand(tariff.demand, metered, clock, zone))
    taxed = [*([] if tariff.drawn.tax_included else energy), *fees, *standing, *demand]
    lines = [*energy, *fees, *standing, *demand]
    if tariff.tax_percent:
        sum_taxed = sum(line.amount for line in taxed)
        tax = tariff.tax_percent / 100 * sum_taxed
        lines.append(Line("tax", f"tax of {tariff.tax_percent:g} %", tax, sum_taxed, tariff.currency))
    if fed_in is not None:
        lines.extend(fed_in.lines("export"))
    is_missing, is_unpriced = drawn.is_missing, drawn.is_unpriced
    if fed_in is not None:
        is_missing, is_unpriced = is_missing | fed_in.is_missing, is_unpriced | fed_in.is_unpriced
    missing = tuple(_windows(is_missing, metered))
    unpriced = tuple(_windows(is_unpriced & ~is_missing, metered))
    remarks = [*_remarks(tariff, metered, is_incomplete=bool(missing))]
    if clock.per_step > 1 and isinstance(tariff.drawn.rate, TimeOfUse):
        remarks.append(
            f"Energy of {step_in_words(metered.step)} in which the price changes is spread evenly over them."
        )
    return Bill(metered.window, tariff.currency, tuple(lines), missing, unpriced, tuple(remarks))


def joined_bills(parts: Sequence[Bill], window: Window, zone: ZoneInfo) -> Bill:
    """Return the bill of a period of tariffs of one currency that followed each other: lines that are alike are one."""
    if len(parts) == 1:
        return parts[0]
    lines: dict[tuple[Kind, str, str], list[Line]] = {}
    for each in parts:
        for line in each.lines:
            lines.setdefault((line.kind, line.name, line.unit), []).append(line)
    remarks = dict.fromkeys(remark for each in parts for remark in each.remarks)
    since = [f"{each.window.start.astimezone(zone):%Y-%m-%d %H:%M}" for each in parts[1:]]
    return Bill(
        window,
        parts[0].currency,
        tuple(_summed(each) for each in lines.values()),
        tuple(gap for each in parts for gap in each.missing),
        tuple(gap for each in parts for gap in each.unpriced),
        (*remarks, f"Another tariff holds since {', and another since '.join(since)}; each is billed by its own time."),
    )


def _summed(lines: Sequence[Line]) -> Line:
    """Return lines that are alike as one, at their mean price."""
    first, amount = lines[0], sum(each.amount for each in lines)
    quantity = sum(each.quantity for each in lines)
    prices = {each.price for each in lines}
    price = first.price if len(prices) == 1 else amount / quantity if quantity else None
    return replace(first, amount=amount, quantity=quantity, price=price)


@dataclass(frozen=True, slots=True, eq=False)
class _Energy:
    """The energy of one direction in each part of the steps, by the price it has there."""

    names: tuple[str, ...]
    amounts: Array  # (prices,) [currency]
    energy: Array  # (prices,) [kWh]
    kwh: float  # that is billed
    is_missing: Mask  # (n,)
    is_unpriced: Mask  # (n,)

    @classmethod
    def of(
        cls, tariff: Tariff, flow: Flow, clock: Clock, market: Mapping[str, Market], metered: Array, before: float
    ) -> _Energy:
        part = np.repeat(metered / clock.per_step, clock.per_step)
        is_missing = np.isnan(metered)
        if isinstance(flow.rate, Blocks):
            return cls._in_tiers(flow.rate, clock, part, before, is_missing)
        none = np.zeros(len(part), dtype=np.int64)
        rate = rated(flow, clock, market, names_holidays=tariff.names_holidays, tier=none)
        band, names = rate.band, rate.names
        if isinstance(flow.rate, Dynamic):
            band, names = (rate.price < 0).astype(np.int64), (DYNAMIC, f"{DYNAMIC}, below zero")
        is_known = ~np.isnan(part) & ~np.isnan(rate.price) & ~rate.is_forecast
        energy = np.bincount(band[is_known], weights=part[is_known], minlength=len(names)).astype(np.float64)
        paid = (part * rate.price)[is_known]
        amounts = np.bincount(band[is_known], weights=paid, minlength=len(names)).astype(np.float64)
        has_no_price = (np.isnan(rate.price) | rate.is_forecast).reshape(-1, clock.per_step).any(axis=1)
        return cls(names, amounts, energy, float(energy.sum()), is_missing, has_no_price & ~is_missing & (metered != 0))

    @classmethod
    def _in_tiers(cls, rate: Blocks, clock: Clock, part: Array, before: float, is_missing: Mask) -> _Energy:
        """Split what each part uses among the tiers that it passes through."""
        begins = used_before(part, clock, rate, before)
        ends = begins + np.nan_to_num(part)
        edges = rate.edges
        energy = np.array(
            [float((np.clip(ends, low, high) - np.clip(begins, low, high)).sum()) for low, high in pairwise(edges)]
        )
        amounts = energy * np.array([tier.price for tier in rate.tiers])
        nothing = np.zeros(len(is_missing), dtype=np.bool_)
        return cls(tier_names(rate), amounts, energy, float(energy.sum()), is_missing, nothing)

    def lines(self, kind: Kind) -> Iterator[Line]:
        """Yield a line for each price at which there was any energy."""
        sign = -1.0 if kind == "export" else 1.0
        for name, amount, energy in zip(self.names, self.amounts.tolist(), self.energy.tolist(), strict=True):
            if energy:
                yield Line(kind, name, sign * amount, energy, "kWh", amount / energy)


def _standing(tariff: Tariff, window: Window, zone: str) -> Iterator[Line]:
    if tariff.standing is None:
        return
    price = tariff.standing.price
    if tariff.standing.per is Per.DAY:
        days = sum(_days(window, zone).values())
        yield Line("standing", "standing charge", price * days, days, "days", price)
    else:
        months = sum(_month_shares(window, zone).values())
        yield Line("standing", "standing charge", price * months, months, "months", price)


def _days(window: Window, zone: str) -> dict[datetime, float]:
    """Return the local days of a window by their midnight, and the share of each that lies in it."""
    day = window.start.astimezone(ZoneInfo(zone)).date()
    found: dict[datetime, float] = {}
    while (begin := local_midnight(day, zone)) < window.end:
        end = local_midnight(day + DAY, zone)
        found[begin] = (min(end, window.end) - max(begin, window.start)) / (end - begin)
        day += DAY
    return found


def _month_shares(window: Window, zone: str) -> dict[str, float]:
    """Return the local months of a window, and the share of the days of each that lies in it."""
    found: dict[str, float] = {}
    for midnight, share in _days(window, zone).items():
        day = midnight.astimezone(ZoneInfo(zone)).date()
        first = day.replace(day=_FIRST_DAY)
        n_days = ((first + 31 * DAY).replace(day=_FIRST_DAY) - first).days
        name = f"{day:%Y-%m}"
        found[name] = found.get(name, 0.0) + share / n_days
    return found


def _demand(demand: Demand, metered: Metered, clock: Clock, zone: str) -> Iterator[Line]:
    """Yield a line for each month: the highest mean power of a metering interval of which all is known."""
    per = 1 if demand.interval % metered.step else demand.interval // metered.step
    length = per * metered.step
    starts = clock.starts[:: clock.per_step]
    group = starts // round(length.total_seconds())
    _names, place, count = np.unique(group, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=metered.drawn) / (length / HOUR)  # a gap in it makes it unknown
    mean = np.where(count == per, mean, np.nan)
    month = np.zeros(len(count), dtype=np.int64)
    month[place] = clock.month[:: clock.per_step]
    shares = _month_shares(metered.window, zone)
    for each in np.unique(month).tolist():
        known = mean[(month == each) & ~np.isnan(mean)]
        if known.size:
            peak, share = float(known.max()), shares[month_text(each)]
            charged = max(0.0, peak - demand.free_kw)
            words = "" if share > 1 - 1e-9 else f", {share:.0%} of the month"
            name = f"peak of {month_text(each)}: {peak:.2f} kW{words}"
            yield Line("demand", name, demand.price * charged * share, charged, "kW", demand.price * share)


def _remarks(tariff: Tariff, metered: Metered, *, is_incomplete: bool) -> Iterator[str]:
    demand = tariff.demand
    if demand is not None and demand.interval % metered.step:
        yield (
            f"The readings are means of {step_in_words(metered.step)}, and so are the peaks that are billed: those of "
            f"{step_in_words(demand.interval)} cannot be told from them."
        )
    if demand is not None and is_incomplete:
        yield "The peak may lie in the hours that are missing."
    if is_incomplete and isinstance(tariff.drawn.rate, Blocks):
        yield "What was used in the hours that are missing may have reached a higher tier."
    if tariff.fed_in is not None and metered.fed_in is None:
        yield "Nothing meters what is fed in, so nothing is credited for it."


def _windows(is_so: Mask, metered: Metered) -> Iterator[Window]:
    """Yield the spans of steps of which something holds."""
    edges: Numbers = np.flatnonzero(np.diff(np.concatenate([[0], is_so.astype(np.int64), [0]])))
    for first, last in edges.reshape(-1, 2).tolist():
        yield Window(metered.window.start + first * metered.step, metered.window.start + last * metered.step)
