from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import APIRoute

from watthour.api.schemas.ahead import SiteAhead
from watthour.api.schemas.carbon import CarbonCurrent, CarbonHistory, CarbonRegions
from watthour.api.schemas.carbon_ahead import CarbonBestWindow, CarbonForecast, CarbonTrend
from watthour.api.schemas.dashboard import Appliances, Dashboard, DevicePage, KnownDevices, WeekForecast
from watthour.api.schemas.days import ForecastDays, ForecastIssues
from watthour.api.schemas.equipment import EquipmentAnswer, RemovedEquipment
from watthour.api.schemas.grid import GridForecast, GridScores
from watthour.api.schemas.home_plan import HomePlan
from watthour.api.schemas.homes import DeviceList, EventPage, HomeList, KeptRows, PlaceList, RemovedPart, ZoneList
from watthour.api.schemas.imports import ImportedRows
from watthour.api.schemas.insights import DeviceInsightsAnswer, HomeInsightsAnswer
from watthour.api.schemas.models import ModelInfo, Prediction, Reloaded
from watthour.api.schemas.plan import PlanAnswer
from watthour.api.schemas.readings import ChannelList, ReadingPage
from watthour.api.schemas.sites import HolidayCalendars, RemovedSite, SiteEntry, SiteList
from watthour.api.schemas.status import Health, Ready, Status
from watthour.api.schemas.tariffs import HomeBill, HomePrices, TariffAnswer
from watthour.api.schemas.training import HomesTraining, TrainingBegun, TrainingState
from watthour.api.schemas.usage import HomeUsageAnswer
from watthour.api.schemas.watts import Optimization, PeakPrediction, Retraining, ServingModel, WattForecast

if TYPE_CHECKING:
    from fastapi import FastAPI

    from watthour.api.schemas.base import Answer

ROOT = Path(__file__).parents[2]
ANSWERS = [
    Appliances,
    CarbonBestWindow,
    CarbonCurrent,
    CarbonForecast,
    CarbonHistory,
    CarbonRegions,
    CarbonTrend,
    ChannelList,
    Dashboard,
    DeviceInsightsAnswer,
    DeviceList,
    DevicePage,
    EquipmentAnswer,
    EventPage,
    ForecastDays,
    ForecastIssues,
    GridForecast,
    GridScores,
    Health,
    HomeBill,
    HomePrices,
    HolidayCalendars,
    HomeInsightsAnswer,
    HomeList,
    HomePlan,
    HomeUsageAnswer,
    ImportedRows,
    KeptRows,
    KnownDevices,
    ModelInfo,
    PlaceList,
    PlanAnswer,
    Prediction,
    ReadingPage,
    Ready,
    Reloaded,
    RemovedEquipment,
    RemovedPart,
    RemovedSite,
    SiteAhead,
    SiteEntry,
    SiteList,
    Status,
    TariffAnswer,
    Optimization,
    PeakPrediction,
    Retraining,
    ServingModel,
    HomesTraining,
    TrainingBegun,
    TrainingState,
    WattForecast,
    WeekForecast,
    ZoneList,
]


def test_the_description_in_the_web_app_is_current() -> None:
    """Else `python scripts/export_openapi.py` mends it."""
    script = runpy.run_path(str(ROOT / "scripts" / "export_openapi.py"))
    assert (ROOT / "web" / "openapi.json").read_text(encoding="utf-8") == script["document"]()


def test_operations_have_plain_names_for_clients(api: FastAPI) -> None:
    names = [operation["operationId"] for path in api.openapi()["paths"].values() for operation in path.values()]
    assert sorted(names) == [
        "api_health",
        "api_ready",
        "appliances",
        "carbon_best_window",
        "carbon_current",
        "carbon_forecast",
        "carbon_history",
        "carbon_regions",
        "carbon_trend",
        "changed_device",
        "changed_home",
        "changed_site",
        "channels",
        "compare",
        "comparison",
        "dashboard",
        "decided_run",
        "device_insights",
        "device_page",
        "devices",
        "ended_model_trial",
        "equipment",
        "events",
        "grid_forecast",
        "grid_forecast_issues",
        "grid_forecasts",
        "grid_history",
        "grid_scores",
        "grid_week",
        "health",
        "holiday_calendars",
        "home_appliances",
        "home_bill",
        "home_forecast",
        "home_history",
        "home_insights",
        "home_plan",
        "home_prices",
        "home_savings",
        "home_savings_csv",
        "homes",
        "homes_training",
        "import_file",
        "known_devices",
        "listening",
        "metrics",
        "model_info",
        "model_trial",
        "new_device",
        "new_home",
        "new_home_plan",
        "new_model_trial",
        "new_past",
        "new_site",
        "new_source",
        "new_thing",
        "new_zone",
        "one_home",
        "one_site",
        "optimization",
        "past",
        "peak_prediction",
        "places",
        "plan",
        "predict",
        "readings",
        "ready",
        "reload_model",
        "removed_device",
        "removed_equipment",
        "removed_site",
        "removed_source",
        "removed_thing",
        "removed_zone",
        "retrain",
        "retraining",
        "send_readings",
        "serving_model",
        "set_equipment",
        "set_tariff",
        "site_forecast",
        "sites",
        "sources",
        "status",
        "tariff",
        "train",
        "train_homes",
        "training",
        "tried_source",
        "usage",
        "watt_forecast",
        "week_ahead",
        "zones",
    ]


def test_every_answer_and_parameter_has_an_example(api: FastAPI) -> None:
    document = api.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation.get("summary"), where
            assert operation.get("description"), where
            for parameter in operation.get("parameters", []):
                schema = parameter["schema"]
                has_default = "default" in schema
                assert "examples" in schema or "examples" in parameter or has_default, (where, parameter["name"])
            for content in _answered(operation)["content"].values():
                assert "example" in content or _has_example(document, content["schema"]), where


@pytest.mark.parametrize("schema", ANSWERS)
def test_an_example_is_what_it_shows(schema: type[Answer]) -> None:
    extra = schema.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    for example in extra["examples"]:  # type: ignore[union-attr]  # a list, by shown_as
        schema.model_validate(example)


def test_routes_are_async_so_that_threads_are_ours(api: FastAPI) -> None:
    import inspect

    assert all(inspect.iscoroutinefunction(route.endpoint) for route in api.routes if isinstance(route, APIRoute))


def _answered(operation: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(said for status, said in operation["responses"].items() if status.startswith("2"))
    return found


def _has_example(document: dict[str, object], schema: dict[str, object]) -> bool:
    reference = schema.get("$ref")
    if reference is None:
        return False
    name = str(reference).rpartition("/")[2]
    return "examples" in document["components"]["schemas"][name]  # type: ignore[index]  # JSON


def test_every_property_is_described_with_its_unit(api: FastAPI) -> None:
    undescribed, without_unit = [], []
    for name, schema in api.openapi()["components"]["schemas"].items():
        for field, content in schema.get("properties", {}).items():
            words = content.get("description", "")
            if not words:
                undescribed.append(f"{name}.{field}")
            if _is_number(content) and not re.search(r"\[[^\]]+\]$", words):
                without_unit.append(f"{name}.{field}")
    assert (undescribed, without_unit) == ([], [])


def test_every_parameter_is_described_with_its_unit(api: FastAPI) -> None:
    for path, operations in api.openapi()["paths"].items():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                words = parameter.get("description", "")
                assert words, (path, parameter["name"])
                assert not _is_number(parameter["schema"]) or re.search(r"\[[^\]]+\]$", words), parameter["name"]


def _is_number(schema: dict[str, Any]) -> bool:
    """Tell whether a value is a number, or numbers by name or in a list."""
    inner = [schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", [])]
    return schema.get("type") in {"number", "integer"} or any(
        _is_number(each) for each in inner if isinstance(each, dict)
    )
