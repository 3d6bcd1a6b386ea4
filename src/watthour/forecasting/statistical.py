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
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from watthour.core.errors import MissingExtra, ModelFailed
from watthour.core.frames import LEVELS
from watthour.core.window import DAY, MONTH
from watthour.forecasting.even_series import check_enough, check_step, forecast_each_issue
from watthour.forecasting.steps import check_trained_on, step_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.even_series import EvenSeries
    from watthour.forecasting.vintages import Array

_WEEK = 7
_WEEKS_IN_YEAR, _MONTHS_IN_YEAR = 52, 12
_MEDIAN = LEVELS.index(0.5)
_MOST_REST = 2016  # values of the rest that a form is chosen on: twelve weeks of hours
_JUMPS = 6  # of a day: loess is worked out so often and drawn straight between; exact to 1e-4 of the deviation
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
        check_step(context, self.name)
        _models()
        check_enough(history, self.name)
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
        return forecast_each_issue(
            history, targets, lambda known: self._answer(known, context), model=self.family, weeks=self.weeks
        )

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        kept = {"family": self.family, "weeks": self.weeks, "channel": self.channel, "step": self.step}
        return {_FILE: json.dumps(kept).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        return cls(**json.loads(files[_FILE]))

    def _answer(self, known: EvenSeries, context: Context) -> Array:
        """Return the quantiles of the targets of a series, (k, levels)."""
        values = known.limited
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
        return np.asarray((np.stack(columns, axis=1) + ahead[:, None])[known.steps - 1])

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


def _seasons(context: Context) -> tuple[int, ...]:
    """Return the seasons of a step, in intervals."""
    step = context.resolution
    if step < DAY:
        day = round(DAY / step)
        return day, _WEEK * day
    return {DAY: (_WEEK,), _WEEK * DAY: (_WEEKS_IN_YEAR,), MONTH: (_MONTHS_IN_YEAR,)}.get(step, ())
