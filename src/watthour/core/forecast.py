"""What was known, what is asked, and who answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, Self

import polars as pl

from watthour.core.frames import Forecasts, Readings, Targets
from watthour.core.window import HOUR, Window, local_day, local_instant, local_midnight

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, time

    import dataframely as dy


@dataclass(frozen=True, slots=True)
class Context:
    """What a forecaster may know of the place it forecasts for, beyond its readings."""

    channel: str  # what is forecast
    time_zone: str
    holidays: str | None = None  # ISO code of the holiday calendar, such as "US-NY"
    resolution: timedelta = HOUR
    weather: tuple[tuple[str, float], ...] = ()  # channel prefix of each weather point, and its share of the load
    operator: str | None = "operator"  # `model` under which the operator's own forecast of the channel is kept


@dataclass(frozen=True, slots=True)
class History:
    """All versions of readings and forecasts that were known at ``as_of``, and the place they speak of.

    Every row keeps its ``available_at``, so features for an earlier issue time see only what was known then.
    """

    as_of: datetime
    context: Context
    readings: dy.DataFrame[Readings]
    forecasts: dy.DataFrame[Forecasts]

    def known_at(self, as_of: datetime) -> History:
        """Return what was known at an earlier instant."""
        known = pl.col("available_at") <= as_of
        return replace(
            self,
            as_of=min(as_of, self.as_of),
            readings=Readings.cast(self.readings.filter(known)),
            forecasts=Forecasts.cast(self.forecasts.filter(known)),
        )

    def latest(self) -> pl.DataFrame:
        """Return the last known version of each reading: ``channel, time, value, quality``, sorted."""
        return (
            self.readings.sort("available_at")
            .unique(["channel", "time"], keep="last")
            .sort("channel", "time")
            .select("channel", "time", "value", "quality")
        )


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles for the asked intervals, and an honest word on what they were made of."""

    values: dy.DataFrame[Forecasts]
    model: str
    lacked: tuple[str, ...] = ()  # what was missing, in words for a person
    fallback: str | None = None  # why something simpler than the model answered, if it did
    details: Mapping[str, float] = field(default_factory=dict)


class Forecaster(Protocol):
    """A fitted model; one that is not fitted cannot be written."""

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue time."""
        ...

    def files(self) -> Mapping[str, bytes]:
        """Return the model as files in native formats; never a pickle."""
        ...

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build the model again from its files."""
        ...


class Recipe(Protocol):
    """How to make a forecaster: plain frozen data, comparable and loggable."""

    @property
    def name(self) -> str:
        """The catalogue's name of this kind of model."""
        ...

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> Forecaster:
        """Learn from past issues; the actuals of all of them are in ``history``."""
        ...


def targets(window: Window, issued_at: datetime, known_until: datetime | None = None) -> dy.DataFrame[Targets]:
    """Return the hours of a window as asked at one issue time."""
    times = pl.datetime_range(window.start, window.end, "1h", time_unit="us", closed="left", eager=True)
    return Targets.validate(
        pl.DataFrame({"time": times}).select(
            pl.lit(issued_at).dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")).alias("issued_at"),
            "time",
            pl.lit(known_until or issued_at)
            .dt.convert_time_zone("UTC")
            .cast(pl.Datetime("us", "UTC"))
            .alias("known_until"),
        ),
        cast=True,
    )


def day_ahead_targets(
    days: Sequence[date], time_zone: str, *, issue_clock: time, known_clock: time | None
) -> dy.DataFrame[Targets]:
    """Return all hours of each local day, issued at a clock time of the day before.

    Args:
        days: the local days to forecast.
        time_zone: of the site.
        issue_clock: local clock time on the day before.
        known_clock: measurements are known up to this local clock time of the day before; None means midnight, the
            end of the day before that.
    """
    rows: list[pl.DataFrame] = []
    for day in days:
        eve = day - timedelta(days=1)
        known = local_midnight(eve, time_zone) if known_clock is None else local_instant(eve, known_clock, time_zone)
        rows.append(targets(local_day(day, time_zone), local_instant(eve, issue_clock, time_zone), known))
    return Targets.validate(pl.concat(rows))
