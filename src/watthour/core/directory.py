"""Sites that are known before any reading of them: a table of regions, a connector's own, the homes of a household."""

from __future__ import annotations

from abc import ABC, abstractmethod
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from watthour.core.forecast import Context

LIKE = 0.7  # how much of two names must be alike for one to be suggested in place of the other


class SiteDirectory(ABC):
    """What is forecast of sites, found by any of their names in any spelling."""

    @abstractmethod
    def names(self) -> Mapping[str, Context]:
        """Return what is forecast under every name, in lower case."""

    def find(self, name: str) -> Context | None:
        """Return what is forecast of the site that goes by this name; None where there is none."""
        return self.names().get(name.strip().casefold())

    def near(self, name: str) -> Sequence[str]:
        """Return the ids of at most three sites whose names are like this one, the likest first."""
        names = self.names()
        near = get_close_matches(name.strip().casefold(), names, n=6, cutoff=LIKE)
        return list(dict.fromkeys(names[alias].site.id for alias in near))[:3]

    def contexts(self, text: str = "") -> Sequence[Context]:
        """Return what is forecast of every site with this text in one of its names, sorted by the sites' ids."""
        found = {context.site.id: context for name, context in self.names().items() if text.strip().casefold() in name}
        return [found[site] for site in sorted(found)]
