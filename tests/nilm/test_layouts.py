"""Public data sets in their original layouts, by tiny files that are made so, and tables of one's own."""

from __future__ import annotations

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from watthour.core.errors import InvalidInput
from watthour.nilm.augment import bank_of
from watthour.nilm.layouts.channels import redd_houses, ukdale_houses
from watthour.nilm.layouts.refit import refit_house, refit_houses
from watthour.nilm.layouts.tables import TableWords, _parts, table_house
from watthour.nilm.layouts.tracebase import device_file
from watthour.nilm.prepare import Part, prepare
from watthour.nilm.scores import house_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from watthour.nilm.houses import House
    from watthour.nilm.layouts.samples import SampledHouse

BEGIN = 1_360_000_800  # 2013-02-04T18:00Z, a whole minute
NAN = float("nan")


def whole(source: SampledHouse, step_s: int = 60) -> House:
    (house,) = source.pieces(step_s)
    return house


def said(made: House) -> tuple[str, ...]:
    return tuple(str(remark) for remark in made.remarks)


def channel(path: Path, rows: Sequence[tuple[int, float]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{BEGIN + second} {watts:g}\n" for second, watts in rows))


def ukdale(folder: Path) -> Path:
    """Two minutes of mains and kettle every 6 s, a gap of an hour, and a minute more; a lamp that nobody asks for."""
    home = folder / "house_1"
    seconds = [*range(1, 120, 6), *range(3600, 3660, 6)]
    channel(home / "channel_1.dat", [(second, 300 + (2000 if second < 60 else 0)) for second in seconds])
    channel(home / "channel_10.dat", [(second + 2, 2000 if second < 60 else 0) for second in seconds])
    (home / "labels.dat").write_text("1 aggregate\n10 kettle\n12 livingroom_s_lamp\n")
    return folder


def test_ukdale_in_its_own_layout(tmp_path: Path) -> None:
    (source,) = ukdale_houses(ukdale(tmp_path))
    house = whole(source)
    assert source.name == "ukdale-1"
    assert house.time.tolist() == [BEGIN, BEGIN + 60, BEGIN + 3600]
    assert house.mains.tolist() == pytest.approx([2300, 2000 / 59 * 0 + 300 + 2000 / 60, 300], abs=1)
    assert house.appliances["kettle"].tolist() == pytest.approx([2000, 3 / 60 * 2000, 0], abs=1)
    assert len(house.segments()) == 2
    assert said(house) == ("ukdale-1: meters that are no appliance of a known kind: livingroom_s_lamp",)
    assert [path.name for path in source.files] == ["channel_1.dat", "channel_10.dat"]


def test_ukdale_at_its_own_step_holds_a_sample_for_twelve_seconds_and_no_longer(tmp_path: Path) -> None:
    (source,) = ukdale_houses(ukdale(tmp_path))
    house = whole(source, 6)
    assert len(house.segments()) == 2
    assert 120 / 6 <= house.segments()[0].stop <= 120 / 6 + 2
    with pytest.raises(InvalidInput, match=r"step_s = 5.*sample every 6 s.*Choose 6 s or more"):
        list(source.pieces(5))


def test_a_folder_of_channels_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no folders house_1"):
        ukdale_houses(tmp_path)
    home = ukdale(tmp_path) / "house_1"
    (home / "channel_10.dat").unlink()
    with pytest.raises(InvalidInput, match=r"names channel_10.dat, which is missing"):
        ukdale_houses(tmp_path)
    (home / "labels.dat").write_text("10 kettle\n")
    with pytest.raises(InvalidInput, match=r"none of its meters is called aggregate or mains"):
        ukdale_houses(tmp_path)
    (home / "labels.dat").write_text("kettle is on 10\n")
    with pytest.raises(InvalidInput, match=r"'kettle is on 10' is not a number and a name"):
        ukdale_houses(tmp_path)
    (home / "labels.dat").unlink()
    with pytest.raises(InvalidInput, match=r"labels.dat.*it is missing"):
        ukdale_houses(tmp_path)
    channel(home / "channel_10.dat", [(0, 1)])
    (home / "labels.dat").write_text("1 aggregate\n10 kettle\n")
    (home / "channel_10.dat").write_text("")
    with pytest.raises(InvalidInput, match=r"channel_10\.dat.*it is empty"):
        list(ukdale_houses(tmp_path)[0].pieces(60))
    (home / "channel_10.dat").write_text("noon much\n")
    with pytest.raises(InvalidInput, match=r"channel_10\.dat.*seconds and watts were expected"):
        list(ukdale_houses(tmp_path)[0].pieces(60))


def test_redd_adds_up_its_two_mains_and_knows_its_own_spelling(tmp_path: Path) -> None:
    home = tmp_path / "house_3"
    seconds = range(0, 120, 3)
    channel(home / "channel_1.dat", [(second, 100) for second in seconds])
    channel(home / "channel_2.dat", [(second, 50) for second in range(60)])
    channel(home / "channel_5.dat", [(second, 40) for second in seconds])
    channel(home / "channel_6.dat", [(second, 10) for second in seconds])
    channel(home / "channel_7.dat", [(second, 5) for second in seconds])
    (home / "labels.dat").write_text(
        "1 mains\n2 mains\n5 dishwaser\n6 refrigerator\n7 refrigerator\n8 kitchen_outlets\n"
    )
    (source,) = redd_houses(tmp_path)
    house = whole(source)
    assert house.name == "redd-3"
    assert house.time.tolist() == [BEGIN]  # of the second minute only one of the mains is known
    assert house.mains.tolist() == [150]
    assert {name: power.tolist() for name, power in house.appliances.items()} == {"dishwasher": [40], "fridge": [15]}


def refit(path: Path, *, rows: Sequence[str] | None = None) -> Path:
    header = "Time,Unix,Aggregate,Appliance1,Appliance2,Appliance3,Appliance4,Appliance5,Appliance6,Appliance7,"
    lines = [header + "Appliance8,Appliance9,Issues"]
    for second in range(0, 240, 8):
        mains = 0 if 120 <= second < 180 else 600
        issue = 1 if second >= 180 else 0
        stamp = datetime.fromtimestamp(BEGIN + second, UTC).strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"{stamp},{BEGIN + second},{mains},80,20,0,30,0,0,7,{2500 if second < 60 else 0},0,{issue}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines if rows is None else [lines[0], *rows]) + "\n")
    return path


def test_refit_in_its_own_layout(tmp_path: Path) -> None:
    refit(tmp_path / "CLEAN_House2.csv")
    (source,) = refit_houses(tmp_path)
    house = whole(source)
    assert house.name == "refit-2"
    # Mains of 0 W are a gap that its authors filled, and rows marked as faulty are not used.
    assert house.time.tolist() == [BEGIN, BEGIN + 60]
    assert house.mains.tolist() == [600, 600]
    assert house.appliances["fridge"].tolist() == [80, 80]
    assert house.appliances["kettle"].tolist() == pytest.approx([2500, 4 / 60 * 2500], abs=1)
    assert set(house.appliances) == {
        "fridge", "washing_machine", "dishwasher", "television", "microwave", "toaster", "kettle",
    }  # fmt: skip


def test_houses_of_refit_with_solar_panels_are_left_out_and_refused_by_name(tmp_path: Path) -> None:
    refit(tmp_path / "CLEAN_House2.csv")
    path = refit(tmp_path / "CLEAN_House21.csv")
    assert [source.name for source in refit_houses(tmp_path)] == ["refit-2"]
    with pytest.raises(InvalidInput, match=r"solar panels that were not metered"):
        refit_house(path)


def test_files_that_are_not_refits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"no files CLEAN_House1.csv"):
        refit_houses(tmp_path)
    with pytest.raises(InvalidInput, match=r"none of REFIT's files"):
        refit_house(tmp_path / "CLEAN_House14.csv")
    path = refit(tmp_path / "CLEAN_House2.csv", rows=["yesterday,noon,much,1,1,1,1,1,1,1,1,1,0"])
    with pytest.raises(InvalidInput, match=r"a row is not in REFIT's layout"):
        list(refit_house(path).pieces(60))
    refit(path, rows=[])
    with pytest.raises(InvalidInput, match=r"nothing of its mains is known"):
        prepare(tmp_path / "kept", [Part(refit_house(path))], step_s=60, appliances=["kettle"])
    path.write_text("Time,Unix,Aggregate\n")
    with pytest.raises(InvalidInput, match=r"columns are missing: Appliance1"):
        list(refit_house(path).pieces(60))


def table(path: Path, rows: Sequence[tuple[object, ...]], header: str = "time,mains,kettle,fish tank") -> Path:
    lines = [header, *(",".join("" if cell is None else str(cell) for cell in row) for row in rows)]
    content = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def iso(second: int, suffix: str = "Z") -> str:
    return (datetime.fromtimestamp(BEGIN + second, UTC)).strftime("%Y-%m-%dT%H:%M:%S") + suffix


ROWS = [(iso(60 * n), 300 + n, None if n == 2 else n, 9) for n in range(5)]


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    for file in ("home.csv", "home.csv.gz"):
        source = table_house("mine", [table(tmp_path / file, ROWS)])
        house = whole(source)
        assert house.time.tolist() == [BEGIN + 60 * n for n in range(5)]
        assert house.mains.tolist() == [300, 301, 302, 303, 304]
        assert house.appliances["kettle"][[0, 1, 3, 4]].tolist() == [0, 1, 3, 4]
        assert np.isnan(house.appliances["kettle"][2])
        assert said(house) == ("mine: columns that are no appliance of a known kind: fish tank",)


def test_a_table_as_parquet_and_in_parts_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = table(tmp_path / "home.csv", ROWS)
    expected = whole(table_house("mine", [path]))
    typed = pl.read_csv(path).with_columns(pl.col("time").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_zone="UTC"))
    typed.write_parquet(tmp_path / "home.parquet")
    monkeypatch.setattr("watthour.nilm.layouts.tables._ROWS", 2)
    monkeypatch.setattr("watthour.nilm.layouts.tables._LITTLE", 70)
    monkeypatch.setitem(_parts.__kwdefaults__ or {}, "at_once", 70)
    for made in (tmp_path / "home.parquet", path):
        house = whole(table_house("mine", [made]))
        assert house.time.tolist() == expected.time.tolist()
        assert house.mains.tolist() == expected.mains.tolist()
        assert np.array_equal(house.appliances["kettle"], expected.appliances["kettle"], equal_nan=True)


def test_times_have_many_forms_and_one_meaning(tmp_path: Path) -> None:
    forms: tuple[Callable[[int], str], ...] = (
        lambda second: iso(second, "+00:00"),
        lambda second: iso(second + 3600, "+01:00"),
        lambda second: iso(second - 16200, "-0430"),
        lambda second: iso(second)[:16] + "Z",
        lambda second: iso(second)[:19].replace("T", " ") + "Z",
        lambda second: str(BEGIN + second),
        lambda second: f"{BEGIN + second}.0",
    )
    for form in forms:
        rows = [(form(60 * n), 300 + n, n, 9) for n in range(5)]
        assert whole(table_house("mine", [table(tmp_path / "a.csv", rows)])).time[0] == BEGIN


def test_local_times_need_their_zone_and_are_read_with_it(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [(iso(60 * n + 3600, ""), 300 + n, n, 9) for n in range(5)])
    with pytest.raises(InvalidInput, match=r"time_zone = None.*Name it, such as UTC or Europe/Berlin"):
        table_house("mine", [path])
    assert whole(table_house("mine", [path], TableWords(time_zone="Europe/Berlin"))).time[0] == BEGIN
    with pytest.raises(InvalidInput, match=r"no time zone has this name"):
        table_house("mine", [path], TableWords(time_zone="Europe/Atlantis"))


@pytest.mark.parametrize(("day", "hours"), [("2013-03-31", 23), ("2013-10-27", 25)])
def test_days_on_which_the_clock_changes_have_all_their_hours(tmp_path: Path, day: str, hours: int) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(day).replace(tzinfo=berlin).astimezone(UTC)
    instants = [start + timedelta(minutes=10 * n) for n in range(6 * hours)]
    rows = [(f"{each.astimezone(berlin):%Y-%m-%d %H:%M:%S}", 300 + n, n, 9) for n, each in enumerate(instants)]
    house = whole(table_house("mine", [table(tmp_path / "a.csv", rows)], TableWords(time_zone="Europe/Berlin")), 600)
    assert house.time.tolist() == [int(each.timestamp()) for each in instants]
    assert len(house.segments()) == 1


def test_a_time_that_is_none_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [*ROWS, ("noon", 1, 1, 1)])
    with pytest.raises(InvalidInput, match=r"time = 'noon'"):
        list(table_house("mine", [path]).pieces(60))
    path = table(tmp_path / "a.csv", [(1000 * (BEGIN + n), 1, 1, 1) for n in range(5)])
    with pytest.raises(InvalidInput, match=r"no time of a smart meter"):
        table_house("mine", [path])


def test_columns_and_units_are_said(tmp_path: Path) -> None:
    header = "when,total,k,boiler thing"
    path = table(tmp_path / "a.csv", [(iso(60 * n), 0.3, 0.1, 2.5) for n in range(5)], header)
    with pytest.raises(InvalidInput, match=r"column = 'time': a.csv has the columns when, total, k, boiler thing"):
        table_house("mine", [path])
    words = TableWords("when", "total", appliances={"k": "kettle", "boiler thing": "water_heater"}, unit="kW")
    house = whole(table_house("mine", [path], words))
    assert house.mains.tolist() == pytest.approx([300] * 5)
    assert house.appliances["water_heater"].tolist() == pytest.approx([2500] * 5)
    with pytest.raises(InvalidInput, match=r"unit = 'MW'"):
        TableWords(unit="MW")


def test_a_table_in_kw_is_refused_and_taken_when_its_unit_is_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [(iso(60 * n), round(0.3 + rng.random(), 4), 0, 9) for n in range(400)]
    path = table(tmp_path / "a.csv", rows)
    with pytest.raises(InvalidInput, match=r"seem to be kW.*say unit kW"):
        list(table_house("mine", [path]).pieces(60))
    assert whole(table_house("mine", [path], TableWords(unit="kW"))).mains.min() > 290


def test_net_mains_are_refused_and_taken_when_the_solar_power_is_named(tmp_path: Path) -> None:
    rows = [(iso(60 * n), 300 - 10 * n, 10 * n, 0) for n in range(60)]
    path = table(tmp_path / "a.csv", rows, "time,mains,panels,kettle")
    with pytest.raises(InvalidInput, match=r"Name the power of the solar panels"):
        list(table_house("mine", [path]).pieces(60))
    assert whole(table_house("mine", [path], TableWords(solar="panels"))).mains.tolist() == [300] * 60


def test_a_step_shorter_than_that_of_the_table_is_refused_and_one_it_names_is_not(tmp_path: Path) -> None:
    source = table_house("mine", [table(tmp_path / "a.csv", ROWS)])
    with pytest.raises(InvalidInput, match=r"sample every 60 s.*Choose 60 s or more"):
        list(source.pieces(30))
    assert len(whole(source, 60)) == 5


def test_a_table_of_numbers_that_are_none_or_of_one_row_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", [(iso(60 * n), "much", 1, 1) for n in range(3)])
    with pytest.raises(InvalidInput, match=r"this is no power"):
        table_house("mine", [path])
    with pytest.raises(InvalidInput, match=r"no two of its rows"):
        table_house("mine", [table(tmp_path / "a.csv", ROWS[:1])])
    with pytest.raises(InvalidInput, match=r"no such file"):
        table_house("mine", [tmp_path / "b.csv"])
    (tmp_path / "c.csv").write_text("")
    with pytest.raises(InvalidInput, match=r"it is empty"):
        table_house("mine", [tmp_path / "c.csv"])
    with pytest.raises(InvalidInput, match=r"there is none"):
        table_house("mine", [])


def test_a_house_of_months_comes_in_pieces_that_make_one_whole(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    seconds = np.arange(0, 100 * 86_400, 600)
    rows = [(BEGIN + int(s), round(200 + 100 * rng.random(), 1), 0, 0) for s in seconds if not 2e6 < s < 2.5e6]
    half = len(rows) // 2
    paths = [table(tmp_path / "a.csv", rows[:half]), table(tmp_path / "b.csv", rows[half:])]
    source = table_house("mine", paths)
    pieces = list(source.pieces(600))
    assert len(pieces) > 3
    time = np.concatenate([piece.time for piece in pieces])
    assert time.tolist() == [row[0] for row in rows]
    assert np.concatenate([piece.mains for piece in pieces]) == pytest.approx(np.array([row[1] for row in rows]))
    kept = prepare(tmp_path / "kept", [Part(source)], step_s=600, appliances=["kettle"]).house("mine")
    assert len(kept.segments) == 2


def test_a_sample_holds_into_the_next_piece(tmp_path: Path) -> None:
    # 400 s before a piece ends the last sample comes; without it a third of the first step of the next is not known.
    rows = [(BEGIN + 200 + 600 * n, 300 + n % 7, 0, 0) for n in range(100 * 144)]
    source = table_house("mine", [table(tmp_path / "a.csv", rows)])
    pieces = list(source.pieces(600))
    mains = np.concatenate([piece.mains for piece in pieces])
    power = np.array([row[1] for row in rows])
    assert len(pieces) > 3
    assert mains[1:-1] == pytest.approx((power[:-1] * 200 + power[1:] * 400)[: len(mains) - 2] / 600)


def test_what_is_left_out_of_many_pieces_is_said_once(tmp_path: Path) -> None:
    rows = [(BEGIN + 600 * n, -1 if n % 4000 == 5 else 200 + n % 7, 0, 0) for n in range(100 * 144)]
    source = table_house("mine", [table(tmp_path / "a.csv", rows)])
    kept = prepare(tmp_path / "kept", [Part(source)], step_s=600, appliances=["kettle"])
    assert kept.manifest()["houses"][0]["remarks"] == [
        "mine: columns that are no appliance of a known kind: fish tank",
        "mine: 4 values of the mains were left out that are below zero",
    ]


def test_a_month_in_which_little_is_drawn_is_not_taken_for_kw(tmp_path: Path) -> None:
    rows = [(BEGIN + 600 * n, 500 + n % 7 if n < 5000 else 30 + n % 7, 0, 0) for n in range(100 * 144)]
    pieces = list(table_house("mine", [table(tmp_path / "a.csv", rows)]).pieces(600))
    assert sum(len(piece) for piece in pieces) == 100 * 144


def test_a_file_that_changed_is_prepared_again(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", ROWS)
    first = prepare(tmp_path / "kept", [Part(table_house("mine", [path]))], step_s=60, appliances=["kettle"])
    table(path, [(time, mains + 1, kettle, tank) for time, mains, kettle, tank in ROWS])
    second = prepare(tmp_path / "kept", [Part(table_house("mine", [path]))], step_s=60, appliances=["kettle"])
    assert second.house("mine").values[0, 0] == first.house("mine").values[0, 0] + 1
    in_kw = Part(table_house("mine", [path], TableWords(unit="kW")))
    third = prepare(tmp_path / "kept", [in_kw], step_s=60, appliances=["kettle"])
    assert third.house("mine").values[0, 0] == 1000 * second.house("mine").values[0, 0]


def test_a_day_of_tracebase_gives_the_runs_of_one_device(tmp_path: Path) -> None:
    folder = tmp_path / "WaterKettle"
    folder.mkdir()
    lines = []
    for second in range(0, 600, 5):
        watts = 2200 if 100 <= second < 220 or second >= 550 else 1
        lines.append(f"15/01/2012 12:{second // 60:02}:{second % 60:02};{watts};{watts}")
    path = folder / "dev_B7BEA1_2012.01.15.csv"
    path.write_text("\n".join(lines) + "\n")
    (run,) = device_file(path).runs()
    assert (run.kind, run.device, run.step_s) == ("kettle", "tracebase/kettle/B7BEA1", 10)
    assert run.power.tolist() == [1, *[2200] * 12, 1]
    lamp = tmp_path / "Lamp" / path.name
    lamp.parent.mkdir()
    lamp.write_text(path.read_text())
    assert device_file(lamp).runs() == ()
    with pytest.raises(InvalidInput, match=r"neither that of a device and a day nor"):
        device_file(folder / "kettle.txt")
    assert device_file(tmp_path / "Playstation3_10s.csv.gz").kind is None
    path.write_text("12:00;2\n")
    with pytest.raises(InvalidInput, match=r"time|layout"):
        device_file(path).runs()


def test_a_table_of_devices_names_the_same_plug_alike(tmp_path: Path) -> None:
    path = tmp_path / "WaterKettle_10s.csv"
    rows = [
        f"2012-01-15T12:{s // 60:02}:{s % 60:02},{device},{2200 if 60 <= s < 120 else 0}"
        for device in ("_B7BEA1", "Kettle")
        for s in range(0, 300, 10)
    ]
    path.write_text("time,device,power\n" + "\n".join(rows) + "\n")
    found = device_file(path).runs()
    assert [run.device for run in found] == ["tracebase/kettle/B7BEA1", "tracebase/kettle/Kettle"]
    assert [run.power.tolist() for run in found] == [[0, *[2200] * 6, 0]] * 2
    (tmp_path / "Router_10s.csv").write_text(path.read_text())
    assert device_file(tmp_path / "Router_10s.csv").runs() == ()
    path.write_text("time,power\n")
    with pytest.raises(InvalidInput, match=r"columns are missing: device"):
        device_file(path).runs()


NILM = "nilm"


def real(shared_data: Path, file: str) -> House:
    pieces = list(table_house("real", [shared_data / NILM / file]).pieces(60))
    columns = {name: np.concatenate([piece.appliances[name] for piece in pieces]) for name in pieces[0].appliances}
    return replace(
        pieces[0],
        time=np.concatenate([piece.time for piece in pieces]),
        mains=np.concatenate([piece.mains for piece in pieces]),
        appliances=columns,
    )


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("file", "mean_w"),
    [
        (
            "ukdale/ukdale_house2_1min.csv.gz",
            {"kettle": 24.9, "dishwasher": 41.2, "washing_machine": 8.1, "microwave": 6.5, "fridge": 45.8},
        ),
        (
            "refit/refit_house2_30s.csv.gz",
            {"kettle": 22.0, "dishwasher": 57.3, "washing_machine": 18.2, "microwave": 2.8},
        ),
        (
            "ukdale/ukdale_house1_2015_6s.csv.gz",
            {"kettle": 22.0, "dishwasher": 31.1, "washing_machine": 51.4, "microwave": 13.9, "fridge": 38.9},
        ),
        ("ampds2/ampds2_9days_1min.csv.gz", {"dishwasher": 31.9, "fridge": 47.5, "heat_pump": 204.4}),
    ],
)
def test_the_houses_of_the_collection_have_the_errors_of_always_off_that_are_published(
    shared_data: Path, file: str, mean_w: dict[str, float]
) -> None:
    house = real(shared_data, file)
    off = house_scores(house, {name: np.zeros(len(house)) for name in house.appliances})
    assert {name: round(each.mae_w or 0, 1) for name, each in off.items()} == pytest.approx(mean_w, abs=0.11)
    assert not any("left out" in remark for remark in said(house))


@pytest.mark.shared_data
def test_the_kettles_of_tracebase(shared_data: Path) -> None:
    paths = sorted((shared_data / NILM / "tracebase/WaterKettle").glob("*.csv.gz"))[::5]
    more = shared_data / NILM / "tracebase_more/WaterKettle_10s.csv.gz"
    bank = bank_of([run for path in paths for run in device_file(path).runs()] + list(device_file(more).runs()))
    energies = [run.power.sum() * run.step_s / 3.6e6 for runs in bank.runs["kettle"].values() for run in runs]
    assert len(bank.devices["kettle"]) >= 5
    assert len(energies) > 100
    assert 0.02 < float(np.median(energies)) < 0.2  # kWh of a kettle
