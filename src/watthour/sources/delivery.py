"""From a provider's rows to a delivery: unreadable rows are split off, the two instants stamped, the tables checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import INSTANT, Forecasts, Maker, Measurements, Readings, Refused, rows_with_reasons
from watthour.core.ports import Delivery
from watthour.core.vintage import stamp
from watthour.core.window import DAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, time

    from watthour.core.window import Window

_TEXT = pl.String()
_READING: dict[str, pl.DataType] = {"channel": _TEXT, "time": INSTANT, "value": pl.Float64(), "published": INSTANT}
PARSED_READINGS = pl.Schema(_READING)
PARSED_FORECASTS = pl.Schema({**_READING, "issued_at": INSTANT, "model": _TEXT})
PARSED_REFUSED = pl.Schema({"channel": _TEXT, "rule": _TEXT, "row": _TEXT})


def split_unreadable(
    table: pl.DataFrame, broken: Mapping[str, pl.Expr] | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a provider's rows into those that can be read, with their ``value``, and the refused ones.

    A row is refused by the first rule it breaks: the provider's own, then ``time_is_readable``, then
    ``value_is_a_number``. A missing value is a gap and stays null.

    Args:
        table: ``channel`` (what the row speaks of), ``time`` (null where it cannot be read), ``raw`` (the value as
            text), ``row`` (the provider's row as JSON), and whatever else the caller needs.
        broken: rule -> rows that break it.

    Returns:
        The readable rows with ``value`` for ``raw``, and the refused ones as ``PARSED_REFUSED``.
    """
    table = table.with_columns(value=pl.col("raw").cast(pl.Float64, strict=False))
    is_no_number = pl.col("raw").is_not_null() & ~pl.col("value").is_finite().fill_null(value=False)
    rules = {**(broken or {}), "time_is_readable": pl.col("time").is_null(), "value_is_a_number": is_no_number}
    first_broken = pl.coalesce([pl.when(is_broken).then(pl.lit(rule)) for rule, is_broken in rules.items()])
    table = table.with_columns(rule=first_broken)
    refused = table.filter(pl.col("rule").is_not_null()).select(PARSED_REFUSED.names())
    return table.filter(pl.col("rule").is_null()).drop("rule", "raw", "row"), refused.cast(PARSED_REFUSED)


def plain_number(text: pl.Expr) -> pl.Expr:
    """Return a number's text without blanks and thousands separators; nothing but blanks is null."""
    return text.str.strip_chars().str.replace_all(",", "").replace("", None)


def deliver(
    source: str,
    window: Window,
    *,
    readings: pl.DataFrame | None = None,
    forecasts: pl.DataFrame | None = None,
    refused: pl.DataFrame | None = None,
    now: datetime,
    watched_from: datetime | None,
    schema: type[Readings] = Measurements,
) -> Delivery:
    """Return a delivery of the rows whose interval starts in the window.

    Args:
        source: the name that refused rows carry.
        window: rows outside are left out.
        readings: in the columns of ``PARSED_READINGS``; ``published`` is the source's rule. A ``quality`` may be given.
        forecasts: of others, in the columns of ``PARSED_FORECASTS``; a ``level`` or ``quality`` may be given, else a
            row is a point forecast, kept as its median.
        refused: rows that could not even be parsed, in the columns of ``PARSED_REFUSED``.
        now: when they were fetched.
        watched_from: when polling of this source began, if it did.
        schema: of the readings; plain ``Readings`` where a value can be known before its interval, such as a price.
    """
    moment = pl.lit(now).cast(INSTANT)
    inside = pl.col("time").is_between(pl.lit(window.start), pl.lit(window.end), closed="left")
    readings = pl.DataFrame(schema=PARSED_READINGS) if readings is None else readings
    measured = stamp(readings.filter(inside), pl.col("published"), now=now, watched_from=watched_from)
    good_readings, bad_readings = rows_with_reasons(
        schema, measured.select(schema.column_names()), source=source, recorded_at=moment
    )
    good_forecasts, bad_forecasts = rows_with_reasons(
        Forecasts, _stamped_forecasts(forecasts, inside, now, watched_from), source=source, recorded_at=moment
    )
    unparsed = pl.DataFrame(schema=PARSED_REFUSED) if refused is None else refused
    unparsed = unparsed.select(pl.lit(source).alias("source"), "channel", "rule", "row", recorded_at=moment)
    return Delivery(
        Readings.cast(good_readings.sort("channel", "time")),
        Forecasts.cast(good_forecasts.sort("channel", "time", "issued_at", "level")),
        Refused.cast(pl.concat([Refused.cast(unparsed), bad_readings, bad_forecasts])),
    )


def _stamped_forecasts(
    forecasts: pl.DataFrame | None, inside: pl.Expr, now: datetime, watched_from: datetime | None
) -> pl.DataFrame:
    """Return forecasts of others in the columns of ``Forecasts``, not checked yet."""
    forecasts = pl.DataFrame(schema=PARSED_FORECASTS) if forecasts is None else forecasts
    stamped = stamp(forecasts.filter(inside), pl.col("published"), now=now, watched_from=watched_from)
    stamped = stamped.with_columns(
        maker=pl.lit(str(Maker.RIVAL)),
        level=pl.col("level") if "level" in stamped.columns else pl.lit(0.5),
    )
    return stamped.select(Forecasts.column_names())


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
    """Leave out each channel's nulls after its last value: intervals not published yet, not gaps."""
    last = pl.col("time").filter(pl.col("value").is_not_null()).max().over("channel")
    return readings.filter(pl.col("time") <= last)
