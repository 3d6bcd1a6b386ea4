from __future__ import annotations

import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute

from watthour.api.schemas.grid import GridForecast, GridScores
from watthour.api.schemas.imports import ImportedRows
from watthour.api.schemas.models import ModelInfo, Prediction, Reloaded
from watthour.api.schemas.readings import ChannelList, ReadingPage
from watthour.api.schemas.status import Health, Ready, Status

if TYPE_CHECKING:
    from fastapi import FastAPI

    from watthour.api.schemas.base import Answer

ROOT = Path(__file__).parents[2]
ANSWERS = [
    ChannelList,
    GridForecast,
    GridScores,
    Health,
    ImportedRows,
    ModelInfo,
    Prediction,
    ReadingPage,
    Ready,
    Reloaded,
    Status,
]


def test_the_description_in_the_web_app_is_current() -> None:
    """Else `python scripts/export_openapi.py` mends it."""
    script = runpy.run_path(str(ROOT / "scripts" / "export_openapi.py"))
    assert (ROOT / "web" / "openapi.json").read_text(encoding="utf-8") == script["document"]()


def test_operations_have_plain_names_for_clients(api: FastAPI) -> None:
    names = [operation["operationId"] for path in api.openapi()["paths"].values() for operation in path.values()]
    assert sorted(names) == [
        "channels",
        "grid_forecast",
        "grid_scores",
        "health",
        "import_file",
        "metrics",
        "model_info",
        "predict",
        "readings",
        "ready",
        "reload_model",
        "status",
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
            for content in operation["responses"]["200"]["content"].values():
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


def _has_example(document: dict[str, object], schema: dict[str, object]) -> bool:
    reference = schema.get("$ref")
    if reference is None:
        return False
    name = str(reference).rpartition("/")[2]
    return "examples" in document["components"]["schemas"][name]  # type: ignore[index]  # JSON
