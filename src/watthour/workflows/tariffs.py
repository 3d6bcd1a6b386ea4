"""The tariff of a home: how it is set, and with it what the hours ahead cost and what the past has cost."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from watthour.core.errors import InvalidInput, NotEnoughHistory, UnknownName
from watthour.core.loads import main_load
from watthour.core.price import is_with_tax
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import DAY, HOUR, Window, floor, local_midnight
from watthour.planning.bills import Metered, bill, joined_bills
from watthour.planning.prices import Calendar, joined_prices, prices, unknown_prices
from watthour.planning.tariff_words import odd_price, questions, read_tariff
from watthour.planning.tariffs import BlockPeriod, Blocks, Dynamic
from watthour.workflows.kept_tariffs import AFTER_ALL, one_currency, tariff_of, tariffs_over
from watthour.workflows.price_ahead import market_between, on_grid, on_steps, published_between

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import ModelRegistry, Store
    from watthour.planning.bills import Bill
    from watthour.planning.prices import Array, Market, Prices
    from watthour.planning.tariff_words import Question
    from watthour.planning.tariffs import Flow, Tariff
    from watthour.workflows.kept_tariffs import Tariffs

MOST_HOURS = 168
LONGEST_BILL = 3 * 366 * DAY
STEPS = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60))
_RECENT = 30 * DAY  # of a followed price, which is compared with what a kWh usually costs


@dataclass(frozen=True, slots=True)
class _Used:
    """What flowed in the running day or month of a block tariff, as far as it is known."""

    kwh: float = 0.0
    missing: timedelta = timedelta(0)  # of which nothing is known


@dataclass(frozen=True, slots=True)
class KeptTariff:
    """A tariff that was kept."""

    tariff: Tariff
    since: datetime | None  # None: at all times before
    until: datetime | None  # when the next one begins; None: there is none


def set_tariff(
    store: Store,
    tariffs: Tariffs,
    home: Site,
    said: Mapping[str, Any],
    *,
    now: datetime,
    since: date | None = None,
    is_confirmed: bool = False,
    drops_later: bool = False,
) -> KeptTariff:
    """Keep the tariff of a home until the next one that it has; what was agreed before it stays, for what is past.

    Args:
        store: knows the channels that it names.
        tariffs: where it is kept.
        home: whose it is.
        said: as ``planning.tariff_words`` reads it.
        now: the present.
        since: local day from which it holds, in place of what began on that day; None: from the hour now running on,
            and where none holds yet at all times.
        is_confirmed: what looks like a slip is meant.
        drops_later: what was to hold later is dropped.

    Raises:
        InvalidInput: something said cannot be, or looks like a slip and is not confirmed.
    """
    tariff = read_tariff(said)
    _check_channels(store, home, tariff)
    calendar_of(home, tariff, Window(now, now + DAY))  # raises where holidays are named and nobody knows them
    odd = [*questions(tariff), *_odd_followed(store, tariff, now)]
    if odd and not is_confirmed:
        others = f" Also odd: {', '.join(each.field for each in odd[1:])}." if len(odd) > 1 else ""
        problem, _, cure = odd[0].text.partition(" If ")
        remedy = f"{f'If {cure}' if cure else ''} If it is right, confirm it: --confirm (`confirm` over HTTP).{others}"
        raise InvalidInput(odd[0].field, odd[0].value, problem, remedy=remedy.strip())
    plain, present, end = json.loads(json.dumps(said)), tariffs.term_at(home.id, now), None
    begin = None if present is None else floor(now.astimezone(UTC), HOUR)
    if since is not None:
        begin, end = (local_midnight(day, home.place.time_zone) for day in (since, since + DAY))
    elif present is not None and present.said == plain:
        begin = present.since
    tariffs.keep(home.id, plain, begin, replaces_to=AFTER_ALL if drops_later else end)
    later = [each for each in tariffs.terms(home.id) if each.since and (begin is None or each.since > begin)]
    return KeptTariff(tariff, begin, later[0].since if later else None)


def home_prices(
    store: Store,
    registry: ModelRegistry,
    tariffs: Tariffs,
    home: Site,
    *,
    hours: int,
    now: datetime,
    step: timedelta | None = None,
) -> Prices:
    """Return what one more kWh costs and earns in a home from the step now running on.

    A price that is not published yet is forecast, and marked; where it cannot be, the remarks say why. All are in the
    currency that is paid now, and NaN where another is paid by then. A block tariff stands in the tier that this day or
    month has reached by what is metered.

    Raises:
        InvalidInput: the number of hours or the step cannot be.
        UnknownName: the home has no tariff, or none yet.
    """
    if not 1 <= hours <= MOST_HOURS:
        raise InvalidInput("hours", hours, f"it must be 1 to {MOST_HOURS}", remedy="Ask for 24 or 48.")
    present = tariff_of(tariffs, home, now)
    step = step or _usual_step(store, present)
    if step not in STEPS:
        minutes = step / timedelta(minutes=1)
        raise InvalidInput("step_minutes", minutes, "it is no usual step", remedy="Use 5, 10, 15, 30 or 60.")
    start = floor(now.astimezone(UTC), step)
    window = Window(start, start + -(-(hours * HOUR) // step) * step)
    parts = [
        _prices_ahead(store, registry, home, tariff, span, step, now)
        if tariff.currency == present.currency
        else _in_another_currency(home, span, step, tariff, present.currency)
        for span, tariff in tariffs_over(tariffs, home, window, step)
    ]
    return joined_prices(parts, window)


def _in_another_currency(home: Site, span: Window, step: timedelta, tariff: Tariff, currency: str) -> Prices:
    """Return that prices are not known in a currency while the tariff is in another."""
    zone = ZoneInfo(home.place.time_zone)
    first, last = (f"{edge.astimezone(zone):%Y-%m-%d %H:%M}" for edge in (span.start, span.end))
    why = f"From {first} to {last} the tariff is in {tariff.currency}, so no price in {currency} is known then."
    return unknown_prices(span, step, currency, why)


def _prices_ahead(
    store: Store, registry: ModelRegistry, home: Site, tariff: Tariff, window: Window, step: timedelta, now: datetime
) -> Prices:
    """Return the prices of one tariff ahead."""
    channels = _followed(store, tariff)
    market = {each.id: market_between(store, registry, each, window, now=now) for each in channels}
    used = _used_before(store, home, tariff, window.start, now)
    calendar = calendar_of(home, tariff, window)
    found = prices(tariff, window, step, calendar, market, used_kwh=used[0].kwh, fed_in_kwh=used[1].kwh)
    return replace(found, remarks=(*found.remarks, *_tier_remarks(used)))


def home_bill(store: Store, tariffs: Tariffs, home: Site, window: Window, *, now: datetime) -> Bill:
    """Return the bill of a home over a past period, each part of it by the tariff that held then.

    Raises:
        UnknownName: the home has no tariff, or none at its begin.
        InvalidInput: the period has not ended, is too long, is no whole number of the meter's intervals, or is paid in
            two currencies.
        NotEnoughHistory: nothing was metered in it.
    """
    if window.end > now or window.end - window.start > LONGEST_BILL:
        remedy = f"Ask for days up to yesterday, at most {LONGEST_BILL.days} of them."
        raise InvalidInput("end", window.end.isoformat(), "the period has not ended, or is too long", remedy=remedy)
    meter = meter_of(store, home, tariff_of(tariffs, home, window.start).drawn)
    terms = tariffs_over(tariffs, home, window, meter.resolution)
    one_currency(terms, home)  # raises where there are two
    metered = [_metered(store, home, tariff, span, now) for span, tariff in terms]
    if all(np.isnan(each.drawn).all() for each, _used in metered):
        problem = f"no reading of {meter.id} is known between {window.start:%Y-%m-%d} and {window.end:%Y-%m-%d}"
        raise NotEnoughHistory(problem, remedy="Bring some in with `watthour import`, or ask for other days.")
    parts = []
    for (span, tariff), (flowed, used) in zip(terms, metered, strict=True):
        found = bill(tariff, flowed, calendar_of(home, tariff, span), _published(store, tariff, span, now))
        parts.append(replace(found, remarks=(*found.remarks, *_tier_remarks(used))))
    return joined_bills(parts, window, ZoneInfo(home.place.time_zone))


def _metered(store: Store, home: Site, tariff: Tariff, window: Window, now: datetime) -> tuple[Metered, list[_Used]]:
    """Return what was drawn and fed in over the time of one tariff, and what had flowed before in its running tier."""
    meter = meter_of(store, home, tariff.drawn)
    step = meter.resolution
    drawn = metered_kwh(store, meter, window, now)
    export_meter = None if tariff.fed_in is None or tariff.fed_in.meter is None else tariff.fed_in.meter
    fed_in = None
    if tariff.fed_in is not None and export_meter is not None:
        other = meter_of(store, home, tariff.fed_in)
        if other.resolution != step:
            problem = f"{other.id} has steps of another length than {meter.id}"
            raise InvalidInput("export.meter", other.id, problem, remedy="Name two meters with the same step.")
        fed_in = np.maximum(metered_kwh(store, other, window, now), 0.0)
    elif tariff.fed_in is not None and bool((drawn < 0).any()):
        fed_in = np.maximum(-drawn, 0.0)
    used = _used_before(store, home, tariff, window.start, now)
    return Metered(window, step, np.maximum(drawn, 0.0), fed_in, used[0].kwh, used[1].kwh), used


def past_prices(
    store: Store,
    tariffs: Tariffs,
    home: Site,
    window: Window,
    step: timedelta,
    *,
    now: datetime,
    currency: str | None = None,
) -> Prices:
    """Return what one more kWh cost and earned in a home in each step of a past window, by the tariff that held then.

    NaN where nothing is published, before there was a tariff, or where another currency was paid than the one named. A
    block tariff stands in the tier that was reached by what was metered.

    Raises:
        UnknownName: the home has no tariff, or one by what is used, and no meter.
        InvalidInput: the step does not divide the window, or it is paid in two currencies and none is named.
    """
    spans = tariffs_over(tariffs, home, window, step)
    wanted = currency or one_currency(spans, home)
    parts = [
        _prices_then(store, home, tariff, span, step, now)
        if tariff.currency == wanted
        else _in_another_currency(home, span, step, tariff, wanted)
        for span, tariff in spans
    ]
    return joined_prices(parts, window)


def _prices_then(store: Store, home: Site, tariff: Tariff, window: Window, step: timedelta, now: datetime) -> Prices:
    """Return the past prices of one tariff."""
    used = _used_before(store, home, tariff, window.start, now)
    expected = None
    if isinstance(tariff.drawn.rate, Blocks):
        drawn = metered_kw(store, meter_of(store, home, tariff.drawn), window, step, now)
        expected = np.nan_to_num(np.maximum(drawn, 0.0)) * (step / HOUR)
    already = {"used_kwh": used[0].kwh, "fed_in_kwh": used[1].kwh}
    market, calendar = _published(store, tariff, window, now), calendar_of(home, tariff, window)
    found = prices(tariff, window, step, calendar, market, **already, expected_kwh=expected)
    return replace(found, remarks=(*found.remarks, *_tier_remarks(used)))


def _published(store: Store, tariff: Tariff, window: Window, now: datetime) -> dict[str, Market]:
    """Return published prices by channel."""
    return {each.id: published_between(store, each, window, now) for each in _followed(store, tariff)}


def _used_before(store: Store, home: Site, tariff: Tariff, start: datetime, now: datetime) -> list[_Used]:
    """Return what was drawn and fed in before in the running tier."""
    return [_used_so_far(store, home, tariff, flow, start, now) for flow in (tariff.drawn, tariff.fed_in)]


def calendar_of(home: Site, tariff: Tariff, window: Window) -> Calendar:
    """Return the clock of a home, and its holidays where the tariff has prices of their own for them.

    Raises:
        InvalidInput: the tariff names holidays, and no calendar is known.
    """
    zone = tariff.time_zone or home.place.time_zone
    if not tariff.names_holidays:
        return Calendar(zone)
    from watthour.forecasting.calendar import named_holidays

    code = tariff.holidays or home.place.holidays
    if code is None:
        remedy = f'Write holidays = "FR" in the tariff, or: `watthour home change {home.id} --holidays FR`.'
        raise InvalidInput("holidays", None, "bands name holidays, and no calendar of them is known", remedy=remedy)
    first, last = (each.astimezone(ZoneInfo(zone)).year for each in (window.start, window.end))
    days: Mapping[date, str] = named_holidays(code, range(first, last + 1))
    return Calendar(zone, frozenset(days))


def meter_of(store: Store, home: Site, flow: Flow) -> Channel:
    """Return the channel that meters one direction: the one that is named, else the load of the home.

    Raises:
        UnknownName: there is none.
    """
    channels = [each for each in store.channels() if each.site == home.id and each.is_load]
    if flow.meter is None:
        found = main_load(home, channels)
    else:
        found = next((each for each in channels if each.id == flow.meter), None)
    if found is None:
        listed = ", ".join(each.id for each in channels) or "none yet"
        remedy = f"Name one by meter = ... in the tariff. {home.name} has: {listed}."
        raise UnknownName("meter", flow.meter, "no channel of this home meters it", remedy=remedy)
    return found


def metered_steps(store: Store, meter: Channel, window: Window) -> Window | None:
    """Return the whole intervals of a meter within a window; None: there is none.

    Its intervals are where its readings are: days begin within an hour where a time zone is off the full hour.
    """
    step = meter.resolution
    span = store.spans().get(meter.id)
    grid = window.start if span is None else span[0]
    start = window.start + (grid - window.start) % step
    whole = (window.end - start) // step * step
    return Window(start, start + whole) if whole > timedelta() else None


def metered_kwh(store: Store, meter: Channel, window: Window, now: datetime) -> Array:
    """Return the energy of each interval of a window; NaN where nothing that can be trusted is known. [kWh].

    Raises:
        InvalidInput: the window is no whole number of the meter's intervals.
    """
    if (window.end - window.start) % meter.resolution:
        remedy = "Ask for whole local days."
        raise InvalidInput("start", window.start.isoformat(), "it is within an interval of the meter", remedy=remedy)
    values = on_grid(store, meter, window, now)
    is_energy = meter.quantity is Quantity.ENERGY
    factor, _offset = conversion(meter.unit, Unit.KWH if is_energy else Unit.KW)
    return np.asarray(values * factor * (1.0 if is_energy else meter.resolution / HOUR))


def metered_kw(store: Store, meter: Channel, window: Window, step: timedelta, now: datetime) -> Array:
    """Return the mean power of each step of a window; NaN where a part of it is not known. [kW]."""
    start = floor(window.start, meter.resolution)
    whole = Window(start, start + -(-(window.end - start) // meter.resolution) * meter.resolution)
    kw = metered_kwh(store, meter, whole, now) / (meter.resolution / HOUR)
    return on_steps(kw, start, meter.resolution, window, step)


def _followed(store: Store, tariff: Tariff) -> list[Channel]:
    """Return the channels of prices that a tariff follows, as far as they are there."""
    return [each for each in store.channels() if each.id in tariff.channels()]


def _usual_step(store: Store, tariff: Tariff) -> timedelta:
    """Return the step in which prices are told where nobody asks for another: that of the prices, else an hour."""
    steps = [each.resolution for each in _followed(store, tariff)]
    return max(STEPS[0], min([*steps, HOUR]))


def _used_so_far(store: Store, home: Site, tariff: Tariff, flow: Flow | None, until: datetime, now: datetime) -> _Used:
    """Return what is known to have flowed in the running day or month of a block tariff before an instant."""
    if flow is None or not isinstance(flow.rate, Blocks):
        return _Used()
    zone = tariff.time_zone or home.place.time_zone
    today = until.astimezone(ZoneInfo(zone)).date()
    begin = local_midnight(today if flow.rate.period is BlockPeriod.DAY else today.replace(day=1), zone)
    if begin >= until:
        return _Used()
    meter = meter_of(store, home, flow)
    whole = metered_steps(store, meter, Window(begin, until))
    if whole is None:
        return _Used()
    sign = -1.0 if flow is tariff.fed_in and flow.meter is None else 1.0
    flowed = np.maximum(sign * metered_kwh(store, meter, whole, now), 0.0)
    return _Used(float(np.nansum(flowed)), int(np.isnan(flowed).sum()) * meter.resolution)


def _tier_remarks(used: Sequence[_Used]) -> Iterator[str]:
    """Say where a block tariff may stand in a higher tier than what is known tells."""
    for each in used:
        if each.missing:
            yield (
                f"What was used in {each.missing / HOUR:g} hours of the running day or month is not known: a higher "
                "tier may be reached."
            )


def _check_channels(store: Store, home: Site, tariff: Tariff) -> None:
    """Refuse a channel that is not there, is no price, is in another currency, or has its taxes counted twice."""
    known = {each.id: each for each in store.channels()}
    sides = (("import", tariff.drawn), ("export", tariff.fed_in))
    for side, flow in sides:
        if flow is None:
            continue
        if flow.meter is not None:
            meter_of(store, home, flow)
        if not isinstance(flow.rate, Dynamic):
            continue
        field, channel = f"{side}.channel", known.get(flow.rate.channel)
        listed = ", ".join(sorted(each.id for each in known.values() if each.quantity is Quantity.PRICE)) or "none yet"
        if channel is None or channel.quantity is not Quantity.PRICE:
            problem = "no price is kept under this name"
            remedy = f"Kept are: {listed}. docs/how-to/tariffs.md tells how prices are brought in."
            raise InvalidInput(field, flow.rate.channel, problem, remedy=remedy)
        if channel.currency != tariff.currency:
            problem = f"it is in {channel.currency}, the tariff in {tariff.currency}"
            raise InvalidInput(field, channel.id, problem, remedy="Follow a price in the currency of the tariff.")
        if side == "import" and tariff.tax_percent and is_with_tax(channel) and not flow.tax_included:
            problem = "these prices are with tax already, and the tariff would add it once more"
            raise InvalidInput(field, channel.id, problem, remedy=f"Write tax_included = true in [{side}].")


def _odd_followed(store: Store, tariff: Tariff, now: datetime) -> list[Question]:
    """Return the question that recent prices of a followed channel raise, as the tariff makes them."""
    flow = tariff.drawn
    if not isinstance(flow.rate, Dynamic):
        return []
    channel = next(each for each in store.channels() if each.id == flow.rate.channel)
    market = published_between(store, channel, Window(now - _RECENT, now), now)
    known = market.values[~np.isnan(market.values)]
    if not known.size:
        return []
    fees = tariff.tax_factor * sum(fee.price for fee in tariff.fees)
    tax = 1.0 if flow.tax_included else tariff.tax_factor
    typical = float(tax * (flow.rate.factor * np.median(np.abs(known)) + flow.rate.markup) + fees)
    question = odd_price("import.channel", typical, tariff.currency)
    return [] if question is None else [question]
