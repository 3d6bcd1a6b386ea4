"""What was known, what is asked, and who answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import TYPE_CHECKING, Protocol, Self
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.frames import INSTANT, Forecasts, Readings, Targets
from watthour.core.window import DAY, HOUR, MONTH, local_instant, local_midnight, step_in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    import dataframely as dy

    from watthour.core.channel import Channel, Site
    from watthour.core.frames import IntervalUse, UseOfDay
    from watthour.core.place import Place
    from watthour.core.window import Window

_WEIGHTS_SUM = 1e-6  # by how much the weights of a set may miss 1


@dataclass(frozen=True, slots=True)
class Covariate:
    """A channel whose values are known ahead of the forecast one: what it says, and how much of the load it stands for.

    The weights of the points of a site sum to 1, and every variable of a point carries the weight of its point; what
    holds for the whole site has no point and the weight 1.
    """

    channel: str
    variable: str  # such as "temperature_2m"
    weight: float = 1.0  # share of the load at its point [-]
    point: str = ""  # where in the site


@dataclass(frozen=True, slots=True)
class SimilarChannel:
    """A channel of the same quantity, step and kind of site, whose longer past helps while that of another is short."""

    channel: str
    name: str  # of its site, in words


@dataclass(frozen=True, slots=True)
class Context:
    """What is forecast, and what a forecaster may know of it beyond its readings.

    Raises:
        InvalidInput: the weights of the points do not sum to 1.
    """

    site: Site
    channel: Channel  # what is forecast; its resolution is the step of every forecast
    covariates: tuple[Covariate, ...] = ()
    rivals: tuple[str, ...] = ()  # `model` of the forecasts others publish of the channel, the best known first
    similar: tuple[SimilarChannel, ...] = ()  # named only where a short past needs them; a history then holds theirs
    companions: tuple[str, ...] = ()  # channels of one unit that it is made of, measured beside it, none known ahead

    def __post_init__(self) -> None:
        total = sum({covariate.point: covariate.weight for covariate in self.covariates if covariate.point}.values())
        if total and abs(total - 1) > _WEIGHTS_SUM:
            problem = f"the weights of {self.site.id}'s points sum to {total:g}, not to 1"
            raise InvalidInput("weight", total, problem, remedy="Give each point its share of the site's load.")

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.site.place

    @property
    def time_zone(self) -> str:
        """The clock of the place."""
        return self.site.place.time_zone

    @property
    def resolution(self) -> timedelta:
        """The step of the channel."""
        return self.channel.resolution

    @property
    def rival(self) -> str | None:
        """The rival whose forecast is known best, if there is one."""
        return self.rivals[0] if self.rivals else None


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

    def without_covariates(self) -> History:
        """Return what was known without covariates and companions: the channel, similar ones, and rivals' forecasts."""
        mine = pl.col("channel").is_in([self.context.channel.id, *(each.channel for each in self.context.similar)])
        return replace(
            self,
            context=replace(self.context, covariates=(), companions=()),
            readings=Readings.cast(self.readings.filter(mine)),
            forecasts=Forecasts.cast(self.forecasts.filter(mine)),
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
class UsesAhead:
    """When something that is seldom on can be expected to run, and what it will use."""

    intervals: dy.DataFrame[IntervalUse]
    days: dy.DataFrame[UseOfDay]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles for the asked intervals, and an honest word on what they were made of."""

    values: dy.DataFrame[Forecasts]
    model: str
    missing_inputs: tuple[str, ...] = ()  # what was not known or only estimated, in words for a person
    fallback: str | None = None  # why something simpler than the model answered, if it did
    details: Mapping[str, float] = field(default_factory=dict)
    uses: UsesAhead | None = None  # of something that is seldom on


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


def covariates_of(channels: Iterable[Channel]) -> tuple[Covariate, ...]:
    """Return the covariates among a site's channels, the weights of their points scaled to a sum of 1.

    A point of weight 0 is left out: it is where the site's weather was taken before the site was moved.

    Raises:
        InvalidInput: a weight is negative.
    """
    known = [channel for channel in channels if channel.variable is not None and (channel.weight or not channel.point)]
    weights = {channel.point: channel.weight for channel in known if channel.point}
    total = sum(weights.values())
    if weights and (total <= 0 or min(weights.values()) < 0):
        raise InvalidInput(
            "weight", weights, "no weights of points", remedy="Give each point its share of the site's load."
        )
    return tuple(
        Covariate(channel.id, str(channel.variable), channel.weight / total if channel.point else 1.0, channel.point)
        for channel in known
    )


def targets(
    window: Window, issued_at: datetime, *, resolution: timedelta, time_zone: str, known_until: datetime | None = None
) -> dy.DataFrame[Targets]:
    """Return the intervals of a window as asked at one issue time.

    Args:
        window: the span asked for.
        issued_at: the instant of asking.
        resolution: the channel's step; a day means the local days of the site, ``MONTH`` its calendar months.
        time_zone: of the site.
        known_until: where measurements end, if before the instant of asking.

    Raises:
        InvalidInput: the step is none.
    """
    asked = pl.DataFrame({"issued_at": [issued_at], "known_until": [known_until or issued_at]}).with_columns(
        pl.all().dt.convert_time_zone("UTC").cast(INSTANT)
    )
    times = pl.DataFrame({"time": interval_starts(window, resolution, time_zone)})
    return Targets.validate(asked.join(times, how="cross").select("issued_at", "time", "known_until"))


def day_ahead_targets(
    days: Sequence[date], time_zone: str, *, resolution: timedelta, issue_clock: time | None, known_clock: time | None
) -> dy.DataFrame[Targets]:
    """Return all intervals of each local day, issued at a clock time of the day before, or as the day begins.

    Args:
        days: the local days to forecast.
        time_zone: of the site.
        resolution: the channel's step.
        issue_clock: local clock time on the day before; None means the beginning of the day itself, when everything
            before it is known, whatever ``known_clock`` says.
        known_clock: measurements are known up to this local clock time of the day before; None means midnight, the
            end of the day before that.

    Raises:
        InvalidInput: the step does not divide a day.
    """
    check_divides_day(resolution)
    rows = []
    for day in days:
        begin, end = local_midnight(day, time_zone), local_midnight(day + DAY, time_zone)
        if issue_clock is None:
            rows.append((begin, begin, end, begin))
        else:
            eve = day - DAY
            known = local_instant(eve, known_clock or time(), time_zone)
            rows.append((local_instant(eve, issue_clock, time_zone), begin, end, known))
    columns = ("issued_at", "time", "end", "known_until")
    table = pl.DataFrame(rows, schema=dict.fromkeys(columns, INSTANT), orient="row")
    if resolution < DAY:
        table = table.with_columns(pl.datetime_ranges("time", "end", resolution, closed="left")).explode("time")
    return Targets.validate(table.select("issued_at", "time", "known_until"))


def issue_clock_of(hour: int) -> time | None:
    """Return the hour of issue as ``day_ahead_targets`` takes it; hour 24 of the day before begins the day itself.

    >>> issue_clock_of(12), issue_clock_of(24)
    (datetime.time(12, 0), None)
    """
    return None if hour == DAY // HOUR else time(hour)


def interval_starts(window: Window, resolution: timedelta, time_zone: str) -> pl.Series:
    """Return the starts of the intervals of a window, in UTC; steps of days and months follow the local midnights.

    The first interval of less than a day begins with the window, one of several days at its first midnight.

    Raises:
        InvalidInput: the step is none.
    """
    check_resolution(resolution)
    if resolution < DAY:
        return pl.datetime_range(window.start, window.end, resolution, time_unit="us", closed="left", eager=True)
    first, last = (instant.astimezone(ZoneInfo(time_zone)).date() for instant in (window.start, window.end))
    days = [first + n * DAY for n in range((last - first).days + 1)]
    if resolution == MONTH:
        days = [day for day in days if day.day == 1]
    starts = [start for day in days if (start := local_midnight(day, time_zone)) in window]
    return pl.Series(starts if resolution == MONTH else starts[:: resolution // DAY], dtype=INSTANT)


def check_resolution(resolution: timedelta) -> None:
    """Refuse a step that neither divides a day nor is a number of whole days or a calendar month.

    Raises:
        InvalidInput: it is none of them.
    """
    if resolution != MONTH and (resolution <= timedelta(0) or (DAY % resolution and resolution % DAY)):
        problem = "this step does not divide a day, and is neither whole days nor a calendar month"
        remedy = "Resample to minutes that divide a day, such as 5, 15, 30 or 60, or to days, weeks or calendar months."
        raise InvalidInput("resolution", step_in_words(resolution), problem, remedy=remedy)


def check_divides_day(resolution: timedelta) -> None:
    """Refuse a step of which a local day does not have a whole number, where whole days are asked for.

    Raises:
        InvalidInput: it does not divide a day.
    """
    if resolution <= timedelta(0) or DAY % resolution:
        remedy = "Resample to minutes that divide a day, such as 5, 15, 30 or 60, or to days."
        raise InvalidInput("resolution", step_in_words(resolution), "this step does not divide a day", remedy=remedy)


def check_fits_clock(resolution: timedelta, time_zone: str, window: Window) -> None:
    """Refuse a step of less than a day whose intervals begin at other local times after the clock was changed.

    Raises:
        InvalidInput: in this window they would, such as steps of two hours where the clock is moved by one.
    """
    zone, n_days = ZoneInfo(time_zone), (window.end - window.start) // DAY + 1
    offsets = {(window.start + n * DAY).astimezone(zone).utcoffset() or timedelta() for n in range(n_days)}
    move = next((each for each in (offset - min(offsets) for offset in offsets) if each % resolution), None)
    if resolution < DAY and move is not None:
        minutes = move // timedelta(minutes=1)
        problem = (
            f"{time_zone} moves its clock by {minutes} minutes, so the intervals of this step would begin at one local "
            "time in summer and at another in winter"
        )
        remedy = f"Resample to steps that divide {minutes} minutes, such as {_divisors(minutes)}, or to days."
        raise InvalidInput("resolution", step_in_words(resolution), problem, remedy=remedy)


def _divisors(minutes: int) -> str:
    fitting = [str(each) for each in (15, 30, 60) if minutes % each == 0] or ["5"]
    return f"{' or '.join(fitting)} minutes"
