"""Exports of Home Assistant's long-term statistics as a table: one row per hour, one column per statistic.

Layout: ``statistic_id``, ``unit``, ``start``, then ``min``, ``max``, ``mean`` of a measurement, or ``sum``, ``state``
or ``delta`` of a counter. ``start`` is the local time at which an hour begins; ``sum`` is what had been counted when
it ended. Source: the integration "import_statistics", https://github.com/klausj1/homeassistant-statistics
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from watthour.core.errors import InvalidInput
from watthour.core.units import Unit, converts
from watthour.core.window import HOUR
from watthour.sources.tables.clock import recognise_order, take_apart
from watthour.sources.tables.columns import unit_named
from watthour.sources.tables.figures import GAPS
from watthour.sources.tables.made import MadeTable

if TYPE_CHECKING:
    from collections.abc import Sequence

_ID, _START = "statistic_id", "start"
_UNITS = ("unit", "unit_of_measurement")
_KINDS = ("sum", "delta", "mean", "state")  # the first that a statistic has is taken
_COUNTED = ("sum", "state")
_MOST_NAMED = 5


def is_statistics(names: Sequence[str]) -> bool:
    """Tell whether the columns of a table are those of such an export."""
    plain = {name.casefold() for name in names}
    return {_ID, _START} <= plain and bool(plain & set(_KINDS))


def statistics_table(names: Sequence[str], table: pl.DataFrame, file: str) -> MadeTable:
    """Return an export with one column for each statistic of energy or power.

    Raises:
        InvalidInput: none of them is energy or power.
    """
    plain = {name.casefold(): str(number) for number, name in enumerate(names)}
    unit = next((pl.col(plain[name]) for name in _UNITS if name in plain), pl.lit(None, dtype=pl.String))
    filled = {name: pl.col(plain[name]) for name in _KINDS if name in plain}
    rows = table.select(
        id=pl.col(plain[_ID]),
        start=pl.col(plain[_START]),
        unit=unit,
        **{name: pl.when(~each.str.to_lowercase().is_in(GAPS)).then(each) for name, each in filled.items()},
    ).with_columns(again=pl.col("start").cum_count().over("id", "start"))
    columns, counters, others = {}, set(), []
    for (statistic,), part in rows.group_by(["id"], maintain_order=True):
        units = part["unit"].drop_nulls()
        named = unit_named(str(units[0])) if units.len() else None
        kind = next((name for name in filled if part[name].count()), None)
        if kind is None or named is None or not any(converts(named, base) for base in (Unit.KW, Unit.KWH)):
            others.append(str(statistic))
            continue
        name = f"{statistic} [{named}]"
        columns[name] = part.select("start", "again", value=kind)
        if kind in _COUNTED:
            counters.add(name)
    if not columns:
        problem = f"none of its statistics is energy or power with a unit ({', '.join(others[:_MOST_NAMED])})"
        raise InvalidInput(
            "file", file, problem, remedy="Export sensors of energy (kWh) or power (W), with their unit."
        )
    index = pl.concat([each.select("start", "again") for each in columns.values()]).unique(maintain_order=True)
    moments = take_apart(index["start"])
    naive = moments.naive(recognise_order(moments, None).order)
    index = index.with_columns(naive=naive).sort("naive", "again", nulls_last=True, maintain_order=True)
    values = [
        index.join(each, on=["start", "again"], how="left", maintain_order="left")["value"].alias(str(number))
        for number, each in enumerate(columns.values(), start=1)
    ]
    left = ", ".join(others[:_MOST_NAMED]) + (" and others" if len(others) > _MOST_NAMED else "")
    return MadeTable(
        "Home Assistant statistics",
        (_START, *columns),
        pl.DataFrame([index["start"].alias("0"), *values]),
        counters=frozenset(counters),
        stands_after=HOUR,
        notes=(f"not energy or power, and left aside: {left}",) if others else (),
    )
