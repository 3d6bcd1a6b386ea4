"""One model for all homes of a store: trained on them together, and asked for each that has none of its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from watthour.core import metrics
from watthour.core.channel import SiteKind
from watthour.core.errors import ModelError, NotEnoughHistory
from watthour.core.forecast import day_ahead_targets
from watthour.core.model import Manifest
from watthour.core.window import DAY, Window, step_in_words
from watthour.workflows.compare import HOLDS_PERCENT, Decision, Verdict, paired, scores_of
from watthour.workflows.forecast import baseline_forecasts, learned_until, load_serving, shared_name
from watthour.workflows.train import YEARS, fingerprint, split_days, training_issues

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Context, Forecaster, History
    from watthour.core.frames import Targets
    from watthour.core.ports import ModelRegistry, Store
    from watthour.forecasting.global_model.model import GlobalModel
    from watthour.workflows.train import Split

_RULE = "persistence_ensemble"  # that a model of all homes must beat
FROZEN_DAYS = 28


@dataclass(frozen=True, slots=True)
class SharedReport:
    """A model of all homes of one step, how it did in each of them on the frozen days, and what was decided."""

    manifest: Manifest
    verdict: Verdict
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]  # by home: of the model, the champion and the rule
    left_out: Mapping[str, str]  # homes, and why


@dataclass(frozen=True, slots=True)
class _Home:
    history: History
    split: Split
    training: dy.DataFrame[Targets]
    frozen: dy.DataFrame[Targets]

    @property
    def known_then(self) -> History:
        """What was known at the first frozen issue."""
        return self.history.known_at(cast("datetime", self.frozen["issued_at"].min()))


def train_shared(
    store: Store,
    registry: ModelRegistry,
    contexts: Sequence[Context],
    *,
    now: datetime,
    frozen_days: int = FROZEN_DAYS,
    issue_clock: time = time(8),
    recipe: GlobalModel | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[SharedReport]:
    """Train one model on all homes of the same step, and let it serve those without a model of their own if it is good.

    It must beat the mean of the last four same weekdays on the last days of the homes, from which it has not learned,
    and the shared model that serves, if there is one; and its band must hold.

    Args:
        store: with the homes' readings.
        registry: where the model is kept, under ``shared_name``.
        contexts: what is forecast of sites; what is not the whole load of a home is left out.
        now: the present.
        frozen_days: at the end of each past, to compare on.
        issue_clock: local clock time of issue.
        recipe: how it learns, if not as usual.
        progress: called with what is being done.

    Raises:
        NotEnoughHistory: of no home is enough known.
    """
    groups: dict[str, list[Context]] = {}
    for context in contexts:
        name = shared_name(context)
        if name is not None and context.site.kind is SiteKind.HOME and context.resolution < DAY:
            groups.setdefault(name, []).append(context)
    reports, problems = [], []
    left_out: dict[str, str] = {}  # homes of a step of which no model came about
    for _name, members in sorted(groups.items()):
        try:
            reports.append(_train(store, registry, members, now, frozen_days, issue_clock, recipe, progress))
        except NotEnoughHistory as error:
            problems.append(error)
            left_out |= {context.site.name: error.problem for context in members}
    if not reports:
        if problems:
            raise problems[0]
        raise NotEnoughHistory("there is no home with readings", remedy="Add one with `watthour home add`.")
    last = reports[-1]
    return [*reports[:-1], replace(last, left_out={**last.left_out, **left_out})]


def _train(
    store: Store,
    registry: ModelRegistry,
    members: Sequence[Context],
    now: datetime,
    frozen_days: int,
    issue_clock: time,
    recipe: GlobalModel | None,
    progress: Callable[[str], None] | None,
) -> SharedReport:
    from watthour.forecasting.global_model.model import GlobalModel

    say, name = progress or (lambda _step: None), cast("str", shared_name(members[0]))
    trouble, champion = None, None
    if registry.champion(name) is not None:
        try:
            champion = load_serving(registry, name)
        except ModelError as error:
            trouble = f"The champion could not be compared: {error}"
    homes: dict[str, _Home] = {}
    left_out: dict[str, str] = {}
    not_before = learned_until(champion.manifest) if champion else None
    for context in members:
        say(f"reading {context.site.name}")
        try:
            homes[context.channel.id] = _home(store, context, now, frozen_days, issue_clock, not_before)
        except NotEnoughHistory as error:
            left_out[context.site.name] = error.problem
    if not homes:
        step = step_in_words(members[0].resolution)
        raise NotEnoughHistory(
            f"none of the {len(members)} homes in steps of {step} can be learned from: {next(iter(left_out.values()))}",
            remedy="Add more readings with `watthour import`; until then similar homes and baselines answer.",
        )
    say(f"training on {len(homes)} homes")
    recipe = recipe or GlobalModel()
    known = {channel: home.known_then for channel, home in homes.items()}
    fitted = recipe.fit_many(list(known.values()), [home.training for home in homes.values()])
    say("comparing on the frozen days")
    scores = {
        home.history.context.site.name: _scores(home, model, champion.forecaster if champion else None)
        for home, model in zip(homes.values(), fitted, strict=True)
    }
    verdict = _judged(list(scores.values()), trouble)
    first = fitted[0]
    seen = sha256("".join(fingerprint(past) for past in known.values()).encode()).hexdigest()
    begin = min(cast("datetime", home.training["time"].min()) for home in homes.values())
    end = max(cast("datetime", home.training["time"].max()) for home in homes.values()) + members[0].resolution
    frozen_end = max(cast("datetime", home.frozen["time"].max()) for home in homes.values()) + members[0].resolution
    manifest = Manifest(
        name=name,
        version=f"{recipe.name}-{now.astimezone(UTC):%Y%m%dT%H%M%S}-{seen[:6]}",
        recipe=recipe.name,
        parameters=json.loads(json.dumps(asdict(cast("Any", recipe)), default=str)),
        features=first.features,
        splits={"train": Window(begin, end), "frozen": Window(end, frozen_end)},
        data_fingerprint=seen,
        metrics=metrics.known(_means([each["challenger"] for each in scores.values()])),
        created_at=now,
    )
    say("saving")
    widths = {channel: width for model in fitted for channel, width in model.widths.items()}
    manifest = registry.save(manifest, replace(first, widths=widths).files())
    if verdict.decision is Decision.PROMOTED:
        registry.promote(name, manifest.version, now=now, reason=" ".join(verdict.reasons))
    return SharedReport(manifest, verdict, scores, left_out)


def _home(
    store: Store, context: Context, now: datetime, frozen_days: int, issue_clock: time, not_before: datetime | None
) -> _Home:
    alone = replace(context, covariates=(), rivals=())
    _first, last, _recorded = store.spans().get(context.channel.id, (now, now, now))
    history = store.history(alone, Window(last - YEARS, last + 2 * DAY), now)
    split = split_days(history, frozen_days=frozen_days, not_before=not_before)
    frozen = day_ahead_targets(
        split.frozen,
        context.time_zone,
        resolution=context.resolution,
        issue_clock=issue_clock,
        known_clock=issue_clock,
    )
    return _Home(history, split, training_issues(split.training, alone, issue_clock), frozen)


def _scores(home: _Home, model: Forecaster, champion: Forecaster | None) -> dict[str, dict[str, float]]:
    """Return the scores of the model, of the champion and of the rule on the frozen days of a home."""
    answers = {"challenger": model.predict(home.history, home.frozen)}
    if champion is not None:
        answers["champion"] = champion.predict(home.history, home.frozen)
    answers |= baseline_forecasts(home.history, home.frozen, (_RULE,))
    errors = paired(home.history, answers)
    return {name: scores_of(errors, name, home.history.context.channel.unit) for name in answers}


def _judged(scores: Sequence[Mapping[str, Mapping[str, float]]], trouble: str | None) -> Verdict:
    """Decide by the mean over homes of the error in parts of the rule's."""
    able = [each for each in scores if _RULE in each and each[_RULE]["mae"] > 0]
    reasons = [trouble] if trouble else []
    if not able:
        return Verdict(Decision.KEPT, (*reasons, "No home could be compared with the mean of the last same weekdays."))

    def share(name: str) -> float:
        return float(np.mean([each[name]["mae"] / each[_RULE]["mae"] for each in able]))

    mine = share("challenger")
    reasons.append(
        f"In {len(able)} homes its mean absolute error is {mine:.1%} of that of the mean of four same weekdays."
    )
    if mine >= 1:
        return Verdict(Decision.KEPT, (*reasons, "That is not better, so it is not used."))
    covered = float(np.mean([each["challenger"]["coverage90_percent"] for each in able]))
    least, most = HOLDS_PERCENT
    if not least <= covered <= most:
        words = f"Its 90 % band holds {covered:.1f} % of the measurements; {least} to {most} % is required."
        return Verdict(Decision.KEPT, (*reasons, words))
    if all("champion" in each for each in able):
        theirs = share("champion")
        reasons.append(f"The shared model that serves has {theirs:.1%}.")
        if mine >= theirs:
            return Verdict(Decision.KEPT, (*reasons, "It stays."))
    return Verdict(Decision.PROMOTED, tuple(reasons))


def _means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.nanmean([each[name] for each in scores])) for name in scores[0]}
