"""What a notebook's user asks in the words of Nixtla's libraries, and what is said of the time ahead."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import polars as pl
import pytest

from watthour import DayAhead, FittedDayAhead
from watthour.core.errors import InvalidInput, ModelCorrupt, ModelNotFound

if TYPE_CHECKING:
    from pathlib import Path

mpl.use("agg")

SMALL = {"n_trees": 20, "learning_rate": 0.2, "n_leaves": 8}
TREES = DayAhead(model="gradient_boosting", parameters=SMALL)
RULE = DayAhead(model="persistence_ensemble")
WARM = DayAhead(model="gradient_boosting", parameters=SMALL, covariates=("temperature",))
START = datetime(2023, 1, 2)  # noqa: DTZ001 - notebooks have naive times


def homes(names: tuple[str, ...] = ("flat",), n_days: int = 70, step: str = "1h") -> pl.DataFrame:
    rng = np.random.default_rng(4)
    times = pl.datetime_range(START, START + timedelta(days=n_days), step, closed="left", eager=True, time_unit="us")
    heat = 10 + 8 * np.sin(2 * np.pi * times.dt.hour().to_numpy() / 24) + rng.normal(0, 2, len(times))
    parts = [
        pl.DataFrame({"ds": times, "temperature": heat}).select(
            pl.lit(name).alias("unique_id"),
            "ds",
            "temperature",
            y=pl.Series((1 + k) * (5 + 0.2 * heat + rng.normal(0, 0.3, len(times)))),
        )
        for k, name in enumerate(names)
    ]
    return pl.concat(parts)


def plain(names: tuple[str, ...] = ("flat",), n_days: int = 40, step: str = "1h") -> pl.DataFrame:
    return homes(names, n_days, step).drop("temperature")


def test_bands_in_per_cent_are_the_quantiles_on_both_sides() -> None:
    model = RULE.fit(plain())
    told = model.predict(h=3, level=[80, 90])
    assert told.columns == [
        "unique_id",
        "ds",
        "forecast",
        "forecast-lo-80",
        "forecast-hi-80",
        "forecast-lo-90",
        "forecast-hi-90",
    ]
    same = model.predict(3, levels=(0.05, 0.1, 0.9, 0.95))
    for band, level in (("lo-80", "0.1"), ("hi-80", "0.9"), ("lo-90", "0.05"), ("hi-90", "0.95")):
        assert told[f"forecast-{band}"].to_list() == pytest.approx(same[level].to_list())
    assert model.predict(3, levels=(0.5,), level=[80]).columns[-3:] == ["0.5", "forecast-lo-80", "forecast-hi-80"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"level": [95]}, "up to 90 %"),
        ({"level": [0.9, 0]}, "up to 90 %"),
        ({"levels": [80]}, r"level=\[80, 90\]"),
        ({"horizon": 3, "h": 4}, "horizon is 3"),
        ({"h": 48}, r"fit\(frame, horizon=48\)"),
        ({"h": 0}, "at least one interval"),
    ],
)
def test_what_cannot_be_asked_says_what_can(asked: dict[str, Any], words: str) -> None:
    model = RULE.fit(plain(n_days=20))
    with pytest.raises(InvalidInput, match=words):
        model.predict(**asked)


def test_h_is_the_horizon_for_fitting_too() -> None:
    model = RULE.fit(plain(), h=48)
    assert model.predict().height == 48
    assert model.cross_validation().height == 48


def test_cross_validation_returns_forecasts_with_their_cutoffs() -> None:
    table = plain(("flat", "farm"))
    told = RULE.cross_validation(table, h=24, n_windows=3, step_size=12, level=[80])
    assert told.columns == ["unique_id", "ds", "cutoff", "y", "forecast", "forecast-lo-80", "forecast-hi-80"]
    assert told.height == 2 * 3 * 24
    end = START + timedelta(days=40)
    cutoffs = told.filter(pl.col("unique_id") == "farm")["cutoff"].unique().sort().to_list()
    assert cutoffs == [end - timedelta(hours=h + 24 + 1) for h in (24, 12, 0)]
    assert (told["ds"] > told["cutoff"]).all()
    assert told.join(table, on=["unique_id", "ds"]).select((pl.col("y") == pl.col("y_right")).all()).item()
    assert RULE.fit(table).cross_validation(24, 3, step_size=12, level=[80]).equals(told)


def test_a_window_knows_nothing_after_its_cutoff() -> None:
    table = plain()
    last = START + timedelta(days=38)
    told = TREES.cross_validation(table, h=24, n_windows=2)
    changed = table.with_columns(y=pl.when(pl.col("ds") >= last).then(99.0).otherwise("y"))
    again = TREES.cross_validation(changed, h=24, n_windows=2)
    first = pl.col("cutoff") < last
    assert told.filter(first)["forecast"].equals(again.filter(first)["forecast"])
    anew = TREES.cross_validation(table, h=24, n_windows=2, refit=True)
    early = TREES.fit(table.filter(pl.col("ds") < last + timedelta(days=1))).predict(24)
    assert anew.filter(~first)["forecast"].to_list() == early["forecast"].to_list()
    assert anew.filter(first)["forecast"].equals(told.filter(first)["forecast"])


@pytest.mark.parametrize("asked", [{"n_windows": 0}, {"step_size": 0}, {"h": 0}])
def test_windows_that_cannot_be_are_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="at least"):
        RULE.cross_validation(plain(), **asked)


def test_cross_validation_of_days_and_of_pandas() -> None:
    table = homes(step="1d", n_days=120).drop("temperature")
    given = pd.DataFrame({name: table[name].to_numpy() for name in table.columns})
    told = DayAhead(model="seasonal_naive", time_zone="Europe/Berlin").cross_validation(given, n_windows=2)
    assert isinstance(told, pd.DataFrame)
    end = pd.Timestamp(START) + pd.Timedelta(days=120)
    assert sorted(told["cutoff"].unique()) == [end - pd.Timedelta(days=days) for days in (15, 8)]
    assert len(told) == 14


def test_fitted_values_are_of_a_model_that_had_not_seen_them() -> None:
    table = plain(n_days=60)
    model = TREES.fit(table)
    fitted = model.fitted_values(10)
    assert fitted.height == 240
    assert fitted["ds"][0] == START + timedelta(days=50)
    rng = np.random.default_rng(0)
    noise = table.with_columns(
        y=pl.when(pl.col("ds") >= fitted["ds"][0]).then(pl.Series(rng.uniform(1, 9, table.height))).otherwise("y")
    )
    again = TREES.fit(noise).fitted_values(10)
    assert again["forecast"][:24].to_list() == fitted["forecast"][:24].to_list()


def test_trees_tell_what_helped_and_others_that_they_cannot() -> None:
    shares = WARM.fit(homes(("flat", "farm"))).importance()
    assert shares.columns == ["unique_id", "feature", "importance"]
    assert shares.group_by("unique_id").agg(pl.col("importance").sum())["importance"].to_list() == pytest.approx([1, 1])
    assert "temperature" in shares["feature"].to_list()
    with pytest.raises(InvalidInput, match=r"persistence_ensemble.*model='gradient_boosting'"):
        RULE.fit(plain()).importance()


@pytest.mark.parametrize("model", ["auto", "seasonal_naive"])
def test_a_misspelt_calendar_is_refused_by_every_model(model: str) -> None:
    with pytest.raises(InvalidInput, match=r"holidays.*Franc.*no such holiday calendar"):
        DayAhead(model=model, holidays="Franc").fit(plain())


@pytest.mark.parametrize("door", [DayAhead(time_zone="Europe/Paris", holidays="FR"), TREES, RULE])
def test_a_saved_model_answers_exactly_as_before(door: DayAhead, tmp_path: Path) -> None:
    model = door.fit(plain(("flat", "farm")))
    model.save(tmp_path / "kept")
    again = DayAhead.load(tmp_path / "kept")
    assert again.predict(24, level=[80]).equals(model.predict(24, level=[80]))
    assert again.choice.equals(model.choice)
    assert repr(again) == repr(model)
    assert again.notes() == model.notes()
    assert again.backtest(7).equals(model.backtest(7))
    with pytest.raises(InvalidInput, match="already"):
        model.save(tmp_path / "kept")
    assert [each.name for each in tmp_path.iterdir()] == ["kept"]


def test_a_saved_process_with_covariates_and_pandas_answers_exactly_as_before(tmp_path: Path) -> None:
    table = homes(n_days=130)
    given = pd.DataFrame({name: table[name].to_numpy() for name in table.columns})
    future = given.tail(24).drop(columns="y")
    model = DayAhead(model="hour_process", covariates=("temperature",)).fit(given.head(24 * 129))
    model.save(tmp_path / "kept")
    again = FittedDayAhead.load(tmp_path / "kept")
    assert again.predict(24, future=future).equals(model.predict(24, future=future))


def test_a_damaged_model_is_not_loaded(tmp_path: Path) -> None:
    model = RULE.fit(plain())
    model.save(tmp_path / "kept")
    for path in sorted((tmp_path / "kept").iterdir()):
        whole = path.read_bytes()
        assert not whole.startswith(b"\x80")  # as a pickle does
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(ModelCorrupt, match="hash"):
            DayAhead.load(tmp_path / "kept")
        path.unlink()
        with pytest.raises((ModelCorrupt, ModelNotFound)):
            DayAhead.load(tmp_path / "kept")
        path.write_bytes(whole)
    assert DayAhead.load(tmp_path / "kept").predict(2).height == 2
    with pytest.raises(ModelNotFound, match="no saved model"):
        DayAhead.load(tmp_path / "elsewhere")


def test_a_manifest_cannot_lead_to_files_elsewhere(tmp_path: Path) -> None:
    from watthour.core.model import digest

    RULE.fit(plain()).save(tmp_path / "kept")
    place = tmp_path / "kept" / "manifest.json"
    manifest = json.loads(place.read_text())
    (tmp_path / manifest["readings.parquet"]).write_bytes(b"")
    manifest["readings.parquet"] = "../" + manifest["readings.parquet"]
    text = json.dumps(manifest).encode()
    place.write_bytes(text)
    (tmp_path / "kept" / "manifest.sha256").write_text(digest(text))
    with pytest.raises(ModelCorrupt, match="missing"):
        DayAhead.load(tmp_path / "kept")


def test_a_model_saved_by_another_version_of_watthour_is_refused_with_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RULE.fit(plain()).save(tmp_path / "kept")

    def other_keys(_files: object) -> None:
        raise KeyError("feed")

    monkeypatch.setattr("watthour.forecasting.baselines.FittedRule.from_files", other_keys)
    with pytest.raises(ModelCorrupt, match="this version of Watthour cannot read") as refused:
        DayAhead.load(tmp_path / "kept")
    assert "Fit again" in refused.value.remedy


def test_notes_and_plot_know_the_future_that_predict_knows() -> None:
    table = homes()
    model = WARM.fit(table.head(24 * 69))
    future = table.tail(24).drop("y")
    assert model.notes(24, future=future)["flat"] == ()
    assert "temperature for 24 of 24" in model.notes(24)["flat"][0]
    told = model.predict(24, future=future)
    axes = model.plot(horizon=24, future=future)
    drawn = axes.get_lines()[-1].get_ydata()
    assert np.asarray(drawn) == pytest.approx(told["forecast"].to_numpy())
    with pytest.warns(UserWarning, match="temperature for 24 of 24"):
        model.plot()
    mpl.pyplot.close("all")


def test_a_future_that_is_missing_or_too_short_is_said() -> None:
    table = homes(("flat", "farm"))
    model = WARM.fit(table.filter(pl.col("ds") < START + timedelta(days=69)))
    ahead = table.filter(pl.col("ds") >= START + timedelta(days=69)).drop("y")
    with pytest.warns(UserWarning, match=r"farm: Not known: temperature for 24 of 24 .*1 other series"):
        model.predict(24)
    with pytest.warns(UserWarning, match=r"temperature for 12 of 24 intervals, from 2023-03-12 12:00:00 on"):
        model.predict(24, future=ahead.filter(pl.col("ds").dt.hour() < 12))
    with pytest.warns(UserWarning, match=r"farm: Not known: temperature for 24 of 24"):
        model.predict(24, future=ahead.filter(pl.col("unique_id") == "flat"))
    with pytest.warns(UserWarning, match=r"temperature for 24 of 24"):
        model.predict(24, future=ahead.with_columns(temperature=pl.lit(None, pl.Float64)))
    assert model.predict(24, future=ahead).height == 48


@pytest.mark.parametrize(
    ("future", "words"),
    [
        (pl.DataFrame(), "future.*no rows"),
        (homes().clear().drop("y"), "future.*no rows"),
        (homes().select("unique_id", "ds"), "future.*no column temperature"),
        (homes().select("ds", "temperature"), "names the series of each row"),
        (homes(("office",)).drop("y"), "none of the fitted series.*farm, flat"),
        ("soon", "polars or pandas"),
    ],
)
def test_a_future_that_cannot_be_says_why(future: object, words: str) -> None:
    model = WARM.fit(homes(("flat", "farm"), 40))
    with pytest.raises(InvalidInput, match=words):
        model.predict(24, future=future)


def test_a_future_needs_no_name_where_there_is_one_series_and_none_where_nothing_is_asked() -> None:
    table = homes(n_days=41)
    model = WARM.fit(table.head(24 * 40))
    ahead = table.tail(24).drop("y")
    assert model.predict(24, future=ahead.drop("unique_id")).equals(model.predict(24, future=ahead))
    with pytest.raises(InvalidInput, match="fitted without covariates"):
        RULE.fit(plain()).predict(24, future=ahead)


def test_a_covariate_the_model_makes_no_use_of_is_said_and_not_asked_for() -> None:
    model = DayAhead(model="persistence_ensemble", covariates=("temperature",)).fit(homes(n_days=40))
    assert model.notes()["flat"] == ("persistence_ensemble does not use temperature.",)
    assert model.predict(24).height == 24


def test_notes_name_a_covariate_as_its_table_does() -> None:
    model = DayAhead(model="day_regression", covariates=("temperature",)).fit(homes(n_days=60))
    known = plain(n_days=61).tail(24).with_columns(temperature=pl.lit(293.15))
    (words,) = model.notes(24, future=known.drop("y"))["flat"]
    assert words.startswith("temperature is 293.1 and the like, far from the ")
    said = model.notes(24, future=known.head(12).drop("y"))["flat"]
    assert any(words.startswith("Some of temperature was unknown for 12 of 24") for words in said)
    assert not any("temperature_2m" in words for words in said)


def test_rows_after_the_last_value_are_the_future_too() -> None:
    table = homes(n_days=60)
    first = START + timedelta(days=59)
    whole = table.with_columns(y=pl.when(pl.col("ds") < first).then("y"))
    apart = WARM.fit(table.filter(pl.col("ds") < first)).predict(24, future=table.filter(pl.col("ds") >= first))
    assert WARM.fit(whole).predict(24).equals(apart)


def test_a_temperature_in_fahrenheit_is_noticed() -> None:
    with pytest.warns(UserWarning, match="read as °C"):
        WARM.fit(homes().with_columns(temperature=pl.col("temperature") * 1.8 + 60))
