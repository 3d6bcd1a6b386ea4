"""The day process as a recipe: load from weather and calendar, and a rival's errors from how we differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import LEVELS
from watthour.core.window import Window
from watthour.forecasting.gaussian_process.day_process.calendar import calendar
from watthour.forecasting.gaussian_process.day_process.feed_weather import FeedWeather, feeds_of
from watthour.forecasting.gaussian_process.day_process.feeds import REFERENCE, Feeds
from watthour.forecasting.gaussian_process.day_process.known_inputs import (
    KnownInputs,
    recent,
    rival_forecasts,
    says_nothing_positive,
    weather_by_feed,
)
from watthour.forecasting.gaussian_process.day_process.layers import Layers
from watthour.forecasting.gaussian_process.day_process.point_weights import learned_shares
from watthour.forecasting.gaussian_process.day_process.state import State
from watthour.forecasting.gaussian_process.day_process.weather import (
    VARIABLES,
    day_weather,
    points_filled,
    running_offsets,
)
from watthour.forecasting.gaussian_process.loads import LostDays, check_step, is_known, known_loads, known_since
from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests, IssueSchedule, is_complete
from watthour.forecasting.gaussian_process.points import points_of, shares
from watthour.forecasting.positive_load import check_loads
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.rival import was_published
from watthour.forecasting.steps import check_targets, check_trained_on
from watthour.forecasting.vintages import DAY_US, datetimes, instant, instants

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.gaussian_process.day_process.layers import DayForecast
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

FEWEST_DAYS = 120  # of known days before anything can be learnt
_RECENT_DAYS = 7  # in which an estimated interval is worth a word
_NAME = "day_process"
_BEYOND = np.log(3.0)  # times the largest and smallest load: a home near zero has logarithms that know no bounds


@dataclass(frozen=True, slots=True)
class DayProcess:
    """A Gaussian process over local days, and on it a second one over the errors of a rival's forecast.

    Args:
        uses_rival: learn from the forecast of the context's first rival, if it has one.
        longest_memory_days: six years; the cost grows with the cube.
    """

    uses_rival: bool = True
    longest_memory_days: int = 2200

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    @staticmethod
    def variables_of(_context: Context) -> tuple[str, ...]:
        """The variables of covariates that it looks at."""
        return VARIABLES

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedDayProcess:
        """Keep every known day among the issues with what was known of it when it was asked.

        A day counts as known if at most a twelfth of its intervals is missing.

        Raises:
            InvalidInput: the step is longer than an hour, or the load is not positive.
            NotEnoughHistory: fewer than FEWEST_DAYS known days.
        """
        context = history.context
        check_step(context, "the day process", is_hourly=False)
        check_loads(history, "the day process", _NAME)
        grid = DayGrid.of(context)
        requests = DayRequests.of(issues, context.time_zone)[0].usual_of_each_day(context.time_zone)
        kept, loads = self._known_days(history, requests, grid)
        feeds = feeds_of(history, points_of(context, VARIABLES))
        reporting = [FeedWeather.of(history, points, kept).of_reporting() for points in feeds]
        known = sorted((each for each in reporting if each.points), key=lambda each: -int(each.is_known.sum()))
        nothing = FeedWeather((), day_weather(history, (), kept))
        reference, *others = known or [nothing]
        own_day = points_filled(reference.values, running_offsets(reference.values)[-1][None])[:, :, 0]
        learnt = learned_shares(calendar(kept.day, context.place), np.log(loads), own_day, shares(reference.points))
        rival = context.rival if self.uses_rival else None
        return FittedDayProcess(
            State(
                days=kept.day,
                log_loads=np.log(loads),
                known_since=known_since(history, kept.day, instant(history.as_of), grid),
                weather=reference.values,
                log_rival=np.log(rival_forecasts(history, rival, kept, grid)),
                schedule=IssueSchedule.usual(kept, context.time_zone),
                channel=context.channel.id,
                step=grid.step,
                place=context.place,
                points=tuple(
                    replace(each, weight=float(share)) for each, share in zip(reference.points, learnt, strict=True)
                ),
                others=tuple(others),
                rival=rival,
                fitted_at=history.as_of,
            )
        )

    def _known_days(self, history: History, requests: DayRequests, grid: DayGrid) -> tuple[DayRequests, Array]:
        """Return the requests whose days are known now, and their loads, (n, intervals); the first is known whole."""
        days = requests.day
        loads = np.empty((0, grid.n_intervals))
        if len(days):
            loads = known_loads(history, DayRequests.at(days[0], instant(history.as_of)), days, grid)[0]
        known = np.flatnonzero(is_known(loads, grid.skipped(days)))[-self.longest_memory_days :]
        whole = np.flatnonzero(is_complete(loads[known]))
        known = known[whole[0] :] if len(whole) else known[:0]
        if len(known) < FEWEST_DAYS:
            raise NotEnoughHistory(
                f"{len(known)} whole days of {history.context.channel.id} are known; the day process needs "
                f"{FEWEST_DAYS}",
                remedy="Add more history with `watthour backfill`, or use a baseline such as persistence_ensemble.",
            )
        return requests.take(known), loads[known]


class FittedDayProcess:
    """A fitted day process; the factors are made when they are first needed."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._learnt: dict[int, Layers] = {}

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        points = ", ".join(f"{point.id} {100 * point.weight:.3g} %" for point in self._state.points)
        weather = (f"weather of the day ({points})", "weather of the four days before") if points else ()
        rival = (f"{self._state.rival}'s forecast",) if np.isfinite(self._state.log_rival).any() else ()
        return ("demand of past days", "weekday", "season", "special days", "clock", *weather, *rival)

    @property
    def splits(self) -> Mapping[str, Window]:
        """The span of its training days."""
        first, last = datetimes(np.array([self._state.days[0], self._state.days[-1] + 1]) * DAY_US).to_list()
        return {"train": Window(first, last)}

    def files(self) -> Mapping[str, bytes]:
        """Return the state's files."""
        return self._state.files()

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again; it answers the same to the last bit."""
        return cls(State.from_files(files))

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each local day that is asked from what was known at its issue.

        Days before the training's end are forecast from the training days that were over and published by then, as if
        the training had ended there. A day is null after days of nothing but zero or negative load.

        Raises:
            InvalidInput: the model was trained on another channel or another step, or the targets have another.
            NotEnoughHistory: nothing is known from before any of the targets, or nothing positive of the last days.
        """
        state = self._state
        check_trained_on(history.context, self._state.channel, self._state.step)
        check_targets(targets, history.context)
        requests, belongs = DayRequests.of(targets, state.place.time_zone)
        log_quantiles = np.empty((len(requests.day), state.grid.n_intervals, len(LEVELS)))
        missing: dict[str, Mask] = {}
        doubted = np.zeros(len(requests.day), dtype=np.bool_)
        doubted[belongs[was_published(history, targets, only_doubted=True)]] = True
        history = recent(history, state, requests)
        lost = LostDays.of(history, requests, state.grid)
        if lost.is_shutdown.all():
            raise lost.refusal(history, "the day process", _NAME)
        not_positive = says_nothing_positive(history, state.rival, requests, state.grid)
        for schedule, rows in IssueSchedule.groups(requests, state.place.time_zone):
            for variant, part in self._variants(history, requests.take(rows)):
                asked = rows[part]
                known = KnownInputs.of(history, state, requests.take(asked), schedule, self._feeds, variant)
                found = self._layers(variant).forecast(known)
                log_quantiles[asked] = found.log_quantiles
                has_lost = lost.n_days[asked] > 0
                for what, is_so in self._missing(known, found, doubted[asked], not_positive[asked], has_lost, variant):
                    missing.setdefault(what, np.zeros(len(requests.day), dtype=np.bool_))[asked] = is_so
        least, most = np.nanmin(state.log_loads), np.nanmax(state.log_loads)
        log_quantiles = np.clip(log_quantiles, least - _BEYOND, most + _BEYOND)
        log_quantiles[lost.is_shutdown] = np.nan
        n_lost = int(lost.n_intervals.max())
        missing[f"{n_lost} intervals of the last days are zero or negative and were not used for"] = lost.n_days > 0
        columns = state.grid.columns_of(instants(targets["time"]))
        return quantile_forecast(
            targets,
            np.exp(log_quantiles[belongs, columns]),
            history.context,
            model=_NAME,
            missing_inputs=[
                *self._never_learned(history.context),
                *(
                    f"{what} {describe_intervals(targets, is_so[belongs], history.context)}."
                    for what, is_so in missing.items()
                    if is_so[belongs].any()
                ),
            ],
        )

    def _never_learned(self, context: Context) -> list[str]:
        """Return which inputs the site has by now that this model was trained without, in words for a person."""
        words = []
        layers = self._layers(REFERENCE)
        if points_of(context, VARIABLES) and not layers.best_level:
            words.append("The model was trained without weather, of which too little was known.")
        if context.rival is not None and self._state.rival is not None and not layers.uses_rival:
            words.append(
                f"The model was trained without the {context.rival}'s forecast, of which too little was known."
            )
        return words

    def _missing(
        self,
        known: KnownInputs,
        found: DayForecast,
        doubted: Mask,
        not_positive: Mask,
        has_lost: Mask,
        variant: int,
    ) -> list[tuple[str, Mask]]:
        """Return what was missing, in words for a person, and for which requests.

        Args:
            known: what was known at each.
            found: what was made of it.
            doubted: for which the rival's forecast of any interval was doubted when it came.
            not_positive: for which the rival's forecast of any interval was zero or negative.
            has_lost: for which the last days were zero or negative.
            variant: the provider of the weather.
        """
        n = known.n_requests
        state, layers = self._state, self._layers(variant)
        without, best = found.level == 0, self._layers(REFERENCE).best_level
        has_no_rival = ~found.has_rival & ~found.refuses_rival & layers.uses_rival
        not_there = has_no_rival & ~doubted
        usual = state.points[0].feed if state.points else ""
        of_usual = f"The usual weather forecast{f' from {usual}' if usual else ''} was not known"
        moved = f"that of {self._feeds.name_of(variant)}, moved by how the two differed while both were known"
        return [
            ("No weather forecast was known for", without & (best > 0)),
            ("No humidity was known, and the forecast does without, for", ~without & (found.level < best)),
            (f"{of_usual}; {moved}, was used for", ~without & known.substituted[:n]),
            (
                f"The weather forecast came from a provider other than {usual}, whose the model was trained with, for",
                ~without & known.is_strange[:n],
            ),
            (
                "The weather of some places was estimated from that of the others for",
                ~without & known.lacks_points[:n] & ~known.substituted[:n],
            ),
            (
                "The weather of a day before was taken from the day after it for",
                ~without & known.lacks_days[:n] & ~known.substituted[:n],
            ),
            (
                f"The {state.rival}'s forecast is further from our own than almost ever, and was left out, for",
                found.refuses_rival,
            ),
            (f"The {state.rival}'s forecast cannot be right, and was left out, for", has_no_rival & doubted),
            (f"The {state.rival}'s forecast was zero or negative, and was left out, for", not_there & not_positive),
            (f"The {state.rival}'s forecast was not known for", not_there & ~not_positive),
            (
                "Demand was known to an earlier hour than usual for",
                (known.distance[:n] > known.schedule.lag) & ~has_lost,
            ),
            (
                "Intervals of the week before, unknown or not above zero, were estimated from those beside them, for",
                self._stands_on_estimates(known),
            ),
        ]

    def _stands_on_estimates(self, known: KnownInputs) -> Mask:
        """Return which requests of targets stand on a recent day some intervals of which were missing."""
        n, state = known.n_requests, self._state
        last = known.last_known[:n, None]
        holed = state.days[(np.isnan(state.log_loads) & ~self._skipped).any(axis=1)]
        trained = ((holed <= last) & (holed > last - _RECENT_DAYS)).any(axis=1)
        later = (known.has_gap[:n] & (known.later > last - _RECENT_DAYS)).any(axis=1)
        return np.asarray(trained | later)

    @cached_property
    def _skipped(self) -> Mask:
        return self._state.grid.skipped(self._state.days)

    @cached_property
    def _feeds(self) -> Feeds:
        return Feeds(self._state)

    def _layers(self, variant: int) -> Layers:
        """Return what is learnt from the training days with the weather of a variant."""
        if variant not in self._learnt:
            self._learnt[variant] = Layers(self._state, *self._feeds.trained(variant))
        return self._learnt[variant]

    def _variants(self, history: History, requests: DayRequests) -> list[tuple[int, Instants]]:
        """Return the providers on which requests stand, and which requests, by position."""
        if not self._state.others:
            return [(REFERENCE, np.arange(len(requests.day)))]
        variants = self._feeds.variant_of(*weather_by_feed(history, self._state, requests)[:2])
        return [(int(variant), np.flatnonzero(variants == variant)) for variant in np.unique(variants)]
