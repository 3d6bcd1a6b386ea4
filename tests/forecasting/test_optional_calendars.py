"""Calendars beside the public holidays of a country: their days, and what the models learn of a period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.forecast import Context, History, targets
from watthour.core.frames import Forecasts, Readings, Targets
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.forecasting.calendar import calendar_features, holiday_days, named_holidays
from watthour.forecasting.catalogue import forecaster, recipe
from watthour.forecasting.gaussian_process.day_process.calendar import calendar
from watthour.forecasting.gaussian_process.holidays import Holidays
from watthour.forecasting.holiday_calendars import checked_calendar
from watthour.forecasting.optional_calendars import in_period, period_days, period_names
from watthour.forecasting.period_effects import PeriodEffects
from watthour.forecasting.trend_season.rows import Grid
from watthour.forecasting.vintages import instants

if TYPE_CHECKING:
    import dataframely as dy

EPOCH = date(1970, 1, 1)
ZONE = "Europe/Istanbul"
FIRST, BEGINS, LAST = date(2022, 3, 20), date(2024, 3, 11), date(2024, 3, 20)  # two past months, and a third one
CALM = 10  # days before it that are forecast too


def days(first: date, last: date) -> np.ndarray:
    return np.arange((first - EPOCH).days, (last - EPOCH).days + 1)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2019, 5, 6), date(2019, 6, 3)),
        (date(2021, 4, 13), date(2021, 5, 12)),
        (date(2024, 3, 11), date(2024, 4, 9)),
        (date(2025, 3, 1), date(2025, 3, 29)),
    ],
)
def test_the_months_of_ramadan_are_those_that_most_countries_kept(first: date, last: date) -> None:
    found = period_days("TR+ramadan", days(first - 2 * DAY, last + 2 * DAY))[:, 0]
    n_days = (last - first).days + 1
    assert found.tolist() == [0, 0, *range(1, n_days + 1), 0, 0]


def test_a_month_that_begins_in_december_goes_on_in_january_and_a_year_can_have_two() -> None:
    found = period_days("ramadan", days(date(2030, 1, 1), date(2031, 1, 31)))[:, 0]
    assert (found == 1).sum() == 2
    assert found[(date(2031, 1, 1) - date(2030, 1, 1)).days] == 7


@pytest.mark.parametrize("easter", [date(2021, 5, 2), date(2023, 4, 16), date(2024, 5, 5), date(2025, 4, 20)])
def test_orthodox_easter_is_from_friday_to_monday(easter: date) -> None:
    named = named_holidays("orthodox_easter", range(easter.year, easter.year + 1))
    assert list(named) == [easter - 2 * DAY, easter, easter + DAY]


def test_the_eids_are_days_of_rest_where_they_are_no_public_holidays() -> None:
    both = Holidays("DE+eid")
    assert [both.name(date(2024, 4, 10)), both.name(date(2024, 6, 19))] == ["Eid al-Fitr", "Eid al-Adha"]
    assert both.is_rest(date(2024, 4, 12))
    assert not both.is_rest(date(2024, 4, 13))
    assert Holidays("DE").name(date(2024, 4, 10)) is None


def test_the_holidays_of_two_countries_are_joined_and_the_first_one_names_a_day() -> None:
    year = date(2024, 1, 1)
    alone = [set(holiday_days(code, year, year)) for code in ("DE", "FR")]
    assert set(holiday_days("DE+FR", year, year)) == alone[0] | alone[1]
    named = [named_holidays(code, range(2024, 2025))[date(2024, 5, 1)] for code in ("DE+FR", "DE", "FR+DE", "FR")]
    assert named[0] == named[1]
    assert named[2] == named[3]


def test_a_holiday_has_the_same_name_before_and_after_its_moon_was_seen() -> None:
    egypt = Holidays("EG")
    assert egypt.name(date(2027, 3, 9)) == egypt.name(date(2025, 3, 30)) == "Eid al-Fitr"


def test_a_period_is_no_holiday() -> None:
    year = date(2024, 1, 1)
    assert holiday_days("TR+ramadan", year, year).tolist() == holiday_days("TR", year, year).tolist()
    inside = calendar(days(BEGINS, LAST), Place(ZONE, holidays="TR+ramadan"))
    assert not inside.is_special.any()
    assert inside.periods[:, 0].tolist() == list(range(1, 11))


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("tr + Ramadan", "TR+ramadan"),
        ("us-ny+RAMADAN+us-ny", "US-NY+ramadan"),
        ("DE+fr+orthodox-easter", "DE+FR+orthodox_easter"),
        ("ramadan", "ramadan"),
    ],
)
def test_joined_calendars_are_kept_in_their_usual_spelling(said: str, kept: str) -> None:
    assert checked_calendar(said) == kept


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        ("TR+ramadam", "Did you mean TR+ramadan?"),
        ("france+ramadan", "Did you mean FR+ramadan?"),
        ("US-NYY+eid", "Did you mean US-NY+eid?"),
        ("ramadhan", "Did you mean ramadan?"),
        ("TR,ramadan", "Did you mean TR+ramadan?"),
        ("fr / Ramadan", "Did you mean FR+ramadan?"),
        ("TR+", "join more calendars by +: ramadan, eid, orthodox_easter"),
        ("TR+passover", "join more calendars by +: ramadan, eid, orthodox_easter"),
    ],
)
def test_a_calendar_that_does_not_exist_is_named_with_a_cure_that_works(said: str, cure: str) -> None:
    with pytest.raises(InvalidInput, match="there is no such holiday calendar") as caught:
        checked_calendar(said)
    assert (caught.value.field, caught.value.value) == ("holidays", said)
    assert cure in caught.value.remedy
    if cure.startswith("Did you mean"):
        meant = cure.removeprefix("Did you mean ").removesuffix("?")
        assert checked_calendar(meant) == meant


def test_a_gaussian_process_names_a_calendar_that_does_not_exist() -> None:
    with pytest.raises(InvalidInput, match=r"holidays = 'TR.ramadam'.*Did you mean TR.ramadan"):
        Holidays("TR+ramadam").name(BEGINS)


def test_an_unusual_spelling_in_a_notebook_is_answered_with_all_of_its_calendars() -> None:
    """The cure was `ramadan`, which drops the holidays of the country."""
    with pytest.raises(InvalidInput, match=r"Did you mean TR.ramadan"):
        named_holidays("TR+Ramadan", range(2024, 2025))


def test_trees_are_told_of_the_day_within_a_period_and_how_much_of_it_past_means_hold() -> None:
    times = instants(pl.Series([local_midnight(day, ZONE) for day in (BEGINS - DAY, BEGINS, BEGINS + 7 * DAY)]))
    found = calendar_features(times, context("TR+ramadan"))
    assert found["day_of_ramadan"].tolist() == [0, 1, 8]
    assert found["ramadan_share_28d"].tolist() == [0, 0, 7 / 28]
    assert found["is_holiday"].tolist() == [0, 0, 0]


def test_a_place_without_periods_is_told_of_none() -> None:
    times = instants(pl.Series([local_midnight(BEGINS, ZONE)]))
    assert not any("ramadan" in name for name in calendar_features(times, context("TR")))
    assert period_names("TR+eid") == period_names(None) == ()
    assert in_period("TR", days(BEGINS, LAST)).shape == (10, 0)
    assert Grid(1, 0, "TR").periods(days(BEGINS, LAST)) is None


def test_weeks_and_months_lie_in_a_period_in_part() -> None:
    first = (BEGINS - EPOCH).days - 4  # of a week of which three days are within it
    weeks = Grid(7, first % 7, "ramadan").periods(first // 7 + np.arange(2))
    assert weeks is not None
    assert weeks[:, 0].tolist() == [pytest.approx(3 / 7), 1.0]
    months = Grid(0, 0, "ramadan").periods(12 * (2024 - 1970) + np.arange(1, 5))
    assert months is not None
    assert months[:, 0].tolist() == [0, pytest.approx(21 / 31), pytest.approx(9 / 30), 0]


def test_a_net_load_that_crosses_zero_is_not_scaled_by_what_a_period_did() -> None:
    """A ratio of two means near zero made the band of one hour seven times too wide."""
    past = history(HOUR, "TR+ramadan")
    assert PeriodEffects.of(past).factors
    net = past.readings.with_columns(pl.col("value") - past.readings["value"].median())
    assert not PeriodEffects.of(replace(past, readings=Readings.cast(net))).factors


@pytest.mark.parametrize(
    ("model", "parameters", "step"),
    [
        ("day_process", {}, HOUR),
        ("day_regression", {"memories_days": (400,)}, HOUR),
        ("hour_process", {"adapts_constants": False, "longest_memory_days": 400}, HOUR),
        ("gradient_boosting", {"n_trees": 40, "learning_rate": 0.15}, HOUR),
        ("trend_season", {}, DAY),
    ],
)
def test_a_model_learns_a_planted_ramadan_from_those_before_it(
    model: str, parameters: dict[str, object], step: timedelta
) -> None:
    plain, told = (errors(model, parameters, step, code) for code in ("TR", "TR+ramadan"))
    assert told[CALM:].mean() < 0.8 * plain[CALM:].mean()
    assert told[:CALM].mean() < 1.1 * plain[:CALM].mean()


def errors(model: str, parameters: dict[str, object], step: timedelta, code: str) -> np.ndarray:
    """The mean relative error of each day from ten before the last Ramadan into it, each asked at its midnight."""
    past = history(step, code)
    starts = [BEGINS + n * DAY for n in range(-CALM, (LAST - BEGINS).days + 1)]
    known = past.known_at(local_midnight(starts[0], ZONE))
    n_days = (starts[0] - FIRST).days
    learned = asked([FIRST + n * DAY for n in range(60, n_days)], step)
    fitted = recipe(model, parameters).fit(known, learned)
    later = asked(starts, step)
    found = fitted.predict(past, later).values
    again = forecaster(model, fitted.files()).predict(past, later).values
    assert again.equals(found)
    middle = found.filter(pl.col("level") == 0.5).join(past.readings.select("time", actual="value"), on="time")
    off = (pl.col("value") / pl.col("actual") - 1).abs()
    return middle.group_by("issued_at").agg(off.mean().alias("off")).sort("issued_at")["off"].to_numpy()


def asked(starts: list[date], step: timedelta) -> dy.DataFrame[Targets]:
    """Each day, asked at its midnight."""
    midnights = [local_midnight(day, ZONE) for day in starts]
    return Targets.validate(
        pl.concat(targets(Window(at, at + DAY), at, resolution=step, time_zone=ZONE) for at in midnights)
    )


def context(code: str, step: timedelta = HOUR) -> Context:
    site = Site("here", "Here", SiteKind.REGION, Place(ZONE, holidays=code), main_channel="grid.here.demand")
    return Context(site, Channel("grid.here.demand", "here", Quantity.ENERGY, Unit.MWH, step))


def history(step: timedelta, code: str) -> History:
    return replace(made(step), context=context(code, step))


@cache
def made(step: timedelta) -> History:
    """Load with a weekday pattern and a Ramadan: 6 % less, the evening peak two hours later, nights 10 % higher."""
    rng = np.random.default_rng(5)
    number = days(FIRST, LAST)
    hour = np.arange(24)[None, :]
    fasting = in_period("ramadan", number)
    off = np.isin((number + 3) % 7, (5, 6))[:, None] | np.isin(number, holiday_days("TR", FIRST, LAST))[:, None]
    evening = np.exp(-0.5 * ((hour - 19 - 2 * fasting) / 1.8) ** 2)
    slow = np.convolve(rng.normal(0, 0.01, len(number) + 4), np.ones(5) / 5, "valid")[:, None]
    load = 1000 * (0.8 + 0.3 * evening - 0.1 * off * (np.abs(hour - 12) < 5)) * (1 + slow)
    load *= (1 - 0.06 * fasting) * (1 + 0.1 * fasting * (hour < 5)) * (1 + rng.normal(0, 0.006, load.shape))
    values = load.ravel() if step == HOUR else load.mean(axis=1)
    start = local_midnight(FIRST, ZONE)
    times = pl.Series("time", [start + n * step for n in range(len(values))], dtype=pl.Datetime("us", "UTC"))
    rows = pl.DataFrame({"channel": "grid.here.demand", "time": times, "value": values})
    ends = pl.col("time") + step
    rows = rows.with_columns(available_at=ends, recorded_at=ends, quality=pl.lit(0, pl.Int16))
    far = datetime(2100, 1, 1, tzinfo=UTC)
    return History(
        far, context("TR", step), Readings.validate(rows.select(Readings.column_names())), Forecasts.create_empty()
    )
