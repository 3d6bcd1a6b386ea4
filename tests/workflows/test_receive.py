"""Rows that meters send: each checked by itself, all of those accepted kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from builders import device, home_channel, home_site, temperature_channel
from town import NOW

from watthour.core.channel import Channel, DeviceKind, Limits
from watthour.core.frames import Quality
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window
from watthour.store.memory import MemoryStore
from watthour.workflows.receive import receive

POWER = "home.flat.power"
EVER = Window(NOW - 3000 * DAY, NOW + 30 * DAY)
AT = "2026-11-21T14:00:00Z"  # an hour that is over at 15:30


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    limits = Limits(-100.0, 100.0)
    plug = replace(home_channel("kettle.power"), device="home.flat.kettle", unit=Unit.W)
    store.register(
        [home_site()],
        [replace(home_channel("power"), limits=limits), plug, home_channel("price_less")],
        devices=[device("kettle"), device("lamp")],
    )
    return store


def reading(**changes: object) -> dict[str, Any]:
    return {"channel": POWER, "time": AT, "value": 0.5, **changes}


def sample(**changes: object) -> dict[str, Any]:
    return {"channel": POWER, "time": "2026-11-21T15:20:07.5Z", "measure": "power", "value": 420.0, **changes}


class TestKeeping:
    def test_a_reading_is_kept_as_known_from_its_end_on_when_nobody_listened_before(self, store: MemoryStore) -> None:
        done = receive(store, readings=[reading()], now=NOW)
        assert (done.accepted, done.new, done.refused) == (1, 1, [])
        (row,) = store.read([POWER], EVER).rows(named=True)
        assert (row["time"], row["value"], row["recorded_at"]) == (datetime(2026, 11, 21, 14, tzinfo=UTC), 0.5, NOW)
        assert (row["available_at"], row["quality"]) == (datetime(2026, 11, 21, 15, tzinfo=UTC), Quality.ASSUMED)

    def test_later_ones_were_known_when_they_came(self, store: MemoryStore) -> None:
        receive(store, readings=[reading()], now=NOW)
        later = NOW + HOUR
        receive(store, readings=[reading(time="2026-11-21T15:00:00Z")], now=later)
        row = store.read([POWER], EVER).rows(named=True)[1]
        assert (row["available_at"], row["quality"]) == (later, Quality.GOOD)

    def test_the_sender_may_say_when_a_value_was_known(self, store: MemoryStore) -> None:
        receive(store, readings=[reading(available_at="2026-11-21T16:02:00+01:00")], now=NOW)
        (row,) = store.read([POWER], EVER).rows(named=True)
        assert (row["available_at"], row["quality"]) == (datetime(2026, 11, 21, 15, 2, tzinfo=UTC), Quality.GOOD)

    def test_sending_again_changes_nothing(self, store: MemoryStore) -> None:
        rows: dict[str, Any] = {
            "readings": [reading(), reading(value=None, time="2026-11-21T13:00:00Z")],
            "samples": [sample()],
        }
        assert receive(store, now=NOW, **rows).new == 3
        again = receive(store, now=NOW + HOUR, **rows)
        assert (again.accepted, again.new, again.refused) == (3, 0, [])
        assert store.versions([POWER], EVER).height == 2
        assert store.samples([POWER], EVER).height == 1

    def test_a_corrected_reading_is_a_new_version(self, store: MemoryStore) -> None:
        receive(store, readings=[reading()], now=NOW)
        assert receive(store, readings=[reading(value=0.7)], now=NOW + HOUR).new == 1
        assert store.read([POWER], EVER)["value"].to_list() == [0.7]
        assert store.read([POWER], EVER, as_of=NOW)["value"].to_list() == [0.5]

    def test_a_gap_is_a_gap(self, store: MemoryStore) -> None:
        receive(store, readings=[reading(value=None)], now=NOW)
        assert store.read([POWER], EVER)["value"].to_list() == [None]

    def test_samples_keep_their_instants(self, store: MemoryStore) -> None:
        receive(store, samples=[sample(), sample(measure="counter", value=5210.25)], now=NOW)
        found = store.samples([POWER], EVER)
        assert found["measure"].to_list() == ["counter", "power"]
        assert found["time"].unique().to_list() == [datetime(2026, 11, 21, 15, 20, 7, 500_000, tzinfo=UTC)]

    def test_a_value_that_a_home_cannot_draw_is_kept_and_doubted(self, store: MemoryStore) -> None:
        done = receive(store, readings=[reading(value=4200.0)], now=NOW)
        (quality,) = store.read([POWER], EVER)["quality"]
        assert quality & Quality.OUT_OF_RANGE
        (doubted,) = done.doubted
        assert (done.accepted, doubted.channel, doubted.rule, doubted.count) == (1, POWER, "out_of_range", 1)
        assert "is in kW" in doubted.remedy
        assert receive(store, readings=[reading()], now=NOW + HOUR).doubted == []

    def test_the_two_hours_of_autumn_are_told_apart_by_their_offsets(self, store: MemoryStore) -> None:
        rows = [reading(time=f"2026-10-25T02:00:00{offset}") for offset in ("+02:00", "+01:00")]
        assert receive(store, readings=rows, now=NOW).new == 2

    def test_a_price_may_be_known_before_its_interval(self, store: MemoryStore) -> None:
        price = Channel("home.flat.price", "flat", Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency="EUR")
        store.register([], [price])
        done = receive(store, readings=[reading(channel=price.id, time="2026-11-22T14:00:00Z")], now=NOW)
        assert done.accepted == 1
        assert store.read([price.id], EVER, as_of=NOW).height == 1

    def test_nothing_sent_is_nothing_kept(self, store: MemoryStore) -> None:
        assert receive(store, now=NOW).accepted == 0


class TestRefusing:
    @pytest.mark.parametrize(
        ("changed", "field", "rule", "hint"),
        [
            ({"channel": "home.flat.pover"}, "channel", "channel_is_known", "Did you mean home.flat.power?"),
            ({"channel": "home.flat.kettle"}, "channel", "channel_is_known", "Did you mean home.flat.kettle.power?"),
            ({"channel": "home.flat.lamp"}, "channel", "channel_is_known", "device without a channel"),
            ({"channel": 7}, "channel", "channel_is_known", "/api/v1/channels"),
            ({"time": "2026-11-21T14:00:00"}, "time", "time_has_an_offset", "Z for UTC"),
            ({"time": "yesterday"}, "time", "time_is_readable", "ISO 8601"),
            ({"time": 1764000000}, "time", "time_is_readable", "ISO 8601"),
            ({"time": "2026-11-21T14:07:00Z"}, "time", "time_is_a_start", "`samples`"),
            ({"time": "2026-11-21T18:00:00Z"}, "time", "interval_has_begun", "sender's clock"),
            ({"time": "1960-01-01T00:00:00Z"}, "time", "time_is_likely", "clock"),
            ({"time": "0001-01-01T00:00:00+14:00"}, "time", "time_is_likely", "clock"),
            ({"time": "9999-12-31T23:59:59-23:59"}, "time", "time_is_likely", "clock"),
            ({"channel": "\ud800"}, "channel", "channel_is_known", "/api/v1/channels"),
            ({"channel": "home\x00"}, "channel", "channel_is_known", "/api/v1/channels"),
            ({"value": "0.5"}, "value", "value_is_a_number", "without quotes"),
            ({"value": True}, "value", "value_is_a_number", "without quotes"),
            ({"value": float("nan")}, "value", "value_is_finite", "finite"),
            ({"value": 10**400}, "value", "value_is_finite", "finite"),
            ({"value": -0.2}, "value", "power_can_be_negative", "--kind solar"),
            ({"available_at": "2026-11-21T13:00:00Z"}, "available_at", "known_only_after_it_began", "leave it out"),
            ({"available_at": "2027-11-21T13:00:00Z"}, "available_at", "available_at_has_come", "leave it out"),
            ({"unit": "kW"}, "unit", "fields_are_known", "channel, time, value, available_at"),
        ],
    )
    def test_a_reading_that_cannot_be_is_named_with_its_cure_and_the_others_are_kept(
        self, store: MemoryStore, changed: dict[str, Any], field: str, rule: str, hint: str
    ) -> None:
        done = receive(store, readings=[reading(**changed), reading(time="2026-11-21T12:00:00Z")], now=NOW)
        (refused,) = done.refused
        assert (done.accepted, done.new) == (1, 1)
        assert (refused.table, refused.row, refused.field, refused.rule) == ("readings", 0, field, rule)
        assert hint in refused.remedy
        assert store.quarantined()["rule"].to_list() == [rule]

    @pytest.mark.parametrize(
        ("changed", "rule"),
        [
            ({"measure": "energy"}, "measure_is_known"),
            ({"time": "2026-11-21T15:40:00Z"}, "time_has_come"),
            ({"value": None}, "value_is_a_number"),
            ({"measure": "counter", "value": -1.0}, "counter_is_not_negative"),
            ({"channel": "home.flat.kettle.power", "value": -1.0}, "power_can_be_negative"),
        ],
    )
    def test_a_sample_that_cannot_be_is_refused(self, store: MemoryStore, changed: dict[str, Any], rule: str) -> None:
        done = receive(store, samples=[sample(**changed)], now=NOW)
        assert [each.rule for each in done.refused] == [rule]
        assert store.samples([POWER], EVER).is_empty()

    @pytest.mark.parametrize("missing", ["channel", "time", "value"])
    def test_a_row_without_one_of_its_fields_is_refused(self, store: MemoryStore, missing: str) -> None:
        row = reading()
        del row[missing]
        (refused,) = receive(store, readings=[row], now=NOW).refused
        assert (refused.field, refused.rule) == (missing, "fields_are_complete")

    def test_a_home_with_solar_may_feed_in_and_a_kettle_in_it_may_not(self, store: MemoryStore) -> None:
        store.register([], [], devices=[replace(device("roof"), kind=DeviceKind.SOLAR)])
        kettle = reading(channel="home.flat.kettle.power", value=-3.0)
        done = receive(store, readings=[reading(value=-2.5), kettle], samples=[sample(value=-2500.0)], now=NOW)
        assert [each.rule for each in done.refused] == ["power_can_be_negative"]
        assert "watthour home device change flat home.flat.kettle --kind solar" in done.refused[0].remedy
        assert store.read([POWER], EVER)["value"].to_list() == [-2.5]

    def test_two_values_of_one_interval_in_one_request_are_told(self, store: MemoryStore) -> None:
        done = receive(store, readings=[reading(), reading(), reading(value=0.6)], now=NOW)
        assert (done.accepted, done.new) == (2, 1)
        assert (done.refused[0].row, done.refused[0].problem) == (2, "row 0 says 0.5 of the same channel and time")

    def test_another_value_of_an_instant_that_is_kept_is_told(self, store: MemoryStore) -> None:
        receive(store, samples=[sample()], now=NOW)
        done = receive(store, samples=[sample(), sample(value=500.0, time="2026-11-21T15:21:00Z")], now=NOW)
        assert (done.accepted, done.new) == (2, 1)
        done = receive(store, samples=[sample(value=421.0)], now=NOW)
        assert (done.accepted, done.refused[0].problem) == (0, "420.0 is kept of this instant")

    def test_weather_and_simulated_channels_take_nothing(self, store: MemoryStore) -> None:
        weather = temperature_channel("home.flat.weather.here.temperature_2m")
        town = replace(home_site("town"), is_simulated=True)
        store.register([town], [weather, replace(home_channel("power", "town"), is_simulated=True)])
        rows = [reading(channel=weather.id), reading(channel="home.town.power")]
        rules = [each.rule for each in receive(store, readings=rows, now=NOW).refused]
        assert rules == ["channel_is_measured", "channel_is_real"]

    def test_a_sample_tells_what_its_channel_holds(self, store: MemoryStore) -> None:
        room = Channel("home.flat.room.temperature", "flat", Quantity.TEMPERATURE, Unit.CELSIUS, timedelta(minutes=15))
        price = Channel("home.flat.price", "flat", Quantity.PRICE, Unit.CURRENCY_PER_KWH, HOUR, currency="EUR")
        store.register([], [room, price])
        rows = [sample(channel=room.id), sample(channel=price.id), sample(measure="humidity", value=50)]
        refused = receive(store, samples=rows, now=NOW).refused
        assert [each.rule for each in refused] == ["measure_fits_channel"] * 3
        assert [each.remedy for each in refused] == [
            "Use temperature, or name another channel.",
            "Send it as a reading of its interval (`readings`).",
            "Use power or counter, or name another channel.",
        ]
        warm = [sample(channel=room.id, measure="temperature", value=value) for value in (-7.5, 250)]
        done = receive(store, samples=[warm[0], {**warm[1], "time": "2026-11-21T15:21:07.5Z"}], now=NOW)
        assert (done.accepted, [each.rule for each in done.refused]) == (1, ["value_is_possible"])

    def test_ten_thousand_unknown_channels_are_told_at_once(self, store: MemoryStore) -> None:
        rows = [reading(channel=f"home.flat.unknown_{number}") for number in range(10_000)]
        done = receive(store, readings=rows, now=NOW)
        assert len(done.refused) == 10_000
        assert done.refused[-1].remedy == "/api/v1/channels lists all channels."
