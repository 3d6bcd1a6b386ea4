"""A Home Assistant on loopback that speaks its WebSocket API: statistics, preferences of energy, and its faults."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "eyJhbGciOiJIUzI1NiJ9.long-lived"  # noqa: S105 - of nobody
PERIODS = {"hour": timedelta(hours=1), "5minute": timedelta(minutes=5)}


def metadata(name: str, unit: str, unit_class: str | None, *, counts: bool) -> dict[str, Any]:
    """A row of list_statistic_ids, as version 2025.10 answers it."""
    return {
        "statistic_id": name,
        "display_unit_of_measurement": unit,
        "has_mean": not counts,
        "has_sum": counts,
        "mean_type": 0 if counts else 1,
        "name": None,
        "source": "recorder",
        "statistics_unit_of_measurement": unit,
        "unit_class": unit_class,
    }


@dataclass(slots=True)
class FakeHomeAssistant:
    """What it knows, what it was asked, and which fault it has."""

    listed: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[tuple[str, str], list[tuple[datetime, float | None]]] = field(default_factory=dict)  # by period and id
    preferences: dict[str, Any] | None = None
    states: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)  # that the recorder keeps, by entity
    fault: str | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    lines: list[ServerConnection] = field(default_factory=list)
    url: str = ""

    def result(self, message: dict[str, Any]) -> tuple[bool, object]:
        kind = message["type"]
        answers: dict[str, object] = {"recorder/list_statistic_ids": self.listed, "get_states": self.states}
        if kind == "energy/get_prefs" and self.preferences is None:
            return False, {"code": "not_found", "message": "No prefs"}
        if self.fault != "too_old" and kind == "recorder/statistics_during_period":
            return True, self._statistics(message)
        if self.fault != "no_history" and kind == "history/history_during_period":
            return True, self._history(message)
        if self.fault != "too_old" and kind in (answers := {**answers, "energy/get_prefs": self.preferences}):
            return True, answers[kind]
        return False, {"code": "unknown_command", "message": "Unknown command."}

    def _statistics(self, message: dict[str, Any]) -> dict[str, object]:
        begin, end = (datetime.fromisoformat(message[name]) for name in ("start_time", "end_time"))
        length = PERIODS[message["period"]]
        found: dict[str, object] = {}
        for name in message["statistic_ids"]:
            counts = next(each["has_sum"] for each in self.listed if each["statistic_id"] == name)
            kept = self.rows.get((message["period"], name), [])
            rows = [
                {
                    "start": int(at.timestamp() * 1000),
                    "end": int((at + length).timestamp() * 1000),
                    "sum" if counts else "mean": value,
                }
                for at, value in kept
                if begin <= at < end
            ]
            if rows:
                found[name] = rows
        return found

    def _history(self, message: dict[str, Any]) -> dict[str, object]:
        assert message["minimal_response"]
        assert message["no_attributes"]
        assert not message["significant_changes_only"]
        begin, end = (datetime.fromisoformat(message[name]) for name in ("start_time", "end_time"))
        found: dict[str, object] = {}
        for name in message["entity_ids"]:
            kept = self.changes.get(name, [])
            before = [(begin, state) for at, state in kept if at <= begin][-1:]
            rows = [*before, *((at, state) for at, state in kept if begin < at < end)]
            if rows:
                found[name] = [{"s": state, "lu": at.timestamp()} for at, state in rows]
        return found

    def talk(self, line: ServerConnection) -> None:
        self.lines.append(line)
        try:
            self._talk(line)
        except ConnectionClosed:
            return

    def _talk(self, line: ServerConnection) -> None:
        if self.fault == "no_json":
            line.send("<html>")
        line.send(json.dumps({"type": "auth_required", "ha_version": "2025.10.1"}))
        said = json.loads(line.recv())
        if said != {"type": "auth", "access_token": TOKEN}:
            line.send(json.dumps({"type": "auth_invalid", "message": "Invalid access token or password"}))
            return
        line.send(json.dumps({"type": "auth_ok", "ha_version": "2025.10.1"}))
        for text in line:
            message = json.loads(text)
            self.asked.append(message)
            if self.fault == "hangs_up" and message["type"].endswith("during_period"):
                return
            if self.fault == "drips":
                line.send(byte for byte in _never_ending())
                return
            success, result = self.result(message)
            line.send(json.dumps({"id": message["id"] + 1000, "type": "event", "event": {}}))  # of somebody else
            answer = {"id": message["id"], "type": "result", "success": success}
            line.send(json.dumps({**answer, "result" if success else "error": result}))


def _never_ending() -> Iterator[str]:
    while True:
        yield " "
        time.sleep(0.05)


@contextmanager
def home_assistant(**known: Any) -> Iterator[FakeHomeAssistant]:  # noqa: ANN401 - its fields
    """Serve until the block ends."""
    fake = FakeHomeAssistant(**known)
    with serve(fake.talk, "127.0.0.1", 0, close_timeout=0.2) as server:
        fake.url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            for line in fake.lines:  # else both ends would greet each other for minutes, beside other tests
                line.close()
    thread.join(5)
