"""What plans have saved in the running month, told again and again: reckoned once an hour."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from watthour.core.window import HOUR, Window, floor
from watthour.workflows.savings import home_savings

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.channel import Site
    from watthour.core.ports import Store
    from watthour.workflows.equipment import EquipmentFile
    from watthour.workflows.kept_tariffs import Tariffs
    from watthour.workflows.savings import Savings

    Mark = tuple[datetime, datetime, str]  # since when, until when, and what was said of tariff and equipment


@dataclass(frozen=True, slots=True, eq=False)
class SavedSoFar:
    """The savings of homes since the month began, up to the last full hour.

    A change of tariff or equipment is seen at once; readings that come late are within the hour.
    """

    store: Store
    tariffs: Tariffs
    equipment_file: EquipmentFile
    _kept: dict[str, tuple[Mark, Savings]] = field(default_factory=dict)  # by home
    _lock: Lock = field(default_factory=Lock)

    def of(self, home: Site, since: datetime, now: datetime) -> Savings | None:
        """Return the savings of a home; None before the first full hour. Raises as ``home_savings``."""
        until = floor(now, HOUR)
        if until <= since:
            return None
        said = f"{self.tariffs.terms(home.id)}{self.equipment_file.said(home.id)}"
        with self._lock:
            mark, kept = (since, until, said), self._kept.get(home.id)
            if kept is None or kept[0] != mark:
                window = Window(since, until)
                found = home_savings(self.store, self.tariffs, self.equipment_file, home, window, by="month", now=now)
                kept = self._kept[home.id] = (mark, found)
            return kept[1]
