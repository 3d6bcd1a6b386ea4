"""Small problems of the tests' own making."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.plan import PlanningProblem

if TYPE_CHECKING:
    from watthour.core.assets import Array
    from watthour.core.plan import Plan

START, HOUR = datetime(2026, 11, 22, 18, tzinfo=UTC), timedelta(hours=1)


def problem(prices: list[float], **said: object) -> PlanningProblem:
    """Return an hourly problem."""
    return PlanningProblem(START, np.array(prices), **{"step": HOUR, **said})  # type: ignore[arg-type]  # passed through


def series(*values: float) -> Array:
    return np.array(values, dtype=np.float64)


def starts(plan: Plan, name: str) -> list[int]:
    """Return the steps in which an appliance begins."""
    (runs,) = (each for each in plan.appliances if each.name == name)
    return [round((span.start - plan.start) / plan.step) for span in runs.spans]


def check(stated: PlanningProblem, plan: Plan) -> None:
    """Fail where energy is lost or made, a stock leaves its bounds, or two ways are used at once."""
    drawn = plan.load_kw + plan.curtailed_kw + plan.export_kw
    given = plan.solar_kw + plan.import_kw
    for runs in plan.appliances:
        drawn = drawn + runs.power_kw
    for car, charge in zip(stated.cars, plan.cars, strict=True):
        drawn = drawn + charge.power_kw
        assert charge.charged_kwh[-1] >= car.energy_kwh - 1e-6
        assert ((charge.power_kw < 1e-6) | (charge.power_kw >= car.min_charge_kw - 1e-6)).all()
        first, after = stated.span(car.arrival, car.departure)
        assert not charge.power_kw[:first].any()
        assert not charge.power_kw[after:].any()
    for heat in plan.heats:
        drawn = drawn + heat.power_kw
    for battery, use in zip(stated.batteries, plan.batteries, strict=True):
        drawn, given = drawn + use.charge_kw, given + use.discharge_kw
        assert (use.stored_kwh >= -1e-6).all()
        assert (use.stored_kwh <= battery.capacity_kwh + 1e-6).all()
        assert use.stored_kwh[-1] >= (battery.end_kwh or 0.0) - 1e-6
        assert not ((use.charge_kw > 1e-6) & (use.discharge_kw > 1e-6)).any()
        held = np.concatenate([[battery.stored_kwh], use.stored_kwh])
        taken = battery.charge_efficiency * use.charge_kw - use.discharge_kw / battery.discharge_efficiency
        np.testing.assert_allclose(np.diff(held), taken * stated.hours, atol=1e-6)
    np.testing.assert_allclose(drawn, given, atol=1e-5)
    assert not ((plan.import_kw > 1e-6) & (plan.export_kw > 1e-6)).any()
    if stated.import_limit_kw is not None:
        assert plan.import_kw.max() <= stated.import_limit_kw + 1e-5
