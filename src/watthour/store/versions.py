"""Which rows say something new, and which version was known when: the same answer for every store."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime


INTERVAL = ["channel", "time"]
VERSION = [*INTERVAL, "available_at"]
ISSUE = ["channel", "time", "issued_at", "model", "level"]

_INSTANT_STEP = timedelta(microseconds=1)


def new_versions(incoming: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    """Return the incoming readings that are new versions, at the instants under which they are to be kept.

    A row that equals what was known of its interval at its ``available_at`` is not new. Where that instant is taken by
    another value, history is not rewritten: the row became known when it was recorded. So does a row that says again
    what was said at its instant first and revised since: the revision is taken back. Of several such rows of one
    interval only the last counts, for the earlier ones were never what was known.

    Args:
        incoming: one row per version.
        existing: all kept versions of at least the incoming intervals, with the same types.
    """
    if existing.is_empty():
        repeated = incoming.height > 1 and incoming.select(INTERVAL).is_duplicated().any()
        return _changes(incoming, existing) if repeated else incoming
    is_taken = incoming.select(VERSION).join(
        existing.select(*VERSION, is_taken=pl.lit(value=True)), on=VERSION, how="left", maintain_order="left"
    )["is_taken"]
    free = _changes(incoming.filter(is_taken.is_null()), existing)
    known = pl.concat([existing.select(incoming.columns), free])
    told = incoming.filter(is_taken)
    moved = pl.concat([_differing(told, existing), _taken_back(told, existing)]).join(
        incoming.group_by(INTERVAL).agg(pl.col("available_at").max()), on=VERSION, how="semi"
    )
    moved = moved.with_columns(
        available_at=pl.max_horizontal("available_at", "recorded_at"),
        quality=(pl.col("quality") & ~int(Quality.ASSUMED)).cast(pl.Int16),  # this instant was observed
    )
    found = [free]
    while not moved.is_empty():
        placed = _changes(moved.join(known, on=VERSION, how="anti"), known)
        moved = _differing(moved, known).with_columns(pl.col("available_at") + _INSTANT_STEP)
        known = pl.concat([known, placed])
        found.append(placed)
    return pl.concat(found)


def as_versions(events: pl.DataFrame) -> pl.DataFrame:
    """Return uses in the form of readings: what is said of one is when it ended and what it used, as one value."""
    return events.select(
        pl.col("device").alias("channel"),
        pl.col("start").alias("time"),
        "available_at",
        "recorded_at",
        pl.struct("end", "energy_kwh").alias("value"),
        "quality",
    )


def as_events(versions: pl.DataFrame) -> pl.DataFrame:
    """Return uses from the form of readings, with the columns of their table."""
    named = versions.rename({"channel": "device", "time": "start"}).unnest("value")
    return named.select("device", "start", "end", "energy_kwh", "available_at", "recorded_at", "quality")


def last_versions(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the last version of each interval; the versions are sorted."""
    is_last = (pl.col("time") != pl.col("time").shift(-1)) | (pl.col("channel") != pl.col("channel").shift(-1))
    return versions.filter(is_last.fill_null(value=True))


def last_issues(forecasts: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the last issue per channel, interval and maker."""
    return forecasts.filter(pl.col("issued_at") == pl.col("issued_at").max().over("channel", "time", "model"))


def check_empty(filled: Iterable[str], used: Iterable[str] = ()) -> None:
    """Refuse to remove channels and devices that hold what nobody can fetch or compute again.

    Raises:
        InvalidInput: there are such channels, or devices with uses.
    """
    if names := sorted(filled):
        problem = "it holds readings, or forecasts of others, that would be lost"
        raise InvalidInput("channel", names[0], problem, remedy="Keep it, or say that its readings shall go too.")
    if names := sorted(used):
        problem = "its uses would be lost"
        raise InvalidInput("device", names[0], problem, remedy="Keep it, or say that its readings shall go too.")


def check_unused(field: str, name: str, channels: Iterable[str]) -> None:
    """Refuse to remove a site or a device that still has channels.

    Raises:
        InvalidInput: it has.
    """
    if names := sorted(channels):
        problem = f"it still has the channel {names[0]}"
        raise InvalidInput(field, name, problem, remedy="Remove its channels with it.")


def check_known(named: Iterable[str], known: Iterable[str], field: str = "channel") -> None:
    """Refuse rows of channels, or uses of devices, nobody has described.

    Raises:
        InvalidInput: one is not registered.
    """
    unknown = sorted(set(named) - set(known))
    if unknown:
        remedy = "Register the channel with its unit first." if field == "channel" else f"Register the {field} first."
        raise InvalidInput(field, unknown[0], f"this {field} is not registered", remedy=remedy)


def check_instants(**instants: datetime | None) -> None:
    """Refuse instants without a time zone.

    Raises:
        InvalidInput: one of them is naive.
    """
    for name, instant in instants.items():
        if instant is not None and instant.tzinfo is None:
            raise InvalidInput(name, instant.isoformat(), "it has no time zone", remedy="Give one, such as UTC.")


def _state(*, offset: int = 0) -> Sequence[pl.Expr]:
    """Return what a version says: its value and its doubts, not whether its instant was observed or assumed."""
    doubts = pl.col("quality").cast(pl.Int16) & ~int(Quality.ASSUMED)
    return pl.col("value").shift(offset), doubts.shift(offset)


def _changes(incoming: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    """Return the incoming rows that differ from the version before them; no instant is taken."""
    if incoming.is_empty():
        return incoming
    marked = pl.concat(
        [
            existing.select(*incoming.columns, is_new=pl.lit(value=False)),
            incoming.select(*incoming.columns, is_new=pl.lit(value=True)),
        ]
    ).sort(VERSION)
    value, doubts = _state()
    value_before, doubts_before = _state(offset=1)
    is_same = (
        (pl.col("channel") == pl.col("channel").shift(1))
        & (pl.col("time") == pl.col("time").shift(1))
        & value.eq_missing(value_before)
        & (doubts == doubts_before)
    ).fill_null(value=False)
    return marked.filter(pl.col("is_new") & ~is_same).select(incoming.columns)


def _differing(incoming: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    """Return the incoming rows whose instant is taken by something else."""
    value, doubts = _state()
    kept = existing.select(*VERSION, kept_value=value, kept_doubts=doubts)
    return (
        incoming.join(kept, on=VERSION, how="inner")
        .filter(value.ne_missing(pl.col("kept_value")) | (doubts != pl.col("kept_doubts")))
        .select(incoming.columns)
    )


def _taken_back(incoming: pl.DataFrame, existing: pl.DataFrame) -> pl.DataFrame:
    """Return the incoming rows that say again what was said at their instant, after something else became known."""
    value, doubts = _state()
    newest = (
        existing.sort("recorded_at", "available_at")
        .unique(INTERVAL, keep="last", maintain_order=True)
        .filter(pl.col("available_at") >= pl.col("recorded_at"))
        .select(*INTERVAL, newest_value=value, newest_doubts=doubts)
    )
    again = incoming.join(_differing(incoming, existing), on=VERSION, how="anti")
    return (
        again.join(newest, on=INTERVAL, how="inner")
        .filter(value.ne_missing(pl.col("newest_value")) | (doubts != pl.col("newest_doubts")))
        .select(incoming.columns)
    )
