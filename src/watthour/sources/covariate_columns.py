"""Columns that are known ahead, as a person names them: which channel of the site keeps each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from watthour.core.channel import Channel, Limits
from watthour.core.errors import InvalidInput
from watthour.core.names import id_for
from watthour.core.units import Quantity, Unit, converts, quantities_of, units_of
from watthour.core.weather import HOURLY, LIMITS
from watthour.sources.csv import CovariateColumn, conversion_of
from watthour.sources.tables.columns import currency_in, unit_in, unit_named, without_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from watthour.core.channel import Site
    from watthour.sources.csv import ForecastColumn


@dataclass(frozen=True, slots=True)
class CovariateWords:
    """What a person says of a column that is known ahead: its name, and what the name does not tell."""

    column: str
    variable: str | None = None  # of the weather
    unit: Unit | None = None
    currency: str | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a column as it is written in an option.

        >>> CovariateWords.of("wind=MW").unit, CovariateWords.of("T2M=temperature_2m:degC").variable
        (<Unit.MW: 'MW'>, 'temperature_2m')

        Raises:
            InvalidInput: what is said of the column is neither a unit nor a variable of the weather.
        """
        column, is_said, rest = text.rpartition("=")
        if not is_said:
            column, rest = text, ""
        variable, unit, currency = None, None, None
        for word in rest.split(":") if is_said else []:
            if (found := unit_named(word)) is not None:
                unit, currency = found, currency_in(word)
            elif word in HOURLY:
                variable = word
            else:
                problem = f"{word!r} is neither a unit nor a variable of the weather"
                remedy = (
                    "Write a unit, such as 'wind=MW', or a variable and its unit, such as 'T=temperature_2m:degC'. "
                    f"Units: {unit_words()}. Variables: {', '.join(HOURLY)}."
                )
                raise InvalidInput("covariate_column", text, problem, remedy=remedy)
        return cls(column, variable, unit or unit_in(column), currency or currency_in(column))

    def column_of(
        self, site: Site, target: Channel, issue: ForecastColumn, channels: Sequence[Channel]
    ) -> CovariateColumn:
        """Return the column and the channel of the site that keeps it.

        Raises:
            InvalidInput: its unit is not known or does not fit, or another series has the name of the channel.
        """
        word = id_for(without_unit(self.column))
        variable = self.variable or next((each for each in HOURLY if each in {word, f"{word}_2m", f"{word}_10m"}), None)
        if self.unit is None:
            problem = "the unit of this column is not known"
            raise InvalidInput("covariate_column", self.column, problem, remedy=f"Write it as '{self.column}=MW'.")
        name = f"{site.prefix}.{word or 'covariate'}"
        kept = next((each for each in channels if each.id == name), None)
        if name == target.id or (kept is not None and kept.variable is None):
            problem = f"{name} is a series of its own"
            raise InvalidInput("covariate_column", self.column, problem, remedy="Rename the column in the file.")
        if kept is None:
            quantity = HOURLY[variable][0] if variable is not None else quantity_of(self.unit, self.currency)
            fitting = [each for each in units_of(quantity) if converts(self.unit, each)]
            unit = next((each for each in fitting if each == self.unit), next(iter(fitting), units_of(quantity)[0]))
            kept = Channel(
                name,
                site.id,
                quantity,
                unit,
                target.resolution,
                limits=LIMITS.get(quantity, Limits()),
                currency=self.currency if quantity is Quantity.PRICE else None,
                is_simulated=site.is_simulated,
                variable=variable or f"known_{word or 'covariate'}",  # no feature of a model is called so
            )
        conversion_of(self.unit, kept)
        return CovariateColumn(replace(issue, column=self.column), self.unit, kept)


def check_apart(covariates: Sequence[CovariateColumn]) -> None:
    """Refuse two columns that would be kept in one channel.

    Raises:
        InvalidInput: there are such.
    """
    ids = [each.channel.id for each in covariates]
    for number, each in enumerate(covariates):
        if each.channel.id in ids[:number]:
            problem = f"two columns would be kept as {each.channel.id}"
            remedy = "Name each column once; give columns in the file names that differ in letters or digits."
            raise InvalidInput("covariate_column", each.said.column, problem, remedy=remedy)


def kept_note(covariate: CovariateColumn) -> str:
    """Return what a person is told of a column that is kept."""
    return f"{covariate.said.column} is known ahead, and kept as {covariate.channel.id}"


def quantity_of(unit: Unit, currency: str | None) -> Quantity:
    """Return what a unit measures.

    Raises:
        InvalidInput: several things are measured in it, or a price whose currency it does not name.
    """
    fitting = quantities_of(unit)
    if fitting == [Quantity.PRICE] and currency is None:
        remedy = "Give the price's unit with its currency, such as --unit EUR/MWh."
        raise InvalidInput("unit", str(unit), "it does not name the currency of the price", remedy=remedy)
    if len(fitting) != 1:
        problem = f"it does not show what is measured: {', '.join(fitting) or 'nothing known'}"
        raise InvalidInput("unit", str(unit), problem, remedy="Import it into a channel that exists already.")
    return fitting[0]


def unit_words() -> str:
    """Return the units that a file may have, prices with a currency for example."""
    return ", ".join(str(unit).replace("currency", "EUR") for unit in Unit)
