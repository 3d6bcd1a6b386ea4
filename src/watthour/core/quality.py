"""Doubt about readings and forecasts: the raw value stays, and a flag says why it is not believed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from watthour.core.frames import INSTANT, Forecasts, Quality, Readings
from watthour.core.plausibility import (
    PAST_DAYS,
    are_forecasts_unlike_before,
    are_temperatures_unlike_before,
)
from watthour.core.units import Quantity
from watthour.core.window import DAY, Window

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Channel
    from watthour.core.plausibility import Array, Mask, Numbers

# New York and PJM never repeat an hour more than twice in a row, ISO New England thrice.
FROZEN_AFTER = timedelta(hours=6)
_FEWEST_EQUAL = 6
_LONGEST_EQUAL = {Quantity.TEMPERATURE: 2 * DAY}  # zero is a value like another, but two days never stand still
_WEATHER_BEFORE = 8 * DAY  # what temperatures and sunshine are compared with
_LOAD_BEFORE = (PAST_DAYS + 8) * DAY  # what forecasts of load are compared with
_SEEN_BEFORE = (Quantity.TEMPERATURE, Quantity.IRRADIANCE)
_DARK_FOR = timedelta(hours=36)  # longer than any night where the sun rises
_BRIGHT = 50.0  # [W/m2] that the sun has reached before
_LARGEST = 1e12  # in any of our units; the world's load is 3e12 W, and nothing we know is a hundredth of it
_LOAD = (Quantity.POWER, Quantity.ENERGY)
_DAY_US = DAY // timedelta(microseconds=1)
_RUN = ("channel", "model", "level", "issued_at")  # what one maker said at one instant

DOUBTS = {  # in words
    Quality.ZERO: "zero where zero cannot be",
    Quality.FROZEN: "the same value for too long",
    Quality.OUT_OF_RANGE: "outside what is possible",
    Quality.UNUSUAL: "far from what was usual just before",
}


@dataclass(frozen=True, slots=True)
class Needed:
    """Part of a store that forecasts are compared with."""

    channels: list[str]
    window: Window
    has_runs: bool  # whether the last forecasts of the window are wanted beside its readings


def is_trusted(column: str = "quality") -> pl.Expr:
    """Return an expression that is true where a value carries no flag of doubt.

    >>> pl.select(pl.lit(int(Quality.ASSUMED)).alias("quality")).filter(is_trusted()).height
    1
    """
    return (pl.col(column) & int(Quality.DOUBTED)) == 0


def count_doubts(rows: pl.DataFrame) -> dict[tuple[str, Quality], int]:
    """Return how many values carry each flag of doubt, by channel; one value may carry several."""
    return {
        (channel, quality): n_doubted
        for quality in DOUBTS
        for channel, n_doubted in rows.filter((pl.col("quality") & int(quality)) != 0)
        .group_by("channel")
        .len()
        .sort("channel")
        .iter_rows()
    }


def flag(
    readings: dy.DataFrame[Readings], channels: Iterable[Channel], before: dy.DataFrame[Readings] | None = None
) -> dy.DataFrame[Readings]:
    """Add quality flags to readings that cannot be right; no value is changed.

    Args:
        readings: of any of the channels; one version per interval.
        channels: what their values can be.
        before: what is already known of the time just before (see ``look_back``), so that a value frozen across two
            fetches shows, and a temperature that jumps from one to the next.
    """
    known = {channel.id: channel for channel in channels}
    marked = pl.concat(
        [
            *([before.select(Readings.column_names(), is_new=pl.lit(value=False))] if before is not None else []),
            readings.select(Readings.column_names(), is_new=pl.lit(value=True)),
        ]
    ).sort("channel", "time", "available_at")
    flagged = _with_flags(marked, known, ["channel"])
    flagged = _with_odd_temperatures(flagged, known, ["channel"], pl.col("time").dt.truncate("1d"))
    return Readings.cast(flagged.filter("is_new").select(Readings.column_names()))


def flag_forecasts(
    forecasts: dy.DataFrame[Forecasts],
    channels: Iterable[Channel],
    *,
    readings: dy.DataFrame[Readings] | None = None,
    before: dy.DataFrame[Forecasts] | None = None,
) -> dy.DataFrame[Forecasts]:
    """Add quality flags to forecasts that cannot be right; no value is changed.

    They keep the limits of their channel as readings do. A forecast of load is compared with the load of the days
    before its issue, one of temperature with what was said of the same hours before; see ``core.plausibility``.

    Args:
        forecasts: of any of the channels.
        channels: what their values can be.
        readings: what ``compared_with`` asks for; doubted ones are left out.
        before: likewise; of each interval the last forecast is enough.
    """
    known = {channel.id: channel for channel in channels}
    parts = [forecasts.select(Forecasts.column_names(), is_new=pl.lit(value=True))]
    if before is not None:
        parts.insert(0, before.filter(is_trusted()).select(Forecasts.column_names(), is_new=pl.lit(value=False)))
    marked = pl.concat(parts).sort(*_RUN, "time")
    flagged = _with_flags(marked, known, list(_RUN))
    trusted = Readings.create_empty() if readings is None else readings.filter(is_trusted()).drop_nulls("value")
    flagged = _with_odd_load(flagged, known, pl.DataFrame(trusted))
    flagged = _with_odd_temperatures(flagged, known, ["channel", "model", "level"], pl.col("issued_at"), trusted)
    return Forecasts.cast(flagged.filter("is_new").select(Forecasts.column_names()))


def look_back(channels: Iterable[Channel]) -> timedelta:
    """Return how far before a delivery of readings a frozen value, or the level of a temperature, may have begun."""
    spans = [
        _WEATHER_BEFORE if channel.quantity in _SEEN_BEFORE else _equal_in_a_row(channel) * channel.resolution
        for channel in channels
    ]
    return max(spans, default=FROZEN_AFTER)


def compared_with(forecasts: dy.DataFrame[Forecasts], channels: Iterable[Channel]) -> tuple[Needed, ...]:
    """Return what ``flag_forecasts`` compares forecasts with: for load readings, for weather forecasts as well."""
    if forecasts.is_empty():
        return ()
    named = set(forecasts["channel"].unique())
    present = [channel for channel in channels if channel.id in named]
    load, weather = ([each.id for each in present if each.quantity in kind] for kind in (_LOAD, _SEEN_BEFORE))
    instants = (forecasts["time"].min(), forecasts["time"].max(), forecasts["issued_at"].min())
    first, last, issued = (cast("datetime", each) for each in instants)
    needed = []
    if load:
        needed.append(Needed(load, Window(min(first, issued) - _LOAD_BEFORE, last + DAY), has_runs=False))
    if weather:
        needed.append(Needed(weather, Window(first - _WEATHER_BEFORE, last + DAY), has_runs=True))
    return tuple(needed)


def _with_flags(marked: pl.DataFrame, channels: dict[str, Channel], run: list[str]) -> pl.DataFrame:
    """Add what each channel's limits say; rows are sorted by run and time."""
    limits = pl.DataFrame(
        [
            (
                channel.id,
                -_LARGEST if channel.limits.low is None else channel.limits.low,
                _LARGEST if channel.limits.high is None else channel.limits.high,
                channel.limits.is_never_constant,
                channel.limits.is_never_constant or _stands_still(channel),
                _equal_in_a_row(channel),
                channel.quantity is Quantity.IRRADIANCE,
                max(1, _DARK_FOR // channel.resolution),
            )
            for channel in channels.values()
        ],
        schema={
            "channel": pl.String,
            "low": pl.Float64,
            "high": pl.Float64,
            "is_never_zero": pl.Boolean,
            "varies": pl.Boolean,
            "equal_in_a_row": pl.Int64,
            "is_sun": pl.Boolean,
            "dark_in_a_row": pl.Int64,
        },
        orient="row",
    )
    same = pl.struct(*run, "value").rle_id()
    value = pl.col("value")
    is_zero = pl.col("is_never_zero") & (value == 0)
    length = pl.len().over(same)
    repeats = value.is_not_null() & (length >= pl.col("equal_in_a_row"))
    is_frozen = pl.col("varies") & repeats & ~is_zero
    is_outside = ((value < pl.col("low")) | (value > pl.col("high"))) & ~is_zero
    has_been_bright = (value.max().over("channel") >= _BRIGHT).fill_null(value=False)
    is_dark = pl.col("is_sun") & (value == 0) & (length >= pl.col("dark_in_a_row")) & has_been_bright
    return (
        marked.join(limits, on="channel", how="left", maintain_order="left")
        .with_columns(
            quality=(
                pl.col("quality")
                | _when(is_zero | is_dark, Quality.ZERO)
                | _when(is_frozen, Quality.FROZEN)
                | _when(is_outside, Quality.OUT_OF_RANGE)
            ).cast(pl.Int16)
        )
        .drop(set(limits.columns) - {"channel"})
    )


def _with_odd_load(marked: pl.DataFrame, channels: dict[str, Channel], load: pl.DataFrame) -> pl.DataFrame:
    """Doubt forecasts of load that are unlike the load before their issue."""
    named = set(marked["channel"].unique()) & set(load["channel"].unique())
    doubted = np.zeros(marked.height, dtype=np.bool_)
    is_candidate = is_trusted() & pl.col("is_new") & pl.col("value").is_not_null()
    rows = marked.with_row_index("row").filter(is_candidate, pl.col("channel").is_in(list(named)))
    for (name, _model, _level), part in rows.group_by(["channel", "model", "level"], maintain_order=True):
        channel = channels.get(str(name))
        if channel is None or channel.quantity not in _LOAD or channel.resolution > DAY:
            continue
        mine = load.filter(channel=name).sort("time").unique("time", keep="last", maintain_order=True)
        doubted[part["row"].to_numpy()] = are_forecasts_unlike_before(
            _instants(part["time"]),
            _instants(part["issued_at"]),
            _numbers(part["value"]),
            _instants(mine["time"]),
            _numbers(mine["value"]),
            step=channel.resolution // timedelta(microseconds=1),
            day=_DAY_US,
        )
    return _unusual(marked, doubted)


def _with_odd_temperatures(
    marked: pl.DataFrame,
    channels: dict[str, Channel],
    by: list[str],
    issue: pl.Expr,
    readings: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Doubt temperatures that are unlike what was known before."""
    doubted = np.zeros(marked.height, dtype=np.bool_)
    warm = [name for name, channel in channels.items() if channel.quantity is Quantity.TEMPERATURE]
    rows = marked.with_row_index("row").with_columns(issue=issue.cast(INSTANT))
    rows = rows.filter(pl.col("channel").is_in(warm), is_trusted(), pl.col("value").is_not_null())
    for (name, *_), part in rows.group_by(by, maintain_order=True):
        seen = part.select("time", "issue", "value", "is_new", pl.col("row").cast(pl.Int64))
        if readings is not None:
            measured = readings.filter(pl.col("channel") == name)
            seen = pl.concat(
                [
                    measured.select(
                        "time",
                        issue=pl.col("time").dt.truncate("1d"),
                        value="value",
                        is_new=pl.lit(value=False),
                        row=pl.lit(-1, pl.Int64),
                    ),
                    seen,
                ]
            )
        found = are_temperatures_unlike_before(
            _instants(seen["time"]),
            _instants(seen["issue"]),
            _numbers(seen["value"]),
            seen["is_new"].to_numpy(),
            step=channels[str(name)].resolution // timedelta(microseconds=1),
            day=_DAY_US,
        )
        doubted[seen["row"].to_numpy()[found]] = True
    return _unusual(marked, doubted)


def _unusual(marked: pl.DataFrame, doubted: Mask) -> pl.DataFrame:
    if not doubted.any():
        return marked
    is_doubted = pl.Series(doubted)
    quality = pl.col("quality") | pl.when(is_doubted).then(int(Quality.UNUSUAL)).otherwise(0)
    return marked.with_columns(quality=quality.cast(pl.Int16))


def _when(doubt: pl.Expr, quality: Quality) -> pl.Expr:
    return pl.when(doubt.fill_null(value=False)).then(int(quality)).otherwise(0)


def _stands_still(channel: Channel) -> bool:
    """Tell whether a value that never changes is a fault though zero is none; the extremes of a day may repeat."""
    return channel.quantity in _LONGEST_EQUAL and channel.resolution < DAY


def _equal_in_a_row(channel: Channel) -> int:
    """Return how many equal values in a row are doubted."""
    longest = _LONGEST_EQUAL.get(channel.quantity, FROZEN_AFTER)
    return max(_FEWEST_EQUAL, -(-longest // channel.resolution))


def _instants(column: pl.Series) -> Numbers:
    return column.cast(INSTANT).to_physical().to_numpy()


def _numbers(column: pl.Series) -> Array:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
