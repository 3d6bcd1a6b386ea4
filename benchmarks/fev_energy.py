"""Fourteen energy tasks of the public benchmark fev-bench, forecast by one recipe with one setting.

Run: python benchmarks/fev_energy.py [--tasks epf_fr [--replace]] [--model seasonal_naive] [--data ../shared/data]

Each task is the last windows of a table: the last ``windows x horizon`` steps are forecast window by window, from
everything before the window, the known covariates also over it. The row ``seasonal_naive`` must have its published
figures, or the run stops: then period, gaps, windows and metrics are those of fev-bench. The row ``ours`` is
``DayAhead(...).cross_validation(h, n_windows)`` with the same setting for all tasks; what differs from task to task
are facts: the columns, the clock they are stamped with, the place and its holidays.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from time import process_time
from typing import TYPE_CHECKING, Any, Literal, cast
from unittest.mock import patch

import gefcom2014
import numpy as np
import polars as pl
from report import RESULTS, report
from rich.console import Console
from rich.table import Table
from threads import on_one_thread

from watthour import DayAhead
from watthour.forecasting import fleet
from watthour.forecasting.model_choice import AUTO

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVELS = tuple(tenth / 10 for tenth in range(1, 10))
_CONTEXT = 1000  # steps that the published seasonal naive looks back
_TOLERANCE = 1e-4  # of the published figures of the seasonal naive
PROTOCOL = (
    "fev-bench: the last windows x horizon steps of a table are cut into windows; each is forecast from everything "
    "before it, with the task's known covariates. MASE and SQL (quantiles .1 to .9) of a window: errors in parts of "
    "the series' own mean absolute seasonal difference over all its past, averaged over series and steps; WAPE: sum of "
    "errors over sum of actuals; then the mean over windows (and over the seven channels of ETT). ours: "
    "DayAhead(model='auto') for every task, chosen and fitted once before the first window. train_seconds: reading the "
    "table, choosing and fitting; predict_seconds: all windows; seconds of the processor. Published: state of 2026-08; "
    "models are left out on sets that their makers say they were trained on: FlowState, Moirai-2.0, TimesFM-2.5 and "
    "Toto-1.0 on proenfo_gfc12 and gfc14, Moirai-2.0 on ETT. LightGBM and CatBoost give a point only, so that their "
    "SQL is their MASE."
)


@dataclass(frozen=True, slots=True)
class Task:
    """A task of the benchmark, and the facts that are known of its table."""

    file: str  # in the data folder
    horizon: int
    windows: int
    season: int  # of the naive, and of the scale
    naive: tuple[float, float, float]  # published sql, mase, wape
    place: Mapping[str, Any]  # time_zone, holidays, latitude, longitude
    covariates: tuple[str, ...] = ()
    # start: stamped with the start of the interval. end: with its end. day: every day has 24 hours, so that the hour
    # skipped in spring is made up and the one repeated in autumn is the mean of both. sunday: the week's last day.
    stamps: Literal["start", "end", "day", "sunday"] = "start"
    targets: tuple[str, ...] = ("target",)
    every: str | None = None  # means over days or weeks are forecast; the first and the last of them are dropped
    names: Mapping[str, str] = field(default_factory=dict)  # of columns in the file, and what they are


_TEXAS = {"time_zone": "America/Chicago", "holidays": "US-TX", "latitude": 31.0, "longitude": -97.5}
_CHINA = {"time_zone": "Asia/Shanghai", "holidays": "CN"}
_ETT = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")
_FRENCH = ("Generation forecast", "System load forecast")
TASKS = {
    "epf_be": Task(
        *("fev/epf_be.parquet", 24, 20, 24, (1.150280, 1.027053, 0.184004)),
        {"time_zone": "Europe/Brussels", "holidays": "BE", "latitude": 50.8, "longitude": 4.4},
        _FRENCH,
        "day",
    ),
    "epf_de": Task(
        *("fev/epf_de.parquet", 24, 20, 24, (1.387676, 1.708595, 0.748984)),
        {"time_zone": "Europe/Berlin", "holidays": "DE", "latitude": 51.2, "longitude": 10.4},
        ("Ampirion Load Forecast", "PV+Wind Forecast"),
        "day",
    ),
    "epf_fr": Task(
        *("fev/epf_fr.parquet", 24, 20, 24, (1.245523, 0.850119, 0.129826)),
        {"time_zone": "Europe/Paris", "holidays": "FR", "latitude": 46.6, "longitude": 2.5},
        _FRENCH,
        "day",
    ),
    "epf_np": Task(
        *("fev/epf_np.parquet", 24, 20, 24, (1.529848, 1.761304, 0.079646)),
        {"time_zone": "Europe/Oslo", "holidays": "NO", "latitude": 61.0, "longitude": 14.0},
        ("Grid load forecast", "Wind power forecast"),
        "day",
    ),
    "epf_pjm": Task(
        *("fev/epf_pjm.parquet", 24, 20, 24, (0.515272, 0.581168, 0.101635)),
        {"time_zone": "America/New_York", "holidays": "US-IL", "latitude": 41.9, "longitude": -88.0},
        ("System load forecast", "Zonal COMED load foecast"),
        "day",
    ),
    # Where the utility is was not published, so its clock is that of the table, whose days all have 24 hours.
    "proenfo_gfc12": Task(
        *("fev/proenfo_gfc12.parquet", 168, 10, 24, (1.199721, 1.428177, 0.128518)),
        {"time_zone": "UTC", "holidays": "US"},
        ("airtemperature",),
    ),
    "proenfo_gfc14": Task(
        *(gefcom2014.FILE, gefcom2014.WEEK, gefcom2014.N_WEEKS, 24),
        (1.075, gefcom2014.PUBLISHED_NAIVE["mase"], gefcom2014.PUBLISHED_NAIVE["wape"]),
        {
            "time_zone": gefcom2014.ZONE,
            "holidays": gefcom2014.PLACE.holidays,
            "latitude": gefcom2014.PLACE.latitude,
            "longitude": gefcom2014.PLACE.longitude,
        },
        ("airtemperature",),
        "day",
        names={"load": "target", "T": "airtemperature"},
    ),
    "ercot_1H": Task("fev/ercot_1H.parquet", 168, 20, 24, (1.321475, 1.575763, 0.081852), _TEXAS, stamps="end"),
    "ercot_1D": Task("fev/ercot_1D.parquet", 28, 20, 7, (1.338266, 1.598775, 0.124574), _TEXAS),
    "ercot_1W": Task("fev/ercot_1W.parquet", 13, 20, 1, (2.078978, 2.631910, 0.144276), _TEXAS, stamps="sunday"),
    "ercot_1M": Task("fev/ercot_1M.parquet", 12, 15, 12, (0.904286, 1.112833, 0.052938), _TEXAS),
    "ETT_1H": Task("fev/ETT_1H.parquet", 168, 20, 24, (1.206890, 1.322716, 0.286422), _CHINA, targets=_ETT),
    "ETT_1D": Task("fev/ETT_1H.parquet", 28, 20, 7, (1.372845, 1.491547, 0.356686), _CHINA, targets=_ETT, every="1d"),
    "ETT_1W": Task("fev/ETT_1H.parquet", 13, 5, 1, (2.509268, 2.620119, 0.396321), _CHINA, targets=_ETT, every="1w"),
}
_BEST = "best untrained"
_OF_OWN_PAST = ("LightGBM", "CatBoost")  # trained on the past of each task, as ours is
# (sql, mase, wape) as published; LightGBM and CatBoost give a point only.
PUBLISHED: dict[str, dict[str, tuple[float, float, float]]] = {
    "epf_be": {
        f"{_BEST}: TS-ICL": (0.476, 0.601, 0.1080),
        "TiRex-2": (0.532, 0.666, 0.1203),
        "Chronos-2": (0.503, 0.647, 0.1156),
        "TabPFN-TS-3": (0.533, 0.681, 0.1184),
        "LightGBM": (0.807, 0.807, 0.1509),
        "CatBoost": (0.745, 0.745, 0.1318),
    },
    "epf_de": {
        f"{_BEST}: TabPFN-TS-3": (0.437, 0.561, 0.3170),
        "TiRex-2": (0.488, 0.610, 0.2675),
        "Chronos-2": (0.491, 0.604, 0.2910),
        "TabPFN-TS-3": (0.437, 0.561, 0.3170),
        "LightGBM": (1.096, 1.096, 0.4305),
        "CatBoost": (1.092, 1.092, 0.6438),
    },
    "epf_fr": {
        f"{_BEST}: TabPFN-TS": (0.330, 0.422, 0.0624),
        "TiRex-2": (0.348, 0.434, 0.0652),
        "Chronos-2": (0.362, 0.450, 0.0680),
        "TabPFN-TS-3": (0.374, 0.474, 0.0695),
        "LightGBM": (0.554, 0.554, 0.0876),
        "CatBoost": (0.579, 0.579, 0.0897),
    },
    "epf_np": {
        f"{_BEST}: TiRex-2": (0.612, 0.796, 0.0359),
        "TiRex-2": (0.612, 0.796, 0.0359),
        "Chronos-2": (0.658, 0.850, 0.0382),
        "TabPFN-TS-3": (0.633, 0.783, 0.0355),
        "LightGBM": (1.302, 1.302, 0.0580),
        "CatBoost": (1.203, 1.203, 0.0542),
    },
    "epf_pjm": {
        f"{_BEST}: TFT": (0.346, 0.428, 0.0745),
        "TiRex-2": (0.375, 0.470, 0.0818),
        "Chronos-2": (0.382, 0.472, 0.0821),
        "TabPFN-TS-3": (0.382, 0.472, 0.0825),
        "LightGBM": (0.598, 0.598, 0.1054),
        "CatBoost": (0.597, 0.597, 0.1044),
    },
    "proenfo_gfc12": {
        f"{_BEST}: TabPFN-TS-3": (0.614, 0.771, 0.0634),
        "TiRex-2": (0.896, 1.109, 0.0960),
        "Chronos-2": (0.649, 0.812, 0.0696),
        "TabPFN-TS-3": (0.614, 0.771, 0.0634),
        "LightGBM": (1.304, 1.304, 0.0963),
        "CatBoost": (1.179, 1.179, 0.0898),
    },
    "proenfo_gfc14": {
        f"{_BEST}: TiRex-2": (0.368, 0.469, 0.0229),
        "TiRex-2": (0.368, 0.469, 0.0229),
        "Chronos-2": (0.430, 0.539, 0.0264),
        "LightGBM": (0.692, 0.692, 0.0338),
        "CatBoost": (0.602, 0.602, 0.0295),
    },
    "ercot_1H": {
        f"{_BEST}: Chronos-2": (1.029, 1.358, 0.0691),
        "TiRex-2": (1.124, 1.474, 0.0757),
        "Chronos-2": (1.029, 1.358, 0.0691),
        "TabPFN-TS-3": (1.108, 1.429, 0.0737),
        "LightGBM": (1.614, 1.614, 0.0767),
        "CatBoost": (1.589, 1.589, 0.0758),
    },
    "ercot_1D": {
        f"{_BEST}: TiRex-2": (0.805, 1.038, 0.0752),
        "TiRex-2": (0.805, 1.038, 0.0752),
        "Chronos-2": (0.869, 1.138, 0.0765),
        "TabPFN-TS-3": (0.845, 1.080, 0.0773),
        "LightGBM": (1.161, 1.161, 0.0841),
        "CatBoost": (1.156, 1.156, 0.0843),
    },
    "ercot_1W": {
        f"{_BEST}: Toto-2.0-1B": (0.930, 1.178, 0.0572),
        "TiRex-2": (0.945, 1.214, 0.0595),
        "Chronos-2": (0.966, 1.219, 0.0590),
        "TabPFN-TS-3": (0.996, 1.284, 0.0597),
        "LightGBM": (1.518, 1.518, 0.0667),
        "CatBoost": (1.513, 1.513, 0.0667),
    },
    "ercot_1M": {
        f"{_BEST}: Toto-2.0-2.5B": (0.734, 0.929, 0.0464),
        "TiRex-2": (0.789, 0.997, 0.0502),
        "Chronos-2": (0.755, 0.950, 0.0475),
        "TabPFN-TS-3": (0.755, 0.956, 0.0476),
        "LightGBM": (1.132, 1.132, 0.0563),
        "CatBoost": (1.100, 1.100, 0.0550),
    },
    "ETT_1H": {
        f"{_BEST}: TS-ICL": (0.854, 1.100, 0.2430),
        "TiRex-2": (0.865, 1.102, 0.2435),
        "Chronos-2": (0.883, 1.126, 0.2467),
        "TabPFN-TS-3": (0.908, 1.174, 0.2587),
        "LightGBM": (1.300, 1.300, 0.2766),
        "CatBoost": (1.273, 1.273, 0.2780),
    },
    "ETT_1D": {
        f"{_BEST}: TiRex": (1.101, 1.327, 0.3281),
        "TiRex-2": (1.122, 1.363, 0.3420),
        "Chronos-2": (1.132, 1.341, 0.3211),
        "TabPFN-TS-3": (1.138, 1.358, 0.3356),
        "LightGBM": (1.435, 1.435, 0.3296),
        "CatBoost": (1.485, 1.485, 0.3636),
    },
    "ETT_1W": {
        f"{_BEST}: Toto-2.0-4m": (2.224, 2.563, 0.4688),
        "TiRex-2": (2.292, 2.653, 0.5070),
        "Chronos-2": (2.320, 2.699, 0.5229),
        "TabPFN-TS-3": (2.252, 2.644, 0.5200),
        "LightGBM": (3.003, 3.003, 0.5223),
        "CatBoost": (3.306, 3.306, 0.6084),
    },
}
Row = dict[str, str | float | int | None]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """All series of a task as the benchmark numbers their steps, and the table that is given to ``DayAhead``."""

    task: Task
    ids: list[str]  # series, and its channel where there are several
    groups: list[list[int]]  # which series are scored together: all of a channel
    values: Array  # (series, steps), NaN where unknown
    instants: pl.Series  # (steps,) when each step begins
    table: pl.DataFrame  # unique_id, ds (aware), y, covariates

    @property
    def starts(self) -> list[int]:
        """The step at which each window begins."""
        steps, task = self.values.shape[1], self.task
        return [steps - task.horizon * (task.windows - number) for number in range(task.windows)]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one row says of all windows."""

    point: Array  # (windows, series, horizon)
    quantiles: Array  # (windows, series, horizon, levels)
    train_seconds: float
    predict_seconds: float


def read(task: Task, data: Path) -> Series:
    """Read a task's table.

    Raises:
        SystemExit: a file is missing, or its series are not of one length.
    """
    path = data / task.file
    if not path.exists():
        raise SystemExit(f"{path} is missing: give the folder with --data or WATTHOUR_DATA")
    table = pl.read_parquet(path)
    if "hour_ending_local" in table.columns:  # GEFCom2014 as the other benchmark reads it
        table = table.sort("hour_ending_local").filter(
            pl.col("hour_ending_local") <= gefcom2014.END.replace(tzinfo=None)
        )
        table = table.tail(gefcom2014.N_HOURS).select(
            *(pl.col(name).alias(what) for name, what in task.names.items()),
            id=pl.lit("load"),
            timestamp=pl.col("hour_ending_local") - pl.duration(hours=1),
        )
    table = _binned(table.sort("id", "timestamp"), task)
    lengths = table.group_by("id").len()["len"].unique()
    if len(lengths) != 1:
        raise SystemExit(f"{path}: the series have {lengths.to_list()} rows; the benchmark's have equally many")
    covariates = [_covariate(name) for name in task.covariates]
    wide = table.select("id", "timestamp", *[pl.col(t).cast(pl.Float64) for t in task.targets], *covariates)
    wide = wide.with_columns(step=pl.int_range(pl.len()).over("id"))
    passes = [_instants(wide, task, which) for which in ("earliest", "latest")]
    instants = passes[0].head(lengths[0]).fill_null(strategy="forward")  # a skipped hour is answered like that before
    both = pl.concat([wide.with_columns(ds=each) for each in (passes if task.stamps == "day" else passes[:1])])
    known = both.drop_nulls("ds").unique(["id", "ds"]).sort("id", "ds")
    names = [name for name in known.columns if name not in ("id", "timestamp", "step", "ds", *task.targets)]
    parts: list[pl.DataFrame] = []
    ids: list[str] = []
    values: list[Array] = []
    groups: list[list[int]] = []
    for target in task.targets:
        groups.append(list(range(len(ids), len(ids) + table["id"].n_unique())))
        suffix = "" if len(task.targets) == 1 else f" {target}"
        parts.append(known.select(pl.col("id") + suffix, "ds", *names, y=target).rename({"id": "unique_id"}))
        for (name,), rows in wide.group_by("id", maintain_order=True):
            ids.append(f"{name}{suffix}")
            values.append(rows[target].fill_null(np.nan).to_numpy())
    return Series(task, ids, groups, np.stack(values), instants, pl.concat(parts))


def _binned(table: pl.DataFrame, task: Task) -> pl.DataFrame:
    """Return the means over days, or weeks from Mondays on, without the first and the last."""
    if task.every is None:
        return table
    means = table.group_by_dynamic("timestamp", every=task.every, group_by="id").agg(
        pl.col(task.targets).cast(pl.Float64).mean()
    )
    number, count = pl.int_range(pl.len()).over("id"), pl.len().over("id")
    return means.sort("id", "timestamp").filter((number > 0) & (number < count - 1))


def _covariate(name: str) -> pl.Expr:
    """Return a covariate as ``DayAhead`` knows it: air temperatures in degC."""
    column = pl.col(name).cast(pl.Float64)
    return ((column - 32) / 1.8).alias("temperature") if name == "airtemperature" else column


def _instants(table: pl.DataFrame, task: Task, which: Literal["earliest", "latest"]) -> pl.Series:
    """Return when each row begins; null where its hour was skipped by the clock."""
    early = {"end": pl.duration(hours=1), "sunday": pl.duration(days=6)}.get(task.stamps, pl.duration(hours=0))
    clock = (pl.col("timestamp") - early).cast(pl.Datetime("us"))
    local = clock.dt.replace_time_zone(task.place["time_zone"], ambiguous=which, non_existent="null")
    return table.select(ds=local.dt.convert_time_zone("UTC")).to_series()


def seasonal_naive(series: Series) -> Answer:
    """Repeat the last season, as published: from the last 1,000 steps, gaps filled forward, with normal quantiles."""
    begun = process_time()
    season, horizon = series.task.season, np.arange(series.task.horizon)
    normal = np.array([NormalDist().inv_cdf(level) for level in LEVELS])
    points, quantiles = [], []
    for start in series.starts:
        known = _filled(series.values[:, :start])[:, -_CONTEXT:]
        point = known[:, known.shape[1] - season + horizon % season]
        errors = known[:, season:] - known[:, :-season]
        deviation = np.sqrt((errors**2).mean(axis=1))[:, None] * np.sqrt(horizon // season + 1)
        points.append(point)
        quantiles.append(point[..., None] + deviation[..., None] * normal)
    return Answer(np.stack(points), np.stack(quantiles), 0.0, process_time() - begun)


def _filled(values: Array) -> Array:
    """Return series with each gap filled by the value before it."""
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, np.arange(values.shape[1]), 0), axis=1)
    return np.nan_to_num(np.take_along_axis(values, last, axis=1))


def ours(series: Series, model: str, *, local: bool = False) -> Answer:
    """Return what ``DayAhead`` says of all windows, chosen and fitted once before the first.

    A step or a series that it could not forecast is NaN.
    """
    task = series.task
    given = tuple(name for name in series.table.columns if name not in ("unique_id", "ds", "y"))
    door = DayAhead(covariates=given, model=model, local=local, **task.place)
    starts = [series.instants[start] for start in series.starts]
    reach = _reach(series)
    windows: dict[str, Any] = {"starts": starts} if reach > task.horizon else {"n_windows": task.windows}
    seconds = [0.0]
    forecast_all = fleet.forecast_all

    def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as of what it stands for
        begun = process_time()
        try:
            return forecast_all(*arguments, **named)
        finally:
            seconds[0] += process_time() - begun

    begun = process_time()
    with patch.object(fleet, "forecast_all", timed), warnings.catch_warnings():
        warnings.simplefilter("always")
        told = door.cross_validation(series.table, reach, levels=LEVELS, **windows)
    total = process_time() - begun
    columns = ["forecast", *(str(level) for level in LEVELS)]
    found = np.full((task.windows, len(series.ids), task.horizon, len(columns)), np.nan)
    times = told.select("unique_id", "cutoff", pl.col("ds").dt.convert_time_zone("UTC"), *columns)
    for (name, _), rows in times.group_by("unique_id", "cutoff", maintain_order=True):
        if rows["ds"][0] not in starts:
            raise SystemExit(f"{task.file}: the windows of DayAhead begin at other hours than those of the benchmark")
        window = starts.index(rows["ds"][0])
        begin = series.starts[window]
        wanted = pl.DataFrame({"ds": series.instants[begin : begin + task.horizon]})
        said = wanted.join(rows, on="ds", how="left", maintain_order="left").select(columns)
        found[window, series.ids.index(cast("str", name))] = said.to_numpy()
    return Answer(found[..., 0], found[..., 1:], total - seconds[0], seconds[0])


def _reach(series: Series) -> int:
    """Return the intervals of the longest window: an hour more where the clock is put back within one."""
    horizon, starts = series.task.horizon, series.starts
    longest = max(series.instants[start + horizon - 1] - series.instants[start] for start in starts)
    usual = min(series.instants[start + horizon - 1] - series.instants[start] for start in starts)
    is_hourly = (series.instants[1] - series.instants[0]).total_seconds() == 3600  # noqa: PLR2004 - an hour
    return horizon + (round((longest - usual).total_seconds() / 3600) if is_hourly else 0)


def score(name: str, test: str, series: Series, answer: Answer) -> Row:
    """Return the figures of one row, by fev's definitions; none where anything was left unanswered."""
    task, levels = series.task, np.array(LEVELS)
    sql, mase, wape = [], [], []
    for window, start in enumerate(series.starts):
        past, actual = series.values[:, :start], series.values[:, start : start + task.horizon]
        scale = np.nanmean(np.abs(past[:, task.season :] - past[:, : -task.season]), axis=1)[:, None]
        error = np.abs(actual - answer.point[window])
        quantiles = answer.quantiles[window]
        loss = 2 * np.abs((actual[..., None] - quantiles) * ((actual[..., None] <= quantiles) - levels))
        for group in series.groups:
            mase.append(np.nanmean((error / scale)[group]))
            wape.append(np.nanmean(error[group]) / max(np.nanmean(np.abs(actual[group])), 1.0))
            sql.append(np.nanmean(np.nanmean((loss / scale[..., None])[group], axis=(0, 1))))
    unanswered = int((~np.isfinite(answer.quantiles).all(axis=-1)).sum())
    figures = {"sql": sql, "mase": mase, "wape": wape}
    return {
        "row": name,
        "test": test,
        **{metric: None if unanswered else round(float(np.mean(found)), 5) for metric, found in figures.items()},
        "train_seconds": round(answer.train_seconds, 2),
        "predict_seconds": round(answer.predict_seconds, 2),
        "unanswered": unanswered,
    }


def check(naive: Row, task: Task) -> None:
    """Stop unless the seasonal naive has its published figures."""
    for metric, published in zip(("sql", "mase", "wape"), task.naive, strict=True):
        tolerance = max(_TOLERANCE, 5.1e-4 if round(published, 3) == published else 0)  # published with three digits
        if abs(cast("float", naive[metric]) - published) > tolerance:
            sys.exit(
                f"{naive['test']}: the seasonal naive has {metric} {naive[metric]}, published is {published}: not the "
                "same table, windows or metrics"
            )


def run(name: str, data: Path, model: str = AUTO, *, local: bool = False, is_checked: bool = True) -> list[Row]:
    """Return the two rows of a task."""
    task = TASKS[name]
    series = read(task, data)
    naive = score("seasonal_naive", name, series, seasonal_naive(series))
    if is_checked:
        check(naive, task)
    return [naive, score("ours" if model == AUTO else model, name, series, ours(series, model, local=local))]


def beside(rows: Sequence[Row]) -> None:
    """Print our figures beside the published ones."""
    console = Console(width=160)
    for naive, mine in zip(rows[::2], rows[1::2], strict=True):
        table = Table(
            title=f"{mine['test']}: {mine['row']} beside what is published (* trained on the task's own past)"
        )
        for column in ("model", "sql", "mase", "wape"):
            table.add_column(column, justify="left" if column == "model" else "right")
        published = PUBLISHED[str(mine["test"])]
        shown: list[tuple[str, tuple[Any, ...]]] = [
            (f"{name}{'*' * (name in _OF_OWN_PAST)}", figures) for name, figures in published.items()
        ]
        for row, mark in ((naive, ""), (mine, "*")):
            shown.append((f"{row['row']}{mark}", tuple(row[metric] for metric in ("sql", "mase", "wape"))))
        for name, figures in sorted(shown, key=lambda each: (each[1][0] is None, each[1][0])):
            bold = "bold" if name.startswith(str(mine["row"])) else ""
            table.add_row(name, *("-" if each is None else f"{each:.4g}" for each in figures), style=bold)
        console.print(table)


def closing_line(rows: Sequence[Row]) -> str:
    """Say on how many tasks we are better than the best published, and the mean ranks by SQL."""
    mine = [row for row in rows[1::2] if row["sql"] is not None]
    naive = {row["test"]: cast("float", row["sql"]) for row in rows[::2]}
    wins = {"the best published untrained model": 0, "Chronos-2": 0}
    ranks: dict[str, list[int]] = {}
    for row in mine:
        published = PUBLISHED[str(row["test"])]
        ours_sql = cast("float", row["sql"])
        best = next(figures[0] for name, figures in published.items() if name.startswith(_BEST))
        wins["the best published untrained model"] += ours_sql < best
        wins["Chronos-2"] += ours_sql < published["Chronos-2"][0]
        field_ = {name: figures[0] for name, figures in published.items() if not name.startswith(_BEST)}
        field_ |= {"seasonal naive": naive[row["test"]], str(row["row"]): ours_sql}
        for name, sql in field_.items():
            ranks.setdefault(name, []).append(1 + sum(other < sql for other in field_.values()))
    said = ", ".join(f"better SQL than {rival} on {n} of {len(mine)}" for rival, n in wins.items())
    means = {name: float(np.mean(each)) for name, each in ranks.items()}
    ordered = ", ".join(f"{name} {mean:.1f}" for name, mean in sorted(means.items(), key=lambda each: each[1]))
    return f"{said}. Mean rank by SQL among the models with figures here: {ordered}."


def beside_others(rows: Sequence[Row], kept: Mapping[str, Any]) -> list[Row]:
    """Return rows and those of the other tasks in a results file, in the order of ``TASKS``.

    A row that is kept says of which commit it is.
    """
    again = {row["test"] for row in rows}
    others = [{"commit": kept["commit"], **row} for row in kept["rows"] if row["test"] not in again]
    return sorted([*rows, *others], key=lambda row: list(TASKS).index(str(row["test"])))


def main() -> None:
    """Score the tasks one after the other; what is done is kept after each."""
    on_one_thread()
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--model", default=AUTO, help="a recipe of the catalogue instead; nothing is written then")
    parser.add_argument("--local", action="store_true", help="trees learn each series alone")
    parser.add_argument("--replace", action="store_true", help="put these tasks into the results file, keep the others")
    wanted = parser.parse_args()
    is_ours = wanted.model == AUTO and not wanted.local
    if wanted.replace and not is_ours:
        parser.error(f"--replace is for --model {AUTO} without --local: the results file holds nothing else")
    is_kept = wanted.replace or (is_ours and list(wanted.tasks) == list(TASKS))
    file = RESULTS / "fev_energy.json"
    kept = json.loads(file.read_text(encoding="utf-8")) if is_kept and file.exists() else {"commit": "", "rows": []}
    rows: list[Row] = []
    for name in wanted.tasks:
        rows += run(name, wanted.data, wanted.model, local=wanted.local)
        shown = beside_others(rows, kept) if is_kept else rows
        report("fev_energy", PROTOCOL, shown, results=RESULTS if is_kept else None)
    beside(rows)
    print(closing_line(rows))


if __name__ == "__main__":
    main()
