"""What is learned of a series: its scale, the shapes of its days, the constants of the process, and its errors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from watthour.core.frames import LEVELS
from watthour.forecasting.panel import mean_known
from watthour.forecasting.trend_season.process import Filter, learn
from watthour.forecasting.trend_season.rows import DENSE, YEAR_ROWS, harmonics
from watthour.forecasting.trend_season.shape import NORMAL, quantile_table, shape_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.forecasting.gaussian_process.local_days import Mask
    from watthour.forecasting.trend_season.rows import Grid
    from watthour.forecasting.vintages import Array, Instants

N_SHAPES = 5  # of a day, at most
_LEARNED_ROWS, _LEARNED_OLD = 260, 140  # rows that teach the constants: whole ones, and means of weeks before them
_LEADS = (1, 2, 3, 5, 8, 12, 18, 26, 40, 60)  # at which errors are looked at [rows]
_MOST_CHUNKS = 6  # years of errors
_FEWEST_ERRORS = 60
_SEASONAL_YEARS = 1.5  # of rows before the size of errors is learned by season
_RIDGE = 20.0
_NEAR_ZERO = 0.3  # of the median: what falls so far can fall to 0
_UNSETTLED = 10  # first rows whose errors say nothing
_PARTS = (slice(0, 1), slice(1, None))  # of the scores: the level of a row has constants of its own
_BY_SLOT = ("profile", "shapes", "readers", "rest")
_FEWEST_WHOLE = 21  # rows known whole, to learn shapes from them alone
_PROFILE_ROWS = 800  # last ones, that say how a day usually goes


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """S slots of a row, C shapes."""

    is_log: bool
    profile: Array  # (S,) the usual value of each slot, on the scale of the process
    shapes: Array  # (S, C) what one deviation of each score adds
    readers: Array  # (S, C) how scores are read from a row
    rest: Array  # (S,) deviation of what no shape says
    constants: Array  # (1 or 2, constants): of the first score, and of the others
    season: Array  # (4,) coefficients of the errors' size
    origin: float  # where the trend is zero, days since 1970
    anchor: int  # number of the row after the last one learned from
    n_rows: int  # learned from
    horizon: int  # rows ahead that errors were looked at
    leads: Array  # (leads,) of the table of errors [rows]
    table: Array  # (leads, 12, levels) quantiles of errors in deviations

    def scale(self, values: Array) -> Array:
        """Return values on the scale of the process; what has no logarithm is unknown."""
        if not self.is_log:
            return values
        return np.log(np.where(values > 0, values, np.nan))

    def scores(self, scaled: Array) -> Array:
        """Return the scores of rows, (n, C); NaN where fewer than half of the slots are known."""
        filled, enough = _levelled(scaled - self.profile)
        return np.where(enough[:, None], filled @ self.readers, np.nan)

    def dense_from(self, edge: int) -> int:
        """Return from which row on rows are kept whole, for an issue that knows those before ``edge``."""
        return self.anchor + (edge - self.anchor) // YEAR_ROWS * YEAR_ROWS - DENSE

    def expected(
        self, grid: Grid, first: int, scaled: Array, edges: Instants, at: Instants, dense_from: int
    ) -> tuple[Array, Array]:
        """Return mean and deviation of rows by slot, each (m, S), on the scale of the process.

        Args:
            grid: of the rows.
            first: number of the first row.
            scaled: (n, S) rows, on the scale of the process.
            edges: (m,) the first row each forecast does not know.
            at: (m,) the row it is of.
            dense_from: rows before this number are averaged.
        """
        n_ahead = max(0, int(at.max()) + 1 - first - len(scaled))
        rows, scores, n_old = grid.rows(first, self.scores(scaled), n_ahead, dense_from, self.season, self.origin)
        shift = n_old - max(dense_from - first, 0) * (grid.days == 1) - first
        mean, variance = np.zeros((len(at), scores.shape[1])), np.zeros((len(at), scores.shape[1]))
        for constants, mine in zip(self.constants, _PARTS, strict=False):
            mean[:, mine], found = Filter(constants, rows, scores[:, mine]).forecasts(edges + shift, at + shift)
            variance[:, mine] = found[:, None]
        return self.profile + mean @ self.shapes.T, self._deviation(variance)

    def answers(
        self, grid: Grid, first: int, known: Sequence[Array], at: Sequence[Instants], dense_from: int
    ) -> list[tuple[Array, Array]]:
        """Return, for each of some issues in order of time, mean and deviation of rows by slot, each (m, S).

        Args:
            grid: of the rows.
            first: number of the first row of every issue.
            known: for each issue its rows, (n, S), on the scale of the process.
            at: for each issue the numbers of the rows it is asked for, (m,).
            dense_from: rows before this number are averaged.
        """
        scores = [self.scores(each) for each in known]
        last = max(int(each.max()) for each in at)
        n_ahead = max(0, last + 1 - first - len(scores[-1]))
        rows, shared, n_old = grid.rows(first, scores[-1], n_ahead, dense_from, self.season, self.origin)
        begin = n_old - max(dense_from - first, 0) * (grid.days == 1)
        own = [grid.rows(first, each, 0, dense_from, self.season, self.origin)[1] for each in scores]
        since = [_first_difference(each, shared) for each in own]
        filters = [Filter(each, rows, shared[:, part]) for each, part in zip(self.constants, _PARTS, strict=False)]
        found = []
        for mine, here, asked in zip(own, since, at, strict=True):
            mean, variance = np.zeros((len(asked), shared.shape[1])), np.zeros((len(asked), shared.shape[1]))
            for each, part in zip(filters, _PARTS, strict=False):
                mean[:, part], size = each.amended(here, mine[here:, part], asked - first + begin)
                variance[:, part] = size[:, None]
            found.append((self.profile + mean @ self.shapes.T, self._deviation(variance)))
        return found

    def turned(self, n_slots: int) -> Learned:
        """Return the same for days that begin so many slots later."""
        turned = {name: np.roll(getattr(self, name), -n_slots, axis=0) for name in _BY_SLOT}
        return replace(self, **turned)

    def _deviation(self, variance: Array) -> Array:
        return np.asarray(np.sqrt(variance @ self.shapes.T**2 + self.rest**2))

    def quantiles(self, mean: Array, deviation: Array, lead: Array, middle: Array) -> Array:
        """Return the quantiles of intervals, (m, levels), in the unit of the channel; all arguments (m,)."""
        found = mean[:, None] + deviation[:, None] * shape_at(self.table, self.leads, lead, middle)
        return np.exp(found) if self.is_log else found


def learn_series(grid: Grid, first: int, values: Array, horizon: int) -> Learned:
    """Learn a series from its rows.

    Args:
        grid: of the rows.
        first: number of the first row.
        values: (n, S), NaN where unknown [unit of the channel].
        horizon: rows that are to be forecast.
    """
    is_log = grows_in_parts(values)
    scaled = np.log(np.where(values > 0, values, np.nan)) if is_log else values
    profile, shapes, readers, rest = _shapes(scaled[-_PROFILE_ROWS:])
    middle = grid.middle(first + np.arange(len(values)))
    known = Learned(
        is_log,
        profile,
        shapes,
        readers,
        rest,
        np.zeros((1, 1)),
        np.zeros(4),
        float(middle.mean()),
        first + len(values),
        len(values),
        horizon,
        np.ones(1),
        NORMAL[None, None, :].repeat(12, axis=1),
    )
    scores = known.scores(scaled)
    constants = _constants(grid, first, scores, known)
    season = np.zeros(4)
    if len(values) * grid.base > _SEASONAL_YEARS * 366:
        season = _season(grid, first, scores, replace(known, constants=constants), middle)
        constants = _constants(grid, first, scores, replace(known, season=season), constants)
    known = replace(known, constants=constants, season=season)
    leads, table = _errors(grid, first, scaled, known, horizon)
    return replace(known, leads=leads, table=table)


def grows_in_parts(values: Array) -> bool:
    """Return whether the changes of a series are more alike in parts of its level than in its unit.

    Never where some values come near 0 beside the usual ones. Else by the likelihood of its changes from row to row,
    by a Laplace distribution.
    """
    known = values[np.isfinite(values)]
    if known.min() <= 0 or np.quantile(known, 0.01) < _NEAR_ZERO * np.median(known):
        return False
    change, relative = np.abs(np.diff(values, axis=0)), np.abs(np.diff(np.log(values), axis=0))
    if not np.isfinite(change).any():  # no two rows beside each other are known
        return False
    return bool(np.log(np.nanmean(relative)) + np.nanmean(np.log(values)) < np.log(np.nanmean(change)))


def _first_difference(own: Array, shared: Array) -> int:
    """Return the first row at which what one issue knew differs from what the last one did."""
    same = (own == shared[: len(own)]) | (np.isnan(own) & np.isnan(shared[: len(own)]))
    differs = np.flatnonzero(~same.all(axis=1))
    return int(differs[0]) if len(differs) else len(own)


def _levelled(away: Array) -> tuple[Array, Mask]:
    """Return rows, (n, S), whose unknown slots have the mean of the known ones, and which know half of them, (n,)."""
    known = np.isfinite(away)
    level = np.where(known, away, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.where(known, away, level[:, None]), np.asarray(known.mean(axis=1) >= 0.5)  # noqa: PLR2004 - half


def _shapes(scaled: Array) -> tuple[Array, Array, Array, Array]:
    """Return the usual row, its shapes, what reads their scores, and the deviation of the rest by slot."""
    profile = mean_known(scaled, axis=0)
    away = scaled - profile
    n_slots = away.shape[1]
    if n_slots == 1:
        size = max(float(np.nanstd(away)), 1e-12)
        return profile, np.array([[size]]), np.array([[1 / size]]), np.zeros(1)
    whole = away[np.isfinite(away).all(axis=1)]
    if len(whole) < _FEWEST_WHOLE:
        filled, enough = _levelled(np.where(np.isfinite(profile), away, 0.0))
        whole = filled[enough]
    bound = 5 * np.median(np.abs(whole), axis=0) / 0.6745 + 1e-12
    whole = np.clip(whole, -bound, bound)
    flat = np.full((n_slots, 1), n_slots**-0.5)
    rest = whole - whole @ flat @ flat.T
    _, _, others = np.linalg.svd(rest, full_matrices=False)
    basis = np.concatenate([flat, others[: N_SHAPES - 1].T], axis=1)
    scores = whole @ basis
    size = np.maximum(scores.std(axis=0), 1e-12)
    return profile, basis * size, basis / size, (whole - scores @ basis.T).std(axis=0)


def _constants(grid: Grid, first: int, scores: Array, known: Learned, start: Array | None = None) -> Array:
    """Return the constants of the first score, and those that the others share."""
    dense_from = first + len(scores) - _LEARNED_ROWS - (0 if grid.days == 1 else _LEARNED_OLD)
    rows, values, _ = grid.rows(first, scores, 0, dense_from, known.season, known.origin)
    there = np.flatnonzero(np.isfinite(values).all(axis=1))[-_LEARNED_ROWS - _LEARNED_OLD :]
    rows = rows.take(there)
    found = []
    for k, part in enumerate(_PARTS):
        mine = values[there][:, part]
        if mine.shape[1]:
            one = learn(rows, mine, None if start is None else start[k], most_steps=15 if start is None else 8)
            found.append(learn(rows, Filter(one, rows, mine).tamed(), one, most_steps=10))
    return np.array(found)


def _season(grid: Grid, first: int, scores: Array, known: Learned, middle: Array) -> Array:
    """Return four coefficients of the logarithm of the errors' size over the year, of the first score one row ahead."""
    errors = np.full(len(scores), np.nan)
    constants = known.constants[0]
    for begin, end in _chunks(len(scores)):
        rows, values, n_old = grid.rows(first, scores[:end, :1], 0, first + begin, known.season, known.origin)
        at = np.arange(n_old + _UNSETTLED, len(values))
        mean, variance = Filter(constants, rows, values).forecasts(at, at)
        errors[end - len(at) : end] = (values[at, 0] - mean[:, 0]) / np.sqrt(variance)
    there = np.isfinite(errors)
    size = np.log(np.abs(errors[there]) + 0.05)
    waves = np.concatenate([np.ones((there.sum(), 1)), harmonics(middle[there])], axis=1)
    ridge = np.diag([0.0, *[_RIDGE] * 4])
    found = np.linalg.solve(waves.T @ waves + ridge, waves.T @ size)
    return np.asarray(found[1:])


def _chunks(n_rows: int) -> list[tuple[int, int]]:
    """Return spans of the last rows, from where whole rows begin to the end, the last of them first."""
    found: list[tuple[int, int]] = []
    end = n_rows
    while end > _UNSETTLED and len(found) < _MOST_CHUNKS:
        found.append((max(0, end - YEAR_ROWS - _UNSETTLED), end))
        end -= YEAR_ROWS
    return found


def _errors(grid: Grid, first: int, scaled: Array, known: Learned, horizon: int) -> tuple[Array, Array]:
    """Return leads and, for each and for each month, the quantiles of the errors in deviations."""
    leads = np.array([lead for lead in _LEADS if lead <= max(horizon, 1)] or [1])
    found: dict[int, list[tuple[Array, Array]]] = {int(lead): [] for lead in leads}
    for begin, end in _chunks(len(scaled)):
        number = first + np.arange(max(begin, _UNSETTLED), end)
        at = np.concatenate([number for _ in leads])
        lead = np.repeat(leads, len(number))
        edges = at - lead + 1
        fits = edges >= first + max(begin, _UNSETTLED)
        if not fits.any():
            continue
        at, lead, edges = at[fits], lead[fits], edges[fits]
        mean, deviation = known.expected(grid, first, scaled[:end], edges, at, first + begin)
        errors = (scaled[at - first] - mean) / deviation
        for each in leads.tolist():
            mine = lead == each
            found[each].append((errors[mine], grid.middle(at[mine])))
    tables = []
    for each, parts in found.items():
        errors = np.concatenate([part[0] for part in parts]) if parts else np.empty((0, scaled.shape[1]))
        middle = np.concatenate([part[1] for part in parts]) if parts else np.empty(0)
        tables.append(quantile_table(errors, middle, float(each), scaled.shape[1]))
    return leads.astype(np.float64), np.array(tables).reshape(len(leads), 12, len(LEVELS))
