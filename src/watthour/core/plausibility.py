"""Whether values are like what was known before them: forecasts of load, and temperatures.

The rules need nothing but numbers, so what arrives and what a model is about to use are judged alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]
    Numbers: TypeAlias = NDArray[np.int64]

PAST_DAYS = 28
_RECENT_DAYS = 7  # of these, newest first: tomorrow is never far from all of them
_FEWEST_DAYS = 7  # known at an hour before its forecast can be doubted
# In logarithms of the load, so 0.26 is 30 %, 0.4 is 49 %, 0.6 is 82 %. Operators of New York, PJM and New England stay
# within them; a figure that is doubled does not.
_BEYOND_ALL_DAYS = 0.26
_FROM_NEAREST_RECENT_DAY = 0.4
_HOUR_FROM_ITS_DAY = 0.6
_REVISED_KELVIN = 15.0  # by which the median of a day changes from one forecast of it to the next
_CHANGED_KELVIN = 10.0  # by which it lies beyond everything of the two weeks before, where nothing was forecast of it
_BELIEVED_DAYS = 14  # for which an old level stands against a new one
_WATCHED_DAYS = 40  # after the last jump
_MOST_ROWS = 200_000  # whose past is laid out at once
_TIMES_USUAL = 3.0  # a load that changes more from day to day is allowed as many of its own standard deviations


def is_unlike_before(values: Array, past: Array, day: Numbers) -> Mask:
    """Tell which forecasts of load cannot be, judged by the load of the same hours of the days before: (n,).

    A whole day is doubted if its level is beyond that of all days, or far from that of each of the last seven; a single
    interval if it is far from the level of its day. Nothing is doubted where fewer than seven days are known, or
    where the load may be zero or negative.

    Args:
        values: forecasts, (n,), NaN where there is none [any unit].
        past: load at the same clock time of the days before, newest first, (n, days); NaN where unknown [same unit].
        day: which values belong together, such as those of one day and issue, (n,).
    """
    n_known = np.isfinite(past).sum(axis=1)
    judged = np.isfinite(values) & (n_known >= _FEWEST_DAYS) & ~(past <= 0).any(axis=1)
    doubted = np.zeros(len(values), dtype=np.bool_)
    if not judged.any():
        return doubted
    log_past = np.log(past[judged])
    usual = np.nanmedian(log_past, axis=1)
    before = log_past - usual[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        ahead = np.where(values[judged] > 0, np.log(values[judged]), -np.inf) - usual
    places, belongs = np.unique(day[judged], return_inverse=True)
    level = _medians(ahead[:, None], belongs, len(places))[:, 0]
    levels = _medians(before, belongs, len(places))
    known = np.isfinite(levels)
    spread = _TIMES_USUAL * np.nanstd(levels, axis=1)
    beyond = np.maximum(
        level - np.where(known, levels, -np.inf).max(axis=1), np.where(known, levels, np.inf).min(axis=1) - level
    )
    apart = np.where(known, np.abs(level[:, None] - levels), np.inf)
    recent = apart[:, :_RECENT_DAYS].min(axis=1)
    recent = np.where(np.isfinite(recent), recent, apart.min(axis=1))
    bad_day = (beyond > np.maximum(_BEYOND_ALL_DAYS, spread)) | (recent > np.maximum(_FROM_NEAREST_RECENT_DAY, spread))
    with np.errstate(invalid="ignore"):
        from_day = np.abs(ahead - level[belongs])
    usual_shape = _TIMES_USUAL * np.nanstd(before - levels[belongs], axis=1)
    bad_hour = ~(from_day <= np.maximum(_HOUR_FROM_ITS_DAY, usual_shape))
    doubted[judged] = bad_day[belongs] | bad_hour
    return doubted


def past_of(times: Numbers, known_until: Numbers, load_times: Numbers, load: Array, *, step: int, day: int) -> Array:
    """Return the load at the clock time of each interval on the days before it that were over at an instant.

    All times in one unit, such as microseconds, and on one grid. An hour's shift of the clock is not looked at.

    Args:
        times: starts of the intervals, (n,).
        known_until: the load counts where its interval had ended by then, (n,).
        load_times: starts of intervals whose load is known, (m,), ascending.
        load: of them, (m,).
        step: length of an interval.
        day: length of a day.

    Returns:
        Shape (n, PAST_DAYS), newest first; NaN where unknown.
    """
    nearest = np.maximum(-(-(times + step - known_until) // day), 1)
    wanted = times[:, None] - day * (nearest[:, None] + np.arange(PAST_DAYS))
    if not len(load_times):
        return np.full(wanted.shape, np.nan)
    place = np.minimum(np.searchsorted(load_times, wanted), len(load_times) - 1)
    return np.where(load_times[place] == wanted, load[place], np.nan)


def blocks_of(times: Numbers, issue: Numbers, day: int) -> Numbers:
    """Number the days of each issue, counted from its first interval: (n,); values of one number belong together."""
    _, belongs = np.unique(issue, return_inverse=True)
    first = np.full(belongs.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, belongs, times)
    pairs = np.stack([belongs, (times - first[belongs]) // day], axis=1)
    return np.asarray(np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1), dtype=np.int64)


def are_forecasts_unlike_before(
    times: Numbers, issued: Numbers, values: Array, load_times: Numbers, load: Array, *, step: int, day: int
) -> Mask:
    """Tell which forecasts of load cannot be, from the load that was over when they were issued: (n,).

    Arguments as in ``past_of``; ``issued`` says when each was made, and which belong together.
    """
    doubted = np.zeros(len(times), dtype=np.bool_)
    block = blocks_of(times, issued, day)
    order = np.argsort(block, kind="stable")
    start = 0
    while start < len(order):  # whole days together
        stop = min(start + _MOST_ROWS, len(order))
        stop = int(np.searchsorted(block[order], block[order[stop - 1]], side="right"))
        rows = order[start:stop]
        past = past_of(times[rows], issued[rows], load_times, load, step=step, day=day)
        doubted[rows] = is_unlike_before(values[rows], past, block[rows])
        start = stop
    return doubted


def are_temperatures_unlike_before(
    times: Numbers, issued: Numbers, values: Array, is_new: Mask, *, step: int, day: int
) -> Mask:
    """Tell which temperatures of one place cannot be, such as degrees Fahrenheit delivered as Celsius: (n,).

    A day of a run is doubted if it lies far from what was said of the same hours before, or, where nothing was, far
    from the days before. What is doubted is no standard for what follows, but for two weeks at most.

    Args:
        times: starts of intervals, (n,).
        issued: when each value was said; of measurements, the day they belong to, (n,).
        values: degrees Celsius, (n,).
        is_new: which are to be judged; the others are believed, (n,).
        step: length of an interval.
        day: length of a day.
    """
    doubted = np.zeros(len(times), dtype=np.bool_)
    known = np.isfinite(values)
    if not (known & is_new).any():
        return doubted
    block = blocks_of(times, issued, day)
    order = np.lexsort((times, block, issued))
    order = order[known[order]]
    span = _where_it_jumps(times[order], values[order], block[order], day)
    if span is None:  # as nearly always
        return doubted
    first, last = span[0] - 2 * _BELIEVED_DAYS * day, span[1] + _WATCHED_DAYS * day
    order = order[(times[order] >= first) & (times[order] <= last)]
    slot = (times - times[order].min()) // step
    believed = np.full(int(slot[order].max()) + 1, np.nan)
    per_day = max(1, day // step)
    for rows in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
        here, said = slot[rows], values[rows]
        before = believed[here]
        overlap = np.isfinite(before)
        recent = believed[max(0, int(here[0]) - _BELIEVED_DAYS * per_day) : int(here[0])]
        recent = recent[np.isfinite(recent)]
        is_bad = False
        if overlap.sum() * 2 >= len(rows):
            is_bad = abs(float(np.median(said[overlap] - before[overlap]))) > _REVISED_KELVIN
        elif len(recent) * 4 >= per_day * _RECENT_DAYS:
            level = float(np.median(said))
            is_bad = max(level - float(recent.max()), float(recent.min()) - level) > _CHANGED_KELVIN
        if is_bad and is_new[rows].any():
            doubted[rows] = is_new[rows]
        else:
            believed[here] = said
    return doubted


def _where_it_jumps(times: Numbers, values: Array, block: Numbers, day: int) -> tuple[int, int] | None:
    """Return the first and the last time at which something changes more than is believed, None if nothing does.

    Whether what it changed from was itself doubted is not looked at here.
    """
    rows = pl.DataFrame({"time": times, "value": values, "block": block, "order": np.arange(len(times))})
    by_time = rows.sort("time", "order").with_columns(change=pl.col("value").diff().over("time"))
    spread = by_time.group_by("time").agg(low=pl.col("value").min(), high=pl.col("value").max()).sort("time")
    span = f"{_BELIEVED_DAYS * day}i"
    spread = spread.with_columns(
        low=pl.col("low").rolling_min_by("time", span, closed="left"),
        high=pl.col("high").rolling_max_by("time", span, closed="left"),
    )
    level = pl.col("value").median()
    blocks = by_time.group_by("block").agg(
        pl.col("time").min(),
        level=level,
        revised=pl.col("change").median().abs(),
        is_revision=pl.col("change").count() * 2 >= pl.len(),
    )
    blocks = blocks.join(spread, on="time")
    beyond = pl.max_horizontal(pl.col("level") - pl.col("high"), pl.col("low") - pl.col("level"))
    jumps = pl.when("is_revision").then(pl.col("revised") > _REVISED_KELVIN).otherwise(beyond > _CHANGED_KELVIN)
    found = blocks.filter(jumps)["time"]
    return None if found.is_empty() else (int(found.min()), int(found.max()))  # type: ignore[arg-type]  # not empty


def _medians(values: Array, belongs: Numbers, n_groups: int) -> Array:
    """Return the median of the known rows of each group, column by column, (groups, columns); NaN where none is."""
    table = pl.DataFrame(values, schema=[str(column) for column in range(values.shape[1])], orient="row")
    medians = (
        table.with_columns(pl.all().fill_nan(None), group=pl.Series(belongs))
        .group_by("group")
        .agg(pl.all().median())
        .sort("group")
        .drop("group")
        .with_columns(pl.all().fill_null(float("nan")))
    )
    assert medians.height == n_groups  # noqa: S101 - every group has rows
    return medians.to_numpy()
