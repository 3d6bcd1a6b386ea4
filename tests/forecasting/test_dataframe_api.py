from __future__ import annotations

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest
from forecasting import world

import watthour
from watthour import DayAhead
from watthour.core import metrics
from watthour.core.errors import InvalidInput, MissingExtra, ModelFailed, NotEnoughHistory
from watthour.forecasting.baselines import PersistenceEnsemble
from watthour.forecasting.fleet import issues_at

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import Forecaster, History
    from watthour.core.frames import Targets

mpl.use("agg")

SMALL = {"n_trees": 40, "learning_rate": 0.2, "n_leaves": 8}
NAIVE = DayAhead(model="persistence_ensemble")


def frame(n_days: int = 80, first: datetime = datetime(2023, 1, 1), step: str = "1h") -> pl.DataFrame:  # noqa: DTZ001 - notebooks have naive times
    times = pl.datetime_range(first, first + timedelta(days=n_days), step, closed="left", eager=True, time_unit="us")
    hour = times.dt.hour().to_numpy()
    y = 2 + np.cos(2 * np.pi * (hour - 18) / 24) - 0.5 * (times.dt.weekday().to_numpy() > 5)
    return pl.DataFrame({"unique_id": "home", "ds": times, "y": y + 0.01 * np.arange(len(y)) / len(y)})


def test_a_plain_table_gives_the_next_day() -> None:
    told = DayAhead(model="gradient_boosting", parameters=SMALL).fit(frame()).predict(24, levels=(0.1, 0.9))
    assert told.columns == ["unique_id", "ds", "forecast", "0.1", "0.9"]
    assert told["ds"].to_list() == [datetime(2023, 3, 22) + timedelta(hours=n) for n in range(24)]  # noqa: DTZ001 - as given
    assert (told["0.1"] <= told["forecast"]).all()
    assert (told["forecast"] <= told["0.9"]).all()
    hour = told["ds"].dt.hour().to_numpy()
    assert told["forecast"].to_numpy() == pytest.approx(2 + np.cos(2 * np.pi * (hour - 18) / 24), abs=0.15)


def test_pandas_in_gives_pandas_out() -> None:
    ours = frame(30)
    theirs = pd.DataFrame({name: ours[name].to_numpy() for name in ours.columns})
    one, other = (NAIVE.fit(table).predict(6) for table in (ours, theirs))
    assert isinstance(other, pd.DataFrame)
    assert other["forecast"].tolist() == one["forecast"].to_list()
    assert other["ds"].tolist() == one["ds"].to_list()


def test_aware_pandas_times_stay_aware() -> None:
    times = pd.date_range("2023-04-01", periods=24 * 30, freq="h", tz="Europe/Berlin")
    table = pd.DataFrame({"ds": times, "y": np.arange(len(times), dtype=float)})
    told = DayAhead(model="seasonal_naive", time_zone="Europe/Berlin").fit(table).predict(3)
    assert told["forecast"].tolist() == [len(times) - 168.0 + n for n in range(3)]


def test_other_names_and_no_series_column_will_do() -> None:
    table = frame(30).select(pl.col("ds").alias("when"), pl.col("y").alias("kwh"))
    told = DayAhead(time="when", target="kwh", model="seasonal_naive").fit(table).predict(2)
    assert told.columns == ["unique_id", "when", "forecast", "0.05", "0.95"]
    assert told["unique_id"].to_list() == ["kwh", "kwh"]


def test_several_series_stay_apart() -> None:
    two = pl.concat([frame(30), frame(25).with_columns(unique_id=pl.lit("office"), y=pl.col("y") * 10)])
    told = NAIVE.fit(two).predict(2)
    assert told["unique_id"].to_list() == ["home", "home", "office", "office"]
    assert told.filter(pl.col("unique_id") == "office")["ds"][0] == datetime(2023, 1, 26)  # noqa: DTZ001 - as given
    assert told["forecast"][2] > 5 * told["forecast"][0]


def test_half_hours_are_forecast_as_half_hours() -> None:
    told = DayAhead(model="seasonal_naive").fit(frame(20, step="30m"), horizon=48).predict()
    assert told.height == 48
    assert told["ds"].diff().drop_nulls().unique().to_list() == [timedelta(minutes=30)]


def test_the_night_with_an_hour_twice_is_no_duplicate() -> None:
    zone = "Europe/Berlin"
    start = datetime(2023, 10, 1, tzinfo=UTC)
    times = pl.datetime_range(start, start + timedelta(days=40), "1h", closed="left", eager=True)
    local = times.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    told = DayAhead(model="seasonal_naive", time_zone=zone).fit(pl.DataFrame({"ds": local, "y": range(960)})).predict(1)
    assert told["forecast"].to_list() == [960.0 - 168]
    assert told["ds"][0] == (start + timedelta(days=40)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def test_a_covariate_known_ahead_is_used() -> None:
    rng = np.random.default_rng(2)
    times = world.hours(date(2023, 1, 1), 150)
    heat = world.temperature(times, rng)
    table = pl.DataFrame(
        {"ds": times, "temperature": heat, "y": 100 + 5 * np.maximum(heat - 8, 0) + rng.normal(0, 1, len(heat))}
    )
    cut = 24 * 147
    growth = {"n_trees": 120, "learning_rate": 0.1}
    model = DayAhead(model="gradient_boosting", covariates=("temperature",), parameters=growth).fit(table.head(cut))
    truth = table.slice(cut, 24)
    with_it = model.predict(24, future=truth.drop("y"))
    with pytest.warns(UserWarning, match="temperature for 24 of 24 intervals"):
        without = model.predict(24)
    seeing, blind = (metrics.mae(truth["y"], told["forecast"]) for told in (with_it, without))
    assert seeing < 0.5 * blind
    assert with_it["ds"].dtype == pl.Datetime("us", "UTC")
    assert any("weather" in words for words in model.notes()[next(iter(model.pasts))])


def fleet(n_series: int = 6, n_days: int = 70) -> pl.DataFrame:
    """Homes of one habit in many sizes, each with its own noise."""
    rng = np.random.default_rng(11)
    parts = []
    for number in range(n_series):
        home = frame(n_days).with_columns(unique_id=pl.lit(f"home {number}"))
        noise = 1 + 0.2 * rng.normal(size=home.height)
        parts.append(home.with_columns(y=pl.col("y") * 10.0**number * pl.Series(noise)))
    return pl.concat(parts)


def test_many_series_share_their_trees_and_have_intervals_of_their_own() -> None:
    model = DayAhead(model="gradient_boosting", parameters=SMALL).fit(fleet())
    texts = {id(each.trees[0].texts) for each in model.models.values()}  # type: ignore[attr-defined]  # boosted
    assert len(texts) == 1
    told = model.predict(24)
    assert told["unique_id"].n_unique() == 6
    share = told.group_by("unique_id", maintain_order=True).agg(pl.col("forecast").mean())["forecast"]
    assert np.log10(share.to_numpy()) == pytest.approx(np.log10(share[0]) + np.arange(6), abs=0.1)
    one = model.models["home 3"]
    again = type(one).from_files(one.files())
    past = model.pasts["home 3"]
    asked = issues_at(past, [past.as_of], 24)
    assert again.predict(past, asked).values.equals(one.predict(past, asked).values)  # noqa: PD011 - not pandas


def test_pooled_trees_are_no_worse_than_those_of_each_series_alone() -> None:
    table = fleet()
    pooled, alone = (
        DayAhead(model="gradient_boosting", parameters=SMALL, local=local).backtest(table, 14, rivals=())
        for local in (False, True)
    )
    assert set(pooled["model"]) == {"ours"}
    relative = (pooled.sort("unique_id")["mae"] / alone.sort("unique_id")["mae"]).mean()
    assert relative < 1.02
    assert 70 < pooled["coverage90_percent"].mean() < 100


def test_threads_change_nothing_and_progress_is_told() -> None:
    done: list[tuple[int, int]] = []
    table = fleet(3, 60)
    one = DayAhead(model="gradient_boosting", parameters=SMALL).fit(table).predict(4)
    two = DayAhead(model="gradient_boosting", parameters=SMALL).fit(
        table, workers=2, progress=lambda n, of: done.append((n, of))
    )
    assert two.predict(4, workers=2).equals(one)
    assert done == [(1, 3), (2, 3), (3, 3)]


def test_one_silent_series_does_not_stop_the_others() -> None:
    silent = frame(40).with_columns(unique_id=pl.lit("Ümit's flat"), y=pl.lit(None, pl.Float64))
    for model in (DayAhead(model="gradient_boosting", parameters=SMALL), NAIVE):
        with pytest.warns(UserWarning, match="Ümit's flat"):
            fitted = model.fit(pl.concat([frame(60), silent, frame(60).with_columns(unique_id=pl.lit("office"))]))
        assert fitted.predict(3)["unique_id"].unique().sort().to_list() == ["home", "office"]
        assert "no value" in fitted.notes()["Ümit's flat"][0]
    with pytest.raises(NotEnoughHistory, match="Ümit's flat"):
        NAIVE.fit(silent)


def test_a_series_on_which_the_arithmetic_breaks_down_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = PersistenceEnsemble.fit

    def breaks_down(self: PersistenceEnsemble, history: History, issues: dy.DataFrame[Targets]) -> Forecaster:
        largest = history.readings["value"].max()
        if isinstance(largest, float) and largest > 1e100:
            np.linalg.cholesky(-np.eye(2))
        return fit(self, history, issues)

    monkeypatch.setattr(PersistenceEnsemble, "fit", breaks_down)
    huge = frame(60).with_columns(pl.col("y") * 1e200, unique_id=pl.lit("huge"))
    with pytest.warns(UserWarning, match="huge: its arithmetic broke down.*choose another model"):
        fitted = NAIVE.fit(pl.concat([frame(60).with_columns(unique_id=pl.lit("good")), huge]))
    assert fitted.predict(3)["unique_id"].unique().to_list() == ["good"]
    with pytest.raises(ModelFailed, match="its arithmetic broke down") as failed:
        NAIVE.fit(huge)
    assert isinstance(failed.value.__cause__, ModelFailed)


def test_every_third_hour_missing_is_answered_where_something_is_known() -> None:
    """What stands in for some of the targets was refused, as made for steps of three hours."""
    gappy = frame(60).with_columns(y=pl.when(pl.int_range(pl.len()) % 3 > 0).then("y"))
    for model in (NAIVE, DayAhead(model="gradient_boosting", parameters=SMALL)):
        fitted = model.fit(gappy)
        with pytest.warns(
            UserWarning, match="home: 8 of 24 intervals, .*null.*at these times of the day; if that means 0"
        ):
            assert fitted.predict(24)["forecast"].null_count() == 8
        assert "8 of 24 intervals" in fitted.notes()["home"][0]


def test_hours_written_as_zero_are_answered() -> None:
    """The cure that is named where nothing was measured at some times of the day."""
    is_outage = pl.col("ds").is_between(datetime(2022, 1, 10), datetime(2022, 3, 10))  # noqa: DTZ001 - as given
    before = frame(90, datetime(2022, 1, 1)).filter(~is_outage)  # noqa: DTZ001 - an outage long ago is not the reason
    open_hours = pl.concat([before, frame(365, datetime(2022, 4, 1))]).filter(  # noqa: DTZ001 - as given
        pl.col("ds").dt.hour().is_between(8, 18)
    )
    with pytest.warns(UserWarning, match="13 of 24 intervals, from 2023-03-31 19:00:00 on, .* if that means 0"):
        NAIVE.fit(open_hours).predict(24)
    written = frame(60).with_columns(y=pl.when(pl.col("ds").dt.hour().is_between(8, 18)).then("y").otherwise(0.0))
    assert NAIVE.fit(written).predict(24)["forecast"].null_count() == 0


def test_a_row_with_a_wrong_year_is_said_where_it_leaves_the_forecast_empty() -> None:
    stray = frame(1, datetime(2099, 1, 1)).head(1)  # noqa: DTZ001 - notebooks have naive times
    both = pl.concat([frame(60), stray, frame(60).with_columns(unique_id=pl.lit("other"))])
    fitted = NAIVE.fit(both)
    said = (
        r"^home: 23 of 24 intervals, from 2099-01-01 01:00:00 on, could not be forecast and are null\. "
        r"After 2023-03-01 23:00:00 there is nothing but 1 value, from 2099-01-01 00:00:00 on: if these times are wrong"
    )
    with pytest.warns(UserWarning, match=said) as warned:
        told = fitted.predict(24)
    assert len(warned) == 1
    assert told.group_by("unique_id", maintain_order=True).agg(pl.col("forecast").null_count())[
        "forecast"
    ].to_list() == [
        23,
        0,
    ]
    notes = fitted.notes()["home"]
    assert "nothing but 1 value" in notes[0]
    assert len(set(notes)) == len(notes)


def test_a_short_series_learns_from_the_others() -> None:
    short = frame(12).with_columns(unique_id=pl.lit("new"))
    model = DayAhead(model="gradient_boosting", parameters=SMALL).fit(pl.concat([fleet(3, 60), short]))
    assert model.predict(24).filter(pl.col("unique_id") == "new")["forecast"].null_count() == 0
    assert model.notes()["new"] == ()


@pytest.mark.parametrize(("step", "per_day"), [("15m", 96), ("1d", 7)])
def test_the_default_horizon_is_a_day_or_a_week_of_days(step: str, per_day: int) -> None:
    told = DayAhead(model="seasonal_naive", time_zone="Europe/Berlin").fit(frame(60, step=step)).predict()
    assert told.height == per_day
    assert told["ds"][0] == datetime(2023, 3, 2)  # noqa: DTZ001 - as given
    assert told["forecast"].null_count() == 0


def test_days_follow_the_local_midnights_over_a_change_of_clocks() -> None:
    table = frame(80, step="1d").with_columns(y=pl.col("ds").dt.weekday().cast(pl.Float64))
    model = DayAhead(model="seasonal_naive", time_zone="Europe/Berlin").fit(table)
    told = model.predict(7)
    assert told["ds"].to_list() == [datetime(2023, 3, 22) + timedelta(days=n) for n in range(7)]  # noqa: DTZ001 - as given
    assert told["forecast"].to_list() == [float((2 + n) % 7 + 1) for n in range(7)]
    assert set(model.backtest(14)["n"]) == {14}


def test_the_package_tells_its_public_names() -> None:
    names = ["DayAhead", "FittedDayAhead", "InvalidInput", "MissingExtra", "ModelCorrupt", "NotEnoughHistory"]
    assert dir(watthour) == [*names, "WatthourError", "__version__"]
    assert all(hasattr(watthour, name) for name in dir(watthour))
    with pytest.raises(AttributeError, match="There are: DayAhead"):
        watthour.Dayahead  # noqa: B018 - the point of the test


def test_a_backtest_stands_beside_its_rivals() -> None:
    scores = DayAhead(model="gradient_boosting", parameters=SMALL).fit(frame(100)).backtest(days=10)
    assert set(scores["model"]) == {"ours", "seasonal_naive", "persistence_ensemble"}
    assert set(scores["n"]) == {240}
    assert {"mae", "coverage90_percent", "skill_percent"} <= set(scores.columns)
    with pytest.raises(NotEnoughHistory, match="Give fewer days"):
        NAIVE.fit(frame(20)).backtest(days=15)


def test_a_backtest_of_a_series_without_a_value_does_not_ask_for_fewer_days() -> None:
    empty = frame(60).with_columns(unique_id=pl.lit("empty"), y=pl.lit(None, pl.Float64))
    with pytest.warns(UserWarning, match="'empty' has no value. Give at least two weeks of rows.$") as warned:
        scores = NAIVE.backtest(pl.concat([frame(60), empty]), days=5)
    assert len(warned) == 1
    assert set(scores["unique_id"]) == {"home"}


def test_a_backtest_of_a_series_that_crosses_zero_has_no_errors_in_per_cent() -> None:
    both = pl.concat([frame(60), frame(60).with_columns(unique_id=pl.lit("net"), y=pl.col("y") - 2)])
    found = NAIVE.backtest(both, days=5)
    assert found.filter(pl.col("unique_id") == "net")["mape_percent"].to_list() == [None] * 3
    assert found.filter(pl.col("unique_id") == "home")["mape_percent"].max() < 20
    assert found["mae"].null_count() == 0


def test_a_rival_that_nobody_heard_of_is_left_out_of_a_backtest_with_a_warning() -> None:
    with pytest.warns(UserWarning, match="operator is left out: the table has no forecast by another party"):
        scores = NAIVE.fit(frame(60)).backtest(days=5, rivals=["seasonal_naive", "operator"])
    assert set(scores["model"]) == {"ours", "seasonal_naive"}


def test_a_short_table_gets_a_baseline_and_a_note() -> None:
    model = DayAhead().fit(frame(12))
    assert model.predict(24)["forecast"].null_count() == 0
    assert any("too little history" in words for words in model.notes()["home"])


def test_plot_draws_the_band_and_returns_the_axes() -> None:
    axes = NAIVE.fit(frame(30)).plot()
    assert axes.get_title() == "home"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["measured", "90 %", "forecast"]
    mpl.pyplot.close("all")


def test_without_matplotlib_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(MissingExtra, match=r"watthour\[plot\]"):
        NAIVE.fit(frame(30)).plot()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (frame(5).drop("y"), "no column y"),
        (frame(5).with_columns(y=pl.lit("many")), "instead of numbers"),
        (pl.concat([frame(5)] * 3), "occurs twice in home"),
        (frame(5).with_columns(ds=pl.lit("soon")), "no time that can be read"),
        (frame(60, step="7h"), "divide a day"),
        (frame(60, step="1d").with_columns(pl.col("ds").dt.offset_by("6h")), "days begin at midnight"),
        (frame(5).clear(), "no rows"),
        (frame(1).head(1), "too few rows"),
        ([1, 2, 3], "polars or pandas"),
    ],
)
def test_a_table_that_cannot_be_says_why(table: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        NAIVE.fit(table)


def test_more_than_was_learned_is_refused() -> None:
    model = NAIVE.fit(frame(30))
    with pytest.raises(InvalidInput, match="fitted for 24 intervals"):
        model.predict(48)
    with pytest.raises(InvalidInput, match="levels"):
        model.predict(levels=[0.01])
    with pytest.raises(InvalidInput, match="no such series"):
        model.plot("garage")


def test_importing_the_package_stays_light() -> None:
    code = "import sys, watthour; print([m for m in ('lightgbm', 'holidays', 'scipy', 'polars') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
