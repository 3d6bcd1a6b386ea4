"""Which appliances of a home run, told from its mains alone."""

from typing import Annotated

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.appliances import AppliancesAnswer, AppliancesQuestion
from watthour.api.state import ApiState
from watthour.api.times import window_of
from watthour.workflows.homes import home_named

router = APIRouter(prefix="/api/v1/homes", tags=["homes"])


@router.get("/{home}/appliances", summary="What the mains of a home are made of", responses=problems(404, 409))
async def home_appliances(
    state: ApiState, home: HomeId, asked: Annotated[AppliancesQuestion, Query()]
) -> AppliancesAnswer:
    """Tell which appliances ran and what they drew, estimated from the mains; what is left is `other`.

    It needs the power of the whole home, or its counter, at least once a minute.
    """
    app = state.app

    def look() -> AppliancesAnswer:
        from watthour.workflows.appliances import appliances_at_home
        from watthour.workflows.view.told_appliances import appliances_entry

        site, now = home_named(app.store, home), state.now()
        window = window_of(asked.start, asked.end, now, site.place.time_zone)
        told = appliances_at_home(app.store, app.links.all(), site, window, app.appliance_network)
        network = app.appliance_network.description
        return AppliancesAnswer.model_validate(
            appliances_entry(site, window, told, network, with_powers=asked.with_powers)
        )

    return await state.compute.run(look)
