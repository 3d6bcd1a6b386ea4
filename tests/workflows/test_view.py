from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from builders import demand_channel, demand_context, forecasts, readings, region_site

from watthour.core.errors import InvalidInput, NotEnoughHistory
from watthour.core.frames import LEVELS, Forecasts, Quality
from watthour.core.ports import RunState, SourceRun
from watthour.core.window import DAY, HOUR, Window
from watthour.forecasting.catalogue import recipe
from watthour.grid.regions import Regions
from watthour.simulation.simtown import SIMTOWN
from watthour.store.memory import MemoryStore
from watthour.workflows.forecast import forecast
from watthour.workflows.sites import contexts
from watthour.workflows.train import train
from watthour.workflows.view import (
    channel_list,
    freshness_hours,
    grid_forecast,
    grid_scores,
    reading_page,
    status,
)

if TYPE_CHECKING:
    from watthour.core.forecast import Context
    from watthour.registry.files import FileRegistry

CONTEXT = SIMTOWN
TODAY = date(2024, 7, 10)
EIGHT = time(8)


@pytest.fixture
def trained(store: MemoryStore, registry: FileRegistry, now: datetime) -> FileRegistry:
    train(store, registry, CONTEXT, recipe("operator_debiased"), now=now - HOUR, frozen_days=14)
    return registry


def page_of(
    store: MemoryStore, registry: FileRegistry, day: date | None = None, *, now: datetime, context: Context = CONTEXT
) -> dict[str, Any]:
    page: dict[str, Any] = grid_forecast(store, registry, context, day, now=now, issue_clock=EIGHT)
    json.dumps(page, allow_nan=False)  # what is shown is plain JSON
    return page


def test_tomorrow_opens_by_itself_with_the_newest_issue(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    forecast(store, trained, CONTEXT, now=now - 2 * HOUR)
    forecast(store, trained, CONTEXT, now=now)
    page = page_of(store, trained, now=now)
    assert page["day"] == "2024-07-11"
    assert page["issued_at"] == "2024-07-10T16:20:00Z"
    assert page["model_version"] == trained.champion(CONTEXT.channel.id)
    assert not page["reconstructed"]
    assert page["fallback"] is None
    assert page["region"]["simulated"]


def test_a_point_carries_its_band_its_rivals_and_no_actual_yet(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    forecast(store, trained, CONTEXT, now=now)
    points = page_of(store, trained, now=now)["points"]
    assert len(points) == 24
    first = points[0]
    assert first["time"] == "2024-07-11T04:00:00Z"
    assert first["local_time"] == "2024-07-11T00:00-04:00"
    assert first["lower"] < first["value"] < first["upper"]
    assert set(first["quantiles"]) == {f"{level:g}" for level in LEVELS}
    assert first["operator"] is not None
    assert first["seasonal_naive"] is not None
    assert first["actual"] is None


def test_the_headline_names_the_peak_its_hour_and_its_band(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    forecast(store, trained, CONTEXT, now=now)
    page = page_of(store, trained, now=now)
    peak = max(page["points"], key=lambda point: float(point["value"]))
    hour = int(peak["local_time"][11:13])
    assert page["headline"] == (
        f"Thursday peaks at {peak['value']:,.0f} MWh between {hour:02}:00 and {hour + 1:02}:00; the 90 % interval "
        f"of that hour is {peak['lower']:,.0f} to {peak['upper']:,.0f} MWh."
    )


def test_only_what_was_known_at_the_issue_is_shown_as_known(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    forecast(store, trained, CONTEXT, now=now)
    page = page_of(store, trained, now=now)
    assert page["known_until"] == "2024-07-10T14:00:00Z"
    assert len(page["known"]) == 48
    assert page["known"][-1]["time"] == "2024-07-10T13:00:00Z"


def test_a_past_day_shows_the_day_ahead_issue_not_a_later_one(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    eight = datetime(2024, 7, 9, 12, tzinfo=UTC)  # 08:00 on the eve of the 10th
    for issued_at in (eight - 3 * HOUR, eight, eight + 5 * HOUR, eight + 20 * HOUR):
        forecast(store, trained, CONTEXT, now=issued_at)
    page = page_of(store, trained, TODAY, now=now)
    assert page["issued_at"] == "2024-07-09T12:00:00Z"
    assert not page["reconstructed"]
    assert page["points"][0]["actual"] is not None
    assert page["points"][-1]["actual"] is None


def test_a_past_day_of_the_frozen_window_was_made_afterwards_and_says_so(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    page = page_of(store, trained, date(2024, 7, 8), now=now)
    assert page["reconstructed"]
    assert page["model_version"] == trained.champion(CONTEXT.channel.id)
    assert page["issued_at"] == "2024-07-07T12:00:00Z"
    assert page["headline"].startswith("Monday was expected to peak")
    assert {row["model"] for row in page["scores_of_day"]["rows"]} == {"ours", "operator", "seasonal_naive"}


def test_a_day_the_model_learned_from_is_not_shown_as_if_it_had_not(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    page = page_of(store, trained, date(2024, 5, 20), now=now)
    assert page["reconstructed"]
    assert page["model_version"] == "operator_debiased"
    assert "trained on this day" in page["fallback"]
    assert page["issued_at"] == "2024-05-19T12:00:00Z"


def test_a_reconstructed_day_uses_only_what_was_known_then(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    day = date(2024, 5, 20)
    before = page_of(store, registry, day, now=now)
    changed = readings(
        99_999.0, channel=CONTEXT.channel.id, start=datetime(2024, 5, 18, 12, tzinfo=UTC), available_at=now
    )
    store.append(changed)
    after = page_of(store, registry, day, now=now)
    assert [point["value"] for point in after["points"]] == [point["value"] for point in before["points"]]


def test_without_a_model_tomorrow_is_forecast_by_a_baseline_with_the_reason(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    page = page_of(store, registry, now=now)
    assert page["model_version"] == "operator_debiased"
    assert "watthour train" in page["fallback"]
    assert not page["reconstructed"]


def test_what_a_live_forecast_said_of_itself_is_shown_later(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    forecast(store, registry, CONTEXT, now=now)
    page = page_of(store, registry, now=now + HOUR / 2)
    assert page["issued_at"] == "2024-07-10T16:20:00Z"
    assert "watthour train" in page["fallback"]


def test_days_of_23_and_25_hours_have_as_many_points(registry: FileRegistry) -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    store.append(readings(*[100.0] * 24 * 60, start=datetime(2024, 1, 20, tzinfo=UTC)))
    store.append(readings(*[100.0] * 24 * 60, start=datetime(2024, 9, 20, tzinfo=UTC)))
    now = datetime(2024, 11, 19, 6, tzinfo=UTC)
    assert len(page_of(store, registry, date(2024, 3, 10), now=now, context=demand_context())["points"]) == 23
    autumn = page_of(store, registry, date(2024, 11, 3), now=now, context=demand_context())["points"]
    assert len(autumn) == 25
    assert [point["local_time"] for point in autumn[1:3]] == ["2024-11-03T01:00-04:00", "2024-11-03T01:00-05:00"]


def test_an_archive_opens_at_the_day_after_its_end(store: MemoryStore, registry: FileRegistry, now: datetime) -> None:
    page = page_of(store, registry, now=now + 400 * DAY)
    assert page["day"] == "2024-07-11"
    assert page["days"]["last"] == "2024-07-11"
    assert page["reconstructed"]
    assert page["newest"] is None


@pytest.mark.parametrize("day", [date(2020, 1, 1), date(2024, 7, 12), date(2100, 1, 1)])
def test_a_day_nothing_is_known_of_names_the_days_there_are(
    store: MemoryStore, registry: FileRegistry, now: datetime, day: date
) -> None:
    with pytest.raises(InvalidInput, match="to 2024-07-11"):
        grid_forecast(store, registry, CONTEXT, day, now=now, issue_clock=EIGHT)


def test_a_region_without_demand_says_what_to_bring(registry: FileRegistry, now: datetime) -> None:
    with pytest.raises(NotEnoughHistory, match="watthour import"):
        grid_forecast(MemoryStore(), registry, demand_context(), now=now, issue_clock=EIGHT)
    with pytest.raises(NotEnoughHistory, match="watthour import"):
        grid_scores(MemoryStore(), demand_context(), now=now)


def test_doubted_values_keep_their_flag_and_do_not_count_in_the_days_score(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    day = date(2024, 7, 8)
    doubted = readings(
        *[0.0] * 5,
        channel=CONTEXT.channel.id,
        start=datetime(2024, 7, 8, 12, tzinfo=UTC),
        available_at=now - HOUR,
        quality=Quality.ZERO,
    )
    store.append(doubted)
    page = page_of(store, trained, day, now=now)
    flagged = [point for point in page["points"] if "zero" in point["actual_quality"]]
    assert len(flagged) == 5
    assert flagged[0]["actual"] == 0.0
    assert page["scores_of_day"] is None  # 19 good hours are no day


def test_freshness_tells_demand_and_the_operators_forecast(
    store: MemoryStore, registry: FileRegistry, now: datetime
) -> None:
    demand, operator, *_weather = page_of(store, registry, now=now)["freshness"]
    assert demand["last_time"] == "2024-07-10T13:00:00Z"
    assert demand["age_hours"] == pytest.approx(2.33)
    assert not demand["stale"]
    assert operator["label"] == "Operator's forecast"
    assert not operator["stale"]


@pytest.mark.usefixtures("trained")
def test_scores_come_with_their_days_protocol_and_rivals(store: MemoryStore, now: datetime) -> None:
    page: dict[str, Any] = grid_scores(store, CONTEXT, days=10, now=now)
    json.dumps(page, allow_nan=False)
    assert page["window"] == {"start": "2024-07-01", "end": "2024-07-10"}
    rows = {row["model"]: row for row in page["rows"] if row["lead_hours"] == "all"}
    assert set(rows) >= {"ours", "operator", "seasonal_naive"}
    assert rows["ours"]["skill_percent"] > 0
    assert "made afterwards" in page["protocol"]
    with pytest.raises(InvalidInput):
        grid_scores(store, CONTEXT, days=0, now=now)


def test_status_shows_each_source_with_its_last_run(store: MemoryStore, now: datetime) -> None:
    window = Window(now - DAY, now)
    store.note_run(SourceRun("eia:ny", now - 3 * HOUR, now - 3 * HOUR, window, RunState.OK, 24))
    store.note_run(
        SourceRun("eia:ny", now - 2 * HOUR, now - 2 * HOUR, window, RunState.FAILED, 0, problem="it is down")
    )
    store.note_run(SourceRun("open_meteo:ny", now - HOUR, now - HOUR, window, RunState.OK, 24, problem="a note"))
    shown = [CONTEXT, demand_context()]
    content: Any = status(store, shown, now=now, version="1.2", expected_sources=["eia:ny", "nyiso:ny"])
    json.dumps(content, allow_nan=False)
    assert content["sources"] == [
        {
            "name": "eia:ny",
            "label": "EIA, demand",
            "site": "ny",
            "state": "failed",
            "last_run_at": "2024-07-10T14:20:00Z",
            "age_hours": 2.0,
            "problem": "it is down",
        },
        {
            "name": "open_meteo:ny",
            "label": "Open meteo",
            "site": "ny",
            "state": "ok",
            "last_run_at": "2024-07-10T15:20:00Z",
            "age_hours": 1.0,
            "problem": None,
        },
        {
            "name": "nyiso:ny",
            "label": "NYISO",
            "site": "ny",
            "state": "never",
            "last_run_at": None,
            "age_hours": None,
            "problem": None,
        },
    ]


def test_status_offers_what_can_still_be_connected(store: MemoryStore, now: datetime) -> None:
    way = {"id": "eia_key", "title": "Connect EIA", "text": "Register.", "command": "EIA_API_KEY=... watthour up"}
    content: Any = status(store, [CONTEXT], now=now, version="1", connect=[way])
    assert content["connect"] == [way]


def test_simulated_is_said_while_it_is_what_is_shown(store: MemoryStore, now: datetime) -> None:
    shown: Any = status(store, contexts(store, [Regions()], ["ny"]), now=now, version="1")
    assert shown["simulated"]
    assert [region["id"] for region in shown["regions"]] == ["simtown"]
    store.register([region_site()], [demand_channel()])
    store.append(readings(100.0, start=now - 5 * HOUR))
    assert [each.site.id for each in contexts(store, [Regions()], ["ny"])] == ["ny", "simtown"]


def test_with_no_data_at_all_the_wanted_regions_are_named(now: datetime) -> None:
    store = MemoryStore()
    content: Any = status(store, contexts(store, [Regions()], ["ny"]), now=now, version="1")
    assert content["regions"][0]["id"] == "ny"
    assert content["regions"][0]["first_time"] is None
    assert not content["simulated"]


def test_channels_tell_unit_resolution_and_span(store: MemoryStore) -> None:
    channels: Any = channel_list(store)["channels"]
    demand = next(channel for channel in channels if channel["id"] == CONTEXT.channel.id)
    assert demand["unit"] == "MWh"
    assert demand["resolution_seconds"] == 3600
    assert demand["simulated"]
    assert demand["last_time"] == "2024-07-10T13:00:00Z"


def test_readings_come_page_by_page_without_loss_or_repetition(store: MemoryStore, now: datetime) -> None:
    window = Window(now - 3 * DAY, now)
    whole: Any = reading_page(store, CONTEXT.channel.id, window, limit=1000, now=now)
    times: list[str] = []
    start: datetime | None = window.start
    while start is not None:
        page: Any = reading_page(store, CONTEXT.channel.id, Window(start, window.end), limit=10, now=now)
        times += [row["time"] for row in page["readings"]]
        start = datetime.fromisoformat(page["next"]) if page["next"] else None
    assert times == [row["time"] for row in whole["readings"]]
    assert len(set(times)) == len(times)
    assert whole["next"] is None


def test_readings_can_be_asked_as_they_were_known(store: MemoryStore, now: datetime) -> None:
    window = Window(now - DAY, now)
    then: Any = reading_page(store, CONTEXT.channel.id, window, as_of=now - 12 * HOUR, now=now)
    assert then["readings"][-1]["time"] == "2024-07-10T01:00:00Z"
    assert "simulated" in then["readings"][0]["quality"]


def test_a_channel_or_limit_that_cannot_be_is_named(store: MemoryStore, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="no such channel"):
        reading_page(store, "grid.ny.demands", Window(now - DAY, now), now=now)
    with pytest.raises(InvalidInput, match="limit"):
        reading_page(store, CONTEXT.channel.id, Window(now - DAY, now), limit=0, now=now)


def test_freshness_hours_are_ages_of_the_newest_readings(store: MemoryStore, now: datetime) -> None:
    assert freshness_hours(store, now=now)[CONTEXT.channel.id] == pytest.approx(3.33)


def test_the_operators_zero_is_not_shown_as_a_forecast(registry: FileRegistry) -> None:
    store = MemoryStore()
    store.register([region_site()], [demand_channel()])
    start = datetime(2024, 1, 1, 5, tzinfo=UTC)
    store.append(readings(*[100.0] * 24 * 40, start=start))
    day = date(2024, 2, 1)
    rows = pl.DataFrame(forecasts(*[90.0] * 24, start=start + 31 * DAY, issued_at=start + 30 * DAY + 7 * HOUR))
    zero = pl.col("time") == start + 31 * DAY
    flagged = rows.with_columns(
        value=pl.when(zero).then(0.0).otherwise("value"),
        quality=pl.when(zero).then(int(Quality.ZERO)).otherwise("quality").cast(pl.Int16),
    )
    store.append_forecasts(Forecasts.validate(flagged))
    now = start + 40 * DAY + timedelta(hours=3)
    points = page_of(store, registry, day, now=now, context=demand_context())["points"]
    assert points[0]["operator"] is None
    assert points[1]["operator"] == 90.0


def test_a_past_day_is_made_at_the_hour_of_issue_that_is_set(
    store: MemoryStore, trained: FileRegistry, now: datetime
) -> None:
    day = date(2024, 5, 20)
    page = grid_forecast(store, trained, CONTEXT, day, now=now, issue_clock=time(18))
    assert page["issued_at"] == "2024-05-19T22:00:00Z"
