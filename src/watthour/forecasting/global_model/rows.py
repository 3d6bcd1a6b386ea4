"""What was known of a series at an issue, as one row of numbers per interval asked, in parts of its recent level.

Days are those of the local clock that end where measurements do, so that an issue at any hour sees whole days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import Targets
from watthour.forecasting.calendar import DAYS_IN_YEAR, WEEKEND, clock_offsets, holidays_around
from watthour.forecasting.panel import deviation_known, mean_known
from watthour.forecasting.steps import step_of
from watthour.forecasting.vintages import DAY_US, HOUR_US, instants, measurement_vintages

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

BACK = 56  # days looked back on
LEVEL_DAYS = 28  # of which the level is the mean
_LAGS = (1, 2, 3, 7, 14, 21, 28)
_HALF_LIVES = (3, 10, 28)  # of the means of all days [days]
_OF_TYPE = 21  # half-life of the mean of days off, or of working days
_LATE_HOURS = (1, 3, 6, 12)  # before the issue
_PARTS_OF_DAY = {"night": (0, 6), "midday": (10, 16), "evening": (17, 22)}  # local hours
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
_WEEK = 7
_AT_ONCE = 128  # issues, so that years of a past take no more memory than months
_MEMORIES = {
    "days": (5.0, 0.5, 1.0),
    "weeks": (12.0, 0.4, 2.0),
    "months": (28.0, 0.3, 2.0),
}
# Of each: half-life [days], weight of days of another kind, and of the same weekday.
_STEEP = 5.0  # of the mean of nearly logarithms
_BESIDE = 0.5  # weight of the intervals beside one
_LIKE_LEVELS = (0.2, 0.5, 0.8)
REFERENCE = "usual_log_mean"  # near the median of an interval; what is learned is the departure from it

NAMES = (
    *(f"lag_{lag}d" for lag in _LAGS),
    *(f"mean_{days}d" for days in _HALF_LIVES),
    *("q10", "q25", "q50", "q75", "q90", "deviation"),
    *(f"like_{memory}_q{level}" for memory in ("days", "weeks", "months") for level in (20, 50, 80)),
    *("weekday_mean_4", "weekday_mean_8", "weekday_median_8", "weekday_least_8", "weekday_most_8"),
    *("type_mean", "type_before_2", "type_before", "type_after", "type_after_2"),
    REFERENCE,
    *("departure_1d", "departure_1d_around"),
    *("day_1", "day_2", "day_7", "days_3", "days_7", "days_56", "day_deviation", "weekday_level"),
    *("least_1d", "base", "variation", "last"),
    *(f"late_{hours}h" for hours in _LATE_HOURS),
    *(f"late_departure_{hours}h" for hours in _LATE_HOURS),
    *_PARTS_OF_DAY,
    *("hour_sine", "hour_cosine", "hour_sine_2", "hour_cosine_2", "hour_sine_3", "hour_cosine_3", "hour"),
    *(f"is_weekday_{k}" for k in range(_WEEK)),
    *("is_day_off", "is_holiday", "day_before_off", "day_after_off", "year_sine", "year_cosine"),
    *("days_ahead", "share_known"),
)
LOGGED = tuple(  # levels, which a network sees on a scale that is nearly logarithmic
    name
    for name in NAMES
    if name.startswith(
        ("lag", "like", "mean", "q", "weekday_m", "weekday_l", "type", "usual", "day_1", "day_2", "day_7")
    )
    or name in ("days_3", "days_7", "days_56", "least_1d", "base", "last", *_PARTS_OF_DAY)
    or (name.startswith("late") and "departure" not in name)
)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One row per interval asked; F features."""

    features: Array  # (n, F) in parts of the level; NaN is unknown
    level: Array  # (n,) [unit of the channel]; NaN where nothing was known
    lowest: Array  # (n,) of the values known, in parts of the level
    highest: Array  # (n,)

    def take(self, which: Mask | Instants) -> Rows:
        """Return some of the rows."""
        return Rows(self.features[which], self.level[which], self.lowest[which], self.highest[which])


def rows_of(history: History, targets: dy.DataFrame[Targets], *, most_days: int = BACK) -> Rows:
    """Return what was known at the issue of each target; arguments as ``_rows_of``, but for any number of issues."""
    issued = instants(targets["issued_at"])
    part = np.unique(issued, return_inverse=True)[1].reshape(-1) // _AT_ONCE
    if not len(part) or part.max() == 0:
        return _rows_of(history, targets, most_days)
    rows = [np.flatnonzero(part == k) for k in range(part.max() + 1)]
    made = [_rows_of(history, Targets.cast(targets[each]), most_days) for each in rows]
    order = np.argsort(np.concatenate(rows))
    joined = (np.concatenate([getattr(each, name) for each in made])[order] for name in Rows.__slots__)
    return Rows(*joined)


def _rows_of(history: History, targets: dy.DataFrame[Targets], most_days: int) -> Rows:
    """Return what was known at the issue of each target.

    Args:
        history: what is known of the series.
        targets: what is asked, (n,).
        most_days: look back on as few days as if the series were young.
    """
    context = history.context
    step, zone = step_of(context), context.time_zone
    n_slots = DAY_US // step
    time = instants(targets["time"])
    issued = instants(targets["issued_at"])
    until = np.minimum(issued, instants(targets["known_until"]))
    edge = until - (until - time) % step
    issues, of_issue = np.unique(np.stack([edge, issued], axis=1), axis=0, return_inverse=True)
    edges, issue_of_pair = issues[:, 0], of_issue.reshape(-1)
    local_edge = edges + clock_offsets(edges, zone)
    local = time + clock_offsets(time, zone)
    since = np.maximum(local - local_edge[issue_of_pair], 0)
    ahead, slot = since // DAY_US, since % DAY_US // step
    pairs, pair = np.unique(np.stack([issue_of_pair, ahead], axis=1), axis=0, return_inverse=True)
    pair = pair.reshape(-1)

    lags = np.arange(1, BACK + 1)
    clock = local_edge[:, None, None] + step * np.arange(n_slots) - DAY_US * lags[:, None]
    times = _instants_of(clock, zone)
    values = measurement_vintages(history, context.channel.id).known(times, issues[:, 1, None, None])
    values[(times + step > edges[:, None, None]) | (lags[:, None] > most_days)] = np.nan
    level = mean_known(np.abs(values[:, :LEVEL_DAYS]).reshape(len(values), -1), axis=1, at_least=1)
    older = mean_known(np.abs(values).reshape(len(values), -1), axis=1, at_least=1)
    level = np.where(np.isfinite(level), level, older)
    lowest, highest = _gaps_as(np.inf, values).min(axis=(1, 2)), _gaps_as(-np.inf, values).max(axis=(1, 2))
    most = np.where(np.isfinite(lowest), np.maximum(np.abs(lowest), np.abs(highest)), 0)
    level = np.maximum(level, np.maximum(1e-3 * most, 1e-9))
    days = _Days(values / level[:, None, None], clock // DAY_US, clock[:, 0] % DAY_US / HOUR_US)
    who = pairs[pair, 0]
    asked = local_edge[pairs[:, 0], None] + pairs[:, 1:] * DAY_US + step * np.arange(n_slots)
    columns = {name: each[who, slot] if each.ndim > 1 else each[who] for name, each in days.alone().items()}
    columns |= {name: each[pair, slot] for name, each in days.for_days(pairs, asked, context.place.holidays).items()}
    columns |= {"days_ahead": ahead.astype(np.float64)}
    table = np.stack([columns[name] for name in NAMES], axis=1)
    return Rows(table.astype(np.float32), level[who], (lowest / level)[who], (highest / level)[who])


def _instants_of(local: Instants, zone: str) -> Instants:
    """Return the instants of local clock times, of any shape."""
    guess = local - clock_offsets(local, zone)
    return np.asarray(local - clock_offsets(guess, zone))


@dataclass(frozen=True, slots=True, eq=False)
class _Days:
    """The days before I issues: ``BACK`` of S slots, the last one first, in parts of the level."""

    values: Array  # (I, BACK, S)
    dates: Instants  # (I, BACK, S) local days since 1970
    hours: Array  # (I, S) local clock

    def alone(self) -> dict[str, Array]:
        """Return what they say whatever day is asked: (I, S) or (I,)."""
        values, lately = self.values, self.values[:, :LEVEL_DAYS]
        found = {f"lag_{lag}d": values[:, lag - 1] for lag in _LAGS}
        back = np.arange(BACK)[:, None]
        found |= {f"mean_{days}d": _weighted(values, 0.5 ** (back / days)) for days in _HALF_LIVES}
        ordered = np.sort(lately, axis=1)
        found |= {f"q{level}": _quantile(ordered, level / 100) for level in (10, 25, 50, 75, 90)}
        found["deviation"] = deviation_known(np.moveaxis(lately, 1, 2))
        usual = found["mean_28d"]
        gap = found["lag_1d"] - usual
        found["departure_1d"] = gap
        found["departure_1d_around"] = mean_known(np.stack([np.roll(gap, k, axis=1) for k in (-1, 0, 1)]), axis=0)
        of_day = mean_known(values, axis=2)
        found |= {f"day_{k}": of_day[:, k - 1] for k in (1, 2, 7)}
        found |= {f"days_{k}": mean_known(of_day[:, :k]) for k in (3, 7, 56)}
        found["day_deviation"] = deviation_known(of_day[:, :LEVEL_DAYS])
        found["least_1d"] = np.where(np.isfinite(of_day[:, 0]), _gaps_as(np.inf, values[:, 0]).min(axis=1), np.nan)
        fortnight = np.sort(values[:, :14].reshape(len(values), -1, 1), axis=1)
        found["base"] = _quantile(fortnight, 0.05)[:, 0]
        found["variation"] = deviation_known(lately.reshape(len(lately), -1))
        found["last"] = values[:, 0, -1]
        for hours in _LATE_HOURS:
            late = slice(-max(values.shape[2] * hours // 24, 1), None)
            found[f"late_{hours}h"] = mean_known(values[:, 0, late])
            found[f"late_departure_{hours}h"] = mean_known(gap[:, late])
        for name, (begin, end) in _PARTS_OF_DAY.items():
            inside = ((self.hours >= begin) & (self.hours < end))[:, None, :]
            part = np.where(inside, values[:, :14], np.nan)
            found[name] = mean_known(part.reshape(len(part), -1))
        found["share_known"] = np.isfinite(lately).mean(axis=(1, 2))
        angle = self.hours * (2 * np.pi / 24)
        for k, ending in ((1, ""), (2, "_2"), (3, "_3")):
            found |= {f"hour_sine{ending}": np.sin(k * angle), f"hour_cosine{ending}": np.cos(k * angle)}
        return found | {"hour": self.hours}

    def for_days(self, pairs: Instants, asked: Instants, holidays: str | None) -> dict[str, Array]:
        """Return what they say of days asked, (P, S) each.

        Args:
            pairs: (P, 2) issue and number of whole days ahead.
            asked: (P, S) local clock of the intervals asked.
            holidays: code of a calendar.
        """
        issue, ahead = pairs.T
        values, dates, day = self.values[issue], self.dates[issue], asked // DAY_US
        off_days = holidays_around(np.append(dates.ravel(), day.ravel() + 1), holidays)
        own = _is_off(day, off_days)
        is_alike = _is_off(dates, off_days) == own[:, None, :]
        back = np.arange(BACK)[None, :, None]
        is_weekday = (back + 1 + ahead[:, None, None]) % _WEEK == 0
        same = np.where(is_weekday, values, np.nan)
        rank = np.cumsum(is_weekday, axis=1)
        four, eight = (np.where(rank <= k, same, np.nan) for k in (4, 8))
        ordered = np.sort(eight, axis=1)
        found = {
            "weekday_mean_4": mean_known(four, axis=1),
            "weekday_mean_8": mean_known(eight, axis=1),
            "weekday_median_8": _quantile(ordered, 0.5),
            "weekday_least_8": _quantile(ordered, 0.0),
            "weekday_most_8": _quantile(ordered, 1.0),
        }
        found["weekday_level"] = np.broadcast_to(mean_known(found["weekday_mean_4"])[:, None], own.shape)
        weight = 0.5 ** (back / _OF_TYPE) * is_alike
        usual = _weighted(values, weight)
        found["type_mean"] = usual
        moved = {"type_before_2": 2, "type_before": 1, "type_after": -1, "type_after_2": -2}
        found |= {name: np.roll(usual, by, axis=1) for name, by in moved.items()}
        found[REFERENCE] = np.sinh(_weighted(np.arcsinh(_STEEP * values), weight)) / _STEEP
        around = np.concatenate([values, np.roll(values, 1, axis=2), np.roll(values, -1, axis=2)], axis=1)
        order = np.argsort(around, axis=1)
        around = np.take_along_axis(around, order, axis=1)
        for memory, (days, other, weekday) in _MEMORIES.items():
            base = 0.5 ** (back / days) * np.where(is_alike, 1.0, other) * np.where(is_weekday, weekday, 1.0)
            weights = np.concatenate([base, _BESIDE * base, _BESIDE * base], axis=1)
            weights = np.where(np.isfinite(around), np.take_along_axis(weights, order, axis=1), 0)
            above = np.cumsum(weights, axis=1) - weights / 2
            total = weights.sum(axis=1)
            for level in _LIKE_LEVELS:
                k = np.minimum((above < level * total[:, None]).sum(axis=1), around.shape[1] - 1)
                picked = np.take_along_axis(around, k[:, None], axis=1)[:, 0]
                found[f"like_{memory}_q{level * 100:.0f}"] = np.where(total > 0, picked, np.nan)
        of_week = (day + _EPOCH_WEEKDAY) % _WEEK
        found |= {f"is_weekday_{k}": of_week == k for k in range(_WEEK)}
        angle = 2 * np.pi * day / DAYS_IN_YEAR
        return found | {
            "is_day_off": own,
            "is_holiday": np.isin(day, off_days),
            "day_before_off": _is_off(day - 1, off_days),
            "day_after_off": _is_off(day + 1, off_days),
            "year_sine": np.sin(angle),
            "year_cosine": np.cos(angle),
        }


def _is_off(days: Instants, holidays: Instants) -> Mask:
    """Return which local days are holidays or at a weekend, of any shape."""
    return np.asarray(((days + _EPOCH_WEEKDAY) % _WEEK >= WEEKEND) | np.isin(days, holidays))


def _weighted(values: Array, weights: Array) -> Array:
    """Return the weighted mean of what is known along the days, (n, S); NaN where nothing is."""
    weights = np.isfinite(values) * weights
    total = weights.sum(axis=1)
    mean = (np.nan_to_num(values) * weights).sum(axis=1) / np.maximum(total, 1e-12)
    return np.where(total > 1e-12, mean, np.nan)  # noqa: PLR2004 - nothing


def _quantile(ordered: Array, level: float) -> Array:
    """Return a quantile of values in ascending order along axis 1, those unknown last; NaN where none is known."""
    last = np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0)
    place = level * last
    low = np.floor(place).astype(np.int64)
    pair = [np.take_along_axis(ordered, k[:, None], axis=1)[:, 0] for k in (low, np.minimum(low + 1, last))]
    return np.asarray(pair[0] + (place - low) * (pair[1] - pair[0]))


def _gaps_as(instead: float, values: Array) -> Array:
    return np.where(np.isfinite(values), values, instead)
