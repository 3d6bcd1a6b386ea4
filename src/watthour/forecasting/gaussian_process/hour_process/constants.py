"""The constants of the kernel: the length of each feature, and how much of the load each term explains.

Lengths are in the units of the features: temperatures in 10 degF, days in days. Standard deviations are of the
logarithm of load, so 0.01 is one percent.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from watthour.forecasting.vintages import Array


@dataclass(frozen=True, slots=True)
class KernelTerm:
    """One product of the kernel: large for days that agree in ``same`` and are near in all else that is named."""

    name: str
    deviation: float
    same: str | None = None  # a quality that both days must have or agree in
    temperature: tuple[float, ...] = ()  # lengths of the first so many temperature features
    season: float | None = None
    light: float | None = None
    elevation: float | None = None
    memory_days: float | None = None

    @property
    def depends_on_day(self) -> bool:
        """Whether it differs between days at all."""
        return bool(self.same or self.temperature or self.season or self.light or self.elevation or self.memory_days)

    @property
    def is_hourly(self) -> bool:
        """Whether it differs between the hours of a day."""
        return bool(self.temperature) or self.light is not None or self.elevation is not None


@dataclass(frozen=True, slots=True)
class Noise:
    """What no term explains: a standard deviation, and by which power of e it grows."""

    deviation: float
    off: float  # on days off
    heat: float  # per 10 degF above 65 degF
    cold: float  # per 10 degF below 40 degF
    named: float  # on days that have a name

    @property
    def growth(self) -> Array:
        """The four exponents, (4,)."""
        return np.array([self.off, self.heat, self.cold, self.named])


@dataclass(frozen=True, slots=True)
class Constants:
    """All terms and the noise."""

    terms: tuple[KernelTerm, ...]
    noise: Noise

    def as_vector(self) -> Array:
        """Return every constant as one number that may take any value: logarithms, and the growths as they are.

        Shape (k,), as many as all terms and the noise have.
        """
        return np.array(
            [number for term in self.terms for number in np.log(_numbers(term))] + _noise_vector(self.noise)
        )

    def with_vector(self, vector: Array) -> Self:
        """Return the same terms with other numbers, (k,), in the order of ``as_vector``."""
        terms: list[KernelTerm] = []
        at = 0
        for term in self.terms:
            n_numbers = len(_numbers(term))
            terms.append(_with_numbers(term, np.exp(vector[at : at + n_numbers])))
            at += n_numbers
        deviation, *growth = vector[at:]
        return replace(
            self, terms=tuple(terms), noise=Noise(float(np.exp(deviation)), *(float(each) for each in growth))
        )

    def without_sun(self) -> Self:
        """Return the same for a place whose coordinates are unknown: light and the height of the sun count nowhere."""
        return self._reduced(replace(term, light=None, elevation=None) for term in self.terms)

    def without_temperature(self) -> Self:
        """Return the same for a load whose temperature is unknown: it counts nowhere."""
        return self._reduced(replace(term, temperature=()) for term in self.terms)

    def with_periods(self) -> Self:
        """Return the same for a place that keeps periods such as Ramadan, whose days are alike from year to year."""
        return replace(self, terms=self.terms + _OF_PERIODS)

    def as_json(self) -> dict[str, object]:
        """Return it as plain data."""
        return {"terms": [asdict(term) for term in self.terms], "noise": asdict(self.noise)}

    def _reduced(self, terms: Iterable[KernelTerm]) -> Self:
        return replace(self, terms=tuple(term for term in terms if term.depends_on_day or term.name == "level"))

    @classmethod
    def from_json(cls, kept: Mapping[str, list[dict[str, object]]]) -> Self:
        """Build it again."""
        terms = [KernelTerm(**{**term, "temperature": tuple(term["temperature"])}) for term in kept["terms"]]  # type: ignore[arg-type]  # as it was written
        return cls(tuple(terms), Noise(**kept["noise"]))  # type: ignore[arg-type]  # likewise


# Fitted by marginal likelihood on 2007-2010 of the load of GEFCom2014's electric track and rounded to one digit. They
# say how demand follows weather and calendar in a temperate place with air conditioning, not what it is.
FITTED = Constants(
    terms=(
        KernelTerm("near weather", 0.01, temperature=(3, 2, 2, 3, 3, 4, 10, 10, 10, 6, 8, 3, 7)),
        KernelTerm("wide weather", 0.1, temperature=(4, 6, 5, 10, 20, 4, 50, 60, 40, 6, 8, 20, 20)),
        KernelTerm("weather of working days", 0.02, same="works", temperature=(5, 10, 5, 6)),
        KernelTerm(
            "weather of the season", 0.02, temperature=(3, 2, 6, 20, 20, 6, 7, 10, 10, 2, 10, 4, 10), season=0.6
        ),
        KernelTerm("season", 0.03, season=1.0),
        KernelTerm("light", 0.01, light=0.3),
        KernelTerm("sun of the season", 0.02, elevation=0.7, season=0.9),
        KernelTerm("weekday", 0.01, same="weekday"),
        KernelTerm("weekday of the season", 0.004, same="weekday", season=2.0),
        KernelTerm("light of working days", 0.07, same="works", light=5.0),
        KernelTerm("weekday lately", 0.001, same="weekday", memory_days=100),
        KernelTerm("working days lately", 0.005, same="works", memory_days=30),
        KernelTerm("last days", 0.01, memory_days=4),
        KernelTerm("last months", 0.009, memory_days=200),
        KernelTerm("weather lately", 0.006, temperature=(3, 5, 5), memory_days=70),
        KernelTerm("day of rest", 0.04, same="rest"),
        KernelTerm("worked holiday", 0.03, same="worked_holiday"),
        KernelTerm("eve or bridge", 0.06, same="eve"),
        KernelTerm("Christmas week", 0.01, same="christmas_week"),
        KernelTerm("same name", 0.04, same="name"),
        KernelTerm("level", 0.2),
        KernelTerm("after a day of rest", 0.02, same="after_rest"),
        KernelTerm("before a day of rest", 0.03, same="before_rest"),
    ),
    noise=Noise(0.009, off=0.4, heat=0.3, cold=0.07, named=0.5),
)

_OF_PERIODS = (
    KernelTerm("period", 0.07, same="periods"),
    KernelTerm("light of the period", 0.03, same="periods", light=1.0),
    KernelTerm("working days of the period", 0.02, same="working_periods"),
    KernelTerm("period lately", 0.01, same="periods", memory_days=30),
)

_PLAIN_LENGTHS = (1.0, 1.5, 1.5, 2.0, 3.0, 2.0, 3.0, 4.0, 3.0, 3.0, 4.0, 1.0, 4.0)
_PLAIN_REACH = {"near weather": 1.5, "wide weather": 4.0}  # by how much longer; 3 for all other terms
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
}  # 0.02 for all other terms


def plain_start() -> Constants:
    """Return the same terms with round numbers set by hand: where learning starts that must know no other load."""

    def plain(term: KernelTerm) -> KernelTerm:
        reach = _PLAIN_REACH.get(term.name, 3.0)
        return replace(
            term,
            deviation=_PLAIN_DEVIATION.get(term.name, 0.02),
            temperature=tuple(reach * length for length in _PLAIN_LENGTHS[: len(term.temperature)]),
            season=None if term.season is None else 0.7,
            light=None if term.light is None else 0.4,
            elevation=None if term.elevation is None else 0.5,
            memory_days=_PLAIN_MEMORY.get(term.name),
        )

    return Constants(tuple(plain(term) for term in FITTED.terms), Noise(0.01, off=0, heat=0, cold=0, named=0))


def _numbers(term: KernelTerm) -> list[float]:
    single = [number for number in (term.season, term.light, term.elevation, term.memory_days) if number is not None]
    return [term.deviation, *term.temperature, *single]


def _with_numbers(term: KernelTerm, numbers: Array) -> KernelTerm:
    rest = iter(float(number) for number in numbers)

    def following(number: float | None) -> float | None:
        return None if number is None else next(rest)

    return KernelTerm(
        term.name,
        next(rest),
        same=term.same,
        temperature=tuple(next(rest) for _ in term.temperature),
        season=following(term.season),
        light=following(term.light),
        elevation=following(term.elevation),
        memory_days=following(term.memory_days),
    )


def _noise_vector(noise: Noise) -> list[float]:
    return [float(np.log(noise.deviation)), *(float(each) for each in noise.growth)]
