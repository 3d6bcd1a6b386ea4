"""Whatever a provider answers, a parser either reads it or says that the payload has changed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

from fakes.regions import region
from hypothesis import given, settings
from hypothesis import strategies as st

from watthour.core.errors import InvalidInput, SourceError
from watthour.sources import eia
from watthour.sources.eia import parse_fuel_mix, parse_region_data
from watthour.sources.eia_bulk import parse_balance
from watthour.sources.elia import parse as parse_elia
from watthour.sources.http import reason_in
from watthour.sources.nyiso import parse_isolf
from watthour.sources.open_meteo import parse_hourly

NEW_YORK = region("ny")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
FEW = settings(max_examples=60, deadline=None)

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "period": scalars | st.sampled_from(["2019-07-20T20", "2019-07-20T25", "2019-07-20"]),
            "respondent": st.just("NYIS") | scalars,
            "type": st.sampled_from(["D", "DF", "NG"]) | anything,
            "fueltype": st.sampled_from(["NG", "SUN", ""]) | anything,
            "value": anything | st.sampled_from(["1", "1,000", "1e400", "-0"]),
            "value-units": st.just("megawatthours") | scalars,
        }
    ),
    max_size=4,
)


@FEW
@given(anything)
def test_any_json_as_eias_answer(body: object) -> None:
    reason_in(body)
    with suppress(SourceError):
        found, _ = eia._content(body, 0)
        parse_region_data(found, NEW_YORK, now=NOW)


@FEW
@given(rows)
def test_any_values_in_eias_rows(some: list[object]) -> None:
    with suppress(SourceError):
        parse_region_data(some, NEW_YORK, now=NOW)
    with suppress(SourceError):
        parse_fuel_mix(some, NEW_YORK)


quarter_hours = st.lists(
    st.fixed_dictionaries(
        {
            "datetime": scalars | st.sampled_from(["2026-07-05T21:45:00+00:00", "2026-07-05T21:45:00Z", "2026-07-05"]),
            "resolutioncode": st.just("PT15M") | scalars,
            "measured": anything | st.sampled_from([1.5, "8,164.78", "1e400"]),
            "dayaheadforecast": anything,
        }
    ),
    max_size=4,
)


@FEW
@given(anything | quarter_hours)
def test_any_json_as_elias_answer(body: object) -> None:
    with suppress(SourceError):
        parse_elia(body, "ods002", now=NOW)


@FEW
@given(st.lists(anything, min_size=7, max_size=7) | anything)
def test_any_json_as_open_meteos_answer(body: object) -> None:
    with suppress(SourceError):
        parse_hourly(body, NEW_YORK.site)


@FEW
@given(
    times=st.lists(scalars | st.just("2019-07-20T20:00"), max_size=3) | anything,
    values=st.lists(scalars, max_size=3) | anything,
    unit=st.sampled_from(["°C", "°F", "mm", None, 5]),
)
def test_any_values_in_open_meteos_columns(times: object, values: object, unit: object) -> None:
    one = {"hourly": {"time": times, "temperature_2m": values}, "hourly_units": {"temperature_2m": unit}}
    with suppress(SourceError):
        parse_hourly([one] * len(NEW_YORK.site.points), NEW_YORK.site)


@FEW
@given(
    st.text(max_size=60) | st.text('"\n,0123456789/: NYISOTimeStamp', max_size=80).map('"Time Stamp","NYISO"\n'.__add__)
)
def test_any_text_as_nyisos_file(text: str) -> None:
    with suppress(SourceError):
        parse_isolf(text, date(2025, 2, 19), NEW_YORK, now=NOW)


HEADER = "Balancing Authority,UTC Time at End of Hour,Demand (MW),Demand Forecast (MW)\n"


@FEW
@given(
    st.binary(max_size=60)
    | st.text('"\n,0123456789/: AMP', max_size=60).map(lambda text: f"{HEADER}NYIS,{text}".encode())
)
def test_any_bytes_as_a_six_month_file(content: bytes) -> None:
    with suppress(SourceError, InvalidInput):
        parse_balance(content, NEW_YORK, now=NOW)
