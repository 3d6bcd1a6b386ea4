"""What is there, what works, what is stale, and what could be connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.core.channel import SiteKind
from watthour.core.ports import RunState
from watthour.core.region import Region, find_region
from watthour.workflows.view.wire import age_hours, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from watthour.core.ports import SourceRun, Store

RUNS_LOOKED_AT = 500


def status(
    store: Store,
    regions: Sequence[str],
    *,
    now: datetime,
    version: str,
    has_eia_key: bool = False,
    expected_sources: Sequence[str] = (),
) -> dict[str, object]:
    """Return the state of everything, as `GET /api/v1/status` shows it.

    Args:
        store: the store.
        regions: names of the regions that the settings ask for.
        now: the present.
        version: of the program.
        has_eia_key: live data of EIA can be fetched.
        expected_sources: names of the sources that should be polled; one never asked is shown as such.
    """
    shown = shown_regions(store, regions)
    spans = store.spans()
    return {
        "version": version,
        "now": utc_text(now),
        "simulated": any(region.is_simulated for region in shown),
        "regions": [
            {
                "id": region.id,
                "name": region.name,
                "operator": region.operator,
                "time_zone": region.time_zone,
                "simulated": region.is_simulated,
                "first_time": utc_text(spans[region.demand][0]) if region.demand in spans else None,
                "last_time": utc_text(spans[region.demand][1]) if region.demand in spans else None,
            }
            for region in shown
        ],
        "sources": _sources(store.runs(limit=RUNS_LOOKED_AT), expected_sources, now),
        "connect": connections(regions, has_eia_key=has_eia_key),
    }


def shown_regions(store: Store, wanted: Sequence[str]) -> list[Region]:
    """Return the regions with demand, real ones first as the settings name them; if there is none, the wanted ones."""
    spans = store.spans()
    asked = [find_region(name) for name in wanted]
    known = [find_region(site.id) for site in store.sites() if site.kind is SiteKind.REGION]
    everything = {region.id: region for region in (*asked, *sorted(known, key=lambda region: region.is_simulated))}
    with_demand = [region for region in everything.values() if region.demand in spans]
    return with_demand or asked


def freshness_hours(store: Store, *, now: datetime) -> dict[str, float]:
    """Return the age of each channel's newest reading, in hours."""
    return {channel: age_hours(last, now) for channel, (_first, last, _recorded) in store.spans().items()}


def connections(regions: Sequence[str], *, has_eia_key: bool) -> list[dict[str, str]]:
    """Return the ways to real data that are still open."""
    region = regions[0] if regions else "ny"
    ways = [
        {
            "id": "eia_files",
            "title": "Read EIA's files, without a key",
            "text": "Download a six-month file EIA930_BALANCE_*.csv from the EIA Grid Monitor and import it.",
            "command": f"watthour import EIA930_BALANCE_2026_Jul_Dec.csv --region {region}",
        }
    ]
    key = {
        "id": "eia_key",
        "title": "Connect EIA with a free key",
        "text": "Register at https://www.eia.gov/opendata/register.php, then set EIA_API_KEY and start again.",
        "command": "EIA_API_KEY=... watthour up",
    }
    return ways if has_eia_key else [key, *ways]


def _sources(runs: Sequence[SourceRun], expected: Sequence[str], now: datetime) -> list[dict[str, object]]:
    newest: dict[str, SourceRun] = {}
    for run in runs:
        newest.setdefault(run.source, run)
    entries: list[dict[str, object]] = [
        {
            "name": name,
            "state": str(run.state),
            "last_run_at": utc_text(run.ended_at),
            "age_hours": age_hours(run.ended_at, now),
            "problem": run.problem if run.state is RunState.FAILED else None,
        }
        for name, run in sorted(newest.items())
    ]
    blank: dict[str, object] = {"state": "never", "last_run_at": None, "age_hours": None, "problem": None}
    return [*entries, *({"name": name, **blank} for name in expected if name not in newest)]
