from __future__ import annotations

import pytest

from watthour.carbon.factors import GENERAL, UNKNOWN, factor_of
from watthour.core.carbon import Scope
from watthour.sources.eia import FUELS
from watthour.sources.production_types import TYPES


@pytest.mark.parametrize("fuel", sorted({*FUELS.values(), *(each.word for each in TYPES)}))
def test_every_fuel_of_eia_and_of_europe_has_a_factor_with_its_source_and_year(fuel: str) -> None:
    factor = GENERAL[fuel]

    assert 0 <= factor.of(Scope.DIRECT) <= factor.of(Scope.LIFECYCLE)
    assert factor.source
    assert factor.year >= 2014


@pytest.mark.parametrize("zone", ["NYIS", "CISO", "PJM", "ISNE", "ERCO"])
@pytest.mark.parametrize("fuel", ["gas", "coal", "oil"])
def test_over_the_life_cycle_a_zone_has_as_much_more_as_the_general_factor(fuel: str, zone: str) -> None:
    own, general = factor_of(fuel, zone), GENERAL[fuel]

    assert own.lifecycle - own.direct == pytest.approx(general.lifecycle - general.direct)


def test_direct_factors_are_those_of_the_published_comparison() -> None:
    # aamyli/CarbonCast and Electricity Maps, direct; the benchmark of the project is measured with these
    assert {fuel: factor_of(fuel).direct for fuel in ("coal", "gas", "oil", "other", "nuclear", "wind")} == {
        "coal": 760.0,
        "gas": 370.0,
        "oil": 406.0,
        "other": 575.0,
        "nuclear": 0.0,
        "wind": 0.0,
    }


def test_a_fuel_that_nobody_knows_has_the_factor_of_unknown_production() -> None:
    assert factor_of("moonshine") == UNKNOWN


def test_a_zone_with_plants_of_its_own_has_its_own_factors_and_else_the_general_ones() -> None:
    assert factor_of("gas", "PJM").source.startswith("US EPA eGRID (direct)")
    assert factor_of("nuclear", "PJM") == GENERAL["nuclear"]
    assert factor_of("gas", "BE") == GENERAL["gas"]
