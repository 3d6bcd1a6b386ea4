"""Which channel a table fills: one that is known, or a new one, perhaps of a new home or region."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from watthour.core.channel import Channel, Limits, Site, SiteKind, home_limits
from watthour.core.errors import InvalidInput, UnknownSite
from watthour.core.names import id_for, spelt
from watthour.core.place import Place, is_time_zone, no_time_zone
from watthour.core.units import Quantity, Unit, converts, kept_unit, units_of
from watthour.sources.covariate_columns import quantity_of
from watthour.sources.csv import conversion_of
from watthour.sources.tables.columns import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta
    from pathlib import Path

    from watthour.core.forecast import Context
    from watthour.sources.table_options import TableOptions

_LONGEST_PROPOSED = 40  # letters of a file's name that a site is proposed to be called by
_WHOLE_SITE = 3  # words of the id of a site's main channel, such as home.main.power
_KINDS = {"home": SiteKind.HOME, "grid": SiteKind.REGION}  # by the first word of a channel's id


@dataclass(frozen=True, slots=True)
class Known:
    """The sites and channels that are known when a file is read."""

    find: Callable[[str], Context | None]  # what is forecast of the site of a name
    sites: Sequence[Site] = ()
    channels: Sequence[Channel] = ()
    near: Callable[[str], Sequence[str]] = lambda _name: ()  # sites whose names are like this one

    def context(self, name: str) -> Context:
        """Return what is forecast of a site.

        Raises:
            UnknownSite: nothing goes by this name.
        """
        if (context := self.find(name)) is None:
            raise UnknownSite(name, self.near(name))
        return context


def site_and_channel(
    name: str | None, unit: Unit | None, path: Path, region: str | None, options: TableOptions, known: Known
) -> tuple[Site | None, Channel | None, Question | None]:
    """Return whose channel a table is, and the channel if anybody knows it; or what must be asked first."""
    if name is None:
        return None, None, _channel_question(proposed_channel(path, unit, known), options, unit)
    try:
        return *_known_channel(replace(options, channel=name), region, known), None
    except InvalidInput as error:
        is_new = options.site is not None and isinstance(error, UnknownSite)
        if options.time_zone is not None or not (is_new or error.field == "time_zone"):
            raise
        return None, None, _new_site_question(options.site or name, error)


def is_known(site: Site, known: Known) -> bool:
    """Tell whether a site is stored, or known before any reading of it."""
    return site.id in {each.id for each in known.sites} or known.find(site.id) is not None


def name_note(said: str, site: Site) -> str | None:
    """Return what tells a person that a name means a site known by another one, such as Texas and ERCOT."""
    if id_for(said) in {id_for(site.id), id_for(site.name)}:
        return None
    name = site.operator if site.operator and id_for(site.operator) != id_for(said) else site.name
    return f"{said} is {name} ({site.main_channel or site.prefix}), a {site.kind} that Watthour knows"


def channel_of_site(options: TableOptions, unit: Unit | None, known: Known) -> str | None:
    """Return the id of the main channel of the site that is named, or of its price; a new site gets one."""
    if options.site is None:
        return None
    is_price = unit in units_of(Quantity.PRICE)
    if (context := known.find(options.site)) is not None:
        is_other = is_price and context.channel.quantity is not Quantity.PRICE
        return _price_of(context.site, known) if is_other else context.channel.id
    wanted = spelt(options.site)
    for site in known.sites:
        if wanted in (spelt(site.id), spelt(site.name)):
            if is_price:
                return _price_of(site, known)
            word = "demand" if site.kind is SiteKind.REGION else "power"
            return site.main_channel or f"{site.prefix}.{word}"
    if not (slug := id_for(options.site)):
        raise UnknownSite(options.site, known.near(options.site))
    return _first_channel(slug, unit)


def _price_of(site: Site, known: Known) -> str:
    """Return the id of the price that holds at a site, such as a home's tariff; one that has none gets it."""
    prices = [each for each in known.channels if each.site == site.id and each.quantity is Quantity.PRICE]
    return next((each.id for each in prices if each.is_of_whole_site), f"{site.prefix}.price")


def proposed_channel(path: Path, unit: Unit | None, known: Known) -> str:
    """Return a channel for a table of which nobody said what it measures: by its file's name and its unit."""
    slug = id_for(path.stem)[:_LONGEST_PROPOSED].strip("_") or "mine"
    return _first_channel(slug if known.find(slug) is None else f"my_{slug}", unit)


def _first_channel(slug: str, unit: Unit | None) -> str:
    if unit in units_of(Quantity.PRICE):
        return f"grid.{slug}.price"
    if unit in {Unit.KWH, Unit.WH}:
        return f"home.{slug}.energy"
    return f"home.{slug}.power" if unit in {Unit.KW, Unit.W} else f"grid.{slug}.demand"


def _channel_question(proposal: str, options: TableOptions, unit: Unit | None) -> Question:
    cure = f"--site {proposal.split('.')[1]}"
    if options.time_zone is None:
        cure += " --time-zone Europe/Brussels"
    if unit is None:
        cure += " --unit MW"
    problem = "it is not known which place or home this file measures"
    remedy = f"Name the site, for example `{cure}`, or the channel, for example `--channel {proposal}`."
    return Question("channel", problem, (proposal,), remedy)


def _new_site_question(name: str, error: InvalidInput) -> Question:
    problem = f"{name} is a new site, and its time zone is not known"
    near = (
        f" If you meant {' or '.join(error.near)}, use that name."
        if isinstance(error, UnknownSite) and error.near
        else ""
    )
    return Question("time_zone", problem, (), f"Give it with --time-zone, such as Europe/Brussels.{near}")


def fitting_channel(
    channel: Channel | None,
    name: str,
    site: Site,
    unit: Unit,
    currency: str | None,
    step: timedelta | None,
    known: Known,
    file: str,
) -> Channel:
    """Return the channel that a table fills, made anew where nobody knows it.

    Raises:
        InvalidInput: the unit, currency or step of the table is not that of the channel.
    """
    if channel is None:
        return _new_channel(name, site, unit, currency, step, known)
    if currency is not None and channel.currency is not None and currency != channel.currency:
        problem = f"{channel.id} is stored in {channel.currency}"
        raise InvalidInput("unit", f"{currency}/{unit.partition('/')[2]}", problem, remedy="Name another channel.")
    if step is not None and step != channel.resolution:
        problem = f"its rows are {_minutes(step)} apart, but {channel.id} has a step of {_minutes(channel.resolution)}"
        raise InvalidInput("file", file, problem, remedy="Resample the file, or name another channel.")
    conversion_of(unit, channel)
    return channel


def _known_channel(options: TableOptions, region: str | None, known: Known) -> tuple[Site, Channel | None]:
    """Return the site that a channel's id names, and the channel if anybody knows it.

    Raises:
        InvalidInput: nobody knows the site, or the id does not belong to it.
    """
    from watthour.core.weather import weather_channels

    name = str(options.channel)
    sites = {site.prefix: site for site in known.sites}
    stored = next((channel for channel in known.channels if channel.id == name), None)
    prefix = ".".join(name.split(".")[:2])
    context = known.context(region) if region else None
    if context is None and prefix not in sites:
        kind = _KINDS.get(name.partition(".")[0])
        if kind is SiteKind.HOME or (kind is SiteKind.REGION and options.time_zone and not known.find(prefix[5:])):
            return _new_site(name, kind, options, known), None
        context = known.context(prefix.partition(".")[2] or name)
    site = sites[prefix] if context is None else context.site
    described = [] if context is None else [context.channel, *weather_channels(site, site.points)]
    channel = next((each for each in described if each.id == name), stored)
    is_series = name.startswith(f"{site.prefix}.") and not name.startswith(f"{site.prefix}.weather.")
    if channel is None and not is_series:
        remedy = (
            f"The channels of {site.name} begin with {site.prefix}, for example {site.main_channel or site.prefix}."
        )
        raise InvalidInput("channel", name, "there is no such channel", remedy=remedy)
    return site, channel


def _new_site(channel: str, kind: SiteKind, options: TableOptions, known: Known) -> Site:
    """Return a home or a region that is met for the first time, by the id of its first channel, called as it was said.

    Raises:
        InvalidInput: the id names none, or another site, or nobody says where it is.
    """
    words = channel.split(".")
    if len(words) < _WHOLE_SITE:
        problem = f"it does not say which {kind} and what is measured"
        raise InvalidInput("channel", channel, problem, remedy="Write it as home.main.power.")
    if options.time_zone is None:
        problem = f"the {kind} {words[1]} is new, and its time zone is not known"
        raise InvalidInput("time_zone", None, problem, remedy="Give it with --time-zone, such as Europe/Brussels.")
    if not is_time_zone(options.time_zone):
        raise no_time_zone(options.time_zone)
    main = channel if len(words) == _WHOLE_SITE else None
    if (other := known.find(words[1])) is not None:
        problem = f"{words[1]} is already a name of {other.site.name}"
        raise InvalidInput("channel", channel, problem, remedy=f"Use another word, such as my_{words[1]}.")
    said = " ".join(unicodedata.normalize("NFC", options.site or "").split())
    name = said if id_for(said) == words[1] else words[1]
    return Site(words[1], name, kind, Place(options.time_zone, holidays=options.holidays), main_channel=main)


def _new_channel(
    name: str, site: Site, unit: Unit, currency: str | None, step: timedelta | None, known: Known
) -> Channel:
    """Return a channel that is met for the first time: kept as its site's load is, else in the unit of the file.

    Raises:
        InvalidInput: the file shows no step, or its unit does not say what is measured.
    """
    if step is None:
        problem = "too few of its rows can be read to find their step"
        raise InvalidInput("file", name, problem, remedy="Give a table with at least three rows.")
    context = known.find(site.id)
    if context is not None and context.site.id == site.id and _is_energy(unit) and _is_energy(context.channel.unit):
        quantity, unit = context.channel.quantity, context.channel.unit
    else:
        quantity = quantity_of(unit, currency)
        unit = kept_unit(unit, quantity)
    limits = home_limits(unit, step) if site.kind is SiteKind.HOME and _is_energy(unit) else Limits()
    return Channel(
        name,
        site.id,
        quantity,
        unit,
        step,
        limits=limits,
        is_simulated=site.is_simulated,
        currency=currency if quantity is Quantity.PRICE else None,
    )


def _is_energy(unit: Unit) -> bool:
    return any(converts(unit, base) for base in (Unit.KW, Unit.KWH))


def _minutes(step: timedelta) -> str:
    return f"{step.total_seconds() / 60:g} minutes"
