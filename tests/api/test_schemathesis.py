"""Every operation, asked with what its description allows and with what it does not, keeps its word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck
from hypothesis import settings as effort
from places import Towns
from schemathesis.config import SchemathesisConfig
from town import NOW, forecasts, served

from watthour.api.app import create_app
from watthour.sources.own import checked_source
from watthour.workflows.trying import Tried

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case
    from schemathesis.schemas import BaseSchema

    from watthour.bootstrap import App
    from watthour.core.model import Manifest

pytestmark = pytest.mark.xdist_group("trained")  # one worker trains once

CONFIG = {
    "seed": 1,
    "checks": {
        # What the description cannot say is 400 (a window that ends before it begins), never 422.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404", "409", "503"]},
        # 503 says with its cure what is not there yet, such as a model of a region.
        "not_a_server_error": {"expected-statuses": ["2xx", "4xx", "503"]},
    },
}
DESCRIPTION = Path(__file__).parents[2] / "web" / "openapi.json"  # another test checks that it is current

EFFORT = effort(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def description(**choices: object) -> BaseSchema:
    content = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    return schemathesis.openapi.from_dict(content, config=SchemathesisConfig.from_dict({**CONFIG, **choices}))


schema = description()
# Most names that can be thought of name nothing; these reach what lies behind.
known = description(
    parameters={"path.region": "simtown", "query.region": "simtown", "channel": "grid.simtown.demand"}
).include(path_regex="grid|readings|predict|model")


def tried(kind: str, said: dict[str, object], **_how: object) -> Tried:
    """Check what is said of a source, and connect to nothing."""
    checked_source(kind, said)
    return Tried(works=True, words="It was not asked.")


@pytest.fixture(scope="module")
def address(trained: tuple[App, Manifest]) -> Iterator[str]:
    app = trained[0]
    app.__dict__["gazetteer"] = Towns()  # no test asks the network
    app.__dict__["try_source"] = tried
    app.trainings.stop()  # what is begun here ends at once, before it has a process
    app.store.append_forecasts(forecasts(NOW.replace(hour=13, minute=0)))
    with served(create_app(app, now=lambda: NOW)) as url:
        yield url


@schema.parametrize()
@EFFORT
def test_the_api_keeps_its_word(case: Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address)


@known.parametrize()
@EFFORT
def test_it_does_so_where_there_is_something_to_tell(case: Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address)
