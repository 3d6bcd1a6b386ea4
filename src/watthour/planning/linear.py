"""A mixed-integer linear problem, written column by column and row by row, and handed to HiGHS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from watthour.core.assets import Array

Columns: TypeAlias = NDArray[np.int64]
ABSOLUTE_GAP = 1e-4  # [currency]
Bound: TypeAlias = "float | Array"


@dataclass(slots=True)
class Linear:
    """Columns with bounds and costs, and rows with bounds; everything is minimised."""

    low: list[Array] = field(default_factory=list)
    high: list[Array] = field(default_factory=list)
    cost: list[Array] = field(default_factory=list)
    is_whole: list[NDArray[np.bool_]] = field(default_factory=list)
    n_columns: int = 0
    row_low: list[Array] = field(default_factory=list)
    row_high: list[Array] = field(default_factory=list)
    n_rows: int = 0
    offset: float = 0.0  # of the objective
    entries: list[tuple[Columns, Columns, Array]] = field(default_factory=list)  # row, column, coefficient

    def columns(self, n: int, low: Bound, high: Bound, cost: Bound = 0.0, *, is_whole: bool = False) -> Columns:
        """Add columns; return their numbers."""
        self.low.append(np.broadcast_to(np.asarray(low, dtype=np.float64), n))
        self.high.append(np.broadcast_to(np.asarray(high, dtype=np.float64), n))
        self.cost.append(np.broadcast_to(np.asarray(cost, dtype=np.float64), n))
        self.is_whole.append(np.full(n, is_whole))
        self.n_columns += n
        return np.arange(self.n_columns - n, self.n_columns)

    def rows(self, n: int, low: Bound, high: Bound, *terms: tuple[Columns, Bound]) -> Columns:
        """Add rows, each with one column of each term; return their numbers."""
        self.row_low.append(np.broadcast_to(np.asarray(low, dtype=np.float64), n))
        self.row_high.append(np.broadcast_to(np.asarray(high, dtype=np.float64), n))
        self.n_rows += n
        numbers = np.arange(self.n_rows - n, self.n_rows)
        for columns, coefficients in terms:
            self.put(numbers[: len(columns)], columns, coefficients)
        return numbers

    def row(self, low: float, high: float, columns: Columns, coefficients: Bound) -> int:
        """Add one row over many columns; return its number."""
        number = int(self.rows(1, low, high)[0])
        self.put(np.full(len(columns), number), columns, coefficients)
        return number

    def put(self, rows: Columns, columns: Columns, coefficients: Bound) -> None:
        """Add coefficients to rows that there are; those at the same place are added up."""
        self.entries.append((rows, columns, np.broadcast_to(np.asarray(coefficients, dtype=np.float64), len(columns))))

    def costs(self) -> Array:
        """Return the cost of each column."""
        return np.concatenate(self.cost)


@dataclass(frozen=True, slots=True)
class Solution:
    """What HiGHS found: no values: nothing in time, or nothing at all (``is_impossible``)."""

    values: Array | None
    objective: float
    bound: float | None  # that no solution is below; None: not known
    is_proven: bool
    is_impossible: bool

    @property
    def gap(self) -> float | None:
        """By how much another may be better, as a share of the larger of objective and bound; 0: this is the best."""
        return None if self.bound is None else share_missing(self.objective, self.bound)

    def is_good(self, gap: float) -> bool:
        """Whether no other solution is better by more than a share of the objective, or by more than next to nothing.

        The share alone would call the worst plan good where what it comes to is nothing.
        """
        return self.bound is not None and self.objective - self.bound <= max(ABSOLUTE_GAP, gap * abs(self.objective))


def share_missing(objective: float, bound: float) -> float:
    """Return what may be missing between an objective and its bound, as a share (0..1) of the larger of the two.

    Where the two have different signs the share is of their distance.
    """
    missing = max(objective - bound, 0.0)
    return missing / max(abs(objective), abs(bound), missing) if missing > 0.0 else 0.0


def solve_linear(
    linear: Linear,
    *,
    time_limit_s: float,
    gap: float,
    costs: Array | None = None,
    fixed: tuple[Columns, Array] | None = None,
    start: tuple[Columns, Array] | None = None,
) -> Solution:
    """Minimise, and return what was found in time.

    Args:
        linear: the problem.
        time_limit_s: after so long the best so far is taken.
        gap: share of the objective that need not be sought any more.
        costs: other costs of the columns than its own.
        fixed: columns that keep a value.
        start: columns and values of a plan that is known already; what it does not say is found.
    """
    import highspy

    solver = highspy.Highs()  # type: ignore[no-untyped-call]  # highspy leaves it so
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("time_limit", float(time_limit_s)),
        ("mip_rel_gap", gap),
        ("mip_abs_gap", ABSOLUTE_GAP),
    ):
        solver.setOptionValue(name, value)
    solver.passModel(model_of(linear, highspy, costs=costs, fixed=fixed))
    if start is not None:
        solver.setSolution(len(start[0]), start[0].astype(np.int32), start[1])
    solver.run()
    return _read(solver, highspy)


def model_of(
    linear: Linear,
    highspy: Any,  # noqa: ANN401 - a module that is imported late
    *,
    costs: Array | None = None,
    fixed: tuple[Columns, Array] | None = None,
    is_relaxed: bool = False,
) -> Any:  # noqa: ANN401 - of that module
    """Return the problem as HiGHS takes it; relaxed: without whole numbers."""
    low, high = np.concatenate(linear.low), np.concatenate(linear.high)
    is_whole = np.concatenate(linear.is_whole)
    if fixed is not None:
        low[fixed[0]] = high[fixed[0]] = fixed[1]
    rows, columns, coefficients = (np.concatenate(part) for part in zip(*linear.entries, strict=True))
    order = np.lexsort((columns, rows))
    rows, columns, coefficients = rows[order], columns[order], coefficients[order]
    is_new = np.ones(len(rows), dtype=bool)
    is_new[1:] = (np.diff(rows) != 0) | (np.diff(columns) != 0)
    summed = np.add.reduceat(coefficients, np.flatnonzero(is_new))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = linear.n_columns, linear.n_rows
    lp.col_cost_ = linear.costs() if costs is None else costs
    lp.offset_ = linear.offset if costs is None else 0.0
    lp.col_lower_, lp.col_upper_ = low, high
    lp.row_lower_, lp.row_upper_ = np.concatenate(linear.row_low), np.concatenate(linear.row_high)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum(np.bincount(rows[is_new], minlength=linear.n_rows))]).astype(
        np.int32
    )
    lp.a_matrix_.index_ = columns[is_new].astype(np.int32)
    lp.a_matrix_.value_ = summed
    if is_whole.any() and not is_relaxed:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(each)] for each in is_whole]
    return lp


def _read(solver: Any, highspy: Any) -> Solution:  # noqa: ANN401 - of a module that is imported late
    status, info = solver.getModelStatus(), solver.getInfo()
    kinds = highspy.HighsModelStatus
    is_found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    is_mip = info.mip_node_count >= 0
    is_proven = status == kinds.kOptimal
    bound = float(info.mip_dual_bound if is_mip else info.objective_function_value)
    return Solution(
        values=np.array(solver.getSolution().col_value) if is_found else None,
        objective=float(info.objective_function_value),
        bound=bound if np.isfinite(bound) and (is_mip or is_proven) else None,
        is_proven=is_proven,
        is_impossible=status in {kinds.kInfeasible, kinds.kUnboundedOrInfeasible},
    )
