"""The tables that pass between packages; the schema is the type, the validator and the documentation."""

from __future__ import annotations

from enum import IntFlag, StrEnum

import dataframely as dy
import polars as pl

from watthour.core.units import Quantity

INSTANT = pl.Datetime("us", "UTC")  # the type of every instant in every table


OPERATOR = "operator"  # `model` under which a grid operator's own forecasts are kept


class Maker(StrEnum):
    """Who made a forecast."""

    OWN = "own"  # a model of ours
    RIVAL = "rival"  # anybody else: a grid's operator, a weather service
    BASELINE = "baseline"  # a rule that every model must beat
    TRIAL = "trial"  # a model of ours that forecast beside the one that answered, in an A/B trial


class Quality(IntFlag):
    """Why a value is special; the raw value is always kept. Zero means nothing is known against it."""

    GOOD = 0
    ASSUMED = 1  # available_at comes from the source's publication rule, it was not observed
    SIMULATED = 2
    ESTIMATED = 4
    ZERO = 8  # zero where zero cannot be
    FROZEN = 16  # the same value too many times in a row
    OUT_OF_RANGE = 32
    UNUSUAL = 64  # far from what was known of the channel before it; see ``core.plausibility``
    DOUBTED = ZERO | FROZEN | OUT_OF_RANGE | UNUSUAL


def _instant(*, primary_key: bool = False) -> dy.Datetime:
    return dy.Datetime(primary_key=primary_key, time_zone="UTC", time_unit="us")


class Readings(dy.Schema):
    """One row per channel, interval and version.

    ``time`` is the start of the interval; ``available_at`` is when the value could first be known; ``recorded_at`` is
    when we wrote it. A null value is a gap. The unit is the channel's.
    """

    channel = dy.String(primary_key=True)
    time = _instant(primary_key=True)
    available_at = _instant(primary_key=True)
    recorded_at = _instant()
    value = dy.Float64(nullable=True, allow_inf=False, allow_nan=False)
    quality = dy.Int16()


class Measurements(Readings):
    """Readings of something metered; a day-ahead price, by contrast, is known before its interval."""

    @dy.rule()
    def known_only_after_it_began(cls) -> pl.Expr:
        """A meter cannot tell an interval before it has begun."""
        return cls.available_at.col >= cls.time.col


class Forecasts(dy.Schema):
    """One row per channel, interval, issue, maker and quantile level, long.

    ``maker`` says what kind of forecaster made it (see ``Maker``), ``model`` which one: ``operator``, a weather model,
    or a version of ours. A point forecast is kept as its median (level 0.5). ``issued_at`` is when its maker made it (a
    weather run: its init time); ``available_at`` when it could first be read.
    """

    channel = dy.String(primary_key=True)
    time = _instant(primary_key=True)
    issued_at = _instant(primary_key=True)
    model = dy.String(primary_key=True)
    level = dy.Float64(primary_key=True, min_exclusive=0.0, max_exclusive=1.0)
    maker = dy.String()
    available_at = _instant()
    recorded_at = _instant()
    value = dy.Float64(nullable=True, allow_inf=False, allow_nan=False)
    quality = dy.Int16()

    @dy.rule()
    def maker_is_known(cls) -> pl.Expr:
        """Every forecast is ours, a rival's, a baseline's, or made beside ours in a trial."""
        return cls.maker.col.is_in([str(maker) for maker in Maker])

    @dy.rule()
    def known_only_after_issue(cls) -> pl.Expr:
        """Nobody reads a forecast before it is made."""
        return cls.available_at.col >= cls.issued_at.col


class Scenarios(dy.Schema):
    """Joint paths of one issue: what sums, daily peaks and plans are made of, as quantiles of intervals cannot be.

    One row per channel, interval, issue and path; the values of one ``path`` may happen together, across intervals and
    channels, and all paths of an issue are equally likely. The unit is the channel's.
    """

    channel = dy.String(primary_key=True)
    time = _instant(primary_key=True)
    issued_at = _instant(primary_key=True)
    path = dy.Int32(primary_key=True, min=0)
    value = dy.Float64(allow_inf=False, allow_nan=False)


class Events(dy.Schema):
    """One row per use of a device: it ran from ``start`` to ``end`` and used ``energy_kwh``; no readings.

    A use is known by its device and start; what is said of it later is a new version of it, as with readings.
    """

    device = dy.String(primary_key=True)
    start = _instant(primary_key=True)
    end = _instant()
    energy_kwh = dy.Float64(nullable=True, min=0.0, allow_inf=False, allow_nan=False)
    available_at = _instant()
    recorded_at = _instant()
    quality = dy.Int16()

    @dy.rule()
    def ends_after_it_began(cls) -> pl.Expr:
        """A use lasts a while."""
        return cls.end.col > cls.start.col


class IntervalUse(dy.Schema):
    """What can be expected of the use of a device in an interval: one row per issue and interval.

    ``probability`` that it runs in it at all; the mean of its energy, and of how often it is switched on.
    """

    issued_at = _instant(primary_key=True)
    time = _instant(primary_key=True)
    probability = dy.Float64(min=0.0, max=1.0)
    energy_kwh = dy.Float64(allow_inf=False, allow_nan=False)
    starts = dy.Float64(min=0.0, allow_inf=False)


class UseOfDay(dy.Schema):
    """What can be expected of the use of a device on a local day, or the part of it that was asked.

    ``probability`` that it runs on it at all; the mean of its energy and the ends of its 90 % interval; the mean of how
    often it is switched on. ``intervals`` says how many of the day were asked.
    """

    issued_at = _instant(primary_key=True)
    day = dy.Date(primary_key=True)
    intervals = dy.Int64(min=1)
    probability = dy.Float64(min=0.0, max=1.0)
    energy_kwh = dy.Float64(allow_inf=False, allow_nan=False)
    lower_kwh = dy.Float64(nullable=True, allow_inf=False, allow_nan=False)  # null: no past day was known whole
    upper_kwh = dy.Float64(nullable=True, allow_inf=False, allow_nan=False)
    starts = dy.Float64(min=0.0, allow_inf=False)


class Measure(StrEnum):
    """What a meter tells at an instant; a new member goes to the end, as stores keep the place of each."""

    POWER = "power"  # drawn at this instant [W]; negative where it is fed in
    COUNTER = "counter"  # energy counted since some day long ago [kWh]; it may be reset or roll over
    TEMPERATURE = "temperature"  # [degC]
    HUMIDITY = "humidity"  # relative [%]
    OCCUPANCY = "occupancy"  # 1: somebody is there, 0: nobody


def measures_of(quantity: Quantity) -> tuple[Measure, ...]:
    """Return what is told at an instant of a quantity, none where nothing is.

    >>> [str(measure) for measure in measures_of(Quantity.ENERGY)], [str(one) for one in measures_of(Quantity.HUMIDITY)]
    (['power', 'counter'], ['humidity'])
    """
    if quantity in {Quantity.POWER, Quantity.ENERGY}:
        return Measure.POWER, Measure.COUNTER
    return tuple(measure for measure in Measure if measure == str(quantity))


class Samples(dy.Schema):
    """One row per channel, instant and measure, as a meter told it; see ``core.metering`` for the intervals they make.

    ``value`` is in the unit of its measure, such as W (power) or kWh (counter), whatever the unit of the channel.
    """

    channel = dy.String(primary_key=True)
    time = _instant(primary_key=True)
    measure = dy.String(primary_key=True)
    recorded_at = _instant()
    value = dy.Float64(allow_inf=False, allow_nan=False)

    @dy.rule()
    def measure_is_known(cls) -> pl.Expr:
        """It is one of those that stores know."""
        return cls.measure.col.is_in([str(measure) for measure in Measure])


class Targets(dy.Schema):
    """What is asked of a forecaster: one row per issue and interval.

    For each row it may use only rows with ``available_at <= issued_at``, and only measurements whose interval ended by
    ``known_until`` (which a backtest sets earlier than ``issued_at`` to state a data lag).
    """

    issued_at = _instant(primary_key=True)
    time = _instant(primary_key=True)
    known_until = _instant()


class Refused(dy.Schema):
    """A row that was not let in: the rule it broke and the row itself as JSON."""

    source = dy.String()
    channel = dy.String(nullable=True)
    rule = dy.String()
    row = dy.String()
    recorded_at = _instant()


_VERDICT = pl.Enum(["valid", "invalid", "unknown"])  # the type of dataframely's columns of broken rules


def rows_with_reasons(
    schema: type[dy.Schema], frame: pl.DataFrame, *, source: str, recorded_at: pl.Expr
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a frame into the rows that keep the schema and the refused ones, each with the rules it broke."""
    good, failure = schema.filter(frame, cast=True)
    details = failure.details()
    broken = [name for name in details.columns if details.schema[name] == _VERDICT]
    rule = pl.concat_str(
        [pl.when(pl.col(name) == "invalid").then(pl.lit(name)) for name in broken], separator=", ", ignore_nulls=True
    )
    refused = details.select(
        pl.lit(source).alias("source"),
        pl.col("channel").cast(pl.String),
        rule.alias("rule"),
        pl.struct(pl.exclude(broken)).struct.json_encode().alias("row"),
        recorded_at.cast(INSTANT).alias("recorded_at"),
    )
    return good, Refused.validate(refused)


LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
