"""Keep the uses of devices that a file tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.workflows.ingest import IngestReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dataframely as dy

    from watthour.core.channel import Device
    from watthour.core.frames import Events, Refused
    from watthour.core.ports import Store


def keep_uses(
    store: Store, devices: Iterable[Device], events: dy.DataFrame[Events], refused: dy.DataFrame[Refused]
) -> IngestReport:
    """Keep devices that are new, their uses, and the refused rows; a device that is known stays as it was described.

    Raises:
        InvalidInput: a device cannot be kept, as when its name is that of a zone.
        StoreError: the store cannot be written.
    """
    known = {device.id for device in store.devices()}
    store.register([], [], devices=[device for device in devices if device.id not in known])
    new_rows = store.append_events(events)
    store.quarantine(refused)
    return IngestReport(new_rows, refused.height)
