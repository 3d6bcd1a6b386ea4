"""The balancing authorities."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import holidays
import pytest

from watthour.core.errors import UnknownRegion
from watthour.core.region import Region, find_region, regions

EVERY_REGION = pytest.mark.parametrize("region", regions(), ids=lambda region: region.id)


def test_every_balancing_authority_is_known() -> None:
    assert len(regions()) == 71
    assert {"PJM", "MISO", "ERCO", "SWPP", "SOCO", "CISO", "NYIS", "ISNE", "FPL", "TVA", "DUK"} <= {
        region.eia_respondent for region in regions()
    }


def test_no_two_regions_share_a_name() -> None:
    owners: dict[str, set[str]] = {}
    for region in regions():
        for name in (region.id, region.eia_respondent or region.id, region.name, region.operator, *region.names):
            owners.setdefault(name.casefold(), set()).add(region.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.parametrize(
    "name", ["ny", "NY", "NYIS", "nyis", "NYISO", "New York", " new york independent system operator "]
)
def test_new_york_is_found_by_any_of_its_names(name: str) -> None:
    assert find_region(name).id == "ny"


@pytest.mark.parametrize(("code", "region"), [("NE", "isne"), ("TEX", "erco"), ("TEN", "tva"), ("CAISO", "ciso")])
def test_an_eia_region_of_one_authority_is_that_authority(code: str, region: str) -> None:
    assert find_region(code).id == region


@pytest.mark.parametrize("code", ["CAL", "FLA", "MIDA", "MIDW", "US48", "CENT", "CAR", "SE", "SW", "NW"])
def test_an_eia_region_of_several_authorities_is_none_of_them(code: str) -> None:
    with pytest.raises(UnknownRegion):
        find_region(code)


def test_an_unknown_region_names_near_matches() -> None:
    with pytest.raises(UnknownRegion) as caught:
        find_region("NYSO")
    assert "ny" in caught.value.near


@EVERY_REGION
def test_its_time_zone_exists(region: Region) -> None:
    assert ZoneInfo(region.time_zone).key == region.time_zone


@EVERY_REGION
def test_its_holiday_calendar_exists(region: Region) -> None:
    country, _, state = (region.holidays or "").partition("-")
    assert country == "US"
    assert state in holidays.country_holidays("US").subdivisions


@EVERY_REGION
def test_its_weather_points_share_its_whole_load(region: Region) -> None:
    assert sum(point.weight for point in region.points) == pytest.approx(1.0, abs=1e-9)
    assert all(point.weight > 0 for point in region.points)
    assert max(Counter(point.id for point in region.points).values()) == 1


@EVERY_REGION
def test_its_weather_points_lie_in_the_united_states(region: Region) -> None:
    for point in region.points:
        assert 24.5 < point.latitude < 49.4
        assert -124.8 < point.longitude < -66.9


@EVERY_REGION
def test_it_has_channels(region: Region) -> None:
    assert region.energy_channel().id == f"grid.{region.id}.demand"
    assert len(region.weather_channels()) == 12 * len(region.points)
    assert 100 <= region.peak_mwh <= 200_000
