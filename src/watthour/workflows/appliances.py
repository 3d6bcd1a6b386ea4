"""Which appliances of a home run, told from its mains alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.channel import DeviceKind
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.loads import loads_of_device, main_load
from watthour.core.metering import meter_channels
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import Window, floor, step_in_words
from watthour.nilm.houses import checked_house
from watthour.nilm.summary import told_of_house
from watthour.workflows.homes import channels_of, devices_of
from watthour.workflows.settling import rules_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Store
    from watthour.nilm.houses import House
    from watthour.nilm.serve import ServedNetwork
    from watthour.nilm.summary import Told
    from watthour.workflows.links import Link

LONGEST = timedelta(days=31)  # that is told of at once
_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Meters:
    """What is read to tell the appliances of a home."""

    mains: Channel
    solar: tuple[Channel, ...]  # what panels make, by either sign: the mains subtract it
    batteries: tuple[Channel, ...]  # above zero while they charge


def appliances_at_home(
    store: Store, links: Mapping[str, Link], home: Site, window: Window, network: ServedNetwork
) -> Told:
    """Tell what each appliance of a home drew in a window, and what is left.

    The mains before and after the window are looked at as well, so that what is told of an instant does not depend on
    where a window begins; what lies at the end of all that is known may still change as more comes.

    Args:
        store: the store.
        links: of the things that fill channels, by key.
        home: whose mains are read.
        window: that is told of, at most ``LONGEST``.
        network: that tells.

    Raises:
        NotEnoughHistory: the home has no meter of the whole, it is read too seldom, or not for long enough.
        InvalidInput: the mains subtract what is fed in, and nothing measures that; or the window is too long.
    """
    if not timedelta(0) < window.end - window.start <= LONGEST:
        problem = f"it is no time of up to {LONGEST.days} days"
        asked = f"{window.start.isoformat()} to {window.end.isoformat()}"
        raise InvalidInput("start", asked, problem, remedy="Ask for fewer days, the first one first.")
    step = timedelta(seconds=network.description.step_s)
    around = network.description.n_steps * step
    read = Window(floor(window.start - around, step), window.end + around)
    house = mains_of(store, links, home, meters_of(store, home), read, step)
    told = told_of_house(network, house)
    return told.between(window.start, window.end)


def meters_of(store: Store, home: Site) -> Meters:
    """Return which channels tell the mains of a home.

    Raises:
        NotEnoughHistory: none does.
    """
    channels = channels_of(store, home)
    mains = main_load(home, channels)
    if mains is None:
        remedy = f"Connect one, and name it: `watthour home change {home.id} --main NAME`."
        raise NotEnoughHistory(f"{home.name} has no meter of the whole home", remedy=remedy)
    found: dict[DeviceKind, tuple[Channel, ...]] = {}
    for device in devices_of(store, home):
        found[device.kind] = (*found.get(device.kind, ()), *loads_of_device(device, channels))
    return Meters(mains, found.get(DeviceKind.SOLAR, ()), found.get(DeviceKind.BATTERY, ()))


def mains_of(
    store: Store, links: Mapping[str, Link], home: Site, meters: Meters, window: Window, step: timedelta
) -> House:
    """Return the mains of a home as means over steps [W].

    Raises:
        NotEnoughHistory: they are read more seldom than a step.
        InvalidInput: they subtract what is fed in, and nothing measures that.
    """
    step_s = round(step.total_seconds())
    first, n = round(window.start.timestamp()), -(-round((window.end - window.start).total_seconds()) // step_s)
    powers = {
        each.id: _powers(store, links, each, window, step, n)
        for each in (meters.mains, *meters.solar, *meters.batteries)
    }
    mains = powers[meters.mains.id] - sum(powers[each.id] for each in meters.batteries)
    known = np.isfinite(mains)
    if not known.any():
        lacking = [name for name, power in powers.items() if not np.isfinite(power).any()] or [meters.mains.id]
        problem = f"{lacking[0]} has no power by {step_in_words(step)} in these days"
        remedy = "Let the meter tell its power, or its counter, at least once a minute; or ask for other days."
        raise NotEnoughHistory(problem, remedy=remedy)
    solar = None
    if meters.solar:
        solar = np.abs(np.sum([powers[each.id] for each in meters.solar], axis=0)).astype(np.float32)[known]
    time = first + step_s * np.arange(n, dtype=np.int64)
    return checked_house(home.id, step_s, time[known], mains[known].astype(np.float32), {}, solar=solar)


def _powers(
    store: Store, links: Mapping[str, Link], channel: Channel, window: Window, step: timedelta, n: int
) -> NDArray[np.float64]:
    """Return the mean power of each step [W]; NaN where it is not known."""
    ((_, rules),) = rules_of(store, [channel.id], links).values()
    fine = replace(channel, resolution=step)
    samples = store.samples([channel.id], window)
    readings: pl.DataFrame
    if samples.is_empty():
        if channel.resolution > step:
            return np.full(n, np.nan)
        readings = store.read([channel.id], window)
    else:
        finer = replace(rules, step=step, longest_uncounted=None)
        readings, _ = meter_channels(samples, {channel.id: (fine, finer)})
    return _on_line(readings, fine if samples.height else channel, window, step, n)


def _on_line(readings: pl.DataFrame, channel: Channel, window: Window, step: timedelta, n: int) -> NDArray[np.float64]:
    since = (pl.col("time") - window.start).dt.total_microseconds()
    place = (since // (step // timedelta(microseconds=1))).alias("place")
    means = readings.drop_nulls("value").group_by(place).agg(pl.col("value").mean())
    means = means.filter(pl.col("place").is_between(0, n - 1))
    powers = np.full(n, np.nan)
    powers[means["place"].to_numpy()] = means["value"].to_numpy() * _watts_per(channel)
    return powers


def _watts_per(channel: Channel) -> float:
    """Return what turns a value of a channel into the mean power of its interval [W]."""
    if channel.quantity is Quantity.ENERGY:
        hours = channel.resolution.total_seconds() / _HOUR_S
        return 1000 * conversion(channel.unit, Unit.KWH)[0] / hours
    return conversion(channel.unit, Unit.W)[0]
