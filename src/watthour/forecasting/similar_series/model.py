"""A series with a past of days or weeks, forecast beside similar series whose past is long.

Similar series tell the usual day and what these days have in common, the own past how this series differs. How much
each of them counts, and how far off the answer is, is learned on the similar series themselves: each is cut to as few
days at many instants of the past and forecast from the others. With every day that comes the own past counts more.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.forecasting.quantile_forecast import describe_intervals, nothing_known, quantile_forecast
from watthour.forecasting.similar_series.days import BACK, ORIGINS_BACK, OWN_BACK, Days, Usual
from watthour.forecasting.similar_series.learning import FEWEST_DAYS, FEWEST_OTHERS, Lesson, good_others, learn
from watthour.forecasting.similar_series.own_trial import MOST_DAYS, OwnTrial, own_usual
from watthour.forecasting.similar_series.predictors import WEEK, Likeness, Seen, said_of
from watthour.forecasting.steps import check_targets, check_trained_on, require_part_of_a_day
from watthour.forecasting.vintages import by_issue, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.similar_series.predictors import Said
    from watthour.forecasting.vintages import Array, Instants

NAME = "similar_series"
SEEN_DAYS = BACK + ORIGINS_BACK + 1  # before an issue: what is looked at
LENGTHS = (0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 14.0, 21.0, 28.0, 42.0)  # days of an own past that are learned
_LEADS = (1, 2, 4, 7)  # days ahead that are learned; the others are as the next shorter one
MOST_OTHERS = 24
_NAMED = 3  # similar series in a message
_STALE_DAYS = 7
_FORMAT = 1
_WORDS, _NUMBERS = "similar_series.json", "similar_series.npz"


@dataclass(frozen=True, slots=True)
class SimilarSeries:
    """How to make it.

    Args:
        n_lengths: lengths of an own past to learn, from the present one on; more answer for longer after learning.
    """

    n_lengths: int = 3

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedSimilarSeries:  # noqa: ARG002 - of the port
        """Cut the similar series of the context to as few days as are known of its channel, and learn from that.

        Raises:
            InvalidInput: the step is a day or longer.
            NotEnoughHistory: less than half a day is known, or too few similar series are.
        """
        context = history.context
        step = require_part_of_a_day(context, NAME)
        channels = _known_best(history)
        if len(channels) < FEWEST_OTHERS:
            raise _none_similar(context, len(channels))
        if not len(measurement_vintages(history, context.channel.id).times):
            raise _too_short(context, 0.0)
        now = instant(history.as_of)
        days = Days.of(history, now, now, channels)
        n_days = days.n_own_days
        if n_days < LENGTHS[0]:
            raise _too_short(context, n_days)
        if not np.nan_to_num(days.own[-OWN_BACK:]).any():
            problem = f"every known value of {context.channel.id} is zero, so others cannot be brought to its level"
            raise NotEnoughHistory(problem, remedy="Use a baseline such as seasonal_naive until it shows something.")
        first = max(k for k, length in enumerate(LENGTHS) if length <= n_days)
        lessons = learn(days, LENGTHS[first : first + max(1, self.n_lengths)], _LEADS)
        if not lessons:
            raise _none_similar(context, len(good_others(days.others)))
        if not lessons[0].loss < lessons[0].rule_loss:
            problem = (
                f"the series beside {context.channel.id} are too unlike each other to forecast one from the others"
            )
            raise NotEnoughHistory(problem, remedy="Use a baseline such as seasonal_naive until more is known.")
        return FittedSimilarSeries(context.channel.id, step, channels, tuple(lessons))


@dataclass(frozen=True, slots=True, eq=False)
class FittedSimilarSeries:
    """Which series are similar, and what was learned on them."""

    channel: str
    step: int  # [microseconds]
    similar: tuple[str, ...]  # channels
    lessons: tuple[Lesson, ...]  # by length of the own past, ascending

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("own days", "usual day of similar series", "last days of similar series")

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue of the channel and of similar ones.

        Raises:
            InvalidInput: the model was made for another channel or step, or the targets are not its intervals.
            NotEnoughHistory: too little is known of the channel, or nothing of similar ones.
        """
        context = history.context
        check_trained_on(context, self.channel, self.step)
        check_targets(targets, context)
        if not len(measurement_vintages(history, context.channel.id).times):
            raise nothing_known(targets, context)
        quantiles = np.full((targets.height, len(LEVELS)), np.nan)
        stale = np.zeros(targets.height, dtype=np.bool_)
        time = instants(targets["time"])
        words: dict[str, None] = {}
        for at, known_until, mine in by_issue(targets):
            days = Days.of(history, at, known_until, self.similar)
            row, slot = days.clock.places(time[mine])
            leads, which = np.unique(np.maximum(row - days.edge + 1, 1), return_inverse=True)
            told = self._told(days, leads.tolist(), context)
            if told is not None:
                quantiles[mine] = told[0][which.reshape(-1), slot]
                words[told[1]] = None
            stale[mine] = days.late_own() > _STALE_DAYS * days.n_slots
        missing = list(words)[-1:]
        if stale.any():
            missing.append(f"No recent value was known for {describe_intervals(targets, stale, context)}.")
        return quantile_forecast(targets, quantiles, context, model=NAME, missing_inputs=missing)

    def _told(self, days: Days, leads: Sequence[int], context: Context) -> tuple[Array, str] | None:
        """Return the quantiles of days ahead by slot, and what they rest on; None where nothing is known.

        The quantiles are (leads, slots, ``LEVELS``).
        """
        good = good_others(days.others)
        n_days = days.n_own_days
        if not len(good) or n_days < LENGTHS[0]:
            return None
        lesson = [each for each in self.lessons if each.days <= max(n_days, self.lessons[0].days)][-1]
        n = days.others.shape[1]
        types = days.types(-n, n + max(leads))
        usual = Usual.of(days.others[good, -BACK:], types[n - BACK : n])
        first = int(np.flatnonzero(np.isfinite(days.own[-OWN_BACK:]).any(axis=1))[0]) + n - OWN_BACK

        def answers(end: int, ahead: Sequence[int]) -> tuple[list[Array], list[Array], Array] | None:
            """Return what is said from the days before one: quantiles, the own usual day, and the others' weights."""
            back = max(end - first, WEEK)
            kinds = [types[end + lead - 1] for lead in ahead]
            own, recent = days.own[first:end], days.others[good, end - back : end]
            said = said_of(
                Seen(own, types[end - back : end], usual, recent, list(zip(ahead, kinds, strict=True))), lesson.likeness
            )
            if not said:
                return None
            quantiles = [_quantiles(each, lesson, lead) for lead, each in zip(ahead, said, strict=True)]
            return quantiles, [own_usual(own, types[first:end], kind) for kind in kinds], said[0].weights

        now = answers(n, leads)
        if now is None:
            return None
        ends = range(max(first + 1, n - MOST_DAYS), n)
        again = [(told, days.own[end]) for end in ends if (told := answers(end, (1,))) is not None]
        trial = OwnTrial.of(
            [one[0][0] for one, _ in again], [one[1][0] for one, _ in again], [came for _, came in again]
        )
        found = [trial.applied(answer, own) for answer, own in zip(now[0], now[1], strict=True)]
        return np.stack(found), _rests_on(n_days, days, good, now[2], context)

    def files(self) -> Mapping[str, bytes]:
        """Return it as JSON and numbers."""
        words = {
            "format": _FORMAT,
            "channel": self.channel,
            "step": self.step,
            "similar": list(self.similar),
            "lessons": [
                {
                    "days": each.days,
                    "likeness": list(each.likeness),
                    "leads": list(each.leads),
                    "loss": each.loss,
                    "rule_loss": each.rule_loss,
                    "n_series": each.n_series,
                    "n_cuts": each.n_cuts,
                }
                for each in self.lessons
            ],
        }
        buffer = io.BytesIO()
        np.savez(
            buffer,
            coefficients=np.stack([each.coefficients for each in self.lessons]),
            errors=np.stack([each.errors for each in self.lessons]),
        )
        return {_WORDS: json.dumps(words).encode(), _NUMBERS: buffer.getvalue()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its files."""
        words: dict[str, Any] = json.loads(files[_WORDS])
        numbers = np.load(io.BytesIO(files[_NUMBERS]), allow_pickle=False)
        lessons = [
            Lesson(
                **{
                    **each,
                    "likeness": Likeness(*each["likeness"]),
                    "leads": tuple(each["leads"]),
                    "coefficients": numbers["coefficients"][k],
                    "errors": numbers["errors"][k],
                }
            )
            for k, each in enumerate(words["lessons"])
        ]
        return cls(words["channel"], words["step"], tuple(words["similar"]), tuple(lessons))


def _quantiles(said: Said, lesson: Lesson, lead: int) -> Array:
    """Return the quantiles of the slots of a day to come, (slots, ``LEVELS``)."""
    k = max((k for k, each in enumerate(lesson.leads) if each <= lead), default=0)
    return np.asarray((said.predictors @ lesson.coefficients[k])[:, None] + said.spread[:, None] * lesson.errors[k])


def _known_best(history: History) -> tuple[str, ...]:
    """Return the similar series of which most is known, at most so many."""
    counts = {each.channel: len(measurement_vintages(history, each.channel).times) for each in history.context.similar}
    filled = sorted((name for name, count in counts.items() if count), key=lambda name: -counts[name])
    return tuple(filled[:MOST_OTHERS])


def _rests_on(n_days: float, days: Days, good: Instants, weights: Array, context: Context) -> str:
    """Say what a forecast rests on."""
    names = {each.channel: each.name for each in context.similar}
    order = np.argsort(-weights)[:_NAMED]
    listed = [f"{names[days.channels[good[k]]]} ({weights[k]:.0%})" for k in order]
    own = f"{n_days:.0f} days" if n_days >= 2 else f"{n_days * 24:.0f} hours"  # noqa: PLR2004 - one day is said in hours
    above = (
        f", above all {', '.join(listed[:-1])} and {listed[-1]}" if len(weights) > _NAMED else f": {', '.join(listed)}"
    )
    return f"This rests on {own} of its own past and on {len(weights)} similar series{above}."


def _too_short(context: Context, n_days: float) -> NotEnoughHistory:
    return NotEnoughHistory(
        f"{n_days * 24:.0f} hours of {context.channel.id} are known; beside similar series {NAME} needs "
        f"{LENGTHS[0] * 24:.0f}",
        remedy="Wait for half a day of readings, or use a baseline such as seasonal_naive.",
    )


def _none_similar(context: Context, n_similar: int) -> NotEnoughHistory:
    return NotEnoughHistory(
        f"{n_similar} series similar to {context.channel.id} have {FEWEST_DAYS} days known; {NAME} needs "
        f"{FEWEST_OTHERS}, known long enough to cut them as short as this one and see what followed",
        remedy="Add longer series of the same quantity and step, or use a baseline such as seasonal_naive.",
    )
