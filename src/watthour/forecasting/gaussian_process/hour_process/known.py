"""What each issue knows of the days since training, grouped so that issues which know the same are solved together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.forecasting.calendar import local_days, local_hours
from watthour.forecasting.day_process.asks import HOURS, Asks
from watthour.forecasting.day_process.known import known_loads
from watthour.forecasting.hour_process.temperature import SPAN, has_temperature, windows

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets
    from watthour.forecasting.vintages import Array, Instants

Row: TypeAlias = tuple[int, bytes]  # a day, and all that is known of it


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One issue: what it asks and what it knows."""

    issue: Asks  # of one row per asked day
    windows: Array  # (m, 9, 24) temperature around the asked days as known at issue; NaN where unknown
    known_day: int  # the local day on which its measurements end
    known_hours: int  # of that day
    later: tuple[Row, ...]  # days of known load since training, in order of time

    def first_unknown(self, hour: int) -> int:
        """Return the first day of which a clock hour was not over when measurements end."""
        return self.known_day + (hour < self.known_hours)

    def last_known(self, trained: Instants) -> int:
        """Return the last day of which it knows any load, from training days and later ones."""
        before = trained[trained < self.known_day]
        return self.later[-1][0] if self.later else int(before[-1]) if len(before) else -1


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Issues of which each knows the first so many of the same later days."""

    numbers: Instants  # (r,)
    windows: Array  # (r, 9, 24)
    log_loads: Array  # (r, 24) NaN where unknown
    issues: tuple[tuple[int, int], ...]  # position of each issue, and how many later days it knows


def issues_of(
    history: History, targets: dy.DataFrame[Targets], first_later: int
) -> tuple[list[Asked], Instants, Instants]:
    """Return the issues of targets, and to which issue and to which of its days each target belongs."""
    zone = history.context.time_zone
    asks, belongs = Asks.of(targets, zone)
    moments = np.stack([asks.issued, asks.known_until], axis=1)
    issues, of_ask = np.unique(moments, axis=0, return_inverse=True)
    of_ask = of_ask.reshape(-1)
    around = windows(history, asks.day, asks.issued, asks.known_until)
    found: list[Asked] = []
    place = np.zeros(len(asks.day), dtype=np.int64)
    for number in range(len(issues)):
        rows = np.flatnonzero(of_ask == number)
        place[rows] = np.arange(len(rows))
        one = asks.take(rows[:1])
        found.append(
            Asked(
                issue=asks.take(rows),
                windows=around[rows],
                known_day=int(local_days(one.known_until, zone)[0]),
                known_hours=int(local_hours(one.known_until, zone)[0]),
                later=_later_days(history, one, first_later, zone),
            )
        )
    return found, of_ask[belongs], place[belongs]


def chains(asked: list[Asked]) -> list[Chain]:
    """Group issues so that what each knows of later days is the beginning of what its group knows."""
    groups: list[tuple[tuple[Row, ...], list[tuple[int, int]]]] = []
    for position in sorted(range(len(asked)), key=lambda each: -len(asked[each].later)):
        rows = asked[position].later
        for longest, members in groups:
            if longest[: len(rows)] == rows:
                members.append((position, len(rows)))
                break
        else:
            groups.append((rows, [(position, len(rows))]))
    return [_chain(rows, members) for rows, members in groups]


def _chain(rows: tuple[Row, ...], members: list[tuple[int, int]]) -> Chain:
    contents = np.frombuffer(b"".join(content for _, content in rows)).reshape(len(rows), 1 + SPAN, HOURS)
    return Chain(
        np.array([day for day, _ in rows], dtype=np.int64),
        contents[:, 1:],
        contents[:, 0],
        tuple(members),
    )


def _later_days(history: History, issue: Asks, first: int, zone: str) -> tuple[Row, ...]:
    """Return the days since training of which an issue knows any load, with that load and their temperature."""
    days = np.arange(first, int(local_days(issue.known_until, zone)[0]) + 1)
    if not len(days):
        return ()
    loads = known_loads(history, issue, days)[0]
    days, loads = (each[np.isfinite(loads).any(axis=1)] for each in (days, loads))
    around = windows(history, days, np.repeat(issue.issued, len(days)), np.repeat(issue.known_until, len(days)))
    usable = has_temperature(around)
    contents = np.concatenate([np.log(loads)[:, None], around], axis=1)[usable]
    return tuple((int(day), row.tobytes()) for day, row in zip(days[usable], contents, strict=True))
