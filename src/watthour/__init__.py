"""Watthour: energy intelligence from the appliance to the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watthour.forecasting.dataframe_api import DayAhead

__version__ = "0.1.0"
__all__ = ["DayAhead", "__version__"]


def __getattr__(name: str) -> object:
    """Import the notebook's door only when it is opened: it needs LightGBM, and a command line must start fast."""
    if name == "DayAhead":
        from watthour.forecasting.dataframe_api import DayAhead

        return DayAhead
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """Name what is public, though not all of it is imported yet."""
    return sorted(__all__)
