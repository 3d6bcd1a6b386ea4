"""The carbon intensity of the hours ahead, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from builders import readings
from starlette.testclient import TestClient
from town import IMPATIENT, NOW, URL

from watthour.api.app import create_app
from watthour.core.carbon import MIX, Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.frames import Forecasts, Maker
from watthour.core.window import DAY, HOUR, Window
from watthour.simulation.mix import SimulatedMix
from watthour.simulation.simtown import SIMTOWN
from watthour.workflows.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watthour.bootstrap import App

CARBON = "/api/v1/carbon/simtown"
PRODUCTION = carbon_channel(SIMTOWN.site, MIX, CarbonKind(Basis.AVERAGE, Scope.LIFECYCLE, Side.PRODUCTION), HOUR)
QUESTIONS = ("forecast", "trend", "best-window")


@pytest.fixture
def mixed(empty: App) -> App:
    """Seventy days of generation by fuel, and so of carbon intensity; no model is trained of it."""
    ingest(SimulatedMix(), empty.store, Window(NOW - 70 * DAY, NOW), now=NOW)
    return empty


@pytest.fixture
def mixed_client(mixed: App) -> Iterator[TestClient]:
    with TestClient(create_app(mixed, now=lambda: NOW, limits=IMPATIENT), base_url=URL) as opened:
        yield opened


def asked(client: TestClient, question: str, **parameters: object) -> dict[str, Any]:
    answer = client.get(f"{CARBON}/{question}", params={name: str(each) for name, each in parameters.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def with_provider(app: App, values: list[float]) -> None:
    """Keep a provider's forecast of the region's intensity, made an hour ago, a median alone."""
    made = NOW - HOUR
    first = NOW.replace(minute=0)
    frame = pl.DataFrame({"time": [first + n * HOUR for n in range(len(values))], "value": values}).with_columns(
        channel=pl.lit(PRODUCTION.id),
        model=pl.lit("greengrid"),
        maker=pl.lit(str(Maker.RIVAL)),
        level=pl.lit(0.5),
        issued_at=pl.lit(made),
        available_at=pl.lit(made),
        recorded_at=pl.lit(made),
        quality=pl.lit(0, pl.Int16),
    )
    app.store.append_forecasts(Forecasts.validate(frame, cast=True))


def test_four_days_are_forecast_with_their_kind_age_and_maker(mixed_client: TestClient) -> None:
    found = asked(mixed_client, "forecast")

    assert (found["hours"], len(found["points"])) == (96, 96)
    assert found["points"][0]["time"] == "2026-11-21T15:00:00Z"  # the interval now running
    assert found["series"]["words"] == "average of production, life-cycle emissions"
    assert (found["known_until"], found["data_age_hours"], found["stale"]) == ("2026-11-21T13:00:00Z", 2.5, False)
    for point in found["points"]:
        levels = list(point["quantiles"].values())
        assert len(levels) == 11
        assert all(low <= high for low, high in pairwise(levels))
        assert point["lower"] <= point["value"] <= point["upper"]
        assert point["lower"] >= 0.0
        assert point["usual"] is not None


def test_a_series_of_quarters_of_an_hour_begins_with_the_quarter_that_runs(empty: App) -> None:
    quarter = timedelta(minutes=15)
    channel = carbon_channel(SIMTOWN.site, MIX, CarbonKind(Basis.AVERAGE, Scope.LIFECYCLE, Side.PRODUCTION), quarter)
    empty.store.register([SIMTOWN.site], [channel])
    past = readings(*[300.0 + n % 96 for n in range(10 * 96)], channel=channel.id, start=NOW - 10 * DAY, step=quarter)
    empty.store.append(past)
    clock = [NOW.replace(minute=2), NOW.replace(minute=17)]
    with TestClient(create_app(empty, now=lambda: clock[0], limits=IMPATIENT), base_url=URL) as client:
        begins = [asked(client, "forecast", hours=4)["points"][0]["time"]]
        clock.pop(0)
        begins.append(asked(client, "forecast", hours=4)["points"][0]["time"])
    assert [each[14:16] for each in begins] == ["00", "15"]


def test_without_a_model_a_baseline_answers_and_is_marked_as_one(mixed_client: TestClient) -> None:
    found = asked(mixed_client, "forecast", hours=24)

    assert len(found["points"]) == 24
    assert (found["made_by"], found["model_version"], found["trained_at"]) == ("baseline", "hourly_mean", None)
    assert found["model_label"] == "Mean of the last seven days"
    assert "has no model of its own yet" in found["fallback"]


def test_the_forecast_of_a_day_is_kept_four_days_ahead_with_its_baselines(mixed: App) -> None:
    from watthour.workflows.forecast import forecast
    from watthour.workflows.sites import find_context
    from watthour.workflows.windows import daily_window

    context = find_context(mixed.store, (), PRODUCTION.id)
    issued_at = NOW - 5 * DAY
    report = forecast(mixed.store, mixed.registry, context, daily_window(context, issued_at), now=issued_at)

    assert report.window.hours >= 96
    kept = mixed.store.forecasts([PRODUCTION.id], report.window, as_of=NOW, levels=[0.5])
    assert set(kept["model"]) == {"hourly_mean", "persistence", "seasonal_naive"}


def test_the_next_hours_are_compared_with_now_and_with_what_is_usual(mixed_client: TestClient) -> None:
    points = asked(mixed_client, "forecast", hours=4)["points"]
    found = asked(mixed_client, "trend")

    assert found["trend"] in {"rising", "falling", "steady"}
    assert found["change"] == pytest.approx(found["ahead"] - found["now"], abs=0.01)
    assert (found["trend"] == "steady") == (abs(found["change_percent"]) < 5)
    assert (found["change_percent"] > 0) == (found["ahead"] > found["now"])
    assert 0 <= found["probability_higher"] <= 1
    assert found["usual"] == pytest.approx(sum(point["usual"] for point in points[1:]) / 3, abs=0.01)
    assert "the next 3 h" in found["definition"]


def test_the_best_window_is_told_with_its_saving_band_and_runner_up(mixed_client: TestClient) -> None:
    found = asked(mixed_client, "best-window", duration="3h", hours=48)

    best, at_once, saving = found["best"], found["at_once"], found["saving"]
    assert datetime.fromisoformat(best["end"]) - datetime.fromisoformat(best["start"]) == timedelta(hours=3)
    assert at_once["start"] == "2026-11-21T15:30:00Z"
    assert best["mean"] <= min(at_once["mean"], found["runner_up"]["mean"])
    assert saving["value"] == pytest.approx(at_once["mean"] - best["mean"], abs=0.01)
    assert saving["percent"] == pytest.approx(100 * saving["value"] / at_once["mean"], abs=0.1)
    assert saving["lower"] <= saving["value"] <= saving["upper"]
    assert (found["certainty"] == "sure") == (saving["probability"] >= 0.9)
    assert best["local_start"][11:16] in found["words"]
    assert best["end"] <= found["runner_up"]["start"] or found["runner_up"]["end"] <= best["start"]


def test_earliest_and_deadline_are_local_clock_times_or_instants(mixed_client: TestClient) -> None:
    found = asked(mixed_client, "best-window", duration="90min", earliest="22:00", deadline="2026-11-22T07:00")

    assert (found["earliest"], found["deadline"]) == ("2026-11-22T03:00:00Z", "2026-11-22T12:00:00Z")
    assert found["earliest"] <= found["best"]["start"]
    assert found["best"]["end"] <= found["deadline"]
    assert "before Sunday 07:00" in found["words"] or "before 07:00" in found["words"]


@pytest.mark.parametrize(
    ("question", "parameters", "status", "cure"),
    [
        ("forecast", {"hours": 97}, 422, ""),
        ("forecast", {"channel": "grid.simtown.demand"}, 404, PRODUCTION.id),
        ("forecast", {"source": "nobody"}, 404, "watthour"),
        ("trend", {"hours": 25}, 422, ""),
        ("best-window", {"duration": "soon"}, 400, "3h, 90min or 1h30"),
        ("best-window", {"duration": "1h90"}, 400, "1h30"),
        ("best-window", {"deadline": "2026-11-21T10:00"}, 400, "07:00"),
        ("best-window", {"earliest": "0001-01-01T00:00+14:00"}, 400, "07:00"),
        ("best-window", {"earliest": "9999-12-31T23:59-14:00"}, 400, "07:00"),
        ("best-window", {"deadline": "0001-01-01T00:00+14:00"}, 400, "07:00"),
        ("best-window", {"deadline": "9999-12-31T23:59-14:00"}, 400, "07:00"),
        ("best-window", {"deadline": "0001-01-01T00:00Z"}, 400, "07:00"),
        ("best-window", {"earliest": "9999-12-31T23:59Z"}, 400, "earlier start"),
        ("best-window", {"deadline": "2026-11-21T11:00"}, 400, "later deadline"),
        ("best-window", {"earliest": "never"}, 400, "2026-11-22T07:00"),
        ("best-window", {"earliest": "2026-12-21T11:00"}, 400, "earlier start"),
        ("best-window", {"dead_line": "07:00"}, 422, ""),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_with_the_cure(
    mixed_client: TestClient, question: str, parameters: dict[str, object], status: int, cure: str
) -> None:
    problem = mixed_client.get(f"{CARBON}/{question}", params={name: str(each) for name, each in parameters.items()})
    assert problem.status_code == status
    assert cure in problem.json()["remedy"]


def test_a_region_without_carbon_figures_is_told_so(client: TestClient, town_client: TestClient) -> None:
    for question in QUESTIONS:
        assert town_client.get(f"{CARBON}/{question}").status_code == 404
        assert client.get(f"/api/v1/carbon/nowhere/{question}").status_code == 404


def test_hours_of_the_day_that_were_never_measured_are_null_and_no_run_is_placed_there(
    empty: App, client: TestClient
) -> None:
    ingest(SimulatedMix(), empty.store, Window(NOW - 14 * HOUR, NOW), now=NOW)

    points = asked(client, "forecast", hours=24)["points"]
    unknown = {point["time"] for point in points if point["value"] is None}
    best = asked(client, "best-window", duration="1h")["best"]

    assert 0 < len(unknown) < 24
    assert best["start"] not in unknown
    assert client.get(f"{CARBON}/best-window", params={"duration": "23h"}).status_code == 400


def test_a_providers_own_forecast_is_offered_as_a_source(mixed: App, mixed_client: TestClient) -> None:
    with_provider(mixed, [300.0] * 6 + [100.0] * 3 + [300.0] * 15)

    assert asked(mixed_client, "forecast")["sources"] == ["watthour", "greengrid"]
    found = asked(mixed_client, "forecast", source="greengrid", hours=48)
    assert (found["made_by"], found["issued_at"]) == ("provider", "2026-11-21T14:30:00Z")
    assert (found["points"][7]["value"], found["points"][7]["lower"]) == (100.0, None)
    assert [point["value"] for point in found["points"][24:]] == [None] * 24  # beyond what it says is a gap, no zero
    window = asked(mixed_client, "best-window", source="greengrid")
    assert (window["best"]["start"], window["best"]["mean"]) == ("2026-11-21T21:00:00Z", 100.0)
    assert (window["certainty"], window["saving"]["probability"]) == ("unknown", None)
    assert asked(mixed_client, "trend", source="greengrid")["trend"] == "steady"


def test_hours_that_a_provider_leaves_out_are_no_trend(mixed: App, mixed_client: TestClient) -> None:
    with_provider(mixed, [300.0, 200.0])
    found = asked(mixed_client, "trend", source="greengrid")
    assert (found["trend"], found["ahead"]) == (None, None)


def test_an_archive_is_forecast_from_its_end(mixed: App) -> None:
    later = datetime(2027, 2, 1, 12, tzinfo=UTC)
    with TestClient(create_app(mixed, now=lambda: later, limits=IMPATIENT), base_url=URL) as client:
        found = asked(client, "forecast", hours=24)
        window = asked(client, "best-window")

    assert (found["archive"], found["points"][0]["time"]) == (True, "2026-11-21T13:00:00Z")
    assert window["earliest"] >= "2026-11-21T13:00:00Z"


def test_a_day_of_25_hours_is_forecast_whole(empty: App) -> None:
    eve = datetime(2026, 10, 31, 12, 30, tzinfo=UTC)  # clocks go back at 06:00 UTC on the first of November
    ingest(SimulatedMix(), empty.store, Window(eve - 70 * DAY, eve), now=eve)
    with TestClient(create_app(empty, now=lambda: eve, limits=IMPATIENT), base_url=URL) as client:
        points = asked(client, "forecast", hours=48)["points"]

    hours = [point["local_time"][:13] for point in points]
    assert hours.count("2026-11-01T01") == 2
    assert len({point["local_time"] for point in points}) == 48
    assert all(point["value"] is not None for point in points)
