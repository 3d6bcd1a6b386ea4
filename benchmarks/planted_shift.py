"""A load that falls by 8 % from one day on: how soon forecasts follow, and what their bands cover.

Run: python benchmarks/planted_shift.py [--data ../shared/data] [--size -0.08]

The load of GEFCom2014 is changed from the second week of the twenty that end each of some years, in a step or over two
weeks, and forecast day by day at midnight by a model that was trained before, beside the load as it was.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import gefcom2014
import numpy as np
import polars as pl
from report import report
from threads import on_one_thread

from watthour.core.forecast import targets
from watthour.core.frames import Readings, Targets
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.forecasting.catalogue import recipe

if TYPE_CHECKING:
    from watthour.core.forecast import Forecaster, History

YEARS = (2009, 2010, 2011, 2012)  # before those of GEFCom2014's own task
N_DAYS, WEEK = 60, 7
RAMPS = {"step": 1, "ramp": 14}  # days over which the load falls
PROTOCOL = (
    "GEFCom2014's load of 2007 to 2012, changed from one day on (in a step, or evenly over two weeks), day ahead at "
    "midnight with the day's temperature given, model trained a week before the change and not again; mean over the "
    "autumns of four years. ratio_*: MAPE over that of the unchanged load on the same days, days counted from the "
    "change; coverage90_percent over the 60 days after it."
)


def planted(past: History, since: datetime, size: float, days: int) -> History:
    """Return what is known with a load that changes by a share, from an instant on, evenly over some days."""
    channel = past.context.channel.id
    passed = (pl.col("time") - since).dt.total_seconds() / DAY.total_seconds()
    share = size * ((passed.floor() + 1) / days).clip(0, 1)
    is_load = pl.col("channel") == channel
    rows = past.readings.with_columns(value=pl.when(is_load).then(pl.col("value") * (1 + share)).otherwise("value"))
    return replace(past, readings=Readings.validate(rows))


def followed(model: Forecaster, past: History, first: datetime, n_days: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the relative error and whether the 90 % band held of each day's hours, (days, 24)."""
    zone, parts = past.context.time_zone, []
    start = first.astimezone(UTC)
    days = [local_midnight((start + (n + 0.5) * DAY).date(), zone) for n in range(n_days + 1)]
    for begins, ends in pairwise(days):
        parts.append(targets(Window(begins, ends), begins, resolution=HOUR, time_zone=zone))
    said = model.predict(past, Targets.validate(pl.concat(parts))).values
    wide = said.pivot("level", index=["issued_at", "time"], values="value")
    load = past.readings.filter(pl.col("channel") == past.context.channel.id).select("time", actual="value")
    rows = (
        wide.join(load, on="time")
        .sort("time")
        .select(
            "issued_at",
            error=(pl.col("0.5") / pl.col("actual") - 1).abs(),
            inside=pl.col("actual").is_between(pl.col("0.05"), pl.col("0.95")).cast(pl.Float64),
        )
    )
    by_day = rows.group_by("issued_at", maintain_order=True).mean()
    return by_day["error"].to_numpy(), by_day["inside"].to_numpy()


def measure(path: Path, end: datetime, size: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return errors and coverage by day, unchanged and with each kind of change."""
    asked = gefcom2014.task(path, end)
    first = asked.instants[asked.starts[1]]
    model = recipe("hour_process").fit(asked.known_at(asked.starts[0]), Targets.create_empty())
    pasts = {name: planted(asked.history, first, size, days) for name, days in RAMPS.items()}
    return {name: followed(model, past, first, N_DAYS) for name, past in {"unchanged": asked.history, **pasts}.items()}


def main() -> None:
    """Print and keep the table."""
    on_one_thread()
    here = Path(__file__).parents[1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", here.parent / "shared/data")))
    parser.add_argument("--size", type=float, default=-0.08)
    wanted = parser.parse_args()
    ends = [datetime(year + 1, 1, 1, tzinfo=UTC) for year in YEARS]
    found = [measure(wanted.data / gefcom2014.FILE, end, wanted.size) for end in ends]
    errors = {name: np.mean([each[name][0] for each in found], axis=0) for name in found[0]}
    rows: list[dict[str, str | float]] = []
    spans = {"first_week": slice(0, WEEK), "second_week": slice(WEEK, 2 * WEEK), "later": slice(2 * WEEK, None)}
    for name, error in errors.items():
        usual = errors["unchanged"]
        ratios = {f"ratio_{at}": round(float(error[days].mean() / usual[days].mean()), 3) for at, days in spans.items()}
        covered = 100 * float(np.mean([each[name][1] for each in found]))
        rows.append(
            {
                "row": name,
                "test": "gfc14_autumns",
                "mape_percent": round(100 * float(error.mean()), 3),
                **ratios,
                "coverage90_percent": round(covered, 1),
            }
        )
    report("planted_shift", PROTOCOL, rows)


if __name__ == "__main__":
    main()
