"""What a series is made of: its features, and that nothing of it is known ahead."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.errors import InvalidInput
from watthour.core.frames import Readings
from watthour.core.window import DAY, HOUR
from watthour.forecasting.companions import companion_features
from watthour.forecasting.fleet import issues_at, past_issues
from watthour.forecasting.panel import Panel
from watthour.forecasting.relative_days.model import RelativeDays
from watthour.forecasting.series_table import read

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import History

START = datetime(2024, 1, 1, tzinfo=UTC)
N_DAYS, ISSUE = 90, START + 80 * DAY
DOOR = DayAhead(companions=("gas", "sun"))
COMPANIONS = ("series.0.companion_0", "series.0.companion_1")


def table() -> pl.DataFrame:
    """Gas burns more for some weeks, by turns; tomorrow is as dirty as gas was today, which the intensity shows not."""
    rng = np.random.default_rng(3)
    n = 24 * N_DAYS
    share = np.repeat(rng.uniform(0.2, 0.8, N_DAYS + 1), 24)
    hour = np.arange(n) % 24
    total = 1000.0 + 300 * np.sin(2 * np.pi * hour / 24)
    times = pl.datetime_range(START, START + (n - 1) * HOUR, HOUR, eager=True, time_unit="us")
    level = 100 * np.exp(share[:n] + 0.2 * np.sin(2 * np.pi * hour / 24) + rng.normal(0, 0.01, n))
    return pl.DataFrame({"ds": times, "y": level, "gas": share[24:] * total, "sun": (1 - share[24:]) * total})


def history(rows: pl.DataFrame) -> History:
    (past,) = read(rows, DOOR.columns).pasts.values()
    return past


def features_at(past: History, at: datetime, steps: int = 48) -> dict[str, np.ndarray]:
    (panel,) = Panel.chunks(issues_at(past, [at], steps), past.context)
    return companion_features(past, panel)


def test_a_share_is_that_of_the_sum_of_all_companions() -> None:
    rows = table().with_columns(gas=pl.lit(300.0), sun=pl.lit(100.0))
    found = features_at(history(rows), ISSUE)
    gas = COMPANIONS[0]
    assert {name: set(values.tolist()) for name, values in found.items() if name.startswith(gas)} == {
        f"{gas}_share_day": {0.75},
        f"{gas}_share_day_change_7d": {0.0},
        f"{gas}_share_now": {0.75},
        f"{gas}_share_now_change_1d": {0.0},
        f"{gas}_share_same_hour": {0.75},
        f"{gas}_share_same_hour_change_7d": {0.0},
    }
    assert set(found["companions_day_change_7d"].tolist()) == {0.0}


def test_a_doubled_sum_grew_by_the_logarithm_of_two_and_changes_no_share() -> None:
    last_day = (pl.col("ds") >= ISSUE - DAY) & (pl.col("ds") < ISSUE)
    twice = [pl.when(last_day).then(2 * pl.col(name)).otherwise(pl.col(name)).alias(name) for name in ("gas", "sun")]
    plain, doubled = (features_at(history(rows), ISSUE) for rows in (table(), table().with_columns(*twice)))
    assert doubled["companions_now_change_1d"] - plain["companions_now_change_1d"] == pytest.approx(np.log(2))
    assert doubled[f"{COMPANIONS[0]}_share_day"] == pytest.approx(plain[f"{COMPANIONS[0]}_share_day"])


def test_nothing_of_a_companion_that_comes_after_the_issue_moves_a_feature() -> None:
    later = pl.col("ds") >= ISSUE
    planted = table().with_columns(gas=pl.when(later).then(1e6).otherwise("gas"))
    found, moved = features_at(history(table()), ISSUE), features_at(history(planted), ISSUE)
    assert found.keys() == moved.keys()
    for name, values in found.items():
        np.testing.assert_array_equal(values, moved[name])


def test_companions_that_were_never_measured_make_no_features() -> None:
    past = history(table())
    mine = pl.col("channel") == past.context.channel.id
    assert features_at(replace(past, readings=Readings.cast(past.readings.filter(mine))), ISSUE) == {}
    assert features_at(replace(past, context=replace(past.context, companions=())), ISSUE) == {}


def test_what_a_companion_says_of_tomorrow_is_learned() -> None:
    past, errors = history(table()), []
    came = table()["y"].to_numpy()
    at = [ISSUE + n * DAY for n in range(8)]
    asked = issues_at(past, at, 24)
    for context in (past.context, replace(past.context, companions=())):
        known = replace(past, context=context)
        model = RelativeDays(60, 1.0).fit(known.known_at(ISSUE), past_issues(known.known_at(ISSUE), 24))
        told = model.predict(known, asked).values.filter(pl.col("level") == 0.5).sort("issued_at", "time")
        errors.append(np.abs(told["value"].to_numpy() / came[24 * 80 :][: 24 * 8] - 1).mean())
    assert errors[0] < 0.6 * errors[1]


def test_a_notebook_names_its_companions_and_needs_none_of_the_future(tmp_path: Path) -> None:
    door = DayAhead(model="relative_days", parameters={"n_trees": 20}, companions=("gas", "sun"))
    model = door.fit(table(), horizon=24)
    told = model.predict()
    assert told["forecast"].null_count() == 0
    assert any(name.startswith(COMPANIONS[0]) for each in model.models.values() for name in each.features)  # type: ignore[attr-defined]  # what it is made of
    model.save(tmp_path / "model")
    assert DayAhead.load(tmp_path / "model").predict().equals(told)


def test_a_column_cannot_be_a_covariate_and_a_companion() -> None:
    with pytest.raises(InvalidInput, match="gas is used twice") as refused:
        _ = DayAhead(covariates=("gas",), companions=("gas",)).columns
    assert "each companion" in refused.value.remedy
    with pytest.raises(InvalidInput, match="not a list") as single:
        _ = DayAhead(companions="gas").columns
    assert "companions=('gas',)" in single.value.remedy
