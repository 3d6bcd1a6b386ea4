"""A/B trials: two versions forecast a channel side by side, and are scored on the same intervals of the same issues."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core import metrics
from watthour.core.errors import UnknownName
from watthour.core.frames import LEVELS, Quality
from watthour.core.units import digits_for
from watthour.core.window import Window
from watthour.forecasting.significance import diebold_mariano, mean_difference
from watthour.workflows.compare import SIGNIFICANCE
from watthour.workflows.forecast import NOT_SHOWN, load_model, running_trial
from watthour.workflows.score import measured
from watthour.workflows.view.wire import utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.forecast import Context
    from watthour.core.model import Trial
    from watthour.core.ports import ModelRegistry, Store

LONGEST = timedelta(days=60)  # of a trial that is scored: its last days
_KEYS = ["issued_at", "time"]
_DAYS_THAT_DEPEND = 2  # errors of a day are like those of the day before
_LOWER, _UPPER = LEVELS[0], LEVELS[-1]  # of 90 %


@dataclass(frozen=True, slots=True)
class Side:
    """How one version of a trial did; errors are in the unit of the channel."""

    role: str  # champion or challenger
    version: str
    answered: int  # issues that people were shown [count]
    n: int  # intervals scored, each of several issues [count]
    mae: float | None = None
    pinball: float | None = None  # mean over all levels that both gave
    coverage90_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Challenger's error less the champion's, each day counting once: below zero the challenger is better."""

    score: str  # mae or pinball
    mean: float
    standard_error: float | None  # None on fewer than three days
    p_value: float | None  # of a difference as far from zero by chance, both sides; None as above
    days: int


@dataclass(frozen=True, slots=True)
class TrialScores:
    """Both versions of a trial, side by side, and how they were compared."""

    sides: tuple[Side, ...]
    differences: tuple[Difference, ...]
    verdict: str
    protocol: str

    def as_plain(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)


def begin(
    registry: ModelRegistry, context: Context, version: str, *, share: float, now: datetime, asked_by: str
) -> Trial:
    """Let a version forecast beside the champion from now on, and answer a share of the hours.

    Raises:
        UnknownName: the channel has no such version.
        ModelError: it cannot be loaded, or nothing serves yet that it could be tried against.
        InvalidInput: it serves already, or the share is not from 0 to 1.
    """
    name = context.channel.id
    known = [manifest.version for manifest in registry.manifests(name)]
    if version not in known:
        cure = f"There are: {', '.join(known[:5])}." if known else "There is none: `watthour train` makes one."
        raise UnknownName("version", version, f"{name} has no such version", remedy=cure)
    load_model(registry, name, version)
    return registry.begin_trial(name, version, share=share, now=now, asked_by=asked_by)


def end(registry: ModelRegistry, context: Context, *, now: datetime) -> Trial:
    """End the trial of a channel; the champion answers alone from then on.

    Raises:
        UnknownName: none runs.
    """
    name = context.channel.id
    if running_trial(registry, name) is None:
        cure = f"Begin one: `watthour models ab {name} VERSION --share 0.2`."
        raise UnknownName("channel", name, "no A/B trial of it is running", remedy=cure)
    return registry.end_trial(name, now=now)


def trial_scores(store: Store, context: Context, trial: Trial, *, now: datetime) -> TrialScores:
    """Score both versions of a trial on the issues that both made live, and the intervals measured since.

    Who answered does not matter for the scores: the other one had forecast the same intervals at the same instant.
    """
    end = min(now, trial.until or now)
    since = max(trial.since, end - LONGEST)
    names = {"champion": trial.champion, "challenger": trial.challenger}
    said = _issues(store, context, list(names.values()), since, end, now)
    answered = _answered(said, list(names.values()))
    table, levels = _side_by_side(said, names)
    actual = measured(store, context, Window(since - context.resolution, now), now).rename({"value": "actual"})
    table = table.join(actual, on="time").sort(_KEYS)
    differences = _differences(table, levels, context.time_zone)
    sides = tuple(
        Side(role, version, answered[version], table.height, **_scores(table, role, levels))
        for role, version in names.items()
    )
    n_issues = said["issued_at"].n_unique()
    protocol = (
        f"{table.height:,} forecast intervals of {table['issued_at'].n_unique():,} live issues from "
        f"{since:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC; {n_issues - _n_paired(said, names):,} issues that only "
        "one of the two made are left out, and so are missing and doubted measurements. Both are scored on the same "
        "intervals of the same issues, whoever answered. A difference is the mean of the local days of the intervals, "
        "its standard error and p-value are those of Diebold and Mariano, with days that follow each other dependent."
    )
    return TrialScores(sides, differences, _verdict(differences, context), protocol)


def _issues(
    store: Store, context: Context, versions: Sequence[str], since: datetime, end: datetime, now: datetime
) -> pl.DataFrame:
    """Return what both forecast live, who was shown in ``is_shown``: ``version, issued_at, time, level, value``."""
    models = [*versions, *(f"{version}{NOT_SHOWN}" for version in versions)]
    rows = pl.DataFrame(
        store.forecasts([context.channel.id], Window(since - context.resolution, now), as_of=now, models=models)
    )
    return (
        rows.filter(
            pl.col("issued_at").is_between(since, end),
            (pl.col("quality") & int(Quality.ASSUMED)) == 0,
        )
        .drop_nulls("value")
        .select(
            *_KEYS,
            "level",
            "value",
            version=pl.col("model").str.strip_suffix(NOT_SHOWN),
            is_shown=~pl.col("model").str.ends_with(NOT_SHOWN),
        )
    )


def _answered(said: pl.DataFrame, versions: Sequence[str]) -> dict[str, int]:
    shown = said.filter("is_shown")
    return {version: shown.filter(version=version)["issued_at"].n_unique() for version in versions}


def _n_paired(said: pl.DataFrame, names: dict[str, str]) -> int:
    both = said.group_by("issued_at").agg(pl.col("version").n_unique())
    return both.filter(pl.col("version") == len(names)).height


def _side_by_side(said: pl.DataFrame, names: dict[str, str]) -> tuple[pl.DataFrame, list[float]]:
    """Return one row per interval of an issue that both forecast, ``<role>_<level>``, and the levels of both."""
    by_role = {role: said.filter(version=version) for role, version in names.items()}
    shared = set.intersection(*(set(rows["level"].to_list()) for rows in by_role.values()))
    levels = [level for level in LEVELS if level in shared]
    table = said.select(_KEYS).unique()
    for role, rows in by_role.items():
        wide = rows.group_by(_KEYS).agg(
            pl.col("value").filter(pl.col("level") == level).first().alias(f"{role}_{level}") for level in levels
        )
        table = table.join(wide, on=_KEYS)
    return table.drop_nulls(), levels


def _scores(table: pl.DataFrame, role: str, levels: Sequence[float]) -> dict[str, float]:
    if table.is_empty() or 0.5 not in levels:  # noqa: PLR2004 - the median
        return {}
    actual = table["actual"].to_numpy()
    has_band = _LOWER in levels and _UPPER in levels
    found = metrics.scores(
        actual,
        table[f"{role}_0.5"].to_numpy(),
        *((table[f"{role}_{level}"].to_numpy() for level in (_LOWER, _UPPER)) if has_band else ()),
        unit=None,
        quantiles=table.select(f"{role}_{level}" for level in levels).to_numpy(),
        levels=levels,
    )
    return {name: found[name] for name in ("mae", "pinball", "coverage90_percent") if name in found}


def _differences(table: pl.DataFrame, levels: Sequence[float], time_zone: str) -> tuple[Difference, ...]:
    """Return the differences by score of the means over local days."""
    if table.is_empty() or 0.5 not in levels:  # noqa: PLR2004 - the median
        return ()
    losses = {"mae": [0.5], "pinball": levels}
    daily = (
        table.group_by(pl.col("time").dt.convert_time_zone(time_zone).dt.date().alias("day"))
        .agg(
            pl.mean_horizontal(_loss(f"{role}_{level}", level, score) for level in of).mean().alias(f"{role}_{score}")
            for score, of in losses.items()
            for role in ("champion", "challenger")
        )
        .sort("day")
    )
    return tuple(_difference(daily, score) for score in losses)


def _loss(column: str, level: float, score: str) -> pl.Expr:
    error = pl.col("actual") - pl.col(column)
    return error.abs() if score == "mae" else pl.max_horizontal(level * error, (level - 1) * error)


def _difference(daily: pl.DataFrame, score: str) -> Difference:
    mine, theirs = daily[f"challenger_{score}"].to_numpy(), daily[f"champion_{score}"].to_numpy()
    mean, error, n = mean_difference(mine, theirs, _DAYS_THAT_DEPEND)
    lower = diebold_mariano(mine, theirs, _DAYS_THAT_DEPEND)[1]
    if math.isnan(error):
        return Difference(score, mean, None, None, n)
    return Difference(score, mean, error, 2 * min(lower, 1 - lower), n)


def _verdict(differences: Sequence[Difference], context: Context) -> str:
    """Say in a sentence whether one version is better beyond chance, by the mean absolute error."""
    if not differences:
        return "Nothing can be compared yet: no interval that both versions forecast has been measured."
    found = differences[0]
    if found.standard_error is None or found.p_value is None:
        return f"It is too early to compare: {found.days} days have measurements, and at least 3 are needed."
    unit, digits = context.channel.unit_in_words, digits_for([found.mean, found.standard_error])
    by = f"{abs(found.mean):,.{digits}f} {unit}, standard error {found.standard_error:,.{digits}f} {unit}"
    words = f"On {found.days} days the challenger's mean absolute error is {'lower' if found.mean < 0 else 'higher'}"
    chance = "beyond chance" if found.p_value < SIGNIFICANCE else "which may be chance"
    return f"{words} by {by}, {chance} (p = {found.p_value:.3f})."


def told(store: Store, registry: ModelRegistry, context: Context, *, now: datetime) -> dict[str, object]:
    """Return the last trial of a channel with its scores, as the command line and the API tell it."""
    channel = context.channel
    about: dict[str, object] = {
        "channel": channel.id,
        "site": context.site.id,
        "simulated": channel.is_simulated or context.site.is_simulated,
        "unit": channel.unit_in_words,
    }
    trial = registry.trial(channel.id)
    if trial is None:
        verdict = "No A/B trial of this channel has been begun."
        return {**about, "trial": None, "sides": [], "differences": [], "verdict": verdict, "protocol": ""}
    said = {
        "challenger": trial.challenger,
        "champion": trial.champion,
        "share": trial.share,
        "since": utc_text(trial.since),
        "until": utc_text(trial.until),
        "asked_by": trial.asked_by,
        "answers_this_hour": trial.challenger if trial.is_challengers_turn(channel.id, now) else trial.champion,
    }
    if trial.until is not None:
        said["answers_this_hour"] = registry.champion(channel.id)
    return {**about, "trial": said, **trial_scores(store, context, trial, now=now).as_plain()}
