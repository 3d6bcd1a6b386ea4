"""Regions as their directory knows them, for tests that need one by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watthour.grid.regions import Regions

if TYPE_CHECKING:
    from watthour.core.forecast import Context


def region(name: str) -> Context:
    """Return what is forecast of a region of EIA-930."""
    context = Regions().find(name)
    assert context is not None, name
    return context
