from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from watthour.carbon.intensity import consumption_intensity, emissions, production_intensity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

UNKNOWN = float("nan")
FACTORS = np.array([800.0, 400.0, 0.0])
_MEGAWATTS = st.floats(0, 1e5).map(lambda value: round(value, 2))


def _generation(rows: int = 3) -> st.SearchStrategy[Array]:
    return arrays(np.float64, (rows, 3), elements=_MEGAWATTS)


@st.composite
def _grids(draw: st.DrawFn) -> tuple[Array, Array, Array]:
    """Draw regions that all produce something, with flows either way between any two of them."""
    n_regions = draw(st.integers(2, 5))
    production = draw(arrays(np.float64, (2, n_regions), elements=st.floats(1, 1e4)))
    own = draw(arrays(np.float64, (2, n_regions), elements=st.floats(0, 1000)))
    flows = draw(arrays(np.float64, (2, n_regions, n_regions), elements=st.floats(-1e4, 1e4)))
    return production, production * own, flows


@given(_generation())
def test_production_lies_between_its_cleanest_and_its_dirtiest_fuel(generation: Array) -> None:
    found = production_intensity(generation, FACTORS)

    for row, intensity in zip(generation, found, strict=True):
        used = FACTORS[row > 0]
        assert np.isnan(intensity) if used.size == 0 else used.min() - 1e-6 <= intensity <= used.max() + 1e-6


@given(_generation(), st.floats(0.1, 1000))
def test_the_unit_of_the_generation_does_not_matter(generation: Array, scale: float) -> None:
    assert np.allclose(
        production_intensity(generation, FACTORS), production_intensity(scale * generation, FACTORS), equal_nan=True
    )


def test_storage_that_charges_is_not_production() -> None:
    idle, charging = np.array([[100.0, 50.0, 0.0]]), np.array([[100.0, 50.0, -80.0]])

    assert production_intensity(charging, FACTORS) == pytest.approx(production_intensity(idle, FACTORS))


def test_one_unknown_fuel_makes_the_intensity_unknown_and_never_zero() -> None:
    found = production_intensity(np.array([[UNKNOWN, 50.0, 10.0], [0.0, 0.0, 10.0], [0.0, 0.0, 0.0]]), FACTORS)

    assert np.isnan(found[0])
    assert found[1] == 0.0  # all wind: really nothing
    assert np.isnan(found[2])  # nothing runs, so nothing can be said


@given(_grids())
def test_what_is_emitted_is_what_is_consumed_and_delivered(grid: tuple[Array, Array, Array]) -> None:
    production, emitted, flows = grid
    found = consumption_intensity(production, emitted, flows)

    inward = np.maximum(flows, 0) + np.swapaxes(np.maximum(-flows, 0), 1, 2)
    for region in range(production.shape[1]):
        inward[:, region, region] = 0
    used = production + inward.sum(axis=1) - inward.sum(axis=2)
    assert (found * used).sum(axis=1) == pytest.approx(emitted.sum(axis=1), rel=1e-6, abs=1e-3)


@given(_grids())
def test_consumption_lies_between_the_cleanest_and_the_dirtiest_production(grid: tuple[Array, Array, Array]) -> None:
    production, emitted, flows = grid
    own = emitted / production

    found = consumption_intensity(production, emitted, flows)

    assert (found >= own.min(axis=1, keepdims=True) - 1e-6).all()
    assert (found <= own.max(axis=1, keepdims=True) + 1e-6).all()


@given(_grids())
def test_regions_of_one_intensity_consume_it_whatever_flows(grid: tuple[Array, Array, Array]) -> None:
    production, _emitted, flows = grid

    assert consumption_intensity(production, 321.0 * production, flows) == pytest.approx(321.0)


def _traced(production: list[float], own: list[float], flows: dict[tuple[int, int], float]) -> list[float]:
    n_regions = len(production)
    matrix = np.zeros((1, n_regions, n_regions))
    for (begin, end), flow in flows.items():
        matrix[0, begin, end] = flow
    made = np.array([production])
    return [float(each) for each in consumption_intensity(made, made * np.array([own]), matrix)[0]]


def test_without_flows_a_region_consumes_what_it_produces() -> None:
    assert _traced([100.0, 50.0], [400.0, 20.0], {}) == [400.0, 20.0]


def test_one_region_alone_needs_no_flows() -> None:
    assert _traced([100.0], [400.0], {(0, 0): 30.0}) == [400.0]


def test_a_region_with_imports_alone_has_the_intensity_of_where_they_come_from() -> None:
    assert _traced([100.0, 300.0, 0.0], [800.0, 0.0, UNKNOWN], {})[:2] == [800.0, 0.0]
    assert _traced([100.0, 300.0, 0.0], [800.0, 0.0, 0.0], {(0, 2): 10.0, (1, 2): 30.0})[2] == pytest.approx(200.0)


def test_a_loop_mixes_what_goes_round() -> None:
    # by hand: a = (800 * 100 + 50 c) / 150, b = (0 * 100 + 50 a) / 150, c = (0 * 100 + 50 b) / 150
    a, b, c = _traced([100.0] * 3, [800.0, 0.0, 0.0], {(0, 1): 50.0, (1, 2): 50.0, (2, 0): 50.0})

    assert (a, b, c) == pytest.approx((800 * 100 / 150 / (1 - 1 / 27), a / 3, a / 9))


def test_a_negative_flow_goes_the_other_way() -> None:
    assert _traced([100.0, 100.0], [800.0, 0.0], {(0, 1): -50.0}) == _traced(
        [100.0, 100.0], [800.0, 0.0], {(1, 0): 50.0}
    )


def test_a_loop_into_which_nothing_is_produced_is_unknown_and_so_is_what_it_feeds() -> None:
    found = _traced([100.0, 0.0, 0.0, 100.0], [400.0, 0.0, 0.0, 0.0], {(1, 2): 5.0, (2, 1): 5.0, (2, 3): 1.0})

    assert found[0] == 400.0
    assert np.isnan(found[1:]).all()


def test_what_is_not_known_spreads_only_along_the_flows() -> None:
    production = np.array([[UNKNOWN, 100.0, 100.0]])
    flows = np.zeros((1, 3, 3))
    flows[0, 0, 1], flows[0, 2, 0] = 10.0, 10.0

    found = consumption_intensity(production, np.array([[UNKNOWN, 0.0, 40_000.0]]), flows)[0]

    assert np.isnan(found[:2]).all()
    assert found[2] == 400.0


def test_an_unknown_flow_makes_both_its_ends_unknown() -> None:
    flows = np.zeros((1, 3, 3))
    flows[0, 0, 1] = UNKNOWN

    found = consumption_intensity(np.full((1, 3), 100.0), np.full((1, 3), 40_000.0), flows)[0]

    assert np.isnan(found[:2]).all()  # its direction is not known
    assert found[2] == 400.0


def test_emissions_are_summed_over_the_fuels() -> None:
    total, emitted = emissions(np.array([[2.0, 1.0, 5.0]]), FACTORS)

    assert (total[0], emitted[0]) == (8.0, 2000.0)
