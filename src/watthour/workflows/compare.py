"""Put forecasters side by side on the same hours, and say whether one is better beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl

from watthour.core import metrics
from watthour.core.frames import INSTANT, Forecasts, Maker, Quality
from watthour.core.quality import is_trusted
from watthour.core.units import digits_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    import dataframely as dy

    from watthour.core.forecast import Forecast, History
    from watthour.core.metrics import Array
    from watthour.core.units import Unit

SIGNIFICANCE = 0.05
HOLDS_PERCENT = (85, 95)  # of the actuals of the frozen window within a 90 % band that can be believed
HOLDS_OF_ONE_PERCENT = (75, 99)  # of one of several series whose bands hold together: four weeks of one say little


class Decision(StrEnum):
    """What became of a challenger."""

    PROMOTED = "promoted"
    KEPT = "kept"  # the champion stays


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on a challenger and its reasons, in words."""

    decision: Decision
    reasons: tuple[str, ...]


def paired(history: History, answers: Mapping[str, Forecast]) -> pl.DataFrame:
    """Put everybody's forecasts beside the actuals, on the hours that all of them forecast and nobody doubts.

    Columns: ``issued_at, time, actual`` and per name its median, and ``<name>_lower`` and ``<name>_upper`` of 90 %.
    """
    table = actuals(history).rename({"value": "actual"})
    for name, answer in answers.items():
        keys = ["issued_at", "time"] if "issued_at" in table.columns else ["time"]
        table = table.join(_wide(pl.DataFrame(answer.values), name), on=keys)
    return table.drop_nulls(list(answers)).sort("issued_at", "time")


def judge(
    errors: pl.DataFrame, unit: str, *, trouble: str | None = None, holds: tuple[int, int] = HOLDS_PERCENT
) -> Verdict:
    """Decide on a challenger from everybody's forecasts of the frozen window.

    Against a champion it must be better with significance: Diebold-Mariano on the daily mean absolute errors,
    one-sided, p < 0.05. The first model only has to beat the seasonal naive, where that exists. Either needs a band
    that covers what it says: between 85 and 95 % of the actuals of the frozen window lie within its 90 %, or between
    the shares that ``holds`` names.
    """
    from watthour.forecasting.significance import diebold_mariano

    daily = (
        errors.group_by(pl.col("issued_at").alias("issue"))
        .agg((pl.col(name) - pl.col("actual")).abs().mean() for name in _medians(errors))
        .sort("issue")
    )
    mine = daily["challenger"].to_numpy()
    if "champion" in daily.columns:
        theirs = daily["champion"].to_numpy()
        p_value = diebold_mariano(mine, theirs, horizon=2)[1]  # the last hours of a day lie 40 h ahead
        words = (
            f"On {daily.height} frozen days the challenger's mean absolute error is {_written(mine, unit)} and the "
            f"champion's {_written(theirs, unit)} (Diebold-Mariano, one-sided: p = {p_value:.3f})."
        )
        if p_value >= SIGNIFICANCE:
            return Verdict(
                Decision.KEPT, (words, f"The gain is not significant at {SIGNIFICANCE:.0%}: the champion stays.")
            )
        if (doubt := _band_that_does_not_hold(errors, holds)) is not None:
            return Verdict(Decision.KEPT, (words, f"{doubt}: the champion stays."))
        return Verdict(Decision.PROMOTED, (words,))
    reasons = [trouble] if trouble else []
    if "seasonal_naive" in daily.columns:
        naive = daily["seasonal_naive"].to_numpy()
        words = (
            f"On {daily.height} frozen days its mean absolute error is {_written(mine, unit)}, that of the same time "
            f"last week is {_written(naive, unit)}."
        )
        if mine.mean() >= naive.mean():
            return Verdict(
                Decision.KEPT,
                (*reasons, words, "It is not better than the seasonal naive forecast, so it is not used."),
            )
        reasons.append(words)
    if (doubt := _band_that_does_not_hold(errors, holds)) is not None:
        words = "it is not used, and a baseline forecasts until a model has a correct band"
        return Verdict(Decision.KEPT, (*reasons, f"{doubt}: {words}."))
    words = "No other model can be used." if trouble else "No other model is in use yet."
    return Verdict(Decision.PROMOTED, (*reasons, words))


def _band_that_does_not_hold(errors: pl.DataFrame, holds: tuple[int, int]) -> str | None:
    """Say how much the challenger's 90 % band covers, if that is too little or too much."""
    bounds = ("challenger_lower", "challenger_upper")
    if not set(bounds) <= set(errors.columns):
        return None
    covered = 100 * metrics.coverage(errors["actual"], *(errors[bound] for bound in bounds))
    least, most = holds
    if least <= covered <= most:
        return None
    size = "narrow" if covered < least else "wide"
    return (
        f"Its 90 % band is too {size}: {covered:.1f} % of the measurements on the frozen days lie inside it; "
        f"{least} to {most} % is required"
    )


def _written(errors: Array, unit: str) -> str:
    mean = float(errors.mean())
    return f"{mean:,.{digits_for([mean])}f} {unit}"


def backtest_scores(tables: Mapping[str, pl.DataFrame], unit: Unit) -> list[dict[str, object]]:
    """Score backtests by name, each a table of ``issued_at, time, level, value, actual``, on their common rows."""
    keys = ["issued_at", "time"]
    errors: pl.DataFrame | None = None
    for name, backtest in tables.items():
        wide = _wide(backtest, name)
        actual = backtest.select(*keys, "actual").unique(keys)
        errors = actual.join(wide, on=keys) if errors is None else errors.join(wide, on=keys)
    if errors is None:
        return []
    common = errors.drop_nulls(["actual", *tables])
    return [{"recipe": name, **scores_of(common, name, unit)} for name in tables]


def days_left_out(backtest: pl.DataFrame, days: Sequence[date], time_zone: str) -> list[str]:
    """Say which of the local days asked for have no forecast at all; nothing where all have."""
    answered = backtest.drop_nulls("value")["time"].dt.convert_time_zone(time_zone).dt.date()
    missing = sorted(set(days) - set(answered))
    if not missing:
        return []
    return [f"could not forecast {len(missing)} of {len(days)} days, from {missing[0]} to {missing[-1]}."]


def kept_rows(backtest: pl.DataFrame, channel: str, recipe: str, now: datetime) -> dy.DataFrame[Forecasts]:
    """Return a backtest's forecasts as rows of the store, marked as made afterwards.

    A model of ours stands under its recipe's name and ``-backtest``; a rule stands under its own name, as a baseline
    beside the forecasts of the same issues. What a rival published is in the store already, and left out.
    """
    is_own = pl.col("maker") == str(Maker.OWN)
    moment = pl.lit(now).dt.convert_time_zone("UTC").cast(INSTANT)
    return Forecasts.validate(
        backtest.filter(pl.col("maker") != str(Maker.RIVAL), pl.col("value").is_not_null()).select(
            pl.lit(channel).alias("channel"),
            "time",
            "issued_at",
            pl.when(is_own).then(pl.lit(f"{recipe}-backtest")).otherwise(pl.lit(recipe)).alias("model"),
            "level",
            "maker",
            pl.col("issued_at").alias("available_at"),
            moment.alias("recorded_at"),
            "value",
            pl.lit(int(Quality.ASSUMED)).cast(pl.Int16).alias("quality"),
        ),
        cast=True,
    )


def scores_of(table: pl.DataFrame, name: str, unit: Unit) -> dict[str, float]:
    """Return one forecaster's scores on a table of ``paired``."""
    return metrics.scores(
        table["actual"].to_numpy(),
        table[name].to_numpy(),
        *(table[bound].to_numpy() if bound in table.columns else None for bound in (f"{name}_lower", f"{name}_upper")),
        unit=unit,
    )


def actuals(history: History) -> pl.DataFrame:
    """Return the last known value of each interval that is not doubted: ``time, value``."""
    return (
        history.latest()
        .filter(
            pl.col("channel") == history.context.channel.id,
            pl.col("value").is_not_null(),
            is_trusted(),
        )
        .select("time", "value")
        .sort("time")
    )


def _wide(long: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the median and the bounds of 90 % beside each other: ``issued_at, time, <name>, <name>_lower, ...``."""
    wide = long.pivot("level", index=["issued_at", "time"], values="value")
    names = {"0.5": name, "0.05": f"{name}_lower", "0.95": f"{name}_upper"}
    present = {level: column for level, column in names.items() if level in wide.columns}
    return wide.select("issued_at", "time", *present).rename(present)


def _medians(errors: pl.DataFrame) -> list[str]:
    others = ("issued_at", "time", "actual")
    return [name for name in errors.columns if name not in others and not name.endswith(("_lower", "_upper"))]
