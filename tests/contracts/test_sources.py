"""What every connector promises, the template for new ones included."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from contracts.source_examples import EXAMPLES, Example
from fakes.server import BAD_GATEWAY

from watthour.core.errors import InvalidInput, SourceUnavailable
from watthour.core.frames import Forecasts, Quality, Readings
from watthour.core.ports import RunState
from watthour.core.window import Window
from watthour.sources.catalogue import CATALOGUE, connector
from watthour.store.memory import MemoryStore
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.core.ports import Delivery

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=list(EXAMPLES))
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Example]:
    with EXAMPLES[request.param](tmp_path) as example:
        yield example


@pytest.fixture
def delivery(example: Example) -> Delivery:
    return example.source.fetch(example.window, now=example.now)


def rows_of(delivery: Delivery) -> list[pl.DataFrame]:
    return [rows for rows in (delivery.readings, delivery.forecasts) if not rows.is_empty()]


def test_the_catalogue_and_the_examples_name_the_same_connectors() -> None:
    assert set(CATALOGUE) | {"_template"} == set(EXAMPLES)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_connector_of_the_catalogue_exists(name: str) -> None:
    assert callable(connector(name))
    assert CATALOGUE[name].page.startswith("docs/reference/sources/")


@pytest.mark.parametrize("document", sorted({card.page for card in CATALOGUE.values()}))
def test_every_connector_has_its_page(document: str) -> None:
    assert (Path(__file__).parents[2] / document).is_file()


def test_a_connector_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(InvalidInput, match="eia_bulk"):
        connector("teletext")


def test_it_has_a_name(example: Example) -> None:
    assert example.source.name == example.source.name.strip().lower()
    assert " " not in example.source.name


def test_its_channels_belong_to_its_sites(example: Example) -> None:
    sites = {site.id for site in example.source.sites()}
    channels = example.source.channels()
    assert {channel.site for channel in channels} <= sites
    assert len({channel.id for channel in channels}) == len(channels) > 0


def test_it_delivers_something_and_refuses_nothing_good(delivery: Delivery) -> None:
    assert rows_of(delivery)
    assert delivery.refused.is_empty()


def test_its_tables_keep_their_schemas(delivery: Delivery) -> None:
    Readings.validate(delivery.readings)
    Forecasts.validate(delivery.forecasts)


def test_it_delivers_only_channels_it_declares(example: Example, delivery: Delivery) -> None:
    declared = {channel.id for channel in example.source.channels()}
    for rows in rows_of(delivery):
        assert set(rows["channel"]) <= declared


def test_a_window_includes_its_start_and_excludes_its_end(example: Example, delivery: Delivery) -> None:
    for rows in rows_of(delivery):
        assert rows["time"].min() == example.window.start or example.is_always_observed
        assert rows["time"].is_between(example.window.start, example.window.end, closed="left").all()


def test_a_window_that_begins_within_an_hour_leaves_that_hour_out(example: Example) -> None:
    late = Window(example.window.start + 17 * MINUTE, example.window.end + 17 * MINUTE)
    for rows in rows_of(example.source.fetch(late, now=example.now)):
        assert rows["time"].is_between(late.start, late.end, closed="left").all()


def test_intervals_begin_where_the_step_of_their_channel_puts_them(example: Example, delivery: Delivery) -> None:
    for channel in example.source.channels():
        for rows in rows_of(delivery):
            times = rows.filter(pl.col("channel") == channel.id)["time"]
            assert (times.dt.truncate(channel.resolution) == times).all()


def test_a_channel_that_stands_for_a_place_says_what_it_weighs(example: Example) -> None:
    for channel in example.source.channels():
        assert (channel.variable is not None) == any(word in channel.id for word in (".weather.", ".ahead."))
        assert bool(channel.point) == (".weather." in channel.id)


def test_a_forecast_of_others_is_a_rivals(delivery: Delivery) -> None:
    assert set(delivery.forecasts["maker"]) <= {"rival"}


def test_nothing_is_known_later_than_now(example: Example, delivery: Delivery) -> None:
    for rows in rows_of(delivery):
        assert (rows["available_at"] <= example.now).all()
        assert set(rows["recorded_at"]) == {example.now}


def test_a_measurement_is_not_known_before_its_interval_ended(example: Example, delivery: Delivery) -> None:
    steps = {channel.id: channel.resolution for channel in example.source.channels()}
    told_ahead = {channel.id for channel in example.source.channels() if channel.is_told_ahead}
    for channel, time, available_at in delivery.readings.select("channel", "time", "available_at").iter_rows():
        assert available_at >= time + steps[channel] or channel in told_ahead


def test_prices_of_the_next_day_are_known_before_it_begins(example: Example) -> None:
    told_ahead = [channel.id for channel in example.source.channels() if channel.is_told_ahead]
    if not told_ahead:
        return  # the provider tells what was, not what is agreed for tomorrow
    readings = example.source.fetch(example.window, now=example.now).readings
    mine = readings.filter(pl.col("channel").is_in(told_ahead))
    assert mine.height > 0
    assert (mine["available_at"] < mine["time"]).all()


def test_a_forecast_is_not_known_before_it_was_made(delivery: Delivery) -> None:
    assert (delivery.forecasts["available_at"] >= delivery.forecasts["issued_at"]).all()


def test_rows_nobody_watched_come_by_rule_and_are_marked_assumed(example: Example, delivery: Delivery) -> None:
    for rows in rows_of(delivery):
        is_assumed = (rows["quality"] & int(Quality.ASSUMED)) != 0
        assert is_assumed.all() != example.is_always_observed


def test_rows_that_came_while_watching_are_known_when_they_came(example: Example) -> None:
    since = example.window.start - timedelta(days=30)
    for rows in rows_of(example.source.fetch(example.window, now=example.now, watched_from=since)):
        assert set(rows["available_at"]) == {example.now}
        assert ((rows["quality"] & int(Quality.ASSUMED)) == 0).all()


def test_asking_twice_gives_the_same(example: Example, delivery: Delivery) -> None:
    again = example.source.fetch(example.window, now=example.now)
    assert again.readings.equals(delivery.readings)
    assert again.forecasts.equals(delivery.forecasts)


def test_ingesting_twice_changes_nothing(example: Example) -> None:
    store = MemoryStore()
    first = ingest(example.source, store, example.window, now=example.now)
    again = ingest(example.source, store, example.window, now=example.now + MINUTE)
    assert first.new_rows > 0
    assert (again.new_rows, again.refused_rows) == (0, 0)
    assert [run.state for run in store.runs(example.source.name)] == [RunState.OK] * 2


def test_a_provider_that_fails_is_said_to_and_nothing_is_made_up(example: Example) -> None:
    if example.server is None:
        return  # a file at hand does not fail like this
    store = MemoryStore()
    example.server.faults.extend([BAD_GATEWAY] * 100)
    with pytest.raises(SourceUnavailable):
        ingest(example.source, store, example.window, now=example.now)
    assert store.spans() == {}
    assert [run.state for run in store.runs()] == [RunState.FAILED]


def test_a_provider_that_comes_back_is_asked_again(example: Example) -> None:
    if example.server is None:
        return  # as above
    example.server.faults.append(BAD_GATEWAY)
    assert rows_of(example.source.fetch(example.window, now=example.now))
