"""What a battery does when a home turns out otherwise than the plan had it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from watthour.core.assets import Battery
    from watthour.core.plan import Plan

_NOTHING = 1e-3  # [kW] that is planned to cross the meter


def follow(
    plan: Plan, battery: Battery, *, step: int, net_kw: float, stored_kwh: float, lasts: timedelta | None = None
) -> float:
    """Return what a battery gives now; negative: takes [kW].

    Where the plan has nothing cross the meter, the battery covers what there really is, both ways: it is what can best
    give way. Where the plan buys, it holds to the plan, but does not sell because the home uses less; where the plan
    sells, it does not buy because the home uses more.

    Args:
        plan: of a home with one battery.
        battery: that one, by its limits.
        step: of the plan.
        net_kw: what the home draws now beside its battery; negative where the sun gives more.
        stored_kwh: what the battery holds now.
        lasts: how long it will do so; default: a step of the plan.
    """
    use = next(each for each in plan.batteries if each.name == battery.name)
    wanted = float(use.discharge_kw[step] - use.charge_kw[step])
    crossing = float(plan.import_kw[step] - plan.export_kw[step])
    if abs(crossing) <= _NOTHING or (crossing > 0.0) != (net_kw - wanted > 0.0):
        wanted = net_kw
    hours = (lasts or plan.step).total_seconds() / 3600.0
    room = max(battery.capacity_kwh - stored_kwh, 0.0) / (battery.charge_efficiency * hours)
    spare = max(stored_kwh - battery.reserve_kwh, 0.0) * battery.discharge_efficiency / hours
    return min(max(wanted, -room, -battery.max_charge_kw), spare, battery.max_discharge_kw)
