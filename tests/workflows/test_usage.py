"""What a home uses now and used today: figures of what was told, gaps as gaps, days of 23 and 25 hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from builders import device, home_channel, home_site, reading_rows

from watthour.core.channel import Device, DeviceKind, Zone
from watthour.core.errors import InvalidInput, UnknownName
from watthour.core.frames import Measure, Quality, Samples
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, local_midnight
from watthour.store.memory import MemoryStore
from watthour.workflows.usage import home_usage, past_use

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Channel
    from watthour.workflows.usage import PartUsage

HOME = home_site()
MAINS = home_channel("power")
QUARTER = timedelta(minutes=15)
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2024, 1, 10, 12, 40, tzinfo=UTC)  # 13:40 in Paris
TODAY = local_midnight(NOW.date(), "Europe/Paris")


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.register([HOME], [MAINS])
    return made


def fill(
    store: MemoryStore,
    channel: Channel,
    start: datetime,
    values: Sequence[float | None],
    *,
    quality: Quality = Quality.GOOD,
    delay: timedelta = timedelta(0),
) -> None:
    """Append readings in a row, each known when its interval ended, or later."""
    rows = []
    for n, value in enumerate(values):
        time = start + n * channel.resolution
        known = time + channel.resolution + delay
        rows.append((channel.id, time, known, value, known, quality))
    store.append(reading_rows(rows))


def tell(store: MemoryStore, channel: str, rows: list[tuple[datetime, float]], measure: Measure) -> None:
    frame = [(channel, time, str(measure), time, value) for time, value in rows]
    store.append_samples(Samples.validate(pl.DataFrame(frame, schema=Samples.create_empty().schema, orient="row")))


def home_part(store: MemoryStore, now: datetime = NOW) -> PartUsage:
    return home_usage(store, HOME, now=now).parts[0]


def test_a_day_is_compared_with_the_same_hours_of_the_day_before(store: MemoryStore) -> None:
    fill(store, MAINS, TODAY - DAY, [1.0] * 24 + [0.5] * 13)
    found = home_part(store)
    assert (found.today_kwh, found.today_until) == (6.5, datetime(2024, 1, 10, 12, tzinfo=UTC))
    assert (found.yesterday_same_time_kwh, found.yesterday_kwh, found.known_share_today) == (13.0, 24.0, 1.0)
    assert (found.power_w, found.heard_at, found.is_late) == (500.0, datetime(2024, 1, 10, 12, tzinfo=UTC), False)


def test_a_gap_is_told_by_its_share_and_never_counted_as_zero(store: MemoryStore) -> None:
    fill(store, MAINS, TODAY - DAY, [1.0] * 5 + [None] + [1.0] * 18 + [0.5] * 6 + [None] * 3 + [0.5] * 4)
    found = home_part(store)
    assert found.today_kwh == 5.0
    assert found.known_share_today == pytest.approx(10 / 13)
    assert (found.yesterday_same_time_kwh, found.yesterday_kwh) == (None, None)


def test_what_is_doubted_is_a_gap(store: MemoryStore) -> None:
    fill(store, MAINS, TODAY, [0.5] * 12)
    fill(store, MAINS, TODAY + 12 * HOUR, [90.0], quality=Quality.UNUSUAL)
    found = home_part(store)
    assert (found.today_kwh, found.today_until, found.power_w) == (6.0, TODAY + 12 * HOUR, 500.0)


def test_a_home_of_which_nothing_is_known_today_has_no_figure_of_today(store: MemoryStore) -> None:
    fill(store, MAINS, TODAY - 3 * DAY, [1.0] * 24)
    found = home_part(store)
    assert (found.today_kwh, found.today_until, found.known_share_today, found.yesterday_kwh) == (None, None, 0.0, None)
    assert (found.power_w, found.heard_at, found.is_late) == (1000.0, TODAY - 2 * DAY, True)
    empty = MemoryStore()
    empty.register([HOME], [MAINS])
    unknown = home_part(empty)
    assert (unknown.power_w, unknown.heard_at, unknown.is_late, unknown.today_kwh) == (None, None, False, None)


def test_before_the_first_interval_of_a_day_has_ended_no_share_of_it_is_told(store: MemoryStore) -> None:
    fill(store, MAINS, TODAY - DAY, [1.0] * 24)
    found = home_part(store, TODAY + timedelta(minutes=20))
    assert (found.today_kwh, found.known_share_today, found.yesterday_kwh) == (None, None, 24.0)
    assert home_part(store, TODAY).yesterday_kwh == 24.0


@pytest.mark.parametrize(
    ("day", "hours", "same_time"),
    [("2024-03-31", 23, 4.0), ("2024-10-27", 25, 4.0)],
    ids=["spring", "autumn"],
)
def test_a_day_of_the_clock_change_is_told_in_full(store: MemoryStore, day: str, hours: int, same_time: float) -> None:
    changed = datetime.fromisoformat(day).date()
    midnight, after = local_midnight(changed, "Europe/Paris"), local_midnight(changed + DAY, "Europe/Paris")
    fill(store, MAINS, midnight - DAY, [1.0] * (24 + hours) + [1.0] * 4)
    until_four = home_part(store, midnight + (hours - 20) * HOUR)
    assert (until_four.today_kwh, until_four.yesterday_same_time_kwh) == (hours - 20.0, same_time)
    late = home_part(store, after - timedelta(minutes=1))
    assert (late.today_kwh, late.known_share_today) == (hours - 1.0, 1.0)
    day_after = home_part(store, after + 4 * HOUR)
    assert (day_after.yesterday_kwh, day_after.yesterday_same_time_kwh) == (float(hours), hours - 20.0)


def test_days_as_steps_are_days_of_any_length(store: MemoryStore) -> None:
    daily = replace(MAINS, id="home.flat.daily", quantity=Quantity.ENERGY, unit=Unit.KWH, resolution=DAY)
    store.register([replace(HOME, main_channel=daily.id)], [daily])
    midnight, after = (local_midnight(datetime(2024, 10, day).date(), "Europe/Paris") for day in (27, 28))  # noqa: DTZ001 - a local day
    store.append(reading_rows([(daily.id, midnight, after, 12.5, after, Quality.GOOD)]))
    found = home_usage(store, replace(HOME, main_channel=daily.id), now=after + 9 * HOUR).parts[0]
    assert (found.yesterday_kwh, found.today_kwh, found.known_share_today) == (12.5, None, None)
    assert found.power_w == pytest.approx(500.0)
    assert found.heard_at == after


def test_the_newest_sample_tells_the_power_before_its_interval_is_a_reading(store: MemoryStore) -> None:
    fill(store, MAINS, TODAY, [0.5] * 13)
    tell(store, MAINS.id, [(NOW - timedelta(seconds=each), 800.0 + each) for each in (30, 20, 10)], Measure.POWER)
    found = home_part(store)
    assert (found.power_w, found.heard_at, found.is_late) == (810.0, NOW - timedelta(seconds=10), False)
    assert found.today_kwh == 6.5


def test_a_power_that_no_home_can_draw_is_not_what_it_draws_now(store: MemoryStore) -> None:
    tell(store, MAINS.id, [(NOW - timedelta(seconds=20), 800.0), (NOW - timedelta(seconds=10), 1e300)], Measure.POWER)
    assert home_part(store).power_w == 800.0


def test_a_counter_tells_the_mean_power_of_its_last_minutes_also_across_a_reset(store: MemoryStore) -> None:
    stands = [(NOW - timedelta(minutes=20 - n), 100 + 0.01 * n) for n in range(21)]
    tell(store, MAINS.id, stands, Measure.COUNTER)
    assert home_part(store).power_w == pytest.approx(600.0)
    begun_anew = [(NOW + timedelta(minutes=1 + n), 0.02 * n) for n in range(7)]
    tell(store, MAINS.id, begun_anew, Measure.COUNTER)
    found = home_part(store, NOW + timedelta(minutes=7))
    assert found.power_w == pytest.approx(1200.0)
    assert found.heard_at == NOW + timedelta(minutes=7)


def test_power_that_is_fed_in_stays_negative_where_something_feeds_in(store: MemoryStore) -> None:
    tell(store, MAINS.id, [(NOW - 2 * QUARTER, 300.0), (NOW, -1500.0)], Measure.POWER)
    assert home_part(store).power_w == 300.0
    store.register([], [], devices=[replace(device("roof"), kind=DeviceKind.SOLAR)])
    fill(store, MAINS, TODAY, [-0.5] * 13)
    found = home_part(store)
    assert (found.power_w, found.today_kwh) == (-1500.0, -6.5)


def test_something_is_late_once_it_is_silent_for_longer_than_it_usually_is(store: MemoryStore) -> None:
    tell(store, MAINS.id, [(NOW - timedelta(seconds=10 * n), 100.0) for n in range(200)], Measure.POWER)
    assert not home_part(store, NOW + timedelta(seconds=55)).is_late
    assert home_part(store, NOW + timedelta(seconds=75)).is_late
    seldom = home_channel("seldom")
    store.register([], [seldom])
    tell(store, seldom.id, [(NOW - n * HOUR, 100.0) for n in range(30)], Measure.POWER)
    other = replace(HOME, main_channel=seldom.id)
    assert not home_usage(store, other, now=NOW + timedelta(minutes=100)).parts[0].is_late
    assert home_usage(store, other, now=NOW + timedelta(minutes=130)).parts[0].is_late


def test_readings_that_come_once_a_day_are_not_late_for_a_day(store: MemoryStore) -> None:
    for back in range(5, 0, -1):
        start = TODAY - back * DAY
        came = start + DAY + 6 * HOUR
        store.append(reading_rows((MAINS.id, start + n * HOUR, came, 1.0, came, Quality.GOOD) for n in range(24)))
    found = home_part(store)
    assert (found.heard_at, found.is_late, found.yesterday_kwh) == (TODAY, False, 24.0)
    assert home_part(store, NOW + 3 * DAY).is_late


def test_a_zone_is_the_sum_of_what_is_measured_in_it_and_unknown_while_a_part_is(store: MemoryStore) -> None:
    kitchen = Zone("home.flat.kitchen", "flat", "Kitchen")
    fridge = Device("home.flat.fridge", "flat", "Fridge", DeviceKind.FRIDGE, zone=kitchen.id)
    oven = Device("home.flat.oven", "flat", "Oven", DeviceKind.OVEN, zone=kitchen.id)
    cold = replace(home_channel("fridge.power"), device=fridge.id)
    hot = replace(
        home_channel("oven.energy"), device=oven.id, quantity=Quantity.ENERGY, unit=Unit.KWH, resolution=QUARTER
    )
    store.register([], [cold, hot], zones=[kitchen], devices=[fridge, oven])
    fill(store, cold, TODAY - DAY, [0.1] * 37)
    parts = {part.id: part for part in home_usage(store, HOME, now=NOW).parts}
    assert list(parts) == ["flat", kitchen.id, fridge.id, oven.id]
    assert parts[fridge.id].power_w == pytest.approx(100.0)
    assert parts[fridge.id].device_kind == DeviceKind.FRIDGE
    assert (parts[kitchen.id].power_w, parts[kitchen.id].today_kwh, parts[oven.id].today_kwh) == (None, None, None)
    fill(store, hot, TODAY - DAY, [0.05] * (24 * 4 + 13 * 4 + 2))
    room = {part.id: part for part in home_usage(store, HOME, now=NOW).parts}[kitchen.id]
    assert room.channel is None
    assert room.power_w == pytest.approx(300.0)
    assert room.today_kwh == pytest.approx(13 * 0.1 + 13 * 0.2)
    assert room.today_until == TODAY + 13 * HOUR
    assert room.yesterday_kwh == pytest.approx(24 * 0.3)
    assert room.heard_at == TODAY + 13 * HOUR


def test_power_and_energy_of_one_device_are_not_added(store: MemoryStore) -> None:
    plug = device("plug")
    power = replace(home_channel("plug.power"), device=plug.id)
    energy = replace(home_channel("plug.energy"), device=plug.id, quantity=Quantity.ENERGY, unit=Unit.KWH)
    store.register([], [power, energy], devices=[plug])
    for channel in (power, energy):
        fill(store, channel, TODAY, [0.2] * 13)
    found = home_usage(store, HOME, now=NOW).parts[-1]
    assert found.channel == energy.id
    assert found.today_kwh == pytest.approx(2.6)


def test_a_device_that_nothing_measures_has_no_figures(store: MemoryStore) -> None:
    store.register([], [], devices=[device("kettle")])
    found = home_usage(store, HOME, now=NOW).parts[-1]
    assert (found.channel, found.power_w, found.today_kwh, found.known_share_today) == (None, None, None, None)


def test_half_hour_time_zones_count_the_intervals_that_start_in_their_day() -> None:
    store, site = MemoryStore(), replace(HOME, place=replace(HOME.place, time_zone="Asia/Kolkata"))
    store.register([site], [MAINS])
    midnight = local_midnight(NOW.date(), "Asia/Kolkata")
    fill(store, MAINS, midnight - DAY - timedelta(minutes=30), [1.0] * 40)
    found = home_usage(store, site, now=midnight + 15 * HOUR).parts[0]
    assert (found.today_kwh, found.known_share_today, found.yesterday_kwh) == (14.0, 1.0, 24.0)


class TestPast:
    """What was used over local days."""

    def test_a_day_is_told_in_its_intervals_a_week_in_hours_a_month_in_days(self, store: MemoryStore) -> None:
        fill(store, MAINS, TODAY - 9 * DAY, [0.5] * 9 * 24 + [1.0] * 13)
        today = NOW.date()
        day = past_use(store, HOME, first=today, last=today, now=NOW)
        assert (len(day.spans), day.step) == (13, HOUR)  # of the hour that is running nothing can be known
        assert (day.spans[-1].kwh, day.spans[-1].known_share) == (1.0, 1.0)
        week = past_use(store, HOME, first=today - 6 * DAY, last=today, now=NOW)
        assert (len(week.spans), week.spans[0].power_w) == (6 * 24 + 13, 500.0)
        month = past_use(store, HOME, first=today - 9 * DAY, last=today, now=NOW)
        assert [span.kwh for span in month.spans] == [12.0] * 9 + [13.0]
        assert (month.step, month.spans[-1].known_share) == (DAY, 1.0)

    def test_a_gap_lowers_what_is_known_and_not_the_mean_power(self, store: MemoryStore) -> None:
        fill(store, MAINS, TODAY - DAY, [1.0] * 12 + [None] * 12)
        yesterday = TODAY.astimezone(PARIS).date() - DAY
        (span,) = past_use(store, HOME, first=yesterday, last=yesterday, now=NOW, step="day").spans
        assert (span.kwh, span.power_w, span.known_share) == (12.0, 1000.0, 0.5)
        hours = past_use(store, HOME, first=yesterday, last=yesterday, now=NOW, step="hour").spans
        assert [hour.kwh for hour in hours[11:13]] == [1.0, None]

    @pytest.mark.parametrize(("day", "hours"), [(date(2024, 3, 31), 23), (date(2024, 10, 27), 25)])
    def test_days_of_23_and_25_hours_are_whole(self, store: MemoryStore, day: date, hours: int) -> None:
        midnight = local_midnight(day, "Europe/Paris")
        fill(store, MAINS, midnight - DAY, [1.0] * 80)
        later = midnight + 3 * DAY
        (whole,) = past_use(store, HOME, first=day, last=day, now=later, step="day").spans
        assert (whole.kwh, whole.known_share) == (hours, 1.0)
        assert len(past_use(store, HOME, first=day, last=day, now=later, step="hour").spans) == hours

    def test_a_zone_is_the_sum_of_its_devices_and_unknown_where_one_is(self, store: MemoryStore) -> None:
        kitchen = Zone("home.flat.kitchen", "flat", "Kitchen")
        oven, hob = (
            replace(home_channel(f"{name}.power"), device=f"home.flat.{name}", unit=Unit.W) for name in ("oven", "hob")
        )
        devices = [replace(device(name), zone=kitchen.id) for name in ("oven", "hob")]
        store.register([], [oven, hob], devices=devices, zones=[kitchen])
        fill(store, oven, TODAY, [100.0] * 5)
        fill(store, hob, TODAY, [50.0] * 3)
        today = NOW.date()
        spans = past_use(store, HOME, first=today, last=today, now=NOW, zone="Kitchen").spans
        assert [span.power_w for span in spans[:5]] == [150.0] * 3 + [None] * 2
        assert spans[4].known_share == 0.5
        alone = past_use(store, HOME, first=today, last=today, now=NOW, device="oven").spans
        assert [span.power_w for span in alone[:5]] == [100.0] * 5

    def test_what_nothing_measures_has_no_past(self, store: MemoryStore) -> None:
        store.register([], [], devices=[device("kettle")])
        past = past_use(store, HOME, first=NOW.date(), last=NOW.date(), now=NOW, device="kettle")
        assert (past.channels, past.spans) == ((), ())

    def test_what_cannot_be_told_says_why(self, store: MemoryStore) -> None:
        today = NOW.date()
        with pytest.raises(UnknownName, match="no such zone"):
            past_use(store, HOME, first=today, last=today, now=NOW, zone="attic")
        with pytest.raises(InvalidInput, match="Name a device or a zone"):
            past_use(store, HOME, first=today, last=today, now=NOW, zone="attic", device="oven")
        with pytest.raises(InvalidInput, match="Swap them"):
            past_use(store, HOME, first=today, last=today - DAY, now=NOW)
        with pytest.raises(InvalidInput, match="step=day"):
            past_use(store, HOME, first=today - 999 * DAY, last=today, now=NOW, step="hour")
