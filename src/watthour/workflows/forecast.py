"""Forecast a channel with the model that serves, or honestly with something simpler, and keep it by issue time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core.errors import ModelCorrupt, ModelError, NotEnoughHistory, WatthourError
from watthour.core.forecast import Forecast, day_ahead_targets
from watthour.core.frames import INSTANT, Forecasts, Maker, Quality
from watthour.core.loads import shared_name
from watthour.core.ports import RunState, SourceRun
from watthour.core.quality import is_trusted
from watthour.core.weather import weather_points
from watthour.core.window import DAY, Window, floor, local_midnight
from watthour.forecasting.catalogue import OTHER_HOMES, RARE, SIMILAR
from watthour.workflows.baselines import COMPANION_LEVELS, companions, stand_ins
from watthour.workflows.known_ahead import asked_of, issued_by, told_until
from watthour.workflows.similar import SHORT, history_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Context, Forecaster, History
    from watthour.core.frames import Targets
    from watthour.core.model import Manifest, Trial
    from watthour.core.ports import ModelRegistry, Store

RUN_PREFIX = "forecast:"  # forecast runs stand in the log of runs under this and their channel
RUNS_LOOKED_AT = 1500  # two months of hourly forecasts
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MEMORY = timedelta(days=70)  # what the features and baselines look back on
BASELINE_MEMORY_DAYS = 56  # past issues from which a baseline learns its intervals
_FIRST_WEEK = 7 * DAY  # in which similar channels say more than other homes do: benchmarks/cold_start.py
NOT_SHOWN = "-not-shown"  # ends the name under which a version's forecast is kept that did not answer, in a trial
_MADE_OF = "made of "  # begins the line of a run that says which models were combined, and their shares, as JSON
OURS = "ours"  # what our models are called together where they stand beside others
_LABELS = {
    OURS: "Watthour",
    "operator": "Operator's forecast",
    "operator_debiased": "Operator's forecast, de-biased",
    "persistence_ensemble": "Mean of the last four same weekdays",
    "seasonal_naive": "Same time last week",
    "hourly_mean": "Mean of the last seven days",
    "persistence": "Same time yesterday",
    OTHER_HOMES: "Model of other homes",
    SIMILAR: "Similar series",
    RARE: "Past uses",
}


@dataclass(frozen=True, slots=True)
class Served:
    """A saved model, ready to be asked."""

    manifest: Manifest
    forecaster: Forecaster
    instead_of: str | None = None  # why the champion cannot serve, where an earlier one stands in


@dataclass(frozen=True, slots=True)
class ForecastReport:
    """What one forecast run did."""

    version: str  # the model's version, or the baseline that answered
    issued_at: datetime
    window: Window
    new_rows: int
    missing_inputs: tuple[str, ...] = ()
    fallback: str | None = None


def label_of(model: str) -> str:
    """Return how a forecaster is called on pages; a rival without a label goes by its own name."""
    return _LABELS.get(model, model)


def load_model(registry: ModelRegistry, name: str, version: str | None = None) -> Served:
    """Load a saved model; no version means the champion.

    Raises:
        ModelNotFound: there is no such model, or no champion yet.
        ModelCorrupt: a file differs from its manifest.
    """
    from watthour.forecasting.catalogue import forecaster

    manifest, files = registry.load(name, version)
    try:
        return Served(manifest, forecaster(manifest.recipe, files))
    except Exception as error:  # the hashes are right, so whatever it is, another version of Watthour wrote the files
        raise ModelCorrupt(
            f"this version of Watthour cannot read {name} {manifest.version} ({type(error).__name__}: {error})",
            remedy=f"Train anew with `watthour train`, or promote another: `watthour models list {name}`.",
        ) from error


def load_serving(registry: ModelRegistry, name: str) -> Served:
    """Load the champion; where it cannot be loaded, the last one before it that can, which says so.

    Raises:
        ModelNotFound: nothing has been promoted yet.
        ModelError: nothing that was ever promoted can be loaded; says what is wrong with the champion.
    """
    try:
        return load_model(registry, name)
    except ModelError as error:
        why, champion = error, registry.champion(name)
    earlier = [promotion.version for promotion in reversed(registry.promotions(name))]
    for version in dict.fromkeys(each for each in earlier if each != champion):
        try:
            served = load_model(registry, name, version)
        except ModelError:
            continue
        return replace(served, instead_of=str(why))
    raise why


def learned_until(manifest: Manifest) -> datetime | None:
    """Return the end of the last day a model learned from; the frozen window it was only compared on does not count."""
    return max((span.end for name, span in manifest.splits.items() if name != "frozen"), default=None)


def live_window(context: Context, now: datetime) -> Window:
    """Return what a live forecast covers: from the interval now running to the end of tomorrow, local time."""
    today = local_midnight(now.astimezone(ZoneInfo(context.time_zone)).date(), context.time_zone)
    tomorrow = now.astimezone(ZoneInfo(context.time_zone)).date() + DAY
    start = floor(now, context.resolution, since=today)
    return Window(start, local_midnight(tomorrow + DAY, context.time_zone))


def forecast(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    window: Window | None = None,
    *,
    now: datetime,
    served: Served | None = None,
) -> ForecastReport:
    """Forecast a window from what is known now and keep it, with its baselines, under this issue time.

    Asking again within the hour with nothing new known changes nothing. Of what is published ahead, such as prices, the
    days after the published ones are forecast, as at their end.

    Args:
        store: where readings come from and forecasts go.
        registry: holds the model that serves.
        context: what is forecast.
        window: the span asked for; None means to the end of tomorrow, or two days beyond what is published.
        now: the issue time.
        served: the champion, if it is loaded already.

    Raises:
        NotEnoughHistory: not even a baseline is possible; says what to bring.
    """
    window = window or live_window(context, told_until(store, context.channel, now))
    expected = served.manifest.version if served is not None else _champion(registry, context.channel.id)
    shared = _shared_champion(registry, context) if expected is None else None
    others = (RARE, *([shared] if shared else []), OTHER_HOMES, SIMILAR, *stand_ins(context))
    makers = others if expected is None else (expected,)
    trial = running_trial(registry, context.channel.id)
    if trial is not None and trial.is_challengers_turn(context.channel.id, now):
        makers = (trial.challenger, *makers)
    if (before := _already_issued(store, context, window, makers, now)) is not None:
        return before
    asked = asked_of(store, context, window, now)
    history = recall(store, context, window, now)
    similar = partial(history_beside, store, context, window, now)
    answer = answer_with_fallback(history, asked, registry=registry, served=served, similar=similar)
    new_rows = store.append_forecasts(as_stored(issued_by(answer.values, now), answer.model, now))
    notes = list(answer.missing_inputs)
    if trial is not None:
        other = _other_of_trial(registry, trial, history, asked, answer, served)
        if isinstance(other, Forecast):
            new_rows += store.append_forecasts(as_stored(issued_by(other.values, now), other.model, now))
        elif other is not None:
            notes.append(other)
    for name in companions(context):
        if name != answer.model:
            companion = _baseline(name, history, asked)
            if companion is not None:
                rows = as_stored(issued_by(companion.values, now), name, now)
                few = Forecasts.cast(rows.filter(pl.col("level").is_in(COMPANION_LEVELS)))
                new_rows += store.append_forecasts(few)
    made_of = (f"{_MADE_OF}{json.dumps(dict(answer.details))}",) if answer.details else ()
    words = "\n".join((answer.fallback or "", *notes, *made_of)).rstrip()
    store.note_run(
        SourceRun(f"{RUN_PREFIX}{context.channel.id}", now, now, window, RunState.OK, new_rows, problem=words or None)
    )
    return ForecastReport(answer.model, now, window, new_rows, tuple(notes), answer.fallback)


def running_trial(registry: ModelRegistry, name: str) -> Trial | None:
    """Return the A/B trial that runs; where the registry cannot be asked, none, and the champion answers."""
    try:
        trial = registry.trial(name)
    except ModelError:
        return None
    return trial if trial is not None and trial.until is None else None


def recall(store: Store, context: Context, window: Window, as_of: datetime) -> History:
    """Return what was known at an instant that a forecast of a window can use.

    Raises:
        NotEnoughHistory: nothing at all, or nothing recent, was known.
    """
    history = store.history(context, Window(window.start - MEMORY, window.end), as_of)
    mine = pl.col("channel") == context.channel.id
    last = history.readings.filter(mine, pl.col("value").is_not_null())["time"].max()
    if last is None:
        raise NotEnoughHistory(
            f"no reading of {context.channel.id} from the {MEMORY.days} days before {window.start:%Y-%m-%d %H:%M} UTC "
            f"was known at {as_of:%Y-%m-%d %H:%M} UTC",
            remedy="Add readings with `watthour backfill` or `watthour import`, or ask for a day they cover.",
        )
    return history


def answer_with_fallback(
    history: History,
    asked: dy.DataFrame[Targets],
    *,
    registry: ModelRegistry | None = None,
    served: Served | None = None,
    why_none: str | None = None,
    similar: Callable[[], History | None] = lambda: None,
) -> Forecast:
    """Answer with the model that serves; if it cannot, with the best that is possible without one, and say so.

    In an A/B trial the challenger answers in its hours; where it cannot, the champion does as if there were no trial.
    Without a model it is, of a device that is seldom on, its past uses; else the model that all homes share; of a home,
    the model of other homes that comes with Watthour; for a short past, its own days beside similar channels, which in
    the first week come before that; else the best baseline. The answer's ``model`` is the version that made it. Of a
    device that is seldom on, every answer tells the uses to expect, whoever made it.

    Args:
        history: what is known.
        asked: what is asked.
        registry: holds the model that serves, and the trial; None: neither is asked for.
        served: the model that answers, if it is loaded already.
        why_none: why no model serves, if that is known.
        similar: gives what is known of a short past and of similar channels, of ``history_beside``.

    Raises:
        NotEnoughHistory: not even a baseline is possible.
    """
    name, rare = history.context.channel.id, _of_past_uses(history, asked)
    trial = None if registry is None else running_trial(registry, name)
    why_not_tried: tuple[str, ...] = ()
    if registry is not None and trial is not None and trial.is_challengers_turn(name, history.as_of):
        tried = _on_trial(registry, trial.challenger, history, asked, served)
        if isinstance(tried, Forecast):
            return replace(tried, uses=None if rare is None else rare.uses)
        why_not_tried = (tried,)
        served = None if served is not None and served.manifest.version == trial.challenger else served
    answer = _by_champion(history, asked, registry, served, why_none)
    if isinstance(answer, Forecast):
        answer = replace(answer, uses=None if rare is None else rare.uses)
    elif rare is not None:
        is_missed = registry is not None and bool(registry.manifests(name))
        answer = replace(rare, fallback=f"{label_of(RARE)} answer: {answer}" if is_missed else None)
    else:
        answer = _stand_in(history, asked, registry, answer, similar)
    return replace(answer, missing_inputs=(*why_not_tried, *answer.missing_inputs))


def _by_champion(
    history: History,
    asked: dy.DataFrame[Targets],
    registry: ModelRegistry | None,
    served: Served | None,
    why_none: str | None,
) -> Forecast | str | None:
    """Return the forecast of the model that serves, or why there is none; arguments as of the answer."""
    if served is None and registry is not None:
        try:
            served = load_serving(registry, history.context.channel.id)
        except ModelError as error:
            return str(error)
    if served is None:
        return why_none
    try:
        answer = _of_model(served, history, asked)
    except NotEnoughHistory as error:
        return str(error)
    if served.instead_of is None:
        return answer
    words = f"{served.manifest.version}, which served before, is used instead: {served.instead_of}"
    return replace(answer, fallback=words)


def _on_trial(
    registry: ModelRegistry, version: str, history: History, asked: dy.DataFrame[Targets], served: Served | None
) -> Forecast | str:
    """Return the forecast of one version of a trial, or why it has none; ``served`` is used if it is that version."""
    try:
        if served is None or served.manifest.version != version:
            served = load_model(registry, history.context.channel.id, version)
        answer = _of_model(served, history, asked)
        as_stored(answer.values, version, history.as_of)  # values that the store would refuse are found here
    except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the other version must answer
        why = str(error) if isinstance(error, WatthourError) else f"{type(error).__name__}: {error}"
        return f"{version} of the A/B trial could not forecast: {why}"
    return answer


def _other_of_trial(
    registry: ModelRegistry,
    trial: Trial,
    history: History,
    asked: dy.DataFrame[Targets],
    answer: Forecast,
    served: Served | None,
) -> Forecast | str | None:
    """Return what the version of a trial that did not answer forecasts, under a name of its own, or why it cannot.

    None where it was the challenger's turn and it could not: then its answer says so already.
    """
    if answer.model == trial.challenger:
        version = trial.champion
    elif trial.is_challengers_turn(history.context.channel.id, history.as_of):
        return None
    else:
        version = trial.challenger
    other = _on_trial(registry, version, history, asked, served)
    if not isinstance(other, Forecast):
        return other
    values = Forecasts.cast(other.values.with_columns(maker=pl.lit(str(Maker.TRIAL))))
    return replace(other, values=values, model=f"{version}{NOT_SHOWN}")


def _of_model(served: Served, history: History, asked: dy.DataFrame[Targets]) -> Forecast:
    """Return a saved model's forecast, which says so where weather is missing."""
    answer = _weather_named(served.forecaster.predict(history, asked), history.context)
    return under_version(answer, served.manifest.version)


def _stand_in(
    history: History,
    asked: dy.DataFrame[Targets],
    registry: ModelRegistry | None,
    reason: str | None,
    similar: Callable[[], History | None],
) -> Forecast:
    """Return the best forecast that is possible without a model of the channel's own; arguments as of the answer."""
    short = similar()
    reason = reason if short is None or registry is None else _why_not_yet(history.context, registry, reason)
    shared = None if registry is None else _by_shared(registry, history, asked)
    if isinstance(shared, Forecast):
        words = f"The model of all homes answers: {reason}" if reason else None
        return replace(shared, fallback=" ".join(each for each in (words, shared.fallback) if each) or None)
    ways = [partial(_by_other_homes, history, asked), partial(_beside_similar, short, asked)]
    if short is not None and short.context.similar and _is_within_first_week(history):
        ways.reverse()
    why_not = [shared]
    for way in ways:
        answer = way()
        if isinstance(answer, Forecast):
            missing = (*answer.missing_inputs, *(each for each in why_not if each))
            fallback = f"{label_of(answer.model)} answers: {reason}" if reason else None
            return replace(answer, fallback=fallback, missing_inputs=missing)
        why_not.append(answer)
    return _best_baseline(history, asked, reason, [each for each in why_not if each])


def _best_baseline(
    history: History, asked: dy.DataFrame[Targets], reason: str | None, others: Sequence[str]
) -> Forecast:
    """Return the first baseline that can answer; says why nothing better does, and why others cannot help."""
    doubted: tuple[str, ...] = ()
    for name in stand_ins(history.context):
        if (answer_of := _baseline(name, history, asked)) is not None:
            words = f"{label_of(name)} answers: {reason}" if reason else answer_of.fallback
            missing_inputs = (*doubted, *answer_of.missing_inputs, *others)
            return replace(answer_of, model=name, fallback=words, missing_inputs=missing_inputs)
        doubted = doubted or _doubted_rival(history, asked)  # what stands on it comes first, and could not answer
    raise NotEnoughHistory(
        f"{history.context.channel.id} cannot be forecast, not even by a baseline, from what was known at "
        f"{history.as_of:%Y-%m-%d %H:%M} UTC",
        remedy=_of_doubted_readings(history)
        or " ".join(others)
        or "At least one week of readings is needed: `watthour backfill` or `watthour import` brings them.",
    )


def _of_doubted_readings(history: History) -> str | None:
    """Return what to do where there are readings and most of them cannot be right, such as watts sent as kWh."""
    channel = history.context.channel
    known = history.latest().filter(pl.col("channel") == channel.id).drop_nulls("value")
    n_doubted = known.filter(~is_trusted()).height
    if 2 * n_doubted <= known.height:
        return None
    return (
        f"{n_doubted:,} of its {known.height:,} readings are kept but not used, because they cannot be right. Are they "
        f"in {channel.unit}? Send or import them again in it: the later value of an interval counts."
    )


def _of_past_uses(history: History, asked: dy.DataFrame[Targets]) -> Forecast | None:
    """Return the forecast of a device that is seldom on from its past uses; None of anything else."""
    from watthour.forecasting.catalogue import recipe
    from watthour.forecasting.rare_use import is_rarely_on

    known_then = history.known_at(_first_issue(asked))
    if not is_rarely_on(known_then):
        return None
    return recipe(RARE).fit(known_then, asked).predict(history, asked)


def find_shared(registry: ModelRegistry, context: Context) -> Served | None:
    """Return the model that all homes of a step share, for those without one of their own; None where there is none.

    Raises:
        ModelError: it cannot be read.
    """
    name = shared_name(context)
    return None if name is None or _champion(registry, name) is None else load_serving(registry, name)


def _by_shared(registry: ModelRegistry, history: History, asked: dy.DataFrame[Targets]) -> Forecast | str | None:
    """Return the forecast of the model that all homes share, or why it has none; None where there is no such model."""
    from watthour.forecasting.combination.model import as_new

    try:
        served = find_shared(registry, history.context)
        if served is None:
            return None
        widths = getattr(served.forecaster, "widths", {})  # of the homes it has learned from
        until = learned_until(served.manifest) if history.context.channel.id in widths else None
        model = as_new(served.manifest.recipe, served.forecaster, history, learned_until=until)
        answer = replace(model.predict(history, asked), details={})
    except (ModelError, NotEnoughHistory) as error:
        return f"The model of all homes cannot help: {error}"
    instead = served.instead_of and f"{served.manifest.version}, which served before, is used: {served.instead_of}"
    return replace(under_version(answer, served.manifest.version), fallback=instead)


def _by_other_homes(history: History, asked: dy.DataFrame[Targets]) -> Forecast | str | None:
    """Return the forecast of the model that comes with Watthour, or why it has none; None of what it is not for."""
    from watthour.forecasting.catalogue import recipe
    from watthour.forecasting.other_homes.model import is_for

    if shared_name(history.context) is None or not is_for(history.context):
        return None
    try:
        return recipe(OTHER_HOMES).fit(history, asked).predict(history, asked)
    except WatthourError as error:  # whatever is wrong with it, something simpler must answer
        return f"The model of other homes cannot help: {error}"


def _is_within_first_week(history: History) -> bool:
    first = history.readings.filter(pl.col("channel") == history.context.channel.id)["time"].min()
    return first is not None and history.as_of - cast("datetime", first) < _FIRST_WEEK


def _why_not_yet(context: Context, registry: ModelRegistry, reason: str | None) -> str | None:
    """Return why no model serves a channel of a short past: never the cure to train one, which would be refused."""
    if registry.manifests(context.channel.id):
        return reason
    known = f"One can be trained once about {SHORT.days} days of it are known."
    return f"{context.channel.id} has no model of its own yet. {known}"


def _beside_similar(history: History | None, asked: dy.DataFrame[Targets]) -> Forecast | str | None:
    """Return a forecast of a short past beside similar channels, or why there is none; None where that is no matter."""
    from watthour.forecasting.catalogue import recipe

    if history is None:
        return None
    if not history.context.similar:
        return "No channel of the same quantity, step and kind of site has a past that is long enough to learn from."
    first = _first_issue(asked)
    try:
        return recipe(SIMILAR, {"n_lengths": 1}).fit(history.known_at(first), asked).predict(history, asked)
    except NotEnoughHistory as error:
        return f"Similar channels cannot help: {error.problem}."


def _weather_named(answer: Forecast, context: Context) -> Forecast:
    """Return a model's answer that says so where the place is known and none of its weather."""
    if context.covariates or not weather_points(context.site):
        return answer
    words = f"No weather forecast of {context.site.name} has come in yet."
    return replace(answer, missing_inputs=(*answer.missing_inputs, words))


def under_version(answer: Forecast, version: str) -> Forecast:
    """Return a saved model's answer under its version: a model of ours, whatever recipe it was made by."""
    values = Forecasts.cast(answer.values.with_columns(maker=pl.lit(str(Maker.OWN))))
    return replace(answer, values=values, model=version)


def baseline_forecasts(history: History, asked: dy.DataFrame[Targets], names: Sequence[str]) -> dict[str, Forecast]:
    """Return the baselines that are possible, by name."""
    answers = {name: _baseline(name, history, asked) for name in names}
    return {name: answer for name, answer in answers.items() if answer is not None}


@dataclass(frozen=True, slots=True)
class Notes:
    """What a forecast said of itself."""

    fallback: str | None = None  # why something simpler answered, if it did
    missing_inputs: tuple[str, ...] = ()
    made_of: Mapping[str, float] = field(default_factory=dict)  # share of each model that was combined


def notes_of_issue(store: Store, context: Context, issued_at: datetime) -> Notes:
    """Return what the forecast of an issue said of itself then."""
    runs = store.runs(source=f"{RUN_PREFIX}{context.channel.id}", limit=RUNS_LOOKED_AT)
    words = next((run.problem for run in runs if run.started_at == issued_at), None) or ""
    fallback, *others = words.split("\n")
    made_of = [line.removeprefix(_MADE_OF) for line in others if line.startswith(_MADE_OF)]
    return Notes(
        fallback or None,
        tuple(line for line in others if not line.startswith(_MADE_OF)),
        json.loads(made_of[0]) if made_of else {},
    )


def as_stored(
    values: dy.DataFrame[Forecasts], model: str, now: datetime, quality: Quality = Quality.GOOD
) -> dy.DataFrame[Forecasts]:
    """Return forecasts as rows of the store: known from their issue on, under the name of their maker."""
    return Forecasts.validate(
        values.with_columns(
            model=pl.lit(model),
            available_at=pl.col("issued_at"),
            recorded_at=pl.lit(now).dt.convert_time_zone("UTC").cast(INSTANT),
            quality=pl.lit(int(quality)).cast(pl.Int16),
        ),
        cast=True,
    )


def _champion(registry: ModelRegistry, name: str) -> str | None:
    """Return which version should serve; where the registry cannot be asked, none, and the forecast says why."""
    try:
        return registry.champion(name)
    except ModelError:
        return None


def _shared_champion(registry: ModelRegistry, context: Context) -> str | None:
    name = shared_name(context)
    return None if name is None else _champion(registry, name)


def _baseline(name: str, history: History, asked: dy.DataFrame[Targets]) -> Forecast | None:
    from watthour.forecasting.catalogue import recipe

    first = _first_issue(asked)
    local = first.astimezone(ZoneInfo(history.context.time_zone))
    clock = local.time().replace(second=0, microsecond=0)
    days = [local.date() - n * DAY for n in range(BASELINE_MEMORY_DAYS, 0, -1)]
    context = history.context
    past = day_ahead_targets(
        days, context.time_zone, resolution=context.resolution, issue_clock=clock, known_clock=clock
    )
    try:
        return recipe(name, None).fit(history.known_at(first), past).predict(history, asked)
    except NotEnoughHistory:
        return None


def _doubted_rival(history: History, asked: dy.DataFrame[Targets]) -> tuple[str, ...]:
    """Say that a rival's forecast was there and could not be believed."""
    from watthour.forecasting.rival import was_published

    its = (pl.col("channel") == history.context.channel.id) & (pl.col("model") == pl.lit(history.context.rival or ""))
    is_doubted = not history.forecasts.filter(its & ~is_trusted()).is_empty()
    if not is_doubted or not was_published(history, asked).any():  # else too little of its past is known
        return ()
    return (f"The {history.context.rival}'s forecast cannot be right, and was left out.",)


def _first_issue(asked: dy.DataFrame[Targets]) -> datetime:
    first: datetime = asked.select(pl.col("issued_at").min()).item()
    return first


def _already_issued(
    store: Store, context: Context, window: Window, makers: Sequence[str], now: datetime
) -> ForecastReport | None:
    """Return the forecast of this hour that nothing learned since could change."""
    hour_began = now.replace(minute=0, second=0, microsecond=0)
    kept = store.forecasts(
        [context.channel.id],
        Window(window.end - context.resolution, window.end),
        as_of=now,
        models=makers,
        levels=[0.5],
    ).filter(pl.col("issued_at") >= hour_began, pl.col("quality") == int(Quality.GOOD))
    if kept.is_empty():
        return None
    newest = max(kept.to_dicts(), key=lambda row: (row["issued_at"], -makers.index(row["model"])))
    if _last_news(store, context, window) > newest["issued_at"]:
        return None
    return ForecastReport(newest["model"], newest["issued_at"], window, 0)


def _last_news(store: Store, context: Context, window: Window) -> datetime:
    """Return when anything that a forecast is made from came in last: readings, weather, forecasts of rivals."""
    covariates = [covariate.channel for covariate in context.covariates]
    spans = store.spans()
    came = [spans[channel][2] for channel in (context.channel.id, *covariates) if channel in spans]
    parts = [store.forecasts(covariates, window)] if covariates else []
    parts += [store.forecasts([context.channel.id], window, models=context.rivals)] if context.rivals else []
    came += [cast("datetime", part["recorded_at"].max()) for part in parts if not part.is_empty()]
    return max(came, default=EPOCH)
