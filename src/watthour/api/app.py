"""The HTTP face, put together."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from watthour import __version__
from watthour.api import contract, docs, problems, web
from watthour.api.compute import Compute, Limits, Warm
from watthour.api.conditional import EntityTags, HeadAsGet
from watthour.api.metrics import Metrics
from watthour.api.routes import (
    ahead,
    appliances,
    carbon,
    channels,
    comparison,
    dashboard,
    days,
    grid,
    health,
    history,
    home_plan,
    homes,
    imports,
    insights,
    listening,
    live,
    models,
    plan,
    readings,
    savings,
    sites,
    sources,
    status,
    tariffs,
    training,
    trials,
    usage,
    watts,
)
from watthour.api.security import BodyLimit, Gate, SecurityHeaders, policy_of
from watthour.api.serving import Models
from watthour.api.state import State

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from watthour.api.security import Policy
    from watthour.bootstrap import App

_ROUTES = (
    health,
    status,
    sites,
    homes,
    history,
    tariffs,
    home_plan,
    savings,
    insights,
    appliances,
    usage,
    ahead,
    watts,
    dashboard,
    channels,
    readings,
    grid,
    carbon,
    days,
    imports,
    models,
    plan,
    training,
    trials,
    comparison,
    listening,
    sources,
    live,
)
_ROUTERS = tuple(each.router for each in _ROUTES)


def utc_now() -> datetime:
    """Return the present; the API is one of the few places that ask a clock."""
    return datetime.now(UTC)


def _cross_origin(policy: Policy) -> list[Middleware]:
    """Return what lets listed pages of other sites read; by default there are none."""
    if not policy.origins:
        return []
    headers = ["Authorization", "X-API-Key"]
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(policy.origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=headers,
        )
    ]


async def _warm_up(state: State) -> None:
    """Make the answers that take longest before anybody asks."""
    await grid.warm_up(state)
    await carbon.warm_up(state)


def create_app(
    app: App,
    *,
    now: Callable[[], datetime] = utc_now,
    limits: Limits | None = None,
    static: Path = web.STATIC,
) -> FastAPI:
    """Put the API around an opened application; whoever opened it closes it.

    Args:
        app: the opened application.
        now: the clock.
        limits: how long and how much to compute.
        static: where the built web app is.

    Raises:
        NotConfigured: the settings would open the API to others without a key.
    """
    policy = policy_of(app.settings)
    limits = limits or Limits()
    compute = Compute(limits)
    receiving = Compute(replace(limits, workers=limits.receivers, waiting=limits.received), name="watthour-receive")
    planning = Compute(replace(limits, workers=limits.planners, waiting=limits.planned), name="watthour-plan")
    metrics = Metrics()
    state = State(
        app=app,
        now=now,
        limits=limits,
        compute=compute,
        receiving=receiving,
        planning=planning,
        warm=Warm(compute, count=metrics.count_answer),
        models=Models(app, limits),
        metrics=metrics,
    )

    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warm_up(state)) if limits.is_warmed_up else None
        app.settler.start(now)
        yield
        await asyncio.to_thread(app.recalls.stop)
        await asyncio.to_thread(app.settler.stop)
        if warming is not None:
            warming.cancel()
        receiving.close()
        planning.close()
        compute.close()

    api = FastAPI(
        title="Watthour",
        version=__version__,
        summary="Energy intelligence from the appliance to the grid",
        docs_url=None,  # FastAPI's page loads scripts from elsewhere; ours comes with us and works offline
        redoc_url=None,
        lifespan=lifespan,
        generate_unique_id_function=contract.operation_id,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # Prometheus is what we speak
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(HeadAsGet),
            *_cross_origin(policy),
            Middleware(GZipMiddleware, minimum_size=2000, compresslevel=4),
            Middleware(EntityTags),
            Middleware(problems.CatchAll),
            Middleware(Gate, policy=policy),
            Middleware(BodyLimit),
        ],
    )
    api.state.watthour = state
    problems.install(api)
    for router in _ROUTERS:
        api.include_router(router)
    contract.describe(api)
    docs.serve_docs(api)
    web.serve_pages(api, static)
    return api
