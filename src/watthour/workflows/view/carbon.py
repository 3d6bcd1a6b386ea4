"""The carbon intensity of regions: now, over some days, and what it is made of; each figure with its kind."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from watthour.carbon.factors import factor_of
from watthour.core.carbon import MIX
from watthour.core.errors import UnknownName
from watthour.core.quality import is_trusted
from watthour.core.window import DAY, Window
from watthour.workflows.carbon import fuels_of, mix_between
from watthour.workflows.carbon_series import carbon_series, series_asked
from watthour.workflows.entities import find_site
from watthour.workflows.view.readings import readings_between
from watthour.workflows.view.wire import age_hours, flag_names, local_text, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Site
    from watthour.core.directory import SiteDirectory
    from watthour.core.ports import Store
    from watthour.workflows.carbon_series import CarbonSeries

LOOK_BACK = 7 * DAY  # from the last interval of a series, for a value that can be used


def carbon_region(store: Store, directories: Sequence[SiteDirectory], name: str) -> Site:
    """Return the region of a name of which something is known about its carbon intensity.

    Raises:
        UnknownSite: nothing goes by this name.
        UnknownName: no source tells its carbon intensity.
    """
    site = find_site(store, directories, name)
    if not carbon_series(store, site):
        problem = f"nothing tells the carbon intensity of {site.name}"
        remedy = (
            f"`watthour backfill {site.id}` brings in its generation by fuel where a source has it, and `watthour "
            "doctor` says what its sources answered last; `watthour carbon regions` lists what is known."
        )
        raise UnknownName("region", name, problem, remedy=remedy)
    return site


def carbon_regions(store: Store) -> dict[str, object]:
    """Return the regions whose carbon intensity is known, each with its series; real ones first."""
    regions = sorted(store.sites(), key=lambda site: (site.is_simulated, site.id))
    known = [(site, found) for site in regions if (found := carbon_series(store, site))]
    return {
        "regions": [
            {**region_entry_of(site), "series": [series_entry(store, each) for each in found]} for site, found in known
        ]
    }


def carbon_current(store: Store, site: Site, *, now: datetime) -> dict[str, object]:
    """Return the last good value of each carbon series of a region with its age, and the mix behind ours.

    A value that is missing stays so, and is never zero; what was known last is given with its age.
    """
    found = carbon_series(store, site)
    values = [_with_value(store, site, each, now) for each in found]
    mix = next((each for each in values if each["source"] == MIX and each["time"] is not None), None)
    return {
        **region_entry_of(site),
        "now": utc_text(now),
        "series": values,
        "mix": None if mix is None else _mix(store, site, str(mix["time"]), now),
    }


def carbon_history(
    store: Store, site: Site, window: Window, *, channel: str | None = None, limit: int = 1000, now: datetime
) -> dict[str, object]:
    """Return one carbon series of a region over a window; a gap is null.

    Raises:
        UnknownName: the region has no such series.
    """
    chosen = series_asked(store, site, channel)
    zone = ZoneInfo(site.place.time_zone)
    _channel, rows, then = readings_between(store, chosen.channel.id, window, limit=limit, now=now)
    rows = rows.with_columns(value=pl.when(is_trusted()).then("value"))
    return {
        **region_entry_of(site),
        "series": series_entry(store, chosen),
        "points": [
            {
                "time": utc_text(row["time"]),
                "local_time": local_text(row["time"], zone),
                "value": row["value"],
                "available_at": utc_text(row["available_at"]),
                "quality": flag_names(row["quality"]),
            }
            for row in rows.iter_rows(named=True)
        ],
        "next": utc_text(then),
    }


def region_entry_of(site: Site) -> dict[str, object]:
    """Return how a region is named."""
    return {
        "region": site.id,
        "name": site.name,
        "time_zone": site.place.time_zone,
        "simulated": site.is_simulated,
    }


def series_entry(store: Store, series: CarbonSeries) -> dict[str, object]:
    """Return what a carbon series speaks of, and its span."""
    first, last, _recorded = store.spans()[series.channel.id]
    kind = series.kind
    return {
        "channel": series.channel.id,
        "source": series.source,
        "basis": str(kind.basis),
        "side": None if kind.side is None else str(kind.side),
        "scope": None if kind.scope is None else str(kind.scope),
        "words": kind.words,
        "unit": series.channel.unit_in_words,
        "resolution_seconds": int(series.channel.resolution.total_seconds()),
        "first_time": utc_text(first),
        "last_time": utc_text(last),
    }


def _with_value(store: Store, site: Site, series: CarbonSeries, now: datetime) -> dict[str, object]:
    channel = series.channel
    last = min(store.spans()[channel.id][1] + channel.resolution, now)
    rows = pl.DataFrame(store.read([channel.id], Window(last - LOOK_BACK, last), now)).filter(is_trusted())
    good = rows.drop_nulls("value").tail(1).to_dicts()
    row = good[0] if good else None
    return {
        **series_entry(store, series),
        "value": None if row is None else row["value"],
        "time": None if row is None else utc_text(row["time"]),
        "local_time": None if row is None else local_text(row["time"], ZoneInfo(site.place.time_zone)),
        "age_hours": None if row is None else max(0.0, age_hours(row["time"] + channel.resolution, now)),
        "available_at": None if row is None else utc_text(row["available_at"]),
        "quality": [] if row is None else flag_names(row["quality"]),
    }


def _mix(store: Store, site: Site, time: str, now: datetime) -> dict[str, object] | None:
    """Return what a region produced of each fuel that is told, the most first, with the factors that were used."""
    fuels = fuels_of(site, store.channels())
    channel = next(iter(fuels.values()))
    begin = datetime.fromisoformat(time)
    mix = mix_between(store, fuels, Window(begin, begin + channel.resolution), now=now)
    if not mix.is_known.all() or not mix.rows.height:  # corrected since, and not derived anew yet
        return None
    made = np.maximum(mix.generation[0], 0.0)
    rows = []
    for n in np.argsort(-made, kind="stable"):
        if not mix.is_told[0, n]:
            continue
        factor = factor_of(mix.fuels[n], site.zone)
        rows.append(
            {
                "fuel": mix.fuels[n],
                "value": float(mix.generation[0][n]),
                "share": round(float(made[n] / made.sum()), 4),
                "direct": factor.direct,
                "lifecycle": factor.lifecycle,
                "factor_source": factor.source,
                "factor_year": factor.year,
            }
        )
    return {"time": time, "unit": channel.unit_in_words, "fuels": rows}
