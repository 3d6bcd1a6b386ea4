"""Homes: sites of one's own of a household, with zones (rooms, floors) and devices."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from watthour.core.channel import Device, DeviceKind, Flexibility, SiteKind, Zone, usual_flexibility
from watthour.core.errors import InvalidInput, UnknownName, UnknownSite
from watthour.core.names import id_for, spelt
from watthour.workflows.own_sites import (
    LONGEST_NAME,
    SiteWords,
    add_site,
    change_site,
    described_channel,
    forget_all,
)
from watthour.workflows.places import holidays_of, the_place
from watthour.workflows.sites import site_named

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from watthour.core.channel import Channel, Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.place import FoundPlace
    from watthour.core.ports import Gazetteer, Store
    from watthour.workflows.links import Links
    from watthour.workflows.own_sites import ChannelWords

_WORD = re.compile(r"[a-z0-9_]+")
_Choice = TypeVar("_Choice", bound=StrEnum)
_Part = TypeVar("_Part", Zone, Device)


@dataclass(frozen=True, slots=True)
class DeviceWords:
    """A device as a person describes it; nothing of it is checked yet."""

    name: str
    kind: str = "other"
    id: str | None = None  # last word of its id; None: made from the name
    rating_w: float | None = None  # [W]
    flexibility: str | None = None  # None: what is usual for its kind
    zone: str | None = None  # id or name of a zone of the home
    channels: Sequence[ChannelWords] = ()


@dataclass(frozen=True, slots=True)
class HomeWords:
    """A home as a person describes it: by its town, or by its time zone; nothing of it is checked yet."""

    name: str
    place: str | None = None  # a town by name
    time_zone: str | None = None
    id: str | None = None
    latitude: float | None = None  # [degrees north]
    longitude: float | None = None  # [degrees east]
    holidays: str | None = None
    zone: str | None = None  # of the grid
    channels: Sequence[ChannelWords] = ()
    main: str | None = None


def add_home(store: Store, directories: Sequence[SiteDirectory], gazetteer: Gazetteer, words: HomeWords) -> Site:
    """Keep a new home and return it; what is said beside the town goes before what the town tells.

    Raises:
        InvalidInput: something said cannot be, the name is taken, or neither a place nor a time zone is given.
        SourceError: the gazetteer cannot be asked.
    """
    told = {} if words.place is None else _told_by(the_place(gazetteer, words.place))
    said = {
        field: value
        for field in ("time_zone", "latitude", "longitude", "holidays")
        if (value := getattr(words, field)) is not None
    }
    if "latitude" in said or "longitude" in said:
        told = {field: value for field, value in told.items() if field not in {"latitude", "longitude"}}
    told |= said
    if "time_zone" not in told:
        remedy = "Name its town (--place Lyon; `place` over HTTP), or its time zone, such as Europe/Paris."
        raise InvalidInput("place", None, "it is not said where the home is", remedy=remedy)
    kind = str(SiteKind.HOME)
    site = SiteWords(words.name, kind, id=words.id, zone=words.zone, channels=words.channels, main=words.main, **told)
    return add_site(store, directories, site)


def change_home(
    store: Store,
    directories: Sequence[SiteDirectory],
    gazetteer: Gazetteer,
    name: str,
    changes: Mapping[str, object],
    *,
    channels: Sequence[ChannelWords] = (),
    settled: Collection[str] = (),
) -> Site:
    """Change what is known of a home and return it; a new town brings its time zone, coordinates and holidays.

    Raises:
        UnknownSite: there is no such home.
        InvalidInput: something said cannot be.
        SourceError: the gazetteer cannot be asked.
    """
    site = home_named(store, name)
    changes = dict(changes)
    if (place := changes.pop("place", None)) is not None:
        changes = {**_told_by(the_place(gazetteer, str(place))), **changes}
    return change_site(store, directories, site.id, changes, channels=channels, settled=settled)


def _told_by(place: FoundPlace) -> dict[str, Any]:
    """Return what a town says of a home in it."""
    return {
        "time_zone": place.time_zone,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "holidays": holidays_of(place),
    }


def homes(store: Store) -> list[Site]:
    """Return all homes, sorted by id."""
    return [site for site in store.sites() if site.kind is SiteKind.HOME]


def home_named(store: Store, name: str) -> Site:
    """Return the home with this id or name.

    Raises:
        UnknownSite: there is no such site; near names of homes are named.
        InvalidInput: the site is a region.
    """
    try:
        site = site_named(store, name)
    except UnknownSite as error:
        names = {spelt(word): home.id for home in homes(store) for word in (home.id, home.name)}
        near = list(dict.fromkeys(names[each] for each in get_close_matches(spelt(name), names, n=3)))
        lists = "`watthour home list` shows all homes, `watthour home add` adds one."
        raise UnknownSite(name, near, field="home", lists=lists) from error
    if site.kind is not SiteKind.HOME:
        remedy = f"Use `watthour site show {site.id}`; devices and zones belong to homes."
        raise InvalidInput("home", name, f"{site.name} is a region, not a home", remedy=remedy)
    return site


def zones_of(store: Store, home: Site) -> list[Zone]:
    """Return the zones of a home, sorted by id."""
    return [zone for zone in store.zones() if zone.site == home.id]


def devices_of(store: Store, home: Site) -> list[Device]:
    """Return the devices of a home, sorted by id."""
    return [device for device in store.devices() if device.site == home.id]


def channels_of(store: Store, part: Site | Zone | Device) -> list[Channel]:
    """Return the channels of a device, of a zone with the devices in it, or of all of a home; no weather."""
    channels = [channel for channel in store.channels() if channel.variable is None]
    match part:
        case Device():
            return [channel for channel in channels if channel.device == part.id]
        case Zone():
            inside = {device.id for device in store.devices() if device.zone == part.id}
            return [channel for channel in channels if channel.zone == part.id or channel.device in inside]
        case _:
            return [channel for channel in channels if channel.site == part.id]


def add_zone(
    store: Store, home: str, name: str, *, word: str | None = None, channels: Sequence[ChannelWords] = ()
) -> Zone:
    """Keep a new zone of a home, such as a room, with its own channels (temperature, occupancy), and return it.

    Raises:
        UnknownSite: there is no such home.
        InvalidInput: the name is taken or cannot be, or a channel cannot be.
    """
    site = _own(store, home)
    zone = Zone(_free_id(store, site, name, word), site.id, _name(name))
    new = [described_channel(site, words, part=zone) for words in channels]
    store.register([], new, zones=[zone], are_new=True)
    return zone


def zone_channel(store: Store, home: str, name: str, words: ChannelWords) -> Channel:
    """Return the channel of a zone that measures something, made where the zone has none of its name.

    Raises:
        UnknownSite: there is no such home.
        InvalidInput: it has no such zone, or the channel cannot be.
    """
    site = _own(store, home)
    zone = part_named("zone", name, zones_of(store, site))
    channel = described_channel(site, words, part=zone)
    kept = next((each for each in store.channels() if each.id == channel.id), None)
    if kept is None:
        store.register([], [channel], are_new=True)
    return kept or channel


def remove_zone(store: Store, home: str, name: str) -> Zone:
    """Remove a zone of a home; devices and channels in it stay, in no zone.

    Raises:
        UnknownName: there is no such home, or it has no such zone.
    """
    zone = part_named("zone", name, zones_of(store, _own(store, home)))
    store.forget([], zones=[zone.id])
    return zone


def add_device(store: Store, home: str, words: DeviceWords) -> Device:
    """Keep a new device of a home with its channels and return it.

    Raises:
        UnknownName: there is no such home, or it has no such zone.
        InvalidInput: the name is taken, or something said cannot be.
    """
    site = _own(store, home)
    name = _free_id(store, site, words.name, words.id)
    device = _described(store, site, name, words)
    new = [described_channel(site, each, part=device) for each in words.channels]
    store.register([], new, devices=[device], are_new=True)
    return device


def change_device(
    store: Store, home: str, name: str, changes: Mapping[str, object], *, channels: Sequence[ChannelWords] = ()
) -> Device:
    """Change what is known of a device and return it.

    Args:
        store: where it is kept.
        home: id or name of its home.
        name: its id, the last word of it, or its name.
        changes: by name of a field of ``DeviceWords``; None takes a rating, a zone or a flexibility away.
        channels: new ones.

    Raises:
        UnknownName: there is no such home, or it has no such device or zone.
        InvalidInput: something said cannot be.
    """
    site = _own(store, home)
    kept = part_named("device", name, devices_of(store, site))
    words = DeviceWords(kept.name, str(kept.kind), None, kept.rating_w, str(kept.flexibility), kept.zone)
    if "kind" in changes and "flexibility" not in changes and kept.flexibility is usual_flexibility(kept.kind):
        words = replace(words, flexibility=None)  # what was usual for one kind says nothing of another
    words = replace(words, **changes)  # type: ignore[arg-type]  # checked below
    device = _described(store, site, kept.id, words)
    if spelt(device.name) != spelt(kept.name):
        _check_free(store, site, device.name, kept.id.removeprefix(f"{site.prefix}."), itself=kept.id)
    store.register([], [described_channel(site, each, part=device) for each in channels], devices=[device])
    return device


def remove_device(
    store: Store, home: str, name: str, *, with_readings: bool = False, links: Links | None = None
) -> Device:
    """Remove a device with its channels and uses, and the links of things that filled them.

    Raises:
        UnknownName: there is no such home, or it has no such device.
        InvalidInput: there are readings or uses, and nobody said that they shall go too.
    """
    site = _own(store, home)
    device = part_named("device", name, devices_of(store, site))
    channels = [channel.id for channel in store.channels() if channel.device == device.id]
    if site.main_channel in channels:
        problem = f"{site.main_channel} is what is forecast of {site.name}"
        remedy = f"Name another first: `watthour home change {site.id} --main power`."
        raise InvalidInput("device", device.id, problem, remedy=remedy)
    forget_all(store, device.name, channels, devices=[device.id], with_readings=with_readings)
    if links is not None:
        links.forget(channels)
    return device


def part_named(field: str, name: str, parts: Iterable[_Part]) -> _Part:
    """Return the zone or device of a home with this id, last word of an id, or name.

    Raises:
        UnknownName: there is none; near names are named.
    """
    names = {spelt(word): part for part in parts for word in (part.name, part.id.rpartition(".")[2], part.id)}
    if (found := names.get(spelt(name))) is not None:
        return found
    near = list(dict.fromkeys(names[each].id for each in get_close_matches(spelt(name), names, n=3)))
    listed = ", ".join(dict.fromkeys(part.id for part in names.values()))
    remedy = f"Did you mean {', '.join(near)}?" if near else f"It has: {listed or 'none yet'}."
    raise UnknownName(field, name, f"the home has no such {field}", remedy=remedy)


def _own(store: Store, name: str) -> Site:
    """Return a home that a person may change."""
    site = home_named(store, name)
    if site.is_simulated:
        remedy = "Add your own home instead: `watthour home add`."
        raise InvalidInput("home", site.id, f"{site.name} is simulated and cannot be changed", remedy=remedy)
    return site


def _described(store: Store, site: Site, name: str, words: DeviceWords) -> Device:
    kind = _one_of(DeviceKind, "kind", words.kind)
    flexibility = usual_flexibility(kind)
    if words.flexibility is not None:
        flexibility = _one_of(Flexibility, "flexibility", words.flexibility)
    zone = None if words.zone is None else part_named("zone", words.zone, zones_of(store, site)).id
    return Device(name, site.id, _name(words.name), kind, words.rating_w, flexibility, zone)


def _one_of(choices: type[_Choice], field: str, text: str) -> _Choice:
    word = id_for(text)
    if word in [str(each) for each in choices]:
        return choices(word)
    near = get_close_matches(word, [str(each) for each in choices], n=2)
    remedy = f"Choose one of: {', '.join(choices)}."
    raise InvalidInput(
        field,
        text,
        f"there is no such {field}",
        remedy=(f"Did you mean {' or '.join(near)}? " if near else "") + remedy,
    )


def _name(text: str) -> str:
    name = unicodedata.normalize("NFC", text).strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        problem = f"a name has 1 to {LONGEST_NAME} letters"
        raise InvalidInput("name", text, problem, remedy="Give a short name, such as Washing machine.")
    return name


def _free_id(store: Store, site: Site, name: str, word: str | None) -> str:
    """Return the id of a new zone or device."""
    name = _name(name)
    word = word if word is not None else id_for(name)
    if not _WORD.fullmatch(word) or word == "weather":
        problem = "an id may contain only the letters a to z, digits and _, and must not be weather"
        raise InvalidInput("id", word, problem, remedy="Give a valid one with --id, such as washing_machine.")
    _check_free(store, site, name, word)
    return f"{site.prefix}.{word}"


def _check_free(store: Store, site: Site, name: str, word: str, *, itself: str | None = None) -> None:
    """Refuse a name by which another zone, device or channel of the home is found already."""
    parts: list[Zone | Device] = [*zones_of(store, site), *devices_of(store, site)]
    taken = {spelt(each): part.name for part in parts if part.id != itself for each in (part.name, part.id)}
    taken |= {channel.id: channel.id for channel in store.channels() if channel.site == site.id}
    for field, said in (("name", name), ("id", f"{site.prefix}.{word}")):
        if (other := taken.get(spelt(said))) is not None:
            remedy = f"Choose another: `watthour home show {site.id}` lists those that are taken."
            raise InvalidInput(field, said, f"this is already a name of {other}", remedy=remedy)
