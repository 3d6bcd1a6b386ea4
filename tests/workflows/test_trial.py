"""A/B trials on live forecasts: who answers, what is kept, and how both versions are scored."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from builders import demand_channel, demand_context, forecasts, readings, region_site
from workflows.conftest import NOW

from watthour.core.errors import InvalidInput, ModelCorrupt, UnknownName
from watthour.core.forecast import History, day_ahead_targets
from watthour.core.frames import LEVELS, Forecasts, Maker, Quality
from watthour.core.model import Manifest, Trial
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.simulation.simtown import SIMTOWN
from watthour.store.memory import MemoryStore
from watthour.workflows import forecast as module
from watthour.workflows import trial
from watthour.workflows.forecast import NOT_SHOWN, forecast, live_window
from watthour.workflows.score import score
from watthour.workflows.view.issue import kept_issue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import dataframely as dy

    from watthour.core.forecast import Forecast, Forecaster
    from watthour.core.frames import Targets
    from watthour.core.ports import Delivery, ModelRegistry
    from watthour.registry.files import FileRegistry
    from watthour.workflows.forecast import Served

CONTEXT = SIMTOWN
NAME = CONTEXT.channel.id
OTHER = "z-other"


@pytest.fixture(scope="module")
def saved(delivery: Delivery) -> tuple[Manifest, Mapping[str, bytes]]:
    """A model of Simtown that was learned once."""
    issued_at = NOW - HOUR
    days = [issued_at.date() - n * DAY for n in range(30, 0, -1)]
    asked = day_ahead_targets(days, CONTEXT.time_zone, resolution=HOUR, issue_clock=time(8), known_clock=time(8))
    history = History(issued_at, CONTEXT, delivery.readings, delivery.forecasts)
    made = recipe("operator_debiased").fit(history, asked)
    return Manifest(NAME, "a-first", "operator_debiased", {}, (), {}, "0", {}, issued_at), made.files()


@pytest.fixture
def pair(registry: FileRegistry, saved: tuple[Manifest, Mapping[str, bytes]]) -> FileRegistry:
    """A champion, and another version of the same files."""
    manifest, files = saved
    for version in (manifest.version, OTHER):
        registry.save(replace(manifest, version=version), files)
    registry.promote(NAME, manifest.version, now=NOW - HOUR, reason="test")
    return registry


def champion(registry: FileRegistry) -> str:
    version = registry.champion(NAME)
    assert version is not None
    return version


def begun(registry: FileRegistry, share: float, now: datetime) -> Trial:
    return trial.begin(registry, CONTEXT, OTHER, share=share, now=now, asked_by="a test")


def kept(store: MemoryStore, now: datetime, model: str) -> pl.DataFrame:
    rows = store.forecasts([NAME], live_window(CONTEXT, now), models=[model])
    return pl.DataFrame(rows).filter(pl.col("issued_at") == now)


def broken(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """Let the challenger break down, or answer what the store would refuse."""
    load = module.load_model

    class Broken:
        def __init__(self, sound: Forecaster) -> None:
            self._sound = sound

        def predict(self, history: History, asked: dy.DataFrame[Targets]) -> Forecast:
            if fault == "breaks":
                raise ZeroDivisionError("planted")
            answer = self._sound.predict(history, asked)
            endless = Forecasts.cast(answer.values.with_columns(value=pl.lit(float("inf"))))
            return replace(answer, values=endless)

    def loaded(registry: ModelRegistry, name: str, version: str | None = None) -> Served:
        served = load(registry, name, version)
        return replace(served, forecaster=Broken(served.forecaster)) if version == OTHER else served  # type: ignore[arg-type]  # enough of one

    monkeypatch.setattr(module, "load_model", loaded)


def damage(registry: FileRegistry, version: str) -> None:
    place = registry._root / NAME / version
    next(file for file in place.iterdir() if file.name != "manifest.json").write_bytes(b"damaged")


def test_the_share_of_hours_is_answered_and_an_hour_is_always_drawn_the_same() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    hours = [start + n * HOUR for n in range(4000)]
    for share in (0.0, 0.2, 0.7, 1.0):
        made = Trial("b", "a", share, start, "a test")
        turns = [made.is_challengers_turn("grid.ny.demand", hour) for hour in hours]
        assert sum(turns) / len(turns) == pytest.approx(share, abs=0.03)
        later = [made.is_challengers_turn("grid.ny.demand", hour + timedelta(minutes=59)) for hour in hours]
        assert later == turns
    few, many = (Trial("b", "a", share, start, "a test") for share in (0.2, 0.4))
    turns = [few.is_challengers_turn("home.one.power", hour) for hour in hours]
    assert turns != [few.is_challengers_turn("home.two.power", hour) for hour in hours]
    assert all(
        many.is_challengers_turn("home.one.power", hour) for hour, turn in zip(hours, turns, strict=True) if turn
    )
    assert not replace(many, share=1.0, until=start).is_challengers_turn("home.one.power", start)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_both_versions_forecast_and_only_the_one_whose_hour_it_is_is_shown(
    store: MemoryStore, pair: FileRegistry, now: datetime, share: float
) -> None:
    begun(pair, share, now)
    report = forecast(store, pair, CONTEXT, now=now)
    shown, beside = (OTHER, champion(pair)) if share else (champion(pair), OTHER)
    assert report.version == shown
    assert report.fallback is None
    assert not [words for words in report.missing_inputs if "A/B" in words]
    n_rows = live_window(CONTEXT, now).hours * len(LEVELS)
    assert kept(store, now, shown)["maker"].to_list() == [str(Maker.OWN)] * n_rows
    assert kept(store, now, f"{beside}{NOT_SHOWN}")["maker"].to_list() == [str(Maker.TRIAL)] * n_rows
    page = kept_issue(store, CONTEXT, now.date() + DAY, now, issue_clock=now.time())
    assert page is not None
    assert page.model == shown
    assert forecast(store, pair, CONTEXT, now=now + timedelta(minutes=20)).new_rows == 0


def test_the_scores_of_what_was_shown_leave_out_what_was_not(
    store: MemoryStore, pair: FileRegistry, now: datetime
) -> None:
    begun(pair, 0.0, now)
    forecast(store, pair, CONTEXT, now=now)
    rows = pl.DataFrame(store.forecasts([NAME], live_window(CONTEXT, now), models=[f"{OTHER}{NOT_SHOWN}"]))
    far_off = rows.with_columns(
        issued_at=pl.col("issued_at") - 2 * DAY,
        available_at=pl.col("available_at") - 2 * DAY,
        time=pl.col("time") - 2 * DAY,
        value=pl.lit(0.0),
    )
    assert store.append_forecasts(Forecasts.cast(far_off)) > 0
    window = Window(now - 2 * DAY, now)
    assert "ours" not in {row["model"] for row in score(store, CONTEXT, window, now=now).rows}


def test_after_a_trial_only_the_champion_forecasts(store: MemoryStore, pair: FileRegistry, now: datetime) -> None:
    begun(pair, 1.0, now)
    assert forecast(store, pair, CONTEXT, now=now).version == OTHER
    later = now + timedelta(minutes=10)
    trial.end(pair, CONTEXT, now=later)
    assert forecast(store, pair, CONTEXT, now=later).version == champion(pair)
    assert kept(store, later, f"{OTHER}{NOT_SHOWN}").is_empty()
    with pytest.raises(UnknownName, match=r"no A/B trial.*models ab"):
        trial.end(pair, CONTEXT, now=later)


@pytest.mark.parametrize("share", [0.0, 1.0])
@pytest.mark.parametrize("fault", ["damaged", "breaks", "refused"])
def test_a_challenger_that_fails_never_harms_the_answer_and_is_told(
    store: MemoryStore,
    pair: FileRegistry,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    fault: str,
) -> None:
    begun(pair, share, now)
    if fault == "damaged":
        damage(pair, OTHER)
    else:
        broken(monkeypatch, fault)
    report = forecast(store, pair, CONTEXT, now=now)
    assert report.version == champion(pair)
    assert report.fallback is None
    (words,) = [words for words in report.missing_inputs if "A/B" in words]
    assert f"{OTHER} of the A/B trial could not forecast" in words
    assert kept(store, now, champion(pair)).height == live_window(CONTEXT, now).hours * len(LEVELS)
    assert kept(store, now, f"{OTHER}{NOT_SHOWN}").is_empty()
    run = store.runs(source=f"forecast:{NAME}")[0]
    assert run.problem is not None
    assert words in run.problem
    assert forecast(store, pair, CONTEXT, now=now + timedelta(minutes=5)).new_rows == 0


def test_where_the_champion_fails_its_own_hours_are_answered_as_ever_and_the_challengers_by_it(
    store: MemoryStore, pair: FileRegistry, now: datetime
) -> None:
    begun(pair, 1.0, now)
    damage(pair, champion(pair))
    report = forecast(store, pair, CONTEXT, now=now)
    assert report.version == OTHER
    assert f"{champion(pair)} of the A/B trial could not forecast" in report.missing_inputs[-1]
    begun(pair, 0.0, now)
    later = forecast(store, pair, CONTEXT, now=now + HOUR)
    assert later.version == "operator_debiased"
    assert later.fallback is not None
    assert "differs from the hash" in later.fallback


def test_a_version_that_cannot_be_tried_is_refused_with_the_cure(pair: FileRegistry, now: datetime) -> None:
    with pytest.raises(UnknownName, match=rf"version = 'v9'.*There are: .*{OTHER}"):
        trial.begin(pair, CONTEXT, "v9", share=0.2, now=now, asked_by="a test")
    with pytest.raises(InvalidInput, match="it serves"):
        trial.begin(pair, CONTEXT, champion(pair), share=0.2, now=now, asked_by="a test")
    damage(pair, OTHER)
    with pytest.raises(ModelCorrupt):
        begun(pair, 0.2, now)
    assert pair.trial(NAME) is None


# Scores, on planted forecasts: the champion errs by 4 MWh, the challenger by less on most days.

START = datetime(2024, 1, 8, 5, tzinfo=UTC)  # midnight in New York
PLANTED = demand_context()
TRIAL = Trial("b", "a", 0.5, START, "a test")
CHALLENGERS_ERRORS = (1.0, 2.0, 1.5, 3.5, 1.0)  # by day [MWh]
SPREAD = 3.0


def planted(
    errors: Sequence[float], model: str, *, maker: Maker, start: datetime = START, quality: Quality = Quality.GOOD
) -> dy.DataFrame[Forecasts]:
    """One issue a day, at its midnight, of the 24 hours after it, too high by a number."""
    days = [
        forecasts(
            *[100.0 + error + spread] * 24,
            start=start + n * DAY,
            issued_at=start + n * DAY,
            model=model,
            level=level,
            maker=maker,
        )
        for n, error in enumerate(errors)
        for level, spread in ((0.05, -SPREAD), (0.5, 0.0), (0.95, SPREAD))
    ]
    return Forecasts.cast(pl.concat(days).with_columns(quality=pl.lit(int(quality), pl.Int16)))


@pytest.fixture
def measured() -> MemoryStore:
    """Five days at 100 MWh and a trial over them: the challenger was shown on the first two."""
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[100.0] * 24 * len(CHALLENGERS_ERRORS), start=START))
    challengers = planted(CHALLENGERS_ERRORS, "b", maker=Maker.OWN)
    champions = planted([4.0] * len(CHALLENGERS_ERRORS), "a", maker=Maker.OWN)
    is_first = pl.col("issued_at") < START + 2 * DAY
    for rows, is_shown in ((challengers, is_first), (champions, ~is_first)):
        beside = rows.filter(~is_shown).with_columns(model=pl.col("model") + NOT_SHOWN, maker=pl.lit(str(Maker.TRIAL)))
        store.append_forecasts(Forecasts.cast(rows.filter(is_shown)))
        store.append_forecasts(Forecasts.cast(beside))
    return store


def scored(store: MemoryStore, made: Trial = TRIAL, days: int = 10) -> dict[str, Any]:
    return trial.trial_scores(store, PLANTED, made, now=START + days * DAY).as_plain()


def test_both_versions_are_scored_on_the_same_rows_whoever_was_shown(measured: MemoryStore) -> None:
    found = scored(measured)
    old, new = found["sides"]
    assert (old["role"], old["version"], old["answered"], old["n"]) == ("champion", "a", 3, 120)
    assert (new["role"], new["version"], new["answered"], new["n"]) == ("challenger", "b", 2, 120)
    assert old["mae"] == pytest.approx(4.0)
    assert new["mae"] == pytest.approx(sum(CHALLENGERS_ERRORS) / 5)
    # Of three levels 3 MWh apart around a median that is 4 too high, the actual lies below all.
    assert old["pinball"] == pytest.approx((0.95 * 1 + 0.5 * 4 + 0.05 * 7) / 3)
    assert old["coverage90_percent"] == pytest.approx(0.0)
    assert new["coverage90_percent"] == pytest.approx(80.0)
    assert "120 forecast intervals of 5 live issues" in found["protocol"]


def test_the_difference_has_a_standard_error_by_days(measured: MemoryStore) -> None:
    mae, pinball = scored(measured)["differences"]
    assert (mae["score"], pinball["score"]) == ("mae", "pinball")
    d = [error - 4.0 for error in CHALLENGERS_ERRORS]
    mean = sum(d) / 5
    lag0, lag1 = (sum((d[n] - mean) * (d[n + k] - mean) for n in range(5 - k)) / 5 for k in (0, 1))
    variance = (lag0 + 2 * lag1) / 5 if lag0 + 2 * lag1 > 0 else lag0 / 5
    assert mae["mean"] == pytest.approx(mean)
    assert mae["standard_error"] == pytest.approx((variance / ((5 + 1 - 4 + 2 / 5) / 5)) ** 0.5)
    assert mae["days"] == 5
    assert 0 < mae["p_value"] < 1
    assert pinball["mean"] < 0


def test_a_difference_beyond_chance_is_told_from_one_that_may_be_chance(measured: MemoryStore) -> None:
    assert "lower by 2.20 MWh" in scored(measured)["verdict"]
    assert "beyond chance" in scored(measured)["verdict"]
    mixed = MemoryStore()
    mixed.register([region_site()], [demand_channel()])
    mixed.append(readings(*[100.0] * 24 * 6, start=START))
    mixed.append_forecasts(planted([4.0] * 6, "a", maker=Maker.OWN))
    mixed.append_forecasts(planted([1.0, 7.1, 2.0, 6.2, 7.0, 1.0], f"b{NOT_SHOWN}", maker=Maker.TRIAL))
    assert "which may be chance" in scored(mixed)["verdict"]


def test_few_days_and_none_say_that_it_is_too_early(measured: MemoryStore) -> None:
    early = trial.trial_scores(measured, PLANTED, TRIAL, now=START + 2 * DAY)
    assert early.verdict.startswith("It is too early to compare: 2 days")
    assert early.differences[0].standard_error is None
    nothing = scored(measured, replace(TRIAL, since=START + 20 * DAY), days=30)
    assert nothing["differences"] == ()
    assert nothing["sides"][0]["mae"] is None
    assert "Nothing can be compared yet" in nothing["verdict"]


def test_issues_of_one_version_alone_and_such_made_afterwards_or_outside_the_trial_are_left_out(
    measured: MemoryStore,
) -> None:
    before = scored(measured)
    next_day, earlier = START + len(CHALLENGERS_ERRORS) * DAY, START - 2 * DAY
    measured.append(readings(*[100.0] * 48, start=next_day))
    measured.append(readings(*[100.0] * 48, start=earlier))
    measured.append_forecasts(planted([9.0], "a", maker=Maker.OWN, start=next_day))
    for model, maker in (("a", Maker.OWN), (f"b{NOT_SHOWN}", Maker.TRIAL)):
        measured.append_forecasts(planted([9.0], model, maker=maker, start=earlier))
        later = next_day + DAY
        measured.append_forecasts(planted([9.0], model, maker=maker, start=later, quality=Quality.ASSUMED))
    found = scored(measured)
    assert [side["mae"] for side in found["sides"]] == [side["mae"] for side in before["sides"]]
    assert found["sides"][0]["n"] == 120
    assert "1 issues that only one" in found["protocol"]


def test_a_trial_that_has_ended_is_scored_until_its_end(measured: MemoryStore) -> None:
    ended = replace(TRIAL, until=START + 2 * DAY - HOUR)
    assert [side["n"] for side in scored(measured, ended)["sides"]] == [48, 48]
