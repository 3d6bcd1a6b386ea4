"""Carbon intensity of what regions produce and of what they consume [gCO2e/kWh]; NaN where it cannot be known.

Flow tracing: everything that enters a region mixes evenly, and what leaves it, or is used there, has the intensity of
the mixture (Bialek 1996; Tranberg et al. 2019, doi:10.1016/j.esr.2019.100367).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]
    Mask: TypeAlias = NDArray[np.bool_]


def emissions(generation: Array, factors: Array) -> tuple[Array, Array]:
    """Return what is produced [unit of the generation] and what that emits [unit of the generation x gCO2e/kWh]: (n,).

    Storage that charges, and a plant that draws more than it makes, is negative and counts as nothing produced. Where
    one of the fuels is not known, neither sum is.

    Args:
        generation: of each fuel, (n, fuels); NaN where it is not known.
        factors: of each fuel, (fuels,) [gCO2e/kWh].
    """
    made = np.maximum(generation, 0.0)  # NaN stays NaN
    return made.sum(axis=1), made @ factors


def production_intensity(generation: Array, factors: Array) -> Array:
    """Return the intensity of what is produced, (n,); NaN where a fuel is not known, or nothing is produced.

    >>> production_intensity(np.array([[1.0, 3.0], [1.0, -2.0], [np.nan, 1.0]]), np.array([400.0, 0.0]))
    array([100., 400.,  nan])

    Args:
        generation: of each fuel, (n, fuels) [any unit]; see ``emissions``.
        factors: of each fuel, (fuels,) [gCO2e/kWh].
    """
    total, emitted = emissions(generation, factors)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, emitted / total, np.nan)


def consumption_intensity(production: Array, emitted: Array, flows: Array) -> Array:
    """Return the intensity of what each region consumes, flow-traced, (n, regions).

    It solves ``x_i (P_i + sum_j F_ji) = E_i + sum_j F_ji x_j`` for all regions of an interval at once. Unknown is a
    region into which no produced electricity comes, one whose production or a flow into which is not known, and
    everything that such a region delivers to.

    Args:
        production: of each region, (n, regions) [any unit].
        emitted: by it, (n, regions) [unit of the production x gCO2e/kWh].
        flows: from region i to region j, (n, i, j) [unit of the production]; a negative flow goes the other way.
    """
    flows = np.maximum(flows, 0.0) + np.swapaxes(np.maximum(-flows, 0.0), 1, 2)
    regions = np.arange(production.shape[1])
    flows[:, regions, regions] = 0.0
    is_flow_unknown = np.isnan(flows)
    flows = np.where(is_flow_unknown, 0.0, flows)
    is_known = np.isfinite(production) & np.isfinite(emitted)
    made = np.where(is_known, np.maximum(production, 0.0), 0.0)
    is_linked = flows > 0
    is_supplied = _reached(made > 0, is_linked)
    unsure = ~is_known | ~is_supplied | is_flow_unknown.any(axis=1)
    is_unknown = _reached(unsure, is_linked)
    is_solved = ~is_unknown
    between = flows * is_solved[:, :, None] * is_solved[:, None, :]
    matrix = -np.swapaxes(between, 1, 2)
    matrix[:, regions, regions] = np.where(is_solved, made + between.sum(axis=1), 1.0)
    right = np.where(is_solved, np.where(is_known, emitted, 0.0), 0.0)
    solved = np.linalg.solve(matrix, right[:, :, None])[:, :, 0]
    return np.where(is_solved, solved, np.nan)


def _reached(begins: Mask, is_linked: Mask) -> Mask:
    """Return the regions that can be reached from some along the flows of the interval, (n, regions)."""
    found = begins
    for _step in range(begins.shape[1] - 1):
        found = found | (found[:, :, None] & is_linked).any(axis=1)
    return found
