"""The regular rounds of a followed site: fetch its past and what is new, issue a forecast, train now and then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

from watthour.core.errors import (
    InvalidInput,
    ModelCorrupt,
    ModelError,
    ModelNotFound,
    NotEnoughHistory,
    WatthourError,
)
from watthour.core.ports import RunState, SourceRun
from watthour.core.units import Quantity
from watthour.core.window import DAY, HOUR, Window
from watthour.workflows.forecast import RUN_PREFIX, forecast, load_serving
from watthour.workflows.runs import HOMES_RUN, TRAIN_PREFIX, fill_of
from watthour.workflows.train import FEWEST_FROZEN_DAYS, FEWEST_TRAINING_DAYS, FIRST_LAGS, train
from watthour.workflows.view import is_followed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from watthour.core.forecast import Context, Recipe
    from watthour.core.ports import ModelRegistry, Source, Store
    from watthour.workflows.forecast import ForecastReport
    from watthour.workflows.runs import Fill
    from watthour.workflows.train import TrainReport

FIRST_PAST = timedelta(days=2 * 366)  # a followed site begins with two years, enough for a first model
SIMULATED_PAST = timedelta(days=400)
TRY_AGAIN_AFTER = DAY  # a training that failed
FEWEST_DAYS = timedelta(days=FIRST_LAGS.days + FEWEST_TRAINING_DAYS + FEWEST_FROZEN_DAYS + 2)  # that can be trained on
QUIET = timedelta(minutes=1)  # readings that have just come may be a part of a file
RUNS_LOOKED_AT = 50


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


def pasts(sources: Sequence[Source], store: Store, context: Context, now: datetime) -> list[Fill]:
    """Return how much of its past each source of a site has brought in, by the log of runs."""
    return [fill_of(source.name, store, first_window(context, now), now=now) for source in sources]


def prepare(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    *,
    clock: Callable[[], datetime],
    fill_past: Callable[[], None],
    refresh: Callable[[], None],
    train_first: Callable[[], None],
) -> None:
    """Make a site ready to be followed: fetch what its past lacks, forecast, and train if nothing serves.

    After a training that failed, the next one waits for a day or for a past that has grown.

    Args:
        store: with the readings and the log of runs.
        registry: what has been trained.
        context: what is forecast.
        clock: tells the present, as filling takes long.
        fill_past: brings in what the past lacks.
        refresh: brings in what is new and issues a forecast.
        train_first: trains the first model.
    """
    channel = context.channel.id
    before = store.spans().get(channel)
    fill_past()
    has_grown = store.spans().get(channel) != before
    refresh()
    if registry.champion(channel) is None and (has_grown or not _has_just_failed(store, channel, clock())):
        train_first()
        refresh()


def _has_just_failed(store: Store, channel: str, now: datetime) -> bool:
    """Tell whether the last training failed less than a day ago."""
    runs = [run for run in store.runs(f"{TRAIN_PREFIX}{channel}", limit=RUNS_LOOKED_AT) if run.started_at <= now]
    return bool(runs) and runs[0].state is RunState.FAILED and now - runs[0].started_at < TRY_AGAIN_AFTER


def issue(
    store: Store, registry: ModelRegistry, context: Context, window: Window | None = None, *, now: datetime
) -> ForecastReport:
    """Issue a live forecast of a site whose readings keep coming, to the end of tomorrow or of a window.

    Raises:
        NotEnoughHistory: it has stopped coming, or too little is known.
    """
    if not is_followed(store, context, now):
        raise NotEnoughHistory(
            f"the newest reading of {context.channel.id} ({context.site.name}) is too old to forecast tomorrow from",
            remedy="`watthour doctor` shows which source delivers no new data.",
        )
    return forecast(store, registry, context, window, now=now)


def retrain(  # noqa: PLR0913 - what `train` takes, and what is trained instead
    store: Store,
    registry: ModelRegistry,
    context: Context,
    recipe: Recipe,
    *,
    now: datetime,
    frozen_days: int,
    issue_hour: int,
    otherwise: Recipe | None = None,
    progress: Callable[[str], None] | None = None,
) -> TrainReport:
    """Train the day-ahead model of a site and the one that answers `POST /predict`, and note it in the log of runs.

    Args:
        store: where the past of the site is.
        registry: where models are kept.
        context: what is forecast.
        recipe: the kind of model.
        now: the present.
        frozen_days: on which it is compared with the model that serves.
        issue_hour: local hour of the forecasts it is compared on.
        otherwise: trained where ``recipe`` cannot learn the channel, such as a price or a net load.
        progress: told of each step.

    Raises:
        InvalidInput: neither kind of model can learn the channel.
        NotEnoughHistory: there is too little to learn from.
    """
    from watthour.workflows.twenty_features import train_features_model

    say = progress or (lambda _step: None)
    learn = partial(
        train,
        store,
        registry,
        context,
        now=now,
        frozen_days=frozen_days,
        issue_clock=time(issue_hour),
        progress=progress,
    )
    try:
        try:
            report = learn(recipe)
        except InvalidInput as error:
            if otherwise is None or otherwise.name == recipe.name:
                raise
            say(f"{error.problem}: {otherwise.name} is trained instead")
            report = learn(otherwise)
    except WatthourError as error:
        note_failure(store, f"{TRAIN_PREFIX}{context.channel.id}", error, now=now)
        raise
    say("training the model for POST /predict")
    try:
        train_features_model(store, registry, context, now=now)
    except NotEnoughHistory as error:  # the forecast does not need it
        say(f"no model for POST /predict: {error}")
    except InvalidInput as error:  # no other kind of model could be chosen for it
        say(f"no model for POST /predict, which is for hourly loads alone; nothing else needs it. {error.problem}")
    store.note_run(SourceRun(f"{TRAIN_PREFIX}{context.channel.id}", now, now, report.frozen, RunState.OK, 0))
    return report


def last_begun(store: Store, what: str, *, now: datetime) -> datetime | None:
    """Return when something was last begun by the log of runs; runs that a wrong clock put into the future are none."""
    return next((run.started_at for run in store.runs(what, limit=RUNS_LOOKED_AT) if run.started_at <= now), None)


def training_is_due(
    store: Store, registry: ModelRegistry, context: Context, *, now: datetime, every: timedelta
) -> bool:
    """Tell whether a site is to be trained again, counted from its last training, whoever began it.

    Args:
        store: with the log of runs.
        registry: what has been trained.
        context: what is forecast.
        now: the present.
        every: how often to train; after a failure, or while the champion cannot be read, it is tried the next day.
    """
    channel = context.channel.id
    runs = [run for run in store.runs(f"{TRAIN_PREFIX}{channel}", limit=RUNS_LOOKED_AT) if run.started_at <= now]
    trained = [manifest.created_at for manifest in registry.manifests(channel) if manifest.created_at <= now]
    begun = runs[0].started_at if runs else max(trained, default=None)
    if begun is None:
        return True
    pause = min(every, TRY_AGAIN_AFTER) if runs and runs[0].state is RunState.FAILED else every
    since = now - begun
    return since >= pause or (since >= TRY_AGAIN_AFTER and _champion_is_lost(registry, channel))


def _champion_is_lost(registry: ModelRegistry, channel: str) -> bool:
    """Tell whether the champion cannot serve, such as one that another version of Watthour has saved."""
    try:
        return registry.champion(channel) is not None and load_serving(registry, channel).instead_of is not None
    except (ModelCorrupt, ModelNotFound):
        return True
    except ModelError:  # the registry cannot be asked now, which says nothing of the model
        return False


@dataclass(frozen=True, slots=True)
class OwnRounds:
    """What is to be done with a site whose readings a person imports."""

    forecasts: bool
    trains: bool


def own_rounds(
    store: Store, registry: ModelRegistry, context: Context, *, now: datetime, every: timedelta
) -> OwnRounds:
    """Tell what to do with a site that no source follows: nothing, until new readings have come.

    An archive is trained once and never forecast; imported again and again, a site is forecast after each import and
    trained as often as others.
    """
    span = store.spans().get(context.channel.id)
    if span is None or now - span[2] < QUIET:
        return OwnRounds(forecasts=False, trains=False)
    first, last, recorded_at = span
    issued = last_begun(store, f"{RUN_PREFIX}{context.channel.id}", now=now)
    trained = last_begun(store, f"{TRAIN_PREFIX}{context.channel.id}", now=now)
    trains = (
        (trained is None or trained < recorded_at)
        and last - first >= FEWEST_DAYS
        and training_is_due(store, registry, context, now=now, every=every)
    )
    is_news = issued is None or issued < recorded_at or trains
    return OwnRounds(forecasts=is_news and is_followed(store, context, now), trains=trains)


def homes_training_is_due(store: Store, homes: Sequence[Context], *, now: datetime, every: timedelta) -> bool:
    """Tell whether all homes are to be trained together: one is known for long enough, and something new has come.

    Args:
        store: with the readings and the log of runs.
        homes: the whole loads of homes.
        now: the present.
        every: how often to train; after a failure it is tried the next day.
    """
    spans = store.spans()
    known = [spans[context.channel.id] for context in homes if context.channel.id in spans]
    long = [span for span in known if span[1] - span[0] >= FEWEST_DAYS]
    if not long:
        return False
    runs = [run for run in store.runs(HOMES_RUN, limit=RUNS_LOOKED_AT) if run.started_at <= now]
    if not runs:  # a file that is being imported is waited for, a meter that goes on is not
        return any(now - recorded >= QUIET or now - last < HOUR for _first, last, recorded in long)
    pause = min(every, TRY_AGAIN_AFTER) if runs[0].state is RunState.FAILED else every
    begun = runs[0].started_at
    return now - begun >= pause and max(recorded for *_, recorded in known) > begun


def note_done(store: Store, what: str, *, now: datetime) -> None:
    """Keep when a round was done, so that the next one is counted from it."""
    store.note_run(SourceRun(what, now, now, Window(now, now + DAY), RunState.OK, 0))


def note_failure(store: Store, what: str, error: Exception | str, *, now: datetime) -> None:
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
