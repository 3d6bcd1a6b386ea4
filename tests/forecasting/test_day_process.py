from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from watthour.core import metrics
from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import Context, Forecast, History, covariates_of, day_ahead_targets, targets
from watthour.core.frames import LEVELS, Forecasts, Quality, Readings, Targets
from watthour.core.window import DAY, HOUR, Window, local_day, local_instant
from watthour.forecasting.gaussian_process.day_process.model import DayProcess, FittedDayProcess
from watthour.simulation.changes import CHANGES, Change
from watthour.simulation.changes import planted as planted_change
from watthour.simulation.simtown import DEMAND, SIMTOWN
from watthour.simulation.town import SimulatedRegion

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

ZONE = SIMTOWN.time_zone
FIRST = date(2023, 1, 20)
N_LEARNED = 330  # from FIRST on
UNSEEN = [FIRST + timedelta(days=N_LEARNED + 1 + n) for n in range(28)]
OURS = pl.col("channel") == DEMAND.id
CONTEXT = replace(SIMTOWN, covariates=covariates_of(SimulatedRegion().channels()))


def asked(days: Sequence[date], known_clock: time | None = None) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, ZONE, resolution=HOUR, issue_clock=time(8), known_clock=known_clock)


LEARNED = [FIRST + timedelta(days=n) for n in range(N_LEARNED)]


@pytest.fixture(scope="module")
def past() -> History:
    span = Window(datetime(2023, 1, 15, tzinfo=UTC), datetime(2024, 1, 20, tzinfo=UTC))
    told = SimulatedRegion().fetch(span, now=span.end)
    return History(span.end, CONTEXT, told.readings, told.forecasts)


@pytest.fixture(scope="module")
def fitted(past: History) -> FittedDayProcess:
    return DayProcess().fit(past.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))


@pytest.fixture(scope="module")
def alone(past: History) -> FittedDayProcess:
    learned_at = asked(UNSEEN)["issued_at"][0]
    return DayProcess(uses_rival=False).fit(past.known_at(learned_at), asked(LEARNED))


@pytest.fixture(scope="module")
def of_six_o_clock(past: History) -> FittedDayProcess:
    learned_at = asked(UNSEEN)["issued_at"][0]
    return DayProcess().fit(past.known_at(learned_at), asked(LEARNED, time(6)))


def table(forecast: Forecast, past: History) -> pl.DataFrame:
    actual = past.readings.filter(OURS).select("time", pl.col("value").alias("actual"))
    wide = forecast.values.pivot("level", index="time", values="value")
    return wide.join(actual, on="time").drop_nulls().sort("time")


def mape(forecast: Forecast, past: History) -> float:
    told = table(forecast, past)
    return metrics.mape(told["actual"].to_numpy(), told["0.5"].to_numpy())


def width(forecast: Forecast) -> float:
    wide = forecast.values.pivot("level", index="time", values="value")
    return float(np.mean((wide["0.95"] - wide["0.05"]).to_numpy()))


def said(forecast: Forecast) -> pl.Series:
    return forecast.values.sort("issued_at", "time", "level")["value"]


def without(past: History, unknown: pl.Expr) -> History:
    return replace(
        past,
        readings=Readings.cast(past.readings.filter(~unknown)),
        forecasts=Forecasts.cast(past.forecasts.filter(~unknown)),
    )


def between(start: date, end: date) -> pl.Expr:
    first, last = (datetime(day.year, day.month, day.day, 5, tzinfo=UTC) for day in (start, end))
    return pl.col("time").is_between(first, last, closed="left")


def planted(past: History, at: datetime) -> History:
    """Change every value that became known after an instant, and revise every older one after it."""
    later = pl.col("available_at") > at
    changed = [
        rows.with_columns(value=pl.when(later).then(3 * pl.col("value") + 40).otherwise("value"))
        for rows in (past.readings, past.forecasts)
    ]
    revised = [
        rows.filter(~later & (pl.col("time") > at - 20 * DAY)).with_columns(
            value=2 * pl.col("value") + 50, available_at=pl.lit(at + HOUR / 4), recorded_at=pl.lit(at + HOUR / 4)
        )
        for rows in (past.readings, past.forecasts)
    ]
    return replace(
        past,
        readings=Readings.validate(pl.concat([changed[0], revised[0]]), cast=True),
        forecasts=Forecasts.validate(
            pl.concat([changed[1], revised[1]]).unique(Forecasts.primary_key(), maintain_order=True), cast=True
        ),
    )


@pytest.mark.parametrize("ahead", [0, 3, 20])
def test_nothing_that_became_known_after_the_issue_moves_a_forecast(
    past: History, fitted: FittedDayProcess, ahead: int
) -> None:
    targets = asked(UNSEEN[ahead : ahead + 1])
    told = fitted.predict(past, targets)
    assert said(fitted.predict(planted(past, targets["issued_at"][0]), targets)).equals(said(told))


def test_demand_after_what_counts_as_known_does_not_move_a_forecast(
    past: History, of_six_o_clock: FittedDayProcess
) -> None:
    targets = asked(UNSEEN[5:6], time(6))
    end_known = targets["known_until"][0]
    doubled = pl.when(OURS & (pl.col("time") >= end_known)).then(2 * pl.col("value")).otherwise("value")
    other = replace(past, readings=Readings.cast(past.readings.with_columns(value=doubled)))
    assert said(of_six_o_clock.predict(other, targets)).equals(said(of_six_o_clock.predict(past, targets)))


def test_what_was_learnt_does_not_depend_on_what_came_later(past: History, fitted: FittedDayProcess) -> None:
    at = asked(UNSEEN)["issued_at"][0]
    again = DayProcess().fit(planted(past, at).known_at(at), asked(LEARNED))
    targets = asked(UNSEEN[:1])
    assert said(again.predict(past, targets)).equals(said(fitted.predict(past, targets)))


@pytest.mark.parametrize("known_clock", [None, time(6)], ids=["whole_days", "six_o_clock"])
@pytest.mark.parametrize("uses_rival", [True, False])
def test_a_day_of_the_past_is_forecast_as_if_no_later_day_had_been_learnt(
    past: History, known_clock: time | None, *, uses_rival: bool
) -> None:
    targets = asked([LEARNED[-40]], known_clock)
    recipe = DayProcess(uses_rival=uses_rival)
    whole, earlier = (
        recipe.fit(past.known_at(asked([day], known_clock)["issued_at"][0]), asked(learned, known_clock))
        for day, learned in ((UNSEEN[0], LEARNED), (LEARNED[-40], LEARNED[:-41]))
    )
    now, then = (said(each.predict(past, targets)).to_numpy() for each in (whole, earlier))
    assert now == pytest.approx(then, rel=1e-12)


def test_a_day_published_late_is_not_known_before(past: History) -> None:
    late = LEARNED[-42]
    targets = asked([LEARNED[-40]])
    delayed = past.readings.with_columns(
        available_at=pl.when(OURS & between(late, late + DAY))
        .then(pl.lit(targets["issued_at"][0] + HOUR))
        .otherwise("available_at")
    )
    history = replace(past, readings=Readings.cast(delayed.with_columns(recorded_at="available_at")))
    model = DayProcess().fit(history.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))
    changed = pl.when(OURS & between(late, late + DAY)).then(1.2 * pl.col("value")).otherwise("value")
    other = replace(history, readings=Readings.cast(history.readings.with_columns(value=changed)))
    otherwise = DayProcess().fit(other.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))
    one, two = (said(each.predict(each_past, targets)) for each, each_past in ((model, history), (otherwise, other)))
    assert one.to_numpy() == pytest.approx(two.to_numpy(), rel=1e-12)


def test_it_is_better_than_the_operator_and_as_often_right_as_it_says(past: History, fitted: FittedDayProcess) -> None:
    forecast = fitted.predict(past, asked(UNSEEN))
    told = table(forecast, past)
    operator = past.forecasts.filter(OURS & (pl.col("model") == "operator")).select("time", raw="value")
    both = told.join(operator, on="time")
    actual = both["actual"].to_numpy()
    assert metrics.mape(actual, both["0.5"].to_numpy()) < metrics.mape(actual, both["raw"].to_numpy())
    assert 0.75 < metrics.coverage(actual, both["0.05"].to_numpy(), both["0.95"].to_numpy()) < 0.99
    assert forecast.missing_inputs == ()


def test_quantiles_never_cross(past: History, fitted: FittedDayProcess) -> None:
    wide = fitted.predict(past, asked(UNSEEN)).values.pivot("level", index="time", values="value")
    assert (np.diff(wide.select([str(level) for level in LEVELS]).to_numpy(), axis=1) >= 0).all()


@pytest.mark.parametrize(("day", "n_hours"), [(date(2023, 3, 12), 23), (date(2023, 11, 5), 25)])
def test_a_day_when_clocks_change_has_its_own_number_of_hours(
    past: History, fitted: FittedDayProcess, day: date, n_hours: int
) -> None:
    forecast = fitted.predict(past, asked([day]))
    assert forecast.values["time"].n_unique() == n_hours
    assert forecast.values["value"].null_count() == 0
    assert mape(forecast, past) < 25


def test_hours_known_of_the_day_before_help(
    past: History, fitted: FittedDayProcess, of_six_o_clock: FittedDayProcess
) -> None:
    more = mape(of_six_o_clock.predict(past, asked(UNSEEN, time(6))), past)
    assert more <= 1.02 * mape(fitted.predict(past, asked(UNSEEN)), past)


def test_an_hour_missing_and_an_hour_of_zero_change_little(past: History, fitted: FittedDayProcess) -> None:
    hole = datetime.combine(UNSEEN[8], time(20), tzinfo=UTC)
    missing, zero = (OURS & (pl.col("time") == time) for time in (hole, hole + 30 * HOUR))
    value = pl.when(missing).then(None).when(zero).then(0.0).otherwise("value")
    holed = replace(past, readings=Readings.cast(past.readings.with_columns(value=value)))
    targets = asked(UNSEEN[10:16])
    moved = said(fitted.predict(holed, targets)).to_numpy() / said(fitted.predict(past, targets)).to_numpy()
    assert np.abs(moved - 1).max() < 0.05


def test_a_week_without_demand_makes_it_wider_and_it_says_so(past: History, fitted: FittedDayProcess) -> None:
    targets = asked(UNSEEN[9:10])
    silent = without(past, OURS & between(UNSEEN[1], UNSEEN[9]) & (pl.col("available_at") > pl.col("time")))
    forecast = fitted.predict(silent, targets)
    assert forecast.values["value"].null_count() == 0
    assert width(forecast) > width(fitted.predict(past, targets))
    assert any("Demand was known to an earlier hour" in words for words in forecast.missing_inputs)


def test_a_week_without_weather_makes_it_wider_and_it_says_so(past: History, alone: FittedDayProcess) -> None:
    targets = asked(UNSEEN[10:14])
    unseen = without(past, pl.col("channel").str.contains("weather") & between(UNSEEN[7], UNSEEN[-1]))
    forecast = alone.predict(unseen, targets)
    assert forecast.values["value"].null_count() == 0
    assert width(forecast) > width(alone.predict(past, targets))
    assert any("No weather forecast" in words for words in forecast.missing_inputs)


def test_without_the_operator_it_goes_on_alone_and_says_so(
    past: History, fitted: FittedDayProcess, alone: FittedDayProcess
) -> None:
    targets = asked(UNSEEN[10:14])
    dead = replace(past, forecasts=Forecasts.cast(past.forecasts.filter(pl.col("model") != "operator")))
    forecast = fitted.predict(dead, targets)
    assert said(forecast).equals(said(alone.predict(past, targets)))
    assert any("operator's forecast was not known" in words for words in forecast.missing_inputs)


def spoiled(past: History, day: date, value: pl.Expr) -> History:
    """Change what the operator said of a local day; nothing is known against it."""
    is_there = OURS & (pl.col("model") == "operator") & (pl.col("time").dt.convert_time_zone(ZONE).dt.date() == day)
    said_then = pl.when(is_there).then(value).otherwise("value")
    return replace(past, forecasts=Forecasts.cast(past.forecasts.with_columns(value=said_then)))


VALUE, AT_17 = pl.col("value"), pl.col("time").dt.convert_time_zone(ZONE).dt.hour() == 17


@pytest.mark.parametrize(
    "value",
    [
        1000 * VALUE,
        2 * VALUE,
        0.5 * VALUE,
        VALUE / 1000,
        VALUE * 1e300,
        pl.when(AT_17).then(10 * VALUE).otherwise(VALUE),
    ],
    ids=["x1000", "x2", "x0.5", "/1000", "x1e300", "one hour x10"],
)
def test_a_rival_further_from_our_own_than_ever_is_refused_and_said(
    past: History, fitted: FittedDayProcess, alone: FittedDayProcess, value: pl.Expr
) -> None:
    targets = asked([UNSEEN[12]])
    forecast = fitted.predict(spoiled(past, UNSEEN[12], value), targets)
    assert said(forecast).equals(said(alone.predict(past, targets)))
    assert any("further from our own than almost ever" in words for words in forecast.missing_inputs)


@pytest.mark.parametrize("value", [-VALUE, pl.lit(0.0)], ids=["below_zero", "zero"])
def test_a_rival_that_is_not_above_zero_is_left_out_and_said(
    past: History, fitted: FittedDayProcess, alone: FittedDayProcess, value: pl.Expr
) -> None:
    targets = asked([UNSEEN[12]])
    forecast = fitted.predict(spoiled(past, UNSEEN[12], value), targets)
    assert said(forecast).equals(said(alone.predict(past, targets)))
    assert any("operator's forecast was zero or negative" in words for words in forecast.missing_inputs)
    assert not any("not known" in words for words in forecast.missing_inputs)


def test_a_rival_that_is_late_by_an_hour_is_still_believed(past: History, fitted: FittedDayProcess) -> None:
    late = past.forecasts.filter(OURS).with_columns(time=pl.col("time") + HOUR)
    others = past.forecasts.filter(~OURS)
    shifted = replace(past, forecasts=Forecasts.cast(pl.concat([others, late.select(others.columns)])))
    assert fitted.predict(shifted, asked(UNSEEN[12:20])).missing_inputs == ()


def test_honest_rivals_are_not_refused(past: History, fitted: FittedDayProcess) -> None:
    assert fitted.predict(past, asked(UNSEEN)).missing_inputs == ()


@pytest.mark.parametrize("known_clock", [None, time(6)])
def test_a_fault_of_the_rival_days_ago_moves_nothing_that_comes_after(
    past: History, fitted: FittedDayProcess, of_six_o_clock: FittedDayProcess, known_clock: time | None
) -> None:
    model = fitted if known_clock is None else of_six_o_clock
    targets = asked(UNSEEN[12:16], known_clock)
    honest = said(model.predict(past, targets)).to_numpy()
    after = said(model.predict(spoiled(past, UNSEEN[11], 3 * VALUE), targets)).to_numpy()
    assert np.abs(after / honest - 1).max() < 0.03


def test_a_rival_that_was_doubted_when_it_came_is_said(past: History, fitted: FittedDayProcess) -> None:
    day = pl.col("time").dt.convert_time_zone(ZONE).dt.date() == UNSEEN[12]
    doubts = pl.when(day & OURS).then(int(Quality.UNUSUAL)).otherwise(0).cast(pl.Int16)
    doubted = replace(past, forecasts=Forecasts.cast(past.forecasts.with_columns(quality=doubts)))
    forecast = fitted.predict(doubted, asked([UNSEEN[12]]))
    (words,) = forecast.missing_inputs
    assert "The operator's forecast cannot be right, and was left out, for 24 of 24 intervals" in words


def test_weather_that_is_estimated_is_said(past: History, alone: FittedDayProcess) -> None:
    targets, span = asked([UNSEEN[12]]), between(UNSEEN[12], UNSEEN[13])
    harbour = pl.col("channel").str.contains("harbour")
    one_point = alone.predict(without(past, harbour & span), targets)
    assert any("weather of some places was estimated" in words for words in one_point.missing_inputs)
    eve = between(UNSEEN[11], UNSEEN[12]) & pl.col("channel").str.contains("weather")
    no_eve = alone.predict(without(past, eve), targets)
    assert any("weather of a day before was taken from the day after" in words for words in no_eve.missing_inputs)
    one_hour = pl.col("time") == datetime.combine(UNSEEN[12], time(18), tzinfo=UTC)
    assert alone.predict(without(past, harbour & one_hour), targets).missing_inputs == ()  # not worth a word


def test_without_weather_anywhere_it_learns_and_forecasts_from_demand(past: History) -> None:
    blind = replace(past, context=replace(past.context, covariates=(), rivals=()))
    model = DayProcess().fit(blind.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))
    forecast = model.predict(blind, asked(UNSEEN))
    told = table(forecast, past)
    actual = told["actual"].to_numpy()
    assert metrics.coverage(actual, told["0.05"].to_numpy(), told["0.95"].to_numpy()) > 0.75
    assert forecast.missing_inputs == ()


def test_hours_of_next_to_nothing_do_not_let_it_forecast_more_than_there_can_be(past: History) -> None:
    rows = past.readings.filter(OURS).sort("time")
    rng = np.random.default_rng(4)
    value = rows["value"].to_numpy() * np.where(rng.random(rows.height) < 0.03, 1e-10, rng.gamma(1.5, 1.0, rows.height))
    home = replace(
        past,
        context=replace(past.context, covariates=(), rivals=()),
        readings=Readings.cast(rows.with_columns(value=pl.Series(value))),
    )
    model = DayProcess().fit(home.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))
    told = model.predict(home, asked(UNSEEN)).values["value"].to_numpy()
    assert 0 < told.max() <= 3.001 * value.max()


def test_too_little_history_is_an_error_with_its_cure(past: History) -> None:
    few = asked(LEARNED[:100])
    with pytest.raises(NotEnoughHistory, match="whole days"):
        DayProcess().fit(past.known_at(asked([LEARNED[101]])["issued_at"][0]), few)


def test_its_files_hold_all_of_it(past: History, fitted: FittedDayProcess) -> None:
    targets = asked(UNSEEN[:3])
    again = FittedDayProcess.from_files(fitted.files())
    assert said(again.predict(past, targets)).equals(said(fitted.predict(past, targets)))
    assert again.files() == fitted.files()


def test_another_channel_is_refused(past: History, fitted: FittedDayProcess) -> None:
    other = replace(past, context=replace(past.context, channel=replace(DEMAND, id="grid.elsewhere.demand")))
    with pytest.raises(InvalidInput, match="elsewhere"):
        fitted.predict(other, asked(UNSEEN[:1]))


def test_another_step_than_it_learnt_is_refused(past: History, fitted: FittedDayProcess) -> None:
    other = replace(past, context=stepped(timedelta(minutes=30)))
    with pytest.raises(InvalidInput, match="steps of 60 minutes"):
        fitted.predict(other, asked(UNSEEN[:1]))


def stepped(step: timedelta) -> Context:
    return replace(CONTEXT, channel=replace(DEMAND, resolution=step))


def finer(past: History, step: timedelta) -> History:
    """Each hour of load as so many intervals of the same level, with a wave within the hour."""
    n_parts = HOUR // step
    parts = pl.DataFrame({"part": range(n_parts)}).with_columns(wave=1 + 0.01 * pl.col("part"))
    rows = past.readings.filter(OURS).join(parts, how="cross")
    shifted = rows.with_columns(
        pl.col("time") + step * pl.col("part"), pl.col("value") * pl.col("wave"), available_at="available_at"
    ).select(Readings.column_names())
    readings = pl.concat([past.readings.filter(~OURS), shifted])
    told = past.forecasts.filter(OURS).join(parts, how="cross")
    told = told.with_columns(pl.col("time") + step * pl.col("part"), pl.col("value") * pl.col("wave"))
    forecasts = pl.concat([past.forecasts.filter(~OURS), told.select(Forecasts.column_names())])
    return replace(
        past, context=stepped(step), readings=Readings.validate(readings), forecasts=Forecasts.validate(forecasts)
    )


@pytest.mark.parametrize("minutes", [30, 15])
def test_steps_below_an_hour_are_learnt_as_they_are(past: History, fitted: FittedDayProcess, minutes: int) -> None:
    step = timedelta(minutes=minutes)
    fine = finer(past, step)
    days = [UNSEEN[0], date(2023, 11, 5), date(2023, 3, 12)]
    targets, hourly = (
        day_ahead_targets(days, ZONE, resolution=each, issue_clock=time(8), known_clock=None) for each in (step, HOUR)
    )
    learned = day_ahead_targets(LEARNED, ZONE, resolution=step, issue_clock=time(8), known_clock=None)
    model = DayProcess().fit(fine.known_at(asked(UNSEEN)["issued_at"][0]), learned)
    forecast = model.predict(fine, targets)
    assert forecast.values["time"].n_unique() == (24 + 25 + 23) * HOUR // step
    assert forecast.values["value"].null_count() == 0
    median = forecast.values.filter(pl.col("level") == 0.5).sort("time")
    hours = fitted.predict(past, hourly).values.filter(pl.col("level") == 0.5).sort("time")
    first_parts = median.filter(pl.col("time").dt.minute() == 0)["value"].to_numpy()
    assert first_parts == pytest.approx(hours["value"].to_numpy(), rel=0.01)
    last_parts = median.filter(pl.col("time").dt.minute() == 60 - minutes)["value"].to_numpy()
    assert last_parts / first_parts == pytest.approx(1 + 0.01 * (HOUR // step - 1), abs=0.004)


@pytest.mark.parametrize("step", [DAY, 3 * HOUR])
def test_steps_above_an_hour_are_refused_by_name(past: History, step: timedelta) -> None:
    with pytest.raises(InvalidInput, match="the day process forecasts steps of up to an hour") as refused:
        DayProcess().fit(replace(past, context=stepped(step)), asked(LEARNED))
    assert "gradient_boosting" in refused.value.remedy


def test_a_load_that_is_not_positive_is_refused_by_name(past: History) -> None:
    solar = pl.when(OURS & (pl.col("time").dt.hour() < 2)).then(-pl.col("value")).otherwise("value")
    feeding_in = replace(past, readings=Readings.cast(past.readings.with_columns(value=solar)))
    with pytest.raises(InvalidInput, match="8% of its readings are zero or negative") as refused:
        DayProcess().fit(feeding_in, asked(LEARNED))
    assert "gradient_boosting" in refused.value.remedy


def test_a_missing_interval_is_estimated_and_said(past: History, fitted: FittedDayProcess) -> None:
    hole = datetime.combine(UNSEEN[8], time(20), tzinfo=UTC)
    holed = without(past, OURS & (pl.col("time") == hole))
    targets = asked(UNSEEN[10:11])
    forecast = fitted.predict(holed, targets)
    assert any("were estimated" in words for words in forecast.missing_inputs)
    assert said(forecast).to_numpy() == pytest.approx(said(fitted.predict(past, targets)).to_numpy(), rel=0.01)
    assert not any("estimated" in words for words in fitted.predict(holed, asked(UNSEEN[20:21])).missing_inputs)


def test_a_day_with_many_missing_intervals_is_left_out(past: History) -> None:
    morning = datetime.combine(LEARNED[200], time(9), tzinfo=UTC)
    holed = without(past, OURS & pl.col("time").is_between(morning, morning + 6 * HOUR))
    at = asked(UNSEEN)["issued_at"][0]
    days = DayProcess().fit(holed.known_at(at), asked(LEARNED))._state.days
    assert len(days) == len(LEARNED) - 1
    assert (LEARNED[200] - date(1970, 1, 1)).days not in days


def test_without_humidity_it_uses_temperature_and_says_so(past: History, alone: FittedDayProcess) -> None:
    targets = asked(UNSEEN[10:14])
    is_humidity = pl.col("channel").str.contains("humidity|dew_point|wet_bulb")
    dry = without(past, is_humidity & between(UNSEEN[5], UNSEEN[-1]))
    forecast = alone.predict(dry, targets)
    assert any("No humidity was known" in words for words in forecast.missing_inputs)
    assert mape(forecast, past) < 1.5 * mape(alone.predict(past, targets), past)
    never = without(past, is_humidity)
    model = DayProcess(uses_rival=False).fit(never.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))
    assert model.predict(never, targets).missing_inputs == ()


def test_a_point_without_weight_counts_for_nothing(past: History) -> None:
    at = asked(UNSEEN)["issued_at"][0]
    points = {each.point for each in CONTEXT.covariates}
    first = min(points)
    weighed = tuple(replace(each, weight=float(each.point == first)) for each in CONTEXT.covariates)
    alone = tuple(each for each in weighed if each.weight > 0)
    one, other = (
        DayProcess().fit(replace(past.known_at(at), context=replace(CONTEXT, covariates=covariates)), asked(LEARNED))
        for covariates in (weighed, alone)
    )
    assert one.files() == other.files()


def test_it_names_what_it_is_made_of(fitted: FittedDayProcess, alone: FittedDayProcess) -> None:
    assert "operator's forecast" in fitted.features
    assert "operator's forecast" not in alone.features
    assert fitted.splits["train"].start.date() == FIRST


def refreshed(days: Sequence[date], clock: time) -> dy.DataFrame[Targets]:
    """Return days asked once more at another hour of the day before."""
    return day_ahead_targets(days, ZONE, resolution=HOUR, issue_clock=clock, known_clock=clock)


@pytest.mark.parametrize("hour", [0, 14, 21])
def test_issues_refreshed_at_other_hours_leave_the_band_of_the_morning_alone(past: History, hour: int) -> None:
    known = past.known_at(asked(UNSEEN)["issued_at"][0])
    morning = refreshed(LEARNED, time(8))
    mixed = Targets.validate(pl.concat([morning, refreshed(LEARNED[1::2], time(hour))]))
    alone, among_others = (DayProcess().fit(known, issues) for issues in (morning, mixed))
    question = refreshed(UNSEEN[:7], time(8))
    assert among_others.predict(past, question).values.equals(alone.predict(past, question).values)


def test_a_band_is_that_of_the_hours_known_of_the_running_day(past: History, alone: FittedDayProcess) -> None:
    def width(hour: int) -> float:
        """Return that of the last three hours of the day, seen from an hour of it."""
        found = []
        for day in UNSEEN:
            evening = Window(local_instant(day, time(21), ZONE), local_day(day, ZONE).end)
            issued_at = local_instant(day, time(hour), ZONE)
            question = targets(evening, issued_at, resolution=HOUR, time_zone=ZONE)
            found.append(table(alone.predict(past, question), past))
        wide = pl.concat(found)
        return float((wide["0.95"] / wide["0.05"]).log().mean())  # type: ignore[arg-type]  # never empty

    assert width(20) < 0.85 * width(3)


def test_a_band_depends_on_its_own_issue_alone(past: History, fitted: FittedDayProcess) -> None:
    morning, evening = refreshed(UNSEEN[:5], time(8)), refreshed(UNSEEN[:5], time(20))
    together = fitted.predict(past, Targets.validate(pl.concat([morning, evening]))).values
    for question in (morning, evening):
        mine = together.join(question.select("issued_at").unique(), on="issued_at", how="semi")
        said = fitted.predict(past, question).values
        assert mine.sort("issued_at", "time", "level").equals(said.sort("issued_at", "time", "level"))


def test_saved_and_read_again_it_answers_the_same_at_any_hour(past: History, fitted: FittedDayProcess) -> None:
    question = Targets.validate(pl.concat([refreshed(UNSEEN[:3], time(hour)) for hour in (0, 8, 17)]))
    again = FittedDayProcess.from_files(fitted.files())
    assert again.predict(past, question).values.equals(fitted.predict(past, question).values)


@pytest.fixture(scope="module")
def changed(past: History) -> History:
    """The region with 8 % less load from the first unseen day on."""
    return planted_change(past, CHANGES["step"], UNSEEN[0])


@pytest.mark.parametrize("name", ["fitted", "alone"])
def test_a_sudden_change_is_learned_within_a_week(
    past: History, changed: History, name: str, request: pytest.FixtureRequest
) -> None:
    model: FittedDayProcess = request.getfixturevalue(name)
    settled = asked(UNSEEN[7:21])
    usual = mape(model.predict(past, settled), past)
    assert mape(model.predict(changed, settled), changed) <= 1.2 * usual


@pytest.mark.parametrize("share", [-0.08, -0.25])  # the second is as far as a fault of the rival's feed, but is none
def test_a_change_that_is_not_yet_counted_on_widens_the_band(
    past: History, fitted: FittedDayProcess, share: float
) -> None:
    changed = planted_change(past, Change(share), UNSEEN[0])
    first = table(fitted.predict(changed, asked(UNSEEN[3:6])), changed)
    within = first["actual"].is_between(first["0.05"], first["0.95"])
    assert within.mean() >= 0.9  # type: ignore[operator]  # a number


def test_an_unusual_day_alone_is_no_lasting_change(past: History, fitted: FittedDayProcess) -> None:
    odd = planted_change(past, Change(-0.08, lasts_days=1, back_days=1), UNSEEN[0])
    later = asked(UNSEEN[2:9])
    assert mape(fitted.predict(odd, later), odd) <= 1.2 * mape(fitted.predict(past, later), past)


@pytest.mark.parametrize(("share", "first"), [(-0.08, 16), (-0.25, 3)])
def test_days_since_the_training_are_learned_like_those_of_the_training(
    past: History, fitted: FittedDayProcess, share: float, first: int
) -> None:
    changed, days = planted_change(past, Change(share), UNSEEN[0]), UNSEEN[first : first + 4]
    learned = [*LEARNED, *(LEARNED[-1] + timedelta(days=1 + n) for n in range(first))]
    again = DayProcess().fit(changed.known_at(asked(days)["issued_at"][0]), asked(learned))
    before, after = (table(each.predict(changed, asked(days)), changed) for each in (fitted, again))
    assert np.abs(before["0.5"] / after["0.5"] - 1).max() < 0.005
    assert all(np.abs(before[level] / after[level] - 1).max() < 0.05 for level in ("0.05", "0.95"))


@pytest.mark.parametrize("name", ["fitted", "alone"])
@pytest.mark.parametrize(("share", "n_days"), [(-0.8, 7), (-0.98, 3), (1.5, 5)])
def test_a_load_that_comes_back_from_far_off_is_forecast_as_if_it_had_never_left(
    past: History, name: str, share: float, n_days: int, request: pytest.FixtureRequest
) -> None:
    model: FittedDayProcess = request.getfixturevalue(name)
    dipped = planted_change(past, Change(share, lasts_days=n_days, back_days=1), UNSEEN[0])
    known = asked(UNSEEN[n_days + 2 : n_days + 16])  # each knows a day after the return
    assert mape(model.predict(dipped, known), dipped) <= 1.2 * mape(model.predict(past, known), past)


@pytest.mark.parametrize("uses_rival", [True, False])
def test_a_load_that_came_back_before_the_training_ended_teaches_nothing_of_its_dip(
    past: History, *, uses_rival: bool
) -> None:
    dipped = planted_change(past, Change(-0.95, lasts_days=5, back_days=1), LEARNED[-70])
    at = asked(UNSEEN)["issued_at"][0]
    of_dip, usual = (
        DayProcess(uses_rival=uses_rival).fit(each.known_at(at), asked(LEARNED)) for each in (dipped, past)
    )
    for later in (asked(LEARNED[-63:-49]), asked(UNSEEN[:14])):
        assert mape(of_dip.predict(dipped, later), dipped) <= 1.2 * mape(usual.predict(past, later), past)
    while_low = asked([LEARNED[-67]])
    early = DayProcess(uses_rival=uses_rival).fit(dipped.known_at(while_low["issued_at"][0]), asked(LEARNED[:-68]))
    now, then = (said(each.predict(dipped, while_low)).to_numpy() for each in (of_dip, early))
    assert now == pytest.approx(then, rel=1e-9)  # nobody knew then that the load would come back


def shut_down(past: History, begin: date, end: date, value: pl.Expr) -> History:
    is_shut = OURS & between(begin, end)
    rows = past.readings.with_columns(value=pl.when(is_shut).then(value).otherwise("value"))
    return replace(past, readings=Readings.cast(rows))


@pytest.mark.parametrize("value", [pl.lit(0.0), -VALUE], ids=["zero", "negative"])
def test_a_load_that_stays_at_zero_or_below_is_refused_after_some_days_with_its_cure(
    past: History, fitted: FittedDayProcess, value: pl.Expr
) -> None:
    shut = shut_down(past, UNSEEN[1], UNSEEN[15], value)
    first = fitted.predict(shut, asked([UNSEEN[4]]))  # two days of it are known
    assert first.values["value"].null_count() == 0
    assert any(words.startswith("48 intervals of the last days are zero or neg") for words in first.missing_inputs)
    assert not any("earlier hour" in words for words in first.missing_inputs)
    with pytest.raises(NotEnoughHistory, match=r"168 intervals of the last 7 days of .* are zero or neg") as refused:
        fitted.predict(shut, asked([UNSEEN[10]]))
    assert "gradient_boosting" in refused.value.remedy


def test_days_of_a_shutdown_are_null_among_others_and_answers_come_back_with_the_load(
    past: History, fitted: FittedDayProcess
) -> None:
    shut = shut_down(past, UNSEEN[1], UNSEEN[8], pl.lit(0.0))
    forecast = fitted.predict(shut, asked(UNSEEN[:14]))
    day = pl.col("time").dt.convert_time_zone(ZONE).dt.date()
    null = forecast.values.filter(pl.col("value").is_null()).select(day).to_series().unique().sort().to_list()
    assert null == UNSEEN[5:10]  # three known days of it, until the first day after it is known
    back = asked(UNSEEN[10:14])
    assert mape(fitted.predict(shut, back), past) <= 1.2 * mape(fitted.predict(past, back), past)
