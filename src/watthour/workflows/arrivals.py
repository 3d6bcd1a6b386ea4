"""Faults of feeds that show only beside another: what came for a site, held against its rivals' forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from watthour.core.arrival import DayPairs, Fault, Finding, Side, find_faults
from watthour.core.frames import LEVELS, Maker
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.calendar import clock_offsets
from watthour.forecasting.vintages import DAY_US, instants
from watthour.workflows.forecast import label_of
from watthour.workflows.sites import contexts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.directory import SiteDirectory
    from watthour.core.forecast import Context
    from watthour.core.ports import Store

LOOKED_AT = timedelta(days=200)  # of the newest readings
_LOOKED_AT_AFTER_IMPORT = timedelta(days=1500)
_MEDIAN = LEVELS[len(LEVELS) // 2]
_EPOCH = date(1970, 1, 1)
_TIME_CURE = (
    "Check the time zone of {whose}, and whether its times name the start or the end of each interval. A table is read "
    "again with `watthour import FILE --time-zone ZONE --named-by start` or `--named-by end`; for a source of its own, "
    "tell its provider."
)
_SCALE_CURE = (
    "Check the unit of {whose}: sums of four quarter-hours are four times the power. A table is read again with "
    "`watthour import FILE --unit UNIT`."
)
_EXCHANGE_CURE = (
    "Look at the columns of the file or the answer of its provider. A table is read again with "
    "`watthour import FILE --value-column NAME`."
)
_NOTHING_TO_DO = "Models learn it as it is. If a table was imported, check its times: {cure}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A fault of a feed: of which channel, beside whose forecast, and what to do."""

    channel: str
    beside: str  # the rival, as a person calls it
    found: Finding

    @property
    def first(self) -> date:
        """The first local day that shows it."""
        return _EPOCH + timedelta(days=self.found.first_day)

    @property
    def last(self) -> date | None:
        """The last local day that shows it, None where it goes on."""
        return _EPOCH + timedelta(days=self.found.last_day) if self.found.is_over else None

    @property
    def words(self) -> str:
        """What is wrong, for a person, and of a shift how much of the difference it explains."""
        found, rival = self.found, f"the {self.beside[:1].lower()}{self.beside[1:]}"
        whose = self._whose
        if found.fault is Fault.EXCHANGED:
            return (
                f"{self._when}the readings are multiples of {found.size:g} and {rival} is not; a forecast is what "
                "people round, so the two may have been exchanged"
            )
        if found.fault is Fault.SCALE:
            return f"{self._when}the values of {whose} are {found.size:.2g} times what was usual beside the other"
        share = f"that explains {100 * (found.sure or 0):.0f} % of the difference between the two"
        order = "later" if found.size > 0 else "earlier"
        hours = f"about {_hours(found.size)} {order}"
        if found.side is Side.UNKNOWN:
            before = "" if found.is_steady else " than before"
            return f"{self._when}the values of the readings come {hours}{before} beside {rival}; {share}"
        return f"{self._when}the values of {whose} come {hours} than before; {share}"

    @property
    def cure(self) -> str:
        """What to do."""
        whose = self._whose if self.found.side is not Side.UNKNOWN else "both"
        if self.found.fault is Fault.EXCHANGED:
            return _EXCHANGE_CURE
        if self.found.fault is Fault.SCALE:
            return _SCALE_CURE.format(whose=whose)
        cure = _TIME_CURE.format(whose=whose)
        return _NOTHING_TO_DO.format(cure=f"{cure[:1].lower()}{cure[1:]}") if self.found.is_steady else cure

    @property
    def _whose(self) -> str:
        return f"the {self.beside[:1].lower()}{self.beside[1:]}" if self.found.side is Side.FORECAST else "the readings"

    @property
    def _when(self) -> str:
        if self.found.is_steady:
            return "on all days looked at, "
        return f"since {self.first}, " if self.last is None else f"from {self.first} to {self.last}, "


def _hours(size: float) -> str:
    """Return a shift to half an hour, which is as well as days tell it.

    >>> _hours(-0.3), _hours(1.1), _hours(1.6)
    ('half an hour', 'an hour', '1.5 hours')
    """
    halves = max(round(2 * abs(size)), 1)
    return {1: "half an hour", 2: "an hour"}.get(halves, f"{halves / 2:g} hours")


def arrivals(store: Store, context: Context, *, looked_at: timedelta = LOOKED_AT) -> list[Arrival]:
    """Return what is wrong with the newest readings of a site beside each of its rivals' forecasts.

    It looks at values as they came, doubted ones as well, and changes none.
    """
    channel, resolution = context.channel.id, context.resolution
    span = store.spans().get(channel)
    if span is None or resolution > HOUR or DAY % resolution:
        return []
    window = Window(max(span[0], span[1] - looked_at), span[1] + resolution)
    readings = pl.DataFrame(store.read([channel], window)).select("time", measured="value")
    found = []
    for name in context.rivals:
        said = _said(store, context, name, window)
        both = readings.join(said, on="time", how="inner").sort("time")
        if both.is_empty():
            continue
        times = instants(both["time"])
        measured, forecast = (both[each].fill_null(np.nan).to_numpy() for each in ("measured", "forecast"))
        pairs = DayPairs.lay_out(
            times + clock_offsets(times, context.time_zone),
            measured,
            forecast,
            step=round(resolution.total_seconds() * 1_000_000),
            day=DAY_US,
        )
        found += [Arrival(channel, label_of(name), each) for each in find_faults(pairs)]
    return found


def _said(store: Store, context: Context, model: str, window: Window) -> pl.DataFrame:
    """Return a rival's last forecast of each interval: ``time, forecast``."""
    rows = store.forecasts(
        [context.channel.id], window, models=[model], makers=[Maker.RIVAL], levels=[_MEDIAN], latest_issue=True
    )
    return pl.DataFrame(rows).select("time", forecast="value")


def after_import(store: Store, directories: Sequence[SiteDirectory], site: str | None) -> list[str]:
    """Return what is wrong with the readings of a site into which something was imported, and the cures, in words."""
    shown = [each for each in contexts(store, directories, []) if each.site.id == site]
    found = [each for context in shown for each in arrivals(store, context, looked_at=_LOOKED_AT_AFTER_IMPORT)]
    return [f"{each.channel}: {each.words}. {each.cure}" for each in found]


def described(found: Arrival, region: str) -> dict[str, object]:
    """Return a finding as plain data, as `GET /api/v1/status` shows it."""
    return {
        "region": region,
        "channel": found.channel,
        "beside": found.beside,
        "fault": str(found.found.fault),
        "side": str(found.found.side),
        "first_day": found.first.isoformat(),
        "last_day": None if found.last is None else found.last.isoformat(),
        "size": round(found.found.size, 3),
        "sure": None if found.found.sure is None else round(min(max(found.found.sure, 0.0), 1.0), 3),
        "words": f"{found.words[:1].upper()}{found.words[1:]}.",
        "cure": found.cure,
    }
