"""How often the 90 % interval held, by how many local days ahead a forecast was made: of past days, forecast again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import polars as pl

from watthour.core import metrics
from watthour.core.errors import ModelError, NotEnoughHistory, WatthourError
from watthour.core.frames import Targets
from watthour.core.window import DAY, Window, local_midnight
from watthour.forecasting.catalogue import OTHER_HOMES
from watthour.workflows.baselines import BASELINES
from watthour.workflows.forecast import OURS, baseline_forecasts, find_shared, learned_until, load_model, recall
from watthour.workflows.known_ahead import asked_on_eves
from watthour.workflows.score import side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, time

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, Forecaster, History
    from watthour.core.model import Manifest
    from watthour.core.ports import ModelRegistry, Store

MOST_DAYS_AHEAD = 7
FEWEST_INTERVALS = 168  # from which a share is told
_DAYS = 28  # that are forecast again where no trained model answers
_KEPT_DAYS = 30  # whose forecasts that were kept are looked at
_ENOUGH_ISSUES = 14
_FIRST_DAYS = 8  # of a past, which the rules need to be asked at all
_METRIC = "coverage90_percent"  # of the eve; of earlier issues with their days behind it


def metrics_ahead(model: Forecaster, history: History, frozen: dy.DataFrame[Targets]) -> dict[str, float]:
    """Return, as metrics of a model, which share of its frozen days lay in its band as of two to seven days before [%].

    Args:
        model: that has learned from nothing later than the first frozen issue.
        history: with what was measured on the frozen days.
        frozen: days that follow each other, each as of the day before.
    """
    if history.context.resolution >= DAY:
        return {}
    asked = _issued_before(frozen, range(2, MOST_DAYS_AHEAD + 1))
    try:
        held = _held(model.predict(history, asked), history, asked)
    except WatthourError:  # it cannot look that far ahead, so nothing is told of it
        return {}
    return {f"{_METRIC}_{ahead}_days_ahead": 100 * share for ahead, share in held.items()}


def measured_coverage(
    store: Store, registry: ModelRegistry, context: Context, version: str, *, now: datetime, issue_clock: time
) -> dict[int, float]:
    """Return which share of the readings the 90 % interval of our forecasts held [0-1], by local days ahead.

    Of the forecasts of the last 30 days that were kept, where 168 intervals of them can be compared; else, as always of
    the days after tomorrow, of past days that are forecast again. A trained model is asked for the days it was compared
    on before it served, from which it has not learned: when it was trained, or, by an earlier version of Watthour that
    did not, here. What answers without one is asked for the last 28 days that are known.

    Args:
        store: where the past is.
        registry: holds the models.
        context: what is forecast.
        version: who answers now.
        now: the present, of an archive the end of what is known.
        issue_clock: local clock time at which past days are forecast again.
    """
    manifest = next((each for each in registry.manifests(context.channel.id) if each.version == version), None)
    found = {} if manifest is None else _of_metrics(manifest.metrics)
    if len(found) <= 1 and context.resolution < DAY:
        days = _last_days(store, context, now) if manifest is None else _frozen_days(manifest, context)
        found = _asked_again(store, registry, context, version, days, now, issue_clock) | found
    return found | _of_kept(store, context, now)


def _asked_again(
    store: Store,
    registry: ModelRegistry,
    context: Context,
    version: str,
    days: Sequence[date],
    now: datetime,
    issue_clock: time,
) -> dict[int, float]:
    """Return the shares of past days that are forecast again; none where too little is known, or the model breaks."""
    if len(days) < FEWEST_INTERVALS * context.resolution / DAY:
        return {}
    window = Window(local_midnight(days[0], context.time_zone), local_midnight(days[-1] + DAY, context.time_zone))
    eve = asked_on_eves(days, context, issue_clock)
    asked = _issued_before(eve, range(1, MOST_DAYS_AHEAD + 1))
    try:
        history = recall(store, context, window, now)
        answer = _answer(registry, version, history, asked)
    except (NotEnoughHistory, ModelError):
        return {}
    return {} if answer is None else _held(answer, history, asked)


def _of_kept(store: Store, context: Context, now: datetime) -> dict[int, float]:
    """Return the shares of the forecasts of the last 30 days that were kept."""
    today = now.astimezone(ZoneInfo(context.time_zone)).date()
    window = Window(local_midnight(today - _KEPT_DAYS * DAY, context.time_zone), now)
    table, present = side_by_side(store, context, window, now=now)
    lower, upper = f"{OURS}_lower", f"{OURS}_upper"
    if OURS not in present or not {lower, upper} <= set(table.columns):
        return {}
    return _shares(table.select("issued_at", "time", "actual", lower=lower, upper=upper), context.time_zone)


def _of_metrics(found: Mapping[str, float]) -> dict[int, float]:
    names = {1: _METRIC} | {n: f"{_METRIC}_{n}_days_ahead" for n in range(2, MOST_DAYS_AHEAD + 1)}
    return {ahead: found[name] / 100 for ahead, name in names.items() if name in found}


def _last_days(store: Store, context: Context, now: datetime) -> list[date]:
    """Return the last whole local days of what is known, without the first of a short past."""
    span = store.spans().get(context.channel.id)
    if span is None:
        return []
    zone = ZoneInfo(context.time_zone)
    end = min(span[1] + context.resolution, now).astimezone(zone).date()
    first = max(span[0].astimezone(zone).date() + _FIRST_DAYS * DAY, end - _DAYS * DAY)
    return [first + n * DAY for n in range((end - first).days)]


def _frozen_days(manifest: Manifest, context: Context) -> list[date]:
    """Return the local days on which a model was compared before it served."""
    frozen = manifest.splits.get("frozen")
    if frozen is None:
        return []
    first, last = (
        end.astimezone(ZoneInfo(context.time_zone)).date() for end in (frozen.start, frozen.end - context.resolution)
    )
    return [first + n * DAY for n in range((last - first).days + 1)]


def _issued_before(eve: dy.DataFrame[Targets], days_ahead: Sequence[int]) -> dy.DataFrame[Targets]:
    """Return days that follow each other as of issues some days ahead, where such an issue is among theirs.

    Of many issues every second or third is asked, as that tells enough: two weeks of them.
    """
    number = pl.col("issued_at").rank("dense").cast(pl.Int32) - 1
    days = pl.DataFrame(eve).with_columns(number=number)
    issues = days.select("number", "issued_at", "known_until").unique()
    issues = issues.filter(pl.col("number") % max(1, issues.height // _ENOUGH_ISSUES) == 0)
    times = days.select("number", "time")
    asked = [times.with_columns(pl.col("number") - (n - 1)).join(issues, on="number") for n in days_ahead]
    return Targets.validate(pl.concat(asked).select("issued_at", "time", "known_until"))


def _answer(registry: ModelRegistry, version: str, history: History, asked: dy.DataFrame[Targets]) -> Forecast | None:
    """Return what answers, as it would have; None where that cannot be told."""
    from watthour.forecasting.catalogue import recipe
    from watthour.forecasting.combination.model import as_new

    if version in BASELINES:
        return baseline_forecasts(history, asked, [version]).get(version)
    if any(manifest.version == version for manifest in registry.manifests(history.context.channel.id)):
        return load_model(registry, history.context.channel.id, version).forecaster.predict(history, asked)
    known_then = history.known_at(cast("datetime", asked["issued_at"].min()))
    if version == OTHER_HOMES:
        return recipe(OTHER_HOMES).fit(known_then, asked).predict(history, asked)
    shared = find_shared(registry, history.context)
    if shared is None or shared.manifest.version != version:
        return None
    is_learned = history.context.channel.id in getattr(shared.forecaster, "widths", {})
    until = learned_until(shared.manifest) if is_learned else None
    if until is not None and until > known_then.as_of:
        raise NotEnoughHistory(f"{version} has learned from these days", remedy="Wait for later days.")
    model = as_new(shared.manifest.recipe, shared.forecaster, known_then, learned_until=until)
    return model.predict(history, asked)


def _held(answer: Forecast, history: History, asked: dy.DataFrame[Targets]) -> dict[int, float]:
    """Return which share of the readings lay in the 90 % interval of an answer [0-1], by local days ahead."""
    from watthour.forecasting.backtest import LOWER, UPPER, with_actuals

    table = with_actuals(answer, history, asked)
    keys = ["issued_at", "time"]
    low, high = (table.filter(pl.col("level") == level) for level in (LOWER, UPPER))
    both = low.select(*keys, "actual", lower="value").join(high.select(*keys, upper="value"), on=keys)
    return _shares(both, history.context.time_zone)


def _shares(table: pl.DataFrame, time_zone: str) -> dict[int, float]:
    """Return which share of the intervals lay between two bounds [0-1], by local days ahead, where enough are known."""
    day = [pl.col(name).dt.convert_time_zone(time_zone).dt.date() for name in ("time", "issued_at")]
    return {
        cast("int", ahead): metrics.coverage(rows["actual"], rows["lower"], rows["upper"])
        for (ahead,), rows in table.drop_nulls().group_by((day[0] - day[1]).dt.total_days())
        if rows.height >= FEWEST_INTERVALS
    }
