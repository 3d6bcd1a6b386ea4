"""The constants of the kernel: how far likeness reaches in each feature, and how much of the load each part explains.

Lengths are in the units of the features: temperatures in 10 degF, days in days. Standard deviations are of the
logarithm of load, so 0.01 is one percent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Array


@dataclass(frozen=True, slots=True)
class Part:
    """One product of the kernel: days are alike if they agree in ``same`` and are near in all else that is named."""

    name: str
    deviation: float
    same: str | None = None  # a quality that both days must have or agree in
    temperature: tuple[float, ...] = ()  # lengths of the first so many temperature features
    season: float | None = None
    light: float | None = None
    elevation: float | None = None
    memory_days: float | None = None

    @property
    def is_hourly(self) -> bool:
        """Whether it differs between the hours of a day."""
        return bool(self.temperature) or self.light is not None or self.elevation is not None


@dataclass(frozen=True, slots=True)
class Noise:
    """What no part explains: a standard deviation, and by which power of e it grows."""

    deviation: float
    off: float  # on days off
    heat: float  # per 10 degF above 65 degF
    cold: float  # per 10 degF below 40 degF
    named: float  # on days that have a name

    @property
    def growth(self) -> Array:
        """The four exponents."""
        return np.array([self.off, self.heat, self.cold, self.named])


@dataclass(frozen=True, slots=True)
class Constants:
    """All parts and the noise."""

    parts: tuple[Part, ...]
    noise: Noise

    def as_vector(self) -> Array:
        """Return every constant as one number that may take any value: logarithms, and the growths as they are."""
        return np.array(
            [number for part in self.parts for number in np.log(_numbers(part))] + _noise_vector(self.noise)
        )

    def with_vector(self, vector: Array) -> Self:
        """Return the same parts with other numbers, in the order of ``as_vector``."""
        parts: list[Part] = []
        at = 0
        for part in self.parts:
            n_numbers = len(_numbers(part))
            parts.append(_with_numbers(part, np.exp(vector[at : at + n_numbers])))
            at += n_numbers
        deviation, *growth = vector[at:]
        return replace(
            self, parts=tuple(parts), noise=Noise(float(np.exp(deviation)), *(float(each) for each in growth))
        )

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {"parts": [asdict(part) for part in self.parts], "noise": asdict(self.noise)}

    @classmethod
    def from_json(cls, kept: Mapping[str, list[dict[str, object]]]) -> Self:
        """Build it again."""
        parts = [Part(**{**part, "temperature": tuple(part["temperature"])}) for part in kept["parts"]]  # type: ignore[arg-type]  # as it was written
        return cls(tuple(parts), Noise(**kept["noise"]))  # type: ignore[arg-type]  # likewise


# Fitted by marginal likelihood on 2007-2010 of the load of GEFCom2014's electric track and rounded to one digit. They
# say how demand follows weather and calendar in a temperate place with air conditioning, not what it is.
FITTED = Constants(
    parts=(
        Part("near weather", 0.01, temperature=(3, 2, 2, 3, 3, 4, 10, 10, 10, 6, 8, 3, 7)),
        Part("wide weather", 0.1, temperature=(4, 6, 5, 10, 20, 4, 50, 60, 40, 6, 8, 20, 20)),
        Part("weather of working days", 0.02, same="works", temperature=(5, 10, 5, 6)),
        Part("weather of the season", 0.02, temperature=(3, 2, 6, 20, 20, 6, 7, 10, 10, 2, 10, 4, 10), season=0.6),
        Part("season", 0.03, season=1.0),
        Part("light", 0.01, light=0.3),
        Part("sun of the season", 0.02, elevation=0.7, season=0.9),
        Part("weekday", 0.01, same="weekday"),
        Part("weekday of the season", 0.004, same="weekday", season=2.0),
        Part("light of working days", 0.07, same="works", light=5.0),
        Part("weekday lately", 0.001, same="weekday", memory_days=100),
        Part("working days lately", 0.005, same="works", memory_days=30),
        Part("last days", 0.01, memory_days=4),
        Part("last months", 0.009, memory_days=200),
        Part("weather lately", 0.006, temperature=(3, 5, 5), memory_days=70),
        Part("day of rest", 0.04, same="rest"),
        Part("worked holiday", 0.03, same="worked_holiday"),
        Part("eve or bridge", 0.06, same="eve"),
        Part("Christmas week", 0.01, same="christmas_week"),
        Part("same name", 0.04, same="name"),
        Part("level", 0.2),
        Part("after a day of rest", 0.02, same="after_rest"),
        Part("before a day of rest", 0.03, same="before_rest"),
    ),
    noise=Noise(0.009, off=0.4, heat=0.3, cold=0.07, named=0.5),
)

_PLAIN_LENGTHS = (1.0, 1.5, 1.5, 2.0, 3.0, 2.0, 3.0, 4.0, 3.0, 3.0, 4.0, 1.0, 4.0)
_PLAIN_REACH = {"near weather": 1.5, "wide weather": 4.0}  # by how much longer; 3 for all other parts
_PLAIN_MEMORY = {
    "weekday lately": 60.0,
    "working days lately": 20.0,
    "last days": 4.0,
    "last months": 60.0,
    "weather lately": 30.0,
}
_PLAIN_DEVIATION = {
    "wide weather": 0.2,
    "level": 0.3,
    "day of rest": 0.03,
    "same name": 0.03,
}  # 0.02 for all other parts


def plain_start() -> Constants:
    """Return the same parts with round numbers set by hand: where learning starts that must know no other load."""

    def plain(part: Part) -> Part:
        reach = _PLAIN_REACH.get(part.name, 3.0)
        return replace(
            part,
            deviation=_PLAIN_DEVIATION.get(part.name, 0.02),
            temperature=tuple(reach * length for length in _PLAIN_LENGTHS[: len(part.temperature)]),
            season=None if part.season is None else 0.7,
            light=None if part.light is None else 0.4,
            elevation=None if part.elevation is None else 0.5,
            memory_days=_PLAIN_MEMORY.get(part.name),
        )

    return Constants(tuple(plain(part) for part in FITTED.parts), Noise(0.01, off=0, heat=0, cold=0, named=0))


def _numbers(part: Part) -> list[float]:
    single = [number for number in (part.season, part.light, part.elevation, part.memory_days) if number is not None]
    return [part.deviation, *part.temperature, *single]


def _with_numbers(part: Part, numbers: Array) -> Part:
    rest = iter(float(number) for number in numbers)

    def following(number: float | None) -> float | None:
        return None if number is None else next(rest)

    return Part(
        part.name,
        next(rest),
        same=part.same,
        temperature=tuple(next(rest) for _ in part.temperature),
        season=following(part.season),
        light=following(part.light),
        elevation=following(part.elevation),
        memory_days=following(part.memory_days),
    )


def _noise_vector(noise: Noise) -> list[float]:
    return [float(np.log(noise.deviation)), *(float(each) for each in noise.growth)]
