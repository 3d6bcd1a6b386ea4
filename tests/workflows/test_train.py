from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from builders import demand_context

from watthour.core.carbon import MIX, Scope, carbon_channel
from watthour.core.errors import NotEnoughHistory
from watthour.core.frames import Quality, Readings
from watthour.core.units import Unit
from watthour.core.window import DAY, HOUR, Window, local_day, local_midnight
from watthour.forecasting.catalogue import recipe
from watthour.registry.files import FileRegistry
from watthour.simulation.simtown import SIMTOWN
from watthour.store.memory import MemoryStore
from watthour.workflows.carbon import production_kind
from watthour.workflows.compare import Decision, judge
from watthour.workflows.forecast import forecast, learned_until, load_model
from watthour.workflows.holes import holes
from watthour.workflows.leads import measured_coverage
from watthour.workflows.train import fingerprint, split_days, train, training_issues
from watthour.workflows.windows import CARBON_AHEAD

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.forecast import Forecaster, History, Recipe
    from watthour.core.frames import Targets
    from watthour.core.model import Manifest

CONTEXT = SIMTOWN
ZONE = ZoneInfo(SIMTOWN.time_zone)
FROZEN = 28


def table(**errors: list[float]) -> pl.DataFrame:
    n = len(next(iter(errors.values())))
    start = datetime(2024, 7, 1, 12, tzinfo=ZONE)
    return pl.DataFrame(
        {
            "issued_at": [start + k * DAY for k in range(n)],
            "time": [start + k * DAY + timedelta(hours=20) for k in range(n)],
            "actual": [1000.0] * n,
            **{name: [1000.0 + error for error in each] for name, each in errors.items()},
        }
    )


def test_the_frozen_window_is_the_last_days_with_demand(store: MemoryStore, now: datetime) -> None:
    history = store.history(CONTEXT, Window(now - 200 * DAY, now), now)
    split = split_days(history, frozen_days=FROZEN)
    assert split.frozen[-1] == date(2024, 7, 9)
    assert len(split.frozen) == FROZEN


def test_nothing_of_the_frozen_window_or_known_after_its_first_issue_is_shown_to_the_challenger(
    store: MemoryStore, registry: FileRegistry, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[History, dy.DataFrame[Targets]]] = []
    kind = type(recipe("persistence_ensemble"))
    fit = kind.fit

    def noted(self: Recipe, history: History, issues: dy.DataFrame[Targets]) -> Forecaster:
        shown.append((history, issues))
        return fit(self, history, issues)

    monkeypatch.setattr(kind, "fit", noted)
    report = train(store, registry, CONTEXT, recipe("persistence_ensemble"), now=now, frozen_days=FROZEN)
    history, issues = shown[0]
    eve = report.frozen.start.astimezone(ZONE).date() - DAY
    first_issue = local_midnight(eve, SIMTOWN.time_zone) + timedelta(hours=8)
    assert history.readings.filter(pl.col("available_at") > first_issue).is_empty()
    assert history.forecasts.filter(pl.col("available_at") > first_issue).is_empty()
    assert issues.filter(pl.col("time") >= first_issue).is_empty()
    learned = learned_until(report.manifest)
    assert learned is not None
    assert learned <= first_issue


def _as_of_earlier(manifest: Manifest) -> Manifest:
    """Return what an earlier version of Watthour saved of a model: nothing of the days after tomorrow."""
    return replace(manifest, metrics={name: each for name, each in manifest.metrics.items() if "ahead" not in name})


def test_a_model_tells_how_often_its_band_held_by_days_ahead_even_one_that_was_saved_without_it(
    store: MemoryStore, registry: FileRegistry, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = train(store, registry, CONTEXT, recipe("persistence_ensemble"), now=now, frozen_days=FROZEN)
    version = report.manifest.version
    held = measured_coverage(store, registry, CONTEXT, version, now=now, issue_clock=time(8))
    assert set(held) == set(range(1, 8))
    assert held[1] == report.scores["challenger"]["coverage90_percent"] / 100
    assert all(0.6 < share <= 1 for share in held.values())
    assert held[7] == report.manifest.metrics["coverage90_percent_7_days_ahead"] / 100
    (saved,) = registry.manifests(report.manifest.name)
    monkeypatch.setattr(FileRegistry, "manifests", lambda _self, _name: [_as_of_earlier(saved)])
    assert measured_coverage(store, registry, CONTEXT, version, now=now, issue_clock=time(8)) == pytest.approx(held)
    again = measured_coverage(store, registry, CONTEXT, "persistence_ensemble", now=now, issue_clock=time(8))
    assert set(again) == set(range(1, 8))


def test_the_days_learned_end_a_day_before_the_frozen_ones_begin(store: MemoryStore, now: datetime) -> None:
    history = store.history(CONTEXT, Window(now - 200 * DAY, now), now)
    split = split_days(history, frozen_days=FROZEN)
    assert split.training[-1] == split.frozen[0] - 2 * DAY


def test_a_champion_that_has_seen_part_of_the_window_moves_its_start(store: MemoryStore, now: datetime) -> None:
    history = store.history(CONTEXT, Window(now - 200 * DAY, now), now)
    seen_to = local_midnight(date(2024, 6, 22), SIMTOWN.time_zone)
    assert split_days(history, frozen_days=40, not_before=seen_to).frozen[0] == date(2024, 6, 22)
    assert split_days(history, frozen_days=40, not_before=seen_to + timedelta(hours=1)).frozen[0] == date(2024, 6, 23)
    assert split_days(history, frozen_days=14, not_before=seen_to).frozen[0] == date(2024, 6, 26)


def test_too_little_history_says_how_much_is_needed(store: MemoryStore, registry: FileRegistry, now: datetime) -> None:
    history = store.history(CONTEXT, Window(now - 60 * DAY, now), now)
    with pytest.raises(NotEnoughHistory, match="60 and 14 are needed"):
        split_days(history, frozen_days=FROZEN)
    with pytest.raises(NotEnoughHistory, match="no reading"):
        train(store, registry, demand_context(), recipe("seasonal_naive"), now=now)


def test_doubted_hours_are_no_actuals(store: MemoryStore, now: datetime) -> None:
    history = store.history(CONTEXT, Window(now - 200 * DAY, now), now)
    last_day = local_day(date(2024, 7, 9), SIMTOWN.time_zone)
    doubted = history.readings.with_columns(
        quality=pl.when(pl.col("time") >= last_day.start).then(int(Quality.FROZEN)).otherwise("quality").cast(pl.Int16)
    )
    split = split_days(replace(history, readings=Readings.cast(doubted)), frozen_days=FROZEN)
    assert split.frozen[-1] == date(2024, 7, 8)


def test_the_first_model_serves_when_it_beats_the_seasonal_naive(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    report = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now, frozen_days=FROZEN)
    assert report.verdict.decision is Decision.PROMOTED
    assert registry.champion(CONTEXT.channel.id) == report.manifest.version
    assert report.scores["challenger"]["mae_mwh"] < report.scores["seasonal_naive"]["mae_mwh"]
    assert "same time last week" in registry.promotions(CONTEXT.channel.id)[0].reason


def test_a_first_model_no_better_than_the_seasonal_naive_does_not_serve(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    report = train(store, registry, CONTEXT, recipe("seasonal_naive"), now=now, frozen_days=FROZEN)
    assert report.verdict.decision is Decision.KEPT
    assert registry.champion(CONTEXT.channel.id) is None
    assert registry.manifests(CONTEXT.channel.id) == [report.manifest]


def test_a_better_challenger_takes_the_place_and_a_worse_one_does_not(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    ensemble = train(store, registry, CONTEXT, recipe("persistence_ensemble"), now=now, frozen_days=FROZEN)
    better = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now + DAY / 24, frozen_days=FROZEN)
    assert ensemble.verdict.decision is Decision.PROMOTED
    assert better.verdict.decision is Decision.PROMOTED
    assert better.scores["champion"] == ensemble.scores["challenger"]
    worse = train(store, registry, CONTEXT, recipe("persistence_ensemble"), now=now + DAY / 12, frozen_days=FROZEN)
    assert worse.verdict.decision is Decision.KEPT
    assert "the champion stays" in " ".join(worse.verdict.reasons)
    assert registry.champion(CONTEXT.channel.id) == better.manifest.version
    assert registry.rollback(CONTEXT.channel.id, now=now) == ensemble.manifest.version


def test_the_same_model_again_is_no_gain(store: MemoryStore, registry: FileRegistry, now: datetime) -> None:
    first = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now, frozen_days=FROZEN)
    again = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now + DAY / 24, frozen_days=FROZEN)
    assert again.verdict.decision is Decision.KEPT
    assert registry.champion(CONTEXT.channel.id) == first.manifest.version


def test_the_manifest_tells_what_the_model_is_and_saw(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    report = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now, frozen_days=FROZEN)
    manifest = report.manifest
    assert manifest.version.startswith("operator_debiased-20240710T162000-")
    assert manifest.version.endswith(manifest.data_fingerprint[:6])
    assert manifest.splits["frozen"] == report.frozen
    assert set(manifest.metrics) >= {"mae_mwh", "mape_percent", "bias_mwh", "rmse_mwh"}
    assert load_model(registry, CONTEXT.channel.id).manifest == manifest


def test_a_promoted_models_frozen_days_are_kept_as_made_afterwards(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    report = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now, frozen_days=FROZEN)
    kept = store.forecasts([CONTEXT.channel.id], report.frozen, models=[report.manifest.version], levels=[0.5])
    assert kept.height == report.frozen.hours
    assert (kept["quality"] & int(Quality.ASSUMED)).min() == int(Quality.ASSUMED)
    assert (kept["recorded_at"] == now).all()


def test_a_fingerprint_changes_with_any_value_and_with_nothing_else(store: MemoryStore, now: datetime) -> None:
    history = store.history(CONTEXT, Window(now - 10 * DAY, now), now)
    shuffled = replace(history, readings=Readings.cast(history.readings.reverse()))
    changed = replace(
        history,
        readings=Readings.cast(
            history.readings.with_columns(
                value=pl.when(pl.int_range(pl.len()) == 17).then(pl.col("value") + 1).otherwise("value")
            )
        ),
    )
    assert fingerprint(shuffled) == fingerprint(history)
    assert fingerprint(changed) != fingerprint(history)
    assert fingerprint(history.known_at(now - DAY)) != fingerprint(history)


def test_a_challenger_learns_every_day_ahead_and_other_hours_of_issue() -> None:
    days = [date(2024, 3, 1) + n * DAY for n in range(60)]  # the clocks go forward on 10 March
    issues = training_issues(days, SIMTOWN, time(8))
    local = issues.with_columns(clock=pl.col("issued_at").dt.convert_time_zone(SIMTOWN.time_zone).dt.hour())
    day_ahead = local.filter(pl.col("clock") == 8)
    assert day_ahead["time"].n_unique() == 60 * 24 - 1
    assert local["clock"].n_unique() == 24
    assert issues.filter(pl.col("time") < pl.col("issued_at")).is_empty()


def test_of_a_series_forecast_for_days_the_issue_of_each_day_and_one_in_four_others_are_learned_to_their_end() -> None:
    carbon = carbon_channel(SIMTOWN.site, MIX, production_kind(Scope.LIFECYCLE), SIMTOWN.resolution)
    days = [date(2024, 3, 1) + n * DAY for n in range(500)]
    load, far = (training_issues(days, each, time(8)) for each in (SIMTOWN, replace(SIMTOWN, channel=carbon)))
    assert load["issued_at"].n_unique() == far["issued_at"].n_unique()
    lengths = far.group_by("issued_at").agg(
        begin=pl.col("time").min() - pl.col("issued_at").first(), ahead=(pl.col("time") - pl.col("issued_at")).max()
    )
    clock = pl.col("issued_at").dt.convert_time_zone(SIMTOWN.time_zone).dt.hour()
    of_the_day, others = lengths.filter(clock == 8), lengths.filter(clock != 8)
    to_the_end = pl.col("ahead") >= CARBON_AHEAD - 2 * HOUR
    assert (of_the_day.height, of_the_day["begin"].n_unique()) == (500, 1)
    assert of_the_day.filter(to_the_end).height >= 500 - CARBON_AHEAD / DAY  # the last ones end where the known does
    assert 55 <= others.filter(to_the_end).height <= 65
    assert others.filter(to_the_end).select(clock)["issued_at"].n_unique() == 23
    last = local_midnight(days[-1] + DAY, SIMTOWN.time_zone)
    assert far.select((pl.col("time") < last).all()).item()


@pytest.mark.parametrize(
    ("champion", "decision"), [(30.0, Decision.PROMOTED), (20.5, Decision.KEPT), (10.0, Decision.KEPT)]
)
def test_only_a_gain_beyond_chance_promotes(champion: float, decision: Decision) -> None:
    swings = [3.0, -4.0, 1.0, 5.0, -6.0, 2.0, -1.0, 4.0, -3.0, 0.0, 6.0, -5.0, 2.0, -2.0]
    opposite = [-swing for swing in swings]
    errors = table(challenger=[20 + s for s in swings], champion=[champion + s for s in opposite])
    assert judge(errors, Unit.MWH).decision is decision


def covering(table: pl.DataFrame, n_within: int) -> pl.DataFrame:
    """Give the challenger a band that holds so many of the actuals."""
    is_within = pl.int_range(pl.len()) < n_within
    return table.with_columns(
        challenger_lower=pl.col("actual") - pl.when(is_within).then(1.0).otherwise(-1.0),
        challenger_upper=pl.col("actual") + 2.0,
    )


@pytest.mark.parametrize(
    ("n_within", "decision", "word"),
    [
        (0, Decision.KEPT, "too narrow: 0.0 %"),
        (16, Decision.KEPT, "too narrow: 80.0 %"),
        (17, Decision.PROMOTED, ""),
        (18, Decision.PROMOTED, ""),
        (19, Decision.PROMOTED, ""),
        (20, Decision.KEPT, "too wide: 100.0 %"),
    ],
)
@pytest.mark.parametrize("rival", ["champion", "seasonal_naive"])
def test_only_a_band_that_covers_what_it_says_is_promoted(
    n_within: int, decision: Decision, word: str, rival: str
) -> None:
    swings = [1.0, -1.0] * 10
    errors = table(challenger=[5 + s for s in swings], **{rival: [30 - s for s in swings]})
    verdict = judge(covering(errors, n_within), Unit.MWH)
    assert verdict.decision is decision
    assert word in " ".join(verdict.reasons)
    if decision is Decision.KEPT:
        says = "the champion stays" if rival == "champion" else "a baseline forecasts"
        assert says in verdict.reasons[-1]


def test_a_damaged_champion_is_said_and_does_not_block_the_next(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    first = train(store, registry, CONTEXT, recipe("persistence_ensemble"), now=now, frozen_days=FROZEN)
    place = next(registry._root.glob(f"*/{first.manifest.version}"))
    for file in place.iterdir():
        if file.name != "manifest.json":
            file.write_bytes(b"damaged")
    report = train(store, registry, CONTEXT, recipe("operator_debiased"), now=now + DAY / 24, frozen_days=FROZEN)
    assert report.verdict.decision is Decision.PROMOTED
    assert "could not be compared" in " ".join(report.verdict.reasons)


def test_a_verdict_says_across_which_holes_was_trained(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    whole = store.history(CONTEXT, Window(now - 200 * DAY, now), now)
    assert holes(whole) == []
    gap = Window(
        local_midnight(date(2024, 4, 3), SIMTOWN.time_zone), local_midnight(date(2024, 4, 9), SIMTOWN.time_zone)
    )
    rest = whole.readings.filter(~pl.col("time").is_between(gap.start, gap.end, closed="left"))
    assert holes(replace(whole, readings=Readings.cast(rest))) == [gap]
    holed = MemoryStore()
    holed.register([SIMTOWN.site], [SIMTOWN.channel])
    holed.append(Readings.cast(rest))
    report = train(holed, registry, CONTEXT, recipe("persistence_ensemble"), now=now, frozen_days=FROZEN)
    assert "trained across holes in the readings: 2024-04-03 to 2024-04-09" in " ".join(report.verdict.reasons)


def test_a_verdict_says_what_a_model_learned_without_and_the_forecasts_do_not_repeat_it(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    nowhere = replace(CONTEXT.site, place=replace(CONTEXT.site.place, latitude=None, longitude=None), points=())
    context = replace(CONTEXT, site=nowhere, covariates=())
    quick = recipe("hour_process", {"adapts_constants": False, "longest_memory_days": 100})
    report = train(store, registry, context, quick, now=now, frozen_days=14)
    assert "so hour_process learned without daylight." in " ".join(report.verdict.reasons)
    assert forecast(store, registry, context, now=now).missing_inputs == ()
