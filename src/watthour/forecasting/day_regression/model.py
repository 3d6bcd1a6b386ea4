"""The regression over days as a recipe: any series with a daily rhythm, with covariates known ahead or without."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.core.window import HOUR, Window, step_in_words
from watthour.forecasting.calendar import holiday_days
from watthour.forecasting.day_regression.bands import miss_quantiles
from watthour.forecasting.day_regression.day_table import Clock, is_whole, known_values
from watthour.forecasting.day_regression.error_trees import ErrorTrees, Misses, features_of
from watthour.forecasting.day_regression.inputs import WEEK, DayCalendar
from watthour.forecasting.day_regression.known import Known, covariates_ahead, later_covariates, later_groups, one_group
from watthour.forecasting.day_regression.learner import Answer, Later, Learner, Points, learners_of
from watthour.forecasting.day_regression.state import State
from watthour.forecasting.gaussian_process.archive import in_half
from watthour.forecasting.gaussian_process.loads import known_since
from watthour.forecasting.gaussian_process.local_days import DayRequests, IssueSchedule
from watthour.forecasting.quantile_forecast import describe_intervals, nothing_known, quantile_forecast
from watthour.forecasting.steps import check_targets, check_trained_on
from watthour.forecasting.vintages import datetimes, instant, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.day_regression.day_table import Channels
    from watthour.forecasting.day_regression.inputs import DayFacts
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

FEWEST_DAYS = 42  # known whole, before anything can be learned
_MOST_LEADS = 8  # days ahead for which constants are learned; those beyond use the last of them
_FEWEST_KNOWN = 0.5  # of the days of training, of a covariate that is worth learning from
_MUCH_SHORTER = 0.8  # of the longest memory, for another to differ from it
_NAME = "day_regression"
_WITHOUT = "without_covariates_"  # before the names of files


@dataclass(frozen=True, slots=True)
class DayRegression:
    """A Gaussian process over days: straight lines that drift, and a smooth function, of past days and covariates.

    Args:
        memories_days: the mean is taken of what is learned from the last so many days; later days are added to each.
        is_plain: it is learned in the first form alone, and without trees on its errors: much quicker, a little worse.
    """

    memories_days: tuple[int, ...] = (1461, 400)
    is_plain: bool = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedDayRegression:
        """Keep the days known by now with what was known ahead of them, and learn the constants from the last ones.

        Raises:
            InvalidInput: the step is longer than an hour, or all values are the same.
            NotEnoughHistory: fewer than FEWEST_DAYS known days.
        """
        context = history.context
        if context.resolution > HOUR:
            raise InvalidInput(
                "resolution",
                step_in_words(context.resolution),
                "the regression over days forecasts steps of up to an hour",
                remedy="Choose another model: seasonal_naive, persistence_ensemble or gradient_boosting.",
            )
        clock = Clock.of(context, issues)
        first, values = self._known_days(history, clock)
        days = first + np.arange(len(values))
        requests, _, _ = clock.requests(issues)
        leads = _leads(requests, clock)
        schedule = _schedule(requests, clock)
        channels = _channels(context)
        covariates = covariates_ahead(history, clock, channels, schedule, days, leads[-1] - leads[0] + 1)
        is_known = np.isfinite(covariates[0]).mean(axis=(0, 2)) >= _FEWEST_KNOWN
        moves = np.array([np.nanstd(covariates[0, :, k]) > 0 if is_known[k] else False for k in range(len(channels))])
        keeps = np.flatnonzero(is_known & moves) if len(channels) else np.empty(0, dtype=np.int64)
        names = list(channels)
        state = State(
            first_day=first,
            values=values,
            known_since=known_since(history, days, instant(history.as_of), clock.grid, begin=clock.begin),
            covariates=in_half(covariates[:, :, keeps]),
            leads=leads,
            memories=_memories(self.memories_days, len(values)),
            constants=(),
            schedule=schedule,
            clock=clock,
            channel=context.channel.id,
            place=context.place,
            variables={names[k]: channels[names[k]] for k in keeps},
            constant_variables=tuple(name for k, name in enumerate(names) if is_known[k] and not moves[k]),
            fitted_at=history.as_of,
        )
        bare = _without_covariates(state)
        n_forms = 1 if self.is_plain else None
        without = FittedDayRegression(_learned(bare, n_forms)) if state.variables else None
        model = FittedDayRegression(_learned(state, n_forms), without)
        return (model if self.is_plain else model.with_error_trees()).with_factors()

    def _known_days(self, history: History, clock: Clock) -> tuple[int, Array]:
        """Return the first day and the values of all consecutive days, (n, intervals), NaN where unknown."""
        times = measurement_vintages(history, history.context.channel.id).times - clock.begin
        n_whole, first, values = 0, 0, np.empty((0, clock.n_intervals))
        if len(times):
            now = DayRequests.at(0, instant(history.as_of) - clock.begin)
            begin, end = (int(each) for each in _days_of(times[[0, -1]], clock))
            days = np.arange(max(begin, end - max(self.memories_days) - WEEK), end + 1)
            values = known_values(history, clock, now, days)[0]
            whole = np.flatnonzero(is_whole(values))
            n_whole = len(whole)
            if n_whole:
                first, values = int(days[whole[0]]), values[whole[0] : whole[-1] + 1]
        if n_whole < FEWEST_DAYS:
            raise NotEnoughHistory(
                f"{n_whole} whole days of {history.context.channel.id} are known; the regression over days needs "
                f"{FEWEST_DAYS}",
                remedy="Add more history with `watthour backfill`, or use a baseline such as persistence_ensemble.",
            )
        return first, values


class FittedDayRegression:
    """A fitted regression over days; of one that was read from files the factors are made when first needed."""

    def __init__(self, state: State, without: FittedDayRegression | None = None) -> None:
        """Take what was learned; ``without`` is the same without covariates, for days of which one is unknown."""
        self._state, self._without = state, without

    def with_error_trees(self) -> Self:
        """Learn where it is off, at the shortest lead, from the days of training; series without covariates stay."""
        state, lead, learner = self._state, self._state.leads[0], self._learners[0]
        if not state.variables:
            return self
        nothing, none = Later(state.last_day + 1, state.values[:0], state.covariates[:, :0]), learner.days[:0]
        past = self._expected(learner.facts(none, lead), lead, nothing, none, none)
        misses = self._misses(past, nothing).mean(axis=2)
        features = self._features(learner.facts(past.days, lead), past.online, Misses.of(past.days, misses), lead)
        trees = ErrorTrees.grow(features, misses, past.days, lead)
        grown = type(self)(replace(state, error_trees=trees), self._without)
        grown._learners = self._learners  # noqa: SLF001 - it learned the same days
        return grown

    def with_factors(self) -> Self:
        """Make the factors of the usual leads, so that the first forecast is as quick as those after it."""
        for learner in self._learners:
            learner.factor(self._state.leads)
        return self

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("the last three known days", "the same weekday before", "weekday", "holidays", *self._state.variables)

    @property
    def clock(self) -> Clock:
        """How its days are cut."""
        return self._state.clock

    @property
    def splits(self) -> Mapping[str, Window]:
        """The span of its training days."""
        state = self._state
        times = state.clock.grid.slots(np.array([state.first_day, state.last_day + 1]))[0][:, 0]
        first, last = datetimes(times + state.clock.begin).to_list()
        return {"train": Window(first, last)}

    def files(self) -> Mapping[str, bytes]:
        """Return the state's files."""
        without = {} if self._without is None else self._without.files()
        return {**self._state.files(), **{f"{_WITHOUT}{name}": content for name, content in without.items()}}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again; it answers the same to the last bit."""
        without = {name.removeprefix(_WITHOUT): each for name, each in files.items() if name.startswith(_WITHOUT)}
        return cls(State.from_files(files), cls.from_files(without) if without else None)

    def predict(self, history: History, targets: dy.DataFrame[Targets], *, as_latest_knows: bool = False) -> Forecast:
        """Forecast each day that is asked from what was known at its issue; every known day counts, also later ones.

        Args:
            history: what was known.
            targets: what is asked.
            as_latest_knows: the days since the training are learned from as the latest issue knows them, so that what
                was late for the issues before, or was revised, costs nothing.

        Raises:
            InvalidInput: the model was trained on another channel or another step, or the targets have another.
            NotEnoughHistory: nothing is known from before any of the targets.
        """
        state = self._state
        check_trained_on(history.context, self._state.channel, self._state.clock.grid.step)
        check_targets(targets, history.context)
        requests, belongs, columns = state.clock.requests(targets)
        known = Known.of(history, state, requests)
        quantiles = np.full((len(requests.day), state.clock.n_intervals, len(LEVELS)), np.nan)
        if not known.can_answer.any():
            raise nothing_known(targets, history.context)
        ahead = later_covariates(history, state, int(known.last_over.max()))
        calendar = _calendar(state, int(requests.day.max()))
        for group in (one_group if as_latest_knows else later_groups)(history, state, known):
            later = Later(state.last_day + 1, group.values, ahead[:, : len(group.values)])
            able = group.rows[known.can_answer[group.rows]]
            is_lost = known.stands_in[able].any(axis=1)
            for lead, lost in np.unique(np.stack([known.leads[able], is_lost]), axis=1).T.tolist():
                rows = able[(known.leads[able] == lead) & (is_lost == lost)]
                if lost and self._without is not None:
                    quantiles[rows] = self._without.quantiles(
                        known.without_covariates(), rows, lead, later.without_covariates(), calendar
                    )
                else:
                    quantiles[rows] = self.quantiles(known, rows, lead, later, calendar)
        return quantile_forecast(
            targets,
            quantiles[belongs, columns],
            history.context,
            model=_NAME,
            missing_inputs=self._missing(history.context, targets, known, belongs, columns),
        )

    def quantiles(self, known: Known, rows: Instants, lead: int, later: Later, calendar: DayCalendar) -> Array:
        """Return the quantiles of some requests of one lead, (rows, intervals, levels)."""
        state = self._state
        last_known, issued = known.last_known[rows], known.requests.issued[rows] + state.clock.begin
        facts = known.facts(rows, lead, calendar)
        past = self._corrected(self._expected(facts, lead, later, issued, last_known), facts, lead, later)
        of_hour = miss_quantiles(self._misses(past, later), past.days, known.requests.day[rows], past.n_known)
        of_interval = np.repeat(of_hour, state.clock.n_intervals // state.clock.n_hours, axis=1)
        return past.told.point[..., None] + past.told.width[..., None] * of_interval

    def _expected(self, facts: DayFacts, lead: int, later: Later, issued: Instants, last_known: Instants) -> Answer:
        """Return what all memories together say of some days, and would have said of all known days."""
        answers = [each.predict(facts, lead, later, issued, last_known) for each in self._learners]
        days = answers[0].days
        online = [each.online.spread(np.searchsorted(days, each.days), len(days)) for each in answers]
        return Answer(Points.mean([each.told for each in answers]), Points.mean(online), days, answers[0].n_known)

    def _corrected(self, past: Answer, facts: DayFacts, lead: int, later: Later) -> Answer:
        """Return it moved to where the trees expect the values, and as wide as they expect it to be off."""
        trees, learner = self._state.error_trees, self._learners[0]
        if trees is None or lead != trees.lead:
            return past
        n_trained = len(learner.days)
        since, online = past.days[n_trained:], past.online.take(np.arange(n_trained, len(past.days)))
        misses = Misses.of(past.days, self._misses(past, later).mean(axis=2))
        told = trees.expected(self._features(facts, past.told, misses, lead))
        new = trees.expected(self._features(learner.facts(since, lead, later), online, misses, lead))
        of_known = (np.concatenate(each) for each in zip((trees.past_shift, trees.past_spread), new, strict=True))
        return replace(past, told=past.told.moved(*told), online=past.online.moved(*of_known))

    def _misses(self, past: Answer, later: Later) -> Array:
        """Return how far off it would have been on known days, in widths, (d, hours, intervals of an hour)."""
        state = self._state
        actual = np.concatenate([state.values, later.values])[past.days - state.first_day]
        misses = (actual - past.online.point) / past.online.width
        return np.asarray(misses.reshape(len(past.days), state.clock.n_hours, -1))

    def _features(self, facts: DayFacts, points: Points, misses: Misses, lead: int) -> Array:
        learner, hourly = self._learners[0], self._state.clock.hourly
        return features_of(
            facts, hourly(points.point), hourly(points.width), misses, lead, learner.scale, learner.covariate_scales
        )

    def _missing(
        self, context: Context, targets: dy.DataFrame[Targets], known: Known, belongs: Instants, columns: Instants
    ) -> list[str]:
        """Return what was missing, in words for a person; ``belongs`` and ``columns`` are those of the targets."""
        state = self._state
        words = [
            f"{name} never moved while the model was trained, so it is left out: train again once it has."
            for name in state.constant_variables
        ]

        def say(what: str, is_so: Mask, then: str) -> None:
            if is_so.any():
                where = describe_intervals(targets, is_so, context)
                words.append(f"{what} for {where}{then}.")

        hours = columns * state.clock.n_hours // state.clock.n_intervals
        for k, name in enumerate(state.variables):
            all_of_it = known.stands_in[belongs, k]
            say(f"No {name} was known", all_of_it, ", so nothing that is known ahead is used")
            some = known.unknown[belongs, k, hours] & ~all_of_it
            say(f"Some of {name} was unknown", some, ", and was estimated from the hours beside it")
            say(*_beyond(name, known.beyond[belongs, k, hours], *(float(end[k, 0]) for end in state.learned_range)))
        late = known.can_answer & (known.last_known < known.last_over)
        say("The days just before were not known whole", late[belongs], ", so it stands on earlier ones")
        return words

    @cached_property
    def _learners(self) -> list[Learner]:
        return learners_of(self._state, _calendar(self._state, self._state.last_day + 3660))


def _beyond(name: str, beyond: Array, low: float, high: float) -> tuple[str, Mask, str]:
    """Return what is said of a covariate that is far from all that was learned: the beginning, where it is, the end."""
    is_so = np.isfinite(beyond)
    furthest = float(beyond[is_so][np.abs(beyond[is_so] - (low + high) / 2).argmax()]) if is_so.any() else high
    limit = 2 * high - low if furthest > high else 2 * low - high
    what = f"{name} is {furthest:.4g} and the like, far from the {low:.4g} to {high:.4g} of the training,"
    return what, is_so, f", and was taken as {limit:.4g}: check its unit"


def _learned(state: State, n_forms: int | None) -> State:
    """Return a state with the constants that its days teach, of the first so many forms."""
    learners = learners_of(state, _calendar(state, state.last_day), n_forms)
    return replace(state, constants=tuple(each for learner in learners for each in learner.learn(state.leads)))


def _without_covariates(state: State) -> State:
    return replace(state, covariates=state.covariates[:, :, :0], variables={}, constant_variables=())


def _memories(wanted: tuple[int, ...], n_days: int) -> tuple[int, ...]:
    """Return how many of the last days are learned from, longest first: all there are, and memories well below that."""
    return (n_days, *sorted({each for each in wanted if each < _MUCH_SHORTER * n_days}, reverse=True))


def _calendar(state: State, last: int) -> DayCalendar:
    first, end = datetimes(np.array([state.first_day - 1, last + 1]) * 86_400_000_000).dt.date().to_list()
    return DayCalendar(state.place.holidays, holiday_days(state.place.holidays, first, end))


def _channels(context: Context) -> Channels:
    """Return the channels of each variable that is known ahead, and the weight of each."""
    found: dict[str, tuple[tuple[str, float], ...]] = {}
    for each in context.covariates:
        if each.weight > 0:
            found[each.variable] = (*found.get(each.variable, ()), (each.channel, each.weight))
    return found


def _leads(requests: DayRequests, clock: Clock) -> tuple[int, ...]:
    """Return from how many days before forecasts are usually made, ascending: one day where nobody said."""
    if not len(requests.day):
        return (1,)
    lead = requests.day - np.minimum(requests.last_over(clock.grid.time_zone), requests.day - 1)
    found, counts = np.unique(lead, return_counts=True)
    usual = found[counts >= counts.max() / 2]
    return tuple(int(each) for each in usual[:_MOST_LEADS])


def _schedule(requests: DayRequests, clock: Clock) -> IssueSchedule:
    """Return when days are usually asked for, at the shortest lead: at their own beginning where nobody said."""
    zone = clock.grid.time_zone
    if not len(requests.day):
        return IssueSchedule(0, 0, 0, 0)
    lead = requests.day - requests.last_over(zone)
    found, counts = np.unique(lead, return_counts=True)
    shortest = found[counts >= counts.max() / 2][0]
    return IssueSchedule.usual(requests.take(np.flatnonzero(lead == shortest)), zone)


def _days_of(times: Instants, clock: Clock) -> Instants:
    from watthour.forecasting.calendar import local_days

    return local_days(times, clock.grid.time_zone)
