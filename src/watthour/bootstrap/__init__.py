"""The only place that names adapters: settings go in, ports come out; a file for each thing that is wired."""

from __future__ import annotations

from watthour.bootstrap.app import App, open_app
from watthour.bootstrap.opening import open_registry, open_store, site_directories
from watthour.bootstrap.own_sources import kinds_of_sources
from watthour.sources.device_events import DeviceUses
from watthour.sources.previews import Preview
from watthour.sources.table_options import TableOptions

__all__ = [
    "App",
    "DeviceUses",
    "Preview",
    "TableOptions",
    "kinds_of_sources",
    "open_app",
    "open_registry",
    "open_store",
    "site_directories",
]
