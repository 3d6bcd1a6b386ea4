"""Keep the uses of devices that a file tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import polars as pl

from watthour.core.ports import RunState, SourceRun
from watthour.core.window import Window
from watthour.workflows.ingest import IngestReport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import dataframely as dy

    from watthour.core.channel import Device
    from watthour.core.frames import Events, Refused
    from watthour.core.ports import Store


def keep_uses(
    store: Store,
    devices: Iterable[Device],
    events: dy.DataFrame[Events],
    refused: dy.DataFrame[Refused],
    *,
    file: str,
    now: datetime,
) -> IngestReport:
    """Keep devices that are new, their uses, and the refused rows; a device that is known stays as it was described.

    Args:
        store: where to keep them.
        devices: of the file.
        events: their uses.
        refused: rows that cannot be read.
        file: its name, for the log of runs.
        now: the present.

    Raises:
        InvalidInput: a device cannot be kept, as when its name is that of a zone.
        StoreError: the store cannot be written.
    """
    devices = list(devices)
    known = {device.id for device in store.devices()}
    store.register([], [], devices=[device for device in devices if device.id not in known])
    new_rows = store.append_events(events)
    store.quarantine(refused)
    first, last = cast("tuple[datetime | None, datetime | None]", events.select(pl.min("start"), pl.max("end")).row(0))
    window = Window(now, now) if first is None or last is None else Window(first, last)
    how = RunState.OK if new_rows else RunState.EMPTY
    fills = tuple(sorted(device.id for device in devices))
    run = SourceRun(f"events:{file}", now, now, window, how, new_rows, refused.height, file=file, fills=fills)
    store.note_run(run)
    return IngestReport(new_rows, refused.height)
