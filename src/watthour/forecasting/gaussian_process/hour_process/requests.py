"""What each issue knows of the days since training, grouped so that issues which know the same are solved together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from watthour.forecasting.calendar import local_days, local_hours
from watthour.forecasting.gaussian_process.hour_process.temperature import (
    HOURS,
    SPAN,
    answerable_hours,
    filled,
    has_temperature,
    windows,
    windows_as_known,
)
from watthour.forecasting.gaussian_process.loads import known_loads
from watthour.forecasting.gaussian_process.local_days import DayGrid, DayRequests
from watthour.forecasting.vintages import HOUR_US

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import History
    from watthour.core.frames import Targets
    from watthour.forecasting.gaussian_process.hour_process.state import State
    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.vintages import Array, Instants

Row: TypeAlias = tuple[int, bytes]  # a day, and all that is known of it


@dataclass(frozen=True, slots=True, eq=False)
class IssueRequest:
    """One issue: what it asks and what it knows."""

    requests: DayRequests  # of one row per asked day
    windows: Array  # (m, 9, 24) temperature around the asked days as known at issue; NaN where unknown
    answerable: Mask  # (m, 24) which of their hours
    known_day: int  # the local day on which its measurements end, or the first training day not published by then
    known_hours: int  # of that day
    later: tuple[Row, ...]  # days of known load since training, in order of time

    def first_unknown(self, hour: int) -> int:
        """Return the first day of which a clock hour was not over when measurements end."""
        return self.known_day + (hour < self.known_hours)

    def last_known(self, trained: Instants) -> int:
        """Return the last day of which it knows any load, from training days, (n,), and later ones."""
        before = trained[trained < self.known_day]
        return self.later[-1][0] if self.later else int(before[-1]) if len(before) else -1


@dataclass(frozen=True, slots=True, eq=False)
class SharedUpdateGroup:
    """Issues of which each knows the first so many of the same later days."""

    numbers: Instants  # (r,)
    windows: Array  # (r, 9, 24)
    values: Array  # (r, 24) loads on the model's scale; NaN where unknown
    issues: tuple[tuple[int, int], ...]  # position of each issue, and how many later days it knows


def issue_requests(
    history: History, targets: dy.DataFrame[Targets], state: State
) -> tuple[list[IssueRequest], Instants, Instants]:
    """Return the issues of targets, and to which issue and to which of its days each target belongs, (targets,)."""
    zone = history.context.time_zone
    requests, belongs = DayRequests.of(targets, zone)
    moments = np.stack([requests.issued, requests.known_until], axis=1)
    issues, of_request = np.unique(moments, axis=0, return_inverse=True)
    of_request = of_request.reshape(-1)
    known = windows_as_known(history, state.thermometers, requests.day, requests.issued, requests.known_until)
    around, answerable = filled(known, fewest_hours=1), answerable_hours(known)
    found: list[IssueRequest] = []
    position = np.zeros(len(requests.day), dtype=np.int64)
    for number in range(len(issues)):
        rows = np.flatnonzero(of_request == number)
        position[rows] = np.arange(len(rows))
        one = requests.take(rows[:1])
        known_day, known_hours = _known_until(one, state, zone)
        found.append(
            IssueRequest(
                requests=requests.take(rows),
                windows=around[rows],
                answerable=answerable[rows],
                known_day=known_day,
                known_hours=known_hours,
                later=_later_days(history, one, state, zone),
            )
        )
    return found, of_request[belongs], position[belongs]


def shared_update_groups(requests: list[IssueRequest]) -> list[SharedUpdateGroup]:
    """Group issues so that what each knows of later days is the beginning of what its group knows."""
    groups: list[tuple[tuple[Row, ...], list[tuple[int, int]]]] = []
    for position in sorted(range(len(requests)), key=lambda each: -len(requests[each].later)):
        rows = requests[position].later
        for longest, members in groups:
            if longest[: len(rows)] == rows:
                members.append((position, len(rows)))
                break
        else:
            groups.append((rows, [(position, len(rows))]))
    return [_group(rows, members) for rows, members in groups]


def _group(rows: tuple[Row, ...], members: list[tuple[int, int]]) -> SharedUpdateGroup:
    contents = np.frombuffer(b"".join(content for _, content in rows)).reshape(len(rows), 1 + SPAN, HOURS)
    return SharedUpdateGroup(
        np.array([day for day, _ in rows], dtype=np.int64),
        contents[:, 1:],
        contents[:, 0],
        tuple(members),
    )


def _known_until(issue: DayRequests, state: State, zone: str) -> tuple[int, int]:
    """Return the day and the clock hour up to which an issue knows the load."""
    day, hour = int(local_days(issue.known_until, zone)[0]), int(local_hours(issue.known_until, zone)[0])
    n_published = int(np.searchsorted(np.maximum.accumulate(state.known_since), issue.issued[0], side="right"))
    if n_published < len(state.numbers) and state.numbers[n_published] <= day:
        return int(state.numbers[n_published]), 0
    return day, hour


def _later_days(history: History, issue: DayRequests, state: State, zone: str) -> tuple[Row, ...]:
    """Return the days since training of which an issue knows any load, with that load and their temperature."""
    days = np.arange(int(state.numbers[-1]) + 1, int(local_days(issue.known_until, zone)[0]) + 1)
    if not len(days):
        return ()
    loads = known_loads(history, issue, days, DayGrid(zone, HOUR_US), positive=False)[0]
    values = state.scale.values(loads)
    is_known = np.asarray(np.isfinite(values).any(axis=1))
    days, values = days[is_known], values[is_known]
    instants = (np.repeat(each, len(days)) for each in (issue.issued, issue.known_until))
    around = windows(history, state.thermometers, days, *instants)
    usable = has_temperature(around)
    contents = np.concatenate([values[:, None], around], axis=1)[usable]
    return tuple((int(day), row.tobytes()) for day, row in zip(days[usable], contents, strict=True))
