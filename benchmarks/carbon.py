"""The carbon intensity of the next four days, beside persistence, the hourly mean and, in five regions, CarbonCast.

Run: python benchmarks/carbon.py [--data ../shared/data] [--tests NYISO CISO_lag24 ...] [--rows ours ...] [--replace]
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from carbon_tables import CARBONCAST, EUROPE, N_HOURS, REGIONS, Region, actual_of, first_tier_of, history_of
from report import RESULTS, report

from watthour.core.carbon import Scope
from watthour.core.frames import LEVELS, Targets
from watthour.core.window import DAY
from watthour.forecasting.catalogue import recipe

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy
    from carbon_tables import Array

    from watthour.core.forecast import Forecast, History

MODEL = "relative_days"
ROWS = ("persistence", "hourly_mean", "carboncast_tier1", "ours")
LEARNED_FROM = datetime(2020, 1, 30, tzinfo=UTC)
FIRST, LAST = datetime(2021, 7, 1, tzinfo=UTC), datetime(2021, 12, 28, tzinfo=UTC)
N_DAYS, RUN_HOURS = 4, 3
GFS_DELAY = timedelta(hours=5)
MEDIAN = LEVELS.index(0.5)
PROTOCOL = (
    "Issued at 00 UTC each day from 2021-07-01 to 2021-12-28 for 96 h; direct intensity of production, hourly. Without "
    "suffix: everything measured to the issue is known, and the GFS run of 00 UTC of the same day, as CarbonCast "
    "assumes (really it can be read five hours later). _lag24: measured is known to 24 h before the issue, GFS five "
    "hours after its run. Ours: relative_days, fitted once on all before 2021-07-01, with "
    "generation by fuel as companions; chosen on the first half of 2021. "
    "mape_dayN: MAPE of the median on the N-th day. carboncast_tier1: as published or made from its forecasts of the "
    "fuels, whichever is better over the four days. oracle_share_percent: one run of three hours within the next 24, "
    "at the lowest mean of the forecast of direct intensity; life-cycle emissions saved against starting at once, in "
    "parts of what perfect knowledge of these saves; random_share_percent: the same of a random start. seconds: of "
    "processor time."
)

PROTOCOL_BESIDE = (
    "As carbon.json, without a lag. Generation by fuel with general factors, pumping left out (all but IE); the "
    "operator's own intensity, hourly means of quarter-hours, without fuels and for both scopes (IE). Learned from "
    "2020-01-30 on. GFS of 00 UTC of the same day in ES, NL, PL, SE; no weather in FI and IE. ES ends with its table, "
    "in November. Hours in which the intensity, or one of the days that the rules repeat, is not known are left out of "
    "all rows; so are issues with such an hour in the next 24 from the share of the oracle."
)


@dataclass(frozen=True, slots=True)
class Test:
    """A region, and how late what is measured becomes known."""

    region: Region
    lag: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        """What the results call it."""
        return self.region.name + (f"_lag{self.lag // timedelta(hours=1)}" if self.lag else "")


TESTS = tuple(Test(region, lag) for lag in (timedelta(0), DAY) for region in REGIONS)
BESIDE = tuple(Test(region) for region in EUROPE)  # whose rows are kept in a table of their own


def questions(first: datetime, last: datetime, lag: timedelta) -> dy.DataFrame[Targets]:
    """Return the 96 hours after each midnight of UTC from the first to the last."""
    issues = pl.DataFrame({"issued_at": pl.datetime_range(first, last, "1d", time_unit="us", eager=True)})
    hours = pl.DataFrame({"lead": np.arange(N_HOURS)})
    asked = issues.join(hours, how="cross", maintain_order="left_right")
    time, until = pl.col("issued_at") + pl.duration(hours="lead"), pl.col("issued_at") - lag
    return Targets.cast(asked.select("issued_at", time.alias("time"), until.alias("known_until")))


def quantiles_of(forecast: Forecast, asked: dy.DataFrame[Targets]) -> Array:
    """Return the quantiles that were told: (issues, 96, levels)."""
    wide = forecast.values.pivot("level", index=["issued_at", "time"], values="value")
    rows = asked.join(wide, on=["issued_at", "time"], how="left", maintain_order="left")
    return rows.select([str(level) for level in LEVELS]).to_numpy().reshape(-1, N_HOURS, len(LEVELS))


def our_quantiles(history: History, lag: timedelta, last: datetime) -> Array:
    """Return the forecasts of the model, fitted once before the first issue: (issues, 96, levels)."""
    learned = questions(LEARNED_FROM, FIRST - N_DAYS * DAY - lag, lag)
    model = recipe(MODEL).fit(history.known_at(FIRST), learned)
    asked = questions(FIRST, last, lag)
    return quantiles_of(model.predict(history, asked), asked)


def rules(values: Array, first: int, n_issues: int, lag_hours: int) -> dict[str, Array]:
    """Return persistence and the mean of the last seven days of each hour: (issues, 96) each."""
    found: dict[str, list[Array]] = {"persistence": [], "hourly_mean": []}
    for issue in range(n_issues):
        end = first + 24 * issue - lag_hours
        days = values[end - 168 : end].reshape(7, 24)
        found["persistence"].append(np.tile(days[-1], N_DAYS))
        found["hourly_mean"].append(np.tile(days.mean(axis=0), N_DAYS))
    return {name: np.stack(each) for name, each in found.items()}


def mape_by_day(median: Array, actual: Array) -> Array:
    """Return the MAPE of each of the four days: (4,) [%]; hours that are not known, NaN, are left out."""
    misses = 100 * np.abs(median - actual) / actual
    return np.asarray(np.nanmean(misses.reshape(len(actual), N_DAYS, 24), axis=(0, 2)))


def shares_of_oracle(said: Array, actual: Array) -> tuple[float, float]:
    """Return what starting at the best hour of a forecast saves, and a random start, in parts of the oracle's [%].

    Args:
        said: intensity of the next 24 hours, (issues, 24).
        actual: life-cycle intensity of them, likewise.
    """
    known = np.isfinite(actual).all(axis=1) & np.isfinite(said).all(axis=1)
    said, came = said[known], runs(actual[known])
    got = came[np.arange(len(came)), runs(said).argmin(axis=1)]
    best = (came[:, 0] - came.min(axis=1)).sum()
    return 100 * (came[:, 0] - got).sum() / best, 100 * (came[:, 0] - came.mean(axis=1)).sum() / best


def runs(values: Array) -> Array:
    """Return the mean of each run of three hours within a day: (n, 22) of (n, 24)."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(values, RUN_HOURS, axis=1).mean(axis=2))


def measured(test: Test, folder: Path, names: Sequence[str]) -> list[dict[str, str | float]]:
    """Score some rows of one test; CarbonCast has none with a lag."""
    table = actual_of(folder, test.region)
    first = int((table["time"] < FIRST).sum())
    n_issues = min((LAST - FIRST) // DAY + 1, (table.height - first - N_HOURS) // 24 + 1)
    last = FIRST + (n_issues - 1) * DAY
    direct, lifecycle = (
        np.stack([table[scope].to_numpy()[first + 24 * n :][:N_HOURS] for n in range(n_issues)])
        for scope in ("direct", "lifecycle")
    )
    said = rules(table["direct"].to_numpy(), first, n_issues, test.lag // timedelta(hours=1))
    known = np.isfinite([direct, *said.values()]).all(axis=0)  # all rows are compared on the same hours
    direct = np.where(known, direct, np.nan)
    if not test.lag and test.region.source == CARBONCAST:
        issues = questions(FIRST, last, test.lag)["issued_at"].unique()
        tiers = first_tier_of(folder, test.region, issues, Scope.DIRECT)
        said["carboncast_tier1"] = min(tiers, key=lambda each: mape_by_day(each, direct).sum())
    rows = [scored(name, test, each, direct, lifecycle) for name, each in said.items() if name in names]
    if "ours" in names:
        begun = process_time()
        quantiles = our_quantiles(
            history_of(folder, test.region, GFS_DELAY if test.lag else timedelta(0)), test.lag, last
        )
        spent = process_time() - begun
        inside = (quantiles[:, :, 0] <= direct) & (direct <= quantiles[:, :, -1])
        ours = scored("ours", test, quantiles[:, :, MEDIAN], direct, lifecycle)
        rows.append(ours | {"coverage90_percent": 100 * float(inside[known].mean()), "seconds": spent})
    return rows


def scored(name: str, test: Test, said: Array, direct: Array, lifecycle: Array) -> dict[str, str | float]:
    """Return the figures of one row, of tables (issues, 96)."""
    days = mape_by_day(said, direct)
    share, random = shares_of_oracle(said[:, :24], lifecycle[:, :24])
    row: dict[str, str | float] = {"row": name, "test": test.name, "issues": len(direct)}
    row |= {f"mape_day{day + 1}": float(days[day]) for day in range(N_DAYS)}
    return row | {"oracle_share_percent": share, "random_share_percent": random}


def main() -> None:
    """Score every row on every test."""
    here = Path(__file__).parents[1]
    names = [each.name for each in (*TESTS, *BESIDE)]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument("--tests", nargs="*", choices=names, default=names)
    parser.add_argument("--rows", nargs="*", choices=ROWS, default=list(ROWS))
    parser.add_argument("--replace", action="store_true", help="put the rows into the results file, beside the others")
    asked = parser.parse_args()
    is_whole = asked.tests == names and asked.rows == list(ROWS)
    for name, tests, protocol in (("carbon", TESTS, PROTOCOL), ("carbon_europe", BESIDE, PROTOCOL_BESIDE)):
        path = RESULTS / f"{name}.json"
        kept = json.loads(path.read_text(encoding="utf-8"))["rows"] if asked.replace and path.exists() else []
        rows = {(row["test"], row["row"]): row for row in kept}
        for test in (each for each in tests if each.name in asked.tests):
            rows |= {(row["test"], row["row"]): row for row in measured(test, asked.data, asked.rows)}
            order = sorted(rows.values(), key=lambda row: (names.index(str(row["test"])), ROWS.index(str(row["row"]))))
            report(name, protocol, order, results=RESULTS if is_whole or asked.replace else None)


if __name__ == "__main__":
    main()
