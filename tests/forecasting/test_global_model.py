"""One model that learns from many series, and answers for those it has never seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl
import pytest

from watthour import DayAhead
from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.forecast import Context, History
from watthour.core.frames import LEVELS, Forecasts, Readings, Targets
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR
from watthour.forecasting.combination.model import as_new
from watthour.forecasting.combination.trial import candidates_of, quantiles_of
from watthour.forecasting.features import actuals
from watthour.forecasting.fleet import fit_all, forecast_all, issues_at, past_issues
from watthour.forecasting.global_model.model import FittedGlobalModel, GlobalModel, met
from watthour.forecasting.global_model.rows import NAMES, rows_of
from watthour.forecasting.quantiles import mean_of_quantiles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from watthour.core.forecast import Forecaster
    from watthour.forecasting.vintages import Array

SMALL = GlobalModel(n_networks=1, n_trees=60)
END = datetime(2024, 3, 20, tzinfo=UTC)
N_DAYS = 80
MIDDLE = LEVELS.index(0.5)


def values_of(number: int, n_days: int = N_DAYS) -> Array:
    """Hours of a home: evenings that last into the next day, days away, and a level of its own."""
    rng = np.random.default_rng(number)
    hour, level = np.arange(24), 0.2 * (1 + number)
    away = rng.random(n_days) < 0.2
    busy = np.repeat(rng.gamma(6, 1 / 6, n_days) * np.where(away, 0.2, 1.0), 24).reshape(n_days, 24)
    shape = (
        0.3 + np.exp(-0.5 * ((hour - 18 - number % 3) / 2) ** 2) * busy + 0.4 * np.exp(-0.5 * ((hour - 8) / 1.5) ** 2)
    )
    return np.asarray((level * shape * rng.gamma(8, 1 / 8, shape.shape)).ravel())


def home(number: int, *, n_days: int = N_DAYS, step: timedelta = HOUR, scale: float = 1.0) -> History:
    site = Site(f"home{number}", f"Home {number}", SiteKind.HOME, Place("Europe/London", holidays="GB"))
    channel = Channel(f"home.home{number}.load", site.id, Quantity.ENERGY, Unit.KWH, step)
    values = scale * np.repeat(values_of(number, n_days), HOUR // step) * (step / HOUR)
    times = pl.datetime_range(END - n_days * DAY, END, step, closed="left", eager=True, time_unit="us")
    known = times + step
    rows = pl.DataFrame({"time": times, "available_at": known, "recorded_at": known, "value": values}).select(
        pl.lit(channel.id).alias("channel"), pl.all(), pl.lit(0, pl.Int16).alias("quality")
    )
    return History(END, Context(site, channel), Readings.validate(rows), Forecasts.create_empty())


def street(n_homes: int = 6) -> dict[str, History]:
    return {f"home {k}": home(k) for k in range(n_homes)}


def fitted(
    pasts: Mapping[str, History], *, days: int = 14, recipe: GlobalModel = SMALL
) -> tuple[dict[str, object], dict[str, pl.DataFrame]]:
    cut = END - days * DAY
    known = {name: past.known_at(cut) for name, past in pasts.items()}
    issues = {name: past_issues(past, 24) for name, past in known.items()}
    models = fit_all(recipe, known, issues, is_pooled=True, workers=1, progress=False)
    asked = {name: issues_at(past, [cut + k * DAY for k in range(days)], 24) for name, past in pasts.items()}
    return models, asked  # type: ignore[return-value]  # models and targets


def test_one_model_of_many_homes_beats_the_mean_of_four_same_weekdays_and_its_band_holds() -> None:
    pasts = street()
    models, asked = fitted(pasts)
    told = forecast_all(models, pasts, asked)  # type: ignore[arg-type]  # forecasters and targets
    shares, inside = [], []
    for name, past in pasts.items():
        quantiles, _ = quantiles_of(told[name], asked[name])  # type: ignore[arg-type]  # targets, and no error
        came = actuals(past, asked[name])  # type: ignore[arg-type]  # targets
        rows = rows_of(past, asked[name])  # type: ignore[arg-type]  # targets
        rule = rows.level * rows.features[:, NAMES.index("weekday_mean_4")].astype(np.float64)
        shares.append(np.abs(came - quantiles[:, MIDDLE]).mean() / np.abs(came - rule).mean())
        inside.append(((came >= quantiles[:, 0]) & (came <= quantiles[:, -1])).mean())
    assert max(shares) < 1
    assert np.mean(shares) < 0.9
    assert 0.83 < np.mean(inside) < 0.96


def test_homes_asked_together_are_answered_as_each_alone() -> None:
    pasts = street(4)
    models, asked = fitted(pasts, days=2)
    together = forecast_all(models, pasts, asked)  # type: ignore[arg-type]  # forecasters and targets
    for name, past in pasts.items():
        alone = models[name].predict(past, asked[name])  # type: ignore[attr-defined]  # a forecaster
        assert alone.values.equals(together[name].values)  # type: ignore[union-attr]  # no error


def test_a_home_it_never_saw_is_forecast_from_its_first_day_in_its_own_size() -> None:
    models, _ = fitted(street(5))
    model = models["home 0"]
    new = home(9, n_days=3)
    first_day = replace(new, readings=Readings.cast(new.readings.filter(pl.col("time") >= END - 2 * DAY))).known_at(
        END - DAY
    )
    asked = issues_at(first_day, [END - DAY], 24)
    quantiles, is_own = quantiles_of(model.predict(first_day, asked), asked)  # type: ignore[attr-defined]  # a forecaster
    came, yesterday = values_of(9, 3)[-24:], values_of(9, 3)[-48:-24]
    assert is_own.all()
    assert np.abs(came - quantiles[:, MIDDLE]).mean() < np.abs(came - yesterday).mean()
    large = home(9, n_days=3, scale=50.0)
    larger, _ = quantiles_of(model.predict(large.known_at(END - DAY), asked), asked)  # type: ignore[attr-defined]  # a forecaster
    smaller, _ = quantiles_of(model.predict(new.known_at(END - DAY), asked), asked)  # type: ignore[attr-defined]  # a forecaster
    assert larger == pytest.approx(50 * smaller, rel=1e-4)


def test_half_hours_are_forecast_a_week_ahead_and_another_step_is_refused() -> None:
    half_hours = [home(k, n_days=30, step=HOUR / 2) for k in range(2)]
    issues = [past_issues(past, 336) for past in half_hours]
    model, _ = SMALL.fit_many(half_hours, issues)
    asked = issues_at(half_hours[0], [END], 336)
    quantiles, _ = quantiles_of(model.predict(half_hours[0], asked), asked)
    assert quantiles.shape == (336, len(LEVELS))
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert (quantiles >= 0).all()
    hours = home(0, n_days=30)
    with pytest.raises(InvalidInput, match="30 minutes"):
        model.predict(hours, issues_at(hours, [END], 24))


def test_what_is_seen_of_a_series_ends_where_measurements_do() -> None:
    past = home(1)
    at = END - 10 * DAY
    asked = issues_at(past, [at], 48)
    early = asked.with_columns(known_until=pl.col("known_until") - 6 * HOUR)
    rows, less = rows_of(past, asked), rows_of(past, Targets.cast(early))
    last, lag = NAMES.index("last"), NAMES.index("lag_1d")
    values = values_of(1)
    place = (N_DAYS - 10) * 24
    assert rows.features[0, last] * rows.level[0] == pytest.approx(values[place - 1], rel=1e-5)
    assert less.features[0, last] * less.level[0] == pytest.approx(values[place - 7], rel=1e-5)
    assert rows.features[0, lag] * rows.level[0] == pytest.approx(values[place - 24], rel=1e-5)
    assert less.features[20, lag] * less.level[20] == pytest.approx(values[place + 20 - 48], rel=1e-5)
    planted = replace(
        past,
        readings=Readings.cast(
            past.readings.with_columns(value=pl.when(pl.col("time") >= at).then(1e6).otherwise(pl.col("value")))
        ),
    )
    assert np.array_equal(rows_of(planted, asked).features, rows.features, equal_nan=True)


def test_quantiles_are_moved_to_a_median_and_meet_a_mean() -> None:
    quantiles = np.array([np.linspace(1, 3, len(LEVELS)) ** 2])
    median, mean = np.array([5.0]), np.array([5.3])
    moved = met(quantiles, median, mean)
    assert moved[0, MIDDLE] == 5.0
    assert mean_of_quantiles(moved) == pytest.approx(mean)


def test_a_table_of_many_series_tries_it_and_one_series_does_not() -> None:
    context = home(0).context
    assert "global_model" in candidates_of(context, n_together=5)
    assert "global_model" not in candidates_of(context)
    table = pl.concat(
        [
            past.readings.select(
                pl.lit(name).alias("unique_id"), pl.col("time").alias("ds"), pl.col("value").alias("y")
            )
            for name, past in street(4).items()
        ]
    )
    parameters = {"n_networks": 1, "n_trees": 40}
    model = DayAhead(model="global_model", parameters=parameters, time_zone="Europe/London").fit(table)
    assert model.predict(24)["forecast"].null_count() == 0


def test_many_issues_are_looked_at_in_parts_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    past = home(2)
    asked = issues_at(past, [END - k * DAY for k in range(1, 8)], 24).sample(fraction=1, shuffle=True, seed=1)
    whole = rows_of(past, Targets.cast(asked))
    monkeypatch.setattr("watthour.forecasting.global_model.rows._AT_ONCE", 3)
    parts = rows_of(past, Targets.cast(asked))
    assert np.array_equal(parts.features, whole.features, equal_nan=True)
    assert np.array_equal(parts.level, whole.level)


def inside(model: Forecaster, past: History, targets: pl.DataFrame) -> tuple[Array, Array]:
    """Return how wide the upper half of the 90 % band of each target is, and whether the value lay in it."""
    asked = Targets.validate(targets)
    told, _ = quantiles_of(model.predict(past, asked), asked)
    came = actuals(past, asked)
    lies = (told[:, 0] <= came) & (came <= told[:, -1])
    return told[:, -1] - told[:, MIDDLE], lies.astype(np.float64)


def test_the_band_of_a_home_never_seen_is_as_wide_as_was_measured_on_homes_left_out() -> None:
    pasts = street()
    tiny = GlobalModel(n_networks=1, n_trees=20, n_epochs=4)
    models, asked = fitted(dict(list(pasts.items())[:4]), recipe=tiny)
    known = [past.known_at(END - 14 * DAY) for past in list(pasts.values())[:4]]
    widths = tiny.widths_of_new(known, [past_issues(past, 24) for past in known])
    assert [days for days, _ in widths] == [1, 3, 7, 14, 28, 56]
    assert all(0.9 <= factor <= 2 for _, factor in widths)
    narrow = cast("FittedGlobalModel", models["home 0"])
    wide = replace(narrow, new_widths=((1.0, 1.8), (56.0, 1.2)))
    again = FittedGlobalModel.from_files(wide.files())
    assert again.new_widths == wide.new_widths
    days = asked["home 0"]
    first, last = (issues_at(pasts["home 5"], [END - k * DAY], 24) for k in (N_DAYS - 1, 2))  # a day, and 78, are known
    for targets, factor in ((first, 1.8), (last, 1.2)):
        plain, _ = inside(replace(narrow, widths={}), pasts["home 5"], targets)
        assert np.median(inside(again, pasts["home 5"], targets)[0] / plain) == pytest.approx(factor, abs=0.1)
    np.testing.assert_array_equal(inside(again, pasts["home 0"], days)[0], inside(narrow, pasts["home 0"], days)[0])


def test_the_band_of_a_new_home_follows_what_lay_inside_it() -> None:
    pasts = street(4)
    models, _ = fitted(pasts, recipe=GlobalModel(n_networks=1, n_trees=20, n_epochs=4))
    shared = replace(cast("FittedGlobalModel", models["home 0"]), widths={}, new_widths=((1.0, 0.3), (56.0, 0.3)))
    new = home(7)
    targets = issues_at(new, [END - k * DAY for k in range(14, 0, -1)], 24)
    first = new.known_at(END - 70 * DAY)
    assert as_new("global_model", shared, first) is shared  # ten days say too little
    _, alone = inside(shared, new, targets)
    _, followed = inside(as_new("global_model", shared, new), new, targets)
    assert alone.mean() < 0.6
    assert 0.84 < followed.mean() < 0.97
