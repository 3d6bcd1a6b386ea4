"""Tables as people bring them to a notebook: text, indexes, gaps, doubled rows, and what cannot be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.forecasting.text_times import parsed

RULE = DayAhead(model="persistence_ensemble")
START = datetime(2023, 1, 2)  # noqa: DTZ001 - notebooks have naive times


def table(n_days: int = 30, step: str = "1h", name: str = "flat") -> pl.DataFrame:
    times = pl.datetime_range(START, START + timedelta(days=n_days), step, closed="left", eager=True, time_unit="us")
    y = 2 + np.cos(2 * np.pi * times.dt.hour().to_numpy() / 24) + 0.001 * np.arange(len(times))
    return pl.DataFrame({"unique_id": name, "ds": times, "y": y})


def in_pandas(n_days: int = 30) -> pd.DataFrame:
    ours = table(n_days)
    return pd.DataFrame({name: ours[name].to_numpy() for name in ours.columns})


@pytest.mark.parametrize(
    "layout",
    [
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M",
        "%Y/%m/%d %H:%M",
        "%d/%m/%Y %H:%M",
        "%d.%m.%Y %H:%M",
        "%m/%d/%Y %I:%M %p",
        "%m/%d/%Y %I:%M:%S %p",
        " %d-%m-%Y %H:%M ",
    ],
)
def test_times_as_text_are_read_as_spreadsheets_write_them(layout: str) -> None:
    text = table().with_columns(pl.col("ds").dt.strftime(layout))
    assert RULE.fit(text).predict(24).equals(RULE.fit(table()).predict(24))


def test_short_hours_and_days_without_a_clock_are_read() -> None:
    assert parsed(pl.Series("ds", ["1/31/2021 5:00 PM", None]))[0] == datetime(2021, 1, 31, 17)  # noqa: DTZ001 - naive
    assert parsed(pl.Series("ds", ["31.1.2021"]))[0] == datetime(2021, 1, 31)  # noqa: DTZ001 - naive


@pytest.mark.parametrize(("layout", "hours"), [("%Y-%m-%dT%H:%M:%SZ", 0), ("%Y-%m-%d %H:%M+02:00", 2)])
def test_text_with_an_offset_is_an_instant(layout: str, hours: int) -> None:
    told = RULE.fit(table().with_columns(pl.col("ds").dt.strftime(layout))).predict(1)
    assert told["ds"].dtype == pl.Datetime("us", "UTC")
    assert told["ds"].dt.replace_time_zone(None)[0] == START + timedelta(days=30, hours=-hours)


def test_days_and_months_that_could_be_either_are_asked_for() -> None:
    text = table(11, "1d").with_columns(pl.col("ds").dt.strftime("%d/%m/%Y"))
    with pytest.raises(InvalidInput, match=r"either way round.*to_datetime\('%d/%m/%Y'\)"):
        RULE.fit(text)


@pytest.mark.parametrize(
    "made",
    [
        lambda frame: frame.set_index("ds"),
        lambda frame: frame.set_index("ds").rename_axis(None),
        lambda frame: frame.set_index(["unique_id", "ds"]),
        lambda frame: frame.astype({"y": object}),
        lambda frame: frame.assign(y=frame["y"].astype("Float64")),
        lambda frame: frame.assign(unique_id=frame["unique_id"].astype("category")),
        lambda frame: frame.sample(frac=1, random_state=1),
        lambda frame: frame.assign(ds=frame["ds"].astype(str)),
        lambda frame: frame.assign(y=[f" {value!r} " for value in frame["y"].tolist()]),
    ],
    ids=[
        "index",
        "unnamed-index",
        "levels",
        "objects",
        "nullable",
        "category",
        "shuffled",
        "text-times",
        "text-numbers",
    ],
)
def test_pandas_frames_of_many_kinds_are_one(made: Any) -> None:  # noqa: ANN401 - of pandas, a function
    plain = RULE.fit(in_pandas()).predict(24)
    pd.testing.assert_frame_equal(RULE.fit(made(in_pandas())).predict(24), plain)


def test_a_pandas_series_with_its_times_is_a_table() -> None:
    told = RULE.fit(in_pandas().set_index("ds")["y"]).predict(24)
    assert told["forecast"].tolist() == RULE.fit(in_pandas()).predict(24)["forecast"].tolist()


def test_aware_pandas_times_come_back_aware() -> None:
    given = in_pandas().assign(ds=in_pandas()["ds"].dt.tz_localize("Europe/Paris"))
    told = DayAhead(model="persistence_ensemble", time_zone="Europe/Paris").fit(given).predict(2)
    assert str(told["ds"].dt.tz) == "Europe/Paris"
    assert told["ds"].iloc[0] == pd.Timestamp("2023-02-01", tz="Europe/Paris")


def test_a_lazy_frame_and_unnamed_series_are_read() -> None:
    plain = RULE.fit(table()).predict(24)
    assert RULE.fit(table().lazy()).predict(24).equals(plain)
    nameless = RULE.fit(table().with_columns(unique_id=pl.lit(None, pl.String))).predict(24)
    assert nameless["forecast"].equals(plain["forecast"])


def test_nulls_and_missing_rows_are_gaps() -> None:
    hole = pl.col("ds").is_between(START + timedelta(days=20), START + timedelta(days=20, hours=5))
    nulls = table().with_columns(y=pl.when(hole).then(None).otherwise("y"))
    nans = table().with_columns(y=pl.when(hole).then(float("nan")).otherwise("y"))
    plain = RULE.fit(table().filter(~hole)).predict(24)
    assert RULE.fit(nulls).predict(24).equals(plain)
    assert RULE.fit(nans).predict(24).equals(plain)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (pl.DataFrame(), "no rows"),
        (pl.DataFrame(schema={"unique_id": pl.String, "ds": pl.Datetime("us"), "y": pl.Float64}), "no rows"),
        (pd.DataFrame(), "no rows"),
        (pd.DataFrame(columns=["unique_id", "ds", "y"]), "no rows"),
        (table().with_columns(y=pl.lit("n/a")), r"y = 'n/a': 720 of 720 rows contain text"),
        (table().with_columns(y=pl.lit("1,234.5")), "no thousands separator"),
        (
            table().with_columns(y=pl.when(pl.int_range(pl.len()) == 7).then(float("inf")).otherwise("y")),
            "row 7 is inf",
        ),
        (table().with_columns(ds=pl.int_range(pl.len())), "pl.from_epoch"),
        (table().with_columns(ds=pl.when(pl.int_range(pl.len()) != 9).then("ds")), "row 9 has no time"),
        (table().with_columns(pl.col("ds").dt.strftime("%Hh on %d %m %Y")), "'00h on 02 01 2023'.*no time that can"),
        (pl.concat([table(), table(1)]), r"occurs twice in flat.*frame.unique\(\['unique_id', 'ds'\]\)"),
        (pl.concat([table(), table(step="30m", name="shop")]), "intervals of flat are 60 minutes long.*30 minutes"),
        (pd.concat([in_pandas(), in_pandas()["y"]], axis=1), "two columns are called y"),
        (table().rename({"y": "kwh"}), r"no column y.*target="),
    ],
)
def test_a_table_that_cannot_be_read_says_what_to_do(given: object, words: str) -> None:
    for model in ("auto", "persistence_ensemble"):
        with pytest.raises(InvalidInput, match=words):
            DayAhead(model=model).fit(given)
    with pytest.raises(InvalidInput, match=words):
        DayAhead().backtest(given)


def test_a_table_without_a_value_is_refused_by_the_name_of_its_series() -> None:
    with pytest.raises(NotEnoughHistory, match="'flat' has no value"):
        DayAhead().fit(table().with_columns(y=pl.lit(None, pl.Float64)))


@pytest.mark.parametrize(
    ("zone", "meant"),
    [("Paris", "Europe/Paris"), ("New York", "America/New_York"), ("europe/paris", "Europe/Paris"), ("Qqq", "IANA")],
)
def test_a_time_zone_that_is_none_is_answered_with_the_one_meant(zone: str, meant: str) -> None:
    with pytest.raises(InvalidInput, match=f"time_zone = '{zone}'.*{meant}"):
        DayAhead(time_zone=zone).fit(table())


def test_a_time_the_clocks_skip_is_told_from_one_that_cannot_be_read() -> None:
    spring = table(60).with_columns(pl.col("ds").dt.offset_by("45d"))
    with pytest.raises(InvalidInput, match=r"2023-03-26 02:00:00.*put forward.*time_zone='UTC'"):
        DayAhead(model="persistence_ensemble", time_zone="Europe/Paris").fit(spring)


@pytest.mark.parametrize(
    ("door", "words"),
    [
        (DayAhead(covariates="temperature"), r"covariates=\('temperature',\)"),
        (DayAhead(covariates=("y",)), "y is used twice"),
        (DayAhead(model="oracle"), "Choose one of: auto, seasonal_naive"),
        (DayAhead(holidays="ZZ"), "holidays = 'ZZ'.*no such holiday calendar"),
        (DayAhead(holidays="TR+ramadam"), "no such holiday calendar.*Did you mean TR.ramadan"),
        (DayAhead(latitude=100), "latitude = 100"),
    ],
)
def test_arguments_that_cannot_be_say_what_can(door: DayAhead, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        door.fit(table())
