"""Neural networks by Darts: N-HiTS and the Temporal Fusion Transformer, both with quantile regression.

A network reads the last week and the calendar, and answers all intervals of the next days at once. It is learned from
the channel's own past alone; the series is scaled, and each week that is read by its own mean and deviation.

Source: Challu et al., N-HiTS (2022), arXiv:2201.12886; Lim et al., Temporal Fusion Transformers, International Journal
of Forecasting 37 (2021), doi:10.1016/j.ijforecast.2021.03.012; Kim et al., Reversible instance normalization (2022).
"""

from __future__ import annotations

import json
import logging
import warnings
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import polars as pl

from watthour.core.errors import MissingExtra, ModelFailed, NotEnoughHistory
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import DAY
from watthour.forecasting.calendar import WEEKEND, holidays_around
from watthour.forecasting.even_series import check_enough, check_step, forecast_each_issue, series_at_issues
from watthour.forecasting.steps import check_trained_on, require_part_of_a_day, step_of
from watthour.forecasting.vintages import DAY_US, datetimes, instant, instants, measurement_vintages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import dataframely as dy

    from watthour.core.forecast import Context, Forecast, History
    from watthour.forecasting.even_series import EvenSeries
    from watthour.forecasting.vintages import Array, Instants

FEWEST_DAYS = 28
_DAYS_READ = 7
_SLACK = timedelta(hours=3)  # by which measurements may come later than usual
_BATCH, _MOST_WINDOWS = 64, 4096  # in a batch, and of a pass, the last ones
_PATHS = 200  # drawn where more is asked than the network answers at once
_WEEK = 7
_FILE, _WEIGHTS = "deep.json", "weights.safetensors"


@dataclass(frozen=True, slots=True)
class _Deep:
    """What the networks share."""

    weeks: int = 52  # learned from
    passes: int = 5  # over what is learned from
    width: int = 128
    learning_rate: float = 1e-3
    seed: int = 1

    uses_covariates: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The catalogue's name."""
        raise NotImplementedError

    def fit(self, history: History, issues: dy.DataFrame[Targets]) -> FittedDeep:
        """Learn from what is known of the channel; half a minute for a year of hours.

        Raises:
            MissingExtra: Darts is not installed.
            InvalidInput: the step is too short, or a day or longer.
            NotEnoughHistory: too little is known.
        """
        context = history.context
        check_step(context, self.name)
        require_part_of_a_day(context, self.name)
        _darts()
        n_read = round(_DAYS_READ * DAY / context.resolution)
        check_enough(history, self.name, fewest=round(FEWEST_DAYS * DAY / context.resolution))
        known = _now(history, self.weeks)
        values = known.limited
        mean, scale = float(values.mean()), float(values.std()) or 1.0
        made = FittedDeep(
            self.name, asdict(self), context.channel.id, step_of(context), mean, scale, n_read, _reach(issues, context)
        )
        network = made.network()
        with _quiet():
            try:
                network.fit(
                    **made.series(known, context, 0, at_most=None), max_samples_per_ts=_MOST_WINDOWS, verbose=False
                )
            except (ArithmeticError, RuntimeError, ValueError) as error:
                raise ModelFailed.by(error) from error
        return made.with_weights(network)


@dataclass(frozen=True, slots=True)
class NHits(_Deep):
    """N-HiTS: small, and the quicker of the two."""

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "nhits"


@dataclass(frozen=True, slots=True)
class TemporalFusion(_Deep):
    """The Temporal Fusion Transformer, which knows the calendar of the days it forecasts."""

    passes: int = 3
    width: int = 16
    learning_rate: float = 3e-3

    @property
    def name(self) -> str:
        """The catalogue's name."""
        return "tft"


@dataclass(frozen=True, slots=True, eq=False)
class FittedDeep:
    """What was learned, and of what."""

    kind: str
    settings: Mapping[str, Any]  # of the recipe
    channel: str
    step: int  # [microseconds]
    mean: float
    scale: float
    n_read: int  # intervals that the network reads
    n_answered: int  # intervals that it answers at once
    weights: bytes = b""  # as safetensors

    @property
    def features(self) -> tuple[str, ...]:
        """What the forecast is made of."""
        return ("the last week", "calendar")

    def predict(self, history: History, targets: dy.DataFrame[Targets]) -> Forecast:
        """Forecast each target from what was known at its own issue.

        Raises:
            InvalidInput: the model was made for another channel or step, or the targets are not its intervals.
            MissingExtra: Darts is not installed.
            NotEnoughHistory: too little is known of the channel at all issues.
        """
        from safetensors.torch import load

        context = history.context
        check_trained_on(context, self.channel, self.step)
        network = self.network()
        weeks = 2 * _DAYS_READ // _WEEK
        shape = (np.arange(self.n_read + self.n_answered, dtype=np.int64), np.zeros(self.n_read + self.n_answered))
        with _quiet():
            network.fit(**self._as_darts(*shape, shape[0][:0], context), epochs=0, verbose=False)  # lays it out
            network.model.load_state_dict(load(self.weights))

        def answer(known: EvenSeries) -> Array:
            if len(known.values) < self.n_read:
                return np.full((len(known.rows), len(LEVELS)), np.nan)
            is_direct = known.reach <= self.n_answered
            with _quiet():
                told = network.predict(
                    known.reach,
                    **self.series(known, context, known.reach, at_most=self.n_read),
                    **({"predict_likelihood_parameters": True} if is_direct else {"num_samples": _PATHS}),
                    random_state=self.settings["seed"],
                    verbose=False,
                )
            found = told.all_values(copy=False)
            quantiles = found[:, :, 0] if is_direct else np.quantile(found[:, 0], LEVELS, axis=1).T
            return np.asarray(np.sort(quantiles, axis=1)[known.steps - 1] * self.scale + self.mean)

        return forecast_each_issue(history, targets, answer, model=self.kind, weeks=weeks)

    def files(self) -> Mapping[str, bytes]:
        """Return the weights as safetensors, the rest as JSON."""
        kept = {
            name: getattr(self, name)
            for name in ("kind", "settings", "channel", "step", "mean", "scale", "n_read", "n_answered")
        }
        return {_FILE: json.dumps(kept).encode(), _WEIGHTS: self.weights}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Self:
        """Build it again from its files."""
        return cls(**json.loads(files[_FILE]), weights=files[_WEIGHTS])

    def network(self) -> Any:  # noqa: ANN401 - Darts ships no types
        """Return the network, not learned yet."""
        models, likelihood = _darts()
        common = {
            "input_chunk_length": self.n_read,
            "output_chunk_length": self.n_answered,
            "likelihood": likelihood(list(LEVELS)),
            "use_reversible_instance_norm": True,
            "batch_size": _BATCH,
            "n_epochs": self.settings["passes"],
            "optimizer_kwargs": {"lr": self.settings["learning_rate"]},
            "random_state": self.settings["seed"],
            "save_checkpoints": False,
            "pl_trainer_kwargs": {
                "accelerator": "cpu",
                **dict.fromkeys(
                    ("enable_progress_bar", "logger", "enable_checkpointing", "enable_model_summary"), False
                ),
            },
        }
        width = self.settings["width"]
        if self.kind == "tft":
            return models.TFTModel(hidden_size=width, lstm_layers=1, num_attention_heads=2, **common)
        return models.NHiTSModel(num_blocks=1, num_layers=2, layer_widths=width, **common)

    def series(self, known: EvenSeries, context: Context, ahead: int, *, at_most: int | None) -> dict[str, Any]:
        """Return the last values of a series as Darts takes them, and the calendar beside them and of what is ahead."""
        values, local = known.limited, known.local
        if at_most is not None:
            values, local = values[-at_most:], local[-at_most:]
        after = local[-1] + self.step * np.arange(1, max(ahead, self.n_answered) + 1)
        return self._as_darts(local, (values - self.mean) / self.scale, after, context)

    def with_weights(self, network: Any) -> FittedDeep:  # noqa: ANN401 - as above
        """Return it with what a network has learned."""
        from dataclasses import replace

        from safetensors.torch import save

        learned = {name: each.detach().clone() for name, each in network.model.state_dict().items()}  # some are shared
        return replace(self, weights=save(learned))

    def _as_darts(self, local: Instants, values: Array, after: Instants, context: Context) -> dict[str, Any]:
        from darts import TimeSeries

        calendar = TimeSeries.from_values(_calendar(np.concatenate([local, after]), context))
        beside = "future_covariates" if self.kind == "tft" else "past_covariates"
        return {"series": TimeSeries.from_values(values.astype(np.float32)), beside: calendar}


def _calendar(local: Instants, context: Context) -> Array:
    """Return clock, weekday and days off of intervals by their clock times, (n, 5)."""
    day, clock = local // DAY_US, 2 * np.pi * (local % DAY_US) / DAY_US
    weekday = (day + 3) % _WEEK  # 1970-01-01 was a Thursday
    week = 2 * np.pi * (weekday + (local % DAY_US) / DAY_US) / _WEEK
    is_off = (weekday >= WEEKEND) | np.isin(day, holidays_around(day, context.place.holidays))
    return np.stack([np.sin(clock), np.cos(clock), np.sin(week), np.cos(week), is_off], axis=1).astype(np.float32)


def _now(history: History, weeks: int) -> EvenSeries:
    """Return the series known now.

    Raises:
        NotEnoughHistory: too little is.
    """
    now = instant(history.as_of)
    vintages = measurement_vintages(history, history.context.channel.id)
    end = min(now, int(vintages.times[-1]) + step_of(history.context))
    columns = {"issued_at": [now], "time": vintages.times[-1:], "known_until": [end]}
    asked = pl.DataFrame({name: datetimes(np.array(values)) for name, values in columns.items()})
    for known in series_at_issues(history, Targets.cast(asked), weeks=weeks):
        return known
    raise NotEnoughHistory(
        f"less than {FEWEST_DAYS} of the last days of {history.context.channel.id} are known",
        remedy="Add more history, or use a baseline such as seasonal_naive.",
    )


def _reach(issues: dy.DataFrame[Targets], context: Context) -> int:
    """Return how many intervals are asked for after the last that is known, from some issues."""
    step = step_of(context)
    known = np.minimum(instants(issues["known_until"]), instants(issues["issued_at"]))
    furthest = int(((instants(issues["time"]) - known) // step).max(initial=0)) + 1
    return max(furthest, round(DAY / context.resolution)) + round(_SLACK / context.resolution)


def _darts() -> tuple[Any, Any]:
    """Return the library's models and its quantile regression; slow to import.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        with _quiet():
            from darts import models
            from darts.utils.likelihood_models import QuantileRegression

            _ = models.NHiTSModel, models.TFTModel
    except (ImportError, AttributeError) as error:
        raise MissingExtra("darts with torch", "deep") from error
    return models, QuantileRegression


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries from writing about devices and numbers of workers."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning", "lightning.pytorch", "darts")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
