"""A real MQTT broker in a thread of its own, that can be ended and started again on the same port.

amqtt comes in a wheel, so that it is always there. Any user name will do; it keeps messages for an absent client only
if that has one, and forgets what a client has not confirmed when the connection ends. Mosquitto, which most homes have,
sends it again: it is used where it is installed.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import subprocess
import threading
from time import sleep
from typing import TYPE_CHECKING, Any

from aiomqtt import Client
from amqtt.broker import Broker
from loops import run_apart

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

    Messages = Sequence[tuple[str, str | bytes]]

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class LocalBroker:
    def __init__(self) -> None:
        logging.getLogger("amqtt").setLevel(logging.CRITICAL)
        logging.getLogger("transitions").setLevel(logging.CRITICAL)
        self.port = free_port()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._broker: Broker | None = None

    def start(self) -> None:
        self._call(self._start())

    def stop(self) -> None:
        if self._broker is not None:
            self._call(_end(self._broker))
            self._broker = None

    def close(self) -> None:
        self.stop()
        self._call(_cut_off())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def publish(self, messages: Messages, *, qos: int = 1, retain: bool = False) -> None:
        self._call(_publish(self.port, messages, qos, retain=retain))

    def n_unconfirmed(self, client_id: str) -> int:
        """Return how many messages the broker has sent to a client and waits to have confirmed."""
        assert self._broker is not None
        return int(self._broker._sessions[client_id][0].inflight_out_count)

    async def _start(self) -> None:
        config: dict[str, Any] = {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": False}},
        }
        self._broker = Broker(config)
        await self._broker.start()

    def _call(self, work: Coroutine[Any, Any, object]) -> object:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)


async def _end(broker: Broker) -> None:
    """Shut a broker down; where it waits for its clients for good, as on a busy machine, cut them off."""
    try:
        async with asyncio.timeout(5):
            await broker.shutdown()
    except TimeoutError:
        for server in broker._servers.values():
            if isinstance(server.instance, asyncio.Server):
                server.instance.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


async def _cut_off() -> None:
    """End the connections that a broker has left open: as its loop is closed next, nobody else would."""
    loop: Any = asyncio.get_running_loop()
    for transport in list(loop._transports.values()):
        transport.abort()
    await asyncio.sleep(0)  # each is closed in the next round


class Mosquitto:
    """Debian's broker as a process, whose sessions survive its end."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
            f"persistence_location {folder}/\nlog_dest none\nuser root\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)])
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except ConnectionRefusedError:
                sleep(0.01)
            else:
                return
        raise AssertionError("Mosquitto did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    close = stop

    def kill(self) -> None:
        """End it as a power cut does: nothing is written any more."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)
        self._process = None

    def publish(self, messages: Messages, *, qos: int = 1, retain: bool = False) -> None:
        run_apart(_publish(self.port, messages, qos, retain=retain))


async def _publish(port: int, messages: Messages, qos: int, *, retain: bool) -> None:
    async with Client("127.0.0.1", port, username="publisher") as client:
        for topic, payload in messages:
            await client.publish(topic, payload, qos=qos, retain=retain)
