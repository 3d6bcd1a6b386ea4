"""What a fitted regression over days remembers: its days as arrays, how they were asked for, and its constants."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.place import Place
from watthour.forecasting.day_regression.day_table import Clock
from watthour.forecasting.day_regression.error_trees import ErrorTrees
from watthour.forecasting.gaussian_process.archive import pack, unpack
from watthour.forecasting.gaussian_process.local_days import DayGrid, IssueSchedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.day_regression.day_table import Channels
    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Consecutive days in order of time, and what turns a new day into inputs of the same kind."""

    first_day: int  # since 1970
    values: Array  # (n, intervals) NaN where unknown [unit of the channel]
    known_since: Instants  # (n,) when all of each day had become known [microseconds]
    covariates: (
        Array  # (issues, n, variables, hours) as known at the shortest lead, a day before that, ...; NaN unknown
    )
    leads: tuple[int, ...]  # days ahead for which constants were learned, ascending
    memories: tuple[int, ...]  # last days that are learned from, longest first
    constants: tuple[Array, ...]  # of each memory each form of the process, (leads, constants of its kernel)
    schedule: IssueSchedule  # by which covariates of the training days are known
    clock: Clock
    channel: str
    place: Place
    variables: Channels
    constant_variables: tuple[str, ...]  # covariates that never moved, and of which nothing was learned
    fitted_at: datetime
    error_trees: ErrorTrees | None = None  # of the shortest lead

    @property
    def last_day(self) -> int:
        """The last of the days."""
        return self.first_day + len(self.values) - 1

    @property
    def learned_range(self) -> tuple[Array, Array]:
        """The smallest and the largest value of each covariate in the days of training, (variables, 1) each."""
        return np.nanmin(self.covariates, axis=(0, 1, 3))[:, None], np.nanmax(self.covariates, axis=(0, 1, 3))[:, None]

    def limited(self, covariates: Array) -> Array:
        """Return covariates, (..., variables, hours), at most the whole learned range beyond its ends."""
        low, high = self.learned_range
        return np.clip(covariates, 2 * low - high, 2 * high - low)

    def last(self, n_days: int, constants: tuple[Array, ...]) -> State:
        """Return the last days, with the constants learned for them."""
        return replace(
            self,
            first_day=self.last_day + 1 - n_days,
            values=self.values[-n_days:],
            known_since=self.known_since[-n_days:],
            covariates=self.covariates[:, -n_days:],
            memories=(n_days,),
            constants=constants,
        )

    def files(self) -> dict[str, bytes]:
        """Return the arrays as a NumPy archive, trees as LightGBM's text, and the rest as JSON."""
        trees = self.error_trees
        files = pack(
            {
                "values": self.values,
                "known_since": self.known_since,
                "covariates": self.covariates.astype("float32"),
                **{f"constants_{number:03d}": each for number, each in enumerate(self.constants)},
                **(trees.arrays() if trees else {}),
            },
            {
                "first_day": self.first_day,
                "leads": list(self.leads),
                "memories": list(self.memories),
                "schedule": asdict(self.schedule),
                "step_us": self.clock.grid.step,
                "begin_us": self.clock.begin,
                "time_zone": self.clock.grid.time_zone,
                "channel": self.channel,
                "place": asdict(self.place),
                "variables": {name: [list(point) for point in points] for name, points in self.variables.items()},
                "constant_variables": list(self.constant_variables),
                "fitted_at": self.fitted_at.isoformat(),
                **(trees.words() if trees else {}),
            },
        )
        return {**files, **(trees.files() if trees else {})}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read the files again."""
        arrays, words = unpack(files)
        place = Place(**words["place"])
        return cls(
            first_day=words["first_day"],
            values=arrays["values"],
            known_since=arrays["known_since"],
            covariates=_by_issue(arrays["covariates"].astype("float64")),
            leads=tuple(words["leads"]),
            memories=tuple(words["memories"]),
            constants=tuple(arrays[name] for name in sorted(arrays) if name.startswith("constants_")),
            schedule=IssueSchedule(**words["schedule"]),
            clock=Clock(DayGrid(words.get("time_zone", place.time_zone), words["step_us"]), words["begin_us"]),
            channel=words["channel"],
            place=place,
            variables={
                name: tuple((channel, weight) for channel, weight in points)
                for name, points in words["variables"].items()
            },
            constant_variables=tuple(words["constant_variables"]),
            fitted_at=datetime.fromisoformat(words["fitted_at"]),
            error_trees=ErrorTrees.from_files(files, arrays, words),
        )


def _by_issue(covariates: Array) -> Array:
    """Return covariates as a state has them; older files know those of the shortest lead."""
    return covariates if covariates.ndim == 4 else covariates[None]  # noqa: PLR2004
