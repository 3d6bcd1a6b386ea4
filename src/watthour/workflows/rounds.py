"""The regular rounds of a followed site: fetch its past and what is new, issue a forecast, train now and then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from watthour.core.errors import InvalidInput, NotEnoughHistory, SourceError, WatthourError
from watthour.core.ports import RunState, SourceRun
from watthour.core.units import Quantity
from watthour.core.window import DAY, Window
from watthour.workflows.forecast import forecast
from watthour.workflows.ingest import backfill, ingest
from watthour.workflows.train import train
from watthour.workflows.view import is_followed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watthour.core.forecast import Context, Recipe
    from watthour.core.ports import ModelRegistry, Source, Store
    from watthour.workflows.forecast import ForecastReport
    from watthour.workflows.ingest import IngestReport
    from watthour.workflows.train import TrainReport

LOOK_BACK = timedelta(days=5)  # late hours and revisions of the last days are asked for again
LONGEST_GAP = timedelta(days=90)  # a longer absence is a backfill
LOOK_AHEAD = timedelta(days=4)  # how far the weather and the operator are asked ahead
FIRST_PAST = timedelta(days=2 * 366)  # a followed site begins with two years, enough for a first model
SIMULATED_PAST = timedelta(days=400)
PAST_MAY_LACK = timedelta(days=7)  # at its beginning, before it is asked for again
TRAIN_PREFIX = "train:"


@dataclass(frozen=True, slots=True)
class Polled:
    """How asking one source went: a report, or the error it ended with."""

    source: str
    report: IngestReport | None
    error: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """One source whose past has been brought in."""

    source: str
    report: IngestReport


def followed(
    named: Sequence[Context], store: Store, *, can_follow: Callable[[Context], bool], stand_in: Context | None
) -> list[Context]:
    """Return the sites whose sources are asked: of the named ones those that can be, else the stand-in.

    Args:
        named: what the settings ask for.
        store: where real load stands, if there is any; beside it nothing invented is shown.
        can_follow: whether a source of the site's load can be asked with what is set.
        stand_in: an invented site, shown while nothing real is there; None: nothing is invented.
    """
    real = [context for context in named if can_follow(context)]
    if real or stand_in is None or _has_real_load(store):
        return real
    return [stand_in]


def first_window(context: Context, now: datetime) -> Window:
    """Return the past that a followed site should have from the start."""
    return Window(now - (SIMULATED_PAST if context.site.is_simulated else FIRST_PAST), now)


def missing_past(store: Store, context: Context, now: datetime) -> Window | None:
    """Return the window to fill before a followed site can be forecast well; None if the store has it."""
    span = store.spans().get(context.channel.id)
    wanted = first_window(context, now)
    return wanted if span is None or span[0] > wanted.start + PAST_MAY_LACK else None


def prepare(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    *,
    now: datetime,
    fill_past: Callable[[Window], None],
    refresh: Callable[[], None],
    train_first: Callable[[], None],
) -> None:
    """Make a site ready to be followed: fetch its past if there is little, forecast, and train if nothing serves.

    Args:
        store: what has been brought in.
        registry: what has been trained.
        context: what is forecast.
        now: the present.
        fill_past: brings a window in.
        refresh: brings in what is new and issues a forecast.
        train_first: trains the first model.
    """
    if (window := missing_past(store, context, now)) is not None:
        fill_past(window)
    refresh()
    if registry.champion(context.channel.id) is None:
        train_first()
        refresh()


def fill(
    sources: Sequence[Source],
    store: Store,
    window: Window,
    *,
    clock: Callable[[], datetime],
    progress: Callable[[str, Window], None] | None = None,
) -> Iterator[Filled]:
    """Bring the past in, source by source; yields after each, so that a page can be shown as soon as there is load.

    Args:
        sources: asked for the past.
        store: where it is kept.
        window: the past.
        clock: tells the instant of asking, as filling takes long.
        progress: told of each piece that is in, by source; may end the filling by raising.
    """
    for source in sources:
        name = source.name

        def tell(piece: Window, _report: IngestReport, name: str = name) -> None:
            if progress is not None:
                progress(name, piece)

        yield Filled(name, backfill(source, store, window, now=clock(), progress=tell))


def issue(store: Store, registry: ModelRegistry, context: Context, *, now: datetime) -> ForecastReport:
    """Issue a live forecast of a site whose load keeps coming.

    Raises:
        NotEnoughHistory: it has stopped coming, or too little is known.
    """
    if not is_followed(store, context, now):
        raise NotEnoughHistory(
            f"the newest load of {context.site.name} is too old to forecast tomorrow from",
            remedy="`watthour doctor` tells which source brings nothing.",
        )
    return forecast(store, registry, context, now=now)


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
    context: Context,
    recipe: Recipe,
    *,
    now: datetime,
    frozen_days: int,
    issue_hour: int,
    progress: Callable[[str], None] | None = None,
) -> TrainReport:
    """Train the day-ahead model of a site and the one that answers `POST /predict`, and note it in the log of runs.

    Raises:
        NotEnoughHistory: there is too little to learn from.
    """
    from watthour.workflows.twenty_features import train_features_model

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
        note_failure(store, f"{TRAIN_PREFIX}{context.channel.id}", error, now=now)
        raise
    say = progress or (lambda _step: None)
    say("training the model of the twenty features")
    try:
        train_features_model(store, registry, context, now=now)
    except (NotEnoughHistory, InvalidInput) as error:  # too short or not hourly; the forecast does not need it
        say(f"no model of the twenty features: {error}")
    store.note_run(SourceRun(f"{TRAIN_PREFIX}{context.channel.id}", now, now, report.frozen, RunState.OK, 0))
    return report


def note_failure(store: Store, what: str, error: Exception, *, now: datetime) -> None:
    """Keep a failure where status and doctor show it."""
    store.note_run(SourceRun(what, now, now, Window(now, now + DAY), RunState.FAILED, 0, problem=str(error)))


def note_recovery(store: Store, what: str, *, now: datetime) -> None:
    """End a failure that would otherwise be shown as the last thing known of a round."""
    last = store.runs(source=what, limit=1)
    if last and last[0].state is RunState.FAILED:
        store.note_run(SourceRun(what, now, now, last[0].window, RunState.OK, 0))


def _has_real_load(store: Store) -> bool:
    spans = store.spans()
    load = (Quantity.POWER, Quantity.ENERGY)
    return any(
        channel.quantity in load and not channel.is_simulated and channel.id in spans for channel in store.channels()
    )


def _since_last(source: Source, store: Store, now: datetime) -> Window:
    spans = store.spans()
    lasts = [spans[channel.id][1] for channel in source.channels() if channel.id in spans]
    start = min([now - LOOK_BACK, *lasts])
    return Window(max(start, now - LONGEST_GAP), now + LOOK_AHEAD)
