"""Several models as one: each counts by how it did on the last weeks, and more for the last days.

``fit`` lets every candidate forecast the last weeks of the past, learned once before them, keeps those that are near
the best and lets them learn everything. ``predict`` averages their quantiles or mixes their distributions, by weights
that follow what they would have said on the days since, and sets the width of the band by what lay inside it.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import polars as pl

from watthour.core.errors import NotEnoughHistory, WatthourError
from watthour.core.forecast import Forecast
from watthour.core.frames import LEVELS
from watthour.core.window import DAY
from watthour.forecasting.catalogue import SIMILAR, forecaster
from watthour.forecasting.combination.past_answers import Earlier, PastAnswers, Record
from watthour.forecasting.combination.trial import (
    ON_RIVAL,
    TREES,
    Answers,
    candidates_of,
    fit_some,
    member_recipe,
    period_of,
    scores_of,
    trials_of,
    tried,
    tried_alone,
    usual_losses,
)
from watthour.forecasting.combination.weights import (
    ENOUGH_ISSUES,
    LEAST,
    blocks_of,
    normalised,
)
from watthour.forecasting.gaussian_process.archive import in_half
from watthour.forecasting.gaussian_process.local_days import is_complete
from watthour.forecasting.quantile_forecast import describe_intervals, nothing_known, quantile_forecast
from watthour.forecasting.steps import check_targets, step_of
from watthour.forecasting.vintages import instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import dataframely as dy

    from watthour.core.forecast import Context, Forecaster, History
    from watthour.core.frames import Targets
    from watthour.forecasting.fleet import Histories, Plan, Progress, TargetsBySeries
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array

NAME = "combination"
_WORDS, _PAST = "combination.json", "past.npz"
_RULES = ("persistence_ensemble", "seasonal_naive")  # cost nothing to keep
_TELL_OF_BAND = 14 * DAY  # of fewer days the bands that conformal prediction asks for are too wide
_LOOK_AT_RIVAL = (TREES, "day_process")  # learn from it where there is one, so that they err with it


@dataclass(frozen=True, slots=True)
class Combination:
    """How to make it.

    Args:
        members: names of the catalogue; all that can learn the series if none is named.
    """

    members: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedCombination:
        """Try the candidates on the last weeks, keep the best and let them learn everything.

        Raises:
            NotEnoughHistory: no candidate can be tried, or none can learn.
        """
        pasts, asked = {NAME: history}, {NAME: issues}
        trials = trials_of(pasts, asked)
        found = fit_combinations(self, pasts, asked, trials, is_pooled=False, workers=1, progress=False)[NAME]
        if isinstance(found, WatthourError):
            raise found
        return found

    def fit_many(
        self, pasts: Sequence[History], issues: Sequence[dy.DataFrame[Targets]]
    ) -> list[FittedCombination | WatthourError]:
        """Make one for each of many series, whose members learn from all of them together if they can."""
        named, asked = (dict(zip(map(str, range(len(pasts))), each, strict=True)) for each in (pasts, issues))
        trials = trials_of(named, asked)  # type: ignore[arg-type]  # histories and targets
        found = fit_combinations(self, named, asked, trials, is_pooled=True, workers=1, progress=False)  # type: ignore[arg-type]  # likewise
        return [found[name] for name in named]


def fit_combinations(
    recipe: Combination,
    pasts: Histories,
    issues: TargetsBySeries,
    trials: Mapping[str, Plan],
    *,
    is_pooled: bool,
    workers: int,
    progress: Progress,
    said: Mapping[str, Answers] | None = None,
) -> dict[str, FittedCombination | WatthourError]:
    """Return a combination for each series, or why there is none.

    Args:
        recipe: what may be in it.
        pasts: what is known of each series, all of one step and one place.
        issues: of each, to learn from.
        trials: of those that are long enough, by ``trials_of``.
        is_pooled: trees learn from all series together.
        workers: series worked at the same time.
        progress: a bar, or what is called with the number of series done and to do.
        said: what those that may be in it said of the trials, by series; None: they are tried.
    """
    answers = said
    if answers is None:
        n_together = len(trials) if is_pooled else 1
        candidates = {
            name: _possible(recipe.members, pasts[name].context)
            or candidates_of(pasts[name].context, n_together=n_together)
            for name in trials
        }
        answers = tried(candidates, pasts, trials, is_pooled=is_pooled, workers=workers, progress=progress)
    drafts = {name: _Draft.of(said, pasts[name]) for name, said in answers.items() if said.quantiles}
    fitted: dict[str, dict[str, Forecaster]] = {name: {} for name in drafts}
    failed: dict[str, WatthourError] = {}
    for model in dict.fromkeys(each for draft in drafts.values() for each in draft.members):
        mine = [name for name, draft in drafts.items() if model in draft.members]
        made = fit_some(
            member_recipe(model), mine, pasts, issues, is_pooled=is_pooled, workers=workers, progress=progress
        )
        for name, one in made.items():
            if isinstance(one, WatthourError):
                failed[name] = one
            else:
                fitted[name][model] = one
    found: dict[str, FittedCombination | WatthourError] = {}
    for name, past in pasts.items():
        if name in drafts and fitted[name]:
            found[name] = drafts[name].with_models(fitted[name])
        elif name in failed:
            found[name] = failed[name]
        elif name in answers and answers[name].silent:
            found[name] = next(iter(answers[name].silent.values()))
        else:
            found[name] = _too_short(past)
    return found


def _possible(members: Sequence[str], context: Context) -> tuple[str, ...]:
    """Return the members that are named without the one that looks at similar series where there are none."""
    return tuple(name for name in members if name != SIMILAR or context.similar)


def untried(members: Mapping[str, Forecaster], history: History, *, since: datetime | None = None) -> FittedCombination:
    """Return a combination of members that could not be compared on a past.

    They count alike, until the days since tell more; those also set the width of the band.

    Args:
        members: by name, all of which have learned.
        history: what is known of the series.
        since: from when on the members are asked what they would have said, as they have learned from nothing of the
            series after it; None: they have learned from all that is known.
    """
    none = np.empty(0, dtype=np.int64)
    past = PastAnswers(none, none, np.empty(0), np.empty((len(members), 0, len(LEVELS))))
    return FittedCombination(members, past, (), instant(since or history.as_of), history.context.channel.id)


def as_new(name: str, model: Forecaster, history: History, *, learned_until: datetime | None = None) -> Forecaster:
    """Return a model that was not tried on a series: its band follows what lay inside it there lately.

    Args:
        name: of the model in the catalogue.
        model: one that has learned from other series as well, or from others only.
        history: what is known of this one.
        learned_until: until when it has learned from this one; None: it has not, and while fewer than two weeks are
            known, its own band stays.
    """
    if learned_until is not None:
        return untried({name: model}, history, since=learned_until)
    mine = history.readings.filter(pl.col("channel") == history.context.channel.id)
    first = cast("datetime | None", mine["time"].min())
    if first is None or history.as_of - first < _TELL_OF_BAND:
        return model
    return untried({name: model}, history, since=first)


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    """The members a combination is to have, before they have learned everything."""

    members: tuple[str, ...]  # the weightiest first
    past: PastAnswers
    compared: tuple[Mapping[str, Any], ...]
    silent: Mapping[str, WatthourError]
    fitted_at: int
    channel: str

    @classmethod
    def of(cls, said: Answers, history: History) -> Self:
        """Choose the members of a series by what the candidates said of its trial."""
        names, came = list(said.quantiles), np.isfinite(said.actual)
        answers = {name: each[came] for name, each in said.quantiles.items()}
        issued, time = (instants(said.asked[name])[came] for name in ("issued_at", "time"))
        past = PastAnswers(issued, time, said.actual[came], in_half(np.stack(list(answers.values()))))
        fitted_at = instant(history.as_of)
        record = Record.at(past, fitted_at, period_of(history.context), usual_losses(names))
        weights = record.weights()
        used = np.unique(record.past.blocks) if len(record.counts) else np.arange(len(weights))
        highest = weights[used].max(axis=0)
        mean = _mean_weights(weights, record)
        share = dict(zip(names, mean.tolist(), strict=True))
        scores = scores_of({**answers, NAME: record.left_out()} if (mean > 0).sum() > 1 else answers, past.actual)
        losses = {row["model"]: row["pinball"] for row in scores}
        stand_bys = _stand_bys(losses, has_rival=bool(history.context.rivals))
        is_open = record.n_apart < ENOUGH_ISSUES  # who is best will show itself
        kept = np.flatnonzero((highest >= LEAST) | np.isin(names, stand_bys) | is_open)
        kept = kept[np.argsort(-mean[kept], kind="stable")]
        compared = tuple({**row, "weight": round(share.get(row["model"], 1.0), 4)} for row in scores)
        return cls(
            tuple(names[k] for k in kept),
            past.of_members(kept),
            compared,
            said.silent,
            fitted_at,
            history.context.channel.id,
        )

    def with_models(self, models: Mapping[str, Forecaster]) -> FittedCombination:
        """Return the combination of those members that could learn everything."""
        rows = np.array([k for k, name in enumerate(self.members) if name in models])
        members = {name: models[name] for name in self.members if name in models}
        return FittedCombination(
            members, self.past.of_members(rows), self.compared, self.fitted_at, self.channel, self.silent
        )


class FittedCombination:
    """Members that have learned, what they said of the weeks before, and how they are weighted.

    Args:
        members: by name, the weightiest first.
        past: what they said of the trial.
        compared: of every candidate that answered it, and of their average as it would have been weighted without
            the issue it is scored on: model, pinball, mae, mape_percent, coverage90_percent, n, weight.
        fitted_at: until when they have learned [microseconds].
        channel: what they forecast.
        silent: candidates that could not be tried, and why.
    """

    def __init__(
        self,
        members: Mapping[str, Forecaster],
        past: PastAnswers,
        compared: Sequence[Mapping[str, Any]],
        fitted_at: int,
        channel: str,
        silent: Mapping[str, WatthourError] | None = None,
    ) -> None:
        self.members = dict(members)
        self.compared = tuple(compared)
        self.silent = dict(silent or {})
        self._past = past
        self._fitted_at = fitted_at
        self._channel = channel

    @property
    def weights(self) -> Mapping[str, float]:
        """The share of each member in a forecast made when it was fitted, the largest first; their sum is 1."""
        mean = {row["model"]: row["weight"] for row in self.compared if row["model"] in self.members}
        total = sum(mean.values())
        if not total:
            return dict.fromkeys(self.members, 1 / len(self.members))
        return {name: weight / total for name, weight in mean.items() if weight}

    @property
    def n_tried(self) -> int:
        """How many issues the members were compared on."""
        return len(np.unique(self._past.issued))

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecasts are made of."""
        return tuple(dict.fromkeys(each for one in self.members.values() for each in getattr(one, "features", ())))

    @property
    def similar(self) -> tuple[str, ...]:
        """The channels of similar series that its members look at."""
        return tuple(dict.fromkeys(each for one in self.members.values() for each in getattr(one, "similar", ())))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What its members went without when they were trained, in sentences."""
        return tuple(dict.fromkeys(each for one in self.members.values() for each in getattr(one, "remarks", ())))

    @property
    def importance(self) -> Mapping[str, float] | None:
        """How much each feature helps the trees, if they are a member."""
        return getattr(self.members.get(TREES), "importance", None)

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target by its members' average, weighted by how they did before its issue.

        Raises:
            InvalidInput: the targets are not intervals of the context's channel.
            NotEnoughHistory: no member can answer.
        """
        context = history.context
        check_targets(targets, context)
        step = step_of(context)
        issued, known_until, time = (instants(targets[name]) for name in ("issued_at", "known_until", "time"))
        known_until = np.minimum(issued, known_until)
        pairs, issue = np.unique(np.stack([issued, known_until], axis=1), axis=0, return_inverse=True)
        issue = issue.reshape(-1)
        told = [tried_alone(lambda one=one: one.predict(history, targets), targets) for one in self.members.values()]  # type: ignore[misc]  # bound now
        quantiles = np.stack([each[0] for each in told])
        own, any_answer = np.stack([each[1] for each in told]), is_complete(quantiles)
        there = np.where(own.any(axis=0), own, any_answer)
        if not there.any():
            raise nothing_known(targets, context)
        earlier = Earlier.of(targets, issue, since=self._fitted_at, step=step, time_zone=context.time_zone)
        again = self._answers_to(history, earlier.asked)
        vintages = measurement_vintages(history, context.channel.id)
        blocks = blocks_of(time - issued)
        usual, weights = np.zeros(own.shape), np.zeros(own.shape)
        members_lose = usual_losses(list(self.members))
        merged = np.full((targets.height, len(LEVELS)), np.nan)
        for number, (at, known) in enumerate(pairs.tolist()):
            mine = issue == number
            rows = earlier.of_issue[number]
            since_then = again.take(rows)
            actual = vintages.known(since_then.time, np.array(at))
            since_then = replace(since_then, actual=actual)
            before = self._past.take((self._past.time + step <= known) & (self._past.issued < at))
            past = before.followed_by(since_then)
            usual[:, mine] = Record.at(past, at, period_of(context), members_lose).weights()[blocks[mine]].T
            # Who says nothing now may have said nothing for weeks: those weeks count between the others.
            for able in np.unique(there[:, mine], axis=1).T:
                if not able.any():
                    continue
                alike = mine & (there == able[:, None]).all(axis=0)
                some = past.of_members(np.flatnonzero(able))
                record = Record.at(some, at, period_of(context), members_lose[able])
                found = record.weights()
                weights[np.ix_(able, alike)] = found[blocks[alike]].T
                for block in np.unique(blocks[alike]).tolist():
                    here = alike & (blocks == block)
                    told_here, who = quantiles[:, here], there[:, here]
                    merged[here] = record.merging(found, block).answer(told_here, weights[:, here], who)
        shares = normalised(weights, there)
        answer = quantile_forecast(
            targets,
            merged,
            context,
            model=NAME,
            missing_inputs=self._missing(told, shares, usual, own, targets, context),
            fallback=None if own.any() else next((one.fallback for *_, one in told if isinstance(one, Forecast)), None),
            estimated=np.asarray(~own.any(axis=0)),
        )
        part = shares.mean(axis=1)
        details = {name: round(float(part[k]), 4) for k, name in enumerate(self.members) if part[k] > 0}
        return replace(answer, details=dict(sorted(details.items(), key=lambda each: -each[1])))

    def files(self) -> Mapping[str, bytes]:
        """Return each member's files under its name, the weights as JSON and the answers to the trial."""
        archive = io.BytesIO()
        past = self._past
        np.savez_compressed(
            archive,
            allow_pickle=False,
            issued=past.issued,
            time=past.time,
            actual=past.actual,
            quantiles=past.quantiles.astype(np.float32),
        )
        words = {
            "members": list(self.members),
            "weights": dict(self.weights),
            "compared": [dict(row) for row in self.compared],
            "fitted_at": self._fitted_at,
            "channel": self._channel,
            "silent": {name: [error.problem, error.remedy] for name, error in self.silent.items()},
        }
        files = {
            f"{name}/{file}": content for name, one in self.members.items() for file, content in one.files().items()
        }
        return {_WORDS: json.dumps(words, indent=1).encode(), _PAST: archive.getvalue(), **files}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again; it answers the same to the last bit."""
        words = json.loads(files[_WORDS])
        with np.load(io.BytesIO(files[_PAST]), allow_pickle=False) as archive:
            past = PastAnswers(
                archive["issued"], archive["time"], archive["actual"], archive["quantiles"].astype(np.float64)
            )
        members = {}
        for name in words["members"]:
            own = {
                file.removeprefix(f"{name}/"): content for file, content in files.items() if file.startswith(f"{name}/")
            }
            members[name] = forecaster(name, own)
        silent = {  # models saved by earlier versions do not have it
            name: WatthourError(problem, remedy=remedy) for name, (problem, remedy) in words.get("silent", {}).items()
        }
        return cls(members, past, words["compared"], words["fitted_at"], words["channel"], silent)

    def _answers_to(self, history: History, asked: dy.DataFrame[Targets]) -> PastAnswers:
        """Return what the members would have said of targets of the days before."""
        issued, time = instants(asked["issued_at"]), instants(asked["time"])
        quantiles = np.full((len(self.members), asked.height, len(LEVELS)), np.nan)
        if asked.height:
            for k, one in enumerate(self.members.values()):
                found, is_own, _ = tried_alone(lambda one=one: one.predict(history, asked), asked)  # type: ignore[misc]  # bound now
                quantiles[k] = np.where(is_own[:, None], found, np.nan)
        return PastAnswers(issued, time, np.full(len(time), np.nan), quantiles)

    def _missing(
        self,
        told: Sequence[tuple[Array, Mask, Forecast | WatthourError]],
        shares: Array,
        weights: Array,
        own: Mask,
        targets: dy.DataFrame[Targets],
        context: Context,
    ) -> list[str]:
        """Return what the members with a weight missed, and which of them did not answer what, and why."""
        words: list[str] = []
        for k, name in enumerate(self.members):
            forecast = told[k][2]
            lost = ~own[k] & (weights[k] > 0)
            if lost.any() and own.any():
                where = describe_intervals(targets, lost, context)
                words.append(
                    f"{_in_words(name)} could not answer, and was left out, for {where}{_why(name, forecast)}."
                )
            if isinstance(forecast, Forecast) and (shares[k] > 0).any() and (own[k].all() or not own.any()):
                words += forecast.missing_inputs
        return list(dict.fromkeys(words))


def members_of(files: Mapping[str, bytes]) -> dict[str, float]:
    """Return the share of each member of a saved combination, the largest first; nothing for any other model."""
    return dict(json.loads(files[_WORDS])["weights"]) if _WORDS in files else {}


def _stand_bys(losses: Mapping[str, float], *, has_rival: bool) -> list[str]:
    """Return the members kept whatever their weight: for the day on which the best go wrong or have nothing to say.

    They are the rival's forecast and its de-biased one, the best that never looks at a rival, and the best rule.
    """
    order = sorted(losses, key=lambda name: losses[name])
    leans = (*ON_RIVAL, *_LOOK_AT_RIVAL) if has_rival else ON_RIVAL
    own = [name for name in order if name not in leans and name != NAME]
    return [*ON_RIVAL, *own[:1], *[name for name in own if name in _RULES][:1]]


def _mean_weights(weights: Array, record: Record) -> Array:
    """Return the weights of members over what was tried, (members,)."""
    if not len(record.counts):
        return np.asarray(weights.mean(axis=0))
    return np.asarray(np.average(weights[record.past.blocks], axis=0, weights=record.counts))


def _in_words(name: str) -> str:
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _why(name: str, told: Forecast | WatthourError) -> str:
    """Return why a member did not answer, as the end of a sentence; nothing where nobody knows."""
    if isinstance(told, WatthourError):
        return f": {told.problem.rstrip('.')}"
    return ": no forecast was published, or it is doubted" if name in ON_RIVAL else ""


def _too_short(history: History) -> NotEnoughHistory:
    channel = history.context.channel.id
    n_known = history.readings.filter((pl.col("channel") == channel) & pl.col("value").is_not_null())["time"].n_unique()
    return NotEnoughHistory(
        f"{n_known} intervals of {channel} are known, too few to compare models on its last weeks",
        remedy="Choose another model: persistence_ensemble, or add readings of at least four weeks.",
    )
