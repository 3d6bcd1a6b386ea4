"""The bidding zones of Europe."""

from __future__ import annotations

import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from watthour.bootstrap import site_directories
from watthour.core.units import Quantity, Unit
from watthour.forecasting.holiday_calendars import checked_calendar
from watthour.grid.zones import BiddingZone, BiddingZones, bidding_zones

EVERY_ZONE = pytest.mark.parametrize("zone", bidding_zones(), ids=lambda zone: zone.site.id)


def test_the_largest_zones_are_known() -> None:
    ids = {zone.site.id for zone in bidding_zones()}
    assert {"de_lu", "fr", "es", "it_north", "pl", "nl", "se_3", "no_2", "fi", "at", "ch", "dk_1", "bg", "ee"} <= ids


@pytest.mark.parametrize(
    "name", ["de_lu", "DE-LU", "Germany", "luxembourg", "Deutschland", "10Y1001A1001A82H", "Germany and Luxembourg"]
)
def test_germany_is_found_by_any_of_its_names(name: str) -> None:
    context = BiddingZones().find(name)
    assert context is not None
    assert (context.site.id, context.channel.id) == ("de_lu", "grid.de_lu.demand")
    assert (context.channel.quantity, context.channel.unit) == (Quantity.POWER, Unit.MW)


@pytest.mark.parametrize(("country", "n_zones"), [("Sweden", 4), ("Norway", 5), ("Italy", 7), ("Denmark", 2)])
def test_a_country_of_several_zones_names_them_all_and_is_none_of_them(country: str, n_zones: int) -> None:
    assert BiddingZones().find(country) is None
    assert len(BiddingZones().contexts(country)) == n_zones


def test_no_two_sites_that_are_known_share_a_name() -> None:
    owners: dict[str, set[str]] = {}
    for directory in site_directories():
        for name, context in directory.names().items():
            owners.setdefault(name, set()).add(context.site.id)
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


@EVERY_ZONE
def test_its_code_is_one_of_a_zone(zone: BiddingZone) -> None:
    assert re.fullmatch(r"10Y[0-9A-Z-]{12}[0-9A-Z]", str(zone.site.code("entsoe")))


def test_no_two_zones_have_one_code() -> None:
    counts = Counter(zone.site.code("entsoe") for zone in bidding_zones())
    assert max(counts.values()) == 1


@EVERY_ZONE
def test_its_clock_and_its_holidays_exist(zone: BiddingZone) -> None:
    place = zone.site.place
    assert ZoneInfo(place.time_zone).key == place.time_zone
    assert checked_calendar(str(place.holidays)) == place.holidays


@EVERY_ZONE
def test_its_weather_points_share_its_whole_load_and_lie_in_europe(zone: BiddingZone) -> None:
    points = zone.site.points
    assert sum(point.weight for point in points) == pytest.approx(1.0, abs=1e-9)
    assert all(35 <= point.latitude <= 70 and -10 <= point.longitude <= 30 for point in points)
    assert len({point.id for point in points}) == len(points)


@EVERY_ZONE
def test_its_step_divides_the_hour_and_its_limits_hold_a_load(zone: BiddingZone) -> None:
    channel = zone.context().channel
    assert channel.resolution.total_seconds() in {900, 3600}
    assert channel.limits.low is not None
    assert channel.limits.high is not None
    assert 0 < channel.limits.low < channel.limits.high / 10
