"""What of a site can be forecast: a channel, a device, a zone, or the site itself by its main channel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Literal

import polars as pl

from watthour.core.channel import Channel, Device, Limits, SiteKind
from watthour.core.errors import InvalidInput, NotEnoughHistory, UnknownName, UnknownSite
from watthour.core.forecast import Context, History
from watthour.core.frames import Events, Forecasts, Quality, Readings
from watthour.core.loads import loads_of_device, loads_of_zone, main_channel
from watthour.core.names import spelt
from watthour.core.units import Quantity, Unit, conversion
from watthour.core.window import HOUR, Window, step_in_words
from watthour.forecasting.rare_use import energy_of_uses
from watthour.workflows.forecast import MEMORY, recall
from watthour.workflows.homes import channels_of, devices_of, part_named, zones_of
from watthour.workflows.sites import find_context, site_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

    from watthour.core.channel import Site, Zone
    from watthour.core.directory import SiteDirectory
    from watthour.core.ports import Store

EntityKind = Literal["site", "channel", "device", "zone"]
_ALL_TIME = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Entity:
    """Something that is forecast, and the channels whose sum it is; most are one channel.

    A device without a channel has none; its power is that of its log of uses. What is measured by ``less``, which are
    among the parts, is taken away instead of added.
    """

    kind: EntityKind
    id: str
    name: str
    context: Context
    parts: tuple[Channel, ...]
    device: str | None = None  # whose log of uses it is made of
    less: frozenset[str] = frozenset()  # ids of channels

    @property
    def is_stored(self) -> bool:
        """Whether its values are those of one channel, of which the store keeps readings and forecasts."""
        return len(self.parts) == 1

    @property
    def made_of(self) -> str:
        """What its values are made of where they are not stored, in words."""
        return "a sum of channels" if self.parts else "a log of uses"


def find_site(store: Store, directories: Sequence[SiteDirectory], name: str) -> Site:
    """Return the site that goes by a name: one of the store, else one that is known without it.

    Raises:
        UnknownSite: nothing goes by this name.
    """
    try:
        return site_named(store, name)
    except UnknownSite:
        return find_context(store, directories, name).site


def entities(
    store: Store,
    directories: Sequence[SiteDirectory],
    site: Site,
    *,
    channels: Sequence[str] = (),
    devices: Sequence[str] = (),
    zones: Sequence[str] = (),
) -> list[Entity]:
    """Return what is asked of a site, each once; without a name the site itself.

    Raises:
        UnknownName: the site has no such part.
        InvalidInput: it cannot be forecast; says what to name instead.
        NotEnoughHistory: nothing measures the whole home.
    """
    here = [channel for channel in store.channels() if channel.site == site.id and channel.variable is None]
    if not (channels or devices or zones):
        return [_main(store, directories, site, here)]
    found: list[Entity] = []
    for name in channels:
        channel = _channel_named(site, here, name)
        found.append(Entity("channel", channel.id, channel.id, _context(store, directories, channel), (channel,)))
    for name in devices:
        device = part_named("device", name, devices_of(store, site))
        found.append(_of_part(store, directories, site, "device", device))
    for name in zones:
        zone = part_named("zone", name, zones_of(store, site))
        found.append(_of_part(store, directories, site, "zone", zone))
    return list({(each.kind, each.id): each for each in found}.values())


def main_without(
    store: Store,
    directories: Sequence[SiteDirectory],
    home: Site,
    without: Sequence[Channel],
    *,
    given: frozenset[str] = frozenset(),
) -> Entity:
    """Return the load of a home less what some channels in it measure; their steps must fit into its own.

    Args:
        store: knows the channels of the home.
        directories: of sites that are known without it.
        home: which.
        without: what is taken out.
        given: ids of those that count what they give the home above zero, such as the sun, and so are added.

    Raises:
        InvalidInput: several channels measure the whole home, and none is its main one.
        NotEnoughHistory: nothing measures the whole home.
    """
    main = entities(store, directories, home)[0]
    whole = main.parts[0]
    if not without:
        return main
    rest = replace(
        whole, id=f"{home.prefix}.rest_of_load", quantity=Quantity.POWER, unit=Unit.KW, limits=Limits(), device=None
    )
    less = frozenset(each.id for each in without) - given
    return Entity(
        "site", home.id, f"{home.name} without what is planned", Context(home, rest), (whole, *without), less=less
    )


def newest_reading(store: Store, entity: Entity) -> datetime:
    """Return the start of the newest interval of which all parts have a reading.

    Raises:
        NotEnoughHistory: a part has none.
    """
    if entity.device is not None:
        return _log_of(store, entity, _ALL_TIME)[1].end - entity.context.resolution
    spans = store.spans()
    empty = [channel.id for channel in entity.parts if channel.id not in spans]
    if empty:
        raise NotEnoughHistory(
            f"the store has no readings of {', '.join(empty)} ({entity.name})",
            remedy="Send some to POST /api/v1/readings, or add them with `watthour import FILE`.",
        )
    step = entity.context.resolution
    if all(channel.resolution == step for channel in entity.parts):
        return min(spans[channel.id][1] for channel in entity.parts)
    end = min(spans[channel.id][1] + channel.resolution for channel in entity.parts)
    begin = _grid_of(store, entity)
    return end - (end - begin) % step - step


def recalled(store: Store, entity: Entity, window: Window, as_of: datetime) -> History:
    """Return what was known of an entity at an instant that a forecast of a window can use.

    Raises:
        NotEnoughHistory: nothing, or nothing recent, was known.
    """
    if entity.is_stored:
        return recall(store, entity.context, window, as_of)
    span = Window(window.start - MEMORY, window.end)
    if entity.device is not None:
        uses, known = _log_of(store, entity, Window(span.start, as_of), as_of)
        return History(as_of, entity.context, power_of_uses(uses, known, entity), Forecasts.create_empty())
    rows = pl.DataFrame(store.versions([channel.id for channel in entity.parts], span, as_of))
    sign = pl.when(pl.col("channel").is_in(sorted(entity.less))).then(-1.0).otherwise(1.0)
    rows, parts = _in_one_unit(rows.with_columns(pl.col("value") * sign), entity, _grid_of(store, entity))
    readings = summed(rows, parts, entity.context.channel.id)
    if readings["value"].is_not_null().sum() == 0:
        names = ", ".join(channel.id for channel in entity.parts)
        raise NotEnoughHistory(
            f"the channels of {entity.name} ({names}) have no interval in common in the {MEMORY.days} days before "
            f"{window.start:%Y-%m-%d %H:%M} UTC",
            remedy="Ask for one of them by `channel`, or bring readings of the others for the same days.",
        )
    return History(as_of, entity.context, readings, Forecasts.create_empty())


def summed(rows: pl.DataFrame, parts: Sequence[str], name: str) -> dy.DataFrame[Readings]:
    """Return the sum of several channels as a channel of its own, with every version that it ever had.

    The sum of an interval is known when the last part of it is; a gap in a part is a gap in the sum.
    """
    wide = (
        rows.with_columns(pl.col("value").fill_null(float("nan")))  # a gap that was told, unlike a part not known yet
        .pivot("channel", index=["time", "available_at"], values=["value", "quality", "recorded_at"])
        .sort("time", "available_at")
    )
    columns = {f"{column}_{part}" for column in ("value", "quality", "recorded_at") for part in parts}
    if missing := columns - set(wide.columns):
        wide = wide.with_columns(pl.lit(None).alias(each) for each in missing)
    wide = wide.with_columns(pl.col(sorted(columns)).forward_fill().over("time"))
    values, flags, recorded = (
        [pl.col(f"{column}_{part}") for part in parts] for column in ("value", "quality", "recorded_at")
    )
    known = wide.filter(pl.all_horizontal(each.is_not_null() for each in values))
    return Readings.cast(
        known.select(
            pl.lit(name).alias("channel"),
            "time",
            "available_at",
            pl.max_horizontal(recorded).alias("recorded_at"),
            reduce(lambda a, b: a + b, values).fill_nan(None).alias("value"),
            reduce(lambda a, b: a | b, flags).alias("quality"),
        )
    )


def _grid_of(store: Store, entity: Entity) -> datetime:
    """Return a start of an interval in the longest step of the parts: hours begin at half past in some time zones."""
    longest = max(entity.parts, key=lambda channel: channel.resolution)
    span = store.spans().get(longest.id)
    return _ALL_TIME.start if span is None else span[0]


def _in_one_unit(rows: pl.DataFrame, entity: Entity, begin: datetime) -> tuple[pl.DataFrame, list[str]]:
    """Return readings of channels in the unit and step of their sum, and the names of what is added up.

    Of a channel in a shorter step each place within the long step is a part of its own, so that the sum is known once
    the last of them is, and unknown while one is missing.
    """
    total = entity.context.channel
    if all((each.unit, each.resolution) == (total.unit, total.resolution) for each in entity.parts):
        return rows, [channel.id for channel in entity.parts]
    found, names = [], []
    micro = timedelta(microseconds=1)
    within = (pl.col("time") - begin).dt.total_microseconds() % (total.resolution // micro)
    for channel in entity.parts:
        is_energy = channel.quantity is Quantity.ENERGY
        factor = conversion(channel.unit, Unit.KWH if is_energy else Unit.KW)[0]
        factor *= (HOUR if is_energy else channel.resolution) / total.resolution
        place = within // (channel.resolution // micro)
        found.append(
            rows.filter(pl.col("channel") == channel.id).with_columns(
                channel=pl.lit(f"{channel.id} ") + place.cast(pl.String),
                time=pl.col("time") - pl.duration(microseconds=within),
                value=pl.col("value") * factor,
            )
        )
        names += [f"{channel.id} {n}" for n in range(total.resolution // channel.resolution)]
    return pl.concat(found), names


def power_of_uses(uses: dy.DataFrame[Events], known: Window, entity: Entity) -> dy.DataFrame[Readings]:
    """Return the mean power of each interval of a log of uses; an interval is known when all uses in it are.

    Between uses a device is off: that is what a log says as long as it goes on.
    """
    context = entity.context
    step = context.resolution
    table = energy_of_uses(uses, known, step)
    told = uses.select(
        pl.datetime_ranges(pl.col("start").dt.truncate(step), pl.col("end"), step, closed="left").alias("time"),
        told_at=pl.col("available_at"),
    )
    told = told.explode("time").group_by("time").agg(pl.col("told_at").max())
    available = pl.max_horizontal(pl.col("time") + step, "told_at")
    return Readings.cast(
        table.join(told, on="time", how="left").select(
            pl.lit(context.channel.id).alias("channel"),
            "time",
            available.alias("available_at"),
            available.alias("recorded_at"),
            (pl.col("energy_kwh") / (step / HOUR)).alias("value"),
            pl.lit(int(Quality.GOOD), pl.Int16).alias("quality"),
        )
    )


def _log_of(
    store: Store, entity: Entity, span: Window, as_of: datetime | None = None
) -> tuple[dy.DataFrame[Events], Window]:
    """Return the uses of a device that began in a span, and the whole hours of it that the home's log of uses covers.

    Raises:
        NotEnoughHistory: the home has no uses in it.
    """
    devices = [device.id for device in devices_of(store, entity.context.site)]
    events = store.events(devices, span, as_of)
    if events.is_empty():
        raise NotEnoughHistory(
            f"no use of a device of {entity.context.site.name} was known from {span.start:%Y-%m-%d %H:%M} UTC to "
            f"{span.end:%Y-%m-%d %H:%M} UTC",
            remedy="Import the uses of its devices: `watthour import events.csv --home NAME`.",
        )
    first, last = events.select(
        pl.col("start").min().dt.truncate(HOUR), pl.col("end").max().dt.offset_by("59m").dt.truncate(HOUR)
    ).row(0)
    return Events.cast(events.filter(device=entity.device)), Window(first, last)


def _main(store: Store, directories: Sequence[SiteDirectory], site: Site, here: Sequence[Channel]) -> Entity:
    if (main := main_channel(site, here)) is not None:
        context = _context(store, directories, main)
    elif site.kind is SiteKind.HOME:
        raise _without_mains(site, here)
    elif here:
        ids = ", ".join(each.id for each in here)
        problem = f"{site.name} has several channels, and none is its main one"
        raise InvalidInput("channel", None, problem, remedy=f"Name one: {ids}.")
    else:
        context = find_context(store, directories, site.id)  # known without the store, or says what to bring
    return Entity("site", site.id, site.name, context, (context.channel,))


def _without_mains(home: Site, here: Sequence[Channel]) -> InvalidInput | NotEnoughHistory:
    """Return why a home cannot be forecast by itself, and what can."""
    mains = [each.id for each in here if each.is_of_whole_site and each.is_load]
    if mains:
        problem = f"several channels measure the whole of {home.name}, and none is its main one"
        word = mains[0].removeprefix(f"{home.prefix}.")
        remedy = f"Name one of {', '.join(mains)}, or say which it is: `watthour home change {home.id} --main {word}`."
        return InvalidInput("channel", None, problem, remedy=remedy)
    return NotEnoughHistory(
        f"nothing measures the whole of {home.name}",
        remedy=f"Bring readings of its mains, such as by `watthour import FILE --channel {home.prefix}.power`. Its "
        "devices can be forecast by name, and GET /api/forecast adds them up.",
    )


def _context(store: Store, directories: Sequence[SiteDirectory], channel: Channel) -> Context:
    return find_context(store, directories, channel.id)


def _channel_named(site: Site, here: Sequence[Channel], name: str) -> Channel:
    wanted = spelt(name)
    for channel in here:
        if wanted in (channel.id, channel.id.removeprefix(f"{site.prefix}.")):
            return channel
    listed = ", ".join(each.id for each in here) or "none yet"
    raise UnknownName("channel", name, f"{site.name} has no such channel", remedy=f"It has: {listed}.")


def _of_part(
    store: Store, directories: Sequence[SiteDirectory], site: Site, kind: EntityKind, part: Device | Zone
) -> Entity:
    """Return a device or a zone: its only load channel, or the sum of those it has."""
    channels = channels_of(store, site)
    if isinstance(part, Device):
        loads = loads_of_device(part, channels)
    else:
        loads = loads_of_zone(part, devices_of(store, site), channels)
    if not loads and kind == "device" and not store.events([part.id], _ALL_TIME).is_empty():
        made = Channel(f"{part.id}.uses", site.id, Quantity.POWER, Unit.KW, HOUR, device=part.id)
        return Entity(kind, part.id, part.name, Context(site, made), (), device=part.id)
    if not loads:
        problem = f"nothing measures the power or energy of {part.name}"
        remedy = (
            "Give a device a channel: `watthour home device change`, or PATCH /api/v1/homes/{home}/devices/{device}."
        )
        raise InvalidInput(kind, part.id, problem, remedy=remedy)
    if len(loads) == 1:
        return Entity(kind, part.id, part.name, _context(store, directories, loads[0]), (loads[0],))
    first = max(loads, key=lambda each: each.resolution)
    is_alike = all((each.unit, each.resolution) == (first.unit, first.resolution) for each in loads)
    if not is_alike and any(first.resolution > HOUR or first.resolution % each.resolution for each in loads):
        listed = ", ".join(f"{each.id} ({step_in_words(each.resolution)})" for each in loads)
        problem = f"channels of {part.name} in steps that do not fit into an hour cannot be added: {listed}"
        raise InvalidInput(kind, part.id, problem, remedy="Ask for each by `channel`.")
    total = Channel(
        f"{part.id}.sum_of_channels",
        site.id,
        first.quantity if is_alike else Quantity.POWER,
        first.unit if is_alike else Unit.KW,
        first.resolution,
        device=part.id if kind == "device" else None,
        zone=part.id if kind == "zone" else None,
        is_simulated=any(each.is_simulated for each in loads),
    )
    return Entity(kind, part.id, part.name, Context(site, total), tuple(loads))
