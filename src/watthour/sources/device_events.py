"""Tables of uses of devices: one row per use, with the device, when it began, how long it ran and its energy.

The columns are those of the public smart-home samples with 19 columns (``device_id``, ``device_type``,
``power_rating_watt``, ``timestamp``, ``duration_minutes``, ``power_consumption_kwh`` and others, which are not kept).
A use is no reading: nothing is known of the time between two uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Device, DeviceKind, usual_flexibility
from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT, Events, Quality, Refused
from watthour.core.names import id_for
from watthour.sources.tables.cells import read_cells
from watthour.sources.tables.clock import recognise_order, take_apart
from watthour.sources.tables.understand import localised

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import dataframely as dy

    from watthour.core.channel import Site
    from watthour.sources.tables.cells import Cells

_NEEDED = ("device_id", "timestamp", "duration_minutes", "power_consumption_kwh")
_HEAD = 8192  # bytes in which the header of such a table is
_TYPE, _RATING, _PEAK = "device_type", "power_rating_watt", "peak_power_draw_watt"
_MOST_OVER_PEAK = 2.0  # energy of a use, over its peak power for all of its time
_ROUNDED_KWH = 0.01  # such tables write energy in hundredths of a kWh
_LONGEST_MINUTES = 7 * 24 * 60
_KINDS = {  # the first whose word the type of a device holds
    "washingmachine": DeviceKind.WASHING_MACHINE,
    "washer": DeviceKind.WASHING_MACHINE,
    "dishwash": DeviceKind.DISHWASHER,
    "dryer": DeviceKind.TUMBLE_DRYER,
    "freezer": DeviceKind.FREEZER,
    "refrigerator": DeviceKind.FRIDGE,
    "fridge": DeviceKind.FRIDGE,
    "microwave": DeviceKind.MICROWAVE,
    "oven": DeviceKind.OVEN,
    "hob": DeviceKind.HOB,
    "kettle": DeviceKind.KETTLE,
    "tv": DeviceKind.TELEVISION,
    "television": DeviceKind.TELEVISION,
    "laptop": DeviceKind.COMPUTER,
    "computer": DeviceKind.COMPUTER,
    "router": DeviceKind.ROUTER,
    "fan": DeviceKind.FAN,
    "light": DeviceKind.LIGHTS,
    "lamp": DeviceKind.LIGHTS,
    "waterheater": DeviceKind.WATER_HEATER,
    "geyser": DeviceKind.WATER_HEATER,
    "heatpump": DeviceKind.HEAT_PUMP,
    "heater": DeviceKind.ELECTRIC_HEATER,
    "airconditioner": DeviceKind.AIR_CONDITIONER,
    "charger": DeviceKind.EV_CHARGER,
}


@dataclass(frozen=True, slots=True)
class DeviceUses:
    """The uses that a table tells, the devices they are of, and the rows that cannot be with the rule they broke."""

    file: str
    site: Site
    devices: tuple[Device, ...]
    events: dy.DataFrame[Events]
    refused: dy.DataFrame[Refused]
    date_order: str
    date_order_reason: str


def is_device_events(path: Path) -> bool:
    """Tell whether a file is a table of uses of devices."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD).lower()
    if not all(name.encode() in head for name in _NEEDED):
        return False
    try:
        names = {name.casefold() for name in read_cells(path, is_sample=True).names}
    except InvalidInput:  # no table at all, as its reader will say
        return False
    return set(_NEEDED) <= names


def read_device_events(path: Path, site: Site, *, now: datetime) -> DeviceUses:
    """Read a table of uses of the devices of a home; its times are read by the clock of the home.

    Rules: ``device_is_named``, ``time_is_readable``, ``time_exists``, ``duration_is_positive``,
    ``energy_is_a_number``, ``energy_fits_its_peak`` (not above twice the peak power for all of the time),
    ``use_has_ended`` and ``use_is_unique``.

    Raises:
        InvalidInput: it is no such table, the order of its dates is open, or most of its rows cannot be.
    """
    cells = read_cells(path)
    columns = {name.casefold(): str(number) for number, name in enumerate(cells.names)}
    moments = take_apart(cells.table[columns["timestamp"]])
    order = recognise_order(moments, None)
    if not order.is_sure:
        remedy = "Write the dates with the year first, such as 2024-07-01 02:03:55."
        raise InvalidInput("date_order", path.name, order.reason, remedy=remedy)
    rows = _rows(cells, columns).with_columns(naive=moments.naive(order.order), offset=moments.offsets)
    rows = localised(rows, site.place.time_zone)
    by_offset = (pl.col("naive") - pl.duration(minutes=pl.col("offset"))).dt.replace_time_zone("UTC").cast(INSTANT)
    rows = rows.with_columns(
        start=pl.coalesce(by_offset, "time"), is_skipped=pl.col("is_skipped") & pl.col("offset").is_null()
    ).with_columns(end=pl.col("start") + pl.duration(microseconds=(pl.col("minutes") * 60e6).cast(pl.Int64)))
    good, refused = _checked(rows, now)
    if refused.height > rows.height / 2:
        rules = ", ".join(refused["rule"].unique(maintain_order=True))
        problem = f"{refused.height:,} of its {rows.height:,} uses cannot be read ({rules}), so nothing was imported"
        raise InvalidInput("file", path.name, problem, remedy="Look at the columns of time, duration and energy.")
    prefix = f"{site.prefix}."
    moment = pl.lit(now).cast(INSTANT)
    events = good.select(
        device=pl.lit(prefix) + pl.col("word"),
        start="start",
        end="end",
        energy_kwh="energy",
        available_at="end",
        recorded_at=moment,
        quality=pl.lit(int(Quality.ASSUMED), dtype=pl.Int16),
    )
    told = refused.select(
        source=pl.lit(f"events:{path.name}"),
        channel=pl.lit(prefix) + pl.col("word"),
        rule="rule",
        row="row",
        recorded_at=moment,
    )
    return DeviceUses(
        path.name,
        site,
        _devices(good, site),
        Events.validate(events.sort("device", "start")),
        Refused.validate(told),
        order.order,
        order.reason,
    )


def _rows(cells: Cells, columns: dict[str, str]) -> pl.DataFrame:
    """Return device, type, peak, minutes and energy of each row, and the row itself."""

    def number(name: str) -> pl.Expr:
        if name not in columns:
            return pl.lit(None, dtype=pl.Float64)
        found = pl.col(columns[name]).cast(pl.Float64, strict=False)
        return pl.when(found.is_finite()).then(found)

    names = cells.table[columns["device_id"]]
    words = {name: id_for(name) for name in names.drop_nulls().unique()}
    return cells.table.select(
        device=pl.col(columns["device_id"]),
        word=pl.col(columns["device_id"]).replace_strict(words, default=None, return_dtype=pl.String),
        kind=pl.col(columns[_TYPE]) if _TYPE in columns else pl.lit(None, dtype=pl.String),
        rating=number(_RATING),
        peak=pl.max_horizontal(number(_RATING), number(_PEAK)),
        minutes=number("duration_minutes"),
        energy=number("power_consumption_kwh"),
        row=pl.struct(pl.col(columns[name]).alias(name) for name in _NEEDED).struct.json_encode(),
    )


def _checked(rows: pl.DataFrame, now: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows into the uses and those that cannot be, with the first rule they broke."""
    most = _MOST_OVER_PEAK * pl.col("peak") / 1000 * pl.col("minutes") / 60 + _ROUNDED_KWH
    rules = {
        "device_is_named": pl.col("word").fill_null("") == "",
        "time_exists": pl.col("is_skipped"),
        "time_is_readable": pl.col("start").is_null(),
        "duration_is_positive": ~pl.col("minutes")
        .is_between(0, _LONGEST_MINUTES, closed="right")
        .fill_null(value=False),
        "energy_is_a_number": ~(pl.col("energy") >= 0).fill_null(value=False),
        "energy_fits_its_peak": (pl.col("energy") > most).fill_null(value=False),
        "use_has_ended": pl.col("end") > pl.lit(now),
    }
    rule = pl.coalesce([pl.when(is_broken).then(pl.lit(name)) for name, is_broken in rules.items()])
    rows = rows.with_columns(rule=rule)
    is_twice = pl.col("rule").is_null() & ~pl.struct("word", "start", "rule").is_first_distinct()
    rows = rows.with_columns(rule=pl.when(is_twice).then(pl.lit("use_is_unique")).otherwise("rule"))
    return rows.filter(pl.col("rule").is_null()), rows.filter(pl.col("rule").is_not_null())


def _devices(uses: pl.DataFrame, site: Site) -> tuple[Device, ...]:
    """Return the devices that were used; what several rows say of one, its first row decides."""
    found = []
    for name, word, kind, rating in uses.select("device", "word", "kind", "rating").unique("word", keep="first").rows():
        of_kind = _kind(str(kind or name))
        watts = rating if rating is not None and rating > 0 else None
        found.append(Device(f"{site.prefix}.{word}", site.id, name, of_kind, watts, usual_flexibility(of_kind)))
    return tuple(sorted(found, key=lambda each: each.id))


def _kind(words: str) -> DeviceKind:
    """Return what a device is, by the words of its type.

    >>> str(_kind("AirConditioner")), str(_kind("LED_TV")), str(_kind("Aquarium"))
    ('air_conditioner', 'television', 'other')
    """
    plain = id_for(words).replace("_", "")
    return next((kind for word, kind in _KINDS.items() if word in plain), DeviceKind.OTHER)
