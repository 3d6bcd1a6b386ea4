"""The rule of versions, against a slow and obvious account of it, on any sequence of appends."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from uuid import uuid4

from builders import demand_channel, hour, reading_rows, region_site
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watthour.core.frames import Quality
from watthour.core.window import Window

if TYPE_CHECKING:
    from datetime import datetime

    import dataframely as dy

    from watthour.core.frames import Readings
    from watthour.core.ports import Store

Version = tuple[int, int, float | None, Quality]  # time and available_at in hours, value, quality
EVER = Window(hour(-1), hour(100))

_batches = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(0, 6),
            st.sampled_from([None, 0.0, 1.0, 2.0]),
            st.sampled_from([Quality.GOOD, Quality.ASSUMED, Quality.ZERO]),
        ),
        max_size=8,
        unique_by=lambda version: version[:2],
    ),
    min_size=1,
    max_size=5,
)


class Account:
    """What was said of each interval, row by row."""

    def __init__(self) -> None:
        self.said: defaultdict[int, dict[datetime, tuple[float | None, int]]] = defaultdict(dict)
        self.log: defaultdict[int, list[tuple[datetime, datetime]]] = defaultdict(list)  # recorded_at, available_at

    def append(self, batch: list[Version], recorded_at: datetime) -> int:
        """Tell the rows with a free instant in order, then of the others the last of each interval."""
        taken = {(time, at) for time, at, *_ in batch if hour(at) in self.said[time]}
        last = {time: max(at for other, at, *_ in batch if other == time) for time, *_ in batch}
        # A revision is taken back by what was kept before this batch, whatever else the batch tells of the interval.
        back = {(time, at) for time, at, value, quality in batch if self._takes_back(time, value, quality)}
        n_new = 0
        for time, at, value, quality in sorted(batch, key=lambda version: version[1]):
            if (time, at) not in taken:
                n_new += self._tell(time, hour(at), value, quality, recorded_at)
        for time, at, value, quality in batch:
            is_told = (time, at) in taken and at == last[time]
            if is_told and (self._differs(time, hour(at), value, quality) or (time, at) in back):
                n_new += self._tell(time, recorded_at, value, quality, recorded_at)
        return n_new

    def _takes_back(self, time: int, value: float | None, quality: Quality) -> bool:
        if not self.log[time]:
            return False
        recorded_at, at = max(self.log[time])
        return at >= recorded_at and self.said[time][at] != (value, quality & ~Quality.ASSUMED)

    def known(self, time: int, as_of: datetime) -> tuple[float | None, int] | None:
        before = [at for at in self.said[time] if at <= as_of]
        return self.said[time][max(before)] if before else None

    def _differs(self, time: int, at: datetime, value: float | None, quality: Quality) -> bool:
        return self.known(time, at) != (value, quality & ~Quality.ASSUMED)

    def _tell(self, time: int, at: datetime, value: float | None, quality: Quality, recorded_at: datetime) -> int:
        if not self._differs(time, at, value, quality):
            return 0
        assert at not in self.said[time]
        self.said[time][at] = value, quality & ~Quality.ASSUMED
        self.log[time].append((recorded_at, at))
        return 1


def rows(channel: str, batch: list[Version], recorded_at: datetime) -> dy.DataFrame[Readings]:
    return reading_rows((channel, hour(time), hour(at), value, recorded_at, q) for time, at, value, q in batch)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_batches)
def test_a_store_keeps_what_the_account_says(store: Store, batches: list[list[Version]]) -> None:
    channel, account = f"grid.ny.channel_{uuid4().hex}", Account()  # each example has a channel to itself
    store.register([region_site()], [demand_channel(channel)])
    for index, batch in enumerate(batches):
        recorded_at = hour(10 + index)
        assert store.append(rows(channel, batch, recorded_at)) == account.append(batch, recorded_at)
        assert store.append(rows(channel, batch, recorded_at)) == 0
        assert store.append(rows(channel, batch, recorded_at + (hour(0.5) - hour(0)))) == 0
    for as_of in map(hour, range(10 + len(batches))):
        found = store.read([channel], EVER, as_of).select("time", "value", "quality").rows()
        told = {hour(time): account.known(time, as_of) for time in range(3)}
        assert {time: (value, quality & ~Quality.ASSUMED) for time, value, quality in found} == {
            time: known for time, known in told.items() if known is not None
        }
    assert store.versions([channel], EVER).height == sum(map(len, account.said.values()))
