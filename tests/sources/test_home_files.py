"""Files that utilities and Home Assistant write: Green Button XML and exports of statistics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from watthour.core.errors import InvalidInput
from watthour.core.frames import Quality
from watthour.core.window import HOUR
from watthour.sources.files import file_sources, preview
from watthour.sources.table_channels import Known
from watthour.sources.table_options import TableOptions

if TYPE_CHECKING:
    from pathlib import Path

    from watthour.core.ports import Delivery

NOW = datetime(2026, 11, 21, tzinfo=UTC)
START = datetime(2024, 3, 10, 5, tzinfo=UTC)  # midnight in New York; the clock goes forward at 02:00
KNOWN = Known(lambda _name: None)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'


def home(value_column: str | None = None) -> TableOptions:
    return TableOptions(site="Flat", time_zone="America/New_York", value_column=value_column)


def brought(path: Path, options: TableOptions) -> Delivery:
    ((source, window),) = file_sources(path, None, options, KNOWN)
    return source.fetch(window, now=NOW)


def entry(links: str, content: str) -> str:
    return f"<entry>{links}<content>{content}</content></entry>"


def kind(number: int, *, uom: int = 72, power: int = 0, flow: int = 1) -> str:
    return entry(
        f'<link rel="self" href="/espi/1_1/resource/ReadingType/{number}"/>',
        f'<ReadingType xmlns="http://naesb.org/espi"><flowDirection>{flow}</flowDirection><intervalLength>3600'
        f"</intervalLength><powerOfTenMultiplier>{power}</powerOfTenMultiplier><uom>{uom}</uom></ReadingType>",
    )


def meter(number: int) -> str:
    return entry(
        f'<link rel="self" href="/espi/1_1/UsagePoint/1/MeterReading/{number}"/>'
        f'<link rel="related" href="/espi/1_1/resource/ReadingType/{number}"/>',
        '<MeterReading xmlns="http://naesb.org/espi"/>',
    )


def readings(
    start: datetime, values: list[object], *, step: timedelta = HOUR, quality: dict[int, int] | None = None
) -> str:
    rows = ""
    for number, value in enumerate(values):
        told = (
            f"<ReadingQuality><quality>{quality[number]}</quality></ReadingQuality>"
            if quality and number in quality
            else ""
        )
        rows += (
            f"<IntervalReading>{told}<timePeriod><duration>{int(step.total_seconds())}</duration>"
            f"<start>{int((start + number * step).timestamp())}</start></timePeriod>"
            f"<value>{value}</value></IntervalReading>"
        )
    return rows


def block(number: int, rows: str) -> str:
    return entry(
        f'<link rel="self" href="/espi/1_1/UsagePoint/1/MeterReading/{number}/IntervalBlock/9"/>'
        f'<link rel="up" href="/espi/1_1/UsagePoint/1/MeterReading/{number}/IntervalBlock"/>',
        f'<IntervalBlock xmlns="http://naesb.org/espi">{rows}</IntervalBlock>',
    )


def feed(folder: Path, *entries: str, head: str = HEAD) -> Path:
    path = folder / "usage.xml"
    path.write_text(f'{head}<feed xmlns="http://www.w3.org/2005/Atom">{"".join(entries)}</feed>')
    return path


def test_a_green_button_file_is_energy_of_intervals_in_utc(tmp_path: Path) -> None:
    first, second = block(1, readings(START, [500, 750, 1200])), block(1, readings(START + 3 * HOUR, [400, 300]))
    path = feed(tmp_path, meter(1), first, second, kind(1))
    seen = preview(path, None, home(), KNOWN)
    assert seen is not None
    assert (seen.unit, seen.meter, seen.questions) == ("kWh", "interval", ())
    assert "it is a file of Green Button" in seen.notes
    found = brought(path, home()).readings
    assert found["time"].to_list() == [START + k * HOUR for k in range(5)]  # through the change of the clock
    assert found["value"].to_list() == [0.5, 0.75, 1.2, 0.4, 0.3]


def test_the_multiplier_of_its_type_holds_for_each_reading(tmp_path: Path) -> None:
    path = feed(tmp_path, kind(1, power=-3), meter(1), block(1, readings(START, [500_000, 750_000, 1_200_000])))
    assert brought(path, home()).readings["value"].to_list() == [0.5, 0.75, 1.2]


def test_energy_fed_in_is_a_column_of_its_own(tmp_path: Path) -> None:
    used, fed = block(1, readings(START, [500, 750, 800])), block(2, readings(START, [0, 900, 1500]))
    path = feed(tmp_path, kind(1), kind(2, flow=19), meter(1), meter(2), used, fed)
    assert brought(path, home()).readings["value"].to_list() == [0.5, 0.75, 0.8]
    assert brought(path, home(value_column="fed in [kWh]")).readings["value"].to_list() == [0.0, 0.9, 1.5]


def test_what_the_utility_estimated_is_marked(tmp_path: Path) -> None:
    path = feed(tmp_path, kind(1), meter(1), block(1, readings(START, [500, 750, 800], quality={1: 8, 2: 17})))
    quality = brought(path, home()).readings["quality"]
    assert (quality & int(Quality.ESTIMATED)).to_list() == [0, int(Quality.ESTIMATED), 0]


def test_readings_without_links_and_times_of_their_own_follow_each_other(tmp_path: Path) -> None:
    rows = "".join(f"<IntervalReading><value>{value}</value></IntervalReading>" for value in (500, 750, 800))
    timed = f"<interval><duration>10800</duration><start>{int(START.timestamp())}</start></interval>{rows}"
    path = feed(tmp_path, kind(1), entry("", f'<IntervalBlock xmlns="http://naesb.org/espi">{timed}</IntervalBlock>'))
    found = brought(path, home()).readings
    assert found["time"].to_list() == [START, START + HOUR, START + 2 * HOUR]


def test_a_hole_in_a_green_button_file_stays_a_hole_and_a_word_is_refused(tmp_path: Path) -> None:
    path = feed(
        tmp_path, kind(1), meter(1), block(1, readings(START, [500, 750, "none yet", 200])),
        block(1, readings(START + 6 * HOUR, [100, 200])),
    )  # fmt: skip
    delivery = brought(path, home())
    assert delivery.refused["rule"].to_list() == ["value_is_a_number"]
    assert START + 5 * HOUR not in delivery.readings["time"].to_list()


@pytest.mark.parametrize(
    "head",
    [
        '<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<?xml version="1.0"?><!DOCTYPE feed SYSTEM "http://127.0.0.1/feed.dtd">',
    ],
)
def test_xml_that_declares_a_document_type_is_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(InvalidInput, match="document type"):
        brought(feed(tmp_path, kind(1), meter(1), block(1, readings(START, [1, 2, 3])), head=head), home())


@pytest.mark.parametrize(
    ("text", "words"),
    [("<feed><entry>", "cannot be read as such"), ("<html><body>Sign in</body></html>", "it is a web page")],
)
def test_other_xml_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "usage.xml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=words):
        brought(path, home())


def test_gas_is_no_electricity(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no electricity"):
        brought(feed(tmp_path, kind(1, uom=119), meter(1), block(1, readings(START, [1, 2, 3]))), home())


def statistics(folder: Path, rows: list[str], header: str = "statistic_id\tunit\tstart\tmean\tsum\tstate") -> Path:
    path = folder / "statistics.tsv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def counted(name: str, stands: list[float], hours: list[str], unit: str = "kWh") -> list[str]:
    return [f"{name}\t{unit}\t{hour}\t\t{stand}\t{stand + 100}" for hour, stand in zip(hours, stands, strict=True)]


HOURS = [f"25.02.2026 {hour:02d}:00" for hour in range(10, 15)]


def test_sums_of_home_assistant_are_stands_at_the_end_of_their_hour(tmp_path: Path) -> None:
    others = [f"sensor.kitchen_temperature\t°C\t{hour}\t20.5\t\t" for hour in HOURS]
    path = statistics(tmp_path, [*others, *counted("sensor.mains_energy", [0, 1, 3, 6, 10], HOURS)])
    seen = preview(path, None, home(), KNOWN)
    assert seen is not None
    assert seen.meter == "counter"
    assert any("sensor.kitchen_temperature" in note for note in seen.notes)
    found = brought(path, home()).readings
    assert found["value"].to_list() == [1.0, 2.0, 3.0, 4.0]
    assert found["time"][0] == datetime(2026, 2, 25, 16, tzinfo=UTC)  # 11:00 in New York


def test_several_statistics_of_energy_are_asked_about_and_each_has_its_own_times(tmp_path: Path) -> None:
    rows = [*counted("sensor.oven", [0, 1, 1, 2, 2], HOURS), *counted("sensor.dryer", [5, 6, 8], HOURS[2:])]
    path = statistics(tmp_path, rows)
    with pytest.raises(InvalidInput, match=r"several columns.*sensor\.oven \[kWh\], sensor\.dryer \[kWh\]"):
        brought(path, home())
    found = brought(path, home(value_column="sensor.dryer [kWh]")).readings
    assert found["value"].to_list() == [1.0, 2.0]


def test_means_of_power_are_those_of_their_hour(tmp_path: Path) -> None:
    rows = [f"sensor.mains_power\tW\t{hour}\t{500 + n}\t\t" for n, hour in enumerate(HOURS)]
    found = brought(statistics(tmp_path, rows), home()).readings
    assert found["value"].to_list() == [500.0, 501.0, 502.0, 503.0, 504.0]
    assert found["time"][0] == datetime(2026, 2, 25, 15, tzinfo=UTC)


def test_the_hour_that_comes_twice_is_two_hours_of_statistics(tmp_path: Path) -> None:
    hours = ["02.11.2025 00:00", "02.11.2025 01:00", "02.11.2025 01:00", "02.11.2025 02:00"]
    found = brought(statistics(tmp_path, counted("sensor.mains_energy", [0, 1, 3, 6], hours)), home()).readings
    assert found["value"].to_list() == [1.0, 2.0, 3.0]
    assert found["time"][0] == datetime(2025, 11, 2, 5, tzinfo=UTC)


def test_an_export_without_energy_says_what_to_export(tmp_path: Path) -> None:
    rows = [f"sensor.sun\t°\t{hour}\t20.5\t\t" for hour in HOURS]
    with pytest.raises(InvalidInput, match=r"none of its statistics is energy or power.*kWh"):
        brought(statistics(tmp_path, rows), home())
