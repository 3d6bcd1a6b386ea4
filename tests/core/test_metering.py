from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watthour.core.channel import Channel
from watthour.core.counter import CounterRules, Found
from watthour.core.errors import InvalidInput
from watthour.core.frames import Measurements, Quality, Samples
from watthour.core.metering import Between, Metered, MeterRules, Rest, meter, meter_channels
from watthour.core.units import Quantity, Unit

if TYPE_CHECKING:
    import dataframely as dy

START = datetime(2024, 3, 30, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENERGY = Channel("home.main.energy", "main", Quantity.ENERGY, Unit.KWH, HOUR)
POWER = Channel("home.main.power", "main", Quantity.POWER, Unit.W, HOUR)
FINE = CounterRules(coarseness_kwh=0.001)


def samples(
    rows: list[tuple[float, float]], measure: str = "counter", channel: str = ENERGY.id
) -> dy.DataFrame[Samples]:
    """Samples at minutes after the start."""
    return Samples.validate(
        pl.DataFrame(
            [
                (channel, START + timedelta(minutes=minute), measure, START + timedelta(minutes=minute), float(value))
                for minute, value in rows
            ],
            schema=["channel", "time", "measure", "recorded_at", "value"],
            orient="row",
        ),
        cast=True,
    )


def rules(**said: object) -> MeterRules:
    return MeterRules(**{"step": HOUR, "counter": FINE, "longest_uncounted": timedelta(hours=3), **said})  # type: ignore[arg-type]


def values(made: Metered) -> list[float | None]:
    return [None if each is None else round(each, 9) for each in made.readings["value"].to_list()]


def kinds(made: Metered) -> list[Found]:
    return [each.found for each in made.findings]


def test_a_counter_becomes_the_energy_of_each_interval() -> None:
    made = meter(samples([(0, 100), (30, 101), (60, 103), (120, 104)]), ENERGY, rules())
    assert values(made) == [3.0, 1.0]
    assert made.readings["time"].to_list() == [START, START + HOUR]
    assert made.findings == ()


def test_an_interval_between_samples_takes_its_share_of_the_rise() -> None:
    made = meter(samples([(0, 100), (90, 103), (120, 103.5)]), ENERGY, rules())
    assert values(made) == [2.0, 1.5]


def test_energy_of_a_power_channel_is_its_mean_power() -> None:
    made = meter(samples([(0, 100), (60, 101.5)], channel=POWER.id), POWER, rules())
    assert values(made) == [1500.0]


def test_an_interval_that_the_samples_have_not_passed_is_not_told() -> None:
    assert values(meter(samples([(0, 100), (59, 101)]), ENERGY, rules())) == []


def test_the_interval_in_which_the_samples_begin_is_left_out() -> None:
    made = meter(samples([(30, 100), (60, 101), (120, 103)]), ENERGY, rules())
    assert made.readings["time"].to_list() == [START + HOUR]


def test_a_counter_that_begins_anew_counts_from_zero_and_is_estimated() -> None:
    made = meter(samples([(0, 100), (60, 103), (120, 0.5), (180, 1.5), (240, 2)]), ENERGY, rules())
    assert values(made) == [3.0, 0.5, 1.0, 0.5]
    assert (made.readings["quality"].to_numpy() & Quality.ESTIMATED).astype(bool).tolist() == [
        False,
        True,
        False,
        False,
    ]
    assert kinds(made) == [Found.RESET]


@pytest.mark.parametrize(("top", "said"), [(10_000.0, None), (1_000_000.0, None), (65_536.0, 65_536.0)])
def test_a_counter_that_passes_its_highest_stand_goes_on_from_zero(top: float, said: float | None) -> None:
    own = CounterRules(rolls_over_at=said)
    made = meter(samples([(0, top - 2), (60, top - 0.5), (120, 1), (180, 2)]), ENERGY, rules(counter=own))
    assert values(made) == [1.5, 1.5, 1.0]
    assert kinds(made) == [Found.ROLL_OVER]


@pytest.mark.parametrize("stand", [48_000.0, 3_000.0])
def test_another_meter_is_a_gap_and_its_stand_is_no_energy(stand: float) -> None:
    rows = [(0.0, 12_000.0), (60.0, 12_003.0), (120.0, stand), (180.0, stand + 1), (240.0, stand + 3)]
    made = meter(samples(rows), ENERGY, rules())
    assert values(made) == [3.0, 1.0, 2.0]
    assert START + HOUR not in made.readings["time"].to_list()
    assert kinds(made) == [Found.REPLACED]


@pytest.mark.parametrize(("glitch", "kind"), [(0.0, Found.DIP), (999_999.0, Found.SPIKE)])
def test_one_sample_that_goes_astray_is_left_out_and_the_energy_stays(glitch: float, kind: Found) -> None:
    rows = [(0.0, 1000.0), (20.0, 1001.0), (40.0, glitch), (60.0, 1003.0), (120.0, 1004.0)]
    made = meter(samples(rows), ENERGY, rules())
    assert values(made) == [3.0, 1.0]
    assert kinds(made) == [kind]
    assert made.refused["rule"].to_list() == [str(kind)]


def test_a_counter_that_runs_backward_is_refused_until_it_is_where_it_was() -> None:
    rows = [(0.0, 100.0), (60.0, 103.0), (120.0, 102.5), (180.0, 104.0), (240.0, 105.0)]
    made = meter(samples(rows), ENERGY, rules())
    assert values(made) == [3.0, 0.5, 0.5, 1.0]
    assert made.refused["rule"].to_list() == ["counter_goes_backward"]
    assert "solar" in made.findings[0].text


def test_a_counter_that_runs_backward_where_energy_is_fed_in_is_negative_energy() -> None:
    signed = CounterRules(coarseness_kwh=0.001, is_signed=True)
    made = meter(samples([(0, 100), (60, 103), (120, 102.5), (180, 104)]), ENERGY, rules(counter=signed))
    assert values(made) == [3.0, -0.5, 1.5]
    assert made.refused.is_empty()


def test_a_counter_that_keeps_running_backward_is_a_gap_and_not_zero() -> None:
    rows = [(0.0, 100.0), (60.0, 103.0), *((60.0 * n, 103.0 - 0.1 * n) for n in range(2, 8)), (480.0, 103.2)]
    made = meter(samples(rows), ENERGY, rules())
    assert values(made) == [3.0]


def test_an_odd_sample_at_the_end_waits_for_the_next() -> None:
    rows = [(0.0, 100.0), (60.0, 103.0), (120.0, 0.2)]
    assert values(meter(samples(rows), ENERGY, rules())) == [3.0]
    made = meter(samples([*rows, (180.0, 1.2)]), ENERGY, rules())
    assert values(made) == [3.0, 0.2, 1.0]
    assert made.readings["available_at"][1] == START + 3 * HOUR


def test_a_silence_stays_a_gap() -> None:
    made = meter(samples([(0, 100), (60, 101), (330, 110), (360, 111), (420, 112)]), ENERGY, rules())
    told = dict(zip(made.readings["time"].to_list(), values(made), strict=True))
    assert told == {START: 1.0, START + 5 * HOUR: None, START + 6 * HOUR: 1.0}
    assert kinds(made) == [Found.SILENCE]


def test_an_interval_that_lacks_a_little_is_estimated() -> None:
    own = rules(longest_uncounted=timedelta(minutes=2))
    rows = [(float(n), 100 + n / 60) for n in range(121) if not 70 < n < 75]
    made = meter(samples(rows), ENERGY, own)
    assert values(made) == [1.0, 1.0]
    assert (made.readings["quality"].to_numpy() & Quality.ESTIMATED).astype(bool).tolist() == [False, True]


def test_power_that_is_told_on_change_holds_until_the_next() -> None:
    own = rules(between=Between.HOLD, longest_silence=HOUR)
    made = meter(samples([(0, 1000), (30, 0), (60, 500), (120, 500)], "power", POWER.id), POWER, own)
    assert values(made) == [500.0, 500.0]


def test_power_that_is_asked_at_steady_times_changes_along_a_line() -> None:
    own = rules(longest_silence=HOUR)
    made = meter(samples([(0, 1000), (30, 0), (60, 500), (120, 500)], "power", POWER.id), POWER, own)
    assert values(made) == [375.0, 500.0]


def test_silence_means_unchanged_only_where_a_heartbeat_is_promised() -> None:
    rows = samples([(0, 60), (55, 60), (120, 100), (180, 100), (181, 100)], "power", POWER.id)
    with_promise = MeterRules.on_change(HOUR, timedelta(minutes=50))
    assert values(meter(rows, POWER, with_promise)) == [60.0, 60.0, 100.0]
    assert values(meter(rows, POWER, MeterRules.on_change(HOUR, None))) == []


def test_negative_power_is_refused_unless_it_is_fed_in_and_is_never_bridged() -> None:
    rows = samples([(0, 60), (20, -400), (40, 60), (60, 60), (120, 60)], "power", POWER.id)
    own = rules(longest_silence=HOUR)
    refusing = meter(rows, POWER, own)
    assert values(refusing) == [None, 60.0]
    assert refusing.refused["rule"].to_list() == ["power_is_negative"]
    signed = meter(rows, POWER, rules(longest_silence=HOUR, between=Between.HOLD, counter=CounterRules(is_signed=True)))
    assert values(signed) == [pytest.approx(-280 / 3), 60.0]


def test_where_both_are_known_the_counter_says_how_much_and_power_when() -> None:
    counter = samples([(0, 100), (120, 103)])
    power = samples([(0, 1000), (60, 2000), (120, 0)], "power")
    both = Samples.cast(pl.concat([counter, power]))
    made = meter(both, ENERGY, rules(between=Between.HOLD, longest_silence=2 * HOUR))
    assert values(made) == [1.0, 2.0]
    short = Samples.cast(pl.concat([samples([(0, 100), (120, 106)]), power]))
    assert values(meter(short, ENERGY, rules(between=Between.HOLD, longest_silence=2 * HOUR))) == [2.0, 4.0]


def test_power_goes_on_alone_where_the_counter_has_ended() -> None:
    both = Samples.cast(
        pl.concat([samples([(0, 100), (60, 103)]), samples([(60.0 * n, 1000) for n in range(8)], "power")])
    )
    made = meter(both, ENERGY, rules(longest_silence=2 * HOUR))
    assert values(made) == [3.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_intervals_follow_the_local_day_through_both_changes_of_the_clock() -> None:
    daily = Channel("home.main.energy", "main", Quantity.ENERGY, Unit.KWH, timedelta(days=1))
    own = MeterRules(timedelta(days=1), "Europe/Brussels", longest_uncounted=2 * HOUR, counter=FINE)
    begin = datetime(2024, 3, 29, 23, tzinfo=UTC)
    rows = [((begin - START) / timedelta(minutes=1) + 60 * n, 100.0 + n) for n in range(24 + 23 + 24 + 1)]
    made = meter(samples(rows), daily, own)
    assert values(made) == [24.0, 23.0, 24.0]
    india = MeterRules(HOUR, "Asia/Kolkata", counter=FINE)
    made = meter(samples([(float(30 * n), 100.0 + n) for n in range(8)]), ENERGY, india)
    assert made.readings["time"].dt.minute().unique().to_list() == [30]


def test_a_value_is_known_when_the_last_sample_it_needs_was_there() -> None:
    rows = samples([(0, 100), (50, 101), (70, 102), (130, 104)])
    late = Samples.cast(rows.with_columns(recorded_at=pl.col("time") + timedelta(seconds=40)))
    known = meter(late, ENERGY, rules()).readings
    assert known["available_at"][0] == START + timedelta(minutes=70, seconds=40)
    assumed = meter(late, ENERGY, rules(), is_observed=False).readings
    assert assumed["available_at"][0] == START + timedelta(minutes=70)
    assert assumed["quality"].to_list() == [Quality.ASSUMED] * 2


def test_a_step_that_a_day_is_not_made_of_is_refused() -> None:
    with pytest.raises(InvalidInput, match="divide"):
        MeterRules(timedelta(minutes=7))


def test_a_clock_that_began_in_1970_costs_no_memory() -> None:
    rows = samples([(0, 100), (60, 101), (120, 102)])
    old = Samples.cast(
        rows.head(1).with_columns(time=pl.lit(datetime(1970, 1, 1, tzinfo=UTC)).cast(pl.Datetime("us", "UTC")))
    )
    made = meter(Samples.cast(pl.concat([old, rows])), ENERGY, rules(step=timedelta(seconds=10)))
    assert made.readings.height == 720


rises = st.lists(st.floats(0, 0.4), min_size=2, max_size=40)
seconds = st.lists(st.integers(30, 2400), min_size=2, max_size=40)


@settings(max_examples=40, deadline=None)
@given(rises=rises, seconds=seconds)
def test_the_energy_of_all_intervals_is_the_rise_of_the_counter(rises: list[float], seconds: list[int]) -> None:
    n = min(len(rises), len(seconds))
    minutes = np.concatenate([[0.0], np.cumsum(seconds[:n]) / 60])
    minutes = np.append(minutes, np.ceil(minutes[-1] / 15) * 15 + 15)
    stands = 500 + np.concatenate([[0.0], np.cumsum(rises[:n]), [sum(rises[:n])]])
    rows = samples(list(zip(minutes.tolist(), stands.tolist(), strict=True)))
    made = meter(rows, ENERGY, rules(step=timedelta(minutes=15)))
    assert made.readings["value"].sum() == pytest.approx(stands[-1] - 500)
    assert made.readings["value"].null_count() == 0


told = st.lists(
    st.tuples(
        st.integers(5, 1500),
        st.sampled_from(["counter", "power"]),
        st.one_of(st.floats(0, 3), st.sampled_from([-0.5, 0.0, 5000.0, -400.0, 1e6])),
    ),
    min_size=3,
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(told=told, places=st.lists(st.integers(0, 40), max_size=3), hold=st.booleans(), signed=st.booleans())
def test_parts_of_the_samples_give_what_all_of_them_give(
    told: list[tuple[int, str, float]], places: list[int], *, hold: bool, signed: bool
) -> None:
    minute, stand, rows = 0.0, 100.0, []
    for seconds, measure, value in told:
        minute += seconds / 60
        if measure == "counter":  # a rise, or where the stand goes astray
            stand = stand + value if 0 < value <= 3 else value
        rows.append((minute, stand if measure == "counter" else value, measure))
    table = Samples.cast(
        samples([row[:2] for row in rows]).with_columns(measure=pl.Series([measure for *_row, measure in rows]))
    )
    own = MeterRules(
        timedelta(minutes=15),
        between=Between.HOLD if hold else Between.LINE,
        longest_silence=timedelta(minutes=20),
        longest_uncounted=timedelta(minutes=40),
        counter=CounterRules(coarseness_kwh=0.001, is_signed=signed),
    )
    at_once = meter(table, ENERGY, own)
    rest: Rest | None = None
    parts, words, refused = [Measurements.create_empty()], [], []
    cuts = sorted({min(each, len(rows)) for each in places} | {0, len(rows)})
    for begin, end in itertools.pairwise(cuts):
        made = meter(Samples.cast(table[begin:end]), ENERGY, own, rest=rest)
        rest = made.rest
        parts.append(made.readings)
        refused += made.refused["row"].to_list()
        words += [(each.found, each.n_samples) for each in made.findings]
    together = pl.concat(parts)
    # How long a part waits for a counter that goes astray depends on where it ends; what it says does not.
    is_steady = {each.found for each in at_once.findings} <= {Found.SILENCE, Found.NEGATIVE}
    columns = ["time", "quality", *(["available_at"] if is_steady else [])]
    assert together.select(columns).rows() == at_once.readings.select(columns).rows()
    assert together["value"].to_list() == pytest.approx(at_once.readings["value"].to_list(), nan_ok=True)
    assert sorted(refused) == sorted(at_once.refused["row"].to_list())
    assert sum(n for _found, n in words) == sum(each.n_samples for each in at_once.findings)


channel_told = st.lists(
    st.tuples(
        st.integers(5, 4000), st.sampled_from(["counter", "power"]), st.sampled_from([-0.5, 0.0, 0.4, 2.5, 5000.0])
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(told=st.lists(channel_told, min_size=1, max_size=4), hold=st.booleans())
def test_many_channels_at_once_give_what_each_gives_by_itself(
    told: list[list[tuple[int, str, float]]], *, hold: bool
) -> None:
    wanted, tables = {}, []
    for number, of_channel in enumerate(told):
        quantity, unit = (Quantity.ENERGY, Unit.KWH) if number % 2 else (Quantity.POWER, Unit.W)
        own = rules(
            step=timedelta(minutes=15 * (number + 1)),
            between=Between.HOLD if hold else Between.LINE,
            longest_silence=timedelta(minutes=20 + number),
        )
        channel = Channel(f"home.main.{number}", "main", quantity, unit, own.step)
        wanted[channel.id] = (channel, own)
        for measure in ("counter", "power"):
            minutes = np.cumsum([seconds / 60 for seconds, *_rest in of_channel]).tolist()
            rows = [
                (minute, value)
                for minute, (_s, kind, value) in zip(minutes, of_channel, strict=True)
                if kind == measure
            ]
            tables.append(samples(rows, measure, channel.id))
    table = Samples.cast(pl.concat(tables).sort("channel", "time", "measure"))
    alone = [meter(Samples.cast(table.filter(channel=name)), *of_it) for name, of_it in wanted.items()]
    readings, refused = meter_channels(table, wanted)
    assert readings.equals(pl.concat([each.readings for each in alone]))
    assert refused.equals(pl.concat([each.refused for each in alone]))
    only = dict(list(wanted.items())[:1])
    assert meter_channels(table, only)[0].equals(alone[0].readings)
