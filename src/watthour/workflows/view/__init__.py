"""What the API and the pages show, as plain JSON-ready content; no web framework here."""

from watthour.workflows.view.ahead import ahead_of_all, hours_ahead
from watthour.workflows.view.carbon import carbon_current, carbon_history, carbon_region, carbon_regions
from watthour.workflows.view.carbon_ahead import OURS, CarbonAhead, carbon_ahead
from watthour.workflows.view.carbon_answers import carbon_best_window, carbon_forecast, carbon_trend
from watthour.workflows.view.carbon_state import carbon_freshness, carbon_state
from watthour.workflows.view.dashboard import appliances, dashboard, device_list, device_page, week_ahead
from watthour.workflows.view.days import day_columns, day_rows, days_between, issue_list, kept_day
from watthour.workflows.view.grid import grid_forecast, grid_scores, region_entry
from watthour.workflows.view.homes import device_entry, home_entry, home_events, home_list, place_list, zone_entry
from watthour.workflows.view.insights import device_insights_entry, home_insights_entry
from watthour.workflows.view.issue import is_followed
from watthour.workflows.view.listening import fault_counts, found_things, line_states
from watthour.workflows.view.past import grid_history, grid_week
from watthour.workflows.view.readings import (
    CSV_COLUMNS,
    channel_list,
    known_channel,
    reading_page,
    readings_between,
    readings_csv,
)
from watthour.workflows.view.savings import savings_csv, savings_entry
from watthour.workflows.view.sites import site_entry, site_list
from watthour.workflows.view.sources import SetSource, source_list
from watthour.workflows.view.status import arrival_findings, doubts, freshness_hours, status, store_state
from watthour.workflows.view.tariffs import bill_entry, prices_entry, tariff_entry
from watthour.workflows.view.usage import history_entry, usage_entry
from watthour.workflows.view.watts import A_DAY, optimization, peak, watts

__all__ = [
    "A_DAY",
    "CSV_COLUMNS",
    "OURS",
    "CarbonAhead",
    "SetSource",
    "ahead_of_all",
    "appliances",
    "arrival_findings",
    "bill_entry",
    "carbon_ahead",
    "carbon_best_window",
    "carbon_current",
    "carbon_forecast",
    "carbon_freshness",
    "carbon_history",
    "carbon_region",
    "carbon_regions",
    "carbon_state",
    "carbon_trend",
    "channel_list",
    "dashboard",
    "day_columns",
    "day_rows",
    "days_between",
    "device_entry",
    "device_insights_entry",
    "device_list",
    "device_page",
    "doubts",
    "fault_counts",
    "found_things",
    "freshness_hours",
    "grid_forecast",
    "grid_history",
    "grid_scores",
    "grid_week",
    "history_entry",
    "home_entry",
    "home_events",
    "home_insights_entry",
    "home_list",
    "hours_ahead",
    "is_followed",
    "issue_list",
    "kept_day",
    "known_channel",
    "line_states",
    "optimization",
    "peak",
    "place_list",
    "prices_entry",
    "reading_page",
    "readings_between",
    "readings_csv",
    "region_entry",
    "savings_csv",
    "savings_entry",
    "site_entry",
    "site_list",
    "source_list",
    "status",
    "store_state",
    "tariff_entry",
    "usage_entry",
    "watts",
    "week_ahead",
    "zone_entry",
]
