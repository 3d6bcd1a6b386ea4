"""Watthour: energy intelligence from the appliance to the grid.

In a notebook: ``from watthour import DayAhead``, then ``DayAhead(time_zone="Europe/Paris").fit(frame).predict(24)``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watthour.core.errors import InvalidInput, MissingExtra, ModelCorrupt, NotEnoughHistory, WatthourError
    from watthour.forecasting.dataframe_api import DayAhead, FittedDayAhead

__version__ = "0.1.0"
__all__ = [
    "DayAhead",
    "FittedDayAhead",
    "InvalidInput",
    "MissingExtra",
    "ModelCorrupt",
    "NotEnoughHistory",
    "WatthourError",
    "__version__",
]
_NOTEBOOK = ("DayAhead", "FittedDayAhead")


def __getattr__(name: str) -> object:
    """Import what is public when it is first asked for: it needs LightGBM, and a command line must start fast."""
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}. There are: {', '.join(__all__)}"
        raise AttributeError(message)
    module = "watthour.forecasting.dataframe_api" if name in _NOTEBOOK else "watthour.core.errors"
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    """Name what is public, though not all of it is imported yet."""
    return sorted(__all__)
