"""What is asked and doubted of a meter's file: the kind of meter, negative values, and values that no home has."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from watthour.core.channel import SiteKind
from watthour.core.errors import InvalidInput
from watthour.core.units import Quantity, Unit, conversion, converts
from watthour.core.window import HOUR
from watthour.sources.tables.columns import Question
from watthour.sources.tables.meters import Meter, MeterWords, recognise_meter

if TYPE_CHECKING:
    import dataframely as dy

    from watthour.core.channel import Site
    from watthour.core.frames import Readings
    from watthour.sources.csv import CsvSource
    from watthour.sources.table_options import TableOptions
    from watthour.sources.tables.understand import Understood

_MOST_MEAN_KW = 20.0  # of a home over all of a file: 175 MWh in a year
_ANSWERS = ("yes", "no")


def meter_words(found: Understood, unit: Unit | None, options: TableOptions) -> MeterWords:
    """Return what kind of meter a table comes from, with what a person says of it.

    Raises:
        InvalidInput: what is said cannot be.
    """
    if options.solar not in (None, *_ANSWERS):
        raise InvalidInput("solar", options.solar, "it must be yes or no", remedy="Say yes or no.")
    silence = None
    if options.longest_silence is not None:
        try:
            silence = timedelta(minutes=float(options.longest_silence))
        except ValueError:
            silence = timedelta(0)
        if silence <= timedelta(0):
            problem = "it is not a time above zero"
            raise InvalidInput("longest_silence", options.longest_silence, problem, remedy="Give minutes, such as 30.")
    words = recognise_meter(found, unit, options.meter)
    return replace(words, is_signed=options.solar == "yes", silence=silence)


def solar_questions(found: Understood, unit: Unit, site: Site, options: TableOptions) -> list[Question]:
    """Return the question after negative values of a home, where there are any and nobody answered it."""
    if options.solar is not None or site.kind is not SiteKind.HOME or not _is_load(unit):
        return []
    value = pl.col("raw").cast(pl.Float64, strict=False)
    negative = found.rows.filter(value.is_finite() & (value < 0))
    if negative.is_empty():
        return []
    problem = f"{negative.height:,} of its {found.rows.height:,} values are negative"
    remedy = (
        "Use --solar if energy is also fed in, such as from solar panels: then they are kept. "
        "Use --no-solar to refuse these rows, or name another column with --value-column."
    )
    return [Question("solar", problem, _ANSWERS, remedy, str(negative["text"][0]))]


def check_level(readings: dy.DataFrame[Readings], source: CsvSource, unit: str | None) -> None:
    """Refuse a file of a home whose mean is more than a home uses: its unit is another one.

    Raises:
        InvalidInput: it is.
    """
    channel = source.channel
    mean = readings["value"].abs().mean()
    if source.site.kind is not SiteKind.HOME or not isinstance(mean, float) or not _is_load(channel.unit):
        return
    if channel.quantity is Quantity.ENERGY:
        mean_kw = mean * conversion(channel.unit, Unit.KWH)[0] / (channel.resolution / HOUR)
    else:
        mean_kw = mean * conversion(channel.unit, Unit.KW)[0]
    if mean_kw > _MOST_MEAN_KW:
        problem = f"read as {unit}, its mean is {mean_kw:,.0f} kW, more than a home uses, so nothing was imported"
        meter = source.mapping.meter
        remedy = f"Look at the unit: give it with --unit, such as {'Wh or W' if unit == 'kWh' else 'W'}."
        if unit in {"kWh", "Wh"} and (meter is None or meter.meter is Meter.INTERVAL):
            remedy += " If they are the stands of a counter, use --meter counter."
        raise InvalidInput("unit", unit, problem, remedy=remedy)


def _is_load(unit: Unit) -> bool:
    return any(converts(unit, base) for base in (Unit.KW, Unit.KWH))
