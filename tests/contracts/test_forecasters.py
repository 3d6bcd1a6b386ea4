"""What every forecaster of the catalogue promises."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import Forecaster, History, day_ahead_targets
from watthour.core.frames import LEVELS, Forecasts, Readings, Targets
from watthour.forecasting.catalogue import FORECASTERS, RECIPES, forecaster, recipe

if TYPE_CHECKING:
    import dataframely as dy

SMALL: dict[str, dict[str, object]] = {"gradient_boosting": {"n_trees": 30, "learning_rate": 0.2, "n_leaves": 8}}
FIRST = date(2023, 1, 1)
LEARNED = [FIRST + timedelta(days=n) for n in range(38, 190)]
UNSEEN = [FIRST + timedelta(days=n) for n in (193, 194, 195)]
OURS = [name for name in RECIPES if name != "twenty_features"]  # has a suite of its own


def asked(days: list[date]) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, world.ZONE, issue_clock=time(8), known_clock=None)


@pytest.fixture(scope="module")
def past() -> History:
    return world.history(FIRST, 200)


@pytest.fixture(scope="module", params=OURS)
def name(request: pytest.FixtureRequest) -> str:
    return cast("str", request.param)


@pytest.fixture(scope="module")
def fitted(name: str, past: History) -> Forecaster:
    return recipe(name, SMALL.get(name)).fit(past.known_at(asked(UNSEEN)["issued_at"][0]), asked(LEARNED))


def test_it_answers_every_hour_at_every_level(fitted: Forecaster, past: History) -> None:
    questions = asked(UNSEEN)
    told = fitted.predict(past, questions)
    Forecasts.validate(told.values)
    assert told.values.height == questions.height * len(LEVELS)
    assert set(told.values["level"]) == set(LEVELS)
    assert told.values["value"].null_count() == 0
    assert (
        told.values.select("issued_at", "time")
        .unique()
        .sort("time")
        .equals(pl.DataFrame(questions.select("issued_at", "time").sort("time")))
    )


def test_its_quantiles_never_cross(fitted: Forecaster, past: History) -> None:
    told = fitted.predict(past, asked(UNSEEN)).values.sort("time", "level")
    assert told.select((pl.col("value").diff() >= 0).over("time").all()).item()


def test_it_is_the_same_after_saving(name: str, fitted: Forecaster, past: History) -> None:
    files = fitted.files()
    assert not [file for file in files if file.endswith((".pkl", ".pickle", ".joblib"))]
    again = forecaster(name, files)
    before, after = (model.predict(past, asked(UNSEEN)).values.sort("time", "level") for model in (fitted, again))
    assert after["value"].to_list() == pytest.approx(before["value"].to_list(), rel=1e-5)
    assert again.files() == files


def test_each_issue_sees_only_its_own_past(fitted: Forecaster, past: History) -> None:
    first = asked(UNSEEN[:1])
    then = past.known_at(first["issued_at"][0])
    alone = fitted.predict(then, first).values.sort("time", "level")
    among = fitted.predict(past, asked(UNSEEN)).values.filter(pl.col("issued_at") == first["issued_at"][0])
    assert alone["value"].to_list() == pytest.approx(among.sort("time", "level")["value"].to_list())


def test_its_recipe_is_plain_data(name: str) -> None:
    one = recipe(name, SMALL.get(name))
    assert one.name == name
    parameters = json.loads(json.dumps(asdict(cast("Any", one))))
    assert recipe(name, parameters) == one


def test_with_nothing_known_it_refuses_or_says_so(fitted: Forecaster, past: History) -> None:
    nothing = History(past.as_of, past.context, Readings.create_empty(), Forecasts.create_empty())
    try:
        told = fitted.predict(nothing, asked(UNSEEN))
    except NotEnoughHistory as error:
        assert error.remedy  # noqa: PT017 - either way will do
    else:
        assert told.missing_inputs


def test_every_recipe_has_its_forecaster() -> None:
    assert set(RECIPES) == set(FORECASTERS)


def test_an_unknown_model_or_parameter_lists_what_there_is() -> None:
    with pytest.raises(InvalidInput, match="seasonal_naive"):
        recipe("prophet")
    with pytest.raises(InvalidInput, match="season"):
        recipe("seasonal_naive", {"saison": 24})
