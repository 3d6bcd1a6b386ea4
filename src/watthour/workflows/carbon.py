"""A region's carbon intensity, derived whenever its generation by fuel comes in: by files, in rounds, of the past."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl

from watthour.carbon.factors import factor_of
from watthour.carbon.intensity import production_intensity
from watthour.core.carbon import MIX, Basis, CarbonKind, Scope, Side, carbon_channel
from watthour.core.channel import SiteKind
from watthour.core.frames import Quality, Readings
from watthour.core.quality import is_trusted
from watthour.core.window import DAY, Window
from watthour.workflows.runs import CHUNK, pieces

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import dataframely as dy
    from numpy.typing import NDArray

    from watthour.carbon.intensity import Array, Mask
    from watthour.core.channel import Channel, Site
    from watthour.core.ports import Store

NEAR = 7 * DAY  # a fuel of a small share that was not told for so long is not missing: the region has none any more
LONG = 60 * DAY  # likewise where it made more than a small share: so long its provider may have lost it
YEAR = 365 * DAY  # after that long, and not before, figures without such a fuel are no estimates any more
SMALL_SHARE = 0.01  # of what is produced; fuels that make no more together may be missing, and the figure is estimated
_KEPT_FLAGS = Quality.ASSUMED | Quality.SIMULATED | Quality.ESTIMATED
_DIGITS = 3


def fuels_of(site: Site, channels: Sequence[Channel]) -> dict[str, Channel]:
    """Return the channels of generation by fuel, such as ``gas``; of several steps that of the mix, or the usual."""
    begin = f"{site.prefix}.generation."
    found = {
        each.id.removeprefix(begin): each
        for each in channels
        if each.site == site.id and each.is_load and each.id.startswith(begin) and "." not in each.id[len(begin) :]
    }
    mix = f"{site.prefix}.carbon.{MIX}."
    kept = {each.resolution for each in channels if each.id.startswith(mix)}
    found = {fuel: each for fuel, each in found.items() if not kept or each.resolution in kept}
    if not found:
        return {}
    (usual, _count), *_rest = Counter((each.unit, each.resolution) for each in found.values()).most_common(1)
    return {fuel: each for fuel, each in found.items() if (each.unit, each.resolution) == usual}


def companions_of(site: Site, channel: Channel, channels: Sequence[Channel]) -> tuple[str, ...]:
    """Return the channels that another of the site is derived from, such as the fuels of its mix; none of others."""
    if not channel.id.startswith(f"{site.prefix}.carbon.{MIX}."):
        return ()
    return tuple(sorted(each.id for each in fuels_of(site, channels).values()))


def derive_intensity(store: Store, sites: Sequence[Site], brought: dy.DataFrame[Readings], *, now: datetime) -> None:
    """Keep the average intensity of what regions produce over the span of readings that have come, if any is of a fuel.

    A region's first intensities are those of all its past that is kept. They are made from the oldest on and go on
    where they end, so that none are left out after a process that was killed.

    Args:
        store: where the readings are kept by now.
        sites: those that the readings may belong to.
        brought: the readings.
        now: the present.
    """
    named = brought["channel"].unique()
    for site in sites:
        if site.kind is not SiteKind.REGION or not named.str.starts_with(f"{site.prefix}.generation.").any():
            continue
        fuels = fuels_of(site, store.channels())
        mine = brought.filter(pl.col("channel").is_in([each.id for each in fuels.values()]))
        if mine.is_empty():
            continue
        resolution = next(iter(fuels.values())).resolution
        first, last = cast("tuple[datetime, datetime]", (mine["time"].min(), mine["time"].max()))
        made = {scope: carbon_channel(site, MIX, production_kind(scope), resolution) for scope in Scope}
        spans = store.spans()
        is_begun = all(each.id in spans for each in made.values())
        begins = [spans[each.id][0] for each in fuels.values() if each.id in spans]
        first = min(first, *([spans[each.id][1] for each in made.values()] if is_begun else begins))
        store.register((), made.values())
        for piece in reversed(pieces([Window(first, last + resolution)], CHUNK)):
            mix = mix_between(store, fuels, piece, now=now)
            for scope, channel in made.items():
                store.append(_readings(mix, site, channel, scope, now))


def production_kind(scope: Scope) -> CarbonKind:
    """Return the kind of what is computed from a mix of fuels."""
    return CarbonKind(Basis.AVERAGE, scope, Side.PRODUCTION)


@dataclass(frozen=True, slots=True)
class Mix:
    """What a region produced of each fuel in some intervals, as far as it can be said."""

    fuels: tuple[str, ...]
    rows: pl.DataFrame  # time, available_at (of the last that became known), quality
    generation: Array  # (n, fuels) [unit of the channels]; NaN: not known, and it may matter
    is_told: Mask  # (n, fuels); where it is not, 0 in the generation is none that was measured

    @property
    def is_known(self) -> Mask:
        """Of which intervals all is known that matters, (n,)."""
        return np.asarray(np.isfinite(self.generation).all(axis=1))


def mix_between(store: Store, fuels: Mapping[str, Channel], window: Window, *, now: datetime) -> Mix:
    """Return the generation by fuel of the intervals of a window of which anything is told.

    Whether a fuel is missing follows from what was told of it before, never from what came later, so that the past is
    derived as it was known then. One that was told within a week is missing; so is one that made more than a hundredth
    of what is produced if it was told within two months, and after them what is left is an estimate for a year. Where
    fuels are missing that usually make a hundredth at most, the interval is an estimate; else it is not known.
    """
    names = [channel.id for channel in fuels.values()]
    begin = window.start - LONG
    read = _trusted(store.read(names, Window(begin, window.end), now))
    heard = set(read.filter(pl.col("time") <= window.start)["channel"].unique())
    silent = [name for name, (first, *_rest) in store.spans().items() if name in names and first < begin]
    if silent := [name for name in silent if name not in heard]:  # what they made before they fell silent
        read = pl.concat([_trusted(store.read(silent, Window(begin - YEAR - LONG, begin), now)), read])
    rows = (
        read.group_by("time")
        .agg(pl.col("available_at").max(), (pl.col("quality") & int(_KEPT_FLAGS)).bitwise_or())
        .sort("time")
    )
    wide = read.pivot(on="channel", on_columns=names, index="time", values="value").sort("time")
    told = wide.select(names).cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(rows.height, len(names))
    is_told = np.isfinite(told)
    silence, share = _before(rows["time"].to_physical().to_numpy(), told)
    is_large = share > SMALL_SHARE
    is_missing = ~is_told & (silence <= np.where(is_large, _us(LONG), _us(NEAR)))
    is_left_out = ~is_told & ~is_missing & is_large & (silence <= _us(YEAR))
    is_small = (is_missing * share).sum(axis=1) <= SMALL_SHARE
    generation = np.where(is_missing & ~is_small[:, None], np.nan, np.nan_to_num(told))
    is_estimated = pl.Series((is_missing.any(axis=1) & is_small) | is_left_out.any(axis=1), dtype=pl.Boolean)
    rows = rows.with_columns(
        quality=pl.when(is_estimated).then(pl.col("quality") | int(Quality.ESTIMATED)).otherwise("quality")
    )
    inside = rows["time"].is_between(window.start, window.end, closed="left")
    known = rows["time"].filter(pl.Series(np.isfinite(generation).all(axis=1), dtype=pl.Boolean))
    if not known.is_empty():  # before the first and after the last nothing is published yet: no gaps
        inside &= rows["time"].is_between(known[0], known[-1])
    shown = inside.to_numpy()
    return Mix(tuple(fuels), rows.filter(inside), generation[shown], is_told[shown])


def _trusted(readings: dy.DataFrame[Readings]) -> pl.DataFrame:
    return pl.DataFrame(readings).filter(is_trusted()).drop_nulls("value")


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


def _before(instants: NDArray[np.int64], told: Array) -> tuple[NDArray[np.int64], Array]:
    """Return of each interval and fuel how long it has not been told [us], and its usual share when it last was.

    What is usual at an interval is the mean of what was told in the two months up to it, so that nothing that came
    later is looked at.

    Args:
        instants: of the intervals, in order, (n,) [us].
        told: generation, (n, fuels); NaN where it is not told.
    """
    if not len(instants):
        return np.zeros(told.shape, np.int64), np.zeros(told.shape)
    is_told = np.isfinite(told)
    first = np.searchsorted(instants, instants - _us(LONG))

    def of_two_months(values: Array) -> Array:
        summed = np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)])
        return np.asarray(summed[1:] - summed[first])

    n_told = of_two_months(is_told.astype(np.float64))
    usual = of_two_months(np.nan_to_num(np.maximum(told, 0.0))) / np.maximum(n_told, 1.0)
    rows = np.arange(len(instants))[:, None]
    last = np.maximum.accumulate(np.where(is_told, rows, -1), axis=0)
    was_told = last >= 0
    never = np.iinfo(np.int64).max
    silence = np.where(was_told, instants[:, None] - instants[np.maximum(last, 0)], never)
    made = np.where(was_told, np.take_along_axis(usual, np.maximum(last, 0), axis=0), 0.0)
    total = np.maximum(made.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return silence, made / total


def _readings(mix: Mix, site: Site, channel: Channel, scope: Scope, now: datetime) -> dy.DataFrame[Readings]:
    factors = np.array([factor_of(fuel, site.zone).of(scope) for fuel in mix.fuels])
    intensity = pl.Series(production_intensity(mix.generation, factors), dtype=pl.Float64)
    table = mix.rows.with_columns(
        channel=pl.lit(channel.id), value=intensity.round(_DIGITS).fill_nan(None), recorded_at=pl.lit(now)
    )
    return Readings.validate(table.select(Readings.column_names()), cast=True)
