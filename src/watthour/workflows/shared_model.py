"""The homes of a store, trained together: a model for each that is known for long, and one for all the others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, time
from hashlib import sha256
from typing import TYPE_CHECKING, cast

import numpy as np

from watthour.core import metrics
from watthour.core.channel import SiteKind
from watthour.core.errors import ModelError, NotEnoughHistory, WatthourError
from watthour.core.forecast import day_ahead_targets
from watthour.core.loads import shared_name
from watthour.core.model import Manifest
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, Window, step_in_words
from watthour.workflows.baselines import BASELINES
from watthour.workflows.compare import HOLDS_OF_ONE_PERCENT, HOLDS_PERCENT, Decision, Verdict, judge
from watthour.workflows.forecast import learned_until, load_serving
from watthour.workflows.holes import told_of_holes
from watthour.workflows.runs import HOMES_RUN, TRAIN_PREFIX
from watthour.workflows.train import (
    FEWEST_FROZEN_DAYS,
    YEARS,
    fingerprint,
    keep,
    meet,
    serving,
    split_days,
    training_issues,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Context, Forecaster, History, Recipe
    from watthour.core.frames import Targets
    from watthour.core.ports import ModelRegistry, Store
    from watthour.forecasting.global_model.model import FittedGlobalModel, GlobalModel
    from watthour.workflows.forecast import Served
    from watthour.workflows.train import Meeting, Split, TrainReport

_RULE = "persistence_ensemble"  # that a model of all homes must beat
FROZEN_DAYS = 28
MOST_HOMES = 100  # of a step are learned from at once, so that time and memory are bounded


@dataclass(frozen=True, slots=True)
class SharedReport:
    """A model of all homes of one step, how it did in each of them on the frozen days, and what was decided."""

    manifest: Manifest
    verdict: Verdict
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]  # by home: of the model, the champion and the rule
    left_out: Mapping[str, str]  # homes, and why
    own: Mapping[str, TrainReport]  # of each home with enough history, by its name


@dataclass(frozen=True, slots=True)
class _Home:
    history: History
    split: Split
    training: dy.DataFrame[Targets]
    frozen: dy.DataFrame[Targets]
    champion: Served | None
    trouble: str | None  # why the champion cannot be compared

    @property
    def name(self) -> str:
        return self.history.context.site.name

    @property
    def known_then(self) -> History:
        """What was known at the first frozen issue."""
        return self.history.known_at(cast("datetime", self.frozen["issued_at"].min()))


def train_shared(  # noqa: PLR0913 - what `train` takes, and what is trained
    store: Store,
    registry: ModelRegistry,
    contexts: Sequence[Context],
    *,
    now: datetime,
    frozen_days: int = FROZEN_DAYS,
    issue_clock: time = time(8),
    recipe: GlobalModel | None = None,
    is_shared_only: bool = False,
    progress: Callable[[str], None] | None = None,
) -> list[SharedReport]:
    """Train all homes of the same step together: a model for each, as ``DayAhead()`` makes it, and one for the others.

    A home's own model must be better than the one that serves it, on the last days of the home, from which it has not
    learned; and the bands must hold, on the mean over the homes and in each. The model for homes with little history
    must beat the mean of the last four same weekdays there, and the one that serves; and its band must hold.

    Args:
        store: with the homes' readings.
        registry: where models are kept: a home's under its channel, that of all under ``shared_name``.
        contexts: what is forecast of sites; what is not the whole load of a home is left out.
        now: the present.
        frozen_days: at the end of each past, to compare on.
        issue_clock: local clock time of issue.
        recipe: how the model of all learns, if not as usual.
        is_shared_only: make no model for a home by itself.
        progress: called with what is being done.

    Raises:
        NotEnoughHistory: of no home is enough known.
    """
    groups: dict[str, list[Context]] = {}
    has_real = any(is_trained_together(context) and not context.site.is_simulated for context in contexts)
    for context in contexts:  # a simulated home is trained where there is no other
        if is_trained_together(context) and not (has_real and context.site.is_simulated):
            groups.setdefault(cast("str", shared_name(context)), []).append(context)
    training = _Training(store, registry, now, frozen_days, issue_clock, recipe, is_shared_only, progress or _silent)
    reports, problems = [], []
    left_out: dict[str, str] = {}  # homes of a step of which no model came about
    for _name, members in sorted(groups.items()):
        try:
            reports.append(training.of(members))
        except NotEnoughHistory as error:
            problems.append(error)
            left_out |= {context.site.name: error.problem for context in members}
    if not reports:
        if problems:
            raise problems[0]
        raise NotEnoughHistory("there is no home with readings", remedy="Add one with `watthour home add`.")
    last = reports[-1]
    store.note_run(SourceRun(HOMES_RUN, now, now, last.manifest.splits["frozen"], RunState.OK, 0))
    return [*reports[:-1], replace(last, left_out={**last.left_out, **left_out})]


def is_trained_together(context: Context) -> bool:
    """Tell whether a channel is the whole load of a home, in steps of less than a day."""
    return shared_name(context) is not None and context.site.kind is SiteKind.HOME and context.resolution < DAY


@dataclass(frozen=True, slots=True)
class _Training:
    """Arguments as of ``train_shared``."""

    store: Store
    registry: ModelRegistry
    now: datetime
    frozen_days: int
    issue_clock: time
    recipe: GlobalModel | None
    is_shared_only: bool
    say: Callable[[str], None]

    def of(self, members: Sequence[Context]) -> SharedReport:
        """Train the homes of one step."""
        homes, left_out = self._homes(members)
        known = {channel: home.known_then for channel, home in homes.items()}
        issues = {channel: home.training for channel, home in homes.items()}
        made = {} if self.is_shared_only else self._own(known, issues)
        shared = self._shared(known, issues, {channel: model for channel, (model, _) in made.items()})
        self.say("comparing on the frozen days")
        together = self._compared(homes, shared)
        own: dict[str, Meeting] = {}
        for channel, (model, _) in made.items():
            home = homes[channel]
            try:
                own[channel] = meet(home.history, home.split, home.frozen, model, home.champion)
            except WatthourError as error:  # the other homes are trained all the same
                left_out[home.name] = f"its own model could not be compared: {error.problem}"
        verdicts = _judged_each(homes, own)
        self.say("saving")
        reports = {
            homes[channel].name: keep(
                self.store,
                self.registry,
                met,
                made[channel][1],
                verdicts[channel],
                now=self.now,
                n_series=len(homes),
            )
            for channel, met in own.items()
        }
        for channel in own:
            run = SourceRun(f"{TRAIN_PREFIX}{channel}", self.now, self.now, _frozen(homes[channel]), RunState.OK, 0)
            self.store.note_run(run)
        return replace(self._kept(members, homes, shared, together), left_out=left_out, own=reports)

    def _homes(self, members: Sequence[Context]) -> tuple[dict[str, _Home], dict[str, str]]:
        """Return what is known of each home that can be learned from, and why of the others not."""
        homes: dict[str, _Home] = {}
        left_out: dict[str, str] = {}
        taken = set(np.linspace(0, len(members) - 1, min(len(members), MOST_HOMES)).round().astype(int).tolist())
        for number, context in enumerate(members):
            if number not in taken:
                words = f"{MOST_HOMES} of the {len(members)} homes are learned from at once; the shared model answers"
                left_out[context.site.name] = words
                continue
            self.say(f"reading {context.site.name}")
            try:
                homes[context.channel.id] = self._home(context)
            except NotEnoughHistory as error:
                left_out[context.site.name] = error.problem
        if not homes:
            step = step_in_words(members[0].resolution)
            raise NotEnoughHistory(
                f"none of the {len(members)} homes in steps of {step} can be learned from: "
                f"{next(iter(left_out.values()))}",
                remedy="Add more readings with `watthour import`; until then similar homes and baselines answer.",
            )
        return homes, left_out

    def _home(self, context: Context) -> _Home:
        alone = replace(context, covariates=(), rivals=())
        channel = context.channel.id
        _first, last, _recorded = self.store.spans().get(channel, (self.now, self.now, self.now))
        history = self.store.history(alone, Window(last - YEARS, last + 2 * DAY), self.now)
        champion, trouble = serving(self.registry, channel)
        mine, shared = (
            None if each is None else learned_until(each.manifest) for each in (champion, self._serving_all(context))
        )
        # It tells until when it learned from any home; of one that had ended by then it has not seen the last weeks.
        seen_here = shared if shared is not None and last - shared >= FEWEST_FROZEN_DAYS * DAY else None
        ends = [end for end in (mine, seen_here) if end is not None]
        split = split_days(history, frozen_days=self.frozen_days, not_before=max(ends, default=None))
        frozen = day_ahead_targets(
            split.frozen,
            context.time_zone,
            resolution=context.resolution,
            issue_clock=self.issue_clock,
            known_clock=self.issue_clock,
        )
        training = training_issues(split.training, alone, self.issue_clock)
        return _Home(history, split, training, frozen, champion, trouble)

    def _serving_all(self, context: Context) -> Served | None:
        try:
            return load_serving(self.registry, cast("str", shared_name(context)))
        except ModelError:
            return None

    def _own(
        self, known: Mapping[str, History], issues: Mapping[str, dy.DataFrame[Targets]]
    ) -> dict[str, tuple[Forecaster, Recipe]]:
        """Return a model for each home and its recipe, as ``DayAhead()`` makes them of a table; no rule among them."""
        from watthour.forecasting.model_choice import fit_auto

        self.say(f"training on {len(known)} homes")
        found, choice = fit_auto(_in_words, known, issues, is_local=False, workers=1, progress=False)
        return {
            channel: (model, choice.recipes[channel])
            for channel, model in found.items()
            if not isinstance(model, WatthourError) and choice.recipes[channel].name not in BASELINES
        }

    def _shared(
        self,
        known: Mapping[str, History],
        issues: Mapping[str, dy.DataFrame[Targets]],
        own: Mapping[str, Forecaster],
    ) -> FittedGlobalModel:
        """Return the model of all homes: the one that their own models have as a member, where one has."""
        from watthour.forecasting.global_model.model import FittedGlobalModel, GlobalModel

        recipe = self.recipe or GlobalModel()
        members = [getattr(model, "members", {}).get(recipe.name) for model in own.values()]
        there = [each for each in members if isinstance(each, FittedGlobalModel) and each.shared.recipe == recipe]
        widths = {channel: width for each in there for channel, width in each.widths.items()}
        asked = list(known.values()), list(issues.values())
        if not set(known) <= set(widths):
            self.say(f"training one model of {len(known)} homes")
            there = recipe.fit_many(*asked)
            widths = {channel: width for each in there for channel, width in each.widths.items()}
        self.say("measuring how wide the bands of new homes have to be")
        return replace(there[0], widths=widths, new_widths=recipe.widths_of_new(*asked))

    def _compared(self, homes: Mapping[str, _Home], shared: FittedGlobalModel) -> dict[str, Meeting]:
        served = self._serving_all(next(iter(homes.values())).history.context)
        return {
            channel: meet(home.history, home.split, home.frozen, shared, served, baselines=(_RULE,))
            for channel, home in homes.items()
        }

    def _kept(
        self,
        members: Sequence[Context],
        homes: Mapping[str, _Home],
        shared: FittedGlobalModel,
        together: Mapping[str, Meeting],
    ) -> SharedReport:
        """Save the model of all homes, and promote it if it is good."""
        name = cast("str", shared_name(members[0]))
        trouble = None
        if self.registry.champion(name) is not None and self._serving_all(members[0]) is None:
            trouble = "The champion could not be compared: no version that served can be read."
        scores = {homes[channel].name: met.scores for channel, met in together.items()}
        verdict = _judged(list(scores.values()), trouble)
        seen = sha256("".join(fingerprint(met.known_then) for met in together.values()).encode()).hexdigest()
        begin = min(cast("datetime", home.training["time"].min()) for home in homes.values())
        frozen = [_frozen(home) for home in homes.values()]
        start = max(cast("datetime", home.training["time"].max()) for home in homes.values()) + members[0].resolution
        recipe = shared.shared.recipe
        manifest = Manifest(
            name=name,
            version=f"{recipe.name}-{self.now.astimezone(UTC):%Y%m%dT%H%M%S}-{seen[:6]}",
            recipe=recipe.name,
            parameters=json.loads(json.dumps(asdict(recipe), default=str)),
            features=shared.features,
            splits={"train": Window(begin, start), "frozen": Window(start, max(each.end for each in frozen))},
            data_fingerprint=seen,
            metrics=metrics.known(_means([each["challenger"] for each in scores.values()])),
            created_at=self.now,
            n_series=len(homes),
        )
        manifest = self.registry.save(manifest, shared.files())
        if verdict.decision is Decision.PROMOTED:
            self.registry.promote(name, manifest.version, now=self.now, reason=" ".join(verdict.reasons))
        return SharedReport(manifest, verdict, scores, {}, {})


def _silent(_step: str) -> None:
    """Tell nobody."""


def _in_words(_name: str, error: WatthourError) -> str:
    return error.problem


def _frozen(home: _Home) -> Window:
    first, last = (cast("datetime", each) for each in (home.frozen["time"].min(), home.frozen["time"].max()))
    return Window(first, last + home.history.context.resolution)


def _judged_each(homes: Mapping[str, _Home], own: Mapping[str, Meeting]) -> dict[str, Verdict]:
    """Decide on the model of each home: beside the one that serves it, and by the bands of all of them."""
    covered = [met.scores["challenger"]["coverage90_percent"] for met in own.values()]
    least, most = HOLDS_PERCENT
    mean = float(np.mean(covered)) if covered else 0.0
    found: dict[str, Verdict] = {}
    for channel, met in own.items():
        home, unit = homes[channel], met.history.context.channel.unit_in_words
        if len(own) > 1 and not least <= mean <= most:
            words = f"The 90 % bands of {len(own)} homes hold {mean:.1f} % of the measurements"
            found[channel] = Verdict(Decision.KEPT, (f"{words}; {least} to {most} % is required.",))
            continue
        holds = HOLDS_OF_ONE_PERCENT if len(own) > 1 else HOLDS_PERCENT
        found[channel] = told_of_holes(judge(met.errors, unit, trouble=home.trouble, holds=holds), met.known_then)
    return found


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
