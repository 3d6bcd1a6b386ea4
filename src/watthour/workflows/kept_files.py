"""What is kept of sites in files beside the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from watthour.workflows.equipment import EquipmentFile
from watthour.workflows.kept_tariffs import Tariffs
from watthour.workflows.links import Links

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


@dataclass(frozen=True)
class KeptFiles:
    """The tariffs, the equipment and the links of things of a home directory."""

    tariffs: Tariffs
    equipment: EquipmentFile
    links: Links

    @classmethod
    def of(cls, home: Path) -> Self:
        """Return the files of a home directory."""
        return cls(Tariffs(home), EquipmentFile(home), Links(home))

    def check(self, site: str) -> None:
        """Check that what they tell of a site can be read, before anything of it is removed.

        Raises:
            InvalidInput: a file is damaged.
        """
        self.tariffs.terms(site)
        self.equipment.said(site)
        self.links.all()

    def forget(self, site: str, channels: Collection[str]) -> None:
        """Take away what they tell of a site and of its channels.

        Raises:
            InvalidInput: a file is damaged.
        """
        self.tariffs.forget(site)
        self.equipment.forget(site)
        self.links.forget(channels)
