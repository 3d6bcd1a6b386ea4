"""The tariff of a home: set and told, with the prices of the hours ahead and bills of the past."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from watthour.api.contract import problems
from watthour.api.routes.homes import HomeId
from watthour.api.schemas.tariffs import (
    BillQuestion,
    HomeBill,
    HomePrices,
    PricesQuestion,
    SetTariff,
    TariffAnswer,
)
from watthour.api.state import ApiState
from watthour.api.times import day as checked_day
from watthour.api.times import window_of
from watthour.core.window import local_midnight
from watthour.workflows import tariffs as work
from watthour.workflows import view
from watthour.workflows.homes import home_named

router = APIRouter(prefix="/api/v1/homes/{home}", tags=["tariffs"])


@router.get("/tariff", summary="The tariff of a home", responses=problems(404))
async def tariff(state: ApiState, home: HomeId) -> TariffAnswer:
    """Tell the tariff as it was said, since when it holds, and what was agreed before and is agreed after it."""
    app = state.app

    def look() -> TariffAnswer:
        site = home_named(app.store, home)
        return TariffAnswer.model_validate(view.tariff_entry(site, app.tariffs, at=state.now()))

    return await state.compute.run(look)


@router.put("/tariff", summary="Set the tariff of a home", responses=problems(403, 404, 413, 507))
async def set_tariff(state: ApiState, home: HomeId, asked: SetTariff) -> TariffAnswer:
    """Keep a tariff from now on, or from a day, until the next one; what was agreed before and after it stays.

    A price that looks like a slip is asked about, and not kept.
    """
    app = state.app

    def keep() -> TariffAnswer:
        site, now = home_named(app.store, home), state.now()
        since = checked_day("since", asked.since)
        kept = work.set_tariff(
            app.store,
            app.tariffs,
            site,
            asked.tariff,
            now=now,
            since=since,
            is_confirmed=asked.confirm,
            drops_later=asked.drop_later,
        )
        return TariffAnswer.model_validate(view.tariff_entry(site, app.tariffs, at=kept.since or now))

    return await state.compute.run(keep)


@router.get("/prices", summary="What energy costs in the hours ahead", responses=problems(404))
async def home_prices(state: ApiState, home: HomeId, asked: Annotated[PricesQuestion, Query()]) -> HomePrices:
    """Tell what one more kWh costs and earns in each step; prices that are not published yet are forecast."""
    app = state.app
    step = None if asked.step_minutes is None else timedelta(minutes=asked.step_minutes)

    def look() -> HomePrices:
        site, now = home_named(app.store, home), state.now()
        found = work.home_prices(app.store, app.registry, app.tariffs, site, hours=asked.hours, now=now, step=step)
        return HomePrices.model_validate(view.prices_entry(site, found, now=now))

    return await state.compute.run(look)


@router.get("/bill", summary="The bill of past days", responses=problems(404, 409))
async def home_bill(state: ApiState, home: HomeId, asked: Annotated[BillQuestion, Query()]) -> HomeBill:
    """Tell what past days cost, line by line; hours that were not metered are named and never counted as zero."""
    app = state.app

    def look() -> HomeBill:
        site, now = home_named(app.store, home), state.now()
        zone = site.place.time_zone
        midnight = local_midnight(now.astimezone(ZoneInfo(zone)).date(), zone)
        window = window_of(asked.start, asked.end, midnight, zone)
        found = work.home_bill(app.store, app.tariffs, site, window, now=now)
        return HomeBill.model_validate(view.bill_entry(site, found))

    return await state.compute.run(look)
