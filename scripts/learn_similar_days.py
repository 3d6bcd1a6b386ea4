"""Learn the constants of ``similar_days`` again from the homes of Low Carbon London, and compare them with its own.

    python scripts/learn_similar_days.py --data ../shared/data

Learned from 11 April to 30 June 2013; the loss is told on July and August too, of which nothing is learned. The loss is
the CRPS of the weighted values of earlier days, in parts of the home's level. It prints, and changes no file.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from make_homes_model import homes

from watthour.core.window import DAY, HOUR, local_midnight
from watthour.forecasting import similar_days
from watthour.forecasting.calendar import holidays_around
from watthour.forecasting.days_before import days_known
from watthour.forecasting.global_model.rows import LEVEL_DAYS
from watthour.forecasting.panel import mean_known
from watthour.forecasting.similar_days import are_off, distances_of
from watthour.forecasting.trend_season.known import Clock
from watthour.forecasting.vintages import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.forecast import History
    from watthour.forecasting.vintages import Array, Instants

FIRST, HELD_OUT, END = date(2013, 4, 11), date(2013, 7, 1), date(2013, 9, 1)  # learned from; held out; after it
SEED = 0
STEPS, DAYS_A_STEP, HOURS_A_DAY = 420, 120, 6
RATE, MOMENTUM, SCALING = 0.04, 0.9, 0.98  # of Adam; the rate falls to nothing as half a cosine
N_HOURS, WEEK = 24, 7
N_DISTANCES = len(similar_days.DISTANCES)
OTHERS = ("AGE", "LOG_AGE", "SAME_KIND", "SAME_WEEKDAY", "BESIDE")
BY_HAND = (*(1 / 6,) * 4, 0, 1 / 6, 0, 1 / 6, 0, np.log(2), 0, -np.log(0.35), np.log(1.5), np.log(0.4))
"""Where it begins: the constants that were set by hand for all parts of the day, before any was learned."""
PART = np.searchsorted(similar_days.PARTS, np.arange(N_HOURS), side="right") - 1  # of the day, of each hour


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """A day asked at its first midnight, and what was known of D earlier days."""

    home: int
    evidence: Array  # (D, constants but the last): what each constant multiplies
    values: Array  # (24, D, 3): by hour, those of the earlier days at it, an hour before and after; NaN where unknown
    actual: Array  # (24,)
    level: float  # of the home, of which losses are parts


def main(words: list[str] | None = None) -> None:
    """Learn, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", "../shared/data")))
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--homes", type=int, help="only the first so many; default: all")
    asked = parser.parse_args(words)
    pasts = homes(asked.data, HOUR)[: asked.homes]
    n_learned, n_days = (HELD_OUT - FIRST).days, (END - FIRST).days
    days = [days_of(past, END, n_days, home) for home, past in enumerate(pasts)]
    seen = [day for mine in days for day in mine[:n_learned]]
    unseen = [day for mine in days for day in mine[n_learned:]]
    learned = learn(seen, asked.steps, asked.seed)
    standing = constants()
    print(in_words(learned))
    apart = np.abs(np.round(learned, 2) - standing)
    print(f"\nFrom those in the module: {apart.mean():.3f} in the mean, {apart.max():.2f} at most")
    print(f"\nCRPS in parts of the level, {len(pasts)} homes: {FIRST} to {HELD_OUT - DAY}; held out, to {END - DAY}")
    told = {"by hand": by_hand(), "in the module": standing, "learned now": learned}
    held_out = {}
    for name, each in told.items():
        held_out[name] = losses(unseen, each)
        print(f"{name:14} {losses(seen, each).mean():.5f} {held_out[name].mean():.5f}")
    more = held_out["in the module"] - held_out["learned now"]
    error = more.std() / max(len(more) - 1, 1) ** 0.5
    print(f"held out, in the module less learned now: {more.mean():+.5f}, standard error over homes {error:.5f}")


def constants() -> Array:
    """Return those in the module, (constants, parts of the day)."""
    return np.array([*similar_days.DISTANCES.values(), *(getattr(similar_days, name) for name in OTHERS)])


def by_hand() -> Array:
    """Return where learning begins, as ``constants``."""
    return np.repeat(np.array(BY_HAND)[:, None], len(similar_days.PARTS), axis=1)


def in_words(learned: Array) -> str:
    """Return constants as they stand in the module."""
    rows = [
        "(" + ", ".join(f"{max(each, 0) if k < N_DISTANCES else each:.2f}" for each in row) + ")"
        for k, row in enumerate(learned)
    ]
    distances = [f'    "{name}": {row},' for name, row in zip(similar_days.DISTANCES, rows, strict=False)]
    others = [f"{name} = {row}" for name, row in zip(OTHERS, rows[N_DISTANCES:], strict=True)]
    return "\n".join(["DISTANCES = {", *distances, "}", *others])


def days_of(past: History, end: date, n_days: int, home: int = 0) -> list[Day]:
    """Return the last days of a home before a date, each with what was known at its first midnight."""
    context = past.context
    at = instant(local_midnight(end, context.time_zone))
    whole = days_known(past, at, at, most_days=10_000)
    edge = Clock.of(past).edge_row(at)
    numbers = np.arange(edge - len(whole), edge)
    is_off = are_off(numbers, holidays_around(numbers, context.place.holidays))
    return [_day(whole, is_off, each, home) for each in range(len(whole) - n_days, len(whole))]


def _day(whole: Array, is_off: Array, asked: int, home: int) -> Day:
    known = whole[max(asked - similar_days.LOOKED_BACK, 0) : asked]
    ages = np.arange(len(known), 0, -1)
    distances = distances_of(known)
    before = np.concatenate(
        [distances.max(axis=0, keepdims=True), distances[:-1]]
    )  # before the first: the furthest of all
    is_alike = is_off[asked - len(known) : asked] == is_off[asked]
    others = [-ages / similar_days.SOME_DAYS, -np.log(ages), is_alike, ages % WEEK == 0]
    flat = np.concatenate([[np.nan], known.ravel(), [np.nan]])
    hours = [part.reshape(known.shape).T for part in (flat[1:-1], flat[:-2], flat[2:])]
    level = float(mean_known(np.abs(known[-LEVEL_DAYS:]).ravel()))
    evidence = np.concatenate([-before, np.stack(others, axis=1)], axis=1)
    return Day(home, evidence, np.stack(hours, axis=2), whole[asked], level)


def learn(days: Sequence[Day], steps: int, seed: int) -> Array:
    """Return constants whose weights make the loss of days small, by gradient steps (Adam)."""
    rng = np.random.default_rng(seed)
    found = by_hand()
    first, second = np.zeros_like(found), np.zeros_like(found)
    for step in range(1, steps + 1):
        chosen = [days[k] for k in rng.choice(len(days), min(DAYS_A_STEP, len(days)), replace=False)]
        each = [loss(day, found, rng.choice(N_HOURS, HOURS_A_DAY, replace=False)) for day in chosen]
        slope = sum(slope for _, _, slope in each) / max(sum(n for _, n, _ in each), 1)
        first = MOMENTUM * first + (1 - MOMENTUM) * slope
        second = SCALING * second + (1 - SCALING) * slope**2
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / (steps + 1)))
        found = found - rate * (first / (1 - MOMENTUM**step)) / (np.sqrt(second / (1 - SCALING**step)) + 1e-9)
        found[:N_DISTANCES] = np.maximum(found[:N_DISTANCES], 0)
    return found


def losses(days: Sequence[Day], found: Array) -> Array:
    """Return the mean loss of each home, (homes,)."""
    each = [loss(day, found, np.arange(N_HOURS))[:2] for day in days]
    who = [day.home for day in days]
    total, n = (np.bincount(who, weights=[row[k] for row in each]) for k in (0, 1))
    return np.asarray(total / np.maximum(n, 1))


def loss(day: Day, found: Array, hours: Instants) -> tuple[float, int, Array]:
    """Return the sum of the loss over some hours of a day, of how many it is, and its slope, (constants, parts).

    With weights w of values x, which add up to one, and y what came, the loss is sum w |x - y| - half of
    sum w w' |x - x'|.
    """
    slope = np.zeros_like(found)
    hours = hours[np.isfinite(day.actual[hours])]
    if not len(hours) or not day.level > 0:
        return 0.0, 0, slope
    weights = weights_of(day, found, hours)
    values = np.nan_to_num(day.values[hours]).reshape(len(hours), -1)
    order = np.argsort(values, axis=1)
    rising, ordered = (np.take_along_axis(each, order, axis=1) for each in (values, weights.reshape(values.shape)))
    share, moment = np.cumsum(ordered, axis=1), np.cumsum(ordered * rising, axis=1)
    among = np.empty_like(values)  # sum w' |x - x'|
    np.put_along_axis(among, order, rising * (2 * share - 1) - (2 * moment - moment[:, -1:]), axis=1)
    off = np.abs(values - day.actual[hours, None])
    flat = weights.reshape(values.shape)
    by_weight = (off - among) / day.level
    by_log = (flat * (by_weight - (flat * by_weight).sum(axis=1, keepdims=True))).reshape(weights.shape)
    by_evidence, by_beside = by_log.sum(axis=2) @ day.evidence, by_log[..., 1:].sum(axis=(1, 2))
    np.add.at(slope.T, PART[hours], np.concatenate([by_evidence, by_beside[:, None]], axis=1))
    return float((flat * (off - among / 2)).sum() / day.level), len(hours), slope


def weights_of(day: Day, found: Array, hours: Instants) -> Array:
    """Return the weights of the values at some hours, (hours, D, 3), which add up to one at each."""
    of_hours = found[:, PART[hours]]
    logs = (day.evidence @ of_hours[:-1]).T
    counts = np.exp(logs - logs.max(axis=1, keepdims=True))
    beside = np.exp(of_hours[-1])[:, None]
    weights = np.where(np.isfinite(day.values[hours]), np.stack([counts, beside * counts, beside * counts], axis=2), 0)
    return np.asarray(weights / weights.sum(axis=(1, 2), keepdims=True))


if __name__ == "__main__":
    main()
