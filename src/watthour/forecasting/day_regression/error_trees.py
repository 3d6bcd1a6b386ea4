"""What boosted trees expect of the errors of the process: to which side it will be off, and how widely.

The process says what usually follows from what is known of a day. Trees find where it is usually wrong: at some hours
and loads, after days on which it was off. They learn the misses that the process would have had of each past day from
the days before it, in parts of the deviation it expected.

Source: Ke et al., LightGBM, NeurIPS 30 (2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from watthour.forecasting.day_regression.inputs import WEEK
from watthour.forecasting.gaussian_process.archive import in_half

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.day_regression.inputs import DayFacts, Scale
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

_SKIPPED = 120  # first days, of which the process knew little
_FEWEST_DAYS = 240  # after them, to learn from
_MOST_DAYS = 900
_HALFLIFE = 365.0  # days after which a miss counts half
_FURTHEST = 4.0  # expected deviations that a miss counts as at most
_NEAREST = 0.05  # and at least, where its logarithm is learned
_PARTS = 4  # of the days of training, each told by trees that learned the others
_N_TREES = 40
_SHIFT, _SPREAD = 0.5, 0.8  # how much of the side, and which power of the width, is believed
_WINDOW = 40  # days before the last known one whose misses count


@dataclass(frozen=True, slots=True, eq=False)
class Misses:
    """How far the process was off on consecutive days, in parts of what it expected."""

    first_day: int
    values: Array  # (days, hours) NaN where unknown

    @classmethod
    def of(cls, days: Instants, values: Array) -> Self:
        """Place the misses of days in ascending order, (d,), (d, hours), among all days between them."""
        found = np.full((int(days[-1] - days[0]) + 1, values.shape[1]), np.nan)
        found[days - days[0]] = values
        return cls(int(days[0]), found)

    def until(self, last: Instants) -> Array:
        """Return those of the last ``_WINDOW`` days, the latest first, (m, days, hours), at each of some days."""
        rows = last[:, None] - np.arange(_WINDOW) - self.first_day
        is_there = (rows >= 0) & (rows < len(self.values))
        found = self.values[np.clip(rows, 0, len(self.values) - 1)]
        return np.where(is_there[..., None], found, np.nan)


def features_of(
    facts: DayFacts, point: Array, width: Array, misses: Misses, lead: int, scale: Scale, covariate_scales: list[Scale]
) -> Array:
    """Return what trees look at, (m, hours, features); where no miss is known it counts as none, as in the first days.

    Args:
        facts: what m days are forecast from.
        point: what the process says of them, (m, hours).
        width: the deviation it expects, (m, hours).
        misses: of days that are known; of each day, those up to ``lead`` days before count.
        lead: days from the last known one.
        scale: of the values.
        covariate_scales: of each covariate.
    """
    squeezed, last, week = (scale.squeezed(each) for each in (point, facts.values[:, 0], facts.values[:, 3]))
    day = [
        np.where(facts.is_holiday > 0, WEEK, (facts.day + 3) % WEEK),
        squeezed.mean(axis=1),
        np.ptp(squeezed, axis=1),
    ]
    own = [np.broadcast_to(np.arange(point.shape[1]), point.shape), squeezed, width / scale.width, last, week]
    own += [squeezed - last, squeezed - week]
    for k, each in enumerate(covariate_scales):
        now, before, week_before = np.moveaxis(each.squeezed(facts.covariates[:, :, k]), 1, 0)
        own += [now, now - before, now - week_before, np.roll(now, 1, axis=1), np.roll(now, -1, axis=1)]
        day += [now.mean(axis=1), np.ptp(now, axis=1)]
    recent = misses.until(facts.day - lead)
    far = np.abs(recent)
    own += [
        np.nan_to_num(recent[:, 0]),
        np.nan_to_num(recent[:, -lead % WEEK]),
        _faded(recent, 7),
        _faded(far, 10, 1.0),
    ]
    day += [
        np.nan_to_num(recent[:, 0]).mean(axis=1),
        np.nan_to_num(far[:, 0]).max(axis=1),
        _faded(recent, 7).mean(axis=1),
    ]
    day += [_faded(far, halflife, 1.0).mean(axis=1) for halflife in (3, 30)]
    day += list(facts.in_period[:, 0].T)
    return np.stack([*own, *(np.broadcast_to(each[:, None], point.shape) for each in day)], axis=-1)


@dataclass(frozen=True, eq=False)
class ErrorTrees:
    """Grown trees, and what they say of the days that they were learned from."""

    lead: int  # days ahead
    shift: str  # LightGBM's text: the middle of the misses
    spread: str  # the logarithm of their size
    usual: float  # mean logarithm on the days of training
    past_shift: Array  # (n, hours) of each day of training, by trees that have not seen it
    past_spread: Array  # (n, hours) likewise

    @classmethod
    def grow(cls, features: Array, misses: Array, days: Instants, lead: int) -> Self | None:
        """Learn from days of training, in order of time; nothing where these are few.

        Args:
            features: (n, hours, features).
            misses: (n, hours).
            days: (n,).
            lead: days ahead.
        """
        known = np.isfinite(misses).all(axis=1) & np.isfinite(features).all(axis=(1, 2))
        rows = np.flatnonzero(known & (np.arange(len(days)) >= _SKIPPED))[-_MOST_DAYS:]
        if len(rows) < _FEWEST_DAYS:
            return None
        weights = 0.5 ** ((days[-1] - days) / _HALFLIFE)
        targets = {
            "l1": np.clip(misses, -_FURTHEST, _FURTHEST),
            "l2": np.log(np.clip(np.abs(misses), _NEAREST, _FURTHEST)),
        }
        past = {objective: np.full(misses.shape, np.nan) for objective in targets}
        for part in np.array_split(rows, _PARTS):
            others = np.setdiff1d(rows, part)
            for objective, target in targets.items():
                text = _grown(objective, features[others], target[others], weights[others])
                past[objective][part] = _asked(_booster(text), features[part])
        shift, spread = (_grown(each, features[rows], target[rows], weights[rows]) for each, target in targets.items())
        usual = float(np.nanmean(past["l2"]))
        return cls(
            lead,
            shift,
            spread,
            usual,
            in_half(_SHIFT * np.nan_to_num(past["l1"])),
            in_half(np.exp(_SPREAD * np.nan_to_num(past["l2"] - usual))),
        )

    def expected(self, features: Array) -> tuple[Array, Array]:
        """Return by how many deviations the process is to be moved, and how many of them to expect: (m, hours) each."""
        shift, spread = (_asked(each, features) for each in self._boosters)
        return _SHIFT * shift, np.exp(_SPREAD * (spread - self.usual))

    @cached_property
    def _boosters(self) -> tuple[Any, Any]:
        return _booster(self.shift), _booster(self.spread)

    def files(self) -> dict[str, bytes]:
        """Return LightGBM's own texts."""
        return {"shift_trees.txt": self.shift.encode(), "spread_trees.txt": self.spread.encode()}

    def arrays(self) -> dict[str, Array]:
        """Return what a NumPy archive keeps."""
        return {name: getattr(self, name).astype("float32") for name in ("past_shift", "past_spread")}

    def words(self) -> dict[str, object]:
        """Return what JSON keeps."""
        return {"error_trees": {"lead": self.lead, "usual": self.usual}}

    @classmethod
    def from_files(
        cls, files: Mapping[str, bytes], arrays: Mapping[str, Array], words: Mapping[str, Any]
    ) -> Self | None:
        """Read them again; nothing where a model has none."""
        if "error_trees" not in words:
            return None
        return cls(
            words["error_trees"]["lead"],
            files["shift_trees.txt"].decode(),
            files["spread_trees.txt"].decode(),
            words["error_trees"]["usual"],
            arrays["past_shift"].astype("float64"),
            arrays["past_spread"].astype("float64"),
        )


def _faded(recent: Array, halflife: float, otherwise: float = 0.0) -> Array:
    """Return the mean over days, the latest first, (m, days, hours), older ones counting less: (m, hours)."""
    known: Mask = np.isfinite(recent)
    weights = 0.5 ** (np.arange(recent.shape[1]) / halflife)[None, :, None] * known
    total = weights.sum(axis=1)
    mean = (weights * np.where(known, recent, 0.0)).sum(axis=1) / np.maximum(total, 1e-9)
    return np.asarray(np.where(total > 0, mean, otherwise))


def _grown(objective: str, features: Array, target: Array, weights: Array) -> str:
    import lightgbm

    parameters = {
        "objective": objective,
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": 150,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "lambda_l2": 10.0,
        "num_threads": 1,
        "seed": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    n, hours, count = features.shape
    learned = lightgbm.Dataset(features.reshape(n * hours, count), target.ravel(), weight=np.repeat(weights, hours))
    return str(lightgbm.train(parameters, learned, num_boost_round=_N_TREES).model_to_string())


def _booster(text: str) -> Any:  # noqa: ANN401 - LightGBM has no types
    import lightgbm

    return lightgbm.Booster(model_str=text)


def _asked(booster: Any, features: Array) -> Array:  # noqa: ANN401 - LightGBM has no types
    if not len(features):
        return np.empty(features.shape[:2])
    told = booster.predict(features.reshape(-1, features.shape[-1]), num_threads=1)
    return np.asarray(told, dtype=np.float64).reshape(features.shape[:2])
