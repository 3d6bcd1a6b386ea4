"""Prophet: a trend that bends, seasons of day and week, days off, and what is known ahead.

It is fitted anew at each issue on the last weeks known then, in half a second for hours, as it has no memory of
the last days beyond its trend.

Source: Taylor and Letham, Forecasting at Scale, The American Statistician 72 (2018),
doi:10.1080/00031305.2017.1380080.
"""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from watthour.core.errors import MissingExtra, ModelFailed
from watthour.core.frames import LEVELS
from watthour.core.window import DAY
from watthour.forecasting.calendar import calendar_features
from watthour.forecasting.even_series import check_enough, check_step, forecast_each_issue
from watthour.forecasting.steps import check_trained_on, step_of
from watthour.forecasting.vintages import DAY_US
from watthour.forecasting.weather import COMFORT, Weather

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.core.frames import Targets
    from watthour.forecasting.even_series import EvenSeries
    from watthour.forecasting.vintages import Array

_NAME, _FILE = "prophet", "prophet.json"
_DAY_ORDER, _WEEK_ORDER, _YEAR_ORDER = 8, 3, 10  # pairs of sines and cosines; homes have sharp peaks
_YEARS = 2.0  # of history that a season of the year needs: it has none unless more weeks are looked back on
_MOSTLY = 0.9  # of the past of a covariate that must be known
_ERRORS = (ArithmeticError, ValueError, RuntimeError, np.linalg.LinAlgError)


@dataclass(frozen=True, slots=True)
class Prophet:
    """How far it looks back, and what its quantiles are drawn from."""

    weeks: int = 8
    samples: int = 300
    seed: int = 1

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return _NAME

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedProphet:  # noqa: ARG002 - of the port
        """Check that the library is there and that enough is known; the rest is learned at each issue.

        Raises:
            MissingExtra: prophet is not installed.
            InvalidInput: the step is too short.
            NotEnoughHistory: too little is known.
        """
        context = history.context
        check_step(context, _NAME)
        _library()
        check_enough(history, _NAME)
        return FittedProphet(self, context.channel.id, step_of(context))


@dataclass(frozen=True, slots=True, eq=False)
class FittedProphet:
    """What it was made for; it learns at each issue."""

    recipe: Prophet
    channel: str
    step: int  # [microseconds]

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("trend", "seasons of day and week", "days off", "covariates")

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue.

        Raises:
            InvalidInput: the model was made for another channel or step, or the targets are not its intervals.
            MissingExtra: prophet is not installed.
            ModelFailed: the library failed on the values of an issue.
            NotEnoughHistory: too little is known of the channel at all issues.
        """
        context = history.context
        check_trained_on(context, self.channel, self.step)
        weather, missing = Weather.of(history), dict[str, None]()  # in order, each once

        def answer(known: EvenSeries) -> Array:
            past, ahead = _columns(known, context, weather, missing)
            return self._quantiles(known, past, ahead)

        return forecast_each_issue(
            history, targets, answer, model=_NAME, weeks=self.recipe.weeks, missing_inputs=missing
        )

    def files(self) -> Mapping[str, bytes]:
        """Return it as one JSON file."""
        return {_FILE: json.dumps(asdict(self)).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its file."""
        kept = json.loads(files[_FILE])
        return cls(Prophet(**kept["recipe"]), kept["channel"], kept["step"])

    def _quantiles(self, known: EvenSeries, past: Mapping[str, Array], ahead: Mapping[str, Array]) -> Array:
        """Return the quantiles of the targets of a series, (k, levels)."""
        import pandas as pd

        library = _library()
        days = len(known.values) * self.step / DAY_US
        model = library(
            daily_seasonality=False,
            weekly_seasonality=False,
            yearly_seasonality=_YEAR_ORDER if days >= _YEARS * 365 else False,
            uncertainty_samples=self.recipe.samples,
        )
        if self.step < DAY_US:
            model.add_seasonality("day", period=1, fourier_order=_DAY_ORDER)
        if self.step <= DAY_US:
            model.add_seasonality("week", period=7, fourier_order=_WEEK_ORDER)
        for name in past:
            model.add_regressor(name)
        times = pd.to_datetime(known.local, unit="us")
        asked = pd.DataFrame({"ds": pd.to_datetime(known.local_targets, unit="us"), **ahead})
        try:
            with _quiet(), _seeded(self.recipe.seed):
                model.fit(pd.DataFrame({"ds": times, "y": known.limited, **past}))
                order = np.argsort(known.local_targets, kind="stable")  # as the library sorts what it is asked
                drawn = model.predictive_samples(asked.iloc[order])["yhat"]
        except _ERRORS as error:
            raise ModelFailed.by(error) from error
        quantiles = np.empty((len(order), len(LEVELS)))
        quantiles[order] = np.quantile(drawn, LEVELS, axis=1).T
        return quantiles


def _columns(
    known: EvenSeries, context: Context, weather: Weather, missing: dict[str, None]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return what is known beside the values of a series and beside its targets, by name; what never moved is out.

    A covariate that is not known for most of the past, or for no target, is left out, and it is said.
    """
    past, ahead = {}, {}
    for name, (before, after) in known.covariates(weather).items():
        if np.isfinite(before).mean() < _MOSTLY or not np.isfinite(after).any():
            missing[f"{name} was not known, and is left out."] = None
            continue
        if not np.isfinite(after).all():
            missing[f"{name} was known for some intervals only, and lies between them for the others."] = None
        past[name], ahead[name] = _between(before), _between(after)
    if "temperature" in past:
        for name, sign in (("heat", 1.0), ("cold", -1.0)):
            past[name], ahead[name] = (np.maximum(sign * (each["temperature"] - COMFORT), 0) for each in (past, ahead))
        del past["temperature"], ahead["temperature"]
    if context.resolution <= DAY:
        past["holiday"], ahead["holiday"] = (
            calendar_features(each, context)["is_holiday"] for each in (known.starts, known.issue.time)
        )
    moved = [name for name, column in past.items() if np.ptp(column) > 0]
    return {name: past[name] for name in moved}, {name: ahead[name] for name in moved}


def _between(column: Array) -> Array:
    """Return a column, (n,), whose gaps lie on straight lines between what is known of it."""
    known = np.isfinite(column)
    return np.interp(np.arange(len(column)), np.flatnonzero(known), column[known])


def _library() -> Any:  # noqa: ANN401 - it ships no types
    """Return the library's class; slow to import.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        with _quiet():
            from prophet import Prophet as Library
    except ImportError as error:
        raise MissingExtra("prophet", "stats") from error
    return Library


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library from writing about its optimiser, and about charts it cannot draw."""
    loggers = [logging.getLogger(name) for name in ("cmdstanpy", "prophet", "prophet.plot")]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let the library draw from a seed: it knows numpy's common generator only, which is left as it was."""
    before = np.random.get_state()  # noqa: NPY002 - the library's only generator
    np.random.seed(seed)  # noqa: NPY002 - as above
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002 - as above
