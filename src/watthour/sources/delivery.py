"""From parsed rows to a delivery: the two instants are stamped, and rows that cannot be are refused by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import Forecasts, Measurements, Quality, Readings, Refused, rows_with_reasons
from watthour.core.ports import Delivery
from watthour.core.vintage import stamp
from watthour.core.window import DAY

if TYPE_CHECKING:
    from datetime import datetime, time

    from watthour.core.window import Window

INSTANT = pl.Datetime("us", "UTC")
OPERATOR = "operator"  # `model` of the forecasts a grid's operator publishes itself
_TEXT = pl.String()
_READING: dict[str, pl.DataType] = {"channel": _TEXT, "time": INSTANT, "value": pl.Float64(), "published": INSTANT}
PARSED_READINGS = pl.Schema(_READING)
PARSED_FORECASTS = pl.Schema({**_READING, "issued_at": INSTANT, "model": _TEXT})
PARSED_REFUSED = pl.Schema({"channel": _TEXT, "rule": _TEXT, "row": _TEXT})


def deliver(
    source: str,
    window: Window,
    *,
    readings: pl.DataFrame | None = None,
    forecasts: pl.DataFrame | None = None,
    refused: pl.DataFrame | None = None,
    now: datetime,
    watched_from: datetime | None,
) -> Delivery:
    """Return a delivery of the rows whose interval starts in the window.

    Args:
        source: the name that refused rows carry.
        window: rows outside are left out.
        readings: measured rows in the columns of ``PARSED_READINGS``; ``published`` is the source's rule.
        forecasts: point forecasts in the columns of ``PARSED_FORECASTS``.
        refused: rows that could not even be parsed, in the columns of ``PARSED_REFUSED``.
        now: when they were fetched.
        watched_from: when polling of this source began, if it did.
    """
    moment = pl.lit(now).cast(INSTANT)
    inside = pl.col("time").is_between(pl.lit(window.start), pl.lit(window.end), closed="left")
    readings = pl.DataFrame(schema=PARSED_READINGS) if readings is None else readings
    measured = stamp(readings.filter(inside), pl.col("published"), now=now, watched_from=watched_from)
    good_readings, bad_readings = rows_with_reasons(
        Measurements, measured.select(Measurements.column_names()), source=source, recorded_at=moment
    )
    forecasts = pl.DataFrame(schema=PARSED_FORECASTS) if forecasts is None else forecasts
    said = stamp(forecasts.filter(inside), pl.col("published"), now=now, watched_from=watched_from)
    zero = pl.when(pl.col("value") == 0).then(pl.col("quality") | int(Quality.ZERO)).otherwise("quality")
    said = said.with_columns(
        level=pl.lit(0.5),
        # An operator that forecasts no load at all has not forecast: kept, and doubted as a zero demand is.
        quality=pl.when(pl.col("model") == OPERATOR).then(zero).otherwise("quality"),
    )
    good_forecasts, bad_forecasts = rows_with_reasons(
        Forecasts, said.select(Forecasts.column_names()), source=source, recorded_at=moment
    )
    unparsed = pl.DataFrame(schema=PARSED_REFUSED) if refused is None else refused
    unparsed = unparsed.select(pl.lit(source).alias("source"), "channel", "rule", "row", recorded_at=moment)
    return Delivery(
        Readings.cast(good_readings.sort("channel", "time")),
        Forecasts.cast(good_forecasts.sort("channel", "time", "issued_at")),
        Refused.cast(pl.concat([Refused.cast(unparsed), bad_readings, bad_forecasts])),
    )


def local_instant(day: pl.Expr, clock: time, time_zone: str) -> pl.Expr:
    """Return a clock time of a local day, in UTC; no clock time used here is ever skipped or repeated."""
    naive = day.cast(pl.Date).dt.combine(clock, time_unit="us")
    return naive.dt.replace_time_zone(time_zone, ambiguous="earliest").dt.convert_time_zone("UTC")


def eve_of(instant: pl.Expr, time_zone: str) -> pl.Expr:
    """Return the local day before the one an instant lies in."""
    return instant.dt.convert_time_zone(time_zone).dt.date() - DAY


def day_ahead_issue(instant: pl.Expr, clock: time, time_zone: str, *, now: datetime) -> pl.Expr:
    """Return when an operator's forecast of an interval was issued: at a clock time of the local day before.

    Some operators post further days ahead, or earlier in the day: such a row, already here before its own hour of
    issue, belongs to the last such hour that has passed, so that asking again the same day finds the same issue.
    """
    declared = local_instant(eve_of(instant, time_zone), clock, time_zone)
    moment = pl.lit(now).cast(INSTANT)
    today = local_instant(moment.dt.convert_time_zone(time_zone).dt.date(), clock, time_zone)
    yesterday = local_instant(eve_of(moment, time_zone), clock, time_zone)
    last_passed = pl.when(today <= moment).then(today).otherwise(yesterday)
    return pl.min_horizontal(declared, last_passed)


def without_unpublished(readings: pl.DataFrame) -> pl.DataFrame:
    """Leave out each channel's nulls after its last value: hours not published yet, not gaps."""
    last = pl.col("time").filter(pl.col("value").is_not_null()).max().over("channel")
    return readings.filter(pl.col("time") <= last)
