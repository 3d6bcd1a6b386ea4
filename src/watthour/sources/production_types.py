"""Types of plants as the operators of Europe name them (ENTSO-E's ``psrType``), and the words of our channels.

Source: ENTSO-E, Manual of Procedures, and the codes of https://transparency.entsoe.eu. Each type has a channel of its
own, so that one that is missing shows; ``carbon.factors`` says what each emits.
"""

from __future__ import annotations

from dataclasses import dataclass

from watthour.sources.eia_930 import channel_word


@dataclass(frozen=True, slots=True)
class ProductionType:
    """A type of plants."""

    code: str
    name: str  # as published by ENTSO-E, and by Elia but for "pondage"
    word: str  # of the channel
    is_storage: bool = False  # what it takes counts as negative generation; what others take they use themselves


TYPES = (
    ProductionType("B01", "Biomass", "biomass"),
    ProductionType("B02", "Fossil Brown coal/Lignite", "lignite"),
    ProductionType("B03", "Fossil Coal-derived gas", "coal_gas"),
    ProductionType("B04", "Fossil Gas", "gas"),
    ProductionType("B05", "Fossil Hard coal", "hard_coal"),
    ProductionType("B06", "Fossil Oil", "oil"),
    ProductionType("B07", "Fossil Oil shale", "oil_shale"),
    ProductionType("B08", "Fossil Peat", "peat"),
    ProductionType("B09", "Geothermal", "geothermal"),
    ProductionType("B10", "Hydro Pumped Storage", "pumped_storage", is_storage=True),
    ProductionType("B11", "Hydro Run-of-river and pondage", "hydro_run_of_river"),
    ProductionType("B12", "Hydro Water Reservoir", "hydro_reservoir"),
    ProductionType("B13", "Marine", "marine"),
    ProductionType("B14", "Nuclear", "nuclear"),
    ProductionType("B15", "Other renewable", "other_renewable"),
    ProductionType("B16", "Solar", "solar"),
    ProductionType("B17", "Waste", "waste"),
    ProductionType("B18", "Wind Offshore", "wind_offshore"),
    ProductionType("B19", "Wind Onshore", "wind_onshore"),
    ProductionType("B20", "Other", "other"),
    ProductionType("B25", "Energy storage", "battery", is_storage=True),
)
BY_CODE = {each.code: each for each in TYPES}
_BY_NAME = {each.name.casefold(): each for each in TYPES}
_SPELT = {"poundage": "pondage"}  # by Elia


def word_of_code(code: str) -> str:
    """Return the word of a type by its code; a code this version does not know is its own word."""
    return BY_CODE[code].word if code in BY_CODE else channel_word(code)


def word_of_name(name: str) -> str:
    """Return the word of a type by its name.

    >>> word_of_name("Hydro Run-of-river and poundage"), word_of_name("Fusion")
    ('hydro_run_of_river', 'fusion')
    """
    spelt = name.casefold()
    for wrong, right in _SPELT.items():
        spelt = spelt.replace(wrong, right)
    return _BY_NAME[spelt].word if spelt in _BY_NAME else channel_word(name)
