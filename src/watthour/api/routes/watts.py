"""The hours ahead in watts, as dashboards and assistants ask for them, and the model behind them."""

from collections.abc import Callable, Hashable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from watthour.api.answers import A, answer_bytes, n_told, served_or_none, warm_answer
from watthour.api.contract import problems
from watthour.api.problems import Refusal
from watthour.api.routes.training import begin_training, progress_of
from watthour.api.schemas.watts import (
    Optimization,
    OptimizationQuestion,
    PeakPrediction,
    Retraining,
    ServingModel,
    WattForecast,
    WattsQuestion,
    WhichSite,
)
from watthour.api.serving import Role
from watthour.api.state import ApiState, State
from watthour.core.channel import Site
from watthour.core.errors import InvalidInput
from watthour.core.forecast import Context
from watthour.workflows import view
from watthour.workflows.entities import Entity, entities, find_site
from watthour.workflows.homes import home_named
from watthour.workflows.view.household import usual_homes
from watthour.workflows.view.watts import price_channel, who_answers

router = APIRouter(prefix="/api/v1", tags=["watts"])


@router.get("/forecast", summary="The hours ahead in watts", response_model=WattForecast, responses=problems(404, 409))
async def watt_forecast(state: ApiState, asked: Annotated[WattsQuestion, Query()]) -> Response:
    """Forecast the mean power of each interval of a home, or of any other site, from its latest readings."""
    return await _answer(state, asked, asked.hours, WattForecast, partial(view.watts, hours=asked.hours))


@router.get(
    "/peak-prediction",
    summary="The highest interval of the next 24 hours",
    response_model=PeakPrediction,
    responses=problems(404, 409),
)
async def peak_prediction(state: ApiState, asked: Annotated[WhichSite, Query()]) -> Response:
    """Tell when the forecast is highest, how high, and how much energy the 24 hours need."""
    return await _answer(state, asked, view.A_DAY, PeakPrediction, view.peak)


@router.get(
    "/optimization",
    summary="When to use energy, and when not to",
    response_model=Optimization,
    responses=problems(404, 409),
)
async def optimization(state: ApiState, asked: Annotated[OptimizationQuestion, Query()]) -> Response:
    """Name the best hours and those to avoid by the price, where it is known ahead, else by the forecast load."""
    home = await state.compute.run(lambda: _site(state, asked))
    planner = state.app.planner
    plan = await state.compute.run(
        lambda: planner.in_force(home, now=state.now()) if planner.is_possible(home, now=state.now()) else None
    )
    look = partial(view.optimization, state.app.store, hours=asked.hours, plan=plan)
    mark = None if plan is None else plan["made_at"]
    return await _answer(state, asked, asked.hours, Optimization, look, mark=mark)


@router.get("/model/info", summary="The model that forecasts a home or a site", responses=problems(404, 409))
async def serving_model(state: ApiState, asked: Annotated[WhichSite, Query()]) -> ServingModel:
    """Tell which model answers and what it learned from; a rule learns nothing, so there these fields are null."""

    def look() -> ServingModel:
        entity = _entity(state, asked)
        context = entity.context
        served = state.models.serving_or_none(Role(context, "forecast"))
        known = who_answers(state.app.store, state.app.registry, entity, served, now=state.now())
        return ServingModel.model_validate(
            {"site": context.site.id, "channel": context.channel.id, "simulated": context.site.is_simulated, **known}
        )

    return await state.compute.run(look)


@router.post(
    "/model/retrain",
    summary="Train the model of a home or a site in the background",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(403, 404, 409),
)
async def retrain(state: ApiState, asked: Annotated[WhichSite, Query()]) -> Retraining:
    """Begin a training and return at once; the new model serves only if it is better. Ask for the progress by GET."""
    context = (await state.compute.run(lambda: _entity(state, asked))).context
    begin_training(state, context)
    return _progress(state, context)


@router.get("/model/retrain", summary="Progress and result of that training", responses=problems(404, 409))
async def retraining(state: ApiState, asked: Annotated[WhichSite, Query()]) -> Retraining:
    """Tell the step while it runs, then the verdict or the problem."""
    return _progress(state, (await state.compute.run(lambda: _entity(state, asked))).context)


async def _answer(
    state: State,
    asked: WhichSite,
    hours: int,
    schema: type[A],
    look: Callable[..., dict[str, Any]],
    *,
    mark: Hashable = None,
) -> Response:
    """Answer from the forecast of the hours ahead of a site."""
    app, names = state.app, (asked.home, asked.site)

    def those() -> tuple[Entity, tuple[str, ...]]:
        entity = _entity(state, asked)
        price = price_channel(app.store, entity.context.site)
        return entity, () if price is None else (price.id,)

    entity, prices = await state.warm.get(
        ("entity", *names), those, lifetime_s=state.limits.state_lifetime_s, state=n_told(state)
    )

    def made() -> bytes:
        now, context = state.now(), entity.context
        served = served_or_none(state, context)
        found = view.hours_ahead(app.store, app.registry, entity, hours=hours, now=now, served=served)
        return answer_bytes(schema, look(context=context, found=found, now=now))

    return await warm_answer(state, [entity.context], ("watts", schema.__name__, hours, mark), made, parts=prices)


def _progress(state: State, context: Context) -> Retraining:
    known = progress_of(state, context)
    return Retraining(
        site=context.site.id,
        status=known.state,
        progress=known.step,
        problem=known.problem,
        verdict=known.verdict,
    )


def _entity(state: State, asked: WhichSite) -> Entity:
    app, site = state.app, _site(state, asked)
    return entities(app.store, app.directories, site)[0]


def _site(state: State, asked: WhichSite) -> Site:
    """Return the home or site that is named; else the only home of ``usual_homes``; else the first site."""
    app = state.app
    if asked.home is not None and asked.site is not None:
        problem = "home and site are both named"
        raise InvalidInput("site", asked.site, problem, remedy="Leave one of them out.")
    if asked.home is not None:
        return home_named(app.store, asked.home)
    if asked.site is not None:
        return find_site(app.store, app.directories, asked.site)
    known = usual_homes(app.store)
    if len(known) > 1:
        names = ", ".join(home.id for home in known)
        raise _refused(
            HTTPStatus.CONFLICT, "several-homes", "There are several homes.", f"Name one by `home`: {names}."
        )
    spans = app.store.spans()
    shown = [context for context in state.models.shown() if context.channel.id in spans]
    if not known and not shown:
        remedy = "Add one with POST /api/v1/homes or `watthour home add`, then send its readings."
        raise _refused(HTTPStatus.NOT_FOUND, "no-home", "There is no home, and no other site with readings.", remedy)
    return known[0] if known else shown[0].site


def _refused(status: HTTPStatus, kind: str, detail: str, remedy: str) -> Refusal:
    refusal = Refusal(status, kind, detail, remedy=remedy)
    refusal.problem.field = "home"
    return refusal
