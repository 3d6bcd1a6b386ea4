"""Train a challenger, compare it with the champion on days neither has learned from, and promote it only if better."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, time, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.core import metrics
from watthour.core.errors import ModelError, NotEnoughHistory
from watthour.core.forecast import targets
from watthour.core.frames import Forecasts, Quality, Targets
from watthour.core.model import Manifest
from watthour.core.window import DAY, Window, local_day, local_instant, local_midnight
from watthour.workflows.baselines import companions
from watthour.workflows.compare import Decision, Verdict, actuals, judge, paired, scores_of
from watthour.workflows.forecast import (
    as_stored,
    baseline_forecasts,
    learned_until,
    load_model,
    under_version,
)
from watthour.workflows.holes import told_of_holes
from watthour.workflows.known_ahead import asked_on_eves, issued_on_eves, learning_history
from watthour.workflows.leads import metrics_ahead
from watthour.workflows.windows import horizon_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, Forecaster, History, Recipe
    from watthour.core.ports import ModelRegistry, Store
    from watthour.workflows.forecast import Served

YEARS = timedelta(days=8 * 366)  # as far back as any published figure learns: Finland and Spain from 2015 for 2021
FIRST_LAGS = timedelta(days=35)  # history before the first training day, so that its lags are known
STRIDE = 7  # has no divisor in common with 24: the other hours come round evenly
EVERY_FAR = 4  # of the issues refreshed through the day one is learned to the end of a horizon of several days
FEWEST_TRAINING_DAYS = 60
FEWEST_FROZEN_DAYS = 14


@dataclass(frozen=True, slots=True)
class TrainReport:
    """A trained challenger, how everybody scored on the frozen window, and what was decided."""

    manifest: Manifest
    verdict: Verdict
    scores: Mapping[str, Mapping[str, float]]  # of "challenger", "champion" and the baselines, on the same hours
    frozen: Window


@dataclass(frozen=True, slots=True)
class Split:
    """Local days to learn from, and later ones kept frozen for the comparison."""

    training: tuple[date, ...]
    frozen: tuple[date, ...]


def train(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    recipe: Recipe,
    *,
    now: datetime,
    frozen_days: int = 42,
    issue_clock: time | None = time(8),
    progress: Callable[[str], None] | None = None,
) -> TrainReport:
    """Train a challenger on what is known now and let it meet the champion on one frozen window.

    The frozen window is the last local days whose demand is known. The challenger learns only from days that ended
    before its first issue, with the values known at that instant. What is published ahead, such as prices, is learned
    and compared as each day begins, which is when all before it is published, whatever ``issue_clock`` says, from what
    else was known before its auction closed. A champion
    that has seen part of the window, because it was trained with fewer frozen days, moves its start to where its own
    knowledge ends.

    Raises:
        NotEnoughHistory: too few days to learn from and to compare on.
    """
    say = progress or (lambda _step: None)
    say("reading history")
    _first, last, _recorded = store.spans().get(
        context.channel.id, (now, now, now)
    )  # an archive may end long before now
    history = learning_history(store, context, Window(last - YEARS, last + 2 * DAY), now)
    champion, trouble = serving(registry, context.channel.id)
    split = split_days(
        history, frozen_days=frozen_days, not_before=learned_until(champion.manifest) if champion else None
    )
    training = training_issues(split.training, context, issue_clock)
    frozen = asked_on_eves(split.frozen, context, issue_clock)
    known_then = history.known_at(frozen["issued_at"][0])
    say(f"training {recipe.name} on {len(split.training)} days")
    challenger = recipe.fit(known_then, training)
    say(f"comparing on {len(split.frozen)} frozen days")
    met = meet(history, split, frozen, challenger, champion)
    verdict = told_of_holes(judge(met.errors, context.channel.unit_in_words, trouble=trouble), known_then)
    say("saving")
    return keep(store, registry, met, recipe, verdict, now=now)


@dataclass(frozen=True, slots=True)
class Meeting:
    """What a challenger and those it is compared with said of the frozen days, and how good that was."""

    history: History
    split: Split
    challenger: Forecaster
    known_then: History  # what the challenger may have learned from
    frozen: dy.DataFrame[Targets]
    answers: Mapping[str, Forecast]  # of "challenger" and "champion"
    baselines: Mapping[str, Forecast]
    errors: pl.DataFrame  # as ``paired`` makes them
    scores: Mapping[str, Mapping[str, float]]


def meet(
    history: History,
    split: Split,
    frozen: dy.DataFrame[Targets],
    challenger: Forecaster,
    champion: Served | None,
    *,
    baselines: Sequence[str] | None = None,
) -> Meeting:
    """Ask a challenger, the champion and the baselines for the frozen days, and score them.

    Args:
        history: with what came of the frozen days.
        split: the days.
        frozen: what is asked.
        challenger: it has learned from the days before.
        champion: who serves now, if anybody.
        baselines: None: those that are kept with every forecast.
    """
    answers = {"challenger": challenger.predict(history, frozen)}
    if champion is not None:
        answers["champion"] = champion.forecaster.predict(history, frozen)
    rules = baseline_forecasts(history, frozen, companions(history.context) if baselines is None else baselines)
    errors = paired(history, {**answers, **rules})
    scores = {name: scores_of(errors, name, history.context.channel.unit) for name in (*answers, *rules)}
    known_then = history.known_at(cast("datetime", frozen["issued_at"].min()))
    return Meeting(history, split, challenger, known_then, frozen, answers, rules, errors, scores)


def keep(
    store: Store,
    registry: ModelRegistry,
    met: Meeting,
    recipe: Recipe,
    verdict: Verdict,
    *,
    now: datetime,
    n_series: int = 1,
) -> TrainReport:
    """Save a challenger; one that is promoted serves from now on, and its frozen days are kept as made afterwards.

    Args:
        store: keeps what it said of the frozen days.
        registry: keeps the model.
        met: the challenger and how it did.
        recipe: how it was made.
        verdict: what was decided.
        now: the present.
        n_series: how many series it was learned from.
    """
    challenger = met.challenger
    verdict = replace(verdict, reasons=(*verdict.reasons, *getattr(challenger, "remarks", ())))
    scores = {**met.scores["challenger"], **metrics_ahead(challenger, met.history, met.frozen)}
    manifest = _manifest(challenger, recipe, met.known_then, met.split, scores, now)
    manifest = registry.save(replace(manifest, n_series=n_series), {**challenger.files(), **_importance(challenger)})
    if verdict.decision is Decision.PROMOTED:
        registry.promote(manifest.name, manifest.version, now=now, reason=" ".join(verdict.reasons))
        mine = under_version(met.answers["challenger"], manifest.version)
        kept = {name: answer for name, answer in met.baselines.items() if name in companions(met.history.context)}
        for name, answer in {manifest.version: mine, **kept}.items():
            values = Forecasts.cast(issued_on_eves(answer.values, met.history.context))
            store.append_forecasts(as_stored(values, name, now, Quality.ASSUMED))
    return TrainReport(manifest, verdict, met.scores, manifest.splits["frozen"])


def training_issues(days: Sequence[date], context: Context, issue_clock: time | None) -> dy.DataFrame[Targets]:
    """Return what a challenger is asked while it learns.

    Every day as of its day-ahead issue, and every second one also as of another hour of the day before to its end, so
    that the forecasts refreshed through the day are learned too. Where the horizon is further, all that each day-ahead
    issue and one in four of the others would forecast. Without a clock each day as it begins, and no other.
    """
    zone, step = context.time_zone, context.resolution
    known, horizon = local_day(days[-1], zone).end, horizon_of(context.channel)
    day_ahead = asked_on_eves(days, context, issue_clock)
    if issue_clock is None or context.channel.is_told_ahead:
        return day_ahead
    if horizon:
        at = [local_instant(day - DAY, issue_clock, zone) for day in days]
        spans = [Window(each, min(each + horizon, known)) for each in at]
        whole = [targets(span, span.start, resolution=step, time_zone=zone) for span in spans]
        day_ahead = Targets.cast(pl.concat(whole))
    refreshed: list[pl.DataFrame] = []
    for n, day in enumerate(days[::2]):
        issued_at = local_instant(day - DAY, time(n * STRIDE % 24), zone)
        if issued_at != local_instant(day - DAY, issue_clock, zone):
            far = min(issued_at + horizon, known) if len(refreshed) % EVERY_FAR == 0 else issued_at
            span = Window(issued_at, max(local_day(day, zone).end, far))
            refreshed.append(targets(span, issued_at, resolution=step, time_zone=zone))
    return Targets.validate(pl.concat([day_ahead, *refreshed]))


def split_days(history: History, *, frozen_days: int, not_before: datetime | None = None) -> Split:
    """Divide the local days with known demand into those to learn from and the last ones, kept frozen.

    Raises:
        NotEnoughHistory: too few days for either.
    """
    zone = history.context.time_zone
    known = actuals(history)["time"]
    if known.is_empty():
        raise NotEnoughHistory(
            f"{history.context.channel.id} has no readings",
            remedy="Add readings with `watthour backfill` or `watthour import`.",
        )
    first = (known[0] + FIRST_LAGS).astimezone(ZoneInfo(zone)).date() + DAY
    last = (known[-1] + history.context.resolution).astimezone(ZoneInfo(zone)).date() - DAY
    fitting = (last - first).days - FEWEST_TRAINING_DAYS  # a short history gives less to the comparison
    frozen_first = last - (min(frozen_days, max(fitting, FEWEST_FROZEN_DAYS)) - 1) * DAY
    if not_before is not None and local_midnight(frozen_first, zone) < not_before:
        frozen_first = (not_before - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() + DAY
    frozen = [frozen_first + n * DAY for n in range((last - frozen_first).days + 1)]
    # The first frozen day is forecast during the day before it, so that day's demand is not known yet either.
    training = [first + n * DAY for n in range((frozen_first - first).days - 1)]
    if len(frozen) < FEWEST_FROZEN_DAYS or len(training) < FEWEST_TRAINING_DAYS:
        raise NotEnoughHistory(
            f"{history.context.channel.id} has {max(0, len(training))} days to learn from and {len(frozen)} to "
            f"compare on; {FEWEST_TRAINING_DAYS} and {FEWEST_FROZEN_DAYS} are needed",
            remedy="Add more readings with `watthour import` or `watthour backfill`, or wait for new days if the "
            "champion is recent. Until then `watthour forecast` answers without a trained model.",
        )
    return Split(tuple(training), tuple(frozen))


def fingerprint(history: History) -> str:
    """Return a hash of every value a model could have seen, the same on every machine."""
    seen = sha256()
    for frame, keys in (
        (history.readings, ["channel", "time", "available_at"]),
        (history.forecasts, ["channel", "model", "time", "issued_at", "level"]),
    ):
        rows = pl.DataFrame(frame).sort(keys)
        for key in keys:
            column = rows[key]
            if column.dtype == pl.String:
                runs = column.rle().struct.unnest()
                seen.update("\n".join(f"{row[1]} {row[0]}" for row in runs.iter_rows()).encode())
            else:
                seen.update(column.to_physical().to_numpy().tobytes())
        seen.update(rows["value"].fill_null(np.nan).to_numpy().tobytes())
    return seen.hexdigest()


def serving(registry: ModelRegistry, name: str) -> tuple[Served | None, str | None]:
    """Return the model that serves; a champion whose files are damaged cannot defend itself, which is said."""
    if registry.champion(name) is None:
        return None, None
    try:
        return load_model(registry, name), None
    except ModelError as error:
        return None, f"The champion could not be compared: {error}"


def _manifest(
    challenger: Forecaster,
    recipe: Recipe,
    known_then: History,
    split: Split,
    scores: Mapping[str, float],
    now: datetime,
) -> Manifest:
    zone = known_then.context.time_zone
    seen = fingerprint(known_then)
    learned = {"train": _span(split.training, zone), **getattr(challenger, "splits", {})}
    return Manifest(
        name=known_then.context.channel.id,
        version=f"{recipe.name}-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{seen[:6]}",
        recipe=recipe.name,
        parameters=json.loads(json.dumps(asdict(cast("Any", recipe)), default=str)),
        features=tuple(getattr(challenger, "features", ())),
        splits={**learned, "frozen": _span(split.frozen, zone)},
        data_fingerprint=seen,
        metrics=metrics.known(scores),
        created_at=now,
    )


def _span(days: Sequence[date], zone: str) -> Window:
    return Window(local_midnight(days[0], zone), local_midnight(days[-1] + DAY, zone))


def _importance(challenger: Forecaster) -> dict[str, bytes]:
    """Return the features' importance as a file of the model, if the model knows it."""
    importance = getattr(challenger, "importance", None)
    return {"importance.json": json.dumps(dict(importance), indent=2).encode()} if importance else {}
