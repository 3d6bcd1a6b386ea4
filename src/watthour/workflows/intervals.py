"""From the samples of a channel to its readings: those intervals anew that samples which came late may change."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.frames import Quality, Readings
from watthour.core.metering import meter
from watthour.core.window import Window
from watthour.workflows.ingest import flagged

if TYPE_CHECKING:
    from datetime import datetime

    from watthour.core.channel import Channel
    from watthour.core.metering import MeterRules
    from watthour.core.ports import Store

_AHEAD = timedelta(minutes=2)  # clocks of devices differ


def make_readings(store: Store, channel: Channel, rules: MeterRules, *, since: datetime, now: datetime) -> int:
    """Make the readings that samples from an instant on make or change; return how many versions were new.

    Doing it twice changes nothing. Samples before the instant are looked at as far back as they matter.

    Args:
        store: with the samples.
        channel: whose readings they make.
        rules: how.
        since: the first sample that is new.
        now: the present.
    """
    longest = max(rules.longest_silence, rules.longest_uncounted or 2 * rules.step) + rules.step
    first = since - longest  # the interval in which the sample before the new one may lie
    samples = store.samples([channel.id], Window(first - 2 * longest, max(now, since) + _AHEAD))
    if samples.is_empty():
        return 0
    made = meter(samples, channel, rules)
    if made.refused.height:
        store.quarantine(made.refused)
    readings = made.readings.filter(pl.col("time") >= first)
    if readings.is_empty():
        return 0
    if channel.is_simulated:
        readings = readings.with_columns(pl.col("quality") | int(Quality.SIMULATED))
    return store.append(flagged(Readings.cast(readings), [channel], store))
