"""What the API and the pages show, as plain JSON-ready content; no web framework here."""

from watthour.workflows.view.grid import grid_forecast, grid_scores, region_entry
from watthour.workflows.view.issue import is_followed
from watthour.workflows.view.readings import channel_list, reading_page
from watthour.workflows.view.status import freshness_hours, status, store_state

__all__ = [
    "channel_list",
    "freshness_hours",
    "grid_forecast",
    "grid_scores",
    "is_followed",
    "reading_page",
    "region_entry",
    "status",
    "store_state",
]
