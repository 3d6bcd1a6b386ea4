"""A house whose mains and some of whose appliances are metered, and the checks of what meters tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.core.errors import InvalidInput
from watthour.nilm.appliances import appliance_named, states

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    Times: TypeAlias = NDArray[np.int64]
    Powers: TypeAlias = NDArray[np.float32]
    Mask: TypeAlias = NDArray[np.bool_]

_LEAST_SAMPLES = 0.5  # of a longer step, for its mean to stand for it
_FEW = 0.001  # share of the samples that may be below zero; more is no noise
_MOST_DISORDERED = 0.01  # share of the samples whose time may go backward or repeat
IN_KW_BELOW = 60.0  # W that the mains of any house exceed at some time, and in kW never
_LEAST_TO_JUDGE_S = 6 * 3600  # of mains, before their highest value says in which unit they are
_STUCK_MAINS_S = 6 * 3600  # the same value to the last digit for that long: a logger that repeats itself
_STUCK_ON_S = 24 * 3600  # likewise of an appliance that is on


@dataclass(frozen=True, slots=True)
class Remark:
    """What of a source was left out, and how many values of it.

    >>> print(Remark("home:", "values were left out", 1200))
    home: 1,200 values were left out
    """

    of: str
    words: str
    n: int | None = None  # None: what is said is not counted

    def __str__(self) -> str:
        return f"{self.of} {self.words}" if self.n is None else f"{self.of} {self.n:,} {self.words}"


def summed(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """Say the same of the pieces of a house once."""
    found: dict[tuple[str, str], int | None] = {}
    for each in remarks:
        n = found.get((each.of, each.words))
        found[each.of, each.words] = each.n if n is None or each.n is None else n + each.n
    return tuple(Remark(of, words, n) for (of, words), n in found.items())


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """What was metered in a house, in even steps; where the time jumps there is a gap.

    Args:
        name: of the house.
        step_s: length of a step [s].
        time: (n,) begin of each step, a multiple of it, increasing [s since 1970, UTC].
        mains: (n,) mean power of the whole house [W].
        appliances: (n,) mean power of each metered appliance; NaN where it was not metered [W].
        remarks: what of the source was left out, and why.
    """

    name: str
    step_s: int
    time: Times
    mains: Powers
    appliances: Mapping[str, Powers]
    remarks: tuple[Remark, ...] = ()

    def __post_init__(self) -> None:
        if self.step_s < 1:
            problem = f"{self.name}: the length of a step is a whole number of seconds above 0"
            raise InvalidInput("step_s", self.step_s, problem, remedy="Give it in seconds.")
        for name, values in {"mains": self.mains, **self.appliances}.items():
            if values.shape != self.time.shape or values.dtype != np.float32:
                problem = f"{self.name}: it must be float32 with a value for each of the {len(self.time)} times"
                raise InvalidInput(name, f"{values.dtype} {values.shape}", problem, remedy="See `checked_house`.")
        if (self.time % self.step_s).any() or (np.diff(self.time) <= 0).any():
            problem = f"{self.name}: times must increase by multiples of {self.step_s} s"
            raise InvalidInput("time", self.name, problem, remedy="See `sampling.from_samples` and `checked_house`.")
        if not np.isfinite(self.mains).all():
            problem = f"{self.name}: steps without mains are gaps and have no place here"
            raise InvalidInput("mains", "nan", problem, remedy="See `checked_house`.")

    def __len__(self) -> int:
        return len(self.time)

    @property
    def days(self) -> float:
        """How long it was metered, without gaps."""
        return len(self.time) * self.step_s / 86_400

    def pieces(self) -> Iterator[House]:
        """Yield the house in one piece; sources that do not fit into memory yield several, oldest first."""
        yield self

    def segments(self) -> tuple[slice, ...]:
        """Return the stretches between gaps."""
        return segments_of(self.time, self.step_s)

    def begins(self) -> tuple[int, ...]:
        """Return when each of these stretches begins, in steps since 1970."""
        return tuple(int(self.time[part.start]) // self.step_s for part in self.segments())

    def states(self, appliance: str) -> Mask:
        """Tell when one of its appliances was on, by the rule of its kind, no run crossing a gap."""
        rule = appliance_named(appliance)
        power = self.appliances[appliance]
        parts = [states(power[part], rule, self.step_s) for part in self.segments()]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.bool_)

    def between(self, start: datetime, end: datetime) -> House:
        """Return what was metered in ``[start, end)``, such as the time to train on."""
        for field, instant in (("start", start), ("end", end)):
            if instant.tzinfo is None:
                raise InvalidInput(field, instant, "it needs a time zone", remedy="Add one, such as UTC.")
        first, last = np.searchsorted(self.time, [start.timestamp(), end.timestamp()]).tolist()
        return self._part(slice(first, last))

    def with_appliances(self, names: Collection[str]) -> House:
        """Return it with these appliances alone; what it has not of them stays away."""
        return replace(self, appliances={name: self.appliances[name] for name in names if name in self.appliances})

    def resampled(self, step_s: int) -> House:
        """Return means over whole longer steps; one of which less than half is known becomes a gap, or NaN.

        Raises:
            InvalidInput: the step is no multiple of the present one.
        """
        if step_s == self.step_s:
            return self
        if step_s < self.step_s or step_s % self.step_s:
            problem = f"{self.name} has steps of {self.step_s} s, of which it is no multiple"
            longer = ", ".join(str(times * self.step_s) for times in (1, 2, 5, 10))
            raise InvalidInput("step_s", step_s, problem, remedy=f"Choose a multiple, such as {longer}.")
        if not len(self.time):
            return replace(self, step_s=step_s)
        bins = self.time // step_s
        first = np.concatenate([[0], np.flatnonzero(np.diff(bins)) + 1])
        least = _LEAST_SAMPLES * step_s / self.step_s
        mains = _means(self.mains, first, least)
        keep = np.isfinite(mains)
        return replace(
            self,
            step_s=step_s,
            time=bins[first][keep] * step_s,
            mains=mains[keep],
            appliances={name: _means(power, first, least)[keep] for name, power in self.appliances.items()},
        )

    def _part(self, part: slice) -> House:
        return replace(
            self,
            time=self.time[part],
            mains=self.mains[part],
            appliances={name: power[part] for name, power in self.appliances.items()},
        )


def segments_of(time: Times, step_s: int) -> tuple[slice, ...]:
    """Return the stretches in which steps follow each other without a gap."""
    if not len(time):
        return ()
    cuts = np.flatnonzero(np.diff(time) != step_s) + 1
    return tuple(slice(first, end) for first, end in pairwise([0, *cuts.tolist(), len(time)]))


def _means(values: Powers, first: NDArray[np.int64], least: float) -> Powers:
    """Return means of groups that begin at some places; NaN where fewer values are known than needed."""
    known = np.isfinite(values)
    count = np.add.reduceat(known, first, dtype=np.int64)
    total = np.add.reduceat(np.where(known, values, 0.0), first, dtype=np.float64)
    return np.where(count >= least, total / np.maximum(count, 1), np.nan).astype(np.float32)


def checked_house(
    name: str,
    step_s: int,
    time: Times,
    mains: Powers,
    appliances: Mapping[str, Powers],
    *,
    solar: Powers | None = None,
    checks_unit: bool = True,
) -> House:
    """Make a house of what meters told: what cannot be is refused, or left out and said in its ``remarks``.

    Args:
        name: of the house.
        step_s: length of a step [s].
        time: (n,) begin of each step [s since 1970, UTC].
        mains: (n,) power of the whole house; NaN where unknown [W].
        appliances: (n,) power of each metered appliance, by any of its names; NaN where unknown [W].
        solar: (n,) power of its own solar panels [W], which is added to mains that count what is fed in as negative.
        checks_unit: whether mains that are always small are taken for kW.

    Raises:
        InvalidInput: mains in kW or below zero, or times in disorder.
        UnknownName: no appliance has this name.
    """
    remarks: list[Remark] = []
    named = _named(appliances)
    columns = {each: np.asarray(values, dtype=np.float32) for each, values in {"mains": mains, **named}.items()}
    if solar is not None:
        columns["mains"] = columns["mains"] + np.asarray(solar, dtype=np.float32)
    time = np.asarray(time, dtype=np.int64)
    keep = in_order(name, time, remarks)
    time, columns = time[keep], {each: values[keep] for each, values in columns.items()}
    use = columns.pop("mains")
    if checks_unit:
        _check_unit(name, use, step_s)
    use = _without_negative(name, use, remarks, has_solar=solar is not None)
    use = _without_stuck(use, np.ones_like(use, dtype=bool), _STUCK_MAINS_S / step_s, f"{name}: mains", remarks)
    for each, values in columns.items():
        values[values < 0] = np.nan
        is_on = values >= appliance_named(each).on_w
        columns[each] = _without_stuck(values, is_on, _STUCK_ON_S / step_s, f"{name}: {each}", remarks)
    known = np.isfinite(use)
    kept = {each: values[known] for each, values in columns.items()}
    return House(name, step_s, time[known], use[known], kept, tuple(remarks))


def _named(appliances: Mapping[str, Powers]) -> dict[str, Powers]:
    """Return appliances by the names of their kinds; two of a kind are one that draws both powers."""
    named: dict[str, Powers] = {}
    for said, values in appliances.items():
        kind = appliance_named(said).name
        both = np.asarray(values, dtype=np.float32)
        named[kind] = both if kind not in named else named[kind] + both
    return named


def in_order(house: str, time: Times, remarks: list[Remark]) -> Mask:
    """Tell which samples come after all before them; of a few others it is remarked that they are left out.

    Raises:
        InvalidInput: these are many.
    """
    latest = np.maximum.accumulate(time) if len(time) else time
    keep = np.ones(len(time), dtype=bool)
    keep[1:] = time[1:] > latest[:-1]
    n_left_out = int((~keep).sum())
    if n_left_out > _MOST_DISORDERED * len(time):
        at = _instant(time[np.flatnonzero(~keep)[0]])
        problem = f"{house}: at {n_left_out:,} of {len(time):,} samples time goes backward or stands still"
        cure = "Sort the samples by time, and tell the time zone where they have local times."
        raise InvalidInput("time", at, problem, remedy=cure)
    if n_left_out:
        remarks.append(Remark(f"{house}:", "samples were left out whose time repeats or goes backward", n_left_out))
    return keep


def _check_unit(house: str, mains: Powers, step_s: int) -> None:
    known = mains[np.isfinite(mains)]
    if not len(known):
        problem = f"{house}: no value of the mains is known"
        raise InvalidInput("mains", house, problem, remedy="Check the column of the mains.")
    highest = float(known.max())
    if len(known) * step_s >= _LEAST_TO_JUDGE_S and 0 < highest < IN_KW_BELOW:
        problem = f"{house}: this is the highest of {len(known):,} values, so they seem to be kW"
        raise InvalidInput("mains", round(highest, 3), problem, remedy="Multiply all powers by 1000, or say unit kW.")


def _without_negative(house: str, mains: Powers, remarks: list[Remark], *, has_solar: bool) -> Powers:
    below = mains < 0
    n_below = int(below.sum())
    if n_below > _FEW * len(mains):
        lowest = round(float(mains[below].min()), 1)
        problem = f"{house}: {n_below:,} of {len(mains):,} values are below zero: the meter subtracts what is fed in"
        cure = "Name the power of the solar panels as well, so that the use of the house can be told."
        if has_solar:
            cure = "With the solar panels' power added this cannot be: check that both are W at the same times."
        raise InvalidInput("mains", lowest, problem, remedy=cure)
    if n_below:
        remarks.append(Remark(f"{house}:", "values of the mains were left out that are below zero", n_below))
    return np.where(below, np.nan, mains).astype(np.float32)


def _without_stuck(values: Powers, counts: Mask, longest: float, what: str, remarks: list[Remark]) -> Powers:
    """Return values without those that stay the same to the last digit for too long, where that counts."""
    if not len(values):
        return values
    first = np.concatenate([[0], np.flatnonzero(values[1:] != values[:-1]) + 1])
    length = np.diff(np.append(first, len(values)))
    stuck = np.repeat(length > longest, length) & counts & np.isfinite(values)
    if stuck.any():
        remarks.append(
            Remark(f"{what} was left out for", "steps in which it stayed the same to the digit", int(stuck.sum()))
        )
    return np.where(stuck, np.nan, values).astype(np.float32)


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
