"""A model's life at the command line: trained, listed, promoted, rolled back, damaged."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cli.training import trained

from watthour.core.errors import StoreFull
from watthour.registry.files import FileRegistry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Outcome

    from watthour.core.forecast import Context


def test_a_trained_model_is_listed_with_its_scores_and_a_star(town: Callable[..., Outcome]) -> None:
    version = trained(town, "operator_debiased")
    listed = town("models", "list")
    assert listed.code == 0
    header, *rows = listed.out.splitlines()
    assert header.split("\t")[1:3] == ["name", "version"]
    assert ["*", "grid.simtown.demand", version] in [row.split("\t")[:3] for row in rows]


def test_training_says_its_verdict_and_everybodys_scores(town: Callable[..., Outcome]) -> None:
    ended = town("train", "simtown", "--recipe", "persistence_ensemble")
    assert ended.code == 0
    scores = next(line for line in ended.out.splitlines() if line.startswith("challenger\t")).split("\t")
    holds = 85 <= float(scores[-1]) <= 95
    assert ("is promoted" if holds else "is kept") in ended.out
    assert holds or "a baseline forecasts until a model has a correct band" in ended.out
    assert "challenger\t" in ended.out
    assert "seasonal_naive\t" in ended.out
    assert "reading history" in ended.err


def test_the_past_alone_is_forecast_where_it_was_put_off(town: Callable[..., Outcome]) -> None:
    trained(town, "persistence_ensemble", past_days=0)
    models = town("models", "list").out
    ended = town("train", "simtown", "--only-past", "--past-days", "20", "--json")
    assert ended.code == 0, ended.err
    (report,) = json.loads(ended.out)
    assert report["region"] == "simtown"
    assert report["past"]["missing_days"] == 0
    assert town("models", "list").out == models
    again = town("train", "simtown", "--only-past", "--past-days", "20")
    assert "0 more past days" in again.out


def test_a_past_that_cannot_be_kept_fails_no_training_and_ends_no_other_site(
    town: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def full(_store: object, _registry: object, context: Context, **_said: object) -> None:
        tried.append(context.site.id)
        raise StoreFull("no space is left for the store", remedy="Free some space.")

    monkeypatch.setattr("watthour.workflows.past.keep_past", full)
    ended = town("train", "simtown", "simtown", "--recipe", "persistence_ensemble", "--json")
    assert ended.code == 0
    assert [report["region"] for report in json.loads(ended.out)] == tried == ["simtown", "simtown"]
    assert "no space is left" in ended.err
    assert "`watthour train simtown --only-past` tries again." in ended.err
    alone = town("train", "simtown", "--only-past")
    assert alone.code != 0
    assert "no space is left" in alone.err


def test_promote_and_rollback_change_who_serves(town: Callable[..., Outcome]) -> None:
    first, second = trained(town, "persistence_ensemble"), trained(town, "operator_debiased")
    assert town("models", "rollback", "simtown").out == f"{first} serves grid.simtown.demand again.\n"
    assert town("models", "promote", "simtown", second, "--reason", "it was right").code == 0
    shown = json.loads(town("models", "show", "simtown", "--json").out)
    assert shown["version"] == shown["champion"] == second
    assert shown["promotions"][-1]["reason"] == "it was right"
    assert shown["promotions"][-2]["rollback"]


def test_a_damaged_model_is_refused_with_the_cure(town: Callable[..., Outcome], home: Path) -> None:
    version = trained(town, "operator_debiased")
    place = home / "models" / "grid.simtown.demand" / version
    next(file for file in place.iterdir() if file.name != "manifest.json").write_bytes(b"damaged")
    shown = town("models", "show", "simtown")
    assert shown.code == 7
    assert "differs from the hash" in shown.err
    assert "watthour models rollback" in shown.err
    assert town("models", "promote", "simtown", version).code == 7
    examined = town("doctor")
    assert examined.code == 9
    assert "differs from the hash" in examined.out


def test_unknown_versions_and_regions_name_what_there_is(town: Callable[..., Outcome]) -> None:
    missing = town("models", "show", "simtown")
    assert missing.code == 7
    assert "watthour train" in missing.err
    unknown = town("models", "show", "simtwn")
    assert unknown.code == 2
    assert "simtown" in unknown.err


def test_an_empty_registry_says_how_to_begin(town: Callable[..., Outcome]) -> None:
    listed = town("models", "list")
    assert listed.code == 0
    assert "watthour train" in listed.err


def test_a_combination_serves_and_every_door_says_what_it_is_made_of(town: Callable[..., Outcome]) -> None:
    members = '{"members": ["persistence_ensemble", "operator", "operator_debiased"]}'
    version = trained(town, "combination", "--parameters", members, past_days=0)
    shown = json.loads(town("models", "show", "simtown", "--json").out)
    assert shown["version"] == version
    assert sum(shown["members"].values()) == pytest.approx(1, abs=1e-3)
    words = town("models", "show", "simtown").out
    for name, share in shown["members"].items():
        assert f"{share:.0%} {name}" in words
    for _ in range(2):  # made, and then taken from the store
        page = json.loads(town("forecast", "simtown", "--json").out)
        made_of = page["made_of"]
        assert page["model_version"] == version
        assert sum(each["share"] for each in made_of) == pytest.approx(1, abs=1e-3)
        assert {each["model"] for each in made_of} <= {"persistence_ensemble", "operator", "operator_debiased"}
        assert not [each for each in page["missing_inputs"] if "made of" in each.lower()]
    labels = {"operator_debiased": "Operator's forecast, de-biased", "operator": "Operator's forecast"}
    assert all(each["label"] == labels[each["model"]] for each in made_of if each["model"] in labels)


def test_every_kind_of_model_is_compared_on_the_last_days_and_who_cannot_learn_says_why(
    town: Callable[..., Outcome],
) -> None:
    names = ("seasonal_naive", "persistence_ensemble", "operator_debiased", "day_process", "hour_process")
    options = [word for name in names for word in ("--recipe", name)]
    ended = town("compare", "simtown", "--days", "5", *options, "--json")
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    rows = found["rows"]
    assert {row["recipe"] for row in rows} == {*names} - {"day_process"}
    assert [row["pinball"] for row in rows] == sorted(row["pinball"] for row in rows)
    assert len({row["n"] for row in rows}) == 1
    assert all(row["mape_percent"] > 0 and row["seconds"] > 0 and row["mae"] > 0 for row in rows)
    assert "needs 120" in found["left_out"]["day_process"]
    table = town("compare", "simtown", "--days", "5", "--recipe", "seasonal_naive", "--recipe", "day_process")
    assert "day_process is left out." in table.err
    assert "compare simtown: seasonal_naive" in table.err
    assert table.out.splitlines()[1].split("\t")[0] == "recipe"


def test_a_comparison_nobody_can_enter_says_why(town: Callable[..., Outcome]) -> None:
    ended = town("compare", "simtown", "--days", "60", "--recipe", "day_process", "--recipe", "hour_process")
    assert ended.code != 0
    assert re.search(r"needs 120\. hour_process: .* needs 90\.", ended.err)


def test_parameters_that_cannot_be_are_named(town: Callable[..., Outcome]) -> None:
    assert town("train", "simtown", "--parameters", "{").code == 2
    assert town("train", "simtown", "--parameters", "[1]").code == 2
    unknown = town("train", "simtown", "--recipe", "crystal_ball")
    assert unknown.code == 2
    assert "gradient_boosting" in unknown.err


@pytest.mark.parametrize("command", [("train",), ("compare", "--days", "5")])
def test_a_model_that_looks_at_other_channels_is_not_trained_for_one_nor_offered(
    town: Callable[..., Outcome], command: tuple[str, ...]
) -> None:
    """Its cure was to add longer series, which would not have helped."""
    name, *options = command
    refused = town(name, "simtown", *options, "--recipe", "similar_series")
    assert refused.code == 2
    problem, _, cure = refused.err.partition("Choose one of: ")
    assert "looks at other channels" in problem
    assert "day_process" in cure
    assert "similar_series" not in cure


def test_a_model_of_another_version_is_broken_and_cannot_be_made_to_serve(
    town: Callable[..., Outcome], home: Path
) -> None:
    trained(town, "operator_debiased")
    registry = FileRegistry(home / "models")
    channel = "grid.simtown.demand"
    manifest, files = registry.load(channel)
    foreign = replace(manifest, version=f"{manifest.version}-foreign", hashes={})
    registry.save(foreign, {name: b"{}" for name in files if name.endswith(".json")})
    ended = town("models", "promote", "simtown", foreign.version)
    assert ended.code != 0
    assert "watthour train" in ended.err
    registry.promote(channel, foreign.version, now=datetime.now(UTC), reason="by another program")
    finding = next(each for each in json.loads(town("doctor", "--json").out) if each["what"] == f"model of {channel}")
    assert finding["state"] == "broken"


def damage(home: Path, version: str) -> None:
    place = home / "models" / "grid.simtown.demand" / version
    next(file for file in place.iterdir() if file.name != "manifest.json").write_bytes(b"damaged")


def test_with_a_damaged_champion_the_one_before_it_forecasts_and_all_cures_work(
    town: Callable[..., Outcome], home: Path
) -> None:
    models = home / "models" / "grid.simtown.demand"
    first, second, third = (
        trained(town, recipe) for recipe in ("persistence_ensemble", "operator_debiased", "seasonal_naive")
    )
    for version in (first, second, third):
        assert town("models", "promote", "simtown", version).code == 0
    damage(home, second)
    damage(home, third)
    (models / "half").mkdir()
    (models / "half" / "manifest.json").write_text("{")
    wrong = {"version": "unknown", "at": "2024-07-01T12:00:00+00:00", "reason": "", "rollback": True}
    (models / "promotions.jsonl").write_text(f"{json.dumps(wrong)}\n{(models / 'promotions.jsonl').read_text()}")
    forecast = town("forecast", "simtown")
    assert forecast.code == 0
    assert f"{first}, which served before, is used instead" in forecast.out + forecast.err
    listed = town("models", "list")
    assert listed.code == 0
    assert "half" in listed.err
    rolled_back = town("models", "rollback", "simtown")
    assert rolled_back.out == f"{first} serves grid.simtown.demand again.\n", rolled_back.err
    assert "Passed over" in rolled_back.err
    assert town("train", "simtown", "--recipe", "operator_debiased").code == 0


def test_with_nothing_that_can_be_loaded_a_baseline_forecasts(town: Callable[..., Outcome], home: Path) -> None:
    damage(home, trained(town, "operator_debiased"))
    forecast = town("forecast", "simtown")
    assert forecast.code == 0
    assert "differs from the hash" in forecast.out + forecast.err
    assert town("train", "simtown", "--recipe", "operator_debiased").code == 0


def test_two_versions_are_tried_side_by_side_and_every_door_tells_it(town: Callable[..., Outcome], home: Path) -> None:
    first = trained(town, "operator_debiased", past_days=0)
    registry = FileRegistry(home / "models")
    channel = "grid.simtown.demand"
    manifest, files = registry.load(channel)
    second = f"{first}-second"
    registry.save(replace(manifest, version=second), files)
    nothing = town("models", "ab", "simtown")
    assert (nothing.code, nothing.out) == (0, "No A/B trial of this channel has been begun.\n")
    begun = town("models", "ab", "simtown", second, "--share", "1", "--by", "Ana")
    assert begun.code == 0, begun.err
    assert f"{second} answers 100% of the hours in the place of {first}" in begun.err
    assert "begun by Ana" in begun.err
    listed = [row.split("\t")[:3] for row in town("models", "list").out.splitlines()]
    assert ["A/B 100%", channel, second] in listed
    assert ["*", channel, first] in listed
    assert json.loads(town("forecast", "simtown", "--json").out)["model_version"] == second
    shown = json.loads(town("models", "ab", channel, "--json").out)
    assert [(side["version"], side["answered"]) for side in shown["sides"]] == [(first, 0), (second, 1)]
    stopped = town("models", "ab", "simtown", "--stop")
    assert "ended" in stopped.err
    refused = town("models", "ab", "simtown", "--stop")
    assert refused.code == 2
    assert "watthour models ab" in refused.err
    assert town("models", "ab", "simtown", second, "--stop").code == 2
    assert town("models", "ab", "simtown", second, "--share", "2").code == 2
