"""The models that serve, and predictions for callers with features of their own."""

from time import perf_counter
from typing import Annotated

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.schemas.models import (
    Features,
    IntervalBasis,
    ModelCard,
    ModelInfo,
    OnTrial,
    Prediction,
    RegionQuestion,
    Reloaded,
    ReloadedModel,
    Split,
)
from watthour.api.serving import Role
from watthour.api.state import ApiState, State
from watthour.core.errors import ModelNotFound
from watthour.workflows.forecast import Served
from watthour.workflows.twenty_features import predict_demand

router = APIRouter(tags=["models"])


@router.post("/predict", summary="One hour of demand from 20 features", responses=problems(403, 404, 413))
async def predict(state: ApiState, features: Features, asked: Annotated[RegionQuestion, Query()]) -> Prediction:
    """Answer with the region's model that learned exactly these 20 features, and with its 90 % interval.

    Features that follow from others, such as `temp_squared`, must agree with them.
    """
    begun = perf_counter()
    outcome = "failed"
    try:
        prediction = await state.compute.run(lambda: _predict(state, features, asked.region))
        outcome = "ok"
    finally:
        state.metrics.observe("predict", outcome, perf_counter() - begun)
    state.metrics.predicted.labels(prediction.region, "predict").set(prediction.predicted_demand_mwh)
    return prediction


@router.post(
    "/reload-model", summary="Reload the models in use and clear the cache of answers", responses=problems(403, 404)
)
async def reload_model(state: ApiState, asked: Annotated[RegionQuestion, Query()]) -> Reloaded:
    """Do it after a promotion or a rollback; a new champion is otherwise found within a second."""
    reloaded = await state.compute.run(lambda: _reload(state, asked.region))
    state.warm.drop()
    return reloaded


@router.get("/model-info", summary="Models in use, their training data and their scores", responses=problems(404))
async def model_info(state: ApiState, asked: Annotated[RegionQuestion, Query()]) -> ModelInfo:
    """Show the manifest of every model that serves."""
    return await state.compute.run(
        lambda: ModelInfo(models=[_card(state, *pair) for pair in _champions(state, asked.region)])
    )


def _predict(state: State, features: Features, region: str | None) -> Prediction:
    role = state.models.predictor(region)
    served = state.models.serving(role)
    answer = predict_demand(served, {name: float(value) for name, value in features})
    return Prediction(
        predicted_demand_mwh=answer.demand,
        lower_mwh=answer.lower,
        upper_mwh=answer.upper,
        interval=IntervalBasis(level=0.9, unseen_hours=answer.n_hours, coverage_percent=answer.coverage_percent),
        model_version=served.manifest.version,
        timestamp=state.now(),
        region=role.context.site.id,
        simulated=role.context.site.is_simulated,
    )


def _reload(state: State, region: str | None) -> Reloaded:
    before = state.models.forget()
    return Reloaded(
        reloaded=[
            ReloadedModel(
                serves=role.serves,
                region=role.context.site.id,
                name=role.name,
                model_version=served.manifest.version,
                previous_version=before.get(role.name),
            )
            for role, served in _champions(state, region)
        ],
        reloaded_at=state.now(),
    )


def _champions(state: State, region: str | None) -> list[tuple[Role, Served]]:
    roles = state.models.roles(region)
    pairs = [(role, served) for role in roles if (served := state.models.serving_or_none(role)) is not None]
    if not pairs:
        names = ", ".join(dict.fromkeys(role.context.site.id for role in roles)) or "any region"
        raise ModelNotFound(f"there is no model for {names} yet", remedy="Train one with `watthour train`.")
    return pairs


def _card(state: State, role: Role, served: Served) -> ModelCard:
    manifest, trial = served.manifest, state.models.trial(role)
    return ModelCard(
        serves=role.serves,
        region=role.context.site.id,
        simulated=role.context.site.is_simulated,
        name=manifest.name,
        model_version=manifest.version,
        recipe=manifest.recipe,
        features=list(manifest.features),
        splits={name: Split(start=span.start, end=span.end) for name, span in manifest.splits.items()},
        data_fingerprint=manifest.data_fingerprint,
        metrics=dict(manifest.metrics),
        trained_at=manifest.created_at,
        on_trial=None if trial is None else OnTrial(version=trial.challenger, share=trial.share, since=trial.since),
    )
