"""The live line, over real sockets: rows in, news out, and callers who misbehave."""

from __future__ import annotations

import json
import socket
import time
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import httpx2
import pytest
from builders import home_channel, home_site, readings
from pydantic import SecretStr
from town import IMPATIENT, NOW, forecasts, served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from watthour.api.app import create_app
from watthour.api.security import READINGS_LIMIT
from watthour.core.errors import StoreFull
from watthour.core.news import Kept, Table
from watthour.core.window import DAY, Window
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.store.memory import MemoryStore
from watthour.store.telling import TellingStore
from watthour.workflows.news import News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import dataframely as dy
    from websockets.sync.connection import Connection

    from watthour.bootstrap import App
    from watthour.core.frames import Readings
    from watthour.core.ports import Store

POWER, OTHER = "home.flat.power", "home.house.power"
HUNDRED = readings(*[1.0] * 100, channel=POWER)
LIMITS = replace(IMPATIENT, live_news=8, live_patience_s=0.3)


@pytest.fixture
def app(empty: App) -> App:
    news = News()
    app = replace(empty, store=cast("Store", TellingStore(MemoryStore(), news.tell)), news=news)
    app.store.register([home_site(), home_site("house")], [home_channel("power"), home_channel("power", "house")])
    return app


@pytest.fixture
def address(app: App) -> Iterator[str]:
    api = create_app(app, now=lambda: NOW, limits=LIMITS)
    with served(api, ws="auto", ws_per_message_deflate=False) as url:
        yield url.replace("http", "ws") + "/api/v1/live"


@pytest.fixture
def line(address: str) -> Iterator[Connection]:
    with connect(address) as opened:
        yield opened


def ask(line: Connection, **message: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    line.send(json.dumps(message))
    return heard(line)


def heard(line: Connection) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(line.recv(timeout=20))
    return said


def row(value: object = 0.5, **changes: object) -> dict[str, object]:
    return {"channel": POWER, "time": "2026-11-21T14:00:00Z", "value": value, **changes}


class TestSending:
    def test_rows_are_kept_and_answered_under_the_id_of_their_message(self, line: Connection, app: App) -> None:
        sample = {"channel": POWER, "time": "2026-11-21T15:20:07Z", "measure": "power", "value": 420}
        bad = row(channel="home.flat.pover")
        answer = ask(line, type="send", id="a7", readings=[row(), bad], samples=[sample])
        (refused,) = answer.pop("refused")
        assert answer == {"type": "kept", "id": "a7", "accepted": 2, "new": 2, "doubted": []}
        assert (refused["table"], refused["row"], refused["field"]) == ("readings", 1, "channel")
        assert "Did you mean home.flat.power?" in refused["remedy"]
        window = Window(NOW - DAY, NOW + DAY)
        assert app.store.read([POWER], window)["value"].to_list() == [0.5]
        assert app.store.samples([POWER], window)["value"].to_list() == [420]

    def test_what_cannot_be_right_is_said_to_whoever_sends_it(self, line: Connection) -> None:
        (doubted,) = ask(line, type="send", readings=[row(1e13)])["doubted"]
        assert (doubted["channel"], doubted["rule"], doubted["count"]) == (POWER, "out_of_range", 1)

    def test_sending_again_changes_nothing(self, line: Connection) -> None:
        assert [ask(line, type="send", id=n, readings=[row()])["new"] for n in (1, 2)] == [1, 0]

    def test_what_is_not_kept_is_not_acknowledged(
        self, line: Connection, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_readings: object) -> int:
            raise StoreFull("the disk is full", remedy="Free space.")

        monkeypatch.setattr(app.store, "append", full)
        answer = ask(line, type="send", id=3, readings=[row()])
        assert (answer["type"], answer["id"], answer["problem"]["status"]) == ("problem", 3, 507)

    def test_where_too_much_waits_to_be_kept_a_line_waits_and_a_request_is_told_when_to_come_again(
        self, app: App, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        append, has_come, go_on = app.store.append, Event(), Event()

        def slow(table: dy.DataFrame[Readings]) -> int:
            has_come.set()
            go_on.wait(20)
            return append(table)

        monkeypatch.setattr(app.store, "append", slow)
        limits = replace(LIMITS, receivers=1, received=1, timeout_s=20.0)
        with served(create_app(app, now=lambda: NOW, limits=limits), ws="auto") as url:
            address = url.replace("http", "ws") + "/api/v1/live"
            with connect(address) as first, connect(address) as second:
                for line in (first, second):
                    line.send(json.dumps({"type": "send", "readings": [row()]}))
                assert has_come.wait(20)
                answer = httpx2.post(f"{url}/api/v1/readings", json={"readings": [row()]})
                assert httpx2.get(f"{url}/api/v1/homes").status_code == 200  # pages do not wait
                go_on.set()
                assert [heard(line)["type"] for line in (first, second)] == ["kept", "kept"]
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{not json", "not JSON"),
            ("[" * 100_000, "not JSON"),
            ("7", "message"),
            ('{"type": "shout", "id": 4}', "'shout'"),
            ('{"id": 4}', "type"),
            ('{"type": "send", "id": 4, "rows": []}', "rows"),
            ('{"type": "send", "id": 4, "readings": [7]}', "readings.0"),
            ('{"type": "send", "id": {"a": 1}}', "id"),
            ('{"type": "subscribe", "id": 4, "channels": ["home.flat.pover"]}', "no such channel"),
            ('{"type": "subscribe", "id": 4, "sites": ["flta"]}', "has this name"),
            (b"\x00\x01", "binary"),
        ],
    )
    def test_a_message_that_cannot_be_done_is_answered_and_the_line_stays(
        self, line: Connection, text: str | bytes, words: str
    ) -> None:
        line.send(text)
        answer = heard(line)
        assert answer["type"] == "problem"
        assert words in answer["problem"]["detail"]
        assert answer["problem"]["remedy"]
        assert answer["id"] == (4 if isinstance(text, str) and '"id": 4' in text else None)
        assert ask(line, type="send", id=5, readings=[row()])["accepted"] == 1

    def test_too_many_rows_are_refused_as_over_http(self, line: Connection) -> None:
        answer = ask(line, type="send", readings=[{}] * 10_001)
        assert answer["problem"]["type"].endswith("too-many-rows")

    def test_a_message_that_is_too_large_closes_the_line(self, line: Connection, address: str) -> None:
        line.send(" " * (READINGS_LIMIT + 1))
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009
        with connect(address) as other:
            assert ask(other, type="send", readings=[row()])["accepted"] == 1


class TestHearing:
    def test_readings_of_a_channel_are_heard(self, line: Connection, address: str) -> None:
        answer = ask(line, type="subscribe", id=1, channels=[POWER])
        assert answer == {"type": "subscribed", "id": 1, "channels": [POWER], "sites": []}
        url = address.replace("ws:", "http:").replace("live", "readings")
        sent = [row(channel=OTHER), row(None), row(0.7, time="2026-11-21T13:00:00Z")]
        assert httpx2.post(url, json={"readings": sent}).json()["new"] == 3
        news = heard(line)
        rows = news.pop("rows")
        assert news == {"type": "readings", "channel": POWER, "site": "flat", "unit": "kW", "n_rows": 2}
        assert [(each["time"], each["value"]) for each in rows] == [
            ("2026-11-21T13:00:00Z", 0.7),
            ("2026-11-21T14:00:00Z", None),
        ]
        assert rows[0]["quality"] == ["assumed"]

    def test_everything_of_a_home_is_heard_until_it_is_unsubscribed(
        self, line: Connection, app: App, address: str
    ) -> None:
        assert ask(line, type="subscribe", sites=["Flat"])["sites"] == ["flat"]
        app.store.register([], [home_channel("oven.power")])  # described after the subscription
        with connect(address) as sender:
            sample = {"channel": "home.flat.oven.power", "time": NOW.isoformat(), "measure": "power", "value": 9}
            assert ask(sender, type="send", samples=[sample])["new"] == 1
            news = heard(line)
            assert (news["type"], news["channel"], news["n_rows"]) == ("samples", "home.flat.oven.power", 1)
            assert news["rows"] == [{"time": "2026-11-21T15:30:00Z", "measure": "power", "value": 9.0}]
            assert ask(line, type="unsubscribe", sites=["flat"])["sites"] == []
            ask(sender, type="send", readings=[row()])
        assert ask(line, type="subscribe", id="next")["id"] == "next"  # nothing was told before this answer

    def test_a_new_forecast_is_told(self, line: Connection, app: App) -> None:
        source = SimulatedRegion()
        app.store.register(source.sites(), source.channels())
        ask(line, type="subscribe", sites=[SIMTOWN.site.id])
        assert app.store.append_forecasts(forecasts(NOW)) > 0
        news = heard(line)
        assert (news["type"], news["channel"], news["maker"]) == ("forecast", SIMTOWN.channel.id, "own")
        assert (news["issued_at"], news["first_time"]) == ("2026-11-21T15:30:00Z", "2026-11-21T15:00:00Z")

    def test_what_was_known_already_is_no_news(self, line: Connection, app: App) -> None:
        ask(line, type="subscribe", channels=[POWER])
        for value in (1.0, 1.0, 2.0):
            app.store.append(readings(value, channel=POWER))
        assert [heard(line)["rows"][0]["value"] for _ in range(2)] == [1.0, 2.0]

    def test_of_many_rows_at_once_the_last_are_told(self, line: Connection, app: App) -> None:
        ask(line, type="subscribe", channels=[POWER])
        app.store.append(readings(*map(float, range(250)), channel=POWER))
        news = heard(line)
        assert (news["n_rows"], [each["value"] for each in news["rows"]]) == (250, list(map(float, range(150, 250))))


@contextmanager
def deaf(address: str) -> Iterator[socket.socket]:
    """Open a line and subscribe, with small buffers, and read nothing."""
    name = address.removeprefix("ws://").partition("/")[0]
    with to(address, buffer=4096) as opened:
        opened.sendall(
            f"GET /api/v1/live HTTP/1.1\r\nHost: {name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert b" 101 " in opened.recv(4096)
        message = json.dumps({"type": "subscribe", "channels": [POWER]}).encode()
        opened.sendall(bytes([0x81, 0x80 | len(message)]) + bytes(4) + message)  # masked with zeros
        yield opened


def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def tell(app: App) -> bool:
    """Tell a hundred readings of ten kilobytes, as if they had been kept."""
    app.news.tell(Kept(Table.READINGS, HUNDRED, app.store.channels))
    return True


class TestCallersWhoMisbehave:
    def test_who_stops_reading_is_told_why_and_closed(self, address: str, app: App) -> None:
        with deaf(address) as opened:
            wait_for(lambda: app.news.n_hearers == 1)
            wait_for(lambda: tell(app) and app.news.n_hearers == 0)
            opened.settimeout(20)
            received = b""
            while b"\x03\xf5news were not read" not in received[-200:]:  # 1013
                piece = opened.recv(65_536)
                assert piece, "the line ended without a word"
                received += piece

    def test_who_never_reads_again_is_forgotten_and_the_server_goes_on(self, address: str, app: App) -> None:
        with deaf(address), connect(address) as other:
            wait_for(lambda: app.news.n_hearers == 2)
            wait_for(lambda: tell(app) and app.news.n_hearers == 1)
            assert ask(other, type="send", id="b", readings=[row(channel=OTHER)])["accepted"] == 1

    def test_who_reads_slowly_is_told_how_much_was_left_out(self, app: App) -> None:
        api = create_app(app, now=lambda: NOW, limits=replace(LIMITS, live_patience_s=30.0))
        with served(api, ws="auto", ws_per_message_deflate=False) as url:
            address = url.replace("http", "ws") + "/api/v1/live"
            line = connect(address, sock=to(address, buffer=65_536))
            ask(line, type="subscribe", channels=[POWER])
            for _ in range(800):
                tell(app)
            last = app.store.append(readings(7.0, channel=POWER))
            heard_all = [heard(line)]
            while "rows" not in heard_all[-1] or heard_all[-1]["rows"][-1]["value"] != 7.0:
                heard_all.append(heard(line))
            left_out = sum(each["n_messages"] for each in heard_all if each["type"] == "dropped")
            assert left_out > 0
            assert left_out + sum(each["type"] == "readings" for each in heard_all) == 800 + last
            line.close()

    def test_who_goes_is_forgotten(self, line: Connection, app: App) -> None:
        ask(line, type="subscribe", channels=[POWER])
        assert app.news.n_hearers == 1
        line.close()
        wait_for(lambda: app.news.n_hearers == 0)
        assert app.store.append(readings(1.0, channel=POWER)) == 1


class TestWhoMayCall:
    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
    def test_a_page_of_another_site_cannot_open_it(self, address: str, origin: str) -> None:
        with pytest.raises(InvalidStatus) as refused, connect(address, origin=origin):  # type: ignore[arg-type]
            pass
        assert refused.value.response.status_code == 403
        assert b"foreign-origin" in refused.value.response.body

    def test_our_own_page_can(self, address: str) -> None:
        own = address.replace("ws:", "http:").removesuffix("/api/v1/live")
        with connect(address, origin=own) as line:  # type: ignore[arg-type]
            assert ask(line, type="subscribe")["type"] == "subscribed"

    def test_a_name_that_is_not_ours_is_refused(self, address: str) -> None:
        foreign = address.replace("127.0.0.1", "evil.example")  # as a name of theirs that leads here
        with pytest.raises(InvalidStatus) as refused, connect(foreign, sock=to(address)):
            pass
        assert refused.value.response.status_code == 400

    def test_with_a_key_set_it_asks_for_it(self, app: App) -> None:
        guarded = replace(app, settings=app.settings.model_copy(update={"api_key": SecretStr("secret")}))
        with served(create_app(guarded, now=lambda: NOW, limits=LIMITS), ws="auto") as url:
            address = url.replace("http", "ws") + "/api/v1/live"
            with pytest.raises(InvalidStatus) as refused, connect(address):
                pass
            assert refused.value.response.status_code == 401
            with connect(address, additional_headers={"Authorization": "Bearer secret"}) as line:
                assert ask(line, type="subscribe")["type"] == "subscribed"

    def test_more_lines_than_are_served_are_refused(self, app: App) -> None:
        api = create_app(app, now=lambda: NOW, limits=replace(LIMITS, live_lines=1))
        with served(api, ws="auto") as url:
            address = url.replace("http", "ws") + "/api/v1/live"
            with connect(address), pytest.raises(InvalidStatus) as refused, connect(address):
                pass
            assert refused.value.response.status_code == 503

    def test_the_server_ends_although_a_line_is_open(self, app: App) -> None:
        with served(create_app(app, now=lambda: NOW, limits=LIMITS), ws="auto") as url:
            line = connect(url.replace("http", "ws") + "/api/v1/live")
        with pytest.raises(ConnectionClosed) as closed:
            line.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012


def to(address: str, *, buffer: int | None = None) -> socket.socket:
    host, port = address.removeprefix("ws://").partition("/")[0].split(":")
    opened = socket.socket()
    if buffer is not None:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    opened.connect((host, int(port)))
    return opened
