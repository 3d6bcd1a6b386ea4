"""Is it alive, can it serve, and what Prometheus wants to know."""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from watthour import __version__
from watthour.api.contract import problems
from watthour.api.metrics import Gauges
from watthour.api.problems import Refusal
from watthour.api.schemas.status import Degraded, Health, Ready, SinkHealth, StandingBy
from watthour.api.state import ApiState, State
from watthour.core.channel import SiteKind
from watthour.core.errors import NotEnoughHistory
from watthour.core.forecast import Context
from watthour.core.frames import Maker
from watthour.core.units import Unit
from watthour.core.window import Window
from watthour.workflows import view
from watthour.workflows.forward import SinkState
from watthour.workflows.view.household import homes_with_data

router = APIRouter(tags=["operation"])

SCORED_DAYS = 30


@router.get("/health", summary="Is the process alive?", responses=problems())
async def health(state: ApiState) -> Health:
    """Answer as long as the process can; it asks neither the store nor any source."""
    return Health(status="alive", version=__version__, sinks=[_sink(each) for each in _sinks(state)])


@router.get("/api/v1/health", summary="Is the process alive? As `/health`", responses=problems())
async def api_health(state: ApiState) -> Health:
    """Answer as `/health` does."""
    return await health(state)


@router.get("/ready", summary="Can forecasts be served?", responses=problems())
async def ready(state: ApiState) -> Ready:
    """Answer 200 when the store can be read and holds readings of a region or a home; else 503 and why."""
    return await state.warm.get("ready", lambda: _readiness(state), lifetime_s=state.limits.state_lifetime_s)


@router.get("/api/v1/ready", summary="Can forecasts be served? As `/ready`", responses=problems())
async def api_ready(state: ApiState) -> Ready:
    """Answer as `/ready` does."""
    return await ready(state)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        **problems(),
        200: {
            "description": "Prometheus text format; metrics without a value are left out.",
            "content": {
                "text/plain": {
                    "schema": {"type": "string"},
                    "example": 'prediction_requests_total{outcome="ok",route="forecast"} 12.0\n',
                }
            },
        },
    },
)
async def metrics(state: ApiState) -> Response:
    """Count requests and their times, and show what the store knows of errors and freshness."""
    gauges = await state.warm.get("gauges", lambda: _gauges(state), lifetime_s=state.limits.gauges_lifetime_s)
    state.metrics.show(gauges)
    for sink in _sinks(state):
        state.metrics.show_sink(sink.name, sink.n_points, sink.n_failures, sink.last_success_at)
    return Response(state.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _readiness(state: State) -> Ready:
    content = view.status(state.app.store, state.models.shown(), now=state.now(), version=__version__)
    shown = [site for site in content["regions"] if site["last_time"] is not None]  # type: ignore[attr-defined]  # JSON-ready, so untyped
    regions = [site["id"] for site in shown if site["kind"] != SiteKind.HOME]
    homes = homes_with_data(state.app.store)
    if not regions and not homes:
        cures = "".join(f" {error.remedy}" for error in state.app.lacking().values())
        raise Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not-ready",
            "The store has no readings of any home or region yet, so nothing can be forecast.",
            remedy="Add a home on the page Add a home or with `watthour home add`, and its readings with `watthour "
            "import FILE` or a source; or fetch a region's demand with `watthour backfill`."
            f"{cures}",
        )
    failed = [source for source in content["sources"] if source["state"] == "failed"]  # type: ignore[attr-defined]  # as above
    degraded = [Degraded(name=source["name"], problem=source["problem"] or "it failed") for source in failed]
    app = state.app
    is_wanted, of_carbon = app.wants_carbon, app.carbon_sources
    waiting = {block: error for block, error in app.standing_by().items() if is_wanted or block not in of_carbon}
    series = view.carbon_freshness(app.store, now=state.now())
    return Ready.model_validate(
        {
            "status": "ready",
            "regions": regions,
            "homes": homes,
            "degraded": degraded,
            "carbon": view.carbon_state(series, is_wanted=is_wanted, is_waiting=not of_carbon.isdisjoint(waiting)),
            "carbon_series": series,
            "standing_by": [
                StandingBy(name=block, setting=error.field, remedy=error.remedy) for block, error in waiting.items()
            ],
        }
    )


def _sinks(state: State) -> list[SinkState]:
    """Return how telling others beside the store goes, as this process remembers it."""
    forwarder, told = state.app.forwarder, state.app.teller.state
    found = [] if forwarder is None else [forwarder.state]
    return found if told is None else [*found, told]


def _sink(sink: SinkState) -> SinkHealth:
    how = "failing" if sink.problem is not None else "waiting" if sink.last_success_at is None else "ok"
    return SinkHealth.model_validate(
        {
            "name": sink.name,
            "state": how if sink.is_running else "elsewhere",
            "points": sink.n_points,
            "failures": sink.n_failures,
            "last_success_at": sink.last_success_at,
            "problem": sink.problem,
        }
    )


def _gauges(state: State) -> Gauges:
    store, now = state.app.store, state.now()
    mae: dict[tuple[str, str], float] = {}
    mape: dict[tuple[str, str], float] = {}
    predicted: dict[str, float] = {}
    for context in state.models.shown():
        try:
            scores = view.grid_scores(store, context, days=SCORED_DAYS, now=now)
        except NotEnoughHistory:
            continue  # no demand, so nothing to score
        for row in scores["rows"]:  # type: ignore[attr-defined]  # JSON-ready, so untyped
            if row["lead_hours"] == "all":
                if row["mape_percent"] is not None:
                    mape[context.site.id, row["model"]] = row["mape_percent"]
                if context.channel.unit is Unit.MWH:  # the public names of these metrics hold their unit
                    mae[context.site.id, row["model"]] = row["mae_mwh"]
        value = _predicted_now(state, context, now)
        if value is not None and context.channel.unit is Unit.MWH:
            predicted[context.site.id] = value
    return Gauges(view.freshness_hours(store, now=now), mae, mape, predicted)


def _predicted_now(state: State, context: Context, now: datetime) -> float | None:
    """Return what our last forecast says of the interval now running."""
    rows = state.app.store.forecasts(
        [context.channel.id],
        Window(now - context.resolution, now),
        as_of=now,
        makers=[Maker.OWN],
        levels=[0.5],
        latest_issue=True,
    ).drop_nulls("value")
    return None if rows.is_empty() else float(rows.sort("time", "issued_at")["value"][-1])
