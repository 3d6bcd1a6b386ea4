"""Day-ahead prices of five markets, beside the published LEAR and DNN forecasts of Lago et al. (2021).

Run: python benchmarks/prices.py [--data ../shared/data] [--markets BE DE FR NP PJM] [--days 728]

Each of the last days of a market is forecast at its beginning: all prices before it are known, which are public by
noon of the day before, and the forecasts of load and generation for the day itself. The model is fitted once, before
the first of these days, and takes in the prices of each new day as it goes. Another period or market of the same layout
(``fev/epf_<market>.parquet`` and ``fev/epf_lear_dnn_2y.parquet``) is scored in the same way.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from report import report
from threads import on_one_thread

from watthour import DayAhead
from watthour.core import metrics
from watthour.core.frames import LEVELS
from watthour.forecasting.significance import diebold_mariano

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from report import Cell

HOURS, WEEK, DAYS = 24, 7, 728
MARKETS = ("BE", "DE", "FR", "NP", "PJM")
_ROUNDED = 0.0006  # half of the last digit published, and of that of our row
PUBLISHED = {  # MAE of the LEAR ensemble, the DNN ensemble, the mean of both, and the price a week before
    "BE": (6.140, 5.870, 5.840, 10.159),
    "DE": (3.609, 3.413, 3.330, 9.127),
    "FR": (3.980, 3.866, 3.785, 7.332),
    "NP": (1.738, 1.683, 1.631, 4.135),
    "PJM": (3.013, 2.862, 2.787, 6.326),
}
PROTOCOL = (
    "The last 728 days of each market, 24 hours each, issued at the beginning of the day: all prices before it are "
    "known, and the forecasts of load and generation for the day itself (Nord Pool: of load and wind). Watthour: "
    "DayAhead(model='day_regression'), fitted once before the first day. mae [EUR/MWh, PJM USD/MWh]; rmae: mae over "
    "that of the price 168 h before, the latter over days 8 to 728; pinball: mean over levels .05 to .95, each level "
    "of a point forecast being the point; dm_dnn: chance of daily absolute errors so much lower than those of the DNN "
    "ensemble if both were equally good (Diebold and Mariano, one-sided); seconds_per_day: processor time of fit and "
    "forecasts over days, one thread. LEAR and DNN: Lago et al., Applied Energy 293 (2021), as corrected in July 2021"
)


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """Prices and covariates of one market, and the published forecasts of its last days."""

    name: str
    table: pl.DataFrame  # unique_id, ds, y and the covariates
    covariates: tuple[str, ...]
    actual: NDArray[np.float64]  # (days, 24)
    week_before: NDArray[np.float64]  # (days, 24) the price 168 h before
    lear: NDArray[np.float64]  # (days, 24)
    dnn: NDArray[np.float64]  # (days, 24)

    @classmethod
    def read(cls, data: Path, name: str, n_days: int) -> Market:
        """Read a market; its last days are those of the published forecasts."""
        rows = pl.read_parquet(data / "fev" / f"epf_{name.lower()}.parquet").sort("timestamp")
        published = pl.read_parquet(data / "fev" / "epf_lear_dnn_2y.parquet").filter(pl.col("market") == name)
        published = published.sort("timestamp").tail(n_days * HOURS)
        rows = rows.filter(pl.col("timestamp") <= published["timestamp"].max())
        covariates = tuple(column for column in rows.columns if column not in ("id", "timestamp", "target"))
        table = rows.select(
            pl.lit(name).alias("unique_id"),
            pl.col("timestamp").alias("ds"),
            pl.col("target").cast(pl.Float64).alias("y"),
            *covariates,
        )
        prices = table["y"].to_numpy().reshape(-1, HOURS)
        if not np.allclose(prices[-n_days:], published["price"].to_numpy().reshape(-1, HOURS)):
            sys.exit(f"the prices of {name} are not those of the published forecasts")
        return cls(
            name,
            table,
            covariates,
            prices[-n_days:],
            prices[-n_days - WEEK : -WEEK],
            published["lear_ens"].to_numpy().reshape(-1, HOURS),
            published["dnn_ens"].to_numpy().reshape(-1, HOURS),
        )

    def points(self) -> dict[str, NDArray[np.float64]]:
        """Return the forecasts to beat."""
        return {
            "naive_168h": self.week_before,
            "lear_ensemble": self.lear,
            "dnn_ensemble": self.dnn,
            "mean_of_both": (self.lear + self.dnn) / 2,
        }


def ours(market: Market) -> tuple[NDArray[np.float64], float]:
    """Forecast the days as anyone would; returns quantiles, (days, 24, levels), and the seconds it took."""
    begun = process_time()
    model = DayAhead(model="day_regression", covariates=market.covariates)
    found = model.cross_validation(market.table, h=HOURS, n_windows=len(market.actual), levels=LEVELS)
    seconds = process_time() - begun
    quantiles = found.sort("ds").select(str(level) for level in LEVELS).to_numpy()
    return quantiles.reshape(-1, HOURS, len(LEVELS)), seconds


def score(market: Market, *, is_published: bool) -> list[Mapping[str, Cell]]:
    """Return the rows of one market; stops if the rivals should have their published figures and have not."""
    actual = market.actual
    naive = metrics.mae(actual[WEEK:].ravel(), market.week_before[WEEK:].ravel())
    daily_dnn = np.abs(actual - market.dnn).mean(axis=1)

    def row(name: str, quantiles: NDArray[np.float64], **more: Cell) -> dict[str, Cell]:
        point = quantiles[..., LEVELS.index(0.5)]
        mae = naive if name == "naive_168h" else metrics.mae(actual.ravel(), point.ravel())
        chance = diebold_mariano(np.abs(actual - point).mean(axis=1), daily_dnn)[1] if name != "dnn_ensemble" else None
        return {
            "row": name,
            "test": market.name,
            "mae": round(mae, 4),
            "rmae": round(mae / naive, 4),
            "pinball": round(metrics.mean_pinball(actual.ravel(), quantiles.reshape(-1, len(LEVELS)), LEVELS), 4),
            "coverage90_percent": None,
            "dm_dnn": None if chance is None else float(f"{chance:.2g}"),
            "seconds_per_day": None,
            **more,
        }

    rows: list[Mapping[str, Cell]] = [
        row(name, np.repeat(point[..., None], len(LEVELS), axis=2)) for name, point in market.points().items()
    ]
    if is_published:
        check(market.name, rows)
    quantiles, seconds = ours(market)
    lower, upper = (quantiles[..., LEVELS.index(level)].ravel() for level in (0.05, 0.95))
    inside = metrics.coverage(actual.ravel(), lower, upper)
    rows.append(
        row(
            "ours",
            quantiles,
            coverage90_percent=round(100 * inside, 2),
            seconds_per_day=round(seconds / len(actual), 4),
        )
    )
    return rows


def check(market: str, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Stop unless the rivals have their published figures: then data, days and metric are those of the publication."""
    names = ("lear_ensemble", "dnn_ensemble", "mean_of_both", "naive_168h")
    for name, published in zip(names, PUBLISHED[market], strict=True):
        (found,) = (row["mae"] for row in rows if row["row"] == name)
        if abs(float(found or 0) - published) > _ROUNDED:
            sys.exit(f"{name} has an MAE of {found} in {market}, published is {published}: not the same protocol")


def main() -> None:
    """Score every market."""
    on_one_thread()
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument("--markets", nargs="*", default=list(MARKETS))
    parser.add_argument("--days", type=int, default=DAYS, help="of the end of the published forecasts")
    parser.add_argument("--keep", action="store_true", help="write the results file even for another period")
    wanted = parser.parse_args()
    is_standard = wanted.days == DAYS and tuple(wanted.markets) == MARKETS
    found: list[Mapping[str, Cell]] = []
    for name in wanted.markets:
        is_published = wanted.days == DAYS and name in PUBLISHED
        found += score(Market.read(wanted.data, name, wanted.days), is_published=is_published)
        print(*(f"{row['row']} {row['mae']}" for row in found[-5:]), f"({name})", sep="  ", flush=True)
    if wanted.keep or is_standard:
        report("prices", PROTOCOL, found)
    else:
        report("prices", PROTOCOL, found, results=None)


if __name__ == "__main__":
    main()
