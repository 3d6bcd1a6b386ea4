"""What the API and the pages show, as plain JSON-ready content; no web framework here."""

from watthour.workflows.view.grid import grid_forecast, grid_scores, region_entry
from watthour.workflows.view.issue import is_followed
from watthour.workflows.view.past import grid_history, grid_week
from watthour.workflows.view.readings import channel_list, reading_page
from watthour.workflows.view.status import freshness_hours, status

__all__ = [
    "channel_list",
    "freshness_hours",
    "grid_forecast",
    "grid_history",
    "grid_scores",
    "grid_week",
    "is_followed",
    "reading_page",
    "region_entry",
    "status",
]
