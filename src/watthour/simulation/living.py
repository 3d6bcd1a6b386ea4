"""The invented home as things that tell by themselves: a meter every few seconds, plugs at each change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.errors import WatthourError
from watthour.core.heard import Heard, LineState, Tells, Thing, Told
from watthour.simulation.simtown_home import CHANNELS, DEVICES, HOME, MAINS, STEP

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from threading import Event

    from watthour.core.channel import DeviceKind
    from watthour.simulation.home import HomeDay
    from watthour.simulation.simtown_home import SimtownHome
    from watthour.simulation.steps import Numbers, Steps

EVERY_S = 5  # between two values of the meter
_BEAT_S = 60  # a plug that does not change tells its power so often
_HEARTBEAT = timedelta(seconds=_BEAT_S)
_LEAST_CHANGE_W = 2.0  # that a plug tells
_METER = Thing("simulation/meter", "simulation/meter", "Meter (simulated)", "meter", _HEARTBEAT)
_PLUGS: Mapping[DeviceKind, Thing] = {
    kind: Thing(f"simulation/{kind}", f"simulation/{kind}", f"{device.name} (simulated)", "plug", _HEARTBEAT)
    for kind, device in DEVICES.items()
}
CHANNEL_OF: Mapping[str, str] = {_METER.key: MAINS.id} | {
    thing.key: CHANNELS[kind].id for kind, thing in _PLUGS.items()
}  # by key of a thing
HEARTBEAT_S = float(_BEAT_S)
_LOOK_AGAIN_S = 900  # a day is asked for anew, as its plan may have changed


class LivingHome:
    """The line to the invented home; what it tells of an instant never depends on when it was asked.

    Args:
        source: the home.
        clock: tells the present.
    """

    def __init__(self, source: SimtownHome, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._source = source
        self._now = clock
        self._day: tuple[HomeDay, Steps, int] | None = None
        self._state = LineState(self.name)

    @property
    def name(self) -> str:
        """Name of the source in the log."""
        return f"simulation:{HOME.id}:live"

    @property
    def state(self) -> LineState:
        """How the line stands."""
        return self._state

    def listen(self, take: Callable[[Heard], None], stopping: Event) -> None:
        """Tell what happens, beginning with the interval that has begun, until ``stopping`` is set."""
        now = self._now()
        begun = datetime.fromtimestamp(now.timestamp() // STEP.total_seconds() * STEP.total_seconds(), UTC)
        told_until = int(begun.timestamp()) - EVERY_S
        self._state = replace(self._state, is_connected=True, connected_at=now)
        while not stopping.is_set():
            now = self._now()
            heard = self.told(told_until + EVERY_S, int(now.timestamp()) + 1)
            if heard.told:
                try:
                    take(heard)
                except WatthourError as error:  # the same is told again
                    self._state = replace(self._state, problem=error.problem, remedy=error.remedy)
                else:
                    told_until = int(now.timestamp()) // EVERY_S * EVERY_S
                    n_messages = self._state.n_messages + len(heard.told)
                    self._state = replace(
                        self._state, problem=None, remedy=None, last_heard_at=now, n_messages=n_messages
                    )
            stopping.wait(EVERY_S - self._now().timestamp() % EVERY_S)

    def told(self, start: int, end: int) -> Heard:
        """Return what is told from one instant [s since 1970] until before another, in order."""
        told: list[Told] = []
        ticks = np.arange(-(-start // EVERY_S) * EVERY_S, end, EVERY_S)
        while len(ticks):
            day, mains = self._day_of(int(ticks[0]))
            mine = ticks[ticks < day.end]
            ticks = ticks[len(mine) :]
            told += _told(_METER, mains, mine)
            for kind, steps in day.parts.items():
                told += _told(_PLUGS[kind], steps, mine[_is_told(steps, mine)])
        return Heard(tuple(sorted(told, key=lambda each: each.time or self._now())))

    def _day_of(self, instant: int) -> tuple[HomeDay, Steps]:
        quarter = instant // _LOOK_AGAIN_S
        if self._day is None or self._day[2] != quarter or not self._day[0].start <= instant < self._day[0].end:
            day = self._source.day_at(datetime.fromtimestamp(instant, UTC))  # a plan may have changed what is to come
            self._day = (day, day.mains(), quarter)
        return self._day[:2]


def _is_told(steps: Steps, ticks: Numbers) -> Numbers:
    """Return the places of the ticks at which a plug tells: a change since the tick before, or its beat."""
    changes = np.abs(steps.watts(ticks) - steps.watts(ticks - EVERY_S)) >= _LEAST_CHANGE_W
    return np.flatnonzero(changes | (ticks % _BEAT_S == 0))


def _told(thing: Thing, steps: Steps, ticks: Numbers) -> list[Told]:
    return [
        Told(thing, Tells.POWER, float(watts), datetime.fromtimestamp(int(tick), UTC))
        for tick, watts in zip(ticks, steps.watts(ticks), strict=True)
    ]
