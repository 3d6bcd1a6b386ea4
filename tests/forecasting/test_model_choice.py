"""The notebook's default: the models that can learn a series, compared on its last weeks."""

from __future__ import annotations

import importlib
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from forecasting import world

from watthour import DayAhead
from watthour.core import metrics
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS, Targets
from watthour.forecasting.backtest import backtest, scores
from watthour.forecasting.catalogue import recipe
from watthour.forecasting.combination.trial import CANDIDATES, Answers
from watthour.forecasting.model_choice import _narrowed, _scored, _with_the_global
from watthour.forecasting.series_table import read

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = "America/New_York"


def region(n_days: int = 165, *, seed: int = 5) -> pl.DataFrame:
    """A load that follows weekday, season and temperature, and rests on some noise."""
    rng = np.random.default_rng(seed)
    times = world.hours(date(2022, 9, 1), n_days)
    heat = world.temperature(times, rng)
    local = pl.Series(times).dt.convert_time_zone(ZONE)
    hour, weekday = local.dt.hour().to_numpy(), local.dt.weekday().to_numpy()
    shape = 1 + 0.2 * np.cos(2 * np.pi * (hour - 18) / 24) - 0.1 * (weekday > 5)
    noise = np.repeat(rng.normal(0, 0.02, n_days + 2), 24)[: len(heat)]
    load = 1000 * shape * (1 + 0.01 * np.maximum(16 - heat, 0)) * np.exp(noise + rng.normal(0, 0.01, len(heat)))
    return pl.DataFrame({"unique_id": "town", "ds": local, "temperature": heat, "y": load})


def homes(n_series: int, n_days: int = 60) -> pl.DataFrame:
    rng = np.random.default_rng(3)
    times = pl.datetime_range(
        datetime(2023, 1, 2, tzinfo=UTC),
        datetime(2023, 1, 2, tzinfo=UTC) + timedelta(days=n_days),
        "1h",
        closed="left",
        eager=True,
    )
    shape = 1 + np.cos(2 * np.pi * (times.dt.hour().to_numpy() - 18) / 24)
    parts = [
        pl.DataFrame({"ds": times, "y": (1 + number) * shape * rng.gamma(4, 0.25, len(shape))}).with_columns(
            unique_id=pl.lit(f"home {number:02}")
        )
        for number in range(n_series)
    ]
    return pl.concat(parts)


def test_the_default_combines_what_can_learn_the_series_and_says_how_much_better_it_is() -> None:
    table = region()
    door = DayAhead(covariates=("temperature",), time_zone=ZONE, holidays="US-NY")
    assert door.model == "auto"
    model = door.fit(table)
    found = model.choice
    assert sorted(found["model"]) == sorted(CANDIDATES)
    best = found.row(0, named=True)
    assert best["chosen"]
    assert best["pinball"] == found["pinball"].min()
    assert best["model"] in ("day_process", "hour_process")
    shares = model.members["town"]
    assert dict(found.filter("chosen").select("model", "weight").iter_rows()) == pytest.approx(shares)
    assert sum(shares.values()) == pytest.approx(1)
    assert set(found.filter(~pl.col("chosen"))["weight"]) == {0.0}
    assert set(found["n"]) == {28 * 24}
    words = model.reasons["town"]
    for name, share in shares.items():
        assert f"{name} {share:.0%}" in words
    assert f"of the best single model, {best['model']}" in words
    assert words in repr(model)


def test_nothing_after_the_compared_weeks_is_needed_and_what_cannot_answer_says_why() -> None:
    model = DayAhead(time_zone=ZONE).fit(region(100).drop("temperature"))
    notes = dict(model.choice.select("model", "note").iter_rows())
    assert "the day process needs 120" in notes["day_process"]
    assert "days of 'town' are known" in notes["hour_process"]
    assert "the hour process needs 90" in notes["hour_process"]
    assert set(model.choice.filter(pl.col("note").is_null())["model"]) == {
        *("day_regression", "trend_season", "recent_days", "similar_days", "gradient_boosting"),
        *("persistence_ensemble", "seasonal_naive"),
    }


def test_a_load_that_is_not_positive_is_left_to_models_that_can() -> None:
    table = region(150).with_columns(y=pl.col("y") - 1000)
    model = DayAhead(covariates=("temperature",), time_zone=ZONE).fit(table)
    found = model.choice
    assert set(found.filter(pl.col("pinball").is_null())["model"]) == {"day_process"}
    assert found["chosen"][0]
    assert not found.filter("chosen")["pinball"].has_nulls()


def test_each_series_of_a_small_table_has_its_own_members() -> None:
    calm = region(100).drop("temperature")
    level = np.exp(np.cumsum(np.random.default_rng(8).normal(0, 0.15, 102)))  # of each day much like that before
    calm = calm.with_columns(y=pl.Series(100 * np.repeat(level, 24)[: calm.height]))
    weekly = calm.with_columns(unique_id=pl.lit("clockwork"), y=pl.col("ds").dt.weekday() * 10.0 + 5)
    model = DayAhead(time_zone=ZONE).fit(pl.concat([calm, weekly]))
    assert set(model.members["clockwork"]) <= {"seasonal_naive", "persistence_ensemble"}
    assert next(iter(model.members["town"])) == "day_regression"
    for name, shares in model.members.items():
        losses = model.choice.filter(pl.col("unique_id") == name).drop_nulls("pinball").sort("pinball")
        least = losses.filter(pl.col("pinball") <= losses["pinball"][0] + 1e-9)["model"].to_list()
        assert next(iter(shares)) in least
    assert model.predict(24)["forecast"].null_count() == 0


def test_of_many_series_a_sample_decides_for_all_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watthour.forecasting.model_choice.MOST_SERIES", 4)
    model = DayAhead().fit(homes(7, 45))
    assert model.choice["unique_id"].n_unique() == 4
    assert len({one.name for one in model._choice.recipes.values()}) == 1
    assert "for all 7 series, 4 of which were compared" in repr(model)
    assert model.predict(24)["unique_id"].n_unique() == 7


def test_with_the_global_model_stand_the_two_best_of_a_series_by_itself_that_come_near() -> None:
    losses = {"global_model": 1.0, "gradient_boosting": 1.01, "similar_days": 1.05, "day_regression": 1.1}
    all_three = ("global_model", "similar_days", "day_regression")
    assert _with_the_global({**losses, "recent_days": 1.12}) == all_three
    assert _with_the_global({**losses, "day_regression": 1.2}) == ("global_model", "similar_days")
    assert _with_the_global({"global_model": 1.0, "gradient_boosting": 1.01}) == ()


def test_the_global_model_is_combined_with_a_better_one_of_a_series_by_itself() -> None:
    losses = {"similar_days": 0.98, "global_model": 1.0, "day_regression": 1.1}
    assert _with_the_global(losses) == ("similar_days", "global_model", "day_regression")
    assert _with_the_global({"day_process": 0.8, **losses}) == ()
    assert _with_the_global({"gradient_boosting": 0.9, **losses}) == ()
    assert _with_the_global({}) == ()


def test_beside_models_that_are_best_on_all_series_a_series_keeps_only_what_did_better_there() -> None:
    actual = np.zeros(24)
    asked = Targets.create_empty()
    spread = np.array(LEVELS) - 0.5

    def said(**widths: float) -> Answers:
        return Answers(asked, actual, {name: width * np.tile(spread, (24, 1)) for name, width in widths.items()}, {})

    answers = {
        "like the others": said(global_model=1.0, similar_days=1.1, recent_days=1.2, persistence_ensemble=1.5),
        "clockwork": said(global_model=1.0, similar_days=1.1, recent_days=1.2, seasonal_naive=0.1),
    }
    rows = _scored(lambda name, error: f"{name}: {error}", answers)
    kept = _narrowed(answers, rows, ("global_model", "similar_days"))
    assert set(kept["like the others"].quantiles) == {"global_model", "similar_days", "persistence_ensemble"}
    assert set(kept["clockwork"].quantiles) == {"global_model", "similar_days", "seasonal_naive"}
    assert _narrowed(answers, rows, ()) == answers


def test_the_few_series_of_a_table_that_are_alike_have_the_global_model_and_the_best_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("watthour.forecasting.model_choice._with_the_global", lambda _: ("global_model", "recent_days"))
    model = DayAhead().fit(homes(4, 45))
    choice = model.choice.drop_nulls("pinball")
    for name, shares in model.members.items():
        losses = dict(choice.filter(pl.col("unique_id") == name).select("model", "pinball").rows())
        least = min(losses["global_model"], losses["recent_days"])
        assert {"similar_days", "persistence_ensemble"} < set(losses)
        always = ("global_model", "recent_days", "persistence_ensemble")
        assert all(each in always or losses[each] < least for each in shares)
        weights = choice.filter(pl.col("unique_id") == name)
        assert set(weights.filter("chosen")["model"]) == set(shares)
        assert weights["weight"].sum() == pytest.approx(1, abs=1e-3)


def test_one_short_series_among_others_is_answered_and_named() -> None:
    short = homes(1, 2).with_columns(pl.col("ds").dt.convert_time_zone(ZONE), unique_id=pl.lit("new flat"))
    for model in ("auto", "gradient_boosting", "persistence_ensemble"):
        fitted = DayAhead(model=model).fit(
            pl.concat([homes(2).with_columns(pl.col("ds").dt.convert_time_zone(ZONE)), short])
        )
        assert fitted.predict(24)["unique_id"].n_unique() == 3
    for model in ("day_process", "twenty_features"):
        table = pl.concat(
            [region().drop("temperature"), short.head(1).select("unique_id", "ds", "y")], how="vertical_relaxed"
        )
        door = DayAhead(model=model, time_zone=ZONE)
        with pytest.warns(UserWarning, match="new flat") as told:
            fitted = door.fit(table)
        assert fitted.predict(24)["unique_id"].unique().to_list() == ["town"]
        words = " ".join(str(each.message) for each in told)
        assert "series." not in words
        assert "`watthour" not in words


def test_a_cure_in_a_notebook_is_one_for_a_notebook() -> None:
    table = region(100).drop("temperature")
    unknown = table.with_columns(temperature=pl.lit(None, pl.Float64))
    with pytest.raises(NotEnoughHistory, match=r"'town' with a temperature .*more rows with a temperature"):
        DayAhead(model="hour_process", covariates=("temperature",), time_zone=ZONE).fit(unknown)
    with pytest.raises(NotEnoughHistory, match=r"'town' are known.*DayAhead\(model='auto'\)"):
        DayAhead(model="day_process", time_zone=ZONE).fit(table)
    with pytest.raises(InvalidInput, match=r"'town'.*zero or negative.*Choose another model") as told:
        DayAhead(model="day_process", time_zone=ZONE).fit(table.with_columns(y=-pl.col("y")))
    assert told.value.value == "town"
    with pytest.raises(NotEnoughHistory, match=r"'town' has no complete day"):
        DayAhead(model="hour_process", time_zone=ZONE).fit(table.head(2))


def test_a_series_that_the_chosen_model_cannot_learn_gets_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watthour.forecasting.combination.trial._FEWEST_TOGETHER", 2)  # the global model is tried too
    table = region()
    broken = table.with_columns(
        unique_id=pl.lit("solar"), y=pl.when(pl.col("ds").dt.hour() < 12).then(0.0).otherwise("y")
    )
    model = DayAhead(time_zone=ZONE).fit(pl.concat([table, broken]).drop("temperature"))
    assert model.predict(24)["unique_id"].n_unique() == 2


def test_a_horizon_of_weeks_is_compared_too() -> None:
    times = pl.datetime_range(datetime(2022, 1, 1), datetime(2022, 12, 31), "1d", eager=True)  # noqa: DTZ001 - naive
    table = pl.DataFrame({"ds": times, "y": times.dt.weekday() + np.random.default_rng(0).normal(0, 0.1, len(times))})
    model = DayAhead().fit(table, horizon=40)
    assert "on 4 earlier forecasts" in model.reasons["y"]
    assert model.predict().height == 40


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_gap_in_the_weeks_compared_is_passed_over() -> None:
    table = homes(1)
    gap = pl.int_range(pl.len()).is_between(table.height - 240, table.height - 238)
    for given in (table.filter(~gap), table.with_columns(y=pl.when(~gap).then("y"))):
        model = DayAhead().fit(given)
        assert model.predict(24)["forecast"].null_count() == 0
        assert model.choice["n"].drop_nulls().n_unique() == 1


def test_parameters_belong_to_a_named_model() -> None:
    with pytest.raises(InvalidInput, match="model='gradient_boosting'"):
        DayAhead(parameters={"n_trees": 3}).fit(homes(1))


def test_a_backtest_chooses_from_what_was_known_before_it() -> None:
    table = region()
    door = DayAhead(covariates=("temperature",), time_zone=ZONE, holidays="US-NY")
    last = table["ds"][-3 * 24 - 1]
    changed = table.with_columns(y=pl.when(pl.col("ds") > last).then(1.0 + pl.col("ds").dt.weekday()).otherwise("y"))
    early = door.fit(table.filter(pl.col("ds") <= last))
    told = door.cross_validation(changed, 24, n_windows=3)
    assert told["cutoff"].min() == last
    first = told.filter(pl.col("cutoff") == last)["forecast"].to_list()
    future = table.filter(pl.col("ds") > last).head(24).drop("y")  # no temperature of the days after
    assert first == pytest.approx(early.predict(24, future=future)["forecast"].to_list(), rel=1e-9)


@pytest.mark.parametrize(
    ("step", "n_days", "steps"), [("15m", 40, 96), ("30m", 40, 48), ("1h", 40, 24), ("1d", 150, 7)]
)
@pytest.mark.parametrize("is_pandas", [False, True])
def test_every_step_and_both_kinds_of_frame_have_a_default_model(
    step: str, n_days: int, steps: int, *, is_pandas: bool
) -> None:
    rng = np.random.default_rng(1)
    start = datetime(2023, 1, 1)  # noqa: DTZ001 - notebooks have naive times
    times = pl.datetime_range(start, start + timedelta(days=n_days), step, closed="left", eager=True, time_unit="us")
    y = (
        5
        + np.sin(2 * np.pi * times.dt.hour().to_numpy() / 24)
        + times.dt.weekday().to_numpy()
        + rng.normal(0, 0.1, len(times))
    )
    table: Any = pl.DataFrame({"unique_id": "site", "ds": times, "y": y})
    if is_pandas:
        table = pd.DataFrame({name: table[name].to_numpy() for name in table.columns})
    model = DayAhead(time_zone="Europe/Paris").fit(table)
    told = model.predict(level=[80])
    assert isinstance(told, type(table))
    assert isinstance(model.choice, type(table))
    assert len(told) == steps
    assert next(iter(told["ds"])) == start + timedelta(days=n_days)
    assert len(model.choice["model"]) == len(CANDIDATES)
    assert (np.asarray(told["forecast-lo-80"]) <= np.asarray(told["forecast"])).all()


@pytest.fixture(scope="module")
def gefcom() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
        yield importlib.import_module("gefcom2014")


@pytest.mark.shared_data
def test_the_default_reaches_the_benchmarks_figure_on_a_week_of_gefcom(gefcom: Any, shared_data: Path) -> None:  # noqa: ANN401 - a script's own types
    whole = gefcom.task(shared_data / gefcom.FILE, datetime(2015, 1, 1, tzinfo=UTC))
    since = whole.instants[whole.starts[0] - 400 * 24]  # enough to tell, and quick
    history = replace(whole.history, readings=whole.history.readings.filter(pl.col("time") >= since))
    task = replace(whole, history=history, starts=whole.starts[:1])
    benchmark = gefcom.score("ours", task, gefcom.ours(task, {}))
    names = {gefcom.LOAD.id: "y", gefcom.TEMPERATURE.id: "temperature", "time": "ds"}
    table = history.readings.pivot("channel", index="time", values="value").sort("time").rename(names)  # noqa: PD010 - not pandas
    begin = whole.instants[whole.starts[0]]
    place = {"time_zone": gefcom.ZONE, "holidays": "US-MA", "latitude": 42.3, "longitude": -71.5}
    model = DayAhead(covariates=("temperature",), **place).fit(table.filter(pl.col("ds") < begin), horizon=168)
    week = table.filter(pl.col("ds") >= begin).head(168)
    told = model.predict(168, future=week.drop("y"))
    assert model.choice["model"][0] == "hour_process"
    found = metrics.wape(week["y"], told["forecast"])
    assert found < benchmark["wape"] + 2e-4  # the others that it is combined with may only help
    assert found < 0.0138  # the README's figure, of all twenty weeks


@pytest.mark.shared_data
def test_new_york_by_the_notebook_is_new_york_by_the_command_lines_backtest(shared_data: Path) -> None:
    """Without weather, as a user who brings a CSV of demand."""
    demand = pl.read_parquet(shared_data / "grid" / "ny_demand.parquet")
    span = datetime(2018, 3, 1, tzinfo=UTC), datetime(2019, 3, 1, 5, tzinfo=UTC)
    table = demand.select(
        ds=pl.col("period") - pl.duration(hours=1),
        y=pl.when(pl.col("demand_mwh") > 0).then(pl.col("demand_mwh").cast(pl.Float64)),
    ).filter(pl.col("ds").is_between(*span, closed="left"))
    door = DayAhead(time_zone=ZONE, holidays="US-NY", model="day_process")
    by_notebook = door.backtest(table, 28, issue_hour=8, rivals=()).row(0, named=True)
    (past,) = read(table, door.columns).pasts.values()
    days = [date(2019, 2, 1) + timedelta(days=n) for n in range(28)]
    rows = backtest(recipe("day_process"), past, days, issue_clock=time(8), known_clock=time(8))
    by_command = scores(rows).row(0, named=True)
    assert by_notebook["n"] == by_command["n"] == 28 * 24
    assert by_notebook["mape_percent"] == pytest.approx(by_command["mape_percent"], abs=0.02)
    assert by_notebook["coverage90_percent"] == pytest.approx(by_command["coverage90_percent"], abs=2)
