"""Make the model of other homes that comes with Watthour, from the homes of Low Carbon London.

    python scripts/make_homes_model.py --data ../shared/data

The same homes, seed and date give the same file on one machine. What is learned goes into the package; no reading does.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import polars as pl

from watthour import __version__
from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context, History
from watthour.core.frames import INSTANT, Forecasts, Readings
from watthour.core.model import Manifest, digest
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, local_midnight
from watthour.forecasting.global_model.model import GlobalModel
from watthour.forecasting.other_homes import shipped
from watthour.forecasting.other_homes.learn import RECIPE, learn, widths
from watthour.forecasting.other_homes.model import NAME, FittedOtherHomes, Origin

HALF_HOUR = timedelta(minutes=30)
PLACE = Place("Europe/London", 51.5, -0.1, holidays="GB-ENG")
FIRST, LAST = date(2013, 1, 10), date(2013, 12, 30)  # of the days learned from; the ones before them are looked back on
WIDTH_DAYS = 9  # of which one is used to measure the band
DATA = (
    "Low Carbon London, smart meter readings of 2013: SmartMeter Energy Consumption Data in London Households, "
    "UK Power Networks, London Datastore, https://data.london.gov.uk/dataset/smartmeter-energy-use-data-in-london-households"
)
ATTRIBUTION = (
    "Contains smart meter data of the Low Carbon London project, UK Power Networks, published on the London Datastore "
    "under CC BY 4.0. Changed: statistical models were learned from it."
)


def main(words: list[str] | None = None) -> None:
    """Make the model, write it into the package, and say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("WATTHOUR_DATA", "../shared/data")))
    parser.add_argument("--into", type=Path, default=Path(shipped.__file__).with_name(shipped.PACKED))
    parser.add_argument(
        "--date", type=date.fromisoformat, default=datetime.now(UTC).date(), help="kept in the manifest"
    )
    parser.add_argument("--homes", type=int, help="only the first so many; default: all")
    parser.add_argument("--days", type=int, help="only the last so many; default: all")
    parser.add_argument("--small", action="store_true", help="few trees and one network, to try the way")
    asked = parser.parse_args(words)
    recipe = GlobalModel(n_networks=1, n_trees=20, n_epochs=1, every_young=6) if asked.small else RECIPE
    content = packed(asked.data, asked.date, recipe, asked.homes, asked.days)
    asked.into.write_bytes(content)
    manifest, files = shipped.unpacked(content)
    print(f"{manifest.version}: {len(content):,} bytes, {digest(content)}")
    print(files["origin.json"].decode())


def packed(data: Path, made: date, recipe: GlobalModel, n_homes: int | None = None, n_days: int | None = None) -> bytes:
    """Return the model as the file that comes with Watthour."""
    hours, halves = homes(data, HOUR)[:n_homes], homes(data, HALF_HOUR)[:n_homes]
    days = [FIRST + n * DAY for n in range((LAST - FIRST).days + 1)][-(n_days or 0) :]
    left_out = slice(None, None, 3)
    kept = [[past for n, past in enumerate(group) if n % 3] for group in (hours, halves)]
    band = widths(learn(kept, days, recipe=recipe), [*hours[left_out], *halves[left_out]], days[::WIDTH_DAYS])
    shared = learn((hours, halves), days, recipe=recipe)
    origin = Origin(
        homes=f"{len(hours)} homes of London in 2013",
        data=DATA,
        licence="CC BY 4.0",
        attribution=ATTRIBUTION,
        widths=band,
    )
    seen = sha256(pl.concat(past.readings for past in hours).select("channel", "time", "value").write_csv().encode())
    at = datetime(made.year, made.month, made.day, tzinfo=UTC)
    files = FittedOtherHomes(shared, origin).files()
    manifest = Manifest(
        name="other_homes.upto60min",
        version=f"{NAME}-{at:%Y%m%dT%H%M%S}-{seen.hexdigest()[:6]}",
        recipe=NAME,
        parameters={**json.loads(json.dumps(asdict(recipe))), "code_version": __version__},
        features=FittedOtherHomes(shared, origin).features,
        splits={
            "train": Window(local_midnight(days[0], PLACE.time_zone), local_midnight(days[-1] + DAY, PLACE.time_zone))
        },
        data_fingerprint=seen.hexdigest(),
        metrics={},
        created_at=at,
        hashes={name: digest(content) for name, content in sorted(files.items())},
        n_series=len(hours),
    )
    return shipped.packed(manifest, files)


def homes(data: Path, step: timedelta) -> list[History]:
    """Return the homes of which 99 % of the year is known, in a step, by name."""
    table = pl.read_parquet(data / "home/fleet/lcl_50homes_2013_30min.parquet")
    rows = (
        table.select(name=pl.col("LCLid").cast(pl.String), time=pl.col("tstp").dt.replace_time_zone("UTC"), value="kwh")
        .filter(pl.len().over("name") > 0.99 * 365 * 48)
        .group_by("name", pl.col("time").dt.truncate(step))
        .agg(pl.col("value").cast(pl.Float64).sum(), pl.len())
        .filter(pl.col("len") == step / HALF_HOUR)
        .sort("name", "time")
    )
    return [_history(str(name), mine, step) for (name,), mine in rows.group_by(["name"], maintain_order=True)]


def _history(name: str, rows: pl.DataFrame, step: timedelta) -> History:
    site = Site(name.lower(), name, SiteKind.HOME, PLACE)
    channel = Channel(f"home.{site.id}.load", site.id, Quantity.ENERGY, Unit.KWH, step)
    times = pl.col("time").cast(INSTANT)
    readings = Readings.cast(
        rows.select(
            pl.lit(channel.id).alias("channel"),
            times,
            (times + step).alias("available_at"),
            (times + step).alias("recorded_at"),
            "value",
            pl.lit(0, pl.Int16).alias("quality"),
        )
    )
    return History(readings["available_at"][-1], Context(site, channel), readings, Forecasts.create_empty())


if __name__ == "__main__":
    main()
