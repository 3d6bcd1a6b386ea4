"""Joint paths of a forecast."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from watthour.core.carbon import MIX, Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.forecast import Context, History
from watthour.core.frames import LEVELS, Forecasts, Maker, Readings
from watthour.core.window import HOUR
from watthour.forecasting.scenarios import FEWEST_PATHS, scenarios
from watthour.simulation.simtown import SIMTOWN

ISSUE = datetime(2026, 11, 21, 15, tzinfo=UTC)
CHANNEL = carbon_channel(SIMTOWN.site, MIX, CarbonKind(Basis.AVERAGE, Scope.DIRECT, Side.PRODUCTION), HOUR)


def history(n_days: int, *, level: float = 30.0) -> History:
    """Return a past whose days lie high or low as a whole, and vary little within."""
    rng = np.random.default_rng(3)
    days = rng.normal(0.0, level, n_days + 1)
    times = [ISSUE - n * HOUR for n in range(1, 24 * n_days + 1)]
    values = [250.0 + days[n // 24] + rng.normal(0.0, 5.0) for n in range(len(times))]
    frame = pl.DataFrame({"time": times, "value": values}).with_columns(
        channel=pl.lit(CHANNEL.id),
        available_at=pl.col("time") + HOUR,
        recorded_at=pl.col("time") + HOUR,
        quality=pl.lit(0, pl.Int16),
    )
    readings = Readings.validate(frame.select(Readings.column_names()), cast=True)
    return History(ISSUE, Context(SIMTOWN.site, CHANNEL), readings, Forecasts.create_empty())


def forecast(n_hours: int = 48) -> pl.DataFrame:
    rows = [
        (ISSUE + n * HOUR, level, 200.0 + n + 100.0 * level) for n in range(n_hours) for level in LEVELS
    ]  # a spread of 90 in the 90 % interval
    return pl.DataFrame(rows, schema=["time", "level", "value"], orient="row").with_columns(
        channel=pl.lit(CHANNEL.id),
        model=pl.lit("ours"),
        maker=pl.lit(str(Maker.OWN)),
        issued_at=pl.lit(ISSUE),
        available_at=pl.lit(ISSUE),
        recorded_at=pl.lit(ISSUE),
        quality=pl.lit(0, pl.Int16),
    )


def matrix(found: pl.DataFrame) -> np.ndarray:
    return found.sort("path", "time")["value"].to_numpy().reshape(found["path"].n_unique(), -1)


def test_every_hour_keeps_its_quantiles() -> None:
    paths = matrix(scenarios(history(70), Forecasts.validate(forecast(), cast=True)))

    assert paths.shape[0] >= 50
    assert np.median(paths, axis=0) == pytest.approx([250.0 + n for n in range(48)], abs=1.5)
    assert np.quantile(paths, 0.9, axis=0) == pytest.approx([290.0 + n for n in range(48)], abs=3.0)


def test_hours_of_a_path_go_together_as_they_did_on_past_days() -> None:
    paths = matrix(scenarios(history(70), Forecasts.validate(forecast(), cast=True)))
    weather_alone = matrix(scenarios(history(70, level=0.0), Forecasts.validate(forecast(), cast=True)))

    def likeness(found: np.ndarray) -> float:
        return float(np.corrcoef(found[:, 2], found[:, 8])[0, 1])

    assert likeness(paths) > 0.8
    assert abs(likeness(weather_alone)) < 0.4


def test_of_a_short_past_nothing_is_said() -> None:
    assert scenarios(history(FEWEST_PATHS), Forecasts.validate(forecast(), cast=True)).is_empty()


def test_a_forecast_of_a_median_alone_has_no_paths() -> None:
    alone = forecast().filter(pl.col("level") == 0.5)
    assert scenarios(history(70), Forecasts.validate(alone, cast=True)).is_empty()


def test_what_was_measured_after_the_issue_changes_nothing() -> None:
    asked, past = Forecasts.validate(forecast(), cast=True), history(70)
    later = past.readings.head(24).with_columns(
        time=pl.lit(ISSUE) + pl.int_range(24) * pl.duration(hours=1), value=pl.lit(1400.0)
    )
    planted = History(
        past.as_of, past.context, Readings.cast(pl.concat([past.readings, Readings.cast(later)])), past.forecasts
    )

    assert matrix(scenarios(planted, asked)).tolist() == matrix(scenarios(past, asked)).tolist()


def test_paths_stay_within_what_the_channel_can_be() -> None:
    near_zero = forecast().with_columns(value=pl.col("value") - 220.0)
    paths = matrix(scenarios(history(70), Forecasts.validate(near_zero, cast=True)))
    assert paths.min() == 0.0
