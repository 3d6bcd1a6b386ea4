"""The process of `watthour up` ends although a thread of the API still computes."""

from __future__ import annotations

import subprocess
import sys

BUSY = """
import asyncio, sys, time
from watthour.api.compute import Compute, Limits
from watthour.bootstrap import open_app
from watthour.cli.scheduler import Scheduler
from watthour.settings import load_settings

async def begin():
    compute = Compute(Limits())
    compute.start(lambda: time.sleep(600))
    compute.close()

with open_app(load_settings()) as app:
    scheduler = Scheduler(app)
    if "busy" in sys.argv:
        asyncio.run(begin())
    scheduler.stop()
print("closed")
scheduler.leave()
print("nothing was left behind")
"""


def left(*words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", BUSY, *words], check=True, capture_output=True, text=True, timeout=120
    )
    return ended.stdout


def test_a_computation_that_goes_on_does_not_keep_the_process(home: object) -> None:
    del home
    assert left("busy").splitlines()[0] == "closed"
    assert left().splitlines()[-1] == "nothing was left behind"
