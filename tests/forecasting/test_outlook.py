"""What load and sun do in the steps ahead: their level, their courses, and what is not known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from watthour.core.window import DAY, HOUR
from watthour.forecasting.outlook import MEMORY, Clock, Outlook, Rule, outlook

PARIS = "Europe/Paris"
NOON = datetime(2024, 6, 12, 10, tzinfo=UTC)  # of a Wednesday
N_PAST = MEMORY // HOUR


def clock_at(start: datetime, n_steps: int = 36, zone: str = PARIS) -> Clock:
    return Clock(start, HOUR, n_steps, zone)


def hours_before(start: datetime) -> list[datetime]:
    return [start - (N_PAST - n) * HOUR for n in range(N_PAST)]


def roof_at(instant: datetime) -> float:
    return 3.0 * max(float(np.sin((instant.hour - 4) / 15 * np.pi)), 0.0) if 4 <= instant.hour < 19 else 0.0


def seen(load: np.ndarray, sun: np.ndarray | None, start: datetime = NOON) -> Outlook:
    found = outlook(load, sun, clock_at(start))
    assert found is not None
    return found


def test_what_is_the_same_every_day_is_foreseen_as_it_is_in_every_course() -> None:
    load = np.array([0.2 + 0.1 * each.hour for each in hours_before(NOON)])
    sun = np.array([roof_at(each) for each in hours_before(NOON)])
    found = seen(load, sun)
    ahead = [NOON + n * HOUR for n in range(36)]
    assert found.load_kw == pytest.approx(np.array([0.2 + 0.1 * each.hour for each in ahead]))
    assert found.solar_kw == pytest.approx(np.array([roof_at(each) for each in ahead]))
    assert found.load_paths_kw == pytest.approx(np.tile(found.load_kw, (Rule().n_courses, 1)))
    assert found.solar_paths_kw == pytest.approx(np.tile(found.solar_kw, (Rule().n_courses, 1)))
    assert found.path_counts.sum() == Rule().n_days


def test_courses_hold_load_and_sun_of_the_same_days() -> None:
    """On each second day there is much sun and much load."""
    is_much = np.array([(NOON - each) // DAY % 2 == 0 for each in hours_before(NOON)])
    found = seen(np.where(is_much, 2.0, 1.0), np.where(is_much, 1.5, 0.5))
    late = slice(18, 23)
    high = found.load_paths_kw[:, late].mean(axis=1) > 1.5
    assert 0 < high.sum() < len(high)
    assert found.solar_paths_kw[high][:, late].min() > found.solar_paths_kw[~high][:, late].max()


def test_after_days_of_more_use_more_is_foreseen_and_the_courses_lie_higher() -> None:
    load = np.ones(N_PAST)
    load[-48:] = 2.0
    found = seen(load, None)
    assert found.load_kw[12:].mean() > 1.3
    assert np.median(found.load_paths_kw[:, 12:]) > 1.2  # though on most days 1 kW was used
    assert (found.solar_kw == 0.0).all()


def test_what_the_last_hours_differed_by_is_believed_and_fades() -> None:
    load = np.ones(N_PAST)
    load[-2:] = 3.0
    found = seen(load, None)
    assert found.load_kw[0] == pytest.approx(3.0, abs=0.2)
    assert found.load_kw[24] < 1.3


def test_more_sun_than_ever_is_not_foreseen() -> None:
    sun = np.array([roof_at(each) for each in hours_before(NOON)])
    sun[: -3 * 24] *= 0.3  # three bright days after a dull month
    found = seen(np.ones(N_PAST), sun)
    most = np.array([roof_at(NOON + n * HOUR) for n in range(36)])
    assert (found.solar_paths_kw[:, 12:] <= 1.03 * most[12:] + 1e-9).all()


@pytest.mark.parametrize("night", [datetime(2024, 3, 31, tzinfo=UTC), datetime(2024, 10, 27, tzinfo=UTC)])
def test_habits_follow_the_clock_through_its_changes_and_the_sun_does_not(night: datetime) -> None:
    start = night - 6 * HOUR
    load = np.array([2.0 if each.astimezone(ZoneInfo(PARIS)).hour == 7 else 1.0 for each in hours_before(start)])
    sun = np.array([roof_at(each) for each in hours_before(start)])
    found = seen(load, sun, start)
    ahead = [start + n * HOUR for n in range(36)]
    at_seven = np.array([each.astimezone(ZoneInfo(PARIS)).hour == 7 for each in ahead])
    assert found.load_kw == pytest.approx(np.where(at_seven, 2.0, 1.0))
    assert found.solar_kw == pytest.approx(np.array([roof_at(each) for each in ahead]))


def test_a_course_stands_for_the_days_that_are_like_it() -> None:
    """Of two weeks a day in seven is another."""
    days = np.array([(each + 12 * HOUR).timetuple().tm_yday for each in hours_before(NOON - 12 * HOUR)])
    found = seen(np.where(days % 7 == 0, 3.0, 1.0), None)
    late = found.load_paths_kw[:, 30:].mean(axis=1)
    assert 2 <= found.path_counts[late > 2.0].sum() <= 4
    assert found.path_counts.sum() == Rule().n_days
    assert len(late) == Rule().n_courses


def test_days_with_a_gap_are_no_courses_and_too_few_days_are_nothing() -> None:
    load = np.ones(N_PAST)
    load[-5 * 24 + 3] = np.nan
    found = seen(load, None)
    assert found.path_counts.sum() == Rule().n_days - 2  # the day of the gap, and the one before with its next hours
    assert np.isfinite(found.load_kw).all()
    short = np.full(N_PAST, np.nan)
    short[-6 * 24 :] = 1.0
    assert outlook(short, None, clock_at(NOON)) is None
    assert outlook(np.full(N_PAST, np.nan), None, clock_at(NOON)) is None


def test_an_inverter_that_sleeps_by_night_leaves_no_gap() -> None:
    sun = np.array([roof_at(each) or np.nan for each in hours_before(NOON)])
    found = seen(np.ones(N_PAST), sun)
    assert found.path_counts.sum() == Rule().n_days
    assert found.solar_kw == pytest.approx(np.array([roof_at(NOON + n * HOUR) for n in range(36)]))


def test_readings_that_come_late_leave_what_is_known() -> None:
    load = np.array([0.2 + 0.1 * each.hour for each in hours_before(NOON)])
    load[-3:] = np.nan
    found = seen(load, None)
    assert found.load_kw == pytest.approx(np.array([0.2 + 0.1 * (NOON + n * HOUR).hour for n in range(36)]))


def test_what_a_net_meter_feeds_in_is_sun() -> None:
    net = np.array([0.5 - roof_at(each) for each in hours_before(NOON)])
    found = seen(net, None)
    ahead = np.array([0.5 - roof_at(NOON + n * HOUR) for n in range(36)])
    assert found.load_kw - found.solar_kw == pytest.approx(ahead)
    assert (np.minimum(found.load_paths_kw, found.solar_paths_kw) == 0.0).all()
    assert (found.load_kw >= 0.0).all()


@pytest.mark.parametrize("minutes", [15, 30])
def test_nothing_of_the_time_ahead_is_needed(minutes: int) -> None:
    """Whatever step a home is planned in, the last value is that of the step before the first."""
    step = timedelta(minutes=minutes)
    load = np.repeat(np.array([0.2 + 0.1 * each.hour for each in hours_before(NOON)]), HOUR // step)
    found = outlook(load, None, Clock(NOON, step, 36 * (HOUR // step), PARIS))
    assert found is not None
    ahead = [0.2 + 0.1 * (NOON + n * step).hour for n in range(36 * (HOUR // step))]
    assert found.load_kw == pytest.approx(np.array(ahead))
