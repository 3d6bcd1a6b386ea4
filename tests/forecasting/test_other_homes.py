"""The model of other homes that comes with Watthour: its file, and what it says of a home it has not seen."""

from __future__ import annotations

import runpy
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.errors import InvalidInput, ModelCorrupt, NotEnoughHistory
from watthour.core.forecast import Context, Forecast, History, targets
from watthour.core.frames import INSTANT, Forecasts, Readings
from watthour.core.place import Place
from watthour.core.units import Quantity, Unit
from watthour.core.window import DAY, HOUR, Window, step_in_words
from watthour.forecasting.catalogue import OTHER_HOMES, recipe
from watthour.forecasting.global_model.model import GlobalModel
from watthour.forecasting.other_homes import shipped
from watthour.forecasting.other_homes.learn import learn, widths
from watthour.forecasting.other_homes.model import FittedOtherHomes, Origin

NOW = datetime(2024, 5, 15, 22, tzinfo=UTC)  # midnight in Paris
MOST_BYTES = 3_000_000
SCRIPT = Path(__file__).parents[2] / "scripts" / "make_homes_model.py"


def home(days: float, *, size: float = 1.0, step: timedelta = HOUR, wild: float = 0.3, seed: int = 1) -> History:
    """A home that uses most in the evening, known for its last days."""
    site = Site("made", "Made", SiteKind.HOME, Place("Europe/Paris", holidays="FR"), main_channel="home.made.power")
    channel = Channel("home.made.power", "made", Quantity.POWER, Unit.KW, step)
    times = pl.datetime_range(NOW - days * DAY, NOW, step, closed="left", eager=True, time_unit="us")
    hour = times.dt.convert_time_zone("Europe/Paris").dt.hour().to_numpy()
    noise = np.random.default_rng(seed).lognormal(0, wild, len(hour))
    value = size * (0.3 + np.exp(-0.5 * ((hour - 19) / 2) ** 2)) * noise
    rows = pl.DataFrame({"time": times.cast(INSTANT), "value": value}).select(
        pl.lit(channel.id).alias("channel"),
        "time",
        (pl.col("time") + step).alias("available_at"),
        (pl.col("time") + step).alias("recorded_at"),
        "value",
        pl.lit(0, pl.Int16).alias("quality"),
    )
    return History(NOW, Context(site, channel), Readings.validate(rows), Forecasts.create_empty())


def told(past: History) -> Forecast:
    asked = targets(Window(NOW, NOW + DAY), NOW, resolution=past.context.resolution, time_zone="Europe/Paris")
    return recipe(OTHER_HOMES).fit(past, asked).predict(past, asked)


def quantiles(past: History) -> np.ndarray[Any, np.dtype[np.float64]]:
    wide = told(past).values.pivot("level", index="time", values="value").sort("time")
    return wide.select("0.05", "0.5", "0.95").to_numpy()


def test_the_file_is_small_whole_and_says_where_it_comes_from() -> None:
    content = Path(shipped.__file__).with_name(shipped.PACKED).read_bytes()
    assert len(content) < MOST_BYTES
    manifest, files = shipped.shipped()  # whose hashes it checks
    assert set(manifest.hashes) == set(files)
    assert manifest.recipe == OTHER_HOMES
    assert manifest.parameters["seed"] == GlobalModel().seed
    assert manifest.splits["train"].start.date() == date(2013, 1, 10)
    origin = FittedOtherHomes.from_files(files).origin
    assert origin.homes == "45 homes of London in 2013"
    assert origin.licence == "CC BY 4.0"
    assert "Low Carbon London" in origin.attribution
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    assert origin.attribution in " ".join(notice.split())
    assert list(origin.widths) == ["1", "2", "3", "5", "7", "14", "28"]
    assert shipped.packed(manifest, files) == content


def test_a_damaged_file_is_not_loaded_and_the_cure_is_said(tmp_path: Path) -> None:
    manifest, files = shipped.shipped()
    with pytest.raises(ModelCorrupt, match=r"median\.txt differs.*Install Watthour again"):
        shipped.unpacked(shipped.packed(manifest, {**files, "median.txt": b"spoilt"}))
    with pytest.raises(ModelCorrupt, match="cannot be unpacked"):
        shipped.unpacked(b"no archive")
    content = shipped.packed(manifest, files)
    entry = content.index(b"PK\x01\x02")  # of its list of files; then come flags and the way of packing
    for place, bit in ((entry + 8, 1), (entry + 10, 4)):  # now said to be encrypted, or packed in another way
        flipped = bytearray(content)
        flipped[place] ^= bit
        with pytest.raises(ModelCorrupt, match="cannot be unpacked"):
            shipped.unpacked(bytes(flipped))
    empty = tmp_path / "empty.zip"
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(ModelCorrupt, match="Install Watthour again"):
        shipped.unpacked(empty.read_bytes())


@pytest.mark.parametrize("step", [timedelta(minutes=15), timedelta(minutes=30), HOUR], ids=step_in_words)
def test_after_one_day_or_four_it_answers_at_the_homes_own_level(step: timedelta) -> None:
    hour = np.arange(0, 24, step / HOUR).astype(int)
    usual = 4 * (0.3 + np.exp(-0.5 * ((hour - 19) / 2) ** 2))
    for days, most in ((1, 0.5), (4, 0.35)):
        low, middle, high = quantiles(home(days, size=4, step=step)).T
        assert np.abs(middle - usual).mean() < most * usual.mean(), days
        assert ((low <= middle) & (middle <= high) & (low >= 0)).all()
        assert ((low < usual) & (usual < high)).mean() > 0.8, days


def test_a_larger_home_gets_as_much_more() -> None:
    assert quantiles(home(5, size=10)) == pytest.approx(10 * quantiles(home(5)), rel=1e-3)


def test_it_says_what_it_rests_on() -> None:
    (words,) = told(home(5)).missing_inputs
    assert words == (
        "This rests on 5 days of its own past and on 45 homes of London in 2013; it was not learned from this home."
    )
    assert "rests on 24 hours of its own past" in told(home(1)).missing_inputs[0]
    assert "rests on the last weeks of its own past" in told(home(40)).missing_inputs[0]


def test_with_less_than_most_of_a_day_it_waits() -> None:
    with pytest.raises(NotEnoughHistory, match=r"12 hours of .* are known; other_homes needs 18"):
        told(home(0.5))


def test_what_is_unlike_the_homes_it_learned_from_is_refused() -> None:
    with pytest.raises(InvalidInput, match="in this step"):
        told(home(5, step=timedelta(minutes=5)))
    past = home(5)
    rows = past.readings.with_columns(value=pl.col("value") - 1)
    with pytest.raises(InvalidInput, match="readings are below zero"):
        told(replace(past, readings=Readings.validate(rows)))


def test_a_home_that_strays_further_than_said_gets_a_wider_band(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the last days is forecast as it would have been, and what lay outside widens the band."""
    calm, wild = (relative_width(home(28, wild=wild)) for wild in (0.02, 0.6))
    monkeypatch.setattr("watthour.forecasting.other_homes.model._PRIOR_DAYS", 1e9)  # as if no day had been tried
    untried = [relative_width(home(28, wild=wild)) for wild in (0.02, 0.6)]
    assert calm < 0.95 * untried[0]
    assert wild / calm > untried[1] / untried[0]


def relative_width(past: History) -> float:
    """Width of the band in parts of the median."""
    low, middle, high = quantiles(past).T
    return float(((high - low) / middle).mean())


def test_learning_twice_gives_the_same_file() -> None:
    pasts = [home(30, seed=seed) for seed in (1, 2)]
    days = [(NOW - n * DAY).date() for n in range(20, 0, -1)]
    small = GlobalModel(n_networks=1, n_trees=40, n_epochs=1, every_young=6)
    files = []
    for _ in range(2):
        shared = learn([pasts], days, every=(1,), recipe=small)
        band = widths(shared, [home(30, seed=3)], days[::5])
        files.append(FittedOtherHomes(shared, Origin("2 homes", "", "", "", band)).files())
    assert files[0] == files[1]


def test_the_script_makes_it_anew_from_the_data(shared_data: Path, tmp_path: Path) -> None:
    made = tmp_path / "made.zip"
    script = runpy.run_path(str(SCRIPT))
    words = ("--data", str(shared_data), "--into", str(made), "--date", "2026-11-22")
    script["main"]([*words, "--homes", "2", "--days", "20", "--small"])
    manifest, files = shipped.unpacked(made.read_bytes())
    assert manifest.version.startswith("other_homes-20261122T000000-")
    fitted = FittedOtherHomes.from_files(files)
    assert fitted.origin.homes == "2 homes of London in 2013"
    asked = targets(Window(NOW, NOW + DAY), NOW, resolution=HOUR, time_zone="Europe/Paris")
    assert fitted.predict(home(5), asked).values["value"].null_count() == 0
