"""`watthour import` of uses of devices: what was understood, and what they brought."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from watthour.bootstrap import App, DeviceUses


def import_uses(
    app: App, found: Iterable[DeviceUses], *, now: datetime, yes: bool, dry_run: bool
) -> list[dict[str, object]]:
    """Show the uses of each file, keep them unless it is a dry run, and return what each brought."""
    from watthour.workflows.uses import keep_uses

    reports: list[dict[str, object]] = []
    for uses in found:
        for line in _lines(uses):
            typer.echo(line, err=True)
        if not dry_run and not yes and sys.stdin.isatty():
            typer.confirm("Import?", default=True, abort=True, err=True)
        if dry_run:
            report = None
        else:
            report = keep_uses(app.store, uses.devices, uses.events, uses.refused, file=uses.file, now=now)
        rules = dict(uses.refused.group_by("rule").len().sort("rule").iter_rows())
        reports.append(
            {
                "file": uses.file,
                "source": f"events:{uses.file}",
                "home": uses.site.id,
                "devices": [device.id for device in uses.devices],
                "uses": uses.events.height,
                "new_rows": 0 if report is None else report.new_rows,
                "refused_rows": uses.refused.height,
                "refused": rules,
            }
        )
    return reports


def _lines(uses: DeviceUses) -> list[str]:
    """Return what was understood as lines of text."""
    events = uses.events
    rules = ", ".join(f"{rule} {n:,}" for rule, n in uses.refused.group_by("rule").len().sort("rule").iter_rows())
    total = f"{events['energy_kwh'].sum():.2f} kWh"
    lines = [
        f"file      {uses.file} (uses of devices; these are no readings)",
        f"home      {uses.site.name} ({uses.site.id}), whose clock is {uses.site.place.time_zone}",
        f"dates     {uses.date_order} ({uses.date_order_reason})",
        f"uses      {events.height:,} of {len(uses.devices)} devices, {total}"
        + (f"; {uses.refused.height:,} rows refused ({rules})" if rules else ""),
    ]
    first, last = events["start"].min(), events["end"].max()
    if isinstance(first, datetime) and isinstance(last, datetime):
        lines.append(f"span      {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
    for device in uses.devices:
        mine = events.filter(device=device.id)
        lines.append(f"  {device.name}  {device.kind}, {mine.height:,} uses, {mine['energy_kwh'].sum():.2f} kWh")
    return lines
