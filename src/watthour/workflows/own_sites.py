"""Sites of one's own: a home, a building, a town or a zone of a grid, described by a person and kept in the store."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol
from zoneinfo import ZoneInfo

from watthour.core.channel import Channel, Device, Limits, Site, SiteKind, Zone, home_limits
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.forecast import check_divides_day, check_fits_clock
from watthour.core.names import id_for, spelt
from watthour.core.place import Place, Point, coarse, is_time_zone, no_time_zone
from watthour.core.units import Quantity, Unit, kept_unit, price_unit, quantities_of, units_of
from watthour.core.weather import weather_channels, weather_points
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.workflows.sites import described, site_named

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from watthour.core.directory import SiteDirectory
    from watthour.core.ports import Store

LONGEST_NAME = 100  # characters
MOVED_DEGREES = 0.05  # about 5 km: farther away the weather is another
_TODAYS_CLOCKS = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))  # by the rules of now
_WORD = re.compile(r"[a-z0-9_]+")
_STEP = re.compile(r"(\d+)\s*(min|minutes?|h|hours?|d|days?)", re.IGNORECASE)
_STEPS = {"m": timedelta(minutes=1), "h": HOUR, "d": DAY}
_LOADS = (Quantity.POWER, Quantity.ENERGY)


@dataclass(frozen=True, slots=True)
class ChannelWords:
    """A series of a site as a person describes it."""

    name: str  # last word of its id, such as "power"
    unit: str
    resolution: timedelta


@dataclass(frozen=True, slots=True)
class SiteWords:
    """A site as a person describes it; nothing of it is checked yet."""

    name: str
    kind: str
    time_zone: str
    id: str | None = None  # None: made from the name
    latitude: float | None = None  # [degrees north]
    longitude: float | None = None  # [degrees east]
    holidays: str | None = None
    zone: str | None = None
    points: Sequence[Point] = ()
    channels: Sequence[ChannelWords] = ()
    main: str | None = None  # name of the channel that is forecast; None: the first


def channel_words(text: str) -> ChannelWords:
    """Read a channel as it is written on the command line and in the settings.

    >>> channel_words("demand:MW:15min").resolution
    datetime.timedelta(seconds=900)

    Raises:
        InvalidInput: it is not a name, a unit and a step.
    """
    name, _, rest = text.partition(":")
    unit, _, step = rest.partition(":")
    said = _STEP.fullmatch(step.strip())
    if not name or not unit or said is None or int(said[1]) == 0:
        problem = "a channel is written as a name, a unit and the step of its readings"
        raise InvalidInput(
            "channel", text, problem, remedy="Write it as power:kW:30min, demand:MW:15min or load:MWh:1h."
        )
    return ChannelWords(name.strip(), unit.strip(), int(said[1]) * _STEPS[said[2][0].lower()])


def point_words(text: str) -> Point:
    """Read a weather point as it is written on the command line.

    >>> point_words("lyon:45.76:4.84:0.3")
    Point(id='lyon', latitude=45.76, longitude=4.84, weight=0.3)

    Raises:
        InvalidInput: it is not a word and two or three numbers.
    """
    word, *numbers = text.split(":")
    try:
        latitude, longitude, *weight = (float(number) for number in numbers)
        return Point(word.strip(), latitude, longitude, *weight)
    except (ValueError, TypeError):
        problem = "a point is written as its name, latitude, longitude and share of the load"
        raise InvalidInput("point", text, problem, remedy="Write it as lyon:45.76:4.84:0.3.") from None


def add_site(store: Store, directories: Sequence[SiteDirectory], words: SiteWords) -> Site:
    """Keep a new site with its channels and return it; the coordinates of a home are kept to a tenth of a degree.

    Raises:
        InvalidInput: something said cannot be, or the name is taken.
    """
    site, channels = _checked(replace(words, **_coarse(words.kind, latitude=words.latitude, longitude=words.longitude)))
    _check_free(store, directories, site)
    store.register([site], channels, are_new=True)  # somebody else may have added it since
    return site


def settle_site(store: Store, directories: Sequence[SiteDirectory], words: SiteWords) -> Site:
    """Let the store hold a site as the settings describe it; channels it has beyond that stay.

    Raises:
        InvalidInput: something said cannot be, the name is another's, or kept readings have another unit or step.
    """
    site, channels = _checked(words)
    kept = next((each for each in store.sites() if each.id == site.id), None)
    if kept is None:
        _check_free(store, directories, site)
    else:
        _check_own(directories, kept)
        _check_unmoved(kept, site)
        _check_clock(store, kept, site)
        site = replace(site, main_channel=site.main_channel or kept.main_channel)
    _keep(store, site, channels)
    return site


def change_site(
    store: Store,
    directories: Sequence[SiteDirectory],
    name: str,
    changes: Mapping[str, object],
    *,
    channels: Sequence[ChannelWords] = (),
    settled: Collection[str] = (),
) -> Site:
    """Change what is known of a site of one's own and return it.

    Args:
        store: where it is kept.
        directories: sites that are known without it.
        name: its id or name.
        changes: by name of a field of ``SiteWords``; None takes a value away.
        channels: new ones, or such as have no readings yet.
        settled: ids of the sites that the settings describe, which are changed there.

    Raises:
        UnknownSite: there is no such site.
        InvalidInput: something said cannot be.
    """
    kept = site_named(store, name)
    _check_own(directories, kept)
    _check_unsettled(kept, settled)
    told = {field: value for field, value in changes.items() if field in {"latitude", "longitude"}}
    changes = {**changes, **_coarse(str(kept.kind), **told)}
    words = replace(_words_of(kept), **changes, id=kept.id, kind=str(kept.kind), channels=channels)  # type: ignore[arg-type]  # checked below
    site, new = _checked(words)
    main = site.main_channel if channels and kept.main_channel is None else kept.main_channel
    if "main" in changes:
        main = _main_of(store, kept, new, changes["main"])
    _check_unmoved(kept, site)
    _check_clock(store, kept, site)
    site = replace(kept, name=site.name, place=site.place, zone=site.zone, points=site.points, main_channel=main)
    if spelt(site.name) != spelt(kept.name):
        _check_free(store, directories, site, itself=kept.id)
    _keep(store, site, new)
    return site


class BesideStore(Protocol):
    """What is kept of sites beside the store; ``KeptFiles`` is all of it."""

    def check(self, site: str) -> None:
        """Raise InvalidInput where it cannot be read."""

    def forget(self, site: str, channels: Collection[str]) -> None:
        """Take away what it tells of a site and of its channels."""


def remove_site(
    store: Store, files: BesideStore, name: str, *, with_readings: bool = False, settled: Collection[str] = ()
) -> Site:
    """Remove a site with its channels, weather, forecasts, plans, tariffs and equipment; its saved models stay.

    Raises:
        UnknownSite: there is no such site.
        InvalidInput: it has readings and nobody said that they shall go too, the settings describe it, or a file beside
            the store is damaged; nothing is removed then.
    """
    site = site_named(store, name)
    _check_unsettled(site, settled)
    files.check(site.id)
    channels = [channel.id for channel in store.channels() if channel.site == site.id]
    forget_all(store, site.name, channels, [site.id], with_readings=with_readings)
    files.forget(site.id, channels)
    return site


def forget_all(
    store: Store,
    name: str,
    channels: Sequence[str],
    sites: Sequence[str] = (),
    *,
    devices: Sequence[str] = (),
    with_readings: bool = False,
) -> None:
    """Remove channels with their site or device; a person is told what would be lost and how to lose it.

    Raises:
        InvalidInput: there are readings or uses and nobody said that they shall go too.
    """
    try:
        store.forget(channels, sites, devices=devices, with_readings=with_readings)
    except InvalidInput as error:
        if with_readings or error.field not in {"channel", "device"}:
            raise
        kept = "uses" if error.field == "device" else "readings"
        remedy = "Use --delete-readings (`delete_readings=true` over HTTP) to delete them permanently."
        field = "site" if sites else "device"
        raise InvalidInput(
            field, (*sites, *devices)[0], f"{name} has {kept} in {error.value}", remedy=remedy
        ) from error


def _coarse(kind: str, **degrees: object) -> dict[str, Any]:
    """Return coordinates as they are kept: those of a home to a tenth of a degree, so that nobody's door is known."""
    is_home = kind.strip().casefold() == SiteKind.HOME
    return {field: coarse(at) if is_home and isinstance(at, float | int) else at for field, at in degrees.items()}


def _checked(words: SiteWords) -> tuple[Site, list[Channel]]:
    """Return the site and the channels that a person means."""
    name = unicodedata.normalize("NFC", words.name).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        problem = f"a name has 1 to {LONGEST_NAME} letters"
        raise InvalidInput("name", words.name, problem, remedy="Give a short name, such as Summer house.")
    word = words.id if words.id is not None else id_for(name)
    if not _WORD.fullmatch(word):
        problem = "the id of a site may contain only the letters a to z, digits and _"
        raise InvalidInput("id", word, problem, remedy="Give a valid one with --id, such as summer_house.")
    kind = _kind(words.kind)
    place = _place(words)
    site = Site(word, name, kind, place, zone=_or_none(words.zone), points=_points(words))
    channels = [described_channel(site, each) for each in words.channels]
    ids = [channel.id for channel in channels]
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        raise InvalidInput("channel", twice, "this channel is named twice", remedy="Give each a different name.")
    loads = [channel.id for channel in channels if channel.quantity in _LOADS]
    main = f"{site.prefix}.{words.main}" if words.main is not None else next(iter(loads or ids), None)
    if words.main is not None and words.channels and main not in ids:
        remedy = f"Choose one of: {', '.join(each.name for each in words.channels)}."
        raise InvalidInput("main", words.main, "no channel of the site has this name", remedy=remedy)
    return replace(site, main_channel=main if ids else None), channels


def _kind(text: str) -> SiteKind:
    try:
        return SiteKind(text.strip().casefold())
    except ValueError:
        problem = "it must be home or region"
        remedy = "Use home for a household, and region for anything larger: a factory, a town, a zone of a grid."
        raise InvalidInput("kind", text, problem, remedy=remedy) from None


def _place(words: SiteWords) -> Place:
    from watthour.forecasting.holiday_calendars import checked_calendar

    if (words.latitude is None) != (words.longitude is None):
        field = "longitude" if words.longitude is None else "latitude"
        raise InvalidInput(field, None, "a place needs both coordinates or none", remedy=f"Give the {field} too.")
    if not is_time_zone(words.time_zone.strip()):
        raise no_time_zone(words.time_zone.strip())
    code = _or_none(words.holidays)
    holidays = checked_calendar(code) if code is not None else None
    return Place(words.time_zone.strip(), words.latitude, words.longitude, holidays)


def _points(words: SiteWords) -> tuple[Point, ...]:
    points = tuple(words.points or ())
    if not points and words.latitude is not None and words.longitude is not None:
        return (_point_at(words.latitude, words.longitude),)
    for point in points:
        if not _WORD.fullmatch(point.id):
            problem = "the name of a point may contain only the letters a to z, digits and _"
            raise InvalidInput("point", point.id, problem, remedy="Write it as new_york.")
        if not (isfinite(point.weight) and point.weight > 0):
            problem = f"the weight of {point.id} must be its share of the site's load"
            raise InvalidInput("weight", point.weight, problem, remedy="Give a number above 0, such as 0.3.")
        Place(words.time_zone.strip(), point.latitude, point.longitude)  # refuses what is not on the globe
    ids = [point.id for point in points]
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        raise InvalidInput("point", twice, "two points have this name", remedy="Give each a different name.")
    return points


def described_channel(site: Site, words: ChannelWords, *, part: Device | Zone | None = None) -> Channel:
    """Return a channel of a site, or of a device or zone of it, as a person means it.

    Where a unit fits several quantities, such as %, the channel's name must be one of them, such as occupancy.

    Raises:
        InvalidInput: its name, unit or step cannot be.
    """
    named = next((unit for unit in Unit if unit.casefold() == words.unit.casefold()), None)
    unit, currency = price_unit(words.unit, is_whole=True) or (named, None)
    quantities = [] if unit is None else quantities_of(unit)
    quantities = [each for each in quantities if each == words.name] or quantities
    if unit is None or len(quantities) != 1 or (quantities == [Quantity.PRICE] and currency is None):
        kept = [str(unit) for quantity in _LOADS for unit in units_of(quantity)]
        problem = "there is no such unit" if unit is None else "it does not show what is measured"
        if quantities == [Quantity.PRICE]:
            problem = "it does not name the currency of the price"
        remedy = f"Use one of {', '.join(kept)}, or of a price its currency and energy, such as EUR/MWh."
        if len(quantities) > 1:
            remedy += f" With {unit}, the channel's name must be one of {', '.join(quantities)}."
        raise InvalidInput("unit", words.unit, problem, remedy=remedy)
    (quantity,) = quantities
    if not _WORD.fullmatch(words.name) or words.name == "weather":
        problem = "the name of a channel may contain only the letters a to z, digits and _, and must not be weather"
        raise InvalidInput("channel", words.name, problem, remedy="Write it as power or demand.")
    check_divides_day(words.resolution)
    check_fits_clock(words.resolution, site.place.time_zone, _TODAYS_CLOCKS)
    unit = kept_unit(unit, quantity)
    is_home = site.kind is SiteKind.HOME and quantity in _LOADS
    limits = home_limits(unit, words.resolution) if is_home else Limits()
    return Channel(
        f"{site.prefix if part is None else part.id}.{words.name}",
        site.id,
        quantity,
        unit,
        words.resolution,
        limits=limits,
        currency=currency,
        device=part.id if isinstance(part, Device) else None,
        zone=part.id if isinstance(part, Zone) else None,
    )


def _check_free(store: Store, directories: Sequence[SiteDirectory], site: Site, *, itself: str | None = None) -> None:
    """Refuse a name by which something else is found already."""
    others = [each for each in store.sites() if each.id != itself]
    taken = {spelt(word): each.name for each in others for word in (each.id, each.name)}
    taken |= {channel.id: channel.id for channel in store.channels() if channel.site != itself}
    for field, word in (("name", site.name), ("id", site.id)):
        known = [found.site.name for each in directories if (found := each.find(word)) is not None]
        other = next(iter(known), taken.get(spelt(word)))
        if other is not None and not (field == "id" and word == itself):
            remedy = f"Choose another, such as {_another(site.id, taken)}."
            if site.id in {each.id for each in others}:
                remedy += f" `watthour site change {site.id}` changes the existing site."
            raise InvalidInput(field, word, f"this is already a name of {other}", remedy=remedy)


def _another(word: str, taken: Mapping[str, str]) -> str:
    tried = [f"my_{word}", *(f"{word}_{n}" for n in range(2, len(taken) + 3))]
    return next(each for each in tried if each not in taken)


def _check_own(directories: Sequence[SiteDirectory], site: Site) -> None:
    """Refuse to change a site whose description comes from elsewhere."""
    if site.is_simulated or described(directories, site) is not None:
        problem = f"{site.name} is part of Watthour and cannot be changed"
        remedy = "Add your own site instead: `watthour site add`."
        raise InvalidInput("site", site.id, problem, remedy=remedy)


def _check_unsettled(site: Site, settled: Collection[str]) -> None:
    if site.id in settled:
        problem = f"{site.name} is described in the settings file, which overrides other changes"
        raise InvalidInput("site", site.id, problem, remedy=f"Edit the block [sites.{site.id}] in watthour.toml.")


def _words_of(site: Site) -> SiteWords:
    place = site.place
    own = place.latitude is not None and place.longitude is not None and (_point_at(place.latitude, place.longitude),)
    points = () if site.points == own else site.points
    return SiteWords(
        site.name,
        str(site.kind),
        place.time_zone,
        site.id,
        place.latitude,
        place.longitude,
        place.holidays,
        site.zone,
        points,
    )


def _main_of(store: Store, site: Site, new: Sequence[Channel], word: object) -> str:
    here = [each.id for each in (*store.channels(), *new) if each.site == site.id and each.variable is None]
    if (wanted := f"{site.prefix}.{word}") not in here:
        remedy = f"Choose one of: {', '.join(each.removeprefix(site.prefix + '.') for each in here) or 'none yet'}."
        raise InvalidInput("main", word, "no channel of the site has this name", remedy=remedy)
    return wanted


def _point_at(latitude: float, longitude: float) -> Point:
    """Return the point of a place, named by where it is: after a move, weather of two places is never mixed."""
    north, east = round(latitude * 100), round(longitude * 100)
    return Point(f"{'s' if north < 0 else 'n'}{abs(north)}_{'w' if east < 0 else 'e'}{abs(east)}", latitude, longitude)


def _check_unmoved(kept: Site, site: Site) -> None:
    """Refuse a point that goes by the name of another place, whose weather is kept under it."""
    before = {point.id: point for point in kept.points}
    for point in site.points:
        old = before.get(point.id, point)
        if max(abs(old.latitude - point.latitude), abs(old.longitude - point.longitude)) > MOVED_DEGREES:
            problem = f"the stored weather of this point is for {old.latitude:g}, {old.longitude:g}"
            raise InvalidInput(
                "point", point.id, problem, remedy=f"Give the new place another name, such as {point.id}_2."
            )


def _check_clock(store: Store, kept: Site, site: Site) -> None:
    """Refuse a clock by whose days what is kept cannot be forecast, such as full hours of UTC in India."""
    zone = site.place.time_zone
    if zone == kept.place.time_zone:
        return
    spans = store.spans()
    for channel in (each for each in store.channels() if each.site == kept.id and each.variable is None):
        check_fits_clock(channel.resolution, zone, _TODAYS_CLOCKS)
        if channel.id not in spans:
            continue
        first = spans[channel.id][0]
        late = (first - local_midnight(first.astimezone(ZoneInfo(zone)).date(), zone)) % channel.resolution
        if late:
            minutes = late // timedelta(minutes=1)
            problem = f"the intervals of {channel.id} begin {minutes} minutes after those of the local day there"
            remedy = "Keep its clock, or add another site and import its readings there, resampled."
            raise InvalidInput("time_zone", zone, problem, remedy=remedy)


def _weather(site: Site) -> list[Channel]:
    return weather_channels(site, weather_points(site))


def _keep(store: Store, site: Site, channels: Sequence[Channel]) -> None:
    """Keep a site; where its weather was taken before weighs nothing, and channels without readings may differ.

    Channels of weather come with the weather itself: a model that is promised some and gets none cannot be trained.
    """
    kept = {channel.id: channel for channel in store.channels() if channel.site == site.id}
    weather = _weather(site)
    points = {channel.point for channel in weather}
    retired = [
        replace(channel, weight=0.0)
        for channel in kept.values()
        if channel.variable is not None and channel.point and channel.point not in points
    ]
    other = [each.id for each in channels if each.id in kept and _meaning(kept[each.id]) != _meaning(each)]
    if other:
        spans = store.spans()
        if filled := [each for each in other if each in spans]:
            was = kept[filled[0]]
            problem = f"it has readings in {was.unit_in_words}, {was.resolution // timedelta(minutes=1)} minutes apart"
            raise InvalidInput(
                "channel", was.id, problem, remedy="Use that unit and step, or give the new channel another name."
            )
        store.forget(other)
    again = [channel for channel in weather if channel.id in kept]
    store.register([site], [*channels, *again, *retired])


def _meaning(channel: Channel) -> tuple[object, ...]:
    return (channel.quantity, channel.unit_in_words, channel.resolution)


def _or_none(text: str | None) -> str | None:
    return None if text is None or not text.strip() else text.strip()


__all__ = [
    "ChannelWords",
    "SiteWords",
    "UnknownSite",
    "add_site",
    "change_site",
    "channel_words",
    "described_channel",
    "point_words",
    "remove_site",
    "settle_site",
]
