"""Emission factors of fuels, each with its source and year [gCO2e/kWh].

General factors are those that Electricity Maps and CarbonCast use, so that intensities can be compared with theirs:
IPCC 2014, AR5 WG3 annex III, table A.III.2, medians, where no other source is named. Balancing authorities of the USA
have factors of their own plants: direct ones from eGRID 2023, over the life cycle by as much more as the general ones
are (gas 120, coal 60, oil 244), since eGRID tells of the plants alone. The choice moves the level of an
intensity far more than the ranking of hours: New York's gas is 370 or 417 direct, 490 or 537 over the life cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

from watthour.core.carbon import Scope

_IPCC = "IPCC AR5 (2014), median"
_UNKNOWN = "Electricity Maps' default for unknown production, as in CarbonCast"
_EGRID = "US EPA eGRID (direct), general upstream part added (life cycle)"
_FALLBACK = "Electricity Maps, discharge"


@dataclass(frozen=True, slots=True)
class Factor:
    """What a kWh of one fuel emits, and who says so."""

    direct: float  # [gCO2e/kWh]
    lifecycle: float  # [gCO2e/kWh]
    source: str
    year: int

    def of(self, scope: Scope) -> float:
        """Return the figure of one scope [gCO2e/kWh]."""
        return self.direct if scope is Scope.DIRECT else self.lifecycle


UNKNOWN = Factor(575.0, 700.0, _UNKNOWN, 2022)
_BATTERY = Factor(297.7, 358.4, _FALLBACK, 2025)
_PUMPED = Factor(303.2, 362.9, _FALLBACK, 2025)
_SOLAR = Factor(0.0, 45.0, _IPCC, 2014)
_WIND = Factor(0.0, 11.0, _IPCC, 2014)
_COAL = Factor(760.0, 820.0, _IPCC, 2014)
_GAS = Factor(370.0, 490.0, _IPCC, 2014)
_HYDRO = Factor(0.0, 24.0, _IPCC, 2014)
_BIOMASS = Factor(0.0, 230.0, "BEIS (direct), IPCC AR5 (2014, life cycle), median", 2014)

GENERAL: dict[str, Factor] = {
    "coal": _COAL,
    "gas": _GAS,
    "oil": Factor(406.0, 650.0, "EIA and BEIS (2020, direct), UK POST (2014, life cycle)", 2020),
    "biomass": _BIOMASS,
    "geothermal": Factor(0.0, 38.0, _IPCC, 2014),
    "solar": _SOLAR,
    "solar_with_battery": _SOLAR,
    "hydro": _HYDRO,
    "nuclear": Factor(0.0, 12.0, _IPCC, 2014),
    "wind": _WIND,
    "wind_with_battery": _WIND,
    "battery": _BATTERY,
    "other_storage": _BATTERY,
    "unknown_storage": _BATTERY,
    "pumped_storage": _PUMPED,
    "other": UNKNOWN,
    "unknown": UNKNOWN,
    # Types of plants that Europe's operators tell apart, as Electricity Maps puts them together.
    "hard_coal": _COAL,
    "lignite": _COAL,
    "oil_shale": _COAL,
    "peat": _COAL,
    "coal_gas": _GAS,
    "hydro_reservoir": _HYDRO,
    "hydro_run_of_river": _HYDRO,
    "wind_offshore": _WIND,
    "wind_onshore": _WIND,
    "waste": _BIOMASS,
    "marine": Factor(0.0, 17.0, _IPCC, 2014),
    "other_renewable": UNKNOWN,
}

_OF_ZONE: dict[str, dict[str, Factor]] = {
    zone: {fuel: Factor(direct, lifecycle, _EGRID, 2023) for fuel, (direct, lifecycle) in fuels.items()}
    for zone, fuels in {
        "NYIS": {"gas": (417.2, 537.2), "coal": (1019.2, 1079.2), "oil": (503.4, 747.4)},
        "CISO": {"gas": (396.2, 516.2), "coal": (517.6, 577.6)},
        "PJM": {"gas": (391.1, 511.1), "coal": (1011.5, 1071.5), "oil": (859.8, 1103.8)},
        "ISNE": {"gas": (387.6, 507.6), "coal": (1051.5, 1111.5)},
        "ERCO": {"gas": (391.7, 511.7), "coal": (1062.4, 1122.4)},
    }.items()
}


def factor_of(fuel: str, zone: str | None = None) -> Factor:
    """Return the factor of a fuel, in a zone where its own plants are known; a fuel that nobody knows has that of such.

    >>> factor_of("gas").direct, factor_of("gas", "NYIS").direct, factor_of("kryptonite").direct
    (370.0, 417.2, 575.0)
    """
    own = _OF_ZONE.get(zone or "", {})
    return own.get(fuel) or GENERAL.get(fuel, UNKNOWN)
