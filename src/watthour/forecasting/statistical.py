"""The classical families by statsforecast: exponential smoothing, ARIMA and Theta on a series freed of its seasons.

The series of the last weeks is decomposed into the seasons of a day and of a week and a rest (MSTL); the family that is
asked for chooses its form for the rest by itself (AutoETS, AutoARIMA, AutoTheta), and the seasons are added again.
Everything is learned anew at each issue, which takes half a second for hours.

Source: Bandara, Hyndman and Bergmeir, MSTL (2021), arXiv:2107.13462; Hyndman and Khandakar, Journal of Statistical
Software 27 (2008), doi:10.18637/jss.v027.i03; Fiorucci et al., International Journal of Forecasting 32 (2016),
doi:10.1016/j.ijforecast.2016.04.005.
"""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from watthour.core.errors import InvalidInput, MissingExtra, ModelFailed
from watthour.core.frames import LEVELS
from watthour.core.window import DAY, MONTH, step_in_words
from watthour.forecasting.even_series import STALE_DAYS, check_enough, series_at_issues
from watthour.forecasting.quantile_forecast import describe_intervals, quantile_forecast
from watthour.forecasting.steps import check_targets, check_trained_on, step_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.even_series import EvenSeries
    from watthour.forecasting.vintages import Array

SHORTEST = timedelta(minutes=15)  # below, a decomposition takes minutes
FEWEST_DAYS = 7
FEWEST_LONG = 24  # values of steps of a day or longer
MOST_LONG = 400
_WEEK = 7
_WEEKS_IN_YEAR, _MONTHS_IN_YEAR = 52, 12
_MEDIAN = LEVELS.index(0.5)
_MOST_REST = 2016  # values of the rest that a form is chosen on: twelve weeks of hours
_JUMPS = 6  # of a day: loess is worked out so often and drawn straight between; exact to 1e-4 of the deviation
_RARE = 0.005  # share of the values beyond which they may be faults
_STRETCH = 2.0  # times their distance from the median that others may have
_FILE = "statistical.json"
_SEARCH = {"max_p": 3, "max_q": 2, "nmodels": 12, "approximation": True}  # small, so that a fit takes half a second


@dataclass(frozen=True, slots=True)
class _Statistical:
    """What the families share."""

    weeks: int = 12  # looked back on; more cost time in proportion, and gained nothing on homes

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        raise NotImplementedError

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedStatistical:  # noqa: ARG002 - of the port
        """Check that the library is there and that enough is known; the rest is learned at each issue.

        Raises:
            MissingExtra: statsforecast is not installed.
            InvalidInput: the step is too short.
            NotEnoughHistory: too little is known.
        """
        context = history.context
        if context.resolution < SHORTEST:
            problem = f"{self.name} cannot forecast {context.channel.id} in this step in reasonable time"
            remedy = "Use a channel of 15 minutes or more, or a model of any step such as seasonal_naive."
            raise InvalidInput("resolution", step_in_words(context.resolution), problem, remedy=remedy)
        _models()
        check_enough(history, self.name, _fewest(context))
        return FittedStatistical(self.name, self.weeks, context.channel.id, step_of(context))


@dataclass(frozen=True, slots=True)
class AutoEts(_Statistical):
    """Exponential smoothing."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "auto_ets"


@dataclass(frozen=True, slots=True)
class AutoArima(_Statistical):
    """ARIMA."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "auto_arima"


@dataclass(frozen=True, slots=True)
class AutoTheta(_Statistical):
    """The Theta method."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "auto_theta"


@dataclass(frozen=True, slots=True, eq=False)
class FittedStatistical:
    """What it was made for; it learns at each issue."""

    family: str
    weeks: int
    channel: str
    step: int  # [microseconds]

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("recent values", "season of the day", "season of the week")

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue.

        Raises:
            InvalidInput: the model was made for another channel or step, or the targets are not its intervals.
            MissingExtra: statsforecast is not installed.
            ModelFailed: the library failed on the values of an issue.
            NotEnoughHistory: too little is known of the channel at all issues.
        """
        context = history.context
        check_trained_on(context, self.channel, self.step)
        check_targets(targets, context)
        quantiles = np.full((targets.height, len(LEVELS)), np.nan)
        stale = np.zeros(targets.height, dtype=np.bool_)
        most = round(self.weeks * _WEEK * DAY / context.resolution) if context.resolution < DAY else MOST_LONG
        for known in series_at_issues(history, targets, most_values=most, fewest_values=_fewest(context)):
            quantiles[known.rows] = self._answer(known, context)[known.steps - 1]
            stale[known.rows] = known.stale_days > STALE_DAYS
        missing = []
        if stale.any():
            missing.append(f"No recent value was known for {describe_intervals(targets, stale, context)}.")
        return quantile_forecast(targets, quantiles, context, model=self.family, missing_inputs=missing)

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        kept = {"family": self.family, "weeks": self.weeks, "channel": self.channel, "step": self.step}
        return {_FILE: json.dumps(kept).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        return cls(**json.loads(files[_FILE]))

    def _answer(self, known: EvenSeries, context: Context) -> Array:
        """Return quantiles of the intervals after a series, (reach, levels)."""
        values = _limited(known.values)
        if np.ptp(values) <= 1e-9 * np.abs(values).max(initial=0):
            return np.full((known.reach, len(LEVELS)), values[-1])
        seasons = [season for season in _seasons(context) if 2 * season <= len(values)]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of searches that stop early, as they are told to
                rest, ahead = _decomposed(values, seasons, known.reach)
                asked = [round(100 * (1 - 2 * level)) for level in LEVELS[:_MEDIAN]]
                told = self._family().forecast(y=rest[-_MOST_REST:], h=known.reach, level=asked)
        except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError) as error:
            raise ModelFailed.by(error) from error
        columns = [*(told[f"lo-{each}"] for each in asked), told["mean"], *(told[f"hi-{each}"] for each in asked[::-1])]
        quantiles = np.stack(columns, axis=1) + ahead[:, None]
        return np.maximum(quantiles, 0.0) if values.min() >= 0 else quantiles

    def _family(self) -> Any:  # noqa: ANN401 - the library ships no types
        models = _models()
        if self.family == "auto_arima":
            return models.AutoARIMA(**_SEARCH)
        return models.AutoTheta() if self.family == "auto_theta" else models.AutoETS(model="ZZN")


def _decomposed(values: Array, seasons: Sequence[int], reach: int) -> tuple[Array, Array]:
    """Return a series without its seasons, (n,), and what these add to the next intervals, (reach,)."""
    if not seasons:
        return values, np.zeros(reach)
    from statsforecast.mstl import mstl

    jump = max(seasons[0] // _JUMPS, 1)
    parts = mstl(values, list(seasons), stl_kwargs={"trend_jump": jump, "low_pass_jump": jump})
    names = ["seasonal"] if len(seasons) == 1 else [f"seasonal{season}" for season in seasons]
    last = [np.resize(parts[name].to_numpy()[-season:], reach) for name, season in zip(names, seasons, strict=True)]
    return (parts["trend"] + parts["remainder"]).to_numpy(), np.sum(last, axis=0)


def _models() -> Any:  # noqa: ANN401 - a module
    """Return the library's models; slow to import.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        from statsforecast import models
    except ImportError as error:
        raise MissingExtra("statsforecast", "stats") from error
    return models


def _fewest(context: Context) -> int:
    """Return how many values of a step must be known."""
    return round(FEWEST_DAYS * DAY / context.resolution) if context.resolution < DAY else FEWEST_LONG


def _seasons(context: Context) -> tuple[int, ...]:
    """Return the seasons of a step, in intervals."""
    step = context.resolution
    if step < DAY:
        day = round(DAY / step)
        return day, _WEEK * day
    return {DAY: (_WEEK,), _WEEK * DAY: (_WEEKS_IN_YEAR,), MONTH: (_MONTHS_IN_YEAR,)}.get(step, ())


def _limited(values: Array) -> Array:
    """Return values of which the rarest lie no further out than twice what all but half a per cent do."""
    low, middle, high = np.quantile(values, [_RARE, 0.5, 1 - _RARE])
    if high <= low:
        return values
    return np.clip(values, middle - _STRETCH * (middle - low), middle + _STRETCH * (high - middle))
