"""What every forecaster of the catalogue promises."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any, cast

import polars as pl
import pytest
from forecasting import world

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.forecast import Forecaster, History, day_ahead_targets
from watthour.core.frames import LEVELS, Forecasts, Maker, Readings, Targets
from watthour.core.window import DAY, HOUR
from watthour.forecasting.catalogue import RECIPES, forecaster, recipe
from watthour.workflows.baselines import BASELINES

if TYPE_CHECKING:
    import dataframely as dy

SMALL: dict[str, dict[str, object]] = {
    **{key: {"weeks": 3} for key in ("auto_ets", "auto_arima", "auto_theta")},
    "combination": {"members": ("persistence_ensemble", "seasonal_naive", "operator_debiased")},
    "gradient_boosting": {"n_trees": 30, "learning_rate": 0.2, "n_leaves": 8},
    "nhits": {"weeks": 20, "passes": 2, "width": 32},
    "prophet": {"weeks": 3, "samples": 100},
    "relative_days": {"n_trees": 30},
    "tft": {"weeks": 6, "passes": 1, "width": 8},
    "twenty_features": {"rounds": 60, "learning_rate": 0.15, "leaves": 12},
}
FIRST = date(2023, 1, 1)
LEARNED = [FIRST + timedelta(days=n) for n in range(38, 190)]
UNSEEN = [FIRST + timedelta(days=n) for n in (193, 194, 195)]


def asked(days: list[date]) -> dy.DataFrame[Targets]:
    return at_step(days, HOUR)


def at_step(days: list[date], step: timedelta) -> dy.DataFrame[Targets]:
    return day_ahead_targets(days, world.ZONE, resolution=step, issue_clock=time(8), known_clock=None)


@pytest.fixture(scope="module")
def past() -> History:
    return world.beside_similar(world.history(FIRST, 200))


@pytest.fixture(scope="module", params=list(RECIPES))
def name(request: pytest.FixtureRequest) -> str:
    name = cast("str", request.param)
    skip_without_its_library(name)
    return name


def skip_without_its_library(name: str) -> None:
    if RECIPES[name].extra == "deep":
        pytest.importorskip("darts", reason="Darts and torch, the extra `deep`, are not installed")


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
    assert after["value"].to_list() == before["value"].to_list()
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
    """Both are honest, so both are allowed.

    A rule has nothing to answer from. A model that has learned the usual load of the hour can answer from that alone,
    and such an answer is worth more to its reader than an error, as long as it says which inputs were missing.
    """
    nothing = History(past.as_of, past.context, Readings.create_empty(), Forecasts.create_empty())
    try:
        told = fitted.predict(nothing, asked(UNSEEN))
    except NotEnoughHistory as error:
        assert error.remedy  # noqa: PT017 - either way will do
    else:
        assert told.missing_inputs
        assert told.values["value"].null_count() == 0


def test_it_says_who_made_its_forecasts(name: str, fitted: Forecaster, past: History) -> None:
    makers = {
        "operator": Maker.RIVAL,
        **dict.fromkeys(BASELINES, Maker.BASELINE),
    }
    assert set(fitted.predict(past, asked(UNSEEN)).values["maker"]) == {str(makers.get(name, Maker.OWN))}


LEARN_DAYS = {"day_process": 130}  # the fewest it learns from are 120; others do with 60
SPRING, AUTUMN = date(2023, 3, 12), date(2023, 11, 5)  # days of 23 and of 25 hours


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("step", [timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30), HOUR, DAY])
def test_it_answers_every_interval_of_any_step_or_refuses_the_step(name: str, step: timedelta, day: date) -> None:
    """A channel of 5 minutes was once answered with the 24 values of a day's hours, as large as twice its mean."""
    n_days = LEARN_DAYS.get(name, 60)
    past = world.history(day - timedelta(days=n_days + 40), n_days + 43, context=world.context(step))
    past = world.beside_similar(past) if name == "similar_series" else past
    learned = at_step([day - timedelta(days=n) for n in range(n_days + 2, 1, -1)], step)
    questions = at_step([day, day + timedelta(days=1)], step)
    try:
        told = recipe(name, SMALL.get(name)).fit(past.known_at(questions["issued_at"][0]), learned)
        answer = told.predict(past, questions).values
    except InvalidInput as error:
        assert error.field == "resolution"  # noqa: PT017 - either way will do
        assert error.remedy  # noqa: PT017 - as above
        assert step != HOUR
        return
    hours = {SPRING: 23, AUTUMN: 25}[day] + 24
    n_intervals = 2 if step == DAY else hours * (HOUR // step) if step < HOUR else hours
    assert questions.height == n_intervals
    assert answer.height == n_intervals * len(LEVELS)
    assert answer["value"].null_count() == 0
    actual = past.readings.filter(pl.col("channel") == world.DEMAND).select("time", actual="value")
    medians = answer.filter(pl.col("level") == 0.5).join(actual, on="time")
    assert medians.height == n_intervals
    assert ((medians["value"] - medians["actual"]).abs() / medians["actual"]).mean() < 0.15  # type: ignore[operator]  # a float


@pytest.mark.parametrize("step", [timedelta(minutes=15), HOUR])  # one target per issue, as of a day, has no step
def test_targets_of_another_step_are_refused(fitted: Forecaster, past: History, step: timedelta) -> None:
    channel = timedelta(minutes=30) if step != timedelta(minutes=15) else HOUR
    finer = replace(past, context=world.context(channel))
    with pytest.raises(InvalidInput) as refused:
        fitted.predict(finer, at_step(UNSEEN, step))
    assert refused.value.field == "resolution"


def test_an_unknown_model_or_parameter_lists_what_there_is() -> None:
    with pytest.raises(InvalidInput, match="seasonal_naive"):
        recipe("oracle")
    with pytest.raises(InvalidInput, match="season"):
        recipe("seasonal_naive", {"saison": 24})
