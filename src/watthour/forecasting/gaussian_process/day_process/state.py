"""What a fitted day process remembers: its training days as arrays, and how they were asked for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

from watthour.core.place import Place
from watthour.forecasting.gaussian_process.archive import pack, unpack
from watthour.forecasting.gaussian_process.day_process.feed_weather import FeedWeather
from watthour.forecasting.gaussian_process.local_days import DayGrid, IssueSchedule
from watthour.forecasting.gaussian_process.points import CovariatePoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.forecasting.vintages import Array, Instants


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Training days in order of time, and what turns a new day into inputs of the same kind."""

    days: Instants  # (n,) since 1970
    log_loads: Array  # (n, intervals) NaN where skipped or unknown; the first row is known whole
    known_since: Instants  # (n,) when all of each day had become known [microseconds]
    weather: Array  # (n, points, LAGS, 4) degC as known at issue, to the precision of its file; NaN where unknown
    log_rival: Array  # (n, intervals) as known at issue; a day that is not known whole is NaN
    schedule: IssueSchedule  # by which weather and rival of the training days are known
    channel: str
    step: int  # [microseconds]
    place: Place
    points: tuple[CovariatePoint, ...]  # of the reference
    others: tuple[FeedWeather, ...]  # the same days by the providers that can stand in for it
    rival: str | None
    fitted_at: datetime

    @property
    def grid(self) -> DayGrid:
        """Its rows and columns."""
        return DayGrid(self.place.time_zone, self.step)

    def files(self) -> dict[str, bytes]:
        """Return the arrays as a NumPy archive, and the rest as JSON."""
        return pack(
            {
                "days": self.days,
                "log_loads": self.log_loads,
                "known_since": self.known_since,
                "weather": self.weather.astype("float32"),
                "log_rival": self.log_rival,
                **{f"weather_{n}": each.values.astype("float32") for n, each in enumerate(self.others, start=1)},
            },
            {
                "schedule": asdict(self.schedule),
                "channel": self.channel,
                "step_us": self.step,
                "place": asdict(self.place),
                "points": [point.as_json() for point in self.points],
                "others": [[point.as_json() for point in each.points] for each in self.others],
                "rival": self.rival,
                "fitted_at": self.fitted_at.isoformat(),
            },
        )

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Read the files again."""
        arrays, words = unpack(files)
        return cls(
            days=arrays["days"],
            log_loads=arrays["log_loads"],
            known_since=arrays["known_since"],
            weather=arrays["weather"].astype("float64"),
            log_rival=arrays["log_rival"],
            schedule=IssueSchedule(**words["schedule"]),
            channel=words["channel"],
            step=words["step_us"],
            place=Place(**words["place"]),
            points=tuple(CovariatePoint.from_json(point) for point in words["points"]),
            others=tuple(
                FeedWeather(
                    tuple(CovariatePoint.from_json(point) for point in points),
                    arrays[f"weather_{n}"].astype("float64"),
                )
                for n, points in enumerate(words["others"], start=1)
            ),
            rival=words["rival"],
            fitted_at=datetime.fromisoformat(words["fitted_at"]),
        )
