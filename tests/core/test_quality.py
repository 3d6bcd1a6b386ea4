from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import Channel, Site, SiteKind
from watthour.core.frames import Quality, Readings
from watthour.core.quality import flag
from watthour.core.region import find_region
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dataframely as dy

NY = find_region("NYIS")
START = datetime(2024, 1, 1, tzinfo=UTC)
HOME = Site("home", "Home", SiteKind.HOME, "Europe/Paris")
MAIN = Channel("home.main.power", "home", Quantity.POWER, Unit.KW)


def readings(
    values: Sequence[float | None], channel: str = NY.demand, start: datetime = START
) -> dy.DataFrame[Readings]:
    times = [start + timedelta(hours=hour) for hour in range(len(values))]
    return Readings.validate(
        pl.DataFrame({"channel": channel, "time": times, "value": values}).with_columns(
            available_at=pl.col("time"), recorded_at=pl.col("time"), quality=0
        ),
        cast=True,
    )


def flags(values: Sequence[float | None], before: Sequence[float | None] | None = None) -> list[int]:
    earlier = None if before is None else readings(before, start=START - timedelta(hours=len(before)))
    return flag(readings(values), [NY.energy_channel()], [NY.site()], earlier)["quality"].to_list()


def test_good_values_and_gaps_are_not_doubted() -> None:
    assert flags([18_000.0, None, 18_500.0]) == [0, 0, 0]


def test_zero_demand_is_kept_and_doubted() -> None:
    flagged = flag(readings([0.0, 18_000.0]), [NY.energy_channel()], [NY.site()])
    assert flagged["value"].to_list() == [0.0, 18_000.0]
    assert flagged["quality"].to_list() == [Quality.ZERO, 0]


def test_a_region_of_5_mw_and_one_above_its_peak_are_doubted() -> None:
    assert flags([5.0, NY.peak_mwh + 1]) == [Quality.OUT_OF_RANGE, Quality.OUT_OF_RANGE]


def test_a_frozen_value_is_doubted_from_its_first_hour() -> None:
    assert flags([17_000.0] * 6 + [18_000.0]) == [Quality.FROZEN] * 6 + [0]
    assert flags([17_000.0] * 5 + [18_000.0]) == [0] * 6


def test_a_value_frozen_across_two_fetches_is_doubted() -> None:
    assert flags([17_000.0, 18_000.0], before=[17_000.0] * 5) == [Quality.FROZEN, 0]


def test_a_home_of_400_kw_is_doubted() -> None:
    assert flag(readings([3.0, 400.0], MAIN.id), [MAIN], [HOME])["quality"].to_list() == [0, Quality.OUT_OF_RANGE]


def test_what_was_known_against_a_value_stays() -> None:
    marked = Readings.cast(readings([0.0]).with_columns(quality=pl.lit(int(Quality.ASSUMED), pl.Int16)))
    assert flag(marked, [NY.energy_channel()], [NY.site()])["quality"].to_list() == [Quality.ASSUMED | Quality.ZERO]
