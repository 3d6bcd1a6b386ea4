"""The 90 % band holds at every hour of issue, and `train`, `backtest`, `scores` and a notebook say so alike."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.forecast import Context, targets
from watthour.core.frames import Forecasts, Readings, Targets
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, local_day, local_instant
from watthour.forecasting.backtest import backtest
from watthour.forecasting.catalogue import recipe
from watthour.grid.regions import Regions
from watthour.simulation.simtown import SIMTOWN
from watthour.simulation.town import SimulatedRegion
from watthour.sources.datasets import recognise
from watthour.store.memory import MemoryStore
from watthour.workflows.compare import HOLDS_PERCENT, Decision, actuals, backtest_scores
from watthour.workflows.ingest import ingest
from watthour.workflows.score import score
from watthour.workflows.sites import find_context
from watthour.workflows.train import split_days, train, training_issues

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.forecast import History
    from watthour.core.ports import Delivery
    from watthour.forecasting.backtest import Retrain
    from watthour.registry.files import FileRegistry

ISSUE = time(8)
FROZEN_DAYS = 42
HOURS = (0, 4, 8, 12, 16, 20)
APART = 2.0  # percentage points
NEVER = datetime(2100, 1, 1, tzinfo=UTC)  # by then all is known
SIMULATED_NOW = datetime(2024, 7, 10, 16, 20, tzinfo=UTC)  # after a spring that turns into a summer


@pytest.fixture(scope="module")
def year() -> Delivery:
    return SimulatedRegion().fetch(Window(SIMULATED_NOW - 420 * DAY, SIMULATED_NOW + 2 * DAY), now=SIMULATED_NOW)


@pytest.fixture
def simulated(year: Delivery) -> MemoryStore:
    """A year and more of the simulated region's demand and its operator's forecast."""
    delivery, store, mine = year, MemoryStore(), pl.col("channel") == SIMTOWN.channel.id
    store.register([SIMTOWN.site], [SIMTOWN.channel])
    store.append(Readings.cast(delivery.readings.filter(mine)))
    store.append_forecasts(Forecasts.cast(delivery.forecasts.filter(mine)))
    return store


@pytest.fixture
def new_york(shared_data: Path, tmp_path: Path) -> tuple[MemoryStore, Context]:
    """New York from 2021 to 2023, with neither weather nor an operator's forecast."""
    path = tmp_path / "ny_demand.parquet"
    table = pl.read_parquet(shared_data / "grid" / "ny_demand.parquet")
    recent = table.filter(pl.col("period") > datetime(2021, 1, 1, 1, tzinfo=UTC))
    recent.with_columns(day_ahead_forecast_mwh=pl.lit(None, pl.Float64)).write_parquet(path)
    store, regions, now = MemoryStore(), Regions(), datetime(2026, 1, 1, tzinfo=UTC)
    asked = find_context(store, [regions], "ny")
    for dataset in recognise(path, asked, find=regions.find):
        ingest(dataset, store, dataset.span(), now=now)
    return store, find_context(store, [regions], "ny")


def home_of(path: Path) -> tuple[MemoryStore, Context]:
    """Return a French home with its readings, each known an hour after its hour; filled hours are gaps."""
    site = Site("home", "A home", SiteKind.HOME, Place("Europe/Paris", holidays="FR"), main_channel="home.main.energy")
    channel = Channel("home.main.energy", "home", Quantity.ENERGY, Unit.KWH, HOUR)
    local = pl.col("datetime").dt.replace_time_zone("Europe/Paris", ambiguous="earliest", non_existent="null")
    rows = (
        pl.read_parquet(path)
        .select(
            pl.lit(channel.id).alias("channel"),
            local.dt.convert_time_zone("UTC").alias("time"),
            pl.when("imputed").then(None).otherwise("total_kwh").cast(pl.Float64).alias("value"),
        )
        .drop_nulls("time")
        .unique("time")
        .with_columns(available_at=pl.col("time") + 2 * HOUR, recorded_at=pl.col("time") + 2 * HOUR, quality=0)
        .cast({"quality": pl.Int16})
    )
    store = MemoryStore()
    store.register([site], [channel])
    store.append(Readings.validate(rows.select(Readings.column_names()), cast=True))
    return store, Context(site, channel)


def coverages(store: MemoryStore, context: Context, registry: FileRegistry, name: str) -> dict[str, float]:
    """Return what `train`, `backtest` and `scores` say of the frozen days."""
    last = store.spans()[context.channel.id][1]
    now = last + 2 * DAY
    report = train(store, registry, context, recipe(name, SMALL.get(name)), now=now, issue_clock=ISSUE)
    assert report.verdict.decision is Decision.PROMOTED, report.verdict.reasons
    history = store.history(context, Window(last - 1500 * DAY, now), now)
    days = split_days(history, frozen_days=FROZEN_DAYS).frozen
    retrain: Retrain = "never" if name in SMALL else "month"  # trees learn another band at each training
    table = backtest(
        recipe(name, SMALL.get(name)), history, days, issue_clock=ISSUE, known_clock=ISSUE, retrain=retrain
    )
    kept = score(store, context, report.frozen, now=now)
    ours = next(row for row in kept.rows if row["model"] == "ours" and row["lead_hours"] == "all")
    return {
        "train": report.scores["challenger"]["coverage90_percent"],
        "backtest": float(backtest_scores({name: table}, context.channel.unit)[0]["coverage90_percent"]),  # type: ignore[arg-type]  # a number
        "scores": float(ours["coverage90_percent"]),  # type: ignore[arg-type]  # a number
    }


def by_notebook(store: MemoryStore, context: Context, days: int) -> float:
    """Return what `DayAhead` says of the last days of the same readings, as a plain table."""
    table = store.history(context, Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)), NEVER)
    plain = actuals(table).rename({"time": "ds", "value": "y"})
    midnight = local_day(plain["ds"][-1].astimezone(ZoneInfo(context.time_zone)).date(), context.time_zone).start
    door = DayAhead(time_zone=context.time_zone, holidays=context.place.holidays, model="day_process")
    whole_days = plain.filter(pl.col("ds") < midnight)  # the last day is known in part
    found = door.backtest(whole_days, days, issue_hour=ISSUE.hour, rivals=())
    return float(found["coverage90_percent"][0])


SMALL = {"gradient_boosting": {"n_trees": 60, "learning_rate": 0.15, "n_leaves": 8}}


def agree(found: dict[str, float]) -> bool:
    return max(found.values()) - min(found.values()) <= APART


@pytest.mark.parametrize("name", ["day_process", "gradient_boosting"])
def test_train_backtest_and_scores_agree_on_the_simulated_region(
    simulated: MemoryStore, registry: FileRegistry, name: str
) -> None:
    found = coverages(simulated, SIMTOWN, registry, name)
    assert agree(found), found


@pytest.mark.shared_data
def test_all_ways_agree_on_new_york(new_york: tuple[MemoryStore, Context], registry: FileRegistry) -> None:
    found = coverages(*new_york, registry, "day_process")
    found["notebook"] = by_notebook(*new_york, FROZEN_DAYS)
    assert agree(found), found


@pytest.mark.shared_data
def test_all_ways_agree_on_a_home(shared_data: Path, registry: FileRegistry) -> None:
    home = home_of(shared_data / "home" / "homes" / "uci_household_hourly.parquet")
    found = coverages(*home, registry, "day_process")
    found["notebook"] = by_notebook(*home, FROZEN_DAYS)
    assert agree(found), found


def by_hour_of_issue(history: History, frozen_days: int) -> pl.DataFrame:
    """Return what the 90 % band covers by hour of issue, of the rest of the day and of the next one, and by lead."""
    context = history.context
    zone, step = context.time_zone, context.resolution
    split = split_days(history, frozen_days=frozen_days)
    learned = history.known_at(local_instant(split.frozen[0] - DAY, ISSUE, zone))
    model = recipe("day_process").fit(learned, training_issues(split.training, context, ISSUE))
    asked = []
    for hour in HOURS:
        for day in split.frozen:
            issued_at = local_instant(day - DAY, time(hour), zone)
            span = Window(issued_at, local_day(day, zone).end)
            asked.append(targets(span, issued_at, resolution=step, time_zone=zone))
    answer = model.predict(history, Targets.validate(pl.concat(asked)))
    wide = answer.values.pivot("level", index=["issued_at", "time"], values="value")
    issued, of_day = (pl.col(name).dt.convert_time_zone(zone) for name in ("issued_at", "time"))
    hours_ahead = (pl.col("time") + step - pl.col("issued_at")).dt.total_hours()
    return wide.join(actuals(history), on="time").with_columns(
        hour=issued.dt.hour(),
        is_next_day=of_day.dt.date() > issued.dt.date(),
        lead=pl.sum_horizontal(hours_ahead > edge for edge in (6, 12, 24)),
        is_within=pl.col("value").is_between(pl.col("0.05"), pl.col("0.95")),
    )


def check_every_hour(history: History, frozen_days: int) -> None:
    least, most = HOLDS_PERCENT
    table = by_hour_of_issue(history, frozen_days)
    for keys in (["hour"], ["is_next_day"], ["lead"]):
        found = table.group_by(keys).agg(covered=100 * pl.col("is_within").mean()).sort(keys)
        assert found["covered"].is_between(least, most).all(), found.rows()


def test_the_band_holds_at_every_hour_of_issue_of_the_simulated_region(simulated: MemoryStore) -> None:
    history = simulated.history(SIMTOWN, Window(SIMULATED_NOW - 420 * DAY, SIMULATED_NOW), SIMULATED_NOW)
    check_every_hour(history, 60)


@pytest.mark.shared_data
def test_the_band_holds_at_every_hour_of_issue_of_new_york(new_york: tuple[MemoryStore, Context]) -> None:
    store, context = new_york
    end = store.spans()[context.channel.id][1] + timedelta(days=2)
    check_every_hour(store.history(context, Window(end - 1500 * DAY, end), end), 60)
