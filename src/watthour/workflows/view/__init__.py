"""What the API and the pages show, as plain JSON-ready content; no web framework here."""

from watthour.workflows.view.grid import grid_forecast, grid_scores, region_entry
from watthour.workflows.view.issue import is_followed
from watthour.workflows.view.readings import channel_list, reading_page
from watthour.workflows.view.status import doubts, freshness_hours, status

__all__ = [
    "channel_list",
    "doubts",
    "freshness_hours",
    "grid_forecast",
    "grid_scores",
    "is_followed",
    "reading_page",
    "region_entry",
    "status",
]
