"""The regular rounds of a followed region: fetch what is new, issue a forecast, train now and then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from watthour.core.errors import NotEnoughHistory, SourceError, WatthourError
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, Window
from watthour.workflows.ingest import ingest
from watthour.workflows.train import train

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watthour.core.forecast import Recipe
    from watthour.core.ports import ModelRegistry, Source, Store
    from watthour.core.region import Region
    from watthour.workflows.ingest import IngestReport
    from watthour.workflows.train import TrainReport

LOOK_BACK = timedelta(days=5)  # late hours and revisions of the last days are asked for again
LONGEST_GAP = timedelta(days=90)  # a longer absence is a backfill
LOOK_AHEAD = timedelta(days=4)  # how far the weather and the operator are asked ahead
TRAIN_PREFIX = "train:"


@dataclass(frozen=True, slots=True)
class Polled:
    """How asking one source went: a report, or the error it ended with."""

    source: str
    report: IngestReport | None
    error: SourceError | None = None


def poll(sources: Sequence[Source], store: Store, *, now: datetime) -> list[Polled]:
    """Ask every source for what is new; one that fails is noted in the store and does not stop the others."""
    polled: list[Polled] = []
    for source in sources:
        try:
            report = ingest(source, store, _since_last(source, store, now), now=now, live=True)
        except SourceError as error:
            polled.append(Polled(source.name, None, error))
        else:
            polled.append(Polled(source.name, report))
    return polled


def retrain(
    store: Store,
    registry: ModelRegistry,
    region: Region,
    recipe: Recipe,
    *,
    now: datetime,
    frozen_days: int,
    issue_hour: int,
    progress: Callable[[str], None] | None = None,
) -> TrainReport:
    """Train the day-ahead model of a region and the one that answers `POST /predict`, and note it in the log of runs.

    Raises:
        NotEnoughHistory: there is too little to learn from.
    """
    from watthour.workflows.twenty_features import train_features_model

    context = region.context()
    try:
        report = train(
            store,
            registry,
            context,
            recipe,
            now=now,
            frozen_days=frozen_days,
            issue_clock=time(issue_hour),
            progress=progress,
        )
    except WatthourError as error:
        note_failure(store, f"{TRAIN_PREFIX}{context.channel}", error, now=now)
        raise
    say = progress or (lambda _step: None)
    say("training the model of the twenty features")
    try:
        train_features_model(store, registry, context, now=now)
    except NotEnoughHistory as error:  # `POST /predict` says so itself; the forecast does not need it
        say(f"no model of the twenty features: {error}")
    store.note_run(SourceRun(f"{TRAIN_PREFIX}{context.channel}", now, now, report.frozen, RunState.OK, 0))
    return report


def note_failure(store: Store, what: str, error: Exception, *, now: datetime) -> None:
    """Keep a failure where status and doctor show it."""
    store.note_run(SourceRun(what, now, now, Window(now, now + DAY), RunState.FAILED, 0, problem=str(error)))


def _since_last(source: Source, store: Store, now: datetime) -> Window:
    spans = store.spans()
    lasts = [spans[channel.id][1] for channel in source.channels() if channel.id in spans]
    start = min([now - LOOK_BACK, *lasts])
    return Window(max(start, now - LONGEST_GAP), now + LOOK_AHEAD)
