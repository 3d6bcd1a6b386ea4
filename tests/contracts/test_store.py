"""What every store promises."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from builders import (
    DEMAND,
    TEMPERATURE,
    demand_channel,
    demand_context,
    forecasts,
    hour,
    hours,
    reading_rows,
    readings,
    region_site,
    temperature_channel,
)

from watthour.core.channel import Channel, Device, Limits, Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.frames import Forecasts, Maker, Quality, Readings, Refused
from watthour.core.place import Place, Point
from watthour.core.ports import RunState, SourceRun
from watthour.core.units import Quantity, Unit
from watthour.core.weather import weather_channels
from watthour.core.window import Window

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.ports import Store

EVER = Window(hour(-10_000), hour(10_000))


@pytest.fixture
def filled(store: Store) -> Store:
    """Return a store that knows two channels of New York."""
    store.register([region_site()], [demand_channel(), temperature_channel()])
    return store


def values(frame: pl.DataFrame) -> list[float | None]:
    return frame["value"].to_list()


class TestAppending:
    def test_what_was_put_in_comes_out(self, filled: Store) -> None:
        rows = readings(1.5, None, -3e300, 0.1 + 0.2, quality=Quality.ASSUMED | Quality.OUT_OF_RANGE)
        assert filled.append(rows) == 4
        assert filled.read([DEMAND], EVER).equals(rows)

    def test_appending_twice_changes_nothing(self, filled: Store) -> None:
        assert filled.append(readings(1.0, 2.0)) == 2
        assert filled.append(readings(1.0, 2.0)) == 0
        assert filled.append(readings(1.0, 2.0, recorded_at=hour(50))) == 0
        assert filled.versions([DEMAND], EVER).height == 2

    def test_a_row_that_says_what_is_known_already_changes_nothing(self, filled: Store) -> None:
        filled.append(readings(1.0, None, available_at=hour(5)))
        assert filled.append(readings(1.0, None, available_at=hour(9))) == 0

    def test_a_changed_value_is_a_new_version_and_the_old_one_stays_what_was_known(self, filled: Store) -> None:
        filled.append(readings(1.0, available_at=hour(5)))
        assert filled.append(readings(2.0, available_at=hour(9))) == 1
        assert values(filled.versions([DEMAND], EVER)) == [1.0, 2.0]
        assert values(filled.read([DEMAND], EVER)) == [2.0]
        assert values(filled.read([DEMAND], EVER, as_of=hour(8))) == [1.0]

    def test_what_was_recorded_since_comes_with_its_last_version(self, filled: Store) -> None:
        filled.append(readings(1.0, 2.0, 3.0, recorded_at=hour(10)))
        assert values(filled.recorded_since(DEMAND, hour(10))) == [1.0, 2.0, 3.0]
        filled.append(readings(9.0, available_at=hour(12), recorded_at=hour(12)))
        assert values(filled.recorded_since(DEMAND, hour(11))) == [9.0]
        assert values(filled.recorded_since(DEMAND, hour(9))) == [9.0, 2.0, 3.0]
        assert filled.recorded_since(DEMAND, hour(13)).is_empty()
        assert filled.recorded_since("grid.ny.unknown", hour(0)).is_empty()

    def test_a_value_that_changes_back_is_a_version_of_its_own(self, filled: Store) -> None:
        for value, at in ((1.0, 5), (2.0, 6), (1.0, 7)):
            assert filled.append(readings(value, available_at=hour(at))) == 1
        assert values(filled.versions([DEMAND], EVER)) == [1.0, 2.0, 1.0]

    def test_a_gap_is_a_value_of_its_own(self, filled: Store) -> None:
        filled.append(readings(None, available_at=hour(5)))
        assert filled.append(readings(1.0, available_at=hour(6))) == 1
        assert filled.append(readings(None, available_at=hour(7))) == 1
        assert filled.append(readings(0.0, available_at=hour(8))) == 1
        assert values(filled.versions([DEMAND], EVER)) == [None, 1.0, None, 0.0]

    def test_a_new_doubt_is_a_new_version(self, filled: Store) -> None:
        filled.append(readings(0.0, available_at=hour(5)))
        assert filled.append(readings(0.0, available_at=hour(6), quality=Quality.ZERO)) == 1

    def test_an_assumed_instant_alone_is_no_new_version(self, filled: Store) -> None:
        filled.append(readings(1.0, available_at=hour(5)))
        assert filled.append(readings(1.0, available_at=hour(6), quality=Quality.ASSUMED)) == 0

    def test_a_value_whose_instant_is_taken_became_known_when_it_was_recorded(self, filled: Store) -> None:
        filled.append(readings(1.0, available_at=hour(5), recorded_at=hour(5)))
        late = readings(2.0, available_at=hour(5), recorded_at=hour(40), quality=Quality.ASSUMED)
        assert filled.append(late) == 1
        assert filled.append(late) == 0
        versions = filled.versions([DEMAND], EVER)
        assert versions["available_at"].to_list() == [hour(5), hour(40)]
        assert versions["quality"].to_list() == [Quality.GOOD, Quality.GOOD]
        assert values(filled.read([DEMAND], EVER, as_of=hour(39))) == [1.0]

    def test_when_that_instant_is_taken_too_the_next_free_one_serves(self, filled: Store) -> None:
        filled.append(readings(1.0, available_at=hour(5), recorded_at=hour(5)))
        for value in (2.0, 3.0):
            assert filled.append(readings(value, available_at=hour(5), recorded_at=hour(5))) == 1
        assert values(filled.versions([DEMAND], EVER)) == [1.0, 2.0, 3.0]
        assert values(filled.read([DEMAND], EVER, as_of=hour(5))) == [1.0]

    def test_a_revision_that_is_taken_back_is_taken_back(self, filled: Store) -> None:
        for value, recorded in ((1.0, 5), (2.0, 40), (1.0, 50)):
            rows = readings(value, available_at=hour(5), recorded_at=hour(recorded), quality=Quality.ASSUMED)
            assert filled.append(rows) == 1
            assert filled.append(rows) == 0
        known = [values(filled.read([DEMAND], EVER, as_of=hour(at))) for at in (39, 49, 50)]
        assert known == [[1.0], [2.0], [1.0]]

    def test_of_several_rewritten_versions_only_the_last_is_news(self, filled: Store) -> None:
        def both(first: float, second: float, recorded: float) -> dy.DataFrame[Readings]:
            return reading_rows(
                (DEMAND, hour(0), hour(at), value, hour(recorded), 0) for at, value in ((5, first), (6, second))
            )

        assert filled.append(both(1.0, 2.0, recorded=6)) == 2
        assert filled.append(both(3.0, 4.0, recorded=40)) == 1
        assert filled.append(both(3.0, 4.0, recorded=50)) == 0
        assert values(filled.versions([DEMAND], EVER)) == [1.0, 2.0, 4.0]

    def test_several_versions_of_an_interval_may_come_at_once(self, filled: Store) -> None:
        rows = reading_rows(
            (DEMAND, hour(0), hour(at), value, hour(9), 0) for at, value in ((5, 1.0), (6, 1.0), (7, 2.0))
        )
        assert filled.append(rows) == 2
        assert filled.append(rows) == 0
        assert filled.versions([DEMAND], EVER)["available_at"].to_list() == [hour(5), hour(7)]

    def test_an_older_version_may_come_later(self, filled: Store) -> None:
        filled.append(readings(2.0, available_at=hour(9)))
        assert filled.append(readings(1.0, available_at=hour(5))) == 1
        assert values(filled.read([DEMAND], EVER, as_of=hour(6))) == [1.0]
        assert values(filled.read([DEMAND], EVER)) == [2.0]

    def test_new_hours_among_known_ones_are_kept(self, filled: Store) -> None:
        filled.append(readings(1.0, 2.0, start=hour(10)))
        assert filled.append(readings(0.5, 1.0, 2.0, 3.0, start=hour(9))) == 2
        assert values(filled.read([DEMAND], EVER)) == [0.5, 1.0, 2.0, 3.0]

    def test_instants_keep_their_microseconds(self, filled: Store) -> None:
        odd = datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=UTC)
        filled.append(reading_rows([(DEMAND, odd, odd + timedelta(microseconds=1), 1.0, odd + timedelta(days=900), 0)]))
        (row,) = filled.read([DEMAND], EVER).rows(named=True)
        assert (row["time"], row["available_at"], row["recorded_at"]) == (
            odd,
            odd + timedelta(microseconds=1),
            odd + timedelta(days=900),
        )

    def test_times_before_1970_are_times(self, filled: Store) -> None:
        old = datetime(1950, 1, 1, tzinfo=UTC)
        filled.append(readings(1.0, start=old))
        assert filled.read([DEMAND], Window(old, hour(0)))["time"].to_list() == [old]

    def test_nothing_appended_is_nothing_new(self, filled: Store) -> None:
        assert filled.append(readings()) == 0

    def test_a_channel_nobody_registered_is_refused_and_nothing_is_kept(self, filled: Store) -> None:
        rows = Readings.validate(pl.concat([readings(1.0), readings(1.0, channel="grid.ny.nuclear")]))
        with pytest.raises(InvalidInput, match=r"grid\.ny\.nuclear.*not registered"):
            filled.append(rows)
        assert filled.versions([DEMAND], EVER).is_empty()


class TestReading:
    def test_a_window_excludes_its_end(self, filled: Store) -> None:
        filled.append(readings(0.0, 1.0, 2.0, 3.0))
        assert values(filled.read([DEMAND], hours(1, 3))) == [1.0, 2.0]

    def test_rows_are_sorted_by_channel_and_time(self, filled: Store) -> None:
        filled.append(readings(21.0, 20.0, channel=TEMPERATURE))
        filled.append(readings(2.0, start=hour(1)))
        filled.append(readings(1.0))
        found = filled.read([TEMPERATURE, DEMAND], EVER)
        assert found["channel"].to_list() == [DEMAND, DEMAND, TEMPERATURE, TEMPERATURE]
        assert values(found) == [1.0, 2.0, 21.0, 20.0]

    def test_only_the_asked_channels_come(self, filled: Store) -> None:
        filled.append(readings(21.0, channel=TEMPERATURE))
        filled.append(readings(1.0))
        assert values(filled.read([TEMPERATURE], EVER)) == [21.0]
        assert values(filled.read([TEMPERATURE, TEMPERATURE, "grid.ny.nuclear"], EVER)) == [21.0]

    def test_many_channels_come_sorted_too_in_whatever_order_they_were_registered(self, filled: Store) -> None:
        names = [f"grid.ny.generation.fuel_{number:02}" for number in range(40)]
        for name in reversed(names):
            filled.register([], [demand_channel(name)])
            filled.append(readings(1.0, 2.0, channel=name))
        found = filled.read(names[:30], EVER)
        assert found["channel"].to_list() == [name for name in names[:30] for _ in range(2)]
        assert values(found) == [1.0, 2.0] * 30

    @pytest.mark.parametrize("channels", [[DEMAND], [], ["grid.ny.nuclear"]])
    def test_nothing_known_is_an_empty_table(self, filled: Store, channels: list[str]) -> None:
        for found in (filled.read(channels, EVER), filled.versions(channels, EVER, hour(0))):
            assert found.is_empty()
            assert Readings.is_valid(found)

    def test_a_row_is_known_from_its_instant_on(self, filled: Store) -> None:
        filled.append(readings(1.0, available_at=hour(5)))
        assert filled.read([DEMAND], EVER, as_of=hour(5) - timedelta(microseconds=1)).is_empty()
        assert values(filled.read([DEMAND], EVER, as_of=hour(5))) == [1.0]

    def test_an_instant_without_a_time_zone_is_refused(self, filled: Store) -> None:
        with pytest.raises(InvalidInput, match="as_of"):
            filled.read([DEMAND], EVER, as_of=datetime(2024, 1, 1))  # noqa: DTZ001 - the fault under test

    def test_spans_tell_first_and_last_interval_and_when_something_came_last(self, filled: Store) -> None:
        assert filled.spans() == {}
        filled.append(readings(1.0, 2.0, start=hour(5), recorded_at=hour(20)))
        filled.append(readings(0.0, start=hour(3), recorded_at=hour(30)))
        filled.append(readings(1.0, start=hour(5), recorded_at=hour(40)))
        assert filled.spans() == {DEMAND: (hour(3), hour(6), hour(30))}


class TestRegistering:
    def test_sites_and_channels_come_back_sorted_by_id(self, store: Store) -> None:
        sites = [region_site("ny"), region_site("caiso")]
        channels = [temperature_channel(), demand_channel(), demand_channel("grid.caiso.demand")]
        store.register(sites, channels)
        assert store.sites() == [sites[1], sites[0]]
        assert store.channels() == [channels[2], channels[1], channels[0]]

    def test_everything_said_of_a_site_and_a_channel_comes_back(self, store: Store) -> None:
        site = Site(
            "be",
            "Belgium",
            SiteKind.REGION,
            Place("Europe/Brussels", 50.85, 4.35, "BE"),
            zone="BE",
            operator="Elia",
            main_channel="grid.be.demand",
            points=(Point("brussels", 50.85, 4.35, 0.6), Point("liege", 50.6, 5.6, 0.4)),
            stations=(Point("ebbr", 50.9, 4.5),),
            codes=(("elia", "BE"), ("entsoe", "10YBE----------2")),
        )
        limits = Limits(4_000.0, 16_000.0, is_never_constant=True)
        quarter = timedelta(minutes=15)
        channels = [
            Channel("grid.be.demand", "be", Quantity.POWER, Unit.MW, quarter, limits=limits),
            Channel("grid.be.price", "be", Quantity.PRICE, Unit.CURRENCY_PER_KWH, quarter, currency="EUR"),
            *weather_channels(site, site.points)[:1],
        ]
        store.register([site], channels)
        assert store.sites() == [site]
        assert store.channels() == sorted(channels, key=lambda channel: channel.id)

    def test_registering_twice_changes_nothing(self, filled: Store) -> None:
        before = filled.sites(), filled.channels()
        filled.register([region_site()], [demand_channel()])
        assert (filled.sites(), filled.channels()) == before

    def test_a_site_may_be_described_better(self, filled: Store) -> None:
        better = replace(region_site(), name="New York", place=Place("America/New_York"))
        meter = Device("meter", "ny", "Meter")
        filled.register([better], [replace(demand_channel(), device="meter")], devices=[meter])
        assert filled.sites() == [better]
        assert filled.channels()[0].device == "meter"

    def test_a_channel_keeps_its_unit(self, filled: Store) -> None:
        with pytest.raises(InvalidInput, match="unit"):
            filled.register([], [replace(demand_channel(), unit=Unit.KWH)])
        assert filled.channels()[0].unit == Unit.MWH

    def test_simulated_and_real_never_mix(self, filled: Store) -> None:
        with pytest.raises(InvalidInput, match="simulated"):
            filled.register([region_site(is_simulated=True)], [])
        with pytest.raises(InvalidInput, match="simulated"):
            filled.register([], [demand_channel(is_simulated=True)])

    def test_a_channel_belongs_to_a_known_site(self, store: Store) -> None:
        with pytest.raises(InvalidInput, match="site"):
            store.register([], [demand_channel()])
        assert store.channels() == []


class TestForecasts:
    def test_what_was_put_in_comes_out(self, filled: Store) -> None:
        rows = forecasts(1.0, None, 3.0, model="gradient_boosting-1", level=1 / 3)
        assert filled.append_forecasts(rows) == 3
        assert filled.forecasts([DEMAND], EVER).equals(rows)

    def test_the_first_value_of_a_key_stays(self, filled: Store) -> None:
        assert filled.append_forecasts(forecasts(1.0, 2.0)) == 2
        assert filled.append_forecasts(forecasts(1.0, 7.0, 3.0)) == 1
        assert values(filled.forecasts([DEMAND], EVER)) == [1.0, 2.0, 3.0]

    def test_rows_are_sorted_by_their_key(self, filled: Store) -> None:
        rows = [
            forecasts(float(index), start=hour(at), issued_at=hour(issued), model=model, level=level, channel=channel)
            for index, (channel, at, issued, model, level) in enumerate(
                (channel, at, issued, model, level)
                for level in (0.9, 0.1)
                for model in ("operator", "naive")
                for issued in (-9, -12)
                for at in (3, 1)
                for channel in (TEMPERATURE, DEMAND)
            )
        ]
        assert filled.append_forecasts(Forecasts.validate(pl.concat(rows))) == 32
        found = filled.forecasts([TEMPERATURE, DEMAND], EVER)
        assert found.equals(found.sort("channel", "time", "issued_at", "model", "level"))
        assert found.height == 32

    def test_a_window_excludes_its_end(self, filled: Store) -> None:
        filled.append_forecasts(forecasts(0.0, 1.0, 2.0, 3.0))
        assert values(filled.forecasts([DEMAND], hours(1, 3))) == [1.0, 2.0]

    def test_what_was_not_yet_available_is_not_seen(self, filled: Store) -> None:
        filled.append_forecasts(forecasts(1.0, issued_at=hour(-20), available_at=hour(-15)))
        assert filled.forecasts([DEMAND], EVER, as_of=hour(-16)).is_empty()
        assert values(filled.forecasts([DEMAND], EVER, as_of=hour(-15))) == [1.0]

    def test_makers_and_levels_can_be_chosen(self, filled: Store) -> None:
        for index, (model, level) in enumerate((("a", 0.05), ("a", 0.5), ("b", 0.5))):
            filled.append_forecasts(forecasts(float(index), model=model, level=level))
        assert values(filled.forecasts([DEMAND], EVER, models=["a"])) == [0.0, 1.0]
        assert values(filled.forecasts([DEMAND], EVER, levels=[0.5])) == [1.0, 2.0]
        assert values(filled.forecasts([DEMAND], EVER, models=["a", "c"], levels=[0.5])) == [1.0]
        assert filled.forecasts([DEMAND], EVER, models=[]).is_empty()

    def test_the_latest_issue_is_that_of_each_interval_and_maker_among_the_available(self, filled: Store) -> None:
        filled.append_forecasts(forecasts(1.0, 2.0, issued_at=hour(-20)))
        filled.append_forecasts(forecasts(3.0, issued_at=hour(-10)))
        filled.append_forecasts(forecasts(9.0, issued_at=hour(-30), model="naive"))
        assert values(filled.forecasts([DEMAND], EVER, latest_issue=True)) == [9.0, 3.0, 2.0]
        assert values(filled.forecasts([DEMAND], EVER, latest_issue=True, as_of=hour(-15))) == [9.0, 1.0, 2.0]

    def test_all_quantiles_of_the_latest_issue_come(self, filled: Store) -> None:
        for level in (0.05, 0.5, 0.95):
            filled.append_forecasts(forecasts(level, issued_at=hour(-20), level=level))
            filled.append_forecasts(forecasts(1 + level, issued_at=hour(-10), level=level))
        assert values(filled.forecasts([DEMAND], EVER, latest_issue=True)) == [1.05, 1.5, 1.95]

    def test_models_of_a_channel_are_named_once_and_sorted(self, filled: Store) -> None:
        for model in ("operator", "naive"):
            filled.append_forecasts(forecasts(1.0, model=model))
            filled.append_forecasts(forecasts(1.0, model=model, level=0.9))
        filled.append_forecasts(forecasts(1.0, model="gfs", channel=TEMPERATURE))
        assert list(filled.models_of(DEMAND)) == ["naive", "operator"]
        assert filled.models_of("grid.ny.nuclear") == {}

    def test_who_made_a_forecast_is_kept_with_it(self, filled: Store) -> None:
        makers = {"naive": Maker.BASELINE, "operator": Maker.RIVAL, "somebody_elses_model": Maker.OWN}
        for model, maker in makers.items():
            filled.append_forecasts(forecasts(1.0, model=model, maker=maker))
        assert filled.models_of(DEMAND) == makers
        assert dict(filled.forecasts([DEMAND], EVER).select("model", "maker").iter_rows()) == makers
        of_others = filled.forecasts([DEMAND], EVER, makers=[Maker.RIVAL, Maker.BASELINE])
        assert of_others["model"].to_list() == ["naive", "operator"]

    def test_a_channel_nobody_registered_is_refused(self, filled: Store) -> None:
        with pytest.raises(InvalidInput, match="not registered"):
            filled.append_forecasts(forecasts(1.0, channel="grid.ny.nuclear"))

    def test_nothing_known_is_an_empty_table(self, filled: Store) -> None:
        assert Forecasts.is_valid(filled.forecasts([DEMAND], EVER, latest_issue=True))
        assert filled.append_forecasts(forecasts()) == 0


class TestHistory:
    CONTEXT = demand_context(temperature_channel())

    def test_it_holds_all_versions_of_the_channel_and_its_covariates_known_then(self, filled: Store) -> None:
        elsewhere = [temperature_channel("grid.ny.weather.nyc2.temperature_2m"), demand_channel("grid.ny.interchange")]
        filled.register([], elsewhere)
        for channel in (DEMAND, TEMPERATURE, *(channel.id for channel in elsewhere)):
            filled.append(readings(1.0, channel=channel, available_at=hour(3)))
            filled.append(readings(2.0, channel=channel, available_at=hour(5)))
            filled.append(readings(3.0, channel=channel, available_at=hour(9)))
        history = filled.history(self.CONTEXT, EVER, hour(6))
        assert history.readings.select("channel", "value").rows() == [
            (DEMAND, 1.0),
            (DEMAND, 2.0),
            (TEMPERATURE, 1.0),
            (TEMPERATURE, 2.0),
        ]
        assert history.as_of == hour(6)
        assert history.context == self.CONTEXT

    def test_it_holds_the_readings_of_companions_known_then_and_no_forecasts_of_them(self, filled: Store) -> None:
        context = replace(demand_context(), rivals=(), companions=(TEMPERATURE,))
        filled.append(readings(1.0, channel=TEMPERATURE, available_at=hour(3)))
        filled.append(readings(2.0, channel=TEMPERATURE, available_at=hour(9)))
        filled.append_forecasts(forecasts(3.0, model="gfs", channel=TEMPERATURE))
        history = filled.history(context, EVER, hour(6))
        assert history.readings.select("channel", "value").rows() == [(TEMPERATURE, 1.0)]
        assert history.forecasts.is_empty()

    def test_it_holds_the_rivals_and_all_forecasts_of_covariates_known_then(self, filled: Store) -> None:
        for model in ("operator", "gradient_boosting-1"):
            filled.append_forecasts(forecasts(1.0, model=model))
        for model in ("gfs", "open_meteo"):
            filled.append_forecasts(forecasts(2.0, model=model, channel=TEMPERATURE))
        filled.append_forecasts(forecasts(3.0, issued_at=hour(-1), model="gfs", channel=TEMPERATURE))
        history = filled.history(self.CONTEXT, EVER, hour(-2))
        assert history.forecasts.select("channel", "model", "value").rows() == [
            (DEMAND, "operator", 1.0),
            (TEMPERATURE, "gfs", 2.0),
            (TEMPERATURE, "open_meteo", 2.0),
        ]

    def test_a_context_without_covariates_and_rivals_has_readings_alone(self, filled: Store) -> None:
        filled.append(readings(1.0))
        filled.append(readings(1.0, channel=TEMPERATURE))
        filled.append_forecasts(forecasts(1.0))
        history = filled.history(replace(demand_context(), rivals=()), EVER, hour(99))
        assert history.readings["channel"].to_list() == [DEMAND]
        assert history.forecasts.is_empty()


class TestQuarantine:
    @staticmethod
    def refused(*rows: str, channel: str | None = DEMAND, at: float = 0) -> dy.DataFrame[Refused]:
        return Refused.validate(
            pl.DataFrame(
                [("eia", channel, "value", row, hour(at)) for row in rows],
                schema=Refused.create_empty().schema,
                orient="row",
            )
        )

    def test_the_same_row_is_kept_once(self, store: Store) -> None:
        assert store.quarantine(self.refused("a", "b", "a")) == 2
        assert store.quarantine(self.refused("b", "c", at=5)) == 1
        assert store.quarantine(self.refused("a", channel=None)) == 1
        assert store.quarantine(self.refused("a", channel=None)) == 0
        assert store.quarantine(self.refused()) == 0

    def test_a_whole_file_of_refused_rows_is_kept(self, store: Store) -> None:
        rows = self.refused(*map(str, range(33_000)))
        assert store.quarantine(rows) == 33_000
        assert store.quarantine(rows) == 0
        assert store.quarantined(limit=1)["row"].to_list() == ["32999"]

    def test_the_newest_come_first(self, store: Store) -> None:
        store.quarantine(self.refused("a", "b", at=1))
        store.quarantine(self.refused("c", at=2))
        assert store.quarantined()["row"].to_list() == ["c", "b", "a"]
        assert store.quarantined(limit=1)["row"].to_list() == ["c"]
        assert Refused.is_valid(store.quarantined())

    def test_a_row_that_names_no_known_channel_is_kept_too(self, store: Store) -> None:
        store.quarantine(self.refused("a", channel="nonsense"))
        assert store.quarantined().equals(self.refused("a", channel="nonsense"))


class TestRuns:
    @staticmethod
    def run(source: str = "eia", at: float = 0, problem: str | None = None) -> SourceRun:
        state = RunState.OK if problem is None else RunState.FAILED
        return SourceRun(source, hour(at), hour(at + 0.1), hours(0, 24), state, 24, 1, problem)

    def test_the_newest_run_comes_first(self, store: Store) -> None:
        runs = [self.run(at=1), self.run("open_meteo", 2), self.run(at=3, problem="answered 503")]
        for run in runs:
            store.note_run(run)
        assert store.runs() == runs[::-1]
        assert store.runs("eia") == [runs[2], runs[0]]
        assert store.runs(limit=1) == [runs[2]]
        assert store.runs("nyiso") == []

    def test_a_file_is_known_by_its_newest_run_for_each_thing_it_fills(self, store: Store) -> None:
        def of_file(at: float, file: str, *fills: str) -> SourceRun:
            return replace(self.run(f"csv:{file}", at), file=file, fills=fills)

        runs = [
            of_file(1, "a.csv", "x", "y"),
            of_file(2, "b.csv"),
            of_file(3, "a.csv", "x", "y"),
            of_file(4, "a.csv", "z"),
        ]
        for run in (*runs, self.run(at=5)):
            store.note_run(run)
        assert store.file_runs() == [runs[3], runs[2], runs[1]]
        assert store.runs(limit=1)[0].file is None

    def test_watching_begins_once(self, store: Store) -> None:
        assert store.watched_from("eia") is None
        store.watch("eia", hour(5))
        store.watch("eia", hour(9))
        assert store.watched_from("eia") == hour(5)
        assert store.watched_from("open_meteo") is None


class TestForgetting:
    def test_a_channel_goes_with_its_forecasts_and_the_site_after_it(self, filled: Store) -> None:
        filled.append_forecasts(forecasts(1.0, model="seasonal_naive"))
        filled.append_forecasts(forecasts(1.0, channel=TEMPERATURE, model="open_meteo"))
        filled.forget([DEMAND, TEMPERATURE], ["ny"])
        assert filled.channels() == []
        assert filled.sites() == []
        filled.register([region_site()], [demand_channel(), temperature_channel()])
        assert filled.forecasts([DEMAND, TEMPERATURE], EVER).is_empty()
        assert filled.models_of(DEMAND) == {}

    def test_readings_are_kept_unless_said(self, filled: Store) -> None:
        filled.append(readings(1.0, 2.0))
        with pytest.raises(InvalidInput, match=DEMAND):
            filled.forget([DEMAND, TEMPERATURE], ["ny"])
        assert len(filled.channels()) == 2
        assert filled.read([DEMAND], EVER).height == 2
        filled.forget([DEMAND, TEMPERATURE], ["ny"], with_readings=True)
        assert filled.spans() == {}
        filled.register([region_site()], [demand_channel()])
        assert filled.versions([DEMAND], EVER).is_empty()

    def test_a_rivals_forecasts_are_kept_unless_said(self, filled: Store) -> None:
        filled.append_forecasts(forecasts(1.0, model="operator"))
        with pytest.raises(InvalidInput, match="forecasts of others"):
            filled.forget([DEMAND])
        assert list(filled.models_of(DEMAND)) == ["operator"]

    def test_a_site_stays_while_it_has_another_channel_and_nothing_is_lost(self, filled: Store) -> None:
        filled.append(readings(1.0))
        with pytest.raises(InvalidInput, match=TEMPERATURE):
            filled.forget([DEMAND], ["ny"], with_readings=True)
        assert filled.read([DEMAND], EVER).height == 1
        assert [site.id for site in filled.sites()] == ["ny"]

    def test_the_readings_of_others_stay_as_they_were(self, filled: Store) -> None:
        filled.register([], [demand_channel("grid.ny.other")])
        filled.append(readings(1.0, channel="grid.ny.other"))
        filled.append(readings(2.0))
        filled.forget([DEMAND, "grid.nobody.knows"], with_readings=True)
        assert values(filled.read(["grid.ny.other"], EVER)) == [1.0]
        assert [channel.id for channel in filled.channels()] == ["grid.ny.other", TEMPERATURE]


def test_the_end_of_a_run_takes_the_place_of_its_beginning(store: Store) -> None:
    begun = SourceRun("eia", hour(9), hour(9), hours(0, 4), RunState.RUNNING, 0, problem="asked by process 1 on x")
    other = replace(begun, window=hours(4, 8))
    for run in (begun, other, replace(begun, state=RunState.OK, new_rows=4, problem=None)):
        store.note_run(run)
    assert {(run.window, run.state) for run in store.runs("eia")} == {
        (hours(0, 4), RunState.OK),
        (hours(4, 8), RunState.RUNNING),
    }
    store.note_run(replace(begun, state=RunState.FAILED, problem="x"))
    assert len(store.runs("eia")) == 3


def test_a_store_can_tell_whether_it_may_be_written(store: Store) -> None:
    store.check_writable()
