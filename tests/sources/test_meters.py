"""Files of meters: counters, power at instants, feed-in, and files too long to be read at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from watthour.core.errors import InvalidInput
from watthour.core.frames import Quality
from watthour.core.units import Unit
from watthour.core.window import HOUR
from watthour.sources.files import file_sources, preview
from watthour.sources.table_channels import Known
from watthour.sources.table_options import TableOptions
from watthour.sources.tables import cells

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from watthour.core.ports import Delivery

NOW = datetime(2026, 11, 21, tzinfo=UTC)
START = datetime(2024, 3, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
KNOWN = Known(lambda _name: None)
BRUSSELS = ZoneInfo("Europe/Brussels")


def home(
    *, meter: str | None = None, unit: str | None = None, solar: str | None = None, longest_silence: str | None = None
) -> TableOptions:
    zone = "Europe/Brussels"
    return TableOptions(
        site="Flat", time_zone=zone, meter=meter, unit=unit, solar=solar, longest_silence=longest_silence
    )


def write(folder: Path, header: str, rows: Iterable[tuple[datetime, float]], form: str = "%Y-%m-%dT%H:%M:%SZ") -> Path:
    path = folder / "meter.csv"
    path.write_text(header + "\n" + "".join(f"{time:{form}},{value:.4f}\n" for time, value in rows))
    return path


def brought(path: Path, options: TableOptions) -> Delivery:
    ((source, window),) = file_sources(path, None, options, KNOWN)
    return source.fetch(window, now=NOW)


def notes(path: Path, options: TableOptions) -> str:
    seen = preview(path, None, options, KNOWN)
    assert seen is not None
    return "\n".join(seen.notes)


def stands(n: int = 100) -> list[tuple[datetime, float]]:
    return [(START + k * QUARTER, 5000 + 0.1 * k) for k in range(n)]


@pytest.mark.parametrize("header", ["timestamp,kWh", "Time,energy_kwh", "DATETIME,Consumption (kWh)", "ts,KWH"])
def test_a_column_that_only_rises_is_the_stands_of_a_counter_and_that_is_said(tmp_path: Path, header: str) -> None:
    path = write(tmp_path, header, stands())
    assert "stands of a counter" in notes(path, home())
    readings = brought(path, home()).readings
    assert readings["value"].round(6).to_list() == [0.1] * 99
    assert readings["time"][0] == START
    assert readings["available_at"][0] == START + QUARTER


@pytest.mark.parametrize(
    "header", ["timestamp,Watts", "TIME,power [W]", "DateTime,active_power (W)", "ts,Aggregate [W]"]
)
def test_names_of_power_columns_are_understood_however_they_are_written(tmp_path: Path, header: str) -> None:
    readings = brought(write(tmp_path, header, [(time, 400.0) for time, _stand in stands()]), home()).readings
    assert readings["value"].to_list() == [400.0] * 100


def test_energy_that_is_said_to_be_of_intervals_stays_as_it_stands(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kWh", [(time, 1 + 0.1 * k) for k, (time, _stand) in enumerate(stands(30))])
    assert brought(path, home(meter="interval")).readings["value"][1] == pytest.approx(1.1)
    assert brought(path, home()).readings["value"][1] == pytest.approx(0.1)


def test_energy_that_rises_and_falls_is_of_intervals(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kWh", [(time, 1 + 0.1 * (k % 7)) for k, (time, _stand) in enumerate(stands())])
    assert notes(path, home()) == ""
    assert brought(path, home()).readings.height == 100


def test_what_a_counter_did_is_told_and_its_odd_stands_are_refused(tmp_path: Path) -> None:
    rows = [(time, value - (5004.9 if k > 50 else 0)) for k, (time, value) in enumerate(stands())]
    rows[20] = (rows[20][0], 0.0)
    path = write(tmp_path, "time,kWh", rows)
    told = notes(path, home())
    assert "began anew at zero" in told
    assert "lower for one sample" in told
    delivery = brought(path, home())
    assert delivery.refused["rule"].to_list() == ["counter_dips"]
    assert delivery.readings["value"].sum() == pytest.approx(5.0 + 0.2 + 4.8)
    assert ((delivery.readings["quality"] & int(Quality.ESTIMATED)) != 0).sum() == 1


def test_a_counter_of_power_and_samples_of_energy_are_refused_with_the_cure(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kWh", stands())
    with pytest.raises(InvalidInput, match=r"samples are power.*--meter counter"):
        brought(path, home(meter="samples"))
    with pytest.raises(InvalidInput, match=r"a counter shows energy.*--meter samples"):
        brought(path, home(meter="counter", unit="kW"))
    with pytest.raises(InvalidInput, match="must be counter, interval or samples"):
        brought(path, home(meter="gauge"))


def test_power_at_irregular_times_becomes_the_mean_of_each_quarter_hour(tmp_path: Path) -> None:
    offsets = [0, 13, 17, 44, 45, 71]
    rows = [(START + timedelta(seconds=90 * k + offsets[k % 6]), 300.0 + 600.0 * (k >= 40)) for k in range(100)]
    path = write(tmp_path, "time,watts", rows)
    assert "power at instants" in notes(path, home())
    ((source, window),) = file_sources(path, None, home(), KNOWN)
    (channel,) = source.channels()
    assert (channel.resolution, channel.unit) == (QUARTER, Unit.W)
    values = source.fetch(window, now=NOW).readings["value"].round(6).to_list()
    assert values == [300.0] * 4 + [870.0] + [900.0] * 4


def test_power_that_comes_faster_than_once_a_minute_is_samples(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kW", [(START + timedelta(seconds=10 * k), 0.5) for k in range(400)])
    assert brought(path, home()).readings["value"].to_list() == pytest.approx([0.5] * 4)


def test_a_silence_among_samples_stays_a_gap_and_can_be_allowed(tmp_path: Path) -> None:
    rows = [(START + timedelta(seconds=10 * k), 500.0) for k in range(1000) if not 200 < k < 450]
    path = write(tmp_path, "time,W", rows)
    assert "nothing was heard" in notes(path, home())
    assert brought(path, home()).readings.height == 9
    assert brought(path, home()).readings["value"].count() == 8
    allowed = brought(path, home(longest_silence="45")).readings
    assert allowed["value"].to_list() == [500.0] * 11
    with pytest.raises(InvalidInput, match=r"longest_silence.*minutes"):
        brought(path, home(longest_silence="an hour"))


def test_samples_of_local_times_keep_their_energy_over_both_changes_of_the_clock(tmp_path: Path) -> None:
    for day in (datetime(2024, 3, 30, 20, tzinfo=UTC), datetime(2024, 10, 26, 20, tzinfo=UTC)):
        rows = []
        at = day
        while at < day + 12 * HOUR + timedelta(minutes=1):
            rows.append((at.astimezone(BRUSSELS), 100.0 * (1 + (at - day) // HOUR)))
            at += timedelta(seconds=23 + 14 * (len(rows) % 3))
        path = write(tmp_path, "time,W", rows, "%Y-%m-%d %H:%M:%S")
        delivery = brought(path, home())
        assert delivery.refused.is_empty()
        assert delivery.readings.height == 48
        by_hour = [delivery.readings["value"][4 * k + 1] for k in range(12)]
        assert by_hour == pytest.approx([100.0 * (1 + k) for k in range(12)])


def test_negative_values_of_a_home_are_asked_about(tmp_path: Path) -> None:
    rows = [(time, -0.5 if k % 4 == 0 else 1.0) for k, (time, _stand) in enumerate(stands())]
    path = write(tmp_path, "time,kW", rows)
    seen = preview(path, None, home(), KNOWN)
    assert seen is not None
    assert [(each.field, each.choices) for each in seen.questions] == [("solar", ("yes", "no"))]
    with pytest.raises(InvalidInput, match=r"25 of its 100 values are negative.*--solar"):
        brought(path, home())
    assert brought(path, home(solar="yes")).readings["value"].min() == -0.5
    refusing = brought(path, home(solar="no"))
    assert refusing.refused["rule"].unique().to_list() == ["value_is_negative"]
    assert refusing.readings.height == 75


def test_watts_in_a_column_of_kilowatt_hours_are_doubted(tmp_path: Path) -> None:
    path = write(tmp_path, "time,kWh", [(time, 150.0 + 37 * k % 90) for k, (time, _stand) in enumerate(stands())])
    with pytest.raises(InvalidInput, match="outside the possible range"):
        brought(path, home())
    hours = [(START + k * HOUR, 30.0 + 37 * k % 50) for k in range(100)]
    with pytest.raises(InvalidInput, match=r"mean is 54 kW, more than a home uses.*--unit"):
        brought(write(tmp_path, "time,kWh", hours), home())


def test_a_long_file_is_read_in_parts_and_says_what_it_says_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = datetime(2024, 10, 25, 20, tzinfo=UTC)
    times = [begin + timedelta(seconds=47 * k + 11 * (k % 3)) for k in range(4000)]
    rows = [(at.astimezone(BRUSSELS), 100.0 + k % 400) for k, at in enumerate(times)]
    path = write(tmp_path, "time,W", rows, "%Y-%m-%d %H:%M:%S")
    at_once = brought(path, home())
    monkeypatch.setattr(cells, "SAMPLE_BYTES", 9_000)
    monkeypatch.setattr(cells, "_LONG_BYTES", 10_000)
    monkeypatch.setattr(cells, "_PART_BYTES", 30_000)
    read: list[int] = []
    ((source, window),) = file_sources(path, None, home(), KNOWN, progress=read.append)
    in_parts = source.fetch(window, now=NOW)
    assert len(read) > 3
    assert sum(read) == path.stat().st_size
    assert in_parts.readings.drop("value").equals(at_once.readings.drop("value"))
    assert in_parts.readings["value"].to_list() == pytest.approx(at_once.readings["value"].to_list())


def test_a_long_table_of_intervals_is_read_in_parts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(START + k * timedelta(minutes=1), 0.4 + 0.1 * (k % 5)) for k in range(3000)]
    rows.insert(2000, rows[10])
    path = write(tmp_path, "time,kW", rows)
    at_once = brought(path, home())
    monkeypatch.setattr(cells, "SAMPLE_BYTES", 9_000)
    monkeypatch.setattr(cells, "_LONG_BYTES", 10_000)
    monkeypatch.setattr(cells, "_PART_BYTES", 20_000)
    in_parts = brought(path, home())
    assert in_parts.readings.equals(at_once.readings)
    assert in_parts.refused.height == at_once.refused.height == 1
