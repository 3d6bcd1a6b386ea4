"""How long a plan takes, and how close to the best it is.

Run: python benchmarks/planner.py [--cases 20]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from report import Cell, report

from watthour.core.assets import Appliance, Battery, Car, Heat, series
from watthour.core.plan import PlanningProblem, Weights
from watthour.planning.rules import by_rules
from watthour.planning.solve import solve
from watthour.planning.trade_off import trade_off

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START, HOUR = datetime(2026, 11, 22, 17, tzinfo=UTC), timedelta(hours=1)
N_COURSES = 8
PROTOCOL = (
    "home: 192 steps of 15 minutes with a battery, a car on two nights (1.4 to 11 kW or nothing), a heated house and "
    "five appliances, two of which may pause; home_courses: the same over eight courses of load and sun, as homes are "
    "planned; standard: 96 steps of 15 minutes with a battery, sun and two runs that "
    "can be shifted, the usual case of the field. Made prices, carbon, load and sun, a different draw for each case. "
    "seconds: for the plan with its reasons, in one thread; gap_percent: by how much another plan could be better, "
    "proven by the solver; rules_dearer: by how much the plan of the rules of thumb is dearer, in currency, median. "
    "curve: the plans from the cheapest to the cleanest of the home, with their number. forty: forty appliances under "
    "an import limit."
)


def day_series(rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Return prices, carbon, load and sun of made days."""
    hour = (np.arange(n) / 4 + START.hour) % 24
    noon = np.maximum(0.0, np.sin((hour - 7) / 10 * np.pi)) * ((hour > 7) & (hour < 17))  # noqa: PLR2004 - a day in November
    clouds = np.repeat(rng.uniform(0.2, 1.0, n // 4), 4)
    return {
        "import_price": 0.28 + 0.08 * np.sin((hour - 14) / 24 * 4 * np.pi) + np.repeat(rng.normal(0, 0.02, n // 4), 4),
        "carbon": 320 + 90 * np.sin((hour - 14) / 24 * 2 * np.pi) + np.repeat(rng.normal(0, 15, n // 4), 4),
        "load_kw": rng.gamma(2.0, 0.25, n),
        "solar_kw": 5.0 * noon * clouds,
        "hour": hour,
    }


def home(seed: int) -> PlanningProblem:
    """Return the full case."""
    rng = np.random.default_rng(seed)
    found = day_series(rng, 192)
    hour = found.pop("hour")
    runs = [
        Appliance(
            name,
            tuple(rng.uniform(0.2, 2.2, int(rng.integers(4, 11)))),
            earliest=START + begin * HOUR,
            deadline=START + (begin + lasts) * HOUR,
        )
        for name, begin, lasts in (("dishwasher", 2, 12), ("washing machine", 14, 10), ("dryer", 20, 16))
    ]
    runs += [
        Appliance("boiler", (2.0,) * 8, is_interruptible=True, deadline=START + 24 * HOUR),
        Appliance("pool pump", (1.0,) * 16, is_interruptible=True, earliest=START + 14 * HOUR),
    ]
    heat = Heat(
        "house",
        capacity_kwh_per_k=5.0,
        loss_kw_per_k=0.15,
        max_power_kw=3.0,
        temperature_c=20.5,
        lowest_c=20.0,
        highest_c=22.0,
        around_c=5.0 + 3.0 * np.sin((hour - 9) / 24 * 2 * np.pi),
        efficiency=series(3.0),
    )
    return PlanningProblem(
        START,
        **found,
        export_price=series(0.08),
        appliances=tuple(runs),
        batteries=(Battery("battery", 10.0, 4.0, 5.0, 5.0, wear_price=0.02, reserve_kwh=1.0),),
        cars=(
            Car("car tonight", float(rng.uniform(5, 25)), 11.0, None, START + 14 * HOUR, 1.4),
            Car("car tomorrow", float(rng.uniform(5, 25)), 11.0, START + 25 * HOUR, START + 38 * HOUR, 1.4),
        ),
        heats=(heat,),
        import_limit_kw=14.0,
        weights=Weights(money=1.0, carbon=0.1),
    )


def home_in_courses(seed: int) -> PlanningProblem:
    """Return the full case with eight courses that its load and its sun may take."""
    stated, rng = home(seed), np.random.default_rng(seed)
    loads = stated.load_kw * rng.gamma(2.0, 0.5, (N_COURSES, stated.n_steps))
    suns = stated.solar_kw * rng.uniform(0.4, 1.2, (N_COURSES, 1))
    return replace(stated, load_paths_kw=loads, solar_paths_kw=suns)


def standard(seed: int) -> PlanningProblem:
    """Return the usual case of the field."""
    rng = np.random.default_rng(seed)
    found = day_series(rng, 96)
    del found["hour"]
    runs = (Appliance("one", (2.0,) * 8), Appliance("two", (1.0,) * 12))
    battery = Battery("battery", 10.0, 5.0, 5.0, 5.0)
    return PlanningProblem(START, **found, export_price=series(0.08), appliances=runs, batteries=(battery,))


def forty(seed: int) -> PlanningProblem:
    """Return forty appliances that must share the import."""
    rng = np.random.default_rng(seed)
    found = day_series(rng, 192)
    del found["hour"]
    runs = tuple(Appliance(f"appliance {k}", tuple(rng.uniform(0.2, 2.0, int(rng.integers(3, 11))))) for k in range(40))
    return PlanningProblem(START, **found, export_price=series(0.08), appliances=runs, import_limit_kw=8.0)


def measured(name: str, make: Callable[[int], PlanningProblem], n_cases: int) -> dict[str, Cell]:
    """Return the row of a kind of case."""
    seconds, gaps, dearer = [], [], []
    for seed in range(n_cases):
        problem = make(seed)
        begin = perf_counter()
        plan = solve(problem)
        seconds.append(perf_counter() - begin)
        gaps.append(np.nan if plan.gap is None else 100.0 * plan.gap)
        dearer.append(by_rules(problem).objective - plan.objective)
    n = problem.n_steps
    return {
        "row": name,
        "test": f"steps{n}",
        **_spread("seconds", seconds, 3),
        **_spread("gap_percent", gaps, 3),
        "rules_dearer": round(float(np.median(dearer)), 2),
        "cases": n_cases,
    }


def curve(n_cases: int) -> dict[str, Cell]:
    """Return the row of the plans from the cheapest to the cleanest."""
    seconds, counts = [], []
    for seed in range(n_cases):
        begin = perf_counter()
        counts.append(len(trade_off(home(seed))))
        seconds.append(perf_counter() - begin)
    return {
        "row": "curve",
        "test": "steps192",
        **_spread("seconds", seconds, 3),
        "fewest_plans": min(counts),
        "cases": n_cases,
    }


def _spread(name: str, values: Sequence[float], digits: int) -> dict[str, Cell]:
    return {name: round(float(np.median(values)), digits), f"{name}_worst": round(float(max(values)), digits)}


def main() -> None:
    """Measure, and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20)
    n_cases: int = parser.parse_args().cases
    solve(standard(0))  # the first loads the solver
    rows = [measured("home", home, n_cases), measured("home_courses", home_in_courses, n_cases)]
    rows.append(measured("standard", standard, n_cases))
    rows.append(measured("forty", forty, max(n_cases // 10, 1)))  # each takes all the time it is given
    report("planner", PROTOCOL, [*rows, curve(max(n_cases // 4, 1))])


if __name__ == "__main__":
    main()
