"""The balancing authorities."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import holidays
import pytest

from watthour.core.forecast import covariates_of
from watthour.core.weather import weather_channels
from watthour.grid.regions import Region, Regions, regions

EVERY_REGION = pytest.mark.parametrize("region", regions(), ids=lambda region: region.site.id)


def test_every_balancing_authority_is_known() -> None:
    assert len(regions()) == 71
    assert {"PJM", "MISO", "ERCO", "SWPP", "SOCO", "CISO", "NYIS", "ISNE", "FPL", "TVA", "DUK"} <= {
        region.site.code("eia") for region in regions()
    }


def test_no_two_regions_share_a_name() -> None:
    owners: dict[str, set[str]] = {}
    for region in regions():
        for name in region.names:
            owners.setdefault(name.casefold(), set()).add(region.site.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


@pytest.mark.parametrize(
    "name", ["ny", "NY", "NYIS", "nyis", "NYISO", "New York", " new york independent system operator "]
)
def test_new_york_is_found_by_any_of_its_names(name: str) -> None:
    context = Regions().find(name)
    assert context is not None
    assert (context.site.id, context.channel.id) == ("ny", "grid.ny.demand")


@pytest.mark.parametrize(("code", "region"), [("NE", "isne"), ("TEX", "erco"), ("TEN", "tva"), ("CAISO", "ciso")])
def test_an_eia_region_of_one_authority_is_that_authority(code: str, region: str) -> None:
    context = Regions().find(code)
    assert context is not None
    assert context.site.id == region


@pytest.mark.parametrize("code", ["CAL", "FLA", "MIDA", "MIDW", "US48", "CENT", "CAR", "SE", "SW", "NW"])
def test_an_eia_region_of_several_authorities_is_none_of_them(code: str) -> None:
    assert Regions().find(code) is None


def test_an_unknown_region_has_near_names() -> None:
    assert "ny" in Regions().near("NYSO")


def test_only_names_that_are_really_alike_are_suggested() -> None:
    assert Regions().near("france2") == []


@EVERY_REGION
def test_its_time_zone_exists(region: Region) -> None:
    assert ZoneInfo(region.site.place.time_zone).key == region.site.place.time_zone


@EVERY_REGION
def test_its_holiday_calendar_exists(region: Region) -> None:
    country, _, state = (region.site.place.holidays or "").partition("-")
    assert country == "US"
    assert state in holidays.country_holidays("US").subdivisions


@EVERY_REGION
def test_its_weather_points_share_its_whole_load(region: Region) -> None:
    assert sum(point.weight for point in region.site.points) == pytest.approx(1.0, abs=1e-9)
    assert all(point.weight > 0 for point in region.site.points)
    assert max(Counter(point.id for point in region.site.points).values()) == 1


@EVERY_REGION
def test_its_weather_points_lie_in_the_united_states(region: Region) -> None:
    for point in region.site.points:
        assert 24.5 < point.latitude < 49.4
        assert -124.8 < point.longitude < -66.9


@EVERY_REGION
def test_its_channels_bound_its_demand_and_say_which_weather_drives_it(region: Region) -> None:
    assert region.demand.id == region.site.main_channel == f"grid.{region.site.id}.demand"
    assert region.demand.limits.high == region.peak_mwh
    assert 100 <= region.peak_mwh <= 200_000
    covariates = covariates_of(weather_channels(region.site, region.site.points))
    assert len(covariates) == 12 * len(region.site.points)
    temperatures = [covariate.weight for covariate in covariates if covariate.variable == "temperature_2m"]
    assert sum(temperatures) == pytest.approx(1.0)
