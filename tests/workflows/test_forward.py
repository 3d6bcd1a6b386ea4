"""Readings written to InfluxDB beside the store: over real HTTP, and whatever fails there."""

from __future__ import annotations

import time as clock
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest
from fakes.influxdb import TOKEN, Written, influxdb_writes
from fakes.server import BAD_GATEWAY, HANGS_UP, Answer

from watthour.core.carbon import Basis, CarbonKind, Scope, carbon_channel
from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import SourceRejected, SourceUnavailable
from watthour.core.frames import Quality, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import HOUR
from watthour.store.influxdb import InfluxdbSink, lines_of
from watthour.store.memory import MemoryStore
from watthour.store.telling import TellingStore
from watthour.workflows.forward import Forwarder
from watthour.workflows.news import News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import dataframely as dy
    from fakes.server import FakeServer

NOW = datetime(2026, 11, 21, 15, 30, tzinfo=UTC)
NY = Site("ny", "New York", SiteKind.REGION, Place("America/New_York"))
CARBON = carbon_channel(NY, "watttime", CarbonKind(Basis.MARGINAL, Scope.DIRECT), HOUR, Unit.GRAM_CO2_PER_KWH)
INDEX = carbon_channel(NY, "watttime", CarbonKind(Basis.INDEX), HOUR)
DEMAND = Channel("grid.ny.demand", "ny", Quantity.ENERGY, Unit.MWH, HOUR)
START = datetime(2026, 11, 20, tzinfo=UTC)


def rows(*values: float | None, channel: Channel = CARBON, at: datetime = START, recorded_at: datetime = NOW,
         available_at: datetime | None = None, quality: int = 0) -> dy.DataFrame[Readings]:  # fmt: skip
    table = [
        {
            "channel": channel.id,
            "time": at + n * HOUR,
            "available_at": available_at or at + (n + 1) * HOUR,
            "recorded_at": recorded_at,
            "value": value,
            "quality": quality,
        }
        for n, value in enumerate(values)
    ]
    return Readings.validate(pl.DataFrame(table, schema_overrides={"value": pl.Float64}), cast=True)


@pytest.fixture
def written() -> Written:
    return Written()


@pytest.fixture
def server(written: Written) -> Iterator[FakeServer]:
    with influxdb_writes(written) as server:
        yield server


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.register([NY], [CARBON, INDEX, DEMAND])
    return store


def sink(server: FakeServer, token: str | None = TOKEN, *, timeout_s: float = 15.0) -> InfluxdbSink:
    return InfluxdbSink(server.base_url, "watthour", token, timeout_s=timeout_s)


@pytest.fixture
def opened(server: FakeServer, store: MemoryStore, tmp_path: Path) -> Callable[..., Forwarder]:
    def open_it(kept_in: object = store, **choices: object) -> Forwarder:
        said = {"clock": lambda: NOW, "first_pause_s": 0.02, **choices}
        return Forwarder(kept_in, sink(server), ["*.carbon.*"], tmp_path / "marks.json", **said)  # type: ignore[arg-type]  # passed through

    return open_it


def until(is_so: Callable[[], bool]) -> None:
    give_up_at = clock.monotonic() + 20
    while not is_so():
        assert clock.monotonic() < give_up_at, "it did not come to that"
        clock.sleep(0.01)


def test_a_line_says_what_where_and_of_which_unit() -> None:
    table = rows(231.5, None, 1e-07, quality=int(Quality.ESTIMATED | Quality.ASSUMED))

    lines = lines_of(CARBON, table)

    begin = "carbon_intensity,channel=grid.ny.carbon.watttime.marginal.direct,site=ny,unit=gCO2/kWh"
    assert lines == [
        f'{begin} value=231.5,quality="assumed estimated",simulated=false 1763596800'.replace(
            "1763596800", str(int(START.timestamp()))
        ),
        f'{begin} value=1e-07,quality="assumed estimated",simulated=false {int((START + 2 * HOUR).timestamp())}',
    ]
    odd = replace(DEMAND, quantity=Quantity.PRICE, unit=Unit.CURRENCY_PER_KWH, currency="EUR", site="a b,c=d")
    assert lines_of(odd, rows(1.0, channel=odd))[0].startswith(
        r"price,channel=grid.ny.demand,site=a\ b\,c\=d,unit=EUR/kWh "
    )


def test_what_is_wanted_is_written_with_all_that_was_kept_before(
    store: MemoryStore, written: Written, opened: Callable[..., Forwarder]
) -> None:
    store.append(rows(231.5, None, 240.0))
    store.append(rows(37.0, channel=INDEX))
    store.append(rows(17_000.0, channel=DEMAND))

    forwarder = opened()
    forwarder.forward()

    assert written.of(CARBON.id) == [231.5, 240.0]  # a gap is no point, and no zero
    assert written.of(INDEX.id) == [37.0]
    assert written.of(DEMAND.id) == []
    assert written.tags[INDEX.id]["table"] == "carbon_index"
    state = forwarder.state
    assert (state.n_points, state.n_failures, state.last_success_at, state.problem) == (3, 0, NOW, None)


def test_what_is_new_is_written_once_and_a_revision_takes_the_place_of_what_was(
    store: MemoryStore, written: Written, opened: Callable[..., Forwarder]
) -> None:
    forwarder = opened()
    store.append(rows(231.5, 232.5))
    forwarder.forward()
    forwarder.forward()
    assert written.n_lines == 2
    later = NOW + timedelta(minutes=5)

    store.append(rows(200.0, available_at=later, recorded_at=later))
    forwarder.forward()

    assert written.of(CARBON.id) == [200.0, 232.5]
    assert written.n_lines == 3


def test_after_a_restart_the_last_hour_is_written_once_more_and_nothing_is_twice_there(
    store: MemoryStore, written: Written, opened: Callable[..., Forwarder]
) -> None:
    store.append(rows(1.0, recorded_at=NOW - 5 * HOUR))
    store.append(rows(2.0, at=START + HOUR, recorded_at=NOW))
    opened().forward()
    assert written.n_lines == 2

    again = opened()
    for _look in range(3):
        again.forward()

    assert written.n_lines == 3  # of the last hour, once
    assert written.of(CARBON.id) == [1.0, 2.0]


def test_rows_that_come_later_than_they_were_recorded_are_written(
    store: MemoryStore, written: Written, opened: Callable[..., Forwarder]
) -> None:
    forwarder = opened()
    store.append(rows(1.0, recorded_at=NOW))
    forwarder.forward()
    store.append(rows(2.0, at=START + HOUR, recorded_at=NOW - timedelta(minutes=20)))  # of a slow fetch
    store.append(rows(3.0, at=START + 2 * HOUR, recorded_at=NOW + timedelta(minutes=1)))

    forwarder.forward()

    assert written.of(CARBON.id) == [1.0, 2.0, 3.0]


def test_another_database_gets_everything(
    store: MemoryStore, written: Written, opened: Callable[..., Forwarder], tmp_path: Path
) -> None:
    store.append(rows(1.0, recorded_at=NOW - 5 * HOUR))
    opened().forward()
    marks = tmp_path / "marks.json"
    for text in (marks.read_text().replace(" watthour", " another"), "{", "[]"):
        written.points.clear()
        marks.write_text(text)

        opened().forward()

        assert written.of(CARBON.id) == [1.0]


@pytest.mark.parametrize("fault", [BAD_GATEWAY, HANGS_UP, Answer(429)], ids=["502", "hangs up", "429"])
def test_a_failure_is_counted_and_loses_nothing(
    store: MemoryStore, server: FakeServer, written: Written, opened: Callable[..., Forwarder], fault: Answer
) -> None:
    store.append(rows(1.0, 2.0))
    server.faults.append(fault)
    forwarder = opened()

    with pytest.raises(SourceUnavailable):
        forwarder.forward()

    assert (forwarder.state.n_points, forwarder.state.n_failures) == (0, 1)
    assert "influxdb" in str(forwarder.state.problem)
    forwarder.forward()
    assert written.of(CARBON.id) == [1.0, 2.0]
    assert forwarder.state.problem is None


def test_a_server_that_drips_is_given_up_after_the_time_limit(server: FakeServer) -> None:
    for is_head in (True, False):
        server.faults.append(Answer(drips=0.05, drips_in_head=is_head))
        with pytest.raises(SourceUnavailable, match=r"within 0\.5 seconds"):
            sink(server, timeout_s=0.5).write(CARBON, rows(1.0))


def test_a_token_that_is_refused_is_said_with_the_cure_and_never_shown(server: FakeServer) -> None:
    with pytest.raises(SourceRejected, match="WATTHOUR_INFLUXDB_SINK_TOKEN") as refused:
        sink(server, "apiv3_wrong").write(CARBON, rows(1.0))
    assert "apiv3_wrong" not in str(refused.value)
    with pytest.raises(SourceRejected, match="401"):
        sink(server, None).check()
    sink(server).check()


def test_a_channel_that_is_refused_holds_no_other_up(
    store: MemoryStore, written: Written, opened: Callable[..., Forwarder]
) -> None:
    store.append(rows(37.0, channel=INDEX))
    store.append(rows(1.0))
    written.refuses = INDEX.id  # sorted before the other
    forwarder = opened()

    with pytest.raises(SourceRejected, match="write of line protocol failed"):
        forwarder.forward()

    assert written.of(CARBON.id) == [1.0]
    written.refuses = ""
    forwarder.forward()
    assert written.of(INDEX.id) == [37.0]


def test_in_the_background_what_is_kept_is_written_at_once_and_no_writer_waits(
    store: MemoryStore, server: FakeServer, written: Written, opened: Callable[..., Forwarder]
) -> None:
    news = News()
    telling = TellingStore(store, news.tell)
    forwarder = opened(telling)
    end = news.add(forwarder)
    server.faults.append(replace(BAD_GATEWAY, delay=3.0))  # slow, and then a failure
    telling.append(rows(1.0))
    forwarder.start()
    until(lambda: len(server.requests) > 0)

    for n in range(1, 50):
        telling.append(rows(float(n), at=START + n * HOUR))

    assert forwarder.state.n_failures == 0  # the first request still hangs
    until(lambda: len(written.of(CARBON.id)) == 50)
    assert forwarder.state.n_failures == 1
    assert forwarder.state.is_running
    end()
    forwarder.stop()
    assert not forwarder.state.is_running


def test_a_stop_does_not_wait_for_a_server_that_hangs(
    store: MemoryStore, server: FakeServer, opened: Callable[..., Forwarder]
) -> None:
    store.append(rows(1.0))
    server.faults.append(replace(BAD_GATEWAY, delay=3.0))
    forwarder = opened()
    forwarder.start()
    until(lambda: len(server.requests) > 0)

    forwarder.stop(longest_s=0.1)

    assert (forwarder.state.is_running, forwarder.state.n_failures) == (False, 0)  # it hangs until now


def test_a_long_past_is_written_some_thousand_lines_at_a_time(
    store: MemoryStore, server: FakeServer, written: Written, opened: Callable[..., Forwarder]
) -> None:
    store.append(rows(*(float(n % 300) for n in range(12_000)), at=START - 12_000 * HOUR))

    opened().forward()

    assert len(written.of(CARBON.id)) == 12_000
    assert len(server.requests) == 3
